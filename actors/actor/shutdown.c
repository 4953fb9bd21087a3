/* shutdown.c - ending a system in order and by a deadline, and saying who did not end.
 * Works on a plain thread, beside the workers, which go on to the end. What it says about an actor is what a look from outside
 * shows: fields that belong to the actor are only compared and printed, never followed to what might be freed. */
#include <stdio.h>
#include <string.h>

#include "actors/actor/actor.h"
#include "actors/actor/cycle.h"
#include "actors/actor/inbox.h"
#include "core/sys/interrupt.h"
#include "core/sys/thread.h"

#define DEADLINE_DEFAULT_NS CEDE_SECONDS(5)
#define GRACE_NS CEDE_MILLIS(250) /* for those that were killed */
enum { LINES_MAX = 32, TEXT_SIZE = 160 };

struct shutdown {
    cede_system *system;
    const struct cede_shutdown_options *options;
    uint64_t start_ns, deadline_ns;
    uint32_t told; /* survivors of this round */
    bool was_killed;
};

/* ---- waiting ---- */

static void nap(uint64_t until_ns) {
    static _Atomic uint32_t never = 0;
    cedei_futex_wait(&never, 0, until_ns);
}

/* Until `is_done`, or the limit: false. Looks often at first. */
static bool done_await(struct shutdown *shutdown, bool (*is_done)(struct shutdown *, cede_ref),
                       cede_ref actor, uint64_t limit_ns) {
    enum { STEP_MAX_NS = 5000000 };
    uint64_t step_ns = 50000;
    for (;;) { /* ends at the limit */
        if (is_done(shutdown, actor)) return true;
        uint64_t now_ns = cedei_clock_now_ns();
        if (now_ns >= limit_ns) return false;
        nap(limit_ns - now_ns < step_ns ? limit_ns : now_ns + step_ns);
        if (step_ns < STEP_MAX_NS) step_ns *= 2;
    }
}

/* ---- who is there ---- */

static uint32_t slots_used(cede_system *system) {
    cedei_mutex_lock(&system->table_lock);
    uint32_t slots = system->slots_used;
    cedei_mutex_unlock(&system->table_lock);
    return slots;
}

/* The next actor from `*slot` on that is no inbox: those are their threads'. NULL: there is none. */
static struct cede_self *survivor_next(cede_system *system, uint32_t *slot, uint32_t slots) {
    while (*slot < slots) {
        struct cede_self *actor = cedei_table_slot(system, (*slot)++);
        if ((cedei_signals_of(actor) & CEDEI_SIGNAL_FREE) == 0 && !cedei_inbox_is(actor))
            return actor;
    }
    return NULL;
}

static bool root_has_ended(struct shutdown *shutdown, cede_ref root) {
    return cedei_table_find(shutdown->system, root) == NULL;
}

static bool jobs_have_ended(cede_system *system) {
    bool ended = true;
    cedei_mutex_lock(&system->executor_lock);
    for (uint32_t number = 0; number < CEDEI_EXECUTORS_MAX; number++) {
        struct cedei_sched *sched = cedei_sched_at(&system->sched, number << 1);
        for (int place = 0; sched != NULL && place < 2; place++)
            /* acquire: pairs with the seq_cst count down in cedei_gate_leave. */
            if (atomic_load_explicit(&sched->gates[place].inside, memory_order_acquire) != 0)
                ended = false;
    }
    cedei_mutex_unlock(&system->executor_lock);
    return ended;
}

static bool all_have_ended(struct shutdown *shutdown, cede_ref nobody) {
    (void)nobody;
    cede_system *system = shutdown->system;
    struct cede_metrics metrics;
    cede_system_metrics(system, &metrics);
    uint64_t inboxes = 0;
    cedei_mutex_lock(&system->inbox_lock);
    for (cede_inbox *inbox = system->inboxes; inbox != NULL; inbox = inbox->next) inboxes++;
    cedei_mutex_unlock(&system->inbox_lock);
    if (metrics.actors_spawned > metrics.actors_ended + inboxes) return false;
    uint32_t slot = 0; /* the counts are not of one moment */
    return survivor_next(system, &slot, slots_used(system)) == NULL && jobs_have_ended(system);
}

/* ---- saying who, and what it does ---- */

/* Where the task runs now; false: nowhere. */
CEDEI_NO_TSAN static bool place_find(struct cedei_sched *sched, const struct cedei_task *task,
                                     char *out) {
    for (uint32_t i = 0; i < cedei_sched_seats(sched); i++) {
        if (sched->workers[i].running != task) continue;
        (void)snprintf(out, TEXT_SIZE, "runs on worker %u of executor '%s'", i, sched->name);
        return true;
    }
    bool found = false;
    cedei_mutex_lock(&sched->pool.lock);
    for (struct cedei_worker *worker = sched->pool.alive; worker != NULL; worker = worker->pool_next)
        if (worker->running == task) found = true;
    cedei_mutex_unlock(&sched->pool.lock);
    if (found)
        (void)snprintf(out, TEXT_SIZE, "runs on a thread of the blocking pool of '%s'", sched->name);
    return found;
}

