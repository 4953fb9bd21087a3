/* sched.h - workers that run tasks, steal from each other and sleep; the blocking pool; timers.
 * One `struct cedei_sched` is an executor. The first of a system owns what all of them share (the depot of blocks, the
 * wheel of the actors' timers) and the table of the others, in which a task's `place` finds its executor.
 * Life of a worker: its thread leaves its own stack for a pooled one and runs the loop there. A turn that suspends keeps
 * that stack (its lease) and the worker goes on with a fresh one; resuming a lease puts the worker's present stack back.
 * After any call that may suspend, "the worker" is the one that the callee returns, not the one from before. */
#ifndef CEDEI_SCHED_SCHED_H
#define CEDEI_SCHED_SCHED_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cede/result.h>

#include "core/base/base.h"
#include "core/mem/block.h"
#include "core/mem/stack.h"
#include "core/sched/count.h"
#include "core/sched/gate.h"
#include "core/sched/lookout.h"
#include "core/sched/reactor.h"
#include "core/sched/task.h"
#include "core/sched/timer.h"
#include "core/sync/runqueue.h"
#include "core/sys/log.h"
#include "core/sys/thread.h"

/* Stacks that actors ask for by their behaviour: from 16 KiB to 8 MiB. */
enum { CEDEI_STACK_SIZE_LOG_MIN = 14, CEDEI_STACK_SIZES = 10 };

struct cedei_sched;

/* Of a task that is `worker`'s to run now: the stack of its suspended turn, which goes on at once and is no more the
 * task's; NULL: it has none or must not go on, and is to be run. */
typedef struct cedei_stack *cedei_lease_fn(struct cedei_worker *worker, struct cedei_task *task);

/* Times one task in many: see sample.c. Access: the worker only, but for `lengths`, which anybody may read. */
struct cedei_sample {
    bool running;        /* the present task is being timed */
    uint32_t polls_left; /* until the next one is */
    uint32_t random;
    uint32_t tick;       /* of the last task that was timed */
    uint32_t stands_for; /* that many tasks */
    uint64_t start_ns, turns;
    _Atomic uint64_t lengths[CEDEI_TURN_LENGTHS];
};

/* How long tasks from the LIFO slot may go on while others wait, see slot_goes_on in next.c. Access: its worker only. */
struct cedei_slot_time {
    uint64_t since_ns; /* from then on the others' time is not in `owed_ns` yet; 0: not known */
    uint64_t owed_ns;  /* that the others have had and the slot has not */
    uint64_t until_ns; /* the slot goes on until then; 0: it has no time of its own */
    uint64_t look_ns;  /* the last look at the clock */
    uint32_t skip;     /* looks to leave out */
};

/* A thread that runs tasks: a worker proper, or a thread of the blocking pool.
 * Access: I = set before the thread starts; W = the thread only; P = any thread, atomic. */
