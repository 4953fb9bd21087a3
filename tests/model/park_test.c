/* Two workers that search, steal, sleep and are woken, against whoever gives them work: a thread that is no worker, each
 * other, a timer, and the end. The code is that of core/sched with queues of four; what a worker does around it (worker.c)
 * is `worker_thread` here.
 * Claims: each task runs once; none is left while all sleep; a timer that is set fires, whoever slept when it was set;
 * nobody is counted as searching who is not; after a stop every worker ends. */
#define CEDEI_RUNQUEUE_CAPACITY 4u
#include <stddef.h>
#include <string.h>

#include "tests/model/atomics.h"

#include "tests/model/system.h"

#include "core/sched/next.c"
#include "core/sched/park.c"
#include "core/sched/queue.c"
#include "core/sched/reactor.c"
#include "core/sched/sched.c"
#include "core/sched/steal.c"
#include "core/sched/watch.c"

#include "tests/model/kernel.h"
#include "tests/model/wheel.h"

enum { WORKERS = 2, TASKS = 8 };

static struct cedei_sched sched;
/* What is behind, caches of parts and tallies, nobody uses here. */
enum { WORKER_BYTES = offsetof(struct cedei_worker, parts) };
static struct cedei_worker workers[WORKERS];
static struct job {
    struct cedei_task task;
    uint32_t children; /* tasks that it makes: the following ones */
    bool waits;        /* until another has run */
    uint32_t content;
} jobs[TASKS];
static uint32_t runs[TASKS], given;
static struct cedei_timer timer;
static uint32_t fired;
static struct model_event other_has_run;
static bool with_reactor;
static struct cedei_wheel wheels[WORKERS];
static int threads_of_workers; /* 0: none of the threads is a worker's */

/* ---- what sched.c stands on beside ---- */

static _Noreturn void unexpected(void) {
    model_fail("a call that is no part of the model");
    abort();
}

void cedei_pool_init(struct cedei_pool *pool, const struct cedei_sched_options *options) {
    (void)pool, (void)options;
}
void cedei_pool_fini(struct cedei_pool *pool) { (void)pool; }
cede_result cedei_pool_submit(struct cedei_sched *of, struct cedei_worker *worker,
                              struct cedei_task *task) {
    (void)of, (void)worker, (void)task;
    unexpected();
}
struct cedei_task *cedei_pool_take_rest(struct cedei_sched *of) {
    (void)of;
    return NULL;
}
bool cedei_pool_stop(struct cedei_sched *of, uint64_t deadline_ns) {
    (void)of, (void)deadline_ns;
    return true;
}
void cedei_gate_init(struct cedei_gate *gate, uint64_t inside_max) { (void)gate, (void)inside_max; }
void cedei_gate_fini(struct cedei_gate *gate) { (void)gate; }
void cedei_block_depot_init(struct cedei_block_depot *depot) { (void)depot; }
void cedei_block_depot_fini(struct cedei_block_depot *depot) { (void)depot; }
void cedei_stack_pool_init(struct cedei_stack_pool *pool, size_t size) { (void)pool, (void)size; }
void cedei_stack_pool_fini(struct cedei_stack_pool *pool) { (void)pool; }
cede_result cedei_thread_start(cedei_thread *thread, const char *name, cedei_thread_fn *run,
                               void *context) {
    (void)thread, (void)name, (void)run, (void)context;
    return CEDE_ELIMIT;
}
void cedei_thread_join(cedei_thread *thread) { (void)thread; }
int cedei_thread_nice(void) { return 0; }
void cedei_thread_be_prompt(void) {}
bool cedei_process_barrier(void) { return false; }
uint32_t cedei_cpu_count(void) { return 1; }
uint32_t cedei_cpu_list(uint32_t *cpus, uint32_t room) {
    (void)cpus;
    return room;
}
void cedei_worker_init(struct cedei_worker *worker, struct cedei_sched *of, uint32_t index,
                       bool is_pool) {
    (void)worker, (void)of, (void)index, (void)is_pool;
}
cede_result cedei_worker_start(struct cedei_worker *worker, cedei_thread *thread,
                               cedei_thread_fn *run) {
    (void)worker, (void)thread, (void)run;
    return CEDE_ELIMIT;
}
void cedei_worker_run_thread(struct cedei_worker *worker) { (void)worker; }
void cedei_worker_flush(struct cedei_worker *worker) { (void)worker; }
struct cedei_worker *cedei_worker_current(void) {
    return model_current() < threads_of_workers ? &workers[model_current()] : NULL;
}
cede_result cedei_lookout_start(struct cedei_sched *of, uint64_t warn_ns) {
    (void)of, (void)warn_ns;
    return CEDE_OK;
}
void cedei_lookout_stop(struct cedei_sched *of) { (void)of; }
void cedei_lookout_wake(struct cedei_lookout *lookout) { (void)lookout; }
void cedei_spare_rest(struct cedei_worker *worker) { (void)worker; }
void cedei_sample_count(struct cedei_worker *worker, uint32_t tick) { (void)worker, (void)tick; }
void cedei_sample_start(struct cedei_worker *worker, uint32_t tick) { (void)worker, (void)tick; }
void cedei_sample_stop(struct cedei_worker *worker) { (void)worker; }
bool cedei_overflow_explain(const void *address, const void *stack_pointer) {
    (void)address, (void)stack_pointer;
    return false;
}
void cedei_fault_install(cedei_fault_fn *explain) { (void)explain; }
void *cedei_alloc_by(const struct cedei_alloc_site *site, size_t size) {
    (void)site;
    (void)size;
    return NULL;
}
void *cedei_alloc_aligned_by(const struct cedei_alloc_site *site, size_t align, size_t size) {
    (void)site;
    (void)align, (void)size;
    return NULL;
}
void cedei_free(void *block) { (void)block; }

