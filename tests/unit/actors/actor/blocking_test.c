/* cede_run_blocking, actors that may block, cede_block_on, and the end of a system with all of them under way. */
#include "tests/support/actors.h"

/* ---- jobs ---- */

static cede_result double_value(void *message) {
    struct note *note = message;
    note->value *= 2;
    return cede_str_set(&note->text, "written by the job");
}

static cede_result fail_with_io(void *message) {
    ((struct note *)message)->value = 99;
    return CEDE_EIO;
}

TURN_TEST(run_blocking_gives_the_message_back_with_what_the_job_wrote) {
    (void)context;
    struct note *message = cede_new(self, note);
    message->value = 21;
    EXPECT_OK(cede_run_blocking(self, double_value, &message));
    EXPECT(message != NULL && message->value == 42);
    EXPECT(strcmp(cede_str_text(&message->text), "written by the job") == 0);
    EXPECT_RESULT(cede_run_blocking(self, fail_with_io, &message), CEDE_EIO);
    EXPECT(message != NULL && message->value == 99);
    struct note *kept = cede_keep(self, &message);
    EXPECT_OK(cede_run_blocking(self, double_value, &kept)); /* a kept one stays kept */
    EXPECT_EQUAL(kept->value, 198);
    cede_drop(self, &kept);
    return CEDE_OK;
}

TURN_TEST(run_blocking_of_nothing_is_refused) {
    (void)context;
    struct note *message = NULL;
    EXPECT_RESULT(cede_run_blocking(self, double_value, &message), CEDE_EINVAL);
    message = cede_new(self, note);
    EXPECT_RESULT(cede_run_blocking(self, NULL, &message), CEDE_EINVAL);
    EXPECT_RESULT(cede_run_blocking(NULL, double_value, &message), CEDE_ECONTEXT);
    cede_drop(self, &message);
    return CEDE_OK;
}

/* A gate that jobs wait at, on their pool threads. */
static _Atomic uint32_t gate_waiting, gate_open;

static cede_result wait_at_gate(void *message) {
    (void)message;
    /* acq_rel: counts the arrivals for gate_await. */
    atomic_fetch_add_explicit(&gate_waiting, 1, memory_order_acq_rel);
    cedei_futex_wake(&gate_waiting, 1000);
    while (flag_get(&gate_open) == 0) cedei_futex_wait(&gate_open, 0, UINT64_MAX);
    return CEDE_OK;
}

static void gate_reset(void) {
    flag_set(&gate_waiting, 0);
    flag_set(&gate_open, 0);
}

static void gate_let_through(void) {
    flag_set(&gate_open, 1);
    cedei_futex_wake(&gate_open, 1000);
}

struct job_case {
    _Atomic uint32_t done;
    cede_result result;
};

static cede_result run_gate_job(cede_self *self, void *context) {
    struct job_case *job = context;
    struct note *message = cede_new(self, note);
    EXPECT_OK(cede_str_set(&message->text, "lent"));
    job->result = cede_run_blocking(self, wait_at_gate, &message);
    EXPECT(message != NULL);
    flag_set(&job->done, 1);
    return CEDE_STOP;
}

static cede_result wait_at_gate_as_job(void *message, const cede_cancel *cancel) {
    (void)cancel;
    return wait_at_gate(message);
}

/* Does not wait for room. */
static cede_result start_gate_job(cede_self *self, void *context) {
    struct job_case *one = context;
    struct note *message = cede_new(self, note);
    EXPECT_OK(cede_str_set(&message->text, "lent"));
    cede_job *job = NULL;
    one->result = cede_job_start_blocking(self, NULL, wait_at_gate_as_job, &message, &job);
    EXPECT((message == NULL) == (one->result == CEDE_OK) && (job == NULL) == (message != NULL));
    if (job != NULL) one->result = cede_job_await(self, &job, note, &message, CEDE_FOREVER);
    EXPECT(message != NULL);
    flag_set(&one->done, 1);
    return CEDE_STOP;
}

