/* exchange.c - workloads of actors that pass messages to and fro.
 *   ping_pong      2 actors pass one message to and fro, 1,000,000 round trips; both handlers return after each message
 *   ping_pong_ask  the same, one side in straight-line code with an ask in each round
 *   thread_ring    1,000 actors in a ring, 2,000,000 hops
 *   big            200 actors send 2,000 pings each to random others, which answer; the next ping follows the answer
 * A message that goes round is one block that moves: that is what sending is here, where the peers copy a value. */
#include <stdio.h>

#include "bench.h"

enum { ROUNDS = 1000000, RING_ACTORS = 1000, HOPS = 2000000, BIG_ACTORS = 200, BIG_PINGS = 2000 };

/* ---- ping_pong, thread_ring: the ball goes on until it is played out, then back to the one that served it ---- */

#define BALL(F) F(u64, left)
CEDE_MESSAGE(ball, BALL);
#define NEIGHBOUR(F)                                                                               \
    F(ref, actor)                                                                                  \
    F(ref, server)
CEDE_MESSAGE(neighbour, NEIGHBOUR);

struct player {
    cede_ref next, server;
};

static cede_result on_neighbour(cede_self *self, struct player *player, struct neighbour *m) {
    (void)self;
    player->next = m->actor;
    player->server = m->server;
    return CEDE_OK;
}

static cede_result on_ball(cede_self *self, struct player *player, struct ball *ball) {
    if (ball->left == 0) return cede_send(self, player->server, &ball);
    ball->left--;
    return cede_send(self, player->next, &ball);
}

#define PLAYER(ON)                                                                                 \
    ON(ball, on_ball)                                                                              \
    ON(neighbour, on_neighbour)
CEDE_BEHAVIOUR(player, struct player, PLAYER);

/* A ring of `count` players, each sending to the one before it. */
static cede_result ring_make(cede_self *self, uint32_t count, cede_ref *first) {
    cede_ref last = {0};
    cede_result r = CEDE_OK;
    for (uint32_t i = 0; r == CEDE_OK && i <= count; i++) {
        struct neighbour *m = cede_new(self, neighbour);
        if (m == NULL) return CEDE_ENOMEM;
        m->actor = last;
        m->server = cede_self_ref(self);
        r = i == count ? cede_send(self, *first, &m) : cede_spawn(self, &player, &m, &last);
        if (i == 0) *first = last;
        cede_drop(self, &m);
    }
    return r;
}

CEDE_YIELDS static cede_result ring_play(cede_self *self, uint32_t actors, uint64_t hops,
                                         struct result *result) {
    cede_ref first = {0};
    cede_result r = ring_make(self, actors, &first);
    if (r == CEDE_OK) r = cede_sleep(self, CEDE_MILLIS(20)); /* as the peers do: all are at rest */
    if (r != CEDE_OK) return r;
    struct ball *ball = cede_new(self, ball);
    if (ball == NULL) return CEDE_ENOMEM;
    ball->left = hops;
    uint64_t start_ns = cede_now(self);
    r = cede_send(self, first, &ball);
    if (r == CEDE_OK) r = cede_recv(self, ball, &ball, CEDE_FOREVER);
    result->ns = cede_now(self) - start_ns;
    result->ops = hops;
    cede_drop(self, &ball);
    return r;
}

CEDE_YIELDS static cede_result run_ping_pong(cede_self *self, void *context) {
    struct result *result = context;
    result->op = "message";
    return ring_play(self, 2, 2 * ROUNDS, result);
}

CEDE_YIELDS static cede_result run_thread_ring(cede_self *self, void *context) {
    struct result *result = context;
    result->op = "hop";
    return ring_play(self, RING_ACTORS, HOPS, result);
}

/* ---- ping_pong_ask ---- */

/* Answers with the request itself. */
static cede_result on_echo(cede_self *self, void *state, struct ball *ball) {
    (void)state;
    return cede_reply(self, ball, &ball);
}

