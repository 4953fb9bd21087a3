/* ask.c - asking another actor and answering it. A reply does not go through the mailbox: it ends the one wait that its
 * return address names, so it can neither overtake nor be held up by other messages. */
#include "actors/actor/actor.h"
#include "actors/actor/cycle.h"
#include "actors/actor/deliver.h"
#include "actors/actor/inbox.h"
#include "actors/actor/simulated.h"
#include "actors/actor/wait.h"

/* ---- replies ---- */

/* On CEDE_ETYPE `*expected_type` is what the asker waits for; it may be NULL. */
static cede_result answer_local(cede_system *system, struct cedei_worker *worker,
                                struct cedei_return back, struct cedei_msg *msg, cede_result code,
                                const struct cede_type **expected_type) {
    struct cede_self *asker = cedei_table_slot(system, back.slot);
    if (asker == NULL || cedei_generation_of(asker) != back.generation) return CEDE_ENOACTOR;
    cedei_wake_value value = cedei_wake_code(code);
    const struct cede_type *type = msg != NULL ? msg->type : NULL;
    if (msg != NULL) {
        /* relaxed: stored before the request was sent, which we have received; a later wait's value does no harm, as
         * the wake-up below is for ours only. */
        const struct cede_type *expected =
            atomic_load_explicit(&asker->expected_type, memory_order_relaxed);
        if (CEDEI_UNLIKELY(expected != type)) {
            bool told =
                cedei_wait_wake(system, worker, asker, back.sequence, cedei_wake_code(CEDE_ETYPE));
            if (told && expected_type != NULL) *expected_type = expected;
            return told ? CEDE_ETYPE : CEDE_ENOACTOR;
        }
        msg->owner = CEDEI_MSG_MAILBOX;
        value = (uint64_t)(uintptr_t)msg;
    }
    if (!cedei_wait_wake(system, worker, asker, back.sequence, value)) return CEDE_ENOACTOR;
    if (type != NULL) cedei_sent_count(system, worker, type);
    return CEDE_OK;
}

cede_result cedei_answer(cede_system *system, struct cedei_worker *worker, struct cedei_return back,
                         struct cedei_msg *msg, cede_result code) {
    if (CEDEI_LIKELY(back.peer == 0)) return answer_local(system, worker, back, msg, code, NULL);
    const struct cedei_remote_ops *ops = cedei_remote_ops_of(system);
    if (ops == NULL) return CEDE_ENODE;
    if (msg != NULL) msg->owner = CEDEI_MSG_LINK;
    return ops->reply(system->remote_context, back, msg, code);
}

/* The asker has given up or ended: that is no failure of whoever answers, and must not become one by `return
 * cede_reply(...)`. The answer is a dead letter. */
static CEDEI_NOINLINE void reply_unwanted(cede_self *self, struct cedei_msg *msg,
                                          cede_result reason) {
    cedei_sent_count(self->system, self->worker, msg->type);
    cedei_msg_dead_letter(self->system, self->worker, msg, reason);
}

/* Sends the answer. One of another type than was asked for is a mistake of the program: said here, where its place is known. */
static cede_result reply_send(cede_self *self, struct cedei_return back, struct cedei_msg *msg,
                              const char *here) {
    const struct cede_type *expected_type = NULL;
    if (back.peer != 0) return cedei_answer(self->system, self->worker, back, msg, CEDE_OK);
    cede_result r = answer_local(self->system, self->worker, back, msg, CEDE_OK, &expected_type);
    if (CEDEI_UNLIKELY(expected_type != NULL))
        cedei_log_line(
            &self->system->log, CEDE_LOG_ERROR,
            "cede_reply at %s in actor '%s': the asker waits for a '%s', the answer is a '%s'",
            here, self->behaviour->name, expected_type->name, msg->type->name);
    return r;
}

static CEDEI_NOINLINE cede_result reply_slow(cede_self *self, void *request, void **message,
                                             const char *here) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_reply", here);
    if (request == NULL || message == NULL || *message == NULL) return CEDE_EINVAL;
    struct cedei_msg *asked = cedei_msg_of(request);
    if (CEDEI_UNLIKELY((asked->owner & ~(uintptr_t)15) != (uintptr_t)self)) return CEDE_EOWNER;
    if (asked->reply.sequence == 0) return CEDE_EINVAL;
    cede_result why = CEDE_OK;
    struct cedei_msg *msg = cedei_msg_disown(self, message, "cede_reply", here, &why);
    if (CEDEI_UNLIKELY(msg == NULL)) return why;
    bool was_kept = cedei_msg_is_kept(msg), is_request = msg == asked;
    struct cedei_return back = asked->reply, before = msg->reply;
    if (CEDEI_UNLIKELY(self->system->strict)) msg = cedei_msg_relocate(self, msg, here);
    msg->reply.sequence = 0;
    cede_result r = reply_send(self, back, msg, here);
    if (CEDEI_UNLIKELY(r == CEDE_ENOACTOR || r == CEDE_ENODE)) {
        if (!is_request) msg->reply = before;
        reply_unwanted(self, msg, r);
        r = CEDE_OK;
    }
    if (CEDEI_UNLIKELY(r != CEDE_OK)) {
        msg->reply = before;
        if (is_request) asked = msg;
        if (r != CEDE_EFULL) asked->reply.sequence = 0; /* the asker was told why */
        cedei_msg_reown(self, msg, message, was_kept);
        return r;
    }
    *message = NULL;
    if (is_request) return CEDE_OK;
    asked->reply.sequence = 0;
    if (CEDEI_UNLIKELY(before.sequence != 0)) /* a request was given away as the answer to another */
        (void)cedei_answer(self->system, self->worker, before, NULL, CEDE_ENOREPLY);
    return CEDE_OK;
}

