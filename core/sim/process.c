/* process.c - see process.h. */
#define _GNU_SOURCE
#include "core/sim/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

void *cedei_sim_shared_take(size_t size) {
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void cedei_sim_shared_give(void *memory, size_t size) {
    if (memory != NULL) munmap(memory, size);
}

__attribute__((noreturn)) static void child_run(void (*body)(void *), void *context,
                                                unsigned seconds, int output) {
    struct rlimit limit = {.rlim_cur = seconds, .rlim_max = seconds + 1};
    (void)setrlimit(RLIMIT_CPU, &limit);
    limit = (struct rlimit){0};
    (void)setrlimit(RLIMIT_CORE, &limit);
    signal(SIGXCPU, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    signal(SIGSEGV, SIG_DFL);
    if (output >= 0) {
        (void)dup2(output, STDOUT_FILENO);
        (void)dup2(output, STDERR_FILENO);
    }
    body(context);
    fflush(NULL);
    _exit(0);
}

cede_result cedei_sim_process_run(void (*body)(void *), void *context, unsigned seconds, int output,
                                  struct cedei_sim_exit *out) {
    int status = 0;
    fflush(NULL);
    pid_t child = fork();
    if (child < 0) return CEDE_EIO;
    if (child == 0) child_run(body, context, seconds, output);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return CEDE_EIO;
    *out = (struct cedei_sim_exit){.output = output};
    if (WIFSIGNALED(status))
        out->signal = WTERMSIG(status);
    else
        out->status = WEXITSTATUS(status);
    out->unended = out->signal == SIGXCPU || out->signal == SIGKILL;
    return CEDE_OK;
}

int cedei_sim_output_open(void) { return memfd_create("cede-sim", MFD_CLOEXEC); }

void cedei_sim_output_clear(int output) {
    if (output < 0) return;
    (void)ftruncate(output, 0);
    (void)lseek(output, 0, SEEK_SET);
}

void cedei_sim_output_close(int output) {
    if (output >= 0) (void)close(output);
}

void cedei_sim_output_read(int output, char *text, size_t size) {
    text[0] = '\0';
    off_t end = output >= 0 ? lseek(output, 0, SEEK_END) : 0;
    if (end <= 0) return;
    off_t from = end > (off_t)size - 1 ? end - ((off_t)size - 1) : 0;
    ssize_t got = pread(output, text, size - 1, from);
    text[got > 0 ? got : 0] = '\0';
}

void cedei_sim_command_read(char *text, size_t size) {
    text[0] = '\0';
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    ssize_t got = read(fd, text, size - 1);
    (void)close(fd);
    if (got < 0) got = 0;
    for (ssize_t i = 0; i + 1 < got; i++)
        if (text[i] == '\0') text[i] = ' ';
    text[got] = '\0';
}
