/* file.c - files, and streams that block: each call is a job for the blocking pool, but for small reads of what is in memory;
 * see io.h.
 * A job owns all that it touches: its buffer, and a share of the file or descriptor. So the turn that waits for it can be
 * killed, and what the job then ends with is dropped where it ends. */
#include <string.h>

#include "actors/io/descriptor.h"
#include "core/sys/alloc.h"
#include "core/sys/file.h"

enum {
    TRANSFER_MAX = 1 << 20,
    CACHED_MAX = 1 << 16 /* a copy of about 10 us: short enough for a turn */
};

_Static_assert((int)CEDE_FILE_READ == CEDEI_FILE_READ && (int)CEDE_FILE_WRITE == CEDEI_FILE_WRITE &&
                   (int)CEDE_FILE_CREATE == CEDEI_FILE_CREATE &&
                   (int)CEDE_FILE_NEW == CEDEI_FILE_NEW &&
                   (int)CEDE_FILE_EMPTY == CEDEI_FILE_EMPTY &&
                   (int)CEDE_FILE_APPEND == CEDEI_FILE_APPEND &&
                   (int)CEDE_FILE_PRIVATE == CEDEI_FILE_PRIVATE,
               "core/sys does not include io.h");

/* Access: I; P = any thread, atomic. */
struct cedei_file {
    _Atomic uint32_t refs; /* P: the message, and the job that is under way */
    int number;            /* I */
    bool may_be_cached;    /* whoever uses the message: the system can say what is in memory */
    uint8_t streak;        /* the same: reads without a wait between them */
};

static void file_unref(struct cedei_file *file) {
    if (file == NULL) return;
    /* acq_rel: pairs with itself in the job: its call is done before the close. */
    if (atomic_fetch_sub_explicit(&file->refs, 1, memory_order_acq_rel) != 1) return;
    if (file->number >= 0) cedei_descriptor_close(file->number);
    cedei_free(file);
}

static void file_drop(struct cede_file *message) {
    file_unref(message->file);
    message->file = NULL;
}

CEDE_OPAQUE_MESSAGE_DEFINE(cede_file, file_drop);

/* ---- jobs ---- */

enum call_kind { CALL_OPEN, CALL_READ, CALL_WRITE, CALL_SYNC };

/* Owned by the turn, and by the job while it runs. */
struct io_call {
    enum call_kind kind;
    struct cedei_file *file;             /* a share; of CALL_OPEN the file that is to be opened */
    struct cedei_descriptor *descriptor; /* a share; NULL: it is `file` */
    uint8_t *buffer;                     /* of CALL_OPEN the path */
    size_t size, moved;                  /* bytes */
    uint64_t offset;                     /* bytes */
    uint32_t how;
    CEDE_MESSAGE_MARK;
};

static void io_call_drop(void *message) {
    struct io_call *call = message;
    cedei_free(call->buffer);
    file_unref(call->file);
    if (call->descriptor != NULL) cedei_descriptor_unref(call->descriptor);
}

static struct cede_type cede_type_io_call = {.name = "io_call",
                                             .size = sizeof(struct io_call),
                                             .align = _Alignof(struct io_call),
                                             .drop = io_call_drop,
                                             .owning = 1,
                                             .holds = CEDEI_HOLDS_OPAQUE};

static cede_result io_call_run(void *message) {
    struct io_call *call = message;
    int number = call->descriptor != NULL ? call->descriptor->source.descriptor : call->file->number;
    switch (call->kind) {
    case CALL_OPEN:
        return cedei_file_open((const char *)call->buffer, call->how, &call->file->number);
    case CALL_READ:
        return cedei_file_read(number, call->buffer, call->size, call->offset, &call->moved);
    case CALL_WRITE:
        return cedei_file_write(number, call->buffer, call->size, call->offset, &call->moved);
    case CALL_SYNC: return cedei_file_sync(number);
    }
    return CEDE_EINVAL;
}

