/* Taking work from others: half of a queue, the slot behind a long task, and not with all workers at once. */
#include "tests/support/tasks.h"

enum { TASKS = 101 };

static _Atomic uint32_t holding, filled, released, ended;
static _Atomic uint32_t first_looked;
static struct errand errands[TASKS], holder, filler;
static struct cedei_worker *victim;
static uint32_t victim_left, thief_has;

static void all_zero(void) {
    _Atomic uint32_t *all[] = {&holding, &filled, &released, &ended, &first_looked};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        atomic_store_explicit(all[i], 0, memory_order_relaxed); /* relaxed: no thread is there */
}

/* Keeps the other worker busy until the victim's queue is full. */
static void hold(struct cedei_worker *worker, struct errand *errand) {
    (void)worker, (void)errand;
    counter_add(&holding, 1);
    counter_await(&filled, 1);
}

static void fill_and_wait(struct cedei_worker *worker, struct errand *errand) {
    (void)errand;
    counter_await(&holding, 1);
    victim = worker;
    for (int i = 0; i < TASKS; i++) errand_submit(worker, &errands[i]);
    counter_add(&filled, 1);
    counter_await(&first_looked, 1); /* blocks: the thief is the only one that runs */
}

static void look_once(struct cedei_worker *worker, struct errand *errand) {
    (void)errand;
    if (counter_get(&first_looked) == 0) {
        victim_left = cedei_runqueue_count(&victim->queue);
        thief_has = cedei_runqueue_count(&worker->queue);
        EXPECT(worker != victim);
        counter_add(&first_looked, 1);
    }
    counter_add(&ended, 1);
}

static void steal_takes_half_of_a_queue(void **state) {
    (void)state;
    all_zero();
    for (uint32_t i = 0; i < TASKS; i++) errands[i] = errand_of(look_once, i);
    holder = errand_of(hold, 0);
    filler = errand_of(fill_and_wait, 0);
    sched_begin(2, false);
    errand_submit(NULL, &holder);
    errand_submit(NULL, &filler);
    counter_await(&ended, TASKS);
    struct errand_counts counts = counts_now();
    assert_int_equal(counts.steals > 0, 1);
    sched_end();
    assert_int_equal(victim_left, (TASKS - 1) / 2); /* one is in the slot */
    assert_int_equal(thief_has, (TASKS - 1) / 2 - 1);
}

/* The slot only, nothing in the queue. The thief is awake and searches when the long task has begun: it takes the slot
 * because its owner's tick stays the same. */
static void fill_slot_and_wait(struct cedei_worker *worker, struct errand *errand) {
    counter_await(&holding, 1);
    errand_submit(worker, errand->context);
    counter_add(&filled, 1);
    counter_await(&released, 1);
    counter_add(&ended, 1);
}

static void release(struct cedei_worker *worker, struct errand *errand) {
    (void)worker, (void)errand;
    counter_add(&released, 1);
}

static void steal_takes_the_slot_behind_a_long_task(void **state) {
    (void)state;
    all_zero();
    holder = errand_of(hold, 0);
    errands[0] = errand_of(release, 0);
    filler = errand_of(fill_slot_and_wait, 0);
    filler.context = &errands[0];
    sched_begin(2, false);
    errand_submit(NULL, &holder);
    errand_submit(NULL, &filler);
    counter_await(&ended, 1);
    sched_end();
}

/* No threads: eight workers on paper, of which some search. */
static void steal_lets_half_of_the_workers_search(void **state) {
    (void)state;
    enum { WORKERS = 8 };
    static struct cedei_worker workers[WORKERS];
    memset(&sched, 0, sizeof sched);
    sched.worker_count = WORKERS;
    uint32_t searching = 0;
    for (uint32_t i = 0; i < WORKERS; i++) {
        cedei_worker_init(&workers[i], &sched, i, false);
        searching += cedei_search_begin(&workers[i]);
        assert_true(cedei_search_begin(&workers[i]) == workers[i].searching); /* once is enough */
    }
    assert_int_equal(searching, WORKERS / 2);
    cedei_search_end(&workers[0], false);
    assert_true(cedei_search_begin(&workers[WORKERS - 1]));
    assert_false(cedei_search_begin(&workers[0]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steal_takes_half_of_a_queue),
        cmocka_unit_test(steal_takes_the_slot_behind_a_long_task),
        cmocka_unit_test(steal_lets_half_of_the_workers_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
