/* credit.c - the two counts of flow control; see credit.h.
 * Invariants: (1) what the receiver holds is never more than what the sender has out, so an honest sender that keeps
 * the rule is never found in breach; (2) every message taken in is credited exactly once; (3) credits are returned at a
 * quarter of the window at the latest, so a sender that waits has three quarters in mailboxes and will be woken. */
#include <string.h>

#include "actors/node/credit.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"

#define RING_FIRST_CAPACITY 16u

static bool within(uint32_t messages, uint64_t bytes, const struct cedei_window *window) {
    return messages < window->messages && bytes < window->bytes;
}

bool cedei_target_has_room(const struct cedei_target *target, const struct cedei_window *window) {
    return within(target->messages, target->bytes, window);
}

void cedei_target_charge(struct cedei_target *target, uint32_t bytes) {
    target->messages++;
    target->bytes += bytes;
}

cede_result cedei_target_credit(struct cedei_target *target, const struct cedei_credit *credit) {
    if (credit->messages > target->messages || credit->bytes > target->bytes) return CEDE_EPROTO;
    target->messages -= credit->messages;
    target->bytes -= credit->bytes;
    return CEDE_OK;
}

void cedei_debt_init(struct cedei_debt *debt, uint32_t slot, uint32_t generation) {
    memset(debt, 0, sizeof *debt);
    debt->generation = generation;
    debt->owed.target = (struct cedei_wire_actor){slot, generation};
}

void cedei_debt_fini(struct cedei_debt *debt) {
    cedei_free(debt->mailbox);
    debt->mailbox = NULL;
}

cede_result cedei_debt_hold(struct cedei_debt *debt, uint32_t generation, uint32_t bytes,
                            const struct cedei_window *window) {
    if (generation != debt->generation) {
        /* A new tenant has a window of its own; what the old one held is still credited, but not counted here. */
        debt->generation = generation;
        debt->held_messages = 0;
        debt->held_bytes = 0;
    }
    if (!within(debt->held_messages, debt->held_bytes, window)) return CEDE_EPROTO;
    debt->held_messages++;
    debt->held_bytes += bytes;
    return CEDE_OK;
}

static cede_result mailbox_grow(struct cedei_debt *debt, uint32_t limit) {
    uint32_t capacity =
        debt->mailbox_capacity == 0 ? RING_FIRST_CAPACITY : debt->mailbox_capacity * 2;
    if (debt->mailbox_capacity >= limit) return CEDE_ELIMIT;
    struct cedei_charge *wider = cedei_alloc(capacity * sizeof *wider);
    if (wider == NULL) return CEDE_ENOMEM;
    for (uint32_t i = 0; i < debt->mailbox_count; i++) {
        wider[i] = debt->mailbox[(debt->mailbox_first + i) % debt->mailbox_capacity];
    }
    cedei_free(debt->mailbox);
    debt->mailbox = wider;
    debt->mailbox_capacity = capacity;
    debt->mailbox_first = 0;
    return CEDE_OK;
}

cede_result cedei_debt_enter(struct cedei_debt *debt, struct cedei_charge charge,
                             const struct cedei_window *window) {
    if (debt->mailbox_count == debt->mailbox_capacity) {
        uint32_t limit = window->messages < UINT32_MAX / 4 ? window->messages * 2 : UINT32_MAX / 2;
        cede_result result = mailbox_grow(debt, limit);
        if (result != CEDE_OK) return result;
    }
    uint32_t last = (debt->mailbox_first + debt->mailbox_count) % debt->mailbox_capacity;
    debt->mailbox[last] = charge;
    debt->mailbox_count++;
    return CEDE_OK;
}

void cedei_debt_unenter(struct cedei_debt *debt) {
    CEDEI_CHECK(debt->mailbox_count > 0);
    debt->mailbox_count--;
}

bool cedei_debt_flush(struct cedei_debt *debt, struct cedei_credit *out) {
    if (debt->owed.messages == 0) return false;
    *out = debt->owed;
    if (debt->owed.target.generation == debt->generation) {
        CEDEI_CHECK(debt->held_messages >= debt->owed.messages &&
                    debt->held_bytes >= debt->owed.bytes);
        debt->held_messages -= debt->owed.messages;
        debt->held_bytes -= debt->owed.bytes;
    }
    debt->owed.messages = 0;
    debt->owed.bytes = 0;
    return true;
}

bool cedei_debt_release(struct cedei_debt *debt, struct cedei_charge charge,
                        const struct cedei_window *window, struct cedei_credit *out) {
    bool due = false;
    /* One credit is for one tenant: the old one's goes out when the first of the new one's comes up. */
    if (debt->owed.target.generation != charge.generation) due = cedei_debt_flush(debt, out);
    debt->owed.target.generation = charge.generation;
    debt->owed.messages++;
    debt->owed.bytes += charge.bytes;
    if (due) return true;
    if (debt->owed.messages < (window->messages + 3) / 4 && debt->owed.bytes < window->bytes / 4)
        return false;
    return cedei_debt_flush(debt, out);
}

bool cedei_debt_leave(struct cedei_debt *debt, const struct cedei_window *window,
                      struct cedei_credit *out) {
    if (debt->mailbox_count == 0) return false;
    struct cedei_charge charge = debt->mailbox[debt->mailbox_first];
    debt->mailbox_first = (debt->mailbox_first + 1) % debt->mailbox_capacity;
    debt->mailbox_count--;
    return cedei_debt_release(debt, charge, window, out);
}

bool cedei_debt_idle(const struct cedei_debt *debt) {
    return debt->mailbox_count == 0 && debt->owed.messages == 0 && debt->stash_first == NULL &&
           !debt->draining && !debt->listed;
}
