/* Control messages under the simulator: who waits for one kind of them, while others lie in its lane, hears every one at once, and
 * those of a sender in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <cede/cede.h>
#include <cede/sim.h>

enum { OFFICERS = 3, ORDERS = 12 };

#define COMMAND(F)                                                                                 \
    F(ref, to)                                                                                     \
    F(u32, officer)
CEDE_MESSAGE(command, COMMAND);
#define ORDER(F)                                                                                   \
    F(u32, officer)                                                                                \
    F(u32, number)                                                                                 \
    F(u64, sent_ns)
CEDE_CONTROL_MESSAGE(order, ORDER);
#define NEWS(F) F(u32, officer)
CEDE_CONTROL_MESSAGE(news, NEWS);

struct officer {
    int unused;
};

/* CEDE_EFULL is a fault of the simulator's: the lane has room for all. */
static CEDE_YIELDS void order_send(cede_self *self, const struct command *m, uint32_t number) {
    cede_result r = CEDE_EFULL;
    while (r != CEDE_OK) { /* until a try meets no fault */
        struct order *order = cede_new(self, order);
        if (order == NULL) continue;
        *order = (struct order){.officer = m->officer, .number = number, .sent_ns = cede_now(self)};
        r = cede_send(self, m->to, &order);
        CEDE_SIM_CHECK(r == CEDE_OK || r == CEDE_EFULL || r == CEDE_ENOMEM);
        cede_drop(self, &order);
    }
}

static CEDE_YIELDS cede_result on_command(cede_self *self, struct officer *state,
                                          struct command *m) {
    (void)state;
    for (uint32_t number = 1; number <= ORDERS; number++) {
        struct news *news = cede_new(self, news);
        if (news != NULL) news->officer = m->officer;
        if (news != NULL) (void)!cede_send(self, m->to, &news);
        order_send(self, m, number);
        /* Mostly long: nothing else wakes the one that overlooks this. */
        if (cede_sim_random() % 4 != 0) (void)!cede_sleep(self, CEDE_SECONDS(2 + number % 2));
    }
    return CEDE_STOP;
}
#define OFFICER(ON) ON(command, on_command)
CEDE_BEHAVIOUR(officer, struct officer, OFFICER);

static CEDE_YIELDS cede_result orders_are_heard(cede_self *self, void *context) {
    uint32_t heard[OFFICERS] = {0};
    (void)context;
    cede_sim_calm(true);
    for (uint32_t i = 0; i < OFFICERS; i++) {
        struct command *m = cede_new(self, command);
        CEDE_SIM_CHECK(m != NULL);
        m->to = cede_self_ref(self);
        m->officer = i;
        cede_ref ref;
        CEDE_SIM_CHECK(cede_spawn(self, &officer, &m, &ref) == CEDE_OK);
    }
    cede_sim_calm(false);
    for (uint32_t i = 0; i < OFFICERS * ORDERS; i++) {
        struct order *order = NULL;
        uint64_t began_ns = cede_now(self);
        cede_result r = CEDE_ENOMEM;
        while (r == CEDE_ENOMEM || r == CEDE_ELIMIT)
            r = cede_recv(self, order, &order, CEDE_SECONDS(60));
        CEDE_SIM_CHECK(r == CEDE_OK);
        CEDE_SIM_CHECK(order->number == ++heard[order->officer]);
        uint64_t there_ns = order->sent_ns > began_ns ? order->sent_ns : began_ns;
        CEDE_SIM_CHECK(cede_now(self) < there_ns + CEDE_SECONDS(1));
        cede_drop(self, &order);
    }
    return CEDE_OK;
}

static void orders_hold(void **state) {
    (void)state;
    const char *seeds = getenv("CEDE_TEST_SEEDS");
    struct cede_sim_options options = {.name = "orders",
                                       .seeds =
                                           seeds != NULL ? (uint32_t)strtoul(seeds, NULL, 10) : 300,
                                       .refuse_one_in = 20,
                                       .memory_one_in = 100};
    assert_int_equal(cede_sim_run(&options, orders_are_heard, NULL), CEDE_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(orders_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
