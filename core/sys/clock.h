/* clock.h - monotonic time. A reading costs about 18 ns. */
#ifndef CEDEI_SYS_CLOCK_H
#define CEDEI_SYS_CLOCK_H

#include <stdint.h>

uint64_t cedei_clock_now_ns(void);

#endif
