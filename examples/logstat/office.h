/* office.h - the body of process A: starts the actors, waits for them, collects the result. */
#ifndef LOGSTAT_OFFICE_H
#define LOGSTAT_OFFICE_H

#include <stdbool.h>

#include "counts.h"

/* What is to be done. */
struct office_order {
    const char *url; /* to listen on */
    char *const *paths;
    uint32_t path_count;
    uint32_t parsers;      /* 1 to PARSERS_MAX */
    uint32_t restarts_max; /* of the aggregator */
    uint64_t start_ns;     /* that it has to come up */
    uint32_t batch_size;   /* bytes, at most LINE_MAX_SIZE */
    bool trace;
};

/* What has come of it; all zero before. */
struct office_result {
    struct counts totals; /* the caller's, to clear */
    uint64_t lines, events, bytes;
    uint64_t took_ns;
    uint32_t inputs_incomplete; /* each was named on standard error */
    int32_t aggregator_pid;
    uint32_t aggregator_starts;
};

struct office {
    struct office_order order;
    struct office_result result;
};

/* A cede_block_fn on a struct office. CEDE_OK: the totals are those of all bytes in `result.bytes`, exactly. On anything
 * else it has said on standard error what is missing, and the totals are empty. */
CEDE_YIELDS cede_result office_run(cede_self *self, void *context);

#endif
