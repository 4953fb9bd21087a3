/* The timing wheel with a clock of the test's own: never early, never lost, over every level of the wheel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/base.h"
#include "core/sched/timer.h"

enum { TIMERS = 500 };
#define TICK_NS ((uint64_t)1 << CEDEI_WHEEL_TICK_SHIFT)

struct test_timer {
    struct cedei_timer timer;
    uint64_t wanted_ns, fired_ns;
    uint32_t fired;
};

static struct cedei_wheel wheel;
static struct test_timer timers[TIMERS];
static uint64_t now_ns;

static void timer_fire(struct cedei_timer *timer, void *context) {
    assert_ptr_equal(context, &wheel);
    struct test_timer *fired = CEDEI_CONTAINER_OF(timer, struct test_timer, timer);
    fired->fired++;
    fired->fired_ns = now_ns;
}

/* ---- posts: what fires is looked up in `posts` ---- */

enum { POSTS = 4096 };
enum post_state { POST_SET = 1, POST_FIRED, POST_TAKEN };
struct test_post {
    struct cedei_post_name name;
    uint64_t wanted_ns, fired_ns;
    enum post_state state;
};
static struct test_post posts[POSTS];
static uint32_t posts_fired;

static void posts_fire(void *post_context, const struct cedei_cargo *cargo, uint32_t count,
                       void *context) {
    assert_ptr_equal(post_context, &posts_fired);
    assert_ptr_equal(context, &wheel);
    assert_in_range(count, 1, CEDEI_WHEEL_STEP);
    for (uint32_t i = 0; i < count; i++) {
        struct test_post *post = cargo[i].what;
        assert_int_equal(post->state, POST_SET);
        assert_int_equal(cargo[i].where[0], post - posts);
        assert_int_equal(cargo[i].where[1], post->wanted_ns);
        post->state = POST_FIRED;
        post->fired_ns = now_ns;
    }
    posts_fired += count;
}

static int wheel_setup(void **state) {
    (void)state;
    now_ns = 12345678901;
    memset(timers, 0, sizeof timers);
    for (int i = 0; i < TIMERS; i++) timers[i].timer.fire = timer_fire;
    memset(&wheel, 0, sizeof wheel);
    posts_fired = 0;
    cedei_wheel_init(&wheel, 3, now_ns, posts_fire, &posts_fired);
    return 0;
}

static int wheel_teardown(void **state) {
    (void)state;
    cedei_wheel_fini(&wheel);
    return 0;
}

static void timer_set(struct test_timer *timer, uint64_t after_ns) {
    timer->wanted_ns = now_ns + after_ns;
    cedei_timer_add(&wheel, &timer->timer, timer->wanted_ns);
}

/* Runs until nothing more is to be done at that time. */
static uint32_t run_at(uint64_t ns) {
    uint32_t fired = 0;
    now_ns = ns;
    while (cedei_wheel_next_ns(&wheel) <= now_ns) fired += cedei_wheel_run(&wheel, now_ns, &wheel);
    return fired;
}

/* As a sleeping worker does: goes to the time that the wheel names, and runs it. */
static void run_until_empty(void) {
    for (int rounds = 0; cedei_wheel_next_ns(&wheel) != UINT64_MAX; rounds++) {
        assert_true(rounds < 100000);
        uint64_t next_ns = cedei_wheel_next_ns(&wheel);
        run_at(next_ns > now_ns ? next_ns : now_ns);
    }
}

static uint64_t seed;
static uint64_t random_next(void) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void timer_fires_once_never_early_and_within_a_tick_on_every_level(void **state) {
    (void)state;
    for (int i = 0; i < 40; i++) timer_set(&timers[i], (uint64_t)1 << (i + 13)); /* up to 52 days */
    run_until_empty();
    for (int i = 0; i < 40; i++) {
        assert_int_equal(timers[i].fired, 1);
        assert_true(timers[i].fired_ns >= timers[i].wanted_ns);
        assert_true(timers[i].fired_ns - timers[i].wanted_ns <= TICK_NS);
    }
}

static void timers_at_random_times_all_fire_never_early(void **state) {
    (void)state;
    for (uint64_t round = 1; round <= 20; round++) {
        wheel_teardown(NULL);
        wheel_setup(NULL);
        seed = round * 0x9e3779b97f4a7c15u;
        for (int i = 0; i < TIMERS; i++)
            timer_set(&timers[i], random_next() >> (24 + random_next() % 30));
        run_until_empty();
        for (int i = 0; i < TIMERS; i++) {
            if (timers[i].fired != 1 || timers[i].fired_ns < timers[i].wanted_ns ||
                timers[i].fired_ns - timers[i].wanted_ns > TICK_NS)
                fail_msg("seed %llu, timer %d", (unsigned long long)round, i);
        }
    }
}

