/* system.h - a set of workers with their actors, and the ways in from plain threads. */
#ifndef CEDE_SYSTEM_H
#define CEDE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/log.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// Workers, blocking pool, timers and actors of one process; a process may have several.
typedef struct cede_system cede_system;

/// A message that will not be handled, as `dead_letter` of struct cede_options is shown it.
struct cede_dead_letter {
    cede_result
        reason; /* CEDE_ENOACTOR its receiver has ended; CEDE_EFULL its receiver's mailbox gave it up; CEDE_ETIMEDOUT a
                           request for whose answer nobody waits; CEDE_ENODE its link; CEDE_ECLOSED the system ends */
    const struct cede_type *type;
    const void *message; /* for cede_message_print; borrowed */
    const char *type_name;
    const char *to_name; /* the behaviour of `to`, "" if that has ended or is not known */
    cede_ref from; /* who sent it, or who lives in that actor's place now; cede_ref_is_none: not known, or from another node */
    cede_ref to;   /* to whom; cede_ref_is_none: not known, such as an answer's */
};
/// Looks at a dead letter; must neither block nor yield, nor use any cede_self.
typedef void cede_dead_letter_fn(void *context, const struct cede_dead_letter *letter CEDE_BORROWED);

/// How to set a system up. Zeroes mean the defaults.
struct cede_options {
    uint32_t workers; /* threads that run turns; 0: as many as processors; at most 64 */
    uint32_t blocking_threads_max; /* of the blocking pool; 0: 512 */
    uint32_t blocking_queue_max;   /* jobs waiting for a pool thread; 0: 65536 */
    uint64_t blocking_idle_ns;     /* an idle pool thread leaves after this long; 0: 10 s */
    uint32_t actors_max; /* 0: 2^26; from 65536 on workers keep up to 1/16 of them for themselves */
    size_t stack_size; /* bytes of a turn's stack, a power of two from 16 KiB to 8 MiB; 0: 64 KiB */
    uint64_t turn_warn_ns; /* a turn that runs longer without a yield is logged, see below; 0: 10 ms; CEDE_FOREVER: never */
    cede_log_fn *log;              /* NULL: to standard error */
    void *log_context;             /* given to `log` */
    enum cede_log_level log_level; /* what is less urgent is not logged; 0: CEDE_LOG_WARNING */
    cede_dead_letter_fn *
        dead_letter; /* called for each dead letter, by the thread that has found it; NULL: nobody */
    void *dead_letter_context; /* given to `dead_letter` */
    bool strict; /* every transfer moves the message to a new address: see docs/MESSAGES.md */
};

/// A turn over `turn_warn_ns` is logged as a warning with its actor, the type of its message and a backtrace, at most once a
/// second. For the backtrace SIGURG is sent to the worker's thread, unless it blocks in a call that a signal might end, as
/// poll does; then the callers are guessed from its stack. A handler that the program had for SIGURG gets all others. Time
/// for which the thread waits for a processor does not count. Behind a turn that goes on for more than about 10 ms a spare
/// thread takes up the work, also with `workers` 1: other actors then run beside it.

/// Starts a system.
/// Ownership: `*out` is the caller's, ended by cede_system_destroy; `options` borrowed, may be NULL.
/// Threads: any plain thread. Yields: no. Blocks: shortly, to start threads.
/// Errors: CEDE_EINVAL an option out of range (logged, with its name); CEDE_ENOMEM; CEDE_ELIMIT threads or mappings.
CEDE_BLOCKS CEDE_NODISCARD cede_result cede_system_create(cede_system **out CEDE_BORROWED,
                                                          const struct cede_options *options
                                                          CEDE_BORROWED);

/// Ends all actors after their present turns and frees everything. NULL does nothing.
/// Ownership: moved. Threads: a plain thread. Yields: no. Blocks: until present turns and blocking calls have returned;
/// after 5 s it logs every second which actors still run.
CEDE_BLOCKS void cede_system_destroy(cede_system *system);

