/* alloc.c - malloc and free behind a counter that tests can arm.
 * Invariants: (1) unarmed, an allocation costs one relaxed load more than malloc; (2) armed, the count is exact over
 * all threads: each allocation takes one number, and the number alone decides whether it fails. */
#include "core/sys/alloc.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/base.h"

#undef cedei_alloc
#undef cedei_alloc_zeroed
#undef cedei_alloc_aligned
#undef cedei_realloc

enum { FAULT_OFF = 0, FAULT_ONCE, FAULT_ONWARD };

static _Atomic(uint32_t) fault_mode; /* FAULT_*; written by the test only, while nothing else allocates */
static _Atomic(uint64_t) fault_after;
static _Atomic(uint64_t) fault_asked;

#if CEDEI_CHECKS
enum { SITES_MAX = 256 };
static __thread const char *alloc_here; /* of the call that comes next; never kept over a yield */
static _Atomic(const char *) sites[SITES_MAX];

void cedei_alloc_note(const char *here) { alloc_here = here; }

static void site_remember(void) {
    for (int i = 0; i < SITES_MAX; i++) {
        const char *none = NULL;
        /* relaxed: a literal, which needs no publication. */
        if (atomic_compare_exchange_strong_explicit(&sites[i], &none, alloc_here,
                                                    memory_order_relaxed, memory_order_relaxed) ||
            none == alloc_here)
            return;
    }
}

__attribute__((destructor)) static void sites_write(void) {
    const char *path = getenv("CEDE_ALLOC_SITES");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;
    if (file == NULL) return;
    for (int i = 0; i < SITES_MAX; i++) {
        /* relaxed: as above. */
        const char *here = atomic_load_explicit(&sites[i], memory_order_relaxed);
        if (here != NULL) fprintf(file, "%s\n", here);
    }
    fclose(file);
}
#else
static inline void site_remember(void) {}
#endif

CEDEI_NOINLINE static bool fault_hits(uint32_t mode) {
    /* relaxed: only the number matters; the read-modify-write alone makes it unique. */
    uint64_t number = atomic_fetch_add_explicit(&fault_asked, 1, memory_order_relaxed);
    /* relaxed: set before the mode that led here, by a test that had started no allocation yet. */
    uint64_t after = atomic_load_explicit(&fault_after, memory_order_relaxed);
    bool hits = mode == FAULT_ONCE ? number == after : number >= after;
    if (hits) site_remember();
    return hits;
}

static inline bool fault_due(void) {
    /* acquire: pairs with the release in cedei_alloc_fail_after, so that the count is seen with the mode. */
    uint32_t mode = atomic_load_explicit(&fault_mode, memory_order_acquire);
    return CEDEI_UNLIKELY(mode != FAULT_OFF) && fault_hits(mode);
}

/* malloc(0) may return NULL, which callers take for a failure. */
static inline size_t size_real(size_t size) { return size == 0 ? 1 : size; }

void *cedei_alloc(size_t size) { return fault_due() ? NULL : malloc(size_real(size)); }

void *cedei_alloc_zeroed(size_t size) { return fault_due() ? NULL : calloc(1, size_real(size)); }

void *cedei_alloc_aligned(size_t align, size_t size) {
    void *block = NULL;
    if (fault_due()) return NULL;
    if (align < sizeof(void *)) align = sizeof(void *);
    return posix_memalign(&block, align, size_real(size)) == 0 ? block : NULL;
}

#if CEDEI_GUARDS
static void *guarded_realloc(void *block, size_t size) {
    size_t before = cedei_guard_size(block);
    void *other = cedei_guard_take(size);
    if (other == NULL) other = malloc(size_real(size));
    if (other == NULL) return NULL;
    memcpy(other, block, before < size ? before : size);
    cedei_guard_bury(block);
    return other;
}
#else
static void *guarded_realloc(void *block, size_t size) {
    (void)size;
    return block;
}
#endif

void *cedei_realloc(void *block, size_t size) {
    if (fault_due()) return NULL;
    return cedei_guard_has(block) ? guarded_realloc(block, size) : realloc(block, size_real(size));
}

void cedei_free(void *block) {
    cedei_guard_note_malloc(block);
    if (cedei_guard_has(block))
        cedei_guard_bury(block);
    else
        free(block);
}

void cedei_alloc_fail_after(uint64_t count, bool once) {
    /* relaxed, both: published by the release below. */
    atomic_store_explicit(&fault_asked, 0, memory_order_relaxed);
    /* relaxed: as above. */
    atomic_store_explicit(&fault_after, count, memory_order_relaxed);
    /* release: pairs with the acquire in fault_due; publishes both counts. */
    atomic_store_explicit(&fault_mode, once ? FAULT_ONCE : FAULT_ONWARD, memory_order_release);
}

uint64_t cedei_alloc_fail_never(void) {
    /* relaxed: switching off publishes nothing; the caller has joined or quietened the threads that it tests. */
    atomic_store_explicit(&fault_mode, FAULT_OFF, memory_order_relaxed);
    /* relaxed: as above. */
    return atomic_load_explicit(&fault_asked, memory_order_relaxed);
}
