/* room.c - waiting for room in a mailbox: senders that wait stand in a line, and the receiver takes their messages over
 * itself, first come first served, before anybody else can have the room.
 * Owns the list of waiters. A waiting sender's message stays its own until it is taken: it gets it back when its time is over,
 * and a sender that ends takes it along. See room.h for the states. */
#include "actors/actor/room.h"

#include <string.h>

#include "actors/actor/actor.h"
#include "actors/actor/cycle.h"
#include "actors/actor/deliver.h"
#include "actors/actor/wait.h"

/* ---- rooms ---- */

struct cedei_room *cedei_room_make(cede_system *system, struct cedei_worker *worker,
                                   struct cede_self *actor) {
    struct cedei_room *room = NULL;
    struct cedei_block_cache *cache = worker != NULL ? &worker->blocks : NULL;
    struct cedei_room *made = cedei_block_take(&system->sched.depot, cache, sizeof *made);
    if (made == NULL) return NULL;
    memset(made, 0, sizeof *made);
    cedei_mutex_init(&made->lock);
    /* seq_cst: before the look at the generation; the end changes that first and looks here then. Publishes the lock. */
    if (atomic_compare_exchange_strong_explicit(&actor->room, &room, made, memory_order_seq_cst,
                                                memory_order_acquire))
        return made;
    cedei_mutex_fini(&made->lock);
    cedei_block_give(&system->sched.depot, cache, made, sizeof *made);
    return room;
}

static struct cedei_room *room_of(struct cede_self *actor) {
    /* seq_cst: after the change of the generation at the end; see cedei_room_make. */
    return atomic_load_explicit(&actor->room, memory_order_seq_cst);
}

/* Under the lock. */
bool cedei_room_is_for(struct cede_self *actor, uint32_t generation) {
    /* seq_cst: after the room was published; see cedei_room_make. */
    return atomic_load_explicit(&actor->identity, memory_order_seq_cst) >> 32 == generation;
}

void cedei_room_destroy(struct cede_self *actor) {
    struct cedei_room *room = room_of(actor);
    if (room == NULL) return;
    /* relaxed: no other thread is left. */
    atomic_store_explicit(&actor->room, NULL, memory_order_relaxed);
    cedei_mutex_fini(&room->lock);
    cedei_block_give(&actor->system->sched.depot, NULL, room, sizeof *room);
}

/* ---- the line; under the lock ---- */

static void room_line_append(struct cedei_room *room, struct cedei_waiter *waiter) {
    waiter->next = NULL;
    waiter->before = room->last;
    if (room->first == NULL)
        room->first = waiter;
    else
        room->last->next = waiter;
    room->last = waiter;
}

static void room_line_remove(struct cedei_room *room, struct cedei_waiter *waiter) {
    if (room->first == waiter)
        room->first = waiter->next;
    else
        waiter->before->next = waiter->next;
    if (room->last == waiter)
        room->last = waiter->before;
    else
        waiter->next->before = waiter->before;
    if (room->first == NULL) room->last = NULL;
}

/* From here on the waiter belongs to the one that waited, as soon as the lock is left. */
static void waiter_end(cede_system *system, struct cedei_worker *worker, struct cedei_room *room,
                       struct cedei_waiter *waiter, enum cedei_waiter_state state,
                       cede_result code) {
    room_line_remove(room, waiter);
    waiter->state = state;
    if (CEDEI_LIKELY(worker != NULL)) /* else the system ends, and nobody runs any more */
        (void)cedei_wait_wake(system, worker, waiter->actor, waiter->sequence,
                              cedei_wake_code(code));
}

/* ---- the receiver's side ---- */

static bool message_fits(cede_self *self, struct cedei_room *room, struct cedei_msg *msg,
                         uint32_t *weight) {
    *weight = cedei_weight_of(self, msg);
    return *weight == 0 || cedei_weight_take(self, room, *weight, 1);
}

