/* Ready-made actors while memory is short: each allocation of each operation fails, once, or it and all that follow. The results
 * are documented ones, nobody is lost or left behind, and all works again afterwards. */
#include <cede/failure.h>
#include <cede/pool.h>
#include <cede/registry.h>
#include <cede/stash.h>
#include <cede/supervisor.h>

#include "core/sys/alloc.h"
#include "core/sys/thread.h"
#include "tests/support/actors.h"

/* One operation. All three are turns' code; only `run` meets the shortage, and tells how it fared. */
struct shortage {
    const char *name;
    CEDE_YIELDS void (*prepare)(cede_self *self); /* may be NULL */
    CEDE_YIELDS cede_result (*run)(cede_self *self);
    CEDE_YIELDS void (*tidy)(cede_self *self, cede_result r); /* and sees that all is as `r` says */
};

static bool lasts; /* this time, the shortage lasts until `run` returns */

/* What a call that waits for another actor may be told: that had no memory to answer, or to go on. */
static bool is_shortage(cede_result r) {
    return r == CEDE_ENOMEM || r == CEDE_ENOREPLY || (lasts && r == CEDE_ETIMEDOUT);
}

/* How long `run` waits for what the shortage may keep from coming. */
static uint64_t patience(void) { return lasts ? CEDE_MILLIS(2) : CEDE_FOREVER; }

/* ---- who is there ---- */

static cede_result on_question(cede_self *self, struct player *state, struct question *request) {
    (void)state;
    struct answer *answer = cede_new(self, answer);
    if (answer == NULL) return CEDE_OK; /* the asker gets CEDE_ENOREPLY */
    answer->value = request->value;
    if (cede_reply(self, request, &answer) != CEDE_OK) cede_drop(self, &answer);
    return CEDE_OK;
}

static cede_result on_note(cede_self *self, struct player *state, struct note *note) {
    (void)self, (void)state, (void)note;
    return CEDE_OK;
}

#define WORKER(ON)                                                                                 \
    ON(question, on_question)                                                                      \
    ON(note, on_note)                                                                              \
    ON(play, on_play)
CEDE_BEHAVIOUR(worker, struct player, WORKER, .mailbox_max = 1);

static CEDE_YIELDS void end_and_await(cede_self *self, cede_ref actor) {
    EXPECT_OK(cede_monitor(self, actor));
    EXPECT_OK(cede_stop(self, actor));
    EXPECT_RESULT(down_await(self, actor), CEDE_OK);
}

static CEDE_YIELDS cede_result asks(cede_self *self, cede_ref to, uint64_t value) {
    struct question *request = cede_new(self, question);
    struct answer *reply = NULL;
    if (request == NULL) return CEDE_ENOMEM;
    request->value = value;
    cede_result r = cede_ask(self, to, &request, answer, &reply, patience());
    if (r == CEDE_OK) EXPECT_EQUAL(reply->value, value);
    cede_drop(self, &request);
    cede_drop(self, &reply);
    return r;
}

/* ---- names ---- */

enum { NAMES = 70 }; /* more than the table begins with */
static uint32_t names_there;

static const char *name_of(uint32_t i) {
    static char name[16];
    snprintf(name, sizeof name, "name %u", i);
    return name;
}

static cede_result names_run(cede_self *self) {
    cede_result r = CEDE_OK;
    for (names_there = 0; r == CEDE_OK && names_there < NAMES;) {
        r = cede_name_register(self, name_of(names_there), cede_self_ref(self));
        if (r == CEDE_OK) names_there++;
    }
    return r;
}

static void names_tidy(cede_self *self, cede_result r) {
    cede_ref found = {0};
    EXPECT((r == CEDE_OK) == (names_there == NAMES));
    for (uint32_t i = 0; i < NAMES; i++) {
        EXPECT_RESULT(cede_name_find(self, name_of(i), &found),
                      i < names_there ? CEDE_OK : CEDE_ENOENT);
        EXPECT_RESULT(cede_name_unregister(self, name_of(i)),
                      i < names_there ? CEDE_OK : CEDE_ENOENT);
    }
}

/* Another actor registers "late" when `late_due` is set, however often it takes. */
static _Atomic uint32_t late_due;
static cede_ref late;