/* The common way: an asker in this node, an answer that the turn owns. Whatever is unusual starts over in reply_slow. */
cede_result cedei_reply(cede_self *self, void *request, void **message, const char *here) {
    if (CEDEI_UNLIKELY(CEDEI_CHECKS || self == NULL || request == NULL || message == NULL ||
                       *message == NULL))
        return reply_slow(self, request, message, here);
    struct cedei_msg *asked = cedei_msg_of(request), *msg = cedei_msg_of(*message);
    struct cedei_return back = asked->reply;
    cede_system *system = self->system;
    uintptr_t mine = (uintptr_t)self | (uintptr_t)CEDEI_MSG_TURN;
    struct cede_self *asker = cedei_table_slot(system, back.slot);
    if (CEDEI_UNLIKELY(system->strict || back.peer != 0 || back.sequence == 0 ||
                       asked->owner != mine || msg->owner != mine || asker == NULL ||
                       (msg != asked && msg->reply.sequence != 0)))
        return reply_slow(self, request, message, here);
    /* relaxed: see answer_local. */
    const struct cede_type *type = msg->type;
    if (CEDEI_UNLIKELY(atomic_load_explicit(&asker->expected_type, memory_order_relaxed) != type ||
                       cedei_generation_of(asker) != back.generation))
        return reply_slow(self, request, message, here);
    if (msg == self->current) {
        self->current = NULL;
    } else {
        cedei_msg_unlink(msg);
    }
    asked->reply.sequence = 0;
    msg->owner = CEDEI_MSG_MAILBOX;
    *message = NULL;
    struct cedei_worker *worker = self->worker;
    CEDEI_ASSUME(worker != NULL); /* a turn has one */
    if (CEDEI_UNLIKELY(
            !cedei_wait_wake(system, worker, asker, back.sequence, (uint64_t)(uintptr_t)msg))) {
        reply_unwanted(self, msg, CEDE_ENOACTOR);
        return CEDE_OK;
    }
    cedei_tally_on(worker, type, CEDEI_TALLY_SENT);
    return CEDE_OK;
}

void cedei_reply_deliver(cede_system *system, struct cedei_return back, struct cedei_msg *msg,
                         cede_result code) {
    back.peer = 0;
    cede_result r = answer_local(system, NULL, back, msg, code, NULL);
    if (r == CEDE_OK || msg == NULL) return;
    cedei_sent_count(system, NULL, msg->type);
    cedei_msg_dead_letter(system, NULL, msg, r);
}

/* ---- ask ---- */

CEDEI_INLINE cede_result ask_send(cede_self *from, cede_self *self, cede_ref to,
                                  struct cedei_msg *msg, uint32_t sequence, uint64_t deadline_ns,
                                  const char *here) {
    cede_system *system = self->system;
    struct cedei_return back = {
        .slot = self->slot, .generation = cedei_generation_of(self), .sequence = sequence};
    if (CEDEI_UNLIKELY(to.node != system->uid)) {
        const struct cedei_remote_ops *ops = cedei_remote_ops_of(system);
        if (cede_ref_is_none(to)) return CEDE_ENOACTOR;
        if (ops == NULL) return CEDE_ENODE;
        msg->owner = CEDEI_MSG_LINK;
        return ops->send(system->remote_context, to, msg, back, deadline_ns);
    }
    if (CEDEI_UNLIKELY(cedei_cycle_report(self, to.slot, CEDEI_ASKED_REPLY, "cede_ask", here)))
        return CEDE_EDEADLK;
    cedei_asked_set(self, to.slot, CEDEI_ASKED_REPLY);
    msg->reply = back;
    return cedei_deliver_into(system, from->worker, from, to, msg, 0,
                              deadline_ns != UINT64_MAX ? CEDEI_TAG_DEADLINE : 0);
}

