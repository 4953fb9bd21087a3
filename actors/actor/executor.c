/* executor.c - further executors of a system: options, closing, and the end.
 * Invariants: (1) an executor is in the table of the first one from its creation until its threads have ended; (2) nothing
 * is submitted to it once `closed` was seen, and whoever counts itself in (tenants, gates) looks at `closed` afterwards,
 * so that cedei_executor_close and those who come see each other; (3) its memory stays until the system goes: somebody
 * who has just submitted the last task to it may still be about to look whether a worker sleeps. */
#include <string.h>

#include "actors/actor/actor.h"
#include "actors/actor/tally.h"
#include "core/sys/alloc.h"

enum {
    THREADS_DEFAULT = 512,
    THREADS_LIMIT = 4096,
    QUEUE_DEFAULT = 65536,
    STACK_SIZE_MIN = 16 * 1024,
    STACK_SIZE_MAX = 8 * 1024 * 1024,
    NICE_MIN = -20,
    NICE_MAX = 19
};

static cede_system *system_of(struct cedei_sched *sched) { return sched->owner; }

/* ---- options ---- */

static cede_result option_bad(const struct cedei_log *log, const char *name, long long value,
                              const char *allowed) {
    cedei_log_line(log, CEDE_LOG_ERROR, "struct cede_executor_options: %s is %lld; it must be %s",
                   name, value, allowed);
    return CEDE_EINVAL;
}

static cede_result options_check(const struct cede_executor_options *given,
                                 const struct cedei_log *log) {
    if (given->workers > CEDEI_WORKERS_MAX)
        return option_bad(log, "workers", given->workers, "at most 64 (0: one per processor)");
    if (given->blocking_threads_max > THREADS_LIMIT)
        return option_bad(log, "blocking_threads_max", given->blocking_threads_max,
                          "at most 4096 (0: 512)");
    size_t size = given->stack_size;
    if (size != 0 && (size < STACK_SIZE_MIN || size > STACK_SIZE_MAX || (size & (size - 1)) != 0))
        return option_bad(log, "stack_size", (long long)size,
                          "a power of two from 16384 to 8388608 bytes (0: as the first executor)");
    if (given->nice < NICE_MIN || given->nice > NICE_MAX)
        return option_bad(log, "nice", given->nice, "from -20 to 19");
    if (given->cpu_count > 0 && given->cpus == NULL)
        return option_bad(log, "cpu_count", given->cpu_count, "0 when cpus is NULL");
    return CEDE_OK;
}

static uint32_t or_default(uint32_t given, uint32_t otherwise) {
    return given != 0 ? given : otherwise;
}

static struct cedei_sched_options sched_options(cede_system *system,
                                                const struct cede_executor_options *given) {
    uint32_t cpus = given->cpu_count != 0 ? given->cpu_count : system->sched.cpu_count;
    return (struct cedei_sched_options){
        .workers = or_default(given->workers, cpus <= CEDEI_WORKERS_MAX ? cpus : CEDEI_WORKERS_MAX),
        .pool_threads_max = or_default(given->blocking_threads_max, THREADS_DEFAULT),
        .pool_queue_max = or_default(given->blocking_queue_max, QUEUE_DEFAULT),
        .jobs_queue_max = or_default(given->jobs_queue_max, QUEUE_DEFAULT),
        .pool_idle_ns = given->blocking_idle_ns != 0 ? given->blocking_idle_ns : CEDE_SECONDS(10),
        .stack_size = given->stack_size != 0 ? given->stack_size : system->sched.stacks.spacing,
        .turn_warn_ns = given->turn_warn_ns,
        .no_lookout = given->turn_warn_ns == 0,
        .log = system->log,
        .describe = cedei_turn_describe,
        .lease_take = cedei_turn_lease_take,
        .first = &system->sched,
        .owner = system,
        .name = given->name != NULL ? given->name : "executor",
        .cpus = given->cpus,
        .cpu_count = given->cpu_count,
        .nice = given->nice,
        .thread_start = given->thread_start,
        .thread_start_context = given->thread_start_context,
    };
}

/* ---- beginning ---- */

/* Under the lock: a number that no living executor has; 0: none is left. */
static uint32_t number_free(cede_system *system) {
    for (uint32_t number = 1; number < CEDEI_EXECUTORS_MAX; number++)
        if (cedei_sched_at(&system->sched, number << 1) == NULL) return number;
    return 0;
}

