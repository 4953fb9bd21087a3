/* map.h - address space: reserving it, guarding pages of it, giving it back. */
#ifndef CEDEI_SYS_MAP_H
#define CEDEI_SYS_MAP_H

#include <stdbool.h>
#include <stddef.h>

#include <cede/result.h>

#include "core/sys/alloc.h"

/* Lazily touched, zeroed, readable and writable; NULL when the system has none left. size: a multiple of 4096 bytes.
 * The result is aligned to `align`, a power of two. */
#define cedei_map_reserve(size, align) cedei_map_reserve_by(CEDEI_ALLOC_SITE, size, align)
void *cedei_map_reserve_by(const struct cedei_alloc_site *site, size_t size, size_t align);
void cedei_map_release(void *base, size_t size);
/* Makes `size` bytes at `base` fault on any access: without a further mapping on Linux 6.13 and later, else by mprotect,
 * which costs two mappings of vm.max_map_count. CEDE_ELIMIT: that count is used up. */
CEDE_NODISCARD cede_result cedei_map_guard(void *base, size_t size);
/* Whether guards are of the kind that needs no mapping. */
int cedei_map_guard_is_light(void);
/* For tests: from now on guards are made by mprotect (true), or as the kernel can (false). */
void cedei_map_guard_by_mprotect(bool heavy);
/* Bit 0 of `pages[i]`: page i of the `size` bytes at `base` is in memory. CEDE_EIO. */
CEDE_NODISCARD cede_result cedei_map_resident(void *base, size_t size, unsigned char *pages);
size_t cedei_page_size(void);
/* `size` in whole pages, in bytes. */
static inline size_t cedei_page_round(size_t size) {
    size_t page = cedei_page_size();
    return (size + page - 1) / page * page;
}

#endif
