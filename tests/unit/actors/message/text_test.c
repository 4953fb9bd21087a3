/* Owned text, bytes and lists: what they hold after each call, also after one that failed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message/message.h"
#include "core/sys/alloc.h"
#include "tests/support/sample_messages.h"

static void text_set_copies_and_ends_with_nul(void **state) {
    (void)state;
    cede_str text = {0};
    char from[] = "hello";
    assert_int_equal(cede_str_set(&text, from), CEDE_OK);
    from[0] = 'x';
    assert_string_equal(cede_str_text(&text), "hello");
    assert_int_equal(text.size, 5);
    assert_int_equal(cede_str_set_sized(&text, "a\0b", 3), CEDE_OK);
    assert_int_equal(text.size, 3);
    assert_memory_equal(text.data, "a\0b\0", 4);
    cede_str_clear(&text);
}

static void text_empty_owns_nothing_and_reads_as_empty(void **state) {
    (void)state;
    cede_str text = {0};
    assert_string_equal(cede_str_text(&text), "");
    assert_int_equal(cede_str_set(&text, "full"), CEDE_OK);
    assert_int_equal(cede_str_set(&text, ""), CEDE_OK);
    assert_null(text.data);
    assert_int_equal(cede_str_set(&text, "full"), CEDE_OK);
    assert_int_equal(cede_str_set(&text, NULL), CEDE_OK);
    assert_null(text.data);
    assert_int_equal(cede_str_format(&text, "%s", ""), CEDE_OK);
    assert_null(text.data);
    cede_str_clear(&text);
    cede_str_clear(&text);
}

static void text_set_from_part_of_itself_keeps_the_part(void **state) {
    (void)state;
    cede_str text = {0};
    assert_int_equal(cede_str_set(&text, "0123456789"), CEDE_OK);
    assert_int_equal(cede_str_set(&text, text.data + 4), CEDE_OK);
    assert_string_equal(text.data, "456789");
    assert_int_equal(cede_str_format(&text, "<%s>", text.data), CEDE_OK);
    assert_string_equal(text.data, "<456789>");
    cede_bytes bytes = {0};
    assert_int_equal(cede_bytes_set(&bytes, "abcdef", 6), CEDE_OK);
    assert_int_equal(cede_bytes_set(&bytes, bytes.data + 1, 3), CEDE_OK);
    assert_memory_equal(bytes.data, "bcd", 3);
    cede_bytes_clear(&bytes);
    cede_str_clear(&text);
}

static void text_format_makes_room_for_any_length(void **state) {
    (void)state;
    cede_str text = {0};
    assert_int_equal(cede_str_format(&text, "%0*d", 5000, 7), CEDE_OK);
    assert_int_equal(text.size, 5000);
    assert_int_equal(text.data[4999], '7');
    assert_int_equal(text.data[5000], '\0');
    cede_str_clear(&text);
}

static void text_larger_than_its_count_can_say_is_refused(void **state) {
    (void)state;
    cede_str text = {0};
    cede_bytes bytes = {0};
    assert_int_equal(cede_str_set(&text, "old"), CEDE_OK);
    assert_int_equal(cede_str_set_sized(&text, "x", UINT32_MAX), CEDE_ETOOBIG);
    assert_string_equal(text.data, "old");
    assert_int_equal(cede_bytes_set(&bytes, "x", (size_t)UINT32_MAX + 1), CEDE_ETOOBIG);
    assert_int_equal(cede_bytes_reserve(&bytes, (size_t)UINT32_MAX + 1), CEDE_ETOOBIG);
    assert_null(bytes.data);
    cede_str_clear(&text);
}

static void bytes_reserve_keeps_what_fits(void **state) {
    (void)state;
    cede_bytes bytes = {0};
    assert_int_equal(cede_bytes_set(&bytes, "abcdef", 6), CEDE_OK);
    assert_int_equal(cede_bytes_reserve(&bytes, 1000), CEDE_OK);
    assert_int_equal(bytes.size, 1000);
    assert_memory_equal(bytes.data, "abcdef", 6);
    memset(bytes.data, 'z', 1000);
    assert_int_equal(cede_bytes_reserve(&bytes, 2), CEDE_OK);
    assert_memory_equal(bytes.data, "zz", 2);
    assert_int_equal(cede_bytes_reserve(&bytes, 0), CEDE_OK);
    assert_null(bytes.data);
}

static void text_is_untouched_when_memory_is_short(void **state) {
    (void)state;
    cede_str text = {0};
    cede_bytes bytes = {0};
    assert_int_equal(cede_str_set(&text, "old"), CEDE_OK);
    assert_int_equal(cede_bytes_set(&bytes, "old", 3), CEDE_OK);
    cedei_alloc_fail_after(0, false);
    assert_int_equal(cede_str_set(&text, "new"), CEDE_ENOMEM);
    assert_int_equal(cede_str_format(&text, "%d", 1), CEDE_ENOMEM);
    assert_int_equal(cede_bytes_set(&bytes, "new", 3), CEDE_ENOMEM);
    assert_int_equal(cede_bytes_reserve(&bytes, 100), CEDE_ENOMEM);
    assert_int_equal(cedei_alloc_fail_never(), 4);
    assert_string_equal(text.data, "old");
    assert_int_equal(bytes.size, 3);
    assert_memory_equal(bytes.data, "old", 3);
    cede_str_clear(&text);
    cede_bytes_clear(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_set_copies_and_ends_with_nul),
        cmocka_unit_test(text_empty_owns_nothing_and_reads_as_empty),
        cmocka_unit_test(text_set_from_part_of_itself_keeps_the_part),
        cmocka_unit_test(text_format_makes_room_for_any_length),
        cmocka_unit_test(text_larger_than_its_count_can_say_is_refused),
        cmocka_unit_test(bytes_reserve_keeps_what_fits),
        cmocka_unit_test(text_is_untouched_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
