/* life.c - how actors begin and end; who is told is in watch.c.
 * Invariants: (1) the generation of a slot changes exactly when its tenant ends; (2) cedei_life_end runs once per tenant. */
#include <string.h>

#include <cede/failure.h>

#include "actors/actor/actor.h"
#include "actors/actor/cycle.h"
#include "actors/actor/deliver.h"
#include "actors/actor/signal.h"
#include "actors/actor/simulated.h"
#include "core/sys/alloc.h"

/* Of `mailbox_bytes_max`. */
#define BYTES_MAX ((uint64_t)1 << 37)

static struct cedei_counts *counts_of(cede_system *system, struct cedei_worker *worker) {
    return worker != NULL ? &worker->counts : &system->sched.shared_counts;
}

static bool is_closing(cede_system *system) {
    /* relaxed: a spawn that comes a moment late is ended with the others. */
    return atomic_load_explicit(&system->closing, memory_order_relaxed) != 0;
}

/* ---- begin ---- */

/* Nothing is said about the mailbox, as by most. */
static inline bool limits_are_usual(const cede_behaviour *behaviour) {
    return (behaviour->mailbox_max | behaviour->mailbox_bytes_max |
            (unsigned)behaviour->when_full) == 0;
}

static CEDEI_NOINLINE cede_result limits_check(cede_system *system,
                                               const cede_behaviour *behaviour) {
    if (behaviour->stack_size != 0 &&
        cedei_sched_stacks(&system->sched, behaviour->stack_size) == NULL) {
        cedei_log(system, CEDE_LOG_ERROR,
                  "behaviour '%s': stack_size is %zu; it must be a power of two from 16384 to "
                  "8388608 bytes (0: that of the system)",
                  behaviour->name, behaviour->stack_size);
        return CEDE_EINVAL;
    }
    if ((unsigned)behaviour->when_full > CEDE_FULL_KEEP_LATEST) {
        cedei_log(system, CEDE_LOG_ERROR,
                  "behaviour '%s': when_full is %d, which is none of enum cede_when_full",
                  behaviour->name, (int)behaviour->when_full);
        return CEDE_EINVAL;
    }
    if (behaviour->mailbox_bytes_max > BYTES_MAX &&
        behaviour->mailbox_bytes_max != CEDE_MAILBOX_BYTES_UNBOUNDED) {
        cedei_log(system, CEDE_LOG_ERROR,
                  "behaviour '%s': mailbox_bytes_max is %llu, more than 2^37 and not "
                  "CEDE_MAILBOX_BYTES_UNBOUNDED",
                  behaviour->name, (unsigned long long)behaviour->mailbox_bytes_max);
        return CEDE_EINVAL;
    }
    if (behaviour->mailbox_max <= CEDEI_MAILBOX_COUNT_MAX ||
        behaviour->mailbox_max == CEDE_MAILBOX_UNBOUNDED)
        return CEDE_OK;
    cedei_log(system, CEDE_LOG_ERROR,
              "behaviour '%s': mailbox_max is %u, more than %u and not CEDE_MAILBOX_UNBOUNDED",
              behaviour->name, behaviour->mailbox_max, CEDEI_MAILBOX_COUNT_MAX);
    return CEDE_EINVAL;
}

CEDEI_INLINE cede_result behaviour_check(cede_system *system, const cede_behaviour *behaviour) {
    if (behaviour == NULL || behaviour->name == NULL || behaviour->dispatch == NULL)
        return CEDE_EINVAL;
    if (CEDEI_LIKELY(limits_are_usual(behaviour) && behaviour->stack_size == 0)) return CEDE_OK;
    return limits_check(system, behaviour);
}

static CEDEI_NOINLINE void limits_init_slow(struct cede_self *actor,
                                            const cede_behaviour *behaviour) {
    uint32_t count = behaviour->mailbox_max != 0 ? behaviour->mailbox_max : CEDE_MAILBOX_DEFAULT;
    uint64_t bytes = behaviour->mailbox_bytes_max;
    bool unbounded = count == CEDE_MAILBOX_UNBOUNDED;
    bool exact = bytes != 0 && bytes != CEDE_MAILBOX_BYTES_UNBOUNDED; /* every message is weighed */
    CEDEI_WRITE_LATE(actor->mailbox_max, unbounded ? 0 : (uint16_t)count);
    CEDEI_WRITE_LATE(actor->when_full, (uint8_t)behaviour->when_full);
    CEDEI_WRITE_LATE(actor->bounded, !unbounded && behaviour->when_full < CEDE_FULL_DROP_OLDEST);
    if (exact || behaviour->when_full != CEDE_FULL_REFUSE)
        CEDEI_WRITE_LATE(actor->open_max, INT32_MIN);
    else
        CEDEI_WRITE_LATE(actor->open_max, unbounded ? INT32_MAX : (int32_t)count);
}

