/* cede_rcu: a version stays as long as somebody reads it, and no longer. */
#include <cede/rcu.h>

#include "tests/support/lines.h"

/* A version that counts its drops. */
struct version {
    uint64_t number, again; /* equal while it lives */
    CEDE_MESSAGE_MARK;
};
static _Atomic uint32_t versions_dropped;
static void version_drop(struct version *version) {
    version->number = 0;
    /* acq_rel: for the test. */
    atomic_fetch_add_explicit(&versions_dropped, 1, memory_order_acq_rel);
}
CEDE_OPAQUE_MESSAGE(version, version_drop);

static cede_rcu *rcu;

static struct version *version_make(cede_self *self, uint64_t number) {
    struct version *version = cede_new(self, version);
    EXPECT(version != NULL);
    version->number = version->again = number;
    return version;
}

static void rcu_begin(cede_self *self) {
    flag_set(&versions_dropped, 0);
    struct version *first = version_make(self, 1);
    EXPECT_OK(cede_rcu_create(self, version, &first, &rcu));
    EXPECT(first == NULL);
}

static void publish(cede_self *self, uint64_t number) {
    struct version *next = version_make(self, number);
    EXPECT_OK(cede_rcu_publish(self, rcu, &next));
    EXPECT(next == NULL);
}

TURN_TEST(rcu_shows_the_newest_and_drops_what_nobody_reads) {
    (void)context;
    rcu_begin(self);
    EXPECT_EQUAL(cede_rcu_enter(rcu, version)->number, 1);
    cede_rcu_leave(rcu);
    publish(self, 2);
    EXPECT_OK(cede_rcu_reclaim(self, rcu, CEDE_FOREVER));
    EXPECT_EQUAL(flag_get(&versions_dropped), 1);
    EXPECT_EQUAL(cede_rcu_enter(rcu, version)->number, 2);
    cede_rcu_leave(rcu);
    cede_shared_unref(&rcu);
    EXPECT_EQUAL(flag_get(&versions_dropped), 2);
    return CEDE_OK;
}

TURN_TEST(rcu_version_that_is_referenced_in_a_section_outlives_it) {
    (void)context;
    rcu_begin(self);
    const struct version *mine = cede_shared_ref(cede_rcu_enter(rcu, version));
    cede_rcu_leave(rcu);
    publish(self, 2);
    EXPECT_OK(cede_rcu_reclaim(self, rcu, CEDE_FOREVER));
    EXPECT(mine->number == 1 && flag_get(&versions_dropped) == 0);
    cede_shared_unref(&mine);
    EXPECT_EQUAL(flag_get(&versions_dropped), 1);
    cede_shared_unref(&rcu);
    return CEDE_OK;
}

/* ---- a reader on another thread keeps a version ---- */

static _Atomic uint32_t reader_step;

static cede_result read_for_a_while(cede_self *self, void *context) {
    (void)self, (void)context;
    const struct version *now = cede_rcu_enter(rcu, version);
    EXPECT_EQUAL(now->number, 1);
    flag_set(&reader_step, 1);
    while (flag_get(&reader_step) != 2) cedei_cpu_relax(); /* a turn that does not yield */
    EXPECT_EQUAL(now->again, 1);
    cede_rcu_leave(rcu);
    return CEDE_STOP;
}

