/* A job and its owner: run, awaited, cancelled, dropped, its owner killed, in every order; and the gate that lets so many
 * in at a time. The code is that of actors/actor/job.c, core/sync/jobstate.h and core/sched/gate.c; see actor.h.
 * Claims: the function runs at most once, and not after a cancel that came in time; block and message are freed or given
 * back exactly once; an owner that waits is woken; the gate is never passed by more than its limit, and nobody waits at it
 * while there is room. */
#include "tests/model/actor.h"

static uint32_t job_runs;
static bool cancel_came_first;

static cede_result plain_work(void *message) {
    job_runs++;
    *(uint64_t *)message = 9;
    return CEDE_EIO;
}

static cede_result job_work(void *message, const cede_cancel *cancel) {
    (void)cancel;
    return plain_work(message);
}

static void job_main(void *context) {
    (void)context;
    model_wait(&job_is_queued);
    (void)cedei_job_run(&worker_of_test, job_queued);
}

static void job_begin_with(const cede_behaviour *owner, void (*third)(void *)) {
    wait_begin_with(job_main, third);
    actor->behaviour = owner;
    job_runs = 0;
    cancel_came_first = false;
}

/* Whoever has the message after the turn: the actor, or it was dropped. */
static void job_is_over(void) {
    MODEL_CLAIM(!is_suspended && token.count == 0);
    MODEL_CLAIM(freed == allocated && job_runs <= 1);
    MODEL_CLAIM(system_of_test->sched.gates[1].inside == 0);
}

/* ---- cede_run_blocking ---- */

static CEDE_YIELDS cede_result plain_dispatch(cede_self *self, const struct cede_type *type,
                                              void *state, void *message) {
    (void)type, (void)state;
    last_result = cedei_run_blocking(self, plain_work, &message, "");
    MODEL_CLAIM(*(uint64_t *)message == 9);
    return CEDE_OK;
}
static const cede_behaviour blocker = {
    .name = "blocker", .state_size = 1, .dispatch = plain_dispatch};

static void plain_begin(void) { job_begin_with(&blocker, NULL); }

static void plain_check(void) {
    job_is_over();
    MODEL_CLAIM(last_result == CEDE_EIO && job_runs == 1 && allocated == 1 && dropped == 0);
}

static void plain_and_kill_begin(void) { job_begin_with(&blocker, kill_once); }

static void plain_and_kill_check(void) {
    job_is_over();
    MODEL_CLAIM(has_ended);
    MODEL_CLAIM(dropped == (last_result != CEDE_EIO)); /* by the job, or before the turn began */
}

/* ---- a handle ---- */

static cede_result handle_make(cede_self *self, void **message, cede_job **job) {
    cede_result r = cedei_job_start(self, NULL, CEDE_BLOCKING, job_work, message, job, "");
    MODEL_CLAIM(r == CEDE_OK && *message == NULL);
    return r;
}

static CEDE_YIELDS cede_result cancel_dispatch(cede_self *self, const struct cede_type *type,
                                               void *state, void *message) {
    (void)state;
    cede_job *job = NULL;
    if (handle_make(self, &message, &job) != CEDE_OK) return CEDE_OK;
    MODEL_CLAIM(cede_job_cancel(self, job) == CEDE_OK);
    last_result = cedei_job_await(self, &job, (struct cede_type *)(uintptr_t)type, &message,
                                  CEDE_FOREVER, "");
    MODEL_CLAIM(job == NULL && message != NULL);
    MODEL_CLAIM(last_result == (job_runs == 1 ? CEDE_EIO : CEDE_ECANCELED));
    MODEL_CLAIM(*(uint64_t *)message == (job_runs == 1 ? 9 : 1));
    *(uint64_t *)message = 11; /* it is ours: a race if the job runs still */
    return CEDE_OK;
}
static const cede_behaviour canceller = {
    .name = "canceller", .state_size = 1, .dispatch = cancel_dispatch};

static void cancel_begin(void) { job_begin_with(&canceller, NULL); }

static void cancel_check(void) {
    job_is_over();
    MODEL_CLAIM(allocated == 1 && dropped == 0 && (last_result == CEDE_EIO) == (job_runs == 1));
}

static void cancel_and_kill_begin(void) { job_begin_with(&canceller, kill_once); }

static void cancel_and_kill_check(void) {
    job_is_over();
    MODEL_CLAIM(has_ended);
}

static CEDE_YIELDS cede_result drop_dispatch(cede_self *self, const struct cede_type *type,
                                             void *state, void *message) {
    (void)type, (void)state;
    cede_job *job = NULL;
    if (handle_make(self, &message, &job) != CEDE_OK) return CEDE_OK;
    cede_job_drop(self, &job);
    MODEL_CLAIM(job == NULL);
    return CEDE_OK;
}
static const cede_behaviour dropper = {
    .name = "dropper", .state_size = 1, .dispatch = drop_dispatch};