/* The earlier of the ask's own deadline and those of the requests that the turn holds. False: one of these has passed. */
static CEDEI_NOINLINE bool deadline_inherit(cede_self *self, uint64_t *deadline_ns) {
    uint64_t inherited_ns = cedei_deadline_of_turn(self, true);
    if (inherited_ns == UINT64_MAX) return true;
    if (inherited_ns <= cedei_clock_now_ns()) return false;
    if (inherited_ns < *deadline_ns) *deadline_ns = inherited_ns;
    return true;
}

/* Sends the request of the turn `self`, and begins the wait that the reply ends: of `asker`, who is `self` or stands for it. */
CEDEI_INLINE cede_result ask_begin(cede_self *self, cede_self *asker, cede_ref to, void **request,
                                   struct cede_type *reply_type, uint64_t timeout_ns,
                                   const char *call, const char *here, struct cedei_ask_wait *out) {
    cede_result why = CEDE_OK;
    struct cedei_msg *msg = cedei_msg_disown(self, request, call, here, &why);
    if (CEDEI_UNLIKELY(msg == NULL)) return why;
    bool was_kept = cedei_msg_is_kept(msg);
    struct cedei_return before = msg->reply;
    uint64_t deadline_ns = cedei_deadline_of(timeout_ns);
    if (CEDEI_UNLIKELY(cedei_turn_may_inherit(self)) && !deadline_inherit(self, &deadline_ns)) {
        cedei_msg_reown(self, msg, request, was_kept);
        return CEDE_ETIMEDOUT;
    }
    if (CEDEI_UNLIKELY(self->system->strict)) msg = cedei_msg_relocate_to(self, msg, to, here);
    if (cedei_simulated_refusal(self, to, msg)) {
        cedei_msg_reown(self, msg, request, was_kept);
        return CEDE_EFULL;
    }
    /* relaxed: published with the request. */
    atomic_store_explicit(&asker->expected_type, reply_type, memory_order_relaxed);
    uint32_t sequence = cedei_wait_begin(asker);
    cedei_wait_deadline_announce(asker, sequence, deadline_ns);
    cede_result r = ask_send(self, asker, to, msg, sequence, deadline_ns, here);
    if (CEDEI_UNLIKELY(r != CEDE_OK)) {
        (void)cedei_wait_withdraw(asker, sequence);
        cedei_wait_deadline_clear(asker, deadline_ns);
        cedei_asked_clear(asker);
        msg->reply = before;
        cedei_msg_reown(self, msg, request, was_kept);
        return r;
    }
    *request = NULL;
    if (CEDEI_UNLIKELY(before.sequence != 0))
        (void)cedei_answer(self->system, self->worker, before, NULL, CEDE_ENOREPLY);
    *out = (struct cedei_ask_wait){sequence, deadline_ns};
    return CEDE_OK;
}

cede_result cedei_ask_begin_for(cede_self *self, cede_self *asker, cede_ref to, void **request,
                                struct cede_type *reply_type, uint64_t timeout_ns, const char *here,
                                struct cedei_ask_wait *out) {
    return ask_begin(self, asker, to, request, reply_type, timeout_ns, "cede_ask_start", here, out);
}

/* What the wait brought: a reply, or why there is none. */
CEDEI_INLINE cede_result ask_end(cede_self *self, cedei_wake_value value, void **reply) {
    cedei_asked_clear(self);
    if (CEDEI_UNLIKELY(value < cedei_wake_code(CEDEI_RESULT_COUNT)))
        return (cede_result)(value >> 4);
    struct cedei_msg *answer = (struct cedei_msg *)(uintptr_t)value;
    cedei_handled_count(self, self->worker, answer->type);
    answer->owner = (uintptr_t)self | (uintptr_t)CEDEI_MSG_TURN;
    cedei_msg_link(&self->turn_list, answer);
    *reply = cedei_msg_body(answer);
    return CEDE_OK;
}

static CEDEI_NOINLINE CEDE_YIELDS cede_result ask_slow(cede_self *self, cede_ref to, void **request,
                                                       struct cede_type *reply_type, void **reply,
                                                       uint64_t timeout_ns, const char *here) {
    struct cedei_ask_wait wait = {0};
    if (reply == NULL) return CEDE_EINVAL;
    cede_result r =
        ask_begin(self, self, to, request, reply_type, timeout_ns, "cede_ask", here, &wait);
    if (CEDEI_UNLIKELY(r != CEDE_OK)) return r;
    return ask_end(self, cedei_wait_announced(self, wait.sequence, wait.deadline_ns), reply);
}

