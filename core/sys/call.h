/* call.h - system calls that tests can make fail: each kind once, with any errno; transfers can move a byte at a time.
 * The wrappers in core/sys ask here first. What errno means in result codes of descriptors is said here, once. A new call gets
 * an entry, and tests/fault/calls_test.c fails until a test says what becomes of its failures. */
#ifndef CEDEI_SYS_CALL_H
#define CEDEI_SYS_CALL_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/result.h>

#include "core/base/base.h"

enum cedei_call {
    CEDEI_CALL_SOCKET = 0,
    CEDEI_CALL_SOCKET_OPTION,
    CEDEI_CALL_BIND,
    CEDEI_CALL_LISTEN,
    CEDEI_CALL_SOCKET_NAME,
    CEDEI_CALL_ACCEPT,
    CEDEI_CALL_CONNECT,
    CEDEI_CALL_CONNECT_RESULT,
    CEDEI_CALL_RECEIVE,
    CEDEI_CALL_SEND,
    CEDEI_CALL_SHUTDOWN,
    CEDEI_CALL_POLL_CREATE,
    CEDEI_CALL_POLL_ADD,
    CEDEI_CALL_POLL_WAIT,
    CEDEI_CALL_TIMER,
    CEDEI_CALL_TIMER_SET,
    CEDEI_CALL_PIPE,
    CEDEI_CALL_STATUS,
    CEDEI_CALL_OPEN,
    CEDEI_CALL_READ,
    CEDEI_CALL_READ_CACHED,
    CEDEI_CALL_WRITE,
    CEDEI_CALL_SYNC,
    CEDEI_CALL_MODE,
    CEDEI_CALL_PEER,
    CEDEI_CALL_CLOSE,
    CEDEI_CALL_MMAP,
    CEDEI_CALL_MUNMAP,
    CEDEI_CALL_MADVISE_GUARD,
    CEDEI_CALL_MPROTECT,
    CEDEI_CALL_MINCORE,
    CEDEI_CALL_FUTEX_WAIT,
    CEDEI_CALL_FUTEX_WAKE,
    CEDEI_CALL_BARRIER,
    CEDEI_CALL_CLOCK,
    CEDEI_CALL_THREAD,
    CEDEI_CALL_THREAD_NAME,
    CEDEI_CALL_AFFINITY,
    CEDEI_CALL_RANDOM,
    CEDEI_CALL_SIGALTSTACK,
    CEDEI_CALL_LIFELINE,
    CEDEI_CALL_LIFELINE_READ,
    CEDEI_CALL_SPAWN_SETUP,
    CEDEI_CALL_SPAWN,
    CEDEI_CALL_WAITPID,
    CEDEI_CALL_PIDFD,
    CEDEI_CALL_PROCESS_POLL,
    CEDEI_CALL_KILL,
    CEDEI_CALL_EVENT,
    CEDEI_CALL_EVENT_WRITE,
    CEDEI_CALL_EVENT_READ,
    CEDEI_CALL_EVENT_POLL,
    CEDEI_CALL_LOG_WRITE,
    CEDEI_CALL_COUNT
};

/* From now on the call of this kind after `after` others of it fails with `error`, once, without being made.
 * One fault is set at a time. Any thread, while no other sets one. */
void cedei_call_fail(enum cedei_call call, int error, uint32_t after);
/* From now on no transfer moves more than `bytes`; 0: no limit. */
void cedei_call_limit(uint32_t bytes);
/* Ends both; whether the fault has struck. */
bool cedei_call_fail_never(void);

/* For the wrappers. */
extern _Atomic uint32_t cedei_call_armed; /* 1: a fault or a limit is set */
int cedei_call_fault_slow(enum cedei_call call);
size_t cedei_call_size_slow(size_t size);

static inline bool cedei_call_is_armed(void) {
#if CEDEI_SIM
    return false; /* and no point: how many calls it takes to map memory depends on its address */
#else
    /* acquire: pairs with the release in cedei_call_fail: what is to fail is seen with the flag. */
    return CEDEI_UNLIKELY(atomic_load_explicit(&cedei_call_armed, memory_order_acquire) != 0);
#endif
}

/* The errno that this call is to fail with, or 0. */
static inline int cedei_call_fault(enum cedei_call call) {
    return cedei_call_is_armed() ? cedei_call_fault_slow(call) : 0;
}

/* The same for wrappers of calls that return -1: sets errno. */
static inline bool cedei_call_fails(enum cedei_call call) {
    int error = cedei_call_fault(call);
    if (CEDEI_UNLIKELY(error != 0)) errno = error;
    return CEDEI_UNLIKELY(error != 0);
}

/* How much of `size` a transfer may move. */
static inline size_t cedei_call_size(size_t size) {
    return cedei_call_is_armed() ? cedei_call_size_slow(size) : size;
}

/* CEDE_ETIMEDOUT stands for EAGAIN: a call that does not wait is one whose time was over at once. */
cede_result cedei_call_result(int error);

#endif
