/* fan.c - many senders to one receiver, and one sender to many.
 *   fan_in                8 senders of 500,000 messages each to one receiver without a bound
 *   fan_in_b1024          the same, bounded to 1,024: the senders wait for room
 *   fork_join_throughput  one sender gives 1,000 actors 1,000 messages each, in turn
 * Each message is allocated by its sender and dropped by its receiver. */
#include <stdio.h>

#include "bench.h"

enum {
    SENDERS = 8,
    PER_SENDER = 500000,
    FORK_ACTORS = 1000,
    FORK_MESSAGES = 1000,
    FAN_YIELD_EVERY = 256,  /* about 5 us: what is under way stays in the cache */
    FORK_YIELD_EVERY = 4096 /* about 60 us: each has some messages when it runs */
};

struct tally {
    uint64_t seen;
};

static cede_result on_fan_number(cede_self *self, struct tally *tally, struct number *m) {
    (void)m;
    return ++tally->seen == (uint64_t)SENDERS * PER_SENDER ? countdown_tick(self) : CEDE_OK;
}

#define SINK(ON) ON(number, on_fan_number)
CEDE_BEHAVIOUR(sink, struct tally, SINK, .mailbox_max = CEDE_MAILBOX_UNBOUNDED);
CEDE_BEHAVIOUR(sink_bounded, struct tally, SINK, .mailbox_max = 1024);

#define TARGET(F)                                                                                  \
    F(ref, actor)                                                                                  \
    F(bool, waits)
CEDE_MESSAGE(target, TARGET);

CEDE_YIELDS static cede_result on_target(cede_self *self, void *state, struct target *target) {
    (void)state;
    cede_ref to = target->actor;
    bool waits = target->waits;
    cede_result r = CEDE_OK;
    for (uint64_t i = 0; r == CEDE_OK && i < PER_SENDER; i++) {
        struct number *m = cede_new(self, number);
        if (m == NULL) return CEDE_ENOMEM;
        m->value = i;
        r = waits ? cede_send_wait(self, to, &m, CEDE_FOREVER) : cede_send(self, to, &m);
        if (i % FAN_YIELD_EVERY == FAN_YIELD_EVERY - 1) cede_yield(self);
    }
    return r == CEDE_OK ? CEDE_STOP : r;
}

#define SOURCE(ON) ON(target, on_target)
CEDE_BEHAVIOUR(source, void, SOURCE);

CEDE_YIELDS static cede_result fan_in(cede_self *self, bool bounded, struct result *result) {
    cede_ref to = {0};
    countdown_begin(self, 1);
    cede_result r = cede_spawn(self, bounded ? &sink_bounded : &sink, CEDE_NOTHING, &to);
    uint64_t start_ns = cede_now(self);
    for (int i = 0; r == CEDE_OK && i < SENDERS; i++) {
        struct target *target = cede_new(self, target);
        if (target == NULL) return CEDE_ENOMEM;
        target->actor = to;
        target->waits = bounded;
        r = cede_spawn(self, &source, &target, NULL);
        cede_drop(self, &target);
    }
    if (r == CEDE_OK) r = countdown_await(self);
    result->ns = cede_now(self) - start_ns;
    result->op = "message";
    result->ops = (uint64_t)SENDERS * PER_SENDER;
    snprintf(result->extra, sizeof result->extra, bounded ? "bounded 1024" : "unbounded");
    return r;
}

CEDE_YIELDS static cede_result run_fan_in(cede_self *self, void *context) {
    return fan_in(self, false, context);
}

CEDE_YIELDS static cede_result run_fan_in_bounded(cede_self *self, void *context) {
    return fan_in(self, true, context);
}

/* ---- fork_join_throughput ---- */

static cede_result on_fork_number(cede_self *self, struct tally *tally, struct number *m) {
    (void)m;
    return ++tally->seen == FORK_MESSAGES ? countdown_tick(self) : CEDE_OK;
}

#define FORKED(ON) ON(number, on_fork_number)
CEDE_BEHAVIOUR(forked, struct tally, FORKED);

static cede_ref fork_actors[FORK_ACTORS];

static cede_result fork_send(cede_self *self, cede_ref to, uint64_t value) {
    struct number *m = cede_new(self, number);
    if (m == NULL) return CEDE_ENOMEM;
    m->value = value;
    cede_result r = cede_send(self, to, &m);
    if (r != CEDE_OK) cede_drop(self, &m);
    return r;
}

CEDE_YIELDS static cede_result run_fork_join(cede_self *self, void *context) {
    struct result *result = context;
    cede_result r = CEDE_OK;
    countdown_begin(self, FORK_ACTORS);
    for (int i = 0; r == CEDE_OK && i < FORK_ACTORS; i++)
        r = cede_spawn(self, &forked, CEDE_NOTHING, &fork_actors[i]);
    if (r == CEDE_OK) r = cede_sleep(self, CEDE_MILLIS(20));
    uint64_t start_ns = cede_now(self), sent = 0;
    for (uint64_t i = 0; r == CEDE_OK && i < FORK_MESSAGES; i++) {
        for (int k = 0; r == CEDE_OK && k < FORK_ACTORS; k++) {
            r = fork_send(self, fork_actors[k], i);
            if (++sent % FORK_YIELD_EVERY == 0) cede_yield(self);
        }
    }
    if (r == CEDE_OK) r = countdown_await(self);
    result->ns = cede_now(self) - start_ns;
    result->op = "message";
    result->ops = (uint64_t)FORK_ACTORS * FORK_MESSAGES;
    return r;
}

const struct workload FAN_WORKLOADS[] = {
    {.name = "fan_in", .run = run_fan_in},
    {.name = "fan_in_b1024", .run = run_fan_in_bounded},
    {.name = "fork_join_throughput", .run = run_fork_join},
    {.name = NULL},
};
