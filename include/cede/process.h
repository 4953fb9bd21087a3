/* process.h - child processes for actors that supervise other nodes.
 *
 * A C fault cannot be contained in its process, so what must survive it lives in another one. A node that is a child
 * tells of its death twice: its link goes down, which monitors report at once, and cede_process_wait returns why. */
#ifndef CEDE_PROCESS_H
#define CEDE_PROCESS_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// A child process; all zero: none. A value without an owner: whoever has it may wait and signal, one should.
typedef struct CEDE_SEND cede_process {
    int32_t pid;
    int32_t lifeline; /* descriptor: while it is open somewhere, the child's parent is there */
} cede_process;

/// Starts the program argv[0], searched in PATH ("/proc/self/exe" is the caller's own), with this process's environment
/// and standard streams. Signals are as in a fresh process. A child that calls cede_process_follow_parent ends when
/// this process does, however that happens.
/// Ownership: `argv` borrowed, ends with NULL; `*out` is for cede_process_wait.
/// Threads: the turn's. Yields: no. Blocks: shortly, until the child runs its own program.
/// Errors: CEDE_ENOENT no such program; CEDE_EACCES; CEDE_EINVAL; CEDE_ENOMEM; CEDE_ELIMIT; CEDE_EIO.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_process_start(cede_self *self CEDE_BORROWED,
                                                           char *const argv[] CEDE_BORROWED,
                                                           cede_process *out CEDE_BORROWED);

/// Waits until the child ends, collects it, and zeroes `*process`.
/// Ownership: `*process` on CEDE_OK and CEDE_ENOENT ended, otherwise as before; `*status` written on CEDE_OK: the exit
/// status, or minus the number of the signal that killed it.
/// Threads: the turn's. Yields: yes. Blocks: no (a pool thread does). Units: nanoseconds, or CEDE_FOREVER.
/// Errors: CEDE_ETIMEDOUT it still runs; CEDE_ENOENT no child of this process (any more); CEDE_ENOMEM; those of
/// cede_run_blocking.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_process_wait(cede_self *self CEDE_BORROWED,
                                                         cede_process *process CEDE_BORROWED,
                                                         uint64_t timeout_ns,
                                                         int32_t *status CEDE_BORROWED);

/// Sends the child a signal, SIGKILL to end it at once.
/// Ownership: borrowed. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOENT it was collected; CEDE_EINVAL no such signal; CEDE_EACCES.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_process_signal(cede_self *self CEDE_BORROWED,
                                                            const cede_process *process
                                                            CEDE_BORROWED,
                                                            int signal_number);

/// In a child of cede_process_start: from now on this process ends, by _exit(75), as soon as its parent has ended. In
/// any other process it does nothing. Call it once, early in main, before other threads read the environment.
/// Ownership: none. Threads: the main thread, before others start. Yields: no. Blocks: no.
/// Errors: CEDE_ELIMIT or CEDE_ENOMEM no thread could be made.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_process_follow_parent(void);

/* ---- what cede_process_wait gives to the blocking pool; not for direct use ---- */

#define CEDEI_PROCESS_END(F)                                                                       \
    F(i32, pid)                                                                                    \
    F(u64, timeout_ns)                                                                             \
    F(i32, status)
CEDE_MESSAGE_DECLARE(cede_process_end, CEDEI_PROCESS_END);

CEDE_C_END
#endif
