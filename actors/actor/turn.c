/* turn.c - running an actor: messages one after the other, until its budget or its mailbox is empty.
 * Invariants: (1) one thread at a time is in cedei_turn_run for an actor, by the rights in actor.h; (2) after the mailbox
 * is at rest nothing of the actor is touched; (3) `worker` is read again after every handler, which may have moved. */
#include <string.h>

#include "actors/actor/actor.h"
#include "actors/actor/simulated.h"
#include "actors/actor/tally.h"
#include "core/sys/clock.h"

/* An activation gives way after BUDGET_NS. Giving way after so many messages whatever the time lets a receiver with short turns
 * fall behind several senders without bound. */
enum { BUDGET_TURNS = 64, BUDGET_NS = 100000, TURN_SHORT_NS = 1500 };

/* ---- taking messages out of the mailbox ---- */

static inline void backlog_publish(cede_self *self, int32_t backlog) {
    /* relaxed: senders want a number, not an order. */
    atomic_store_explicit(&self->backlog, backlog, memory_order_relaxed);
}

void cedei_backlog_publish(cede_self *self) {
    if (self->bounded) backlog_publish(self, (int32_t)self->pending_count);
}

void cedei_pending_append(cede_self *self, struct cedei_msg *oldest, struct cedei_msg *newest,
                          uint32_t count) {
    if (self->pending == NULL)
        self->pending = oldest;
    else
        self->pending_last->next = oldest;
    self->pending_last = newest;
    self->pending_count += count;
    cedei_waiting_note(self, self->pending_count);
}

bool cedei_turn_gather(cede_self *self) {
    if (!cedei_mailbox_has_news(&self->mailbox)) return false;
    struct cedei_mailbox_batch batch = cedei_mailbox_take_all(&self->mailbox);
    if (batch.oldest != NULL)
        cedei_pending_append(self, (struct cedei_msg *)(void *)batch.oldest,
                             (struct cedei_msg *)(void *)batch.newest, batch.count);
    return true;
}

bool cedei_turn_fetch(cede_self *self) {
    /* Nobody else may have what those who wait are to have, in the moment in which the word is empty already. */
    if (cedei_room_is_wanted(self) && self->bounded) backlog_publish(self, self->mailbox_max);
    if (!cedei_turn_gather(self)) return cedei_room_is_wanted(self) && cedei_room_give(self, NULL);
    cedei_backlog_publish(self);
    return true;
}

static struct cedei_msg *pending_pop(cede_self *self) {
    struct cedei_msg *msg = self->pending;
    self->pending = msg->next;
    self->pending_count--;
    return msg;
}

/* Tells senders about the room that a handled message leaves; those that wait for it come first. */
static inline void room_publish(cede_self *self) {
    if (cedei_room_is_wanted(self))
        (void)cedei_room_give(self, NULL);
    else
        backlog_publish(self, (int32_t)self->pending_count);
}

bool cedei_turn_accept(cede_self *self, struct cedei_msg *msg) {
    uint32_t tag = cedei_msg_tag(msg);
    if (CEDEI_UNLIKELY(tag & (CEDEI_TAG_CREDIT | CEDEI_TAG_WEIGHED))) cedei_mail_leave(self, msg);
    if (self->bounded) room_publish(self);
    if (CEDEI_UNLIKELY(tag & (CEDEI_TAG_CREDIT | CEDEI_TAG_DEADLINE)) &&
        cedei_request_expire(self, msg))
        return false;
    if (msg->reply.sequence != 0) self->holds_requests = true;
    cedei_handled_count(self, self->worker, msg->type);
    cedei_mail_left(self);
    return true;
}

/* ---- one message ---- */

static CEDEI_NOINLINE cede_result unmatched_or_failed(cede_self *self, struct cedei_msg *msg,
                                                      cede_result r) {
    if ((int)r != (int)CEDEI_UNMATCHED) {
        cedei_holds_keep(self);
        return r;
    }
    if (msg->type == &cede_type_cede_drained) return CEDE_STOP;
    cedei_log_line(&self->system->log, CEDE_LOG_WARNING,
                   "actor '%s' has no handler for '%s'; the message is dropped",
                   self->behaviour->name, msg->type->name);
    if (msg->reply.sequence == 0) return CEDE_OK;
    struct cedei_return back = msg->reply;
    msg->reply.sequence = 0;
    (void)cedei_answer(self->system, self->worker, back, NULL, CEDE_EUNHANDLED);
    return CEDE_OK;
}

