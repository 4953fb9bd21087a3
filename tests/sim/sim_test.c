/* The simulator itself: what it finds, that it finds it again, and that time, threads and faults are its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cede/cede.h>
#include <cede/sim.h>

#define PING(F) F(u64, value)
CEDE_MESSAGE(ping, PING);
#define GREETING(F) F(ref, to)
CEDE_MESSAGE(greeting, GREETING);

struct echo {
    uint64_t heard;
};

static cede_result on_ping(cede_self *self, struct echo *state, struct ping *m) {
    m->value = ++state->heard;
    return cede_reply(self, m, &m);
}

#define ECHO(ON) ON(ping, on_ping)
CEDE_BEHAVIOUR(echo, struct echo, ECHO);

static cede_ref echo_start(cede_self *self) {
    cede_ref to = {0};
    CEDE_SIM_CHECK(cede_spawn(self, &echo, CEDE_NOTHING, &to) == CEDE_OK);
    return to;
}

static CEDE_YIELDS cede_result ping_ask(cede_self *self, cede_ref to, uint64_t timeout_ns,
                                        uint64_t *out) {
    struct ping *m = cede_new(self, ping);
    if (m == NULL) return CEDE_ENOMEM;
    cede_result r = cede_ask(self, to, &m, ping, &m, timeout_ns);
    if (r == CEDE_OK) *out = m->value;
    cede_drop(self, &m);
    return r;
}

static cede_result run(struct cede_sim_options options, cede_block_fn *scenario,
                       cede_sim_report *report) {
    options.report = report;
    options.quiet = true;
    if (options.name == NULL) options.name = "test";
    return cede_sim_run(&options, scenario, NULL);
}

/* ---- what holds ---- */

static CEDE_YIELDS cede_result asks(cede_self *self, void *context) {
    cede_ref to = echo_start(self);
    (void)context;
    for (uint64_t i = 1; i <= 20; i++) {
        uint64_t value = 0;
        CEDE_SIM_CHECK(ping_ask(self, to, CEDE_FOREVER, &value) == CEDE_OK);
        CEDE_SIM_CHECK(value == i);
    }
    return CEDE_OK;
}

static void what_holds_is_run_with_every_seed(void **state) {
    cede_sim_report report;
    (void)state;
    assert_int_equal(run((struct cede_sim_options){.seeds = 50}, asks, &report), CEDE_OK);
    assert_int_equal(report.runs, 50);
    assert_string_equal(report.failure, "");
    assert_true(report.turns >= 50 * 21);
    assert_true(report.steps > report.turns && report.switches > 50);
}

static void a_seed_gives_the_same_run_again(void **state) {
    cede_sim_report one, two, other;
    (void)state;
    struct cede_sim_options options = {.seeds = 20, .seed_first = 7, .kill_one_in = 0};
    assert_int_equal(run(options, asks, &one), CEDE_OK);
    assert_int_equal(run(options, asks, &two), CEDE_OK);
    assert_true(one.hash == two.hash && one.steps == two.steps);
    options.seed_first = 8;
    assert_int_equal(run(options, asks, &other), CEDE_OK);
    assert_true(other.hash != one.hash);
}

static CEDE_YIELDS cede_result sleeps(cede_self *self, void *context) {
    uint64_t before_ns = cede_now(self);
    (void)context;
    CEDE_SIM_CHECK(cede_sleep(self, CEDE_SECONDS(3000)) == CEDE_OK);
    uint64_t slept_ns = cede_now(self) - before_ns;
    CEDE_SIM_CHECK(slept_ns >= CEDE_SECONDS(3000) && slept_ns < CEDE_SECONDS(3001));
    return CEDE_OK;
}

static void time_is_virtual(void **state) {
    cede_sim_report report;
    (void)state;
    assert_int_equal(run((struct cede_sim_options){.seeds = 5}, sleeps, &report), CEDE_OK);
    assert_true(report.virtual_ns >= 5 * CEDE_SECONDS(3000));
}

static cede_result double_it(void *message) {
    struct ping *m = message;
    m->value *= 2;
    return CEDE_OK;
}

