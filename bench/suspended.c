/* suspended.c - how much memory turns take that wait in the middle: suspended COUNT [STACK_SIZE]
 * COUNT actors each wait in cede_recv on a stack of their own. Prints the resident bytes of the process for each, those of
 * its page tables, how long it took to start and to end them, and the deepest use of a stack. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cede/cede.h>

struct waiter {
    uint64_t received;
};

CEDE_YIELDS static cede_result on_wait(cede_self *self, struct waiter *waiter,
                                       struct cede_nothing *message) {
    struct cede_down *never = NULL;
    (void)message;
    cede_result r = cede_recv(self, cede_down, &never, CEDE_FOREVER);
    cede_drop(self, &never);
    waiter->received++;
    return r == CEDE_ECANCELED ? CEDE_STOP : r;
}
#define WAITER(ON) ON(cede_nothing, on_wait)
CEDE_BEHAVIOUR(waiter, struct waiter, WAITER);

/* A figure of /proc/self/status, in bytes. */
static uint64_t status_read(const char *name) {
    char line[256];
    unsigned long long kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL) return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kilobytes = strtoull(line + strlen(name) + 1, NULL, 10);
    (void)fclose(file);
    return kilobytes * 1024;
}

struct plan {
    uint64_t count;
    uint64_t started_ns;
};

CEDE_YIELDS static cede_result waiters_start(cede_self *self, void *context) {
    struct plan *plan = context;
    uint64_t begin_ns = cede_now(self);
    for (uint64_t i = 0; i < plan->count; i++) {
        struct cede_nothing *first = cede_new(self, cede_nothing);
        if (first == NULL) return CEDE_ENOMEM;
        cede_result r = cede_spawn(self, &waiter, &first, NULL);
        cede_drop(self, &first);
        if (r != CEDE_OK) return r;
        if (i % 256 == 255) cede_yield(self);
    }
    struct cede_metrics metrics;
    do {
        cede_yield(self);
        cede_system_metrics(cede_self_system(self), &metrics);
    } while (metrics.turns < plan->count);
    plan->started_ns = cede_now(self) - begin_ns;
    return CEDE_OK;
}

int main(int argc, char **argv) {
    struct plan plan = {.count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000};
    struct cede_options options = {.workers = 1,
                                   .stack_size = argc > 2 ? strtoull(argv[2], NULL, 10) : 0};
    cede_system *system = NULL;
    if (cede_system_create(&system, &options) != CEDE_OK) return 1;
    uint64_t resident = status_read("VmRSS:"), tables = status_read("VmPTE:");
    cede_result r = cede_block_on(system, waiters_start, &plan);
    resident = status_read("VmRSS:") - resident;
    tables = status_read("VmPTE:") - tables;
    struct cede_stacks stacks = {0};
    if (r == CEDE_OK) r = cede_system_stacks(system, 0, &stacks);
    cede_system_destroy(system);
    if (r != CEDE_OK) {
        fprintf(stderr, "suspended: %s\n", cede_result_text(r));
        return 1;
    }
    printf("%" PRIu64
           " suspended actors: %.0f bytes each resident (%.2f GB in all), page tables %.0f MB, "
           "stacks %" PRIu64 ", deepest %" PRIu64 " bytes, started in %.2f s\n",
           plan.count, (double)resident / (double)plan.count, (double)resident / 1e9,
           (double)tables / 1e6, stacks.stacks, stacks.high_water_bytes,
           (double)plan.started_ns / 1e9);
    return 0;
}
