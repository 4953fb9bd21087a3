/* link_in.c - what a peer sends over a link: cut into frames, checked, and acted upon; see link.h.
 * Owns the receive buffer. Invariants: (1) before READY only HELLO, READY and REFUSE get past cedei_link_take_frame,
 * and nothing is allocated; (2) a frame's size is checked before memory is got for it, and the buffer grows only when
 * it is full of bytes that really came; (3) no byte a peer sends can do worse than end its own link. */
#include <stdio.h>
#include <string.h>

#include "actors/actor/remote.h"
#include "actors/message/message.h"
#include "actors/message/tagged.h"
#include "actors/message/traits.h"
#include "actors/node/own_node.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"

#define BUFFER_FIRST (64u * 1024u)
#define BUFFER_KEPT (256u * 1024u)
/* Messages that are delivered together at most: the first must not wait long for the last. */
#define BATCH_MAX 64u
/* Watches that one peer may have here. */
#define MONITORS_IN_MAX 65536u

/* ---- handshake ---- */

static cede_result take_hello(struct cedei_link *link, const uint8_t *body, size_t size,
                              const char **reason) {
    struct cedei_own_node *node = link->node;
    struct cedei_hello hello;
    *reason = "it is no Cede node";
    if (link->in_greeted || cedei_hello_read(body, size, &hello) != CEDE_OK) return CEDE_EPROTO;
    link->in_greeted = true;
    cedei_mutex_lock(&link->lock);
    link->peer = hello;
    cedei_mutex_unlock(&link->lock);
    cede_result verdict = cedei_hello_judge(&node->hello, &hello);
    if (verdict == CEDE_OK) verdict = cedei_admission_confirm(node, link);
    if (verdict == CEDE_OK) return CEDE_OK;
    const char *why = "a link to that node is up already";
    if (verdict == CEDE_EVERSION) why = "no common version";
    if (verdict == CEDE_EACCES) why = "it is of another cluster";
    if (verdict == CEDE_EINVAL) why = "it is this node itself";
    if (verdict == CEDE_EEXIST) why = "it has the same name as this node";
    cedei_link_leave(link, verdict, why);
    return CEDE_OK;
}

static cede_result take_ready(struct cedei_link *link, const uint8_t *body, size_t size,
                              const char **reason) {
    uint64_t stamp = 0;
    *reason = "READY out of turn";
    if (!link->in_greeted || link->in_ready || cedei_ready_read(body, size, &stamp) != CEDE_OK) {
        return CEDE_EPROTO;
    }
    cedei_mutex_lock(&link->lock);
    enum cedei_link_state expected = link->dialed ? CEDEI_LINK_CONFIRMED : CEDEI_LINK_GREETED;
    bool due = link->state == expected || link->state >= CEDEI_LINK_LEAVING;
    link->peer_stamp = stamp;
    cedei_mutex_unlock(&link->lock);
    link->in_ready = true;
    return due ? CEDE_OK : CEDE_EPROTO;
}

static cede_result take_refuse(const uint8_t *body, size_t size, const char **reason) {
    cede_result code = CEDE_EPROTO;
    *reason = "a REFUSE that is none";
    if (cedei_goodbye_read(body, size, &code) != CEDE_OK || code == CEDE_OK) return CEDE_EPROTO;
    *reason = "the peer refused";
    return code;
}

static cede_result take_early_frame(struct cedei_link *link, const struct cedei_frame *frame,
                                    const uint8_t *body, const char **reason) {
    switch (frame->type) {
    case CEDEI_FRAME_HELLO: return take_hello(link, body, frame->size, reason);
    case CEDEI_FRAME_READY: return take_ready(link, body, frame->size, reason);
    case CEDEI_FRAME_REFUSE: return take_refuse(body, frame->size, reason);
    default: *reason = "a frame before the handshake was done"; return CEDE_EPROTO;
    }
}

/* ---- messages ---- */

/* Builds the message behind a head. CEDE_ETYPE: unknown here or declared too differently, CEDE_ETOOBIG: too much memory for
 * its bytes (both logged). */
