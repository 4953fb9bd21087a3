/* actor.h - an actor, its worker and its wakers for the model tests. The code is that of actors/actor (wait, turn, send, job)
 * and core/sched (timer, gate), compiled into the test; a switch of stacks is a thread of the model that blocks, and what
 * runs on the next stack is a thread of its own, so that the actor may be resumed while it is still being parked. */
#ifndef CEDE_TESTS_MODEL_ACTOR_H
#define CEDE_TESTS_MODEL_ACTOR_H

#include <stddef.h>
#include <string.h>

#include "tests/model/atomics.h"

#include "tests/model/system.h"

#include "actors/actor/actor.h"
#include "actors/actor/deliver.h"

static cede_result model_suspend(struct cedei_worker *worker, struct cedei_stack **lease,
                                 void (*commit)(struct cedei_worker *, void *), void *context);
#define cedei_worker_suspend model_suspend

/* Blocks are counted, and written to when they are freed. */
static void *model_block_take(size_t size);
static void model_block_give(void *block);
#define cedei_block_take(depot, cache, size) ((void)(depot), (void)(cache), model_block_take(size))
#define cedei_block_give(depot, cache, block, size)                                                \
    ((void)(depot), (void)(cache), (void)(size), model_block_give(block))

#include "actors/actor/cycle.c"
#include "actors/actor/job.c"
#include "actors/actor/lane.c"
#include "actors/actor/overload.c"
#include "actors/actor/room.c"
#include "actors/actor/send.c"
#include "actors/actor/turn.c"
#include "actors/actor/wait.c"
#include "actors/share/cancel.c"
#include "core/sched/gate.c"

#include "tests/model/wheel.h"

enum { MESSAGES = 3 };

static struct cede_system *system_of_test;
static struct cede_self *actor, *sender; /* the slots of the system */
static struct cedei_worker worker_of_test;
static struct model_event token;         /* signalled: the actor's task is queued */
static struct model_event commit_wanted; /* a switch has been made and its commit has to run */
static struct model_event timer_is_set, job_is_queued;
static struct cedei_task *job_queued;
static struct cedei_wheel wheel_of_test;
static struct cedei_extra extras[2]; /* are there from the beginning */
static struct cedei_stack lease_of_test, **commit_lease;
static void (*commit_run)(struct cedei_worker *, void *);
static void *commit_context;
static bool is_suspended, has_ended, was_killed;
static cede_result end_reason;
static uint32_t handled, received, dropped, allocated, freed;
static cede_result last_result;
static uint64_t recv_timeout_ns;
static struct {
    _Alignas(64) struct cedei_msg header;
    uint64_t number;
} messages[MESSAGES];

static struct cede_type type_a = {.name = "a", .size = 16}, type_b = {.name = "b", .size = 16};

/* ---- what wait.c and turn.c stand on, in the model ---- */

static void actor_main(void *context);

static void actor_schedule(void) {
    MODEL_CLAIM(token.count == 0);
    model_signal(&token);
}

cede_result cedei_sched_submit_slow(struct cedei_sched *sched, struct cedei_worker *worker,
                                    struct cedei_task *task) {
    (void)sched, (void)worker;
    if (task == &actor->task) {
        actor_schedule();
    } else if (task != &sender->task) { /* the sender's run is no part of the model */
        job_queued = task;
        model_signal(&job_is_queued);
    }
    return CEDE_OK;
}

void cedei_cleanups_run(cede_self *self, uintptr_t top) {
    (void)top;
    MODEL_CLAIM(self == NULL); /* there are none */
}
void cedei_holds_keep(cede_self *self) { MODEL_CLAIM(self == NULL); /* nor anything held */ }

cede_result cedei_worker_suspend_refused(struct cedei_worker *worker) {
    MODEL_CLAIM(worker == NULL); /* there are no cleanups to be in */
    return CEDE_ECONTEXT;
}

struct cedei_extra *cedei_extra_make(cede_self *self) {
    MODEL_CLAIM(self == NULL); /* all are there from the beginning */
    return NULL;
}

