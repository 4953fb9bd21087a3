/* counter.c - cede_counter: a number in as many parts as there are workers, so that adding touches one's own cache line. */
#include <cede/counter.h>

#include "actors/actor/actor.h"
#include "actors/share/share.h"
#include "core/sys/alloc.h"

struct stripe {
    alignas(CEDEI_CACHE_LINE) _Atomic int64_t value; /* P */
};

/* Access: I. */
struct cede_counter {
    uint32_t count; /* stripes; a power of two */
    struct stripe *stripes;
};

static void counter_drop(struct cede_counter *counter) { cedei_free(counter->stripes); }
CEDEI_SHARE_TYPE(cede_counter, counter_drop);

cede_result cede_counter_create(cede_self *self, cede_counter **out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (out == NULL) return CEDE_EINVAL;
    cede_counter *counter = cedei_share_create(self, &cede_type_cede_counter);
    if (counter == NULL) return CEDE_ENOMEM;
    uint32_t count = 2; /* one for threads that are no workers, which begin at the end */
    while (count < self->system->sched.worker_count + 1) count *= 2;
    counter->stripes = cedei_alloc_aligned(CEDEI_CACHE_LINE, count * sizeof *counter->stripes);
    if (counter->stripes == NULL) {
        cedei_share_unref(counter);
        return CEDE_ENOMEM;
    }
    for (uint32_t i = 0; i < count; i++) atomic_init(&counter->stripes[i].value, 0);
    counter->count = count;
    *out = counter;
    return CEDE_OK;
}

void cede_counter_add(cede_counter *counter, int64_t by) {
    const struct cedei_worker *worker = cedei_worker_current();
    uint32_t index = worker != NULL ? worker->index : UINT32_MAX;
    /* relaxed: a sum, no order. */
    atomic_fetch_add_explicit(&counter->stripes[index & (counter->count - 1)].value, by,
                              memory_order_relaxed);
}

int64_t cede_counter_sum(cede_counter *counter) {
    int64_t sum = 0;
    for (uint32_t i = 0; i < counter->count; i++) /* relaxed: as above. */
        sum += atomic_load_explicit(&counter->stripes[i].value, memory_order_relaxed);
    return sum;
}
