/* look.c - how a simulation looks at actors, lets them fail, and knows a wake-up that was lost.
 * At rest, when no thread can go on before some time has come, an actor is idle, or suspended, or waits for the blocking pool; a
 * message in the mailbox of one that is none of these will never be handled. */
#include <stdio.h>
#include <string.h>

#include "actors/actor/actor.h"
#include "actors/actor/simulated.h"
#include "actors/sim/sim.h"

#define TURN_NS 500u /* what a turn takes, but for what its calls do */

static struct cedei_simulation *simulation; /* in the run's process */

void cedei_simulated_begin(struct cedei_simulation *sim, cede_system *system) {
    (void)system;
    simulation = sim;
}

static uint64_t id_of(cede_self *actor) {
    return (uint64_t)actor->slot << 32 | cedei_generation_of(actor);
}

static void trace(enum cedei_sim_what what, cede_self *actor, const char *name, uint64_t value) {
    cedei_sim_hold();
    cedei_sim_trace(what, id_of(actor), actor->behaviour->name, name, value);
    cedei_sim_release();
}

void cedei_simulated_spawn(cede_self *actor) { trace(CEDEI_SIM_SPAWNED, actor, NULL, 0); }
void cedei_simulated_end(cede_self *self, cede_result reason) {
    trace(CEDEI_SIM_ENDED, self, NULL, (uint64_t)reason);
}

void cedei_simulated_resume(cede_self *self) { trace(CEDEI_SIM_GOES_ON, self, NULL, 0); }

/* ---- faults ---- */

static bool is_mortal(cede_self *actor) {
    cedei_sim_hold();
    bool lives = (cedei_signals_of(actor) & CEDEI_SIGNAL_FREE) == 0 && actor->behaviour != NULL;
    bool is_own = actor->slot == simulation->own.slot &&
                  cedei_generation_of(actor) == simulation->own.generation;
    cedei_sim_release();
    if (!lives || is_own) return false;
    const cede_behaviour *const *mortal = simulation->options.mortal;
    while (mortal != NULL && *mortal != NULL && *mortal != actor->behaviour) mortal++;
    return mortal == NULL || *mortal != NULL;
}

static uint32_t slots_ready(cede_system *system) {
    cedei_sim_hold();
    /* relaxed: there is one thread. */
    uint32_t ready = atomic_load_explicit(&system->slots_ready, memory_order_relaxed);
    cedei_sim_release();
    return ready;
}

static void kill_one(cede_self *self, uint32_t value) {
    cede_system *system = self->system;
    uint32_t ready = slots_ready(system), count = 0;
    for (uint32_t slot = 0; slot < ready; slot++) count += is_mortal(&system->slots[slot]);
    if (count == 0) return;
    uint32_t nth = value % count, slot = 0;
    while (!is_mortal(&system->slots[slot]) || nth-- != 0) slot++;
    cede_self *victim = &system->slots[slot];
    cedei_sim_hold();
    cedei_sim_trace_text(id_of(victim), "is killed by the simulation");
    cede_ref ref = cedei_ref_of(victim);
    cedei_sim_release();
    (void)cedei_life_kill(system, self->worker, ref);
}

static void kill_choose(cede_self *self) {
    uint32_t value = cedei_sim_choose(CEDEI_SIM_KILL);
    if (value != 0) kill_one(self, value);
}

void cedei_simulated_wait(cede_self *self) {
    trace(CEDEI_SIM_WAITS, self, NULL, 0);
    kill_choose(self);
}

void cedei_simulated_turn(cede_self *self, const struct cedei_msg *msg) {
    trace(CEDEI_SIM_HANDLES, self, msg->type->name, 0);
    cedei_sim_pass_time(TURN_NS);
    cedei_sim_delay();
    kill_choose(self);
}

