/* stream.c - reading and writing; see io.h. A call tries first when its direction is worth a try, and waits otherwise.
 * Invariant: nothing of the stack that a system call writes to is known to anybody while the turn is suspended, so a turn
 * can be killed in any wait. */
#include <string.h>

#include "actors/io/descriptor.h"
#include "core/sys/alloc.h"

enum { AHEAD_SIZE = 4096, PIECES_AT_ONCE = 16 };

/* The descriptor behind `stream`, if it may be used in this direction. */
CEDEI_INLINE cede_result stream_use(cede_self *self, struct cede_stream *stream,
                                    enum cede_direction which, const char *call,
                                    struct cedei_descriptor **out) {
    cede_result r = cedei_io_check(self, stream, &cede_type_cede_stream, call);
    if (CEDEI_UNLIKELY(r != CEDE_OK)) return r;
    if (CEDEI_UNLIKELY(stream->descriptor == NULL ||
                       (stream->half != 0 && stream->half != (uint32_t)which)))
        return CEDE_EINVAL;
    *out = stream->descriptor;
    return CEDE_OK;
}

/* ---- reading ---- */

/* Some bytes from the system; at least one. */
CEDEI_INLINE CEDE_YIELDS cede_result read_some(cede_self *self, struct cedei_descriptor *d,
                                               void *buffer, size_t size, size_t *got,
                                               struct cedei_patience *patience) {
    if (CEDEI_UNLIKELY(d->blocks)) {
        size_t moved = 0;
        cede_result r = cedei_blocking_read(self, d, buffer, size, &moved);
        if (r == CEDE_OK && moved == 0) return CEDE_ECLOSED;
        if (r == CEDE_OK) *got = moved;
        return r;
    }
    cedei_descriptor_tire(self, d, CEDEI_READING);
    for (;;) { /* each round ends it, or waits */
        uint64_t seen = cedei_source_look(&d->source, CEDEI_READING);
        if (cedei_worth_a_try(self, seen, patience)) {
            size_t moved = 0;
            bool exhausted = false;
            cede_result r = cedei_stream_read(d->source.descriptor, d->is_socket, buffer, size,
                                              &moved, &exhausted);
            if (CEDEI_LIKELY(r == CEDE_OK)) {
                if (CEDEI_UNLIKELY(moved == 0)) return CEDE_ECLOSED;
                cedei_count_add(&self->worker->counts.transfers, 1);
                if (exhausted && d->short_is_all && (seen & CEDEI_SOURCE_CLOSED) == 0)
                    cedei_source_exhausted(&d->source, CEDEI_READING, seen);
                *got = moved;
                return CEDE_OK;
            }
            if (r != CEDE_ETIMEDOUT) return r;
            cedei_source_exhausted(&d->source, CEDEI_READING, seen);
            continue;
        }
        cede_result r = cedei_descriptor_await(self, d, CEDEI_READING, patience);
        if (CEDEI_UNLIKELY(r != CEDE_OK)) return r;
    }
}

/* Out of what was read ahead. */
static size_t ahead_take(struct cedei_descriptor *d, void *buffer, size_t size) {
    size_t there = d->ahead_to - d->ahead_from;
    if (size > there) size = there;
    if (size == 0) return 0;
    memcpy(buffer, d->ahead + d->ahead_from, size);
    d->ahead_from += (uint32_t)size;
    if (d->ahead_from == d->ahead_to) d->ahead_from = d->ahead_to = 0;
    return size;
}

CEDE_YIELDS cede_result cede_read(cede_self *self, struct cede_stream *stream, void *buffer,
                                  size_t size, size_t *got, uint64_t timeout_ns) {
    struct cedei_descriptor *d = NULL;
    cede_result r = stream_use(self, stream, CEDE_READING, "cede_read", &d);
    if (CEDEI_UNLIKELY(r != CEDE_OK)) return r;
    if (buffer == NULL || size == 0 || got == NULL) return CEDE_EINVAL;
    if (CEDEI_UNLIKELY(d->ahead_to != 0)) {
        *got = ahead_take(d, buffer, size);
        return CEDE_OK;
    }
    struct cedei_patience patience = cedei_patience_of(timeout_ns);
    return read_some(self, d, buffer, size, got, &patience);
}

