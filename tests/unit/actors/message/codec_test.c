/* What is encoded is decoded the same; what is no encoding is refused without harm. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message/message.h"
#include "core/sys/alloc.h"
#include "tests/support/sample_messages.h"

enum { SEEDS = 50 };

struct encoded {
    uint8_t *bytes; /* a block of exactly `size`, so that AddressSanitizer sees a read behind it */
    size_t size;
};

static struct encoded encode(const struct cede_type *type, const void *message) {
    struct encoded e = {.bytes = NULL};
    assert_int_equal(cedei_message_encoded_size(type, message, &e.size), CEDE_OK);
    e.bytes = malloc(e.size);
    assert_non_null(e.bytes);
    assert_int_equal(cedei_message_encode(type, message, e.bytes, e.size), CEDE_OK);
    return e;
}

static struct encoded branch_encoded(uint64_t seed) {
    struct sample_branch branch = {0};
    assert_true(sample_branch_fill(&branch, &seed));
    struct encoded e = encode(&cede_type_sample_branch, &branch);
    cedei_message_clear(&cede_type_sample_branch, &branch);
    return e;
}

static bool is_zero(const void *bytes, size_t size) {
    const uint8_t *b = bytes;
    for (size_t i = 0; i < size; i++) {
        if (b[i] != 0) return false;
    }
    return true;
}

static void codec_numbers_have_the_documented_bytes(void **state) {
    (void)state;
    struct sample_numbers n = {
        .a = 0x01,
        .b = 0x0302,
        .c = 0x07060504,
        .d = 0x0f0e0d0c0b0a0908,
        .e = -1,
        .f = -2,
        .g = -3,
        .h = -4,
        .i = 1.5F,
        .j = -2.0,
        .k = true,
        .l = SAMPLE_BLUE,
        .m = SAMPLE_DOWN,
        .n = {.node = 0x1122334455667788, .slot = 0x99aabbcc, .generation = 1}};
    static const uint8_t expected[] = {
        0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e,
        0x0f, 0xff, 0xfe, 0xff, 0xfd, 0xff, 0xff, 0xff, 0xfc, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0x00, 0x00, 0xc0, 0x3f, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xc0,
        0x01, 0x02, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0x88, 0x77, 0x66, 0x55, 0x44,
        0x33, 0x22, 0x11, 0xcc, 0xbb, 0xaa, 0x99, 0x01, 0x00, 0x00, 0x00};
    struct encoded e = encode(&cede_type_sample_numbers, &n);
    assert_int_equal(e.size, sizeof expected);
    assert_memory_equal(e.bytes, expected, sizeof expected);
    struct sample_numbers back;
    assert_int_equal(cedei_message_decode(&cede_type_sample_numbers, e.bytes, e.size, NULL, &back),
                     CEDE_OK);
    assert_memory_equal(&back.n, &n.n, sizeof n.n);
    assert_true(back.a == n.a && back.b == n.b && back.c == n.c && back.d == n.d && back.e == n.e &&
                back.f == n.f && back.g == n.g && back.h == n.h && back.i == n.i && back.j == n.j &&
                back.k == n.k && back.l == n.l && back.m == n.m);
    free(e.bytes);
}

static void codec_owned_fields_have_the_documented_bytes(void **state) {
    (void)state;
    struct sample_line line = {.tag = 9};
    assert_int_equal(cede_str_set(&line.text, "hi"), CEDE_OK);
    assert_int_equal(cede_bytes_set(&line.blob, "\x00\xff", 2), CEDE_OK);
    struct encoded e = encode(&cede_type_sample_line, &line);
    static const uint8_t expected[] = {2, 0, 0, 0, 'h', 'i', 9, 2, 0, 0, 0, 0x00, 0xff};
    assert_int_equal(e.size, sizeof expected);
    assert_memory_equal(e.bytes, expected, sizeof expected);
    cedei_message_clear(&cede_type_sample_line, &line);
    assert_int_equal(cedei_message_decode(&cede_type_sample_line, e.bytes, e.size, NULL, &line),
                     CEDE_OK);
    assert_string_equal(line.text.data, "hi");
    assert_int_equal(line.text.size, 2);
    assert_int_equal(line.blob.size, 2);
    cedei_message_clear(&cede_type_sample_line, &line);
    free(e.bytes);
}