static cede_result message_build(struct cedei_link *link, uint64_t type_id, uint64_t schema,
                                 const uint8_t *bytes, size_t size, struct cedei_msg **out) {
    cede_system *system = link->node->system;
    struct cede_type *type = cedei_type_find(type_id);
    struct cedei_mismatch why = {"it is unknown here"};
    struct cedei_maker maker = cedei_system_maker(system);
    struct cedei_msg *msg = NULL;
    cede_result result = type == NULL ? CEDE_ETYPE : CEDE_ENOMEM;
    if (type != NULL && cedei_type_leaves(type) != CEDE_OK) {
        (void)snprintf(why.text, sizeof why.text, "it cannot leave its process");
        result = CEDE_ETYPE;
    } else if (type != NULL && (msg = cedei_msg_create(system, type)) != NULL) {
        result = cedei_message_read(type, schema, bytes, size, &maker, cedei_msg_body(msg), &why);
    }
    if (result == CEDE_OK) {
        *out = msg;
        return CEDE_OK;
    }
    if (msg != NULL) cedei_msg_free(system, msg);
    if (result == CEDE_ETYPE || result == CEDE_ETOOBIG || result == CEDE_ENOTSUP) {
        if (why.text[0] == '\0')
            (void)snprintf(why.text, sizeof why.text, "%s", cede_result_text(result));
        cedei_own_node_log(link->node, CEDE_LOG_WARNING,
                           "node: message type %s (%016llx) of %s is refused: %s",
                           type != NULL ? type->name : "?", (unsigned long long)type_id,
                           link->peer.name, why.text);
    }
    return result;
}

static bool is_exported(struct cedei_link *link, struct cedei_wire_actor target) {
    struct cedei_wire_actor *last = &link->in_target;
    if (target.slot == last->slot && target.generation == last->generation && target.generation != 0)
        return true;
    bool is = cedei_exports_has(&link->node->exports, target);
    if (is) *last = target;
    return is;
}

/* Delivers what has come so far. */
static cede_result batch_deliver(struct cedei_link *link, const char **reason) {
    if (link->in_batch.count == 0) return CEDE_OK;
    cede_result result = cedei_link_deliver(link, &link->in_batch);
    if (result == CEDE_EPROTO) *reason = "it sent more than it had credit for";
    if (result == CEDE_ENOMEM) *reason = "out of memory";
    return result;
}

static cede_result batch_take(struct cedei_link *link, struct cedei_wire_actor target,
                              uint32_t charge, struct cedei_msg *msg, const char **reason) {
    struct cedei_batch *batch = &link->in_batch;
    cede_result result = CEDE_OK;
    bool same = target.slot == batch->target.slot && target.generation == batch->target.generation;
    if (!same) result = batch_deliver(link, reason);
    if (result != CEDE_OK) {
        cedei_msg_free(link->node->system, msg);
        return result;
    }
    cedei_batch_add(batch, target, charge, msg);
    return batch->count >= BATCH_MAX ? batch_deliver(link, reason) : CEDE_OK;
}

static cede_result take_data(struct cedei_link *link, const uint8_t *body, size_t size,
                             const char **reason) {
    struct cedei_data_head head;
    struct cedei_msg *msg = NULL;
    *reason = "a DATA frame that is none";
    if (cedei_data_head_read(body, size, &head) != CEDE_OK) return CEDE_EPROTO;
    const uint8_t *bytes = body + CEDEI_DATA_HEAD_SIZE;
    size_t bytes_size = size - CEDEI_DATA_HEAD_SIZE;
    uint32_t charge = cedei_data_charge(size);
    cede_result result = CEDE_OK;
    if (head.target.slot == CEDEI_SERVICE_SLOT) {
        result = cedei_own_node_serve(link->node, link, &head, bytes, bytes_size);
    } else if (!is_exported(link, head.target)) {
        result = CEDE_ENOACTOR;
    } else {
        result = message_build(link, head.type_id, head.schema, bytes, bytes_size, &msg);
    }
    *reason = "a message whose bytes are none of its type";
    if (result == CEDE_EBADMSG) return CEDE_EPROTO;
    if (msg == NULL) {
        return cedei_link_reject(link, &head, charge, result) ? CEDE_OK : CEDE_ENOMEM;
    }
    msg->reply =
        (struct cedei_return){.peer = link->number,
                              .slot = head.asker_slot,
                              .generation = head.ask_sequence != 0 && head.left_ns != UINT64_MAX
                                                ? cedei_deadline_pack(head.left_ns)
                                                : 0,
                              .sequence = head.ask_sequence};
    return batch_take(link, head.target, charge, msg, reason);
}