CEDE_YIELDS cede_result cede_read_exact(cede_self *self, struct cede_stream *stream, void *buffer,
                                        size_t size, uint64_t timeout_ns) {
    struct cedei_descriptor *d = NULL;
    cede_result r = stream_use(self, stream, CEDE_READING, "cede_read_exact", &d);
    if (r != CEDE_OK) return r;
    if (buffer == NULL && size != 0) return CEDE_EINVAL;
    struct cedei_patience patience = cedei_patience_of(timeout_ns);
    size_t done = d->ahead_to != 0 ? ahead_take(d, buffer, size) : 0;
    while (done < size) { /* each round adds a byte or more */
        size_t got = 0;
        r = read_some(self, d, (char *)buffer + done, size - done, &got, &patience);
        if (r != CEDE_OK) return r;
        done += got;
    }
    return CEDE_OK;
}

/* Room behind `ahead_to`, so that in all `size` bytes have a place. */
static bool ahead_reserve(struct cedei_descriptor *d, size_t size) {
    if (d->ahead_from > 0 && d->ahead_to == d->ahead_capacity) {
        memmove(d->ahead, d->ahead + d->ahead_from, d->ahead_to - d->ahead_from);
        d->ahead_to -= d->ahead_from;
        d->ahead_from = 0;
    }
    if (d->ahead_to < d->ahead_capacity) return true;
    size_t capacity = d->ahead_capacity == 0 ? AHEAD_SIZE : 2 * (size_t)d->ahead_capacity;
    if (capacity > size && size > d->ahead_capacity) capacity = size;
    if (capacity < AHEAD_SIZE) capacity = AHEAD_SIZE;
    if (capacity > UINT32_MAX / 2) return false;
    uint8_t *grown = cedei_realloc(d->ahead, capacity);
    if (grown == NULL) return false;
    d->ahead = grown;
    d->ahead_capacity = (uint32_t)capacity;
    return true;
}

CEDE_YIELDS cede_result cede_read_until(cede_self *self, struct cede_stream *stream, char delimiter,
                                        void *buffer, size_t size, size_t *got,
                                        uint64_t timeout_ns) {
    struct cedei_descriptor *d = NULL;
    cede_result r = stream_use(self, stream, CEDE_READING, "cede_read_until", &d);
    if (r != CEDE_OK) return r;
    if (buffer == NULL || size == 0 || got == NULL) return CEDE_EINVAL;
    struct cedei_patience patience = cedei_patience_of(timeout_ns);
    for (size_t looked = 0;;) { /* until the delimiter, or as many bytes as fit */
        size_t there = d->ahead_to - d->ahead_from, limit = there < size ? there : size;
        const uint8_t *start = there > 0 ? d->ahead + d->ahead_from : d->ahead; /* or NULL */
        const uint8_t *end = limit > looked
                                 ? memchr(start + looked, (unsigned char)delimiter, limit - looked)
                                 : NULL;
        if (end != NULL) {
            *got = ahead_take(d, buffer, (size_t)(end - start) + 1);
            return CEDE_OK;
        }
        if (limit == size) return CEDE_ETOOBIG;
        looked = limit;
        if (!ahead_reserve(d, size)) return CEDE_ENOMEM;
        size_t more = 0;
        r = read_some(self, d, d->ahead + d->ahead_to, d->ahead_capacity - d->ahead_to, &more,
                      &patience);
        if (r != CEDE_OK) return r;
        d->ahead_to += (uint32_t)more;
    }
}

/* ---- writing ---- */

/* At least one byte of the pieces, if they have any. */
CEDEI_INLINE CEDE_YIELDS cede_result write_some(cede_self *self, struct cedei_descriptor *d,
                                                const struct iovec *pieces, int count, size_t *put,
                                                struct cedei_patience *patience) {
    if (CEDEI_UNLIKELY(d->blocks))
        return cedei_blocking_write(self, d, pieces->iov_base, pieces->iov_len, put);
    cedei_descriptor_tire(self, d, CEDEI_WRITING);
    for (;;) { /* each round ends it, or waits */
        uint64_t seen = cedei_source_look(&d->source, CEDEI_WRITING);
        if (cedei_worth_a_try(self, seen, patience)) {
            bool exhausted = false;
            cede_result r = cedei_stream_write(d->source.descriptor, d->is_socket, pieces, count,
                                               put, &exhausted);
            if (CEDEI_LIKELY(r == CEDE_OK)) {
                cedei_count_add(&self->worker->counts.transfers, 1);
                if (exhausted && d->short_is_all && (seen & CEDEI_SOURCE_CLOSED) == 0)
                    cedei_source_exhausted(&d->source, CEDEI_WRITING, seen);
                return CEDE_OK;
            }
            if (r != CEDE_ETIMEDOUT) return r;
            cedei_source_exhausted(&d->source, CEDEI_WRITING, seen);
            continue;
        }
        cede_result r = cedei_descriptor_await(self, d, CEDEI_WRITING, patience);
        if (CEDEI_UNLIKELY(r != CEDE_OK)) return r;
    }
}

