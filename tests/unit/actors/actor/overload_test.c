/* Full mailboxes: the bounds, what each policy does with a message that finds no room, who waits and in which order he is served, and
 * control messages, which go ahead. */
#include "tests/support/actors.h"

#define TEST_POKE(F) F(u64, value)
CEDE_CONTROL_MESSAGE(poke, TEST_POKE);

/* ---- a receiver that writes down what it handles ---- */

enum { SEEN_MAX = 4096, FROM_POKE = 1000000, FROM_NOTE = 2000000, FROM_DOWN = 3000000 };

struct record {
    uint64_t values[SEEN_MAX];
    _Atomic uint32_t count;
    _Atomic uint32_t flag; /* of its first turn: 2 while it is busy, 1 lets it go on */
};

struct sink {
    struct record *record;
};

static void record_add(struct sink *state, uint64_t value) {
    uint32_t count = flag_get(&state->record->count);
    if (count < SEEN_MAX) state->record->values[count] = value;
    flag_set(&state->record->count, count + 1);
}

/* The first turn: busy until it is told to go on. */
#define TEST_HOLD(F) F(u64, record)
CEDE_MESSAGE(hold, TEST_HOLD);

static cede_result on_hold(cede_self *self, struct sink *state, struct hold *m) {
    state->record = (struct record *)(uintptr_t)m->record;
    flag_set(&state->record->flag, 2);
    flag_await(self, &state->record->flag, 1);
    return CEDE_OK;
}

static cede_result on_number(cede_self *self, struct sink *state, struct number *m) {
    (void)self;
    record_add(state, m->value);
    return CEDE_OK;
}

static cede_result on_note(cede_self *self, struct sink *state, struct note *m) {
    (void)self;
    record_add(state, FROM_NOTE + m->value);
    return CEDE_OK;
}

static cede_result on_poke(cede_self *self, struct sink *state, struct poke *m) {
    record_add(state, FROM_POKE + m->value);
    struct answer *reply = cede_new(self, answer);
    if (cede_reply(self, m, &reply) != CEDE_OK) cede_drop(self, &reply); /* it was not asked */
    return CEDE_OK;
}

static cede_result on_question(cede_self *self, struct sink *state, struct question *m) {
    record_add(state, m->value);
    answer_give(self, m, m->value);
    return CEDE_OK;
}

/* Watches what it is sent. */
static cede_result on_go(cede_self *self, struct sink *state, struct go *m) {
    (void)state;
    return cede_monitor(self, m->to);
}

static cede_result on_down(cede_self *self, struct sink *state, struct cede_down *m) {
    (void)self, (void)m;
    record_add(state, FROM_DOWN);
    return CEDE_OK;
}

#define SINK(ON)                                                                                   \
    ON(hold, on_hold)                                                                              \
    ON(number, on_number)                                                                          \
    ON(note, on_note)                                                                              \
    ON(poke, on_poke)                                                                              \
    ON(question, on_question)                                                                      \
    ON(go, on_go)                                                                                  \
    ON(cede_down, on_down)
CEDE_BEHAVIOUR(refuser, struct sink, SINK, .mailbox_max = 4);
CEDE_BEHAVIOUR(weigher, struct sink, SINK, .mailbox_bytes_max = 4096);
CEDE_BEHAVIOUR(usual, struct sink, SINK);
CEDE_BEHAVIOUR(newest_dropper, struct sink, SINK, .mailbox_max = 4,
               .when_full = CEDE_FULL_DROP_NEWEST);
CEDE_BEHAVIOUR(oldest_dropper, struct sink, SINK, .mailbox_max = 4,
               .when_full = CEDE_FULL_DROP_OLDEST);
CEDE_BEHAVIOUR(oldest_weigher, struct sink, SINK, .mailbox_bytes_max = 4096,
               .when_full = CEDE_FULL_DROP_OLDEST);
CEDE_BEHAVIOUR(latest_keeper, struct sink, SINK, .when_full = CEDE_FULL_KEEP_LATEST);
CEDE_BEHAVIOUR(suspender, struct sink, SINK, .mailbox_max = 4, .when_full = CEDE_FULL_SUSPEND);

/* A sink of `behaviour` in its first turn, which ends when `record->flag` is set to 1. */
static CEDE_YIELDS cede_ref sink_begin(cede_self *self, const cede_behaviour *behaviour,
                                       struct record *record) {
    *record = (struct record){.count = 0};
    struct hold *first = cede_new(self, hold);
    first->record = (uint64_t)(uintptr_t)record;
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn(self, behaviour, &first, &ref));
    flag_await(self, &record->flag, 2);
    return ref;
}

