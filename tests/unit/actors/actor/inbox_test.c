/* cede_inbox: a plain thread that receives, asks, and sits in a poll loop. */
#include <poll.h>
#include <signal.h>

#include <cede/inbox.h>
#include <cede/signal.h>

#include "tests/support/actors.h"

static cede_inbox *inbox_of(struct fixture *fixture) {
    cede_inbox *inbox = NULL;
    EXPECT_OK(cede_inbox_open(fixture->system, 0, &inbox));
    return inbox;
}

static bool is_readable(cede_inbox *inbox) {
    struct pollfd watched = {.fd = cede_inbox_fd(inbox), .events = POLLIN};
    return poll(&watched, 1, 0) == 1;
}

static void readable_await(cede_inbox *inbox) {
    struct pollfd watched = {.fd = cede_inbox_fd(inbox), .events = POLLIN};
    EXPECT(poll(&watched, 1, 60000) == 1);
}

static uint64_t number_take(cede_inbox *inbox, uint64_t timeout_ns) {
    struct number *message = NULL;
    EXPECT_OK(cede_inbox_recv(inbox, number, &message, timeout_ns));
    uint64_t value = message->value;
    cede_self *self = cede_inbox_self(inbox);
    cede_drop(self, &message);
    return value;
}

/* ---- receiving ---- */

struct burst {
    cede_ref to;
    uint64_t count;
};

static cede_result burst_send(cede_self *self, void *context) {
    struct burst *burst = context;
    for (uint64_t i = 0; i < burst->count; i++) {
        number_send(self, burst->to, i);
        if (i % 7 == 0) cede_yield(self);
    }
    return CEDE_OK;
}

static void inbox_receives_in_order_what_an_actor_sends(void **state) {
    cede_inbox *inbox = inbox_of(*state);
    cede_self *self = cede_inbox_self(inbox);
    struct burst burst = {.to = cede_self_ref(self), .count = 5000};
    play(self, burst_send, &burst);
    for (uint64_t i = 0; i < burst.count; i++) EXPECT_EQUAL(number_take(inbox, CEDE_FOREVER), i);
    struct number *none = NULL;
    EXPECT_RESULT(cede_inbox_recv(inbox, number, &none, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_inbox_recv(inbox, number, &none, CEDE_MILLIS(1)), CEDE_ETIMEDOUT);
    EXPECT(none == NULL && !is_readable(inbox));
    cede_inbox_close(inbox);
}

static void inbox_leaves_other_types_in_order(void **state) {
    cede_inbox *inbox = inbox_of(*state);
    cede_self *self = cede_inbox_self(inbox);
    cede_ref me = cede_self_ref(self);
    for (uint64_t i = 0; i < 4; i++) {
        number_send(self, me, i);
        struct question *other = cede_new(self, question);
        other->value = i;
        EXPECT_OK(cede_send(self, me, &other));
    }
    for (uint64_t i = 0; i < 4; i++) {
        struct question *other = NULL;
        EXPECT_OK(cede_inbox_recv(inbox, question, &other, CEDE_FOREVER));
        EXPECT_EQUAL(other->value, i);
        cede_drop(self, &other);
    }
    struct question *none = NULL;
    EXPECT_RESULT(cede_inbox_recv(inbox, question, &none, CEDE_MILLIS(2)), CEDE_ETIMEDOUT);
    EXPECT(is_readable(inbox)); /* the numbers wait */
    for (uint64_t i = 0; i < 4; i++) EXPECT_EQUAL(number_take(inbox, 0), i);
    EXPECT(!is_readable(inbox));
    cede_inbox_close(inbox);
}

/* ---- in a poll loop ---- */

struct tally {
    uint64_t numbers, questions;
};

static cede_result on_number(cede_self *self, struct tally *tally, struct number *message) {
    (void)self;
    EXPECT_EQUAL(message->value, tally->numbers);
    tally->numbers++;
    return message->value == 999 ? CEDE_EIO : CEDE_OK; /* some code, to be seen by the loop */
}
static cede_result on_question(cede_self *self, struct tally *tally, struct question *message) {
    tally->questions++;
    answer_give(self, message, message->value + 1);
    return CEDE_OK;
}
#define TALLY(ON)                                                                                  \
    ON(number, on_number)                                                                          \
    ON(question, on_question)
CEDE_BEHAVIOUR(tally, struct tally, TALLY);

static void inbox_handles_what_a_poll_loop_is_told_of(void **state) {
    cede_inbox *inbox = inbox_of(*state);
    cede_self *self = cede_inbox_self(inbox);
    struct burst burst = {.to = cede_self_ref(self), .count = 1000};
    struct tally counted = {0};
    EXPECT(!is_readable(inbox));
    play(self, burst_send, &burst);
    cede_result r = CEDE_OK;
    while (r == CEDE_OK) {
        uint32_t handled = 0;
        readable_await(inbox);
        r = cede_inbox_handle(inbox, &tally, &counted, 10, 0, &handled);
        EXPECT(handled >= 1 && handled <= 10);
    }
    EXPECT_RESULT(r, CEDE_EIO);
    EXPECT_EQUAL(counted.numbers, 1000);
    EXPECT_RESULT(cede_inbox_handle(inbox, &tally, &counted, 1, 0, NULL), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_inbox_handle(inbox, NULL, &counted, 1, 0, NULL), CEDE_EINVAL);
    cede_inbox_close(inbox);
}

static cede_result ask_three_times(cede_self *self, void *context) {
    struct burst *burst = context;
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t value = 0;
        EXPECT_OK(question_ask(self, burst->to, i, &value));
        EXPECT_EQUAL(value, i + 1);
    }
    return CEDE_OK;
}

