/* Waiting for descriptors and losing them: kills and stops in every wait, systems that end with all of it under way, each
 * system call failing with each of its errors, each allocation failing. Nothing stays open afterwards. */
#include <errno.h>
#include <sched.h>

#include "core/sys/alloc.h"
#include "tests/support/network.h"

/* ---- actors that wait, each in another call ---- */

struct waits {
    uint16_t deaf_port;        /* of a listener that answers nobody */
    _Atomic uint32_t about_to; /* 1: the next wait is the one that is meant */
    _Atomic uint32_t results;  /* how many calls have returned */
    cede_result last;
};

static struct waits waits;

static CEDE_YIELDS cede_result wait_over(cede_result r) {
    waits.last = r;
    /* acq_rel: for flag_await. */
    atomic_fetch_add_explicit(&waits.results, 1, memory_order_acq_rel);
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result wait_in_read(cede_self *self, void *context) {
    struct cede_stream *near_end = NULL, *far_end = NULL;
    char byte;
    size_t got = 0;
    (void)context;
    connected_make(self, &near_end, &far_end);
    flag_set(&waits.about_to, 1);
    return wait_over(cede_read(self, near_end, &byte, 1, &got, CEDE_FOREVER));
}

static CEDE_YIELDS cede_result wait_in_read_with_a_time(cede_self *self, void *context) {
    struct cede_stream *near_end = NULL, *far_end = NULL;
    char bytes[4];
    (void)context;
    connected_make(self, &near_end, &far_end);
    text_write(self, far_end, "abc");
    flag_set(&waits.about_to, 1);
    return wait_over(cede_read_exact(self, near_end, bytes, 4, CEDE_SECONDS(1000)));
}

static CEDE_YIELDS cede_result wait_in_read_until(cede_self *self, void *context) {
    struct cede_stream *near_end = NULL, *far_end = NULL;
    char bytes[100];
    size_t got = 0;
    (void)context;
    connected_make(self, &near_end, &far_end);
    text_write(self, far_end, "no end of it");
    flag_set(&waits.about_to, 1);
    return wait_over(cede_read_until(self, near_end, '\n', bytes, sizeof bytes, &got, CEDE_FOREVER));
}

static CEDE_YIELDS cede_result wait_in_write(cede_self *self, void *context) {
    struct cede_stream *near_end = NULL, *far_end = NULL;
    (void)context;
    connected_make(self, &near_end, &far_end);
    buffers_fill(self, near_end);
    flag_set(&waits.about_to, 1);
    return wait_over(cede_write(self, near_end, "x", 1, CEDE_FOREVER));
}

static CEDE_YIELDS cede_result wait_in_accept(cede_self *self, void *context) {
    struct cede_listener *listener = listener_make(self);
    struct cede_stream *stream = NULL;
    (void)context;
    flag_set(&waits.about_to, 1);
    return wait_over(cede_accept(self, listener, &stream, CEDE_FOREVER));
}

static CEDE_YIELDS cede_result wait_in_connect(cede_self *self, void *context) {
    struct cede_stream *stream = NULL;
    (void)context;
    flag_set(&waits.about_to, 1);
    return wait_over(cede_tcp_connect(self, "127.0.0.1", waits.deaf_port, &stream, CEDE_FOREVER));
}

static CEDE_YIELDS cede_result wait_in_pipe(cede_self *self, void *context) {
    struct cede_stream *reader = NULL, *writer = NULL;
    char byte;
    size_t got = 0;
    (void)context;
    EXPECT_OK(cede_pipe(self, &reader, &writer));
    flag_set(&waits.about_to, 1);
    return wait_over(cede_read(self, reader, &byte, 1, &got, CEDE_FOREVER));
}

static cede_result (*const WAITS[])(cede_self *, void *) = {
    wait_in_read,   wait_in_read_with_a_time, wait_in_read_until, wait_in_write,
    wait_in_accept, wait_in_connect,          wait_in_pipe,
};
enum { WAIT_COUNT = sizeof WAITS / sizeof WAITS[0] };

/* Starts an actor and returns when it is suspended in its call. */
static CEDE_YIELDS cede_ref wait_begin(cede_self *self, size_t which) {
    flag_set(&waits.about_to, 0);
    cede_ref actor = play(self, WAITS[which % WAIT_COUNT], NULL);
    flag_await(self, &waits.about_to, 1);
    parked_await(self, actor);
    return actor;
}

static void waits_reset(uint16_t deaf_port) {
    waits.deaf_port = deaf_port;
    flag_set(&waits.results, 0);
}

IO_TEST(kill_in_any_wait_closes_what_the_actor_had_open) {
    (void)context;
    int open[DEAF_SOCKETS];
    waits_reset(deaf_listen(open));
    struct cede_listener *first = listener_make(self); /* so that the reactor's own are there */
    uint32_t before = descriptors_open();
    for (size_t i = 0; i < WAIT_COUNT; i++) {
        cede_ref actor = wait_begin(self, i);
        EXPECT_OK(cede_monitor(self, actor));
        EXPECT(descriptors_open() > before);
        EXPECT_OK(cede_kill(self, actor));
        EXPECT_RESULT(down_await(self, actor), CEDE_EKILLED);
        EXPECT_EQUAL(descriptors_open(), before);
    }
    EXPECT_EQUAL(flag_get(&waits.results), 0);
    cede_drop(self, &first);
    deaf_close(open);
    return CEDE_OK;
}

IO_TEST(stop_in_any_wait_ends_the_call_and_not_others) {
    (void)context;
    int open[DEAF_SOCKETS];
    waits_reset(deaf_listen(open));
    for (uint32_t i = 0; i < WAIT_COUNT; i++) {
        cede_ref actor = wait_begin(self, i);
        EXPECT_OK(cede_monitor(self, actor));
        EXPECT_OK(cede_stop(self, actor));
        EXPECT_RESULT(down_await(self, actor), CEDE_OK);
        EXPECT_EQUAL(flag_get(&waits.results), i + 1);
        EXPECT_RESULT(waits.last, CEDE_ECANCELED);
    }
    deaf_close(open);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result stopped_before_it_waits(cede_self *self, void *context) {
    struct cede_stream *near_end = NULL, *far_end = NULL;
    char byte;
    size_t got = 0;
    connected_make(self, &near_end, &far_end);
    flag_set(context, 1);
    flag_await(self, context, 2);
    EXPECT_RESULT(cede_read(self, near_end, &byte, 1, &got, CEDE_FOREVER), CEDE_ECANCELED);
    text_write(self, far_end, "x"); /* what need not wait still goes */
    text_expect(self, near_end, "x");
    return CEDE_STOP;
}

IO_TEST(stop_before_a_wait_ends_it_too) {
    (void)context;
    static _Atomic uint32_t step;
    flag_set(&step, 0);
    cede_ref actor = play(self, stopped_before_it_waits, &step);
    EXPECT_OK(cede_monitor(self, actor));
    flag_await(self, &step, 1);
    EXPECT_OK(cede_stop(self, actor));
    flag_set(&step, 2);
    EXPECT_RESULT(down_await(self, actor), CEDE_OK);
    return CEDE_OK;
}

static cede_result waits_begin(cede_self *self, void *context) {
    (void)context;
    for (size_t i = 0; i < 3 * WAIT_COUNT; i++) (void)wait_begin(self, i);
    return CEDE_OK;
}

static void system_that_ends_amid_all_waits_leaves_nothing_open(void **state) {
    (void)state;
    int open[DEAF_SOCKETS];
    waits_reset(deaf_listen(open));
    counted_run(waits_begin);
    EXPECT_EQUAL(flag_get(&waits.results), 0);
    deaf_close(open);
}

/* ---- kills at any moment ---- */

static CEDE_YIELDS cede_result chatter(cede_self *self, void *context) {
    struct cede_stream *near_end = NULL, *far_end = NULL;
    (void)context;
    while (flag_get(&waits.results) == 0) { /* until it is killed */
        connected_make(self, &near_end, &far_end);
        for (int i = 0; i < 3; i++) {
            text_write(self, near_end, "ping");
            text_expect(self, far_end, "ping");
            cede_yield(self);
        }
        cede_drop(self, &near_end);
        end_expect(self, far_end);
        cede_drop(self, &far_end);
    }
    return CEDE_STOP;
}

IO_TEST(kill_at_any_moment_leaves_nothing_open) {
    (void)context;
    enum { ROUNDS = 100 };
    waits_reset(0);
    struct cede_listener *first = listener_make(self);
    uint32_t before = descriptors_open();
    for (int i = 0; i < ROUNDS; i++) {
        cede_ref actor = play(self, chatter, NULL);
        EXPECT_OK(cede_monitor(self, actor));
        for (int wait = i % 17; wait > 0; wait--) cede_yield(self);
        EXPECT_OK(cede_kill(self, actor));
        EXPECT_RESULT(down_await(self, actor), CEDE_EKILLED);
    }
    EXPECT_EQUAL(descriptors_open(), before);
    cede_drop(self, &first);
    return CEDE_OK;
}

/* ---- each system call fails ---- */

/* All of the calls on sockets and pipes once; the first error ends it. Must clean up after itself. */
static CEDE_YIELDS cede_result session(cede_self *self) {
    struct cede_listener *listener = NULL;
    struct cede_stream *near_end = NULL, *far_end = NULL, *reader = NULL, *writer = NULL;
    char bytes[16];
    size_t got = 0;
    cede_result r = cede_tcp_listen(self, "127.0.0.1", 0, &listener);
    if (r == CEDE_OK && cede_listener_port(self, listener) == 0) r = CEDE_ENOMEM;
    if (r == CEDE_OK)
        r = cede_tcp_connect(self, "127.0.0.1", cede_listener_port(self, listener), &near_end,
                             CEDE_SECONDS(50));
    if (r == CEDE_OK) r = cede_accept(self, listener, &far_end, CEDE_SECONDS(50));
    if (r == CEDE_OK) r = cede_write(self, near_end, "abc\ndef", 7, CEDE_SECONDS(50));
    if (r == CEDE_OK) r = cede_read_until(self, far_end, '\n', bytes, 16, &got, CEDE_SECONDS(50));
    if (r == CEDE_OK) r = cede_read_exact(self, far_end, bytes, 3, CEDE_SECONDS(50));
    if (r == CEDE_OK) EXPECT(memcmp(bytes, "def", 3) == 0);
    if (r == CEDE_OK) r = cede_shutdown(self, near_end, CEDE_WRITING);
    if (r == CEDE_OK) {
        r = cede_read(self, far_end, bytes, 16, &got, CEDE_SECONDS(50));
        if (r == CEDE_ECLOSED) r = CEDE_OK;
    }
    if (r == CEDE_OK) r = cede_pipe(self, &reader, &writer);
    if (r == CEDE_OK) r = cede_write(self, writer, "x", 1, CEDE_SECONDS(50));
    if (r == CEDE_OK) r = cede_read(self, reader, bytes, 16, &got, CEDE_SECONDS(50));
    struct cede_stream *halves[2] = {NULL, NULL};
    if (r == CEDE_OK) r = cede_stream_split(self, &near_end, &halves[0], &halves[1]);
    cede_drop(self, &listener);
    cede_drop(self, &near_end);
    cede_drop(self, &far_end);
    cede_drop(self, &reader);
    cede_drop(self, &writer);
    cede_drop(self, &halves[0]);
    cede_drop(self, &halves[1]);
    return r;
}

struct fault {
    enum cedei_call call;
    int error;
    cede_result result; /* of the session */
    uint32_t after;     /* calls of the kind that succeed first */
};

/* What the manual pages name, and what of it has a code of its own. */
static const struct fault FAULTS[] = {
    {CEDEI_CALL_SOCKET, EMFILE, CEDE_ELIMIT, 0},
    {CEDEI_CALL_SOCKET, ENFILE, CEDE_ELIMIT, 0},
    {CEDEI_CALL_SOCKET, ENOBUFS, CEDE_ENOMEM, 0},
    {CEDEI_CALL_SOCKET, ENOMEM, CEDE_ENOMEM, 0},
    {CEDEI_CALL_SOCKET, EACCES, CEDE_EACCES, 0},
    {CEDEI_CALL_SOCKET, EAFNOSUPPORT, CEDE_ENOTSUP, 0},
    {CEDEI_CALL_SOCKET, EPROTONOSUPPORT, CEDE_ENOTSUP, 0},
    {CEDEI_CALL_SOCKET, EINVAL, CEDE_EINVAL, 0},
    {CEDEI_CALL_SOCKET_OPTION, ENOMEM, CEDE_ENOMEM, 0},
    {CEDEI_CALL_SOCKET_OPTION, EINVAL, CEDE_EINVAL, 0},
    {CEDEI_CALL_BIND, EACCES, CEDE_EACCES, 0},
    {CEDEI_CALL_BIND, EADDRINUSE, CEDE_EEXIST, 0},
    {CEDEI_CALL_BIND, EADDRNOTAVAIL, CEDE_ENOENT, 0},
    {CEDEI_CALL_BIND, EINVAL, CEDE_EINVAL, 0},
    {CEDEI_CALL_LISTEN, EADDRINUSE, CEDE_EEXIST, 0},
    {CEDEI_CALL_LISTEN, EOPNOTSUPP, CEDE_ENOTSUP, 0},
    {CEDEI_CALL_SOCKET_NAME, ENOBUFS, CEDE_ENOMEM, 0},
    {CEDEI_CALL_ACCEPT, EINTR, CEDE_OK, 0},
    {CEDEI_CALL_ACCEPT, EAGAIN, CEDE_ETIMEDOUT, 0},
    {CEDEI_CALL_ACCEPT, ECONNABORTED, CEDE_OK, 0},
    {CEDEI_CALL_ACCEPT, EINVAL, CEDE_EINVAL, 0},
    {CEDEI_CALL_CONNECT, EINTR, CEDE_ETIMEDOUT, 0},
    {CEDEI_CALL_CONNECT, ECONNREFUSED, CEDE_EREFUSED, 0},
    {CEDEI_CALL_CONNECT, ECONNRESET, CEDE_ERESET, 0},
    {CEDEI_CALL_CONNECT, ENETUNREACH, CEDE_EUNREACH, 0},
    {CEDEI_CALL_CONNECT, EHOSTUNREACH, CEDE_EUNREACH, 0},
    {CEDEI_CALL_CONNECT, ETIMEDOUT, CEDE_EUNREACH, 0},
    {CEDEI_CALL_CONNECT, EADDRNOTAVAIL, CEDE_ELIMIT, 0},
    {CEDEI_CALL_CONNECT, EACCES, CEDE_EACCES, 0},
    {CEDEI_CALL_CONNECT, EPERM, CEDE_EACCES, 0},
    {CEDEI_CALL_RECEIVE, EINTR, CEDE_OK, 0},
    {CEDEI_CALL_RECEIVE, ECONNRESET, CEDE_ERESET, 0},
    {CEDEI_CALL_RECEIVE, ETIMEDOUT, CEDE_ERESET, 0},
    {CEDEI_CALL_RECEIVE, ENOMEM, CEDE_ENOMEM, 0},
    {CEDEI_CALL_RECEIVE, ENOTCONN, CEDE_ECLOSED, 0},
    {CEDEI_CALL_RECEIVE, EIO, CEDE_EIO, 0},
    {CEDEI_CALL_SEND, EINTR, CEDE_OK, 0},
    {CEDEI_CALL_SEND, EPIPE, CEDE_ECLOSED, 0},
    {CEDEI_CALL_SEND, ECONNRESET, CEDE_ERESET, 0},
    {CEDEI_CALL_SEND, ENOBUFS, CEDE_ENOMEM, 0},
    {CEDEI_CALL_SEND, ENOMEM, CEDE_ENOMEM, 0},
    {CEDEI_CALL_SHUTDOWN, ENOTCONN, CEDE_ECLOSED, 0},
    {CEDEI_CALL_SHUTDOWN, ENOBUFS, CEDE_ENOMEM, 0},
    {CEDEI_CALL_POLL_CREATE, EMFILE, CEDE_ELIMIT, 0},
    {CEDEI_CALL_POLL_CREATE, ENOMEM, CEDE_ENOMEM, 0},
    {CEDEI_CALL_EVENT, ENFILE, CEDE_ELIMIT, 0},
    {CEDEI_CALL_EVENT, ENOMEM, CEDE_ENOMEM, 0},
    {CEDEI_CALL_POLL_ADD, ENOSPC, CEDE_ELIMIT, 0},
    {CEDEI_CALL_POLL_ADD, ENOMEM, CEDE_ENOMEM, 0},
    {CEDEI_CALL_POLL_ADD, ENOSPC, CEDE_ELIMIT, 1},
    {CEDEI_CALL_POLL_ADD, ENOMEM, CEDE_ENOMEM, 2},
    {CEDEI_CALL_POLL_ADD, EPERM, CEDE_ENOTSUP, 3},
    {CEDEI_CALL_POLL_ADD, ENOMEM, CEDE_ENOMEM, 5},
    {CEDEI_CALL_PIPE, EMFILE, CEDE_ELIMIT, 0},
    {CEDEI_CALL_PIPE, ENFILE, CEDE_ELIMIT, 0},
};

static CEDE_YIELDS cede_result faulty_session(cede_self *self, void *context) {
    *(cede_result *)context = session(self);
    return CEDE_OK;
}

/* Each on a system of its own, since the reactor is made once in each. */
static void each_call_that_fails_is_told_by_its_result_and_leaves_nothing_open(void **state) {
    (void)state;
    uint32_t before = descriptors_open();
    for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0]; i++) {
        const struct fault *fault = &FAULTS[i];
        /* A fault that stands for "not now" ends in a wait that nothing ends: it is tested by itself, below. */
        if (fault->result == CEDE_ETIMEDOUT) continue;
        cede_result got = CEDE_EFAILED;
        struct fixture *fixture = fixture_begin((struct cede_options){0});
        cedei_call_fail(fault->call, fault->error, fault->after);
        fixture_run(fixture, faulty_session, &got);
        bool struck = cedei_call_fail_never();
        fixture_run(fixture, faulty_session, &(cede_result){CEDE_OK}); /* and nothing is broken */
        fixture_end(fixture);
        if (!struck || got != fault->result)
            fprintf(stderr, "fault %zu (errno %d): %s\n", i, fault->error, cede_result_name(got));
        EXPECT(struck);
        EXPECT_RESULT(got, fault->result);
        EXPECT_EQUAL(descriptors_open(), before);
    }
}