/* A run ends although more is due, and `next_ns` still says so. */
static void timers_due_together_fire_in_bounded_runs(void **state) {
    (void)state;
    for (int i = 0; i < TIMERS; i++) timer_set(&timers[i], 5 * TICK_NS);
    assert_int_equal(run_at(now_ns + 4 * TICK_NS), 0);
    now_ns += 2 * TICK_NS;
    uint32_t fired = 0, runs = 0;
    for (; cedei_wheel_next_ns(&wheel) <= now_ns; runs++) {
        uint32_t count = cedei_wheel_run(&wheel, now_ns, &wheel);
        assert_in_range(count, 1, CEDEI_WHEEL_RUN_MAX);
        fired += count;
    }
    assert_int_equal(fired, TIMERS);
    assert_in_range(runs, 2, 4);
}

static void timer_cancelled_does_not_fire(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) timer_set(&timers[i], 3 * TICK_NS);
    for (int i = 0; i < 10; i += 2) cedei_timer_cancel(&wheel, &timers[i].timer);
    for (int i = 0; i < 10; i++) assert_int_equal(cedei_timer_is_linked(&timers[i].timer), i % 2);
    run_until_empty();
    for (int i = 0; i < 10; i++) assert_int_equal(timers[i].fired, (uint32_t)i % 2);
    cedei_timer_cancel(&wheel, &timers[0].timer); /* once more does nothing */
}

static void timer_set_twice_fires_once_at_the_earlier_time(void **state) {
    (void)state;
    uint64_t begin_ns = now_ns;
    timer_set(&timers[0], 1000 * TICK_NS);
    timer_set(&timers[0], 10 * TICK_NS);
    timer_set(&timers[1], 10 * TICK_NS);
    timer_set(&timers[1], 1000 * TICK_NS);
    run_until_empty();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(timers[i].fired, 1);
        assert_true(timers[i].fired_ns >= begin_ns + 10 * TICK_NS);
        assert_true(timers[i].fired_ns <= begin_ns + 11 * TICK_NS);
    }
}

static void timer_of_the_past_fires_at_once(void **state) {
    (void)state;
    timer_set(&timers[1], 100 * TICK_NS);
    run_at(now_ns + 101 * TICK_NS);
    cedei_timer_add(&wheel, &timers[0].timer, now_ns - 50 * TICK_NS);
    assert_int_equal(run_at(now_ns + TICK_NS), 1);
}

static void timer_that_is_earlier_than_all_says_so(void **state) {
    (void)state;
    assert_true(cedei_timer_add(&wheel, &timers[0].timer, now_ns + 100 * TICK_NS));
    assert_false(cedei_timer_add(&wheel, &timers[1].timer, now_ns + 200 * TICK_NS));
    assert_true(cedei_timer_add(&wheel, &timers[2].timer, now_ns + 50 * TICK_NS));
    assert_true(cedei_wheel_next_ns(&wheel) <= now_ns + 51 * TICK_NS);
    run_until_empty();
    assert_true(cedei_wheel_next_ns(&wheel) == UINT64_MAX);
}

static void timer_for_ever_never_fires_in_a_lifetime(void **state) {
    (void)state;
    cedei_timer_add(&wheel, &timers[0].timer, UINT64_MAX);
    assert_int_equal(run_at(now_ns + ((uint64_t)1 << 58)), 0); /* nine years */
    cedei_timer_cancel(&wheel, &timers[0].timer);
}

/* A run after a long time without one: the wheel may not skip what lay between. */
static void timers_fire_after_a_long_pause(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) timer_set(&timers[i], (uint64_t)i * 37 * TICK_NS);
    assert_int_equal(run_at(now_ns + 1000000 * TICK_NS), 100);
}

/* What is beyond the reach of the wheel waits at its end, and is not early there. */
static void timer_beyond_the_last_level_fires_at_its_time(void **state) {
    (void)state;
    uint64_t after_ns = (uint64_t)3 << 60;
    timer_set(&timers[0], after_ns);
    run_until_empty();
    assert_int_equal(timers[0].fired, 1);
    assert_true(now_ns >= timers[0].wanted_ns && now_ns - timers[0].wanted_ns <= TICK_NS);
}

/* ---- posts ---- */

