/* link.c - life of a link: made, admitted, watched by the clock, ended and buried; see link.h.
 * Owns the link and all tables in it. Invariants: (1) CLOSED is entered once, and from then on nothing is started on
 * the stream; (2) whoever waits for something from the peer is told exactly once: by the frame that answers, or by
 * bury; (3) nothing is delivered from a link after it was buried, because its stream is destroyed before. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/actor/remote.h"
#include "actors/node/own_node.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"
#include "core/sys/clock.h"
#include "core/sys/random.h"

#define LEAVE_NS 1000000000u /* for the peer to take what was sent and to hang up */
#define STALL_NS                                                                                   \
    10000000000u /* a peer that takes no byte for this long is given up, if it may not be silent for longer */
#define SETTLE_NS 10000000u /* credits that are owed wait this long for company */
#define ALONE_NS 500000u    /* between two looks at a link whose transport's workers have stopped */
#define NEVER UINT64_MAX

/* Memory that was a link's, or new one; with its lock. Whoever comes late finds a link that is not UP. */
static struct cedei_link *link_take(struct cedei_own_node *node) {
    cedei_mutex_lock(&node->shelf_lock);
    struct cedei_link *link = node->shelf;
    if (link != NULL) node->shelf = link->next;
    cedei_mutex_unlock(&node->shelf_lock);
    if (link != NULL) {
        cedei_mutex_lock(&link->lock);
        memset((char *)link + sizeof link->lock, 0, sizeof *link - sizeof link->lock);
        return link;
    }
    link = cedei_alloc_zeroed(sizeof *link);
    if (link == NULL) return NULL;
    cedei_mutex_init(&link->lock);
    cedei_mutex_lock(&link->lock);
    return link;
}

static void link_give(struct cedei_link *link) {
    struct cedei_own_node *node = link->node;
    cedei_mutex_lock(&node->shelf_lock);
    link->next = node->shelf;
    node->shelf = link;
    cedei_mutex_unlock(&node->shelf_lock);
}

struct cedei_link *cedei_link_create(struct cedei_own_node *node,
                                     const struct cedei_transport *transport, bool dialed) {
    struct cedei_link *link = link_take(node);
    if (link == NULL) return NULL;
    link->node = node;
    link->transport = transport;
    link->dialed = dialed;
    link->state = dialed ? CEDEI_LINK_DIALING : CEDEI_LINK_GREETING;
    link->in_bytes = link->in_first;
    link->in_capacity = sizeof link->in_first;
    link->last_in_ns = cedei_clock_now_ns();
    link->deadline_ns = link->last_in_ns + node->handshake_ns;
    atomic_init(&link->references, 1);
    cedei_outbox_init(&link->outbox);
    cedei_hash_init(&link->targets, node->seed);
    cedei_hash_init(&link->waiters, node->seed);
    cedei_hash_init(&link->asks, node->seed);
    cedei_hash_init(&link->monitors, node->seed);
    cedei_hash_init(&link->debts, node->seed);
    (void)snprintf(link->address, sizeof link->address, "a new peer");
    cedei_mutex_unlock(&link->lock);
    return link;
}

void cedei_link_ref(struct cedei_link *link) {
    /* relaxed: whoever adds a reference holds one, or the node's lock that keeps the list's one alive. */
    (void)atomic_fetch_add_explicit(&link->references, 1, memory_order_relaxed);
}

void cedei_link_unref(struct cedei_link *link) {
    if (link == NULL) return;
    /* acq_rel: pairs with itself in other threads; the last one must see all that the others did to the link. */
    if (atomic_fetch_sub_explicit(&link->references, 1, memory_order_acq_rel) != 1) return;
    cedei_outbox_fini(&link->outbox);
    cedei_hash_fini(&link->targets);
    cedei_hash_fini(&link->waiters);
    cedei_hash_fini(&link->asks);
    cedei_hash_fini(&link->monitors);
    cedei_hash_fini(&link->debts);
    if (link->in_bytes != link->in_first) cedei_free(link->in_bytes);
    cedei_free(link->ask_spare);
    link_give(link);
}

