/* context.h - stacks and the switch between them, with what the sanitizers and valgrind must be told.
 * A switch saves the general and vector registers that are in use. The floating-point environment (rounding mode, exception masks) stays
 * the thread's: an actor that changes it must put it back before a yield. */
#ifndef CEDEI_MEM_CONTEXT_H
#define CEDEI_MEM_CONTEXT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/base.h"

/* Where a stack stopped; meaningless while something runs on it. What is not here is on the stack itself. */
struct cedei_registers {
    void *sp;
#if defined(__x86_64__)
    void *pc, *bp;
#endif
};

/* A stack, described at its own top (pooled) or in its thread's worker (native). Access: whoever runs on it or, while
 * nobody does, whoever took it from a pool or from a suspended actor. What a switch touches is last: in one line. */
struct cedei_stack {
    struct cedei_stack_pool *pool; /* that it was carved from; NULL: a thread's own */
    unsigned valgrind_id;
    void *fake_stack;         /* AddressSanitizer's, saved while switched away */
    void *fiber;              /* ThreadSanitizer's */
    struct cedei_stack *next; /* in a pool's list */
    char *low;                /* lowest usable byte */
    size_t size;              /* usable bytes from `low` */
    struct cedei_registers registers;
};

/* Describes the stack that the calling thread was started on. */
void cedei_context_adopt(struct cedei_stack *stack);

/* Stores in `from` where the caller stands, and goes on where `to` says. */
#if defined(__x86_64__)
/* With the stack pointer on the other stack the frame is none that could be unwound, by a signal that takes a backtrace. */
#ifdef __GCC_HAVE_DWARF2_CFI_ASM
#define CEDEI_CFI(directive) directive "\n\t"
#else
#define CEDEI_CFI(directive) ""
#endif
/* clang-format off */
#define CEDEI_REGISTERS_LOAD                                                                       \
    CEDEI_CFI(".cfi_remember_state")                                                               \
    CEDEI_CFI(".cfi_undefined %%rip")                                                              \
    "mov 8(%%rsi), %%rcx\n\t"                                                                      \
    "mov 16(%%rsi), %%rbp\n\t"                                                                     \
    "mov (%%rsi), %%rsp\n\t"                                                                       \
    "jmp *%%rcx\n\t"                                                                               \
    CEDEI_CFI(".cfi_restore_state")
/* clang-format on */
/* Inlined, and all registers are spoiled: so the compiler saves those that are in use, once, where it would save them for the
 * function around anyway. No call and no return: a return that has lost its call, or the other way round, has the processor predict all
 * those that follow wrongly; like this the callers' returns on the other stack pair up with the calls on this one, as long as both are as
 * deep. */
CEDEI_INLINE void cedei_registers_switch(struct cedei_registers *from, struct cedei_registers *to) {
    __asm__ volatile("lea 1f(%%rip), %%rax\n\t"
                     "mov %%rsp, (%0)\n\t"
                     "mov %%rax, 8(%0)\n\t"
                     "mov %%rbp, 16(%0)\n\t" CEDEI_REGISTERS_LOAD "1:"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                       "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
#if defined(__AVX512F__)
                       "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",
                       "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", "k0",
                       "k1", "k2", "k3", "k4", "k5", "k6", "k7",
#endif
                       "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)", "cc",
                       "memory");
}
/* Goes on where `to` says, for good. */
__attribute__((noreturn)) CEDEI_INLINE void cedei_registers_load(struct cedei_registers *to) {
    __asm__ volatile(CEDEI_REGISTERS_LOAD : : "S"(to) : "rcx", "memory");
    __builtin_unreachable();
}
#else
void cedei_registers_switch(struct cedei_registers *from, struct cedei_registers *to);
__attribute__((noreturn)) void cedei_registers_load(struct cedei_registers *to);
#endif
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
    *--sp = 0; /* as a return address: 16-byte aligned before it, and ends a debugger's walk */
    stack->registers.pc = (void *)(uintptr_t)entry;
    stack->registers.bp = NULL;
#elif defined(__aarch64__)
    enum { SAVED_WORDS = 20, FRAME_POINTER = 10, RETURN_ADDRESS = 11 };
    sp -= SAVED_WORDS;
    memset(sp, 0, SAVED_WORDS * sizeof *sp);
    sp[RETURN_ADDRESS] = (uintptr_t)entry;
#endif
    stack->registers.sp = sp;
}
#if CEDEI_ASAN
void cedei_context_entered(void);
#else
static inline void cedei_context_entered(void) {}
#endif

/* Leaves `from`, to be continued by a later switch to it, and continues `to`. */
#if CEDEI_ASAN || CEDEI_TSAN
void cedei_context_switch(struct cedei_stack *from, struct cedei_stack *to);
#else
CEDEI_INLINE void cedei_context_switch(struct cedei_stack *from, struct cedei_stack *to) {
    cedei_registers_switch(&from->registers, &to->registers);
}
#endif

/* Leaves the present stack for good (it may be prepared again) and continues `to`. */
#if CEDEI_ASAN || CEDEI_TSAN
__attribute__((noreturn)) void cedei_context_leave(struct cedei_stack *to);
#else
__attribute__((noreturn)) CEDEI_INLINE void cedei_context_leave(struct cedei_stack *to) {
    cedei_registers_load(&to->registers);
}
#endif

/* Before the memory of a pooled stack is given back. */
void cedei_context_fini(struct cedei_stack *stack);
/* After `low` and `size` are set. */
void cedei_context_init(struct cedei_stack *stack);

#endif