struct cedei_worker {
    /* what thieves, wakers and the lookout touch */
    struct cedei_runqueue queue;
    alignas(CEDEI_CACHE_LINE) _Atomic(struct cedei_task *)
        lifo;                /* P: filled by W, emptied by W or a thief */
    _Atomic uint32_t parked; /* P: futex word; 1 while asleep, 2 while asleep in the reactor */
    _Atomic uint32_t tick;   /* P: written by W; grows with each task that it takes or looks for */
    _Atomic uint32_t
        taken; /* P: written by W: `tick` of the task that it runs, another one while it chooses */
    _Atomic uint32_t duty; /* P: futex word; enum cedei_duty */
    _Atomic uint64_t
        asleep_until_ns; /* P: written by W, while its bit in `idle` is set: it looks at the wheels then */
    _Atomic bool alone;      /* P: nobody steals from it; written by the lookout, see spare.c */
    _Atomic bool putting;    /* P: written by W: it fills its slot as if it were alone */
    _Atomic uint32_t number; /* P: cedei_thread_number, 0 before it runs */
    /* what only the thread touches */
    alignas(CEDEI_CACHE_LINE) struct cedei_sched *sched; /* I */
    uint32_t index; /* I: of the bit in `idle`; pool threads: UINT32_MAX */
    bool is_pool;   /* I */
    uint8_t home;   /* I: the `place` of tasks that may go into `lifo`; CEDEI_HOME_NONE: of none */
    bool is_seat;   /* I: stands for a plain thread; runs nothing and cannot suspend */
    bool has_arrived;    /* W, in the pool: is not counted as starting any more */
    bool searching;      /* W */
    bool quiet;          /* W: what it submits now wakes nobody: it sees to that later */
    uint32_t look_tick;  /* W: the tick at which more than `lifo` must be looked at */
    uint32_t poll_tick;  /* W: the tick that looks at the global queue and timers */
    uint32_t poll_ticks; /* W: from one such look to the next */
    bool has_waited; /* W: in the reactor, since the last such look, which leaves it out this time */
    uint64_t polled_ns; /* W: when the last one was, while timers are set; 0: not known */
    uint32_t lifo_from; /* W: the tick before the present run of tasks from `lifo` while others wait */
    uint32_t lifo_runs; /* W: so many in that run */
    struct cedei_slot_time slot_time;
    uint32_t steal_from;         /* W: where the next search begins */
    cedei_lease_fn *lease_take;  /* I */
    struct cedei_stack *stack;   /* W: that it runs on */
    struct cedei_stack *discard; /* W: left for good by the last switch */
    void (*commit)(struct cedei_worker *worker, void *context); /* W: to run after the last switch */
    void *commit_context;                                       /* W */
    struct cedei_task *picked; /* W: was next when the last turn suspended; the loop runs it first */
    struct cedei_stack *lease; /* W: that the loop is to go over to when the present task returns */
    struct cedei_task *running;      /* W; read by the fault handler on its own thread */
    struct cedei_stack native;       /* W: the thread's own stack */
    struct cedei_stack_cache stacks; /* W */
    struct cedei_block_cache blocks; /* W */
    struct cedei_counts counts;
    struct cedei_sample sample;
    cedei_thread thread;
    void *signal_stack;
    int mutexes_held; /* W: cede_mutex, in checking builds; and CEDEI_HELD_BY_CLEANUP in a cleanup */
    struct cedei_worker *pool_next, **pool_back; /* under the pool's lock: in `alive` */
    struct cedei_worker *idle_next, **idle_back; /* the same: in `idle_first`; back NULL: not idle */
    struct cedei_block_cache parts;              /* W: of messages, see core/mem/part.h */
    struct cedei_tally tallies[CEDEI_TALLY_ROWS]; /* W writes, anybody reads; last: mostly untouched */
};
enum { CEDEI_HOME_NONE = 255, CEDEI_HELD_BY_CLEANUP = 1 << 20 };

/* The blocking pool. Access: L = under `lock`; P = any thread, atomic; I. */
struct cedei_pool {
    alignas(CEDEI_CACHE_LINE) cedei_mutex lock;
    struct cedei_task *first, *last; /* L: queue */
    _Atomic uint32_t queued;         /* P: its length; written under the lock */
    uint32_t coming; /* L: threads on their way to the queue: woken, started, or looking at it */
    uint32_t threads, peak;          /* L: that will look at the queue again; the most there were */
    struct cedei_worker *idle_first; /* L: asleep, the one that went last first */
    uint32_t present;        /* L: `threads`, those that are leaving, and one that is being made */
    bool stopping;           /* L */
    uint64_t start_again_ns; /* L: after a start that failed, further threads are not tried before */
    struct cedei_worker *alive;    /* L: all, for their counts */
    struct cedei_counts retired;   /* L: of threads that have left */
    cedei_cond gone;               /* `present` is 0 */
    uint32_t threads_max, spin_ns; /* I */
    uint64_t idle_ns;              /* I */
    struct cedei_timer retry; /* set while a task waits for a first thread that could not be made */
    struct cedei_task
        start_for_other; /* makes a thread on a worker of the pool's own executor, see pool.c */
};

