/* Every call to the operating system that core/sys makes fails in turn, once, with each error of its manual page and at each
 * of its first occurrences in a run of the whole runtime: the runtime goes on, or says so with a documented result, and
 * nothing is lost or hangs. A call of the list that no scenario reaches fails the test. */
#include <errno.h>
#include <stdlib.h>

#include "core/sys/call.h"
#include "core/sys/event.h"
#include "core/sys/log.h"
#include "core/sys/map.h"
#include "core/sys/process.h"
#include "core/sys/random.h"
#include "tests/support/actors.h"

/* ---- what reaches the calls ---- */

static cede_result job_run(void *message) {
    (void)message;
    return CEDE_OK;
}

static cede_result blocking_run(cede_self *self, void *context) {
    (void)self;
    flag_set(context, 1);
    return CEDE_STOP;
}

static cede_result answer_one(cede_self *self, void *context) {
    (void)context;
    struct question *request = NULL;
    cede_result r = cede_recv(self, question, &request, CEDE_FOREVER);
    if (r == CEDE_ECANCELED) return CEDE_STOP;
    EXPECT_OK(r);
    struct answer *reply = cede_new(self, answer);
    if (reply == NULL) return CEDE_ENOMEM;
    EXPECT_OK(cede_reply(self, request, &reply));
    return CEDE_STOP;
}

/* The first result that is not CEDE_OK. */
static CEDE_YIELDS cede_result everything(cede_self *self, void *context) {
    (void)context;
    static _Atomic uint32_t has_run;
    flag_set(&has_run, 0);
    struct play *first = cede_new(self, play);
    struct note *note = cede_new(self, note);
    struct question *request = cede_new(self, question);
    struct answer *reply = NULL;
    if (first == NULL || note == NULL || request == NULL) return CEDE_ENOMEM;
    cede_result r = cede_run_blocking(self, job_run, &note);
    first->run = blocking_run;
    first->context = &has_run;
    cede_result spawned = cede_spawn(self, &player_that_blocks, &first, NULL);
    while (spawned == CEDE_OK && flag_get(&has_run) == 0) EXPECT_OK(cede_sleep(self, 100000));
    if (r == CEDE_OK) r = spawned;
    if (r != CEDE_OK || (first = cede_new(self, play)) == NULL) return r;
    first->run = answer_one;
    cede_ref to = {0};
    r = cede_spawn(self, &player, &first, &to);
    if (r == CEDE_OK) r = cede_ask(self, to, &request, answer, &reply, CEDE_SECONDS(50));
    if (r == CEDE_OK) r = cede_sleep(self, 1000);
    return r;
}

#define TEST_LARGE(F) F(array(u64, 200), words)
CEDE_MESSAGE(large, TEST_LARGE);

/* So many that their blocks come from mappings of their own: more than 20 MiB. */
static CEDE_YIELDS cede_result many_messages(cede_self *self, void *context) {
    (void)context;
    for (int i = 0; i < 12000; i++) {
        struct large *message = cede_new(self, large);
        if (message == NULL) return CEDE_ENOMEM;
        message = cede_keep(self, &message);
    }
    return CEDE_OK;
}

static cede_result system_run_with(uint32_t workers, cede_block_fn *run) {
    cede_system *system = NULL;
    struct cede_options options = {
        .workers = workers, .blocking_idle_ns = 1, .log_level = CEDE_LOG_ERROR};
    cede_result r = cede_system_create(&system, &options);
    if (r != CEDE_OK) return r;
    r = cede_block_on(system, run, NULL);
    struct cede_metrics last;
    cedei_system_destroy(system, &last);
    EXPECT_EQUAL(last.messages_allocated, last.messages_dropped);
    EXPECT_EQUAL(last.actors_spawned, last.actors_ended);
    return r;
}

static cede_result runtime_run(void) { return system_run_with(2, everything); }
static cede_result messages_run(void) { return system_run_with(2, many_messages); }

static cede_result processors_run(void) {
    EXPECT(cedei_cpu_count() >= 1);
    return CEDE_OK;
}

static cede_result random_run(void) {
    uint64_t a = cedei_random_u64();
    EXPECT(a != cedei_random_u64());
    return CEDE_OK;
}

/* An event that was set is found, whatever fails on the way. */
static cede_result event_run(void) {
    cedei_event event;
    cede_result r = cedei_event_open(&event);
    if (r != CEDE_OK) return r;
    cedei_event_set(&event);
    EXPECT(cedei_event_wait_until(&event, UINT64_MAX));
    cedei_event_clear(&event);
    EXPECT(!cedei_event_wait_until(&event, 0));
    cedei_event_close(&event);
    return CEDE_OK;
}

