/* channel.h - a bounded queue of messages of one type, from several senders to several receivers, both of whom may wait.
 *
 *     r = cede_channel_create(self, picture, 16, &in, &out);
 *     first->pictures = cede_shared_ref(out);                        in a field of kind sync(cede_channel_receiver)
 *     ...
 *     r = cede_channel_send(self, in, &picture, CEDE_SECONDS(1));    picture is NULL: somebody will get it
 *     ...
 *     while (cede_channel_recv(self, state->pictures, picture, &p, CEDE_FOREVER) == CEDE_OK) ...
 *
 * Each message goes to one receiver. An end is closed by its last reference, so a program needs no agreement on who says
 * that it is over: when all senders' references are gone, receivers get what is left and CEDE_ECLOSED then; when all
 * receivers' are gone, sends give CEDE_ECLOSED and what was left becomes dead letters. Whoever keeps an end only to
 * hand it on gives it back, or the other side waits.
 * Messages of one sender arrive in the order in which they were sent; those who wait, on either side, are served in the order in
 * which they came. A wait that ends by its limit, by cede_stop or by a kill loses no message: one that a receiver was given and could
 * not take goes to the next, one that a sender could not get rid of is still its own.
 * When to use it: work for whoever is free. A mailbox already is a queue to one actor; for one answer, cede_oneshot; for
 * every receiver, cede_broadcast; for the newest only, cede_watch. Costs: about 40 ns for a message that is made, sent,
 * received and dropped, with waits now and then; a wait is a suspended turn. */
#ifndef CEDE_CHANNEL_H
#define CEDE_CHANNEL_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/shared.h>

CEDE_C_BEGIN

/// Counted references to the two ends of a channel: more by cede_shared_ref, given back by cede_shared_unref, sent in fields
/// of kind sync(cede_channel_sender) and sync(cede_channel_receiver).
CEDEI_SYNC_DECLARE(cede_channel_sender);
CEDEI_SYNC_DECLARE(cede_channel_receiver);

/// Makes a channel for messages of type T that holds `capacity` of them: `sender` and `receiver` are a
/// `cede_channel_sender **` and a `cede_channel_receiver **`.
/// Ownership: `*sender` and `*receiver` are one reference each, the caller's. Threads: the turn's. Yields: no. Blocks: no.
/// Units: messages, at least 1. Errors: CEDE_ENOMEM; CEDE_EINVAL.
#define cede_channel_create(self, T, capacity, sender, receiver)                                   \
    cedei_channel_create((self), &cede_type_##T, (capacity), (sender), (receiver))

/// Puts `*message` in; waits while the channel is full.
/// Ownership: `*message` moved and nulled on CEDE_OK, still the caller's otherwise. A request takes the duty to reply along.
/// Threads: the turn's, or an inbox's own. Yields: yes, when it has to wait. Blocks: only on an inbox's thread.
/// Units: nanoseconds to wait for room, 0 to try only, or CEDE_FOREVER. Delivery: exactly one receiver gets it, or it becomes
/// a dead letter when the last receiver goes.
/// Errors: CEDE_EFULL (0 to wait); CEDE_ETIMEDOUT; CEDE_ECLOSED; CEDE_ETYPE the channel is for another type; CEDE_ECANCELED the
/// actor was asked to stop and would have had to wait; CEDE_EOWNER; CEDE_ENOMEM, CEDE_ELIMIT no stack; CEDE_ECONTEXT; CEDE_EINVAL.
#define cede_channel_send(self, sender, message, timeout_ns)                                       \
    cedei_channel_send((self), (sender), CEDEI_MOVED_ARG(message), (timeout_ns), CEDEI_HERE)

/// Takes the oldest message, of type T, out; waits while there is none.
/// Ownership: `*message` (a `struct T **`) is the turn's on CEDE_OK, untouched otherwise.
/// Threads: the turn's, or an inbox's own. Yields: yes, when it has to wait. Blocks: only on an inbox's thread.
/// Units: nanoseconds to wait, 0 to look only, or CEDE_FOREVER.
/// Errors: CEDE_ETIMEDOUT; CEDE_ECLOSED nothing is left and nothing will come; CEDE_ETYPE; CEDE_ECANCELED the actor was asked to
/// stop and would have had to wait; CEDE_ENOMEM, CEDE_ELIMIT no stack; CEDE_ECONTEXT; CEDE_EINVAL.
#define cede_channel_recv(self, receiver, T, message, timeout_ns)                                  \
    cedei_channel_recv((self), (receiver), &cede_type_##T, CEDEI_OUT_ARG(T, message), (timeout_ns))

/// Ends sending for all: what is in the channel is still received, senders that wait get CEDE_ECLOSED.
/// Ownership: borrowed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_channel_close(cede_channel_sender *sender CEDE_BORROWED);

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_channel_create(
    cede_self *self CEDE_BORROWED, struct cede_type *type CEDE_BORROWED, uint32_t capacity,
    cede_channel_sender **sender CEDE_BORROWED, cede_channel_receiver **receiver CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_channel_send(cede_self *self CEDE_BORROWED,
                                                          cede_channel_sender *sender CEDE_BORROWED,
                                                          void **message CEDE_MOVED,
                                                          uint64_t timeout_ns,
                                                          const char *here CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_channel_recv(
    cede_self *self CEDE_BORROWED, cede_channel_receiver *receiver CEDE_BORROWED,
    struct cede_type *type CEDE_BORROWED, void **message CEDE_GIVEN, uint64_t timeout_ns);

CEDE_C_END
#endif