static void message_hand_over(cede_self *self, struct cedei_waiter *waiter, uint32_t weight) {
    struct cedei_msg *msg = waiter->msg;
    uint32_t tag = cedei_msg_tag(msg);
    if (weight != 0) {
        msg->owner = cedei_msg_mail(waiter->actor->slot + 1, weight);
        tag |= CEDEI_TAG_WEIGHED;
    } else {
        msg->owner = (uintptr_t)waiter->actor | (uintptr_t)CEDEI_MSG_MAILBOX;
    }
    msg->link.depth_and_tag = (uint64_t)tag << 32;
    msg->next = NULL;
    cedei_sent_count(self->system, self->worker, msg->type);
    cedei_mail_came(self);
    cedei_pending_append(self, msg, msg, 1);
}

/* The first in the line with a message of `type`: whoever waits for one takes it, room or not. */
static bool room_line_search(cede_self *self, struct cedei_room *room,
                             const struct cede_type *type) {
    for (struct cedei_waiter *waiter = room->first; waiter != NULL; waiter = waiter->next) {
        if (waiter->msg == NULL || waiter->msg->type != type) continue;
        message_hand_over(self, waiter, 0);
        waiter_end(self->system, self->worker, room, waiter, CEDEI_WAITER_TAKEN, CEDE_OK);
        return true;
    }
    return false;
}

static bool room_line_serve(cede_self *self, struct cedei_room *room) {
    bool any = false;
    uint32_t left = UINT32_MAX;
    if (self->bounded)
        left = self->pending_count < self->mailbox_max ? self->mailbox_max - self->pending_count : 0;
    while (left > 0 && room->first != NULL) { /* each round takes one off */
        struct cedei_waiter *waiter = room->first;
        uint32_t weight = 0;
        if (waiter->msg != NULL) {
            if (!message_fits(self, room, waiter->msg, &weight)) break;
            message_hand_over(self, waiter, weight);
            any = true;
        }
        left--;
        waiter_end(self->system, self->worker, room, waiter, CEDEI_WAITER_TAKEN, CEDE_OK);
    }
    return any;
}

/* Until half of the mailbox is empty nothing is done, and senders go on to find it as full as it was: one that is woken can
 * then be followed by others, and its worker has something to do meanwhile. */
bool cedei_room_give(cede_self *self, const struct cede_type *type) {
    struct cedei_room *room = room_of(self);
    if (room == NULL) return false;
    if (type == NULL && self->bounded && self->pending_count > self->mailbox_max / 2) return false;
    /* relaxed: senders want a number. Nobody else may have what the line is to have. */
    if (self->bounded)
        atomic_store_explicit(&self->backlog, self->mailbox_max, memory_order_relaxed);
    /* What the waiting senders have sent before goes first. */
    bool any = cedei_turn_gather(self);
    cedei_mutex_lock(&room->lock);
    if (type != NULL) any = room_line_search(self, room, type) || any;
    any = room_line_serve(self, room) || any;
    /* relaxed: under the lock that the setter holds. */
    if (room->first == NULL) atomic_store_explicit(&self->room_wanted, false, memory_order_relaxed);
    cedei_mutex_unlock(&room->lock);
    cedei_backlog_publish(self);
    return any;
}

static void list_discard(cede_self *actor, struct cedei_msg_list list, cede_result reason) {
    while (list.first != NULL) { /* a list of our own */
        struct cedei_msg *msg = list.first;
        list.first = msg->next;
        cedei_mail_leave(actor, msg);
        cedei_msg_dead_letter_of(actor, actor->worker, msg, reason);
    }
}

static CEDEI_NOINLINE void room_empty(cede_self *actor, struct cedei_room *room) {
    cedei_mutex_lock(&room->lock);
    while (room->first != NULL) /* each round takes one off */
        waiter_end(actor->system, actor->worker, room, room->first, CEDEI_WAITER_RETURNED,
                   CEDE_ENOACTOR);
    /* relaxed: under the lock that the setter holds. */
    atomic_store_explicit(&actor->room_wanted, false, memory_order_relaxed);
    struct cedei_msg_list lane = room->lane, tray = room->tray;
    room->lane = room->tray = (struct cedei_msg_list){0};
    cedei_mutex_unlock(&room->lock);
    cede_result reason = actor->worker != NULL ? CEDE_ENOACTOR : CEDE_ECLOSED;
    list_discard(actor, lane, reason);
    list_discard(actor, tray, reason);
}

