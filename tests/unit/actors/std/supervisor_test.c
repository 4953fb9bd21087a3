/* Supervisors: who is started again, in which order, how often; and that nobody is left behind. */
#include "tests/support/actors.h"

#include <stdio.h>

#include <cede/failure.h>
#include <cede/registry.h>
#include <cede/supervisor.h>

/* ---- children that write down when they start and end ---- */

static pthread_mutex_t diary_lock = PTHREAD_MUTEX_INITIALIZER;
static char diary[4096]; /* under diary_lock: "+a" for each start, "-a" for each end */

static void diary_write(char sign, char who) {
    pthread_mutex_lock(&diary_lock);
    size_t used = strlen(diary);
    if (used + 3 < sizeof diary) diary[used] = sign, diary[used + 1] = who, diary[used + 2] = '\0';
    pthread_mutex_unlock(&diary_lock);
}

static void diary_clear(void) {
    pthread_mutex_lock(&diary_lock);
    diary[0] = '\0';
    pthread_mutex_unlock(&diary_lock);
}

static void diary_is(const char *expected) {
    pthread_mutex_lock(&diary_lock);
    bool same = strcmp(diary, expected) == 0;
    if (!same) print_error("the diary: %s, expected: %s\n", diary, expected);
    pthread_mutex_unlock(&diary_lock);
    EXPECT(same);
}

#define BORN(F)                                                                                    \
    F(u8, who)                                                                                     \
    F(bool, dies)                                                                                  \
    F(bool, stubborn)
CEDE_MESSAGE(born, BORN);

struct child {
    uint64_t handled;
    char who;
    bool stubborn;
};
static _Atomic uint32_t handled_before_the_end, births;

static void child_fini(void *state) {
    struct child *child = state;
    flag_set(&handled_before_the_end, (uint32_t)child->handled);
    if (child->who != 0) diary_write('-', child->who);
}

static cede_result on_born(cede_self *self, struct child *child, struct born *born) {
    child->who = (char)born->who;
    child->stubborn = born->stubborn;
    /* acq_rel: counted for the test. */
    atomic_fetch_add_explicit(&births, 1, memory_order_acq_rel);
    if (born->stubborn) cede_trap_exits(self, true);
    return born->dies ? CEDE_EPROTO : CEDE_OK;
}
static cede_result on_word(cede_self *self, struct child *child, struct number *word) {
    (void)self;
    child->handled++;
    return (cede_result)word->value;
}
static cede_result on_ask(cede_self *self, struct child *child, struct question *request) {
    answer_give(self, request, (uint64_t)child->who);
    return CEDE_OK;
}
static cede_result on_trapped(cede_self *self, struct child *child, struct cede_exit *news) {
    (void)self, (void)news;
    return child->stubborn ? CEDE_OK : CEDE_STOP;
}
static CEDE_YIELDS cede_result on_task(cede_self *self, struct child *child, struct play *task) {
    (void)child;
    return task->run(self, task->context);
}
#define CHILD(ON)                                                                                  \
    ON(born, on_born)                                                                              \
    ON(number, on_word)                                                                            \
    ON(question, on_ask)                                                                           \
    ON(play, on_task)                                                                              \
    ON(cede_exit, on_trapped)
CEDE_BEHAVIOUR(child, struct child, CHILD, .fini = child_fini);

static _Atomic uint32_t starts_that_fail; /* the next starts of 'f' */

static cede_result spawn_child(cede_self *self, char who, bool dies, bool stubborn, cede_ref *out) {
    struct born *born = cede_new(self, born);
    if (born == NULL) return CEDE_ENOMEM;
    born->who = (uint8_t)who;
    born->dies = dies;
    born->stubborn = stubborn;
    cede_result r = cede_spawn_linked(self, &child, &born, out);
    cede_drop(self, &born);
    return r;
}

/* Waits until the child is ready: one that is stopped before never wrote that it was there. */
static CEDE_YIELDS cede_result start(cede_self *self, const void *argument, cede_ref *out) {
    char who = *(const char *)argument;
    if (who == 'f' && flag_get(&starts_that_fail) > 0) {
        flag_set(&starts_that_fail, flag_get(&starts_that_fail) - 1);
        return CEDE_EIO;
    }
    diary_write('+', who);
    cede_result r = spawn_child(self, who, who == 'd', who == 's', out);
    if (r == CEDE_OK && who != 'd') r = question_ask(self, *out, 0, NULL);
    return r;
}

