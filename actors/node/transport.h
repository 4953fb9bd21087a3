/* transport.h - byte streams to other processes, behind one table: our own reactor's, nng's, or a simulator's.
 * A stream has at most one receive and one send under way. Every recv and dial is answered by exactly one call of the
 * matching event, every send that did not move everything as well, on a thread of the transport, never from within the
 * call that started it. Of one stream at most one `received` runs at a time, and at most one of the others. */
#ifndef CEDEI_NODE_TRANSPORT_H
#define CEDEI_NODE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/result.h>
#include <cede/system.h>

#define CEDEI_URL_SIZE 128u

struct cedei_address;
struct cedei_stream;
struct cedei_listener;

/* What a stream tells its user. A result other than CEDE_OK means that the stream is of no more use: CEDE_ECLOSED the
 * peer or we closed it, CEDE_EACCES the peer runs as another user, CEDE_ENODE nobody listens there, CEDE_EIO,
 * CEDE_ENOMEM, CEDE_ELIMIT descriptors. */
struct cedei_stream_events {
    void (*connected)(void *context, cede_result result); /* answers dial */
    void (*received)(void *context, cede_result result,
                     size_t size); /* answers recv; size > 0 on CEDE_OK */
    void (*sent)(void *context, cede_result result,
                 size_t size);   /* answers send: so many more bytes have left, perhaps none */
    void (*soon)(void *context); /* answers call_soon */
};

/* Somebody connected: `stream` is the callee's, which binds, closes and destroys it. */
typedef void cedei_accept_fn(void *context, struct cedei_stream *stream);

struct cedei_transport {
    /* Listens on `url`. `accepted` may be called before this returns.
     * CEDE_EEXIST address in use, CEDE_EACCES, CEDE_EINVAL malformed, CEDE_ENOMEM, CEDE_ELIMIT, CEDE_EIO. */
    cede_result (*listen)(cede_system *system, const char *url, cedei_accept_fn *accepted,
                          void *context, struct cedei_listener **out);
    /* The port that the listener is bound to; 0 if it has none. */
    uint16_t (*listener_port)(struct cedei_listener *listener);
    /* Ends the listener; no `accepted` runs any more when it returns. Not from an event. NULL does nothing. */
    void (*listener_close)(struct cedei_listener *listener);

    /* Makes a stream that connects to `url`. */
    cede_result (*dial)(cede_system *system, const char *url,
                        const struct cedei_stream_events *events, void *context,
                        struct cedei_stream **out);
    /* Says who gets the events of an accepted stream; before its first recv or send. */
    void (*bind)(struct cedei_stream *stream, const struct cedei_stream_events *events,
                 void *context);
    /* Who is at the other end, as text for logs. */
    void (*describe)(struct cedei_stream *stream, char *text, size_t size);
    void (*recv)(struct cedei_stream *stream, void *bytes, size_t size);
    /* `*moved`: how much of it has left already; if it is all, no event follows. Not CEDE_OK: neither does one, and the
     * stream is of no more use. */
    cede_result (*send)(struct cedei_stream *stream, const void *bytes, size_t size, size_t *moved);
    /* Has `soon` run on this thread as soon as what it does now is over. False: this thread is none of the transport's.
     * NULL: none is. Not again before it has run. */
    bool (*call_soon)(struct cedei_stream *stream);
    /* Sees to what has come for the stream, on the calling thread, which need not wait for those of the transport then; not
     * from an event. NULL: the transport's own threads always come. */
    void (*look)(struct cedei_stream *stream);
    /* Breaks the connection: what is under way ends with CEDE_ECLOSED. Any thread, also from an event; again is fine. */
    void (*close)(struct cedei_stream *stream);
    /* Waits for events that run, then frees. Not from an event, not holding a lock that an event takes. NULL: nothing. */
    void (*destroy)(struct cedei_stream *stream);
};

/* ipc:// and tcp:// on the system's reactor: no thread but workers. */
extern const struct cedei_transport cedei_transport_reactor;
/* What nng has a stream for: abstract:// and ws://, of what cedei_url_check lets pass; ipc:// and tcp:// as well. */
extern const struct cedei_transport cedei_transport_nng;

/* The one that an URL which cedei_url_check lets pass is for. */
const struct cedei_transport *cedei_transport_of(const char *url);
/* Writes `url` with the port that the system chose, unless that is 0. */
void cedei_url_write(const char *url, uint16_t port, char *out, size_t size);
/* Where an ipc:// or tcp:// URL is. CEDE_EINVAL, CEDE_ETOOBIG. */
cede_result cedei_url_address(const char *url, struct cedei_address *out);
/* CEDE_OK: an URL of this machine. CEDE_EINVAL: none that we know; CEDE_EACCES: it leaves the machine. */
cede_result cedei_url_check(const char *url);

#endif
