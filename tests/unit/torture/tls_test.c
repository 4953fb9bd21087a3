/* Thread-locals in turns that change threads: many actors on many workers, suspended again and again, also with the
 * whole program optimised at once (-O3 -flto). What goes through the library must be right every time. The control
 * breaks the rule (plain errno on both sides of a yield) and must be seen to go wrong: else this test proves nothing. */
#include <errno.h>
#include <unistd.h>

#include "tests/support/actors.h"

enum { WORKERS = 8, ACTORS = 48, ROUNDS = 300 };

struct torture {
    _Atomic uint32_t done, moves, wrong;
    cede_ref echo;
};

static struct torture torture;

static void count_up(_Atomic uint32_t *count) {
    /* acq_rel: read by the test when all are done. */
    atomic_fetch_add_explicit(count, 1, memory_order_acq_rel);
}

/* Called through a pointer that no compiler can look through: always of the thread that calls. */
static int *errno_here(void) { return &errno; }
static int *(*volatile errno_truth)(void) = errno_here;

/* Fails on purpose, in whatever thread this is now. */
static CEDEI_NOINLINE void fail_with(int wanted) { *errno_truth() = wanted; }

/* ---- by the rule ---- */

static CEDE_YIELDS cede_result turn_by_the_rule(cede_self *self, void *context) {
    (void)context;
    int *before = cede_errno_location();
    for (int i = 0; i < ROUNDS; i++) {
        cede_errno = 0;
        EXPECT_EQUAL(*errno_truth(), 0);
        switch (i % 4) {
        case 0: cede_yield(self); break;
        case 1: EXPECT_OK(cede_sleep(self, 1000)); break;
        case 2: EXPECT_OK(question_ask(self, torture.echo, (uint64_t)i, NULL)); break;
        default: {
            struct note *message = cede_new(self, note);
            EXPECT_OK(cede_send(self, cede_self_ref(self), &message));
            EXPECT_OK(cede_recv(self, note, &message, CEDE_FOREVER));
            cede_yield(self);
            cede_drop(self, &message);
        }
        }
        fail_with(EBADF);
        EXPECT_EQUAL(cede_errno, EBADF);
        EXPECT(cede_errno_location() == errno_truth());
        if (cede_errno_location() != before) count_up(&torture.moves);
        before = cede_errno_location();
    }
    count_up(&torture.done);
    return CEDE_STOP;
}

static cede_result on_question(cede_self *self, struct player *state, struct question *message) {
    (void)state;
    answer_give(self, message, message->value);
    return CEDE_OK;
}
#define ECHO_LIST(ON) ON(question, on_question)
CEDE_BEHAVIOUR(echo, struct player, ECHO_LIST);

static cede_result torture_run(cede_self *self, void *turn) {
    memset(&torture, 0, sizeof torture);
    EXPECT_OK(cede_spawn(self, &echo, CEDE_NOTHING, &torture.echo));
    cede_result (*run)(cede_self *, void *) = NULL;
    memcpy(&run, turn, sizeof run);
    for (int i = 0; i < ACTORS; i++) play(self, run, NULL);
    while (flag_get(&torture.done) < ACTORS) EXPECT_OK(cede_sleep(self, 100000));
    return CEDE_OK;
}

static void torture_with(cede_result (*turn)(cede_self *, void *)) {
    struct fixture *fixture = fixture_begin((struct cede_options){.workers = WORKERS});
    fixture_run(fixture, torture_run, &turn);
    fixture_end(fixture);
    EXPECT(flag_get(&torture.moves) > 0); /* else nothing was tried */
}

static void turns_that_use_cede_errno_and_the_library_are_right_on_every_thread(void **state) {
    (void)state;
    torture_with(turn_by_the_rule);
    print_message("%u changes of thread\n", flag_get(&torture.moves));
}

/* ---- against it ---- */

__attribute__((unused)) static CEDE_YIELDS cede_result turn_against_the_rule(cede_self *self,
                                                                             void *context) {
    (void)context;
    for (int i = 0; i < ROUNDS; i++) {
        int *before = errno_truth();
        errno = 0; // cede: allow(tls-over-yield) this is what the control is for
        if (i % 2 == 0)
            cede_yield(self);
        else
            EXPECT_OK(cede_sleep(self, 1000));
        fail_with(EBADF);
        if (errno != EBADF) count_up(&torture.wrong);
        errno = 0;
        if (errno_truth() != before) count_up(&torture.moves);
    }
    count_up(&torture.done);
    return CEDE_STOP;
}

static void turns_that_use_plain_errno_over_yields_are_seen_to_go_wrong(void **state) {
    (void)state;
#if !defined(__OPTIMIZE__) || CEDEI_TSAN
    skip(); /* it goes wrong by optimisation; and under ThreadSanitizer the wrong accesses would be reported */
#else
    torture_with(turn_against_the_rule);
    print_message("%u wrong values in %u changes of thread\n", flag_get(&torture.wrong),
                  flag_get(&torture.moves));
    EXPECT(flag_get(&torture.wrong) > 0);
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_that_use_cede_errno_and_the_library_are_right_on_every_thread),
        cmocka_unit_test(turns_that_use_plain_errno_over_yields_are_seen_to_go_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
