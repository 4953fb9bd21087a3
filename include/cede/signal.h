/* signal.h - signals of the operating system as messages: SIGTERM in a mailbox instead of in a handler. */
#ifndef CEDE_SIGNAL_H
#define CEDE_SIGNAL_H

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/message.h>
#include <cede/result.h>

CEDE_C_BEGIN

#define CEDEI_SIGNAL(F) F(i32, number)
/// What an actor that watches a signal receives when it comes. `number`: SIGTERM, SIGINT, ...
CEDE_MESSAGE_DECLARE(cede_signal, CEDEI_SIGNAL);

/// Has a `cede_signal` message sent to the calling actor whenever the process gets the signal `number`, instead of the
/// effect that the signal has otherwise, until the actor ends or calls cede_signal_unwatch. Several actors may watch
/// one signal; each is told. A signal that comes again before it was taken up counts once. The message passes a full
/// mailbox. Watching twice is the same as watching once.
/// Ownership: none. Threads: the turn's, or an inbox's. Yields: no. Blocks: no.
/// Errors: CEDE_EINVAL a signal that cannot be caught, or that tells of a fault (SIGSEGV, SIGBUS, SIGFPE, SIGILL,
/// SIGTRAP, SIGABRT); CEDE_ENOMEM; CEDE_ELIMIT no thread or descriptor.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_signal_watch(cede_self *self CEDE_BORROWED, int number);

/// Ends it. When nobody watches a signal any more it has the effect that it had before. A message that is on its way
/// may still come. Ownership: none. Threads: the turn's, or an inbox's. Yields: no. Blocks: no.
CEDE_NOYIELD void cede_signal_unwatch(cede_self *self CEDE_BORROWED, int number);

CEDE_C_END
#endif
