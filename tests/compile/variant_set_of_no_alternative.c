// expect: 'tag_of_size'
// errors: 2
#include <cede/message.h>

#ifdef RIGHT
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, str, name)
#else
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, str, name)
#endif
CEDE_VARIANT(shape, SHAPE);

void fill(struct shape *shape);
void fill(struct shape *shape) {
#ifdef RIGHT
    *cede_variant_set(shape, shape, count) = 1;
#else
    *cede_variant_set(shape, shape, size) = 1;
#endif
}
