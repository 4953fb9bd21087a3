/* Freezing: one message for many readers, dropped once, whoever is the last and however it ends. */
#include <cede/mutex.h>
#include <cede/shared.h>

#include "tests/support/actors.h"

/* What is frozen: counts its drops. */
struct thing {
    uint64_t value;
    _Atomic uint32_t *drops;
    CEDE_MESSAGE_MARK;
};
static void thing_drop(struct thing *thing) {
    /* acq_rel: for the test. */
    if (thing->drops != NULL) atomic_fetch_add_explicit(thing->drops, 1, memory_order_acq_rel);
}
CEDE_OPAQUE_MESSAGE(thing, thing_drop);

/* A message with a reference. */
struct letter {
    const struct thing *thing;
    CEDE_MESSAGE_MARK;
};
static void letter_drop(struct letter *letter) { cede_shared_unref(&letter->thing); }
CEDE_OPAQUE_MESSAGE(letter, letter_drop);

static const struct thing *thing_make(cede_self *self, _Atomic uint32_t *drops) {
    struct thing *thing = cede_new(self, thing);
    EXPECT(thing != NULL);
    thing->value = 7;
    thing->drops = drops;
    const struct thing *shared = NULL;
    EXPECT_OK(cede_freeze(self, &thing, &shared));
    EXPECT(thing == NULL && shared->value == 7);
    return shared;
}

TURN_TEST(freeze_makes_what_is_dropped_with_its_last_reference) {
    (void)context;
    _Atomic uint32_t drops = 0;
    const struct thing *shared = thing_make(self, &drops);
    const struct thing *second = cede_shared_ref(shared);
    EXPECT(second == shared);
    cede_shared_unref(&shared);
    EXPECT(shared == NULL && drops == 0 && second->value == 7);
    cede_shared_unref(&second);
    EXPECT_EQUAL(drops, 1);
    cede_shared_unref(&second); /* NULL: nothing */
    EXPECT(cede_shared_ref((const struct thing *)NULL) == NULL);
    return CEDE_OK;
}

TURN_TEST(freeze_takes_a_kept_message_too) {
    (void)context;
    struct note *note = cede_new(self, note);
    EXPECT_OK(cede_str_set(&note->text, "a text of its own"));
    struct note *kept = cede_keep(self, &note);
    const struct note *shared = NULL;
    EXPECT_OK(cede_freeze(self, &kept, &shared));
    EXPECT(strcmp(cede_str_text(&shared->text), "a text of its own") == 0);
    cede_shared_unref(&shared);
    return CEDE_OK;
}

/* ---- readers ---- */

enum { READERS = 8, LETTERS = 200 };
static _Atomic uint32_t drops_of_all;

static cede_result read_letters(cede_self *self, void *context) {
    (void)context;
    for (int i = 0; i < LETTERS; i++) {
        struct letter *letter = NULL;
        EXPECT_OK(cede_recv(self, letter, &letter, CEDE_FOREVER));
        const struct thing *mine = cede_shared_ref(letter->thing);
        EXPECT_EQUAL(mine->value, 7);
        cede_drop(self, &letter);
        EXPECT_EQUAL(mine->value, 7);
        cede_shared_unref(&mine);
    }
    return CEDE_STOP;
}

static void letter_send(cede_self *self, cede_ref to, const struct thing *shared) {
    struct letter *letter = cede_new(self, letter);
    EXPECT(letter != NULL);
    letter->thing = cede_shared_ref(shared);
    EXPECT_OK(cede_send(self, to, &letter));
}

