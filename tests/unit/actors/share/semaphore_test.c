/* cede_semaphore: bounds, serves in order, and conserves its permits however its holders and waiters end. */
#include <cede/inbox.h>
#include <cede/semaphore.h>

#include "tests/support/lines.h"

static cede_semaphore *semaphore;

static void semaphore_begin(cede_self *self, uint64_t permits) {
    served_reset();
    EXPECT_OK(cede_semaphore_create(self, permits, &semaphore));
}

/* Every permit is back. */
static void semaphore_end(uint64_t permits) {
    EXPECT_EQUAL(cede_semaphore_available(semaphore), permits);
    cede_shared_unref(&semaphore);
}

/* Takes as many as `context` says, notes it, gives them back. */
static cede_result acquire_and_release(cede_self *self, void *context) {
    uint64_t count = (uintptr_t)context;
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, count, CEDE_FOREVER));
    served_add(count);
    cede_semaphore_release(self, semaphore, count);
    return CEDE_STOP;
}

/* One that stands in line, and is watched. */
static CEDE_YIELDS cede_ref waiter_start(cede_self *self, cede_result (*run)(cede_self *, void *),
                                         uint64_t count) {
    cede_ref waiter = play(self, run, (void *)(uintptr_t)count);
    EXPECT_OK(cede_monitor(self, waiter));
    parked_await(self, waiter);
    return waiter;
}

TURN_TEST(semaphore_gives_what_there_is_and_refuses_more) {
    (void)context;
    semaphore_begin(self, 3);
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, 2, CEDE_FOREVER));
    EXPECT_RESULT(cede_semaphore_acquire(self, semaphore, 2, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_semaphore_acquire(self, semaphore, 2, 1), CEDE_ETIMEDOUT);
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, 1, 0));
    EXPECT_EQUAL(cede_semaphore_available(semaphore), 0);
    cede_semaphore_release(self, semaphore, 3);
    semaphore_end(3);
    return CEDE_OK;
}

TURN_TEST(semaphore_serves_in_the_order_of_arrival) {
    (void)context;
    semaphore_begin(self, 4);
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, 4, 0));
    const uint64_t wants[4] = {4, 1, 3, 2};
    for (int i = 0; i < 4; i++) (void)waiter_start(self, acquire_and_release, wants[i]);
    cede_semaphore_release(self, semaphore,
                           1); /* enough for the second, who must not pass the first */
    for (int i = 0; i < 10; i++) cede_yield(self);
    EXPECT_EQUAL(flag_get(&served_count), 0);
    EXPECT_RESULT(cede_semaphore_acquire(self, semaphore, 1, 0), CEDE_ETIMEDOUT); /* nor must we */
    cede_semaphore_release(self, semaphore, 3);
    for (int i = 0; i < 4; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
    EXPECT_EQUAL(served[0], 4);
    semaphore_end(4);
    return CEDE_OK;
}

/* More than are woken in one go, and all at once. */
TURN_TEST(semaphore_wakes_many_at_once) {
    (void)context;
    enum { MANY = 50 };
    semaphore_begin(self, MANY);
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, MANY, 0));
    for (int i = 0; i < MANY; i++) (void)waiter_start(self, acquire_and_release, 1);
    cede_semaphore_release(self, semaphore, MANY);
    flag_await(self, &served_count, MANY);
    for (int i = 0; i < MANY; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
    semaphore_end(MANY);
    return CEDE_OK;
}

/* ---- waits that end otherwise ---- */

static cede_result acquire_with_a_limit(cede_self *self, void *context) {
    EXPECT_RESULT(cede_semaphore_acquire(self, semaphore, (uintptr_t)context, 1000), CEDE_ETIMEDOUT);
    return CEDE_STOP;
}

