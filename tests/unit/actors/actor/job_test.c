/* Jobs: started, awaited, looked at, cancelled and dropped, on workers and on the blocking pool; whatever becomes of them
 * or of the actor that started them, each function runs at most once, and every message has one end (the fixture checks
 * that when the system is gone). */
#include "tests/support/actors.h"

#include "core/sys/alloc.h"

/* ---- what the jobs do ---- */

static _Atomic uint32_t runs, waiting, gate, stopped;

static void gate_reset(void) {
    flag_set(&runs, 0);
    flag_set(&waiting, 0);
    flag_set(&gate, 0);
    flag_set(&stopped, 0);
}

static void gate_open(void) {
    flag_set(&gate, 1);
    cedei_futex_wake(&gate, 1000);
}

static void count_up(_Atomic uint32_t *count) {
    /* acq_rel: publishes what was done before. */
    atomic_fetch_add_explicit(count, 1, memory_order_acq_rel);
}

static cede_result double_value(void *message, const cede_cancel *cancel) {
    struct note *note = message;
    (void)cancel;
    count_up(&runs);
    if (note == NULL) return CEDE_EIO;
    note->value *= 2;
    EXPECT_OK(cede_str_set(&note->text, "written by the job"));
    return note->value == 13 * 2 ? CEDE_EFAILED : CEDE_OK;
}

static cede_result wait_at_gate(void *message, const cede_cancel *cancel) {
    (void)message, (void)cancel;
    count_up(&runs);
    count_up(&waiting);
    while (flag_get(&gate) == 0) cedei_futex_wait(&gate, 0, UINT64_MAX);
    return CEDE_OK;
}

static cede_result wait_for_the_token(void *message, const cede_cancel *cancel) {
    (void)message;
    count_up(&runs);
    bool at_once = cede_cancel_is_requested(cancel);
    if (!at_once) count_up(&waiting);
    while (!cede_cancel_is_requested(cancel)) cedei_cpu_relax();
    count_up(&stopped);
    return CEDE_ECANCELED;
}

static struct note *note_new(cede_self *self, uint64_t value) {
    struct note *note = cede_new(self, note);
    EXPECT(note != NULL);
    EXPECT_OK(cede_str_set(&note->text, "lent"));
    note->value = value;
    return note;
}

static cede_job *start_as(cede_self *self, enum cede_kind kind, cede_job_fn *run, uint64_t value) {
    cede_job *job = NULL;
    struct note *note = note_new(self, value);
    EXPECT_OK(cede_job_start_wait(self, NULL, kind, run, &note, &job, CEDE_FOREVER));
    EXPECT(note == NULL && job != NULL);
    return job;
}

static cede_job *start(cede_self *self, cede_job_fn *run, uint64_t value) {
    return start_as(self, CEDE_BLOCKING, run, value);
}

/* The end of a job whose message is dropped. */
static CEDE_YIELDS cede_result finish(cede_self *self, cede_job *job) {
    struct note *note = NULL;
    cede_result r = cede_job_await(self, &job, note, &note, CEDE_FOREVER);
    EXPECT(job == NULL && note != NULL);
    cede_drop(self, &note);
    return r;
}

/* ---- start, await, try ---- */

TURN_TEST(job_gives_its_message_back_with_what_it_wrote) {
    (void)context;
    for (int kind = CEDE_ASYNC; kind <= CEDE_BLOCKING; kind++) {
        for (uint64_t value = 10; value < 20; value++) {
            cede_job *job = start_as(self, (enum cede_kind)kind, double_value, value);
            struct note *note = NULL;
            EXPECT_RESULT(cede_job_await(self, &job, note, &note, CEDE_FOREVER),
                          value == 13 ? CEDE_EFAILED : CEDE_OK);
            EXPECT(job == NULL && note->value == 2 * value);
            EXPECT(strcmp(cede_str_text(&note->text), "written by the job") == 0);
            cede_drop(self, &note);
        }
    }
    return CEDE_OK;
}

TURN_TEST(job_takes_a_kept_message_and_one_that_the_handler_got) {
    (void)context;
    struct note *note = note_new(self, 4), *kept = cede_keep(self, &note);
    cede_job *job = NULL;
    EXPECT_OK(cede_job_start(self, NULL, double_value, &kept, &job));
    EXPECT(kept == NULL);
    EXPECT_OK(cede_job_await(self, &job, note, &note, CEDE_FOREVER));
    EXPECT_EQUAL(note->value, 8);
    cede_drop(self, &note);
    return CEDE_OK;
}

TURN_TEST(job_needs_no_message) {
    (void)context;
    gate_reset();
    cede_job *job = NULL;
    EXPECT_OK(cede_job_start(self, NULL, double_value, CEDE_NOTHING, &job));
    EXPECT_RESULT(cede_job_await(self, &job, cede_nothing, CEDE_NOTHING, CEDE_FOREVER), CEDE_EIO);
    EXPECT(job == NULL && flag_get(&runs) == 1);
    return CEDE_OK;
}

