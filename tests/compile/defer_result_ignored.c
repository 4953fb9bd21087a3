// expect: ignoring return value
// errors: 1
#include <stdlib.h>

#include <cede/defer.h>

static void block_free(cede_self *self, void *block) { (void)self, free(block); }

cede_result turn(cede_self *self, void *block);
cede_result turn(cede_self *self, void *block) {
#ifdef RIGHT
    return cede_defer(self, block_free, block);
#else
    cede_defer(self, block_free, block);
    return CEDE_OK;
#endif
}
