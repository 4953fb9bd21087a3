/* job.c - functions that run on an executor for an actor: cede_run_blocking and the handles of job.h, by one mechanism.
 * A job's block and message change hands by the word in core/sync/jobstate.h. Invariants: (1) a job whose handle an actor
 * has is in the `jobs` of that actor's extra, from its making until its end was taken or the handle dropped, so that an actor that is
 * killed leaves none behind; (2) a job that was let in by the gate leaves it exactly once: after its function has run, when
 * the executor takes it off a queue for nothing, or when it was never submitted. */
#include <string.h>

#include "actors/actor/actor.h"
#include "core/sync/jobstate.h"

/* Access: I = set before it is submitted; A = the actor; E = the executor between begin and end, then the actor. */
struct cede_job {
    struct cedei_task task; /* the queue's */
    struct cedei_jobstate state;
    struct cede_job *next, **back; /* A */
    struct cede_self *actor; /* I: a slot; the sequence in `state` says which wait of its tenant's */
    union {
        cede_job_fn *job;
        cede_blocking_fn *plain;
    } run;                 /* I */
    struct cedei_msg *msg; /* I; NULL: none */
    cede_result result;    /* E */
    bool is_plain;         /* I: `run.plain`, of cede_run_blocking */
    bool is_submitted;     /* A: an executor has or had it */
    bool was_kept;         /* A: the message */
    union {
        struct cedei_gate_place place; /* until it is submitted */
        cede_cancel cancel;            /* from then on */
    } as;
};

/* What starting a job needs to know, from the public call. */
struct order {
    struct cedei_sched *sched;
    enum cedei_task_place place;
    cede_job_fn *run;
    cede_blocking_fn *plain; /* in place of `run` */
};

static struct cedei_gate *gate_of(const struct order *order) {
    return &order->sched->gates[order->place];
}

/* ---- the block ---- */

static struct cede_job *job_create(cede_self *self, const struct order *order,
                                   struct cedei_msg *msg, bool was_kept) {
    struct cedei_extra *extra = cedei_extra_of(self);
    if (extra == NULL) return NULL;
    struct cede_job *job =
        cedei_block_take(&self->system->sched.depot, &self->worker->blocks, sizeof *job);
    if (job == NULL) return NULL;
    *job = (struct cede_job){.task = {.run = cedei_job_run,
                                      .place = cedei_place_of(order->sched->number, order->place),
                                      .refuse = 1},
                             .next = extra->jobs,
                             .back = &extra->jobs,
                             .actor = self,
                             .msg = msg,
                             .is_plain = order->plain != NULL,
                             .was_kept = was_kept};
    if (job->is_plain)
        job->run.plain = order->plain;
    else
        job->run.job = order->run;
    if (job->next != NULL) job->next->back = &job->next;
    extra->jobs = job;
    if (msg != NULL) msg->owner = CEDEI_MSG_JOB;
    return job;
}

static void job_unlink(struct cede_job *job) {
    *job->back = job->next;
    if (job->next != NULL) job->next->back = job->back;
}

/* `worker`: the calling thread's, or NULL. */
static void block_free(cede_system *system, struct cedei_worker *worker, struct cede_job *job) {
    cedei_block_give(&system->sched.depot, worker != NULL ? &worker->blocks : NULL, job,
                     sizeof *job);
}

static void msg_drop(cede_system *system, struct cedei_worker *worker, struct cedei_msg *msg) {
    if (msg != NULL) cedei_msg_drop_one(system, worker, msg);
}

/* ---- the gate ---- */

static void gate_leave(cede_system *system, struct cedei_worker *worker, struct cedei_gate *gate) {
    struct cedei_gate_place next;
    if (CEDEI_LIKELY(!cedei_gate_leave(gate, &next))) return;
    cedei_wait_wake(system, worker, next.who, next.sequence, cedei_wake_code(CEDE_OK));
}