TURN_TEST(semaphore_waiter_that_times_out_lets_those_behind_go) {
    (void)context;
    semaphore_begin(self, 2);
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, 1, 0));
    cede_ref first = play(self, acquire_with_a_limit, (void *)2);
    EXPECT_OK(cede_monitor(self, first));
    EXPECT_RESULT(down_await(self, first), CEDE_OK);
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, 1, 0)); /* nobody is in line any more */
    cede_semaphore_release(self, semaphore, 2);
    semaphore_end(2);
    return CEDE_OK;
}

TURN_TEST(semaphore_waiter_that_is_killed_lets_those_behind_go) {
    (void)context;
    semaphore_begin(self, 2);
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, 1, 0));
    cede_ref first = waiter_start(self, acquire_and_release, 2);
    cede_ref second = waiter_start(self, acquire_and_release, 1);
    EXPECT_OK(cede_kill(self, first));
    flag_await(self, &served_count, 1);
    EXPECT_EQUAL(served[0], 1);
    for (int i = 0; i < 2; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        EXPECT_EQUAL((cede_result)down->reason,
                     cede_ref_equal(down->actor, second) ? CEDE_OK : CEDE_EKILLED);
        cede_drop(self, &down);
    }
    cede_semaphore_release(self, semaphore, 1);
    semaphore_end(2);
    return CEDE_OK;
}

static cede_result acquire_until_stopped(cede_self *self, void *context) {
    (void)context;
    EXPECT_RESULT(cede_semaphore_acquire(self, semaphore, 1, CEDE_FOREVER), CEDE_ECANCELED);
    EXPECT_RESULT(cede_semaphore_acquire(self, semaphore, 1, CEDE_FOREVER), CEDE_ECANCELED);
    return CEDE_STOP;
}

TURN_TEST(semaphore_wait_ends_when_the_actor_is_to_stop) {
    (void)context;
    semaphore_begin(self, 0);
    cede_ref waiter = waiter_start(self, acquire_until_stopped, 0);
    EXPECT_OK(cede_stop(self, waiter));
    EXPECT_RESULT(down_await(self, waiter), CEDE_OK);
    semaphore_end(0);
    return CEDE_OK;
}

/* Given a permit, and killed before it runs again: the next in line gets it. With one worker it is always so. */
TURN_TEST(semaphore_permit_of_a_waiter_killed_on_its_way_goes_to_the_next) {
    (void)context;
    semaphore_begin(self, 1);
    for (int round = 0; round < 50; round++) {
        served_reset();
        EXPECT_OK(cede_semaphore_acquire(self, semaphore, 1, 0));
        cede_ref first = waiter_start(self, acquire_and_release, 1);
        cede_ref second = waiter_start(self, acquire_and_release, 1);
        cede_semaphore_release(self, semaphore, 1);
        (void)cede_kill(self, first); /* it may have ended */
        for (int i = 0; i < 2; i++) {
            struct cede_down *down = NULL;
            EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
            if (cede_ref_equal(down->actor, second)) EXPECT_EQUAL(down->reason, CEDE_OK);
            cede_drop(self, &down);
        }
    }
    semaphore_end(1);
    return CEDE_OK;
}

/* ---- holders ---- */

static cede_result acquire_and_sleep(cede_self *self, void *context) {
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, (uintptr_t)context, CEDE_FOREVER));
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, 1, CEDE_FOREVER)); /* held beside it */
    struct number *never = NULL;
    (void)cede_recv(self, number, &never, CEDE_FOREVER);
    return CEDE_STOP;
}

TURN_TEST(semaphore_permits_of_a_holder_that_is_killed_come_back) {
    (void)context;
    semaphore_begin(self, 5);
    cede_ref holder = waiter_start(self, acquire_and_sleep, 3);
    EXPECT_EQUAL(cede_semaphore_available(semaphore), 1);
    kill_and_await(self, holder);
    semaphore_end(5);
    return CEDE_OK;
}

static cede_result acquire_and_end(cede_self *self, void *context) {
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, (uintptr_t)context, 0));
    return CEDE_EFAILED;
}

