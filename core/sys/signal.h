/* signal.h - signals of the operating system as bits that a thread can wait for. One set per process.
 * A signal that comes several times before it is taken counts once, as standard signals do. */
#ifndef CEDEI_SYS_SIGNAL_H
#define CEDEI_SYS_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/annotate.h>
#include <cede/result.h>

/* Prepares the set: CEDE_ELIMIT no descriptor; CEDE_ENOMEM. */
CEDE_NODISCARD cede_result cedei_signals_open(void);
/* After the last cedei_signal_release. */
void cedei_signals_close(void);
/* From now on `number` is collected instead of having its effect. CEDE_EINVAL: no signal that can be caught, or one
 * that the runtime itself lives by (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT). */
CEDE_NODISCARD cede_result cedei_signal_catch(int number);
/* Gives it back the effect that it had. */
void cedei_signal_release(int number);
/* Sleeps until signals have come or cedei_signals_wake was called; a bit (number - 1) for each that came. */
uint64_t cedei_signals_wait(void);
void cedei_signals_wake(void);

#endif
