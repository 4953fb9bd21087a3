/* system.c - setting a system up and taking it down. */
#include <string.h>

#include "actors/actor/actor.h"
#include "actors/actor/audit.h"
#include "actors/actor/births.h"
#include "actors/actor/inbox.h"
#include "actors/actor/signal.h"
#include "core/sys/alloc.h"
#include "core/sys/guard.h"
#include "core/sys/random.h"

/* ---- options ---- */

enum {
    BLOCKING_THREADS_DEFAULT = 512,
    BLOCKING_THREADS_LIMIT = 4096,
    BLOCKING_QUEUE_DEFAULT = 65536,
    STACK_SIZE_DEFAULT = 64 * 1024,
    STACK_SIZE_MIN = 16 * 1024,
    STACK_SIZE_MAX = 8 * 1024 * 1024,
    ACTORS_DEFAULT = 1 << 26
};
#define TURN_WARN_DEFAULT_NS (CEDE_SECONDS(1) / 100)
#define BLOCKING_IDLE_DEFAULT_NS CEDE_SECONDS(10)

static cede_result option_bad(const struct cedei_log *log, const char *name, uint64_t value,
                              const char *allowed) {
    cedei_log_line(log, CEDE_LOG_ERROR, "struct cede_options: %s is %llu; it must be %s", name,
                   (unsigned long long)value, allowed);
    return CEDE_EINVAL;
}

static cede_result options_check(const struct cede_options *given, const struct cedei_log *log) {
    if (given->workers > CEDEI_WORKERS_MAX)
        return option_bad(log, "workers", given->workers, "at most 64 (0: one per processor)");
    if (given->blocking_threads_max > BLOCKING_THREADS_LIMIT)
        return option_bad(log, "blocking_threads_max", given->blocking_threads_max,
                          "at most 4096 (0: 512)");
    size_t size = given->stack_size;
    if (size != 0 && (size < STACK_SIZE_MIN || size > STACK_SIZE_MAX || (size & (size - 1)) != 0))
        return option_bad(log, "stack_size", size,
                          "a power of two from 16384 to 8388608 bytes (0: 65536)");
    if (given->actors_max > ACTORS_DEFAULT)
        return option_bad(log, "actors_max", given->actors_max, "at most 67108864");
    return CEDE_OK;
}

static struct cedei_sched_options sched_options(const struct cede_options *given,
                                                const struct cedei_log *log) {
    uint32_t cpus = cedei_cpu_count();
    return (struct cedei_sched_options){
        .workers = given->workers != 0         ? given->workers
                   : cpus <= CEDEI_WORKERS_MAX ? cpus
                                               : CEDEI_WORKERS_MAX,
        .pool_threads_max = given->blocking_threads_max != 0 ? given->blocking_threads_max
                                                             : BLOCKING_THREADS_DEFAULT,
        .pool_queue_max =
            given->blocking_queue_max != 0 ? given->blocking_queue_max : BLOCKING_QUEUE_DEFAULT,
        .pool_idle_ns =
            given->blocking_idle_ns != 0 ? given->blocking_idle_ns : BLOCKING_IDLE_DEFAULT_NS,
        .stack_size = given->stack_size != 0 ? given->stack_size : STACK_SIZE_DEFAULT,
        .turn_warn_ns = given->turn_warn_ns != 0 ? given->turn_warn_ns : TURN_WARN_DEFAULT_NS,
        .log = *log,
        .describe = cedei_turn_describe,
        .lease_take = cedei_turn_lease_take,
    };
}

/* ---- life ---- */

