/* Workers that go off duty and come back, under the simulator: actors that pass messages to each other, with pauses in which the
 * lookout looks, are each run by one worker at a time, and nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cede/cede.h>
#include <cede/sim.h>

enum { PLAYERS = 4, BALLS = 3, PASSES = 60 };

#define BALL(F)                                                                                    \
    F(array(ref, PLAYERS), players)                                                                \
    F(ref, end)                                                                                    \
    F(u32, left)
CEDE_MESSAGE(ball, BALL);
#define LANDED(F) F(u32, unused)
CEDE_MESSAGE(landed, LANDED);
#define CALL(F) F(u32, unused)
CEDE_MESSAGE(call, CALL);

struct player {
    bool inside;
};

static cede_result on_call(cede_self *self, struct player *state, struct call *m) {
    (void)self;
    (void)m;
    CEDE_SIM_CHECK(!state->inside);
    return CEDE_OK;
}

/* A second player is woken by the same turn. */
static cede_result call_out(cede_self *self, cede_ref to) {
    struct call *call = cede_new(self, call);
    cede_result r = call == NULL ? CEDE_ENOMEM : cede_send(self, to, &call);
    cede_drop(self, &call);
    return r;
}

static CEDE_YIELDS cede_result on_ball(cede_self *self, struct player *state, struct ball *m) {
    CEDE_SIM_CHECK(!state->inside);
    state->inside = true;
    uint64_t chance = cede_sim_random() % 8;
    if (chance == 0) CEDE_SIM_CHECK(cede_sleep(self, CEDE_MILLIS(1)) == CEDE_OK);
    if (chance <= 2) cede_yield(self);
    CEDE_SIM_CHECK(state->inside);
    state->inside = false;
    for (uint64_t calls = chance / 3; calls > 0; calls--)
        CEDE_SIM_CHECK(call_out(self, m->players[cede_sim_random() % PLAYERS]) == CEDE_OK);
    if (m->left-- > 0) return cede_send(self, m->players[cede_sim_random() % PLAYERS], &m);
    struct landed *landed = cede_new(self, landed);
    return landed == NULL ? CEDE_ENOMEM : cede_send(self, m->end, &landed);
}
#define PLAYER(ON)                                                                                 \
    ON(ball, on_ball)                                                                              \
    ON(call, on_call)
CEDE_BEHAVIOUR(player, struct player, PLAYER);

static CEDE_YIELDS cede_result balls_land(cede_self *self, void *context) {
    cede_ref players[PLAYERS];
    (void)context;
    for (int i = 0; i < PLAYERS; i++)
        CEDE_SIM_CHECK(cede_spawn(self, &player, CEDE_NOTHING, &players[i]) == CEDE_OK);
    for (int i = 0; i < BALLS; i++) {
        struct ball *m = cede_new(self, ball);
        CEDE_SIM_CHECK(m != NULL);
        for (int k = 0; k < PLAYERS; k++) m->players[k] = players[k];
        m->end = cede_self_ref(self);
        m->left = PASSES;
        CEDE_SIM_CHECK(cede_send(self, players[i], &m) == CEDE_OK);
    }
    for (int i = 0; i < BALLS; i++) {
        struct landed *landed = NULL;
        CEDE_SIM_CHECK(cede_recv(self, landed, &landed, CEDE_SECONDS(60)) == CEDE_OK);
        cede_drop(self, &landed);
    }
    return CEDE_OK;
}

static void balls_are_played_by_one_at_a_time(void **state) {
    (void)state;
    const char *seeds = getenv("CEDE_TEST_SEEDS");
    struct cede_options system = {.workers = 2};
    const struct cede_sim_options options = {
        .name = "duty",
        .seeds = seeds != NULL ? (uint32_t)strtoul(seeds, NULL, 10) : 300,
        .system = &system};
    assert_int_equal(cede_sim_run(&options, balls_land, NULL), CEDE_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(balls_are_played_by_one_at_a_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
