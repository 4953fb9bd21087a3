/* process.c - child processes; see process.h.
 * Owns no state: a child is known by its pid, which stays its own until it was waited for. Children are started by
 * posix_spawn, never by fork: libraries with threads do not survive a fork. Every descriptor that we make is
 * close-on-exec, but for the end of the lifeline that is meant for the child. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/sys/alloc.h"
#include "core/sys/call.h"
#include "core/sys/clock.h"
#include "core/sys/process.h"
#include "core/sys/thread.h"

#define LIFELINE_VARIABLE "CEDE_LIFELINE"
#define PARENT_GONE_STATUS 75 /* EX_TEMPFAIL: nothing wrong with us */
#define LOOK_NS 5000000u      /* between two looks where the kernel has no pidfd */

extern char **environ;

static cede_result result_of(int error) {
    switch (error) {
    case 0: return CEDE_OK;
    case ENOENT:
    case ENOTDIR:
    case ESRCH:
    case ECHILD: return CEDE_ENOENT;
    case EACCES:
    case EPERM: return CEDE_EACCES;
    case ENOMEM: return CEDE_ENOMEM;
    case EAGAIN:
    case EMFILE:
    case ENFILE: return CEDE_ELIMIT;
    case EINVAL: return CEDE_EINVAL;
    default: return CEDE_EIO;
    }
}

/* Our environment with the child's end of the lifeline in it; the caller frees the array, not the texts. */
static char **environment_make(char *lifeline_text) {
    size_t count = 0, kept = 0;
    while (environ != NULL && environ[count] != NULL) count++;
    char **made = cedei_alloc((count + 2) * sizeof *made);
    if (made == NULL) return NULL;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(environ[i], LIFELINE_VARIABLE "=", sizeof LIFELINE_VARIABLE) != 0)
            made[kept++] = environ[i];
    }
    made[kept++] = lifeline_text;
    made[kept] = NULL;
    return made;
}

/* Workers block all signals and may ignore some; a child starts as from a shell. */
static int attributes_set(posix_spawnattr_t *attributes) {
    sigset_t none, standard;
    (void)sigemptyset(&none);
    (void)sigemptyset(&standard);
    (void)sigaddset(&standard, SIGPIPE);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) error = posix_spawnattr_setsigdefault(attributes, &standard);
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    return error != 0 ? error : posix_spawnattr_setflags(attributes, flags);
}

static int spawn(char *const argv[], char **environment, int child_end, pid_t *pid) {
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int error = cedei_call_fault(CEDEI_CALL_SPAWN_SETUP);
    if (error == 0) error = posix_spawnattr_init(&attributes);
    if (error != 0) return error;
    error = cedei_call_fault(CEDEI_CALL_SPAWN_SETUP);
    if (error == 0) error = posix_spawn_file_actions_init(&actions);
    if (error != 0) goto destroy_attributes;
    error = attributes_set(&attributes);
    /* Onto itself: clears close-on-exec, in the child only. */
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, child_end, child_end);
    if (error == 0) error = cedei_call_fault(CEDEI_CALL_SPAWN);
    if (error == 0) error = posix_spawnp(pid, argv[0], &actions, &attributes, argv, environment);
    (void)posix_spawn_file_actions_destroy(&actions);
destroy_attributes:
    (void)posix_spawnattr_destroy(&attributes);
    return error;
}

cede_result cedei_process_start(char *const argv[], int32_t *pid, int32_t *lifeline) {
    char text[sizeof LIFELINE_VARIABLE + 16];
    int ends[2];
    pid_t child = 0;
    if (cedei_call_fails(CEDEI_CALL_LIFELINE) || pipe2(ends, O_CLOEXEC) != 0)
        return result_of(errno);
    (void)snprintf(text, sizeof text, LIFELINE_VARIABLE "=%d", ends[0]);
    char **environment = environment_make(text);
    int error = environment == NULL ? ENOMEM : spawn(argv, environment, ends[0], &child);
    cedei_free(environment);
    (void)close(ends[0]);
    if (error != 0) {
        (void)close(ends[1]);
        return result_of(error);
    }
    *pid = (int32_t)child;
    *lifeline = (int32_t)ends[1];
    return CEDE_OK;
}

