/* wait.h - how a plain thread of a test waits for what it can only look at: asleep between two looks. A thread that yields instead
 * looks again when everybody else has had his turn, which on a machine that does other things takes thousands of times as long. */
#ifndef CEDE_TESTS_WAIT_H
#define CEDE_TESTS_WAIT_H

#include "core/sys/clock.h"
#include "core/sys/thread.h"

static inline void look_later(void) {
    static _Atomic uint32_t never;
    cedei_futex_wait(&never, 0, cedei_clock_now_ns() + 20000);
}

#endif
