/* The words of a source: an event that comes at any moment of a try is not lost, a waiter is woken once, memory is reused
 * without harm. Workers are real; the waiters are numbers. */
#include "core/sched/reactor.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/sched/sched_internal.h"
#include "core/sys/alloc.h"
#include "core/sys/call.h"
#include "core/sys/interrupt.h"
#include "core/sys/socket.h"
#include "tests/support/expect.h"
#include "tests/support/wait.h"

static struct cedei_sched sched;
static _Atomic uint64_t woken; /* waiter + 1 of the last wake */
static _Atomic uint32_t wakes;

static void on_wake(struct cedei_source *source, struct cedei_worker *worker, uint64_t waiter) {
    EXPECT(source != NULL && worker != NULL && worker->sched == &sched);
    /* release: for wake_await. */
    atomic_store_explicit(&woken, waiter + 1, memory_order_release);
    atomic_fetch_add_explicit(&wakes, 1, memory_order_acq_rel);
}

static const struct cedei_source_kind kind = {sizeof(struct cedei_source), on_wake};

static int begin(void **state) {
    struct cedei_sched_options options = {.workers = 2,
                                          .pool_threads_max = 1,
                                          .pool_queue_max = 1,
                                          .pool_idle_ns = 1000000000,
                                          .stack_size = 64 * 1024,
                                          .log = {.level = CEDE_LOG_ERROR}};
    (void)state;
    /* relaxed (both): no other thread yet. */
    atomic_store_explicit(&woken, 0, memory_order_relaxed);
    atomic_store_explicit(&wakes, 0, memory_order_relaxed);
    assert_int_equal(cedei_sched_init(&sched, &options), CEDE_OK);
    return 0;
}

static void still(void *context, unsigned seconds) { (void)context, (void)seconds; }

static int end(void **state) {
    (void)state;
    cedei_sched_stop(&sched, still, NULL);
    cedei_sched_fini(&sched);
    return 0;
}

static void wakes_await(uint32_t wanted) {
    /* acquire: pairs with on_wake. */
    while (atomic_load_explicit(&wakes, memory_order_acquire) < wanted) look_later();
    EXPECT_EQUAL(atomic_load_explicit(&wakes, memory_order_acquire), wanted);
}

static struct cedei_source *source_open(int descriptor, bool is_ready) {
    EXPECT_OK(cedei_reactor_open(&sched));
    struct cedei_source *source = cedei_source_take(&sched.reactor, &kind);
    EXPECT(source != NULL);
    EXPECT_OK(cedei_source_watch(source, descriptor, is_ready));
    return source;
}

/* Sleeping workers begin to watch when the reactor is opened, wherever they sleep. */
static void waiter_is_woken_once_by_the_event_it_waits_for(void **state) {
    int ends[2];
    (void)state;
    EXPECT_OK(cedei_pipe(ends));
    struct cedei_source *source = source_open(ends[0], false);
    EXPECT(!cedei_source_is_ready(cedei_source_look(source, CEDEI_READING)));
    EXPECT(cedei_source_await(source, CEDEI_READING, 77));
    EXPECT(!cedei_source_await(source, CEDEI_READING, 78)); /* one at a time */
    EXPECT(write(ends[1], "x", 1) == 1);
    wakes_await(1);
    /* acquire: pairs with on_wake. */
    EXPECT_EQUAL(atomic_load_explicit(&woken, memory_order_acquire), 78);
    uint64_t seen = cedei_source_look(source, CEDEI_READING);
    EXPECT(cedei_source_is_ready(seen) && (seen & CEDEI_SOURCE_CLOSED) == 0);
    EXPECT(write(ends[1], "x", 1) == 1);
    while (cedei_source_look(source, CEDEI_READING) == seen) look_later();
    /* An event after the look: the word stays ready, so that the next try is made. */
    cedei_source_exhausted(source, CEDEI_READING, seen);
    EXPECT(cedei_source_is_ready(cedei_source_look(source, CEDEI_READING)));
    cedei_source_exhausted(source, CEDEI_READING, cedei_source_look(source, CEDEI_READING));
    EXPECT(!cedei_source_is_ready(cedei_source_look(source, CEDEI_READING)));
    EXPECT(cedei_source_await(source, CEDEI_READING, 5));
    close(ends[1]);
    wakes_await(2);
    EXPECT((cedei_source_look(source, CEDEI_READING) & CEDEI_SOURCE_CLOSED) != 0);
    close(ends[0]);
    cedei_source_give(source);
}

static void waiter_that_gave_up_is_not_woken(void **state) {
    int ends[2];
    (void)state;
    EXPECT_OK(cedei_pipe(ends));
    struct cedei_source *source = source_open(ends[0], false);
    EXPECT(cedei_source_await(source, CEDEI_READING, 1));
    cedei_source_forget(source, CEDEI_READING, 2); /* another's: stays */
    EXPECT(!cedei_source_await(source, CEDEI_READING, 3));
    cedei_source_forget(source, CEDEI_READING, 1);
    EXPECT(write(ends[1], "x", 1) == 1);
    while (!cedei_source_is_ready(cedei_source_look(source, CEDEI_READING))) look_later();
    EXPECT_EQUAL(atomic_load_explicit(&wakes, memory_order_acquire), 0);
    close(ends[0]);
    close(ends[1]);
    cedei_source_give(source);
}

