/* clock.c - monotonic time from the kernel. */
#include "core/sys/clock.h"

#include <time.h>

#include "core/base/base.h"
#include "core/sys/call.h"

uint64_t cedei_clock_now_ns(void) {
    struct timespec now;
    if (CEDEI_UNLIKELY(cedei_call_fails(CEDEI_CALL_CLOCK) ||
                       clock_gettime(CLOCK_MONOTONIC, &now) != 0))
        cedei_fatal("cede: the system has no monotonic clock");
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
