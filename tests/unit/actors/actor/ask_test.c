/* cede_ask and cede_reply: who owns request and reply, every way in which a request ends, and cycles of asks. */
#include "tests/support/actors.h"

/* ---- repliers ---- */

static cede_result echo_once(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    answer_give(self, request, request->value + 1);
    cede_drop(self, &request);
    return CEDE_STOP;
}

struct keeper {
    struct question *held;
};

static cede_result on_question_keep(cede_self *self, struct keeper *state,
                                    struct question *message) {
    if (state->held != NULL) cede_drop(self, &state->held);
    state->held = cede_keep(self, &message);
    return CEDE_OK;
}

/* Answers what it keeps. */
static cede_result on_go_answer(cede_self *self, struct keeper *state, struct go *message) {
    (void)message;
    if (state->held == NULL) return CEDE_STOP;
    answer_give(self, state->held, state->held->value + 100);
    cede_drop(self, &state->held);
    return CEDE_OK;
}

static cede_result on_number_drop(cede_self *self, struct keeper *state, struct number *message) {
    (void)message;
    cede_drop(self, &state->held);
    return CEDE_OK;
}

#define KEEPER(ON)                                                                                 \
    ON(question, on_question_keep)                                                                 \
    ON(go, on_go_answer)                                                                           \
    ON(number, on_number_drop)
CEDE_BEHAVIOUR(keeper, struct keeper, KEEPER);

static cede_ref keeper_spawn(cede_self *self) {
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn(self, &keeper, CEDE_NOTHING, &ref));
    return ref;
}

static void go_send(cede_self *self, cede_ref to) {
    struct go *message = cede_new(self, go);
    EXPECT_OK(cede_send(self, to, &message));
}

struct empty_state {
    int unused;
};

static cede_result on_question_ignore(cede_self *self, struct empty_state *state,
                                      struct question *message) {
    (void)self, (void)state, (void)message;
    return CEDE_OK;
}
#define IGNORER(ON) ON(question, on_question_ignore)
CEDE_BEHAVIOUR(ignorer, struct empty_state, IGNORER);

static cede_result on_question_fail(cede_self *self, struct empty_state *state,
                                    struct question *message) {
    (void)self, (void)state, (void)message;
    return CEDE_EIO;
}
#define FAILER(ON) ON(question, on_question_fail)
CEDE_BEHAVIOUR(failer, struct empty_state, FAILER);

/* ---- answers ---- */

TURN_TEST(ask_returns_the_reply) {
    (void)context;
    cede_ref other = play(self, echo_once, NULL);
    struct question *request = cede_new(self, question);
    request->value = 41;
    struct answer *reply = NULL;
    EXPECT_OK(cede_ask(self, other, &request, answer, &reply, CEDE_FOREVER));
    EXPECT(request == NULL && reply != NULL);
    EXPECT_EQUAL(reply->value, 42);
    cede_drop(self, &reply);
    return CEDE_OK;
}

static cede_result on_question_return(cede_self *self, struct empty_state *state,
                                      struct question *message) {
    (void)state;
    message->value *= 2;
    EXPECT_OK(cede_reply(self, message, &message));
    EXPECT(message == NULL);
    return CEDE_OK;
}
#define RETURNER(ON) ON(question, on_question_return)
CEDE_BEHAVIOUR(returner, struct empty_state, RETURNER);

TURN_TEST(reply_with_the_request_itself_gives_it_back) {
    (void)context;
    cede_ref other = {0};
    EXPECT_OK(cede_spawn(self, &returner, CEDE_NOTHING, &other));
    for (uint64_t i = 0; i < 100; i++) {
        struct question *request = cede_new(self, question), *reply = NULL;
        request->value = i;
        EXPECT_OK(cede_ask(self, other, &request, question, &reply, CEDE_FOREVER));
        EXPECT_EQUAL(reply->value, 2 * i);
        cede_drop(self, &reply);
    }
    return CEDE_OK;
}

