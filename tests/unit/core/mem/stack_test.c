/* The pool of stacks: where they lie, that their guards fault, and that none is handed out twice. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#include "core/base/base.h"
#include "core/mem/stack.h"
#include "core/sys/map.h"
#include "tests/support/child.h"

enum { SPACING = 64 * 1024 };

struct pools {
    struct cedei_stack_pool pool;
    struct cedei_stack_cache cache;
};

static int pool_setup(void **state) {
    struct pools *pools = calloc(1, sizeof *pools);
    assert_non_null(pools);
    cedei_stack_pool_init(&pools->pool, SPACING);
    *state = pools;
    return 0;
}

static int pool_teardown(void **state) {
    struct pools *pools = *state;
    cedei_stack_cache_flush(&pools->pool, &pools->cache);
    cedei_stack_pool_fini(&pools->pool);
    free(pools);
    return 0;
}

static struct cedei_stack *take(struct pools *pools) {
    cede_result why = CEDE_OK;
    struct cedei_stack *stack = cedei_stack_take(&pools->pool, &pools->cache, &why);
    assert_non_null(stack);
    return stack;
}

static uint64_t mapped(struct pools *pools) {
    /* relaxed: only read here. */
    return atomic_load_explicit(&pools->pool.mapped, memory_order_relaxed);
}

static void stack_taken_is_writable_from_end_to_end(void **state) {
    struct cedei_stack *stack = take(*state);
    assert_true(stack->size > SPACING - 2 * cedei_page_size() && stack->size < SPACING);
    memset(stack->low, 1, stack->size);
    cedei_stack_give(&((struct pools *)*state)->pool, &((struct pools *)*state)->cache, stack);
}

/* Turns that are suspended at the same time shall not all be in the same sets of the processor's caches. */
static void tops_of_32_stacks_are_in_32_lines_of_their_pages(void **state) {
    struct pools *pools = *state;
    enum { COUNT = 32 };
    struct cedei_stack *stacks[COUNT];
    uint32_t seen = 0;
    for (int i = 0; i < COUNT; i++) {
        stacks[i] = take(pools);
        uintptr_t below = 0u - (uintptr_t)(stacks[i] + 1); /* so far below the next page */
        size_t line = below % cedei_page_size() / CEDEI_CACHE_LINE;
        assert_int_equal((uintptr_t)(stacks[i] + 1) % CEDEI_CACHE_LINE, 0);
        assert_in_range(line, 0, COUNT - 1);
        assert_int_equal(seen >> line & 1, 0);
        seen |= (uint32_t)1 << line;
    }
    for (int i = 0; i < COUNT; i++) cedei_stack_give(&pools->pool, &pools->cache, stacks[i]);
}

/* More than one mapping's worth: all different, none overlapping. */
static void stack_pool_hands_out_each_stack_once(void **state) {
    struct pools *pools = *state;
    enum { COUNT = 600 };
    static struct cedei_stack *stacks[COUNT];
    for (int i = 0; i < COUNT; i++) {
        stacks[i] = take(pools);
        *(int *)(void *)stacks[i]->low = i;
    }
    for (int i = 0; i < COUNT; i++) assert_int_equal(*(int *)(void *)stacks[i]->low, i);
    assert_int_equal(mapped(pools), COUNT);
    for (int i = 0; i < COUNT; i++) cedei_stack_give(&pools->pool, &pools->cache, stacks[i]);
    for (int i = 0; i < COUNT; i++)
        stacks[i] = take(pools); /* all of them come back before new ones are made */
    assert_int_equal(mapped(pools), COUNT);
    for (int i = 0; i < COUNT; i++) cedei_stack_give(&pools->pool, &pools->cache, stacks[i]);
}

static void stack_flushed_from_one_cache_is_found_by_another(void **state) {
    struct pools *pools = *state;
    struct cedei_stack *stack = take(pools);
    cedei_stack_give(&pools->pool, &pools->cache, stack);
    cedei_stack_cache_flush(&pools->pool, &pools->cache);
    assert_int_equal(pools->cache.count, 0);
    struct cedei_stack_cache other = {0};
    cede_result why = CEDE_OK;
    assert_ptr_equal(cedei_stack_take(&pools->pool, &other, &why), stack);
    cedei_stack_give(&pools->pool, &pools->cache, stack);
}