static cede_result add_one(void *message, const cede_cancel *cancel) {
    struct ping *m = message;
    m->value += cede_cancel_is_requested(cancel) ? 1000 : 1;
    return CEDE_OK;
}

static CEDE_YIELDS cede_result works(cede_self *self, void *context) {
    cede_job *job = NULL;
    struct ping *m = cede_new(self, ping);
    (void)context;
    CEDE_SIM_CHECK(m != NULL);
    m->value = 21;
    CEDE_SIM_CHECK(cede_run_blocking(self, double_it, &m) == CEDE_OK && m->value == 42);
    CEDE_SIM_CHECK(cede_job_start(self, NULL, add_one, &m, &job) == CEDE_OK);
    CEDE_SIM_CHECK(cede_job_await(self, &job, ping, &m, CEDE_FOREVER) == CEDE_OK && m->value == 43);
    cede_drop(self, &m);
    return CEDE_OK;
}

static void jobs_run_on_simulated_threads(void **state) {
    cede_sim_report report;
    (void)state;
    assert_int_equal(run((struct cede_sim_options){.seeds = 50}, works, &report), CEDE_OK);
}

static CEDE_YIELDS cede_result listens(cede_self *self, void *context) {
    struct cede_listener *listener = NULL;
    (void)context;
    CEDE_SIM_CHECK(cede_tcp_listen(self, "127.0.0.1", 0, &listener) == CEDE_ENOTSUP);
    return CEDE_OK;
}

static void sockets_are_refused(void **state) {
    cede_sim_report report;
    (void)state;
    assert_int_equal(run((struct cede_sim_options){.seeds = 1}, listens, &report), CEDE_OK);
}

/* ---- faults ---- */

/* Holds although everything may go wrong. */
static CEDE_YIELDS cede_result endures(cede_self *self, void *context) {
    (void)context;
    for (int i = 0; i < 40; i++) {
        cede_ref to = {0};
        uint64_t value = 0;
        cede_result r = cede_spawn(self, &echo, CEDE_NOTHING, &to);
        if (r == CEDE_OK) r = ping_ask(self, to, CEDE_SECONDS(1), &value);
        CEDE_SIM_CHECK(r == CEDE_OK || r == CEDE_ENOMEM || r == CEDE_EFULL || r == CEDE_ENOACTOR ||
                       r == CEDE_ENOREPLY || r == CEDE_ELIMIT || r == CEDE_ETIMEDOUT);
    }
    cede_sim_calm(true);
    uint64_t value = 0;
    CEDE_SIM_CHECK(ping_ask(self, echo_start(self), CEDE_FOREVER, &value) == CEDE_OK && value == 1);
    return CEDE_OK;
}

static void faults_of_each_kind_strike(void **state) {
    cede_sim_report report;
    (void)state;
    struct cede_sim_options options = {
        .seeds = 200, .kill_one_in = 10, .fail_one_in = 10, .refuse_one_in = 10, .memory_one_in = 10};
    cede_result r = run(options, endures, &report);
    if (r != CEDE_OK) print_message("%s\n%s\n", report.failure, report.command);
    assert_int_equal(r, CEDE_OK);
    assert_true(report.kills > 20 && report.failures > 20);
    assert_true(report.refusals > 20 && report.allocations > 20);
}

static void nothing_fails_that_need_not(void **state) {
    cede_sim_report report;
    (void)state;
    assert_int_equal(run((struct cede_sim_options){.seeds = 50}, endures, &report), CEDE_OK);
    assert_int_equal(report.kills + report.failures + report.refusals + report.allocations, 0);
}

/* ---- what does not hold ---- */

/* Believes that the echo lives for ever. */
static CEDE_YIELDS cede_result believes(cede_self *self, void *context) {
    cede_ref to = echo_start(self);
    (void)context;
    for (int i = 0; i < 30; i++) {
        uint64_t value = 0;
        CEDE_SIM_CHECK(ping_ask(self, to, CEDE_SECONDS(1), &value) == CEDE_OK);
    }
    return CEDE_OK;
}

