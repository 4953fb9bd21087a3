/* sched.c - the life of a scheduler: its threads are started and stopped here. What a worker runs next is in next.c, where
 * tasks wait in queue.c, how work is found elsewhere in steal.c, and how workers sleep and wake in park.c. */
#include "core/sched/sched_internal.h"

#include <stdio.h>
#include <string.h>

#include "core/base/base.h"
#include "core/sys/alloc.h"
#include "core/sys/clock.h"
#include "core/sys/fault.h"
#include "core/sys/map.h"

static void *worker_main(void *context) {
    struct cedei_worker *worker = context;
    cedei_worker_run_thread(worker);
    return NULL;
}

static size_t wheels_bytes(const struct cedei_sched *sched) {
    return cedei_page_round(sched->worker_count * sizeof(struct cedei_wheel));
}

/* Zero, which tallies have to be, and not touched before it is used. */
static size_t workers_bytes(const struct cedei_sched *sched) {
    return cedei_page_round(sched->seats_max * sizeof(struct cedei_worker) +
                            CEDEI_TALLY_ROWS * sizeof(struct cedei_tally));
}

static bool workers_make(struct cedei_sched *sched) {
    sched->workers = cedei_map_reserve(workers_bytes(sched), cedei_page_size());
    if (sched->workers == NULL) return false;
    sched->shared_tallies = (struct cedei_tally *)(void *)&sched->workers[sched->seats_max];
    return true;
}

static void workers_free(struct cedei_sched *sched) {
    cedei_map_release(sched->workers, workers_bytes(sched));
}

static bool wheels_init(struct cedei_sched *sched, const struct cedei_sched_options *options) {
    sched->wheels =
        cedei_map_reserve(wheels_bytes(sched), cedei_page_size()); /* mostly never touched */
    for (uint32_t i = 0; sched->wheels != NULL && i < sched->worker_count; i++)
        cedei_wheel_init(&sched->wheels[i], i, cedei_clock_now_ns(), options->post_fire,
                         options->post_context);
    return sched->wheels != NULL;
}

static void wheels_fini(struct cedei_sched *sched) {
    for (uint32_t i = 0; i < sched->worker_count; i++) cedei_wheel_fini(&sched->wheels[i]);
    cedei_map_release(sched->wheels, wheels_bytes(sched));
}

static void sched_release(struct cedei_sched *sched) {
    for (int i = 0; i < 2; i++) cedei_gate_fini(&sched->gates[i]);
    cedei_pool_fini(&sched->pool);
    cedei_block_depot_fini(&sched->depot);
    if (!sched->is_retired) {
        cedei_stack_pool_fini(&sched->stacks);
        for (uint32_t i = 0; i < CEDEI_STACK_SIZES; i++) cedei_stack_pool_fini(&sched->sized[i]);
    }
    cedei_reactor_fini(&sched->reactor);
    wheels_fini(sched);
    cedei_mutex_fini(&sched->global_lock);
    cedei_free(sched->cpus);
    workers_free(sched);
}

static void threads_stop(struct cedei_sched *sched, uint32_t started) {
    /* seq_cst: before the wakes; partner: cedei_is_stopping after a worker marked itself idle. */
    atomic_store_explicit(&sched->stopping, 1, memory_order_seq_cst);
    for (uint32_t i = 0; i < started; i++) {
        struct cedei_worker *worker = &sched->workers[i];
        uint32_t off = CEDEI_DUTY_OFF;
        (void)cedei_worker_wake(worker);
        /* relaxed: a spare worker that goes off duty only now looks at `stopping` first. */
        if (atomic_compare_exchange_strong_explicit(&worker->duty, &off, CEDEI_DUTY_ON,
                                                    memory_order_relaxed, memory_order_relaxed))
            cedei_futex_wake(&worker->duty, 1);
    }
}

static void threads_join(struct cedei_sched *sched, uint32_t started) {
    for (uint32_t i = 0; i < started; i++) {
        /* relaxed: only the lookout sets NONE, and it has ended. */
        if (atomic_load_explicit(&sched->workers[i].duty, memory_order_relaxed) != CEDEI_DUTY_NONE)
            cedei_thread_join(&sched->workers[i].thread);
    }
}