struct go_case {
    cede_ref asker, to;
};

static cede_result go_when_the_asker_waits(cede_self *self, void *context) {
    struct go_case *later = context;
    parked_await(self, later->asker);
    go_send(self, later->to);
    return CEDE_STOP;
}

TURN_TEST(reply_in_a_later_turn_to_a_kept_request_arrives) {
    (void)context;
    static struct go_case later;
    later = (struct go_case){.asker = cede_self_ref(self), .to = keeper_spawn(self)};
    play(self, go_when_the_asker_waits, &later);
    uint64_t value = 0;
    EXPECT_OK(question_ask(self, later.to, 2, &value));
    EXPECT_EQUAL(value, 102);
    return CEDE_OK;
}

/* ---- requests that are not answered ---- */

TURN_TEST(ask_fails_when_the_request_is_dropped_unanswered) {
    (void)context;
    cede_ref other = {0};
    EXPECT_OK(cede_spawn(self, &ignorer, CEDE_NOTHING, &other));
    EXPECT_RESULT(question_ask(self, other, 1, NULL), CEDE_ENOREPLY);
    EXPECT_OK(cede_spawn(self, &failer, CEDE_NOTHING, &other));
    EXPECT_RESULT(question_ask(self, other, 1, NULL), CEDE_ENOREPLY);
    return CEDE_OK;
}

TURN_TEST(ask_fails_when_the_receiver_does_not_handle_the_type) {
    struct fixture *fixture = context;
    cede_ref other = play(self, echo_once, NULL);
    (void)other;
    cede_ref idle = {0};
    EXPECT_OK(cede_spawn(self, &player, CEDE_NOTHING, &idle));
    EXPECT_RESULT(question_ask(self, idle, 1, NULL), CEDE_EUNHANDLED);
    EXPECT(fixture_logged(fixture, "no handler for 'question'"));
    return CEDE_OK;
}

TURN_TEST(ask_of_an_actor_that_is_gone_leaves_the_request_ours) {
    (void)context;
    struct question *request = cede_new(self, question);
    struct answer *reply = NULL;
    EXPECT_RESULT(cede_ask(self, (cede_ref){0}, &request, answer, &reply, CEDE_FOREVER),
                  CEDE_ENOACTOR);
    EXPECT(request != NULL && reply == NULL);
    cede_ref elsewhere = cede_self_ref(self);
    elsewhere.node++;
    EXPECT_RESULT(cede_ask(self, elsewhere, &request, answer, &reply, CEDE_FOREVER), CEDE_ENODE);
    EXPECT(request != NULL && reply == NULL);
    cede_drop(self, &request);
    return CEDE_OK;
}

TURN_TEST(ask_without_request_or_place_for_the_reply_is_refused) {
    (void)context;
    struct question *request = NULL;
    struct answer *reply = NULL;
    EXPECT_RESULT(cede_ask(self, cede_self_ref(self), &request, answer, &reply, 0), CEDE_EINVAL);
    request = cede_new(self, question);
    EXPECT_RESULT(cede_ask(self, cede_self_ref(self), &request, answer, (struct answer **)NULL, 0),
                  CEDE_EINVAL);
    EXPECT(request != NULL);
    EXPECT_RESULT(cede_ask(NULL, cede_self_ref(self), &request, answer, &reply, 0), CEDE_ECONTEXT);
    cede_drop(self, &request);
    return CEDE_OK;
}

static cede_result stay_until_told(cede_self *self, void *context) {
    flag_set(context, 2);
    flag_await(self, context, 1);
    return CEDE_STOP;
}