static CEDE_YIELDS cede_ref child_of(cede_self *self, cede_ref supervisor, const char *id) {
    cede_ref ref = {0};
    EXPECT_OK(cede_supervisor_child(self, supervisor, id, CEDE_SECONDS(30), &ref));
    EXPECT(cede_is_alive(self, ref));
    return ref;
}

/* Until the child has another ref than `former`, or is not there (none). */
static CEDE_YIELDS cede_ref child_await(cede_self *self, cede_ref supervisor, const char *id,
                                        cede_ref former) {
    for (;;) { /* until the supervisor knows */
        cede_ref ref = {0};
        cede_result r = cede_supervisor_child(self, supervisor, id, CEDE_SECONDS(30), &ref);
        if (r == CEDE_ENOENT) return (cede_ref){0};
        EXPECT_OK(r);
        if (!cede_ref_equal(ref, former)) return ref;
    }
}

static CEDE_YIELDS void ended_await(cede_self *self, cede_ref actor) {
    while (cede_is_alive(self, actor)) cede_yield(self);
}

static CEDE_YIELDS cede_ref supervisor_of(cede_self *self, const struct cede_supervisor *spec) {
    cede_ref ref = {0};
    diary_clear();
    cede_trap_exits(self, true);
    EXPECT_OK(cede_supervisor_start(self, spec, CEDE_SECONDS(30), &ref));
    return ref;
}

static CEDE_YIELDS cede_result exit_of(cede_self *self, cede_ref actor) {
    struct cede_exit *news = NULL;
    EXPECT_OK(cede_recv(self, cede_exit, &news, CEDE_FOREVER));
    EXPECT(cede_ref_equal(news->actor, actor));
    cede_result reason = (cede_result)news->reason;
    cede_drop(self, &news);
    return reason;
}

static CEDE_YIELDS void supervisor_stop(cede_self *self, cede_ref supervisor) {
    EXPECT_OK(cede_stop(self, supervisor));
    EXPECT_RESULT(exit_of(self, supervisor), CEDE_OK);
}

/* ---- strategies ---- */

static const struct cede_child ABC[] = {
    {.id = "a", .start = start, .argument = "a"},
    {.id = "b", .start = start, .argument = "b"},
    {.id = "c", .start = start, .argument = "c"},
};

TURN_TEST(supervisor_starts_in_order_and_ends_in_reverse_order) {
    (void)context;
    static const struct cede_supervisor SPEC = {CEDE_CHILDREN(ABC)};
    cede_ref supervisor = supervisor_of(self, &SPEC);
    diary_is("+a+b+c");
    struct cede_supervisor_status status;
    EXPECT_OK(cede_supervisor_ask(self, supervisor, CEDE_FOREVER, &status));
    EXPECT(status.children == 3 && status.running == 3 && status.waiting == 0 &&
           status.restarts == 0);
    cede_ref nobody = {0};
    EXPECT_RESULT(cede_supervisor_child(self, supervisor, "x", CEDE_FOREVER, &nobody), CEDE_ENOENT);
    supervisor_stop(self, supervisor);
    diary_is("+a+b+c-c-b-a");
    return CEDE_OK;
}

/* What is left in the diary after `b` has failed under this strategy. */
static CEDE_YIELDS void fail_in_the_middle(cede_self *self, const struct cede_supervisor *spec,
                                           const char *expected, const char *same) {
    cede_ref supervisor = supervisor_of(self, spec), before[3], after[3];
    const char *ids[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) before[i] = child_of(self, supervisor, ids[i]);
    diary_clear();
    number_send(self, before[1], CEDE_EIO);
    after[1] = child_await(self, supervisor, "b", before[1]);
    for (int i = 0; i < 3; i++) after[i] = child_of(self, supervisor, ids[i]);
    diary_is(expected);
    for (int i = 0; i < 3; i++)
        EXPECT(cede_ref_equal(before[i], after[i]) == (strchr(same, *ids[i]) != NULL));
    uint64_t who = 0;
    EXPECT_OK(question_ask(self, after[1], 0, &who));
    EXPECT_EQUAL(who, 'b'); /* its first message was made anew */
    supervisor_stop(self, supervisor);
}