static cede_result late_run(cede_self *self, void *context) {
    (void)context;
    flag_await(self, &late_due, 1);
    while (cede_name_register(self, "late", cede_self_ref(self)) != CEDE_OK) cede_yield(self);
    (void)number_await(self); /* until it is stopped */
    return CEDE_STOP;
}

static void await_prepare(cede_self *self) {
    flag_set(&late_due, 0);
    late = play(self, late_run, NULL);
}

static CEDE_YIELDS cede_result await_run(cede_self *self) {
    cede_ref found = {0};
    flag_set(&late_due, 1);
    cede_result r = cede_name_await(self, "late", patience(), &found);
    EXPECT(cede_ref_equal(found, late) == (r == CEDE_OK));
    return r;
}

static CEDE_YIELDS void await_tidy(cede_self *self, cede_result r) {
    cede_ref found = {0};
    (void)r;
    EXPECT_OK(cede_name_await(self, "late", CEDE_FOREVER, &found));
    EXPECT(cede_ref_equal(found, late));
    number_send(self, late, 0);
    while (cede_is_alive(self, late)) cede_yield(self);
    EXPECT_RESULT(cede_name_find(self, "late", &found), CEDE_ENOENT);
}

/* ---- groups ---- */

enum { MEMBERS = 6, GROUPS = 70 };
static cede_ref members[MEMBERS];
static uint32_t members_there, groups_there;

static cede_result on_member_note(cede_self *self, struct player *state, struct note *note) {
    (void)self, (void)state;
    return strcmp(cede_str_text(&note->text), "hello") == 0 ? CEDE_OK : CEDE_EPROTO;
}
#define MEMBER(ON) ON(note, on_member_note)
CEDE_BEHAVIOUR(member, struct player, MEMBER);

static void groups_prepare(cede_self *self) {
    for (uint32_t i = 0; i < MEMBERS; i++)
        EXPECT_OK(cede_spawn(self, &member, CEDE_NOTHING, &members[i]));
}

static cede_result groups_run(cede_self *self) {
    cede_result r = CEDE_OK;
    struct cede_members *found = NULL;
    struct note *note = NULL;
    uint32_t sent = MEMBERS;
    members_there = groups_there = 0;
    while (r == CEDE_OK && members_there < MEMBERS) {
        r = cede_group_join(self, "group", members[members_there]);
        if (r == CEDE_OK) members_there++;
    }
    while (r == CEDE_OK && groups_there < GROUPS) {
        r = cede_group_join(self, name_of(groups_there), members[0]);
        if (r == CEDE_OK) groups_there++;
    }
    if (r == CEDE_OK) r = cede_group_members(self, "group", &found);
    EXPECT((found != NULL) == (members_there == MEMBERS && r == CEDE_OK));
    if (found != NULL) EXPECT_EQUAL(found->refs.count, MEMBERS);
    cede_drop(self, &found);
    if (r == CEDE_OK && (note = cede_new(self, note)) == NULL) r = CEDE_ENOMEM;
    if (r == CEDE_OK) r = cede_str_set(&note->text, "hello");
    if (r == CEDE_OK) {
        r = cede_group_send(self, "group", note, &sent);
        EXPECT(r == CEDE_OK ? sent == MEMBERS : sent < MEMBERS);
    }
    cede_drop(self, &note);
    return r;
}

static CEDE_YIELDS void groups_tidy(cede_self *self, cede_result r) {
    struct cede_members *found = NULL;
    (void)r;
    EXPECT_OK(cede_group_members(self, "group", &found));
    EXPECT_EQUAL(found->refs.count, members_there);
    cede_drop(self, &found);
    for (uint32_t i = 0; i < GROUPS; i++)
        EXPECT_RESULT(cede_group_leave(self, name_of(i), members[0]),
                      i < groups_there ? CEDE_OK : CEDE_ENOENT);
    for (uint32_t i = 0; i < MEMBERS; i++) end_and_await(self, members[i]);
    EXPECT_OK(cede_group_members(self, "group", &found));
    EXPECT_EQUAL(found->refs.count, 0);
    cede_drop(self, &found);
}

/* ---- supervisors ---- */

