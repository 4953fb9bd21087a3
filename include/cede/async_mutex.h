/* async_mutex.h - a lock that may be held over yields, and for which one waits without stopping a worker.
 *
 *     r = cede_async_mutex_lock(self, ledger->lock, CEDE_SECONDS(1));
 *     if (r != CEDE_OK) return r;
 *     r = cede_ask(self, bank, &transfer, receipt, &receipt, CEDE_SECONDS(1));   the lock stays held
 *     cede_async_mutex_unlock(self, ledger->lock);
 *
 * The actor holds it, not the thread, until it unlocks, over turns too. An actor that ends while it holds the lock, however it ends,
 * leaves it poisoned: what it guards may be half changed, so everybody, those who wait too, gets CEDE_EPOISONED until somebody
 * takes it by cede_async_mutex_repair and puts things right. Nobody waits for ever for a dead holder.
 * Waiters are served in the order in which they came. A wait that ends by its limit, by cede_stop or by a kill does not take
 * the lock along: the next in line gets it.
 * When to use it: for what must not interleave although it yields. Where the section is short and does not yield, cede_mutex
 * needs no reference and no hold; where one actor can own the data, sending it messages is simpler than any lock.
 * Costs: 13 ns for lock and unlock without contention, and 64 bytes while it is held; a wait is a suspended turn. */
#ifndef CEDE_ASYNC_MUTEX_H
#define CEDE_ASYNC_MUTEX_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/shared.h>

CEDE_C_BEGIN

/// A counted reference to a lock: more by cede_shared_ref, given back by cede_shared_unref, sent in fields of kind
/// sync(cede_async_mutex). An actor that holds the lock must have one.
CEDEI_SYNC_DECLARE(cede_async_mutex);

/// Makes a lock that nobody holds.
/// Ownership: `*out` is one reference, the caller's. Threads: the turn's. Yields: no. Blocks: no. Errors: CEDE_ENOMEM; CEDE_EINVAL.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_async_mutex_create(cede_self *self CEDE_BORROWED,
                                                                cede_async_mutex **out
                                                                CEDE_BORROWED);

/// Takes the lock; waits while another actor has it or others came first.
/// Ownership: borrowed. Threads: the turn's, or an inbox's own. Yields: yes, when it has to wait. Blocks: only on an
/// inbox's thread. Units: nanoseconds to wait, 0 to try only, or CEDE_FOREVER. Order: first come, first served.
/// Errors: CEDE_ETIMEDOUT; CEDE_EPOISONED; CEDE_EDEADLK this actor has it already; CEDE_ECANCELED the actor was asked to
/// stop and would have had to wait; CEDE_ENOMEM, CEDE_ELIMIT no stack; CEDE_ECONTEXT; CEDE_EINVAL. It is not held then.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_async_mutex_lock(cede_self *self CEDE_BORROWED,
                                                             cede_async_mutex *mutex CEDE_BORROWED,
                                                             uint64_t timeout_ns);

/// As cede_async_mutex_lock, also when it is poisoned, which it is not any more on CEDE_OK: for whoever can put right what it
/// guards, and does so before the unlock.
/// Ownership: borrowed. Threads: the turn's, or an inbox's own. Yields: yes, when it has to wait. Blocks: as
/// cede_async_mutex_lock. Units: as there. Errors: those of cede_async_mutex_lock but CEDE_EPOISONED.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_async_mutex_repair(cede_self *self CEDE_BORROWED,
                                                               cede_async_mutex *mutex CEDE_BORROWED,
                                                               uint64_t timeout_ns);

/// Gives the lock back, which this actor has; the next in line gets it. Unlocking what another has is an error that is logged, and
/// ends the process in checking builds. Ownership: borrowed. Threads: the turn's. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_async_mutex_unlock(cede_self *self CEDE_BORROWED,
                                          cede_async_mutex *mutex CEDE_BORROWED);

CEDE_C_END
#endif
