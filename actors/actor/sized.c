/* sized.c - turns on stacks of the size that their behaviour asks for.
 * The worker's loop has a stack of the usual size. For such a turn the worker leaves it and goes over to one of the wanted
 * size; when the turn is over it goes back to a fresh loop. In between the turn may suspend, like any other: then that
 * stack is its lease. Invariant: no other actor's turn runs on it. */
#include "actors/actor/actor.h"

// cede: allow(yields-missing) the scheduler itself: it is the turn on the leased stack that yields
static void sized_entry(void) {
    cedei_context_entered();
    struct cedei_worker *worker = cedei_worker_current();
    cedei_worker_arrived(worker);
    cedei_worker_return(cedei_turn_run_alone(worker, worker->running));
}

struct cedei_worker *cedei_turn_run_sized(struct cedei_worker *worker, struct cedei_task *task) {
    cede_self *self = CEDEI_CONTAINER_OF(task, cede_self, task);
    /* relaxed: without a tenant, or with one that is asked to end, no handler runs. */
    bool is_signalled = (uint32_t)atomic_load_explicit(&self->identity, memory_order_relaxed) != 0;
    if (is_signalled || self->lease != NULL) return cedei_turn_run_alone(worker, task);
    cede_result why = CEDE_ENOMEM;
    struct cedei_stack *stack =
        cedei_stack_take_slow(cedei_sched_stacks(worker->sched, self->behaviour->stack_size), &why);
    if (stack != NULL) cedei_worker_leave_for(worker, stack, sized_entry);
    self->worker = worker;
    cedei_turn_end(self, cedei_worker_stackless(worker, why));
    return worker;
}
