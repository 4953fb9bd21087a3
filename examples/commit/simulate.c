/* simulate.c - the bank under the simulator: the same actors, in as many runs as there are seeds. With an account that forgets a
 * case the simulator finds the run in which money is lost; with a careful one there is none. docs/SIMULATION.md goes
 * through it. `commit_sim careless` shows what a user sees when a simulation does not hold. */
#include <stdio.h>
#include <string.h>

#include <cede/sim.h>

#include "commit.h"

static CEDE_YIELDS cede_result money_stays(cede_self *self, void *context) {
    const bool *careful = context;
    int64_t total = 0;
    cede_ref to = {0};
    struct opening *m = cede_new(self, opening);
    CEDE_SIM_CHECK(m != NULL);
    m->careful = *careful;
    m->balance = 100;
    CEDE_SIM_CHECK(cede_spawn(self, &bank, &m, &to) == CEDE_OK);
    CEDE_SIM_CHECK(transfers_make(self, to, 5, &total) == CEDE_OK);
    CEDE_SIM_CHECK(total == 200);
    return CEDE_OK;
}

static cede_result simulate(const char *name, bool careful, bool quiet) {
    static cede_sim_report report;
    struct cede_sim_options options = {
        .name = name, .seeds = 1000, .quiet = quiet, .report = &report};
    cede_result r = cede_sim_run(&options, money_stays, &careful);
    if (r == CEDE_OK) printf("%s: %llu runs hold\n", name, (unsigned long long)report.runs);
    const char *claim = strstr(report.failure, "does not hold");
    if (r == CEDE_EFAILED) printf("%s: %s\n", name, claim != NULL ? claim : report.failure);
    return r;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "careless") == 0)
        return simulate("careless", false, false) == CEDE_OK ? 0 : 1;
    cede_result careless = simulate("careless", false, true);
    cede_result careful = simulate("careful", true, false);
    return careless == CEDE_EFAILED && careful == CEDE_OK ? 0 : 1;
}
