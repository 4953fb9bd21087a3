/* cede_async_mutex: one holder at a time, over yields; never lost, and poisoned by a holder that ends. */
#include <cede/async_mutex.h>
#include <cede/defer.h>

#include "tests/support/lines.h"

static cede_async_mutex *mutex;
static uint64_t guarded; /* under `mutex` */

static void mutex_begin(cede_self *self) {
    served_reset();
    guarded = 0;
    EXPECT_OK(cede_async_mutex_create(self, &mutex));
}

static void mutex_end(void) { cede_shared_unref(&mutex); } /* which sees that nobody holds it */

static cede_result lock_note_unlock(cede_self *self, void *context) {
    cede_result r = cede_async_mutex_lock(self, mutex, CEDE_FOREVER);
    served_add(r == CEDE_OK ? (uintptr_t)context : (uint64_t)r + 1000);
    if (r == CEDE_OK) cede_async_mutex_unlock(self, mutex);
    return CEDE_STOP;
}

static cede_result lock_for_ever(cede_self *self, void *context) {
    (void)context;
    struct number *never = NULL;
    EXPECT_OK(cede_async_mutex_lock(self, mutex, CEDE_FOREVER));
    (void)cede_recv(self, number, &never, CEDE_FOREVER);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_ref parked_start(cede_self *self, cede_result (*run)(cede_self *, void *),
                                         uint64_t context) {
    cede_ref actor = play(self, run, (void *)(uintptr_t)context);
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

enum { ACTORS = 8, ROUNDS = 300 };

static cede_result count_over_yields(cede_self *self, void *context) {
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        EXPECT_OK(cede_async_mutex_lock(self, mutex, CEDE_FOREVER));
        uint64_t before = guarded;
        if (i % 3 == 0) cede_yield(self);
        guarded = before + 1;
        cede_async_mutex_unlock(self, mutex);
    }
    return CEDE_STOP;
}

TURN_TEST(async_mutex_lets_one_actor_in_over_yields) {
    (void)context;
    mutex_begin(self);
    for (int i = 0; i < ACTORS; i++)
        EXPECT_OK(cede_monitor(self, play(self, count_over_yields, NULL)));
    downs_await(self, ACTORS);
    EXPECT_EQUAL(guarded, ACTORS * ROUNDS);
    mutex_end();
    return CEDE_OK;
}

TURN_TEST(async_mutex_serves_in_the_order_of_arrival) {
    (void)context;
    mutex_begin(self);
    EXPECT_OK(cede_async_mutex_lock(self, mutex, 0));
    for (uint64_t i = 1; i <= 5; i++) (void)parked_start(self, lock_note_unlock, i);
    EXPECT_EQUAL(flag_get(&served_count), 0);
    cede_async_mutex_unlock(self, mutex);
    downs_await(self, 5);
    for (uint64_t i = 1; i <= 5; i++) EXPECT_EQUAL(served[i - 1], i);
    mutex_end();
    return CEDE_OK;
}

TURN_TEST(async_mutex_knows_its_holder) {
    (void)context;
    mutex_begin(self);
    EXPECT_OK(cede_async_mutex_lock(self, mutex, 0));
    EXPECT_RESULT(cede_async_mutex_lock(self, mutex, CEDE_FOREVER), CEDE_EDEADLK);
    EXPECT_RESULT(cede_async_mutex_repair(self, mutex, CEDE_FOREVER), CEDE_EDEADLK);
    cede_async_mutex_unlock(self, mutex);
    cede_ref holder = parked_start(self, lock_for_ever, 0);
    EXPECT_RESULT(cede_async_mutex_lock(self, mutex, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_async_mutex_repair(self, mutex, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_async_mutex_lock(self, mutex, 1000), CEDE_ETIMEDOUT);
    number_send(self, holder, 1);
    EXPECT_RESULT(down_await(self, holder), CEDE_OK); /* it ended with the lock */
    EXPECT_RESULT(cede_async_mutex_lock(self, mutex, 0), CEDE_EPOISONED);
    mutex_end();
    return CEDE_OK;
}

TURN_TEST(async_mutex_of_a_killed_holder_is_poisoned_until_it_is_repaired) {
    (void)context;
    mutex_begin(self);
    cede_ref holder = parked_start(self, lock_for_ever, 0);
    for (uint64_t i = 1; i <= 3; i++) (void)parked_start(self, lock_note_unlock, i);
    EXPECT_OK(cede_kill(self, holder));
    downs_await(self, 4);
    EXPECT_EQUAL(flag_get(&served_count), 3); /* those who waited are told */
    for (int i = 0; i < 3; i++) EXPECT_EQUAL(served[i], 1000 + CEDE_EPOISONED);
    EXPECT_RESULT(cede_async_mutex_lock(self, mutex, CEDE_FOREVER), CEDE_EPOISONED);
    EXPECT_OK(cede_async_mutex_repair(self, mutex, CEDE_FOREVER));
    cede_ref waiter = parked_start(self, lock_note_unlock, 9); /* not poisoned any more: it waits */
    cede_async_mutex_unlock(self, mutex);
    EXPECT_RESULT(down_await(self, waiter), CEDE_OK);
    EXPECT_EQUAL(served[3], 9);
    mutex_end();
    return CEDE_OK;
}

static cede_result repair_for_ever(cede_self *self, void *context) {
    (void)context;
    struct number *never = NULL;
    EXPECT_OK(cede_async_mutex_repair(self, mutex, CEDE_FOREVER));
    (void)cede_recv(self, number, &never, CEDE_FOREVER);
    return CEDE_STOP;
}

TURN_TEST(async_mutex_is_poisoned_again_by_a_repairer_that_ends) {
    (void)context;
    mutex_begin(self);
    cede_ref holder = parked_start(self, lock_for_ever, 0);
    cede_ref repairer = parked_start(self, repair_for_ever, 0); /* waits in line: not refused */
    EXPECT_OK(cede_kill(self, holder));
    EXPECT_RESULT(down_await(self, holder), CEDE_EKILLED);
    EXPECT_RESULT(cede_async_mutex_lock(self, mutex, 0), CEDE_ETIMEDOUT); /* it is being repaired */
    parked_await(self, repairer);
    kill_and_await(self, repairer);
    EXPECT_RESULT(cede_async_mutex_lock(self, mutex, 0), CEDE_EPOISONED);
    EXPECT_OK(cede_async_mutex_repair(self, mutex, 0));
    cede_async_mutex_unlock(self, mutex);
    EXPECT_OK(cede_async_mutex_lock(self, mutex, 0));
    cede_async_mutex_unlock(self, mutex);
    mutex_end();
    return CEDE_OK;
}

static CEDE_YIELDS void storm_round(cede_self *self, uint64_t *random) {
    uint64_t limit_ns = storm_random(random) % 3 == 0 ? storm_random(random) % 20000 : CEDE_FOREVER;
    cede_result r = cede_async_mutex_lock(self, mutex, limit_ns);
    if (r == CEDE_EPOISONED) r = cede_async_mutex_repair(self, mutex, limit_ns);
    if (r == CEDE_ECANCELED) cede_yield(self);
    if (r != CEDE_OK) return;
    uint64_t before = ++guarded; /* a race, if two are in */
    if (storm_random(random) % 2 == 0) cede_yield(self);
    EXPECT_EQUAL(guarded, before);
    cede_async_mutex_unlock(self, mutex);
}

TURN_TEST(async_mutex_survives_a_storm) {
    (void)context;
    mutex_begin(self);
    storm_run(self, (struct storm){.round = storm_round, .actors = 10, .rounds = 60, .kills = 300});
    EXPECT_OK(cede_async_mutex_repair(self, mutex, 0)); /* nobody has it */
    cede_async_mutex_unlock(self, mutex);
    mutex_end();
    return CEDE_OK;
}

static cede_result unlock_what_is_not_held(cede_self *self, void *context) {
    (void)context;
    cede_async_mutex *mine = NULL;
    EXPECT_OK(cede_async_mutex_create(self, &mine));
    cede_async_mutex_unlock(self, mine);
    EXPECT_OK(cede_async_mutex_lock(self, mine, 0));
    cede_async_mutex_unlock(self, mine);
    cede_shared_unref(&mine);
    return CEDE_OK;
}

static void async_mutex_that_is_not_held_cannot_be_unlocked(void **state) {
    (void)state;
    EXPECT_MISUSE(unlock_what_is_not_held, "does not hold the lock");
}

TURN_TEST(async_mutex_refuses_what_makes_no_sense) {
    (void)context;
    cede_async_mutex *none = NULL;
    EXPECT_RESULT(cede_async_mutex_create(NULL, &none), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_async_mutex_create(self, NULL), CEDE_EINVAL);
    EXPECT_RESULT(cede_async_mutex_lock(self, NULL, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_async_mutex_lock(NULL, NULL, 0), CEDE_ECONTEXT);
    cede_async_mutex_unlock(self, NULL);
    return CEDE_OK;
}

/* ---- the last reference is one of what the actor ends with ---- */

#define ERRAND(F)                                                                                  \
    F(sync(cede_async_mutex), lock)                                                                \
    F(bool, waits)
CEDE_MESSAGE(errand, ERRAND);

struct runner {
    int unused;
};

static void lock_give_back(cede_self *self, void *at) {
    cede_async_mutex **lock = at;
    (void)self;
    cede_shared_unref(lock);
}

static CEDE_YIELDS cede_result on_errand(cede_self *self, struct runner *state, struct errand *m) {
    struct number *never = NULL;
    (void)state;
    EXPECT_OK(cede_async_mutex_lock(self, m->lock, 0));
    EXPECT_OK(cede_defer(self, lock_give_back, &m->lock));
    if (m->waits) return cede_recv(self, number, &never, CEDE_FOREVER);
    return CEDE_EFAILED;
}

static cede_result on_errand_without_cleanup(cede_self *self, struct runner *state,
                                             struct errand *m) {
    (void)state;
    EXPECT_OK(cede_async_mutex_lock(self, m->lock, 0));
    return CEDE_EFAILED; /* the message goes first, the lock after it */
}
#define RUNNER(ON) ON(errand, on_errand)
CEDE_BEHAVIOUR(runner, struct runner, RUNNER);
#define CARELESS_RUNNER(ON) ON(errand, on_errand_without_cleanup)
CEDE_BEHAVIOUR(careless_runner, struct runner, CARELESS_RUNNER);

static CEDE_YIELDS cede_result errand_run(cede_self *self, const cede_behaviour *behaviour,
                                          bool waits) {
    struct errand *m = cede_new(self, errand);
    cede_ref actor = {0};
    EXPECT(m != NULL);
    EXPECT_OK(cede_async_mutex_create(self, &m->lock));
    m->waits = waits;
    EXPECT_OK(cede_spawn_monitored(self, behaviour, &m, &actor));
    if (waits) {
        parked_await(self, actor);
        EXPECT_OK(cede_kill(self, actor));
    }
    return down_await(self, actor);
}

TURN_TEST(async_mutex_outlives_its_last_reference_until_its_holder_has_ended) {
    (void)context;
    EXPECT_RESULT(errand_run(self, &runner, false), CEDE_EFAILED);
    EXPECT_RESULT(errand_run(self, &runner, true), CEDE_EKILLED);
    EXPECT_RESULT(errand_run(self, &careless_runner, false), CEDE_EFAILED);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(async_mutex_lets_one_actor_in_over_yields),
        WITH_SYSTEM(async_mutex_serves_in_the_order_of_arrival),
        WITH_SYSTEM(async_mutex_knows_its_holder),
        WITH_SYSTEM(async_mutex_of_a_killed_holder_is_poisoned_until_it_is_repaired),
        WITH_SYSTEM(async_mutex_is_poisoned_again_by_a_repairer_that_ends),
        WITH_SYSTEM(async_mutex_survives_a_storm),
        WITH_SYSTEM(async_mutex_outlives_its_last_reference_until_its_holder_has_ended),
        WITH_SYSTEM(async_mutex_refuses_what_makes_no_sense),
        cmocka_unit_test(async_mutex_that_is_not_held_cannot_be_unlocked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
