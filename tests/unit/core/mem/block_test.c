/* Message blocks: each is somebody's alone, is aligned, and goes round between caches through the depot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/base.h"
#include "core/mem/block.h"
#include "core/sys/alloc.h"

static struct cedei_block_depot depot;
static struct cedei_block_cache caches[2];

static int depot_setup(void **state) {
    (void)state;
    memset(caches, 0, sizeof caches);
    cedei_block_depot_init(&depot);
    return 0;
}

static int depot_teardown(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) cedei_block_cache_flush(&depot, &caches[i]);
    cedei_block_depot_fini(&depot);
    return 0;
}

static void block_of_every_size_is_aligned_and_its_own(void **state) {
    (void)state;
    enum { PER_SIZE = 3 };
    static char *blocks[128][PER_SIZE];
    static size_t sizes[128];
    int count = 0;
    for (size_t size = 1; size <= 4096; size += size < 256 ? 17 : 211, count++) {
        sizes[count] = size;
        for (int i = 0; i < PER_SIZE; i++) {
            blocks[count][i] = cedei_block_take(&depot, i == 2 ? NULL : &caches[i], size);
            assert_non_null(blocks[count][i]);
            assert_int_equal((uintptr_t)blocks[count][i] % 16, 0);
            memset(blocks[count][i], count * PER_SIZE + i, size);
        }
    }
    for (int k = 0; k < count; k++)
        for (int i = 0; i < PER_SIZE; i++) {
            for (size_t at = 0; at < sizes[k]; at++)
                assert_int_equal((unsigned char)blocks[k][i][at], (k * PER_SIZE + i) & 255);
            cedei_block_give(&depot, &caches[0], blocks[k][i], sizes[k]);
        }
}

/* One worker takes, another gives: what the second collects must come back to the first, not grow without bound. */
static void blocks_given_elsewhere_come_back_through_the_depot(void **state) {
    (void)state;
    if (CEDEI_ASAN) skip(); /* every block is malloc's own there */
    for (int i = 0; i < 100000; i++) {
        void *block = cedei_block_take(&depot, &caches[0], 64);
        void *larger = cedei_block_take(&depot, &caches[0], 100);
        assert_non_null(block);
        assert_non_null(larger);
        cedei_block_give(&depot, &caches[1], block, 64);
        cedei_block_give(&depot, &caches[1], larger, 100);
        assert_true(caches[1].small.count < CEDEI_BLOCK_SMALL_MAX);
        assert_true(caches[1].lists[0].count < 2 * CEDEI_BLOCK_BATCH);
    }
    assert_true(depot.carved[0] <= 64 * 1024);
    assert_true(depot.carved[1] <= 64 * 1024);
}

static void block_that_cannot_be_had_is_null_and_can_be_had_later(void **state) {
    (void)state;
    size_t sizes[] = {64, 2048, 5000};
    for (int i = 0; i < 3; i++) {
        cedei_alloc_fail_after(0, false);
        void *block = cedei_block_take(&depot, &caches[0], sizes[i]);
        cedei_alloc_fail_never();
        assert_null(block);
        block = cedei_block_take(&depot, &caches[0], sizes[i]);
        assert_non_null(block);
        cedei_block_give(&depot, &caches[0], block, sizes[i]);
    }
}

static void cache_flushed_leaves_its_blocks_to_others(void **state) {
    (void)state;
    if (CEDEI_ASAN) skip(); /* as above */
    void *block = cedei_block_take(&depot, &caches[0], 64);
    cedei_block_give(&depot, &caches[0], block, 64);
    cedei_block_cache_flush(&depot, &caches[0]);
    assert_int_equal(caches[0].small.count, 0);
    size_t carved = depot.carved[0];
    void *again = cedei_block_take(&depot, &caches[1], 64);
    assert_int_equal(depot.carved[0], carved);
    cedei_block_give(&depot, &caches[1], again, 64);
}

/* Batches are written into their own blocks: whatever their length, all blocks must come out, each once. */
static void batch_of_any_length_keeps_all_its_blocks(void **state) {
    (void)state;
    if (CEDEI_ASAN) skip(); /* as above */
    for (int count = 1; count < 2 * CEDEI_BLOCK_SMALL_MAX; count++) {
        void *blocks[2 * CEDEI_BLOCK_SMALL_MAX];
        for (int i = 0; i < count; i++) blocks[i] = cedei_block_take(&depot, &caches[0], 64);
        for (int i = 0; i < count; i++) cedei_block_give(&depot, &caches[0], blocks[i], 64);
        cedei_block_cache_flush(&depot, &caches[0]);
        size_t carved = depot.carved[0];
        for (int i = 0; i < count; i++) {
            blocks[i] = cedei_block_take(&depot, &caches[1], 64);
            *(int *)blocks[i] = i;
        }
        for (int i = 0; i < count; i++) assert_int_equal(*(int *)blocks[i], i);
        assert_int_equal(depot.carved[0], carved);
        for (int i = 0; i < count; i++) cedei_block_give(&depot, &caches[1], blocks[i], 64);
        cedei_block_cache_flush(&depot, &caches[1]);
    }
}

int main(void) {
#define WITH_DEPOT(name) cmocka_unit_test_setup_teardown(name, depot_setup, depot_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DEPOT(block_of_every_size_is_aligned_and_its_own),
        WITH_DEPOT(blocks_given_elsewhere_come_back_through_the_depot),
        WITH_DEPOT(block_that_cannot_be_had_is_null_and_can_be_had_later),
        WITH_DEPOT(cache_flushed_leaves_its_blocks_to_others),
        WITH_DEPOT(batch_of_any_length_keeps_all_its_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
