/* Every allocation of every public call fails in turn: no crash, no leak, the documented code, and what was to be moved
 * is still the caller's. */
#include <signal.h>

#include <cede/defer.h>
#include <cede/inbox.h>
#include <cede/io.h>
#include <cede/signal.h>

#include "core/sys/alloc.h"
#include "tests/support/actors.h"

/* What one call does, with the results that it may have while memory is short. */
struct shortage {
    const char *name;
    cede_result (*run)(
        cede_self *self); /* must clean up after itself; CEDE_OK when the call did what it should */
};

static cede_ref answerer;

static cede_result answerer_run(cede_self *self, void *context) {
    (void)context;
    for (;;) { /* until it is stopped */
        struct question *request = NULL;
        cede_result r = cede_recv(self, question, &request, CEDE_FOREVER);
        if (r == CEDE_ECANCELED) return CEDE_STOP;
        EXPECT_OK(r);
        EXPECT_OK(cede_reply(self, request, &request));
    }
}

static cede_result new_and_drop(cede_self *self) {
    struct note *message = cede_new(self, note);
    if (message == NULL) return CEDE_ENOMEM;
    cede_result r = cede_str_set(&message->text, "text");
    cede_drop(self, &message);
    return r;
}

/* Longer than what blocks are pooled for, so that each one is an allocation. */
#define BIG(F) F(array(u64, 400), values)
CEDE_MESSAGE(big, BIG);

static cede_result new_big(cede_self *self) {
    struct big *message = cede_new(self, big);
    if (message == NULL) return CEDE_ENOMEM;
    message->values[399] = 1;
    cede_result r = cede_send(self, cede_self_ref(self), &message);
    EXPECT((message == NULL) == (r == CEDE_OK));
    if (message != NULL) cede_drop(self, &message);
    if (r != CEDE_OK) return r;
    EXPECT_OK(cede_recv(self, big, &message, 0));
    EXPECT_EQUAL(message->values[399], 1);
    cede_drop(self, &message);
    return CEDE_OK;
}

static cede_result ask_and_reply(cede_self *self) {
    struct question *request = cede_new(self, question), *reply = NULL;
    if (request == NULL) return CEDE_ENOMEM;
    cede_result r = cede_ask(self, answerer, &request, question, &reply, CEDE_SECONDS(50));
    EXPECT((reply != NULL) == (r == CEDE_OK));
    if (request != NULL) cede_drop(self, &request);
    if (reply != NULL) cede_drop(self, &reply);
    return r;
}

static cede_result spawn_and_stop(cede_self *self) {
    struct big *first = cede_new(self, big);
    if (first == NULL) return CEDE_ENOMEM;
    cede_ref ref = {0};
    cede_result r = cede_spawn(self, &player, &first, &ref);
    EXPECT((first == NULL) == (r == CEDE_OK) && cede_ref_is_none(ref) == (r != CEDE_OK));
    if (r != CEDE_OK) {
        cede_drop(self, &first);
        return r;
    }
    r = cede_monitor(self, ref);
    EXPECT_OK(cede_stop(self, ref));
    if (r == CEDE_OK) (void)down_await(self, ref); /* once it is promised, it comes */
    return r;
}

static cede_result monitor_the_dead(cede_self *self) {
    cede_result r = cede_monitor(self, (cede_ref){0});
    if (r == CEDE_OK) EXPECT_RESULT(down_await(self, (cede_ref){0}), CEDE_ENOACTOR);
    return r;
}

static cede_result job_run(void *message) {
    (void)message;
    return CEDE_OK;
}

static cede_result run_a_job(cede_self *self) {
    struct note *message = cede_new(self, note);
    if (message == NULL) return CEDE_ENOMEM;
    cede_result r = cede_run_blocking(self, job_run, &message);
    EXPECT(message != NULL);
    cede_drop(self, &message);
    return r;
}

static cede_result job_with_token(void *message, const cede_cancel *cancel) {
    (void)cancel;
    return job_run(message);
}

static cede_result start_a_job(cede_self *self) {
    cede_job *job = NULL;
    struct note *message = cede_new(self, note);
    if (message == NULL) return CEDE_ENOMEM;
    cede_result r =
        cede_job_start_wait(self, NULL, CEDE_ASYNC, job_with_token, &message, &job, 1000000);
    EXPECT((message == NULL) == (r == CEDE_OK) && (job != NULL) == (r == CEDE_OK));
    while (job != NULL) /* without a stack to wait on it may be tried again */
        r = cede_job_await(self, &job, note, &message, CEDE_FOREVER);
    EXPECT(message != NULL);
    cede_drop(self, &message);
    return r;
}