/* Nobody waits for a token here. */
void cedei_cancel_wake(cede_cancel *cancel) { MODEL_CLAIM(cancel == NULL); }

void cedei_sched_requeue(struct cedei_worker *worker, struct cedei_task *task) {
    (void)worker, (void)task;
    actor_schedule();
}

/* Blocks the turn; the commit runs beside, on a thread of its own. Behind the block is what `resume` of turn.c does. */
static cede_result model_suspend(struct cedei_worker *worker, struct cedei_stack **lease,
                                 void (*commit)(struct cedei_worker *, void *), void *context) {
    (void)worker;
    MODEL_CLAIM(commit_wanted.count == 0);
    commit_run = commit;
    commit_context = context;
    commit_lease = lease;
    is_suspended = true;
    model_signal(&commit_wanted);
    model_wait(&token);
    is_suspended = false;
    MODEL_CLAIM(*lease == &lease_of_test);
    *lease = NULL;
    if (cedei_signals_of(actor) & CEDEI_SIGNAL_KILL) {
        was_killed = true;
        cedei_turn_end(actor, CEDE_EKILLED);
        actor_main(NULL); /* the slot's next runs; the stack is abandoned */
    }
    return CEDE_OK;
}

static void commit_main(void *context) {
    (void)context;
    for (;;) {
        model_wait(&commit_wanted);
        *commit_lease = &lease_of_test; /* the thread that suspends goes on here */
        commit_run(&worker_of_test, commit_context);
    }
}

void cedei_sched_timer_add(struct cedei_sched *sched, struct cedei_timer *timer,
                           uint64_t expires_ns) {
    if (cedei_timer_add(&sched->wheels[timer->wheel], timer, expires_ns))
        model_signal(&timer_is_set);
}

/* Whoever keeps the time. */
static void timer_main(void *context) {
    (void)context;
    for (;;) {
        uint64_t next_ns = cedei_wheel_next_ns(&wheel_of_test);
        if (next_ns == UINT64_MAX) {
            model_wait(&timer_is_set);
            continue;
        }
        if (next_ns > model_now_ns()) model_time_set(next_ns);
        cedei_wheel_run(&wheel_of_test, model_now_ns(), &worker_of_test);
    }
}

static _Alignas(64) char blocks[4][512];
void *cedei_alloc_by(const struct cedei_alloc_site *site, size_t size) {
    (void)site;
    if (allocated == 4 || size > sizeof blocks[0]) model_fail("an allocation that is not expected");
    return blocks[allocated++];
}
void cedei_free(void *block) {
    if (block == NULL) return;
    /* Writes, which race with whoever still reads it; memset would not be seen. */
    for (size_t i = 0; i < sizeof blocks[0]; i += 8) *(volatile uint64_t *)((char *)block + i) = 0;
    freed++;
}

void cedei_life_end(cede_self *self, cede_result reason) {
    has_ended = true;
    end_reason = reason;
    cedei_jobs_drop(self);
    /* relaxed: as there. */
    atomic_store_explicit(&self->wait, CEDEI_WAIT_NONE, memory_order_relaxed);
    /* seq_cst: as there. */
    atomic_store_explicit(&self->identity, (uint64_t)2 << 32 | CEDEI_SIGNAL_FREE,
                          memory_order_seq_cst);
    cedei_room_end(self);
}

