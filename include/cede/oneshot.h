/* oneshot.h - one message, once, from whoever has the sender to whoever waits with the receiver.
 *
 *     r = cede_oneshot_create(self, verdict, &sender, &receiver);
 *     job->verdict = sender;                                           in a field of kind sync(cede_oneshot_sender)
 *     sender = NULL;                                                   this actor does not have it any more
 *     r = cede_send(self, court, &job);
 *     r = cede_oneshot_recv(self, receiver, verdict, &v, CEDE_SECONDS(1));
 *
 * The receiver learns in any case: when the sender's last reference is gone without a send, because its holder forgot it or
 * ended, however it ended, the wait ends with CEDE_ECLOSED. When the receiver is gone, the send gives CEDE_ECLOSED.
 * When to use it: an answer that comes from somewhere else than the actor that was asked, or later than its turn. For
 * an answer to a request, cede_ask and cede_reply do the same and cost less. Costs: about 110 ns from create to the end. */
#ifndef CEDE_ONESHOT_H
#define CEDE_ONESHOT_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/shared.h>

CEDE_C_BEGIN

/// Counted references to the two ends: given back by cede_shared_unref, sent in fields of kind sync(cede_oneshot_sender)
/// and sync(cede_oneshot_receiver).
CEDEI_SYNC_DECLARE(cede_oneshot_sender);
CEDEI_SYNC_DECLARE(cede_oneshot_receiver);

/// Makes a oneshot for a message of type T: `sender` and `receiver` are a `cede_oneshot_sender **` and a
/// `cede_oneshot_receiver **`.
/// Ownership: `*sender` and `*receiver` are one reference each, the caller's. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOMEM; CEDE_EINVAL.
#define cede_oneshot_create(self, T, sender, receiver)                                             \
    cedei_oneshot_create((self), &cede_type_##T, (sender), (receiver))

/// Sends `*message`, and ends `*sender`, a `cede_oneshot_sender **`, with it.
/// Ownership: `*message` moved and nulled, and the reference `*sender` given back and nulled, on CEDE_OK; both still the
/// caller's otherwise. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ECLOSED the receiver is gone, or it was sent already by another reference; CEDE_ETYPE; CEDE_EOWNER; CEDE_EINVAL.
#define cede_oneshot_send(self, sender, message)                                                   \
    cedei_oneshot_send((self), (sender), CEDEI_MOVED_ARG(message), CEDEI_HERE)

/// Takes the message, of type T, when it comes.
/// Ownership: `*message` (a `struct T **`) is the turn's on CEDE_OK, untouched otherwise.
/// Threads: the turn's, or an inbox's own. Yields: yes, when it has to wait. Blocks: only on an inbox's thread.
/// Units: nanoseconds to wait, 0 to look only, or CEDE_FOREVER.
/// Errors: CEDE_ECLOSED it was taken already, or will never come; CEDE_ETIMEDOUT; CEDE_ETYPE; CEDE_ECANCELED the actor was
/// asked to stop and would have had to wait; CEDE_ENOMEM, CEDE_ELIMIT no stack; CEDE_ECONTEXT; CEDE_EINVAL.
#define cede_oneshot_recv(self, receiver, T, message, timeout_ns)                                  \
    cedei_oneshot_recv((self), (receiver), &cede_type_##T, CEDEI_OUT_ARG(T, message), (timeout_ns))

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_oneshot_create(
    cede_self *self CEDE_BORROWED, struct cede_type *type CEDE_BORROWED,
    cede_oneshot_sender **sender CEDE_BORROWED, cede_oneshot_receiver **receiver CEDE_BORROWED);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_oneshot_send(cede_self *self CEDE_BORROWED,
                                                           cede_oneshot_sender **sender
                                                           CEDE_BORROWED,
                                                           void **message CEDE_MOVED,
                                                           const char *here CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_oneshot_recv(
    cede_self *self CEDE_BORROWED, cede_oneshot_receiver *receiver CEDE_BORROWED,
    struct cede_type *type CEDE_BORROWED, void **message CEDE_GIVEN, uint64_t timeout_ns);

CEDE_C_END
#endif
