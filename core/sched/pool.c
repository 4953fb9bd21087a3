/* pool.c - the blocking pool: threads on demand for tasks that may block, up to a limit; idle ones leave.
 * Its threads are workers with a queue of their own kind: they run on pooled stacks too, so a blocking actor may suspend
 * like any other and its thread goes on with the next task. That is why nested use cannot deadlock: whoever waits for a
 * job of the pool holds no thread of it.
 *
 * One thread at a time is on its way to the queue (`coming`): whoever puts a task there wakes or makes one only if none
 * is, and the one that takes a task off and leaves others behind brings the next. So a burst of tasks costs its sender one
 * wake and not one for each, and tasks that end at once are all done by the threads that are awake; yet every task that
 * blocks leaves another thread on its way to those behind it.
 * Invariants (under `lock`): (1) queue empty, or coming > 0, or threads == threads_max and all are busy, or no further
 * thread could be made and the busy ones come to it, or `retry` is set; (2) a thread is idle, or coming, or busy, or leaves.
 */
#include "core/sched/sched.h"

#include <string.h>

#include "core/base/base.h"
#include "core/sys/clock.h"
#include "core/sys/map.h"

/* After a thread could not be made, none is tried for so long. */
#define RETRY_NS 10000000u
/* How long a thread that finds nothing looks on before it sleeps: as long as a wake-up across cores takes. On one
 * processor it would only keep others from giving it work. */
#define SPIN_NS 20000u

static void retry_fire(struct cedei_timer *timer, void *worker);
static struct cedei_worker *start_for_other(struct cedei_worker *worker, struct cedei_task *task);

void cedei_pool_init(struct cedei_pool *pool, const struct cedei_sched_options *options) {
    memset(pool, 0, sizeof *pool);
    cedei_mutex_init(&pool->lock);
    cedei_cond_init(&pool->gone);
    pool->threads_max = options->pool_threads_max;
    pool->idle_ns = options->pool_idle_ns;
    pool->spin_ns = cedei_cpu_count() > 1 ? SPIN_NS : 0;
    pool->retry.fire = retry_fire;
    pool->start_for_other.run = start_for_other;
}

void cedei_pool_fini(struct cedei_pool *pool) {
    cedei_cond_fini(&pool->gone);
    cedei_mutex_fini(&pool->lock);
}

/* ---- the queue, under the lock ---- */

static uint32_t queue_length(struct cedei_pool *pool) {
    /* relaxed: under the lock, or a look before taking it. */
    return atomic_load_explicit(&pool->queued, memory_order_relaxed);
}

static void queue_count(struct cedei_pool *pool, uint32_t length) {
    /* relaxed: a thread that looks without the lock takes it before it acts. */
    atomic_store_explicit(&pool->queued, length, memory_order_relaxed);
}

static void queue_append(struct cedei_pool *pool, struct cedei_task *task) {
    task->next = NULL;
    if (pool->last != NULL)
        pool->last->next = task;
    else
        pool->first = task;
    pool->last = task;
    queue_count(pool, queue_length(pool) + 1);
}

static struct cedei_task *queue_pop(struct cedei_pool *pool) {
    struct cedei_task *task = pool->first;
    if (task == NULL) return NULL;
    pool->first = task->next;
    if (pool->first == NULL) pool->last = NULL;
    queue_count(pool, queue_length(pool) - 1);
    return task;
}

/* False: somebody has taken it. Walks the queue, which is short as long as there has not been any thread. */
static bool queue_remove(struct cedei_pool *pool, struct cedei_task *task) {
    struct cedei_task *before = NULL, *at = pool->first;
    while (at != NULL && at != task) before = at, at = at->next;
    if (at == NULL) return false;
    if (before != NULL)
        before->next = task->next;
    else
        pool->first = task->next;
    if (pool->last == task) pool->last = before;
    queue_count(pool, queue_length(pool) - 1);
    return true;
}

/* ---- idle threads, under the lock ---- */

