/* watch.c - who looks at which wheel, and when.
 * A worker runs its own wheel between turns and sleeps no longer than until it has something to do. Others run a wheel only
 * when it is OVERDUE_NS late, behind a long turn: sooner, two workers would wake up at each tick and meet at the lock. For that,
 * one of the sleepers, the timekeeper (park.c), watches the wheels of all. A spare worker counts the wheel of a regular one
 * as its own. Setting a timer without losing it: whoever does so stores the wheel's `next_ns` and then looks at how
 * long the others sleep; a sleeper says "for ever" and marks itself idle, then looks at the wheels, then says how long.
 * Both ways are ordered by sequential consistency, so one sees the other. */
#include "core/base/base.h"
#include "core/sched/sched_internal.h"
#include "core/sys/clock.h"

#define OVERDUE_NS ((uint64_t)1000000)
/* While timers are set, looks at them should be about so far apart, however long the turns between are. */
#define POLL_NS ((uint64_t)1 << CEDEI_WHEEL_TICK_SHIFT)

static uint64_t later_by(uint64_t ns, uint64_t by) {
    return ns > UINT64_MAX - by ? UINT64_MAX : ns + by;
}

/* How late others look at the wheel of this worker: not at all while it is off duty. */
static uint64_t overdue_ns(struct cedei_sched *sched, uint32_t index) {
    return cedei_is_dismissed(&sched->workers[index]) ? 0 : OVERDUE_NS;
}

static uint32_t wheel_index(const struct cedei_worker *worker) {
    return worker->index % worker->sched->worker_count;
}

static bool is_worker_of(const struct cedei_worker *worker, const struct cedei_sched *sched) {
    return worker != NULL && worker->sched == sched && !worker->is_pool && !worker->is_seat;
}

/* ---- sleeping ---- */

void cedei_asleep_until_set(struct cedei_worker *worker, uint64_t until_ns) {
    /* seq_cst: see the top of the file. */
    atomic_store_explicit(&worker->asleep_until_ns, until_ns, memory_order_seq_cst);
}

static uint64_t asleep_until(struct cedei_worker *worker) {
    /* seq_cst: after our store of the wheel's `next_ns`; see the top of the file. */
    return atomic_load_explicit(&worker->asleep_until_ns, memory_order_seq_cst);
}

static bool is_idle(struct cedei_sched *sched, uint32_t index) {
    /* seq_cst: one order with the sleepers' changes, and behind our store of the wheel's `next_ns`. */
    return (atomic_load_explicit(&sched->idle, memory_order_seq_cst) >> index & 1) != 0;
}

uint64_t cedei_sleep_limit(struct cedei_worker *worker, bool keeper) {
    struct cedei_sched *sched = worker->sched;
    uint32_t own = wheel_index(worker);
    uint64_t limit_ns = cedei_wheel_next_ns(&sched->wheels[own]);
    for (uint32_t i = 0; keeper && i < sched->worker_count; i++) {
        if (i == own) continue;
        /* One after the other, in the simulator too, whatever the compiler does with arguments. */
        uint64_t late_ns = overdue_ns(sched, i);
        late_ns = later_by(cedei_wheel_next_ns(&sched->wheels[i]), late_ns);
        if (late_ns < limit_ns) limit_ns = late_ns;
    }
    cedei_asleep_until_set(worker, limit_ns);
    return limit_ns;
}

/* ---- setting ---- */

/* `wheel` has become due earlier than it was: whoever sleeps beyond that has to look again. A sleeping owner wakes for its
 * own wheel, the timekeeper for the wheel of a worker that is busy and comes too late. */
static void wheel_watch(struct cedei_sched *sched, struct cedei_wheel *wheel) {
    struct cedei_worker *owner = &sched->workers[wheel->index], *caller = cedei_worker_current();
    uint64_t due_ns = cedei_wheel_next_ns(wheel);
    if (is_worker_of(caller, sched) && wheel_index(caller) == wheel->index)
        caller->poll_tick = caller->look_tick = cedei_tick_of(caller) + 1; /* plans when to look */
    if (is_idle(sched, wheel->index)) {
        if (due_ns < asleep_until(owner)) (void)cedei_worker_wake(owner);
        return;
    }
    /* seq_cst: as in is_idle. */
    uint32_t keeper = atomic_load_explicit(&sched->timekeeper, memory_order_seq_cst);
    if (keeper == 0) {
        cedei_sched_wake_one(sched);
        return;
    }
    uint64_t late_ns = later_by(due_ns, overdue_ns(sched, wheel->index));
    if (late_ns < asleep_until(&sched->workers[keeper - 1]))
        (void)cedei_worker_wake(&sched->workers[keeper - 1]);
}

