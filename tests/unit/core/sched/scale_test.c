/* How many workers share short turns: what is decided of what is seen, and that a worker that goes off duty and comes back leaves
 * no task behind and has none run twice. The decisions depend on no clock: the looks are made up. */
#include "core/sched/scale.h"

#include "core/sys/thread.h"
#include "tests/support/tasks.h"

/* ---- deciding ---- */

static struct cedei_scale scale;
static struct cedei_scale_look look;
enum { MANY = 100 * CEDEI_SCALE_FINE, SOME = 60 * CEDEI_SCALE_FINE }; /* in a window */

static void looks_begin(uint32_t workers) {
    scale = (struct cedei_scale){0};
    look = (struct cedei_scale_look){
        .now_ns = 1000000000, .on_duty = workers, .busy = workers, .have_left = true};
}

/* One window later, in which so much was done. */
static enum cedei_scale_step after_window(uint64_t done) {
    look.now_ns += CEDEI_SCALE_WINDOW_NS;
    look.done += done;
    return cedei_scale_decide(&scale, &look);
}

/* What cedei_scale_round does about a step, as far as the state shows it. */
static void take(enum cedei_scale_step step, uint32_t workers) {
    if (step == CEDEI_SCALE_SEND_OFF) {
        uint32_t rest = look.on_duty - look.on_duty / 2;
        scale.last = (((uint64_t)1 << look.on_duty) - 1) & ~(((uint64_t)1 << rest) - 1);
        scale.off |= scale.last;
        look.on_duty = rest;
    } else {
        scale.off &= step == CEDEI_SCALE_CALL_ALL ? 0 : ~scale.last;
        look.on_duty = workers - (uint32_t)__builtin_popcountll(scale.off);
    }
    look.busy = look.on_duty;
}

/* Until somebody is sent off; the last window had `done`. Returns how many windows that took, or 0 after `windows`. */
static uint32_t until_sent_off(uint64_t done, uint32_t windows) {
    for (uint32_t i = 1; i <= windows; i++) {
        enum cedei_scale_step step = after_window(done);
        if (step == CEDEI_SCALE_SEND_OFF) return i;
        assert_int_equal(step, CEDEI_SCALE_STAY);
    }
    return 0;
}

/* To the end of a trial: all did `before`, the rest does `after`. */
static enum cedei_scale_step trial(uint32_t workers, uint64_t before, uint64_t after) {
    assert_int_not_equal(until_sent_off(before, 10), 0);
    take(CEDEI_SCALE_SEND_OFF, workers);
    assert_int_equal(after_window(after), CEDEI_SCALE_SETTLE);
    return after_window(after);
}

static void nobody_is_sent_off_while_turns_are_long(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(until_sent_off(2 * CEDEI_SCALE_FINE - 1, 10000), 0);
    assert_int_not_equal(until_sent_off(2 * CEDEI_SCALE_FINE, 3), 0);
}

static void nobody_is_sent_off_while_one_sleeps_at_times(void **state) {
    (void)state;
    looks_begin(2);
    for (int i = 0; i < 1000; i++) {
        look.busy = i % 2 == 0 ? 2 : 1;
        assert_int_equal(after_window(MANY), CEDEI_SCALE_STAY);
    }
}

static void one_stays_off_duty_when_the_other_does_no_less(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(2, MANY, MANY), CEDEI_SCALE_STAY);
    assert_int_equal(scale.state, CEDEI_SCALE_FEW);
    assert_int_equal(scale.off, 2);
}

static void one_comes_back_when_the_other_does_less(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(2, MANY, MANY - 1), CEDEI_SCALE_CALL_BACK);
    assert_int_equal(scale.state, CEDEI_SCALE_ALL);
}

/* How many windows until the next trial, when the last one failed. */
static uint32_t next_trial(void) {
    take(CEDEI_SCALE_CALL_BACK, 2);
    uint32_t windows = until_sent_off(MANY, 10000);
    take(CEDEI_SCALE_SEND_OFF, 2);
    assert_int_equal(after_window(SOME), CEDEI_SCALE_SETTLE);
    assert_int_equal(after_window(SOME), CEDEI_SCALE_CALL_BACK);
    return windows;
}

static void trials_that_fail_are_made_ever_more_seldom(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(2, MANY, SOME), CEDEI_SCALE_CALL_BACK);
    uint32_t before = next_trial(), least = before;
    assert_in_range(least, 10, 1000);
    for (int i = 0; i < 20; i++) {
        uint32_t windows = next_trial();
        assert_true(windows >= before);
        before = windows;
    }
    assert_in_range(before, 4 * least, 10000); /* and there is an end to it */
}

