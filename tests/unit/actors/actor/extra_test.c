/* An actor's extra: made once, at the first need, and then the slot's, whoever lives there. */
#include "tests/support/actors.h"

TURN_TEST(extra_is_made_at_the_first_wait_with_a_limit) {
    (void)context;
    EXPECT(self->extra == NULL);
    cede_yield(self);
    EXPECT(self->extra == NULL);
    EXPECT_OK(cede_sleep(self, 1));
    struct cedei_extra *extra = self->extra;
    EXPECT(extra != NULL && extra->actor == self);
    EXPECT_OK(cede_sleep(self, 1));
    EXPECT(self->extra == extra && cedei_extra_of(self) == extra);
    return CEDE_OK;
}

struct tenants {
    uint32_t slot;
    struct cedei_extra *extra;
};

static CEDE_YIELDS cede_result tenant(cede_self *self, void *context) {
    struct tenants *tenants = context;
    struct cedei_extra *extra = cedei_extra_of(self);
    if (tenants->extra == NULL) *tenants = (struct tenants){self->slot, extra};
    if (self->slot == tenants->slot) EXPECT(extra == tenants->extra);
    return CEDE_STOP;
}

/* The timer of a former tenant may still be in a wheel: its memory must not go, and need not be made again. */
TURN_TEST(extra_stays_with_the_slot_for_the_next_tenant) {
    (void)context;
    static struct tenants tenants;
    tenants = (struct tenants){0};
    for (int i = 0; i < 10; i++) {
        cede_ref ref = play(self, tenant, &tenants);
        EXPECT_OK(cede_monitor(self, ref));
        (void)down_await(self, ref);
    }
    EXPECT(tenants.extra != NULL);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(extra_is_made_at_the_first_wait_with_a_limit),
        WITH_SYSTEM(extra_stays_with_the_slot_for_the_next_tenant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
