/* inbox.h - a plain thread's place among actors: it has a ref, receives, asks, and fits into a loop around poll.
 *
 * An inbox is an actor whose turns are run by the thread that opened it, whenever that thread chooses. With
 * cede_inbox_self the thread makes, sends, keeps and drops messages and spawns actors like any actor; where an actor
 * would yield, the thread blocks instead: cede_inbox_recv for cede_recv, cede_ask_sync for cede_ask. The calls that
 * yield fail with CEDE_ECONTEXT on it. For one piece of work in the manner of an actor there is cede_block_on. */
#ifndef CEDE_INBOX_H
#define CEDE_INBOX_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/result.h>
#include <cede/system.h>

CEDE_C_BEGIN

/// A plain thread's mailbox. Used by one thread at a time.
typedef struct cede_inbox cede_inbox;

/// Opens an inbox in `system`.
/// Ownership: `*out` is the caller's, closed by cede_inbox_close before the system is destroyed.
/// Threads: plain threads. Yields: no. Blocks: no.
/// Units: `mailbox_max` messages, as in cede_behaviour: 0 for CEDE_MAILBOX_DEFAULT, or CEDE_MAILBOX_UNBOUNDED.
/// Errors: CEDE_ECONTEXT called from a turn; CEDE_ENOMEM; CEDE_ELIMIT no descriptor or actor slot; CEDE_EINVAL;
/// CEDE_ECLOSED shutting down.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_inbox_open(cede_system *system CEDE_BORROWED,
                                                        uint32_t mailbox_max,
                                                        cede_inbox **out CEDE_BORROWED);

/// Closes it like an actor that ends normally: its messages are dropped, its watchers told. NULL does nothing.
/// Ownership: moved. Threads: the inbox's. Yields: no. Blocks: at most for a moment.
CEDE_BLOCKS void cede_inbox_close(cede_inbox *inbox);

/// The thread's `self`, for cede_new, cede_send, cede_keep, cede_drop, cede_reply, cede_spawn, cede_monitor, cede_stop
/// and whatever else does not yield. There is no end of a turn: what is received is kept until it is moved or dropped.
/// Ownership: borrowed, until the inbox is closed. Threads: the inbox's. Yields: no. Blocks: no.
CEDE_NOYIELD cede_self *cede_inbox_self(cede_inbox *inbox CEDE_BORROWED);

/// A descriptor for poll, select or epoll, readable while messages wait in the inbox (or it was asked to stop).
/// Ownership: the inbox's; only to be watched, neither read nor closed. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD int cede_inbox_fd(const cede_inbox *inbox CEDE_BORROWED);

/// Takes the next message of type T, waiting for it if there is none; others stay, in order:
///
///     struct tick *tick = NULL;
///     cede_result r = cede_inbox_recv(inbox, tick, &tick, CEDE_SECONDS(1));
///
/// Ownership: `*message` (a `struct T **`) is the caller's on CEDE_OK, to be moved or dropped; untouched otherwise.
/// Threads: the inbox's. Yields: no. Blocks: until there is one. Units: nanoseconds, 0 to look only, or CEDE_FOREVER.
/// Errors: CEDE_ETIMEDOUT; CEDE_ECANCELED somebody asked the inbox to stop (cede_stop, cede_kill); CEDE_EINVAL.
#define cede_inbox_recv(inbox, T, message, timeout_ns)                                             \
    cedei_inbox_recv((inbox), &cede_type_##T, CEDEI_OUT_ARG(T, message), (timeout_ns), CEDEI_HERE)

/// Has the handlers of `behaviour` run on this thread for all messages that wait, oldest first, at most `count_max`;
/// waits for the first if there is none. What a handler leaves of its message is dropped.
/// Ownership: borrowed; `state` goes to the handlers; `*handled` (may be NULL) is written on every result.
/// Threads: the inbox's. Yields: no; nor may the handlers. Blocks: until there is a message.
/// Units: nanoseconds, 0 to handle only what is there, or CEDE_FOREVER.
/// Errors: what a handler returned if it was not CEDE_OK (those behind it wait on); CEDE_ETIMEDOUT; CEDE_ECANCELED as in
/// cede_inbox_recv; CEDE_EINVAL.
CEDE_BLOCKS CEDE_NODISCARD cede_result cede_inbox_handle(cede_inbox *inbox CEDE_BORROWED,
                                                         const cede_behaviour *behaviour
                                                         CEDE_BORROWED,
                                                         void *state CEDE_BORROWED,
                                                         uint32_t count_max, uint64_t timeout_ns,
                                                         uint32_t *handled CEDE_BORROWED);

/// cede_ask for a plain thread: sends `*request` to `to` and blocks until a reply of type T is there, which it stores in
/// `*reply` (a `struct T **`).
/// Ownership: `*request` moved and nulled once it is sent (also if no reply comes), still the caller's when it could not
/// be sent; `*reply` is the caller's on CEDE_OK and untouched otherwise.
/// Threads: the inbox's. Yields: no. Blocks: until the reply. Units: nanoseconds, or CEDE_FOREVER; never early.
/// Errors: those of cede_ask; CEDE_ECONTEXT called from a turn; CEDE_ECANCELED killed meanwhile.
#define cede_ask_sync(inbox, to, request, T, reply, timeout_ns)                                    \
    cedei_ask_sync((inbox), (to), CEDEI_MOVED_ARG(request), &cede_type_##T,                        \
                   CEDEI_OUT_ARG(T, reply), (timeout_ns), CEDEI_HERE)

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_BLOCKS CEDE_NODISCARD cede_result cedei_inbox_recv(cede_inbox *inbox CEDE_BORROWED,
                                                        struct cede_type *type CEDE_BORROWED,
                                                        void **message CEDE_GIVEN,
                                                        uint64_t timeout_ns,
                                                        const char *here CEDE_BORROWED);
CEDE_BLOCKS CEDE_NODISCARD cede_result cedei_ask_sync(cede_inbox *inbox CEDE_BORROWED, cede_ref to,
                                                      void **request CEDE_ASKED,
                                                      struct cede_type *reply_type CEDE_BORROWED,
                                                      void **reply CEDE_GIVEN, uint64_t timeout_ns,
                                                      const char *here CEDE_BORROWED);

CEDE_C_END
#endif
