/* room.h - what hangs on a mailbox beside its word: who waits for room in it, the lane of control messages, the tray of
 * mailboxes that give up messages, and the bytes of what is weighed.
 * A room is made by whoever needs it first, any thread, and stays with the slot for the system's life.
 *
 *   a waiter's `state` | who may change it, under the room's lock        | to
 *   NONE               | the waiting actor, that lists itself            | LISTED
 *   LISTED             | the receiver, that takes its message            | TAKEN
 *                      | the receiver's end                              | RETURNED
 *                      | the waiting actor (time over, killed)           | NONE
 *   TAKEN, RETURNED    | the waiting actor                               | NONE
 *
 * Invariants: (1) whoever adds anything leaves SIGNAL in the mailbox word or CEDEI_SIGNAL_ROOM in the actor's identity
 * afterwards, so the receiver cannot come to rest without having looked; (2) nothing is added for a tenant that has ended:
 * the generation is compared under the lock, and changes before the end looks into the room. */
#ifndef CEDEI_ACTOR_ROOM_H
#define CEDEI_ACTOR_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cede/actor.h>

#include "actors/message/header.h"
#include "core/base/base.h"
#include "core/sys/thread.h"

struct cede_self;
struct cede_system;
struct cedei_worker;

enum cedei_waiter_state {
    CEDEI_WAITER_NONE = 0,
    CEDEI_WAITER_LISTED,
    CEDEI_WAITER_TAKEN,
    CEDEI_WAITER_RETURNED
};

/* An actor that waits for room, in its extra. Access: L = under the lock of the receiver's room; A = the waiting actor. */
struct cedei_waiter {
    struct cedei_waiter *next, *before; /* L */
    struct cede_self *actor;            /* L */
    struct cedei_msg *msg; /* L: that is to be handed over; NULL: it only waits to be let on */
    uint32_t sequence;     /* L: of its wait */
    uint32_t place;        /* A: slot of the receiver plus 1; 0: in no list */
    enum cedei_waiter_state state; /* L */
};

struct cedei_msg_list {
    struct cedei_msg *first,
        *last; /* linked by `next`; `last` means nothing while `first` is NULL */
    uint32_t count;
};

/* Access: L = under `lock`; P = any thread, atomic. */
struct cedei_room {
    cedei_mutex lock;
    struct cedei_waiter *first, *last; /* L: first come, first served */
    struct cedei_msg_list lane;        /* L: control messages, ahead of all others */
    struct cedei_msg_list tray; /* L: of a mailbox that drops its oldest or keeps the latest: all others */
    _Atomic uint64_t weight; /* P: of the messages that were weighed, in units of 64 bytes */
};

/* The long way of cedei_room_of. */
struct cedei_room *cedei_room_make(struct cede_system *system, struct cedei_worker *worker,
                                   struct cede_self *actor);
/* Under the lock: whether `generation` still lives there. */
bool cedei_room_is_for(struct cede_self *actor, uint32_t generation);
/* At the end of a tenant, after its generation has changed: who waits is told, what waits becomes dead letters. */
void cedei_room_end(struct cede_self *actor);
/* At the end of the system, without threads. */
void cedei_room_destroy(struct cede_self *actor);

/* Receiver only. Hands messages of waiting senders over to `pending` as far as there is room, and lets others on; with `type` also
 * the first of that type, room or not. False: nothing has come of it. */
bool cedei_room_give(struct cede_self *actor, const struct cede_type *type);
/* How many messages are in lane and tray. */
uint32_t cedei_room_count(struct cede_self *actor);
/* Receiver only: the oldest control message, or of `type` if that is not NULL; NULL: none. */
struct cedei_msg *cedei_lane_take(struct cede_self *actor, const struct cede_type *type);
/* The same for the tray. */
struct cedei_msg *cedei_tray_take(struct cede_self *actor, const struct cede_type *type);

/* Ahead of what waits; `forced`: whatever the bound. Takes `msg` on CEDE_OK; the caller counts it as sent. */
cede_result cedei_lane_send(struct cede_system *system, struct cedei_worker *worker,
                            struct cede_self *actor, uint32_t generation, struct cedei_msg *msg,
                            uint32_t tag, bool forced);

/* A push that the short ways refused, or for which they are not made: the receiver's policy decides. As
 * cedei_deliver_into. */
cede_result cedei_overload_deliver(struct cede_system *system, struct cedei_worker *worker,
                                   struct cede_self *from, struct cede_self *actor,
                                   struct cedei_msg *msg, uint32_t tag);
/* Behind what is in the tray of `actor`, which keeps its data there; it is not given up for others. Takes `msg` on CEDE_OK. */
cede_result cedei_tray_send(struct cede_system *system, struct cedei_worker *worker,
                            struct cede_self *actor, uint32_t generation, struct cedei_msg *msg);

/* ---- bytes ---- */
/* What `msg` weighs in `actor`'s mailbox, in units of 64 bytes; 0: it is not weighed. */
uint32_t cedei_weight_of(struct cede_self *actor, const struct cedei_msg *msg);
/* False: that would be more than `factor` times the bound. An empty mailbox takes any one message. */
bool cedei_weight_take(struct cede_self *actor, struct cedei_room *room, uint32_t weight,
                       uint32_t factor);
void cedei_weight_give(struct cedei_room *room, uint32_t weight);
bool cedei_weight_has_room(struct cede_self *actor, struct cedei_room *room);
/* A message leaves the mailbox, handled or not: its link is told, its weight taken off. */
void cedei_mail_leave(struct cede_self *actor, struct cedei_msg *msg);

/* Waits until `message`, which is the turn's or the actor's, has been handed over to `to`, an actor of this node. */
CEDE_YIELDS cede_result cedei_room_wait(struct cede_self *self, cede_ref to, void **message,
                                        uint64_t deadline_ns, const char *here);
/* At the end of a turn that filled a mailbox which suspends its senders. True: the actor waits, and is not ours any more. */
bool cedei_room_mute(struct cede_self *self);
/* The same at a yield point in the middle of a turn. */
CEDE_YIELDS void cedei_room_mute_in_turn(struct cede_self *self);
/* The waiting actor ends: it is taken off the list, and its message dropped if nobody took it. */
void cedei_room_leave(struct cede_self *self);

#endif