static void all_are_called_back_after_a_while_to_try_again(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(2, SOME, MANY), CEDEI_SCALE_STAY);
    enum cedei_scale_step step = CEDEI_SCALE_STAY;
    for (int i = 0; i < 10000 && step == CEDEI_SCALE_STAY; i++) step = after_window(MANY);
    assert_int_equal(step, CEDEI_SCALE_CALL_ALL);
    take(step, 2);
    assert_in_range(until_sent_off(SOME, 10), 1, 3); /* at once */
}

static void all_are_called_back_at_once_when_a_task_waits_behind_a_long_one(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(2, SOME, MANY), CEDEI_SCALE_STAY);
    assert_int_equal(after_window(MANY), CEDEI_SCALE_STAY);
    look.waits_behind = true;
    look.now_ns += 1; /* no window has passed */
    assert_int_equal(cedei_scale_decide(&scale, &look), CEDEI_SCALE_CALL_ALL);
    assert_int_equal(scale.state, CEDEI_SCALE_ALL);
}

static void a_trial_ends_when_a_task_waits_behind_a_long_one(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_not_equal(until_sent_off(MANY, 10), 0);
    take(CEDEI_SCALE_SEND_OFF, 2);
    assert_int_equal(after_window(MANY), CEDEI_SCALE_SETTLE);
    look.waits_behind = true;
    look.now_ns += 1;
    assert_int_equal(cedei_scale_decide(&scale, &look), CEDEI_SCALE_CALL_ALL);
}

static void all_are_called_back_when_turns_become_long(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(2, SOME, MANY), CEDEI_SCALE_STAY);
    assert_int_equal(after_window(CEDEI_SCALE_FINE / 2 - 1), CEDEI_SCALE_CALL_ALL);
}

static void who_does_not_go_is_called_back(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_not_equal(until_sent_off(MANY, 10), 0);
    take(CEDEI_SCALE_SEND_OFF, 2);
    look.have_left = false;
    enum cedei_scale_step step = CEDEI_SCALE_STAY;
    for (int i = 0; i < 100 && step == CEDEI_SCALE_STAY; i++) step = after_window(MANY);
    assert_int_equal(step, CEDEI_SCALE_CALL_BACK);
    assert_int_equal(scale.state, CEDEI_SCALE_ALL);
}

static void half_go_and_half_of_the_rest_until_less_is_done(void **state) {
    (void)state;
    looks_begin(8);
    assert_int_equal(trial(8, MANY, MANY), CEDEI_SCALE_SEND_OFF); /* four do as much */
    take(CEDEI_SCALE_SEND_OFF, 8);
    assert_int_equal(look.on_duty, 2);
    assert_int_equal(after_window(SOME), CEDEI_SCALE_SETTLE);
    enum cedei_scale_step step = after_window(SOME); /* two do less */
    assert_int_equal(step, CEDEI_SCALE_CALL_BACK);
    take(step, 8);
    assert_int_equal(look.on_duty, 4);
    assert_int_equal(scale.state, CEDEI_SCALE_FEW);
}

/* ---- going and coming ---- */

enum { RUNNERS = 100, TIMES = 100 };
static struct errand runners[RUNNERS];
static _Atomic uint32_t inside[RUNNERS], stop, ended, runs;

/* Comes again by the slot or by the end of the queue, until the stop; nobody runs it twice at a time. */
static void run_on(struct cedei_worker *worker, struct errand *errand) {
    assert_int_equal(atomic_exchange(&inside[errand->number], 1), 0);
    uint32_t count = atomic_fetch_add(&runs, 1);
    atomic_store(&inside[errand->number], 0);
    if (counter_get(&stop) != 0)
        counter_add(&ended, 1);
    else if (count % 3 == 0)
        errand_submit(worker, errand);
    else
        cedei_sched_requeue(worker, &errand->task);
}

static void runs_await(uint32_t more) {
    uint32_t from = atomic_load(&runs);
    while (atomic_load(&runs) - from < more) sched_yield();
}

