/* Pools: which worker gets a message, what happens when workers are full, end, or are not there. */
#include "core/sys/alloc.h"
#include "tests/support/actors.h"

#include <cede/failure.h>
#include <cede/pool.h>
#include <cede/supervisor.h>

/* ---- workers that say who they are ---- */

enum { KNOWN_MAX = 8 };
static _Atomic uint32_t born, gate;
static cede_ref known[KNOWN_MAX]; /* by `who`; whoever has heard of one from itself may look */

struct worker {
    uint64_t who; /* 1, 2, ...: in the order of their starts */
    uint64_t handled;
};

static void who_am_i(cede_self *self, struct worker *worker) {
    if (worker->who != 0) return;
    /* relaxed: a number of its own is all that is wanted. */
    worker->who = 1 + atomic_fetch_add_explicit(&born, 1, memory_order_relaxed);
    if (worker->who < KNOWN_MAX) known[worker->who] = cede_self_ref(self);
}
static cede_result on_question(cede_self *self, struct worker *worker, struct question *request) {
    who_am_i(self, worker);
    struct answer *answer = cede_new(self, answer);
    answer->value = worker->who;
    cede_result r = cede_reply(self, request, &answer);
    EXPECT(r == CEDE_OK || r == CEDE_EINVAL); /* a copy is no request */
    if (r != CEDE_OK) cede_drop(self, &answer);
    return CEDE_OK;
}
static cede_result on_number(cede_self *self, struct worker *worker, struct number *message) {
    who_am_i(self, worker);
    worker->handled++;
    return (cede_result)message->value;
}
static CEDE_YIELDS cede_result on_task(cede_self *self, struct worker *worker, struct play *task) {
    (void)worker;
    return task->run(self, task->context);
}
static cede_result on_note(cede_self *self, struct worker *worker, struct note *note) {
    (void)worker;
    cede_ref to = {0};
    memcpy(&to, note->text.data, sizeof to);
    number_send(self, to, note->value);
    return CEDE_OK;
}
#define WORKER(ON)                                                                                 \
    ON(question, on_question)                                                                      \
    ON(number, on_number)                                                                          \
    ON(play, on_task)                                                                              \
    ON(note, on_note)
CEDE_BEHAVIOUR(worker, struct worker, WORKER, .mailbox_max = 4);

static cede_result hold(cede_self *self, void *context) {
    _Atomic uint32_t *held = context;
    /* relaxed: only counted. */
    atomic_fetch_add_explicit(held, 1, memory_order_relaxed);
    flag_await(self, &gate, 1);
    return CEDE_OK;
}

static CEDE_YIELDS cede_ref pool_of(cede_self *self, const struct cede_pool *spec) {
    cede_ref ref = {0};
    flag_set(&born, 0);
    flag_set(&gate, 0);
    cede_trap_exits(self, true);
    EXPECT_OK(cede_pool_start(self, spec, CEDE_SECONDS(30), &ref));
    return ref;
}

static CEDE_YIELDS void pool_stop(cede_self *self, cede_ref pool) {
    struct cede_exit *news = NULL;
    EXPECT_OK(cede_stop(self, pool));
    EXPECT_OK(cede_recv(self, cede_exit, &news, CEDE_FOREVER));
    EXPECT(cede_ref_equal(news->actor, pool) && news->reason == CEDE_OK);
    cede_drop(self, &news);
}

static CEDE_YIELDS uint64_t who_answers(cede_self *self, cede_ref pool, uint64_t value) {
    uint64_t who = 0;
    EXPECT_OK(question_ask(self, pool, value, &who));
    return who;
}

static uint64_t key_of(const struct cede_type *type, const void *message) {
    if (type == &cede_type_question) return ((const struct question *)message)->value;
    if (type == &cede_type_number) return 77;
    return 0;
}

/* ---- routes ---- */

TURN_TEST(round_robin_asks_one_after_the_other) {
    (void)context;
    static const struct cede_pool SPEC = {.worker = {.behaviour = &worker}, .count = 3};
    cede_ref pool = pool_of(self, &SPEC);
    for (uint64_t i = 0; i < 9; i++) EXPECT_EQUAL(who_answers(self, pool, i), i % 3 + 1);
    pool_stop(self, pool);
    return CEDE_OK;
}

