/* interrupt.h - a look at what another thread of ours is doing: a signal (SIGURG, which is ignored by default) makes it run
 * a function, on its alternate stack, in the middle of whatever it does. */
#ifndef CEDEI_SYS_INTERRUPT_H
#define CEDEI_SYS_INTERRUPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sys/thread.h"

/* Runs in the signal handler, on the interrupted thread; `at`: the interrupted instruction, NULL if it is not known.
 * False: nobody asked for it, and the signal goes to whatever handler was there before. Must be async-signal-safe. */
typedef bool cedei_interrupt_fn(const void *at);

/* The first call installs the handler and readies cedei_backtrace_take; later ones must name the same function. */
void cedei_interrupt_install(cedei_interrupt_fn *run);
/* Lets the calling thread be interrupted; threads start with the signal blocked. */
void cedei_interrupt_thread_begin(void);
/* The thread must not have been joined. */
void cedei_thread_interrupt(cedei_thread *thread);

/* Return addresses of the caller and of whoever called it, innermost first; how many. Async-signal-safe after
 * cedei_interrupt_install. 0: not known on this system. */
int cedei_backtrace_take(void **frames, int frames_max);

/* guess.c: what a thread of this process is doing, from outside. */
enum cedei_thread_state {
    CEDEI_THREAD_UNKNOWN = 0, /* the system does not tell */
    CEDEI_THREAD_RUNS,        /* or waits for a processor */
    CEDEI_THREAD_RESTARTS,    /* blocks in a call that goes on after an interrupt */
    CEDEI_THREAD_BLOCKS       /* blocks in one that an interrupt might end */
};
/* `number`: cedei_thread_number; `*sp`, `*pc`: where it blocks. */
enum cedei_thread_state cedei_thread_state_of(uint32_t number, uintptr_t *sp, uintptr_t *pc);
/* Likely return addresses on a stack of another thread from `sp` upwards: some may be left over from earlier calls. Whatever that
 * thread does meanwhile is no danger. How many. */
int cedei_backtrace_guess(uintptr_t sp, void **frames, int frames_max);

/* symbol.c: whether code may be executed at `address`. */
bool cedei_symbol_is_code(uintptr_t address);
/* Writes "function+0x1f (file)" or, if its symbols are stripped, "file+0x1234"; `is_return`: the address is that
 * behind a call. Reads the program's files: not async-signal-safe. */
void cedei_symbol_describe(const void *address, bool is_return, char *out, size_t size);

#endif