TURN_TEST(rcu_version_stays_while_a_section_is_open) {
    (void)context;
    flag_set(&reader_step, 0);
    rcu_begin(self);
    /* On a thread of its own, as the test may have one worker only. */
    cede_ref reader = play_as(self, &player_that_blocks, read_for_a_while, NULL);
    EXPECT_OK(cede_monitor(self, reader));
    flag_await(self, &reader_step, 1);
    publish(self, 2);
    EXPECT_RESULT(cede_rcu_reclaim(self, rcu, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_rcu_reclaim(self, rcu, 1000), CEDE_ETIMEDOUT);
    publish(self, 3);
    EXPECT_EQUAL(flag_get(&versions_dropped), 0);
    flag_set(&reader_step, 2);
    EXPECT_OK(cede_rcu_reclaim(self, rcu, CEDE_FOREVER));
    EXPECT_EQUAL(flag_get(&versions_dropped), 2);
    EXPECT_RESULT(down_await(self, reader), CEDE_OK);
    cede_shared_unref(&rcu);
    return CEDE_OK;
}

/* ---- torture ---- */

enum { READERS = 6, WRITERS = 2, VERSIONS = 500 };
static _Atomic uint32_t writers_done;

static cede_result read_all_along(cede_self *self, void *context) {
    (void)context;
    while (flag_get(&writers_done) != WRITERS) {
        for (int i = 0; i < 32; i++) {
            const struct version *now = cede_rcu_enter(rcu, version);
            EXPECT(now->number != 0 && now->number == now->again);
            cede_rcu_leave(rcu);
        }
        cede_yield(self);
    }
    return CEDE_STOP;
}

static cede_result write_versions(cede_self *self, void *context) {
    (void)context;
    for (uint64_t i = 2; i <= VERSIONS; i++) {
        publish(self, i);
        if (i % 16 == 0) cede_yield(self);
    }
    /* acq_rel: for the test. */
    atomic_fetch_add_explicit(&writers_done, 1, memory_order_acq_rel);
    return CEDE_STOP;
}

TURN_TEST(rcu_readers_never_see_a_version_that_was_dropped) {
    (void)context;
    flag_set(&writers_done, 0);
    rcu_begin(self);
    for (int i = 0; i < READERS + WRITERS; i++)
        EXPECT_OK(
            cede_monitor(self, play(self, i < READERS ? read_all_along : write_versions, NULL)));
    for (int i = 0; i < READERS + WRITERS; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
    EXPECT_OK(cede_rcu_reclaim(self, rcu, CEDE_FOREVER));
    EXPECT_EQUAL(flag_get(&versions_dropped), WRITERS * (VERSIONS - 1));
    cede_shared_unref(&rcu);
    return CEDE_OK;
}

/* ---- misuse ---- */

TURN_TEST(rcu_refuses_what_makes_no_sense) {
    (void)context;
    cede_rcu *none = NULL;
    struct number *other = cede_new(self, number);
    EXPECT_RESULT(cede_rcu_create(self, version, &other, &none), CEDE_ETYPE);
    EXPECT_RESULT(cede_rcu_create(NULL, version, &other, &none), CEDE_ECONTEXT);
    rcu_begin(self);
    EXPECT_RESULT(cede_rcu_publish(self, rcu, &other), CEDE_ETYPE);
    EXPECT_RESULT(cede_rcu_publish(self, NULL, &other), CEDE_EINVAL);
    EXPECT_RESULT(cede_rcu_publish(NULL, rcu, &other), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_rcu_reclaim(NULL, rcu, 0), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_rcu_reclaim(self, NULL, 0), CEDE_EINVAL);
    cede_drop(self, &other);
    cede_shared_unref(&rcu);
    return CEDE_OK;
}

static cede_result yield_in_a_section(cede_self *self, void *context) {
    (void)context;
    rcu_begin(self);
    (void)cede_rcu_enter(rcu, version);
    cede_yield(self); // cede: allow(guard-over-yield) the mistake that the test is about
    cede_rcu_leave(rcu);
    cede_shared_unref(&rcu);
    return CEDE_OK;
}

static void rcu_section_over_a_yield_is_caught(void **state) {
    (void)state;
    if (!CEDEI_CHECKS) skip(); /* other builds do not see it: the analyzer does */
    EXPECT_MISUSE(yield_in_a_section, "yields while it holds 1 cede_mutex or cede_rcu");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(rcu_shows_the_newest_and_drops_what_nobody_reads),
        WITH_SYSTEM(rcu_version_that_is_referenced_in_a_section_outlives_it),
        WITH_SYSTEM(rcu_version_stays_while_a_section_is_open),
        WITH_SYSTEM(rcu_readers_never_see_a_version_that_was_dropped),
        WITH_SYSTEM(rcu_refuses_what_makes_no_sense),
        cmocka_unit_test(rcu_section_over_a_yield_is_caught),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
