/* queue.c - where runnable tasks wait: a worker's LIFO slot, its queue, the global queue.
 * A task that a worker makes runnable goes to its LIFO slot; what was there before moves to the end of its queue; a queue
 * that is full gives half of its tasks to the global queue, where tasks of plain threads go too. Invariant: a task is in
 * one of these places or in none. */
#include "core/sched/sched_internal.h"

#include "core/base/base.h"

enum { GLOBAL_TAKE_MAX = 64 };

void cedei_global_push(struct cedei_sched *sched, struct cedei_task *first, struct cedei_task *last,
                       uint32_t count) {
    last->next = NULL;
    cedei_mutex_lock(&sched->global_lock);
    if (sched->global_last != NULL)
        sched->global_last->next = first;
    else
        sched->global_first = first;
    sched->global_last = last;
    /* relaxed: a hint outside the lock; sleepers order their look by `idle`. */
    atomic_fetch_add_explicit(&sched->global_count, count, memory_order_relaxed);
    cedei_mutex_unlock(&sched->global_lock);
}

struct cedei_task *cedei_global_take(struct cedei_worker *worker) {
    struct cedei_sched *sched = worker->sched;
    if (cedei_global_count(sched) == 0) return NULL;
    cedei_mutex_lock(&sched->global_lock);
    /* The only one on duty takes all, or what gives way would go to the global queue for as long as something is in it. */
    uint64_t share = cedei_global_count(sched);
    if (!cedei_worker_is_alone(worker)) share /= sched->worker_count;
    if (share > GLOBAL_TAKE_MAX && !cedei_worker_is_alone(worker)) share = GLOBAL_TAKE_MAX;
    uint32_t room = CEDEI_RUNQUEUE_CAPACITY - cedei_runqueue_count(&worker->queue);
    if (share > room) share = room;
    struct cedei_task *task = sched->global_first;
    uint32_t taken = 0;
    if (task != NULL) {
        sched->global_first = task->next;
        taken = 1;
    }
    while (taken < share && sched->global_first != NULL) {
        struct cedei_task *next = sched->global_first->next;
        if (!cedei_runqueue_push(&worker->queue, sched->global_first, NULL)) break;
        sched->global_first = next;
        taken++;
    }
    if (sched->global_first == NULL) sched->global_last = NULL;
    /* relaxed: as in cedei_global_push. */
    atomic_fetch_sub_explicit(&sched->global_count, taken, memory_order_relaxed);
    cedei_mutex_unlock(&sched->global_lock);
    return task;
}

/* The worker's queue is full: half of it and `task` move to the global queue. */
CEDEI_NOINLINE static void queue_spill(struct cedei_worker *worker, struct cedei_task *task) {
    struct cedei_task *half[CEDEI_RUNQUEUE_CAPACITY / 2];
    uint32_t count = cedei_runqueue_take_half(&worker->queue, half, CEDEI_RUNQUEUE_CAPACITY / 2);
    for (uint32_t i = 0; i + 1 < count; i++) half[i]->next = half[i + 1];
    if (count == 0) {
        cedei_global_push(worker->sched, task, task, 1);
        return;
    }
    half[count - 1]->next = task;
    cedei_global_push(worker->sched, half[0], task, count + 1);
}

/* False: full. While others wait the slot's use is limited already. */
CEDEI_INLINE bool queue_push(struct cedei_worker *worker, struct cedei_task *task,
                             uint32_t *before) {
    if (CEDEI_UNLIKELY(!cedei_runqueue_push(&worker->queue, task, before))) return false;
    if (*before == 0) cedei_lifo_limit(worker, cedei_tick_of(worker));
    return true;
}

void cedei_queue_push(struct cedei_worker *worker, struct cedei_task *task) {
    uint32_t before = 0;
    if (CEDEI_UNLIKELY(!queue_push(worker, task, &before))) queue_spill(worker, task);
}

