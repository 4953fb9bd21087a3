/* Names and groups: one actor a name, forgotten as it ends; each member of a group gets its copy. */
#include "tests/support/actors.h"

#include <stdio.h>

#include <cede/failure.h>
#include <cede/registry.h>

#include "actors/std/refmap.h"

static cede_ref idle(cede_self *self) {
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn(self, &player, CEDE_NOTHING, &ref));
    return ref;
}

static CEDE_YIELDS void end(cede_self *self, cede_ref actor) {
    EXPECT_OK(cede_monitor(self, actor));
    EXPECT_OK(cede_stop(self, actor));
    EXPECT_OK(down_await(self, actor));
}

/* ---- names ---- */

TURN_TEST(name_belongs_to_one_actor_until_it_ends_or_gives_it_back) {
    (void)context;
    cede_ref one = idle(self), two = idle(self), found = {0};
    EXPECT_RESULT(cede_name_find(self, "x", &found), CEDE_ENOENT);
    EXPECT_OK(cede_name_register(self, "x", one));
    EXPECT_OK(cede_name_register(self, "x", one));
    EXPECT_RESULT(cede_name_register(self, "x", two), CEDE_EEXIST);
    EXPECT_OK(cede_name_register(self, "y", one));
    EXPECT_OK(cede_name_find(self, "x", &found));
    EXPECT(cede_ref_equal(found, one));
    EXPECT_OK(cede_name_unregister(self, "x"));
    EXPECT_RESULT(cede_name_unregister(self, "x"), CEDE_ENOENT);
    EXPECT_OK(cede_name_register(self, "x", two));
    end(self, two); /* whoever hears of the end finds the name free */
    EXPECT_RESULT(cede_name_find(self, "x", &found), CEDE_ENOENT);
    EXPECT_OK(cede_name_register(self, "x", one));
    end(self, one);
    EXPECT_RESULT(cede_name_unregister(self, "y"), CEDE_ENOENT);
    EXPECT_RESULT(cede_name_register(self, "x", one), CEDE_ENOACTOR);
    return CEDE_OK;
}

TURN_TEST(name_that_is_none_and_actors_that_cannot_have_one_are_refused) {
    (void)context;
    char longest[258];
    memset(longest, 'n', sizeof longest);
    longest[256] = '\0';
    cede_ref me = cede_self_ref(self), elsewhere = me, found = {0};
    elsewhere.node++;
    EXPECT_RESULT(cede_name_register(self, longest, me), CEDE_EINVAL);
    longest[255] = '\0';
    EXPECT_OK(cede_name_register(self, longest, me));
    EXPECT_OK(cede_name_find(self, longest, &found));
    EXPECT_RESULT(cede_name_register(self, "", me), CEDE_EINVAL);
    EXPECT_RESULT(cede_name_register(self, NULL, me), CEDE_EINVAL);
    EXPECT_RESULT(cede_name_find(self, "x", NULL), CEDE_EINVAL);
    EXPECT_RESULT(cede_name_register(self, "x", elsewhere), CEDE_ENOTSUP);
    EXPECT_RESULT(cede_name_register(self, "x", (cede_ref){0}), CEDE_ENOACTOR);
    EXPECT_RESULT(cede_name_register(NULL, "x", me), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_name_find(NULL, "x", &found), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_name_unregister(NULL, "x"), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_group_join(self, "x", elsewhere), CEDE_ENOTSUP);
    EXPECT_RESULT(cede_group_join(self, "x", (cede_ref){0}), CEDE_ENOACTOR);
    EXPECT_RESULT(cede_group_join(NULL, "x", me), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_group_leave(NULL, "x", me), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_group_join(self, "", me), CEDE_EINVAL);
    return CEDE_OK;
}

/* The table forgets those that ended without being told, and finds the others among many. */
TURN_TEST(ten_thousand_names_come_and_go) {
    (void)context;
    char name[32];
    cede_ref stays = idle(self), found = {0};
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "stays %d", i);
        EXPECT_OK(cede_name_register(self, name, stays));
    }
    for (int round = 0; round < 100; round++) {
        cede_ref goes = idle(self);
        for (int i = 0; i < 100; i++) {
            (void)snprintf(name, sizeof name, "goes %d %d", round, i);
            EXPECT_OK(cede_name_register(self, name, goes));
        }
        end(self, goes);
    }
    EXPECT_RESULT(cede_name_find(self, "goes 99 99", &found), CEDE_ENOENT);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof name, "stays %d", i);
        EXPECT_OK(cede_name_find(self, name, &found));
        EXPECT(cede_ref_equal(found, stays));
    }
    EXPECT_OK(cede_stop(self, stays));
    return CEDE_OK;
}

struct wanted {
    const char *name;
    uint64_t timeout_ns;
    _Atomic uint32_t done;
    cede_result result;
    cede_ref found;
};

