/* Cancel tokens: requested by themselves or by what is above them, for good. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cede/cancel.h>

#include "core/base/base.h"
#include "tests/support/expect.h"

static void cancel_is_requested_by_itself_and_by_what_is_above_it_only(void **state) {
    (void)state;
    cede_cancel top, middle, low, beside;
    cede_cancel_init(&top, NULL);
    cede_cancel_init(&middle, &top);
    cede_cancel_init(&low, &middle);
    cede_cancel_init(&beside, &top);
    EXPECT(!cede_cancel_is_requested(&low));
    cede_cancel_request(&middle);
    EXPECT(cede_cancel_is_requested(&middle) && cede_cancel_is_requested(&low));
    EXPECT(!cede_cancel_is_requested(&top) && !cede_cancel_is_requested(&beside));
    cede_cancel_request(&top);
    EXPECT(cede_cancel_is_requested(&beside));
    cede_cancel_request(&top); /* again: nothing */
    EXPECT(cede_cancel_is_requested(&top));
}

static void cancel_of_nothing_does_nothing(void **state) {
    (void)state;
    cede_cancel_request(NULL);
    EXPECT(!cede_cancel_is_requested(NULL));
}

static cede_cancel shared;
static uint32_t written;

static void *await_request(void *context) {
    while (!cede_cancel_is_requested(&shared)) sched_yield();
    EXPECT_EQUAL(written, 42);
    return context;
}

static void cancel_publishes_what_was_written_before_it(void **state) {
    (void)state;
    pthread_t thread;
    cede_cancel_init(&shared, NULL);
    EXPECT(pthread_create(&thread, NULL, await_request, NULL) == 0);
    written = 42;
    cede_cancel_request(&shared);
    pthread_join(thread, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cancel_is_requested_by_itself_and_by_what_is_above_it_only),
        cmocka_unit_test(cancel_of_nothing_does_nothing),
        cmocka_unit_test(cancel_publishes_what_was_written_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
