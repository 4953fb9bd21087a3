/* transport_reactor.c - the transport table over the system's own reactor: ipc:// and tcp:// without any thread but workers.
 * Owns sockets, and a task for each direction of each (reactor_side.c). An event of the reactor queues the task on the worker that
 * saw it; the task moves bytes and tells the user, so that what comes of it runs next on the same worker.
 * Invariants: (1) a stream's memory is a stream's for as long as the system lives, and `number` says which one: what comes late
 * finds another number; (2) no event runs, and the descriptor is closed, when destroy returns. */
#include <string.h>

#include "actors/actor/remote.h"
#include "actors/node/reactor_stream.h"
#include "actors/node/transport.h"
#include "core/base/base.h"
#include "core/sched/sched.h"
#include "core/sys/clock.h"
#include "core/sys/socket.h"

#define ACCEPT_PAUSE_NS 10000000u /* while descriptors or memory are short */

struct cedei_listener {
    struct cedei_stream stream;
};

static bool url_is_ipc(const char *url) { return strncmp(url, "ipc://", 6) == 0; }

/* ---- what errors of the system mean to a link ---- */

static cede_result transfer_result(cede_result r) {
    switch (r) {
    case CEDE_OK:
    case CEDE_ENOMEM: return r;
    case CEDE_ECLOSED:
    case CEDE_ERESET: return CEDE_ECLOSED;
    default: return CEDE_EIO;
    }
}

static cede_result dial_result(cede_result r) {
    switch (r) {
    case CEDE_OK:
    case CEDE_ENOMEM:
    case CEDE_ELIMIT:
    case CEDE_EACCES: return r;
    case CEDE_EREFUSED:
    case CEDE_ENOENT:
    case CEDE_EUNREACH:
    case CEDE_ETIMEDOUT: /* a Unix listener whose queue is full */
    case CEDE_ECLOSED:
    case CEDE_ERESET: return CEDE_ENODE;
    default: return CEDE_EIO;
    }
}

static cede_result listen_result(cede_result r) {
    switch (r) {
    case CEDE_OK:
    case CEDE_ENOMEM:
    case CEDE_ELIMIT:
    case CEDE_EACCES:
    case CEDE_EEXIST:
    case CEDE_EINVAL: return r;
    default: return CEDE_EIO;
    }
}

/* ---- life ---- */

static cede_result stream_take(struct cedei_sched *sched, struct cedei_stream **out) {
    cede_result r = cedei_reactor_open(sched);
    if (r != CEDE_OK) return r;
    struct cedei_source *source = cedei_source_take(&sched->reactor, &cedei_stream_kind);
    if (source == NULL) return CEDE_ENOMEM;
    struct cedei_stream *stream = CEDEI_CONTAINER_OF(source, struct cedei_stream, source);
    if (!stream->is_made) {
        cedei_mutex_init(&stream->lock);
        cedei_cond_init(&stream->quiet);
        stream->is_made = true;
    }
    cedei_mutex_lock(&stream->lock); /* for who comes late and looks at `number` */
    stream->sched = sched;
    stream->events = NULL;
    stream->accepted = NULL;
    stream->context = NULL;
    stream->closed = stream->destroyed = stream->abandoned = false;
    stream->soon = stream->dialing = stream->pausing = false;
    for (enum cedei_direction i = CEDEI_READING; i <= CEDEI_WRITING; i++)
        stream->sides[i] =
            (struct side){.task = {.run = cedei_side_task(i),
                                   .place = cedei_place_of(sched->number, CEDEI_TASK_WORKER)}};
    cedei_mutex_unlock(&stream->lock);
    *out = stream;
    return CEDE_OK;
}

