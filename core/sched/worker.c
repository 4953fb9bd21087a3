/* worker.c - the loop of a thread that runs tasks, and the switch between its stacks.
 * Invariants: (1) `stack` is the stack that the thread is on, except between setting it and the switch; (2) `commit` or
 * `discard` is set before a switch, never both, and emptied by the first code that runs after it, on the same thread; (3) a
 * lease is published by `commit` only, when nothing runs on it any more; (4) `picked` is set between a switch and the first
 * lines of the loop that it leads to, `lease` between a task's return and the loop's next lines. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "core/base/base.h"
#include "core/mem/part.h"
#include "core/sched/sched_internal.h"
#include "core/sys/clock.h"
#include "core/sys/fault.h"
#include "core/sys/interrupt.h"

#if CEDEI_SIM
#define current_worker (*(struct cedei_worker **)(void *)cedei_thread_local(CEDEI_LOCAL_WORKER))
#else
static __thread struct cedei_worker *current_worker;
#endif

CEDEI_NOINLINE struct cedei_worker *cedei_worker_current(void) {
    struct cedei_worker *worker = current_worker;
    __asm__ volatile(""
                     : "+r"(worker)
                     :
                     : "memory"); /* keeps callers from treating the call as pure */
    return worker;
}

CEDEI_NOINLINE static void worker_current_set(struct cedei_worker *worker) {
    current_worker = worker;
    __asm__ volatile("" ::: "memory");
}

/* Where no task can be a suspended turn. */
static struct cedei_stack *lease_take_none(struct cedei_worker *worker, struct cedei_task *task) {
    (void)worker, (void)task;
    return NULL;
}

void cedei_worker_init(struct cedei_worker *worker, struct cedei_sched *sched, uint32_t index,
                       bool is_pool) {
    memset(worker, 0, offsetof(struct cedei_worker, tallies));
    worker->sched = sched;
    worker->index = index;
    worker->is_pool = is_pool;
    worker->home = is_pool ? CEDEI_HOME_NONE : cedei_place_of(sched->number, CEDEI_TASK_WORKER);
    worker->lease_take = sched->lease_take != NULL ? sched->lease_take : lease_take_none;
    worker->steal_from = index;
    worker->poll_tick = worker->look_tick = 1;
    worker->poll_ticks = CEDEI_POLL_TICKS;
    worker->lifo_runs = CEDEI_LIFO_RUNS_MAX;
    worker->sample.random = index;
    /* relaxed (all): no thread is there yet. */
    atomic_store_explicit(&worker->alone,
                          sched->worker_count == 1 && index == 0 && sched->may_be_alone,
                          memory_order_relaxed);
    atomic_store_explicit(&worker->taken, UINT32_MAX, memory_order_relaxed);
    atomic_store_explicit(&worker->duty, CEDEI_DUTY_ON, memory_order_relaxed);
}

/* Leaves the present stack, which goes back to its pool. */
__attribute__((noreturn)) static void leave_for(struct cedei_worker *worker,
                                                struct cedei_stack *stack) {
    worker->discard = worker->stack;
    worker->stack = stack;
    cedei_context_leave(stack);
}

/* The loop; runs on pooled stacks, and goes on in whatever turn comes back last. It goes over to a lease from here, where the calls
 * that led to it have returned, so that the processor's predictions of returns fit the lease's. */
void cedei_worker_loop(void) {
    cedei_context_entered();
    struct cedei_worker *worker = cedei_worker_current();
    cedei_worker_begun(worker);
    struct cedei_task *picked = worker->picked;
    if (picked != NULL) {
        worker->picked = NULL;
        worker = picked->run(worker, picked);
    }
    for (;;) { /* until a lease or the end */
        struct cedei_stack *lease = worker->lease;
        if (lease != NULL) {
            worker->lease = NULL;
            leave_for(worker, lease);
        }
        struct cedei_task *task = cedei_worker_next_lifo(worker);
        if (task == NULL) {
            task = worker->is_pool ? cedei_pool_next(worker) : cedei_worker_next(worker);
            if (task == NULL) break;
        }
        worker->running = task;
        worker = task->run(worker, task);
    }
    leave_for(worker, &worker->native);
}

static void running_describe(struct cedei_worker *worker, char *what, size_t size) {
    if (worker->running != NULL && worker->sched->describe != NULL)
        worker->sched->describe(worker->running, what, size);
}

