/* Waiting for cancel tokens: a request wakes all that wait for the token or one below it, each once, and nobody else. */
#include <cede/cancel.h>

#include "tests/support/lines.h"

static cede_result await_and_note(cede_self *self, void *context) {
    cede_result r = cede_cancel_await(self, context, CEDE_FOREVER);
    served_add((uint64_t)r);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_ref waiter_start(cede_self *self, cede_cancel *token) {
    cede_ref ref = play(self, await_and_note, token);
    EXPECT_OK(cede_monitor(self, ref));
    parked_await(self, ref);
    return ref;
}

/* Nobody waits at or below it, and it knows of nobody. */
static void expect_quiet(const cede_cancel *token) {
    EXPECT(token->cedei_awaited == 0 && token->cedei_below == NULL);
}

TURN_TEST(cancel_await_sees_what_was_requested_before) {
    (void)context;
    cede_cancel top, low;
    cede_cancel_init(&top, NULL);
    cede_cancel_init(&low, &top);
    EXPECT_RESULT(cede_cancel_await(self, &low, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_cancel_await(self, &low, 1000), CEDE_ETIMEDOUT);
    expect_quiet(&top);
    cede_cancel_request(&top);
    EXPECT_OK(cede_cancel_await(self, &low, 0));
    EXPECT_OK(cede_cancel_await(self, &low, CEDE_FOREVER));
    expect_quiet(&top);
    return CEDE_OK;
}

/* top - left - (leaf, leaf2), top - right: `left` reaches its own and the leaves, and nobody waits twice. */
TURN_TEST(cancel_request_reaches_all_below_and_nobody_else) {
    (void)context;
    static cede_cancel top, left, leaf, leaf2, right;
    served_reset();
    cede_cancel_init(&top, NULL);
    cede_cancel_init(&left, &top);
    cede_cancel_init(&leaf, &left);
    cede_cancel_init(&leaf2, &left);
    cede_cancel_init(&right, &top);
    cede_ref at_top = waiter_start(self, &top), at_right = waiter_start(self, &right);
    cede_ref at_left = waiter_start(self, &left), at_leaf = waiter_start(self, &leaf);
    cede_ref second = waiter_start(self, &leaf), at_leaf2 = waiter_start(self, &leaf2);
    cede_cancel_request(&left);
    for (int i = 0; i < 4; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        EXPECT(cede_ref_equal(down->actor, at_left) || cede_ref_equal(down->actor, at_leaf) ||
               cede_ref_equal(down->actor, second) || cede_ref_equal(down->actor, at_leaf2));
        cede_drop(self, &down);
    }
    EXPECT_EQUAL(flag_get(&served_count), 4);
    expect_quiet(&left);
    EXPECT(top.cedei_awaited == 1 && right.cedei_awaited == 1);
    cede_cancel_request(&left); /* again: nothing */
    cede_cancel_request(&top);
    for (int i = 0; i < 2; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        EXPECT(cede_ref_equal(down->actor, at_top) || cede_ref_equal(down->actor, at_right));
        cede_drop(self, &down);
    }
    expect_quiet(&top);
    return CEDE_OK;
}

TURN_TEST(cancel_request_wakes_many) {
    (void)context;
    enum { MANY = 50 }; /* more than are woken in one go, at several tokens */
    static cede_cancel top, below[5];
    served_reset();
    cede_cancel_init(&top, NULL);
    for (int i = 0; i < 5; i++) cede_cancel_init(&below[i], &top);
    for (int i = 0; i < MANY; i++) (void)waiter_start(self, &below[i % 5]);
    cede_cancel_request(&top);
    for (int i = 0; i < MANY; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
    EXPECT_EQUAL(flag_get(&served_count), MANY);
    expect_quiet(&top);
    return CEDE_OK;
}

TURN_TEST(cancel_waiters_that_end_otherwise_leave_nothing_behind) {
    (void)context;
    static cede_cancel top, low;
    served_reset();
    cede_cancel_init(&top, NULL);
    cede_cancel_init(&low, &top);
    cede_ref killed = waiter_start(self, &low), stopped = waiter_start(self, &low);
    EXPECT(top.cedei_awaited == 1 && top.cedei_below == &low);
    kill_and_await(self, killed);
    EXPECT(top.cedei_awaited == 1);
    EXPECT_OK(cede_stop(self, stopped));
    EXPECT_RESULT(down_await(self, stopped), CEDE_OK);
    EXPECT_EQUAL(served[0], CEDE_ECANCELED);
    expect_quiet(&low);
    expect_quiet(&top);
    return CEDE_OK;
}

TURN_TEST(cancel_tokens_that_are_counted_hold_those_above) {
    (void)context;
    cede_cancel *top = NULL, *low = NULL, *mine = NULL;
    EXPECT_OK(cede_cancel_create(self, NULL, &top));
    EXPECT_OK(cede_cancel_create(self, top, &low));
    mine = cede_shared_ref(low);
    cede_cancel_request(top);
    cede_shared_unref(&top); /* `low` still has it */
    EXPECT(cede_cancel_is_requested(mine));
    cede_shared_unref(&low);
    EXPECT_OK(cede_cancel_await(self, mine, CEDE_FOREVER));
    cede_shared_unref(&mine);
    EXPECT_RESULT(cede_cancel_create(NULL, NULL, &mine), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_cancel_create(self, NULL, NULL), CEDE_EINVAL);
    EXPECT_RESULT(cede_cancel_await(self, NULL, 0), CEDE_EINVAL);
    return CEDE_OK;
}

/* ---- storm: tokens below one, awaited, killed and requested at once ---- */

static cede_cancel storm_top, storm_low[8];

static CEDE_YIELDS void storm_round(cede_self *self, uint64_t *random) {
    cede_cancel *token = &storm_low[storm_random(random) % 8];
    cede_result r = cede_cancel_await(self, token, storm_random(random) % 50000);
    if (r == CEDE_OK || r == CEDE_ECANCELED) cede_yield(self);
    if (storm_random(random) % 512 == 0) cede_cancel_request(token);
}

TURN_TEST(cancel_survives_a_storm) {
    (void)context;
    cede_cancel_init(&storm_top, NULL);
    for (int i = 0; i < 8; i++)
        cede_cancel_init(&storm_low[i], i < 4 ? &storm_top : &storm_low[i - 4]);
    storm_run(self, (struct storm){.round = storm_round, .actors = 12, .rounds = 60, .kills = 300});
    for (int i = 0; i < 8; i++) expect_quiet(&storm_low[i]);
    expect_quiet(&storm_top);
    return CEDE_OK;
}

/* ---- asks that a token ends ---- */

struct cancel_ask {
    cede_ref to;
    cede_cancel *cancel;
    cede_result result;
    _Atomic uint32_t done;
};

static cede_result ask_until_cancelled(cede_self *self, void *context) {
    struct cancel_ask *ask = context;
    struct question *request = cede_new(self, question);
    struct answer *reply = NULL;
    ask->result =
        cede_ask_cancelable(self, ask->to, &request, answer, &reply, CEDE_FOREVER, ask->cancel);
    EXPECT((reply != NULL) == (ask->result == CEDE_OK));
    cede_drop(self, &request);
    cede_drop(self, &reply);
    flag_set(&ask->done, 1);
    (void)cede_sleep(self, CEDE_SECONDS(1000)); /* nothing of the ask may wake it */
    return CEDE_STOP;
}

static cede_result answer_when_told(cede_self *self, void *context) {
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    flag_await(self, context, 1);
    answer_give(self, request, 1);
    cede_drop(self, &request);
    return CEDE_STOP;
}

TURN_TEST(cancel_ends_an_ask_that_waits_and_one_that_is_to_be_made) {
    (void)context;
    static _Atomic uint32_t flag;
    static struct cancel_ask ask;
    static cede_cancel above, below;
    for (int early = 0; early < 2; early++) {
        flag_set(&flag, 0);
        cede_cancel_init(&above, NULL);
        cede_cancel_init(&below, &above);
        ask = (struct cancel_ask){.to = play(self, answer_when_told, &flag), .cancel = &below};
        if (early) cede_cancel_request(&above);
        cede_ref asker = play(self, ask_until_cancelled, &ask);
        if (!early) parked_await(self, asker);
        cede_cancel_request(&above);
        flag_await(self, &ask.done, 1);
        EXPECT_RESULT(ask.result, CEDE_ECANCELED);
        flag_set(&flag, 1); /* its answer comes too late */
        EXPECT_OK(cede_kill(self, asker));
        if (early) EXPECT_OK(cede_kill(self, ask.to));
    }
    return CEDE_OK;
}

TURN_TEST(cancel_leaves_asks_that_were_answered_and_askers_that_were_killed_alone) {
    (void)context;
    static _Atomic uint32_t flag;
    static struct cancel_ask ask;
    static cede_cancel token;
    for (int kill = 0; kill < 2; kill++) {
        flag_set(&flag, 0);
        cede_cancel_init(&token, NULL);
        ask = (struct cancel_ask){.to = play(self, answer_when_told, &flag), .cancel = &token};
        cede_ref asker = play(self, ask_until_cancelled, &ask);
        parked_await(self, asker);
        if (kill) {
            EXPECT_OK(cede_monitor(self, asker));
            EXPECT_OK(cede_kill(self, asker));
            EXPECT_RESULT(down_await(self, asker), CEDE_EKILLED);
        }
        flag_set(&flag, 1);
        if (!kill) {
            flag_await(self, &ask.done, 1);
            EXPECT_OK(ask.result);
        }
        EXPECT_EQUAL(token.cedei_awaited, 0);
        cede_cancel_request(&token);
        if (!kill) EXPECT_OK(cede_kill(self, asker));
    }
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(cancel_await_sees_what_was_requested_before),
        WITH_SYSTEM(cancel_request_reaches_all_below_and_nobody_else),
        WITH_SYSTEM(cancel_request_wakes_many),
        WITH_SYSTEM(cancel_waiters_that_end_otherwise_leave_nothing_behind),
        WITH_SYSTEM(cancel_tokens_that_are_counted_hold_those_above),
        WITH_SYSTEM(cancel_ends_an_ask_that_waits_and_one_that_is_to_be_made),
        WITH_SYSTEM(cancel_leaves_asks_that_were_answered_and_askers_that_were_killed_alone),
        WITH_SYSTEM(cancel_survives_a_storm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
