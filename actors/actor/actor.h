/* actor.h - an actor as the runtime sees it, and the system that it lives in.
 *
 * Rights: whoever clears IDLE or RECV in `mailbox`, or moves `wait` from PARKED to WOKEN, holds the actor's rights and
 * must submit its task; the task's run holds them then; they end when the run sets IDLE, RECV or PARKED again. All
 * fields marked A belong to the holder.
 *
 *   `wait`, low 2 bits | who may change it               | to
 *   NONE    0          | the actor, before it waits      | PENDING(sequence)
 *   PENDING 1          | any waker                       | WOKEN(value)
 *                      | the actor, on its next stack    | PARKED(sequence)
 *   PARKED  2          | any waker, who then submits it  | WOKEN(value)
 *   WOKEN   3          | the actor                       | NONE
 *
 * An actor's memory is never given back while the system lives: a late message or wake-up finds a slot that is free or
 * has another tenant, which `target_generation` and `sequence` show, and is refused or becomes a dead letter. */
#ifndef CEDEI_ACTOR_ACTOR_H
#define CEDEI_ACTOR_ACTOR_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cede/actor.h>
#include <cede/executor.h>
#include <cede/job.h>
#include <cede/system.h>
#include <cede/timer.h>

#include "actors/actor/extra.h"
#include "actors/actor/remote.h"
#include "actors/actor/room.h"
#include "actors/message/header.h"
#include "core/base/base.h"
#include "core/sched/sched.h"
#include "core/sync/mailbox.h"
#include "core/sys/clock.h"

enum { CEDEI_WAIT_NONE = 0, CEDEI_WAIT_PENDING = 1, CEDEI_WAIT_PARKED = 2, CEDEI_WAIT_WOKEN = 3 };
/* FREE: the slot has no tenant. LINKED: beside KILL, when a link did it. ROOM: there is something in the lane or the tray of its
 * room. MUTED: before its next turn the actor waits for room in the mailbox that it filled. */
enum {
    CEDEI_SIGNAL_STOP = 1,
    CEDEI_SIGNAL_KILL = 2,
    CEDEI_SIGNAL_FREE = 4,
    CEDEI_SIGNAL_LINKED = 8,
    CEDEI_SIGNAL_ROOM = 16,
    CEDEI_SIGNAL_MUTED = 32
};
enum { CEDEI_SIGNAL_END = CEDEI_SIGNAL_STOP | CEDEI_SIGNAL_KILL };

struct cedei_watch; /* watch.c: somebody who is to know when the actor ends */

/* A state of so many bytes is in the slot itself. Not under AddressSanitizer, so that it sees what runs over. */
enum { CEDEI_STATE_INLINE = CEDEI_ASAN ? 0 : 16 };

/* Four cache lines. An actor at rest is this and the state, if that does not fit in.
 * Access: I = set at spawn; A = holder of the actor's rights; P = any thread, atomic; L = under the system's `watch_lock`;
 *         Q = whoever holds the task's place in a queue. */
struct cede_self {
    /* written by senders, wakers and whoever queues the task */
    alignas(CEDEI_CACHE_LINE) struct cedei_mailbox mailbox; /* P; its `seen`: A */
    _Atomic uint64_t wait;                                  /* P: see above */
    struct cedei_task task;                                 /* Q */
    _Atomic int32_t
        backlog; /* A writes: messages taken and not yet handled; -1: one is handled inside `mailbox` */
    _Atomic uint32_t
        asked; /* P: slot of the actor for which a pending wait is, plus 1, with CEDEI_ASKED_ROOM; 0: none */
    _Atomic(const struct cede_type *) expected_type; /* P: of the reply that a pending ask wants */

