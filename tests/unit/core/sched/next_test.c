/* Which task comes next: the LIFO slot, but three times in a row at most while others wait, or for as long as they took; the global queue
 * every 61 tasks, however much there is to do. One worker without a lookout, so that the order is the same each time. */
#include "core/sys/clock.h"
#include "tests/support/tasks.h"

enum { POLL_TICKS = 61 };

static _Atomic uint32_t ended;
static uint32_t runs;   /* of tasks that keep the slot full; the worker's */
static uint32_t at_run; /* the value of `runs` when the one that waited ran */

static void note_run(struct cedei_worker *worker, struct errand *errand) {
    (void)worker, (void)errand;
    at_run = runs;
    counter_add(&ended, 1);
}

/* Two tasks wake each other by turns, `number` times. */
static void pass_on(struct cedei_worker *worker, struct errand *errand) {
    struct errand *other = errand->context;
    if (++runs == errand->number)
        counter_add(&ended, 1);
    else
        errand_submit(worker, other);
}

static struct errand pair[2], waiting, first;

static void pair_ready(uint32_t rounds) {
    for (int i = 0; i < 2; i++) {
        pair[i] = errand_of(pass_on, rounds);
        pair[i].context = &pair[1 - i];
    }
    waiting = errand_of(note_run, 0);
    runs = at_run = 0;
    atomic_store_explicit(&ended, 0, memory_order_relaxed); /* relaxed: no thread is there yet */
}

/* The one that waits is pushed out of the slot into the queue. */
static void start_behind(struct cedei_worker *worker, struct errand *errand) {
    (void)errand;
    errand_submit(worker, &waiting);
    errand_submit(worker, &pair[0]);
}

static void next_takes_the_slot_three_times_at_most_while_others_wait(void **state) {
    (void)state;
    pair_ready(1000);
    first = errand_of(start_behind, 0);
    sched_begin(1, false);
    errand_submit(NULL, &first);
    counter_await(&ended, 2);
    sched_end();
    assert_int_equal(runs, 1000);
    assert_true(at_run >= 1); /* the slot does come first */
    assert_true(at_run <= CEDEI_LIFO_RUNS_MAX);
}

/* Nobody waits at first, so the slot has been used many times when somebody comes. */
static void pass_on_late(struct cedei_worker *worker, struct errand *errand) {
    if (runs == 500) {
        at_run = UINT32_MAX;
        cedei_sched_requeue(worker, &waiting.task);
    }
    pass_on(worker, errand);
}

static void next_counts_the_three_from_when_somebody_waits(void **state) {
    (void)state;
    pair_ready(1000);
    pair[0].run = pass_on_late;
    sched_begin(1, false);
    errand_submit(NULL, &pair[0]);
    counter_await(&ended, 2);
    sched_end();
    assert_in_range(at_run, 501, 501 + CEDEI_LIFO_RUNS_MAX);
}

enum { LONG_TASKS = 100, LONG_NS = 200000 };

/* As an actor that never lacks messages. */
static void run_long(struct cedei_worker *worker, struct errand *errand) {
    uint64_t until_ns = cedei_clock_now_ns() + LONG_NS;
    while (cedei_clock_now_ns() < until_ns) {}
    if (--errand->number > 0) {
        cedei_sched_requeue(worker, &errand->task);
        return;
    }
    at_run = runs;
    counter_add(&ended, 1);
}

/* Until the long one has ended. */
static void pass_on_meanwhile(struct cedei_worker *worker, struct errand *errand) {
    runs++;
    /* relaxed: written by this worker. */
    if (atomic_load_explicit(&ended, memory_order_relaxed) != 0)
        counter_add(&ended, 1);
    else
        errand_submit(worker, errand->context);
}

/* By the count, the pair would have 4 runs for each of the long ones. */
static void next_gives_the_slot_as_much_time_as_the_others_took(void **state) {
    (void)state;
    pair_ready(0);
    pair[0].run = pair[1].run = pass_on_meanwhile;
    waiting = errand_of(run_long, LONG_TASKS);
    first = errand_of(start_behind, 0);
    sched_begin(1, false);
    errand_submit(NULL, &first);
    counter_await(&ended, 2);
    sched_end();
    assert_true(at_run > 4 * 4 * LONG_TASKS);
}

/* Nothing but the slot is in use, for a while already. */
static void pass_on_and_push(struct cedei_worker *worker, struct errand *errand) {
    if (runs == 500) cedei_global_push(&sched, &waiting.task, &waiting.task, 1);
    pass_on(worker, errand);
}

static void next_looks_at_the_global_queue_every_61_tasks(void **state) {
    (void)state;
    pair_ready(10000);
    pair[0].run = pass_on_and_push;
    sched_begin(1, false);
    errand_submit(NULL, &pair[0]);
    counter_await(&ended, 2);
    sched_end();
    assert_int_equal(runs, 10000);
    assert_in_range(at_run, 501, 500 + POLL_TICKS);
}

static void timer_note(struct cedei_timer *timer, void *context) {
    (void)timer;
    note_run(context, NULL);
}

static struct cedei_timer timer = {.fire = timer_note};

static void start_before_timer(struct cedei_worker *worker, struct errand *errand) {
    (void)errand;
    cedei_sched_timer_add(&sched, &timer, 1); /* long past */
    errand_submit(worker, &pair[0]);
}

/* The pair goes on until the timer has been seen to; else for ever. */
static void next_looks_at_the_timers_every_61_tasks(void **state) {
    (void)state;
    pair_ready(0);
    pair[0].run = pair[1].run = pass_on_meanwhile;
    first = errand_of(start_before_timer, 0);
    sched_begin(1, false);
    errand_submit(NULL, &first);
    counter_await(&ended, 2);
    sched_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_takes_the_slot_three_times_at_most_while_others_wait),
        cmocka_unit_test(next_counts_the_three_from_when_somebody_waits),
        cmocka_unit_test(next_gives_the_slot_as_much_time_as_the_others_took),
        cmocka_unit_test(next_looks_at_the_global_queue_every_61_tasks),
        cmocka_unit_test(next_looks_at_the_timers_every_61_tasks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