struct cedei_sched_options {
    uint32_t workers, pool_threads_max, pool_queue_max,
        jobs_queue_max; /* the last 0: as the pool's */
    uint64_t pool_idle_ns;
    size_t stack_size;
    uint64_t turn_warn_ns; /* a task that runs longer is reported; 0, UINT64_MAX: never */
    bool no_lookout;       /* nobody watches the workers: no reports, no spare workers */
    struct cedei_log log;
    cedei_post_fn *post_fire; /* see cedei_sched_post */
    void *post_context;
    struct cedei_sched *first; /* of the system; NULL: this one */
    uint32_t number;           /* in its table */
    void *owner;
    const char *name;     /* NULL: "cede" */
    const uint32_t *cpus; /* NULL: those of the calling thread */
    uint32_t cpu_count;
    int nice;                                                     /* 0: as the calling thread */
    void (*thread_start)(void *context, const char *thread_name); /* on each thread; may be NULL */
    void *thread_start_context;
    /* Writes what the task is doing, for a report; async-signal-safe; at most `size` bytes, NUL included. */
    void (*describe)(struct cedei_task *task, char *out, size_t size);
    cedei_lease_fn *lease_take; /* NULL: each task is run in the loop */
};

enum { CEDEI_EXECUTOR_NAME_SIZE = 64 };

/* Access: I; P = any thread, atomic; L = under `global_lock`. */
struct cedei_sched {
    uint32_t worker_count; /* I: that shall work at a time */
    uint32_t seats_max;    /* I: entries of `workers`: the spare ones behind the regular ones */
    struct cedei_worker *workers; /* I */
    bool may_be_alone; /* I: the slot of the only worker on duty can be made its own, and shared again */
    struct cedei_log log;                                  /* I */
    void (*describe)(struct cedei_task *, char *, size_t); /* I */
    cedei_lease_fn *lease_take;                            /* I */
    alignas(CEDEI_CACHE_LINE) _Atomic uint64_t idle; /* P: a bit per worker that sleeps or is about to */
    _Atomic uint32_t searching;                      /* P: workers looking for work */
    _Atomic uint32_t timekeeper; /* P: index + 1 of the sleeping worker that watches all wheels; 0: none */
    _Atomic uint32_t stopping; /* P */
    _Atomic uint32_t seats;    /* P: entries of `workers` in use; grows only */
    alignas(CEDEI_CACHE_LINE) cedei_mutex global_lock;
    struct cedei_task *global_first, *global_last; /* L */
    _Atomic uint64_t global_count;                 /* P: written under the lock */
    struct cedei_wheel *wheels; /* I: one per regular worker; spare ones share them */
    struct cedei_reactor reactor;
    _Atomic uint64_t helped_ns; /* P: when a worker was last woken to help with what events brought */
    _Atomic uint64_t stackless_until_ns; /* P: no further line about missing stacks before */
    struct cedei_stack_pool stacks;      /* of the usual size */
    struct cedei_stack_pool sized[CEDEI_STACK_SIZES]; /* of 2^(CEDEI_STACK_SIZE_LOG_MIN + i) bytes */
    struct cedei_block_depot depot;
    struct cedei_pool pool;
    struct cedei_lookout lookout;
    struct cedei_counts shared_counts; /* of threads that are no workers */
    struct cedei_tally *shared_tallies; /* I; P: the same, and of threads of the pool that have left */
    /* as an executor */
    struct cedei_sched *first;           /* I */
    uint32_t number;                     /* I */
    void *owner;                         /* I: the system */
    char name[CEDEI_EXECUTOR_NAME_SIZE]; /* I */
    uint32_t *cpus, cpu_count;           /* I: that its threads keep to */
    bool cpus_are_set;                   /* I: by its options; else those of the process */
    int nice;                            /* I: of its threads */
    bool nice_is_set;                    /* I: it differs from the process's */
    void (*thread_start)(void *context, const char *thread_name); /* I */
    void *thread_start_context;                                   /* I */
    _Atomic uint32_t started;    /* P: workers that have begun, a futex word */
    _Atomic uint32_t start_fail; /* P: 1: one of them could not take its nice level */
    _Atomic uint32_t closed;     /* P: 1: takes nothing new */
    _Atomic uint32_t tenants;    /* P: actors that live on it; not counted on the first */
    _Atomic uint32_t departed;   /* P: counts, while it is closed, what ends on it; a futex word */
    _Atomic uint64_t refused_ns; /* P: when the last refusal was logged */
    bool is_retired;             /* by cedei_sched_retire */
    struct cedei_gate gates[2];  /* unfinished jobs by enum cedei_task_place */
    _Atomic(struct cedei_sched *) members[CEDEI_EXECUTORS_MAX]; /* P, on the first: by number */
};

