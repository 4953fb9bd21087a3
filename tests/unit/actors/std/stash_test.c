/* Messages that are saved for later, with a bound, and come back in order before all others. */
#include "tests/support/actors.h"

#include <cede/stash.h>

struct shop {
    struct cede_stash *stash;
    bool is_open;
    uint32_t refused;
    uint64_t sum; /* of the numbers, as digits in the order in which they were handled */
};

static cede_result on_number(cede_self *self, struct shop *shop, struct number *message) {
    if (shop->stash == NULL && (shop->stash = cede_stash_create(self, 4)) == NULL)
        return CEDE_ENOMEM;
    if (!shop->is_open) {
        cede_result r = cede_stash_put(self, shop->stash, &message);
        EXPECT((message == NULL) == (r == CEDE_OK));
        if (r == CEDE_OK) return r;
        EXPECT_RESULT(r, CEDE_EFULL);
        shop->refused++;
        return CEDE_OK;
    }
    shop->sum = shop->sum * 10 + message->value;
    return CEDE_OK;
}
static cede_result on_go(cede_self *self, struct shop *shop, struct go *message) {
    (void)message;
    shop->is_open = true;
    uint32_t count = cede_stash_count(shop->stash);
    EXPECT_OK(cede_stash_release(self, shop->stash));
    EXPECT_EQUAL(cede_stash_count(shop->stash), 0);
    EXPECT_EQUAL(count, 4);
    return CEDE_OK;
}
static cede_result on_question(cede_self *self, struct shop *shop, struct question *request) {
    if (!shop->is_open) return cede_stash_put(self, shop->stash, &request);
    answer_give(self, request, shop->sum);
    return CEDE_OK;
}
#define SHOP(ON)                                                                                   \
    ON(number, on_number)                                                                          \
    ON(go, on_go)                                                                                  \
    ON(question, on_question)
CEDE_BEHAVIOUR(shop, struct shop, SHOP);

struct asked {
    cede_ref shop;
    uint64_t answer;
    _Atomic uint32_t done;
};

static CEDE_YIELDS cede_result ask_the_shop(cede_self *self, void *context) {
    struct asked *asked = context;
    EXPECT_OK(question_ask(self, asked->shop, 0, &asked->answer));
    flag_set(&asked->done, 1);
    return CEDE_STOP;
}

TURN_TEST(stash_gives_back_in_order_before_what_came_later) {
    (void)context;
    static struct asked asked;
    memset(&asked, 0, sizeof asked);
    EXPECT_OK(cede_spawn(self, &shop, CEDE_NOTHING, &asked.shop));
    for (uint64_t i = 1; i <= 3; i++) number_send(self, asked.shop, i);
    cede_ref asker = play(self, ask_the_shop, &asked);
    parked_await(self, asker); /* the question is the fourth */
    for (uint64_t i = 5; i <= 6; i++) number_send(self, asked.shop, i); /* no room any more */
    struct go *open = cede_new(self, go);
    EXPECT_OK(cede_send(self, asked.shop, &open));
    number_send(self, asked.shop, 7);
    flag_await(self, &asked.done, 1);
    EXPECT_EQUAL(asked.answer, 123); /* the question was between 3 and 7 */
    uint64_t sum = 0;
    EXPECT_OK(question_ask(self, asked.shop, 0, &sum));
    EXPECT_EQUAL(sum, 1237);
    EXPECT_OK(cede_stop(self, asked.shop));
    return CEDE_OK;
}

/* What is still in it when its actor ends is dropped; the fixture counts. */
TURN_TEST(stash_ends_with_its_actor) {
    (void)context;
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn_monitored(self, &shop, CEDE_NOTHING, &ref));
    for (uint64_t i = 1; i <= 3; i++) number_send(self, ref, i);
    struct cede_stash *mine = cede_stash_create(self, 1);
    struct note *note = cede_new(self, note), *none = NULL;
    EXPECT_OK(cede_str_set(&note->text, "saved"));
    EXPECT_OK(cede_stash_put(self, mine, &note));
    EXPECT_RESULT(cede_stash_put(self, mine, &none), CEDE_EINVAL);
    EXPECT_RESULT(cede_stash_put(NULL, mine, &none), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_stash_release(NULL, mine), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_stash_release(self, NULL), CEDE_EINVAL);
    EXPECT_EQUAL(cede_stash_count(mine), 1);
    EXPECT_EQUAL(cede_stash_count(NULL), 0);
    EXPECT_OK(cede_stop(self, ref));
    EXPECT_OK(down_await(self, ref));
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(stash_gives_back_in_order_before_what_came_later),
        WITH_SYSTEM(stash_ends_with_its_actor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
