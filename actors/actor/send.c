/* send.c - putting messages into mailboxes, and waiting for room in them. */
#include "actors/actor/actor.h"
#include "actors/actor/cycle.h"
#include "actors/actor/deliver.h"
#include "actors/actor/simulated.h"
#include "actors/actor/wait.h"
#include "core/sys/alloc.h"
#include "core/sys/clock.h"

const struct cedei_remote_ops *cedei_remote_ops_of(cede_system *system) {
    /* acquire: pairs with the release in cedei_system_set_remote; publishes remote_context. */
    return atomic_load_explicit(&system->remote_ops, memory_order_acquire);
}

CEDEI_NOINLINE cede_result cedei_receiver_wake(cede_system *system, struct cedei_worker *worker,
                                               struct cede_self *actor, uint64_t before) {
    if (before & CEDEI_MAILBOX_IDLE) /* with a signal beside it */
        return cedei_sched_submit(&system->sched, worker, &actor->task);
    /* relaxed: stored before RECV was set, which we have cleared with acquire. */
    uint32_t sequence = atomic_load_explicit(&actor->recv_sequence, memory_order_relaxed);
    cedei_wait_wake(system, worker, actor, sequence, cedei_wake_code(CEDE_OK));
    return CEDE_OK;
}

/* An actor that is neither at rest nor to be asked what becomes of the message is the common case here. */
CEDEI_NOINLINE cede_result cedei_deliver_busy(cede_system *system, struct cedei_worker *worker,
                                              cede_self *from, struct cede_self *actor,
                                              struct cedei_msg *msg, uint32_t tag) {
    uint64_t before = 0;
    const struct cede_type *type = msg->type;
    if (CEDEI_UNLIKELY(type->special != 0) ||
        CEDEI_UNLIKELY(!cedei_mailbox_push_behind(&actor->mailbox, (struct cedei_node *)(void *)msg,
                                                  tag, CEDEI_READ_LATE(actor->open_max),
                                                  cedei_backlog_of(actor), &before)))
        return cedei_overload_deliver(system, worker, from, actor, msg, tag);
    cedei_sent_count(system, worker, type);
    cedei_mail_came(actor);
    if (CEDEI_LIKELY(before == CEDEI_MAILBOX_IDLE))
        return cedei_sched_submit(&system->sched, worker, &actor->task);
    if (CEDEI_UNLIKELY((before & (CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV)) != 0))
        return cedei_receiver_wake(system, worker, actor, before);
    return CEDE_OK;
}

static cede_result mailbox_deliver(cede_self *self, cede_ref to, struct cedei_msg *msg) {
    uintptr_t owner = msg->owner;
    cede_result r = cedei_deliver_into(self->system, self->worker, self, to, msg, 0, 0);
    if (CEDEI_UNLIKELY(r != CEDE_OK)) msg->owner = owner;
    return r;
}

static cede_result remote_send(cede_system *system, cede_ref to, struct cedei_msg *msg,
                               struct cedei_return back) {
    const struct cedei_remote_ops *ops = cedei_remote_ops_of(system);
    if (ops == NULL) return CEDE_ENODE;
    uintptr_t owner = msg->owner;
    msg->owner = CEDEI_MSG_LINK;
    cede_result r =
        ops->send(system->remote_context, to, msg, back, cedei_deadline_of_request(system, back));
    if (r != CEDE_OK) msg->owner = owner;
    return r;
}

/* A request that is sent on takes the duty to reply along: `reply` stays as it is. */
static cede_result send_one(cede_self *self, cede_ref to, struct cedei_msg *msg) {
    cede_system *system = self->system;
    if (CEDEI_LIKELY(to.node == system->uid)) return mailbox_deliver(self, to, msg);
    if (cede_ref_is_none(to)) return CEDE_ENOACTOR;
    struct cedei_return back = msg->reply;
    if (back.sequence == 0) back = (struct cedei_return){0};
    if (back.peer != 0)
        return CEDE_ENOTSUP; /* the reply would have to go round by us, which is gone by then */
    return remote_send(system, to, msg, back);
}

static CEDEI_NOINLINE cede_result send_slow(cede_self *self, cede_ref to, void **body,
                                            const char *here) {
    cede_result r = CEDE_OK;
    struct cedei_msg *msg = cedei_msg_disown(self, body, "cede_send", here, &r);
    if (CEDEI_UNLIKELY(msg == NULL)) return r;
    bool was_kept = cedei_msg_is_kept(msg);
    if (CEDEI_UNLIKELY(self->system->strict)) msg = cedei_msg_relocate_to(self, msg, to, here);
    struct cedei_return back = msg->reply;
    r = cedei_simulated_refusal(self, to, msg) ? CEDE_EFULL : send_one(self, to, msg);
    if (CEDEI_UNLIKELY(r != CEDE_OK)) {
        cedei_msg_reown(self, msg, body, was_kept);
        return r;
    }
    *body = NULL;
    cedei_request_moved(self->system, self->worker, back,
                        to.node == self->system->uid ? to.slot : UINT32_MAX);
    return CEDE_OK;
}

