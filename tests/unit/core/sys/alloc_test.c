/* Allocation, and the hook that makes it fail where a test wants it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/sys/alloc.h"

static void alloc_of_no_bytes_is_a_block_and_free_of_null_is_nothing(void **state) {
    (void)state;
    void *a = cedei_alloc(0), *b = cedei_alloc_zeroed(0), *c = cedei_realloc(NULL, 0);
    assert_true(a != NULL && b != NULL && c != NULL && a != b);
    cedei_free(a);
    cedei_free(b);
    cedei_free(c);
    cedei_free(NULL);
}

static void alloc_aligned_is_aligned_and_zeroed_is_zero(void **state) {
    (void)state;
    for (size_t align = 1; align <= 4096; align *= 2) {
        void *block = cedei_alloc_aligned(align, 100);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % align, 0);
        memset(block, 1, 100);
        cedei_free(block);
    }
    char *zeroed = cedei_alloc_zeroed(4096);
    assert_non_null(zeroed);
    for (int i = 0; i < 4096; i++) assert_int_equal(zeroed[i], 0);
    cedei_free(zeroed);
}

static void alloc_fails_once_at_the_chosen_index_and_counts(void **state) {
    (void)state;
    void *blocks[5];
    char *grown = cedei_alloc(4);
    assert_non_null(grown);
    memcpy(grown, "old", 4);
    cedei_alloc_fail_after(2, true);
    blocks[0] = cedei_alloc(1);
    blocks[1] = cedei_alloc_zeroed(1);
    void *failed = cedei_realloc(grown, 100);
    blocks[2] = cedei_alloc_aligned(64, 1);
    blocks[3] = cedei_alloc(1);
    assert_int_equal(cedei_alloc_fail_never(), 5);
    assert_null(failed);
    assert_string_equal(grown, "old");
    for (int i = 0; i < 4; i++) {
        assert_non_null(blocks[i]);
        cedei_free(blocks[i]);
    }
    cedei_free(grown);
}

static void alloc_fails_from_the_chosen_index_on_until_told_otherwise(void **state) {
    (void)state;
    cedei_alloc_fail_after(1, false);
    void *first = cedei_alloc(1);
    void *second = cedei_alloc(1), *third = cedei_alloc_zeroed(1),
         *fourth = cedei_alloc_aligned(8, 1);
    cedei_alloc_fail_never();
    void *after = cedei_alloc(1);
    assert_true(first != NULL && second == NULL && third == NULL && fourth == NULL && after != NULL);
    cedei_free(first);
    cedei_free(after);
}

enum { THREADS = 4, ROUNDS = 2000 };

static void *allocate_many(void *failures) {
    for (int i = 0; i < ROUNDS; i++) {
        void *block = cedei_alloc(8);
        if (block == NULL) ++*(uint32_t *)failures;
        cedei_free(block);
    }
    return NULL;
}

static void alloc_fails_exactly_once_also_among_threads(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    uint32_t failures[THREADS] = {0}, sum = 0;
    cedei_alloc_fail_after(THREADS * ROUNDS / 2, true);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, allocate_many, &failures[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        sum += failures[i];
    }
    assert_int_equal(cedei_alloc_fail_never(), THREADS * ROUNDS);
    assert_int_equal(sum, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alloc_of_no_bytes_is_a_block_and_free_of_null_is_nothing),
        cmocka_unit_test(alloc_aligned_is_aligned_and_zeroed_is_zero),
        cmocka_unit_test(alloc_fails_once_at_the_chosen_index_and_counts),
        cmocka_unit_test(alloc_fails_from_the_chosen_index_on_until_told_otherwise),
        cmocka_unit_test(alloc_fails_exactly_once_also_among_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
