/* Cleanups: once each, last registered first, however the turn ends; before what it owns goes; and never waiting. */
#define _GNU_SOURCE
#include <cede/defer.h>
#include <cede/inbox.h>
#include <cede/mutex.h>

#include "tests/support/actors.h"

/* What the cleanups did, in order: each writes its letter. Everything is done one after the other. */
static struct {
    _Atomic uint32_t used;
    char text[64];
} trace;

static void trace_begin(void) { flag_set(&trace.used, 0); }

static void trace_put(char letter) {
    uint32_t used = flag_get(&trace.used);
    EXPECT(used < sizeof trace.text - 1);
    trace.text[used] = letter;
    flag_set(&trace.used, used + 1);
}

static void expect_trace_at(const char *here, const char *wanted) {
    trace.text[flag_get(&trace.used)] = '\0';
    if (strcmp(trace.text, wanted) == 0) return;
    fprintf(stderr, "%s: the cleanups wrote \"%s\", not \"%s\"\n", here, trace.text, wanted);
    abort();
}
#define EXPECT_TRACE(wanted) expect_trace_at(CEDEI_HERE, wanted)

static void put(cede_self *self, void *letter) {
    (void)self;
    trace_put(*(const char *)letter);
}

/* The text lasts: it is a constant. */
#define DEFER_LETTER(self, letter) EXPECT_OK(cede_defer((self), put, (char *)(uintptr_t)(letter)))

/* As `play`, watched from its beginning: it may end at once. */
static cede_ref play_watched(cede_self *self, cede_result (*run)(cede_self *, void *),
                             void *context) {
    struct play *first = cede_new(self, play);
    EXPECT(first != NULL);
    *first = (struct play){.run = run, .context = context};
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn_monitored(self, &player, &first, &ref));
    return ref;
}

/* Waits for an actor's end and gives its reason. */
static CEDE_YIELDS cede_result run_to_the_end(cede_self *self,
                                              cede_result (*run)(cede_self *, void *),
                                              void *context) {
    return down_await(self, play_watched(self, run, context));
}

/* ---- the program that they were made for: a FILE of a handler that asks, and is killed meanwhile ---- */

static _Atomic uint32_t files_closed;

static int cookie_close(void *cookie) {
    (void)cookie;
    flag_set(&files_closed, flag_get(&files_closed) + 1);
    return 0;
}

static FILE *report_open(void) {
    return fopencookie(NULL, "w", (cookie_io_functions_t){.close = cookie_close});
}

static void report_close(cede_self *self, void *report) { (void)self, (void)fclose(report); }