/* Under the lock. */
static cede_result executor_begin(cede_system *system, const struct cede_executor_options *given,
                                  cede_executor *executor) {
    struct cedei_sched_options options = sched_options(system, given);
    options.number = number_free(system);
    if (options.number == 0) return CEDE_ELIMIT;
    /* relaxed: cede_system_destroy takes the lock after it has set it. */
    if (atomic_load_explicit(&system->closing, memory_order_relaxed) != 0) return CEDE_ECLOSED;
    cede_result r = cedei_sched_init(&executor->sched, &options);
    if (r != CEDE_OK) return r;
    cede_cancel_init(&system->cancels[options.number], &system->cancels[0]);
    /* release: pairs with the acquire in cedei_sched_at. */
    atomic_store_explicit(&system->sched.members[options.number], &executor->sched,
                          memory_order_release);
    return CEDE_OK;
}

cede_result cede_executor_create(cede_system *system, const struct cede_executor_options *options,
                                 cede_executor **out) {
    static const struct cede_executor_options DEFAULTS;
    if (system == NULL || out == NULL) return CEDE_EINVAL;
    if (options == NULL) options = &DEFAULTS;
    cede_result r = options_check(options, &system->log);
    if (r != CEDE_OK) return r;
    cede_executor *executor = cedei_alloc_aligned(CEDEI_CACHE_LINE, sizeof *executor);
    if (executor == NULL) return CEDE_ENOMEM;
    executor->retired_next = NULL;
    cedei_mutex_lock(&system->executor_lock);
    r = executor_begin(system, options, executor);
    cedei_mutex_unlock(&system->executor_lock);
    if (r == CEDE_OK) {
        *out = executor;
        return CEDE_OK;
    }
    cedei_free(executor);
    cedei_log_line(&system->log, CEDE_LOG_ERROR, "cede_executor_create '%s': %s%s",
                   options->name != NULL ? options->name : "executor", cede_result_text(r),
                   r == CEDE_EINVAL ? ": none of its cpus is there" : "");
    return r;
}

cede_executor *cede_system_executor(cede_system *system) {
    return cedei_executor_of(&system->sched);
}

cede_executor *cede_self_executor(cede_self *self) {
    return cedei_executor_of(self->worker->sched);
}

const char *cede_executor_name(const cede_executor *executor) { return executor->sched.name; }

/* ---- closing ---- */

cede_result cedei_executor_check(struct cedei_sched *sched, const char *call) {
    enum { AGAIN_NS = 1000000000 };
    if (CEDEI_LIKELY(!cedei_sched_is_closed(sched))) return CEDE_OK;
    uint64_t now_ns = cedei_clock_now_ns();
    /* relaxed (both): at most one line a second, or a few at once. */
    uint64_t last_ns = atomic_load_explicit(&sched->refused_ns, memory_order_relaxed);
    if (last_ns == 0 || now_ns - last_ns >= AGAIN_NS) {
        atomic_store_explicit(&sched->refused_ns, now_ns, memory_order_relaxed);
        cedei_log_line(&sched->log, CEDE_LOG_WARNING,
                       "executor '%s' is closed: %s is refused (CEDE_ECLOSED)", sched->name, call);
    }
    return CEDE_ECLOSED;
}

void cedei_executor_depart(struct cedei_sched *sched) {
    if (CEDEI_LIKELY(!cedei_sched_is_closed(sched))) return;
    /* release: after the count that went down; pairs with the acquire in empty_await. */
    atomic_fetch_add_explicit(&sched->departed, 1, memory_order_release);
    cedei_futex_wake(&sched->departed, 64);
}

static void tenants_kill(struct cedei_sched *sched, struct cedei_worker *worker) {
    cede_system *system = system_of(sched);
    cedei_mutex_lock(&system->table_lock);
    uint32_t slots = system->slots_used;
    cedei_mutex_unlock(&system->table_lock);
    for (uint32_t slot = 0; slot < slots; slot++) {
        struct cede_self *actor = cedei_table_slot(system, slot);
        cede_ref ref = cedei_ref_of(actor);
        /* seq_cst: after `closed` was set; who comes later sees that. */
        if (atomic_load_explicit(&actor->executor, memory_order_seq_cst) == sched->number)
            (void)cedei_life_kill(system, worker, ref); /* it may end by itself at this moment */
    }
}

static void executor_close(struct cedei_sched *sched) {
    struct cedei_worker *worker = cedei_worker_current();
    if (!cedei_sched_has(sched, worker)) worker = NULL;
    /* seq_cst: see cedei_sched_is_closed. */
    if (atomic_exchange_explicit(&sched->closed, 1, memory_order_seq_cst) != 0) return;
    cede_cancel_request(&system_of(sched)->cancels[sched->number]);
    tenants_kill(sched, worker);
}

void cede_executor_close(cede_executor *executor) {
    if (executor == NULL || executor->sched.number == 0) return;
    executor_close(&executor->sched);
}

