/* cede_rwlock: readers together, writers alone, in the order of arrival; poisoned by a writer that ends, not by a reader. */
#include <cede/rwlock.h>

#include "tests/support/lines.h"

static cede_rwlock *lock;
static uint64_t guarded; /* under `lock` */

static void lock_begin(cede_self *self) {
    served_reset();
    guarded = 0;
    EXPECT_OK(cede_rwlock_create(self, &lock));
}

static void lock_end(void) { cede_shared_unref(&lock); } /* which sees that nobody holds it */

static cede_result read_note_unlock(cede_self *self, void *context) {
    EXPECT_OK(cede_rwlock_read_lock(self, lock, CEDE_FOREVER));
    served_add((uintptr_t)context);
    struct number *go = NULL;
    (void)cede_recv(self, number, &go, CEDE_FOREVER);
    cede_rwlock_unlock(self, lock);
    return CEDE_STOP;
}

static cede_result write_note_unlock(cede_self *self, void *context) {
    EXPECT_OK(cede_rwlock_write_lock(self, lock, CEDE_FOREVER));
    served_add((uintptr_t)context);
    struct number *go = NULL;
    (void)cede_recv(self, number, &go, CEDE_FOREVER);
    cede_rwlock_unlock(self, lock);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_ref parked_start(cede_self *self, cede_result (*run)(cede_self *, void *),
                                         uint64_t context) {
    cede_ref actor = play(self, run, (void *)(uintptr_t)context);
    EXPECT_OK(cede_monitor(self, actor));
    parked_await(self, actor);
    return actor;
}

/* R1 R2 W3 R4 R5: the first two together, then the writer alone, then the last two. */
TURN_TEST(rwlock_serves_readers_and_writers_in_the_order_of_arrival) {
    (void)context;
    lock_begin(self);
    cede_ref actors[6];
    actors[1] = parked_start(self, read_note_unlock, 1);
    actors[2] = parked_start(self, read_note_unlock, 2);
    EXPECT_EQUAL(flag_get(&served_count), 2);
    actors[3] = parked_start(self, write_note_unlock, 3);
    actors[4] = parked_start(self, read_note_unlock, 4);
    actors[5] = parked_start(self, read_note_unlock, 5);
    EXPECT_EQUAL(flag_get(&served_count), 2); /* 4 and 5 do not pass the writer */
    EXPECT_RESULT(cede_rwlock_read_lock(self, lock, 0), CEDE_ETIMEDOUT);
    number_send(self, actors[1], 0);
    EXPECT_RESULT(down_await(self, actors[1]), CEDE_OK);
    EXPECT_EQUAL(flag_get(&served_count), 2);
    number_send(self, actors[2], 0);
    EXPECT_RESULT(down_await(self, actors[2]), CEDE_OK);
    flag_await(self, &served_count, 3);
    EXPECT_EQUAL(served[2], 3);
    number_send(self, actors[3], 0);
    EXPECT_RESULT(down_await(self, actors[3]), CEDE_OK);
    flag_await(self, &served_count, 5);
    number_send(self, actors[4], 0);
    EXPECT_RESULT(down_await(self, actors[4]), CEDE_OK);
    number_send(self, actors[5], 0);
    EXPECT_RESULT(down_await(self, actors[5]), CEDE_OK);
    lock_end();
    return CEDE_OK;
}

/* The readers behind a writer that gives up go on with those that read already. */
TURN_TEST(rwlock_writer_that_is_killed_in_line_lets_the_readers_go) {
    (void)context;
    lock_begin(self);
    EXPECT_OK(cede_rwlock_read_lock(self, lock, 0));
    cede_ref writer = parked_start(self, write_note_unlock, 1);
    cede_ref reader = parked_start(self, read_note_unlock, 2);
    kill_and_await(self, writer);
    flag_await(self, &served_count, 1);
    EXPECT_EQUAL(served[0], 2);
    number_send(self, reader, 0);
    EXPECT_RESULT(down_await(self, reader), CEDE_OK);
    cede_rwlock_unlock(self, lock);
    lock_end();
    return CEDE_OK;
}

TURN_TEST(rwlock_reader_that_ends_gives_its_hold_back) {
    (void)context;
    lock_begin(self);
    cede_ref reader = parked_start(self, read_note_unlock, 1);
    EXPECT_RESULT(cede_rwlock_write_lock(self, lock, 0), CEDE_ETIMEDOUT);
    kill_and_await(self, reader);
    EXPECT_OK(cede_rwlock_write_lock(self, lock, 0));
    cede_rwlock_unlock(self, lock);
    lock_end();
    return CEDE_OK;
}

TURN_TEST(rwlock_of_a_writer_that_ends_is_poisoned_until_it_is_repaired) {
    (void)context;
    lock_begin(self);
    cede_ref writer = parked_start(self, write_note_unlock, 1);
    kill_and_await(self, writer);
    EXPECT_RESULT(cede_rwlock_read_lock(self, lock, CEDE_FOREVER), CEDE_EPOISONED);
    EXPECT_RESULT(cede_rwlock_write_lock(self, lock, CEDE_FOREVER), CEDE_EPOISONED);
    EXPECT_OK(cede_rwlock_repair(self, lock, CEDE_FOREVER));
    cede_rwlock_unlock(self, lock);
    EXPECT_OK(cede_rwlock_read_lock(self, lock, 0));
    cede_rwlock_unlock(self, lock);
    lock_end();
    return CEDE_OK;
}

TURN_TEST(rwlock_knows_who_would_wait_for_itself) {
    (void)context;
    lock_begin(self);
    EXPECT_OK(cede_rwlock_read_lock(self, lock, 0));
    EXPECT_OK(cede_rwlock_read_lock(self, lock, 0)); /* again, as long as nobody waits */
    EXPECT_RESULT(cede_rwlock_write_lock(self, lock, CEDE_FOREVER), CEDE_EDEADLK);
    cede_ref writer = parked_start(self, write_note_unlock, 1);
    EXPECT_RESULT(cede_rwlock_read_lock(self, lock, CEDE_FOREVER), CEDE_EDEADLK);
    cede_rwlock_unlock(self, lock);
    cede_rwlock_unlock(self, lock);
    flag_await(self, &served_count, 1);
    number_send(self, writer, 0);
    EXPECT_RESULT(down_await(self, writer), CEDE_OK);
    lock_end();
    return CEDE_OK;
}

static _Atomic uint32_t writers_in, readers_in;

static CEDE_YIELDS void storm_round(cede_self *self, uint64_t *random) {
    bool writes = storm_random(random) % 3 == 0;
    uint64_t limit_ns = storm_random(random) % 3 == 0 ? storm_random(random) % 20000 : CEDE_FOREVER;
    cede_result r = writes ? cede_rwlock_write_lock(self, lock, limit_ns)
                           : cede_rwlock_read_lock(self, lock, limit_ns);
    if (r == CEDE_EPOISONED && (writes = true)) r = cede_rwlock_repair(self, lock, limit_ns);
    if (r == CEDE_ECANCELED) cede_yield(self);
    if (r != CEDE_OK) return;
    /* relaxed: what the lock does not order would show as another number. */
    _Atomic uint32_t *mine = writes ? &writers_in : &readers_in;
    atomic_fetch_add_explicit(mine, 1, memory_order_relaxed);
    if (writes) guarded++;
    EXPECT(atomic_load_explicit(&writers_in, memory_order_relaxed) == (writes ? 1 : 0));
    EXPECT(!writes || atomic_load_explicit(&readers_in, memory_order_relaxed) == 0);
    atomic_fetch_sub_explicit(mine, 1, memory_order_relaxed);
    if (storm_random(random) % 2 == 0) cede_yield(self);
    cede_rwlock_unlock(self, lock);
}

TURN_TEST(rwlock_survives_a_storm) {
    (void)context;
    lock_begin(self);
    storm_run(self, (struct storm){.round = storm_round, .actors = 12, .rounds = 60, .kills = 300});
    EXPECT_OK(cede_rwlock_repair(self, lock, 0)); /* nobody has it */
    cede_rwlock_unlock(self, lock);
    lock_end();
    return CEDE_OK;
}

static cede_result unlock_what_is_not_held(cede_self *self, void *context) {
    (void)context;
    cede_rwlock *mine = NULL;
    EXPECT_OK(cede_rwlock_create(self, &mine));
    cede_rwlock_unlock(self, mine);
    EXPECT_OK(cede_rwlock_write_lock(self, mine, 0));
    cede_rwlock_unlock(self, mine);
    cede_shared_unref(&mine);
    return CEDE_OK;
}

static void rwlock_that_is_not_held_cannot_be_unlocked(void **state) {
    (void)state;
    EXPECT_MISUSE(unlock_what_is_not_held, "does not hold the lock");
}

TURN_TEST(rwlock_refuses_what_makes_no_sense) {
    (void)context;
    cede_rwlock *none = NULL;
    EXPECT_RESULT(cede_rwlock_create(NULL, &none), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_rwlock_create(self, NULL), CEDE_EINVAL);
    EXPECT_RESULT(cede_rwlock_read_lock(self, NULL, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_rwlock_write_lock(NULL, NULL, 0), CEDE_ECONTEXT);
    cede_rwlock_unlock(self, NULL);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(rwlock_serves_readers_and_writers_in_the_order_of_arrival),
        WITH_SYSTEM(rwlock_writer_that_is_killed_in_line_lets_the_readers_go),
        WITH_SYSTEM(rwlock_reader_that_ends_gives_its_hold_back),
        WITH_SYSTEM(rwlock_of_a_writer_that_ends_is_poisoned_until_it_is_repaired),
        WITH_SYSTEM(rwlock_knows_who_would_wait_for_itself),
        WITH_SYSTEM(rwlock_survives_a_storm),
        WITH_SYSTEM(rwlock_refuses_what_makes_no_sense),
        cmocka_unit_test(rwlock_that_is_not_held_cannot_be_unlocked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