/* ---- workers and tasks ---- */

static void job_give(struct cedei_worker *worker) {
    struct job *job = &jobs[given];
    given++;
    job->content = 1;
    (void)cedei_sched_submit(&sched, worker, &job->task);
}

static struct cedei_worker *job_run(struct cedei_worker *worker, struct cedei_task *task) {
    struct job *job = CEDEI_CONTAINER_OF(task, struct job, task);
    MODEL_CLAIM(runs[job - jobs]++ == 0);
    MODEL_CLAIM(job->content == 1);
    job->content = 2;
    if (job->waits)
        model_wait(&other_has_run);
    else
        model_signal(&other_has_run);
    for (uint32_t i = 0; i < job->children; i++) job_give(worker);
    return worker;
}

static void worker_thread(void *context) {
    struct cedei_worker *worker = context;
    for (;;) { /* as cedei_worker_loop */
        struct cedei_task *task = cedei_worker_next_lifo(worker);
        if (task == NULL && (task = cedei_worker_next(worker)) == NULL) return;
        (void)task->run(worker, task);
    }
}

static void timer_fired(struct cedei_timer *which, void *worker) {
    (void)which, (void)worker;
    fired++;
}

static void state_begin_with(bool with_workers) {
    memset(&sched, 0, sizeof sched);
    for (uint32_t i = 0; i < WORKERS; i++) memset(&workers[i], 0, WORKER_BYTES);
    memset(jobs, 0, sizeof jobs);
    memset(&timer, 0, sizeof timer);
    memset(runs, 0, sizeof runs);
    given = fired = other_has_run.count = 0;
    model_time_set((uint64_t)1 << 30);
    for (uint32_t i = 0; i < WORKERS; i++) wheel_begin(&wheels[i], i);
    sched.wheels = wheels;
    sched.first = &sched;
    sched.members[0] = &sched;
    sched.seats = WORKERS;
    threads_of_workers = with_workers ? WORKERS : 0;
    model_quiet(&sched.seats, sizeof sched.seats);
    model_quiet(&sched.helped_ns, sizeof sched.helped_ns);
    sched.reactor.open = with_reactor;
    if (with_reactor && cedei_poll_init(&sched.reactor.poll) != CEDE_OK) unexpected();
    model_quiet(&sched.reactor.open, sizeof sched.reactor.open);
    model_quiet(sched.members, sizeof sched.members);
    model_quiet(&sched.lookout.asleep, sizeof sched.lookout.asleep);
    sched.worker_count = WORKERS;
    sched.workers = workers;
    timer.fire = timer_fired;
    for (uint32_t i = 0; i < TASKS; i++) jobs[i].task.run = job_run;
    for (uint32_t i = 0; i < WORKERS; i++) {
        workers[i].sched = &sched;
        workers[i].index = workers[i].steal_from = i;
        workers[i].look_tick = workers[i].poll_tick = 1;
        workers[i].poll_ticks = CEDEI_POLL_TICKS;
        workers[i].lifo_runs = CEDEI_LIFO_RUNS_MAX;
        workers[i].duty = CEDEI_DUTY_ON;
        if (with_workers) model_thread_add(worker_thread, &workers[i]);
        model_quiet(&workers[i].counts, sizeof workers[i].counts);
        model_quiet(&workers[i].tick, offsetof(struct cedei_worker, asleep_until_ns) -
                                          offsetof(struct cedei_worker, tick));
        model_quiet(&workers[i].alone, sizeof workers[i].alone);
    }
    model_watch("the scheduler", &sched.global_lock, sizeof sched.global_lock + 32);
    for (uint32_t i = 0; i < WORKERS; i++) model_watch("a worker", &workers[i], WORKER_BYTES);
    model_watch("a task", jobs, sizeof jobs);
}

