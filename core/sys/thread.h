/* thread.h - threads, locks, and futex waits. Locks here are for cold paths and for state too wide for atomics. */
#ifndef CEDEI_SYS_THREAD_H
#define CEDEI_SYS_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/result.h>

#include "core/base/base.h"

typedef struct cedei_thread {
    pthread_t native;
} cedei_thread;

typedef void *cedei_thread_fn(void *context);

/* Starts a thread with all signals blocked except the synchronous faults. Name: at most 15 bytes are kept.
 * CEDE_ELIMIT: the system allows no further thread; CEDE_ENOMEM. */
CEDE_NODISCARD cede_result cedei_thread_start(cedei_thread *thread, const char *name,
                                              cedei_thread_fn *run, void *context);
/* As cedei_thread_start, on the `cpu_count` processors named in `cpus` (0: any). CEDE_EINVAL: there is none of them. */
CEDE_NODISCARD cede_result cedei_thread_start_on(cedei_thread *thread, const char *name,
                                                 const uint32_t *cpus, uint32_t cpu_count,
                                                 cedei_thread_fn *run, void *context);
/* Has `run(context)` called on the calling thread when it ends; `run` is the same for all threads that ask for it. False: no
 * memory. */
CEDE_NODISCARD bool cedei_thread_end_notify(void (*run)(void *), void *context);
/* The nice level of the calling thread. */
int cedei_thread_nice(void);
/* Sets it, for this thread alone. CEDE_EACCES: not allowed. */
CEDE_NODISCARD cede_result cedei_thread_nice_set(int level);
/* The calling thread, which runs seldom and briefly, asks to run as soon as it wakes, also where others keep all processors busy:
 * Linux 6.12 and later let one with short slices go first. Elsewhere nothing changes. */
void cedei_thread_be_prompt(void);
/* For tests: lets `succeed` thread starts succeed, then fails the `fail` after them with CEDE_ELIMIT. 0, 0 ends it. */
void cedei_thread_fail_starts(uint32_t succeed, uint32_t fail);
/* Waits for the end of a thread that was not detached. */
void cedei_thread_join(cedei_thread *thread);
/* Lets the thread end without a join. */
void cedei_thread_detach(cedei_thread *thread);
/* The kernel's number of the calling thread, for cedei_thread_state_of. */
uint32_t cedei_thread_number(void);
/* In a simulation: the words of cedei_thread_local. */
enum { CEDEI_LOCAL_WORKER, CEDEI_LOCAL_EPOCH, CEDEI_LOCALS };
#if CEDEI_SIM
/* The bounds of the calling thread's own stack. */
void cedei_thread_stack(void **low, size_t *size);
/* A word of the calling thread's, in place of a thread-local variable. */
void **cedei_thread_local(uint32_t which);
#endif
/* Processor time that a thread which has not been joined has used; 0 if the system does not tell. */
uint64_t cedei_thread_cpu_ns(cedei_thread *thread);
/* Processors that this process may use; at least 1. */
uint32_t cedei_cpu_count(void);
/* Their numbers, at most `count`; returns how many. */
uint32_t cedei_cpu_list(uint32_t *cpus, uint32_t count);

typedef struct cedei_mutex {
    pthread_mutex_t native;
} cedei_mutex;

typedef struct cedei_cond {
    pthread_cond_t native;
} cedei_cond;

/* For a lock of static storage, in place of cedei_mutex_init. */
#define CEDEI_MUTEX_INITIALIZER {PTHREAD_MUTEX_INITIALIZER}
void cedei_mutex_init(cedei_mutex *mutex);
void cedei_mutex_fini(cedei_mutex *mutex);
void cedei_mutex_lock(cedei_mutex *mutex);
void cedei_mutex_unlock(cedei_mutex *mutex);
void cedei_cond_init(cedei_cond *cond);
void cedei_cond_fini(cedei_cond *cond);
void cedei_cond_signal(cedei_cond *cond);
void cedei_cond_broadcast(cedei_cond *cond);
void cedei_cond_wait(cedei_cond *cond, cedei_mutex *mutex);
/* False when `deadline_ns` (cedei_clock_now_ns) has passed. */
bool cedei_cond_wait_until(cedei_cond *cond, cedei_mutex *mutex, uint64_t deadline_ns);

/* Sleeps while *word == expected, until woken, interrupted, or `deadline_ns` (UINT64_MAX: none). May return early. */
void cedei_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns);
void cedei_futex_wake(_Atomic uint32_t *word, int count);
/* Makes every thread of the process pass a full memory barrier before it returns; false: not on this system (nor in builds with
 * ThreadSanitizer, which does not see it). A few microseconds, more with many processors. */
bool cedei_process_barrier(void);
/* The processor's hint that this is a spin loop. */
void cedei_cpu_relax(void);

#endif
