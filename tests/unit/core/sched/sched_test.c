/* The scheduler with bare tasks, no actors: everything that is submitted runs, from wherever it is submitted; tasks that
 * suspend go on, maybe elsewhere; sleepers wake; the stop is clean. */
#include "core/sched/sched.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/sys/clock.h"
#include "tests/support/child.h"
#include "tests/support/expect.h"
#include "tests/support/wait.h"

struct job {
    struct cedei_task task;
    struct cedei_sched *sched;
    _Atomic uint32_t *count; /* of runs, all together */
    uint32_t children;       /* tasks right behind it that it submits */
    uint32_t rounds;         /* times that it suspends or is requeued */
    struct cedei_stack *lease;
};

static struct cedei_sched sched;

static void sched_begin(uint32_t workers) {
    struct cedei_sched_options options = {.workers = workers,
                                          .pool_threads_max = 4,
                                          .pool_queue_max = 100,
                                          .pool_idle_ns = 1000000000,
                                          .stack_size = 64 * 1024,
                                          .log = {.level = CEDE_LOG_ERROR}};
    assert_int_equal(cedei_sched_init(&sched, &options), CEDE_OK);
}

static void sched_begin_unwatched(uint32_t workers) {
    struct cedei_sched_options options = {.workers = workers,
                                          .pool_threads_max = 4,
                                          .pool_queue_max = 100,
                                          .pool_idle_ns = 1000000000,
                                          .stack_size = 64 * 1024,
                                          .no_lookout = true,
                                          .log = {.level = CEDE_LOG_ERROR}};
    assert_int_equal(cedei_sched_init(&sched, &options), CEDE_OK);
}

static void still(void *context, unsigned seconds) { (void)context, (void)seconds; }

static void sched_end(void) {
    cedei_sched_stop(&sched, still, NULL);
    cedei_sched_fini(&sched);
}

static void count_up(_Atomic uint32_t *count) {
    /* acq_rel: publishes what the task did. */
    atomic_fetch_add_explicit(count, 1, memory_order_acq_rel);
}

static void count_await(_Atomic uint32_t *count, uint32_t wanted) {
    /* acquire: pairs with count_up. */
    while (atomic_load_explicit(count, memory_order_acquire) < wanted) look_later();
    EXPECT_EQUAL(atomic_load_explicit(count, memory_order_acquire), wanted);
}

static struct cedei_worker *job_run(struct cedei_worker *worker, struct cedei_task *task) {
    struct job *job = CEDEI_CONTAINER_OF(task, struct job, task);
    for (uint32_t i = 1; i <= job->children; i++)
        EXPECT_OK(cedei_sched_submit(&sched, worker, &job[i].task));
    count_up(job->count);
    return worker;
}

/* One task submits more than a local queue holds: the rest spills, and other workers steal. */
static void sched_runs_everything_that_one_task_submits(void **state) {
    (void)state;
    enum { JOBS = 2000 };
    static struct job jobs[JOBS];
    for (uint32_t workers = 1; workers <= 4; workers++) {
        _Atomic uint32_t count = 0;
        sched_begin(workers);
        for (int i = 0; i < JOBS; i++)
            jobs[i] = (struct job){.task = {.run = job_run}, .count = &count};
        jobs[0].children = JOBS - 1;
        assert_int_equal(cedei_sched_submit(&sched, NULL, &jobs[0].task), CEDE_OK);
        count_await(&count, JOBS);
        sched_end();
    }
}

/* One at a time, so that the workers sleep in between: every submit from outside must wake one. */
static void sched_wakes_for_each_task_from_a_plain_thread(void **state) {
    (void)state;
    _Atomic uint32_t count = 0;
    static struct job job;
    sched_begin(2);
    for (uint32_t i = 1; i <= 2000; i++) {
        job = (struct job){.task = {.run = job_run}, .count = &count};
        assert_int_equal(cedei_sched_submit(&sched, NULL, &job.task), CEDE_OK);
        count_await(&count, i);
    }
    sched_end();
}

