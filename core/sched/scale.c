/* scale.c - sends workers off duty that only get in the others' way.
 * Turns of a few dozen nanoseconds cost less than the cache lines that they touch when these have to come from another
 * processor: two workers that share such work may do less than one. Whether they do depends on the actors and on the machine, so it
 * is tried: while all are busy with short turns, half of them go off duty for a moment, and stay there if the rest gets no less
 * done in the same time. From time to time all are called back, and at once when turns become longer, or a task waits behind
 * one that goes on. Invariants: (1) one worker at least stays on duty; (2) a worker that is off duty has no tasks, see
 * cedei_spare_rest; (3) nobody is sent off while the workers' turns are long. */
#include "core/sched/scale.h"

#include "core/sched/sched_internal.h"
#include "core/sys/clock.h"

#define PAUSE_MIN_NS ((uint64_t)50000000)
#define PAUSE_MAX_NS ((uint64_t)1600000000)
#define PAUSE_OTHER_NS ((uint64_t)5000000) /* after what is done has become something else */
#define LEAVE_MAX_NS ((uint64_t)2000000)

/* ---- deciding ---- */

static void window_begin(struct cedei_scale *scale, const struct cedei_scale_look *look) {
    scale->since_ns = look->now_ns;
    scale->done = look->done;
}

/* A trial that ends as the last one did need not be repeated soon. */
static void outcome_note(struct cedei_scale *scale, uint64_t now_ns, bool fewer) {
    uint64_t pause_ns = fewer == scale->fewer_last ? 2 * scale->pause_ns : PAUSE_MIN_NS;
    if (pause_ns < PAUSE_MIN_NS) pause_ns = PAUSE_MIN_NS;
    scale->fewer_last = fewer;
    scale->pause_ns = pause_ns < PAUSE_MAX_NS ? pause_ns : PAUSE_MAX_NS;
    scale->next_ns = now_ns + scale->pause_ns;
}

static enum cedei_scale_step call_all(struct cedei_scale *scale,
                                      const struct cedei_scale_look *look) {
    scale->state = CEDEI_SCALE_ALL;
    scale->is_steady = false;
    window_begin(scale, look);
    return CEDEI_SCALE_CALL_ALL;
}

static enum cedei_scale_step send_off(struct cedei_scale *scale, uint64_t rate) {
    scale->state = CEDEI_SCALE_LEAVING;
    scale->rate = rate;
    return CEDEI_SCALE_SEND_OFF;
}

static enum cedei_scale_step decide_all(struct cedei_scale *scale,
                                        const struct cedei_scale_look *look, uint64_t rate) {
    bool was_steady = scale->is_steady;
    scale->is_steady = look->busy >= 2 && look->busy == look->on_duty;
    window_begin(scale, look);
    if (!was_steady || !scale->is_steady) return CEDEI_SCALE_STAY;
    scale->is_steady = rate >= (uint64_t)look->busy * CEDEI_SCALE_FINE;
    if (!scale->is_steady || look->now_ns < scale->next_ns) return CEDEI_SCALE_STAY;
    return send_off(scale, rate);
}

static enum cedei_scale_step trial_fail(struct cedei_scale *scale,
                                        const struct cedei_scale_look *look) {
    outcome_note(scale, look->now_ns, false);
    window_begin(scale, look);
    scale->state = scale->off == scale->last ? CEDEI_SCALE_ALL : CEDEI_SCALE_FEW;
    scale->is_steady = false;
    return CEDEI_SCALE_CALL_BACK;
}

/* Also while they do not come to an end: then their turns are long. */
static enum cedei_scale_step decide_leaving(struct cedei_scale *scale,
                                            const struct cedei_scale_look *look,
                                            uint64_t passed_ns) {
    if (look->have_left) {
        scale->state = CEDEI_SCALE_TRIAL;
        window_begin(scale, look);
        return CEDEI_SCALE_SETTLE;
    }
    return passed_ns < LEAVE_MAX_NS ? CEDEI_SCALE_STAY : trial_fail(scale, look);
}

static enum cedei_scale_step decide_trial(struct cedei_scale *scale,
                                          const struct cedei_scale_look *look, uint64_t rate) {
    if (rate < scale->rate) return trial_fail(scale, look);
    window_begin(scale, look);
    if (look->on_duty >= 2) return send_off(scale, rate);
    outcome_note(scale, look->now_ns, true);
    scale->state = CEDEI_SCALE_FEW;
    return CEDEI_SCALE_STAY;
}