/* What comes too early is no failure: the wait goes on until the event. */
IO_TEST(wake_that_comes_for_nothing_is_followed_by_a_wait) {
    (void)context;
    struct cede_stream *near_end = NULL, *far_end = NULL;
    char byte;
    size_t got = 0;
    connected_make(self, &near_end, &far_end);
    text_write(self, near_end, "x");
    cedei_call_fail(CEDEI_CALL_RECEIVE, EAGAIN, 0);
    (void)cede_read(self, far_end, &byte, 1, &got, CEDE_MILLIS(20));
    EXPECT(cedei_call_fail_never());
    return CEDE_OK;
}

/* A poll that is interrupted is begun again. */
IO_TEST(poll_that_is_interrupted_is_begun_again) {
    (void)context;
    for (uint32_t i = 0; i < 5; i++) {
        cedei_call_fail(CEDEI_CALL_POLL_WAIT, EINTR, i);
        EXPECT_OK(session(self));
        EXPECT_OK(cede_sleep(self, 1000000));
        (void)cedei_call_fail_never();
    }
    return CEDE_OK;
}

/* ---- each allocation fails ---- */

IO_TEST(each_allocation_that_fails_is_told_and_leaves_nothing_open) {
    (void)context;
    enum { LIMIT = 64 };
    struct cede_listener *first = listener_make(self);
    uint32_t before = descriptors_open();
    for (uint64_t failing = 0;; failing++) {
        EXPECT(failing < LIMIT);
        cedei_alloc_fail_after(failing, true);
        cede_result r = session(self);
        uint64_t asked = cedei_alloc_fail_never();
        if (r != CEDE_OK) EXPECT_RESULT(r, CEDE_ENOMEM);
        EXPECT_EQUAL(descriptors_open(), before);
        if (asked <= failing) break;
    }
    cede_drop(self, &first);
    return CEDE_OK;
}