enum { JOBS = 12, THREADS = 3, QUEUE = 4 };

static struct cede_metrics metrics_of(cede_self *self) {
    struct cede_metrics metrics;
    cede_system_metrics(cede_self_system(self), &metrics);
    return metrics;
}

/* THREADS run, QUEUE wait, the rest are refused; then the pool shrinks to nothing. */
static cede_result fill_the_pool(cede_self *self, void *context) {
    (void)context;
    static struct job_case jobs[JOBS];
    gate_reset();
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job_case){.result = CEDE_EFAILED};
        play(self, start_gate_job, &jobs[i]);
    }
    uint32_t refused = 0;
    while (refused < JOBS - THREADS - QUEUE || flag_get(&gate_waiting) < THREADS) {
        refused = 0;
        for (int i = 0; i < JOBS; i++) refused += flag_get(&jobs[i].done);
        cede_yield(self);
    }
    EXPECT_EQUAL(refused, JOBS - THREADS - QUEUE);
    EXPECT_EQUAL(metrics_of(self).blocking_threads, THREADS);
    gate_let_through();
    uint32_t ok = 0, full = 0;
    for (int i = 0; i < JOBS; i++) {
        flag_await(self, &jobs[i].done, 1);
        ok += jobs[i].result == CEDE_OK;
        full += jobs[i].result == CEDE_EFULL;
    }
    EXPECT_EQUAL(ok, THREADS + QUEUE);
    EXPECT_EQUAL(full, JOBS - THREADS - QUEUE);
    while (metrics_of(self).blocking_threads != 0)
        EXPECT_OK(cede_sleep(self, 100000)); /* they leave by themselves */
    EXPECT_EQUAL(metrics_of(self).blocking_threads_peak, THREADS);
    EXPECT_EQUAL(metrics_of(self).blocking_jobs, THREADS + QUEUE);
    struct note *message = cede_new(self, note); /* and the pool grows again */
    EXPECT_OK(cede_run_blocking(self, double_value, &message));
    cede_drop(self, &message);
    return CEDE_OK;
}

static void pool_grows_to_its_limit_refuses_beyond_its_queue_and_shrinks(void **state) {
    (void)state;
    struct fixture *fixture =
        fixture_begin((struct cede_options){.blocking_threads_max = THREADS,
                                            .blocking_queue_max = QUEUE,
                                            .blocking_idle_ns = CEDE_MILLIS(2)});
    fixture_run(fixture, fill_the_pool, NULL);
    fixture_end(fixture);
}

/* Whoever waits for the end of its job is never refused: it waits in the queue, however long that is. */
static cede_result overfill_the_pool(cede_self *self, void *context) {
    (void)context;
    static struct job_case jobs[JOBS];
    gate_reset();
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct job_case){.result = CEDE_EFAILED};
        play(self, run_gate_job, &jobs[i]);
    }
    flag_await(self, &gate_waiting, THREADS);
    gate_let_through();
    for (int i = 0; i < JOBS; i++) {
        flag_await(self, &jobs[i].done, 1);
        EXPECT_RESULT(jobs[i].result, CEDE_OK);
    }
    EXPECT_EQUAL(metrics_of(self).blocking_jobs, JOBS);
    return CEDE_OK;
}

static void run_blocking_waits_when_the_queue_is_full(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin(
        (struct cede_options){.blocking_threads_max = THREADS, .blocking_queue_max = QUEUE});
    fixture_run(fixture, overfill_the_pool, NULL);
    fixture_end(fixture);
}

/* ---- actors that may block ---- */