TURN_TEST(job_is_awaited_until_the_time_is_over_and_again) {
    (void)context;
    gate_reset();
    cede_job *job = start(self, wait_at_gate, 1);
    struct note *note = NULL;
    EXPECT_RESULT(cede_job_try(self, &job, note, &note), CEDE_ETIMEDOUT);
    for (int i = 0; i < 3; i++)
        EXPECT_RESULT(cede_job_await(self, &job, note, &note, 100000), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_job_await(self, &job, note, &note, 0), CEDE_ETIMEDOUT);
    EXPECT(job != NULL && note == NULL);
    gate_open();
    EXPECT_OK(cede_job_await(self, &job, note, &note, CEDE_SECONDS(100)));
    EXPECT(job == NULL && note != NULL);
    cede_drop(self, &note);
    job = start(self, double_value, 1);
    while (cede_job_try(self, &job, note, &note) == CEDE_ETIMEDOUT) cede_yield(self);
    EXPECT(job == NULL && note->value == 2);
    cede_drop(self, &note);
    return CEDE_OK;
}

/* The awaiting turn is suspended when the job ends, as in most of the calls above it is not. */
static cede_result open_when_parked(cede_self *self, void *context) {
    parked_await(self, *(cede_ref *)context);
    gate_open();
    return CEDE_STOP;
}

TURN_TEST(job_wakes_the_turn_that_waits_for_it) {
    (void)context;
    static cede_ref me;
    gate_reset();
    me = cede_self_ref(self);
    cede_job *job = start(self, wait_at_gate, 1);
    play(self, open_when_parked, &me);
    EXPECT_OK(finish(self, job));
    return CEDE_OK;
}

static cede_result await_for_another(cede_self *self, void *context) {
    cede_job **job = context;
    struct note *note = NULL;
    EXPECT_RESULT(cede_job_await(self, job, note, &note, CEDE_FOREVER), CEDE_EOWNER);
    EXPECT_RESULT(cede_job_cancel(self, *job), CEDE_EOWNER);
    cede_job *same = *job;
    cede_job_drop(self, &same);
    EXPECT(same == *job);
    return CEDE_STOP;
}

TURN_TEST(job_misused_is_refused) {
    (void)context;
    gate_reset();
    struct note *note = NULL;
    cede_job *job = NULL, *none = NULL;
    EXPECT_RESULT(cede_job_start(self, NULL, double_value, &note, &job), CEDE_EINVAL);
    note = note_new(self, 1);
    EXPECT_RESULT(cede_job_start(self, NULL, NULL, &note, &job), CEDE_EINVAL);
    EXPECT_RESULT(cede_job_start(self, NULL, double_value, &note, NULL), CEDE_EINVAL);
    EXPECT_RESULT(cede_job_start(NULL, NULL, double_value, &note, &job), CEDE_ECONTEXT);
    EXPECT_OK(cede_job_start_blocking(self, NULL, wait_at_gate, &note, &job));
    static cede_job *lent;
    lent = job;
    cede_ref other = play(self, await_for_another, &lent);
    EXPECT_OK(cede_monitor(self, other));
    (void)down_await(self, other);
    struct number *number = NULL;
    EXPECT_RESULT(cede_job_await(self, &job, number, &number, CEDE_FOREVER), CEDE_ETYPE);
    EXPECT_RESULT(cede_job_try(self, &job, cede_nothing, CEDE_NOTHING), CEDE_ETYPE);
    EXPECT_RESULT(cede_job_await(self, &none, note, &note, CEDE_FOREVER), CEDE_EINVAL);
    EXPECT_RESULT(cede_job_await(NULL, &job, note, &note, CEDE_FOREVER), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_job_cancel(self, NULL), CEDE_EINVAL);
    cede_job_drop(self, &none);
    cede_job_drop(NULL, &job);
    gate_open();
    EXPECT_OK(finish(self, job));
    return CEDE_OK;
}

/* ---- cancel and drop ---- */

/* One pool thread, held by a job at the gate: what is started afterwards stays in the queue. */
static void with_one_thread(cede_block_fn *run) {
    struct fixture *fixture = fixture_begin((struct cede_options){.blocking_threads_max = 1});
    fixture_run(fixture, run, NULL);
    fixture_end(fixture);
}

