/* expect.h - claims made inside turns and other threads, where cmocka's assertions (which jump to the test's own stack)
 * must not be used: a claim that does not hold is printed and ends the test program. */
#ifndef CEDE_TESTS_EXPECT_H
#define CEDE_TESTS_EXPECT_H

#include <stdio.h>
#include <stdlib.h>

#include <cede/result.h>

__attribute__((noreturn)) static inline void expect_failed(const char *here, const char *claim) {
    fprintf(stderr, "%s: does not hold: %s\n", here, claim);
    abort();
}

static inline void expect_result_at(const char *here, const char *call, cede_result got,
                                    cede_result wanted) {
    if (got == wanted) return;
    fprintf(stderr, "%s: %s gave %s, not %s\n", here, call, cede_result_name(got),
            cede_result_name(wanted));
    abort();
}

static inline void expect_equal_at(const char *here, const char *what, unsigned long long got,
                                   unsigned long long wanted) {
    if (got == wanted) return;
    fprintf(stderr, "%s: %s is %llu, not %llu\n", here, what, got, wanted);
    abort();
}

#define EXPECT(claim)                                                                              \
    do {                                                                                           \
        if (!(claim)) expect_failed(CEDEI_HERE, #claim);                                           \
    } while (0)
#define EXPECT_RESULT(call, wanted) expect_result_at(CEDEI_HERE, #call, (call), (wanted))
#define EXPECT_OK(call) expect_result_at(CEDEI_HERE, #call, (call), CEDE_OK)
#define EXPECT_EQUAL(got, wanted)                                                                  \
    expect_equal_at(CEDEI_HERE, #got, (unsigned long long)(got), (unsigned long long)(wanted))

#endif