static CEDE_YIELDS void sink_end(cede_self *self, struct record *record, uint32_t count) {
    flag_set(&record->flag, 1);
    while (flag_get(&record->count) < count) cede_yield(self);
    for (int i = 0; i < 20; i++) cede_yield(self); /* for what must not come */
    EXPECT_EQUAL(flag_get(&record->count), count);
}

static cede_result number_try(cede_self *self, cede_ref to, uint64_t value) {
    struct number *m = cede_new(self, number);
    m->value = value;
    cede_result r = cede_send(self, to, &m);
    EXPECT((m == NULL) == (r == CEDE_OK));
    cede_drop(self, &m);
    return r;
}

static cede_result note_try(cede_self *self, cede_ref to, size_t bytes) {
    struct note *m = cede_new(self, note);
    m->value = bytes;
    char *text = calloc(1, bytes + 1);
    memset(text, 'x', bytes);
    EXPECT_OK(cede_str_set(&m->text, text));
    free(text);
    cede_result r = cede_send(self, to, &m);
    EXPECT((m == NULL) == (r == CEDE_OK));
    cede_drop(self, &m);
    return r;
}

static struct cede_metrics metrics_of(cede_self *self) {
    struct cede_metrics metrics;
    cede_system_metrics(cede_self_system(self), &metrics);
    return metrics;
}

/* ---- refuse ---- */

TURN_TEST(refuse_takes_as_many_as_the_bound_and_counts_the_others) {
    (void)context;
    static struct record record;
    cede_ref sink = sink_begin(self, &refuser, &record);
    uint64_t before = metrics_of(self).messages_refused;
    for (uint64_t i = 0; i < 6; i++)
        EXPECT_RESULT(number_try(self, sink, i), i < 4 ? CEDE_OK : CEDE_EFULL);
    EXPECT_EQUAL(metrics_of(self).messages_refused, before + 2);
    sink_end(self, &record, 4);
    for (uint64_t i = 0; i < 4; i++) EXPECT_EQUAL(record.values[i], i);
    return CEDE_OK;
}

/* ---- bytes ---- */

TURN_TEST(bytes_are_counted_with_what_messages_own) {
    (void)context;
    static struct record record;
    cede_ref sink = sink_begin(self, &weigher, &record);
    EXPECT_OK(note_try(self, sink, 3000));
    EXPECT_RESULT(note_try(self, sink, 2000), CEDE_EFULL);
    EXPECT_OK(note_try(self, sink, 400));
    EXPECT_OK(number_try(self, sink, 1)); /* small ones count too where the bound is one's own */
    uint32_t more = 0;
    while (number_try(self, sink, 2) == CEDE_OK) more++;
    EXPECT(more > 0 && more < 10);
    sink_end(self, &record, 3 + more);
    EXPECT_OK(note_try(self, sink, 3000)); /* all of it has been given back */
    while (flag_get(&record.count) < 4 + more) cede_yield(self);
    return CEDE_OK;
}

TURN_TEST(bytes_of_one_message_may_be_more_than_the_bound) {
    (void)context;
    static struct record record;
    cede_ref sink = sink_begin(self, &weigher, &record);
    EXPECT_OK(note_try(self, sink, 100000));
    EXPECT_RESULT(note_try(self, sink, 1), CEDE_EFULL);
    sink_end(self, &record, 1);
    return CEDE_OK;
}

TURN_TEST(bytes_are_bounded_by_default_and_only_where_they_may_be_many) {
    (void)context;
    static struct record record;
    cede_ref sink = sink_begin(self, &usual, &record);
    struct cede_self *slot = cedei_table_find(cede_self_system(self), sink);
    EXPECT_OK(number_try(self, sink, 1));
    EXPECT(cedei_room_find(slot) == NULL);
    EXPECT_OK(note_try(self, sink, 8100));
    struct cedei_room *room = cedei_room_find(slot);
    EXPECT(room != NULL && room->weight >= 129 && room->weight <= 131);
    uint64_t weight_max = cedei_weight_max_of(slot);
    EXPECT_EQUAL(weight_max, CEDE_MAILBOX_BYTES_DEFAULT / 64);
    /* As if 64 MiB were there. */
    atomic_fetch_add_explicit(&room->weight, weight_max, memory_order_relaxed);
    EXPECT_RESULT(note_try(self, sink, 8100), CEDE_EFULL);
    atomic_fetch_sub_explicit(&room->weight, weight_max, memory_order_relaxed);
    sink_end(self, &record, 2);
    EXPECT_EQUAL(room->weight, 0);
    return CEDE_OK;
}