TURN_TEST(strategies_restart_one_or_all_or_the_rest_in_order) {
    (void)context;
    static const struct cede_supervisor ONE = {.strategy = CEDE_ONE_FOR_ONE, CEDE_CHILDREN(ABC)};
    static const struct cede_supervisor ALL = {.strategy = CEDE_ONE_FOR_ALL, CEDE_CHILDREN(ABC)};
    static const struct cede_supervisor REST = {.strategy = CEDE_REST_FOR_ONE, CEDE_CHILDREN(ABC)};
    fail_in_the_middle(self, &ONE, "-b+b", "ac");
    fail_in_the_middle(self, &ALL, "-b-c-a+a+b+c", "");
    fail_in_the_middle(self, &REST, "-b-c+b+c", "a");
    return CEDE_OK;
}

TURN_TEST(kinds_of_restart_depend_on_how_a_child_has_ended) {
    (void)context;
    static const struct cede_child KINDS[] = {
        {.id = "p", .start = start, .argument = "p"},
        {.id = "t", .start = start, .argument = "t", .restart = CEDE_TRANSIENT},
        {.id = "u", .start = start, .argument = "u", .restart = CEDE_TRANSIENT},
        {.id = "v", .start = start, .argument = "v", .restart = CEDE_TEMPORARY},
    };
    static const struct cede_supervisor SPEC = {CEDE_CHILDREN(KINDS), .restarts_max = 10};
    cede_ref supervisor = supervisor_of(self, &SPEC);
    cede_ref p = child_of(self, supervisor, "p"), t = child_of(self, supervisor, "t");
    cede_ref u = child_of(self, supervisor, "u"), v = child_of(self, supervisor, "v");
    number_send(self, p, CEDE_STOP);
    EXPECT(!cede_ref_is_none(child_await(self, supervisor, "p", p)));
    EXPECT_OK(cede_kill(self, t));
    EXPECT(!cede_ref_is_none(child_await(self, supervisor, "t", t)));
    number_send(self, u, CEDE_STOP);
    EXPECT(cede_ref_is_none(child_await(self, supervisor, "u", u)));
    number_send(self, v, CEDE_EIO);
    EXPECT(cede_ref_is_none(child_await(self, supervisor, "v", v)));
    struct cede_supervisor_status status;
    EXPECT_OK(cede_supervisor_ask(self, supervisor, CEDE_FOREVER, &status));
    EXPECT(status.children == 4 && status.running == 2 && status.restarts == 2);
    supervisor_stop(self, supervisor);
    return CEDE_OK;
}

/* ---- giving up ---- */

TURN_TEST(supervisor_gives_up_after_too_many_restarts_and_ends_its_children) {
    struct fixture *fixture = context;
    static const struct cede_supervisor SPEC = {CEDE_CHILDREN(ABC), .restarts_max = 2,
                                                .period_ns = CEDE_SECONDS(3600)};
    cede_ref supervisor = supervisor_of(self, &SPEC), b = {0};
    for (int i = 0; i < 3; i++) {
        b = child_await(self, supervisor, "b", b);
        number_send(self, b, CEDE_EIO);
    }
    struct cede_exit *news = NULL;
    EXPECT_OK(cede_recv(self, cede_exit, &news, CEDE_FOREVER));
    EXPECT(cede_ref_equal(news->actor, supervisor));
    EXPECT_RESULT((cede_result)news->reason, CEDE_ELIMIT);
    EXPECT(strstr(cede_str_text(&news->place),
                  "more than 2 restarts within 3600000 ms, the last of 'b' (CEDE_EIO)") != NULL);
    cede_drop(self, &news);
    diary_is("+a+b+c-b+b-b+b-b-c-a");
    EXPECT(fixture_logged(fixture, "supervisor: gives up"));
    return CEDE_OK;
}

TURN_TEST(supervisor_that_gives_up_is_a_child_that_has_failed) {
    (void)context;
    static const struct cede_child B[] = {{.id = "b", .start = start, .argument = "b"}};
    static const struct cede_supervisor INNER = {CEDE_CHILDREN(B), .restarts_max = 1,
                                                 .period_ns = CEDE_SECONDS(3600)};
    static const struct cede_child TREE[] = {
        {.id = "a", .start = start, .argument = "a"},
        {.id = "inner", .supervisor = &INNER},
        {.id = "c", .start = start, .argument = "c"},
    };
    static const struct cede_supervisor OUTER = {.strategy = CEDE_REST_FOR_ONE,
                                                 CEDE_CHILDREN(TREE),
                                                 .restarts_max = 1,
                                                 .period_ns = CEDE_SECONDS(3600)};
    cede_ref outer = supervisor_of(self, &OUTER), inner = {0};
    diary_is("+a+b+c"); /* in order, also through the inner one */
    for (int i = 0; i < 2; i++) {
        inner = child_await(self, outer, "inner", inner);
        cede_ref b = child_of(self, inner, "b");
        number_send(self, b, CEDE_EIO);
        b = child_await(self, inner, "b", b);
        number_send(self, b, CEDE_EIO);
    }
    EXPECT_RESULT(exit_of(self, outer), CEDE_ELIMIT);
    diary_is("+a+b+c-b+b-b-c+b+c-b+b-b-c-a");
    return CEDE_OK;
}