/* The worker that sleeps in the reactor, once one does; 2: see park.c. */
static struct cedei_worker *sleeper_await(void) {
    for (;;) { /* until one has fallen asleep there */
        /* acquire (both): what a look may see; nothing is read behind it. */
        uint32_t keeper = atomic_load_explicit(&sched.timekeeper, memory_order_acquire);
        if (keeper != 0 &&
            atomic_load_explicit(&sched.workers[keeper - 1].parked, memory_order_acquire) == 2)
            return &sched.workers[keeper - 1];
        look_later();
    }
}

/* A report of a long turn may hit a thread that has just gone to sleep: its call ends with EINTR, and it sleeps on. */
static void interrupt_of_a_sleeper_changes_nothing(void **state) {
    int ends[2];
    (void)state;
    EXPECT_OK(cedei_pipe(ends));
    cedei_stall_install();
    struct cedei_source *source = source_open(ends[0], false);
    EXPECT(cedei_source_await(source, CEDEI_READING, 77));
    struct cedei_worker *worker = sleeper_await();
    /* relaxed (both): figures. */
    uint64_t parks = atomic_load_explicit(&worker->counts.parks, memory_order_relaxed);
    for (int i = 0; i < 200; i++) {
        cedei_thread_interrupt(&worker->thread);
        look_later();
    }
    EXPECT(sleeper_await() == worker);
    EXPECT_EQUAL(atomic_load_explicit(&worker->counts.parks, memory_order_relaxed), parks);
    EXPECT_EQUAL(atomic_load_explicit(&wakes, memory_order_acquire), 0);
    EXPECT(write(ends[1], "x", 1) == 1);
    wakes_await(1);
    close(ends[0]);
    close(ends[1]);
    cedei_source_give(source);
}

/* Links and streams have sources side by side; memory does not go from one to the other. */
static void kinds_keep_to_their_own_memory(void **state) {
    static const struct cedei_source_kind other = {3 * CEDEI_CACHE_LINE + 1, on_wake};
    (void)state;
    EXPECT_OK(cedei_reactor_open(&sched));
    struct cedei_source *a = cedei_source_take(&sched.reactor, &kind);
    struct cedei_source *b = cedei_source_take(&sched.reactor, &other);
    EXPECT(a != NULL && b != NULL && a->kind == &kind && b->kind == &other);
    for (size_t i = sizeof *b; i < other.size; i++) EXPECT(((uint8_t *)b)[i] == 0);
    memset((uint8_t *)b + sizeof *b, 0xff, other.size - sizeof *b); /* its own, up to the end */
    cedei_source_give(a);
    cedei_source_give(b);
    EXPECT(cedei_source_take(&sched.reactor, &other) == b);
    EXPECT(cedei_source_take(&sched.reactor, &kind) == a);
}

static void regular_file_has_no_readiness(void **state) {
    char path[] = "/tmp/cede-reactor-XXXXXX";
    (void)state;
    int file = mkstemp(path);
    EXPECT(file >= 0 && unlink(path) == 0);
    EXPECT_OK(cedei_reactor_open(&sched));
    struct cedei_source *source = cedei_source_take(&sched.reactor, &kind);
    EXPECT_RESULT(cedei_source_watch(source, file, true), CEDE_ENOTSUP);
    cedei_source_give(source);
    close(file);
}

static void sources_come_back_zeroed_and_run_out_with_memory_only(void **state) {
    enum { MANY = 100 };
    struct cedei_source *taken[MANY];
    (void)state;
    EXPECT_OK(cedei_reactor_open(&sched));
    cedei_alloc_fail_at("core/sched/reactor.c", "chunk_add", 0,
                        true); /* not what a worker asks for as it begins */
    EXPECT(cedei_source_take(&sched.reactor, &kind) == NULL);
    (void)cedei_alloc_fail_never();
    for (int i = 0; i < MANY; i++) {
        taken[i] = cedei_source_take(&sched.reactor, &kind);
        EXPECT(taken[i] != NULL && taken[i]->descriptor == -1);
        EXPECT((uintptr_t)taken[i] % CEDEI_CACHE_LINE == 0);
    }
    for (int i = 0; i < MANY; i++) cedei_source_give(taken[i]);
    EXPECT(cedei_source_take(&sched.reactor, &kind) == taken[MANY - 1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(waiter_is_woken_once_by_the_event_it_waits_for, begin, end),
        cmocka_unit_test_setup_teardown(waiter_that_gave_up_is_not_woken, begin, end),
        cmocka_unit_test_setup_teardown(interrupt_of_a_sleeper_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(kinds_keep_to_their_own_memory, begin, end),
        cmocka_unit_test_setup_teardown(regular_file_has_no_readiness, begin, end),
        cmocka_unit_test_setup_teardown(sources_come_back_zeroed_and_run_out_with_memory_only,
                                        begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