/* ---- drop newest, drop oldest, keep latest ---- */

TURN_TEST(drop_newest_keeps_the_first_and_tells_nobody) {
    (void)context;
    static struct record record;
    cede_ref sink = sink_begin(self, &newest_dropper, &record);
    uint64_t before = metrics_of(self).messages_dead_lettered;
    for (uint64_t i = 0; i < 10; i++) EXPECT_OK(number_try(self, sink, i));
    EXPECT_EQUAL(metrics_of(self).messages_dead_lettered, before + 6);
    EXPECT_RESULT(question_ask(self, sink, 1, NULL), CEDE_EFULL); /* the asker is told */
    sink_end(self, &record, 4);
    for (uint64_t i = 0; i < 4; i++) EXPECT_EQUAL(record.values[i], i);
    return CEDE_OK;
}

TURN_TEST(drop_oldest_keeps_the_last_in_order) {
    (void)context;
    static struct record record;
    cede_ref sink = sink_begin(self, &oldest_dropper, &record);
    uint64_t before = metrics_of(self).messages_dead_lettered;
    for (uint64_t i = 0; i < 10; i++) EXPECT_OK(number_try(self, sink, i));
    EXPECT_EQUAL(metrics_of(self).messages_dead_lettered, before + 6);
    sink_end(self, &record, 4);
    for (uint64_t i = 0; i < 4; i++) EXPECT_EQUAL(record.values[i], 6 + i);
    /* And when nothing is full, it is a mailbox like others. */
    EXPECT_OK(question_ask(self, sink, 77, NULL));
    EXPECT_EQUAL(record.values[4], 77);
    return CEDE_OK;
}

static cede_result question_once(cede_self *self, void *context) {
    struct ask_case {
        cede_ref to;
        cede_result result;
        _Atomic uint32_t done;
    } *ask = context;
    ask->result = question_ask(self, ask->to, 5, NULL);
    flag_set(&ask->done, 1);
    return CEDE_STOP;
}

TURN_TEST(drop_oldest_answers_a_request_that_is_given_up) {
    (void)context;
    static struct record record;
    static struct {
        cede_ref to;
        cede_result result;
        _Atomic uint32_t done;
    } ask;
    ask.to = sink_begin(self, &oldest_dropper, &record);
    ask.result = CEDE_OK;
    flag_set(&ask.done, 0);
    cede_ref asker = play(self, question_once, &ask);
    parked_await(self, asker);
    for (uint64_t i = 0; i < 4; i++) EXPECT_OK(number_try(self, ask.to, i));
    flag_await(self, &ask.done, 1);
    EXPECT_RESULT(ask.result, CEDE_EFULL);
    sink_end(self, &record, 4);
    return CEDE_OK;
}

TURN_TEST(drop_oldest_by_bytes_makes_room_for_what_comes) {
    (void)context;
    static struct record record;
    cede_ref sink = sink_begin(self, &oldest_weigher, &record);
    EXPECT_OK(note_try(self, sink, 1500));
    EXPECT_OK(note_try(self, sink, 1600));
    EXPECT_OK(note_try(self, sink, 1510)); /* the first has to go */
    EXPECT_OK(number_try(self, sink, 1));
    sink_end(self, &record, 3);
    EXPECT_EQUAL(record.values[0], FROM_NOTE + 1600);
    EXPECT_EQUAL(record.values[1], FROM_NOTE + 1510);
    EXPECT_OK(note_try(self, sink, 9999)); /* more than the bound, alone */
    while (flag_get(&record.count) < 4) cede_yield(self);
    struct cedei_room *room = cedei_room_find(cedei_table_find(cede_self_system(self), sink));
    EXPECT_EQUAL(room->weight, 0);
    return CEDE_OK;
}

TURN_TEST(keep_latest_has_one_of_each_type_in_the_place_of_the_first) {
    (void)context;
    static struct record record;
    cede_ref sink = sink_begin(self, &latest_keeper, &record);
    for (uint64_t i = 0; i < 100; i++) {
        EXPECT_OK(number_try(self, sink, i));
        EXPECT_OK(note_try(self, sink, (size_t)i));
    }
    sink_end(self, &record, 2);
    EXPECT_EQUAL(record.values[0], 99);
    EXPECT_EQUAL(record.values[1], FROM_NOTE + 99);
    return CEDE_OK;
}