/* The test is the lookout here. */
static void worker_goes_off_duty_and_comes_back(void **state) {
    (void)state;
    atomic_store(&stop, 0);
    atomic_store(&ended, 0);
    sched_begin(2, false);
    sched.may_be_alone = cedei_process_barrier();
    for (uint32_t i = 0; i < RUNNERS; i++) {
        runners[i] = errand_of(run_on, i);
        errand_submit(NULL, &runners[i]);
    }
    struct cedei_worker *worker = &sched.workers[1];
    for (int i = 0; i < TIMES; i++) {
        cedei_spare_send_off(worker);
        while (!cedei_spare_is_off(worker)) sched_yield();
        assert_int_equal(cedei_runqueue_count(&worker->queue), 0);
        assert_null(cedei_lifo_peek(worker));
        uint32_t tick = cedei_tick_of(worker);
        cedei_spare_settle(&sched);
        assert_int_equal(cedei_worker_is_alone(&sched.workers[0]), sched.may_be_alone);
        runs_await(1000);
        assert_int_equal(cedei_tick_of(worker), tick); /* the other runs them all */
        while (!cedei_spare_share(&sched)) sched_yield();
        assert_false(cedei_worker_is_alone(&sched.workers[0]));
        cedei_spare_call_back(worker);
        while (cedei_tick_of(worker) == tick) sched_yield();
        runs_await(1000);
    }
    counter_add(&stop, 1);
    counter_await(&ended, RUNNERS);
    sched_end();
}

/* It sleeps while it is alone: that keeps nobody from being called back. */
static void worker_comes_back_while_the_other_sleeps(void **state) {
    (void)state;
    sched_begin(2, false);
    sched.may_be_alone = cedei_process_barrier();
    struct cedei_worker *worker = &sched.workers[1];
    for (int i = 0; i < 20; i++) {
        cedei_spare_send_off(worker);
        while (!cedei_spare_is_off(worker)) sched_yield();
        cedei_spare_settle(&sched);
        while ((atomic_load(&sched.idle) & 1) == 0) sched_yield();
        assert_true(cedei_spare_share(&sched));
        cedei_spare_call_back(worker);
        while ((atomic_load(&sched.idle) & 3) != 3) sched_yield();
        atomic_store(&ended, 0);
        atomic_store(&stop, 1);
        runners[0] = errand_of(run_on, 0);
        errand_submit(NULL, &runners[0]);
        counter_await(&ended, 1);
    }
    sched_end();
}

/* Called back at any moment while it goes: it stays, or comes back, and sleeps as one that is on duty. */
static void worker_that_is_called_back_while_it_goes_is_on_duty(void **state) {
    (void)state;
    enum { MOMENTS = 300, ROUNDS = 20 };
    sched_begin(2, false);
    struct cedei_worker *worker = &sched.workers[1];
    for (int i = 0; i < MOMENTS * ROUNDS; i++) {
        cedei_spare_send_off(worker);
        for (int k = i % MOMENTS; k > 0; k--) cedei_cpu_relax();
        cedei_spare_call_back(worker);
        while ((atomic_load(&sched.idle) & 2) == 0) {
            assert_false(cedei_spare_is_off(worker));
            sched_yield();
        }
    }
    sched_end();
}

static void stop_finds_a_worker_that_is_off_duty(void **state) {
    (void)state;
    for (int i = 0; i < 20; i++) {
        sched_begin(2, false);
        cedei_spare_send_off(&sched.workers[1]);
        if (i % 2 == 0)
            while (!cedei_spare_is_off(&sched.workers[1])) sched_yield();
        sched_end();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_sent_off_while_turns_are_long),
        cmocka_unit_test(nobody_is_sent_off_while_one_sleeps_at_times),
        cmocka_unit_test(one_stays_off_duty_when_the_other_does_no_less),
        cmocka_unit_test(one_comes_back_when_the_other_does_less),
        cmocka_unit_test(trials_that_fail_are_made_ever_more_seldom),
        cmocka_unit_test(all_are_called_back_after_a_while_to_try_again),
        cmocka_unit_test(all_are_called_back_at_once_when_a_task_waits_behind_a_long_one),
        cmocka_unit_test(a_trial_ends_when_a_task_waits_behind_a_long_one),
        cmocka_unit_test(all_are_called_back_when_turns_become_long),
        cmocka_unit_test(who_does_not_go_is_called_back),
        cmocka_unit_test(half_go_and_half_of_the_rest_until_less_is_done),
        cmocka_unit_test(worker_goes_off_duty_and_comes_back),
        cmocka_unit_test(worker_comes_back_while_the_other_sleeps),
        cmocka_unit_test(worker_that_is_called_back_while_it_goes_is_on_duty),
        cmocka_unit_test(stop_finds_a_worker_that_is_off_duty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
