/* part.c - parts of messages: small ones from a depot of their own, larger ones from lists of free blocks, the largest from malloc.
 * Owns what is free of them for as long as the process lives: a part outlives the system of the actor that made it, if a plain
 * thread holds it. Invariant: in front of a part that is in use stand its size and LIVE, in builds that pool blocks; in the
 * others, which watch each by itself, it is malloc's with nothing in front. A guarded part has a record in guard.c instead. */
#include "core/mem/part.h"

#include <stdbool.h>
#include <string.h>

#include "core/sys/guard.h"
#include "core/sys/map.h"
#include "core/sys/thread.h"

struct head {
    size_t size; /* of head and part, as it was asked for */
    uint64_t mark;
};
_Static_assert(sizeof(struct head) == 16, "parts are aligned to that");

/* Blocks of 3, 4, 6, 8 .. 64 KiB, freed ones by class. To copy what is put into one takes longer than the lock. */
enum { LARGE_CLASSES = 10, LARGE_MIN = 3072, LARGE_MAX = 65536, REGION_SIZE = 2 * 1024 * 1024 };

static bool is_large(size_t size) { return size > CEDEI_BLOCK_SIZE_MAX && size <= LARGE_MAX; }

static size_t large_size(uint32_t class_index) {
    return (size_t)(class_index % 2 == 0 ? LARGE_MIN : LARGE_MIN / 3 * 4) << class_index / 2;
}

static uint32_t large_class_of(size_t size) {
    uint32_t class_index = 0;
    while (large_size(class_index) < size) class_index++;
    return class_index;
}

/* The same in all builds, though some have no head. */
size_t cedei_part_size_of(size_t size) {
    size += sizeof(struct head);
    return is_large(size) ? large_size(large_class_of(size)) : cedei_block_size_of(size);
}

static void *plain_make(const struct cedei_alloc_site *site, size_t size, bool is_zeroed);
/* `part` is not NULL. */
static void *plain_resize(const struct cedei_alloc_site *site, void *part, size_t size);
static void plain_end(void *part);

#if !CEDEI_ASAN && !CEDEI_SIM
_Static_assert(CEDEI_BLOCKS_POOLED, "as it is asked here");

#define LIVE ((uint64_t)0x70617274206c6976)
#define DEAD ((uint64_t)0x7061727420646561)

static struct cedei_block_depot depot = {.lock = CEDEI_MUTEX_INITIALIZER};

/* Read by block_take and block_give alone, which do not yield and are not put into code that does. */
static __thread struct cedei_block_cache *own_cache;

CEDEI_NOINLINE void cedei_part_cache_set(struct cedei_block_cache *cache) { own_cache = cache; }

void cedei_part_cache_flush(struct cedei_block_cache *cache) {
    cedei_block_cache_flush(&depot, cache);
}

CEDEI_NOINLINE static void *block_take(size_t size) {
    return cedei_block_take(&depot, own_cache, size);
}

CEDEI_NOINLINE static void block_give(void *block, size_t size) {
    cedei_block_give(&depot, own_cache, block, size);
}

/* ---- larger ones ---- */

struct free_block {
    struct free_block *next;
};

/* Access: under `lock`. */
static struct {
    cedei_mutex lock;
    struct free_block *free[LARGE_CLASSES];
    char *next, *end; /* of the newest region: what was never given out, and takes no memory yet */
} large = {.lock = CEDEI_MUTEX_INITIALIZER};

/* Under the lock. What is left of the region before is less than a block, and stays untouched. */
static void *large_carve(size_t size) {
    if ((size_t)(large.end - large.next) < size) {
        char *region = cedei_map_reserve(REGION_SIZE, CEDEI_CACHE_LINE);
        if (region == NULL) return NULL;
        large.next = region;
        large.end = region + REGION_SIZE;
    }
    void *block = large.next;
    large.next += size;
    return block;
}

static void *large_take(size_t size) {
    uint32_t class_index = large_class_of(size);
    cedei_mutex_lock(&large.lock);
    struct free_block *block = large.free[class_index];
    if (block != NULL)
        large.free[class_index] = block->next;
    else
        block = large_carve(large_size(class_index));
    cedei_mutex_unlock(&large.lock);
    return block;
}