static void post_set(struct test_post *post, uint64_t after_ns) {
    bool earlier = false;
    uint64_t before_ns = cedei_wheel_next_ns(&wheel);
    post->wanted_ns = now_ns + after_ns;
    struct cedei_cargo cargo = {.what = post, .where = {(uint64_t)(post - posts), post->wanted_ns}};
    assert_int_equal(cedei_post_add(&wheel, &cargo, post->wanted_ns, &post->name, &earlier),
                     CEDE_OK);
    assert_int_equal(post->name.place >> CEDEI_POST_INDEX_BITS, 3);
    assert_int_equal(earlier, cedei_wheel_next_ns(&wheel) < before_ns);
    post->state = POST_SET;
}

static cede_result post_take(struct test_post *post) {
    struct cedei_cargo cargo = {0};
    cede_result r = cedei_post_take(&wheel, post->name, NULL, NULL, &cargo);
    assert_true((cargo.what == post) == (r == CEDE_OK));
    if (r == CEDE_OK) post->state = POST_TAKEN;
    return r;
}

static void post_taken_twice_or_after_it_fired_is_not_found(void **state) {
    (void)state;
    post_set(&posts[0], TICK_NS);
    post_set(&posts[1], TICK_NS);
    assert_int_equal(post_take(&posts[0]), CEDE_OK);
    assert_int_equal(post_take(&posts[0]), CEDE_ENOENT);
    run_until_empty();
    assert_int_equal(posts[0].state, POST_TAKEN);
    assert_int_equal(posts[1].state, POST_FIRED);
    assert_int_equal(post_take(&posts[1]), CEDE_ENOENT);
    struct test_post stale = posts[1];
    post_set(&posts[1], TICK_NS); /* at the same place, another post */
    assert_int_equal(posts[1].name.place, stale.name.place);
    struct cedei_cargo cargo;
    assert_int_equal(cedei_post_take(&wheel, stale.name, NULL, NULL, &cargo), CEDE_ENOENT);
    assert_int_equal(post_take(&posts[1]), CEDE_OK);
    struct cedei_post_name wild = {.place = UINT32_MAX, .generation = 1};
    assert_int_equal(cedei_post_take(&wheel, wild, NULL, NULL, &cargo), CEDE_ENOENT);
}

static cede_result refuse(const struct cedei_cargo *cargo, const void *context) {
    assert_ptr_equal(cargo->what, context);
    return CEDE_ETYPE;
}

static void post_that_is_not_accepted_stays_set(void **state) {
    (void)state;
    struct cedei_cargo cargo;
    post_set(&posts[0], TICK_NS);
    assert_int_equal(cedei_post_take(&wheel, posts[0].name, refuse, &posts[0], &cargo), CEDE_ETYPE);
    run_until_empty();
    assert_int_equal(posts[0].state, POST_FIRED);
}

static void posts_left_at_the_end_are_found_once_each(void **state) {
    (void)state;
    for (int i = 0; i < 100; i++) post_set(&posts[i], (uint64_t)i << 30);
    for (int i = 0; i < 100; i += 3) assert_int_equal(post_take(&posts[i]), CEDE_OK);
    struct cedei_cargo cargo;
    uint32_t at = 0, found = 0;
    for (; cedei_post_take_any(&wheel, &at, &cargo); found++) {
        struct test_post *post = cargo.what;
        assert_int_equal(post->state, POST_SET);
        post->state = POST_TAKEN;
    }
    assert_int_equal(found, 66);
    run_at(now_ns + ((uint64_t)100 << 30));
    assert_int_equal(posts_fired, 0);
}

/* The wheel against the plainest of schedules: an array with the wanted times, looked through from end to end. Sets, takes, short
 * and long steps of the clock, all at random; after each step exactly the posts have fired whose tick has come. */
static void posts_fire_when_a_plain_list_says_so(void **state) {
    (void)state;
    for (uint64_t round = 1; round <= 40; round++) {
        wheel_teardown(NULL);
        wheel_setup(NULL);
        memset(posts, 0, sizeof posts);
        seed = round * 0x9e3779b97f4a7c15u;
        uint32_t used = 0;
        for (int step = 0; step < 400; step++) {
            for (uint64_t sets = random_next() % 16; sets > 0 && used < POSTS; sets--)
                post_set(&posts[used++], random_next() >> (20 + random_next() % 34));
            for (uint64_t takes = random_next() % 4; takes > 0 && used > 0; takes--) {
                struct test_post *post = &posts[random_next() % used];
                bool is_set = post->state == POST_SET;
                assert_int_equal(post_take(post), is_set ? CEDE_OK : CEDE_ENOENT);
            }
            run_at(now_ns + (random_next() >> (26 + random_next() % 30)));
            for (uint32_t i = 0; i < used; i++) {
                bool due = posts[i].wanted_ns <= (now_ns & ~(TICK_NS - 1));
                if ((posts[i].state == POST_SET && due) || (posts[i].state == POST_FIRED && !due) ||
                    (posts[i].state == POST_FIRED && posts[i].fired_ns < posts[i].wanted_ns))
                    fail_msg("round %llu, step %d, post %u", (unsigned long long)round, step, i);
            }
        }
        run_until_empty();
        for (uint32_t i = 0; i < used; i++) assert_int_not_equal(posts[i].state, POST_SET);
    }
}