/* With a copy of `bytes`, if there are any. */
static struct io_call *io_call_make(cede_self *self, enum call_kind kind, const void *bytes,
                                    size_t size) {
    struct io_call *call = cede_new(self, io_call);
    if (call == NULL) return NULL;
    call->kind = kind;
    call->size = size;
    call->buffer = size > 0 ? cedei_alloc(size) : NULL;
    if (size > 0 && call->buffer == NULL) cede_drop(self, &call);
    if (call != NULL && bytes != NULL && size > 0) memcpy(call->buffer, bytes, size);
    return call;
}

static void share_file(struct io_call *call, struct cedei_file *file) {
    /* relaxed: the caller holds a share. */
    atomic_fetch_add_explicit(&file->refs, 1, memory_order_relaxed);
    call->file = file;
}

static void share_descriptor(struct io_call *call, struct cedei_descriptor *descriptor) {
    /* relaxed: the caller holds a share. */
    atomic_fetch_add_explicit(&descriptor->refs, 1, memory_order_relaxed);
    call->descriptor = descriptor;
    call->offset = CEDEI_FILE_HERE;
}

/* ---- streams that block ---- */

CEDE_YIELDS cede_result cedei_blocking_read(cede_self *self, struct cedei_descriptor *descriptor,
                                            void *buffer, size_t size, size_t *moved) {
    if (size > TRANSFER_MAX) size = TRANSFER_MAX;
    struct io_call *call = io_call_make(self, CALL_READ, NULL, size);
    if (call == NULL) return CEDE_ENOMEM;
    share_descriptor(call, descriptor);
    cede_result r = cede_run_blocking(self, io_call_run, &call);
    if (r == CEDE_OK) {
        memcpy(buffer, call->buffer, call->moved);
        *moved = call->moved;
    }
    cede_drop(self, &call);
    return r;
}

CEDE_YIELDS cede_result cedei_blocking_write(cede_self *self, struct cedei_descriptor *descriptor,
                                             const void *bytes, size_t size, size_t *moved) {
    if (size > TRANSFER_MAX) size = TRANSFER_MAX;
    struct io_call *call = io_call_make(self, CALL_WRITE, bytes, size);
    if (call == NULL) return CEDE_ENOMEM;
    share_descriptor(call, descriptor);
    cede_result r = cede_run_blocking(self, io_call_run, &call);
    if (r == CEDE_OK) *moved = call->moved;
    cede_drop(self, &call);
    return r;
}

/* ---- files ---- */

static cede_result file_check(cede_self *self, struct cede_file *file, const char *call) {
    cede_result r = cedei_io_check(self, file, &cede_type_cede_file, call);
    return r == CEDE_OK && file->file == NULL ? CEDE_EINVAL : r;
}

static bool how_is_good(uint32_t how) {
    uint32_t all = 2 * CEDE_FILE_PRIVATE - 1;
    if ((how & ~all) != 0 || (how & (CEDE_FILE_READ | CEDE_FILE_WRITE)) == 0) return false;
    if ((how & CEDE_FILE_NEW) != 0 && (how & CEDE_FILE_CREATE) == 0) return false;
    uint32_t writing = CEDE_FILE_CREATE | CEDE_FILE_EMPTY | CEDE_FILE_APPEND;
    return (how & writing) == 0 || (how & CEDE_FILE_WRITE) != 0;
}

CEDE_YIELDS cede_result cede_file_open(cede_self *self, const char *path, uint32_t how,
                                       struct cede_file **out) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_file_open", "");
    if (path == NULL || out == NULL || !how_is_good(how)) return CEDE_EINVAL;
    struct cede_file *opened = cede_new(self, cede_file);
    struct io_call *call = io_call_make(self, CALL_OPEN, path, strlen(path) + 1);
    struct cedei_file *file = cedei_alloc_zeroed(sizeof *file);
    cede_result r = CEDE_ENOMEM;
    if (opened == NULL || call == NULL || file == NULL) {
        cedei_free(file);
        goto drop;
    }
    file->number = -1;
    opened->file = file;
    /* relaxed: nobody else knows it. */
    atomic_store_explicit(&file->refs, 1, memory_order_relaxed);
    share_file(call, file);
    call->how = how;
    r = cede_run_blocking(self, io_call_run, &call);
    if (r == CEDE_OK) {
        file->may_be_cached = true;
        *out = opened;
        opened = NULL;
    }