/* Until every worker has begun; whether all could keep what the options say. */
static bool workers_await(struct cedei_sched *sched) {
    for (;;) { /* each worker counts up once */
        /* acquire: pairs with the release in thread_settle. */
        uint32_t started = atomic_load_explicit(&sched->started, memory_order_acquire);
        if (started == sched->worker_count) break;
        cedei_futex_wait(&sched->started, started, UINT64_MAX);
    }
    /* relaxed: seen with `started`. */
    return atomic_load_explicit(&sched->start_fail, memory_order_relaxed) == 0;
}

static cede_result threads_start(struct cedei_sched *sched,
                                 const struct cedei_sched_options *options, uint32_t *started) {
    for (*started = 0; *started < sched->worker_count; ++*started) {
        struct cedei_worker *worker = &sched->workers[*started];
        cede_result r = cedei_worker_start(worker, &worker->thread, worker_main);
        if (r != CEDE_OK) return r;
    }
    if (sched->nice_is_set && !workers_await(sched)) return CEDE_EACCES;
    return options->no_lookout ? CEDE_OK : cedei_lookout_start(sched, options->turn_warn_ns);
}

static void flush(struct cedei_sched *sched) {
    uint32_t seats = cedei_sched_seats(sched);
    for (uint32_t i = 0; i < seats; i++) cedei_worker_flush(&sched->workers[i]);
}

/* A copy of its own: threads of the pool are made much later, and by threads that may keep to other processors. */
static cede_result cpus_take(struct cedei_sched *sched, const struct cedei_sched_options *options) {
    uint32_t count = options->cpu_count != 0 ? options->cpu_count : cedei_cpu_count();
    sched->cpus = cedei_alloc(count * sizeof *sched->cpus);
    if (sched->cpus == NULL) return CEDE_ENOMEM;
    if (options->cpu_count != 0)
        memcpy(sched->cpus, options->cpus, count * sizeof *sched->cpus);
    else
        count = cedei_cpu_list(sched->cpus, count);
    sched->cpu_count = count;
    sched->cpus_are_set = options->cpu_count != 0;
    return CEDE_OK;
}

static void options_take(struct cedei_sched *sched, const struct cedei_sched_options *options) {
    sched->worker_count = options->workers;
    sched->seats_max = options->no_lookout ? options->workers : CEDEI_WORKERS_MAX;
    /* Also of several one may be left alone later (scale.c). Asking for the first barrier takes a process of many threads some 10 ms:
     * rather now than then. */
    sched->may_be_alone = cedei_process_barrier() || options->no_lookout;
    sched->lookout.own_shared = options->workers > 1;
    sched->log = options->log;
    sched->describe = options->describe;
    sched->lease_take = options->lease_take;
    sched->first = options->first != NULL ? options->first : sched;
    sched->number = options->number;
    sched->owner = options->owner;
    snprintf(sched->name, sizeof sched->name, "%s", options->name != NULL ? options->name : "cede");
    int level = cedei_thread_nice(), usual = sched->first == sched ? level : sched->first->nice;
    sched->nice = options->nice != 0 ? options->nice : usual;
    sched->nice_is_set = sched->nice != level;
    sched->thread_start = options->thread_start;
    sched->thread_start_context = options->thread_start_context;
}

static void parts_init(struct cedei_sched *sched, const struct cedei_sched_options *options) {
    uint32_t pool_max = options->pool_queue_max;
    uint32_t jobs_max = options->jobs_queue_max != 0 ? options->jobs_queue_max : pool_max;
    cedei_mutex_init(&sched->global_lock);
    cedei_stack_pool_init(&sched->stacks, options->stack_size);
    for (uint32_t i = 0; i < CEDEI_STACK_SIZES; i++)
        cedei_stack_pool_init(&sched->sized[i], (size_t)1 << (CEDEI_STACK_SIZE_LOG_MIN + i));
    cedei_block_depot_init(&sched->depot);
    cedei_reactor_init(&sched->reactor);
    cedei_pool_init(&sched->pool, options);
    cedei_gate_init(&sched->gates[CEDEI_TASK_WORKER], (uint64_t)jobs_max + options->workers);
    cedei_gate_init(&sched->gates[CEDEI_TASK_POOL], (uint64_t)pool_max + options->pool_threads_max);
    if (sched->first != sched) return; /* the others get into the table when they are ready */
    /* release: pairs with the acquire in cedei_sched_at. */
    atomic_store_explicit(&sched->members[sched->number], sched, memory_order_release);
}

