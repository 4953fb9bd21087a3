/* extra.c - making and ending an actor's extra.
 * Invariant: `extra` of a slot changes once, from NULL, and by the holder of the actor's rights. */
#include "actors/actor/extra.h"

#include <string.h>

#include "actors/actor/actor.h"
#include "core/sys/alloc.h"

/* The timers of all slots are spread over the workers' wheels. */
CEDEI_NOINLINE struct cedei_extra *cedei_extra_make(cede_self *self) {
    struct cedei_sched *sched = &self->system->sched;
    struct cedei_block_cache *blocks = self->worker != NULL ? &self->worker->blocks : NULL;
    struct cedei_extra *extra = cedei_block_take(&sched->depot, blocks, sizeof *extra);
    if (extra == NULL) return NULL;
    memset(extra, 0, sizeof *extra);
    extra->timer.fire = cedei_wait_timer_fire;
    extra->timer.wheel = (uint16_t)(self->slot % sched->worker_count);
    extra->actor = self;
    return self->extra = extra;
}

void cedei_extra_clear(cede_self *self) {
    cedei_room_leave(self);
    cedei_places_end(self);                      /* it waits for nothing any more */
    cedei_cleanups_run(self, CEDEI_FRAME_TOP()); /* they may use whatever else there is */
    cedei_holds_end(self);
    cedei_pendings_drop(self);
    cedei_free(self->extra->failure);
    self->extra->failure = NULL;
    cedei_jobs_drop(self);
}

void cedei_extra_destroy(cede_self *self) {
    struct cedei_extra *extra = self->extra;
    if (extra == NULL) return;
    cedei_sched_timer_cancel(&self->system->sched, &extra->timer);
    cedei_block_give(&self->system->sched.depot, NULL, extra, sizeof *extra);
    self->extra = NULL;
}