static void guard_is_recognised_and_nothing_else_is(void **state) {
    struct pools *pools = *state;
    struct cedei_stack *one = take(pools), *two = take(pools);
    int local = 0;
    assert_true(cedei_stack_guard_hit(&pools->pool, one->low - 1));
    assert_true(cedei_stack_guard_hit(&pools->pool, one->low - cedei_page_size()));
    assert_false(cedei_stack_guard_hit(&pools->pool, one->low));
    assert_false(cedei_stack_guard_hit(&pools->pool, one));
    assert_false(cedei_stack_guard_hit(&pools->pool, &local));
    assert_false(cedei_stack_guard_hit(&pools->pool, NULL));
    cedei_stack_give(&pools->pool, &pools->cache, one);
    cedei_stack_give(&pools->pool, &pools->cache, two);
}

static void touch(void *address) { *(volatile char *)address = 1; }

static void guard_faults_on_both_its_ends(void **state) {
    struct pools *pools = *state;
    struct cedei_stack *stack = take(pools);
    struct child_end end;
    child_run(&end, touch, stack->low - 1);
    EXPECT(end.status != 0);
    child_run(&end, touch, stack->low - cedei_page_size());
    EXPECT(end.status != 0);
    child_run(&end, touch, stack->low);
    EXPECT(end.status == 0);
    cedei_stack_give(&pools->pool, &pools->cache, stack);
}

static uint64_t mappings_max(void) {
    unsigned long long most = 0;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "r");
    if (file == NULL) return UINT64_MAX;
    if (fscanf(file, "%llu", &most) != 1) most = ULLONG_MAX;
    (void)fclose(file);
    return most;
}

/* As on kernels before 6.13: each guard costs mappings, and when those are used up that is an error, not a crash. */
static void guards_by_mprotect_end_in_a_clear_error(void **state) {
    struct pools *pools = *state;
    uint64_t most = mappings_max(), count = 0;
    if (most > 100000) skip(); /* it would take too many */
    /* They need mappings of their own, and end without. */
    if (CEDEI_ASAN || CEDEI_TSAN || RUNNING_ON_VALGRIND) skip();
    struct cedei_stack *all = NULL, *stack = NULL;
    cede_result why = CEDE_OK;
    cedei_map_guard_by_mprotect(true);
    while ((stack = cedei_stack_take(&pools->pool, &pools->cache, &why)) != NULL) {
        stack->next = all;
        all = stack;
        assert_true(++count < most);
    }
    assert_int_equal(why, CEDE_ELIMIT);
    assert_false(cedei_map_guard_is_light());
    assert_true(cedei_stack_guard_hit(&pools->pool, all->low - 1));
    cedei_map_guard_by_mprotect(false);
    while (all != NULL) {
        stack = all;
        all = stack->next;
        cedei_stack_give(&pools->pool, &pools->cache, stack);
    }
    stack = take(pools); /* there are some again */
    cedei_stack_give(&pools->pool, &pools->cache, stack);
}

static void measure_finds_the_deepest_stack(void **state) {
    struct pools *pools = *state;
    struct cedei_stack *stacks[100];
    struct cedei_stack_use use = {.stacks = 9};
    assert_int_equal(cedei_stack_pool_measure(&pools->pool, &use), CEDE_OK);
    assert_int_equal(use.stacks, 0);
    for (int i = 0; i < 100; i++) stacks[i] = take(pools);
    size_t page = cedei_page_size();
    *((char *)stacks[70] - 5 * page) = 1;
    assert_int_equal(cedei_stack_pool_measure(&pools->pool, &use), CEDE_OK);
    assert_int_equal(use.stacks, 100);
    assert_int_equal(use.high_water_bytes, 6 * page);
    assert_true(use.resident_bytes >= 101 * page && use.resident_bytes < 200 * page);
    for (int i = 0; i < 100; i++) cedei_stack_give(&pools->pool, &pools->cache, stacks[i]);
}

int main(void) {
#define WITH_POOL(name) cmocka_unit_test_setup_teardown(name, pool_setup, pool_teardown)
    const struct CMUnitTest tests[] = {
        WITH_POOL(stack_taken_is_writable_from_end_to_end),
        WITH_POOL(tops_of_32_stacks_are_in_32_lines_of_their_pages),
        WITH_POOL(stack_pool_hands_out_each_stack_once),
        WITH_POOL(stack_flushed_from_one_cache_is_found_by_another),
        WITH_POOL(guard_is_recognised_and_nothing_else_is),
        WITH_POOL(guard_faults_on_both_its_ends),
        WITH_POOL(guards_by_mprotect_end_in_a_clear_error),
        WITH_POOL(measure_finds_the_deepest_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
