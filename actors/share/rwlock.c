/* rwlock.c - cede_rwlock: a great many permits; a reader takes one of them, a writer all. */
#include <cede/rwlock.h>

#include "actors/actor/actor.h"
#include "actors/share/permits.h"
#include "actors/share/share.h"

/* More readers at once than there can be actors. */
#define ALL ((uint64_t)1 << 32)

struct cede_rwlock {
    struct cedei_permits permits;
};

static void rwlock_drop(struct cede_rwlock *lock) {
    if (cedei_permits_count(&lock->permits) != ALL)
        cedei_fatal("cede: the last reference to a cede_rwlock was given back while an actor holds "
                    "the lock; whoever holds it needs a reference");
    cedei_permits_fini(&lock->permits);
}
CEDEI_SHARE_TYPE(cede_rwlock, rwlock_drop);

cede_result cede_rwlock_create(cede_self *self, cede_rwlock **out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (out == NULL) return CEDE_EINVAL;
    cede_rwlock *lock = cedei_share_create(self, &cede_type_cede_rwlock);
    if (lock == NULL) return CEDE_ENOMEM;
    cedei_permits_init(&lock->permits, self->system, ALL);
    *out = lock;
    return CEDE_OK;
}

/* A reader has changed nothing, a writer perhaps half of it. */
static void rwlock_hold_end(void *object, uint64_t count) {
    struct cedei_permits *permits = &((cede_rwlock *)object)->permits;
    if (count == ALL)
        cedei_permits_poison(permits, ALL);
    else
        cedei_permits_give(permits, count);
}

static CEDE_YIELDS CEDEI_NOINLINE cede_result lock_slow(cede_self *self, cede_rwlock *lock,
                                                        uint64_t count, bool repair,
                                                        uint64_t timeout_ns) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (lock == NULL) return CEDE_EINVAL;
    if (cedei_hold_find(self, lock, rwlock_hold_end) != NULL) return CEDE_EDEADLK;
    return cedei_permits_await(&lock->permits, self, count, repair, timeout_ns, "cede_rwlock");
}

/* `repair`: it was taken poisoned, and is again when it cannot be held. */
static cede_result lock_hold(cede_self *self, cede_rwlock *lock, uint64_t count, bool repair) {
    struct cedei_hold *hold = cedei_hold_make(self);
    if (CEDEI_UNLIKELY(hold == NULL)) {
        if (repair)
            cedei_permits_poison(&lock->permits, count);
        else
            cedei_permits_give(&lock->permits, count);
        return CEDE_ENOMEM;
    }
    cedei_hold_add(self, hold, lock, rwlock_hold_end, count);
    return CEDE_OK;
}

CEDEI_INLINE CEDE_YIELDS cede_result lock_take(cede_self *self, cede_rwlock *lock, uint64_t count,
                                               uint64_t timeout_ns) {
    if (CEDEI_UNLIKELY(self == NULL || lock == NULL || !cedei_permits_take(&lock->permits, count))) {
        cede_result r = lock_slow(self, lock, count, false, timeout_ns);
        if (r != CEDE_OK) return r;
    }
    return lock_hold(self, lock, count, false);
}

CEDE_YIELDS cede_result cede_rwlock_read_lock(cede_self *self, cede_rwlock *lock,
                                              uint64_t timeout_ns) {
    return lock_take(self, lock, 1, timeout_ns);
}

CEDE_YIELDS cede_result cede_rwlock_write_lock(cede_self *self, cede_rwlock *lock,
                                               uint64_t timeout_ns) {
    return lock_take(self, lock, ALL, timeout_ns);
}

CEDE_YIELDS cede_result cede_rwlock_repair(cede_self *self, cede_rwlock *lock, uint64_t timeout_ns) {
    cede_result r = lock_slow(self, lock, ALL, true, timeout_ns);
    return r == CEDE_OK ? lock_hold(self, lock, ALL, true) : r;
}

void cede_rwlock_unlock(cede_self *self, cede_rwlock *lock) {
    if (self == NULL || lock == NULL) return;
    struct cedei_hold *hold = cedei_hold_find(self, lock, rwlock_hold_end);
    if (CEDEI_UNLIKELY(hold == NULL)) {
        cedei_hold_missing(self, "cede_rwlock_unlock", "the lock");
        return;
    }
    uint64_t count = hold->count;
    cedei_hold_remove(self, hold);
    cedei_permits_give(&lock->permits, count);
}