CEDE_NODISCARD cede_result cedei_sched_init(struct cedei_sched *sched,
                                            const struct cedei_sched_options *options);
/* Lets present turns end, joins all threads. `still(context, seconds)` is called every second from the fifth on. */
void cedei_sched_stop(struct cedei_sched *sched, void (*still)(void *context, unsigned seconds),
                      void *context);
/* After the stop: gives back all but the memory that a late waker may still look at, for cedei_sched_fini to free. */
void cedei_sched_retire(struct cedei_sched *sched);
/* After the stop: takes a task that never ran out of its queues, NULL when there is none left. */
struct cedei_task *cedei_sched_take_rest(struct cedei_sched *sched);
/* After stop and after all stacks and blocks are back. */
void cedei_sched_fini(struct cedei_sched *sched);

/* The executor that tasks of `place` run on. */
static inline struct cedei_sched *cedei_sched_at(struct cedei_sched *sched, uint32_t place) {
    /* acquire: pairs with the release of whoever put it into the table. */
    return atomic_load_explicit(&sched->first->members[place >> 1], memory_order_acquire);
}

/* Whether `worker` (may be NULL) is a thread of the same system. */
static inline bool cedei_sched_has(struct cedei_sched *sched, struct cedei_worker *worker) {
    return worker != NULL && worker->sched->first == sched->first;
}

static inline bool cedei_sched_is_closed(struct cedei_sched *sched) {
    /* seq_cst: after the count of a tenant or job; whoever closes looks at those after it has closed. */
    return atomic_load_explicit(&sched->closed, memory_order_seq_cst) != 0;
}

/* Makes `task` run on the executor that its `place` names. `sched`: any executor of the system. `worker`: the calling
 * thread's, if it is of the same system, or NULL. CEDE_ELIMIT, CEDE_ENOMEM, CEDE_ECLOSED only for tasks of the pool with
 * `refuse` set; others always run. */
cede_result cedei_sched_submit_slow(struct cedei_sched *sched, struct cedei_worker *worker,
                                    struct cedei_task *task);
static inline cede_result cedei_sched_submit(struct cedei_sched *sched, struct cedei_worker *worker,
                                             struct cedei_task *task) {
    if (CEDEI_LIKELY(worker != NULL && task->place == worker->home)) {
        /* relaxed: only its worker fills the slot, so what is empty stays empty. */
        if (CEDEI_LIKELY(atomic_load_explicit(&worker->lifo, memory_order_relaxed) == NULL)) {
            /* release: pairs with the acquire of a thief in lifo_take. */
            atomic_store_explicit(&worker->lifo, task, memory_order_release);
            return CEDE_OK;
        }
    }
    return cedei_sched_submit_slow(sched, worker, task);
}
/* The same at the end of the queue: for a task that gives way. */
void cedei_sched_requeue(struct cedei_worker *worker, struct cedei_task *task);

/* The calling thread's worker or NULL; never inlined, so that the address is computed anew after each switch. */
struct cedei_worker *cedei_worker_current(void);

/* Suspends: goes on with the suspended turn that is next anyway, or else with the loop on a fresh stack; there
 * `commit(worker, context)` runs first. Returns when somebody resumes `*lease`. The caller must then call
 * cedei_worker_arrived with the worker that resumed it.
 * CEDE_ENOMEM, CEDE_ELIMIT: no stack; nothing happened. */
