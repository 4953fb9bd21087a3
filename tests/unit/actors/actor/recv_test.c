/* cede_recv: picking a message out of the middle, waiting, and being ended while waiting. */
#include "tests/support/actors.h"

TURN_TEST(recv_takes_the_oldest_of_its_type_and_leaves_the_others_in_order) {
    (void)context;
    cede_ref me = cede_self_ref(self);
    for (uint64_t i = 0; i < 6; i++) {
        number_send(self, me, i);
        struct question *other = cede_new(self, question);
        other->value = i;
        EXPECT_OK(cede_send(self, me, &other));
    }
    for (uint64_t i = 0; i < 6; i++) {
        struct question *other = NULL;
        EXPECT_OK(cede_recv(self, question, &other, 0));
        EXPECT_EQUAL(other->value, i);
        cede_drop(self, &other);
    }
    for (uint64_t i = 0; i < 6; i++) EXPECT_EQUAL(number_await(self), i);
    return CEDE_OK;
}

TURN_TEST(recv_with_no_time_only_looks) {
    (void)context;
    struct number *message = NULL;
    EXPECT_RESULT(cede_recv(self, number, &message, 0), CEDE_ETIMEDOUT);
    EXPECT(message == NULL);
    number_send(self, cede_self_ref(self), 1);
    EXPECT_OK(cede_recv(self, number, &message, 0));
    cede_drop(self, &message);
    return CEDE_OK;
}

TURN_TEST(recv_gives_up_in_time_and_not_before) {
    (void)context;
    struct number *message = NULL;
    for (int i = 0; i < 5; i++) {
        uint64_t before_ns = cede_now(self);
        EXPECT_RESULT(cede_recv(self, number, &message, CEDE_MILLIS(2)), CEDE_ETIMEDOUT);
        EXPECT(message == NULL && cede_now(self) - before_ns >= CEDE_MILLIS(2));
    }
    return CEDE_OK;
}

