/* birth.c - making actors, ending them, giving way, and what an idle one costs.
 *   spawn             1,000,000 actors that are spawned, sent one message, and end
 *   spawn_bare        the same with what they begin with in place of a message: no mailbox is used
 *   chained_spawn     a chain of 1,000 actors, each spawning the next and ending, 500 times
 *   spawn_many        10,000 actors that end at once, 50 times; each time from a plain thread
 *   spawn_many_local  the same from one actor
 *   yield_many        200 actors that give way 1,000 times, 10 times
 *   memory            resident bytes per actor at 1,000,000 that ran once and are at rest; 16 bytes of state each */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

enum {
    SPAWNS = 1000000,
    CHAIN_DEPTH = 1000,
    CHAINS = 500,
    MANY = 10000,
    MANY_TIMES = 50,
    YIELDERS = 200,
    YIELDS = 1000,
    YIELD_TIMES = 10,
    IDLE_ACTORS = 1000000,
    SPAWN_YIELD_EVERY = 128 /* about 20 us */
};

/* ---- spawn, spawn_bare, spawn_many ---- */

static cede_result on_only_number(cede_self *self, void *state, struct number *m) {
    (void)state;
    (void)m;
    cede_result r = countdown_tick(self);
    return r == CEDE_OK ? CEDE_STOP : r;
}

#define MAYFLY(ON) ON(number, on_only_number)
CEDE_BEHAVIOUR(mayfly, void, MAYFLY);

static cede_result mayfly_start(cede_self *self, uint64_t value, bool by_mailbox) {
    cede_ref to = {0};
    cede_result r = by_mailbox ? cede_spawn(self, &mayfly, CEDE_NOTHING, &to) : CEDE_OK;
    if (r != CEDE_OK) return r;
    struct number *m = cede_new(self, number);
    if (m == NULL) return CEDE_ENOMEM;
    m->value = value;
    r = by_mailbox ? cede_send(self, to, &m) : cede_spawn(self, &mayfly, &m, NULL);
    cede_drop(self, &m);
    return r;
}

CEDE_YIELDS static cede_result mayflies(cede_self *self, uint64_t count, bool by_mailbox) {
    cede_result r = CEDE_OK;
    countdown_begin(self, count);
    for (uint64_t i = 0; r == CEDE_OK && i < count; i++) {
        r = mayfly_start(self, i, by_mailbox);
        if (i % SPAWN_YIELD_EVERY == SPAWN_YIELD_EVERY - 1) cede_yield(self);
    }
    return r == CEDE_OK ? countdown_await(self) : r;
}

CEDE_YIELDS static cede_result spawn(cede_self *self, bool by_mailbox, struct result *result) {
    uint64_t start_ns = cede_now(self);
    cede_result r = mayflies(self, SPAWNS, by_mailbox);
    result->ns = cede_now(self) - start_ns;
    result->op = "actor";
    result->ops = SPAWNS;
    return r;
}

CEDE_YIELDS static cede_result run_spawn(cede_self *self, void *context) {
    return spawn(self, true, context);
}

CEDE_YIELDS static cede_result run_spawn_bare(cede_self *self, void *context) {
    return spawn(self, false, context);
}

CEDE_YIELDS static cede_result run_many(cede_self *self, void *context) {
    (void)context;
    return mayflies(self, MANY, false);
}

/* From outside there is no cede_self to spawn with: each batch comes in by an actor of cede_block_on. */
static cede_result run_spawn_many(cede_system *system, struct result *result) {
    cede_result r = CEDE_OK;
    uint64_t start_ns = thread_now_ns();
    for (int i = 0; r == CEDE_OK && i < MANY_TIMES; i++) r = cede_block_on(system, run_many, NULL);
    result->ns = thread_now_ns() - start_ns;
    result->op = "task";
    result->ops = (uint64_t)MANY * MANY_TIMES;
    snprintf(result->extra, sizeof result->extra, "each batch by cede_block_on");
    return r;
}

CEDE_YIELDS static cede_result run_spawn_many_local(cede_self *self, void *context) {
    struct result *result = context;
    cede_result r = CEDE_OK;
    uint64_t start_ns = cede_now(self);
    for (int i = 0; r == CEDE_OK && i < MANY_TIMES; i++) r = mayflies(self, MANY, false);
    result->ns = cede_now(self) - start_ns;
    result->op = "task";
    result->ops = (uint64_t)MANY * MANY_TIMES;
    snprintf(result->extra, sizeof result->extra, "from a worker");
    return r;
}

/* ---- chained_spawn ---- */

static cede_result on_link_number(cede_self *self, void *state, struct number *m);
#define CHAIN_LINK(ON) ON(number, on_link_number)
CEDE_BEHAVIOUR(chain_link, void, CHAIN_LINK);