/* Lists, arrays, nesting: what comes back encodes to the same bytes. */
static void codec_round_trip_keeps_every_byte_for_any_content(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct encoded e = branch_encoded(seed);
        struct sample_branch back;
        memset(&back, 0xa5, sizeof back);
        assert_int_equal(
            cedei_message_decode(&cede_type_sample_branch, e.bytes, e.size, NULL, &back), CEDE_OK);
        struct encoded again = encode(&cede_type_sample_branch, &back);
        if (again.size != e.size || memcmp(again.bytes, e.bytes, e.size) != 0) {
            fail_msg("seed %llu: other bytes after a round trip", (unsigned long long)seed);
        }
        cedei_message_clear(&cede_type_sample_branch, &back);
        free(again.bytes);
        free(e.bytes);
    }
}

static void codec_empty_message_takes_no_bytes_and_allows_no_buffer(void **state) {
    (void)state;
    struct sample_empty empty = {0};
    size_t size = 99;
    assert_int_equal(cedei_message_encoded_size(&cede_type_sample_empty, &empty, &size), CEDE_OK);
    assert_int_equal(size, 0);
    assert_int_equal(cedei_message_encode(&cede_type_sample_empty, &empty, NULL, 0), CEDE_OK);
    assert_int_equal(cedei_message_decode(&cede_type_sample_empty, NULL, 0, NULL, &empty), CEDE_OK);
    assert_int_equal(
        cedei_message_decode(&cede_type_sample_empty, (const uint8_t *)"", 1, NULL, &empty),
        CEDE_EBADMSG);
}

static void codec_truncation_at_any_byte_is_refused_and_keeps_nothing(void **state) {
    (void)state;
    struct encoded e = branch_encoded(7);
    for (size_t size = 0; size < e.size; size++) {
        uint8_t *cut = malloc(size != 0 ? size : 1);
        assert_non_null(cut);
        memcpy(cut, e.bytes, size);
        struct sample_branch back;
        memset(&back, 0xa5, sizeof back);
        assert_int_equal(cedei_message_decode(&cede_type_sample_branch, cut, size, NULL, &back),
                         CEDE_EBADMSG);
        assert_true(is_zero(&back, sizeof back));
        free(cut);
    }
    free(e.bytes);
}

static void codec_bytes_behind_the_message_are_refused(void **state) {
    (void)state;
    struct encoded e = branch_encoded(3);
    uint8_t *longer = calloc(1, e.size + 1);
    assert_non_null(longer);
    memcpy(longer, e.bytes, e.size);
    struct sample_branch back;
    assert_int_equal(cedei_message_decode(&cede_type_sample_branch, longer, e.size + 1, NULL, &back),
                     CEDE_EBADMSG);
    free(longer);
    free(e.bytes);
}

/* Whatever a mutation decodes to must be a message: it encodes, and to the bytes that it came from. */
static void codec_mutated_bytes_are_refused_or_decode_to_a_message_of_those_bytes(void **state) {
    (void)state;
    uint32_t accepted = 0, refused = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct encoded e = branch_encoded(seed);
        for (int round = 0; round < 200; round++) {
            uint64_t random = seed * 1000 + (uint64_t)round;
            uint8_t *bytes = malloc(e.size);
            assert_non_null(bytes);
            memcpy(bytes, e.bytes, e.size);
            for (uint32_t hits = 1 + sample_below(&random, 3); hits > 0; hits--) {
                bytes[sample_below(&random, (uint32_t)e.size)] = (uint8_t)sample_next(&random);
            }
            struct sample_branch back;
            cede_result r =
                cedei_message_decode(&cede_type_sample_branch, bytes, e.size, NULL, &back);
            if (r == CEDE_OK) {
                struct encoded again = encode(&cede_type_sample_branch, &back);
                if (again.size != e.size || memcmp(again.bytes, bytes, e.size) != 0) {
                    fail_msg("seed %llu round %d: other bytes", (unsigned long long)seed, round);
                }
                free(again.bytes);
                cedei_message_clear(&cede_type_sample_branch, &back);
                accepted++;
            } else {
                assert_int_equal(r, CEDE_EBADMSG);
                assert_true(is_zero(&back, sizeof back));
                refused++;
            }
            free(bytes);
        }
        free(e.bytes);
    }
    assert_true(accepted > 0 && refused > 0);
}

static void expect_refused(const struct cede_type *type, const void *bytes, size_t size) {
    uint8_t message[256] __attribute__((aligned(16)));
    assert_true(type->size <= sizeof message);
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    assert_int_equal(cedei_message_decode(type, copy, size, NULL, message), CEDE_EBADMSG);
    assert_true(is_zero(message, type->size));
    free(copy);
}

#define ONE_BOOL(F) F(bool, it)
CEDE_MESSAGE(one_bool, ONE_BOOL);
#define ONE_COLOR(F) F(enum(sample_color, SAMPLE_GREEN, SAMPLE_BLUE), it)
CEDE_MESSAGE(one_color, ONE_COLOR);
#define ONE_SLOPE(F) F(enum(sample_slope, SAMPLE_DOWN, SAMPLE_FLAT), it)
CEDE_MESSAGE(one_slope, ONE_SLOPE);
#define ONE_TEXT(F) F(str, it)
CEDE_MESSAGE(one_text, ONE_TEXT);
#define TWO_TEXTS(F)                                                                               \
    F(str, it)                                                                                     \
    F(u32, behind)