    /* read by everybody, hardly ever written: stays in every processor's cache */
    alignas(CEDEI_CACHE_LINE) _Atomic uint64_t
        identity;               /* P: generation of the present or next tenant << 32 |
                                                            its CEDEI_SIGNAL_* */
    struct cede_system *system; /* I, for the system's life */
    /* of a tenant; senders to a former one may read them while they change: CEDEI_READ_LATE */
    const cede_behaviour *behaviour; /* I */
    int32_t open_max; /* I: to how many messages the short ways may fill the mailbox; INT32_MAX: it has no bound; INT32_MIN:
                         they may not put in any */
    uint32_t slot;    /* I, for the system's life */
    uint16_t mailbox_max; /* I: messages; 0: no bound */
    uint8_t when_full;    /* I: enum cede_when_full */
    _Atomic bool
        room_wanted; /* P: may be left set when nobody waits in `room`, never clear when somebody does */
    bool bounded;         /* I: `backlog` is kept, since there is a bound */
    bool watches_signals; /* A: some cede_signal_watch has to be taken back */
    _Atomic bool watched; /* P: may be left set when `watches` is empty, never clear when it is not */
    _Atomic uint8_t executor;          /* P: number of the tenant's; 0: the first, or no tenant */
    struct cedei_watch *watches;       /* L */
    _Atomic(struct cedei_room *) room; /* P: NULL until it is needed; then for the system's life */
    struct cedei_extra *extra;         /* A: NULL until it is needed; then for the system's life */

    /* the running actor's own */
    alignas(CEDEI_CACHE_LINE) struct cedei_worker *worker; /* A: that runs it now */
    union {
        void *state;                 /* A */
        struct cede_self *free_next; /* without a tenant: in a list of free slots */
    };
    struct cedei_msg *pending, *pending_last; /* A: taken from the mailbox, oldest first */
    struct cedei_msg *current;                /* A: that the turn handles, while it owns it */
    struct cedei_msg *turn_list;              /* A: further messages that the turn owns */
    struct cedei_stack *lease;                /* A: while suspended */
    const struct cede_type *turn_type; /* A: of the message that the turn began with, for reports */
    struct cedei_msg *kept_list;       /* A: messages in the state */
    _Atomic uint64_t handled;       /* A writes: messages of the tenant, by turns and otherwise */
    uint32_t pending_count;         /* A */
    uint32_t sequence;              /* A: of the last wait; never reset */
    _Atomic uint32_t recv_sequence; /* P: the wait that a push during RECV ends */
    _Atomic uint32_t deadline_sequence; /* P: the wait that `deadline_ns` ends */
    _Atomic uint64_t deadline_ns;       /* P: UINT64_MAX: none */
    bool recv_wait;                     /* A: suspended by cede_recv: rests with RECV */
    bool holds_requests; /* A: `turn_list` may hold requests, received by cede_recv; never false when it does */
    _Atomic bool stoppable;   /* A writes: cede_stop ends the present wait */
    _Atomic bool traps_exits; /* A writes, under `watch_lock` */
    uint8_t look_left;        /* A: turns before one that is timed, see turn.c */
    uint8_t turn_us; /* A: how long the last one that was timed took, as far as it is counted */
    _Atomic uint16_t
        waiting_peak; /* A writes: the most messages of the tenant that waited when it looked */
    alignas(16) unsigned char state_inline[16]; /* A */
#if CEDEI_CHECKS
    alignas(CEDEI_CACHE_LINE) _Atomic uint64_t mail_came; /* P: of all tenants; see audit.c */
    _Atomic uint64_t mail_left;                           /* P */
#endif
};
_Static_assert(sizeof(struct cede_self) == (CEDEI_CHECKS ? 5 : 4) * CEDEI_CACHE_LINE,
               "what an idle actor costs");

enum { CEDEI_TABLE_CHUNK = 1024, CEDEI_SLOTS_CACHED_MAX = 64 };

/* A worker's own few free slots, so that most spawns and ends need no lock. Access: the worker only. */
struct cedei_slot_cache {
    alignas(CEDEI_CACHE_LINE) struct cede_self *first;
    uint32_t count;
};

