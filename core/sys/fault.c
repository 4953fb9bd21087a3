/* fault.c - the process's handler for memory faults, and the stacks that threads handle them on. */
#define _GNU_SOURCE
#include "core/sys/fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "core/sys/call.h"
#include "core/sys/guard.h"
#include "core/sys/map.h"
#include "core/sys/thread.h"

enum { SIGNAL_STACK_SIZE = 64 * 1024 };
enum { INSTALLED_NO = 0, INSTALLED_SOON, INSTALLED_YES };

static struct sigaction previous_segv, previous_bus;
static cedei_fault_fn *fault_explain;
static _Atomic uint32_t installed;

static const void *stack_pointer_of(const ucontext_t *context) {
#if defined(__x86_64__)
    return (const void *)context->uc_mcontext.gregs[REG_RSP];
#else
    return (const void *)context->uc_mcontext.sp;
#endif
}

static const void *instruction_of(const ucontext_t *context) {
#if defined(__x86_64__)
    return (const void *)context->uc_mcontext.gregs[REG_RIP];
#else
    return (const void *)context->uc_mcontext.pc;
#endif
}

static void fault_handler(int number, siginfo_t *info, void *context) {
    if (cedei_guard_explain(info->si_addr, instruction_of(context)) ||
        fault_explain(info->si_addr, stack_pointer_of(context))) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    const struct sigaction *previous = number == SIGBUS ? &previous_bus : &previous_segv;
    if ((previous->sa_flags & SA_SIGINFO) && previous->sa_sigaction != NULL) {
        previous->sa_sigaction(number, info, context);
        return;
    }
    if (previous->sa_handler != SIG_DFL && previous->sa_handler != SIG_IGN) {
        previous->sa_handler(number);
        return;
    }
    signal(number, SIG_DFL); /* the instruction faults again, with the default action */
}

void cedei_fault_install(cedei_fault_fn *explain) {
    uint32_t no = INSTALLED_NO;
    /* acquire: pairs with the release below, if another thread was first. */
    if (!atomic_compare_exchange_strong_explicit(&installed, &no, INSTALLED_SOON,
                                                 memory_order_acquire, memory_order_acquire)) {
        /* acquire: pairs with the release below. */
        while (atomic_load_explicit(&installed, memory_order_acquire) != INSTALLED_YES)
            cedei_cpu_relax(); /* the first caller is a few system calls away from it */
        return;
    }
    fault_explain = explain;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = fault_handler;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGSEGV, &action, &previous_segv);
    sigaction(SIGBUS, &action, &previous_bus);
    /* release: pairs with the acquires above; publishes the previous handlers. */
    atomic_store_explicit(&installed, INSTALLED_YES, memory_order_release);
}

void *cedei_fault_thread_begin(void) {
    void *memory = cedei_map_reserve(SIGNAL_STACK_SIZE, cedei_page_size());
    if (memory == NULL) return NULL;
    stack_t stack = {.ss_sp = memory, .ss_size = SIGNAL_STACK_SIZE};
    if (!cedei_call_fails(CEDEI_CALL_SIGALTSTACK) && sigaltstack(&stack, NULL) == 0) return memory;
    cedei_map_release(memory, SIGNAL_STACK_SIZE);
    return NULL;
}

void cedei_fault_thread_end(void *signal_stack) {
    if (signal_stack == NULL) return;
    stack_t stack = {.ss_flags = SS_DISABLE};
    sigaltstack(&stack, NULL);
    cedei_map_release(signal_stack, SIGNAL_STACK_SIZE);
}
