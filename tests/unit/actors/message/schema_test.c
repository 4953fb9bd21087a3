/* The numbers that name a type and its fields: fixed for ever, and different when anything differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message/message.h"
#include "tests/support/sample_messages.h"

/* Programs built at different times talk to each other: if these numbers change, the protocol has changed. */
static void schema_and_id_are_the_numbers_that_they_always_were(void **state) {
    (void)state;
    assert_int_equal(cede_schema_hash(&cede_type_sample_empty), 0x3bbd0ae8ee2fef06u);
    assert_int_equal(cede_schema_hash(&cede_type_sample_point), 0x6f8a3d947b40188cu);
    assert_int_equal(cede_schema_hash(&cede_type_sample_numbers), 0xc24c5f3c86846cb1u);
    assert_int_equal(cede_schema_hash(&cede_type_sample_branch), 0x4eac11f9ef9e2469u);
    assert_int_equal(cede_schema_hash(&cede_type_cede_down), 0xd3a3cdf24773a3f5u);
    assert_int_equal(cedei_type_id(&cede_type_sample_point), 0xc0a852043187339du);
    assert_int_equal(cedei_type_id(&cede_type_cede_down), 0x0f8fdb2887a76abcu);
    /* The second time from the cache. */
    assert_int_equal(cede_schema_hash(&cede_type_sample_branch), 0x4eac11f9ef9e2469u);
    assert_int_equal(cedei_type_id(&cede_type_cede_down), 0x0f8fdb2887a76abcu);
}

/* Each differs from the first in one thing. The struct names are alike but for the tag: the name is set equal below. */
#define PLAIN(F)                                                                                   \
    F(u32, a)                                                                                      \
    F(u32, b)
CEDE_MESSAGE(plain, PLAIN);
#define RENAMED(F)                                                                                 \
    F(u32, a)                                                                                      \
    F(u32, c)
CEDE_MESSAGE(renamed, RENAMED);
#define SWAPPED(F)                                                                                 \
    F(u32, b)                                                                                      \
    F(u32, a)
CEDE_MESSAGE(swapped, SWAPPED);
#define SIGNED(F)                                                                                  \
    F(u32, a)                                                                                      \
    F(i32, b)
CEDE_MESSAGE(signed_, SIGNED);
#define LONGER(F)                                                                                  \
    F(u32, a)                                                                                      \
    F(u32, b)                                                                                      \
    F(u32, c)
CEDE_MESSAGE(longer, LONGER);
#define ARRAY1(F)                                                                                  \
    F(u32, a)                                                                                      \
    F(array(u32, 1), b)
CEDE_MESSAGE(array1, ARRAY1);
#define ARRAY2(F)                                                                                  \
    F(u32, a)                                                                                      \
    F(array(u32, 2), b)
CEDE_MESSAGE(array2, ARRAY2);
#define LISTED(F)                                                                                  \
    F(u32, a)                                                                                      \
    F(list(u32), b)
CEDE_MESSAGE(listed, LISTED);
#define RANGE(F)                                                                                   \
    F(u32, a)                                                                                      \
    F(enum(sample_color, SAMPLE_RED, SAMPLE_BLUE), b)
CEDE_MESSAGE(range, RANGE);
#define NARROW(F)                                                                                  \
    F(u32, a)                                                                                      \
    F(enum(sample_color, SAMPLE_RED, SAMPLE_GREEN), b)
CEDE_MESSAGE(narrow, NARROW);
#define NESTED(F)                                                                                  \
    F(u32, a)                                                                                      \
    F(msg(plain), b)
CEDE_MESSAGE(nested, NESTED);
#define NESTED2(F)                                                                                 \
    F(u32, a)                                                                                      \
    F(msg(renamed), b)
CEDE_MESSAGE(nested2, NESTED2);

static void schema_differs_when_any_part_of_a_type_differs(void **state) {
    (void)state;
    const struct cede_type *types[] = {&cede_type_plain,   &cede_type_renamed, &cede_type_swapped,
                                       &cede_type_signed_, &cede_type_longer,  &cede_type_array1,
                                       &cede_type_array2,  &cede_type_listed,  &cede_type_range,
                                       &cede_type_narrow,  &cede_type_nested,  &cede_type_nested2};
    enum { COUNT = sizeof types / sizeof types[0] };
    uint64_t hashes[COUNT];
    for (int i = 0; i < COUNT; i++) {
        struct cede_type same_name = *types[i];
        same_name.name = "same";
        same_name.schema_hash_cached = 0;
        hashes[i] = cede_schema_hash(&same_name);
        for (int k = 0; k < i; k++) {
            if (hashes[i] == hashes[k]) fail_msg("%s and %s", types[i]->name, types[k]->name);
        }
    }
    assert_int_not_equal(cede_schema_hash(&cede_type_plain), hashes[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_and_id_are_the_numbers_that_they_always_were),
        cmocka_unit_test(schema_differs_when_any_part_of_a_type_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
