/* next.c - which task a worker runs next.
 * Order of a search: own LIFO slot (while others wait: CEDEI_LIFO_RUNS_MAX in a row, or as long as these took), own queue, global queue, timers,
 * other workers' queues, other workers' LIFO slots, sleep, in the reactor if nobody else is there. Every CEDEI_POLL_TICKS, or sooner
 * when turns are long and timers are set, the reactor, the global queue and the timers come first.
 * Invariants: (1) `tick` and `taken` are equal while a task runs and differ while the worker chooses; (2) `look_tick`, at
 * which the short way by the LIFO slot ends, is no later than `poll_tick` and, while the own queue is not empty, no later
 * than `lifo_runs` tasks after `lifo_from`. */
#include "core/sched/sched_internal.h"

#include "core/sys/clock.h"

/* The slot's share. SLOT_NS is the budget of an actor's activation; what is over in SHORT_NS is not worth a look at the clock. */
enum { SLOT_NS = 100000, SHORT_NS = 5000, SKIPS = 15, RUNS_MAX = 48, OWED_MAX_NS = 10 * SLOT_NS };

/* Two actors that send to each other use the slot in turns of some 50 ns, and an actor that never lacks messages runs for 100 us at a
 * time: by the count alone the two would get a thousandth of the worker beside it. So what the others have had since the slot was
 * stopped here is owed to it, and it goes on for that long, an actor's budget at most before the next of the others. Where they
 * are short the count is all there is, and the clock is looked at once in SKIPS times. */
static CEDEI_NOINLINE bool slot_goes_on(struct cedei_worker *worker) {
    struct cedei_slot_time *time = &worker->slot_time;
    uint32_t runs = worker->lifo_runs;
    worker->lifo_runs = CEDEI_LIFO_RUNS_MAX;
    if (time->skip > 0) {
        time->skip--;
        return false;
    }
    uint64_t now_ns = cedei_clock_now_ns(), before_ns = time->look_ns;
    time->look_ns = now_ns;
    if (now_ns < time->until_ns) {
        /* The next look when half of what is left is over, as far as can be told. */
        uint64_t again = (time->until_ns - now_ns) / ((now_ns - before_ns) / runs + 1) / 2;
        if (again > CEDEI_LIFO_RUNS_MAX)
            worker->lifo_runs = again < RUNS_MAX ? (uint32_t)again : RUNS_MAX;
        return true;
    }
    if (time->until_ns == 0 && time->since_ns != 0) {
        time->owed_ns += now_ns - time->since_ns;
        if (time->owed_ns >= SHORT_NS) {
            uint64_t share_ns = time->owed_ns < SLOT_NS ? time->owed_ns : SLOT_NS;
            time->owed_ns -= share_ns;
            if (time->owed_ns > OWED_MAX_NS) time->owed_ns = OWED_MAX_NS;
            time->until_ns = now_ns + share_ns;
            return true;
        }
        time->owed_ns = 0;
        time->skip = SKIPS;
    }
    time->since_ns = now_ns;
    time->until_ns = 0;
    return false;
}

static struct cedei_task *next_local(struct cedei_worker *worker, uint32_t tick) {
    bool others = cedei_runqueue_count(&worker->queue) != 0;
    if (tick - worker->lifo_from > worker->lifo_runs && cedei_lifo_peek(worker) != NULL &&
        (!others || slot_goes_on(worker)))
        worker->lifo_from = tick - 1;
    if (tick - worker->lifo_from <= worker->lifo_runs) {
        struct cedei_task *task = cedei_lifo_take(worker);
        if (task != NULL) return task;
    }
    worker->lifo_from = tick;
    struct cedei_task *task = cedei_queue_pop(worker, NULL);
    return task != NULL ? task : cedei_lifo_take(worker);
}

static struct cedei_task *next_polled(struct cedei_worker *worker, uint32_t tick) {
    worker->poll_tick = tick + CEDEI_POLL_TICKS;
    cedei_sample_count(worker, tick);
    if (cedei_is_stopping(worker->sched)) return NULL;
    cedei_lookout_notify(&worker->sched->lookout);
    if (cedei_is_dismissed(worker)) cedei_spare_rest(worker);
    if (!worker->has_waited) cedei_reactor_look(worker);
    worker->has_waited = false;
    cedei_poll_plan(worker, tick, cedei_timers_run(worker));
    cedei_timekeeper_hand_over(worker);
    if (cedei_global_count(worker->sched) == 0) return NULL;
    if (cedei_lifo_peek(worker) != NULL && slot_goes_on(worker)) return NULL;
    struct cedei_task *task = cedei_global_take(worker);
    if (task != NULL) worker->lifo_from = tick;
    return task;
}

/* Nothing of its own: until there is work somewhere (or NULL: the end). */
static struct cedei_task *next_elsewhere(struct cedei_worker *worker, uint32_t tick) {
    struct cedei_task *task = NULL;
    worker->running = NULL;
    worker->lifo_from = tick;
    worker->slot_time.since_ns = worker->slot_time.owed_ns = 0;
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
    cedei_choice_begin(worker, tick);
    struct cedei_task *task = NULL;
    if ((int32_t)(tick - worker->poll_tick) >= 0 || CEDEI_UNLIKELY(cedei_is_dismissed(worker)))
        task = next_polled(worker, tick);
    if (task == NULL && !cedei_is_stopping(worker->sched)) task = next_local(worker, tick);
    if (CEDEI_UNLIKELY(task == NULL)) task = next_elsewhere(worker, tick);
    if (CEDEI_UNLIKELY(task == NULL)) return NULL;
    cedei_sample_begin(worker, tick);
    worker->look_tick = worker->poll_tick;
    if (cedei_runqueue_count(&worker->queue) != 0) cedei_lifo_limit(worker, worker->lifo_from);
    cedei_choice_end(worker, tick);
    return task;
}
