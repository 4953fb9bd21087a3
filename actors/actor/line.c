/* line.c - the actor's side of waiting in a line, and the list of what it holds. Invariants: line.h. */
#include "actors/actor/line.h"

#include "actors/actor/actor.h"
#include "actors/actor/inbox.h"
#include "actors/actor/wait.h"

/* ---- places ---- */

void cedei_wakes_send(cede_system *system, struct cedei_wakes *wakes) {
    if (wakes->count == 0) return;
    struct cedei_worker *worker = cedei_worker_current();
    if (!cedei_sched_has(&system->sched, worker)) worker = NULL;
    for (uint32_t i = 0; i < wakes->count; i++)
        (void)cedei_wait_wake(system, worker, wakes->who[i].actor, wakes->who[i].sequence,
                              cedei_wake_code(CEDE_OK)); /* or it has ended its wait itself */
    wakes->count = 0;
}

struct cedei_place *cedei_place_begin(cede_self *self, uint64_t timeout_ns, const char *call,
                                      cede_result *why) {
    cedei_self_check(self, call, "");
    if (timeout_ns == 0) {
        *why = CEDE_ETIMEDOUT;
        return NULL;
    }
    if (cedei_signals_of(self) & CEDEI_SIGNAL_STOP) {
        *why = CEDE_ECANCELED;
        return NULL;
    }
    if (self->worker->is_seat && (*why = cedei_inbox_check(cedei_inbox_of(self), call)) != CEDE_OK)
        return NULL;
    struct cedei_extra *extra = cedei_extra_of(self);
    if (extra == NULL) {
        *why = CEDE_ENOMEM;
        return NULL;
    }
    extra->place.actor = self;
    return &extra->place;
}

void cedei_place_aim(struct cedei_place *place, void *object, cedei_place_leave_fn *leave) {
    place->object = object;
    place->leave = leave;
    place->sequence = cedei_wait_begin(place->actor);
}

void cedei_place_withdraw(struct cedei_place *place) {
    (void)cedei_wait_withdraw(place->actor, place->sequence);
    place->object = NULL;
}

static cede_result seat_wait(cede_self *self, uint32_t sequence, uint64_t deadline_ns) {
    cede_inbox *inbox = cedei_inbox_of(self);
    cedei_inbox_enter(inbox);
    cedei_wake_value value = cedei_inbox_wait(inbox, sequence, deadline_ns);
    cedei_inbox_leave(inbox);
    return (cede_result)(value >> 4);
}

CEDE_YIELDS cede_result cedei_place_wait(struct cedei_place *place, uint64_t deadline_ns) {
    cede_self *self = place->actor;
    /* relaxed (both): published by the parking, see cedei_wait_interrupt. */
    atomic_store_explicit(&self->stoppable, true, memory_order_relaxed);
    cede_result r = CEDE_OK;
    if (CEDEI_UNLIKELY(self->worker->is_seat))
        r = seat_wait(self, place->sequence, deadline_ns);
    else
        r = (cede_result)(cedei_wait_until(self, place->sequence, deadline_ns) >> 4);
    atomic_store_explicit(&self->stoppable, false, memory_order_relaxed);
    return r;
}

cede_result cedei_place_end(struct cedei_place *place, cede_result otherwise) {
    cede_result r = place->state == CEDEI_PLACE_GIVEN ? (cede_result)place->result : otherwise;
    place->state = CEDEI_PLACE_OUT;
    place->object = NULL;
    return r;
}

void cedei_places_end(cede_self *self) {
    struct cedei_place *place = &self->extra->place;
    if (place->object == NULL) return;
    place->leave(place);
    place->state = CEDEI_PLACE_OUT;
    place->object = NULL;
}

/* ---- holds ---- */

struct cedei_hold *cedei_hold_make(cede_self *self) {
    struct cedei_hold *hold = NULL;
    if (cedei_extra_of(self) == NULL) return NULL;
    hold = cedei_block_take(&self->system->sched.depot, &self->worker->blocks, sizeof *hold);
    if (hold != NULL) hold->is_kept = false;
    return hold;
}

void cedei_hold_unmake(cede_self *self, struct cedei_hold *hold) {
    const void *kept = CEDEI_UNLIKELY(hold->is_kept) ? hold->object : NULL;
    struct cedei_block_cache *blocks = self->worker != NULL ? &self->worker->blocks : NULL;
    cedei_block_give(&self->system->sched.depot, blocks, hold, sizeof *hold);
    cede_shared_unref(&kept);
}

void cedei_hold_add(cede_self *self, struct cedei_hold *hold, void *object, cedei_hold_end_fn *end,
                    uint64_t count) {
    struct cedei_extra *extra = self->extra;
    *hold = (struct cedei_hold){.next = extra->holds, .object = object, .end = end, .count = count};
    extra->holds = hold;
}

struct cedei_hold *cedei_hold_find(cede_self *self, const void *object, cedei_hold_end_fn *end) {
    struct cedei_hold *hold = self->extra != NULL ? self->extra->holds : NULL;
    while (hold != NULL && (hold->object != object || hold->end != end)) hold = hold->next;
    return hold;
}

void cedei_hold_remove(cede_self *self, struct cedei_hold *hold) {
    struct cedei_hold **at = &self->extra->holds;
    while (*at != hold) at = &(*at)->next; /* mostly the first; as many as the actor holds */
    *at = hold->next;
    cedei_hold_unmake(self, hold);
}

void cedei_hold_missing(cede_self *self, const char *call, const char *what) {
#if CEDEI_CHECKS
    cedei_fatal("cede: %s in actor '%s': it does not hold %s", call, self->behaviour->name, what);
#else
    cedei_log_line(&self->system->log, CEDE_LOG_ERROR, "%s in actor '%s': it does not hold %s",
                   call, self->behaviour->name, what);
#endif
}

void cedei_holds_keep(cede_self *self) {
    struct cedei_hold *hold = self->extra != NULL ? self->extra->holds : NULL;
    for (; hold != NULL; hold = hold->next) {
        if (!hold->is_kept) (void)cede_shared_ref(hold->object);
        hold->is_kept = true;
    }
}

void cedei_holds_end(cede_self *self) {
    struct cedei_hold *hold = NULL;
    while ((hold = self->extra->holds) != NULL) { /* each round ends the latest */
        self->extra->holds = hold->next;
        hold->end(hold->object, hold->count);
        cedei_hold_unmake(self, hold);
    }
}
