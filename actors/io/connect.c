/* connect.c - listeners and connections; see io.h. */
#include "actors/io/descriptor.h"

/* How long a listener waits when there is no descriptor left for a connection, and how long somebody who connects waits
 * when a Unix listener's queue is full: neither is told of the end of the shortage. */
#define ACCEPT_PAUSE_NS 50000000u
#define CONNECT_PAUSE_NS 1000000u

enum { IO_TCP = CEDEI_IO_SOCKET | CEDEI_IO_SHORT_IS_ALL, IO_UNIX = CEDEI_IO_SOCKET };

/* ---- listening ---- */

static cede_result listener_make(cede_self *self, const struct cedei_address *address,
                                 uint32_t flags, struct cede_listener **out) {
    int number = -1;
    struct cede_listener *listener = cede_new(self, cede_listener);
    if (listener == NULL) return CEDE_ENOMEM;
    cede_result r =
        cedei_is_draining(self->system) ? CEDE_ECLOSED : cedei_socket_listen(address, &number);
    if (r == CEDE_OK) r = cedei_descriptor_open(self->system, number, flags, &listener->descriptor);
    if (r == CEDE_OK)
        *out = listener;
    else
        cede_drop(self, &listener);
    return r;
}

cede_result cede_tcp_listen(cede_self *self, const char *address, uint16_t port,
                            struct cede_listener **out) {
    struct cedei_address native;
    if (self == NULL) return CEDE_ECONTEXT;
    if (address == NULL || out == NULL) return CEDE_EINVAL;
    cede_result r = cedei_address_of_ip(&native, address, port);
    return r == CEDE_OK ? listener_make(self, &native, IO_TCP, out) : r;
}

cede_result cede_unix_listen(cede_self *self, const char *path, struct cede_listener **out) {
    struct cedei_address native;
    if (self == NULL) return CEDE_ECONTEXT;
    if (path == NULL || out == NULL) return CEDE_EINVAL;
    cede_result r = cedei_address_of_path(&native, path);
    return r == CEDE_OK ? listener_make(self, &native, IO_UNIX, out) : r;
}

uint16_t cede_listener_port(cede_self *self, struct cede_listener *listener) {
    uint16_t port = 0;
    if (cedei_io_check(self, listener, &cede_type_cede_listener, "cede_listener_port") != CEDE_OK ||
        listener->descriptor == NULL)
        return 0;
    return cedei_socket_port(listener->descriptor->source.descriptor, &port) == CEDE_OK ? port : 0;
}

/* No descriptor or no memory for a connection that is there: says so once, and waits. */
static CEDE_YIELDS cede_result accept_pause(cede_self *self, struct cedei_descriptor *d,
                                            cede_result why, struct cedei_patience *patience) {
    if (!d->has_complained)
        cedei_log(
            self->system, CEDE_LOG_WARNING,
            "cede_accept in actor '%s': a connection has to wait: %s; trying again every %u ms",
            self->behaviour->name, cede_result_text(why), ACCEPT_PAUSE_NS / 1000000u);
    d->has_complained = true;
    cede_result r = cedei_io_pause(self, ACCEPT_PAUSE_NS, patience);
    return r == CEDE_ETIMEDOUT ? why : r;
}

