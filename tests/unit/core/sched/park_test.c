/* Sleeping costs nothing and waking is rare: an idle system uses no processor, tasks that follow each other wake nobody, and
 * every task from outside finds somebody awake. */
#include <pthread.h>
#include <time.h>

#include "core/sys/clock.h"
#include "tests/support/tasks.h"

static _Atomic uint32_t ended;

static void end(struct cedei_worker *worker, struct errand *errand) {
    (void)worker, (void)errand;
    counter_add(&ended, 1);
}

/* ---- idle ---- */

/* What all threads of the scheduler have used and done so far. */
struct usage {
    uint64_t cpu_ns, parks, wakes, looks;
};

static uint64_t thread_cpu_ns(cedei_thread *thread) {
    clockid_t clock;
    struct timespec used;
    EXPECT(pthread_getcpuclockid(thread->native, &clock) == 0);
    EXPECT(clock_gettime(clock, &used) == 0);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static struct usage usage_now(void) {
    struct errand_counts counts = counts_now();
    struct usage usage = {.cpu_ns = thread_cpu_ns(&sched.lookout.thread),
                          .parks = counts.parks,
                          .wakes = counts.wakes,
                          .looks = atomic_load(&sched.lookout.looks)};
    for (uint32_t i = 0; i < sched.worker_count; i++)
        usage.cpu_ns += thread_cpu_ns(&sched.workers[i].thread);
    return usage;
}

static void pause_ns(uint64_t ns) {
    static _Atomic uint32_t never;
    uint64_t until_ns = cedei_clock_now_ns() + ns;
    while (cedei_clock_now_ns() < until_ns) cedei_futex_wait(&never, 0, until_ns);
}

/* One window in which nothing moves is enough: a thread that wakes more often than that leaves none. */
static bool some_window_is_flat(uint64_t window_ns) {
    enum { WINDOWS = 50 };
    for (int i = 0; i < WINDOWS; i++) {
        struct usage before = usage_now();
        pause_ns(window_ns);
        struct usage after = usage_now();
        if (memcmp(&before, &after, sizeof before) == 0) return true;
    }
    return false;
}

#define SHORT_NS 50000000u
#define LONG_NS 1500000000u

static void park_uses_no_processor_when_idle(void **state) {
    (void)state;
    for (uint32_t workers = 1; workers <= 4; workers++) {
        static struct errand errand;
        uint32_t before = counter_get(&ended);
        sched_begin(workers, true);
        assert_true(some_window_is_flat(SHORT_NS));
        errand = errand_of(end, 0);
        errand_submit(NULL, &errand); /* and so again, after some work */
        counter_await(&ended, before + 1);
        assert_true(some_window_is_flat(SHORT_NS));
        sched_end();
    }
}

static void never_fire(struct cedei_timer *timer, void *context) {
    (void)timer, (void)context;
    EXPECT(false);
}

static void park_uses_no_processor_while_a_timer_is_far_away(void **state) {
    (void)state;
    static struct cedei_timer timer = {.fire = never_fire};
    sched_begin(2, true);
    cedei_sched_timer_add(&sched, &timer, cedei_clock_now_ns() + 3600u * (uint64_t)1000000000);
    assert_true(some_window_is_flat(LONG_NS));
    cedei_sched_timer_cancel(&sched, &timer);
    sched_end();
}

/* ---- waking ---- */

enum { ROUNDS = 100000, WAKES_MAX = ROUNDS / 100 };

static void pass_on(struct cedei_worker *worker, struct errand *errand) {
    if (errand->number-- == 0)
        counter_add(&ended, 1);
    else
        errand_submit(worker, errand->context);
}

static void park_wakes_nobody_for_tasks_that_follow_each_other(void **state) {
    (void)state;
    static struct errand pair[2];
    for (uint32_t workers = 2; workers <= 4; workers += 2) {
        uint32_t before = counter_get(&ended);
        for (int i = 0; i < 2; i++) {
            pair[i] = errand_of(pass_on, ROUNDS / 2);
            pair[i].context = &pair[1 - i];
        }
        sched_begin(workers, true);
        errand_submit(NULL, &pair[0]);
        counter_await(&ended, before + 1);
        struct usage used = usage_now();
        sched_end();
        assert_in_range(used.wakes, 0, WAKES_MAX);
    }
}

/* No threads: workers on paper, all but the first asleep. While one that was woken still searches, nobody else is woken. */
static void park_wakes_one_at_a_time(void **state) {
    (void)state;
    enum { WORKERS = 4 };
    static struct cedei_worker workers[WORKERS];
    memset(&sched, 0, sizeof sched);
    sched.worker_count = WORKERS;
    sched.workers = workers;
    for (uint32_t i = 0; i < WORKERS; i++) {
        cedei_worker_init(&workers[i], &sched, i, false);
        atomic_store(&workers[i].parked, i != 0);
    }
    atomic_store(&sched.seats, WORKERS);
    atomic_store(&sched.idle, 0xe);
    for (int i = 0; i < ROUNDS; i++) cedei_sched_wake_one(&sched);
    assert_int_equal(atomic_load(&sched.idle), 0xc);
    assert_int_equal(atomic_load(&sched.searching), 1);
    assert_int_equal(atomic_load(&workers[1].parked), 0);
    workers[1].searching = true;
    cedei_search_end(&workers[1], true); /* found something, and that was all: nobody need come */
    assert_int_equal(atomic_load(&sched.idle), 0xc);
    assert_int_equal(atomic_load(&sched.searching), 0);
    static struct errand waiting;
    assert_true(cedei_runqueue_push(&workers[0].queue, &waiting.task, NULL));
    assert_true(cedei_search_begin(&workers[1]));
    cedei_search_end(&workers[1], true); /* there is more: the next one may come up */
    assert_int_equal(atomic_load(&sched.idle), 0x8);
    workers[2].searching = true;
    cedei_search_end(&workers[2], false); /* found nothing: nobody need come */
    assert_int_equal(atomic_load(&sched.idle), 0x8);
}

/* One at a time, so that the workers sleep in between. */
static void park_ends_for_each_task_from_a_plain_thread(void **state) {
    (void)state;
    static struct errand errand;
    uint32_t before = counter_get(&ended);
    sched_begin(2, true);
    for (uint32_t i = 1; i <= 2000; i++) {
        errand = errand_of(end, 0);
        errand_submit(NULL, &errand);
        counter_await(&ended, before + i);
    }
    sched_end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(park_uses_no_processor_when_idle),
        cmocka_unit_test(park_uses_no_processor_while_a_timer_is_far_away),
        cmocka_unit_test(park_wakes_nobody_for_tasks_that_follow_each_other),
        cmocka_unit_test(park_wakes_one_at_a_time),
        cmocka_unit_test(park_ends_for_each_task_from_a_plain_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
