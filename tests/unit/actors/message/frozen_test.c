/* Frozen messages: released once, by the last reference, and not one inside the other. */
#include "actors/message/frozen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/sys/alloc.h"
#include "tests/support/expect.h"

/* A message that holds another frozen one. */
struct link {
    const struct link *next;
};

static struct cede_type link_type = {.name = "link", .size = sizeof(struct link)};
static uint32_t released, depth, depth_max;

static void link_release(void *context, struct cedei_msg *msg) {
    EXPECT(context == &released);
    if (++depth > depth_max) depth_max = depth;
    const struct link *next = ((struct link *)cedei_msg_body(msg))->next;
    if (next != NULL) cedei_frozen_unref(next);
    cedei_free(msg);
    released++;
    depth--;
}

static const struct link *link_make(const struct link *next) {
    struct cedei_msg *msg = cedei_alloc(sizeof *msg + sizeof(struct link));
    EXPECT(msg != NULL);
    memset(msg, 0, sizeof *msg);
    msg->type = &link_type;
    ((struct link *)cedei_msg_body(msg))->next = next;
    return cedei_frozen_make(msg, link_release, &released);
}

static void frozen_is_released_by_the_last_reference(void **state) {
    (void)state;
    released = 0;
    const struct link *one = link_make(NULL);
    EXPECT(cedei_frozen_is(one));
    cedei_frozen_ref(one);
    cedei_frozen_unref(one);
    EXPECT_EQUAL(released, 0);
    cedei_frozen_unref(one);
    EXPECT_EQUAL(released, 1);
}

/* One release inside another for each link would need more stack than there is. */
static void frozen_chain_is_released_one_after_the_other(void **state) {
    (void)state;
    enum { LINKS = 200000 };
    released = depth_max = 0;
    const struct link *first = NULL;
    for (int i = 0; i < LINKS; i++) first = link_make(first);
    cedei_frozen_unref(first);
    EXPECT_EQUAL(released, LINKS);
    EXPECT_EQUAL(depth_max, 1);
}

static void frozen_chain_ends_where_somebody_else_holds_it(void **state) {
    (void)state;
    released = 0;
    const struct link *last = link_make(NULL), *held = link_make(last);
    cedei_frozen_ref(held);
    cedei_frozen_unref(link_make(held));
    EXPECT_EQUAL(released, 1);
    cedei_frozen_unref(held);
    EXPECT_EQUAL(released, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frozen_is_released_by_the_last_reference),
        cmocka_unit_test(frozen_chain_is_released_one_after_the_other),
        cmocka_unit_test(frozen_chain_ends_where_somebody_else_holds_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
