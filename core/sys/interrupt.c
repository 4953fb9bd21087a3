/* interrupt.c - the signal that makes a thread look at itself, and the unwinder that it may use then. */
#define _GNU_SOURCE
#include "core/sys/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <ucontext.h>

#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define HAS_BACKTRACE 1
#else
#define HAS_BACKTRACE 0
#endif

enum { INTERRUPT_SIGNAL = SIGURG };
enum { INSTALLED_NO = 0, INSTALLED_SOON, INSTALLED_YES };

static struct sigaction previous;
static cedei_interrupt_fn *interrupt_run;
static _Atomic uint32_t installed;

static const void *instruction_of(const ucontext_t *context) {
#if defined(__x86_64__)
    return (const void *)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (const void *)context->uc_mcontext.pc;
#else
    (void)context;
    return NULL;
#endif
}

static void interrupt_handler(int number, siginfo_t *info, void *context) {
    int saved = errno;
    if (!interrupt_run(instruction_of(context))) {
        if ((previous.sa_flags & SA_SIGINFO) && previous.sa_sigaction != NULL)
            previous.sa_sigaction(number, info, context);
        else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN)
            previous.sa_handler(number);
    }
    errno = saved;
}

void cedei_interrupt_install(cedei_interrupt_fn *run) {
    uint32_t no = INSTALLED_NO;
    /* acquire: pairs with the release below, if another thread was first. */
    if (!atomic_compare_exchange_strong_explicit(&installed, &no, INSTALLED_SOON,
                                                 memory_order_acquire, memory_order_acquire)) {
        /* acquire: pairs with the release below. */
        while (atomic_load_explicit(&installed, memory_order_acquire) != INSTALLED_YES)
            cedei_cpu_relax(); /* the first caller is a few system calls away from it */
        return;
    }
    interrupt_run = run;
    void *frames[2];
    (void)cedei_backtrace_take(frames,
                               2); /* loads the unwinder, which allocates: not in a handler */
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = interrupt_handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(INTERRUPT_SIGNAL, &action, &previous);
    /* release: pairs with the acquires above; publishes the previous handler. */
    atomic_store_explicit(&installed, INSTALLED_YES, memory_order_release);
}

void cedei_interrupt_thread_begin(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, INTERRUPT_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void cedei_thread_interrupt(cedei_thread *thread) {
    pthread_kill(thread->native, INTERRUPT_SIGNAL);
}

int cedei_backtrace_take(void **frames, int frames_max) {
#if HAS_BACKTRACE
    return backtrace(frames, frames_max);
#else
    (void)frames, (void)frames_max;
    return 0;
#endif
}
