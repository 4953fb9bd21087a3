/* hash_test.c - the hash table of the node layer against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/node/hash.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"

#define KEYS 5000u

struct entry {
    struct cedei_hash_node node;
    uint32_t number;
};

static struct entry entries[KEYS], extras[KEYS / 100];

static uint64_t key_of(uint32_t i) { return (uint64_t)i << 32 | (i * 7u); }

static void fill_check_and_empty(bool short_of_memory) {
    struct cedei_hash hash;
    cedei_hash_init(&hash, 42);
    if (short_of_memory) cedei_alloc_fail_after(2, false);
    for (uint32_t i = 0; i < KEYS; i++) {
        entries[i].number = i;
        cedei_hash_insert(&hash, &entries[i].node, key_of(i));
    }
    if (short_of_memory) (void)cedei_alloc_fail_never();
    assert_int_equal(hash.count, KEYS);
    for (uint32_t i = 0; i < KEYS; i += 2) cedei_hash_remove(&hash, &entries[i].node);
    for (uint32_t i = 0; i < KEYS; i++) {
        struct cedei_hash_node *node = cedei_hash_find(&hash, key_of(i));
        if (i % 2 == 0) assert_null(node);
        if (i % 2 != 0) assert_ptr_equal(node, &entries[i].node);
    }
    uint32_t left = 0;
    while (cedei_hash_take_any(&hash) != NULL) {
        /* One that is put back is found again, wherever its bucket is. */
        if (++left % 100 == 0) cedei_hash_insert(&hash, &extras[left / 100].node, key_of(left));
    }
    /* The 2,500, and those put back, one for each hundred taken: 25, which do not make up a hundred more. */
    assert_int_equal(left, KEYS / 2 + 25);
    assert_null(cedei_hash_take_any(&hash));
    cedei_hash_fini(&hash);
}

static void hash_finds_what_is_in_it(void **state) {
    (void)state;
    fill_check_and_empty(false);
}

/* Growing fails: chains get long, nothing is lost. */
static void hash_works_on_when_it_cannot_grow(void **state) {
    (void)state;
    fill_check_and_empty(true);
}

static void hash_finds_the_newest_of_equal_keys(void **state) {
    (void)state;
    struct cedei_hash hash;
    cedei_hash_init(&hash, 1);
    for (uint32_t i = 0; i < 3; i++) cedei_hash_insert(&hash, &entries[i].node, 9);
    assert_ptr_equal(cedei_hash_find(&hash, 9), &entries[2].node);
    cedei_hash_remove(&hash, &entries[2].node);
    assert_ptr_equal(cedei_hash_find(&hash, 9), &entries[1].node);
    cedei_hash_remove(&hash, &entries[0].node);
    assert_ptr_equal(cedei_hash_find(&hash, 9), &entries[1].node);
    cedei_hash_fini(&hash);
    struct cedei_hash zeroed = {0};
    cedei_hash_fini(&zeroed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_finds_what_is_in_it),
        cmocka_unit_test(hash_works_on_when_it_cannot_grow),
        cmocka_unit_test(hash_finds_the_newest_of_equal_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