TURN_TEST(semaphore_permits_of_a_holder_that_fails_come_back) {
    (void)context;
    semaphore_begin(self, 2);
    cede_ref holder = play(self, acquire_and_end, (void *)2);
    EXPECT_OK(cede_monitor(self, holder));
    EXPECT_RESULT(down_await(self, holder), CEDE_EFAILED);
    semaphore_end(2);
    return CEDE_OK;
}

TURN_TEST(semaphore_permits_can_be_made_and_unmade) {
    (void)context;
    semaphore_begin(self, 1);
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, 1, 0));
    cede_semaphore_forget(self, semaphore, 1);
    EXPECT_EQUAL(cede_semaphore_available(semaphore), 0);
    cede_ref waiter = waiter_start(self, acquire_and_release, 2);
    cede_semaphore_add(semaphore, 1);
    cede_semaphore_add(semaphore, 2);
    EXPECT_RESULT(down_await(self, waiter), CEDE_OK);
    semaphore_end(3);
    return CEDE_OK;
}

/* ---- storm ---- */

enum { STORM_PERMITS = 3 };
static _Atomic uint32_t storm_inside;

static CEDE_YIELDS void storm_round(cede_self *self, uint64_t *random) {
    uint64_t want = 1 + storm_random(random) % STORM_PERMITS;
    uint64_t limit_ns = storm_random(random) % 3 == 0 ? storm_random(random) % 20000 : CEDE_FOREVER;
    cede_result r = cede_semaphore_acquire(self, semaphore, want, limit_ns);
    if (r == CEDE_ECANCELED) cede_yield(self);
    if (r != CEDE_OK) return;
    /* relaxed: a bound that no order could break. */
    uint32_t inside = atomic_fetch_add_explicit(&storm_inside, (uint32_t)want, memory_order_relaxed);
    EXPECT(inside + want <= STORM_PERMITS);
    atomic_fetch_sub_explicit(&storm_inside, (uint32_t)want, memory_order_relaxed);
    if (storm_random(random) % 2 == 0) cede_yield(self); /* may be killed as a holder */
    cede_semaphore_release(self, semaphore, want);
}

TURN_TEST(semaphore_conserves_its_permits_in_a_storm) {
    (void)context;
    semaphore_begin(self, STORM_PERMITS);
    storm_run(self, (struct storm){.round = storm_round, .actors = 12, .rounds = 60, .kills = 300});
    semaphore_end(STORM_PERMITS);
    return CEDE_OK;
}

/* ---- a plain thread ---- */

static void semaphore_serves_an_inbox_on_its_own_thread(void **state) {
    struct fixture *fixture = *state;
    cede_inbox *inbox = NULL;
    EXPECT_OK(cede_inbox_open(fixture->system, 0, &inbox));
    cede_self *self = cede_inbox_self(inbox);
    semaphore_begin(self, 1);
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, 1, CEDE_FOREVER));
    EXPECT_RESULT(cede_semaphore_acquire(self, semaphore, 1, 1000), CEDE_ETIMEDOUT);
    cede_ref other = play(self, acquire_and_release, (void *)1);
    EXPECT_OK(cede_monitor(self, other));
    number_send(self, cede_self_ref(self), 5); /* what waits in its mailbox stays there */
    cede_semaphore_release(self, semaphore, 1);
    for (int i = 0; i < 100; i++) { /* against the other, now and then */
        EXPECT_OK(cede_semaphore_acquire(self, semaphore, 1, CEDE_FOREVER));
        cede_semaphore_release(self, semaphore, 1);
    }
    struct number *number = NULL;
    struct cede_down *down = NULL;
    EXPECT_OK(cede_inbox_recv(inbox, number, &number, CEDE_FOREVER));
    EXPECT_EQUAL(number->value, 5);
    cede_drop(self, &number);
    EXPECT_OK(cede_inbox_recv(inbox, cede_down, &down, CEDE_FOREVER));
    cede_drop(self, &down);
    EXPECT_OK(cede_semaphore_acquire(self, semaphore, 1, 0)); /* given back by the close */
    cede_semaphore *mine = semaphore;
    cede_inbox_close(inbox);
    EXPECT_EQUAL(cede_semaphore_available(mine), 1);
    cede_shared_unref(&semaphore);
}

