/* random.c - random numbers from the kernel. */
#define _GNU_SOURCE
#include "core/sys/random.h"

#include <sys/random.h>

#include "core/sys/call.h"
#include "core/sys/clock.h"

uint64_t cedei_random_u64(void) {
    uint64_t value = 0;
    for (int attempt = 0; attempt < 16; attempt++) /* a signal may interrupt early in boot */
        if (!cedei_call_fails(CEDEI_CALL_RANDOM) &&
            getrandom(&value, sizeof value, 0) == (ssize_t)sizeof value)
            return value;
    value = cedei_clock_now_ns() ^ (uint64_t)(uintptr_t)&value;
    value ^= value >> 33;
    return value * 0xff51afd7ed558ccdu;
}
