/* The blocking pool with bare tasks: it starts threads as it needs them, up to a limit, and says no where it must. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/sched/sched.h"
#include "core/sys/call.h"
#include "tests/support/expect.h"
#include "tests/support/wait.h"

enum { THREADS = 2, QUEUE = 3, TASKS = 10 };

static struct cedei_sched sched;
static _Atomic uint32_t entered, left, gate;
static struct cedei_task tasks[TASKS];

static void still(void *context, unsigned seconds) { (void)context, (void)seconds; }

static uint32_t get(_Atomic uint32_t *count) {
    /* acquire: pairs with the release of the tasks. */
    return atomic_load_explicit(count, memory_order_acquire);
}

static void await(_Atomic uint32_t *count, uint32_t wanted) {
    while (get(count) < wanted) look_later();
}

static struct cedei_worker *wait_at_gate(struct cedei_worker *worker, struct cedei_task *task) {
    (void)task;
    EXPECT(worker->is_pool);
    /* acq_rel (both): counted for the test. */
    atomic_fetch_add_explicit(&entered, 1, memory_order_acq_rel);
    while (get(&gate) == 0) cedei_futex_wait(&gate, 0, UINT64_MAX);
    atomic_fetch_add_explicit(&left, 1, memory_order_acq_rel);
    return worker;
}

static int pool_setup(void **state) {
    (void)state;
    struct cedei_sched_options options = {.workers = 1,
                                          .pool_threads_max = THREADS,
                                          .pool_queue_max = QUEUE,
                                          .pool_idle_ns = 1000000,
                                          .stack_size = 64 * 1024,
                                          .log = {.level = CEDE_LOG_DEFAULT}};
    /* relaxed: no thread is there yet. */
    atomic_store_explicit(&entered, 0, memory_order_relaxed);
    atomic_store_explicit(&left, 0, memory_order_relaxed);
    atomic_store_explicit(&gate, 0, memory_order_relaxed);
    for (int i = 0; i < TASKS; i++)
        tasks[i] = (struct cedei_task){.run = wait_at_gate, .place = CEDEI_TASK_POOL, .refuse = 1};
    return cedei_sched_init(&sched, &options) == CEDE_OK ? 0 : -1;
}

static void gate_open(void) {
    /* release: pairs with get. */
    atomic_store_explicit(&gate, 1, memory_order_release);
    cedei_futex_wake(&gate, 100);
}

static int pool_teardown(void **state) {
    (void)state;
    cedei_thread_fail_starts(0, 0);
    gate_open();
    cedei_sched_stop(&sched, still, NULL);
    while (cedei_pool_take_rest(&sched) != NULL) {}
    cedei_sched_fini(&sched);
    return 0;
}

static struct cedei_task *order[TASKS];

static struct cedei_worker *note_order(struct cedei_worker *worker, struct cedei_task *task) {
    order[get(&left)] = task;
    /* acq_rel: counted for the test. */
    atomic_fetch_add_explicit(&left, 1, memory_order_acq_rel);
    return worker;
}

/* Until all threads have found nothing to do and sleep. */
static void threads_sleep_await(void) {
    for (uint32_t asleep = 0; asleep < THREADS; look_later()) {
        asleep = 0;
        cedei_mutex_lock(&sched.pool.lock);
        for (struct cedei_worker *at = sched.pool.idle_first; at != NULL; at = at->idle_next)
            asleep++;
        cedei_mutex_unlock(&sched.pool.lock);
    }
}

static uint32_t threads_now(void) {
    cedei_mutex_lock(&sched.pool.lock);
    uint32_t threads = sched.pool.threads;
    cedei_mutex_unlock(&sched.pool.lock);
    return threads;
}

static cede_result submit(int index) { return cedei_pool_submit(&sched, NULL, &tasks[index]); }

/* Every task that blocks leaves another thread on its way to those behind it, up to the limit and not beyond. */
static void pool_brings_a_thread_for_each_task_that_blocks_up_to_its_limit(void **state) {
    (void)state;
    for (int i = 0; i < TASKS; i++) EXPECT_OK(submit(i));
    await(&entered, THREADS);
    EXPECT_EQUAL(threads_now(), THREADS);
    EXPECT_EQUAL(get(&entered), THREADS);
    gate_open();
    await(&left, TASKS);
}

/* The same with threads that are asleep and have to be woken instead of made. */
static void pool_wakes_a_sleeping_thread_for_each_task_that_blocks(void **state) {
    (void)state;
    sched.pool.idle_ns = 1000000000000u; /* none leaves */
    for (int round = 0; round < 50; round++) {
        for (int i = 0; i < THREADS; i++) EXPECT_OK(submit(i));
        await(&entered, THREADS);
        gate_open();
        await(&left, THREADS);
        threads_sleep_await();
        atomic_store_explicit(&gate, 0, memory_order_release); /* release: as in gate_open */
        atomic_store_explicit(&entered, 0, memory_order_release);
        atomic_store_explicit(&left, 0, memory_order_release);
    }
    EXPECT_EQUAL(sched.pool.peak, THREADS);
}

static void pool_shrinks_when_idle_and_grows_again(void **state) {
    (void)state;
    gate_open();
    for (int i = 0; i < TASKS; i++) {
        EXPECT_OK(submit(i));
        await(&left, (uint32_t)i + 1);
        while (threads_now() > 0) look_later(); /* it leaves by itself */
    }
}

