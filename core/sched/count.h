/* count.h - what happened how often: counts that a worker keeps for itself, and that anybody may add up.
 * Beside the counts of the scheduler there are tallies, a row of counts for each kind of thing that the layer above tells apart
 * by small numbers (message types). A row is one cache line, and the rows of a worker lie in it, so that a count costs the
 * address of a line that nobody else writes. Rows that are not used are never touched. */
#ifndef CEDEI_SCHED_COUNT_H
#define CEDEI_SCHED_COUNT_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#include "core/base/base.h"

/* Counted by the owning worker, read by anybody. */
struct cedei_counts {
    _Atomic uint64_t spawned, ended, turns, yields, sends; /* `yields`: suspensions of any kind */
    _Atomic uint64_t failed, steals, parks, wakes, jobs,
        transfers; /* `transfers`: reads and writes that moved bytes */
    _Atomic uint64_t timers_set, timers_fired, timers_cancelled, expired;
};

/* One kind's. Zeroed memory is a table of them. */
enum { CEDEI_TALLY_ROWS = 1024, CEDEI_TALLY_COLUMNS = 8 };
struct cedei_tally {
    alignas(CEDEI_CACHE_LINE) _Atomic uint64_t counts[CEDEI_TALLY_COLUMNS];
};
_Static_assert(sizeof(struct cedei_tally) == CEDEI_CACHE_LINE, "a row is a line");

/* For the one thread that writes `count`; any may read it. */
CEDEI_INLINE void cedei_count_add(_Atomic uint64_t *count, uint64_t by) {
#if defined(__x86_64__) && !CEDEI_TSAN && !CEDEI_SIM
    /* As below, but without a register: gcc makes three instructions of the load and the store. */
    __asm__("addq %1, %0" : "+m"(*count) : "er"(by) : "cc");
#else
    /* relaxed (both): one writer; readers want a number, not an order. */
    uint64_t before = atomic_load_explicit(count, memory_order_relaxed);
    atomic_store_explicit(count, before + by, memory_order_relaxed);
#endif
}

/* For threads that share one set of counts. */
static inline void cedei_count_add_shared(_Atomic uint64_t *count, uint64_t by) {
    /* relaxed: readers want a number, not an order. */
    atomic_fetch_add_explicit(count, by, memory_order_relaxed);
}

static inline uint64_t cedei_count_read(const _Atomic uint64_t *count) {
    /* relaxed: a number; the counts of one worker are not of one moment. */
    return atomic_load_explicit(count, memory_order_relaxed);
}

/* `row`: its number times sizeof(struct cedei_tally), which whoever gave the number has at hand. */
CEDEI_INLINE _Atomic uint64_t *cedei_tally_at(struct cedei_tally *tallies, uint32_t row,
                                              unsigned column) {
    return &((struct cedei_tally *)(void *)((char *)tallies + row))->counts[column];
}

/* Adds what `from` has counted to `into`, which only the caller writes; or which others write, too. */
void cedei_counts_fold(struct cedei_counts *into, struct cedei_counts *from);
void cedei_counts_fold_shared(struct cedei_counts *into, struct cedei_counts *from);
/* The same of the rows below `rows`. */
void cedei_tallies_fold_shared(struct cedei_tally *into, struct cedei_tally *from, uint32_t rows);

#endif