TURN_TEST(ask_of_a_full_actor_leaves_the_request_ours) {
    (void)context;
    static _Atomic uint32_t flag;
    flag_set(&flag, 0);
    cede_ref other = play_as(self, &player_of_two, stay_until_told, &flag);
    flag_await(self, &flag, 2);
    number_send(self, other, 1);
    number_send(self, other, 2);
    struct question *request = cede_new(self, question);
    request->value = 9;
    struct answer *reply = NULL;
    EXPECT_RESULT(cede_ask(self, other, &request, answer, &reply, CEDE_FOREVER), CEDE_EFULL);
    EXPECT(request != NULL && request->value == 9 && reply == NULL);
    cede_drop(self, &request);
    flag_set(&flag, 1);
    return CEDE_OK;
}

struct late_case {
    _Atomic uint32_t flag;
    cede_result result, second;
};

static cede_result reply_when_told(cede_self *self, void *context) {
    struct late_case *late = context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    flag_set(&late->flag, 2);
    flag_await(self, &late->flag, 1);
    struct answer *reply = cede_new(self, answer);
    late->result = cede_reply(self, request, &reply);
    EXPECT((reply == NULL) == (late->result == CEDE_OK));
    if (reply == NULL) reply = cede_new(self, answer);
    late->second = cede_reply(self, request, &reply);
    EXPECT(reply != NULL);
    cede_drop(self, &reply);
    cede_drop(self, &request);
    flag_set(&late->flag, 3);
    return CEDE_STOP;
}

static uint64_t expired_now(cede_self *self) {
    struct cede_metrics metrics;
    cede_system_metrics(cede_self_system(self), &metrics);
    return metrics.requests_expired;
}

/* Asks for `timeout_ns`, in vain. False: the time was over before the request was received at all, on a busy machine. */
static CEDE_YIELDS bool ask_in_vain(cede_self *self, struct late_case *late, uint64_t timeout_ns) {
    struct question *request = cede_new(self, question);
    struct answer *reply = NULL;
    uint64_t expired = expired_now(self), before_ns = cede_now(self);
    cede_ref other = play(self, reply_when_told, late);
    EXPECT_RESULT(cede_ask(self, other, &request, answer, &reply, timeout_ns), CEDE_ETIMEDOUT);
    EXPECT(cede_now(self) - before_ns >= timeout_ns);
    EXPECT(request == NULL && reply == NULL);
    while (flag_get(&late->flag) != 2 && expired_now(self) == expired) cede_yield(self);
    if (flag_get(&late->flag) == 2) return true;
    EXPECT_OK(cede_kill(self, other));
    return false;
}

TURN_TEST(ask_gives_up_in_time_and_the_late_reply_is_a_dead_letter) {
    (void)context;
    static struct late_case late;
    uint64_t timeout_ns = CEDE_MILLIS(3);
    late = (struct late_case){0};
    while (!ask_in_vain(self, &late, timeout_ns)) timeout_ns *= 2;
    flag_set(&late.flag, 1);
    flag_await(self, &late.flag, 3);
    EXPECT_RESULT(late.result, CEDE_OK);
    EXPECT_RESULT(late.second, CEDE_EINVAL);
    return CEDE_OK;
}

static cede_result ask_the_one(cede_self *self, void *context) {
    struct question *request = cede_new(self, question);
    struct answer *reply = NULL;
    (void)cede_ask(self, *(cede_ref *)context, &request, answer, &reply, CEDE_FOREVER);
    expect_failed(CEDEI_HERE, "a killed actor does not go on");
}

TURN_TEST(reply_to_an_asker_that_was_killed_is_a_dead_letter) {
    (void)context;
    static struct late_case late;
    static cede_ref replier;
    late = (struct late_case){0};
    replier = play(self, reply_when_told, &late);
    cede_ref asker = play(self, ask_the_one, &replier);
    flag_await(self, &late.flag, 2);
    EXPECT_OK(cede_monitor(self, asker));
    EXPECT_OK(cede_kill(self, asker));
    EXPECT_RESULT(down_await(self, asker), CEDE_EKILLED);
    flag_set(&late.flag, 1);
    flag_await(self, &late.flag, 3);
    EXPECT_RESULT(late.result, CEDE_OK);
    return CEDE_OK;
}

