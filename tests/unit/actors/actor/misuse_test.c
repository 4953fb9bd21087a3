/* What a program may not do: in checking builds it ends the process with the name of the mistake, in others it gives a
 * result code where there is one. Strict mode shows aliases of messages that were sent. Overflows of a turn's stack. */
#include <cede/mutex.h>

#include "core/sys/guard.h"

#include "tests/support/actors.h"

#if CEDEI_TSAN
#define SKIP_UNDER_TSAN()                                                                          \
    skip() /* ThreadSanitizer dislikes forks of processes with threads, and takes over faults */
#else
#define SKIP_UNDER_TSAN() ((void)0)
#endif

struct child_case {
    cede_block_fn *run;
    bool strict;
    void *context;
};

static void run_in_system(void *context) {
    struct child_case *child = context;
    cede_system *system = NULL;
    struct cede_options options = {.workers = 2, .strict = child->strict};
    EXPECT_OK(cede_system_create(&system, &options));
    EXPECT_OK(cede_block_on(system, child->run, child->context != NULL ? child->context : system));
    cede_system_destroy(system);
}

static void expect_abort(cede_block_fn *run, const char *text) {
    struct child_case child = {.run = run};
    EXPECT_CHILD_ABORTS(run_in_system, &child, text);
}

static void expect_survival(cede_block_fn *run, bool strict) {
    struct child_case child = {.run = run, .strict = strict};
    struct child_end end;
    child_run(&end, run_in_system, &child);
    if (end.status == 0) return;
    fprintf(stderr, "the child should have lived; status %d, it said:\n%s\n", end.status, end.text);
    abort();
}

/* Checking builds abort with `text`; others must get through `run`, which expects result codes then. */
static void expect_abort_if_checked(cede_block_fn *run, const char *text) {
    if (CEDEI_CHECKS)
        expect_abort(run, text);
    else
        expect_survival(run, false);
}

/* ---- messages that are not the caller's ---- */

static cede_result recv_for_ever(cede_self *self, void *context) {
    (void)context;
    struct answer *message = NULL;
    (void)cede_recv(self, answer, &message, CEDE_FOREVER);
    return CEDE_STOP;
}

static cede_result send_twice(cede_self *self, void *context) {
    (void)context;
    cede_ref other = play(self, recv_for_ever, NULL);
    parked_await(self, other);
    struct number *message = cede_new(self, number), *alias = message;
    EXPECT_OK(cede_send(self, other, &message));
    EXPECT_RESULT(cede_send(self, other, &alias), CEDE_EOWNER);
    EXPECT(alias != NULL);
    return CEDE_OK;
}

static void send_of_an_alias_is_refused_by_name(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    if (!CEDEI_ASAN)
        expect_abort_if_checked(send_twice, "the message is not the caller's: it is in a mailbox");
}

static cede_result drop_twice(cede_self *self, void *context) {
    (void)context;
    struct number *message = cede_new(self, number), *alias = message;
    cede_drop(self, &message);
    cede_drop(self, &alias);
    EXPECT(alias == NULL);
    return CEDE_OK;
}

static void drop_of_an_alias_is_refused_by_name(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    if (CEDEI_ASAN)
        expect_abort(drop_twice, "AddressSanitizer: heap-use-after-free");
    else
        expect_abort_if_checked(drop_twice, "the message is not the caller's: it is freed");
}

static cede_result alias_job(void *message) {
    (void)message;
    return CEDE_OK;
}

struct loan {
    struct number *theirs;
    _Atomic uint32_t state;
};

static cede_result lend_and_wait(cede_self *self, void *context) {
    struct loan *loan = context;
    loan->theirs = cede_new(self, number);
    flag_set(&loan->state, 1);
    flag_await(self, &loan->state, 2);
    return CEDE_STOP;
}

static cede_result use_a_strangers_message(cede_self *self, void *context) {
    (void)context;
    static struct loan loan;
    play(self, lend_and_wait, &loan);
    flag_await(self, &loan.state, 1);
    struct number *alias = loan.theirs;
    EXPECT_RESULT(cede_send(self, cede_self_ref(self), &alias), CEDE_EOWNER);
    EXPECT(cede_keep(self, &alias) == NULL && alias != NULL);
    struct answer *reply = NULL;
    EXPECT_RESULT(cede_ask(self, cede_self_ref(self), &alias, answer, &reply, 0), CEDE_EOWNER);
    struct answer *mine = cede_new(self, answer);
    EXPECT_RESULT(cede_reply(self, alias, &mine), CEDE_EOWNER);
    EXPECT_RESULT(cede_run_blocking(self, alias_job, &alias), CEDE_EOWNER);
    flag_set(&loan.state, 2);
    return CEDE_OK;
}

