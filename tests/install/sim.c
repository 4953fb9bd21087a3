/* sim.c - a simulation as a user writes it, against the installed library. */
#include <stdio.h>

#include <cede/cede.h>
#include <cede/sim.h>

#define SUM(F) F(u64, value)
CEDE_MESSAGE(sum, SUM);

struct adder {
    uint64_t value;
};

static cede_result on_sum(cede_self *self, struct adder *adder, struct sum *m) {
    m->value = adder->value += m->value;
    return cede_reply(self, m, &m);
}
#define ADDER(ON) ON(sum, on_sum)
CEDE_BEHAVIOUR(adder, struct adder, ADDER);

static CEDE_YIELDS cede_result adds(cede_self *self, void *context) {
    cede_ref to = {0};
    (void)context;
    CEDE_SIM_CHECK(cede_spawn(self, &adder, CEDE_NOTHING, &to) == CEDE_OK);
    for (uint64_t i = 1; i <= 2; i++) {
        struct sum *m = cede_new(self, sum);
        CEDE_SIM_CHECK(m != NULL);
        m->value = 21;
        CEDE_SIM_CHECK(cede_ask(self, to, &m, sum, &m, CEDE_SECONDS(1)) == CEDE_OK);
        CEDE_SIM_CHECK(m->value == 21 * i);
        cede_drop(self, &m);
    }
    return CEDE_OK;
}

int main(void) {
    struct cede_sim_options options = {.name = "adds", .seeds = 20};
    if (cede_sim_run(&options, adds, NULL) != CEDE_OK) return 1;
    puts("the sum is 42");
    return 0;
}