static void pool_refuses_a_job_without_a_thread_and_keeps_an_actor_until_there_is_one(void **state) {
    (void)state;
    gate_open();
    tasks[1].refuse = tasks[3].refuse = 0;
    cedei_call_fail(CEDEI_CALL_MMAP, ENOMEM, 0); /* the thread's own memory */
    EXPECT_RESULT(submit(0), CEDE_ENOMEM);
    EXPECT(cedei_call_fail_never());
    cedei_call_fail(CEDEI_CALL_MMAP, ENOMEM, 0);
    EXPECT_OK(submit(1));
    EXPECT(cedei_call_fail_never());
    await(&left, 1); /* the pool tries again by itself */
    while (threads_now() > 0) look_later();
    cedei_thread_fail_starts(0, 2); /* the same when the system gives no thread */
    EXPECT_RESULT(submit(2), CEDE_ELIMIT);
    EXPECT_OK(submit(3));
    await(&left, 2);
}

/* Of four wanted threads the system gives one: it does the work of all, and more come when they can be had again. */
static void pool_does_with_fewer_threads_when_the_system_gives_no_more(void **state) {
    (void)state;
    enum { WANTED = 4 };
    sched.pool.threads_max = WANTED;
    cedei_thread_fail_starts(1, 1000000);
    for (int i = 0; i < WANTED; i++) EXPECT_OK(submit(i));
    await(&entered, 1);
    EXPECT_EQUAL(threads_now(), 1);
    gate_open();
    await(&left, WANTED);
    EXPECT_EQUAL(sched.pool.peak, 2); /* the one, and one that was tried for */
    cedei_thread_fail_starts(0, 0);
    atomic_store_explicit(&gate, 0, memory_order_release); /* release: as in gate_open */
    atomic_store_explicit(&entered, 0, memory_order_release);
    sched.pool.start_again_ns = 1; /* the time has come */
    for (int i = 0; i < WANTED; i++) EXPECT_OK(submit(i));
    await(&entered, WANTED);
}

static void pool_runs_tasks_in_the_order_they_came_on_one_thread(void **state) {
    (void)state;
    sched.pool.threads_max = 1;
    for (int i = 0; i < TASKS; i++) tasks[i].run = note_order;
    EXPECT_OK(submit(0));
    for (int i = 1; i < TASKS; i++) EXPECT_OK(submit(i));
    await(&left, TASKS);
    for (int i = 0; i < TASKS; i++) EXPECT(order[i] == &tasks[i]);
}

static void pool_that_stops_refuses_jobs_and_gives_back_what_never_ran(void **state) {
    (void)state;
    for (int i = 0; i < THREADS + QUEUE; i++) EXPECT_OK(submit(i));
    await(&entered, THREADS);
    EXPECT(!cedei_pool_stop(&sched, 0)); /* two are at the gate still */
    EXPECT_RESULT(submit(TASKS - 1), CEDE_ECLOSED);
    gate_open();
    EXPECT(cedei_pool_stop(&sched, UINT64_MAX));
    EXPECT_EQUAL(get(&left), THREADS);
    for (int i = 0; i < QUEUE; i++) EXPECT(cedei_pool_take_rest(&sched) == &tasks[THREADS + i]);
    EXPECT(cedei_pool_take_rest(&sched) == NULL);
}

/* Many threads come and go while several submit: none is lost, none is doubled. */
static struct cedei_worker *count_run(struct cedei_worker *worker, struct cedei_task *task) {
    /* relaxed: each task counts for itself. */
    uint32_t *runs = (uint32_t *)(void *)((char *)task + sizeof *task);
    __atomic_fetch_add(runs, 1, __ATOMIC_RELAXED);
    /* acq_rel: counted for the test. */
    atomic_fetch_add_explicit(&left, 1, memory_order_acq_rel);
    return worker;
}

enum { SUBMITTERS = 4, EACH = 20000 };
static struct counted {
    struct cedei_task task;
    uint32_t runs;
} counted[SUBMITTERS][EACH];

static void *submit_many(void *context) {
    struct counted *mine = context;
    for (int i = 0; i < EACH; i++) {
        mine[i] =
            (struct counted){.task = {.run = count_run, .place = CEDEI_TASK_POOL, .refuse = 1}};
        EXPECT_OK(cedei_pool_submit(&sched, NULL, &mine[i].task));
        if (i % 1000 == 0) sched_yield();
    }
    return NULL;
}

static void pool_runs_each_task_once_when_many_submit(void **state) {
    (void)state;
    pthread_t threads[SUBMITTERS];
    sched.pool.threads_max = 16;
    sched.pool.idle_ns = 50000; /* they come and go all the time */
    for (int i = 0; i < SUBMITTERS; i++)
        EXPECT(pthread_create(&threads[i], NULL, submit_many, counted[i]) == 0);
    for (int i = 0; i < SUBMITTERS; i++) pthread_join(threads[i], NULL);
    await(&left, SUBMITTERS * EACH);
    for (int i = 0; i < SUBMITTERS; i++)
        for (int k = 0; k < EACH; k++) EXPECT_EQUAL(counted[i][k].runs, 1);
}

int main(void) {
#define WITH_POOL(name) cmocka_unit_test_setup_teardown(name, pool_setup, pool_teardown)
    const struct CMUnitTest tests[] = {
        WITH_POOL(pool_brings_a_thread_for_each_task_that_blocks_up_to_its_limit),
        WITH_POOL(pool_wakes_a_sleeping_thread_for_each_task_that_blocks),
        WITH_POOL(pool_shrinks_when_idle_and_grows_again),
        WITH_POOL(pool_refuses_a_job_without_a_thread_and_keeps_an_actor_until_there_is_one),
        WITH_POOL(pool_does_with_fewer_threads_when_the_system_gives_no_more),
        WITH_POOL(pool_runs_tasks_in_the_order_they_came_on_one_thread),
        WITH_POOL(pool_that_stops_refuses_jobs_and_gives_back_what_never_ran),
        WITH_POOL(pool_runs_each_task_once_when_many_submit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
