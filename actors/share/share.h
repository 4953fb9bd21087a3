/* share.h - what the shared types have in common: they live in frozen messages of their own types, so that references to
 * them are counted and dropped like those to any frozen message. */
#ifndef CEDEI_SHARE_SHARE_H
#define CEDEI_SHARE_SHARE_H

#include <cede/actor.h>

#include "actors/actor/actor.h"
#include "actors/message/frozen.h"

/* A zeroed `type` with one reference, which is the caller's; NULL when memory is short. The last reference calls the drop
 * of `type`. */
void *cedei_share_create(cede_self *self, struct cede_type *type);

/* Gives a reference back; NULL does nothing. */
static inline void cedei_share_unref(const void *shared) {
    if (shared != NULL) cedei_frozen_unref(shared);
}

/* As cede_freeze, of a message that has to be of `type`: else CEDE_ETYPE. */
cede_result cedei_freeze_as(cede_self *self, const struct cede_type *type, void **message,
                            const void **out, const char *here);

/* The calling thread's worker, if it is one of the system's. */
static inline struct cedei_worker *cedei_share_worker(cede_system *system) {
    struct cedei_worker *worker = cedei_worker_current();
    return cedei_sched_has(&system->sched, worker) ? worker : NULL;
}

/* The table of a shared type T, which is `struct T`; ended by `drop_`. */
#define CEDEI_SHARE_TYPE(T, drop_)                                                                 \
    static void cedei_share_drop_##T(void *body) { drop_(body); }                                  \
    struct cede_type cede_type_##T = {.name = #T,                                                  \
                                      .size = sizeof(struct T),                                    \
                                      .align = _Alignof(struct T),                                 \
                                      .wire_min = 1,                                               \
                                      .owning = 1,                                                 \
                                      .holds = CEDEI_HOLDS_OPAQUE,                                 \
                                      .drop = cedei_share_drop_##T}

#endif
