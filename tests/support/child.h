/* child.h - runs a function in a child process that is expected to die, and shows what it wrote to standard error. */
#ifndef CEDE_TESTS_CHILD_H
#define CEDE_TESTS_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/expect.h"

struct child_end {
    int status;       /* as waitpid gives it */
    char text[32768]; /* what it wrote to standard error: its first bytes */
};

/* Runs `run(context)` in a child; if that returns, the child ends with status 0. No child outlives 60 s. */
static inline void child_run(struct child_end *end, void (*run)(void *), void *context) {
    int ends[2];
    EXPECT(pipe(ends) == 0);
    pid_t pid = fork();
    EXPECT(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        alarm(60);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        /* The test library's handlers would go on with the next test. */
        const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
        for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) signal(faults[i], SIG_DFL);
        run(context);
        _exit(0);
    }
    close(ends[1]);
    size_t used = 0;
    for (;;) { /* until the child has closed its end */
        char chunk[512];
        ssize_t got = read(ends[0], chunk, sizeof chunk);
        if (got <= 0) break;
        size_t room = sizeof end->text - 1 - used;
        size_t more = (size_t)got < room ? (size_t)got : room;
        memcpy(end->text + used, chunk, more);
        used += more;
    }
    end->text[used] = '\0';
    close(ends[0]);
    EXPECT(waitpid(pid, &end->status, 0) == pid);
}

/* Whether the child was ended by `signal_number`; a sanitizer's handler may have turned it into SIGABRT. */
static inline bool child_died_of(const struct child_end *end, int signal_number) {
    if (!WIFSIGNALED(end->status)) return false;
    return WTERMSIG(end->status) == signal_number || WTERMSIG(end->status) == SIGABRT;
}

static inline void expect_child_aborts_at(const char *here, void (*run)(void *), void *context,
                                          const char *text) {
    struct child_end end;
    child_run(&end, run, context);
    if (child_died_of(&end, SIGABRT) && strstr(end.text, text) != NULL) return;
    fprintf(stderr, "%s: the child should have aborted saying \"%s\"; status %d, it said:\n%s\n",
            here, text, end.status, end.text);
    abort();
}

/* The child must abort with a line that holds `text`. */
#define EXPECT_CHILD_ABORTS(run, context, text)                                                    \
    expect_child_aborts_at(CEDEI_HERE, (run), (context), (text))

#endif
