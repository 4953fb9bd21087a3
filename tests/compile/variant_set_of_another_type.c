// expect: 'struct shape *'
// errors: 2
#include <cede/message.h>

#ifdef RIGHT
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, str, name)
#else
#define SHAPE(V) V(SHAPE_COUNT, u32, count) V(SHAPE_NAME, str, name)
#endif
CEDE_VARIANT(shape, SHAPE);

#define CRATE(F) F(u32, count)
CEDE_MESSAGE(crate, CRATE);

void fill(struct shape *shape, struct crate *crate);
void fill(struct shape *shape, struct crate *crate) {
    crate->count = 1;
#ifdef RIGHT
    *cede_variant_set(shape, shape, count) = 1;
#else
    *cede_variant_set(shape, crate, count) = 1;
#endif
}