/* The wait has begun, but the actor that is asked is not at rest, or its mailbox is not open to the short ways. */
static CEDEI_NOINLINE CEDE_YIELDS cede_result ask_busy(cede_self *self, struct cede_self *asked,
                                                       uint32_t generation, struct cedei_msg *msg,
                                                       void **request, void **reply) {
    uint32_t sequence = self->sequence;
    cede_result r = cedei_deliver_busy(self->system, self->worker, self, asked, msg, generation);
    if (CEDEI_UNLIKELY(r != CEDE_OK)) {
        (void)cedei_wait_withdraw(self, sequence);
        cedei_asked_clear(self);
        msg->reply = (struct cedei_return){0};
        cedei_msg_reown(self, msg, request, false);
        return r;
    }
    *request = NULL;
    return ask_end(self, cedei_wait_finish(self, sequence, CEDE_FOREVER), reply);
}

/* The common way: a message of the turn's, to another actor of this node that waits for nobody, without a limit. Whatever is unusual starts
 * over in ask_slow. An actor that was at rest is gone on with at once. */
CEDE_YIELDS cede_result cedei_ask(cede_self *self, cede_ref to, void **request,
                                  struct cede_type *reply_type, void **reply, uint64_t timeout_ns,
                                  const char *here) {
    if (CEDEI_UNLIKELY(self == NULL || request == NULL || *request == NULL || reply == NULL ||
                       timeout_ns != CEDE_FOREVER))
        return ask_slow(self, to, request, reply_type, reply, timeout_ns, here);
    cedei_self_check(self, "cede_ask", here);
    struct cedei_msg *msg = cedei_msg_of(*request);
    cede_system *system = self->system;
    bool is_current = msg == self->current;
    struct cede_self *asked = cedei_table_slot(system, to.slot);
    if (CEDEI_UNLIKELY(to.node != system->fast_uid || msg->reply.sequence != 0 ||
                       !(is_current || msg->owner == ((uintptr_t)self | (uintptr_t)CEDEI_MSG_TURN)) ||
                       asked == NULL || asked == self || cedei_turn_may_inherit(self)))
        return ask_slow(self, to, request, reply_type, reply, timeout_ns, here);
    cedei_prefetch_write(&asked->mailbox);
    if (CEDEI_UNLIKELY(cedei_generation_of(asked) != to.generation || cedei_is_waiting(asked)))
        return ask_slow(self, to, request, reply_type, reply, timeout_ns, here);
    if (cedei_simulated_refusal(self, to, msg)) return CEDE_EFULL;
    if (is_current)
        self->current = NULL;
    else
        cedei_msg_unlink(msg);
    /* relaxed: published with the request. */
    atomic_store_explicit(&self->expected_type, reply_type, memory_order_relaxed);
    uint32_t sequence = cedei_wait_begin(self);
    cedei_asked_set(self, to.slot, CEDEI_ASKED_REPLY);
    msg->reply = (struct cedei_return){
        .slot = self->slot, .generation = cedei_generation_of(self), .sequence = sequence};
    msg->owner = (uintptr_t)self | (uintptr_t)CEDEI_MSG_MAILBOX;
    const struct cede_type *type = msg->type;
    if (CEDEI_UNLIKELY(cedei_backlog_of(asked) >= CEDEI_READ_LATE(asked->open_max) ||
                       !cedei_mailbox_push_first(&asked->mailbox, (struct cedei_node *)(void *)msg,
                                                 to.generation)))
        return ask_busy(self, asked, to.generation, msg, request, reply);
    cedei_tally_on(self->worker, type, CEDEI_TALLY_SENT);
    cedei_mail_came(asked);
    *request = NULL;
    return ask_end(self, cedei_wait_handing_over(self, sequence, &asked->task), reply);
}

cede_result cedei_ask_sync(cede_inbox *inbox, cede_ref to, void **request,
                           struct cede_type *reply_type, void **reply, uint64_t timeout_ns,
                           const char *here) {
    struct cedei_ask_wait wait = {0};
    cede_result r = cedei_inbox_check(inbox, "cede_ask_sync");
    if (r != CEDE_OK) return r;
    if (reply == NULL) return CEDE_EINVAL;
    cedei_inbox_enter(inbox);
    r = ask_begin(inbox->self, inbox->self, to, request, reply_type, timeout_ns, "cede_ask_sync",
                  here, &wait);
    if (r == CEDE_OK) {
        cedei_wake_value value = cedei_inbox_wait(inbox, wait.sequence, wait.deadline_ns);
        cedei_wait_deadline_clear(inbox->self, wait.deadline_ns);
        r = ask_end(inbox->self, value, reply);
    }
    cedei_inbox_leave(inbox);
    return r;
}

/* ---- for asks that something else may end too ---- */

CEDE_YIELDS cede_result cedei_ask_finish(cede_self *self, const struct cedei_ask_wait *wait,
                                         void **reply) {
    cedei_wake_value value = cedei_wait_announced(self, wait->sequence, wait->deadline_ns);
    cede_result r = ask_end(self, value, reply);
    return value == cedei_wake_code(CEDE_OK) ? CEDE_ECANCELED : r;
}
