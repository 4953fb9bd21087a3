/* link_out.c - what local actors want from a link: send, wait for room, reply, monitor; see link.h.
 * Owns nothing of its own. Invariants: (1) a message is charged to its target and an ask is noted in the same section
 * that queues the frame; (2) the refs in a message are exported before it leaves; (3) large messages are encoded
 * outside the lock. */
#include <string.h>

#include "actors/actor/remote.h"
#include "actors/message/message.h"
#include "actors/message/tagged.h"
#include "actors/message/traits.h"
#include "actors/node/own_node.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"
#include "core/sys/clock.h"

/* Targets with nothing out are kept up to here, and those that are gone up to there. */
#define TARGETS_KEPT 64u
#define TARGETS_GONE_KEPT 4096u

static struct cedei_wire_actor place_of(cede_ref ref) {
    return (struct cedei_wire_actor){ref.slot, ref.generation};
}

/* ---- frames with a message ---- */

/* A frame of `head_size` bytes and an encoded message, on its way into the outbox. */
struct parcel {
    enum cedei_frame_type frame;
    size_t head_size;
    const struct cede_type *type; /* NULL: no message */
    const void *message;
    size_t message_size;       /* encoded */
    bool is_tagged;            /* the peer declares the type otherwise, or has not said yet */
    struct cedei_chunk *chunk; /* large: encoded already; NULL: encoded when it is queued */
    bool has_reference;        /* to the link, whose lock was left meanwhile */
};

static bool peer_reads_tagged_only(const struct cedei_link *link, const struct cede_type *type) {
    if ((link->peer.features & CEDEI_FEATURE_TYPES) == 0) return false;
    /* relaxed: says how to write, not what is there to read. */
    uint64_t alike =
        atomic_load_explicit(&link->types_alike[type->index / 64], memory_order_relaxed);
    return (alike >> (type->index % 64) & 1) == 0;
}

static cede_result parcel_encode(const struct parcel *parcel, uint8_t *out) {
    return parcel->is_tagged
               ? cedei_tagged_encode(parcel->type, parcel->message, out, parcel->message_size)
               : cedei_message_encode(parcel->type, parcel->message, out, parcel->message_size);
}

/* What the head says of the type. */
static uint64_t parcel_schema(const struct parcel *parcel) {
    return parcel->is_tagged ? CEDEI_SCHEMA_TAGGED : cede_schema_hash(parcel->type);
}

static cede_result parcel_prepare(struct parcel *parcel, const struct cedei_link *link) {
    cede_result result = CEDE_OK;
    if (parcel->type != NULL) {
        size_t *size = &parcel->message_size;
        parcel->is_tagged = peer_reads_tagged_only(link, parcel->type);
        result = parcel->is_tagged
                     ? cedei_tagged_size(parcel->type, parcel->message, size)
                     : cedei_message_encoded_size(parcel->type, parcel->message, size);
    }
    if (result != CEDE_OK) return result;
    if (parcel->message_size > link->peer.frame_max - parcel->head_size) return CEDE_ETOOBIG;
    /* Boxes may need memory for the walk: that has to fail here, not under the lock. */
    bool in_place =
        parcel->type == NULL || (cedei_type_traits(parcel->type) & CEDEI_TRAIT_BOXES) == 0;
    if (in_place && parcel->head_size + parcel->message_size < CEDEI_CHUNK_OWN_MIN) return CEDE_OK;
    parcel->chunk = cedei_chunk_create(parcel->head_size + parcel->message_size);
    if (parcel->chunk == NULL) return CEDE_ENOMEM;
    uint8_t *at = parcel->chunk->bytes + CEDEI_FRAME_HEADER_SIZE + parcel->head_size;
    return parcel_encode(parcel, at);
}