static CEDE_YIELDS cede_result worker_start(cede_self *self, const void *argument, cede_ref *out) {
    (void)argument;
    struct note *first = cede_new(self, note);
    if (first == NULL) return CEDE_ENOMEM;
    cede_result r = cede_str_set(&first->text, "a text");
    if (r == CEDE_OK) r = cede_spawn_linked(self, &worker, &first, out);
    cede_drop(self, &first);
    return r;
}

static const struct cede_child LEAF[] = {{.id = "leaf", .behaviour = &worker}};
static const struct cede_supervisor BELOW = {.restarts_max = CEDE_RESTARTS_UNLIMITED,
                                             CEDE_CHILDREN(LEAF)};
static const struct cede_child CHILDREN[] = {
    {.id = "first", .behaviour = &worker, .name = "first"},
    {.id = "second", .start = worker_start, .drain = true},
    {.id = "third", .supervisor = &BELOW},
    {.id = "fourth", .behaviour = &worker},
};
enum { CHILD_COUNT = 4 };
static const struct cede_supervisor SUPERVISORS[] = {
    {.strategy = CEDE_ONE_FOR_ONE, .restarts_max = CEDE_RESTARTS_UNLIMITED, CEDE_CHILDREN(CHILDREN)},
    {.strategy = CEDE_ONE_FOR_ALL, .restarts_max = CEDE_RESTARTS_UNLIMITED, CEDE_CHILDREN(CHILDREN)},
    {.strategy = CEDE_REST_FOR_ONE, .restarts_max = CEDE_RESTARTS_UNLIMITED, CEDE_CHILDREN(CHILDREN)},
};
static cede_ref supervisor, child;

static CEDE_YIELDS cede_result start_run(cede_self *self) {
    supervisor = child = (cede_ref){0};
    cede_result r = cede_supervisor_start(self, &SUPERVISORS[0], CEDE_FOREVER, &supervisor);
    EXPECT(cede_ref_is_none(supervisor) == (r != CEDE_OK));
    if (r == CEDE_EFAILED) r = CEDE_ENOMEM; /* it could not even say so */
    if (r == CEDE_OK) r = cede_supervisor_child(self, supervisor, "second", patience(), &child);
    return r;
}

/* What was not started has left nothing behind. */
static CEDE_YIELDS void start_tidy(cede_self *self, cede_result r) {
    cede_ref found = {0};
    if (!cede_ref_is_none(supervisor)) end_and_await(self, supervisor);
    while (cede_name_find(self, "first", &found) == CEDE_OK) cede_yield(self);
    (void)r;
}

static CEDE_YIELDS void supervisor_prepare(cede_self *self, uint32_t which) {
    EXPECT_OK(cede_supervisor_start(self, &SUPERVISORS[which], CEDE_FOREVER, &supervisor));
    EXPECT_OK(cede_supervisor_child(self, supervisor, "second", CEDE_FOREVER, &child));
}

static CEDE_YIELDS void one_for_one_prepare(cede_self *self) { supervisor_prepare(self, 0); }
static CEDE_YIELDS void one_for_all_prepare(cede_self *self) { supervisor_prepare(self, 1); }
static CEDE_YIELDS void rest_for_one_prepare(cede_self *self) { supervisor_prepare(self, 2); }

static CEDE_YIELDS cede_result restart_run(cede_self *self) {
    cede_ref again = child;
    cede_result r = cede_kill(self, child);
    while (r == CEDE_OK && cede_ref_equal(again, child)) /* it may not know yet */
        r = cede_supervisor_child(self, supervisor, "second", patience(), &again);
    return r;
}

/* However long it took: all are there. */
static CEDE_YIELDS void restart_tidy(cede_self *self, cede_result r) {
    struct cede_supervisor_status status = {0};
    cede_ref again = child;
    (void)r;
    while (cede_ref_equal(again, child))
        EXPECT_OK(cede_supervisor_child(self, supervisor, "second", CEDE_FOREVER, &again));
    for (uint32_t i = 0; i < CHILD_COUNT; i++)
        EXPECT_OK(cede_supervisor_child(self, supervisor, CHILDREN[i].id, CEDE_FOREVER, &again));
    EXPECT_OK(cede_supervisor_ask(self, supervisor, CEDE_FOREVER, &status));
    EXPECT_EQUAL(status.children, CHILD_COUNT);
    EXPECT(status.running == CHILD_COUNT && status.waiting == 0 && status.restarts >= 1);
    end_and_await(self, supervisor);
    EXPECT_RESULT(cede_name_find(self, "first", &again), CEDE_ENOENT);
}

