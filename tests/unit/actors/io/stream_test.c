/* Reading and writing: what comes out is what went in, in whatever pieces it travels; ends, resets and time-outs have
 * their own results; halves; whose a stream is. */
#include "tests/support/network.h"

IO_TEST(read_gives_what_is_there_and_waits_when_nothing_is) {
    (void)context;
    struct cede_stream *near_end = NULL, *far_end = NULL;
    char bytes[64];
    size_t got = 0;
    connected_make(self, &near_end, &far_end);
    EXPECT_RESULT(cede_read(self, far_end, bytes, sizeof bytes, &got, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_read(self, far_end, bytes, sizeof bytes, &got, CEDE_MILLIS(5)),
                  CEDE_ETIMEDOUT);
    /* Once more: the wait that is over is not in the way of the next. */
    EXPECT_RESULT(cede_read(self, far_end, bytes, sizeof bytes, &got, CEDE_MILLIS(5)),
                  CEDE_ETIMEDOUT);
    EXPECT_EQUAL(got, 0);
    text_write(self, near_end, "hello");
    EXPECT_OK(cede_read(self, far_end, bytes, 2, &got, CEDE_FOREVER));
    EXPECT(got == 2 && memcmp(bytes, "he", 2) == 0);
    EXPECT_OK(cede_read(self, far_end, bytes, sizeof bytes, &got, CEDE_FOREVER));
    EXPECT(got == 3 && memcmp(bytes, "llo", 3) == 0);
    EXPECT_RESULT(cede_read(self, far_end, bytes, 0, &got, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_read(self, far_end, NULL, 1, &got, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_read(self, NULL, bytes, 1, &got, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_read(NULL, far_end, bytes, 1, &got, 0), CEDE_ECONTEXT);
    return CEDE_OK;
}

IO_TEST(read_exact_waits_for_the_last_byte_and_fails_when_it_does_not_come) {
    (void)context;
    struct cede_stream *near_end = NULL, *far_end = NULL;
    char bytes[6] = "";
    connected_make(self, &near_end, &far_end);
    text_write(self, near_end, "abc");
    EXPECT_OK(cede_read_exact(self, far_end, bytes, 0, 0));
    EXPECT_OK(cede_read_exact(self, far_end, bytes, 1, CEDE_FOREVER)); /* they may be on their way */
    EXPECT_RESULT(cede_read_exact(self, far_end, bytes + 1, 4, CEDE_MILLIS(5)), CEDE_ETIMEDOUT);
    text_write(self, near_end, "de");
    cede_drop(self, &near_end);
    EXPECT_RESULT(cede_read_exact(self, far_end, bytes, 3, CEDE_FOREVER), CEDE_ECLOSED);
    return CEDE_OK;
}

/* ---- read_until ---- */

static CEDE_YIELDS void line_expect(cede_self *self, struct cede_stream *stream, const char *line) {
    char bytes[256];
    size_t got = 0;
    EXPECT_OK(cede_read_until(self, stream, '\n', bytes, sizeof bytes, &got, CEDE_FOREVER));
    EXPECT(got == strlen(line) && memcmp(bytes, line, got) == 0);
}

IO_TEST(read_until_gives_lines_and_leaves_the_rest_to_whoever_reads_next) {
    (void)context;
    struct cede_stream *near_end = NULL, *far_end = NULL;
    char bytes[8];
    size_t got = 0;
    connected_make(self, &near_end, &far_end);
    text_write(self, near_end, "one\n\ntwo\nthree more\nlast");
    line_expect(self, far_end, "one\n");
    line_expect(self, far_end, "\n");
    line_expect(self, far_end, "two\n");
    text_expect(self, far_end, "three");
    EXPECT_OK(cede_read(self, far_end, bytes, 1, &got, 0));
    EXPECT(got == 1 && bytes[0] == ' ');
    line_expect(self, far_end, "more\n");
    EXPECT_RESULT(cede_read_until(self, far_end, '\n', bytes, sizeof bytes, &got, CEDE_MILLIS(2)),
                  CEDE_ETIMEDOUT);
    cede_drop(self, &near_end);
    EXPECT_RESULT(cede_read_until(self, far_end, '\n', bytes, sizeof bytes, &got, CEDE_FOREVER),
                  CEDE_ECLOSED);
    text_expect(self, far_end, "last"); /* a failed call has taken nothing */
    end_expect(self, far_end);
    return CEDE_OK;
}

IO_TEST(read_until_of_a_line_that_is_too_long_takes_nothing) {
    (void)context;
    struct cede_stream *near_end = NULL, *far_end = NULL;
    static char line[20001], back[20001];
    size_t got = 0;
    connected_make(self, &near_end, &far_end);
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    EXPECT_OK(cede_write(self, near_end, line, sizeof line, CEDE_FOREVER));
    EXPECT_RESULT(cede_read_until(self, far_end, '\n', back, 10, &got, CEDE_FOREVER), CEDE_ETOOBIG);
    EXPECT_RESULT(cede_read_until(self, far_end, '\n', back, sizeof line - 1, &got, CEDE_FOREVER),
                  CEDE_ETOOBIG);
    EXPECT_OK(cede_read_until(self, far_end, '\n', back, sizeof line, &got, CEDE_FOREVER));
    EXPECT(got == sizeof line && memcmp(line, back, got) == 0);
    return CEDE_OK;
}

/* ---- large amounts ---- */

enum { LARGE = 3 << 20 };

static uint8_t large_byte(size_t i) { return (uint8_t)(i * 31 + i / 253); }

static CEDE_YIELDS cede_result large_writer(cede_self *self, void *context) {
    struct cede_stream *stream = NULL;
    (void)context;
    EXPECT_OK(cede_recv(self, cede_stream, &stream, CEDE_FOREVER));
    uint8_t *bytes = malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++) bytes[i] = large_byte(i);
    struct cede_piece pieces[40]; /* more than go at once, empty ones among them */
    for (size_t i = 0; i < 40; i++)
        pieces[i] = (struct cede_piece){.bytes = bytes + 3 * (i / 2),
                                        .size = i % 2 == 0 ? 0
                                                : i < 39   ? 3
                                                           : LARGE / 2 - 57};
    EXPECT_OK(cede_write_pieces(self, stream, pieces, 40, CEDE_FOREVER));
    EXPECT_OK(cede_write(self, stream, bytes + LARGE / 2, LARGE / 2, CEDE_FOREVER));
    free(bytes);
    return CEDE_STOP;
}

static CEDE_YIELDS void large_run(cede_self *self) {
    struct cede_stream *near_end = NULL, *far_end = NULL;
    static uint8_t part[10000];
    connected_make(self, &near_end, &far_end);
    cede_ref writer = play(self, large_writer, NULL);
    EXPECT_OK(cede_send(self, writer, &near_end));
    size_t total = 0, got = 0;
    for (;;) {
        cede_result r = cede_read(self, far_end, part, sizeof part, &got, CEDE_FOREVER);
        if (r == CEDE_ECLOSED) break;
        EXPECT_OK(r);
        for (size_t i = 0; i < got; i++) EXPECT(part[i] == large_byte(total + i));
        total += got;
    }
    EXPECT_EQUAL(total, LARGE);
    cede_drop(self, &far_end);
}

IO_TEST(write_of_more_than_the_system_keeps_arrives_whole) {
    (void)context;
    large_run(self);
    return CEDE_OK;
}

IO_TEST(transfers_that_move_little_at_a_time_arrive_whole) {
    (void)context;
    cedei_call_limit(777);
    large_run(self);
    (void)cedei_call_fail_never();
    return CEDE_OK;
}

IO_TEST(write_stops_waiting_when_its_time_is_over) {
    (void)context;
    struct cede_stream *near_end = NULL, *far_end = NULL;
    connected_make(self, &near_end, &far_end);
    buffers_fill(self, near_end);
    EXPECT_RESULT(cede_write(self, near_end, "x", 1, CEDE_MILLIS(5)), CEDE_ETIMEDOUT);
    return CEDE_OK;
}

/* ---- ends ---- */

IO_TEST(shutdown_of_writing_ends_one_direction_only) {
    (void)context;
    struct cede_stream *near_end = NULL, *far_end = NULL;
    connected_make(self, &near_end, &far_end);
    text_write(self, near_end, "question");
    EXPECT_OK(cede_shutdown(self, near_end, CEDE_WRITING));
    EXPECT_RESULT(cede_write(self, near_end, "x", 1, CEDE_FOREVER), CEDE_ECLOSED);
    text_expect(self, far_end, "question");
    end_expect(self, far_end);
    end_expect(self, far_end); /* and again */
    text_write(self, far_end, "answer");
    cede_drop(self, &far_end);
    text_expect(self, near_end, "answer");
    end_expect(self, near_end);
    EXPECT_RESULT(cede_shutdown(self, near_end, (enum cede_direction)0), CEDE_EINVAL);
    return CEDE_OK;
}

/* The end comes together with the last bytes: a reader that took a short read for "no more" would wait for ever. */
IO_TEST(end_that_comes_with_the_last_bytes_is_seen) {
    (void)context;
    for (int i = 0; i < 200; i++) {
        struct cede_stream *near_end = NULL, *far_end = NULL;
        connected_make(self, &near_end, &far_end);
        text_write(self, near_end, "bye");
        cede_drop(self, &near_end);
        if (i % 2 == 0) cede_yield(self);
        text_expect(self, far_end, "bye");
        end_expect(self, far_end);
        cede_drop(self, &far_end);
    }
    return CEDE_OK;
}

static CEDE_YIELDS cede_result reset_later(cede_self *self, void *context) {
    (void)self;
    plain_reset((int)(intptr_t)context);
    return CEDE_STOP;
}

IO_TEST(reset_by_the_peer_ends_reads_and_writes_under_its_own_name) {
    (void)context;
    struct cede_listener *listener = listener_make(self);
    struct cede_stream *stream = NULL;
    char byte;
    size_t got = 0;
    int peer = plain_connect(cede_listener_port(self, listener));
    EXPECT_OK(cede_accept(self, listener, &stream, CEDE_FOREVER));
    (void)play(self, reset_later, (void *)(intptr_t)peer);
    EXPECT_RESULT(cede_read(self, stream, &byte, 1, &got, CEDE_FOREVER), CEDE_ERESET);
    EXPECT_RESULT(cede_write(self, stream, "x", 1, CEDE_FOREVER), CEDE_ECLOSED);
    cede_drop(self, &stream);
    peer = plain_connect(cede_listener_port(self, listener));
    EXPECT_OK(cede_accept(self, listener, &stream, CEDE_FOREVER));
    buffers_fill(self, stream);
    (void)play(self, reset_later, (void *)(intptr_t)peer);
    EXPECT_RESULT(cede_write(self, stream, "x", 1, CEDE_FOREVER), CEDE_ERESET);
    return CEDE_OK;
}

/* ---- halves ---- */

static CEDE_YIELDS cede_result half_reader(cede_self *self, void *context) {
    struct cede_stream *stream = NULL;
    EXPECT_OK(cede_recv(self, cede_stream, &stream, CEDE_FOREVER));
    text_expect(self, stream, "from afar");
    end_expect(self, stream);
    flag_set(context, 1);
    return CEDE_STOP;
}

IO_TEST(halves_of_a_stream_read_and_write_in_two_actors) {
    (void)context;
    static _Atomic uint32_t done;
    struct cede_stream *near_end = NULL, *far_end = NULL, *reader = NULL, *writer = NULL;
    char byte;
    size_t got = 0;
    flag_set(&done, 0);
    connected_make(self, &near_end, &far_end);
    EXPECT_OK(cede_stream_split(self, &near_end, &reader, &writer));
    EXPECT(near_end == NULL && reader != NULL && writer != NULL);
    EXPECT_RESULT(cede_write(self, reader, "x", 1, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_read(self, writer, &byte, 1, &got, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_stream_split(self, &writer, &near_end, &far_end), CEDE_EINVAL);
    cede_ref other = play(self, half_reader, &done);
    EXPECT_OK(cede_send(self, other, &reader));
    parked_await(self, other);
    text_write(self, writer, "to afar");
    text_expect(self, far_end, "to afar");
    cede_drop(self, &writer); /* ends this direction, while the other half waits in the other */
    end_expect(self, far_end);
    text_write(self, far_end, "from afar");
    cede_drop(self, &far_end);
    flag_await(self, &done, 1);
    return CEDE_OK;
}

/* ---- whose it is ---- */

static CEDE_YIELDS cede_result stream_keeper(cede_self *self, void *context) {
    struct cede_stream *stream = NULL;
    EXPECT_OK(cede_recv(self, cede_stream, &stream, CEDE_FOREVER));
    struct cede_stream *kept = cede_keep(self, &stream);
    text_write(self, kept, "kept");
    flag_set(context, 1);
    struct go *never = NULL;
    (void)cede_recv(self, go, &never, CEDE_FOREVER);
    return CEDE_STOP;
}

IO_TEST(stream_kept_in_a_state_closes_when_its_actor_ends) {
    (void)context;
    static _Atomic uint32_t done;
    struct cede_stream *near_end = NULL, *far_end = NULL;
    flag_set(&done, 0);
    connected_make(self, &near_end, &far_end);
    cede_ref keeper = play(self, stream_keeper, &done);
    EXPECT_OK(cede_send(self, keeper, &near_end));
    EXPECT(near_end == NULL);
    text_expect(self, far_end, "kept");
    flag_await(self, &done, 1);
    EXPECT_OK(cede_stop(self, keeper));
    end_expect(self, far_end);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result read_after_send(cede_self *self, void *context) {
    struct cede_stream *near_end = NULL, *far_end = NULL;
    char byte;
    size_t got = 0;
    (void)context;
    connected_make(self, &near_end, &far_end);
    struct cede_stream *alias = near_end;
    cede_ref other = play(self, half_reader, context);
    EXPECT_OK(cede_send(self, other, &near_end));
    /* Not a stream any more, or somebody else's. */
    EXPECT_RESULT(cede_read(self, alias, &byte, 1, &got, 0), CEDE_EOWNER);
    EXPECT_OK(cede_kill(self, other));
    return CEDE_OK;
}

static void run_read_after_send(void *context) {
    (void)context;
    cede_system *system = NULL;
    /* One worker: the message is still in the mailbox when the alias is used. */
    EXPECT_OK(cede_system_create(&system, &(struct cede_options){.workers = 1}));
    EXPECT_OK(cede_block_on(system, read_after_send, NULL));
    cede_system_destroy(system);
}

static void stream_that_was_sent_is_not_read_any_more(void **state) {
    (void)state;
#if CEDEI_TSAN
    skip(); /* forks */
#endif
    if (CEDEI_CHECKS) {
        EXPECT_CHILD_ABORTS(run_read_after_send, NULL, "the message is not the caller's");
        return;
    }
    struct child_end end;
    child_run(&end, run_read_after_send, NULL);
    EXPECT(end.status == 0);
    EXPECT(strstr(end.text, "cede_read at ") != NULL);
}

/* ---- fairness ---- */

IO_TEST(transfers_that_never_wait_leave_time_for_others) {
    enum { WRITES = 320 };
    struct cede_stream *near_end = NULL, *far_end = NULL;
    struct cede_metrics before, after;
    (void)context;
    connected_make(self, &near_end, &far_end);
    cede_system_metrics(cede_self_system(self), &before);
    for (int i = 0; i < WRITES; i++) text_write(self, near_end, "x"); /* there is room for all */
    cede_system_metrics(cede_self_system(self), &after);
    EXPECT(after.yields - before.yields >= WRITES / 17);
    EXPECT(after.yields - before.yields < WRITES / 8);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_gives_what_is_there_and_waits_when_nothing_is),
        cmocka_unit_test(read_exact_waits_for_the_last_byte_and_fails_when_it_does_not_come),
        cmocka_unit_test(read_until_gives_lines_and_leaves_the_rest_to_whoever_reads_next),
        cmocka_unit_test(read_until_of_a_line_that_is_too_long_takes_nothing),
        cmocka_unit_test(write_of_more_than_the_system_keeps_arrives_whole),
        cmocka_unit_test(transfers_that_move_little_at_a_time_arrive_whole),
        cmocka_unit_test(write_stops_waiting_when_its_time_is_over),
        cmocka_unit_test(shutdown_of_writing_ends_one_direction_only),
        cmocka_unit_test(end_that_comes_with_the_last_bytes_is_seen),
        cmocka_unit_test(reset_by_the_peer_ends_reads_and_writes_under_its_own_name),
        cmocka_unit_test(halves_of_a_stream_read_and_write_in_two_actors),
        cmocka_unit_test(stream_kept_in_a_state_closes_when_its_actor_ends),
        cmocka_unit_test(stream_that_was_sent_is_not_read_any_more),
        cmocka_unit_test(transfers_that_never_wait_leave_time_for_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
