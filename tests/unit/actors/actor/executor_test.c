/* Executors: what runs where, what their threads keep to, how they are closed and how they end. */
#define _GNU_SOURCE
#include <dirent.h>
#include <sched.h>

#include "core/sys/alloc.h"
#include "tests/support/actors.h"

static cede_executor *executor_new(cede_system *system, struct cede_executor_options options) {
    cede_executor *executor = NULL;
    if (options.workers == 0) options.workers = 2;
    EXPECT_OK(cede_executor_create(system, &options, &executor));
    EXPECT(executor != NULL);
    return executor;
}

static cede_ref play_on(cede_self *self, cede_executor *executor, const cede_behaviour *behaviour,
                        cede_result (*run)(cede_self *, void *), void *context) {
    struct play *first = cede_new(self, play);
    EXPECT(first != NULL);
    first->run = run;
    first->context = context;
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn_on(self, executor, behaviour, &first, &ref));
    EXPECT(first == NULL && !cede_ref_is_none(ref));
    return ref;
}

/* Until the actor has ended; its reason, or CEDE_OK when it had ended before. */
static CEDE_YIELDS cede_result end_await(cede_self *self, cede_ref actor) {
    EXPECT_OK(cede_monitor(self, actor));
    cede_result reason = down_await(self, actor);
    return reason == CEDE_ENOACTOR ? CEDE_OK : reason;
}

/* What a test does with an executor of its own; it is destroyed afterwards. */
struct with {
    cede_executor *executor;
    struct fixture *fixture;
};

static void with_executor(struct cede_executor_options options, cede_block_fn *run) {
    struct fixture *fixture = fixture_begin((struct cede_options){0});
    struct with with = {executor_new(fixture->system, options), fixture};
    fixture_run(fixture, run, &with);
    cede_executor_destroy(with.executor);
    fixture_end(fixture);
}

/* ---- what runs where ---- */

static cede_result be_a_child(cede_self *self, void *context) {
    EXPECT(cede_self_executor(self) == context);
    return CEDE_STOP;
}

static cede_result be_there(cede_self *self, void *context) {
    EXPECT(cede_self_executor(self) == context);
    EXPECT_OK(end_await(self, play(self, be_a_child, context)));
    EXPECT_OK(end_await(self, play_as(self, &player_that_blocks, be_a_child, context)));
    cede_yield(self);
    EXPECT_OK(cede_sleep(self, 100000));
    EXPECT(cede_self_executor(self) == context);
    return CEDE_STOP;
}

static cede_result job_there(void *message, const cede_cancel *cancel) {
    (void)cancel;
    struct number *number = message;
    struct cedei_worker *worker = cedei_worker_current();
    EXPECT_EQUAL(worker->is_pool, number->value);
    number->value = worker->sched->number;
    return CEDE_OK;
}

static cede_result run_there(cede_self *self, void *context) {
    cede_executor *executor = ((struct with *)context)->executor;
    EXPECT(cede_self_executor(self) == cede_system_executor(cede_self_system(self)));
    EXPECT_OK(end_await(self, play_on(self, executor, &player, be_there, executor)));
    EXPECT_OK(end_await(self, play_on(self, executor, &player_that_blocks, be_there, executor)));
    for (uint64_t is_pool = 0; is_pool < 2; is_pool++) {
        struct number *number = cede_new(self, number);
        cede_job *job = NULL;
        number->value = is_pool;
        if (is_pool)
            EXPECT_OK(cede_job_start_blocking(self, executor, job_there, &number, &job));
        else
            EXPECT_OK(cede_job_start(self, executor, job_there, &number, &job));
        EXPECT_OK(cede_job_await(self, &job, number, &number, CEDE_FOREVER));
        EXPECT_EQUAL(number->value, 1);
        cede_drop(self, &number);
    }
    EXPECT(strcmp(cede_executor_name(executor), "there") == 0);
    EXPECT(strcmp(cede_executor_name(cede_self_executor(self)), "cede") == 0);
    return CEDE_OK;
}

static void executor_runs_what_is_given_to_it_and_their_children(void **state) {
    (void)state;
    with_executor((struct cede_executor_options){.name = "there"}, run_there);
}