/* Under the lock: who is to be told. */
static struct cedei_return ask_end(struct cedei_link *link, struct cedei_pending_ask *ask) {
    struct cedei_return back = ask->back;
    cedei_hash_remove(&link->asks, &ask->node);
    if (link->ask_spare == NULL)
        link->ask_spare = ask;
    else
        cedei_free(ask);
    return back;
}

static cede_result take_reply(struct cedei_link *link, const uint8_t *body, size_t size,
                              const char **reason) {
    struct cedei_reply_head head;
    struct cedei_msg *msg = NULL;
    struct cedei_pending_ask *ask = NULL;
    struct cedei_return back = {0};
    *reason = "a REPLY frame that is none";
    if (cedei_reply_head_read(body, size, &head) != CEDE_OK) return CEDE_EPROTO;
    cedei_mutex_lock(&link->lock);
    struct cedei_hash_node *node = cedei_hash_find(&link->asks, head.asker_slot);
    if (node != NULL && link->state == CEDEI_LINK_UP) {
        ask = CEDEI_CONTAINER_OF(node, struct cedei_pending_ask, node);
        if (ask->back.sequence != head.ask_sequence) ask = NULL; /* a slot never uses one twice */
    }
    if (ask != NULL)
        back = ask_end(link, ask);
    else
        link->replies_late++;
    cedei_mutex_unlock(&link->lock);
    if (ask == NULL) return CEDE_OK;
    cede_result code = head.code;
    if (code == CEDE_OK) {
        code = message_build(link, head.type_id, head.schema, body + CEDEI_REPLY_HEAD_SIZE,
                             size - CEDEI_REPLY_HEAD_SIZE, &msg);
    }
    /* With a message the code is not looked at; a broken one ends the wait all the same, then the link. */
    cedei_reply_deliver(link->node->system, back, msg, code);
    *reason = "a reply whose bytes are none of its type";
    return code == CEDE_EBADMSG && head.code == CEDE_OK ? CEDE_EPROTO : CEDE_OK;
}

/* ---- the rest ---- */

static struct cedei_target *target_at(struct cedei_link *link, struct cedei_wire_actor actor) {
    struct cedei_hash_node *node = cedei_hash_find(&link->targets, cedei_actor_key(actor));
    return node == NULL ? NULL : CEDEI_CONTAINER_OF(node, struct cedei_target, node);
}

static cede_result take_credit(struct cedei_link *link, const uint8_t *body, size_t size,
                               const char **reason) {
    struct cedei_credit credit;
    struct cedei_link_waiter *woken = NULL;
    *reason = "a CREDIT for what was never sent";
    if (cedei_credit_read(body, size, &credit) != CEDE_OK) return CEDE_EPROTO;
    cedei_mutex_lock(&link->lock);
    cede_result result = CEDE_OK;
    /* Leaving, too: the last credits of the peer come with its farewell. */
    if (link->state == CEDEI_LINK_UP || link->state == CEDEI_LINK_LEAVING) {
        struct cedei_target *target = target_at(link, credit.target);
        result = target == NULL ? CEDE_EPROTO : cedei_target_credit(target, &credit);
        if (result == CEDE_OK) {
            link->messages_credited += credit.messages;
            woken = cedei_waiters_take(link, &target->waiters);
            cedei_target_retire(link, target);
        }
    }
    cedei_mutex_unlock(&link->lock);
    cedei_waiters_wake(link->node, woken, CEDE_OK);
    return result;
}

