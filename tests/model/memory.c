/* memory.c - what atomic loads may read, and which plain accesses race; see explore.h.
 *
 * The model is the operational form of C11's release and acquire by views (as in the "promising" semantics, without its
 * promises): of every atomic object there is the list of all values that were ever stored, in modification order, each
 * with the view that its store released; a thread has a view too, which says how far back it may read. A relaxed load
 * reads any value from there on; an acquire load joins the value's view; a release store hands on the thread's; fences do
 * that for the relaxed accesses around them; a read-modify-write reads the last value and hands on its view as well
 * (release sequences); sequentially consistent stores and fences go through one view of all threads, which such loads
 * and fences must not read behind. A view also holds vector clocks: two plain accesses of which neither happened before the
 * other are a race, except two reads.
 *
 * What it cannot show: a load that reads a store which is executed later (model_rely finds that where it matters), and what
 * is beyond the bounds of explore.h. A store that comes before others in modification order counts as a stale read. */
#include "tests/model/explore_internal.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TABLE = 256,
    WATCHES_MAX = 8,
    QUIET_MAX = 16,
    LOCKS_MAX = 8,
    EVENTS_MAX = 16,
    WATCHED_BYTES_MAX = 20480
};

struct value {
    uint64_t bits;
    bool is_changed; /* by a read-modify-write: nothing comes between it and the value before */
    struct model_view view;
};

struct location {
    const volatile void *at;
    int count;
    uint16_t read_clock[MODEL_THREADS_MAX]; /* of each thread's last load */
    bool overtaken[MODEL_THREADS_MAX];      /* that load might have read a later store */
    bool relied_on[MODEL_THREADS_MAX];      /* and its value was used */
    struct value values[MODEL_HISTORY_MAX];
};

static struct location locations[MODEL_LOCATIONS_MAX];
static int location_count;
static struct {
    const volatile void *at;
    uint32_t execution;
    int index;
} table[TABLE];
static uint32_t execution; /* number of the present one: entries of earlier ones are void */

static struct model_view consistent; /* of sequential consistency; its clocks are not used */

static struct watch {
    const char *name;
    uintptr_t from, to;
    struct cell *cells;
} watches[WATCHES_MAX];
static int watch_count;
static uintptr_t watched_from, watched_to; /* around all watches */
static struct cell {                       /* one byte */
    uint32_t execution;
    uint16_t write_clock;
    uint8_t writer;
    uint16_t read_clock[MODEL_THREADS_MAX];
} cells[WATCHED_BYTES_MAX];
static size_t cells_used;

static struct {
    uintptr_t from, to;
} quiet[QUIET_MAX];
static int quiet_count;

static struct lock {
    const void *at;
    uint32_t is_free;
    struct model_view view;
} locks[LOCKS_MAX];
static int lock_count;

static struct { /* what signallers of an event have released */
    const struct model_event *of;
    struct model_view view;
} events[EVENTS_MAX];
static int event_count;

void model_memory_reset(void) {
    execution++;
    location_count = watch_count = quiet_count = lock_count = event_count = 0;
    cells_used = 0;
    watched_from = UINTPTR_MAX;
    watched_to = 0;
    memset(&consistent, 0, sizeof consistent);
}

/* ---- views ---- */

static void seen_join(struct model_view *into, const struct model_view *from) {
    for (int i = 0; i < MODEL_LOCATIONS_MAX; i++)
        if (into->seen[i] < from->seen[i]) into->seen[i] = from->seen[i];
}

static void view_join(struct model_view *into, const struct model_view *from) {
    seen_join(into, from);
    for (int i = 0; i < MODEL_THREADS_MAX; i++)
        if (into->clock[i] < from->clock[i]) into->clock[i] = from->clock[i];
}

static struct model_thread *self(void) { return &model.threads[model.current]; }

/* What the thread does from here on did not happen before what it has released. */
static void clock_advance(struct model_thread *thread) {
    thread->now.clock[model.current]++;
    thread->acquired.clock[model.current]++;
}

static void acquire_view(struct model_thread *thread, const struct model_view *view) {
    view_join(&thread->now, view);
    view_join(&thread->acquired, view);
}

/* ---- values ---- */

static uint64_t bits_read(const volatile void *at, size_t size) {
    switch (size) {
    case 1: return *(const volatile uint8_t *)at;
    case 2: return *(const volatile uint16_t *)at;
    case 4: return *(const volatile uint32_t *)at;
    case 8: return *(const volatile uint64_t *)at;
    default: abort();
    }
}