/* ---- a turn that does not end ---- */

struct long_turn {
    _Atomic uint32_t ready, spinning, over;
};

static CEDE_YIELDS cede_result spin_after_a_byte(cede_self *self, void *context) {
    struct long_turn *turn = context;
    struct cede_stream *stream = NULL;
    EXPECT_OK(cede_recv(self, cede_stream, &stream, CEDE_FOREVER));
    flag_set(&turn->ready, 1);
    text_expect(self, stream, "x");
    flag_set(&turn->spinning, 1);
    while (flag_get(&turn->over) == 0) {} /* without a yield */
    return CEDE_STOP;
}

static CEDE_YIELDS cede_result end_the_spin(cede_self *self, void *context) {
    struct long_turn *turn = context;
    struct cede_stream *stream = NULL;
    EXPECT_OK(cede_recv(self, cede_stream, &stream, CEDE_FOREVER));
    flag_set(&turn->ready, 1);
    text_expect(self, stream, "x");
    flag_set(&turn->over, 1);
    return CEDE_STOP;
}

struct long_turn_case {
    struct long_turn turn;
    int peers[2];
};

static cede_result long_turn_begin(cede_self *self, void *context) {
    struct long_turn_case *with = context;
    struct cede_listener *listener = listener_make(self);
    for (int i = 0; i < 2; i++) {
        struct cede_stream *stream = NULL;
        with->peers[i] = plain_connect(cede_listener_port(self, listener));
        EXPECT_OK(cede_accept(self, listener, &stream, CEDE_FOREVER));
        flag_set(&with->turn.ready, 0);
        cede_ref actor = play(self, i == 0 ? spin_after_a_byte : end_the_spin, &with->turn);
        EXPECT_OK(cede_send(self, actor, &stream));
        flag_await(self, &with->turn.ready, 1);
        parked_await(self, actor);
    }
    return CEDE_OK;
}

