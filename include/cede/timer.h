/* timer.h - messages that are sent later.
 *
 *     struct tick *tick = cede_new(self, tick);
 *     cede_result r = cede_send_after(self, cede_self_ref(self), &tick, CEDE_MILLIS(100), &state->timer);
 *     ...
 *     (void)cede_timer_cancel(self, state->timer);
 *
 * A message waits in a timer, which owns it, and arrives in the receiver's mailbox like any other. Nothing repeats by itself:
 * a handler that wants the next tick sends the tick that it was called with to itself again, and so never gets two at once.
 * A turn that is to wait in the middle uses cede_sleep. */
#ifndef CEDE_TIMER_H
#define CEDE_TIMER_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/ref.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// Names a timer. Copy it freely; it may outlive the timer: using it then gives CEDE_ENOENT, never a crash and never another
/// timer. All zeroes names none.
typedef struct CEDE_SEND CEDE_SYNC cede_timer {
    uint64_t node; /* uid of the process that set it */
    uint32_t place, generation;
} cede_timer;

/// Moves `*message` into a timer now, and sends it to `to` after `delay_ns`: never sooner; later by half a millisecond at
/// most, unless all workers are busy.
/// Ownership: `*message` moved and nulled on CEDE_OK, still the caller's otherwise; `*timer` (may be NULL) written on CEDE_OK.
/// Threads: the turn's. Yields: no. Blocks: no. Units: nanoseconds; CEDE_FOREVER keeps it until it is taken back.
/// Order: none is promised between messages of different timers, beside that none is early.
/// The message arrives also in a full mailbox, and also when its sender has ended meanwhile; it is a dead letter when the
/// receiver has ended, or cannot be reached, by then, and when the system is destroyed before.
/// Errors: CEDE_ENOACTOR receiver gone already; CEDE_EINVAL `*message` is NULL; CEDE_EOWNER; CEDE_ELIMIT 2^24 timers of this
/// worker are set; CEDE_ENOMEM; for an actor in another node CEDE_ENODE and CEDE_ENOTSUP as in cede_send.
#define cede_send_after(self, to, message, delay_ns, timer)                                        \
    cedei_send_after((self), (to), CEDEI_MOVED_ARG(message), (delay_ns), (timer), CEDEI_HERE)

/// Takes a message of type T back out of its timer before its time: `*message` (a `struct T **`). Costs the same however many
/// timers are set. Any actor of the same system may do it.
/// Ownership: `*message` is the turn's on CEDE_OK, untouched otherwise.
/// Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOENT it was sent, taken back or cancelled before; CEDE_ETYPE it is not a T (the timer stays set).
#define cede_timer_take(self, timer, T, message)                                                   \
    cedei_timer_take((self), (timer), &cede_type_##T, CEDEI_OUT_ARG(T, message), CEDEI_HERE)

/// As cede_timer_take, for a message of any type, and drops it.
/// Ownership: copied. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOENT it was sent, taken back or cancelled before: the message may be on its way.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_timer_cancel(cede_self *self CEDE_BORROWED,
                                                          cede_timer timer);

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_send_after(cede_self *self CEDE_BORROWED, cede_ref to,
                                                         void **message CEDE_MOVED,
                                                         uint64_t delay_ns,
                                                         cede_timer *timer CEDE_BORROWED,
                                                         const char *here CEDE_BORROWED);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_timer_take(cede_self *self CEDE_BORROWED,
                                                         cede_timer timer,
                                                         struct cede_type *type CEDE_BORROWED,
                                                         void **message CEDE_GIVEN,
                                                         const char *here CEDE_BORROWED);

CEDE_C_END
#endif