static void bits_write(volatile void *at, size_t size, uint64_t bits) {
    switch (size) {
    case 1: *(volatile uint8_t *)at = (uint8_t)bits; break;
    case 2: *(volatile uint16_t *)at = (uint16_t)bits; break;
    case 4: *(volatile uint32_t *)at = (uint32_t)bits; break;
    case 8: *(volatile uint64_t *)at = bits; break;
    default: abort();
    }
}

static uint64_t bits_cut(uint64_t bits, size_t size) {
    return size == 8 ? bits : bits & (((uint64_t)1 << (8 * size)) - 1);
}

/* The object at `at`; what memory holds is its first value, which happened before everything. */
static struct location *location_of(const volatile void *at, size_t size) {
    uint32_t hash = (uint32_t)((uintptr_t)at * 0x9e3779b97f4a7c15u >> 40);
    for (uint32_t i = hash;; i++) {
        if (table[i % TABLE].execution != execution) {
            if (location_count == MODEL_LOCATIONS_MAX) abort();
            table[i % TABLE].execution = execution;
            table[i % TABLE].at = at;
            table[i % TABLE].index = location_count;
            struct location *location = &locations[location_count++];
            location->at = at;
            location->count = 1;
            memset(location->read_clock, 0, sizeof location->read_clock);
            location->values[0].bits = bits_read(at, size);
            location->values[0].is_changed = false;
            memset(&location->values[0].view, 0, sizeof location->values[0].view);
            return location;
        }
        if (table[i % TABLE].at == at) return &locations[table[i % TABLE].index];
    }
}

static void trace(const char *what, const struct location *location, int index) {
    if (!model.tracing) return;
    printf("  thread %d %s %p: %llx%s\n", model.current, what,
           (const void *)(uintptr_t)location->at, (unsigned long long)location->values[index].bits,
           index < location->count - 1 ? " (stale)" : "");
}

static bool is_acquire(int order) {
    return order == memory_order_acquire || order == memory_order_acq_rel ||
           order == memory_order_seq_cst;
}

static bool is_release(int order) {
    return order == memory_order_release || order == memory_order_acq_rel ||
           order == memory_order_seq_cst;
}

static int oldest_of(const struct location *location, int order) {
    long at = location - locations;
    int oldest = self()->now.seen[at];
    if (order == memory_order_seq_cst && consistent.seen[at] > oldest) oldest = consistent.seen[at];
    if (oldest < location->count - MODEL_STALE_DEPTH) oldest = location->count - MODEL_STALE_DEPTH;
    return oldest;
}

static void value_load(struct location *location, int index, int order) {
    struct model_thread *thread = self();
    long at = location - locations;
    trace("reads", location, index);
    if (thread->now.seen[at] < index) thread->now.seen[at] = (uint8_t)index;
    if (is_acquire(order)) view_join(&thread->now, &location->values[index].view);
    view_join(&thread->acquired, &location->values[index].view);
    if (thread->acquired.seen[at] < index) thread->acquired.seen[at] = (uint8_t)index;
    location->read_clock[model.current] = thread->now.clock[model.current];
    location->overtaken[model.current] = location->relied_on[model.current] = false;
}

/* Loads that did not happen before this store might have read it, if the processor had delayed them. */
static void loads_overtake(struct location *location) {
    const struct model_view *now = &self()->now;
    for (int i = 0; i < model.count; i++) {
        if (location->read_clock[i] <= now->clock[i]) continue;
        location->overtaken[i] = true;
        if (location->relied_on[i]) model_fail("a load may have read a store that came later");
    }
}

static void seen_shift(struct model_view *view, long at, int index) {
    if (view->seen[at] >= index) view->seen[at]++;
}

/* Makes room for a value before others; all views speak of them by number. */
static void values_shift(struct location *location, int index) {
    long at = location - locations;
    for (int i = location->count; i > index; i--) location->values[i] = location->values[i - 1];
    for (int i = 0; i < location_count; i++)
        for (int j = 0; j < locations[i].count + (i == at); j++)
            seen_shift(&locations[i].values[j].view, at, index);
    for (int i = 0; i < model.count; i++) {
        seen_shift(&model.threads[i].now, at, index);
        seen_shift(&model.threads[i].acquired, at, index);
        seen_shift(&model.threads[i].released, at, index);
    }
    for (int i = 0; i < lock_count; i++) seen_shift(&locks[i].view, at, index);
    for (int i = 0; i < event_count; i++) seen_shift(&events[i].view, at, index);
    seen_shift(&consistent, at, index);
}

