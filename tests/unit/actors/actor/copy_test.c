/* Copies of messages, and messages that go back to the front of the mailbox. */
#include "tests/support/actors.h"

TURN_TEST(copy_has_blocks_of_its_own_and_outlives_the_first) {
    (void)context;
    struct note *first = cede_new(self, note), *second = NULL;
    EXPECT_OK(cede_str_set(&first->text, "once"));
    first->value = 7;
    EXPECT_OK(cede_copy(self, note, first, &second));
    EXPECT(second != first && second->text.data != first->text.data);
    cede_drop(self, &first);
    EXPECT(strcmp(cede_str_text(&second->text), "once") == 0 && second->value == 7);
    cede_drop(self, &second);
    struct number *plain = cede_new(self, number), *other = NULL;
    plain->value = 9;
    EXPECT_OK(cede_copy(self, number, plain, &other));
    EXPECT_EQUAL(other->value, 9);
    cede_drop(self, &plain);
    cede_drop(self, &other);
    return CEDE_OK;
}

TURN_TEST(copy_of_what_cannot_be_copied_is_refused) {
    (void)context;
    struct play *opaque = cede_new(self, play), *copy = NULL;
    EXPECT_RESULT(cede_copy(self, play, opaque, &copy), CEDE_ENOTSUP);
    EXPECT(copy == NULL);
    EXPECT_RESULT(cede_copy(NULL, play, opaque, &copy), CEDE_ECONTEXT);
    cede_drop(self, &opaque);
    EXPECT_RESULT(cede_copy(self, play, opaque, &copy), CEDE_EINVAL);
    return CEDE_OK;
}

struct order {
    uint32_t count;
    uint64_t values[8];
    cede_ref to;
};

/* The first 1 goes back once, behind what it brought with it. */
static cede_result on_number(cede_self *self, struct order *order, struct number *message) {
    order->values[order->count++] = message->value;
    if (order->count == 1) {
        struct number *made = cede_new(self, number);
        made->value = 10;
        EXPECT_OK(cede_put_back(self, &message));
        EXPECT_OK(cede_put_back(self, &made));
        EXPECT(message == NULL && made == NULL);
        EXPECT_RESULT(cede_put_back(self, &made), CEDE_EINVAL);
    }
    return CEDE_OK;
}
static cede_result on_question(cede_self *self, struct order *order, struct question *request) {
    static int times;
    if (times++ % 2 == 0) return cede_put_back(self, &request); /* answered at the second time */
    uint64_t sum = 0;
    for (uint32_t i = 0; i < order->count; i++) sum = sum * 100 + order->values[i];
    answer_give(self, request, sum);
    return CEDE_OK;
}
#define ORDERED(ON)                                                                                \
    ON(number, on_number)                                                                          \
    ON(question, on_question)
CEDE_BEHAVIOUR(ordered, struct order, ORDERED);

TURN_TEST(put_back_is_handled_next_and_a_request_can_still_be_answered) {
    (void)context;
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn(self, &ordered, CEDE_NOTHING, &ref));
    number_send(self, ref, 1);
    number_send(self, ref, 2);
    uint64_t sum = 0;
    EXPECT_OK(question_ask(self, ref, 0, &sum));
    EXPECT_EQUAL(sum, 1100102); /* 1, then 10 and 1 put back, then 2 */
    EXPECT_OK(cede_stop(self, ref));
    return CEDE_OK;
}

static cede_result put_back_and_end(cede_self *self, void *context) {
    (void)context;
    struct note *left = cede_new(self, note);
    EXPECT_OK(cede_str_set(&left->text, "nobody will read this"));
    EXPECT_OK(cede_put_back(self, &left));
    return CEDE_EIO;
}

/* The counts of the fixture are the test. */
TURN_TEST(put_back_by_one_that_ends_becomes_a_dead_letter) {
    (void)context;
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn_monitored(self, &player, CEDE_NOTHING, &ref));
    play_also(self, ref, put_back_and_end, NULL);
    EXPECT_RESULT(down_await(self, ref), CEDE_EIO);
    struct number *message = NULL;
    EXPECT_RESULT(cede_put_back(NULL, &message), CEDE_ECONTEXT);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(copy_has_blocks_of_its_own_and_outlives_the_first),
        WITH_SYSTEM(copy_of_what_cannot_be_copied_is_refused),
        WITH_SYSTEM(put_back_is_handled_next_and_a_request_can_still_be_answered),
        WITH_SYSTEM(put_back_by_one_that_ends_becomes_a_dead_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
