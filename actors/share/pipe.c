/* pipe.c - the queue behind channels and oneshots. Invariants: pipe.h. */
#include "actors/share/pipe.h"

#include <string.h>

#include "actors/actor/actor.h"
#include "actors/actor/deliver.h"
#include "actors/share/share.h"

/* ---- life ---- */

static struct cedei_pipe *pipe_create(cede_self *self, const struct cede_type *type,
                                      uint32_t capacity) {
    struct cedei_pipe *pipe =
        cedei_block_take(&self->system->sched.depot, &self->worker->blocks, sizeof *pipe);
    if (pipe == NULL) return NULL;
    memset(pipe, 0, sizeof *pipe);
    pipe->system = self->system;
    pipe->type = type;
    pipe->capacity = capacity;
    pipe->last = &pipe->first;
    cedei_refcount_init(&pipe->ends);
    cedei_refcount_take(&pipe->ends);
    cedei_mutex_init(&pipe->lock);
    cedei_line_init(&pipe->senders);
    cedei_line_init(&pipe->receivers);
    return pipe;
}

static void pipe_free(struct cedei_pipe *pipe) {
    struct cedei_worker *worker = cedei_share_worker(pipe->system);
    cedei_mutex_fini(&pipe->lock);
    cedei_block_give(&pipe->system->sched.depot, worker != NULL ? &worker->blocks : NULL, pipe,
                     sizeof *pipe);
}

static void end_release(struct cedei_pipe *pipe) {
    if (cedei_refcount_give(&pipe->ends)) pipe_free(pipe);
}

void cedei_pipe_sender_drop(struct cedei_pipe_end *end) {
    if (end->pipe == NULL) return;
    if (!end->is_spent) cedei_pipe_shut(end->pipe);
    end_release(end->pipe);
}

void cedei_pipe_receiver_drop(struct cedei_pipe_end *end) {
    if (end->pipe == NULL) return;
    if (!end->is_spent) cedei_pipe_deafen(end->pipe);
    end_release(end->pipe);
}

cede_result cedei_pipe_create(cede_self *self, const struct cede_type *type, uint32_t capacity,
                              struct cede_type *sender_type, void **sender,
                              struct cede_type *receiver_type, void **receiver) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (sender == NULL || receiver == NULL || capacity == 0) return CEDE_EINVAL;
    struct cedei_pipe_end *in = cedei_share_create(self, sender_type);
    struct cedei_pipe_end *out = cedei_share_create(self, receiver_type);
    struct cedei_pipe *pipe = in != NULL && out != NULL ? pipe_create(self, type, capacity) : NULL;
    if (pipe == NULL) {
        cedei_share_unref(in);
        cedei_share_unref(out);
        return CEDE_ENOMEM;
    }
    in->pipe = out->pipe = pipe;
    *sender = in;
    *receiver = out;
    return CEDE_OK;
}

/* ---- closing ---- */

/* Under the lock: refuses as many as fit into `wakes`; whether there are more. */
static bool line_refuse(struct cedei_line *line, struct cedei_wakes *wakes) {
    while (line->first != NULL && wakes->count < CEDEI_WAKES_MAX)
        cedei_line_give(line, line->first, CEDE_ECLOSED, wakes);
    return line->first != NULL;
}

/* With one more flag set, nobody waits for what will not come. What is left over goes to `*rest` when nobody takes it. */
static void pipe_close(struct cedei_pipe *pipe, bool *flag, struct cedei_msg **rest) {
    struct cedei_wakes wakes = {.count = 0};
    bool is_more = true;
    while (is_more) { /* each round wakes as many as fit */
        cedei_mutex_lock(&pipe->lock);
        *flag = true;
        is_more = line_refuse(&pipe->senders, &wakes);
        if (!is_more) is_more = line_refuse(&pipe->receivers, &wakes);
        if (pipe->is_deaf && pipe->first != NULL) {
            *rest = pipe->first;
            pipe->first = NULL;
            pipe->last = &pipe->first;
            pipe->count = 0;
        }
        cedei_mutex_unlock(&pipe->lock);
        cedei_wakes_send(pipe->system, &wakes);
    }
}

void cedei_pipe_shut(struct cedei_pipe *pipe) {
    struct cedei_msg *none = NULL;
    pipe_close(pipe, &pipe->is_shut, &none);
}

static void letters_drop(struct cedei_pipe *pipe, struct cedei_msg *msg) {
    while (msg != NULL) { /* as many as were in the queue */
        struct cedei_msg *next = msg->next;
        cedei_msg_dead_letter(pipe->system, cedei_share_worker(pipe->system), msg, CEDE_ECLOSED);
        msg = next;
    }
}

void cedei_pipe_deafen(struct cedei_pipe *pipe) {
    struct cedei_msg *rest = NULL;
    pipe_close(pipe, &pipe->is_deaf, &rest);
    letters_drop(pipe, rest);
}

/* ---- the queue, under the lock ---- */

static void queue_put(struct cedei_pipe *pipe, struct cedei_msg *msg) {
    msg->next = NULL;
    *pipe->last = msg;
    pipe->last = &msg->next;
    pipe->count++;
}

