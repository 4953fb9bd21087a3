/* Structs that each system has one of; roots; lines in the log. */
#include "tests/support/actors.h"

struct tally {
    uint64_t made, used;
};
static _Atomic uint32_t inits, finis, init_fails;

static cede_result tally_init(void *local) {
    struct tally *tally = local;
    EXPECT(tally->made == 0 && tally->used == 0);
    flag_set(&inits, flag_get(&inits) + 1);
    if (flag_get(&init_fails)) return CEDE_ENOMEM;
    tally->made = 7;
    return CEDE_OK;
}
static void tally_fini(void *local) {
    struct tally *tally = local;
    EXPECT(tally->made == 7);
    flag_set(&finis, flag_get(&finis) + (uint32_t)tally->used);
}
static const struct cede_local tally_kind = {sizeof(struct tally), tally_init, tally_fini};
static const struct cede_local plain_kind = {.size = 3};

static cede_result use_locals(cede_self *self, void *context) {
    bool is_first = context != NULL;
    cede_system *system = cede_self_system(self);
    flag_set(&init_fails, 1);
    EXPECT((cede_system_local(system, &tally_kind) == NULL) == is_first);
    flag_set(&init_fails, 0);
    struct tally *tally = cede_system_local(system, &tally_kind);
    unsigned char *plain = cede_system_local(system, &plain_kind);
    EXPECT(tally != NULL && tally->made == 7 && plain[0] == 0 && plain[2] == 0);
    tally->used += 100;
    EXPECT(cede_system_local(system, &tally_kind) == tally);
    EXPECT(cede_system_local(system, &plain_kind) == plain);
    EXPECT(cede_system_local(NULL, &tally_kind) == NULL && cede_system_local(system, NULL) == NULL);
    return CEDE_OK;
}

static void local_is_one_for_each_system_and_ends_with_it(void **state) {
    (void)state;
    flag_set(&inits, 0);
    flag_set(&finis, 0);
    struct fixture *one = fixture_begin((struct cede_options){0});
    struct fixture *two = fixture_begin((struct cede_options){0});
    fixture_run(one, use_locals, one);
    fixture_run(one, use_locals, NULL);
    fixture_run(two, use_locals, two);
    fixture_end(two);
    EXPECT_EQUAL(flag_get(&finis), 100);
    fixture_end(one);
    EXPECT_EQUAL(flag_get(&finis), 300);
    EXPECT_EQUAL(flag_get(&inits), 4); /* one that failed and one that did not, twice */
}

static cede_result be_a_root(cede_self *self, void *context) {
    EXPECT_OK(cede_root(self));
    flag_set(context, 1);
    return CEDE_OK;
}

TURN_TEST(roots_are_taken_newest_first_without_those_that_ended) {
    (void)context;
    static _Atomic uint32_t flag;
    cede_system *system = cede_self_system(self);
    cede_ref roots[4] = {{0}};
    for (int i = 0; i < 4; i++) {
        flag_set(&flag, 0);
        EXPECT_OK(cede_spawn_monitored(self, &player, CEDE_NOTHING, &roots[i]));
        play_also(self, roots[i], be_a_root, &flag);
        flag_await(self, &flag, 1);
    }
    EXPECT_OK(cede_stop(self, roots[2]));
    EXPECT_OK(down_await(self, roots[2]));
    EXPECT(cede_ref_equal(cedei_root_take(system), roots[3]));
    EXPECT(cede_ref_equal(cedei_root_take(system), roots[1]));
    EXPECT(cede_ref_equal(cedei_root_take(system), roots[0]));
    EXPECT(cede_ref_is_none(cedei_root_take(system)));
    EXPECT_RESULT(cede_root(NULL), CEDE_ECONTEXT);
    EXPECT_OK(cede_root(self)); /* left to the system's end */
    return CEDE_OK;
}

TURN_TEST(log_writes_a_line_of_its_level) {
    struct fixture *fixture = context;
    cede_log(self, CEDE_LOG_WARNING, "line %d of %s", 1, "mine");
    cede_log(self, CEDE_LOG_DEBUG, "not asked for");
    cede_log(NULL, CEDE_LOG_WARNING, "by nobody");
    EXPECT(fixture_logged(fixture, "line 1 of mine"));
    EXPECT(!fixture_logged(fixture, "not asked for") && !fixture_logged(fixture, "nobody"));
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_is_one_for_each_system_and_ends_with_it),
        WITH_SYSTEM(roots_are_taken_newest_first_without_those_that_ended),
        WITH_SYSTEM(log_writes_a_line_of_its_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
