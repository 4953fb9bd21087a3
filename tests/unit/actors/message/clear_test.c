/* Dropping gives back every block of a message, once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message/message.h"
#include "core/sys/alloc.h"
#include "tests/support/sample_messages.h"

struct counted {
    int *drops;
    CEDE_MESSAGE_MARK;
};
static void counted_drop(struct counted *counted) { ++*counted->drops; }
CEDE_OPAQUE_MESSAGE(counted, counted_drop);

#define COUNTED_HOLDER(F)                                                                          \
    F(msg(counted), one)                                                                           \
    F(array(msg(counted), 2), two)                                                                 \
    F(list(counted), more)
CEDE_MESSAGE(counted_holder, COUNTED_HOLDER);

/* The leak checker of the sanitizer build judges this one; twice must be harmless. */
static void clear_gives_back_nested_text_lists_and_arrays_once(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t random = seed;
        struct sample_branch branch = {0};
        assert_true(sample_branch_fill(&branch, &random));
        cedei_message_clear(&cede_type_sample_branch, &branch);
        assert_null(branch.leaves.items);
        cedei_message_clear(&cede_type_sample_branch, &branch);
    }
}

static void clear_of_a_half_built_message_gives_back_what_there_is(void **state) {
    (void)state;
    bool whole = false;
    uint64_t failing = 0;
    for (; !whole; failing++) {
        uint64_t random = 42;
        struct sample_branch branch = {0};
        cedei_alloc_fail_after(failing, true);
        whole = sample_branch_fill(&branch, &random);
        cedei_alloc_fail_never();
        cedei_message_clear(&cede_type_sample_branch, &branch);
    }
    assert_true(failing > 10);
}

static void clear_ends_every_opaque_message_inside(void **state) {
    (void)state;
    int drops = 0;
    struct counted_holder holder = {.one = {.drops = &drops},
                                    .two = {{.drops = &drops}, {.drops = &drops}}};
    for (int i = 0; i < 5; i++) {
        struct counted *element = cede_list_add(&holder.more);
        assert_non_null(element);
        element->drops = &drops;
    }
    cedei_message_clear(&cede_type_counted_holder, &holder);
    assert_int_equal(drops, 8);
}

static void types_know_at_compile_time_whether_they_own(void **state) {
    (void)state;
    CEDEI_STATIC_ASSERT(cedei_owning_sample_numbers == 0, "numbers own nothing");
    CEDEI_STATIC_ASSERT(cedei_owning_sample_line == 2, "text and blob");
    CEDEI_STATIC_ASSERT(cedei_owning_sample_branch == 1, "the list");
    CEDEI_STATIC_ASSERT(cedei_opaque_counted_holder != 0, "what holds an opaque message is opaque");
    assert_int_equal(cede_type_sample_line.owning, 2);
    assert_int_equal(cede_type_sample_point.owning, 0);
    assert_int_equal(cede_type_sample_point.size, sizeof(struct sample_point));
    assert_int_equal(cede_type_sample_point.wire_min, 8);
    assert_int_equal(cede_type_sample_empty.field_count, 0);
    assert_true(sizeof(struct sample_empty) == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clear_gives_back_nested_text_lists_and_arrays_once),
        cmocka_unit_test(clear_of_a_half_built_message_gives_back_what_there_is),
        cmocka_unit_test(clear_ends_every_opaque_message_inside),
        cmocka_unit_test(types_know_at_compile_time_whether_they_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