static cede_result reply_twice(cede_self *self, void *context) {
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    answer_give(self, request, 1);
    struct answer *again = cede_new(self, answer);
    EXPECT_RESULT(cede_reply(self, request, &again), CEDE_EINVAL);
    EXPECT(again != NULL);
    cede_drop(self, &again);
    cede_drop(self, &request);
    flag_set(context, 1);
    return CEDE_STOP;
}

TURN_TEST(reply_a_second_time_is_refused) {
    (void)context;
    static _Atomic uint32_t done;
    flag_set(&done, 0);
    EXPECT_OK(question_ask(self, play(self, reply_twice, &done), 1, NULL));
    flag_await(self, &done, 1);
    return CEDE_OK;
}

static cede_result reply_with_a_number(cede_self *self, void *context) {
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    struct number *wrong = cede_new(self, number);
    EXPECT_RESULT(cede_reply(self, request, &wrong), CEDE_ETYPE);
    EXPECT(wrong != NULL);
    EXPECT_RESULT(cede_reply(self, request, &wrong), CEDE_EINVAL); /* the asker was told already */
    cede_drop(self, &wrong);
    cede_drop(self, &request);
    flag_set(context, 1);
    return CEDE_STOP;
}

TURN_TEST(reply_of_another_type_fails_on_both_sides_and_is_named) {
    struct fixture *fixture = context;
    static _Atomic uint32_t done;
    flag_set(&done, 0);
    EXPECT_RESULT(question_ask(self, play(self, reply_with_a_number, &done), 1, NULL), CEDE_ETYPE);
    flag_await(self, &done, 1);
    EXPECT(fixture_logged(fixture, "ask_test.c:"));
    EXPECT(fixture_logged(
        fixture, "in actor 'player': the asker waits for a 'answer', the answer is a 'number'"));
    return CEDE_OK;
}

TURN_TEST(reply_without_request_message_or_self_is_refused) {
    (void)context;
    struct question *request = cede_new(self, question);
    struct answer *reply = NULL;
    EXPECT_RESULT(cede_reply(self, request, &reply), CEDE_EINVAL);
    EXPECT_RESULT(cede_reply(NULL, request, &reply), CEDE_ECONTEXT);
    reply = cede_new(self, answer);
    EXPECT_RESULT(cede_reply(self, (struct question *)NULL, &reply), CEDE_EINVAL);
    EXPECT_RESULT(cede_reply(self, request, &reply), CEDE_EINVAL);
    cede_drop(self, &reply);
    cede_drop(self, &request);
    return CEDE_OK;
}

/* ---- the duty to reply ---- */

static cede_result forward_once(cede_self *self, void *context) {
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    EXPECT_RESULT(cede_send(self, (cede_ref){0}, &request), CEDE_ENOACTOR); /* the duty stays here */
    request->value += 10;
    EXPECT_OK(cede_send(self, *(cede_ref *)context, &request));
    return CEDE_STOP;
}

TURN_TEST(request_that_is_sent_on_is_answered_by_its_last_receiver) {
    (void)context;
    static cede_ref second, last;
    last = play(self, echo_once, NULL);
    second = play(self, forward_once, &last);
    cede_ref first = play(self, forward_once, &second);
    uint64_t value = 0;
    EXPECT_OK(question_ask(self, first, 1, &value));
    EXPECT_EQUAL(value, 22);
    return CEDE_OK;
}

static cede_result spawn_with_the_request(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    EXPECT_OK(cede_spawn(self, &returner, &request, NULL));
    EXPECT(request == NULL);
    return CEDE_STOP;
}

TURN_TEST(request_that_begins_an_actor_is_answered_by_it) {
    (void)context;
    cede_ref other = play(self, spawn_with_the_request, NULL);
    struct question *request = cede_new(self, question), *reply = NULL;
    request->value = 4;
    EXPECT_OK(cede_ask(self, other, &request, question, &reply, CEDE_FOREVER));
    EXPECT_EQUAL(reply->value, 8);
    cede_drop(self, &reply);
    return CEDE_OK;
}