/* ---- the end ---- */

CEDEI_NO_TSAN void cedei_executor_still(void *context, unsigned seconds) {
    struct cedei_sched *sched = context;
    char what[256] = "";
    for (uint32_t i = 0; i < cedei_sched_seats(sched); i++) {
        struct cedei_task *task = sched->workers[i].running; /* a racy look, for a report */
        if (task == NULL) continue;
        cedei_turn_describe(task, what, sizeof what);
        cedei_log_line(&sched->log, CEDE_LOG_WARNING,
                       "shutting down since %u s: %s still runs on worker %u of executor '%s'",
                       seconds, what, i, sched->name);
    }
}

static bool is_empty(struct cedei_sched *sched) {
    /* acquire (all): pairs with the seq_cst counts down, tenancy_end and cedei_gate_leave: all of what ended is seen. */
    return atomic_load_explicit(&sched->tenants, memory_order_acquire) == 0 &&
           atomic_load_explicit(&sched->gates[0].inside, memory_order_acquire) == 0 &&
           atomic_load_explicit(&sched->gates[1].inside, memory_order_acquire) == 0;
}

static void empty_await(struct cedei_sched *sched) {
    enum { QUIET_SECONDS = 5 };
    uint64_t start_ns = cedei_clock_now_ns();
    unsigned seconds = QUIET_SECONDS;
    for (;;) { /* until the last turn and job have ended */
        /* acquire: pairs with the release in cedei_executor_depart. */
        uint32_t departed = atomic_load_explicit(&sched->departed, memory_order_acquire);
        if (is_empty(sched)) return;
        uint64_t report_ns = start_ns + seconds * 1000000000ull;
        if (cedei_clock_now_ns() >= report_ns)
            cedei_executor_still(sched, seconds++);
        else
            cedei_futex_wait(&sched->departed, departed, report_ns);
    }
}

static void past_tallies_add(void *context, struct cedei_tally *tallies) {
    cede_system *system = context;
    cedei_tallies_fold_shared(system->sched.shared_tallies, tallies, cedei_tally_rows());
}

/* Under the lock: of an executor whose threads have ended. */
static void executor_retire(cede_system *system, cede_executor *executor) {
    struct cedei_sched *sched = &executor->sched;
    /* release: pairs with the acquire in cedei_sched_at. */
    atomic_store_explicit(&system->sched.members[sched->number], NULL, memory_order_release);
    struct cedei_counts counts;
    cedei_sched_counts(sched, &counts);
    cedei_counts_fold(&system->past_counts, &counts);
    cedei_sched_tallies(sched, past_tallies_add, system);
    cedei_sched_retire(sched);
    executor->retired_next = system->retired;
    system->retired = executor;
}

void cede_executor_destroy(cede_executor *executor) {
    if (executor == NULL) return;
    struct cedei_sched *sched = &executor->sched;
    struct cedei_worker *worker = cedei_worker_current();
    if (sched->number == 0)
        cedei_fatal(
            "cede: cede_executor_destroy of the executor that the system began with; it ends with "
            "cede_system_destroy");
    if (worker != NULL && (worker->sched == sched || !worker->is_pool))
        cedei_fatal(
            "cede: cede_executor_destroy called from a worker, or from the executor itself: it would "
            "wait for itself; call it from a plain thread, or from a job of another executor");
    executor_close(sched);
    empty_await(sched);
    cedei_sched_stop(sched, cedei_executor_still, sched);
    cede_system *system = system_of(sched);
    cedei_mutex_lock(&system->executor_lock);
    executor_retire(system, executor);
    cedei_mutex_unlock(&system->executor_lock);
}

void cedei_executors_stop(cede_system *system) {
    /* Who creates one now has seen `closing`, or is in the table once the lock is ours. */
    cedei_mutex_lock(&system->executor_lock);
    cedei_mutex_unlock(&system->executor_lock);
    for (uint32_t number = 1; number < CEDEI_EXECUTORS_MAX; number++) {
        struct cedei_sched *sched = cedei_sched_at(&system->sched, number << 1);
        if (sched != NULL) cedei_sched_stop(sched, cedei_executor_still, sched);
    }
}

void cedei_executors_free(cede_system *system) {
    for (uint32_t number = 1; number < CEDEI_EXECUTORS_MAX; number++) {
        struct cedei_sched *sched = cedei_sched_at(&system->sched, number << 1);
        if (sched == NULL) continue;
        executor_retire(system, cedei_executor_of(sched));
    }
    while (system->retired != NULL) { /* each round takes one off */
        cede_executor *executor = system->retired;
        system->retired = executor->retired_next;
        cedei_sched_fini(&executor->sched);
        cedei_free(executor);
    }
}