static cede_result cancel_in_the_queue(cede_self *self, void *context) {
    (void)context;
    gate_reset();
    cede_job *first = start(self, wait_at_gate, 1), *second = start(self, double_value, 2);
    flag_await(self, &waiting, 1);
    EXPECT_OK(cede_job_cancel(self, second));
    EXPECT_OK(cede_job_cancel(self, second)); /* again: nothing */
    struct note *note = NULL;
    EXPECT_RESULT(cede_job_try(self, &second, note, &note), CEDE_ECANCELED); /* at once */
    EXPECT(second == NULL && note->value == 2);
    cede_drop(self, &note);
    cede_job *third = start(self, double_value, 3), *fourth = start(self, double_value, 4);
    cede_job_drop(self, &third);
    EXPECT(third == NULL);
    EXPECT_OK(cede_job_cancel(self, fourth));
    gate_open();
    EXPECT_OK(finish(self, first));
    EXPECT_OK(finish(self, start(self, double_value, 5))); /* behind them all */
    EXPECT_RESULT(finish(self, fourth), CEDE_ECANCELED);
    EXPECT_EQUAL(flag_get(&runs), 2);
    return CEDE_OK;
}

static void job_cancelled_in_the_queue_never_runs(void **state) {
    (void)state;
    with_one_thread(cancel_in_the_queue);
}

TURN_TEST(job_that_runs_sees_its_token_when_it_is_cancelled_or_dropped) {
    (void)context;
    gate_reset();
    cede_job *job = start(self, wait_for_the_token, 1);
    flag_await(self, &waiting, 1);
    EXPECT_OK(cede_job_cancel(self, job));
    EXPECT_RESULT(finish(self, job), CEDE_ECANCELED);
    EXPECT_EQUAL(flag_get(&stopped), 1);
    job = start(self, wait_for_the_token, 2);
    flag_await(self, &waiting, 2);
    cede_job_drop(self, &job);
    flag_await(self, &stopped, 2);
    job = start(self, double_value, 3);
    EXPECT_OK(cede_sleep(self, 1000));
    cede_result r = cede_job_cancel(self, job); /* it has ended, or will not */
    EXPECT_OK(r);
    r = finish(self, job);
    EXPECT(r == CEDE_OK || r == CEDE_ECANCELED);
    return CEDE_OK;
}

/* ---- a token of the program's ---- */

struct token_wait {
    cede_job_fn *run;
    cede_cancel *cancel;
    uint64_t timeout_ns;
    cede_result result;
    bool has_message, has_job; /* after the wait */
    _Atomic uint32_t done;
};

static cede_result await_with_token(cede_self *self, void *context) {
    struct token_wait *wait = context;
    cede_job *job = start(self, wait->run, 2);
    struct note *note = NULL;
    wait->result =
        cede_job_await_cancelable(self, &job, note, &note, wait->timeout_ns, wait->cancel);
    wait->has_message = note != NULL && note->value == 2;
    wait->has_job = job != NULL;
    cede_drop(self, &note);
    cede_job_drop(self, &job);
    flag_set(&wait->done, 1);
    (void)cede_sleep(self, CEDE_SECONDS(1000)); /* nothing of the job or the token may wake it */
    return CEDE_STOP;
}

static cede_result withdraw_by_token(cede_self *self, void *context) {
    (void)context;
    static struct token_wait wait;
    static cede_cancel above, below;
    for (int early = 0; early < 2; early++) {
        gate_reset();
        cede_job *first = start(self, wait_at_gate, 1);
        flag_await(self, &waiting, 1);
        cede_cancel_init(&above, NULL);
        cede_cancel_init(&below, &above);
        wait =
            (struct token_wait){.run = double_value, .cancel = &below, .timeout_ns = CEDE_FOREVER};
        if (early) cede_cancel_request(&above);
        cede_ref waiter = play(self, await_with_token, &wait);
        if (!early) parked_await(self, waiter);
        cede_cancel_request(&above);
        flag_await(self, &wait.done, 1); /* while the only thread is still at the gate */
        EXPECT_RESULT(wait.result, CEDE_ECANCELED);
        EXPECT(wait.has_message && !wait.has_job);
        EXPECT_EQUAL(flag_get(&runs), 1);
        EXPECT(above.cedei_awaited == 0 && below.cedei_awaited == 0);
        gate_open();
        EXPECT_OK(finish(self, first));
        EXPECT_OK(finish(self, start(self, double_value, 3))); /* behind it in the queue */
        EXPECT_EQUAL(flag_get(&runs), 2);
        EXPECT_OK(cede_kill(self, waiter));
    }
    return CEDE_OK;
}

static void job_in_the_queue_is_withdrawn_by_a_token_of_the_program(void **state) {
    (void)state;
    with_one_thread(withdraw_by_token);
}