/* Queues it and returns where the head goes; NULL: no memory, nothing was queued. Under the lock. */
static uint8_t *parcel_queue(struct parcel *parcel, struct cedei_link *link, cede_result *encoded) {
    *encoded = CEDE_OK;
    if (parcel->chunk != NULL) {
        uint8_t *head = parcel->chunk->bytes + CEDEI_FRAME_HEADER_SIZE;
        cedei_outbox_add_chunk(&link->outbox, parcel->frame, parcel->chunk);
        parcel->chunk = NULL;
        return head;
    }
    uint8_t *head = cedei_link_frame(link, parcel->frame, parcel->head_size + parcel->message_size);
    if (head != NULL && parcel->type != NULL) {
        *encoded = parcel_encode(parcel, head + parcel->head_size);
    }
    return head;
}

/* ---- send ---- */

static struct cedei_target *target_find(struct cedei_link *link, struct cedei_wire_actor actor) {
    struct cedei_hash_node *node = cedei_hash_find(&link->targets, cedei_actor_key(actor));
    return node == NULL ? NULL : CEDEI_CONTAINER_OF(node, struct cedei_target, node);
}

static cede_result target_get(struct cedei_link *link, cede_ref to, struct cedei_target **out) {
    struct cedei_target *target = target_find(link, place_of(to));
    if (target == NULL) {
        target = cedei_alloc_zeroed(sizeof *target);
        if (target == NULL) return CEDE_ENOMEM;
        cedei_hash_insert(&link->targets, &target->node, cedei_actor_key(place_of(to)));
    }
    if (target->gone != CEDE_OK) return target->gone;
    struct cedei_window window = {link->peer.window_messages, link->peer.window_bytes};
    if (!cedei_target_has_room(target, &window)) return CEDE_EFULL;
    *out = target;
    return CEDE_OK;
}

void cedei_target_retire(struct cedei_link *link, struct cedei_target *target) {
    if (target->messages != 0 || target->waiters != NULL) return;
    size_t kept = target->gone == CEDE_OK ? TARGETS_KEPT : TARGETS_GONE_KEPT;
    if (link->targets.count <= kept) return;
    cedei_hash_remove(&link->targets, &target->node);
    cedei_free(target);
}

/* Under the lock: readies the place for an ask. False: no memory. */
static bool ask_reserve(struct cedei_link *link) {
    if (link->ask_spare == NULL) link->ask_spare = cedei_alloc(sizeof *link->ask_spare);
    return link->ask_spare != NULL;
}

/* Into the place that was reserved, unless it has one. */
static void ask_note(struct cedei_link *link, struct cedei_return back) {
    struct cedei_hash_node *node = cedei_hash_find(&link->asks, back.slot);
    if (node != NULL) {
        /* An actor has one ask at a time: this slot's last one was given up. */
        CEDEI_CONTAINER_OF(node, struct cedei_pending_ask, node)->back = back;
        return;
    }
    struct cedei_pending_ask *ask = link->ask_spare;
    link->ask_spare = NULL;
    ask->back = back;
    cedei_hash_insert(&link->asks, &ask->node, back.slot);
}

/* Clocks differ between nodes, durations do not. What the frame waits here and travels is added to it. */
static uint64_t time_left(uint64_t deadline_ns) {
    if (deadline_ns == UINT64_MAX) return UINT64_MAX;
    uint64_t now_ns = cedei_clock_now_ns();
    return deadline_ns > now_ns ? deadline_ns - now_ns : 0;
}

