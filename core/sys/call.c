/* call.c - the fault that tests have set, and the meaning of errno.
 * Invariants: (1) with nothing set, a call costs one load more; (2) a fault strikes exactly once: the number that a call
 * takes decides. */
#include "core/sys/call.h"

#include <errno.h>

_Atomic uint32_t cedei_call_armed;

static _Atomic uint32_t fault_call;  /* enum cedei_call + 1; 0: none */
static _Atomic uint32_t fault_error; /* errno */
static _Atomic uint32_t
    fault_left; /* calls of the kind before the one that fails, plus 1; 0: it has struck */
static _Atomic uint32_t limit_bytes; /* 0: none */

static uint32_t get(const _Atomic uint32_t *word) {
    /* relaxed: published by `cedei_call_armed`. */
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void set(_Atomic uint32_t *word, uint32_t value) {
    /* relaxed: as above. */
    atomic_store_explicit(word, value, memory_order_relaxed);
}

static void arm(void) {
    bool wanted = get(&fault_call) != 0 || get(&limit_bytes) != 0;
    /* release: pairs with cedei_call_is_armed. */
    atomic_store_explicit(&cedei_call_armed, wanted, memory_order_release);
}

void cedei_call_fail(enum cedei_call call, int error, uint32_t after) {
    set(&fault_error, (uint32_t)error);
    set(&fault_left, after + 1);
    set(&fault_call, (uint32_t)call + 1);
    arm();
}

void cedei_call_limit(uint32_t bytes) {
    set(&limit_bytes, bytes);
    arm();
}

bool cedei_call_fail_never(void) {
    bool struck = get(&fault_call) != 0 && get(&fault_left) == 0;
    set(&fault_call, 0);
    set(&limit_bytes, 0);
    arm();
    return struck;
}

int cedei_call_fault_slow(enum cedei_call call) {
    if (get(&fault_call) != (uint32_t)call + 1) return 0;
    uint32_t left = get(&fault_left);
    while (left != 0) { /* each failure means that another call took a number */
        /* relaxed: only the number matters. */
        if (!atomic_compare_exchange_weak_explicit(&fault_left, &left, left - 1,
                                                   memory_order_relaxed, memory_order_relaxed))
            continue;
        return left == 1 ? (int)get(&fault_error) : 0;
    }
    return 0;
}

size_t cedei_call_size_slow(size_t size) {
    uint32_t limit = get(&limit_bytes);
    return limit != 0 && size > limit ? limit : size;
}

cede_result cedei_call_result(int error) {
    switch (error) {
    case 0: return CEDE_OK;
#if EWOULDBLOCK != EAGAIN
    case EWOULDBLOCK:
#endif
    case EAGAIN:
    case EINPROGRESS: return CEDE_ETIMEDOUT;
    case EMFILE:
    case ENFILE:
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return CEDE_ELIMIT;
    case ENOMEM:
    case ENOBUFS: return CEDE_ENOMEM;
    case ECONNREFUSED: return CEDE_EREFUSED;
    case ECONNRESET:
    case ECONNABORTED:
    case ETIMEDOUT: return CEDE_ERESET;
    case EPIPE:
    case ENOTCONN:
    case ESHUTDOWN: return CEDE_ECLOSED;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN: return CEDE_EUNREACH;
    case EADDRINUSE:
    case EEXIST: return CEDE_EEXIST;
    case EACCES:
    case EPERM:
    case EROFS: return CEDE_EACCES;
    case ENOENT:
    case ENOTDIR:
    case EADDRNOTAVAIL: return CEDE_ENOENT;
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case EOPNOTSUPP: return CEDE_ENOTSUP;
    case ENAMETOOLONG: return CEDE_ETOOBIG;
    case EINVAL:
    case EBADF:
    case EISDIR:
    case ESPIPE: return CEDE_EINVAL;
    default: return CEDE_EIO;
    }
}
