/* lane.c - the lane of a mailbox: control messages and the ends of other actors (DOWN, EXIT), ahead of what else waits.
 * Owns the lanes of rooms. Invariant: such a notice is taken out after everything that the actor which has ended sent here: when it
 * is the first in the lane, what is left of that actor's messages is moved before it, and it is marked as settled. */
#include "actors/actor/lane.h"

#include "actors/actor/deliver.h"

/* ---- what lane and tray have in common ---- */

void cedei_room_announce(struct cede_self *actor, uint32_t generation) {
    /* relaxed: a first guess for the exchange. */
    uint64_t identity = atomic_load_explicit(&actor->identity, memory_order_relaxed);
    /* relaxed: SIGNAL follows. If the tenant ends meanwhile, its end looks into the room. */
    while (identity >> 32 == generation &&
           !atomic_compare_exchange_weak_explicit(&actor->identity, &identity,
                                                  identity | CEDEI_SIGNAL_ROOM,
                                                  memory_order_relaxed, memory_order_relaxed)) {}
}

void cedei_room_quiet(struct cede_self *actor, struct cedei_room *room) {
    if (room->lane.first != NULL || room->tray.first != NULL) return;
    /* relaxed: under the lock that is held to set it. */
    atomic_fetch_and_explicit(&actor->identity, ~(uint64_t)CEDEI_SIGNAL_ROOM, memory_order_relaxed);
}

void cedei_room_call(cede_system *system, struct cedei_worker *worker, struct cede_self *actor) {
    uint64_t before = cedei_mailbox_signal(&actor->mailbox);
    if (before & (CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV))
        (void)cedei_receiver_wake(system, worker, actor, before);
}

/* ---- senders ---- */

cede_result cedei_lane_send(cede_system *system, struct cedei_worker *worker,
                            struct cede_self *actor, uint32_t generation, struct cedei_msg *msg,
                            uint32_t tag, bool forced) {
    struct cedei_room *room = cedei_room_of(system, worker, actor);
    if (room == NULL) return CEDE_ENOMEM;
    cede_result r = CEDE_OK;
    cedei_mutex_lock(&room->lock);
    struct cedei_msg_list *lane = &room->lane;
    if (!cedei_room_is_for(actor, generation))
        r = CEDE_ENOACTOR;
    else if (!forced && lane->count >= CEDE_CONTROL_MAX)
        r = CEDE_EFULL;
    if (r == CEDE_OK) {
        msg->link.depth_and_tag = (uint64_t)tag << 32;
        msg->next = NULL;
        if (lane->first == NULL)
            lane->first = msg;
        else
            lane->last->next = msg;
        lane->last = msg;
        lane->count++;
        cedei_room_announce(actor, generation);
    }
    cedei_mutex_unlock(&room->lock);
    if (r != CEDE_OK) return r;
    cedei_room_call(system, worker, actor);
    return CEDE_OK;
}

uint32_t cedei_room_count(struct cede_self *actor) {
    struct cedei_room *room = cedei_room_find(actor);
    if (room == NULL) return 0;
    cedei_mutex_lock(&room->lock);
    uint32_t count = room->lane.count + room->tray.count;
    cedei_mutex_unlock(&room->lock);
    return count;
}

/* ---- the receiver ---- */

enum { ENDED_MAX = 32 };

/* Actors that have ended, whose notices are in the lane and not settled. */
struct ended {
    uint32_t slots[ENDED_MAX];
    uint32_t count;
    uint64_t filter; /* bit slot % 64 is set for each */
};

static bool is_unsettled(const cede_self *self, struct cedei_msg *msg) {
    if ((msg->type != &cede_type_cede_down && msg->type != &cede_type_cede_exit) ||
        (msg->owner & CEDEI_MSG_SETTLED) != 0)
        return false;
    const struct cede_down *notice = cedei_msg_body(msg); /* a cede_exit has the same fields */
    return notice->actor.node == self->system->uid && notice->reason != CEDE_STOP;
}

/* Under the lock: marks as settled what is collected. */
static void ended_collect(cede_self *self, struct cedei_room *room, struct ended *out) {
    struct cedei_msg *msg = room->lane.first;
    for (; msg != NULL && out->count < ENDED_MAX; msg = msg->next) {
        if (!is_unsettled(self, msg)) continue;
        uint32_t slot = ((struct cede_down *)cedei_msg_body(msg))->actor.slot;
        msg->owner |= CEDEI_MSG_SETTLED;
        out->slots[out->count++] = slot;
        out->filter |= (uint64_t)1 << (slot & 63);
    }
}

static bool ended_has(const struct ended *ended, uint32_t slot) {
    if ((ended->filter >> (slot & 63) & 1) == 0) return false;
    for (uint32_t i = 0; i < ended->count; i++)
        if (ended->slots[i] == slot) return true;
    return false;
}

uint32_t cedei_msg_sender(const struct cedei_msg *msg) {
    uint32_t tag = cedei_msg_tag(msg);
    if (tag & CEDEI_TAG_CREDIT) return UINT32_MAX;
    if (tag & CEDEI_TAG_WEIGHED) return (uint32_t)((uint64_t)msg->owner >> 32) - 1;
    const struct cede_self *from = (const struct cede_self *)(msg->owner & ~(uintptr_t)63);
    return from != NULL ? from->slot : UINT32_MAX;
}

/* Moves the messages of `ended` from `*from` behind `*into`, in order; returns how many. */
static uint32_t ended_move(const struct ended *ended, struct cedei_msg **from,
                           struct cedei_msg **last, struct cedei_msg_list *into) {
    uint32_t count = 0;
    struct cedei_msg **at = from, *before = NULL;
    while (*at != NULL) { /* each round goes one on or takes one out */
        struct cedei_msg *msg = *at;
        if (!ended_has(ended, cedei_msg_sender(msg))) {
            before = msg;
            at = &msg->next;
            continue;
        }
        *at = msg->next;
        if (*last == msg) *last = before;
        msg->next = NULL;
        if (into->first == NULL)
            into->first = msg;
        else
            into->last->next = msg;
        into->last = msg;
        count++;
    }
    into->count += count;
    return count;
}

/* Under the lock, with a notice first in the lane. */
static void ended_settle(cede_self *self, struct cedei_room *room) {
    struct ended ended = {.count = 0};
    struct cedei_msg_list first = {0};
    ended_collect(self, room, &ended);
    (void)cedei_turn_gather(self);
    self->pending_count -= ended_move(&ended, &self->pending, &self->pending_last, &first);
    room->tray.count -= ended_move(&ended, &room->tray.first, &room->tray.last, &first);
    cedei_backlog_publish(self);
    if (first.first == NULL) return;
    first.last->next = room->lane.first;
    room->lane.first = first.first;
    room->lane.count += first.count;
}

struct cedei_msg *cedei_lane_take(cede_self *self, const struct cede_type *type) {
    struct cedei_room *room = cedei_room_find(self);
    if (room == NULL) return NULL;
    cedei_mutex_lock(&room->lock);
    if (type == NULL && room->lane.first != NULL && is_unsettled(self, room->lane.first))
        ended_settle(self, room);
    cedei_waiting_note(self, self->pending_count + room->lane.count);
    struct cedei_msg *msg = cedei_list_take(&room->lane, type);
    cedei_room_quiet(self, room);
    cedei_mutex_unlock(&room->lock);
    return msg;
}
