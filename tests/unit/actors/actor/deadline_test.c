/* Deadlines that travel along asks: what a handler sees, what its own asks inherit, and what is not handled any more. */
#include "tests/support/actors.h"

#include "core/sys/clock.h"

static struct cede_metrics metrics_now(cede_self *self) {
    struct cede_metrics metrics;
    cede_system_metrics(cede_self_system(self), &metrics);
    return metrics;
}

static CEDE_YIELDS cede_result ask_for(cede_self *self, cede_ref to, uint64_t timeout_ns,
                                       uint64_t *out) {
    struct question *request = cede_new(self, question);
    EXPECT(request != NULL);
    struct answer *reply = NULL;
    cede_result r = cede_ask(self, to, &request, answer, &reply, timeout_ns);
    if (request != NULL) {
        cede_drop(self, &request);
        *out = 1; /* it was not sent */
    }
    if (r == CEDE_OK) *out = reply->value;
    cede_drop(self, &reply);
    return r;
}

/* ---- actors that answer with the deadline that they see: `last`, or behind a chain of `middle`s ---- */

static cede_result on_last(cede_self *self, struct player *state, struct question *request) {
    (void)state;
    EXPECT_EQUAL(cede_deadline(self), cede_deadline_of(self, request));
    answer_give(self, request, cede_deadline(self));
    EXPECT_EQUAL(cede_deadline(self), CEDE_FOREVER); /* answered */
    return CEDE_OK;
}
#define TEST_LAST(ON) ON(question, on_last)
CEDE_BEHAVIOUR(last, struct player, TEST_LAST);

struct middle {
    cede_ref next;
    uint64_t timeout_ns;
};
static CEDE_YIELDS cede_result on_middle(cede_self *self, struct middle *state,
                                         struct question *request) {
    uint64_t mine = cede_deadline(self), next = 0;
    cede_result r = ask_for(self, state->next, state->timeout_ns, &next);
    if (r != CEDE_OK) return r;
    EXPECT(next <= mine);
    answer_give(self, request, next);
    return CEDE_OK;
}
static cede_result on_middle_play(cede_self *self, struct middle *state, struct play *play) {
    (void)self;
    *state = *(const struct middle *)play->context;
    return CEDE_OK;
}
#define TEST_MIDDLE(ON)                                                                            \
    ON(question, on_middle)                                                                        \
    ON(play, on_middle_play)
CEDE_BEHAVIOUR(middle, struct middle, TEST_MIDDLE);

static cede_ref middle_spawn(cede_self *self, cede_ref next, uint64_t timeout_ns) {
    static struct middle first[8]; /* lives on: the actor copies it in its first turn */
    static uint32_t used;
    struct middle *mine = &first[used++ % 8];
    *mine = (struct middle){next, timeout_ns};
    return play_as(self, &middle, NULL, mine);
}

TURN_TEST(handler_sees_until_when_its_asker_waits) {
    (void)context;
    cede_ref to = {0};
    EXPECT_OK(cede_spawn(self, &last, CEDE_NOTHING, &to));
    uint64_t seen = 0, before_ns = cede_now(self);
    EXPECT_OK(ask_for(self, to, CEDE_SECONDS(100), &seen));
    EXPECT(seen >= before_ns + CEDE_SECONDS(100));
    EXPECT(seen <= cede_now(self) + CEDE_SECONDS(100));
    EXPECT_OK(ask_for(self, to, CEDE_FOREVER, &seen));
    EXPECT_EQUAL(seen, CEDE_FOREVER);
    EXPECT_EQUAL(cede_deadline(self), CEDE_FOREVER); /* nobody asked us */
    return CEDE_OK;
}