static void job_leave(cede_system *system, struct cedei_worker *worker, uint32_t place) {
    struct cedei_sched *sched = cedei_sched_at(&system->sched, place);
    gate_leave(system, worker, &sched->gates[place & CEDEI_TASK_POOL]);
    cedei_executor_depart(sched);
}

/* In line, not through the gate, since its actor suspends: until it is let in. */
static CEDE_YIELDS cede_result gate_await(cede_self *self, struct cedei_gate *gate,
                                          struct cede_job *job, uint64_t timeout_ns) {
    uint32_t sequence = cedei_wait_begin(self);
    job->as.place = (struct cedei_gate_place){.who = self, .sequence = sequence};
    if (cedei_gate_enter_or_line_up(gate, &job->as.place)) {
        (void)cedei_wait_withdraw(self, sequence);
        return CEDE_OK;
    }
    cede_result r = (cede_result)(cedei_wait_finish(self, sequence, timeout_ns) >> 4);
    if (r == CEDE_OK || !cedei_gate_withdraw(gate, &job->as.place)) return CEDE_OK;
    return r;
}

/* ---- the executor's side ---- */

static cede_result job_call(struct cede_job *job) {
    void *message = job->msg != NULL ? cedei_msg_body(job->msg) : NULL;
    return job->is_plain ? job->run.plain(message) : job->run.job(message, &job->as.cancel);
}

/* The function has run or will not; `result` is what the actor will hear. */
static void job_end(cede_system *system, struct cedei_worker *worker, struct cede_job *job,
                    cede_result result) {
    struct cede_self *actor = job->actor;
    uint32_t place = job->task.place;
    job->result = result;
    job_leave(system, worker, place);
    uint64_t before = cedei_jobstate_end(&job->state);
    uint32_t sequence = cedei_jobstate_wait(before);
    if (before & CEDEI_JOB_DROPPED) {
        msg_drop(system, worker, job->msg);
        block_free(system, worker, job);
    } else if (sequence != 0) {
        cedei_wait_wake(system, worker, actor, sequence, cedei_wake_code(CEDE_OK));
    }
}

/* Taken off a queue although its owner has taken its message back meanwhile. */
static void job_pass(cede_system *system, struct cedei_worker *worker, struct cede_job *job,
                     uint32_t place, bool is_mine) {
    if (is_mine) block_free(system, worker, job);
    job_leave(system, worker, place);
}

struct cedei_worker *cedei_job_run(struct cedei_worker *worker, struct cedei_task *task) {
    struct cede_job *job = (struct cede_job *)(void *)task;
    cede_system *system = worker->sched->owner;
    uint32_t place = task->place; /* once it is withdrawn, `job` may be gone after the next line */
    enum cedei_job_begin begin = cedei_jobstate_begin(&job->state);
    if (begin != CEDEI_JOB_RUN) {
        job_pass(system, worker, job, place, begin == CEDEI_JOB_FREE);
        return worker;
    }
    cede_result r = CEDE_ECLOSED;
    /* Not when the executor is closed or the system goes. */
    if (!cede_cancel_is_requested(&system->cancels[worker->sched->number])) {
        cedei_count_add(&worker->counts.jobs, 1);
        r = job_call(job);
        cedei_worker_held_at_end_check(worker);
    }
    job_end(system, worker, job, r);
    return worker;
}

void cedei_job_abandon(struct cedei_task *task) {
    if (task->run != cedei_job_run) return;
    struct cede_job *job = (struct cede_job *)(void *)task;
    cede_system *system = job->actor->system;
    uint32_t place = task->place;
    enum cedei_job_begin begin = cedei_jobstate_begin(&job->state);
    if (begin == CEDEI_JOB_RUN)
        job_end(system, NULL, job, CEDE_ECLOSED);
    else
        job_pass(system, NULL, job, place, begin == CEDEI_JOB_FREE);
}

/* ---- the actor's side: starting ---- */