void cedei_worker_loop(void);
/* Makes sure that the next cedei_worker_suspend of this worker, if nothing else runs before, finds a stack. */
CEDE_NODISCARD cede_result cedei_worker_reserve(struct cedei_worker *worker);
/* The stack to go on with; NULL: there is none, as cedei_worker_reserve has found. */
struct cedei_stack *cedei_worker_next_stack(struct cedei_worker *worker);
/* One of the worker's own, of which there is one; the loop begins on it, with `task` (may be NULL). */
static inline struct cedei_stack *cedei_worker_fresh_stack(struct cedei_worker *worker,
                                                           struct cedei_task *task) {
    struct cedei_stack *fresh = worker->stacks.free;
    worker->stacks.free = fresh->next;
    worker->stacks.count--;
    worker->picked = task;
    cedei_context_prepare(fresh, cedei_worker_loop);
    return fresh;
}
/* Does not return for a worker that holds a cede_mutex; CEDE_ECONTEXT for a seat, and in a cleanup, which is logged. */
cede_result cedei_worker_suspend_refused(struct cedei_worker *worker);
/* Says, not too often, that there is no stack and what to do; returns `why`, or for CEDE_OK, when there is one after all, CEDE_ENOMEM. */
cede_result cedei_worker_stackless(struct cedei_worker *worker, cede_result why);
/* `how`: "locks ...", as the end of a sentence about who does it. */
__attribute__((noreturn)) void cedei_worker_mutex_misused(const char *how);
__attribute__((noreturn)) void cedei_worker_held_at_end(struct cedei_worker *worker);
/* In checking builds: ends the process if what just ran has not unlocked all that it locked. */
static inline void cedei_worker_held_at_end_check(struct cedei_worker *worker) {
    if (CEDEI_CHECKS && CEDEI_UNLIKELY(worker->mutexes_held != 0)) cedei_worker_held_at_end(worker);
}
/* The switch, to what cedei_worker_next_stack or cedei_worker_hand_over has found. */
CEDEI_INLINE void cedei_worker_switch(struct cedei_worker *worker, struct cedei_stack *next,
                                      struct cedei_stack **lease,
                                      void (*commit)(struct cedei_worker *, void *), void *context) {
    struct cedei_stack *mine = worker->stack;
    *lease = mine;
    worker->commit = commit;
    worker->commit_context = context;
    worker->stack = next;
    cedei_count_add(&worker->counts.yields, 1);
    cedei_context_switch(mine, next);
}
CEDEI_INLINE cede_result cedei_worker_suspend(struct cedei_worker *worker,
                                              struct cedei_stack **lease,
                                              void (*commit)(struct cedei_worker *, void *),
                                              void *context) {
    if (CEDEI_UNLIKELY(worker->mutexes_held != 0)) return cedei_worker_suspend_refused(worker);
    struct cedei_stack *next = cedei_worker_next_stack(worker);
    if (CEDEI_UNLIKELY(next == NULL))
        return cedei_worker_stackless(worker, cedei_worker_reserve(worker));
    cedei_worker_switch(worker, next, lease, commit, context);
    return CEDE_OK;
}

/* First thing on a fresh stack: publishes the turn that was suspended. */
CEDEI_INLINE void cedei_worker_begun(struct cedei_worker *worker) {
    void (*commit)(struct cedei_worker *, void *) = worker->commit;
    if (commit == NULL) return;
    worker->commit = NULL;
    commit(worker, worker->commit_context);
}

/* First thing after a switch to a lease: gives back the stack that the worker came from; or, if that is a lease too,
 * publishes the turn that was suspended on it. */
CEDEI_INLINE void cedei_worker_arrived(struct cedei_worker *worker) {
    struct cedei_stack *discard = worker->discard;
    if (discard == NULL) {
        cedei_worker_begun(worker);
        return;
    }
    worker->discard = NULL;
    cedei_stack_give(&worker->sched->stacks, &worker->stacks, discard);
}

