/* thread.h - a thread of a simulation: a stack, and what it waits for. */
#ifndef CEDEI_SIM_THREAD_H
#define CEDEI_SIM_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/mem/context.h"
#include "core/sys/thread.h"

/* Access: the one thread of the process. */
struct cedei_sim_thread {
    struct cedei_sim_thread *next;    /* of those that may be used again */
    struct cedei_registers registers; /* where it stopped */
    char *stack;                      /* its own; Cede's workers leave it for others */
    const char *low; /* of the stack that it stopped on; AddressSanitizer wants to know */
    size_t size;
    void *fake_stack; /* AddressSanitizer's */
    cedei_thread_fn *run;
    void *context;
    const void *waits_for; /* NULL: can run */
    uint64_t deadline_ns, order;
    uint64_t points; /* that it has passed, while another one runs */
    void *locals[CEDEI_LOCALS];
    void (*end_run)(void *context); /* cedei_thread_end_notify; or NULL */
    void *end_context;
    uint32_t number;
    int saved_errno, nice;
    bool timed_out, ended, detached;
    char name[16];
};

struct cedei_sim_thread *cedei_sim_thread_current(void);
/* NULL: there are too many. It can run from now on. */
struct cedei_sim_thread *cedei_sim_thread_make(const char *name, cedei_thread_fn *run,
                                               void *context);
/* One that has ended. */
void cedei_sim_thread_free(struct cedei_sim_thread *thread);

#endif
