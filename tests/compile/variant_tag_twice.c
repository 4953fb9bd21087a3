// expect-gcc: redeclaration of enumerator 'SHAPE_COUNT'
// expect-clang: declaration shadows a variable in the global scope
// errors: 3
#include <cede/message.h>

#ifdef RIGHT
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, str, name)
#else
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_COUNT, str, name)
#endif
CEDE_VARIANT(shape, SHAPE);