TURN_TEST(request_in_a_dead_mailbox_is_told_that_the_actor_is_gone) {
    (void)context;
    static _Atomic uint32_t flag;
    flag_set(&flag, 0);
    cede_ref other = play(self, stay_until_told, &flag); /* stops without looking at its mailbox */
    flag_await(self, &flag, 2);
    flag_set(&flag, 1);
    cede_result r = question_ask(self, other, 1, NULL);
    EXPECT_RESULT(r, CEDE_ENOACTOR);
    return CEDE_OK;
}

static cede_result reask_once(cede_self *self, void *context) {
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    struct answer *reply = NULL; /* the request itself becomes a request of ours */
    EXPECT_OK(cede_ask(self, *(cede_ref *)context, &request, answer, &reply, CEDE_FOREVER));
    cede_drop(self, &reply);
    return CEDE_STOP;
}

TURN_TEST(request_that_is_asked_on_ends_the_first_ask_without_a_reply) {
    (void)context;
    static cede_ref last;
    last = play(self, echo_once, NULL);
    EXPECT_RESULT(question_ask(self, play(self, reask_once, &last), 1, NULL), CEDE_ENOREPLY);
    return CEDE_OK;
}

static cede_result answer_one_with_the_other(cede_self *self, void *context) {
    (void)context;
    struct question *first = NULL, *second = NULL;
    EXPECT_OK(cede_recv(self, question, &first, CEDE_FOREVER));
    EXPECT_OK(cede_recv(self, question, &second, CEDE_FOREVER));
    EXPECT_OK(cede_reply(self, first, &second));
    cede_drop(self, &first);
    return CEDE_STOP;
}

struct ask_case {
    cede_ref to;
    cede_result result;
    _Atomic uint32_t done;
};

static cede_result ask_for_a_question(cede_self *self, void *context) {
    struct ask_case *ask = context;
    struct question *request = cede_new(self, question), *reply = NULL;
    ask->result = cede_ask(self, ask->to, &request, question, &reply, CEDE_FOREVER);
    if (request != NULL) cede_drop(self, &request);
    if (reply != NULL) cede_drop(self, &reply);
    flag_set(&ask->done, 1);
    return CEDE_STOP;
}

TURN_TEST(request_given_away_as_a_reply_ends_its_own_ask_without_one) {
    (void)context;
    static struct ask_case one, two;
    cede_ref other = play(self, answer_one_with_the_other, NULL);
    one = (struct ask_case){.to = other};
    two = (struct ask_case){.to = other};
    play(self, ask_for_a_question, &one);
    play(self, ask_for_a_question, &two);
    flag_await(self, &one.done, 1);
    flag_await(self, &two.done, 1);
    EXPECT((one.result == CEDE_OK && two.result == CEDE_ENOREPLY) ||
           (two.result == CEDE_OK && one.result == CEDE_ENOREPLY));
    return CEDE_OK;
}

TURN_TEST(request_kept_by_an_actor_that_ends_is_told_so) {
    (void)context;
    static cede_ref to;
    static struct ask_case ask;
    to = keeper_spawn(self);
    ask = (struct ask_case){.to = to};
    cede_ref asker = play(self, ask_for_a_question, &ask);
    parked_await(self, asker);
    EXPECT_OK(cede_stop(self, to));
    flag_await(self, &ask.done, 1);
    EXPECT(ask.result == CEDE_ENOREPLY ||
           ask.result == CEDE_ENOACTOR); /* kept, or still in the mailbox */
    return CEDE_OK;
}

TURN_TEST(request_kept_and_dropped_in_a_later_turn_is_told_so) {
    (void)context;
    static struct ask_case ask;
    ask = (struct ask_case){.to = keeper_spawn(self)};
    cede_ref asker = play(self, ask_for_a_question, &ask);
    parked_await(self, asker);
    number_send(self, ask.to, 1);
    flag_await(self, &ask.done, 1);
    EXPECT_RESULT(ask.result, CEDE_ENOREPLY);
    return CEDE_OK;
}

