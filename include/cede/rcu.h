/* rcu.h - data that is read all the time and seldom replaced: readers neither wait nor write anything that others read.
 *
 *     r = cede_rcu_create(self, routes, &first, &table);
 *     ...
 *     const struct routes *now = cede_rcu_enter(table, routes);        a reader, on any thread
 *     port = routes_find(now, address);
 *     cede_rcu_leave(table);                                           now is not to be used any more
 *     ...
 *     r = cede_rcu_publish(self, table, &next);                        a writer: next is NULL, readers see it from now on
 *
 * Versions are frozen messages. Between cede_rcu_enter and cede_rcu_leave the version stays; a section must not yield (the
 * analyzer finds it, checking builds end the process), and should be short. Who needs a version for longer takes a reference by
 * cede_shared_ref in the section. A replaced version is dropped when every section that could see it is over: by the next publish, by
 * cede_rcu_reclaim, or with the rcu. Sections may nest.
 * When to use it: many reads on many processors, each short. To hold on to a value or to wait for the next, cede_watch; for
 * changes in place, cede_mutex. Costs: 6 ns for a section, on however many processors at once, wait-free; 100 ns and a
 * block of 32 bytes for a new version. The first section on a thread takes 192 bytes, and ends the process if there are none. */
#ifndef CEDE_RCU_H
#define CEDE_RCU_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/shared.h>

CEDE_C_BEGIN

/// A counted reference: more by cede_shared_ref, given back by cede_shared_unref, sent in fields of kind sync(cede_rcu).
CEDEI_SYNC_DECLARE(cede_rcu);

/// Makes one whose versions are messages of type T, the first of which is `*first`; `out` is a `cede_rcu **`.
/// Ownership: `*first` moved and nulled on CEDE_OK, still the caller's otherwise; `*out` is one reference, the caller's.
/// Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOMEM; CEDE_ETYPE; CEDE_EINVAL, also for a request that has not been answered; CEDE_EOWNER.
#define cede_rcu_create(self, T, first, out)                                                       \
    cedei_rcu_create((self), &cede_type_##T, CEDEI_MOVED_ARG(first), (out), CEDEI_HERE)

/// Begins a section and returns the newest version, a `const struct T *`, which stays until the end of the section. Another type
/// than the rcu's ends the process. Ownership: borrowed until cede_rcu_leave. Threads: any; the section stays on it.
/// Yields: no, nor may anything in the section. Blocks: no.
#define cede_rcu_enter(rcu, T) ((const struct T *)cedei_rcu_enter((rcu), &cede_type_##T))

/// Ends the section. Ownership: borrowed. Threads: that of cede_rcu_enter. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_rcu_leave(cede_rcu *rcu CEDE_BORROWED CEDE_RELEASED);

/// Makes `*message` the version that sections see from now on, and drops those before it that nobody can see any more.
/// Ownership: `*message` moved and nulled on CEDE_OK, still the caller's otherwise. Threads: the turn's; not in a section.
/// Yields: no. Blocks: no. Errors: CEDE_ENOMEM; CEDE_ETYPE; CEDE_EINVAL, also for a request that has not been answered;
/// CEDE_EOWNER; CEDE_ECONTEXT.
#define cede_rcu_publish(self, rcu, message)                                                       \
    cedei_rcu_publish((self), (rcu), CEDEI_MOVED_ARG(message), CEDEI_HERE)

/// Waits until every version that was replaced has been dropped: a grace period.
/// Ownership: borrowed. Threads: the turn's; not in a section. Yields: yes, while somebody reads. Blocks: no.
/// Units: nanoseconds to wait, 0 to try only, or CEDE_FOREVER. Errors: CEDE_ETIMEDOUT; CEDE_ECONTEXT; CEDE_EINVAL.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_rcu_reclaim(cede_self *self CEDE_BORROWED,
                                                        cede_rcu *rcu CEDE_BORROWED,
                                                        uint64_t timeout_ns);

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_rcu_create(cede_self *self CEDE_BORROWED,
                                                         const struct cede_type *type CEDE_BORROWED,
                                                         void **first CEDE_MOVED,
                                                         cede_rcu **out CEDE_BORROWED,
                                                         const char *here CEDE_BORROWED);
CEDE_NOYIELD const void *cedei_rcu_enter(cede_rcu *rcu CEDE_BORROWED CEDE_ACQUIRED,
                                         const struct cede_type *type CEDE_BORROWED);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_rcu_publish(cede_self *self CEDE_BORROWED,
                                                          cede_rcu *rcu CEDE_BORROWED,
                                                          void **message CEDE_MOVED,
                                                          const char *here CEDE_BORROWED);

CEDE_C_END
#endif
