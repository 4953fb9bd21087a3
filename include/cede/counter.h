/* counter.h - a number that many actors add to at once and somebody reads now and then.
 *
 *     r = cede_counter_create(self, &requests);
 *     ...
 *     cede_counter_add(requests, 1);                                in whatever turn, at no others' cost
 *     ...
 *     printf("%lld requests\n", (long long)cede_counter_sum(requests));
 *
 * Each worker has a part of it in a cache line of its own. A sum that is read while others add is some value in between; what was
 * added before (by a message, a lock, or the same actor) is in it.
 * When to use it: statistics. Where a decision depends on the exact value, an _Atomic number or cede_semaphore. Costs: about
 * 6 ns to add, on however many processors at once (an _Atomic that several add to costs 20 to 100); 64 bytes a worker. */
#ifndef CEDE_COUNTER_H
#define CEDE_COUNTER_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/shared.h>

CEDE_C_BEGIN

/// A counted reference: more by cede_shared_ref, given back by cede_shared_unref, sent in fields of kind sync(cede_counter).
CEDEI_SYNC_DECLARE(cede_counter);

/// Makes a counter at 0.
/// Ownership: `*out` is one reference, the caller's. Threads: the turn's. Yields: no. Blocks: no. Errors: CEDE_ENOMEM; CEDE_EINVAL.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_counter_create(cede_self *self CEDE_BORROWED,
                                                            cede_counter **out CEDE_BORROWED);

/// Adds `by`, which may be negative. Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_counter_add(cede_counter *counter CEDE_BORROWED, int64_t by);

/// The sum of all that was added. Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD int64_t cede_counter_sum(cede_counter *counter CEDE_BORROWED);

CEDE_C_END
#endif
