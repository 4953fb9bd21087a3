/* thread.c - core/sys/thread.h for a simulation: threads, locks and waits of one world. A lock's bytes hold the number of the
 * thread that has it, 0: nobody, which is also what PTHREAD_MUTEX_INITIALIZER leaves there. */
#include "core/sim/thread.h"

#include <errno.h>
#include <string.h>

#include "core/base/base.h"
#include "core/sim/world.h"
#include "core/sys/clock.h"
#include "core/sys/interrupt.h"

enum { CPUS = 8 };

/* ---- threads ---- */

static struct cedei_sim_thread *thread_of(cedei_thread *thread) {
    struct cedei_sim_thread *it = NULL;
    memcpy(&it, &thread->native, sizeof it);
    return it;
}
_Static_assert(sizeof(pthread_t) >= sizeof(void *), "holds the address of a thread");

cede_result cedei_thread_start_on(cedei_thread *thread, const char *name, const uint32_t *cpus,
                                  uint32_t cpu_count, cedei_thread_fn *run, void *context) {
    if (!cedei_sim_is_running())
        cedei_sim_fail(
            "outside",
            "cede-sim: this program is linked with the simulator: a cede_system exists only "
            "inside of cede_sim_run");
    for (uint32_t i = 0; i < cpu_count; i++)
        if (cpus[i] >= CPUS) return CEDE_EINVAL;
    if (cedei_sim_choose(CEDEI_SIM_THREAD) != 0) return CEDE_ELIMIT;
    struct cedei_sim_thread *made = cedei_sim_thread_make(name, run, context);
    if (made == NULL) return CEDE_ELIMIT;
    made->nice = cedei_sim_thread_current()->nice;
    memcpy(&thread->native, &made, sizeof made);
    cedei_sim_point_now();
    return CEDE_OK;
}

cede_result cedei_thread_start(cedei_thread *thread, const char *name, cedei_thread_fn *run,
                               void *context) {
    return cedei_thread_start_on(thread, name, NULL, 0, run, context);
}

void cedei_thread_join(cedei_thread *thread) {
    struct cedei_sim_thread *it = thread_of(thread);
    cedei_sim_point_now();
    while (!it->ended) (void)cedei_sim_wait(it, UINT64_MAX);
    cedei_sim_thread_free(it);
}

void cedei_thread_detach(cedei_thread *thread) {
    struct cedei_sim_thread *it = thread_of(thread);
    if (it->ended)
        cedei_sim_thread_free(it);
    else
        it->detached = true;
}

void **cedei_thread_local(uint32_t which) {
    static void *outside[CEDEI_LOCALS];
    return cedei_sim_is_running() ? &cedei_sim_thread_current()->locals[which] : &outside[which];
}

bool cedei_thread_end_notify(void (*run)(void *), void *context) {
    cedei_sim_thread_current()->end_run = run;
    cedei_sim_thread_current()->end_context = context;
    return true;
}

void cedei_thread_be_prompt(void) {}

int cedei_thread_nice(void) {
    return cedei_sim_is_running() ? cedei_sim_thread_current()->nice : 0;
}

cede_result cedei_thread_nice_set(int level) {
    cedei_sim_thread_current()->nice = level;
    return CEDE_OK;
}

void cedei_thread_fail_starts(uint32_t succeed, uint32_t fail) { (void)succeed, (void)fail; }
uint32_t cedei_thread_number(void) { return cedei_sim_thread_number(); }
uint64_t cedei_thread_cpu_ns(cedei_thread *thread) {
    (void)thread; /* as if it had used the processor all the time */
    return cedei_sim_now_ns();
}
/* With one, threads that find nothing to do sleep at once; with more, they look on for a while. */
uint32_t cedei_cpu_count(void) { return cedei_sim_seed() % 2 == 0 ? CPUS : 1; }
uint32_t cedei_cpu_list(uint32_t *cpus, uint32_t count) {
    uint32_t found = 0;
    while (found < count && found < CPUS) cpus[found] = found, found++;
    return found;
}
void cedei_thread_stack(void **low, size_t *size) {
    struct cedei_sim_thread *self = cedei_sim_thread_current();
    *low = (void *)(uintptr_t)self->low;
    *size = self->size;
}

/* ---- locks ---- */

static uint32_t *holder_of(pthread_mutex_t *mutex) { return (uint32_t *)(void *)mutex; }

int cedei_sim_native_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes) {
    (void)attributes;
    memset(mutex, 0, sizeof *mutex);
    return 0;
}

