/* Threads: what the starting call promises about processors, nice level and failure. */
#define _GNU_SOURCE
#include "core/sys/thread.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/base.h"
#include "tests/support/expect.h"

struct seen {
    cpu_set_t cpus;
    int nice;
    char name[16];
};

/* The test may have been started at any level, the last one included. */
static int nicer_than(int nice) { return nice < 19 ? nice + 1 : 19; }

static void *look(void *context) {
    struct seen *seen = context;
    EXPECT(sched_getaffinity(0, sizeof seen->cpus, &seen->cpus) == 0);
    EXPECT_OK(cedei_thread_nice_set(nicer_than(cedei_thread_nice())));
    seen->nice = cedei_thread_nice();
    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    return NULL;
}

static void thread_keeps_to_its_processors_and_has_a_nice_level_of_its_own(void **state) {
    (void)state;
    struct seen seen = {0};
    cedei_thread thread;
    uint32_t cpus[1024];
    uint32_t count = cedei_cpu_list(cpus, 1024);
    EXPECT_EQUAL(count, cedei_cpu_count());
    int nice = cedei_thread_nice();
    EXPECT_OK(cedei_thread_start_on(&thread, "seen", &cpus[count - 1], 1, look, &seen));
    cedei_thread_join(&thread);
    EXPECT(CPU_COUNT(&seen.cpus) == 1 && CPU_ISSET(cpus[count - 1], &seen.cpus));
    EXPECT_EQUAL(seen.nice, nicer_than(nice));
    EXPECT_EQUAL(cedei_thread_nice(), nice);
    EXPECT_EQUAL(cedei_cpu_count(), count);
}

static void thread_on_processors_that_are_not_there_is_refused(void **state) {
    (void)state;
    cedei_thread thread;
    struct seen seen;
    uint32_t far[] = {CPU_SETSIZE - 1, CPU_SETSIZE};
    EXPECT_RESULT(cedei_thread_start_on(&thread, "far", &far[0], 1, look, &seen), CEDE_EINVAL);
    EXPECT_RESULT(cedei_thread_start_on(&thread, "far", &far[1], 1, look, &seen), CEDE_EINVAL);
}

/* The kernel's words of a thread: its policy, nice level and slice. Elsewhere than on Linux 6.12 and later, the slice is 0. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

static struct attributes attributes_of_thread(void) {
    struct attributes attributes = {.size = sizeof attributes};
    (void)syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0); /* else all is 0 */
    return attributes;
}

static void *be_prompt(void *context) {
    struct attributes *seen = context;
    seen[0] = attributes_of_thread();
    cedei_thread_be_prompt();
    seen[1] = attributes_of_thread();
    return NULL;
}

static void prompt_thread_has_shorter_slices_and_is_else_what_it_was(void **state) {
    (void)state;
    struct attributes seen[2] = {0};
    cedei_thread thread;
    EXPECT_OK(cedei_thread_start(&thread, "prompt", be_prompt, seen));
    cedei_thread_join(&thread);
    EXPECT_EQUAL(seen[1].policy, seen[0].policy);
    EXPECT_EQUAL(seen[1].nice, seen[0].nice);
    if (seen[0].runtime_ns != 0 && seen[0].policy == SCHED_OTHER)
        EXPECT_EQUAL(seen[1].runtime_ns, 100000);
    else
        EXPECT_EQUAL(seen[1].runtime_ns, seen[0].runtime_ns);
}

static void *nothing(void *context) { return context; }

static void thread_starts_fail_as_a_test_wants_them_to(void **state) {
    (void)state;
    static const cede_result WANTED[] = {CEDE_OK, CEDE_OK, CEDE_ELIMIT, CEDE_OK, CEDE_OK};
    cedei_thread thread;
    cedei_thread_fail_starts(2, 1);
    for (size_t i = 0; i < sizeof WANTED / sizeof WANTED[0]; i++) {
        cede_result r = cedei_thread_start(&thread, "maybe", nothing, NULL);
        EXPECT_RESULT(r, WANTED[i]);
        if (r == CEDE_OK) cedei_thread_join(&thread);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thread_keeps_to_its_processors_and_has_a_nice_level_of_its_own),
        cmocka_unit_test(prompt_thread_has_shorter_slices_and_is_else_what_it_was),
        cmocka_unit_test(thread_on_processors_that_are_not_there_is_refused),
        cmocka_unit_test(thread_starts_fail_as_a_test_wants_them_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
