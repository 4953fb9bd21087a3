/* Cycles of asks: which are found, how they are named, and what is none although it looks like one. What the waits for room add is
 * in overload_test.c. */
#include "tests/support/actors.h"

struct part {
    cede_ref to, also;
    cede_result result;
    _Atomic uint32_t stage;
};

/* Takes a request, and sends it on to part->to when stage is 1. */
static cede_result forward(cede_self *self, void *context) {
    struct part *part = context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    flag_set(&part->stage, 2);
    flag_await(self, &part->stage, 1);
    part->result = cede_send(self, part->to, &request);
    if (!cede_ref_is_none(part->also)) part->result = question_ask(self, part->also, 1, NULL);
    flag_set(&part->stage, 3);
    return CEDE_STOP;
}

static cede_result ask_once(cede_self *self, void *context) {
    struct part *part = context;
    part->result = question_ask(self, part->to, 1, NULL);
    flag_set(&part->stage, 3);
    return CEDE_STOP;
}

/* Asks part->to when stage is 1, with whatever comes left in the mailbox. */
static cede_result ask_when_told(cede_self *self, void *context) {
    struct part *part = context;
    flag_set(&part->stage, 2);
    flag_await(self, &part->stage, 1);
    return ask_once(self, context);
}

/* A asks B, which sends the request on to C; C asks A: A waits for C, and C for A. */
TURN_TEST(cycle_over_a_request_that_was_sent_on_is_found_and_named) {
    struct fixture *fixture = context;
    static struct part a, b, c;
    a = b = c = (struct part){.result = CEDE_EFAILED};
    cede_ref third = play(self, ask_when_told, &c);
    b.to = third;
    a.to = play(self, forward, &b);
    flag_await(self, &c.stage, 2);
    cede_ref first = play(self, ask_once, &a);
    c.to = first;
    flag_await(self, &b.stage, 2);
    parked_await(self, first);
    flag_set(&b.stage, 1);
    flag_await(self, &b.stage, 3);
    flag_set(&c.stage, 1);
    flag_await(self, &c.stage, 3);
    EXPECT_RESULT(c.result, CEDE_EDEADLK);
    flag_await(self, &a.stage, 3); /* its request became a dead letter with C */
    EXPECT_RESULT(a.result, CEDE_ENOACTOR);
    EXPECT(fixture_logged(fixture, "'player' ("));
    EXPECT(fixture_logged(fixture, "which asks 'player'"));
    return CEDE_OK;
}

/* The same, and what closes it is that B sends the request on, when C waits for A already. */
TURN_TEST(cycle_that_a_request_closes_when_it_is_sent_on_ends_the_asker_s_wait) {
    struct fixture *fixture = context;
    static struct part a, b, c;
    a = b = c = (struct part){.result = CEDE_EFAILED};
    cede_ref third = play(self, ask_when_told, &c);
    b.to = third;
    a.to = play(self, forward, &b);
    cede_ref first = play(self, ask_once, &a);
    c.to = first;
    flag_await(self, &b.stage, 2);
    parked_await(self, first);
    flag_await(self, &c.stage, 2);
    flag_set(&c.stage, 1);
    parked_await(self, third);
    EXPECT_EQUAL(flag_get(&c.stage), 1); /* no cycle yet: B is in its turn */
    flag_set(&b.stage, 1);
    flag_await(self, &a.stage, 3);
    EXPECT_RESULT(a.result, CEDE_EDEADLK);
    EXPECT(fixture_logged(fixture, "a request sent on"));
    flag_await(self, &c.stage, 3);
    return CEDE_OK;
}