/* Access: I = set at creation; P = any thread, atomic; L = under the lock beside it. */
struct cede_system {
    struct cedei_sched sched;
    alignas(CEDEI_CACHE_LINE) uint64_t uid; /* I: random, not 0 */
    uint64_t fast_uid; /* I: `uid`, or in strict mode a secret number, so that no ref takes a short way */
    bool strict;       /* I */
    cede_dead_letter_fn *dead_letter;                        /* I: NULL: nobody looks at them */
    void *dead_letter_context;                               /* I */
    _Atomic uint64_t dead_letters[CEDE_DEAD_LETTER_REASONS]; /* P: by reason */
    _Atomic uint64_t dead_letter_logged_ns; /* P: when the last one was; 0: never */
    _Atomic uint64_t cycles_logged_ns,
        cycles_logged;            /* P: since when, and how many were found since */
    struct cede_self *slots;      /* I: address space for `slots_max`, lazily touched */
    uint32_t slots_max;           /* I */
    uint32_t slots_cached_max;    /* I: per worker; even; 0: the table is too small for that */
    _Atomic uint32_t slots_ready; /* P: those below it are initialised */
    struct cedei_log log;         /* I */
    struct cedei_births *births;  /* I: see births.h; NULL: no checking build, or no memory */
    bool watches_signals; /* under the lock of signal.c: some actor has or had a cede_signal_watch */
    _Atomic uint32_t closing;  /* P: 1: no spawns */
    _Atomic uint32_t draining; /* P: 1: takes no new work from outside: a shutdown has begun */
    _Atomic(const struct cedei_remote_ops *) remote_ops; /* P: NULL: no node layer */
    void *remote_context;                                /* published by remote_ops */
    alignas(CEDEI_CACHE_LINE) cedei_mutex table_lock;
    struct cede_self *free_first; /* L table_lock: free slots */
    uint32_t slots_used;          /* L table_lock: slots ever handed out */
    cedei_mutex watch_lock;
    cedei_mutex strict_lock;
    cedei_mutex inbox_lock;
    cedei_mutex local_lock;
    struct cedei_local *locals;        /* L local_lock writes: newest first; see local.c */
    struct cedei_root *roots;          /* L local_lock: newest first */
    struct cede_inbox *inboxes;        /* L inbox_lock: open ones */
    struct cedei_msg *quarantine[256]; /* L strict_lock: poisoned blocks, oldest at quarantine_next */
    uint32_t quarantine_next;          /* L strict_lock */
    cede_cancel
        cancels[CEDEI_EXECUTORS_MAX]; /* by an executor's number: above its jobs' tokens; the first is above all */
    cedei_mutex executor_lock;
    struct cede_executor *retired; /* L executor_lock: destroyed ones, whose memory goes with the system */
    struct cedei_counts past_counts; /* L executor_lock: of destroyed executors */
    struct cedei_slot_cache slot_caches[CEDEI_WORKERS_MAX]; /* by the index of a worker of `sched` */
};

/* The public name of an executor; the first is the system's own. */
struct cede_executor {
    struct cedei_sched sched;
    struct cede_executor *retired_next; /* not in the first */
};

/* ---- shutdown.c ---- */
static inline bool cedei_is_draining(cede_system *system) {
    /* relaxed: what comes a moment late is ended with the rest. */
    return CEDEI_UNLIKELY(atomic_load_explicit(&system->draining, memory_order_relaxed) != 0);
}

/* ---- system.c ---- */
/* cede_system_destroy; `*last` (may be NULL): the counts when everything has been dropped. */
void cedei_system_destroy(cede_system *system, struct cede_metrics *last);

/* ---- table.c: refs and slots ---- */
cede_result cedei_table_init(cede_system *system, uint32_t actors_max);
void cedei_table_fini(cede_system *system);
/* A free slot with the actor's rights held; NULL with `*why`. `worker`: the calling thread's, or NULL. */
struct cede_self *cedei_table_take(cede_system *system, struct cedei_worker *worker,
                                   cede_result *why);
/* The rights must have been given up by cedei_turn_rest already. */
void cedei_table_give(cede_system *system, struct cedei_worker *worker, struct cede_self *actor);

/* The slot, whoever lives there; NULL if it was never used. */
static inline struct cede_self *cedei_table_slot(cede_system *system, uint32_t slot) {
    /* acquire: pairs with the release in slots_add. */
    uint32_t ready = atomic_load_explicit(&system->slots_ready, memory_order_acquire);
    if (CEDEI_UNLIKELY(slot >= ready)) return NULL;
    struct cede_self *actor = &system->slots[slot];
    CEDEI_ASSUME(actor != NULL);
    return actor;
}

static inline uint32_t cedei_generation_of(struct cede_self *actor) {
    /* relaxed: a stale answer is found out when the message is taken from the mailbox. */
    return (uint32_t)(atomic_load_explicit(&actor->identity, memory_order_relaxed) >> 32);
}

/* The actor that `ref` names if it lives here and now; a moment later it may have ended. */
static inline struct cede_self *cedei_table_find(cede_system *system, cede_ref ref) {
    struct cede_self *actor = cedei_table_slot(system, ref.slot);
    if (CEDEI_UNLIKELY(actor == NULL)) return NULL;
    return CEDEI_LIKELY(cedei_generation_of(actor) == ref.generation) ? actor : NULL;
}

