/* Where tasks wait: 256 in a worker's queue, and what is too much goes to the global queue by halves. */
#include "tests/support/tasks.h"

enum { ROOM = 256, TASKS = ROOM + 2, HALF = ROOM / 2 };

static _Atomic uint32_t ended;
static struct errand errands[TASKS], first;
static uint64_t global_before, global_after;
static uint32_t local_before, local_after;
static uint32_t order[TASKS], ordered;

static void note_order(struct cedei_worker *worker, struct errand *errand) {
    (void)worker;
    order[ordered++] = errand->number;
    counter_add(&ended, 1);
}

/* The last of them stays in the slot. */
static void fill_up(struct cedei_worker *worker, struct errand *errand) {
    (void)errand;
    for (int i = 0; i < TASKS - 1; i++) errand_submit(worker, &errands[i]);
    local_before = cedei_runqueue_count(&worker->queue);
    global_before = cedei_global_count(&sched);
    errand_submit(worker, &errands[TASKS - 1]);
    local_after = cedei_runqueue_count(&worker->queue);
    global_after = cedei_global_count(&sched);
}

static void queue_gives_half_of_256_to_the_global_queue(void **state) {
    (void)state;
    for (uint32_t i = 0; i < TASKS; i++) errands[i] = errand_of(note_order, i);
    first = errand_of(fill_up, 0);
    sched_begin(1, false);
    errand_submit(NULL, &first);
    counter_await(&ended, TASKS);
    sched_end();
    assert_int_equal(local_before, ROOM);
    assert_int_equal(global_before, 0);
    assert_int_equal(local_after, HALF);
    assert_int_equal(global_after, HALF + 1); /* and the one that found no room */
}

static void queue_loses_and_doubles_none_that_it_gives_away(void **state) {
    (void)state;
    bool seen[TASKS] = {false};
    assert_int_equal(ordered, TASKS);
    for (uint32_t i = 0; i < TASKS; i++) {
        assert_false(seen[order[i]]);
        seen[order[i]] = true;
    }
}

/* Makes more than the queue holds, and gives way. */
static void fill_and_give_way(struct cedei_worker *worker, struct errand *errand) {
    if (errand->number++ == 0) {
        for (int i = 0; i < TASKS; i++) errand_submit(worker, &errands[i]);
        cedei_sched_requeue(worker, &errand->task);
    } else {
        local_after = ordered;
        counter_add(&ended, 1);
    }
}

/* But for the share of them that came into the queue with it. */
static void task_that_gives_way_comes_behind_those_that_found_no_room(void **state) {
    (void)state;
    for (uint32_t i = 0; i < TASKS; i++) errands[i] = errand_of(note_order, i);
    first = errand_of(fill_and_give_way, 0);
    ordered = 0;
    atomic_store_explicit(&ended, 0, memory_order_relaxed); /* relaxed: no thread is there */
    sched_begin(1, false);
    errand_submit(NULL, &first);
    counter_await(&ended, TASKS + 1);
    sched_end();
    assert_in_range(local_after, TASKS - HALF / 2, TASKS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_gives_half_of_256_to_the_global_queue),
        cmocka_unit_test(queue_loses_and_doubles_none_that_it_gives_away),
        cmocka_unit_test(task_that_gives_way_comes_behind_those_that_found_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
