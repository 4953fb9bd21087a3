/* pending.c - asks that are started now and awaited later, several at once.
 * A reply ends the wait of a slot. An actor has one slot and one wait, so each pending ask is made by a proxy: a further
 * slot that asks, waits without a stack, and whose task, when the wait has ended, hands the value over (pending_arrive).
 * Deadlines, links, late replies and cycles work for it as for any asker.
 * Owns struct cede_pending, which two sides share by its jobstate: the actor has the handle, the proxy runs the "job".
 * Invariants: (1) the proxy is the actor's to touch only until it is parked; afterwards all that the actor may do is wake
 * it, by slot and sequence, which is harmless when it has ended; (2) `value` is written before the state says that the
 * ask is over; (3) a pending whose handle the actor has is in its extra's `pendings`. */
#include <cede/pending.h>

#include "actors/actor/actor.h"
#include "actors/actor/tally.h"
#include "actors/actor/wait.h"
#include "core/sync/jobstate.h"

/* Access: I = set at the start; A = holder of the rights of `actor`; X = the proxy's side, until the state says OUT. */
struct cede_pending {
    struct cedei_jobstate state;
    struct cede_pending *next, **back; /* A: in `pendings` */
    struct cede_self *actor;           /* I: that started it */
    struct cede_self *proxy;           /* I: the slot that asks for it */
    uint32_t sequence;                 /* I: of the proxy's wait */
    struct cede_type *type;            /* I: of the reply */
    cedei_wake_value value;            /* X, then A */
};

struct proxy_state {
    cede_pending *pending; /* NULL: handed over */
};

static struct cedei_block_cache *blocks_of(struct cedei_worker *worker) {
    return worker != NULL ? &worker->blocks : NULL;
}

static void block_free(cede_system *system, struct cedei_worker *worker, cede_pending *pending) {
    cedei_block_give(&system->sched.depot, blocks_of(worker), pending, sizeof *pending);
}

static bool is_message(cedei_wake_value value) {
    return value >= cedei_wake_code(CEDEI_RESULT_COUNT);
}

static void value_drop(cede_system *system, struct cedei_worker *worker, cedei_wake_value value) {
    if (is_message(value))
        cedei_msg_dead_letter(system, worker, (struct cedei_msg *)(uintptr_t)value, CEDE_ENOACTOR);
}

/* ---- the proxy's side ---- */

static void pending_end(cede_self *proxy, cede_pending *pending, cedei_wake_value value) {
    cede_system *system = proxy->system;
    struct cede_self *actor = pending->actor;
    pending->value = value;
    uint64_t before = cedei_jobstate_end(&pending->state);
    uint32_t sequence = cedei_jobstate_wait(before);
    if (before & CEDEI_JOB_DROPPED) {
        value_drop(system, proxy->worker, value);
        block_free(system, proxy->worker, pending);
    } else if (sequence != 0 && proxy->worker != NULL) { /* else the system ends, and nobody waits */
        cedei_wait_wake(system, proxy->worker, actor, sequence, cedei_wake_code(CEDE_OK));
    }
}

/* The proxy ends without an answer: with its system. */
static void proxy_fini(void *state) {
    cede_pending *pending = ((struct proxy_state *)state)->pending;
    if (pending != NULL) pending_end(pending->proxy, pending, cedei_wake_code(CEDE_ECLOSED));
}

static CEDE_YIELDS cede_result proxy_dispatch(cede_self *self, const struct cede_type *type,
                                              void *state, void *message) {
    (void)self, (void)type, (void)state, (void)message;
    return (cede_result)CEDEI_UNMATCHED; /* never called: no turn of it runs */
}

static const cede_behaviour proxy_behaviour = {.name = "cede_ask_start",
                                               .state_size = sizeof(struct proxy_state),
                                               .fini = proxy_fini,
                                               .dispatch = proxy_dispatch};

static void proxy_end(cede_self *proxy) {
    ((struct proxy_state *)proxy->state)->pending = NULL;
    proxy->task.run = cedei_turn_run; /* from here on it is a slot like any other */
    cedei_turn_end(proxy, CEDE_OK);
}

/* On a worker, which holds the proxy's rights: its wait has ended. */
static struct cedei_worker *pending_arrive(struct cedei_worker *worker, struct cedei_task *task) {
    cede_self *proxy = CEDEI_CONTAINER_OF(task, cede_self, task);
    proxy->worker = worker;
    cede_pending *pending = ((struct proxy_state *)proxy->state)->pending;
    cedei_wait_deadline_clear(proxy, 0);
    pending_end(proxy, pending, cedei_wait_fetch(proxy));
    proxy_end(proxy);
    return worker;
}

