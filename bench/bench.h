/* bench.h - what the workloads of bench_workloads share: one line of output, a countdown over many actors, a table.
 * A workload runs in an actor of its own (cede_block_on) unless it says that it is started from outside. It takes its
 * time itself, so that starting the system does not count. */
#ifndef CEDE_BENCH_BENCH_H
#define CEDE_BENCH_BENCH_H

#include <stdint.h>

#include <cede/cede.h>

/* A turn that sends or spawns in a loop gives way after so many, which is 20 to 50 us: the rule for turns. */
enum { YIELD_EVERY = 1024 };

#define NUMBER(F) F(u64, value)
CEDE_MESSAGE(number, NUMBER);

#define FINISHED(F) F(u64, at_ns)
CEDE_MESSAGE(finished, FINISHED);

struct result {
    const char *op;
    uint64_t ops, ns;
    char extra[256];
};

struct workload {
    const char *name;
    cede_block_fn *run; /* context: struct result */
    /* For those that start from a plain thread; NULL: `run` in cede_block_on. */
    cede_result (*run_outside)(cede_system *system, struct result *result);
    uint32_t blocking_threads_max, blocking_queue_max; /* 0: the default */
};

extern const struct workload EXCHANGE_WORKLOADS[], FAN_WORKLOADS[], BIRTH_WORKLOADS[],
    POOL_WORKLOADS[], NODE_WORKLOADS[]; /* each ends with name NULL */

/* ---- a countdown: the last of `count` actors tells the one that waits ---- */

/* Before any of them starts; `self` is the one that will wait. */
void countdown_begin(cede_self *self, uint64_t count);
/* For a handler: CEDE_OK, or no memory for the news. */
CEDE_NODISCARD cede_result countdown_tick(cede_self *self);
CEDE_YIELDS CEDE_NODISCARD cede_result countdown_await(cede_self *self);

/* ---- small things ---- */

/* xorshift, as in the peers: the same seeds give the same receivers. */
static inline uint64_t random_next(uint64_t *state) {
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

/* For a plain thread, which has no cede_now. */
uint64_t thread_now_ns(void);
uint64_t resident_bytes(void);
/* Sorts; writes "p50_us=..,p99_us=..". */
void latency_extra(uint64_t *ns, uint64_t count, struct result *result);

/* In the process that NODE_WORKLOADS start. */
int node_server_main(const char *url);

#endif
