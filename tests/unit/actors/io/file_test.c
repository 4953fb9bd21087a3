/* Files, through the blocking pool: what was written is read, mistakes and faults have their results, kills lose nothing. */
#include <errno.h>
#include <sys/stat.h>

#include "tests/support/network.h"

static char folder[64], path[96];

static void folder_make(void) {
    snprintf(folder, sizeof folder, "/tmp/cede-file-XXXXXX");
    EXPECT(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/file", folder);
}

static void folder_remove(void) {
    unlink(path);
    EXPECT(rmdir(folder) == 0);
}

static CEDE_YIELDS void content_expect(cede_self *self, struct cede_file *file, const char *text) {
    char bytes[64] = "";
    size_t got = 0;
    EXPECT_OK(cede_file_read(self, file, 0, bytes, sizeof bytes - 1, &got));
    EXPECT(got == strlen(text) && strcmp(bytes, text) == 0);
}

IO_TEST(file_is_made_written_and_read_at_any_place) {
    struct cede_file *file = NULL, *other = NULL;
    struct stat status;
    char byte;
    size_t got = 9;
    (void)context;
    folder_make();
    EXPECT_RESULT(cede_file_open(self, path, CEDE_FILE_READ, &file), CEDE_ENOENT);
    EXPECT_OK(cede_file_open(self, path,
                             CEDE_FILE_READ | CEDE_FILE_WRITE | CEDE_FILE_CREATE | CEDE_FILE_NEW |
                                 CEDE_FILE_PRIVATE,
                             &file));
    EXPECT(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
    EXPECT_RESULT(
        cede_file_open(self, path, CEDE_FILE_WRITE | CEDE_FILE_CREATE | CEDE_FILE_NEW, &other),
        CEDE_EEXIST);
    EXPECT_OK(cede_file_write(self, file, 0, "hello world", 11));
    EXPECT_OK(cede_file_write(self, file, 6, "there", 5));
    EXPECT_OK(cede_file_write(self, file, 6, NULL, 0));
    EXPECT_OK(cede_file_sync(self, file));
    content_expect(self, file, "hello there");
    EXPECT_OK(cede_file_read(self, file, 11, &byte, 1, &got));
    EXPECT_EQUAL(got, 0);
    cede_drop(self, &file);
    EXPECT_OK(cede_file_open(self, path, CEDE_FILE_WRITE | CEDE_FILE_APPEND, &file));
    EXPECT_OK(cede_file_write(self, file, 0, "!", 1));
    EXPECT_RESULT(cede_file_read(self, file, 0, &byte, 1, &got),
                  CEDE_EINVAL); /* not opened for it */
    cede_drop(self, &file);
    EXPECT_OK(cede_file_open(self, path, CEDE_FILE_READ, &file));
    content_expect(self, file, "hello there!");
    EXPECT_OK(cede_file_open(self, path, CEDE_FILE_WRITE | CEDE_FILE_EMPTY, &other));
    content_expect(self, file, "");
    cede_drop(self, &other);
    cede_drop(self, &file);
    folder_remove();
    return CEDE_OK;
}

IO_TEST(large_file_travels_in_parts) {
    enum { LARGE = (5 << 20) / 2 + 7 };
    struct cede_file *file = NULL;
    uint8_t *bytes = malloc(LARGE), *back = malloc(LARGE + 1);
    (void)context;
    folder_make();
    for (size_t i = 0; i < LARGE; i++) bytes[i] = (uint8_t)(i * 7 + i / 251);
    EXPECT_OK(
        cede_file_open(self, path, CEDE_FILE_READ | CEDE_FILE_WRITE | CEDE_FILE_CREATE, &file));
    EXPECT_OK(cede_file_write(self, file, 0, bytes, LARGE));
    size_t done = 0, got = 1;
    while (got > 0) {
        EXPECT_OK(cede_file_read(self, file, done, back + done, LARGE - done + 1, &got));
        done += got;
    }
    EXPECT(done == LARGE && memcmp(bytes, back, LARGE) == 0);
    cedei_call_limit(100000); /* and when the system takes less at a time */
    EXPECT_OK(cede_file_write(self, file, 1, bytes, LARGE));
    (void)cedei_call_fail_never();
    EXPECT_OK(cede_file_read(self, file, LARGE - 99, back, 100, &got));
    EXPECT(got == 100 && memcmp(bytes + LARGE - 100, back, 100) == 0);
    cede_drop(self, &file);
    free(bytes);
    free(back);
    folder_remove();
    return CEDE_OK;
}

IO_TEST(mistakes_are_refused) {
    struct cede_file *file = NULL;
    char byte;
    size_t got = 0;
    (void)context;
    EXPECT_RESULT(cede_file_open(self, "/tmp", 0, &file), CEDE_EINVAL);
    EXPECT_RESULT(cede_file_open(self, "/tmp", CEDE_FILE_READ | CEDE_FILE_EMPTY, &file),
                  CEDE_EINVAL);
    EXPECT_RESULT(cede_file_open(self, "/tmp", CEDE_FILE_WRITE | CEDE_FILE_NEW, &file), CEDE_EINVAL);
    EXPECT_RESULT(cede_file_open(self, "/tmp", 128 | CEDE_FILE_READ, &file), CEDE_EINVAL);
    EXPECT_RESULT(cede_file_open(self, "/tmp", CEDE_FILE_WRITE, &file), CEDE_EINVAL); /* a folder */
    EXPECT_RESULT(cede_file_open(self, NULL, CEDE_FILE_READ, &file), CEDE_EINVAL);
    EXPECT_RESULT(cede_file_open(NULL, "/tmp", CEDE_FILE_READ, &file), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_file_read(self, NULL, 0, &byte, 1, &got), CEDE_EINVAL);
    EXPECT_OK(cede_file_open(self, "/dev/null", CEDE_FILE_READ, &file));
    EXPECT_RESULT(cede_file_read(self, file, UINT64_MAX, &byte, 1, &got), CEDE_EINVAL);
    EXPECT_RESULT(cede_file_write(self, file, INT64_MAX, "xx", 2), CEDE_EINVAL);
    cede_drop(self, &file);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result session(cede_self *self) {
    struct cede_file *file = NULL;
    char bytes[4];
    size_t got = 0;
    cede_result r =
        cede_file_open(self, path, CEDE_FILE_READ | CEDE_FILE_WRITE | CEDE_FILE_CREATE, &file);
    if (r == CEDE_OK) r = cede_file_write(self, file, 0, "abcd", 4);
    if (r == CEDE_OK) r = cede_file_sync(self, file);
    if (r == CEDE_OK) r = cede_file_read(self, file, 0, bytes, 4, &got);
    if (r == CEDE_OK) EXPECT(got == 4 && memcmp(bytes, "abcd", 4) == 0);
    /* So much is not tried at once. */
    static uint8_t large[(1 << 16) + 1];
    if (r == CEDE_OK) r = cede_file_read(self, file, 1, large, sizeof large, &got);
    if (r == CEDE_OK) EXPECT(got == 3 && memcmp(large, "bcd", 3) == 0);
    cede_drop(self, &file);
    return r;
}

IO_TEST(each_call_that_fails_is_told_by_its_result) {
    static const struct {
        enum cedei_call call;
        int error;
        cede_result result;
    } FAULTS[] = {
        {CEDEI_CALL_OPEN, EACCES, CEDE_EACCES},
        {CEDEI_CALL_OPEN, EMFILE, CEDE_ELIMIT},
        {CEDEI_CALL_OPEN, ENFILE, CEDE_ELIMIT},
        {CEDEI_CALL_OPEN, ENOSPC, CEDE_ELIMIT},
        {CEDEI_CALL_OPEN, ENOTDIR, CEDE_ENOENT},
        {CEDEI_CALL_OPEN, EROFS, CEDE_EACCES},
        {CEDEI_CALL_OPEN, EINTR, CEDE_OK},
        {CEDEI_CALL_OPEN, ENAMETOOLONG, CEDE_ETOOBIG},
        {CEDEI_CALL_READ, EIO, CEDE_EIO},
        {CEDEI_CALL_READ, EINTR, CEDE_OK},
        {CEDEI_CALL_READ, EISDIR, CEDE_EINVAL},
        {CEDEI_CALL_WRITE, ENOSPC, CEDE_ELIMIT},
        {CEDEI_CALL_WRITE, EDQUOT, CEDE_ELIMIT},
        {CEDEI_CALL_WRITE, EFBIG, CEDE_ELIMIT},
        {CEDEI_CALL_WRITE, EIO, CEDE_EIO},
        {CEDEI_CALL_WRITE, EINTR, CEDE_OK},
        {CEDEI_CALL_SYNC, EIO, CEDE_EIO},
        {CEDEI_CALL_SYNC, EINTR, CEDE_OK},
        {CEDEI_CALL_SYNC, ENOSPC, CEDE_ELIMIT},
        {CEDEI_CALL_CLOSE, EIO, CEDE_OK},
        {CEDEI_CALL_READ_CACHED, EAGAIN, CEDE_OK},
        {CEDEI_CALL_READ_CACHED, EINTR, CEDE_OK},
        {CEDEI_CALL_READ_CACHED, EOPNOTSUPP, CEDE_OK},
        {CEDEI_CALL_READ_CACHED, EIO, CEDE_OK}, /* what the pool's thread finds counts */
    };
    (void)context;
    folder_make();
    for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0]; i++) {
        cedei_call_fail(FAULTS[i].call, FAULTS[i].error, 0);
        cede_result r = session(self);
        EXPECT(cedei_call_fail_never());
        EXPECT_RESULT(r, FAULTS[i].result);
    }
    folder_remove();
    return CEDE_OK;
}

static uint64_t jobs_of(cede_self *self) {
    struct cede_metrics now;
    cede_system_metrics(cede_self_system(self), &now);
    return now.blocking_jobs;
}

/* One job each time that the system says "not at once", and for good when it cannot say; else none, also at the end. */
IO_TEST(what_is_in_memory_is_read_without_the_pool) {
    struct cede_file *file = NULL;
    char bytes[8] = "";
    size_t got = 0;
    (void)context;
    folder_make();
    EXPECT_OK(
        cede_file_open(self, path, CEDE_FILE_READ | CEDE_FILE_WRITE | CEDE_FILE_CREATE, &file));
    EXPECT_OK(cede_file_write(self, file, 0, "0123456789", 10));
    uint64_t jobs = jobs_of(self);
    for (uint64_t i = 0; i < 100; i++) {
        EXPECT_OK(cede_file_read(self, file, i % 12, bytes, sizeof bytes, &got));
        EXPECT_EQUAL(got, i % 12 > 10 ? 0 : i % 12 < 2 ? 8 : 10 - i % 12);
        EXPECT(got == 0 || bytes[0] == (char)('0' + i % 12));
    }
    EXPECT_EQUAL(jobs_of(self), jobs);
    for (uint32_t failing = 0; failing < 2; failing++) { /* the read, and the look behind its end */
        cedei_call_fail(CEDEI_CALL_READ_CACHED, EAGAIN, failing);
        EXPECT_OK(cede_file_read(self, file, 5, bytes, sizeof bytes, &got));
        EXPECT(cedei_call_fail_never());
        EXPECT(got == 5 && memcmp(bytes, "56789", 5) == 0);
        EXPECT_EQUAL(jobs_of(self), ++jobs);
    }
    cedei_call_fail(CEDEI_CALL_READ_CACHED, EOPNOTSUPP, 0);
    EXPECT_OK(cede_file_read(self, file, 0, bytes, sizeof bytes, &got));
    EXPECT(cedei_call_fail_never());
    EXPECT_OK(cede_file_read(self, file, 0, bytes, sizeof bytes, &got));
    EXPECT_EQUAL(jobs_of(self), jobs + 2);
    cede_drop(self, &file);
    folder_remove();
    return CEDE_OK;
}

/* The pool thread writes into a buffer of the job's, not into the stack of a turn that is gone. */
static CEDE_YIELDS cede_result read_a_pipe(cede_self *self, void *context) {
    struct cede_file *file = NULL;
    char bytes[64];
    size_t got = 0;
    flag_set(context, 1);
    EXPECT_OK(cede_file_open(self, path, CEDE_FILE_READ, &file)); /* waits for a writer */
    (void)cede_file_read(self, file, 0, bytes, sizeof bytes, &got);
    EXPECT(false);
    return CEDE_STOP;
}

IO_TEST(kill_while_a_pool_thread_is_in_the_call_leaves_nothing_open) {
    static _Atomic uint32_t begun;
    (void)context;
    folder_make();
    flag_set(&begun, 0);
    EXPECT(mkfifo(path, 0600) == 0);
    struct cede_metrics before, now;
    cede_system_metrics(cede_self_system(self), &before);
    cede_ref actor = play(self, read_a_pipe, &begun);
    EXPECT_OK(cede_monitor(self, actor));
    flag_await(self, &begun, 1);
    parked_await(self, actor);
    do { /* a job that has not begun would be called off */
        cede_yield(self);
        cede_system_metrics(cede_self_system(self), &now);
    } while (now.blocking_jobs == before.blocking_jobs);
    EXPECT_OK(cede_kill(self, actor));
    EXPECT_RESULT(down_await(self, actor), CEDE_EKILLED);
    int writer = -1;
    while (writer < 0) { /* until the pool thread is in its open */
        writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        cede_yield(self);
    }
    close(writer);
    folder_remove();
    return CEDE_OK; /* what the thread opened is closed by the drop of its job */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_is_made_written_and_read_at_any_place),
        cmocka_unit_test(large_file_travels_in_parts),
        cmocka_unit_test(mistakes_are_refused),
        cmocka_unit_test(each_call_that_fails_is_told_by_its_result),
        cmocka_unit_test(what_is_in_memory_is_read_without_the_pool),
        cmocka_unit_test(kill_while_a_pool_thread_is_in_the_call_leaves_nothing_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