/* Two actors on two executors throw a number to and fro, with an ask in between. */
static cede_result count_down(cede_self *self, void *context) {
    cede_ref other = *(cede_ref *)context;
    if (cede_ref_is_none(other)) { /* the one that begins learns it by the first message */
        struct go *go = NULL;
        EXPECT_OK(cede_recv(self, go, &go, CEDE_FOREVER));
        other = go->to;
        cede_drop(self, &go);
    } else {
        number_send(self, other, 20000);
    }
    for (uint64_t value = 2; value > 1;) {
        value = number_await(self);
        if (value > 0) number_send(self, other, value - 1);
    }
    return CEDE_STOP;
}

static cede_result play_between(cede_self *self, void *context) {
    cede_executor *executor = ((struct with *)context)->executor;
    static cede_ref none, first;
    none = (cede_ref){0};
    first = play(self, count_down, &none);
    cede_ref second = play_on(self, executor, &player, count_down, &first);
    struct go *go = cede_new(self, go);
    go->to = second;
    EXPECT_OK(cede_send(self, first, &go));
    EXPECT_OK(end_await(self, first));
    EXPECT_OK(end_await(self, second));
    return CEDE_OK;
}

static void executors_exchange_messages(void **state) {
    (void)state;
    with_executor((struct cede_executor_options){0}, play_between);
}

static _Atomic uint32_t busy, release_now;

static cede_result hold_the_worker(cede_self *self, void *context) {
    (void)self, (void)context;
    flag_set(&busy, 1);
    while (flag_get(&release_now) == 0) cedei_cpu_relax();
    return CEDE_STOP;
}

/* The only worker of the executor is held by one turn; the system's own go on. */
static cede_result work_beside(cede_self *self, void *context) {
    cede_executor *executor = ((struct with *)context)->executor;
    flag_set(&busy, 0);
    flag_set(&release_now, 0);
    cede_ref holder = play_on(self, executor, &player, hold_the_worker, NULL);
    flag_await(self, &busy, 1);
    for (int i = 0; i < 100; i++)
        EXPECT_OK(end_await(self, play(self, be_a_child, cede_self_executor(self))));
    EXPECT_OK(cede_sleep(self, 100000));
    flag_set(&release_now, 1);
    EXPECT_OK(end_await(self, holder));
    return CEDE_OK;
}

static void executor_that_is_busy_does_not_hold_up_another(void **state) {
    (void)state;
    with_executor((struct cede_executor_options){.workers = 1}, work_beside);
}

/* ---- what the threads keep to ---- */

static _Atomic uint32_t hooks, pool_hooks;

static void hook(void *context, const char *name) {
    char real[16] = "";
    pthread_getname_np(pthread_self(), real, sizeof real);
    EXPECT(context == &hooks && strncmp(name, "hooked", 6) == 0);
    /* acq_rel (both): counted for the test. */
    if (strcmp(name, "hooked-blocking") == 0)
        atomic_fetch_add_explicit(&pool_hooks, 1, memory_order_acq_rel);
    else
        atomic_fetch_add_explicit(&hooks, 1, memory_order_acq_rel);
}

static cede_result block_once(cede_self *self, void *context) {
    cede_executor *executor = ((struct with *)context)->executor;
    EXPECT_OK(end_await(self, play_on(self, executor, &player_that_blocks, be_a_child, executor)));
    while (flag_get(&hooks) < 3) cede_yield(self); /* and a spare worker's, on a busy machine */
    EXPECT_EQUAL(flag_get(&pool_hooks), 1);
    return CEDE_OK;
}

static void executor_calls_its_hook_on_each_thread(void **state) {
    (void)state;
    flag_set(&hooks, 0);
    flag_set(&pool_hooks, 0);
    with_executor(
        (struct cede_executor_options){
            .name = "hooked", .workers = 3, .thread_start = hook, .thread_start_context = &hooks},
        block_once);
}

static uint32_t last_cpu(void) {
    uint32_t cpus[1024];
    return cpus[cedei_cpu_list(cpus, 1024) - 1];
}

/* The test may have been started at any level. */
static int usual_nice, special_nice;

static void thread_check(bool is_special) {
    cpu_set_t set;
    EXPECT(sched_getaffinity(0, sizeof set, &set) == 0);
    EXPECT(!is_special || (CPU_COUNT(&set) == 1 && CPU_ISSET(last_cpu(), &set)));
    EXPECT(is_special || (uint32_t)CPU_COUNT(&set) == cedei_cpu_count());
    EXPECT(cedei_thread_nice() == (is_special ? special_nice : usual_nice));
}

