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
/* Messages that leave a mailbox are noted together, so many at most. */
#define NOTED_MAX 32u

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
    debt->account = cedei_account_open(&link->node->accounts, link->number);
    if (debt->account == NULL) {
        cedei_free(debt);
        return NULL;
    }
    cedei_hash_insert(&link->debts, &debt->node, target.slot);
    return debt;
}

/* Has the keeper look at the debt soon. */
static void debt_list(struct cedei_link *link, struct cedei_debt *debt) {
    if (debt->listed) return;
    debt->listed = true;
    cedei_account_list(debt->account, true);
    debt->listed_next = link->debts_listed;
    link->debts_listed = debt;
    cedei_keeper_call(link->node, cedei_clock_now_ns() + SETTLE_NS);
}

/* How many may leave before they are noted: those that a credit is due for, NOTED_MAX at most. Each, where their bytes may make one
 * due, or where the stash waits for room. */
static uint32_t note_at(const struct cedei_debt *debt, const struct cedei_window *window) {
    uint32_t quarter = (window->messages + 3) / 4, owed = debt->owed.messages;
    if (debt->stash_first != NULL || debt->held_bytes >= window->bytes / 4 || owed >= quarter)
        return 1;
    return quarter - owed < NOTED_MAX ? quarter - owed : NOTED_MAX;
}

/* Notes what has left the mailbox. False: no room for a credit. */
static bool debt_note(struct cedei_link *link, struct cedei_debt *debt) {
    const struct cedei_window *window = &link->node->window;
    struct cedei_credit credit;
    bool sent = true;
    for (uint32_t left = cedei_account_take(debt->account); left > 0; left--) {
        if (!cedei_debt_leave(debt, window, &credit)) continue;
        link->held_bytes -= credit.bytes;
        sent = credit_send(link, &credit) && sent;
    }
    cedei_account_note_at(debt->account, note_at(debt, window));
    return sent;
}

/* A message that has come carries its charge in the word that a mailbox or a list of messages has no use for meanwhile. */
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

/* Messages on their way. */
struct list {
    struct cedei_msg *first, *last;
    uint32_t count;
};

static void list_append(struct list *list, struct cedei_msg *msg) {
    msg->next = NULL;
    if (list->first == NULL)
        list->first = msg;
    else
        list->last->next = msg;
    list->last = msg;
    list->count++;
}

static struct cedei_msg *list_take(struct list *list) {
    struct cedei_msg *msg = list->first;
    list->first = msg->next;
    list->count--;
    return msg;
}

/* Under the lock. CEDE_OK: the message may enter the mailbox; CEDE_EFULL with *msg NULL: it is stashed; else it may not. */
static cede_result message_admit(struct cedei_link *link, struct cedei_debt *debt,
                                 struct cedei_charge charge, struct cedei_msg **msg) {
    link->held_bytes += charge.bytes;
    if (link->held_bytes > HELD_BYTES_MAX) return CEDE_EFULL;
    if (debt->stash_first == NULL && !debt->draining)
        return cedei_debt_enter(debt, charge, &link->node->window);
    stash_append(link, debt, *msg, charge);
    *msg = NULL;
    return CEDE_EFULL;
}

/* Under the lock: takes all of `come`; to `go` what may enter the mailbox, to `dropped` what may not. */
static cede_result batch_admit(struct cedei_link *link, struct cedei_debt *debt, struct list *come,
                               struct list *go, struct list *dropped) {
    if (!debt_note(link, debt)) return CEDE_ENOMEM;
    while (come->first != NULL) {
        struct cedei_charge charge = charge_get(come->first);
        cede_result result =
            cedei_debt_hold(debt, charge.generation, charge.bytes, &link->node->window);
        if (result != CEDE_OK) return result;
        struct cedei_msg *msg = list_take(come);
        result = message_admit(link, debt, charge, &msg);
        if (result == CEDE_OK) list_append(go, msg);
        if (result == CEDE_OK || msg == NULL) continue;
        bool told = debt_drop(link, debt, charge, msg, result);
        list_append(dropped, msg);
        if (!told) return CEDE_ENOMEM;
    }
    return CEDE_OK;
}

/* The mailbox did not take the first of `go`, for the reason `why`. Under the lock; what is to be freed goes to `dropped`. False:
 * fail the link. */
static bool deliver_undo(struct cedei_link *link, struct cedei_debt *debt, struct list *go,
                         struct list *dropped, cede_result why) {
    while (go->first != NULL) {
        struct cedei_msg *msg = list_take(go);
        struct cedei_charge charge = charge_get(msg);
        cedei_debt_unenter(debt);
        link->messages_received--;
        if (why == CEDE_EFULL) {
            stash_append(link, debt, msg, charge);
            continue;
        }
        list_append(dropped, msg);
        if (!debt_drop(link, debt, charge, msg, why)) return false;
    }
    cedei_account_note_at(debt->account, note_at(debt, &link->node->window));
    return true;
}

