/* cancel.h - tokens that say "stop when you can" to work that runs elsewhere, in a tree: a request reaches everything below.
 *
 *     r = cede_cancel_create(self, NULL, &all);
 *     r = cede_cancel_create(self, all, &one);                       below `all`
 *     request->cancel = cede_shared_ref(one);                        in a field of kind sync(cede_cancel)
 *     ...
 *     if (cede_cancel_is_requested(request->cancel)) ...             the work looks at it from time to time,
 *     r = cede_cancel_await(self, cancel, CEDE_FOREVER);             or an actor waits for it
 *     ...
 *     cede_cancel_request(all);                                      any thread: reaches `one` too, and whoever waits
 *
 * Asking is cheap and never waits; nothing is interrupted, and no code of the program is called back. A job's function is given
 * a token of its own (job.h), which is requested when nobody wants the job any more; a program's own token withdraws a queued job and
 * reaches a running one by whoever waits for it: cede_job_await_cancelable.
 * Costs: looking is one load for each token on the way up; asking a store, and waking those who wait, each once. */
#ifndef CEDE_CANCEL_H
#define CEDE_CANCEL_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/shared.h>

CEDE_C_BEGIN

/// One token; may be looked at, waited for and requested by several threads at once. A token below another one is
/// requested with it. Either a part of something of one's own (cede_cancel_init), or made and counted (cede_cancel_create).
typedef struct CEDE_SYNC cede_cancel {
    uint32_t cedei_requested; /* by the calls below only */
    uint32_t cedei_awaited;
    const struct cede_cancel *cedei_above;
    struct cede_cancel *cedei_below, *cedei_beside, **cedei_back;
    void *cedei_line[2];
} cede_cancel;
CEDEI_SYNC_DECLARE(cede_cancel);

/// Prepares `cancel`, not requested, which the caller stores where all its users can reach it and outlives them. With
/// `above` not NULL it also counts as requested once `above` is; `above` must outlive it.
/// Ownership: both borrowed, `above` until `cancel` is not used any more. Threads: before it is shared. Yields: no.
/// Blocks: no.
CEDE_NOYIELD void cede_cancel_init(cede_cancel *cancel CEDE_BORROWED,
                                   const cede_cancel *above CEDE_BORROWED);

/// Makes a token, not requested, below `above`, which is NULL or was made by this call too.
/// Ownership: `*out` is one reference, the caller's (cede_shared_ref, cede_shared_unref); it holds one to `above`.
/// Threads: the turn's. Yields: no. Blocks: no. Errors: CEDE_ENOMEM; CEDE_ECONTEXT; CEDE_EINVAL.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_cancel_create(cede_self *self CEDE_BORROWED,
                                                           cede_cancel *above CEDE_BORROWED,
                                                           cede_cancel **out CEDE_BORROWED);

/// Asks the work to stop; it cannot be taken back. What was written before is seen by whoever sees the request, or is woken
/// by it: each that waits, once.
/// Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_cancel_request(cede_cancel *cancel CEDE_BORROWED);

/// Whether it, or a token above it, was requested. Costs one load for each token on the way up.
/// Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD bool cede_cancel_is_requested(const cede_cancel *cancel CEDE_BORROWED);

/// Waits until it, or a token above it, is requested. CEDE_OK: it was.
/// Ownership: borrowed; it and what is above it must outlive the wait. Threads: the turn's, or an inbox's own. Yields: yes, when
/// it has to wait. Blocks: only on an inbox's thread. Units: nanoseconds to wait, 0 to look only, or CEDE_FOREVER.
/// Errors: CEDE_ETIMEDOUT; CEDE_ECANCELED the actor was asked to stop and would have had to wait; CEDE_ENOMEM, CEDE_ELIMIT
/// no stack; CEDE_ECONTEXT; CEDE_EINVAL.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_cancel_await(cede_self *self CEDE_BORROWED,
                                                         const cede_cancel *cancel CEDE_BORROWED,
                                                         uint64_t timeout_ns);

/// As cede_ask, and ends with CEDE_ECANCELED when `cancel` is requested, at once or while it waits; a reply that was on its way is a dead
/// letter then. NULL for `cancel`: no token. What is asked learns of it as of an asker whose time is over (see
/// cede_deadline); a token that it is to look at itself travels in the request, in a field of kind sync(cede_cancel).
/// Ownership: as cede_ask; `cancel` borrowed, it and what is above it must outlive the call.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER.
/// Errors: those of cede_ask; CEDE_ECANCELED (`*request` is still the caller's if it was requested before).
#define cede_ask_cancelable(self, to, request, T, reply, timeout_ns, cancel)                       \
    cedei_ask_cancelable((self), (to), CEDEI_MOVED_ARG(request), &cede_type_##T,                   \
                         CEDEI_OUT_ARG(T, reply), (timeout_ns), (cancel), CEDEI_HERE)
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_ask_cancelable(
    cede_self *self CEDE_BORROWED, cede_ref to, void **request CEDE_ASKED,
    struct cede_type *reply_type CEDE_BORROWED, void **reply CEDE_GIVEN, uint64_t timeout_ns,
    const cede_cancel *cancel CEDE_BORROWED, const char *here CEDE_BORROWED);

CEDE_C_END
#endif
