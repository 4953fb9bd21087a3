/* park.c - when workers sleep and who wakes them; which of the sleepers keeps the time.
 * Sleeping without losing a wake-up: a worker sets its bit in `idle`, then looks at every queue once more; whoever adds
 * work adds it first, then looks at `idle`. Both looks are ordered by sequential consistency, so one sees the other. Whoever
 * sends a worker off duty says so first and wakes it then, so the worker looks at its duty once more, too.
 * Waking no more than needed: nobody is woken while a worker searches. Whoever finds something while it is the last that
 * searches wakes the next if it sees more, so that workers come up one after the other for as long as there is work for them.
 * Invariants: (1) whoever clears a worker's bit, and nobody else, wakes it and has counted it in `searching`; (2) at most
 * one worker is the timekeeper, and it is asleep or about to be. */
#include "core/sched/sched_internal.h"

#include "core/base/base.h"
#include "core/sys/clock.h"

enum { PARKED_NO = 0, PARKED_IN_FUTEX = 1, PARKED_IN_REACTOR = 2 };

bool cedei_worker_wake(struct cedei_worker *worker) {
    struct cedei_sched *sched = worker->sched;
    uint64_t bit = (uint64_t)1 << worker->index;
    /* seq_cst: one total order with the sleepers' changes of `idle`. */
    if ((atomic_fetch_and_explicit(&sched->idle, ~bit, memory_order_seq_cst) & bit) == 0)
        return false;
    /* seq_cst: before the woken worker searches, others must see that one does. */
    atomic_fetch_add_explicit(&sched->searching, 1, memory_order_seq_cst);
    /* acq_rel: pairs with the acquire in is_parked, and with the exchange in park. */
    if (atomic_exchange_explicit(&worker->parked, PARKED_NO, memory_order_acq_rel) ==
        PARKED_IN_REACTOR)
        cedei_poll_wake(&sched->reactor.poll);
    else
        cedei_futex_wake(&worker->parked, 1);
    return true;
}

void cedei_sched_wake_one(struct cedei_sched *sched) {
    cedei_added_work_fence(sched);
    for (;;) { /* each further round means that another took a bit */
        /* relaxed (all): ordered by the fence above; `timekeeper` is a preference: it sleeps on while there is another. */
        uint64_t idle = atomic_load_explicit(&sched->idle, memory_order_relaxed);
        if (idle == 0 || atomic_load_explicit(&sched->searching, memory_order_relaxed) != 0) return;
        uint32_t keeper = atomic_load_explicit(&sched->timekeeper, memory_order_relaxed);
        uint64_t others = keeper != 0 ? idle & ~((uint64_t)1 << (keeper - 1)) : idle;
        if (cedei_worker_wake(&sched->workers[__builtin_ctzll(others != 0 ? others : idle)]))
            return;
    }
}

static void idle_set(struct cedei_worker *worker) {
    /* release: pairs with nothing but ourselves; set before we can be claimed. */
    atomic_store_explicit(&worker->parked, PARKED_IN_FUTEX, memory_order_release);
    /* seq_cst: before our last look at the queues; see cedei_added_work_fence. */
    atomic_fetch_or_explicit(&worker->sched->idle, (uint64_t)1 << worker->index,
                             memory_order_seq_cst);
}

/* Takes our own bit back; false: a waker has it already and counts us as searching. */
static bool idle_clear(struct cedei_worker *worker) {
    uint64_t bit = (uint64_t)1 << worker->index;
    /* seq_cst: one total order with wakers. */
    return (atomic_fetch_and_explicit(&worker->sched->idle, ~bit, memory_order_seq_cst) & bit) != 0;
}

static bool is_parked(struct cedei_worker *worker) {
    /* acquire: pairs with the waker's release. */
    return atomic_load_explicit(&worker->parked, memory_order_acquire) != PARKED_NO;
}

/* One sleeper at a time watches the reactor and the wheels of all; the others only their own wheel. */
static bool timekeeper_become(struct cedei_worker *worker) {
    uint32_t none = 0;
    /* seq_cst: before our look at the wheels; pairs with wheel_watch. */
    return atomic_compare_exchange_strong_explicit(&worker->sched->timekeeper, &none,
                                                   worker->index + 1, memory_order_seq_cst,
                                                   memory_order_relaxed);
}

