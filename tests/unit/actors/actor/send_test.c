/* cede_send and cede_send_wait: who owns the message afterwards, order, full mailboxes and receivers that are gone. */
#include "actors/actor/deliver.h"
#include "tests/support/actors.h"

/* ---- plain sends ---- */

static cede_result number_forward(cede_self *self,
                                  void *context) { /* sends what it receives to *context, once */
    struct number *message = NULL;
    EXPECT_OK(cede_recv(self, number, &message, CEDE_FOREVER));
    message->value += 1;
    EXPECT_OK(cede_send(self, *(cede_ref *)context, &message));
    EXPECT(message == NULL);
    return CEDE_STOP;
}

TURN_TEST(send_moves_the_message_and_nulls_the_pointer) {
    (void)context;
    cede_ref me = cede_self_ref(self);
    cede_ref other = play(self, number_forward, &me);
    struct number *message = cede_new(self, number);
    EXPECT(message != NULL && message->value == 0);
    message->value = 41;
    EXPECT_OK(cede_send(self, other, &message));
    EXPECT(message == NULL);
    EXPECT_EQUAL(number_await(self), 42);
    return CEDE_OK;
}

enum { MANY = 3000 };

static cede_result many_send(cede_self *self, void *context) {
    for (uint64_t i = 0; i < MANY; i++) {
        number_send(self, *(cede_ref *)context, i);
        if (i % 500 == 499) cede_yield(self);
    }
    return CEDE_STOP;
}

TURN_TEST(send_keeps_the_order_of_each_sender_among_several) {
    (void)context;
    cede_ref me = cede_self_ref(self);
    enum { SENDERS = 4 };
    for (int i = 0; i < SENDERS; i++) play(self, many_send, &me);
    /* Each value comes SENDERS times; the k-th copy of v may come only after the k-th copy of v - 1. */
    static uint32_t seen[MANY];
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < SENDERS * MANY; i++) {
        uint64_t value = number_await(self);
        EXPECT(value < MANY);
        seen[value]++;
        if (value > 0) EXPECT(seen[value] <= seen[value - 1]);
    }
    for (int i = 0; i < MANY; i++) EXPECT_EQUAL(seen[i], SENDERS);
    return CEDE_OK;
}

TURN_TEST(send_to_nobody_fails_and_the_message_stays_ours) {
    (void)context;
    struct number *message = cede_new(self, number), *same = message;
    message->value = 7;
    EXPECT_RESULT(cede_send(self, (cede_ref){0}, &message), CEDE_ENOACTOR);
    cede_ref never = {.node = cede_self_ref(self).node, .slot = 1u << 30, .generation = 1};
    EXPECT_RESULT(cede_send(self, never, &message), CEDE_ENOACTOR);
    never = cede_self_ref(self);
    never.generation = 0;
    EXPECT_RESULT(cede_send(self, never, &message), CEDE_ENOACTOR);
    cede_ref elsewhere = {.node = cede_self_ref(self).node + 1, .slot = 0, .generation = 1};
    EXPECT_RESULT(cede_send(self, elsewhere, &message), CEDE_ENODE);
    EXPECT(message != NULL && message->value == 7);
    (void)same; /* strict mode may have moved it */
    cede_drop(self, &message);
    EXPECT(message == NULL);
    return CEDE_OK;
}

TURN_TEST(send_of_nothing_is_refused) {
    (void)context;
    struct number *message = NULL;
    EXPECT_RESULT(cede_send(self, cede_self_ref(self), &message), CEDE_EINVAL);
    EXPECT_RESULT(cedei_send(self, cede_self_ref(self), NULL, "here"), CEDE_EINVAL);
    EXPECT_RESULT(cede_send_wait(self, cede_self_ref(self), &message, 0), CEDE_EINVAL);
    return CEDE_OK;
}

static void send_without_a_self_is_refused(void **state) {
    (void)state;
    struct number *message = NULL;
    assert_int_equal(cede_send(NULL, (cede_ref){0}, &message), CEDE_ECONTEXT);
    assert_int_equal(cede_send_wait(NULL, (cede_ref){0}, &message, 0), CEDE_ECONTEXT);
}

