/* broadcast.c - cede_broadcast: the last messages in a ring, and receivers that each have a position in it.
 * Invariants: (1) message number n lies in ring[n % capacity] from its send until n + capacity is sent; (2) a receiver's
 * position is the number of the next message that it has not seen, at most `next`; (3) receivers stand in line only at
 * `next`. */
#include <cede/broadcast.h>

#include "actors/actor/actor.h"
#include "actors/message/frozen.h"
#include "actors/share/share.h"
#include "core/sys/alloc.h"

/* Access: I; L = under `lock`. */
struct cede_broadcast {
    cede_system *system;          /* I */
    const struct cede_type *type; /* I */
    uint32_t capacity;            /* I */
    cedei_mutex lock;
    const void **ring;      /* L: `capacity` references, NULL before they are used */
    uint64_t next;          /* L: number of the next message, from 0 */
    bool is_closed;         /* L */
    struct cedei_line line; /* L; `want` of a place: the `next` that it waits to pass */
};

/* Access: I; L = under the broadcast's lock. */
struct cede_broadcast_receiver {
    cede_broadcast *from; /* I: a reference */
    uint64_t position;    /* L */
};

static void broadcast_drop(struct cede_broadcast *broadcast) {
    if (broadcast->ring == NULL) return;
    for (uint32_t i = 0; i < broadcast->capacity; i++)
        if (broadcast->ring[i] != NULL) cedei_frozen_unref(broadcast->ring[i]);
    cedei_free(broadcast->ring);
    cedei_mutex_fini(&broadcast->lock);
}
CEDEI_SHARE_TYPE(cede_broadcast, broadcast_drop);

static void receiver_drop(struct cede_broadcast_receiver *receiver) {
    cedei_share_unref(receiver->from);
}
CEDEI_SHARE_TYPE(cede_broadcast_receiver, receiver_drop);

/* ---- life ---- */

cede_result cedei_broadcast_create(cede_self *self, const struct cede_type *type, uint32_t capacity,
                                   cede_broadcast **out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (out == NULL || capacity == 0) return CEDE_EINVAL;
    cede_broadcast *broadcast = cedei_share_create(self, &cede_type_cede_broadcast);
    if (broadcast == NULL) return CEDE_ENOMEM;
    broadcast->ring = cedei_alloc_zeroed(capacity * sizeof *broadcast->ring);
    if (broadcast->ring == NULL) {
        cedei_share_unref(broadcast);
        return CEDE_ENOMEM;
    }
    broadcast->system = self->system;
    broadcast->type = type;
    broadcast->capacity = capacity;
    cedei_mutex_init(&broadcast->lock);
    cedei_line_init(&broadcast->line);
    *out = broadcast;
    return CEDE_OK;
}

cede_result cede_broadcast_subscribe(cede_self *self, cede_broadcast *broadcast,
                                     cede_broadcast_receiver **out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (broadcast == NULL || out == NULL) return CEDE_EINVAL;
    cede_broadcast_receiver *receiver = cedei_share_create(self, &cede_type_cede_broadcast_receiver);
    if (receiver == NULL) return CEDE_ENOMEM;
    cedei_frozen_ref(broadcast);
    receiver->from = broadcast;
    cedei_mutex_lock(&broadcast->lock);
    receiver->position = broadcast->next;
    cedei_mutex_unlock(&broadcast->lock);
    *out = receiver;
    return CEDE_OK;
}

/* ---- sending ---- */

/* Wakes all that wait for a message before number `next`. */
static void broadcast_wake(cede_broadcast *broadcast, uint64_t next) {
    struct cedei_wakes wakes = {.count = 0};
    bool is_more = true;
    while (is_more) { /* each round wakes as many as fit */
        cedei_mutex_lock(&broadcast->lock);
        struct cedei_place *first = NULL;
        is_more = false;
        while ((first = broadcast->line.first) != NULL && first->want < next && !is_more) {
            cedei_line_give(&broadcast->line, first, CEDE_OK, &wakes);
            is_more = wakes.count == CEDEI_WAKES_MAX;
        }
        cedei_mutex_unlock(&broadcast->lock);
        cedei_wakes_send(broadcast->system, &wakes);
    }
}