/* Through the gate already. On failure the job is the actor's as before. */
static cede_result job_submit(cede_self *self, struct cede_job *job, struct cedei_sched *sched) {
    cede_result r = cedei_executor_check(sched, "a job");
    if (r == CEDE_OK) {
        cede_cancel_init(&job->as.cancel, &self->system->cancels[sched->number]);
        cedei_jobstate_submit(&job->state);
        r = cedei_sched_submit(&self->system->sched, self->worker, &job->task);
        if (r == CEDE_OK) {
            job->is_submitted = true;
            return CEDE_OK;
        }
        cedei_jobstate_unsubmit(&job->state);
    }
    job_leave(self->system, self->worker, job->task.place);
    return r;
}

static cede_result order_make(cede_self *self, cede_executor *executor, enum cede_kind kind,
                              cede_job_fn *run, cede_job **out, struct order *order) {
    if (run == NULL || out == NULL) return CEDE_EINVAL;
    struct cedei_sched *sched = executor != NULL ? &executor->sched : self->worker->sched;
    if (sched->first != &self->system->sched) return CEDE_EINVAL;
    *order = (struct order){.sched = sched,
                            .place = kind == CEDE_BLOCKING ? CEDEI_TASK_POOL : CEDEI_TASK_WORKER,
                            .run = run};
    return CEDE_OK;
}

/* The message off the turn, as part of a job. `message` NULL: none. */
static struct cede_job *job_prepare(cede_self *self, const struct order *order, void **message,
                                    const char *here, cede_result *why) {
    struct cedei_msg *msg = NULL;
    bool was_kept = false;
    if (message != NULL) {
        msg = cedei_msg_disown(self, message, "cede_job_start", here, why);
        if (msg == NULL) return NULL;
        was_kept = cedei_msg_is_kept(msg);
        if (self->system->strict) msg = cedei_msg_relocate(self, msg, here);
    }
    struct cede_job *job = job_create(self, order, msg, was_kept);
    if (job != NULL) {
        if (message != NULL) *message = NULL;
        return job;
    }
    if (msg != NULL) cedei_msg_reown(self, msg, message, was_kept);
    *why = CEDE_ENOMEM;
    return NULL;
}

/* It was not to be: the message goes back to where it came from. */
static void job_unprepare(cede_self *self, struct cede_job *job, void **message) {
    job_unlink(job);
    if (job->msg != NULL) cedei_msg_reown(self, job->msg, message, job->was_kept);
    block_free(self->system, self->worker, job);
}

cede_result cedei_job_start(cede_self *self, cede_executor *executor, enum cede_kind kind,
                            cede_job_fn *run, void **message, cede_job **out, const char *here) {
    struct order order;
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_job_start", here);
    cede_result r = order_make(self, executor, kind, run, out, &order);
    if (r != CEDE_OK) return r;
    struct cede_job *job = job_prepare(self, &order, message, here, &r);
    if (job == NULL) return r;
    r = cedei_gate_enter(gate_of(&order)) ? job_submit(self, job, order.sched) : CEDE_EFULL;
    if (r == CEDE_OK)
        *out = job;
    else
        job_unprepare(self, job, message);
    return r;
}

CEDE_YIELDS cede_result cedei_job_start_wait(cede_self *self, cede_executor *executor,
                                             enum cede_kind kind, cede_job_fn *run, void **message,
                                             cede_job **out, uint64_t timeout_ns, const char *here) {
    struct order order;
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_job_start_wait", here);
    cede_result r = order_make(self, executor, kind, run, out, &order);
    if (r != CEDE_OK) return r;
    struct cede_job *job = job_prepare(self, &order, message, here, &r);
    if (job == NULL) return r;
    r = gate_await(self, gate_of(&order), job, timeout_ns);
    if (r == CEDE_OK) r = job_submit(self, job, order.sched);
    if (r == CEDE_OK)
        *out = job;
    else
        job_unprepare(self, job, message);
    return r;
}