TURN_TEST(send_to_an_actor_that_has_ended_fails) {
    (void)context;
    cede_ref me = cede_self_ref(self);
    cede_ref other = play(self, number_forward, &me);
    EXPECT_OK(cede_monitor(self, other));
    number_send(self, other, 1);
    EXPECT_EQUAL(number_await(self), 2);
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    struct number *message = cede_new(self, number);
    EXPECT_RESULT(cede_send(self, other, &message), CEDE_ENOACTOR);
    EXPECT_RESULT(cede_send_wait(self, other, &message, CEDE_FOREVER), CEDE_ENOACTOR);
    cede_drop(self, &message);
    return CEDE_OK;
}

TURN_TEST(send_of_a_kept_message_takes_it_out_of_the_state) {
    (void)context;
    struct note *message = cede_new(self, note);
    EXPECT_OK(cede_str_set(&message->text, "kept"));
    struct note *kept = cede_keep(self, &message);
    EXPECT(message == NULL && strcmp(cede_str_text(&kept->text), "kept") == 0);
    EXPECT_RESULT(cede_send(self, (cede_ref){0}, &kept), CEDE_ENOACTOR); /* still kept */
    EXPECT_OK(cede_send(self, cede_self_ref(self), &kept));
    EXPECT(kept == NULL);
    EXPECT_OK(cede_recv(self, note, &message, 0));
    EXPECT(strcmp(cede_str_text(&message->text), "kept") == 0);
    cede_drop(self, &message);
    return CEDE_OK;
}

/* ---- full mailboxes ---- */

/* Stays in its turn until *context is 1: what is sent to it waits. */
static cede_result busy_until_told(cede_self *self, void *context) {
    _Atomic uint32_t *flag = context;
    flag_set(flag, 2); /* "I am in my turn" */
    flag_await(self, flag, 1);
    return CEDE_OK;
}

TURN_TEST(send_to_a_full_mailbox_fails_and_takes_again_when_there_is_room) {
    (void)context;
    static _Atomic uint32_t flag;
    flag_set(&flag, 0);
    cede_ref other = play_as(self, &player_of_two, busy_until_told, &flag);
    flag_await(self, &flag, 2);
    number_send(self, other, 1);
    number_send(self, other, 2);
    struct number *third = cede_new(self, number);
    third->value = 3;
    EXPECT_RESULT(cede_send(self, other, &third), CEDE_EFULL);
    EXPECT(third != NULL && third->value == 3);
    flag_set(&flag, 1);
    while (third != NULL) { /* until both were dropped as unhandled */
        cede_result r = cede_send(self, other, &third);
        EXPECT(r == CEDE_OK || r == CEDE_EFULL);
        cede_yield(self);
    }
    return CEDE_OK;
}

static cede_result stop_at_once(cede_self *self, void *context) {
    (void)self, (void)context;
    return CEDE_STOP;
}

/* Spawns an actor with nothing to begin with, as soon as a slot is free. */
static CEDE_YIELDS cede_ref spawn_when_a_slot_is_free(cede_self *self,
                                                      const cede_behaviour *behaviour) {
    cede_ref ref = {0};
    cede_result r = CEDE_ELIMIT;
    while ((r = cede_spawn(self, behaviour, CEDE_NOTHING, &ref)) == CEDE_ELIMIT) cede_yield(self);
    EXPECT_OK(r);
    return ref;
}

static cede_result leave_a_backlog(cede_self *self, void *context) {
    (void)context;
    static _Atomic uint32_t flag;
    flag_set(&flag, 0);
    cede_ref former = play_as(self, &player_of_two, busy_until_told, &flag);
    flag_await(self, &flag, 2);
    EXPECT_OK(cede_monitor(self, former));
    play_also(self, former, stop_at_once, NULL);
    number_send(self, former, 1);
    flag_set(&flag, 1);
    EXPECT_RESULT(down_await(self, former), CEDE_OK);
    cede_ref next = spawn_when_a_slot_is_free(self, &player_of_one);
    EXPECT(next.slot == former.slot && next.generation != former.generation);
    number_send(self, next, 1);
    return CEDE_OK;
}

/* What the former tenant of a slot left unhandled must not count against the next one's bound. */
static void send_to_a_new_tenant_finds_room_when_the_former_left_a_backlog(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.actors_max = 2});
    fixture_run(fixture, leave_a_backlog, NULL);
    fixture_end(fixture);
}

