/* fault.h - memory faults (SIGSEGV, SIGBUS): one handler per process, on an alternate stack per thread. */
#ifndef CEDEI_SYS_FAULT_H
#define CEDEI_SYS_FAULT_H

#include <stdbool.h>

/* Asked in the handler, on the faulting thread, with the address and the stack pointer of the instruction: true if they
 * explain themselves and a report was written. Must be async-signal-safe. */
typedef bool cedei_fault_fn(const void *address, const void *stack_pointer);

/* The first call installs the handler; later ones must name the same function. What `explain` does not know goes to
 * whatever handler was there before. Explained faults end the process with the signal's default action. */
void cedei_fault_install(cedei_fault_fn *explain);

/* Gives the calling thread a stack to handle faults on, since its own may be what has run out. NULL: memory is short, and
 * an overflow is then a plain fault. */
void *cedei_fault_thread_begin(void);
/* NULL does nothing. */
void cedei_fault_thread_end(void *signal_stack);

#endif
