/* job.h - functions that are sent to an executor, with a handle to wait for them and to call them off.
 *
 *     cede_job *job = NULL;
 *     cede_result r = cede_job_start(self, cpu, shrink, &picture, &job);   picture is NULL: the job has it
 *     ...
 *     r = cede_job_await(self, &job, picture, &picture, CEDE_SECONDS(1));  and this turn has it again
 *
 * A job belongs to the actor that started it, which may keep the handle in its state over turns. Losing the handle calls
 * the job off: by cede_job_drop, and for each job that an actor leaves behind when it ends, however it ends. */
#ifndef CEDE_JOB_H
#define CEDE_JOB_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/cancel.h>
#include <cede/executor.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// A job that was started and whose end has not been taken yet.
typedef struct cede_job cede_job;

/// What a job does: works on `message`, the struct that was given to the call that started it (NULL for CEDE_NOTHING). It
/// must not use any cede_self. A long one looks at `cancel` from time to time, which is requested when nobody wants the
/// job any more, and then ends early; what it returns is what cede_job_await returns.
typedef cede_result cede_job_fn(void *message CEDE_BORROWED,
                                const cede_cancel *cancel CEDE_BORROWED);

/// Starts `run(message)` on a worker of `executor`, for work that computes; it must not block. NULL: on that of the
/// calling actor, beside its other turns.
/// Ownership: `*message` moved to the job and nulled on CEDE_OK, still the caller's otherwise; `*out` is the actor's, to be
/// ended by cede_job_await, cede_job_try or cede_job_drop. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_EFULL as many jobs wait there as are allowed (see cede_job_start_wait); CEDE_ECLOSED the executor was
/// closed (logged); CEDE_EINVAL; CEDE_EOWNER; CEDE_ENOMEM.
#define cede_job_start(self, executor, run, message, out)                                          \
    cedei_job_start((self), (executor), CEDE_ASYNC, (run), CEDEI_MOVED_ARG(message), (out),        \
                    CEDEI_HERE)

/// As cede_job_start, on a thread of the executor's blocking pool: for work that may block.
/// Ownership: as cede_job_start. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: as cede_job_start; CEDE_ELIMIT there is no pool thread and none could be made.
#define cede_job_start_blocking(self, executor, run, message, out)                                 \
    cedei_job_start((self), (executor), CEDE_BLOCKING, (run), CEDEI_MOVED_ARG(message), (out),     \
                    CEDEI_HERE)

/// As cede_job_start and cede_job_start_blocking (`kind` CEDE_ASYNC or CEDE_BLOCKING), but waits while as many jobs wait
/// there as are allowed: the way to feed an executor as fast as it works and no faster.
/// Ownership: as cede_job_start. Threads: the turn's. Yields: yes, when it has to wait. Blocks: no.
/// Units: nanoseconds to wait for room, or CEDE_FOREVER. Order: those who wait are let in as they came.
/// Errors: those of the two but CEDE_EFULL; CEDE_ETIMEDOUT no room in time.
#define cede_job_start_wait(self, executor, kind, run, message, out, timeout_ns)                   \
    cedei_job_start_wait((self), (executor), (kind), (run), CEDEI_MOVED_ARG(message), (out),       \
                         (timeout_ns), CEDEI_HERE)

/// Waits for the end of `*job` and takes its message (of type T) back into `*message`, a `struct T **`; for a job without
/// one, `cede_job_await(self, &job, cede_nothing, CEDE_NOTHING, timeout_ns)`. When the job has ended, `*job` is NULL and
/// the message is there, whatever the result; otherwise (out of time) both are as they were, and it may be awaited again.
/// Ownership: `*job` ended and nulled, or still the actor's; `*message` is the turn's once `*job` is NULL.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER.
/// Errors: what the job's function returned; CEDE_ECANCELED it was cancelled and never ran; CEDE_ECLOSED its executor was
/// closed before it ran. With `*job` not NULL: CEDE_ETIMEDOUT; CEDE_ENOMEM, CEDE_ELIMIT no stack to wait on; CEDE_ETYPE
/// the message is not a T; CEDE_EOWNER the job is another actor's; CEDE_EINVAL.
#define cede_job_await(self, job, T, message, timeout_ns)                                          \
    cedei_job_await((self), (job), &cede_type_##T, CEDEI_OUT_ARG(T, message), (timeout_ns),        \
                    CEDEI_HERE)