/* Puts a message for the former generation into the mailbox, as a sender does that looked just before the change. */
static void late_message_push(cede_system *system, struct cede_self *slot, uint32_t generation) {
    struct cedei_msg *late = cedei_msg_create(system, &cede_type_number);
    EXPECT(late != NULL);
    late->owner = CEDEI_MSG_MAILBOX;
    uint64_t before = 0;
    EXPECT(cedei_mailbox_push(&slot->mailbox, (struct cedei_node *)(void *)late, generation,
                              INT32_MAX, 0, &before));
    cedei_sent_count(system, NULL, &cede_type_number);
    cedei_mail_came(slot);
}

TURN_TEST(send_finds_room_after_late_messages_for_a_former_tenant_were_thrown_away) {
    (void)context;
    cede_system *system = cede_self_system(self);
    static _Atomic uint32_t flag;
    flag_set(&flag, 0);
    cede_ref other = play_as(self, &player_of_two, busy_until_told, &flag);
    flag_await(self, &flag, 2);
    struct cede_self *slot = cedei_table_find(system, other);
    EXPECT_OK(cede_monitor(self, other));
    for (int i = 0; i < 2; i++) late_message_push(system, slot, other.generation - 1);
    flag_set(&flag, 1);
    struct play *last = cede_new(self, play);
    last->run = stop_at_once;
    while (last != NULL) { /* full until the late ones are thrown away, then no longer */
        cede_result r = cede_send(self, other, &last);
        EXPECT(r == CEDE_OK || r == CEDE_EFULL);
        cede_yield(self);
    }
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    return CEDE_OK;
}

/* More messages than the mailbox word can count. */
TURN_TEST(send_to_a_new_tenant_finds_room_after_more_messages_than_a_mailbox_counts) {
    (void)context;
    static _Atomic uint32_t flag;
    flag_set(&flag, 0);
    static const cede_behaviour unbounded = {.name = "unbounded",
                                             .state_size = sizeof(struct player),
                                             .mailbox_max = CEDE_MAILBOX_UNBOUNDED,
                                             .dispatch = cedei_dispatch_player};
    cede_ref former = play_as(self, &unbounded, busy_until_told, &flag);
    flag_await(self, &flag, 2);
    for (uint32_t i = 0; i < CEDEI_MAILBOX_COUNT_MAX + 100; i++) number_send(self, former, i);
    struct cede_self *slot = cedei_table_find(cede_self_system(self), former);
    EXPECT_OK(cede_monitor(self, former));
    play_also(self, former, stop_at_once, NULL);
    flag_set(&flag, 1);
    EXPECT_RESULT(down_await(self, former), CEDE_OK);
    cede_ref next = former;
    for (int i = 0; i < 100000 && cedei_generation_of(slot) == former.generation; i++)
        cede_yield(self);
    while (next.slot != former.slot ||
           next.generation == former.generation) { /* until the slot has a new tenant */
        cede_yield(self);
        if (next.slot != former.slot) EXPECT_OK(cede_stop(self, next));
        EXPECT_OK(cede_spawn(self, &player, CEDE_NOTHING, &next));
    }
    number_send(self, next, 1);
    return CEDE_OK;
}

/* ---- send_wait ---- */

struct wait_case {
    cede_ref to;
    _Atomic uint32_t flag;
    _Atomic uint32_t done;
    cede_result result;
    uint64_t timeout_ns;
};

static cede_result send_wait_once(cede_self *self, void *context) {
    struct wait_case *wait = context;
    struct number *message = cede_new(self, number);
    message->value = 77;
    wait->result = cede_send_wait(self, wait->to, &message, wait->timeout_ns);
    EXPECT((message == NULL) == (wait->result == CEDE_OK));
    if (message != NULL) {
        EXPECT_EQUAL(message->value, 77);
        cede_drop(self, &message);
    }
    flag_set(&wait->done, 1);
    return CEDE_STOP;
}

/* Starts `wait->to` as busy and full, and a sender that waits for room there. */
static CEDE_YIELDS cede_ref send_wait_begin(cede_self *self, struct wait_case *wait,
                                            const cede_behaviour *behaviour, int fill) {
    wait->to = play_as(self, behaviour, busy_until_told, &wait->flag);
    flag_await(self, &wait->flag, 2);
    for (int i = 0; i < fill; i++) number_send(self, wait->to, 1);
    return play(self, send_wait_once, wait);
}