/* What fired, by the ticks that were wanted (in the cargo): in order, and how late at most. */
static uint64_t order_tick, order_late_ns;

static void posts_in_order(void *post_context, const struct cedei_cargo *cargo, uint32_t count,
                           void *context) {
    (void)post_context, (void)context;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t wanted_ns = cargo[i].where[0], tick = (wanted_ns + TICK_NS - 1) / TICK_NS;
        assert_true(wanted_ns <= now_ns && tick >= order_tick);
        order_tick = tick;
        if (now_ns - wanted_ns > order_late_ns) order_late_ns = now_ns - wanted_ns;
    }
    posts_fired += count;
}

static void posts_add_at_random(uint32_t count, uint64_t after_ns, uint64_t span_ns) {
    struct cedei_post_name name;
    bool earlier;
    wheel.post_fire = posts_in_order;
    order_tick = order_late_ns = 0;
    seed = 1;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t wanted_ns = now_ns + after_ns + random_next() % span_ns;
        struct cedei_cargo cargo = {.what = &posts_fired, .where = {wanted_ns}};
        assert_int_equal(cedei_post_add(&wheel, &cargo, wanted_ns, &name, &earlier), CEDE_OK);
    }
}

/* All are overdue at once, some still at the far levels: none overtakes another. */
static void posts_fire_in_order_after_a_pause(void **state) {
    (void)state;
    posts_add_at_random(20000, 0, (uint64_t)100 << 30);
    run_at(now_ns + ((uint64_t)200 << 30));
    assert_int_equal(posts_fired, 20000);
}

/* A million live posts at the far levels, a thousand due each millisecond, and a worker that is busy for 0.1 ms between its
 * runs: no run does more than it may, and none is late for having been moved down. */
static void posts_by_the_million_fire_in_bounded_runs_in_time(void **state) {
    (void)state;
    enum { COUNT = 1000000 };
    posts_add_at_random(COUNT, (uint64_t)4 << 30, 1u << 30);
    for (uint32_t runs = 0; cedei_wheel_next_ns(&wheel) != UINT64_MAX; runs++) {
        assert_true(runs < COUNT);
        assert_in_range(cedei_wheel_run(&wheel, now_ns, &wheel), 0, CEDEI_WHEEL_RUN_MAX);
        uint64_t next_ns = cedei_wheel_next_ns(&wheel);
        now_ns += 100000;
        if (next_ns > now_ns && next_ns != UINT64_MAX) now_ns = next_ns;
    }
    assert_int_equal(posts_fired, COUNT);
    assert_true(order_late_ns <= 1000000);
}

int main(void) {
#define WITH_WHEEL(name) cmocka_unit_test_setup_teardown(name, wheel_setup, wheel_teardown)
    const struct CMUnitTest tests[] = {
        WITH_WHEEL(timer_fires_once_never_early_and_within_a_tick_on_every_level),
        WITH_WHEEL(timers_at_random_times_all_fire_never_early),
        WITH_WHEEL(timers_due_together_fire_in_bounded_runs),
        WITH_WHEEL(timer_cancelled_does_not_fire),
        WITH_WHEEL(timer_set_twice_fires_once_at_the_earlier_time),
        WITH_WHEEL(timer_of_the_past_fires_at_once),
        WITH_WHEEL(timer_that_is_earlier_than_all_says_so),
        WITH_WHEEL(timer_for_ever_never_fires_in_a_lifetime),
        WITH_WHEEL(timers_fire_after_a_long_pause),
        WITH_WHEEL(timer_beyond_the_last_level_fires_at_its_time),
        WITH_WHEEL(post_taken_twice_or_after_it_fired_is_not_found),
        WITH_WHEEL(post_that_is_not_accepted_stays_set),
        WITH_WHEEL(posts_left_at_the_end_are_found_once_each),
        WITH_WHEEL(posts_fire_when_a_plain_list_says_so),
        WITH_WHEEL(posts_fire_in_order_after_a_pause),
        WITH_WHEEL(posts_by_the_million_fire_in_bounded_runs_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
