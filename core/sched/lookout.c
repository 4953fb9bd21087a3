/* lookout.c - looks at all workers every few milliseconds, and decides what follows.
 * A worker whose task has been the same for STUCK_NS is stuck: it does not count as working. When work waits and fewer than
 * the configured number of workers work or sleep, a spare one is called; when there are more, one is sent off. What waits
 * behind a stuck worker moves to the global queue, where those come by that have enough to do themselves. A turn that
 * has been the same for the limit is reported once. Turns are told apart by the worker's tick and its count of turns.
 * The lookout sleeps without a limit when all workers sleep, and ever longer when nothing moves but some are stuck; a worker
 * that begins to work wakes it, once per sleep. It falls asleep only after QUIET_LOOKS without any change, so that it is
 * woken at most once in so many periods, however often workers sleep and wake meanwhile. */
#include "core/sched/sched_internal.h"

#include "core/base/base.h"
#include "core/sys/clock.h"
#include "core/sys/interrupt.h"

enum { QUIET_LOOKS = 3, STUCK_LOOKS = 3 };
#define PERIOD_NS ((uint64_t)1 << 22) /* 4.2 ms: twice in any turn that is counted as long */
#define PERIOD_MIN_NS 100000u
#define PERIOD_MAX_NS 100000000u
#define STUCK_NS 8000000u
#define REPORT_EVERY_NS 1000000000u

/* What one round found. */
struct round {
    uint64_t now_ns;
    uint64_t stuck;   /* a bit per worker */
    uint64_t report;  /* a bit per worker whose turn must be reported */
    uint32_t working; /* on duty and not stuck */
    bool moved;       /* somebody took a task or began a turn */
};

/* ---- one worker ---- */

static void turn_ended(struct cedei_lookout *lookout, const struct cedei_seat *seat) {
    if (!seat->in_task || seat->turn_ns == 0) return;
    uint64_t ns = seat->turn_ns + lookout->period_ns / 2; /* it ended somewhere between two looks */
    if (ns >= CEDEI_TURN_LONG_NS)
        cedei_count_add(&lookout->lengths[cedei_turn_length_index(ns)], 1);
}

/* What counts is the time that the thread used, and that for which it blocked; not that for which it was ready to run and
 * others had the processor. */
static void turn_goes_on(struct cedei_seat *seat, struct cedei_worker *worker, uint64_t now_ns) {
    /* relaxed: set before the worker's first task. */
    uint32_t number = atomic_load_explicit(&worker->number, memory_order_relaxed);
    uint64_t cpu_ns = cedei_thread_cpu_ns(&worker->thread);
    uint64_t used_ns = cpu_ns - seat->cpu_ns, passed_ns = now_ns - seat->looked_ns;
    uintptr_t sp = 0, pc = 0;
    bool blocks = cedei_thread_state_of(number, &sp, &pc) != CEDEI_THREAD_RUNS;
    seat->seen++;
    seat->turn_ns += blocks || used_ns > passed_ns ? passed_ns : used_ns;
    seat->looked_ns = now_ns;
    seat->cpu_ns = cpu_ns;
}