static void use_of_a_strangers_message_is_refused_by_name(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    expect_abort_if_checked(use_a_strangers_message,
                            "the message is not the caller's: it is owned by another turn");
}

/* ---- a cede_self that is not the caller's ---- */

static cede_result lend_self(cede_self *self, void *context) {
    *(cede_self **)context = self;
    static _Atomic uint32_t never;
    flag_await(self, &never, 1);
    return CEDE_STOP;
}

static cede_result use_a_strangers_self(cede_self *self, void *context) {
    (void)context;
    static cede_self *theirs;
    cede_ref other = play(self, lend_self, &theirs);
    while (theirs == NULL) cede_yield(self);
    struct number *message = cede_new(theirs, number);
    (void)message, (void)other;
    return CEDE_OK;
}

static void self_of_another_actor_is_refused_by_name(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    if (CEDEI_CHECKS)
        expect_abort(use_a_strangers_self,
                     "belongs to actor 'player', whose turn is not running here");
}

static cede_self *leaked_self;

static cede_result leak_self(cede_self *self, void *context) {
    (void)context;
    leaked_self = self;
    return CEDE_OK;
}

static void use_self_on_a_plain_thread(void *context) {
    (void)context;
    cede_system *system = NULL;
    EXPECT_OK(cede_system_create(&system, NULL));
    EXPECT_OK(cede_block_on(system, leak_self, NULL));
    cede_yield(leaked_self);
}

static void self_on_a_plain_thread_is_refused_by_name(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    if (CEDEI_CHECKS)
        EXPECT_CHILD_ABORTS(use_self_on_a_plain_thread, NULL,
                            "called with a cede_self from a plain thread");
}

/* ---- nobody calls ---- */

static cede_result echo_job(void *message) {
    (void)message;
    return CEDE_OK;
}

static cede_result call_without_a_self(cede_self *self, void *context) {
    (void)context;
    struct number *message = cede_new(self, number), *mine = message;
    struct answer *reply = NULL;
    cede_ref ref = cede_self_ref(self);
    struct cede_metrics metrics = {.turns = 1};
    EXPECT(cede_new(NULL, number) == NULL);
    EXPECT(cede_keep(NULL, &message) == NULL && message == mine);
    EXPECT_RESULT(cede_send(NULL, ref, &message), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_send_wait(NULL, ref, &message, 0), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_reply(NULL, message, &message), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_ask(NULL, ref, &message, answer, &reply, 0), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_recv(NULL, answer, &reply, 0), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_run_blocking(NULL, echo_job, &message), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_spawn(NULL, &player, CEDE_NOTHING, &ref), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_stop(NULL, ref), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_kill(NULL, ref), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_monitor(NULL, ref), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_sleep(NULL, 0), CEDE_ECONTEXT);
    cede_yield(NULL);
    EXPECT(cede_ref_is_none(cede_self_ref(NULL)) && cede_self_system(NULL) == NULL);
    cede_system_metrics(NULL, &metrics);
    EXPECT(metrics.turns == 0);
    EXPECT(message == mine);
    cede_drop(self, &message);
    return CEDE_OK;
}

/* In a child, as the others here: a system in this process would take the fault handler that they need. */
static void calls_without_a_self_give_a_code(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    expect_survival(call_without_a_self, false);
}

/* ---- guards and the system ---- */

static cede_result yield_with_a_mutex(cede_self *self, void *context) {
    (void)context;
    static cede_mutex mutex;
    EXPECT_OK(cede_mutex_init(&mutex));
    cede_mutex_lock(&mutex);
    cede_yield(self);
    return CEDE_OK;
}

static void mutex_held_over_a_yield_is_refused_by_name(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    if (CEDEI_CHECKS)
        expect_abort(
            yield_with_a_mutex,
            "actor 'cede_block_on' handling 'cedei_block_call' yields while it holds 1 cede_mutex");
}

static cede_mutex misused;

static cede_result end_with_a_mutex(cede_self *self, void *context) {
    (void)self, (void)context;
    EXPECT_OK(cede_mutex_init(&misused));
    cede_mutex_lock(&misused);
    return CEDE_OK;
}

static cede_result job_that_ends_with_a_mutex(void *message) {
    (void)message;
    cede_mutex_lock(&misused);
    return CEDE_OK;
}

