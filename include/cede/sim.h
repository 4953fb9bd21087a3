/* sim.h - simulation: a program of actors run many times over by one thread, in virtual time, with everything that is left
 * to chance decided by a seed: which thread goes on at which point, how long it is held up, which actor is killed, which allocation
 * fails, which mailbox refuses. A seed makes the same run again, on any machine. docs/SIMULATION.md is the tutorial.
 *
 *     static CEDE_YIELDS cede_result transfer(cede_self *self, void *context) { ... CEDE_SIM_CHECK(sum == 100); ... }
 *
 *     struct cede_sim_options options = {.name = "transfer", .seeds = 1000, .kill_one_in = 200};
 *     assert_int_equal(cede_sim_run(&options, transfer, NULL), CEDE_OK);
 *
 * A program that uses it is linked with libcede-sim in place of libcede (pkg-config cede-sim); the actors are the same source.
 * Simulated are workers, the blocking pool, jobs, timers and the clock of cede_now; files are real. Sockets, pipes, signals,
 * child processes and links to other nodes are not: what needs them gives CEDE_ENOTSUP and says so. */
#ifndef CEDE_SIM_H
#define CEDE_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/system.h>

CEDE_C_BEGIN

/// What all runs did, and the one that did not hold, if there was one.
typedef struct cede_sim_report {
    uint64_t runs;
    uint64_t hash; /* of all traces */
    uint64_t turns, steps, switches,
        virtual_ns; /* of all runs; steps: points at which another thread could go on */
    uint64_t kills, failures, refusals, allocations; /* faults of all runs */
    uint64_t seed;                                   /* of the run that does not hold */
    uint32_t choices; /* that run: where the seed chose something else than what happens by default */
    uint32_t choices_shrunk; /* how many of them it takes to make it fail */
    char failure[600];       /* what did not hold; empty: everything did */
    char command[4096];      /* makes that run again */
} cede_sim_report;

/// How to simulate. Zeroes mean the defaults. Each seed draws from what is allowed here which faults there are at all, and how
/// often, so that some runs are quiet and others wild; `x_one_in` says about how often at the most, and 0 never.
struct cede_sim_options {
    const char *name;    /* in reports and in the command that makes a run again; NULL: "sim" */
    uint64_t seed_first; /* 0: 1 */
    uint32_t seeds;      /* runs; 0: 100 */
    struct cede_options *system; /* NULL: the defaults. `workers` 0: 1 to 4, by the seed */
    uint32_t kill_one_in; /* at one of so many beginnings of turns, and of waits in them, some actor is killed (CEDE_EKILLED) */
    uint32_t fail_one_in; /* of so many turns that end well, one ends in CEDE_EFAILED */
    uint32_t refuse_one_in; /* of so many sends and asks, one gives CEDE_EFULL */
    uint32_t memory_one_in; /* of so many allocations, one fails */
    const cede_behaviour *const *
        mortal; /* who may be killed or fail, NULL at the end; NULL: every actor but the scenario's */
    uint64_t steps_max;      /* a run that takes more counts as one without an end; 0: 20 million */
    uint64_t time_max_ns;    /* the same in virtual time; 0: an hour */
    bool quiet;              /* prints nothing: what is to be known is in `report` */
    cede_sim_report *report; /* may be NULL */
};

/// Simulates `scenario(self, context)`, a turn in a system of its own, once for each seed, until one run does not hold. A run holds
/// if the scenario returns CEDE_OK, no CEDE_SIM_CHECK fails, the process lives, it comes to an end within its limits, and:
/// every message that was made was dropped, every one sent was handled or became a dead letter, every actor has ended, no memory
/// is left over, nothing waits for ever, and no actor has a message while nobody is going to run it.
/// Each run is a process of its own (a fork), which begins with the program as it is now; what the scenario writes to memory is
/// gone with it. When one does not hold, its choices are tried without this one or that one, until those are found that matter;
/// then what happened is printed to standard error, with the command that makes it happen again.
/// From the environment: CEDE_SIM_REPLAY=NAME:SEED[:CHOICES] makes that run only (other names: none); CEDE_SIM_SEEDS=FIRST+COUNT
/// replaces the seeds; CEDE_SIM_TRACE=1 prints all of what happened; CEDE_SIM_SHRINK=0 leaves a run that fails as it is; CEDE_SIM_HASHES=FILE has a line with the trace's hash added
/// for each run; CEDE_SIM_FORK=0 makes a run in this process, for a debugger, which it ends if it does not hold.
/// Ownership: all borrowed until the return. Threads: the only one of its process. Yields: no. Blocks: until all runs are over.
/// Errors: CEDE_EFAILED a run does not hold; CEDE_EINVAL; CEDE_ENOMEM; CEDE_EIO no process could be made.
CEDE_BLOCKS CEDE_NODISCARD cede_result cede_sim_run(const struct cede_sim_options *options
                                                    CEDE_BORROWED,
                                                    cede_block_fn *scenario CEDE_BORROWED,
                                                    void *context CEDE_BORROWED);

/// Claims `condition`; if it is false, the run does not hold and ends at once.
/// Threads: any of a run. Yields: no. Blocks: no.
#define CEDE_SIM_CHECK(condition)                                                                  \
    ((condition) ? (void)0 : cede_sim_fail(CEDEI_HERE ": does not hold: " #condition))

/// The run does not hold, since `what`. Ownership: borrowed. Threads: any of a run. Yields: no. Blocks: it does not return.
CEDE_NOYIELD __attribute__((noreturn)) void cede_sim_fail(const char *what CEDE_BORROWED);

/// A line in the trace of what happened. Ownership: borrowed. Threads: any of a run. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_sim_note(const char *format CEDE_BORROWED, ...) CEDE_PRINTF(1, 2);

/// A number of the seed, for what the scenario itself leaves to chance. Threads: any of a run. Yields: no. Blocks: no.
CEDE_NOYIELD uint64_t cede_sim_random(void);

/// From now on nothing goes wrong any more in this run (`calm`), or again (false): "after the last fault it recovers".
/// Threads: any of a run. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_sim_calm(bool calm);

CEDE_C_END
#endif