static cede_result one_worker_run(void) { return system_run_with(1, everything); }

static cede_result resident_run(void) {
    unsigned char pages[1];
    void *page = cedei_map_reserve(cedei_page_size(), cedei_page_size());
    EXPECT(page != NULL);
    cede_result r = cedei_map_resident(page, cedei_page_size(), pages);
    cedei_map_release(page, cedei_page_size());
    return r;
}

static cede_result log_run(void) {
    struct cedei_log log = {.level = CEDE_LOG_WARNING};
    cedei_log_line(&log, CEDE_LOG_WARNING, "a line that a test may not be able to write");
    return CEDE_OK;
}

/* Starts a child and ends it. Whatever fails, the child is not left behind. */
static cede_result process_run(void) {
    char *argv[] = {"sleep", "1000", NULL};
    int32_t pid = 0, lifeline = 0, status = 0;
    cede_result r = cedei_process_start(argv, &pid, &lifeline);
    if (r != CEDE_OK) return r;
    r = cedei_process_wait(pid, 1000000, &status);
    cede_result signalled = cedei_process_signal(pid, SIGKILL);
    if (signalled != CEDE_OK) EXPECT(kill(pid, SIGKILL) == 0);
    cede_result waited = cedei_process_wait(pid, UINT64_MAX, &status);
    cedei_process_lifeline_close(lifeline);
    if (waited == CEDE_OK)
        EXPECT_EQUAL(status, -SIGKILL);
    else
        EXPECT(waitpid(pid, NULL, 0) == pid); /* it said that it could not; the child is ours still */
    if (r != CEDE_ETIMEDOUT) return r;
    return signalled != CEDE_OK ? signalled : waited;
}

/* ---- the sweep ---- */

/* The errors of each manual page that can happen to a caller without a bug. Those of descriptors are made to fail in
 * tests/unit/core/sys and tests/unit/actors/io. */
static const struct {
    const char *name;
    int errors[8];
} CALLS[CEDEI_CALL_COUNT] = {
#define CALL(name, ...) [CEDEI_CALL_##name] = {#name, {__VA_ARGS__}}
    CALL(MMAP, EAGAIN, ENOMEM, EPERM, ENFILE),
    CALL(MUNMAP, ENOMEM, EINVAL),
    CALL(MADVISE_GUARD, EAGAIN, EINVAL, ENOMEM, EPERM),
    CALL(MPROTECT, EACCES, ENOMEM, EINVAL),
    CALL(MINCORE, EAGAIN, ENOMEM),
    CALL(FUTEX_WAIT, EAGAIN, EINTR, ETIMEDOUT, ENOSYS, EACCES),
    CALL(FUTEX_WAKE, ENOSYS, EACCES),
    CALL(BARRIER, ENOSYS, EPERM),
    CALL(CLOCK, EINVAL),
    CALL(THREAD, EAGAIN, ENOMEM, EPERM, EINVAL),
    CALL(THREAD_NAME, ENOMEM, EACCES, ENOENT),
    CALL(AFFINITY, EINVAL, EPERM, ESRCH, ENOSYS),
    CALL(RANDOM, EAGAIN, EINTR, ENOSYS, EPERM),
    CALL(SIGALTSTACK, ENOMEM, EPERM),
    CALL(LIFELINE, EMFILE, ENFILE, ENOMEM),
    CALL(LIFELINE_READ, EINTR, EIO),
    CALL(SPAWN_SETUP, ENOMEM),
    CALL(SPAWN, EAGAIN, ENOMEM, ENOENT, EACCES, E2BIG, ENOEXEC, EMFILE, EPERM),
    CALL(WAITPID, EINTR, ECHILD),
    CALL(PIDFD, EMFILE, ENFILE, ENODEV, ENOMEM, ENOSYS, ESRCH),
    CALL(PROCESS_POLL, EINTR, ENOMEM, EINVAL),
    CALL(KILL, EPERM, ESRCH),
    CALL(EVENT, EMFILE, ENFILE, ENODEV, ENOMEM),
    CALL(EVENT_WRITE, EINTR),
    CALL(EVENT_READ, EINTR),
    CALL(EVENT_POLL, EINTR, ENOMEM),
    CALL(LOG_WRITE, EAGAIN, EINTR, EIO, ENOSPC, EPIPE),
};
/* The list ends at 0 or when it is full. */
#define EACH_ERROR(error, call)                                                                    \
    (const int *error = CALLS[call].errors; error < CALLS[call].errors + 8 && *error != 0; error++)

