/* semaphore.c - cede_semaphore: permits that actors hold. */
#include <cede/semaphore.h>

#include "actors/actor/actor.h"
#include "actors/share/permits.h"
#include "actors/share/share.h"

/* Access: P = any thread, atomic. */
struct cede_semaphore {
    struct cedei_permits permits;
    _Atomic uint64_t total; /* P: permits that there are, held ones included */
};

static void semaphore_drop(struct cede_semaphore *semaphore) {
    /* relaxed: the last reference was given back after everything else. */
    if (cedei_permits_count(&semaphore->permits) !=
        atomic_load_explicit(&semaphore->total, memory_order_relaxed))
        cedei_fatal("cede: the last reference to a cede_semaphore was given back while an actor "
                    "holds permits; whoever holds some needs a reference");
    cedei_permits_fini(&semaphore->permits);
}
CEDEI_SHARE_TYPE(cede_semaphore, semaphore_drop);

cede_result cede_semaphore_create(cede_self *self, uint64_t permits, cede_semaphore **out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (out == NULL || permits > CEDE_SEMAPHORE_PERMITS_MAX) return CEDE_EINVAL;
    cede_semaphore *semaphore = cedei_share_create(self, &cede_type_cede_semaphore);
    if (semaphore == NULL) return CEDE_ENOMEM;
    cedei_permits_init(&semaphore->permits, self->system, permits);
    /* relaxed: not shared yet. */
    atomic_store_explicit(&semaphore->total, permits, memory_order_relaxed);
    *out = semaphore;
    return CEDE_OK;
}

/* Its holder has ended. */
static void semaphore_hold_end(void *object, uint64_t count) {
    cedei_permits_give(&((cede_semaphore *)object)->permits, count);
}

CEDE_YIELDS cede_result cede_semaphore_acquire(cede_self *self, cede_semaphore *semaphore,
                                               uint64_t count, uint64_t timeout_ns) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (semaphore == NULL || count == 0 || count > CEDE_SEMAPHORE_PERMITS_MAX) return CEDE_EINVAL;
    if (CEDEI_UNLIKELY(!cedei_permits_take(&semaphore->permits, count))) {
        cede_result r = cedei_permits_await(&semaphore->permits, self, count, false, timeout_ns,
                                            "cede_semaphore_acquire");
        if (r != CEDE_OK) return r;
    }
    struct cedei_hold *hold = cedei_hold_find(self, semaphore, semaphore_hold_end);
    if (hold != NULL) {
        hold->count += count;
        return CEDE_OK;
    }
    if (CEDEI_UNLIKELY((hold = cedei_hold_make(self)) == NULL)) {
        cedei_permits_give(&semaphore->permits, count);
        return CEDE_ENOMEM;
    }
    cedei_hold_add(self, hold, semaphore, semaphore_hold_end, count);
    return CEDE_OK;
}

/* Whether the actor held that many, which it does not any more. */
static bool hold_lessen(cede_self *self, cede_semaphore *semaphore, uint64_t count,
                        const char *call) {
    if (self == NULL || semaphore == NULL || count == 0) return false;
    struct cedei_hold *hold = cedei_hold_find(self, semaphore, semaphore_hold_end);
    if (CEDEI_UNLIKELY(hold == NULL || hold->count < count)) {
        cedei_hold_missing(self, call, "so many permits of the semaphore");
        return false;
    }
    if ((hold->count -= count) == 0) cedei_hold_remove(self, hold);
    return true;
}

void cede_semaphore_release(cede_self *self, cede_semaphore *semaphore, uint64_t count) {
    if (hold_lessen(self, semaphore, count, "cede_semaphore_release"))
        cedei_permits_give(&semaphore->permits, count);
}

void cede_semaphore_forget(cede_self *self, cede_semaphore *semaphore, uint64_t count) {
    if (hold_lessen(self, semaphore, count, "cede_semaphore_forget"))
        /* relaxed: looked at when nobody uses it any more. */
        atomic_fetch_sub_explicit(&semaphore->total, count, memory_order_relaxed);
}

void cede_semaphore_add(cede_semaphore *semaphore, uint64_t count) {
    if (semaphore == NULL) return;
    /* relaxed: as in cede_semaphore_forget. */
    atomic_fetch_add_explicit(&semaphore->total, count, memory_order_relaxed);
    cedei_permits_give(&semaphore->permits, count);
}

uint64_t cede_semaphore_available(cede_semaphore *semaphore) {
    return semaphore != NULL ? cedei_permits_count(&semaphore->permits) : 0;
}