#define ECHO(ON) ON(ball, on_echo)
CEDE_BEHAVIOUR(echo, void, ECHO);

CEDE_YIELDS static cede_result run_ping_pong_ask(cede_self *self, void *context) {
    struct result *result = context;
    cede_ref to = {0};
    cede_result r = cede_spawn(self, &echo, CEDE_NOTHING, &to);
    if (r != CEDE_OK) return r;
    struct ball *ball = cede_new(self, ball);
    if (ball == NULL) return CEDE_ENOMEM;
    uint64_t start_ns = cede_now(self);
    for (uint64_t i = 0; r == CEDE_OK && i < ROUNDS; i++) {
        ball->left = i;
        r = cede_ask(self, to, &ball, ball, &ball, CEDE_FOREVER);
    }
    result->ns = cede_now(self) - start_ns;
    result->op = "message";
    result->ops = 2 * ROUNDS;
    cede_drop(self, &ball);
    return r;
}

/* ---- big ---- */

#define NOTE(F)                                                                                    \
    F(u32, from)                                                                                   \
    F(bool, is_answer)
CEDE_MESSAGE(note, NOTE);

struct gossip {
    uint64_t random;
    uint32_t index, sent;
};

static cede_ref big_actors[BIG_ACTORS]; /* filled before the first note, which publishes it */

static cede_result big_ping(cede_self *self, struct gossip *gossip, struct note **note) {
    gossip->sent++;
    (*note)->from = gossip->index;
    (*note)->is_answer = false;
    return cede_send(self, big_actors[random_next(&gossip->random) % BIG_ACTORS], note);
}

static cede_result on_note(cede_self *self, struct gossip *gossip, struct note *note) {
    if (note->is_answer)
        return gossip->sent < BIG_PINGS ? big_ping(self, gossip, &note) : countdown_tick(self);
    note->is_answer = true;
    return cede_send(self, big_actors[note->from], &note);
}

/* Its number; from now on it pings. */
static cede_result on_start(cede_self *self, struct gossip *gossip, struct number *m) {
    gossip->index = (uint32_t)m->value;
    gossip->random = 0x9E3779B97F4A7C15u ^ ((m->value + 1) * 7919);
    struct note *note = cede_new(self, note);
    return note != NULL ? big_ping(self, gossip, &note) : CEDE_ENOMEM;
}

#define GOSSIP(ON)                                                                                 \
    ON(note, on_note)                                                                              \
    ON(number, on_start)
CEDE_BEHAVIOUR(gossip, struct gossip, GOSSIP);

CEDE_YIELDS static cede_result run_big(cede_self *self, void *context) {
    struct result *result = context;
    countdown_begin(self, BIG_ACTORS);
    cede_result r = CEDE_OK;
    for (uint32_t i = 0; r == CEDE_OK && i < BIG_ACTORS; i++)
        r = cede_spawn(self, &gossip, CEDE_NOTHING, &big_actors[i]);
    uint64_t start_ns = cede_now(self);
    for (uint32_t i = 0; r == CEDE_OK && i < BIG_ACTORS; i++) {
        struct number *m = cede_new(self, number);
        if (m == NULL) return CEDE_ENOMEM;
        m->value = i;
        r = cede_send(self, big_actors[i], &m);
        cede_drop(self, &m);
    }
    if (r == CEDE_OK) r = countdown_await(self);
    result->ns = cede_now(self) - start_ns;
    result->op = "message";
    result->ops = (uint64_t)BIG_ACTORS * BIG_PINGS * 2;
    return r;
}

const struct workload EXCHANGE_WORKLOADS[] = {
    {.name = "ping_pong", .run = run_ping_pong},
    {.name = "ping_pong_ask", .run = run_ping_pong_ask},
    {.name = "thread_ring", .run = run_thread_ring},
    {.name = "big", .run = run_big},
    {.name = NULL},
};
