/* executor.h - named sets of workers with a blocking pool each, so that work of one kind cannot take the threads of
 * another: a system starts with one, further ones are made for what must not disturb it. */
#ifndef CEDE_EXECUTOR_H
#define CEDE_EXECUTOR_H

#include <stddef.h>
#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/system.h>

CEDE_C_BEGIN

/// A set of workers and a blocking pool of one system. Lives until cede_executor_destroy, at most as long as the system.
typedef struct cede_executor cede_executor;

/// Runs on each new thread of an executor before anything else does; must not use Cede.
typedef void cede_thread_start_fn(void *context CEDE_BORROWED,
                                  const char *thread_name CEDE_BORROWED);

/// How to set an executor up. Zeroes mean the defaults.
struct cede_executor_options {
    const char *name; /* for logs and, cut to 15 bytes with a number, its threads; NULL: "executor" */
    uint32_t workers; /* threads that run turns and jobs; 0: one per processor it may use; at most 64 */
    uint32_t blocking_threads_max; /* of its blocking pool; 0: 512 */
    uint32_t blocking_queue_max;   /* jobs waiting for a pool thread; 0: 65536 */
    uint32_t jobs_queue_max;       /* jobs waiting for a worker; 0: 65536 */
    uint64_t blocking_idle_ns;     /* an idle pool thread leaves after this long; 0: 10 s */
    size_t stack_size; /* as in struct cede_options; 0: that of the system's first executor */
    uint64_t turn_warn_ns; /* as in struct cede_options, with spare threads; 0: turns and jobs may be long, nobody looks */
    const uint32_t
        *cpus; /* numbers of the processors that all its threads keep to; read during the call */
    uint32_t cpu_count; /* of `cpus`; 0: any processor */
    int nice; /* of all its threads: 0 leaves it as it is; positive gives way to others, negative needs a privilege */
    cede_thread_start_fn *thread_start; /* may be NULL; called on each thread, also of the blocking pool */
    void *thread_start_context;
};

/// Starts an executor. A system may have 63 beside its first.
/// Ownership: `*out` is the caller's to end by cede_executor_destroy, the system ends what is left; `options` borrowed,
/// `name` copied; may be NULL. Threads: any. Yields: no. Blocks: shortly, until its workers have started.
/// Errors: CEDE_EINVAL an option out of range, or none of `cpus` is there (logged, with its name); CEDE_EACCES the nice
/// level is not allowed; CEDE_ENOMEM; CEDE_ELIMIT threads, mappings or executors; CEDE_ECLOSED shutting down.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_executor_create(
    cede_system *system CEDE_BORROWED, const struct cede_executor_options *options CEDE_BORROWED,
    cede_executor **out CEDE_BORROWED);

/// Closes `executor` for new work and ends what it has: its actors are killed, jobs in its queues never run, the tokens of
/// running ones are requested. What is submitted to it from now on is refused with CEDE_ECLOSED and a line in the log.
/// Closing it twice does nothing; the system's first executor is not closed so (see cede_system_destroy).
/// Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_executor_close(cede_executor *executor CEDE_BORROWED);

/// Closes `executor`, waits until its last turn and job have ended, and ends its threads. NULL does nothing.
/// Ownership: moved; nobody may use it afterwards. Threads: a plain thread, or one that may block (a job, an actor of kind
/// CEDE_BLOCKING) of another executor. Yields: no. Blocks: until present turns and jobs have returned; after 5 s it logs
/// every second which still run.
CEDE_BLOCKS void cede_executor_destroy(cede_executor *executor);

/// The executor that a system starts with. Ownership: borrowed; not to be destroyed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD cede_executor *cede_system_executor(cede_system *system CEDE_BORROWED);

/// The executor that the calling actor runs on. Ownership: borrowed. Threads: the turn's. Yields: no. Blocks: no.
CEDE_NOYIELD cede_executor *cede_self_executor(cede_self *self CEDE_BORROWED);

/// The name it was given; the first one's is "cede". Ownership: borrowed, lives as long as the executor. Threads: any.
/// Yields: no. Blocks: no.
CEDE_NOYIELD const char *cede_executor_name(const cede_executor *executor CEDE_BORROWED);

/// As cede_spawn, but the actor runs on `executor`, all its life. (cede_spawn starts it on the spawning actor's.)
/// Ownership: as cede_spawn; `executor` borrowed. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: those of cede_spawn; CEDE_ECLOSED also when `executor` is closed; CEDE_EINVAL also when it is another system's.
#define cede_spawn_on(self, executor, behaviour, first, out)                                       \
    cedei_spawn_on((self), (executor), (behaviour), CEDEI_MOVED_ARG(first), (out), 0, CEDEI_HERE)

/// As cede_spawn_on and cede_spawn_monitored in one.
/// Ownership: as cede_spawn_on. Threads: the turn's. Yields: no. Blocks: no. Errors: as cede_spawn_on.
#define cede_spawn_monitored_on(self, executor, behaviour, first, out)                             \
    cedei_spawn_on((self), (executor), (behaviour), CEDEI_MOVED_ARG(first), (out),                 \
                   CEDEI_MONITORED, CEDEI_HERE)

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD CEDE_NODISCARD cede_result
cedei_spawn_on(cede_self *self CEDE_BORROWED, cede_executor *executor CEDE_BORROWED,
               const cede_behaviour *behaviour CEDE_BORROWED, void **first CEDE_MOVED,
               cede_ref *out CEDE_BORROWED, unsigned ties, const char *here CEDE_BORROWED);

CEDE_C_END
#endif