static cede_result take_bounce(struct cedei_link *link, const uint8_t *body, size_t size,
                               const char **reason) {
    struct cedei_notice notice;
    struct cedei_link_waiter *woken = NULL;
    *reason = "a BOUNCE that is none";
    if (cedei_bounce_read(body, size, &notice) != CEDE_OK) return CEDE_EPROTO;
    cedei_mutex_lock(&link->lock);
    struct cedei_target *target =
        link->state == CEDEI_LINK_UP ? target_at(link, notice.target) : NULL;
    link->bounces_received++;
    if (target != NULL && notice.reason == CEDE_ENOACTOR) {
        target->gone = CEDE_ENOACTOR;
        woken = cedei_waiters_take(link, &target->waiters);
        cedei_target_retire(link, target);
    }
    cedei_mutex_unlock(&link->lock);
    cedei_waiters_wake(link->node, woken, CEDE_OK);
    const struct cede_type *type = cedei_type_find(notice.type_id);
    enum cede_log_level level = notice.reason == CEDE_ETYPE ? CEDE_LOG_WARNING : CEDE_LOG_INFO;
    cedei_own_node_log(link->node, level, "node: %s could not deliver a %s to %u.%u: %s",
                       link->peer.name, type != NULL ? type->name : "message", notice.target.slot,
                       notice.target.generation, cede_result_text(notice.reason));
    return CEDE_OK;
}

static cede_result take_monitor(struct cedei_link *link, const uint8_t *body, size_t size,
                                const char **reason) {
    struct cedei_own_node *node = link->node;
    struct cedei_notice notice;
    *reason = "a MONITOR that is none";
    if (cedei_monitor_read(body, size, &notice) != CEDE_OK) return CEDE_EPROTO;
    cede_ref watcher = {link->peer.uid, notice.watcher.slot, notice.watcher.generation};
    cede_ref target = {node->hello.uid, notice.target.slot, notice.target.generation};
    cedei_mutex_lock(&link->lock);
    bool up = link->state == CEDEI_LINK_UP;
    bool room = link->monitors_in < MONITORS_IN_MAX;
    if (up) link->monitors_in++;
    cedei_mutex_unlock(&link->lock);
    if (!up) return CEDE_OK;
    cede_result result = room ? CEDE_OK : CEDE_ELIMIT;
    if (room && !cedei_exports_has(&node->exports, notice.target)) result = CEDE_ENOACTOR;
    if (result == CEDE_OK) result = cedei_monitor_add(node->system, watcher, target);
    if (result != CEDE_OK) cedei_link_down(link, watcher, target, result);
    return CEDE_OK;
}

static cede_result take_demonitor(struct cedei_link *link, const uint8_t *body, size_t size,
                                  const char **reason) {
    struct cedei_notice notice;
    *reason = "a DEMONITOR that is none";
    if (cedei_monitor_read(body, size, &notice) != CEDE_OK) return CEDE_EPROTO;
    cede_ref watcher = {link->peer.uid, notice.watcher.slot, notice.watcher.generation};
    cede_ref target = {link->node->hello.uid, notice.target.slot, notice.target.generation};
    uint32_t count = cedei_monitor_remove(link->node->system, watcher, target);
    cedei_mutex_lock(&link->lock);
    link->monitors_in -= count < link->monitors_in ? count : link->monitors_in;
    cedei_mutex_unlock(&link->lock);
    return CEDE_OK;
}

static cede_result take_down(struct cedei_link *link, const uint8_t *body, size_t size,
                             const char **reason) {
    struct cedei_notice notice;
    struct cedei_remote_monitor *found = NULL;
    *reason = "a DOWN that is none";
    if (cedei_down_read(body, size, &notice) != CEDE_OK) return CEDE_EPROTO;
    cede_ref watcher = {link->node->hello.uid, notice.watcher.slot, notice.watcher.generation};
    cede_ref target = {link->peer.uid, notice.target.slot, notice.target.generation};
    cedei_mutex_lock(&link->lock);
    if (link->state == CEDEI_LINK_UP) found = cedei_link_monitor_find(link, watcher, target);
    if (found != NULL) cedei_hash_remove(&link->monitors, &found->node);
    cedei_mutex_unlock(&link->lock);
    if (found != NULL) cedei_down_deliver(link->node->system, watcher, target, notice.reason);
    cedei_free(found);
    return CEDE_OK;
}