void cedei_room_end(cede_self *actor) {
    struct cedei_room *room = room_of(actor);
    if (CEDEI_UNLIKELY(room != NULL)) room_empty(actor, room);
}

/* ---- the waiting actor's side ---- */

/* Lists `self`, with `msg` or without, behind those that wait already, and has the receiver look. */
static cede_result waiter_list(cede_self *self, struct cede_self *receiver, uint32_t generation,
                               struct cedei_msg *msg, uint32_t sequence) {
    cede_system *system = self->system;
    struct cedei_room *room = cedei_room_of(system, self->worker, receiver);
    if (room == NULL) return CEDE_ENOMEM;
    struct cedei_waiter *waiter = &self->extra->waiter;
    cedei_mutex_lock(&room->lock);
    bool is_there = cedei_room_is_for(receiver, generation);
    if (is_there) {
        waiter->actor = self;
        waiter->msg = msg;
        waiter->sequence = sequence;
        waiter->state = CEDEI_WAITER_LISTED;
        waiter->place = receiver->slot + 1;
        room_line_append(room, waiter);
        /* relaxed: only a hint, see cedei_room_is_wanted. */
        atomic_store_explicit(&receiver->room_wanted, true, memory_order_relaxed);
    }
    cedei_mutex_unlock(&room->lock);
    if (!is_there) return CEDE_ENOACTOR;
    uint64_t before = cedei_mailbox_signal(&receiver->mailbox);
    if (before & (CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV))
        (void)cedei_receiver_wake(system, self->worker, receiver, before);
    return CEDE_OK;
}

/* The wait is over: takes the actor off the list, and says what has become of it. */
static enum cedei_waiter_state waiter_settle(cede_self *self) {
    struct cedei_waiter *waiter = &self->extra->waiter;
    if (waiter->place == 0) return CEDEI_WAITER_NONE;
    struct cedei_room *room = room_of(cedei_table_slot(self->system, waiter->place - 1));
    cedei_mutex_lock(&room->lock);
    enum cedei_waiter_state state = waiter->state;
    if (state == CEDEI_WAITER_LISTED) room_line_remove(room, waiter);
    waiter->state = CEDEI_WAITER_NONE;
    cedei_mutex_unlock(&room->lock);
    waiter->place = 0;
    return state;
}

void cedei_room_leave(cede_self *self) {
    enum cedei_waiter_state state = waiter_settle(self);
    struct cedei_msg *msg = self->extra->waiter.msg;
    if (state == CEDEI_WAITER_NONE || state == CEDEI_WAITER_TAKEN || msg == NULL) return;
    cedei_msg_drop_one(self->system, self->worker, msg);
}

/* Waits until the receiver has taken `msg` or ended, or the time is over. */
static CEDE_YIELDS cede_result wait_listed(cede_self *self, struct cede_self *receiver,
                                           uint32_t generation, struct cedei_msg *msg,
                                           uint64_t deadline_ns, enum cedei_waiter_state *state) {
    uint32_t sequence = cedei_wait_begin(self);
    cedei_asked_set(self, receiver->slot, CEDEI_ASKED_ROOM);
    cede_result r = waiter_list(self, receiver, generation, msg, sequence);
    if (r == CEDE_OK)
        r = (cede_result)(cedei_wait_until(self, sequence, deadline_ns) >> 4);
    else
        (void)cedei_wait_withdraw(self, sequence);
    cedei_asked_clear(self);
    *state = waiter_settle(self);
    return r;
}

