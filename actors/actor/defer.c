/* defer.c - the cleanups of a turn.
 * Owns struct cedei_cleanup from cede_defer until it has run. Invariants: (1) `cleanups` of an actor's extra has them,
 * newest first, and each has its anchor in the actor's `turn_list`, so that the end of a turn looks here without a check
 * of its own; (2) a cleanup is off both lists before it is called, so it runs once, and may register others; (3) they run
 * before anything that the turn or the actor owns is given up, on a stack that is not the turn's. */
#include <cede/defer.h>

#include "actors/actor/actor.h"

/* Access: A = holder of the actor's rights. */
struct cedei_cleanup {
    struct cedei_msg anchor;    /* A: no message: its place in `turn_list` */
    struct cedei_cleanup *next; /* A: the one that runs after it */
    cede_cleanup_fn *run;
    void *argument;
    const char *here;
};

static struct cede_type anchor_type = {.name = "a cleanup (cede_defer)"};

static struct cedei_block_cache *blocks_of(cede_self *self) {
    return self->worker != NULL ? &self->worker->blocks : NULL;
}

static void cleanup_call(cede_self *self, cede_cleanup_fn *run, void *argument) {
    struct cedei_worker *worker = self->worker;
    if (worker == NULL) { /* the system ends: there is no turn to act in */
        run(NULL, argument);
        return;
    }
    worker->mutexes_held += CEDEI_HELD_BY_CLEANUP;
    run(self, argument);
    worker->mutexes_held -= CEDEI_HELD_BY_CLEANUP;
}

/* Off the lists, and gone but for what it says. */
static void cleanup_take(cede_self *self, struct cedei_cleanup **at, struct cedei_cleanup *out) {
    struct cedei_cleanup *cleanup = *at;
    *at = cleanup->next;
    *cleanup->anchor.link.back = cleanup->anchor.next;
    if (cleanup->anchor.next != NULL) cleanup->anchor.next->link.back = cleanup->anchor.link.back;
    *out = *cleanup;
    cedei_block_give(&self->system->sched.depot, blocks_of(self), cleanup, sizeof *cleanup);
}

cede_result cedei_defer(cede_self *self, cede_cleanup_fn *run, void *argument, const char *here) {
    if (run == NULL) return CEDE_EINVAL;
    if (self == NULL) {
        run(NULL, argument);
        return CEDE_ECONTEXT;
    }
    cedei_self_check(self, "cede_defer", here);
    struct cedei_extra *extra = cedei_extra_of(self);
    struct cedei_cleanup *cleanup = NULL;
    if (extra != NULL)
        cleanup = cedei_block_take(&self->system->sched.depot, blocks_of(self), sizeof *cleanup);
    if (cleanup == NULL) {
        cleanup_call(self, run, argument);
        return CEDE_ENOMEM;
    }
    *cleanup = (struct cedei_cleanup){.anchor.type = &anchor_type,
                                      .next = extra->cleanups,
                                      .run = run,
                                      .argument = argument,
                                      .here = here};
    extra->cleanups = cleanup;
    cedei_msg_own_by_turn(self, &cleanup->anchor);
    return CEDE_OK;
}

/* The newest one that says the same; taken. */
static cede_result cleanup_find(cede_self *self, cede_cleanup_fn *run, const void *argument,
                                const char *call, struct cedei_cleanup *out) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, call, "");
    if (self->extra == NULL) return CEDE_ENOENT;
    struct cedei_cleanup **at = &self->extra->cleanups;
    while (*at != NULL && ((*at)->run != run || (*at)->argument != argument)) at = &(*at)->next;
    if (*at == NULL) return CEDE_ENOENT;
    cleanup_take(self, at, out);
    return CEDE_OK;
}

cede_result cede_defer_run(cede_self *self, cede_cleanup_fn *run, const void *argument) {
    struct cedei_cleanup found;
    cede_result r = cleanup_find(self, run, argument, "cede_defer_run", &found);
    if (r == CEDE_OK) cleanup_call(self, found.run, found.argument);
    return r;
}

cede_result cede_defer_cancel(cede_self *self, cede_cleanup_fn *run, const void *argument) {
    struct cedei_cleanup found;
    return cleanup_find(self, run, argument, "cede_defer_cancel", &found);
}

/* ---- the end of a turn ---- */

/* Whether `argument` was a variable of a function that has returned: on the stack we are on, below `top`. A turn that was
 * killed while suspended has another stack, which is whole. */
static bool is_gone(cede_self *self, const struct cedei_cleanup *cleanup, uintptr_t top) {
    const struct cedei_stack *stack = self->worker != NULL ? self->worker->stack : NULL;
    if (stack == NULL) return false;
    uintptr_t low = (uintptr_t)stack->low;
    if (top - low >= stack->size) return false;
    return (uintptr_t)cleanup->argument >= low && (uintptr_t)cleanup->argument < top;
}

static void gone_report(cede_self *self, const struct cedei_cleanup *cleanup) {
#define TEXT                                                                                       \
    "cede_defer at %s in actor '%s': the argument is a variable of a function that has returned; " \
    "give it memory that lasts (malloc, the state, a message), or call cede_defer_run before the " \
    "return"
    const char *name = self->behaviour->name;
    if (CEDEI_CHECKS) cedei_fatal("cede: " TEXT, cleanup->here, name);
    cedei_log_line(&self->system->log, CEDE_LOG_ERROR, TEXT "; the cleanup is left out",
                   cleanup->here, name);
#undef TEXT
}

CEDEI_NOINLINE void cedei_cleanups_run(cede_self *self, uintptr_t top) {
    struct cedei_extra *extra = self->extra;
    cedei_holds_keep(self);
    while (extra->cleanups != NULL) { /* each round takes one off */
        struct cedei_cleanup cleanup;
        cleanup_take(self, &extra->cleanups, &cleanup);
        if (CEDEI_UNLIKELY(is_gone(self, &cleanup, top)))
            gone_report(self, &cleanup);
        else
            cleanup_call(self, cleanup.run, cleanup.argument);
    }
}
