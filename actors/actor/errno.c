/* errno.c - errno of the thread that runs the turn now. */
#include <errno.h>

#include <cede/actor.h>

#include "core/base/base.h"

CEDEI_NOINLINE int *cede_errno_location(void) {
    int *location = &errno;
    __asm__ volatile(""
                     : "+r"(location)
                     :
                     : "memory"); /* keeps callers from computing it once for both sides of a yield */
    return location;
}
