/* nodes.c - two processes: this one and a second start of the same program, linked over loopback TCP, 64-byte messages.
 *   dist_roundtrip  20,000 asks, answered with the request
 *   dist_oneway     300,000 messages one way, until the other side says that it has them all */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <cede/node.h>
#include <cede/process.h>

#include "bench.h"

enum { PARCEL_BYTES = 64, ROUND_TRIPS = 20000, WARM_UP = 1000, ONE_WAY = 300000 };
#define PATIENCE CEDE_SECONDS(10)

#define PARCEL(F) F(array(u8, PARCEL_BYTES), content)
CEDE_MESSAGE(parcel, PARCEL);
#define NOTED(F) F(array(u8, PARCEL_BYTES), content)
CEDE_MESSAGE(noted, NOTED);
/* What the other process says of itself: its node, and the actor that ends it. */
#define SERVER(F)                                                                                  \
    F(u64, uid)                                                                                    \
    F(ref, actor)
CEDE_MESSAGE(server, SERVER);

/* ---- the other process ---- */

struct counter {
    uint64_t seen;
};

static cede_result on_parcel(cede_self *self, struct counter *counter, struct parcel *m) {
    (void)counter;
    return cede_reply(self, m, &m);
}

static cede_result on_noted(cede_self *self, struct counter *counter, struct noted *m) {
    (void)self;
    (void)m;
    counter->seen++;
    return CEDE_OK;
}

static cede_result on_count(cede_self *self, struct counter *counter, struct number *m) {
    m->value = counter->seen;
    return cede_reply(self, m, &m);
}

#define COUNTER(ON)                                                                                \
    ON(parcel, on_parcel)                                                                          \
    ON(noted, on_noted)                                                                            \
    ON(number, on_count)
CEDE_BEHAVIOUR(counter, struct counter, COUNTER);

CEDE_YIELDS static cede_result serve(cede_self *self, void *context) {
    const struct cede_node_options options = {.name = "server"};
    uint64_t uid = 0;
    cede_ref ref = {0};
    cede_result r = cede_node_start(self, &options);
    if (r == CEDE_OK) r = cede_spawn(self, &counter, CEDE_NOTHING, &ref);
    if (r == CEDE_OK) r = cede_publish(self, "counter", ref);
    if (r == CEDE_OK) r = cede_node_connect(self, context, PATIENCE, &uid);
    if (r == CEDE_OK) r = cede_lookup(self, uid, "client", PATIENCE, &ref);
    struct server *here = r == CEDE_OK ? cede_new(self, server) : NULL;
    if (here != NULL) {
        here->uid = cede_node_uid(self);
        here->actor = cede_self_ref(self);
        r = cede_send(self, ref, &here);
        cede_drop(self, &here);
    }
    struct finished *end = NULL;
    if (r == CEDE_OK) r = cede_recv(self, finished, &end, CEDE_FOREVER);
    cede_drop(self, &end);
    return r;
}

int node_server_main(const char *url) {
    const char *workers = getenv("CEDE_WORKERS");
    struct cede_options options = {.workers = workers != NULL ? (uint32_t)atoi(workers) : 1};
    cede_system *system = NULL;
    if (cede_process_follow_parent() != CEDE_OK || cede_system_create(&system, &options) != CEDE_OK)
        return 1;
    cede_result r = cede_block_on(system, serve, (void *)(uintptr_t)url);
    cede_system_destroy(system);
    return r == CEDE_OK ? 0 : 1;
}

/* ---- this one ---- */

struct pair {
    cede_process child;
    cede_ref to, server;
};

/* Starts the other process and waits until its counter can be reached. */
CEDE_YIELDS static cede_result pair_open(cede_self *self, struct pair *pair) {
    const struct cede_node_options options = {.name = "client", .listen_url = "tcp://127.0.0.1:0"};
    char url[128] = "", program[] = "/proc/self/exe", verb[] = "node_server";
    cede_result r = cede_node_start(self, &options);
    if (r == CEDE_OK) r = cede_node_url(self, url, sizeof url);
    if (r == CEDE_OK) r = cede_publish(self, "client", cede_self_ref(self));
    char *argv[] = {program, verb, url, NULL};
    if (r == CEDE_OK) r = cede_process_start(self, argv, &pair->child);
    struct server *hello = NULL;
    if (r == CEDE_OK) r = cede_recv(self, server, &hello, PATIENCE);
    if (r == CEDE_OK) r = cede_lookup(self, hello->uid, "counter", PATIENCE, &pair->to);
    if (r == CEDE_OK) pair->server = hello->actor;
    cede_drop(self, &hello);
    return r;
}