static cede_result send_locked(struct cedei_link *link, cede_ref to, struct parcel *parcel,
                               struct cedei_return back, uint64_t deadline_ns) {
    struct cedei_target *target = NULL;
    cede_result encoded;
    if (link->state != CEDEI_LINK_UP) return CEDE_ENODE;
    if (cedei_link_is_full(link)) return CEDE_EFULL;
    cede_result result = target_get(link, to, &target);
    if (result != CEDE_OK) return result;
    if (back.sequence != 0 && !ask_reserve(link)) return CEDE_ENOMEM;
    uint8_t *at = parcel_queue(parcel, link, &encoded);
    if (at == NULL) return CEDE_ENOMEM;
    struct cedei_data_head head = {.target = place_of(to),
                                   .type_id = cedei_type_id(parcel->type),
                                   .schema = parcel_schema(parcel),
                                   .asker_slot = back.slot,
                                   .ask_sequence = back.sequence,
                                   .left_ns = time_left(deadline_ns)};
    cedei_data_head_write(&head, at);
    cedei_target_charge(target, cedei_data_charge(parcel->head_size + parcel->message_size));
    link->messages_sent++;
    if (back.sequence != 0) ask_note(link, back);
    cedei_link_push(link);
    /* The size was right a moment ago: somebody writes to a message that he has sent. The frame cannot be taken back. */
    CEDEI_CHECK(encoded == CEDE_OK);
    return CEDE_OK;
}

/* Whether getting a message of this type ready may take long: then it is done without the lock. */
static bool is_long(const struct cede_type *type) {
    return type != NULL && ((cedei_type_traits(type) & CEDEI_TRAIT_VARIES) != 0 ||
                            type->wire_min >= CEDEI_CHUNK_OWN_MIN);
}

/* Under the lock, which it leaves if that may take long. */
static cede_result parcel_ready(struct parcel *parcel, struct cedei_link *link) {
    bool leaves = is_long(parcel->type);
    cede_result result = CEDE_OK;
    if (link->state != CEDEI_LINK_UP) return CEDE_ENODE;
    if (leaves) {
        cedei_link_ref(link); /* an UP link is on its node's list, which has one */
        cedei_mutex_unlock(&link->lock);
    }
    if (parcel->type != NULL)
        result = cedei_exports_add_message(&link->node->exports, parcel->type, parcel->message);
    if (result == CEDE_OK) result = parcel_prepare(parcel, link);
    if (leaves) cedei_mutex_lock(&link->lock);
    parcel->has_reference = leaves;
    return result;
}

/* Leaves the lock. */
static void parcel_end(struct parcel *parcel, struct cedei_link *link) {
    cedei_mutex_unlock(&link->lock);
    if (parcel->has_reference) cedei_link_unref(link);
    cedei_free(parcel->chunk);
}

cede_result cedei_link_send(struct cedei_link *link, cede_ref to, struct cedei_msg *msg,
                            struct cedei_return back, uint64_t deadline_ns) {
    cede_system *system = link->node->system;
    struct parcel parcel = {.frame = CEDEI_FRAME_DATA,
                            .head_size = CEDEI_DATA_HEAD_SIZE,
                            .type = msg->type,
                            .message = cedei_msg_body(msg)};
    cede_result result = cedei_type_leaves(msg->type);
    /* The asker's own ref does not leave: a reply finds it by its slot and sequence. */
    if (result == CEDE_OK) result = parcel_ready(&parcel, link);
    if (result == CEDE_OK) result = send_locked(link, to, &parcel, back, deadline_ns);
    parcel_end(&parcel, link);
    if (result == CEDE_OK) cedei_msg_free(system, msg);
    return result;
}

/* ---- waiting for room ---- */

static void waiter_unlist(struct cedei_link *link, struct cedei_link_waiter *waiter) {
    struct cedei_link_waiter **place =
        waiter->target != NULL ? &waiter->target->waiters : &link->room_waiters;
    while (*place != waiter) place = &(*place)->next;
    *place = waiter->next;
}

/* False: no memory. An actor waits for one thing at a time, so an older entry of its slot is reused. */
static bool waiter_list(struct cedei_link *link, struct cedei_target *target, cede_ref actor,
                        uint32_t sequence) {
    struct cedei_hash_node *node = cedei_hash_find(&link->waiters, actor.slot);
    struct cedei_link_waiter *waiter;
    if (node != NULL) {
        waiter = CEDEI_CONTAINER_OF(node, struct cedei_link_waiter, node);
        waiter_unlist(link, waiter);
    } else {
        waiter = cedei_alloc_zeroed(sizeof *waiter);
        if (waiter == NULL) return false;
        cedei_hash_insert(&link->waiters, &waiter->node, actor.slot);
    }
    struct cedei_link_waiter **list = target != NULL ? &target->waiters : &link->room_waiters;
    waiter->actor = actor;
    waiter->sequence = sequence;
    waiter->target = target;
    waiter->next = *list;
    *list = waiter;
    return true;
}

