/* A message as text: exact, printable, cut as snprintf cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message/message.h"
#include "tests/support/sample_messages.h"

static void expect_print(const struct cede_type *type, const void *message, const char *expected) {
    char out[2048];
    size_t length = cede_message_print(type, message, out, sizeof out);
    assert_string_equal(out, expected);
    assert_int_equal(length, strlen(expected));
}

static void print_shows_every_number_kind_at_its_extremes(void **state) {
    (void)state;
    struct sample_numbers n = {.a = 255,
                               .b = 65535,
                               .c = UINT32_MAX,
                               .d = UINT64_MAX,
                               .e = INT8_MIN,
                               .f = INT16_MIN,
                               .g = INT32_MIN,
                               .h = INT64_MIN,
                               .i = 0.5F,
                               .j = -1e300,
                               .k = true,
                               .l = SAMPLE_BLUE,
                               .m = SAMPLE_DOWN,
                               .n = {.node = 0xab, .slot = 3, .generation = 7}};
    expect_print(
        &cede_type_sample_numbers, &n,
        "sample_numbers{a=255, b=65535, c=4294967295, d=18446744073709551615, e=-128, f=-32768, "
        "g=-2147483648, h=-9223372036854775808, i=0.5, j=-1.0000000000000001e+300, k=true, l=2, "
        "m=-1, n=00000000000000ab:3.7}");
}

static void print_shows_zeroes_and_empties(void **state) {
    (void)state;
    struct sample_all all = {0};
    expect_print(
        &cede_type_sample_all, &all,
        "sample_all{numbers=sample_numbers{a=0, b=0, c=0, d=0, e=0, f=0, g=0, h=0, i=0, j=0, "
        "k=false, l=0, m=0, n=nobody}, note=\"\", blob=<0 bytes>, shorts=[0, 0, 0], "
        "flags=[false, false], slopes=[0, 0], names=[\"\", \"\"], "
        "pair=[sample_line{text=\"\", tag=0, blob=<0 bytes>}, sample_line{text=\"\", tag=0, "
        "blob=<0 bytes>}], lines=[], points=[], counts=[], words=[], bits=[], refs=[], "
        "nothing=sample_empty{}, colors=[]}");
}

static void print_escapes_what_could_harm_a_terminal_or_a_log(void **state) {
    (void)state;
    struct sample_line line = {0};
    assert_int_equal(cede_str_set_sized(&line.text, "a\"\\\n\x1b[0m\0\xff", 10), CEDE_OK);
    assert_int_equal(cede_bytes_set(&line.blob, "\x00\xfe", 2), CEDE_OK);
    expect_print(
        &cede_type_sample_line, &line,
        "sample_line{text=\"a\\\"\\\\\\n\\x1b[0m\\x00\\xff\", tag=0, blob=<2 bytes: 00 fe>}");
    cedei_message_clear(&cede_type_sample_line, &line);
}

static void print_shortens_long_content_and_says_so(void **state) {
    (void)state;
    struct sample_line line = {0};
    char many[200];
    memset(many, 'x', sizeof many);
    assert_int_equal(cede_str_set_sized(&line.text, many, sizeof many), CEDE_OK);
    assert_int_equal(cede_bytes_set(&line.blob, many, 33), CEDE_OK);
    char out[1024];
    cede_message_print(&cede_type_sample_line, &line, out, sizeof out);
    assert_non_null(strstr(out, "xxx\"...(200 bytes), tag"));
    assert_non_null(strstr(out, "<33 bytes: 78 "));
    assert_non_null(strstr(out, " 78 ...>"));
    cedei_message_clear(&cede_type_sample_line, &line);
    struct sample_all all = {0};
    for (int i = 0; i < 17; i++) assert_non_null(cede_list_add(&all.counts));
    cede_message_print(&cede_type_sample_all, &all, out, sizeof out);
    assert_non_null(strstr(out, "0, ...(17 elements)]"));
    cedei_message_clear(&cede_type_sample_all, &all);
}

static void print_into_too_little_room_is_cut_and_tells_the_whole_length(void **state) {
    (void)state;
    struct sample_point point = {.x = 12, .y = -3};
    static const char expected[] = "sample_point{x=12, y=-3}";
    for (size_t size = 0; size <= sizeof expected; size++) {
        char *out = malloc(size != 0 ? size : 1);
        assert_non_null(out);
        assert_int_equal(
            cede_message_print(&cede_type_sample_point, &point, size != 0 ? out : NULL, size),
            sizeof expected - 1);
        if (size != 0) {
            size_t shown = size - 1 < sizeof expected - 1 ? size - 1 : sizeof expected - 1;
            assert_int_equal(strlen(out), shown);
            assert_memory_equal(out, expected, shown);
        }
        free(out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(print_shows_every_number_kind_at_its_extremes),
        cmocka_unit_test(print_shows_zeroes_and_empties),
        cmocka_unit_test(print_escapes_what_could_harm_a_terminal_or_a_log),
        cmocka_unit_test(print_shortens_long_content_and_says_so),
        cmocka_unit_test(print_into_too_little_room_is_cut_and_tells_the_whole_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