static struct cedei_msg *queue_take(struct cedei_pipe *pipe) {
    struct cedei_msg *msg = pipe->first;
    pipe->first = msg->next;
    if (pipe->first == NULL) pipe->last = &pipe->first;
    pipe->count--;
    return msg;
}

static void queue_put_back(struct cedei_pipe *pipe, struct cedei_msg *msg) {
    msg->next = pipe->first;
    if (pipe->first == NULL) pipe->last = &msg->next;
    pipe->first = msg;
    pipe->count++;
}

static void receiver_give(struct cedei_pipe *pipe, struct cedei_msg *msg,
                          struct cedei_wakes *wakes) {
    struct cedei_place *receiver = pipe->receivers.first;
    receiver->gift = msg;
    cedei_line_give(&pipe->receivers, receiver, CEDE_OK, wakes);
}

/* CEDE_EFULL: somebody has to wait. */
static cede_result put(struct cedei_pipe *pipe, struct cedei_msg *msg, struct cedei_wakes *wakes) {
    if (CEDEI_UNLIKELY(pipe->is_shut || pipe->is_deaf)) return CEDE_ECLOSED;
    if (pipe->receivers.first != NULL)
        receiver_give(pipe, msg, wakes);
    else if (pipe->count < pipe->capacity)
        queue_put(pipe, msg);
    else
        return CEDE_EFULL;
    if (pipe->is_once) pipe->is_shut = true;
    cedei_sent_count(pipe->system, cedei_share_worker(pipe->system), pipe->type);
    return CEDE_OK;
}

/* NULL: nothing is there, and `*why` is CEDE_ECLOSED if nothing will come. */
static struct cedei_msg *take(struct cedei_pipe *pipe, struct cedei_wakes *wakes, cede_result *why) {
    if (CEDEI_UNLIKELY(pipe->count == 0 || pipe->is_deaf)) {
        if (pipe->is_shut || pipe->is_deaf) *why = CEDE_ECLOSED;
        return NULL;
    }
    struct cedei_msg *msg = queue_take(pipe);
    struct cedei_place *sender = pipe->senders.first;
    if (sender != NULL && pipe->count < pipe->capacity) {
        queue_put(pipe, sender->gift);
        cedei_sent_count(pipe->system, cedei_share_worker(pipe->system),
                         pipe->type); /* it may end before it knows */
        cedei_line_give(&pipe->senders, sender, CEDE_OK, wakes);
    }
    return msg;
}

/* ---- waits that end otherwise ---- */

/* Takes `place` out of `line` if it is there. */
static bool line_leave(struct cedei_pipe *pipe, struct cedei_line *line, struct cedei_place *place) {
    cedei_mutex_lock(&pipe->lock);
    bool was_lined = place->state == CEDEI_PLACE_LINED;
    if (was_lined) cedei_line_remove(line, place);
    cedei_mutex_unlock(&pipe->lock);
    return was_lined;
}

/* The sender has ended: its message was taken, or is dropped with what else it owned. */
static void sender_leave(struct cedei_place *place) {
    struct cedei_pipe *pipe = place->object;
    if (line_leave(pipe, &pipe->senders, place) || place->result != CEDE_OK)
        cedei_msg_drop_one(pipe->system, cedei_share_worker(pipe->system), place->gift);
}

/* A receiver that has ended was given `msg`: it is the next again. */
static void msg_put_back(struct cedei_pipe *pipe, struct cedei_msg *msg) {
    struct cedei_wakes wakes = {.count = 0};
    cedei_mutex_lock(&pipe->lock);
    bool is_unwanted = pipe->is_deaf;
    if (!is_unwanted && pipe->receivers.first != NULL)
        receiver_give(pipe, msg, &wakes);
    else if (!is_unwanted)
        queue_put_back(pipe, msg);
    cedei_mutex_unlock(&pipe->lock);
    msg = is_unwanted ? msg : NULL;
    if (msg != NULL) msg->next = NULL;
    letters_drop(pipe, msg);
    cedei_wakes_send(pipe->system, &wakes);
}

static void receiver_leave(struct cedei_place *place) {
    struct cedei_pipe *pipe = place->object;
    if (line_leave(pipe, &pipe->receivers, place) || place->result != CEDE_OK) return;
    msg_put_back(pipe, place->gift);
}

/* ---- sending ---- */

static CEDE_YIELDS CEDEI_NOINLINE cede_result put_waiting(cede_self *self, struct cedei_pipe *pipe,
                                                          struct cedei_msg *msg,
                                                          uint64_t timeout_ns, const char *call) {
    struct cedei_wakes wakes = {.count = 0};
    cede_result why = CEDE_OK;
    uint64_t deadline_ns = cedei_deadline_of(timeout_ns);
    struct cedei_place *place = cedei_place_begin(self, timeout_ns, call, &why);
    if (place == NULL) return why == CEDE_ETIMEDOUT ? CEDE_EFULL : why;
    cedei_place_aim(place, pipe, sender_leave);
    place->gift = msg;
    cedei_mutex_lock(&pipe->lock);
    cede_result r = put(pipe, msg, &wakes); /* there may be room by now */
    if (r == CEDE_EFULL) cedei_line_append(&pipe->senders, place);
    cedei_mutex_unlock(&pipe->lock);
    cedei_wakes_send(pipe->system, &wakes);
    if (r != CEDE_EFULL) {
        cedei_place_withdraw(place);
        return r;
    }
    r = cedei_place_wait(place, deadline_ns);
    if (r != CEDE_OK) (void)line_leave(pipe, &pipe->senders, place);
    return cedei_place_end(place, r);
}