TURN_TEST(shared_messages_are_read_by_several_actors_and_dropped_once) {
    (void)context;
    cede_ref readers[READERS];
    /* relaxed: nobody else is there. */
    atomic_store_explicit(&drops_of_all, 0, memory_order_relaxed);
    for (int i = 0; i < READERS; i++) {
        readers[i] = play(self, read_letters, NULL);
        EXPECT_OK(cede_monitor(self, readers[i]));
    }
    for (int i = 0; i < LETTERS; i++) {
        const struct thing *shared = thing_make(self, &drops_of_all);
        for (int k = 0; k < READERS; k++) letter_send(self, readers[k], shared);
        cede_shared_unref(&shared);
    }
    for (int i = 0; i < READERS; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
    EXPECT_EQUAL(drops_of_all, LETTERS);
    return CEDE_OK;
}

/* ---- those that end with references ---- */

static cede_result hold_a_letter_for_ever(cede_self *self, void *context) {
    (void)context;
    struct letter *letter = NULL;
    struct number *never = NULL;
    EXPECT_OK(cede_recv(self, letter, &letter, CEDE_FOREVER));
    (void)cede_recv(self, number, &never, CEDE_FOREVER);
    return CEDE_STOP;
}

TURN_TEST(shared_message_of_a_killed_actor_loses_its_reference) {
    (void)context;
    _Atomic uint32_t drops = 0;
    const struct thing *shared = thing_make(self, &drops);
    cede_ref holder = play(self, hold_a_letter_for_ever, NULL);
    EXPECT_OK(cede_monitor(self, holder));
    letter_send(self, holder, shared);
    letter_send(self, holder, shared); /* stays in its mailbox */
    parked_await(self, holder);
    cede_shared_unref(&shared);
    EXPECT_EQUAL(drops, 0);
    EXPECT_OK(cede_kill(self, holder));
    EXPECT_RESULT(down_await(self, holder), CEDE_EKILLED);
    while (drops == 0) cede_yield(self); /* what is left in a mailbox is dropped after the news */
    EXPECT_EQUAL(drops, 1);
    return CEDE_OK;
}

/* ---- a type of one's own that guards itself ---- */

struct CEDE_SYNC tally {
    cede_mutex lock;
    uint64_t count; /* under `lock` */
    CEDE_MESSAGE_MARK;
};
static void tally_drop(struct tally *tally) { cede_mutex_fini(&tally->lock); }
CEDE_OPAQUE_MESSAGE(tally, tally_drop);
static struct tally *tally;

static cede_result count_often(cede_self *self, void *context) {
    (void)context;
    for (int i = 0; i < 1000; i++) {
        cede_mutex_lock(&tally->lock);
        tally->count++;
        cede_mutex_unlock(&tally->lock);
        if (i % 100 == 0) cede_yield(self);
    }
    return CEDE_STOP;
}

TURN_TEST(share_makes_a_type_that_guards_itself_usable_by_several) {
    (void)context;
    struct tally *made = cede_new(self, tally);
    struct number *plain = cede_new(self, number), *shared = NULL;
    EXPECT_OK(cede_mutex_init(&made->lock));
    EXPECT_OK(cede_share(self, &made, &tally));
    EXPECT(made == NULL);
    for (int i = 0; i < 4; i++) EXPECT_OK(cede_monitor(self, play(self, count_often, NULL)));
    for (int i = 0; i < 4; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
    EXPECT_EQUAL(tally->count, 4000);
    cede_shared_unref(&tally);
    EXPECT_RESULT(cede_share(self, &plain, &shared), CEDE_EINVAL); /* nothing guards it */
    EXPECT(plain != NULL);
    cede_drop(self, &plain);
    return CEDE_OK;
}

/* ---- what is refused ---- */

static cede_result freeze_the_request(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL;
    const struct question *shared = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    EXPECT_RESULT(cede_freeze(self, &request, &shared), CEDE_EINVAL);
    EXPECT(request != NULL && shared == NULL);
    answer_give(self, request, 1);
    EXPECT_OK(cede_freeze(self, &request, &shared)); /* it is a message like any other now */
    cede_shared_unref(&shared);
    return CEDE_STOP;
}

TURN_TEST(freeze_refuses_a_request_until_it_is_answered) {
    (void)context;
    cede_ref asked = play(self, freeze_the_request, NULL);
    uint64_t value = 0;
    EXPECT_OK(question_ask(self, asked, 5, &value));
    EXPECT_EQUAL(value, 1);
    return CEDE_OK;
}

TURN_TEST(freeze_refuses_nothing_and_no_turn) {
    (void)context;
    struct thing *none = NULL;
    const struct thing *shared = NULL;
    EXPECT_RESULT(cede_freeze(self, &none, &shared), CEDE_EINVAL);
    struct thing *thing = cede_new(self, thing);
    EXPECT_RESULT(cede_freeze((cede_self *)NULL, &thing, &shared), CEDE_ECONTEXT);
    EXPECT_RESULT(cedei_freeze(self, (void **)&thing, NULL, ""), CEDE_EINVAL);
    EXPECT(thing != NULL);
    cede_drop(self, &thing);
    return CEDE_OK;
}

static cede_result send_what_is_frozen(cede_self *self, void *context) {
    (void)context;
    struct number *number = cede_new(self, number);
    const struct number *shared = NULL;
    EXPECT_OK(cede_freeze(self, &number, &shared));
    struct number *alias = (struct number *)(uintptr_t)shared;
    EXPECT_RESULT(cede_send(self, cede_self_ref(self), &alias), CEDE_EOWNER);
    cede_shared_unref(&shared);
    return CEDE_OK;
}

static void run_in_system(void *context) {
    cede_system *system = NULL;
    EXPECT_OK(cede_system_create(&system, &(struct cede_options){.workers = 1}));
    EXPECT_OK(cede_block_on(system, *(cede_block_fn **)context, NULL));
    cede_system_destroy(system);
}

static void shared_message_cannot_be_sent_itself(void **state) {
    (void)state;
    cede_block_fn *run = send_what_is_frozen;
#if CEDEI_TSAN
    skip(); /* ThreadSanitizer dislikes forks of processes with threads */
#endif
    if (CEDEI_CHECKS)
        EXPECT_CHILD_ABORTS(run_in_system, &run, "it is frozen");
    else
        run_in_system(&run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(freeze_makes_what_is_dropped_with_its_last_reference),
        WITH_SYSTEM(freeze_takes_a_kept_message_too),
        WITH_SYSTEM(shared_messages_are_read_by_several_actors_and_dropped_once),
        WITH_SYSTEM(shared_message_of_a_killed_actor_loses_its_reference),
        WITH_SYSTEM(share_makes_a_type_that_guards_itself_usable_by_several),
        WITH_SYSTEM(freeze_refuses_a_request_until_it_is_answered),
        WITH_SYSTEM(freeze_refuses_nothing_and_no_turn),
        cmocka_unit_test(shared_message_cannot_be_sent_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