static void inbox_answers_asks(void **state) {
    cede_inbox *inbox = inbox_of(*state);
    cede_self *self = cede_inbox_self(inbox);
    struct burst burst = {.to = cede_self_ref(self)};
    struct tally counted = {0};
    play(self, ask_three_times, &burst);
    while (counted.questions < 3)
        EXPECT_OK(cede_inbox_handle(inbox, &tally, &counted, 1, CEDE_FOREVER, NULL));
    cede_inbox_close(inbox);
}

/* ---- asking ---- */

static cede_result answer_forever(cede_self *self, void *context) {
    (void)context;
    for (;;) { /* until the stop */
        struct question *request = NULL;
        cede_result r = cede_recv(self, question, &request, CEDE_FOREVER);
        if (r != CEDE_OK) return CEDE_OK;
        if (request->value != 13) answer_give(self, request, request->value * 2);
        if (request->value == 13)
            cede_keep(self, &request); /* never answered */
        else
            cede_drop(self, &request);
    }
}

static cede_result sync_ask(cede_inbox *inbox, cede_ref to, uint64_t value, uint64_t timeout_ns,
                            uint64_t *out) {
    cede_self *self = cede_inbox_self(inbox);
    struct question *request = cede_new(self, question);
    struct answer *reply = NULL;
    request->value = value;
    cede_result r = cede_ask_sync(inbox, to, &request, answer, &reply, timeout_ns);
    if (r == CEDE_OK) *out = reply->value;
    EXPECT((reply != NULL) == (r == CEDE_OK));
    cede_drop(self, &request);
    cede_drop(self, &reply);
    return r;
}

static void ask_sync_gets_replies_while_messages_come(void **state) {
    cede_inbox *inbox = inbox_of(*state);
    cede_self *self = cede_inbox_self(inbox);
    cede_ref server = play(self, answer_forever, NULL);
    struct burst burst = {.to = cede_self_ref(self), .count = 2000};
    play(self, burst_send, &burst);
    for (uint64_t i = 0; i < 2000; i++) {
        uint64_t value = 0;
        if (i == 13) continue;
        EXPECT_OK(sync_ask(inbox, server, i, CEDE_FOREVER, &value));
        EXPECT_EQUAL(value, 2 * i);
    }
    for (uint64_t i = 0; i < burst.count; i++) EXPECT_EQUAL(number_take(inbox, CEDE_FOREVER), i);
    cede_inbox_close(inbox);
}

static void ask_sync_gives_up_in_time_and_can_ask_again(void **state) {
    cede_inbox *inbox = inbox_of(*state);
    cede_self *self = cede_inbox_self(inbox);
    cede_ref server = play(self, answer_forever, NULL);
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t value = 0, before_ns = cede_now(self);
        EXPECT_RESULT(sync_ask(inbox, server, 13, CEDE_MILLIS(2), &value), CEDE_ETIMEDOUT);
        EXPECT(cede_now(self) - before_ns >= CEDE_MILLIS(2));
        EXPECT_OK(sync_ask(inbox, server, 4, CEDE_FOREVER, &value));
        EXPECT_EQUAL(value, 8);
    }
    cede_inbox_close(inbox);
}

