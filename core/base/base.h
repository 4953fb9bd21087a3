/* base.h - branch hints, cache lines and the assertions that stay on in release builds. No globals. */
#ifndef CEDEI_BASE_H
#define CEDEI_BASE_H

#include <stdint.h>

#include <cede/annotate.h>

#define CEDEI_LIKELY(x) __builtin_expect(!!(x), 1)
#define CEDEI_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* A plain field that its owner writes anew while somebody may still read it who has come too late: what that one does with
 * either value comes to nothing. All else is ordered by other means. */
/* relaxed (both): as said. */
#define CEDEI_READ_LATE(field) __atomic_load_n(&(field), __ATOMIC_RELAXED)
#define CEDEI_WRITE_LATE(field, value) __atomic_store_n(&(field), (value), __ATOMIC_RELAXED)
/* What the compiler may take for granted. */
#define CEDEI_ASSUME(condition) ((condition) ? (void)0 : __builtin_unreachable())
#define CEDEI_CACHE_LINE 64
#define CEDEI_NOINLINE __attribute__((noinline))
/* Where the calling function's frame ends, on any processor: its own variables and those of whatever it calls lie below. */
#define CEDEI_FRAME_TOP() ((uintptr_t)__builtin_dwarf_cfa())
/* A look that may come too early or too late, at what is not atomic; the function says how it finds out. */
#define CEDEI_NO_TSAN __attribute__((no_sanitize_thread))
/* A look at what may have been freed, or at memory that AddressSanitizer has wrong ideas of; as above. */
#define CEDEI_NO_ASAN __attribute__((no_sanitize("address")))
#define CEDEI_INLINE static inline __attribute__((always_inline))

/* Fetches a cache line that is about to be written, once and for writing, instead of first for reading. */
CEDEI_INLINE void cedei_prefetch_write(const void *address) {
#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0"
                     :
                     : "m"(*(const char *)address)); /* gcc needs a newer -march to emit it */
#else
    __builtin_prefetch(address, 1);
#endif
}

#define CEDEI_CONTAINER_OF(pointer, type, member)                                                  \
    ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

#if defined(__SANITIZE_ADDRESS__)
#define CEDEI_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CEDEI_ASAN 1
#endif
#endif
#ifndef CEDEI_ASAN
#define CEDEI_ASAN 0
#endif

#ifndef CEDEI_TSAN /* the model tests set it to 0: they are compiled for the sanitizer and linked to something else */
#if defined(__SANITIZE_THREAD__)
#define CEDEI_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CEDEI_TSAN 1
#endif
#endif
#endif
#ifndef CEDEI_TSAN
#define CEDEI_TSAN 0
#endif

/* Writes one line to standard error and aborts. For our own broken invariants and for misuse that cannot be reported
 * otherwise; nothing that a peer or the system does may reach it. */
__attribute__((noreturn, cold)) void cedei_fatal(const char *format, ...) CEDE_PRINTF(1, 2);

/* Memory safety rests on it: on in every build. */
#define CEDEI_CHECK(condition)                                                                     \
    do {                                                                                           \
        if (CEDEI_UNLIKELY(!(condition)))                                                          \
            cedei_fatal("cede: internal check failed: %s at %s", #condition, CEDEI_HERE);          \
    } while (0)

/* Checks that cost something on the way of every message: on in builds for development (meson -Dchecks=true). */
#ifndef CEDEI_CHECKS
#define CEDEI_CHECKS 0
#endif
/* 1: compiled for the simulator, with core/sim in place of core/sys. */
#ifndef CEDEI_SIM
#define CEDEI_SIM 0
#endif
#if CEDEI_CHECKS
#define CEDEI_ASSERT(condition) CEDEI_CHECK(condition)
#else
#define CEDEI_ASSERT(condition) ((void)sizeof(condition))
#endif

#endif
