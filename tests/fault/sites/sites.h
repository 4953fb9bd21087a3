/* sites.h - one call for memory fails, by its place in the source, and no other: what comes of it does not depend on which thread
 * asks when. Each program beside this file goes through the calls of one part of Cede; sites.py sees that none is left out. */
#ifndef CEDE_TESTS_FAULT_SITES_H
#define CEDE_TESTS_FAULT_SITES_H

#include "core/sys/alloc.h"
#include "tests/support/actors.h"

/* The next call for memory in `function` of `file` fails. */
static inline void site_arm(const char *file, const char *function) {
    cedei_alloc_fail_at(file, function, 0, true);
}

/* It has failed, and there is memory again. */
static inline void site_disarm_at(const char *here) {
    if (cedei_alloc_fail_never() != 0) return;
    expect_failed(here, "the call for memory was made");
}
#define site_disarm() site_disarm_at(CEDEI_HERE)

/* `call` meets that failure and gives `wanted`. */
#define EXPECT_SHORT(file, function, call, wanted)                                                 \
    do {                                                                                           \
        site_arm(file, function);                                                                  \
        cede_result site_result = (call);                                                          \
        site_disarm();                                                                             \
        expect_result_at(CEDEI_HERE, #call, site_result, (wanted));                                \
    } while (0)
/* The same of a call that gives a pointer: NULL. */
#define EXPECT_SHORT_NULL(file, function, call)                                                    \
    do {                                                                                           \
        site_arm(file, function);                                                                  \
        const void *site_block = (call);                                                           \
        site_disarm();                                                                             \
        EXPECT(site_block == NULL);                                                                \
    } while (0)

/* What this build does without: `text` stands on the line of the call. */
static inline void site_absent(const char *file, const char *text) {
    const char *path = getenv("CEDE_ALLOC_SITES");
    FILE *sites = path != NULL ? fopen(path, "a") : NULL;
    if (sites == NULL) return;
    fprintf(sites, "absent %s:%s\n", file, text);
    fclose(sites);
}

static inline int site_setup(void **state) {
    *state = fixture_begin((struct cede_options){.workers = 1});
    return 0;
}
/* A TURN_TEST, on one worker. */
#define SITE_TEST(name) cmocka_unit_test_setup_teardown(name, site_setup, fixture_teardown)

#endif
