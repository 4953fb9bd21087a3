/* operations.c - runs one operation of an actor so many times, on one worker, for counts.py to count its instructions.
 *   send     two actors pass one message to and fro                      (a message sent and handled)
 *   message  one actor makes messages, another handles and drops them    (a message)
 *   ask      one actor asks another, which answers with the request      (a round trip)
 *   spawn    an actor is spawned with a message, handles it and stops    (an actor)
 *   yield    two actors give way to each other                           (a yield)
 * Under callgrind everything takes fifty times as long, and how long depends on the machine: budgets of time would end turns here and
 * there. So time hardly passes for the worker: its clock moves by its own readings.
 * usage: counts_operations OPERATION TIMES      (--compiler: what it was compiled with) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cede/cede.h>

#include "core/sched/sched.h"
#include "core/sys/clock.h"

enum { YIELD_EVERY = 64, READING_NS = 20 };

/* In place of core/sys/clock.c. */
uint64_t cedei_clock_now_ns(void) {
    static _Thread_local uint64_t worker_ns = 1000000000;
    if (cedei_worker_current() != NULL) return worker_ns += READING_NS;
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) abort();
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#define BALL(F) F(u64, left)
CEDE_MESSAGE(ball, BALL);
#define NEIGHBOUR(F)                                                                               \
    F(ref, actor)                                                                                  \
    F(ref, root)
CEDE_MESSAGE(neighbour, NEIGHBOUR);

struct player {
    cede_ref next, root; /* whom the ball goes to, and where it ends */
};

static cede_result on_neighbour(cede_self *self, struct player *player, struct neighbour *m) {
    (void)self;
    player->next = m->actor;
    player->root = m->root;
    return CEDE_OK;
}

static cede_result on_ball(cede_self *self, struct player *player, struct ball *ball) {
    if (ball->left == 0) return cede_send(self, player->root, &ball);
    ball->left--;
    return cede_send(self, player->next, &ball);
}

#define PLAYER(ON)                                                                                 \
    ON(ball, on_ball)                                                                              \
    ON(neighbour, on_neighbour)
CEDE_BEHAVIOUR(player, struct player, PLAYER);

static cede_result player_make(cede_self *self, cede_ref next, cede_ref *out) {
    struct neighbour *m = cede_new(self, neighbour);
    if (m == NULL) return CEDE_ENOMEM;
    m->actor = next;
    m->root = cede_self_ref(self);
    return cede_spawn(self, &player, &m, out);
}

static CEDE_YIELDS cede_result run_send(cede_self *self, void *times) {
    cede_ref one = {0}, other = {0};
    cede_result r = player_make(self, (cede_ref){0}, &one);
    if (r == CEDE_OK) r = player_make(self, one, &other);
    struct neighbour *m = cede_new(self, neighbour);
    struct ball *ball = cede_new(self, ball);
    if (r != CEDE_OK || m == NULL || ball == NULL) return CEDE_ENOMEM;
    m->actor = other;
    m->root = cede_self_ref(self);
    r = cede_send(self, one, &m);
    ball->left = *(uint64_t *)times;
    if (r == CEDE_OK) r = cede_send(self, one, &ball);
    if (r == CEDE_OK) r = cede_recv(self, ball, &ball, CEDE_FOREVER);
    cede_drop(self, &m);
    cede_drop(self, &ball);
    return r;
}

static cede_result on_any(cede_self *self, void *state, struct ball *ball) {
    (void)self, (void)state, (void)ball;
    return CEDE_OK;
}
#define SINK(ON) ON(ball, on_any)
CEDE_BEHAVIOUR(sink, void, SINK);

static CEDE_YIELDS cede_result run_message(cede_self *self, void *times) {
    cede_ref to = {0};
    cede_result r = cede_spawn(self, &sink, CEDE_NOTHING, &to);
    for (uint64_t i = *(uint64_t *)times; r == CEDE_OK && i > 0; i--) {
        struct ball *ball = cede_new(self, ball);
        if (ball == NULL) return CEDE_ENOMEM;
        ball->left = i;
        r = cede_send(self, to, &ball);
        while (r == CEDE_EFULL) { /* a spare worker has the receiver, and is held up */
            cede_yield(self);
            r = cede_send(self, to, &ball);
        }
        cede_drop(self, &ball);
        if (i % YIELD_EVERY == 0) cede_yield(self);
    }
    return r;
}

