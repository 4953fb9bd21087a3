/* link_stream.c - bytes of a link in and out: what is queued leaves, what comes is handed to the parser; the greeting. See link.h.
 * Frames that a turn makes wait until the turn is over or has made PUSH_BYTES of them, so that they leave by one write; on
 * threads on which nothing tells that, each leaves at once.
 * Invariants: (1) while `sending`, an event of the stream will go on; (2) nothing is started on the stream of a link that is
 * CLOSED. */
#include <string.h>

#include "actors/node/own_node.h"
#include "core/sys/clock.h"
#include "core/sys/random.h"

#define PUSH_BYTES (32u * 1024u)
#define OUTBOX_FULL (8u * 1024u * 1024u)
/* Answers and notices may not be dropped; a peer that makes us queue this many takes none of them. */
#define OUTBOX_OVERFULL (48u * 1024u * 1024u)

/* ---- sending ---- */

bool cedei_link_is_full(const struct cedei_link *link) { return link->outbox.bytes > OUTBOX_FULL; }

uint8_t *cedei_link_frame(struct cedei_link *link, enum cedei_frame_type type, size_t size) {
    if (link->outbox.bytes > OUTBOX_OVERFULL) return NULL;
    return cedei_outbox_add(&link->outbox, type, size);
}

/* Hands the stream what it takes. Under the lock; ends, since nothing is added meanwhile. */
static void outbox_push(struct cedei_link *link) {
    struct cedei_chunk *chunk = NULL;
    if (link->state == CEDEI_LINK_CLOSED || link->state == CEDEI_LINK_DIALING) return;
    while (!link->sending && (chunk = cedei_outbox_next(&link->outbox)) != NULL) {
        size_t size = chunk->size - chunk->sent, moved = 0;
        cede_result result =
            link->transport->send(link->stream, chunk->bytes + chunk->sent, size, &moved);
        if (result != CEDE_OK) {
            cedei_link_fail_locked(link, result, "the connection broke while sending");
            return;
        }
        link->sending = moved < size;
        if (link->sending) link->sending_since_ns = cedei_clock_now_ns();
        link->bytes_sent += moved;
        cedei_outbox_sent(&link->outbox, moved);
    }
}

void cedei_link_push(struct cedei_link *link) {
    if (link->sending || link->state == CEDEI_LINK_CLOSED || link->state == CEDEI_LINK_DIALING)
        return;
    if (link->outbox.bytes < PUSH_BYTES) {
        if (link->soon) return;
        link->soon = link->transport->call_soon != NULL && link->transport->call_soon(link->stream);
        if (link->soon) return;
    }
    outbox_push(link);
}

static void link_go_on(struct cedei_link *link) {
    struct cedei_link_waiter *woken = NULL;
    outbox_push(link);
    if (link->room_waiters != NULL && !cedei_link_is_full(link))
        woken = cedei_waiters_take(link, &link->room_waiters);
    cedei_mutex_unlock(&link->lock);
    cedei_waiters_wake(link->node, woken, CEDE_OK);
}

static void link_on_sent(void *context, cede_result result, size_t size) {
    struct cedei_link *link = context;
    if (result != CEDE_OK) {
        cedei_link_fail(link, result, "the connection broke while sending");
        return;
    }
    cedei_mutex_lock(&link->lock);
    link->sending = false;
    link->bytes_sent += size;
    cedei_outbox_sent(&link->outbox, size);
    link_go_on(link);
}

static void link_on_soon(void *context) {
    struct cedei_link *link = context;
    cedei_mutex_lock(&link->lock);
    link->soon = false;
    link_go_on(link);
}

/* ---- receiving ---- */

void cedei_link_receive(struct cedei_link *link) {
    cedei_mutex_lock(&link->lock);
    /* Not before what came was handled, which may have taken long: that was not the peer's silence. */
    link->last_in_ns = cedei_clock_now_ns();
    if (link->state != CEDEI_LINK_CLOSED) {
        link->transport->recv(link->stream, link->in_bytes + link->in_size,
                              link->in_capacity - link->in_size);
    }
    cedei_mutex_unlock(&link->lock);
}

static void link_on_received(void *context, cede_result result, size_t size) {
    struct cedei_link *link = context;
    if (result != CEDE_OK) {
        cedei_link_fail(link, result == CEDE_ECLOSED ? CEDE_ENODE : result,
                        "the connection was closed");
        return;
    }
    /* relaxed: a figure. */
    (void)atomic_fetch_add_explicit(&link->bytes_received, size, memory_order_relaxed);
    link->in_size += size;
    if (cedei_link_parse(link)) cedei_link_receive(link);
}

/* ---- the handshake ---- */

static void link_greet(struct cedei_link *link) {
    struct cedei_hello hello = link->node->hello;
    hello.nonce = cedei_random_u64();
    cedei_mutex_lock(&link->lock);
    if (link->state == CEDEI_LINK_CLOSED) goto unlock;
    link->state = CEDEI_LINK_GREETING;
    link->transport->describe(link->stream, link->address, sizeof link->address);
    uint8_t *body = cedei_link_frame(link, CEDEI_FRAME_HELLO, cedei_hello_size(&hello));
    if (body != NULL) {
        cedei_hello_write(&hello, body);
        cedei_link_push(link);
    }
    cedei_mutex_unlock(&link->lock);
    if (body == NULL) {
        cedei_link_fail(link, CEDE_ENOMEM, "out of memory");
        return;
    }
    cedei_link_receive(link);
    return;
unlock:
    cedei_mutex_unlock(&link->lock);
}

void cedei_link_accept(struct cedei_link *link) { link_greet(link); }

static void link_on_connected(void *context, cede_result result) {
    struct cedei_link *link = context;
    if (result != CEDE_OK) {
        cedei_link_fail(link, result, "cannot connect: %s", cede_result_text(result));
        return;
    }
    link_greet(link);
}

const struct cedei_stream_events cedei_link_events = {
    .connected = link_on_connected,
    .received = link_on_received,
    .sent = link_on_sent,
    .soon = link_on_soon,
};