void cedei_msg_own_by_turn(cede_self *self, struct cedei_msg *msg) { (void)self, (void)msg; }
void cedei_msg_drop_turn(cede_self *self) { self->current = NULL; }
void cedei_msg_dead_letter(cede_system *system, struct cedei_worker *worker, struct cedei_msg *msg,
                           cede_result reason) {
    (void)system, (void)worker, (void)msg, (void)reason;
    dropped++;
}
void cedei_msg_dead_letter_of(struct cede_self *receiver, struct cedei_worker *worker,
                              struct cedei_msg *msg, cede_result reason) {
    cedei_msg_dead_letter(receiver->system, worker, msg, reason);
}
void cedei_table_give(cede_system *system, struct cedei_worker *worker, struct cede_self *self) {
    (void)system, (void)worker, (void)self;
}
cede_result cedei_answer(cede_system *system, struct cedei_worker *worker, struct cedei_return back,
                         struct cedei_msg *msg, cede_result code) {
    (void)system, (void)worker, (void)back, (void)msg, (void)code;
    return CEDE_OK;
}
void cedei_self_check_failed(cede_self *self, const char *call, const char *here) {
    (void)self, (void)call, (void)here;
}
struct cedei_worker *cedei_worker_current(void) {
    worker_of_test.running = &actor->task;
    return &worker_of_test;
}
void cedei_stack_give_slow(struct cedei_stack_pool *pool, struct cedei_stack *stack) {
    (void)pool, (void)stack;
}
cede_result cedei_worker_reserve(struct cedei_worker *worker) {
    (void)worker;
    return CEDE_OK;
}
void cedei_msg_drop_one(cede_system *system, struct cedei_worker *worker, struct cedei_msg *msg) {
    (void)system, (void)worker;
    MODEL_CLAIM(msg->owner == CEDEI_MSG_JOB);
    msg->owner = 0;
    dropped++;
}
struct cedei_msg *cedei_msg_take_at(cede_system *system, struct cedei_worker *worker,
                                    struct cede_type *type, const char *here) {
    (void)system, (void)worker, (void)type, (void)here;
    return NULL;
}
struct cedei_msg *cedei_msg_disown_slow(cede_self *self, void **body, const char *call,
                                        const char *here, cede_result *why) {
    (void)self, (void)body, (void)call, (void)here;
    *why = CEDE_EOWNER;
    return NULL;
}
void cedei_msg_reown(cede_self *self, struct cedei_msg *msg, void **body, bool was_kept) {
    (void)self, (void)was_kept;
    msg->owner = CEDEI_MSG_TURN;
    *body = cedei_msg_body(msg);
}
struct cedei_msg *cedei_msg_relocate(cede_self *self, struct cedei_msg *msg, const char *here) {
    (void)self, (void)here;
    return msg;
}
struct cedei_msg *cedei_msg_relocate_to(cede_self *self, struct cedei_msg *msg, cede_ref to,
                                        const char *here) {
    (void)self, (void)to, (void)here;
    return msg;
}
void cedei_log(cede_system *system, enum cede_log_level level, const char *format, ...) {
    (void)system, (void)level, (void)format;
}
bool cedei_request_expire(cede_self *self, struct cedei_msg *msg) {
    (void)self, (void)msg; /* none of the messages here is a request */
    return false;
}
void cedei_msg_drop_current(cede_self *self) { self->current = NULL; }
struct cedei_worker *cedei_turn_run_sized(struct cedei_worker *worker, struct cedei_task *task) {
    (void)task;
    return worker;
}
void cedei_worker_held_at_end(struct cedei_worker *worker) {
    (void)worker;
    abort();
}
static void *model_block_take(size_t size) { return cedei_alloc(size); }
static void model_block_give(void *block) { cedei_free(block); }
const uint8_t cedei_block_class_of_lines[CEDEI_BLOCK_SIZE_MAX / 64 + 1];
void *cedei_block_take_slow(struct cedei_block_depot *depot, struct cedei_block_cache *cache,
                            size_t size) {
    (void)depot, (void)cache, (void)size;
    abort();
}
void cedei_block_give_slow(struct cedei_block_depot *depot, struct cedei_block_cache *cache,
                           void *block, size_t size) {
    (void)depot, (void)cache, (void)block, (void)size;
    abort();
}
void cedei_sched_timer_cancel(struct cedei_sched *sched, struct cedei_timer *timer) {
    (void)sched, (void)timer;
}
void cedei_executor_depart(struct cedei_sched *sched) { (void)sched; }
cede_result cedei_executor_check(struct cedei_sched *sched, const char *call) {
    (void)sched, (void)call;
    return CEDE_OK;
}
uint64_t cedei_deadline_of_request(cede_system *system, struct cedei_return back) {
    (void)system, (void)back;
    return UINT64_MAX;
}
struct cede_type cede_type_cede_down = {.name = "cede_down", .size = 16};
struct cede_type cede_type_cede_exit = {.name = "cede_exit", .size = 16};

