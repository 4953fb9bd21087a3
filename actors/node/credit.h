/* credit.h - how many messages may wait for one actor at the other end of a link.
 * The sender counts per target what it sent and was not credited for (struct cedei_target). The receiver counts per
 * local slot what it took in, and owes the sender a credit for each message that has left the mailbox (struct
 * cedei_debt). Both apply the same rule to their own count: a further message is allowed while fewer than
 * `messages` messages and fewer than `bytes` bytes are out, so the last one may overshoot `bytes` by its own size.
 * Not thread-safe: the link's lock guards both. */
#ifndef CEDEI_NODE_CREDIT_H
#define CEDEI_NODE_CREDIT_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/result.h>

#include "actors/message/header.h"
#include "actors/node/hash.h"
#include "actors/node/wire.h"

struct cedei_window {
    uint32_t messages;
    uint32_t bytes;
};

/* ---- the sender's side ---- */

struct cedei_link_waiter;

struct cedei_target {
    struct cedei_hash_node node; /* key: cedei_actor_key */
    uint32_t messages;           /* out */
    uint64_t bytes;              /* out */
    cede_result gone;            /* not CEDE_OK: a bounce said so, nothing is sent any more */
    struct cedei_link_waiter *waiters;
};

static inline uint64_t cedei_actor_key(struct cedei_wire_actor actor) {
    return (uint64_t)actor.slot << 32 | actor.generation;
}

bool cedei_target_has_room(const struct cedei_target *target, const struct cedei_window *window);
void cedei_target_charge(struct cedei_target *target, uint32_t bytes);
/* CEDE_EPROTO: more than was out. */
cede_result cedei_target_credit(struct cedei_target *target, const struct cedei_credit *credit);

/* ---- the receiver's side ---- */

struct cedei_charge {
    uint32_t generation;
    uint32_t bytes;
};

struct cedei_account;

struct cedei_debt {
    struct cedei_hash_node node; /* key: slot */
    uint32_t generation;         /* the newest tenant of the slot that was sent to */
    uint32_t held_messages;      /* of that tenant: taken in, no credit sent yet */
    uint64_t held_bytes;
    struct cedei_charge *mailbox; /* ring: what is in the mailbox, oldest first */
    uint32_t mailbox_capacity, mailbox_first, mailbox_count;
    struct cedei_credit owed; /* has left the mailbox, no credit sent yet */
    struct cedei_msg *stash_first,
        *stash_last;               /* for a full mailbox, in order; `link`: the charge */
    bool draining;                 /* somebody is moving the stash to the mailbox */
    bool listed;                   /* on the link's list of debts to look at */
    struct cedei_account *account; /* counts what has left and is not taken out of the ring yet */
    struct cedei_debt *listed_next;
};

void cedei_debt_init(struct cedei_debt *debt, uint32_t slot, uint32_t generation);
/* Frees the ring; the stash must be empty. */
void cedei_debt_fini(struct cedei_debt *debt);
/* A message for `generation` came in. CEDE_EPROTO: the peer had no credit for it. */
cede_result cedei_debt_hold(struct cedei_debt *debt, uint32_t generation, uint32_t bytes,
                            const struct cedei_window *window);
/* It goes into the mailbox. CEDE_ENOMEM; CEDE_ELIMIT the ring is at twice the window. */
cede_result cedei_debt_enter(struct cedei_debt *debt, struct cedei_charge charge,
                             const struct cedei_window *window);
/* The mailbox did not take what was entered last. */
void cedei_debt_unenter(struct cedei_debt *debt);
/* The oldest message has left the mailbox. True: send `*out` now. False also when none was in there. */
bool cedei_debt_leave(struct cedei_debt *debt, const struct cedei_window *window,
                      struct cedei_credit *out);
/* A held message that never entered is dropped. True: send `*out` now. */
bool cedei_debt_release(struct cedei_debt *debt, struct cedei_charge charge,
                        const struct cedei_window *window, struct cedei_credit *out);
/* Whatever is owed, now. False: nothing. */
bool cedei_debt_flush(struct cedei_debt *debt, struct cedei_credit *out);
/* Nothing held, owed, entered or stashed. */
bool cedei_debt_idle(const struct cedei_debt *debt);

#endif