static CEDE_YIELDS cede_result more_run(cede_self *self) {
    static const struct cede_child more = {.id = "more", .start = worker_start, .name = "more"};
    child = (cede_ref){0};
    cede_result r = cede_supervisor_add(self, supervisor, &more, patience(), &child);
    EXPECT(cede_ref_is_none(child) == (r != CEDE_OK));
    if (r == CEDE_OK) r = cede_supervisor_remove(self, supervisor, child, patience());
    return r;
}

static CEDE_YIELDS void more_tidy(cede_self *self, cede_result r) {
    struct cede_supervisor_status status = {0};
    cede_ref found = {0};
    EXPECT_OK(cede_supervisor_ask(self, supervisor, CEDE_FOREVER, &status));
    if (r == CEDE_ETIMEDOUT) /* it may be there or not */
        EXPECT(status.children - CHILD_COUNT <= 1);
    else
        EXPECT_EQUAL(status.children - CHILD_COUNT, r != CEDE_OK && !cede_ref_is_none(child));
    EXPECT_EQUAL(status.running, status.children);
    end_and_await(self, supervisor);
    EXPECT_RESULT(cede_name_find(self, "more", &found), CEDE_ENOENT);
}

static const struct cede_child MODEL[] = {{.behaviour = &worker}};
static const struct cede_supervisor SIMPLE = {.strategy = CEDE_SIMPLE_ONE_FOR_ONE,
                                              .restarts_max = CEDE_RESTARTS_UNLIMITED,
                                              CEDE_CHILDREN(MODEL)};

static CEDE_YIELDS void simple_prepare(cede_self *self) {
    EXPECT_OK(cede_supervisor_start(self, &SIMPLE, CEDE_FOREVER, &supervisor));
}

static CEDE_YIELDS cede_result simple_run(cede_self *self) {
    struct note *first = cede_new(self, note);
    cede_result r = first != NULL ? cede_str_set(&first->text, "a text") : CEDE_ENOMEM;
    child = (cede_ref){0};
    if (r == CEDE_OK) r = cede_supervisor_add_with(self, supervisor, &first, patience(), &child);
    cede_drop(self, &first);
    return r;
}

static CEDE_YIELDS void simple_tidy(cede_self *self, cede_result r) {
    struct cede_supervisor_status status = {0};
    EXPECT_OK(cede_supervisor_ask(self, supervisor, CEDE_FOREVER, &status));
    if (r == CEDE_ETIMEDOUT)
        EXPECT(status.children <= 1);
    else
        EXPECT_EQUAL(status.children, r == CEDE_OK);
    if (r == CEDE_OK) { /* its first message is made again */
        EXPECT_OK(cede_kill(self, child));
        do EXPECT_OK(cede_supervisor_ask(self, supervisor, CEDE_FOREVER, &status));
        while (status.restarts == 0 || status.running == 0);
    }
    end_and_await(self, supervisor);
}

/* ---- pools ---- */

static const struct cede_pool POOLS[] = {
    {.worker = {.behaviour = &worker}, .count = 3, .restarts_max = CEDE_RESTARTS_UNLIMITED},
    {.worker = {.start = worker_start},
     .count = 2,
     .route = CEDE_ROUTE_LEAST_LOADED,
     .restarts_max = CEDE_RESTARTS_UNLIMITED},
    {.worker = {.behaviour = &worker},
     .count = 2,
     .route = CEDE_ROUTE_BROADCAST,
     .restarts_max = CEDE_RESTARTS_UNLIMITED},
    {.worker = {.behaviour = &worker}, .count = 1, .restarts_max = CEDE_RESTARTS_UNLIMITED},
};
static cede_ref pool;

