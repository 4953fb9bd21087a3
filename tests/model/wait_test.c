/* Every way in which an actor that suspends (cede_recv, waits of asks, sleeps) meets those who wake it: senders, the timer, a
 * killer, a stopper, a receiver that has room again. What stands around it is in actor.h.
 * Claims: no wake-up is lost; an actor is never scheduled twice; each message is handled once, in order; a kill ends a
 * wait; a stop ends the actor also when a receive took it out of the mailbox; a deadline passes, and not before; of two
 * asks that close a cycle one is told; nothing of the actor is touched by two threads at once. */
#include "tests/model/actor.h"

/* ---- a receive, and the message it waits for ---- */

static void send_all(void *context) {
    (void)context;
    for (uint32_t i = 0; i < MESSAGES; i++) message_send(i);
}

static void recv_begin(void) {
    state_begin(CEDE_FOREVER);
    model_thread_add(send_all, NULL);
}

static void recv_check(void) {
    MODEL_CLAIM(last_result == CEDE_OK && received == 1 && handled == MESSAGES - 1);
    MODEL_CLAIM(token.count == 0 && !is_suspended && actor->mailbox.word == CEDEI_MAILBOX_IDLE);
}

/* ---- a receive against the time ---- */

static void recv_timeout_begin(void) {
    state_begin((uint64_t)1 << (CEDEI_WHEEL_TICK_SHIFT + 1));
    model_thread_add(send_all, NULL);
    model_thread_add(timer_main, NULL);
}

static void recv_timeout_check(void) {
    MODEL_CLAIM(handled + received == MESSAGES);
    MODEL_CLAIM(last_result == CEDE_OK || last_result == CEDE_ETIMEDOUT);
    MODEL_CLAIM((last_result == CEDE_OK) == (received == 1));
    MODEL_CLAIM(token.count == 0 && !is_suspended && actor->mailbox.word == CEDEI_MAILBOX_IDLE);
}

/* ---- signals ---- */

static void recv_kill_begin(void) {
    state_begin(CEDE_FOREVER);
    model_thread_add(send_first, NULL);
    model_thread_add(kill_once, NULL);
}

static void recv_stop_begin(void) {
    state_begin(CEDE_FOREVER);
    model_thread_add(send_first, NULL);
    model_thread_add(stop_once, NULL);
}

static void ended_check(void) {
    MODEL_CLAIM(has_ended);
    MODEL_CLAIM(token.count == 0 && !is_suspended);
}

/* ---- a wait that only its sequence or a kill ends (asks, jobs, sleeps) ---- */

/* Not the message: the wake-up is for nobody any more, or it is all that is said. */
static void wake_without(void *context) {
    (void)context;
    model_wait(&wait_begun);
    wakes += cedei_wait_wake(system_of_test, &worker_of_test, actor, wait_sequence,
                             cedei_wake_code(CEDE_ENODE));
}

static void two_wakers_begin(void) { wait_begin_with(wake_once, wake_without); }

static void two_wakers_check(void) {
    MODEL_CLAIM(wakes == 1 && (last_result == CEDE_EIO || last_result == CEDE_ENODE));
    MODEL_CLAIM(token.count == 0 && !is_suspended && actor->mailbox.word == CEDEI_MAILBOX_IDLE);
}

static void waker_and_killer_begin(void) { wait_begin_with(wake_once, kill_once); }
static void killer_alone_begin(void) { wait_begin_with(kill_once, stop_once); }

/* ---- a wait that a stop ends too (descriptors) ---- */

static CEDE_YIELDS cede_result stoppable_dispatch(cede_self *self, const struct cede_type *type,
                                                  void *state, void *message) {
    /* relaxed (both): as in cedei_io_wait. */
    atomic_store_explicit(&self->stoppable, true, memory_order_relaxed);
    cede_result r = wait_dispatch(self, type, state, message);
    atomic_store_explicit(&self->stoppable, false, memory_order_relaxed);
    return r;
}
static const cede_behaviour stoppable_waiter = {
    .name = "stoppable", .state_size = 1, .dispatch = stoppable_dispatch};