static cede_result check_thread(cede_self *self, void *context) {
    (void)self;
    thread_check(context != NULL);
    return CEDE_STOP;
}

static cede_result check_job(void *message, const cede_cancel *cancel) {
    (void)cancel;
    thread_check(((struct number *)message)->value != 0);
    return CEDE_OK;
}

/* The first pool thread of the system's own executor is made for an actor of the other one. */
static cede_result check_pool_of_the_first(cede_self *self, void *context) {
    (void)context;
    thread_check(true);
    struct number *number = cede_new(self, number);
    cede_job *job = NULL;
    cede_executor *first = cede_system_executor(cede_self_system(self));
    EXPECT_OK(cede_job_start_blocking(self, first, check_job, &number, &job));
    EXPECT_OK(cede_job_await(self, &job, number, &number, CEDE_FOREVER));
    cede_drop(self, &number);
    return CEDE_STOP;
}

static cede_result check_threads(cede_self *self, void *context) {
    struct with *with = context;
    thread_check(false);
    EXPECT_OK(
        end_await(self, play_on(self, with->executor, &player, check_pool_of_the_first, with)));
    EXPECT_OK(end_await(self, play_on(self, with->executor, &player, check_thread, with)));
    EXPECT_OK(
        end_await(self, play_on(self, with->executor, &player_that_blocks, check_thread, with)));
    EXPECT_OK(end_await(self, play_as(self, &player_that_blocks, check_thread, NULL)));
    return CEDE_OK;
}

static void special_check(int nice) {
    uint32_t cpu = last_cpu();
    special_nice = nice != 0 ? nice : 1; /* 0 would leave it as it is */
    with_executor((struct cede_executor_options){.cpus = &cpu, .cpu_count = 1, .nice = special_nice},
                  check_threads);
}

static void executor_threads_keep_to_their_processors_and_nice_level(void **state) {
    (void)state;
    usual_nice = cedei_thread_nice();
    special_check(usual_nice < 12 ? usual_nice + 7 : 19);
    /* One that goes before the others, if that is allowed. */
    if (usual_nice < -17 || cedei_thread_nice_set(usual_nice - 3) != CEDE_OK) return;
    EXPECT_OK(cedei_thread_nice_set(usual_nice));
    special_check(usual_nice - 3);
}

/* ---- options and shortages ---- */

