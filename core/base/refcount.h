/* refcount.h - counts the holders of something; whoever gives the last hold back frees it.
 * Invariants: (1) it is at least 1 while anybody may take a hold: one is taken only by somebody who has one; (2) exactly one
 * give is the last, and it happens after everything that any holder did before its own give. */
#ifndef CEDEI_BASE_REFCOUNT_H
#define CEDEI_BASE_REFCOUNT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/base.h"

struct cedei_refcount {
    _Atomic uint64_t count; /* P */
};

static inline void cedei_refcount_init(struct cedei_refcount *refs) {
    /* relaxed: not shared yet. */
    atomic_store_explicit(&refs->count, 1, memory_order_relaxed);
}

static inline void cedei_refcount_take(struct cedei_refcount *refs) {
    /* relaxed: the caller has a hold, so it is not 0 now; nothing is published by it. */
    uint64_t before = atomic_fetch_add_explicit(&refs->count, 1, memory_order_relaxed);
    CEDEI_ASSERT(before != 0);
    (void)before;
}

/* True: it was the last one. */
static inline bool cedei_refcount_give(struct cedei_refcount *refs) {
    /* acq_rel: pairs with itself in the other holders: what they did before they gave it back is over when the last frees. */
    uint64_t before = atomic_fetch_sub_explicit(&refs->count, 1, memory_order_acq_rel);
    CEDEI_ASSERT(before != 0);
    return before == 1;
}

#endif