/* ---- starts that fail ---- */

TURN_TEST(first_start_that_fails_ends_what_was_started_and_says_why) {
    struct fixture *fixture = context;
    static const struct cede_child FAILING[] = {
        {.id = "a", .start = start, .argument = "a"},
        {.id = "b", .start = start, .argument = "b"},
        {.id = "f", .start = start, .argument = "f"},
        {.id = "c", .start = start, .argument = "c"},
    };
    static const struct cede_supervisor SPEC = {CEDE_CHILDREN(FAILING)};
    static const struct cede_child OUTER[] = {{.id = "inner", .supervisor = &SPEC}};
    static const struct cede_supervisor TREE = {CEDE_CHILDREN(OUTER)};
    cede_ref ref = {0};
    diary_clear();
    flag_set(&starts_that_fail, 2);
    EXPECT_RESULT(cede_supervisor_start(self, &SPEC, CEDE_FOREVER, &ref), CEDE_EIO);
    EXPECT(cede_ref_is_none(ref));
    diary_is("+a+b-b-a");
    EXPECT(fixture_logged(fixture, "child 'f' cannot be started: CEDE_EIO"));
    EXPECT_RESULT(cede_supervisor_start(self, &TREE, CEDE_FOREVER, &ref), CEDE_EIO);
    diary_is("+a+b-b-a+a+b-b-a"); /* and we, who are linked with it, live on */
    return CEDE_OK;
}

