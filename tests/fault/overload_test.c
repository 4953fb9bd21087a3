/* Ten times as much as an actor can handle, under each policy for a full mailbox: every message that was sent is handled, refused or
 * given up, exactly; memory stays within the bound and a tenth; control messages are answered; two actors that have nothing to do with
 * it go on. Under half a second for each; CEDE_SOAK_SECONDS says otherwise, CEDE_SOAK_POLICY names one. The figures of time are printed
 * beside their goals and not judged: the machine may have other things to do. docs/OVERLOAD.md says how they are to be read. */
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cede/failure.h>

#include "core/sys/clock.h"
#include "tests/support/actors.h"

enum {
    PRODUCERS = 4,
    BURST = 64, /* messages of a producer each millisecond and the time that it takes to send them */
    SERVICE_NS = 50000, /* 20,000 a second */
    TEXT_SIZE = 1000,
    SAMPLES_MAX = 100000,
    SHORT_MS = 300
};
#define BYTES_MAX ((uint64_t)8 << 20)
/* Beside the goal, which a busy machine shall not make a failure: what the runtime comes to use on the way, stacks and blocks. */
#define OVERHEAD ((uint64_t)1 << 20)

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

static void service_pass(void) {
    uint64_t until_ns = cedei_clock_now_ns() + SERVICE_NS;
    while (flag_get(&is_slow) != 0 && cedei_clock_now_ns() < until_ns) {}
}

/* ---- the slow one ---- */