static inline cede_ref cedei_ref_of(struct cede_self *actor) {
    return (cede_ref){
        .node = actor->system->uid, .slot = actor->slot, .generation = cedei_generation_of(actor)};
}

/* ---- msg.c: messages and their owners ---- */
/* Whoever touches messages: an actor in its turn, or a thread that is no worker (both NULL). */
/* `here`: for the report of one that is lost. */
struct cedei_msg *cedei_msg_take_at(cede_system *system, struct cedei_worker *worker,
                                    struct cede_type *type, const char *here);
#define cedei_msg_take(system, worker, type)                                                       \
    cedei_msg_take_at((system), (worker), (type), CEDEI_HERE)
void cedei_msg_release(cede_system *system, struct cedei_worker *worker, struct cedei_msg *msg);
/* The long way of cedei_msg_disown. */
struct cedei_msg *cedei_msg_disown_slow(cede_self *self, void **body, const char *call,
                                        const char *here, cede_result *why);
/* Whether `msg` is of this type and the turn's or the actor's, with a report of misuse if it is not. */
bool cedei_msg_is_own(cede_self *self, struct cedei_msg *msg, const struct cede_type *type,
                      const char *call);
/* Undoes cedei_msg_disown. */
void cedei_msg_reown(cede_self *self, struct cedei_msg *msg, void **body, bool was_kept);
static inline bool cedei_msg_is_kept(const struct cedei_msg *msg) {
    return cedei_msg_state(msg) == CEDEI_MSG_KEPT;
}
CEDEI_INLINE void cedei_msg_link(struct cedei_msg **list, struct cedei_msg *msg) {
    msg->next = *list;
    msg->link.back = list;
    if (CEDEI_UNLIKELY(msg->next != NULL)) msg->next->link.back = &msg->next;
    *list = msg;
}
static inline void cedei_msg_unlink(struct cedei_msg *msg) {
    *msg->link.back = msg->next;
    if (msg->next != NULL) msg->next->link.back = msg->link.back;
}
void cedei_msg_own_by_turn(cede_self *self, struct cedei_msg *msg);
/* Strict mode: the message at a new address, the old one poisoned with the place of the call. */
struct cedei_msg *cedei_msg_relocate(cede_self *self, struct cedei_msg *msg, const char *here);
/* The same with the actor that gets it, for the report of a late use. */
struct cedei_msg *cedei_msg_relocate_to(cede_self *self, struct cedei_msg *msg, cede_ref to,
                                        const char *here);
/* Drops the message that the handler was called with, if the turn still has it. */
void cedei_msg_drop_current(cede_self *self);
/* Drops one that nobody has in a list; a request is answered with CEDE_ENOREPLY. */
void cedei_msg_drop_one(cede_system *system, struct cedei_worker *worker, struct cedei_msg *msg);
/* Drops everything the turn (or with `kept` also the actor) owns; counts what a turn forgot. */
void cedei_msg_drop_turn(cede_self *self);
void cedei_msg_drop_all(cede_self *self);
/* A message that will not be handled: a request is answered with `reason`, then dropped and counted. */
void cedei_msg_dead_letter(cede_system *system, struct cedei_worker *worker, struct cedei_msg *msg,
                           cede_result reason);
/* The same of one that came out of `receiver`'s mailbox, with what its header says there. */
void cedei_msg_dead_letter_of(struct cede_self *receiver, struct cedei_worker *worker,
                              struct cedei_msg *msg, cede_result reason);
void cedei_quarantine_fini(cede_system *system);

/* ---- letter.c ---- */
/* Counts the dead letter by its reason, and shows it to the program and, now and then, in the log. `receiver` NULL: unknown. */
void cedei_dead_letter_tell(cede_system *system, struct cede_self *receiver, struct cedei_msg *msg,
                            cede_result reason);

/* ---- extra.c ---- */
/* Made at the first need; NULL when memory is short. */
static inline struct cedei_extra *cedei_extra_of(cede_self *self) {
    return CEDEI_LIKELY(self->extra != NULL) ? self->extra : cedei_extra_make(self);
}

/* ---- ask.c ---- */
/* A wait for a reply, begun, and until when it goes, as was announced. */
struct cedei_ask_wait {
    uint32_t sequence;
    uint64_t deadline_ns;
};
/* Sends a request of the turn `self` whose reply ends the wait of `asker`, which is of the caller alone so far. */
cede_result cedei_ask_begin_for(cede_self *self, cede_self *asker, cede_ref to, void **request,
                                struct cede_type *reply_type, uint64_t timeout_ns, const char *here,
                                struct cedei_ask_wait *out);