static void worker_look(struct cedei_lookout *lookout, struct cedei_worker *worker,
                        struct round *round) {
    struct cedei_seat *seat = &lookout->seats[worker->index];
    /* relaxed (all): a look; what is acted on is checked where it is acted on. */
    uint32_t tick = atomic_load_explicit(&worker->tick, memory_order_relaxed);
    uint64_t turns = atomic_load_explicit(&worker->counts.turns, memory_order_relaxed);
    bool in_task = atomic_load_explicit(&worker->taken, memory_order_relaxed) == tick;
    bool same_task = in_task && seat->in_task && tick == seat->tick;
    if (same_task && turns == seat->turns) {
        turn_goes_on(seat, worker, round->now_ns);
    } else {
        turn_ended(lookout, seat);
        round->moved |= tick != seat->tick || turns != seat->turns;
        *seat = (struct cedei_seat){
            .in_task = in_task,
            .stuck = same_task && seat->stuck,
            .tick = tick,
            .seen = 1,
            .turns = turns,
            .task_since_ns = same_task ? seat->task_since_ns : round->now_ns,
            .looked_ns = round->now_ns,
            .cpu_ns = in_task ? cedei_thread_cpu_ns(&worker->thread) : 0,
        };
    }
    if (same_task && seat->seen >= STUCK_LOOKS && round->now_ns - seat->task_since_ns >= STUCK_NS)
        seat->stuck = true;
    if (seat->stuck) {
        round->stuck |= (uint64_t)1 << worker->index;
    } else if (!cedei_is_dismissed(worker)) {
        round->working++;
    }
    if (in_task && !seat->reported && seat->turn_ns >= lookout->warn_ns) {
        seat->reported = true;
        cedei_count_add(&lookout->long_turns, 1);
        round->report |= (uint64_t)1 << worker->index;
    }
}

/* ---- all of them ---- */

static void workers_balance(struct cedei_sched *sched, const struct round *round) {
    /* relaxed: a look. */
    bool idle = atomic_load_explicit(&sched->idle, memory_order_relaxed) != 0;
    if (round->working > sched->worker_count) cedei_spare_dismiss(sched, round->stuck);
    /* Those at work are in turns that take long, and events wait: a sleeper takes over the watch. */
    if (!round->moved && idle && cedei_reactor_is_unwatched(sched)) cedei_sched_wake_one(sched);
    if (round->stuck == 0) {
        cedei_spare_settle(sched);
        return;
    }
    for (uint64_t stuck = round->stuck; stuck != 0; stuck &= stuck - 1)
        cedei_spare_relieve(&sched->workers[__builtin_ctzll(stuck)]);
    bool waiting = cedei_queues_have_work(sched);
    if (waiting && idle) cedei_sched_wake_one(sched);
    /* Somebody must be there for what comes from outside and for timers, so one is called for nothing if need be. */
    if (round->working < sched->worker_count && (round->working == 0 || (waiting && !idle)))
        (void)cedei_spare_call(sched);
}

static void workers_look(struct cedei_sched *sched, struct round *round) {
    struct cedei_lookout *lookout = &sched->lookout;
    *round = (struct round){.now_ns = cedei_clock_now_ns()};
    uint32_t seats = cedei_sched_seats(sched);
    for (uint32_t i = 0; i < seats; i++) worker_look(lookout, &sched->workers[i], round);
    workers_balance(sched, round);
    for (uint32_t i = 0; i < seats; i++)
        if ((round->report >> i & 1) != 0) cedei_stall_report(sched, &sched->workers[i]);
    cedei_count_add(&lookout->looks, 1);
}

/* ---- sleeping ---- */

/* Sleeping, stuck or off duty: nothing will move before somebody tells us. */
static bool is_quiet(struct cedei_sched *sched) {
    /* seq_cst: after we said that we sleep; see cedei_lookout_notify. */
    uint64_t idle = atomic_load_explicit(&sched->idle, memory_order_seq_cst);
    uint32_t seats = cedei_sched_seats(sched);
    for (uint32_t i = 0; i < seats; i++) {
        struct cedei_worker *worker = &sched->workers[i];
        const struct cedei_seat *seat = &sched->lookout.seats[i];
        bool stays = seat->stuck && seat->tick == cedei_tick_of(worker);
        /* relaxed: OFF is only left when the lookout says so. */
        uint32_t duty = atomic_load_explicit(&worker->duty, memory_order_relaxed);
        bool off = duty == CEDEI_DUTY_OFF || duty == CEDEI_DUTY_NONE;
        if ((idle >> i & 1) == 0 && !stays && !off) return false;
    }
    return true;
}

static bool is_ending(struct cedei_lookout *lookout) {
    /* seq_cst: after we said that we sleep; pairs with cedei_lookout_stop. */
    return atomic_load_explicit(&lookout->stop, memory_order_seq_cst) != 0;
}

