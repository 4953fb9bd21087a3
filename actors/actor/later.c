/* later.c - messages that are sent later: cede_send_after and its timers.
 * Owns a message in state TIMER from cedei_send_after until it is delivered, taken back or discarded: the wheel's post holds
 * the only pointer to it. It counts as sent when its time has come, not before. */
#include "actors/actor/actor.h"
#include "actors/actor/cycle.h"
#include "actors/actor/deliver.h"
#include "actors/message/traits.h"

/* ---- what a post carries ---- */

static struct cedei_cargo cargo_of(struct cedei_msg *msg, cede_ref to) {
    return (struct cedei_cargo){.what = msg,
                                .where = {to.node, (uint64_t)to.slot << 32 | to.generation}};
}

static cede_ref cargo_ref(const struct cedei_cargo *cargo) {
    return (cede_ref){.node = cargo->where[0],
                      .slot = (uint32_t)(cargo->where[1] >> 32),
                      .generation = (uint32_t)cargo->where[1]};
}

/* ---- its time has come ---- */

/* To an actor of this node, also if its mailbox is full: nobody can be told, and the message exists already. */
static cede_result deliver_local(cede_system *system, struct cedei_worker *worker, cede_ref to,
                                 struct cedei_msg *msg) {
    struct cede_self *actor = cedei_table_slot(system, to.slot);
    if (actor == NULL || cedei_generation_of(actor) != to.generation) return CEDE_ENOACTOR;
    msg->owner = CEDEI_MSG_MAILBOX;
    uint64_t before = 0;
    uint32_t tag = to.generation | (msg->reply.sequence != 0 ? CEDEI_TAG_DEADLINE : 0);
    if (CEDEI_UNLIKELY(msg->type->special & CEDEI_SPECIAL_CONTROL) &&
        cedei_lane_send(system, worker, actor, to.generation, msg, tag, true) == CEDE_OK) {
        cedei_mail_came(actor);
        return CEDE_OK;
    }
    cedei_mail_came(actor);
    CEDEI_CHECK(cedei_mailbox_push(&actor->mailbox, (struct cedei_node *)(void *)msg, tag,
                                   INT32_MAX, 0, &before));
    if (before & (CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV))
        (void)cedei_receiver_wake(system, worker, actor, before);
    return CEDE_OK;
}

static cede_result deliver_remote(cede_system *system, cede_ref to, struct cedei_msg *msg) {
    const struct cedei_remote_ops *ops = cedei_remote_ops_of(system);
    if (ops == NULL) return CEDE_ENODE;
    struct cedei_return back = msg->reply;
    if (back.sequence == 0) back = (struct cedei_return){0};
    msg->owner = CEDEI_MSG_LINK;
    return ops->send(system->remote_context, to, msg, back, cedei_deadline_of_request(system, back));
}

void cedei_later_fire(void *post_context, const struct cedei_cargo *cargo, uint32_t count,
                      void *context) {
    cede_system *system = post_context;
    struct cedei_worker *worker = context;
    cedei_count_add(&worker->counts.timers_fired, count);
    for (uint32_t i = 0; i < count; i++) {
        struct cedei_msg *msg = cargo[i].what;
        cede_ref to = cargo_ref(&cargo[i]);
        const struct cede_type *type = msg->type;
        bool here = to.node == system->uid;
        cede_result r =
            here ? deliver_local(system, worker, to, msg) : deliver_remote(system, to, msg);
        if (here || r != CEDE_OK) cedei_tally_on(worker, type, CEDEI_TALLY_SENT);
        if (CEDEI_UNLIKELY(r != CEDE_OK)) cedei_msg_dead_letter(system, worker, msg, r);
    }
}

void cedei_later_discard(cede_system *system) {
    struct cedei_cargo cargo;
    for (uint32_t i = 0; i < system->sched.worker_count; i++) {
        uint32_t at = 0;
        while (cedei_post_take_any(&system->sched.wheels[i], &at,
                                   &cargo)) { /* ends: nothing posts any more */
            cedei_count_add_shared(&system->sched.shared_counts.timers_cancelled, 1);
            struct cedei_msg *msg = cargo.what;
            cedei_sent_count(system, NULL, msg->type);
            cedei_msg_dead_letter(system, NULL, msg, CEDE_ECLOSED);
        }
    }
}