/* The second half of a cede_ask that `self` has begun for itself. A wake-up with CEDE_OK and no reply calls it off: CEDE_ECANCELED. */
CEDE_YIELDS cede_result cedei_ask_finish(cede_self *self, const struct cedei_ask_wait *wait,
                                         void **reply);

/* ---- pending.c ---- */
/* Gives up the asks that an actor has started and that it has not awaited. */
void cedei_pendings_drop(cede_self *self);

/* ---- defer.c ---- */
/* Runs the cleanups of the turn; `extra` is there. `top`: on this stack, what lies below it was of functions that have returned. */
void cedei_cleanups_run(cede_self *self, uintptr_t top);
static inline bool cedei_has_cleanups(const cede_self *self) {
    return self->extra != NULL && self->extra->cleanups != NULL;
}

/* ---- send.c ---- */
/* Answers `back` with `msg` (taken on CEDE_OK) or with `code`. */
cede_result cedei_answer(cede_system *system, struct cedei_worker *worker, struct cedei_return back,
                         struct cedei_msg *msg, cede_result code);
static inline bool cedei_room_is_wanted(cede_self *receiver) {
    /* relaxed: a hint; who lists himself leaves SIGNAL afterwards, so the receiver looks once more before it rests. */
    return CEDEI_UNLIKELY(atomic_load_explicit(&receiver->room_wanted, memory_order_relaxed));
}
const struct cedei_remote_ops *cedei_remote_ops_of(cede_system *system);

/* ---- room.c ---- */
/* Bound on the weighed messages in the mailbox, in units of 64 bytes; UINT64_MAX: none. */
static inline uint64_t cedei_weight_max_of(const struct cede_self *actor) {
    uint64_t bytes = CEDEI_READ_LATE(actor->behaviour)->mailbox_bytes_max;
    if (bytes == 0)
        bytes = CEDEI_READ_LATE(actor->mailbox_max) != 0 ? CEDE_MAILBOX_BYTES_DEFAULT
                                                         : CEDE_MAILBOX_BYTES_UNBOUNDED;
    return bytes == CEDE_MAILBOX_BYTES_UNBOUNDED ? UINT64_MAX : (bytes + 63) / 64;
}
/* NULL: nothing has needed it yet. */
static inline struct cedei_room *cedei_room_find(struct cede_self *actor) {
    /* acquire: pairs with the exchange in cedei_room_make; publishes the lock. */
    return atomic_load_explicit(&actor->room, memory_order_acquire);
}
/* The room, made if there is none yet; NULL: no memory. */
static inline struct cedei_room *cedei_room_of(cede_system *system, struct cedei_worker *worker,
                                               struct cede_self *actor) {
    struct cedei_room *room = cedei_room_find(actor);
    return CEDEI_LIKELY(room != NULL) ? room : cedei_room_make(system, worker, actor);
}

/* ---- wait.c: suspending and waking ---- */
/* A result code shifted left by 4, or a message (16-byte aligned). */
typedef uint64_t cedei_wake_value;
static inline cedei_wake_value cedei_wake_code(cede_result code) { return (uint64_t)code << 4; }
/* Its sequence number. */
static inline uint32_t cedei_wait_begin(cede_self *self) {
    uint32_t sequence = self->sequence + 1;
    if (CEDEI_UNLIKELY(sequence == 0)) sequence = 1;
    self->sequence = sequence;
    /* release: pairs with the load in hop_read of cycle.c, which then sees no `asked` of an earlier wait. */
    atomic_store_explicit(&self->wait, (uint64_t)sequence << 2 | CEDEI_WAIT_PENDING,
                          memory_order_release);
    return sequence;
}
/* Takes the wait back if nobody woke it yet; false: its value must be fetched by cedei_wait_finish. */
bool cedei_wait_withdraw(cede_self *self, uint32_t sequence);
CEDE_YIELDS cedei_wake_value cedei_wait_finish(cede_self *self, uint32_t sequence,
                                               uint64_t timeout_ns);
/* Wakes the suspended tenant `generation` of the slot, which got `signal`: a kill ends any wait, a stop one that is
 * stoppable. The next tenant is left alone. */