cede_result cedei_worker_suspend_refused(struct cedei_worker *worker) {
    if (worker->is_seat) return CEDE_ECONTEXT;
    char what[256] = "a turn";
    running_describe(worker, what, sizeof what);
    if (worker->mutexes_held == CEDEI_HELD_BY_CLEANUP) {
        cedei_log_line(&worker->sched->log, CEDE_LOG_ERROR,
                       "a cleanup (cede_defer) of %s calls what would yield: a cleanup must not "
                       "wait; the call returns CEDE_ECONTEXT",
                       what);
        return CEDE_ECONTEXT;
    }
    cedei_fatal(
        "cede: %s yields while it holds %d cede_mutex or cede_rcu; unlock or leave before the yield, since the turn may go on "
        "on another thread",
        what, worker->mutexes_held % CEDEI_HELD_BY_CLEANUP);
}

cede_result cedei_worker_stackless(struct cedei_worker *worker, cede_result why) {
    static const uint64_t QUIET_NS = 1000000000u;
    struct cedei_sched *sched = worker->sched;
    if (why == CEDE_OK) why = CEDE_ENOMEM;
    uint64_t now_ns = cedei_clock_now_ns();
    /* relaxed (both): two threads that log at once do no harm. */
    uint64_t quiet_until_ns = atomic_load_explicit(&sched->stackless_until_ns, memory_order_relaxed);
    if (now_ns < quiet_until_ns) return why;
    atomic_store_explicit(&sched->stackless_until_ns, now_ns + QUIET_NS, memory_order_relaxed);
    /* relaxed: a figure for the log. */
    uint64_t stacks = atomic_load_explicit(&sched->stacks.mapped, memory_order_relaxed);
    cedei_log_line(&sched->log, CEDE_LOG_ERROR,
                   "no stack for a turn that has to wait (%s): there are %llu%s",
                   cede_result_text(why), (unsigned long long)stacks,
                   why == CEDE_ELIMIT
                       ? "; on this kernel each takes two of the mappings that vm.max_map_count "
                         "allows a process: raise it (sysctl -w vm.max_map_count=...), or have "
                         "fewer turns wait at once"
                       : "; have fewer turns wait at once, or make stack_size smaller");
    return why;
}

void cedei_worker_held_at_end(struct cedei_worker *worker) {
    char what[256] = "a turn";
    running_describe(worker, what, sizeof what);
    cedei_fatal(
        "cede: %s has ended while it holds %d cede_mutex or cede_rcu; unlock or leave before the end of the turn",
        what, worker->mutexes_held);
}

void cedei_worker_mutex_misused(const char *how) {
    struct cedei_worker *worker = cedei_worker_current();
    char what[256] = "a plain thread";
    if (worker != NULL) running_describe(worker, what, sizeof what);
    cedei_fatal("cede: %s %s", what, how);
}

cede_result cedei_worker_reserve(struct cedei_worker *worker) {
    if (worker->stacks.free != NULL) return CEDE_OK;
    cede_result why = CEDE_ENOMEM;
    struct cedei_stack *stack = cedei_stack_take(&worker->sched->stacks, &worker->stacks, &why);
    if (stack == NULL) return why;
    cedei_stack_give(&worker->sched->stacks, &worker->stacks, stack);
    return CEDE_OK;
}

struct cedei_stack *cedei_worker_next_stack(struct cedei_worker *worker) {
    /* First, since a task that was taken cannot be put back where it was. */
    if (CEDEI_UNLIKELY(worker->stacks.free == NULL) && cedei_worker_reserve(worker) != CEDE_OK)
        return NULL;
    struct cedei_task *task = cedei_worker_next_near(worker);
    worker->running = task;
    if (task != NULL) {
        struct cedei_stack *lease = worker->lease_take(worker, task);
        if (lease != NULL) return lease;
    }
    return cedei_worker_fresh_stack(worker, task);
}

/* Without a stack the thread can do nothing else: waits until memory comes back. */
static struct cedei_stack *loop_stack_take(struct cedei_worker *worker) {
    cede_result why = CEDE_OK;
    struct cedei_stack *stack = cedei_stack_take(&worker->sched->stacks, &worker->stacks, &why);
    while (stack == NULL) {
        cedei_log_line(&worker->sched->log, CEDE_LOG_ERROR,
                       "a worker has no stack: %s; trying again", cede_result_text(why));
        static _Atomic uint32_t never;
        cedei_futex_wait(&never, 0, cedei_clock_now_ns() + 100000000u);
        stack = cedei_stack_take(&worker->sched->stacks, &worker->stacks, &why);
    }
    return stack;
}

