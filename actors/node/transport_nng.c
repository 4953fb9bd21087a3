/* transport_nng.c - the transport table over nng's streams; the only file that knows nng.
 * Owns nng streams, dialers, listeners and their aios. Invariants: (1) an aio has at most one operation under way;
 * (2) nng runs no callback inside the call that starts the operation; (3) a stream is torn down in the order close,
 * stop both aios, free stream, free aios, and never on a callback's thread, because stopping waits for the callback;
 * (4) a connection by a Unix socket is handed on only if its other end runs as our own user. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <nng/nng.h>

#include "actors/node/transport.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"
#include "core/sys/thread.h"

#define ACCEPT_RETRY_MS 10

/* nng's locks order what we did before an operation, its callback, and the end of nng_aio_stop. ThreadSanitizer cannot
 * see that in a library that is not instrumented, so we say it: one mark an aio. */
#if CEDEI_TSAN
void __tsan_acquire(void *mark);
void __tsan_release(void *mark);
static void aio_give(nng_aio **aio) { __tsan_release(aio); }
static void aio_take(nng_aio **aio) { __tsan_acquire(aio); }
#else
static void aio_give(nng_aio **aio) { (void)aio; }
static void aio_take(nng_aio **aio) { (void)aio; }
#endif

/* Access: I = set before the first operation, then constant; L = under `lock`; N = nng serialises it. */
struct cedei_stream {
    const struct cedei_stream_events *events; /* I */
    void *context;                            /* I */
    nng_aio *receive_aio;                     /* I; what is under way is N */
    nng_aio *send_aio;                        /* I; of a dialed stream also the dial */
    nng_stream_dialer *dialer;                /* I: NULL if accepted */
    cedei_mutex lock;
    nng_stream *native; /* L until connected, then constant; NULL: not connected */
    bool closed;        /* L */
    bool dialing;       /* N: the operation under way on send_aio is the dial */
    bool is_local;      /* I: see url_is_local */
};

struct cedei_listener {
    nng_stream_listener *native;
    nng_aio *accept_aio;
    nng_aio *pause_aio; /* sleeps while descriptors or memory are short */
    cedei_accept_fn *accepted;
    void *context;
    bool is_local, has_file;
};

/* The only place where nng's codes become ours. */
static cede_result result_of(int error) {
    switch (error) {
    case 0: return CEDE_OK;
    case NNG_ENOMEM: return CEDE_ENOMEM;
    case NNG_ENOFILES:
    case NNG_ENOSPC: return CEDE_ELIMIT;
    case NNG_EINVAL:
    case NNG_EADDRINVAL: return CEDE_EINVAL;
    case NNG_EADDRINUSE:
    case NNG_EEXIST: return CEDE_EEXIST;
    case NNG_EPERM: return CEDE_EACCES;
    case NNG_ENOTSUP: return CEDE_ENOTSUP;
    case NNG_ECONNREFUSED:
    case NNG_ENOENT:
    case NNG_EUNREACHABLE:
    case NNG_ETIMEDOUT: return CEDE_ENODE;
    case NNG_ECLOSED:
    case NNG_ECANCELED:
    case NNG_ECONNRESET:
    case NNG_ECONNABORTED:
    case NNG_ECONNSHUT: return CEDE_ECLOSED;
    default: return CEDE_EIO;
    }
}

/* Waits for the callback; never from one. */
static void aio_stop(nng_aio **aio) {
    nng_aio_stop(*aio);
    aio_take(aio);
}

static bool url_is_ipc(const char *url) { return strncmp(url, "ipc://", 6) == 0; }

/* By a Unix socket, of which the kernel says whose it is. */
static bool url_is_local(const char *url) {
    return url_is_ipc(url) || strncmp(url, "abstract://", 11) == 0;
}

/* Anybody who can reach the path may connect, or have bound it before us: both sides ask the kernel. */
static bool peer_is_own_user(nng_stream *native) {
    uint64_t uid = 0;
    return nng_stream_get_uint64(native, NNG_OPT_IPC_PEER_UID, &uid) == 0 &&
           uid == (uint64_t)geteuid();
}

