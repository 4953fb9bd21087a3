/* sample.c - how long turns take, from a sample: a clock at both ends of every turn would cost as much as a short turn.
 * Every SAMPLE_POLLS_MIN to twice as many looks at the global queue (about one task in 1,400) a worker times one task, from
 * its start to the next choice of a task. It stands for all tasks since the last one that was timed. The distance is
 * random, so that it cannot fall in step with tasks that come in a circle. A task may run several turns; they count with
 * their mean. Turns over CEDEI_TURN_LONG_NS are left out: the lookout counts each of them. */
#include "core/sched/sched_internal.h"
#include "core/sys/clock.h"

enum { SAMPLE_POLLS_MIN = 16 };

static uint64_t turns_of(struct cedei_worker *worker) {
    /* relaxed: our own count. */
    return atomic_load_explicit(&worker->counts.turns, memory_order_relaxed);
}

void cedei_sample_count(struct cedei_worker *worker, uint32_t tick) {
    struct cedei_sample *sample = &worker->sample;
    if (sample->polls_left-- != 0) return;
    sample->random = sample->random * 1664525u + 1013904223u; /* Numerical Recipes; any will do */
    sample->polls_left = SAMPLE_POLLS_MIN + sample->random / (UINT32_MAX / SAMPLE_POLLS_MIN + 1);
    sample->stands_for = tick - sample->tick;
    sample->tick = tick;
    sample->running = true;
}

void cedei_sample_start(struct cedei_worker *worker, uint32_t tick) {
    struct cedei_sample *sample = &worker->sample;
    worker->poll_tick = tick + 1; /* comes by here again when the task is over */
    sample->turns = turns_of(worker);
    sample->start_ns = cedei_clock_now_ns();
}

void cedei_sample_stop(struct cedei_worker *worker) {
    struct cedei_sample *sample = &worker->sample;
    sample->running = false;
    uint64_t turns = turns_of(worker) - sample->turns;
    if (turns == 0) turns = 1; /* the rest of one that had been suspended */
    uint64_t ns = (cedei_clock_now_ns() - sample->start_ns) / turns;
    if (ns >= CEDEI_TURN_LONG_NS) return;
    cedei_count_add(&sample->lengths[cedei_turn_length_index(ns)], turns * sample->stands_for);
}
