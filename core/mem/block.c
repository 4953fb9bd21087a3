/* block.c - size-class free lists for messages.
 * Owns every block that is not in use. Invariant: a list in a cache is not full; the depot holds batches of
 * exactly CEDEI_BLOCK_BATCH blocks, except those of a worker that ended. */
#include "core/mem/block.h"

#include <string.h>

#include "core/base/base.h"
#include "core/sys/alloc.h"
#include "core/sys/map.h"

/* A class starts with small chunks; from LARGE_FROM bytes on it grows by larger ones. */
enum {
    CHUNK_SMALL = 64 * 1024,
    CHUNK_LARGE = 2 * 1024 * 1024,
    LARGE_FROM = 512 * 1024,
    CHUNK_LEAD = 64
};

/* At the start of its chunk. */
struct cedei_block_chunk {
    struct cedei_block_chunk *next;
    void *memory; /* of a small chunk, as allocated; NULL: a mapping of CHUNK_LARGE */
};

static const uint16_t CLASS_SIZES[CEDEI_BLOCK_CLASSES] = {64,  128, 192,  256,  384,
                                                          512, 768, 1024, 1536, 2048};
const uint8_t cedei_block_class_of_lines[CEDEI_BLOCK_SIZE_MAX / 64 + 1] = {
    0, 0, 1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7,
    8, 8, 8, 8, 8, 8, 8, 8, 9, 9, 9, 9, 9, 9, 9, 9};

static uint32_t class_of(size_t size) { return cedei_block_class_of_lines[(size + 63) / 64]; }

size_t cedei_block_size_of(size_t size) {
    return size <= CEDEI_BLOCK_SIZE_MAX ? CLASS_SIZES[class_of(size)] : cedei_alloc_size_of(size);
}

void cedei_block_depot_init(struct cedei_block_depot *depot) {
    *depot = (struct cedei_block_depot){0};
    cedei_mutex_init(&depot->lock);
}

void cedei_block_depot_fini(struct cedei_block_depot *depot) {
    while (depot->chunks != NULL) {
        struct cedei_block_chunk *chunk = depot->chunks;
        depot->chunks = chunk->next;
        if (chunk->memory != NULL)
            cedei_free(chunk->memory);
        else
            cedei_map_release(chunk, CHUNK_LARGE);
    }
    cedei_mutex_fini(&depot->lock);
}

/* Under the lock. */
static bool chunk_add(struct cedei_block_depot *depot, uint32_t class_index) {
    size_t size = depot->carved[class_index] >= LARGE_FROM ? CHUNK_LARGE : CHUNK_SMALL;
    char *memory = NULL;
    uintptr_t start = 0;
    if (size == CHUNK_LARGE) {
        start = (uintptr_t)cedei_map_reserve(CHUNK_LARGE, CHUNK_LARGE);
    } else {
        memory = cedei_alloc(CHUNK_SMALL + CHUNK_LEAD);
        if (memory != NULL)
            start = ((uintptr_t)memory + CHUNK_LEAD - 1) & ~(uintptr_t)(CHUNK_LEAD - 1);
    }
    if (start == 0) return false;
    struct cedei_block_chunk *chunk = (struct cedei_block_chunk *)start;
    *chunk = (struct cedei_block_chunk){.next = depot->chunks, .memory = memory};
    depot->chunks = chunk;
    size_t room = (size - CHUNK_LEAD) / CLASS_SIZES[class_index] * CLASS_SIZES[class_index];
    depot->carve_next[class_index] = (char *)start + CHUNK_LEAD;
    depot->carve_end[class_index] = depot->carve_next[class_index] + room;
    depot->carved[class_index] += size;
    return true;
}

/* A batch is written into its own blocks: the first names up to GROUPS others, each of which names up to GROUP_SIZE. */
enum { GROUPS = 4, GROUP_SIZE = 8 };
struct cedei_block_batch {
    struct cedei_block_batch *next;
    uint64_t count;
    struct block_group *groups[GROUPS];
};
struct block_group {
    void *blocks[GROUP_SIZE];
};
_Static_assert(1 + GROUPS * (1 + GROUP_SIZE) >= CEDEI_BLOCK_BATCH, "a batch has room for itself");
_Static_assert(sizeof(struct cedei_block_batch) <= 64 && sizeof(struct block_group) <= 64,
               "what a batch writes fits into the smallest block");

static struct cedei_block_batch *batch_close(void *const *blocks, uint32_t count) {
    struct cedei_block_batch *batch = blocks[0];
    *batch = (struct cedei_block_batch){.count = count};
    struct block_group *group = NULL;
    for (uint32_t i = 1; i < count; i++) {
        uint32_t at = (i - 1) % (1 + GROUP_SIZE);
        if (at == 0)
            group = batch->groups[(i - 1) / (1 + GROUP_SIZE)] = blocks[i];
        else
            group->blocks[at - 1] = blocks[i];
    }
    return batch;
}

