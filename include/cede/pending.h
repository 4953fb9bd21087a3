/* pending.h - several asks at once: start each, then wait for any of them, or for all.
 *
 *     cede_pending *asks[2] = {NULL, NULL};
 *     r = cede_ask_start(self, near_store, &first, price, &asks[0], CEDE_SECONDS(1));
 *     if (r == CEDE_OK) r = cede_ask_start(self, far_store, &second, price, &asks[1], CEDE_SECONDS(1));
 *     size_t which = 0;
 *     if (r == CEDE_OK) r = cede_await_any(self, asks, 2, CEDE_FOREVER, &which);
 *     if (r == CEDE_OK) r = cede_await(self, &asks[which], price, &reply, 0);     whichever came first
 *     for (int i = 0; i < 2; i++) cede_pending_drop(self, &asks[i]);              the other is not wanted
 *
 * A pending ask is the actor's that started it, which may keep the handle in its state over turns. It is over when a reply
 * has come, when it is clear that none will, or when its time has passed; cede_await says which. Dropping it gives the reply up, and so
 * does the end of its actor: a reply that comes all the same is a dead letter. */
#ifndef CEDE_PENDING_H
#define CEDE_PENDING_H

#include <stddef.h>
#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// An ask that was started and whose end has not been taken yet.
typedef struct cede_pending cede_pending;

/// Sends `*request` to `to` as cede_ask does, for a reply of type T, but does not wait for it: that is for cede_await.
/// Ownership: `*request` moved and nulled on CEDE_OK, still the caller's otherwise; `*pending` (a `cede_pending **`) is the actor's on CEDE_OK, to be
/// ended by cede_await or cede_pending_drop, and untouched otherwise.
/// Inherits the deadline of a request that this turn holds, as cede_ask: see cede_deadline.
/// Threads: the turn's. Yields: no. Blocks: no. Units: nanoseconds from now, or CEDE_FOREVER.
/// Errors: those of cede_send; CEDE_ETIMEDOUT the inherited deadline has passed; CEDE_ELIMIT all actor slots in use (each
/// pending ask has one); CEDE_ECLOSED shutting down; CEDE_ECONTEXT also of an inbox (cede_ask_sync).
#define cede_ask_start(self, to, request, T, pending, timeout_ns)                                  \
    cedei_ask_start((self), (to), CEDEI_MOVED_ARG(request), &cede_type_##T, (pending),             \
                    (timeout_ns), CEDEI_HERE)

/// Waits until `*pending` is over and takes its reply, of the type T that it was started for, into `*reply` (a `struct T **`).
/// When it is over, `*pending` is NULL, whatever the result; otherwise it is as it was and may be awaited again.
/// Ownership: `*pending` ended and nulled, or still the actor's; `*reply` is the turn's on CEDE_OK and untouched otherwise.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, 0 to look without waiting, or CEDE_FOREVER.
/// Errors: with `*pending` NULL what cede_ask would say: CEDE_ENOREPLY, CEDE_EUNHANDLED, CEDE_ETYPE from the other side;
/// CEDE_ETIMEDOUT the time that it was started with; CEDE_ENODE. With `*pending` not NULL: CEDE_ETIMEDOUT; CEDE_ETYPE it was
/// started for another type; CEDE_EDEADLK whoever was asked waits for this actor; CEDE_EOWNER another actor's; CEDE_EINVAL;
/// CEDE_ENOMEM, CEDE_ELIMIT no stack.
#define cede_await(self, pending, T, reply, timeout_ns)                                            \
    cedei_await((self), (pending), &cede_type_##T, CEDEI_OUT_ARG(T, reply), (timeout_ns),          \
                CEDEI_HERE)

/// Waits until one of `count` pending asks is over, and writes its index: cede_await takes it then without waiting. Of
/// several that are over the first in the array. Entries that are NULL are passed over.
/// Ownership: `pendings` borrowed; they stay the actor's. `*which` written on CEDE_OK, untouched otherwise.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, 0 to look without waiting, or CEDE_FOREVER.
/// Errors: CEDE_ETIMEDOUT none is over; CEDE_EINVAL all are NULL; CEDE_EOWNER one is another actor's; CEDE_EDEADLK it is a single
/// one, as in cede_await; CEDE_ENOMEM, CEDE_ELIMIT no stack.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_await_any(cede_self *self CEDE_BORROWED,
                                                      cede_pending *const *pendings CEDE_BORROWED,
                                                      size_t count, uint64_t timeout_ns,
                                                      size_t *which CEDE_BORROWED);

/// Waits until all of `count` pending asks are over, each for whatever reason: cede_await takes each then without waiting.
/// Entries that are NULL are passed over.
/// Ownership: `pendings` borrowed; they stay the actor's.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, 0 to look without waiting, or CEDE_FOREVER.
/// Errors: CEDE_ETIMEDOUT some are not; CEDE_EINVAL; CEDE_EOWNER; CEDE_EDEADLK as in cede_await; CEDE_ENOMEM, CEDE_ELIMIT no stack.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_await_all(cede_self *self CEDE_BORROWED,
                                                      cede_pending *const *pendings CEDE_BORROWED,
                                                      size_t count, uint64_t timeout_ns);

/// Gives `*pending` up and sets it to NULL; a reply that has come or will come is a dead letter. NULL in `*pending` does nothing.
/// Ownership: moved. Threads: the turn's. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_pending_drop(cede_self *self CEDE_BORROWED,
                                    cede_pending **pending CEDE_BORROWED);

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_ask_start(cede_self *self CEDE_BORROWED, cede_ref to,
                                                        void **request CEDE_MOVED,
                                                        struct cede_type *reply_type CEDE_BORROWED,
                                                        cede_pending **pending CEDE_BORROWED,
                                                        uint64_t timeout_ns,
                                                        const char *here CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_await(cede_self *self CEDE_BORROWED,
                                                   cede_pending **pending CEDE_BORROWED,
                                                   struct cede_type *reply_type CEDE_BORROWED,
                                                   void **reply CEDE_GIVEN, uint64_t timeout_ns,
                                                   const char *here CEDE_BORROWED);

CEDE_C_END
#endif