void cedei_wait_interrupt(cede_system *system, struct cedei_worker *worker, struct cede_self *actor,
                          uint32_t generation, uint32_t signal);
void cedei_wait_timer_fire(struct cedei_timer *timer, void *worker);
/* On the exact clock, although it costs 18 ns: how far a coarse one lags behind has no bound on a virtual machine, and
 * nothing may time out early. UINT64_MAX: never. */
static inline uint64_t cedei_deadline_of(uint64_t timeout_ns) {
    if (timeout_ns == CEDE_FOREVER) return UINT64_MAX;
    uint64_t deadline_ns = 0;
    if (__builtin_add_overflow(cedei_clock_now_ns(), timeout_ns, &deadline_ns)) return UINT64_MAX;
    return deadline_ns;
}

/* ---- deadline.c: until when askers wait ---- */
/* UINT64_MAX: for ever, or nobody; 0: no longer. */
uint64_t cedei_deadline_of_request(cede_system *system, struct cedei_return back);
/* The earliest of the requests that the turn holds; `limited`: of those that were asked with a limit. */
uint64_t cedei_deadline_of_turn(cede_self *self, bool limited);
/* Whether it was asked with a limit; which may have passed. */
static inline bool cedei_request_has_deadline(cede_system *system, const struct cedei_msg *msg) {
    const struct cedei_return *back = &msg->reply;
    if (back->sequence == 0) return false;
    if (CEDEI_UNLIKELY(back->peer != 0)) return back->generation != 0;
    /* relaxed: stored before the request was sent, which we have received; a sequence is never used again. */
    return atomic_load_explicit(&system->slots[back->slot].deadline_sequence,
                                memory_order_relaxed) == back->sequence;
}
/* The same of the message that the turn handles, whose tag says it even when the asker has gone on to another wait. */
static inline bool cedei_current_has_deadline(cede_self *self) {
    const struct cedei_msg *msg = self->current;
    return msg->reply.sequence != 0 && ((cedei_msg_tag(msg) & CEDEI_TAG_DEADLINE) != 0 ||
                                        cedei_request_has_deadline(self->system, msg));
}
/* False: the turn holds no request with a deadline. */
static inline bool cedei_turn_may_inherit(cede_self *self) {
    return (self->current != NULL && cedei_current_has_deadline(self)) ||
           CEDEI_UNLIKELY(self->holds_requests);
}
/* Before it is handled: a request that nobody waits for any more becomes a dead letter (true). */
bool cedei_request_expire(cede_self *self, struct cedei_msg *msg);

/* ---- later.c ---- */
/* Sends messages whose time has come; `system`, `worker`: see cedei_post_fn. */
void cedei_later_fire(void *system, const struct cedei_cargo *cargo, uint32_t count, void *worker);
/* At the end, without threads: what still waits becomes dead letters. */
void cedei_later_discard(cede_system *system);

/* ---- turn.c ---- */
struct cedei_worker *cedei_turn_run(struct cedei_worker *worker, struct cedei_task *task);
/* The same, and nothing but this actor: for a stack that is not the loop's. */
struct cedei_worker *cedei_turn_run_alone(struct cedei_worker *worker, struct cedei_task *task);
/* sized.c: the same for actors whose behaviour has a `stack_size`. */
struct cedei_worker *cedei_turn_run_sized(struct cedei_worker *worker, struct cedei_task *task);
/* Moves new messages behind `pending`, and clears SIGNAL; else lets senders on that wait for room. False: none of that
 * was there. */
bool cedei_turn_fetch(cede_self *self);
/* The first half of it, leaving `backlog` as it is: false: neither messages nor SIGNAL. */
bool cedei_turn_gather(cede_self *self);
void cedei_pending_append(cede_self *self, struct cedei_msg *oldest, struct cedei_msg *newest,
                          uint32_t count);
/* Tells senders how many wait outside of the mailbox word. */
void cedei_backlog_publish(cede_self *self);
/* Whether the message was sent to this tenant of the slot and not to one before. */
static inline bool cedei_turn_is_for(cede_self *self, const struct cedei_msg *msg) {
    return (cedei_msg_tag(msg) & CEDEI_GENERATION_MAX) == cedei_generation_of(self);
}
/* Takes the oldest message of `type` (NULL: of any) out of `pending`. */
struct cedei_msg *cedei_pending_take(cede_self *self, const struct cede_type *type);
/* Has a handler of `behaviour` run for a message that was accepted, outside of a turn; drops what it leaves of it. */
CEDE_YIELDS cede_result cedei_turn_handle_for(cede_self *self, const cede_behaviour *behaviour,
                                              void *state, struct cedei_msg *msg);