cede_result cedei_broadcast_send(cede_self *self, cede_broadcast *broadcast, void **message,
                                 const char *here) {
    const void *value = NULL;
    if (broadcast == NULL) return self == NULL ? CEDE_ECONTEXT : CEDE_EINVAL;
    cedei_mutex_lock(&broadcast->lock);
    bool is_closed = broadcast->is_closed;
    cedei_mutex_unlock(&broadcast->lock);
    if (is_closed) return CEDE_ECLOSED;
    cede_result r = cedei_freeze_as(self, broadcast->type, message, &value, here);
    if (r != CEDE_OK) return r;
    cedei_mutex_lock(&broadcast->lock);
    const void **at = &broadcast->ring[broadcast->next % broadcast->capacity], *before = *at;
    *at = value;
    uint64_t next = ++broadcast->next;
    bool is_awaited = broadcast->line.first != NULL;
    cedei_mutex_unlock(&broadcast->lock);
    if (before != NULL) cedei_frozen_unref(before);
    if (is_awaited) broadcast_wake(broadcast, next);
    return CEDE_OK;
}

void cede_broadcast_close(cede_broadcast *broadcast) {
    if (broadcast == NULL) return;
    cedei_mutex_lock(&broadcast->lock);
    broadcast->is_closed = true;
    cedei_mutex_unlock(&broadcast->lock);
    broadcast_wake(broadcast, UINT64_MAX);
}

/* ---- receiving ---- */

/* Under the lock: the receiver's next message, referenced, and how many it has missed before it; NULL: there is none. */
static const void *next_take(cede_broadcast_receiver *receiver, uint64_t *lost) {
    cede_broadcast *from = receiver->from;
    uint64_t oldest = from->next > from->capacity ? from->next - from->capacity : 0;
    if (receiver->position == from->next) return NULL;
    *lost = receiver->position < oldest ? oldest - receiver->position : 0;
    receiver->position += *lost;
    const void *value = from->ring[receiver->position++ % from->capacity];
    cedei_frozen_ref(value);
    return value;
}

static cede_result look(cede_broadcast_receiver *receiver, const void **value, uint64_t *lost) {
    cede_broadcast *from = receiver->from;
    cedei_mutex_lock(&from->lock);
    *value = next_take(receiver, lost);
    bool is_closed = from->is_closed;
    cedei_mutex_unlock(&from->lock);
    return *value == NULL && is_closed ? CEDE_ECLOSED : CEDE_OK;
}

static bool line_leave(cede_broadcast *broadcast, struct cedei_place *place) {
    cedei_mutex_lock(&broadcast->lock);
    bool was_lined = place->state == CEDEI_PLACE_LINED;
    if (was_lined) cedei_line_remove(&broadcast->line, place);
    cedei_mutex_unlock(&broadcast->lock);
    return was_lined;
}

static void broadcast_place_leave(struct cedei_place *place) {
    (void)line_leave(place->object, place); /* each has its own position: nothing to hand on */
}

/* Waits until there is something to look at. */
static CEDE_YIELDS cede_result next_await(cede_self *self, cede_broadcast_receiver *receiver,
                                          uint64_t deadline_ns, uint64_t timeout_ns) {
    cede_result why = CEDE_OK;
    cede_broadcast *from = receiver->from;
    struct cedei_place *place = cedei_place_begin(self, timeout_ns, "cede_broadcast_recv", &why);
    if (place == NULL) return why;
    cedei_place_aim(place, from, broadcast_place_leave);
    cedei_mutex_lock(&from->lock);
    bool is_lined = receiver->position == from->next && !from->is_closed;
    if (is_lined) {
        place->want = from->next;
        cedei_line_append(&from->line, place);
    }
    cedei_mutex_unlock(&from->lock);
    if (!is_lined) {
        cedei_place_withdraw(place);
        return CEDE_OK;
    }
    cede_result r = cedei_place_wait(place, deadline_ns);
    if (r != CEDE_OK) (void)line_leave(from, place);
    return cedei_place_end(place, r);
}

CEDE_YIELDS cede_result cedei_broadcast_recv(cede_self *self, cede_broadcast_receiver *receiver,
                                             const struct cede_type *type, const void **out,
                                             uint64_t *lost, uint64_t timeout_ns) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (receiver == NULL || out == NULL) return CEDE_EINVAL;
    if (type != receiver->from->type) return CEDE_ETYPE;
    const void *value = NULL;
    uint64_t missed = 0, deadline_ns = 0;
    cede_result r = look(receiver, &value, &missed);
    while (r == CEDE_OK && value == NULL) { /* again only if another uses this receiver too */
        if (deadline_ns == 0) deadline_ns = cedei_deadline_of(timeout_ns);
        r = next_await(self, receiver, deadline_ns, timeout_ns);
        if (r == CEDE_OK) r = look(receiver, &value, &missed);
    }
    if (r != CEDE_OK) return r;
    const void *before = *out;
    *out = value;
    if (lost != NULL) *lost = missed;
    if (before != NULL) cedei_frozen_unref(before);
    return CEDE_OK;
}
