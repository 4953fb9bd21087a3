/* random.h - random numbers for uids, nonces and seeds; not for anything that needs speed. */
#ifndef CEDEI_SYS_RANDOM_H
#define CEDEI_SYS_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/base.h"

/* From the kernel; falls back to clock and address bits only where the kernel has none. */
uint64_t cedei_random_u64(void);

/* In a simulation: whether something happens now that elsewhere follows from measured times. */
#if CEDEI_SIM
bool cedei_chance(void);
#else
static inline bool cedei_chance(void) { return false; }
#endif

#endif