static cede_result on_link_number(cede_self *self, void *state, struct number *m) {
    (void)state;
    cede_result r = m->value-- == 0 ? countdown_tick(self) : cede_spawn(self, &chain_link, &m, NULL);
    return r == CEDE_OK ? CEDE_STOP : r;
}

CEDE_YIELDS static cede_result run_chained_spawn(cede_self *self, void *context) {
    struct result *result = context;
    cede_result r = CEDE_OK;
    uint64_t start_ns = cede_now(self);
    for (int i = 0; r == CEDE_OK && i < CHAINS; i++) {
        countdown_begin(self, 1);
        struct number *m = cede_new(self, number);
        if (m == NULL) return CEDE_ENOMEM;
        m->value = CHAIN_DEPTH;
        r = cede_spawn(self, &chain_link, &m, NULL);
        if (r == CEDE_OK) r = countdown_await(self);
        cede_drop(self, &m);
    }
    result->ns = cede_now(self) - start_ns;
    result->op = "spawn";
    result->ops = (uint64_t)CHAIN_DEPTH * CHAINS;
    return r;
}

/* ---- yield_many ---- */

CEDE_YIELDS static cede_result on_yield_number(cede_self *self, void *state, struct number *m) {
    (void)state;
    for (uint64_t left = m->value; left > 0; left--) cede_yield(self);
    cede_result r = countdown_tick(self);
    return r == CEDE_OK ? CEDE_STOP : r;
}

#define YIELDER(ON) ON(number, on_yield_number)
CEDE_BEHAVIOUR(yielder, void, YIELDER);

CEDE_YIELDS static cede_result run_yield_many(cede_self *self, void *context) {
    struct result *result = context;
    cede_result r = CEDE_OK;
    uint64_t start_ns = cede_now(self);
    for (int i = 0; r == CEDE_OK && i < YIELD_TIMES; i++) {
        countdown_begin(self, YIELDERS);
        for (int k = 0; r == CEDE_OK && k < YIELDERS; k++) {
            struct number *m = cede_new(self, number);
            if (m == NULL) return CEDE_ENOMEM;
            m->value = YIELDS;
            r = cede_spawn(self, &yielder, &m, NULL);
            cede_drop(self, &m);
        }
        if (r == CEDE_OK) r = countdown_await(self);
    }
    result->ns = cede_now(self) - start_ns;
    result->op = "yield";
    result->ops = (uint64_t)YIELDERS * YIELDS * YIELD_TIMES;
    return r;
}

/* ---- memory ---- */

struct idler {
    uint64_t seen, sum; /* the 16 bytes of state */
};

static cede_result on_idle_number(cede_self *self, struct idler *idler, struct number *m) {
    idler->seen++;
    idler->sum += m->value;
    return countdown_tick(self);
}

#define IDLER(ON) ON(number, on_idle_number)
CEDE_BEHAVIOUR(idler, struct idler, IDLER);

static cede_ref idle_actors[IDLE_ACTORS];

CEDE_YIELDS static cede_result run_memory(cede_self *self, void *context) {
    struct result *result = context;
    cede_result r = CEDE_OK;
    memset(idle_actors, 1, sizeof idle_actors); /* the refs are not what is measured */
    countdown_begin(self, IDLE_ACTORS);
    uint64_t before = resident_bytes(), start_ns = cede_now(self);
    for (uint64_t i = 0; r == CEDE_OK && i < IDLE_ACTORS; i++) {
        struct number *m = cede_new(self, number);
        if (m == NULL) return CEDE_ENOMEM;
        m->value = i;
        r = cede_spawn(self, &idler, &m, &idle_actors[i]);
        cede_drop(self, &m);
        if (i % SPAWN_YIELD_EVERY == SPAWN_YIELD_EVERY - 1) cede_yield(self);
    }
    if (r == CEDE_OK) r = countdown_await(self);
    result->ns = cede_now(self) - start_ns;
    result->op = "actor";
    result->ops = IDLE_ACTORS;
    snprintf(result->extra, sizeof result->extra, "bytes_per_actor=%" PRIu64,
             (resident_bytes() - before) / IDLE_ACTORS);
    return r;
}

const struct workload BIRTH_WORKLOADS[] = {
    {.name = "spawn", .run = run_spawn},
    {.name = "spawn_bare", .run = run_spawn_bare},
    {.name = "chained_spawn", .run = run_chained_spawn},
    {.name = "spawn_many", .run_outside = run_spawn_many},
    {.name = "spawn_many_local", .run = run_spawn_many_local},
    {.name = "yield_many", .run = run_yield_many},
    {.name = "memory", .run = run_memory},
    {.name = NULL},
};