static cede_result take_types(struct cedei_link *link, const uint8_t *body, size_t size,
                              const char **reason) {
    struct cedei_types_entry entry;
    cede_result result = CEDE_OK;
    for (size_t i = 0; (result = cedei_types_entry_read(body, size, i, &entry)) == CEDE_OK; i++)
        cedei_types_mark(entry.type_id, entry.schema, &link->types_alike[0]);
    *reason = "a TYPES frame that is none";
    return result == CEDE_ENOENT ? CEDE_OK : result;
}

static cede_result take_ping(struct cedei_link *link, size_t size, const char **reason) {
    *reason = "a PING with a body";
    if (size != 0) return CEDE_EPROTO;
    cedei_mutex_lock(&link->lock);
    bool queued = cedei_link_frame(link, CEDEI_FRAME_PONG, 0) != NULL;
    if (queued) cedei_link_push(link);
    cedei_mutex_unlock(&link->lock);
    *reason = "no room for a PONG";
    return queued ? CEDE_OK : CEDE_ENOMEM;
}

/* Answered by our own, behind the credits that we owe; then whoever said it first closes. */
static cede_result take_goodbye(struct cedei_link *link, const uint8_t *body, size_t size,
                                const char **reason) {
    cede_result code = CEDE_OK;
    *reason = "a GOODBYE that is none";
    if (cedei_goodbye_read(body, size, &code) != CEDE_OK) return CEDE_EPROTO;
    cedei_mutex_lock(&link->lock);
    bool answer = link->state == CEDEI_LINK_UP;
    link->end_expected = true;
    cedei_mutex_unlock(&link->lock);
    *reason = "the peer said goodbye";
    if (!answer) return CEDE_ENODE;
    cedei_link_leave(link, CEDE_ENODE, *reason);
    return CEDE_OK;
}

cede_result cedei_link_take_frame(struct cedei_link *link, const struct cedei_frame *frame,
                                  const uint8_t *body, const char **reason) {
    if (!link->in_up) return take_early_frame(link, frame, body, reason);
    if (frame->type != CEDEI_FRAME_DATA) {
        cede_result result = batch_deliver(link, reason); /* what comes behind it stays behind it */
        if (result != CEDE_OK) return result;
    }
    switch (frame->type) {
    case CEDEI_FRAME_PING: return take_ping(link, frame->size, reason);
    case CEDEI_FRAME_PONG: return CEDE_OK;
    case CEDEI_FRAME_TYPES: return take_types(link, body, frame->size, reason);
    case CEDEI_FRAME_CREDIT: return take_credit(link, body, frame->size, reason);
    case CEDEI_FRAME_MONITOR: return take_monitor(link, body, frame->size, reason);
    case CEDEI_FRAME_DEMONITOR: return take_demonitor(link, body, frame->size, reason);
    case CEDEI_FRAME_BOUNCE: return take_bounce(link, body, frame->size, reason);
    case CEDEI_FRAME_DATA: return take_data(link, body, frame->size, reason);
    case CEDEI_FRAME_REPLY: return take_reply(link, body, frame->size, reason);
    case CEDEI_FRAME_DOWN: return take_down(link, body, frame->size, reason);
    case CEDEI_FRAME_GOODBYE: return take_goodbye(link, body, frame->size, reason);
    case CEDEI_FRAME_HELLO:
    case CEDEI_FRAME_READY:
    case CEDEI_FRAME_REFUSE: *reason = "a second handshake"; return CEDE_EPROTO;
    default: break;
    }
    *reason = "a frame that must be understood and is not";
    return (frame->flags & CEDEI_FLAG_MUST_UNDERSTAND) != 0 ? CEDE_EPROTO : CEDE_OK;
}

/* ---- frames ---- */

