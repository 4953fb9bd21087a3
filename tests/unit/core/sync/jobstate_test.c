/* The word of a job: each thing that happens to a job once is told to exactly one side, whatever comes first. */
#include "core/sync/jobstate.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/base.h"
#include "core/sys/thread.h"
#include "tests/support/expect.h"

static struct cedei_jobstate job;

static int job_setup(void **state) {
    (void)state;
    cedei_jobstate_unsubmit(&job);
    cedei_jobstate_submit(&job);
    return 0;
}

static void jobstate_runs_and_ends(void **state) {
    (void)state;
    EXPECT(!cedei_jobstate_has_ended(&job));
    EXPECT(cedei_jobstate_begin(&job) == CEDEI_JOB_RUN);
    EXPECT(!cedei_jobstate_has_ended(&job));
    EXPECT(!cedei_jobstate_withdraw(&job)); /* too late */
    uint64_t before = cedei_jobstate_end(&job);
    EXPECT((before & CEDEI_JOB_DROPPED) == 0 && cedei_jobstate_wait(before) == 0);
    EXPECT(cedei_jobstate_has_ended(&job) && !cedei_jobstate_await(&job, 1));
    EXPECT(cedei_jobstate_drop(&job) == CEDEI_JOB_BOTH_MINE);
}

static void jobstate_names_the_last_wait_at_the_end(void **state) {
    (void)state;
    EXPECT(cedei_jobstate_await(&job, 7));
    EXPECT(cedei_jobstate_begin(&job) == CEDEI_JOB_RUN);
    EXPECT(cedei_jobstate_unawait(&job));
    EXPECT(cedei_jobstate_await(&job, UINT32_MAX));
    EXPECT_EQUAL(cedei_jobstate_wait(cedei_jobstate_end(&job)), UINT32_MAX);
    EXPECT(!cedei_jobstate_unawait(&job));
}

static void jobstate_withdrawn_in_the_queue_never_runs(void **state) {
    (void)state;
    EXPECT(cedei_jobstate_withdraw(&job) && cedei_jobstate_has_ended(&job));
    EXPECT(cedei_jobstate_begin(&job) == CEDEI_JOB_LEAVE);
    EXPECT(cedei_jobstate_drop(&job) == CEDEI_JOB_BOTH_MINE);
}

static void jobstate_withdrawn_and_dropped_is_freed_by_the_queue(void **state) {
    (void)state;
    EXPECT(cedei_jobstate_withdraw(&job));
    EXPECT(cedei_jobstate_drop(&job) == CEDEI_JOB_MESSAGE_MINE);
    EXPECT(cedei_jobstate_begin(&job) == CEDEI_JOB_FREE);
}

static void jobstate_dropped_in_the_queue_is_freed_by_the_queue(void **state) {
    (void)state;
    EXPECT(cedei_jobstate_drop(&job) == CEDEI_JOB_MESSAGE_MINE);
    EXPECT(cedei_jobstate_begin(&job) == CEDEI_JOB_FREE);
}

static void jobstate_dropped_while_it_runs_is_freed_at_its_end_and_wakes_nobody(void **state) {
    (void)state;
    EXPECT(cedei_jobstate_await(&job, 3));
    EXPECT(cedei_jobstate_begin(&job) == CEDEI_JOB_RUN);
    EXPECT(cedei_jobstate_drop(&job) == CEDEI_JOB_NONE_MINE);
    uint64_t before = cedei_jobstate_end(&job);
    EXPECT((before & CEDEI_JOB_DROPPED) != 0 && cedei_jobstate_wait(before) == 0);
}

/* ---- both sides at once ---- */

/* Both begin a batch together. A meeting for each job, with nothing but yields, takes minutes on a machine that does other things. */
enum { ROUNDS = 200000, BATCH = 100, SPINS = 1000 };
static _Atomic uint32_t batch_of[2], begun[2];
static uint32_t freed[ROUNDS], dropped[ROUNDS], ran[ROUNDS];
static struct cedei_jobstate jobs[ROUNDS];

static void meet(int me, uint32_t job_number) {
    if (job_number % BATCH != 0) return;
    uint32_t batch = job_number / BATCH + 1, other = 0;
    /* release and acquire: no side is a batch ahead. */
    atomic_store_explicit(&batch_of[me], batch, memory_order_release);
    cedei_futex_wake(&batch_of[me], 1);
    while ((other = atomic_load_explicit(&batch_of[1 - me], memory_order_acquire)) < batch)
        cedei_futex_wait(&batch_of[1 - me], other, UINT64_MAX);
    /* relaxed (both): one may have slept: both go on at the same moment, if there is a processor for each. */
    atomic_store_explicit(&begun[me], batch, memory_order_relaxed);
    for (int i = 0; i < SPINS && atomic_load_explicit(&begun[1 - me], memory_order_relaxed) < batch;
         i++)
        cedei_cpu_relax();
}

static void *executor_side(void *context) {
    (void)context;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        meet(1, i);
        enum cedei_job_begin begin = cedei_jobstate_begin(&jobs[i]);
        if (begin == CEDEI_JOB_FREE) freed[i]++;
        if (begin != CEDEI_JOB_RUN) continue;
        ran[i]++;
        if (cedei_jobstate_end(&jobs[i]) & CEDEI_JOB_DROPPED) {
            freed[i]++;
            dropped[i]++;
        }
    }
    return NULL;
}

static void jobstate_is_freed_once_when_a_cancel_and_a_drop_meet_its_run(void **state) {
    (void)state;
    pthread_t thread;
    for (uint32_t i = 0; i < ROUNDS; i++) cedei_jobstate_submit(&jobs[i]);
    EXPECT(pthread_create(&thread, NULL, executor_side, NULL) == 0);
    bool withdrawn = false;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        meet(0, i);
        withdrawn = i % 2 == 0 && cedei_jobstate_withdraw(&jobs[i]);
        enum cedei_job_drop drop = cedei_jobstate_drop(&jobs[i]);
        if (drop == CEDEI_JOB_BOTH_MINE)
            freed[i] += 100; /* who: below 100 the executor, above us */
        if (drop != CEDEI_JOB_NONE_MINE) dropped[i] += 100;
        if (withdrawn) ran[i] += 100;
    }
    pthread_join(thread, NULL);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        EXPECT(freed[i] == 1 || freed[i] == 100);
        EXPECT(dropped[i] == 1 || dropped[i] == 100);
        EXPECT(ran[i] <= 1 || ran[i] == 100); /* never both run and withdrawn */
    }
}

int main(void) {
#define WITH_JOB(name) cmocka_unit_test_setup(name, job_setup)
    const struct CMUnitTest tests[] = {
        WITH_JOB(jobstate_runs_and_ends),
        WITH_JOB(jobstate_names_the_last_wait_at_the_end),
        WITH_JOB(jobstate_withdrawn_in_the_queue_never_runs),
        WITH_JOB(jobstate_withdrawn_and_dropped_is_freed_by_the_queue),
        WITH_JOB(jobstate_dropped_in_the_queue_is_freed_by_the_queue),
        WITH_JOB(jobstate_dropped_while_it_runs_is_freed_at_its_end_and_wakes_nobody),
        cmocka_unit_test(jobstate_is_freed_once_when_a_cancel_and_a_drop_meet_its_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
