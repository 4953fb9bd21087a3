/* Turns and the scheduler: a turn that blocks stops nobody else, is reported with its name, and counted; one that has much to
 * do gives way; messages wake workers rarely. */
#include <errno.h>
#include <unistd.h>

#include "core/sys/clock.h"
#include "tests/support/actors.h"

/* ---- turns that block ---- */

struct meeting {
    int ends[2]; /* of a pipe */
    struct fixture *fixture;
};

static struct meeting meeting_begin(struct fixture *fixture) {
    struct meeting meeting = {.fixture = fixture};
    EXPECT(pipe(meeting.ends) == 0);
    return meeting;
}

static void meeting_end(struct meeting *meeting) {
    close(meeting->ends[0]);
    close(meeting->ends[1]);
}

static cede_result write_a_byte(cede_self *self, void *context) {
    (void)self;
    struct meeting *meeting = context;
    EXPECT(write(meeting->ends[1], "", 1) == 1);
    return CEDE_STOP;
}

static void read_bytes(struct meeting *meeting, int count) {
    char byte = 0;
    for (int i = 0; i < count; i++) EXPECT(read(meeting->ends[0], &byte, 1) == 1);
}

/* The actor that it makes runnable is in the slot of its worker, and only that one can end the read. */
TURN_TEST(turn_that_blocks_does_not_stop_the_actor_in_the_slot) {
    struct meeting meeting = meeting_begin(context);
    (void)play(self, write_a_byte, &meeting);
    read_bytes(&meeting, 1);
    meeting_end(&meeting);
    return CEDE_OK;
}

TURN_TEST(turn_that_blocks_does_not_stop_the_actors_in_the_queue) {
    enum { ACTORS = 20 };
    struct meeting meeting = meeting_begin(context);
    for (int i = 0; i < ACTORS; i++) (void)play(self, write_a_byte, &meeting);
    read_bytes(&meeting, ACTORS);
    meeting_end(&meeting);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result sleep_and_write(cede_self *self, void *context) {
    EXPECT_OK(cede_sleep(self, 1000000));
    return write_a_byte(self, context);
}

TURN_TEST(turn_that_blocks_does_not_stop_the_clock) {
    struct meeting meeting = meeting_begin(context);
    (void)play(self, sleep_and_write, &meeting);
    read_bytes(&meeting, 1);
    meeting_end(&meeting);
    return CEDE_OK;
}

/* Two block at a time, and each needs the other's progress, again and again. */
struct shuttle {
    int in, out;
    int rounds;
};

static cede_result shuttle_run(cede_self *self, void *context) {
    (void)self;
    struct shuttle *shuttle = context;
    char byte = 0;
    for (int i = 0; i < shuttle->rounds; i++) {
        EXPECT(write(shuttle->out, "", 1) == 1);
        EXPECT(read(shuttle->in, &byte, 1) == 1);
    }
    return CEDE_STOP;
}

TURN_TEST(turns_that_block_for_each_other_both_go_on) {
    struct meeting to = meeting_begin(context), fro = meeting_begin(context);
    struct shuttle first = {.in = to.ends[0], .out = fro.ends[1], .rounds = 100};
    struct shuttle second = {.in = fro.ends[0], .out = to.ends[1], .rounds = 100};
    cede_ref other = play(self, shuttle_run, &first);
    EXPECT_OK(cede_monitor(self, other));
    (void)shuttle_run(self, &second);
    EXPECT_OK(down_await(self, other)); /* it may be in its last round, and needs the pipes */
    meeting_end(&to);
    meeting_end(&fro);
    return CEDE_OK;
}

/* After it, the worker that was stuck goes on with what it has, whoever else works by then. */
TURN_TEST(turn_that_blocked_can_suspend_afterwards) {
    for (int i = 0; i < 5; i++) {
        struct meeting meeting = meeting_begin(context);
        (void)play(self, write_a_byte, &meeting);
        read_bytes(&meeting, 1);
        cede_yield(self);
        EXPECT_OK(cede_sleep(self, 1000));
        meeting_end(&meeting);
    }
    return CEDE_OK;
}

/* ---- reports ---- */

static uint32_t reports_count(const struct meeting *meeting) {
    uint32_t count = 0;
    pthread_mutex_lock(&meeting->fixture->lock);
    for (const char *at = meeting->fixture->log; (at = strstr(at, " has run for")) != NULL; at++)
        count++;
    pthread_mutex_unlock(&meeting->fixture->lock);
    return count;
}

static CEDEI_NOINLINE void compute_until_reported(const struct meeting *meeting) {
    uint32_t before = reports_count(meeting);
    while (reports_count(meeting) == before) cedei_cpu_relax();
}

static cede_result compute_for_long(cede_self *self, void *context) {
    (void)self;
    compute_until_reported(context);
    return CEDE_STOP;
}

/* A worker that gets no processor for as long as the lookout waits for its answer is reported without a name: once more. */
static CEDE_YIELDS cede_result report_run(cede_self *self, void *context) {
    struct meeting *meeting = context;
    while (!fixture_logged(meeting->fixture, "actor 'player' handling 'play' has run for")) {
        cede_ref actor = play(self, compute_for_long, context);
        EXPECT_OK(cede_monitor(self, actor));
        (void)down_await(self, actor);
    }
    return CEDE_OK;
}

static uint64_t turns_at_least(const struct cede_metrics *metrics, int index) {
    uint64_t sum = 0;
    for (int i = index; i < CEDE_TURN_LENGTHS; i++) sum += metrics->turn_lengths[i];
    return sum;
}

static void stall_is_reported_with_actor_message_and_function(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.turn_warn_ns = 20000000});
    struct meeting meeting = {.fixture = fixture};
    struct cede_metrics metrics;
    fixture->system->sched.lookout.report_every_ns = 0; /* it has not looked at it */
    fixture_run(fixture, report_run, &meeting);
    do cede_system_metrics(fixture->system, &metrics);
    while (turns_at_least(&metrics, 23) == 0); /* the lookout sees that the turn is over */
    fixture_stop(fixture);
    assert_true(fixture->last.long_turns >= 1);
    if (!CEDEI_TSAN)
        assert_true(fixture_logged(fixture, "compute_until_reported")); /* it delays signals */
    fixture_free(fixture);
}