/* What waits in a tray when its actor ends, and a cede_recv that takes from it by type. */
static cede_result recv_from_tray(cede_self *self, void *context) {
    struct note *m = NULL;
    flag_set(context, 2);
    flag_await(self, context, 1);
    EXPECT_OK(cede_recv(self, note, &m, CEDE_FOREVER));
    EXPECT_EQUAL(m->value, 7);
    cede_drop(self, &m);
    EXPECT_EQUAL(number_await(self), 3);
    EXPECT_EQUAL(number_await(self), 8); /* comes while it waits */
    flag_set(context, 3);
    EXPECT_OK(cede_sleep(self, 1));
    return CEDE_STOP; /* a number is left behind */
}
CEDE_BEHAVIOUR(latest_player, struct player, TEST_PLAYER, .when_full = CEDE_FULL_KEEP_LATEST);

TURN_TEST(keep_latest_is_received_by_type_and_left_behind_as_dead_letters) {
    (void)context;
    static _Atomic uint32_t flag;
    flag_set(&flag, 0);
    cede_ref receiver = play_as(self, &latest_player, recv_from_tray, &flag);
    EXPECT_OK(cede_monitor(self, receiver));
    flag_await(self, &flag, 2);
    EXPECT_OK(number_try(self, receiver, 3));
    EXPECT_OK(note_try(self, receiver, 7));
    flag_set(&flag, 1);
    parked_await(self, receiver);
    EXPECT_OK(number_try(self, receiver, 8));
    flag_await(self, &flag, 3);
    cede_result r = number_try(self, receiver, 9);
    EXPECT(r == CEDE_OK || r == CEDE_ENOACTOR);
    EXPECT_RESULT(down_await(self, receiver), CEDE_OK);
    return CEDE_OK;
}

/* ---- control messages ---- */

static cede_result poke_try(cede_self *self, cede_ref to, uint64_t value) {
    struct poke *m = cede_new(self, poke);
    m->value = value;
    cede_result r = cede_send(self, to, &m);
    cede_drop(self, &m);
    return r;
}

static CEDE_YIELDS void control_try(cede_self *self, const cede_behaviour *behaviour) {
    static struct record record;
    cede_ref sink = sink_begin(self, behaviour, &record);
    for (uint64_t i = 0; i < 3; i++) EXPECT_OK(number_try(self, sink, i));
    while (number_try(self, sink, 3) == CEDE_OK && behaviour == &refuser) {}
    EXPECT_OK(poke_try(self, sink, 1));
    EXPECT_OK(poke_try(self, sink, 2));
    sink_end(self, &record, 6);
    EXPECT_EQUAL(record.values[0], FROM_POKE + 1);
    EXPECT_EQUAL(record.values[1], FROM_POKE + 2);
    for (uint64_t i = 0; i < 4; i++) EXPECT_EQUAL(record.values[2 + i], i);
}

TURN_TEST(control_messages_pass_a_full_mailbox_and_go_ahead_in_order) {
    (void)context;
    control_try(self, &refuser);
    control_try(self, &usual);
    control_try(self, &oldest_dropper);
    return CEDE_OK;
}

TURN_TEST(control_messages_are_bounded_too) {
    (void)context;
    static struct record record;
    cede_ref sink = sink_begin(self, &refuser, &record);
    for (uint64_t i = 0; i < CEDE_CONTROL_MAX; i++) EXPECT_OK(poke_try(self, sink, i));
    EXPECT_RESULT(poke_try(self, sink, 9), CEDE_EFULL);
    sink_end(self, &record, CEDE_CONTROL_MAX);
    return CEDE_OK;
}

static cede_result poke_ask(cede_self *self, void *context) {
    struct poke *request = cede_new(self, poke);
    struct answer *reply = NULL;
    EXPECT_OK(cede_ask(self, *(cede_ref *)context, &request, answer, &reply, CEDE_FOREVER));
    cede_drop(self, &reply);
    return CEDE_STOP;
}