/* Takes `socket` on CEDE_OK. */
static cede_result stream_make(struct cedei_sched *sched, int socket, bool is_ipc, bool is_ready,
                               struct cedei_stream **out) {
    struct cedei_stream *stream = NULL;
    cede_result r = stream_take(sched, &stream);
    if (r != CEDE_OK) return r;
    stream->is_ipc = is_ipc;
    r = cedei_source_watch(&stream->source, socket, is_ready);
    if (r != CEDE_OK)
        cedei_source_give(&stream->source);
    else
        *out = stream;
    return r;
}

static void stream_bind(struct cedei_stream *stream, const struct cedei_stream_events *events,
                        void *context) {
    stream->events = events;
    stream->context = context;
}

static void stream_close(struct cedei_stream *stream) {
    cedei_mutex_lock(&stream->lock);
    bool first = !stream->closed;
    stream->closed = true;
    /* It may not be connected yet, or not any more. */
    if (first && stream->source.descriptor >= 0)
        (void)!cedei_socket_shutdown(stream->source.descriptor, SHUT_RDWR);
    cedei_mutex_unlock(&stream->lock);
}

static void stream_destroy(struct cedei_stream *stream) {
    if (stream == NULL) return;
    stream_close(stream);
    cedei_mutex_lock(&stream->lock);
    stream->destroyed = true;
    stream->number++;
    while (stream->sides[0].runs || stream->sides[1].runs)
        cedei_cond_wait(&stream->quiet, &stream->lock);
    int descriptor = stream->source.descriptor;
    stream->source.descriptor = -1;
    stream->abandoned = stream->sides[0].queued || stream->sides[1].queued;
    bool is_over = !stream->abandoned;
    if (stream->pausing) cedei_sched_timer_cancel(stream->sched, &stream->retry);
    if (descriptor >= 0) cedei_descriptor_close(descriptor);
    cedei_mutex_unlock(&stream->lock);
    if (is_over) cedei_source_give(&stream->source);
}

static void stream_describe(struct cedei_stream *stream, char *text, size_t size) {
    cedei_socket_describe_peer(stream->source.descriptor, text, size);
}

/* ---- receiving ---- */

static void stream_recv(struct cedei_stream *stream, void *bytes, size_t size) {
    cedei_mutex_lock(&stream->lock);
    stream->in = bytes;
    stream->in_size = size;
    stream->sides[CEDEI_READING].wanted = true;
    cedei_side_start(stream, CEDEI_READING);
    cedei_mutex_unlock(&stream->lock);
}

static bool receive_try(struct cedei_stream *stream, uint64_t seen) {
    struct cedei_source *source = &stream->source;
    size_t moved = 0;
    bool exhausted = false;
    cede_result r = cedei_stream_read(source->descriptor, true, stream->in, stream->in_size, &moved,
                                      &exhausted);
    if (r == CEDE_OK && moved == 0) r = CEDE_ECLOSED;
    /* A short read empties a TCP socket, unless its other end is done; see docs/DECISIONS.md. */
    bool is_empty =
        r == CEDE_OK && exhausted && !stream->is_ipc && (seen & CEDEI_SOURCE_CLOSED) == 0;
    if (r == CEDE_ETIMEDOUT || is_empty) cedei_source_exhausted(source, CEDEI_READING, seen);
    if (r == CEDE_ETIMEDOUT) return false;
    stream->events->received(stream->context, transfer_result(r), moved);
    return true;
}

/* ---- sending ---- */

static cede_result stream_send(struct cedei_stream *stream, const void *bytes, size_t size,
                               size_t *moved) {
    struct cedei_source *source = &stream->source;
    size_t total = 0;
    bool is_full = false;
    while (total < size && !is_full) {
        uint64_t seen = cedei_source_look(source, CEDEI_WRITING);
        size_t some = 0;
        struct iovec piece = {.iov_base = (uint8_t *)(uintptr_t)bytes + total,
                              .iov_len = size - total};
        cede_result r = cedei_stream_write(source->descriptor, true, &piece, 1, &some, &is_full);
        if (r == CEDE_ETIMEDOUT) is_full = true;
        if (r != CEDE_OK && r != CEDE_ETIMEDOUT) return transfer_result(r);
        total += some;
        if (is_full) cedei_source_exhausted(source, CEDEI_WRITING, seen);
    }
    *moved = total;
    if (total == size) return CEDE_OK;
    cedei_mutex_lock(&stream->lock);
    stream->sides[CEDEI_WRITING].wanted = true;
    cedei_side_start(stream, CEDEI_WRITING);
    cedei_mutex_unlock(&stream->lock);
    return CEDE_OK;
}

