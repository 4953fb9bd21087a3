/* next.c - which task a worker runs next.
 * Order of a search: own LIFO slot (at most CEDEI_LIFO_RUNS_MAX in a row while others wait), own queue, global queue, timers,
 * other workers' queues, other workers' LIFO slots, sleep, in the reactor if nobody else is there. Every CEDEI_POLL_TICKS, or sooner
 * when turns are long and timers are set, the reactor, the global queue and the timers come first.
 * Invariants: (1) `tick` and `taken` are equal while a task runs and differ while the worker chooses; (2) `look_tick`, at
 * which the short way by the LIFO slot ends, is no later than `poll_tick` and, while the own queue is not empty, no later
 * than CEDEI_LIFO_RUNS_MAX tasks after `lifo_from`. */
#include "core/sched/sched_internal.h"

static inline void choice_begin(struct cedei_worker *worker, uint32_t tick) {
    /* relaxed: others compare readings only. */
    atomic_store_explicit(&worker->tick, tick, memory_order_relaxed);
    /* seq_cst: for the compiler only, as in cedei_worker_next_lifo. */
    atomic_signal_fence(memory_order_seq_cst);
}

static inline void choice_end(struct cedei_worker *worker, uint32_t tick) {
    /* release: as in cedei_worker_next_lifo. */
    atomic_store_explicit(&worker->taken, tick, memory_order_release);
}

static struct cedei_task *next_local(struct cedei_worker *worker, uint32_t tick) {
    bool others = cedei_runqueue_count(&worker->queue) != 0;
    if (tick - worker->lifo_from > CEDEI_LIFO_RUNS_MAX && !others) worker->lifo_from = tick - 1;
    if (tick - worker->lifo_from <= CEDEI_LIFO_RUNS_MAX) {
        struct cedei_task *task = cedei_lifo_take(worker);
        if (task != NULL) return task;
    }
    worker->lifo_from = tick;
    struct cedei_task *task = cedei_queue_pop(worker);
    return task != NULL ? task : cedei_lifo_take(worker);
}

static struct cedei_task *next_polled(struct cedei_worker *worker, uint32_t tick) {
    worker->poll_tick = tick + CEDEI_POLL_TICKS;
    cedei_sample_count(worker, tick);
    if (cedei_is_stopping(worker->sched)) return NULL;
    cedei_lookout_notify(&worker->sched->lookout);
    if (cedei_is_dismissed(worker)) cedei_spare_rest(worker);
    cedei_reactor_look(worker);
    cedei_poll_plan(worker, tick, cedei_timers_run(worker));
    cedei_timekeeper_hand_over(worker);
    struct cedei_task *task = cedei_global_take(worker);
    if (task != NULL) worker->lifo_from = tick;
    return task;
}

struct cedei_task *cedei_worker_next_near(struct cedei_worker *worker) {
    uint32_t tick = cedei_tick_of(worker) + 1;
    if (tick == worker->poll_tick || worker->sample.running || cedei_lifo_peek(worker) != NULL ||
        cedei_runqueue_count(&worker->queue) == 0)
        return NULL;
    choice_begin(worker, tick);
    struct cedei_task *task = cedei_queue_pop(worker);
    if (CEDEI_UNLIKELY(task == NULL)) return NULL; /* a thief was faster; the long way follows */
    worker->look_tick = worker->poll_tick;
    if (cedei_runqueue_count(&worker->queue) != 0) cedei_lifo_limit(worker, tick);
    choice_end(worker, tick);
    return task;
}

/* Nothing of its own: until there is work somewhere (or NULL: the end). */
static struct cedei_task *next_elsewhere(struct cedei_worker *worker, uint32_t tick) {
    struct cedei_task *task = NULL;
    worker->running = NULL;
    worker->lifo_from = tick;
    while (task == NULL) { /* until there is work or the end */
        if (cedei_is_stopping(worker->sched)) {
            cedei_search_end(worker, false);
            return NULL;
        }
        if (cedei_is_dismissed(worker)) cedei_spare_rest(worker);
        task = cedei_global_take(worker);
        if (task == NULL) {
            (void)cedei_timers_run(worker);
            task = next_local(worker, tick);
        }
        if (task == NULL) task = cedei_search(worker);
        if (task == NULL) cedei_worker_sleep(worker);
    }
    cedei_search_end(worker, true);
    cedei_timekeeper_hand_over(
        worker); /* our turn may be long, and the time may have been ours to keep */
    return task;
}

struct cedei_task *cedei_worker_next(struct cedei_worker *worker) {
    uint32_t tick = cedei_tick_of(worker) + 1;
    cedei_sample_end(worker);
    choice_begin(worker, tick);
    struct cedei_task *task = NULL;
    if ((int32_t)(tick - worker->poll_tick) >= 0) task = next_polled(worker, tick);
    if (task == NULL && !cedei_is_stopping(worker->sched)) task = next_local(worker, tick);
    if (CEDEI_UNLIKELY(task == NULL)) task = next_elsewhere(worker, tick);
    if (CEDEI_UNLIKELY(task == NULL)) return NULL;
    cedei_sample_begin(worker, tick);
    worker->look_tick = worker->poll_tick;
    if (cedei_runqueue_count(&worker->queue) != 0) cedei_lifo_limit(worker, worker->lifo_from);
    choice_end(worker, tick);
    return task;
}