cede_result cedei_sched_init(struct cedei_sched *sched, const struct cedei_sched_options *options) {
    memset(sched, 0, sizeof *sched);
    cedei_fault_install(cedei_overflow_explain);
    options_take(sched, options);
    cede_result r = cpus_take(sched, options);
    if (r != CEDE_OK) return r;
    if (!workers_make(sched)) {
        cedei_free(sched->cpus);
        return CEDE_ENOMEM;
    }
    if (!wheels_init(sched, options)) {
        workers_free(sched);
        cedei_free(sched->cpus);
        return CEDE_ENOMEM;
    }
    parts_init(sched, options);
    for (uint32_t i = 0; i < options->workers; i++)
        cedei_worker_init(&sched->workers[i], sched, i, false);
    /* release: pairs with cedei_sched_seats. */
    atomic_store_explicit(&sched->seats, options->workers, memory_order_release);
    uint32_t started = 0;
    r = threads_start(sched, options, &started);
    if (r == CEDE_OK) return CEDE_OK;
    threads_stop(sched, started);
    threads_join(sched, started);
    flush(sched);
    sched_release(sched);
    return r;
}

/* Workers that are stuck in a turn are reported by a thread that does nothing else, while we wait in join. */
struct stop_watch {
    _Atomic uint32_t done;
    void (*still)(void *context, unsigned seconds);
    void *context;
};

static void *stop_watch_main(void *context) {
    struct stop_watch *watch = context;
    enum { QUIET_SECONDS = 5 };
    uint64_t start_ns = cedei_clock_now_ns();
    for (unsigned seconds = 1;; seconds++) { /* ends when the joiner is done */
        uint64_t until_ns = start_ns + (uint64_t)seconds * 1000000000u;
        while (cedei_clock_now_ns() < until_ns) {
            /* acquire: pairs with the release in cedei_sched_stop. */
            if (atomic_load_explicit(&watch->done, memory_order_acquire)) return NULL;
            cedei_futex_wait(&watch->done, 0, until_ns);
        }
        if (seconds >= QUIET_SECONDS) watch->still(watch->context, seconds);
    }
}

void cedei_sched_stop(struct cedei_sched *sched, void (*still)(void *, unsigned), void *context) {
    struct stop_watch watch = {.still = still, .context = context};
    cedei_thread watcher;
    bool watched = cedei_thread_start(&watcher, "cede-stop", stop_watch_main, &watch) == CEDE_OK;
    cedei_lookout_stop(sched); /* calls no further worker */
    threads_stop(sched, cedei_sched_seats(sched));
    threads_join(sched, cedei_sched_seats(sched));
    cedei_pool_stop(sched, UINT64_MAX);
    if (watched) {
        /* release: pairs with the acquire in stop_watch_main. */
        atomic_store_explicit(&watch.done, 1, memory_order_release);
        cedei_futex_wake(&watch.done, 1);
        cedei_thread_join(&watcher);
    }
}

struct cedei_task *cedei_sched_take_rest(struct cedei_sched *sched) {
    struct cedei_task *task = cedei_pool_take_rest(sched);
    if (task != NULL) return task;
    task = sched->global_first;
    if (task != NULL) {
        sched->global_first = task->next;
        return task;
    }
    uint32_t seats = cedei_sched_seats(sched);
    for (uint32_t i = 0; i < seats && task == NULL; i++) {
        task = cedei_lifo_take(&sched->workers[i]);
        if (task == NULL) task = cedei_runqueue_pop(&sched->workers[i].queue, NULL);
    }
    return task;
}

void cedei_sched_retire(struct cedei_sched *sched) {
    flush(sched);
    cedei_stack_pool_fini(&sched->stacks);
    sched->is_retired = true;
}

void cedei_sched_fini(struct cedei_sched *sched) {
    if (!sched->is_retired) flush(sched);
    sched_release(sched);
}

/* ---- figures ---- */

struct cedei_stack_pool *cedei_sched_stacks(struct cedei_sched *sched, size_t size) {
    if (size == sched->stacks.spacing) return &sched->stacks;
    for (uint32_t i = 0; i < CEDEI_STACK_SIZES; i++)
        if (sched->sized[i].spacing == size) return &sched->sized[i];
    return NULL;
}

void cedei_sched_turn_lengths(struct cedei_sched *sched, uint64_t *out) {
    uint32_t seats = cedei_sched_seats(sched);
    for (uint32_t i = 0; i < CEDEI_TURN_LENGTHS; i++) {
        out[i] = cedei_count_read(&sched->lookout.lengths[i]);
        for (uint32_t k = 0; k < seats; k++)
            out[i] += cedei_count_read(&sched->workers[k].sample.lengths[i]);
    }
}