/* `at_most`: occurrences that are made to fail; some calls have no end. */
struct reach {
    enum cedei_call call;
    cede_result (*run)(void);
    uint64_t at_most;
    cede_result results[4]; /* that the run may have, beside CEDE_OK (0) */
};

static const struct reach REACHES[] = {
    {CEDEI_CALL_MMAP, runtime_run, 64, {CEDE_ENOMEM, CEDE_ELIMIT}},
    {CEDEI_CALL_MMAP, messages_run, 64, {CEDE_ENOMEM, CEDE_ELIMIT}},
    {CEDEI_CALL_MUNMAP, runtime_run, 64, {0}},
    {CEDEI_CALL_MADVISE_GUARD, runtime_run, 64, {CEDE_ENOMEM, CEDE_ELIMIT}},
    {CEDEI_CALL_FUTEX_WAIT, runtime_run, 8, {0}},
    {CEDEI_CALL_THREAD, runtime_run, 16, {CEDE_ENOMEM, CEDE_ELIMIT, CEDE_EINVAL}},
    {CEDEI_CALL_THREAD_NAME, runtime_run, 16, {0}},
    {CEDEI_CALL_AFFINITY, processors_run, 2, {0}},
    {CEDEI_CALL_RANDOM, random_run, 2, {0}},
    {CEDEI_CALL_SIGALTSTACK, runtime_run, 8, {0}},
    {CEDEI_CALL_LIFELINE, process_run, 2, {CEDE_ELIMIT, CEDE_ENOMEM}},
    {CEDEI_CALL_SPAWN_SETUP, process_run, 4, {CEDE_ENOMEM}},
    {CEDEI_CALL_SPAWN,
     process_run,
     2,
     {CEDE_ELIMIT, CEDE_ENOENT, CEDE_EACCES, CEDE_EIO /* and CEDE_ENOMEM, below */}},
    {CEDEI_CALL_WAITPID, process_run, 4, {CEDE_ENOENT}},
    {CEDEI_CALL_PIDFD, process_run, 4, {0}},
    {CEDEI_CALL_PROCESS_POLL, process_run, 4, {0}},
    {CEDEI_CALL_KILL, process_run, 2, {CEDE_EACCES, CEDE_ENOENT}},
    {CEDEI_CALL_EVENT, event_run, 2, {CEDE_ELIMIT, CEDE_ENOMEM}},
    {CEDEI_CALL_EVENT_WRITE, event_run, 2, {0}},
    {CEDEI_CALL_EVENT_READ, event_run, 2, {0}},
    {CEDEI_CALL_EVENT_POLL, event_run, 2, {0}},
    {CEDEI_CALL_BARRIER, one_worker_run, 4, {0}},
    {CEDEI_CALL_MINCORE, resident_run, 2, {CEDE_EIO}},
    {CEDEI_CALL_AFFINITY, runtime_run, 8, {CEDE_ELIMIT}},
    {CEDEI_CALL_LOG_WRITE, log_run, 2, {0}},
};

static bool is_allowed(const struct reach *reach, int error, cede_result r) {
    if (r == CEDE_OK) return true;
    if (error == ENOMEM && r == CEDE_ENOMEM && reach->results[0] != CEDE_OK) return true;
    for (int i = 0; i < 4; i++)
        if (reach->results[i] != CEDE_OK && reach->results[i] == r) return true;
    return false;
}

/* Returns how many occurrences failed. */
static uint64_t sweep(const struct reach *reach, int error) {
    for (uint64_t failing = 0; failing < reach->at_most; failing++) {
        cedei_call_fail(reach->call, error, (uint32_t)failing);
        cede_result r = reach->run();
        bool struck = cedei_call_fail_never();
        if (!is_allowed(reach, error, r)) {
            fprintf(stderr, "%s number %llu fails with %d (%s): %s\n", CALLS[reach->call].name,
                    (unsigned long long)failing, error, strerror(error), cede_result_name(r));
            abort();
        }
        EXPECT_OK(reach->run()); /* and nothing is broken afterwards */
        if (!struck) return failing;
    }
    return reach->at_most;
}

/* What this build or kernel does not use. */
static bool is_absent(enum cedei_call call) {
    if (call == CEDEI_CALL_MADVISE_GUARD) return !cedei_map_guard_is_light();
    return call == CEDEI_CALL_BARRIER && CEDEI_TSAN;
}