drop:
    cede_drop(self, &call);
    cede_drop(self, &opened);
    return r;
}

/* A read for which nothing has to be waited; gives way now and then all the same. */
static CEDE_YIELDS bool read_at_once(cede_self *self, struct cedei_file *file, uint64_t offset,
                                     void *buffer, size_t size, size_t *got) {
    if (size > CACHED_MAX || !file->may_be_cached) return false;
    if (!cedei_file_read_cached(file->number, buffer, size, offset, got, &file->may_be_cached))
        return false;
    if (++file->streak > CEDEI_STREAK_MAX) {
        file->streak = 0;
        cede_yield(self);
    }
    return true;
}

CEDE_YIELDS cede_result cede_file_read(cede_self *self, struct cede_file *file, uint64_t offset,
                                       void *buffer, size_t size, size_t *got) {
    cede_result r = file_check(self, file, "cede_file_read");
    if (r != CEDE_OK) return r;
    if (buffer == NULL || size == 0 || got == NULL || offset > INT64_MAX) return CEDE_EINVAL;
    if (read_at_once(self, file->file, offset, buffer, size, got)) return CEDE_OK;
    if (size > TRANSFER_MAX) size = TRANSFER_MAX;
    struct io_call *call = io_call_make(self, CALL_READ, NULL, size);
    if (call == NULL) return CEDE_ENOMEM;
    file->file->streak = 0;
    share_file(call, file->file);
    call->offset = offset;
    r = cede_run_blocking(self, io_call_run, &call);
    if (r == CEDE_OK) {
        memcpy(buffer, call->buffer, call->moved);
        *got = call->moved;
    }
    cede_drop(self, &call);
    return r;
}

/* At most TRANSFER_MAX bytes, in as many writes as it takes. */
static CEDE_YIELDS cede_result write_part(cede_self *self, struct cedei_file *file, uint64_t offset,
                                          const uint8_t *bytes, size_t size) {
    for (size_t done = 0; done < size;) { /* each round adds a byte or more */
        struct io_call *call = io_call_make(self, CALL_WRITE, bytes + done, size - done);
        if (call == NULL) return CEDE_ENOMEM;
        share_file(call, file);
        call->offset = offset + done;
        cede_result r = cede_run_blocking(self, io_call_run, &call);
        size_t moved = call->moved;
        cede_drop(self, &call);
        if (r != CEDE_OK) return r;
        if (moved == 0) return CEDE_EIO;
        done += moved;
    }
    return CEDE_OK;
}

CEDE_YIELDS cede_result cede_file_write(cede_self *self, struct cede_file *file, uint64_t offset,
                                        const void *bytes, size_t size) {
    cede_result r = file_check(self, file, "cede_file_write");
    if (r != CEDE_OK) return r;
    if ((bytes == NULL && size != 0) || offset > INT64_MAX || size > INT64_MAX - offset)
        return CEDE_EINVAL;
    const uint8_t *at = bytes;
    while (size > 0 && r == CEDE_OK) { /* each round takes a part off */
        size_t part = size < TRANSFER_MAX ? size : TRANSFER_MAX;
        r = write_part(self, file->file, offset, at, part);
        offset += part;
        at += part;
        size -= part;
    }
    return r;
}

CEDE_YIELDS cede_result cede_file_sync(cede_self *self, struct cede_file *file) {
    cede_result r = file_check(self, file, "cede_file_sync");
    if (r != CEDE_OK) return r;
    struct io_call *call = io_call_make(self, CALL_SYNC, NULL, 0);
    if (call == NULL) return CEDE_ENOMEM;
    share_file(call, file->file);
    r = cede_run_blocking(self, io_call_run, &call);
    cede_drop(self, &call);
    return r;
}