TURN_TEST(send_wait_goes_on_when_the_receiver_has_made_room) {
    (void)context;
    static struct wait_case wait;
    wait = (struct wait_case){.timeout_ns = CEDE_FOREVER};
    cede_ref sender = send_wait_begin(self, &wait, &player_of_two, 2);
    parked_await(self, sender);
    EXPECT_EQUAL(flag_get(&wait.done), 0);
    flag_set(&wait.flag, 1);
    flag_await(self, &wait.done, 1);
    EXPECT_RESULT(wait.result, CEDE_OK);
    return CEDE_OK;
}

/* The message in hand counted as the one that fills a mailbox for one, and nobody woke the sender after it. */
TURN_TEST(send_wait_goes_on_when_the_mailbox_holds_one_and_the_receiver_is_in_its_turn) {
    (void)context;
    static struct wait_case wait;
    wait = (struct wait_case){.timeout_ns = CEDE_FOREVER};
    EXPECT_OK(cede_spawn(self, &player_of_one, CEDE_NOTHING, &wait.to));
    play_also(self, wait.to, busy_until_told,
              &wait.flag); /* alone in the mailbox, not handed over by spawn */
    flag_await(self, &wait.flag, 2);
    cede_ref sender = play(self, send_wait_once, &wait);
    while (flag_get(&wait.done) == 0) {
        struct cede_self *slot = cedei_table_find(cede_self_system(self), sender);
        /* acquire: only looked at. */
        if (slot != NULL &&
            (atomic_load_explicit(&slot->wait, memory_order_acquire) & 3) == CEDEI_WAIT_PARKED)
            break;
        cede_yield(self);
    }
    flag_set(&wait.flag, 1);
    flag_await(self, &wait.done, 1);
    EXPECT_RESULT(wait.result, CEDE_OK);
    return CEDE_OK;
}

TURN_TEST(send_wait_gives_up_when_the_time_has_passed) {
    (void)context;
    static struct wait_case wait;
    wait = (struct wait_case){.timeout_ns = CEDE_MILLIS(2)};
    uint64_t before_ns = cede_now(self);
    send_wait_begin(self, &wait, &player_of_two, 2);
    flag_await(self, &wait.done, 1);
    EXPECT_RESULT(wait.result, CEDE_ETIMEDOUT);
    EXPECT(cede_now(self) - before_ns >= CEDE_MILLIS(2));
    flag_set(&wait.flag, 1);
    return CEDE_OK;
}

static uint32_t waiters_of(cede_self *self, cede_ref actor) {
    cede_system *system = cede_self_system(self);
    struct cede_self *slot = cedei_table_find(system, actor);
    EXPECT(slot != NULL);
    uint32_t count = 0;
    struct cedei_room *room = cedei_room_make(system, NULL, slot);
    EXPECT(room != NULL);
    cedei_mutex_lock(&room->lock);
    for (struct cedei_waiter *waiter = room->first; waiter != NULL; waiter = waiter->next) count++;
    cedei_mutex_unlock(&room->lock);
    return count;
}

TURN_TEST(send_wait_leaves_nothing_behind_when_it_gives_up) {
    (void)context;
    static struct wait_case wait;
    for (int i = 0; i < 3; i++) {
        wait = (struct wait_case){.timeout_ns = 0};
        send_wait_begin(self, &wait, &player_of_two, 2);
        flag_await(self, &wait.done, 1);
        EXPECT_RESULT(wait.result, CEDE_ETIMEDOUT);
        EXPECT_EQUAL(waiters_of(self, wait.to), 0);
        flag_set(&wait.flag, 1);
        EXPECT_OK(cede_monitor(self, wait.to));
        cede_ref to = wait.to;
        EXPECT_OK(cede_stop(self, to));
        EXPECT_RESULT(down_await(self, to), CEDE_OK);
    }
    return CEDE_OK;
}

TURN_TEST(send_wait_fails_when_the_receiver_ends_meanwhile) {
    (void)context;
    static struct wait_case wait;
    wait = (struct wait_case){.timeout_ns = CEDE_FOREVER};
    cede_ref sender = send_wait_begin(self, &wait, &player_of_two, 2);
    parked_await(self, sender);
    EXPECT_OK(cede_kill(self, wait.to));
    flag_await(self, &wait.done, 1);
    EXPECT_RESULT(wait.result, CEDE_ENOACTOR);
    return CEDE_OK;
}

