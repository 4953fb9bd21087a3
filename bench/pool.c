/* pool.c - the blocking pool.
 *   spawn_blocking_latency  10,000 empty jobs one after the other: the way there and back
 *   spawn_blocking_100k     100,000 started at once on at most 64 threads, then awaited one after the other */
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

enum { WARM_UP = 100, JOBS = 10000, OUTSTANDING = 100000, POOL_THREADS = 64 };

static cede_result job_empty(void *message) {
    (void)message;
    return CEDE_OK;
}

CEDE_YIELDS static cede_result jobs_run(cede_self *self, uint64_t *latency, uint64_t count) {
    struct number *m = cede_new(self, number);
    if (m == NULL) return CEDE_ENOMEM;
    cede_result r = CEDE_OK;
    for (uint64_t i = 0; r == CEDE_OK && i < count; i++) {
        uint64_t start_ns = cede_now(self);
        r = cede_run_blocking(self, job_empty, &m);
        latency[i] = cede_now(self) - start_ns;
    }
    cede_drop(self, &m);
    return r;
}

CEDE_YIELDS static cede_result run_latency(cede_self *self, void *context) {
    struct result *result = context;
    uint64_t *latency = calloc(JOBS, sizeof *latency);
    if (latency == NULL) return CEDE_ENOMEM;
    cede_result r = jobs_run(self, latency, WARM_UP);
    uint64_t start_ns = cede_now(self);
    if (r == CEDE_OK) r = jobs_run(self, latency, JOBS);
    result->ns = cede_now(self) - start_ns;
    result->op = "dispatch";
    result->ops = JOBS;
    latency_extra(latency, JOBS, result);
    free(latency);
    return r;
}

static cede_result job_outstanding(void *message, const cede_cancel *cancel) {
    (void)message;
    (void)cancel;
    return CEDE_OK;
}

static cede_job *outstanding[OUTSTANDING];

CEDE_YIELDS static cede_result run_outstanding(cede_self *self, void *context) {
    struct result *result = context;
    cede_result r = CEDE_OK;
    uint64_t start_ns = cede_now(self);
    for (uint64_t i = 0; r == CEDE_OK && i < OUTSTANDING; i++)
        r = cede_job_start_blocking(self, NULL, job_outstanding, CEDE_NOTHING, &outstanding[i]);
    for (uint64_t i = 0; r == CEDE_OK && i < OUTSTANDING; i++)
        r = cede_job_await(self, &outstanding[i], cede_nothing, CEDE_NOTHING, CEDE_FOREVER);
    result->ns = cede_now(self) - start_ns;
    result->op = "dispatch";
    result->ops = OUTSTANDING;
    snprintf(result->extra, sizeof result->extra, "cap %d threads", POOL_THREADS);
    return r;
}

const struct workload POOL_WORKLOADS[] = {
    {.name = "spawn_blocking_latency", .run = run_latency, .blocking_threads_max = POOL_THREADS},
    {.name = "spawn_blocking_100k", .run = run_outstanding, .blocking_threads_max = POOL_THREADS},
    {.name = NULL},
};
