/* rcu.c - cede_rcu: one version that readers see without writing anything, and those before it until nobody reads them.
 * Invariants: (1) `newest` and each retired version are one reference; (2) a version is retired after it was replaced, and
 * given back after every section that could have seen it. */
#include <cede/rcu.h>

#include "actors/actor/actor.h"
#include "actors/message/frozen.h"
#include "actors/share/share.h"
#include "core/sync/epoch.h"
#include "core/sys/alloc.h"

struct retired {
    struct retired *next;
    const void *version;
    uint32_t stamp; /* cedei_epoch_stamp, when it had been replaced */
};

/* Access: I; P = any thread, atomic; L = under `lock`. */
struct cede_rcu {
    const struct cede_type *type; /* I; NULL: it was never made in full */
    _Atomic(const void *) newest; /* P: written under the lock */
    cedei_mutex lock;
    struct retired *first, **last; /* L: oldest first */
};

static void retired_free(struct retired *retired) {
    while (retired != NULL) { /* as many as were given */
        struct retired *next = retired->next;
        cedei_frozen_unref(retired->version);
        cedei_free(retired);
        retired = next;
    }
}

/* Whoever reads has a reference, so nobody does. */
static void rcu_drop(struct cede_rcu *rcu) {
    if (rcu->type == NULL) return;
    retired_free(rcu->first);
    /* relaxed: the last reference was given back after everything else. */
    cedei_frozen_unref(atomic_load_explicit(&rcu->newest, memory_order_relaxed));
    cedei_mutex_fini(&rcu->lock);
}
CEDEI_SHARE_TYPE(cede_rcu, rcu_drop);

cede_result cedei_rcu_create(cede_self *self, const struct cede_type *type, void **first,
                             cede_rcu **out, const char *here) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (out == NULL) return CEDE_EINVAL;
    const void *version = NULL;
    cede_rcu *rcu = cedei_share_create(self, &cede_type_cede_rcu);
    if (rcu == NULL) return CEDE_ENOMEM;
    cede_result r = cedei_freeze_as(self, type, first, &version, here);
    if (r != CEDE_OK) {
        cedei_share_unref(rcu);
        return r;
    }
    rcu->type = type;
    rcu->last = &rcu->first;
    cedei_mutex_init(&rcu->lock);
    /* relaxed: not shared yet. */
    atomic_store_explicit(&rcu->newest, version, memory_order_relaxed);
    *out = rcu;
    return CEDE_OK;
}

/* ---- readers ---- */

static void section_count(int by) {
#if CEDEI_CHECKS
    struct cedei_worker *worker = cedei_worker_current();
    if (worker != NULL) worker->mutexes_held += by;
#else
    (void)by;
#endif
}

const void *cedei_rcu_enter(cede_rcu *rcu, const struct cede_type *type) {
    if (CEDEI_UNLIKELY(type != rcu->type))
        cedei_fatal("cede: cede_rcu_enter: the versions are of type '%s', not '%s'",
                    rcu->type->name, type->name);
    section_count(1);
    cedei_epoch_enter();
    /* acquire: pairs with the release in cedei_rcu_publish; the version is complete. */
    return atomic_load_explicit(&rcu->newest, memory_order_acquire);
}

void cede_rcu_leave(cede_rcu *rcu) {
    (void)rcu;
    cedei_epoch_leave();
    section_count(-1);
}

/* ---- writers ---- */

/* Under the lock: takes out what nobody can see any more, oldest first. */
static struct retired *retired_take(cede_rcu *rcu) {
    struct retired *first = rcu->first, **at = &rcu->first;
    while (*at != NULL && cedei_epoch_is_over((*at)->stamp)) at = &(*at)->next;
    if (at == &rcu->first) return NULL;
    rcu->first = *at;
    if (rcu->first == NULL) rcu->last = &rcu->first;
    *at = NULL;
    return first;
}

/* Whether nothing is retired any more. */
static bool rcu_sweep(cede_rcu *rcu) {
    cedei_mutex_lock(&rcu->lock);
    struct retired *over = retired_take(rcu);
    bool is_clean = rcu->first == NULL;
    cedei_mutex_unlock(&rcu->lock);
    retired_free(over);
    return is_clean;
}

cede_result cedei_rcu_publish(cede_self *self, cede_rcu *rcu, void **message, const char *here) {
    const void *version = NULL;
    if (self == NULL) return CEDE_ECONTEXT;
    if (rcu == NULL) return CEDE_EINVAL;
    struct retired *retired = cedei_alloc(sizeof *retired);
    if (retired == NULL) return CEDE_ENOMEM;
    cede_result r = cedei_freeze_as(self, rcu->type, message, &version, here);
    if (r != CEDE_OK) {
        cedei_free(retired);
        return r;
    }
    cedei_mutex_lock(&rcu->lock);
    retired->next = NULL;
    /* acq_rel: pairs with the acquire in cedei_rcu_enter; publishes the version. */
    retired->version = atomic_exchange_explicit(&rcu->newest, version, memory_order_acq_rel);
    retired->stamp = cedei_epoch_stamp();
    *rcu->last = retired;
    rcu->last = &retired->next;
    cedei_mutex_unlock(&rcu->lock);
    (void)rcu_sweep(rcu);
    return CEDE_OK;
}

CEDE_YIELDS cede_result cede_rcu_reclaim(cede_self *self, cede_rcu *rcu, uint64_t timeout_ns) {
    if (self == NULL || self->worker->is_seat) return CEDE_ECONTEXT;
    if (rcu == NULL) return CEDE_EINVAL;
    uint64_t deadline_ns = cedei_deadline_of(timeout_ns);
    while (!rcu_sweep(rcu)) { /* until every section of that time is over, or the time has passed */
        if (timeout_ns == 0 || (timeout_ns != CEDE_FOREVER && cedei_clock_now_ns() > deadline_ns))
            return CEDE_ETIMEDOUT;
        cede_yield(self);
    }
    return CEDE_OK;
}