static CEDE_YIELDS cede_result await_name(cede_self *self, void *context) {
    struct wanted *wanted = context;
    wanted->result = cede_name_await(self, wanted->name, wanted->timeout_ns, &wanted->found);
    flag_set(&wanted->done, 1);
    return CEDE_STOP;
}

TURN_TEST(await_ends_when_the_name_comes_or_the_time_is_over) {
    (void)context;
    static struct wanted wants[3];
    cede_ref found = {0}, gone = {0}, me = cede_self_ref(self);
    EXPECT_RESULT(cede_name_await(self, "never", CEDE_MILLIS(1), &found), CEDE_ETIMEDOUT);
    wants[0] = (struct wanted){.name = "late", .timeout_ns = CEDE_FOREVER};
    wants[1] = (struct wanted){.name = "late", .timeout_ns = CEDE_SECONDS(60)};
    wants[2] = (struct wanted){.name = "late", .timeout_ns = CEDE_FOREVER};
    for (int i = 0; i < 3; i++) {
        cede_ref waiter = play(self, await_name, &wants[i]);
        parked_await(self, waiter);
        if (i == 2) gone = waiter;
    }
    EXPECT_OK(cede_kill(self, gone)); /* nobody trips over one that does not wait any more */
    EXPECT_OK(cede_name_register(self, "other", me));
    EXPECT_EQUAL(flag_get(&wants[0].done), 0);
    EXPECT_OK(cede_name_register(self, "late", me));
    for (int i = 0; i < 2; i++) {
        flag_await(self, &wants[i].done, 1);
        EXPECT_OK(wants[i].result);
        EXPECT(cede_ref_equal(wants[i].found, me));
    }
    EXPECT_OK(cede_name_await(self, "late", 0, &found));
    EXPECT(cede_ref_equal(found, me));
    EXPECT_EQUAL(flag_get(&wants[2].done), 0);
    return CEDE_OK;
}

/* Two that want one name: one has it. */
static CEDE_YIELDS cede_result race_for_name(cede_self *self, void *context) {
    struct wanted *wanted = context;
    wanted->result = cede_name_register(self, wanted->name, cede_self_ref(self));
    flag_set(&wanted->done, 1);
    return CEDE_OK;
}

TURN_TEST(race_for_a_name_has_one_winner) {
    (void)context;
    static struct wanted wants[8];
    for (int round = 0; round < 30; round++) {
        char name[16];
        (void)snprintf(name, sizeof name, "r%d", round);
        cede_ref racers[8], found = {0};
        int winners = 0;
        for (int i = 0; i < 8; i++) {
            wants[i] = (struct wanted){.name = name};
            racers[i] = play(self, race_for_name, &wants[i]);
        }
        for (int i = 0; i < 8; i++) {
            flag_await(self, &wants[i].done, 1);
            if (wants[i].result == CEDE_OK) winners++, found = racers[i];
        }
        EXPECT_EQUAL(winners, 1);
        cede_ref named = {0};
        EXPECT_OK(cede_name_find(self, name, &named));
        EXPECT(cede_ref_equal(named, found));
        for (int i = 0; i < 8; i++) EXPECT_OK(cede_stop(self, racers[i]));
    }
    return CEDE_OK;
}

/* ---- groups ---- */

static uint32_t members_count(cede_self *self, const char *group) {
    struct cede_members *members = NULL;
    EXPECT_OK(cede_group_members(self, group, &members));
    uint32_t count = members->refs.count;
    cede_drop(self, &members);
    return count;
}

TURN_TEST(group_lists_its_members_in_order_while_they_live) {
    (void)context;
    cede_ref refs[20];
    for (int i = 0; i < 20; i++) {
        refs[i] = idle(self);
        EXPECT_OK(cede_group_join(self, "g", refs[i]));
        EXPECT_OK(cede_group_join(self, "g", refs[i]));
    }
    EXPECT_OK(cede_name_register(self, "g", refs[0])); /* names are names, groups are groups */
    EXPECT_OK(cede_group_leave(self, "g", refs[5]));
    EXPECT_RESULT(cede_group_leave(self, "g", refs[5]), CEDE_ENOENT);
    end(self, refs[0]);
    end(self, refs[19]);
    struct cede_members *members = NULL;
    EXPECT_OK(cede_group_members(self, "g", &members));
    EXPECT_EQUAL(members->refs.count, 17);
    EXPECT(cede_ref_equal(members->refs.items[0], refs[1]));
    EXPECT(cede_ref_equal(members->refs.items[4], refs[6]));
    cede_drop(self, &members);
    for (int i = 1; i < 19; i++) EXPECT_OK(cede_stop(self, refs[i]));
    while (members_count(self, "g") != 0) cede_yield(self);
    EXPECT_EQUAL(members_count(self, "nobody"), 0);
    return CEDE_OK;
}

