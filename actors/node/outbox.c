/* outbox.c - frames waiting to be sent over one link; see outbox.h.
 * Owns the chunks. Invariants: (1) a frame gets its number when it is added, and lanes are sent first in, first out, so
 * numbers leave in order; (2) a chunk that is being sent is on no lane and grows no more; (3) `bytes` is the sum of
 * size - sent over all chunks. */
#include <string.h>

#include "actors/node/outbox.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"

void cedei_outbox_init(struct cedei_outbox *outbox) {
    memset(outbox, 0, sizeof *outbox);
    outbox->chunk_size = CEDEI_CHUNK_SIZE_HANDSHAKE;
}

static void chunks_free(struct cedei_chunk *chunk) {
    while (chunk != NULL) {
        struct cedei_chunk *next = chunk->next;
        cedei_free(chunk);
        chunk = next;
    }
}

void cedei_outbox_fini(struct cedei_outbox *outbox) {
    for (int lane = 0; lane < CEDEI_LANE_COUNT; lane++) chunks_free(outbox->lanes[lane].first);
    chunks_free(outbox->sending);
    chunks_free(outbox->spare);
    memset(outbox, 0, sizeof *outbox);
}

static struct cedei_chunk *chunk_alloc(size_t capacity) {
    struct cedei_chunk *chunk = cedei_alloc(sizeof *chunk + capacity);
    if (chunk == NULL) return NULL;
    memset(chunk, 0, sizeof *chunk);
    chunk->capacity = capacity;
    return chunk;
}

/* For frames that share it, the first of `whole` bytes. */
static struct cedei_chunk *shared_chunk_take(struct cedei_outbox *outbox, size_t whole) {
    struct cedei_chunk *chunk = outbox->spare;
    if (chunk == NULL || chunk->capacity < whole)
        return chunk_alloc(whole > outbox->chunk_size ? whole : outbox->chunk_size);
    outbox->spare = NULL;
    return chunk;
}

/* One is kept, since a link that is used needs the next one soon, and the C library tidies its whole heap when so large a block is
 * freed. */
static void chunk_give(struct cedei_outbox *outbox, struct cedei_chunk *chunk) {
    if (outbox->spare != NULL || chunk->capacity != CEDEI_CHUNK_SIZE) {
        cedei_free(chunk);
        return;
    }
    chunk->size = chunk->sent = 0;
    outbox->spare = chunk;
}

struct cedei_chunk *cedei_chunk_create(size_t body_size) {
    struct cedei_chunk *chunk = chunk_alloc(CEDEI_FRAME_HEADER_SIZE + body_size);
    if (chunk != NULL) chunk->size = chunk->capacity;
    return chunk;
}

static void lane_append(struct cedei_outbox *outbox, enum cedei_lane lane,
                        struct cedei_chunk *chunk) {
    if (outbox->lanes[lane].last == NULL) {
        outbox->lanes[lane].first = chunk;
    } else {
        outbox->lanes[lane].last->next = chunk;
    }
    outbox->lanes[lane].last = chunk;
}

static void frame_begin(struct cedei_outbox *outbox, enum cedei_frame_type type, uint8_t *at,
                        size_t body_size) {
    enum cedei_lane lane = cedei_frame_lane(type);
    struct cedei_frame header = {.size = (uint32_t)body_size,
                                 .type = (uint8_t)type,
                                 .flags = cedei_frame_flags(type),
                                 .sequence = outbox->lanes[lane].sequence++};
    cedei_frame_write(&header, at);
    outbox->bytes += CEDEI_FRAME_HEADER_SIZE + body_size;
}

uint8_t *cedei_outbox_add(struct cedei_outbox *outbox, enum cedei_frame_type type, size_t size) {
    enum cedei_lane lane = cedei_frame_lane(type);
    size_t whole = CEDEI_FRAME_HEADER_SIZE + size;
    struct cedei_chunk *chunk = outbox->lanes[lane].last;
    if (chunk == NULL || chunk->capacity - chunk->size < whole) {
        chunk = shared_chunk_take(outbox, whole);
        if (chunk == NULL) return NULL;
        lane_append(outbox, lane, chunk);
    }
    uint8_t *at = chunk->bytes + chunk->size;
    chunk->size += whole;
    frame_begin(outbox, type, at, size);
    return at + CEDEI_FRAME_HEADER_SIZE;
}

void cedei_outbox_add_chunk(struct cedei_outbox *outbox, enum cedei_frame_type type,
                            struct cedei_chunk *chunk) {
    lane_append(outbox, cedei_frame_lane(type), chunk);
    frame_begin(outbox, type, chunk->bytes, chunk->size - CEDEI_FRAME_HEADER_SIZE);
}

struct cedei_chunk *cedei_outbox_next(struct cedei_outbox *outbox) {
    for (int lane = 0; outbox->sending == NULL && lane < CEDEI_LANE_COUNT; lane++) {
        struct cedei_chunk *chunk = outbox->lanes[lane].first;
        if (chunk == NULL) continue;
        outbox->lanes[lane].first = chunk->next;
        if (chunk->next == NULL) outbox->lanes[lane].last = NULL;
        chunk->next = NULL;
        outbox->sending = chunk;
    }
    return outbox->sending;
}

void cedei_outbox_sent(struct cedei_outbox *outbox, size_t size) {
    struct cedei_chunk *chunk = outbox->sending;
    CEDEI_CHECK(chunk != NULL && size <= chunk->size - chunk->sent);
    chunk->sent += size;
    outbox->bytes -= size;
    if (chunk->sent < chunk->size) return;
    outbox->sending = NULL;
    chunk_give(outbox, chunk);
}
