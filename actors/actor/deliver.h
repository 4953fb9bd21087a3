/* deliver.h - the last steps of every send inside a node, inlined where a message passes in the common case. */
#ifndef CEDEI_ACTOR_DELIVER_H
#define CEDEI_ACTOR_DELIVER_H

#include "actors/actor/actor.h"
#include "actors/actor/tally.h"

/* The push ended a rest that is not plain: beside a signal, or in the middle of a turn. */
cede_result cedei_receiver_wake(cede_system *system, struct cedei_worker *worker,
                                struct cede_self *actor, uint64_t before);

/* Takes `msg`, in state LINK, to `to` even if its mailbox is full, in its place behind others; a dead letter if it is gone. */
void cedei_urgent_send(cede_system *system, struct cedei_worker *worker, cede_ref to,
                       struct cedei_msg *msg);
/* As cedei_urgent_send, and ahead of what waits. */
void cedei_control_send(cede_system *system, struct cedei_worker *worker, cede_ref to,
                        struct cedei_msg *msg);
/* Takes `msg`, a cede_down in state LINK (its place is set, or empty), to `watcher` even if its mailbox is full: nothing else tells it. */
void cedei_down_send(cede_system *system, struct cedei_worker *worker, cede_ref watcher,
                     struct cedei_msg *msg, cede_ref target, cede_result reason);

/* `type`: of the message, read before it was given away. */
CEDEI_INLINE void cedei_sent_count(cede_system *system, struct cedei_worker *worker,
                                   const struct cede_type *type) {
    cedei_tally(system, worker, type, CEDEI_TALLY_SENT);
    if (CEDEI_LIKELY(worker != NULL)) cedei_count_add(&worker->counts.sends, 1);
}

/* The long way of cedei_deliver_into: the receiver is not at rest, or its mailbox is not open to the short ways. */
cede_result cedei_deliver_busy(cede_system *system, struct cedei_worker *worker, cede_self *from,
                               struct cede_self *actor, struct cedei_msg *msg, uint32_t tag);

/* Messages that the consumer has taken and not handled yet. */
static inline int32_t cedei_backlog_of(struct cede_self *actor) {
    /* relaxed: a bound that is exact when nobody else sends or handles. */
    return atomic_load_explicit(&actor->backlog, memory_order_relaxed);
}

/* `from`: the sending actor, whose turn it is, or NULL; `credit`: the account of a link that is to be told when it is taken out, or 0; one of both at most.
 * `tag`: CEDEI_TAG_DEADLINE or 0. Takes `msg` on CEDE_OK; otherwise its owner and link fields have changed and must be set again. */
CEDEI_INLINE cede_result cedei_deliver_into(cede_system *system, struct cedei_worker *worker,
                                            cede_self *from, cede_ref to, struct cedei_msg *msg,
                                            uint32_t credit, uint32_t tag) {
    struct cede_self *actor = cedei_table_slot(system, to.slot);
    if (CEDEI_UNLIKELY(actor == NULL)) return CEDE_ENOACTOR;
    cedei_prefetch_write(&actor->mailbox);
    if (CEDEI_UNLIKELY(cedei_generation_of(actor) != to.generation)) return CEDE_ENOACTOR;
    msg->owner = (uintptr_t)credit << 32 | (uintptr_t)from | (uintptr_t)CEDEI_MSG_MAILBOX;
    const struct cede_type *type = msg->type;
    tag |= to.generation | (credit != 0 ? CEDEI_TAG_CREDIT : 0);
    if (CEDEI_UNLIKELY(
            cedei_backlog_of(actor) >= CEDEI_READ_LATE(actor->open_max) ||
            !cedei_mailbox_push_first(&actor->mailbox, (struct cedei_node *)(void *)msg, tag)))
        return cedei_deliver_busy(system, worker, from, actor, msg, tag);
    cedei_sent_count(system, worker, type);
    cedei_mail_came(actor);
    (void)cedei_sched_submit(&system->sched, worker, &actor->task); /* an actor is never refused */
    return CEDE_OK;
}

#endif