/* A asks B, which sends the request on to C and then asks A: C will answer A, and A will then answer B. */
TURN_TEST(cycle_is_none_if_the_request_was_sent_on) {
    (void)context;
    static struct part a, b;
    a = b = (struct part){.result = CEDE_EFAILED};
    a.to = play(self, forward, &b);
    cede_ref first = play(self, ask_once, &a);
    b.to = cede_self_ref(self);
    b.also = first;
    flag_await(self, &b.stage, 2);
    parked_await(self, first);
    flag_set(&b.stage, 1);
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    struct cede_self *slot = cedei_table_find(cede_self_system(self), a.to);
    while (slot != NULL && flag_get(&b.stage) != 3 &&
           (atomic_load_explicit(&slot->wait, memory_order_acquire) & 3) != CEDEI_WAIT_PARKED)
        cede_yield(self);
    EXPECT(flag_get(&b.stage) != 3); /* B waits for A, and was not told that it would for ever */
    answer_give(self, request, 2);
    cede_drop(self, &request);
    flag_await(self, &a.stage, 3);
    EXPECT_OK(a.result);
    flag_await(self, &b.stage, 3);
    EXPECT_RESULT(b.result, CEDE_ENOACTOR); /* A has ended without an answer */
    return CEDE_OK;
}

/* The names and places of all, in order. */
struct member {
    cede_ref next;
    cede_result result;
};
static cede_result member_ask(cede_self *self, void *context) {
    struct member *member = context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    member->result = question_ask(self, member->next, 1, NULL);
    answer_give(self, request, 0);
    cede_drop(self, &request);
    return CEDE_STOP;
}
CEDE_BEHAVIOUR(baker, struct player, TEST_PLAYER);
CEDE_BEHAVIOUR(miller, struct player, TEST_PLAYER);
CEDE_BEHAVIOUR(farmer, struct player, TEST_PLAYER);

TURN_TEST(cycle_is_named_from_the_one_that_closes_it) {
    struct fixture *fixture = context;
    static struct member members[3];
    static const cede_behaviour *const WHO[] = {&baker, &miller, &farmer};
    cede_ref refs[3];
    char text[256];
    for (int i = 0; i < 3; i++) refs[i] = play_as(self, WHO[i], member_ask, &members[i]);
    for (int i = 0; i < 3; i++) members[i].next = refs[(i + 1) % 3];
    EXPECT_OK(question_ask(self, refs[0], 0, NULL));
    EXPECT_RESULT(members[2].result, CEDE_EDEADLK);
    (void)snprintf(text, sizeof text,
                   "'farmer' (%u:%u) asks 'baker' (%u:%u), which asks 'miller' (%u:%u), which asks "
                   "'farmer' (%u:%u)",
                   refs[2].slot, refs[2].generation, refs[0].slot, refs[0].generation, refs[1].slot,
                   refs[1].generation, refs[2].slot, refs[2].generation);
    EXPECT(fixture_logged(fixture, text));
    return CEDE_OK;
}

/* An actor that goes on after CEDE_EDEADLK, and into the next: the log is no place for all of them. */
TURN_TEST(cycles_are_logged_at_a_bounded_rate) {
    enum { CYCLES = 200 };
    struct fixture *fixture = context;
    for (int i = 0; i < CYCLES; i++)
        EXPECT_RESULT(question_ask(self, cede_self_ref(self), 1, NULL), CEDE_EDEADLK);
    uint32_t lines = 0;
    pthread_mutex_lock(&fixture->lock);
    for (const char *at = fixture->log; (at = strstr(at, "asks itself")) != NULL; at++) lines++;
    pthread_mutex_unlock(&fixture->lock);
    EXPECT(lines >= 10 && lines < CYCLES);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(cycle_over_a_request_that_was_sent_on_is_found_and_named),
        WITH_SYSTEM(cycle_that_a_request_closes_when_it_is_sent_on_ends_the_asker_s_wait),
        WITH_SYSTEM(cycle_is_none_if_the_request_was_sent_on),
        WITH_SYSTEM(cycle_is_named_from_the_one_that_closes_it),
        WITH_SYSTEM(cycles_are_logged_at_a_bounded_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
