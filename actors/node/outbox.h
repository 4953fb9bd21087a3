/* outbox.h - frames waiting to be sent over one link, in two lanes that are numbered separately: control goes first,
 * data keeps its order. Small frames share a chunk, so that one system call sends many. Not thread-safe. */
#ifndef CEDEI_NODE_OUTBOX_H
#define CEDEI_NODE_OUTBOX_H

#include <stddef.h>
#include <stdint.h>

#include "actors/node/wire.h"

struct cedei_chunk {
    struct cedei_chunk *next;
    size_t capacity; /* of `bytes` */
    size_t size;     /* bytes filled */
    size_t sent;     /* bytes that left already */
    uint8_t bytes[];
};

struct cedei_outbox {
    struct {
        struct cedei_chunk *first, *last;
        uint64_t sequence; /* of the next frame */
    } lanes[CEDEI_LANE_COUNT];
    struct cedei_chunk *sending; /* handed out by next, not yet done with */
    struct cedei_chunk *spare;   /* a shared chunk that has left, for the next one; or NULL */
    size_t bytes;                /* waiting or being sent, both lanes */
    size_t chunk_size;           /* capacity of the next shared chunk */
};

/* Bytes of frames that share a chunk at most; larger frames have one of their own. */
#define CEDEI_CHUNK_SIZE (64u * 1024u)
/* Before the handshake is done: nobody gets 64 KiB for connecting. */
#define CEDEI_CHUNK_SIZE_HANDSHAKE 512u
#define CEDEI_CHUNK_OWN_MIN (16u * 1024u)

void cedei_outbox_init(struct cedei_outbox *outbox);
void cedei_outbox_fini(struct cedei_outbox *outbox);
/* Appends a frame and returns where its body of `size` bytes is to be written, before the next call; NULL: no memory. */
uint8_t *cedei_outbox_add(struct cedei_outbox *outbox, enum cedei_frame_type type, size_t size);
/* A chunk for one frame, to be filled behind its header and then given to add_chunk; or to cedei_free. */
struct cedei_chunk *cedei_chunk_create(size_t body_size);
void cedei_outbox_add_chunk(struct cedei_outbox *outbox, enum cedei_frame_type type,
                            struct cedei_chunk *chunk);
/* What to send next, control first: the unsent rest of one chunk; NULL when empty. The same until it has all left. */
struct cedei_chunk *cedei_outbox_next(struct cedei_outbox *outbox);
/* `size` bytes of what next gave have left. */
void cedei_outbox_sent(struct cedei_outbox *outbox, size_t size);

#endif
