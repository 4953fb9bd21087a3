/* stack.c - carves stacks from mappings of 16 MiB, hands them out and takes them back.
 * Layout of one: [guard page][usable bytes, growing down][struct cedei_stack][0 to 31 cache lines]. The description sits near the
 * top so that an idle stack costs one touched page. The lines above it differ from stack to stack: stacks are a power of two
 * apart, so without them the tops of all would share a few sets of the processor's caches, and some 12 turns that are suspended would push
 * each other out. Invariant: a stack is in exactly one place: a cache, the pool, a running worker,
 * or a suspended actor. */
#include "core/mem/stack.h"

#include <stdbool.h>

#include "core/base/base.h"
#include "core/sys/alloc.h"
#include "core/sys/map.h"

enum { REGION_STACKS_MIN = 16, SHIFTS = 32 };
#define REGION_SIZE ((size_t)16 << 20)

/* At the start of a mapping of its own, so that the stacks' spacing stays a power of two. */
struct cedei_stack_region {
    struct cedei_stack_region *next;
    char *base;
    size_t size;
};

/* `base`: a multiple of the spacing. */
static struct cedei_stack *stack_at(const struct cedei_stack_pool *pool, char *base) {
    size_t shift = (uintptr_t)base / pool->spacing % SHIFTS;
    char *top = base + pool->spacing - shift * CEDEI_CACHE_LINE;
    return (struct cedei_stack *)(void *)(top - sizeof(struct cedei_stack));
}

void cedei_stack_pool_init(struct cedei_stack_pool *pool, size_t stack_size) {
    *pool = (struct cedei_stack_pool){.spacing = stack_size};
    pool->region_size = REGION_SIZE;
    if (pool->region_size < stack_size * REGION_STACKS_MIN)
        pool->region_size = stack_size * REGION_STACKS_MIN;
    cedei_mutex_init(&pool->lock);
}

static void stack_region_release(struct cedei_stack_pool *pool, struct cedei_stack_region *region,
                                 char *carved_end) {
    for (char *base = region->base; base < carved_end; base += pool->spacing)
        cedei_context_fini(stack_at(pool, base));
    cedei_map_release(region->base, region->size);
    cedei_map_release(region, cedei_page_size());
}

void cedei_stack_pool_fini(struct cedei_stack_pool *pool) {
    char *carved_end = pool->carve_next;
    while (pool->regions != NULL) {
        struct cedei_stack_region *region = pool->regions;
        pool->regions = region->next;
        stack_region_release(pool, region, carved_end);
        if (pool->regions != NULL) carved_end = pool->regions->base + pool->regions->size;
    }
    cedei_mutex_fini(&pool->lock);
}

static cede_result stack_region_add(struct cedei_stack_pool *pool) {
    struct cedei_stack_region *region = cedei_map_reserve(cedei_page_size(), cedei_page_size());
    if (region == NULL) return CEDE_ENOMEM;
    char *base = cedei_map_reserve(pool->region_size, pool->spacing);
    if (base == NULL) {
        cedei_map_release(region, cedei_page_size());
        return CEDE_ENOMEM;
    }
    *region =
        (struct cedei_stack_region){.next = pool->regions, .base = base, .size = pool->region_size};
    pool->regions = region;
    /* release: pairs with the acquire load in cedei_stack_guard_hit; publishes the region's fields. */
    atomic_store_explicit(&pool->regions_published, region, memory_order_release);
    pool->carve_next = base;
    pool->carve_end = base + pool->region_size;
    return CEDE_OK;
}

/* Under the lock. */
static cede_result stack_carve(struct cedei_stack_pool *pool, struct cedei_stack **out) {
    cede_result r = CEDE_OK;
    if (pool->carve_next == pool->carve_end && (r = stack_region_add(pool)) != CEDE_OK) return r;
    char *base = pool->carve_next;
    size_t guard = cedei_page_size();
    if ((r = cedei_map_guard(base, guard)) != CEDE_OK) return r;
    pool->carve_next = base + pool->spacing;
    /* relaxed: a metric. */
    atomic_fetch_add_explicit(&pool->mapped, 1, memory_order_relaxed);
    *out = stack_at(pool, base);
    return CEDE_OK;
}

