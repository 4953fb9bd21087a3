/* Boxes and variants: made, dropped, printed, encoded and decoded, however deep they hold each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message/message.h"
#include "actors/message/traits.h"
#include "core/sys/alloc.h"
#include "tests/support/child.h"
#include "tests/support/sample_messages.h"

enum { SEEDS = 60, CHAIN = 200000 };

struct encoded {
    uint8_t *bytes;
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

static struct encoded tree_encoded(uint64_t seed) {
    struct sample_tree tree = {0};
    assert_true(sample_tree_fill(&tree, &seed, 3));
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

#define LINK(F)                                                                                    \
    F(u8, number)                                                                                  \
    F(opt(chain_link), next)
CEDE_MESSAGE(chain_link, LINK);

static void box_is_made_once_and_dropped_with_what_it_holds(void **state) {
    (void)state;
    struct sample_tree tree = {0};
    struct sample_tree *left = cede_opt_make(&tree.left);
    assert_non_null(left);
    assert_true(is_zero(left, sizeof *left));
    assert_ptr_equal(cede_opt_make(&tree.left), left);
    cede_str *note = cede_opt_make(&left->note);
    assert_non_null(note);
    assert_int_equal(cede_str_set(note, "below"), CEDE_OK);
    cede_opt_clear(sample_tree, &tree.left);
    assert_null(tree.left);
    cede_opt_clear(sample_tree, &tree.left); /* an empty one: nothing */
    assert_true(is_zero(&tree, sizeof tree));
}

static void box_has_the_documented_bytes(void **state) {
    (void)state;
    struct chain_link first = {.number = 1};
    struct chain_link *second = cede_opt_make(&first.next);
    assert_non_null(second);
    second->number = 2;
    struct encoded e = encode(&cede_type_chain_link, &first);
    static const uint8_t expected[] = {1, 1, 0, 0, 0, 2, 0, 0, 0, 0};
    assert_int_equal(e.size, sizeof expected);
    assert_memory_equal(e.bytes, expected, sizeof expected);
    cedei_message_clear(&cede_type_chain_link, &first);
    free(e.bytes);
}

/* First all boxes of one message, then those inside the first of them. */
static void box_contents_stand_in_the_order_of_their_boxes(void **state) {
    (void)state;
    struct sample_value value = {0};
    (void)cede_variant_set(sample_value, &value, pair);
    for (int i = 0; i < 2; i++) {
        struct sample_value *half = cede_opt_make(&value.as.pair[i]);
        assert_non_null(half);
        if (i == 0) {
            struct sample_value *inner = cede_opt_make(*cede_variant_set(sample_value, half, pair));
            assert_non_null(inner);
            *cede_variant_set(sample_value, inner, number) = 0;
        } else {
            assert_int_equal(cede_str_set(cede_variant_set(sample_value, half, text), "z"), CEDE_OK);
        }
    }
    struct encoded e = encode(&cede_type_sample_value, &value);
    static const uint8_t expected[] = {4, 0, 0, 0, 1, 0, 0, 0, 1,   0, 0, 0,  /* a pair */
                                       4, 0, 0, 0, 1, 0, 0, 0, 0,   0, 0, 0,  /* a pair */
                                       2, 0, 0, 0, 1, 0, 0, 0, 'z',           /* the text */
                                       1, 0, 0, 0, 0, 0, 0, 0, 0,   0, 0, 0}; /* the number */
    assert_int_equal(e.size, sizeof expected);
    assert_memory_equal(e.bytes, expected, sizeof expected);
    cedei_message_clear(&cede_type_sample_value, &value);
    free(e.bytes);
}

static void box_round_trip_keeps_every_byte_for_any_content(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct encoded e = tree_encoded(seed);
        struct sample_tree back;
        memset(&back, 0xa5, sizeof back);
        assert_int_equal(cedei_message_decode(&cede_type_sample_tree, e.bytes, e.size, NULL, &back),
                         CEDE_OK);
        struct encoded again = encode(&cede_type_sample_tree, &back);
        assert_int_equal(again.size, e.size);
        assert_memory_equal(again.bytes, e.bytes, e.size);
        cedei_message_clear(&cede_type_sample_tree, &back);
        assert_null(back.left);
        free(again.bytes);
        free(e.bytes);
    }
}

