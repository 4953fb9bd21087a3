/* The workload, with every kind of fault and without, in and out of strict mode. CEDE_TEST_SEEDS says how many seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/sim/workload.h"

static void run(struct cede_sim_options options, bool strict) {
    struct cede_options system = {.strict = strict};
    cede_sim_report report;
    const char *seeds = getenv("CEDE_TEST_SEEDS");
    options.seeds = seeds != NULL ? (uint32_t)strtoul(seeds, NULL, 10) : options.seeds;
    options.system = &system;
    options.mortal = workload_mortal;
    options.report = &report;
    assert_int_equal(cede_sim_run(&options, workload, NULL), CEDE_OK);
    print_message("%s: %llu runs, %llu turns, %llu steps, %llu faults\n", options.name,
                  (unsigned long long)report.runs, (unsigned long long)report.turns,
                  (unsigned long long)report.steps,
                  (unsigned long long)(report.kills + report.failures + report.refusals +
                                       report.allocations));
}

static void the_workload_holds(void **state) {
    (void)state;
    run((struct cede_sim_options){.name = "workload", .seeds = 300}, false);
}

static void the_workload_holds_with_faults(void **state) {
    (void)state;
    run((struct cede_sim_options){.name = "faults",
                                  .seeds = 500,
                                  .kill_one_in = 30,
                                  .fail_one_in = 40,
                                  .refuse_one_in = 10,
                                  .memory_one_in = 20},
        false);
}

static void the_workload_holds_in_strict_mode(void **state) {
    (void)state;
    run((struct cede_sim_options){.name = "strict",
                                  .seeds = 200,
                                  .kill_one_in = 30,
                                  .fail_one_in = 40,
                                  .refuse_one_in = 10,
                                  .memory_one_in = 20},
        true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_workload_holds),
        cmocka_unit_test(the_workload_holds_with_faults),
        cmocka_unit_test(the_workload_holds_in_strict_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