static bool is_time(uint64_t wake_ns) {
    return wake_ns != UINT64_MAX && wake_ns <= cedei_clock_now_ns();
}

/* Waits in the reactor or in the futex, until woken, `wake_ns`, or events. Returns the count of `events`. */
static uint32_t park(struct cedei_worker *worker, bool keeper, uint64_t wake_ns,
                     cedei_poll_event *events) {
    struct cedei_sched *sched = worker->sched;
    uint32_t parked = PARKED_IN_FUTEX, count = 0;
    cedei_count_add(&worker->counts.parks, 1);
    if (keeper && cedei_reactor_is_open(&sched->reactor) &&
        /* acq_rel: pairs with cedei_worker_wake, which from here on ends the wait in the reactor. */
        atomic_compare_exchange_strong_explicit(&worker->parked, &parked, PARKED_IN_REACTOR,
                                                memory_order_acq_rel, memory_order_acquire)) {
        while (count == 0 && is_parked(worker)) { /* ends as the loop below, or by an event */
            count = cedei_reactor_wait(&sched->reactor, events, wake_ns);
            if (count == 0 && is_time(wake_ns)) break;
        }
        return count;
    }
    while (is_parked(worker)) { /* ends by a waker, or by a look that finds the time has come */
        cedei_futex_wait(&worker->parked, PARKED_IN_FUTEX, wake_ns);
        if (is_time(wake_ns)) break;
    }
    return 0;
}

/* The waker that has our bit is between taking it and its exchange, which looks where we sleep: here, not in the reactor any
 * more, which the time or an event has ended. */
static void wake_await(struct cedei_worker *worker) {
    uint32_t parked = PARKED_IN_REACTOR;
    /* acq_rel: pairs with the exchange in cedei_worker_wake: it finds where we are, or we find that it was there. */
    (void)atomic_compare_exchange_strong_explicit(&worker->parked, &parked, PARKED_IN_FUTEX,
                                                  memory_order_acq_rel, memory_order_acquire);
    while (is_parked(worker)) cedei_futex_wait(&worker->parked, PARKED_IN_FUTEX, UINT64_MAX);
}

CEDEI_NOINLINE void cedei_worker_sleep(struct cedei_worker *worker) {
    struct cedei_sched *sched = worker->sched;
    cedei_poll_event events[CEDEI_REACTOR_BATCH];
    uint32_t count = 0;
    cedei_search_end(worker, false);
    cedei_asleep_until_set(worker, UINT64_MAX);
    idle_set(worker);
    cedei_added_work_fence(
        sched); /* the same order, seen from the sleeper: marked idle, then looked */
    bool keeper = timekeeper_become(worker);
    uint64_t wake_ns = cedei_sleep_limit(worker, keeper);
    /* A time that is over ends the wait at once. */
    bool waits = cedei_queues_have_work(sched);
    if (!waits && !cedei_is_stopping(sched) && !cedei_is_dismissed(worker))
        count = park(worker, keeper, wake_ns, events);
    bool claimed = !idle_clear(worker);
    if (keeper) {
        /* release: pairs with timekeeper_become of the next keeper; a timer set from now on finds that one or none. */
        atomic_store_explicit(&sched->timekeeper, 0, memory_order_release);
    }
    if (claimed) {
        wake_await(worker);
        worker->searching = true;
        cedei_count_add(&worker->counts.wakes, 1);
    } else {
        /* relaxed: nobody else writes it now. */
        atomic_store_explicit(&worker->parked, PARKED_NO, memory_order_relaxed);
        if (waits) cedei_search_join(worker); /* added while we searched: there may be more of it */
    }
    cedei_lookout_notify(&sched->lookout);
    worker->has_waited = count != 0;
    cedei_reactor_take(worker, events, count);
}

void cedei_timekeeper_hand_over(struct cedei_worker *worker) {
    struct cedei_sched *sched = worker->sched;
    /* relaxed (both): a hint that is looked at again at the next poll. */
    if (!cedei_worker_is_alone(worker) &&
        atomic_load_explicit(&sched->timekeeper, memory_order_relaxed) == 0 &&
        atomic_load_explicit(&sched->idle, memory_order_relaxed) != 0 && cedei_timers_are_set(sched))
        cedei_sched_wake_one(sched);
}