/* ---- misuse ---- */

TURN_TEST(semaphore_refuses_what_makes_no_sense) {
    (void)context;
    cede_semaphore *none = NULL;
    EXPECT_RESULT(cede_semaphore_create(NULL, 1, &none), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_semaphore_create(self, 1, NULL), CEDE_EINVAL);
    EXPECT_RESULT(cede_semaphore_create(self, UINT64_MAX, &none), CEDE_EINVAL);
    EXPECT_RESULT(cede_semaphore_acquire(self, NULL, 1, 0), CEDE_EINVAL);
    EXPECT(none == NULL);
    semaphore_begin(self, 1);
    EXPECT_RESULT(cede_semaphore_acquire(NULL, semaphore, 1, 0), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_semaphore_acquire(self, semaphore, 0, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_semaphore_acquire(self, semaphore, UINT64_MAX, 0), CEDE_EINVAL);
    semaphore_end(1);
    return CEDE_OK;
}

static cede_result release_too_many(cede_self *self, void *context) {
    (void)context;
    cede_semaphore *mine = NULL;
    EXPECT_OK(cede_semaphore_create(self, 2, &mine));
    EXPECT_OK(cede_semaphore_acquire(self, mine, 1, 0));
    cede_semaphore_release(self, mine, 2);
    EXPECT_EQUAL(cede_semaphore_available(mine), 1);
    cede_semaphore_release(self, mine, 1);
    cede_shared_unref(&mine);
    return CEDE_OK;
}

static void semaphore_permits_that_are_not_held_cannot_be_released(void **state) {
    (void)state;
    EXPECT_MISUSE(release_too_many, "does not hold so many permits");
}

static cede_result give_the_last_reference_back(cede_self *self, void *context) {
    (void)context;
    cede_semaphore *mine = NULL;
    EXPECT_OK(cede_semaphore_create(self, 2, &mine));
    EXPECT_OK(cede_semaphore_acquire(self, mine, 1, 0));
    cede_shared_unref(&mine);
    return CEDE_OK;
}

static void semaphore_is_not_ended_while_permits_are_held(void **state) {
    (void)state;
    cede_block_fn *run = give_the_last_reference_back;
#if CEDEI_TSAN
    skip(); /* ThreadSanitizer dislikes forks of processes with threads */
#endif
    EXPECT_CHILD_ABORTS(misuse_in_system, &run, "while an actor holds permits");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(semaphore_gives_what_there_is_and_refuses_more),
        WITH_SYSTEM(semaphore_serves_in_the_order_of_arrival),
        WITH_SYSTEM(semaphore_wakes_many_at_once),
        WITH_SYSTEM(semaphore_waiter_that_times_out_lets_those_behind_go),
        WITH_SYSTEM(semaphore_waiter_that_is_killed_lets_those_behind_go),
        WITH_SYSTEM(semaphore_wait_ends_when_the_actor_is_to_stop),
        WITH_SYSTEM(semaphore_permit_of_a_waiter_killed_on_its_way_goes_to_the_next),
        WITH_SYSTEM(semaphore_permits_of_a_holder_that_is_killed_come_back),
        WITH_SYSTEM(semaphore_permits_of_a_holder_that_fails_come_back),
        WITH_SYSTEM(semaphore_permits_can_be_made_and_unmade),
        WITH_SYSTEM(semaphore_conserves_its_permits_in_a_storm),
        WITH_SYSTEM(semaphore_serves_an_inbox_on_its_own_thread),
        WITH_SYSTEM(semaphore_refuses_what_makes_no_sense),
        cmocka_unit_test(semaphore_permits_that_are_not_held_cannot_be_released),
        cmocka_unit_test(semaphore_is_not_ended_while_permits_are_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