TURN_TEST(control_requests_and_timers_go_ahead_as_well) {
    (void)context;
    static struct record record;
    static cede_ref sink;
    sink = sink_begin(self, &refuser, &record);
    for (uint64_t i = 0; i < 4; i++) EXPECT_OK(number_try(self, sink, i));
    parked_await(self, play(self, poke_ask, &sink));
    struct poke *later = cede_new(self, poke);
    later->value = 2;
    EXPECT_OK(cede_send_after(self, sink, &later, 0, NULL));
    while (metrics_of(self).timers_fired == 0) EXPECT_OK(cede_sleep(self, 100000));
    sink_end(self, &record, 6);
    EXPECT_EQUAL(record.values[0], FROM_POKE);
    EXPECT_EQUAL(record.values[1], FROM_POKE + 2);
    return CEDE_OK;
}

/* ---- the end of an actor, behind what it sent and ahead of what others sent ---- */

static cede_result send_and_stop(cede_self *self, void *context) {
    for (uint64_t i = 0; i < 3; i++) number_send(self, *(cede_ref *)context, 100 + i);
    EXPECT_OK(note_try(self, *(cede_ref *)context, 50));
    return CEDE_STOP;
}

TURN_TEST(down_comes_behind_what_the_dead_sent_and_ahead_of_others) {
    (void)context;
    static struct record record;
    static cede_ref sink;
    static _Atomic uint32_t flag;
    flag_set(&flag, 0);
    sink = sink_begin(self, &usual, &record);
    flag_set(&record.flag, 1);
    struct go *watch = cede_new(self, go);
    cede_ref dying = {0};
    EXPECT_OK(cede_spawn(self, &player, CEDE_NOTHING, &dying));
    watch->to = dying;
    EXPECT_OK(cede_send(self, sink, &watch));
    EXPECT_OK(question_ask(self, sink, 1, NULL)); /* it watches now */
    struct hold *again = cede_new(self, hold);
    again->record = (uint64_t)(uintptr_t)&record;
    EXPECT_OK(cede_send(self, sink, &again));
    flag_await(self, &record.flag, 2);
    for (uint64_t i = 0; i < 5; i++) number_send(self, sink, i);
    struct cede_self *slot = cedei_table_find(cede_self_system(self), dying);
    play_also(self, dying, send_and_stop, &sink);
    while (cedei_generation_of(slot) == dying.generation) cede_yield(self);
    while (cedei_room_count(cedei_table_find(cede_self_system(self), sink)) == 0) cede_yield(self);
    for (uint64_t i = 5; i < 10; i++) number_send(self, sink, i);
    sink_end(self, &record, 1 + 10 + 4 + 1);
    EXPECT_EQUAL(record.values[1], 100);
    EXPECT_EQUAL(record.values[2], 101);
    EXPECT_EQUAL(record.values[3], 102);
    EXPECT_EQUAL(record.values[4], FROM_NOTE + 50);
    EXPECT_EQUAL(record.values[5], FROM_DOWN);
    for (uint64_t i = 0; i < 10; i++) EXPECT_EQUAL(record.values[6 + i], i);
    return CEDE_OK;
}

/* ---- waiting for room ---- */

struct turn_taker {
    cede_ref to;
    uint64_t value;
    uint64_t timeout_ns;
    cede_result result;
    _Atomic uint32_t done;
};

static cede_result wait_and_send(cede_self *self, void *context) {
    struct turn_taker *taker = context;
    struct number *m = cede_new(self, number);
    m->value = taker->value;
    taker->result = cede_send_wait(self, taker->to, &m, taker->timeout_ns);
    cede_drop(self, &m);
    flag_set(&taker->done, 1);
    return CEDE_STOP;
}

TURN_TEST(senders_are_served_in_the_order_in_which_they_came) {
    (void)context;
    enum { TAKERS = 32 };
    static struct record record;
    static struct turn_taker takers[TAKERS];
    cede_ref sink = sink_begin(self, &refuser, &record);
    for (uint64_t i = 0; i < 4; i++) EXPECT_OK(number_try(self, sink, i));
    for (uint64_t i = 0; i < TAKERS; i++) {
        takers[i] = (struct turn_taker){.to = sink, .value = 4 + i, .timeout_ns = CEDE_FOREVER};
        parked_await(self, play(self, wait_and_send, &takers[i]));
    }
    flag_set(&record.flag, 1);
    /* Who does not wait gets nothing that those who wait are to have. */
    while (flag_get(&takers[TAKERS - 1].done) == 0) {
        (void)number_try(self, sink, 5000);
        cede_yield(self);
    }
    while (flag_get(&record.count) < 4 + TAKERS) cede_yield(self);
    for (uint64_t i = 0; i < 4 + TAKERS; i++) EXPECT_EQUAL(record.values[i], i);
    for (int i = 0; i < TAKERS; i++) {
        flag_await(self, &takers[i].done, 1);
        EXPECT_OK(takers[i].result);
    }
    return CEDE_OK;
}

