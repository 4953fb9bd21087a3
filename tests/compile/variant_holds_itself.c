// expect: CEDE_MESSAGE_declares_shape_before_it_is_used
// errors: 7
#include <cede/message.h>

#ifdef RIGHT
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_MORE, opt(shape), more)
#else
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_MORE, msg(shape), more)
#endif
CEDE_VARIANT(shape, SHAPE);