void cedei_worker_leave_for(struct cedei_worker *worker, struct cedei_stack *stack,
                            void (*entry)(void)) {
    cedei_context_prepare(stack, entry);
    leave_for(worker, stack);
}

static void stack_give_commit(struct cedei_worker *worker, void *context) {
    struct cedei_stack *stack = context;
    (void)worker;
    cedei_stack_give_slow(stack->pool, stack);
}

void cedei_worker_return(struct cedei_worker *worker) {
    struct cedei_stack *mine = worker->stack, *next = loop_stack_take(worker);
    cedei_context_prepare(next, cedei_worker_loop);
    worker->commit = stack_give_commit;
    worker->commit_context = mine;
    worker->stack = next;
    worker->running = NULL;
    cedei_context_leave(next);
}

void cedei_worker_flush(struct cedei_worker *worker) {
    cedei_stack_cache_flush(&worker->sched->stacks, &worker->stacks);
    cedei_block_cache_flush(&worker->sched->first->depot, &worker->blocks);
    cedei_part_cache_flush(&worker->parts);
}

void cedei_worker_name(struct cedei_sched *sched, bool is_pool, uint32_t index, char out[16]) {
    char name[CEDEI_EXECUTOR_NAME_SIZE + 32];
    if (is_pool)
        snprintf(name, sizeof name, "%.6s-blocking", sched->name);
    else if (index >= sched->worker_count)
        snprintf(name, sizeof name, "%.6s-spare-%u", sched->name, index - sched->worker_count);
    else
        snprintf(name, sizeof name, "%.12s-%u", sched->name, index);
    memcpy(out, name, 15); /* what the kernel keeps */
    out[15] = '\0';
}

cede_result cedei_worker_start(struct cedei_worker *worker, cedei_thread *thread,
                               cedei_thread_fn *run) {
    struct cedei_sched *sched = worker->sched;
    struct cedei_worker *maker = cedei_worker_current();
    cede_result r = cedei_worker_reserve(worker); /* a thread without a stack could do nothing */
    if (r != CEDE_OK) return r;
    /* A new thread inherits its maker's processors. */
    bool keeps = sched->cpus_are_set || (maker != NULL && maker->sched->cpus_are_set);
    char name[16];
    cedei_worker_name(sched, worker->is_pool, worker->index, name);
    r = cedei_thread_start_on(thread, name, sched->cpus, keeps ? sched->cpu_count : 0, run, worker);
    if (r != CEDE_OK) cedei_worker_flush(worker);
    return r;
}

/* What an executor promises about each of its threads. */
static void thread_settle(struct cedei_worker *worker) {
    struct cedei_sched *sched = worker->sched;
    /* Its maker may be of another executor. */
    bool is_right =
        cedei_thread_nice() == sched->nice || cedei_thread_nice_set(sched->nice) == CEDE_OK;
    if (sched->nice_is_set && !is_right) {
        cedei_log_line(&sched->log, CEDE_LOG_ERROR,
                       "executor '%s': nice level %d is not allowed for a thread", sched->name,
                       sched->nice);
        /* relaxed: published by `started`. */
        atomic_store_explicit(&sched->start_fail, 1, memory_order_relaxed);
    }
    if (sched->thread_start != NULL) {
        char name[16];
        cedei_worker_name(sched, worker->is_pool, worker->index, name);
        sched->thread_start(sched->thread_start_context, name);
    }
    if (worker->is_pool) return;
    /* release: pairs with the acquire in workers_await. */
    atomic_fetch_add_explicit(&sched->started, 1, memory_order_release);
    cedei_futex_wake(&sched->started, 1);
}

void cedei_worker_run_thread(struct cedei_worker *worker) {
    worker_current_set(worker);
    cedei_part_cache_set(&worker->parts);
    thread_settle(worker);
    cedei_context_adopt(&worker->native);
    worker->signal_stack = cedei_fault_thread_begin();
    /* relaxed: only the lookout reads it, for a figure. */
    atomic_store_explicit(&worker->number, cedei_thread_number(), memory_order_relaxed);
    if (!worker->is_pool) cedei_interrupt_thread_begin();
    struct cedei_stack *first = loop_stack_take(worker);
    cedei_context_prepare(first, cedei_worker_loop);
    worker->stack = first;
    cedei_context_switch(&worker->native, first);
    cedei_worker_arrived(worker);
    cedei_fault_thread_end(worker->signal_stack);
    cedei_part_cache_set(NULL);
    worker_current_set(NULL);
}