static void drop_begin(void) { job_begin_with(&dropper, NULL); }

static void drop_check(void) {
    job_is_over();
    MODEL_CLAIM(allocated == 1 && dropped == 1);
}

static CEDE_YIELDS cede_result await_dispatch(cede_self *self, const struct cede_type *type,
                                              void *state, void *message) {
    (void)state;
    cede_job *job = NULL;
    uint64_t timeout_ns = (uint64_t)2 << CEDEI_WHEEL_TICK_SHIFT;
    struct cede_type *of = (struct cede_type *)(uintptr_t)type;
    if (handle_make(self, &message, &job) != CEDE_OK) return CEDE_OK;
    last_result = cedei_job_await(self, &job, of, &message, timeout_ns, "");
    if (last_result == CEDE_ETIMEDOUT) {
        MODEL_CLAIM(job != NULL);
        cede_job_drop(self, &job);
        return CEDE_OK;
    }
    MODEL_CLAIM(last_result == CEDE_EIO && *(uint64_t *)message == 9);
    return CEDE_OK;
}
static const cede_behaviour awaiter = {
    .name = "awaiter", .state_size = 1, .dispatch = await_dispatch};

static void await_begin(void) { job_begin_with(&awaiter, timer_main); }

static void await_check(void) {
    job_is_over();
    MODEL_CLAIM(dropped == (last_result == CEDE_ETIMEDOUT));
}

/* ---- the gate ---- */

static struct cedei_gate gate;
static struct cedei_gate_place places[3];
static struct model_event let_in[3];
static uint32_t inside;

/* Comes in, waiting if need be, and leaves again. */
static void gate_visit(void *which) {
    uint32_t index = *(uint32_t *)which;
    places[index].sequence = index;
    if (!cedei_gate_enter_or_line_up(&gate, &places[index])) model_wait(&let_in[index]);
    MODEL_CLAIM(inside++ == 0);
    handled++;
    inside--;
    struct cedei_gate_place next;
    if (cedei_gate_leave(&gate, &next)) model_signal(&let_in[next.sequence]);
}

/* Has a look, and does not wait long. */
static void gate_try(void *which) {
    uint32_t index = *(uint32_t *)which;
    places[index].sequence = index;
    bool is_in = cedei_gate_enter_or_line_up(&gate, &places[index]);
    if (!is_in && cedei_gate_withdraw(&gate, &places[index])) return;
    struct cedei_gate_place next;
    if (cedei_gate_leave(&gate, &next)) model_signal(&let_in[next.sequence]);
}

static uint32_t indexes[3] = {0, 1, 2};

static void gate_begin_with(void (*third)(void *)) {
    memset(places, 0, sizeof places);
    memset(let_in, 0, sizeof let_in);
    inside = handled = 0;
    cedei_gate_init(&gate, 1);
    model_watch("a place at the gate", places, sizeof places);
    model_thread_add(gate_visit, &indexes[0]);
    model_thread_add(gate_visit, &indexes[1]);
    if (third != NULL) model_thread_add(third, &indexes[2]);
}

static void gate_begin(void) { gate_begin_with(NULL); }
static void gate_try_begin(void) { gate_begin_with(gate_try); }

static void gate_check(void) {
    MODEL_CLAIM(handled == 2);
    MODEL_CLAIM(gate.inside == 0 && gate.lined_up == 0 && gate.first == NULL);
}

int main(int argc, char **argv) {
    static const struct model_scenario SCENARIOS[] = {
        {"a blocking call", plain_begin, plain_check, 2, 1},
        {"a blocking call and a kill", plain_and_kill_begin, plain_and_kill_check, 2, 1},
        {"a job that is cancelled", cancel_begin, cancel_check, 2, 1},
        {"a job that is cancelled and a kill", cancel_and_kill_begin, cancel_and_kill_check, 2, 1},
        {"a job that is dropped", drop_begin, drop_check, 2, 1},
        {"a job and the time", await_begin, await_check, 2, 0},
        {"a gate for one", gate_begin, gate_check, 3, 2},
        {"a gate for one and one who goes away", gate_try_begin, gate_check, 2, 1},
    };
    static const char *const OWNS[] = {"core/sync/jobstate.h", "core/sched/gate.c", NULL};
    static const struct model_test TEST = {SCENARIOS, sizeof SCENARIOS / sizeof SCENARIOS[0], OWNS};
    return model_main(argc, argv, &TEST);
}
