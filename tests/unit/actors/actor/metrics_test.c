/* Counts of messages by type, where what becomes of each is counted once, whoever counts it; and of actors. */
#include <cede/executor.h>
#include <cede/inbox.h>

#include "actors/actor/tally.h"
#include "tests/support/actors.h"

static struct cede_type_metrics type_now(cede_system *system, const char *name) {
    struct cede_type_metrics types[64], none = {.name = name};
    size_t count = cede_system_types(system, types, 64);
    EXPECT(count <= 64);
    for (size_t i = 0; i < count; i++)
        if (strcmp(types[i].name, name) == 0) return types[i];
    return none;
}

static struct cede_type_metrics numbers_now(cede_self *self) {
    return type_now(cede_self_system(self), "number");
}

static cede_result busy_then_stop(cede_self *self, void *context) {
    flag_set(context, 2);
    flag_await(self, context, 1);
    return CEDE_STOP;
}

TURN_TEST(types_tell_sent_from_refused_and_dead) {
    static _Atomic uint32_t flag;
    (void)context;
    flag_set(&flag, 0);
    cede_ref other = play_as(self, &player_of_two, busy_then_stop, &flag);
    flag_await(self, &flag, 2);
    for (uint64_t i = 0; i < 2; i++) number_send(self, other, i);
    struct number *refused = cede_new(self, number);
    EXPECT_RESULT(cede_send(self, other, &refused), CEDE_EFULL);
    struct cede_type_metrics now = numbers_now(self);
    EXPECT(now.type == &cede_type_number);
    EXPECT_EQUAL(now.allocated, 3);
    EXPECT_EQUAL(now.owned, 3);
    EXPECT_EQUAL(now.sent, 2);
    EXPECT_EQUAL(now.waiting, 2);
    EXPECT_EQUAL(now.refused, 1);
    EXPECT_EQUAL(now.handled, 0);
    EXPECT_OK(cede_monitor(self, other));
    flag_set(&flag, 1);
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    while (numbers_now(self).dropped < 2) cede_yield(self);
    cede_drop(self, &refused);
    now = numbers_now(self);
    EXPECT_EQUAL(now.dropped, 3);
    EXPECT_EQUAL(now.owned, 0);
    EXPECT_EQUAL(now.dead_lettered, 2);
    EXPECT_EQUAL(now.waiting, 0);
    return CEDE_OK;
}

static cede_result echo_one(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    answer_give(self, request, request->value);
    return CEDE_STOP;
}

TURN_TEST(types_count_a_request_and_its_reply_apart) {
    (void)context;
    cede_system *system = cede_self_system(self);
    cede_ref other = play(self, echo_one, NULL);
    EXPECT_OK(cede_monitor(self, other));
    EXPECT_OK(question_ask(self, other, 7, NULL));
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    const char *names[] = {"question", "answer"};
    for (int i = 0; i < 2; i++) {
        struct cede_type_metrics now = type_now(system, names[i]);
        EXPECT_EQUAL(now.allocated, 1);
        EXPECT_EQUAL(now.dropped, 1);
        EXPECT_EQUAL(now.sent, 1);
        EXPECT_EQUAL(now.handled, 1);
    }
    return CEDE_OK;
}

static cede_result number_forget(cede_self *self, void *context) {
    (void)context;
    EXPECT(cede_new(self, number) != NULL);
    return CEDE_STOP;
}

TURN_TEST(types_name_what_a_turn_forgot) {
    (void)context;
    (void)play(self, number_forget, NULL);
    while (numbers_now(self).dropped == 0) cede_yield(self);
    EXPECT_EQUAL(numbers_now(self).forgotten, 1);
    EXPECT_EQUAL(type_now(cede_self_system(self), "play").forgotten, 0);
    return CEDE_OK;
}

TURN_TEST(types_are_all_found_when_there_is_room_for_few) {
    (void)context;
    cede_system *system = cede_self_system(self);
    number_send(self, cede_self_ref(self), 1);
    (void)number_await(self);
    struct cede_type_metrics two[2] = {{.name = "first"}, {.name = "second"}};
    size_t count = cede_system_types(system, two, 1);
    EXPECT(count >= 2); /* numbers, and what cede_block_on sends */
    EXPECT(strcmp(two[0].name, "first") != 0 && strcmp(two[1].name, "second") == 0);
    EXPECT_EQUAL(cede_system_types(system, NULL, 100), count);
    EXPECT_EQUAL(cede_system_types(NULL, two, 1), 0);
    return CEDE_OK;
}