/* ---- the calls ---- */

/* What cede_send would say now. */
static cede_result target_check(cede_self *self, cede_ref to, const struct cedei_msg *msg) {
    cede_system *system = self->system;
    if (CEDEI_LIKELY(to.node == system->uid))
        return cedei_table_find(system, to) != NULL ? CEDE_OK : CEDE_ENOACTOR;
    if (cede_ref_is_none(to)) return CEDE_ENOACTOR;
    if (cedei_remote_ops_of(system) == NULL) return CEDE_ENODE;
    bool asked_from_afar = msg->reply.sequence != 0 && msg->reply.peer != 0;
    return asked_from_afar ? CEDE_ENOTSUP : cedei_type_leaves(msg->type);
}

cede_result cedei_send_after(cede_self *self, cede_ref to, void **message, uint64_t delay_ns,
                             cede_timer *timer, const char *here) {
    cede_result r = CEDE_OK;
    struct cedei_msg *msg = cedei_msg_disown(self, message, "cede_send_after", here, &r);
    if (CEDEI_UNLIKELY(msg == NULL)) return r;
    bool was_kept = cedei_msg_is_kept(msg);
    struct cedei_post_name name = {0};
    r = target_check(self, to, msg);
    struct cedei_return back = msg->reply;
    if (CEDEI_LIKELY(r == CEDE_OK)) {
        if (CEDEI_UNLIKELY(self->system->strict)) msg = cedei_msg_relocate(self, msg, here);
        msg->owner = CEDEI_MSG_TIMER; /* the first worker to look may deliver it before we return */
        struct cedei_cargo cargo = cargo_of(msg, to);
        r = cedei_sched_post(&self->system->sched, self->worker, &cargo,
                             cedei_deadline_of(delay_ns), &name);
    }
    if (CEDEI_UNLIKELY(r != CEDE_OK)) {
        cedei_msg_reown(self, msg, message, was_kept);
        return r;
    }
    cedei_count_add(&self->worker->counts.timers_set, 1);
    *message = NULL;
    cedei_request_moved(self->system, self->worker, back,
                        to.node == self->system->uid ? to.slot : UINT32_MAX);
    if (timer != NULL)
        *timer = (cede_timer){
            .node = self->system->uid, .place = name.place, .generation = name.generation};
    return CEDE_OK;
}

static cede_result type_accept(const struct cedei_cargo *cargo, const void *type) {
    const struct cedei_msg *msg = cargo->what;
    return msg->type == type ? CEDE_OK : CEDE_ETYPE;
}

/* type NULL: any. */
static cede_result timer_take(cede_self *self, cede_timer timer, const struct cede_type *type,
                              struct cedei_msg **out) {
    if (timer.node != self->system->uid) return CEDE_ENOENT;
    struct cedei_post_name name = {.place = timer.place, .generation = timer.generation};
    struct cedei_wheel *wheel = cedei_sched_wheel_of(&self->system->sched, name);
    struct cedei_cargo cargo;
    if (wheel == NULL) return CEDE_ENOENT;
    cede_result r = cedei_post_take(wheel, name, type != NULL ? type_accept : NULL, type, &cargo);
    if (r != CEDE_OK) return r;
    cedei_count_add(&self->worker->counts.timers_cancelled, 1);
    *out = cargo.what;
    cedei_msg_own_by_turn(self, *out);
    return CEDE_OK;
}

cede_result cede_timer_cancel(cede_self *self, cede_timer timer) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_timer_cancel", "");
    struct cedei_msg *msg = NULL;
    cede_result r = timer_take(self, timer, NULL, &msg);
    if (r != CEDE_OK) return r;
    void *body = cedei_msg_body(msg);
    cedei_drop(self, &body, "cede_timer_cancel");
    return CEDE_OK;
}

cede_result cedei_timer_take(cede_self *self, cede_timer timer, struct cede_type *type,
                             void **message, const char *here) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_timer_take", here);
    if (message == NULL) return CEDE_EINVAL;
    struct cedei_msg *msg = NULL;
    cede_result r = timer_take(self, timer, type, &msg);
    if (r == CEDE_OK) *message = cedei_msg_body(msg);
    return r;
}