/* Where a store comes in the order of all values: last, or before values that its thread need not know of. */
static int place_choose(struct location *location, int order) {
    int ways[MODEL_STALE_DEPTH + 1], count = 1;
    ways[0] = location->count;
    if (model.stale_left == 0) return ways[0];
    for (int index = location->count - 1; index > oldest_of(location, order); index--)
        if (!location->values[index].is_changed) ways[count++] = index;
    int chosen = model_choose(count);
    if (chosen > 0) {
        model.stale_left--;
        values_shift(location, ways[chosen]);
    }
    return ways[chosen];
}

/* `before`: the value that a read-modify-write has read, or NULL. */
static void value_store(struct location *location, size_t size, uint64_t bits, int order,
                        const struct value *before) {
    if (location->count == MODEL_HISTORY_MAX) {
        model_fail("an atomic object takes too many values");
        return;
    }
    loads_overtake(location);
    struct model_thread *thread = self();
    long at = location - locations;
    int index = before != NULL ? location->count : place_choose(location, order);
    bool is_last = index == location->count;
    struct value *value = &location->values[index];
    thread->now.seen[at] = thread->acquired.seen[at] = (uint8_t)index;
    value->bits = bits_cut(bits, size);
    value->is_changed = before != NULL;
    value->view = is_release(order) ? thread->now : thread->released;
    value->view.seen[at] = (uint8_t)index;
    if (before != NULL) view_join(&value->view, &before->view);
    if (order == memory_order_seq_cst) consistent.seen[at] = (uint8_t)index;
    location->count++;
    trace("writes", location, index);
    if (is_last) bits_write((volatile void *)(uintptr_t)location->at, size, value->bits);
    clock_advance(thread);
}

void model_rely(const volatile void *at, size_t size) {
    struct location *location = location_of(at, size);
    location->relied_on[model.current] = true;
    if (location->overtaken[model.current])
        model_fail("a load may have read a store that came later");
}

static bool is_direct(const volatile void *at) {
    if (!model.running) return true;
    uintptr_t address = (uintptr_t)at;
    for (int i = 0; i < quiet_count; i++)
        if (address >= quiet[i].from && address < quiet[i].to) return true;
    return false;
}

uint64_t model_atomic_load(const volatile void *at, size_t size, int order) {
    if (is_direct(at)) return bits_read(at, size);
    model_point();
    struct location *location = location_of(at, size);
    int index = location->count - 1, oldest = oldest_of(location, order);
    if (model.stale_left > 0 && oldest < index) {
        int back = model_choose(index - oldest + 1);
        if (back > 0) model.stale_left--;
        index -= back;
    }
    value_load(location, index, order);
    return location->values[index].bits;
}

void model_atomic_store(volatile void *at, size_t size, uint64_t value, int order) {
    if (is_direct(at)) {
        bits_write(at, size, value);
        return;
    }
    model_point();
    value_store(location_of(at, size), size, value, order, NULL);
}

static uint64_t changed(enum model_change how, uint64_t before, uint64_t value) {
    switch (how) {
    case MODEL_ADD: return before + value;
    case MODEL_SUB: return before - value;
    case MODEL_OR: return before | value;
    case MODEL_AND: return before & value;
    default: return value;
    }
}

uint64_t model_atomic_change(volatile void *at, size_t size, enum model_change how, uint64_t value,
                             int order) {
    if (is_direct(at)) {
        uint64_t before = bits_read(at, size);
        bits_write(at, size, changed(how, before, value));
        return before;
    }
    model_point();
    struct location *location = location_of(at, size);
    struct value *before = &location->values[location->count - 1];
    value_load(location, location->count - 1, order);
    value_store(location, size, changed(how, before->bits, value), order, before);
    return before->bits;
}

