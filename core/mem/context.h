/* context.h - stacks and the switch between them, with what the sanitizers and valgrind must be told.
 * A switch saves the callee-saved registers only. The floating-point environment (rounding mode, exception masks) stays
 * the thread's: an actor that changes it must put it back before a yield. */
#ifndef CEDEI_MEM_CONTEXT_H
#define CEDEI_MEM_CONTEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/base.h"

/* A stack, described at its own top (pooled) or in its thread's worker (native). Access: whoever runs on it or, while
 * nobody does, whoever took it from a pool or from a suspended actor. */
struct cedei_stack {
    void *sp;                      /* where it stopped; meaningless while running */
    struct cedei_stack *next;      /* in a pool's list */
    char *low;                     /* lowest usable byte */
    size_t size;                   /* usable bytes from `low` */
    struct cedei_stack_pool *pool; /* that it was carved from; NULL: a thread's own */
    void *fake_stack;              /* AddressSanitizer's, saved while switched away */
    void *fiber;                   /* ThreadSanitizer's */
    unsigned valgrind_id;
};

/* Describes the stack that the calling thread was started on. */
void cedei_context_adopt(struct cedei_stack *stack);

/* Saves the callee-saved registers on the present stack, stores the stack pointer, loads the other and restores. */
void cedei_switch_registers(void **save, void *to);
#if CEDEI_ASAN || CEDEI_TSAN
void cedei_context_reset(struct cedei_stack *stack);
#endif

/* Prepares `stack` so that the next switch to it calls `entry`, which must call cedei_context_entered first and must
 * never return. */
static inline void cedei_context_prepare(struct cedei_stack *stack, void (*entry)(void)) {
#if CEDEI_ASAN || CEDEI_TSAN
    cedei_context_reset(stack);
#endif
    uintptr_t *sp = (uintptr_t *)((uintptr_t)(stack->low + stack->size) & ~(uintptr_t)15);
#if defined(__x86_64__)
    enum { SAVED_WORDS = 6 };
    *--sp = 0; /* keeps the stack 16-byte aligned at entry and ends a debugger's walk */
    *--sp = (uintptr_t)entry;
    sp -=
        SAVED_WORDS; /* whatever lies there is restored and never used, but for the frame pointer */
    sp[SAVED_WORDS - 1] = 0;
#elif defined(__aarch64__)
    enum { SAVED_WORDS = 20, FRAME_POINTER = 10, RETURN_ADDRESS = 11 };
    sp -= SAVED_WORDS;
    memset(sp, 0, SAVED_WORDS * sizeof *sp);
    sp[RETURN_ADDRESS] = (uintptr_t)entry;
#endif
    stack->sp = sp;
}
void cedei_context_entered(void);

/* Leaves `from`, to be continued by a later switch to it, and continues `to`. Inlined: every function between the switch
 * and the caller of the suspending call is one more return that the processor predicts wrongly. */
#if CEDEI_ASAN || CEDEI_TSAN
void cedei_context_switch(struct cedei_stack *from, struct cedei_stack *to);
#else
CEDEI_INLINE void cedei_context_switch(struct cedei_stack *from, struct cedei_stack *to) {
    cedei_switch_registers(&from->sp, to->sp);
}
#endif

/* Leaves `from` for good (it may be prepared again) and continues `to`. */
__attribute__((noreturn)) void cedei_context_leave(struct cedei_stack *from, struct cedei_stack *to);

/* Before the memory of a pooled stack is given back. */
void cedei_context_fini(struct cedei_stack *stack);
/* After `low` and `size` are set. */
void cedei_context_init(struct cedei_stack *stack);

#endif
