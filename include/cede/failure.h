/* failure.h - what the end of one actor means to others: links, trapped exits, and the place where it failed.
 *
 * An actor ends normally (CEDE_STOP, cede_stop), is killed (cede_kill), or fails: with the result that its handler returned.
 * Who wants to know watches it (cede_monitor in actor.h). Who cannot go on without it is linked with it. Supervisors
 * (supervisor.h) are made of links and trapped exits. docs/FAILURE.md has all of it on one page, beside Erlang/OTP's. */
#ifndef CEDE_FAILURE_H
#define CEDE_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/ref.h>
#include <cede/result.h>

CEDE_C_BEGIN

struct cede_exit; /* what an actor that traps exits receives: message.h */

/// Links the calling actor with `actor`, in both directions: when one of them ends abnormally (killed, failed, or by another
/// link), the other ends with CEDE_ELINKED, as if killed; unless it traps exits. A normal end does nothing to the other. Two
/// actors have one link at most; linking them again changes nothing.
/// Ownership: copied. Threads: the turn's, or an inbox's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOACTOR it has ended (nobody is told); CEDE_EINVAL oneself; CEDE_ENOTSUP the actor lives in another node:
/// monitor it; CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_link(cede_self *self CEDE_BORROWED, cede_ref actor);

/// Takes the link back, whichever of both made it. An end that has happened before keeps its effect.
/// Ownership: copied. Threads: the turn's, or an inbox's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOENT there is none (any more).
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_unlink(cede_self *self CEDE_BORROWED, cede_ref actor);

/// As cede_spawn, and cede_link with the new actor in one step: neither can end unseen by the other.
/// Ownership: as cede_spawn. Threads: the turn's. Yields: no. Blocks: no. Errors: those of cede_spawn.
#define cede_spawn_linked(self, behaviour, first, out)                                             \
    cedei_spawn((self), (behaviour), CEDEI_MOVED_ARG(first), (out), CEDEI_LINKED, CEDEI_HERE)

/// Traps exits, or no longer: the ends of linked actors, also normal ones, arrive as `cede_exit` messages, after everything
/// that they sent, and do not end the calling actor. So does a cede_stop of it, with reason CEDE_STOP: it is then for
/// the actor to end, by returning CEDE_STOP. cede_kill is not trapped. The messages pass a full mailbox.
/// Ownership: none. Threads: the turn's, or an inbox's. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_trap_exits(cede_self *self CEDE_BORROWED, bool trap);

/// Takes cede_monitor of `actor` back: all that this actor has of it.
/// Ownership: copied. Threads: the turn's, or an inbox's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOENT there is none (any more): its cede_down is in the mailbox, or comes at once; CEDE_ENOMEM, only for an
/// actor of another node: it is still watched.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_demonitor(cede_self *self CEDE_BORROWED,
                                                       cede_ref actor);

/// For handlers that fail: says why, and gives `reason` back, which is CEDE_EFAILED for CEDE_OK and CEDE_STOP.
///
///     return cede_fail(self, CEDE_EIO, "no space left for %s", path);
///
/// The text, cut to some 200 bytes, appears behind file and line in the log and in `place` of cede_down and cede_exit if the actor
/// ends with an error. The last one counts.
/// Ownership: copied. Threads: the turn's. Yields: no. Blocks: no.
#define cede_fail(self, reason, ...) cedei_fail((self), (reason), CEDEI_HERE, __VA_ARGS__)

/// Asks `actor` to end normally once it has handled what is in its mailbox now. It ends by a `cede_drained` message, which
/// passes a full mailbox.
/// Ownership: copied. Threads: the turn's, or an inbox's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOACTOR gone already; CEDE_ENOTSUP the actor lives in another node; CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_drain(cede_self *self CEDE_BORROWED, cede_ref actor);

/// Whether `actor` has not ended yet; of another node: whether there is one (its end is known to monitors only).
/// Ownership: copied. Threads: the turn's, or an inbox's. Yields: no. Blocks: no.
CEDE_NOYIELD bool cede_is_alive(cede_self *self CEDE_BORROWED, cede_ref actor);

/// How many messages wait in the mailbox of `actor`, about; 0 for one of another node or that has ended. Of an unbounded
/// mailbox only those that its actor has not looked at yet.
/// Ownership: copied. Threads: the turn's, or an inbox's. Yields: no. Blocks: no. Units: messages.
CEDE_NOYIELD uint32_t cede_waiting(cede_self *self CEDE_BORROWED, cede_ref actor);

/// How much `actor` has to do, to compare it with others: cede_waiting, and one more while it is in a turn (but for cede_recv).
/// Ownership: copied. Threads: the turn's, or an inbox's. Yields: no. Blocks: no. Units: messages, about.
CEDE_NOYIELD uint32_t cede_load(cede_self *self CEDE_BORROWED, cede_ref actor);

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD cede_result cedei_fail(cede_self *self CEDE_BORROWED, cede_result reason,
                                    const char *here CEDE_BORROWED,
                                    const char *format CEDE_BORROWED, ...) CEDE_PRINTF(4, 5);

CEDE_C_END
#endif
