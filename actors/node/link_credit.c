/* link_credit.c - messages from a peer on their way into mailboxes, and the credits owed for them; see link.h.
 * Owns the debts. Invariants: (1) every DATA frame is credited exactly once: when its message leaves the mailbox, or
 * when it is dropped instead; (2) messages for one actor enter its mailbox in the order in which they came: while
 * some are stashed, or the keeper moves them, the next ones are stashed too; (3) the receiving side never waits. */
#include <string.h>

#include "actors/actor/remote.h"
#include "actors/message/message.h"
#include "actors/node/own_node.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"
#include "core/sys/clock.h"

/* Of all messages that one peer has waiting here; beyond it they bounce. */
#define HELD_BYTES_MAX (256u * 1024u * 1024u)
/* Credits wait this long for company; a full mailbox is looked at this often. */
#define SETTLE_NS 10000000u

static bool credit_send(struct cedei_link *link, const struct cedei_credit *credit) {
    uint8_t *body = cedei_link_frame(link, CEDEI_FRAME_CREDIT, CEDEI_CREDIT_SIZE);
    if (body == NULL) return false;
    cedei_credit_write(credit, body);
    cedei_link_push(link);
    return true;
}

bool cedei_link_answer(struct cedei_link *link, struct cedei_wire_actor target,
                       struct cedei_return back, uint64_t type_id, cede_result code) {
    link->messages_bounced++;
    if (back.sequence != 0) {
        struct cedei_reply_head head = {
            .asker_slot = back.slot, .ask_sequence = back.sequence, .code = code};
        uint8_t *body = cedei_link_frame(link, CEDEI_FRAME_REPLY, CEDEI_REPLY_HEAD_SIZE);
        if (body == NULL) return false;
        cedei_reply_head_write(&head, body);
    } else {
        struct cedei_notice notice = {.target = target, .reason = code, .type_id = type_id};
        uint8_t *body = cedei_link_frame(link, CEDEI_FRAME_BOUNCE, CEDEI_BOUNCE_SIZE);
        if (body == NULL) return false;
        cedei_bounce_write(&notice, body);
    }
    cedei_link_push(link);
    return true;
}

bool cedei_link_reject(struct cedei_link *link, const struct cedei_data_head *head, uint32_t charge,
                       cede_result code) {
    struct cedei_credit credit = {.target = head->target, .messages = 1, .bytes = charge};
    struct cedei_return back = {
        .peer = link->number, .slot = head->asker_slot, .sequence = head->ask_sequence};
    cedei_mutex_lock(&link->lock);
    bool sent = link->state != CEDEI_LINK_UP;
    if (!sent) sent = credit_send(link, &credit);
    if (sent && link->state == CEDEI_LINK_UP && code != CEDE_OK) {
        sent = cedei_link_answer(link, head->target, back, head->type_id, code);
    }
    cedei_mutex_unlock(&link->lock);
    return sent;
}

/* ---- debts ---- */

static struct cedei_debt *debt_find(struct cedei_link *link, uint32_t slot) {
    struct cedei_hash_node *node = cedei_hash_find(&link->debts, slot);
    return node == NULL ? NULL : CEDEI_CONTAINER_OF(node, struct cedei_debt, node);
}

static struct cedei_debt *debt_get(struct cedei_link *link, struct cedei_wire_actor target) {
    struct cedei_debt *debt = debt_find(link, target.slot);
    if (debt != NULL) return debt;
    debt = cedei_alloc(sizeof *debt);
    if (debt == NULL) return NULL;
    cedei_debt_init(debt, target.slot, target.generation);
    cedei_hash_insert(&link->debts, &debt->node, target.slot);
    return debt;
}

/* Has the keeper look at the debt soon. */
static void debt_list(struct cedei_link *link, struct cedei_debt *debt) {
    if (debt->listed) return;
    debt->listed = true;
    debt->listed_next = link->debts_listed;
    link->debts_listed = debt;
    cedei_keeper_call(link->node, cedei_clock_now_ns() + SETTLE_NS);
}

/* A stashed message carries its charge in the word that a mailbox or a list of messages has no use for meanwhile. */
_Static_assert(sizeof(struct cedei_charge) <= sizeof((struct cedei_msg *)0)->link, "a charge fits");

