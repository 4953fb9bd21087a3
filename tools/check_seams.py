#!/usr/bin/env python3
"""check_seams.py - clock, random, threads, polling, mappings and allocation are reached through core/sys only.

The simulator replaces core/sys; a call that goes around it would make a run depend on more than its seed. Looked at are
core/ and actors/ except core/sys itself and core/sim, which takes its place. actors/node may call nng and OpenSSL, which have threads of their own.
"""
import re
import sys

import tree

SEAMS = {
    "clock": ["clock_gettime", "clock_nanosleep", "gettimeofday", "time", "nanosleep", "usleep", "sleep", "nng_msleep",
              "nng_clock", "timerfd_create", "timer_create", "setitimer", "alarm"],
    "random": ["rand", "srand", "random", "rand_r", "drand48", "getrandom", "getentropy", "arc4random", "nng_random"],
    "threads": ["pthread_create", "pthread_join", "pthread_detach", "thrd_create", "pthread_setaffinity_np",
                "sched_setaffinity", "pthread_kill", "sched_yield", "pthread_sigmask"],
    "waiting": ["poll", "ppoll", "select", "pselect", "epoll_create1", "epoll_wait", "epoll_ctl", "syscall"],
    "sockets": ["socket", "socketpair", "bind", "listen", "accept4", "connect", "recv", "recvfrom", "recvmsg",
                "send", "sendto", "sendmsg", "shutdown", "setsockopt", "getsockopt", "getsockname", "getpeername"],
    "files": ["open", "openat", "read", "pread", "pwrite", "readv", "writev", "close", "fsync", "pipe", "pipe2",
              "fcntl", "dup", "dup2", "eventfd"],
    "memory": ["malloc", "calloc", "realloc", "free", "aligned_alloc", "posix_memalign", "memalign", "strdup",
               "strndup", "asprintf", "vasprintf", "reallocarray", "mmap", "munmap", "mprotect", "madvise"],
    "signals": ["sigaction", "signal", "sigaltstack"],
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(name for names in SEAMS.values() for name in names) + r")\s*\(")


def main():
    options = tree.arguments(__doc__)
    findings = tree.Findings()
    of = {name: seam for seam, names in SEAMS.items() for name in names}
    for path in tree.files(options.root, ["core", "actors"]):
        if path.startswith(("core/sys/", "core/sim/")):
            continue
        code = tree.without_comments(tree.read(options.root, path), strings=False)
        for match in CALL.finditer(code):
            before = code[:match.start()].rstrip()
            # `static void free(` declares; `(*poll)(` and a designated member are no calls either.
            if re.search(r"(\*|\b(void|int|bool|struct \w+))$", before):
                continue
            findings.add(path, tree.line_of(code, match.start()),
                         f"calls {match.group(1)}: {of[match.group(1)]} belong to core/sys, which the simulator replaces")
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