/* The end of an actor whose rights are held: its life, its mailbox, its slot. */
void cedei_turn_end(cede_self *self, cede_result reason);
/* Out of the mailbox: counted as handled, and its link is told that there is room again. False: it was a request that nobody
 * waits for any more, and is gone. */
bool cedei_turn_accept(cede_self *self, struct cedei_msg *msg);
/* See cedei_lease_fn. */
struct cedei_stack *cedei_turn_lease_take(struct cedei_worker *worker, struct cedei_task *task);
void cedei_turn_describe(struct cedei_task *task, char *out, size_t size);

/* ---- life.c ---- */
struct cedei_ties {
    struct cedei_watch *monitor, *link; /* NULL: not that */
};
/* Everything but the mailbox: state, messages, watchers. The slot has no tenant afterwards. */
void cedei_life_end(cede_self *self, cede_result reason);
/* A new actor on `sched` whose rights are held and that nobody knows yet; NULL with `*why`. `limits`: what its mailbox takes, mostly
 * `behaviour` itself; need not last. */
struct cede_self *cedei_life_begin(cede_system *system, struct cedei_sched *sched,
                                   struct cedei_worker *worker, const cede_behaviour *behaviour,
                                   const cede_behaviour *limits, cede_result *why);
/* Ends the tenant that `ref` names, which lives here, as cede_kill does. */
cede_result cedei_life_kill(cede_system *system, struct cedei_worker *worker, cede_ref ref);
/* On `sched`. Takes `first` and `ties`, either of which may be NULL, on CEDE_OK. */
cede_result cedei_life_spawn(cede_system *system, struct cedei_sched *sched,
                             struct cedei_worker *worker, const cede_behaviour *behaviour,
                             struct cedei_msg *first, struct cedei_ties *ties, cede_ref *out);
/* cede_stop on behalf of `from`, which may be nobody. */
cede_result cedei_life_stop(cede_system *system, struct cedei_worker *worker, cede_ref ref,
                            cede_ref from);
/* Ends the tenant that `ref` names with CEDE_ELINKED, if it is there. */
void cedei_life_link_end(cede_system *system, struct cedei_worker *worker, cede_ref ref);

/* ---- watch.c: monitors and links ---- */
/* CEDEI_MONITORED, CEDEI_LINKED (`ties`) of `self` with an actor that is yet to be spawned, made beforehand. */
cede_result cedei_ties_make(cede_self *self, unsigned ties, struct cedei_ties *out);
void cedei_ties_discard(cede_self *self, struct cedei_ties *made);
/* Nobody knows `actor` yet. */
void cedei_ties_fasten(struct cede_self *actor, struct cedei_ties *made);
/* In cedei_life_end: where it failed, before its messages are dropped; and, when the generation has changed, the news. */
enum { CEDEI_PLACE_SIZE = 256 };
struct cedei_obituary {
    cede_ref actor;
    cede_result reason;
    char place[CEDEI_PLACE_SIZE];
};
void cedei_obituary_write(cede_self *self, struct cedei_obituary *obituary);
void cedei_watchers_tell(cede_self *self, const struct cedei_obituary *obituary);
/* cede_waiting of whoever lives in the slot. */
uint32_t cedei_waiting_of(struct cede_self *actor);
/* What cede_fail said for this reason, or NULL. */
const char *cedei_failure_of(cede_self *self, cede_result reason);

/* ---- local.c: what systems have one of ---- */
/* At the end, when all actors have ended. */
void cedei_locals_end(cede_system *system);
/* Takes the newest root that is still there off the list; nobody when there is none left. */
cede_ref cedei_root_take(cede_system *system);

/* ---- job.c ---- */
/* The function of a job that runs, for a report. */
const void *cedei_job_function(struct cedei_task *task);
struct cedei_worker *cedei_job_run(struct cedei_worker *worker, struct cedei_task *task);
/* A task that was left in a queue when its executor stopped: if it is a job, it ends with CEDE_ECLOSED. */
void cedei_job_abandon(struct cedei_task *task);
/* CEDE_OK: `*job` is the actor's, and its message is of `type`; as in cede_job_await. */
cede_result cedei_job_check(cede_self *self, struct cede_job **job, struct cede_type *type,
                            void **message);
