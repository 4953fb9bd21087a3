/* extra.h - what few actors need, outside of the slot that every actor pays for.
 * Made on demand by cedei_extra_of, and kept with the slot for the system's life, since a timer may fire late. The first
 * part is the slot's. The second part is the present tenant's: whoever adds a field to it has cedei_extra_clear release
 * it, which runs once at the end of each tenant of a slot that has an extra, so that the next one finds zeros. That is
 * after the last wait of the tenant, and before its messages and its state go. */
#ifndef CEDEI_ACTOR_EXTRA_H
#define CEDEI_ACTOR_EXTRA_H

#include <cede/actor.h>

#include "actors/actor/line.h"
#include "actors/actor/room.h"
#include "core/base/base.h"
#include "core/sched/timer.h"

/* Access: I = set when it is made; A = holder of the actor's rights. */
struct cedei_extra {
    /* the slot's */
    struct cedei_timer timer; /* ends waits that have a limit */
    struct cede_self *actor;  /* I */
    /* the tenant's */
    struct cedei_cleanup *cleanups; /* A: of its turn, newest first; see defer.c */
    struct cede_pending *pendings;  /* A: asks that it has started; see pending.c */
    struct cede_job *jobs;          /* A: whose handles it has; see job.c */
    char *failure;                  /* A: what cede_fail said last, or NULL */
    cede_result failure_reason;     /* A: for which reason */
    struct cedei_place place;       /* where it waits, of what is shared; see line.h */
    struct cedei_hold *holds;       /* A: what it holds of that, latest first */
    struct cedei_waiter waiter;     /* A; see room.h */
    cede_ref muted_by;              /* A: whose mailbox it filled, with CEDEI_SIGNAL_MUTED */
};

/* The long way of cedei_extra_of. */
struct cedei_extra *cedei_extra_make(cede_self *self);
/* In cedei_life_end: releases the tenant's part, its cleanups first, which may use everything else. `worker` of `self` is
 * NULL when the system ends. */
void cedei_extra_clear(cede_self *self);
/* At the end of the system, without threads. */
void cedei_extra_destroy(cede_self *self);

#endif