/* The worker that was on watch took the event and is in a turn that does not end; the next event ends that turn. */
static void event_is_seen_although_who_was_on_watch_is_in_a_long_turn(void **state) {
    static struct long_turn_case with;
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct fixture *fixture = fixture_begin((struct cede_options){0});
        flag_set(&with.turn.spinning, 0);
        flag_set(&with.turn.over, 0);
        fixture_run(fixture, long_turn_begin, &with);
        EXPECT(write(with.peers[0], "x", 1) == 1);
        while (flag_get(&with.turn.spinning) == 0) sched_yield();
        EXPECT(write(with.peers[1], "x", 1) == 1);
        while (flag_get(&with.turn.over) == 0) sched_yield();
        fixture_end(fixture);
        close(with.peers[0]);
        close(with.peers[1]);
    }
}

/* ---- nobody works when nothing happens ---- */

static void idle_system_with_open_connections_does_not_wake(void **state) {
    (void)state;
    int open[DEAF_SOCKETS];
    waits_reset(deaf_listen(open));
    struct fixture *fixture = fixture_begin((struct cede_options){0});
    fixture_run(fixture, waits_begin, NULL);
    enum { WINDOWS = 50 };
    uint64_t least = UINT64_MAX;
    /* However slow the machine is, there is nothing to do once all that was begun is over: one window that shows it is enough, since
     * who wakes without a reason leaves none. The wheel is looked at when a slot of far timers comes up. */
    for (int i = 0; i < WINDOWS && least >= 16; i++) {
        struct cede_metrics before, after;
        struct timespec pause = {.tv_nsec = 50000000};
        cede_system_metrics(fixture->system, &before);
        nanosleep(&pause, NULL);
        cede_system_metrics(fixture->system, &after);
        if (after.parks - before.parks < least) least = after.parks - before.parks;
    }
    EXPECT(least < 16);
    fixture_end(fixture);
    deaf_close(open);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill_in_any_wait_closes_what_the_actor_had_open),
        cmocka_unit_test(stop_in_any_wait_ends_the_call_and_not_others),
        cmocka_unit_test(stop_before_a_wait_ends_it_too),
        cmocka_unit_test(system_that_ends_amid_all_waits_leaves_nothing_open),
        cmocka_unit_test(kill_at_any_moment_leaves_nothing_open),
        cmocka_unit_test(each_call_that_fails_is_told_by_its_result_and_leaves_nothing_open),
        cmocka_unit_test(wake_that_comes_for_nothing_is_followed_by_a_wait),
        cmocka_unit_test(poll_that_is_interrupted_is_begun_again),
        cmocka_unit_test(each_allocation_that_fails_is_told_and_leaves_nothing_open),
        cmocka_unit_test(event_is_seen_although_who_was_on_watch_is_in_a_long_turn),
        cmocka_unit_test(idle_system_with_open_connections_does_not_wake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