/// Who is still there when the time of a shutdown is over, and what it does.
struct cede_survivor {
    cede_ref actor;      /* nobody: a blocking job */
    const char *what;    /* the name of its behaviour, or the job's function */
    const char *message; /* the type that its turn began with; NULL: none */
    const char *doing;   /* such as "waits in cede_ask for actor 'ledger'" or "runs on worker 1" */
    uint32_t waiting;    /* messages in its mailbox */
    uint64_t since_ns;   /* for so long it has been asked to end */
    bool was_killed;     /* false: it is about to be; true: that was in vain */
};

/// How to shut a system down. Zeroes mean the defaults.
struct cede_shutdown_options {
    uint64_t deadline_ns; /* for all to end by themselves; then they are killed; 0: 5 s */
    /* Called for each of those, besides a line in the log for up to 32; on the calling thread; may be NULL. */
    void (*report)(void *context, const struct cede_survivor *survivor CEDE_BORROWED);
    void *context;
};

/// Ends a system in order, and frees it: (1) cede_accept and cede_listen give CEDE_ECLOSED; (2) the roots (cede_root, supervisors)
/// are asked to stop, the newest first, each when those after it have ended; then all other actors, and nothing new is
/// started; (3) at the deadline jobs are cancelled and actors killed, and the log says who they were, what they did, and how
/// many messages waited for them; (4) links to other nodes say goodbye, threads end. The log also names what then still
/// runs: a turn without a yield or a blocking job cannot be taken away.
/// Ownership: `system` moved, on every result but CEDE_ETIMEDOUT; `options` borrowed, may be NULL.
/// Threads: a plain thread. Yields: no. Blocks: until everything has ended; at the deadline for a quarter of a second at most
/// besides the goodbyes. Units: nanoseconds.
/// Errors: CEDE_EKILLED it has ended, but some had to be killed; CEDE_ETIMEDOUT some could not be: the system is still there, and
/// all that is left to do with it is to end the process; CEDE_ECONTEXT called from a turn.
CEDE_BLOCKS CEDE_NODISCARD cede_result cede_system_shutdown(
    cede_system *system, const struct cede_shutdown_options *options CEDE_BORROWED);

/// Waits until somebody asks this actor to stop: the last line of a program that only serves.
/// Ownership: none. Threads: the turn's. Yields: yes. Blocks: no. Errors: CEDE_ENOMEM, CEDE_ELIMIT no stack.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_wait_stop(cede_self *self CEDE_BORROWED);

/// The body of a program or of one job: runs as the only turn of an actor of its own.
typedef CEDE_YIELDS cede_result cede_main_fn(cede_self *self CEDE_BORROWED, int argc,
                                             char **argv CEDE_BORROWED);
typedef CEDE_YIELDS cede_result cede_block_fn(cede_self *self CEDE_BORROWED,
                                              void *context CEDE_BORROWED);

/// Runs `run(self, context)` as an actor and waits for it: the way for a plain thread to spawn, send and ask.
/// Ownership: `context` borrowed until the return. Threads: plain threads only. Yields: no. Blocks: until `run` returns.
/// Errors: what `run` returned; CEDE_ECONTEXT called on a worker or from a turn; CEDE_EKILLED; CEDE_ENOMEM; CEDE_ECLOSED.
CEDE_BLOCKS CEDE_NODISCARD cede_result cede_block_on(cede_system *system CEDE_BORROWED,
                                                     cede_block_fn *run CEDE_BORROWED,
                                                     void *context CEDE_BORROWED);

