/* notify.h - "there is something to do": wakes actors that wait, and carries nothing.
 *
 *     queue_push(shared_queue, item);
 *     cede_notify_one(ready);                                       from any thread
 *     ...
 *     while ((item = queue_pop(shared_queue)) == NULL)              the other side
 *         if ((r = cede_notify_await(self, ready, CEDE_FOREVER)) != CEDE_OK) return r;
 *
 * A call that nobody waits for is remembered, one and no more: whoever waits next goes on at once, so looking first and waiting
 * then loses nothing. What was done before cede_notify_one is seen by whoever it wakes. Those who wait are called in the order in
 * which they came. A wait that ends by its limit, by cede_stop or by a kill takes no call along: one that was on its way
 * goes to the next.
 * When to use it: for a state that several look at and somebody changes. To carry data, cede_channel or a message; to count
 * calls, cede_semaphore. Costs: about 70 ns for a call and the switch to whoever waited
 * for it; a wait is a suspended turn. */
#ifndef CEDE_NOTIFY_H
#define CEDE_NOTIFY_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/shared.h>

CEDE_C_BEGIN

/// A counted reference: more by cede_shared_ref, given back by cede_shared_unref, sent in fields of kind sync(cede_notify).
CEDEI_SYNC_DECLARE(cede_notify);

/// Makes one that remembers no call.
/// Ownership: `*out` is one reference, the caller's. Threads: the turn's. Yields: no. Blocks: no. Errors: CEDE_ENOMEM; CEDE_EINVAL.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_notify_create(cede_self *self CEDE_BORROWED,
                                                           cede_notify **out CEDE_BORROWED);

/// Wakes the one that has waited longest; if nobody waits, the next wait does not.
/// Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_notify_one(cede_notify *notify CEDE_BORROWED);

/// Wakes all that wait now; whoever comes later waits. Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_notify_all(cede_notify *notify CEDE_BORROWED);

/// Waits for a call.
/// Ownership: borrowed. Threads: the turn's, or an inbox's own. Yields: yes, when it has to wait. Blocks: only on an
/// inbox's thread. Units: nanoseconds to wait, 0 to look only, or CEDE_FOREVER. Order: first come, first called.
/// Errors: CEDE_ETIMEDOUT; CEDE_ECANCELED the actor was asked to stop and would have had to wait; CEDE_ENOMEM, CEDE_ELIMIT
/// no stack; CEDE_ECONTEXT; CEDE_EINVAL.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_notify_await(cede_self *self CEDE_BORROWED,
                                                         cede_notify *notify CEDE_BORROWED,
                                                         uint64_t timeout_ns);

CEDE_C_END
#endif