CEDEI_INLINE void limits_init(struct cede_self *actor, const cede_behaviour *behaviour) {
    if (CEDEI_UNLIKELY(!limits_are_usual(behaviour))) {
        limits_init_slow(actor, behaviour);
        return;
    }
    CEDEI_WRITE_LATE(actor->mailbox_max, CEDE_MAILBOX_DEFAULT);
    CEDEI_WRITE_LATE(actor->when_full, CEDE_FULL_REFUSE);
    CEDEI_WRITE_LATE(actor->bounded, true);
    CEDEI_WRITE_LATE(actor->open_max, CEDE_MAILBOX_DEFAULT);
}

static void tenant_init(struct cede_self *actor, uint32_t number, const cede_behaviour *behaviour,
                        const cede_behaviour *limits, void *state) {
    CEDEI_WRITE_LATE(actor->behaviour, behaviour);
    actor->state = state;
    limits_init(actor, limits);
    actor->task.run = behaviour->stack_size != 0 ? cedei_turn_run_sized : cedei_turn_run;
    actor->task.place = cedei_place_of(
        number, behaviour->kind == CEDE_BLOCKING ? CEDEI_TASK_POOL : CEDEI_TASK_WORKER);
    actor->recv_wait = false;
    actor->holds_requests = false;
    actor->look_left = actor->turn_us = 0;
    /* relaxed (both): published with the ref. */
    atomic_store_explicit(&actor->handled, 0, memory_order_relaxed);
    atomic_store_explicit(&actor->waiting_peak, 0, memory_order_relaxed);
    /* relaxed: published with the ref. */
    atomic_store_explicit(&actor->stoppable, false, memory_order_relaxed);
    atomic_store_explicit(&actor->traps_exits, false, memory_order_relaxed); /* relaxed: as above */
    actor->turn_type = NULL;
    /* relaxed: published with the ref. What the former tenant did not handle is not this one's. */
    atomic_store_explicit(&actor->backlog, 0, memory_order_relaxed);
    uint64_t generation = cedei_generation_of(actor);
    /* relaxed: published with the ref. Signals for the former tenant named its generation and found it gone. */
    atomic_store_explicit(&actor->identity, generation << 32, memory_order_relaxed);
    /* seq_cst: before the second look whether the executor is closed; whoever closes it looks for tenants afterwards. */
    if (number != 0) atomic_store_explicit(&actor->executor, (uint8_t)number, memory_order_seq_cst);
}

/* The executor's count of tenants, which keeps it from going away. */
static cede_result tenancy_begin(struct cedei_sched *sched) {
    if (sched->number == 0) return CEDE_OK;
    /* seq_cst: before the look at `closed`; see cedei_sched_is_closed. */
    atomic_fetch_add_explicit(&sched->tenants, 1, memory_order_seq_cst);
    cede_result r = cedei_executor_check(sched, "cede_spawn");
    if (r == CEDE_OK) return CEDE_OK;
    /* seq_cst: as above. */
    atomic_fetch_sub_explicit(&sched->tenants, 1, memory_order_seq_cst);
    cedei_executor_depart(sched);
    return r;
}

static void tenancy_end(cede_self *actor) {
    /* relaxed: our own. */
    uint32_t number = atomic_load_explicit(&actor->executor, memory_order_relaxed);
    /* Late messages for the slot are thrown away by the first executor, which outlives the others. */
    actor->task.place = cedei_place_of(0, CEDEI_TASK_WORKER);
    if (number == 0) return;
    struct cedei_sched *sched = cedei_sched_at(&actor->system->sched, number << 1);
    /* seq_cst (both): as in tenancy_begin. */
    atomic_store_explicit(&actor->executor, 0, memory_order_seq_cst);
    atomic_fetch_sub_explicit(&sched->tenants, 1, memory_order_seq_cst);
    cedei_executor_depart(sched);
}

static void count_one(cede_system *system, struct cedei_worker *worker, size_t offset) {
    _Atomic uint64_t *count =
        (_Atomic uint64_t *)(void *)((char *)counts_of(system, worker) + offset);
    if (worker != NULL)
        cedei_count_add(count, 1);
    else
        cedei_count_add_shared(count, 1);
}

