/* alloc.h - every allocation of Cede, so that tests and the simulator can make any of them fail.
 * Blocks come from malloc and are freed by cedei_free, whatever made them. */
#ifndef CEDEI_SYS_ALLOC_H
#define CEDEI_SYS_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/annotate.h>

#include "core/base/base.h"
#include "core/sys/guard.h"

/* Uninitialised, aligned for any scalar; NULL when memory is short. Size 0 gives a block of its own. Any thread. */
CEDE_NODISCARD void *cedei_alloc(size_t size);
/* As cedei_alloc, all bytes zero. */
CEDE_NODISCARD void *cedei_alloc_zeroed(size_t size);
/* Uninitialised, at a multiple of `align`, a power of two. */
CEDE_NODISCARD void *cedei_alloc_aligned(size_t align, size_t size);
/* Keeps what fits of the content. NULL when memory is short: `block` is as it was. `block` NULL: as cedei_alloc. */
CEDE_NODISCARD void *cedei_realloc(void *block, size_t size);
/* NULL does nothing. */
void cedei_free(void *block);
#if CEDEI_SIM
/* `block` is never freed, and that is meant. */
void cedei_alloc_keep(void *block);
#else
static inline void cedei_alloc_keep(void *block) { (void)block; }
#endif

#if CEDEI_CHECKS || CEDEI_SIM
/* Checking builds remember which calls failed: with CEDE_ALLOC_SITES=file in the environment, the process adds their places
 * to the file at its end (tests/fault/sites.py looks for calls that no test makes fail). The simulator names by it what
 * is left over. */
void cedei_alloc_note(const char *here);
#define cedei_alloc(size) (cedei_alloc_note(CEDEI_HERE), cedei_alloc(size))
#define cedei_alloc_zeroed(size) (cedei_alloc_note(CEDEI_HERE), cedei_alloc_zeroed(size))
#define cedei_alloc_aligned(align, size)                                                           \
    (cedei_alloc_note(CEDEI_HERE), cedei_alloc_aligned(align, size))
#define cedei_realloc(block, size) (cedei_alloc_note(CEDEI_HERE), cedei_realloc(block, size))
#endif

/* What a message owns: in strict mode of checking builds from cedei_guard_take. cedei_realloc and cedei_free take both. */
#if CEDEI_GUARDS
#define cedei_alloc_data(size)                                                                     \
    (__extension__({                                                                               \
        void *cedei_guarded = cedei_guard_take(size);                                              \
        cedei_guarded != NULL ? cedei_guarded : cedei_alloc(size);                                 \
    }))
#define cedei_alloc_zeroed_data(size)                                                              \
    (__extension__({                                                                               \
        void *cedei_guarded = cedei_guard_take(size); /* zero: no page is used twice */            \
        cedei_guarded != NULL ? cedei_guarded : cedei_alloc_zeroed(size);                          \
    }))
#else
#define cedei_alloc_data(size) cedei_alloc(size)
#define cedei_alloc_zeroed_data(size) cedei_alloc_zeroed(size)
#endif

/* For tests: lets `count` allocations succeed, then fails the next one (`once`) or all that follow. Restarts the count. */
void cedei_alloc_fail_after(uint64_t count, bool once);
/* Ends it. Returns how many allocations were asked for since cedei_alloc_fail_after. */
uint64_t cedei_alloc_fail_never(void);

#endif
