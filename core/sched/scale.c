/* scale.c - sends workers off duty that only get in the others' way.
 * Turns of a few dozen nanoseconds cost less than the cache lines that they touch when these have to come from another
 * processor, and events of a few microseconds less than to wake a worker for them: two workers that share such work may do less than
 * one. Whether they do depends on the actors and on the machine, so it is tried: while several do short turns, half of them go
 * off duty for a moment, and stay there if the rest gets no less done in the same time. From time to time all are called
 * back, and at once when turns become longer, or much more comes, or something waits behind a turn that goes on.
 * Invariants: (1) one worker at least stays on duty; (2) a worker that is off duty has no tasks, see cedei_spare_rest; (3)
 * nobody is sent off while the workers' turns are long. */
#include "core/sched/scale.h"

#include "core/sched/sched_internal.h"
#include "core/sys/clock.h"
#include "core/sys/random.h"

#define PAUSE_FEW_NS                                                                               \
    ((uint64_t)50000000) /* the first time; each time longer while the outcome is the same */
#define PAUSE_ALL_NS ((uint64_t)5000000)
#define PAUSE_FEW_MAX_NS ((uint64_t)400000000)
#define PAUSE_ALL_MAX_NS ((uint64_t)1600000000)
#define PAUSE_OTHER_NS ((uint64_t)5000000) /* after what is done has become something else */
enum { BROKEN_MAX = 8 };
#define LEAVE_MAX_NS ((uint64_t)10000000)
enum { EAGER_LOOKS = 8, FULL_LOOKS = 16 };

/* ---- windows ---- */

static struct cedei_scale_window window_at(const struct cedei_scale_look *look) {
    return (struct cedei_scale_window){.since_ns = look->now_ns, .done = look->done};
}

static void window_begin(struct cedei_scale *scale, const struct cedei_scale_look *look) {
    scale->window = window_at(look);
}

static void window_extend(struct cedei_scale_window *window, const struct cedei_scale_look *look) {
    window->looks++;
    window->busy += look->busy;
    window->shared += look->active >= 2;
}

static bool window_is_over(const struct cedei_scale_window *window,
                           const struct cedei_scale_look *look) {
    uint64_t passed_ns = look->now_ns - window->since_ns;
    if (passed_ns >= CEDEI_SCALE_WINDOW_MAX_NS) return true;
    return passed_ns >= CEDEI_SCALE_WINDOW_MIN_NS &&
           look->done - window->done >= CEDEI_SCALE_WINDOW_DONE;
}

static uint64_t rate_of(const struct cedei_scale_window *window,
                        const struct cedei_scale_look *look) {
    return (look->done - window->done) * CEDEI_SCALE_UNIT_NS / (look->now_ns - window->since_ns);
}

/* What was done took up to `ns` on average: the time of all that were busy, by how much it was. */
static bool turns_are_within(const struct cedei_scale_window *window,
                             const struct cedei_scale_look *look, uint64_t ns) {
    uint64_t passed_ns = look->now_ns - window->since_ns;
    return window->busy * passed_ns / window->looks <= (look->done - window->done) * ns;
}

/* ---- deciding ---- */

/* A trial that ends as the last one did need not be repeated soon. */
static void outcome_note(struct cedei_scale *scale, uint64_t now_ns, bool fewer) {
    uint64_t least_ns = fewer ? PAUSE_FEW_NS : PAUSE_ALL_NS;
    uint64_t most_ns = fewer ? PAUSE_FEW_MAX_NS : PAUSE_ALL_MAX_NS;
    uint64_t pause_ns = fewer == scale->fewer_last ? 2 * scale->pause_ns : least_ns;
    if (pause_ns < least_ns) pause_ns = least_ns;
    scale->fewer_last = fewer;
    scale->pause_ns = pause_ns < most_ns ? pause_ns : most_ns;
    scale->next_ns = now_ns + scale->pause_ns;
}

static enum cedei_scale_step call_all(struct cedei_scale *scale,
                                      const struct cedei_scale_look *look) {
    scale->state = CEDEI_SCALE_ALL;
    scale->eager = EAGER_LOOKS;
    window_begin(scale, look);
    scale->all = scale->window;
    return CEDEI_SCALE_CALL_ALL;
}

