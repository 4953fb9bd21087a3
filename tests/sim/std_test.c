/* Supervisors under the simulator: whoever of their children dies whenever, in the end all are there again and answer, and with the
 * supervisor all are gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cede/cede.h>
#include <cede/sim.h>
#include <cede/supervisor.h>

#define HELLO(F) F(u64, value)
CEDE_MESSAGE(hello, HELLO);

struct greeter {
    uint64_t greeted;
};

static CEDE_YIELDS cede_result on_hello(cede_self *self, struct greeter *state, struct hello *m) {
    m->value = ++state->greeted;
    if (cede_sim_random() % 4 == 0) cede_yield(self);
    return cede_reply(self, m, &m);
}
#define GREETER(ON) ON(hello, on_hello)
CEDE_BEHAVIOUR(greeter, struct greeter, GREETER);

static const char *const IDS[] = {"a", "b", "c"};
static const struct cede_child CHILDREN[] = {{.id = "a", .behaviour = &greeter},
                                             {.id = "b", .behaviour = &greeter},
                                             {.id = "c", .behaviour = &greeter}};
static const struct cede_supervisor SPECS[] = {
    {.strategy = CEDE_ONE_FOR_ONE, CEDE_CHILDREN(CHILDREN), .restarts_max = CEDE_RESTARTS_UNLIMITED},
    {.strategy = CEDE_ONE_FOR_ALL, CEDE_CHILDREN(CHILDREN), .restarts_max = CEDE_RESTARTS_UNLIMITED},
    {.strategy = CEDE_REST_FOR_ONE, CEDE_CHILDREN(CHILDREN), .restarts_max = CEDE_RESTARTS_UNLIMITED},
};

static CEDE_YIELDS cede_result greet(cede_self *self, cede_ref to) {
    struct hello *m = cede_new(self, hello);
    if (m == NULL) return CEDE_ENOMEM;
    cede_result r = cede_ask(self, to, &m, hello, &m, CEDE_SECONDS(10));
    cede_drop(self, &m);
    return r;
}

static CEDE_YIELDS cede_result supervised(cede_self *self, void *context) {
    cede_ref supervisor = {0}, child[3];
    (void)context;
    cede_sim_calm(true);
    const struct cede_supervisor *spec = &SPECS[cede_sim_random() % 3];
    CEDE_SIM_CHECK(cede_supervisor_start(self, spec, CEDE_FOREVER, &supervisor) == CEDE_OK);
    CEDE_SIM_CHECK(cede_monitor(self, supervisor) == CEDE_OK);
    cede_sim_calm(false);
    for (int i = 0; i < 20; i++) {
        cede_result r =
            cede_supervisor_child(self, supervisor, IDS[i % 3], CEDE_SECONDS(10), &child[i % 3]);
        if (r == CEDE_OK) r = greet(self, child[i % 3]);
        CEDE_SIM_CHECK(r == CEDE_OK || r == CEDE_ENOACTOR || r == CEDE_ENOREPLY);
    }
    cede_sim_calm(true);
    for (int i = 0; i < 3; i++) {
        cede_result r = CEDE_ENOACTOR;
        /* The ref may be of one that was killed last and is not gone yet. */
        for (int tries = 0; tries < 3 && r != CEDE_OK; tries++) {
            r = cede_supervisor_child(self, supervisor, IDS[i], CEDE_SECONDS(10), &child[i]);
            CEDE_SIM_CHECK(r == CEDE_OK);
            r = greet(self, child[i]);
            if (r != CEDE_OK) CEDE_SIM_CHECK(cede_sleep(self, CEDE_SECONDS(1)) == CEDE_OK);
        }
        CEDE_SIM_CHECK(r == CEDE_OK);
    }
    CEDE_SIM_CHECK(cede_stop(self, supervisor) == CEDE_OK);
    struct cede_down *down = NULL;
    CEDE_SIM_CHECK(cede_recv(self, cede_down, &down, CEDE_SECONDS(100)) == CEDE_OK);
    cede_drop(self, &down);
    for (int i = 0; i < 3; i++) CEDE_SIM_CHECK(!cede_is_alive(self, child[i]));
    return CEDE_OK;
}

static void children_are_back_whoever_dies(void **state) {
    static const cede_behaviour *const MORTAL[] = {&greeter, NULL};
    struct cede_sim_options options = {
        .name = "supervised", .seeds = 200, .kill_one_in = 8, .fail_one_in = 8, .mortal = MORTAL};
    const char *seeds = getenv("CEDE_TEST_SEEDS");
    (void)state;
    if (seeds != NULL) options.seeds = (uint32_t)strtoul(seeds, NULL, 10);
    assert_int_equal(cede_sim_run(&options, supervised, NULL), CEDE_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(children_are_back_whoever_dies)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
