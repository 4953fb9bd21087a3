/* The calls for memory of actors/actor: what a system has one of, watches, failures, copies, inboxes, executors, signals. */
#include <signal.h>

#include <cede/executor.h>
#include <cede/failure.h>
#include <cede/inbox.h>
#include <cede/signal.h>

#include "actors/actor/signal.h"
#include "core/sys/guard.h"
#include "tests/fault/sites/sites.h"

/* ---- what a system has one of ---- */

TURN_TEST(a_part_of_the_system_is_made_by_the_next_call) {
    static const struct cede_local kind = {.size = 100};
    cede_system *system = cede_self_system(self);
    (void)context;
    EXPECT_SHORT_NULL("actors/actor/local.c", "local_make", cede_system_local(system, &kind));
    const unsigned char *part = cede_system_local(system, &kind);
    EXPECT(part != NULL && part == cede_system_local(system, &kind));
    for (size_t i = 0; i < kind.size; i++) EXPECT(part[i] == 0);
    return CEDE_OK;
}

TURN_TEST(an_actor_becomes_a_root_by_the_next_call) {
    cede_system *system = ((struct fixture *)context)->system;
    EXPECT_SHORT("actors/actor/local.c", "cede_root", cede_root(self), CEDE_ENOMEM);
    EXPECT(cede_ref_is_none(cedei_root_take(system)));
    EXPECT_OK(cede_root(self));
    EXPECT(cede_ref_equal(cedei_root_take(system), cede_self_ref(self)));
    return CEDE_OK;
}

static void an_inbox_is_opened_by_the_next_call(void **state) {
    struct fixture *fixture = *state;
    cede_inbox *inbox = NULL;
    EXPECT_SHORT("actors/actor/inbox.c", "cede_inbox_open",
                 cede_inbox_open(fixture->system, 0, &inbox), CEDE_ENOMEM);
    EXPECT(inbox == NULL);
    EXPECT_OK(cede_inbox_open(fixture->system, 0, &inbox));
    cede_inbox_close(inbox);
}

static cede_result message_run(cede_self *self, void *context) {
    (void)context;
    number_send(self, cede_self_ref(self), 1);
    EXPECT_EQUAL(number_await(self), 1);
    return CEDE_OK;
}

/* There is room for fewer actors, or for none. */
static void a_system_takes_what_memory_there_is_for_actors(void **state) {
    struct cede_options options = {.workers = 1};
    (void)state;
    site_arm("actors/actor/table.c", "cedei_table_init");
    struct fixture *fixture = fixture_begin(options);
    site_disarm();
    uint32_t fewer = fixture->system->slots_max;
    fixture_run(fixture, message_run, NULL);
    fixture_end(fixture);
    fixture = fixture_begin(options);
    EXPECT(fewer > 0 && fewer < fixture->system->slots_max);
    fixture_end(fixture);
    cede_system *system = NULL;
    cedei_alloc_fail_at("actors/actor/table.c", "cedei_table_init", 0, false);
    EXPECT_RESULT(cede_system_create(&system, &options), CEDE_ENOMEM);
    EXPECT(cedei_alloc_fail_never() > 2 && system == NULL);
}

static void a_system_goes_without_knowing_where_messages_were_made(void **state) {
    (void)state;
    if (!CEDEI_CHECKS) {
        site_absent("actors/actor/births.c", "return cedei_map_reserve");
        return;
    }
    site_arm("actors/actor/births.c", "cedei_births_create");
    struct fixture *fixture = fixture_begin((struct cede_options){.workers = 1});
    site_disarm();
    fixture_run(fixture, message_run, NULL);
    fixture_end(fixture);
}

static void an_executor_is_made_by_the_next_call(void **state) {
    static const char *const FUNCTIONS[][2] = {{"actors/actor/executor.c", "cede_executor_create"},
                                               {"core/sched/sched.c", "cpus_take"},
                                               {"core/sched/sched.c", "workers_make"},
                                               {"core/sched/sched.c", "wheels_init"}};
    struct fixture *fixture = *state;
    struct cede_executor_options options = {.workers = 1};
    cede_executor *executor = NULL;
    for (int i = 0; i < 4; i++) {
        EXPECT_SHORT(FUNCTIONS[i][0], FUNCTIONS[i][1],
                     cede_executor_create(fixture->system, &options, &executor), CEDE_ENOMEM);
        EXPECT(executor == NULL);
    }
    EXPECT_OK(cede_executor_create(fixture->system, &options, &executor));
    cede_executor_destroy(executor);
}