/* ---- the asker takes no other messages ---- */

struct reentry {
    bool asking;
    uint64_t seen;
};

static cede_ref reentry_target;

static cede_result on_reentry_go(cede_self *self, struct reentry *state, struct go *message) {
    state->asking = true;
    EXPECT_OK(question_ask(self, message->to, 1, NULL));
    state->asking = false;
    return CEDE_OK;
}

static cede_result on_reentry_number(cede_self *self, struct reentry *state,
                                     struct number *message) {
    EXPECT(!state->asking);
    EXPECT_EQUAL(message->value, state->seen);
    if (++state->seen < 3) return CEDE_OK;
    number_send(self, reentry_target, state->seen);
    return CEDE_STOP;
}
#define REENTRY(ON)                                                                                \
    ON(go, on_reentry_go)                                                                          \
    ON(number, on_reentry_number)
CEDE_BEHAVIOUR(reentry, struct reentry, REENTRY);

TURN_TEST(ask_leaves_other_messages_in_the_mailbox_in_order) {
    (void)context;
    reentry_target = cede_self_ref(self);
    struct go *first = cede_new(self, go);
    cede_ref holder = keeper_spawn(self);
    first->to = holder;
    cede_ref other = {0};
    EXPECT_OK(cede_spawn(self, &reentry, &first, &other));
    parked_await(self, other);
    for (uint64_t i = 0; i < 3; i++) number_send(self, other, i);
    go_send(self, holder);
    EXPECT_EQUAL(number_await(self), 3);
    return CEDE_OK;
}

/* ---- cycles ---- */

TURN_TEST(ask_of_oneself_is_a_cycle) {
    struct fixture *fixture = context;
    EXPECT_RESULT(question_ask(self, cede_self_ref(self), 1, NULL), CEDE_EDEADLK);
    EXPECT(fixture_logged(fixture, "asks itself"));
    return CEDE_OK;
}

/* In a ring, every actor asks the next when it is asked; the last finds that it would wait for itself. */
struct ring_member {
    cede_ref next;
    cede_result result;
};

static cede_result ring_member_ask(cede_self *self, void *context) {
    struct ring_member *member = context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    member->result = question_ask(self, member->next, request->value + 1, NULL);
    answer_give(self, request, 0);
    cede_drop(self, &request);
    return CEDE_STOP;
}

static CEDE_YIELDS void ring_try(cede_self *self, size_t size) {
    static struct ring_member members[8];
    for (size_t i = 0; i < size; i++) members[i] = (struct ring_member){.result = CEDE_EFAILED};
    cede_ref refs[8] = {{0}};
    for (size_t i = 0; i < size; i++) refs[i] = play(self, ring_member_ask, &members[i]);
    for (size_t i = 0; i < size; i++) members[i].next = refs[(i + 1) % size];
    EXPECT_OK(question_ask(self, refs[0], 0, NULL));
    for (size_t i = 0; i + 1 < size; i++) EXPECT_RESULT(members[i].result, CEDE_OK);
    EXPECT_RESULT(members[size - 1].result, CEDE_EDEADLK);
}

TURN_TEST(ask_that_closes_a_cycle_fails_and_the_others_get_their_replies) {
    (void)context;
    for (size_t size = 2; size <= 8; size++) ring_try(self, size);
    return CEDE_OK;
}

/* All members ask at the same moment: nobody may wait for ever. */
struct rush {
    cede_ref *next;
    _Atomic uint32_t *start;
    cede_result result;
    _Atomic uint32_t done;
};

static cede_result rush_ask(cede_self *self, void *context) {
    struct rush *rush = context;
    /* acquire: `next` is complete. */
    while (atomic_load_explicit(rush->start, memory_order_acquire) == 0) cede_yield(self);
    rush->result = question_ask(self, *rush->next, 1, NULL);
    flag_set(&rush->done, 1);
    return CEDE_STOP; /* a question that came meanwhile becomes a dead letter */
}

