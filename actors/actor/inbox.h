/* inbox.h - the inner side of cede_inbox: an actor whose rights go to a plain thread instead of a turn.
 *
 *   `holds` | the mailbox | who has the actor's rights                          | changed by
 *   true    | not at rest | the thread                                          | rights_give, waiting for a reply
 *   false   | IDLE        | nobody: the next push queues the task               | rights_claim, a push
 *   false   | not at rest | the task on its way to a worker, then `arrived` = 1 | the thread, that finds `arrived`
 */
#ifndef CEDEI_ACTOR_INBOX_H
#define CEDEI_ACTOR_INBOX_H

#include <cede/inbox.h>

#include "actors/actor/actor.h"
#include "core/sys/event.h"

/* Access: I; T = the inbox's thread only; P = any thread, atomic; L = under the system's `inbox_lock`. */
struct cede_inbox {
    cede_self *self;          /* I */
    cede_system *system;      /* T: NULL once the system is gone */
    cede_inbox *next;         /* L */
    bool holds;               /* T */
    _Atomic uint32_t arrived; /* P: set by the task, cleared by T */
    cedei_event event;        /* I: set when something arrived or still waits */
    struct cedei_worker
        seat; /* T: stands for the thread where the runtime wants a worker; runs nothing; last, as its end is
                                 mostly untouched */
};

/* An open inbox when its system ends: a mistake that is reported, and survived. */
void cedei_inboxes_end(cede_system *system);
/* Adds what open inboxes have counted. */
void cedei_inboxes_count(cede_system *system, struct cedei_counts *into);
/* Shows `visit` their tallies. */
void cedei_inboxes_tallies(cede_system *system, cedei_tallies_fn *visit, void *context);

/* Of the actor of an inbox. */
cede_inbox *cedei_inbox_of(cede_self *seat);
/* Makes sure that the thread has the actor's rights. */
void cedei_inbox_enter(cede_inbox *inbox);
/* Gives them back if nothing waits; the descriptor then tells whether something does. */
void cedei_inbox_leave(cede_inbox *inbox);
/* With the rights: blocks until the wait `sequence` is over. */
cedei_wake_value cedei_inbox_wait(cede_inbox *inbox, uint32_t sequence, uint64_t deadline_ns);
/* Whether the calling thread may use it now; CEDE_EINVAL, CEDE_ECLOSED, CEDE_ECONTEXT. */
cede_result cedei_inbox_check(const cede_inbox *inbox, const char *call);

/* Whether a slot that has a tenant is an inbox's. */
bool cedei_inbox_is(const cede_self *actor);

#endif