TURN_TEST(job_that_runs_sees_a_token_of_the_program) {
    (void)context;
    static struct token_wait wait;
    static cede_cancel cancel;
    gate_reset();
    cede_cancel_init(&cancel, NULL);
    wait = (struct token_wait){
        .run = wait_for_the_token, .cancel = &cancel, .timeout_ns = CEDE_FOREVER};
    cede_ref waiter = play(self, await_with_token, &wait);
    flag_await(self, &waiting, 1);
    cede_cancel_request(&cancel);
    flag_await(self, &wait.done, 1);
    EXPECT_RESULT(wait.result, CEDE_ECANCELED); /* which the function returned */
    EXPECT(wait.has_message && !wait.has_job);
    EXPECT_EQUAL(flag_get(&stopped), 1);
    EXPECT_OK(cede_kill(self, waiter));
    return CEDE_OK;
}

TURN_TEST(job_with_a_token_that_nobody_requests_ends_as_any_other) {
    (void)context;
    cede_cancel cancel;
    struct note *note = NULL;
    gate_reset();
    gate_open();
    cede_cancel_init(&cancel, NULL);
    cede_job *job = start(self, wait_at_gate, 1), *none = NULL;
    EXPECT_OK(cede_job_await_cancelable(self, &job, note, &note, CEDE_FOREVER, &cancel));
    EXPECT(job == NULL && note->value == 1);
    cede_drop(self, &note);
    job = start(self, double_value, 4);
    EXPECT_OK(cede_job_await_cancelable(self, &job, note, &note, CEDE_FOREVER, NULL));
    EXPECT(job == NULL && note->value == 8);
    cede_drop(self, &note);
    EXPECT_EQUAL(cancel.cedei_awaited, 0);
    EXPECT_RESULT(cede_job_await_cancelable(self, &none, note, &note, CEDE_FOREVER, &cancel),
                  CEDE_EINVAL);
    job = start(self, double_value, 4);
    struct number *other = NULL;
    EXPECT_RESULT(cede_job_await_cancelable(self, &job, number, &other, CEDE_FOREVER, &cancel),
                  CEDE_ETYPE);
    EXPECT_OK(finish(self, job));
    return CEDE_OK;
}

TURN_TEST(job_with_a_token_may_be_out_of_time_and_is_awaited_again) {
    (void)context;
    cede_cancel cancel;
    struct note *note = NULL;
    gate_reset();
    cede_cancel_init(&cancel, NULL);
    cede_job *job = start(self, wait_at_gate, 1);
    EXPECT_RESULT(cede_job_await_cancelable(self, &job, note, &note, 0, &cancel), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_job_await_cancelable(self, &job, note, &note, CEDE_MILLIS(1), &cancel),
                  CEDE_ETIMEDOUT);
    EXPECT(job != NULL && note == NULL && cancel.cedei_awaited == 0);
    flag_await(self, &waiting, 1);
    cede_cancel_request(&cancel);
    /* The function does not look at its token: the wait goes on until the time is over. */
    EXPECT_RESULT(cede_job_await_cancelable(self, &job, note, &note, CEDE_MILLIS(1), &cancel),
                  CEDE_ETIMEDOUT);
    EXPECT(job != NULL && note == NULL);
    gate_open();
    EXPECT_OK(cede_job_await_cancelable(self, &job, note, &note, CEDE_FOREVER, &cancel));
    EXPECT(job == NULL && note != NULL);
    cede_drop(self, &note);
    return CEDE_OK;
}

TURN_TEST(job_with_a_token_is_still_there_when_memory_was_short) {
    (void)context;
    cede_cancel cancel;
    struct note *note = NULL;
    gate_reset();
    cede_cancel_init(&cancel, NULL);
    cede_job *job = start(self, wait_at_gate, 1);
    flag_await(self, &waiting, 1);
    cedei_alloc_fail_after(0, false);
    cede_result r = cede_job_await_cancelable(self, &job, note, &note, CEDE_MILLIS(1), &cancel);
    cedei_alloc_fail_never();
    EXPECT(r == CEDE_ETIMEDOUT || r == CEDE_ENOMEM || r == CEDE_ELIMIT);
    EXPECT(job != NULL && note == NULL && cancel.cedei_awaited == 0);
    gate_open();
    EXPECT_OK(cede_job_await_cancelable(self, &job, note, &note, CEDE_FOREVER, &cancel));
    cede_drop(self, &note);
    return CEDE_OK;
}

TURN_TEST(job_and_token_are_left_by_an_actor_that_is_killed_while_it_waits_for_both) {
    (void)context;
    static struct token_wait wait;
    static cede_cancel cancel;
    gate_reset();
    cede_cancel_init(&cancel, NULL);
    wait = (struct token_wait){
        .run = wait_for_the_token, .cancel = &cancel, .timeout_ns = CEDE_FOREVER};
    cede_ref waiter = play(self, await_with_token, &wait);
    flag_await(self, &waiting, 1);
    parked_await(self, waiter);
    EXPECT_OK(cede_monitor(self, waiter));
    EXPECT_OK(cede_kill(self, waiter));
    EXPECT_RESULT(down_await(self, waiter), CEDE_EKILLED);
    EXPECT_EQUAL(cancel.cedei_awaited, 0);
    cede_cancel_request(&cancel); /* reaches nobody */
    flag_await(self, &stopped, 1);
    EXPECT_EQUAL(flag_get(&wait.done), 0);
    return CEDE_OK;
}