/* Under the lock. What memory is too short for is left out: messages of those types are longer, that is all. */
static void types_tell(struct cedei_link *link) {
    if ((link->peer.features & CEDEI_FEATURE_TYPES) == 0) return;
    uint32_t count = cedei_types_count();
    for (uint32_t first = 1; first <= count; first += CEDEI_TYPES_ENTRIES_MAX) {
        uint32_t left = count - first + 1;
        uint32_t here = left < CEDEI_TYPES_ENTRIES_MAX ? left : CEDEI_TYPES_ENTRIES_MAX;
        uint8_t *at =
            cedei_link_frame(link, CEDEI_FRAME_TYPES, (size_t)here * CEDEI_TYPES_ENTRY_SIZE);
        if (at == NULL) return;
        for (uint32_t i = first; i < first + here; i++, at += CEDEI_TYPES_ENTRY_SIZE) {
            const struct cede_type *type = cedei_type_at(i);
            struct cedei_types_entry entry = {0, 0};
            if (type != NULL)
                entry = (struct cedei_types_entry){cedei_type_id(type), cede_schema_hash(type)};
            cedei_types_entry_write(&entry, at);
        }
    }
}

void cedei_link_admit(struct cedei_link *link, uint64_t own_stamp) {
    bool is_short = false;
    cedei_mutex_lock(&link->lock);
    if (link->state == CEDEI_LINK_ADMISSION) {
        link->outbox.chunk_size = CEDEI_CHUNK_SIZE;
        /* A dialed link said READY when it was confirmed. */
        uint8_t *body =
            link->dialed ? NULL : cedei_link_frame(link, CEDEI_FRAME_READY, CEDEI_READY_SIZE);
        is_short = !link->dialed && body == NULL;
        if (body != NULL) cedei_ready_write(own_stamp, body);
    }
    if (link->state == CEDEI_LINK_ADMISSION && !is_short) {
        link->state = CEDEI_LINK_UP;
        link->was_up = true;
        link->last_in_ns = cedei_clock_now_ns();
        types_tell(link);
        cedei_link_push(link);
    }
    cedei_mutex_unlock(&link->lock);
    /* Up without a READY, its next frame would look like a breach of the protocol. */
    if (is_short) cedei_link_fail(link, CEDE_ENOMEM, "out of memory");
}

void cedei_link_resume(struct cedei_link *link) {
    cedei_mutex_lock(&link->lock);
    bool go_on = link->paused && link->state != CEDEI_LINK_CLOSED;
    link->paused = false;
    if (go_on) link->in_up = link->state == CEDEI_LINK_UP;
    cedei_mutex_unlock(&link->lock);
    /* Nobody else runs the receiving side: it stopped when it set `paused`, and nothing is under way. */
    if (go_on && cedei_link_parse(link)) cedei_link_receive(link);
}

/* ---- the end ---- */

/* Under the lock. */
static void fail_locked(struct cedei_link *link, cede_result code, const char *format,
                        va_list arguments) {
    if (link->state == CEDEI_LINK_CLOSED) return;
    /* Who was told to go, or was told by us, ends with the reason that was given then. */
    if (link->state != CEDEI_LINK_LEAVING) {
        link->end = code;
        (void)vsnprintf(link->end_reason, sizeof link->end_reason, format, arguments);
    }
    link->state = CEDEI_LINK_CLOSED;
    if (link->stream != NULL) link->transport->close(link->stream);
    cedei_keeper_call(link->node, 0);
}

void cedei_link_fail_locked(struct cedei_link *link, cede_result code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fail_locked(link, code, format, arguments);
    va_end(arguments);
}

void cedei_link_fail(struct cedei_link *link, cede_result code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    cedei_mutex_lock(&link->lock);
    fail_locked(link, code, format, arguments);
    cedei_mutex_unlock(&link->lock);
    va_end(arguments);
}

void cedei_link_leave(struct cedei_link *link, cede_result code, const char *reason) {
    uint64_t deadline_ns = cedei_clock_now_ns() + LEAVE_NS;
    uint8_t *body = NULL;
    cedei_mutex_lock(&link->lock);
    if (link->state < CEDEI_LINK_LEAVING && link->state != CEDEI_LINK_DIALING) {
        bool up = link->state == CEDEI_LINK_UP;
        if (up) cedei_link_flush_credits(link);
        body = cedei_link_frame(link, up ? CEDEI_FRAME_GOODBYE : CEDEI_FRAME_REFUSE,
                                CEDEI_GOODBYE_SIZE);
    }
    if (body != NULL) {
        cedei_goodbye_write(code, body);
        link->state = CEDEI_LINK_LEAVING;
        link->end = code;
        link->end_expected = link->was_up;
        (void)snprintf(link->end_reason, sizeof link->end_reason, "%s", reason);
        link->deadline_ns = deadline_ns;
        cedei_link_push(link);
    }
    cedei_mutex_unlock(&link->lock);
    if (body == NULL) cedei_link_fail(link, code, "%s", reason);
    if (body != NULL) cedei_keeper_call(link->node, deadline_ns);
}

