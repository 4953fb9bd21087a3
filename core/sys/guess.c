/* guess.c - what a thread of this process is doing, without disturbing it: from /proc and from a copy of its stack.
 * A thread that blocks leaves its stack as it is. Where the innermost frame ends is known, the rest is found by looking for
 * words that point behind a call instruction. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/sys/interrupt.h"

enum { ARGUMENTS = 6, CHUNK_BYTES = 1024, SCAN_BYTES = 4 * CHUNK_BYTES };

/* Sockets may have a time limit, and a limit makes the kernel end the call instead of restarting it. */
static bool is_socket(uint64_t fd) {
    char path[64], target[16] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%u", (unsigned)fd);
    return readlink(path, target, sizeof target - 1) <= 0 || strncmp(target, "socket:", 7) == 0;
}

static bool call_restarts(long number, const uint64_t *arguments) {
    switch (number) {
    case SYS_read:
    case SYS_write:
    case SYS_readv:
    case SYS_writev: return !is_socket(arguments[0]);
    case SYS_pread64:
    case SYS_pwrite64:
    case SYS_openat:
    case SYS_flock:
    case SYS_wait4:
    case SYS_waitid:
    case SYS_fsync: return true;
    case SYS_futex: return arguments[3] == 0; /* no limit of time */
    default: return false;
    }
}

enum cedei_thread_state cedei_thread_state_of(uint32_t number, uintptr_t *sp, uintptr_t *pc) {
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/self/task/%u/syscall", number);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return CEDEI_THREAD_UNKNOWN;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return CEDEI_THREAD_UNKNOWN;
    if (strncmp(text, "running", 7) == 0) return CEDEI_THREAD_RUNS;
    char *at = NULL;
    long call = strtol(text, &at, 10);
    uint64_t arguments[ARGUMENTS] = {0};
    for (int i = 0; call >= 0 && i < ARGUMENTS; i++) arguments[i] = strtoull(at, &at, 16);
    *sp = strtoull(at, &at, 16);
    *pc = strtoull(at, &at, 16);
    if (call < 0)
        return CEDEI_THREAD_RUNS; /* stopped outside of any call: a page that is being read in */
    return call_restarts(call, arguments) ? CEDEI_THREAD_RESTARTS : CEDEI_THREAD_BLOCKS;
}

/* Whether the instruction before `address` is a call. */
static bool is_behind_call(uintptr_t address) {
    enum { LONGEST_CALL = 7 };
    if (address < LONGEST_CALL || !cedei_symbol_is_code(address) ||
        !cedei_symbol_is_code(address - LONGEST_CALL))
        return false;
    const uint8_t *end = (const uint8_t *)address;
#if defined(__x86_64__)
    if (end[-5] == 0xe8) return true;                      /* call to a fixed place */
    for (int length = 2; length <= LONGEST_CALL; length++) /* call through a register or memory */
        if (end[-length] == 0xff && (end[1 - length] & 0x38) == 0x10) return true;
    return false;
#elif defined(__aarch64__)
    uint32_t before = 0;
    memcpy(&before, end - 4, sizeof before);
    return (before & 0xfc000000u) == 0x94000000u || (before & 0xfffffc1fu) == 0xd63f0000u;
#else
    (void)end;
    return false;
#endif
}

int cedei_backtrace_guess(uintptr_t sp, void **frames, int frames_max) {
    uintptr_t words[CHUNK_BYTES / sizeof(uintptr_t)], end = sp + SCAN_BYTES;
    int count = 0;
    if (sp % sizeof *words != 0) return 0;
    while (sp < end && count < frames_max) {
        /* Up to the next boundary, so never over the end of a page; copied by the kernel, which checks the addresses. */
        size_t size = CHUNK_BYTES - sp % CHUNK_BYTES;
        struct iovec to = {.iov_base = words, .iov_len = size};
        struct iovec from = {.iov_base = (void *)sp, .iov_len = size};
        if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) != (ssize_t)size) break;
        for (size_t i = 0; i < size / sizeof *words && count < frames_max; i++)
            if (is_behind_call(words[i])) frames[count++] = (void *)words[i];
        sp += size;
    }
    return count;
}