cede_result cede_system_create(cede_system **out, const struct cede_options *options) {
    static const struct cede_options DEFAULTS;
    if (out == NULL) return CEDE_EINVAL;
    if (options == NULL) options = &DEFAULTS;
    struct cedei_log log = {.write = options->log,
                            .context = options->log_context,
                            .level = options->log_level != CEDE_LOG_DEFAULT ? options->log_level
                                                                            : CEDE_LOG_WARNING};
    cede_result r = options_check(options, &log);
    if (r != CEDE_OK) return r;
    r = CEDE_ENOMEM;
    cede_system *system = cedei_alloc_aligned(CEDEI_CACHE_LINE, sizeof *system);
    if (system == NULL) return r;
    memset(system, 0, sizeof *system);
    system->log = log;
    system->strict = options->strict;
    if (system->strict) cedei_guard_begin();
    system->dead_letter = options->dead_letter;
    system->dead_letter_context = options->dead_letter_context;
    while (system->uid == 0) system->uid = cedei_random_u64();
    system->fast_uid = system->strict ? cedei_random_u64() : system->uid;
    uint32_t actors_max = options->actors_max != 0 ? options->actors_max : ACTORS_DEFAULT;
    if ((r = cedei_table_init(system, actors_max)) != CEDE_OK) goto free_system;
    cedei_mutex_init(&system->watch_lock);
    cedei_mutex_init(&system->strict_lock);
    cedei_mutex_init(&system->inbox_lock);
    cedei_mutex_init(&system->local_lock);
    cedei_mutex_init(&system->executor_lock);
    struct cedei_sched_options sched = sched_options(options, &log);
    sched.post_fire = cedei_later_fire;
    sched.post_context = system;
    sched.owner = system;
    if ((r = cedei_sched_init(&system->sched, &sched)) != CEDE_OK) goto fini_table;
    cede_cancel_init(&system->cancels[0], NULL);
    system->births = cedei_births_create();
    *out = system;
    return CEDE_OK;
fini_table:
    cedei_mutex_fini(&system->inbox_lock);
    cedei_mutex_fini(&system->local_lock);
    cedei_mutex_fini(&system->executor_lock);
    cedei_mutex_fini(&system->strict_lock);
    cedei_mutex_fini(&system->watch_lock);
    cedei_table_fini(system);
free_system:
    cedei_free(system);
    cedei_log_line(&log, CEDE_LOG_ERROR, "cede_system_create: %s", cede_result_text(r));
    return r;
}

/* What never ran; jobs among it belong to actors, which are ended next. */
static void rest_abandon(cede_system *system) {
    for (uint32_t number = 0; number < CEDEI_EXECUTORS_MAX; number++) {
        struct cedei_sched *sched = cedei_sched_at(&system->sched, number << 1);
        struct cedei_task *task = NULL;
        while (sched != NULL && (task = cedei_sched_take_rest(sched)) != NULL)
            cedei_job_abandon(task);
    }
}

/* No thread of ours is left; what the actors own is dropped here. */
static void actors_end(cede_system *system) {
    rest_abandon(system);
    for (uint32_t slot = 0; slot < system->slots_used; slot++) {
        struct cede_self *actor = cedei_table_slot(system, slot);
        actor->worker = NULL;
        if ((cedei_signals_of(actor) & CEDEI_SIGNAL_FREE) == 0) cedei_life_end(actor, CEDE_ECLOSED);
        if (actor->lease != NULL) cedei_stack_give_slow(actor->lease->pool, actor->lease);
        actor->lease = NULL;
    }
    for (uint32_t slot = 0; slot < system->slots_used; slot++)
        cedei_extra_destroy(cedei_table_slot(system, slot));
    for (uint32_t slot = 0; slot < system->slots_used; slot++) {
        struct cede_self *actor = cedei_table_slot(system, slot);
        cedei_room_end(actor); /* what came after its end */
        while (actor->pending != NULL || cedei_turn_fetch(actor)) {
            struct cedei_msg *msg = actor->pending;
            if (msg == NULL) continue;
            actor->pending = msg->next;
            cedei_mail_leave(actor, msg);
            cedei_msg_dead_letter_of(actor, NULL, msg, CEDE_ECLOSED);
        }
    }
    for (uint32_t slot = 0; slot < system->slots_used; slot++)
        cedei_room_destroy(cedei_table_slot(system, slot));
    cedei_later_discard(system);
}

void cede_system_destroy(cede_system *system) { cedei_system_destroy(system, NULL); }