static cede_result end_a_job_with_a_mutex(cede_self *self, void *context) {
    (void)context;
    struct number *message = cede_new(self, number);
    EXPECT_OK(cede_mutex_init(&misused));
    return cede_run_blocking(self, job_that_ends_with_a_mutex, &message);
}

static cede_result lock_a_mutex_twice(cede_self *self, void *context) {
    (void)self, (void)context;
    EXPECT_OK(cede_mutex_init(&misused));
    cede_mutex_lock(&misused);
    cede_mutex_lock(&misused);
    return CEDE_OK;
}

static cede_result unlock_a_mutex_that_is_free(cede_self *self, void *context) {
    (void)self, (void)context;
    EXPECT_OK(cede_mutex_init(&misused));
    cede_mutex_unlock(&misused);
    return CEDE_OK;
}

static void misuse_of_a_mutex_is_refused_by_name(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    if (!CEDEI_CHECKS) skip();
    expect_abort(end_with_a_mutex,
                 "actor 'cede_block_on' handling 'cedei_block_call' has ended while it "
                 "holds 1 cede_mutex");
    expect_abort(end_a_job_with_a_mutex, "a job has ended while it holds 1 cede_mutex");
    expect_abort(lock_a_mutex_twice,
                 "handling 'cedei_block_call' locks a cede_mutex that it holds already");
    expect_abort(unlock_a_mutex_that_is_free, "unlocks a cede_mutex that it does not hold");
}

static cede_result destroy_own_system(cede_self *self, void *context) {
    (void)context;
    cede_system_destroy(cede_self_system(self));
    return CEDE_OK;
}

static void destroy_from_a_turn_is_refused_by_name(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    expect_abort(destroy_own_system, "cede_system_destroy called from a turn of the same system");
}

/* ---- strict mode ---- */

static cede_result use_late_alias(cede_self *self, void *context) {
    (void)context;
    cede_ref other = play(self, recv_for_ever, NULL);
    parked_await(self, other);
    struct number *message = cede_new(self, number), *alias = message;
    message->value = 7;
    EXPECT_OK(cede_send(self, other, &message));
    EXPECT_EQUAL(alias->value, 0xA5A5A5A5A5A5A5A5u); /* poisoned, and not what the receiver has */
    return CEDE_OK;
}

static void strict_mode_shows_a_late_alias(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    struct child_case child = {.run = use_late_alias, .strict = true};
    if (CEDEI_ASAN) {
        EXPECT_CHILD_ABORTS(run_in_system, &child, "AddressSanitizer: heap-use-after-free");
        return;
    }
    if (!CEDEI_GUARDS) {
        expect_survival(use_late_alias, true);
        return;
    }
    struct child_end end;
    child_run(&end, run_in_system, &child);
    EXPECT(child_died_of(&end, SIGSEGV));
    EXPECT(strstr(end.text, "used in use_late_alias") != NULL);
    EXPECT(strstr(end.text, "a message 'number' or a part of it was moved at ") != NULL);
}

static cede_result strict_send_twice(cede_self *self, void *context) {
    return send_twice(self, context);
}

static void strict_mode_names_the_place_of_the_first_send(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    struct child_case child = {.run = strict_send_twice, .strict = true};
    if (CEDEI_CHECKS && !CEDEI_ASAN) {
        EXPECT_CHILD_ABORTS(run_in_system, &child, "misuse_test.c");
        EXPECT_CHILD_ABORTS(run_in_system, &child, "moved at");
    }
}

/* ---- stacks ---- */

static CEDEI_NOINLINE uint64_t recurse(volatile uint64_t depth) {
    volatile char room[512];
    room[0] = (char)depth;
    if (depth == 0) return 0;
    return recurse(depth - 1) + (uint64_t)room[0];
}

static cede_result on_note_overflow(cede_self *self, struct player *state, struct note *message) {
    (void)state;
    cede_yield(self); /* on a leased stack that was switched away from once */
    message->value = recurse(1u << 20);
    return CEDE_OK;
}
#define DIVER(ON) ON(note, on_note_overflow)
CEDE_BEHAVIOUR(diver, struct player, DIVER);

static cede_result spawn_a_diver(cede_self *self, void *context) {
    (void)context;
    struct note *first = cede_new(self, note);
    EXPECT_OK(cede_spawn(self, &diver, &first, NULL));
    (void)cede_sleep(self, CEDE_FOREVER);
    return CEDE_OK;
}

static void stack_overflow_is_reported_with_actor_and_message(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    if (CEDEI_ASAN) skip(); /* it takes over the fault */
    struct child_case child = {.run = spawn_a_diver};
    struct child_end end;
    child_run(&end, run_in_system, &child);
    EXPECT(child_died_of(&end, SIGSEGV));
    if (strstr(end.text, "stack overflow in actor 'diver' handling 'note'") == NULL) {
        fprintf(stderr, "it said: %s\n", end.text);
        abort();
    }
}