static bool stream_call_soon(struct cedei_stream *stream) {
    struct cedei_worker *worker = cedei_side_worker(stream);
    if (worker == NULL || worker->home != stream->sides[CEDEI_WRITING].task.place) return false;
    cedei_mutex_lock(&stream->lock);
    stream->soon = true;
    if (!stream->sides[CEDEI_WRITING].runs) cedei_side_submit(stream, CEDEI_WRITING, worker);
    cedei_mutex_unlock(&stream->lock);
    return true;
}

static bool dial_end(struct cedei_stream *stream, uint64_t seen) {
    struct cedei_source *source = &stream->source;
    cede_result r = stream->dial_result;
    if (source->descriptor >= 0) {
        r = cedei_socket_connect_result(source->descriptor);
        if (r == CEDE_ETIMEDOUT) {
            cedei_source_exhausted(source, CEDEI_WRITING, seen);
            return false;
        }
        r = dial_result(r);
    }
    if (r == CEDE_OK && stream->is_ipc && !cedei_socket_peer_is_own_user(source->descriptor))
        r = CEDE_EACCES;
    stream->dialing = false;
    stream->events->connected(stream->context, r);
    return true;
}

static bool send_try(struct cedei_stream *stream, uint64_t seen, bool soon) {
    if (soon) {
        stream->events->soon(stream->context);
        return true;
    }
    if (stream->dialing) return dial_end(stream, seen);
    stream->events->sent(stream->context, CEDE_OK, 0); /* its user sends the rest again */
    return true;
}

static cede_result stream_dial(cede_system *system, const char *url,
                               const struct cedei_stream_events *events, void *context,
                               struct cedei_stream **out) {
    struct cedei_sched *sched = cedei_system_sched(system);
    struct cedei_stream *stream = NULL;
    struct cedei_address address;
    int socket = -1;
    bool pending = false;
    cede_result r = cedei_url_address(url, &address);
    if (r != CEDE_OK) return CEDE_EINVAL;
    cede_result connected = dial_result(cedei_socket_connect(&address, &socket, &pending));
    r = socket >= 0 ? stream_make(sched, socket, url_is_ipc(url), !pending, &stream)
                    : stream_take(sched, &stream);
    if (r != CEDE_OK) {
        if (socket >= 0) cedei_descriptor_close(socket);
        return r;
    }
    stream_bind(stream, events, context);
    stream->dial_result = connected;
    *out = stream; /* before the event, which may come on another thread */
    cedei_mutex_lock(&stream->lock);
    stream->dialing = true;
    stream->sides[CEDEI_WRITING].wanted = true;
    cedei_side_start(stream, CEDEI_WRITING);
    cedei_mutex_unlock(&stream->lock);
    return CEDE_OK;
}

/* ---- accepting ---- */

static void retry_fire(struct cedei_timer *timer, void *context) {
    struct cedei_stream *stream = CEDEI_CONTAINER_OF(timer, struct cedei_stream, retry);
    (void)context;
    cedei_mutex_lock(&stream->lock);
    stream->pausing = false;
    cedei_side_start(stream, CEDEI_READING);
    cedei_mutex_unlock(&stream->lock);
}

/* Anybody who can reach the path may connect: the kernel is asked who it is. */
static void accept_take(struct cedei_stream *listener, int socket) {
    struct cedei_stream *stream = NULL;
    bool welcome = !listener->is_ipc || cedei_socket_peer_is_own_user(socket);
    if (welcome && stream_make(listener->sched, socket, listener->is_ipc, true, &stream) == CEDE_OK)
        listener->accepted(listener->context, stream);
    else
        cedei_descriptor_close(socket);
}