CEDE_YIELDS cede_result cede_write(cede_self *self, struct cede_stream *stream, const void *bytes,
                                   size_t size, uint64_t timeout_ns) {
    struct cedei_descriptor *d = NULL;
    cede_result r = stream_use(self, stream, CEDE_WRITING, "cede_write", &d);
    if (CEDEI_UNLIKELY(r != CEDE_OK)) return r;
    if (bytes == NULL && size != 0) return CEDE_EINVAL;
    struct cedei_patience patience = cedei_patience_of(timeout_ns);
    struct iovec piece = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    while (piece.iov_len > 0) { /* each round takes a byte or more off */
        size_t put = 0;
        r = write_some(self, d, &piece, 1, &put, &patience);
        if (CEDEI_UNLIKELY(r != CEDE_OK)) return r;
        piece.iov_base = (char *)piece.iov_base + put;
        piece.iov_len -= put;
    }
    return CEDE_OK;
}

/* What is left of the pieces after `done` bytes of the first; empty ones are left out. */
static int pieces_next(const struct cede_piece *pieces, size_t count, size_t done,
                       struct iovec *out) {
    int used = 0;
    for (size_t i = 0; i < count && used < PIECES_AT_ONCE; i++, done = 0) {
        if (pieces[i].size == done) continue;
        out[used].iov_base = (char *)(uintptr_t)pieces[i].bytes + done;
        out[used++].iov_len = pieces[i].size - done;
    }
    return used;
}

CEDE_YIELDS cede_result cede_write_pieces(cede_self *self, struct cede_stream *stream,
                                          const struct cede_piece *pieces, size_t count,
                                          uint64_t timeout_ns) {
    struct cedei_descriptor *d = NULL;
    struct iovec some[PIECES_AT_ONCE];
    cede_result r = stream_use(self, stream, CEDE_WRITING, "cede_write_pieces", &d);
    if (r != CEDE_OK) return r;
    if (pieces == NULL && count != 0) return CEDE_EINVAL;
    for (size_t i = 0; i < count; i++)
        if (pieces[i].bytes == NULL && pieces[i].size != 0) return CEDE_EINVAL;
    struct cedei_patience patience = cedei_patience_of(timeout_ns);
    size_t done = 0; /* of the first piece that is left */
    for (;;) {       /* each round takes a byte or more off */
        int used = pieces_next(pieces, count, done, some);
        if (used == 0) return CEDE_OK;
        size_t put = 0;
        r = write_some(self, d, some, used, &put, &patience);
        if (r != CEDE_OK) return r;
        put += done;
        while (count > 0 && put >= pieces->size) {
            put -= pieces->size;
            pieces++;
            count--;
        }
        done = put;
    }
}

/* ---- the two directions ---- */

cede_result cede_shutdown(cede_self *self, struct cede_stream *stream, enum cede_direction which) {
    cede_result r = cedei_io_check(self, stream, &cede_type_cede_stream, "cede_shutdown");
    if (r != CEDE_OK) return r;
    if (stream->descriptor == NULL || !stream->descriptor->is_socket) return CEDE_EINVAL;
    if (which < CEDE_READING || which > CEDE_BOTH) return CEDE_EINVAL;
    int how = which == CEDE_READING ? SHUT_RD : which == CEDE_WRITING ? SHUT_WR : SHUT_RDWR;
    return cedei_socket_shutdown(stream->descriptor->source.descriptor, how);
}

cede_result cede_stream_split(cede_self *self, struct cede_stream **stream,
                              struct cede_stream **reader, struct cede_stream **writer) {
    if (stream == NULL || reader == NULL || writer == NULL) return CEDE_EINVAL;
    cede_result r = cedei_io_check(self, *stream, &cede_type_cede_stream, "cede_stream_split");
    if (r != CEDE_OK) return r;
    struct cede_stream *whole = *stream;
    if (whole->descriptor == NULL || whole->half != 0) return CEDE_EINVAL;
    struct cede_stream *one = cede_new(self, cede_stream), *two = cede_new(self, cede_stream);
    if (one == NULL || two == NULL) {
        cede_drop(self, &one);
        cede_drop(self, &two);
        return CEDE_ENOMEM;
    }
    *one = (struct cede_stream){.descriptor = whole->descriptor, .half = CEDE_READING};
    *two = (struct cede_stream){.descriptor = whole->descriptor, .half = CEDE_WRITING};
    /* relaxed: both are ours until they are sent. */
    atomic_store_explicit(&whole->descriptor->refs, 2, memory_order_relaxed);
    whole->descriptor = NULL;
    cede_drop(self, stream);
    *reader = one;
    *writer = two;
    return CEDE_OK;
}