size_t cedei_message_weight(const struct cede_type *type, const void *message) {
    (void)message;
    return type->size;
}
struct cede_type cede_type_cede_drained = {.name = "cede_drained", .size = 16};

/* ---- the actor ---- */

static CEDE_YIELDS cede_result actor_dispatch(cede_self *self, const struct cede_type *type,
                                              void *state, void *message) {
    (void)state;
    MODEL_CLAIM(*(uint64_t *)message == handled + received + 1);
    handled++;
    if (type != &type_a) return CEDE_OK;
    void *more = NULL; /* an `a` makes it wait for a `b` in the middle of its turn */
    last_result = cedei_recv(self, &type_b, &more, recv_timeout_ns, "");
    if (last_result == CEDE_OK) {
        MODEL_CLAIM(*(uint64_t *)more == handled + received + 1);
        received++;
    }
    return CEDE_OK;
}

static const cede_behaviour behaviour = {
    .name = "model", .state_size = 1, .dispatch = actor_dispatch};

static void actor_main(void *context) {
    (void)context;
    for (;;) {
        model_wait(&token);
        MODEL_CLAIM(!is_suspended);
        (void)cedei_turn_run(&worker_of_test, &actor->task);
    }
}

static cede_ref actor_ref(void) { return (cede_ref){.node = 1, .slot = 0, .generation = 1}; }

static void message_send(uint32_t index) {
    (void)cedei_deliver_into(system_of_test, &worker_of_test, NULL, actor_ref(),
                             &messages[index].header, 0, 0);
}

static void state_begin(uint64_t timeout_ns) {
    if (system_of_test == NULL) {
        system_of_test = aligned_alloc(64, sizeof *system_of_test);
        actor = aligned_alloc(64, 2 * sizeof *actor);
        if (system_of_test == NULL || actor == NULL) abort();
        sender = actor + 1;
    }
    memset(system_of_test, 0, sizeof *system_of_test);
    memset(actor, 0, 2 * sizeof *actor);
    memset(&worker_of_test, 0,
           offsetof(struct cedei_worker, tallies) + sizeof worker_of_test.tallies[0]);
    memset(messages, 0, sizeof messages);
    system_of_test->uid = 1;
    system_of_test->slots = actor;
    system_of_test->slots_ready = 2;
    system_of_test->sched.first = &system_of_test->sched;
    system_of_test->sched.owner = system_of_test;
    system_of_test->sched.members[0] = &system_of_test->sched;
    system_of_test->sched.wheels = &wheel_of_test;
    for (int i = 0; i < 2; i++) cedei_gate_init(&system_of_test->sched.gates[i], 1);
    worker_of_test.sched = &system_of_test->sched;
    worker_of_test.home = CEDEI_HOME_NONE; /* every submit takes the long way, to the model */
    for (uint32_t i = 0; i < 2; i++) {
        struct cede_self *self = &actor[i];
        self->system = system_of_test;
        self->slot = i;
        self->behaviour = &behaviour;
        self->identity = (uint64_t)1 << 32;
        self->mailbox_max = 100;
        self->open_max = 100;
        self->bounded = true;
        self->deadline_ns = UINT64_MAX;
        extras[i] = (struct cedei_extra){.actor = self};
        extras[i].timer.fire = cedei_wait_timer_fire;
        self->extra = &extras[i];
        self->task.run = cedei_turn_run;
        self->worker = &worker_of_test;
        cedei_mailbox_init(&self->mailbox, CEDEI_MAILBOX_IDLE);
    }
    model_time_set((uint64_t)1 << 30);
    wheel_begin(&wheel_of_test, 0);
    for (uint32_t i = 0; i < MESSAGES; i++) {
        messages[i].header.type = i == 0 ? &type_a : &type_b;
        messages[i].number = i + 1;
    }
    token.count = commit_wanted.count = timer_is_set.count = job_is_queued.count = 0;
    handled = received = dropped = allocated = freed = 0;
    is_suspended = has_ended = was_killed = false;
    end_reason = CEDE_EFAILED;
    last_result = CEDE_EFAILED;
    recv_timeout_ns = timeout_ns;
    model_watch("an actor", actor, 2 * sizeof *actor);
    model_watch("a message", messages, sizeof messages);
    model_watch("a block", blocks, sizeof blocks);
    model_quiet(&worker_of_test.counts, sizeof worker_of_test.counts);
    model_quiet(&worker_of_test.tallies[0],
                sizeof worker_of_test.tallies[0]); /* no type has a number */
    for (uint32_t i = 0; i < 2; i++) {
        model_quiet(&actor[i].handled, sizeof actor[i].handled);
        model_quiet(&actor[i].waiting_peak, sizeof actor[i].waiting_peak);
    }
    model_thread_add(actor_main, NULL);
    model_thread_add(commit_main, NULL);
}

