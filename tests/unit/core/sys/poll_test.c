/* Waits for descriptors: they end by their deadline and not before it, whether by a limit of their own or by the timer that stays
 * set, and nobody who just looks takes the end of a wait away. */
#include "core/sys/poll.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/sys/call.h"
#include "core/sys/clock.h"
#include "tests/support/expect.h"

enum { ROOM = 4 };
#define NEAR_NS 200000u /* shorter than a wait that the timer is set for */
#define FAR_NS 2000000u
#define LONG_NS 300000000u /* within it a loaded machine comes to the next line */

/* Waits as the timekeeper of a scheduler does: again until the time has come. Returns how many waits that took. */
static uint32_t wait_out(struct cedei_poll *poll, uint64_t deadline_ns) {
    cedei_poll_event events[ROOM];
    uint32_t waits = 0;
    while (cedei_clock_now_ns() < deadline_ns) {
        uint32_t count = cedei_poll_wait(poll, events, ROOM, deadline_ns);
        for (uint32_t i = 0; i < count; i++) EXPECT(events[i].data.ptr == NULL);
        waits++;
    }
    return waits;
}

static void wait_ends_at_its_deadline_and_not_before(void **state) {
    (void)state;
    struct cedei_poll poll;
    EXPECT_OK(cedei_poll_init(&poll));
    for (int i = 0; i < 20; i++) {
        /* Not twice: neither limit ends a wait too soon. */
        EXPECT(wait_out(&poll, cedei_clock_now_ns() + NEAR_NS) <= 1);
        EXPECT(wait_out(&poll, cedei_clock_now_ns() + FAR_NS) <= 1);
    }
    cedei_poll_fini(&poll);
}

/* It is set for the first of both, ends a wait for the later one, and is set again for that. */
static void timer_that_is_set_for_an_earlier_time_does_not_end_a_later_wait(void **state) {
    (void)state;
    struct cedei_poll poll;
    cedei_poll_event events[ROOM];
    EXPECT_OK(cedei_poll_init(&poll));
    uint64_t early_ns = cedei_clock_now_ns() + LONG_NS;
    cedei_poll_wake(&poll); /* this wait ends at once; the timer is set by then */
    EXPECT_EQUAL(cedei_poll_wait(&poll, events, ROOM, early_ns), 1);
    EXPECT_EQUAL(poll.timer_ns, early_ns);
    EXPECT_EQUAL(wait_out(&poll, early_ns + LONG_NS), 2);
    EXPECT_EQUAL(poll.timer_ns, 0);
    cedei_poll_fini(&poll);
}

static void timer_that_is_set_for_a_later_time_does_not_hold_an_earlier_wait(void **state) {
    (void)state;
    struct cedei_poll poll;
    cedei_poll_event events[ROOM];
    EXPECT_OK(cedei_poll_init(&poll));
    uint64_t late_ns = cedei_clock_now_ns() + 1000 * (uint64_t)FAR_NS;
    cedei_poll_wake(&poll);
    EXPECT_EQUAL(cedei_poll_wait(&poll, events, ROOM, late_ns), 1);
    (void)wait_out(&poll, cedei_clock_now_ns() + NEAR_NS);
    (void)wait_out(&poll, cedei_clock_now_ns() + FAR_NS);
    EXPECT(cedei_clock_now_ns() < late_ns);
    cedei_poll_fini(&poll);
}

static void wake_ends_a_wait_without_a_deadline(void **state) {
    (void)state;
    struct cedei_poll poll;
    cedei_poll_event events[ROOM];
    EXPECT_OK(cedei_poll_init(&poll));
    for (int i = 0; i < 3; i++) {
        cedei_poll_wake(&poll);
        EXPECT_EQUAL(cedei_poll_wait(&poll, events, ROOM, UINT64_MAX), 1);
        EXPECT_EQUAL(cedei_poll_wait(&poll, events, ROOM, 0), 0);
    }
    cedei_poll_fini(&poll);
}

static void look_takes_neither_a_wake_nor_the_timer_from_who_waits(void **state) {
    (void)state;
    struct cedei_poll poll;
    cedei_poll_event events[ROOM];
    EXPECT_OK(cedei_poll_init(&poll));
    uint64_t deadline_ns = cedei_clock_now_ns() + LONG_NS;
    cedei_poll_wake(&poll);
    EXPECT_EQUAL(cedei_poll_wait(&poll, events, ROOM, 0), 1);
    EXPECT_EQUAL(cedei_poll_wait(&poll, events, ROOM, deadline_ns), 1);
    while (cedei_clock_now_ns() < deadline_ns) {}
    while (cedei_poll_wait(&poll, events, ROOM, 0) == 0) {} /* the timer, a little later */
    EXPECT_EQUAL(cedei_poll_wait(&poll, events, ROOM, 0), 1);
    EXPECT_EQUAL(cedei_poll_wait(&poll, events, ROOM, UINT64_MAX), 1);
    EXPECT_EQUAL(cedei_poll_wait(&poll, events, ROOM, 0), 0);
    cedei_poll_fini(&poll);
}

/* There is none, or it cannot be set: each wait has its own limit. */
static void waits_do_without_a_timer(void **state) {
    (void)state;
    static const int ERRORS[] = {EMFILE, ENFILE, ENODEV, ENOMEM, EPERM, EINVAL, ECANCELED};
    for (size_t i = 0; i < sizeof ERRORS / sizeof ERRORS[0]; i++) {
        struct cedei_poll poll;
        cedei_call_fail(CEDEI_CALL_TIMER, ERRORS[i], 0);
        EXPECT_OK(cedei_poll_init(&poll));
        EXPECT(cedei_call_fail_never());
        EXPECT(poll.timer < 0);
        EXPECT(wait_out(&poll, cedei_clock_now_ns() + FAR_NS) <= 1);
        cedei_poll_fini(&poll);
        EXPECT_OK(cedei_poll_init(&poll));
        cedei_call_fail(CEDEI_CALL_TIMER_SET, ERRORS[i], 0);
        EXPECT_EQUAL(wait_out(&poll, cedei_clock_now_ns() + LONG_NS / 10), 1);
        EXPECT(cedei_call_fail_never());
        EXPECT_EQUAL(poll.timer_ns, 0);
        cedei_poll_fini(&poll);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wait_ends_at_its_deadline_and_not_before),
        cmocka_unit_test(timer_that_is_set_for_an_earlier_time_does_not_end_a_later_wait),
        cmocka_unit_test(timer_that_is_set_for_a_later_time_does_not_hold_an_earlier_wait),
        cmocka_unit_test(wake_ends_a_wait_without_a_deadline),
        cmocka_unit_test(look_takes_neither_a_wake_nor_the_timer_from_who_waits),
        cmocka_unit_test(waits_do_without_a_timer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