CEDE_MESSAGE(two_texts, TWO_TEXTS);
#define NUMBER_LIST(F) F(list(u32), it)
CEDE_MESSAGE(number_list, NUMBER_LIST);
#define LINE_LIST(F) F(list(sample_line), it)
CEDE_MESSAGE(line_list, LINE_LIST);

static void codec_values_out_of_their_range_are_refused(void **state) {
    (void)state;
    expect_refused(&cede_type_one_bool, "\x02", 1);
    expect_refused(&cede_type_one_bool, "\xff", 1);
    expect_refused(&cede_type_one_color, "\x00\0\0\0", 4);
    expect_refused(&cede_type_one_color, "\x03\0\0\0", 4);
    expect_refused(&cede_type_one_color, "\xff\xff\xff\xff", 4);
    expect_refused(&cede_type_one_slope, "\x01\0\0\0", 4);
    expect_refused(&cede_type_one_slope, "\xfe\xff\xff\xff", 4);
    struct one_slope slope;
    assert_int_equal(cedei_message_decode(&cede_type_one_slope, (const uint8_t *)"\xff\xff\xff\xff",
                                          4, NULL, &slope),
                     CEDE_OK);
    assert_int_equal(slope.it, SAMPLE_DOWN);
}

static void codec_lengths_that_the_input_does_not_hold_are_refused(void **state) {
    (void)state;
    expect_refused(&cede_type_one_text, "\x02\0\0\0x", 5);
    expect_refused(&cede_type_one_text, "\xff\xff\xff\xffx", 5);
    expect_refused(&cede_type_one_text, "\x00\0\0\x80x", 5);
    /* The text would take the bytes that the field behind it needs. */
    expect_refused(&cede_type_two_texts, "\x02\0\0\0xabcd", 9);
    expect_refused(&cede_type_number_list, "\x02\0\0\0abcdefg", 11);
    expect_refused(&cede_type_number_list,
                   "\xff\xff\xff\xff"
                   "abcd",
                   8);
    /* 2^30 elements of 4 bytes are 2^32 bytes. */
    expect_refused(&cede_type_number_list,
                   "\x00\0\0\x40"
                   "abcd",
                   8);
    expect_refused(&cede_type_line_list,
                   "\x02\0\0\0"
                   "\0\0\0\0"
                   "t"
                   "\0\0\0\0",
                   13);
}

/* A count that lies must be refused before it sizes an allocation. */
static void codec_a_lying_count_allocates_nothing(void **state) {
    (void)state;
    struct line_list list;
    cedei_alloc_fail_after(UINT64_MAX, false);
    assert_int_equal(cedei_message_decode(&cede_type_line_list,
                                          (const uint8_t *)"\xff\xff\xff\x00xxxxxxxx", 12, NULL,
                                          &list),
                     CEDE_EBADMSG);
    assert_int_equal(cedei_alloc_fail_never(), 0);
}

/* CEDE_MESSAGE refuses to declare this; a table made by other means must not make the decoder spin or allocate. */
static const struct cedei_field *empties_fields(void) {
    static const struct cedei_field fields[] = {{"it", &cede_type_sample_empty, 0, 0, 0,
                                                 sizeof(struct sample_empty), 1, CEDEI_FIELD_MSG,
                                                 CEDEI_SHAPE_LIST, 0, 0}};
    return fields;
}

static void codec_a_list_of_elements_without_bytes_is_refused(void **state) {
    (void)state;
    struct cede_type empties = cede_type_number_list;
    empties.fields = empties_fields;
    expect_refused(&empties, "\xff\xff\xff\xff", 4);
    expect_refused(&empties, "\x01\0\0\0", 4);
    struct number_list none;
    assert_int_equal(cedei_message_decode(&empties, (const uint8_t *)"\0\0\0\0", 4, NULL, &none),
                     CEDE_OK);
}

static void codec_encoding_refuses_what_no_peer_would_accept(void **state) {
    (void)state;
    size_t size = 77;
    struct one_color color = {.it = SAMPLE_RED};
    assert_int_equal(cedei_message_encoded_size(&cede_type_one_color, &color, &size), CEDE_EINVAL);
    struct one_text text = {.it = {.data = NULL, .size = 3}};
    assert_int_equal(cedei_message_encoded_size(&cede_type_one_text, &text, &size), CEDE_EINVAL);
    struct number_list list = {.it = {.items = NULL, .count = 1}};
    assert_int_equal(cedei_message_encoded_size(&cede_type_number_list, &list, &size), CEDE_EINVAL);
    assert_int_equal(size, 77);
}