/* Returns `r`, or what went wrong when it is CEDE_OK. */
CEDE_YIELDS static cede_result pair_close(cede_self *self, struct pair *pair, cede_result r) {
    int32_t status = 0;
    if (pair->child.pid == 0) return r;
    struct finished *end = cede_new(self, finished);
    cede_result told = end != NULL ? cede_send(self, pair->server, &end) : CEDE_ENOMEM;
    if (told != CEDE_OK) told = cede_process_signal(self, &pair->child, SIGKILL);
    cede_drop(self, &end);
    cede_result waited = cede_process_wait(self, &pair->child, PATIENCE, &status);
    return r != CEDE_OK ? r : told != CEDE_OK ? told : waited;
}

CEDE_YIELDS static cede_result round_trips(cede_self *self, cede_ref to, uint64_t *latency,
                                           uint64_t count) {
    struct parcel *m = cede_new(self, parcel);
    if (m == NULL) return CEDE_ENOMEM;
    cede_result r = CEDE_OK;
    memset(m->content, 'x', sizeof m->content);
    for (uint64_t i = 0; r == CEDE_OK && i < count; i++) {
        uint64_t start_ns = cede_now(self);
        r = cede_ask(self, to, &m, parcel, &m, PATIENCE);
        latency[i] = cede_now(self) - start_ns;
    }
    cede_drop(self, &m);
    return r;
}

CEDE_YIELDS static cede_result run_roundtrip(cede_self *self, void *context) {
    struct result *result = context;
    struct pair pair = {.to = {0}};
    uint64_t *latency = calloc(ROUND_TRIPS, sizeof *latency);
    if (latency == NULL) return CEDE_ENOMEM;
    cede_result r = pair_open(self, &pair);
    if (r == CEDE_OK) r = round_trips(self, pair.to, latency, WARM_UP);
    uint64_t start_ns = cede_now(self);
    if (r == CEDE_OK) r = round_trips(self, pair.to, latency, ROUND_TRIPS);
    result->ns = cede_now(self) - start_ns;
    result->op = "round trip";
    result->ops = ROUND_TRIPS;
    latency_extra(latency, ROUND_TRIPS, result);
    free(latency);
    return pair_close(self, &pair, r);
}

/* How many have come; asked behind them, so answered after them. */
CEDE_YIELDS static cede_result count_ask(cede_self *self, cede_ref to, uint64_t *count) {
    struct number *m = cede_new(self, number);
    if (m == NULL) return CEDE_ENOMEM;
    cede_result r = cede_ask(self, to, &m, number, &m, PATIENCE);
    if (r == CEDE_OK) *count = m->value;
    cede_drop(self, &m);
    return r;
}

CEDE_YIELDS static cede_result one_way(cede_self *self, cede_ref to, uint64_t count) {
    cede_result r = CEDE_OK;
    for (uint64_t i = 0; r == CEDE_OK && i < count; i++) {
        struct noted *m = cede_new(self, noted);
        if (m == NULL) return CEDE_ENOMEM;
        memset(m->content, 'x', sizeof m->content);
        r = cede_send_wait(self, to, &m, PATIENCE);
        cede_drop(self, &m);
    }
    return r;
}

CEDE_YIELDS static cede_result run_oneway(cede_self *self, void *context) {
    struct result *result = context;
    struct pair pair = {.to = {0}};
    uint64_t count = 0;
    cede_result r = pair_open(self, &pair);
    if (r == CEDE_OK) r = count_ask(self, pair.to, &count);
    uint64_t start_ns = cede_now(self);
    if (r == CEDE_OK) r = one_way(self, pair.to, ONE_WAY);
    if (r == CEDE_OK) r = count_ask(self, pair.to, &count);
    result->ns = cede_now(self) - start_ns;
    result->op = "message";
    result->ops = ONE_WAY;
    if (r == CEDE_OK && count != ONE_WAY) r = CEDE_EPROTO;
    return pair_close(self, &pair, r);
}

const struct workload NODE_WORKLOADS[] = {
    {.name = "dist_roundtrip", .run = run_roundtrip},
    {.name = "dist_oneway", .run = run_oneway},
    {.name = NULL},
};