/* Not what it was any more. The next trial may come soon, unless this happens again and again. */
static enum cedei_scale_step few_break(struct cedei_scale *scale,
                                       const struct cedei_scale_look *look) {
    scale->next_ns = look->now_ns + (PAUSE_OTHER_NS << scale->broken);
    if (scale->broken < BROKEN_MAX) scale->broken++;
    return call_all(scale, look);
}

/* `rate`: what the rest must not fall below, for all trials that follow each other. */
static enum cedei_scale_step send_off(struct cedei_scale *scale,
                                      const struct cedei_scale_look *look, uint64_t rate) {
    scale->state = CEDEI_SCALE_LEAVING;
    scale->rate = rate;
    window_begin(scale, look);
    return CEDEI_SCALE_SEND_OFF;
}

static enum cedei_scale_step decide_all(struct cedei_scale *scale,
                                        const struct cedei_scale_look *look) {
    bool was_eager = scale->eager > 0, may = look->now_ns >= scale->next_ns;
    if (look->active < 2 && !was_eager) scale->all = window_at(look);
    if (may && look->active >= 2)
        scale->eager = EAGER_LOOKS;
    else if (was_eager)
        scale->eager--;
    if (!may || !was_eager || scale->eager == 0) {
        window_begin(scale, look);
        if (look->now_ns - scale->all.since_ns > CEDEI_SCALE_ALL_MAX_NS) scale->all = scale->window;
        return CEDEI_SCALE_STAY;
    }
    if (!window_is_over(&scale->window, look)) return CEDEI_SCALE_STAY;
    uint64_t rate = rate_of(&scale->window, look);
    if (rate >= CEDEI_SCALE_LITTLE && 2 * scale->window.shared > scale->window.looks &&
        turns_are_within(&scale->window, look, CEDEI_SCALE_FINE_NS))
        return send_off(scale, look, rate_of(&scale->all, look));
    window_begin(scale, look);
    scale->eager = 0;
    return CEDEI_SCALE_STAY;
}

static enum cedei_scale_step trial_fail(struct cedei_scale *scale,
                                        const struct cedei_scale_look *look) {
    outcome_note(scale, look->now_ns, false);
    window_begin(scale, look);
    scale->all = scale->window;
    scale->state = scale->off == scale->last ? CEDEI_SCALE_ALL : CEDEI_SCALE_FEW;
    scale->eager = 0;
    return CEDEI_SCALE_CALL_BACK;
}

/* Also while they do not come to an end: then their turns are long. */
static enum cedei_scale_step decide_leaving(struct cedei_scale *scale,
                                            const struct cedei_scale_look *look) {
    if (look->have_left) {
        scale->state = CEDEI_SCALE_TRIAL;
        window_begin(scale, look);
        return CEDEI_SCALE_SETTLE;
    }
    uint64_t passed_ns = look->now_ns - scale->window.since_ns;
    return passed_ns < LEAVE_MAX_NS ? CEDEI_SCALE_STAY : trial_fail(scale, look);
}

static enum cedei_scale_step decide_trial(struct cedei_scale *scale,
                                          const struct cedei_scale_look *look) {
    if (!window_is_over(&scale->window, look)) return CEDEI_SCALE_STAY;
    uint64_t rate = rate_of(&scale->window, look);
    /* What comes from outside comes now more, now less. */
    if (rate < scale->rate - scale->rate / 16) return trial_fail(scale, look);
    if (look->on_duty >= 2) return send_off(scale, look, rate > scale->rate ? rate : scale->rate);
    outcome_note(scale, look->now_ns, true);
    scale->state = CEDEI_SCALE_FEW;
    scale->rate = rate;
    scale->full = 0;
    scale->had_time = scale->window.busy < (uint64_t)scale->window.looks * look->on_duty;
    window_begin(scale, look);
    return CEDEI_SCALE_STAY;
}

/* More comes than in the trial: those on duty had time left then. A little more is enough where they have none any more: they cannot
 * do much more, and what waits grows. */
static bool load_has_grown(const struct cedei_scale *scale, uint64_t rate) {
    uint64_t least = scale->full >= FULL_LOOKS ? scale->rate / 16 : scale->rate / 4;
    return scale->had_time && rate > scale->rate + least;
}