static void charge_put(struct cedei_msg *msg, struct cedei_charge charge) {
    memcpy(&msg->link, &charge, sizeof charge);
}

static struct cedei_charge charge_get(const struct cedei_msg *msg) {
    struct cedei_charge charge;
    memcpy(&charge, &msg->link, sizeof charge);
    return charge;
}

static void stash_append(struct cedei_link *link, struct cedei_debt *debt, struct cedei_msg *msg,
                         struct cedei_charge charge) {
    charge_put(msg, charge);
    msg->next = NULL;
    if (debt->stash_first == NULL) {
        debt->stash_first = msg;
    } else {
        debt->stash_last->next = msg;
    }
    debt->stash_last = msg;
    debt_list(link, debt);
}

static void stash_prepend(struct cedei_debt *debt, struct cedei_msg *msg) {
    msg->next = debt->stash_first;
    if (debt->stash_first == NULL) debt->stash_last = msg;
    debt->stash_first = msg;
}

/* A held message is dropped: credit at once, and the sender is told. False: no room for that. */
static bool debt_drop(struct cedei_link *link, struct cedei_debt *debt, struct cedei_charge charge,
                      const struct cedei_msg *msg, cede_result code) {
    struct cedei_wire_actor target = {(uint32_t)debt->node.key, charge.generation};
    struct cedei_credit credit;
    bool sent = true;
    if (cedei_debt_release(debt, charge, &link->node->window, &credit)) {
        link->held_bytes -= credit.bytes;
        sent = credit_send(link, &credit);
    }
    debt_list(link, debt);
    return sent && cedei_link_answer(link, target, msg->reply, cedei_type_id(msg->type), code);
}

/* ---- delivery ---- */

/* Under the lock: the message is stashed (*msg NULL), may enter the mailbox (CEDE_OK), or not (the reason). */
static cede_result deliver_begin(struct cedei_link *link, struct cedei_debt *debt,
                                 struct cedei_charge charge, struct cedei_msg **msg) {
    link->held_bytes += charge.bytes;
    if (link->held_bytes > HELD_BYTES_MAX) return CEDE_EFULL;
    if (debt->stash_first != NULL || debt->draining) {
        stash_append(link, debt, *msg, charge);
        *msg = NULL;
        return CEDE_OK;
    }
    return cedei_debt_enter(debt, charge, &link->node->window);
}

/* The mailbox did not take it. Under the lock; *msg stays if it is to be freed. False: fail the link. */
static bool deliver_undo(struct cedei_link *link, struct cedei_debt *debt,
                         struct cedei_charge charge, struct cedei_msg **msg, cede_result result) {
    cedei_debt_unenter(debt);
    if (result != CEDE_EFULL) return debt_drop(link, debt, charge, *msg, result);
    stash_append(link, debt, *msg, charge);
    *msg = NULL;
    return true;
}

cede_result cedei_link_deliver(struct cedei_link *link, const struct cedei_data_head *head,
                               uint32_t bytes, struct cedei_msg *msg) {
    cede_system *system = link->node->system;
    cede_ref to = {link->node->hello.uid, head->target.slot, head->target.generation};
    struct cedei_charge charge = {head->target.generation, bytes};
    cede_result result = CEDE_OK, verdict = CEDE_OK;
    cedei_mutex_lock(&link->lock);
    struct cedei_debt *debt = link->state == CEDEI_LINK_UP ? debt_get(link, head->target) : NULL;
    if (debt == NULL) {
        /* Leaving or closed: nobody counts any more. Short of memory: the link cannot account for it. */
        verdict = link->state == CEDEI_LINK_UP ? CEDE_ENOMEM : CEDE_OK;
        goto unlock;
    }
    verdict = cedei_debt_hold(debt, charge.generation, charge.bytes, &link->node->window);
    if (verdict != CEDE_OK) goto unlock;
    result = deliver_begin(link, debt, charge, &msg);
    if (result != CEDE_OK && !debt_drop(link, debt, charge, msg, result)) verdict = CEDE_ENOMEM;
    if (result != CEDE_OK || msg == NULL) goto unlock;
    /* Counted before it can be handled, so that nobody sees an effect without its count. */
    link->messages_received++;
    cedei_mutex_unlock(&link->lock);
    result = cedei_deliver(system, to, msg);
    if (result == CEDE_OK) return CEDE_OK;
    cedei_mutex_lock(&link->lock);
    link->messages_received--;
    /* Only the keeper frees debts, and not while something is entered; but it may have buried the link's. */
    if (link->state == CEDEI_LINK_UP && !deliver_undo(link, debt, charge, &msg, result))
        verdict = CEDE_ENOMEM;
unlock:
    cedei_mutex_unlock(&link->lock);
    if (msg != NULL) cedei_msg_free(system, msg);
    return verdict;
}

