/* actors.h - a system for each test of actors, and the check behind every one of them: nothing was lost, nothing made up.
 * A test is a function that runs as a turn (cede_block_on); further actors are made by `play`, each from a function.
 * CEDE_TEST_WORKERS and CEDE_TEST_STRICT in the environment say on what kind of system the tests run. */
#ifndef CEDE_TESTS_ACTORS_H
#define CEDE_TESTS_ACTORS_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cede/actor.h>
#include <cede/system.h>

#include "actors/actor/actor.h"
#include "tests/support/child.h"
#include "tests/support/expect.h"

/* ---- messages ---- */

#define TEST_NUMBER(F) F(u64, value)
CEDE_MESSAGE(number, TEST_NUMBER);
#define TEST_QUESTION(F) F(u64, value)
CEDE_MESSAGE(question, TEST_QUESTION);
#define TEST_ANSWER(F) F(u64, value)
CEDE_MESSAGE(answer, TEST_ANSWER);
#define TEST_GO(F) F(ref, to)
CEDE_MESSAGE(go, TEST_GO);
#define TEST_NOTE(F)                                                                               \
    F(str, text)                                                                                   \
    F(u64, value)
CEDE_MESSAGE(note, TEST_NOTE);

/* What an actor is to do: a function, for tests that read from top to bottom. */
struct play {
    cede_result (*run)(cede_self *self, void *context);
    void *context;
    CEDE_MESSAGE_MARK;
};
static inline void play_drop(struct play *play) { (void)play; }
CEDE_OPAQUE_MESSAGE(play, play_drop);

/* ---- actors ---- */

struct player {
    int unused;
};

static inline CEDE_YIELDS cede_result on_play(cede_self *self, struct player *state,
                                              struct play *message) {
    (void)state;
    return message->run(self, message->context);
}

#define TEST_PLAYER(ON) ON(play, on_play)
CEDE_BEHAVIOUR(player, struct player, TEST_PLAYER);
/* A mailbox for two, and for one. */
CEDE_BEHAVIOUR(player_of_two, struct player, TEST_PLAYER, .mailbox_max = 2);
CEDE_BEHAVIOUR(player_of_one, struct player, TEST_PLAYER, .mailbox_max = 1);
CEDE_BEHAVIOUR(player_that_blocks, struct player, TEST_PLAYER, .kind = CEDE_BLOCKING);

/* Spawns an actor of `behaviour` whose first turn is `run(self, context)`. */
static inline cede_ref play_as(cede_self *self, const cede_behaviour *behaviour,
                               cede_result (*run)(cede_self *, void *), void *context) {
    struct play *first = cede_new(self, play);
    EXPECT(first != NULL);
    first->run = run;
    first->context = context;
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn(self, behaviour, &first, &ref));
    EXPECT(first == NULL && !cede_ref_is_none(ref));
    return ref;
}

static inline cede_ref play(cede_self *self, cede_result (*run)(cede_self *, void *),
                            void *context) {
    return play_as(self, &player, run, context);
}

/* Has a living player do one thing more, as a turn of its own. */
static inline void play_also(cede_self *self, cede_ref actor,
                             cede_result (*run)(cede_self *, void *), void *context) {
    struct play *next = cede_new(self, play);
    EXPECT(next != NULL);
    next->run = run;
    next->context = context;
    EXPECT_OK(cede_send(self, actor, &next));
}

static inline void number_send(cede_self *self, cede_ref to, uint64_t value) {
    struct number *message = cede_new(self, number);
    EXPECT(message != NULL);
    message->value = value;
    EXPECT_OK(cede_send(self, to, &message));
}

/* Waits for a number and returns it. */
static inline CEDE_YIELDS uint64_t number_await(cede_self *self) {
    struct number *message = NULL;
    EXPECT_OK(cede_recv(self, number, &message, CEDE_FOREVER));
    uint64_t value = message->value;
    cede_drop(self, &message);
    return value;
}

/* Waits until `actor`, which the caller watches, has ended. */
static inline CEDE_YIELDS cede_result down_await(cede_self *self, cede_ref actor) {
    struct cede_down *down = NULL;
    EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
    EXPECT(cede_ref_equal(down->actor, actor));
    cede_result reason = (cede_result)down->reason;
    cede_drop(self, &down);
    return reason;
}

/* Asks `to` with value and returns what cede_ask returned; the answer's value in `*out`. */
static inline CEDE_YIELDS cede_result question_ask(cede_self *self, cede_ref to, uint64_t value,
                                                   uint64_t *out) {
    struct question *request = cede_new(self, question);
    EXPECT(request != NULL);
    request->value = value;
    struct answer *reply = NULL;
    cede_result r = cede_ask(self, to, &request, answer, &reply, CEDE_FOREVER);
    if (request != NULL) cede_drop(self, &request);
    if (r != CEDE_OK) {
        EXPECT(reply == NULL);
        return r;
    }
    if (out != NULL) *out = reply->value;
    cede_drop(self, &reply);
    return CEDE_OK;
}

static inline void answer_give(cede_self *self, struct question *request, uint64_t value) {
    struct answer *reply = cede_new(self, answer);
    EXPECT(reply != NULL);
    reply->value = value;
    EXPECT_OK(cede_reply(self, request, &reply));
    EXPECT(reply == NULL);
}

