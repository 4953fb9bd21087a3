/* overload.c - what becomes of a message for which the short ways into a mailbox are not open: control messages, messages that are
 * weighed, and what finds the mailbox full, by the policy that its actor has chosen (enum cede_when_full).
 * Owns the trays and the weights of rooms. Mailboxes that give up messages which wait already keep them in the tray, under a lock,
 * since only the receiver can take anything out of the mailbox word. */
#include "actors/actor/actor.h"
#include "actors/actor/cycle.h"
#include "actors/actor/deliver.h"
#include "actors/actor/lane.h"
#include "actors/message/message.h"

/* ---- bytes ---- */

/* A mailbox that has a bound of its own weighs all; the others only what may be large, as the bound on the count bounds
 * the rest. */
uint32_t cedei_weight_of(struct cede_self *actor, const struct cedei_msg *msg) {
    if (cedei_weight_max_of(actor) == UINT64_MAX) return 0;
    if (CEDEI_READ_LATE(actor->open_max) != INT32_MIN &&
        (msg->type->special & CEDEI_SPECIAL_HEAVY) == 0)
        return 0;
    size_t size = cedei_message_weight(msg->type, msg + 1);
    size_t weight = (size + 63) / 64;
    return weight < (size_t)CEDEI_WEIGHT_MAX ? (uint32_t)weight : (uint32_t)CEDEI_WEIGHT_MAX;
}

bool cedei_weight_take(struct cede_self *actor, struct cedei_room *room, uint32_t weight,
                       uint32_t factor) {
    uint64_t weight_max = cedei_weight_max_of(actor) * factor;
    /* relaxed: a count; the messages themselves are published by the mailbox. */
    uint64_t before = atomic_fetch_add_explicit(&room->weight, weight, memory_order_relaxed);
    if (before == 0 || before + weight <= weight_max) return true;
    cedei_weight_give(room, weight);
    return false;
}

void cedei_weight_give(struct cedei_room *room, uint32_t weight) {
    /* relaxed: as above. */
    atomic_fetch_sub_explicit(&room->weight, weight, memory_order_relaxed);
}

bool cedei_weight_has_room(struct cede_self *actor, struct cedei_room *room) {
    /* relaxed: as above. */
    return atomic_load_explicit(&room->weight, memory_order_relaxed) < cedei_weight_max_of(actor);
}

CEDEI_NOINLINE void cedei_mail_leave(struct cede_self *actor, struct cedei_msg *msg) {
    uint32_t tag = cedei_msg_tag(msg);
    if (tag & CEDEI_TAG_WEIGHED) {
        cedei_weight_give(cedei_room_find(actor), cedei_msg_weight(msg));
    }
    if (tag & CEDEI_TAG_CREDIT) {
        const struct cedei_remote_ops *ops = cedei_remote_ops_of(actor->system);
        uint32_t account = (uint32_t)((uint64_t)msg->owner >> 32);
        if (ops != NULL) ops->consumed(actor->system->remote_context, account, actor->slot);
    }
    /* From here on its header says who sent it as that of a message which is not weighed. */
    uint32_t sender = cedei_msg_sender(msg);
    struct cede_self *from = sender != UINT32_MAX ? cedei_table_slot(actor->system, sender) : NULL;
    msg->owner = (uintptr_t)from | (uintptr_t)CEDEI_MSG_MAILBOX;
    msg->link.depth_and_tag &= ~((uint64_t)(CEDEI_TAG_WEIGHED | CEDEI_TAG_CREDIT) << 32);
}

/* ---- into the mailbox word ---- */

struct push {
    cede_system *system;
    struct cedei_worker *worker;
    cede_self *from; /* the sending actor, or NULL */
    struct cede_self *actor;
    struct cedei_msg *msg;
    uint32_t tag;
    uint32_t weight; /* 0: it is not weighed */
};

/* What is kept of who sent it, and the weight. */
static void push_mark(struct push *push) {
    if (push->weight == 0) return;
    uint32_t number = push->from != NULL ? push->from->slot + 1 : 0;
    if (push->tag & CEDEI_TAG_CREDIT) number = (uint32_t)((uint64_t)push->msg->owner >> 32);
    push->msg->owner = cedei_msg_mail(number, push->weight);
    push->tag |= CEDEI_TAG_WEIGHED;
}

/* CEDE_EFULL: it is filled to `factor` times its bounds. */
static cede_result push_try(struct push *push, uint32_t factor) {
    struct cede_self *actor = push->actor;
    struct cedei_room *room = NULL;
    if (push->weight != 0) {
        room = cedei_room_of(push->system, push->worker, actor);
        if (room == NULL) return CEDE_ENOMEM;
        if (!cedei_weight_take(actor, room, push->weight, factor)) return CEDE_EFULL;
    }
    struct push now = *push;
    const struct cede_type *type = push->msg->type;
    uintptr_t owner = push->msg->owner;
    push_mark(&now);
    uint64_t before = 0;
    uint32_t most = CEDEI_READ_LATE(actor->mailbox_max);
    int32_t count_max = most != 0 ? (int32_t)(most * factor) : INT32_MAX;
    if (!cedei_mailbox_push(&actor->mailbox, (struct cedei_node *)(void *)now.msg, now.tag,
                            count_max, cedei_backlog_of(actor), &before)) {
        now.msg->owner = owner;
        if (room != NULL) cedei_weight_give(room, push->weight);
        return CEDE_EFULL;
    }
    cedei_sent_count(push->system, push->worker, type);
    cedei_mail_came(actor);
    if (before & (CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV))
        return cedei_receiver_wake(push->system, push->worker, actor, before);
    return CEDE_OK;
}

