/* account_test.c - what leaves mailboxes is counted once, by whomever, and an account serves one debt at a time. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "actors/node/account.h"
#include "core/sys/alloc.h"

static bool leave(struct cedei_accounts *accounts, const struct cedei_account *account) {
    uint32_t link = 0;
    bool due = cedei_account_leave(accounts, account->number, &link);
    assert_int_equal(link, 7);
    return due;
}

static void leaving_is_due_for_a_note_when_nobody_looks_or_enough_have_left(void **state) {
    (void)state;
    struct cedei_accounts accounts;
    cedei_accounts_init(&accounts);
    struct cedei_account *account = cedei_account_open(&accounts, 7);
    assert_non_null(account);
    cedei_account_enter(account, 6);
    cedei_account_note_at(account, 3);
    assert_true(leave(&accounts, account)); /* nobody looks */
    cedei_account_list(account, true);
    assert_false(leave(&accounts, account));
    assert_true(leave(&accounts, account)); /* the third */
    assert_int_equal(cedei_account_take(account), 3);
    assert_int_equal(cedei_account_take(account), 0);
    assert_false(leave(&accounts, account));
    cedei_account_list(account, false);
    assert_true(leave(&accounts, account));
    assert_int_equal(cedei_account_take(account), 2);
    assert_true(leave(&accounts, account));
    assert_int_equal(cedei_account_take(account), 1);
    cedei_account_close(&accounts, account);
    cedei_accounts_fini(&accounts);
}

/* The debt has ended; the account is another's only when the last message that was inside has left or was withdrawn. */
static void account_is_kept_by_what_is_inside(void **state) {
    (void)state;
    struct cedei_accounts accounts;
    cedei_accounts_init(&accounts);
    struct cedei_account *account = cedei_account_open(&accounts, 7), *other;
    cedei_account_enter(account, 3);
    cedei_account_close(&accounts, account);
    other = cedei_account_open(&accounts, 8);
    assert_ptr_not_equal(other, account);
    cedei_account_close(&accounts, other);
    assert_false(leave(&accounts, account));
    cedei_account_withdraw(&accounts, account, 1);
    other = cedei_account_open(&accounts, 8);
    assert_ptr_not_equal(other, account);
    assert_false(leave(&accounts, account));
    assert_ptr_equal(cedei_account_open(&accounts, 9), account);
    assert_int_equal(cedei_account_take(account), 0);
    cedei_accounts_fini(&accounts);
}

static void numbers_stand_for_one_account_each_over_all_chunks(void **state) {
    (void)state;
    enum { MANY = 1000 };
    struct cedei_accounts accounts;
    struct cedei_account *opened[MANY];
    bool seen[2 * MANY + 1] = {false};
    cedei_accounts_init(&accounts);
    for (uint32_t i = 0; i < MANY; i++) {
        opened[i] = cedei_account_open(&accounts, 7);
        assert_non_null(opened[i]);
        uint32_t number = opened[i]->number;
        assert_true(number != 0 && number <= 2 * MANY && !seen[number]);
        seen[number] = true;
        cedei_account_enter(opened[i], i + 1);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        (void)leave(&accounts, opened[i]);
        assert_int_equal(cedei_account_take(opened[i]), 1);
    }
    cedei_accounts_fini(&accounts);
}

static void account_is_not_there_when_memory_is_short(void **state) {
    (void)state;
    struct cedei_accounts accounts;
    cedei_accounts_init(&accounts);
    cedei_alloc_fail_after(0, false);
    assert_null(cedei_account_open(&accounts, 7));
    (void)cedei_alloc_fail_never();
    assert_non_null(cedei_account_open(&accounts, 7));
    cedei_accounts_fini(&accounts);
}

/* ---- all at once ---- */

enum { TAKERS = 3, EACH = 20000 };

struct crowd {
    struct cedei_accounts accounts;
    struct cedei_account *account;
    _Atomic uint32_t due;
};

static void *take_out(void *context) {
    struct crowd *crowd = context;
    uint32_t link, due = 0;
    for (int i = 0; i < EACH; i++)
        due += cedei_account_leave(&crowd->accounts, crowd->account->number, &link);
    /* relaxed: read after the join. */
    atomic_fetch_add_explicit(&crowd->due, due, memory_order_relaxed);
    return NULL;
}

static void everything_that_leaves_is_noted_once(void **state) {
    (void)state;
    struct crowd crowd = {.due = 0};
    pthread_t threads[TAKERS];
    uint64_t noted = 0;
    cedei_accounts_init(&crowd.accounts);
    crowd.account = cedei_account_open(&crowd.accounts, 7);
    cedei_account_note_at(crowd.account, 32);
    cedei_account_list(crowd.account, true);
    cedei_account_enter(crowd.account, TAKERS * EACH + 1); /* one stays */
    for (int i = 0; i < TAKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_out, &crowd), 0);
    while (noted < TAKERS * EACH / 2) noted += cedei_account_take(crowd.account);
    for (int i = 0; i < TAKERS; i++) pthread_join(threads[i], NULL);
    noted += cedei_account_take(crowd.account);
    assert_int_equal(noted, TAKERS * EACH);
    cedei_account_close(&crowd.accounts, crowd.account);
    assert_ptr_not_equal(cedei_account_open(&crowd.accounts, 8), crowd.account);
    cedei_accounts_fini(&crowd.accounts);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaving_is_due_for_a_note_when_nobody_looks_or_enough_have_left),
        cmocka_unit_test(account_is_kept_by_what_is_inside),
        cmocka_unit_test(numbers_stand_for_one_account_each_over_all_chunks),
        cmocka_unit_test(account_is_not_there_when_memory_is_short),
        cmocka_unit_test(everything_that_leaves_is_noted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
