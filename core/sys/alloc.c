/* alloc.c - malloc and free behind a counter that tests can arm.
 * Invariants: (1) unarmed, an allocation costs one relaxed load more than malloc; (2) armed, the count is exact over
 * all threads: each allocation takes one number, and the number alone decides whether it fails. */
#include "core/sys/alloc.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/base.h"

enum { FAULT_OFF = 0, FAULT_ONCE, FAULT_ONWARD };

static _Atomic(uint32_t) fault_mode; /* FAULT_*; written by the test only, while nothing else allocates */
static _Atomic(uint64_t) fault_after;
static _Atomic(uint64_t) fault_asked;

static _Atomic(const char *) fault_file; /* NULL: all calls count */
static _Atomic(const char *) fault_function;

static bool site_is(const struct cedei_alloc_site *site, const char *file, const char *function) {
    if (site == NULL) return false;
    const char *end = strrchr(site->here, ':');
    size_t length = strlen(file), all = end != NULL ? (size_t)(end - site->here) : 0;
    /* What is in front depends on the folder of the build. */
    return all >= length && memcmp(end - length, file, length) == 0 &&
           strcmp(site->function, function) == 0;
}

/* At once: what fails may end the process. */
static void site_write(const struct cedei_alloc_site *site) {
    const char *path = getenv("CEDE_ALLOC_SITES");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;
    if (file == NULL) return;
    fprintf(file, "%s\n", site->here);
    fclose(file);
}

CEDEI_NOINLINE static bool fault_hits(uint32_t mode, const struct cedei_alloc_site *site) {
    /* relaxed, all three: set before the mode that led here, by a test that had started no allocation yet. */
    const char *file = atomic_load_explicit(&fault_file, memory_order_relaxed);
    const char *function = atomic_load_explicit(&fault_function, memory_order_relaxed);
    uint64_t after = atomic_load_explicit(&fault_after, memory_order_relaxed);
    if (file != NULL && !site_is(site, file, function)) return false;
    /* relaxed: only the number matters; the read-modify-write alone makes it unique. */
    uint64_t number = atomic_fetch_add_explicit(&fault_asked, 1, memory_order_relaxed);
    bool hits = mode == FAULT_ONCE ? number == after : number >= after;
    if (hits && file != NULL) site_write(site);
    return hits;
}

static inline bool fault_due(const struct cedei_alloc_site *site) {
    /* acquire: pairs with the release in fault_arm, so that the count is seen with the mode. */
    uint32_t mode = atomic_load_explicit(&fault_mode, memory_order_acquire);
    return CEDEI_UNLIKELY(mode != FAULT_OFF) && fault_hits(mode, site);
}

/* malloc(0) may return NULL, which callers take for a failure. */
static inline size_t size_real(size_t size) { return size == 0 ? 1 : size; }

void *cedei_alloc_by(const struct cedei_alloc_site *site, size_t size) {
    return fault_due(site) ? NULL : malloc(size_real(size));
}

void *cedei_alloc_zeroed_by(const struct cedei_alloc_site *site, size_t size) {
    return fault_due(site) ? NULL : calloc(1, size_real(size));
}

void *cedei_alloc_aligned_by(const struct cedei_alloc_site *site, size_t align, size_t size) {
    void *block = NULL;
    if (fault_due(site)) return NULL;
    if (align < sizeof(void *)) align = sizeof(void *);
    return posix_memalign(&block, align, size_real(size)) == 0 ? block : NULL;
}

void *cedei_realloc_by(const struct cedei_alloc_site *site, void *block, size_t size) {
    return fault_due(site) ? NULL : realloc(block, size_real(size));
}

void cedei_free(void *block) { free(block); }

bool cedei_alloc_fails(const struct cedei_alloc_site *site) { return fault_due(site); }

static void fault_arm(const char *file, const char *function, uint64_t count, bool once) {
    /* relaxed, all four: published by the release below. */
    atomic_store_explicit(&fault_file, file, memory_order_relaxed);
    atomic_store_explicit(&fault_function, function, memory_order_relaxed);
    atomic_store_explicit(&fault_asked, 0, memory_order_relaxed);
    atomic_store_explicit(&fault_after, count, memory_order_relaxed);
    /* release: pairs with the acquire in fault_due; publishes what counts. */
    atomic_store_explicit(&fault_mode, once ? FAULT_ONCE : FAULT_ONWARD, memory_order_release);
}

void cedei_alloc_fail_after(uint64_t count, bool once) { fault_arm(NULL, NULL, count, once); }

void cedei_alloc_fail_at(const char *file, const char *function, uint64_t count, bool once) {
    fault_arm(file, function, count, once);
}

bool cedei_alloc_site_fails(const struct cedei_alloc_site *site) {
    /* acquire: as in fault_due. */
    uint32_t mode = atomic_load_explicit(&fault_mode, memory_order_acquire);
    if (CEDEI_LIKELY(mode == FAULT_OFF)) return false;
    /* relaxed: as in fault_hits. */
    return atomic_load_explicit(&fault_file, memory_order_relaxed) != NULL && fault_hits(mode, site);
}

uint64_t cedei_alloc_fail_never(void) {
    /* relaxed: switching off publishes nothing; the caller has joined or quietened the threads that it tests. */
    atomic_store_explicit(&fault_mode, FAULT_OFF, memory_order_relaxed);
    /* relaxed: as above. */
    return atomic_load_explicit(&fault_asked, memory_order_relaxed);
}
