/* How many workers share short turns: what is decided of what is seen, and that a worker that goes off duty and comes back leaves
 * no task behind and has none run twice. The decisions depend on no clock: the looks are made up. */
#include "core/sched/scale.h"

#include "core/sys/thread.h"
#include "tests/support/tasks.h"
#include "tests/support/wait.h"

/* ---- deciding ---- */

static struct cedei_scale scale;
static struct cedei_scale_look look;
static uint32_t workers; /* that there are */
/* Rates, per CEDEI_SCALE_UNIT_NS. Of the first, two busy workers do each thing in half the time that is still short. */
enum {
    MANY = 4 * 1000000 / CEDEI_SCALE_FINE_NS * 10,
    SOME = MANY * 6 / 10,
    LONG = 2 * 1000000 / CEDEI_SCALE_FINE_NS - 100 /* two that are busy: longer than is short */
};

static void looks_begin(uint32_t count) {
    workers = count;
    scale = (struct cedei_scale){0};
    look = (struct cedei_scale_look){
        .now_ns = 1000000000, .on_duty = count, .busy = count, .active = count, .have_left = true};
}

/* One look later, what was done at `rate` in between. */
static enum cedei_scale_step after_look(uint64_t rate) {
    look.now_ns += CEDEI_SCALE_NEAR_NS;
    look.done += rate * CEDEI_SCALE_NEAR_NS / CEDEI_SCALE_UNIT_NS;
    return cedei_scale_decide(&scale, &look);
}

/* What cedei_scale_round does about a step, as far as the state shows it. */
static void take(enum cedei_scale_step step) {
    if (step == CEDEI_SCALE_SEND_OFF) {
        uint32_t rest = look.on_duty - look.on_duty / 2;
        scale.last = (((uint64_t)1 << look.on_duty) - 1) & ~(((uint64_t)1 << rest) - 1);
        scale.off |= scale.last;
        look.on_duty = rest;
    } else if (step != CEDEI_SCALE_SETTLE) {
        scale.off &= step == CEDEI_SCALE_CALL_ALL ? 0 : ~scale.last;
        look.on_duty = workers - (uint32_t)__builtin_popcountll(scale.off);
    }
    look.busy = look.active = look.on_duty;
}

/* Until there is something to do, which is returned; `looks` at most. */
static enum cedei_scale_step until_step(uint64_t rate, uint32_t looks) {
    enum cedei_scale_step step = CEDEI_SCALE_STAY;
    while (looks-- > 0 && step == CEDEI_SCALE_STAY) step = after_look(rate);
    return step;
}

enum { WINDOW = CEDEI_SCALE_WINDOW_MAX_NS / CEDEI_SCALE_NEAR_NS + 2, EVER = 20000 };

/* All did `before`; the rest does `after`: the outcome. */
static enum cedei_scale_step trial(uint64_t before, uint64_t after) {
    assert_int_equal(until_step(before, WINDOW), CEDEI_SCALE_SEND_OFF);
    take(CEDEI_SCALE_SEND_OFF);
    assert_int_equal(after_look(after), CEDEI_SCALE_SETTLE);
    while (scale.state == CEDEI_SCALE_TRIAL) {
        enum cedei_scale_step step = after_look(after);
        if (step != CEDEI_SCALE_STAY) return step;
    }
    return CEDEI_SCALE_STAY;
}

static void nobody_is_sent_off_while_turns_are_long(void **state) {
    (void)state;
    looks_begin(2);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(until_step(LONG, WINDOW), CEDEI_SCALE_STAY);
        cedei_scale_wake(&scale);
    }
    assert_int_equal(until_step(LONG + 200, WINDOW), CEDEI_SCALE_SEND_OFF);
}

static void nobody_is_sent_off_while_one_does_it_all(void **state) {
    (void)state;
    looks_begin(2);
    look.active = look.busy = 1;
    assert_int_equal(until_step(MANY, EVER), CEDEI_SCALE_STAY);
}

static void nobody_is_sent_off_when_little_is_done(void **state) {
    (void)state;
    looks_begin(2);
    look.busy = 0; /* at the moments of the looks */
    assert_int_equal(until_step(CEDEI_SCALE_LITTLE - 10, EVER), CEDEI_SCALE_STAY);
    cedei_scale_wake(&scale);
    assert_int_equal(until_step(CEDEI_SCALE_LITTLE + 10, WINDOW), CEDEI_SCALE_SEND_OFF);
}

