/* Every thread of the process is interrupted a thousand times a second, by a signal whose handler is not restarted, while
 * two systems work: messages, asks, timers, blocking jobs, and a node link between them over a Unix socket. Every answer is
 * right, every timeout is one, nothing is lost. Three seconds; CEDE_SOAK_SECONDS says otherwise. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cede/node.h>

#include "core/sys/clock.h"
#include "tests/support/actors.h"

static _Atomic uint64_t interrupts;
static _Atomic uint32_t storm_ends;
static uint64_t load_ends_ns;

static void on_alarm(int number) {
    (void)number;
    atomic_fetch_add_explicit(&interrupts, 1, memory_order_relaxed);
}

/* Cede's threads block signals; here each is to be hit. */
static void alarm_unblock(void) {
    sigset_t alarms;
    sigemptyset(&alarms);
    sigaddset(&alarms, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
}

static void threads_interrupt(void) {
    DIR *tasks = opendir("/proc/self/task");
    EXPECT(tasks != NULL);
    struct dirent *entry;
    long mine = syscall(SYS_gettid);
    while ((entry = readdir(tasks)) != NULL) {
        long thread = strtol(entry->d_name, NULL, 10);
        if (thread > 0 && thread != mine) (void)syscall(SYS_tgkill, getpid(), thread, SIGALRM);
    }
    closedir(tasks);
}

static void *storm_main(void *context) {
    (void)context;
    while (flag_get(&storm_ends) == 0) {
        struct timespec pause = {.tv_nsec = 1000000};
        threads_interrupt();
        nanosleep(&pause, NULL);
    }
    return NULL;
}

/* ---- the load ---- */

struct load {
    cede_ref echo;   /* of the own node, or of the other */
    cede_ref silent; /* answers nothing */
    cede_ref back;   /* to be told of the end */
    uint64_t rounds;
};

/* For the time that was set, and until there was enough of it: a slow machine takes longer. */
enum { INTERRUPTS_MIN = 300 };
static bool goes_on(const struct load *load) {
    return load->rounds == 0 || interrupts <= INTERRUPTS_MIN || cedei_clock_now_ns() < load_ends_ns;
}

static cede_result echo_run(cede_self *self, void *context) {
    (void)context;
    for (;;) { /* until it is stopped */
        alarm_unblock();
        struct question *request = NULL;
        cede_result r = cede_recv(self, question, &request, CEDE_FOREVER);
        if (r == CEDE_ECANCELED) return CEDE_STOP;
        EXPECT_OK(r);
        struct answer *reply = cede_new(self, answer);
        EXPECT(reply != NULL);
        reply->value = request->value + 1;
        EXPECT_OK(cede_reply(self, request, &reply));
        cede_drop(self, &request);
    }
}

/* Keeps each question until the next one comes: by then nobody waits for an answer any more. */
static cede_result silent_run(cede_self *self, void *context) {
    struct question *kept = NULL;
    (void)context;
    for (;;) {
        struct question *request = NULL;
        cede_result r = cede_recv(self, question, &request, CEDE_FOREVER);
        if (r == CEDE_ECANCELED) return CEDE_STOP;
        EXPECT_OK(r);
        if (kept != NULL) cede_drop(self, &kept);
        kept = cede_keep(self, &request);
    }
}

static CEDE_YIELDS cede_result load_end(cede_self *self, struct load *load) {
    number_send(self, load->back, load->rounds);
    return CEDE_STOP;
}

static cede_result ask_run(cede_self *self, void *context) {
    struct load *load = context;
    for (; goes_on(load); load->rounds++) {
        uint64_t value = 0;
        alarm_unblock();
        EXPECT_OK(question_ask(self, load->echo, load->rounds, &value));
        EXPECT_EQUAL(value, load->rounds + 1);
    }
    return load_end(self, load);
}

static cede_result sleep_run(cede_self *self, void *context) {
    struct load *load = context;
    for (; goes_on(load); load->rounds++) {
        uint64_t before_ns = cedei_clock_now_ns();
        EXPECT_OK(cede_sleep(self, 500000));
        EXPECT(cedei_clock_now_ns() - before_ns >= 500000);
    }
    return load_end(self, load);
}

static cede_result timeout_run(cede_self *self, void *context) {
    struct load *load = context;
    for (; goes_on(load); load->rounds++) {
        struct question *request = cede_new(self, question);
        struct answer *reply = NULL;
        EXPECT(request != NULL);
        uint64_t before_ns = cedei_clock_now_ns();
        EXPECT_RESULT(cede_ask(self, load->silent, &request, answer, &reply, 700000),
                      CEDE_ETIMEDOUT);
        EXPECT(cedei_clock_now_ns() - before_ns >= 700000);
        if (request != NULL) cede_drop(self, &request);
    }
    return load_end(self, load);
}

static cede_result job_run(void *message) {
    struct number *number = message;
    struct timespec pause = {.tv_nsec = 100000};
    alarm_unblock();
    nanosleep(&pause, NULL); /* may be cut short, as any call of a user's */
    number->value++;
    return CEDE_OK;
}

static cede_result jobs_run(cede_self *self, void *context) {
    struct load *load = context;
    for (; goes_on(load); load->rounds++) {
        struct number *number = cede_new(self, number);
        EXPECT(number != NULL);
        number->value = load->rounds;
        EXPECT_OK(cede_run_blocking(self, job_run, &number));
        EXPECT_EQUAL(number->value, load->rounds + 1);
        cede_drop(self, &number);
    }
    return load_end(self, load);
}

static cede_result sink_run(cede_self *self, void *context) {
    struct load *load = context;
    for (uint64_t seen = 0;; seen++) {
        struct number *number = NULL;
        cede_result r = cede_recv(self, number, &number, CEDE_FOREVER);
        if (r == CEDE_ECANCELED) return CEDE_STOP;
        EXPECT_OK(r);
        EXPECT_EQUAL(number->value, seen); /* in the order they were sent */
        load->rounds = seen + 1;
        cede_drop(self, &number);
    }
}

static cede_result source_run(cede_self *self, void *context) {
    struct load *load = context;
    for (; goes_on(load); load->rounds++) {
        struct number *number = cede_new(self, number);
        EXPECT(number != NULL);
        number->value = load->rounds;
        EXPECT_OK(cede_send_wait(self, load->echo, &number, CEDE_FOREVER));
    }
    return load_end(self, load);
}

/* ---- two nodes ---- */

static char url[128];

enum { LOADS = 6 };

/* What the actors of a system work on; they may outlive `load_run`, so it is not on its stack. */
struct side {
    cede_system *system;
    bool dials;
    cede_ref echo;
    struct load loads[LOADS], sink;
};

static cede_result node_begin(cede_self *self, void *context) {
    struct side *side = context;
    struct cede_node_options options = {.name = side->dials ? "dialler" : "listener",
                                        .listen_url = side->dials ? NULL : url,
                                        /* A busy machine must not look like a dead peer. */
                                        .silence_ns = CEDE_SECONDS(60)};
    EXPECT_OK(cede_node_start(self, &options));
    side->echo = play(self, echo_run, NULL);
    EXPECT_OK(cede_publish(self, "echo", side->echo));
    return CEDE_OK;
}

static cede_result load_run(cede_self *self, void *context) {
    struct side *side = context;
    struct load *loads = side->loads;
    cede_ref far = side->echo;
    alarm_unblock();
    if (side->dials) {
        uint64_t uid = 0;
        EXPECT_OK(cede_node_connect(self, url, CEDE_SECONDS(60), &uid));
        EXPECT_OK(cede_lookup(self, uid, "echo", CEDE_SECONDS(60), &far));
    }
    cede_result (*const RUNS[LOADS])(cede_self *, void *) = {ask_run,     ask_run,  sleep_run,
                                                             timeout_run, jobs_run, source_run};
    cede_ref silent = play_as(self, &player, silent_run, NULL);
    cede_ref sinks = play_as(self, &player_of_two, sink_run, &side->sink);
    for (int i = 0; i < LOADS; i++) {
        loads[i] = (struct load){
            .echo = i == 0 ? far : side->echo, .silent = silent, .back = cede_self_ref(self)};
        if (RUNS[i] == source_run) loads[i].echo = sinks;
        (void)play(self, RUNS[i], &loads[i]);
    }
    uint64_t rounds = 0;
    for (int i = 0; i < LOADS; i++) rounds += number_await(self);
    for (int i = 0; i < LOADS; i++) EXPECT(loads[i].rounds > 0);
    EXPECT_OK(cede_stop(self, sinks));
    EXPECT_OK(cede_stop(self, silent));
    /* The echo goes on: the other side may ask it to its own end. It stops with the system. */
    printf("%s: %llu rounds: %llu asks of the %s node, %llu at home, %llu sleeps, %llu timeouts, "
           "%llu jobs, %llu messages\n",
           side->dials ? "dialler" : "listener", (unsigned long long)rounds,
           (unsigned long long)loads[0].rounds, side->dials ? "other" : "own",
           (unsigned long long)loads[1].rounds, (unsigned long long)loads[2].rounds,
           (unsigned long long)loads[3].rounds, (unsigned long long)loads[4].rounds,
           (unsigned long long)loads[5].rounds);
    return CEDE_OK;
}

static void *side_main(void *context) {
    struct side *side = context;
    EXPECT_OK(cede_block_on(side->system, load_run, side));
    return NULL;
}

static void the_runtime_works_while_every_thread_is_interrupted(void **state) {
    (void)state;
    char folder[] = "/tmp/cede-storm-XXXXXX";
    EXPECT(mkdtemp(folder) != NULL);
    snprintf(url, sizeof url, "ipc://%s/node", folder);
    struct sigaction action;
    setvbuf(stdout, NULL, _IOLBF, 0);
    memset(&action, 0, sizeof action);
    action.sa_handler = on_alarm; /* no SA_RESTART */
    EXPECT(sigaction(SIGALRM, &action, NULL) == 0);
    pthread_t storm, other;
    EXPECT(pthread_create(&storm, NULL, storm_main, NULL) == 0);
    struct cede_options options = {.workers = 2};
    struct fixture *near = fixture_begin(options), *far = fixture_begin(options);
    struct side sides[2] = {{.system = near->system, .dials = true}, {.system = far->system}};
    for (int i = 0; i < 2; i++) EXPECT_OK(cede_block_on(sides[i].system, node_begin, &sides[i]));
    load_ends_ns =
        cedei_clock_now_ns() + (uint64_t)test_setting("CEDE_SOAK_SECONDS", 3) * 1000000000u;
    EXPECT(pthread_create(&other, NULL, side_main, &sides[1]) == 0);
    (void)side_main(&sides[0]);
    pthread_join(other, NULL);
    cede_system_destroy(near->system);
    cede_system_destroy(far->system);
    flag_set(&storm_ends, 1);
    pthread_join(storm, NULL);
    printf("%llu interruptions\n", (unsigned long long)interrupts);
    EXPECT(interrupts > INTERRUPTS_MIN);
    fixture_free(near);
    fixture_free(far);
    EXPECT(rmdir(folder) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_runtime_works_while_every_thread_is_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