static void bury_asks(struct cedei_link *link, bool silent) {
    struct cedei_hash_node *node;
    while ((node = cedei_hash_take_any(&link->asks)) != NULL) {
        struct cedei_pending_ask *ask = CEDEI_CONTAINER_OF(node, struct cedei_pending_ask, node);
        if (!silent) cedei_reply_deliver(link->node->system, ask->back, NULL, CEDE_ENODE);
        cedei_free(ask);
    }
}

static void bury_monitors(struct cedei_link *link, bool silent) {
    cede_system *system = link->node->system;
    struct cedei_hash_node *node;
    while ((node = cedei_hash_take_any(&link->monitors)) != NULL) {
        struct cedei_remote_monitor *monitor =
            CEDEI_CONTAINER_OF(node, struct cedei_remote_monitor, node);
        if (!silent) cedei_down_deliver(system, monitor->watcher, monitor->target, CEDE_ENODE);
        cedei_free(monitor);
    }
    if (!silent && link->was_up) cedei_monitor_remove_node(system, link->peer.uid);
}

static void bury_waiters(struct cedei_link *link, bool silent) {
    struct cedei_hash_node *node;
    while ((node = cedei_hash_take_any(&link->waiters)) != NULL) {
        struct cedei_link_waiter *waiter = CEDEI_CONTAINER_OF(node, struct cedei_link_waiter, node);
        if (!silent) cedei_unpark(link->node->system, waiter->actor, waiter->sequence, CEDE_ENODE);
        cedei_free(waiter);
    }
    link->room_waiters = NULL;
}

/* Messages that came but found no room in a mailbox; the sender counts them as maybe lost. Returns how many. */
static uint64_t stash_free(struct cedei_link *link, struct cedei_debt *debt) {
    uint64_t count = 0;
    while (debt->stash_first != NULL) {
        struct cedei_msg *msg = debt->stash_first;
        debt->stash_first = msg->next;
        cedei_msg_free(link->node->system, msg);
        count++;
    }
    return count;
}

static void bury_flow(struct cedei_link *link) {
    struct cedei_hash_node *node;
    uint64_t dropped = 0;
    while ((node = cedei_hash_take_any(&link->targets)) != NULL) {
        cedei_free(CEDEI_CONTAINER_OF(node, struct cedei_target, node));
    }
    while ((node = cedei_hash_take_any(&link->debts)) != NULL) {
        struct cedei_debt *debt = CEDEI_CONTAINER_OF(node, struct cedei_debt, node);
        dropped += stash_free(link, debt);
        cedei_account_close(&link->node->accounts, debt->account);
        cedei_debt_fini(debt);
        cedei_free(debt);
    }
    link->debts_listed = NULL;
    if (dropped == 0) return;
    cedei_own_node_log(link->node, CEDE_LOG_WARNING,
                       "node: %llu messages of %s for full mailboxes went with its link",
                       (unsigned long long)dropped, link->peer.name);
}

static void bury_log(struct cedei_link *link) {
    struct cedei_own_node *node = link->node;
    uint64_t lost = link->messages_sent - link->messages_credited;
    /* Not worth a warning: a farewell, a dial that found nobody, one of two links to the same node. */
    bool quiet = link->end_expected || link->end == CEDE_ECANCELED ||
                 (link->dialed && link->end == CEDE_ENODE);
    if (link->was_up) quiet = link->end_expected && lost == 0;
    enum cede_log_level level = quiet ? CEDE_LOG_INFO : CEDE_LOG_WARNING;
    if (link->was_up) {
        cedei_own_node_log(
            node, level, "node: link to %s (%s) is down: %s; %llu messages may be lost",
            link->peer.name, link->address, link->end_reason, (unsigned long long)lost);
    } else {
        cedei_own_node_log(node, level, "node: no link to %s: %s (%s)", link->address,
                           link->end_reason, cede_result_name(link->end));
    }
}