static void list_free(cede_system *system, struct list *list) {
    while (list->first != NULL) cedei_msg_free(system, list_take(list));
}

/* Without the lock. What the mailbox did not take, from the first such message on, is left in `go`. */
static cede_result list_deliver(struct cedei_link *link, struct cedei_wire_actor target,
                                struct cedei_account *account, struct list *go) {
    cede_ref to = {link->node->hello.uid, target.slot, target.generation};
    while (go->first != NULL) {
        struct cedei_msg *msg = go->first;
        struct cedei_msg *next = msg->next;
        struct cedei_charge charge = charge_get(msg);
        cede_result result = cedei_deliver(link->node->system, to, msg, account->number);
        if (result != CEDE_OK) {
            msg->next = next;
            charge_put(msg, charge);
            return result;
        }
        go->first = next;
        go->count--;
    }
    return CEDE_OK;
}

void cedei_batch_add(struct cedei_batch *batch, struct cedei_wire_actor target, uint32_t charge,
                     struct cedei_msg *msg) {
    struct list list = {batch->first, batch->last, batch->count};
    charge_put(msg, (struct cedei_charge){target.generation, charge});
    list_append(&list, msg);
    *batch = (struct cedei_batch){target, list.first, list.last, list.count};
}

cede_result cedei_link_deliver(struct cedei_link *link, struct cedei_batch *batch) {
    struct list come = {batch->first, batch->last, batch->count}, go = {0}, dropped = {0};
    struct cedei_account *account = NULL;
    cede_result verdict = CEDE_OK;
    batch->first = NULL;
    batch->count = 0;
    cedei_mutex_lock(&link->lock);
    /* Leaving or closed: nobody counts any more. Short of memory: the link cannot account for it. */
    bool is_up = link->state == CEDEI_LINK_UP;
    struct cedei_debt *debt = is_up ? debt_get(link, batch->target) : NULL;
    if (is_up) verdict = CEDE_ENOMEM;
    if (debt != NULL) {
        verdict = batch_admit(link, debt, &come, &go, &dropped);
        account = debt->account;
        cedei_account_enter(account, go.count);
        cedei_account_note_at(account, note_at(debt, &link->node->window));
        /* Counted before they can be handled, so that nobody sees an effect without its count. */
        link->messages_received += go.count;
    }
    cedei_mutex_unlock(&link->lock);
    cede_result result = go.count != 0 ? list_deliver(link, batch->target, account, &go) : CEDE_OK;
    if (result != CEDE_OK) {
        uint32_t count = go.count;
        cedei_mutex_lock(&link->lock);
        /* Only the keeper frees debts, and not while something is entered; but it may have buried the link's. */
        if (link->state == CEDEI_LINK_UP && !deliver_undo(link, debt, &go, &dropped, result))
            verdict = CEDE_ENOMEM;
        cedei_mutex_unlock(&link->lock);
        cedei_account_withdraw(&link->node->accounts, account, count);
    }
    list_free(link->node->system, &come);
    list_free(link->node->system, &go);
    list_free(link->node->system, &dropped);
    return verdict;
}

void cedei_link_consumed(struct cedei_link *link, uint32_t slot) {
    struct cedei_debt *debt = link->state == CEDEI_LINK_UP ? debt_find(link, slot) : NULL;
    if (debt == NULL) return;
    debt_list(link, debt);
    bool sent = debt_note(link, debt);
    if (debt->stash_first != NULL && !debt->draining) cedei_keeper_call(link->node, 0);
    if (!sent)
        cedei_link_fail_locked(link, CEDE_ENOMEM, "no room for a CREDIT that must not be lost");
}

void cedei_link_flush_credits(struct cedei_link *link) {
    struct cedei_credit credit;
    for (struct cedei_debt *debt = link->debts_listed; debt != NULL; debt = debt->listed_next) {
        if (!debt_note(link, debt)) return;
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
            cedei_account_enter(debt->account, 1);
            cedei_mutex_unlock(&link->lock);
            result = cedei_deliver(system, to, msg, debt->account->number);
            cedei_mutex_lock(&link->lock);
        }
        if (result == CEDE_OK) continue;
        if (entered) {
            cedei_account_withdraw(&link->node->accounts, debt->account, 1);
            cedei_debt_unenter(debt);
            link->messages_received--;
        }
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
    good = debt_note(link, debt) && good;
    if (cedei_debt_flush(debt, &credit)) {
        link->held_bytes -= credit.bytes;
        good = credit_send(link, &credit) && good;
    }
    if (debt->stash_first != NULL) debt_list(link, debt);
    if (cedei_debt_idle(debt)) {
        cedei_hash_remove(&link->debts, &debt->node);
        cedei_account_close(&link->node->accounts, debt->account);
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
        cedei_account_list(debt->account, false);
        good = debt_settle(link, debt) && good;
        debt = next;
    }
    cedei_mutex_unlock(&link->lock);
    if (!good) cedei_link_fail(link, CEDE_ENOMEM, "no room for a CREDIT that must not be lost");
}
