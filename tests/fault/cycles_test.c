/* A system is started, loaded and stopped in the middle of its work, again and again: threads, descriptors, mappings and
 * resident memory must not grow with the number of rounds. 1,000 rounds; CEDE_SOAK_CYCLES says otherwise. */
#include <dirent.h>
#include <sched.h>
#include <unistd.h>

#include <cede/node.h>

#include "tests/support/actors.h"

/* ---- what the process holds ---- */

struct holdings {
    long threads, descriptors, mappings, resident_kib;
};

static long entries_count(const char *folder) {
    long count = 0;
    DIR *entries = opendir(folder);
    EXPECT(entries != NULL);
    while (readdir(entries) != NULL) count++;
    closedir(entries);
    return count;
}

static struct holdings holdings_now(void) {
    struct holdings now = {.threads = entries_count("/proc/self/task") - 2,
                           .descriptors = entries_count("/proc/self/fd") - 3};
    FILE *file = fopen("/proc/self/maps", "r");
    EXPECT(file != NULL);
    for (int c; (c = fgetc(file)) != EOF;) now.mappings += c == '\n';
    fclose(file);
    file = fopen("/proc/self/statm", "r");
    long total = 0, resident = 0;
    EXPECT(file != NULL && fscanf(file, "%ld %ld", &total, &resident) == 2);
    fclose(file);
    now.resident_kib = resident * (sysconf(_SC_PAGESIZE) / 1024);
    return now;
}

/* A thread that has left is in the list for a moment more. */
static struct holdings holdings_settled(long threads) {
    struct holdings now = holdings_now();
    for (int looks = 0; now.threads > threads && looks < 100000; looks++) {
        sched_yield();
        now = holdings_now();
    }
    return now;
}

/* ---- the load ---- */

static cede_result echo_run(cede_self *self, void *context) {
    (void)context;
    for (;;) {
        struct question *request = NULL;
        if (cede_recv(self, question, &request, CEDE_FOREVER) != CEDE_OK) return CEDE_STOP;
        answer_give(self, request, request->value);
        cede_drop(self, &request);
    }
}

static cede_result asker_run(cede_self *self, void *context) {
    cede_ref echo = *(cede_ref *)context;
    for (;;) /* until it is killed in the middle */
        if (question_ask(self, echo, 1, NULL) != CEDE_OK) return CEDE_STOP;
}

static cede_result sleeper_run(cede_self *self, void *context) {
    (void)context;
    return cede_sleep(self, CEDE_SECONDS(1000));
}

static cede_result job_run(void *message) {
    ((struct number *)message)->value++;
    return CEDE_OK;
}

static cede_result jobs_run(cede_self *self, void *context) {
    (void)context;
    for (;;) {
        struct number *number = cede_new(self, number);
        if (number == NULL || cede_run_blocking(self, job_run, &number) != CEDE_OK)
            return CEDE_STOP;
        cede_drop(self, &number);
    }
}

static cede_result blocking_run(cede_self *self, void *context) {
    (void)context;
    struct go *message = NULL;
    (void)cede_recv(self, go, &message, CEDE_FOREVER);
    return CEDE_STOP;
}

static char url[128];

static cede_result load(cede_self *self, void *context) {
    enum { ASKERS = 8, SLEEPERS = 8 };
    static cede_ref echo;
    bool as_node = *(bool *)context;
    if (as_node) {
        struct cede_node_options options = {.name = "cycle", .listen_url = url};
        EXPECT_OK(cede_node_start(self, &options));
    }
    echo = play(self, echo_run, NULL);
    for (int i = 0; i < ASKERS; i++) (void)play(self, asker_run, &echo);
    for (int i = 0; i < SLEEPERS; i++) (void)play(self, sleeper_run, NULL);
    (void)play(self, jobs_run, NULL);
    (void)play_as(self, &player_that_blocks, blocking_run, NULL);
    for (int i = 0; i < 4; i++) EXPECT_OK(question_ask(self, echo, 1, NULL));
    return CEDE_OK;
}

static void cycle(bool as_node) {
    struct fixture *fixture = fixture_begin((struct cede_options){.workers = 2});
    fixture_run(fixture, load, &as_node);
    fixture_end(fixture); /* checks that nothing was lost */
}

/* ---- growth ---- */

enum { SAMPLES = 40 };

/* The least of some samples: noise only adds. */
static long least(const long *samples, int from, int to) {
    long value = samples[from];
    for (int i = from + 1; i < to; i++)
        if (samples[i] < value) value = samples[i];
    return value;
}

/* From the second quarter to the last: the first is for caches to fill. */
static long growth(const long *samples) {
    return least(samples, SAMPLES * 3 / 4, SAMPLES) - least(samples, SAMPLES / 4, SAMPLES / 2);
}

static void starting_and_stopping_a_loaded_system_leaves_nothing_behind(void **state) {
    (void)state;
    uint32_t rounds = test_setting("CEDE_SOAK_CYCLES", CEDEI_ASAN || CEDEI_TSAN ? 120 : 1000);
    long threads[SAMPLES], descriptors[SAMPLES], mappings[SAMPLES], resident_kib[SAMPLES];
    char folder[] = "/tmp/cede-cycles-XXXXXX";
    EXPECT(mkdtemp(folder) != NULL);
    snprintf(url, sizeof url, "ipc://%s/node", folder);
    for (int i = 0; i < 4; i++) cycle(i == 0); /* the libraries' own threads are there now */
    long threads_before = holdings_now().threads;
    for (uint32_t round = 0, sample = 0; sample < SAMPLES; round++) {
        cycle(round % 10 == 0);
        if (round + 1 < (uint64_t)rounds * (sample + 1) / SAMPLES) continue;
        struct holdings now = holdings_settled(threads_before);
        threads[sample] = now.threads;
        descriptors[sample] = now.descriptors;
        mappings[sample] = now.mappings;
        resident_kib[sample++] = now.resident_kib;
    }
    EXPECT(rmdir(folder) == 0);
    printf(
        "%u rounds: threads %ld, grew by %ld; descriptors %ld, by %ld; mappings %ld, by %ld; resident "
        "%ld KiB, by %ld KiB\n",
        rounds, threads[SAMPLES - 1], growth(threads), descriptors[SAMPLES - 1], growth(descriptors),
        mappings[SAMPLES - 1], growth(mappings), resident_kib[SAMPLES - 1], growth(resident_kib));
    EXPECT(growth(threads) <= 0);
    EXPECT(growth(descriptors) <= 0);
    if (CEDEI_ASAN || CEDEI_TSAN) return; /* they keep what is freed, and mappings of their own */
    /* malloc makes and merges some; one that stays behind each round would be hundreds. */
    EXPECT(growth(mappings) <= 8);
    /* Half a page a round would be 1,000 KiB in half of 1,000 rounds. */
    EXPECT(growth(resident_kib) <= 512 + (long)rounds / 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starting_and_stopping_a_loaded_system_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
