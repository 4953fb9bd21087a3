// expect-gcc: macro "CEDE_VARIANT_alternative_is_V_TAG_kind_name" requires 3 arguments
// expect-clang: too few arguments provided to function-like macro invocation
// errors: 31
#include <cede/message.h>

#ifdef RIGHT
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, str, name)
#else
#define SHAPE(V) V(u32, count) V(str, name)
#endif
CEDE_VARIANT(shape, SHAPE);
