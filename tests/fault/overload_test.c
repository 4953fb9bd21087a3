/* Ten times as much as an actor can handle, under each policy for a full mailbox: every message that was sent is handled, refused or
 * given up, exactly; memory stays within the bound and a tenth; control messages are answered; two actors that have nothing to do with
 * it go on. Under half a second for each; CEDE_SOAK_SECONDS says otherwise, and then times are judged too. */
#include <stdio.h>
#include <unistd.h>

#include <cede/failure.h>

#include "core/sys/clock.h"
#include "tests/support/actors.h"

enum {
    PRODUCERS = 4,
    BURST = 50,         /* messages of a producer each millisecond: 200,000 a second in all */
    SERVICE_NS = 50000, /* 20,000 a second */
    TEXT_SIZE = 1000,
    SAMPLES_MAX = 100000
};
#define BYTES_MAX ((uint64_t)8 << 20)
/* What the bound does not count: blocks and stacks that are kept for reuse, and what malloc adds. */
#define OVERHEAD ((uint64_t)4 << 20)

#define TEST_PROBE(F) F(u64, unused)
CEDE_CONTROL_MESSAGE(probe, TEST_PROBE);
#define TEST_TICK(F) F(ref, to)
CEDE_MESSAGE(tick, TEST_TICK);

static _Atomic uint64_t attempts, refused, handled, rallies;
static _Atomic uint32_t is_slow, ends;

static uint64_t total(_Atomic uint64_t *count) {
    return atomic_load_explicit(count, memory_order_relaxed);
}
static void add(_Atomic uint64_t *count, uint64_t by) {
    atomic_fetch_add_explicit(count, by, memory_order_relaxed);
}

/* ---- the slow one ---- */

static cede_result on_note(cede_self *self, struct player *state, struct note *m) {
    (void)self, (void)state;
    EXPECT_EQUAL(m->text.size, TEXT_SIZE);
    uint64_t until_ns = cedei_clock_now_ns() + SERVICE_NS;
    while (flag_get(&is_slow) != 0 && cedei_clock_now_ns() < until_ns) {}
    add(&handled, 1);
    return CEDE_OK;
}

static cede_result on_probe(cede_self *self, struct player *state, struct probe *m) {
    (void)state;
    return cede_reply(self, m, &m);
}

#define CONSUMER(ON)                                                                               \
    ON(note, on_note)                                                                              \
    ON(probe, on_probe)
#define BOUNDS .mailbox_max = 60000, .mailbox_bytes_max = BYTES_MAX
CEDE_BEHAVIOUR(refuses, struct player, CONSUMER, BOUNDS);
CEDE_BEHAVIOUR(suspends, struct player, CONSUMER, BOUNDS, .when_full = CEDE_FULL_SUSPEND);
CEDE_BEHAVIOUR(drops_newest, struct player, CONSUMER, BOUNDS, .when_full = CEDE_FULL_DROP_NEWEST);
CEDE_BEHAVIOUR(drops_oldest, struct player, CONSUMER, BOUNDS, .when_full = CEDE_FULL_DROP_OLDEST);
CEDE_BEHAVIOUR(keeps_latest, struct player, CONSUMER, BOUNDS, .when_full = CEDE_FULL_KEEP_LATEST);

/* ---- those that send too much ---- */

static void note_offer(cede_self *self, cede_ref to) {
    static char text[TEXT_SIZE];
    struct note *m = cede_new(self, note);
    EXPECT(m != NULL);
    EXPECT_OK(cede_str_set_sized(&m->text, text, sizeof text));
    cede_result r = cede_send(self, to, &m);
    EXPECT(r == CEDE_OK || r == CEDE_EFULL);
    add(&attempts, 1);
    if (r == CEDE_EFULL) add(&refused, 1);
    cede_drop(self, &m);
}

static cede_result on_tick(cede_self *self, struct player *state, struct tick *m) {
    (void)state;
    if (flag_get(&ends) != 0) return CEDE_STOP;
    for (int i = 0; i < BURST; i++) note_offer(self, m->to);
    return cede_send_after(self, cede_self_ref(self), &m, CEDE_MILLIS(1), NULL);
}
#define PRODUCER(ON) ON(tick, on_tick)
CEDE_BEHAVIOUR(producer, struct player, PRODUCER);