static void a_failure_is_found_and_shrunk_and_replayed(void **state) {
    cede_sim_report report, again;
    (void)state;
    struct cede_sim_options options = {.name = "believes", .seeds = 500, .kill_one_in = 50};
    assert_int_equal(run(options, believes, &report), CEDE_EFAILED);
    assert_non_null(strstr(report.failure, "ping_ask(self, to"));
    assert_true(report.choices_shrunk >= 1 && report.choices_shrunk <= 2); /* the kill alone */
    assert_true(report.choices_shrunk <= report.choices);
    /* As a user would, but for the program. */
    char *end = strchr(report.command, ' ');
    assert_non_null(end);
    *end = '\0';
    assert_int_equal(strncmp(report.command, "CEDE_SIM_REPLAY=believes:", 25), 0);
    setenv("CEDE_SIM_REPLAY", report.command + strlen("CEDE_SIM_REPLAY="), 1);
    cede_result r = run(options, believes, &again);
    options.name = "other";
    cede_sim_report none;
    cede_result skipped = run(options, believes, &none);
    unsetenv("CEDE_SIM_REPLAY");
    assert_int_equal(r, CEDE_EFAILED);
    assert_int_equal(again.runs, 1);
    assert_string_equal(again.failure, report.failure);
    assert_int_equal(skipped, CEDE_OK); /* the command is not for it */
    assert_int_equal(none.runs, 0);
}

static void a_seed_alone_is_replayed(void **state) {
    cede_sim_report report, again;
    char text[64];
    (void)state;
    struct cede_sim_options options = {.name = "believes", .seeds = 500, .kill_one_in = 50};
    assert_int_equal(run(options, believes, &report), CEDE_EFAILED);
    (void)snprintf(text, sizeof text, "believes:%llu", (unsigned long long)report.seed);
    setenv("CEDE_SIM_REPLAY", text, 1);
    cede_result r = run(options, believes, &again);
    unsetenv("CEDE_SIM_REPLAY");
    assert_int_equal(r, CEDE_EFAILED);
    assert_int_equal(again.choices, report.choices);
    assert_int_equal(again.choices_shrunk, report.choices_shrunk);
}

static void a_command_that_is_none_is_refused(void **state) {
    cede_sim_report report;
    (void)state;
    static const char *const BAD[] = {"believes",           "believes:",        "believes:x",
                                      "believes:1:x1-1.1",  "believes:1:k1",    "believes:1:k1-1.0",
                                      "believes:1:k1-1.1;", "believes:1:k1-.1", "believes:1k1-1.1"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        setenv("CEDE_SIM_REPLAY", BAD[i], 1);
        cede_result r = run((struct cede_sim_options){.name = "believes"}, believes, &report);
        unsetenv("CEDE_SIM_REPLAY");
        assert_int_equal(r, CEDE_EINVAL);
    }
}

/* Two actors that each write a word of the other's: seen only if another thread goes on between two lines. */
static int races;
static CEDE_YIELDS cede_result race_part(cede_self *self, void *context) {
    int before = races;
    (void)context;
    uint64_t now_ns = cede_now(self); /* a point, and no yield */
    races = before + (now_ns != 0);
    return CEDE_OK;
}

struct racer {
    int unused;
};
static CEDE_YIELDS cede_result on_greeting(cede_self *self, struct racer *state,
                                           struct greeting *m) {
    (void)state, (void)m;
    CEDE_SIM_CHECK(race_part(self, NULL) == CEDE_OK);
    return CEDE_STOP;
}
#define RACER(ON) ON(greeting, on_greeting)
CEDE_BEHAVIOUR(racer, struct racer, RACER);

