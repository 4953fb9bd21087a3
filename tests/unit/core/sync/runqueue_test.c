/* The run queue, one thread at a time (tests/model explores the interleavings), and a race of real threads. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/sync/runqueue.h"

enum { CAPACITY = CEDEI_RUNQUEUE_CAPACITY };

static struct cedei_runqueue queue;

static int queue_setup(void **state) {
    (void)state;
    memset(&queue, 0, sizeof queue);
    return 0;
}

static struct cedei_task *task_of(uintptr_t number) {
    return (struct cedei_task *)((number + 1) * 64);
}

static void runqueue_is_first_in_first_out_and_bounded(void **state) {
    (void)state;
    assert_null(cedei_runqueue_pop(&queue, NULL));
    for (uintptr_t round = 0; round < 3; round++) {
        for (uintptr_t i = 0; i < CAPACITY; i++)
            assert_true(cedei_runqueue_push(&queue, task_of(i), NULL));
        assert_false(cedei_runqueue_push(&queue, task_of(CAPACITY), NULL));
        assert_int_equal(cedei_runqueue_count(&queue), CAPACITY);
        for (uintptr_t i = 0; i < CAPACITY; i++)
            assert_ptr_equal(cedei_runqueue_pop(&queue, NULL), task_of(i));
        assert_null(cedei_runqueue_pop(&queue, NULL));
    }
}

static void runqueue_take_half_rounds_up_and_keeps_to_the_room(void **state) {
    (void)state;
    struct cedei_task *out[CAPACITY];
    assert_int_equal(cedei_runqueue_take_half(&queue, out, CAPACITY), 0);
    for (uintptr_t i = 0; i < 7; i++) cedei_runqueue_push(&queue, task_of(i), NULL);
    assert_int_equal(cedei_runqueue_take_half(&queue, out, CAPACITY), 4);
    for (uintptr_t i = 0; i < 4; i++) assert_ptr_equal(out[i], task_of(i));
    assert_int_equal(cedei_runqueue_take_half(&queue, out, 1), 1);
    assert_ptr_equal(out[0], task_of(4));
    assert_int_equal(cedei_runqueue_take_half(&queue, out, CAPACITY), 1);
    assert_ptr_equal(cedei_runqueue_pop(&queue, NULL), task_of(6));
}

static void runqueue_indices_wrap(void **state) {
    (void)state;
    /* relaxed: nobody else is there. */
    atomic_store_explicit(&queue.head, UINT32_MAX - 3, memory_order_relaxed);
    atomic_store_explicit(&queue.tail, UINT32_MAX - 3, memory_order_relaxed);
    for (uintptr_t i = 0; i < 10; i++) assert_true(cedei_runqueue_push(&queue, task_of(i), NULL));
    assert_int_equal(cedei_runqueue_count(&queue), 10);
    for (uintptr_t i = 0; i < 10; i++)
        assert_ptr_equal(cedei_runqueue_pop(&queue, NULL), task_of(i));
}

enum { TASKS = 100000, THIEVES = 2 };

static _Atomic uint32_t taken[TASKS], taken_count;

static void mark(struct cedei_task *task) {
    /* relaxed (both): looked at after the threads have been joined, and to know when to end. */
    atomic_fetch_add_explicit(&taken[(uintptr_t)task / 64 - 1], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&taken_count, 1, memory_order_relaxed);
}

static uint32_t marked(void) {
    /* relaxed: as above. */
    return atomic_load_explicit(&taken_count, memory_order_relaxed);
}

static void *steal_until_all_are_taken(void *context) {
    (void)context;
    struct cedei_task *out[CAPACITY / 2];
    while (marked() < TASKS) { /* every task is taken by somebody */
        uint32_t count = cedei_runqueue_take_half(&queue, out, CAPACITY / 2);
        for (uint32_t i = 0; i < count; i++) mark(out[i]);
        if (count == 0) sched_yield(); /* there may be one processor for all */
    }
    return NULL;
}

static void runqueue_of_real_threads_gives_each_task_once(void **state) {
    (void)state;
    pthread_t thieves[THIEVES];
    for (int i = 0; i < THIEVES; i++)
        assert_int_equal(pthread_create(&thieves[i], NULL, steal_until_all_are_taken, NULL), 0);
    for (uintptr_t i = 0; i < TASKS;) {
        if (cedei_runqueue_push(&queue, task_of(i), NULL)) i++;
        struct cedei_task *task = i % 3 == 0 ? cedei_runqueue_pop(&queue, NULL) : NULL;
        if (task != NULL) mark(task);
    }
    for (struct cedei_task *task; (task = cedei_runqueue_pop(&queue, NULL)) != NULL;) mark(task);
    for (int i = 0; i < THIEVES; i++) assert_int_equal(pthread_join(thieves[i], NULL), 0);
    /* relaxed: all are joined. */
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(atomic_load_explicit(&taken[i], memory_order_relaxed), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(runqueue_is_first_in_first_out_and_bounded, queue_setup),
        cmocka_unit_test_setup(runqueue_take_half_rounds_up_and_keeps_to_the_room, queue_setup),
        cmocka_unit_test_setup(runqueue_indices_wrap, queue_setup),
        cmocka_unit_test_setup(runqueue_of_real_threads_gives_each_task_once, queue_setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
