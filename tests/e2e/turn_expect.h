/* turn_expect.h - assertions for the body of a turn, where jumping out of the stack is not allowed: they say what is not so
 * and return CEDE_EFAILED. */
#ifndef CEDE_TESTS_TURN_EXPECT_H
#define CEDE_TESTS_TURN_EXPECT_H

#include <stdio.h>

#include <cede/result.h>

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            (void)fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
            return CEDE_EFAILED;                                                                   \
        }                                                                                          \
    } while (0)
#define EXPECT_RESULT(expected, call)                                                              \
    do {                                                                                           \
        cede_result expect_got_ = (call);                                                          \
        if (expect_got_ != (expected)) {                                                           \
            (void)fprintf(stderr, "%s:%d: %s gave %s\n", __FILE__, __LINE__, #call,                \
                          cede_result_name(expect_got_));                                          \
            return CEDE_EFAILED;                                                                   \
        }                                                                                          \
    } while (0)
#define EXPECT_OK(call) EXPECT_RESULT(CEDE_OK, call)

#endif
