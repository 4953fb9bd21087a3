/* The bytes of two versions of some types, written once and kept: every later build has to read them, each version those of
 * the other too. Built twice, with TYPES_VERSION 1 and 2. When the encoding of a version changes on purpose:
 *
 *     build/gcc/tests/golden/golden_v1_test --write tests/golden
 *     build/gcc/tests/golden/golden_v2_test --write tests/golden
 *
 * and say in docs/DECISIONS.md why old bytes need not be read any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message/message.h"
#include "actors/message/tagged.h"
#include "tests/golden/types.h"

/* ---- what the files hold ---- */

static void line_fill(struct line *line, const char *text, uint32_t amount) {
    assert_int_equal(cede_str_set(&line->text, text), CEDE_OK);
    line->amount = amount;
#if TYPES_VERSION == 2
    line->price = 0.5;
#endif
}

static void order_fill(void *message) {
    struct order *order = message;
    order->id = 0x1122334455667788;
    order->customer = (cede_ref){.node = 9, .slot = 8, .generation = 7};
    order->hue = HUE_GREEN;
    memcpy(order->key, "abcd", 4);
    assert_int_equal(cede_str_set(&order->note, "two lines"), CEDE_OK);
    for (uint32_t i = 1; i <= 2; i++) {
        struct line *line = cede_list_add(&order->lines);
        assert_non_null(line);
        line_fill(line, i == 1 ? "nuts" : "bolts", i);
    }
    line_fill(&order->first, "first", 3);
    struct line *gift = cede_opt_make(&order->gift);
    assert_non_null(gift);
    line_fill(gift, "gift", 4);
#if TYPES_VERSION == 1
    order->clerk = 5;
#else
    order->speed = SPEED_FAST;
    cede_str *tag = cede_list_add(&order->tags);
    assert_non_null(tag);
    assert_int_equal(cede_str_set(tag, "new"), CEDE_OK);
#endif
}

static void empty_fill(void *message) {
    struct order *order = message;
    order->hue = HUE_RED;
#if TYPES_VERSION == 2
    order->speed = SPEED_SLOW;
#endif
}

static void paid_fill(void *message) {
    empty_fill(message);
#if TYPES_VERSION == 2
    ((struct order *)message)->currency = 978;
#endif
}

static void white_fill(void *message) {
    empty_fill(message);
#if TYPES_VERSION == 2
    ((struct order *)message)->hue = HUE_WHITE;
#endif
}

static void shape_fill(void *message) {
    struct shape *shape = message;
    (void)cede_variant_set(shape, shape, group);
    for (int i = 0; i < 3; i++) {
        struct shape **box = cede_list_add(&shape->as.group);
        assert_non_null(box);
        if (i == 1) continue;
        struct shape *one = cede_opt_make(box);
        assert_non_null(one);
        if (i == 0) *cede_variant_set(shape, one, radius) = 1.5;
        if (i == 2) *cede_variant_set(shape, one, none) = true;
    }
}

static void square_fill(void *message) {
    struct shape *shape = message;
#if TYPES_VERSION == 2
    *cede_variant_set(shape, shape, square) = 6;
#else
    *cede_variant_set(shape, shape, none) = true;
#endif
}

static struct tree *tree_add(struct tree **box, uint32_t key) {
    struct tree *tree = cede_opt_make(box);
    assert_non_null(tree);
    tree->key = key;
#if TYPES_VERSION == 2
    cede_str *label = cede_opt_make(&tree->label);
    assert_non_null(label);
    assert_int_equal(cede_str_set(label, "label"), CEDE_OK);
    struct line *leaf = cede_opt_make(&tree->leaf);
    assert_non_null(leaf);
    line_fill(leaf, "leaf", key);
#endif
    return tree;
}

static void tree_fill(void *message) {
    struct tree *tree = message;
    tree->key = 1;
    struct tree *left = tree_add(&tree->left, 2);
    (void)tree_add(&tree->right, 3);
    (void)tree_add(&left->right, 4);
}

static void parcel_fill(void *message) {
    struct parcel *parcel = message;
    parcel->weight = 12;
    memcpy(parcel->code, "xy", 2);
}

/* ---- what is read from them: the message as text, or why not ---- */

#define ORDER_LINES_1                                                                              \
    "lines=[line{text=\"nuts\", amount=1}, line{text=\"bolts\", amount=2}], "                      \
    "first=line{text=\"first\", amount=3}, gift=line{text=\"gift\", amount=4}}"