int cedei_sim_native_fini(pthread_mutex_t *mutex) {
    (void)mutex;
    return 0;
}

int cedei_sim_native_trylock(pthread_mutex_t *mutex) {
    uint32_t *holder = holder_of(mutex);
    if (!cedei_sim_is_running()) return 0;
    cedei_sim_point_now();
    if (*holder != 0) return EBUSY;
    *holder = cedei_sim_thread_number();
    return 0;
}

int cedei_sim_native_lock(pthread_mutex_t *mutex) {
    uint32_t *holder = holder_of(mutex);
    if (!cedei_sim_is_running()) return 0;
    if (*holder == cedei_sim_thread_number()) return EDEADLK;
    cedei_sim_point_now();
    while (*holder != 0) (void)cedei_sim_wait(mutex, UINT64_MAX);
    *holder = cedei_sim_thread_number();
    return 0;
}

int cedei_sim_native_unlock(pthread_mutex_t *mutex) {
    uint32_t *holder = holder_of(mutex);
    if (!cedei_sim_is_running()) return 0;
    if (*holder != cedei_sim_thread_number()) return EPERM;
    *holder = 0;
    cedei_sim_wake(mutex, 1);
    cedei_sim_point_now();
    return 0;
}

void cedei_mutex_init(cedei_mutex *mutex) { memset(mutex, 0, sizeof *mutex); }
void cedei_mutex_fini(cedei_mutex *mutex) { (void)mutex; }
void cedei_mutex_lock(cedei_mutex *mutex) {
    CEDEI_CHECK(cedei_sim_native_lock(&mutex->native) == 0);
}
void cedei_mutex_unlock(cedei_mutex *mutex) {
    CEDEI_CHECK(cedei_sim_native_unlock(&mutex->native) == 0);
}

/* ---- conditions ---- */

void cedei_cond_init(cedei_cond *cond) { memset(cond, 0, sizeof *cond); }
void cedei_cond_fini(cedei_cond *cond) { (void)cond; }
void cedei_cond_signal(cedei_cond *cond) {
    cedei_sim_wake(cond, 1);
    cedei_sim_point_now();
}
void cedei_cond_broadcast(cedei_cond *cond) {
    cedei_sim_wake(cond, CEDEI_SIM_THREADS_MAX);
    cedei_sim_point_now();
}
bool cedei_cond_wait_until(cedei_cond *cond, cedei_mutex *mutex, uint64_t deadline_ns) {
    *holder_of(&mutex->native) = 0; /* without a point: to unlock and to wait are one */
    cedei_sim_wake(mutex, 1);
    bool woken = cedei_sim_wait(cond, deadline_ns);
    cedei_mutex_lock(mutex);
    return woken;
}
void cedei_cond_wait(cedei_cond *cond, cedei_mutex *mutex) {
    (void)cedei_cond_wait_until(cond, mutex, UINT64_MAX);
}

/* ---- futexes ---- */

void cedei_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns) {
    cedei_sim_point_now();
    cedei_sim_hold(); /* to look and to wait are one */
    /* relaxed: there is one thread. */
    bool same = atomic_load_explicit(word, memory_order_relaxed) == expected;
    cedei_sim_release();
    if (!same || cedei_sim_choose(CEDEI_SIM_SPURIOUS) != 0) return;
    (void)cedei_sim_wait((const void *)word, deadline_ns);
}

void cedei_futex_wake(_Atomic uint32_t *word, int count) {
    cedei_sim_wake((const void *)word, count);
    cedei_sim_point_now();
}

bool cedei_process_barrier(void) { return true; }
void cedei_cpu_relax(void) { cedei_sim_give_way(); }

/* ---- looking at others ---- */

void cedei_interrupt_install(cedei_interrupt_fn *run) { (void)run; }
void cedei_interrupt_thread_begin(void) {}
void cedei_thread_interrupt(cedei_thread *thread) { (void)thread; } /* no answer will come */
int cedei_backtrace_take(void **frames, int frames_max) {
    (void)frames, (void)frames_max;
    return 0;
}
enum cedei_thread_state cedei_thread_state_of(uint32_t number, uintptr_t *sp, uintptr_t *pc) {
    (void)number, (void)sp, (void)pc;
    return CEDEI_THREAD_RUNS;
}
int cedei_backtrace_guess(uintptr_t sp, void **frames, int frames_max) {
    (void)sp, (void)frames, (void)frames_max;
    return 0;
}