/* ---- the actor's side: starting ---- */

static cede_self *proxy_begin(cede_self *self, cede_pending *pending, cede_result *why) {
    struct cedei_worker *worker = self->worker;
    cede_self *proxy = cedei_life_begin(self->system, worker->sched, worker, &proxy_behaviour,
                                        &proxy_behaviour, why);
    if (proxy == NULL) return NULL;
    cedei_count_add(&worker->counts.spawned, 1);
    proxy->worker = worker;
    proxy->task.run = pending_arrive;
    ((struct proxy_state *)proxy->state)->pending = pending;
    return proxy;
}

static void pending_link(cede_self *self, cede_pending *pending) {
    cede_pending **list = &self->extra->pendings;
    pending->next = *list;
    pending->back = list;
    if (pending->next != NULL) pending->next->back = &pending->next;
    *list = pending;
}

static void pending_unlink(cede_pending *pending) {
    *pending->back = pending->next;
    if (pending->next != NULL) pending->next->back = pending->back;
}

/* Sends, and lets the proxy wait. On failure the proxy is the caller's as before. */
static cede_result proxy_ask(cede_self *self, cede_pending *pending, cede_ref to, void **request,
                             uint64_t timeout_ns, const char *here) {
    cede_self *proxy = pending->proxy;
    struct cedei_ask_wait wait = {0};
    cede_result r =
        cedei_ask_begin_for(self, proxy, to, request, pending->type, timeout_ns, here, &wait);
    if (r != CEDE_OK) return r;
    pending->sequence = wait.sequence;
    pending_link(self, pending);
    cedei_jobstate_submit(&pending->state);
    CEDEI_CHECK(cedei_jobstate_begin(&pending->state) == CEDEI_JOB_RUN);
    /* Its extra was made before: this cannot fail. */
    if (wait.deadline_ns != UINT64_MAX)
        CEDEI_CHECK(cedei_wait_deadline_watch(proxy, wait.deadline_ns) == CEDE_OK);
    cedei_wait_park_commit(self->worker, proxy); /* from here on it is others' */
    return CEDE_OK;
}

cede_result cedei_ask_start(cede_self *self, cede_ref to, void **request,
                            struct cede_type *reply_type, cede_pending **out, uint64_t timeout_ns,
                            const char *here) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_ask_start", here);
    if (self->worker->is_seat) return CEDE_ECONTEXT;
    if (request == NULL || *request == NULL || out == NULL) return CEDE_EINVAL;
    cede_system *system = self->system;
    if (cedei_extra_of(self) == NULL) return CEDE_ENOMEM;
    cede_pending *pending =
        cedei_block_take(&system->sched.depot, &self->worker->blocks, sizeof *pending);
    if (pending == NULL) return CEDE_ENOMEM;
    *pending = (struct cede_pending){.actor = self, .type = reply_type};
    cede_result r = CEDE_OK;
    pending->proxy = proxy_begin(self, pending, &r);
    if (pending->proxy != NULL) {
        r = cedei_extra_of(pending->proxy) == NULL
                ? CEDE_ENOMEM
                : proxy_ask(self, pending, to, request, timeout_ns, here);
        if (r == CEDE_OK) {
            *out = pending;
            return CEDE_OK;
        }
        proxy_end(pending->proxy);
    }
    block_free(system, self->worker, pending);
    return r;
}

/* ---- the actor's side: waiting ---- */

static cede_result await_check(cede_self *self, cede_pending *const *pendings, size_t count) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_await", "");
    bool found = false;
    if (pendings == NULL) return CEDE_EINVAL;
    for (size_t i = 0; i < count; i++) {
        if (pendings[i] == NULL) continue;
        if (pendings[i]->actor != self) return CEDE_EOWNER;
        found = true;
    }
    return found ? CEDE_OK : CEDE_EINVAL;
}

static bool ended_find(cede_pending *const *pendings, size_t count, size_t *which) {
    for (size_t i = 0; i < count; i++) {
        if (pendings[i] == NULL || !cedei_jobstate_has_ended(&pendings[i]->state)) continue;
        *which = i;
        return true;
    }
    return false;
}

/* Has the end of any of them end the wait `sequence` (0: of none any more). False: one has ended already. */
static bool any_watch(cede_pending *const *pendings, size_t count, uint32_t sequence) {
    bool all_run = true;
    for (size_t i = 0; i < count; i++)
        if (pendings[i] != NULL) all_run &= cedei_jobstate_await(&pendings[i]->state, sequence);
    return all_run;
}