/* ---- policies ---- */

static cede_result push_refuse(struct push *push) {
    cedei_tally(push->system, push->worker, push->msg->type, CEDEI_TALLY_REFUSED);
    return CEDE_EFULL;
}

static void message_give_up(struct push *push, struct cedei_msg *msg) {
    cedei_mail_leave(push->actor, msg);
    cedei_msg_dead_letter_of(push->actor, push->worker, msg, CEDE_EFULL);
}

/* The message is taken although the mailbox is full; its sender waits at the end of its turn. An asker waits anyway. */
static cede_result push_and_suspend(struct push *push) {
    cede_self *from = push->from;
    if (from == NULL || from->worker->is_seat || from == push->actor) return CEDE_EFULL;
    /* relaxed: our own. */
    bool asks = atomic_load_explicit(&from->wait, memory_order_relaxed) != CEDEI_WAIT_NONE;
    if (asks) return push_try(push, 2);
    if (cedei_signals_of(from) & CEDEI_SIGNAL_MUTED) return CEDE_EFULL;
    struct cedei_extra *extra = cedei_extra_of(from);
    if (extra == NULL) return CEDE_ENOMEM;
    if (cedei_cycle_report(from, push->actor->slot, CEDEI_ASKED_ROOM, "cede_send", ""))
        return CEDE_EDEADLK;
    cede_ref to = {push->system->uid, push->actor->slot, push->tag & CEDEI_GENERATION_MAX};
    cede_result r = push_try(push, 2);
    if (r != CEDE_OK) return r;
    extra->muted_by = to;
    /* relaxed: the bit is the actor's own. */
    atomic_fetch_or_explicit(&from->identity, CEDEI_SIGNAL_MUTED, memory_order_relaxed);
    return CEDE_OK;
}

/* ---- trays ---- */

static void list_append(struct cedei_msg_list *list, struct cedei_msg *msg) {
    msg->next = NULL;
    if (list->first == NULL)
        list->first = msg;
    else
        list->last->next = msg;
    list->last = msg;
    list->count++;
}

struct cedei_msg *cedei_list_take(struct cedei_msg_list *list, const struct cede_type *type) {
    struct cedei_msg *before = NULL;
    for (struct cedei_msg *msg = list->first; msg != NULL; before = msg, msg = msg->next) {
        if (type != NULL && msg->type != type) continue;
        if (before == NULL)
            list->first = msg->next;
        else
            before->next = msg->next;
        if (list->last == msg) list->last = before;
        list->count--;
        return msg;
    }
    return NULL;
}

/* Puts `msg` in the place of the one of its type, which is returned; NULL: there is none. At most one of each type waits. */
static struct cedei_msg *list_replace(struct cedei_msg_list *list, struct cedei_msg *msg) {
    struct cedei_msg **at = &list->first;
    while (*at != NULL && (*at)->type != msg->type) at = &(*at)->next;
    struct cedei_msg *old = *at;
    if (old == NULL) return NULL;
    msg->next = old->next;
    *at = msg;
    if (list->last == old) list->last = msg;
    return old;
}

static uint32_t weight_in(const struct cedei_msg *msg) {
    return cedei_msg_tag(msg) & CEDEI_TAG_WEIGHED ? cedei_msg_weight(msg) : 0;
}

/* Takes the oldest out that may be given up for `msg`; NULL: there is none. */
static struct cedei_msg *tray_oldest(struct cedei_msg_list *tray, const struct cedei_msg *msg) {
    struct cedei_msg **at = &tray->first, *before = NULL;
    for (; *at != NULL && *at != msg; before = *at, at = &(*at)->next) {
        struct cedei_msg *found = *at;
        if (found->type == &cede_type_cede_drained)
            continue; /* it is to end what comes before it */
        *at = found->next;
        if (tray->last == found) tray->last = before;
        tray->count--;
        return found;
    }
    return NULL;
}