/* A message for each place that counts: workers, the blocking pool, plain threads, further executors, inboxes. */
static cede_result number_keep(cede_self *self, void *context) {
    (void)context;
    struct number *number = cede_new(self, number);
    EXPECT(number != NULL);
    cede_drop(self, &number);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result keepers_run(cede_self *self, void *context) {
    cede_executor *executor = context;
    cede_ref actors[3] = {play(self, number_keep, NULL),
                          play_as(self, &player_that_blocks, number_keep, NULL)};
    struct play *first = cede_new(self, play);
    first->run = number_keep;
    EXPECT_OK(cede_spawn_on(self, executor, &player, &first, &actors[2]));
    while (numbers_now(self).dropped < 3) cede_yield(self);
    return CEDE_OK;
}

static void types_count_what_any_thread_does(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.blocking_idle_ns = 1});
    cede_system *system = fixture->system;
    cede_executor *executor = NULL;
    struct cede_executor_options options = {.name = "other", .workers = 1};
    EXPECT_OK(cede_executor_create(system, &options, &executor));
    cede_inbox *inbox = NULL;
    EXPECT_OK(cede_inbox_open(system, 0, &inbox));
    fixture_run(fixture, keepers_run, executor);
    number_send(cede_inbox_self(inbox), cede_self_ref(cede_inbox_self(inbox)), 4);
    EXPECT_EQUAL(type_now(system, "number").waiting, 1);
    struct number *message = NULL;
    EXPECT_OK(cede_inbox_recv(inbox, number, &message, CEDE_FOREVER));
    cede_drop(cede_inbox_self(inbox), &message);
    struct cedei_msg *msg = cedei_msg_create(system, &cede_type_number);
    cedei_msg_free(system, msg);
    /* What counted may go: a thread of the pool that is idle, an executor, an inbox. */
    for (int round = 0; round < 2; round++) {
        struct cede_type_metrics now = type_now(system, "number");
        EXPECT_EQUAL(now.allocated, 5);
        EXPECT_EQUAL(now.dropped, 5);
        EXPECT_EQUAL(now.sent, 1);
        EXPECT_EQUAL(now.handled, 1);
        if (round == 1) break;
        cede_inbox_close(inbox);
        cede_executor_destroy(executor);
        struct cede_metrics metrics;
        do cede_system_metrics(system, &metrics);
        while (metrics.blocking_threads != 0);
    }
    fixture_end(fixture);
}

static void totals_are_the_sums_over_all_types(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){0});
    fixture_run(fixture, types_tell_sent_from_refused_and_dead_turn, NULL);
    fixture_run(fixture, types_count_a_request_and_its_reply_apart_turn, NULL);
    struct cede_metrics metrics;
    do cede_system_metrics(fixture->system, &metrics); /* an end is counted before all is dropped */
    while (metrics.actors_spawned != metrics.actors_ended ||
           metrics.messages_allocated != metrics.messages_dropped);
    struct cede_type_metrics types[64], sum = {0};
    size_t count = cede_system_types(fixture->system, types, 64);
    EXPECT(count <= 64);
    for (size_t i = 0; i < count; i++) {
        sum.allocated += types[i].allocated;
        sum.dropped += types[i].dropped;
        sum.sent += types[i].sent;
        sum.handled += types[i].handled;
        sum.dead_lettered += types[i].dead_lettered;
        sum.refused += types[i].refused;
        sum.forgotten += types[i].forgotten;
    }
    EXPECT_EQUAL(sum.allocated, metrics.messages_allocated);
    EXPECT_EQUAL(sum.dropped, metrics.messages_dropped);
    EXPECT_EQUAL(sum.sent, metrics.messages_sent);
    EXPECT_EQUAL(sum.handled, metrics.messages_handled);
    EXPECT_EQUAL(sum.dead_lettered, metrics.messages_dead_lettered);
    EXPECT_EQUAL(sum.refused, metrics.messages_refused);
    EXPECT_EQUAL(sum.forgotten, metrics.messages_forgotten);
    fixture_end(fixture);
}

/* ---- actors ---- */

static struct cede_actor_metrics actor_now(cede_self *self, cede_ref actor) {
    struct cede_actor_metrics now;
    EXPECT_OK(cede_actor_metrics(cede_self_system(self), actor, &now));
    EXPECT(cede_ref_equal(now.actor, actor));
    return now;
}

