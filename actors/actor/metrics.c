/* metrics.c - what a system, its message types and its actors have counted, added up for whoever asks; and whether it adds up.
 * Owns no counts: those are where things happen (tally.h, core/sched/count.h). */
#include <string.h>

#include "actors/actor/actor.h"
#include "actors/actor/audit.h"
#include "actors/actor/inbox.h"
#include "actors/actor/tally.h"

/* ---- messages by type ---- */

static void tallies_visit(cede_system *system, cedei_tallies_fn *visit, void *context) {
    cedei_mutex_lock(&system->executor_lock);
    for (uint32_t number = 0; number < CEDEI_EXECUTORS_MAX; number++) {
        struct cedei_sched *sched = cedei_sched_at(&system->sched, number << 1);
        if (sched != NULL) cedei_sched_tallies(sched, visit, context);
    }
    cedei_mutex_unlock(&system->executor_lock);
    cedei_inboxes_tallies(system, visit, context);
}

/* Of the types with the numbers from `first` to `last`. */
struct type_sum {
    uint32_t first, last;
    uint64_t counts[CEDEI_TALLY_COLUMNS];
};

static void type_sum_add(void *context, struct cedei_tally *tallies) {
    struct type_sum *sum = context;
    for (uint32_t row = sum->first; row <= sum->last; row++)
        for (size_t i = 0; i < CEDEI_TALLY_COLUMNS; i++)
            sum->counts[i] += cedei_count_read(&tallies[row].counts[i]);
}

static uint64_t rest_of(uint64_t whole, uint64_t part) { return whole > part ? whole - part : 0; }

/* False: nothing has been counted. */
static bool type_read(cede_system *system, uint32_t row, struct cede_type_metrics *out) {
    struct type_sum sum = {.first = row, .last = row};
    tallies_visit(system, type_sum_add, &sum);
    uint64_t any = 0;
    for (size_t i = 0; i < CEDEI_TALLY_COLUMNS; i++) any |= sum.counts[i];
    if (any == 0) return false;
    const struct cede_type *type = row != 0 ? cedei_type_at(row) : NULL;
    *out = (struct cede_type_metrics){.type = type,
                                      .name = type != NULL ? type->name : "(others)",
                                      .allocated = sum.counts[CEDEI_TALLY_ALLOCATED],
                                      .dropped = sum.counts[CEDEI_TALLY_DROPPED],
                                      .sent = sum.counts[CEDEI_TALLY_SENT],
                                      .handled = sum.counts[CEDEI_TALLY_HANDLED],
                                      .dead_lettered = sum.counts[CEDEI_TALLY_DEAD_LETTERED],
                                      .refused = sum.counts[CEDEI_TALLY_REFUSED],
                                      .forgotten = sum.counts[CEDEI_TALLY_FORGOTTEN]};
    out->owned = rest_of(out->allocated, out->dropped);
    out->waiting = rest_of(out->sent, out->handled + out->dead_lettered);
    return true;
}

void cedei_types_visit(cede_system *system, cedei_type_fn *visit, void *context) {
    uint32_t rows = cedei_tally_rows();
    struct cede_type_metrics one;
    for (uint32_t row = 0; row < rows; row++)
        if (type_read(system, row, &one)) visit(context, &one);
}

struct type_list {
    struct cede_type_metrics *out;
    size_t room, count;
};

static void type_put(void *context, const struct cede_type_metrics *type) {
    struct type_list *list = context;
    if (list->count < list->room) list->out[list->count] = *type;
    list->count++;
}

size_t cede_system_types(cede_system *system, struct cede_type_metrics *out, size_t count) {
    struct type_list list = {.out = out, .room = out != NULL ? count : 0};
    if (system != NULL) cedei_types_visit(system, type_put, &list);
    return list.count;
}

/* ---- one actor ---- */

/* False: nobody lives in the slot, or somebody else than `generation`. The name may be that of a tenant that is just moving in. */
CEDEI_NO_TSAN static bool actor_read(struct cede_self *actor, uint32_t generation,
                                     struct cede_actor_metrics *out) {
    /* relaxed: looked at again below. */
    uint64_t identity = atomic_load_explicit(&actor->identity, memory_order_relaxed);
    const cede_behaviour *behaviour = actor->behaviour;
    if (identity & CEDEI_SIGNAL_FREE || identity >> 32 == 0 || behaviour == NULL) return false;
    if (generation != 0 && identity >> 32 != generation) return false;
    *out = (struct cede_actor_metrics){
        .actor = cedei_ref_of(actor),
        .name = behaviour->name,
        .handled = cedei_count_read(&actor->handled),
        .waiting = cedei_waiting_of(actor),
        /* relaxed: a number. */
        .waiting_peak = atomic_load_explicit(&actor->waiting_peak, memory_order_relaxed)};
    uint32_t least = out->waiting > 0 || out->handled > 0; /* one that was alone is not looked at */
    if (out->waiting_peak < least) out->waiting_peak = least;
    return cedei_generation_of(actor) == (uint32_t)(identity >> 32);
}