static cede_result on_request(cede_self *self, void *state, struct ball *ball) {
    (void)state;
    return cede_reply(self, ball, &ball);
}
#define ECHO(ON) ON(ball, on_request)
CEDE_BEHAVIOUR(echo, void, ECHO);

static CEDE_YIELDS cede_result run_ask(cede_self *self, void *times) {
    cede_ref to = {0};
    cede_result r = cede_spawn(self, &echo, CEDE_NOTHING, &to);
    struct ball *ball = cede_new(self, ball);
    if (ball == NULL) return CEDE_ENOMEM;
    for (uint64_t i = *(uint64_t *)times; r == CEDE_OK && i > 0; i--) {
        ball->left = i;
        r = cede_ask(self, to, &ball, ball, &ball, CEDE_FOREVER);
    }
    cede_drop(self, &ball);
    return r;
}

static cede_result on_only(cede_self *self, void *state, struct ball *ball) {
    (void)self, (void)state, (void)ball;
    return CEDE_STOP;
}
#define MAYFLY(ON) ON(ball, on_only)
CEDE_BEHAVIOUR(mayfly, void, MAYFLY);

static CEDE_YIELDS cede_result run_spawn(cede_self *self, void *times) {
    cede_result r = CEDE_OK;
    for (uint64_t i = *(uint64_t *)times; r == CEDE_OK && i > 0; i--) {
        struct ball *ball = cede_new(self, ball);
        if (ball == NULL) return CEDE_ENOMEM;
        r = cede_spawn(self, &mayfly, &ball, NULL);
        cede_drop(self, &ball);
        if (i % YIELD_EVERY == 0) cede_yield(self);
    }
    return r;
}

static CEDE_YIELDS cede_result on_yields(cede_self *self, void *state, struct ball *ball) {
    (void)state;
    for (uint64_t i = 0; i < ball->left; i++) cede_yield(self);
    return CEDE_STOP;
}
#define YIELDER(ON) ON(ball, on_yields)
CEDE_BEHAVIOUR(yielder, void, YIELDER);

static CEDE_YIELDS cede_result run_yield(cede_self *self, void *times) {
    uint64_t half = *(uint64_t *)times / 2;
    struct ball *ball = cede_new(self, ball);
    if (ball == NULL) return CEDE_ENOMEM;
    ball->left = half;
    cede_result r = cede_spawn(self, &yielder, &ball, NULL);
    cede_drop(self, &ball);
    for (uint64_t i = 0; r == CEDE_OK && i < half; i++) cede_yield(self);
    return r;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        cede_block_fn *run;
    } OPERATIONS[] = {{"send", run_send},
                      {"message", run_message},
                      {"ask", run_ask},
                      {"spawn", run_spawn},
                      {"yield", run_yield}};
    if (argc == 2 && strcmp(argv[1], "--compiler") == 0) {
        puts(__VERSION__);
        return 0;
    }
    uint64_t times = argc == 3 ? strtoull(argv[2], NULL, 10) : 0;
    for (size_t i = 0; argc == 3 && i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++) {
        if (strcmp(argv[1], OPERATIONS[i].name) != 0) continue;
        cede_system *system = NULL;
        struct cede_options options = {.workers = 1};
        if (cede_system_create(&system, &options) != CEDE_OK) return 1; /* it said why */
        cede_result r = cede_block_on(system, OPERATIONS[i].run, &times);
        cede_system_destroy(system);
        if (r == CEDE_OK) return 0;
        fprintf(stderr, "counts_operations: %s: %s\n", argv[1], cede_result_text(r));
        return 1;
    }
    fprintf(stderr, "usage: counts_operations OPERATION TIMES\n");
    return 2;
}
