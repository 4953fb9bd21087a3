/* aggregator.h - the other process: the same program, started with other arguments by the supervisor. */
#ifndef LOGSTAT_AGGREGATOR_H
#define LOGSTAT_AGGREGATOR_H

#include <stdbool.h>

#include "messages.h"

struct aggregator_options {
    const char *url; /* of the supervisor's node */
    uint64_t epoch;
    bool trace; /* tell of each partial on standard error */
};

/* The arguments by which main knows that it is to be the aggregator, and the name that the supervisor is published by. */
#define AGGREGATOR_OPTION "--aggregator"
#define EPOCH_OPTION "--epoch"
#define TRACE_OPTION "--trace"
#define SUPERVISOR_NAME "supervisor"
#define CLUSTER_NAME "logstat"

/* Runs the aggregator until it is retired or the supervisor is gone; the exit status. */
CEDE_BLOCKS int aggregator_run(const struct aggregator_options *options);

#endif