/* As many events as there are, and each wakes the other worker for a moment. */
static void one_is_sent_off_also_when_both_sleep_at_times(void **state) {
    (void)state;
    looks_begin(2);
    look.busy = 1;
    assert_int_equal(trial(SOME, SOME), CEDEI_SCALE_STAY);
    assert_int_equal(scale.state, CEDEI_SCALE_FEW);
}

static void one_stays_off_duty_when_the_other_does_no_less(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(MANY, MANY), CEDEI_SCALE_STAY);
    assert_int_equal(scale.state, CEDEI_SCALE_FEW);
    assert_int_equal(scale.off, 2);
}

static void one_comes_back_when_the_other_does_less(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(MANY, MANY - MANY / 10), CEDEI_SCALE_CALL_BACK);
    assert_int_equal(scale.state, CEDEI_SCALE_ALL);
}

/* Turns that do much at once come in bursts. */
static void what_counts_is_what_all_did_for_some_time(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(MANY, SOME), CEDEI_SCALE_CALL_BACK);
    take(CEDEI_SCALE_CALL_BACK);
    while (look.now_ns + CEDEI_SCALE_NEAR_NS < scale.next_ns)
        assert_int_equal(after_look(SOME / 2), CEDEI_SCALE_STAY);
    assert_int_equal(until_step(MANY, WINDOW), CEDEI_SCALE_SEND_OFF);
    take(CEDEI_SCALE_SEND_OFF);
    assert_int_equal(after_look(SOME), CEDEI_SCALE_SETTLE);
    assert_int_equal(until_step(SOME, WINDOW), CEDEI_SCALE_STAY);
    assert_int_equal(scale.state, CEDEI_SCALE_FEW);
}

/* How many looks until the next trial, when the last one failed. */
static uint32_t next_trial(void) {
    take(CEDEI_SCALE_CALL_BACK);
    uint64_t from_ns = look.now_ns;
    assert_int_equal(until_step(MANY, EVER), CEDEI_SCALE_SEND_OFF);
    uint32_t looks = (uint32_t)((look.now_ns - from_ns) / CEDEI_SCALE_NEAR_NS);
    take(CEDEI_SCALE_SEND_OFF);
    assert_int_equal(after_look(SOME), CEDEI_SCALE_SETTLE);
    assert_int_equal(until_step(SOME, WINDOW), CEDEI_SCALE_CALL_BACK);
    return looks;
}

static void trials_that_fail_are_made_ever_more_seldom(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(MANY, SOME), CEDEI_SCALE_CALL_BACK);
    uint32_t before = next_trial(), least = before;
    assert_in_range(least, 10, 1000);
    for (int i = 0; i < 20; i++) {
        uint32_t looks = next_trial();
        assert_true(looks >= before);
        before = looks;
    }
    assert_in_range(before, 100 * least, EVER); /* and there is an end to it */
}

static void all_are_called_back_after_a_while_to_try_again(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(SOME, MANY), CEDEI_SCALE_STAY);
    assert_int_equal(until_step(MANY, EVER), CEDEI_SCALE_CALL_ALL);
    take(CEDEI_SCALE_CALL_ALL);
    assert_int_equal(until_step(SOME, WINDOW), CEDEI_SCALE_SEND_OFF); /* at once */
}

static void all_are_called_back_at_once_when_a_task_waits_behind_a_long_one(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(SOME, MANY), CEDEI_SCALE_STAY);
    look.waits_behind = true;
    assert_int_equal(after_look(0), CEDEI_SCALE_CALL_ALL);
    assert_int_equal(scale.state, CEDEI_SCALE_ALL);
}

static void a_trial_ends_when_a_task_waits_behind_a_long_one(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(until_step(MANY, WINDOW), CEDEI_SCALE_SEND_OFF);
    take(CEDEI_SCALE_SEND_OFF);
    assert_int_equal(after_look(MANY), CEDEI_SCALE_SETTLE);
    look.waits_behind = true;
    assert_int_equal(after_look(0), CEDEI_SCALE_CALL_ALL);
}