static CEDE_YIELDS cede_result race(cede_self *self, void *context) {
    (void)context;
    for (int i = 0; i < 2; i++) {
        cede_ref to = {0};
        struct greeting *m = cede_new(self, greeting);
        CEDE_SIM_CHECK(m != NULL && cede_spawn_monitored(self, &racer, &m, &to) == CEDE_OK);
    }
    for (int i = 0; i < 2; i++) {
        struct cede_down *down = NULL;
        CEDE_SIM_CHECK(cede_recv(self, cede_down, &down, CEDE_FOREVER) == CEDE_OK);
        cede_drop(self, &down);
    }
    CEDE_SIM_CHECK(races == 2);
    return CEDE_OK;
}

static void a_race_of_two_workers_is_found(void **state) {
    cede_sim_report report;
    (void)state;
    assert_int_equal(run((struct cede_sim_options){.seeds = 2000}, race, &report), CEDE_EFAILED);
    assert_non_null(strstr(report.failure, "races == 2"));
    assert_true(report.choices_shrunk >= 1 && report.choices_shrunk < 20);
}

static CEDE_YIELDS cede_result waits_for_ever(cede_self *self, void *context) {
    struct ping *m = NULL;
    (void)context;
    return cede_recv(self, ping, &m, CEDE_FOREVER);
}

static void who_waits_for_ever_is_reported(void **state) {
    cede_sim_report report;
    (void)state;
    assert_int_equal(run((struct cede_sim_options){.seeds = 1}, waits_for_ever, &report),
                     CEDE_EFAILED);
    assert_non_null(strstr(report.failure, "nothing can go on"));
}

static CEDE_YIELDS cede_result sleeps_for_ever(cede_self *self, void *context) {
    (void)context;
    for (;;) /* the simulation ends it */
        CEDE_SIM_CHECK(cede_sleep(self, CEDE_SECONDS(10)) == CEDE_OK);
    return CEDE_OK;
}

static void a_run_without_an_end_is_reported(void **state) {
    cede_sim_report report;
    (void)state;
    struct cede_sim_options options = {.seeds = 1, .time_max_ns = CEDE_SECONDS(100)};
    assert_int_equal(run(options, sleeps_for_ever, &report), CEDE_EFAILED);
    assert_non_null(strstr(report.failure, "virtual time"));
    options = (struct cede_sim_options){.seeds = 1, .steps_max = 20000, .time_max_ns = CEDE_FOREVER};
    assert_int_equal(run(options, sleeps_for_ever, &report), CEDE_EFAILED);
    assert_non_null(strstr(report.failure, "steps"));
}

static CEDE_YIELDS cede_result dies(cede_self *self, void *context) {
    (void)self, (void)context;
    abort();
}

static void a_process_that_dies_is_reported(void **state) {
    cede_sim_report report;
    (void)state;
    assert_int_equal(run((struct cede_sim_options){.seeds = 1}, dies, &report), CEDE_EFAILED);
    assert_non_null(strstr(report.failure, "signal 6"));
}

static CEDE_YIELDS cede_result fails(cede_self *self, void *context) {
    (void)self, (void)context;
    return CEDE_EPROTO;
}

static void a_result_is_reported(void **state) {
    cede_sim_report report;
    (void)state;
    assert_int_equal(run((struct cede_sim_options){.seeds = 1}, fails, &report), CEDE_EFAILED);
    assert_non_null(strstr(report.failure, "CEDE_EPROTO"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_is_run_with_every_seed),
        cmocka_unit_test(a_seed_gives_the_same_run_again),
        cmocka_unit_test(time_is_virtual),
        cmocka_unit_test(jobs_run_on_simulated_threads),
        cmocka_unit_test(sockets_are_refused),
        cmocka_unit_test(faults_of_each_kind_strike),
        cmocka_unit_test(nothing_fails_that_need_not),
        cmocka_unit_test(a_failure_is_found_and_shrunk_and_replayed),
        cmocka_unit_test(a_seed_alone_is_replayed),
        cmocka_unit_test(a_command_that_is_none_is_refused),
        cmocka_unit_test(a_race_of_two_workers_is_found),
        cmocka_unit_test(who_waits_for_ever_is_reported),
        cmocka_unit_test(a_run_without_an_end_is_reported),
        cmocka_unit_test(a_process_that_dies_is_reported),
        cmocka_unit_test(a_result_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
