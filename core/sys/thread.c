/* thread.c - threads, locks and futex waits from pthread and the kernel. */
#define _GNU_SOURCE
#include "core/sys/thread.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/base.h"
#include "core/sys/call.h"

static struct timespec time_of_ns(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
}

/* High half: starts that succeed still; low half: starts that fail after them. 0: all as the system will have it. */
static _Atomic uint64_t fault_plan;

/* Whether a test wants this start to fail. */
static bool fault_due(void) {
    /* relaxed (all): a test sets the plan before the starts that it is about; the exchange counts each start once. */
    uint64_t plan = atomic_load_explicit(&fault_plan, memory_order_relaxed), next = 0;
    do {
        if (CEDEI_LIKELY(plan == 0)) return false;
        next = plan >> 32 != 0 ? plan - ((uint64_t)1 << 32) : plan - 1;
        /* relaxed: as above. */
    } while (!atomic_compare_exchange_weak_explicit(&fault_plan, &plan, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return plan >> 32 == 0;
}

void cedei_thread_fail_starts(uint32_t succeed, uint32_t fail) {
    /* relaxed: see fault_due. */
    atomic_store_explicit(&fault_plan, (uint64_t)succeed << 32 | fail, memory_order_relaxed);
}

/* With all signals blocked but those of the thread's own faults; it inherits the mask. */
static int create_masked(cedei_thread *thread, const pthread_attr_t *attributes,
                         cedei_thread_fn *run, void *context) {
    sigset_t all, before;
    sigfillset(&all);
    sigdelset(&all, SIGSEGV);
    sigdelset(&all, SIGBUS);
    sigdelset(&all, SIGFPE);
    sigdelset(&all, SIGILL);
    sigdelset(&all, SIGABRT);
    sigdelset(&all, SIGTRAP);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int error = cedei_call_fault(CEDEI_CALL_THREAD);
    if (error == 0) error = pthread_create(&thread->native, attributes, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

static int affinity_set(pthread_attr_t *attributes, const uint32_t *cpus, uint32_t cpu_count) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (uint32_t i = 0; i < cpu_count; i++) {
        if (cpus[i] >= CPU_SETSIZE) return EINVAL;
        CPU_SET(cpus[i], &set);
    }
    return pthread_attr_setaffinity_np(attributes, sizeof set, &set);
}

cede_result cedei_thread_start_on(cedei_thread *thread, const char *name, const uint32_t *cpus,
                                  uint32_t cpu_count, cedei_thread_fn *run, void *context) {
    if (fault_due()) return CEDE_ELIMIT;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return CEDE_ENOMEM;
    int error = cpu_count != 0 ? affinity_set(&attributes, cpus, cpu_count) : 0;
    if (error == 0) error = create_masked(thread, &attributes, run, context);
    pthread_attr_destroy(&attributes);
    if (error == EAGAIN) return CEDE_ELIMIT;
    if (error == EINVAL) return CEDE_EINVAL;
    if (error != 0) return CEDE_ENOMEM;
    char short_name[16];
    snprintf(short_name, sizeof short_name, "%s", name);
    if (cedei_call_fault(CEDEI_CALL_THREAD_NAME) == 0)
        (void)pthread_setname_np(thread->native, short_name); /* only for whoever looks at it */
    return CEDE_OK;
}

cede_result cedei_thread_start(cedei_thread *thread, const char *name, cedei_thread_fn *run,
                               void *context) {
    return cedei_thread_start_on(thread, name, NULL, 0, run, context);
}

/* ---- the end of a thread ---- */

static pthread_key_t end_key;
static pthread_once_t end_once = PTHREAD_ONCE_INIT;
static _Atomic(void (*)(void *)) end_run; /* P: the same whoever sets it */
static bool end_is_possible;

static void end_call(void *context) {
    /* acquire: pairs with the release below. */
    atomic_load_explicit(&end_run, memory_order_acquire)(context);
}
static void end_prepare(void) { end_is_possible = pthread_key_create(&end_key, end_call) == 0; }

bool cedei_thread_end_notify(void (*run)(void *), void *context) {
    if (context == NULL) return false;
    /* release: pairs with the acquire in end_call. */
    atomic_store_explicit(&end_run, run, memory_order_release);
    (void)pthread_once(&end_once, end_prepare);
    return end_is_possible && pthread_setspecific(end_key, context) == 0;
}

int cedei_thread_nice(void) { return getpriority(PRIO_PROCESS, 0); }

cede_result cedei_thread_nice_set(int level) {
    /* Linux keeps the level per thread, and 0 names the calling one. */
    return setpriority(PRIO_PROCESS, 0, level) == 0 ? CEDE_OK : CEDE_EACCES;
}

/* The kernel's struct sched_attr, of which its header cannot be included beside sched.h. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns, deadline_ns, period_ns;
};

void cedei_thread_be_prompt(void) {
    static const uint64_t SLICE_NS = 100000; /* the shortest there is */
    struct attributes attributes = {.size = sizeof attributes};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 ||
        attributes.policy != SCHED_OTHER)
        return;
    attributes.runtime_ns = SLICE_NS;
    (void)syscall(SYS_sched_setattr, 0, &attributes, 0);
}

void cedei_thread_join(cedei_thread *thread) { pthread_join(thread->native, NULL); }

void cedei_thread_detach(cedei_thread *thread) { pthread_detach(thread->native); }

uint32_t cedei_thread_number(void) { return (uint32_t)gettid(); }

uint64_t cedei_thread_cpu_ns(cedei_thread *thread) {
    clockid_t clock;
    struct timespec used = {0};
    if (pthread_getcpuclockid(thread->native, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

uint32_t cedei_cpu_count(void) {
    cpu_set_t set;
    if (!cedei_call_fails(CEDEI_CALL_AFFINITY) && sched_getaffinity(0, sizeof set, &set) == 0) {
        int count = CPU_COUNT(&set);
        return count > 0 ? (uint32_t)count : 1;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* the set has more processors than cpu_set_t */
    return online > 0 ? (uint32_t)online : 1;
}

uint32_t cedei_cpu_list(uint32_t *cpus, uint32_t count) {
    cpu_set_t set;
    uint32_t found = 0;
    if (cedei_call_fails(CEDEI_CALL_AFFINITY) || sched_getaffinity(0, sizeof set, &set) != 0)
        return 0;
    for (uint32_t cpu = 0; cpu < CPU_SETSIZE && found < count; cpu++)
        if (CPU_ISSET(cpu, &set)) cpus[found++] = cpu;
    return found;
}

void cedei_mutex_init(cedei_mutex *mutex) {
    CEDEI_CHECK(pthread_mutex_init(&mutex->native, NULL) == 0);
}

void cedei_mutex_fini(cedei_mutex *mutex) { pthread_mutex_destroy(&mutex->native); }

void cedei_mutex_lock(cedei_mutex *mutex) { CEDEI_CHECK(pthread_mutex_lock(&mutex->native) == 0); }

void cedei_mutex_unlock(cedei_mutex *mutex) {
    CEDEI_CHECK(pthread_mutex_unlock(&mutex->native) == 0);
}

void cedei_cond_init(cedei_cond *cond) {
    pthread_condattr_t attributes;
    CEDEI_CHECK(pthread_condattr_init(&attributes) == 0);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    CEDEI_CHECK(pthread_cond_init(&cond->native, &attributes) == 0);
    pthread_condattr_destroy(&attributes);
}

void cedei_cond_fini(cedei_cond *cond) { pthread_cond_destroy(&cond->native); }

void cedei_cond_signal(cedei_cond *cond) { pthread_cond_signal(&cond->native); }

void cedei_cond_broadcast(cedei_cond *cond) { pthread_cond_broadcast(&cond->native); }

void cedei_cond_wait(cedei_cond *cond, cedei_mutex *mutex) {
    pthread_cond_wait(&cond->native, &mutex->native);
}

bool cedei_cond_wait_until(cedei_cond *cond, cedei_mutex *mutex, uint64_t deadline_ns) {
    struct timespec deadline = time_of_ns(deadline_ns);
    return pthread_cond_timedwait(&cond->native, &mutex->native, &deadline) != ETIMEDOUT;
}

void cedei_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns) {
    struct timespec deadline = time_of_ns(deadline_ns);
    if (cedei_call_fails(CEDEI_CALL_FUTEX_WAIT)) return;
    /* FUTEX_WAIT_BITSET takes an absolute monotonic time; every failure (changed word, signal, time) means "look again". */
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, expected,
            deadline_ns == UINT64_MAX ? NULL : &deadline, NULL, FUTEX_BITSET_MATCH_ANY);
}

void cedei_futex_wake(_Atomic uint32_t *word, int count) {
    /* A kernel that refuses it loses every wake-up from now on. */
    if (cedei_call_fails(CEDEI_CALL_FUTEX_WAKE) ||
        syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0) < 0)
        cedei_fatal("cede: the system refuses to wake a thread: error %d", errno);
}

bool cedei_process_barrier(void) {
    if (CEDEI_TSAN || cedei_call_fails(CEDEI_CALL_BARRIER)) return false;
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) return true;
    /* The first time: the process must ask for it. */
    return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
           syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void cedei_cpu_relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}