static void box_truncation_at_any_byte_is_refused_and_keeps_nothing(void **state) {
    (void)state;
    struct encoded e = tree_encoded(7);
    assert_true(e.size > 100);
    for (size_t size = 0; size < e.size; size++) {
        uint8_t *copy = malloc(size != 0 ? size : 1);
        assert_non_null(copy);
        memcpy(copy, e.bytes, size);
        struct sample_tree back;
        assert_int_equal(cedei_message_decode(&cede_type_sample_tree, copy, size, NULL, &back),
                         CEDE_EBADMSG);
        assert_true(is_zero(&back, sizeof back));
        free(copy);
    }
    free(e.bytes);
}

/* A stack as small as an actor's may be would be gone after some hundreds, if one were inside the other. */
static void box_chain_of_any_length_is_encoded_decoded_and_dropped(void **state) {
    (void)state;
    struct chain_link first = {.number = 0}, back;
    struct chain_link *last = &first;
    for (uint32_t i = 1; i < CHAIN; i++) {
        last = cede_opt_make(&last->next);
        assert_non_null(last);
        last->number = (uint8_t)i;
    }
    struct encoded e = encode(&cede_type_chain_link, &first);
    assert_int_equal(e.size, 5 * CHAIN);
    cedei_message_clear(&cede_type_chain_link, &first);
    assert_null(first.next);
    assert_int_equal(cedei_message_decode(&cede_type_chain_link, e.bytes, e.size, NULL, &back),
                     CEDE_OK);
    uint32_t count = 0;
    for (struct chain_link *at = &back; at != NULL; at = at->next)
        assert_int_equal(at->number, (uint8_t)count++);
    assert_int_equal(count, CHAIN);
    cedei_message_clear(&cede_type_chain_link, &back);
    /* One that does not end: each box needs bytes. */
    e.bytes[e.size - 4] = 1;
    assert_int_equal(cedei_message_decode(&cede_type_chain_link, e.bytes, e.size, NULL, &back),
                     CEDE_EBADMSG);
    free(e.bytes);
}

static void box_and_tag_values_out_of_their_range_are_refused(void **state) {
    (void)state;
    struct chain_link link;
    assert_int_equal(cedei_message_decode(&cede_type_chain_link,
                                          (const uint8_t *)"\1\2\0\0\0\2\0\0\0\0", 10, NULL, &link),
                     CEDE_EBADMSG);
    struct sample_value value = {.tag = (enum sample_value_tag)6};
    size_t size;
    assert_int_equal(cedei_message_encoded_size(&cede_type_sample_value, &value, &size),
                     CEDE_EINVAL);
    assert_int_equal(
        cedei_message_decode(&cede_type_sample_value, (const uint8_t *)"\6\0\0\0", 4, NULL, &value),
        CEDE_EBADMSG);
    assert_int_equal(
        cedei_message_decode(&cede_type_sample_value, (const uint8_t *)"\0\0\0\0", 4, NULL, &value),
        CEDE_OK);
    assert_int_equal(value.tag, SAMPLE_VALUE_NONE);
}

static void variant_drops_what_it_held_when_it_changes(void **state) {
    (void)state;
    struct sample_value value = {0};
    assert_int_equal(value.tag, SAMPLE_VALUE_NONE);
    cede_str *text = cede_variant_set(sample_value, &value, text);
    assert_int_equal(value.tag, SAMPLE_VALUE_TEXT);
    assert_int_equal(cede_str_set(text, "a block that a leak checker would find"), CEDE_OK);
    (void)cede_variant_set(sample_value, &value, many);
    struct sample_value **box = cede_list_add(&value.as.many);
    assert_non_null(box);
    assert_non_null(cede_opt_make(box));
    *cede_variant_set(sample_value, &value, number) = 2.5;
    assert_int_equal(value.tag, SAMPLE_VALUE_NUMBER);
    cedei_message_clear(&cede_type_sample_value, &value);
}

