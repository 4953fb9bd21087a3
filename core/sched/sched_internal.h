/* sched_internal.h - what the files of the scheduler share and nobody else needs. */
#ifndef CEDEI_SCHED_SCHED_INTERNAL_H
#define CEDEI_SCHED_SCHED_INTERNAL_H

#include "core/sched/sched.h"

/* Orders "work added" before the look at `idle`; the partner is the read-modify-write of `idle` in cedei_worker_sleep. */
static inline void cedei_added_work_fence(struct cedei_sched *sched) {
#if CEDEI_TSAN
    /* seq_cst: in place of the fence, which ThreadSanitizer cannot follow. */
    atomic_fetch_or_explicit(&sched->idle, 0, memory_order_seq_cst);
#else
    (void)sched;
    /* seq_cst: with less, our load of `idle` may pass our store of the work, and a sleeper is never woken. */
    atomic_thread_fence(memory_order_seq_cst);
#endif
}

static inline uint64_t cedei_global_count(struct cedei_sched *sched) {
    /* relaxed: a hint; the lock decides. */
    return atomic_load_explicit(&sched->global_count, memory_order_relaxed);
}

static inline struct cedei_task *cedei_lifo_peek(struct cedei_worker *worker) {
    /* relaxed: a hint; cedei_lifo_take decides. */
    return atomic_load_explicit(&worker->lifo, memory_order_relaxed);
}

static inline struct cedei_task *cedei_lifo_take(struct cedei_worker *worker) {
    if (cedei_lifo_peek(worker) == NULL) return NULL;
    if (cedei_worker_is_alone(worker)) {
        struct cedei_task *task = cedei_lifo_peek(worker);
        /* relaxed: nobody else takes from it; by the worker itself between `tick` and `taken`, as in cedei_worker_next_lifo. */
        atomic_store_explicit(&worker->lifo, NULL, memory_order_relaxed);
        return task;
    }
    /* acq_rel: a thief takes over the task from its owner; pairs with lifo_put. */
    return atomic_exchange_explicit(&worker->lifo, NULL, memory_order_acq_rel);
}

/* The oldest of the worker's own queue; by the worker itself between `tick` and `taken`, as in cedei_worker_next_lifo. */
static inline struct cedei_task *cedei_queue_pop(struct cedei_worker *worker, uint32_t *left) {
    return cedei_worker_is_alone(worker) ? cedei_runqueue_pop_alone(&worker->queue, left)
                                         : cedei_runqueue_pop(&worker->queue, left);
}

static inline uint32_t cedei_tick_of(struct cedei_worker *worker) {
    /* relaxed: only compared with an earlier reading. */
    return atomic_load_explicit(&worker->tick, memory_order_relaxed);
}

/* Owner only: others wait since the tick `from`, so the slot may be used so many times more. */
static inline void cedei_lifo_limit(struct cedei_worker *worker, uint32_t from) {
    uint32_t look = from + worker->lifo_runs + 1;
    if ((int32_t)(worker->look_tick - look) <= 0) return;
    worker->look_tick = look;
    worker->lifo_from = from;
}

/* The worker chooses; it has chosen. */
static inline void cedei_choice_begin(struct cedei_worker *worker, uint32_t tick) {
    /* relaxed: others compare readings only. */
    atomic_store_explicit(&worker->tick, tick, memory_order_relaxed);
    /* seq_cst: for the compiler only, as in cedei_worker_next_lifo. */
    atomic_signal_fence(memory_order_seq_cst);
}

static inline void cedei_choice_end(struct cedei_worker *worker, uint32_t tick) {
    /* release: as in cedei_worker_next_lifo. */
    atomic_store_explicit(&worker->taken, tick, memory_order_release);
}

/* The commonest cases of cedei_worker_next, when nothing else must be looked at: the LIFO slot, or, if it is empty, the worker's own
 * queue. NULL: take the long way. The end of a sample is at `poll_tick`, as are the others. */
CEDEI_INLINE struct cedei_task *cedei_worker_next_near(struct cedei_worker *worker) {
    if (cedei_lifo_peek(worker) != NULL) return cedei_worker_next_lifo(worker);
    uint32_t tick = cedei_tick_of(worker) + 1, left = 0;
    if (CEDEI_UNLIKELY(tick == worker->poll_tick)) return NULL;
    cedei_choice_begin(worker, tick);
    struct cedei_task *task = cedei_queue_pop(worker, &left);
    if (CEDEI_UNLIKELY(task == NULL)) { /* empty, or a thief was faster; the long way follows */
        worker->look_tick = tick + 1;
        return NULL;
    }
    worker->look_tick = worker->poll_tick;
    if (left != 0) cedei_lifo_limit(worker, tick);
    cedei_choice_end(worker, tick);
    return task;
}