TURN_TEST(asks_inherit_the_earlier_deadline_along_a_chain) {
    (void)context;
    cede_ref end = {0};
    EXPECT_OK(cede_spawn(self, &last, CEDE_NOTHING, &end));
    cede_ref patient = middle_spawn(self, middle_spawn(self, end, CEDE_FOREVER), CEDE_SECONDS(1000));
    uint64_t seen = 0, before_ns = cede_now(self);
    EXPECT_OK(ask_for(self, patient, CEDE_SECONDS(100), &seen));
    EXPECT(seen >= before_ns + CEDE_SECONDS(100));
    EXPECT(seen <= cede_now(self) + CEDE_SECONDS(100));
    EXPECT_OK(ask_for(self, patient, CEDE_FOREVER, &seen)); /* the middle's own */
    EXPECT(seen >= before_ns + CEDE_SECONDS(1000));
    EXPECT(seen <= cede_now(self) + CEDE_SECONDS(1000));
    cede_ref hasty = middle_spawn(self, end, CEDE_SECONDS(10));
    EXPECT_OK(ask_for(self, hasty, CEDE_SECONDS(100), &seen));
    EXPECT(seen <= cede_now(self) + CEDE_SECONDS(10));
    return CEDE_OK;
}

/* ---- deadlines that pass ---- */

static cede_result on_silent(cede_self *self, struct player *state, struct question *request) {
    (void)state;
    (void)cede_keep(self, &request);
    return CEDE_OK;
}
#define TEST_SILENT(ON) ON(question, on_silent)
CEDE_BEHAVIOUR(silent, struct player, TEST_SILENT);

/* The second ask has no limit of its own, and ends with the first. */
TURN_TEST(ask_made_for_another_ends_when_that_gives_up) {
    (void)context;
    cede_ref end = {0};
    EXPECT_OK(cede_spawn(self, &silent, CEDE_NOTHING, &end));
    cede_ref to = middle_spawn(self, end, CEDE_FOREVER);
    EXPECT_OK(cede_monitor(self, to));
    uint64_t seen = 0;
    while (metrics_now(self).actors_failed ==
           0) /* again, if our time was over before its turn came */
        EXPECT(ask_for(self, to, CEDE_MILLIS(5), &seen) != CEDE_OK);
    EXPECT_EQUAL(down_await(self, to), CEDE_ETIMEDOUT); /* what it got, it returned */
    return CEDE_OK;
}

struct slow_case {
    cede_ref last;
    _Atomic uint32_t entered, gone, done;
};
static struct slow_case slow;

static CEDE_YIELDS cede_result on_slow(cede_self *self, struct player *state,
                                       struct question *request) {
    (void)state;
    flag_set(&slow.entered, 1);
    flag_await(self, &slow.gone, 1);
    EXPECT_EQUAL(cede_deadline(self), 0);
    uint64_t seen = 0;
    EXPECT_EQUAL(ask_for(self, slow.last, CEDE_FOREVER, &seen), CEDE_ETIMEDOUT);
    EXPECT_EQUAL(seen, 1); /* not sent, still its own */
    struct question *kept = cede_keep(self, &request);
    EXPECT_EQUAL(cede_deadline(self), CEDE_FOREVER);
    EXPECT_EQUAL(cede_deadline_of(self, kept), 0);
    EXPECT_OK(ask_for(self, slow.last, CEDE_FOREVER, &seen)); /* on its own time */
    EXPECT_EQUAL(seen, CEDE_FOREVER);
    flag_set(&slow.done, 1);
    return CEDE_OK;
}
#define TEST_SLOW(ON) ON(question, on_slow)
CEDE_BEHAVIOUR(slow_one, struct player, TEST_SLOW);

static void slow_begin(cede_self *self, cede_ref *to) {
    flag_set(&slow.entered, 0);
    flag_set(&slow.gone, 0);
    flag_set(&slow.done, 0);
    EXPECT_OK(cede_spawn(self, &last, CEDE_NOTHING, &slow.last));
    EXPECT_OK(cede_spawn(self, &slow_one, CEDE_NOTHING, to));
}

static CEDE_YIELDS cede_result ask_the_slow_one(cede_self *self, void *context) {
    uint64_t seen = 0;
    EXPECT_EQUAL(ask_for(self, *(cede_ref *)context, CEDE_MILLIS(1), &seen), CEDE_ETIMEDOUT);
    return CEDE_STOP;
}

