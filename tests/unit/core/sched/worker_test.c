/* From one suspended task straight to the next: each goes on with its own stack, the others of the worker's duties (the
 * global queue, timers, tasks that have not begun) still get their share, and what has been left may go on at once, on
 * another worker. One worker without a lookout where the order matters, so that it is the same each time. */
#include "core/sys/clock.h"
#include "tests/support/tasks.h"
#include "tests/support/wait.h"

/* A task with a stack of its own. */
struct walk {
    struct cedei_task task;
    struct cedei_stack *lease;
    uint32_t rounds; /* times that it suspends yet */
    bool is_held;    /* must be run by the loop, not gone on with */
};

static _Atomic uint32_t ended, told, by_loop, direct;

static struct cedei_worker *walk_run(struct cedei_worker *worker, struct cedei_task *task);

static struct cedei_stack *walk_lease_take(struct cedei_worker *worker, struct cedei_task *task) {
    (void)worker;
    if (task->run != walk_run) return NULL;
    struct walk *walk = CEDEI_CONTAINER_OF(task, struct walk, task);
    struct cedei_stack *lease = walk->lease;
    if (lease == NULL || walk->is_held) return NULL;
    walk->lease = NULL;
    counter_add(&direct, 1);
    return lease;
}

static void walk_commit(struct cedei_worker *worker, void *context) {
    cedei_sched_requeue(worker, &((struct walk *)context)->task);
}

static struct cedei_worker *walk_yield(struct cedei_worker *worker, struct walk *walk) {
    EXPECT_OK(cedei_worker_suspend(worker, &walk->lease, walk_commit, walk));
    worker = cedei_worker_current();
    cedei_worker_arrived(worker);
    EXPECT(walk->lease == NULL);
    return worker;
}

/* What is on its stack must still be there each time. `rounds` 0: until it is told. */
static struct cedei_worker *walk_run(struct cedei_worker *worker, struct cedei_task *task) {
    struct walk *walk = CEDEI_CONTAINER_OF(task, struct walk, task);
    if (walk->lease != NULL) {
        struct cedei_stack *lease = walk->lease;
        walk->lease = NULL;
        counter_add(&by_loop, 1);
        return cedei_worker_resume(worker, lease);
    }
    volatile uint64_t own[16];
    for (uint64_t i = 0; i < 16; i++) own[i] = (uintptr_t)walk + i;
    bool until_told = walk->rounds == 0;
    while (until_told ? counter_get(&told) == 0 : walk->rounds-- > 0) {
        worker = walk_yield(worker, walk);
        for (uint64_t i = 0; i < 16; i++) EXPECT(own[i] == (uintptr_t)walk + i);
    }
    counter_add(&ended, 1);
    return worker;
}

enum { WALKS = 100 };
static struct walk walks[WALKS];

static void walks_ready(uint32_t rounds) {
    _Atomic uint32_t *all[] = {&ended, &told, &by_loop, &direct};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        atomic_store_explicit(all[i], 0, memory_order_relaxed); /* relaxed: no thread is there */
    for (int i = 0; i < WALKS; i++)
        walks[i] = (struct walk){.task = {.run = walk_run}, .rounds = rounds};
}

static void walks_begin(uint32_t workers) {
    struct cedei_sched_options options = {.workers = workers,
                                          .stack_size = 64 * 1024,
                                          .no_lookout = true,
                                          .lease_take = walk_lease_take,
                                          .log = {.level = CEDE_LOG_ERROR}};
    EXPECT_OK(cedei_sched_init(&sched, &options));
}

static void walks_submit(struct cedei_worker *worker, int count) {
    for (int i = 0; i < count; i++) EXPECT_OK(cedei_sched_submit(&sched, worker, &walks[i].task));
}

/* All at once, by the worker itself: one that begins before the others are there would find nobody to go on with. */
static void begin_all(struct cedei_worker *worker, struct errand *errand) {
    (void)errand;
    walks_submit(worker, WALKS);
}

static void walks_submit_at_once(void) {
    static struct errand first;
    first = errand_of(begin_all, 0);
    errand_submit(NULL, &first);
}

static void worker_goes_from_one_suspended_task_straight_to_the_next(void **state) {
    (void)state;
    walks_ready(200);
    walks_begin(1);
    walks_submit_at_once();
    counter_await(&ended, WALKS);
    sched_end();
    assert_int_equal(direct + by_loop, 200 * WALKS);
    assert_in_range(direct, 180 * WALKS, 200 * WALKS); /* but for every 61st, and the last */
}

/* Each is published on the other's stack, and may be taken by another worker before this one has done anything else. */
static void tasks_that_are_left_go_on_at_other_workers(void **state) {
    (void)state;
    for (uint32_t workers = 2; workers <= 4; workers++) {
        walks_ready(200);
        walks_begin(workers);
        walks_submit(NULL, WALKS);
        counter_await(&ended, WALKS);
        sched_end();
        assert_int_equal(direct + by_loop, 200 * WALKS);
    }
}

static void tell(struct cedei_worker *worker, struct errand *errand) {
    (void)worker, (void)errand;
    counter_add(&told, 1);
}

static void worker_looks_at_the_global_queue_between_tasks_that_suspend(void **state) {
    (void)state;
    static struct errand teller;
    walks_ready(0);
    walks_begin(1);
    walks_submit(NULL, 2);
    while (counter_get(&direct) < 1000) look_later();
    teller = errand_of(tell, 0);
    errand_submit(NULL, &teller);
    counter_await(&ended, 2);
    sched_end();
}

static void timer_tell(struct cedei_timer *timer, void *context) {
    (void)timer, (void)context;
    counter_add(&told, 1);
}

