/* process_test.c - child processes: this program again, with other arguments. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/sys/process.h"

#define SECOND 1000000000u
#define PATIENCE (60ull * SECOND)

static char self_path[] = "/proc/self/exe";

static cede_result child_start(const char *role, const char *argument, int32_t *pid,
                               int32_t *lifeline) {
    char role_copy[16], argument_copy[16];
    (void)snprintf(role_copy, sizeof role_copy, "%s", role);
    (void)snprintf(argument_copy, sizeof argument_copy, "%s", argument);
    char *argv[] = {self_path, role_copy, argument_copy, NULL};
    return cedei_process_start(argv, pid, lifeline);
}

static void process_status_is_that_of_the_child(void **state) {
    (void)state;
    static const char *const texts[] = {"0", "1", "77", "255"};
    for (size_t i = 0; i < 4; i++) {
        int32_t pid = 0, lifeline = 0, status = -1;
        assert_int_equal(child_start("exit", texts[i], &pid, &lifeline), CEDE_OK);
        assert_int_equal(cedei_process_wait(pid, PATIENCE, &status), CEDE_OK);
        assert_int_equal(status, atoi(texts[i]));
        /* Collected: it is nobody's child any more. */
        assert_int_equal(cedei_process_wait(pid, PATIENCE, &status), CEDE_ENOENT);
        cedei_process_lifeline_close(lifeline);
    }
}

static void process_wait_gives_up_in_time_and_sees_the_signal(void **state) {
    (void)state;
    int32_t pid = 0, lifeline = 0, status = 0;
    assert_int_equal(child_start("hang", "", &pid, &lifeline), CEDE_OK);
    assert_int_equal(cedei_process_wait(pid, 0, &status), CEDE_ETIMEDOUT);
    assert_int_equal(cedei_process_wait(pid, SECOND / 100, &status), CEDE_ETIMEDOUT);
    assert_int_equal(cedei_process_signal(pid, 12345), CEDE_EINVAL);
    assert_int_equal(cedei_process_signal(pid, SIGTERM), CEDE_OK);
    assert_int_equal(cedei_process_wait(pid, PATIENCE, &status), CEDE_OK);
    assert_int_equal(status, -SIGTERM);
    cedei_process_lifeline_close(lifeline);
}

/* The lifeline is what a dead parent lets go of: closing it is its death as the child sees it. */
static void process_that_follows_ends_with_its_lifeline(void **state) {
    (void)state;
    int32_t pid = 0, lifeline = 0, status = 0;
    assert_int_equal(child_start("follow", "", &pid, &lifeline), CEDE_OK);
    assert_int_equal(cedei_process_wait(pid, SECOND / 20, &status), CEDE_ETIMEDOUT);
    cedei_process_lifeline_close(lifeline);
    assert_int_equal(cedei_process_wait(pid, PATIENCE, &status), CEDE_OK);
    assert_int_equal(status, 75);
}

/* The parent is killed outright; its child must not stay. Told by a pipe that only the two of them hold open. */
static void process_that_follows_ends_when_its_parent_is_killed(void **state) {
    (void)state;
    int ends[2];
    int32_t pid = 0, lifeline = 0, status = 0;
    char text[16], byte;
    assert_int_equal(pipe(ends), 0);
    (void)snprintf(text, sizeof text, "%d", ends[1]);
    assert_int_equal(child_start("nest", text, &pid, &lifeline), CEDE_OK);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1); /* the grandchild runs */
    assert_int_equal(cedei_process_signal(pid, SIGKILL), CEDE_OK);
    assert_int_equal(cedei_process_wait(pid, PATIENCE, &status), CEDE_OK);
    assert_int_equal(status, -SIGKILL);
    assert_int_equal(read(ends[0], &byte, 1), 0); /* and is gone */
    (void)close(ends[0]);
    cedei_process_lifeline_close(lifeline);
}

/* No signal is blocked and SIGPIPE kills, whatever the thread that started it did. */
static void process_starts_with_signals_as_from_a_shell(void **state) {
    (void)state;
    sigset_t all, before;
    int32_t pid = 0, lifeline = 0, status = 0;
    (void)sigfillset(&all);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &all, &before), 0);
    void (*handler)(int) = signal(SIGPIPE, SIG_IGN);
    assert_int_equal(child_start("sigpipe", "", &pid, &lifeline), CEDE_OK);
    (void)signal(SIGPIPE, handler);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
    assert_int_equal(cedei_process_wait(pid, PATIENCE, &status), CEDE_OK);
    assert_int_equal(status, -SIGPIPE);
    cedei_process_lifeline_close(lifeline);
}

static void process_errors_have_their_codes(void **state) {
    (void)state;
    char missing[] = "/nonexistent/program", folder[] = "/";
    char *argv_missing[] = {missing, NULL}, *argv_folder[] = {folder, NULL};
    int32_t pid = 1234, lifeline = 5678, status = 0;
    assert_int_equal(cedei_process_start(argv_missing, &pid, &lifeline), CEDE_ENOENT);
    assert_int_equal(cedei_process_start(argv_folder, &pid, &lifeline), CEDE_EACCES);
    assert_int_equal(pid, 1234);
    assert_int_equal(lifeline, 5678);
    assert_int_equal(cedei_process_wait(0, 0, &status), CEDE_ENOENT);
    assert_int_equal(cedei_process_wait(1, 0, &status), CEDE_ENOENT);
    assert_int_equal(cedei_process_signal(0, SIGKILL), CEDE_ENOENT);
    assert_int_equal(cedei_process_signal(-1, SIGKILL), CEDE_ENOENT);
}

/* ---- the children ---- */

static void hang(void) {
    for (;;) (void)pause();
}

static void nest(const char *text) {
    int32_t pid = 0, lifeline = 0;
    if (child_start("nested", text, &pid, &lifeline) != CEDE_OK) exit(3);
    (void)close(atoi(text));
    hang();
}

static void nested(const char *text) {
    if (cedei_process_follow_parent() != CEDE_OK) exit(4);
    if (write(atoi(text), "x", 1) != 1) exit(5);
    hang();
}

static int child_main(const char *role, const char *argument) {
    if (strcmp(role, "exit") == 0) return atoi(argument);
    if (strcmp(role, "sigpipe") == 0) return raise(SIGPIPE) == 0 ? 1 : 2;
    if (strcmp(role, "follow") == 0 && cedei_process_follow_parent() != CEDE_OK) return 4;
    if (strcmp(role, "nest") == 0) nest(argument);
    if (strcmp(role, "nested") == 0) nested(argument);
    hang();
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3) return child_main(argv[1], argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_status_is_that_of_the_child),
        cmocka_unit_test(process_wait_gives_up_in_time_and_sees_the_signal),
        cmocka_unit_test(process_that_follows_ends_with_its_lifeline),
        cmocka_unit_test(process_that_follows_ends_when_its_parent_is_killed),
        cmocka_unit_test(process_starts_with_signals_as_from_a_shell),
        cmocka_unit_test(process_errors_have_their_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