static CEDEI_NOINLINE cede_result send_undo(cede_self *self, struct cedei_msg *msg, void **body,
                                            cede_result r) {
    cedei_msg_own_by_turn(self, msg);
    *body = cedei_msg_body(msg);
    return r;
}

static CEDEI_NOINLINE cede_result send_overload(cede_self *self, struct cede_self *actor,
                                                uint32_t generation, struct cedei_msg *msg,
                                                void **body) {
    cede_result r = cedei_overload_deliver(self->system, self->worker, self, actor, msg, generation);
    return CEDEI_LIKELY(r == CEDE_OK) ? CEDE_OK : send_undo(self, msg, body, r);
}

/* To an actor that is not at rest: cedei_deliver_busy, with nothing behind the calls. */
static CEDEI_NOINLINE cede_result send_to_busy(cede_self *self, struct cede_self *actor,
                                               uint32_t generation, struct cedei_msg *msg,
                                               void **body) {
    const struct cede_type *type = msg->type;
    uint64_t before = 0;
    if (CEDEI_UNLIKELY(type->special != 0) ||
        CEDEI_UNLIKELY(!cedei_mailbox_push_behind(&actor->mailbox, (struct cedei_node *)(void *)msg,
                                                  generation, CEDEI_READ_LATE(actor->open_max),
                                                  cedei_backlog_of(actor), &before)))
        return send_overload(self, actor, generation, msg, body);
    cedei_tally_on(self->worker, type, CEDEI_TALLY_SENT);
    if (CEDEI_UNLIKELY((before & (CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV)) != 0))
        return cedei_receiver_wake(self->system, self->worker, actor, before);
    return CEDE_OK;
}

/* Nothing is needed after the calls on the rare branches, so that none of them costs the common way a saved register. */
cede_result cedei_send(cede_self *self, cede_ref to, void **message, const char *here) {
    if (CEDEI_UNLIKELY(CEDEI_CHECKS || self == NULL || message == NULL || *message == NULL))
        return send_slow(self, to, message, here);
    struct cedei_msg *msg = cedei_msg_of(*message);
    cede_system *system = self->system;
    bool is_current = msg == self->current;
    /* The short way: to an actor of this node, a message that the turn owns and that is no request. */
    if (CEDEI_UNLIKELY(to.node != system->fast_uid || msg->reply.sequence != 0 ||
                       !(is_current || msg->owner == ((uintptr_t)self | (uintptr_t)CEDEI_MSG_TURN))))
        return send_slow(self, to, message, here);
    if (cedei_simulated_refusal(self, to, msg)) return CEDE_EFULL;
    if (is_current) {
        self->current = NULL;
    } else {
        cedei_msg_unlink(msg);
    }
    *message = NULL;
    struct cede_self *actor = cedei_table_slot(system, to.slot);
    if (CEDEI_UNLIKELY(actor == NULL)) return send_undo(self, msg, message, CEDE_ENOACTOR);
    cedei_prefetch_write(&actor->mailbox);
    if (CEDEI_UNLIKELY(cedei_generation_of(actor) != to.generation))
        return send_undo(self, msg, message, CEDE_ENOACTOR);
    msg->owner = (uintptr_t)self | (uintptr_t)CEDEI_MSG_MAILBOX;
    const struct cede_type *type = msg->type;
    if (CEDEI_UNLIKELY(cedei_backlog_of(actor) >= CEDEI_READ_LATE(actor->open_max) ||
                       !cedei_mailbox_push_first(&actor->mailbox, (struct cedei_node *)(void *)msg,
                                                 to.generation)))
        return send_to_busy(self, actor, to.generation, msg, message);
    struct cedei_worker *worker = self->worker;
    CEDEI_ASSUME(worker != NULL); /* a turn has one */
    cedei_tally_on(worker, type, CEDEI_TALLY_SENT);
    return cedei_sched_submit(&system->sched, worker, &actor->task); /* an actor is never refused */
}

/* ---- waiting for room ---- */