/* ---- the pair that has nothing to do with it ---- */

static cede_result on_number(cede_self *self, struct player *state, struct number *m) {
    (void)state;
    (void)self;
    return cede_reply(self, m, &m);
}
#define PARTNER(ON) ON(number, on_number)
CEDE_BEHAVIOUR(partner, struct player, PARTNER);

static cede_result rally(cede_self *self, void *context) {
    while (flag_get(context) == 0) {
        static cede_ref to;
        if (cede_ref_is_none(to) || cedei_table_find(cede_self_system(self), to) == NULL)
            EXPECT_OK(cede_spawn(self, &partner, CEDE_NOTHING, &to));
        for (int i = 0; i < 100; i++) {
            struct number *m = cede_new(self, number);
            EXPECT_OK(cede_ask(self, to, &m, number, &m, CEDE_FOREVER));
            cede_drop(self, &m);
        }
        add(&rallies, 100);
        cede_yield(self);
    }
    flag_set(context, 2);
    return CEDE_STOP;
}

/* ---- looking at it ---- */

static uint64_t resident_bytes(void) {
    unsigned long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    EXPECT(file != NULL);
    EXPECT(fscanf(file, "%lu %lu", &size, &resident) == 2);
    fclose(file);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int sample_compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t probe_ns(cede_self *self, cede_ref to) {
    struct probe *m = cede_new(self, probe);
    uint64_t start_ns = cedei_clock_now_ns();
    EXPECT_OK(cede_ask(self, to, &m, probe, &m, CEDE_FOREVER));
    cede_drop(self, &m);
    return cedei_clock_now_ns() - start_ns;
}

struct outcome {
    uint64_t peak_bytes, worst_ns, p99_ns, usual_rate, rate, given_up;
    double pressure; /* offered for each that was handled while it lasted */
};

static uint64_t given_up_of(cede_self *self) {
    struct cede_metrics metrics;
    cede_system_metrics(cede_self_system(self), &metrics);
    return metrics.dead_letters[CEDE_EFULL];
}

static CEDE_YIELDS void load_watch(cede_self *self, cede_ref consumer, uint64_t length_ns,
                                   struct outcome *out) {
    static uint64_t samples[SAMPLES_MAX];
    uint32_t count = 0;
    uint64_t start_ns = cedei_clock_now_ns(), rallies_before = total(&rallies);
    while (cedei_clock_now_ns() - start_ns < length_ns) {
        uint64_t took_ns = probe_ns(self, consumer);
        if (count < SAMPLES_MAX) samples[count++] = took_ns;
        uint64_t now = resident_bytes();
        if (now > out->peak_bytes) out->peak_bytes = now;
        EXPECT_OK(cede_sleep(self, CEDE_MILLIS(5)));
    }
    uint64_t took_ns = cedei_clock_now_ns() - start_ns;
    out->rate = (total(&rallies) - rallies_before) * 1000000000u / took_ns;
    out->pressure = (double)total(&attempts) / (double)(total(&handled) + 1);
    qsort(samples, count, sizeof samples[0], sample_compare);
    out->p99_ns = samples[count * 99 / 100];
    out->worst_ns = samples[count - 1];
}

static CEDE_YIELDS void load_end(cede_self *self, cede_ref consumer) {
    flag_set(&ends, 1);
    flag_set(&is_slow, 0);
    struct cede_metrics metrics;
    do { /* until the producers have ended and the consumer is at rest */
        EXPECT_OK(cede_sleep(self, CEDE_MILLIS(1)));
        cede_system_metrics(cede_self_system(self), &metrics);
    } while (metrics.actors_spawned - metrics.actors_ended > 4 || cede_load(self, consumer) != 0);
    (void)probe_ns(self, consumer); /* and is not in the middle of the last one */
}

static CEDE_YIELDS void load_run(cede_self *self, const cede_behaviour *behaviour,
                                 uint64_t length_ns, struct outcome *out) {
    static _Atomic uint32_t rally_ends;
    cede_ref consumer = {0};
    flag_set(&rally_ends, 0);
    flag_set(&ends, 0);
    flag_set(&is_slow, 1);
    atomic_store(&attempts, 0);
    atomic_store(&refused, 0);
    atomic_store(&handled, 0);
    play(self, rally, &rally_ends);
    EXPECT_OK(cede_spawn(self, behaviour, CEDE_NOTHING, &consumer));
    uint64_t alone_ns = length_ns / 4, rallies_before = total(&rallies);
    EXPECT_OK(cede_sleep(self, alone_ns));
    out->usual_rate = (total(&rallies) - rallies_before) * 1000000000u / alone_ns;
    uint64_t given_up = given_up_of(self), base = resident_bytes();
    out->peak_bytes = base;
    for (int i = 0; i < PRODUCERS; i++) {
        struct tick *first = cede_new(self, tick);
        first->to = consumer;
        EXPECT_OK(cede_spawn(self, &producer, &first, NULL));
    }
    load_watch(self, consumer, length_ns, out);
    out->peak_bytes -= base;
    load_end(self, consumer);
    out->given_up = given_up_of(self) - given_up;
    flag_set(&rally_ends, 1);
    flag_await(self, &rally_ends, 2);
    EXPECT_OK(cede_stop(self, consumer));
}

static void load_judge(const cede_behaviour *behaviour, const struct outcome *out, bool is_long) {
    printf(
        "%-13s sent %llu = handled %llu + refused %llu + given up %llu; pressure %.1f; memory +%.1f MiB; control p99 "
        "%.2f ms, worst %.2f ms; pair %llu of %llu a second\n",
        behaviour->name, (unsigned long long)total(&attempts), (unsigned long long)total(&handled),
        (unsigned long long)total(&refused), (unsigned long long)out->given_up, out->pressure,
        (double)out->peak_bytes / 1048576, (double)out->p99_ns / 1e6, (double)out->worst_ns / 1e6,
        (unsigned long long)out->rate, (unsigned long long)out->usual_rate);
    EXPECT_EQUAL(total(&attempts), total(&handled) + total(&refused) + out->given_up);
    bool gives_up = behaviour->when_full >= CEDE_FULL_DROP_NEWEST;
    EXPECT((out->given_up != 0) == gives_up && (total(&refused) != 0) == !gives_up);
    uint64_t bound = behaviour->when_full == CEDE_FULL_SUSPEND ? 2 * BYTES_MAX : BYTES_MAX;
    if (!CEDEI_ASAN && !CEDEI_TSAN) EXPECT(out->peak_bytes <= bound + bound / 10 + OVERHEAD);
    if (!is_long) return;
    EXPECT(out->p99_ns <= 100000000u);
    EXPECT(out->rate >= out->usual_rate / 2);
    EXPECT(out->pressure >= 5);
}

static cede_result overload_run(cede_self *self, void *context) {
    static const cede_behaviour *const BEHAVIOURS[] = {&refuses, &suspends, &drops_newest,
                                                       &drops_oldest, &keeps_latest};
    (void)context;
    uint32_t seconds = test_setting("CEDE_SOAK_SECONDS", 0);
    for (size_t i = 0; i < sizeof BEHAVIOURS / sizeof BEHAVIOURS[0]; i++) {
        uint32_t only = test_setting("CEDE_SOAK_POLICY", UINT32_MAX);
        if (only != UINT32_MAX && only != i) continue;
        struct outcome outcome = {0};
        load_run(self, BEHAVIOURS[i], seconds != 0 ? CEDE_SECONDS(seconds) : CEDE_MILLIS(300),
                 &outcome);
        load_judge(BEHAVIOURS[i], &outcome, seconds != 0);
    }
    return CEDE_OK;
}

static void overload_loses_nothing_and_stays_within_its_bounds(void **state) {
    fixture_run(*state, overload_run, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(overload_loses_nothing_and_stays_within_its_bounds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