static inline bool cedei_is_stopping(struct cedei_sched *sched) {
    /* acquire: pairs with the release in cedei_sched_stop. */
    return atomic_load_explicit(&sched->stopping, memory_order_acquire) != 0;
}

static inline bool cedei_is_dismissed(struct cedei_worker *worker) {
    /* relaxed: a hint that is looked at again. */
    return atomic_load_explicit(&worker->duty, memory_order_relaxed) != CEDEI_DUTY_ON;
}

/* Every seat may have tasks; regular or spare, at work or off duty. */
static inline bool cedei_queues_have_work(struct cedei_sched *sched) {
    if (cedei_global_count(sched) != 0) return true;
    uint32_t seats = cedei_sched_seats(sched);
    for (uint32_t i = 0; i < seats; i++)
        if (cedei_runqueue_count(&sched->workers[i].queue) > 0) return true;
    return false;
}

/* ---- sample.c ---- */
/* At a poll: whether the task of this tick is to be timed. */
void cedei_sample_count(struct cedei_worker *worker, uint32_t tick);
void cedei_sample_start(struct cedei_worker *worker, uint32_t tick);
void cedei_sample_stop(struct cedei_worker *worker);
/* The task of `tick` begins. */
static inline void cedei_sample_begin(struct cedei_worker *worker, uint32_t tick) {
    if (CEDEI_UNLIKELY(worker->sample.running)) cedei_sample_start(worker, tick);
}
/* The last task is over. */
static inline void cedei_sample_end(struct cedei_worker *worker) {
    if (CEDEI_UNLIKELY(worker->sample.running)) cedei_sample_stop(worker);
}

/* ---- queue.c ---- */
/* Takes one task to run and moves a share of the others into the worker's queue. */
struct cedei_task *cedei_global_take(struct cedei_worker *worker);
/* At the end of the worker's queue, or of the global one when that is full. */
void cedei_queue_push(struct cedei_worker *worker, struct cedei_task *task);

/* ---- steal.c ---- */
/* A task of another worker or of the global queue; NULL: none was found, or enough others search. */
struct cedei_task *cedei_search(struct cedei_worker *worker);
/* Counts the worker as searching; false: enough do. */
bool cedei_search_begin(struct cedei_worker *worker);
/* The same, however many there are. */
void cedei_search_join(struct cedei_worker *worker);
/* Takes it off again, if it was on. */
void cedei_search_end(struct cedei_worker *worker, bool found);

/* ---- park.c ---- */
/* Wakes this worker, if it sleeps or is about to and nobody else has woken it; it counts as searching then. */
bool cedei_worker_wake(struct cedei_worker *worker);
/* Sleeps until somebody wakes the worker or a timer is due, unless there is work in sight. */
void cedei_worker_sleep(struct cedei_worker *worker);
/* Nobody may keep the time while a worker is busy: hands the duty to a sleeper if timers are set. */
void cedei_timekeeper_hand_over(struct cedei_worker *worker);

/* ---- reactor.c ---- */
/* Wakes whom the events concern; they are the worker's to run, and at times one sleeper is woken to help. */
void cedei_reactor_take(struct cedei_worker *worker, const cedei_poll_event *events, uint32_t count);
/* Looks for events without waiting, if nobody else is on watch. */
void cedei_reactor_look(struct cedei_worker *worker);
static inline bool cedei_reactor_is_unwatched(struct cedei_sched *sched) {
    /* relaxed: a hint; whoever is on watch sees the events as well. */
    return cedei_reactor_is_open(&sched->reactor) &&
           atomic_load_explicit(&sched->timekeeper, memory_order_relaxed) == 0;
}

/* ---- watch.c ---- */
/* Says until when the worker sleeps; UINT64_MAX, before it marks itself idle: not known yet. */
void cedei_asleep_until_set(struct cedei_worker *worker, uint64_t until_ns);
/* How long the worker, which is marked idle, may sleep; says so. `keeper`: it watches all wheels. */
uint64_t cedei_sleep_limit(struct cedei_worker *worker, bool keeper);
bool cedei_timers_are_set(struct cedei_sched *sched);
/* Fires what is due in the own wheel, and in others' that are overdue, a bounded number of each. Returns the time if any timer
 * is set, else 0. */
uint64_t cedei_timers_run(struct cedei_worker *worker);
/* Sets `poll_tick`: how many tasks to the next look at the timers. 61 short ones or a few long ones, so that the looks are about
 * POLL_NS apart; one when more timers are due than a look may fire. */
void cedei_poll_plan(struct cedei_worker *worker, uint32_t tick, uint64_t now_ns);

#endif
