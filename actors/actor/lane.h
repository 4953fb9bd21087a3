/* lane.h - control messages, ahead of all others, and what lane and tray have in common. */
#ifndef CEDEI_ACTOR_LANE_H
#define CEDEI_ACTOR_LANE_H

#include "actors/actor/actor.h"

/* The first of `type` (NULL: of any) out of the list; NULL: there is none. */
struct cedei_msg *cedei_list_take(struct cedei_msg_list *list, const struct cede_type *type);
/* The slot of the actor that sent it, or of its place's present tenant; UINT32_MAX: unknown. */
uint32_t cedei_msg_sender(const struct cedei_msg *msg);
/* Under the room's lock, after something was put into lane or tray: CEDEI_SIGNAL_ROOM. */
void cedei_room_announce(struct cede_self *actor, uint32_t generation);
/* Under the lock, receiver only: takes it back if both are empty. */
void cedei_room_quiet(struct cede_self *actor, struct cedei_room *room);
/* Without the lock: has the receiver run, if it rests or receives. */
void cedei_room_call(cede_system *system, struct cedei_worker *worker, struct cede_self *actor);

#endif
