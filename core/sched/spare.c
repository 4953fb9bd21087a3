/* spare.c - workers that take the place of those whose turn blocks or does not end; how workers go off duty and come back.
 * The lookout decides how many there shall be (scale.c: of the regular ones); here they are called and sent off. A spare worker is one like any other: it
 * has a seat behind the regular ones, it steals, is stolen from, sleeps and keeps the time. Its thread stays for the next
 * time. Invariant: while a spare worker may take tasks from others, no worker is `alone`. */
#include "core/sched/sched_internal.h"

static enum cedei_duty duty_of(struct cedei_worker *worker) {
    /* acquire: pairs with the release of the spare that goes off duty: it steals no more. */
    return (enum cedei_duty)atomic_load_explicit(&worker->duty, memory_order_acquire);
}

static void duty_set(struct cedei_worker *worker, enum cedei_duty duty) {
    /* release: pairs with the acquire in duty_of. */
    atomic_store_explicit(&worker->duty, (uint32_t)duty, memory_order_release);
}

/* The slot and the queue of a worker that is alone are emptied, and the slot is filled anew, by plain stores. Before others may
 * take from them, `alone` is cleared, every thread passes a barrier, and the worker must not be between its look at `alone`
 * and those stores: then `tick` and `taken` differ, or `putting` is set. Whoever takes or puts a task after the barrier sees
 * `alone` cleared. False: it is there just now, or there was no barrier. */
static bool own_share(struct cedei_sched *sched) {
    struct cedei_worker *worker = &sched->workers[0];
    if (!sched->may_be_alone || sched->lookout.own_shared) return true;
    /* relaxed (all): ordered by the barrier, with all threads. */
    atomic_store_explicit(&worker->alone, false, memory_order_relaxed);
    if (!cedei_process_barrier()) return false; /* it has worked before */
    /* relaxed: as above. */
    uint32_t tick = atomic_load_explicit(&worker->tick, memory_order_relaxed);
    /* acquire (both): pair with the releases behind the worker's plain stores. */
    bool chooses = tick != atomic_load_explicit(&worker->taken, memory_order_acquire) ||
                   atomic_load_explicit(&worker->putting, memory_order_acquire);
    /* acquire: pairs with idle_set. Asleep it takes and puts nothing, and it looks at `alone` anew behind its own change of `idle`,
     * which the barrier would have shown to us had it come before. */
    bool sleeps = (atomic_load_explicit(&sched->idle, memory_order_acquire) & 1) != 0;
    sched->lookout.own_shared = !chooses || sleeps;
    return sched->lookout.own_shared;
}

void cedei_spare_relieve(struct cedei_worker *stuck) {
    struct cedei_sched *sched = stuck->sched;
    struct cedei_task *tasks[CEDEI_RUNQUEUE_CAPACITY / 2];
    uint32_t count = 0;
    bool waits = cedei_runqueue_count(&stuck->queue) != 0 || cedei_lifo_peek(stuck) != NULL;
    if (!waits || !own_share(sched)) return;
    while ((count = cedei_runqueue_take_half(&stuck->queue, tasks, CEDEI_RUNQUEUE_CAPACITY / 2)) !=
           0)
        for (uint32_t i = 0; i < count; i++) cedei_global_push(sched, tasks[i], tasks[i], 1);
    struct cedei_task *task = cedei_lifo_take(stuck);
    if (task != NULL) cedei_global_push(sched, task, task, 1);
}

static void *spare_main(void *context) {
    struct cedei_worker *worker = context;
    cedei_worker_run_thread(worker);
    return NULL;
}

static bool thread_begin(struct cedei_sched *sched, struct cedei_worker *worker) {
    duty_set(worker, CEDEI_DUTY_ON);
    cede_result r = cedei_worker_start(worker, &worker->thread, spare_main);
    if (r == CEDE_OK) return true;
    duty_set(worker, CEDEI_DUTY_NONE);
    if (!sched->lookout.spare_failed)
        cedei_log_line(
            &sched->log, CEDE_LOG_ERROR,
            "no thread in place of a worker that is stuck (%s): what waits behind it waits on",
            cede_result_text(r));
    sched->lookout.spare_failed = true;
    return false;
}