void cedei_sched_timer_add(struct cedei_sched *sched, struct cedei_timer *timer,
                           uint64_t expires_ns) {
    struct cedei_wheel *wheel = &sched->wheels[timer->wheel];
    if (cedei_timer_add(wheel, timer, expires_ns)) wheel_watch(sched, wheel);
}

void cedei_sched_watch_begin(struct cedei_sched *sched) {
    cedei_added_work_fence(sched);
    /* relaxed: ordered by the fence. */
    uint32_t keeper = atomic_load_explicit(&sched->timekeeper, memory_order_relaxed);
    if (keeper == 0)
        cedei_sched_wake_one(sched);
    else
        (void)cedei_worker_wake(&sched->workers[keeper - 1]);
}

void cedei_sched_timer_cancel(struct cedei_sched *sched, struct cedei_timer *timer) {
    cedei_timer_cancel(&sched->wheels[timer->wheel], timer);
}

cede_result cedei_sched_post(struct cedei_sched *sched, struct cedei_worker *worker,
                             const struct cedei_cargo *cargo, uint64_t expires_ns,
                             struct cedei_post_name *name) {
    bool earlier = false;
    struct cedei_wheel *wheel =
        &sched->wheels[is_worker_of(worker, sched) ? wheel_index(worker) : 0];
    cede_result r = cedei_post_add(wheel, cargo, expires_ns, name, &earlier);
    if (r == CEDE_OK && earlier) wheel_watch(sched, wheel);
    return r;
}

struct cedei_wheel *cedei_sched_wheel_of(struct cedei_sched *sched, struct cedei_post_name name) {
    uint32_t index = name.place >> CEDEI_POST_INDEX_BITS;
    return index < sched->worker_count ? &sched->wheels[index] : NULL;
}

/* ---- running ---- */

bool cedei_timers_are_set(struct cedei_sched *sched) {
    for (uint32_t i = 0; i < sched->worker_count; i++)
        if (cedei_wheel_next_ns(&sched->wheels[i]) != UINT64_MAX) return true;
    return false;
}

uint64_t cedei_timers_run(struct cedei_worker *worker) {
    struct cedei_sched *sched = worker->sched;
    uint32_t own = wheel_index(worker);
    uint64_t now_ns = 0;
    for (uint32_t i = 0; i < sched->worker_count; i++) {
        struct cedei_wheel *wheel = &sched->wheels[i];
        uint64_t next_ns = cedei_wheel_next_ns(wheel);
        if (next_ns == UINT64_MAX) continue;
        if (now_ns == 0) now_ns = cedei_clock_now_ns();
        if (i != own) next_ns = later_by(next_ns, overdue_ns(sched, i));
        if (next_ns <= now_ns) cedei_wheel_run(wheel, now_ns, worker);
    }
    return now_ns;
}

void cedei_poll_plan(struct cedei_worker *worker, uint32_t tick, uint64_t now_ns) {
    uint64_t passed_ns = now_ns - worker->polled_ns;
    if (now_ns == 0)
        worker->poll_ticks = CEDEI_POLL_TICKS;
    else if (worker->polled_ns == 0)
        worker->poll_ticks = 1; /* how long turns take is not known yet */
    else if (passed_ns > POLL_NS)
        worker->poll_ticks = (uint32_t)(worker->poll_ticks * POLL_NS / passed_ns) + 1;
    else if (passed_ns < POLL_NS / 2 && worker->poll_ticks < CEDEI_POLL_TICKS)
        worker->poll_ticks =
            2 * worker->poll_ticks < CEDEI_POLL_TICKS ? 2 * worker->poll_ticks : CEDEI_POLL_TICKS;
    worker->polled_ns = now_ns;
    bool more =
        now_ns != 0 && cedei_wheel_next_ns(&worker->sched->wheels[wheel_index(worker)]) <= now_ns;
    worker->poll_tick = tick + (more ? 1 : worker->poll_ticks);
}
