/* fake_transport.c - see fake_transport.h.
 * A stream has two owners, the node's link and the test, and is freed when both let go. Events run on the test's
 * thread, except for the last ones of a stream, which destroy runs, as a real transport's would before it returns. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_transport.h"

struct cedei_listener {
    cedei_accept_fn *accepted;
    void *context;
};

/* All under `lock`. */
struct cedei_stream {
    const struct cedei_stream_events *events;
    void *context;
    uint8_t *asked; /* where the node wants bytes; NULL: it does not */
    size_t asked_size;
    const uint8_t *offered; /* what the node sends; NULL: nothing */
    size_t offered_size;
    bool closed;
    bool busy; /* an event runs: destroy waits */
    int owners;
};

struct fake_peer {
    struct cedei_stream stream;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct cedei_listener *listening;

static void stream_release(struct cedei_stream *stream) {
    if (--stream->owners == 0) free(stream);
    (void)pthread_cond_broadcast(&changed);
}

/* ---- the node's side ---- */

static cede_result fake_listen(cede_system *system, const char *url, cedei_accept_fn *accepted,
                               void *context, struct cedei_listener **out) {
    struct cedei_listener *listener = malloc(sizeof *listener);
    (void)system, (void)url;
    if (listener == NULL) return CEDE_ENOMEM;
    *listener = (struct cedei_listener){accepted, context};
    listening = listener;
    *out = listener;
    return CEDE_OK;
}

static uint16_t fake_port(struct cedei_listener *listener) {
    (void)listener;
    return 0;
}

static void fake_listener_close(struct cedei_listener *listener) {
    if (listener == NULL) return;
    listening = NULL;
    free(listener);
}

static cede_result fake_dial(cede_system *system, const char *url,
                             const struct cedei_stream_events *events, void *context,
                             struct cedei_stream **out) {
    (void)system, (void)url, (void)events, (void)context, (void)out;
    return CEDE_ENODE;
}

static void fake_bind(struct cedei_stream *stream, const struct cedei_stream_events *events,
                      void *context) {
    stream->events = events;
    stream->context = context;
}

static void fake_describe(struct cedei_stream *stream, char *text, size_t size) {
    (void)stream;
    (void)snprintf(text, size, "a fake");
}

static void fake_recv(struct cedei_stream *stream, void *bytes, size_t size) {
    (void)pthread_mutex_lock(&lock);
    if (stream->asked != NULL || size == 0) abort();
    stream->asked = bytes;
    stream->asked_size = size;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
}

static cede_result fake_send(struct cedei_stream *stream, const void *bytes, size_t size,
                             size_t *moved) {
    (void)pthread_mutex_lock(&lock);
    if (stream->offered != NULL || size == 0) abort();
    stream->offered = bytes;
    stream->offered_size = size;
    *moved = 0;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
    return CEDE_OK;
}

static void fake_close(struct cedei_stream *stream) {
    (void)pthread_mutex_lock(&lock);
    stream->closed = true;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
}

static void fake_destroy(struct cedei_stream *stream) {
    if (stream == NULL) return;
    fake_close(stream);
    (void)pthread_mutex_lock(&lock);
    while (stream->busy) (void)pthread_cond_wait(&changed, &lock);
    bool asked = stream->asked != NULL, offered = stream->offered != NULL;
    stream->asked = NULL;
    stream->offered = NULL;
    (void)pthread_mutex_unlock(&lock);
    if (asked) stream->events->received(stream->context, CEDE_ECLOSED, 0);
    if (offered) stream->events->sent(stream->context, CEDE_ECLOSED, 0);
    (void)pthread_mutex_lock(&lock);
    stream_release(stream);
    (void)pthread_mutex_unlock(&lock);
}

const struct cedei_transport fake_transport = {
    .listen = fake_listen,
    .listener_port = fake_port,
    .listener_close = fake_listener_close,
    .dial = fake_dial,
    .bind = fake_bind,
    .describe = fake_describe,
    .recv = fake_recv,
    .send = fake_send,
    .close = fake_close,
    .destroy = fake_destroy,
};

/* ---- the test's side ---- */

struct fake_peer *fake_connect(void) {
    struct fake_peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL) abort();
    peer->stream.owners = 2;
    listening->accepted(listening->context, &peer->stream);
    return peer;
}