/* A long task submits two and waits for the one in the queue, which only the other worker can run meanwhile. */
static struct cedei_worker *long_run(struct cedei_worker *worker, struct cedei_task *task) {
    struct job *job = CEDEI_CONTAINER_OF(task, struct job, task);
    for (uint32_t i = 1; i <= 2; i++) EXPECT_OK(cedei_sched_submit(&sched, worker, &job[i].task));
    /* acquire: pairs with count_up. */
    while (atomic_load_explicit(job[1].count, memory_order_acquire) == 0) cedei_cpu_relax();
    count_up(job->count);
    return worker;
}

static void sched_steals_again_and_again_from_the_same_worker(void **state) {
    (void)state;
    static struct job jobs[3];
    sched_begin(2);
    for (int i = 0; i < 50; i++) {
        _Atomic uint32_t stolen = 0, others = 0;
        jobs[0] = (struct job){.task = {.run = long_run}, .count = &others};
        jobs[1] = (struct job){.task = {.run = job_run}, .count = &stolen};
        jobs[2] = (struct job){.task = {.run = job_run}, .count = &others};
        assert_int_equal(cedei_sched_submit(&sched, NULL, &jobs[0].task), CEDE_OK);
        count_await(&others, 2);
    }
    sched_end();
}

static void requeue_commit(struct cedei_worker *worker, void *context) {
    cedei_sched_requeue(worker, &((struct job *)context)->task);
}

/* Suspends in the middle, `rounds` times; what is on its stack must still be there each time. */
static struct cedei_worker *suspend_run(struct cedei_worker *worker, struct cedei_task *task) {
    struct job *job = CEDEI_CONTAINER_OF(task, struct job, task);
    if (job->lease != NULL) {
        struct cedei_stack *lease = job->lease;
        job->lease = NULL;
        return cedei_worker_resume(worker, lease);
    }
    volatile uint64_t own[16];
    for (uint64_t i = 0; i < 16; i++) own[i] = (uintptr_t)job + i;
    while (job->rounds > 0) {
        job->rounds--;
        EXPECT_OK(cedei_worker_suspend(worker, &job->lease, requeue_commit, job));
        worker = cedei_worker_current();
        cedei_worker_arrived(worker);
        for (uint64_t i = 0; i < 16; i++) EXPECT(own[i] == (uintptr_t)job + i);
    }
    count_up(job->count);
    return worker;
}

static void sched_resumes_suspended_tasks_with_their_stacks(void **state) {
    (void)state;
    enum { JOBS = 100 };
    static struct job jobs[JOBS];
    for (uint32_t workers = 1; workers <= 4; workers += 3) {
        _Atomic uint32_t count = 0;
        sched_begin(workers);
        for (int i = 0; i < JOBS; i++) {
            jobs[i] = (struct job){.task = {.run = suspend_run}, .count = &count, .rounds = 100};
            assert_int_equal(cedei_sched_submit(&sched, NULL, &jobs[i].task), CEDE_OK);
        }
        count_await(&count, JOBS);
        sched_end();
    }
}

struct sleeper {
    struct cedei_timer timer;
    _Atomic uint32_t *count;
    uint64_t wanted_ns;
};

static void sleeper_fire(struct cedei_timer *timer, void *context) {
    (void)context;
    struct sleeper *sleeper = CEDEI_CONTAINER_OF(timer, struct sleeper, timer);
    EXPECT(cedei_clock_now_ns() >= sleeper->wanted_ns);
    count_up(sleeper->count);
}

/* All workers sleep: whoever keeps the time must notice a timer that is earlier than the one it sleeps for. */
static void sched_fires_timers_although_all_workers_sleep(void **state) {
    (void)state;
    static struct sleeper sleepers[2];
    _Atomic uint32_t late = 0;
    sched_begin(2);
    sleepers[0] = (struct sleeper){.timer = {.fire = sleeper_fire}, .count = &late};
    cedei_sched_timer_add(&sched, &sleepers[0].timer,
                          cedei_clock_now_ns() + 3600u * (uint64_t)1000000000);
    for (uint32_t i = 1; i <= 50; i++) {
        _Atomic uint32_t count = 0;
        sleepers[1] = (struct sleeper){.timer = {.fire = sleeper_fire},
                                       .count = &count,
                                       .wanted_ns = cedei_clock_now_ns() + 100000};
        cedei_sched_timer_add(&sched, &sleepers[1].timer, sleepers[1].wanted_ns);
        count_await(&count, 1);
    }
    cedei_sched_timer_cancel(&sched, &sleepers[0].timer);
    sched_end();
    assert_int_equal(late, 0);
}