TURN_TEST(group_send_gives_each_member_a_copy_in_order) {
    (void)context;
    uint32_t sent = 9;
    struct note *note = cede_new(self, note);
    EXPECT_OK(cede_str_set(&note->text, "to all"));
    EXPECT_OK(cede_group_send(self, "topic", note, &sent));
    EXPECT_EQUAL(sent, 0);
    cede_ref full = {0};
    EXPECT_OK(cede_group_join(self, "topic", cede_self_ref(self)));
    for (uint64_t i = 0; i < 3; i++) {
        note->value = i;
        EXPECT_OK(cede_group_send(self, "topic", note, &sent));
        EXPECT_EQUAL(sent, 1);
    }
    for (uint64_t i = 0; i < 3; i++) {
        struct note *got = NULL;
        EXPECT_OK(cede_recv(self, note, &got, 0));
        EXPECT(got->value == i && got->text.data != note->text.data);
        EXPECT(strcmp(cede_str_text(&got->text), "to all") == 0);
        cede_drop(self, &got);
    }
    EXPECT_OK(cede_spawn(self, &player_of_one, CEDE_NOTHING, &full));
    static _Atomic uint32_t flag;
    flag_set(&flag, 0);
    EXPECT_OK(cede_group_join(self, "topic", full));
    struct play *opaque = cede_new(self, play);
    EXPECT_RESULT(cede_group_send(self, "topic", opaque, NULL), CEDE_ENOTSUP);
    cede_drop(self, &opaque);
    cede_drop(self, &note);
    EXPECT_RESULT(cede_group_send(self, "topic", note, &sent), CEDE_EINVAL);
    EXPECT_OK(cede_stop(self, full));
    return CEDE_OK;
}

static cede_result hold_turn(cede_self *self, void *context) {
    flag_set(context, 1);
    flag_await(self, context, 2);
    return CEDE_OK;
}

TURN_TEST(group_send_says_when_a_member_had_no_room_and_serves_the_others) {
    (void)context;
    static _Atomic uint32_t flag;
    uint32_t sent = 0;
    flag_set(&flag, 0);
    cede_ref full = play_as(self, &player_of_one, hold_turn, &flag);
    flag_await(self, &flag, 1);
    number_send(self, full, 1);
    EXPECT_OK(cede_group_join(self, "mixed", full));
    EXPECT_OK(cede_group_join(self, "mixed", cede_self_ref(self)));
    struct number *message = cede_new(self, number);
    EXPECT_RESULT(cede_group_send(self, "mixed", message, &sent), CEDE_EFULL);
    EXPECT_EQUAL(sent, 1);
    cede_drop(self, &message);
    EXPECT_EQUAL(number_await(self), 0);
    flag_set(&flag, 2);
    EXPECT_OK(cede_stop(self, full));
    return CEDE_OK;
}

/* ---- the map from refs to places ---- */

static void refmap_finds_what_was_put_in_after_any_removals(void **state) {
    (void)state;
    enum { REFS = 500 };
    struct cedei_refmap map = {0};
    static bool is_in[REFS];
    uint32_t seed = 4711, value = 0;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1664525u + 1013904223u;
        uint32_t which = (seed >> 8) % REFS;
        cede_ref ref = {.node = 1, .slot = which / 3, .generation = which % 3 + 1};
        if (seed >> 31) {
            assert_int_equal(cedei_refmap_reserve(&map, map.used + 1), CEDE_OK);
            cedei_refmap_put(&map, ref, which);
            is_in[which] = true;
        } else {
            cedei_refmap_remove(&map, ref);
            is_in[which] = false;
        }
    }
    uint32_t count = 0;
    for (uint32_t which = 0; which < REFS; which++) {
        cede_ref ref = {.node = 1, .slot = which / 3, .generation = which % 3 + 1};
        assert_int_equal(cedei_refmap_find(&map, ref, &value), is_in[which]);
        if (is_in[which]) assert_int_equal(value, which);
        count += is_in[which];
    }
    assert_int_equal(map.used, count);
    assert_false(cedei_refmap_find(&map, (cede_ref){0}, &value));
    cedei_refmap_fini(&map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(name_belongs_to_one_actor_until_it_ends_or_gives_it_back),
        WITH_SYSTEM(name_that_is_none_and_actors_that_cannot_have_one_are_refused),
        WITH_SYSTEM(ten_thousand_names_come_and_go),
        WITH_SYSTEM(await_ends_when_the_name_comes_or_the_time_is_over),
        WITH_SYSTEM(race_for_a_name_has_one_winner),
        WITH_SYSTEM(group_lists_its_members_in_order_while_they_live),
        WITH_SYSTEM(group_send_gives_each_member_a_copy_in_order),
        WITH_SYSTEM(group_send_says_when_a_member_had_no_room_and_serves_the_others),
        cmocka_unit_test(refmap_finds_what_was_put_in_after_any_removals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