/* Returns how many blocks it wrote into `out`. They are on their way into the cache. */
static uint32_t batch_open(struct cedei_block_batch *batch, void **out) {
    uint32_t count = (uint32_t)batch->count;
    struct block_group *groups[GROUPS];
    memcpy(groups, batch->groups, sizeof groups);
    for (int i = 0; i < GROUPS; i++) cedei_prefetch_write(groups[i]);
    out[0] = batch;
    struct block_group *group = NULL;
    for (uint32_t i = 1; i < count; i++) {
        uint32_t at = (i - 1) % (1 + GROUP_SIZE);
        if (at == 0) {
            out[i] = group = groups[(i - 1) / (1 + GROUP_SIZE)];
        } else {
            out[i] = group->blocks[at - 1];
            cedei_prefetch_write(out[i]);
        }
    }
    return count;
}

/* A list of a cache, of whatever class. */
struct list {
    uint32_t *count;
    void **blocks;
    uint32_t room;
};

static struct list list_at(struct cedei_block_cache *cache, uint32_t class_index) {
    if (class_index == 0)
        return (struct list){&cache->small.count, cache->small.blocks, CEDEI_BLOCK_SMALL_MAX};
    struct cedei_block_list *list = &cache->lists[class_index - 1];
    return (struct list){&list->count, list->blocks, 2 * CEDEI_BLOCK_BATCH};
}

/* Under the lock: cuts at most a batch of new blocks into an empty list; the lowest is taken first. */
static void blocks_carve(struct cedei_block_depot *depot, uint32_t class_index, struct list list) {
    if (depot->carve_next[class_index] == depot->carve_end[class_index] &&
        !chunk_add(depot, class_index))
        return;
    size_t size = CLASS_SIZES[class_index];
    char *first = depot->carve_next[class_index];
    size_t room = (size_t)(depot->carve_end[class_index] - first) / size;
    uint32_t count = room < CEDEI_BLOCK_BATCH ? (uint32_t)room : CEDEI_BLOCK_BATCH;
    for (uint32_t i = 0; i < count; i++) list.blocks[i] = first + (count - 1 - i) * size;
    *list.count = count;
    depot->carve_next[class_index] = first + count * size;
}

/* Under the lock: moves the oldest `spill` blocks of the list to the depot. */
static void list_spill(struct cedei_block_depot *depot, uint32_t class_index, struct list list,
                       uint32_t spill) {
    for (uint32_t from = 0; from < spill; from += CEDEI_BLOCK_BATCH) {
        uint32_t count = spill - from < CEDEI_BLOCK_BATCH ? spill - from : CEDEI_BLOCK_BATCH;
        struct cedei_block_batch *batch = batch_close(list.blocks + from, count);
        batch->next = depot->batches[class_index];
        depot->batches[class_index] = batch;
    }
    *list.count -= spill;
    memmove(list.blocks, list.blocks + spill, *list.count * sizeof list.blocks[0]);
}

/* Under the lock: an empty list. */
static void list_refill(struct cedei_block_depot *depot, uint32_t class_index, struct list list) {
    struct cedei_block_batch *batch = depot->batches[class_index];
    if (batch == NULL) {
        blocks_carve(depot, class_index, list);
        return;
    }
    depot->batches[class_index] = batch->next;
    *list.count = batch_open(batch, list.blocks);
}

CEDEI_NOINLINE void *cedei_block_take_slow(struct cedei_block_depot *depot,
                                           struct cedei_block_cache *cache, size_t size) {
    if (CEDEI_SIM && !CEDEI_ASAN) /* whole lines, as those of the pool are */
        size = (size + CEDEI_CACHE_LINE - 1) / CEDEI_CACHE_LINE * CEDEI_CACHE_LINE;
    if (!cedei_block_is_pooled(size)) return cedei_alloc(size);
    uint32_t class_index = class_of(size);
    void *block = NULL;
    cedei_mutex_lock(&depot->lock);
    struct list list = list_at(cache != NULL ? cache : &depot->foreign, class_index);
    if (*list.count == 0) list_refill(depot, class_index, list);
    if (*list.count > 0) block = list.blocks[--*list.count];
    cedei_mutex_unlock(&depot->lock);
    return block;
}

CEDEI_NOINLINE void cedei_block_give_slow(struct cedei_block_depot *depot,
                                          struct cedei_block_cache *cache, void *block,
                                          size_t size) {
    if (!cedei_block_is_pooled(size)) {
        cedei_free(block);
        return;
    }
    uint32_t class_index = class_of(size);
    cedei_mutex_lock(&depot->lock);
    struct list list = list_at(cache != NULL ? cache : &depot->foreign, class_index);
    list.blocks[(*list.count)++] = block;
    if (*list.count == list.room) list_spill(depot, class_index, list, list.room / 2);
    cedei_mutex_unlock(&depot->lock);
}

void cedei_block_cache_flush(struct cedei_block_depot *depot, struct cedei_block_cache *cache) {
    cedei_mutex_lock(&depot->lock);
    for (uint32_t i = 0; i < CEDEI_BLOCK_CLASSES; i++) {
        struct list list = list_at(cache, i);
        list_spill(depot, i, list, *list.count);
    }
    cedei_mutex_unlock(&depot->lock);
}