static void ask_sync_of_the_dead_keeps_the_request(void **state) {
    cede_inbox *inbox = inbox_of(*state);
    cede_self *self = cede_inbox_self(inbox);
    struct question *request = cede_new(self, question);
    struct answer *reply = NULL;
    EXPECT_RESULT(cede_ask_sync(inbox, (cede_ref){0}, &request, answer, &reply, 1), CEDE_ENOACTOR);
    EXPECT(request != NULL && reply == NULL);
    EXPECT_RESULT(cede_ask_sync(inbox, cede_self_ref(self), &request, answer, &reply, 1),
                  CEDE_EDEADLK);
    cede_drop(self, &request);
    cede_inbox_close(inbox);
}

/* ---- life ---- */

static cede_result inbox_kill(cede_self *self, void *context) {
    EXPECT_OK(cede_kill(self, *(cede_ref *)context));
    return CEDE_OK;
}

static void inbox_that_is_killed_ends_its_waits(void **state) {
    cede_inbox *inbox = inbox_of(*state);
    cede_self *self = cede_inbox_self(inbox);
    cede_ref me = cede_self_ref(self), server = play(self, answer_forever, NULL);
    uint64_t value = 0;
    play(self, inbox_kill, &me);
    struct number *message = NULL;
    EXPECT_RESULT(cede_inbox_recv(inbox, number, &message, CEDE_FOREVER), CEDE_ECANCELED);
    EXPECT(is_readable(inbox)); /* so that a poll loop learns it too */
    EXPECT_RESULT(sync_ask(inbox, server, 13, CEDE_FOREVER, &value), CEDE_ECANCELED);
    cede_inbox_close(inbox);
}

static cede_result watch_and_wait(cede_self *self, void *context) {
    struct burst *burst = context;
    EXPECT_OK(cede_monitor(self, burst->to));
    number_send(self, burst->to, 1);
    EXPECT_RESULT(down_await(self, burst->to), CEDE_OK);
    EXPECT_RESULT(cede_stop(self, burst->to), CEDE_ENOACTOR);
    flag_set((_Atomic uint32_t *)&burst->count, 1);
    return CEDE_OK;
}

static void closing_an_inbox_tells_its_watchers_and_drops_what_waits(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 20; i++) {
        cede_inbox *inbox = inbox_of(fixture), *other = inbox_of(fixture);
        struct burst burst = {.to = cede_self_ref(cede_inbox_self(inbox))};
        cede_self *self = cede_inbox_self(other);
        cede_ref watcher = {0};
        struct play *first = cede_new(self, play);
        first->run = watch_and_wait;
        first->context = &burst;
        EXPECT_OK(cede_spawn_monitored(self, &player, &first, &watcher));
        EXPECT_EQUAL(number_take(inbox, CEDE_FOREVER), 1);
        number_send(self, burst.to, 2);
        cede_inbox_close(inbox);
        EXPECT_OK(cede_stop(self, watcher));
        struct cede_down *down = NULL;
        EXPECT_OK(cede_inbox_recv(other, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
        EXPECT_EQUAL(flag_get((_Atomic uint32_t *)&burst.count), 1);
        cede_inbox_close(other);
    }
    cede_inbox_close(NULL);
}

static void what_yields_is_refused_on_an_inbox(void **state) {
    cede_inbox *inbox = inbox_of(*state);
    cede_self *self = cede_inbox_self(inbox);
    struct number *message = NULL;
    EXPECT_RESULT(cede_sleep(self, 1), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_recv(self, number, &message, 1), CEDE_ECONTEXT);
    cede_yield(self);
    number_send(self, cede_self_ref(self), 5);
    EXPECT_EQUAL(number_take(inbox, 0), 5);
    cede_inbox_close(inbox);
}

static cede_result use_in_a_turn(cede_self *self, void *context) {
    cede_inbox *inbox = context, *second = NULL;
    struct number *message = NULL;
    EXPECT_RESULT(cede_inbox_recv(inbox, number, &message, 1), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_inbox_open(cede_self_system(self), 0, &second), CEDE_ECONTEXT);
    return CEDE_OK;
}

static void an_inbox_is_for_plain_threads(void **state) {
    struct fixture *fixture = *state;
    cede_inbox *inbox = inbox_of(fixture);
    fixture_run(fixture, use_in_a_turn, inbox);
    EXPECT_RESULT(cede_inbox_open(NULL, 0, &inbox), CEDE_EINVAL);
    EXPECT_RESULT(cede_inbox_open(fixture->system, 70000, &inbox), CEDE_EINVAL);
    cede_inbox_close(inbox);
}

static void an_inbox_outlives_its_system_as_an_empty_shell(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){0});
    cede_inbox *inbox = inbox_of(fixture);
    cede_self *self = cede_inbox_self(inbox);
    number_send(self, cede_self_ref(self), 1);
    struct number *mine = cede_new(self, number), *none = NULL;
    EXPECT(mine != NULL);
    fixture_stop(fixture);
    EXPECT(fixture_logged(fixture, "an inbox is still open"));
    EXPECT(cede_inbox_self(inbox) == NULL);
    EXPECT_RESULT(cede_inbox_recv(inbox, number, &none, CEDE_FOREVER), CEDE_ECLOSED);
    cede_inbox_close(inbox);
    fixture_free(fixture);
}

