/* wait.c - suspending a turn and waking it: receives, sleeps, yields. The states of `wait` are in actor.h.
 * A wait has a sequence number that is never used again, so a wake-up that comes late does nothing. */
#include "actors/actor/wait.h"

#include "actors/actor/actor.h"
#include "actors/actor/cycle.h"
#include "actors/actor/simulated.h"
#include "core/sys/clock.h"

/* ---- the wait word ---- */

bool cedei_wait_withdraw(cede_self *self, uint32_t sequence) {
    uint64_t pending = cedei_wait_armed(sequence, CEDEI_WAIT_PENDING);
    /* acquire: pairs with cedei_wait_wake, if somebody woke us already. */
    if (atomic_compare_exchange_strong_explicit(&self->wait, &pending, CEDEI_WAIT_NONE,
                                                memory_order_acquire, memory_order_acquire))
        return true;
    return false;
}

void cedei_wait_interrupt(cede_system *system, struct cedei_worker *worker, struct cede_self *actor,
                          uint32_t generation, uint32_t signal) {
    /* seq_cst: after the signal was left; see cedei_signals_of. */
    uint64_t word = atomic_load_explicit(&actor->wait, memory_order_seq_cst);
    while ((word & 3) ==
           CEDEI_WAIT_PARKED) { /* ends: a new wait is a new word, at last of a new tenant */
        /* The tenant is still there after the look at the word, so the word is none of the next one's. */
        if (cedei_generation_of(actor) != generation) return;
        /* relaxed: stored before the waiting that was seen above; if it is of a later wait, the exchange fails. */
        if ((signal & CEDEI_SIGNAL_KILL) == 0 &&
            !atomic_load_explicit(&actor->stoppable, memory_order_relaxed))
            return;
        uint64_t woken = cedei_wake_code(CEDE_ECANCELED) | CEDEI_WAIT_WOKEN;
        /* acq_rel: as in cedei_wait_wake. */
        if (!atomic_compare_exchange_weak_explicit(&actor->wait, &word, woken, memory_order_acq_rel,
                                                   memory_order_relaxed))
            continue;
        (void)cedei_sched_submit(&system->sched, worker, &actor->task);
        return;
    }
}

/* Parked, and perhaps to be woken at once. */
static CEDEI_NOINLINE void park_ended(struct cedei_worker *worker, cede_self *self,
                                      uint64_t identity, uint32_t sequence, uint32_t asked) {
    cede_system *system = self->system;
    if (CEDEI_UNLIKELY((identity & (CEDEI_SIGNAL_KILL | CEDEI_SIGNAL_STOP)) != 0))
        cedei_wait_interrupt(system, worker, self, (uint32_t)(identity >> 32), (uint32_t)identity);
    if (asked != 0) cedei_cycle_close(system, worker, self, sequence, asked);
}

/* Nothing follows the calls on the rare branches, so that none of them costs the common way a saved register. */
CEDEI_INLINE void park(struct cedei_worker *worker, cede_self *self, const bool is_recv) {
    cede_system *system = self->system;
    cedei_simulated_wait(self);
    uint32_t sequence = self->sequence;
    /* relaxed: our own store. */
    uint32_t asked = atomic_load_explicit(&self->asked, memory_order_relaxed);
    uint64_t word = cedei_wait_armed(sequence, CEDEI_WAIT_PENDING);
    /* Before it is parked: `seen` in the mailbox is not atomic, and another waker may resume the actor once it is. */
    if (is_recv && !cedei_mailbox_rest(&self->mailbox, CEDEI_MAILBOX_RECV))
        cedei_wait_wake(system, worker, self, sequence, cedei_wake_code(CEDE_OK));
    /* seq_cst: releases the actor's state to the waker; before the look at the signals, see cedei_signals_of. */
    if (!atomic_compare_exchange_strong_explicit(&self->wait, &word,
                                                 cedei_wait_armed(sequence, CEDEI_WAIT_PARKED),
                                                 memory_order_seq_cst, memory_order_acquire)) {
        (void)cedei_sched_submit(&system->sched, worker,
                                 &self->task); /* woken before it was parked */
        return;
    }
    /* From here on `self` is others' too: only its atomic fields may be touched. */
    /* seq_cst: see cedei_signals_of. */
    uint64_t identity = atomic_load_explicit(&self->identity, memory_order_seq_cst);
    if (CEDEI_UNLIKELY((identity & (CEDEI_SIGNAL_KILL | CEDEI_SIGNAL_STOP)) != 0 ||
                       cedei_cycle_may_close(system, asked)))
        park_ended(worker, self, identity, sequence, asked);
}

