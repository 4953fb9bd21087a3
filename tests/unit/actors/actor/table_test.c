/* The table of slots: who frees one finds it again, what is free reaches everybody, no generation comes twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/actor/actor.h"

enum { WORKERS = 2, LARGE = 1 << 17 };

static cede_system *table;
static struct cedei_worker *workers[WORKERS];

static void table_begin(uint32_t actors_max) {
    table = aligned_alloc(CEDEI_CACHE_LINE, sizeof *table);
    assert_non_null(table);
    memset(table, 0, sizeof *table);
    assert_int_equal(cedei_table_init(table, actors_max), CEDE_OK);
    for (uint32_t i = 0; i < WORKERS; i++) {
        workers[i] = aligned_alloc(CEDEI_CACHE_LINE, sizeof *workers[i]);
        assert_non_null(workers[i]);
        memset(workers[i], 0, sizeof *workers[i]);
        workers[i]->sched = &table->sched;
        workers[i]->index = i;
    }
}

static void table_end(void) {
    for (int i = 0; i < WORKERS; i++) free(workers[i]);
    cedei_table_fini(table);
    free(table);
}

static struct cede_self *take(struct cedei_worker *worker) {
    cede_result why = CEDE_OK;
    return cedei_table_take(table, worker, &why);
}

/* As the end of an actor: the next generation, at rest, free. */
static void give(struct cedei_worker *worker, struct cede_self *actor) {
    actor->identity += (uint64_t)1 << 32;
    assert_true(cedei_mailbox_rest(&actor->mailbox, CEDEI_MAILBOX_IDLE));
    cedei_table_give(table, worker, actor);
}

static void slot_freed_last_is_taken_first(void **state) {
    (void)state;
    table_begin(LARGE);
    struct cede_self *first = take(workers[0]), *second = take(workers[0]);
    assert_ptr_not_equal(first, second);
    give(workers[0], second);
    give(workers[0], first);
    assert_ptr_equal(take(workers[0]), first);
    assert_ptr_equal(take(workers[0]), second);
    table_end();
}

/* Otherwise a worker that only ends actors would keep what another, which only spawns, has to make anew. */
static void slots_freed_by_one_worker_reach_another(void **state) {
    (void)state;
    enum { COUNT = 500, ROUNDS = 20 };
    static struct cede_self *actors[COUNT];
    table_begin(LARGE);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < COUNT; i++) assert_non_null(actors[i] = take(workers[0]));
        for (int i = 0; i < COUNT; i++) give(workers[1], actors[i]);
    }
    assert_true(table->slots_used <= COUNT + WORKERS * CEDEI_SLOTS_CACHED_MAX);
    table_end();
}

static void slots_of_a_small_table_can_all_be_had_by_anyone(void **state) {
    (void)state;
    table_begin(3);
    for (int round = 0; round < 2; round++) {
        struct cede_self *actors[3] = {take(workers[0]), take(workers[1]), take(NULL)};
        for (int i = 0; i < 3; i++) assert_non_null(actors[i]);
        cede_result why = CEDE_OK;
        assert_null(cedei_table_take(table, workers[0], &why));
        assert_int_equal(why, CEDE_ELIMIT);
        for (int i = 0; i < 3; i++) give(workers[1], actors[i]);
    }
    table_end();
}

/* A ref to its first tenant would else name another one. */
static void slot_that_has_had_all_generations_is_not_taken_again(void **state) {
    (void)state;
    table_begin(2);
    struct cede_self *old = take(NULL);
    old->identity = (uint64_t)(CEDEI_GENERATION_MAX - 1) << 32 | CEDEI_SIGNAL_FREE;
    give(NULL, old);
    assert_ptr_not_equal(take(NULL), old);
    assert_null(take(NULL));
    table_end();
}

/* Somebody throws away late messages there at this moment; it can be had when that is over. */
static void slot_that_is_not_at_rest_is_passed_over_for_now(void **state) {
    (void)state;
    table_begin(LARGE);
    struct cede_self *busy = take(workers[0]);
    give(workers[0], busy);
    assert_true(cedei_mailbox_claim(&busy->mailbox, CEDEI_MAILBOX_IDLE));
    struct cede_self *other = take(workers[0]);
    assert_non_null(other);
    assert_ptr_not_equal(other, busy);
    assert_true(cedei_mailbox_rest(&busy->mailbox, CEDEI_MAILBOX_IDLE));
    assert_ptr_equal(take(workers[0]), busy);
    table_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slot_freed_last_is_taken_first),
        cmocka_unit_test(slots_freed_by_one_worker_reach_another),
        cmocka_unit_test(slots_of_a_small_table_can_all_be_had_by_anyone),
        cmocka_unit_test(slot_that_has_had_all_generations_is_not_taken_again),
        cmocka_unit_test(slot_that_is_not_at_rest_is_passed_over_for_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
