/* births.h - in checking builds: which messages there are and where each was made, for audit.c to name those that are left over.
 * A table beside the messages, as their headers have no room and their sizes are to be those of other builds. Its entries are
 * written by relaxed accesses only: ThreadSanitizer must not take them for what hands a message over. */
#ifndef CEDEI_ACTOR_BIRTHS_H
#define CEDEI_ACTOR_BIRTHS_H

#include "actors/actor/actor.h"

/* What is known of one; `by` is the actor, or other code. */
struct cedei_birth {
    struct cedei_msg *msg;
    const char *here, *by;
};
typedef void cedei_birth_fn(void *context, const struct cedei_birth *birth);

#if CEDEI_CHECKS
/* NULL when memory is short: then nothing is known. */
struct cedei_births *cedei_births_create(void);
void cedei_births_destroy(struct cedei_births *births);
void cedei_birth_note(cede_system *system, struct cedei_worker *worker, struct cedei_msg *msg,
                      const char *here);
/* Its memory is about to be given back. */
void cedei_birth_forget(cede_system *system, const struct cedei_msg *msg);
void cedei_birth_move(cede_system *system, const struct cedei_msg *from, struct cedei_msg *to);
/* All that are still there, with no other thread about. Returns how many there was no room to note. */
uint64_t cedei_births_visit(cede_system *system, cedei_birth_fn *visit, void *context);
#else
static inline struct cedei_births *cedei_births_create(void) { return NULL; }
static inline void cedei_births_destroy(struct cedei_births *births) { (void)births; }
static inline void cedei_birth_note(cede_system *system, struct cedei_worker *worker,
                                    struct cedei_msg *msg, const char *here) {
    (void)system, (void)worker, (void)msg, (void)here;
}
static inline void cedei_birth_forget(cede_system *system, const struct cedei_msg *msg) {
    (void)system, (void)msg;
}
static inline void cedei_birth_move(cede_system *system, const struct cedei_msg *from,
                                    struct cedei_msg *to) {
    (void)system, (void)from, (void)to;
}
static inline uint64_t cedei_births_visit(cede_system *system, cedei_birth_fn *visit,
                                          void *context) {
    (void)system, (void)visit, (void)context;
    return 0;
}
#endif

#endif