/* Turns that are long now and then would have few at work all the time but then. */
static void who_waits_behind_long_ones_again_and_again_is_not_made_to(void **state) {
    (void)state;
    uint64_t last_ns = 0;
    looks_begin(2);
    for (int i = 0; i < 12; i++) {
        uint64_t from_ns = look.now_ns;
        look.waits_behind = false;
        assert_int_equal(until_step(MANY, EVER), CEDEI_SCALE_SEND_OFF);
        if (i > 0) assert_true(look.now_ns - from_ns >= last_ns);
        last_ns = i < 8 ? look.now_ns - from_ns : 0;
        take(CEDEI_SCALE_SEND_OFF);
        assert_int_equal(after_look(MANY), CEDEI_SCALE_SETTLE);
        look.waits_behind = true;
        assert_int_equal(after_look(0), CEDEI_SCALE_CALL_ALL);
        take(CEDEI_SCALE_CALL_ALL);
    }
    assert_true(scale.next_ns - look.now_ns >= (uint64_t)1000000000);
}

static void all_are_called_back_when_turns_become_long(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(SOME, MANY), CEDEI_SCALE_STAY);
    assert_int_equal(until_step(1000000 / CEDEI_SCALE_FINE_NS / 2 - 10, WINDOW),
                     CEDEI_SCALE_CALL_ALL);
}

static void all_are_called_back_when_it_is_over(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(SOME, MANY), CEDEI_SCALE_STAY);
    look.busy = look.active = 0;
    assert_int_equal(until_step(0, WINDOW), CEDEI_SCALE_CALL_ALL);
    take(CEDEI_SCALE_CALL_ALL);
    assert_int_equal(until_step(SOME, WINDOW), CEDEI_SCALE_SEND_OFF); /* when it begins again */
}

static void all_are_called_back_when_more_comes(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(until_step(SOME, WINDOW), CEDEI_SCALE_SEND_OFF);
    take(CEDEI_SCALE_SEND_OFF);
    look.busy = 0; /* it has time left */
    assert_int_equal(after_look(SOME), CEDEI_SCALE_SETTLE);
    assert_int_equal(until_step(SOME, 2 * WINDOW), CEDEI_SCALE_STAY);
    assert_int_equal(scale.state, CEDEI_SCALE_FEW);
    assert_int_equal(until_step(SOME + SOME / 2, 2 * WINDOW), CEDEI_SCALE_CALL_ALL);
}

/* It is full, and a little more than in the trial is all that it can do. */
static void all_are_called_back_when_the_rest_has_no_time_left(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(until_step(SOME, WINDOW), CEDEI_SCALE_SEND_OFF);
    take(CEDEI_SCALE_SEND_OFF);
    look.busy = 0;
    assert_int_equal(after_look(SOME), CEDEI_SCALE_SETTLE);
    assert_int_equal(until_step(SOME, WINDOW), CEDEI_SCALE_STAY);
    assert_int_equal(scale.state, CEDEI_SCALE_FEW);
    uint64_t more = SOME + SOME / 10;
    assert_int_equal(until_step(more, 50), CEDEI_SCALE_STAY);
    look.busy = 1;
    assert_int_equal(until_step(SOME, 50), CEDEI_SCALE_STAY); /* full, but nothing more comes */
    assert_int_equal(until_step(more, 50), CEDEI_SCALE_CALL_ALL);
}

/* One that has no time left and does more than in the trial only has become faster. */
static void one_that_becomes_faster_goes_on_alone(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(trial(SOME, SOME), CEDEI_SCALE_STAY);
    assert_int_equal(until_step(MANY, 50), CEDEI_SCALE_STAY);
    assert_int_equal(scale.state, CEDEI_SCALE_FEW);
}

static void who_does_not_go_is_called_back(void **state) {
    (void)state;
    looks_begin(2);
    assert_int_equal(until_step(MANY, WINDOW), CEDEI_SCALE_SEND_OFF);
    take(CEDEI_SCALE_SEND_OFF);
    look.have_left = false;
    assert_int_equal(until_step(MANY, 100), CEDEI_SCALE_CALL_BACK);
    assert_int_equal(scale.state, CEDEI_SCALE_ALL);
}

static void half_go_and_half_of_the_rest_until_less_is_done(void **state) {
    (void)state;
    looks_begin(8);
    assert_int_equal(trial(MANY, MANY), CEDEI_SCALE_SEND_OFF); /* four do as much */
    take(CEDEI_SCALE_SEND_OFF);
    assert_int_equal(look.on_duty, 2);
    assert_int_equal(after_look(SOME), CEDEI_SCALE_SETTLE);
    enum cedei_scale_step step = until_step(SOME, WINDOW); /* two do less */
    assert_int_equal(step, CEDEI_SCALE_CALL_BACK);
    take(step);
    assert_int_equal(look.on_duty, 4);
    assert_int_equal(scale.state, CEDEI_SCALE_FEW);
}