/* ---- streams ---- */

static void stream_on_receive(void *argument) {
    struct cedei_stream *stream = argument;
    aio_take(&stream->receive_aio);
    cede_result result = result_of(nng_aio_result(stream->receive_aio));
    size_t size = result == CEDE_OK ? nng_aio_count(stream->receive_aio) : 0;
    if (result == CEDE_OK && size == 0) result = CEDE_ECLOSED;
    stream->events->received(stream->context, result, size);
    aio_give(&stream->receive_aio);
}

/* Takes the connection over from the dialer, unless the stream was closed meanwhile. */
static cede_result stream_take_dialed(struct cedei_stream *stream) {
    cede_result result = result_of(nng_aio_result(stream->send_aio));
    if (result != CEDE_OK) return result;
    nng_stream *native = nng_aio_get_output(stream->send_aio, 0);
    if (stream->is_local && !peer_is_own_user(native)) result = CEDE_EACCES;
    cedei_mutex_lock(&stream->lock);
    stream->native = native;
    if (stream->closed) {
        nng_stream_close(native);
        result = CEDE_ECLOSED;
    }
    cedei_mutex_unlock(&stream->lock);
    return result;
}

static void stream_on_send(void *argument) {
    struct cedei_stream *stream = argument;
    aio_take(&stream->send_aio);
    if (stream->dialing) {
        stream->dialing = false;
        stream->events->connected(stream->context, stream_take_dialed(stream));
    } else {
        cede_result result = result_of(nng_aio_result(stream->send_aio));
        size_t size = result == CEDE_OK ? nng_aio_count(stream->send_aio) : 0;
        stream->events->sent(stream->context, result, size);
    }
    aio_give(&stream->send_aio);
}

static void stream_close(struct cedei_stream *stream) {
    cedei_mutex_lock(&stream->lock);
    bool first = !stream->closed;
    stream->closed = true;
    nng_stream *native = stream->native;
    if (first && native != NULL) nng_stream_close(native);
    cedei_mutex_unlock(&stream->lock);
    if (first && native == NULL && stream->dialer != NULL) nng_stream_dialer_close(stream->dialer);
}

static void stream_destroy(struct cedei_stream *stream) {
    if (stream == NULL) return;
    stream_close(stream);
    aio_stop(&stream->send_aio);
    aio_stop(&stream->receive_aio);
    if (stream->native != NULL) nng_stream_free(stream->native);
    if (stream->dialer != NULL) nng_stream_dialer_free(stream->dialer);
    nng_aio_free(stream->send_aio);
    nng_aio_free(stream->receive_aio);
    cedei_mutex_fini(&stream->lock);
    cedei_free(stream);
}

static cede_result stream_create(bool is_local, struct cedei_stream **out) {
    cede_result result = CEDE_ENOMEM;
    struct cedei_stream *stream = cedei_alloc_zeroed(sizeof *stream);
    if (stream == NULL) goto out;
    stream->is_local = is_local;
    int error = nng_aio_alloc(&stream->receive_aio, stream_on_receive, stream);
    if ((result = result_of(error)) != CEDE_OK) goto free_stream;
    error = nng_aio_alloc(&stream->send_aio, stream_on_send, stream);
    if ((result = result_of(error)) != CEDE_OK) goto free_receive_aio;
    /* A peer that stops reading or writing is the link's business: it has its own deadlines. */
    nng_aio_set_timeout(stream->receive_aio, NNG_DURATION_INFINITE);
    nng_aio_set_timeout(stream->send_aio, NNG_DURATION_INFINITE);
    cedei_mutex_init(&stream->lock);
    *out = stream;
    return CEDE_OK;
free_receive_aio:
    nng_aio_free(stream->receive_aio);
free_stream:
    cedei_free(stream);
out:
    return result;
}