static void every_call_may_fail_with_each_of_its_errors(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof REACHES / sizeof REACHES[0]; i++) {
        const struct reach *reach = &REACHES[i];
        for
            EACH_ERROR(error, reach->call) {
                uint64_t failed = sweep(reach, *error);
                if (failed > 0 || is_absent(reach->call)) continue;
                fprintf(stderr, "%s is never called\n", CALLS[reach->call].name);
                abort();
            }
    }
}

/* ---- calls that end the process, or need one of their own ---- */

static void clock_fails(void *context) {
    cedei_call_fail(CEDEI_CALL_CLOCK, EINVAL, *(uint32_t *)context);
    (void)runtime_run();
}

static void wake_fails(void *context) {
    cedei_call_fail(CEDEI_CALL_FUTEX_WAKE, *(int *)context, 0);
    (void)runtime_run();
}

static void a_call_that_nothing_can_replace_ends_the_process_with_a_line(void **state) {
    (void)state;
    for (uint32_t failing = 0; failing < 3; failing++)
        EXPECT_CHILD_ABORTS(clock_fails, &failing, "no monotonic clock");
    for
        EACH_ERROR(error, CEDEI_CALL_FUTEX_WAKE)
    EXPECT_CHILD_ABORTS(wake_fails, (void *)(uintptr_t)error, "refuses to wake a thread");
}

/* On a kernel without light guards, mprotect makes them. */
static void guards_by_mprotect_fail(void *context) {
    (void)context;
    const struct reach reach = {CEDEI_CALL_MPROTECT, runtime_run, 64, {CEDE_ENOMEM, CEDE_ELIMIT}};
    cedei_call_fail(CEDEI_CALL_MADVISE_GUARD, EINVAL, 0);
    EXPECT_OK(runtime_run());
    (void)cedei_call_fail_never();
    EXPECT(!cedei_map_guard_is_light());
    for
        EACH_ERROR(error, CEDEI_CALL_MPROTECT)
    EXPECT(sweep(&reach, *error) > 0);
}

static void guards_by_mprotect_may_fail(void **state) {
    (void)state;
    struct child_end end;
    child_run(&end, guards_by_mprotect_fail, NULL);
    if (end.status != 0) fprintf(stderr, "%s\n", end.text);
    EXPECT_EQUAL(end.status, 0);
}

/* The child ends when its parent does, or when it cannot tell any more. */
static void lifeline_fails(void *context) {
    int ends[2];
    char text[16];
    EXPECT(pipe(ends) == 0);
    snprintf(text, sizeof text, "%d", ends[0]);
    setenv("CEDE_LIFELINE", text, 1);
    cedei_call_fail(CEDEI_CALL_LIFELINE_READ, *(int *)context, 0);
    EXPECT_OK(cedei_process_follow_parent());
    close(ends[1]);
    for (;;) pause();
}

static void a_lifeline_that_cannot_be_read_is_read_again_or_ends_the_child(void **state) {
    (void)state;
    for
        EACH_ERROR(error, CEDEI_CALL_LIFELINE_READ) {
            struct child_end end;
            child_run(&end, lifeline_fails, (void *)(uintptr_t)error);
            EXPECT(WIFEXITED(end.status) && WEXITSTATUS(end.status) == 75);
        }
}

/* Whoever adds a call to core/sys/call.h says here what becomes of it. */
static void every_call_of_the_list_is_in_a_test(void **state) {
    (void)state;
    static const enum cedei_call ELSEWHERE[] = {CEDEI_CALL_CLOCK, CEDEI_CALL_FUTEX_WAKE,
                                                CEDEI_CALL_MPROTECT, CEDEI_CALL_LIFELINE_READ};
    bool seen[CEDEI_CALL_COUNT] = {false};
    for (size_t i = 0; i < sizeof REACHES / sizeof REACHES[0]; i++) seen[REACHES[i].call] = true;
    for (size_t i = 0; i < sizeof ELSEWHERE / sizeof ELSEWHERE[0]; i++) seen[ELSEWHERE[i]] = true;
    for (int i = CEDEI_CALL_CLOSE + 1; i < CEDEI_CALL_COUNT; i++) {
        if (!seen[i]) fprintf(stderr, "no test makes %s fail\n", CALLS[i].name);
        EXPECT(seen[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_of_the_list_is_in_a_test),
        cmocka_unit_test(guards_by_mprotect_may_fail), /* before guards of the other kind are known */
        cmocka_unit_test(a_call_that_nothing_can_replace_ends_the_process_with_a_line),
        cmocka_unit_test(a_lifeline_that_cannot_be_read_is_read_again_or_ends_the_child),
        cmocka_unit_test(every_call_may_fail_with_each_of_its_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
