/* tally.h - what became of messages, counted by type: the columns of struct cedei_tally. The sums over all types are what
 * cede_system_metrics shows; no message is counted twice. A message that was sent belongs to others, so its type is read before. */
#ifndef CEDEI_ACTOR_TALLY_H
#define CEDEI_ACTOR_TALLY_H

#include "actors/actor/actor.h"
#include "actors/message/message.h"

_Static_assert((int)CEDEI_TALLY_ROWS == (int)CEDEI_TYPES_MAX,
               "a row for each type that has a number");
_Static_assert(sizeof(struct cedei_tally) == CEDEI_TYPE_TALLY, "see `tally` of struct cede_type");

enum cedei_tally_column {
    CEDEI_TALLY_ALLOCATED,
    CEDEI_TALLY_DROPPED,
    CEDEI_TALLY_SENT,
    CEDEI_TALLY_HANDLED, /* by a turn of its own, cede_recv, an ask whose reply it is, an inbox, out of a channel */
    CEDEI_TALLY_DEAD_LETTERED,
    CEDEI_TALLY_REFUSED,
    CEDEI_TALLY_FORGOTTEN
};

/* As many rows are in use: the first is of all types that have no number, as some of Cede's own. */
static inline uint32_t cedei_tally_rows(void) { return cedei_types_count() + 1; }

/* By a worker, or a seat. */
CEDEI_INLINE void cedei_tally_on(struct cedei_worker *worker, const struct cede_type *type,
                                 enum cedei_tally_column column) {
    cedei_count_add(cedei_tally_at(worker->tallies, type->tally, column), 1);
}

/* By whatever thread; `worker` NULL: it has none. */
CEDEI_INLINE void cedei_tally(cede_system *system, struct cedei_worker *worker,
                              const struct cede_type *type, enum cedei_tally_column column) {
    if (CEDEI_LIKELY(worker != NULL))
        cedei_tally_on(worker, type, column);
    else
        cedei_count_add_shared(cedei_tally_at(system->sched.shared_tallies, type->tally, column), 1);
}

/* A message of the actor's, by whatever way; the running actor counts it. */
CEDEI_INLINE void cedei_handled_count(cede_self *self, struct cedei_worker *worker,
                                      const struct cede_type *type) {
    cedei_tally_on(worker, type, CEDEI_TALLY_HANDLED);
    cedei_count_add(&self->handled, 1);
}

/* So many messages wait for the actor, which looks at them. */
static inline void cedei_waiting_note(cede_self *self, uint32_t count) {
    /* relaxed (both): the actor writes it; readers want a number. */
    if (CEDEI_LIKELY(count <= atomic_load_explicit(&self->waiting_peak, memory_order_relaxed)))
        return;
    atomic_store_explicit(&self->waiting_peak, (uint16_t)(count < UINT16_MAX ? count : UINT16_MAX),
                          memory_order_relaxed);
}

/* In checking builds: a message is put into the actor's mailbox; it is handled, or becomes a dead letter. */
#if CEDEI_CHECKS
static inline void cedei_mail_came(cede_self *actor) {
    cedei_count_add_shared(&actor->mail_came, 1);
}
static inline void cedei_mail_left(cede_self *actor) {
    cedei_count_add_shared(&actor->mail_left, 1);
}
#else
static inline void cedei_mail_came(cede_self *actor) { (void)actor; }
static inline void cedei_mail_left(cede_self *actor) { (void)actor; }
#endif

#endif