void cedei_link_consumed(struct cedei_link *link, uint32_t slot) {
    struct cedei_credit credit;
    struct cedei_debt *debt = link->state == CEDEI_LINK_UP ? debt_find(link, slot) : NULL;
    if (debt == NULL) return;
    bool sent = true;
    if (cedei_debt_leave(debt, &link->node->window, &credit)) {
        link->held_bytes -= credit.bytes;
        sent = credit_send(link, &credit);
    }
    debt_list(link, debt);
    if (debt->stash_first != NULL && !debt->draining) cedei_keeper_call(link->node, 0);
    if (!sent)
        cedei_link_fail_locked(link, CEDE_ENOMEM, "no room for a CREDIT that must not be lost");
}

void cedei_link_flush_credits(struct cedei_link *link) {
    struct cedei_credit credit;
    for (struct cedei_debt *debt = link->debts_listed; debt != NULL; debt = debt->listed_next) {
        if (!cedei_debt_flush(debt, &credit)) continue;
        link->held_bytes -= credit.bytes;
        if (!credit_send(link, &credit)) return;
    }
}

/* ---- the keeper's part ---- */

/* Moves what the mailbox takes, at most a window full. Under the lock, which it leaves for each delivery. False: fail
 * the link. */
static bool stash_drain(struct cedei_link *link, struct cedei_debt *debt) {
    cede_system *system = link->node->system;
    bool good = true;
    debt->draining = true;
    for (uint32_t i = 0; good && debt->stash_first != NULL && i < link->node->window.messages; i++) {
        struct cedei_msg *msg = debt->stash_first;
        struct cedei_charge charge = charge_get(msg);
        cede_ref to = {link->node->hello.uid, (uint32_t)debt->node.key, charge.generation};
        debt->stash_first = msg->next;
        cede_result result = cedei_debt_enter(debt, charge, &link->node->window);
        bool entered = result == CEDE_OK;
        if (entered) {
            link->messages_received++;
            cedei_mutex_unlock(&link->lock);
            result = cedei_deliver(system, to, msg);
            cedei_mutex_lock(&link->lock);
        }
        if (result == CEDE_OK) continue;
        if (entered) cedei_debt_unenter(debt);
        if (entered) link->messages_received--;
        charge_put(msg, charge);
        stash_prepend(debt, msg);
        if (result == CEDE_EFULL || !entered) break;
        debt->stash_first = msg->next;
        good = debt_drop(link, debt, charge, msg, result);
        cedei_msg_free(system, msg);
    }
    debt->draining = false;
    return good;
}

/* One debt that was taken from the list. False: fail the link. */
static bool debt_settle(struct cedei_link *link, struct cedei_debt *debt) {
    struct cedei_credit credit;
    bool good = true;
    if (debt->stash_first != NULL) good = stash_drain(link, debt);
    if (cedei_debt_flush(debt, &credit)) {
        link->held_bytes -= credit.bytes;
        good = credit_send(link, &credit) && good;
    }
    if (debt->stash_first != NULL) debt_list(link, debt);
    if (cedei_debt_idle(debt)) {
        cedei_hash_remove(&link->debts, &debt->node);
        cedei_debt_fini(debt);
        cedei_free(debt);
    }
    return good;
}

void cedei_link_settle(struct cedei_link *link) {
    bool good = true;
    cedei_mutex_lock(&link->lock);
    struct cedei_debt *debt = link->debts_listed;
    link->debts_listed = NULL;
    while (debt != NULL && link->state == CEDEI_LINK_UP) {
        struct cedei_debt *next = debt->listed_next;
        debt->listed = false;
        good = debt_settle(link, debt) && good;
        debt = next;
    }
    cedei_mutex_unlock(&link->lock);
    if (!good) cedei_link_fail(link, CEDE_ENOMEM, "no room for a CREDIT that must not be lost");
}