TURN_TEST(recv_without_place_or_self_is_refused) {
    (void)context;
    struct number *message = NULL;
    EXPECT_RESULT(cede_recv(self, number, (struct number **)NULL, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_recv(NULL, number, &message, 0), CEDE_ECONTEXT);
    return CEDE_OK;
}

struct receiver {
    cede_ref back;
    _Atomic uint32_t ended;
};

static cede_result recv_until_stopped(cede_self *self, void *context) {
    struct receiver *receiver = context;
    uint64_t count = 0;
    for (;;) { /* until the stop */
        struct number *message = NULL;
        cede_result r = cede_recv(self, number, &message, CEDE_FOREVER);
        if (r == CEDE_ECANCELED) break;
        EXPECT_OK(r);
        EXPECT_EQUAL(message->value, count);
        count++;
        cede_drop(self, &message);
        number_send(self, receiver->back, count);
    }
    /* A stopped actor still gets what has come already, then no more. */
    struct number *message = NULL;
    EXPECT_RESULT(cede_recv(self, number, &message, CEDE_FOREVER), CEDE_ECANCELED);
    flag_set(&receiver->ended, 1);
    return CEDE_OK;
}

TURN_TEST(recv_ends_when_the_actor_is_asked_to_stop) {
    (void)context;
    static struct receiver receiver;
    receiver = (struct receiver){.back = cede_self_ref(self)};
    cede_ref other = play(self, recv_until_stopped, &receiver);
    EXPECT_OK(cede_monitor(self, other));
    for (uint64_t i = 0; i < 10; i++) {
        if (i % 2 == 0) parked_await(self, other);
        number_send(self, other, i);
        EXPECT_EQUAL(number_await(self), i + 1);
    }
    parked_await(self, other);
    EXPECT_OK(cede_stop(self, other));
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    EXPECT_EQUAL(flag_get(&receiver.ended), 1);
    return CEDE_OK;
}

static cede_result recv_for_ever(cede_self *self, void *context) {
    (void)context;
    struct note *mine = cede_new(self, note);
    EXPECT_OK(cede_str_set(&mine->text, "owned by a turn that is abandoned"));
    struct number *message = NULL;
    (void)cede_recv(self, number, &message, CEDE_FOREVER);
    expect_failed(CEDEI_HERE, "a killed actor does not go on");
}

TURN_TEST(recv_never_returns_when_the_actor_is_killed) {
    (void)context;
    cede_ref other = play(self, recv_for_ever, NULL);
    EXPECT_OK(cede_monitor(self, other));
    parked_await(self, other);
    EXPECT_OK(cede_kill(self, other));
    EXPECT_RESULT(down_await(self, other), CEDE_EKILLED);
    return CEDE_OK;
}

/* Messages arrive just when the time runs out, on another worker: none is lost, none is received twice. */
enum { RACES = 20000 };

static cede_result recv_in_short_time(cede_self *self, void *context) {
    struct receiver *receiver = context;
    for (uint64_t next = 0; next < RACES;) { /* every message comes in the end */
        struct number *message = NULL;
        cede_result r = cede_recv(self, number, &message, 1 + next % 3);
        EXPECT(r == CEDE_OK || r == CEDE_ETIMEDOUT);
        if (r != CEDE_OK) continue;
        EXPECT_EQUAL(message->value, next);
        next++;
        cede_drop(self, &message);
    }
    flag_set(&receiver->ended, 1);
    return CEDE_STOP;
}

TURN_TEST(recv_that_races_with_its_time_loses_and_repeats_nothing) {
    (void)context;
    static struct receiver receiver;
    receiver = (struct receiver){.back = cede_self_ref(self)};
    cede_ref other = play(self, recv_in_short_time, &receiver);
    for (uint64_t i = 0; i < RACES; i++) {
        struct number *message = cede_new(self, number);
        message->value = i;
        EXPECT_OK(cede_send_wait(self, other, &message, CEDE_FOREVER));
        if (i % 16 == 0) cede_yield(self);
    }
    flag_await(self, &receiver.ended, 1);
    return CEDE_OK;
}

/* A receiver that picks one type has its mailbox full of another, and the sender of what it wants waits for room. */
struct picky {
    _Atomic uint32_t state;
};

static cede_result pick_questions(cede_self *self, void *context) {
    struct picky *picky = context;
    flag_set(&picky->state, 2);
    flag_await(self, &picky->state, 1);
    for (int i = 0; i < 2; i++) {
        struct question *message = NULL;
        EXPECT_OK(cede_recv(self, question, &message, CEDE_FOREVER));
        cede_drop(self, &message);
    }
    flag_set(&picky->state, 3);
    return CEDE_STOP;
}

#define PICKER(ON) ON(play, on_play)
CEDE_BEHAVIOUR(player_of_four, struct player, PICKER, .mailbox_max = 4);

static cede_result question_send_wait(cede_self *self, void *context) {
    struct question *message = cede_new(self, question);
    EXPECT_OK(cede_send_wait(self, *(cede_ref *)context, &message, CEDE_FOREVER));
    return CEDE_STOP;
}

TURN_TEST(recv_lets_in_a_sender_that_waits_with_what_it_wants_although_the_mailbox_is_half_full) {
    (void)context;
    static struct picky picky;
    static cede_ref other;
    picky = (struct picky){0};
    other = play_as(self, &player_of_four, pick_questions, &picky);
    flag_await(self, &picky.state, 2);
    for (int i = 0; i < 3; i++) number_send(self, other, 1);
    struct question *first = cede_new(self, question);
    EXPECT_OK(cede_send(self, other, &first));
    parked_await(self, play(self, question_send_wait, &other));
    flag_set(&picky.state, 1);
    flag_await(self, &picky.state, 3);
    return CEDE_OK;
}

/* One actor is killed or stopped just when it is woken, parked or suspended for the next wait. */
static cede_result wait_in_all_ways(cede_self *self, void *context) {
    (void)context;
    for (uint64_t i = 0;; i++) { /* until it is killed or stopped */
        struct number *message = NULL;
        cede_result r = cede_recv(self, number, &message, i % 2 == 0 ? 1 : CEDE_MILLIS(1));
        if (r == CEDE_ECANCELED) return CEDE_STOP;
        if (r == CEDE_OK) cede_drop(self, &message);
        if (i % 3 == 0) cede_yield(self);
        if (i % 5 == 0) EXPECT_OK(cede_sleep(self, 1));
    }
}

TURN_TEST(recv_that_races_with_stop_and_kill_ends_exactly_once) {
    (void)context;
    for (int i = 0; i < 1000; i++) {
        cede_ref other = play(self, wait_in_all_ways, NULL);
        EXPECT_OK(cede_monitor(self, other));
        for (int k = 0; k < i % 7; k++) cede_yield(self);
        if (i % 3 == 0) number_send(self, other, 1);
        bool kill = i % 2 == 0;
        EXPECT_OK(kill ? cede_kill(self, other) : cede_stop(self, other));
        EXPECT_RESULT(down_await(self, other), kill ? CEDE_EKILLED : CEDE_OK);
    }
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(recv_takes_the_oldest_of_its_type_and_leaves_the_others_in_order),
        WITH_SYSTEM(recv_with_no_time_only_looks),
        WITH_SYSTEM(recv_gives_up_in_time_and_not_before),
        WITH_SYSTEM(recv_without_place_or_self_is_refused),
        WITH_SYSTEM(recv_ends_when_the_actor_is_asked_to_stop),
        WITH_SYSTEM(recv_never_returns_when_the_actor_is_killed),
        WITH_SYSTEM(recv_that_races_with_its_time_loses_and_repeats_nothing),
        WITH_SYSTEM(
            recv_lets_in_a_sender_that_waits_with_what_it_wants_although_the_mailbox_is_half_full),
        WITH_SYSTEM(recv_that_races_with_stop_and_kill_ends_exactly_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