void cedei_spare_send_off(struct cedei_worker *worker) {
    duty_set(worker, CEDEI_DUTY_LEAVING);
    (void)cedei_worker_wake(worker); /* if it sleeps: nobody shall count on it any more */
}

bool cedei_spare_is_off(struct cedei_worker *worker) { return duty_of(worker) == CEDEI_DUTY_OFF; }

bool cedei_spare_share(struct cedei_sched *sched) { return own_share(sched); }

void cedei_spare_call_back(struct cedei_worker *worker) {
    duty_set(worker, CEDEI_DUTY_ON);
    cedei_futex_wake(&worker->duty, 1);
}

bool cedei_spare_call(struct cedei_sched *sched) {
    if (!own_share(sched)) return false;
    uint32_t seats = cedei_sched_seats(sched);
    for (uint32_t i = sched->worker_count; i < seats; i++) {
        struct cedei_worker *worker = &sched->workers[i];
        if (duty_of(worker) == CEDEI_DUTY_NONE) return thread_begin(sched, worker);
        if (duty_of(worker) != CEDEI_DUTY_OFF) continue;
        cedei_spare_call_back(worker);
        return true;
    }
    if (seats == sched->seats_max) return false;
    struct cedei_worker *worker = &sched->workers[seats];
    cedei_worker_init(worker, sched, seats, false);
    duty_set(worker, CEDEI_DUTY_NONE);
    /* release: pairs with the acquire in cedei_sched_seats; publishes the worker. */
    atomic_store_explicit(&sched->seats, seats + 1, memory_order_release);
    return thread_begin(sched, worker);
}

void cedei_spare_dismiss(struct cedei_sched *sched, uint64_t stuck) {
    for (uint32_t i = cedei_sched_seats(sched); i-- > sched->worker_count;) {
        struct cedei_worker *worker = &sched->workers[i];
        if (duty_of(worker) != CEDEI_DUTY_ON || (stuck >> i & 1) != 0) continue;
        cedei_spare_send_off(worker);
        return;
    }
}

void cedei_spare_settle(struct cedei_sched *sched) {
    if (!sched->may_be_alone || cedei_worker_is_alone(&sched->workers[0])) return;
    for (uint32_t i = 1; i < cedei_sched_seats(sched); i++)
        if (duty_of(&sched->workers[i]) > CEDEI_DUTY_OFF) return;
    /* Whoever reads `alone` set reads, without acquiring anything, what those who took from it have written last. */
    if (!cedei_process_barrier()) return;
    /* relaxed: behind the barrier; the worker may see it late. */
    atomic_store_explicit(&sched->workers[0].alone, true, memory_order_relaxed);
    sched->lookout.own_shared = false;
}

void cedei_spare_rest(struct cedei_worker *worker) {
    struct cedei_sched *sched = worker->sched;
    struct cedei_task *task = cedei_lifo_take(worker);
    worker->running = NULL;
    if (task == NULL) task = cedei_runqueue_pop(&worker->queue, NULL);
    while (task != NULL) { /* at most what the queue holds, and the slot */
        cedei_global_push(sched, task, task, 1);
        task = cedei_runqueue_pop(&worker->queue, NULL);
    }
    cedei_search_end(worker, false);
    cedei_sched_wake_one(sched); /* for what we hand over, and for whatever we were woken for */
    uint32_t leaving = CEDEI_DUTY_LEAVING;
    /* release: pairs with the acquire in duty_of. Fails when we have been called back meanwhile. */
    if (!atomic_compare_exchange_strong_explicit(&worker->duty, &leaving, CEDEI_DUTY_OFF,
                                                 memory_order_release, memory_order_relaxed))
        return;
    while (duty_of(worker) == CEDEI_DUTY_OFF && !cedei_is_stopping(sched))
        cedei_futex_wait(&worker->duty, CEDEI_DUTY_OFF, UINT64_MAX);
}
