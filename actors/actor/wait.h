/* wait.h - the suspending calls, inlined into those that users call. The states of `wait` are in actor.h. */
#ifndef CEDEI_ACTOR_WAIT_H
#define CEDEI_ACTOR_WAIT_H

#include "actors/actor/actor.h"

/* Runs on the next stack: publishes the suspended turn. */
void cedei_wait_park_commit(struct cedei_worker *worker, void *self);
/* Makes the wait end with CEDE_ETIMEDOUT at the deadline that was announced. CEDE_ENOMEM: no extra could be made. */
cede_result cedei_wait_deadline_watch(cede_self *self, uint64_t deadline_ns);

static inline uint64_t cedei_wait_armed(uint32_t sequence, uint64_t state) {
    return (uint64_t)sequence << 2 | state;
}

/* Says until when the wait `sequence` goes: to the timer, and to whoever is asked (deadline.c). UINT64_MAX: nothing to say. */
static inline void cedei_wait_deadline_announce(cede_self *self, uint32_t sequence,
                                                uint64_t deadline_ns) {
    if (deadline_ns == UINT64_MAX) return;
    /* release: pairs with the acquire in cedei_wait_timer_fire: who sees the sequence sees no deadline of an earlier wait. */
    atomic_store_explicit(&self->deadline_sequence, sequence, memory_order_release);
    /* seq_cst: before the look at `linked`; see cedei_timer_is_linked. */
    atomic_store_explicit(&self->deadline_ns, deadline_ns, memory_order_seq_cst);
}

static inline void cedei_wait_deadline_clear(cede_self *self, uint64_t deadline_ns) {
    if (deadline_ns == UINT64_MAX) return;
    /* release: pairs with the acquire in cedei_wait_timer_fire; see cedei_wait_deadline_announce. */
    atomic_store_explicit(&self->deadline_ns, UINT64_MAX, memory_order_release);
}

CEDEI_INLINE cedei_wake_value cedei_wait_fetch(cede_self *self) {
    /* acquire: pairs with the waker's release; the message is complete. */
    uint64_t word = atomic_load_explicit(&self->wait, memory_order_acquire);
    CEDEI_ASSERT((word & 3) == CEDEI_WAIT_WOKEN);
    /* relaxed: nobody waits for it. */
    atomic_store_explicit(&self->wait, CEDEI_WAIT_NONE, memory_order_relaxed);
    return word & ~(uint64_t)3;
}

CEDEI_INLINE bool cedei_wait_is_woken(cede_self *self) {
    /* acquire: as in wait_fetch. */
    return (atomic_load_explicit(&self->wait, memory_order_acquire) & 3) == CEDEI_WAIT_WOKEN;
}

/* The deadline was announced, since others were to know it before. */
CEDEI_INLINE CEDE_YIELDS cedei_wake_value cedei_wait_announced(cede_self *self, uint32_t sequence,
                                                               uint64_t deadline_ns) {
    if (cedei_wait_is_woken(self)) {
        cedei_wait_deadline_clear(self, deadline_ns);
        return cedei_wait_fetch(self);
    }
    cede_result r = CEDE_OK;
    if (deadline_ns != UINT64_MAX) r = cedei_wait_deadline_watch(self, deadline_ns);
    if (CEDEI_LIKELY(r == CEDE_OK))
        r = cedei_worker_suspend(self->worker, &self->lease, cedei_wait_park_commit, self);
    if (CEDEI_LIKELY(r == CEDE_OK)) cedei_worker_arrived(self->worker);
    cedei_wait_deadline_clear(self, deadline_ns);
    if (CEDEI_UNLIKELY(r != CEDE_OK) && cedei_wait_withdraw(self, sequence))
        return cedei_wake_code(r);
    return cedei_wait_fetch(self);
}

CEDEI_INLINE CEDE_YIELDS cedei_wake_value cedei_wait_until(cede_self *self, uint32_t sequence,
                                                           uint64_t deadline_ns) {
    if (cedei_wait_is_woken(self)) return cedei_wait_fetch(self);
    cedei_wait_deadline_announce(self, sequence, deadline_ns);
    return cedei_wait_announced(self, sequence, deadline_ns);
}

/* Of a wait without a limit: goes on with `task`, which nobody else has; whoever it is of may end the wait. */
CEDEI_INLINE CEDE_YIELDS cedei_wake_value cedei_wait_handing_over(cede_self *self, uint32_t sequence,
                                                                  struct cedei_task *task) {
    struct cedei_worker *worker = self->worker;
    struct cedei_stack *next = cedei_worker_hand_over(worker, task);
    if (CEDEI_UNLIKELY(next == NULL)) {
        (void)cedei_sched_submit(&self->system->sched, worker, task);
        return cedei_wait_finish(self, sequence, CEDE_FOREVER);
    }
    cedei_worker_switch(worker, next, &self->lease, cedei_wait_park_commit, self);
    cedei_worker_arrived(self->worker);
    return cedei_wait_fetch(self);
}

#endif
