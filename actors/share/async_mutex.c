/* async_mutex.c - cede_async_mutex: one permit, whose holder is known and poisons it by dying. */
#include <cede/async_mutex.h>

#include "actors/actor/actor.h"
#include "actors/share/permits.h"
#include "actors/share/share.h"

struct cede_async_mutex {
    struct cedei_permits permits;
};

static void async_mutex_drop(struct cede_async_mutex *mutex) {
    if (cedei_permits_count(&mutex->permits) != 1)
        cedei_fatal("cede: the last reference to a cede_async_mutex was given back while an actor "
                    "holds the lock; whoever holds it needs a reference");
    cedei_permits_fini(&mutex->permits);
}
CEDEI_SHARE_TYPE(cede_async_mutex, async_mutex_drop);

cede_result cede_async_mutex_create(cede_self *self, cede_async_mutex **out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (out == NULL) return CEDE_EINVAL;
    cede_async_mutex *mutex = cedei_share_create(self, &cede_type_cede_async_mutex);
    if (mutex == NULL) return CEDE_ENOMEM;
    cedei_permits_init(&mutex->permits, self->system, 1);
    *out = mutex;
    return CEDE_OK;
}

static void async_mutex_hold_end(void *object, uint64_t count) {
    cedei_permits_poison(&((cede_async_mutex *)object)->permits, count);
}

static CEDE_YIELDS CEDEI_NOINLINE cede_result lock_slow(cede_self *self, cede_async_mutex *mutex,
                                                        bool repair, uint64_t timeout_ns) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (mutex == NULL) return CEDE_EINVAL;
    if (cedei_hold_find(self, mutex, async_mutex_hold_end) != NULL) return CEDE_EDEADLK;
    return cedei_permits_await(&mutex->permits, self, 1, repair, timeout_ns,
                               "cede_async_mutex_lock");
}

/* `repair`: it was taken poisoned, and is again when it cannot be held. */
static cede_result lock_hold(cede_self *self, cede_async_mutex *mutex, bool repair) {
    struct cedei_hold *hold = cedei_hold_make(self);
    if (CEDEI_UNLIKELY(hold == NULL)) {
        if (repair)
            cedei_permits_poison(&mutex->permits, 1);
        else
            cedei_permits_give(&mutex->permits, 1);
        return CEDE_ENOMEM;
    }
    cedei_hold_add(self, hold, mutex, async_mutex_hold_end, 1);
    return CEDE_OK;
}

CEDE_YIELDS cede_result cede_async_mutex_lock(cede_self *self, cede_async_mutex *mutex,
                                              uint64_t timeout_ns) {
    if (CEDEI_UNLIKELY(self == NULL || mutex == NULL || !cedei_permits_take(&mutex->permits, 1))) {
        cede_result r = lock_slow(self, mutex, false, timeout_ns);
        if (r != CEDE_OK) return r;
    }
    return lock_hold(self, mutex, false);
}

CEDE_YIELDS cede_result cede_async_mutex_repair(cede_self *self, cede_async_mutex *mutex,
                                                uint64_t timeout_ns) {
    cede_result r = lock_slow(self, mutex, true, timeout_ns);
    return r == CEDE_OK ? lock_hold(self, mutex, true) : r;
}

void cede_async_mutex_unlock(cede_self *self, cede_async_mutex *mutex) {
    if (self == NULL || mutex == NULL) return;
    struct cedei_hold *hold = cedei_hold_find(self, mutex, async_mutex_hold_end);
    if (CEDEI_UNLIKELY(hold == NULL)) {
        cedei_hold_missing(self, "cede_async_mutex_unlock", "the lock");
        return;
    }
    cedei_hold_remove(self, hold);
    cedei_permits_give(&mutex->permits, 1);
}