static void first_put(struct cede_self *actor, struct cedei_msg *first) {
    first->owner = CEDEI_MSG_MAILBOX;
    first->link.depth_and_tag = (uint64_t)cedei_generation_of(actor) << 32;
    first->next = actor->pending; /* before what came late for the former tenant */
    if (actor->pending == NULL) actor->pending_last = first;
    actor->pending = first;
    actor->pending_count++;
}

/* ---- the state ---- */

static struct cedei_block_cache *blocks_of(struct cedei_worker *worker) {
    return worker != NULL ? &worker->blocks : NULL;
}

/* For a state that does not fit into the slot: zeroed, or NULL. */
static void *state_create(cede_system *system, struct cedei_worker *worker, size_t size) {
    void *state = cedei_block_take(&system->sched.depot, blocks_of(worker), size);
    if (state != NULL) memset(state, 0, size);
    return state;
}

static void state_destroy(cede_system *system, struct cedei_worker *worker, void *state,
                          size_t size) {
    if (size > CEDEI_STATE_INLINE)
        cedei_block_give(&system->sched.depot, blocks_of(worker), state, size);
}

/* ---- the life of one ---- */

struct cede_self *cedei_life_begin(cede_system *system, struct cedei_sched *sched,
                                   struct cedei_worker *worker, const cede_behaviour *behaviour,
                                   const cede_behaviour *limits, cede_result *why) {
    if ((*why = behaviour_check(system, limits)) != CEDE_OK) return NULL;
    *why = CEDE_ECLOSED;
    if (is_closing(system)) return NULL;
    *why = CEDE_ENOMEM;
    void *state = NULL;
    size_t size = behaviour->state_size;
    if (size > CEDEI_STATE_INLINE && (state = state_create(system, worker, size)) == NULL)
        return NULL;
    struct cede_self *actor = NULL;
    if ((*why = tenancy_begin(sched)) != CEDE_OK) goto free_state;
    if ((actor = cedei_table_take(system, worker, why)) == NULL) goto end_tenancy;
    if (state == NULL) state = memset(actor->state_inline, 0, sizeof actor->state_inline);
    tenant_init(actor, sched->number, behaviour, limits, state);
    return actor;
end_tenancy:
    if (sched->number != 0) {
        /* seq_cst: as in tenancy_begin. */
        atomic_fetch_sub_explicit(&sched->tenants, 1, memory_order_seq_cst);
        cedei_executor_depart(sched);
    }
free_state:
    state_destroy(system, worker, state, size);
    return NULL;
}

cede_result cedei_life_spawn(cede_system *system, struct cedei_sched *sched,
                             struct cedei_worker *worker, const cede_behaviour *behaviour,
                             struct cedei_msg *first, struct cedei_ties *ties, cede_ref *out) {
    cede_result why = CEDE_OK;
    struct cede_self *actor = cedei_life_begin(system, sched, worker, behaviour, behaviour, &why);
    if (actor == NULL) return why;
    cede_ref ref = cedei_ref_of(actor);
    if (ties != NULL) cedei_ties_fasten(actor, ties);
    if (out != NULL) *out = ref;
    cedei_simulated_spawn(actor);
    count_one(system, worker, offsetof(struct cedei_counts, spawned));
    bool runs = first != NULL;
    if (runs) {
        const struct cede_type *type = first->type;
        first_put(actor, first);
        cedei_sent_count(system, worker, type);
        cedei_mail_came(actor);
    } else {
        runs = !cedei_mailbox_rest(&actor->mailbox, CEDEI_MAILBOX_IDLE);
    }
    if (runs) (void)cedei_sched_submit(&system->sched, worker, &actor->task);
    /* Closed meanwhile: whoever did it may have looked for tenants before there was this one. */
    if (CEDEI_UNLIKELY(sched->number != 0) && cedei_sched_is_closed(sched))
        (void)cedei_life_kill(system, worker, ref);
    return CEDE_OK;
}

CEDEI_INLINE cede_result spawn_with(cede_self *self, struct cedei_sched *sched,
                                    const cede_behaviour *behaviour, struct cedei_msg *first,
                                    unsigned ties, cede_ref *out) {
    struct cedei_ties made = {NULL, NULL};
    cede_result r = ties != 0 ? cedei_ties_make(self, ties, &made) : CEDE_OK;
    if (r != CEDE_OK) return r;
    r = cedei_life_spawn(self->system, sched, self->worker, behaviour, first,
                         ties != 0 ? &made : NULL, out);
    if (r != CEDE_OK) cedei_ties_discard(self, &made);
    return r;
}

