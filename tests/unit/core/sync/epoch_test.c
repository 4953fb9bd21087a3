/* Epochs: nothing is over while a section of its time is; records are used again. */
#include "core/sync/epoch.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/base.h"
#include "tests/support/expect.h"

static void epoch_is_over_at_once_without_readers(void **state) {
    (void)state;
    EXPECT(cedei_epoch_is_over(cedei_epoch_stamp()));
    cedei_epoch_enter();
    cedei_epoch_enter(); /* they nest */
    cedei_epoch_leave();
    cedei_epoch_leave();
    EXPECT(cedei_epoch_is_over(cedei_epoch_stamp()));
}

static _Atomic uint32_t reader_step;

static void step_await(uint32_t step) {
    /* acquire: what was done before the step is seen. */
    while (atomic_load_explicit(&reader_step, memory_order_acquire) != step) sched_yield();
}

static void step_set(uint32_t step) {
    /* release: pairs with step_await. */
    atomic_store_explicit(&reader_step, step, memory_order_release);
}

static void *read_for_a_while(void *context) {
    cedei_epoch_enter();
    cedei_epoch_enter();
    step_set(1);
    step_await(2);
    cedei_epoch_leave(); /* still in the outer one */
    step_set(3);
    step_await(4);
    cedei_epoch_leave();
    step_set(5);
    return context;
}

static void epoch_is_not_over_while_a_section_of_its_time_is_open(void **state) {
    (void)state;
    pthread_t reader;
    step_set(0);
    EXPECT(pthread_create(&reader, NULL, read_for_a_while, NULL) == 0);
    step_await(1);
    uint32_t stamp = cedei_epoch_stamp();
    for (int i = 0; i < 100; i++) EXPECT(!cedei_epoch_is_over(stamp));
    step_set(2);
    step_await(3);
    for (int i = 0; i < 100; i++) EXPECT(!cedei_epoch_is_over(stamp));
    step_set(4);
    step_await(5);
    EXPECT(cedei_epoch_is_over(stamp));
    pthread_join(reader, NULL);
}

/* ---- torture: versions that are freed while they are read ---- */

enum { READERS = 3, VERSIONS = 3000 };

struct version {
    uint64_t number, again; /* equal while it lives */
    uint32_t stamp;
    struct version *next;
};

static _Atomic(struct version *) newest;
static _Atomic uint32_t is_over;

static struct version *version_make(uint64_t number) {
    struct version *version = malloc(sizeof *version);
    EXPECT(version != NULL);
    *version = (struct version){.number = number, .again = number};
    return version;
}

static void *read_versions(void *context) {
    uint64_t before = 0, rounds = 0;
    /* acquire (both): pair with the writer's release. */
    while (atomic_load_explicit(&is_over, memory_order_acquire) == 0) {
        cedei_epoch_enter();
        struct version *version = atomic_load_explicit(&newest, memory_order_acquire);
        EXPECT(version->number == version->again && version->number >= before);
        before = version->number;
        EXPECT_EQUAL(version->again, before);
        cedei_epoch_leave();
        if (++rounds % 256 == 0) sched_yield(); /* there may be one processor for all */
    }
    return context;
}

static void epoch_keeps_what_readers_see(void **state) {
    (void)state;
    pthread_t readers[READERS];
    struct version *retired = NULL;
    uint32_t freed = 0;
    /* release (all): pair with the readers' acquire. */
    atomic_store_explicit(&newest, version_make(1), memory_order_release);
    for (int i = 0; i < READERS; i++)
        EXPECT(pthread_create(&readers[i], NULL, read_versions, NULL) == 0);
    /* They are reclaimed on the way, not at the end: half of them at least. A reader that gets no processor holds that up. */
    for (uint64_t i = 2; i <= VERSIONS || freed <= VERSIONS / 2; i++) {
        struct version *old =
            atomic_exchange_explicit(&newest, version_make(i), memory_order_acq_rel);
        old->stamp = cedei_epoch_stamp();
        old->next = retired;
        retired = old;
        for (struct version **at = &retired; *at != NULL;) {
            struct version *version = *at;
            if (!cedei_epoch_is_over(version->stamp)) {
                at = &version->next;
                continue;
            }
            *at = version->next;
            version->number = 0; /* a reader that still sees it would notice */
            free(version);
            freed++;
        }
        if (i % 64 == 0 || i > VERSIONS) sched_yield();
    }
    atomic_store_explicit(&is_over, 1, memory_order_release);
    for (int i = 0; i < READERS; i++) pthread_join(readers[i], NULL);
    while (retired != NULL) {
        struct version *next = retired->next;
        EXPECT(cedei_epoch_is_over(retired->stamp));
        free(retired);
        retired = next;
    }
    free(atomic_load_explicit(&newest, memory_order_acquire));
}

static void *read_once(void *context) {
    cedei_epoch_enter();
    cedei_epoch_leave();
    return context;
}

/* Under LeakSanitizer: what a thread had is used again by the next. */
static void epoch_records_of_threads_that_end_are_used_again(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        EXPECT(pthread_create(&thread, NULL, read_once, NULL) == 0);
        pthread_join(thread, NULL);
        EXPECT(cedei_epoch_is_over(cedei_epoch_stamp()));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epoch_is_over_at_once_without_readers),
        cmocka_unit_test(epoch_is_not_over_while_a_section_of_its_time_is_open),
        cmocka_unit_test(epoch_keeps_what_readers_see),
        cmocka_unit_test(epoch_records_of_threads_that_end_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