cede_result cede_actor_metrics(cede_system *system, cede_ref actor, struct cede_actor_metrics *out) {
    if (system == NULL || out == NULL) return CEDE_EINVAL;
    if (actor.node != system->uid) return cede_ref_is_none(actor) ? CEDE_ENOACTOR : CEDE_ENOTSUP;
    struct cede_self *slot = cedei_table_find(system, actor);
    struct cede_actor_metrics one;
    if (slot == NULL || !actor_read(slot, actor.generation, &one)) return CEDE_ENOACTOR;
    *out = one;
    return CEDE_OK;
}

size_t cede_system_actors(cede_system *system, uint32_t *at, struct cede_actor_metrics *out,
                          size_t count) {
    if (system == NULL || at == NULL || out == NULL) return 0;
    size_t found = 0;
    for (; found < count; ++*at) {
        struct cede_self *slot = cedei_table_slot(system, *at);
        if (slot == NULL) break;
        found += actor_read(slot, 0, &out[found]);
    }
    return found;
}

/* ---- the whole system ---- */

/* What one executor adds to the sums. */
static void metrics_add(struct cedei_sched *sched, struct cedei_counts *sum,
                        struct cede_metrics *out) {
    struct cedei_counts counts;
    cedei_sched_counts(sched, &counts);
    cedei_counts_fold(sum, &counts);
    cedei_mutex_lock(&sched->pool.lock);
    out->blocking_threads += sched->pool.threads;
    out->blocking_threads_peak += sched->pool.peak;
    cedei_mutex_unlock(&sched->pool.lock);
    out->stacks_mapped += cedei_count_read(&sched->stacks.mapped);
    out->long_turns += cedei_count_read(&sched->lookout.long_turns);
    out->lookouts += cedei_count_read(&sched->lookout.looks);
    out->spare_workers += cedei_sched_seats(sched) - sched->worker_count;
    uint64_t lengths[CEDEI_TURN_LENGTHS];
    cedei_sched_turn_lengths(sched, lengths);
    _Static_assert((int)CEDE_TURN_LENGTHS == (int)CEDEI_TURN_LENGTHS, "the same histogram");
    for (uint32_t i = 0; i < CEDEI_TURN_LENGTHS; i++) out->turn_lengths[i] += lengths[i];
}

void cede_system_metrics(cede_system *system, struct cede_metrics *out) {
    struct cedei_counts sum = {0};
    *out = (struct cede_metrics){0};
    if (system == NULL) return;
    cedei_mutex_lock(&system->executor_lock);
    cedei_counts_fold(&sum, &system->past_counts);
    for (uint32_t number = 0; number < CEDEI_EXECUTORS_MAX; number++) {
        struct cedei_sched *sched = cedei_sched_at(&system->sched, number << 1);
        if (sched != NULL) metrics_add(sched, &sum, out);
    }
    cedei_mutex_unlock(&system->executor_lock);
    cedei_inboxes_count(system, &sum);
    struct type_sum all = {.first = 0, .last = cedei_tally_rows() - 1};
    tallies_visit(system, type_sum_add, &all);
    out->messages_allocated = all.counts[CEDEI_TALLY_ALLOCATED];
    out->messages_dropped = all.counts[CEDEI_TALLY_DROPPED];
    out->messages_sent = all.counts[CEDEI_TALLY_SENT];
    out->messages_handled = all.counts[CEDEI_TALLY_HANDLED];
    out->messages_dead_lettered = all.counts[CEDEI_TALLY_DEAD_LETTERED];
    /* relaxed: a number. */
    for (size_t i = 0; i < CEDE_DEAD_LETTER_REASONS; i++)
        out->dead_letters[i] = atomic_load_explicit(&system->dead_letters[i], memory_order_relaxed);
    out->messages_refused = all.counts[CEDEI_TALLY_REFUSED];
    out->requests_expired = cedei_count_read(&sum.expired);
    out->messages_forgotten = all.counts[CEDEI_TALLY_FORGOTTEN];
    out->actors_spawned = cedei_count_read(&sum.spawned);
    out->actors_ended = cedei_count_read(&sum.ended);
    out->actors_failed = cedei_count_read(&sum.failed);
    out->turns = cedei_count_read(&sum.turns);
    out->yields = cedei_count_read(&sum.yields);
    out->steals = cedei_count_read(&sum.steals);
    out->parks = cedei_count_read(&sum.parks);
    out->wakes = cedei_count_read(&sum.wakes);
    out->timers_set = cedei_count_read(&sum.timers_set);
    out->timers_fired = cedei_count_read(&sum.timers_fired);
    out->timers_cancelled = cedei_count_read(&sum.timers_cancelled);
    out->blocking_jobs = cedei_count_read(&sum.jobs);
}
