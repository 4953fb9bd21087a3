/* The encoding between versions: for any content, any cut, any change of a byte, any shortage of memory. What versions
 * understand of each other is in tests/golden. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message/message.h"
#include "actors/message/tagged.h"
#include "actors/message/traits.h"
#include "core/sys/alloc.h"
#include "tests/support/sample_messages.h"

enum { SEEDS = 40, CHAIN = 50000 };

struct encoded {
    uint8_t *bytes;
    size_t size;
};

static struct encoded encode(const struct cede_type *type, const void *message) {
    struct encoded e = {.bytes = NULL};
    assert_int_equal(cedei_tagged_size(type, message, &e.size), CEDE_OK);
    e.bytes = malloc(e.size);
    assert_non_null(e.bytes);
    assert_int_equal(cedei_tagged_encode(type, message, e.bytes, e.size), CEDE_OK);
    return e;
}

static cede_result decode(const struct cede_type *type, const uint8_t *bytes, size_t size,
                          void *message) {
    struct cedei_mismatch why;
    return cedei_tagged_decode(type, bytes, size, NULL, message, &why);
}

static struct encoded tree_encoded(uint64_t seed) {
    struct sample_tree tree = {0};
    assert_true(sample_tree_fill(&tree, &seed, 2));
    struct encoded e = encode(&cede_type_sample_tree, &tree);
    cedei_message_clear(&cede_type_sample_tree, &tree);
    return e;
}

static bool is_zero(const void *bytes, size_t size) {
    const uint8_t *b = bytes;
    for (size_t i = 0; i < size; i++) {
        if (b[i] != 0) return false;
    }
    return true;
}

#define NUMBERS(F)                                                                                 \
    F(u16, a)                                                                                      \
    F(list(u8), b)
CEDE_MESSAGE(numbers, NUMBERS);

static void tagged_message_has_the_documented_bytes(void **state) {
    (void)state;
    struct numbers n = {.a = 0x0201};
    uint8_t *one = cede_list_add(&n.b);
    assert_non_null(one);
    *one = 9;
    struct encoded e = encode(&cede_type_numbers, &n);
    uint32_t a = cedei_field_id("a"), b = cedei_field_id("b");
    const uint8_t expected[] = {39,
                                0,
                                0,
                                0, /* the chunk */
                                (uint8_t)a,
                                (uint8_t)(a >> 8),
                                (uint8_t)(a >> 16),
                                (uint8_t)(a >> 24),
                                0,
                                0,
                                0,
                                0,
                                CEDEI_FIELD_U16,
                                CEDEI_SHAPE_ONE,
                                0,
                                0,
                                2,
                                0,
                                0,
                                0,
                                1,
                                2, /* a */
                                (uint8_t)b,
                                (uint8_t)(b >> 8),
                                (uint8_t)(b >> 16),
                                (uint8_t)(b >> 24),
                                0,
                                0,
                                0,
                                0,
                                CEDEI_FIELD_U8,
                                CEDEI_SHAPE_LIST,
                                0,
                                0,
                                5,
                                0,
                                0,
                                0,
                                1,
                                0,
                                0,
                                0,
                                9 /* b */};
    assert_int_equal(e.size, sizeof expected);
    assert_memory_equal(e.bytes, expected, sizeof expected);
    /* The numbers of fields are for ever. */
    assert_int_equal(a, 0x07502de5);
    cedei_message_clear(&cede_type_numbers, &n);
    free(e.bytes);
}

static void expect_round_trip(const struct cede_type *type, struct encoded e) {
    void *back = malloc(type->size);
    assert_non_null(back);
    memset(back, 0xa5, type->size);
    assert_int_equal(decode(type, e.bytes, e.size, back), CEDE_OK);
    struct encoded again = encode(type, back);
    assert_int_equal(again.size, e.size);
    assert_memory_equal(again.bytes, e.bytes, e.size);
    cedei_message_clear(type, back);
    free(back);
    free(again.bytes);
    free(e.bytes);
}

static void tagged_round_trip_keeps_every_byte_for_any_content(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        expect_round_trip(&cede_type_sample_tree, tree_encoded(seed));
        uint64_t random = seed;
        struct sample_branch branch = {0};
        assert_true(sample_branch_fill(&branch, &random));
        struct encoded e = encode(&cede_type_sample_branch, &branch);
        cedei_message_clear(&cede_type_sample_branch, &branch);
        expect_round_trip(&cede_type_sample_branch, e);
    }
}

static void tagged_bytes_cut_or_changed_leave_nothing(void **state) {
    (void)state;
    struct encoded e = tree_encoded(5);
    struct sample_tree back;
    uint64_t seed = 3;
    for (size_t size = 0; size < e.size; size++) {
        uint8_t *copy = malloc(size != 0 ? size : 1);
        assert_non_null(copy);
        memcpy(copy, e.bytes, size);
        assert_int_equal(decode(&cede_type_sample_tree, copy, size, &back), CEDE_EBADMSG);
        assert_true(is_zero(&back, sizeof back));
        free(copy);
    }
    for (int i = 0; i < 4000; i++) {
        uint8_t *at = &e.bytes[sample_below(&seed, (uint32_t)e.size)], kept = *at;
        *at = (uint8_t)sample_next(&seed);
        cede_result r = decode(&cede_type_sample_tree, e.bytes, e.size, &back);
        if (r == CEDE_OK)
            cedei_message_clear(&cede_type_sample_tree, &back);
        else
            assert_true(is_zero(&back, sizeof back));
        *at = kept;
    }
    free(e.bytes);
}

