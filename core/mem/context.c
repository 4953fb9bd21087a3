/* context.c - the stack switch for aarch64, and the annotations of every switch. */
#define _GNU_SOURCE
#include "core/mem/context.h"

#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "core/base/base.h"
#if CEDEI_SIM
#include "core/sys/thread.h"
#endif

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0u
#define VALGRIND_STACK_DEREGISTER(id) ((void)(id))
#endif

#if CEDEI_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if CEDEI_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#if defined(__aarch64__)
__asm__(".text\n"
        ".globl cedei_registers_switch\n"
        ".hidden cedei_registers_switch\n"
        ".type cedei_registers_switch,%function\n"
        "cedei_registers_switch:\n"
        "  sub sp, sp, #160\n"
        "  stp x19, x20, [sp, #0]\n  stp x21, x22, [sp, #16]\n  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n  stp x27, x28, [sp, #64]\n  stp x29, x30, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n  stp d10, d11, [sp, #112]\n"
        "  stp d12, d13, [sp, #128]\n  stp d14, d15, [sp, #144]\n"
        "  mov x9, sp\n  str x9, [x0]\n  mov x0, x1\n"
        ".size cedei_registers_switch,.-cedei_registers_switch\n"
        /* The first half falls through to here. */
        ".globl cedei_registers_load\n"
        ".hidden cedei_registers_load\n"
        ".type cedei_registers_load,%function\n"
        "cedei_registers_load:\n"
        "  ldr x9, [x0]\n  mov sp, x9\n"
        "  ldp x19, x20, [sp, #0]\n  ldp x21, x22, [sp, #16]\n  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n  ldp x27, x28, [sp, #64]\n  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n  ldp d10, d11, [sp, #112]\n"
        "  ldp d12, d13, [sp, #128]\n  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #160\n  ret\n"
        ".size cedei_registers_load,.-cedei_registers_load\n");

#elif !defined(__x86_64__)
#error "Cede switches stacks on x86-64 and aarch64 only"
#endif

void cedei_context_adopt(struct cedei_stack *stack) {
    memset(stack, 0, sizeof *stack);
    void *low = NULL;
#if CEDEI_SIM
    cedei_thread_stack(&low, &stack->size);
#else
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &low, &stack->size);
        pthread_attr_destroy(&attributes);
    }
#endif
    stack->low = low;
#if CEDEI_TSAN
    stack->fiber = __tsan_get_current_fiber();
#endif
}

void cedei_context_init(struct cedei_stack *stack) {
    stack->valgrind_id = VALGRIND_STACK_REGISTER(stack->low, stack->low + stack->size);
#if CEDEI_TSAN
    stack->fiber = NULL;
#endif
}

#if CEDEI_ASAN || CEDEI_TSAN
void cedei_context_reset(struct cedei_stack *stack) {
#if CEDEI_ASAN
    /* Frames that were abandoned on it left their redzones poisoned. */
    __asan_unpoison_memory_region(stack->low, stack->size);
    stack->fake_stack = NULL;
#endif
#if CEDEI_TSAN
    /* A fiber remembers the calls of an abandoned turn; a new life needs a new one. */
    if (stack->fiber != NULL) __tsan_destroy_fiber(stack->fiber);
    stack->fiber = __tsan_create_fiber(0);
#endif
}
#endif

void cedei_context_fini(struct cedei_stack *stack) {
    VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
#if CEDEI_TSAN
    if (stack->fiber != NULL) __tsan_destroy_fiber(stack->fiber);
    stack->fiber = NULL;
#endif
#if CEDEI_ASAN
    __asan_unpoison_memory_region(stack->low, stack->size);
#endif
}

#if CEDEI_ASAN
CEDEI_NO_ASAN void cedei_context_entered(void) {
    __sanitizer_finish_switch_fiber(NULL, NULL, NULL);
}
#endif

#if CEDEI_ASAN || CEDEI_TSAN
CEDEI_NO_ASAN void cedei_context_switch(struct cedei_stack *from, struct cedei_stack *to) {
#if CEDEI_ASAN
    __sanitizer_start_switch_fiber(&from->fake_stack, to->low, to->size);
#endif
#if CEDEI_TSAN
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    cedei_registers_switch(&from->registers, &to->registers);
#if CEDEI_ASAN
    __sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
#endif
}
#endif

#if CEDEI_ASAN || CEDEI_TSAN
CEDEI_NO_ASAN void cedei_context_leave(struct cedei_stack *to) {
#if CEDEI_ASAN
    __sanitizer_start_switch_fiber(NULL, to->low, to->size); /* NULL: the fake stack ends here */
#endif
#if CEDEI_TSAN
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    cedei_registers_load(&to->registers);
}
#endif
