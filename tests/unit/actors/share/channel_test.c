/* Channels: each message to one receiver, in order, and none lost however senders and receivers end. */
#include <cede/channel.h>
#include <cede/inbox.h>

#include "tests/support/lines.h"

static cede_channel_sender *in;
static cede_channel_receiver *out;

static void channel_begin(cede_self *self, uint32_t capacity) {
    served_reset();
    EXPECT_OK(cede_channel_create(self, number, capacity, &in, &out));
}

static void channel_end(void) {
    cede_shared_unref(&in);
    cede_shared_unref(&out);
}

static CEDE_YIELDS cede_result put(cede_self *self, uint64_t value, uint64_t timeout_ns) {
    struct number *message = cede_new(self, number);
    EXPECT(message != NULL);
    message->value = value;
    cede_result r = cede_channel_send(self, in, &message, timeout_ns);
    EXPECT((message == NULL) == (r == CEDE_OK));
    EXPECT(message == NULL || message->value == value);
    cede_drop(self, &message);
    return r;
}

/* The value, or what went wrong plus 1000. */
static CEDE_YIELDS uint64_t get(cede_self *self, uint64_t timeout_ns) {
    struct number *message = NULL;
    cede_result r = cede_channel_recv(self, out, number, &message, timeout_ns);
    EXPECT((message == NULL) == (r != CEDE_OK));
    if (r != CEDE_OK) return 1000 + (uint64_t)r;
    uint64_t value = message->value;
    cede_drop(self, &message);
    return value;
}

static CEDE_YIELDS cede_ref parked_start(cede_self *self, cede_result (*run)(cede_self *, void *),
                                         uint64_t context) {
    cede_ref actor = play(self, run, (void *)(uintptr_t)context);
    EXPECT_OK(cede_monitor(self, actor));
    parked_await(self, actor);
    return actor;
}