static enum cedei_scale_step decide_few(struct cedei_scale *scale,
                                        const struct cedei_scale_look *look) {
    scale->full = look->busy == look->on_duty ? scale->full + 1 : 0;
    if (look->now_ns >= scale->next_ns) {
        scale->broken = 0;
        return call_all(scale, look);
    }
    if (!window_is_over(&scale->window, look)) return CEDEI_SCALE_STAY;
    uint64_t rate = rate_of(&scale->window, look);
    if (rate < CEDEI_SCALE_LITTLE / 2) { /* it is over */
        scale->next_ns = look->now_ns;
        return call_all(scale, look);
    }
    if (!turns_are_within(&scale->window, look, 2 * (uint64_t)CEDEI_SCALE_FINE_NS) ||
        load_has_grown(scale, rate))
        return few_break(scale, look);
    window_begin(scale, look);
    return CEDEI_SCALE_STAY;
}

enum cedei_scale_step cedei_scale_decide(struct cedei_scale *scale,
                                         const struct cedei_scale_look *look) {
    window_extend(&scale->window, look);
    switch (scale->state) {
    case CEDEI_SCALE_ALL: return decide_all(scale, look);
    case CEDEI_SCALE_LEAVING: return decide_leaving(scale, look);
    case CEDEI_SCALE_TRIAL:
        return look->waits_behind ? few_break(scale, look) : decide_trial(scale, look);
    case CEDEI_SCALE_FEW:
        return look->waits_behind ? few_break(scale, look) : decide_few(scale, look);
    }
    return CEDEI_SCALE_STAY;
}

/* In a simulation, where nothing takes its time: by chance, but not for ever, since the lookout does not sleep meanwhile. */
static enum cedei_scale_step decide_by_chance(struct cedei_scale *scale,
                                              const struct cedei_scale_look *look) {
    enum { LOOKS_MAX = 20 };
    switch (scale->state) {
    case CEDEI_SCALE_ALL:
        scale->eager = 0;
        if (!cedei_chance()) return CEDEI_SCALE_STAY;
        scale->eager = LOOKS_MAX;
        return send_off(scale, look, 0);
    case CEDEI_SCALE_LEAVING:
        if (look->have_left) {
            scale->state = look->on_duty >= 2 ? CEDEI_SCALE_TRIAL : CEDEI_SCALE_FEW;
            return CEDEI_SCALE_SETTLE;
        }
        return cedei_chance() ? trial_fail(scale, look) : CEDEI_SCALE_STAY;
    case CEDEI_SCALE_TRIAL:
        if (cedei_chance()) return send_off(scale, look, 0);
        if (cedei_chance()) return trial_fail(scale, look);
        scale->state = CEDEI_SCALE_FEW;
        return CEDEI_SCALE_STAY;
    case CEDEI_SCALE_FEW:
        if (scale->eager > 0) scale->eager--;
        if (scale->eager > 0 && !look->waits_behind && !cedei_chance()) return CEDEI_SCALE_STAY;
        return call_all(scale, look);
    }
    return CEDEI_SCALE_STAY;
}

/* ---- looking and doing ---- */

static bool is_in(uint64_t set, uint32_t index) { return (set >> index & 1) != 0; }

/* Whatever comes often where turns are short. Sending and spawning too, or turns that do a lot of it would count for nothing; a
 * transfer takes as long as some of the others. */
static uint64_t done_by(const struct cedei_worker *worker) {
    const struct cedei_counts *counts = &worker->counts;
    return cedei_count_read(&counts->turns) + cedei_count_read(&counts->yields) +
           cedei_count_read(&counts->jobs) + cedei_count_read(&counts->sends) +
           cedei_count_read(&counts->spawned) + 4 * cedei_count_read(&counts->transfers);
}

/* Who waits for it to come to an end: a task, or whatever happens while nobody else looks out for it. */
static bool has_work_behind(struct cedei_worker *worker) {
    struct cedei_sched *sched = worker->sched;
    return cedei_global_count(sched) != 0 || cedei_runqueue_count(&worker->queue) != 0 ||
           cedei_lifo_peek(worker) != NULL || cedei_reactor_is_unwatched(sched) ||
           cedei_timers_are_set(sched);
}