/* A turn that sets a timer in its own worker's wheel and does not end before it has fired. */
struct blocker {
    struct cedei_task task;
    struct sleeper sleeper;
    _Atomic uint32_t ended;
};

static struct cedei_worker *blocker_run(struct cedei_worker *worker, struct cedei_task *task) {
    struct blocker *blocker = CEDEI_CONTAINER_OF(task, struct blocker, task);
    blocker->sleeper.timer.wheel = (uint16_t)worker->index;
    blocker->sleeper.wanted_ns = cedei_clock_now_ns() + 100000;
    cedei_sched_timer_add(&sched, &blocker->sleeper.timer, blocker->sleeper.wanted_ns);
    count_await(blocker->sleeper.count, 1);
    count_up(&blocker->ended);
    return worker;
}

/* Only another worker can fire it, asleep or not when the timer is set. */
static void sched_fires_the_timers_of_a_worker_in_a_long_turn(void **state) {
    (void)state;
    sched_begin(2);
    for (int i = 0; i < 50; i++) {
        _Atomic uint32_t count = 0;
        struct blocker blocker = {.task = {.run = blocker_run},
                                  .sleeper = {.timer = {.fire = sleeper_fire}, .count = &count}};
        EXPECT_OK(cedei_sched_submit(&sched, NULL, &blocker.task));
        count_await(&blocker.ended, 1);
    }
    sched_end();
}

static struct cedei_worker *requeue_run(struct cedei_worker *worker, struct cedei_task *task) {
    struct job *job = CEDEI_CONTAINER_OF(task, struct job, task);
    /* acquire: pairs with count_up. */
    if (atomic_load_explicit(&job->count[0], memory_order_acquire) == 0)
        cedei_sched_requeue(worker, task);
    else
        count_up(&job->count[1]);
    return worker;
}

/* One worker that always has something to run: it must look at its wheel in between. */
static void sched_fires_timers_between_turns(void **state) {
    (void)state;
    _Atomic uint32_t counts[2] = {0, 0};
    struct job busy = {.task = {.run = requeue_run}, .count = counts};
    struct sleeper sleeper = {.timer = {.fire = sleeper_fire}, .count = &counts[0]};
    sched_begin(1);
    EXPECT_OK(cedei_sched_submit(&sched, NULL, &busy.task));
    sleeper.wanted_ns = cedei_clock_now_ns() + 100000;
    cedei_sched_timer_add(&sched, &sleeper.timer, sleeper.wanted_ns);
    count_await(&counts[1], 1);
    sched_end();
}

static void sched_stops_at_once_when_nothing_runs(void **state) {
    (void)state;
    for (int i = 0; i < 50; i++) {
        sched_begin(1 + (uint32_t)i % 4);
        sched_end();
    }
}

/* Address space for a thread, not for the mapping that its worker's stack would come from. */
static void address_space_limit(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    EXPECT(file != NULL && fscanf(file, "%lu", &pages) == 1);
    (void)fclose(file);
    struct rlimit limit = {.rlim_cur = pages * 4096 + (12u << 20), .rlim_max = RLIM_INFINITY};
    EXPECT(setrlimit(RLIMIT_AS, &limit) == 0);
}

static void init_without_room_for_stacks(void *context) {
    (void)context;
    struct cedei_sched_options options = {
        .workers = 1, .stack_size = 64 * 1024, .log = {.level = CEDE_LOG_ERROR}};
    address_space_limit();
    EXPECT_RESULT(cedei_sched_init(&sched, &options), CEDE_ENOMEM);
}

static void sched_without_room_for_stacks_is_refused(void **state) {
    (void)state;
    if (CEDEI_ASAN || CEDEI_TSAN) skip(); /* they need more address space than that */
    struct child_end end;
    child_run(&end, init_without_room_for_stacks, NULL);
    if (end.status != 0) fprintf(stderr, "status %d, it said:\n%s\n", end.status, end.text);
    assert_int_equal(end.status, 0);
}

/* ---- stopping, whatever goes on ---- */

enum { STORM_TASKS = 300, BLOCKERS = 3 };

static _Atomic uint32_t gate, blocked, stormy;