/* The slot that a single one of them asks by, plus 1: then a cycle of waits can be seen. */
static uint32_t asked_slot_of(cede_pending *const *pendings, size_t count) {
    const cede_pending *single = NULL;
    for (size_t i = 0; i < count; i++) {
        if (pendings[i] == NULL) continue;
        if (single != NULL) return 0;
        single = pendings[i];
    }
    return single != NULL ? single->proxy->slot + 1 : 0;
}

static CEDE_YIELDS cede_result any_await(cede_self *self, cede_pending *const *pendings,
                                         size_t count, uint64_t deadline_ns, size_t *which) {
    if (ended_find(pendings, count, which)) return CEDE_OK;
    if (deadline_ns == 0) return CEDE_ETIMEDOUT;
    uint32_t sequence = cedei_wait_begin(self);
    cede_result r = CEDE_OK;
    if (any_watch(pendings, count, sequence)) {
        /* relaxed (both): published with the parking; afterwards no wait is pending. */
        atomic_store_explicit(&self->asked, asked_slot_of(pendings, count), memory_order_relaxed);
        r = (cede_result)(cedei_wait_until(self, sequence, deadline_ns) >> 4);
        atomic_store_explicit(&self->asked, 0, memory_order_relaxed);
    } else {
        (void)cedei_wait_withdraw(self, sequence);
    }
    (void)any_watch(pendings, count, 0);
    return ended_find(pendings, count, which) ? CEDE_OK : r;
}

static uint64_t deadline_of(uint64_t timeout_ns) {
    return timeout_ns == 0 ? 0 : cedei_deadline_of(timeout_ns);
}

CEDE_YIELDS cede_result cede_await_any(cede_self *self, cede_pending *const *pendings, size_t count,
                                       uint64_t timeout_ns, size_t *which) {
    cede_result r = await_check(self, pendings, count);
    if (r != CEDE_OK) return r;
    if (which == NULL) return CEDE_EINVAL;
    return any_await(self, pendings, count, deadline_of(timeout_ns), which);
}

CEDE_YIELDS cede_result cede_await_all(cede_self *self, cede_pending *const *pendings, size_t count,
                                       uint64_t timeout_ns) {
    cede_result r = await_check(self, pendings, count);
    uint64_t deadline_ns = deadline_of(timeout_ns);
    size_t which = 0;
    for (size_t i = 0; r == CEDE_OK && i < count; i++)
        if (pendings[i] != NULL) r = any_await(self, &pendings[i], 1, deadline_ns, &which);
    return r;
}

CEDE_YIELDS cede_result cedei_await(cede_self *self, cede_pending **handle, struct cede_type *type,
                                    void **reply, uint64_t timeout_ns, const char *here) {
    (void)here;
    size_t which = 0;
    cede_result r = await_check(self, handle, 1);
    if (r != CEDE_OK) return r;
    cede_pending *pending = *handle;
    if (reply == NULL) return CEDE_EINVAL;
    if (pending->type != type) return CEDE_ETYPE;
    r = any_await(self, handle, 1, deadline_of(timeout_ns), &which);
    if (r != CEDE_OK) return r;
    cedei_wake_value value = pending->value;
    *handle = NULL;
    pending_unlink(pending);
    block_free(self->system, self->worker, pending);
    if (!is_message(value)) return (cede_result)(value >> 4);
    struct cedei_msg *msg = (struct cedei_msg *)(uintptr_t)value;
    cedei_handled_count(self, self->worker, msg->type);
    cedei_msg_own_by_turn(self, msg);
    *reply = cedei_msg_body(msg);
    return CEDE_OK;
}

/* ---- the actor's side: giving up ---- */

static void pending_drop(cede_self *self, cede_pending *pending) {
    cede_system *system = self->system;
    struct cede_self *proxy = pending->proxy;
    uint32_t sequence = pending->sequence;
    pending_unlink(pending);
    if (cedei_jobstate_drop(&pending->state) == CEDEI_JOB_BOTH_MINE) {
        value_drop(system, self->worker, pending->value);
        block_free(system, self->worker, pending);
    } else if (self->worker !=
               NULL) { /* it need not wait for its time; does nothing if it has ended */
        cedei_wait_wake(system, self->worker, proxy, sequence, cedei_wake_code(CEDE_ECANCELED));
    }
}

void cede_pending_drop(cede_self *self, cede_pending **handle) {
    if (await_check(self, handle, 1) != CEDE_OK) return;
    cede_pending *pending = *handle;
    *handle = NULL;
    pending_drop(self, pending);
}

void cedei_pendings_drop(cede_self *self) {
    while (self->extra->pendings != NULL) /* each round takes one off */
        pending_drop(self, self->extra->pendings);
}
