/* Shutting a system down from a thread of its program: order, deadline, and what is said about those that do not end. */
#include <stdio.h>

#include <cede/failure.h>
#include <cede/io.h>

#include "tests/support/actors.h"

/* ---- roots ---- */

static _Atomic uint32_t order, places[3];

static void root_fini(void *state) {
    uint32_t *which = state;
    /* relaxed: the next one is asked after this one has ended. */
    flag_set(&places[*which], 1 + atomic_fetch_add_explicit(&order, 1, memory_order_relaxed));
}
static cede_result on_root(cede_self *self, uint32_t *which, struct number *message) {
    *which = (uint32_t)message->value;
    EXPECT_OK(cede_root(self));
    flag_set(&order, *which + 1);
    return CEDE_OK;
}
#define ROOT(ON) ON(number, on_root)
CEDE_BEHAVIOUR(root, uint32_t, ROOT, .fini = root_fini);

static CEDE_YIELDS cede_result start_roots(cede_self *self, void *context) {
    (void)context;
    flag_set(&order, 0);
    for (uint32_t i = 0; i < 3; i++) {
        struct number *first = cede_new(self, number);
        first->value = i;
        EXPECT_OK(cede_spawn(self, &root, &first, NULL));
        flag_await(self, &order, i + 1);
    }
    flag_set(&order, 0);
    return CEDE_OK;
}

static void shutdown_stops_roots_newest_first_and_then_the_others(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){0});
    fixture_run(fixture, start_roots, NULL);
    EXPECT_OK(cede_system_shutdown(fixture->system, NULL));
    for (uint32_t i = 0; i < 3; i++) EXPECT_EQUAL(flag_get(&places[i]), 3 - i);
    EXPECT_EQUAL(fixture->log_used, 0);
    fixture_free(fixture);
}

/* ---- those that do not end ---- */

static cede_result sleep_on(cede_self *self, void *context) {
    flag_set(context, 1);
    return cede_sleep(self, CEDE_SECONDS(3600));
}
static cede_result ask_on(cede_self *self, void *context) {
    cede_ref *whom = context;
    flag_set((_Atomic uint32_t *)(void *)(whom + 1), 1);
    return question_ask(self, *whom, 1, NULL);
}
static cede_result trap_on(cede_self *self, void *context) {
    cede_trap_exits(self, true);
    flag_set(context, 1);
    return CEDE_OK;
}

struct survivors {
    uint32_t count;
    char text[4096];
};

static void survivor_write(void *context, const struct cede_survivor *survivor) {
    struct survivors *survivors = context;
    size_t used = strlen(survivors->text);
    EXPECT(!cede_ref_is_none(survivor->actor) && survivor->since_ns >= CEDE_MILLIS(30));
    survivors->count++;
    (void)snprintf(survivors->text + used, sizeof survivors->text - used, "%s/%s/%s/%u/%d\n",
                   survivor->what, survivor->message != NULL ? survivor->message : "-",
                   survivor->doing, survivor->waiting, survivor->was_killed);
}

static CEDE_YIELDS cede_result start_stubborn(cede_self *self, void *context) {
    static struct {
        cede_ref whom;
        _Atomic uint32_t flag;
    } asked;
    static _Atomic uint32_t flags[2];
    (void)context;
    memset(flags, 0, sizeof flags);
    flag_set(&asked.flag, 0);
    asked.whom = play(self, sleep_on, &flags[0]);
    flag_await(self, &flags[0], 1);
    number_send(self, asked.whom, 1);
    cede_ref asker = play(self, ask_on, &asked);
    flag_await(self, &asked.flag, 1);
    parked_await(self, asker);
    parked_await(self, asked.whom);
    cede_ref trapping = play(self, trap_on, &flags[1]); /* it has no handler for cede_exit */
    flag_await(self, &flags[1], 1);
    while (cede_load(self, trapping) != 0) cede_yield(self); /* its turn is over, too */
    return CEDE_OK;
}

static struct fixture *stubborn_shutdown(uint64_t deadline_ns, struct survivors *survivors) {
    *survivors = (struct survivors){.count = 0};
    struct fixture *fixture = fixture_begin((struct cede_options){0});
    struct cede_shutdown_options options = {
        .deadline_ns = deadline_ns, .report = survivor_write, .context = survivors};
    fixture_run(fixture, start_stubborn, NULL);
    EXPECT_RESULT(cede_system_shutdown(fixture->system, &options), CEDE_EKILLED);
    EXPECT_EQUAL(survivors->count, 3);
    return fixture;
}