struct cedei_link_waiter *cedei_waiters_take(struct cedei_link *link,
                                             struct cedei_link_waiter **list) {
    struct cedei_link_waiter *taken = *list;
    for (struct cedei_link_waiter *waiter = taken; waiter != NULL; waiter = waiter->next) {
        cedei_hash_remove(&link->waiters, &waiter->node);
    }
    *list = NULL;
    return taken;
}

void cedei_waiters_wake(struct cedei_own_node *node, struct cedei_link_waiter *list,
                        cede_result value) {
    while (list != NULL) {
        struct cedei_link_waiter *next = list->next;
        if (node != NULL) cedei_unpark(node->system, list->actor, list->sequence, value);
        cedei_free(list);
        list = next;
    }
}

cede_result cedei_link_await_room(struct cedei_link *link, cede_ref to, cede_ref waiter,
                                  uint32_t sequence) {
    cede_result result = CEDE_OK;
    bool wake = true;
    cedei_mutex_lock(&link->lock);
    struct cedei_target *target = target_find(link, place_of(to));
    struct cedei_window window = {link->peer.window_messages, link->peer.window_bytes};
    if (link->state != CEDEI_LINK_UP) {
        result = CEDE_ENODE;
    } else if (cedei_link_is_full(link)) {
        wake = false;
        if (!waiter_list(link, NULL, waiter, sequence)) result = CEDE_ENOMEM;
    } else if (target != NULL && target->gone == CEDE_OK && !cedei_target_has_room(target, &window)) {
        wake = false;
        if (!waiter_list(link, target, waiter, sequence)) result = CEDE_ENOMEM;
    }
    cedei_mutex_unlock(&link->lock);
    if (result == CEDE_OK && wake) cedei_unpark(link->node->system, waiter, sequence, CEDE_OK);
    return result;
}

/* ---- replies and monitors ---- */

cede_result cedei_link_reply(struct cedei_link *link, struct cedei_return back,
                             const struct cede_type *type, const void *message, cede_result code) {
    struct parcel parcel = {.frame = CEDEI_FRAME_REPLY,
                            .head_size = CEDEI_REPLY_HEAD_SIZE,
                            .type = type,
                            .message = message};
    struct cedei_reply_head head = {.asker_slot = back.slot,
                                    .ask_sequence = back.sequence,
                                    .code = type != NULL ? CEDE_OK : code};
    cede_result encoded = CEDE_OK;
    uint8_t *at = NULL;
    cede_result result = type != NULL ? cedei_type_leaves(type) : CEDE_OK;
    if (result == CEDE_OK) result = parcel_ready(&parcel, link);
    if (result == CEDE_OK && link->state != CEDEI_LINK_UP) result = CEDE_ENODE;
    if (result == CEDE_OK && type != NULL && cedei_link_is_full(link)) result = CEDE_EFULL;
    if (result == CEDE_OK && (at = parcel_queue(&parcel, link, &encoded)) == NULL)
        result = CEDE_ENOMEM;
    if (at != NULL) {
        if (type != NULL) head.type_id = cedei_type_id(type);
        if (type != NULL) head.schema = parcel_schema(&parcel);
        cedei_reply_head_write(&head, at);
        cedei_link_push(link);
        CEDEI_CHECK(encoded == CEDE_OK);
    }
    /* The asker would wait for ever for an error that is not sent. */
    if (result == CEDE_ENOMEM && type == NULL)
        cedei_link_fail_locked(link, CEDE_ENOMEM, "no room for a reply that must not be lost");
    parcel_end(&parcel, link);
    return result;
}