static void idle_put(struct cedei_pool *pool, struct cedei_worker *worker) {
    worker->idle_next = pool->idle_first;
    worker->idle_back = &pool->idle_first;
    if (worker->idle_next != NULL) worker->idle_next->idle_back = &worker->idle_next;
    pool->idle_first = worker;
    /* relaxed: whoever wakes it has taken it off the list, under the lock. */
    atomic_store_explicit(&worker->parked, 1, memory_order_relaxed);
}

static void idle_remove(struct cedei_worker *worker) {
    *worker->idle_back = worker->idle_next;
    if (worker->idle_next != NULL) worker->idle_next->idle_back = worker->idle_back;
    worker->idle_back = NULL;
}

static void idle_wake(struct cedei_worker *worker) {
    /* release: pairs with the acquire in idle_sleep. The thread may have left before the call below, which then wakes
     * nobody: the kernel takes the address for a number. */
    atomic_store_explicit(&worker->parked, 0, memory_order_release);
    cedei_futex_wake(&worker->parked, 1);
}

/* ---- bringing threads to the queue ---- */

/* What to do for a task that was queued, decided under the lock and done without it. */
struct bring {
    struct cedei_worker *wake; /* an idle thread */
    bool start;                /* a new one */
};

/* Under the lock. */
static struct bring bring_choose(struct cedei_pool *pool) {
    struct bring bring = {0};
    if (pool->coming > 0 || pool->stopping) return bring;
    if (pool->idle_first != NULL) {
        bring.wake = pool->idle_first;
        idle_remove(bring.wake);
        pool->coming++;
        return bring;
    }
    if (pool->threads >= pool->threads_max) return bring;
    if (pool->threads > 0 && pool->start_again_ns != 0) { /* fewer than wished for will do */
        if (cedei_clock_now_ns() < pool->start_again_ns) return bring;
        pool->start_again_ns = 0;
    }
    bring.start = true;
    pool->coming++;
    pool->present++;
    if (++pool->threads > pool->peak) pool->peak = pool->threads;
    return bring;
}

/* Under the lock. */
static void alive_remove(struct cedei_worker *worker) {
    *worker->pool_back = worker->pool_next;
    if (worker->pool_next != NULL) worker->pool_next->pool_back = worker->pool_back;
}

/* Under the lock, which the last one must give back before the pool may be gone. */
static void present_less(struct cedei_pool *pool) {
    if (--pool->present == 0) cedei_cond_broadcast(&pool->gone);
}

static size_t worker_bytes(void) { return cedei_page_round(sizeof(struct cedei_worker)); }

static void worker_free(struct cedei_worker *worker) { cedei_map_release(worker, worker_bytes()); }

/* The thread frees itself: nobody joins it; `gone` says when the last has left. */
static void *pool_thread_main(void *context) {
    struct cedei_worker *worker = context;
    struct cedei_pool *pool = &worker->sched->pool;
    cedei_worker_run_thread(worker);
    cedei_worker_flush(worker);
    cedei_mutex_lock(&pool->lock);
    cedei_counts_fold(&pool->retired, &worker->counts);
    cedei_tallies_fold_shared(worker->sched->shared_tallies, worker->tallies, CEDEI_TALLY_ROWS);
    alive_remove(worker);
    worker_free(worker);
    present_less(pool);
    cedei_mutex_unlock(&pool->lock);
    return NULL;
}

static cede_result thread_make(struct cedei_sched *sched) {
    struct cedei_pool *pool = &sched->pool;
    /* Zero, as tallies have to be, and mostly never touched. */
    struct cedei_worker *worker = cedei_map_reserve(worker_bytes(), cedei_page_size());
    if (worker == NULL) return CEDE_ENOMEM;
    cedei_worker_init(worker, sched, UINT32_MAX, true);
    cedei_mutex_lock(&pool->lock);
    worker->pool_next = pool->alive;
    worker->pool_back = &pool->alive;
    if (worker->pool_next != NULL) worker->pool_next->pool_back = &worker->pool_next;
    pool->alive = worker;
    cedei_mutex_unlock(&pool->lock);
    cedei_thread thread; /* the worker may be gone when the start returns */
    cede_result r = cedei_worker_start(worker, &thread, pool_thread_main);
    if (r == CEDE_OK) {
        cedei_thread_detach(&thread);
        return CEDE_OK;
    }
    cedei_mutex_lock(&pool->lock);
    alive_remove(worker);
    cedei_mutex_unlock(&pool->lock);
    worker_free(worker);
    return r;
}