static CEDE_YIELDS cede_result report_write(cede_self *self, void *context) {
    const cede_ref *source = context;
    FILE *report = report_open();
    if (report == NULL) return CEDE_EIO;
    cede_result r = cede_defer(self, report_close, report);
    if (r != CEDE_OK) return r;
    uint64_t value = 0;
    r = question_ask(self, *source, 7, &value);
    if (r != CEDE_OK) return r;
    fprintf(report, "%d\n", (int)value);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result answer_once(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    answer_give(self, request, 8);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result answer_never(cede_self *self, void *context) {
    (void)context;
    EXPECT_RESULT(cede_sleep(self, CEDE_FOREVER), CEDE_ECANCELED); /* killed */
    return CEDE_STOP;
}

TURN_TEST(file_of_a_handler_is_closed_by_every_return_and_by_a_kill_in_an_ask) {
    (void)context;
    flag_set(&files_closed, 0);
    cede_ref source = play(self, answer_once, NULL);
    EXPECT_OK(run_to_the_end(self, report_write, &source));
    EXPECT_EQUAL(flag_get(&files_closed), 1);
    source = (cede_ref){0};
    EXPECT_RESULT(run_to_the_end(self, report_write, &source), CEDE_ENOACTOR);
    EXPECT_EQUAL(flag_get(&files_closed), 2);
    source = play(self, answer_never, NULL);
    cede_ref writer = play(self, report_write, &source);
    EXPECT_OK(cede_monitor(self, writer));
    parked_await(self, writer);
    EXPECT_EQUAL(flag_get(&files_closed), 2);
    EXPECT_OK(cede_kill(self, writer));
    EXPECT_RESULT(down_await(self, writer), CEDE_EKILLED);
    EXPECT_EQUAL(flag_get(&files_closed), 3);
    return cede_kill(self, source);
}

/* ---- when, and in which order ---- */

static cede_result three_and_end(cede_self *self, void *context) {
    DEFER_LETTER(self, "1");
    DEFER_LETTER(self, "2");
    DEFER_LETTER(self, "3");
    EXPECT_TRACE("");
    return *(const cede_result *)context;
}

TURN_TEST(cleanups_run_in_reverse_order_whatever_the_handler_returns) {
    (void)context;
    static const cede_result RESULTS[] = {CEDE_STOP, CEDE_EFAILED};
    for (size_t i = 0; i < sizeof RESULTS / sizeof RESULTS[0]; i++) {
        trace_begin();
        cede_result wanted = RESULTS[i] == CEDE_STOP ? CEDE_OK : RESULTS[i];
        EXPECT_RESULT(run_to_the_end(self, three_and_end, (void *)(uintptr_t)&RESULTS[i]), wanted);
        EXPECT_TRACE("321");
    }
    return CEDE_OK;
}

static cede_result letter_a(cede_self *self, void *context) {
    (void)context;
    DEFER_LETTER(self, "a");
    return CEDE_OK;
}

static cede_result nothing_to_undo(cede_self *self, void *context) {
    (void)context;
    EXPECT_TRACE("a"); /* ran at the end of the turn before, and does not run again */
    EXPECT_RESULT(cede_defer_run(self, put, "a"), CEDE_ENOENT);
    return CEDE_STOP;
}

TURN_TEST(cleanups_belong_to_one_turn_and_not_to_the_next) {
    (void)context;
    trace_begin();
    cede_ref actor = play_watched(self, letter_a, NULL);
    play_also(self, actor, nothing_to_undo, NULL);
    EXPECT_OK(down_await(self, actor));
    EXPECT_TRACE("a");
    return CEDE_OK;
}

/* A cleanup of one that is killed may use the suspended stack, as long as the turn would have. */
static CEDE_YIELDS cede_result wait_with_locals(cede_self *self, void *context) {
    (void)context;
    char first = 'x', second = 'y';
    EXPECT_OK(cede_defer(self, put, &first));
    EXPECT_OK(cede_defer(self, put, &second));
    (void)cede_sleep(self, CEDE_FOREVER);
    EXPECT_OK(cede_defer_cancel(self, put, &first));
    return CEDE_STOP;
}

TURN_TEST(cleanups_of_a_killed_turn_may_use_its_variables) {
    (void)context;
    trace_begin();
    cede_ref actor = play_watched(self, wait_with_locals, NULL);
    parked_await(self, actor);
    EXPECT_OK(cede_kill(self, actor));
    EXPECT_RESULT(down_await(self, actor), CEDE_EKILLED);
    EXPECT_TRACE("yx");
    return CEDE_OK;
}

static cede_result run_and_cancel_early(cede_self *self, void *context) {
    (void)context;
    static const char ONE[] = "1", TWO[] = "2";
    char local = 'l';
    DEFER_LETTER(self, ONE);
    DEFER_LETTER(self, TWO);
    DEFER_LETTER(self, ONE);
    EXPECT_OK(cede_defer(self, put, &local));
    EXPECT_OK(cede_defer_run(self, put, &local));
    EXPECT_TRACE("l");
    EXPECT_OK(cede_defer_run(self, put, ONE));
    EXPECT_TRACE("l1");
    EXPECT_OK(cede_defer_cancel(self, put, ONE));
    EXPECT_RESULT(cede_defer_cancel(self, put, ONE), CEDE_ENOENT);
    EXPECT_RESULT(cede_defer_run(self, report_close, TWO), CEDE_ENOENT);
    EXPECT_TRACE("l1");
    return CEDE_STOP; /* TWO is left */
}

TURN_TEST(cleanup_can_be_run_or_taken_back_early) {
    (void)context;
    trace_begin();
    EXPECT_OK(run_to_the_end(self, run_and_cancel_early, NULL));
    EXPECT_TRACE("l12");
    return CEDE_OK;
}

static void again(cede_self *self, void *letter) {
    put(self, letter);
    DEFER_LETTER(self, "b");
}

static cede_result cleanup_with_a_cleanup(cede_self *self, void *context) {
    (void)context;
    DEFER_LETTER(self, "c");
    return cede_defer(self, again, (char *)(uintptr_t)"a");
}

TURN_TEST(cleanup_may_register_another_which_runs_next) {
    (void)context;
    trace_begin();
    cede_ref actor = play_watched(self, cleanup_with_a_cleanup, NULL);
    EXPECT_OK(cede_stop(self, actor));
    EXPECT_OK(down_await(self, actor));
    if (flag_get(&trace.used) != 0)
        EXPECT_TRACE("abc"); /* stopped before its first turn, or after */
    return CEDE_OK;
}

/* ---- before what they use goes ---- */

struct keeper {
    struct note *kept;
    char letter;
};

static void keeper_fini(void *state) {
    struct keeper *keeper = state;
    trace_put(keeper->letter);
}

static void read_note(cede_self *self, void *argument) {
    (void)self;
    const struct note *note = argument;
    trace_put(cede_str_text(&note->text)[0]);
}

static void read_state(cede_self *self, void *argument) {
    (void)self;
    struct keeper *keeper = argument;
    trace_put(cede_str_text(&keeper->kept->text)[0]);
    keeper->letter = 'f';
}

static CEDE_YIELDS cede_result on_keeper_note(cede_self *self, struct keeper *state,
                                              struct note *message) {
    struct note *made = cede_new(self, note);
    if (made == NULL) return CEDE_ENOMEM;
    EXPECT_OK(cede_str_set(&made->text, "n"));
    EXPECT_OK(cede_defer(self, read_note, made));
    EXPECT_OK(cede_defer(self, read_note, message));
    uint64_t value = message->value;
    state->kept = cede_new(self, note);
    if (state->kept == NULL) return CEDE_ENOMEM;
    EXPECT_OK(cede_str_set(&state->kept->text, "k"));
    state->kept = cede_keep(self, &state->kept);
    EXPECT_OK(cede_defer(self, read_state, state));
    if (value != 0) (void)cede_sleep(self, CEDE_FOREVER);
    return CEDE_STOP;
}
#define KEEPER(ON) ON(note, on_keeper_note)
CEDE_BEHAVIOUR(keeper, struct keeper, KEEPER, .fini = keeper_fini);

TURN_TEST(cleanups_run_before_messages_are_dropped_and_before_fini) {
    (void)context;
    for (uint64_t waits = 0; waits < 2; waits++) {
        trace_begin();
        struct note *first = cede_new(self, note);
        EXPECT(first != NULL);
        EXPECT_OK(cede_str_set(&first->text, "m"));
        first->value = waits;
        cede_ref actor = {0};
        EXPECT_OK(cede_spawn_monitored(self, &keeper, &first, &actor));
        if (waits != 0) {
            parked_await(self, actor);
            EXPECT_OK(cede_kill(self, actor));
        }
        EXPECT_RESULT(down_await(self, actor), waits != 0 ? CEDE_EKILLED : CEDE_OK);
        EXPECT_TRACE("kmnf");
    }
    return CEDE_OK;
}

/* ---- what they may and may not do ---- */

static cede_ref informed;

static void give_back(cede_self *self, void *argument) {
    (void)argument;
    number_send(self, informed, 42);
}

static CEDE_YIELDS cede_result reserve_and_wait(cede_self *self, void *context) {
    (void)context;
    EXPECT_OK(cede_defer(self, give_back, NULL));
    (void)cede_sleep(self, CEDE_FOREVER);
    return CEDE_STOP;
}

TURN_TEST(cleanup_of_a_killed_actor_may_send) {
    (void)context;
    informed = cede_self_ref(self);
    cede_ref actor = play(self, reserve_and_wait, NULL);
    parked_await(self, actor);
    EXPECT_OK(cede_kill(self, actor));
    EXPECT_EQUAL(number_await(self), 42);
    return CEDE_OK;
}

static void refuse_request(cede_self *self, void *argument) {
    struct question *request = argument;
    answer_give(self, request, 13);
}

static CEDE_YIELDS cede_result fail_a_request(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    EXPECT_OK(cede_defer(self, refuse_request, request));
    return CEDE_EFAILED;
}

TURN_TEST(cleanup_may_reply_to_what_the_turn_received) {
    (void)context;
    uint64_t value = 0;
    EXPECT_OK(question_ask(self, play(self, fail_a_request, NULL), 1, &value));
    EXPECT_EQUAL(value, 13);
    return CEDE_OK;
}

static cede_result nap(void *message) {
    (void)message;
    return CEDE_OK;
}

static cede_ref idle, full;

/* It has a colour that says otherwise; that it does not wait all the same is what is tested. */
static void wait_anyhow(cede_self *self, void *argument) {
    (void)argument;
    struct number *message = cede_new(self, number), *got = NULL;
    struct answer *reply = NULL;
    EXPECT(message != NULL);
    // cede: allow(yields-missing) a cleanup that does what it must not
    cede_yield(self);
    // cede: allow(yields-missing) as above
    EXPECT_RESULT(cede_sleep(self, CEDE_FOREVER), CEDE_ECONTEXT);
    // cede: allow(yields-missing) as above
    EXPECT_RESULT(cede_recv(self, number, &got, CEDE_FOREVER), CEDE_ECONTEXT);
    // cede: allow(yields-missing) as above
    EXPECT_RESULT(cede_run_blocking(self, nap, &message), CEDE_ECONTEXT);
    // cede: allow(yields-missing) as above
    EXPECT_RESULT(cede_send_wait(self, full, &message, CEDE_FOREVER), CEDE_ECONTEXT);
    EXPECT(message != NULL);
    // cede: allow(yields-missing) as above
    EXPECT_RESULT(cede_ask(self, idle, &message, answer, &reply, CEDE_FOREVER), CEDE_ECONTEXT);
    cede_drop(self, &message);
    trace_put('w');
}

static CEDE_YIELDS cede_result wait_in_a_cleanup(cede_self *self, void *context) {
    EXPECT_OK(cede_defer(self, wait_anyhow, NULL));
    if (context != NULL) {
        (void)cede_sleep(self, CEDE_FOREVER);
        return CEDE_STOP;
    }
    EXPECT_OK(cede_defer_run(self, wait_anyhow, NULL));
    EXPECT_OK(cede_defer(self, wait_anyhow, NULL));
    EXPECT_OK(cede_sleep(self, 1)); /* outside it may */
    return CEDE_STOP;
}

TURN_TEST(cleanup_that_would_wait_gets_a_code_and_a_line_in_the_log) {
    struct fixture *fixture = context;
    idle = play(self, answer_never, NULL);
    full = play_as(self, &player_of_one, answer_never, NULL);
    parked_await(self, full);
    struct number *filling = NULL;
    do {
        filling = cede_new(self, number);
    } while (cede_send(self, full, &filling) == CEDE_OK);
    cede_drop(self, &filling);
    trace_begin();
    EXPECT_OK(run_to_the_end(self, wait_in_a_cleanup, NULL));
    EXPECT_TRACE("ww");
    EXPECT(fixture_logged(fixture,
                          "a cleanup (cede_defer) of actor 'player' handling 'play' calls what "
                          "would yield"));
    cede_ref killed = play_watched(self, wait_in_a_cleanup, fixture);
    parked_await(self, killed);
    EXPECT_OK(cede_kill(self, killed));
    EXPECT_RESULT(down_await(self, killed), CEDE_EKILLED);
    EXPECT_TRACE("www");
    EXPECT_OK(cede_kill(self, full));
    return cede_kill(self, idle);
}

static cede_mutex guard;

static cede_result end_now(cede_self *self, void *context) {
    (void)self, (void)context;
    return CEDE_STOP;
}

static void guard_unlock(cede_self *self, void *mutex) {
    (void)self;
    cede_mutex_unlock(mutex);
}

static cede_result lock_for_the_turn(cede_self *self, void *context) {
    (void)context;
    cede_mutex_lock(&guard);
    return cede_defer(self, guard_unlock, &guard);
}

TURN_TEST(cleanup_may_unlock_what_the_turn_has_locked) {
    (void)context;
    EXPECT_OK(cede_mutex_init(&guard));
    cede_ref actor = play_watched(self, lock_for_the_turn, NULL);
    play_also(self, actor, lock_for_the_turn, NULL);
    play_also(self, actor, end_now, NULL);
    EXPECT_OK(down_await(self, actor));
    cede_mutex_fini(&guard);
    return CEDE_OK;
}

/* ---- arguments that are gone, no self, no system ---- */

static cede_result leave_a_variable_behind(cede_self *self, void *context) {
    (void)context;
    char gone = 'g';
    return cede_defer(self, put, &gone);
}

static void variable_in_system(void *context) {
    (void)context;
    struct fixture *fixture = fixture_begin((struct cede_options){0});
    trace_begin();
    EXPECT_OK(cede_block_on(fixture->system, leave_a_variable_behind, NULL));
    EXPECT_TRACE("");
    EXPECT(fixture_logged(fixture, "the argument is a variable of a function that has returned"));
    EXPECT(fixture_logged(fixture, "defer_test.c:"));
    fixture_end(fixture);
}

static void argument_that_is_gone_is_named_and_not_used(void **state) {
    (void)state;
    if (CEDEI_TSAN || CEDEI_ASAN) skip(); /* no forks; variables that are not on the stack */
    if (CEDEI_CHECKS)
        EXPECT_CHILD_ABORTS(variable_in_system, NULL,
                            "the argument is a variable of a function that has returned");
    else
        variable_in_system(NULL);
}

TURN_TEST(defer_without_a_self_or_a_function_says_so) {
    (void)context;
    trace_begin();
    EXPECT_RESULT(cede_defer(NULL, put, (char *)(uintptr_t)"n"), CEDE_ECONTEXT);
    EXPECT_TRACE("n"); /* undone at once */
    EXPECT_RESULT(cede_defer_run(NULL, put, "n"), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_defer_cancel(NULL, put, "n"), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_defer(self, (cede_cleanup_fn *)NULL, NULL), CEDE_EINVAL);
    return CEDE_OK;
}

static void put_without_a_self(cede_self *self, void *letter) {
    EXPECT(self == NULL);
    EXPECT_RESULT(cede_stop(self, cede_self_ref(self)), CEDE_ECONTEXT);
    put(self, letter);
}

static CEDE_YIELDS cede_result wait_for_the_system(cede_self *self, void *context) {
    EXPECT_OK(cede_defer(self, put_without_a_self, (char *)(uintptr_t)"s"));
    flag_set(context, 1);
    (void)cede_sleep(self, CEDE_FOREVER);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result leave_one_waiting(cede_self *self, void *context) {
    cede_ref actor = play(self, wait_for_the_system, context);
    flag_await(self, context, 1);
    parked_await(self, actor);
    return CEDE_OK;
}

static void cleanups_run_when_the_system_ends(void **state) {
    (void)state;
    static _Atomic uint32_t waiting;
    struct fixture *fixture = fixture_begin((struct cede_options){0});
    trace_begin();
    flag_set(&waiting, 0);
    fixture_run(fixture, leave_one_waiting, &waiting);
    EXPECT_TRACE("");
    fixture_stop(fixture);
    EXPECT_TRACE("s");
    fixture_free(fixture);
}

/* What a function for cede_block_on leaves to cleanups is done when cede_block_on returns. */
static cede_result block_with_a_letter(cede_self *self, void *context) {
    EXPECT_OK(cede_defer(self, put, context));
    return CEDE_OK;
}

static void cleanups_have_run_when_block_on_returns(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 20; i++) {
        char letter = 'o';
        trace_begin();
        EXPECT_OK(cede_block_on(fixture->system, block_with_a_letter, &letter));
        EXPECT_TRACE("o");
    }
}

/* ---- inboxes ---- */

static cede_result on_inbox_number(cede_self *self, struct player *state, struct number *message) {
    (void)state;
    EXPECT_RESULT(cede_defer_run(self, put, "z"), CEDE_ENOENT); /* not of this handler */
    EXPECT_OK(cede_defer(self, put, (char *)(uintptr_t)"h"));
    return message->value == 1 ? CEDE_OK : CEDE_EINVAL;
}
#define COUNTER(ON) ON(number, on_inbox_number)
CEDE_BEHAVIOUR(counter, struct player, COUNTER);

static void inbox_runs_cleanups_after_a_handler_and_at_its_end(void **state) {
    struct fixture *fixture = *state;
    cede_inbox *inbox = NULL;
    struct player player_state = {0};
    trace_begin();
    EXPECT_OK(cede_inbox_open(fixture->system, 0, &inbox));
    cede_self *self = cede_inbox_self(inbox);
    DEFER_LETTER(self, "z");
    number_send(self, cede_self_ref(self), 1);
    EXPECT_OK(cede_inbox_handle(inbox, &counter, &player_state, 1, CEDE_FOREVER, NULL));
    EXPECT_TRACE("h");
    cede_inbox_close(inbox);
    EXPECT_TRACE("hz");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(file_of_a_handler_is_closed_by_every_return_and_by_a_kill_in_an_ask),
        WITH_SYSTEM(cleanups_run_in_reverse_order_whatever_the_handler_returns),
        WITH_SYSTEM(cleanups_belong_to_one_turn_and_not_to_the_next),
        WITH_SYSTEM(cleanups_of_a_killed_turn_may_use_its_variables),
        WITH_SYSTEM(cleanup_can_be_run_or_taken_back_early),
        WITH_SYSTEM(cleanup_may_register_another_which_runs_next),
        WITH_SYSTEM(cleanups_run_before_messages_are_dropped_and_before_fini),
        WITH_SYSTEM(cleanup_of_a_killed_actor_may_send),
        WITH_SYSTEM(cleanup_may_reply_to_what_the_turn_received),
        WITH_SYSTEM(cleanup_that_would_wait_gets_a_code_and_a_line_in_the_log),
        WITH_SYSTEM(cleanup_may_unlock_what_the_turn_has_locked),
        cmocka_unit_test(argument_that_is_gone_is_named_and_not_used),
        WITH_SYSTEM(defer_without_a_self_or_a_function_says_so),
        cmocka_unit_test(cleanups_run_when_the_system_ends),
        WITH_SYSTEM(cleanups_have_run_when_block_on_returns),
        WITH_SYSTEM(inbox_runs_cleanups_after_a_handler_and_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