static cede_result collect(int32_t pid, int32_t *status) {
    int raw = 0;
    pid_t got;
    do got = cedei_call_fails(CEDEI_CALL_WAITPID) ? -1 : waitpid((pid_t)pid, &raw, WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got < 0) return result_of(errno);
    if (got == 0) return CEDE_ETIMEDOUT;
    *status = WIFSIGNALED(raw) ? -WTERMSIG(raw) : WEXITSTATUS(raw);
    return CEDE_OK;
}

/* Returns when the child has ended, after `timeout_ns`, or earlier. */
static void wait_some(int32_t pid, uint64_t timeout_ns) {
    bool has_none = cedei_call_fails(CEDEI_CALL_PIDFD);
    struct pollfd entry = {.fd = has_none ? -1 : pidfd_open((pid_t)pid, 0), .events = POLLIN};
    uint64_t slice_ns = entry.fd >= 0 || timeout_ns < LOOK_NS ? timeout_ns : LOOK_NS;
    if (slice_ns > 1000000000u) slice_ns = 1000000000u;
    struct timespec slice = {.tv_sec = (time_t)(slice_ns / 1000000000u),
                             .tv_nsec = (long)(slice_ns % 1000000000u)};
    /* Without a pidfd this sleeps: poll ignores a negative descriptor. Its result is seen by `collect`. */
    if (!cedei_call_fails(CEDEI_CALL_PROCESS_POLL)) (void)ppoll(&entry, 1, &slice, NULL);
    if (entry.fd >= 0) (void)close(entry.fd);
}

cede_result cedei_process_wait(int32_t pid, uint64_t timeout_ns, int32_t *status) {
    uint64_t start_ns = cedei_clock_now_ns();
    if (pid <= 0) return CEDE_ENOENT;
    for (;;) {
        cede_result result = collect(pid, status);
        if (result != CEDE_ETIMEDOUT) return result;
        uint64_t passed_ns = cedei_clock_now_ns() - start_ns;
        if (passed_ns >= timeout_ns) return CEDE_ETIMEDOUT;
        wait_some(pid, timeout_ns - passed_ns);
    }
}

cede_result cedei_process_signal(int32_t pid, int signal_number) {
    if (pid <= 0) return CEDE_ENOENT;
    if (cedei_call_fails(CEDEI_CALL_KILL) || kill((pid_t)pid, signal_number) != 0)
        return result_of(errno);
    return CEDE_OK;
}

void cedei_process_lifeline_close(int32_t lifeline) {
    if (lifeline > 0) (void)close(lifeline);
}

static void *follow(void *context) {
    int lifeline = (int)(intptr_t)context;
    char byte;
    ssize_t got;
    do got = cedei_call_fails(CEDEI_CALL_LIFELINE_READ) ? -1 : read(lifeline, &byte, 1);
    while (got > 0 || (got < 0 && errno == EINTR));
    static const char line[] = "cede: the parent process is gone; ending\n";
    if (write(STDERR_FILENO, line, sizeof line - 1) < 0) _exit(PARENT_GONE_STATUS);
    _exit(PARENT_GONE_STATUS);
}

cede_result cedei_process_follow_parent(void) {
    cedei_thread thread;
    char *end = NULL;
    const char *text = getenv(LIFELINE_VARIABLE);
    if (text == NULL) return CEDE_OK;
    long lifeline = strtol(text, &end, 10);
    if (end == text || *end != '\0' || lifeline <= STDERR_FILENO || lifeline > 1 << 20)
        return CEDE_OK;
    /* Ours is not for our own children: it would keep nothing alive, but say something wrong to them. */
    if (fcntl((int)lifeline, F_SETFD, FD_CLOEXEC) != 0) return CEDE_OK;
    (void)unsetenv(LIFELINE_VARIABLE);
    cede_result result =
        cedei_thread_start(&thread, "cede-lifeline", follow, (void *)(intptr_t)lifeline);
    if (result == CEDE_OK) cedei_thread_detach(&thread);
    return result;
}
