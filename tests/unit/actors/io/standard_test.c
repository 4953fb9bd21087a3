/* Pipes, and standard input and output of every kind: pipe, socket, regular file; without changing what others share. */
#include <errno.h>

#include "tests/support/network.h"

IO_TEST(pipe_carries_bytes_one_way_and_ends) {
    struct cede_stream *reader = NULL, *writer = NULL;
    char byte;
    size_t got = 0;
    (void)context;
    EXPECT_OK(cede_pipe(self, &reader, &writer));
    EXPECT_RESULT(cede_read(self, reader, &byte, 1, &got, 0), CEDE_ETIMEDOUT);
    text_write(self, writer, "through");
    text_expect(self, reader, "through");
    EXPECT_RESULT(cede_write(self, reader, "x", 1, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_read(self, writer, &byte, 1, &got, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_shutdown(self, writer, CEDE_WRITING), CEDE_EINVAL);
    buffers_fill(self, writer);
    cede_drop(self, &reader);
    EXPECT_RESULT(cede_write(self, writer, "x", 1, CEDE_FOREVER), CEDE_ECLOSED);
    cede_drop(self, &writer);
    EXPECT_OK(cede_pipe(self, &reader, &writer));
    cede_drop(self, &writer);
    end_expect(self, reader);
    return CEDE_OK;
}

/* Runs `run` with `number` as standard input or output, and puts back what was there. */
static CEDE_YIELDS void replaced(cede_self *self, int standard, int number,
                                 CEDE_YIELDS void (*run)(cede_self *)) {
    int saved = fcntl(standard, F_DUPFD_CLOEXEC, 10);
    EXPECT(saved >= 0 && dup2(number, standard) == standard);
    run(self);
    EXPECT((fcntl(standard, F_GETFL) & O_NONBLOCK) == 0); /* nobody else is disturbed */
    EXPECT(dup2(saved, standard) == standard);
    close(saved);
}

static CEDE_YIELDS void input_run(cede_self *self) {
    struct cede_stream *input = NULL;
    char bytes[16];
    size_t got = 0;
    EXPECT_OK(cede_stdin(self, &input));
    EXPECT_OK(cede_read_until(self, input, '\n', bytes, sizeof bytes, &got, CEDE_SECONDS(50)));
    EXPECT(got == 5 && memcmp(bytes, "line\n", 5) == 0);
    text_expect(self, input, "rest");
    end_expect(self, input);
    cede_drop(self, &input);
}

static CEDE_YIELDS void output_run(cede_self *self) {
    struct cede_stream *output = NULL;
    char byte;
    size_t got = 0;
    EXPECT_OK(cede_stdout(self, &output));
    EXPECT_RESULT(cede_read(self, output, &byte, 1, &got, 0), CEDE_EINVAL);
    text_write(self, output, "out");
    cede_drop(self, &output);
}

static void bytes_expect(int number, const char *text) {
    char bytes[16] = "";
    EXPECT(read(number, bytes, sizeof bytes) == (ssize_t)strlen(text));
    EXPECT(strcmp(bytes, text) == 0);
}

IO_TEST(standard_streams_may_be_pipes) {
    int ends[2];
    (void)context;
    EXPECT(pipe2(ends, O_CLOEXEC) == 0);
    EXPECT(write(ends[1], "line\nrest", 9) == 9);
    close(ends[1]);
    replaced(self, 0, ends[0], input_run);
    close(ends[0]);
    EXPECT(pipe2(ends, O_CLOEXEC) == 0);
    replaced(self, 1, ends[1], output_run);
    bytes_expect(ends[0], "out");
    close(ends[0]);
    close(ends[1]);
    return CEDE_OK;
}

IO_TEST(standard_streams_may_be_sockets_that_live_on) {
    int ends[2];
    (void)context;
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    EXPECT(write(ends[1], "line\nrest", 9) == 9);
    EXPECT(shutdown(ends[1], SHUT_WR) == 0);
    replaced(self, 0, ends[0], input_run);
    replaced(self, 1, ends[0], output_run);
    EXPECT(write(ends[0], "!", 1) == 1); /* not shut down by the drop of the stream */
    bytes_expect(ends[1], "out!");
    close(ends[0]);
    close(ends[1]);
    return CEDE_OK;
}

IO_TEST(standard_streams_may_be_files) {
    char path[] = "/tmp/cede-standard-XXXXXX";
    int number = mkostemp(path, O_CLOEXEC);
    (void)context;
    EXPECT(number >= 0 && unlink(path) == 0);
    EXPECT(write(number, "line\nrest", 9) == 9 && lseek(number, 0, SEEK_SET) == 0);
    replaced(self, 0, number, input_run);
    EXPECT(lseek(number, 0, SEEK_SET) == 0 && ftruncate(number, 0) == 0);
    replaced(self, 1, number, output_run);
    EXPECT(lseek(number, 0, SEEK_SET) == 0);
    bytes_expect(number, "out");
    close(number);
    return CEDE_OK;
}

static CEDE_YIELDS void failing_run(cede_self *self) {
    struct cede_stream *input = NULL;
    cedei_call_fail(CEDEI_CALL_STATUS, EBADF, 0);
    EXPECT_RESULT(cede_stdin(self, &input), CEDE_EINVAL);
    EXPECT(cedei_call_fail_never() && input == NULL);
    cedei_call_fail(CEDEI_CALL_OPEN, EMFILE, 0);
    EXPECT_RESULT(cede_stdin(self, &input), CEDE_ELIMIT);
    EXPECT(cedei_call_fail_never() && input == NULL);
    /* Where it cannot be opened once more, it is read on the pool. */
    cedei_call_fail(CEDEI_CALL_OPEN, EACCES, 0);
    EXPECT_OK(cede_stdin(self, &input));
    EXPECT(cedei_call_fail_never());
    text_expect(self, input, "abc");
    cede_drop(self, &input);
}

IO_TEST(standard_input_that_cannot_be_opened_anew_is_read_all_the_same) {
    int ends[2];
    (void)context;
    EXPECT(pipe2(ends, O_CLOEXEC) == 0);
    EXPECT(write(ends[1], "abc", 3) == 3);
    replaced(self, 0, ends[0], failing_run);
    close(ends[0]);
    close(ends[1]);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pipe_carries_bytes_one_way_and_ends),
        cmocka_unit_test(standard_streams_may_be_pipes),
        cmocka_unit_test(standard_streams_may_be_sockets_that_live_on),
        cmocka_unit_test(standard_streams_may_be_files),
        cmocka_unit_test(standard_input_that_cannot_be_opened_anew_is_read_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