/* A request goes along with its duty to reply. */
static cede_result answer_by_job(cede_self *self, void *context) {
    (void)context;
    cede_job *job = NULL;
    struct question *request = NULL;
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    EXPECT_OK(cede_job_start_blocking(self, NULL, wait_at_gate, &request, &job));
    gate_open();
    EXPECT_OK(cede_job_await(self, &job, question, &request, CEDE_FOREVER));
    answer_give(self, request, 7);
    cede_drop(self, &request);
    EXPECT_OK(cede_recv(self, question, &request, CEDE_FOREVER));
    EXPECT_OK(cede_job_start_blocking(self, NULL, wait_at_gate, &request, &job));
    cede_job_drop(self, &job);
    return CEDE_STOP;
}

TURN_TEST(job_that_has_a_request_lets_it_be_answered_and_refuses_it_when_it_is_dropped) {
    (void)context;
    gate_reset();
    cede_ref server = play(self, answer_by_job, NULL);
    uint64_t value = 0;
    EXPECT_OK(question_ask(self, server, 1, &value));
    EXPECT_EQUAL(value, 7);
    EXPECT_RESULT(question_ask(self, server, 1, NULL), CEDE_ENOREPLY);
    return CEDE_OK;
}

/* ---- room ---- */

enum { QUEUE = 2 };

static void with_little_room(cede_block_fn *run) {
    struct fixture *fixture = fixture_begin((struct cede_options){
        .workers = 1, .blocking_threads_max = 1, .blocking_queue_max = QUEUE});
    fixture_run(fixture, run, NULL);
    fixture_end(fixture);
}

static cede_result start_beyond_the_room(cede_self *self, void *context) {
    (void)context;
    cede_job *jobs[1 + QUEUE], *more = NULL;
    gate_reset();
    for (int i = 0; i < 1 + QUEUE; i++) jobs[i] = start(self, wait_at_gate, 1);
    struct note *note = note_new(self, 9);
    EXPECT_RESULT(cede_job_start_blocking(self, NULL, double_value, &note, &more), CEDE_EFULL);
    EXPECT(note->value == 9 && more == NULL);
    EXPECT_RESULT(cede_job_start_wait(self, NULL, CEDE_BLOCKING, double_value, &note, &more, 0),
                  CEDE_ETIMEDOUT);
    for (int i = 0; i < 50; i++)
        EXPECT_RESULT(
            cede_job_start_wait(self, NULL, CEDE_BLOCKING, double_value, &note, &more, 10000),
            CEDE_ETIMEDOUT);
    EXPECT(note->value == 9 && more == NULL);
    EXPECT_OK(cede_job_start(self, NULL, double_value, &note,
                             &more)); /* workers have room of their own */
    EXPECT_OK(finish(self, more));
    gate_open();
    for (int i = 0; i < 1 + QUEUE; i++) EXPECT_OK(finish(self, jobs[i]));
    EXPECT_OK(finish(self, start(self, double_value, 1)));
    return CEDE_OK;
}

static void job_beyond_the_room_is_refused_and_its_message_stays(void **state) {
    (void)state;
    with_little_room(start_beyond_the_room);
}

static cede_result end_at_once(void *message, const cede_cancel *cancel) {
    (void)message, (void)cancel;
    return CEDE_OK;
}

static cede_result start_in_line(cede_self *self, void *context) {
    cede_job *job = NULL;
    struct note *note = note_new(self, (uintptr_t)context);
    EXPECT_OK(
        cede_job_start_wait(self, NULL, CEDE_BLOCKING, end_at_once, &note, &job, CEDE_FOREVER));
    cede_result r = finish(self, job);
    EXPECT(r == CEDE_OK || r == CEDE_ECLOSED); /* the system goes */
    return CEDE_STOP;
}

enum { IN_LINE = 6, LINE_JOBS = 1 + QUEUE + IN_LINE - 1 };

static _Atomic uint32_t order[LINE_JOBS], order_count, let_in;

/* Notes who it is, and ends when `gate` is past its place: so one is let in at a time, whatever the machine does. */
static cede_result note_order(void *message, const cede_cancel *cancel) {
    (void)cancel;
    /* acq_rel: counted for the test. */
    uint32_t at = atomic_fetch_add_explicit(&order_count, 1, memory_order_acq_rel);
    EXPECT(at < LINE_JOBS);
    flag_set(&order[at], (uint32_t)((struct note *)message)->value);
    for (uint32_t now = 0; (now = flag_get(&gate)) <= at;) cedei_futex_wait(&gate, now, UINT64_MAX);
    return CEDE_OK;
}