/* ---- signals, as signal_leave in life.c leaves them ---- */

static void signal_leave_as(uint32_t signal) {
    /* seq_cst: as there. */
    uint64_t identity = atomic_load_explicit(&actor->identity, memory_order_seq_cst);
    do {
        if (identity >> 32 != 1) return;
    } while (!atomic_compare_exchange_weak_explicit(&actor->identity, &identity, identity | signal,
                                                    memory_order_seq_cst, memory_order_seq_cst));
    uint64_t before = cedei_mailbox_signal(&actor->mailbox);
    if (before & (CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV))
        (void)cedei_receiver_wake(system_of_test, &worker_of_test, actor, before);
    else
        cedei_wait_interrupt(system_of_test, &worker_of_test, actor, 1, signal);
}

static inline void kill_once(void *context) {
    (void)context;
    signal_leave_as(CEDEI_SIGNAL_KILL);
}

static inline void stop_once(void *context) {
    (void)context;
    signal_leave_as(CEDEI_SIGNAL_STOP);
}

static inline void send_first(void *context) {
    (void)context;
    message_send(0);
}

/* ---- a wait that only its sequence or a kill ends (asks, jobs, sleeps) ---- */

static uint32_t wait_sequence, wakes;
static struct model_event wait_begun;

static CEDE_YIELDS cede_result wait_dispatch(cede_self *self, const struct cede_type *type,
                                             void *state, void *message) {
    (void)type, (void)state, (void)message;
    wait_sequence = cedei_wait_begin(self);
    model_signal(&wait_begun);
    model_signal(&wait_begun);
    cedei_wake_value value = cedei_wait_finish(self, wait_sequence, CEDE_FOREVER);
    last_result = (cede_result)(value >> 4);
    if (last_result == CEDE_EIO) received += (uint32_t)messages[2].number; /* as a reply's body */
    return CEDE_OK;
}
static const cede_behaviour waiter = {.name = "waiter", .state_size = 1, .dispatch = wait_dispatch};

static inline void wake_once(void *context) {
    (void)context;
    model_wait(&wait_begun);
    messages[2].number = 7;
    wakes += cedei_wait_wake(system_of_test, &worker_of_test, actor, wait_sequence,
                             cedei_wake_code(CEDE_EIO));
}

static inline void wait_begin_with(void (*third)(void *), void (*fourth)(void *)) {
    state_begin(CEDE_FOREVER);
    actor->behaviour = &waiter;
    wait_begun.count = wakes = 0;
    /* Its message is there already. */
    uint64_t before = 0;
    (void)cedei_mailbox_push(&actor->mailbox, (struct cedei_node *)(void *)&messages[0].header, 1,
                             100, 0, &before);
    token.count = 1;
    model_thread_add(third, NULL);
    if (fourth != NULL) model_thread_add(fourth, NULL);
}

#endif