static void waker_and_stopper_begin(void) {
    wait_begin_with(wake_once, stop_once);
    actor->behaviour = &stoppable_waiter;
}

static void stopper_alone_begin(void) {
    wait_begin_with(stop_once, stop_once);
    actor->behaviour = &stoppable_waiter;
}

/* ---- a kill that looked at one wait and finds another ---- */

static CEDE_YIELDS cede_result wait_twice_dispatch(cede_self *self, const struct cede_type *type,
                                                   void *state, void *message) {
    (void)wait_dispatch(self, type, state, message);
    uint32_t sequence = cedei_wait_begin(self);
    (void)cedei_wait_finish(self, sequence, CEDE_FOREVER);
    return CEDE_OK;
}
static const cede_behaviour waiter_twice = {
    .name = "waiter twice", .state_size = 1, .dispatch = wait_twice_dispatch};

static void killed_twice_begin(void) {
    wait_begin_with(wake_once, kill_once);
    actor->behaviour = &waiter_twice;
}

/* ---- a wait that is taken back, and its waker ---- */

static CEDE_YIELDS cede_result withdraw_dispatch(cede_self *self, const struct cede_type *type,
                                                 void *state, void *message) {
    (void)type, (void)state, (void)message;
    wait_sequence = cedei_wait_begin(self);
    model_signal(&wait_begun);
    last_result = CEDE_OK;
    if (cedei_wait_withdraw(self, wait_sequence)) return CEDE_OK;
    last_result = (cede_result)(cedei_wait_fetch(self) >> 4);
    received = (uint32_t)messages[2].number;
    return CEDE_OK;
}
static const cede_behaviour withdrawer = {
    .name = "withdrawer", .state_size = 1, .dispatch = withdraw_dispatch};

static void withdraw_begin(void) {
    wait_begin_with(wake_once, NULL);
    actor->behaviour = &withdrawer;
}

static void withdraw_check(void) {
    MODEL_CLAIM(last_result == (wakes == 1 ? CEDE_EIO : CEDE_OK) && !is_suspended);
    MODEL_CLAIM(wakes == 0 || received == 7);
}

/* ---- a wait with a deadline, while the timer is still set for an earlier wait ---- */

static CEDE_YIELDS cede_result sleep_dispatch(cede_self *self, const struct cede_type *type,
                                              void *state, void *message) {
    (void)type, (void)state, (void)message;
    uint64_t deadline_ns = model_now_ns() + ((uint64_t)16 << CEDEI_WHEEL_TICK_SHIFT);
    cedei_wait_deadline_clear(self, 0); /* ends the earlier one */
    uint32_t sequence = cedei_wait_begin(self);
    last_result = (cede_result)(cedei_wait_until(self, sequence, deadline_ns) >> 4);
    MODEL_CLAIM(model_now_ns() >= deadline_ns);
    return CEDE_OK;
}
static const cede_behaviour sleeper = {
    .name = "sleeper", .state_size = 1, .dispatch = sleep_dispatch};

static void deadlines_begin(void) {
    wait_begin_with(timer_main, NULL);
    actor->behaviour = &sleeper;
    actor->deadline_sequence = ++actor->sequence;
    actor->deadline_ns = model_now_ns() + 1;
    (void)cedei_timer_add(&wheel_of_test, &extras[0].timer, model_now_ns() + 1);
}

static void deadlines_check(void) {
    MODEL_CLAIM(last_result == CEDE_ETIMEDOUT);
    MODEL_CLAIM(token.count == 0 && !is_suspended && actor->mailbox.word == CEDEI_MAILBOX_IDLE);
}

/* ---- two asks that close a cycle at once: each is parked first and looks then ---- */

static void ask_park(struct cede_self *self, struct cede_self *asked) {
    (void)cedei_wait_begin(self);
    cedei_asked_set(self, asked->slot, CEDEI_ASKED_REPLY);
    cedei_wait_park_commit(&worker_of_test, self);
}

