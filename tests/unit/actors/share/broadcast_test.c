/* cede_broadcast: every message to every receiver in one order; who is too slow is told how many it missed. */
#include <cede/broadcast.h>

#include "tests/support/lines.h"

static cede_broadcast *broadcast;

static void broadcast_begin(cede_self *self, uint32_t capacity) {
    served_reset();
    EXPECT_OK(cede_broadcast_create(self, number, capacity, &broadcast));
}

static void broadcast_end(void) { cede_shared_unref(&broadcast); }

static cede_result say(cede_self *self, uint64_t value) {
    struct number *message = cede_new(self, number);
    EXPECT(message != NULL);
    message->value = value;
    cede_result r = cede_broadcast_send(self, broadcast, &message);
    EXPECT((message == NULL) == (r == CEDE_OK));
    cede_drop(self, &message);
    return r;
}

static CEDE_YIELDS void downs_await(cede_self *self, int count) {
    for (int i = 0; i < count; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
}

TURN_TEST(broadcast_gives_each_receiver_all_since_it_came) {
    (void)context;
    cede_broadcast_receiver *first = NULL, *second = NULL;
    const struct number *now = NULL;
    uint64_t lost = 9;
    broadcast_begin(self, 4);
    EXPECT_OK(say(self, 1)); /* nobody hears it */
    EXPECT_OK(cede_broadcast_subscribe(self, broadcast, &first));
    EXPECT_OK(say(self, 2));
    EXPECT_OK(cede_broadcast_subscribe(self, broadcast, &second));
    EXPECT_OK(say(self, 3));
    for (uint64_t i = 2; i <= 3; i++) {
        EXPECT_OK(cede_broadcast_recv(self, first, number, &now, &lost, 0));
        EXPECT(now->value == i && lost == 0);
    }
    EXPECT_OK(cede_broadcast_recv(self, second, number, &now, NULL, 0));
    EXPECT_EQUAL(now->value, 3);
    EXPECT_RESULT(cede_broadcast_recv(self, first, number, &now, &lost, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_broadcast_recv(self, first, number, &now, &lost, 1000), CEDE_ETIMEDOUT);
    EXPECT_EQUAL(now->value, 3);
    cede_shared_unref(&now);
    cede_shared_unref(&first);
    cede_shared_unref(&second);
    broadcast_end();
    return CEDE_OK;
}

TURN_TEST(broadcast_tells_a_slow_receiver_how_many_it_missed) {
    (void)context;
    cede_broadcast_receiver *receiver = NULL;
    const struct number *now = NULL;
    uint64_t lost = 0;
    broadcast_begin(self, 3);
    EXPECT_OK(cede_broadcast_subscribe(self, broadcast, &receiver));
    for (uint64_t i = 1; i <= 10; i++) EXPECT_OK(say(self, i));
    EXPECT_OK(cede_broadcast_recv(self, receiver, number, &now, &lost, 0));
    EXPECT(now->value == 8 && lost == 7);
    EXPECT_OK(say(self, 11)); /* overwrites 8, which was seen */
    EXPECT_OK(cede_broadcast_recv(self, receiver, number, &now, &lost, 0));
    EXPECT(now->value == 9 && lost == 0);
    cede_broadcast_close(broadcast);
    EXPECT_RESULT(say(self, 12), CEDE_ECLOSED);
    for (uint64_t i = 10; i <= 11; i++) {
        EXPECT_OK(cede_broadcast_recv(self, receiver, number, &now, &lost, CEDE_FOREVER));
        EXPECT(now->value == i && lost == 0);
    }
    EXPECT_RESULT(cede_broadcast_recv(self, receiver, number, &now, &lost, CEDE_FOREVER),
                  CEDE_ECLOSED);
    cede_shared_unref(&now);
    broadcast_end();
    cede_shared_unref(&receiver); /* after it: it holds what it receives from */
    return CEDE_OK;
}

/* ---- receivers that wait ---- */

struct listener {
    cede_broadcast_receiver *receiver;
    const struct number *now;
    uint64_t heard, lost;
};

static void listener_fini(void *state) {
    struct listener *listener = state;
    cede_shared_unref(&listener->receiver);
    cede_shared_unref(&listener->now);
}

static _Atomic uint32_t listeners_ready;

/* Hears all there is, in order; notes the sum of what it heard and missed. */
static CEDE_YIELDS cede_result on_listen(cede_self *self, struct listener *state,
                                         struct play *message) {
    (void)message;
    uint64_t before = 0, lost = 0;
    cede_result r = CEDE_OK;
    EXPECT_OK(cede_broadcast_subscribe(self, broadcast, &state->receiver));
    /* acq_rel: for the test. */
    atomic_fetch_add_explicit(&listeners_ready, 1, memory_order_acq_rel);
    while ((r = cede_broadcast_recv(self, state->receiver, number, &state->now, &lost,
                                    CEDE_FOREVER)) == CEDE_OK) {
        EXPECT(state->now->value > before);
        before = state->now->value;
        state->heard++;
        state->lost += lost;
    }
    if (r == CEDE_ECLOSED) served_add(state->heard + state->lost);
    return CEDE_STOP;
}
#define LISTENER(ON) ON(play, on_listen)
CEDE_BEHAVIOUR(listener, struct listener, LISTENER, .fini = listener_fini);

static cede_ref listener_start(cede_self *self) {
    cede_ref ref = play_as(self, &listener, NULL, NULL);
    EXPECT_OK(cede_monitor(self, ref));
    return ref;
}

TURN_TEST(broadcast_reaches_all_who_wait) {
    (void)context;
    enum { MANY = 20, VALUES = 500 }; /* more than are woken in one go */
    flag_set(&listeners_ready, 0);
    broadcast_begin(self, 16);
    for (int i = 0; i < MANY; i++) (void)listener_start(self);
    flag_await(self, &listeners_ready, MANY);
    for (uint64_t i = 1; i <= VALUES; i++) {
        EXPECT_OK(say(self, i));
        if (i % 8 == 0) cede_yield(self);
    }
    cede_broadcast_close(broadcast);
    downs_await(self, MANY);
    EXPECT_EQUAL(flag_get(&served_count), MANY);
    for (int i = 0; i < MANY; i++)
        EXPECT_EQUAL(served[i], VALUES); /* heard or missed: each counted */
    broadcast_end();
    return CEDE_OK;
}

/* The fixture's end sees that each message was dropped once. */
TURN_TEST(broadcast_survives_a_storm) {
    (void)context;
    enum { LISTENERS = 8, VALUES = 3000 };
    cede_ref listeners[LISTENERS];
    uint64_t random = 7;
    int started = LISTENERS;
    broadcast_begin(self, 4);
    for (int i = 0; i < LISTENERS; i++) listeners[i] = listener_start(self);
    for (uint64_t i = 1; i <= VALUES; i++) {
        EXPECT_OK(say(self, i));
        if (storm_random(&random) % 8 == 0) cede_yield(self);
        uint64_t victim = storm_random(&random) % 64;
        if (victim >= LISTENERS) continue;
        EXPECT_OK(cede_kill(self, listeners[victim]));
        listeners[victim] = listener_start(self);
        started++;
    }
    for (int i = 0; i < LISTENERS; i++) {
        if (i % 2 == 0)
            EXPECT_OK(cede_kill(self, listeners[i]));
        else
            EXPECT_OK(cede_stop(self, listeners[i]));
    }
    downs_await(self, started); /* they use what ends now */
    broadcast_end();
    return CEDE_OK;
}

TURN_TEST(broadcast_refuses_what_makes_no_sense) {
    (void)context;
    cede_broadcast *none = NULL;
    cede_broadcast_receiver *receiver = NULL;
    const struct question *now = NULL;
    struct question *other = cede_new(self, question);
    EXPECT_RESULT(cede_broadcast_create(self, number, 0, &none), CEDE_EINVAL);
    EXPECT_RESULT(cede_broadcast_create(NULL, number, 1, &none), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_broadcast_subscribe(self, NULL, &receiver), CEDE_EINVAL);
    EXPECT_RESULT(cede_broadcast_send(self, NULL, &other), CEDE_EINVAL);
    broadcast_begin(self, 1);
    EXPECT_RESULT(cede_broadcast_send(self, broadcast, &other), CEDE_ETYPE);
    EXPECT_OK(cede_broadcast_subscribe(self, broadcast, &receiver));
    EXPECT_RESULT(cede_broadcast_recv(self, receiver, question, &now, NULL, 0), CEDE_ETYPE);
    EXPECT_RESULT(cede_broadcast_recv(self, NULL, question, &now, NULL, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_broadcast_recv(NULL, receiver, question, &now, NULL, 0), CEDE_ECONTEXT);
    cede_drop(self, &other);
    cede_shared_unref(&receiver);
    broadcast_end();
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(broadcast_gives_each_receiver_all_since_it_came),
        WITH_SYSTEM(broadcast_tells_a_slow_receiver_how_many_it_missed),
        WITH_SYSTEM(broadcast_reaches_all_who_wait),
        WITH_SYSTEM(broadcast_survives_a_storm),
        WITH_SYSTEM(broadcast_refuses_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