#define ORDER_REST_2(price)                                                                        \
    "note=\"two lines\", key=[97, 98, 99, 100], first=line{amount=3, price=" price                 \
    ", text=\"first\"}, customer=0000000000000009:8.7, id=1234605616436508552}"
#define ORDER_LINES_2(price)                                                                       \
    "gift=line{amount=4, price=" price ", text=\"gift\"}, lines=[line{amount=1, price=" price      \
    ", text=\"nuts\"}, line{amount=2, price=" price ", text=\"bolts\"}], "
#define EMPTY_1                                                                                    \
    "order{id=0, clerk=0, note=\"\", customer=nobody, hue=1, key=[0, 0, 0, 0], lines=[], "         \
    "first=line{text=\"\", amount=0}, gift=none}"
#define EMPTY_2(hue, currency)                                                                     \
    "order{hue=" hue ", speed=3, currency=" currency ", gift=none, lines=[], tags=[], note=\"\", " \
    "key=[0, 0, 0, 0], first=line{amount=0, price=0, text=\"\"}, customer=nobody, id=0}"
#define GROUP "shape{group=[shape{radius=1.5}, none, shape{none=true}]}"
#define TREE_1                                                                                     \
    "tree{key=1, left=tree{key=2, left=none, right=tree{key=4, left=none, right=none}}, "          \
    "right=tree{key=3, left=none, right=none}}"
#define TREE_2(label, leaf2, leaf3, leaf4)                                                         \
    "tree{label=none, left=tree{label=" label ", left=none, leaf=" leaf2                           \
    ", right=tree{label=" label ", left=none, leaf=" leaf4                                         \
    ", right=none, key=4}, key=2}, leaf=none, right=tree{label=" label ", left=none, leaf=" leaf3  \
    ", right=none, key=3}, key=1}"
#define LEAF(key) "line{amount=" key ", price=0.5, text=\"leaf\"}"

struct golden {
    const char *name;
    const struct cede_type *type;
    void (*fill)(void *message);
    const char *read[2][2]; /* [reader's version - 1][writer's version - 1] */
};

static const struct golden GOLDENS[] = {
    {"order",
     &cede_type_order,
     order_fill,
     {{"order{id=1234605616436508552, clerk=5, note=\"two lines\", customer=0000000000000009:8.7, "
       "hue=2, key=[97, 98, 99, 100], " ORDER_LINES_1,
       "order{id=1234605616436508552, clerk=0, note=\"two lines\", customer=0000000000000009:8.7, "
       "hue=2, key=[97, 98, 99, 100], " ORDER_LINES_1},
      {"order{hue=2, speed=3, currency=0, " ORDER_LINES_2("0") "tags=[], " ORDER_REST_2("0"),
       "order{hue=2, speed=9, currency=0, " ORDER_LINES_2("0.5") "tags=[\"new\"], " ORDER_REST_2(
           "0.5")}}},
    {"empty",
     &cede_type_order,
     empty_fill,
     {{EMPTY_1, EMPTY_1}, {EMPTY_2("1", "0"), EMPTY_2("1", "0")}}},
    {"paid",
     &cede_type_order,
     paid_fill,
     {{EMPTY_1, "'order' has a field there (f407cfa2) that a reader must know, and lacks it here"},
      {EMPTY_2("1", "0"), EMPTY_2("1", "978")}}},
    {"white",
     &cede_type_order,
     white_fill,
     {{EMPTY_1, "field 'hue' has the value 4, which its enum lacks here"},
      {EMPTY_2("1", "0"), EMPTY_2("4", "0")}}},
    {"shape", &cede_type_shape, shape_fill, {{GROUP, GROUP}, {GROUP, GROUP}}},
    {"square",
     &cede_type_shape,
     square_fill,
     {{"shape{none=true}", "variant 'shape' has an alternative there (4b05dfd0) that it lacks here"},
      {"shape{none=true}", "shape{square=6}"}}},
    {"tree",
     &cede_type_tree,
     tree_fill,
     {{TREE_1, TREE_1},
      {TREE_2("none", "none", "none", "none"),
       TREE_2("\"label\"", LEAF("2"), LEAF("3"), LEAF("4"))}}},
    {"parcel",
     &cede_type_parcel,
     parcel_fill,
     {{"parcel{weight=12, code=[120, 121]}", "field 'weight' of 'parcel' is u64 there and u32 here"},
      {"field 'weight' of 'parcel' is u32 there and u64 here",
       "parcel{weight=12, code=[120, 121, 0]}"}}},
};
enum { GOLDEN_COUNT = sizeof GOLDENS / sizeof GOLDENS[0], FILE_MAX = 4096 };

