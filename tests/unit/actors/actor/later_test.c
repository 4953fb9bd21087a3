/* cede_send_after and its timers: every message arrives once and never early, or comes back, or becomes a dead letter. */
#include "tests/support/actors.h"

#include <cede/timer.h>

static struct number *number_make(cede_self *self, uint64_t value) {
    struct number *message = cede_new(self, number);
    EXPECT(message != NULL);
    message->value = value;
    return message;
}

static cede_timer number_later(cede_self *self, cede_ref to, uint64_t value, uint64_t delay_ns) {
    struct number *message = number_make(self, value);
    cede_timer timer = {0};
    EXPECT_OK(cede_send_after(self, to, &message, delay_ns, &timer));
    EXPECT(message == NULL);
    return timer;
}

static struct cede_metrics metrics_now(cede_self *self) {
    struct cede_metrics metrics;
    cede_system_metrics(cede_self_system(self), &metrics);
    return metrics;
}

TURN_TEST(message_sent_later_arrives_and_not_early) {
    (void)context;
    static const uint64_t DELAYS[] = {0, 1, 1000, 262144, 1000000, 5000000};
    for (size_t i = 0; i < sizeof DELAYS / sizeof *DELAYS; i++) {
        uint64_t before_ns = cede_now(self);
        number_later(self, cede_self_ref(self), i, DELAYS[i]);
        EXPECT_EQUAL(number_await(self), i);
        EXPECT(cede_now(self) >= before_ns + DELAYS[i]);
    }
    return CEDE_OK;
}

TURN_TEST(timer_that_is_not_wanted_may_be_null) {
    (void)context;
    struct number *message = number_make(self, 7);
    EXPECT_OK(cede_send_after(self, cede_self_ref(self), &message, 0, NULL));
    EXPECT_EQUAL(number_await(self), 7);
    return CEDE_OK;
}

TURN_TEST(timer_cancelled_drops_its_message_once) {
    (void)context;
    uint64_t dropped = metrics_now(self).messages_dropped;
    cede_timer timer = number_later(self, cede_self_ref(self), 1, CEDE_SECONDS(3600));
    EXPECT_OK(cede_timer_cancel(self, timer));
    EXPECT_EQUAL(metrics_now(self).messages_dropped, dropped + 1);
    EXPECT_EQUAL(cede_timer_cancel(self, timer), CEDE_ENOENT);
    struct cede_metrics metrics = metrics_now(self);
    EXPECT_EQUAL(metrics.timers_set, 1);
    EXPECT_EQUAL(metrics.timers_cancelled, 1);
    EXPECT_EQUAL(metrics.timers_fired, 0);
    return CEDE_OK;
}

TURN_TEST(timer_taken_gives_its_message_back) {
    (void)context;
    cede_timer timer = number_later(self, cede_self_ref(self), 5, CEDE_SECONDS(3600));
    struct answer *other = NULL;
    EXPECT_EQUAL(cede_timer_take(self, timer, answer, &other), CEDE_ETYPE);
    EXPECT(other == NULL);
    struct number *message = NULL;
    EXPECT_OK(cede_timer_take(self, timer, number, &message));
    EXPECT_EQUAL(message->value, 5);
    EXPECT_OK(cede_send(self, cede_self_ref(self), &message)); /* it is ours like any other */
    EXPECT_EQUAL(number_await(self), 5);
    EXPECT_EQUAL(cede_timer_take(self, timer, number, &message), CEDE_ENOENT);
    return CEDE_OK;
}

TURN_TEST(timer_that_fired_is_not_found_also_when_its_place_is_used_again) {
    (void)context;
    cede_timer fired = number_later(self, cede_self_ref(self), 1, 0);
    EXPECT_EQUAL(number_await(self), 1);
    EXPECT_EQUAL(cede_timer_cancel(self, fired), CEDE_ENOENT);
    cede_timer next = number_later(self, cede_self_ref(self), 2, CEDE_SECONDS(3600));
    EXPECT_EQUAL(cede_timer_cancel(self, fired), CEDE_ENOENT);
    EXPECT_OK(cede_timer_cancel(self, next));
    cede_timer none = {0}, wild = next;
    wild.place = UINT32_MAX;
    EXPECT_EQUAL(cede_timer_cancel(self, none), CEDE_ENOENT);
    EXPECT_EQUAL(cede_timer_cancel(self, wild), CEDE_ENOENT);
    return CEDE_OK;
}

