/* Lists in messages grow by zeroed elements, and never lie about their count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message/message.h"
#include "core/sys/alloc.h"
#include "tests/support/sample_messages.h"

static void list_add_gives_zeroed_elements_and_keeps_the_others(void **state) {
    (void)state;
    struct sample_all all = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t *number = cede_list_add(&all.counts);
        assert_non_null(number);
        assert_int_equal(*number, 0);
        *number = i;
    }
    assert_int_equal(all.counts.count, 1000);
    assert_true(all.counts.capacity >= 1000);
    for (uint32_t i = 0; i < 1000; i++) assert_int_equal(all.counts.items[i], i);
    cedei_message_clear(&cede_type_sample_all, &all);
}

static void list_add_after_shrinking_gives_zeroed_elements_again(void **state) {
    (void)state;
    struct sample_all all = {0};
    struct sample_point *point = cede_list_add(&all.points);
    assert_non_null(point);
    *point = (struct sample_point){.x = 1, .y = 2};
    all.points.count = 0;
    point = cede_list_add(&all.points);
    assert_non_null(point);
    assert_int_equal(point->x, 0);
    assert_int_equal(point->y, 0);
    cedei_message_clear(&cede_type_sample_all, &all);
}

static void list_is_untouched_when_memory_is_short(void **state) {
    (void)state;
    struct sample_all all = {0};
    for (uint32_t i = 0; i < 4; i++) *(uint32_t *)cede_list_add(&all.counts) = i;
    while (all.counts.count < all.counts.capacity) assert_non_null(cede_list_add(&all.counts));
    uint32_t count = all.counts.count;
    cedei_alloc_fail_after(0, false);
    assert_null(cede_list_add(&all.counts));
    assert_int_equal(cede_list_reserve(&all.counts, 100000), CEDE_ENOMEM);
    cedei_alloc_fail_never();
    assert_int_equal(all.counts.count, count);
    assert_int_equal(all.counts.items[3], 3);
    cedei_message_clear(&cede_type_sample_all, &all);
}

static void list_reserve_makes_adding_infallible_up_to_there(void **state) {
    (void)state;
    struct sample_all all = {0};
    assert_int_equal(cede_list_reserve(&all.lines, 50), CEDE_OK);
    cedei_alloc_fail_after(0, false);
    for (int i = 0; i < 50; i++) assert_non_null(cede_list_add(&all.lines));
    assert_null(cede_list_add(&all.lines));
    cedei_alloc_fail_never();
    assert_int_equal(all.lines.count, 50);
    cedei_message_clear(&cede_type_sample_all, &all);
}

static void list_reserve_beyond_any_count_is_refused(void **state) {
    (void)state;
    struct sample_all all = {0};
    assert_int_equal(cede_list_reserve(&all.lines, (size_t)UINT32_MAX + 1), CEDE_ETOOBIG);
    assert_int_equal(cede_list_reserve(&all.lines, SIZE_MAX), CEDE_ETOOBIG);
    assert_null(all.lines.items);
}

/* The leak checker of the sanitizer build judges this one. */
static void list_clear_drops_what_elements_own(void **state) {
    (void)state;
    struct sample_all all = {0};
    struct sample_line *line = cede_list_add(&all.lines);
    assert_non_null(line);
    assert_int_equal(cede_str_set(&line->text, "text"), CEDE_OK);
    cede_str *word = cede_list_add(&all.words);
    assert_non_null(word);
    assert_int_equal(cede_str_set(word, "word"), CEDE_OK);
    cede_list_clear(sample_line, &all.lines);
    cede_list_clear(str, &all.words);
    cede_list_clear(u32, &all.counts);
    cede_list_clear(msg(sample_point), &all.points);
    assert_null(all.lines.items);
    assert_int_equal(all.lines.count, 0);
    assert_int_equal(all.words.capacity, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_add_gives_zeroed_elements_and_keeps_the_others),
        cmocka_unit_test(list_add_after_shrinking_gives_zeroed_elements_again),
        cmocka_unit_test(list_is_untouched_when_memory_is_short),
        cmocka_unit_test(list_reserve_makes_adding_infallible_up_to_there),
        cmocka_unit_test(list_reserve_beyond_any_count_is_refused),
        cmocka_unit_test(list_clear_drops_what_elements_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