/* Sent to a former tenant of the slot, over a link that wants to know that there is room, or a request with a deadline. */
static CEDEI_NOINLINE bool target_examine(cede_self *self, struct cedei_msg *msg) {
    cedei_mail_leave(self, msg);
    if (cedei_turn_is_for(self, msg)) return !cedei_request_expire(self, msg);
    cedei_msg_dead_letter_of(self, self->worker, msg, CEDE_ENOACTOR);
    return false;
}

/* CEDE_OK: go on; anything else: the handler's reason to end. */
CEDEI_INLINE CEDE_YIELDS cede_result handle(cede_self *self, struct cedei_msg *msg,
                                            uint64_t identity) {
    if (CEDEI_UNLIKELY(cedei_msg_tag(msg) != identity >> 32) && !target_examine(self, msg))
        return CEDE_OK;
    msg->owner = (uintptr_t)self | (uintptr_t)CEDEI_MSG_TURN;
    self->current = msg;
    const struct cede_type *type = msg->type;
    self->turn_type = type;
    struct cedei_worker *worker = self->worker;
    cedei_count_add(&worker->counts.turns, 1);
    cedei_handled_count(self, worker, type);
    cedei_mail_left(self);
    cedei_simulated_turn(self, msg);
    cede_result r = self->behaviour->dispatch(self, type, self->state, cedei_msg_body(msg));
    r = cedei_simulated_result(self, r);
    if (CEDEI_UNLIKELY(r != CEDE_OK)) r = unmatched_or_failed(self, msg, r);
    if (((uintptr_t)self->current | (uintptr_t)self->turn_list) != 0) cedei_msg_drop_turn(self);
    cedei_worker_held_at_end_check(self->worker); /* after the cleanups, which may unlock */
    return r;
}

cede_result cedei_turn_handle_for(cede_self *self, const cede_behaviour *behaviour, void *state,
                                  struct cedei_msg *msg) {
    msg->owner = (uintptr_t)self | (uintptr_t)CEDEI_MSG_TURN;
    self->current = msg;
    self->turn_type = msg->type;
    /* Cleanups from before are not this handler's. */
    struct cedei_cleanup *outer = self->extra != NULL ? self->extra->cleanups : NULL;
    if (outer != NULL) self->extra->cleanups = NULL;
    cede_result r = behaviour->dispatch(self, msg->type, state, cedei_msg_body(msg));
    if (r != CEDE_OK) r = unmatched_or_failed(self, msg, r);
    if (cedei_has_cleanups(self)) cedei_cleanups_run(self, CEDEI_FRAME_TOP());
    if (outer != NULL) self->extra->cleanups = outer;
    cedei_msg_drop_current(self);
    return r;
}

/* ---- an activation ---- */

/* Free slots are scheduled when a late message arrives. */
static void late_messages_drop(cede_self *self) {
    if (CEDEI_LIKELY(self->pending == NULL) &&
        CEDEI_LIKELY(cedei_mailbox_rest(&self->mailbox, CEDEI_MAILBOX_IDLE)))
        return;
    do {
        while (self->pending != NULL || cedei_turn_fetch(self)) {
            if (self->pending == NULL) continue; /* only a signal for a former tenant */
            struct cedei_msg *msg = pending_pop(self);
            cedei_mail_leave(self, msg);
            cedei_msg_dead_letter_of(self, self->worker, msg, CEDE_ENOACTOR);
        }
    } while (!cedei_mailbox_rest(&self->mailbox, CEDEI_MAILBOX_IDLE));
}

void cedei_turn_end(cede_self *self, cede_result reason) {
    cede_system *system = self->system;
    cedei_life_end(self, reason);
    struct cedei_worker *worker = self->worker; /* a late message may have another run it at once */
    late_messages_drop(self);
    cedei_table_give(system, worker, self);
}

/* Ends a suspended turn where it stands: its stack goes back to the pool, unwound by nobody. Cleanups may still use it. */
static CEDEI_NOINLINE struct cedei_worker *lease_abandon(cede_self *self,
                                                         struct cedei_worker *worker,
                                                         cede_result reason) {
    struct cedei_stack *lease = self->lease;
    self->lease = NULL;
    cedei_turn_end(self, reason); /* the slot may have its next tenant now */
    cedei_stack_return(&worker->sched->stacks, &worker->stacks, lease);
    return worker;
}

