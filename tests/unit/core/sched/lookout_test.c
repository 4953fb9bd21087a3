/* The lookout: counts long turns one by one, each once, and sleeps when there is nothing to see. */
#include "core/sys/clock.h"
#include "tests/support/tasks.h"
#include "tests/support/wait.h"

static _Atomic uint32_t ended;

static uint64_t figure(const _Atomic uint64_t *count) {
    /* acquire: looked at until it changes. */
    return atomic_load_explicit(count, memory_order_acquire);
}

static void watch_begin(uint32_t workers, uint64_t warn_ns) {
    struct cedei_sched_options options = {.workers = workers,
                                          .pool_threads_max = 4,
                                          .pool_queue_max = 100,
                                          .pool_idle_ns = 1000000000,
                                          .stack_size = 64 * 1024,
                                          .turn_warn_ns = warn_ns,
                                          .log = {.level = CEDE_LOG_ERROR}};
    EXPECT_OK(cedei_sched_init(&sched, &options));
}

static uint64_t long_lengths(void) {
    uint64_t lengths[CEDEI_TURN_LENGTHS], sum = 0;
    cedei_sched_turn_lengths(&sched, lengths);
    for (uint32_t i = cedei_turn_length_index(CEDEI_TURN_LONG_NS); i < CEDEI_TURN_LENGTHS; i++)
        sum += lengths[i];
    return sum;
}

/* Blocks until it has been seen for long, and then some more. */
static void block_until_seen(struct cedei_worker *worker, struct errand *errand) {
    (void)worker;
    static _Atomic uint32_t never;
    while (figure(&sched.lookout.long_turns) < errand->number)
        cedei_futex_wait(&never, 0, cedei_clock_now_ns() + 1000000);
    uint64_t looks = figure(&sched.lookout.looks);
    while (errand->number != 0 && figure(&sched.lookout.looks) < looks + 3)
        cedei_futex_wait(&never, 0, cedei_clock_now_ns() + 1000000);
    counter_add(&ended, 1);
}

static void lookout_counts_each_long_turn_once(void **state) {
    (void)state;
    static struct errand errands[3];
    uint32_t before = counter_get(&ended);
    watch_begin(1, 4 * CEDEI_TURN_LONG_NS);
    for (uint32_t i = 0; i < 3; i++) {
        errands[i] = errand_of(block_until_seen, i + 1);
        errand_submit(NULL, &errands[i]);
        counter_await(&ended, before + i + 1);
        assert_int_equal(figure(&sched.lookout.long_turns), i + 1);
    }
    while (long_lengths() < 3) look_later(); /* the lookout sees that the last is over */
    assert_int_equal(long_lengths(), 3);
    sched_end();
}

/* The limit says what is reported, not what is counted in the histogram. */
static void lookout_reports_nothing_without_a_limit(void **state) {
    (void)state;
    static struct errand blocker;
    uint32_t before = counter_get(&ended);
    watch_begin(1, 0);
    uint64_t looks = figure(&sched.lookout.looks);
    blocker = errand_of(block_until_seen, 0);
    errand_submit(NULL, &blocker);
    counter_await(&ended, before + 1);
    while (figure(&sched.lookout.looks) < looks + 2) look_later();
    assert_int_equal(figure(&sched.lookout.long_turns), 0);
    sched_end();
}

/* Told apart by the count of turns, although the worker's task stays the same. */
static void many_turns(struct cedei_worker *worker, struct errand *errand) {
    (void)errand;
    uint64_t looks = figure(&sched.lookout.looks);
    while (figure(&sched.lookout.looks) < looks + 50) cedei_count_add(&worker->counts.turns, 1);
    counter_add(&ended, 1);
}

static void lookout_does_not_take_many_turns_for_a_long_one(void **state) {
    (void)state;
    static struct errand errand;
    uint32_t before = counter_get(&ended);
    watch_begin(1, CEDEI_TURN_LONG_NS);
    errand = errand_of(many_turns, 0);
    errand_submit(NULL, &errand);
    counter_await(&ended, before + 1);
    assert_int_equal(figure(&sched.lookout.long_turns), 0);
    sched_end();
}

/* It is woken by work, and falls asleep again. */
static void end(struct cedei_worker *worker, struct errand *errand) {
    (void)worker, (void)errand;
    counter_add(&ended, 1);
}

static void lookout_sleeps_and_is_woken_by_work(void **state) {
    (void)state;
    static struct errand errand;
    watch_begin(2, CEDEI_TURN_LONG_NS);
    for (int i = 0; i < 3; i++) {
        uint32_t before = counter_get(&ended);
        while (atomic_load(&sched.lookout.asleep) == 0) look_later();
        uint64_t looks = figure(&sched.lookout.looks);
        errand = errand_of(end, 0);
        errand_submit(NULL, &errand);
        counter_await(&ended, before + 1);
        while (figure(&sched.lookout.looks) == looks) look_later();
    }
    sched_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookout_counts_each_long_turn_once),
        cmocka_unit_test(lookout_reports_nothing_without_a_limit),
        cmocka_unit_test(lookout_does_not_take_many_turns_for_a_long_one),
        cmocka_unit_test(lookout_sleeps_and_is_woken_by_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