static void ask_first(void *context) {
    (void)context;
    ask_park(actor, sender);
}

static void ask_second(void *context) {
    (void)context;
    ask_park(sender, actor);
}

static void cycle_begin(void) {
    state_begin(CEDE_FOREVER);
    model_thread_add(ask_first, NULL);
    model_thread_add(ask_second, NULL);
}

static void cycle_check(void) {
    MODEL_CLAIM((actor->wait & 3) == CEDEI_WAIT_WOKEN || (sender->wait & 3) == CEDEI_WAIT_WOKEN);
}

/* ---- a sender that waits for room, and the receiver that makes it ---- */

static cede_result listed;

static void room_wait(void *context) {
    (void)context;
    uint32_t sequence = cedei_wait_begin(sender);
    listed = waiter_list(sender, actor, 1, &messages[1].header, sequence);
    if (listed == CEDE_OK) cedei_wait_park_commit(&worker_of_test, sender);
}

static CEDE_YIELDS cede_result room_dispatch(cede_self *self, const struct cede_type *type,
                                             void *state, void *message) {
    (void)self, (void)type, (void)state, (void)message;
    handled++;
    return CEDE_OK;
}
static const cede_behaviour reader = {.name = "reader", .state_size = 1, .dispatch = room_dispatch};

static void room_begin_with(void (*fourth)(void *)) {
    wait_begin_with(room_wait, fourth);
    actor->behaviour = &reader;
    actor->mailbox_max = 1;
    actor->open_max = 1;
    messages[1].header.link.depth_and_tag = (uint64_t)1 << 32;
    listed = CEDE_EFAILED;
}

static void room_begin(void) { room_begin_with(NULL); }

static void room_check(void) {
    MODEL_CLAIM(listed == CEDE_OK && handled == 2);
    MODEL_CLAIM(extras[1].waiter.state == CEDEI_WAITER_TAKEN);
    MODEL_CLAIM((sender->wait & 3) == CEDEI_WAIT_WOKEN);
    MODEL_CLAIM(actor->mailbox.word == CEDEI_MAILBOX_IDLE && actor->room->first == NULL);
}

/* ---- the same, and the receiver is killed: the message is taken, or given back, or was not listed ---- */

static void room_kill_begin(void) { room_begin_with(kill_once); }

static void room_kill_check(void) {
    MODEL_CLAIM(has_ended);
    enum cedei_waiter_state state = extras[1].waiter.state;
    if (listed != CEDE_OK) {
        MODEL_CLAIM(listed == CEDE_ENOACTOR && state == CEDEI_WAITER_NONE);
        return;
    }
    MODEL_CLAIM(state == CEDEI_WAITER_TAKEN || state == CEDEI_WAITER_RETURNED);
    MODEL_CLAIM((sender->wait & 3) == CEDEI_WAIT_WOKEN);
}

/* ---- a control message, and a receiver on its way to rest ---- */

static cede_result lane_sent;

static void control_send_once(void *context) {
    (void)context;
    messages[1].header.owner = CEDEI_MSG_MAILBOX;
    lane_sent =
        cedei_lane_send(system_of_test, &worker_of_test, actor, 1, &messages[1].header, 1, true);
}

static void lane_begin_with(void (*fourth)(void *)) {
    wait_begin_with(control_send_once, fourth);
    actor->behaviour = &reader;
    lane_sent = CEDE_EFAILED;
}

static void lane_begin(void) { lane_begin_with(NULL); }

static void lane_check(void) {
    MODEL_CLAIM(lane_sent == CEDE_OK && handled == 2);
    MODEL_CLAIM(actor->mailbox.word == CEDEI_MAILBOX_IDLE && actor->room->lane.first == NULL);
    MODEL_CLAIM((uint32_t)actor->identity == 0);
}

static void lane_kill_begin(void) { lane_begin_with(kill_once); }

