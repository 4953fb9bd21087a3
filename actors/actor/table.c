/* table.c - the slots that actors live in: one stretch of address space, touched as it is needed and never given back
 * while the system lives. What was freed last is used first, while it is in the cache: by the worker that freed it, which
 * keeps some and exchanges them with the table by the batch.
 * Invariants: (1) a free slot is at rest (IDLE) or is throwing away late messages; (2) a slot's generation changes when
 * its tenant ends, so no ref to the next tenant exists before it is spawned; (3) a generation is used once: a slot that
 * has had them all has no further tenant. */
#include <string.h>

#include "actors/actor/actor.h"
#include "core/sys/map.h"

static size_t slots_bytes(uint32_t slots) {
    size_t page = cedei_page_size();
    return (slots * sizeof(struct cede_self) + page - 1) / page * page;
}

cede_result cedei_table_init(cede_system *system, uint32_t actors_max) {
    uint32_t slots = (actors_max + CEDEI_TABLE_CHUNK - 1) / CEDEI_TABLE_CHUNK * CEDEI_TABLE_CHUNK;
    system->slots = cedei_map_reserve(slots_bytes(slots), cedei_page_size());
    while (system->slots == NULL &&
           slots > CEDEI_TABLE_CHUNK) { /* address space may be limited: take what there is */
        slots = slots / 2 / CEDEI_TABLE_CHUNK * CEDEI_TABLE_CHUNK;
        if (slots < CEDEI_TABLE_CHUNK) slots = CEDEI_TABLE_CHUNK;
        system->slots = cedei_map_reserve(slots_bytes(slots), cedei_page_size());
    }
    if (system->slots == NULL) return CEDE_ENOMEM;
    system->slots_max = slots < actors_max ? slots : actors_max;
    cedei_mutex_init(&system->table_lock);
    /* Of a small table nothing is kept back from other workers: its limit is exact. */
    if (system->slots_max / 16 / CEDEI_WORKERS_MAX >= CEDEI_SLOTS_CACHED_MAX)
        system->slots_cached_max = CEDEI_SLOTS_CACHED_MAX;
    return CEDE_OK;
}

void cedei_table_fini(cede_system *system) {
    uint32_t slots =
        (system->slots_max + CEDEI_TABLE_CHUNK - 1) / CEDEI_TABLE_CHUNK * CEDEI_TABLE_CHUNK;
    cedei_map_release(system->slots, slots_bytes(slots));
    cedei_mutex_fini(&system->table_lock);
}

static void slot_init(cede_system *system, struct cede_self *actor, uint32_t slot) {
    memset(actor, 0, sizeof *actor);
    actor->system = system;
    actor->slot = slot;
    actor->task.run = cedei_turn_run;
    cedei_mailbox_init(&actor->mailbox, CEDEI_MAILBOX_IDLE);
    /* relaxed: published with the chunk. */
    atomic_store_explicit(&actor->identity, (uint64_t)1 << 32 | CEDEI_SIGNAL_FREE,
                          memory_order_relaxed);
    /* relaxed: as above. */
    atomic_store_explicit(&actor->deadline_ns, UINT64_MAX, memory_order_relaxed);
}

/* Under the lock. */
static void slots_add(cede_system *system) {
    uint32_t first = system->slots_used;
    for (uint32_t i = 0; i < CEDEI_TABLE_CHUNK; i++)
        slot_init(system, &system->slots[first + i], first + i);
    /* release: pairs with the acquire in cedei_table_slot. */
    atomic_store_explicit(&system->slots_ready, first + CEDEI_TABLE_CHUNK, memory_order_release);
}

/* Under the lock. */
static struct cede_self *slot_fresh(cede_system *system, cede_result *why) {
    if (system->slots_used >= system->slots_max) {
        *why = CEDE_ELIMIT;
        return NULL;
    }
    if (system->slots_used % CEDEI_TABLE_CHUNK == 0) slots_add(system);
    return &system->slots[system->slots_used++];
}

/* Under the lock: moves at most `count` free slots, old or new, into the cache. */
static void cache_fill(cede_system *system, struct cedei_slot_cache *cache, uint32_t count,
                       cede_result *why) {
    for (; count > 0; count--) {
        struct cede_self *actor = system->free_first;
        if (actor != NULL)
            system->free_first = actor->free_next;
        else if ((actor = slot_fresh(system, why)) == NULL)
            return;
        actor->free_next = cache->first;
        cache->first = actor;
        cache->count++;
    }
}

/* The worker's own, or `foreign` for a thread that has none. */
static struct cedei_slot_cache *cache_of(cede_system *system, struct cedei_worker *worker,
                                         struct cedei_slot_cache *foreign) {
    if (worker == NULL || worker->is_pool || worker->sched != &system->sched ||
        system->slots_cached_max == 0)
        return foreign;
    return &system->slot_caches[worker->index];
}

struct cede_self *cedei_table_take(cede_system *system, struct cedei_worker *worker,
                                   cede_result *why) {
    enum {
        TRIES_MAX = 64
    }; /* of slots where somebody is throwing away late messages at this moment */
    struct cedei_slot_cache foreign = {0}, *cache = cache_of(system, worker, &foreign);
    struct cede_self *busy = NULL, *found = NULL;
    for (int i = 0; found == NULL && i < TRIES_MAX; i++) {
        if (CEDEI_UNLIKELY(cache->first == NULL)) {
            cedei_mutex_lock(&system->table_lock);
            cache_fill(system, cache, cache == &foreign ? 1 : system->slots_cached_max / 2, why);
            cedei_mutex_unlock(&system->table_lock);
            if (cache->first == NULL) break;
        }
        struct cede_self *actor = cache->first;
        cache->first = actor->free_next;
        cache->count--;
        if (CEDEI_LIKELY(cedei_mailbox_claim(&actor->mailbox, CEDEI_MAILBOX_IDLE))) {
            found = actor;
        } else {
            actor->free_next = busy;
            busy = actor;
        }
    }
    while (CEDEI_UNLIKELY(busy != NULL)) { /* for later */
        struct cede_self *next = busy->free_next;
        cedei_table_give(system, worker, busy);
        busy = next;
    }
    return found;
}

/* Half of a full cache goes to the table. */
CEDEI_NOINLINE static void cache_spill(cede_system *system, struct cedei_slot_cache *cache,
                                       uint32_t count) {
    struct cede_self *first = cache->first, *last = first;
    for (uint32_t i = 1; i < count; i++) last = last->free_next;
    cache->first = last->free_next;
    cache->count -= count;
    cedei_mutex_lock(&system->table_lock);
    last->free_next = system->free_first;
    system->free_first = first;
    cedei_mutex_unlock(&system->table_lock);
}

void cedei_table_give(cede_system *system, struct cedei_worker *worker, struct cede_self *actor) {
    struct cedei_slot_cache foreign = {0}, *cache = cache_of(system, worker, &foreign);
    if (CEDEI_UNLIKELY(cedei_generation_of(actor) == CEDEI_GENERATION_MAX)) return;
    actor->free_next = cache->first;
    cache->first = actor;
    cache->count++;
    if (CEDEI_UNLIKELY(cache == &foreign))
        cache_spill(system, cache, 1);
    else if (CEDEI_UNLIKELY(cache->count > system->slots_cached_max))
        cache_spill(system, cache, system->slots_cached_max / 2);
}
