/* signal.h - who is told of signals of the operating system; the inner side of cede_signal_watch. */
#ifndef CEDEI_ACTOR_SIGNAL_H
#define CEDEI_ACTOR_SIGNAL_H

#include <cede/signal.h>

#include "actors/actor/actor.h"

/* An actor that watches signals ends. */
void cedei_signals_forget(cede_self *self);
/* A system whose actors watched signals is about to be destroyed: nothing of it is touched any more, and when it was
 * the last one, the thread that tells of signals has ended. */
void cedei_signals_forget_system(cede_system *system);

/* Has `signalled` called for SIGTERM and SIGINT while no actor watches them. Without memory or a thread for it they keep the
 * effect that they had. Ends with the system. `signalled` runs on the thread that tells of signals, and must be short. */
void cedei_signals_default(cede_system *system, void (*signalled)(void *context, int number),
                           void *context);

#endif
