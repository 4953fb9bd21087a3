/* A task that blocks stops nobody: what waits behind it is run by others, also with one worker. Nothing here depends on
 * time: each blocking task waits for what only the others can do, so a test that is wrong hangs. */
#include "core/sys/clock.h"
#include "tests/support/tasks.h"

enum { CHAIN = 8 };

static _Atomic uint32_t begun, released, ended;
static struct errand errands[CHAIN + 1], blocker;

static void all_zero(void) {
    _Atomic uint32_t *all[] = {&begun, &released, &ended};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        atomic_store_explicit(all[i], 0, memory_order_relaxed); /* relaxed: no thread is there */
}

static void release(struct cedei_worker *worker, struct errand *errand) {
    (void)worker, (void)errand;
    counter_add(&released, 1);
}

/* Makes `number` tasks runnable and waits for all of them. */
static void submit_and_block(struct cedei_worker *worker, struct errand *errand) {
    for (uint32_t i = 0; i < errand->number; i++) errand_submit(worker, &errands[i]);
    counter_add(&begun, 1);
    counter_await(&released, errand->number);
    counter_add(&ended, 1);
}

static void block_with(uint32_t workers, uint32_t tasks) {
    all_zero();
    for (uint32_t i = 0; i < tasks; i++) errands[i] = errand_of(release, i);
    blocker = errand_of(submit_and_block, tasks);
    sched_begin(workers, true);
    errand_submit(NULL, &blocker);
    counter_await(&ended, 1);
    sched_end();
}

static void spare_runs_the_task_in_the_slot_of_the_only_worker(void **state) {
    (void)state;
    for (int i = 0; i < 5; i++) block_with(1, 1);
}

static void spare_runs_the_tasks_in_the_queue_of_the_only_worker(void **state) {
    (void)state;
    block_with(1, CHAIN);
}

/* The other workers sleep, and a task that goes to the slot wakes nobody. */
static void others_run_the_task_in_the_slot_of_one_that_blocks(void **state) {
    (void)state;
    for (uint32_t workers = 2; workers <= 4; workers++) block_with(workers, 1);
}

static void others_run_the_tasks_in_the_queue_of_one_that_blocks(void **state) {
    (void)state;
    block_with(2, CHAIN);
}

static void block_for_one(struct cedei_worker *worker, struct errand *errand) {
    (void)worker, (void)errand;
    counter_add(&begun, 1);
    counter_await(&released, 1);
    counter_add(&ended, 1);
}

static void spare_runs_what_comes_after_the_worker_was_stuck(void **state) {
    (void)state;
    all_zero();
    errands[0] = errand_of(release, 0);
    blocker = errand_of(block_for_one, 0);
    sched_begin(1, true);
    errand_submit(NULL, &blocker);
    counter_await(&begun, 1);
    errand_submit(NULL, &errands[0]);
    counter_await(&ended, 1);
    sched_end();
}

static void release_by_timer(struct cedei_timer *timer, void *context) {
    (void)timer, (void)context;
    counter_add(&released, 1);
}

static void spare_keeps_the_time_while_the_only_worker_is_stuck(void **state) {
    (void)state;
    static struct cedei_timer timer = {.fire = release_by_timer};
    all_zero();
    blocker = errand_of(block_for_one, 0);
    sched_begin(1, true);
    errand_submit(NULL, &blocker);
    counter_await(&begun, 1);
    cedei_sched_timer_add(&sched, &timer, cedei_clock_now_ns() + 1000000);
    counter_await(&ended, 1);
    sched_end();
}

/* Each task of the chain starts the next and blocks until the last has run: spare workers get stuck too. */
static void chain_on(struct cedei_worker *worker, struct errand *errand) {
    if (errand->number == CHAIN) {
        counter_add(&released, 1);
    } else {
        errand_submit(worker, errand + 1);
        counter_await(&released, 1);
    }
    counter_add(&ended, 1);
}

static void spare_workers_take_the_place_of_spare_workers(void **state) {
    (void)state;
    for (uint32_t workers = 1; workers <= 3; workers++) {
        all_zero();
        for (uint32_t i = 0; i <= CHAIN; i++) errands[i] = errand_of(chain_on, i);
        sched_begin(workers, true);
        errand_submit(NULL, &errands[0]);
        counter_await(&ended, CHAIN + 1);
        assert_in_range(cedei_sched_seats(&sched), CHAIN + 1, CEDEI_WORKERS_MAX);
        sched_end();
    }
}

static uint32_t duty_of(uint32_t seat) { return atomic_load(&sched.workers[seat].duty); }

static void spare_goes_off_duty_and_comes_again(void **state) {
    (void)state;
    sched_begin(1, true);
    assert_true(cedei_worker_is_alone(&sched.workers[0]) == sched.may_be_alone);
    for (int i = 0; i < 10; i++) {
        all_zero();
        errands[0] = errand_of(release, 0);
        blocker = errand_of(submit_and_block, 1);
        errand_submit(NULL, &blocker);
        counter_await(&ended, 1);
        /* While the system is busy again, the spare one is sent off, and the slot becomes the worker's own. */
        while (duty_of(1) != CEDEI_DUTY_OFF ||
               cedei_worker_is_alone(&sched.workers[0]) != sched.may_be_alone) {
            static struct errand poke;
            poke = errand_of(release, 0);
            uint32_t before = counter_get(&released);
            errand_submit(NULL, &poke);
            counter_await(&released, before + 1);
        }
    }
    /* The same one comes again; a slow machine, on which others look stuck too, may have called some more. */
    assert_in_range(cedei_sched_seats(&sched), 2, 8);
    sched_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spare_runs_the_task_in_the_slot_of_the_only_worker),
        cmocka_unit_test(spare_runs_the_tasks_in_the_queue_of_the_only_worker),
        cmocka_unit_test(others_run_the_task_in_the_slot_of_one_that_blocks),
        cmocka_unit_test(others_run_the_tasks_in_the_queue_of_one_that_blocks),
        cmocka_unit_test(spare_runs_what_comes_after_the_worker_was_stuck),
        cmocka_unit_test(spare_keeps_the_time_while_the_only_worker_is_stuck),
        cmocka_unit_test(spare_workers_take_the_place_of_spare_workers),
        cmocka_unit_test(spare_goes_off_duty_and_comes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