static cede_result drop_a_job(cede_self *self) {
    cede_job *job = NULL;
    struct note *message = cede_new(self, note);
    if (message == NULL) return CEDE_ENOMEM;
    cede_result r = cede_job_start_blocking(self, NULL, job_with_token, &message, &job);
    EXPECT((message == NULL) == (r == CEDE_OK) && (job != NULL) == (r == CEDE_OK));
    if (message != NULL) cede_drop(self, &message);
    cede_job_drop(self, &job);
    EXPECT(job == NULL);
    return r;
}

static cede_result blocking_actor_run(cede_self *self, void *context) {
    flag_set(context, 1);
    (void)self;
    return CEDE_STOP;
}

/* An actor that was spawned runs, even if its first thread could not be made at once. */
static cede_result spawn_a_blocking_actor(cede_self *self) {
    static _Atomic uint32_t has_run;
    flag_set(&has_run, 0);
    struct play *first = cede_new(self, play);
    if (first == NULL) return CEDE_ENOMEM;
    first->run = blocking_actor_run;
    first->context = &has_run;
    cede_result r = cede_spawn(self, &player_that_blocks, &first, NULL);
    if (first != NULL) cede_drop(self, &first);
    if (r == CEDE_OK)
        while (flag_get(&has_run) == 0) EXPECT_OK(cede_sleep(self, 100000));
    return r;
}

static _Atomic uint32_t full_state;
static cede_ref full;

static cede_result full_run(cede_self *self, void *context) {
    (void)context;
    flag_set(&full_state, 1);
    struct go *message = NULL; /* nobody sends one */
    (void)cede_recv(self, go, &message, CEDE_FOREVER);
    return CEDE_STOP;
}

static cede_result send_wait_in_vain(cede_self *self) {
    struct number *message = cede_new(self, number);
    if (message == NULL) return CEDE_ENOMEM;
    cede_result r = cede_send_wait(self, full, &message, 1000);
    EXPECT(message != NULL && r != CEDE_OK);
    cede_drop(self, &message);
    return r == CEDE_ETIMEDOUT ? CEDE_OK : r;
}

static cede_result sleep_and_yield(cede_self *self) {
    cede_yield(self);
    return cede_sleep(self, 1000);
}

static CEDE_YIELDS cede_result read_a_file(cede_self *self) {
    struct cede_file *file = NULL;
    char bytes[16];
    size_t got = 0;
    cede_result r = cede_file_open(self, "/dev/zero", CEDE_FILE_READ, &file);
    EXPECT((file != NULL) == (r == CEDE_OK));
    if (r != CEDE_OK) return r;
    r = cede_file_read(self, file, 0, bytes, sizeof bytes, &got);
    EXPECT(r != CEDE_OK || got == sizeof bytes);
    cede_drop(self, &file);
    return r;
}

static cede_result watch_a_signal(cede_self *self) {
    cede_result r = cede_signal_watch(self, SIGUSR2);
    cede_signal_unwatch(self, SIGUSR2);
    return r;
}

static cede_result measure_stacks(cede_self *self) {
    struct cedei_stack_use use;
    return cedei_stack_pool_measure(&cede_self_system(self)->sched.stacks, &use);
}

static void count_down(cede_self *self, void *count) { (void)self, --*(int *)count; }

/* More than the worker has blocks for; without pooled blocks each is an allocation. What cannot be registered is undone
 * at once. */
static cede_result defer_often(cede_self *self) {
    enum { CLEANUPS = CEDEI_ASAN ? 8 : 200 };
    int count = CLEANUPS, registered = 0;
    cede_result r = CEDE_OK;
    for (int i = 0; i < CLEANUPS; i++) {
        cede_result one = cede_defer(self, count_down, &count);
        if (one == CEDE_OK)
            registered++;
        else
            r = one;
    }
    EXPECT_EQUAL(count, registered);
    while (cede_defer_run(self, count_down, &count) == CEDE_OK) registered--;
    EXPECT(count == 0 && registered == 0);
    return r;
}

