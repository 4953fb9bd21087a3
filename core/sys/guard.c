/* guard.c - blocks that fault once they are buried.
 * Owns one stretch of address space, carved from its start and never used twice, and a record for each of its pages.
 * Invariants: (1) the record of a block's first page is written before the block is given out, and its note before the
 * block is guarded; (2) a buried block holds no memory. */
#define _GNU_SOURCE
#include "core/sys/guard.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/sys/interrupt.h"
#include "core/sys/map.h"
#include "core/sys/thread.h"

#if CEDEI_GUARDS || CEDEI_GUARD_NOTES
static __thread struct cedei_guard_note said;

CEDEI_NOINLINE void cedei_guard_say(const struct cedei_guard_note *note) {
    static const struct cedei_guard_note nothing = {"?", "dropped", "", "", ""};
    said = note != NULL ? *note : nothing;
}

CEDEI_NOINLINE static struct cedei_guard_note said_last(void) {
    if (said.what == NULL) cedei_guard_say(NULL);
    return said;
}

static void late_use_write(const struct cedei_guard_note *note, const void *pc) {
    char line[1024], where[300];
    cedei_symbol_describe(pc, false, where, sizeof where);
    int used =
        snprintf(line, sizeof line,
                 "cede: strict mode: used in %s: a message '%s' or a part of it was %s%s%s%s%s%s"
                 "%s%s%s; whoever gave it away has no right to it any more\n",
                 where, note->what, note->how, *note->here != '\0' ? " at " : "", note->here,
                 *note->by != '\0' ? " by actor '" : "", note->by, *note->by != '\0' ? "'" : "",
                 *note->to != '\0' ? " to actor '" : "", note->to, *note->to != '\0' ? "'" : "");
    if (used >= (int)sizeof line) used = sizeof line - 1;
    if (write(STDERR_FILENO, line, (size_t)used) < 0) return; /* nobody is left to tell */
}
#endif

#if CEDEI_GUARDS

#define ARENA_SIZE ((size_t)1 << 30)
enum { PAGE_SHIFT = 12 };

/* Access: of a block's first page: its taker, then its burier, then anybody. */
struct record {
    size_t size; /* bytes of the block; 0: no first page */
    struct cedei_guard_note note;
    _Atomic uint32_t is_buried;
};

static cedei_mutex lock = CEDEI_MUTEX_INITIALIZER;
static _Atomic(char *) arena;     /* written under `lock`, once */
static struct record *records;    /* before `arena` */
static _Atomic size_t arena_used; /* bytes given out */
static _Atomic uint32_t live;

void cedei_guard_begin(void) {
    cedei_mutex_lock(&lock);
    /* relaxed: under the lock. */
    if (atomic_load_explicit(&arena, memory_order_relaxed) == NULL) {
        char *space = cedei_map_reserve(ARENA_SIZE, (size_t)1 << PAGE_SHIFT);
        if (space != NULL)
            records = cedei_map_reserve((ARENA_SIZE >> PAGE_SHIFT) * sizeof *records,
                                        (size_t)1 << PAGE_SHIFT);
        /* release: pairs with the acquire in arena_base; publishes `records`. */
        if (space != NULL && records != NULL)
            atomic_store_explicit(&arena, space, memory_order_release);
        else if (space != NULL)
            cedei_map_release(space, ARENA_SIZE);
    }
    cedei_mutex_unlock(&lock);
}

static char *arena_base(void) {
    /* acquire: pairs with the release in cedei_guard_begin. */
    return atomic_load_explicit(&arena, memory_order_acquire);
}

static struct record *record_of(const void *address) {
    return &records[(size_t)((const char *)address - arena_base()) >> PAGE_SHIFT];
}

bool cedei_guard_has(const void *address) {
    const char *base = arena_base();
    return base != NULL && (uintptr_t)address - (uintptr_t)base < ARENA_SIZE;
}