cede_result cedei_simulated_result(cede_self *self, cede_result r) {
    if (r == CEDE_OK && is_mortal(self) && cedei_sim_choose(CEDEI_SIM_FAIL) != 0) {
        trace(CEDEI_SIM_HANDLED, self, NULL, CEDE_EFAILED);
        return CEDE_EFAILED;
    }
    if (r != CEDE_OK) trace(CEDEI_SIM_HANDLED, self, NULL, (uint64_t)r);
    return r;
}

bool cedei_simulated_refusal(cede_self *self, cede_ref to, const struct cedei_msg *msg) {
    trace(CEDEI_SIM_SENDS, self, msg->type->name, (uint64_t)to.slot << 32 | to.generation);
    cedei_sim_hold();
    /* relaxed: there is one thread. */
    bool waits = (atomic_load_explicit(&self->wait, memory_order_relaxed) & 3) != CEDEI_WAIT_NONE;
    cedei_sim_release();
    return !waits && cedei_sim_choose(CEDEI_SIM_REFUSE) != 0;
}

/* ---- at rest ---- */

static void lost(cede_self *actor, const char *what) {
    char text[300];
    snprintf(text, sizeof text, "at rest, actor '%s' (slot %u) %s: a wake-up was lost",
             actor->behaviour->name, actor->slot, what);
    cedei_sim_fail("lost wake-up", "%s", text);
}

static bool is_waited_for(cede_self *actor) {
    struct cedei_room *room = cedei_room_find(actor);
    struct cedei_waiter *waiter = room != NULL ? room->first : NULL;
    for (; waiter != NULL; waiter = waiter->next) {
        /* relaxed: there is one thread. */
        if (atomic_load_explicit(&waiter->actor->wait, memory_order_relaxed) ==
            ((uint64_t)waiter->sequence << 2 | CEDEI_WAIT_PARKED))
            return true;
    }
    return false;
}

static void actor_look(cede_self *actor) {
    /* relaxed (all): there is one thread. */
    uint64_t word = atomic_load_explicit(&actor->mailbox.word, memory_order_relaxed);
    uint64_t wait = atomic_load_explicit(&actor->wait, memory_order_relaxed);
    bool is_free =
        (atomic_load_explicit(&actor->identity, memory_order_relaxed) & CEDEI_SIGNAL_FREE) != 0;
    bool is_new = (word & ~CEDEI_MAILBOX_FLAGS) != 0 || (word & CEDEI_MAILBOX_SIGNAL) != 0;
    if (is_free || actor->behaviour == NULL) return;
    if ((wait & 3) == CEDEI_WAIT_PARKED) {
        if (actor->recv_wait && is_new) lost(actor, "waits for a message and has one");
        return;
    }
    if (actor->lease != NULL && (wait & 3) == CEDEI_WAIT_WOKEN)
        lost(actor, "was woken in the middle of its turn and does not go on");
    if ((word & CEDEI_MAILBOX_IDLE) == 0)
        lost(actor, "has messages or a signal and nobody runs it");
    if (!is_new && actor->pending == NULL && is_waited_for(actor))
        lost(actor, "has an empty mailbox, and another one waits for room in it");
}

/* Some thread is in the middle of its turn, and waits there for something that is none of an actor's. */
static bool is_running(cede_system *system, cede_self *actor) {
    uint32_t seats = cedei_sched_seats(&system->sched);
    for (uint32_t i = 0; i < seats; i++)
        if (system->sched.workers[i].running == &actor->task) return true;
    for (struct cedei_worker *worker = system->sched.pool.alive; worker != NULL;
         worker = worker->pool_next)
        if (worker->running == &actor->task) return true;
    return false;
}

void cedei_simulated_rest(void *context) {
    cede_system *system = context;
    /* All threads of the pool may be in turns that wait. */
    if (system->sched.pool.first != NULL) return;
    /* relaxed: there is one thread. */
    uint32_t ready = atomic_load_explicit(&system->slots_ready, memory_order_relaxed);
    for (uint32_t slot = 0; slot < ready; slot++)
        if (!is_running(system, &system->slots[slot])) actor_look(&system->slots[slot]);
}
