/* The calls for memory of core/: stacks, blocks, sources, processes, epochs. */
#include <cede/io.h>

#include "core/mem/block.h"
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

/* `size` bytes cannot be had while `function` gets no memory, and can afterwards. */
static void block_is_short(const char *function, size_t size) {
    struct cedei_block_depot depot;
    cedei_block_depot_init(&depot);
    EXPECT_SHORT_NULL("core/mem/block.c", function, cedei_block_take(&depot, NULL, size));
    void *block = cedei_block_take(&depot, NULL, size);
    EXPECT(block != NULL);
    cedei_block_give(&depot, NULL, block, size);
    cedei_block_depot_fini(&depot);
}

static void blocks_cannot_be_had_and_can_be_had_later(void **state) {
    (void)state;
    enum { POOLED = 64, LARGE = 5000 };
    block_is_short("cedei_block_take_slow", LARGE);
    if (CEDEI_ASAN) /* every block is malloc's own */
        site_absent("core/mem/block.c", "memory = cedei_alloc(CHUNK_SMALL");
    else
        block_is_short("chunk_add", POOLED);
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
                                               {"actors/actor/system.c", "cede_system_create"}};
    (void)state;
    struct fixture *log = calloc(1, sizeof *log);
    EXPECT(log != NULL);
    pthread_mutex_init(&log->lock, NULL);
    struct cede_options options = {.workers = 1, .log = fixture_log, .log_context = log};
    for (int i = 0; i < 2; i++) {
        cede_system *system = NULL;
        EXPECT_SHORT(FUNCTIONS[i][0], FUNCTIONS[i][1], cede_system_create(&system, &options),
                     CEDE_ENOMEM);
        EXPECT(system == NULL);
        EXPECT_OK(cede_system_create(&system, &options));
        cede_system_destroy(system);
    }
    fixture_free(log);
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
        cmocka_unit_test(blocks_cannot_be_had_and_can_be_had_later),
        SITE_TEST(stacks_are_not_measured_without_memory),
        cmocka_unit_test(no_system_is_made_without_memory),
        SITE_TEST(a_pipe_is_refused_without_memory_for_what_is_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