/* ---- signals ---- */

static void signal_becomes_a_message(void **state) {
    cede_inbox *inbox = inbox_of(*state), *other = inbox_of(*state);
    cede_self *self = cede_inbox_self(inbox);
    EXPECT_OK(cede_signal_watch(self, SIGUSR1));
    EXPECT_OK(cede_signal_watch(self, SIGUSR1)); /* the same as once */
    EXPECT_OK(cede_signal_watch(self, SIGUSR2));
    EXPECT_OK(cede_signal_watch(cede_inbox_self(other), SIGUSR1));
    for (int i = 0; i < 10; i++) {
        struct cede_signal *got = NULL;
        int number = i % 2 == 0 ? SIGUSR1 : SIGUSR2;
        EXPECT(raise(number) == 0);
        EXPECT_OK(cede_inbox_recv(inbox, cede_signal, &got, CEDE_FOREVER));
        EXPECT_EQUAL(got->number, number);
        cede_drop(self, &got);
        if (number != SIGUSR1) continue;
        EXPECT_OK(cede_inbox_recv(other, cede_signal, &got, CEDE_FOREVER));
        cede_self *second = cede_inbox_self(other);
        cede_drop(second, &got);
    }
    cede_inbox_close(inbox);
    cede_inbox_close(other);
}

static void on_usr1(int number) { (void)number; }

static void signal_has_its_old_effect_again_when_nobody_watches(void **state) {
    struct sigaction mine = {.sa_handler = on_usr1}, now;
    EXPECT(sigaction(SIGUSR1, &mine, NULL) == 0);
    cede_inbox *inbox = inbox_of(*state);
    for (int i = 0; i < 3; i++) {
        EXPECT_OK(cede_signal_watch(cede_inbox_self(inbox), SIGUSR1));
        EXPECT(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler != on_usr1);
        cede_signal_unwatch(cede_inbox_self(inbox), SIGUSR1);
        EXPECT(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == on_usr1);
    }
    EXPECT_OK(cede_signal_watch(cede_inbox_self(inbox), SIGUSR1));
    cede_inbox_close(inbox); /* the end of the watcher ends the watch */
    EXPECT(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == on_usr1);
}

static void signals_that_tell_of_faults_are_refused(void **state) {
    cede_inbox *inbox = inbox_of(*state);
    static const int refused[] = {SIGSEGV, SIGBUS, SIGABRT, SIGKILL, SIGSTOP, 0, -1, 1000};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        EXPECT_RESULT(cede_signal_watch(cede_inbox_self(inbox), refused[i]), CEDE_EINVAL);
    EXPECT_RESULT(cede_signal_watch(NULL, SIGUSR1), CEDE_ECONTEXT);
    cede_inbox_close(inbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(inbox_receives_in_order_what_an_actor_sends),
        WITH_SYSTEM(inbox_leaves_other_types_in_order),
        WITH_SYSTEM(inbox_handles_what_a_poll_loop_is_told_of),
        WITH_SYSTEM(inbox_answers_asks),
        WITH_SYSTEM(ask_sync_gets_replies_while_messages_come),
        WITH_SYSTEM(ask_sync_gives_up_in_time_and_can_ask_again),
        WITH_SYSTEM(ask_sync_of_the_dead_keeps_the_request),
        WITH_SYSTEM(inbox_that_is_killed_ends_its_waits),
        WITH_SYSTEM(closing_an_inbox_tells_its_watchers_and_drops_what_waits),
        WITH_SYSTEM(what_yields_is_refused_on_an_inbox),
        WITH_SYSTEM(an_inbox_is_for_plain_threads),
        cmocka_unit_test(an_inbox_outlives_its_system_as_an_empty_shell),
        WITH_SYSTEM(signal_becomes_a_message),
        WITH_SYSTEM(signal_has_its_old_effect_again_when_nobody_watches),
        WITH_SYSTEM(signals_that_tell_of_faults_are_refused),
    };
    return cmocka_run_group_tests_name("actors.actor.inbox", tests, NULL, NULL);
}