static void state_begin(void) { state_begin_with(true); }

static void all_is_run(void) {
    for (uint32_t i = 0; i < given; i++) MODEL_CLAIM(runs[i] == 1);
    for (uint32_t i = 0; i < WORKERS; i++) {
        MODEL_CLAIM(model_is_blocked((int)i));
        MODEL_CLAIM(workers[i].parked != PARKED_NO);
    }
    MODEL_CLAIM(sched.idle == 3);
    MODEL_CLAIM(sched.searching == 0);
    MODEL_CLAIM(sched.global_count == 0 && sched.global_first == NULL);
}

/* ---- tasks from a thread that is no worker ---- */

static void give_one(void *context) {
    (void)context;
    job_give(NULL);
}

static void outside_begin(void) {
    state_begin();
    model_thread_add(give_one, NULL);
}

/* The first does not end before the second has run: whoever runs it has to see that another comes for what was added while it
 * searched. */
static void give_two(void *context) {
    (void)context;
    job_give(NULL);
    job_give(NULL);
}

static void two_begin(void) {
    state_begin();
    jobs[0].waits = true;
    model_thread_add(give_two, NULL);
}

/* ---- a task that makes more than its worker has room for ---- */

static void parent_begin_with(uint32_t children) {
    state_begin();
    jobs[0].children = children;
    jobs[0].content = 1;
    given = 1;
    workers[0].lifo = &jobs[0].task;
}

static void child_begin(void) { parent_begin_with(1); }

static void parent_begin(void) {
    parent_begin_with(2);
    model_thread_add(give_one, NULL);
}

static void spill_begin(void) { parent_begin_with(6); }

/* ---- a LIFO slot, its owner and two thieves ---- */

static void slot_owner(void *context) {
    (void)context;
    job_give(&workers[0]);
    job_give(&workers[0]);
    struct cedei_task *task = cedei_worker_next_lifo(&workers[0]);
    if (task != NULL) (void)job_run(&workers[0], task);
    job_give(&workers[0]);
}