TURN_TEST(ask_for_somebody_who_waits_no_longer_is_not_made) {
    (void)context;
    cede_ref to = {0};
    slow_begin(self, &to);
    uint64_t seen = 0;
    /* It must be in its turn before our time is over; if it was not, the request has expired: once more. */
    do {
        EXPECT_EQUAL(ask_for(self, to, CEDE_MILLIS(50), &seen), CEDE_ETIMEDOUT);
    } while (flag_get(&slow.entered) == 0);
    flag_set(&slow.gone, 1);
    flag_await(self, &slow.done, 1);
    return CEDE_OK;
}

/* That the request had a deadline is not forgotten when the asker has another one. Found by simulation. */
TURN_TEST(ask_for_somebody_who_waits_for_another_is_not_made) {
    (void)context;
    cede_ref to = {0};
    slow_begin(self, &to);
    uint64_t seen = 0;
    do { /* as above */
        EXPECT_EQUAL(ask_for(self, to, CEDE_MILLIS(50), &seen), CEDE_ETIMEDOUT);
    } while (flag_get(&slow.entered) == 0);
    EXPECT_OK(ask_for(self, slow.last, CEDE_SECONDS(100), &seen));
    flag_set(&slow.gone, 1);
    flag_await(self, &slow.done, 1);
    return CEDE_OK;
}

/* ---- requests that expire before they are handled ---- */

struct busy_case {
    _Atomic uint32_t entered, go;
    _Atomic uint32_t questions;
};
static struct busy_case busy;

static CEDE_YIELDS cede_result on_busy_number(cede_self *self, struct player *state,
                                              struct number *message) {
    (void)state, (void)message;
    flag_set(&busy.entered, 1);
    flag_await(self, &busy.go, 1);
    return CEDE_OK;
}
static cede_result on_busy_question(cede_self *self, struct player *state,
                                    struct question *request) {
    (void)state;
    flag_set(&busy.questions, flag_get(&busy.questions) + 1);
    answer_give(self, request, cede_deadline(self));
    return CEDE_OK;
}
#define TEST_BUSY(ON)                                                                              \
    ON(number, on_busy_number)                                                                     \
    ON(question, on_busy_question)
CEDE_BEHAVIOUR(busy_one, struct player, TEST_BUSY);

static CEDE_YIELDS cede_result on_busy_loop(cede_self *self, struct player *state,
                                            struct number *message) {
    (void)state;
    flag_set(&busy.entered, 1);
    flag_await(self, &busy.go, 1);
    for (;;) { /* until it is stopped */
        struct question *request = NULL;
        cede_result r = cede_recv(self, question, &request, CEDE_FOREVER);
        if (r != CEDE_OK) return r == CEDE_ECANCELED ? CEDE_STOP : r;
        flag_set(&busy.questions, flag_get(&busy.questions) + 1);
        EXPECT_EQUAL(cede_deadline(self), cede_deadline_of(self, request));
        EXPECT_EQUAL(cede_deadline_of(self, message), CEDE_FOREVER); /* no request */
        answer_give(self, request, cede_deadline(self));
        EXPECT_EQUAL(cede_deadline(self), CEDE_FOREVER);
        cede_drop(self, &request);
    }
}
#define TEST_BUSY_LOOP(ON) ON(number, on_busy_loop)
CEDE_BEHAVIOUR(busy_loop, struct player, TEST_BUSY_LOOP);

static CEDE_YIELDS cede_result expire_case(cede_self *self, const cede_behaviour *behaviour) {
    static cede_ref to;
    flag_set(&busy.entered, 0);
    flag_set(&busy.go, 0);
    flag_set(&busy.questions, 0);
    EXPECT_OK(cede_spawn(self, behaviour, CEDE_NOTHING, &to));
    number_send(self, to, 0);
    flag_await(self, &busy.entered, 1);
    cede_ref timed_out = play(self, ask_the_slow_one, &to);
    EXPECT_OK(cede_monitor(self, timed_out));
    EXPECT_EQUAL(down_await(self, timed_out), CEDE_OK);
    flag_set(&busy.go, 1);
    uint64_t seen = 0;
    EXPECT_OK(ask_for(self, to, CEDE_SECONDS(1000), &seen)); /* behind it */
    EXPECT_EQUAL(flag_get(&busy.questions), 1);
    struct cede_metrics metrics = metrics_now(self);
    EXPECT_EQUAL(metrics.requests_expired, 1);
    EXPECT_EQUAL(metrics.messages_dead_lettered, 1);
    return cede_stop(self, to);
}