TURN_TEST(ask_of_three_who_ask_each_other_at_once_never_waits_for_ever) {
    (void)context;
    enum { ROUNDS = 300, SIZE = 3 };
    static struct rush members[SIZE];
    static cede_ref refs[SIZE];
    static _Atomic uint32_t start;
    for (int round = 0; round < ROUNDS; round++) {
        flag_set(&start, 0);
        for (int i = 0; i < SIZE; i++) {
            members[i] = (struct rush){.next = &refs[(i + 1) % SIZE], .start = &start};
            refs[i] = play(self, rush_ask, &members[i]);
        }
        flag_set(&start, 1);
        int deadlocks = 0;
        for (int i = 0; i < SIZE; i++) {
            flag_await(self, &members[i].done, 1);
            EXPECT(members[i].result == CEDE_EDEADLK || members[i].result == CEDE_ENOACTOR);
            deadlocks += members[i].result == CEDE_EDEADLK;
        }
        (void)deadlocks;
    }
    return CEDE_OK;
}

static cede_result reply_then_ask_back(cede_self *self, void *context) {
    struct ask_case *back = context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    answer_give(self, request, 1);
    cede_drop(self, &request);
    back->result = question_ask(self, back->to, 1, NULL);
    flag_set(&back->done, 1);
    return CEDE_STOP;
}

TURN_TEST(ask_back_after_the_reply_is_no_cycle) {
    (void)context;
    static struct ask_case back;
    for (int i = 0; i < 200; i++) {
        back = (struct ask_case){.to = cede_self_ref(self)};
        EXPECT_OK(question_ask(self, play(self, reply_then_ask_back, &back), 1, NULL));
        struct question *request = NULL;
        EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
        answer_give(self, request, 2);
        cede_drop(self, &request);
        flag_await(self, &back.done, 1);
        EXPECT_RESULT(back.result, CEDE_OK);
    }
    return CEDE_OK;
}

/* ---- many ---- */

static cede_result echo_many(cede_self *self, void *context) {
    for (uint32_t i = 0; i < *(uint32_t *)context; i++) {
        struct question *request = NULL;
        EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
        answer_give(self, request, request->value + 1);
        cede_drop(self, &request);
    }
    return CEDE_STOP;
}

struct many_asks {
    cede_ref to;
    _Atomic uint32_t done;
};

enum { ASKS = 2000 };

static cede_result ask_many(cede_self *self, void *context) {
    struct many_asks *many = context;
    for (uint64_t i = 0; i < ASKS; i++) {
        uint64_t value = 0;
        EXPECT_OK(question_ask(self, many->to, i, &value));
        EXPECT_EQUAL(value, i + 1);
    }
    flag_set(&many->done, 1);
    return CEDE_STOP;
}

TURN_TEST(ask_by_several_at_once_gives_each_its_own_replies) {
    (void)context;
    enum { ASKERS = 4 };
    static struct many_asks askers[ASKERS];
    static uint32_t count = ASKERS * ASKS;
    cede_ref echo = play(self, echo_many, &count);
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (struct many_asks){.to = echo};
        play(self, ask_many, &askers[i]);
    }
    for (int i = 0; i < ASKERS; i++) flag_await(self, &askers[i].done, 1);
    return CEDE_OK;
}

/* Replies race with the time: each ask ends exactly once, and no reply is lost or dropped twice. */
static cede_result ask_many_in_short_time(cede_self *self, void *context) {
    struct many_asks *many = context;
    for (uint64_t i = 0; i < ASKS; i++) {
        struct question *request = cede_new(self, question);
        struct answer *reply = NULL;
        cede_result r =
            cede_ask(self, many->to, &request, answer, &reply, i % 3 == 0 ? CEDE_FOREVER : 0);
        EXPECT(r == CEDE_OK || r == CEDE_ETIMEDOUT);
        EXPECT(request == NULL && (reply != NULL) == (r == CEDE_OK));
        if (reply != NULL) cede_drop(self, &reply);
    }
    flag_set(&many->done, 1);
    return CEDE_STOP;
}