/* Owner only, alone as far as is known: by plain stores, which own_share in spare.c waits for. False: not alone any more, and
 * nothing has happened. */
static bool lifo_put_alone(struct cedei_worker *worker, struct cedei_task *task,
                           struct cedei_task **before) {
    /* relaxed and seq_cst: as for `tick` in cedei_worker_next_lifo. */
    atomic_store_explicit(&worker->putting, true, memory_order_relaxed);
    /* seq_cst: for the compiler only. */
    atomic_signal_fence(memory_order_seq_cst);
    bool is_alone = cedei_worker_is_alone(worker);
    if (is_alone) {
        *before = cedei_lifo_peek(worker);
        /* release: as in lifo_put. */
        atomic_store_explicit(&worker->lifo, task, memory_order_release);
    }
    /* release: pairs with the acquire in own_share: who sees it sees the slot filled. */
    atomic_store_explicit(&worker->putting, false, memory_order_release);
    return is_alone;
}

/* Owner only; returns the task that was there before. */
static struct cedei_task *lifo_put(struct cedei_worker *worker, struct cedei_task *task) {
    if (cedei_lifo_peek(worker) == NULL) { /* only the owner fills it, so it stays empty */
        /* release: pairs with the acquire of a thief in cedei_lifo_take. */
        atomic_store_explicit(&worker->lifo, task, memory_order_release);
        return NULL;
    }
    if (cedei_worker_is_alone(worker)) {
        struct cedei_task *before = NULL;
        if (CEDEI_LIKELY(lifo_put_alone(worker, task, &before))) return before;
    }
    /* acq_rel: as above, and takes back what a thief did not. */
    return atomic_exchange_explicit(&worker->lifo, task, memory_order_acq_rel);
}

cede_result cedei_sched_submit_slow(struct cedei_sched *sched, struct cedei_worker *worker,
                                    struct cedei_task *task) {
    sched = cedei_sched_at(sched, task->place);
    if (task->place & CEDEI_TASK_POOL) return cedei_pool_submit(sched, worker, task);
    if (worker != NULL && task->place == worker->home) {
        struct cedei_task *before = lifo_put(worker, task);
        if (before != NULL) {
            cedei_queue_push(worker, before);
            if (!cedei_worker_is_alone(worker) && !worker->quiet) cedei_sched_wake_one(sched);
        }
        return CEDE_OK;
    }
    cedei_global_push(sched, task, task, 1);
    cedei_sched_wake_one(sched);
    return CEDE_OK;
}

/* Not to the worker's own queue, or with half of it elsewhere. */
static CEDEI_NOINLINE void requeue_far(struct cedei_worker *worker, struct cedei_task *task) {
    struct cedei_sched *sched = worker->sched;
    if (task->place & CEDEI_TASK_POOL) {
        (void)cedei_pool_submit(sched, worker, task); /* an actor's task is never refused */
        return;
    }
    if (task->place == worker->home && cedei_global_count(sched) == 0)
        cedei_queue_push(worker, task);
    else
        cedei_global_push(sched, task, task, 1);
    if (!cedei_worker_is_alone(worker)) cedei_sched_wake_one(sched);
}

/* Behind all that wait, also where the own queue did not hold them: else it came again, and gave them more, before they had
 * their turn. Nothing follows the calls, so that none of them costs the common way a saved register. */
void cedei_sched_requeue(struct cedei_worker *worker, struct cedei_task *task) {
    uint32_t before = 0;
    if (CEDEI_UNLIKELY(task->place != worker->home || cedei_global_count(worker->sched) != 0) ||
        CEDEI_UNLIKELY(!queue_push(worker, task, &before))) {
        requeue_far(worker, task);
        return;
    }
    if ((before > 0 || cedei_lifo_peek(worker) != NULL) && !cedei_worker_is_alone(worker))
        cedei_sched_wake_one(worker->sched);
}
