/* cede_counter: nothing that is added is lost, from workers and from other threads. */
#include <cede/counter.h>

#include "tests/support/lines.h"

enum { ACTORS = 8, ROUNDS = 5000 };

static cede_counter *counter;

static cede_result add_and_take(cede_self *self, void *context) {
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        cede_counter_add(counter, 3);
        cede_counter_add(counter, -1);
        if (i % 256 == 0) cede_yield(self);
    }
    return CEDE_STOP;
}

static void *add_outside(void *context) {
    for (int i = 0; i < ROUNDS; i++) cede_counter_add(counter, 1);
    return context;
}

TURN_TEST(counter_loses_nothing) {
    (void)context;
    pthread_t thread;
    EXPECT_OK(cede_counter_create(self, &counter));
    EXPECT_EQUAL(cede_counter_sum(counter), 0);
    EXPECT(pthread_create(&thread, NULL, add_outside, NULL) == 0);
    for (int i = 0; i < ACTORS; i++) EXPECT_OK(cede_monitor(self, play(self, add_and_take, NULL)));
    for (int i = 0; i < ACTORS; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
    pthread_join(thread, NULL);
    EXPECT_EQUAL(cede_counter_sum(counter), ACTORS * ROUNDS * 2 + ROUNDS);
    cede_shared_unref(&counter);
    return CEDE_OK;
}

TURN_TEST(counter_refuses_what_makes_no_sense) {
    (void)context;
    cede_counter *none = NULL;
    EXPECT_RESULT(cede_counter_create(NULL, &none), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_counter_create(self, NULL), CEDE_EINVAL);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(counter_loses_nothing),
        WITH_SYSTEM(counter_refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