TURN_TEST(senders_that_end_or_give_up_leave_their_place_to_the_next) {
    (void)context;
    static struct record record;
    static struct turn_taker takers[4];
    cede_ref sink = sink_begin(self, &refuser, &record), refs[4];
    for (uint64_t i = 0; i < 4; i++) EXPECT_OK(number_try(self, sink, i));
    for (uint64_t i = 0; i < 4; i++) {
        takers[i] = (struct turn_taker){.to = sink, .value = 4 + i, .timeout_ns = CEDE_FOREVER};
        if (i == 2) takers[i].timeout_ns = CEDE_MILLIS(1);
        refs[i] = play(self, wait_and_send, &takers[i]);
        if (i != 2) parked_await(self, refs[i]);
    }
    EXPECT_OK(cede_monitor(self, refs[0]));
    EXPECT_OK(cede_kill(self, refs[0]));
    EXPECT_RESULT(down_await(self, refs[0]), CEDE_EKILLED);
    flag_await(self, &takers[2].done, 1);
    EXPECT_RESULT(takers[2].result, CEDE_ETIMEDOUT);
    sink_end(self, &record, 6);
    EXPECT_EQUAL(record.values[4], 5);
    EXPECT_EQUAL(record.values[5], 7);
    return CEDE_OK;
}

static cede_result question_among_numbers(cede_self *self, void *context) {
    flag_set(context, 2);
    flag_await(self, context, 1);
    struct note *m = NULL;
    EXPECT_OK(cede_recv(self, note, &m, CEDE_FOREVER));
    cede_drop(self, &m);
    flag_set(context, 3);
    for (int i = 0; i < 2; i++) (void)number_await(self);
    return CEDE_STOP;
}

static cede_result note_wait(cede_self *self, void *context) {
    struct note *m = cede_new(self, note);
    EXPECT_OK(cede_send_wait(self, *(cede_ref *)context, &m, CEDE_FOREVER));
    return CEDE_STOP;
}

/* The mailbox is full of what it does not want, and who has what it wants waits for room. */
TURN_TEST(recv_takes_what_it_wants_from_a_sender_that_waits) {
    (void)context;
    for (int late = 0; late < 2; late++) {
        static _Atomic uint32_t flag;
        static cede_ref receiver;
        flag_set(&flag, 0);
        receiver = play_as(self, &player_of_two, question_among_numbers, &flag);
        flag_await(self, &flag, 2);
        for (uint64_t i = 0; i < 2; i++) EXPECT_OK(number_try(self, receiver, i));
        if (late) {
            flag_set(&flag, 1);
            parked_await(self, receiver);
        }
        cede_ref sender = play(self, note_wait, &receiver);
        if (!late) {
            parked_await(self, sender);
            flag_set(&flag, 1);
        }
        flag_await(self, &flag, 3);
    }
    return CEDE_OK;
}

/* ---- suspend ---- */

struct feeder {
    cede_ref to;
    uint64_t next;
};
static _Atomic uint32_t fed;         /* turns of the feeder */
static cede_result fed_twice_result; /* of the second send in the turn that found the mailbox full */

/* Sends one number a turn, and itself the next turn. */
static cede_result on_go_feed(cede_self *self, struct feeder *state, struct go *m) {
    if (cede_ref_is_none(state->to)) state->to = m->to;
    cede_result r = number_try(self, state->to, state->next++);
    if (r == CEDE_ENOACTOR) return CEDE_EFAILED;
    EXPECT_OK(r);
    /* The first time only: later the receiver may make room meanwhile. */
    if (fed_twice_result == CEDE_OK && (cedei_signals_of(self) & CEDEI_SIGNAL_MUTED) != 0)
        fed_twice_result = number_try(self, state->to, 999);
    flag_set(&fed, flag_get(&fed) + 1);
    return state->next < 100 ? cede_send(self, cede_self_ref(self), &m) : CEDE_STOP;
}
#define FEEDER(ON) ON(go, on_go_feed)
CEDE_BEHAVIOUR(feeder, struct feeder, FEEDER);

