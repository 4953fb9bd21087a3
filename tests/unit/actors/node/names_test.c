/* names_test.c - published names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/node/names.h"
#include "core/sys/alloc.h"

static const cede_ref one = {1, 2, 3}, two = {4, 5, 6}, nobody = {0, 0, 0};

static void names_are_found_replaced_and_taken_back(void **state) {
    (void)state;
    struct cedei_names names;
    cede_ref found = nobody;
    cedei_names_init(&names, 7);
    assert_int_equal(cedei_names_find(&names, "a", 1, &found), CEDE_ENOENT);
    assert_int_equal(cedei_names_set(&names, "a", one), CEDE_OK);
    assert_int_equal(cedei_names_set(&names, "ab", two), CEDE_OK);
    assert_int_equal(cedei_names_find(&names, "abc", 1, &found), CEDE_OK);
    assert_true(cede_ref_equal(found, one));
    assert_int_equal(cedei_names_find(&names, "abc", 2, &found), CEDE_OK);
    assert_true(cede_ref_equal(found, two));
    assert_int_equal(cedei_names_set(&names, "a", two), CEDE_OK);
    assert_int_equal(cedei_names_find(&names, "a", 1, &found), CEDE_OK);
    assert_true(cede_ref_equal(found, two));
    assert_int_equal(cedei_names_set(&names, "a", nobody), CEDE_OK);
    assert_int_equal(cedei_names_set(&names, "a", nobody), CEDE_ENOENT);
    assert_int_equal(cedei_names_find(&names, "a", 1, &found), CEDE_ENOENT);
    cedei_names_fini(&names);
}

static void names_out_of_bounds_are_refused(void **state) {
    (void)state;
    struct cedei_names names;
    cede_ref found;
    char text[CEDEI_NAME_SIZE_MAX + 2];
    memset(text, 'x', sizeof text);
    text[CEDEI_NAME_SIZE_MAX + 1] = '\0';
    cedei_names_init(&names, 7);
    assert_int_equal(cedei_names_set(&names, "", one), CEDE_EINVAL);
    assert_int_equal(cedei_names_set(&names, text, one), CEDE_EINVAL);
    assert_int_equal(cedei_names_find(&names, text, CEDEI_NAME_SIZE_MAX + 1, &found), CEDE_ENOENT);
    text[CEDEI_NAME_SIZE_MAX] = '\0';
    assert_int_equal(cedei_names_set(&names, text, one), CEDE_OK);
    cedei_alloc_fail_after(0, true);
    assert_int_equal(cedei_names_set(&names, "b", one), CEDE_ENOMEM);
    (void)cedei_alloc_fail_never();
    cedei_names_fini(&names);
}

static void names_are_limited_in_number(void **state) {
    (void)state;
    struct cedei_names names;
    char text[16];
    cedei_names_init(&names, 7);
    for (uint32_t i = 0; i < CEDEI_NAME_COUNT_MAX; i++) {
        (void)snprintf(text, sizeof text, "%u", i);
        assert_int_equal(cedei_names_set(&names, text, one), CEDE_OK);
    }
    assert_int_equal(cedei_names_set(&names, "one more", one), CEDE_ELIMIT);
    assert_int_equal(cedei_names_set(&names, "7", two), CEDE_OK);
    cedei_names_fini(&names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_replaced_and_taken_back),
        cmocka_unit_test(names_out_of_bounds_are_refused),
        cmocka_unit_test(names_are_limited_in_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
