/* map.c - address space from mmap; guards by MADV_GUARD_INSTALL or mprotect. */
#define _GNU_SOURCE
#include "core/sys/map.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/sys/call.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102 /* Linux 6.13 */
#endif

/* 0 not tried yet, 1 light guards work, 2 they do not. */
static _Atomic int guard_kind;

size_t cedei_page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

/* When the system has no room to note a hole, the pages stay mapped: their content is given back all the same. */
static void pages_release(void *base, size_t size) {
    if (cedei_call_fails(CEDEI_CALL_MUNMAP) || munmap(base, size) != 0)
        (void)madvise(base, size, MADV_DONTNEED);
}

void *cedei_map_reserve_by(const struct cedei_alloc_site *site, size_t size, size_t align) {
    size_t room = size + align;
    if (cedei_alloc_site_fails(site) || cedei_call_fails(CEDEI_CALL_MMAP)) return NULL;
    char *base = mmap(NULL, room, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return NULL;
    size_t lead = (align - ((uintptr_t)base & (align - 1))) & (align - 1);
    if (lead > 0) pages_release(base, lead);
    if (room - lead > size) pages_release(base + lead + size, room - lead - size);
    return base + lead;
}

void cedei_map_release(void *base, size_t size) { pages_release(base, size); }

/* False, with errno: there is none. The first one shows whether advice is heeded: emulators (qemu's for one) take any for good
 * and do nothing. valgrind does not know of light guards, and takes a thread's stack and stacks of ours right above it for one. */
static bool light_guard(void *base, size_t size, bool is_first) {
    if (cedei_call_fails(CEDEI_CALL_MADVISE_GUARD)) return false;
    if (is_first && (RUNNING_ON_VALGRIND || madvise(base, size, -1) == 0)) {
        errno = EINVAL;
        return false;
    }
    return madvise(base, size, MADV_GUARD_INSTALL) == 0;
}

cede_result cedei_map_guard(void *base, size_t size) {
    /* relaxed: a hint; two threads that both try find the same answer. */
    int kind = atomic_load_explicit(&guard_kind, memory_order_relaxed);
    if (kind != 2) {
        if (light_guard(base, size, kind == 0)) {
            /* relaxed: as above. */
            if (kind == 0) atomic_store_explicit(&guard_kind, 1, memory_order_relaxed);
            return CEDE_OK;
        }
        if (errno == ENOMEM) return CEDE_ENOMEM;
        /* relaxed: as above. Once they have worked, a failure is about this one only. */
        if (kind == 0) atomic_store_explicit(&guard_kind, 2, memory_order_relaxed);
    }
    if (!cedei_call_fails(CEDEI_CALL_MPROTECT) && mprotect(base, size, PROT_NONE) == 0)
        return CEDE_OK;
    return CEDE_ELIMIT;
}

void cedei_map_guard_by_mprotect(bool heavy) {
    /* relaxed: before the guards that it is for. */
    atomic_store_explicit(&guard_kind, heavy ? 2 : 0, memory_order_relaxed);
}

cede_result cedei_map_resident(void *base, size_t size, unsigned char *pages) {
    if (cedei_call_fails(CEDEI_CALL_MINCORE)) return CEDE_EIO;
    return mincore(base, size, pages) == 0 ? CEDE_OK : CEDE_EIO;
}

int cedei_map_guard_is_light(void) {
    /* relaxed: for reports only. */
    return atomic_load_explicit(&guard_kind, memory_order_relaxed) == 1;
}
