/* The histogram of turn lengths: a sample that stands for all. */
#include "core/sys/clock.h"
#include "tests/support/tasks.h"

enum { TASKS = 200000, SLOW_NS = 20000 };

static _Atomic uint32_t ended;
static struct errand pair[2];
static bool slow;

/* Every second task is a slow one: a sample at a fixed distance could miss them all. */
static void pass_on(struct cedei_worker *worker, struct errand *errand) {
    uint64_t until_ns = slow && errand == &pair[0] ? cedei_clock_now_ns() + SLOW_NS : 0;
    while (until_ns != 0 && cedei_clock_now_ns() < until_ns) cedei_cpu_relax();
    if (errand->number-- == 0)
        counter_add(&ended, 1);
    else
        errand_submit(worker, errand->context);
}

static void run_pair(uint32_t tasks, uint64_t *lengths) {
    uint32_t before = counter_get(&ended);
    for (int i = 0; i < 2; i++) {
        pair[i] = errand_of(pass_on, tasks / 2);
        pair[i].context = &pair[1 - i];
    }
    sched_begin(1, false);
    errand_submit(NULL, &pair[0]);
    counter_await(&ended, before + 1);
    cedei_sched_turn_lengths(&sched, lengths);
    sched_end();
}

static uint64_t sum_from(const uint64_t *lengths, uint32_t first) {
    uint64_t sum = 0;
    for (uint32_t i = first; i < CEDEI_TURN_LENGTHS; i++) sum += lengths[i];
    return sum;
}

/* What comes after the last sample is missing, and so is one during which the machine was away for long. */
static void sample_stands_for_all_tasks(void **state) {
    (void)state;
    uint64_t lengths[CEDEI_TURN_LENGTHS];
    slow = false;
    run_pair(TASKS, lengths);
    assert_in_range(sum_from(lengths, 0), TASKS / 2, TASKS + 100);
}

static void sample_does_not_fall_in_step_with_the_tasks(void **state) {
    (void)state;
    uint64_t lengths[CEDEI_TURN_LENGTHS];
    slow = true;
    run_pair(50000, lengths);
    /* Of about 35 samples, half are of either kind; all of one kind comes once in 2^35 runs. */
    assert_true(sum_from(lengths, cedei_turn_length_index(SLOW_NS)) > 0);
    assert_true(sum_from(lengths, 0) > sum_from(lengths, cedei_turn_length_index(SLOW_NS)));
}

static void sample_puts_lengths_into_powers_of_two(void **state) {
    (void)state;
    assert_int_equal(cedei_turn_length_index(0), 0);
    assert_int_equal(cedei_turn_length_index(1), 0);
    assert_int_equal(cedei_turn_length_index(2), 1);
    assert_int_equal(cedei_turn_length_index(1023), 9);
    assert_int_equal(cedei_turn_length_index(1024), 10);
    assert_int_equal(cedei_turn_length_index(UINT64_MAX), CEDEI_TURN_LENGTHS - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_stands_for_all_tasks),
        cmocka_unit_test(sample_does_not_fall_in_step_with_the_tasks),
        cmocka_unit_test(sample_puts_lengths_into_powers_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
