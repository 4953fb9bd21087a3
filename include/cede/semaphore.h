/* semaphore.h - so many permits: bounds how many actors do something at once, without stopping their workers.
 *
 *     r = cede_semaphore_create(self, 8, &disk);                    at most 8 at the disk
 *     ...
 *     r = cede_semaphore_acquire(self, disk, 1, CEDE_SECONDS(1));   yields while there is none
 *     if (r == CEDE_OK) {
 *         ...                                                       may yield
 *         cede_semaphore_release(self, disk, 1);
 *     }
 *
 * Permits are held by the actor that acquired them, over yields and turns, until it releases them; when it ends, however it
 * ends, they are given back. Those who wait are served in the order in which they came, and nobody passes them: who wants
 * many permits is not starved by those who want one. A wait that ends by its limit, by cede_stop or by a kill loses no permit: one
 * that was on its way goes to the next.
 * When to use it: to bound work in progress. To call another actor when there is something to do, cede_notify; for one at a
 * time, cede_async_mutex. Costs: 14 ns for acquire and release when there is a permit, and 64 bytes while it is held; a wait is a suspended turn (its stack), as a cede_ask. */
#ifndef CEDE_SEMAPHORE_H
#define CEDE_SEMAPHORE_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/shared.h>

CEDE_C_BEGIN

/// A counted reference to a semaphore: more by cede_shared_ref, given back by cede_shared_unref, sent in fields of kind
/// sync(cede_semaphore). An actor that holds permits must have one.
CEDEI_SYNC_DECLARE(cede_semaphore);

#define CEDE_SEMAPHORE_PERMITS_MAX ((uint64_t)1 << 60)

/// Makes a semaphore with `permits` permits, 0 or more.
/// Ownership: `*out` is one reference, the caller's. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOMEM; CEDE_EINVAL more than CEDE_SEMAPHORE_PERMITS_MAX.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_semaphore_create(cede_self *self CEDE_BORROWED,
                                                              uint64_t permits,
                                                              cede_semaphore **out CEDE_BORROWED);

/// Takes `count` permits, all at once; waits while there are too few or others came first. They are the actor's then.
/// Ownership: borrowed. Threads: the turn's, or an inbox's own. Yields: yes, when it has to wait. Blocks: only on an
/// inbox's thread. Units: nanoseconds to wait, 0 to try only, or CEDE_FOREVER. Order: first come, first served.
/// Errors: CEDE_ETIMEDOUT; CEDE_ECANCELED the actor was asked to stop and would have had to wait; CEDE_ENOMEM, CEDE_ELIMIT
/// no stack; CEDE_ECONTEXT; CEDE_EINVAL. Nothing is held then.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_semaphore_acquire(cede_self *self CEDE_BORROWED,
                                                              cede_semaphore *semaphore
                                                              CEDE_BORROWED,
                                                              uint64_t count, uint64_t timeout_ns);

/// Gives back `count` of the permits that the actor holds. Giving back what it does not hold is an error that is logged, and ends
/// the process in checking builds. Ownership: borrowed. Threads: the turn's. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_semaphore_release(cede_self *self CEDE_BORROWED,
                                         cede_semaphore *semaphore CEDE_BORROWED, uint64_t count);

/// The actor does not hold `count` of its permits any more, and they do not come back: there are fewer from now on, or
/// somebody else adds them (cede_semaphore_add). Ownership: borrowed. Threads: the turn's. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_semaphore_forget(cede_self *self CEDE_BORROWED,
                                        cede_semaphore *semaphore CEDE_BORROWED, uint64_t count);

/// Adds `count` permits that nobody held. Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_semaphore_add(cede_semaphore *semaphore CEDE_BORROWED, uint64_t count);

/// How many permits there are; others may take them meanwhile. Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD uint64_t cede_semaphore_available(cede_semaphore *semaphore CEDE_BORROWED);

CEDE_C_END
#endif