/* Without the lock: touches the stack's first page, which takes the kernel longer than all the rest. */
static void stack_describe(struct cedei_stack_pool *pool, struct cedei_stack *stack) {
    uintptr_t inside = (uintptr_t)stack & (pool->spacing - 1);
    stack->low = (char *)stack - inside + cedei_page_size();
    stack->size = (size_t)((char *)stack - stack->low);
    stack->pool = pool;
    cedei_context_init(stack);
}

struct cedei_stack *cedei_stack_take_slow(struct cedei_stack_pool *pool, cede_result *why) {
    struct cedei_stack *stack = NULL;
    cedei_mutex_lock(&pool->lock);
    bool is_new = pool->free == NULL;
    if (is_new) {
        *why = stack_carve(pool, &stack);
    } else {
        stack = pool->free;
        pool->free = stack->next;
    }
    cedei_mutex_unlock(&pool->lock);
    if (is_new && stack != NULL) stack_describe(pool, stack);
    return stack;
}

void cedei_stack_give_slow(struct cedei_stack_pool *pool, struct cedei_stack *stack) {
    cedei_mutex_lock(&pool->lock);
    stack->next = pool->free;
    pool->free = stack;
    cedei_mutex_unlock(&pool->lock);
}

void cedei_stack_cache_flush(struct cedei_stack_pool *pool, struct cedei_stack_cache *cache) {
    cedei_mutex_lock(&pool->lock);
    while (cache->free != NULL) {
        struct cedei_stack *stack = cache->free;
        cache->free = stack->next;
        stack->next = pool->free;
        pool->free = stack;
    }
    cache->count = 0;
    cedei_mutex_unlock(&pool->lock);
}

/* Adds the stacks of one region, which ends at `carved_end`, to `out`. `pages`: a byte for each page of the region. */
static void region_measure(struct cedei_stack_pool *pool, struct cedei_stack_region *region,
                           const char *carved_end, const unsigned char *pages,
                           struct cedei_stack_use *out) {
    size_t page = cedei_page_size();
    for (char *base = region->base; base < carved_end; base += pool->spacing) {
        size_t first = (size_t)(base - region->base) / page, count = pool->spacing / page;
        size_t deepest = 0;
        out->stacks++;
        for (size_t i = 0; i < count; i++) {
            if ((pages[first + i] & 1) == 0) continue;
            out->resident_bytes += page;
            if (deepest == 0) deepest = pool->spacing - i * page;
        }
        if (deepest > out->high_water_bytes) out->high_water_bytes = deepest;
    }
}

cede_result cedei_stack_pool_measure(struct cedei_stack_pool *pool, struct cedei_stack_use *out) {
    *out = (struct cedei_stack_use){0};
    unsigned char *pages = cedei_alloc(pool->region_size / cedei_page_size());
    if (pages == NULL) return CEDE_ENOMEM;
    cede_result r = CEDE_OK;
    cedei_mutex_lock(&pool->lock);
    const char *carved_end = pool->carve_next;
    for (struct cedei_stack_region *region = pool->regions; region != NULL && r == CEDE_OK;
         region = region->next) {
        r = cedei_map_resident(region->base, region->size, pages);
        if (r == CEDE_OK) region_measure(pool, region, carved_end, pages, out);
        if (region->next != NULL) carved_end = region->next->base + region->next->size;
    }
    cedei_mutex_unlock(&pool->lock);
    cedei_free(pages);
    return r;
}

int cedei_stack_guard_hit(struct cedei_stack_pool *pool, const void *address) {
    uintptr_t at = (uintptr_t)address;
    /* acquire: pairs with the release in stack_region_add. */
    struct cedei_stack_region *region =
        atomic_load_explicit(&pool->regions_published, memory_order_acquire);
    for (; region != NULL; region = region->next) {
        uintptr_t base = (uintptr_t)region->base;
        if (at < base || at >= base + region->size) continue;
        return (at - base) % pool->spacing < cedei_page_size();
    }
    return false;
}
