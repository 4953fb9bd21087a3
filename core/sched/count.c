/* count.c - adding up what workers have counted. */
#include <stddef.h>
#include <string.h>

#include "core/sched/sched.h"

static void fold(_Atomic uint64_t *into, _Atomic uint64_t *from, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t more = cedei_count_read(&from[i]);
        if (more != 0) cedei_count_add(&into[i], more);
    }
}

static void fold_shared(_Atomic uint64_t *into, _Atomic uint64_t *from, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t more = cedei_count_read(&from[i]);
        if (more != 0)
            cedei_count_add_shared(&into[i], more); /* or a page may be touched for nothing */
    }
}

enum { COUNTS = sizeof(struct cedei_counts) / sizeof(uint64_t) };

void cedei_counts_fold(struct cedei_counts *into, struct cedei_counts *from) {
    fold((_Atomic uint64_t *)into, (_Atomic uint64_t *)from, COUNTS);
}

void cedei_counts_fold_shared(struct cedei_counts *into, struct cedei_counts *from) {
    fold_shared((_Atomic uint64_t *)into, (_Atomic uint64_t *)from, COUNTS);
}

void cedei_tallies_fold_shared(struct cedei_tally *into, struct cedei_tally *from, uint32_t rows) {
    fold_shared(into->counts, from->counts, (size_t)rows * CEDEI_TALLY_COLUMNS);
}

void cedei_sched_counts(struct cedei_sched *sched, struct cedei_counts *out) {
    memset(out, 0, sizeof *out);
    cedei_counts_fold(out, &sched->shared_counts);
    uint32_t seats = cedei_sched_seats(sched);
    for (uint32_t i = 0; i < seats; i++) cedei_counts_fold(out, &sched->workers[i].counts);
    cedei_mutex_lock(&sched->pool.lock);
    cedei_counts_fold(out, &sched->pool.retired);
    for (struct cedei_worker *worker = sched->pool.alive; worker != NULL; worker = worker->pool_next)
        cedei_counts_fold(out, &worker->counts);
    cedei_mutex_unlock(&sched->pool.lock);
}

void cedei_sched_tallies(struct cedei_sched *sched, cedei_tallies_fn *visit, void *context) {
    uint32_t seats = cedei_sched_seats(sched);
    for (uint32_t i = 0; i < seats; i++) visit(context, sched->workers[i].tallies);
    cedei_mutex_lock(&sched->pool.lock); /* a thread that leaves adds its own to the shared ones */
    visit(context, sched->shared_tallies);
    for (struct cedei_worker *worker = sched->pool.alive; worker != NULL; worker = worker->pool_next)
        visit(context, worker->tallies);
    cedei_mutex_unlock(&sched->pool.lock);
}
