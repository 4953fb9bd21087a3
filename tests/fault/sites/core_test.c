/* The calls for memory of core/: workers, threads, stacks, blocks, sources, processes, epochs. */
#include <cede/io.h>
#include <cede/timer.h>

#include "core/mem/block.h"
#include "core/mem/part.h"
#include "core/sync/epoch.h"
#include "core/sys/process.h"
#include "tests/fault/sites/sites.h"

/* ---- sync ---- */

static void first_section(void *context) {
    (void)context;
    site_arm("core/sync/epoch.c", "record_make");
    cedei_epoch_enter();
}

static void a_section_without_memory_ends_the_process_with_a_line(void **state) {
    (void)state;
    EXPECT_CHILD_ABORTS(first_section, NULL, "out of memory for the first section");
}

/* ---- sys ---- */

static void a_child_process_is_not_started_without_memory(void **state) {
    (void)state;
    char *argv[] = {"true", NULL};
    int32_t pid = 0, lifeline = 0, status = 1;
    EXPECT_SHORT("core/sys/process.c", "environment_make",
                 cedei_process_start(argv, &pid, &lifeline), CEDE_ENOMEM);
    EXPECT(pid == 0 && lifeline == 0);
    EXPECT_OK(cedei_process_start(argv, &pid, &lifeline));
    EXPECT_OK(cedei_process_wait(pid, UINT64_MAX, &status));
    EXPECT_EQUAL(status, 0);
    cedei_process_lifeline_close(lifeline);
}

/* ---- mem ---- */

static void a_large_block_can_be_had_by_the_next_call(void **state) {
    enum { SIZE = 5000 }; /* more than what is pooled */
    struct cedei_block_depot depot;
    (void)state;
    cedei_block_depot_init(&depot);
    EXPECT_SHORT_NULL("core/mem/block.c", "cedei_block_take_slow",
                      cedei_block_take(&depot, NULL, SIZE));
    void *block = cedei_block_take(&depot, NULL, SIZE);
    EXPECT(block != NULL);
    cedei_block_give(&depot, NULL, block, SIZE);
    cedei_block_depot_fini(&depot);
}

/* Larger parts of messages are cut from regions. One that cannot be had leaves the next call to try again. */
static void a_large_part_can_be_had_by_the_next_call(void **state) {
    enum { SIZE = 60000, COUNT = 40 }; /* more than a region holds */
    static void *parts[COUNT];
    uint32_t count = 0, short_of = 0;
    (void)state;
    if (CEDEI_ASAN) { /* every part is malloc's own */
        site_absent("core/mem/part.c", "cedei_map_reserve(REGION_SIZE");
        return;
    }
    while (count < COUNT) {
        cedei_alloc_fail_at("core/mem/part.c", "large_carve", 0, true);
        void *part = cedei_part_take(SIZE);
        if (cedei_alloc_fail_never() != 0) {
            EXPECT(part == NULL);
            short_of++;
            part = cedei_part_take(SIZE);
        }
        EXPECT(part != NULL);
        parts[count++] = part;
    }
    EXPECT(short_of > 0);
    while (count > 0) cedei_part_give(parts[--count]);
}

/* A class of blocks grows by small chunks, then by large ones. Each of them cannot be had once. */
static void a_small_block_can_be_had_by_the_next_call(void **state) {
    enum { SIZE = 2048, BYTES = 4 * 1024 * 1024 };
    static void *blocks[BYTES / SIZE];
    struct cedei_block_depot depot;
    uint32_t count = 0, short_of = 0;
    (void)state;
    if (CEDEI_ASAN) { /* every block is malloc's own */
        site_absent("core/mem/block.c", "memory = cedei_alloc(CHUNK_SMALL");
        site_absent("core/mem/block.c", "cedei_map_reserve(CHUNK_LARGE");
        return;
    }
    cedei_block_depot_init(&depot);
    while (count < BYTES / SIZE) {
        cedei_alloc_fail_at("core/mem/block.c", "chunk_add", 0, true);
        void *block = cedei_block_take(&depot, NULL, SIZE);
        if (cedei_alloc_fail_never() != 0) {
            EXPECT(block == NULL);
            short_of++;
            block = cedei_block_take(&depot, NULL, SIZE);
        }
        EXPECT(block != NULL);
        blocks[count++] = block;
    }
    EXPECT(short_of > 8);
    while (count > 0) cedei_block_give(&depot, NULL, blocks[--count], SIZE);
    cedei_block_depot_fini(&depot);
}

static void a_stack_can_be_had_by_the_next_call(void **state) {
    struct cedei_stack_pool pool;
    cede_result why = CEDE_OK;
    (void)state;
    cedei_stack_pool_init(&pool, 65536);
    for (uint64_t i = 0; i < 2; i++) { /* of its two mappings */
        cedei_alloc_fail_at("core/mem/stack.c", "stack_region_add", i, true);
        EXPECT(cedei_stack_take_slow(&pool, &why) == NULL);
        EXPECT_EQUAL(cedei_alloc_fail_never(), i + 1);
        EXPECT_EQUAL(why, CEDE_ENOMEM);
    }
    struct cedei_stack *stack = cedei_stack_take_slow(&pool, &why);
    EXPECT(stack != NULL);
    cedei_stack_give_slow(&pool, stack);
    cedei_stack_pool_fini(&pool);
}

