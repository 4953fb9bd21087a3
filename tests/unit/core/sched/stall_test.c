/* Reports of turns that take long: what they name, that they disturb no call that could be disturbed, and how often. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#include "core/sys/clock.h"
#include "tests/support/tasks.h"

static _Atomic uint32_t ended;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[16384]; /* under log_lock */
static int pipe_ends[2];
static int call_result;

static void log_keep(void *context, enum cede_log_level level, const char *line) {
    (void)context, (void)level;
    pthread_mutex_lock(&log_lock);
    size_t used = strlen(log_text);
    snprintf(log_text + used, sizeof log_text - used, "%s\n", line);
    pthread_mutex_unlock(&log_lock);
}

static void log_clear(void) {
    pthread_mutex_lock(&log_lock);
    log_text[0] = '\0';
    pthread_mutex_unlock(&log_lock);
}

static bool log_has(const char *text) {
    pthread_mutex_lock(&log_lock);
    bool found = strstr(log_text, text) != NULL;
    pthread_mutex_unlock(&log_lock);
    return found;
}

/* A racy look, as those of the runtime. */
CEDEI_NO_TSAN static void describe(struct cedei_task *task, char *out, size_t size) {
    struct errand *errand = CEDEI_CONTAINER_OF(task, struct errand, task);
    memcpy(out, errand->number == 7 ? "errand seven" : "errand other", size < 13 ? size : 13);
}

static void report_begin(void) {
    struct cedei_sched_options options = {.workers = 1,
                                          .pool_threads_max = 4,
                                          .pool_queue_max = 100,
                                          .pool_idle_ns = 1000000000,
                                          .stack_size = 64 * 1024,
                                          .turn_warn_ns = 10000000,
                                          .describe = describe,
                                          .log = {.write = log_keep, .level = CEDE_LOG_WARNING}};
    log_clear();
    EXPECT_OK(cedei_sched_init(&sched, &options));
}

/* Waits in the thread that submitted it until the report is complete: the next stall is not looked at before. */
static void report_run(void (*run)(struct cedei_worker *, struct errand *)) {
    static struct errand errand;
    uint32_t before = counter_get(&ended);
    report_begin();
    errand = errand_of(run, 7);
    errand_submit(NULL, &errand);
    counter_await(&ended, before + 1);
    sched_end(); /* the lookout has ended, with whatever it had to say */
}

static bool is_reported(void) { return log_has("has run for"); }

/* A worker that gets no processor for as long as the lookout waits for its answer is reported without a name: that is no mistake,
 * and the next turn is. */
static bool is_named(void) { return log_has("errand seven has run for"); }

/* Static, like most handlers; not inlined, so that it has a frame. */
static CEDEI_NOINLINE void compute_for_long(void) {
    while (!is_reported()) cedei_cpu_relax();
}

static void compute(struct cedei_worker *worker, struct errand *errand) {
    (void)worker, (void)errand;
    compute_for_long();
    counter_add(&ended, 1);
}

static void stall_names_the_turn_and_its_functions(void **state) {
    (void)state;
    do report_run(compute);
    while (!is_named());
    if (CEDEI_TSAN) return; /* it hands signals on late */
    assert_true(log_has("compute_for_long"));
    assert_true(log_has("cedei_worker_loop"));
}

/* A read from a pipe goes on after the signal. */
static CEDEI_NOINLINE void read_from_pipe(void) {
    char byte = 0;
    ssize_t got = read(pipe_ends[0], &byte, 1);
    call_result = got == 1 ? 0 : errno;
}

static void block_in_read(struct cedei_worker *worker, struct errand *errand) {
    (void)worker, (void)errand;
    read_from_pipe();
    counter_add(&ended, 1);
}

/* poll would end with EINTR. */
static CEDEI_NOINLINE void poll_a_pipe(void) {
    struct pollfd wanted = {.fd = pipe_ends[0], .events = POLLIN};
    int got = poll(&wanted, 1, -1);
    call_result = got == 1 ? 0 : errno;
}

static void block_in_poll(struct cedei_worker *worker, struct errand *errand) {
    (void)worker, (void)errand;
    poll_a_pipe();
    counter_add(&ended, 1);
}

/* Writes into the pipe when the report is there. */
static void *release_main(void *context) {
    (void)context;
    while (!is_reported()) sched_yield();
    EXPECT(write(pipe_ends[1], "", 1) == 1);
    return NULL;
}

static void blocked_run_once(void (*run)(struct cedei_worker *, struct errand *)) {
    pthread_t releaser;
    assert_int_equal(pipe(pipe_ends), 0);
    log_clear();
    assert_int_equal(pthread_create(&releaser, NULL, release_main, NULL), 0);
    report_run(run);
    pthread_join(releaser, NULL);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
    assert_int_equal(call_result, 0);
}

static void blocked_run(void (*run)(struct cedei_worker *, struct errand *)) {
    do blocked_run_once(run);
    while (!is_named());
}

static void stall_is_named_in_a_call_that_restarts(void **state) {
    (void)state;
    blocked_run(block_in_read);
    assert_true(log_has("read_from_pipe"));
}

static void stall_is_named_without_disturbing_a_call_that_does_not_restart(void **state) {
    (void)state;
    blocked_run(block_in_poll);
    if (RUNNING_ON_VALGRIND) return; /* the kernel knows valgrind's stack, not the program's */
    assert_true(log_has("? poll_a_pipe"));
}

/* Each blocks until it has been counted. */
static void block_until_counted(struct cedei_worker *worker, struct errand *errand) {
    static _Atomic uint32_t never;
    (void)worker;
    while (atomic_load(&sched.lookout.long_turns) < errand->number)
        cedei_futex_wait(&never, 0, cedei_clock_now_ns() + 1000000);
    counter_add(&ended, 1);
}

static uint32_t report_count(void) {
    uint32_t count = 0;
    pthread_mutex_lock(&log_lock);
    for (const char *at = log_text; (at = strstr(at, "has run for")) != NULL; at++) count++;
    pthread_mutex_unlock(&log_lock);
    return count;
}

static void stall_reports_at_a_bounded_rate(void **state) {
    (void)state;
    static struct errand errands[3];
    uint32_t before = counter_get(&ended);
    report_begin();
    sched.lookout.report_every_ns = UINT64_MAX; /* it has not looked at it: nothing is long yet */
    for (uint32_t i = 0; i < 3; i++) {
        errands[i] = errand_of(block_until_counted, i + 1);
        errand_submit(NULL, &errands[i]);
        counter_await(&ended, before + i + 1);
    }
    sched_end();
    assert_int_equal(report_count(), 1);
    assert_int_equal(sched.lookout.unreported, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stall_names_the_turn_and_its_functions),
        cmocka_unit_test(stall_is_named_in_a_call_that_restarts),
        cmocka_unit_test(stall_is_named_without_disturbing_a_call_that_does_not_restart),
        cmocka_unit_test(stall_reports_at_a_bounded_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
