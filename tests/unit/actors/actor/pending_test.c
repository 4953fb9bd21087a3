/* Several asks at once: any, all, each with its own end; given up by a drop, a kill, and the end of the system. */
#include <cede/pending.h>

#include "tests/support/actors.h"

/* Answers the next question when `*context`, a flag, is set, with the question's value plus 1. */
static CEDE_YIELDS cede_result answer_when_told(cede_self *self, void *context) {
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    if (context != NULL) flag_await(self, context, 1);
    answer_give(self, request, request->value + 1);
    return CEDE_STOP;
}

static cede_result drop_a_question(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result never_receive(cede_self *self, void *context) {
    (void)context;
    (void)cede_sleep(self, CEDE_FOREVER);
    return CEDE_STOP;
}

static cede_pending *start(cede_self *self, cede_ref to, uint64_t value, uint64_t timeout_ns) {
    struct question *request = cede_new(self, question);
    EXPECT(request != NULL);
    request->value = value;
    cede_pending *pending = NULL;
    EXPECT_OK(cede_ask_start(self, to, &request, answer, &pending, timeout_ns));
    EXPECT(request == NULL && pending != NULL);
    return pending;
}

/* Takes one that is over. */
static CEDE_YIELDS uint64_t take(cede_self *self, cede_pending **pending) {
    struct answer *reply = NULL;
    EXPECT_OK(cede_await(self, pending, answer, &reply, 0));
    EXPECT(*pending == NULL && reply != NULL);
    uint64_t value = reply->value;
    cede_drop(self, &reply);
    return value;
}

/* ---- any and all ---- */

TURN_TEST(await_any_gives_the_one_that_is_over_first) {
    (void)context;
    static _Atomic uint32_t told[3];
    cede_pending *asks[3];
    for (int i = 0; i < 3; i++) {
        flag_set(&told[i], 0);
        asks[i] =
            start(self, play(self, answer_when_told, &told[i]), 10 * (uint64_t)i, CEDE_FOREVER);
    }
    static const size_t ORDER[] = {1, 2, 0};
    size_t which = 99;
    EXPECT_RESULT(cede_await_any(self, asks, 3, 0, &which), CEDE_ETIMEDOUT);
    for (int i = 0; i < 3; i++) {
        EXPECT_EQUAL(which, i == 0 ? 99 : ORDER[i - 1]);
        flag_set(&told[ORDER[i]], 1);
        EXPECT_OK(cede_await_any(self, asks, 3, CEDE_FOREVER, &which));
        EXPECT_EQUAL(which, ORDER[i]);
        EXPECT_EQUAL(take(self, &asks[which]), 10 * ORDER[i] + 1);
    }
    EXPECT_RESULT(cede_await_any(self, asks, 3, CEDE_FOREVER, &which), CEDE_EINVAL);
    return CEDE_OK;
}

TURN_TEST(await_all_waits_for_each_whatever_comes_of_it) {
    (void)context;
    static _Atomic uint32_t told;
    flag_set(&told, 0);
    cede_pending *asks[4] = {
        start(self, play(self, answer_when_told, &told), 1, CEDE_FOREVER),
        NULL,
        start(self, play(self, drop_a_question, NULL), 2, CEDE_FOREVER),
        start(self, play(self, answer_when_told, NULL), 3, CEDE_FOREVER),
    };
    struct answer *reply = NULL;
    EXPECT_RESULT(cede_await_all(self, asks, 4, 0), CEDE_ETIMEDOUT);
    flag_set(&told, 1);
    EXPECT_OK(cede_await_all(self, asks, 4, CEDE_FOREVER));
    EXPECT_EQUAL(take(self, &asks[3]), 4);
    EXPECT_EQUAL(take(self, &asks[0]), 2);
    EXPECT_RESULT(cede_await(self, &asks[2], answer, &reply, 0), CEDE_ENOREPLY);
    EXPECT(asks[2] == NULL && reply == NULL);
    return CEDE_OK;
}

/* More than once around the slots, replies racing with the waits. */
TURN_TEST(hundred_asks_are_each_answered_once) {
    (void)context;
    enum { ASKS = 100 };
    static cede_pending *asks[ASKS];
    uint64_t sum = 0;
    for (uint64_t i = 0; i < ASKS; i++)
        asks[i] = start(self, play(self, answer_when_told, NULL), i, CEDE_SECONDS(3600));
    for (int i = 0; i < ASKS; i++) {
        size_t which = 0;
        EXPECT_OK(cede_await_any(self, asks, ASKS, CEDE_FOREVER, &which));
        sum += take(self, &asks[which]);
    }
    EXPECT_EQUAL(sum, ASKS * (ASKS + 1) / 2);
    return CEDE_OK;
}

/* ---- ends that are no reply ---- */

TURN_TEST(ask_that_cannot_be_sent_is_not_started) {
    (void)context;
    cede_pending *pending = NULL;
    struct question *request = cede_new(self, question);
    EXPECT(request != NULL);
    EXPECT_RESULT(cede_ask_start(self, (cede_ref){0}, &request, answer, &pending, CEDE_FOREVER),
                  CEDE_ENOACTOR);
    cede_ref full = play_as(self, &player_of_one, never_receive, NULL);
    parked_await(self, full);
    number_send(self, full, 1);
    EXPECT_RESULT(cede_ask_start(self, full, &request, answer, &pending, CEDE_FOREVER), CEDE_EFULL);
    EXPECT_RESULT(cede_ask_start(NULL, full, &request, answer, &pending, CEDE_FOREVER),
                  CEDE_ECONTEXT);
    EXPECT_RESULT(cede_ask_start(self, full, &request, answer, NULL, CEDE_FOREVER), CEDE_EINVAL);
    EXPECT(request != NULL && pending == NULL);
    cede_drop(self, &request);
    return cede_kill(self, full);
}

TURN_TEST(pending_ask_ends_when_its_own_time_has_passed) {
    (void)context;
    cede_ref silent = play(self, never_receive, NULL);
    cede_pending *asks[2] = {start(self, silent, 1, CEDE_MILLIS(1)),
                             start(self, silent, 1, CEDE_FOREVER)};
    struct answer *reply = NULL;
    size_t which = 9;
    EXPECT_OK(cede_await_any(self, asks, 2, CEDE_FOREVER, &which));
    EXPECT_EQUAL(which, 0);
    EXPECT_RESULT(cede_await(self, &asks[0], answer, &reply, CEDE_FOREVER), CEDE_ETIMEDOUT);
    EXPECT(asks[0] == NULL);
    cede_pending *other = asks[1];
    EXPECT_RESULT(cede_await(self, &asks[1], answer, &reply, CEDE_MILLIS(1)), CEDE_ETIMEDOUT);
    EXPECT(asks[1] == other && reply == NULL); /* that was the wait's, not the ask's */
    cede_pending_drop(self, &asks[1]);
    cede_pending_drop(self, &asks[1]);
    EXPECT(asks[1] == NULL);
    return cede_kill(self, silent);
}

TURN_TEST(pending_ask_ends_when_the_asked_one_does) {
    (void)context;
    cede_ref silent = play(self, never_receive, NULL);
    parked_await(self, silent);
    cede_pending *pending = start(self, silent, 1, CEDE_FOREVER);
    struct answer *reply = NULL;
    EXPECT_OK(cede_kill(self, silent));
    EXPECT_RESULT(cede_await(self, &pending, answer, &reply, CEDE_FOREVER), CEDE_ENOACTOR);
    EXPECT(pending == NULL);
    return CEDE_OK;
}

TURN_TEST(await_of_another_type_says_so_and_leaves_the_ask) {
    (void)context;
    cede_pending *pending = start(self, play(self, answer_when_told, NULL), 1, CEDE_FOREVER);
    struct number *wrong = NULL;
    EXPECT_RESULT(cede_await(self, &pending, number, &wrong, CEDE_FOREVER), CEDE_ETYPE);
    EXPECT(pending != NULL && wrong == NULL);
    EXPECT_OK(cede_await_all(self, &pending, 1, CEDE_FOREVER));
    EXPECT_EQUAL(take(self, &pending), 2);
    EXPECT_RESULT(cede_await(self, &pending, number, &wrong, 0), CEDE_EINVAL);
    return CEDE_OK;
}

/* ---- given up ---- */

/* The answer comes when nobody wants it: a dead letter, which the fixture's sums account for. */
TURN_TEST(reply_to_a_dropped_ask_is_a_dead_letter) {
    (void)context;
    static _Atomic uint32_t told;
    flag_set(&told, 0);
    cede_ref answerer = play(self, answer_when_told, &told);
    cede_pending *pending = start(self, answerer, 1, CEDE_FOREVER);
    cede_pending_drop(self, &pending);
    EXPECT_OK(cede_monitor(self, answerer));
    flag_set(&told, 1);
    EXPECT_OK(down_await(self, answerer));
    struct cede_metrics metrics;
    cede_system_metrics(cede_self_system(self), &metrics);
    EXPECT_EQUAL(metrics.messages_dead_lettered, 1);
    return CEDE_OK;
}

struct hold {
    cede_ref to[3];
    uint64_t timeout_ns;
};

static CEDE_YIELDS cede_result await_until_killed(cede_self *self, void *context) {
    const struct hold *hold = context;
    cede_pending *asks[3];
    size_t which = 0;
    for (int i = 0; i < 3; i++) asks[i] = start(self, hold->to[i], 1, hold->timeout_ns);
    if (hold->timeout_ns == CEDE_FOREVER)
        (void)cede_await_any(self, asks, 3, CEDE_FOREVER, &which);
    else
        (void)cede_await_all(self, asks, 3, CEDE_FOREVER);
    return CEDE_STOP;
}

TURN_TEST(actor_killed_while_it_awaits_gives_its_asks_up) {
    (void)context;
    static struct hold hold;
    static _Atomic uint32_t told;
    for (int round = 0; round < 20; round++) {
        flag_set(&told, 0);
        hold.timeout_ns = round % 2 == 0 ? CEDE_FOREVER : CEDE_SECONDS(3600);
        for (int i = 0; i < 3; i++) hold.to[i] = play(self, answer_when_told, &told);
        cede_ref asker = play(self, await_until_killed, &hold);
        EXPECT_OK(cede_monitor(self, asker));
        parked_await(self, asker);
        EXPECT_OK(cede_kill(self, asker));
        if (round % 3 == 0) flag_set(&told, 1); /* before or after it has ended */
        EXPECT_RESULT(down_await(self, asker), CEDE_EKILLED);
        flag_set(&told, 1);
    }
    return CEDE_OK;
}

static CEDE_YIELDS cede_result leave_asks_behind(cede_self *self, void *context) {
    static struct hold hold;
    hold.timeout_ns = CEDE_FOREVER;
    for (int i = 0; i < 3; i++) hold.to[i] = play(self, answer_when_told, context);
    parked_await(self, play(self, await_until_killed, &hold));
    (void)start(self, play(self, never_receive, NULL), 1, CEDE_SECONDS(3600));
    return CEDE_OK;
}

static void system_ends_with_asks_under_way(void **state) {
    (void)state;
    static _Atomic uint32_t told[2]; /* not answered, answered at about the same time */
    for (int i = 0; i < 2; i++) {
        struct fixture *fixture = fixture_begin((struct cede_options){0});
        flag_set(&told[i], 0);
        fixture_run(fixture, leave_asks_behind, &told[i]);
        flag_set(&told[i], 1);
        fixture_end(fixture);
    }
}

/* ---- deadlines and cycles, as for cede_ask ---- */

static CEDE_YIELDS cede_result tell_the_deadline(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    answer_give(self, request, cede_deadline_of(self, request));
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result start_within_a_request(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    cede_pending *pending = start(self, play(self, tell_the_deadline, NULL), 1, CEDE_FOREVER);
    EXPECT_OK(cede_await_all(self, &pending, 1, CEDE_FOREVER));
    EXPECT_EQUAL(take(self, &pending), cede_deadline_of(self, request));
    answer_give(self, request, 0);
    return CEDE_STOP;
}

TURN_TEST(pending_ask_inherits_the_deadline_of_its_turn) {
    (void)context;
    struct question *request = cede_new(self, question);
    struct answer *reply = NULL;
    EXPECT(request != NULL);
    return cede_ask(self, play(self, start_within_a_request, NULL), &request, answer, &reply,
                    CEDE_SECONDS(3600));
}

struct back {
    cede_ref to;
    bool waits_first; /* for the other one's wait */
};

/* Asks whom it was asked by, and answers with what became of that. */
static CEDE_YIELDS cede_result ask_back(cede_self *self, void *context) {
    const struct back *back = context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    if (back->waits_first) parked_await(self, back->to);
    answer_give(self, request, (uint64_t)question_ask(self, back->to, 1, NULL));
    return CEDE_STOP;
}

/* Whoever closes it is told, and nobody else. */
TURN_TEST(cycle_through_a_pending_ask_is_found_by_the_one_that_asks_back) {
    (void)context;
    static struct back back;
    back = (struct back){.to = cede_self_ref(self), .waits_first = true};
    cede_pending *pending = start(self, play(self, ask_back, &back), 1, CEDE_FOREVER);
    EXPECT_OK(cede_await_all(self, &pending, 1, CEDE_FOREVER));
    EXPECT_EQUAL(take(self, &pending), CEDE_EDEADLK);
    return CEDE_OK;
}

TURN_TEST(cycle_through_a_pending_ask_is_found_by_the_one_that_awaits_it) {
    (void)context;
    static struct back back;
    back = (struct back){.to = cede_self_ref(self)};
    cede_ref other = play(self, ask_back, &back);
    cede_pending *pending = start(self, other, 1, CEDE_FOREVER);
    struct question *asked = NULL;
    EXPECT_OK(cede_recv(self, question, &asked, CEDE_FOREVER));
    parked_await(self, other);
    EXPECT_RESULT(cede_await_all(self, &pending, 1, CEDE_FOREVER), CEDE_EDEADLK);
    answer_give(self, asked, 0);
    EXPECT_OK(cede_await_all(self, &pending, 1, CEDE_FOREVER));
    EXPECT_EQUAL(take(self, &pending), CEDE_OK);
    cede_drop(self, &asked);
    return CEDE_OK;
}

/* ---- over turns ---- */

struct collector {
    cede_pending *asks[2];
};

static CEDE_YIELDS cede_result on_collector_go(cede_self *self, struct collector *state,
                                               struct go *message) {
    for (int i = 0; i < 2; i++)
        state->asks[i] = start(self, play(self, answer_when_told, NULL), (uint64_t)i, CEDE_FOREVER);
    number_send(self, cede_self_ref(self), 0);
    (void)message;
    return CEDE_OK;
}

static CEDE_YIELDS cede_result on_collector_number(cede_self *self, struct collector *state,
                                                   struct number *message) {
    (void)message;
    EXPECT_OK(cede_await_all(self, state->asks, 2, CEDE_FOREVER));
    EXPECT_EQUAL(take(self, &state->asks[0]) + take(self, &state->asks[1]), 3);
    return CEDE_STOP;
}
#define COLLECTOR(ON)                                                                              \
    ON(go, on_collector_go)                                                                        \
    ON(number, on_collector_number)
CEDE_BEHAVIOUR(collector, struct collector, COLLECTOR);

TURN_TEST(pending_asks_may_be_kept_over_turns) {
    (void)context;
    struct go *first = cede_new(self, go);
    EXPECT(first != NULL);
    cede_ref actor = {0};
    EXPECT_OK(cede_spawn_monitored(self, &collector, &first, &actor));
    EXPECT_OK(down_await(self, actor));
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(await_any_gives_the_one_that_is_over_first),
        WITH_SYSTEM(await_all_waits_for_each_whatever_comes_of_it),
        WITH_SYSTEM(hundred_asks_are_each_answered_once),
        WITH_SYSTEM(ask_that_cannot_be_sent_is_not_started),
        WITH_SYSTEM(pending_ask_ends_when_its_own_time_has_passed),
        WITH_SYSTEM(pending_ask_ends_when_the_asked_one_does),
        WITH_SYSTEM(await_of_another_type_says_so_and_leaves_the_ask),
        WITH_SYSTEM(reply_to_a_dropped_ask_is_a_dead_letter),
        WITH_SYSTEM(actor_killed_while_it_awaits_gives_its_asks_up),
        cmocka_unit_test(system_ends_with_asks_under_way),
        WITH_SYSTEM(pending_ask_inherits_the_deadline_of_its_turn),
        WITH_SYSTEM(cycle_through_a_pending_ask_is_found_by_the_one_that_asks_back),
        WITH_SYSTEM(cycle_through_a_pending_ask_is_found_by_the_one_that_awaits_it),
        WITH_SYSTEM(pending_asks_may_be_kept_over_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
