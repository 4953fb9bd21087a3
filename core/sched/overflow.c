/* overflow.c - says which turn has used up its stack, when a fault hits the guard page below it or lies in a frame that
 * reaches beyond it. Async-signal-safe: no formatted output, no allocation. */
#include <string.h>
#include <unistd.h>

#include "core/base/base.h"
#include "core/sched/sched.h"

static void text_append(char *line, size_t size, const char *text) {
    size_t used = strlen(line), more = strlen(text);
    if (more > size - 1 - used) more = size - 1 - used;
    memcpy(line + used, text, more);
    line[used + more] = '\0';
}

static void number_append(char *line, size_t size, size_t number) {
    char digits[24];
    size_t at = sizeof digits - 1;
    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    text_append(line, size, digits + at);
}

static bool is_guard(struct cedei_sched *sched, const void *address) {
    if (cedei_stack_guard_hit(&sched->stacks, address)) return true;
    for (uint32_t i = 0; i < CEDEI_STACK_SIZES; i++)
        if (cedei_stack_guard_hit(&sched->sized[i], address)) return true;
    return false;
}

/* A frame larger than the guard page may step over it, to where nothing is mapped: the stack pointer is below the stack
 * then, and the address between both. */
static bool frame_is_beyond(const struct cedei_stack *stack, const void *address,
                            const void *stack_pointer) {
    uintptr_t at = (uintptr_t)address, top = (uintptr_t)stack_pointer, low = (uintptr_t)stack->low;
    return top < low && at < low && at >= top;
}

bool cedei_overflow_explain(const void *address, const void *stack_pointer) {
    struct cedei_worker *worker = cedei_worker_current();
    if (worker == NULL) return false;
    if (!is_guard(worker->sched, address) && !frame_is_beyond(worker->stack, address, stack_pointer))
        return false;
    char line[512] = "cede: stack overflow in ", what[256] = "a turn";
    if (worker->running != NULL && worker->sched->describe != NULL)
        worker->sched->describe(worker->running, what, sizeof what);
    text_append(line, sizeof line, what);
    text_append(line, sizeof line, ": its stack has ");
    number_append(line, sizeof line, worker->stack->size);
    text_append(
        line, sizeof line,
        " bytes; use less of it (large locals, recursion) or raise stack_size, in the behaviour or "
        "in struct cede_options\n");
    /* Nobody is left to tell if it fails. */
    return write(STDERR_FILENO, line, strlen(line)) >= 0 || true;
}