/* Until a worker begins to work, or `until_ns`. */
static void sleep_quietly(struct cedei_sched *sched, uint64_t until_ns) {
    struct cedei_lookout *lookout = &sched->lookout;
    /* seq_cst: before the look at who sleeps; see cedei_lookout_notify. */
    atomic_store_explicit(&lookout->asleep, 1, memory_order_seq_cst);
    /* acquire: pairs with the exchange in cedei_lookout_wake. */
    while (is_quiet(sched) && !is_ending(lookout) &&
           atomic_load_explicit(&lookout->asleep, memory_order_acquire) != 0 &&
           (until_ns == UINT64_MAX || cedei_clock_now_ns() < until_ns))
        cedei_futex_wait(&lookout->asleep, 1, until_ns);
    /* relaxed: whoever finds it set wakes us for nothing. */
    atomic_store_explicit(&lookout->asleep, 0, memory_order_relaxed);
}

void cedei_lookout_wake(struct cedei_lookout *lookout) {
    /* acq_rel: pairs with itself in others that call; one of those that find it set wakes it. */
    if (atomic_exchange_explicit(&lookout->asleep, 0, memory_order_acq_rel) != 0)
        cedei_futex_wake(&lookout->asleep, 1);
}

/* Between two looks, or until the stop. */
static void pause_until(struct cedei_sched *sched, uint64_t until_ns) {
    uint64_t next_ns = 0;
    do { /* a few times a look */
        next_ns = cedei_scale_round(sched, until_ns);
        cedei_futex_wait(&sched->lookout.stop, 0, next_ns);
    } while (next_ns < until_ns && !is_ending(&sched->lookout));
}

static void *lookout_main(void *context) {
    struct cedei_sched *sched = context;
    struct cedei_lookout *lookout = &sched->lookout;
    uint64_t pause_ns = lookout->period_ns;
    cedei_thread_be_prompt();
    for (uint32_t quiet = 0; !is_ending(lookout);) { /* until the stop */
        struct round round;
        workers_look(sched, &round);
        quiet = round.moved || lookout->scale.off != 0 || !is_quiet(sched) ? 0 : quiet + 1;
        pause_ns = quiet <= QUIET_LOOKS ? lookout->period_ns : 2 * pause_ns;
        if (pause_ns > PERIOD_MAX_NS) pause_ns = PERIOD_MAX_NS;
        uint64_t until_ns = cedei_clock_now_ns() + pause_ns;
        if (quiet > QUIET_LOOKS) {
            sleep_quietly(sched, round.stuck != 0 ? until_ns : UINT64_MAX);
            cedei_scale_wake(&lookout->scale);
        } else {
            pause_until(sched, until_ns);
        }
    }
    return NULL;
}

cede_result cedei_lookout_start(struct cedei_sched *sched, uint64_t warn_ns) {
    struct cedei_lookout *lookout = &sched->lookout;
    if (warn_ns == 0) warn_ns = UINT64_MAX;
    lookout->warn_ns = warn_ns;
    lookout->report_every_ns = REPORT_EVERY_NS;
    lookout->period_ns = warn_ns / 2 < PERIOD_NS ? warn_ns / 2 : PERIOD_NS;
    if (lookout->period_ns < PERIOD_MIN_NS) lookout->period_ns = PERIOD_MIN_NS;
    cedei_stall_install();
    cede_result r = cedei_thread_start(&lookout->thread, "cede-lookout", lookout_main, sched);
    lookout->started = r == CEDE_OK;
    return r;
}

void cedei_lookout_stop(struct cedei_sched *sched) {
    struct cedei_lookout *lookout = &sched->lookout;
    if (!lookout->started) return;
    lookout->started = false;
    /* seq_cst: before our look at `asleep`; pairs with is_ending. */
    atomic_store_explicit(&lookout->stop, 1, memory_order_seq_cst);
    cedei_futex_wake(&lookout->stop, 1);
    cedei_lookout_wake(lookout);
    cedei_thread_join(&lookout->thread);
}