static void executor_with_an_option_out_of_range_is_refused_by_name(void **state) {
    struct fixture *fixture = *state;
    static const uint32_t NOWHERE = CPU_SETSIZE - 1;
    static const struct {
        struct cede_executor_options options;
        const char *name;
    } CASES[] = {
        {{.workers = 65}, "workers is 65"},
        {{.blocking_threads_max = 4097}, "blocking_threads_max is 4097"},
        {{.stack_size = 8192}, "stack_size is 8192"},
        {{.nice = 20}, "nice is 20"},
        {{.cpu_count = 1}, "cpu_count is 1"},
        {{.name = "far", .cpus = &NOWHERE, .cpu_count = 1},
         "'far': invalid argument: none of its cpus"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        cede_executor *executor = NULL;
        EXPECT_RESULT(cede_executor_create(fixture->system, &CASES[i].options, &executor),
                      CEDE_EINVAL);
        EXPECT(executor == NULL && fixture_logged(fixture, CASES[i].name));
    }
    EXPECT_RESULT(cede_executor_create(NULL, NULL, NULL), CEDE_EINVAL);
    cede_executor_destroy(NULL);
    cede_executor_close(NULL);
    cede_executor_close(cede_system_executor(fixture->system)); /* not so */
}

static void executor_without_memory_or_threads_leaves_nothing(void **state) {
    struct fixture *fixture = *state;
    struct cede_executor_options options = {.workers = 3};
    cede_executor *executor = NULL;
    for (uint32_t i = 0; i < 3; i++) {
        cedei_thread_fail_starts(i, 1);
        EXPECT_RESULT(cede_executor_create(fixture->system, &options, &executor), CEDE_ELIMIT);
        EXPECT(executor == NULL);
    }
    cede_result r = CEDE_ENOMEM;
    for (uint64_t i = 0; r != CEDE_OK; i++) {
        cedei_alloc_fail_after(i, true);
        r = cede_executor_create(fixture->system, &options, &executor);
        bool reached = cedei_alloc_fail_never() > i;
        EXPECT(r == CEDE_OK || (r == CEDE_ENOMEM && executor == NULL && reached));
    }
    cede_executor_destroy(executor);
}

static void system_has_so_many_executors_and_no_more(void **state) {
    struct fixture *fixture = *state;
    cede_executor *executors[CEDEI_EXECUTORS_MAX] = {0};
    struct cede_executor_options options = {.workers = 1};
    for (int i = 1; i < CEDEI_EXECUTORS_MAX; i++)
        EXPECT_OK(cede_executor_create(fixture->system, &options, &executors[i]));
    EXPECT_RESULT(cede_executor_create(fixture->system, &options, &executors[0]), CEDE_ELIMIT);
    for (int i = 1; i < 10; i++) cede_executor_destroy(executors[i]);
    EXPECT_OK(cede_executor_create(fixture->system, &options, &executors[0]));
}

/* ---- closing ---- */

static _Atomic uint32_t runs, waiting, stopped;

static void count_up(_Atomic uint32_t *count) {
    /* acq_rel: publishes what was done before. */
    atomic_fetch_add_explicit(count, 1, memory_order_acq_rel);
}

static cede_result run_until_asked(void *message, const cede_cancel *cancel) {
    (void)message;
    count_up(&runs);
    count_up(&waiting);
    while (!cede_cancel_is_requested(cancel)) cedei_cpu_relax();
    count_up(&stopped);
    return CEDE_ECANCELED;
}

static cede_result sleep_for_ever(cede_self *self, void *context) {
    (void)context;
    struct note *mine = cede_new(self, note);
    EXPECT_OK(cede_str_set(&mine->text, "owned at the end"));
    (void)cede_sleep(self, CEDE_FOREVER);
    return CEDE_STOP;
}

static cede_job *job_on(cede_self *self, cede_executor *executor) {
    struct note *note = cede_new(self, note);
    cede_job *job = NULL;
    EXPECT_OK(cede_str_set(&note->text, "lent"));
    EXPECT_OK(cede_job_start_blocking(self, executor, run_until_asked, &note, &job));
    return job;
}

static CEDE_YIELDS cede_result job_result(cede_self *self, cede_job *job) {
    struct note *note = NULL;
    cede_result r = cede_job_await(self, &job, note, &note, CEDE_FOREVER);
    EXPECT(job == NULL && note != NULL);
    cede_drop(self, &note);
    return r;
}

static cede_result close_and_see(cede_self *self, void *context) {
    struct with *with = context;
    cede_executor *executor = with->executor;
    flag_set(&runs, 0);
    flag_set(&waiting, 0);
    flag_set(&stopped, 0);
    cede_job *runs_now = job_on(self, executor);
    flag_await(self, &waiting, 1);
    cede_job *queued = job_on(self, executor);
    cede_ref sleeper = play_on(self, executor, &player, sleep_for_ever, NULL), idle = {0};
    EXPECT_OK(cede_spawn_on(self, executor, &player, CEDE_NOTHING, &idle));
    parked_await(self, sleeper);
    EXPECT_OK(cede_monitor(self, sleeper));
    cede_executor_close(executor);
    cede_executor_close(executor);
    EXPECT_RESULT(down_await(self, sleeper), CEDE_EKILLED);
    EXPECT_OK(cede_monitor(self, idle));
    cede_result reason = down_await(self, idle);
    EXPECT(reason == CEDE_EKILLED || reason == CEDE_ENOACTOR);
    EXPECT_RESULT(job_result(self, runs_now), CEDE_ECANCELED);
    EXPECT_RESULT(job_result(self, queued), CEDE_ECLOSED);
    EXPECT_EQUAL(flag_get(&runs), 1);
    EXPECT(!fixture_logged(with->fixture, "is closed"));
    struct number *number = cede_new(self, number);
    cede_job *job = NULL;
    EXPECT_RESULT(cede_job_start(self, executor, job_there, &number, &job), CEDE_ECLOSED);
    EXPECT_RESULT(cede_job_start_blocking(self, executor, job_there, &number, &job), CEDE_ECLOSED);
    EXPECT_RESULT(cede_job_start_wait(self, executor, CEDE_ASYNC, job_there, &number, &job, 1000),
                  CEDE_ECLOSED);
    EXPECT(number != NULL && job == NULL);
    cede_drop(self, &number);
    EXPECT(fixture_logged(with->fixture,
                          "executor 'shut' is closed: a job is refused (CEDE_ECLOSED)"));
    cede_ref late = {0};
    EXPECT_RESULT(cede_spawn_on(self, executor, &player, CEDE_NOTHING, &late), CEDE_ECLOSED);
    EXPECT(cede_ref_is_none(late));
    return CEDE_OK;
}

static void executor_that_is_closed_ends_what_it_has_and_refuses_more(void **state) {
    (void)state;
    with_executor((struct cede_executor_options){.name = "shut", .blocking_threads_max = 1},
                  close_and_see);
}

/* Actors that spawn on it and start jobs there for as long as it lets them. */
static cede_result use_until_refused(cede_self *self, void *context) {
    cede_executor *executor = context;
    cede_result r = CEDE_OK;
    flag_set(&busy, 1);
    while (r == CEDE_OK) {
        r = cede_spawn_on(self, executor, &player, CEDE_NOTHING, NULL);
        cede_job *job = NULL;
        struct number *number = cede_new(self, number);
        number->value = 0;
        if (r == CEDE_OK)
            r = cede_job_start_wait(self, executor, CEDE_ASYNC, job_there, &number, &job,
                                    CEDE_FOREVER);
        if (job != NULL) {
            cede_result end = cede_job_await(self, &job, number, &number, CEDE_FOREVER);
            EXPECT(end == CEDE_OK || end == CEDE_ECLOSED);
        }
        cede_drop(self, &number);
    }
    EXPECT_RESULT(r, CEDE_ECLOSED);
    flag_set(&release_now, 1);
    return CEDE_STOP;
}

static cede_result start_using(cede_self *self, void *context) {
    flag_set(&busy, 0);
    flag_set(&release_now, 0);
    play(self, use_until_refused, context);
    play(self, use_until_refused, context);
    flag_await(self, &busy, 1);
    return CEDE_OK;
}

static cede_result until_refused(cede_self *self, void *context) {
    (void)context;
    flag_await(self, &release_now, 1);
    return CEDE_OK;
}

static struct cede_metrics fixture_metrics(struct fixture *fixture) {
    struct cede_metrics metrics;
    cede_system_metrics(fixture->system, &metrics);
    return metrics;
}

static void executor_that_is_destroyed_in_the_midst_of_its_use_loses_nothing(void **state) {
    struct fixture *fixture = *state;
    for (int round = 0; round < 30; round++) {
        cede_executor *executor =
            executor_new(fixture->system, (struct cede_executor_options){.jobs_queue_max = 1});
        fixture_run(fixture, start_using, executor);
        cede_executor_close(executor); /* from now on the users may only be refused */
        fixture_run(fixture, until_refused, NULL);
        /* Both have seen it before it goes. */
        while (fixture_metrics(fixture).actors_spawned - fixture_metrics(fixture).actors_ended > 0)
            sched_yield();
        cede_executor_destroy(executor);
    }
}

static uint32_t threads_of_process(void) {
    uint32_t count = 0;
    DIR *folder = opendir("/proc/self/task");
    EXPECT(folder != NULL);
    while (readdir(folder) != NULL) count++;
    closedir(folder);
    return count;
}

static cede_result end_there(cede_self *self, void *context) {
    EXPECT_OK(end_await(self, play_on(self, context, &player, be_a_child, context)));
    EXPECT_OK(end_await(self, play_on(self, context, &player_that_blocks, be_a_child, context)));
    return CEDE_OK;
}

static void executors_that_come_and_go_leave_no_threads(void **state) {
    struct fixture *fixture = *state;
    /* A busy machine makes workers look stuck, and then there are spare ones. */
    uint32_t most = threads_of_process() + CEDEI_WORKERS_MAX;
    for (int i = 0; i < 100; i++) {
        cede_executor *executor =
            executor_new(fixture->system, (struct cede_executor_options){.workers = 1});
        fixture_run(fixture, end_there, executor);
        cede_executor_destroy(executor);
        while (threads_of_process() > most)
            sched_yield(); /* the kernel may see a thread a little longer */
    }
}

static cede_result destroy_as_job(void *message, const cede_cancel *cancel) {
    (void)cancel;
    cede_executor *executor = NULL;
    memcpy(&executor, &((struct number *)message)->value, sizeof executor);
    cede_executor_destroy(executor);
    return CEDE_OK;
}

TURN_TEST(executor_is_made_in_a_turn_and_destroyed_by_a_blocking_job) {
    (void)context;
    cede_executor *executor =
        executor_new(cede_self_system(self), (struct cede_executor_options){0});
    play_on(self, executor, &player, sleep_for_ever, NULL);
    struct number *number = cede_new(self, number);
    cede_job *job = NULL;
    memcpy(&number->value, &executor, sizeof executor);
    EXPECT_OK(cede_job_start_blocking(self, NULL, destroy_as_job, &number, &job));
    EXPECT_OK(cede_job_await(self, &job, number, &number, CEDE_FOREVER));
    cede_drop(self, &number);
    return CEDE_OK;
}

static cede_result use_a_foreign_one(cede_self *self, void *context) {
    cede_ref ref = {0};
    cede_job *job = NULL;
    EXPECT_RESULT(cede_spawn_on(self, context, &player, CEDE_NOTHING, &ref), CEDE_EINVAL);
    EXPECT_RESULT(cede_spawn_on(self, NULL, &player, CEDE_NOTHING, &ref), CEDE_EINVAL);
    EXPECT_RESULT(cede_job_start(self, context, job_there, CEDE_NOTHING, &job), CEDE_EINVAL);
    return CEDE_OK;
}

static void executor_of_another_system_is_refused(void **state) {
    struct fixture *other = fixture_begin((struct cede_options){0});
    fixture_run(*state, use_a_foreign_one, cede_system_executor(other->system));
    fixture_end(other);
}

/* ---- the end of the system ---- */

static cede_result leave_work_there(cede_self *self, void *context) {
    cede_executor *executor = context;
    flag_set(&waiting, 0);
    for (int i = 0; i < 4; i++) {
        play_on(self, executor, &player, sleep_for_ever, NULL);
        play_on(self, executor, &player_that_blocks, sleep_for_ever, NULL);
        cede_job *job = job_on(self, executor);
        (void)job;
        EXPECT_OK(cede_spawn_on(self, executor, &player, CEDE_NOTHING, NULL));
    }
    flag_await(self, &waiting, 2);
    return CEDE_OK;
}

static void system_that_is_destroyed_ends_its_executors(void **state) {
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct fixture *fixture = fixture_begin((struct cede_options){0});
        cede_executor *executor =
            executor_new(fixture->system, (struct cede_executor_options){.blocking_threads_max = 2});
        cede_executor *closed = executor_new(fixture->system, (struct cede_executor_options){0});
        fixture_run(fixture, leave_work_there, executor);
        cede_executor_close(closed);
        fixture_end(fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(executor_runs_what_is_given_to_it_and_their_children),
        cmocka_unit_test(executors_exchange_messages),
        cmocka_unit_test(executor_that_is_busy_does_not_hold_up_another),
        cmocka_unit_test(executor_calls_its_hook_on_each_thread),
        cmocka_unit_test(executor_threads_keep_to_their_processors_and_nice_level),
        WITH_SYSTEM(executor_with_an_option_out_of_range_is_refused_by_name),
        WITH_SYSTEM(executor_without_memory_or_threads_leaves_nothing),
        WITH_SYSTEM(system_has_so_many_executors_and_no_more),
        cmocka_unit_test(executor_that_is_closed_ends_what_it_has_and_refuses_more),
        WITH_SYSTEM(executor_that_is_destroyed_in_the_midst_of_its_use_loses_nothing),
        WITH_SYSTEM(executors_that_come_and_go_leave_no_threads),
        WITH_SYSTEM(executor_is_made_in_a_turn_and_destroyed_by_a_blocking_job),
        WITH_SYSTEM(executor_of_another_system_is_refused),
        cmocka_unit_test(system_that_is_destroyed_ends_its_executors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
