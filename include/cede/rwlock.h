/* rwlock.h - a lock for many readers or one writer, held over yields, waited for without stopping a worker.
 *
 *     r = cede_rwlock_read_lock(self, table->lock, CEDE_FOREVER);     beside other readers
 *     ...                                                             may yield
 *     cede_rwlock_unlock(self, table->lock);
 *
 * Fair: readers and writers are served in the order in which they came, neighbouring readers together. A reader who comes while a
 * writer waits stands behind it, so neither starves.
 * The actor holds it, not the thread, until it unlocks. A reader that ends gives its hold back. A writer that ends while it holds
 * the lock leaves it poisoned: everybody gets CEDE_EPOISONED until somebody takes it by cede_rwlock_repair. A wait that ends by
 * its limit, by cede_stop or by a kill does not take the lock along.
 * When to use it: where readers yield while they read. Where they do not, cede_rcu costs them nothing; where they can hold on to
 * what they saw, cede_watch. Costs: 13 ns for lock and unlock without contention, more when readers on several
 * processors share the one word; 64 bytes while it is held. */
#ifndef CEDE_RWLOCK_H
#define CEDE_RWLOCK_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/shared.h>

CEDE_C_BEGIN

/// A counted reference to a lock: more by cede_shared_ref, given back by cede_shared_unref, sent in fields of kind
/// sync(cede_rwlock). An actor that holds the lock must have one.
CEDEI_SYNC_DECLARE(cede_rwlock);

/// Makes a lock that nobody holds.
/// Ownership: `*out` is one reference, the caller's. Threads: the turn's. Yields: no. Blocks: no. Errors: CEDE_ENOMEM; CEDE_EINVAL.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_rwlock_create(cede_self *self CEDE_BORROWED,
                                                           cede_rwlock **out CEDE_BORROWED);

/// Takes the lock beside other readers; waits while a writer has it or waits for it.
/// Ownership: borrowed. Threads: the turn's, or an inbox's own. Yields: yes, when it has to wait. Blocks: only on an
/// inbox's thread. Units: nanoseconds to wait, 0 to try only, or CEDE_FOREVER. Order: first come, first served.
/// Errors: CEDE_ETIMEDOUT; CEDE_EPOISONED; CEDE_EDEADLK this actor has it already and would wait for itself; CEDE_ECANCELED
/// the actor was asked to stop and would have had to wait; CEDE_ENOMEM, CEDE_ELIMIT no stack; CEDE_ECONTEXT; CEDE_EINVAL.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_rwlock_read_lock(cede_self *self CEDE_BORROWED,
                                                             cede_rwlock *lock CEDE_BORROWED,
                                                             uint64_t timeout_ns);

/// Takes the lock alone; waits while anybody has it or others came first.
/// Ownership: borrowed. Threads: the turn's, or an inbox's own. Yields: yes, when it has to wait. Blocks: as
/// cede_rwlock_read_lock. Units: as there. Order: as there. Errors: as there.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_rwlock_write_lock(cede_self *self CEDE_BORROWED,
                                                              cede_rwlock *lock CEDE_BORROWED,
                                                              uint64_t timeout_ns);

/// As cede_rwlock_write_lock, also when it is poisoned, which it is not any more on CEDE_OK: for whoever can put right what
/// it guards, and does so before the unlock.
/// Ownership: borrowed. Threads: the turn's, or an inbox's own. Yields: yes, when it has to wait. Blocks: as
/// cede_rwlock_read_lock. Units: as there. Errors: as there but CEDE_EPOISONED.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_rwlock_repair(cede_self *self CEDE_BORROWED,
                                                          cede_rwlock *lock CEDE_BORROWED,
                                                          uint64_t timeout_ns);

/// Gives back what this actor took last of this lock. Unlocking what it has not is an error that is logged, and ends the
/// process in checking builds. Ownership: borrowed. Threads: the turn's. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_rwlock_unlock(cede_self *self CEDE_BORROWED, cede_rwlock *lock CEDE_BORROWED);

CEDE_C_END
#endif