CEDE_YIELDS cede_result cedei_room_wait(cede_self *self, cede_ref to, void **message,
                                        uint64_t deadline_ns, const char *here) {
    struct cede_self *receiver = cedei_table_find(self->system, to);
    if (receiver == NULL) return CEDE_ENOACTOR;
    if (self->worker->is_seat) return CEDE_ECONTEXT; /* a plain thread has no turn to suspend */
    if (cedei_extra_of(self) == NULL) return CEDE_ENOMEM;
    if (cedei_cycle_report(self, to.slot, CEDEI_ASKED_ROOM, "cede_send_wait", here))
        return CEDE_EDEADLK;
    cede_result r = CEDE_OK;
    struct cedei_msg *msg = cedei_msg_disown(self, message, "cede_send_wait", here, &r);
    if (msg == NULL) return r;
    bool was_kept = cedei_msg_is_kept(msg);
    if (CEDEI_UNLIKELY(self->system->strict)) msg = cedei_msg_relocate(self, msg, here);
    struct cedei_return back = msg->reply;
    *message = NULL; /* as long as it is in the line, it is reachable from there */
    msg->owner = (uintptr_t)self | (uintptr_t)CEDEI_MSG_MAILBOX;
    msg->link.depth_and_tag = (uint64_t)to.generation << 32;
    enum cedei_waiter_state state = CEDEI_WAITER_NONE;
    r = wait_listed(self, receiver, to.generation, msg, deadline_ns, &state);
    if (state == CEDEI_WAITER_TAKEN) {
        cedei_request_moved(self->system, self->worker, back, to.slot);
        return CEDE_OK;
    }
    cedei_msg_reown(self, msg, message, was_kept);
    return state == CEDEI_WAITER_RETURNED ? CEDE_ENOACTOR : r;
}

/* ---- senders that are suspended by the receiver ---- */

static bool has_room(struct cede_self *actor) {
    if (cedei_room_is_wanted(actor)) return false; /* there is a line: behind it */
    /* relaxed (both): a hint. */
    uint64_t word = atomic_load_explicit(&actor->mailbox.word, memory_order_relaxed);
    int64_t used = (int64_t)cedei_mailbox_count(word) + cedei_backlog_of(actor);
    struct cedei_room *room = cedei_room_find(actor);
    if (CEDEI_READ_LATE(actor->bounded) && used >= CEDEI_READ_LATE(actor->mailbox_max))
        return false;
    return room == NULL || cedei_weight_has_room(actor, room);
}

static void mute_clear(cede_self *self) {
    /* relaxed: the bit is the actor's own. */
    atomic_fetch_and_explicit(&self->identity, ~(uint64_t)CEDEI_SIGNAL_MUTED, memory_order_relaxed);
}

/* Lists the actor, with a wait begun; 0: it need not wait. */
static uint32_t mute_begin(cede_self *self) {
    cede_ref by = self->extra->muted_by;
    struct cede_self *receiver = cedei_table_find(self->system, by);
    if (receiver == NULL || has_room(receiver) ||
        cedei_cycle_report(self, by.slot, CEDEI_ASKED_ROOM, "a full mailbox", ""))
        return 0;
    uint32_t sequence = cedei_wait_begin(self);
    /* relaxed: published with the parking. */
    atomic_store_explicit(&self->stoppable, true, memory_order_relaxed);
    cedei_asked_set(self, by.slot, CEDEI_ASKED_ROOM);
    if (waiter_list(self, receiver, by.generation, NULL, sequence) == CEDE_OK) return sequence;
    (void)cedei_wait_withdraw(self, sequence);
    cedei_asked_clear(self);
    return 0;
}

static void mute_end(cede_self *self) {
    cedei_asked_clear(self);
    (void)waiter_settle(self);
    /* relaxed: no wait is pending. */
    atomic_store_explicit(&self->stoppable, false, memory_order_relaxed);
    mute_clear(self);
}

bool cedei_room_mute(cede_self *self) {
    if (self->extra->waiter.place != 0) { /* it comes back from the wait */
        (void)cedei_wait_fetch(self);
        mute_end(self);
        return false;
    }
    if (mute_begin(self) == 0) {
        mute_clear(self);
        return false;
    }
    cedei_wait_park_commit(self->worker, self);
    return true;
}

CEDE_YIELDS void cedei_room_mute_in_turn(cede_self *self) {
    uint32_t sequence = self->worker->is_seat ? 0 : mute_begin(self);
    if (sequence != 0) (void)cedei_wait_until(self, sequence, UINT64_MAX);
    mute_end(self);
}