/* Keeps all queues moving for ever: every run puts it back, by turns at the end and into the slot. */
static struct cedei_worker *storm_run(struct cedei_worker *worker, struct cedei_task *task) {
    struct job *job = CEDEI_CONTAINER_OF(task, struct job, task);
    count_up(&stormy);
    if (job->rounds++ % 2 == 0)
        cedei_sched_requeue(worker, task);
    else
        EXPECT_OK(cedei_sched_submit(&sched, worker, task));
    return worker;
}

/* Blocks its thread, a worker's or one of the pool, until the stop has begun. */
static struct cedei_worker *block_run(struct cedei_worker *worker, struct cedei_task *task) {
    (void)task;
    count_up(&blocked);
    /* acquire: pairs with gate_open. */
    while (atomic_load_explicit(&gate, memory_order_acquire) == 0)
        cedei_futex_wait(&gate, 0, UINT64_MAX);
    return worker;
}

static void gate_open(void) {
    /* release: pairs with block_run. */
    atomic_store_explicit(&gate, 1, memory_order_release);
    cedei_futex_wake(&gate, INT32_MAX);
}

static void *stop_main(void *context) {
    (void)context;
    cedei_sched_stop(&sched, still, NULL);
    return NULL;
}

/* What goes on when the stop comes. */
struct state_of_affairs {
    uint32_t workers, storm, blockers, jobs, sleepers;
    uint32_t spares; /* wait for so many to be called */
};

static void timer_ignore(struct cedei_timer *timer, void *context) { (void)timer, (void)context; }

static void tasks_submit(struct job *jobs, uint32_t count, cedei_task_fn *run, uint8_t place) {
    for (uint32_t i = 0; i < count; i++) {
        jobs[i] = (struct job){.task = {.run = run, .place = place}, .rounds = i};
        assert_int_equal(cedei_sched_submit(&sched, NULL, &jobs[i].task), CEDE_OK);
    }
}

static void stop_amid(struct state_of_affairs affairs) {
    static struct job storm[STORM_TASKS], blockers[BLOCKERS], jobs[16];
    static struct sleeper sleepers[16];
    /* relaxed (all): no other thread is there. */
    atomic_store_explicit(&gate, 0, memory_order_relaxed);
    atomic_store_explicit(&blocked, 0, memory_order_relaxed);
    atomic_store_explicit(&stormy, 0, memory_order_relaxed);
    sched_begin(affairs.workers);
    for (uint32_t i = 0; i < affairs.sleepers; i++) {
        sleepers[i] = (struct sleeper){.timer = {.fire = timer_ignore}};
        cedei_sched_timer_add(&sched, &sleepers[i].timer, cedei_clock_now_ns() + i * 100000);
    }
    tasks_submit(blockers, affairs.blockers, block_run, CEDEI_TASK_WORKER);
    tasks_submit(jobs, affairs.jobs, block_run, CEDEI_TASK_POOL);
    tasks_submit(storm, affairs.storm, storm_run, CEDEI_TASK_WORKER);
    uint32_t pool_threads = affairs.jobs < 4 ? affairs.jobs : 4;
    while (atomic_load(&blocked) < affairs.blockers + pool_threads) look_later();
    while (cedei_sched_seats(&sched) < affairs.workers + affairs.spares) look_later();
    if (affairs.storm != 0)
        while (atomic_load(&stormy) < 1000) look_later();
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop_main, NULL), 0);
    while (atomic_load(&sched.stopping) == 0) look_later();
    gate_open();
    pthread_join(stopper, NULL);
    uint32_t after = atomic_load(&stormy);
    while (cedei_pool_take_rest(&sched) != NULL) {} /* jobs that never ran */
    for (uint32_t i = 0; i < affairs.sleepers; i++)
        cedei_sched_timer_cancel(&sched, &sleepers[i].timer);
    cedei_sched_fini(&sched);
    assert_int_equal(atomic_load(&stormy), after); /* nothing runs behind the stop */
}

static void sched_stops_while_workers_steal(void **state) {
    (void)state;
    for (uint32_t workers = 1; workers <= 8; workers *= 2)
        for (int i = 0; i < 10; i++)
            stop_amid((struct state_of_affairs){.workers = workers, .storm = STORM_TASKS});
}

static void sched_stops_while_a_task_is_long(void **state) {
    (void)state;
    for (uint32_t workers = 1; workers <= 4; workers++)
        stop_amid((struct state_of_affairs){.workers = workers, .blockers = 1});
}

