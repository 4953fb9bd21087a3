// expect: variant 'shape' has no alternatives: its list needs V(TAG, kind, name) at least once
// errors: 2
#include <cede/message.h>

#ifdef RIGHT
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, str, name)
#else
#define SHAPE(V)
#endif
CEDE_VARIANT(shape, SHAPE);