/* Whether a frame with this header may come now; its body need not be there yet. */
static cede_result header_check(struct cedei_link *link, const struct cedei_frame *frame,
                                const char **reason) {
    bool data = (frame->flags & CEDEI_FLAG_DATA_LANE) != 0;
    uint32_t most = link->in_up ? link->node->hello.frame_max
                                : CEDEI_FRAME_HANDSHAKE_MAX - CEDEI_FRAME_HEADER_SIZE;
    *reason = "a frame larger than allowed";
    if (frame->size > most) return CEDE_EPROTO;
    *reason = "a gap in the numbers of frames";
    if (frame->sequence != link->in_sequences[data ? CEDEI_LANE_DATA : CEDEI_LANE_CONTROL])
        return CEDE_EPROTO;
    return CEDE_OK;
}

static bool buffer_resize(struct cedei_link *link, size_t capacity) {
    bool first = link->in_bytes == link->in_first;
    uint8_t *bytes = cedei_realloc(first ? NULL : link->in_bytes, capacity);
    if (bytes == NULL) return false;
    if (first) memcpy(bytes, link->in_first, link->in_size);
    link->in_bytes = bytes;
    link->in_capacity = capacity;
    return true;
}

/* Room for at least one more byte; `whole` is the size of the frame that has begun, 0 if not known yet. */
static bool buffer_prepare(struct cedei_link *link, size_t whole) {
    if (!link->in_up) return link->in_size < link->in_capacity;
    if (link->in_bytes == link->in_first) return buffer_resize(link, BUFFER_FIRST);
    if (link->in_size == link->in_capacity) {
        size_t doubled = link->in_capacity * 2;
        return buffer_resize(link, doubled < whole ? doubled : whole);
    }
    /* Shrinking may fail: the larger buffer serves as well. */
    if (link->in_size == 0 && link->in_capacity > BUFFER_KEPT)
        (void)buffer_resize(link, BUFFER_FIRST);
    return true;
}

/* After READY: stops the receiving side until the keeper has decided. False: the link is ending, read on. */
static bool pause_for_admission(struct cedei_link *link) {
    cedei_mutex_lock(&link->lock);
    bool pause = link->state < CEDEI_LINK_ADMISSION;
    if (pause) link->state = CEDEI_LINK_ADMISSION;
    if (pause) link->paused = true;
    cedei_mutex_unlock(&link->lock);
    if (pause) cedei_keeper_call(link->node, 0);
    return pause;
}

bool cedei_link_parse(struct cedei_link *link) {
    size_t at = 0, whole = 0;
    cede_result result = CEDE_OK;
    const char *reason = "a frame header that is none", *unused;
    bool pausing = false;
    while (result == CEDE_OK && !pausing && link->in_size - at >= CEDEI_FRAME_HEADER_SIZE) {
        struct cedei_frame frame;
        const uint8_t *bytes = link->in_bytes + at;
        result = cedei_frame_read(bytes, &frame);
        if (result == CEDE_OK) result = header_check(link, &frame, &reason);
        if (result != CEDE_OK) break;
        whole = CEDEI_FRAME_HEADER_SIZE + (size_t)frame.size;
        if (whole > link->in_size - at) break;
        bool data = (frame.flags & CEDEI_FLAG_DATA_LANE) != 0;
        link->in_sequences[data ? CEDEI_LANE_DATA : CEDEI_LANE_CONTROL]++;
        result = cedei_link_take_frame(link, &frame, bytes + CEDEI_FRAME_HEADER_SIZE, &reason);
        at += whole;
        whole = 0;
        pausing = link->in_ready && !link->in_up;
    }
    cede_result delivered = batch_deliver(link, result == CEDE_OK ? &reason : &unused);
    if (result == CEDE_OK) result = delivered;
    link->in_size -= at;
    if (at != 0) memmove(link->in_bytes, link->in_bytes + at, link->in_size);
    if (result == CEDE_OK && pausing && pause_for_admission(link)) return false;
    if (result == CEDE_OK && !buffer_prepare(link, whole)) {
        result = CEDE_ENOMEM;
        reason = "out of memory";
    }
    if (result != CEDE_OK) cedei_link_fail(link, result, "%s", reason);
    return result == CEDE_OK;
}