struct taker {
    _Atomic uint32_t flag;
    cede_ref echo;
};

static CEDE_YIELDS cede_result numbers_take(cede_self *self, void *context) {
    struct taker *taker = context;
    flag_set(&taker->flag, 2);
    flag_await(self, &taker->flag, 1);
    for (int i = 0; i < 3; i++) (void)number_await(self);
    EXPECT_OK(question_ask(self, taker->echo, 1, NULL));
    flag_set(&taker->flag, 3);
    flag_await(self, &taker->flag, 4);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result echo_and_stay(cede_self *self, void *context) {
    (void)echo_one(self, context);
    return CEDE_OK;
}

TURN_TEST(actor_counts_what_it_handles_and_what_waits) {
    static struct taker taker;
    (void)context;
    flag_set(&taker.flag, 0);
    taker.echo = play(self, echo_and_stay, NULL);
    cede_ref other = play(self, numbers_take, &taker);
    flag_await(self, &taker.flag, 2);
    struct cede_actor_metrics now = actor_now(self, other);
    EXPECT(strcmp(now.name, "player") == 0);
    EXPECT_EQUAL(now.handled, 1); /* what to play */
    EXPECT_EQUAL(now.waiting, 0);
    EXPECT_EQUAL(now.waiting_peak, 1);
    for (uint64_t i = 0; i < 3; i++) number_send(self, other, i);
    EXPECT_EQUAL(actor_now(self, other).waiting, 3);
    flag_set(&taker.flag, 1);
    flag_await(self, &taker.flag, 3);
    now = actor_now(self, other);
    EXPECT_EQUAL(now.handled, 1 + 3 + 1); /* and the answer */
    EXPECT_EQUAL(now.waiting, 0);
    EXPECT_EQUAL(now.waiting_peak, 3);
    EXPECT_EQUAL(actor_now(self, taker.echo).handled, 2);
    EXPECT_OK(cede_monitor(self, other));
    flag_set(&taker.flag, 4);
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    EXPECT_RESULT(cede_actor_metrics(cede_self_system(self), other, &now), CEDE_ENOACTOR);
    return CEDE_OK;
}

/* Mailboxes that give up what waits have it elsewhere. */
CEDE_BEHAVIOUR(player_of_latest, struct player, TEST_PLAYER, .mailbox_max = 4,
               .when_full = CEDE_FULL_DROP_OLDEST);

static CEDE_YIELDS cede_result first_number_take(cede_self *self, void *context) {
    flag_set(context, 2);
    flag_await(self, context, 1);
    (void)number_await(self);
    flag_set(context, 3);
    flag_await(self, context, 4);
    return CEDE_STOP;
}

TURN_TEST(actor_peak_is_seen_where_older_messages_are_given_up) {
    static _Atomic uint32_t flag;
    (void)context;
    flag_set(&flag, 0);
    cede_ref other = play_as(self, &player_of_latest, first_number_take, &flag);
    flag_await(self, &flag, 2);
    for (uint64_t i = 0; i < 6; i++) number_send(self, other, i);
    EXPECT_EQUAL(actor_now(self, other).waiting, 4);
    flag_set(&flag, 1);
    flag_await(self, &flag, 3);
    EXPECT_EQUAL(actor_now(self, other).waiting_peak, 4);
    flag_set(&flag, 4);
    return CEDE_OK;
}

static void actor_peak_stops_at_its_limit(void **state) {
    (void)state;
    cede_self self = {.slot = 1};
    cedei_waiting_note(&self, 65534);
    cedei_waiting_note(&self, 3);
    EXPECT_EQUAL(self.waiting_peak, 65534);
    cedei_waiting_note(&self, 1u << 20);
    EXPECT_EQUAL(self.waiting_peak, UINT16_MAX);
}

static CEDE_YIELDS cede_result tenants_follow(cede_self *self, void *context) {
    static _Atomic uint32_t flag;
    (void)context;
    uint32_t slots = 0;
    for (int i = 0; i < 2; i++) { /* there is one slot for them */
        flag_set(&flag, 0);
        cede_ref other = {0};
        do { /* until the one before has gone */
            struct play *first = cede_new(self, play);
            first->run = first_number_take;
            first->context = (void *)&flag;
            if (cede_spawn(self, &player, &first, &other) == CEDE_OK) break;
            cede_drop(self, &first);
            cede_yield(self);
        } while (true);
        EXPECT(i == 0 || other.slot == slots);
        slots = other.slot;
        flag_await(self, &flag, 2);
        EXPECT_EQUAL(actor_now(self, other).handled, 1);
        EXPECT_EQUAL(actor_now(self, other).waiting_peak, 1);
        for (uint64_t k = 0; k < 3; k++) number_send(self, other, k);
        flag_set(&flag, 1);
        flag_await(self, &flag, 3);
        EXPECT_EQUAL(actor_now(self, other).handled, 2);
        EXPECT_EQUAL(actor_now(self, other).waiting_peak, 3);
        EXPECT_OK(cede_monitor(self, other));
        flag_set(&flag, 4);
        EXPECT_RESULT(down_await(self, other), CEDE_OK);
    }
    return CEDE_OK;
}

static void actor_counts_begin_anew_with_each_tenant_of_a_slot(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.actors_max = 2});
    fixture_run(fixture, tenants_follow, NULL);
    fixture_end(fixture);
}

