// expect: duplicate member 'count'
// errors: 3
#include <cede/message.h>

#ifdef RIGHT
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, str, name)
#else
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, str, count)
#endif
CEDE_VARIANT(shape, SHAPE);