static CEDE_YIELDS cede_result pool_run(cede_self *self) {
    pool = (cede_ref){0};
    cede_result r = cede_pool_start(self, &POOLS[1], CEDE_FOREVER, &pool);
    EXPECT(cede_ref_is_none(pool) == (r != CEDE_OK));
    if (r == CEDE_EFAILED) r = CEDE_ENOMEM; /* it could not even say so */
    for (uint64_t i = 0; r == CEDE_OK && i < 3; i++) r = asks(self, pool, i);
    return r;
}

static CEDE_YIELDS void pool_tidy(cede_self *self, cede_result r) {
    (void)r;
    if (!cede_ref_is_none(pool)) end_and_await(self, pool);
}

static CEDE_YIELDS void pool_prepare(cede_self *self) {
    EXPECT_OK(cede_pool_start(self, &POOLS[0], CEDE_FOREVER, &pool));
}

static cede_result fail_run(cede_self *self, void *context) {
    (void)self, (void)context;
    return CEDE_EIO;
}

/* Each worker fails once. */
static CEDE_YIELDS cede_result workers_fail_run(cede_self *self) {
    cede_result r = CEDE_OK;
    for (uint64_t i = 0; r == CEDE_OK && i < POOLS[0].count; i++) {
        struct play *fail = cede_new(self, play);
        if (fail == NULL) return CEDE_ENOMEM;
        fail->run = fail_run;
        r = cede_send_wait(self, pool, &fail, patience());
        cede_drop(self, &fail);
        if (r == CEDE_OK) r = asks(self, pool, i);
        if (r == CEDE_ENOACTOR) r = CEDE_OK; /* it waited for the one that ended */
    }
    return r;
}

static CEDE_YIELDS void workers_fail_tidy(cede_self *self, cede_result r) {
    struct cede_supervisor_status status = {0};
    lasts = false;
    while (status.running != POOLS[0].count)
        EXPECT_OK(cede_supervisor_ask(self, pool, CEDE_FOREVER, &status));
    do { /* a worker may have its failure still before it, and the question behind that */
        r = asks(self, pool, 1);
        EXPECT(r == CEDE_OK || r == CEDE_ENOACTOR || r == CEDE_ENOREPLY);
    } while (r != CEDE_OK);
    end_and_await(self, pool);
}

static CEDE_YIELDS void broadcast_prepare(cede_self *self) {
    EXPECT_OK(cede_pool_start(self, &POOLS[2], CEDE_FOREVER, &pool));
}

static CEDE_YIELDS cede_result broadcast_run(cede_self *self) {
    struct note *note = cede_new(self, note);
    cede_result r = note != NULL ? cede_str_set(&note->text, "to all") : CEDE_ENOMEM;
    if (r == CEDE_OK) r = cede_send(self, pool, &note);
    cede_drop(self, &note);
    for (int i = 0; i < 4; i++) cede_yield(self); /* while it is handed on */
    return r;
}

/* The only worker is held and its mailbox is full: the pool waits for room. */
enum { NOTES = 3 };
static _Atomic uint32_t held, gate;
static struct note *notes[NOTES];

static cede_result hold_run(cede_self *self, void *context) {
    (void)context;
    flag_set(&held, 1);
    flag_await(self, &gate, 1);
    return CEDE_OK;
}

static CEDE_YIELDS void full_prepare(cede_self *self) {
    flag_set(&held, 0);
    flag_set(&gate, 0);
    EXPECT_OK(cede_pool_start(self, &POOLS[3], CEDE_FOREVER, &pool));
    play_also(self, pool, hold_run, NULL);
    flag_await(self, &held, 1);
    for (int i = 0; i < NOTES; i++) EXPECT((notes[i] = cede_new(self, note)) != NULL);
}

static CEDE_YIELDS cede_result full_run(cede_self *self) {
    cede_result r = CEDE_OK;
    /* The pool does not keep the worker to itself: nobody would stand in for it. */
    cedei_thread_fail_starts(0, UINT32_MAX);
    for (int i = 0; i < NOTES; i++) {
        if (r == CEDE_OK) r = cede_send_wait(self, pool, &notes[i], patience());
        cede_drop(self, &notes[i]);
    }
    for (int i = 0; i < 10; i++) cede_yield(self);
    cedei_thread_fail_starts(0, 0);
    return r;
}

