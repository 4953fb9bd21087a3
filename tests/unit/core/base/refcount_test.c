/* The count of holders: the last give, and no other, says so. That what was done before is seen: tests/model. */
#include "core/base/refcount.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/expect.h"

enum { THREADS = 4, ROUNDS = 20000 };

static void refcount_only_the_last_give_is_the_last(void **state) {
    (void)state;
    struct cedei_refcount refs;
    cedei_refcount_init(&refs);
    cedei_refcount_take(&refs);
    cedei_refcount_take(&refs);
    EXPECT(!cedei_refcount_give(&refs));
    EXPECT(!cedei_refcount_give(&refs));
    EXPECT(cedei_refcount_give(&refs));
}

static struct cedei_refcount shared;
static uint64_t written[THREADS]; /* plain: seen by the last giver only if its give is after theirs */
static _Atomic uint32_t lasts;

static void *take_and_give(void *context) {
    uint64_t *mine = context;
    for (int i = 0; i < ROUNDS; i++) {
        cedei_refcount_take(&shared);
        EXPECT(!cedei_refcount_give(&shared));
    }
    *mine = 1;
    if (!cedei_refcount_give(&shared)) return NULL;
    for (int i = 0; i < THREADS; i++) EXPECT_EQUAL(written[i], 1);
    /* relaxed: read after the joins. */
    atomic_fetch_add_explicit(&lasts, 1, memory_order_relaxed);
    return NULL;
}

static void refcount_has_one_last_give_among_threads(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    cedei_refcount_init(&shared);
    for (int i = 1; i < THREADS; i++) cedei_refcount_take(&shared);
    for (int i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, take_and_give, &written[i]) == 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    EXPECT_EQUAL(lasts, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refcount_only_the_last_give_is_the_last),
        cmocka_unit_test(refcount_has_one_last_give_among_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
