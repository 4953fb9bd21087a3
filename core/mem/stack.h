/* stack.h - the pool of stacks that turns run on: carved from large mappings, a guard page below each.
 * One pool per system, and a short list without a lock per worker in front of it. */
#ifndef CEDEI_MEM_STACK_H
#define CEDEI_MEM_STACK_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/annotate.h>
#include <cede/result.h>

#include "core/mem/context.h"
#include "core/sys/thread.h"

struct cedei_stack_region; /* one mapping */

/* Access: I = set at init; L = under `lock`; P = any thread, atomic. */
struct cedei_stack_pool {
    size_t spacing;     /* I: bytes from stack to stack, guard included */
    size_t region_size; /* I: bytes */
    cedei_mutex lock;
    struct cedei_stack *free;           /* L */
    struct cedei_stack_region *regions; /* L; read by the fault handler through `regions_published` */
    _Atomic(struct cedei_stack_region *) regions_published; /* P: newest; regions are only freed by fini */
    char *carve_next, *carve_end; /* L: what is left of the newest region */
    _Atomic uint64_t mapped;      /* P: stacks carved so far */
};

/* A worker's own few stacks. Access: the worker only. */
struct cedei_stack_cache {
    struct cedei_stack *free;
    uint32_t count;
};

void cedei_stack_pool_init(struct cedei_stack_pool *pool, size_t stack_size);
/* All stacks must be back or abandoned. */
void cedei_stack_pool_fini(struct cedei_stack_pool *pool);

/* A stack to prepare and run on; NULL with `*why` set when memory (CEDE_ENOMEM) or mappings (CEDE_ELIMIT) are short. */
struct cedei_stack *cedei_stack_take_slow(struct cedei_stack_pool *pool, cede_result *why);
static inline struct cedei_stack *cedei_stack_take(struct cedei_stack_pool *pool,
                                                   struct cedei_stack_cache *cache,
                                                   cede_result *why) {
    struct cedei_stack *stack = cache->free;
    if (CEDEI_UNLIKELY(stack == NULL)) return cedei_stack_take_slow(pool, why);
    cache->free = stack->next;
    cache->count--;
    return stack;
}

enum { CEDEI_STACK_CACHE_MAX = 32 };
void cedei_stack_give_slow(struct cedei_stack_pool *pool, struct cedei_stack *stack);
static inline void cedei_stack_give(struct cedei_stack_pool *pool, struct cedei_stack_cache *cache,
                                    struct cedei_stack *stack) {
    if (CEDEI_UNLIKELY(cache->count >= CEDEI_STACK_CACHE_MAX)) {
        cedei_stack_give_slow(pool, stack);
        return;
    }
    stack->next = cache->free;
    cache->free = stack;
    cache->count++;
}
/* For a stack that may be of another pool than the one that `cache` belongs to. */
static inline void cedei_stack_return(struct cedei_stack_pool *pool,
                                      struct cedei_stack_cache *cache, struct cedei_stack *stack) {
    if (stack->pool == pool)
        cedei_stack_give(pool, cache, stack);
    else
        cedei_stack_give_slow(stack->pool, stack);
}
/* Gives the cache's stacks back to the pool. */
void cedei_stack_cache_flush(struct cedei_stack_pool *pool, struct cedei_stack_cache *cache);

/* What the stacks of a pool have used since they were made, in whole pages. */
struct cedei_stack_use {
    uint64_t stacks, resident_bytes;
    uint64_t high_water_bytes; /* of the one that was used most */
};
/* A look at every page: takes milliseconds for thousands of stacks. CEDE_ENOMEM, CEDE_EIO. */
CEDE_NODISCARD cede_result cedei_stack_pool_measure(struct cedei_stack_pool *pool,
                                                    struct cedei_stack_use *out);

/* Whether `address` lies in the guard below one of the pool's stacks. Async-signal-safe. */
int cedei_stack_guard_hit(struct cedei_stack_pool *pool, const void *address);

#endif