static cede_result ask_and_run_from_the_pool(cede_self *self, void *context) {
    EXPECT(cedei_worker_current()->is_pool);
    struct note *message = cede_new(self, note);
    message->value = 1;
    EXPECT_OK(cede_run_blocking(self, double_value, &message)); /* where it is */
    EXPECT_EQUAL(message->value, 2);
    cede_drop(self, &message);
    uint64_t value = 0;
    EXPECT_OK(question_ask(self, *(cede_ref *)context, 5, &value));
    EXPECT_EQUAL(value, 6);
    EXPECT_OK(cede_sleep(self, 1000));
    cede_yield(self);
    EXPECT(cedei_worker_current()->is_pool);
    return CEDE_STOP;
}

static cede_result echo_once_from_the_pool(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    answer_give(self, request, request->value + 1);
    cede_drop(self, &request);
    return CEDE_STOP;
}

/* One thread is enough for two actors that wait for each other: who waits holds none. */
static cede_result nest_in_one_thread(cede_self *self, void *context) {
    (void)context;
    static cede_ref echo;
    echo = play_as(self, &player_that_blocks, echo_once_from_the_pool, NULL);
    cede_ref asker = play_as(self, &player_that_blocks, ask_and_run_from_the_pool, &echo);
    EXPECT_OK(cede_monitor(self, asker));
    cede_result reason = down_await(self, asker);
    EXPECT(reason == CEDE_OK || reason == CEDE_ENOACTOR);
    EXPECT_EQUAL(metrics_of(self).blocking_threads_peak, 1);
    return CEDE_OK;
}

static void blocking_actors_wait_for_each_other_on_one_thread(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.blocking_threads_max = 1});
    fixture_run(fixture, nest_in_one_thread, NULL);
    fixture_end(fixture);
}

static cede_result one_job_after_the_other(cede_self *self, void *context) {
    struct note *message = cede_new(self, note);
    EXPECT_OK(cede_str_set(&message->text, "in use for ever"));
    for (;;) { /* until it is killed, or the system ends */
        EXPECT_OK(cede_run_blocking(self, double_value, &message));
        flag_set(context, 1);
    }
    return CEDE_STOP;
}

TURN_TEST(kill_of_a_blocking_actor_between_two_jobs_ends_it) {
    (void)context;
    static _Atomic uint32_t at_work;
    flag_set(&at_work, 0);
    cede_ref worker = play_as(self, &player_that_blocks, one_job_after_the_other, &at_work);
    EXPECT_OK(cede_monitor(self, worker));
    flag_await(self, &at_work, 1);
    EXPECT_OK(cede_kill(self, worker));
    EXPECT_RESULT(down_await(self, worker), CEDE_EKILLED);
    return CEDE_OK;
}

TURN_TEST(destroy_ends_a_blocking_actor_between_two_jobs) {
    (void)context;
    static _Atomic uint32_t at_work;
    flag_set(&at_work, 0);
    play_as(self, &player_that_blocks, one_job_after_the_other, &at_work);
    flag_await(self, &at_work, 1);
    return CEDE_OK;
}

/* ---- block_on ---- */

static cede_result return_number(cede_self *self, void *context) {
    (void)self;
    return *(cede_result *)context;
}

static void block_on_returns_what_the_function_returned(void **state) {
    struct fixture *fixture = *state;
    cede_result wanted[] = {CEDE_OK, CEDE_STOP, CEDE_EIO, CEDE_EFAILED};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        EXPECT_RESULT(cede_block_on(fixture->system, return_number, &wanted[i]), wanted[i]);
    EXPECT_RESULT(cede_block_on(NULL, return_number, &wanted[0]), CEDE_EINVAL);
    EXPECT_RESULT(cede_block_on(fixture->system, NULL, NULL), CEDE_EINVAL);
}

TURN_TEST(block_on_from_a_turn_is_refused) {
    struct fixture *fixture = context;
    cede_result wanted = CEDE_OK;
    EXPECT_RESULT(cede_block_on(cede_self_system(self), return_number, &wanted), CEDE_ECONTEXT);
    EXPECT(fixture_logged(fixture, "cede_block_on called from a turn"));
    return CEDE_OK;
}