static CEDE_YIELDS cede_ref feeder_begin(cede_self *self, cede_ref to) {
    struct go *m = cede_new(self, go);
    m->to = to;
    cede_ref ref = {0};
    flag_set(&fed, 0);
    fed_twice_result = CEDE_OK;
    EXPECT_OK(cede_spawn(self, &feeder, &m, &ref));
    return ref;
}

TURN_TEST(suspend_takes_the_message_and_lets_its_sender_wait) {
    (void)context;
    static struct record record;
    cede_ref sink = sink_begin(self, &suspender, &record), sender = feeder_begin(self, sink);
    EXPECT_OK(cede_monitor(self, sender));
    parked_await(self, sender);
    EXPECT_EQUAL(flag_get(&fed), 5); /* four found room, the fifth is one more */
    EXPECT_RESULT(fed_twice_result, CEDE_EFULL);
    flag_set(&record.flag, 1);
    EXPECT_RESULT(down_await(self, sender), CEDE_OK);
    while (flag_get(&record.count) < 100) cede_yield(self);
    for (uint64_t i = 0; i < 100; i++) EXPECT_EQUAL(record.values[i], i);
    return CEDE_OK;
}

TURN_TEST(suspend_lets_the_sender_go_when_the_receiver_ends) {
    (void)context;
    static struct record record;
    cede_ref sink = sink_begin(self, &suspender, &record), sender = feeder_begin(self, sink);
    EXPECT_OK(cede_monitor(self, sender));
    parked_await(self, sender);
    EXPECT_OK(cede_kill(self, sink));
    flag_set(&record.flag, 1);
    EXPECT_RESULT(down_await(self, sender), CEDE_EFAILED); /* it has found that nobody is there */
    return CEDE_OK;
}

TURN_TEST(suspend_does_not_keep_a_sender_from_ending) {
    (void)context;
    static struct record record;
    for (int kill = 0; kill < 2; kill++) {
        cede_ref sink = sink_begin(self, &suspender, &record), sender = feeder_begin(self, sink);
        EXPECT_OK(cede_monitor(self, sender));
        parked_await(self, sender);
        EXPECT_OK(kill ? cede_kill(self, sender) : cede_stop(self, sender));
        EXPECT_RESULT(down_await(self, sender), kill ? CEDE_EKILLED : CEDE_OK);
        sink_end(self, &record, 5);
    }
    return CEDE_OK;
}

/* ---- cycles ---- */

struct ring {
    cede_ref next;
    cede_result result;
    _Atomic uint32_t done;
    bool asks;
};

/* Fills the next one's mailbox, and waits for room there, in the middle of its turn. */
static cede_result ring_send(cede_self *self, void *context) {
    struct ring *ring = context;
    flag_set(&ring->done, 2);
    flag_await(self, &ring->done, 1);
    while (number_try(self, ring->next, 1) == CEDE_OK) {}
    flag_set(&ring->done, 3);
    flag_await(self, &ring->done, 4);
    if (ring->asks) {
        struct poke *request = cede_new(self, poke); /* it passes the full mailbox */
        struct answer *reply = NULL;
        ring->result = cede_ask(self, ring->next, &request, answer, &reply, CEDE_SECONDS(100));
        cede_drop(self, &request);
    } else {
        struct number *m = cede_new(self, number);
        ring->result = cede_send_wait(self, ring->next, &m, CEDE_SECONDS(100));
        cede_drop(self, &m);
    }
    flag_set(&ring->done, 5);
    return CEDE_STOP;
}

static CEDE_YIELDS void ring_try(cede_self *self, struct fixture *fixture, uint32_t size,
                                 bool asks) {
    static struct ring rings[4];
    cede_ref refs[4];
    for (uint32_t i = 0; i < size; i++) {
        rings[i] = (struct ring){.asks = asks && i == 0};
        refs[i] = play_as(self, &player_of_two, ring_send, &rings[i]);
    }
    for (uint32_t i = 0; i < size; i++) flag_await(self, &rings[i].done, 2);
    for (uint32_t i = 0; i < size; i++) {
        rings[i].next = refs[(i + 1) % size];
        flag_set(&rings[i].done, 1);
        flag_await(self, &rings[i].done, 3);
    }
    for (uint32_t i = 0; i + 1 < size; i++) {
        flag_set(&rings[i].done, 4);
        parked_await(self, refs[i]);
    }
    flag_set(&rings[size - 1].done, 4);
    flag_await(self, &rings[size - 1].done, 5);
    EXPECT_RESULT(rings[size - 1].result, CEDE_EDEADLK);
    EXPECT(fixture_logged(fixture, "waits for room in the mailbox of 'player_of_two'"));
    if (asks) EXPECT(fixture_logged(fixture, "which asks 'player_of_two'"));
    for (uint32_t i = 0; i < size; i++) flag_await(self, &rings[i].done, 5);
}

