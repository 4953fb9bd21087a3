/* alloc.h - every allocation of Cede, so that tests and the simulator can make any of them fail.
 * Blocks come from malloc and are freed by cedei_free, whatever made them. */
#ifndef CEDEI_SYS_ALLOC_H
#define CEDEI_SYS_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/annotate.h>

#include "core/base/base.h"

/* A call for memory in the source, also for a mapping (map.h). Builds with tests, and the simulator, know each; the shipped
 * library none. */
struct cedei_alloc_site {
    const char *here; /* file:line */
    const char *function;
};
#ifndef CEDEI_ALLOC_SITES
#define CEDEI_ALLOC_SITES 0
#endif
#if CEDEI_ALLOC_SITES || CEDEI_SIM
#define CEDEI_ALLOC_SITE                                                                           \
    (__extension__({                                                                               \
        static const struct cedei_alloc_site cedei_site = {CEDEI_HERE, __func__};                  \
        &cedei_site;                                                                               \
    }))
#else
#define CEDEI_ALLOC_SITE ((const struct cedei_alloc_site *)0)
#endif

/* Uninitialised, aligned for any scalar; NULL when memory is short. Size 0 gives a block of its own. Any thread. */
#define cedei_alloc(size) cedei_alloc_by(CEDEI_ALLOC_SITE, size)
CEDE_NODISCARD void *cedei_alloc_by(const struct cedei_alloc_site *site, size_t size);
/* As cedei_alloc, all bytes zero. */
#define cedei_alloc_zeroed(size) cedei_alloc_zeroed_by(CEDEI_ALLOC_SITE, size)
CEDE_NODISCARD void *cedei_alloc_zeroed_by(const struct cedei_alloc_site *site, size_t size);
/* Uninitialised, at a multiple of `align`, a power of two. */
#define cedei_alloc_aligned(align, size) cedei_alloc_aligned_by(CEDEI_ALLOC_SITE, align, size)
CEDE_NODISCARD void *cedei_alloc_aligned_by(const struct cedei_alloc_site *site, size_t align,
                                            size_t size);
/* Keeps what fits of the content. NULL when memory is short: `block` is as it was. `block` NULL: as cedei_alloc. */
#define cedei_realloc(block, size) cedei_realloc_by(CEDEI_ALLOC_SITE, block, size)
CEDE_NODISCARD void *cedei_realloc_by(const struct cedei_alloc_site *site, void *block, size_t size);
/* NULL does nothing. */
void cedei_free(void *block);
/* How much memory such a block takes up, with what malloc (glibc's) puts in front of it. */
static inline size_t cedei_alloc_size_of(size_t size) {
    return size <= 24 ? 32 : (size + 8 + 15) / 16 * 16;
}
#if CEDEI_SIM
/* `block` is never freed, and that is meant. */
void cedei_alloc_keep(void *block);
#else
static inline void cedei_alloc_keep(void *block) { (void)block; }
#endif

/* For tests: lets `count` allocations succeed, then fails the next one (`once`) or all that follow. Restarts the count. */
void cedei_alloc_fail_after(uint64_t count, bool once);
/* The same for the calls in one function (of `file`, a path from the root) and no others, in builds that know their sites. With
 * CEDE_ALLOC_SITES=path in the environment, each place that failed so is added to that file (tests/fault/sites/sites.py). */
void cedei_alloc_fail_at(const char *file, const char *function, uint64_t count, bool once);
/* For map.c: whether that is so for a call at `site`. Mappings do not count for cedei_alloc_fail_after. */
CEDE_NODISCARD bool cedei_alloc_site_fails(const struct cedei_alloc_site *site);
/* Takes its part in that count, as an allocation does: true: behave as if memory were short. */
CEDE_NODISCARD bool cedei_alloc_fails(const struct cedei_alloc_site *site);
/* Ends either. Returns how many allocations were asked for since, of those that count. */
uint64_t cedei_alloc_fail_never(void);

#endif
