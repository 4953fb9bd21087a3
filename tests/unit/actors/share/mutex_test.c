/* cede_mutex: one holder at a time among actors on several workers. That it must not cross a yield: see misuse_test.c. */
#include <cede/mutex.h>

#include "tests/support/actors.h"

enum { ACTORS = 8, ROUNDS = 5000 };

static cede_mutex mutex;
static uint64_t counted; /* under `mutex` */
static _Atomic uint32_t done;

static cede_result count_under_the_mutex(cede_self *self, void *context) {
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        cede_mutex_lock(&mutex);
        counted++;
        cede_mutex_unlock(&mutex);
        if (i % 64 == 0) cede_yield(self);
    }
    /* acq_rel: for the test. */
    atomic_fetch_add_explicit(&done, 1, memory_order_acq_rel);
    return CEDE_STOP;
}

TURN_TEST(mutex_lets_one_actor_in_at_a_time) {
    (void)context;
    EXPECT_OK(cede_mutex_init(&mutex));
    for (int i = 0; i < ACTORS; i++) play(self, count_under_the_mutex, NULL);
    flag_await(self, &done, ACTORS);
    EXPECT_EQUAL(counted, ACTORS * ROUNDS);
    cede_mutex_fini(&mutex);
    return CEDE_OK;
}

static void mutex_of_null_is_refused_and_its_end_does_nothing(void **state) {
    (void)state;
    EXPECT_RESULT(cede_mutex_init(NULL), CEDE_EINVAL);
    cede_mutex_fini(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(mutex_lets_one_actor_in_at_a_time),
        cmocka_unit_test(mutex_of_null_is_refused_and_its_end_does_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