void cedei_system_destroy(cede_system *system, struct cede_metrics *last) {
    if (system == NULL) return;
    struct cedei_worker *worker = cedei_worker_current();
    if (cedei_sched_has(&system->sched, worker))
        cedei_fatal(
            "cede: cede_system_destroy called from a turn of the same system: it would wait for "
            "itself; call it from a plain thread");
    /* relaxed: spawns that come a moment late are ended with the others. */
    atomic_store_explicit(&system->closing, 1, memory_order_relaxed);
    cedei_signals_forget_system(system);
    cede_cancel_request(&system->cancels[0]);
    cedei_executors_stop(system);
    cedei_sched_stop(&system->sched, cedei_executor_still, &system->sched);
    const struct cedei_remote_ops *ops = cedei_remote_ops_of(system);
    if (ops != NULL) ops->destroy(system->remote_context);
    /* relaxed: no other thread is left. */
    atomic_store_explicit(&system->remote_ops, NULL, memory_order_relaxed);
    cedei_inboxes_end(system);
    actors_end(system);
    cedei_locals_end(system);
    if (last != NULL) cede_system_metrics(system, last);
    cedei_audit(system);
    cedei_births_destroy(system->births);
    system->births = NULL;
    cedei_quarantine_fini(system);
    cedei_executors_free(system);
    cedei_sched_fini(&system->sched);
    cedei_mutex_fini(&system->inbox_lock);
    cedei_mutex_fini(&system->local_lock);
    cedei_mutex_fini(&system->executor_lock);
    cedei_mutex_fini(&system->strict_lock);
    cedei_mutex_fini(&system->watch_lock);
    cedei_table_fini(system);
    cedei_free(system);
}

cede_system *cede_self_system(cede_self *self) { return self != NULL ? self->system : NULL; }

cede_ref cede_self_ref(cede_self *self) {
    return self != NULL ? cedei_ref_of(self) : (cede_ref){0};
}

/* ---- stacks ---- */

cede_result cede_system_stacks(cede_system *system, size_t stack_size, struct cede_stacks *out) {
    if (system == NULL || out == NULL) return CEDE_EINVAL;
    struct cedei_stack_use use;
    struct cedei_stack_pool *pool =
        stack_size == 0 ? &system->sched.stacks : cedei_sched_stacks(&system->sched, stack_size);
    if (pool == NULL) return CEDE_EINVAL;
    cede_result r = cedei_stack_pool_measure(pool, &use);
    if (r != CEDE_OK) return r;
    *out = (struct cede_stacks){.stacks = use.stacks,
                                .resident_bytes = use.resident_bytes,
                                .high_water_bytes = use.high_water_bytes};
    return CEDE_OK;
}

/* ---- the seam to nodes ---- */

uint64_t cedei_system_uid(cede_system *system) { return system->uid; }

struct cedei_sched *cedei_system_sched(cede_system *system) { return &system->sched; }

cede_result cedei_system_set_remote(cede_system *system, const struct cedei_remote_ops *ops,
                                    void *context) {
    cede_result r = CEDE_EEXIST;
    cedei_mutex_lock(&system->watch_lock);
    if (cedei_remote_ops_of(system) == NULL) {
        system->remote_context = context;
        /* release: pairs with the acquire in cedei_remote_ops_of. */
        atomic_store_explicit(&system->remote_ops, ops, memory_order_release);
        r = CEDE_OK;
    }
    cedei_mutex_unlock(&system->watch_lock);
    return r;
}

void *cedei_system_remote(cede_system *system) {
    return cedei_remote_ops_of(system) != NULL ? system->remote_context : NULL;
}

/* ---- reports ---- */

void cedei_log(cede_system *system, enum cede_log_level level, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    cedei_log_arguments(&system->log, level, format, arguments);
    va_end(arguments);
}

void cedei_self_check_failed(cede_self *self, const char *call, const char *here) {
    struct cedei_worker *worker = cedei_worker_current();
    if (worker == NULL && self->worker != NULL && self->worker->is_seat) return; /* of an inbox */
    if (worker == NULL)
        cedei_fatal(
            "cede: %s%s%s: called with a cede_self from a plain thread; only the actor's own turn may use "
            "it (from a plain thread, use cede_block_on or cede_inbox)",
            call, *here ? " at " : "", here);
    cedei_fatal(
        "cede: %s%s%s: the cede_self belongs to actor '%s', whose turn is not running here; a cede_self "
        "must not be stored or handed to another actor or thread",
        call, *here ? " at " : "", here, self->behaviour != NULL ? self->behaviour->name : "?");
}
