/* Oneshots: one message or the news that none will come, however either side ends. */
#include <cede/oneshot.h>

#include "tests/support/lines.h"

static cede_oneshot_sender *sender;
static cede_oneshot_receiver *receiver;

static void oneshot_begin(cede_self *self) {
    served_reset();
    EXPECT_OK(cede_oneshot_create(self, number, &sender, &receiver));
}

static void oneshot_end(void) {
    cede_shared_unref(&sender);
    cede_shared_unref(&receiver);
}

static cede_result shoot(cede_self *self, cede_oneshot_sender **with, uint64_t value) {
    struct number *message = cede_new(self, number);
    EXPECT(message != NULL);
    message->value = value;
    cede_result r = cede_oneshot_send(self, with, &message);
    EXPECT((message == NULL) == (r == CEDE_OK) && (*with == NULL) == (r == CEDE_OK));
    cede_drop(self, &message);
    return r;
}

static CEDE_YIELDS uint64_t receive(cede_self *self, uint64_t timeout_ns) {
    struct number *message = NULL;
    cede_result r = cede_oneshot_recv(self, receiver, number, &message, timeout_ns);
    if (r != CEDE_OK) return 1000 + (uint64_t)r;
    uint64_t value = message->value;
    cede_drop(self, &message);
    return value;
}

static cede_result receive_and_note(cede_self *self, void *context) {
    (void)context;
    served_add(receive(self, CEDE_FOREVER));
    return CEDE_STOP;
}

static CEDE_YIELDS cede_ref receiver_start(cede_self *self) {
    cede_ref actor = play(self, receive_and_note, NULL);
    EXPECT_OK(cede_monitor(self, actor));
    parked_await(self, actor);
    return actor;
}

TURN_TEST(oneshot_gives_its_message_once) {
    (void)context;
    oneshot_begin(self);
    EXPECT_EQUAL(receive(self, 0), 1000 + CEDE_ETIMEDOUT);
    EXPECT_OK(shoot(self, &sender, 4));
    EXPECT_EQUAL(receive(self, CEDE_FOREVER), 4);
    EXPECT_EQUAL(receive(self, CEDE_FOREVER), 1000 + CEDE_ECLOSED);
    oneshot_end();
    return CEDE_OK;
}

TURN_TEST(oneshot_wakes_who_waits) {
    (void)context;
    oneshot_begin(self);
    cede_ref actor = receiver_start(self);
    EXPECT_OK(shoot(self, &sender, 4));
    (void)down_await(self, actor);
    EXPECT_EQUAL(served[0], 4);
    oneshot_end();
    return CEDE_OK;
}

TURN_TEST(oneshot_is_used_once_by_all_its_senders) {
    (void)context;
    oneshot_begin(self);
    cede_oneshot_sender *second = cede_shared_ref(sender);
    cede_ref actor = receiver_start(self), other = receiver_start(self);
    EXPECT_OK(shoot(self, &sender, 4)); /* taken at once: there is room again */
    EXPECT_RESULT(shoot(self, &second, 5), CEDE_ECLOSED);
    cede_shared_unref(&second);
    for (int i = 0; i < 2; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
    (void)actor, (void)other;
    EXPECT_EQUAL(served[0] + served[1], 4 + 1000 + CEDE_ECLOSED);
    oneshot_end();
    return CEDE_OK;
}

/* ---- ends ---- */

#define COMMISSION(F)                                                                              \
    F(u32, number)                                                                                 \
    F(sync(cede_oneshot_sender), sender)
CEDE_MESSAGE(commission, COMMISSION);

static cede_result hold_a_commission(cede_self *self, void *context) {
    (void)context;
    struct commission *commission = NULL;
    struct number *never = NULL;
    EXPECT_OK(cede_recv(self, commission, &commission, CEDE_FOREVER));
    (void)cede_recv(self, number, &never, CEDE_FOREVER);
    return CEDE_STOP;
}

TURN_TEST(oneshot_receiver_learns_that_the_sender_was_killed) {
    (void)context;
    oneshot_begin(self);
    cede_ref actor = receiver_start(self), holder = play(self, hold_a_commission, NULL);
    struct commission *commission = cede_new(self, commission);
    commission->sender = sender;
    sender = NULL;
    EXPECT_OK(cede_send(self, holder, &commission));
    parked_await(self, holder);
    EXPECT_OK(cede_kill(self, holder));
    (void)down_await(self, actor);
    EXPECT_EQUAL(served[0], 1000 + CEDE_ECLOSED);
    oneshot_end();
    return CEDE_OK;
}

TURN_TEST(oneshot_sender_learns_that_the_receiver_is_gone) {
    (void)context;
    oneshot_begin(self);
    cede_shared_unref(&receiver);
    EXPECT_RESULT(shoot(self, &sender, 1), CEDE_ECLOSED);
    EXPECT(sender != NULL);
    oneshot_end();
    oneshot_begin(self);
    EXPECT_OK(shoot(self, &sender, 1)); /* and nobody takes it: a dead letter */
    oneshot_end();
    return CEDE_OK;
}

/* Given the message, and killed before it runs again: another may still take it. */
TURN_TEST(oneshot_message_of_a_receiver_killed_on_its_way_stays) {
    (void)context;
    for (int round = 0; round < 50; round++) {
        oneshot_begin(self);
        cede_ref actor = receiver_start(self);
        EXPECT_OK(shoot(self, &sender, 7));
        (void)cede_kill(self, actor); /* it may have ended */
        (void)down_await(self, actor);
        uint64_t wanted = flag_get(&served_count) == 1 ? 1000 + CEDE_ECLOSED : 7;
        EXPECT_EQUAL(receive(self, CEDE_FOREVER), wanted);
        oneshot_end();
    }
    return CEDE_OK;
}

TURN_TEST(oneshot_refuses_what_makes_no_sense) {
    (void)context;
    cede_oneshot_sender *none = NULL;
    EXPECT_RESULT(cede_oneshot_create(self, number, &none, NULL), CEDE_EINVAL);
    EXPECT_RESULT(cede_oneshot_create(NULL, number, &none, &receiver), CEDE_ECONTEXT);
    oneshot_begin(self);
    struct question *other = cede_new(self, question), *received = NULL;
    EXPECT_RESULT(cede_oneshot_send(self, &sender, &other), CEDE_ETYPE);
    EXPECT_RESULT(cede_oneshot_send(self, &none, &other), CEDE_EINVAL);
    EXPECT_RESULT(cede_oneshot_recv(self, receiver, question, &received, 0), CEDE_ETYPE);
    EXPECT_RESULT(cede_oneshot_recv(self, NULL, question, &received, 0), CEDE_EINVAL);
    cede_drop(self, &other);
    oneshot_end();
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(oneshot_gives_its_message_once),
        WITH_SYSTEM(oneshot_wakes_who_waits),
        WITH_SYSTEM(oneshot_is_used_once_by_all_its_senders),
        WITH_SYSTEM(oneshot_receiver_learns_that_the_sender_was_killed),
        WITH_SYSTEM(oneshot_sender_learns_that_the_receiver_is_gone),
        WITH_SYSTEM(oneshot_message_of_a_receiver_killed_on_its_way_stays),
        WITH_SYSTEM(oneshot_refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