/* A thread that was counted on could not be made. `task` (may be NULL): the one that it was wanted for. Returns `why` when
 * that has been taken back, since there is no other thread either. */
static cede_result start_failed(struct cedei_sched *sched, struct cedei_task *task,
                                cede_result why) {
    struct cedei_pool *pool = &sched->pool;
    uint64_t again_ns = cedei_clock_now_ns() + RETRY_NS;
    cedei_mutex_lock(&pool->lock);
    pool->coming--;
    pool->threads--;
    pool->start_again_ns = again_ns;
    bool is_alone = pool->threads == 0;
    bool is_refused = is_alone && task != NULL && task->refuse && queue_remove(pool, task);
    bool is_stranded = is_alone && pool->first != NULL && !pool->stopping;
    cedei_mutex_unlock(&pool->lock);
    if (is_stranded) {
        cedei_sched_timer_add(sched, &pool->retry, again_ns);
        cedei_log_line(&sched->log, CEDE_LOG_ERROR,
                       "executor '%s': no thread for the blocking pool (%s): what waits for it waits "
                       "until one can be made",
                       sched->name, cede_result_text(why));
    }
    cedei_mutex_lock(&pool->lock);
    present_less(pool); /* last: until here the pool cannot be gone */
    cedei_mutex_unlock(&pool->lock);
    return is_refused ? why : CEDE_OK;
}

/* `worker`: the calling thread's, NULL for a plain one. */
static cede_result bring_do(struct cedei_sched *sched, struct cedei_worker *worker,
                            struct bring bring, struct cedei_task *task) {
    if (bring.wake != NULL) idle_wake(bring.wake);
    if (!bring.start) return CEDE_OK;
    /* A new thread inherits its maker's nice level and may not be allowed to lower it. */
    if (worker != NULL && worker->sched->nice > sched->nice) {
        sched->pool.start_for_other.place = cedei_place_of(sched->number, CEDEI_TASK_WORKER);
        return cedei_sched_submit(sched, NULL, &sched->pool.start_for_other);
    }
    cede_result r = thread_make(sched);
    return r == CEDE_OK ? CEDE_OK : start_failed(sched, task, r);
}

/* At most one is under way, since `coming` counts it. */
static struct cedei_worker *start_for_other(struct cedei_worker *worker, struct cedei_task *task) {
    (void)task;
    (void)bring_do(worker->sched, worker, (struct bring){.start = true}, NULL);
    return worker;
}

/* Makes the thread that could not be made before. */
static void retry_fire(struct cedei_timer *timer, void *context) {
    struct cedei_worker *worker = context;
    struct cedei_sched *sched = worker->sched;
    (void)timer;
    cedei_mutex_lock(&sched->pool.lock);
    struct bring bring = {0};
    if (sched->pool.first != NULL) bring = bring_choose(&sched->pool);
    cedei_mutex_unlock(&sched->pool.lock);
    (void)bring_do(sched, worker, bring, NULL);
}

cede_result cedei_pool_submit(struct cedei_sched *sched, struct cedei_worker *worker,
                              struct cedei_task *task) {
    struct cedei_pool *pool = &sched->pool;
    struct bring bring = {0};
    cedei_mutex_lock(&pool->lock);
    bool is_refused = pool->stopping && task->refuse;
    if (!is_refused) { /* an actor's is queued also while it stops; cedei_pool_take_rest finds it */
        queue_append(pool, task);
        bring = bring_choose(pool);
    }
    cedei_mutex_unlock(&pool->lock);
    return is_refused ? CEDE_ECLOSED : bring_do(sched, worker, bring, task);
}

/* ---- what its threads do ---- */