/* A compare-and-exchange that fails is a load, and one that may fail for no reason may do so. */
static bool compare_fails_early(struct location *location, size_t size, void *expected,
                                int otherwise, bool is_weak) {
    int ways[MODEL_STALE_DEPTH + 1], count = 1, last = location->count - 1;
    uint64_t wanted = bits_read(expected, size);
    if (model.stale_left == 0) return false;
    for (int index = last - 1; index >= oldest_of(location, otherwise); index--)
        if (location->values[index].bits != wanted) ways[count++] = index;
    if (is_weak && location->values[last].bits == wanted) ways[count++] = last;
    int chosen = model_choose(count);
    if (chosen == 0) return false;
    model.stale_left--;
    value_load(location, ways[chosen], otherwise);
    bits_write(expected, size, location->values[ways[chosen]].bits);
    return true;
}

bool model_atomic_compare(volatile void *at, size_t size, void *expected, uint64_t value, int order,
                          int otherwise, bool is_weak) {
    uint64_t wanted = bits_read(expected, size);
    if (is_direct(at)) {
        uint64_t found = bits_read(at, size);
        if (found == wanted)
            bits_write(at, size, value);
        else
            bits_write(expected, size, found);
        return found == wanted;
    }
    model_point();
    struct location *location = location_of(at, size);
    if (compare_fails_early(location, size, expected, otherwise, is_weak)) return false;
    struct value *before = &location->values[location->count - 1];
    if (before->bits != wanted) {
        value_load(location, location->count - 1, otherwise);
        bits_write(expected, size, before->bits);
        return false;
    }
    value_load(location, location->count - 1, order);
    value_store(location, size, value, order, before);
    return true;
}

void model_atomic_fence(int order) {
    if (!model.running) return;
    model_point();
    struct model_thread *thread = self();
    if (is_acquire(order)) view_join(&thread->now, &thread->acquired);
    if (order == memory_order_seq_cst) {
        seen_join(&thread->now, &consistent);
        seen_join(&consistent, &thread->now);
        view_join(&thread->acquired, &thread->now);
    }
    if (is_release(order)) {
        thread->released = thread->now;
        clock_advance(thread);
    }
}

/* ---- events, locks, and waiting on a word ---- */

static struct model_view *event_view(const struct model_event *event) {
    for (int i = 0; i < event_count; i++)
        if (events[i].of == event) return &events[i].view;
    if (event_count == EVENTS_MAX) abort();
    events[event_count].of = event;
    memset(&events[event_count].view, 0, sizeof events[event_count].view);
    return &events[event_count++].view;
}

void model_signal(struct model_event *event) {
    event->count++;
    if (!model.running) return;
    view_join(event_view(event), &self()->now);
    clock_advance(self());
}

void model_wait(struct model_event *event) {
    model_block(&event->count, UINT64_MAX);
    event->count--;
    acquire_view(self(), event_view(event));
}

void model_wait_until(struct model_event *event, uint64_t deadline_ns) {
    if (deadline_ns <= model.now_ns) return;
    model_block(&event->count, deadline_ns);
    if (event->count == 0) return;
    event->count = 0;
    acquire_view(self(), event_view(event));
}

static struct lock *lock_at(const void *address) {
    for (int i = 0; i < lock_count; i++)
        if (locks[i].at == address) return &locks[i];
    if (lock_count == LOCKS_MAX) abort();
    locks[lock_count] = (struct lock){.at = address, .is_free = 1};
    return &locks[lock_count++];
}

void model_lock(const void *address) {
    if (!model.running) return;
    struct lock *lock = lock_at(address);
    model_point();
    while (!lock->is_free) model_block(&lock->is_free, UINT64_MAX);
    lock->is_free = 0;
    acquire_view(self(), &lock->view);
}

void model_unlock(const void *address) {
    if (!model.running) return;
    struct lock *lock = lock_at(address);
    lock->is_free = 1;
    lock->view = self()->now;
    clock_advance(self());
}

/* The kernel compares under its own lock: it sees the last value. Neither call orders anything else. */
void model_futex_wait(const void *word, uint32_t expected, uint64_t deadline_ns) {
    model_point();
    struct location *location = location_of(word, sizeof expected);
    if (location->values[location->count - 1].bits != expected || deadline_ns <= model.now_ns)
        return;
    struct model_thread *thread = self();
    thread->futex = word;
    thread->futex_woken = 0;
    model_block(&thread->futex_woken, deadline_ns);
    thread->futex = NULL;
}

void model_futex_wake(const void *word, int count) {
    model_point();
    for (int i = 0; i < model.count && count > 0; i++) {
        struct model_thread *thread = &model.threads[i];
        if (thread->futex != word || thread->futex_woken) continue;
        thread->futex_woken = 1;
        count--;
    }
}

/* ---- races ---- */