/* ---- ends and failures ---- */

/* Until it gets a number. */
static cede_result waits(cede_self *self, void *context) {
    (void)context;
    (void)number_await(self);
    return CEDE_STOP;
}

TURN_TEST(a_watch_is_refused_and_nothing_is_watched) {
    (void)context;
    cede_ref actor = play(self, waits, NULL), none = {0};
    struct play *first = cede_new(self, play);
    struct cede_down *down = NULL;
    EXPECT(first != NULL);
    EXPECT_SHORT("actors/actor/watch.c", "watch_make", cede_monitor(self, actor), CEDE_ENOMEM);
    EXPECT_SHORT("actors/actor/watch.c", "watch_make", cede_link(self, actor), CEDE_ENOMEM);
    EXPECT_SHORT("actors/actor/watch.c", "watch_make",
                 cede_spawn_monitored(self, &player, &first, &none), CEDE_ENOMEM);
    EXPECT(first != NULL && cede_ref_is_none(none));
    EXPECT_SHORT("actors/actor/watch.c", "watch_make",
                 cede_spawn_linked(self, &player, &first, &none), CEDE_ENOMEM);
    EXPECT(first != NULL && cede_ref_is_none(none));
    cede_drop(self, &first);
    EXPECT_OK(cede_monitor(self, actor));
    number_send(self, actor, 1);
    EXPECT_RESULT(down_await(self, actor), CEDE_OK);
    EXPECT_RESULT(cede_recv(self, cede_down, &down, 0), CEDE_ETIMEDOUT); /* one, of the one */
    return CEDE_OK;
}

static cede_result fails(cede_self *self, void *context) {
    (void)number_await(self);
    if (context != NULL) site_arm("actors/actor/watch.c", "cedei_fail");
    cede_result r = cede_fail(self, CEDE_EIO, "no space left for %s", "this");
    if (context != NULL) site_disarm();
    return r;
}

/* The reason is the same, with or without a text. */
TURN_TEST(a_failure_goes_without_a_text) {
    for (int i = 0; i < 2; i++) {
        cede_ref actor = play(self, fails, i == 0 ? context : NULL);
        struct cede_down *down = NULL;
        EXPECT_OK(cede_monitor(self, actor));
        number_send(self, actor, 1);
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        EXPECT_EQUAL(down->reason, CEDE_EIO);
        bool said = strstr(cede_str_text(&down->place), "no space left for this") != NULL;
        EXPECT(said == (i == 1));
        cede_drop(self, &down);
    }
    return CEDE_OK;
}

/* ---- messages ---- */

TURN_TEST(a_message_is_copied_by_the_next_call) {
    (void)context;
    struct note *note = cede_new(self, note), *copy = NULL;
    EXPECT(note != NULL);
    EXPECT_OK(cede_str_set(&note->text, "text"));
    EXPECT_SHORT("actors/actor/copy.c", "body_copy", cede_copy(self, note, note, &copy),
                 CEDE_ENOMEM);
    EXPECT(copy == NULL && strcmp(cede_str_text(&note->text), "text") == 0);
    EXPECT_OK(cede_copy(self, note, note, &copy));
    EXPECT(strcmp(cede_str_text(&copy->text), "text") == 0);
    cede_drop(self, &note);
    cede_drop(self, &copy);
    return CEDE_OK;
}

/* Strictness does not make a send fail: a part that cannot be moved stays where it is. */
TURN_TEST(a_part_of_a_message_stays_where_it_is) {
    (void)context;
    if (!CEDEI_GUARDS && !CEDEI_ASAN) { /* parts are moved where a late use of them is found */
        site_absent("actors/actor/msg.c", "copy = cedei_part_take(size)");
        return CEDE_OK;
    }
    static void *guards[CEDEI_GUARD_LIVE_MAX];
    size_t count = 0;
    struct note *note = cede_new(self, note);
    EXPECT(note != NULL);
    EXPECT_OK(cede_str_set(&note->text, "text"));
    while (count < CEDEI_GUARD_LIVE_MAX && (guards[count] = cedei_guard_take(1)) != NULL) count++;
    site_arm("actors/actor/msg.c", "part_move");
    EXPECT_OK(cede_send(self, cede_self_ref(self), &note));
    site_disarm();
    while (count > 0) cedei_guard_bury(guards[--count]);
    EXPECT_OK(cede_recv(self, note, &note, 0));
    EXPECT(strcmp(cede_str_text(&note->text), "text") == 0);
    cede_drop(self, &note);
    return CEDE_OK;
}