static CEDEI_NOINLINE void park_recv(struct cedei_worker *worker, cede_self *self) {
    park(worker, self, true);
}

/* Runs on the next stack: from here on the actor may be resumed. */
void cedei_wait_park_commit(struct cedei_worker *worker, void *context) {
    cede_self *self = context;
    if (CEDEI_UNLIKELY(self->recv_wait))
        park_recv(worker, self);
    else
        park(worker, self, false);
}

/* ---- deadlines ---- */

/* The timer stays set from wait to wait: as long as it fires no later than the new deadline, there is nothing to do. It then
 * finds that it came too early, and sets itself again. */
cede_result cedei_wait_deadline_watch(cede_self *self, uint64_t deadline_ns) {
    struct cedei_extra *extra = cedei_extra_of(self);
    if (CEDEI_UNLIKELY(extra == NULL)) return CEDE_ENOMEM;
    if (!cedei_timer_fires_by(&extra->timer, deadline_ns))
        cedei_sched_timer_add(&self->system->sched, &extra->timer, deadline_ns);
    return CEDE_OK;
}

void cedei_wait_timer_fire(struct cedei_timer *timer, void *context) {
    cede_self *self = CEDEI_CONTAINER_OF(timer, struct cedei_extra, timer)->actor;
    struct cedei_worker *worker = context;
    /* acquire: pairs with the release in cedei_wait_deadline_announce. */
    uint32_t sequence = atomic_load_explicit(&self->deadline_sequence, memory_order_acquire);
    /* seq_cst: after `linked` was cleared; see cedei_timer_is_linked. */
    uint64_t deadline_ns = atomic_load_explicit(&self->deadline_ns, memory_order_seq_cst);
    if (deadline_ns == UINT64_MAX) return;
    if (deadline_ns > cedei_clock_now_ns()) {
        cedei_sched_timer_add(&self->system->sched, timer, deadline_ns);
        return;
    }
    cedei_wait_wake(self->system, worker, self, sequence, cedei_wake_code(CEDE_ETIMEDOUT));
}

/* ---- suspending ---- */

CEDE_YIELDS cedei_wake_value cedei_wait_finish(cede_self *self, uint32_t sequence,
                                               uint64_t timeout_ns) {
    return cedei_wait_until(self, sequence, cedei_deadline_of(timeout_ns));
}

static void yield_commit(struct cedei_worker *worker, void *context) {
    cede_self *self = context;
    cedei_sched_requeue(worker, &self->task);
}

CEDE_YIELDS void cede_yield(cede_self *self) {
    if (self == NULL) return;
    cedei_self_check(self, "cede_yield", "");
    if (cedei_worker_suspend(self->worker, &self->lease, yield_commit, self) == CEDE_OK)
        cedei_worker_arrived(self->worker);
}

CEDE_YIELDS cede_result cede_sleep(cede_self *self, uint64_t duration_ns) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_sleep", "");
    if (self->worker->is_seat)
        return CEDE_ECONTEXT; /* before the timer is set, which might be faster */
    uint64_t deadline_ns = 0;
    if (__builtin_add_overflow(cedei_clock_now_ns(), duration_ns, &deadline_ns))
        deadline_ns = UINT64_MAX;
    uint32_t sequence = cedei_wait_begin(self);
    cede_result r = (cede_result)(cedei_wait_until(self, sequence, deadline_ns) >> 4);
    return r == CEDE_ETIMEDOUT ? CEDE_OK : r;
}

uint64_t cede_now(cede_self *self) {
    (void)self; /* the simulator's clock will be the system's */
    return cedei_clock_now_ns();
}

/* ---- waits of other layers ---- */

uint32_t cedei_park_begin(cede_self *self) {
    cedei_self_check(self, "a call that waits", "");
    return cedei_wait_begin(self);
}

CEDE_YIELDS cede_result cedei_park(cede_self *self, uint32_t sequence, uint64_t timeout_ns) {
    return (cede_result)(cedei_wait_finish(self, sequence, timeout_ns) >> 4);
}