/// A whole program: makes a system (workers from the environment variable CEDE_WORKERS if set), runs `run` in it by
/// cede_block_on, destroys it. At SIGTERM and SIGINT, unless an actor watches them (signal.h), it shuts the system down as
/// cede_system_shutdown does, within 5 s or what CEDE_SHUTDOWN_MS says, and the status is 0 if all ended in time and `run`
/// returned well (or CEDE_ECANCELED), else 1; at the second of these signals it ends at once, with 128 and its number. `int main(int argc, char **argv) { return cede_main(argc, argv, run); }`
/// Ownership: borrowed. Threads: the main thread. Yields: no. Blocks: until `run` returns.
/// Returns: an exit status: 0 on CEDE_OK and CEDE_STOP, else 1 with the reason on standard error.
CEDE_BLOCKS int cede_main(int argc, char **argv CEDE_BORROWED, cede_main_fn *run CEDE_BORROWED);

/// The system that an actor lives in. Ownership: borrowed. Threads: the turn's. Yields: no. Blocks: no.
CEDE_NOYIELD cede_system *cede_self_system(cede_self *self CEDE_BORROWED);

/// Marks the calling actor as a root: when the system is shut down, roots are asked to stop before all others, the newest
/// first, each when those after it have ended. Supervisors that nobody supervises are roots by themselves.
/// Ownership: none. Threads: the turn's. Yields: no. Blocks: no. Errors: CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_root(cede_self *self CEDE_BORROWED);

/// Writes a line to the system's log, cut to some 500 bytes.
/// Ownership: copied. Threads: the turn's, or an inbox's. Yields: no. Blocks: as the log does.
CEDE_NOYIELD void cede_log(cede_self *self CEDE_BORROWED, enum cede_log_level level,
                           const char *format CEDE_BORROWED, ...) CEDE_PRINTF(3, 4);

/// A struct of which each system has one, for libraries that keep something for all actors: a table of names, a counter. A
/// constant at file scope; its address is what it is known by.
struct cede_local {
    size_t size;                                    /* bytes */
    cede_result (*init)(void *local CEDE_BORROWED); /* of the zeroed struct, once; may be NULL */
    void (*fini)(void *local
                 CEDE_BORROWED); /* at the end of the system, when no actor is left; may be NULL */
};

/// The system's own struct of `kind`, made by the first call.
/// Ownership: borrowed, for the system's life; `kind` borrowed for ever. What is in it is shared by all actors: guard it.
/// Threads: any. Yields: no. Blocks: shortly, while another thread makes it.
/// Errors: NULL when memory is short, or `init` failed (the next call tries again).
CEDE_NOYIELD void *cede_system_local(cede_system *system CEDE_BORROWED,
                                     const struct cede_local *kind CEDE_BORROWED);

/// Counts since the start; a snapshot, exact when nothing runs.
/// At quiescence: allocated = dropped + owned, and sent = handled + dead_lettered + in mailboxes.
/// `turn_lengths[i]` is the number of turns that took 2^i up to 2^(i+1) ns to their end or their next yield: an estimate from a
/// sample below 8.4 ms (2^23 ns), above it each is counted.
enum { CEDE_TURN_LENGTHS = 40, CEDE_DEAD_LETTER_REASONS = 64 };
struct cede_metrics {
    uint64_t messages_allocated, messages_dropped;
    uint64_t messages_sent, messages_handled, messages_dead_lettered;
    uint64_t dead_letters[CEDE_DEAD_LETTER_REASONS]; /* the same by reason, a cede_result */
    uint64_t messages_refused;   /* CEDE_EFULL: they stayed with their senders */
    uint64_t requests_expired;   /* of the dead letters: nobody waited for the answer any more */
    uint64_t messages_forgotten; /* left over by a turn and dropped at its end */
    uint64_t actors_spawned, actors_ended, actors_failed;
    uint64_t turns, yields, steals, parks, wakes;
    uint64_t stacks_mapped;
    uint64_t timers_set, timers_fired, timers_cancelled; /* cede_send_after; the rest is set now */
    uint64_t blocking_threads, blocking_threads_peak, blocking_jobs;
    uint64_t long_turns;    /* that ran for more than `turn_warn_ns` without a yield */
    uint64_t lookouts;      /* looks at the workers for long turns; none while the system is idle */
    uint64_t spare_workers; /* threads made to take the place of workers whose turns blocked */
    uint64_t turn_lengths[CEDE_TURN_LENGTHS];
};