static CEDE_YIELDS void downs_await(cede_self *self, int count) {
    for (int i = 0; i < count; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
}

static cede_result put_and_note(cede_self *self, void *context) {
    cede_result r = put(self, (uintptr_t)context, CEDE_FOREVER);
    served_add(r == CEDE_OK ? (uintptr_t)context : 1000 + (uint64_t)r);
    return CEDE_STOP;
}

static cede_result get_and_note(cede_self *self, void *context) {
    (void)context;
    served_add(get(self, CEDE_FOREVER));
    return CEDE_STOP;
}

TURN_TEST(channel_gives_messages_in_order_and_refuses_what_is_too_many) {
    (void)context;
    channel_begin(self, 3);
    for (uint64_t i = 1; i <= 3; i++) EXPECT_OK(put(self, i, 0));
    EXPECT_RESULT(put(self, 4, 0), CEDE_EFULL);
    EXPECT_RESULT(put(self, 4, 1000), CEDE_ETIMEDOUT);
    for (uint64_t i = 1; i <= 3; i++) EXPECT_EQUAL(get(self, CEDE_FOREVER), i);
    EXPECT_EQUAL(get(self, 0), 1000 + CEDE_ETIMEDOUT);
    EXPECT_EQUAL(get(self, 1000), 1000 + CEDE_ETIMEDOUT);
    channel_end();
    return CEDE_OK;
}

TURN_TEST(channel_senders_that_wait_are_served_in_order) {
    (void)context;
    channel_begin(self, 1);
    EXPECT_OK(put(self, 1, 0));
    for (uint64_t i = 2; i <= 5; i++) (void)parked_start(self, put_and_note, i);
    for (uint64_t i = 1; i <= 5; i++) EXPECT_EQUAL(get(self, CEDE_FOREVER), i);
    downs_await(self, 4);
    channel_end();
    return CEDE_OK;
}

TURN_TEST(channel_receivers_that_wait_get_one_each) {
    (void)context;
    channel_begin(self, 1);
    for (uint64_t i = 1; i <= 5; i++) (void)parked_start(self, get_and_note, i);
    for (uint64_t i = 1; i <= 5; i++) EXPECT_OK(put(self, i, 0)); /* more than it holds */
    downs_await(self, 5);
    uint64_t sum = 0;
    for (int i = 0; i < 5; i++) sum += served[i];
    EXPECT_EQUAL(sum, 1 + 2 + 3 + 4 + 5);
    channel_end();
    return CEDE_OK;
}

/* ---- ends ---- */

TURN_TEST(channel_of_gone_senders_is_read_to_the_end) {
    (void)context;
    channel_begin(self, 2);
    EXPECT_OK(put(self, 1, 0));
    EXPECT_OK(put(self, 2, 0));
    cede_shared_unref(&in);
    EXPECT_EQUAL(get(self, CEDE_FOREVER), 1);
    EXPECT_EQUAL(get(self, CEDE_FOREVER), 2);
    EXPECT_EQUAL(get(self, CEDE_FOREVER), 1000 + CEDE_ECLOSED);
    channel_end();
    return CEDE_OK;
}

TURN_TEST(channel_receivers_that_wait_learn_that_the_last_sender_is_gone) {
    (void)context;
    enum { MANY = 40 }; /* more than are woken in one go */
    channel_begin(self, 2);
    for (uint64_t i = 0; i < MANY; i++) (void)parked_start(self, get_and_note, i);
    cede_channel_sender *second = cede_shared_ref(in);
    cede_shared_unref(&in);
    EXPECT_EQUAL(flag_get(&served_count), 0);
    cede_shared_unref(&second);
    downs_await(self, MANY);
    for (int i = 0; i < MANY; i++) EXPECT_EQUAL(served[i], 1000 + CEDE_ECLOSED);
    channel_end();
    return CEDE_OK;
}

TURN_TEST(channel_senders_learn_that_the_last_receiver_is_gone) {
    (void)context;
    channel_begin(self, 1);
    EXPECT_OK(put(self, 1, 0)); /* becomes a dead letter */
    for (uint64_t i = 0; i < 3; i++) (void)parked_start(self, put_and_note, i);
    cede_shared_unref(&out);
    downs_await(self, 3);
    for (int i = 0; i < 3; i++) EXPECT_EQUAL(served[i], 1000 + CEDE_ECLOSED);
    EXPECT_RESULT(put(self, 2, CEDE_FOREVER), CEDE_ECLOSED);
    struct cede_metrics metrics;
    cede_system_metrics(cede_self_system(self), &metrics);
    EXPECT_EQUAL(metrics.messages_dead_lettered, 1);
    channel_end();
    return CEDE_OK;
}

TURN_TEST(channel_that_is_closed_refuses_senders_and_keeps_what_it_has) {
    (void)context;
    channel_begin(self, 1);
    EXPECT_OK(put(self, 1, 0));
    (void)parked_start(self, put_and_note, 2);
    cede_channel_close(in);
    downs_await(self, 1);
    EXPECT_EQUAL(served[0], 1000 + CEDE_ECLOSED);
    EXPECT_RESULT(put(self, 3, CEDE_FOREVER), CEDE_ECLOSED);
    EXPECT_EQUAL(get(self, 0), 1);
    EXPECT_EQUAL(get(self, 0), 1000 + CEDE_ECLOSED);
    channel_end();
    return CEDE_OK;
}

/* The ends in messages, and several of one kind in a list. */
#define TEST_ENDS(F)                                                                               \
    F(sync(cede_channel_receiver), out)                                                            \
    F(list(sync(cede_channel_sender)), in)
CEDE_MESSAGE(ends, TEST_ENDS);

static cede_result hold_the_ends(cede_self *self, void *context) {
    (void)context;
    struct ends *ends = NULL;
    struct number *never = NULL;
    EXPECT_OK(cede_recv(self, ends, &ends, CEDE_FOREVER));
    (void)cede_recv(self, number, &never, CEDE_FOREVER);
    return CEDE_STOP;
}

TURN_TEST(channel_ends_in_messages_go_with_them) {
    (void)context;
    channel_begin(self, 1);
    cede_ref holder = play(self, hold_the_ends, NULL);
    EXPECT_OK(cede_monitor(self, holder));
    struct ends *ends = cede_new(self, ends);
    *cede_list_add(&ends->in) = in;
    *cede_list_add(&ends->in) = cede_shared_ref(in);
    in = NULL;
    ends->out = cede_shared_ref(out);
    EXPECT_OK(cede_send(self, holder, &ends));
    parked_await(self, holder);
    EXPECT_EQUAL(get(self, 0), 1000 + CEDE_ETIMEDOUT);
    kill_and_await(self, holder);
    EXPECT_EQUAL(get(self, CEDE_FOREVER), 1000 + CEDE_ECLOSED);
    channel_end();
    return CEDE_OK;
}

/* ---- waits that end otherwise ---- */

TURN_TEST(channel_sender_that_is_killed_in_line_takes_its_message_along) {
    (void)context;
    channel_begin(self, 1);
    EXPECT_OK(put(self, 1, 0));
    cede_ref second = parked_start(self, put_and_note, 2);
    (void)parked_start(self, put_and_note, 3);
    kill_and_await(self, second);
    EXPECT_EQUAL(get(self, CEDE_FOREVER), 1);
    EXPECT_EQUAL(get(self, CEDE_FOREVER), 3);
    downs_await(self, 1);
    channel_end();
    return CEDE_OK;
}

/* Given a message, and killed before it runs again: the next receiver gets it, in order. */
TURN_TEST(channel_message_of_a_receiver_killed_on_its_way_is_the_next_again) {
    (void)context;
    channel_begin(self, 4);
    for (int round = 0; round < 50; round++) {
        served_reset();
        cede_ref receiver = parked_start(self, get_and_note, 0);
        for (uint64_t i = 1; i <= 3; i++) EXPECT_OK(put(self, i, 0));
        (void)cede_kill(self, receiver); /* it may have ended */
        downs_await(self, 1);
        uint64_t first = flag_get(&served_count) == 1 ? 2 : 1;
        for (uint64_t i = first; i <= 3; i++) EXPECT_EQUAL(get(self, 0), i);
    }
    channel_end();
    return CEDE_OK;
}

static cede_result get_until_stopped(cede_self *self, void *context) {
    (void)context;
    EXPECT_EQUAL(get(self, CEDE_FOREVER), 1000 + CEDE_ECANCELED);
    return CEDE_STOP;
}

TURN_TEST(channel_wait_ends_when_the_actor_is_to_stop) {
    (void)context;
    channel_begin(self, 1);
    cede_ref receiver = parked_start(self, get_until_stopped, 0);
    EXPECT_OK(cede_stop(self, receiver));
    EXPECT_RESULT(down_await(self, receiver), CEDE_OK);
    EXPECT_OK(put(self, 1, 0)); /* stays: nobody is in line */
    EXPECT_EQUAL(get(self, 0), 1);
    channel_end();
    return CEDE_OK;
}

/* A request takes the duty to reply along, to whoever receives it. */
static cede_result pass_on(cede_self *self, void *context) {
    cede_channel_sender *questions = context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    EXPECT_OK(cede_channel_send(self, questions, &request, 0));
    return CEDE_STOP;
}

static cede_result answer_one(cede_self *self, void *context) {
    cede_channel_receiver *questions = context;
    struct question *request = NULL;
    EXPECT_OK(cede_channel_recv(self, questions, question, &request, CEDE_FOREVER));
    answer_give(self, request, request->value + 1);
    cede_drop(self, &request);
    return CEDE_STOP;
}

static cede_ref passer;

static cede_result ask_and_note(cede_self *self, void *context) {
    (void)context;
    served_add(1000 + (uint64_t)question_ask(self, passer, 1, NULL));
    return CEDE_STOP;
}

TURN_TEST(channel_request_is_answered_by_whoever_receives_it) {
    (void)context;
    cede_channel_sender *questions_in = NULL;
    cede_channel_receiver *questions_out = NULL;
    served_reset();
    EXPECT_OK(cede_channel_create(self, question, 1, &questions_in, &questions_out));
    cede_ref answerer = play(self, answer_one, questions_out);
    EXPECT_OK(cede_monitor(self, answerer));
    passer = play(self, pass_on, questions_in);
    uint64_t value = 0;
    EXPECT_OK(question_ask(self, passer, 6, &value));
    EXPECT_EQUAL(value, 7);
    (void)down_await(self, answerer);
    passer = play(self, pass_on, questions_in); /* and nobody receives it */
    EXPECT_OK(cede_monitor(self, passer));
    cede_ref asker = play(self, ask_and_note, NULL);
    (void)down_await(self, passer);
    EXPECT_OK(cede_monitor(self, asker));
    cede_shared_unref(&questions_out);
    (void)down_await(self, asker);
    EXPECT_EQUAL(served[0], 1000 + CEDE_ECLOSED);
    cede_shared_unref(&questions_in);
    return CEDE_OK;
}

/* ---- storm ---- */

static _Atomic uint64_t storm_sent, storm_received;

static CEDE_YIELDS void storm_round(cede_self *self, uint64_t *random) {
    uint64_t limit_ns = storm_random(random) % 2 == 0 ? storm_random(random) % 20000 : 200000;
    if (storm_random(random) % 2 == 0) {
        uint64_t value = storm_random(random) % 1000;
        struct number *message = cede_new(self, number);
        message->value = value;
        cede_result r = cede_channel_send(self, in, &message, limit_ns);
        /* relaxed (all): read when all have ended. Whoever is killed in the call counts nothing. */
        if (r == CEDE_OK) atomic_fetch_add_explicit(&storm_sent, 1, memory_order_relaxed);
        cede_drop(self, &message);
        if (r == CEDE_ECANCELED) cede_yield(self);
        return;
    }
    struct number *message = NULL;
    cede_result r = cede_channel_recv(self, out, number, &message, limit_ns);
    if (r == CEDE_OK) atomic_fetch_add_explicit(&storm_received, 1, memory_order_relaxed);
    cede_drop(self, &message);
    if (r == CEDE_ECANCELED) cede_yield(self);
}

TURN_TEST(channel_loses_nothing_in_a_storm) {
    (void)context;
    /* relaxed (both): nobody else is there. */
    atomic_store_explicit(&storm_sent, 0, memory_order_relaxed);
    atomic_store_explicit(&storm_received, 0, memory_order_relaxed);
    channel_begin(self, 2);
    storm_run(self, (struct storm){.round = storm_round, .actors = 12, .rounds = 60, .kills = 300});
    while (get(self, 0) < 1000) atomic_fetch_add_explicit(&storm_received, 1, memory_order_relaxed);
    /* A sender that was killed after its message was taken did not count it. */
    EXPECT(storm_received >= storm_sent);
    channel_end();
    return CEDE_OK; /* that none was lost or made up is in the fixture's end */
}

/* Many to many, nobody killed: every message once. */
enum { PRODUCERS = 4, CONSUMERS = 4, EACH = 500 };
static _Atomic uint64_t sum_received;

static cede_result produce(cede_self *self, void *context) {
    uint64_t base = (uintptr_t)context * EACH;
    for (uint64_t i = 0; i < EACH; i++) EXPECT_OK(put(self, base + i, CEDE_FOREVER));
    return CEDE_STOP;
}

static cede_result consume(cede_self *self, void *context) {
    (void)context;
    struct number *message = NULL;
    while (cede_channel_recv(self, out, number, &message, CEDE_FOREVER) == CEDE_OK) {
        /* relaxed: read when all have ended. */
        atomic_fetch_add_explicit(&sum_received, message->value, memory_order_relaxed);
        cede_drop(self, &message);
    }
    return CEDE_STOP;
}

TURN_TEST(channel_carries_everything_from_many_to_many) {
    (void)context;
    /* relaxed: nobody else is there. */
    atomic_store_explicit(&sum_received, 0, memory_order_relaxed);
    channel_begin(self, 8);
    for (uint64_t i = 0; i < PRODUCERS; i++)
        EXPECT_OK(cede_monitor(self, play(self, produce, (void *)(uintptr_t)i)));
    for (int i = 0; i < CONSUMERS; i++) EXPECT_OK(cede_monitor(self, play(self, consume, NULL)));
    downs_await(self, PRODUCERS);
    cede_shared_unref(&in);
    downs_await(self, CONSUMERS);
    const uint64_t count = (uint64_t)PRODUCERS * EACH;
    EXPECT_EQUAL(sum_received, count * (count - 1) / 2);
    channel_end();
    return CEDE_OK;
}

/* ---- misuse ---- */

TURN_TEST(channel_refuses_what_makes_no_sense) {
    (void)context;
    cede_channel_sender *none = NULL;
    EXPECT_RESULT(cede_channel_create(self, number, 0, &none, &out), CEDE_EINVAL);
    EXPECT_RESULT(cede_channel_create(self, number, 1, &none, NULL), CEDE_EINVAL);
    EXPECT_RESULT(cede_channel_create(NULL, number, 1, &none, &out), CEDE_ECONTEXT);
    channel_begin(self, 1);
    struct question *other = cede_new(self, question), *received = NULL;
    EXPECT_RESULT(cede_channel_send(self, in, &other, 0), CEDE_ETYPE);
    EXPECT_RESULT(cede_channel_send(self, NULL, &other, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_channel_send(NULL, in, &other, 0), CEDE_ECONTEXT);
    EXPECT(other != NULL);
    cede_drop(self, &other);
    EXPECT_RESULT(cede_channel_recv(self, out, question, &received, 0), CEDE_ETYPE);
    EXPECT_RESULT(cede_channel_recv(self, NULL, question, &received, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_channel_recv(NULL, out, question, &received, 0), CEDE_ECONTEXT);
    channel_end();
    return CEDE_OK;
}

static void channel_serves_an_inbox_on_its_own_thread(void **state) {
    struct fixture *fixture = *state;
    cede_inbox *inbox = NULL;
    EXPECT_OK(cede_inbox_open(fixture->system, 0, &inbox));
    cede_self *self = cede_inbox_self(inbox);
    channel_begin(self, 1);
    EXPECT_OK(put(self, 1, CEDE_FOREVER));
    EXPECT_RESULT(put(self, 2, 1000), CEDE_ETIMEDOUT);
    EXPECT_EQUAL(get(self, CEDE_FOREVER), 1);
    cede_ref producer = play(self, produce, NULL);
    EXPECT_OK(cede_monitor(self, producer));
    for (uint64_t i = 0; i < EACH; i++) EXPECT_EQUAL(get(self, CEDE_FOREVER), i);
    struct cede_down *down = NULL;
    EXPECT_OK(cede_inbox_recv(inbox, cede_down, &down, CEDE_FOREVER));
    cede_drop(self, &down);
    channel_end();
    cede_inbox_close(inbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(channel_gives_messages_in_order_and_refuses_what_is_too_many),
        WITH_SYSTEM(channel_senders_that_wait_are_served_in_order),
        WITH_SYSTEM(channel_receivers_that_wait_get_one_each),
        WITH_SYSTEM(channel_of_gone_senders_is_read_to_the_end),
        WITH_SYSTEM(channel_receivers_that_wait_learn_that_the_last_sender_is_gone),
        WITH_SYSTEM(channel_senders_learn_that_the_last_receiver_is_gone),
        WITH_SYSTEM(channel_that_is_closed_refuses_senders_and_keeps_what_it_has),
        WITH_SYSTEM(channel_ends_in_messages_go_with_them),
        WITH_SYSTEM(channel_sender_that_is_killed_in_line_takes_its_message_along),
        WITH_SYSTEM(channel_message_of_a_receiver_killed_on_its_way_is_the_next_again),
        WITH_SYSTEM(channel_wait_ends_when_the_actor_is_to_stop),
        WITH_SYSTEM(channel_request_is_answered_by_whoever_receives_it),
        WITH_SYSTEM(channel_loses_nothing_in_a_storm),
        WITH_SYSTEM(channel_carries_everything_from_many_to_many),
        WITH_SYSTEM(channel_refuses_what_makes_no_sense),
        WITH_SYSTEM(channel_serves_an_inbox_on_its_own_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