static enum cedei_scale_step decide_few(struct cedei_scale *scale,
                                        const struct cedei_scale_look *look, uint64_t rate) {
    if (rate < (uint64_t)look->on_duty * CEDEI_SCALE_FINE / 2) {
        scale->next_ns = look->now_ns + PAUSE_OTHER_NS;
        return call_all(scale, look);
    }
    if (look->now_ns >= scale->next_ns) return call_all(scale, look);
    window_begin(scale, look);
    return CEDEI_SCALE_STAY;
}

enum cedei_scale_step cedei_scale_decide(struct cedei_scale *scale,
                                         const struct cedei_scale_look *look) {
    uint64_t passed_ns = look->now_ns - scale->since_ns;
    if (scale->state == CEDEI_SCALE_LEAVING) return decide_leaving(scale, look, passed_ns);
    if (scale->state != CEDEI_SCALE_ALL && look->waits_behind) {
        scale->next_ns = look->now_ns + PAUSE_OTHER_NS;
        return call_all(scale, look);
    }
    if (passed_ns < CEDEI_SCALE_WINDOW_NS) return CEDEI_SCALE_STAY;
    uint64_t rate = (look->done - scale->done) * CEDEI_SCALE_WINDOW_NS / passed_ns;
    if (scale->state == CEDEI_SCALE_ALL) return decide_all(scale, look, rate);
    if (scale->state == CEDEI_SCALE_TRIAL) return decide_trial(scale, look, rate);
    return decide_few(scale, look, rate);
}

/* ---- looking and doing ---- */

static bool is_in(uint64_t set, uint32_t index) { return (set >> index & 1) != 0; }

/* Whether its present task is the one of the last look, with nothing begun in it since. */
static bool is_where_it_was(struct cedei_lookout *lookout, struct cedei_worker *worker,
                            uint64_t done) {
    uint32_t tick = cedei_tick_of(worker), *tick_before = &lookout->scale_ticks[worker->index];
    uint64_t *done_before = &lookout->scale_done[worker->index];
    bool same = tick == *tick_before && done == *done_before;
    *tick_before = tick;
    *done_before = done;
    return same;
}

static struct cedei_scale_look look_at(struct cedei_sched *sched) {
    struct cedei_scale *scale = &sched->lookout.scale;
    /* relaxed: a look. */
    uint64_t idle = atomic_load_explicit(&sched->idle, memory_order_relaxed);
    struct cedei_scale_look look = {.now_ns = cedei_clock_now_ns(), .have_left = true};
    bool waits = cedei_global_count(sched) != 0;
    for (uint32_t i = 0; i < sched->worker_count; i++) {
        struct cedei_worker *worker = &sched->workers[i];
        uint64_t done = cedei_count_read(&worker->counts.turns) +
                        cedei_count_read(&worker->counts.yields) +
                        cedei_count_read(&worker->counts.jobs);
        look.done += done;
        bool same = is_where_it_was(&sched->lookout, worker, done);
        if (is_in(scale->off, i)) {
            look.have_left &= cedei_spare_is_off(worker);
            continue;
        }
        look.on_duty++;
        if (is_in(idle, i)) continue;
        look.busy++;
        look.waits_behind |= same && (waits || cedei_runqueue_count(&worker->queue) != 0 ||
                                      cedei_lifo_peek(worker) != NULL);
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

uint64_t cedei_scale_round(struct cedei_sched *sched, uint64_t until_ns) {
    struct cedei_scale *scale = &sched->lookout.scale;
    if (CEDEI_SIM || sched->worker_count < 2) return until_ns;
    uint64_t due_ns = scale->looked_ns + CEDEI_SCALE_PERIOD_NS;
    if (cedei_clock_now_ns() < due_ns) return due_ns < until_ns ? due_ns : until_ns;
    struct cedei_scale_look look = look_at(sched);
    scale->looked_ns = look.now_ns;
    if (scale->returning == 0) step_take(sched, cedei_scale_decide(scale, &look), look.on_duty);
    returning_call(sched);
    if (scale->state == CEDEI_SCALE_ALL && scale->off == 0 &&
        (!scale->is_steady || look.now_ns < scale->next_ns))
        return until_ns;
    uint64_t soon_ns = look.now_ns + CEDEI_SCALE_PERIOD_NS;
    return soon_ns < until_ns ? soon_ns : until_ns;
}
