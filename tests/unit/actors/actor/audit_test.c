/* A message that is lost, or counted wrongly, is found at the end of its system, whatever else happened. */
#include "actors/actor/deliver.h"
#include "tests/support/actors.h"

struct mistake {
    void (*make)(cede_self *self);
};

static cede_result mistake_turn(cede_self *self, void *context) {
    ((struct mistake *)context)->make(self);
    return CEDE_OK;
}

/* On a system that logs to standard error, in a child. */
static void mistake_run(void *context) {
    setenv("CEDE_AUDIT", "abort", 1);
    cede_system *system = NULL;
    struct cede_options options = {.workers = 1, .strict = test_setting("CEDE_TEST_STRICT", 0) != 0};
    EXPECT_OK(cede_system_create(&system, &options));
    EXPECT_OK(cede_block_on(system, mistake_turn, context));
    cede_system_destroy(system);
}

#define EXPECT_FOUND(how, text)                                                                    \
    EXPECT_CHILD_ABORTS(mistake_run, (&(struct mistake){.make = (how)}), text)

/* Takes a message from its turn as a send does, and forgets about it. */
static void message_lose(cede_self *self) {
    enum { HERE = __LINE__ + 1 };
    struct number *number = cede_new(self, number);
    fprintf(stderr, "lost: %s:%d\n", __FILE__, HERE);
    cede_result why = CEDE_OK;
    EXPECT(cedei_msg_disown(self, (void **)&number, "a test", CEDEI_HERE, &why) != NULL);
}

/* Out of a mailbox, as a queue does that forgets its last entry. */
static void mail_lose(cede_self *self) {
    number_send(self, cede_self_ref(self), 1);
    EXPECT(cedei_turn_gather(self) && self->pending_count == 1);
    self->pending = NULL;
    self->pending_count = 0;
}

static void sent_twice_count(cede_self *self) {
    cedei_sent_count(cede_self_system(self), self->worker, &cede_type_note);
}

static void handled_twice_count(cede_self *self) {
    cedei_tally_on(self->worker, &cede_type_note, CEDEI_TALLY_HANDLED);
}

/* One too many of the one and one too few of the other: the sums are right. */
static void types_swap(cede_self *self) {
    cedei_tally_on(self->worker, &cede_type_note, CEDEI_TALLY_ALLOCATED);
    cedei_tally_on(self->worker, &cede_type_number, CEDEI_TALLY_DROPPED);
}

static void audit_names_the_type_of_a_message_that_was_lost(void **state) {
    (void)state;
    EXPECT_FOUND(message_lose, "message 'number' do not add up: 1 allocated, but 0 dropped: 1 left");
}

/* What checking builds know beside. */
static void audit_names_the_place_and_the_owner_of_what_is_left(void **state) {
    (void)state;
    if (!CEDEI_CHECKS) skip();
    struct child_end end;
    child_run(&end, mistake_run, &(struct mistake){.make = message_lose});
    char place[128], line[512];
    const char *said = strstr(end.text, "lost: ");
    EXPECT(said != NULL && sscanf(said, "lost: %127s", place) == 1);
    snprintf(line, sizeof line,
             "left over: 'number', made at %s by actor 'cede_block_on'; at last it was of a turn of "
             "actor 'cede_block_on'",
             place);
    if (strstr(end.text, line) == NULL) fail_msg("it said:\n%s", end.text);
}

static void audit_names_the_mailbox_that_lost_a_message(void **state) {
    (void)state;
    EXPECT_FOUND(mail_lose, "message 'number' do not add up: 1 sent, but 0 handled");
    if (CEDEI_CHECKS)
        EXPECT_FOUND(mail_lose, "the mailbox of actor 'cede_block_on' (0) does not add up: 2 came, "
                                "but 1 were handled");
}

static void audit_tells_lost_on_the_way_from_handled_twice(void **state) {
    (void)state;
    EXPECT_FOUND(sent_twice_count, "message 'note' do not add up: 1 sent, but 0 handled or dead "
                                   "letters: 1 lost on the way");
    EXPECT_FOUND(handled_twice_count, "1 handled or dead letters: 1 more than were sent");
}

static void audit_sees_what_the_sums_hide(void **state) {
    (void)state;
    EXPECT_FOUND(types_swap, "message 'note' do not add up: 1 allocated, but 0 dropped");
    EXPECT_FOUND(types_swap, "message 'number' do not add up: 0 allocated, but 1 dropped: 1 "
                             "dropped twice");
}

static void all_is_well(cede_self *self) {
    number_send(self, cede_self_ref(self), 1); /* and nobody handles it */
}

static void audit_is_silent_when_nothing_is_wrong(void **state) {
    (void)state;
    struct child_end end;
    child_run(&end, mistake_run, &(struct mistake){.make = all_is_well});
    EXPECT(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 0);
    EXPECT(strstr(end.text, "conservation") == NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audit_names_the_type_of_a_message_that_was_lost),
        cmocka_unit_test(audit_names_the_place_and_the_owner_of_what_is_left),
        cmocka_unit_test(audit_names_the_mailbox_that_lost_a_message),
        cmocka_unit_test(audit_tells_lost_on_the_way_from_handled_twice),
        cmocka_unit_test(audit_sees_what_the_sums_hide),
        cmocka_unit_test(audit_is_silent_when_nothing_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
