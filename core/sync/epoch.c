/* epoch.c - the process's epochs, and a record for each thread that has been in a section. */
#include "core/sync/epoch.h"

#include <ck_epoch.h>
#include <stdatomic.h>
#include <string.h>

#include "core/base/base.h"
#include "core/sys/alloc.h"
#include "core/sys/thread.h"

/* What a section did happens before what a writer does when the section is over. */
#if CEDEI_TSAN
void __tsan_acquire(void *mark);
void __tsan_release(void *mark);
static char mark_of_sections;
#define SECTIONS_ENDED() __tsan_release(&mark_of_sections)
#define SECTIONS_SEEN() __tsan_acquire(&mark_of_sections)
#else
#define SECTIONS_ENDED() ((void)0)
#define SECTIONS_SEEN() ((void)0)
#endif

static ck_epoch_t epochs;

__attribute__((constructor)) static void epochs_init(void) { ck_epoch_init(&epochs); }

#if CEDEI_SIM
#define record_of_thread (*(ck_epoch_record_t **)(void *)cedei_thread_local(CEDEI_LOCAL_EPOCH))
#else
static __thread ck_epoch_record_t *record_of_thread;
#endif

CEDEI_NOINLINE static ck_epoch_record_t *record_get(void) {
    ck_epoch_record_t *record = record_of_thread;
    __asm__ volatile(""
                     : "+r"(record)
                     :
                     : "memory"); /* keeps callers from calling once for two threads */
    return record;
}

CEDEI_NOINLINE static void record_set(ck_epoch_record_t *record) {
    record_of_thread = record;
    __asm__ volatile("" : : : "memory");
}

/* The thread ends: another may use its record. */
static void record_retire(void *record) {
    record_set(NULL);
    ck_epoch_unregister(record);
}

CEDEI_NOINLINE static ck_epoch_record_t *record_make(void) {
    ck_epoch_record_t *record = ck_epoch_recycle(&epochs, NULL);
    if (record == NULL) {
        record = cedei_alloc_aligned(CEDEI_CACHE_LINE, sizeof *record);
        if (record == NULL || !cedei_thread_end_notify(record_retire, record))
            cedei_fatal("cede: out of memory for the first section of a cede_rcu on a thread");
        ck_epoch_register(&epochs, record, NULL); /* never freed: see invariant 1 */
        cedei_alloc_keep(record);
    } else if (!cedei_thread_end_notify(record_retire, record)) {
        cedei_fatal("cede: out of memory for the first section of a cede_rcu on a thread");
    }
    record_set(record);
    return record;
}

static ck_epoch_record_t *record_mine(void) {
    ck_epoch_record_t *record = record_get();
    return CEDEI_LIKELY(record != NULL) ? record : record_make();
}

void cedei_epoch_enter(void) { ck_epoch_begin(record_mine(), NULL); }

void cedei_epoch_leave(void) {
    SECTIONS_ENDED();
    (void)ck_epoch_end(record_mine(), NULL);
}

uint32_t cedei_epoch_stamp(void) {
    /* seq_cst: what was made unreachable is so for whoever enters a section that this stamp does not wait for; pairs with the
     * full barrier in ck_epoch_begin. */
    atomic_thread_fence(memory_order_seq_cst);
    return ck_epoch_value(&epochs);
}

bool cedei_epoch_is_over(uint32_t stamp) {
    /* A section of epoch n holds the epoch at n + 1 or below. */
    enum { STEPS = 2 };
    ck_epoch_record_t *record = record_mine();
    bool is_over = false;
    for (int i = 0; i <= STEPS && !is_over; i++) {
        uint32_t before = ck_epoch_value(&epochs);
        /* True: there was a step, or nobody is in a section, and then the epoch stays where it is. */
        bool went_well = ck_epoch_poll(record);
        uint32_t now = ck_epoch_value(&epochs);
        is_over = (int32_t)(now - stamp) >= STEPS || (went_well && now == before);
    }
    if (is_over) SECTIONS_SEEN();
    return is_over;
}