static const struct shortage CASES[] = {
    {"defer", defer_often},
    {"open and read a file", read_a_file},
    {"watch a signal", watch_a_signal},
    {"measure stacks", measure_stacks},
    {"new", new_and_drop},
    {"new and send a big one", new_big},
    {"ask and reply", ask_and_reply},
    {"spawn, monitor and stop", spawn_and_stop},
    {"monitor the dead", monitor_the_dead},
    {"run_blocking", run_a_job},
    {"start and await a job", start_a_job},
    {"start and drop a blocking job", drop_a_job},
    {"spawn a blocking actor", spawn_a_blocking_actor},
    {"send_wait", send_wait_in_vain},
    {"sleep and yield", sleep_and_yield},
};

/* Fails the first allocation, then the second, and so on, until the call gets through without meeting one that fails. */
static CEDE_YIELDS void sweep(cede_self *self, const struct shortage *shortage) {
    enum { LIMIT = 256 };
    for (uint64_t failing = 0;; failing++) {
        EXPECT(failing < LIMIT);
        cedei_alloc_fail_after(failing, true);
        cede_result r = shortage->run(self);
        uint64_t asked = cedei_alloc_fail_never();
        if (r != CEDE_OK && r != CEDE_ENOMEM) {
            fprintf(stderr, "%s, allocation %llu fails: %s\n", shortage->name,
                    (unsigned long long)failing, cede_result_name(r));
            abort();
        }
        if (asked <= failing) {
            EXPECT_OK(r);
            return;
        }
        EXPECT_OK(shortage->run(self)); /* and nothing is broken afterwards */
    }
}

static cede_result sweep_all(cede_self *self, void *context) {
    (void)context;
    answerer = play(self, answerer_run, NULL);
    full = play_as(self, &player_of_two, full_run, NULL);
    while (flag_get(&full_state) == 0) cede_yield(self);
    parked_await(self, full);
    for (int i = 0; i < 2; i++) number_send(self, full, 1);
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) sweep(self, &CASES[i]);
    return CEDE_OK;
}

static void every_call_survives_each_allocation_that_fails(void **state) {
    (void)state;
    /* Pool threads leave at once, so that each job needs a new one. */
    struct fixture *fixture = fixture_begin((struct cede_options){.blocking_idle_ns = 1});
    flag_set(&full_state, 0);
    fixture_run(fixture, sweep_all, NULL);
    fixture_end(fixture);
}

static cede_result do_nothing(cede_self *self, void *context) {
    (void)self, (void)context;
    return CEDE_OK;
}

static void block_on_survives_each_allocation_that_fails(void **state) {
    struct fixture *fixture = *state;
    for (uint64_t failing = 0;; failing++) {
        EXPECT(failing < 64);
        cedei_alloc_fail_after(failing, true);
        cede_result r = cede_block_on(fixture->system, do_nothing, NULL);
        uint64_t asked = cedei_alloc_fail_never();
        EXPECT(r == CEDE_OK || r == CEDE_ENOMEM);
        if (asked <= failing) break;
    }
}

static void inbox_open_survives_each_allocation_that_fails(void **state) {
    struct fixture *fixture = *state;
    for (uint64_t failing = 0;; failing++) {
        cede_inbox *inbox = NULL;
        EXPECT(failing < 64);
        cedei_alloc_fail_after(failing, true);
        cede_result r = cede_inbox_open(fixture->system, 0, &inbox);
        uint64_t asked = cedei_alloc_fail_never();
        EXPECT(r == CEDE_OK || r == CEDE_ENOMEM);
        EXPECT((inbox != NULL) == (r == CEDE_OK));
        cede_inbox_close(inbox);
        if (asked <= failing) break;
    }
}

static void create_survives_each_allocation_that_fails(void **state) {
    (void)state;
    struct fixture *log = calloc(1, sizeof *log);
    EXPECT(log != NULL);
    pthread_mutex_init(&log->lock, NULL);
    struct cede_options options = {.workers = 2, .log = fixture_log, .log_context = log};
    for (uint64_t failing = 0;; failing++) {
        EXPECT(failing < 64);
        cede_system *system = NULL;
        cedei_alloc_fail_after(failing, true);
        cede_result r = cede_system_create(&system, &options);
        uint64_t asked = cedei_alloc_fail_never();
        EXPECT(r == CEDE_OK || r == CEDE_ENOMEM);
        EXPECT((system != NULL) == (r == CEDE_OK));
        cede_system_destroy(system);
        if (asked <= failing) break;
    }
    EXPECT(fixture_logged(log, "out of memory"));
    fixture_free(log);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_survives_each_allocation_that_fails),
        WITH_SYSTEM(block_on_survives_each_allocation_that_fails),
        WITH_SYSTEM(inbox_open_survives_each_allocation_that_fails),
        cmocka_unit_test(create_survives_each_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