static void lane_kill_check(void) {
    MODEL_CLAIM(has_ended);
    MODEL_CLAIM(actor->room == NULL || actor->room->lane.first == NULL);
    MODEL_CLAIM(lane_sent == CEDE_OK || lane_sent == CEDE_ENOACTOR);
    MODEL_CLAIM(handled + dropped >= 1u + (lane_sent == CEDE_OK));
}

/* ---- what others find once it is published: a slot of the table, the node layer ---- */

static struct cedei_remote_ops ops_of_test;

static void publish(void *context) {
    (void)context;
    sender->slot = 1;
    /* release: as in slots_add. */
    atomic_store_explicit(&system_of_test->slots_ready, 2, memory_order_release);
    system_of_test->remote_context = &ops_of_test;
    /* release: as in cedei_system_set_remote. */
    atomic_store_explicit(&system_of_test->remote_ops, &ops_of_test, memory_order_release);
}

static void look_at_slot(void *context) {
    (void)context;
    struct cede_self *found = cedei_table_slot(system_of_test, 1);
    MODEL_CLAIM(found == NULL || found->slot == 1);
}

static void look_at_ops(void *context) {
    (void)context;
    const struct cedei_remote_ops *ops = cedei_remote_ops_of(system_of_test);
    MODEL_CLAIM(ops == NULL || system_of_test->remote_context == &ops_of_test);
}

static void publish_begin(void) {
    state_begin(CEDE_FOREVER);
    system_of_test->slots_ready = 1;
    model_watch("the node layer's", &system_of_test->remote_context,
                sizeof system_of_test->remote_context);
    model_thread_add(publish, NULL);
    model_thread_add(look_at_slot, NULL);
    model_thread_add(look_at_ops, NULL);
}

static void publish_check(void) {}

int main(int argc, char **argv) {
    static const struct model_scenario SCENARIOS[] = {
        {"a receive and its sender", recv_begin, recv_check, 2, 1},
        {"a receive, its sender and its time", recv_timeout_begin, recv_timeout_check, 2, 0},
        {"a receive and a kill", recv_kill_begin, ended_check, 2, 1},
        {"a receive and a stop", recv_stop_begin, ended_check, 2, 1},
        {"a wait and two wakers", two_wakers_begin, two_wakers_check, 2, 1},
        {"a wait, a waker and a killer", waker_and_killer_begin, ended_check, 2, 1},
        {"a wait that nothing but a kill ends", killer_alone_begin, ended_check, 2, 1},
        {"a stoppable wait, a waker and a stop", waker_and_stopper_begin, ended_check, 2, 0},
        {"a stoppable wait that nothing but a stop ends", stopper_alone_begin, ended_check, 2, 1},
        {"two waits, a waker and a killer", killed_twice_begin, ended_check, 2, 1},
        {"a wait that is taken back", withdraw_begin, withdraw_check, 2, 1},
        {"a wait and a timer that is set already", deadlines_begin, deadlines_check, 2, 1},
        {"two asks that close a cycle", cycle_begin, cycle_check, 2, 2},
        {"a sender that waits for room", room_begin, room_check, 2, 2},
        {"a sender that waits for room, and a kill", room_kill_begin, room_kill_check, 1, 1},
        {"a control message", lane_begin, lane_check, 2, 1},
        {"a control message and a kill", lane_kill_begin, lane_kill_check, 2, 1},
        {"a slot and a node layer that are new", publish_begin, publish_check, 2, 1},
    };
    static const char *const OWNS[] = {
        "actors/actor/actor.h",
        "actors/actor/wait.h",
        "actors/actor/wait.c",
        "actors/actor/turn.c",
        "actors/actor/send.c",
        "actors/actor/cycle.h",
        "actors/actor/room.c",
        "actors/actor/lane.c",
        "core/sched/timer.h cedei_timer_is_linked",
        "core/sched/timer.c linked_set",
        "core/sync/mailbox.h cedei_mailbox_rest",
        NULL,
    };
    static const struct model_test TEST = {SCENARIOS, sizeof SCENARIOS / sizeof SCENARIOS[0], OWNS};
    return model_main(argc, argv, &TEST);
}