static bool accept_try(struct cedei_stream *listener, uint64_t seen) {
    int socket = -1;
    switch (cedei_socket_accept(listener->source.descriptor, &socket)) {
    case CEDE_OK: accept_take(listener, socket); return true;
    case CEDE_ERESET: return true; /* whoever it was; the next one */
    case CEDE_ETIMEDOUT:
        cedei_source_exhausted(&listener->source, CEDEI_READING, seen);
        return false;
    default: break;
    }
    /* One bad accept must not end the listener. */
    cedei_mutex_lock(&listener->lock);
    listener->pausing = true;
    cedei_mutex_unlock(&listener->lock);
    cedei_sched_timer_add(listener->sched, &listener->retry, cedei_clock_now_ns() + ACCEPT_PAUSE_NS);
    return false;
}

bool cedei_side_try(struct cedei_stream *stream, enum cedei_direction which, uint64_t seen,
                    bool soon) {
    if (which == CEDEI_WRITING) return send_try(stream, seen, soon);
    return stream->accepted != NULL ? accept_try(stream, seen) : receive_try(stream, seen);
}

static cede_result listener_listen(cede_system *system, const char *url, cedei_accept_fn *accepted,
                                   void *context, struct cedei_listener **out) {
    struct cedei_address address;
    int socket = -1;
    bool is_ipc = url_is_ipc(url);
    if (cedei_url_address(url, &address) != CEDE_OK) return CEDE_EINVAL;
    cede_result r = is_ipc ? cedei_socket_listen_private(&address, &socket)
                           : cedei_socket_listen(&address, &socket);
    if (r != CEDE_OK) return listen_result(r);
    struct cedei_stream *stream = NULL;
    r = stream_make(cedei_system_sched(system), socket, is_ipc, false, &stream);
    if (r != CEDE_OK) {
        if (is_ipc) cedei_socket_unlink(socket);
        cedei_descriptor_close(socket);
        return listen_result(r);
    }
    stream->accepted = accepted;
    stream->context = context;
    stream->retry.fire = retry_fire;
    cedei_mutex_lock(&stream->lock);
    stream->sides[CEDEI_READING].wanted = true;
    cedei_side_start(stream, CEDEI_READING);
    cedei_mutex_unlock(&stream->lock);
    *out = (struct cedei_listener *)(void *)stream;
    return CEDE_OK;
}

static uint16_t listener_port(struct cedei_listener *listener) {
    uint16_t port = 0;
    return cedei_socket_port(listener->stream.source.descriptor, &port) == CEDE_OK ? port : 0;
}

static void listener_close(struct cedei_listener *listener) {
    if (listener == NULL) return;
    if (listener->stream.is_ipc) cedei_socket_unlink(listener->stream.source.descriptor);
    stream_destroy(&listener->stream);
}

/* ---- when no worker comes ---- */

static void stream_look(struct cedei_stream *stream) {
    cedei_mutex_lock(&stream->lock);
    for (enum cedei_direction which = CEDEI_READING; which <= CEDEI_WRITING; which++) {
        if (!stream->sides[which].wanted || stream->sides[which].runs) continue;
        cedei_source_suspect(&stream->source, which);
        cedei_side_run(stream, which);
    }
    cedei_mutex_unlock(&stream->lock);
}

const struct cedei_transport cedei_transport_reactor = {
    .listen = listener_listen,
    .listener_port = listener_port,
    .listener_close = listener_close,
    .dial = stream_dial,
    .bind = stream_bind,
    .describe = stream_describe,
    .recv = stream_recv,
    .send = stream_send,
    .call_soon = stream_call_soon,
    .look = stream_look,
    .close = stream_close,
    .destroy = stream_destroy,
};
