/* explore_internal.h - what explore.c (choices, threads) and memory.c (values, races) know of each other. */
#ifndef CEDE_TESTS_EXPLORE_INTERNAL_H
#define CEDE_TESTS_EXPLORE_INTERNAL_H

#include "core/mem/context.h"
#include "tests/model/explore.h"

/* What a thread knows: of each atomic object the oldest value that it may still read, and how much of each thread
 * happened before. */
struct model_view {
    uint8_t seen[MODEL_LOCATIONS_MAX];
    uint16_t clock[MODEL_THREADS_MAX];
};

struct model_thread {
    struct cedei_stack stack;
    void (*run)(void *context);
    void *context;
    const uint32_t *wait; /* blocked until it is not 0; NULL: runnable */
    uint64_t deadline_ns; /* of the wait; UINT64_MAX: none */
    const void *futex;    /* that it sleeps on */
    uint32_t futex_woken; /* 1 once somebody woke it */
    bool finished;
    struct model_view now, acquired,
        released; /* C11: itself; behind an acquire fence; at the last release fence */
};

struct model_state {
    struct model_thread threads[MODEL_THREADS_MAX];
    int count, current, preemptions_left, stale_left;
    const char *failure;
    uint64_t executions, points, points_now, points_in_a_row, now_ns;
    bool running, tracing;
};
extern struct model_state model;

/* explore.c */
void model_point(void);
void model_block(const uint32_t *until, uint64_t deadline_ns);
/* memory.c: forgets all values, races, watches and locks. */
void model_memory_reset(void);

#endif