static cede_result note_run(cede_self *self, void *context) {
    struct note *note = cede_new(self, note);
    EXPECT(note != NULL);
    EXPECT_OK(cede_str_set(&note->text, "text"));
    EXPECT_EQUAL(cedei_guard_has(note->text.data), context != NULL);
    EXPECT_OK(cede_send(self, cede_self_ref(self), &note));
    EXPECT_OK(cede_recv(self, note, &note, 0));
    EXPECT(strcmp(cede_str_text(&note->text), "text") == 0);
    cede_drop(self, &note);
    return CEDE_OK;
}

/* A late use is then not noticed at once; the next system tries again. */
static void a_strict_system_goes_without_guards(void **state) {
    struct cede_options options = {.workers = 1, .strict = true};
    (void)state;
    if (!CEDEI_GUARDS) {
        site_absent("core/sys/guard.c", "*space = cedei_map_reserve");
        site_absent("core/sys/guard.c", "records = cedei_map_reserve");
        return;
    }
    for (uint64_t i = 0; i < 2; i++) { /* of its two mappings */
        cedei_alloc_fail_at("core/sys/guard.c", "cedei_guard_begin", i, true);
        struct fixture *fixture = fixture_begin(options);
        EXPECT_EQUAL(cedei_alloc_fail_never(), i + 1);
        fixture_run(fixture, note_run, NULL);
        fixture_end(fixture);
    }
    struct fixture *fixture = fixture_begin(options);
    fixture_run(fixture, note_run, fixture);
    fixture_end(fixture);
}

static int strict_setup(void **state) {
    *state = fixture_begin((struct cede_options){.workers = 1, .strict = true});
    return 0;
}

/* ---- signals ---- */

static bool is_caught(int number) {
    struct sigaction now;
    EXPECT(sigaction(number, NULL, &now) == 0);
    return (now.sa_flags & SA_SIGINFO) != 0 ||
           (now.sa_handler != SIG_DFL && now.sa_handler != SIG_IGN);
}

TURN_TEST(a_signal_is_watched_by_the_next_call) {
    (void)context;
    struct cede_signal *signal = NULL;
    EXPECT_SHORT("actors/actor/signal.c", "cede_signal_watch", cede_signal_watch(self, SIGUSR1),
                 CEDE_ENOMEM);
    EXPECT(!is_caught(SIGUSR1));
    EXPECT_OK(cede_signal_watch(self, SIGUSR1));
    EXPECT(is_caught(SIGUSR1) && kill(getpid(), SIGUSR1) == 0);
    EXPECT_OK(cede_recv(self, cede_signal, &signal, CEDE_FOREVER));
    EXPECT_EQUAL(signal->number, SIGUSR1);
    cede_drop(self, &signal);
    cede_signal_unwatch(self, SIGUSR1);
    return CEDE_OK;
}

static void on_signal(void *context, int number) { (void)context, (void)number; }

/* The program then ends at these signals as any other does. */
static void a_program_goes_without_its_signals(void **state) {
    struct fixture *fixture = *state;
    site_arm("actors/actor/signal.c", "cedei_signals_default");
    cedei_signals_default(fixture->system, on_signal, NULL);
    site_disarm();
    EXPECT(!is_caught(SIGTERM) && !is_caught(SIGINT));
    cedei_signals_default(fixture->system, on_signal, NULL);
    EXPECT(is_caught(SIGTERM) && is_caught(SIGINT));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_strict_system_goes_without_guards), /* before there are any */
        SITE_TEST(a_part_of_the_system_is_made_by_the_next_call),
        SITE_TEST(an_actor_becomes_a_root_by_the_next_call),
        SITE_TEST(an_inbox_is_opened_by_the_next_call),
        cmocka_unit_test(a_system_takes_what_memory_there_is_for_actors),
        cmocka_unit_test(a_system_goes_without_knowing_where_messages_were_made),
        SITE_TEST(an_executor_is_made_by_the_next_call),
        SITE_TEST(a_watch_is_refused_and_nothing_is_watched),
        SITE_TEST(a_failure_goes_without_a_text),
        SITE_TEST(a_message_is_copied_by_the_next_call),
        cmocka_unit_test_setup_teardown(a_part_of_a_message_stays_where_it_is, strict_setup,
                                        fixture_teardown),
        SITE_TEST(a_signal_is_watched_by_the_next_call),
        SITE_TEST(a_program_goes_without_its_signals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