void cedei_link_bury(struct cedei_link *link, bool silent) {
    /* Nobody changes the tables any more: the state is CLOSED, and all look at it under the lock. But the last of those
     * who did may still be unlocking. */
    cedei_mutex_lock(&link->lock);
    cedei_mutex_unlock(&link->lock);
    bury_log(link);
    bury_waiters(link, silent);
    bury_asks(link, silent);
    bury_flow(link);
    bury_monitors(link, silent);
}

/* ---- the clock ---- */

static void tick_up(struct cedei_link *link, uint64_t now_ns, uint64_t *due_ns) {
    const struct cedei_own_node *node = link->node;
    uint64_t ping_due_ns = link->last_in_ns + node->heartbeat_ns;
    if (ping_due_ns < link->last_ping_ns + node->heartbeat_ns) {
        ping_due_ns = link->last_ping_ns + node->heartbeat_ns;
    }
    if (now_ns >= ping_due_ns) {
        /* Not worth a failure when memory is short: the next tick tries again. */
        if (cedei_link_frame(link, CEDEI_FRAME_PING, 0) != NULL) cedei_link_push(link);
        link->last_ping_ns = now_ns;
        ping_due_ns = now_ns + node->heartbeat_ns;
    }
    uint64_t dead_ns = link->last_in_ns + node->silence_ns;
    *due_ns = ping_due_ns < dead_ns ? ping_due_ns : dead_ns;
    if (link->debts_listed != NULL && now_ns + SETTLE_NS < *due_ns) *due_ns = now_ns + SETTLE_NS;
}

/* Why the link cannot go on, or NULL. */
static const char *tick_verdict(const struct cedei_link *link, uint64_t now_ns, cede_result *code) {
    *code = CEDE_ENODE;
    if (link->state == CEDEI_LINK_UP && now_ns >= link->last_in_ns + link->node->silence_ns) {
        return "no sign of life";
    }
    uint64_t stall_ns = link->node->silence_ns > STALL_NS ? link->node->silence_ns : STALL_NS;
    if (link->sending && now_ns >= link->sending_since_ns + stall_ns) return "it does not read";
    if (link->state == CEDEI_LINK_LEAVING && now_ns >= link->deadline_ns)
        return "it did not hang up";
    *code = CEDE_ETIMEDOUT;
    if (link->state < CEDEI_LINK_ADMISSION && now_ns >= link->deadline_ns) {
        return "it did not introduce itself in time";
    }
    return NULL;
}

/* Nothing has come for a while: because nobody was there to take it? */
static bool is_look_due(struct cedei_link *link, uint64_t now_ns, bool alone) {
    if (link->transport->look == NULL || link->stream == NULL) return false;
    cedei_mutex_lock(&link->lock);
    bool silent = now_ns >= link->last_in_ns + link->node->heartbeat_ns;
    bool open = link->state != CEDEI_LINK_CLOSED;
    cedei_mutex_unlock(&link->lock);
    return open && (silent || alone);
}

uint64_t cedei_link_look(struct cedei_link *link, uint64_t now_ns, bool alone) {
    if (is_look_due(link, now_ns, alone)) link->transport->look(link->stream);
    return alone ? now_ns + ALONE_NS : UINT64_MAX;
}

uint64_t cedei_link_tick(struct cedei_link *link, uint64_t now_ns) {
    uint64_t due_ns = NEVER;
    cede_result code;
    cedei_mutex_lock(&link->lock);
    const char *verdict = tick_verdict(link, now_ns, &code);
    if (verdict != NULL) {
        due_ns = 0;
    } else if (link->state == CEDEI_LINK_UP) {
        tick_up(link, now_ns, &due_ns);
    } else if (link->state != CEDEI_LINK_CLOSED && link->state != CEDEI_LINK_ADMISSION) {
        due_ns = link->deadline_ns;
    }
    cedei_mutex_unlock(&link->lock);
    if (verdict != NULL) cedei_link_fail(link, code, "%s", verdict);
    return due_ns;
}

void cedei_link_excuse(struct cedei_link *link, uint64_t lag_ns) {
    cedei_mutex_lock(&link->lock);
    link->last_in_ns += lag_ns;
    link->sending_since_ns += lag_ns;
    cedei_mutex_unlock(&link->lock);
}