TURN_TEST(restart_that_fails_is_tried_again_and_counts) {
    (void)context;
    static const struct cede_child F[] = {{.id = "f", .start = start, .argument = "f"}};
    static const struct cede_supervisor SPEC = {
        CEDE_CHILDREN(F),
        .restarts_max = 4,
        .period_ns = CEDE_SECONDS(3600)
    };
    flag_set(&starts_that_fail, 0);
    cede_ref supervisor = supervisor_of(self, &SPEC), f = child_of(self, supervisor, "f");
    flag_set(&starts_that_fail, 2);
    number_send(self, f, CEDE_EIO);
    f = child_await(self, supervisor, "f", f);
    struct cede_supervisor_status status;
    EXPECT_OK(cede_supervisor_ask(self, supervisor, CEDE_FOREVER, &status));
    EXPECT_EQUAL(status.restarts, 3); /* one for its end, two for the starts that failed */
    flag_set(&starts_that_fail, 100);
    number_send(self, f, CEDE_EIO);
    EXPECT_RESULT(exit_of(self, supervisor), CEDE_ELIMIT);
    flag_set(&starts_that_fail, 0);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result start_unlinked(cede_self *self, const void *argument, cede_ref *out) {
    cede_result r = spawn_child(self, 'd', true, false, out);
    (void)argument;
    (void)(cede_unlink(self, *out) == CEDE_OK); /* or it has ended already */
    while (cede_is_alive(self, *out)) cede_yield(self);
    diary_write('+', 'x');
    return r;
}

TURN_TEST(child_that_dies_while_it_is_started_is_noticed_linked_or_not) {
    (void)context;
    static const struct cede_child D[] = {{.id = "d", .start = start, .argument = "d"}};
    static const struct cede_supervisor SPEC = {CEDE_CHILDREN(D)};
    static const struct cede_child X[] = {
        {.id = "x", .start = start_unlinked, .restart = CEDE_TEMPORARY}};
    static const struct cede_supervisor UNLINKED = {CEDE_CHILDREN(X)};
    cede_ref supervisor = supervisor_of(self, &SPEC);
    EXPECT_RESULT(exit_of(self, supervisor), CEDE_ELIMIT);
    diary_is("+d-d+d-d+d-d+d-d");
    supervisor = supervisor_of(self, &UNLINKED);
    EXPECT(cede_ref_is_none(child_await(self, supervisor, "x", (cede_ref){0})));
    supervisor_stop(self, supervisor);
    return CEDE_OK;
}

/* ---- the end ---- */

TURN_TEST(child_that_does_not_end_in_time_is_killed) {
    (void)context;
    static const struct cede_child S[] = {
        {.id = "a", .start = start, .argument = "a"},
        {.id = "s", .start = start, .argument = "s", .shutdown_ns = CEDE_MILLIS(5)},
        {.id = "b", .start = start, .argument = "s", .shutdown_ns = 1},
    };
    static const struct cede_supervisor SPEC = {CEDE_CHILDREN(S)};
    cede_ref supervisor = supervisor_of(self, &SPEC), s = child_of(self, supervisor, "s");
    EXPECT_OK(cede_stop(self, s)); /* it does not care */
    EXPECT_OK(cede_monitor(self, s));
    supervisor_stop(self, supervisor);
    EXPECT_RESULT(down_await(self, s), CEDE_EKILLED);
    diary_is("+a+s+s-s-s-a");
    return CEDE_OK;
}

static _Atomic uint32_t gate;
static cede_result hold(cede_self *self, void *context) {
    (void)context;
    flag_set(&gate, 1);
    flag_await(self, &gate, 2);
    return CEDE_OK;
}

TURN_TEST(child_that_is_drained_handles_its_mailbox_first) {
    (void)context;
    static const struct cede_child D[] = {
        {.id = "a", .start = start, .argument = "a", .drain = true}};
    static const struct cede_supervisor SPEC = {CEDE_CHILDREN(D)};
    cede_ref supervisor = supervisor_of(self, &SPEC), a = child_of(self, supervisor, "a");
    flag_set(&gate, 0);
    play_also(self, a, hold, NULL);
    flag_await(self, &gate, 1);
    for (int i = 0; i < 100; i++) number_send(self, a, CEDE_OK);
    EXPECT_OK(cede_stop(self, supervisor));
    flag_set(&gate, 2);
    EXPECT_RESULT(exit_of(self, supervisor), CEDE_OK);
    EXPECT_EQUAL(flag_get(&handled_before_the_end), 100);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result start_one_and_end(cede_self *self, void *context) {
    static const struct cede_supervisor SPEC = {CEDE_CHILDREN(ABC)};
    EXPECT_OK(cede_supervisor_start(self, &SPEC, CEDE_FOREVER, context));
    return CEDE_STOP;
}

TURN_TEST(nobody_is_left_when_a_supervisor_is_killed_or_its_starter_ends) {
    (void)context;
    static const struct cede_supervisor SPEC = {CEDE_CHILDREN(ABC)};
    cede_ref supervisor = supervisor_of(self, &SPEC), refs[3];
    const char *ids[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        refs[i] = child_of(self, supervisor, ids[i]);
        EXPECT_OK(cede_monitor(self, refs[i]));
    }
    EXPECT_OK(cede_kill(self, supervisor));
    EXPECT_RESULT(exit_of(self, supervisor), CEDE_EKILLED);
    for (int i = 0; i < 3; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        EXPECT_RESULT((cede_result)down->reason, CEDE_ELINKED);
        cede_drop(self, &down);
    }
    static cede_ref other;
    other = (cede_ref){0};
    diary_clear();
    cede_ref starter = play(self, start_one_and_end, &other);
    ended_await(self, starter);
    ended_await(self, other);
    diary_is("+a+b+c-c-b-a");
    return CEDE_OK;
}

/* ---- many children from one entry ---- */

static const struct cede_child MANY[] = {{.behaviour = &child, .restart = CEDE_TRANSIENT}};

static CEDE_YIELDS cede_ref add_born(cede_self *self, cede_ref supervisor, char who) {
    struct born *born = cede_new(self, born);
    cede_ref ref = {0};
    born->who = (uint8_t)who;
    EXPECT_OK(cede_supervisor_add_with(self, supervisor, &born, CEDE_FOREVER, &ref));
    EXPECT(born == NULL && cede_is_alive(self, ref));
    return ref;
}

static CEDE_YIELDS struct cede_supervisor_status status_of(cede_self *self, cede_ref supervisor) {
    struct cede_supervisor_status status;
    EXPECT_OK(cede_supervisor_ask(self, supervisor, CEDE_FOREVER, &status));
    return status;
}

TURN_TEST(simple_one_for_one_restarts_each_with_its_own_first_message) {
    (void)context;
    static const struct cede_supervisor SPEC = {.strategy = CEDE_SIMPLE_ONE_FOR_ONE,
                                                CEDE_CHILDREN(MANY),
                                                .restarts_max = CEDE_RESTARTS_UNLIMITED};
    cede_ref supervisor = supervisor_of(self, &SPEC), refs[26];
    flag_set(&births, 0);
    for (int i = 0; i < 26; i++) refs[i] = add_born(self, supervisor, (char)('a' + i));
    EXPECT_EQUAL(status_of(self, supervisor).running, 26);
    diary_clear();
    number_send(self, refs[3], CEDE_EIO);
    number_send(self, refs[25], CEDE_STOP);
    while (status_of(self, supervisor).restarts != 1 || status_of(self, supervisor).running != 25)
        cede_yield(self);
    flag_await(self, &births, 27); /* one that is stopped before does not know who it is */
    EXPECT_OK(cede_supervisor_remove(self, supervisor, refs[7], CEDE_FOREVER));
    EXPECT_RESULT(cede_supervisor_remove(self, supervisor, refs[7], CEDE_FOREVER), CEDE_ENOENT);
    EXPECT_EQUAL(status_of(self, supervisor).children, 24);
    struct play *opaque = cede_new(self, play);
    EXPECT_RESULT(cede_supervisor_add_with(self, supervisor, &opaque, CEDE_FOREVER, NULL),
                  CEDE_ENOTSUP);
    EXPECT(opaque == NULL);
    supervisor_stop(self, supervisor);
    pthread_mutex_lock(&diary_lock);
    int ends = 0, ends_of_d = 0;
    for (const char *at = diary; *at != '\0'; at += 2) ends++, ends_of_d += at[1] == 'd';
    pthread_mutex_unlock(&diary_lock);
    EXPECT_EQUAL(ends, 27);
    EXPECT_EQUAL(ends_of_d, 2); /* the second knew who it was */
    return CEDE_OK;
}

TURN_TEST(add_puts_a_child_behind_the_others_until_it_ends_for_good) {
    (void)context;
    static const struct cede_supervisor SPEC = {.strategy = CEDE_REST_FOR_ONE, CEDE_CHILDREN(ABC)};
    static const struct cede_child D = {.id = "e", .start = start, .argument = "e"};
    static const struct cede_child T = {
        .id = "t", .start = start, .argument = "t", .restart = CEDE_TEMPORARY};
    static const struct cede_child BAD = {.id = "bad"};
    cede_ref supervisor = supervisor_of(self, &SPEC), e = {0}, t = {0};
    EXPECT_OK(cede_supervisor_add(self, supervisor, &D, CEDE_FOREVER, &e));
    EXPECT_RESULT(cede_supervisor_add(self, supervisor, &D, CEDE_FOREVER, &e), CEDE_EEXIST);
    EXPECT_RESULT(cede_supervisor_add(self, supervisor, &BAD, CEDE_FOREVER, NULL), CEDE_EINVAL);
    EXPECT_OK(cede_supervisor_add(self, supervisor, &T, CEDE_FOREVER, &t));
    number_send(self, child_of(self, supervisor, "b"), CEDE_EIO);
    EXPECT(!cede_ref_is_none(child_await(self, supervisor, "e", e)));
    diary_is("+a+b+c+e+t-b-t-e-c+b+c+e"); /* what is temporary does not come back */
    EXPECT_RESULT(cede_supervisor_child(self, supervisor, "t", CEDE_FOREVER, &t), CEDE_ENOENT);
    e = child_of(self, supervisor, "e");
    EXPECT_OK(cede_supervisor_remove(self, supervisor, e, CEDE_FOREVER));
    EXPECT_EQUAL(status_of(self, supervisor).children, 3);
    supervisor_stop(self, supervisor);
    return CEDE_OK;
}

/* ---- waiting to be started again ---- */

TURN_TEST(backoff_keeps_a_child_waiting_and_a_stop_does_not_wait_for_it) {
    (void)context;
    static const struct cede_supervisor SPEC = {
        CEDE_CHILDREN(ABC), .backoff_ns = CEDE_SECONDS(3600), .backoff_max_ns = CEDE_SECONDS(7200)};
    cede_ref supervisor = supervisor_of(self, &SPEC), b = child_of(self, supervisor, "b");
    EXPECT_OK(cede_kill(self, b));
    while (status_of(self, supervisor).waiting != 1) cede_yield(self);
    EXPECT_RESULT(cede_supervisor_child(self, supervisor, "b", CEDE_MILLIS(2), &b), CEDE_ETIMEDOUT);
    EXPECT(!cede_ref_is_none(child_of(self, supervisor, "a"))); /* the others are seen to */
    supervisor_stop(self, supervisor);
    diary_is("+a+b+c-b-c-a");
    return CEDE_OK;
}

TURN_TEST(backoff_of_some_milliseconds_is_over_after_it) {
    (void)context;
    static const struct cede_supervisor SPEC = {CEDE_CHILDREN(ABC), .backoff_ns = CEDE_MILLIS(8),
                                                .backoff_max_ns = CEDE_MILLIS(10)};
    cede_ref supervisor = supervisor_of(self, &SPEC), b = child_of(self, supervisor, "b");
    uint64_t before_ns = cede_now(self);
    EXPECT_OK(cede_kill(self, b));
    b = child_await(self, supervisor, "b", b); /* waits in the supervisor, not in a loop */
    EXPECT(cede_now(self) - before_ns >= CEDE_MILLIS(4));
    supervisor_stop(self, supervisor);
    return CEDE_OK;
}

TURN_TEST(name_of_a_child_is_that_of_its_successor) {
    (void)context;
    static const struct cede_child NAMED[] = {
        {.id = "a", .start = start, .argument = "a", .name = "the a"}};
    static const struct cede_supervisor SPEC = {CEDE_CHILDREN(NAMED)};
    cede_ref supervisor = supervisor_of(self, &SPEC), first = {0}, second = {0};
    EXPECT_OK(cede_name_find(self, "the a", &first));
    EXPECT_OK(cede_kill(self, first));
    EXPECT_OK(cede_name_await(self, "the a", CEDE_SECONDS(30), &second));
    while (cede_ref_equal(first, second))
        EXPECT_OK(cede_name_await(self, "the a", CEDE_SECONDS(30), &second));
    EXPECT(cede_ref_equal(second, child_of(self, supervisor, "a")));
    supervisor_stop(self, supervisor);
    EXPECT_RESULT(cede_name_find(self, "the a", &second), CEDE_ENOENT);
    return CEDE_OK;
}

/* ---- tables that make no sense ---- */

static CEDE_YIELDS void refuse(cede_self *self, const struct cede_supervisor *spec) {
    cede_ref ref = {0};
    EXPECT_RESULT(cede_supervisor_start(self, spec, CEDE_FOREVER, &ref), CEDE_EINVAL);
    EXPECT(cede_ref_is_none(ref));
}

TURN_TEST(tables_that_make_no_sense_are_refused_with_a_line_in_the_log) {
    struct fixture *fixture = context;
    static const struct cede_child TWICE[] = {{.id = "a", .behaviour = &child},
                                              {.id = "a", .behaviour = &child}};
    static const struct cede_child NAMELESS[] = {{.behaviour = &child}};
    static const struct cede_child BOTH[] = {{.id = "x", .behaviour = &child, .start = start}};
    static const struct cede_supervisor BAD[] = {
        {.strategy = (enum cede_strategy)7},
        {.child_count = 1},
        {CEDE_CHILDREN(TWICE)},
        {CEDE_CHILDREN(NAMELESS)},
        {CEDE_CHILDREN(BOTH)},
        {.strategy = CEDE_SIMPLE_ONE_FOR_ONE, CEDE_CHILDREN(TWICE)},
        {CEDE_CHILDREN(ABC), .restarts_max = 10001},
    };
    cede_ref ref = {0};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) refuse(self, &BAD[i]);
    EXPECT(fixture_logged(fixture, "two children have the id a"));
    EXPECT(fixture_logged(fixture, "'x': it needs one of .start, .behaviour and .supervisor"));
    EXPECT_RESULT(cede_supervisor_start(self, NULL, 0, &ref), CEDE_EINVAL);
    EXPECT_RESULT(cede_supervisor_start(NULL, &BAD[0], 0, &ref), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_supervisor_child(self, ref, NULL, 0, &ref), CEDE_EINVAL);
    EXPECT_RESULT(cede_supervisor_child(self, ref, "a", 0, &ref), CEDE_ENOACTOR);
    return CEDE_OK;
}

/* ---- a storm ---- */

/* Children of three levels end in every way at once; the tree is whole again afterwards. */
TURN_TEST(storm_of_deaths_leaves_the_tree_whole) {
    (void)context;
    static const struct cede_supervisor LOW = {
        .strategy = CEDE_ONE_FOR_ALL, CEDE_CHILDREN(ABC), .restarts_max = CEDE_RESTARTS_UNLIMITED};
    static const struct cede_child MIDDLE_CHILDREN[] = {
        {.id = "low", .supervisor = &LOW},
        {.id = "a", .start = start, .argument = "a"},
        {.id = "other low", .supervisor = &LOW},
    };
    static const struct cede_supervisor MIDDLE = {.strategy = CEDE_REST_FOR_ONE,
                                                  CEDE_CHILDREN(MIDDLE_CHILDREN),
                                                  .restarts_max = CEDE_RESTARTS_UNLIMITED};
    static const struct cede_child TOP_CHILDREN[] = {
        {.id = "one", .supervisor = &MIDDLE},
        {.id = "two", .supervisor = &MIDDLE},
    };
    static const struct cede_supervisor TOP = {CEDE_CHILDREN(TOP_CHILDREN),
                                               .restarts_max = CEDE_RESTARTS_UNLIMITED};
    uint32_t seed = test_setting("CEDE_TEST_SEED", (uint32_t)cede_now(self));
    print_message("CEDE_TEST_SEED=%u\n", seed);
    cede_ref top = supervisor_of(self, &TOP);
    for (int i = 0; i < 300; i++) {
        const char *path[] = {"one", "low", "b"};
        const char *other_path[] = {"two", "other low", "c"};
        seed = seed * 1664525u + 1013904223u;
        const char **way = seed >> 31 ? path : other_path;
        cede_ref at = top;
        cede_result r = CEDE_OK;
        for (uint32_t depth = 0; r == CEDE_OK && depth <= (seed >> 16) % 3; depth++)
            r = cede_supervisor_child(self, at, way[depth], CEDE_SECONDS(30), &at);
        if (r != CEDE_OK) continue; /* it ended while we looked */
        if ((seed >> 8) % 2 == 0)
            r = cede_kill(self, at);
        else
            r = cede_stop(self, at);
        EXPECT(r == CEDE_OK || r == CEDE_ENOACTOR);
    }
    for (int i = 0; i < 2; i++) { /* both branches, down to the leaves */
        cede_ref leaf = {0};
        cede_result r = CEDE_ENOACTOR;
        while (r != CEDE_OK) { /* refs on the way may become stale */
            leaf = top;
            r = cede_supervisor_child(self, leaf, i == 0 ? "one" : "two", CEDE_SECONDS(30), &leaf);
            if (r == CEDE_OK)
                r = cede_supervisor_child(self, leaf, "other low", CEDE_SECONDS(30), &leaf);
            if (r == CEDE_OK) r = cede_supervisor_child(self, leaf, "c", CEDE_SECONDS(30), &leaf);
            if (r == CEDE_OK) r = question_ask(self, leaf, 0, NULL);
        }
    }
    supervisor_stop(self, top);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(supervisor_starts_in_order_and_ends_in_reverse_order),
        WITH_SYSTEM(strategies_restart_one_or_all_or_the_rest_in_order),
        WITH_SYSTEM(kinds_of_restart_depend_on_how_a_child_has_ended),
        WITH_SYSTEM(supervisor_gives_up_after_too_many_restarts_and_ends_its_children),
        WITH_SYSTEM(supervisor_that_gives_up_is_a_child_that_has_failed),
        WITH_SYSTEM(first_start_that_fails_ends_what_was_started_and_says_why),
        WITH_SYSTEM(restart_that_fails_is_tried_again_and_counts),
        WITH_SYSTEM(child_that_dies_while_it_is_started_is_noticed_linked_or_not),
        WITH_SYSTEM(child_that_does_not_end_in_time_is_killed),
        WITH_SYSTEM(child_that_is_drained_handles_its_mailbox_first),
        WITH_SYSTEM(nobody_is_left_when_a_supervisor_is_killed_or_its_starter_ends),
        WITH_SYSTEM(simple_one_for_one_restarts_each_with_its_own_first_message),
        WITH_SYSTEM(add_puts_a_child_behind_the_others_until_it_ends_for_good),
        WITH_SYSTEM(backoff_keeps_a_child_waiting_and_a_stop_does_not_wait_for_it),
        WITH_SYSTEM(backoff_of_some_milliseconds_is_over_after_it),
        WITH_SYSTEM(name_of_a_child_is_that_of_its_successor),
        WITH_SYSTEM(tables_that_make_no_sense_are_refused_with_a_line_in_the_log),
        WITH_SYSTEM(storm_of_deaths_leaves_the_tree_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
