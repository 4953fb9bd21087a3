/* tasks.h - a scheduler for each test of core/sched, with bare tasks: each runs a function of the test. */
#ifndef CEDE_TESTS_TASKS_H
#define CEDE_TESTS_TASKS_H

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/sched/sched.h"
#include "core/sched/sched_internal.h"
#include "tests/support/expect.h"

struct errand {
    struct cedei_task task;
    void (*run)(struct cedei_worker *worker, struct errand *errand);
    void *context;
    uint32_t number;
};

static struct cedei_sched sched;

static inline struct cedei_worker *errand_run(struct cedei_worker *worker, struct cedei_task *task) {
    struct errand *errand = CEDEI_CONTAINER_OF(task, struct errand, task);
    errand->run(worker, errand);
    return worker;
}

static inline struct errand errand_of(void (*run)(struct cedei_worker *, struct errand *),
                                      uint32_t number) {
    return (struct errand){.task = {.run = errand_run}, .run = run, .number = number};
}

static inline void errand_submit(struct cedei_worker *worker, struct errand *errand) {
    EXPECT_OK(cedei_sched_submit(&sched, worker, &errand->task));
}

/* `watched`: with a lookout. */
static inline void sched_begin(uint32_t workers, bool watched) {
    struct cedei_sched_options options = {.workers = workers,
                                          .pool_threads_max = 4,
                                          .pool_queue_max = 100,
                                          .pool_idle_ns = 1000000000,
                                          .stack_size = 64 * 1024,
                                          .no_lookout = !watched,
                                          .log = {.level = CEDE_LOG_ERROR}};
    EXPECT_OK(cedei_sched_init(&sched, &options));
}

static inline void still_ignore(void *context, unsigned seconds) { (void)context, (void)seconds; }

static inline void sched_end(void) {
    cedei_sched_stop(&sched, still_ignore, NULL);
    cedei_sched_fini(&sched);
}

/* ---- counters that threads wait for ---- */

static inline uint32_t counter_get(_Atomic uint32_t *counter) {
    /* acquire: pairs with counter_add. */
    return atomic_load_explicit(counter, memory_order_acquire);
}

static inline void counter_add(_Atomic uint32_t *counter, uint32_t by) {
    /* acq_rel: publishes what was done before. */
    atomic_fetch_add_explicit(counter, by, memory_order_acq_rel);
    cedei_futex_wake(counter, INT32_MAX);
}

/* Blocks the thread: no worker is given away. */
static inline void counter_await(_Atomic uint32_t *counter, uint32_t wanted) {
    for (uint32_t now = 0; (now = counter_get(counter)) < wanted;)
        cedei_futex_wait(counter, now, UINT64_MAX);
}

struct errand_counts {
    uint64_t parks, wakes, steals;
};

static inline struct errand_counts counts_now(void) {
    struct cedei_counts counts;
    cedei_sched_counts(&sched, &counts);
    return (struct errand_counts){
        .parks = counts.parks, .wakes = counts.wakes, .steals = counts.steals};
}

#endif