static void stream_bind(struct cedei_stream *stream, const struct cedei_stream_events *events,
                        void *context) {
    stream->events = events;
    stream->context = context;
}

static cede_result stream_dial(cede_system *system, const char *url,
                               const struct cedei_stream_events *events, void *context,
                               struct cedei_stream **out) {
    (void)system;
    struct cedei_stream *stream = NULL;
    cede_result result = stream_create(url_is_local(url), &stream);
    if (result != CEDE_OK) return result;
    stream_bind(stream, events, context);
    result = result_of(nng_stream_dialer_alloc(&stream->dialer, url));
    /* Off by default on streams; without it a frame waits for the acknowledgement of the one before. */
    if (result == CEDE_OK && !stream->is_local) {
        int error = nng_stream_dialer_set_bool(stream->dialer, NNG_OPT_TCP_NODELAY, true);
        result = result_of(error);
    }
    if (result != CEDE_OK) {
        stream_destroy(stream);
        return result;
    }
    stream->dialing = true;
    /* Published first: `connected` may run on another thread before the call below returns. */
    *out = stream;
    aio_give(&stream->send_aio);
    nng_stream_dialer_dial(stream->dialer, stream->send_aio);
    return CEDE_OK;
}

static void stream_start(struct cedei_stream *stream, nng_aio **aio, void *bytes, size_t size,
                         void (*start)(nng_stream *, nng_aio *)) {
    nng_iov iov = {.iov_buf = bytes, .iov_len = size};
    /* One entry always fits: the limit is 4 by contract. */
    (void)nng_aio_set_iov(*aio, 1, &iov);
    aio_give(aio);
    start(stream->native, *aio);
}

static void stream_recv(struct cedei_stream *stream, void *bytes, size_t size) {
    stream_start(stream, &stream->receive_aio, bytes, size, nng_stream_recv);
}

static cede_result stream_send(struct cedei_stream *stream, const void *bytes, size_t size,
                               size_t *moved) {
    *moved = 0;
    /* nng's iov has no const; it does not write through the pointer of a send. */
    stream_start(stream, &stream->send_aio, (void *)(uintptr_t)bytes, size, nng_stream_send);
    return CEDE_OK;
}

static void stream_describe(struct cedei_stream *stream, char *text, size_t size) {
    nng_sockaddr address;
    uint64_t pid = 0;
    if (stream->native == NULL) {
        (void)snprintf(text, size, "not connected");
    } else if (stream->is_local) {
        (void)nng_stream_get_uint64(stream->native, NNG_OPT_IPC_PEER_PID, &pid);
        (void)snprintf(text, size, "ipc process %llu", (unsigned long long)pid);
    } else if (nng_stream_get_addr(stream->native, NNG_OPT_REMADDR, &address) == 0 &&
               address.s_family == NNG_AF_INET) {
        const uint8_t *b = (const uint8_t *)&address.s_in.sa_addr;
        const uint8_t *p = (const uint8_t *)&address.s_in.sa_port;
        (void)snprintf(text, size, "tcp %u.%u.%u.%u:%u", b[0], b[1], b[2], b[3],
                       (unsigned)p[0] << 8 | p[1]);
    } else {
        (void)snprintf(text, size, "tcp peer");
    }
}

/* ---- listeners ---- */

static void listener_hand_on(struct cedei_listener *listener, nng_stream *native) {
    struct cedei_stream *stream = NULL;
    if (listener->is_local && !peer_is_own_user(native)) goto refuse;
    if (stream_create(listener->is_local, &stream) != CEDE_OK) goto refuse;
    stream->native = native;
    listener->accepted(listener->context, stream);
    return;
refuse:
    nng_stream_close(native);
    nng_stream_free(native);
}

static void listener_accept(struct cedei_listener *listener) {
    aio_give(&listener->accept_aio);
    nng_stream_listener_accept(listener->native, listener->accept_aio);
}