static cede_result compute_unreported(cede_self *self, void *context) {
    struct meeting *meeting = context;
    uint64_t looks = 0;
    for (uint64_t now = 0; now < looks + 10 || looks == 0;) {
        struct cede_metrics metrics;
        cede_system_metrics(cede_self_system(self), &metrics);
        now = metrics.lookouts;
        if (looks == 0) looks = now;
    }
    EXPECT_EQUAL(reports_count(meeting), 0);
    return CEDE_OK;
}

static void stall_is_not_reported_when_the_limit_is_off(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.turn_warn_ns = CEDE_FOREVER});
    struct meeting meeting = {.fixture = fixture};
    fixture_run(fixture, compute_unreported, &meeting);
    fixture_stop(fixture);
    assert_int_equal(fixture->last.long_turns, 0);
    fixture_free(fixture);
}

/* ---- giving way ---- */

static _Atomic uint32_t handled, handled_when_other_ran;

/* At least so many microseconds by the clock, whatever else the machine does: more turns than counted from that is a mistake. */
static cede_result on_slow_number(cede_self *self, struct player *state, struct number *message) {
    (void)self, (void)state;
    uint64_t until_ns = cedei_clock_now_ns() + message->value * 1000;
    while (cedei_clock_now_ns() < until_ns) cedei_cpu_relax();
    atomic_fetch_add(&handled, 1);
    return CEDE_OK;
}
#define SLOW(ON) ON(number, on_slow_number)
CEDE_BEHAVIOUR(slow, struct player, SLOW);

static cede_result note_handled(cede_self *self, void *context) {
    (void)self, (void)context;
    atomic_store(&handled_when_other_ran, atomic_load(&handled));
    return CEDE_STOP;
}

enum { TRIES = 40 };

/* Turns of so many microseconds wait, and behind their actor another. How many of them it runs before it gives way. */
static CEDE_YIELDS uint32_t turns_before_giving_way(cede_self *self, cede_ref to, uint64_t turn_us,
                                                    uint32_t count) {
    atomic_store(&handled, 0);
    for (uint32_t i = 0; i < count; i++) number_send(self, to, turn_us);
    cede_ref other = play(self, note_handled, NULL);
    EXPECT_OK(cede_monitor(self, other));
    (void)down_await(self, other);
    uint32_t turns = atomic_load(&handled_when_other_ran);
    while (atomic_load(&handled) < count) cede_yield(self);
    return turns;
}

/* On a busy machine the worker may be held up, and a spare one takes over what waits: so it is what is reached in one of many tries. */
static CEDE_YIELDS bool gives_way_within(cede_self *self, cede_ref to, uint64_t turn_us,
                                         uint32_t count, uint32_t most) {
    for (int i = 0; i < TRIES; i++)
        if (turns_before_giving_way(self, to, turn_us, count) <= most) return true;
    return false;
}

