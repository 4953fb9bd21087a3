/* Faults that tests set: which call they hit, how often, and what errno means. */
#include "core/sys/call.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void fault_hits_the_call_that_was_named_once(void **state) {
    (void)state;
    assert_int_equal(cedei_call_fault(CEDEI_CALL_SEND), 0);
    cedei_call_fail(CEDEI_CALL_SEND, EPIPE, 2);
    assert_int_equal(cedei_call_fault(CEDEI_CALL_RECEIVE), 0);
    assert_int_equal(cedei_call_fault(CEDEI_CALL_SEND), 0);
    assert_int_equal(cedei_call_fault(CEDEI_CALL_SEND), 0);
    assert_int_equal(cedei_call_fault(CEDEI_CALL_SEND), EPIPE);
    assert_int_equal(cedei_call_fault(CEDEI_CALL_SEND), 0);
    assert_true(cedei_call_fail_never());
    cedei_call_fail(CEDEI_CALL_SEND, EPIPE, 0);
    assert_false(cedei_call_fail_never());
    assert_int_equal(cedei_call_fault(CEDEI_CALL_SEND), 0);
}

static void limit_bounds_what_a_transfer_moves(void **state) {
    (void)state;
    assert_int_equal(cedei_call_size(1000), 1000);
    cedei_call_limit(10);
    assert_int_equal(cedei_call_size(1000), 10);
    assert_int_equal(cedei_call_size(3), 3);
    assert_false(cedei_call_fail_never());
    assert_int_equal(cedei_call_size(1000), 1000);
}

static void errors_have_results_and_unknown_ones_are_input_output_errors(void **state) {
    (void)state;
    assert_int_equal(cedei_call_result(0), CEDE_OK);
    assert_int_equal(cedei_call_result(EAGAIN), CEDE_ETIMEDOUT);
    assert_int_equal(cedei_call_result(EINPROGRESS), CEDE_ETIMEDOUT);
    assert_int_equal(cedei_call_result(ECONNRESET), CEDE_ERESET);
    assert_int_equal(cedei_call_result(ECONNREFUSED), CEDE_EREFUSED);
    assert_int_equal(cedei_call_result(EPIPE), CEDE_ECLOSED);
    assert_int_equal(cedei_call_result(EMFILE), CEDE_ELIMIT);
    assert_int_equal(cedei_call_result(ENETUNREACH), CEDE_EUNREACH);
    assert_int_equal(cedei_call_result(EDOM), CEDE_EIO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fault_hits_the_call_that_was_named_once),
        cmocka_unit_test(limit_bounds_what_a_transfer_moves),
        cmocka_unit_test(errors_have_results_and_unknown_ones_are_input_output_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