static cede_result kill_itself(cede_self *self, void *context) {
    (void)context;
    EXPECT_OK(cede_kill(self, cede_self_ref(self)));
    cede_yield(self);
    return CEDE_OK;
}

static void block_on_of_a_function_that_is_killed_says_so(void **state) {
    struct fixture *fixture = *state;
    EXPECT_RESULT(cede_block_on(fixture->system, kill_itself, NULL), CEDE_EKILLED);
}

static cede_result sleep_for_ever(cede_self *self, void *context) {
    flag_set(context, 1);
    (void)cede_sleep(self, CEDE_FOREVER);
    return CEDE_OK;
}

struct thread_case {
    cede_system *system;
    _Atomic uint32_t started;
    cede_result result;
};

static void *block_on_thread(void *context) {
    struct thread_case *thread = context;
    thread->result = cede_block_on(thread->system, sleep_for_ever, &thread->started);
    return NULL;
}

static void block_on_ends_when_the_system_is_destroyed(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){0});
    static struct thread_case waiter;
    waiter = (struct thread_case){.system = fixture->system};
    pthread_t thread;
    EXPECT(pthread_create(&thread, NULL, block_on_thread, &waiter) == 0);
    while (flag_get(&waiter.started) == 0) cedei_cpu_relax();
    fixture_stop(fixture);
    EXPECT(pthread_join(thread, NULL) == 0);
    EXPECT_RESULT(waiter.result, CEDE_EKILLED);
    fixture_free(fixture);
}

/* ---- the end of a system ---- */

static cede_result ask_for_ever(cede_self *self, void *context) {
    (void)question_ask(self, *(cede_ref *)context, 1, NULL);
    return CEDE_STOP;
}

static cede_result recv_for_ever(cede_self *self, void *context) {
    (void)context;
    struct note *mine = cede_new(self, note);
    EXPECT_OK(cede_str_set(&mine->text, "owned at the end"));
    struct go *message = NULL; /* nobody sends one */
    (void)cede_recv(self, go, &message, CEDE_FOREVER);
    return CEDE_STOP;
}

static cede_result send_wait_for_ever(cede_self *self, void *context) {
    for (;;) { /* until the end */
        struct number *message = cede_new(self, number);
        EXPECT_OK(cede_send_wait(self, *(cede_ref *)context, &message, CEDE_FOREVER));
    }
    return CEDE_OK;
}

static cede_result yield_for_ever(cede_self *self, void *context) {
    (void)context;
    for (;;) cede_yield(self);
    return CEDE_OK;
}

static cede_result leave_all_under_way(cede_self *self, void *context) {
    (void)context;
    static cede_ref silent, full;
    static _Atomic uint32_t asleep;
    static struct job_case jobs[6];
    gate_reset();
    silent = play(self, recv_for_ever, NULL);
    full = play_as(self, &player_of_two, recv_for_ever, NULL);
    parked_await(self, silent);
    for (int i = 0; i < 3; i++) {
        play(self, ask_for_ever, &silent);
        play(self, yield_for_ever, NULL);
        play(self, sleep_for_ever, &asleep);
        play(self, recv_for_ever, NULL);
        play_as(self, &player_that_blocks, recv_for_ever, NULL);
        EXPECT_OK(cede_spawn(self, &player, CEDE_NOTHING, NULL));
        struct question *unhandled = cede_new(self, question);
        EXPECT_OK(cede_send(self, silent, &unhandled));
    }
    play(self, send_wait_for_ever, &full);
    for (int i = 0; i < 6; i++) { /* two run, four wait in the pool's queue when the system ends */
        jobs[i] = (struct job_case){0};
        play(self, run_gate_job, &jobs[i]);
    }
    while (flag_get(&gate_waiting) < 1) cede_yield(self);
    return CEDE_OK;
}

