// expect: field 'shapes': an element of the list is over 32 times larger in memory than as bytes: put the large alternatives
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define SHAPE(V) V(SHAPE_COUNT, u8, count) V(SHAPE_KEY, array(u8, 100), key)
#else
#define SHAPE(V) V(SHAPE_COUNT, u8, count) V(SHAPE_KEY, array(u8, 400), key)
#endif
CEDE_VARIANT(shape, SHAPE);

#define DRAWING(F) F(list(shape), shapes)
CEDE_MESSAGE(drawing, DRAWING);