bool fake_settle(struct fake_peer *peer) {
    (void)pthread_mutex_lock(&lock);
    while (peer->stream.asked == NULL && !peer->stream.closed)
        (void)pthread_cond_wait(&changed, &lock);
    bool open = !peer->stream.closed;
    (void)pthread_mutex_unlock(&lock);
    return open;
}

bool fake_feed(struct fake_peer *peer, const void *bytes, size_t size, size_t piece) {
    struct cedei_stream *stream = &peer->stream;
    for (size_t at = 0; at < size;) {
        if (!fake_settle(peer)) return false;
        (void)pthread_mutex_lock(&lock);
        size_t count = size - at < piece ? size - at : piece;
        bool open = !stream->closed && stream->asked != NULL;
        if (open && count > stream->asked_size) count = stream->asked_size;
        if (open) memcpy(stream->asked, (const uint8_t *)bytes + at, count);
        if (open) stream->asked = NULL;
        stream->busy = open;
        (void)pthread_mutex_unlock(&lock);
        if (!open) return false;
        stream->events->received(stream->context, CEDE_OK, count);
        (void)pthread_mutex_lock(&lock);
        stream->busy = false;
        (void)pthread_cond_broadcast(&changed);
        (void)pthread_mutex_unlock(&lock);
        at += count;
    }
    return true;
}

size_t fake_take_now(struct fake_peer *peer, void *bytes, size_t size) {
    struct cedei_stream *stream = &peer->stream;
    (void)pthread_mutex_lock(&lock);
    bool open = !stream->closed && stream->offered != NULL;
    size_t count = open ? stream->offered_size : 0;
    if (count > size) count = size;
    if (open) memcpy(bytes, stream->offered, count);
    if (open) stream->offered = NULL;
    stream->busy = open;
    (void)pthread_mutex_unlock(&lock);
    if (!open) return 0;
    stream->events->sent(stream->context, CEDE_OK, count);
    (void)pthread_mutex_lock(&lock);
    stream->busy = false;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
    return count;
}

size_t fake_take(struct fake_peer *peer, void *bytes, size_t size) {
    (void)pthread_mutex_lock(&lock);
    while (peer->stream.offered == NULL && !peer->stream.closed)
        (void)pthread_cond_wait(&changed, &lock);
    (void)pthread_mutex_unlock(&lock);
    return fake_take_now(peer, bytes, size);
}

void fake_await_close(struct fake_peer *peer) {
    (void)pthread_mutex_lock(&lock);
    while (!peer->stream.closed) (void)pthread_cond_wait(&changed, &lock);
    (void)pthread_mutex_unlock(&lock);
}

void fake_hang_up(struct fake_peer *peer) {
    struct cedei_stream *stream = &peer->stream;
    (void)pthread_mutex_lock(&lock);
    /* The node's link lets go when the keeper has buried it; then one owner is left. */
    while (stream->owners > 1) {
        bool tell = !stream->closed && stream->asked != NULL;
        if (!tell) {
            (void)pthread_cond_wait(&changed, &lock);
            continue;
        }
        stream->asked = NULL;
        stream->busy = true;
        (void)pthread_mutex_unlock(&lock);
        stream->events->received(stream->context, CEDE_ECLOSED, 0);
        (void)pthread_mutex_lock(&lock);
        stream->busy = false;
        (void)pthread_cond_broadcast(&changed);
    }
    stream_release(stream);
    (void)pthread_mutex_unlock(&lock);
}
