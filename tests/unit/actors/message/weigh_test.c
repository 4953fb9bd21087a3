/* The weight of a message is its own block and every block that it owns, as much as they take up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message/field.h"
#include "actors/message/header.h"
#include "actors/message/message.h"
#include "core/mem/block.h"
#include "core/mem/part.h"

#define LEAF(F)                                                                                    \
    F(str, text)                                                                                   \
    F(u32, number)
CEDE_MESSAGE(leaf, LEAF);
#define TREE(F)                                                                                    \
    F(bytes, raw)                                                                                  \
    F(msg(leaf), one)                                                                              \
    F(array(str, 2), two)                                                                          \
    F(list(leaf), leaves)                                                                          \
    F(list(u64), numbers)
CEDE_MESSAGE(tree, TREE);
CEDE_MESSAGE_FORWARD(chain);
#define CHAIN(F)                                                                                   \
    F(opt(chain), next)                                                                            \
    F(str, text)
CEDE_MESSAGE(chain, CHAIN);

static size_t block(size_t size) { return cedei_part_size_of(size); }

#define OWN_BLOCK(T) cedei_block_size_of(sizeof(struct cedei_msg) + sizeof(struct T))

static void weigh_of_an_empty_message_is_its_block(void **state) {
    (void)state;
    struct tree tree = {0};
    assert_int_equal(cedei_message_weight(&cede_type_tree, &tree), OWN_BLOCK(tree));
}

static void weigh_adds_text_bytes_and_lists_with_what_their_elements_own(void **state) {
    (void)state;
    struct tree tree = {0};
    assert_int_equal(cede_bytes_reserve(&tree.raw, 100), CEDE_OK);
    assert_int_equal(cede_str_set(&tree.one.text, "0123456789"), CEDE_OK);
    assert_int_equal(cede_str_set(&tree.two[1], "01234"), CEDE_OK);
    assert_int_equal(cede_list_reserve(&tree.leaves, 3), CEDE_OK);
    assert_int_equal(cede_str_set(&cede_list_add(&tree.leaves)->text, "0123456"), CEDE_OK);
    assert_int_equal(cede_list_reserve(&tree.numbers, 9), CEDE_OK);
    size_t lists = block(tree.leaves.capacity * sizeof(struct leaf)) +
                   block(tree.numbers.capacity * sizeof(uint64_t));
    assert_int_equal(cedei_message_weight(&cede_type_tree, &tree),
                     OWN_BLOCK(tree) + block(100) + block(11) + block(6) + block(8) + lists);
    cedei_message_clear(&cede_type_tree, &tree);
}

/* As long a chain as a message may be: no stack is needed for it. */
static void weigh_of_a_chain_of_boxes_counts_each(void **state) {
    (void)state;
    enum { LENGTH = 100000 };
    struct chain first = {0}, *last = &first;
    for (int i = 0; i < LENGTH; i++) {
        last = cede_opt_make(&last->next);
        assert_non_null(last);
        assert_int_equal(cede_str_set(&last->text, "0123456"), CEDE_OK);
    }
    size_t one = block(sizeof(struct chain) + sizeof(struct cedei_box)) + block(8);
    assert_int_equal(cedei_message_weight(&cede_type_chain, &first),
                     OWN_BLOCK(chain) + LENGTH * one);
    cedei_message_clear(&cede_type_chain, &first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weigh_of_an_empty_message_is_its_block),
        cmocka_unit_test(weigh_adds_text_bytes_and_lists_with_what_their_elements_own),
        cmocka_unit_test(weigh_of_a_chain_of_boxes_counts_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