static struct cedei_scale_look look_at(struct cedei_sched *sched) {
    /* relaxed: a look. */
    uint64_t idle = atomic_load_explicit(&sched->idle, memory_order_relaxed);
    struct cedei_scale_look look = {.now_ns = cedei_clock_now_ns(), .have_left = true};
    for (uint32_t i = 0; i < sched->worker_count; i++) {
        struct cedei_worker *worker = &sched->workers[i];
        struct cedei_scale_seat *seat = &sched->lookout.scale_seats[i];
        struct cedei_scale_seat now = {.tick = cedei_tick_of(worker), .done = done_by(worker)};
        if (now.tick == seat->tick && now.done == seat->done) now.same = seat->same + 1;
        look.done += now.done;
        look.active += now.done != seat->done || !is_in(idle, i);
        *seat = now;
        if (is_in(sched->lookout.scale.off, i)) {
            look.have_left &= cedei_spare_is_off(worker);
            continue;
        }
        look.on_duty++;
        if (is_in(idle, i)) continue;
        look.busy++;
        look.goes_on |= now.same > 0;
        look.waits_behind |= now.same > 1 && has_work_behind(worker);
    }
    return look;
}

/* The upper half of those on duty. */
static void half_send_off(struct cedei_sched *sched, uint32_t on_duty) {
    struct cedei_scale *scale = &sched->lookout.scale;
    scale->last = 0;
    uint32_t left = on_duty / 2;
    for (uint32_t i = sched->worker_count; i-- > 0 && left > 0;) {
        if (is_in(scale->off, i)) continue;
        scale->last |= (uint64_t)1 << i;
        left--;
        cedei_spare_send_off(&sched->workers[i]);
    }
    scale->off |= scale->last;
}

/* Those that were called back; not at a moment at which the only one on duty cannot be taken from: then at the next look. */
static void returning_call(struct cedei_sched *sched) {
    struct cedei_scale *scale = &sched->lookout.scale;
    if (scale->returning == 0 || !cedei_spare_share(sched)) return;
    for (uint32_t i = 0; i < sched->worker_count; i++)
        if (is_in(scale->returning, i)) cedei_spare_call_back(&sched->workers[i]);
    scale->off &= ~scale->returning;
    scale->returning = 0;
}

static void step_take(struct cedei_sched *sched, enum cedei_scale_step step, uint32_t on_duty) {
    struct cedei_scale *scale = &sched->lookout.scale;
    switch (step) {
    case CEDEI_SCALE_STAY: break;
    case CEDEI_SCALE_SETTLE: cedei_spare_settle(sched); break;
    case CEDEI_SCALE_SEND_OFF: half_send_off(sched, on_duty); break;
    case CEDEI_SCALE_CALL_BACK: scale->returning = scale->last; break;
    case CEDEI_SCALE_CALL_ALL: scale->returning = scale->off; break;
    }
}

/* How long to wait for the next look; 0: as long as the lookout likes. */
static uint64_t pause_of(const struct cedei_scale *scale) {
    if (scale->returning != 0) return CEDEI_SCALE_NEAR_NS;
    if (scale->state == CEDEI_SCALE_ALL) return scale->eager > 0 ? CEDEI_SCALE_NEAR_NS : 0;
    return scale->state == CEDEI_SCALE_FEW && !scale->is_near ? CEDEI_SCALE_FAR_NS
                                                              : CEDEI_SCALE_NEAR_NS;
}

uint64_t cedei_scale_round(struct cedei_sched *sched, uint64_t until_ns) {
    struct cedei_scale *scale = &sched->lookout.scale;
    if (sched->worker_count < 2) return until_ns;
    uint64_t due_ns = scale->looked_ns + CEDEI_SCALE_NEAR_NS;
    if (cedei_clock_now_ns() < due_ns) return due_ns < until_ns ? due_ns : until_ns;
    struct cedei_scale_look look = look_at(sched);
    scale->looked_ns = look.now_ns;
    scale->is_near = look.goes_on;
    if (scale->returning == 0) {
        enum cedei_scale_step step =
            CEDEI_SIM ? decide_by_chance(scale, &look) : cedei_scale_decide(scale, &look);
        step_take(sched, step, look.on_duty);
    }
    returning_call(sched);
    uint64_t pause_ns = pause_of(scale);
    if (pause_ns == 0 || look.now_ns + pause_ns > until_ns) return until_ns;
    return look.now_ns + pause_ns;
}

void cedei_scale_wake(struct cedei_scale *scale) { scale->eager = EAGER_LOOKS; }