#define CHAIN_LINK(F)                                                                              \
    F(u8, number)                                                                                  \
    F(opt(link_of_chain), next)
CEDE_MESSAGE(link_of_chain, CHAIN_LINK);

static void tagged_chain_of_any_length_needs_no_stack(void **state) {
    (void)state;
    struct link_of_chain first = {.number = 0}, *last = &first;
    for (uint32_t i = 1; i < CHAIN; i++) {
        last = cede_opt_make(&last->next);
        assert_non_null(last);
    }
    struct encoded e = encode(&cede_type_link_of_chain, &first);
    cedei_message_clear(&cede_type_link_of_chain, &first);
    expect_round_trip(&cede_type_link_of_chain, e);
}

/* What a field says of itself is compared before it is read, and a field comes once. */
static void tagged_fields_that_come_twice_or_lie_are_refused(void **state) {
    (void)state;
    struct numbers n = {.a = 1};
    struct encoded e = encode(&cede_type_numbers, &n);
    enum { FIRST = 4, HEAD = 16, PART = 2 };
    uint8_t *twice = malloc(e.size + HEAD + PART);
    assert_non_null(twice);
    memcpy(twice, e.bytes, e.size);
    memcpy(twice + e.size, e.bytes + FIRST, HEAD + PART);
    twice[0] = (uint8_t)(twice[0] + HEAD + PART);
    assert_int_equal(decode(&cede_type_numbers, twice, e.size + HEAD + PART, &n), CEDE_EBADMSG);
    free(twice);
    e.bytes[FIRST + 8] = CEDEI_FIELD_I16;
    assert_int_equal(decode(&cede_type_numbers, e.bytes, e.size, &n), CEDE_ETYPE);
    e.bytes[FIRST + 8] = CEDEI_FIELD_U16;
    e.bytes[FIRST + 9] = CEDEI_SHAPE_LIST;
    assert_int_equal(decode(&cede_type_numbers, e.bytes, e.size, &n), CEDE_ETYPE);
    e.bytes[FIRST + 9] = CEDEI_SHAPE_ONE;
    e.bytes[FIRST + 10] = CEDEI_FLAG_BOXED;
    assert_int_equal(decode(&cede_type_numbers, e.bytes, e.size, &n), CEDE_ETYPE);
    e.bytes[FIRST + 10] = CEDEI_FLAG_MUST; /* that is the writer's affair */
    assert_int_equal(decode(&cede_type_numbers, e.bytes, e.size, &n), CEDE_OK);
    e.bytes[FIRST + 11] = 1;
    assert_int_equal(decode(&cede_type_numbers, e.bytes, e.size, &n), CEDE_EBADMSG);
    free(e.bytes);
}

/* A list of what is large here and was small there: memory is bounded by the bytes that came. */
#define SMALL(F) F(u8, a)
CEDE_MESSAGE(small, SMALL);
#define LARGE(F)                                                                                   \
    F(u8, a)                                                                                       \
    F(array(u64, 200), b)
CEDE_MESSAGE(large, LARGE);
#define MANY_SMALL(F) F(list(small), it)
CEDE_MESSAGE(many_small, MANY_SMALL);
#define MANY_LARGE(F) F(list(large), it)
CEDE_MESSAGE(many_large, MANY_LARGE);

static const struct cedei_field *many_large_renamed(void) {
    static struct cedei_field fields[1];
    static struct cede_type large;
    fields[0] = *cede_type_many_large.fields();
    large = cede_type_large;
    large.name = "small";
    large.id_cached = 0;
    fields[0].nested = &large;
    return fields;
}

static void tagged_memory_is_bounded_by_the_bytes_that_came(void **state) {
    (void)state;
    struct many_small small = {0};
    struct many_large back;
    for (int i = 0; i < 100; i++) assert_non_null(cede_list_add(&small.it));
    struct encoded e = encode(&cede_type_many_small, &small);
    static struct cede_type reader; /* what it looks up once stays with it */
    reader = cede_type_many_large;
    reader.fields = many_large_renamed;
    assert_int_equal(decode(&reader, e.bytes, e.size, &back), CEDE_ETOOBIG);
    assert_true(is_zero(&back, sizeof back));
    cedei_message_clear(&cede_type_many_small, &small);
    free(e.bytes);
}

static void tagged_form_survives_every_allocation_failing(void **state) {
    (void)state;
    struct encoded e = tree_encoded(11);
    uint64_t failing = 0, failed = 0;
    for (bool done = false; !done; failing++) {
        struct sample_tree back;
        cedei_alloc_fail_after(failing, true);
        cede_result r = decode(&cede_type_sample_tree, e.bytes, e.size, &back);
        size_t size = 0;
        if (r == CEDE_OK) r = cedei_tagged_size(&cede_type_sample_tree, &back, &size);
        (void)cedei_alloc_fail_never();
        done = r == CEDE_OK;
        if (!done) failed++;
        if (!done) assert_int_equal(r, CEDE_ENOMEM);
        cedei_message_clear(&cede_type_sample_tree, &back);
    }
    assert_true(failed > 10);
    free(e.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tagged_message_has_the_documented_bytes),
        cmocka_unit_test(tagged_round_trip_keeps_every_byte_for_any_content),
        cmocka_unit_test(tagged_bytes_cut_or_changed_leave_nothing),
        cmocka_unit_test(tagged_chain_of_any_length_needs_no_stack),
        cmocka_unit_test(tagged_fields_that_come_twice_or_lie_are_refused),
        cmocka_unit_test(tagged_memory_is_bounded_by_the_bytes_that_came),
        cmocka_unit_test(tagged_form_survives_every_allocation_failing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
