/* cycle.h - who waits for whom: an actor that waits for a reply, or for room in a mailbox, points to the actor that is to give it.
 * A cycle of such waits inside a node would last for ever, so the wait that closes one fails instead. */
#ifndef CEDEI_ACTOR_CYCLE_H
#define CEDEI_ACTOR_CYCLE_H

#include "actors/actor/actor.h"

/* What `asked` holds beside the slot plus 1. */
#define CEDEI_ASKED_REPLY 0u
#define CEDEI_ASKED_ROOM 0x80000000u

static inline void cedei_asked_set(cede_self *self, uint32_t slot, uint32_t kind) {
    /* relaxed: published with the parking; two waits that close a cycle at once are found there. */
    atomic_store_explicit(&self->asked, (slot + 1) | kind, memory_order_relaxed);
}
static inline void cedei_asked_clear(cede_self *self) {
    /* relaxed: no wait is pending. */
    atomic_store_explicit(&self->asked, 0, memory_order_relaxed);
}

static inline bool cedei_is_waiting(struct cede_self *actor) {
    /* seq_cst: two waits that close a cycle at once park first and look then, so the later one sees both parked. */
    uint64_t state = atomic_load_explicit(&actor->wait, memory_order_seq_cst) & 3;
    return state == CEDEI_WAIT_PENDING || state == CEDEI_WAIT_PARKED;
}

/* The long way of cedei_cycle_report. */
bool cedei_cycle_report_far(cede_self *self, uint32_t slot, uint32_t kind, const char *call,
                            const char *here);
/* Whether the actor in `slot` is `self`, or waits, directly or through others, for it; then the cycle is logged, with names. An actor
 * that was answered does not wait from the moment of the answer, so "reply, then ask back" is no cycle. */
static inline bool cedei_cycle_report(cede_self *self, uint32_t slot, uint32_t kind,
                                      const char *call, const char *here) {
    struct cede_self *asked = cedei_table_slot(self->system, slot);
    if (CEDEI_LIKELY(asked != self && asked != NULL && !cedei_is_waiting(asked))) return false;
    return cedei_cycle_report_far(self, slot, kind, call, here);
}

/* Whether somebody who parks in a wait for what `asked` says may have closed a cycle: so, once it is parked, cedei_cycle_close must
 * look. */
static inline bool cedei_cycle_may_close(cede_system *system, uint32_t asked) {
    if (asked == 0) return false;
    struct cede_self *next = cedei_table_slot(system, (asked & ~CEDEI_ASKED_ROOM) - 1);
    return next != NULL && cedei_is_waiting(next);
}
/* `actor` has just parked, in the wait `sequence`, for what `asked` says: ends that wait if it has closed a cycle. */
void cedei_cycle_close(cede_system *system, struct cedei_worker *worker, struct cede_self *actor,
                       uint32_t sequence, uint32_t asked);

/* The long way of cedei_request_moved. */
void cedei_request_moved_far(cede_system *system, struct cedei_worker *worker,
                             struct cedei_return back, uint32_t slot);
/* A request was sent on: from now on its asker waits for the actor in `slot` (UINT32_MAX: for somebody elsewhere). */
static inline void cedei_request_moved(cede_system *system, struct cedei_worker *worker,
                                       struct cedei_return back, uint32_t slot) {
    if (CEDEI_UNLIKELY(back.sequence != 0 && back.peer == 0))
        cedei_request_moved_far(system, worker, back, slot);
}

#endif
