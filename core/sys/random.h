/* random.h - random numbers for uids, nonces and seeds; not for anything that needs speed. */
#ifndef CEDEI_SYS_RANDOM_H
#define CEDEI_SYS_RANDOM_H

#include <stdint.h>

/* From the kernel; falls back to clock and address bits only where the kernel has none. */
uint64_t cedei_random_u64(void);

#endif