TURN_TEST(waits_for_room_that_close_a_cycle_fail_and_name_it) {
    for (uint32_t size = 2; size <= 4; size++) ring_try(self, context, size, false);
    ring_try(self, context, 3, true);
    return CEDE_OK;
}

/* Both feed each other, and both are full: one must not be suspended. */
struct echo {
    cede_ref to;
    uint64_t left;
};
static _Atomic uint32_t echoes;

static cede_result on_go_echo(cede_self *self, struct echo *state, struct go *m) {
    if (!cede_ref_is_none(m->to)) state->to = m->to;
    m->to = (cede_ref){0};
    /* Two for each that comes: more than either can handle. */
    for (int i = 0; i < 2 && state->left < 2000; i++) {
        struct go *more = cede_new(self, go);
        cede_result r = cede_send(self, state->to, &more);
        EXPECT(r == CEDE_OK || r == CEDE_EFULL || r == CEDE_EDEADLK);
        cede_drop(self, &more);
        state->left++;
    }
    if (state->left >= 2000 && state->left < 3000) {
        state->left = 3000;
        flag_set(&echoes, flag_get(&echoes) + 1);
    }
    return CEDE_OK;
}
#define ECHO(ON) ON(go, on_go_echo)
CEDE_BEHAVIOUR(echo, struct echo, ECHO, .mailbox_max = 4, .when_full = CEDE_FULL_SUSPEND);

TURN_TEST(suspending_each_other_ends) {
    (void)context;
    cede_ref refs[2];
    flag_set(&echoes, 0);
    for (int i = 0; i < 2; i++) EXPECT_OK(cede_spawn(self, &echo, CEDE_NOTHING, &refs[i]));
    for (int i = 0; i < 2; i++) {
        struct go *m = cede_new(self, go);
        m->to = refs[1 - i];
        EXPECT_OK(cede_send(self, refs[i], &m));
    }
    while (flag_get(&echoes) < 1) cede_yield(self);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(refuse_takes_as_many_as_the_bound_and_counts_the_others),
        WITH_SYSTEM(bytes_are_counted_with_what_messages_own),
        WITH_SYSTEM(bytes_of_one_message_may_be_more_than_the_bound),
        WITH_SYSTEM(bytes_are_bounded_by_default_and_only_where_they_may_be_many),
        WITH_SYSTEM(drop_newest_keeps_the_first_and_tells_nobody),
        WITH_SYSTEM(drop_oldest_keeps_the_last_in_order),
        WITH_SYSTEM(drop_oldest_answers_a_request_that_is_given_up),
        WITH_SYSTEM(drop_oldest_by_bytes_makes_room_for_what_comes),
        WITH_SYSTEM(keep_latest_has_one_of_each_type_in_the_place_of_the_first),
        WITH_SYSTEM(keep_latest_is_received_by_type_and_left_behind_as_dead_letters),
        WITH_SYSTEM(control_messages_pass_a_full_mailbox_and_go_ahead_in_order),
        WITH_SYSTEM(control_messages_are_bounded_too),
        WITH_SYSTEM(control_requests_and_timers_go_ahead_as_well),
        WITH_SYSTEM(down_comes_behind_what_the_dead_sent_and_ahead_of_others),
        WITH_SYSTEM(senders_are_served_in_the_order_in_which_they_came),
        WITH_SYSTEM(senders_that_end_or_give_up_leave_their_place_to_the_next),
        WITH_SYSTEM(recv_takes_what_it_wants_from_a_sender_that_waits),
        WITH_SYSTEM(suspend_takes_the_message_and_lets_its_sender_wait),
        WITH_SYSTEM(suspend_lets_the_sender_go_when_the_receiver_ends),
        WITH_SYSTEM(suspend_does_not_keep_a_sender_from_ending),
        WITH_SYSTEM(waits_for_room_that_close_a_cycle_fail_and_name_it),
        WITH_SYSTEM(suspending_each_other_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