CEDE_BEHAVIOUR(small_diver, struct player, DIVER, .stack_size = 16384);

static cede_result spawn_a_small_diver(cede_self *self, void *context) {
    (void)context;
    struct note *first = cede_new(self, note);
    EXPECT_OK(cede_spawn(self, &small_diver, &first, NULL));
    (void)cede_sleep(self, CEDE_FOREVER);
    return CEDE_OK;
}

/* In one frame, which is larger than the guard page and than the whole stack. */
static CEDEI_NOINLINE uint64_t fill_a_large_frame(unsigned value) {
    volatile unsigned char room[512 << 10];
    room[0] = (unsigned char)value;
    for (size_t i = 4096; i < sizeof room; i += 4096) room[i] = room[i - 4096];
    return room[sizeof room - 4096];
}

static cede_result on_number_large(cede_self *self, struct player *state, struct number *message) {
    (void)self, (void)state;
    message->value = fill_a_large_frame((unsigned)message->value);
    return CEDE_OK;
}
#define GLUTTON(ON) ON(number, on_number_large)
CEDE_BEHAVIOUR(glutton, struct player, GLUTTON);

static cede_result spawn_a_glutton(cede_self *self, void *context) {
    (void)context;
    struct number *first = cede_new(self, number);
    EXPECT_OK(cede_spawn(self, &glutton, &first, NULL));
    (void)cede_sleep(self, CEDE_FOREVER);
    return CEDE_OK;
}

static void stack_overflow_of_a_sized_stack_is_reported_too(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    if (CEDEI_ASAN) skip(); /* as above */
    struct child_case child = {.run = spawn_a_small_diver};
    struct child_end end;
    child_run(&end, run_in_system, &child);
    EXPECT(child_died_of(&end, SIGSEGV));
    EXPECT(strstr(end.text, "stack overflow in actor 'small_diver' handling 'note'") != NULL);
}

static void stack_overflow_by_one_large_frame_is_reported(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    if (CEDEI_ASAN) skip(); /* it takes over the fault */
    struct child_case child = {.run = spawn_a_glutton};
    struct child_end end;
    child_run(&end, run_in_system, &child);
    EXPECT(child_died_of(&end, SIGSEGV));
    if (strstr(end.text, "stack overflow in actor 'glutton' handling 'number'") == NULL) {
        fprintf(stderr, "it said: %s\n", end.text);
        abort();
    }
}

static cede_result fault_elsewhere(cede_self *self, void *context) {
    (void)self, (void)context;
    int *volatile nowhere =
        (int *)(uintptr_t)64; /* volatile: the compiler must not see where it points */
    *nowhere = 1;
    return CEDE_OK;
}

static void fault_that_is_no_overflow_stays_a_plain_fault(void **state) {
    (void)state;
    SKIP_UNDER_TSAN();
    if (CEDEI_ASAN) skip();
    struct child_case child = {.run = fault_elsewhere};
    struct child_end end;
    child_run(&end, run_in_system, &child);
    EXPECT(WIFSIGNALED(end.status) && WTERMSIG(end.status) == SIGSEGV);
    EXPECT(strstr(end.text, "stack overflow") == NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(send_of_an_alias_is_refused_by_name),
        cmocka_unit_test(drop_of_an_alias_is_refused_by_name),
        cmocka_unit_test(use_of_a_strangers_message_is_refused_by_name),
        cmocka_unit_test(calls_without_a_self_give_a_code),
        cmocka_unit_test(misuse_of_a_mutex_is_refused_by_name),
        cmocka_unit_test(self_of_another_actor_is_refused_by_name),
        cmocka_unit_test(self_on_a_plain_thread_is_refused_by_name),
        cmocka_unit_test(mutex_held_over_a_yield_is_refused_by_name),
        cmocka_unit_test(destroy_from_a_turn_is_refused_by_name),
        cmocka_unit_test(strict_mode_shows_a_late_alias),
        cmocka_unit_test(strict_mode_names_the_place_of_the_first_send),
        cmocka_unit_test(stack_overflow_is_reported_with_actor_and_message),
        cmocka_unit_test(stack_overflow_of_a_sized_stack_is_reported_too),
        cmocka_unit_test(stack_overflow_by_one_large_frame_is_reported),
        cmocka_unit_test(fault_that_is_no_overflow_stays_a_plain_fault),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
