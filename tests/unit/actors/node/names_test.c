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

static struct cedei_exports exports;

static int exports_setup(void **state) {
    (void)state;
    cedei_exports_init(&exports, 1, 7);
    return 0;
}

static int exports_teardown(void **state) {
    (void)state;
    cedei_exports_fini(&exports);
    return 0;
}

static const cede_ref one = {1, 2, 3}, two = {4, 5, 6}, nobody = {0, 0, 0};

static void names_are_found_replaced_and_taken_back(void **state) {
    (void)state;
    struct cedei_names names;
    cede_ref found = nobody;
    cedei_names_init(&names, 7);
    assert_int_equal(cedei_names_find(&names, "a", 1, &found), CEDE_ENOENT);
    assert_int_equal(cedei_names_set(&names, "a", one, &exports), CEDE_OK);
    assert_int_equal(cedei_names_set(&names, "ab", two, &exports), CEDE_OK);
    assert_int_equal(cedei_names_find(&names, "abc", 1, &found), CEDE_OK);
    assert_true(cede_ref_equal(found, one));
    assert_int_equal(cedei_names_find(&names, "abc", 2, &found), CEDE_OK);
    assert_true(cede_ref_equal(found, two));
    assert_int_equal(cedei_names_set(&names, "a", two, &exports), CEDE_OK);
    assert_int_equal(cedei_names_find(&names, "a", 1, &found), CEDE_OK);
    assert_true(cede_ref_equal(found, two));
    assert_int_equal(cedei_names_set(&names, "a", nobody, &exports), CEDE_OK);
    assert_int_equal(cedei_names_set(&names, "a", nobody, &exports), CEDE_ENOENT);
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
    assert_int_equal(cedei_names_set(&names, "", one, &exports), CEDE_EINVAL);
    assert_int_equal(cedei_names_set(&names, text, one, &exports), CEDE_EINVAL);
    assert_int_equal(cedei_names_find(&names, text, CEDEI_NAME_SIZE_MAX + 1, &found), CEDE_ENOENT);
    text[CEDEI_NAME_SIZE_MAX] = '\0';
    assert_int_equal(cedei_names_set(&names, text, one, &exports), CEDE_OK);
    cedei_alloc_fail_after(0, true);
    assert_int_equal(cedei_names_set(&names, "b", one, &exports), CEDE_ENOMEM);
    (void)cedei_alloc_fail_never();
    cedei_names_fini(&names);
}

/* Other nodes may reach what has a name; what got none stays out of their reach. */
static void names_are_reached_exactly_if_they_were_set(void **state) {
    (void)state;
    struct cedei_names names;
    const cede_ref actors[] = {{1, 10, 1}, {1, 11, 1}, {1, 12, 1}};
    cedei_names_init(&names, 7);
    for (uint64_t after = 0; after < 2; after++) { /* no memory for the name; none for the export */
        cedei_alloc_fail_after(after, true);
        assert_int_equal(cedei_names_set(&names, "a", actors[0], &exports), CEDE_ENOMEM);
        (void)cedei_alloc_fail_never();
        cede_ref found;
        assert_int_equal(cedei_names_find(&names, "a", 1, &found), CEDE_ENOENT);
        assert_false(cedei_exports_has(&exports, (struct cedei_wire_actor){10, 1}));
    }
    assert_int_equal(cedei_names_set(&names, "a", actors[1], &exports), CEDE_OK);
    assert_true(cedei_exports_has(&exports, (struct cedei_wire_actor){11, 1}));
    cedei_alloc_fail_after(0, true); /* a name that is there needs memory for the export only */
    assert_int_equal(cedei_names_set(&names, "a", actors[2], &exports), CEDE_ENOMEM);
    (void)cedei_alloc_fail_never();
    cede_ref found = nobody;
    assert_int_equal(cedei_names_find(&names, "a", 1, &found), CEDE_OK);
    assert_true(cede_ref_equal(found, actors[1]));
    assert_false(cedei_exports_has(&exports, (struct cedei_wire_actor){12, 1}));
    assert_int_equal(cedei_names_set(&names, "", actors[2], &exports), CEDE_EINVAL);
    assert_false(cedei_exports_has(&exports, (struct cedei_wire_actor){12, 1}));
    cedei_names_fini(&names);
}

static void names_are_limited_in_number(void **state) {
    (void)state;
    struct cedei_names names;
    char text[16];
    cedei_names_init(&names, 7);
    for (uint32_t i = 0; i < CEDEI_NAME_COUNT_MAX; i++) {
        (void)snprintf(text, sizeof text, "%u", i);
        assert_int_equal(cedei_names_set(&names, text, one, &exports), CEDE_OK);
    }
    assert_int_equal(cedei_names_set(&names, "one more", one, &exports), CEDE_ELIMIT);
    assert_int_equal(cedei_names_set(&names, "7", two, &exports), CEDE_OK);
    cedei_names_fini(&names);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_replaced_and_taken_back),
        cmocka_unit_test(names_out_of_bounds_are_refused),
        cmocka_unit_test(names_are_reached_exactly_if_they_were_set),
        cmocka_unit_test(names_are_limited_in_number),
    };
    return cmocka_run_group_tests(tests, exports_setup, exports_teardown);
}