static cede_result spawn_at(cede_self *self, struct cedei_sched *sched,
                            const cede_behaviour *behaviour, void **first, cede_ref *out,
                            unsigned ties, const char *here) {
    if (first == NULL) return spawn_with(self, sched, behaviour, NULL, ties, out);
    cede_result why = CEDE_OK;
    struct cedei_msg *msg = cedei_msg_disown(self, first, "cede_spawn", here, &why);
    if (msg == NULL) return why;
    bool was_kept = cedei_msg_is_kept(msg);
    if (self->system->strict) msg = cedei_msg_relocate(self, msg, here);
    struct cedei_return back = msg->reply;
    cede_ref ref = {0};
    cede_result r = spawn_with(self, sched, behaviour, msg, ties, &ref);
    if (r != CEDE_OK) {
        cedei_msg_reown(self, msg, first, was_kept);
        return r;
    }
    *first = NULL;
    if (out != NULL) *out = ref;
    cedei_request_moved(self->system, self->worker, back, ref.slot);
    return CEDE_OK;
}

cede_result cedei_spawn(cede_self *self, const cede_behaviour *behaviour, void **first,
                        cede_ref *out, unsigned ties, const char *here) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_spawn", here);
    return spawn_at(self, self->worker->sched, behaviour, first, out, ties, here);
}

cede_result cedei_spawn_on(cede_self *self, cede_executor *executor, const cede_behaviour *behaviour,
                           void **first, cede_ref *out, unsigned ties, const char *here) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_spawn_on", here);
    if (executor == NULL || executor->sched.first != &self->system->sched) return CEDE_EINVAL;
    return spawn_at(self, &executor->sched, behaviour, first, out, ties, here);
}

/* ---- signals ---- */

static cede_result signal_leave(cede_system *system, struct cedei_worker *worker, cede_ref ref,
                                uint32_t signal) {
    if (ref.node != system->uid) return cede_ref_is_none(ref) ? CEDE_ENOACTOR : CEDE_ENOTSUP;
    struct cede_self *actor = cedei_table_find(system, ref);
    if (actor == NULL) return CEDE_ENOACTOR;
    /* relaxed: a first guess for the exchange. */
    uint64_t identity = atomic_load_explicit(&actor->identity, memory_order_relaxed);
    do {
        if (identity >> 32 != ref.generation) return CEDE_ENOACTOR;
        /* seq_cst: before the look at `wait`; see cedei_signals_of. */
    } while (!atomic_compare_exchange_weak_explicit(&actor->identity, &identity, identity | signal,
                                                    memory_order_seq_cst, memory_order_relaxed));
    uint64_t before = cedei_mailbox_signal(&actor->mailbox);
    if (before & (CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV))
        (void)cedei_receiver_wake(system, worker, actor, before);
    else
        cedei_wait_interrupt(system, worker, actor, ref.generation, signal);
    return CEDE_OK;
}

cede_result cedei_life_kill(cede_system *system, struct cedei_worker *worker, cede_ref ref) {
    return signal_leave(system, worker, ref, CEDEI_SIGNAL_KILL);
}

void cedei_life_link_end(cede_system *system, struct cedei_worker *worker, cede_ref ref) {
    (void)signal_leave(system, worker, ref, CEDEI_SIGNAL_KILL | CEDEI_SIGNAL_LINKED);
}

/* To one that traps exits: a message instead. False: it does not, or there is nobody. */
static bool stop_is_trapped(cede_system *system, cede_ref ref) {
    struct cede_self *actor = ref.node == system->uid ? cedei_table_find(system, ref) : NULL;
    /* relaxed: who starts to trap now may be stopped as before. */
    return actor != NULL && atomic_load_explicit(&actor->traps_exits, memory_order_relaxed);
}

cede_result cedei_life_stop(cede_system *system, struct cedei_worker *worker, cede_ref ref,
                            cede_ref from) {
    if (CEDEI_LIKELY(!stop_is_trapped(system, ref)))
        return signal_leave(system, worker, ref, CEDEI_SIGNAL_STOP);
    struct cedei_msg *msg = cedei_msg_take(system, worker, &cede_type_cede_exit);
    if (msg == NULL) return CEDE_ENOMEM;
    struct cede_exit *news = cedei_msg_body(msg);
    news->actor = from;
    news->reason = CEDE_STOP;
    cedei_control_send(system, worker, ref, msg);
    return CEDE_OK;
}

cede_result cede_stop(cede_self *self, cede_ref actor) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_stop", "");
    return cedei_life_stop(self->system, self->worker, actor, cedei_ref_of(self));
}

