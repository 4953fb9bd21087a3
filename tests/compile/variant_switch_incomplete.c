// expect: enumeration value 'SHAPE_NAME' not handled in switch
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, str, name)
#else
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, str, name)
#endif
CEDE_VARIANT(shape, SHAPE);

uint32_t measure(const struct shape *shape);
uint32_t measure(const struct shape *shape) {
    switch (shape->tag) {
    case SHAPE_COUNT: return shape->as.count;
#ifdef RIGHT
    case SHAPE_NAME: return shape->as.name.size;
#endif
    }
    return 0;
}
