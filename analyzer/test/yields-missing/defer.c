/* A cleanup must not wait: the type of the pointer says so. */
#include <cede/cede.h>

static void quick(cede_self *self, void *argument) {
    (void)self;
    *(int *)argument = 0;
}

CEDE_YIELDS static void slow(cede_self *self, void *argument) {
    quick(self, argument);
    cede_yield(self);
}

cede_result registers(cede_self *self, int *number);
cede_result registers(cede_self *self, int *number) {
    cede_result r = cede_defer(self, quick, number);
    if (r == CEDE_OK)
        r = cede_defer(self, slow, number); // expect: yields-missing
    return r == CEDE_OK ? cede_defer_run(self, slow, number) : r; // expect: yields-missing
}