/* Without the lock, counted as coming: until there is something, or not for too long. */
static void look_on(struct cedei_pool *pool) {
    uint64_t until_ns = cedei_clock_now_ns() + pool->spin_ns;
    do
        for (int i = 0; i < 16 && queue_length(pool) == 0; i++) cedei_cpu_relax();
    while (queue_length(pool) == 0 && cedei_clock_now_ns() < until_ns);
}

static bool is_parked(struct cedei_worker *worker) {
    /* acquire: pairs with the release in idle_wake. */
    return atomic_load_explicit(&worker->parked, memory_order_acquire) != 0;
}

/* Under the lock, which it gives away meanwhile. False: it was idle for too long and leaves. */
static bool idle_sleep(struct cedei_pool *pool, struct cedei_worker *worker) {
    idle_put(pool, worker);
    cedei_mutex_unlock(&pool->lock);
    uint64_t leave_ns = cedei_clock_now_ns() + pool->idle_ns;
    while (is_parked(worker) && cedei_clock_now_ns() < leave_ns)
        cedei_futex_wait(&worker->parked, 1, leave_ns);
    cedei_mutex_lock(&pool->lock);
    if (worker->idle_back != NULL) {
        idle_remove(worker);
        return false;
    }
    while (is_parked(worker)) { /* whoever took us off the list is still about to write here */
        cedei_mutex_unlock(&pool->lock);
        cedei_futex_wait(&worker->parked, 1, UINT64_MAX);
        cedei_mutex_lock(&pool->lock);
    }
    pool->coming--; /* and has counted us */
    return true;
}

/* Under the lock, which it gives away meanwhile. NULL: to leave. */
static struct cedei_task *task_await(struct cedei_pool *pool, struct cedei_worker *worker) {
    bool has_looked = pool->spin_ns == 0;
    while (!pool->stopping) { /* until there is a task, the end, or nothing for too long */
        struct cedei_task *task = queue_pop(pool);
        if (task != NULL) return task;
        if (!has_looked && pool->coming == 0) {
            has_looked = true;
            pool->coming++;
            cedei_mutex_unlock(&pool->lock);
            look_on(pool);
            cedei_mutex_lock(&pool->lock);
            pool->coming--;
        } else if (!idle_sleep(pool, worker)) {
            break;
        }
    }
    return NULL;
}

struct cedei_task *cedei_pool_next(struct cedei_worker *worker) {
    struct cedei_pool *pool = &worker->sched->pool;
    struct bring bring = {0};
    worker->running = NULL;
    cedei_mutex_lock(&pool->lock);
    if (!worker->has_arrived) {
        worker->has_arrived = true;
        pool->coming--;
    }
    struct cedei_task *task = task_await(pool, worker);
    if (task == NULL)
        pool->threads--; /* in the same section: from here on nobody may count on this thread */
    else if (pool->first != NULL)
        bring = bring_choose(pool);
    cedei_mutex_unlock(&pool->lock);
    (void)bring_do(worker->sched, worker, bring, NULL);
    return task;
}

/* ---- the end ---- */

struct cedei_task *cedei_pool_take_rest(struct cedei_sched *sched) {
    return queue_pop(&sched->pool);
}

bool cedei_pool_stop(struct cedei_sched *sched, uint64_t deadline_ns) {
    struct cedei_pool *pool = &sched->pool;
    cedei_mutex_lock(&pool->lock);
    pool->stopping = true;
    while (pool->idle_first != NULL) { /* each round takes one off */
        struct cedei_worker *worker = pool->idle_first;
        idle_remove(worker);
        pool->coming++;
        idle_wake(worker);
    }
    bool in_time = true;
    while (pool->present > 0 && in_time) {
        if (deadline_ns == UINT64_MAX)
            cedei_cond_wait(&pool->gone, &pool->lock);
        else
            in_time = cedei_cond_wait_until(&pool->gone, &pool->lock, deadline_ns);
    }
    bool empty = pool->present == 0;
    cedei_mutex_unlock(&pool->lock);
    return empty;
}
