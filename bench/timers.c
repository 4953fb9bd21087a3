/* timers.c - one million timers: each is a message to a collector, by cede_send_after, and says when it was wanted.
 *   timers        at random times within 1 to 1,000 ms
 *   timers_later  the same, 4 s later
 * Prints: name, operation, count, CPU nanoseconds of the whole process, and what else was seen. */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cede/cede.h>

enum { TIMERS = 1000000, SPAN_MS = 1000, LATER_MS = 4000, PER_YIELD = 128 };

#define ALARM(F) F(u64, wanted_ns)
CEDE_MESSAGE(alarm_clock, ALARM);
#define SETTING(F)                                                                                 \
    F(ref, collector)                                                                              \
    F(u64, first_ms)                                                                               \
    F(u64, left)                                                                                   \
    F(u64, random)
CEDE_MESSAGE(setting, SETTING);
#define COLLECT(F) F(u64, first_ms)
CEDE_MESSAGE(collect, COLLECT);
#define COLLECTED(F) F(u64, at_ns)
CEDE_MESSAGE(collected, COLLECTED);

static uint32_t late_us[TIMERS]; /* only the collector writes, before it answers */
static _Atomic uint64_t set_at_ns;

static uint64_t cpu_ns(void) {
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

/* ---- the setter ---- */

static uint64_t random_next(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static cede_result alarm_set(cede_self *self, struct setting *setting) {
    struct alarm_clock *alarm = cede_new(self, alarm_clock);
    if (alarm == NULL) return CEDE_ENOMEM;
    uint64_t delay_ns = CEDE_MILLIS(setting->first_ms + 1 + random_next(&setting->random) % SPAN_MS);
    alarm->wanted_ns = cede_now(self) + delay_ns;
    cede_result r = cede_send_after(self, setting->collector, &alarm, delay_ns, NULL);
    cede_drop(self, &alarm);
    return r;
}

CEDE_YIELDS static cede_result on_setting(cede_self *self, void *state, struct setting *setting) {
    (void)state;
    for (; setting->left > 0; setting->left--) {
        cede_result r = alarm_set(self, setting);
        if (r != CEDE_OK) return r;
        if (setting->left % PER_YIELD == 0) cede_yield(self); /* about 20 us */
    }
    set_at_ns = cede_now(self);
    return CEDE_STOP;
}
#define SETTER(ON) ON(setting, on_setting)
CEDE_BEHAVIOUR(setter, void, SETTER);

/* ---- the collector ---- */

struct collector {
    struct collect *order;
    uint32_t count;
};

static cede_result on_collect(cede_self *self, struct collector *state, struct collect *order) {
    struct setting *setting = cede_new(self, setting);
    if (setting == NULL) return CEDE_ENOMEM;
    setting->collector = cede_self_ref(self);
    setting->first_ms = order->first_ms;
    setting->left = TIMERS;
    setting->random = 88172645463325252u;
    state->order = cede_keep(self, &order);
    cede_result r = cede_spawn(self, &setter, &setting, NULL);
    cede_drop(self, &setting);
    return r;
}

static cede_result on_alarm(cede_self *self, struct collector *state, struct alarm_clock *alarm) {
    uint64_t now_ns = cede_now(self);
    if (now_ns < alarm->wanted_ns) return CEDE_EFAILED; /* early */
    late_us[state->count++] = (uint32_t)((now_ns - alarm->wanted_ns) / 1000);
    if (state->count < TIMERS) return CEDE_OK;
    struct collected *answer = cede_new(self, collected);
    if (answer == NULL) return CEDE_ENOMEM;
    answer->at_ns = now_ns;
    cede_result r = cede_reply(self, state->order, &answer);
    cede_drop(self, &answer);
    return r;
}
#define COLLECTOR(ON)                                                                              \
    ON(collect, on_collect)                                                                        \
    ON(alarm_clock, on_alarm)
CEDE_BEHAVIOUR(collector, struct collector, COLLECTOR, .mailbox_max = CEDE_MAILBOX_UNBOUNDED);

/* ---- one run ---- */

struct run {
    uint64_t first_ms, cpu_ns, start_ns, end_ns;
};

CEDE_YIELDS static cede_result run_timers(cede_self *self, void *context) {
    struct run *run = context;
    cede_ref to = {0};
    cede_result r = cede_spawn(self, &collector, CEDE_NOTHING, &to);
    if (r != CEDE_OK) return r;
    struct collect *order = cede_new(self, collect);
    if (order == NULL) return CEDE_ENOMEM;
    order->first_ms = run->first_ms;
    run->start_ns = cede_now(self);
    run->cpu_ns = cpu_ns();
    struct collected *end = NULL;
    r = cede_ask(self, to, &order, collected, &end, CEDE_FOREVER);
    run->cpu_ns = cpu_ns() - run->cpu_ns;
    if (r == CEDE_OK) run->end_ns = end->at_ns;
    cede_drop(self, &order);
    cede_drop(self, &end);
    return r;
}

static int by_size(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    struct cede_options options = {.workers = argc == 3 ? (uint32_t)atoi(argv[2]) : 0};
    bool later = argc == 3 && strcmp(argv[1], "timers_later") == 0;
    if (options.workers == 0 || (!later && strcmp(argv[1], "timers") != 0)) {
        fprintf(stderr, "usage: timers timers|timers_later WORKERS\n");
        return 2;
    }
    memset(late_us, 0xff, sizeof late_us);
    struct run run = {.first_ms = later ? LATER_MS : 0};
    cede_system *system = NULL;
    if (cede_system_create(&system, &options) != CEDE_OK) return 1;
    cede_result r = cede_block_on(system, run_timers, &run);
    struct cede_metrics metrics;
    cede_system_metrics(system, &metrics);
    cede_system_destroy(system);
    if (r != CEDE_OK) {
        fprintf(stderr, "timers: %s\n", cede_result_text(r));
        return 1;
    }
    qsort(late_us, TIMERS, sizeof *late_us, by_size);
    printf("%s\ttimer (cpu ns)\t%d\t%" PRIu64 "\twall_ms=%" PRIu64 ",setup_ms=%" PRIu64
           ",late_p50_us=%u,late_p99_us=%u,late_max_us=%u,wakes=%" PRIu64 ",parks=%" PRIu64 "\n",
           argv[1], TIMERS, run.cpu_ns, (run.end_ns - run.start_ns) / 1000000,
           (set_at_ns - run.start_ns) / 1000000, late_us[TIMERS / 2], late_us[TIMERS / 100 * 99],
           late_us[TIMERS - 1], metrics.wakes, metrics.parks);
    return 0;
}