TURN_TEST(request_expires_in_the_mailbox) {
    (void)context;
    return expire_case(self, &busy_one);
}

TURN_TEST(request_expires_before_it_is_received) {
    (void)context;
    return expire_case(self, &busy_loop);
}

static CEDE_YIELDS cede_result ask_long(cede_self *self, void *context) {
    uint64_t seen = 0;
    return ask_for(self, *(cede_ref *)context, CEDE_SECONDS(1000), &seen);
}

TURN_TEST(request_expires_with_its_asker) {
    (void)context;
    static cede_ref to;
    flag_set(&busy.entered, 0);
    flag_set(&busy.go, 0);
    flag_set(&busy.questions, 0);
    EXPECT_OK(cede_spawn(self, &busy_one, CEDE_NOTHING, &to));
    number_send(self, to, 0);
    flag_await(self, &busy.entered, 1);
    cede_ref asker = play(self, ask_long, &to);
    EXPECT_OK(cede_monitor(self, asker));
    parked_await(self, asker);
    EXPECT_OK(cede_kill(self, asker));
    EXPECT_EQUAL(down_await(self, asker), CEDE_EKILLED);
    flag_set(&busy.go, 1);
    uint64_t seen = 0;
    EXPECT_OK(ask_for(self, to, CEDE_FOREVER, &seen));
    EXPECT_EQUAL(seen, CEDE_FOREVER);
    EXPECT_EQUAL(flag_get(&busy.questions), 1);
    EXPECT_EQUAL(metrics_now(self).requests_expired, 1);
    return CEDE_OK;
}

/* ---- from elsewhere: in 32 bits ---- */

static uint64_t repacked(cede_system *system, uint64_t left_ns) {
    struct cedei_return back = {
        .peer = 1, .sequence = 1, .generation = cedei_deadline_pack(left_ns)};
    return cedei_deadline_of_request(system, back);
}

TURN_TEST(time_left_over_a_link_is_never_shortened_and_hardly_lengthened) {
    (void)context;
    cede_system *system = cede_self_system(self);
    for (int bits = 1; bits < 50; bits++) {
        uint64_t left_ns = ((uint64_t)1 << bits) - 1, before_ns = cede_now(self);
        uint64_t end_ns = repacked(system, left_ns), after_ns = cede_now(self);
        EXPECT(end_ns >= before_ns + left_ns);
        EXPECT(end_ns <= after_ns + left_ns + ((uint64_t)1 << 20));
    }
    EXPECT(repacked(system, 0) <= cede_now(self)); /* over */
    EXPECT_EQUAL(repacked(system, UINT64_MAX), UINT64_MAX);
    EXPECT_EQUAL(repacked(system, UINT64_MAX / 2), UINT64_MAX);
    EXPECT_EQUAL(cedei_deadline_of_request(system, (struct cedei_return){.peer = 1}), UINT64_MAX);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(handler_sees_until_when_its_asker_waits),
        WITH_SYSTEM(asks_inherit_the_earlier_deadline_along_a_chain),
        WITH_SYSTEM(ask_made_for_another_ends_when_that_gives_up),
        WITH_SYSTEM(ask_for_somebody_who_waits_no_longer_is_not_made),
        WITH_SYSTEM(ask_for_somebody_who_waits_for_another_is_not_made),
        WITH_SYSTEM(request_expires_in_the_mailbox),
        WITH_SYSTEM(request_expires_before_it_is_received),
        WITH_SYSTEM(request_expires_with_its_asker),
        WITH_SYSTEM(time_left_over_a_link_is_never_shortened_and_hardly_lengthened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