/* Under the lock: `push` into the tray; returns what had to make room for it, linked by `next`. */
static struct cedei_msg *tray_put(struct push *push, struct cedei_room *room) {
    struct cede_self *actor = push->actor;
    struct cedei_msg_list *tray = &room->tray;
    struct cedei_msg *msg = push->msg, *out = NULL;
    push_mark(push);
    msg->link.depth_and_tag = (uint64_t)push->tag << 32;
    /* relaxed: under the lock, except that what the receiver has taken is subtracted later. */
    if (push->weight != 0)
        atomic_fetch_add_explicit(&room->weight, push->weight, memory_order_relaxed);
    if (CEDEI_READ_LATE(actor->when_full) == CEDE_FULL_KEEP_LATEST &&
        (out = list_replace(tray, msg)) != NULL)
        out->next = NULL;
    else
        list_append(tray, msg);
    uint64_t given_up = out != NULL ? weight_in(out) : 0;
    for (;;) { /* each round takes one out */
        /* relaxed: as above. */
        uint64_t weight = atomic_load_explicit(&room->weight, memory_order_relaxed) - given_up;
        uint32_t most = CEDEI_READ_LATE(actor->mailbox_max);
        bool is_full = (most != 0 && tray->count > most) || weight > cedei_weight_max_of(actor);
        if (!is_full) break;
        struct cedei_msg *oldest = tray_oldest(tray, msg);
        if (oldest == NULL) break;
        given_up += weight_in(oldest);
        oldest->next = out;
        out = oldest;
    }
    return out;
}

static cede_result tray_deliver(struct push *push) {
    struct cede_self *actor = push->actor;
    const struct cede_type *type = push->msg->type;
    uint32_t generation = push->tag & CEDEI_GENERATION_MAX;
    struct cedei_room *room = cedei_room_of(push->system, push->worker, actor);
    if (room == NULL) return CEDE_ENOMEM;
    cedei_mutex_lock(&room->lock);
    bool is_there = cedei_room_is_for(actor, generation);
    struct cedei_msg *out = is_there ? tray_put(push, room) : NULL;
    if (is_there) cedei_room_announce(actor, generation);
    cedei_mutex_unlock(&room->lock);
    if (!is_there) return CEDE_ENOACTOR;
    cedei_sent_count(push->system, push->worker, type);
    cedei_mail_came(actor);
    while (out != NULL) { /* a list of our own */
        struct cedei_msg *next = out->next;
        message_give_up(push, out);
        out = next;
    }
    cedei_room_call(push->system, push->worker, actor);
    return CEDE_OK;
}

cede_result cedei_tray_send(cede_system *system, struct cedei_worker *worker,
                            struct cede_self *actor, uint32_t generation, struct cedei_msg *msg) {
    struct cedei_room *room = cedei_room_of(system, worker, actor);
    if (room == NULL) return CEDE_ENOMEM;
    cedei_mutex_lock(&room->lock);
    bool is_there = cedei_room_is_for(actor, generation);
    if (is_there) {
        msg->link.depth_and_tag = (uint64_t)generation << 32;
        list_append(&room->tray, msg);
        cedei_room_announce(actor, generation);
    }
    cedei_mutex_unlock(&room->lock);
    if (!is_there) return CEDE_ENOACTOR;
    cedei_room_call(system, worker, actor);
    return CEDE_OK;
}

struct cedei_msg *cedei_tray_take(cede_self *actor, const struct cede_type *type) {
    struct cedei_room *room = cedei_room_find(actor);
    if (room == NULL) return NULL;
    cedei_mutex_lock(&room->lock);
    cedei_waiting_note(actor, actor->pending_count + room->tray.count);
    struct cedei_msg *msg = cedei_list_take(&room->tray, type);
    cedei_room_quiet(actor, room);
    cedei_mutex_unlock(&room->lock);
    return msg;
}

/* ---- all together ---- */

static cede_result control_deliver(struct push *push) {
    const struct cede_type *type = push->msg->type;
    cede_result r = cedei_lane_send(push->system, push->worker, push->actor,
                                    push->tag & CEDEI_GENERATION_MAX, push->msg, push->tag, false);
    if (r == CEDE_OK) {
        cedei_sent_count(push->system, push->worker, type);
        cedei_mail_came(push->actor);
    }
    return r == CEDE_EFULL ? push_refuse(push) : r;
}

CEDEI_NOINLINE cede_result cedei_overload_deliver(cede_system *system, struct cedei_worker *worker,
                                                  cede_self *from, struct cede_self *actor,
                                                  struct cedei_msg *msg, uint32_t tag) {
    struct push push = {system, worker, from, actor, msg, tag, cedei_weight_of(actor, msg)};
    if (msg->type->special & CEDEI_SPECIAL_CONTROL) return control_deliver(&push);
    if (CEDEI_READ_LATE(actor->when_full) >= CEDE_FULL_DROP_OLDEST) return tray_deliver(&push);
    cede_result r = push_try(&push, 1);
    if (CEDEI_LIKELY(r != CEDE_EFULL)) return r;
    if (CEDEI_READ_LATE(actor->when_full) == CEDE_FULL_DROP_NEWEST) {
        cedei_sent_count(system, worker, msg->type);
        cedei_mail_came(actor);
        msg->link.depth_and_tag = (uint64_t)tag << 32;
        message_give_up(&push, msg);
        return CEDE_OK;
    }
    if (CEDEI_READ_LATE(actor->when_full) == CEDE_FULL_SUSPEND) r = push_and_suspend(&push);
    return r == CEDE_EFULL ? push_refuse(&push) : r;
}