static void box_and_variant_are_printed(void **state) {
    (void)state;
    char line[600];
    struct sample_tree tree = {.key = 1};
    struct sample_tree *right = cede_opt_make(&tree.right);
    assert_non_null(right);
    assert_int_equal(cede_str_set(cede_variant_set(sample_value, &right->value, text), "t"),
                     CEDE_OK);
    (void)cede_message_print(&cede_type_sample_tree, &tree, line, sizeof line);
    assert_string_equal(
        line,
        "sample_tree{key=1, left=none, right=sample_tree{key=0, left=none, right=none, "
        "weight=none, flag=none, slope=none, note=none, owner=none, line=none, mark=none, "
        "value=sample_value{text=\"t\"}, values=[]}, weight=none, flag=none, slope=none, "
        "note=none, owner=none, line=none, mark=none, value=sample_value{none=sample_empty{}}, "
        "values=[]}");
    cedei_message_clear(&cede_type_sample_tree, &tree);
    struct chain_link first = {.number = 0};
    struct chain_link *last = &first;
    for (uint32_t i = 1; i < 20; i++) last = cede_opt_make(&last->next);
    (void)cede_message_print(&cede_type_chain_link, &first, line, sizeof line);
    assert_non_null(strstr(line, "next=...}"));
    cedei_message_clear(&cede_type_chain_link, &first);
}

static cede_result count_ref(void *context, cede_ref ref) {
    if (ref.slot == 99) return CEDE_ELIMIT;
    *(uint64_t *)context += ref.slot;
    return CEDE_OK;
}

#define REF_CHAIN(F)                                                                               \
    F(list(ref), refs)                                                                             \
    F(opt(ref), one)                                                                               \
    F(opt(ref_chain), next)
CEDE_MESSAGE(ref_chain, REF_CHAIN);

static void refs_are_found_in_boxes_too(void **state) {
    (void)state;
    struct ref_chain first = {0};
    struct ref_chain *at = &first;
    for (uint32_t i = 1; i <= 100; i++) {
        cede_ref *ref = cede_list_add(&at->refs), *one = cede_opt_make(&at->one);
        assert_true(ref != NULL && one != NULL);
        ref->slot = 1;
        one->slot = 2;
        if (i < 100) at = cede_opt_make(&at->next);
        assert_non_null(at);
    }
    uint64_t sum = 0;
    assert_int_equal(cedei_message_refs(&cede_type_ref_chain, &first, count_ref, &sum), CEDE_OK);
    assert_int_equal(sum, 300);
    at->one->slot = 99;
    assert_int_equal(cedei_message_refs(&cede_type_ref_chain, &first, count_ref, &sum), CEDE_ELIMIT);
    assert_true((cedei_type_traits(&cede_type_ref_chain) & CEDEI_TRAIT_REFS) != 0);
    assert_true((cedei_type_traits(&cede_type_chain_link) & CEDEI_TRAIT_REFS) == 0);
    cedei_message_clear(&cede_type_ref_chain, &first);
}

/* ---- types that hold each other ---- */

CEDE_MESSAGE_FORWARD(egg);
#define HEN(F)                                                                                     \
    F(u16, age)                                                                                    \
    F(opt(egg), laid)
CEDE_MESSAGE(hen, HEN);
#define EGG(F) F(opt(hen), inside)
CEDE_MESSAGE(egg, EGG);

struct handle {
    int *closed;
    CEDE_MESSAGE_MARK;
};
static void handle_close(struct handle *handle) {
    if (handle->closed != NULL) ++*handle->closed;
}
CEDE_OPAQUE_MESSAGE(handle, handle_close);
#define HANDLE_BOX(F) F(opt(handle), it)
CEDE_MESSAGE(handle_box, HANDLE_BOX);
#define HANDLE_HOLDER(F) F(opt(handle_box), it)
CEDE_MESSAGE(handle_holder, HANDLE_HOLDER);

/* The walk over types ends although they go round, and finds what is behind a box. */
static void traits_and_hashes_of_types_that_hold_each_other(void **state) {
    (void)state;
    assert_int_not_equal(cede_schema_hash(&cede_type_hen), cede_schema_hash(&cede_type_egg));
    assert_int_equal(cede_schema_hash(&cede_type_hen), 0x4577d55c4c9975beu);
    assert_int_equal(cede_schema_hash(&cede_type_egg), 0xa02ff0e26a8d041au);
    assert_int_equal(cede_schema_hash(&cede_type_sample_tree), 0x41277ebd1162d5a0u);
    assert_int_equal(cede_schema_hash(&cede_type_sample_value), 0x63152c1d4fa537c7u);
    assert_int_equal(cedei_type_leaves(&cede_type_hen), CEDE_OK);
    assert_int_equal(cedei_type_leaves(&cede_type_handle_holder), CEDE_ENOTSUP);
}