/* A little less each time would be much less in the end. */
static void no_trial_of_several_may_fall_below_what_all_did(void **state) {
    (void)state;
    looks_begin(8);
    uint64_t less = MANY - MANY / 20;
    assert_int_equal(trial(MANY, less), CEDEI_SCALE_SEND_OFF);
    take(CEDEI_SCALE_SEND_OFF);
    assert_int_equal(after_look(less), CEDEI_SCALE_SETTLE);
    assert_int_equal(until_step(less - less / 20, WINDOW), CEDEI_SCALE_CALL_BACK);
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
    while (atomic_load(&runs) - from < more) look_later();
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
        while (!cedei_spare_is_off(worker)) look_later();
        assert_int_equal(cedei_runqueue_count(&worker->queue), 0);
        assert_null(cedei_lifo_peek(worker));
        uint32_t tick = cedei_tick_of(worker);
        cedei_spare_settle(&sched);
        assert_int_equal(cedei_worker_is_alone(&sched.workers[0]), sched.may_be_alone);
        runs_await(1000);
        assert_int_equal(cedei_tick_of(worker), tick); /* the other runs them all */
        while (!cedei_spare_share(&sched)) look_later();
        assert_false(cedei_worker_is_alone(&sched.workers[0]));
        cedei_spare_call_back(worker);
        while (cedei_tick_of(worker) == tick) look_later();
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
        while (!cedei_spare_is_off(worker)) look_later();
        cedei_spare_settle(&sched);
        while ((atomic_load(&sched.idle) & 1) == 0) look_later();
        assert_true(cedei_spare_share(&sched));
        cedei_spare_call_back(worker);
        while ((atomic_load(&sched.idle) & 3) != 3) look_later();
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
    enum { MOMENTS = 300, ROUNDS = 5 };
    sched_begin(2, false);
    struct cedei_worker *worker = &sched.workers[1];
    for (int i = 0; i < MOMENTS * ROUNDS; i++) {
        cedei_spare_send_off(worker);
        for (int k = i % MOMENTS; k > 0; k--) cedei_cpu_relax();
        cedei_spare_call_back(worker);
        while ((atomic_load(&sched.idle) & 2) == 0) {
            assert_false(cedei_spare_is_off(worker));
            look_later();
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
            while (!cedei_spare_is_off(&sched.workers[1])) look_later();
        sched_end();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_sent_off_while_turns_are_long),
        cmocka_unit_test(nobody_is_sent_off_while_one_does_it_all),
        cmocka_unit_test(nobody_is_sent_off_when_little_is_done),
        cmocka_unit_test(one_is_sent_off_also_when_both_sleep_at_times),
        cmocka_unit_test(one_stays_off_duty_when_the_other_does_no_less),
        cmocka_unit_test(one_comes_back_when_the_other_does_less),
        cmocka_unit_test(what_counts_is_what_all_did_for_some_time),
        cmocka_unit_test(trials_that_fail_are_made_ever_more_seldom),
        cmocka_unit_test(all_are_called_back_after_a_while_to_try_again),
        cmocka_unit_test(all_are_called_back_at_once_when_a_task_waits_behind_a_long_one),
        cmocka_unit_test(a_trial_ends_when_a_task_waits_behind_a_long_one),
        cmocka_unit_test(who_waits_behind_long_ones_again_and_again_is_not_made_to),
        cmocka_unit_test(all_are_called_back_when_turns_become_long),
        cmocka_unit_test(all_are_called_back_when_it_is_over),
        cmocka_unit_test(all_are_called_back_when_more_comes),
        cmocka_unit_test(all_are_called_back_when_the_rest_has_no_time_left),
        cmocka_unit_test(one_that_becomes_faster_goes_on_alone),
        cmocka_unit_test(who_does_not_go_is_called_back),
        cmocka_unit_test(half_go_and_half_of_the_rest_until_less_is_done),
        cmocka_unit_test(no_trial_of_several_may_fall_below_what_all_did),
        cmocka_unit_test(worker_goes_off_duty_and_comes_back),
        cmocka_unit_test(worker_comes_back_while_the_other_sleeps),
        cmocka_unit_test(worker_that_is_called_back_while_it_goes_is_on_duty),
        cmocka_unit_test(stop_finds_a_worker_that_is_off_duty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
