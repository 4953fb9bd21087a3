/* lines.h - what the tests of things that one waits for in a line have in common: waiters that note in which order
 * they were served, and a storm that stops, kills and times out whoever waits or holds. */
#ifndef CEDE_TESTS_LINES_H
#define CEDE_TESTS_LINES_H

#include "tests/support/actors.h"

enum { SERVED_MAX = 64 };

/* In the order in which they were served; whoever has seen the count may read as many. */
static _Atomic uint32_t served_next, served_count;
static uint64_t served[SERVED_MAX];

static inline void served_reset(void) {
    flag_set(&served_next, 0);
    flag_set(&served_count, 0);
}

static inline void served_add(uint64_t who) {
    /* relaxed: a place of one's own. */
    served[atomic_fetch_add_explicit(&served_next, 1, memory_order_relaxed)] = who;
    /* acq_rel: publishes the place, and those before it, to whoever sees the count. */
    atomic_fetch_add_explicit(&served_count, 1, memory_order_acq_rel);
}

/* Ends `actor`, which the caller watches, by a kill, and waits until it has ended. */
static inline CEDE_YIELDS void kill_and_await(cede_self *self, cede_ref actor) {
    EXPECT_OK(cede_kill(self, actor));
    EXPECT_RESULT(down_await(self, actor), CEDE_EKILLED);
}

/* ---- misuse ---- */

static inline void misuse_in_system(void *context) {
    cede_system *system = NULL;
    EXPECT_OK(cede_system_create(&system, &(struct cede_options){.workers = 1}));
    EXPECT_OK(cede_block_on(system, *(cede_block_fn **)context, NULL));
    cede_system_destroy(system);
}

/* Checking builds end with `text`, others get through `run`. ThreadSanitizer dislikes forks of processes with threads. */
#define EXPECT_MISUSE(run, text)                                                                   \
    do {                                                                                           \
        cede_block_fn *misuse_run = run;                                                           \
        if (CEDEI_TSAN) skip();                                                                    \
        if (CEDEI_CHECKS)                                                                          \
            EXPECT_CHILD_ABORTS(misuse_in_system, &misuse_run, text);                              \
        else                                                                                       \
            misuse_in_system(&misuse_run);                                                         \
    } while (0)

/* ---- a storm ---- */

/* One round of one actor: it may end in a wait or while it holds something. */
struct storm {
    CEDE_YIELDS void (*round)(cede_self *self, uint64_t *random);
    uint32_t actors, rounds, kills;
};

static struct storm storm;

static inline uint64_t storm_random(uint64_t *state) {
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

static inline CEDE_YIELDS cede_result storm_play(cede_self *self, void *context) {
    uint64_t random = (uint64_t)(uintptr_t)context * 0x9E3779B97F4A7C15u + 1;
    for (uint32_t i = 0; i < storm.rounds; i++) storm.round(self, &random);
    return CEDE_STOP;
}

/* Runs it: `kills` actors are killed or stopped at any moment, each replaced by another; all have ended when it returns. */
static inline CEDE_YIELDS void storm_run(cede_self *self, struct storm what) {
    enum { ACTORS_MAX = 64 };
    cede_ref actors[ACTORS_MAX];
    uint64_t random = 88172645463325252u, number = 1;
    storm = what;
    for (uint32_t i = 0; i < what.actors; i++) {
        actors[i] = play(self, storm_play, (void *)(uintptr_t)number++);
        EXPECT_OK(cede_monitor(self, actors[i]));
    }
    for (uint32_t i = 0; i < what.kills; i++) {
        uint32_t victim = (uint32_t)(storm_random(&random) % what.actors);
        for (uint64_t k = storm_random(&random) % 4; k > 0; k--) cede_yield(self);
        if (storm_random(&random) % 4 == 0)
            (void)cede_stop(self, actors[victim]);
        else
            (void)cede_kill(self, actors[victim]);
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER)); /* of whoever ends first */
        for (uint32_t k = 0; k < what.actors; k++) {
            if (!cede_ref_equal(actors[k], down->actor)) continue;
            actors[k] = play(self, storm_play, (void *)(uintptr_t)number++);
            EXPECT_OK(cede_monitor(self, actors[k]));
        }
        cede_drop(self, &down);
    }
    for (uint32_t i = 0; i < what.actors; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
}

#endif