static void shutdown_names_those_that_do_not_end_and_kills_them(void **state) {
    (void)state;
    static struct survivors survivors;
    uint64_t deadline_ns = CEDE_MILLIS(30);
    struct fixture *fixture = stubborn_shutdown(deadline_ns, &survivors);
    /* On a busy machine the one that traps may not have had its stop by then: with more time. */
    while (strstr(survivors.text, "waits for a worker") != NULL ||
           strstr(survivors.text, "runs on worker") != NULL) {
        fixture_free(fixture);
        fixture = stubborn_shutdown(deadline_ns *= 2, &survivors);
    }
    /* The question waits there, too. */
    EXPECT(strstr(survivors.text, "player/play/sleeps, or waits with a time limit/2/0\n") != NULL);
    EXPECT(strstr(survivors.text, "player/play/waits in cede_ask for actor 'player'/0/0\n") != NULL);
    EXPECT(strstr(survivors.text, "player/-/is idle/0/0\n") != NULL);
    EXPECT(fixture_logged(fixture, "actor 'player' handling 'play' waits in cede_ask"));
    fixture_free(fixture);
}

/* ---- new work ---- */

static CEDE_YIELDS cede_result accept_on(cede_self *self, void *context) {
    struct cede_listener *listener = NULL;
    struct cede_stream *stream = NULL;
    cede_system *system = cede_self_system(self);
    EXPECT_OK(cede_tcp_listen(self, "127.0.0.1", 0, &listener));
    uint16_t port = cede_listener_port(self, listener);
    EXPECT_OK(cede_tcp_connect(self, "127.0.0.1", port, &stream, CEDE_SECONDS(30)));
    flag_set(context, 1);
    while (!cedei_is_draining(system)) cede_yield(self);
    cede_drop(self, &stream);
    struct cede_stream *accepted = NULL;
    EXPECT_RESULT(cede_accept(self, listener, &accepted, CEDE_SECONDS(30)), CEDE_ECLOSED);
    cede_drop(self, &listener);
    EXPECT_RESULT(cede_tcp_listen(self, "127.0.0.1", 0, &listener), CEDE_ECLOSED);
    flag_set(context, 2);
    return CEDE_STOP;
}

static cede_result start_acceptor(cede_self *self, void *context) {
    (void)play(self, accept_on, context);
    flag_await(self, context, 1);
    return CEDE_OK;
}

static void shutdown_takes_no_new_connections(void **state) {
    static _Atomic uint32_t flag;
    (void)state;
    flag_set(&flag, 0);
    struct fixture *fixture = fixture_begin((struct cede_options){0});
    fixture_run(fixture, start_acceptor, &flag);
    EXPECT_OK(cede_system_shutdown(fixture->system, NULL));
    EXPECT_EQUAL(flag_get(&flag), 2);
    fixture_free(fixture);
}

/* ---- where it may be called ---- */

TURN_TEST(shutdown_from_a_turn_is_refused) {
    struct fixture *fixture = context;
    EXPECT_RESULT(cede_system_shutdown(cede_self_system(self), NULL), CEDE_ECONTEXT);
    EXPECT(fixture_logged(fixture, "it would wait for itself"));
    EXPECT_RESULT(cede_system_shutdown(NULL, NULL), CEDE_EINVAL);
    return CEDE_OK;
}

static cede_result wait_for_stop(cede_self *self, void *context) {
    flag_set(context, 1);
    EXPECT_OK(cede_wait_stop(self));
    flag_set(context, 2);
    return CEDE_OK;
}

TURN_TEST(wait_stop_ends_with_a_stop) {
    static _Atomic uint32_t flag;
    (void)context;
    flag_set(&flag, 0);
    cede_ref other = play(self, wait_for_stop, &flag);
    flag_await(self, &flag, 1);
    EXPECT_OK(cede_monitor(self, other));
    EXPECT_OK(cede_stop(self, other));
    EXPECT_OK(down_await(self, other));
    EXPECT_EQUAL(flag_get(&flag), 2);
    EXPECT_RESULT(cede_wait_stop(NULL), CEDE_ECONTEXT);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shutdown_stops_roots_newest_first_and_then_the_others),
        cmocka_unit_test(shutdown_names_those_that_do_not_end_and_kills_them),
        cmocka_unit_test(shutdown_takes_no_new_connections),
        WITH_SYSTEM(shutdown_from_a_turn_is_refused),
        WITH_SYSTEM(wait_stop_ends_with_a_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