void *cedei_guard_take(size_t size) {
    char *base = arena_base();
    if (base == NULL) return NULL;
    size_t bytes = (size + ((size_t)1 << PAGE_SHIFT)) >> PAGE_SHIFT << PAGE_SHIFT;
    /* relaxed (both): numbers only. */
    if (bytes > ARENA_SIZE / 64 ||
        atomic_load_explicit(&live, memory_order_relaxed) >= CEDEI_GUARD_LIVE_MAX ||
        atomic_load_explicit(&arena_used, memory_order_relaxed) + bytes > ARENA_SIZE)
        return NULL;
    /* relaxed: the block is the caller's alone. */
    size_t at = atomic_fetch_add_explicit(&arena_used, bytes, memory_order_relaxed);
    if (at + bytes > ARENA_SIZE) return NULL;
    /* relaxed: as above. */
    atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    record_of(base + at)->size = size;
    return base + at;
}

size_t cedei_guard_size(const void *block) { return record_of(block)->size; }

void cedei_guard_bury(void *block) {
    struct record *record = record_of(block);
    size_t bytes = (record->size + ((size_t)1 << PAGE_SHIFT)) >> PAGE_SHIFT << PAGE_SHIFT;
    record->note = said_last();
    /* release: pairs with the acquire in cedei_guard_buried; publishes the note. */
    atomic_store_explicit(&record->is_buried, 1, memory_order_release);
    (void)madvise(block, bytes, MADV_DONTNEED);
    if (cedei_map_guard(block, bytes) != CEDE_OK) memset(block, 0xA5, record->size);
    /* relaxed: a number. */
    atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
}

const struct cedei_guard_note *cedei_guard_buried(const void *address) {
    if (!cedei_guard_has(address)) return NULL;
    struct record *record = record_of(address);
    while (record->size == 0 && record > records) record--; /* to the first page of its block */
    /* acquire: pairs with the release in cedei_guard_bury. */
    return atomic_load_explicit(&record->is_buried, memory_order_acquire) != 0 ? &record->note
                                                                               : NULL;
}

bool cedei_guard_explain(const void *address, const void *pc) {
    const struct cedei_guard_note *note = cedei_guard_buried(address);
    if (note == NULL) return false;
    late_use_write(note, pc);
    return true;
}

#elif CEDEI_GUARD_NOTES

#include <malloc.h>
#include <sanitizer/asan_interface.h>

enum { PLACES = 4096 };

static cedei_mutex lock = CEDEI_MUTEX_INITIALIZER;
static struct place {
    uintptr_t low;
    size_t size;
    struct cedei_guard_note note;
} places[PLACES];        /* under `lock`, but for a report, which is the last thing that happens */
static uint32_t next;    /* under `lock` */
static bool is_listener; /* under `lock` */

/* AddressSanitizer has written its report and is about to end the process. */
CEDEI_NO_ASAN static void report_add(const char *report) {
    (void)report;
    uintptr_t address = (uintptr_t)__asan_get_report_address();
    for (uint32_t i = 1; i <= PLACES; i++) { /* the latest first */
        const struct place *place = &places[(next - i) % PLACES];
        if (address - place->low >= place->size) continue;
        /* It is the address behind the call of the reporting function, which does not return: one byte before is in the
         * function that is meant. */
        late_use_write(&place->note, (const char *)__asan_get_report_pc() - 1);
        return;
    }
}

void cedei_guard_note(const void *block, size_t size) {
    cedei_mutex_lock(&lock);
    if (!is_listener) __asan_set_error_report_callback(report_add);
    is_listener = true;
    places[next++ % PLACES] = (struct place){(uintptr_t)block, size, said_last()};
    cedei_mutex_unlock(&lock);
}

void cedei_guard_note_malloc(void *block) {
    if (block == NULL || said.what == NULL || *said.here == '\0') return;
    cedei_guard_note(block, malloc_usable_size(block));
}

#else
typedef int guard_is_not_there; /* an empty file is none */
#endif
