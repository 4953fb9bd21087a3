/* simulated.h - where the simulator looks in, and makes things go wrong, in the lives of actors. In any other build these
 * are nothing. They are called with the actor's rights held, and give no way to others. */
#ifndef CEDEI_ACTOR_SIMULATED_H
#define CEDEI_ACTOR_SIMULATED_H

#include <stdbool.h>

#include "actors/actor/actor.h"

#if CEDEI_SIM
void cedei_simulated_spawn(cede_self *actor);
void cedei_simulated_end(cede_self *self, cede_result reason);
/* A turn begins: some actor may be killed, this one too. */
void cedei_simulated_turn(cede_self *self, const struct cedei_msg *msg);
/* It is over: CEDE_OK may become a failure. */
cede_result cedei_simulated_result(cede_self *self, cede_result r);
/* It is about to wait in the middle: as above. */
void cedei_simulated_wait(cede_self *self);
void cedei_simulated_resume(cede_self *self);
/* True: the receiver's mailbox is to count as full. Never once the sender has begun to wait for room: it would wait for what is
 * there already. */
bool cedei_simulated_refusal(cede_self *self, cede_ref to, const struct cedei_msg *msg);
#else
static inline void cedei_simulated_spawn(cede_self *actor) { (void)actor; }
static inline void cedei_simulated_end(cede_self *self, cede_result reason) {
    (void)self, (void)reason;
}
static inline void cedei_simulated_turn(cede_self *self, const struct cedei_msg *msg) {
    (void)self, (void)msg;
}
static inline cede_result cedei_simulated_result(cede_self *self, cede_result r) {
    (void)self;
    return r;
}
static inline void cedei_simulated_wait(cede_self *self) { (void)self; }
static inline void cedei_simulated_resume(cede_self *self) { (void)self; }
static inline bool cedei_simulated_refusal(cede_self *self, cede_ref to,
                                           const struct cedei_msg *msg) {
    (void)self, (void)to, (void)msg;
    return false;
}
#endif

#endif