TURN_TEST(hash_sends_equal_keys_to_one_worker_and_uses_all) {
    (void)context;
    static const struct cede_pool SPEC = {.worker = {.behaviour = &worker},
                                          .count = 4,
                                          .route = CEDE_ROUTE_HASH,
                                          .key = key_of,
                                          .restarts_max = 100};
    cede_ref pool = pool_of(self, &SPEC);
    uint64_t owner[200], seen = 0;
    for (uint64_t key = 0; key < 200; key++) {
        owner[key] = who_answers(self, pool, key);
        seen |= 1u << owner[key];
    }
    EXPECT_EQUAL(seen, 1u << 1 | 1u << 2 | 1u << 3 | 1u << 4);
    for (uint64_t key = 0; key < 200; key++) EXPECT_EQUAL(who_answers(self, pool, key), owner[key]);
    uint64_t dead = owner[77]; /* numbers have that key */
    number_send(self, pool, CEDE_EIO);
    struct cede_supervisor_status status = {0};
    while (status.restarts != 1 || status.running != 4)
        EXPECT_OK(cede_supervisor_ask(self, pool, CEDE_FOREVER, &status));
    for (uint64_t key = 0; key < 200; key++) /* its keys are its successor's */
        EXPECT_EQUAL(who_answers(self, pool, key), owner[key] == dead ? 5 : owner[key]);
    pool_stop(self, pool);
    return CEDE_OK;
}

TURN_TEST(least_loaded_leaves_the_busy_one_alone) {
    (void)context;
    static const struct cede_pool SPEC = {
        .worker = {.behaviour = &worker}, .count = 2, .route = CEDE_ROUTE_LEAST_LOADED};
    static _Atomic uint32_t held;
    flag_set(&held, 0);
    cede_ref pool = pool_of(self, &SPEC);
    play_also(self, pool, hold, &held);
    flag_await(self, &held, 1);
    struct cede_supervisor_status status;
    EXPECT_OK(cede_supervisor_ask(self, pool, CEDE_FOREVER,
                                  &status)); /* the pool itself is at rest soon */
    for (int i = 0; i < 20; i++) {
        uint64_t who = who_answers(self, pool, 0); /* none waits behind the busy one */
        while (cede_load(self, known[who]) != 0) cede_yield(self); /* its turn is over, too */
    }
    flag_set(&gate, 1);
    pool_stop(self, pool);
    return CEDE_OK;
}

TURN_TEST(broadcast_gives_each_worker_a_copy) {
    (void)context;
    static const struct cede_pool SPEC = {
        .worker = {.behaviour = &worker}, .count = 5, .route = CEDE_ROUTE_BROADCAST};
    cede_ref pool = pool_of(self, &SPEC), me = cede_self_ref(self);
    struct note *note = cede_new(self, note);
    EXPECT_OK(cede_str_set_sized(&note->text, (const char *)&me, sizeof me));
    note->value = 9;
    EXPECT_OK(cede_send(self, pool, &note));
    for (int i = 0; i < 5; i++) EXPECT_EQUAL(number_await(self), 9);
    EXPECT_RESULT(question_ask(self, pool, 0, NULL), CEDE_ENOREPLY);
    pool_stop(self, pool);
    return CEDE_OK;
}

/* Each of the five copies takes memory twice at least: whichever it is that cannot be had, nobody is left out. */
TURN_TEST(broadcast_leaves_no_worker_out_when_memory_is_short) {
    (void)context;
    static const struct cede_pool SPEC = {
        .worker = {.behaviour = &worker}, .count = 5, .route = CEDE_ROUTE_BROADCAST};
    cede_ref pool = pool_of(self, &SPEC), me = cede_self_ref(self);
    uint32_t failed = 0;
    for (uint64_t after = 0; after < 5; after++) {
        struct note *note = cede_new(self, note);
        EXPECT_OK(cede_str_set_sized(&note->text, (const char *)&me, sizeof me));
        note->value = 20 + after;
        cedei_alloc_fail_at("actors/actor/copy.c", "body_copy", after, true);
        EXPECT_OK(cede_send(self, pool, &note));
        for (int i = 0; i < 5; i++) EXPECT_EQUAL(number_await(self), 20 + after);
        failed += cedei_alloc_fail_never() > 5; /* one was asked for again */
    }
    EXPECT(failed == 5);
    pool_stop(self, pool);
    return CEDE_OK;
}

/* ---- workers that are full, end, or are not there ---- */