/* One bad accept must not end the listener: only its own end does. */
static void listener_go_on(struct cedei_listener *listener) {
    int error = nng_aio_result(listener->accept_aio);
    if (error == NNG_ECLOSED || error == NNG_ECANCELED) return;
    if (error == NNG_ENOFILES || error == NNG_ENOMEM || error == NNG_ENOSPC) {
        aio_give(&listener->pause_aio);
        nng_sleep_aio(ACCEPT_RETRY_MS, listener->pause_aio);
        return;
    }
    if (error == 0) listener_hand_on(listener, nng_aio_get_output(listener->accept_aio, 0));
    listener_accept(listener);
}

static void listener_on_accept(void *argument) {
    struct cedei_listener *listener = argument;
    aio_take(&listener->accept_aio);
    listener_go_on(listener);
    aio_give(&listener->accept_aio);
}

static void listener_on_pause(void *argument) {
    struct cedei_listener *listener = argument;
    aio_take(&listener->pause_aio);
    if (nng_aio_result(listener->pause_aio) == 0) listener_accept(listener);
    aio_give(&listener->pause_aio);
}

static void listener_free(struct cedei_listener *listener) {
    if (listener->native != NULL) {
        nng_stream_listener_close(listener->native);
        /* Pause first: what it starts is an accept, which the closed listener ends at once. */
        if (listener->pause_aio != NULL) aio_stop(&listener->pause_aio);
        if (listener->accept_aio != NULL) aio_stop(&listener->accept_aio);
        nng_stream_listener_free(listener->native);
    }
    if (listener->pause_aio != NULL) nng_aio_free(listener->pause_aio);
    if (listener->accept_aio != NULL) nng_aio_free(listener->accept_aio);
    cedei_free(listener);
}

static cede_result listener_open(struct cedei_listener *listener, const char *url) {
    int error = nng_aio_alloc(&listener->accept_aio, listener_on_accept, listener);
    if (error == 0) error = nng_aio_alloc(&listener->pause_aio, listener_on_pause, listener);
    if (error == 0) error = nng_stream_listener_alloc(&listener->native, url);
    if (error != 0) return result_of(error);
    if (listener->has_file) {
        /* nng sets the mode between bind and listen, so nobody can connect before. */
        error = nng_stream_listener_set_int(listener->native, NNG_OPT_IPC_PERMISSIONS, 0600);
    } else if (!listener->is_local) {
        error = nng_stream_listener_set_bool(listener->native, NNG_OPT_TCP_NODELAY, true);
    }
    if (error == 0) error = nng_stream_listener_listen(listener->native);
    return result_of(error);
}

static cede_result listener_listen(cede_system *system, const char *url, cedei_accept_fn *accepted,
                                   void *context, struct cedei_listener **out) {
    (void)system;
    struct cedei_listener *listener = cedei_alloc_zeroed(sizeof *listener);
    if (listener == NULL) return CEDE_ENOMEM;
    listener->accepted = accepted;
    listener->context = context;
    listener->is_local = url_is_local(url);
    listener->has_file = url_is_ipc(url);
    cede_result result = listener_open(listener, url);
    if (result != CEDE_OK) {
        listener_free(listener);
        return result;
    }
    *out = listener;
    listener_accept(listener);
    return CEDE_OK;
}

static uint16_t listener_port(struct cedei_listener *listener) {
    int port = 0;
    if (listener->is_local) return 0;
    if (nng_stream_listener_get_int(listener->native, NNG_OPT_TCP_BOUND_PORT, &port) != 0) return 0;
    return (uint16_t)port;
}

static void listener_close(struct cedei_listener *listener) {
    if (listener != NULL) listener_free(listener);
}

const struct cedei_transport cedei_transport_nng = {
    .listen = listener_listen,
    .listener_port = listener_port,
    .listener_close = listener_close,
    .dial = stream_dial,
    .bind = stream_bind,
    .describe = stream_describe,
    .recv = stream_recv,
    .send = stream_send,
    .close = stream_close,
    .destroy = stream_destroy,
};
