// expect: field 'name' of type 'char *' is not Send: use str (owned text) or bytes
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, str, name)
#else
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, char *, name)
#endif
CEDE_VARIANT(shape, SHAPE);