TURN_TEST(full_workers_make_the_pool_wait_and_nothing_is_lost) {
    struct fixture *fixture = context;
    static const struct cede_pool SPEC = {.worker = {.behaviour = &worker}, .count = 2};
    static _Atomic uint32_t held;
    flag_set(&held, 0);
    cede_ref pool = pool_of(self, &SPEC);
    play_also(self, pool, hold, &held);
    play_also(self, pool, hold, &held);
    flag_await(self, &held, 2);
    struct cede_metrics before, after;
    cede_system_metrics(fixture->system, &before);
    for (int i = 0; i < 100; i++) number_send(self, pool, CEDE_OK); /* eight have room there */
    while (cede_waiting(self, pool) > 92) cede_yield(self);
    flag_set(&gate, 1);
    for (int i = 0; i < 2; i++) (void)who_answers(self, pool, 0); /* behind all of them, at both */
    cede_system_metrics(fixture->system, &after);
    EXPECT(after.messages_dead_lettered == before.messages_dead_lettered);
    pool_stop(self, pool);
    return CEDE_OK;
}

TURN_TEST(messages_wait_while_no_worker_is_there) {
    (void)context;
    static const struct cede_pool SPEC = {.worker = {.behaviour = &worker},
                                          .count = 1,
                                          .waiting_max = 3,
                                          .restarts_max = CEDE_RESTARTS_UNLIMITED,
                                          .backoff_ns = CEDE_MILLIS(40),
                                          .backoff_max_ns = CEDE_MILLIS(40)};
    cede_ref pool = pool_of(self, &SPEC);
    EXPECT_EQUAL(who_answers(self, pool, 0), 1);
    struct cede_supervisor_status status = {0};
    uint32_t deaths = 0;
    while (status.waiting != 1) { /* we may get no time for as long as it waits: once more */
        number_send(self, pool, CEDE_EIO);
        deaths++;
        do EXPECT_OK(cede_supervisor_ask(self, pool, CEDE_FOREVER, &status));
        while (status.waiting != 1 && status.restarts < deaths);
    }
    EXPECT_EQUAL(who_answers(self, pool, 0), deaths + 1); /* the question waited for the next one */
    pool_stop(self, pool);
    return CEDE_OK;
}

TURN_TEST(pool_that_restarts_too_often_gives_up) {
    (void)context;
    static const struct cede_pool SPEC = {.worker = {.behaviour = &worker},
                                          .count = 2,
                                          .restarts_max = 2,
                                          .period_ns = CEDE_SECONDS(3600)};
    cede_ref pool = pool_of(self, &SPEC);
    struct cede_exit *news = NULL;
    while (cede_recv(self, cede_exit, &news, CEDE_MILLIS(1)) != CEDE_OK) {
        struct number *message = cede_new(self, number); /* some go down with their worker */
        message->value = CEDE_EIO;
        if (cede_send(self, pool, &message) != CEDE_OK) cede_drop(self, &message);
    }
    EXPECT(cede_ref_equal(news->actor, pool));
    EXPECT_RESULT((cede_result)news->reason, CEDE_ELIMIT);
    cede_drop(self, &news);
    return CEDE_OK;
}

TURN_TEST(pool_that_makes_no_sense_is_refused) {
    struct fixture *fixture = context;
    static const struct cede_pool BAD[] = {
        {.worker = {.behaviour = &worker}},
        {.worker = {.behaviour = &worker}, .count = 1025},
        {.worker = {.behaviour = &worker}, .count = 1, .route = CEDE_ROUTE_HASH},
        {.count = 1},
    };
    cede_ref ref = {0};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
        EXPECT_RESULT(cede_pool_start(self, &BAD[i], CEDE_FOREVER, &ref), CEDE_EINVAL);
    EXPECT(fixture_logged(fixture, "struct cede_pool: .count must be 1 to 1024"));
    EXPECT_RESULT(cede_pool_start(self, NULL, 0, &ref), CEDE_EINVAL);
    EXPECT_RESULT(cede_pool_start(NULL, &BAD[0], 0, &ref), CEDE_ECONTEXT);
    EXPECT(cede_ref_is_none(ref));
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(round_robin_asks_one_after_the_other),
        WITH_SYSTEM(hash_sends_equal_keys_to_one_worker_and_uses_all),
        WITH_SYSTEM(least_loaded_leaves_the_busy_one_alone),
        WITH_SYSTEM(broadcast_gives_each_worker_a_copy),
        WITH_SYSTEM(broadcast_leaves_no_worker_out_when_memory_is_short),
        WITH_SYSTEM(full_workers_make_the_pool_wait_and_nothing_is_lost),
        WITH_SYSTEM(messages_wait_while_no_worker_is_there),
        WITH_SYSTEM(pool_that_restarts_too_often_gives_up),
        WITH_SYSTEM(pool_that_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
