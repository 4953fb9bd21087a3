/* block.h - blocks for messages: size classes, a free list per worker, and a depot that moves them in batches.
 * A block that is freed on another worker than it came from costs that worker nothing: lists that grow long are handed
 * to the depot by the batch. A list is an array of addresses, and a batch can be opened with three accesses one after the
 * other, not one per block: what another worker has written last is far away, but many such lines can be fetched at once. Under AddressSanitizer every block comes from malloc, so that a late use is reported. */
#ifndef CEDEI_MEM_BLOCK_H
#define CEDEI_MEM_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/base.h"
#include "core/sys/thread.h"

enum { CEDEI_BLOCK_CLASSES = 10, CEDEI_BLOCK_SIZE_MAX = 2048, CEDEI_BLOCK_BATCH = 32 };
enum { CEDEI_BLOCK_SMALL = 64, CEDEI_BLOCK_SMALL_MAX = 256 };

/* Free blocks, last given first taken. More of the smallest: most messages are of that size, and the 256 that one actor sends before
 * it gives way come from the depot and go back to it by the batch otherwise, when the receiver has handled them. */
struct cedei_block_list {
    uint32_t count;
    void *blocks[2 * CEDEI_BLOCK_BATCH];
};
struct cedei_block_small_list {
    uint32_t count;
    void *blocks[CEDEI_BLOCK_SMALL_MAX];
};

struct cedei_block_batch; /* in the depot */

/* Access: its worker only. */
struct cedei_block_cache {
    struct cedei_block_small_list small;
    struct cedei_block_list lists[CEDEI_BLOCK_CLASSES - 1]; /* of the classes from 1 on */
};

/* Access: under `lock`. */
struct cedei_block_depot {
    cedei_mutex lock;
    struct cedei_block_batch *batches[CEDEI_BLOCK_CLASSES];
    char *carve_next[CEDEI_BLOCK_CLASSES],
        *carve_end[CEDEI_BLOCK_CLASSES]; /* what is left of the newest chunk */
    size_t carved[CEDEI_BLOCK_CLASSES];  /* bytes of all chunks */
    struct cedei_block_cache foreign;    /* for threads that are no workers */
    struct cedei_block_chunk *chunks;    /* what the blocks were carved from */
};

void cedei_block_depot_init(struct cedei_block_depot *depot);
void cedei_block_depot_fini(struct cedei_block_depot *depot);

/* The long ways: the depot, sizes that are not pooled, threads that are no workers. */
void *cedei_block_take_slow(struct cedei_block_depot *depot, struct cedei_block_cache *cache,
                            size_t size);
void cedei_block_give_slow(struct cedei_block_depot *depot, struct cedei_block_cache *cache,
                           void *block, size_t size);

/* Class by size in cache lines, rounded up. */
extern const uint8_t cedei_block_class_of_lines[CEDEI_BLOCK_SIZE_MAX / 64 + 1];

/* Not where each block is to be watched, or to fail, by itself. */
enum { CEDEI_BLOCKS_POOLED = !CEDEI_ASAN && !CEDEI_SIM };

static inline bool cedei_block_is_pooled(size_t size) {
    return CEDEI_BLOCKS_POOLED && size <= CEDEI_BLOCK_SIZE_MAX;
}

/* For sizes over CEDEI_BLOCK_SMALL. */
static inline struct cedei_block_list *cedei_block_list_of(struct cedei_block_cache *cache,
                                                           size_t size) {
    return &cache->lists[cedei_block_class_of_lines[(size + 63) / 64] - 1];
}

/* Uninitialised, aligned to 16 bytes (64 for sizes up to CEDEI_BLOCK_SIZE_MAX); NULL when memory is short.
 * cache NULL: a thread that is no worker. */
CEDEI_INLINE void *cedei_block_take(struct cedei_block_depot *depot,
                                    struct cedei_block_cache *cache, size_t size) {
    if (CEDEI_LIKELY(cache != NULL && cedei_block_is_pooled(size))) {
        if (CEDEI_LIKELY(size <= CEDEI_BLOCK_SMALL)) {
            struct cedei_block_small_list *small = &cache->small;
            if (CEDEI_LIKELY(small->count != 0)) return small->blocks[--small->count];
        } else {
            struct cedei_block_list *list = cedei_block_list_of(cache, size);
            if (CEDEI_LIKELY(list->count != 0)) return list->blocks[--list->count];
        }
    }
    return cedei_block_take_slow(depot, cache, size);
}

/* `size` as it was taken. */
CEDEI_INLINE void cedei_block_give(struct cedei_block_depot *depot, struct cedei_block_cache *cache,
                                   void *block, size_t size) {
    if (CEDEI_LIKELY(cache != NULL && cedei_block_is_pooled(size))) {
        if (CEDEI_LIKELY(size <= CEDEI_BLOCK_SMALL)) {
            struct cedei_block_small_list *small = &cache->small;
            if (CEDEI_LIKELY(small->count + 1 < CEDEI_BLOCK_SMALL_MAX)) {
                small->blocks[small->count++] = block;
                return;
            }
        } else {
            struct cedei_block_list *list = cedei_block_list_of(cache, size);
            if (CEDEI_LIKELY(list->count + 1 < 2 * CEDEI_BLOCK_BATCH)) {
                list->blocks[list->count++] = block;
                return;
            }
        }
    }
    cedei_block_give_slow(depot, cache, block, size);
}

/* How much memory a block of `size` bytes takes up. */
size_t cedei_block_size_of(size_t size);

void cedei_block_cache_flush(struct cedei_block_depot *depot, struct cedei_block_cache *cache);

#endif