static void slot_thief(void *context) {
    (void)context;
    struct cedei_task *task = cedei_lifo_take(&workers[0]);
    if (task != NULL) (void)job_run(&workers[1], task);
}

static void slot_begin(void) {
    state_begin_with(false);
    workers[0].look_tick = workers[0].poll_tick = 100;
    model_thread_add(slot_owner, NULL);
    model_thread_add(slot_thief, NULL);
    model_thread_add(slot_thief, NULL);
}

static void slot_check(void) {
    uint32_t found = workers[0].lifo != NULL;
    found += cedei_runqueue_count(&workers[0].queue);
    for (uint32_t i = 0; i < given; i++) found += runs[i];
    MODEL_CLAIM(found == given);
}

/* ---- a timer ---- */

static void timer_give(void *context) {
    (void)context;
    cedei_sched_timer_add(&sched, &timer, model_now_ns() + ((uint64_t)5 << CEDEI_WHEEL_TICK_SHIFT));
}

static void timer_begin(void) {
    state_begin();
    model_thread_add(timer_give, NULL);
}

static void timer_is_fired(void) {
    MODEL_CLAIM(fired == 1);
    all_is_run();
}

static void give_one_and_set(void *context) {
    job_give(NULL);
    timer_give(context);
}

static void timer_and_task_begin(void) {
    state_begin();
    model_thread_add(give_one_and_set, NULL);
}

/* ---- the same, with a reactor in which the timekeeper sleeps ---- */

static void reactor_begin_with(void (*third)(void *)) {
    with_reactor = true;
    state_begin();
    with_reactor = false;
    model_thread_add(third, NULL);
}

static void reactor_task_begin(void) { reactor_begin_with(give_one); }
static void reactor_timer_begin(void) { reactor_begin_with(timer_give); }

/* ---- the end ---- */

static void stop_all(void *context) {
    (void)context;
    threads_stop(&sched, WORKERS);
}

static void stop_begin(void) {
    state_begin();
    model_thread_add(stop_all, NULL);
}

static void all_have_ended(void) {
    for (int i = 0; i < WORKERS; i++) MODEL_CLAIM(model_is_finished(i));
}

int main(int argc, char **argv) {
    static const struct model_scenario SCENARIOS[] = {
        {"a timer", timer_begin, timer_is_fired, 2, 1},
        {"the end", stop_begin, all_have_ended, 2, 1},
        {"a LIFO slot and two thieves", slot_begin, slot_check, 2, 2},
        {"a task from outside", outside_begin, all_is_run, 2, 1},
        {"a task that waits for another", two_begin, all_is_run, 2, 0},
        {"a task and a reactor", reactor_task_begin, all_is_run, 2, 0},
        {"a timer and a reactor", reactor_timer_begin, timer_is_fired, 2, 0},
        {"a task that makes one", child_begin, all_is_run, 2, 1},
        {"a task that makes six", spill_begin, all_is_run, 2, 0},
        {"a task that makes two", parent_begin, all_is_run, 2, 0},
        {"a task and a timer", timer_and_task_begin, timer_is_fired, 2, 0},
    };
    static const char *const OWNS[] = {
        "core/sched/sched.c threads_stop",
        "core/sched/sched.h cedei_sched_submit",
        "core/sched/sched.h cedei_worker_next_lifo",
        "core/sched/sched_internal.h",
        "core/sched/park.c",
        "core/sched/queue.c",
        "core/sched/steal.c",
        "core/sched/next.c",
        "core/sched/watch.c",
        "core/sched/timer.h",
        "core/sched/timer.c",
        "!core/sched/timer.h cedei_timer_is_linked",
        "!core/sched/timer.c linked_set",
        "core/sync/runqueue.h cedei_runqueue_count",
        NULL,
    };
    static const struct model_test TEST = {SCENARIOS, sizeof SCENARIOS / sizeof SCENARIOS[0], OWNS};
    return model_main(argc, argv, &TEST);
}