static CEDE_YIELDS void full_tidy(cede_self *self, cede_result r) {
    (void)r;
    flag_set(&gate, 1);
    lasts = false;
    EXPECT_OK(asks(self, pool, 7));
    end_and_await(self, pool);
}

/* ---- stashes ---- */

enum { STASHED = 20 };

static cede_result stash_run(cede_self *self) {
    struct cede_stash *stash = cede_stash_create(self, STASHED);
    cede_result r = stash != NULL ? CEDE_OK : CEDE_ENOMEM;
    uint32_t put = 0;
    for (uint64_t i = 0; r == CEDE_OK && i < STASHED; i++) {
        struct number *number = cede_new(self, number);
        if (number == NULL) {
            r = CEDE_ENOMEM;
            break;
        }
        number->value = i;
        r = cede_stash_put(self, stash, &number);
        EXPECT((number == NULL) == (r == CEDE_OK));
        if (r == CEDE_OK) put++;
        cede_drop(self, &number);
    }
    if (stash == NULL) return r;
    EXPECT_EQUAL(cede_stash_count(stash), put);
    EXPECT_OK(cede_stash_release(self, stash)); /* needs no memory */
    for (uint64_t i = 0; i < put; i++) {
        struct number *number = NULL;
        EXPECT_OK(cede_recv(self, number, &number, 0)); /* neither does what is there */
        EXPECT_EQUAL(number->value, i);
        cede_drop(self, &number);
    }
    cede_drop(self, &stash);
    return r;
}

static void stash_tidy(cede_self *self, cede_result r) {
    struct number *number = NULL;
    (void)r;
    EXPECT_RESULT(cede_recv(self, number, &number, 0), CEDE_ETIMEDOUT);
}

/* ---- all of them ---- */

static const struct shortage CASES[] = {
    {"a pool that is full", full_prepare, full_run, full_tidy}, /* before anybody has waited */
    {"names", NULL, names_run, names_tidy},
    {"waiting for a name", await_prepare, await_run, await_tidy},
    {"groups", groups_prepare, groups_run, groups_tidy},
    {"starting a supervisor", NULL, start_run, start_tidy},
    {"restarting one", one_for_one_prepare, restart_run, restart_tidy},
    {"restarting all", one_for_all_prepare, restart_run, restart_tidy},
    {"restarting the rest", rest_for_one_prepare, restart_run, restart_tidy},
    {"adding a child", one_for_one_prepare, more_run, more_tidy},
    {"adding a child with a message", simple_prepare, simple_run, simple_tidy},
    {"a pool", NULL, pool_run, pool_tidy},
    {"a pool whose workers fail", pool_prepare, workers_fail_run, workers_fail_tidy},
    {"a pool that hands to all", broadcast_prepare, broadcast_run, pool_tidy},
    {"stashing", NULL, stash_run, stash_tidy},
};

/* The `failing`th allocation, and perhaps all that follow. False: there were not so many. */
static CEDE_YIELDS bool fails(cede_self *self, const struct shortage *what, uint64_t failing) {
    bool all = lasts;
    if (what->prepare != NULL) what->prepare(self);
    cedei_alloc_fail_after(failing, !all);
    cede_result r = what->run(self);
    uint64_t asked = cedei_alloc_fail_never();
    if (r != CEDE_OK && !is_shortage(r)) {
        fprintf(stderr, "%s, allocation %llu %s: %s\n", what->name, (unsigned long long)failing,
                all ? "and all others fail" : "fails", cede_result_name(r));
        abort();
    }
    what->tidy(self, r);
    lasts = all;
    return asked > failing;
}

static cede_result sweep_all(cede_self *self, void *context) {
    enum { LIMIT = 2000 };
    (void)context;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        for (int once = 0; once < 2; once++) {
            uint64_t failing = 0;
            lasts = once == 0;
            while (fails(self, &CASES[i], failing)) EXPECT(++failing < LIMIT);
        }
        lasts = false;
        (void)fails(self, &CASES[i], UINT64_MAX);
    }
    return CEDE_OK;
}

/* On one worker, so that the number of an allocation is the same in each run of an operation. */
static void every_operation_survives_each_allocation_that_fails(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.workers = 1});
    fixture_run(fixture, sweep_all, NULL);
    fixture_end(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operation_survives_each_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