static struct cedei_worker *resume(cede_self *self, struct cedei_worker *worker) {
    uint32_t signals = cedei_signals_of(self);
    if (CEDEI_UNLIKELY(signals & CEDEI_SIGNAL_KILL))
        return lease_abandon(self, worker, cedei_signals_reason(signals));
    struct cedei_stack *lease = self->lease;
    self->lease = NULL;
    cedei_simulated_resume(self);
    return cedei_worker_resume(worker, lease);
}

struct cedei_stack *cedei_turn_lease_take(struct cedei_worker *worker, struct cedei_task *task) {
    if (CEDEI_UNLIKELY(task->run != cedei_turn_run) && task->run != cedei_turn_run_sized)
        return NULL;
    cede_self *self = CEDEI_CONTAINER_OF(task, cede_self, task);
    struct cedei_stack *lease = self->lease;
    if (lease == NULL || CEDEI_UNLIKELY(cedei_signals_of(self) & CEDEI_SIGNAL_KILL)) return NULL;
    self->lease = NULL;
    self->worker = worker;
    cedei_simulated_resume(self);
    return lease;
}

/* Of an activation, from its first look at the clock on. */
struct budget {
    uint64_t since_ns; /* when it began, as far as is known; 0: no look yet */
    uint64_t last_ns;  /* the last look */
    uint32_t turns;    /* from that one to the next */
};

/* A look at the clock costs as much as a short turn. While an actor's turns are short, one in BUDGET_TURNS is timed, counted over its
 * activations; else all of them, but for an activation's first, which is taken to be as long as the last one was. An actor whose
 * turns become long is thus found out after BUDGET_TURNS of them at the latest. */
static CEDEI_NOINLINE bool budget_is_spent(cede_self *self, struct budget *budget,
                                           uint32_t handled) {
    uint64_t now_ns = cedei_clock_now_ns();
    if (budget->since_ns == 0) {
        uint64_t before_ns = (uint64_t)handled * self->turn_us * 1000;
        *budget = (struct budget){.since_ns = now_ns - before_ns, .last_ns = now_ns, .turns = 1};
        self->look_left = 0;
        if (before_ns <= BUDGET_NS) return false;
        self->turn_us -= self->turn_us / 8; /* after some of these it is timed again */
        return true;
    }
    uint64_t turn_ns = (now_ns - budget->last_ns) / budget->turns;
    self->turn_us = turn_ns / 1000 < UINT8_MAX ? (uint8_t)(turn_ns / 1000) : UINT8_MAX;
    budget->last_ns = now_ns;
    budget->turns = turn_ns < TURN_SHORT_NS ? BUDGET_TURNS : 1;
    self->look_left = (uint8_t)(budget->turns - 1);
    return now_ns - budget->since_ns > BUDGET_NS;
}

/* False: the actor has ended, or waits, and nothing of it may be touched any more. Else `*out` is what comes next, if that
 * is not for the usual way to find. */
static CEDEI_NOINLINE bool signal_obey(cede_self *self, uint64_t identity, struct cedei_msg **out) {
    if (identity & CEDEI_SIGNAL_FREE) {
        late_messages_drop(self);
        return false;
    }
    if (identity & CEDEI_SIGNAL_END) {
        cedei_turn_end(self, cedei_signals_reason((uint32_t)identity));
        return false;
    }
    if (identity & CEDEI_SIGNAL_MUTED && cedei_room_mute(self)) return false;
    if ((identity & CEDEI_SIGNAL_ROOM) == 0) return true;
    *out = cedei_lane_take(self, NULL);
    if (*out == NULL && self->pending == NULL && !cedei_turn_fetch(self))
        *out = cedei_tray_take(self, NULL);
    return true;
}

/* The next message, or NULL when there is none yet: look again or rest. */
CEDEI_INLINE struct cedei_msg *message_next(cede_self *self) {
    struct cedei_msg *msg = self->pending;
    if (msg != NULL) {
        self->pending = msg->next; /* `pending_last` means nothing while `pending` is NULL */
        self->pending_count--;
        if (self->bounded) room_publish(self);
        return msg;
    }
    msg = (struct cedei_msg *)(void *)cedei_mailbox_take_single(&self->mailbox);
    if (CEDEI_LIKELY(msg != NULL)) backlog_publish(self, -1);
    return msg;
}