/* For a task's `run`, as the last thing: has the loop go over to the stack of the suspended turn. */
static inline struct cedei_worker *cedei_worker_resume(struct cedei_worker *worker,
                                                       struct cedei_stack *lease) {
    worker->lease = lease;
    return worker;
}

/* The pool for stacks of `size` bytes, a power of two. */
struct cedei_stack_pool *cedei_sched_stacks(struct cedei_sched *sched, size_t size);
/* Leaves the loop's stack, which goes back to its pool, for `stack`, where `entry` is called; it must call
 * cedei_context_entered and cedei_worker_arrived first and cedei_worker_return in the end. */
__attribute__((noreturn)) void cedei_worker_leave_for(struct cedei_worker *worker,
                                                      struct cedei_stack *stack,
                                                      void (*entry)(void));
/* Gives the present stack back to its pool, and goes on with the loop on one of the usual size. */
__attribute__((noreturn)) void cedei_worker_return(struct cedei_worker *worker);

/* The reactor has been opened: whoever keeps the time watches it from now on. */
void cedei_sched_watch_begin(struct cedei_sched *sched);
/* Sets a timer, in the wheel that `timer->wheel` says, and makes sure that somebody watches it. */
void cedei_sched_timer_add(struct cedei_sched *sched, struct cedei_timer *timer,
                           uint64_t expires_ns);
void cedei_sched_timer_cancel(struct cedei_sched *sched, struct cedei_timer *timer);
/* Hands `cargo` to the `post_fire` of the options at or after `expires_ns`, on a worker. `worker`: the calling thread's, or
 * NULL. Errors: those of cedei_post_add. */
CEDE_NODISCARD cede_result cedei_sched_post(struct cedei_sched *sched, struct cedei_worker *worker,
                                            const struct cedei_cargo *cargo, uint64_t expires_ns,
                                            struct cedei_post_name *name);
/* The wheel of a post; NULL: there is none of that number. */
struct cedei_wheel *cedei_sched_wheel_of(struct cedei_sched *sched, struct cedei_post_name name);

/* worker.c, for sched.c and pool.c; park.c */
/* `worker` is zero from `tallies` on. */
void cedei_worker_init(struct cedei_worker *worker, struct cedei_sched *sched, uint32_t index,
                       bool is_pool);
/* After cedei_worker_reserve, by whoever started the thread: a thread without a stack could do nothing. */
void cedei_worker_run_thread(struct cedei_worker *worker);
void cedei_worker_flush(struct cedei_worker *worker);
void cedei_sched_wake_one(struct cedei_sched *sched);
enum { CEDEI_LIFO_RUNS_MAX = 3, CEDEI_POLL_TICKS = 61 };
/* The common case of cedei_worker_next: a task that the last one left in the LIFO slot. NULL: take the long way. */
static inline struct cedei_task *cedei_worker_next_lifo(struct cedei_worker *worker) {
    /* relaxed: ours; others compare readings only. */
    uint32_t tick = atomic_load_explicit(&worker->tick, memory_order_relaxed) + 1;
    if (CEDEI_UNLIKELY(tick == worker->look_tick)) return NULL;
    /* relaxed: a look. What it sees may be taken by others, and the worker be alone after that, before we go on. */
    if (atomic_load_explicit(&worker->lifo, memory_order_relaxed) == NULL) return NULL;
    /* relaxed: the fence keeps the compiler from moving the look at `alone` and the emptying in front of the time in which
     * `tick` and `taken` differ. The processor may: see own_share in spare.c, which has it pass a barrier. */
    atomic_store_explicit(&worker->tick, tick, memory_order_relaxed);
    /* seq_cst: for the compiler only, see above. */
    atomic_signal_fence(memory_order_seq_cst);
    struct cedei_task *task = NULL;
    /* relaxed: see above. */
    if (atomic_load_explicit(&worker->alone, memory_order_relaxed)) {
        /* relaxed (both): nobody else takes from it now. */
        task = atomic_load_explicit(&worker->lifo, memory_order_relaxed);
        atomic_store_explicit(&worker->lifo, NULL, memory_order_relaxed);
    } else {
        /* acq_rel: pairs with the exchange of a thief in lifo_take: one of both gets the task. */
        task = atomic_exchange_explicit(&worker->lifo, NULL, memory_order_acq_rel);
    }
    if (CEDEI_UNLIKELY(task == NULL)) return NULL;
    /* release: pairs with the acquire in own_share: who sees it sees what was emptied by plain stores. */
    atomic_store_explicit(&worker->taken, tick, memory_order_release);
    return task;
}
struct cedei_task *cedei_worker_next(struct cedei_worker *worker); /* NULL: stop */
/* Of a turn that suspends with `task`, which nobody else has, made ready to run: goes on with it as if it had been through the LIFO
 * slot, but past that slot, since an exchange costs as much as all the rest. NULL: it must be submitted, and the turn
 * be suspended the usual way. */