void cedei_unpark(cede_system *system, cede_ref ref, uint32_t sequence, cede_result value) {
    struct cede_self *actor = cedei_table_find(system, ref);
    struct cedei_worker *worker = cedei_worker_current();
    if (!cedei_sched_has(&system->sched, worker)) worker = NULL;
    if (actor != NULL) cedei_wait_wake(system, worker, actor, sequence, cedei_wake_code(value));
}

/* ---- recv ---- */

static struct cedei_msg *pending_find(cede_self *self, const struct cede_type *type) {
    struct cedei_msg **at = &self->pending, *before = NULL;
    while (*at != NULL) { /* each round goes one on or takes one out */
        struct cedei_msg *msg = *at;
        if (type != NULL && msg->type != type) {
            before = msg;
            at = &msg->next;
            continue;
        }
        *at = msg->next;
        if (self->pending_last == msg) self->pending_last = before; /* NULL only with `pending` */
        self->pending_count--;
        if (cedei_turn_is_for(self, msg)) return msg;
        cedei_mail_leave(self, msg);
        cedei_msg_dead_letter_of(self, self->worker, msg, CEDE_ENOACTOR);
    }
    return NULL;
}

struct cedei_msg *cedei_pending_take(cede_self *self, const struct cede_type *type) {
    if (CEDEI_LIKELY((cedei_signals_of(self) & CEDEI_SIGNAL_ROOM) == 0))
        return pending_find(self, type);
    struct cedei_msg *msg = NULL;
    do { /* until it is found or nothing is new: a fetch takes the signal of what came into the lane since we looked, too */
        msg = cedei_lane_take(self, type);
        if (msg == NULL) msg = pending_find(self, type);
    } while (msg == NULL && cedei_turn_fetch(self));
    if (msg == NULL) msg = cedei_tray_take(self, type);
    return msg;
}

CEDE_YIELDS cede_result cedei_recv(cede_self *self, struct cede_type *type, void **message,
                                   uint64_t timeout_ns, const char *here) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_recv", here);
    if (self->worker->is_seat) return CEDE_ECONTEXT; /* its mailbox may be at rest: see inbox.h */
    if (message == NULL) return CEDE_EINVAL;
    uint64_t deadline_ns = timeout_ns == 0 ? 0 : cedei_deadline_of(timeout_ns);
    if (CEDEI_UNLIKELY((cedei_signals_of(self) & CEDEI_SIGNAL_MUTED) != 0))
        cedei_room_mute_in_turn(self);
    for (;;) { /* until a message, a stop, or the deadline */
        struct cedei_msg *msg = cedei_pending_take(self, type);
        if (msg == NULL && cedei_turn_fetch(self)) continue;
        /* What we wait for may be with a sender that waits for room. */
        if (msg == NULL && cedei_room_is_wanted(self) && cedei_room_give(self, type)) continue;
        if (msg != NULL) {
            if (!cedei_turn_accept(self, msg)) continue;
            cedei_msg_own_by_turn(self, msg);
            *message = cedei_msg_body(msg);
            return CEDE_OK;
        }
        if (cedei_signals_of(self) & CEDEI_SIGNAL_STOP) return CEDE_ECANCELED;
        if (timeout_ns == 0) return CEDE_ETIMEDOUT;
        uint32_t sequence = cedei_wait_begin(self);
        /* relaxed: published when RECV is set. */
        atomic_store_explicit(&self->recv_sequence, sequence, memory_order_relaxed);
        /* relaxed: senders want a number. What is being handled is not counted in an empty mailbox. */
        if (self->bounded)
            atomic_store_explicit(&self->backlog, (int32_t)self->pending_count,
                                  memory_order_relaxed);
        self->recv_wait = true;
        cede_result r = (cede_result)(cedei_wait_until(self, sequence, deadline_ns) >> 4);
        self->recv_wait = false;
        /* Woken by something else than a message: the flag is still ours to clear. */
        (void)cedei_mailbox_claim(&self->mailbox, CEDEI_MAILBOX_RECV);
        if (r == CEDE_ETIMEDOUT)
            timeout_ns = 0; /* one more look */
        else if (r != CEDE_OK && r != CEDE_ECANCELED)
            return r;
    }
}
