/* workloads.c - runs one workload and prints one line for each measurement:
 *   workload TAB op TAB ops TAB nanoseconds TAB extra
 * usage: bench_workloads WORKLOAD WORKERS      (no arguments: the names)
 * docs/BENCHMARKS.md has what each workload does and how it is compared. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* ---- what bench.h promises ---- */

static _Atomic uint64_t countdown_left;
static cede_ref countdown_waiter; /* written before the first tick can happen: the spawns publish it */

void countdown_begin(cede_self *self, uint64_t count) {
    countdown_waiter = cede_self_ref(self);
    /* relaxed: published by the messages that the actors are started with. */
    atomic_store_explicit(&countdown_left, count, memory_order_relaxed);
}

cede_result countdown_tick(cede_self *self) {
    /* acq_rel: pairs with itself in the others: the last one is behind all that they did. */
    if (atomic_fetch_sub_explicit(&countdown_left, 1, memory_order_acq_rel) != 1) return CEDE_OK;
    struct finished *news = cede_new(self, finished);
    if (news == NULL) return CEDE_ENOMEM;
    news->at_ns = cede_now(self);
    return cede_send(self, countdown_waiter, &news);
}

CEDE_YIELDS cede_result countdown_await(cede_self *self) {
    struct finished *news = NULL;
    cede_result r = cede_recv(self, finished, &news, CEDE_FOREVER);
    cede_drop(self, &news);
    return r;
}

uint64_t thread_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t resident_bytes(void) {
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) return 0;
    if (fscanf(file, "%lu %lu", &size, &resident) != 2) resident = 0;
    fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int compare_ns(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

void latency_extra(uint64_t *ns, uint64_t count, struct result *result) {
    qsort(ns, count, sizeof *ns, compare_ns);
    snprintf(result->extra, sizeof result->extra, "p50_us=%.2f,p99_us=%.2f",
             (double)ns[count / 2] / 1e3, (double)ns[count * 99 / 100] / 1e3);
}

/* ---- running one ---- */

static const struct workload *const GROUPS[] = {
    EXCHANGE_WORKLOADS, FAN_WORKLOADS, BIRTH_WORKLOADS, POOL_WORKLOADS, NODE_WORKLOADS,
};
enum { GROUP_COUNT = sizeof GROUPS / sizeof GROUPS[0] };

static const struct workload *workload_find(const char *name) {
    for (int i = 0; i < GROUP_COUNT; i++)
        for (const struct workload *w = GROUPS[i]; w->name != NULL; w++)
            if (strcmp(w->name, name) == 0) return w;
    return NULL;
}

static int usage(void) {
    fprintf(stderr, "usage: bench_workloads WORKLOAD WORKERS\nworkloads:");
    for (int i = 0; i < GROUP_COUNT; i++)
        for (const struct workload *w = GROUPS[i]; w->name != NULL; w++)
            fprintf(stderr, " %s", w->name);
    fprintf(stderr, "\n");
    return 2;
}

static int workload_run(const struct workload *workload, uint32_t workers) {
    struct cede_options options = {.workers = workers,
                                   .blocking_threads_max = workload->blocking_threads_max,
                                   .blocking_queue_max = workload->blocking_queue_max};
    cede_system *system = NULL;
    struct result result = {.op = ""};
    if (cede_system_create(&system, &options) != CEDE_OK) return 1; /* it said why */
    cede_result r = workload->run_outside != NULL ? workload->run_outside(system, &result)
                                                  : cede_block_on(system, workload->run, &result);
    struct cede_metrics metrics;
    cede_system_metrics(system, &metrics);
    if (r != CEDE_OK) {
        fprintf(stderr, "bench_workloads: %s: %s\n", workload->name, cede_result_text(r));
        return 1;
    }
    printf("%s\t%s\t%" PRIu64 "\t%" PRIu64 "\t%s%ssteals=%" PRIu64 ",wakes=%" PRIu64 "\n",
           workload->name, result.op, result.ops, result.ns, result.extra,
           result.extra[0] != '\0' ? "," : "", metrics.steals, metrics.wakes);
    fflush(stdout);
    cede_system_destroy(system);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "node_server") == 0) return node_server_main(argv[2]);
    if (argc != 3) return usage();
    const struct workload *workload = workload_find(argv[1]);
    int workers = atoi(argv[2]);
    if (workload == NULL || workers < 1) return usage();
    return workload_run(workload, (uint32_t)workers);
}
