/* broadcast.h - every message to every receiver, without anybody waiting for the slowest.
 *
 *     r = cede_broadcast_create(self, tick, 128, &ticks);
 *     r = cede_broadcast_subscribe(self, ticks, &receiver);                    sees what is sent from now on
 *     ...
 *     r = cede_broadcast_send(self, ticks, &tick);                             frozen: tick is NULL
 *     ...
 *     r = cede_broadcast_recv(self, state->ticks, tick, &state->tick, &lost, CEDE_FOREVER);
 *     if (r == CEDE_OK && lost > 0) ...                                        it was too slow for so many
 *
 * The last `capacity` messages are kept, for all receivers together; a send never waits. A receiver that falls further behind
 * goes on with the oldest that is there, and is told how many it has missed. Messages are frozen: each is there once, and a
 * receiver holds what it got for as long as it likes, over yields too. The reference in its variable is given back by
 * the next receive into it, at last by cede_shared_unref; it belongs into the actor's state, or into a message.
 * A receiver is for one actor at a time; it may be sent. A wait that ends by its limit, by cede_stop or by a kill misses nothing.
 * When to use it: news. For work that one of several takes, cede_channel; for the newest only, cede_watch.
 * Costs: about 40 ns for each receiver of a message, sending and waking included, and `capacity` messages. */
#ifndef CEDE_BROADCAST_H
#define CEDE_BROADCAST_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/shared.h>

CEDE_C_BEGIN

/// Counted references to a broadcast and to one receiver of it: more by cede_shared_ref, given back by cede_shared_unref, sent in
/// fields of kind sync(cede_broadcast) and sync(cede_broadcast_receiver). A receiver keeps what it receives from.
CEDEI_SYNC_DECLARE(cede_broadcast);
CEDEI_SYNC_DECLARE(cede_broadcast_receiver);

/// Makes a broadcast of messages of type T that keeps the last `capacity`; `out` is a `cede_broadcast **`.
/// Ownership: `*out` is one reference, the caller's. Threads: the turn's. Yields: no. Blocks: no. Units: messages, at least 1.
/// Errors: CEDE_ENOMEM; CEDE_EINVAL.
#define cede_broadcast_create(self, T, capacity, out)                                              \
    cedei_broadcast_create((self), &cede_type_##T, (capacity), (out))

/// Makes a receiver of what is sent from now on.
/// Ownership: `*out` is one reference, the caller's. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOMEM; CEDE_EINVAL.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_broadcast_subscribe(cede_self *self CEDE_BORROWED,
                                                                 cede_broadcast *broadcast
                                                                 CEDE_BORROWED,
                                                                 cede_broadcast_receiver **out
                                                                 CEDE_BORROWED);

/// Sends `*message` to all receivers.
/// Ownership: `*message` moved and nulled on CEDE_OK, still the caller's otherwise. Threads: the turn's. Yields: no.
/// Blocks: no. Order: all receivers see all messages in one order. Delivery: at most once to each receiver.
/// Errors: CEDE_ECLOSED; CEDE_ETYPE; CEDE_EINVAL, also for a request that has not been answered; CEDE_EOWNER.
#define cede_broadcast_send(self, broadcast, message)                                              \
    cedei_broadcast_send((self), (broadcast), CEDEI_MOVED_ARG(message), CEDEI_HERE)

/// The receiver's next message, of type T; waits for it. `out` is a `const struct T **`, which holds a reference or NULL before
/// the call; `*lost` (`lost` may be NULL) is how many it has missed just before this one.
/// Ownership: `*out` is one reference, the caller's, and what it held is given back, on CEDE_OK; untouched otherwise.
/// Threads: the turn's, or an inbox's own. Yields: yes, when it has to wait. Blocks: only on an inbox's thread.
/// Units: nanoseconds to wait, 0 to look only, or CEDE_FOREVER.
/// Errors: CEDE_ECLOSED all was seen, and no more will come; CEDE_ETIMEDOUT; CEDE_ECANCELED the actor was asked to stop and
/// would have had to wait; CEDE_ENOMEM, CEDE_ELIMIT no stack; CEDE_ETYPE; CEDE_ECONTEXT; CEDE_EINVAL.
#define cede_broadcast_recv(self, receiver, T, out, lost, timeout_ns)                              \
    cedei_broadcast_recv((self), (receiver), &cede_type_##T, CEDEI_SHARED_OUT_OF(T, out), (lost),  \
                         (timeout_ns))

/// Nothing more will be sent; receivers still get what is kept.
/// Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_broadcast_close(cede_broadcast *broadcast CEDE_BORROWED);

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_broadcast_create(cede_self *self CEDE_BORROWED,
                                                               const struct cede_type *type
                                                               CEDE_BORROWED,
                                                               uint32_t capacity,
                                                               cede_broadcast **out CEDE_BORROWED);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_broadcast_send(cede_self *self CEDE_BORROWED,
                                                             cede_broadcast *broadcast CEDE_BORROWED,
                                                             void **message CEDE_MOVED,
                                                             const char *here CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result
cedei_broadcast_recv(cede_self *self CEDE_BORROWED, cede_broadcast_receiver *receiver CEDE_BORROWED,
                     const struct cede_type *type CEDE_BORROWED, const void **out CEDE_BORROWED,
                     uint64_t *lost CEDE_BORROWED, uint64_t timeout_ns);

CEDE_C_END
#endif
