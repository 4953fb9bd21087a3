/* steal.c - a worker that has nothing to do looks for work at the others.
 * Half of a queue at a time; a LIFO slot only when its worker has taken no task during the whole search. Invariant:
 * `searching` in the scheduler counts the workers with `searching` set and those that are being woken; about half of all
 * workers at most search by their own will. */
#include "core/sched/sched_internal.h"

#include "core/base/base.h"

enum { SEARCH_SPINS = 100, SPIN_PAUSES = 8 };

void cedei_search_join(struct cedei_worker *worker) {
    /* seq_cst: see cedei_search_end. */
    atomic_fetch_add_explicit(&worker->sched->searching, 1, memory_order_seq_cst);
    worker->searching = true;
}

bool cedei_search_begin(struct cedei_worker *worker) {
    if (worker->searching) return true;
    struct cedei_sched *sched = worker->sched;
    /* relaxed: a limit that may be passed by a few. */
    uint32_t searching = atomic_load_explicit(&sched->searching, memory_order_relaxed);
    if (2 * searching >= sched->worker_count) return false;
    cedei_search_join(worker);
    return true;
}

/* Whoever added work while we searched woke nobody, counting on us: the last searcher that found something passes the
 * duty on if there is more, and one that found nothing looks again after it is marked idle. What is added after our look wakes
 * somebody by itself: the look comes after we are off the count, and the adder's look at the count after the work. */
void cedei_search_end(struct cedei_worker *worker, bool found) {
    struct cedei_sched *sched = worker->sched;
    if (!worker->searching) return;
    worker->searching = false;
    /* seq_cst: ordered against the adder's look at `searching`. */
    uint32_t before = atomic_fetch_sub_explicit(&sched->searching, 1, memory_order_seq_cst);
    if (!found || before != 1) return;
    cedei_added_work_fence(sched); /* the same order, seen from whoever does not search any more */
    if (cedei_queues_have_work(sched)) cedei_sched_wake_one(sched);
}

static struct cedei_task *steal_from_queue(struct cedei_worker *worker,
                                           struct cedei_worker *victim) {
    struct cedei_task *stolen[CEDEI_RUNQUEUE_CAPACITY / 2];
    uint32_t count = cedei_runqueue_take_half(&victim->queue, stolen, CEDEI_RUNQUEUE_CAPACITY / 2);
    if (count == 0) return NULL;
    for (uint32_t i = 1; i < count; i++) cedei_queue_push(worker, stolen[i]);
    cedei_count_add(&worker->counts.steals, 1);
    return stolen[0];
}

static struct cedei_task *steal(struct cedei_worker *worker) {
    struct cedei_sched *sched = worker->sched;
    uint32_t seats = cedei_sched_seats(sched);
    /* The last victim first: it may have more. */
    for (uint32_t i = 0; i < seats; i++) {
        struct cedei_worker *victim = &sched->workers[(worker->steal_from + i) % seats];
        if (victim == worker) continue;
        struct cedei_task *task = steal_from_queue(worker, victim);
        if (task != NULL) {
            worker->steal_from = victim->index;
            return task;
        }
    }
    return NULL;
}

/* A LIFO slot belongs to its worker for one tick; one that lasts over our whole search sits behind a long turn. */
static struct cedei_task *steal_lifo(struct cedei_worker *worker, const uint32_t *ticks_before,
                                     uint32_t seats) {
    struct cedei_sched *sched = worker->sched;
    for (uint32_t i = 0; i < seats; i++) {
        struct cedei_worker *victim = &sched->workers[i];
        if (victim == worker || cedei_tick_of(victim) != ticks_before[i]) continue;
        struct cedei_task *task = cedei_lifo_take(victim);
        if (task != NULL) {
            cedei_count_add(&worker->counts.steals, 1);
            return task;
        }
    }
    return NULL;
}

/* With descriptors about: while nobody is on watch, events wait for us; and where nobody else runs, nothing comes up. */
static bool is_spinning_worth(struct cedei_worker *worker) {
    struct cedei_sched *sched = worker->sched;
    if (!cedei_reactor_is_open(&sched->reactor)) return true;
    /* relaxed: a hint. */
    uint64_t idle = atomic_load_explicit(&sched->idle, memory_order_relaxed);
    return !cedei_reactor_is_unwatched(sched) &&
           (uint32_t)__builtin_popcountll(idle) + 1 < sched->worker_count;
}

struct cedei_task *cedei_search(struct cedei_worker *worker) {
    struct cedei_sched *sched = worker->sched;
    if (cedei_worker_is_alone(worker) || !cedei_search_begin(worker)) return NULL;
    uint32_t ticks[CEDEI_WORKERS_MAX], seats = cedei_sched_seats(sched);
    for (uint32_t i = 0; i < seats; i++) ticks[i] = cedei_tick_of(&sched->workers[i]);
    int spins = is_spinning_worth(worker) ? SEARCH_SPINS : 1;
    for (int spin = 0; spin < spins; spin++) {
        struct cedei_task *task = cedei_global_take(worker);
        if (task == NULL) task = steal(worker);
        if (task != NULL) return task;
        for (int i = 0; i < SPIN_PAUSES; i++) cedei_cpu_relax();
        if (cedei_is_stopping(sched)) return NULL;
    }
    return spins == SEARCH_SPINS ? steal_lifo(worker, ticks, seats) : NULL;
}