/* In a link, which wakes all that wait when it has room; they try again. */
static CEDE_YIELDS cede_result send_wait_remote(cede_self *self, cede_ref to, void **message,
                                                uint64_t deadline_ns, const char *here) {
    cede_system *system = self->system;
    for (;;) { /* until there is room, an error, or the time has passed */
        const struct cedei_remote_ops *ops = cedei_remote_ops_of(system);
        if (ops == NULL) return CEDE_ENODE;
        uint32_t sequence = cedei_wait_begin(self);
        cede_result r = ops->await_room(system->remote_context, to, cedei_ref_of(self), sequence);
        if (r == CEDE_OK)
            r = cedei_send(self, to, message, here); /* room may have come before we were listed */
        if (r != CEDE_EFULL) {
            (void)cedei_wait_withdraw(self, sequence);
            return r;
        }
        r = (cede_result)(cedei_wait_until(self, sequence, deadline_ns) >> 4);
        if (r != CEDE_OK) return r;
    }
}

CEDE_YIELDS cede_result cedei_send_wait(cede_self *self, cede_ref to, void **message,
                                        uint64_t timeout_ns, const char *here) {
    cede_result r = cedei_send(self, to, message, here);
    if (CEDEI_LIKELY(r != CEDE_EFULL)) return r;
    uint64_t deadline_ns = cedei_deadline_of(timeout_ns);
    if (to.node != self->system->uid) return send_wait_remote(self, to, message, deadline_ns, here);
    return cedei_room_wait(self, to, message, deadline_ns, here);
}

/* ---- for links ---- */

cede_result cedei_deliver(cede_system *system, cede_ref to, struct cedei_msg *msg,
                          uint32_t account) {
    struct cedei_worker *worker = cedei_worker_current();
    if (!cedei_sched_has(&system->sched, worker)) worker = NULL;
    cede_result r = cedei_deliver_into(system, worker, NULL, to, msg, account, 0);
    if (r != CEDE_OK) msg->owner = CEDEI_MSG_LINK;
    return r;
}

void cedei_urgent_send(cede_system *system, struct cedei_worker *worker, cede_ref to,
                       struct cedei_msg *msg) {
    cedei_sent_count(system, worker, msg->type);
    struct cede_self *actor = cedei_table_slot(system, to.slot);
    if (actor == NULL || cedei_generation_of(actor) != to.generation) {
        cedei_msg_dead_letter(system, worker, msg, CEDE_ENOACTOR);
        return;
    }
    cedei_mail_came(actor);
    msg->owner = CEDEI_MSG_MAILBOX;
    if (CEDEI_READ_LATE(actor->when_full) >= CEDE_FULL_DROP_OLDEST &&
        cedei_tray_send(system, worker, actor, to.generation, msg) == CEDE_OK)
        return;
    uint64_t before = 0;
    CEDEI_CHECK(cedei_mailbox_push(&actor->mailbox, (struct cedei_node *)(void *)msg, to.generation,
                                   INT32_MAX, 0, &before));
    if ((before & (CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV)) != 0)
        (void)cedei_receiver_wake(system, worker, actor, before);
}

void cedei_control_send(cede_system *system, struct cedei_worker *worker, cede_ref to,
                        struct cedei_msg *msg) {
    struct cede_self *actor = cedei_table_find(system, to);
    if (actor != NULL) {
        const struct cede_type *type = msg->type;
        msg->owner = CEDEI_MSG_MAILBOX;
        cede_result r =
            cedei_lane_send(system, worker, actor, to.generation, msg, to.generation, true);
        if (r == CEDE_OK) {
            cedei_sent_count(system, worker, type);
            cedei_mail_came(actor);
            return;
        }
    }
    cedei_urgent_send(system, worker, to, msg); /* gone, or no memory for a lane */
}

void cedei_down_send(cede_system *system, struct cedei_worker *worker, cede_ref watcher,
                     struct cedei_msg *msg, cede_ref target, cede_result reason) {
    struct cede_down *down = cedei_msg_body(msg);
    down->actor = target;
    down->reason = (int32_t)reason;
    /* The data of an actor elsewhere cannot be told from that of its neighbours, so its end keeps its place behind them. */
    if (target.node == system->uid)
        cedei_control_send(system, worker, watcher, msg);
    else
        cedei_urgent_send(system, worker, watcher, msg);
}

void cedei_down_deliver(cede_system *system, cede_ref watcher, cede_ref target, cede_result reason) {
    struct cedei_worker *worker = cedei_worker_current();
    if (!cedei_sched_has(&system->sched, worker)) worker = NULL;
    struct cedei_msg *msg = cedei_msg_take(system, worker, &cede_type_cede_down);
    if (msg == NULL) {
        cedei_log(system, CEDE_LOG_ERROR, "out of memory: a cede_down message for an actor is lost");
        return;
    }
    cedei_down_send(system, worker, watcher, msg, target, reason);
}