static cede_result send_wait_to_itself(cede_self *self, void *context) {
    struct number *message = cede_new(self, number);
    cede_result r = CEDE_OK;
    for (int i = 0; i < 4 && r == CEDE_OK; i++) {
        if (message == NULL) message = cede_new(self, number);
        r = cede_send_wait(self, cede_self_ref(self), &message, CEDE_FOREVER);
    }
    EXPECT_RESULT(r, CEDE_EDEADLK);
    EXPECT(message != NULL);
    cede_drop(self, &message);
    flag_set(context, 1);
    return CEDE_STOP;
}

TURN_TEST(send_wait_to_oneself_fails_when_full) {
    (void)context;
    static _Atomic uint32_t flag;
    flag_set(&flag, 0);
    play_as(self, &player_of_two, send_wait_to_itself, &flag);
    flag_await(self, &flag, 1);
    return CEDE_OK;
}

static cede_result many_send_wait(cede_self *self, void *context) {
    for (uint64_t i = 0; i < MANY; i++) {
        struct number *message = cede_new(self, number);
        EXPECT(message != NULL);
        message->value = i;
        EXPECT_OK(cede_send_wait(self, *(cede_ref *)context, &message, CEDE_FOREVER));
    }
    return CEDE_STOP;
}

struct many_case {
    cede_ref back;
    uint64_t expected;
};

static cede_result many_receive(cede_self *self, void *context) {
    struct many_case *many = context;
    for (uint64_t i = 0; i < many->expected; i++) (void)number_await(self);
    number_send(self, many->back, many->expected);
    return CEDE_STOP;
}

/* The bound makes every sender wait again and again; a wake-up that is lost stops the test. */
static CEDE_YIELDS void send_wait_many(cede_self *self, const cede_behaviour *behaviour) {
    enum { SENDERS = 4 };
    static struct many_case many;
    many = (struct many_case){.back = cede_self_ref(self), .expected = SENDERS * MANY};
    static cede_ref to;
    to = play_as(self, behaviour, many_receive, &many);
    for (int i = 0; i < SENDERS; i++) play(self, many_send_wait, &to);
    EXPECT_EQUAL(number_await(self), SENDERS * MANY);
}

TURN_TEST(send_wait_of_many_senders_to_a_mailbox_for_two_loses_nothing) {
    (void)context;
    send_wait_many(self, &player_of_two);
    return CEDE_OK;
}

TURN_TEST(send_wait_of_many_senders_to_a_mailbox_for_one_loses_nothing) {
    (void)context;
    send_wait_many(self, &player_of_one);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(send_moves_the_message_and_nulls_the_pointer),
        WITH_SYSTEM(send_keeps_the_order_of_each_sender_among_several),
        WITH_SYSTEM(send_to_nobody_fails_and_the_message_stays_ours),
        WITH_SYSTEM(send_of_nothing_is_refused),
        cmocka_unit_test(send_without_a_self_is_refused),
        WITH_SYSTEM(send_to_an_actor_that_has_ended_fails),
        WITH_SYSTEM(send_of_a_kept_message_takes_it_out_of_the_state),
        WITH_SYSTEM(send_to_a_full_mailbox_fails_and_takes_again_when_there_is_room),
        cmocka_unit_test(send_to_a_new_tenant_finds_room_when_the_former_left_a_backlog),
        WITH_SYSTEM(send_finds_room_after_late_messages_for_a_former_tenant_were_thrown_away),
        WITH_SYSTEM(send_to_a_new_tenant_finds_room_after_more_messages_than_a_mailbox_counts),
        WITH_SYSTEM(send_wait_goes_on_when_the_receiver_has_made_room),
        WITH_SYSTEM(send_wait_goes_on_when_the_mailbox_holds_one_and_the_receiver_is_in_its_turn),
        WITH_SYSTEM(send_wait_gives_up_when_the_time_has_passed),
        WITH_SYSTEM(send_wait_leaves_nothing_behind_when_it_gives_up),
        WITH_SYSTEM(send_wait_fails_when_the_receiver_ends_meanwhile),
        WITH_SYSTEM(send_wait_to_oneself_fails_when_full),
        WITH_SYSTEM(send_wait_of_many_senders_to_a_mailbox_for_two_loses_nothing),
        WITH_SYSTEM(send_wait_of_many_senders_to_a_mailbox_for_one_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