void model_watch(const char *name, const void *address, size_t size) {
    if (watch_count == WATCHES_MAX || cells_used + size > WATCHED_BYTES_MAX) abort();
    struct watch *watch = &watches[watch_count++];
    *watch = (struct watch){name, (uintptr_t)address, (uintptr_t)address + size, &cells[cells_used]};
    cells_used += size;
    if (watch->from < watched_from) watched_from = watch->from;
    if (watch->to > watched_to) watched_to = watch->to;
}

void model_quiet(const void *address, size_t size) {
    if (quiet_count == QUIET_MAX) abort();
    quiet[quiet_count].from = (uintptr_t)address;
    quiet[quiet_count++].to = (uintptr_t)address + size;
}

static void race_report(const struct watch *watch, uintptr_t at, const char *what) {
    static char claim[160];
    snprintf(claim, sizeof claim, "a race on byte %zu of %s: %s", (size_t)(at - watch->from),
             watch->name, what);
    model_fail(claim);
}

static void byte_access(const struct watch *watch, uintptr_t at, bool is_write) {
    struct cell *cell = &watch->cells[at - watch->from];
    const struct model_view *now = &self()->now;
    if (cell->execution != execution) {
        memset(cell, 0, sizeof *cell);
        cell->execution = execution;
    }
    if (cell->write_clock > now->clock[cell->writer]) {
        race_report(watch, at, is_write ? "written twice" : "read beside a write");
        return;
    }
    if (!is_write) {
        cell->read_clock[model.current] = now->clock[model.current];
        return;
    }
    for (int i = 0; i < model.count; i++) {
        if (cell->read_clock[i] <= now->clock[i]) continue;
        race_report(watch, at, "written beside a read");
        return;
    }
    cell->writer = (uint8_t)model.current;
    cell->write_clock = now->clock[model.current];
}

static void plain_access(const void *address, size_t size, bool is_write) {
    uintptr_t at = (uintptr_t)address;
    if (!model.running || at >= watched_to || at + size <= watched_from) return;
    for (int i = 0; i < watch_count; i++) {
        const struct watch *watch = &watches[i];
        if (at >= watch->to || at + size <= watch->from) continue;
        for (uintptr_t byte = at; byte < at + size; byte++)
            if (byte >= watch->from && byte < watch->to) byte_access(watch, byte, is_write);
        return;
    }
}

/* ---- what the compiler calls ---- */

#define ACCESSES(size)                                                                             \
    void __tsan_read##size(void *at);                                                              \
    void __tsan_write##size(void *at);                                                             \
    void __tsan_unaligned_read##size(void *at);                                                    \
    void __tsan_unaligned_write##size(void *at);                                                   \
    void __tsan_read##size(void *at) { plain_access(at, size, false); }                            \
    void __tsan_write##size(void *at) { plain_access(at, size, true); }                            \
    void __tsan_unaligned_read##size(void *at) { plain_access(at, size, false); }                  \
    void __tsan_unaligned_write##size(void *at) { plain_access(at, size, true); }
ACCESSES(1)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)

void __tsan_read_range(void *at, size_t size);
void __tsan_write_range(void *at, size_t size);
void __tsan_read_range(void *at, size_t size) { plain_access(at, size, false); }
void __tsan_write_range(void *at, size_t size) { plain_access(at, size, true); }

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void __tsan_init(void) {}
void __tsan_func_entry(void *caller) { (void)caller; }
void __tsan_func_exit(void) {}

/* Only for the compiler. */
void __tsan_atomic_signal_fence(int order);
void __tsan_atomic_signal_fence(int order) { (void)order; }

/* Atomic accesses that are not written as those of atomics.h: a scenario that sets an object as if it were plain, while no
 * thread runs, and compiler builtins. */
#define DIRECT(bits)                                                                               \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile void *at, int order);                 \
    void __tsan_atomic##bits##_store(volatile void *at, uint##bits##_t value, int order);          \
    uint##bits##_t __tsan_atomic##bits##_load(const volatile void *at, int order) {                \
        return (uint##bits##_t)model_atomic_load(at, bits / 8, order);                             \
    }                                                                                              \
    void __tsan_atomic##bits##_store(volatile void *at, uint##bits##_t value, int order) {         \
        model_atomic_store(at, bits / 8, value, order);                                            \
    }
DIRECT(8)
DIRECT(16)
DIRECT(32)
DIRECT(64)
