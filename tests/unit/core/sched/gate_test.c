/* The gate lets in as many as it may, hands each entry that becomes free to the first in line, and loses none. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/sched/gate.h"
#include "core/sys/thread.h"
#include "tests/support/expect.h"

static void gate_lets_in_as_many_as_it_may(void **state) {
    (void)state;
    struct cedei_gate gate;
    struct cedei_gate_place next;
    cedei_gate_init(&gate, 2);
    EXPECT(cedei_gate_enter(&gate) && cedei_gate_enter(&gate));
    EXPECT(!cedei_gate_enter(&gate));
    EXPECT(!cedei_gate_leave(&gate, &next));
    EXPECT(cedei_gate_enter(&gate));
    EXPECT(!cedei_gate_enter(&gate));
    cedei_gate_fini(&gate);
}

static void gate_hands_free_entries_to_those_in_line_as_they_came(void **state) {
    (void)state;
    struct cedei_gate gate;
    struct cedei_gate_place places[3] = {{.sequence = 1}, {.sequence = 2}, {.sequence = 3}}, next;
    cedei_gate_init(&gate, 1);
    EXPECT(cedei_gate_enter(&gate));
    for (int i = 0; i < 3; i++) EXPECT(!cedei_gate_enter_or_line_up(&gate, &places[i]));
    EXPECT(cedei_gate_withdraw(&gate, &places[1]));
    EXPECT(!cedei_gate_withdraw(&gate, &places[1]));
    EXPECT(cedei_gate_leave(&gate, &next) && next.sequence == 1);
    EXPECT(!cedei_gate_withdraw(&gate, &places[0])); /* it is in */
    EXPECT(!cedei_gate_enter(&gate));
    EXPECT(cedei_gate_leave(&gate, &next) && next.sequence == 3);
    EXPECT(!cedei_gate_leave(&gate, &next));
    EXPECT(cedei_gate_enter(&gate));
    cedei_gate_fini(&gate);
}

static void gate_that_is_overfull_lets_nobody_in_until_it_is_not(void **state) {
    (void)state;
    struct cedei_gate gate;
    struct cedei_gate_place place = {.sequence = 1}, next;
    cedei_gate_init(&gate, 1);
    for (int i = 0; i < 3; i++) cedei_gate_enter_anyway(&gate);
    EXPECT(!cedei_gate_enter_or_line_up(&gate, &place));
    EXPECT(!cedei_gate_leave(&gate, &next) && !cedei_gate_leave(&gate, &next));
    EXPECT(cedei_gate_leave(&gate, &next) && next.sequence == 1);
    cedei_gate_fini(&gate);
}

enum { THREADS = 4, ROUNDS = 20000, ROOM = 2 };
static struct cedei_gate shared;
static _Atomic uint32_t let_in[THREADS], inside_now;

static void *pass_through(void *context) {
    uint32_t me = (uint32_t)(uintptr_t)context;
    for (int i = 0; i < ROUNDS; i++) {
        struct cedei_gate_place place = {.sequence = me}, next;
        if (!cedei_gate_enter_or_line_up(&shared, &place))
            /* acquire: pairs with the release below. Asleep: yields take minutes on a machine that does other things. */
            while (atomic_load_explicit(&let_in[me], memory_order_acquire) == 0)
                cedei_futex_wait(&let_in[me], 0, UINT64_MAX);
        /* relaxed (all): counts and flags of the test. */
        atomic_store_explicit(&let_in[me], 0, memory_order_relaxed);
        EXPECT(atomic_fetch_add_explicit(&inside_now, 1, memory_order_relaxed) < ROOM);
        atomic_fetch_sub_explicit(&inside_now, 1, memory_order_relaxed);
        if (!cedei_gate_leave(&shared, &next)) continue;
        /* release: pairs with the acquire above. */
        atomic_store_explicit(&let_in[next.sequence], 1, memory_order_release);
        cedei_futex_wake(&let_in[next.sequence], 1);
    }
    return NULL;
}

static void gate_loses_no_entry_when_many_come_and_go(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    cedei_gate_init(&shared, ROOM);
    for (uintptr_t i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, pass_through, (void *)i) == 0);
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL); /* a lost one would hang */
    EXPECT_EQUAL(shared.inside, 0);
    EXPECT_EQUAL(shared.lined_up, 0);
    cedei_gate_fini(&shared);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gate_lets_in_as_many_as_it_may),
        cmocka_unit_test(gate_hands_free_entries_to_those_in_line_as_they_came),
        cmocka_unit_test(gate_that_is_overfull_lets_nobody_in_until_it_is_not),
        cmocka_unit_test(gate_loses_no_entry_when_many_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