static void opaque_in_a_box_stays_inside_and_is_closed_once(void **state) {
    (void)state;
    int closed = 0;
    size_t size;
    uint8_t byte = 0;
    struct handle_holder holder = {0};
    struct handle_box *box = cede_opt_make(&holder.it);
    assert_non_null(box);
    struct handle *handle = cede_opt_make(&box->it);
    assert_non_null(handle);
    handle->closed = &closed;
    assert_int_equal(cedei_message_encoded_size(&cede_type_handle_holder, &holder, &size),
                     CEDE_ENOTSUP);
    assert_int_equal(cedei_message_encode(&cede_type_handle_holder, &holder, &byte, 1),
                     CEDE_ENOTSUP);
    cedei_message_clear(&cede_type_handle_holder, &holder);
    assert_int_equal(closed, 1);
}

/* In memory it would be some 1,000 bytes for the 4 of an empty alternative. */
#define LARGE_VALUE(V)                                                                             \
    V(LARGE_VALUE_NONE, msg(sample_empty), none)                                                   \
    V(LARGE_VALUE_MANY, array(u64, 128), many)
CEDE_VARIANT(large_value, LARGE_VALUE);
#define LARGE_HOLDER(F) F(opt(large_value), it)
CEDE_MESSAGE(large_holder, LARGE_HOLDER);

static void box_that_would_let_a_peer_use_much_memory_stays_inside(void **state) {
    (void)state;
    assert_int_equal(cedei_type_leaves(&cede_type_large_holder), CEDE_ENOTSUP);
    assert_int_equal(cedei_type_leaves(&cede_type_large_value), CEDE_OK);
}

static void box_decoding_and_encoding_survive_every_allocation_failing(void **state) {
    (void)state;
    struct encoded e = tree_encoded(11);
    uint64_t failing = 0, failed = 0;
    for (bool done = false; !done; failing++) {
        struct sample_tree back;
        cedei_alloc_fail_after(failing, true);
        cede_result r = cedei_message_decode(&cede_type_sample_tree, e.bytes, e.size, NULL, &back);
        size_t size = 0;
        if (r == CEDE_OK) r = cedei_message_encoded_size(&cede_type_sample_tree, &back, &size);
        (void)cedei_alloc_fail_never();
        done = r == CEDE_OK;
        if (!done) failed++;
        if (!done) assert_int_equal(r, CEDE_ENOMEM);
        cedei_message_clear(&cede_type_sample_tree, &back);
    }
    assert_true(failed > 20);
    free(e.bytes);
}

static void clear_a_foreign_pointer(void *unused) {
    (void)unused;
    static uint64_t mine[8];
    struct chain_link link = {.next = (struct chain_link *)(void *)&mine[6]};
    cedei_message_clear(&cede_type_chain_link, &link);
}

static void box_that_cede_opt_make_did_not_make_ends_the_process(void **state) {
    (void)state;
    EXPECT_CHILD_ABORTS(clear_a_foreign_pointer, NULL, "which cede_opt_make did not make");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(box_is_made_once_and_dropped_with_what_it_holds),
        cmocka_unit_test(box_has_the_documented_bytes),
        cmocka_unit_test(box_contents_stand_in_the_order_of_their_boxes),
        cmocka_unit_test(box_round_trip_keeps_every_byte_for_any_content),
        cmocka_unit_test(box_truncation_at_any_byte_is_refused_and_keeps_nothing),
        cmocka_unit_test(box_chain_of_any_length_is_encoded_decoded_and_dropped),
        cmocka_unit_test(box_and_tag_values_out_of_their_range_are_refused),
        cmocka_unit_test(variant_drops_what_it_held_when_it_changes),
        cmocka_unit_test(box_and_variant_are_printed),
        cmocka_unit_test(refs_are_found_in_boxes_too),
        cmocka_unit_test(traits_and_hashes_of_types_that_hold_each_other),
        cmocka_unit_test(opaque_in_a_box_stays_inside_and_is_closed_once),
        cmocka_unit_test(box_that_would_let_a_peer_use_much_memory_stays_inside),
        cmocka_unit_test(box_decoding_and_encoding_survive_every_allocation_failing),
        cmocka_unit_test(box_that_cede_opt_make_did_not_make_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
