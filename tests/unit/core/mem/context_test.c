/* Switching between stacks: what survives a switch, and how stacks begin, are left and are used again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/mem/context.h"

enum { SIZE = 64 * 1024 };

static struct cedei_stack native, one, two;
static char order[64];

static void order_add(const char *text) { strcat(order, text); }

static void stack_make(struct cedei_stack *stack) {
    memset(stack, 0, sizeof *stack);
    stack->low = malloc(SIZE);
    stack->size = SIZE;
    assert_non_null(stack->low);
    cedei_context_init(stack);
}

static void stack_end(struct cedei_stack *stack) {
    cedei_context_fini(stack);
    free(stack->low);
}

static int stacks_setup(void **state) {
    (void)state;
    order[0] = '\0';
    cedei_context_adopt(&native);
    stack_make(&one);
    stack_make(&two);
    return 0;
}

static int stacks_teardown(void **state) {
    (void)state;
    stack_end(&one);
    stack_end(&two);
    return 0;
}

static void enter_and_leave(void) {
    cedei_context_entered();
    order_add("b");
    cedei_context_leave(&native);
}

static void context_prepared_runs_its_entry_on_its_own_stack(void **state) {
    (void)state;
    cedei_context_prepare(&one, enter_and_leave);
    order_add("a");
    cedei_context_switch(&native, &one);
    order_add("c");
    assert_string_equal(order, "abc");
}

static void enter_and_go_round(void) {
    cedei_context_entered();
    for (int i = 0; i < 3; i++) {
        char here;
        assert_true(&here >= one.low && &here < one.low + one.size);
        order_add("1");
        cedei_context_switch(&one, &two);
    }
    cedei_context_leave(&native);
}

static void enter_and_come_back(void) {
    cedei_context_entered();
    for (;;) {
        order_add("2");
        cedei_context_switch(&two, &one);
    }
}

static void context_goes_on_where_it_was_left(void **state) {
    (void)state;
    cedei_context_prepare(&one, enter_and_go_round);
    cedei_context_prepare(&two, enter_and_come_back);
    cedei_context_switch(&native, &one);
    assert_string_equal(order, "121212");
}

static volatile double floating;
static volatile uint64_t integers;

static void enter_and_spoil_registers(void) {
    cedei_context_entered();
    for (int i = 0;; i++) {
        /* Uses every register that a call may use, and those that it must put back. */
        uint64_t a = (uint64_t)i, b = a + 1, c = a + 2, d = a + 3, e = a + 4, f = a + 5, g = a + 6,
                 h = a + 7;
        for (int k = 0; k < 10; k++)
            a += b * c, b += c * d, c += d * e, d += e * f, e += f * g, f += g * h, g += h, h++;
        integers = a + b + c + d + e + f + g + h;
        floating = floating * 1.5 + (double)i;
        cedei_context_switch(&one, &native);
    }
}

static void context_switch_keeps_callee_saved_registers_and_locals(void **state) {
    (void)state;
    cedei_context_prepare(&one, enter_and_spoil_registers);
    uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7;
    double x = 0.5, y = 0.25;
    for (uint64_t i = 0; i < 1000; i++) {
        cedei_context_switch(&native, &one);
        a += 1, b += 2, c += 3, d += 4, e += 5, f += 6, g += 7;
        x += 1, y += 2;
    }
    assert_true(a == 1001 && b == 2002 && c == 3003 && d == 4004 && e == 5005 && f == 6006 &&
                g == 7007);
    assert_true(x == 1000.5 && y == 2000.25);
}

static void enter_and_be_abandoned(void) {
    cedei_context_entered();
    volatile char frame[1024];
    memset((char *)frame, 1, sizeof frame);
    order_add("x");
    cedei_context_switch(&one, &native);
    abort(); /* nobody comes back */
}

/* What an abandoned turn left on a stack must not disturb the next one (nor the sanitizers). */
static void context_abandoned_in_the_middle_can_be_prepared_again(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        cedei_context_prepare(&one, enter_and_be_abandoned);
        cedei_context_switch(&native, &one);
    }
    cedei_context_prepare(&one, enter_and_leave);
    cedei_context_switch(&native, &one);
    assert_string_equal(order, "xxxxxxxxxxxxxxxxxxxxb");
}

static void enter_and_check_alignment(void) {
    cedei_context_entered();
    _Alignas(16) volatile char aligned[16];
    if ((uintptr_t)aligned % 16 == 0 && (uintptr_t)__builtin_frame_address(0) % 16 == 0)
        order_add("ok");
    cedei_context_leave(&native);
}

static void context_begins_with_an_aligned_stack(void **state) {
    (void)state;
    cedei_context_prepare(&one, enter_and_check_alignment);
    cedei_context_switch(&native, &one);
    assert_string_equal(order, "ok");
}

int main(void) {
#define WITH_STACKS(name) cmocka_unit_test_setup_teardown(name, stacks_setup, stacks_teardown)
    const struct CMUnitTest tests[] = {
        WITH_STACKS(context_prepared_runs_its_entry_on_its_own_stack),
        WITH_STACKS(context_goes_on_where_it_was_left),
        WITH_STACKS(context_switch_keeps_callee_saved_registers_and_locals),
        WITH_STACKS(context_abandoned_in_the_middle_can_be_prepared_again),
        WITH_STACKS(context_begins_with_an_aligned_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