static CEDE_YIELDS cede_result slow_turns(cede_self *self, void *context) {
    (void)context;
    cede_ref to = {0};
    EXPECT_OK(cede_spawn(self, &slow, CEDE_NOTHING, &to));
    /* The length of the first turn is not known, and what began within the 100 us is ended. */
    EXPECT(gives_way_within(self, to, 40, 64, 4));
    EXPECT(gives_way_within(self, to, 40, 64, 3));
    EXPECT(gives_way_within(self, to, 5, 100, 22));
    EXPECT(gives_way_within(self, to, 150, 10, 2));
    EXPECT_OK(cede_stop(self, to));
    return CEDE_OK;
}

static void turns_give_way_after_100_us(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.workers = 1});
    fixture_run(fixture, slow_turns, NULL);
    fixture_end(fixture);
}

/* Short turns are hardly ever timed, so those that follow are noticed late, but within 64, and from then on in time. */
static CEDE_YIELDS cede_result turns_that_become_slow(cede_self *self, void *context) {
    (void)context;
    cede_ref to = {0};
    EXPECT_OK(cede_spawn(self, &slow, CEDE_NOTHING, &to));
    bool is_noticed = false;
    for (int i = 0; i < TRIES && !is_noticed; i++) {
        (void)turns_before_giving_way(self, to, 0, 1000);
        is_noticed = turns_before_giving_way(self, to, 40, 200) <= 64 + 4 &&
                     turns_before_giving_way(self, to, 40, 64) <= 3;
    }
    EXPECT(is_noticed);
    EXPECT_OK(cede_stop(self, to));
    return CEDE_OK;
}

static void turns_that_become_slow_are_noticed(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.workers = 1});
    fixture_run(fixture, turns_that_become_slow, NULL);
    fixture_end(fixture);
}

/* ---- waking ---- */

enum { MESSAGES = 100000, WAKES_MAX = MESSAGES / 100, SOURCES = 8 };

static CEDE_YIELDS cede_result send_numbers(cede_self *self, void *context) {
    cede_ref *to = context;
    for (uint64_t i = 0; i < MESSAGES / SOURCES; i++) {
        struct number *message = cede_new(self, number);
        EXPECT(message != NULL);
        EXPECT_OK(cede_send_wait(self, *to, &message, CEDE_FOREVER));
        if (i % 64 == 0) cede_yield(self);
    }
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result receive_numbers(cede_self *self, void *context) {
    (void)context;
    cede_ref own = cede_self_ref(self);
    for (int i = 0; i < SOURCES; i++) (void)play(self, send_numbers, &own);
    for (int i = 0; i < MESSAGES / SOURCES * SOURCES; i++) (void)number_await(self);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result answer_questions(cede_self *self, void *context) {
    (void)context;
    for (int i = 0; i < MESSAGES / 2; i++) {
        struct question *question = NULL;
        EXPECT_OK(cede_recv(self, question, &question, CEDE_FOREVER));
        answer_give(self, question, question->value);
        cede_drop(self, &question);
    }
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result ask_questions(cede_self *self, void *context) {
    (void)context;
    cede_ref to = play(self, answer_questions, NULL);
    for (uint64_t i = 0; i < MESSAGES / 2; i++) EXPECT_OK(question_ask(self, to, i, NULL));
    return CEDE_OK;
}

static void wakes_check(cede_block_fn *run) {
    for (uint32_t workers = 2; workers <= 4; workers += 2) {
        struct fixture *fixture = fixture_begin((struct cede_options){.workers = workers});
        fixture_run(fixture, run, NULL);
        fixture_stop(fixture);
        print_message("%u workers: %llu wakes, %llu steals\n", workers,
                      (unsigned long long)fixture->last.wakes,
                      (unsigned long long)fixture->last.steals);
        assert_in_range(fixture->last.wakes, 0, WAKES_MAX);
        fixture_free(fixture);
    }
}

static void messages_of_many_wake_workers_rarely(void **state) {
    (void)state;
    wakes_check(receive_numbers);
}

static void questions_wake_workers_rarely(void **state) {
    (void)state;
    wakes_check(ask_questions);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(turn_that_blocks_does_not_stop_the_actor_in_the_slot),
        WITH_SYSTEM(turn_that_blocks_does_not_stop_the_actors_in_the_queue),
        WITH_SYSTEM(turn_that_blocks_does_not_stop_the_clock),
        WITH_SYSTEM(turns_that_block_for_each_other_both_go_on),
        WITH_SYSTEM(turn_that_blocked_can_suspend_afterwards),
        cmocka_unit_test(stall_is_reported_with_actor_message_and_function),
        cmocka_unit_test(stall_is_not_reported_when_the_limit_is_off),
        cmocka_unit_test(turns_give_way_after_100_us),
        cmocka_unit_test(turns_that_become_slow_are_noticed),
        cmocka_unit_test(messages_of_many_wake_workers_rarely),
        cmocka_unit_test(questions_wake_workers_rarely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