static cede_result come_in(cede_self *self, void *context) {
    cede_job *job = start(self, note_order, (uintptr_t)context);
    count_up(&let_in);
    EXPECT_OK(finish(self, job));
    return CEDE_STOP;
}

static cede_result wait_for_room(cede_self *self, void *context) {
    (void)context;
    cede_job *jobs[1 + QUEUE];
    cede_ref refs[IN_LINE];
    gate_reset();
    flag_set(&order_count, 0);
    flag_set(&let_in, 0);
    for (uint64_t i = 0; i < 1 + QUEUE; i++) jobs[i] = start(self, note_order, 10 + i);
    for (uintptr_t i = 0; i < IN_LINE; i++) {
        refs[i] = play(self, come_in, (void *)(i + 1));
        parked_await(self, refs[i]);
        EXPECT_OK(cede_monitor(self, refs[i]));
    }
    EXPECT_OK(cede_kill(self, refs[2])); /* the others come in all the same */
    EXPECT_RESULT(down_await(self, refs[2]), CEDE_EKILLED);
    for (uint32_t i = 1; i <= LINE_JOBS; i++) {
        EXPECT_EQUAL(flag_get(&let_in), i - 1 < IN_LINE - 1 ? i - 1 : IN_LINE - 1);
        flag_set(&gate, i);
        cedei_futex_wake(&gate, 1000);
        while (i < IN_LINE && flag_get(&let_in) < i) cede_yield(self);
    }
    for (int i = 0; i < 1 + QUEUE; i++) EXPECT_OK(finish(self, jobs[i]));
    for (int i = 0; i < IN_LINE - 1; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        EXPECT_EQUAL(down->reason, CEDE_OK);
        cede_drop(self, &down);
    }
    static const uint32_t WANTED[LINE_JOBS] = {10, 11, 12, 1, 2, 4, 5, 6};
    EXPECT_EQUAL(flag_get(&order_count), LINE_JOBS);
    for (int i = 0; i < LINE_JOBS; i++) EXPECT_EQUAL(flag_get(&order[i]), WANTED[i]);
    return CEDE_OK;
}

static void job_waits_for_room_and_comes_in_as_it_came(void **state) {
    (void)state;
    with_little_room(wait_for_room);
}

/* ---- actors that end with jobs ---- */

struct ending {
    _Atomic uint32_t ready;
    cede_result reason; /* with which it ends by itself; CEDE_OK: it waits to be killed */
};

/* One job has ended untaken, one runs and is awaited, two wait in the queue, one of them cancelled. */
static cede_result end_with_jobs(cede_self *self, void *context) {
    struct ending *ending = context;
    cede_job *done = start_as(self, CEDE_ASYNC, double_value, 1);
    cede_job *runs_now = start(self, wait_for_the_token, 2);
    cede_job *queued = start(self, double_value, 3), *cancelled = start(self, double_value, 4);
    (void)done, (void)queued;
    EXPECT_OK(cede_job_cancel(self, cancelled));
    while (flag_get(&waiting) == 0 || flag_get(&runs) < 2) cede_yield(self);
    flag_set(&ending->ready, 1);
    if (ending->reason != CEDE_OK) return ending->reason;
    return finish(self, runs_now); /* for ever */
}

static cede_result watch_an_actor_end_with_jobs(cede_self *self, void *context) {
    static struct ending ending;
    ending = (struct ending){.reason = *(cede_result *)context};
    gate_reset();
    cede_ref actor = play(self, end_with_jobs, &ending);
    EXPECT_OK(cede_monitor(self, actor));
    flag_await(self, &ending.ready, 1);
    if (ending.reason == CEDE_OK) {
        parked_await(self, actor);
        EXPECT_OK(cede_kill(self, actor));
    }
    cede_result reason = down_await(self, actor);
    EXPECT(reason == CEDE_EKILLED || reason == CEDE_ENOACTOR || reason == ending.reason ||
           ending.reason == CEDE_STOP);
    flag_await(self, &stopped, 1); /* the running one saw its token */
    EXPECT_OK(finish(self, start(self, double_value, 9)));
    EXPECT_EQUAL(flag_get(&runs), 3); /* and the queued ones never ran */
    return CEDE_OK;
}

static void actor_that_ends_leaves_no_job_behind(void **state) {
    (void)state;
    cede_result reasons[] = {CEDE_OK, CEDE_STOP, CEDE_EIO};
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        struct fixture *fixture = fixture_begin((struct cede_options){.blocking_threads_max = 1});
        fixture_run(fixture, watch_an_actor_end_with_jobs, &reasons[i]);
        fixture_end(fixture);
    }
}