/* The jobs at the gate hold pool threads, so the system cannot be gone before the gate opens. */
static void *open_the_gate_later(void *context) {
    cede_system *system = context;
    /* acquire: only looked at. */
    while (atomic_load_explicit(&system->closing, memory_order_acquire) == 0) cedei_cpu_relax();
    gate_let_through();
    return NULL;
}

static void destroy_ends_actors_wherever_they_are_and_drops_all_they_own(void **state) {
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct fixture *fixture = fixture_begin((struct cede_options){.blocking_threads_max = 2});
        fixture_run(fixture, leave_all_under_way, NULL);
        pthread_t thread;
        EXPECT(pthread_create(&thread, NULL, open_the_gate_later, fixture->system) == 0);
        fixture_stop(fixture); /* `closing` is set by it, and the thread then lets the jobs end */
        pthread_join(thread, NULL);
        fixture_free(fixture);
    }
}

static void destroy_of_nothing_does_nothing(void **state) {
    (void)state;
    cede_system_destroy(NULL);
}

/* ---- making a system ---- */

static void create_with_an_option_out_of_range_is_refused_by_name(void **state) {
    (void)state;
    static const struct {
        struct cede_options options;
        const char *name;
    } CASES[] = {
        {{.workers = 65}, "workers is 65"},
        {{.blocking_threads_max = 4097}, "blocking_threads_max is 4097"},
        {{.stack_size = 8192}, "stack_size is 8192"},
        {{.stack_size = 65537}, "stack_size is 65537"},
        {{.stack_size = 16 << 20}, "stack_size is 16777216"},
        {{.actors_max = (1u << 26) + 1}, "actors_max is 67108865"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct fixture *log = calloc(1, sizeof *log);
        EXPECT(log != NULL);
        pthread_mutex_init(&log->lock, NULL);
        struct cede_options options = CASES[i].options;
        options.log = fixture_log;
        options.log_context = log;
        cede_system *system = NULL;
        EXPECT_RESULT(cede_system_create(&system, &options), CEDE_EINVAL);
        EXPECT(system == NULL && fixture_logged(log, CASES[i].name));
        fixture_free(log);
    }
    EXPECT_RESULT(cede_system_create(NULL, NULL), CEDE_EINVAL);
}

static void create_several_systems_in_one_process_works(void **state) {
    (void)state;
    struct fixture *one = fixture_begin((struct cede_options){0});
    struct fixture *two = fixture_begin((struct cede_options){.stack_size = 16384});
    cede_result fine = CEDE_OK;
    fixture_run(one, return_number, &fine);
    fixture_run(two, return_number, &fine);
    EXPECT(cedei_system_uid(one->system) != cedei_system_uid(two->system));
    fixture_end(one);
    fixture_run(two, return_number, &fine);
    fixture_end(two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(run_blocking_gives_the_message_back_with_what_the_job_wrote),
        WITH_SYSTEM(run_blocking_of_nothing_is_refused),
        cmocka_unit_test(pool_grows_to_its_limit_refuses_beyond_its_queue_and_shrinks),
        cmocka_unit_test(run_blocking_waits_when_the_queue_is_full),
        cmocka_unit_test(blocking_actors_wait_for_each_other_on_one_thread),
        WITH_SYSTEM(kill_of_a_blocking_actor_between_two_jobs_ends_it),
        WITH_SYSTEM(destroy_ends_a_blocking_actor_between_two_jobs),
        WITH_SYSTEM(block_on_returns_what_the_function_returned),
        WITH_SYSTEM(block_on_from_a_turn_is_refused),
        WITH_SYSTEM(block_on_of_a_function_that_is_killed_says_so),
        cmocka_unit_test(block_on_ends_when_the_system_is_destroyed),
        cmocka_unit_test(destroy_ends_actors_wherever_they_are_and_drops_all_they_own),
        cmocka_unit_test(destroy_of_nothing_does_nothing),
        cmocka_unit_test(create_with_an_option_out_of_range_is_refused_by_name),
        cmocka_unit_test(create_several_systems_in_one_process_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
