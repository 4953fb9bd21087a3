/* cede_watch: the newest value is seen by all, and no reader misses it for good. */
#include <cede/watch.h>

#include "tests/support/lines.h"

static cede_watch *watch;

static struct number *value_make(cede_self *self, uint64_t value) {
    struct number *message = cede_new(self, number);
    EXPECT(message != NULL);
    message->value = value;
    return message;
}

static void watch_begin(cede_self *self, uint64_t value) {
    served_reset();
    struct number *first = value_make(self, value);
    EXPECT_OK(cede_watch_create(self, number, &first, &watch));
    EXPECT(first == NULL);
}

static void watch_end(void) { cede_shared_unref(&watch); }

static cede_result value_set(cede_self *self, uint64_t value) {
    struct number *message = value_make(self, value);
    cede_result r = cede_watch_set(self, watch, &message);
    EXPECT((message == NULL) == (r == CEDE_OK));
    cede_drop(self, &message);
    return r;
}

static CEDE_YIELDS void downs_await(cede_self *self, int count) {
    for (int i = 0; i < count; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
}

TURN_TEST(watch_shows_the_newest_value_once) {
    (void)context;
    const struct number *now = NULL;
    uint64_t seen = 0;
    watch_begin(self, 1);
    EXPECT_OK(cede_watch_await(self, watch, number, &seen, &now, 0));
    EXPECT_EQUAL(now->value, 1);
    EXPECT_RESULT(cede_watch_await(self, watch, number, &seen, &now, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_watch_await(self, watch, number, &seen, &now, 1000), CEDE_ETIMEDOUT);
    EXPECT_EQUAL(now->value, 1);
    EXPECT_OK(value_set(self, 2));
    EXPECT_OK(value_set(self, 3));
    EXPECT_EQUAL(now->value, 1); /* what is held stays */
    EXPECT_OK(cede_watch_await(self, watch, number, &seen, &now, CEDE_FOREVER));
    EXPECT_EQUAL(now->value, 3);
    EXPECT_OK(cede_watch_get(watch, number, &now)); /* looks, and need not be news */
    EXPECT_EQUAL(now->value, 3);
    watch_end();
    EXPECT_EQUAL(now->value, 3);
    cede_shared_unref(&now);
    return CEDE_OK;
}

/* A reader as it should be: what it holds is in its state. */
struct reader {
    const struct number *now;
    uint64_t seen;
};
static _Atomic uint32_t readers_ready;

static CEDE_YIELDS cede_result on_go(cede_self *self, struct reader *state, struct play *message) {
    (void)message;
    cede_result r = CEDE_OK;
    while ((r = cede_watch_await(self, watch, number, &state->seen, &state->now, CEDE_FOREVER)) ==
           CEDE_OK) {
        if (state->now->value == 100) served_add(100);
        if (state->seen == 1) {
            /* acq_rel: for the test. */
            atomic_fetch_add_explicit(&readers_ready, 1, memory_order_acq_rel);
        }
    }
    served_add((uint64_t)r + 1000);
    return CEDE_STOP;
}

static void reader_fini(void *state) { cede_shared_unref(&((struct reader *)state)->now); }
#define READER(ON) ON(play, on_go)
CEDE_BEHAVIOUR(reader, struct reader, READER, .fini = reader_fini);

static cede_ref reader_start(cede_self *self) {
    cede_ref ref = play_as(self, &reader, NULL, NULL);
    EXPECT_OK(cede_monitor(self, ref));
    return ref;
}

TURN_TEST(watch_wakes_all_who_wait_and_tells_them_of_the_end) {
    (void)context;
    enum { MANY = 20 }; /* more than are woken in one go; each notes two things */
    flag_set(&readers_ready, 0);
    watch_begin(self, 1);
    for (int i = 0; i < MANY; i++) {
        cede_ref ref = reader_start(self);
        flag_await(self, &readers_ready, (uint32_t)i + 1);
        parked_await(self, ref);
    }
    for (uint64_t i = 2; i <= 100; i++) EXPECT_OK(value_set(self, i));
    flag_await(self, &served_count, MANY); /* however many they missed, they see the newest */
    cede_watch_close(watch);
    downs_await(self, MANY);
    EXPECT_EQUAL(flag_get(&served_count), 2 * MANY);
    for (int i = MANY; i < 2 * MANY; i++) EXPECT_EQUAL(served[i], 1000 + CEDE_ECLOSED);
    EXPECT_RESULT(value_set(self, 5), CEDE_ECLOSED);
    const struct number *last = NULL;
    EXPECT_OK(cede_watch_get(watch, number, &last));
    EXPECT_EQUAL(last->value, 100);
    cede_shared_unref(&last);
    watch_end();
    return CEDE_OK;
}

TURN_TEST(watch_readers_that_are_killed_or_stopped_leave_nothing_behind) {
    (void)context;
    flag_set(&readers_ready, 0);
    watch_begin(self, 1);
    cede_ref killed = reader_start(self), stopped = reader_start(self);
    parked_await(self, killed);
    parked_await(self, stopped);
    kill_and_await(self, killed);
    EXPECT_OK(cede_stop(self, stopped));
    EXPECT_RESULT(down_await(self, stopped), CEDE_OK);
    EXPECT_EQUAL(served[0], 1000 + CEDE_ECANCELED);
    EXPECT_OK(value_set(self, 2));
    watch_end();
    return CEDE_OK;
}

/* Readers come and are killed while values change: the fixture's end sees that each value was dropped once. */
TURN_TEST(watch_survives_a_storm) {
    (void)context;
    enum { READERS = 8, VALUES = 3000 };
    cede_ref readers[READERS];
    uint64_t random = 7;
    int started = READERS;
    watch_begin(self, 1);
    for (int i = 0; i < READERS; i++) readers[i] = reader_start(self);
    for (uint64_t i = 0; i < VALUES; i++) {
        EXPECT_OK(value_set(self, i + 200));
        if (storm_random(&random) % 16 == 0) cede_yield(self);
        uint64_t victim = storm_random(&random) % 64;
        if (victim >= READERS) continue;
        EXPECT_OK(cede_kill(self, readers[victim]));
        readers[victim] = reader_start(self);
        started++;
    }
    for (int i = 0; i < READERS; i++) {
        EXPECT_OK(cede_kill(self, readers[i]));
    }
    downs_await(self, started); /* they use what ends now */
    watch_end();
    return CEDE_OK;
}

TURN_TEST(watch_refuses_what_makes_no_sense) {
    (void)context;
    cede_watch *none = NULL;
    uint64_t seen = 0;
    const struct question *now = NULL;
    struct question *other = cede_new(self, question);
    EXPECT_RESULT(cede_watch_create(self, number, &other, &none), CEDE_ETYPE);
    EXPECT_RESULT(cede_watch_create(NULL, number, &other, &none), CEDE_ECONTEXT);
    EXPECT(none == NULL && other != NULL);
    watch_begin(self, 1);
    EXPECT_RESULT(cede_watch_set(self, watch, &other), CEDE_ETYPE);
    EXPECT_RESULT(cede_watch_set(self, NULL, &other), CEDE_EINVAL);
    EXPECT_RESULT(cede_watch_get(watch, question, &now), CEDE_ETYPE);
    EXPECT_RESULT(cede_watch_get(NULL, question, &now), CEDE_EINVAL);
    EXPECT_RESULT(cede_watch_await(self, watch, question, &seen, &now, 0), CEDE_ETYPE);
    EXPECT_RESULT(cede_watch_await(self, watch, question, NULL, &now, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_watch_await(NULL, watch, question, &seen, &now, 0), CEDE_ECONTEXT);
    cede_drop(self, &other);
    watch_end();
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(watch_shows_the_newest_value_once),
        WITH_SYSTEM(watch_wakes_all_who_wait_and_tells_them_of_the_end),
        WITH_SYSTEM(watch_readers_that_are_killed_or_stopped_leave_nothing_behind),
        WITH_SYSTEM(watch_survives_a_storm),
        WITH_SYSTEM(watch_refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