/* A handle in the state outlives the turn. */
struct keeper {
    cede_job *job;
};

static cede_result on_keep(cede_self *self, struct keeper *state, struct number *message) {
    (void)message;
    state->job = start(self, double_value, 21);
    return CEDE_OK;
}

static cede_result on_fetch(cede_self *self, struct keeper *state, struct question *request) {
    struct note *note = NULL;
    EXPECT_OK(cede_job_await(self, &state->job, note, &note, CEDE_FOREVER));
    answer_give(self, request, note->value);
    return CEDE_OK;
}
#define KEEPER(ON)                                                                                 \
    ON(number, on_keep)                                                                            \
    ON(question, on_fetch)
CEDE_BEHAVIOUR(keeper, struct keeper, KEEPER);

TURN_TEST(job_may_be_awaited_in_a_later_turn) {
    (void)context;
    cede_ref actor = {0};
    uint64_t value = 0;
    EXPECT_OK(cede_spawn(self, &keeper, CEDE_NOTHING, &actor));
    number_send(self, actor, 1);
    EXPECT_OK(question_ask(self, actor, 1, &value));
    EXPECT_EQUAL(value, 42);
    return CEDE_OK;
}

/* ---- the end of the system ---- */

static cede_result leave_jobs_under_way(cede_self *self, void *context) {
    (void)context;
    static struct ending endings[4];
    gate_reset();
    for (int i = 0; i < 4; i++) {
        endings[i] = (struct ending){0};
        play(self, end_with_jobs, &endings[i]);
        play(self, start_in_line, (void *)1);
    }
    while (flag_get(&waiting) < 1) cede_yield(self);
    return CEDE_OK; /* this actor's end comes with the system's; the rest is wherever it is */
}

static void system_that_is_destroyed_ends_jobs_wherever_they_are(void **state) {
    (void)state;
    for (int round = 0; round < 20; round++) {
        struct fixture *fixture =
            fixture_begin((struct cede_options){.blocking_threads_max = 2, .blocking_queue_max = 3});
        fixture_run(fixture, leave_jobs_under_way, NULL);
        fixture_end(fixture); /* running jobs see the system's token: no gate is opened */
        EXPECT(flag_get(&stopped) >= 1);
    }
}

/* ---- many at once ---- */

enum { STRESS_ACTORS = 40, STRESS_ROUNDS = 200 };