CEDEI_INLINE struct cedei_stack *cedei_worker_hand_over(struct cedei_worker *worker,
                                                        struct cedei_task *task) {
    /* relaxed (both): our own; nobody else fills the slot. */
    uint32_t tick = atomic_load_explicit(&worker->tick, memory_order_relaxed) + 1;
    if (CEDEI_UNLIKELY(tick == worker->look_tick || task->place != worker->home ||
                       atomic_load_explicit(&worker->lifo, memory_order_relaxed) != NULL ||
                       worker->mutexes_held != 0 || worker->stacks.free == NULL))
        return NULL;
    /* relaxed (both): others compare readings only; neither slot nor queue is touched. */
    atomic_store_explicit(&worker->tick, tick, memory_order_relaxed);
    atomic_store_explicit(&worker->taken, tick, memory_order_relaxed);
    worker->running = task;
    return cedei_worker_fresh_stack(worker, task);
}
void cedei_global_push(struct cedei_sched *sched, struct cedei_task *first, struct cedei_task *last,
                       uint32_t count);
/* The name of a thread of `sched`: of its pool, or of worker `index`. */
void cedei_worker_name(struct cedei_sched *sched, bool is_pool, uint32_t index, char out[16]);
cede_result cedei_worker_start(struct cedei_worker *worker, cedei_thread *thread,
                               cedei_thread_fn *run);
/* pool.c */
void cedei_pool_init(struct cedei_pool *pool, const struct cedei_sched_options *options);
void cedei_pool_fini(struct cedei_pool *pool);
cede_result cedei_pool_submit(struct cedei_sched *sched, struct cedei_worker *worker,
                              struct cedei_task *task);
struct cedei_task *cedei_pool_next(struct cedei_worker *worker); /* NULL: leave */
struct cedei_task *cedei_pool_take_rest(
    struct cedei_sched *sched); /* after the stop: what never ran, one by one */
bool cedei_pool_stop(struct cedei_sched *sched,
                     uint64_t deadline_ns); /* false: threads still busy */
/* overflow.c */
bool cedei_overflow_explain(const void *address, const void *stack_pointer);

/* Workers there have ever been, spare ones included: entries of `workers` that may be looked at. */
static inline uint32_t cedei_sched_seats(struct cedei_sched *sched) {
    /* acquire: pairs with the release in cedei_spare_call; publishes the worker. */
    return atomic_load_explicit(&sched->seats, memory_order_acquire);
}
static inline bool cedei_worker_is_alone(struct cedei_worker *worker) {
    /* relaxed: a hint, except where cedei_worker_next_lifo and own_share in spare.c say more. */
    return atomic_load_explicit(&worker->alone, memory_order_relaxed);
}
/* count.c: the counts of all threads that there are and were. */
void cedei_sched_counts(struct cedei_sched *sched, struct cedei_counts *out);
/* Shows `visit` their tallies, one thread's after the other; it must not block. */
typedef void cedei_tallies_fn(void *context, struct cedei_tally *tallies);
void cedei_sched_tallies(struct cedei_sched *sched, cedei_tallies_fn *visit, void *context);
/* About how many turns took how long; entries as CEDEI_TURN_LENGTHS. */
void cedei_sched_turn_lengths(struct cedei_sched *sched, uint64_t *out);

#endif