/* Has the end of the job end the wait `sequence` (0: no wait). False: it has ended. */
bool cedei_job_end_wakes(struct cede_job *job, uint32_t sequence);
/* Gives up all jobs of an actor that ends. */
void cedei_jobs_drop(cede_self *self);

/* ---- executor.c ---- */
/* CEDE_ECLOSED, with a line in the log, when `sched` takes nothing new. */
cede_result cedei_executor_check(struct cedei_sched *sched, const char *call);
/* Something has ended on `sched`: whoever closes it looks again. */
void cedei_executor_depart(struct cedei_sched *sched);
/* Of the system's further executors: ends their threads; then, when nothing of them is used any more, frees them. */
void cedei_executors_stop(cede_system *system);
void cedei_executors_free(cede_system *system);
/* Writes to the log what still runs; `sched` as a void pointer, for cedei_sched_stop. */
void cedei_executor_still(void *sched, unsigned seconds);
static inline cede_executor *cedei_executor_of(struct cedei_sched *sched) {
    return (cede_executor *)(void *)sched;
}

/* The reason of one that is to end by these signals. */
static inline cede_result cedei_signals_reason(uint32_t signals) {
    if ((signals & CEDEI_SIGNAL_KILL) == 0) return CEDE_OK;
    return signals & CEDEI_SIGNAL_LINKED ? CEDE_ELINKED : CEDE_EKILLED;
}

static inline uint32_t cedei_signals_of(struct cede_self *actor) {
    /* seq_cst: an actor that has just parked looks here, a killer that has just signalled looks at `wait`: one of both
     * sees the other. */
    return (uint32_t)atomic_load_explicit(&actor->identity, memory_order_seq_cst);
}

/* ---- the short ways of what every message passes through ---- */

/* Misuse that has no result code: on in builds with CEDEI_CHECKS. */
void cedei_self_check_failed(cede_self *self, const char *call, const char *here);
static inline void cedei_self_check(cede_self *self, const char *call, const char *here) {
#if CEDEI_CHECKS
    struct cedei_worker *worker = cedei_worker_current();
    if (worker == NULL || worker->running != &self->task) cedei_self_check_failed(self, call, here);
#else
    (void)self, (void)call, (void)here;
#endif
}

/* The message behind `*body` if `self` owns it, unlinked from its owner's list; NULL with `*why` otherwise. */
static inline struct cedei_msg *cedei_msg_disown(cede_self *self, void **body, const char *call,
                                                 const char *here, cede_result *why) {
    if (CEDEI_LIKELY(!CEDEI_CHECKS && self != NULL && body != NULL && *body != NULL)) {
        struct cedei_msg *msg = cedei_msg_of(*body);
        if (CEDEI_LIKELY(msg == self->current)) {
            self->current = NULL;
            return msg;
        }
        if (CEDEI_LIKELY(msg->owner == ((uintptr_t)self | (uintptr_t)CEDEI_MSG_TURN))) {
            cedei_msg_unlink(msg);
            return msg;
        }
    }
    return cedei_msg_disown_slow(self, body, call, here, why);
}

/* Ends the wait `sequence` of `actor` with `value`; false: it has ended already. */
CEDEI_INLINE bool cedei_wait_wake(cede_system *system, struct cedei_worker *worker,
                                  struct cede_self *actor, uint32_t sequence,
                                  cedei_wake_value value) {
    uint64_t pending = (uint64_t)sequence << 2 | CEDEI_WAIT_PENDING;
    uint64_t parked = (uint64_t)sequence << 2 | CEDEI_WAIT_PARKED;
    /* relaxed: a first guess for the exchange. */
    uint64_t word = atomic_load_explicit(&actor->wait, memory_order_relaxed);
    while (word == pending || word == parked) { /* at most: pending, parked, done */
        /* acq_rel: pairs with the parking (takes over the actor's state) and with its fetch of the value, a message. */
        if (!atomic_compare_exchange_weak_explicit(&actor->wait, &word, value | CEDEI_WAIT_WOKEN,
                                                   memory_order_acq_rel, memory_order_relaxed))
            continue;
        if (word == parked) (void)cedei_sched_submit(&system->sched, worker, &actor->task);
        return true;
    }
    return false;
}

#endif
