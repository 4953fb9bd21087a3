/* workload.h - what the scenarios of this folder share: claims, and calls whose failure by a fault is none of the test's. */
#ifndef CEDE_TESTS_SIM_WORKLOAD_H
#define CEDE_TESTS_SIM_WORKLOAD_H

#include <cede/cede.h>
#include <cede/sim.h>

/* Random workload over all that actors do (workload.c); a cede_block_fn. `context`: NULL. */
CEDE_YIELDS cede_result workload(cede_self *self, void *context);
/* Behaviours that may be killed in it, NULL at the end. */
extern const cede_behaviour *const workload_mortal[];

#endif
