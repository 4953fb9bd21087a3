/* header.h - the 48 bytes in front of every message body, and who owns the message.
 * A body is 16-byte aligned right behind its header; users only ever see the body. `link` belongs to whoever owns the
 * message: the list of a turn, of an actor's kept messages, a mailbox, or a link to another node.
 *
 *   state      | who may take it on                      | to
 *   TURN       | the turn (send, keep, drop, reply, lend) | MAILBOX KEPT - JOB LINK FROZEN
 *   KEPT       | the actor (send, drop, reply)           | MAILBOX - LINK FROZEN
 *   MAILBOX    | the receiving actor                     | TURN -
 *   JOB        | the job, when it has run                | TURN -
 *   LINK       | the link, once it is encoded            | -            ("-": freed)
 *   TIMER      | the worker that fires it, the canceller  | MAILBOX LINK TURN -
 *   FROZEN     | nobody: it is counted, see frozen.h      | -
 */
#ifndef CEDEI_MESSAGE_HEADER_H
#define CEDEI_MESSAGE_HEADER_H

#include <stdint.h>

#include <cede/message.h>

enum cedei_msg_state {
    CEDEI_MSG_FREE = 0, /* poisoned; nobody's */
    CEDEI_MSG_TURN,
    CEDEI_MSG_KEPT,
    CEDEI_MSG_MAILBOX,
    CEDEI_MSG_JOB,
    CEDEI_MSG_LINK,
    CEDEI_MSG_TIMER,
    CEDEI_MSG_FROZEN
};

/* Where the reply to a request goes. */
struct cedei_return {
    uint32_t peer; /* 0: this node; else the number of the link that it came over, never used twice */
    uint32_t slot;       /* the asking actor, in its own node */
    uint32_t generation; /* of that actor; with `peer`: until when it waits, see cedei_deadline_pack */
    uint32_t sequence; /* which of the asker's waits; 0: no reply is expected (any more) */
};

/* Access: everything belongs to the owner; a transfer publishes it. */
struct cedei_msg {
    struct cedei_msg *next; /* this and what follows in a mailbox: see struct cedei_node */
    union {
        struct cedei_msg **back; /* TURN, KEPT: doubly linked */
        uint64_t depth_and_tag;  /* MAILBOX: high half: cedei_msg_tag */
    } link;
    struct cede_type *type;
    uintptr_t owner; /* TURN, KEPT: the actor, 64-byte aligned; else 0. Low 4 bits: enum cedei_msg_state.
                        MAILBOX: see cedei_msg_mail */
    struct cedei_return reply;
};

/* The generation (29 bits) of the tenant that the message was sent to, whether it came over a link, whether it is a
 * request that its asker does not wait for without end, and whether it is weighed. */
#define CEDEI_TAG_CREDIT 0x80000000u
#define CEDEI_TAG_DEADLINE 0x40000000u
#define CEDEI_TAG_WEIGHED 0x20000000u
#define CEDEI_GENERATION_MAX 0x1fffffffu
static inline uint32_t cedei_msg_tag(const struct cedei_msg *msg) {
    return (uint32_t)(msg->link.depth_and_tag >> 32);
}

static inline enum cedei_msg_state cedei_msg_state(const struct cedei_msg *msg) {
    return (enum cedei_msg_state)(msg->owner & 15);
}

_Static_assert(sizeof(struct cedei_msg) == 48, "one header and a 16-byte body fill a cache line");

/* `owner` in state MAILBOX. Without CEDEI_TAG_CREDIT and CEDEI_TAG_WEIGHED: the sending actor, or 0. With either: from bit 32 on
 * the account of a link to credit when the message is taken out, or the slot of the sending actor plus 1, or 0; from bit 5 on the weight.
 * Bit 4: see lane.c. */
#define CEDEI_MSG_SETTLED ((uintptr_t)16)
enum { CEDEI_WEIGHT_SHIFT = 5, CEDEI_WEIGHT_MAX = (1 << 27) - 1 };
static inline uintptr_t cedei_msg_mail(uint32_t number, uint32_t weight) {
    return (uintptr_t)number << 32 | (uintptr_t)weight << CEDEI_WEIGHT_SHIFT |
           (uintptr_t)CEDEI_MSG_MAILBOX;
}
static inline uint32_t cedei_msg_weight(const struct cedei_msg *msg) {
    return (uint32_t)msg->owner >> CEDEI_WEIGHT_SHIFT;
}

static inline void *cedei_msg_body(struct cedei_msg *msg) { return msg + 1; }

static inline struct cedei_msg *cedei_msg_of(void *body) { return (struct cedei_msg *)body - 1; }

#endif