/* ---- the actor's side: ending ---- */

/* Of a job that has ended: the message to the turn, or to the state that it was kept in; the handle is gone. */
static cede_result job_take(cede_self *self, struct cede_job *job, void **message, bool is_kept,
                            const char *here) {
    cede_result result = job->result;
    job_unlink(job);
    if (job->msg != NULL && self->system->strict)
        job->msg = cedei_msg_relocate(self, job->msg, here); /* what the job remembers is void */
    if (job->msg != NULL) cedei_msg_reown(self, job->msg, message, is_kept);
    if (cedei_jobstate_drop(&job->state) == CEDEI_JOB_BOTH_MINE)
        block_free(self->system, self->worker, job);
    return result;
}

cede_result cedei_job_check(cede_self *self, cede_job **handle, struct cede_type *type,
                            void **message) {
    if (handle == NULL || *handle == NULL) return CEDE_EINVAL;
    struct cede_job *job = *handle;
    if (job->actor != self) return CEDE_EOWNER;
    if (type == NULL) return CEDE_OK;
    if (job->msg == NULL) return message == NULL ? CEDE_OK : CEDE_ETYPE;
    return job->msg->type != type ? CEDE_ETYPE : message == NULL ? CEDE_EINVAL : CEDE_OK;
}

bool cedei_job_end_wakes(cede_job *job, uint32_t sequence) {
    return cedei_jobstate_await(&job->state, sequence);
}

/* CEDE_OK: it has ended. */
static CEDE_YIELDS cede_result end_await(cede_self *self, struct cede_job *job,
                                         uint64_t timeout_ns) {
    if (cedei_jobstate_has_ended(&job->state)) return CEDE_OK;
    if (timeout_ns == 0) return CEDE_ETIMEDOUT;
    uint32_t sequence = cedei_wait_begin(self);
    if (!cedei_jobstate_await(&job->state, sequence)) {
        (void)cedei_wait_withdraw(self, sequence);
        return CEDE_OK;
    }
    cede_result r = (cede_result)(cedei_wait_finish(self, sequence, timeout_ns) >> 4);
    if (r == CEDE_OK || !cedei_jobstate_unawait(&job->state)) return CEDE_OK;
    return r;
}

CEDE_YIELDS cede_result cedei_job_await(cede_self *self, cede_job **handle, struct cede_type *type,
                                        void **message, uint64_t timeout_ns, const char *here) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_job_await", here);
    cede_result r = cedei_job_check(self, handle, type, message);
    if (r == CEDE_OK) r = end_await(self, *handle, timeout_ns);
    if (r != CEDE_OK) return r;
    struct cede_job *job = *handle;
    *handle = NULL;
    return job_take(self, job, message, false, here);
}

cede_result cedei_job_try(cede_self *self, cede_job **handle, struct cede_type *type,
                          void **message, const char *here) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_job_try", here);
    cede_result r = cedei_job_check(self, handle, type, message);
    if (r != CEDE_OK) return r;
    struct cede_job *job = *handle;
    if (!cedei_jobstate_has_ended(&job->state)) return CEDE_ETIMEDOUT;
    *handle = NULL;
    return job_take(self, job, message, false, here);
}

cede_result cede_job_cancel(cede_self *self, cede_job *job) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_job_cancel", "");
    cede_result r = cedei_job_check(self, &job, NULL, NULL);
    if (r != CEDE_OK) return r;
    cede_cancel_request(&job->as.cancel);
    if (cedei_jobstate_withdraw(&job->state)) job->result = CEDE_ECANCELED;
    return CEDE_OK;
}