static cede_result on_note(cede_self *self, struct player *state, struct note *m) {
    (void)self, (void)state;
    EXPECT_EQUAL(m->text.size, TEXT_SIZE);
    service_pass();
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
CEDE_BEHAVIOUR(refuse, struct player, CONSUMER, BOUNDS);
CEDE_BEHAVIOUR(suspend, struct player, CONSUMER, BOUNDS, .when_full = CEDE_FULL_SUSPEND);
CEDE_BEHAVIOUR(drop_newest, struct player, CONSUMER, BOUNDS, .when_full = CEDE_FULL_DROP_NEWEST);
CEDE_BEHAVIOUR(drop_oldest, struct player, CONSUMER, BOUNDS, .when_full = CEDE_FULL_DROP_OLDEST);
CEDE_BEHAVIOUR(keep_latest, struct player, CONSUMER, BOUNDS, .when_full = CEDE_FULL_KEEP_LATEST);

static const cede_behaviour *const POLICIES[] = {&refuse, &suspend, &drop_newest, &drop_oldest,
                                                 &keep_latest};
enum { POLICY_COUNT = sizeof POLICIES / sizeof POLICIES[0] };

/* ---- those that send too much ---- */

static struct note *note_make(cede_self *self) {
    static char text[TEXT_SIZE];
    struct note *m = cede_new(self, note);
    EXPECT(m != NULL);
    EXPECT_OK(cede_str_set_sized(&m->text, text, sizeof text));
    return m;
}

static void note_offer(cede_self *self, cede_ref to) {
    struct note *m = note_make(self);
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

/* ---- the same work without any overload: nothing is sent to anybody else ---- */

static cede_result on_tick_alone(cede_self *self, struct player *state, struct tick *m) {
    (void)state;
    if (flag_get(&ends) != 0) return CEDE_STOP;
    for (int i = 0; i < BURST; i++) {
        struct note *made = note_make(self);
        cede_drop(self, &made);
    }
    return cede_send_after(self, cede_self_ref(self), &m, CEDE_MILLIS(1), NULL);
}
#define MAKER(ON) ON(tick, on_tick_alone)
CEDE_BEHAVIOUR(maker, struct player, MAKER);

static cede_result on_tick_busy(cede_self *self, struct player *state, struct tick *m) {
    (void)state;
    if (flag_get(&ends) != 0) return CEDE_STOP;
    service_pass();
    return cede_send(self, cede_self_ref(self), &m);
}
#define SERVER(ON) ON(tick, on_tick_busy)
CEDE_BEHAVIOUR(server, struct player, SERVER);

/* ---- the pair that has nothing to do with it ---- */

static cede_result on_number(cede_self *self, struct player *state, struct number *m) {
    (void)state;
    return cede_reply(self, m, &m);
}
#define PARTNER(ON) ON(number, on_number)
CEDE_BEHAVIOUR(partner, struct player, PARTNER);

static cede_result rally(cede_self *self, void *context) {
    cede_ref to = {0};
    EXPECT_OK(cede_spawn(self, &partner, CEDE_NOTHING, &to));
    while (flag_get(context) == 0) {
        for (int i = 0; i < 100; i++) {
            struct number *m = cede_new(self, number);
            EXPECT_OK(cede_ask(self, to, &m, number, &m, CEDE_FOREVER));
            cede_drop(self, &m);
        }
        add(&rallies, 100);
    }
    EXPECT_OK(cede_stop(self, to));
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

static uint64_t processor_ns(void) {
    struct rusage used;
    EXPECT(getrusage(RUSAGE_SELF, &used) == 0);
    return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000u +
           (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000u;
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

/* What was counted in a stretch of time. */
struct stretch {
    uint64_t ns, cpu_ns, offers, handled, rallies;
};

static struct stretch stretch_now(void) {
    return (struct stretch){cedei_clock_now_ns(), processor_ns(), total(&attempts), total(&handled),
                            total(&rallies)};
}

static struct stretch stretch_since(struct stretch from) {
    struct stretch now = stretch_now();
    return (struct stretch){now.ns - from.ns, now.cpu_ns - from.cpu_ns, now.offers - from.offers,
                            now.handled - from.handled, now.rallies - from.rallies};
}

static double rate(const struct stretch *stretch, uint64_t count) {
    return (double)count * 1e9 / (double)stretch->ns;
}

struct outcome {
    uint64_t base_bytes, peak_bytes, p50_ns, p99_ns, worst_ns, given_up, counted_refused;
    struct stretch alone, beside_work, load; /* the pair by itself; beside `maker` and `server` */
};

static struct cede_metrics metrics_of(cede_self *self) {
    struct cede_metrics metrics;
    cede_system_metrics(cede_self_system(self), &metrics);
    return metrics;
}

/* What did not find room so far. */
static uint64_t without_room(cede_self *self) {
    struct cede_metrics metrics = metrics_of(self);
    return metrics.messages_refused + metrics.dead_letters[CEDE_EFULL];
}

/* For so long, and until the mailbox was full once: on a busy machine that may take longer. */
static CEDE_YIELDS void load_watch(cede_self *self, cede_ref consumer, uint64_t length_ns,
                                   struct outcome *out) {
    static uint64_t samples[SAMPLES_MAX];
    uint32_t count = 0;
    uint64_t without_room_before = without_room(self);
    struct stretch from = stretch_now();
    while (cedei_clock_now_ns() - from.ns < length_ns || without_room(self) == without_room_before) {
        uint64_t took_ns = probe_ns(self, consumer);
        if (count < SAMPLES_MAX) samples[count++] = took_ns;
        uint64_t now = resident_bytes();
        if (now > out->peak_bytes) out->peak_bytes = now;
        EXPECT_OK(cede_sleep(self, CEDE_MILLIS(5)));
    }
    out->load = stretch_since(from);
    qsort(samples, count, sizeof samples[0], sample_compare);
    out->p50_ns = samples[count / 2];
    out->p99_ns = samples[count * 99 / 100];
    out->worst_ns = samples[count - 1];
}

static void load_spawn(cede_self *self, const cede_behaviour *behaviour, int count, cede_ref to) {
    for (int i = 0; i < count; i++) {
        struct tick *first = cede_new(self, tick);
        first->to = to;
        EXPECT_OK(cede_spawn(self, behaviour, &first, NULL));
    }
}

/* Until all but `living` actors have ended. */
static CEDE_YIELDS void load_end(cede_self *self, uint64_t living) {
    flag_set(&ends, 1);
    struct cede_metrics metrics;
    do {
        EXPECT_OK(cede_sleep(self, CEDE_MILLIS(1)));
        metrics = metrics_of(self);
    } while (metrics.actors_spawned - metrics.actors_ended > living);
    flag_set(&ends, 0);
}

enum { LIVING = 4 }; /* this one, the pair, the consumer */

/* What the pair does by itself, and beside actors that do the same work without sending. */
static CEDE_YIELDS void pair_measure(cede_self *self, uint64_t length_ns, struct outcome *out) {
    struct stretch from = stretch_now();
    EXPECT_OK(cede_sleep(self, length_ns));
    out->alone = stretch_since(from);
    load_spawn(self, &maker, PRODUCERS, cede_self_ref(self));
    load_spawn(self, &server, 1, cede_self_ref(self));
    from = stretch_now();
    EXPECT_OK(cede_sleep(self, length_ns));
    out->beside_work = stretch_since(from);
    load_end(self, LIVING);
}

static CEDE_YIELDS void load_run(cede_self *self, const cede_behaviour *behaviour,
                                 uint64_t length_ns, struct outcome *out) {
    static _Atomic uint32_t rally_ends;
    static uint64_t base_bytes;
    cede_ref consumer = {0};
    flag_set(&rally_ends, 0);
    flag_set(&is_slow, 1);
    atomic_store(&attempts, 0);
    atomic_store(&refused, 0);
    atomic_store(&handled, 0);
    play(self, rally, &rally_ends);
    EXPECT_OK(cede_spawn(self, behaviour, CEDE_NOTHING, &consumer));
    EXPECT_OK(cede_sleep(self, CEDE_MILLIS(20)));
    pair_measure(self, length_ns / 6, out);
    if (base_bytes == 0) base_bytes = resident_bytes(); /* what one load leaves is not forgotten */
    out->base_bytes = out->peak_bytes = base_bytes;
    struct cede_metrics before = metrics_of(self);
    load_spawn(self, &producer, PRODUCERS, consumer);
    load_watch(self, consumer, length_ns, out);
    out->peak_bytes -= base_bytes;
    flag_set(&is_slow, 0);
    load_end(self, LIVING);
    while (cede_load(self, consumer) != 0) EXPECT_OK(cede_sleep(self, CEDE_MILLIS(1)));
    (void)probe_ns(self, consumer); /* and is not in the middle of the last one */
    struct cede_metrics after = metrics_of(self);
    out->given_up = after.dead_letters[CEDE_EFULL] - before.dead_letters[CEDE_EFULL];
    out->counted_refused = after.messages_refused - before.messages_refused;
    flag_set(&rally_ends, 1);
    flag_await(self, &rally_ends, 2);
    EXPECT_OK(cede_stop(self, consumer));
}

/* ---- what it came to ---- */

static const char *reached(bool is_reached) { return is_reached ? "reached" : "NOT reached"; }

static double mib(uint64_t bytes) { return (double)bytes / 1048576; }

static void outcome_print(const cede_behaviour *behaviour, const struct outcome *out) {
    const struct stretch *load = &out->load;
    double alone = rate(&out->alone, out->alone.rallies),
           work = rate(&out->beside_work, out->beside_work.rallies),
           beside = rate(load, load->rallies);
    double pressure = (double)load->offers / (double)(load->handled + 1);
    printf("%s, for %.1f s:\n", behaviour->name, (double)load->ns / 1e9);
    printf("  offered   %.0f a second, handled %.0f: %.1f times as many (goal 10 or so: %s)\n",
           rate(load, load->offers), rate(load, load->handled), pressure, reached(pressure >= 9));
    printf("  counts    sent %llu = handled %llu + refused %llu + given up %llu\n",
           (unsigned long long)total(&attempts), (unsigned long long)total(&handled),
           (unsigned long long)total(&refused), (unsigned long long)out->given_up);
    printf("  memory    %.1f MiB over %.1f, bound %.1f: %.0f %% (goal 110 %%: %s)\n",
           mib(out->peak_bytes), mib(out->base_bytes), mib(BYTES_MAX),
           (double)out->peak_bytes * 100 / (double)BYTES_MAX,
           reached(out->peak_bytes <= BYTES_MAX + BYTES_MAX / 10));
    printf("  control   answered in %.2f ms, 99 of 100 in %.2f, worst %.2f (goal 100 ms: %s)\n",
           (double)out->p50_ns / 1e6, (double)out->p99_ns / 1e6, (double)out->worst_ns / 1e6,
           reached(out->p99_ns <= 100000000u));
    printf("  pair      %.0f asks a second, %.0f alone: keeps %.0f %% (goal 50 %%: %s)\n", beside,
           alone, beside * 100 / alone, reached(beside >= alone / 2));
    printf("            %.0f beside the same work without sends: keeps %.0f %% of that\n", work,
           beside * 100 / work);
    printf("  processor seconds a second: %.2f alone, %.2f beside work, %.2f under the load\n",
           rate(&out->alone, out->alone.cpu_ns) / 1e9,
           rate(&out->beside_work, out->beside_work.cpu_ns) / 1e9, rate(load, load->cpu_ns) / 1e9);
    fflush(stdout);
}

static void outcome_judge(const cede_behaviour *behaviour, const struct outcome *out) {
    EXPECT_EQUAL(total(&attempts), total(&handled) + total(&refused) + out->given_up);
    EXPECT_EQUAL(total(&refused), out->counted_refused);
    bool gives_up = behaviour->when_full >= CEDE_FULL_DROP_NEWEST;
    EXPECT((out->given_up != 0) == gives_up && (total(&refused) != 0) == !gives_up);
    /* A mailbox that suspends its senders may take one message more from each. */
    if (!CEDEI_ASAN && !CEDEI_TSAN)
        EXPECT(out->peak_bytes <= BYTES_MAX + BYTES_MAX / 10 + OVERHEAD);
}

static cede_result overload_run(cede_self *self, void *context) {
    uint32_t seconds = test_setting("CEDE_SOAK_SECONDS", 0);
    const char *only = getenv("CEDE_SOAK_POLICY");
    (void)context;
    for (size_t i = 0; i < POLICY_COUNT; i++) {
        if (only != NULL && strcmp(only, POLICIES[i]->name) != 0) continue;
        struct outcome outcome = {0};
        load_run(self, POLICIES[i],
                 seconds != 0 ? CEDE_SECONDS(seconds) : CEDE_MILLIS((uint64_t)SHORT_MS), &outcome);
        outcome_print(POLICIES[i], &outcome);
        outcome_judge(POLICIES[i], &outcome);
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
