/* Ends under the simulator: who watches several that are linked hears of each before those that end of it, whatever the order
 * of the threads, and whether it watched before they were linked or after. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cede/cede.h>
#include <cede/sim.h>

enum { CHAIN = 4 };

#define NEIGHBOUR(F) F(ref, actor)
CEDE_MESSAGE(neighbour, NEIGHBOUR);
#define BLOW(F) F(u32, unused)
CEDE_MESSAGE(blow, BLOW);

struct member {
    int unused;
};

static cede_result on_neighbour(cede_self *self, struct member *state, struct neighbour *m) {
    (void)state;
    cede_result r = cede_link(self, m->actor);
    CEDE_SIM_CHECK(r == CEDE_OK || r == CEDE_ENOACTOR || r == CEDE_ENOMEM);
    return CEDE_OK;
}

static cede_result on_blow(cede_self *self, struct member *state, struct blow *m) {
    (void)self;
    (void)state;
    (void)m;
    return CEDE_EFAILED;
}
#define MEMBER(ON)                                                                                 \
    ON(neighbour, on_neighbour)                                                                    \
    ON(blow, on_blow)
CEDE_BEHAVIOUR(member, struct member, MEMBER);

static void watch(cede_self *self, const cede_ref chain[CHAIN]) {
    for (int i = 0; i < CHAIN; i++) CEDE_SIM_CHECK(cede_monitor(self, chain[i]) == CEDE_OK);
}

static CEDE_YIELDS void tie(cede_self *self, const cede_ref chain[CHAIN]) {
    for (int i = 0; i + 1 < CHAIN; i++) {
        struct neighbour *m = cede_new(self, neighbour);
        CEDE_SIM_CHECK(m != NULL);
        m->actor = chain[i + 1];
        CEDE_SIM_CHECK(cede_send(self, chain[i], &m) == CEDE_OK);
    }
    CEDE_SIM_CHECK(cede_sleep(self, CEDE_SECONDS(1)) == CEDE_OK);
}

static uint32_t place_of(const cede_ref chain[CHAIN], cede_ref actor) {
    uint32_t i = 0;
    while (i < CHAIN && !cede_ref_equal(chain[i], actor)) i++;
    CEDE_SIM_CHECK(i < CHAIN);
    return i;
}

static CEDE_YIELDS void ends_hear(cede_self *self, const cede_ref chain[CHAIN]) {
    bool heard[CHAIN + 2] = {false}; /* one more at each side, of nobody */
    for (int i = 0; i < CHAIN; i++) {
        struct cede_down *down = NULL;
        CEDE_SIM_CHECK(cede_recv(self, cede_down, &down, CEDE_SECONDS(60)) == CEDE_OK);
        uint32_t place = place_of(chain, down->actor) + 1;
        CEDE_SIM_CHECK(!heard[place]);
        if (down->reason == CEDE_ELINKED) CEDE_SIM_CHECK(heard[place - 1] || heard[place + 1]);
        heard[place] = true;
        cede_drop(self, &down);
    }
}

static CEDE_YIELDS void chain_ends(cede_self *self) {
    cede_ref chain[CHAIN];
    for (int i = 0; i < CHAIN; i++)
        CEDE_SIM_CHECK(cede_spawn(self, &member, CEDE_NOTHING, &chain[i]) == CEDE_OK);
    bool watched_first = cede_sim_random() % 2 != 0;
    if (watched_first) watch(self, chain);
    tie(self, chain);
    if (!watched_first) watch(self, chain);
    cede_ref victim = chain[cede_sim_random() % CHAIN];
    if (cede_sim_random() % 2 != 0) {
        CEDE_SIM_CHECK(cede_kill(self, victim) == CEDE_OK);
    } else {
        struct blow *m = cede_new(self, blow);
        CEDE_SIM_CHECK(m != NULL && cede_send(self, victim, &m) == CEDE_OK);
    }
    ends_hear(self, chain);
}

static CEDE_YIELDS cede_result cause_is_heard_before_effect(cede_self *self, void *context) {
    (void)context;
    for (int round = 0; round < 5; round++) chain_ends(self);
    return CEDE_OK;
}

static void causes_are_heard_first(void **state) {
    (void)state;
    const char *seeds = getenv("CEDE_TEST_SEEDS");
    const struct cede_sim_options options = {
        .name = "ends", .seeds = seeds != NULL ? (uint32_t)strtoul(seeds, NULL, 10) : 300};
    assert_int_equal(cede_sim_run(&options, cause_is_heard_before_effect, NULL), CEDE_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(causes_are_heard_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
