/* credit_test.c - the two counts of flow control against each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/node/credit.h"
#include "core/sys/alloc.h"

static const struct cedei_window window = {.messages = 8, .bytes = 1000};

/* Both ends of one target, and the credits on their way back. */
struct flow {
    struct cedei_target target;
    struct cedei_debt debt;
    struct cedei_credit back[64];
    size_t back_count;
    uint64_t entered;
};

static struct flow *flow_make(void) {
    struct flow *flow = calloc(1, sizeof *flow);
    assert_non_null(flow);
    cedei_debt_init(&flow->debt, 3, 1);
    return flow;
}

static void flow_free(struct flow *flow) {
    cedei_debt_fini(&flow->debt);
    free(flow);
}

/* The sender sends if its own count allows it; then the receiver must agree. */
static bool flow_send(struct flow *flow, uint32_t bytes) {
    if (!cedei_target_has_room(&flow->target, &window)) return false;
    cedei_target_charge(&flow->target, bytes);
    assert_int_equal(cedei_debt_hold(&flow->debt, 1, bytes, &window), CEDE_OK);
    assert_int_equal(cedei_debt_enter(&flow->debt, (struct cedei_charge){1, bytes}, &window),
                     CEDE_OK);
    flow->entered++;
    return true;
}

static void flow_handle(struct flow *flow) {
    assert_true(flow->entered > 0);
    flow->entered--;
    if (cedei_debt_leave(&flow->debt, &window, &flow->back[flow->back_count])) flow->back_count++;
}

static void flow_return(struct flow *flow) {
    for (size_t i = 0; i < flow->back_count; i++) {
        assert_int_equal(cedei_target_credit(&flow->target, &flow->back[i]), CEDE_OK);
    }
    flow->back_count = 0;
}

static void credit_stops_a_sender_at_the_window_of_messages(void **state) {
    (void)state;
    struct flow *flow = flow_make();
    for (int i = 0; i < 8; i++) assert_true(flow_send(flow, 1));
    assert_false(flow_send(flow, 1));
    flow_free(flow);
}

/* The last message may overshoot by its size: one that is larger than the window can be sent at all. */
static void credit_stops_a_sender_at_the_window_of_bytes(void **state) {
    (void)state;
    struct flow *flow = flow_make();
    assert_true(flow_send(flow, 999));
    assert_true(flow_send(flow, 5000));
    assert_false(flow_send(flow, 1));
    flow_handle(flow);
    flow_handle(flow);
    flow_return(flow);
    assert_true(flow_send(flow, 5000));
    flow_free(flow);
}

/* Nobody flushes: what is owed goes back soon enough for a sender that waits. */
static void credit_comes_back_without_a_flush_before_a_sender_starves(void **state) {
    (void)state;
    struct flow *flow = flow_make();
    for (int round = 0; round < 1000; round++) {
        while (flow_send(flow, (uint32_t)(round * 37 % 400))) {}
        assert_true(flow->entered > 0);
        while (flow->entered > 0) flow_handle(flow);
        assert_true(flow->back_count > 0);
        flow_return(flow);
        assert_true(cedei_target_has_room(&flow->target, &window));
    }
    flow_free(flow);
}

static void credit_adds_up_in_any_order_of_events(void **state) {
    (void)state;
    uint32_t x = 12345;
    struct flow *flow = flow_make();
    for (int step = 0; step < 200000; step++) {
        x = x * 1664525u + 1013904223u;
        uint32_t dice = x >> 24;
        if (dice < 120) (void)flow_send(flow, x >> 8 & 511);
        if (dice >= 120 && dice < 220 && flow->entered > 0) flow_handle(flow);
        if (dice >= 220 && dice < 230 &&
            cedei_debt_flush(&flow->debt, &flow->back[flow->back_count])) {
            flow->back_count++;
        }
        if (dice >= 230 || flow->back_count == 60) flow_return(flow);
    }
    while (flow->entered > 0) {
        flow_handle(flow);
        flow_return(flow);
    }
    if (cedei_debt_flush(&flow->debt, &flow->back[0])) flow->back_count = 1;
    flow_return(flow);
    assert_int_equal(flow->target.messages, 0);
    assert_int_equal(flow->target.bytes, 0);
    assert_true(cedei_debt_idle(&flow->debt));
    flow_free(flow);
}

static void credit_finds_a_peer_that_overruns_and_credits_for_nothing(void **state) {
    (void)state;
    struct flow *flow = flow_make();
    for (int i = 0; i < 8; i++) assert_true(flow_send(flow, 1));
    assert_int_equal(cedei_debt_hold(&flow->debt, 1, 1, &window), CEDE_EPROTO);
    struct cedei_credit credit = {.target = {3, 1}, .messages = 9, .bytes = 8};
    assert_int_equal(cedei_target_credit(&flow->target, &credit), CEDE_EPROTO);
    credit = (struct cedei_credit){.target = {3, 1}, .messages = 8, .bytes = 9};
    assert_int_equal(cedei_target_credit(&flow->target, &credit), CEDE_EPROTO);
    flow_free(flow);
}

/* The slot has a new tenant while messages for the old one are in the mailbox: each is credited to its own. */
static void credit_keeps_tenants_of_a_slot_apart(void **state) {
    (void)state;
    struct cedei_debt debt;
    struct cedei_credit out;
    uint32_t credited[3] = {0};
    cedei_debt_init(&debt, 3, 1);
    for (uint32_t generation = 1; generation <= 2; generation++) {
        for (int i = 0; i < 8; i++) {
            assert_int_equal(cedei_debt_hold(&debt, generation, 10, &window), CEDE_OK);
            assert_int_equal(
                cedei_debt_enter(&debt, (struct cedei_charge){generation, 10}, &window), CEDE_OK);
        }
    }
    for (int i = 0; i < 16; i++) {
        if (cedei_debt_leave(&debt, &window, &out)) credited[out.target.generation] += out.messages;
    }
    if (cedei_debt_flush(&debt, &out)) credited[out.target.generation] += out.messages;
    assert_int_equal(credited[1], 8);
    assert_int_equal(credited[2], 8);
    assert_false(cedei_debt_leave(&debt, &window, &out));
    cedei_debt_fini(&debt);
}

static void credit_ring_reports_short_memory_and_its_limit(void **state) {
    (void)state;
    struct cedei_debt debt;
    cedei_debt_init(&debt, 3, 1);
    cedei_alloc_fail_after(0, true);
    assert_int_equal(cedei_debt_enter(&debt, (struct cedei_charge){1, 1}, &window), CEDE_ENOMEM);
    (void)cedei_alloc_fail_never();
    for (int i = 0; i < 16; i++) {
        assert_int_equal(cedei_debt_enter(&debt, (struct cedei_charge){1, 1}, &window), CEDE_OK);
    }
    assert_int_equal(cedei_debt_enter(&debt, (struct cedei_charge){1, 1}, &window), CEDE_ELIMIT);
    cedei_debt_fini(&debt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credit_stops_a_sender_at_the_window_of_messages),
        cmocka_unit_test(credit_stops_a_sender_at_the_window_of_bytes),
        cmocka_unit_test(credit_comes_back_without_a_flush_before_a_sender_starves),
        cmocka_unit_test(credit_adds_up_in_any_order_of_events),
        cmocka_unit_test(credit_finds_a_peer_that_overruns_and_credits_for_nothing),
        cmocka_unit_test(credit_keeps_tenants_of_a_slot_apart),
        cmocka_unit_test(credit_ring_reports_short_memory_and_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