CEDE_YIELDS cede_result cede_accept(cede_self *self, struct cede_listener *listener,
                                    struct cede_stream **out, uint64_t timeout_ns) {
    cede_result r = cedei_io_check(self, listener, &cede_type_cede_listener, "cede_accept");
    if (r != CEDE_OK) return r;
    struct cedei_descriptor *d = listener->descriptor;
    if (d == NULL || out == NULL) return CEDE_EINVAL;
    struct cedei_patience patience = cedei_patience_of(timeout_ns);
    cedei_descriptor_tire(self, d, CEDEI_READING);
    for (;;) { /* each round ends it, waits, or takes a broken connection off the queue */
        int number = -1;
        uint64_t seen = cedei_source_look(&d->source, CEDEI_READING);
        if (!cedei_worth_a_try(self, seen, &patience)) {
            r = cedei_descriptor_await(self, d, CEDEI_READING, &patience);
            if (r != CEDE_OK) return r;
            continue;
        }
        if (cedei_is_draining(self->system)) return CEDE_ECLOSED;
        r = cedei_socket_accept(d->source.descriptor, &number);
        if (r == CEDE_OK) {
            d->has_complained = false;
            return cedei_stream_make(self, number, d->short_is_all ? IO_TCP : IO_UNIX, out);
        }
        if (r == CEDE_ETIMEDOUT) {
            cedei_source_exhausted(&d->source, CEDEI_READING, seen);
        } else if (r == CEDE_ELIMIT || r == CEDE_ENOMEM) {
            r = accept_pause(self, d, r, &patience);
            if (r != CEDE_OK) return r;
        } else if (r != CEDE_ERESET) {
            return r;
        }
    }
}

/* ---- connecting ---- */

/* Waits until the connection stands. An event that was another descriptor's may wake us too soon. */
static CEDE_YIELDS cede_result connect_finish(cede_self *self, struct cedei_descriptor *d,
                                              struct cedei_patience *patience) {
    for (;;) { /* each round ends it, or waits */
        uint64_t seen = cedei_source_look(&d->source, CEDEI_WRITING);
        if (cedei_worth_a_try(self, seen, patience)) {
            cede_result r = cedei_socket_connect_result(d->source.descriptor);
            if (r != CEDE_ETIMEDOUT) return r;
            cedei_source_exhausted(&d->source, CEDEI_WRITING, seen);
            continue;
        }
        cede_result r = cedei_descriptor_await(self, d, CEDEI_WRITING, patience);
        if (r != CEDE_OK) return r;
    }
}

static CEDE_YIELDS cede_result connect_to(cede_self *self, const struct cedei_address *address,
                                          uint32_t flags, struct cede_stream **out,
                                          uint64_t timeout_ns) {
    int number = -1;
    bool pending = false;
    struct cede_stream *stream = NULL;
    struct cedei_patience patience = cedei_patience_of(timeout_ns);
    cede_result r = cedei_socket_connect(address, &number, &pending);
    while (r == CEDE_ETIMEDOUT) { /* each round waits */
        if ((r = cedei_io_pause(self, CONNECT_PAUSE_NS, &patience)) != CEDE_OK) return r;
        r = cedei_socket_connect(address, &number, &pending);
    }
    if (r != CEDE_OK) return r;
    r = cedei_stream_make(self, number, flags | (pending ? CEDEI_IO_CONNECTING : 0u), &stream);
    if (r == CEDE_OK && pending) r = connect_finish(self, stream->descriptor, &patience);
    if (r == CEDE_OK)
        *out = stream;
    else
        cede_drop(self, &stream);
    return r;
}

CEDE_YIELDS cede_result cede_tcp_connect(cede_self *self, const char *address, uint16_t port,
                                         struct cede_stream **out, uint64_t timeout_ns) {
    struct cedei_address native;
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_tcp_connect", "");
    if (address == NULL || out == NULL) return CEDE_EINVAL;
    cede_result r = cedei_address_of_ip(&native, address, port);
    return r == CEDE_OK ? connect_to(self, &native, IO_TCP, out, timeout_ns) : r;
}

CEDE_YIELDS cede_result cede_unix_connect(cede_self *self, const char *path,
                                          struct cede_stream **out, uint64_t timeout_ns) {
    struct cedei_address native;
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_unix_connect", "");
    if (path == NULL || out == NULL) return CEDE_EINVAL;
    cede_result r = cedei_address_of_path(&native, path);
    return r == CEDE_OK ? connect_to(self, &native, IO_UNIX, out, timeout_ns) : r;
}
