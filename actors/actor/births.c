/* births.c - the table of messages that there are, by address; see births.h.
 * A message is noted in the first free entry of a window that its address begins, and is looked for in all of the window: so an
 * entry can be emptied without a mark. Invariant: an entry belongs to whoever owns its message; a free one to whoever exchanges 0
 * for an address. */
#include "actors/actor/births.h"

#if CEDEI_CHECKS
#include "core/sys/map.h"

enum { ENTRIES = 1 << 18, WINDOW = 64 };

struct entry {
    _Atomic uintptr_t msg; /* 0: free */
    _Atomic(const char *) here;
    _Atomic(const char *) by;
};

struct cedei_births {
    _Atomic uint64_t unknown; /* there was no room for them, and they are still there */
    struct entry entries[ENTRIES];
};

static size_t births_bytes(void) {
    size_t page = cedei_page_size();
    return (sizeof(struct cedei_births) + page - 1) / page * page;
}

struct cedei_births *cedei_births_create(void) {
    return cedei_map_reserve(births_bytes(), cedei_page_size());
}

void cedei_births_destroy(struct cedei_births *births) {
    if (births != NULL) cedei_map_release(births, births_bytes());
}

static struct entry *entry_at(struct cedei_births *births, uintptr_t msg, uint32_t i) {
    return &births->entries[((msg >> 6) + i) % ENTRIES];
}

static struct entry *entry_take(struct cedei_births *births, uintptr_t msg) {
    for (uint32_t i = 0; i < WINDOW; i++) {
        struct entry *entry = entry_at(births, msg, i);
        uintptr_t free = 0;
        /* relaxed: an entry says nothing to anybody but the owner of its message. */
        if (atomic_compare_exchange_strong_explicit(&entry->msg, &free, msg, memory_order_relaxed,
                                                    memory_order_relaxed))
            return entry;
    }
    /* relaxed: a number. */
    atomic_fetch_add_explicit(&births->unknown, 1, memory_order_relaxed);
    return NULL;
}

static struct entry *entry_find(struct cedei_births *births, uintptr_t msg) {
    for (uint32_t i = 0; i < WINDOW; i++) {
        struct entry *entry = entry_at(births, msg, i);
        /* relaxed: written by an owner before us. */
        if (atomic_load_explicit(&entry->msg, memory_order_relaxed) == msg) return entry;
    }
    return NULL;
}

static void entry_fill(struct cedei_births *births, const struct cedei_birth *birth) {
    struct entry *entry = entry_take(births, (uintptr_t)birth->msg);
    if (entry == NULL) return;
    /* relaxed (both): ours. */
    atomic_store_explicit(&entry->here, birth->here, memory_order_relaxed);
    atomic_store_explicit(&entry->by, birth->by, memory_order_relaxed);
}

static struct cedei_birth entry_read(struct entry *entry) {
    /* relaxed (all): ours. */
    return (struct cedei_birth){
        .msg = (struct cedei_msg *)atomic_load_explicit(&entry->msg, memory_order_relaxed),
        .here = atomic_load_explicit(&entry->here, memory_order_relaxed),
        .by = atomic_load_explicit(&entry->by, memory_order_relaxed)};
}

static void entry_clear(struct entry *entry) {
    /* relaxed: whoever takes it overwrites the rest. */
    atomic_store_explicit(&entry->msg, 0, memory_order_relaxed);
}

static const char *maker_of(struct cedei_worker *worker) {
    struct cedei_task *task = worker != NULL ? worker->running : NULL;
    if (task == NULL) return "a plain thread";
    if (task->run != cedei_turn_run && task->run != cedei_turn_run_sized)
        return worker->is_seat ? "an inbox" : "a job or a link";
    return CEDEI_CONTAINER_OF(task, cede_self, task)->behaviour->name;
}

void cedei_birth_note(cede_system *system, struct cedei_worker *worker, struct cedei_msg *msg,
                      const char *here) {
    if (system->births == NULL) return;
    entry_fill(system->births,
               &(struct cedei_birth){.msg = msg, .here = here, .by = maker_of(worker)});
}

void cedei_birth_forget(cede_system *system, const struct cedei_msg *msg) {
    if (system->births == NULL) return;
    struct entry *entry = entry_find(system->births, (uintptr_t)msg);
    if (entry != NULL)
        entry_clear(entry);
    else /* relaxed: a number. */
        atomic_fetch_sub_explicit(&system->births->unknown, 1, memory_order_relaxed);
}

void cedei_birth_move(cede_system *system, const struct cedei_msg *from, struct cedei_msg *to) {
    if (system->births == NULL) return;
    struct entry *entry = entry_find(system->births, (uintptr_t)from);
    struct cedei_birth birth = {.here = "an unknown place", .by = "?"};
    if (entry != NULL) birth = entry_read(entry);
    cedei_birth_forget(system, from);
    birth.msg = to;
    entry_fill(system->births, &birth);
}

uint64_t cedei_births_visit(cede_system *system, cedei_birth_fn *visit, void *context) {
    struct cedei_births *births = system->births;
    if (births == NULL) return 0;
    for (uint32_t i = 0; i < ENTRIES; i++) {
        struct cedei_birth birth = entry_read(&births->entries[i]);
        if (birth.msg != NULL) visit(context, &birth);
    }
    /* relaxed: no other thread is left. */
    return atomic_load_explicit(&births->unknown, memory_order_relaxed);
}
#endif