CEDE_YIELDS cede_result cedei_pipe_send(cede_self *self, struct cedei_pipe_end *end, void **message,
                                        uint64_t timeout_ns, const char *call, const char *here) {
    struct cedei_pipe *pipe = end->pipe;
    cede_result r = CEDE_OK;
    struct cedei_msg *msg = cedei_msg_disown(self, message, call, here, &r);
    if (CEDEI_UNLIKELY(msg == NULL)) return r;
    bool was_kept = cedei_msg_is_kept(msg);
    if (CEDEI_UNLIKELY(msg->type != pipe->type)) {
        cedei_msg_reown(self, msg, message, was_kept);
        return CEDE_ETYPE;
    }
    if (CEDEI_UNLIKELY(self->system->strict)) msg = cedei_msg_relocate(self, msg, here);
    msg->owner = CEDEI_MSG_MAILBOX;
    struct cedei_wakes wakes;
    wakes.count = 0;
    cedei_mutex_lock(&pipe->lock);
    r = put(pipe, msg, &wakes);
    bool is_vain = pipe->is_once && pipe->receivers.first != NULL; /* others wait for it too */
    cedei_mutex_unlock(&pipe->lock);
    cedei_wakes_send(pipe->system, &wakes);
    if (CEDEI_UNLIKELY(pipe->is_once) && r == CEDE_OK) {
        if (is_vain) cedei_pipe_shut(pipe);
        end->is_spent = true;
    }
    if (r == CEDE_EFULL) r = put_waiting(self, pipe, msg, timeout_ns, call);
    if (CEDEI_LIKELY(r == CEDE_OK))
        *message = NULL;
    else
        cedei_msg_reown(self, msg, message, was_kept);
    return r;
}

/* ---- receiving ---- */

static CEDE_YIELDS CEDEI_NOINLINE cede_result take_waiting(cede_self *self, struct cedei_pipe *pipe,
                                                           struct cedei_msg **out,
                                                           uint64_t timeout_ns, const char *call) {
    struct cedei_wakes wakes = {.count = 0};
    cede_result why = CEDE_OK;
    uint64_t deadline_ns = cedei_deadline_of(timeout_ns);
    struct cedei_place *place = cedei_place_begin(self, timeout_ns, call, &why);
    if (place == NULL) return why;
    cedei_place_aim(place, pipe, receiver_leave);
    cedei_mutex_lock(&pipe->lock);
    *out = take(pipe, &wakes, &why); /* one may have come by now */
    bool is_lined = *out == NULL && why == CEDE_OK;
    if (is_lined) cedei_line_append(&pipe->receivers, place);
    cedei_mutex_unlock(&pipe->lock);
    cedei_wakes_send(pipe->system, &wakes);
    if (!is_lined) {
        cedei_place_withdraw(place);
        return why;
    }
    cede_result r = cedei_place_wait(place, deadline_ns);
    if (r != CEDE_OK) (void)line_leave(pipe, &pipe->receivers, place);
    r = cedei_place_end(place, r);
    if (r == CEDE_OK) *out = place->gift;
    return r;
}

CEDE_YIELDS cede_result cedei_pipe_recv(cede_self *self, struct cedei_pipe_end *end,
                                        const struct cede_type *type, void **message,
                                        uint64_t timeout_ns, const char *call) {
    struct cedei_pipe *pipe = end->pipe;
    if (CEDEI_UNLIKELY(self == NULL)) return CEDE_ECONTEXT;
    if (CEDEI_UNLIKELY(message == NULL)) return CEDE_EINVAL;
    if (CEDEI_UNLIKELY(type != pipe->type)) return CEDE_ETYPE;
    cede_result r = CEDE_OK;
    struct cedei_wakes wakes;
    wakes.count = 0;
    cedei_mutex_lock(&pipe->lock);
    struct cedei_msg *msg = take(pipe, &wakes, &r);
    cedei_mutex_unlock(&pipe->lock);
    cedei_wakes_send(pipe->system, &wakes);
    if (msg == NULL && r == CEDE_OK) r = take_waiting(self, pipe, &msg, timeout_ns, call);
    if (msg == NULL) return r;
    if (CEDEI_UNLIKELY(pipe->is_once)) end->is_spent = true;
    if (CEDEI_UNLIKELY(msg->reply.sequence != 0)) self->holds_requests = true;
    cedei_handled_count(self, self->worker, type);
    cedei_msg_own_by_turn(self, msg);
    *message = cedei_msg_body(msg);
    return CEDE_OK;
}
