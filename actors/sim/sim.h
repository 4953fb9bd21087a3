/* sim.h - what the files of this folder share: a simulation is its options and scenario, run by seed or by plan. */
#ifndef CEDEI_ACTORS_SIM_H
#define CEDEI_ACTORS_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/sim.h>

#include "core/sim/process.h"
#include "core/sim/world.h"

/* What parent and child share. */
struct cedei_sim_shared {
    struct cedei_sim_record record; /* the child's */
    uint32_t plan_count;            /* the parent's */
    struct cedei_sim_choice plan[CEDEI_SIM_CHOICES_MAX];
};

struct cedei_simulation {
    struct cede_sim_options options; /* complete: no zero stands for a default */
    cede_block_fn *scenario;
    void *context;
    struct cedei_sim_shared *shared;
    int output;
    /* of the run that is under way or over */
    uint64_t seed;
    bool planned; /* by `shared->plan` */
    uint64_t points_max;
    struct cedei_sim_exit ended;
    /* in the run's process */
    cede_ref own; /* the scenario's actor */
};

/* run.c: one run; whether it holds. Its record says how. CEDE_EIO no process. */
CEDE_NODISCARD cede_result cedei_simulation_run_once(struct cedei_simulation *sim, bool *holds);
/* look.c: what a run's process looks at, and whom it may hit. */
void cedei_simulated_begin(struct cedei_simulation *sim, cede_system *system);
void cedei_simulated_rest(void *system); /* for cedei_sim_on_rest */
/* shrink.c: `shared->plan` becomes a shorter plan that fails in the same way; it is that of the last run at least. */
CEDE_NODISCARD cede_result cedei_simulation_shrink(struct cedei_simulation *sim);
/* plan.c: as text, "s1-120.3,k2-17.1"; false: it does not fit, or is none. */
bool cedei_plan_write(const struct cedei_sim_choice *plan, uint32_t count, char *text, size_t size);
bool cedei_plan_read(const char *text, struct cedei_sim_choice *plan, uint32_t *count);
void cedei_plan_sort(struct cedei_sim_choice *plan, uint32_t count);
/* report.c: what happened in the run of the record. `all`: from the beginning. */
void cedei_trace_print(const struct cedei_sim_record *record, bool all);

#endif