/* ---- who has ended ---- */

struct will {
    cede_ref heir;
};

static cede_result will_make(cede_self *self, void *context) {
    struct will *will = context;
    number_later(self, will->heir, 11, CEDE_MILLIS(1));
    return CEDE_STOP;
}

TURN_TEST(message_arrives_although_its_sender_has_ended) {
    (void)context;
    struct will will = {cede_self_ref(self)};
    (void)play(self, will_make, &will);
    EXPECT_EQUAL(number_await(self), 11);
    return CEDE_OK;
}

static cede_result nothing_do(cede_self *self, void *context) {
    (void)self, (void)context;
    return CEDE_OK;
}

TURN_TEST(message_for_an_actor_that_ends_before_is_a_dead_letter) {
    (void)context;
    cede_ref to = play(self, nothing_do, NULL);
    while (metrics_now(self).turns < 2)
        cede_yield(self); /* else its first message is a dead letter, too */
    EXPECT_OK(cede_monitor(self, to));
    number_later(self, to, 1, CEDE_MILLIS(2));
    cede_timer timer = number_later(self, to, 2, CEDE_SECONDS(3600));
    EXPECT_OK(cede_kill(self, to));
    EXPECT_EQUAL(down_await(self, to), CEDE_EKILLED);
    while (metrics_now(self).messages_dead_lettered == 0) EXPECT_OK(cede_sleep(self, 100000));
    EXPECT_EQUAL(metrics_now(self).timers_fired, 1);
    EXPECT_OK(cede_timer_cancel(self, timer)); /* the other one can still be had back */
    struct number *message = number_make(self, 3);
    EXPECT_EQUAL(cede_send_after(self, to, &message, 0, NULL), CEDE_ENOACTOR);
    EXPECT(message != NULL); /* still ours */
    EXPECT_EQUAL(cede_send_after(self, (cede_ref){0}, &message, 0, NULL), CEDE_ENOACTOR);
    cede_ref stranger = {.node = 12345, .slot = 1, .generation = 1};
    EXPECT_EQUAL(cede_send_after(self, stranger, &message, 0, NULL), CEDE_ENODE);
    cede_drop(self, &message);
    EXPECT_EQUAL(cede_send_after(self, cede_self_ref(self), &message, 0, NULL), CEDE_EINVAL);
    return CEDE_OK;
}

/* ---- mailboxes and the end ---- */

static cede_result flag_wait(cede_self *self, void *context) {
    flag_await(self, context, 1);
    return CEDE_OK;
}

static cede_result flag_raise(cede_self *self, void *context) {
    (void)self;
    flag_set(context, 1);
    return CEDE_OK;
}

