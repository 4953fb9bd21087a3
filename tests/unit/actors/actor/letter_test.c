/* Dead letters: counted by reason, shown to the program with who sent them to whom, and in the log not more than once a second. */
#include "core/sys/clock.h"
#include "tests/support/actors.h"

struct shelf {
    pthread_mutex_t lock;
    struct cede_dead_letter letters[64]; /* under `lock` */
    char texts[64][64];                  /* under `lock` */
    uint32_t count;                      /* under `lock` */
};

static void letter_keep(void *context, const struct cede_dead_letter *letter) {
    struct shelf *shelf = context;
    pthread_mutex_lock(&shelf->lock);
    if (shelf->count < 64) {
        shelf->letters[shelf->count] = *letter;
        (void)cede_message_print(letter->type, letter->message, shelf->texts[shelf->count],
                                 sizeof shelf->texts[0]);
    }
    shelf->count++;
    pthread_mutex_unlock(&shelf->lock);
}

static struct shelf shelf = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint32_t shelf_count(void) {
    pthread_mutex_lock(&shelf.lock);
    uint32_t count = shelf.count;
    pthread_mutex_unlock(&shelf.lock);
    return count;
}

static struct fixture *shelf_begin(void) {
    shelf.count = 0;
    return fixture_begin((struct cede_options){
        .dead_letter = letter_keep, .dead_letter_context = &shelf, .log_level = CEDE_LOG_INFO});
}

static uint64_t letters_of(cede_self *self, cede_result reason) {
    struct cede_metrics metrics;
    cede_system_metrics(cede_self_system(self), &metrics);
    return metrics.dead_letters[reason];
}

static cede_result busy_then_stop(cede_self *self, void *context) {
    flag_set(context, 2);
    flag_await(self, context, 1);
    return CEDE_STOP;
}

static cede_result left_behind_run(cede_self *self, void *context) {
    static _Atomic uint32_t flag;
    (void)context;
    flag_set(&flag, 0);
    cede_ref other = play(self, busy_then_stop, &flag);
    flag_await(self, &flag, 2);
    for (uint64_t i = 0; i < 3; i++) number_send(self, other, i);
    EXPECT_OK(cede_monitor(self, other));
    flag_set(&flag, 1);
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    while (shelf_count() < 3) cede_yield(self); /* each is shown after it was counted */
    EXPECT_EQUAL(letters_of(self, CEDE_ENOACTOR), 3);
    pthread_mutex_lock(&shelf.lock);
    EXPECT_EQUAL(shelf.count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        EXPECT_RESULT(shelf.letters[i].reason, CEDE_ENOACTOR);
        EXPECT(strcmp(shelf.letters[i].type_name, "number") == 0);
        EXPECT(cede_ref_equal(shelf.letters[i].to, other));
        EXPECT(cede_ref_equal(shelf.letters[i].from, cede_self_ref(self)));
    }
    EXPECT(strcmp(shelf.texts[2], "number{value=2}") == 0);
    pthread_mutex_unlock(&shelf.lock);
    return CEDE_OK;
}

static void letter_of_an_actor_that_has_ended_says_from_whom_and_to_whom(void **state) {
    struct fixture *fixture = shelf_begin();
    (void)state;
    uint64_t before_ns = cedei_clock_now_ns();
    fixture_run(fixture, left_behind_run, NULL);
    bool within_a_second = cedei_clock_now_ns() - before_ns < CEDE_SECONDS(1);
    EXPECT(fixture_logged(fixture, "CEDE_ENOACTOR"));
    EXPECT(fixture_logged(fixture, "number{value=0} from ("));
    if (within_a_second)
        EXPECT(!fixture_logged(fixture, "number{value=1}")); /* one line a second */
    fixture_end(fixture);
}

CEDE_BEHAVIOUR(dropper, struct player, TEST_PLAYER, .mailbox_max = 1,
               .when_full = CEDE_FULL_DROP_OLDEST);

static cede_result given_up_run(cede_self *self, void *context) {
    static _Atomic uint32_t flag;
    (void)context;
    flag_set(&flag, 0);
    cede_ref other = play_as(self, &dropper, busy_then_stop, &flag);
    flag_await(self, &flag, 2);
    for (uint64_t i = 0; i < 5; i++) number_send(self, other, i);
    EXPECT_EQUAL(letters_of(self, CEDE_EFULL), 4);
    EXPECT_EQUAL(shelf.count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        EXPECT_RESULT(shelf.letters[i].reason, CEDE_EFULL);
        EXPECT(strcmp(shelf.letters[i].to_name, "dropper") == 0);
        EXPECT(cede_ref_equal(shelf.letters[i].from, cede_self_ref(self)));
    }
    EXPECT(strcmp(shelf.texts[3], "number{value=3}") == 0);
    flag_set(&flag, 1);
    return CEDE_OK;
}

static void letter_of_a_full_mailbox_names_the_one_that_was_given_up(void **state) {
    struct fixture *fixture = shelf_begin();
    (void)state;
    fixture_run(fixture, given_up_run, NULL);
    EXPECT(fixture_logged(fixture, "to 'dropper'"));
    fixture_stop(fixture);
    uint64_t sum = 0;
    for (int i = 0; i < CEDE_DEAD_LETTER_REASONS; i++) sum += fixture->last.dead_letters[i];
    EXPECT_EQUAL(sum, fixture->last.messages_dead_lettered);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letter_of_an_actor_that_has_ended_says_from_whom_and_to_whom),
        cmocka_unit_test(letter_of_a_full_mailbox_names_the_one_that_was_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