/* Lets others run until `*flag` is `value`. */
static inline CEDE_YIELDS void flag_await(cede_self *self, _Atomic uint32_t *flag, uint32_t value) {
    /* acquire: what happened before the flag was set is seen after it. */
    while (atomic_load_explicit(flag, memory_order_acquire) != value) cede_yield(self);
}

static inline void flag_set(_Atomic uint32_t *flag, uint32_t value) {
    /* release: pairs with flag_await. */
    atomic_store_explicit(flag, value, memory_order_release);
}

static inline uint32_t flag_get(_Atomic uint32_t *flag) {
    /* acquire: as in flag_await. */
    return atomic_load_explicit(flag, memory_order_acquire);
}

/* Until the turn of `actor`, which lives in this system, is suspended in a wait (not merely yielding), or has ended. */
static inline CEDE_YIELDS void parked_await(cede_self *self, cede_ref actor) {
    struct cede_self *slot = cedei_table_find(cede_self_system(self), actor);
    EXPECT(slot != NULL);
    /* acquire: only looked at. */
    while (cedei_generation_of(slot) == actor.generation &&
           (atomic_load_explicit(&slot->wait, memory_order_acquire) & 3) != CEDEI_WAIT_PARKED)
        cede_yield(self);
}

/* ---- the system of a test ---- */

struct fixture {
    cede_system *system;
    struct cede_metrics last;     /* after fixture_stop */
    _Atomic uint32_t unaccounted; /* lines of actors/actor/audit.c */
    pthread_mutex_t lock;
    char log[16384]; /* under `lock`: the lines that Cede logged, a newline behind each */
    size_t log_used; /* under `lock` */
};

static inline void fixture_log(void *context, enum cede_log_level level, const char *line) {
    struct fixture *fixture = context;
    (void)level;
    if (strncmp(line, "conservation:", 13) == 0) {
        fprintf(stderr, "%s\n", line);
        /* relaxed: read when the system is gone. */
        atomic_fetch_add_explicit(&fixture->unaccounted, 1, memory_order_relaxed);
    }
    pthread_mutex_lock(&fixture->lock);
    size_t length = strlen(line), room = sizeof fixture->log - 2 - fixture->log_used;
    if (length > room) length = room;
    memcpy(fixture->log + fixture->log_used, line, length);
    fixture->log_used += length;
    if (length < room) fixture->log[fixture->log_used++] = '\n';
    fixture->log[fixture->log_used] = '\0';
    pthread_mutex_unlock(&fixture->lock);
}

static inline bool fixture_logged(struct fixture *fixture, const char *text) {
    pthread_mutex_lock(&fixture->lock);
    bool found = strstr(fixture->log, text) != NULL;
    pthread_mutex_unlock(&fixture->lock);
    return found;
}

static inline uint32_t test_setting(const char *name, uint32_t otherwise) {
    const char *text = getenv(name);
    return text != NULL ? (uint32_t)strtoul(text, NULL, 10) : otherwise;
}

/* What is zero in `options` is set from the environment. */
static inline struct fixture *fixture_begin(struct cede_options options) {
    struct fixture *fixture = calloc(1, sizeof *fixture);
    EXPECT(fixture != NULL);
    pthread_mutex_init(&fixture->lock, NULL);
    if (options.workers == 0) options.workers = test_setting("CEDE_TEST_WORKERS", 2);
    if (!options.strict) options.strict = test_setting("CEDE_TEST_STRICT", 0) != 0;
    options.log = fixture_log;
    options.log_context = fixture;
    EXPECT_OK(cede_system_create(&fixture->system, &options));
    return fixture;
}

/* Destroys the system; every message that was ever made must be dropped and every one sent accounted for, each type by itself. */
static inline void fixture_stop(struct fixture *fixture) {
    cedei_system_destroy(fixture->system, &fixture->last);
    fixture->system = NULL;
    const struct cede_metrics *last = &fixture->last;
    /* relaxed: no other thread is left. */
    EXPECT_EQUAL(atomic_load_explicit(&fixture->unaccounted, memory_order_relaxed), 0);
    EXPECT_EQUAL(last->messages_allocated, last->messages_dropped);
    EXPECT_EQUAL(last->messages_sent, last->messages_handled + last->messages_dead_lettered);
    EXPECT_EQUAL(last->actors_spawned, last->actors_ended);
}

static inline void fixture_free(struct fixture *fixture) {
    pthread_mutex_destroy(&fixture->lock);
    free(fixture);
}

static inline void fixture_end(struct fixture *fixture) {
    fixture_stop(fixture);
    fixture_free(fixture);
}

static inline int fixture_setup(void **state) {
    *state = fixture_begin((struct cede_options){0});
    return 0;
}

static inline int fixture_teardown(void **state) {
    fixture_end(*state);
    return 0;
}

/* Runs `run(self, context)` as a turn of the fixture's system; it must return CEDE_OK. */
static inline void fixture_run(struct fixture *fixture, cede_block_fn *run, void *context) {
    EXPECT_OK(cede_block_on(fixture->system, run, context));
}

/* A test whose body is one function that runs as a turn: TURN_TEST(name) { ... return CEDE_OK; }
 * `context` is the fixture. */
#define TURN_TEST(name)                                                                            \
    static CEDE_YIELDS cede_result name##_turn(cede_self *self, void *context);                    \
    static void name(void **state) { fixture_run(*state, name##_turn, *state); }                   \
    static CEDE_YIELDS cede_result name##_turn(cede_self *self, void *context)
#define WITH_SYSTEM(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
