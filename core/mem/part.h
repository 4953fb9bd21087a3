/* part.h - what a message owns beside its own block: text, bytes, lists and boxes.
 * Parts of up to 64 KiB come from blocks that all threads of the process share: what is freed on one thread is of use to
 * all, so that a mailbox that is full takes as much memory as it says; malloc has arenas of each thread's own. Any thread may
 * call any of it; a part belongs to no system, and may be freed on any thread. In strict mode of checking builds parts come from
 * cedei_guard_take. */
#ifndef CEDEI_MEM_PART_H
#define CEDEI_MEM_PART_H

#include <stddef.h>
#include <stdint.h>

#include <cede/annotate.h>

#include "core/mem/block.h"
#include "core/sys/alloc.h"

/* Uninitialised, aligned to 16 bytes; NULL when memory is short. Size 0 gives a part of its own. */
#define cedei_part_take(size) cedei_part_take_by(CEDEI_ALLOC_SITE, size)
CEDE_NODISCARD void *cedei_part_take_by(const struct cedei_alloc_site *site, size_t size);
/* As cedei_part_take, all bytes zero. */
#define cedei_part_take_zeroed(size) cedei_part_take_zeroed_by(CEDEI_ALLOC_SITE, size)
CEDE_NODISCARD void *cedei_part_take_zeroed_by(const struct cedei_alloc_site *site, size_t size);
/* Keeps what fits of the content. NULL when memory is short: `part` is as it was. `part` NULL: as cedei_part_take. */
#define cedei_part_resize(part, size) cedei_part_resize_by(CEDEI_ALLOC_SITE, part, size)
CEDE_NODISCARD void *cedei_part_resize_by(const struct cedei_alloc_site *site, void *part,
                                          size_t size);
/* NULL does nothing. Ends the process if cedei_part_take did not make it, or if it was given back already. */
void cedei_part_give(void *part);
/* How much memory such a part takes up. */
size_t cedei_part_size_of(size_t size);

/* From now on the calling thread takes and gives by `cache`, which is its alone; NULL: by the depot, as at first. */
void cedei_part_cache_set(struct cedei_block_cache *cache);
/* Gives what is in `cache` to the depot. */
void cedei_part_cache_flush(struct cedei_block_cache *cache);

#endif
