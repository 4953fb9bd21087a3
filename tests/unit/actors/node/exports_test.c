/* exports_test.c - which actors other nodes may reach. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cede/message.h>

#include "actors/message/message.h"
#include "actors/node/exports.h"
#include "core/sys/alloc.h"

#define OWN 99u

#define INNER(F)                                                                                   \
    F(ref, who)                                                                                    \
    F(u32, number)
CEDE_MESSAGE(inner, INNER);
#define PLAIN(F) F(u32, number)
CEDE_MESSAGE(plain, PLAIN);
#define OUTER(F)                                                                                   \
    F(ref, first)                                                                                  \
    F(array(ref, 2), pair)                                                                         \
    F(msg(inner), one)                                                                             \
    F(list(inner), many)                                                                           \
    F(list(ref), refs)                                                                             \
    F(list(plain), plains)
CEDE_MESSAGE(outer, OUTER);

static cede_ref own(uint32_t slot) { return (cede_ref){OWN, slot, 1}; }

static bool has(struct cedei_exports *exports, uint32_t slot, uint32_t generation) {
    return cedei_exports_has(exports, (struct cedei_wire_actor){slot, generation});
}

static void exports_know_the_newest_tenant_of_a_slot_only(void **state) {
    (void)state;
    struct cedei_exports exports;
    cedei_exports_init(&exports, OWN, 7);
    assert_false(has(&exports, 1, 1));
    assert_int_equal(cedei_exports_add(&exports, (cede_ref){OWN, 1, 5}), CEDE_OK);
    assert_true(has(&exports, 1, 5));
    assert_false(has(&exports, 1, 4));
    assert_false(has(&exports, 1, 6));
    assert_false(has(&exports, 1, 0));
    assert_false(has(&exports, 2, 5));
    assert_int_equal(cedei_exports_add(&exports, (cede_ref){OWN, 1, 6}), CEDE_OK);
    assert_int_equal(cedei_exports_add(&exports, (cede_ref){OWN, 1, 5}), CEDE_OK);
    assert_true(has(&exports, 1, 6));
    assert_false(has(&exports, 1, 5));
    /* The number wraps: 2 is newer than the largest. */
    assert_int_equal(cedei_exports_add(&exports, (cede_ref){OWN, 3, UINT32_MAX}), CEDE_OK);
    assert_int_equal(cedei_exports_add(&exports, (cede_ref){OWN, 3, 2}), CEDE_OK);
    assert_true(has(&exports, 3, 2));
    cedei_exports_fini(&exports);
}

static void exports_leave_out_others_actors_and_nobody(void **state) {
    (void)state;
    struct cedei_exports exports;
    cedei_exports_init(&exports, OWN, 7);
    assert_int_equal(cedei_exports_add(&exports, (cede_ref){OWN + 1, 1, 5}), CEDE_OK);
    assert_int_equal(cedei_exports_add(&exports, (cede_ref){OWN, 1, 0}), CEDE_OK);
    assert_false(has(&exports, 1, 5));
    assert_false(has(&exports, 1, 0));
    cedei_exports_fini(&exports);
}

static void exports_find_refs_wherever_a_message_holds_them(void **state) {
    (void)state;
    struct cedei_exports exports;
    struct outer message = {.first = own(1), .pair = {own(2), own(3)}, .one = {.who = own(4)}};
    cedei_exports_init(&exports, OWN, 7);
    for (uint32_t slot = 5; slot < 8; slot++) {
        struct inner *added = cede_list_add(&message.many);
        assert_non_null(added);
        added->who = own(slot);
    }
    cede_ref *ref = cede_list_add(&message.refs);
    assert_non_null(ref);
    *ref = own(8);
    assert_non_null(cede_list_add(&message.plains));
    assert_int_equal(cedei_exports_add_message(&exports, &cede_type_outer, &message), CEDE_OK);
    for (uint32_t slot = 1; slot <= 8; slot++) assert_true(has(&exports, slot, 1));
    assert_int_equal(exports.slots.count, 8);
    cedei_message_clear(&cede_type_outer, &message);
    cedei_exports_fini(&exports);
}

static void exports_report_short_memory(void **state) {
    (void)state;
    struct cedei_exports exports;
    struct inner message = {.who = own(1)};
    cedei_exports_init(&exports, OWN, 7);
    cedei_alloc_fail_after(0, false);
    assert_int_equal(cedei_exports_add_message(&exports, &cede_type_inner, &message), CEDE_ENOMEM);
    (void)cedei_alloc_fail_never();
    assert_false(has(&exports, 1, 1));
    cedei_exports_fini(&exports);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exports_know_the_newest_tenant_of_a_slot_only),
        cmocka_unit_test(exports_leave_out_others_actors_and_nobody),
        cmocka_unit_test(exports_find_refs_wherever_a_message_holds_them),
        cmocka_unit_test(exports_report_short_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