static void codec_encoding_into_another_size_is_refused_and_stays_inside(void **state) {
    (void)state;
    struct encoded e = branch_encoded(5);
    struct sample_branch branch;
    assert_int_equal(cedei_message_decode(&cede_type_sample_branch, e.bytes, e.size, NULL, &branch),
                     CEDE_OK);
    for (size_t size = 1; size < e.size; size += 7) {
        uint8_t *out = malloc(size);
        assert_non_null(out);
        assert_int_equal(cedei_message_encode(&cede_type_sample_branch, &branch, out, size),
                         CEDE_ETOOBIG);
        free(out);
    }
    uint8_t *out = malloc(e.size + 1);
    assert_non_null(out);
    assert_int_equal(cedei_message_encode(&cede_type_sample_branch, &branch, out, e.size + 1),
                     CEDE_ETOOBIG);
    free(out);
    cedei_message_clear(&cede_type_sample_branch, &branch);
    free(e.bytes);
}

struct handle {
    int *closed;
    CEDE_MESSAGE_MARK;
};
static void handle_close(struct handle *handle) { ++*handle->closed; }
CEDE_OPAQUE_MESSAGE(handle, handle_close);
#define HANDLE_CARRIER(F)                                                                          \
    F(u32, number)                                                                                 \
    F(msg(handle), inside)
CEDE_MESSAGE(handle_carrier, HANDLE_CARRIER);

static void codec_opaque_types_stay_inside_also_when_nested(void **state) {
    (void)state;
    int closed = 0;
    size_t size;
    struct handle_carrier carrier = {.inside = {.closed = &closed}};
    uint8_t bytes[64] = {0};
    assert_int_equal(cedei_message_encoded_size(&cede_type_handle_carrier, &carrier, &size),
                     CEDE_ENOTSUP);
    assert_int_equal(cedei_message_encode(&cede_type_handle_carrier, &carrier, bytes, 64),
                     CEDE_ENOTSUP);
    assert_int_equal(cedei_message_encoded_size(&cede_type_handle, &carrier.inside, &size),
                     CEDE_ENOTSUP);
    cedei_message_clear(&cede_type_handle_carrier, &carrier);
    assert_int_equal(closed, 1);
    assert_int_equal(cedei_message_decode(&cede_type_handle_carrier, bytes, 12, NULL, &carrier),
                     CEDE_ENOTSUP);
    assert_int_equal(closed, 1);
}

static void codec_decoding_survives_every_allocation_failing(void **state) {
    (void)state;
    struct encoded e = branch_encoded(11);
    for (int once = 0; once < 2; once++) {
        uint64_t failing = 0;
        for (;; failing++) {
            struct sample_branch back;
            cedei_alloc_fail_after(failing, once != 0);
            cede_result r =
                cedei_message_decode(&cede_type_sample_branch, e.bytes, e.size, NULL, &back);
            cedei_alloc_fail_never();
            if (r == CEDE_OK) {
                cedei_message_clear(&cede_type_sample_branch, &back);
                break;
            }
            assert_int_equal(r, CEDE_ENOMEM);
            assert_true(is_zero(&back, sizeof back));
        }
        assert_true(failing > 10);
    }
    free(e.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec_numbers_have_the_documented_bytes),
        cmocka_unit_test(codec_owned_fields_have_the_documented_bytes),
        cmocka_unit_test(codec_round_trip_keeps_every_byte_for_any_content),
        cmocka_unit_test(codec_empty_message_takes_no_bytes_and_allows_no_buffer),
        cmocka_unit_test(codec_truncation_at_any_byte_is_refused_and_keeps_nothing),
        cmocka_unit_test(codec_bytes_behind_the_message_are_refused),
        cmocka_unit_test(codec_mutated_bytes_are_refused_or_decode_to_a_message_of_those_bytes),
        cmocka_unit_test(codec_values_out_of_their_range_are_refused),
        cmocka_unit_test(codec_lengths_that_the_input_does_not_hold_are_refused),
        cmocka_unit_test(codec_a_lying_count_allocates_nothing),
        cmocka_unit_test(codec_a_list_of_elements_without_bytes_is_refused),
        cmocka_unit_test(codec_encoding_refuses_what_no_peer_would_accept),
        cmocka_unit_test(codec_encoding_into_another_size_is_refused_and_stays_inside),
        cmocka_unit_test(codec_opaque_types_stay_inside_also_when_nested),
        cmocka_unit_test(codec_decoding_survives_every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