TURN_TEST(stacks_are_not_measured_without_memory) {
    (void)context;
    struct cedei_stack_pool *pool = &cede_self_system(self)->sched.stacks;
    struct cedei_stack_use use;
    EXPECT_SHORT("core/mem/stack.c", "cedei_stack_pool_measure",
                 cedei_stack_pool_measure(pool, &use), CEDE_ENOMEM);
    EXPECT_EQUAL(use.stacks, 0);
    EXPECT_OK(cedei_stack_pool_measure(pool, &use));
    EXPECT(use.stacks > 0);
    return CEDE_OK;
}

/* ---- sched ---- */

static void no_system_is_made_without_memory(void **state) {
    static const char *const FUNCTIONS[][2] = {{"core/sched/sched.c", "cpus_take"},
                                               {"core/sched/sched.c", "workers_make"},
                                               {"core/sched/sched.c", "wheels_init"},
                                               {"actors/actor/system.c", "cede_system_create"}};
    (void)state;
    struct fixture *log = calloc(1, sizeof *log);
    EXPECT(log != NULL);
    pthread_mutex_init(&log->lock, NULL);
    struct cede_options options = {.workers = 1, .log = fixture_log, .log_context = log};
    for (int i = 0; i < 4; i++) {
        cede_system *system = NULL;
        EXPECT_SHORT(FUNCTIONS[i][0], FUNCTIONS[i][1], cede_system_create(&system, &options),
                     CEDE_ENOMEM);
        EXPECT(system == NULL);
        EXPECT_OK(cede_system_create(&system, &options));
        cede_system_destroy(system);
    }
    fixture_free(log);
}

static cede_result job_run(void *message) {
    ((struct number *)message)->value++;
    return CEDE_OK;
}

/* On a fresh system: no thread of the pool is there to do it. */
TURN_TEST(a_job_is_refused_without_memory_for_its_thread) {
    (void)context;
    struct number *number = cede_new(self, number);
    EXPECT(number != NULL);
    EXPECT_SHORT("core/sched/pool.c", "thread_make", cede_run_blocking(self, job_run, &number),
                 CEDE_ENOMEM);
    EXPECT(number != NULL && number->value == 0);
    EXPECT_OK(cede_run_blocking(self, job_run, &number));
    EXPECT_EQUAL(number->value, 1);
    cede_drop(self, &number);
    return CEDE_OK;
}

static cede_result blocking_run(cede_self *self, void *context) {
    (void)self;
    flag_set(context, 1);
    return CEDE_STOP;
}

/* What cannot be refused any more waits until there is a thread. */
TURN_TEST(an_actor_that_blocks_runs_later_without_memory_for_its_thread) {
    static _Atomic uint32_t has_run;
    (void)context;
    flag_set(&has_run, 0);
    site_arm("core/sched/pool.c", "thread_make");
    (void)play_as(self, &player_that_blocks, blocking_run, (void *)&has_run);
    site_disarm();
    while (flag_get(&has_run) == 0) EXPECT_OK(cede_sleep(self, 100000));
    return CEDE_OK;
}

TURN_TEST(a_message_for_later_is_still_the_callers_without_memory_for_it) {
    (void)context;
    struct number *number = cede_new(self, number);
    EXPECT(number != NULL);
    number->value = 7;
    EXPECT_SHORT("core/sched/timer.c", "post_fresh",
                 cede_send_after(self, cede_self_ref(self), &number, 1, NULL), CEDE_ENOMEM);
    EXPECT(number != NULL && number->value == 7);
    EXPECT_OK(cede_send_after(self, cede_self_ref(self), &number, 1, NULL));
    EXPECT_EQUAL(number_await(self), 7);
    return CEDE_OK;
}

static cede_result turn_run(cede_self *self, void *context) {
    (void)self, (void)context;
    return CEDE_OK;
}

/* An overflow of a stack is then reported by the kernel alone. */
static void a_thread_goes_without_a_stack_for_signals(void **state) {
    (void)state;
    site_arm("core/sys/fault.c", "cedei_fault_thread_begin");
    struct fixture *fixture = fixture_begin((struct cede_options){.workers = 1});
    fixture_run(fixture, turn_run, NULL);
    site_disarm();
    fixture_end(fixture);
}

TURN_TEST(a_pipe_is_refused_without_memory_for_what_is_watched) {
    (void)context;
    struct cede_stream *from = NULL, *to = NULL;
    EXPECT_SHORT("core/sched/reactor.c", "chunk_add", cede_pipe(self, &from, &to), CEDE_ENOMEM);
    EXPECT(from == NULL && to == NULL);
    EXPECT_OK(cede_pipe(self, &from, &to));
    cede_drop(self, &from);
    cede_drop(self, &to);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_section_without_memory_ends_the_process_with_a_line), /* no threads yet */
        cmocka_unit_test(a_child_process_is_not_started_without_memory),
        cmocka_unit_test(a_large_block_can_be_had_by_the_next_call),
        cmocka_unit_test(a_large_part_can_be_had_by_the_next_call),
        cmocka_unit_test(a_small_block_can_be_had_by_the_next_call),
        cmocka_unit_test(a_stack_can_be_had_by_the_next_call),
        SITE_TEST(stacks_are_not_measured_without_memory),
        cmocka_unit_test(no_system_is_made_without_memory),
        SITE_TEST(a_job_is_refused_without_memory_for_its_thread),
        SITE_TEST(an_actor_that_blocks_runs_later_without_memory_for_its_thread),
        SITE_TEST(a_message_for_later_is_still_the_callers_without_memory_for_it),
        cmocka_unit_test(a_thread_goes_without_a_stack_for_signals),
        SITE_TEST(a_pipe_is_refused_without_memory_for_what_is_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