static void job_drop(cede_self *self, struct cede_job *job) {
    cede_system *system = self->system;
    struct cedei_msg *msg = job->msg;
    job_unlink(job);
    if (job->is_submitted) {
        cede_cancel_request(&job->as.cancel);
    } else { /* the actor was killed while it waited at the gate */
        struct cedei_sched *sched = cedei_sched_at(&system->sched, job->task.place);
        if (!cedei_gate_withdraw(&sched->gates[job->task.place & CEDEI_TASK_POOL], &job->as.place))
            job_leave(system, self->worker, job->task.place);
    }
    enum cedei_job_drop drop = cedei_jobstate_drop(&job->state);
    if (drop != CEDEI_JOB_NONE_MINE) msg_drop(system, self->worker, msg);
    if (drop == CEDEI_JOB_BOTH_MINE) block_free(system, self->worker, job);
}

void cede_job_drop(cede_self *self, cede_job **handle) {
    if (self == NULL) return;
    cedei_self_check(self, "cede_job_drop", "");
    if (cedei_job_check(self, handle, NULL, NULL) != CEDE_OK) return;
    struct cede_job *job = *handle;
    *handle = NULL;
    job_drop(self, job);
}

void cedei_jobs_drop(cede_self *self) {
    while (self->extra->jobs != NULL) /* each round takes one off */
        job_drop(self, self->extra->jobs);
}

/* ---- the simple form ---- */

/* Whether the turn is to end where it stands. For a blocking actor too, a job is a place where it does: else one that
 * does one job after the other could neither be killed nor taken down with its system. */
static bool is_wanted_away(cede_self *self) {
    /* relaxed: a later job will do. */
    return (cedei_signals_of(self) & CEDEI_SIGNAL_KILL) != 0 ||
           atomic_load_explicit(&self->system->closing, memory_order_relaxed) != 0;
}

CEDE_YIELDS cede_result cedei_run_blocking(cede_self *self, cede_blocking_fn *run, void **message,
                                           const char *here) {
    cede_result r = CEDE_OK;
    if (run == NULL) return CEDE_EINVAL;
    if (self != NULL && self->worker->is_seat)
        return CEDE_ECONTEXT; /* an inbox's thread may block itself */
    if (self != NULL && CEDEI_UNLIKELY(self->worker->mutexes_held >= CEDEI_HELD_BY_CLEANUP))
        return cedei_worker_suspend_refused(self->worker); /* before there is a job to wait for */
    struct cedei_msg *msg = cedei_msg_disown(self, message, "cede_run_blocking", here, &r);
    if (msg == NULL) return r;
    bool was_kept = cedei_msg_is_kept(msg);
    if (self->system->strict) msg = cedei_msg_relocate(self, msg, here);
    if (self->behaviour->kind == CEDE_BLOCKING) { /* may block where it is */
        r = run(cedei_msg_body(msg));
        cedei_msg_reown(self, msg, message, was_kept);
        if (is_wanted_away(self)) cede_yield(self);
        return r;
    }
    struct order order = {.sched = self->worker->sched, .place = CEDEI_TASK_POOL, .plain = run};
    /* Once the job is submitted we must be able to wait for it: make sure of a stack first. */
    r = cedei_worker_reserve(self->worker);
    struct cede_job *job = r == CEDE_OK ? job_create(self, &order, msg, was_kept) : NULL;
    if (job == NULL) {
        cedei_msg_reown(self, msg, message, was_kept);
        return r == CEDE_OK ? CEDE_ENOMEM : r;
    }
    *message = NULL;
    cedei_gate_enter_anyway(
        gate_of(&order)); /* whoever waits for the end may as well wait for the start */
    r = job_submit(self, job, order.sched);
    if (r != CEDE_OK) {
        job_unprepare(self, job, message);
        return r;
    }
    CEDEI_CHECK(end_await(self, job, CEDE_FOREVER) == CEDE_OK);
    return job_take(self, job, message, was_kept, here);
}

/* ---- reports ---- */

CEDEI_NO_TSAN const void *cedei_job_function(struct cedei_task *task) {
    return (const void *)(uintptr_t)CEDEI_CONTAINER_OF(task, struct cede_job, task)->run.plain;
}