static void large_give(void *memory, size_t size) {
    uint32_t class_index = large_class_of(size);
    struct free_block *block = memory;
    cedei_mutex_lock(&large.lock);
    block->next = large.free[class_index];
    large.free[class_index] = block;
    cedei_mutex_unlock(&large.lock);
}

/* ---- head and part ---- */

static bool is_pooled(size_t size) { return size <= LARGE_MAX; }

/* Blocks that were there already count as calls for memory too: a test can have any part refused. */
static struct head *head_make(const struct cedei_alloc_site *site, size_t size, bool is_zeroed) {
    if (!is_pooled(size))
        return is_zeroed ? cedei_alloc_zeroed_by(site, size) : cedei_alloc_by(site, size);
    if (cedei_alloc_fails(site)) return NULL;
    struct head *head = is_large(size) ? large_take(size) : block_take(size);
    if (head != NULL && is_zeroed) memset(head, 0, size);
    return head;
}

static struct head *head_of(void *part) {
    struct head *head = (struct head *)part - 1;
    if (CEDEI_UNLIKELY(head->mark != LIVE))
        cedei_fatal("cede: the text, bytes or list at %p in a message was not made by Cede's "
                    "calls, or it was dropped already",
                    part);
    return head;
}

static void *part_begin(struct head *head, size_t size) {
    if (head == NULL) return NULL;
    *head = (struct head){.size = size, .mark = LIVE};
    return head + 1;
}

static void *plain_make(const struct cedei_alloc_site *site, size_t size, bool is_zeroed) {
    if (size > SIZE_MAX - sizeof(struct head)) return NULL;
    size += sizeof(struct head);
    return part_begin(head_make(site, size, is_zeroed), size);
}

static void *plain_resize(const struct cedei_alloc_site *site, void *part, size_t size) {
    struct head *head = head_of(part);
    size_t before = head->size - sizeof *head;
    if (size > SIZE_MAX - sizeof *head) return NULL;
    if (!is_pooled(head->size) && !is_pooled(size + sizeof *head))
        return part_begin(cedei_realloc_by(site, head, size + sizeof *head), size + sizeof *head);
    void *other = plain_make(site, size, false);
    if (other == NULL) return NULL;
    memcpy(other, part, before < size ? before : size);
    plain_end(part);
    return other;
}

static void plain_end(void *part) {
    struct head *head = head_of(part);
    head->mark = DEAD;
    if (!is_pooled(head->size))
        cedei_free(head);
    else if (is_large(head->size))
        large_give(head, head->size);
    else
        block_give(head, head->size);
}

#else

void cedei_part_cache_set(struct cedei_block_cache *cache) { (void)cache; }

void cedei_part_cache_flush(struct cedei_block_cache *cache) { (void)cache; }

static void *plain_make(const struct cedei_alloc_site *site, size_t size, bool is_zeroed) {
    return is_zeroed ? cedei_alloc_zeroed_by(site, size) : cedei_alloc_by(site, size);
}

static void *plain_resize(const struct cedei_alloc_site *site, void *part, size_t size) {
    return cedei_realloc_by(site, part, size);
}

static void plain_end(void *part) { cedei_free(part); }

#endif

void *cedei_part_take_by(const struct cedei_alloc_site *site, size_t size) {
    void *guarded = cedei_guard_take(size);
    return guarded != NULL ? guarded : plain_make(site, size, false);
}

void *cedei_part_take_zeroed_by(const struct cedei_alloc_site *site, size_t size) {
    void *guarded = cedei_guard_take(size); /* zero: no page is used twice */
    return guarded != NULL ? guarded : plain_make(site, size, true);
}

static void *guarded_resize(const struct cedei_alloc_site *site, void *part, size_t size) {
    size_t before = cedei_guard_size(part);
    if (cedei_alloc_fails(site)) return NULL;
    void *other = cedei_part_take_by(site, size);
    if (other == NULL) return NULL;
    memcpy(other, part, before < size ? before : size);
    cedei_guard_bury(part);
    return other;
}

void *cedei_part_resize_by(const struct cedei_alloc_site *site, void *part, size_t size) {
    if (part == NULL) return cedei_part_take_by(site, size);
    return cedei_guard_has(part) ? guarded_resize(site, part, size) : plain_resize(site, part, size);
}

void cedei_part_give(void *part) {
    if (part == NULL) return;
    cedei_guard_note_malloc(part);
    if (cedei_guard_has(part))
        cedei_guard_bury(part);
    else
        plain_end(part);
}