CEDEI_NO_TSAN static void wait_describe(struct cede_self *actor, char *out) {
    /* relaxed (all): a look. */
    uint32_t asked = atomic_load_explicit(&actor->asked, memory_order_relaxed);
    uint64_t deadline_ns = atomic_load_explicit(&actor->deadline_ns, memory_order_relaxed);
    const char *what = "waits";
    if (asked != 0) {
        uint32_t slot = (asked & ~CEDEI_ASKED_ROOM) - 1;
        const cede_behaviour *other = cedei_table_slot(actor->system, slot)->behaviour;
        (void)snprintf(out, TEXT_SIZE,
                       asked & CEDEI_ASKED_ROOM ? "waits for room in the mailbox of actor '%s'"
                                                : "waits in cede_ask for actor '%s'",
                       other != NULL ? other->name : "?");
        return;
    }
    /* relaxed: as above. */
    bool is_stoppable = atomic_load_explicit(&actor->stoppable, memory_order_relaxed);
    if (actor->recv_wait)
        what = "waits in cede_recv";
    else if (is_stoppable)
        what = "waits for a descriptor";
    else if (actor->extra != NULL && actor->extra->jobs != NULL)
        what = "waits for a job, as in cede_run_blocking";
    else if (deadline_ns != UINT64_MAX)
        what = "sleeps, or waits with a time limit";
    (void)snprintf(out, TEXT_SIZE, "%s", what);
}

/* False: it is not in a turn. */
CEDEI_NO_TSAN static bool doing_describe(struct cede_self *actor, uint32_t waiting, char *out) {
    cede_system *system = actor->system;
    /* relaxed: a look. */
    uint64_t wait = atomic_load_explicit(&actor->wait, memory_order_relaxed) & 3;
    if (wait == CEDEI_WAIT_PARKED || wait == CEDEI_WAIT_PENDING) {
        wait_describe(actor, out);
        return true;
    }
    for (uint32_t number = 0; number < CEDEI_EXECUTORS_MAX; number++) {
        struct cedei_sched *sched = cedei_sched_at(&system->sched, number << 1);
        if (sched != NULL && place_find(sched, &actor->task, out)) return true;
    }
    (void)snprintf(out, TEXT_SIZE, "%s",
                   actor->lease != NULL ? "has yielded"
                   : waiting != 0       ? "waits for a worker"
                                        : "is idle");
    return actor->lease != NULL;
}

static void survivor_tell(struct shutdown *shutdown, struct cede_survivor *survivor) {
    const struct cede_shutdown_options *options = shutdown->options;
    survivor->since_ns = cedei_clock_now_ns() - shutdown->start_ns;
    survivor->was_killed = shutdown->was_killed;
    if (options->report != NULL) options->report(options->context, survivor);
    if (++shutdown->told > LINES_MAX) return;
    bool is_job = cede_ref_is_none(survivor->actor);
    cedei_log(shutdown->system, CEDE_LOG_WARNING,
              "shutdown: after %llu ms %s '%s'%s%s%s %s; %u messages wait for it; it %s",
              (unsigned long long)(survivor->since_ns / 1000000u), is_job ? "job" : "actor",
              survivor->what, survivor->message != NULL ? " handling '" : "",
              survivor->message != NULL ? survivor->message : "",
              survivor->message != NULL ? "'" : "", survivor->doing, survivor->waiting,
              survivor->was_killed ? "cannot be ended" : "is killed");
}

CEDEI_NO_TSAN static void actor_tell(struct shutdown *shutdown, struct cede_self *actor) {
    char doing[TEXT_SIZE] = "";
    const struct cede_type *type = actor->turn_type;
    struct cede_survivor survivor = {.actor = cedei_ref_of(actor),
                                     .what = actor->behaviour->name,
                                     .message = type != NULL ? type->name : NULL,
                                     .doing = doing,
                                     .waiting = cedei_waiting_of(actor)};
    if (!doing_describe(actor, survivor.waiting, doing)) survivor.message = NULL;
    survivor_tell(shutdown, &survivor);
}

