/* cede_notify: one call wakes one, is remembered once, and is not lost with whoever it was for. */
#include <cede/notify.h>

#include "tests/support/lines.h"

static cede_notify *notify;

static void notify_begin(cede_self *self) {
    served_reset();
    EXPECT_OK(cede_notify_create(self, &notify));
}

static void notify_end(void) { cede_shared_unref(&notify); }

static cede_result await_and_note(cede_self *self, void *context) {
    cede_result r = cede_notify_await(self, notify, CEDE_FOREVER);
    served_add(r == CEDE_OK ? (uintptr_t)context : 1000 + (uint64_t)r);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_ref waiter_start(cede_self *self, uint64_t number) {
    cede_ref actor = play(self, await_and_note, (void *)(uintptr_t)number);
    EXPECT_OK(cede_monitor(self, actor));
    parked_await(self, actor);
    return actor;
}

static CEDE_YIELDS void downs_await(cede_self *self, int count) {
    for (int i = 0; i < count; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
}

TURN_TEST(notify_remembers_one_call) {
    (void)context;
    notify_begin(self);
    EXPECT_RESULT(cede_notify_await(self, notify, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_notify_await(self, notify, 1000), CEDE_ETIMEDOUT);
    cede_notify_one(notify);
    cede_notify_one(notify);
    EXPECT_OK(cede_notify_await(self, notify, 0));
    EXPECT_RESULT(cede_notify_await(self, notify, 0), CEDE_ETIMEDOUT);
    cede_notify_all(notify); /* nobody waits: it is not remembered */
    EXPECT_RESULT(cede_notify_await(self, notify, 0), CEDE_ETIMEDOUT);
    notify_end();
    return CEDE_OK;
}

TURN_TEST(notify_one_calls_them_in_the_order_of_arrival) {
    (void)context;
    notify_begin(self);
    for (uint64_t i = 1; i <= 4; i++) (void)waiter_start(self, i);
    for (uint64_t i = 1; i <= 4; i++) {
        cede_notify_one(notify);
        downs_await(self, 1);
        EXPECT_EQUAL(flag_get(&served_count), i);
        EXPECT_EQUAL(served[i - 1], i);
    }
    EXPECT_RESULT(cede_notify_await(self, notify, 0), CEDE_ETIMEDOUT);
    notify_end();
    return CEDE_OK;
}

TURN_TEST(notify_all_calls_all_that_wait) {
    (void)context;
    enum { MANY = 40 }; /* more than are woken in one go */
    notify_begin(self);
    for (uint64_t i = 0; i < MANY; i++) (void)waiter_start(self, i);
    cede_notify_all(notify);
    downs_await(self, MANY);
    EXPECT_RESULT(cede_notify_await(self, notify, 0), CEDE_ETIMEDOUT);
    notify_end();
    return CEDE_OK;
}

TURN_TEST(notify_waiter_that_is_killed_in_line_is_passed_over) {
    (void)context;
    notify_begin(self);
    cede_ref first = waiter_start(self, 1);
    (void)waiter_start(self, 2);
    kill_and_await(self, first);
    cede_notify_one(notify);
    downs_await(self, 1);
    EXPECT_EQUAL(served[0], 2);
    notify_end();
    return CEDE_OK;
}

/* Called, and killed before it runs again: the next is called, or the call is remembered. */
TURN_TEST(notify_call_of_a_waiter_killed_on_its_way_is_not_lost) {
    (void)context;
    notify_begin(self);
    for (int round = 0; round < 50; round++) {
        served_reset();
        cede_ref first = waiter_start(self, 1);
        cede_notify_one(notify);
        (void)cede_kill(self, first); /* it may have ended */
        downs_await(self, 1);
        cede_result wanted = flag_get(&served_count) == 1 ? CEDE_ETIMEDOUT : CEDE_OK;
        EXPECT_RESULT(cede_notify_await(self, notify, 0), wanted);
    }
    notify_end();
    return CEDE_OK;
}

/* But one for all was for the dead too, and is not handed on. */
TURN_TEST(notify_call_for_all_is_not_handed_on) {
    (void)context;
    notify_begin(self);
    for (int round = 0; round < 20; round++) {
        cede_ref first = waiter_start(self, 1);
        cede_notify_all(notify);
        (void)cede_kill(self, first);
        downs_await(self, 1);
        EXPECT_RESULT(cede_notify_await(self, notify, 0), CEDE_ETIMEDOUT);
    }
    notify_end();
    return CEDE_OK;
}

static cede_result await_until_stopped(cede_self *self, void *context) {
    (void)context;
    EXPECT_RESULT(cede_notify_await(self, notify, CEDE_FOREVER), CEDE_ECANCELED);
    return CEDE_STOP;
}

TURN_TEST(notify_wait_ends_when_the_actor_is_to_stop) {
    (void)context;
    notify_begin(self);
    cede_ref waiter = play(self, await_until_stopped, NULL);
    EXPECT_OK(cede_monitor(self, waiter));
    parked_await(self, waiter);
    EXPECT_OK(cede_stop(self, waiter));
    EXPECT_RESULT(down_await(self, waiter), CEDE_OK);
    notify_end();
    return CEDE_OK;
}

/* ---- storm: a counter, and a call for each time it is raised; who finds it 0 waits ---- */

static _Atomic uint32_t work;

static CEDE_YIELDS void storm_round(cede_self *self, uint64_t *random) {
    if (storm_random(random) % 2 == 0) {
        /* relaxed (all): the call publishes it. */
        atomic_fetch_add_explicit(&work, 1, memory_order_relaxed);
        cede_notify_one(notify);
        if (storm_random(random) % 2 == 0) cede_yield(self);
        return;
    }
    cede_result r = cede_notify_await(self, notify, storm_random(random) % 50000);
    if (r == CEDE_ECANCELED) cede_yield(self);
    atomic_store_explicit(&work, 0, memory_order_relaxed);
}

TURN_TEST(notify_survives_a_storm) {
    (void)context;
    notify_begin(self);
    storm_run(self, (struct storm){.round = storm_round, .actors = 10, .rounds = 60, .kills = 300});
    (void)cede_notify_await(self, notify, 0);
    EXPECT_RESULT(cede_notify_await(self, notify, 0), CEDE_ETIMEDOUT);
    cede_notify_one(notify);
    EXPECT_OK(cede_notify_await(self, notify, CEDE_FOREVER));
    notify_end();
    return CEDE_OK;
}

/* Two that call each other by turns: a lost call would stop them. */
static cede_notify *ping, *pong;
enum { ROUNDS = 2000 };

static cede_result answer_calls(cede_self *self, void *context) {
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT_OK(cede_notify_await(self, ping, CEDE_FOREVER));
        cede_notify_one(pong);
    }
    return CEDE_STOP;
}

TURN_TEST(notify_loses_no_call_between_two) {
    (void)context;
    EXPECT_OK(cede_notify_create(self, &ping));
    EXPECT_OK(cede_notify_create(self, &pong));
    cede_ref other = play(self, answer_calls, NULL);
    EXPECT_OK(cede_monitor(self, other));
    for (int i = 0; i < ROUNDS; i++) {
        cede_notify_one(ping);
        EXPECT_OK(cede_notify_await(self, pong, CEDE_FOREVER));
    }
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    cede_shared_unref(&ping);
    cede_shared_unref(&pong);
    return CEDE_OK;
}

TURN_TEST(notify_refuses_what_makes_no_sense) {
    (void)context;
    cede_notify *none = NULL;
    EXPECT_RESULT(cede_notify_create(NULL, &none), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_notify_create(self, NULL), CEDE_EINVAL);
    EXPECT_RESULT(cede_notify_await(self, NULL, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_notify_await(NULL, NULL, 0), CEDE_ECONTEXT);
    cede_notify_one(NULL);
    cede_notify_all(NULL);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(notify_remembers_one_call),
        WITH_SYSTEM(notify_one_calls_them_in_the_order_of_arrival),
        WITH_SYSTEM(notify_all_calls_all_that_wait),
        WITH_SYSTEM(notify_waiter_that_is_killed_in_line_is_passed_over),
        WITH_SYSTEM(notify_call_of_a_waiter_killed_on_its_way_is_not_lost),
        WITH_SYSTEM(notify_call_for_all_is_not_handed_on),
        WITH_SYSTEM(notify_wait_ends_when_the_actor_is_to_stop),
        WITH_SYSTEM(notify_survives_a_storm),
        WITH_SYSTEM(notify_loses_no_call_between_two),
        WITH_SYSTEM(notify_refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