/// Reads the counts. Ownership: `*out` written. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_system_metrics(cede_system *system CEDE_BORROWED,
                                      struct cede_metrics *out CEDE_BORROWED);

/// Counts of the messages of one type, since the start. When nothing runs allocated = dropped + owned, and sent = handled +
/// dead_lettered + waiting, as for the whole system, of which these are the parts.
struct cede_type_metrics {
    const struct cede_type *type; /* NULL: of all types beyond the first 1,023, and a few of Cede itself */
    const char *name;
    uint64_t allocated, dropped;
    uint64_t owned; /* that there are: in mailboxes, turns, states, timers, jobs and links, or frozen */
    uint64_t sent, handled, dead_lettered;
    uint64_t waiting; /* on their way: in mailboxes and channels, or about to be handled */
    uint64_t refused, forgotten; /* as in struct cede_metrics */
};

/// Reads the counts of the types of which any was counted: the first `count` of them. Says by which type a mailbox grows, or which
/// messages are kept for ever. Returns how many types there are, which may be more.
/// Ownership: `out` written. Threads: any. Yields: no. Blocks: no. Costs some microseconds for each type.
CEDE_NOYIELD size_t cede_system_types(cede_system *system,
                                      struct cede_type_metrics *out CEDE_BORROWED, size_t count);

/// Counts of one actor, since it was spawned.
struct cede_actor_metrics {
    cede_ref actor;
    const char *name; /* of its behaviour */
    uint64_t handled; /* messages: by turns, by cede_recv and the like, and replies */
    uint32_t waiting; /* in its mailbox, now */
    uint32_t waiting_peak; /* the most that it has found there when it looked; 65,535: that many, or more. It looks when it has
                              handled what it found before: so there may have been up to twice as many in between. */
};

/// Reads the counts of one actor.
/// Ownership: `*out` written on CEDE_OK. Threads: any. Yields: no. Blocks: no.
/// Errors: CEDE_ENOACTOR it has ended; CEDE_ENOTSUP it lives in another node; CEDE_EINVAL.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_actor_metrics(cede_system *system, cede_ref actor,
                                                           struct cede_actor_metrics *out
                                                           CEDE_BORROWED);

/// Reads the counts of up to `count` actors, and moves `*at` behind them; begin with 0. Returns how many there were; 0: no more. Who
/// lives all the while is shown once; who comes or goes meanwhile, perhaps. Inboxes, and what waits for cede_ask_start, are among
/// them.
/// Ownership: `*at` and `out` written. Threads: any. Yields: no. Blocks: no. Costs a look at each place for an actor there ever was.
CEDE_NOYIELD size_t cede_system_actors(cede_system *system, uint32_t *at CEDE_BORROWED,
                                       struct cede_actor_metrics *out CEDE_BORROWED, size_t count);

/// What the stacks of one size have used since they were made, in whole pages.
struct cede_stacks {
    uint64_t stacks;           /* that exist: about as many as turns ever waited at once */
    uint64_t resident_bytes;   /* of memory, for all of them */
    uint64_t high_water_bytes; /* of the one that was used most: what `stack_size` must be above */
};

/// Measures the stacks of `stack_size` bytes; 0 for those of the usual size (struct cede_options). To learn what the turns
/// of one behaviour need, give it a stack_size of its own and measure that one.
/// Ownership: `*out` written on CEDE_OK. Threads: any. Yields: no. Blocks: some microseconds for each stack.
/// Errors: CEDE_EINVAL no such size; CEDE_ENOMEM; CEDE_EIO.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_system_stacks(cede_system *system CEDE_BORROWED,
                                                           size_t stack_size,
                                                           struct cede_stacks *out CEDE_BORROWED);

CEDE_C_END
#endif