/* `on_loop`: on the stack of the worker's loop, where other actors' turns may follow. */
// cede: allow(yields-missing) the scheduler itself: it is the turn on the leased stack that yields
CEDEI_INLINE struct cedei_worker *turn_run(struct cedei_worker *worker, struct cedei_task *task,
                                           const bool on_loop) {
    cede_self *self = NULL;
next_actor:
    self = CEDEI_CONTAINER_OF(task, cede_self, task);
    self->worker = worker;
    if (self->lease != NULL) return resume(self, worker);
    struct budget budget; /* the rest is set by the first look */
    budget.since_ns = 0;
    for (uint32_t handled = 0;;) { /* until the mailbox is empty or the budget is spent */
        /* seq_cst: see cedei_signals_of; a plain load where it matters. */
        uint64_t identity = atomic_load_explicit(&self->identity, memory_order_seq_cst);
        struct cedei_msg *msg = NULL;
        if (CEDEI_UNLIKELY((uint32_t)identity != 0)) {
            struct cedei_msg *ahead = NULL; /* one of its own: `msg` stays in a register */
            if (!signal_obey(self, identity, &ahead)) return worker;
            msg = ahead;
            if (msg != NULL) goto handle_it;
        }
        msg = message_next(self);
        if (CEDEI_UNLIKELY(msg == NULL)) {
            if (cedei_turn_fetch(self)) continue;
            if (cedei_signals_of(self) != 0) continue;
            if (!cedei_mailbox_rest(&self->mailbox, CEDEI_MAILBOX_IDLE)) continue;
            return worker;
        }
handle_it:;
        cede_result r = handle(self, msg, identity);
        worker = self->worker;
        if (CEDEI_UNLIKELY(r != CEDE_OK)) {
            cedei_turn_end(self, r == CEDE_STOP ? CEDE_OK : r);
            return worker;
        }
        /* A cede_recv in the turn may have taken a signal out of the mailbox: then there is no rest. */
        if (self->pending == NULL && CEDEI_LIKELY(cedei_signals_of(self) == 0) &&
            CEDEI_LIKELY(!cedei_room_is_wanted(self))) {
            backlog_publish(self, 0);
            if (CEDEI_LIKELY(cedei_mailbox_rest(&self->mailbox, CEDEI_MAILBOX_IDLE))) break;
        }
        handled++;
        if (CEDEI_UNLIKELY(self->look_left-- == 0) && budget_is_spent(self, &budget, handled)) {
            cedei_sched_requeue(worker, task);
            return worker;
        }
    }
    if (!on_loop) return worker;
    /* The actor is at rest. What its last message woke follows at once, without going round by the worker's loop. */
    task = cedei_worker_next_lifo(worker);
    if (task == NULL) return worker;
    worker->running = task;
    if (CEDEI_LIKELY(task->run == cedei_turn_run)) goto next_actor;
    return task->run(worker, task);
}

// cede: allow(yields-missing) as turn_run
struct cedei_worker *cedei_turn_run(struct cedei_worker *worker, struct cedei_task *task) {
    return turn_run(worker, task, true);
}

// cede: allow(yields-missing) as turn_run
struct cedei_worker *cedei_turn_run_alone(struct cedei_worker *worker, struct cedei_task *task) {
    return turn_run(worker, task, false);
}

/* ---- reports ---- */

CEDEI_NO_TSAN static void text_put(char *out, size_t size, const char *text) {
    size_t used = strlen(out), length = strlen(text);
    if (used + length >= size) length = size - 1 - used;
    memcpy(out + used, text, length);
    out[used + length] = '\0';
}

/* Also from outside, about what runs: an actor's slot stays, and names are constants. A job may have ended and been freed by the time
 * of the look, which then finds what is in its block now: at worst a report says "a job" of an actor. */
CEDEI_NO_TSAN CEDEI_NO_ASAN void cedei_turn_describe(struct cedei_task *task, char *out,
                                                     size_t size) {
    out[0] = '\0';
    if (task->run != cedei_turn_run && task->run != cedei_turn_run_sized) {
        text_put(out, size, "a job");
        return;
    }
    cede_self *self = CEDEI_CONTAINER_OF(task, cede_self, task);
    text_put(out, size, "actor '");
    text_put(out, size, self->behaviour != NULL ? self->behaviour->name : "?");
    text_put(out, size, "'");
    if (self->turn_type == NULL) return;
    text_put(out, size, " handling '");
    text_put(out, size, self->turn_type->name);
    text_put(out, size, "'");
}