cede_result cede_drain(cede_self *self, cede_ref actor) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_drain", "");
    cede_system *system = self->system;
    if (actor.node != system->uid) return cede_ref_is_none(actor) ? CEDE_ENOACTOR : CEDE_ENOTSUP;
    if (cedei_table_find(system, actor) == NULL) return CEDE_ENOACTOR;
    struct cedei_msg *msg = cedei_msg_take(system, self->worker, &cede_type_cede_drained);
    if (msg == NULL) return CEDE_ENOMEM;
    cedei_urgent_send(system, self->worker, actor, msg);
    return CEDE_OK;
}

cede_result cede_kill(cede_self *self, cede_ref actor) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_kill", "");
    return signal_leave(self->system, self->worker, actor, CEDEI_SIGNAL_KILL);
}

/* ---- end ---- */

static void generation_advance(struct cede_self *actor) {
    uint32_t next = cedei_generation_of(actor) % CEDEI_GENERATION_MAX + 1; /* 0 names nobody */
    /* seq_cst: one order with signal_leave's exchange; signals of the tenant end with it. */
    atomic_store_explicit(&actor->identity, (uint64_t)next << 32 | CEDEI_SIGNAL_FREE,
                          memory_order_seq_cst);
}

static void end_report(cede_self *self, cede_result reason) {
    struct cedei_counts *counts = counts_of(self->system, self->worker);
    bool failed = reason != CEDE_OK && reason != CEDE_EKILLED && reason != CEDE_ELINKED;
    if (self->worker == NULL) {
        cedei_count_add_shared(&counts->ended, 1);
        return; /* shutting down: no news */
    }
    cedei_count_add(&counts->ended, 1);
    if (!failed) return;
    cedei_count_add(&counts->failed, 1);
    const char *why = cedei_failure_of(self, reason);
    cedei_log(self->system, CEDE_LOG_WARNING, "actor '%s' failed handling '%s': %s (%s)%s%s",
              self->behaviour->name, self->turn_type != NULL ? self->turn_type->name : "nothing",
              cede_result_name(reason), cede_result_text(reason), why != NULL ? ": " : "",
              why != NULL ? why : "");
}

/* What came between the kill and now: a reply. */
static void late_value_drop(cede_self *self, cedei_wake_value value) {
    if (value >= cedei_wake_code(CEDEI_RESULT_COUNT))
        cedei_msg_dead_letter(self->system, self->worker, (struct cedei_msg *)(uintptr_t)value,
                              CEDE_ENOACTOR);
}

/* A wait that was ended and not taken up again, and its limit. */
static void wait_forget(cede_self *self) {
    /* relaxed (both): late timers and wake-ups find a wait that is none of theirs. */
    atomic_store_explicit(&self->deadline_ns, UINT64_MAX, memory_order_relaxed);
    uint64_t woken = atomic_load_explicit(&self->wait, memory_order_relaxed);
    if (CEDEI_LIKELY(woken == CEDEI_WAIT_NONE)) return;
    if ((woken & 3) == CEDEI_WAIT_WOKEN) late_value_drop(self, woken & ~(uint64_t)3);
    /* relaxed: as above. */
    atomic_store_explicit(&self->wait, CEDEI_WAIT_NONE, memory_order_relaxed);
}

void cedei_life_end(cede_self *self, cede_result reason) {
    cede_system *system = self->system;
    cede_ref ref = cedei_ref_of(self);
    cedei_simulated_end(self, reason);
    wait_forget(self);
    /* relaxed: whoever follows it finds that nobody waits here. */
    atomic_store_explicit(&self->asked, 0, memory_order_relaxed);
    end_report(self, reason);
    struct cedei_obituary obituary; /* not all of it is needed by those who end normally */
    obituary.actor = ref;
    obituary.reason = reason;
    obituary.place[0] = '\0';
    /* relaxed: a look; who comes later finds the actor gone, or is told without a place. */
    if (CEDEI_UNLIKELY(reason != CEDE_OK) &&
        atomic_load_explicit(&self->watched, memory_order_relaxed))
        cedei_obituary_write(self, &obituary);
    if (self->extra != NULL) cedei_extra_clear(self);
    if (self->watches_signals) cedei_signals_forget(self);
    cedei_msg_drop_all(self);
    if (self->behaviour->fini != NULL) self->behaviour->fini(self->state);
    state_destroy(system, self->worker, self->state, self->behaviour->state_size);
    self->state = NULL;
    tenancy_end(self);
    generation_advance(self);
    cedei_watchers_tell(self, &obituary);
    cedei_room_end(self);
}