static uint32_t random_next(uint32_t *seed) {
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

static cede_result short_or_long(void *message, const cede_cancel *cancel) {
    count_up(&runs);
    for (uint64_t i = 0; i < ((struct note *)message)->value; i++) {
        if (cede_cancel_is_requested(cancel)) return CEDE_ECANCELED;
        cedei_cpu_relax();
    }
    return CEDE_OK;
}

/* A token for each job of each actor; requested by a plain thread, whatever the job is doing at the time. */
static cede_cancel stress_tokens[STRESS_ACTORS * STRESS_ROUNDS];
static _Atomic uint32_t stress_ends;

static void *stress_request(void *context) {
    uint32_t seed = *(uint32_t *)context;
    for (uint32_t round = 0; round < STRESS_ROUNDS && flag_get(&stress_ends) == 0; round++)
        for (uint32_t i = 0; i < STRESS_ACTORS; i++) {
            if (random_next(&seed) % 4 == 0) sched_yield();
            cede_cancel_request(&stress_tokens[i * STRESS_ROUNDS + round]);
        }
    return NULL;
}

static CEDE_YIELDS void stress_one(cede_self *self, uint32_t *seed, const cede_cancel *cancel) {
    cede_job *job = NULL;
    struct note *note = note_new(self, random_next(seed) % 2000), *back = NULL;
    enum cede_kind kind = random_next(seed) % 2 ? CEDE_ASYNC : CEDE_BLOCKING;
    uint64_t timeout_ns = random_next(seed) % 50000;
    cede_result r =
        cede_job_start_wait(self, NULL, kind, short_or_long, &note, &job, timeout_ns + 1000);
    EXPECT(r == CEDE_OK || r == CEDE_ETIMEDOUT);
    if (r != CEDE_OK) {
        cede_drop(self, &note);
        return;
    }
    switch (random_next(seed) % 6) {
    case 0: cede_job_drop(self, &job); break;
    case 1: EXPECT_OK(cede_job_cancel(self, job)); break;
    case 2: (void)cede_job_await(self, &job, note, &back, timeout_ns); break;
    case 3: (void)cede_job_await_cancelable(self, &job, note, &back, timeout_ns, cancel); break;
    case 4:
        (void)cede_job_await_cancelable(self, &job, note, &back, CEDE_FOREVER, cancel);
        EXPECT(job == NULL && back != NULL);
        break;
    default: break;
    }
    if (job != NULL && random_next(seed) % 8 == 0) return; /* until the actor ends */
    if (job != NULL) (void)cede_job_await(self, &job, note, &back, CEDE_FOREVER);
    if (back != NULL) cede_drop(self, &back);
}

static struct stress {
    uint32_t seed;
    cede_cancel *tokens;
} stresses[STRESS_ACTORS];

static cede_result stress_actor(cede_self *self, void *context) {
    struct stress *stress = context;
    uint32_t seed = stress->seed;
    for (int i = 0; i < STRESS_ROUNDS; i++) stress_one(self, &seed, &stress->tokens[i]);
    return random_next(&seed) % 2 ? CEDE_STOP : CEDE_EIO;
}

static cede_result stress_all(cede_self *self, void *context) {
    uint32_t seed = *(uint32_t *)context;
    cede_ref refs[STRESS_ACTORS];
    pthread_t requester;
    uint32_t requests_seed = seed;
    flag_set(&stress_ends, 0);
    for (int i = 0; i < STRESS_ACTORS * STRESS_ROUNDS; i++)
        cede_cancel_init(&stress_tokens[i], NULL);
    EXPECT(pthread_create(&requester, NULL, stress_request, &requests_seed) == 0);
    for (uint32_t i = 0; i < STRESS_ACTORS; i++) {
        stresses[i] = (struct stress){seed + i, &stress_tokens[i * STRESS_ROUNDS]};
        refs[i] = play(self, stress_actor, &stresses[i]);
        EXPECT_OK(cede_monitor(self, refs[i]));
    }
    for (int i = 0; i < STRESS_ACTORS; i += 3) {
        EXPECT_OK(cede_sleep(self, random_next(&seed) % 100000));
        (void)cede_kill(self, refs[i]);
    }
    for (int i = 0; i < STRESS_ACTORS; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
    flag_set(&stress_ends, 1);
    EXPECT(pthread_join(requester, NULL) == 0);
    for (int i = 0; i < STRESS_ACTORS * STRESS_ROUNDS; i++)
        EXPECT_EQUAL(stress_tokens[i].cedei_awaited, 0);
    return CEDE_OK;
}

static void jobs_of_many_actors_that_cancel_drop_time_out_and_die_all_end_once(void **state) {
    (void)state;
    uint32_t seed = test_setting("CEDE_TEST_SEED", 20261127);
    for (uint32_t round = 0; round < 3; round++) {
        uint32_t now = seed + round;
        fprintf(stderr, "seed %u (CEDE_TEST_SEED)\n", now);
        struct fixture *fixture = fixture_begin((struct cede_options){
            .blocking_threads_max = 4, .blocking_queue_max = 8, .blocking_idle_ns = 100000});
        fixture_run(fixture, stress_all, &now);
        fixture_end(fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(job_gives_its_message_back_with_what_it_wrote),
        WITH_SYSTEM(job_takes_a_kept_message_and_one_that_the_handler_got),
        WITH_SYSTEM(job_needs_no_message),
        WITH_SYSTEM(job_is_awaited_until_the_time_is_over_and_again),
        WITH_SYSTEM(job_wakes_the_turn_that_waits_for_it),
        WITH_SYSTEM(job_misused_is_refused),
        cmocka_unit_test(job_cancelled_in_the_queue_never_runs),
        WITH_SYSTEM(job_that_runs_sees_its_token_when_it_is_cancelled_or_dropped),
        cmocka_unit_test(job_in_the_queue_is_withdrawn_by_a_token_of_the_program),
        WITH_SYSTEM(job_that_runs_sees_a_token_of_the_program),
        WITH_SYSTEM(job_with_a_token_that_nobody_requests_ends_as_any_other),
        WITH_SYSTEM(job_with_a_token_may_be_out_of_time_and_is_awaited_again),
        WITH_SYSTEM(job_with_a_token_is_still_there_when_memory_was_short),
        WITH_SYSTEM(job_and_token_are_left_by_an_actor_that_is_killed_while_it_waits_for_both),
        WITH_SYSTEM(job_that_has_a_request_lets_it_be_answered_and_refuses_it_when_it_is_dropped),
        cmocka_unit_test(job_beyond_the_room_is_refused_and_its_message_stays),
        cmocka_unit_test(job_waits_for_room_and_comes_in_as_it_came),
        cmocka_unit_test(actor_that_ends_leaves_no_job_behind),
        WITH_SYSTEM(job_may_be_awaited_in_a_later_turn),
        cmocka_unit_test(system_that_is_destroyed_ends_jobs_wherever_they_are),
        cmocka_unit_test(jobs_of_many_actors_that_cancel_drop_time_out_and_die_all_end_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