static void worker_looks_at_the_timers_between_tasks_that_suspend(void **state) {
    (void)state;
    static struct cedei_timer timer;
    timer = (struct cedei_timer){.fire = timer_tell};
    walks_ready(0);
    walks_begin(1);
    walks_submit(NULL, 2);
    while (counter_get(&direct) < 1000) look_later();
    cedei_sched_timer_add(&sched, &timer, cedei_clock_now_ns() + 100000);
    counter_await(&ended, 2);
    sched_end();
}

/* When one suspends, the next has not begun: it does so on a stack of its own. */
static void task_that_has_not_begun_is_begun_once_when_another_suspends(void **state) {
    (void)state;
    walks_ready(1);
    walks_begin(1);
    walks_submit_at_once();
    counter_await(&ended, WALKS);
    sched_end();
    assert_int_equal(ended, WALKS);
    assert_int_equal(direct + by_loop, WALKS);
}

/* A killed actor's is not gone on with: the loop must run it, with the stack that it has. */
static void task_whose_lease_is_held_back_is_run_by_the_loop(void **state) {
    (void)state;
    walks_ready(100);
    for (int i = 0; i < WALKS; i += 2) walks[i].is_held = true;
    walks_begin(1);
    walks_submit_at_once();
    counter_await(&ended, WALKS);
    sched_end();
    assert_int_equal(direct + by_loop, 100 * WALKS);
    assert_in_range(by_loop, 50 * WALKS, 60 * WALKS);
}

/* ---- handing over ---- */

/* Suspends and goes on with the other one, which makes it ready again; `behind` waits meanwhile. */
static struct walk master;
static struct errand other, behind, starter;
static uint32_t handed, helped, helped_before;

static void help(struct cedei_worker *worker, struct errand *errand) {
    (void)errand;
    helped++;
    EXPECT_OK(cedei_sched_submit(&sched, worker, &master.task));
}

static void behind_note(struct cedei_worker *worker, struct errand *errand) {
    (void)worker, (void)errand;
    helped_before = helped;
}

static void commit_nothing(struct cedei_worker *worker, void *context) {
    (void)worker, (void)context;
}

static struct cedei_worker *master_run(struct cedei_worker *worker, struct cedei_task *task) {
    if (master.lease != NULL) {
        struct cedei_stack *lease = master.lease;
        master.lease = NULL;
        return cedei_worker_resume(worker, lease);
    }
    for (; master.rounds > 0; master.rounds--) {
        struct cedei_stack *next = cedei_worker_hand_over(worker, &other.task);
        if (next != NULL) {
            handed++;
            EXPECT(worker->running == &other.task);
            cedei_worker_switch(worker, next, &master.lease, commit_nothing, NULL);
        } else {
            errand_submit(worker, &other);
            EXPECT_OK(cedei_worker_suspend(worker, &master.lease, commit_nothing, NULL));
        }
        worker = cedei_worker_current();
        cedei_worker_arrived(worker);
        EXPECT(worker->running == task && master.lease == NULL);
    }
    counter_add(&ended, 1);
    return worker;
}

static void master_ready(uint32_t rounds) {
    walks_ready(0);
    master = (struct walk){.task = {.run = master_run}, .rounds = rounds};
    other = errand_of(help, 0);
    behind = errand_of(behind_note, 0);
    handed = helped = 0;
    helped_before = UINT32_MAX;
}

static void task_that_is_handed_over_to_is_run_next(void **state) {
    (void)state;
    master_ready(1000);
    walks_begin(1);
    EXPECT_OK(cedei_sched_submit(&sched, NULL, &master.task));
    counter_await(&ended, 1);
    sched_end();
    assert_int_equal(helped, 1000);
    assert_in_range(handed, 950, 1000); /* but where something else had to be looked at */
}

/* The one behind is pushed out of the slot into the queue. */
static void start_before_behind(struct cedei_worker *worker, struct errand *errand) {
    (void)errand;
    errand_submit(worker, &behind);
    EXPECT_OK(cedei_sched_submit(&sched, worker, &master.task));
}

static void handing_over_counts_as_a_use_of_the_slot(void **state) {
    (void)state;
    master_ready(1000);
    starter = errand_of(start_before_behind, 0);
    walks_begin(1);
    errand_submit(NULL, &starter);
    counter_await(&ended, 1);
    sched_end();
    assert_int_equal(helped, 1000);
    assert_in_range(helped_before, 1, CEDEI_LIFO_RUNS_MAX);
}

static void start_with_a_full_slot(struct cedei_worker *worker, struct errand *errand) {
    (void)errand;
    errand_submit(worker, &behind);
    EXPECT(cedei_worker_hand_over(worker, &other.task) == NULL);
    EXPECT(worker->running == &starter.task);
    counter_add(&ended, 1);
}

static void handing_over_is_refused_while_the_slot_is_full(void **state) {
    (void)state;
    master_ready(0);
    starter = errand_of(start_with_a_full_slot, 0);
    walks_begin(1);
    errand_submit(NULL, &starter);
    counter_await(&ended, 1);
    sched_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worker_goes_from_one_suspended_task_straight_to_the_next),
        cmocka_unit_test(tasks_that_are_left_go_on_at_other_workers),
        cmocka_unit_test(worker_looks_at_the_global_queue_between_tasks_that_suspend),
        cmocka_unit_test(worker_looks_at_the_timers_between_tasks_that_suspend),
        cmocka_unit_test(task_that_has_not_begun_is_begun_once_when_another_suspends),
        cmocka_unit_test(task_whose_lease_is_held_back_is_run_by_the_loop),
        cmocka_unit_test(task_that_is_handed_over_to_is_run_next),
        cmocka_unit_test(handing_over_counts_as_a_use_of_the_slot),
        cmocka_unit_test(handing_over_is_refused_while_the_slot_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