/* Nobody can be told that there is no room. */
TURN_TEST(message_sent_later_passes_a_full_mailbox) {
    (void)context;
    _Atomic uint32_t go = 0, done = 0, unused = 0;
    cede_ref to = play_as(self, &player_of_one, flag_wait, &go);
    while (metrics_now(self).turns < 2) cede_yield(self); /* it is in its turn */
    play_also(self, to, flag_raise, &unused);
    struct play *late = cede_new(self, play);
    EXPECT(late != NULL);
    late->run = flag_raise;
    late->context = (void *)&done;
    EXPECT_EQUAL(cede_send(self, to, &late), CEDE_EFULL);
    EXPECT_OK(cede_send_after(self, to, &late, 0, NULL));
    while (metrics_now(self).timers_fired == 0) EXPECT_OK(cede_sleep(self, 100000));
    flag_set(&go, 1);
    flag_await(self, &done, 1);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result leave_behind(cede_self *self, void *context) {
    (void)context;
    for (uint64_t i = 0; i < 1000; i++)
        number_later(self, cede_self_ref(self), i, i % 2 ? CEDE_FOREVER : CEDE_SECONDS(10 + i));
    return CEDE_OK;
}

static void messages_in_timers_are_dead_letters_at_the_end(void **state) {
    struct fixture *fixture = *state;
    fixture_run(fixture, leave_behind, NULL);
    fixture_stop(fixture); /* allocated = dropped; sent = handled + dead lettered */
    EXPECT_EQUAL(fixture->last.timers_set, 1000);
    EXPECT_EQUAL(fixture->last.timers_cancelled, 1000);
    EXPECT_EQUAL(fixture->last.messages_dead_lettered, 1000);
    *state = fixture_begin((struct cede_options){0});
    fixture_free(fixture);
}

/* ---- requests ---- */

/* Lets the request wait, then answers it. */
static cede_result on_question_later(cede_self *self, struct player *state,
                                     struct question *request) {
    (void)state;
    if (request->value == 0) {
        request->value = 1;
        return cede_send_after(self, cede_self_ref(self), &request, CEDE_MILLIS(1), NULL);
    }
    answer_give(self, request, 42);
    return CEDE_OK;
}
#define TEST_DELAYER(ON) ON(question, on_question_later)
CEDE_BEHAVIOUR(delayer, struct player, TEST_DELAYER);

TURN_TEST(request_sent_later_keeps_the_duty_to_reply) {
    (void)context;
    cede_ref to = {0};
    EXPECT_OK(cede_spawn(self, &delayer, CEDE_NOTHING, &to));
    uint64_t value = 0;
    EXPECT_OK(question_ask(self, to, 0, &value));
    EXPECT_EQUAL(value, 42);
    return CEDE_OK;
}

/* Puts the request away for ever, and cancels that. */
static cede_result on_question_never(cede_self *self, struct player *state,
                                     struct question *request) {
    (void)state;
    cede_timer timer = {0};
    EXPECT_OK(cede_send_after(self, cede_self_ref(self), &request, CEDE_FOREVER, &timer));
    return cede_timer_cancel(self, timer);
}
#define TEST_FORGETTER(ON) ON(question, on_question_never)
CEDE_BEHAVIOUR(forgetter, struct player, TEST_FORGETTER);

TURN_TEST(request_cancelled_tells_its_asker) {
    (void)context;
    cede_ref to = {0};
    EXPECT_OK(cede_spawn(self, &forgetter, CEDE_NOTHING, &to));
    EXPECT_EQUAL(question_ask(self, to, 0, NULL), CEDE_ENOREPLY);
    return CEDE_OK;
}

/* ---- races ---- */

struct race {
    cede_ref receiver;
    _Atomic uint32_t handled, taken, gone;
    uint32_t count;
    cede_timer timers[4096];
    _Atomic uint32_t ready; /* how many of `timers` are set */
};

static cede_result on_race_number(cede_self *self, struct race **state, struct number *message) {
    (void)self, (void)message;
    /* relaxed: looked at when all is over. */
    atomic_fetch_add_explicit(&(*state)->handled, 1, memory_order_relaxed);
    return CEDE_OK;
}

static cede_result on_race_play(cede_self *self, struct race **state, struct play *first) {
    (void)self;
    *state = first->context;
    return CEDE_OK;
}
#define TEST_RACER(ON)                                                                             \
    ON(play, on_race_play)                                                                         \
    ON(number, on_race_number)
CEDE_BEHAVIOUR(racer, struct race *, TEST_RACER, .mailbox_max = CEDE_MAILBOX_UNBOUNDED);

/* Takes back what it can, from another actor than the one that sets. */
static CEDE_YIELDS cede_result race_take(cede_self *self, void *context) {
    struct race *race = context;
    for (uint32_t i = 0; i < race->count; i++) {
        /* acquire: pairs with the release in the setter. */
        while (atomic_load_explicit(&race->ready, memory_order_acquire) <= i) cede_yield(self);
        struct number *message = NULL;
        cede_result r = cede_timer_take(self, race->timers[i], number, &message);
        EXPECT(r == CEDE_OK || r == CEDE_ENOENT);
        /* relaxed (both): looked at when all is over. */
        if (r == CEDE_OK)
            atomic_fetch_add_explicit(&race->taken, 1, memory_order_relaxed);
        else
            atomic_fetch_add_explicit(&race->gone, 1, memory_order_relaxed);
        cede_drop(self, &message);
    }
    return CEDE_STOP;
}

/* Timers fire while another actor takes them back: each message goes one way or the other, none both, none neither. */
TURN_TEST(timers_taken_while_they_fire_go_one_way_each) {
    (void)context;
    struct race *race = calloc(1, sizeof *race);
    EXPECT(race != NULL);
    race->count = 4096;
    race->receiver = play_as(self, &racer, NULL, race);
    cede_ref taker = play(self, race_take, race);
    EXPECT_OK(cede_monitor(self, taker));
    for (uint32_t i = 0; i < race->count; i++) {
        race->timers[i] = number_later(self, race->receiver, i, (uint64_t)(i % 40) * 20000);
        /* release: pairs with the acquire in the taker. */
        atomic_store_explicit(&race->ready, i + 1, memory_order_release);
        if (i % 32 == 31) cede_yield(self);
    }
    EXPECT_EQUAL(down_await(self, taker), CEDE_OK);
    EXPECT_EQUAL(race->taken + race->gone, race->count);
    while (race->handled < race->gone) EXPECT_OK(cede_sleep(self, 100000));
    EXPECT_EQUAL(race->handled, race->gone);
    struct cede_metrics metrics = metrics_now(self);
    EXPECT_EQUAL(metrics.timers_set, race->count);
    EXPECT_EQUAL(metrics.timers_fired + metrics.timers_cancelled, race->count);
    EXPECT_OK(cede_kill(self, race->receiver));
    free(race);
    return CEDE_OK;
}

/* ---- many ---- */

struct many {
    uint64_t fired, early;
};
static struct many many; /* one actor counts at a time */
static _Atomic uint32_t many_done;
enum { MANY = CEDEI_TSAN || CEDEI_ASAN ? 100000 : 1000000 };

static cede_result on_many_number(cede_self *self, struct player *state, struct number *message) {
    (void)state;
    if (cede_now(self) < message->value) many.early++;
    if (++many.fired == MANY) flag_set(&many_done, 1);
    return CEDE_OK;
}
#define TEST_MANY(ON) ON(number, on_many_number)
CEDE_BEHAVIOUR(counter, struct player, TEST_MANY, .mailbox_max = CEDE_MAILBOX_UNBOUNDED);

/* All live at once: the first is due long after the last is set. */
TURN_TEST(timers_by_the_million_all_fire_and_none_early) {
    (void)context;
    many = (struct many){0};
    many_done = 0;
    cede_ref to = {0};
    EXPECT_OK(cede_spawn(self, &counter, CEDE_NOTHING, &to));
    uint64_t first_ns = cede_now(self) + CEDE_SECONDS(CEDEI_TSAN || CEDEI_ASAN ? 5 : 2);
    for (uint64_t i = 0; i < MANY; i++) {
        uint64_t now_ns = cede_now(self);
        uint64_t wanted_ns = (first_ns > now_ns ? first_ns : now_ns) + i * 7919 % CEDE_MILLIS(300);
        (void)number_later(self, to, wanted_ns, wanted_ns - now_ns);
        if (i % 128 == 127) cede_yield(self);
    }
    while (flag_get(&many_done) == 0) EXPECT_OK(cede_sleep(self, CEDE_MILLIS(20)));
    EXPECT_EQUAL(many.early, 0);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(message_sent_later_arrives_and_not_early),
        WITH_SYSTEM(timer_that_is_not_wanted_may_be_null),
        WITH_SYSTEM(timer_cancelled_drops_its_message_once),
        WITH_SYSTEM(timer_taken_gives_its_message_back),
        WITH_SYSTEM(timer_that_fired_is_not_found_also_when_its_place_is_used_again),
        WITH_SYSTEM(message_arrives_although_its_sender_has_ended),
        WITH_SYSTEM(message_for_an_actor_that_ends_before_is_a_dead_letter),
        WITH_SYSTEM(message_sent_later_passes_a_full_mailbox),
        WITH_SYSTEM(messages_in_timers_are_dead_letters_at_the_end),
        WITH_SYSTEM(request_sent_later_keeps_the_duty_to_reply),
        WITH_SYSTEM(request_cancelled_tells_its_asker),
        WITH_SYSTEM(timers_taken_while_they_fire_go_one_way_each),
        WITH_SYSTEM(timers_by_the_million_all_fire_and_none_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
