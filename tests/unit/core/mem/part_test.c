/* Parts of messages: each is somebody's alone, keeps its content when it is resized, and is of use to every thread when it is
 * given back. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/base.h"
#include "core/mem/part.h"
#include "core/sys/thread.h"

enum { SIZES = 14 };
static const size_t SOME_SIZES[SIZES] = {0,    1,    47,   48,   49,    112,   500,
                                         1001, 2032, 2033, 5000, 65520, 65521, 200000};

static void part_of_every_size_is_aligned_and_its_own(void **state) {
    char *parts[SIZES][2];
    (void)state;
    for (int i = 0; i < SIZES; i++) {
        size_t size = SOME_SIZES[i];
        parts[i][0] = cedei_part_take(size);
        parts[i][1] = cedei_part_take_zeroed(size);
        for (int k = 0; k < 2; k++) {
            assert_non_null(parts[i][k]);
            assert_int_equal((uintptr_t)parts[i][k] % 16, 0);
            for (size_t at = 0; at < size; at++) {
                if (k == 1) assert_int_equal(parts[i][k][at], 0);
                parts[i][k][at] = (char)(2 * i + k + 1);
            }
        }
    }
    for (int i = 0; i < SIZES; i++)
        for (int k = 0; k < 2; k++) {
            for (size_t at = 0; at < SOME_SIZES[i]; at++)
                assert_int_equal(parts[i][k][at], 2 * i + k + 1);
            cedei_part_give(parts[i][k]);
        }
    cedei_part_give(NULL);
}

/* What was in a block before is not in one that was asked for as zero. */
static void part_taken_zeroed_is_zero_where_another_was(void **state) {
    (void)state;
    for (int round = 0; round < 4; round++) {
        char *part = cedei_part_take_zeroed(100);
        assert_non_null(part);
        for (int at = 0; at < 100; at++) assert_int_equal(part[at], 0);
        memset(part, 0xff, 100);
        cedei_part_give(part);
    }
}

static void part_keeps_its_content_when_resized_from_any_size_to_any(void **state) {
    (void)state;
    for (int from = 0; from < SIZES; from++)
        for (int to = 0; to < SIZES; to++) {
            size_t before = SOME_SIZES[from], after = SOME_SIZES[to];
            unsigned char *part = cedei_part_resize(NULL, before);
            assert_non_null(part);
            for (size_t at = 0; at < before; at++) part[at] = (unsigned char)(at * 7);
            part = cedei_part_resize(part, after);
            assert_non_null(part);
            for (size_t at = 0; at < before && at < after; at++)
                assert_int_equal(part[at], (unsigned char)(at * 7));
            if (after > 0) part[after - 1] = 1;
            cedei_part_give(part);
        }
}

static void part_that_cannot_be_had_is_null_and_leaves_what_was_there(void **state) {
    (void)state;
    for (int i = 0; i < SIZES; i++) {
        char *part = cedei_part_take(10);
        assert_non_null(part);
        memset(part, 'x', 10);
        cedei_alloc_fail_after(0, false);
        void *other = cedei_part_take(SOME_SIZES[i]),
             *zeroed = cedei_part_take_zeroed(SOME_SIZES[i]),
             *resized = cedei_part_resize(part, SOME_SIZES[i]);
        assert_true(cedei_alloc_fail_never() >= 3);
        assert_true(other == NULL && zeroed == NULL && resized == NULL);
        assert_memory_equal(part, "xxxxxxxxxx", 10);
        cedei_part_give(part);
    }
    if (CEDEI_ASAN) return; /* it ends the process at such a size */
    assert_null(cedei_part_take(SIZE_MAX));
    assert_null(cedei_part_take_zeroed(SIZE_MAX - 8));
}

/* ---- between threads ---- */

enum { WAITING = 3000, THREADS = 4 };
static void *waiting[WAITING];
static size_t waiting_size;

static int address_compare(const void *a, const void *b) {
    uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return x < y ? -1 : x > y;
}

/* Gives back what the thread before left, and leaves as much: as a sender that has moved to another worker. */
static void *thread_renews(void *context) {
    struct cedei_block_cache *cache = context;
    cedei_part_cache_set(cache);
    for (int i = 0; i < WAITING; i++) {
        cedei_part_give(waiting[i]);
        waiting[i] = cedei_part_take(waiting_size);
        if (waiting[i] == NULL) abort();
    }
    if (cache != NULL) cedei_part_cache_flush(cache);
    cedei_part_cache_set(NULL);
    return NULL;
}

/* How many different parts there ever were. */
static uint32_t parts_used(size_t size) {
    static struct cedei_block_cache caches[THREADS];
    static uintptr_t seen[THREADS * WAITING];
    uint32_t used = 0;
    waiting_size = size;
    for (int i = 0; i < THREADS; i++) {
        cedei_thread thread;
        void *cache = i + 1 < THREADS ? &caches[i] : NULL; /* the last one is no worker */
        assert_int_equal(cedei_thread_start(&thread, "renews", thread_renews, cache), CEDE_OK);
        cedei_thread_join(&thread);
        for (int k = 0; k < WAITING; k++) seen[i * WAITING + k] = (uintptr_t)waiting[k];
    }
    for (int i = 0; i < WAITING; i++) {
        cedei_part_give(waiting[i]);
        waiting[i] = NULL;
    }
    qsort(seen, THREADS * WAITING, sizeof seen[0], address_compare);
    for (int i = 0; i < THREADS * WAITING; i++) used += i == 0 || seen[i] != seen[i - 1];
    return used;
}

static void parts_given_on_one_thread_are_taken_on_all(void **state) {
    (void)state;
    if (CEDEI_ASAN) skip(); /* every part is malloc's own there */
    for (int i = 0; i < SIZES; i++)
        if (SOME_SIZES[i] <= 65520)
            assert_true(parts_used(SOME_SIZES[i]) <= WAITING + THREADS * CEDEI_BLOCK_SMALL_MAX);
}

/* ---- what is no part ---- */

static void part_end_of_nobody(void) {
    static uint64_t mine[4];
    cedei_part_give(&mine[2]);
}

static void part_end_twice(void) {
    void *part = cedei_part_take(100);
    cedei_part_give(part);
    cedei_part_give(part);
}

static void expect_abort(void (*run)(void)) {
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)freopen("/dev/null", "w", stderr);
        run();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void part_that_was_not_taken_or_is_given_twice_ends_the_process(void **state) {
    (void)state;
    if (CEDEI_ASAN) skip(); /* AddressSanitizer says it itself */
    expect_abort(part_end_of_nobody);
    expect_abort(part_end_twice);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(part_of_every_size_is_aligned_and_its_own),
        cmocka_unit_test(part_taken_zeroed_is_zero_where_another_was),
        cmocka_unit_test(part_keeps_its_content_when_resized_from_any_size_to_any),
        cmocka_unit_test(part_that_cannot_be_had_is_null_and_leaves_what_was_there),
        cmocka_unit_test(parts_given_on_one_thread_are_taken_on_all),
        cmocka_unit_test(part_that_was_not_taken_or_is_given_twice_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