cede_result cedei_link_monitor(struct cedei_link *link, cede_ref watcher, cede_ref target) {
    struct cedei_remote_monitor *monitor = cedei_alloc_zeroed(sizeof *monitor);
    if (monitor == NULL) return CEDE_ENOMEM;
    cede_result result = CEDE_OK;
    monitor->watcher = watcher;
    monitor->target = target;
    cedei_mutex_lock(&link->lock);
    uint8_t *body = NULL;
    if (link->state != CEDEI_LINK_UP) {
        result = CEDE_ENODE;
    } else if ((body = cedei_link_frame(link, CEDEI_FRAME_MONITOR, CEDEI_MONITOR_SIZE)) == NULL) {
        result = CEDE_ENOMEM;
    } else {
        struct cedei_notice notice = {.watcher = place_of(watcher), .target = place_of(target)};
        cedei_monitor_write(&notice, body);
        cedei_hash_insert(&link->monitors, &monitor->node, watcher.slot);
        cedei_link_push(link);
        monitor = NULL;
    }
    cedei_mutex_unlock(&link->lock);
    cedei_free(monitor);
    return result;
}

/* Under the lock: one monitor that `watcher` has of `target`, or NULL. */
struct cedei_remote_monitor *cedei_link_monitor_find(struct cedei_link *link, cede_ref watcher,
                                                     cede_ref target) {
    struct cedei_hash_node *node = cedei_hash_find(&link->monitors, watcher.slot);
    for (; node != NULL; node = node->next) {
        struct cedei_remote_monitor *monitor =
            CEDEI_CONTAINER_OF(node, struct cedei_remote_monitor, node);
        if (cede_ref_equal(monitor->watcher, watcher) && cede_ref_equal(monitor->target, target))
            return monitor;
    }
    return NULL;
}

cede_result cedei_link_demonitor(struct cedei_link *link, cede_ref watcher, cede_ref target) {
    cede_result result = CEDE_OK;
    uint8_t *body = NULL;
    cedei_mutex_lock(&link->lock);
    struct cedei_remote_monitor *monitor = NULL;
    if (link->state == CEDEI_LINK_UP) monitor = cedei_link_monitor_find(link, watcher, target);
    if (monitor == NULL) {
        result = CEDE_ENOENT;
    } else if ((body = cedei_link_frame(link, CEDEI_FRAME_DEMONITOR, CEDEI_MONITOR_SIZE)) == NULL) {
        result = CEDE_ENOMEM;
    } else {
        struct cedei_notice notice = {.watcher = place_of(watcher), .target = place_of(target)};
        cedei_monitor_write(&notice, body);
        cedei_link_push(link);
        while (monitor != NULL) { /* as many as it has */
            cedei_hash_remove(&link->monitors, &monitor->node);
            cedei_free(monitor);
            monitor = cedei_link_monitor_find(link, watcher, target);
        }
    }
    cedei_mutex_unlock(&link->lock);
    return result;
}

void cedei_link_down(struct cedei_link *link, cede_ref watcher, cede_ref target,
                     cede_result reason) {
    struct cedei_notice notice = {
        .watcher = place_of(watcher), .target = place_of(target), .reason = reason};
    uint8_t *body = NULL;
    cedei_mutex_lock(&link->lock);
    bool up = link->state == CEDEI_LINK_UP;
    if (up && link->monitors_in > 0) link->monitors_in--;
    if (up && (body = cedei_link_frame(link, CEDEI_FRAME_DOWN, CEDEI_DOWN_SIZE)) != NULL) {
        cedei_down_write(&notice, body);
        cedei_link_push(link);
    }
    cedei_mutex_unlock(&link->lock);
    if (up && body == NULL)
        cedei_link_fail(link, CEDE_ENOMEM, "no room for a DOWN that must not be lost");
}