/// As cede_job_await, and calls the job off when `cancel`, or a token above it, is requested, before or while it waits: one that
/// is still in a queue never runs and has ended, with CEDE_ECANCELED; the token of a running one is requested, and the wait
/// goes on until its function has returned. NULL for `cancel`: no token. While nobody waits, `cancel` does nothing to the job.
/// Ownership: as cede_job_await; `cancel` borrowed, it and what is above it must outlive the call.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER. Errors: as cede_job_await.
#define cede_job_await_cancelable(self, job, T, message, timeout_ns, cancel)                       \
    cedei_job_await_cancelable((self), (job), &cede_type_##T, CEDEI_OUT_ARG(T, message),           \
                               (timeout_ns), (cancel), CEDEI_HERE)

/// As cede_job_await, but looks only: CEDE_ETIMEDOUT with `*job` not NULL when it has not ended yet.
/// Ownership: as cede_job_await. Threads: the turn's. Yields: no. Blocks: no. Errors: as cede_job_await.
#define cede_job_try(self, job, T, message)                                                        \
    cedei_job_try((self), (job), &cede_type_##T, CEDEI_OUT_ARG(T, message), CEDEI_HERE)

/// Calls `job` off and keeps the handle: one that waits in a queue never runs and has ended, with CEDE_ECANCELED; the
/// token of a running one is requested; nothing happens to one that has ended. Its message is taken back as ever.
/// Ownership: borrowed. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_EOWNER the job is another actor's; CEDE_EINVAL.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_job_cancel(cede_self *self CEDE_BORROWED,
                                                        cede_job *job CEDE_BORROWED);

/// Calls `*job` off, drops its message as soon as it is not used any more, and sets `*job` to NULL. NULL in `*job` does
/// nothing. Ownership: moved. Threads: the turn's. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_job_drop(cede_self *self CEDE_BORROWED, cede_job **job CEDE_BORROWED);

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD CEDE_NODISCARD cede_result
cedei_job_start(cede_self *self CEDE_BORROWED, cede_executor *executor CEDE_BORROWED,
                enum cede_kind kind, cede_job_fn *run CEDE_BORROWED, void **message CEDE_MOVED,
                cede_job **out CEDE_BORROWED, const char *here CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_job_start_wait(
    cede_self *self CEDE_BORROWED, cede_executor *executor CEDE_BORROWED, enum cede_kind kind,
    cede_job_fn *run CEDE_BORROWED, void **message CEDE_MOVED, cede_job **out CEDE_BORROWED,
    uint64_t timeout_ns, const char *here CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_job_await_cancelable(
    cede_self *self CEDE_BORROWED, cede_job **job CEDE_BORROWED,
    struct cede_type *type CEDE_BORROWED, void **message CEDE_GIVEN, uint64_t timeout_ns,
    const cede_cancel *cancel CEDE_BORROWED, const char *here CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_job_await(cede_self *self CEDE_BORROWED,
                                                       cede_job **job CEDE_BORROWED,
                                                       struct cede_type *type CEDE_BORROWED,
                                                       void **message CEDE_GIVEN,
                                                       uint64_t timeout_ns,
                                                       const char *here CEDE_BORROWED);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_job_try(cede_self *self CEDE_BORROWED,
                                                      cede_job **job CEDE_BORROWED,
                                                      struct cede_type *type CEDE_BORROWED,
                                                      void **message CEDE_GIVEN,
                                                      const char *here CEDE_BORROWED);

CEDE_C_END
#endif