static void sched_stops_with_work_queued_behind_a_long_task(void **state) {
    (void)state;
    static struct job first, queued[1000];
    _Atomic uint32_t ran = 0;
    /* relaxed: no other thread is there. */
    atomic_store_explicit(&gate, 0, memory_order_relaxed);
    atomic_store_explicit(&blocked, 0, memory_order_relaxed);
    sched_begin_unwatched(1); /* else a spare worker would run them */
    tasks_submit(&first, 1, block_run, CEDEI_TASK_WORKER);
    while (atomic_load(&blocked) < 1) look_later();
    for (uint32_t i = 0; i < 1000; i++) {
        queued[i] = (struct job){.task = {.run = job_run}, .count = &ran};
        assert_int_equal(cedei_sched_submit(&sched, NULL, &queued[i].task), CEDE_OK);
    }
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop_main, NULL), 0);
    while (atomic_load(&sched.stopping) == 0) look_later();
    gate_open();
    pthread_join(stopper, NULL);
    cedei_sched_fini(&sched);
    assert_int_equal(ran, 0); /* present tasks end, further ones do not begin */
}

static void sched_stops_with_jobs_running_and_queued(void **state) {
    (void)state;
    stop_amid((struct state_of_affairs){.workers = 2, .jobs = 16});
}

static void sched_stops_with_spare_workers(void **state) {
    (void)state;
    for (uint32_t workers = 1; workers <= 3; workers++)
        stop_amid((struct state_of_affairs){.workers = workers,
                                            .blockers = BLOCKERS,
                                            .storm = STORM_TASKS,
                                            .spares = BLOCKERS - workers + 1});
}

static void sched_stops_from_several_states_at_once(void **state) {
    (void)state;
    for (uint32_t workers = 1; workers <= 64; workers *= 8)
        for (int i = 0; i < 3; i++)
            stop_amid((struct state_of_affairs){.workers = workers,
                                                .storm = STORM_TASKS,
                                                .blockers = BLOCKERS,
                                                .jobs = 16,
                                                .sleepers = 16,
                                                .spares = workers < BLOCKERS});
}

/* More workers than processors: everything runs, and all of them sleep in the end. */
static void sched_works_with_more_workers_than_processors(void **state) {
    (void)state;
    enum { JOBS = 2000 };
    static struct job jobs[JOBS];
    for (uint32_t workers = 8; workers <= 64; workers *= 8) {
        _Atomic uint32_t count = 0;
        sched_begin(workers);
        for (int i = 0; i < JOBS; i++)
            jobs[i] = (struct job){.task = {.run = suspend_run}, .count = &count, .rounds = 3};
        for (int i = 0; i < JOBS; i++)
            assert_int_equal(cedei_sched_submit(&sched, NULL, &jobs[i].task), CEDE_OK);
        count_await(&count, JOBS);
        uint64_t all = workers == 64 ? UINT64_MAX : ((uint64_t)1 << workers) - 1;
        while ((atomic_load(&sched.idle) & all) != all) look_later();
        sched_end();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sched_runs_everything_that_one_task_submits),
        cmocka_unit_test(sched_wakes_for_each_task_from_a_plain_thread),
        cmocka_unit_test(sched_steals_again_and_again_from_the_same_worker),
        cmocka_unit_test(sched_resumes_suspended_tasks_with_their_stacks),
        cmocka_unit_test(sched_fires_timers_although_all_workers_sleep),
        cmocka_unit_test(sched_fires_the_timers_of_a_worker_in_a_long_turn),
        cmocka_unit_test(sched_fires_timers_between_turns),
        cmocka_unit_test(sched_without_room_for_stacks_is_refused),
        cmocka_unit_test(sched_stops_at_once_when_nothing_runs),
        cmocka_unit_test(sched_stops_while_workers_steal),
        cmocka_unit_test(sched_stops_while_a_task_is_long),
        cmocka_unit_test(sched_stops_with_work_queued_behind_a_long_task),
        cmocka_unit_test(sched_stops_with_jobs_running_and_queued),
        cmocka_unit_test(sched_stops_with_spare_workers),
        cmocka_unit_test(sched_stops_from_several_states_at_once),
        cmocka_unit_test(sched_works_with_more_workers_than_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