static cede_result echo_for_ever(cede_self *self, void *context) {
    (void)context;
    for (;;) { /* until the actor is stopped */
        struct question *request = NULL;
        cede_result r = cede_recv(self, question, &request, CEDE_FOREVER);
        if (r == CEDE_ECANCELED) return CEDE_STOP;
        EXPECT_OK(r);
        struct answer *reply = cede_new(self, answer);
        r = cede_reply(self, request, &reply);
        EXPECT_OK(r);
        if (reply != NULL) cede_drop(self, &reply);
        cede_drop(self, &request);
        if (cede_now(self) % 7 == 0) EXPECT_OK(cede_sleep(self, 100000));
    }
}

TURN_TEST(ask_that_races_with_its_time_ends_exactly_once) {
    (void)context;
    enum { ASKERS = 2 };
    static struct many_asks askers[ASKERS];
    cede_ref echo = play(self, echo_for_ever, NULL);
    for (int i = 0; i < ASKERS; i++) {
        askers[i] = (struct many_asks){.to = echo};
        play(self, ask_many_in_short_time, &askers[i]);
    }
    for (int i = 0; i < ASKERS; i++) flag_await(self, &askers[i].done, 1);
    EXPECT_OK(cede_stop(self, echo));
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(ask_returns_the_reply),
        WITH_SYSTEM(reply_with_the_request_itself_gives_it_back),
        WITH_SYSTEM(reply_in_a_later_turn_to_a_kept_request_arrives),
        WITH_SYSTEM(ask_fails_when_the_request_is_dropped_unanswered),
        WITH_SYSTEM(ask_fails_when_the_receiver_does_not_handle_the_type),
        WITH_SYSTEM(ask_of_an_actor_that_is_gone_leaves_the_request_ours),
        WITH_SYSTEM(ask_without_request_or_place_for_the_reply_is_refused),
        WITH_SYSTEM(ask_of_a_full_actor_leaves_the_request_ours),
        WITH_SYSTEM(ask_gives_up_in_time_and_the_late_reply_is_a_dead_letter),
        WITH_SYSTEM(reply_to_an_asker_that_was_killed_is_a_dead_letter),
        WITH_SYSTEM(reply_a_second_time_is_refused),
        WITH_SYSTEM(reply_of_another_type_fails_on_both_sides_and_is_named),
        WITH_SYSTEM(reply_without_request_message_or_self_is_refused),
        WITH_SYSTEM(request_that_is_sent_on_is_answered_by_its_last_receiver),
        WITH_SYSTEM(request_that_begins_an_actor_is_answered_by_it),
        WITH_SYSTEM(request_in_a_dead_mailbox_is_told_that_the_actor_is_gone),
        WITH_SYSTEM(request_that_is_asked_on_ends_the_first_ask_without_a_reply),
        WITH_SYSTEM(request_given_away_as_a_reply_ends_its_own_ask_without_one),
        WITH_SYSTEM(request_kept_by_an_actor_that_ends_is_told_so),
        WITH_SYSTEM(request_kept_and_dropped_in_a_later_turn_is_told_so),
        WITH_SYSTEM(ask_leaves_other_messages_in_the_mailbox_in_order),
        WITH_SYSTEM(ask_of_oneself_is_a_cycle),
        WITH_SYSTEM(ask_that_closes_a_cycle_fails_and_the_others_get_their_replies),
        WITH_SYSTEM(ask_of_three_who_ask_each_other_at_once_never_waits_for_ever),
        WITH_SYSTEM(ask_back_after_the_reply_is_no_cycle),
        WITH_SYSTEM(ask_by_several_at_once_gives_each_its_own_replies),
        WITH_SYSTEM(ask_that_races_with_its_time_ends_exactly_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