/* What still runs on threads of the blocking pool and is no actor. */
CEDEI_NO_TSAN static void jobs_tell(struct shutdown *shutdown, struct cedei_sched *sched) {
    enum { JOBS_MAX = 8 };
    const void *functions[JOBS_MAX];
    char name[TEXT_SIZE], doing[TEXT_SIZE];
    uint32_t count = 0;
    cedei_mutex_lock(&sched->pool.lock);
    for (struct cedei_worker *worker = sched->pool.alive; worker != NULL && count < JOBS_MAX;
         worker = worker->pool_next) {
        struct cedei_task *task = worker->running;
        if (task != NULL && task->run == cedei_job_run)
            functions[count++] = cedei_job_function(task);
    }
    cedei_mutex_unlock(&sched->pool.lock);
    (void)snprintf(doing, sizeof doing, "runs on a thread of the blocking pool of '%s'",
                   sched->name);
    for (uint32_t i = 0; i < count; i++) {
        cedei_symbol_describe(functions[i], false, name, sizeof name); /* reads a file */
        struct cede_survivor survivor = {.what = name, .doing = doing};
        survivor_tell(shutdown, &survivor);
    }
}

static void survivors_tell(struct shutdown *shutdown) {
    cede_system *system = shutdown->system;
    uint32_t slot = 0, slots = slots_used(system);
    struct cede_self *actor = NULL;
    shutdown->told = 0;
    while ((actor = survivor_next(system, &slot, slots)) != NULL) actor_tell(shutdown, actor);
    for (uint32_t number = 0; number < CEDEI_EXECUTORS_MAX; number++) {
        struct cedei_sched *sched = cedei_sched_at(&system->sched, number << 1);
        if (sched != NULL) jobs_tell(shutdown, sched);
    }
    if (shutdown->told > LINES_MAX)
        cedei_log(system, CEDE_LOG_WARNING, "shutdown: and %u more", shutdown->told - LINES_MAX);
}

/* ---- the phases ---- */

static void roots_stop(struct shutdown *shutdown) {
    cede_system *system = shutdown->system;
    for (;;) { /* each round takes a root off the list */
        cede_ref root = cedei_root_take(system);
        if (cede_ref_is_none(root)) return;
        if (cedei_life_stop(system, NULL, root, (cede_ref){0}) == CEDE_ENOMEM)
            (void)cedei_life_kill(system, NULL, root); /* it may have ended */
        if (!done_await(shutdown, root_has_ended, root, shutdown->deadline_ns)) return;
    }
}

static void others_stop(struct shutdown *shutdown) {
    cede_system *system = shutdown->system;
    /* relaxed: spawns that come a moment late are killed at the deadline, if they do not end. */
    atomic_store_explicit(&system->closing, 1, memory_order_relaxed);
    uint32_t slot = 0, slots = slots_used(system);
    struct cede_self *actor = NULL;
    while ((actor = survivor_next(system, &slot, slots)) != NULL)
        (void)cedei_life_stop(system, NULL, cedei_ref_of(actor),
                              (cede_ref){0}); /* or it has ended */
}

static void others_kill(struct shutdown *shutdown) {
    cede_system *system = shutdown->system;
    uint32_t slot = 0, slots = slots_used(system);
    struct cede_self *actor = NULL;
    cede_cancel_request(&system->cancels[0]);
    while ((actor = survivor_next(system, &slot, slots)) != NULL)
        (void)cedei_life_kill(system, NULL, cedei_ref_of(actor)); /* or it has ended */
}

cede_result cede_system_shutdown(cede_system *system, const struct cede_shutdown_options *options) {
    static const struct cede_shutdown_options DEFAULTS;
    if (system == NULL) return CEDE_EINVAL;
    if (cedei_worker_current() != NULL) {
        cedei_log(system, CEDE_LOG_ERROR,
                  "cede_system_shutdown called from a turn: it would wait for itself");
        return CEDE_ECONTEXT;
    }
    if (options == NULL) options = &DEFAULTS;
    struct shutdown shutdown = {
        .system = system, .options = options, .start_ns = cedei_clock_now_ns()};
    uint64_t wait_ns = options->deadline_ns != 0 ? options->deadline_ns : DEADLINE_DEFAULT_NS;
    if (__builtin_add_overflow(shutdown.start_ns, wait_ns, &shutdown.deadline_ns))
        shutdown.deadline_ns = UINT64_MAX;
    /* relaxed: see cedei_is_draining. */
    atomic_store_explicit(&system->draining, 1, memory_order_relaxed);
    roots_stop(&shutdown);
    others_stop(&shutdown);
    bool ended = done_await(&shutdown, all_have_ended, (cede_ref){0}, shutdown.deadline_ns);
    if (!ended) {
        survivors_tell(&shutdown);
        shutdown.was_killed = true;
        others_kill(&shutdown);
        if (!done_await(&shutdown, all_have_ended, (cede_ref){0}, cedei_clock_now_ns() + GRACE_NS)) {
            survivors_tell(&shutdown);
            return CEDE_ETIMEDOUT;
        }
    }
    cede_system_destroy(system);
    return ended ? CEDE_OK : CEDE_EKILLED;
}