/* ---- files ---- */

static const char *folder = ".";

static FILE *golden_open(const struct golden *golden, int version, const char *form,
                         const char *mode) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/v%d/%s.%s", folder, version, golden->name, form);
    FILE *file = fopen(path, mode);
    if (file == NULL) fail_msg("cannot open %s", path);
    return file;
}

static size_t golden_read(const struct golden *golden, int version, const char *form,
                          uint8_t bytes[FILE_MAX]) {
    FILE *file = golden_open(golden, version, form, "rb");
    size_t size = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    assert_true(size > 0 && size < FILE_MAX);
    return size;
}

static size_t golden_make(const struct golden *golden, bool is_tagged, uint8_t bytes[FILE_MAX]) {
    size_t size = 0;
    void *message = calloc(1, golden->type->size);
    assert_non_null(message);
    golden->fill(message);
    if (is_tagged) {
        assert_int_equal(cedei_tagged_size(golden->type, message, &size), CEDE_OK);
        assert_true(size < FILE_MAX);
        assert_int_equal(cedei_tagged_encode(golden->type, message, bytes, size), CEDE_OK);
    } else {
        assert_int_equal(cedei_message_encoded_size(golden->type, message, &size), CEDE_OK);
        assert_true(size < FILE_MAX);
        assert_int_equal(cedei_message_encode(golden->type, message, bytes, size), CEDE_OK);
    }
    cedei_message_clear(golden->type, message);
    free(message);
    return size;
}

static void golden_write(const struct golden *golden, bool is_tagged) {
    uint8_t bytes[FILE_MAX];
    size_t size = golden_make(golden, is_tagged, bytes);
    FILE *file = golden_open(golden, TYPES_VERSION, is_tagged ? "tagged" : "packed", "wb");
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

/* ---- tests ---- */

static void golden_bytes_are_what_this_build_writes(void **state) {
    (void)state;
    uint8_t kept[FILE_MAX], made[FILE_MAX];
    for (int i = 0; i < GOLDEN_COUNT; i++) {
        for (int is_tagged = 0; is_tagged < 2; is_tagged++) {
            size_t size =
                golden_read(&GOLDENS[i], TYPES_VERSION, is_tagged ? "tagged" : "packed", kept);
            assert_int_equal(golden_make(&GOLDENS[i], is_tagged != 0, made), size);
            assert_memory_equal(made, kept, size);
        }
    }
}

static void expect_reads(const struct golden *golden, int version, bool is_tagged) {
    uint8_t bytes[FILE_MAX];
    char text[1200];
    struct cedei_mismatch why = {""};
    const char *expected = golden->read[TYPES_VERSION - 1][version - 1];
    size_t size = golden_read(golden, version, is_tagged ? "tagged" : "packed", bytes);
    void *message = malloc(golden->type->size);
    assert_non_null(message);
    cede_result r = is_tagged ? cedei_tagged_decode(golden->type, bytes, size, NULL, message, &why)
                              : cedei_message_decode(golden->type, bytes, size, NULL, message);
    if (r == CEDE_OK) {
        (void)cede_message_print(golden->type, message, text, sizeof text);
        assert_string_equal(text, expected);
    } else {
        assert_int_equal(r, CEDE_ETYPE);
        assert_string_equal(why.text, expected);
    }
    cedei_message_clear(golden->type, message);
    free(message);
}

static void golden_bytes_of_this_version_are_read(void **state) {
    (void)state;
    for (int i = 0; i < GOLDEN_COUNT; i++) {
        expect_reads(&GOLDENS[i], TYPES_VERSION, false);
        expect_reads(&GOLDENS[i], TYPES_VERSION, true);
    }
}

static void golden_bytes_of_the_other_version_are_read_or_refused_with_the_reason(void **state) {
    (void)state;
    for (int i = 0; i < GOLDEN_COUNT; i++) expect_reads(&GOLDENS[i], 3 - TYPES_VERSION, true);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_bytes_are_what_this_build_writes),
        cmocka_unit_test(golden_bytes_of_this_version_are_read),
        cmocka_unit_test(golden_bytes_of_the_other_version_are_read_or_refused_with_the_reason),
    };
    folder = argc > 1 ? argv[argc - 1] : ".";
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        for (int i = 0; i < GOLDEN_COUNT; i++) {
            golden_write(&GOLDENS[i], false);
            golden_write(&GOLDENS[i], true);
        }
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