TURN_TEST(actors_are_all_found_page_by_page) {
    enum { ACTORS = 7 };
    static _Atomic uint32_t flags[ACTORS];
    (void)context;
    cede_system *system = cede_self_system(self);
    cede_ref all[ACTORS];
    for (int i = 0; i < ACTORS; i++) {
        flag_set(&flags[i], 0);
        all[i] = play(self, busy_then_stop, &flags[i]);
        flag_await(self, &flags[i], 2);
        if (i % 2 == 0) continue; /* these live on */
        EXPECT_OK(cede_monitor(self, all[i]));
        flag_set(&flags[i], 1);
        EXPECT_RESULT(down_await(self, all[i]), CEDE_OK);
    }
    uint32_t found[ACTORS] = {0}, mine = 0, at = 0;
    struct cede_actor_metrics page[2];
    size_t count = 0;
    while ((count = cede_system_actors(system, &at, page, 2)) > 0) {
        EXPECT(count <= 2);
        for (size_t k = 0; k < count; k++) {
            mine += cede_ref_equal(page[k].actor, cede_self_ref(self));
            for (int i = 0; i < ACTORS; i++) found[i] += cede_ref_equal(page[k].actor, all[i]);
        }
    }
    EXPECT_EQUAL(mine, 1);
    for (int i = 0; i < ACTORS; i++) EXPECT_EQUAL(found[i], i % 2 == 0);
    EXPECT_EQUAL(cede_system_actors(system, &at, page, 2), 0);
    for (int i = 0; i < ACTORS; i += 2) flag_set(&flags[i], 1);
    return CEDE_OK;
}

TURN_TEST(actor_metrics_refuses_what_it_cannot_know) {
    (void)context;
    cede_system *system = cede_self_system(self);
    cede_ref me = cede_self_ref(self), afar = me, nobody = {0};
    struct cede_actor_metrics now;
    uint32_t at = 0;
    afar.node++;
    EXPECT_RESULT(cede_actor_metrics(NULL, me, &now), CEDE_EINVAL);
    EXPECT_RESULT(cede_actor_metrics(system, me, NULL), CEDE_EINVAL);
    EXPECT_RESULT(cede_actor_metrics(system, afar, &now), CEDE_ENOTSUP);
    EXPECT_RESULT(cede_actor_metrics(system, nobody, &now), CEDE_ENOACTOR);
    EXPECT_EQUAL(cede_system_actors(NULL, &at, &now, 1), 0);
    EXPECT_EQUAL(cede_system_actors(system, NULL, &now, 1), 0);
    EXPECT_EQUAL(cede_system_actors(system, &at, NULL, 1), 0);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(types_tell_sent_from_refused_and_dead),
        WITH_SYSTEM(types_count_a_request_and_its_reply_apart),
        WITH_SYSTEM(types_name_what_a_turn_forgot),
        WITH_SYSTEM(types_are_all_found_when_there_is_room_for_few),
        cmocka_unit_test(types_count_what_any_thread_does),
        cmocka_unit_test(totals_are_the_sums_over_all_types),
        WITH_SYSTEM(actor_counts_what_it_handles_and_what_waits),
        WITH_SYSTEM(actor_peak_is_seen_where_older_messages_are_given_up),
        cmocka_unit_test(actor_peak_stops_at_its_limit),
        cmocka_unit_test(actor_counts_begin_anew_with_each_tenant_of_a_slot),
        WITH_SYSTEM(actors_are_all_found_page_by_page),
        WITH_SYSTEM(actor_metrics_refuses_what_it_cannot_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
