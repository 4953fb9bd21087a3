/* Behaviours with a stack_size: their turns run on stacks of that size, and nobody else's do. */
#include "tests/support/actors.h"

#include "core/mem/stack.h"

enum { LARGE = 2 * 1024 * 1024, SMALL = 16 * 1024, DEEP = 960 * 1024 };

CEDE_BEHAVIOUR(large_player, struct player, TEST_PLAYER, .stack_size = LARGE);
CEDE_BEHAVIOUR(small_player, struct player, TEST_PLAYER, .stack_size = SMALL);
CEDE_BEHAVIOUR(large_blocking_player, struct player, TEST_PLAYER, .stack_size = LARGE,
               .kind = CEDE_BLOCKING);
CEDE_BEHAVIOUR(odd_player, struct player, TEST_PLAYER, .stack_size = 20000);
CEDE_BEHAVIOUR(tiny_player, struct player, TEST_PLAYER, .stack_size = 4096);

static size_t stack_size_here(void) {
    struct cedei_worker *worker = cedei_worker_current();
    return worker->stack->pool->spacing;
}

/* Touches `size` bytes of stack, so that it would overflow where there are fewer. */
static CEDEI_NOINLINE uint64_t stack_use(size_t size) {
    volatile char *bytes = __builtin_alloca(size);
    for (size_t i = 0; i < size; i += 1024) bytes[size - 1 - i] = 1;
    return (uint64_t)bytes[size - 1];
}

struct visit {
    cede_ref back;
    size_t size;
    bool deep;
};

static CEDE_YIELDS cede_result visit_run(cede_self *self, void *context) {
    struct visit *visit = context;
    for (int i = 0; i < 20; i++) {
        EXPECT_EQUAL(stack_size_here(), visit->size);
        if (visit->deep) EXPECT(stack_use(DEEP) == 1);
        if (i % 3 == 0) cede_yield(self);
        if (i % 7 == 0) EXPECT_OK(cede_sleep(self, 1000));
        EXPECT_EQUAL(stack_size_here(), visit->size);
    }
    number_send(self, visit->back, visit->size);
    return CEDE_OK;
}

TURN_TEST(sized_turns_run_on_stacks_of_their_size_and_others_do_not) {
    (void)context;
    static struct visit large, small, usual, blocking;
    cede_ref me = cede_self_ref(self);
    size_t usual_size = stack_size_here();
    large = (struct visit){.back = me, .size = LARGE, .deep = true};
    blocking = large;
    small = (struct visit){.back = me, .size = SMALL};
    usual = (struct visit){.back = me, .size = usual_size};
    uint64_t sum = 0, expected = 0;
    for (int i = 0; i < 20; i++) {
        play_as(self, &large_player, visit_run, &large);
        play_as(self, &small_player, visit_run, &small);
        play(self, visit_run, &usual);
        play_as(self, &large_blocking_player, visit_run, &blocking);
        expected += 2 * (uint64_t)LARGE + SMALL + usual_size;
    }
    for (int i = 0; i < 80; i++) sum += number_await(self);
    EXPECT_EQUAL(sum, expected);
    EXPECT_EQUAL(stack_size_here(), usual_size);
    return CEDE_OK;
}

TURN_TEST(sized_actor_wakes_others_that_run_on_their_own_stacks) {
    (void)context;
    static struct visit usual, large;
    usual = (struct visit){.back = cede_self_ref(self), .size = stack_size_here()};
    large = (struct visit){.back = cede_self_ref(self), .size = LARGE};
    play_as(self, &large_player, visit_run, &large);
    play(self, visit_run, &usual);
    (void)number_await(self);
    (void)number_await(self);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result wait_forever(cede_self *self, void *context) {
    (void)context;
    struct number *message = NULL;
    return cede_recv(self, number, &message, CEDE_FOREVER);
}

TURN_TEST(sized_actor_that_is_killed_gives_its_stack_back) {
    (void)context;
    struct cede_stacks before = {0}, after = {0};
    for (int round = 0; round < 50; round++) {
        cede_ref victim = {0};
        struct play *first = cede_new(self, play);
        first->run = wait_forever;
        EXPECT_OK(cede_spawn_monitored(self, &small_player, &first, &victim));
        parked_await(self, victim);
        EXPECT_OK(cede_kill(self, victim));
        EXPECT_RESULT(down_await(self, victim), CEDE_EKILLED);
        if (round == 0) EXPECT_OK(cede_system_stacks(cede_self_system(self), SMALL, &before));
    }
    EXPECT_OK(cede_system_stacks(cede_self_system(self), SMALL, &after));
    EXPECT_EQUAL(before.stacks, after.stacks);
    return CEDE_OK;
}

TURN_TEST(stacks_report_how_deep_they_were_used) {
    (void)context;
    static struct visit large;
    struct cede_stacks use = {0};
    cede_system *system = cede_self_system(self);
    EXPECT_OK(cede_system_stacks(system, LARGE, &use));
    EXPECT_EQUAL(use.stacks, 0);
    large = (struct visit){.back = cede_self_ref(self), .size = LARGE, .deep = true};
    play_as(self, &large_player, visit_run, &large);
    (void)number_await(self);
    EXPECT_OK(cede_system_stacks(system, LARGE, &use));
    EXPECT(use.stacks >= 1 && use.high_water_bytes >= DEEP && use.high_water_bytes < LARGE);
    EXPECT(use.resident_bytes >= use.high_water_bytes);
    EXPECT_OK(cede_system_stacks(system, 0, &use));
    EXPECT(use.stacks >= 1 && use.high_water_bytes > 0);
    EXPECT_RESULT(cede_system_stacks(system, 12345, &use), CEDE_EINVAL);
    EXPECT_RESULT(cede_system_stacks(NULL, 0, &use), CEDE_EINVAL);
    return CEDE_OK;
}

TURN_TEST(stack_sizes_that_cannot_be_are_refused) {
    struct fixture *fixture = context;
    EXPECT_RESULT(cede_spawn(self, &odd_player, CEDE_NOTHING, NULL), CEDE_EINVAL);
    EXPECT(fixture_logged(
        fixture, "behaviour 'odd_player': stack_size is 20000; it must be a power of two"));
    EXPECT_RESULT(cede_spawn(self, &tiny_player, CEDE_NOTHING, NULL), CEDE_EINVAL);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(sized_turns_run_on_stacks_of_their_size_and_others_do_not),
        WITH_SYSTEM(sized_actor_wakes_others_that_run_on_their_own_stacks),
        WITH_SYSTEM(sized_actor_that_is_killed_gives_its_stack_back),
        WITH_SYSTEM(stacks_report_how_deep_they_were_used),
        WITH_SYSTEM(stack_sizes_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests_name("actors.actor.sized", tests, NULL, NULL);
}
