/* actor.h - actors, the messages between them, and what a turn may do.
 *
 * An actor is a state struct, a table of handlers and a mailbox. A handler runs as a turn: nobody else touches the
 * state meanwhile. A message has one owner at any time; a call that takes it takes the address of the pointer and sets
 * it to NULL on success. The `cede_self *` that a handler is given is the right to act as this actor during this turn,
 * on whichever thread the turn runs; it must not be stored or used by anybody else. A call without one (NULL) gives
 * CEDE_ECONTEXT, or nothing. */
#ifndef CEDE_ACTOR_H
#define CEDE_ACTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/annotate.h>
#include <cede/message.h>
#include <cede/ref.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// The running actor, seen from its own turn.
typedef struct cede_self cede_self;

/// Hands a message to the handler of its type. Made by CEDE_BEHAVIOUR.
typedef CEDE_YIELDS cede_result cede_dispatch_fn(cede_self *self CEDE_BORROWED,
                                                 const struct cede_type *type CEDE_BORROWED,
                                                 void *state CEDE_BORROWED,
                                                 void *message CEDE_BORROWED);

/// Where an actor's turns run.
enum cede_kind {
    CEDE_ASYNC = 0, /* on a worker; a turn should take less than 100 us between two yields */
    CEDE_BLOCKING   /* on a thread of the blocking pool; a turn may block */
};

/// No bound on the count of messages in a mailbox (`.mailbox_max`).
#define CEDE_MAILBOX_UNBOUNDED UINT32_MAX
/// The bound that `.mailbox_max = 0` stands for.
#define CEDE_MAILBOX_DEFAULT 16384u

/// No bound on the bytes of the messages in a mailbox (`.mailbox_bytes_max`).
#define CEDE_MAILBOX_BYTES_UNBOUNDED UINT64_MAX
/// The bound that `.mailbox_bytes_max = 0` stands for.
#define CEDE_MAILBOX_BYTES_DEFAULT ((uint64_t)64 << 20)
/// How many control messages (CEDE_CONTROL_MESSAGE) may wait for one actor, beside its bound.
#define CEDE_CONTROL_MAX 1024u

/// What becomes of a message that finds its receiver's mailbox full (`.when_full`). docs/OVERLOAD.md says when to use which.
/// A message that is given up is a dead letter with reason CEDE_EFULL; if it is a request, its asker gets CEDE_EFULL.
enum cede_when_full {
    CEDE_FULL_REFUSE =
        0, /* cede_send gives CEDE_EFULL, and the message is still the sender's; cede_send_wait waits */
    CEDE_FULL_SUSPEND, /* it is taken, and the sender's next turn (or cede_recv) begins when there is room again; what else the
                          sender sends to full mailboxes in this turn is refused. At twice the bound all are refused */
    CEDE_FULL_DROP_NEWEST, /* it is given up; the sender is not told */
    CEDE_FULL_DROP_OLDEST, /* the oldest that wait are given up; the sender is not told */
    CEDE_FULL_KEEP_LATEST /* full or not: of each type one waits at most, and a newer one takes its place in the line */
};

/// What all actors of one sort have in common; constant, usually at file scope. Made by CEDE_BEHAVIOUR.
typedef struct cede_behaviour {
    const char *name;
    size_t state_size;   /* bytes; the state starts zeroed */
    enum cede_kind kind; /* default CEDE_ASYNC */
    size_t stack_size; /* bytes for its turns, a power of two from 16 KiB to 8 MiB; 0: the system's. Costs two switches for
                          each activation; for the few actors that need much, or many that wait on little */
    uint32_t mailbox_max; /* messages; at most 65535 or CEDE_MAILBOX_UNBOUNDED; 0: CEDE_MAILBOX_DEFAULT */
    uint64_t mailbox_bytes_max; /* bytes, of messages with what they own, at most 2^37; one message more than that fits is taken by
                                   an empty mailbox. CEDE_MAILBOX_BYTES_UNBOUNDED; 0: CEDE_MAILBOX_BYTES_DEFAULT, or none if
                                   mailbox_max is CEDE_MAILBOX_UNBOUNDED; then only messages that own memory or whose struct has
                                   1024 bytes or more are counted, and not one that finds the actor at rest */
    enum cede_when_full when_full; /* default CEDE_FULL_REFUSE */
    void (*fini)(
        void *state); /* closes what the state holds that is no message; may be NULL; must not yield */
    cede_dispatch_fn *dispatch;
} cede_behaviour;

/// Defines `const cede_behaviour name`: actors whose state is `state_type` and whose handlers are LIST. Example:
///
///     static cede_result on_deposit(cede_self *self, struct account *state, struct deposit *message);
///     #define ACCOUNT(ON) ON(deposit, on_deposit) ON(withdraw, on_withdraw)
///     CEDE_BEHAVIOUR(account, struct account, ACCOUNT, .mailbox_max = 100);
///
/// Further designated initializers of cede_behaviour may follow LIST. A handler returns CEDE_OK to go on, CEDE_STOP to
/// end normally, anything else to fail with that reason. The message is dropped after the handler returns unless it was
/// moved on or kept. A handler whose parameters do not fit is a compile error that shows the right prototype.
#define CEDE_BEHAVIOUR(name_, state_type_, ... /* LIST, and options */)                            \
    CEDEI_BEHAVIOUR(name_, state_type_, __VA_ARGS__, )

/* ---- making and losing messages ---- */

/// Makes a zeroed message of type T that this turn owns.
/// Ownership: the result is the turn's: send, keep or drop it; what the turn forgets is dropped at its end.
/// Threads: the turn's. Yields: no. Blocks: no.
/// Errors: NULL when memory is short.
#define cede_new(self, T)                                                                          \
    ((struct T *)cedei_new((self), &cede_type_##T, sizeof(struct T), CEDEI_HERE))

/// Drops `*message` with all that it owns, and sets it to NULL. NULL in `*message` is allowed and does nothing.
/// Ownership: moved. Threads: the turn's. Yields: no. Blocks: no.
#define cede_drop(self, message) cedei_drop((self), CEDEI_MOVED_ARG(message), CEDEI_HERE)

/// Moves `*message` into the actor's state and returns it: `state->saved = cede_keep(self, &message);` In strict mode it is
/// at another address then, as after every transfer: a pointer into it from before is reported when it is used.
/// Ownership: from the turn to the actor, which drops it when it ends; `*message` is set to NULL.
/// Threads: the turn's. Yields: no. Blocks: no.
#define cede_keep(self, message)                                                                   \
    ((__typeof__(*(message)))cedei_keep((self), CEDEI_MOVED_ARG(message), CEDEI_HERE))

/// Makes a copy of `message`, of the same type, in `*copy`: `struct order *second = NULL; cede_copy(self, order, m, &second)`.
/// Ownership: `message` borrowed, whoever owns it; `*copy` (a `struct T **`) is the turn's on CEDE_OK, untouched otherwise.
/// A request's copy is no request. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOMEM; CEDE_ENOTSUP an opaque type; CEDE_EINVAL an enum out of its range.
#define cede_copy(self, T, message, copy)                                                          \
    cedei_copy((self), CEDEI_MESSAGE_ARG(message), CEDEI_OUT_ARG(T, copy), CEDEI_HERE)

/// Puts `*message` back to the front of the own mailbox: it is the next that is handled, after this turn. A request stays one.
/// To save messages for later there is stash.h.
/// Ownership: `*message` moved and nulled on CEDE_OK, still the caller's otherwise.
/// Threads: the turn's. Yields: no. Blocks: no. Errors: CEDE_EINVAL `*message` is NULL; CEDE_EOWNER.
#define cede_put_back(self, message) cedei_put_back((self), CEDEI_MOVED_ARG(message), CEDEI_HERE)

/* ---- sending ---- */

/// Sends `*message` to `to` and returns at once.
/// Ownership: `*message` moved and nulled on CEDE_OK, still the caller's otherwise.
/// Threads: the turn's. Yields: no. Blocks: no.
/// Order: two sends between the same pair arrive in order if both arrive. Delivery: at most once.
/// A request (see cede_ask) that is sent on takes the duty to reply along: its new receiver may cede_reply to it.
/// Errors: CEDE_ENOACTOR receiver gone; CEDE_EFULL its mailbox or the link is full (see cede_send_wait);
/// CEDE_EINVAL `*message` is NULL; CEDE_EOWNER not this turn's or actor's; CEDE_ENODE link down;
/// CEDE_ENOTSUP the type cannot leave the process; CEDE_ENOMEM.
#define cede_send(self, to, message) cedei_send((self), (to), CEDEI_MOVED_ARG(message), CEDEI_HERE)

/// As cede_send, but waits while the receiver (or the link to its node) is full.
/// Ownership: `*message` moved and nulled on CEDE_OK, still the caller's otherwise.
/// Threads: the turn's. Yields: yes, when it has to wait. Blocks: no. Units: nanoseconds, or CEDE_FOREVER.
/// Errors: those of cede_send except CEDE_EFULL; CEDE_ETIMEDOUT.
#define cede_send_wait(self, to, message, timeout_ns)                                              \
    cedei_send_wait((self), (to), CEDEI_MOVED_ARG(message), (timeout_ns), CEDEI_HERE)

/// Answers `request`, a message that arrived by cede_ask, with `*message`. A request can be answered once, now or in a
/// later turn if it was kept. `*message` may be the request itself. Dropping a request that was never answered gives its sender CEDE_ENOREPLY.
/// Ownership: `request` borrowed; `*message` moved and nulled on CEDE_OK, still the caller's otherwise.
/// Threads: the turn's. Yields: no. Blocks: no.
/// An asker that has given up or ended is no failure of whoever answers: CEDE_OK, and the answer is a dead letter.
/// Errors: CEDE_EINVAL `request` was not asked, or was answered already; CEDE_ETYPE the asker expects another type (and
/// is told so); CEDE_EOWNER; CEDE_EFULL the link is full; CEDE_ENOTSUP the type cannot leave the process; CEDE_ENOMEM.
#define cede_reply(self, request, message)                                                         \
    cedei_reply((self), CEDEI_MESSAGE_ARG(request), CEDEI_MOVED_ARG(message), CEDEI_HERE)

/// Sends `*request` to `to` and waits for a reply of type T, which it stores in `*reply` (a `struct T **`):
///
///     struct balance *reply = NULL;
///     cede_result r = cede_ask(self, bank, &request, balance, &reply, CEDE_SECONDS(1));
///
/// Ownership: `*request` moved and nulled once it is sent (also if no reply comes), still the caller's when it could not
/// be sent (`*request` is not NULL then); `*reply` is the turn's on CEDE_OK and untouched otherwise.
/// Inherits the deadline of a request that this turn holds: see cede_deadline.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER; never early.
/// Errors: those of cede_send; CEDE_ENOREPLY, CEDE_EUNHANDLED, CEDE_ETYPE from the other side; CEDE_ETIMEDOUT;
/// CEDE_ENODE the link went down while waiting; CEDE_EDEADLK `to` is this actor, or waits for it (two asks that close a
/// cycle at the same moment learn it after they were sent: `*request` is NULL then).
#define cede_ask(self, to, request, T, reply, timeout_ns)                                          \
    cedei_ask((self), (to), CEDEI_MOVED_ARG(request), &cede_type_##T, CEDEI_OUT_ARG(T, reply),     \
              (timeout_ns), CEDEI_HERE)

/// Until when the asker of the request that this turn handles waits, on the clock of cede_now; of several requests that the
/// turn holds (by cede_recv), the earliest. CEDE_FOREVER: without limit, or nothing was asked; 0: it has given up or ended.
/// A deadline travels along by itself: an ask made while a turn holds a request that has one ends at the earlier of both, in this
/// node and over links, and is not even made when that has passed or nobody waits any more (CEDE_ETIMEDOUT, the request
/// still the caller's). A request ceases to count once it is answered, sent on, dropped or kept: who keeps a request works on his own time.
/// A request with a deadline whose asker waits no longer when its turn comes is not handled but becomes a dead letter.
/// Ownership: none. Threads: the turn's. Yields: no. Blocks: no. Units: nanoseconds.
CEDE_NOYIELD uint64_t cede_deadline(cede_self *self CEDE_BORROWED);

/// The same of one `request` that the turn or the actor owns, such as a kept one; CEDE_FOREVER for any other message.
/// Ownership: `request` borrowed. Threads: the turn's. Yields: no. Blocks: no. Units: nanoseconds.
#define cede_deadline_of(self, request)                                                            \
    cedei_deadline_of_message((self), CEDEI_MESSAGE_ARG(request))

/// Waits in the middle of a turn for the next message of type T; others stay in the mailbox, in order.
/// Ownership: `*message` (a `struct T **`) is the turn's on CEDE_OK, untouched otherwise.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, 0 to look without waiting, or CEDE_FOREVER.
/// Errors: CEDE_ETIMEDOUT; CEDE_ECANCELED the actor was asked to stop (cede_stop); CEDE_ENOMEM, CEDE_ELIMIT no stack.
#define cede_recv(self, T, message, timeout_ns)                                                    \
    cedei_recv((self), &cede_type_##T, CEDEI_OUT_ARG(T, message), (timeout_ns), CEDEI_HERE)

/* ---- actors ---- */

/// Starts an actor. Its first turn handles `*first`; it may be NULL (`cede_spawn(self, &b, CEDE_NOTHING, &ref)`) for an
/// actor that needs nothing to begin.
/// Ownership: `*first` moved and nulled on CEDE_OK, still the caller's otherwise; `behaviour` borrowed for ever
/// (a constant); `*out` copied out, may be NULL.
/// Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOMEM; CEDE_ELIMIT all actor slots in use; CEDE_EINVAL; CEDE_EOWNER; CEDE_ECLOSED shutting down.
#define cede_spawn(self, behaviour, first, out)                                                    \
    cedei_spawn((self), (behaviour), CEDEI_MOVED_ARG(first), (out), 0, CEDEI_HERE)

/// As cede_spawn, and cede_monitor of the new actor in one step: its end and the reason cannot be missed, however soon
/// it comes.
/// Ownership: as cede_spawn. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: those of cede_spawn; on any of them there is no actor and no cede_down will come.
#define cede_spawn_monitored(self, behaviour, first, out)                                          \
    cedei_spawn((self), (behaviour), CEDEI_MOVED_ARG(first), (out), CEDEI_MONITORED, CEDEI_HERE)

/// Stands for "no first message" in cede_spawn.
#define CEDE_NOTHING ((struct cede_nothing **)0)

/// The ref of the running actor.
/// Ownership: copied. Threads: the turn's. Yields: no. Blocks: no.
CEDE_NOYIELD cede_ref cede_self_ref(cede_self *self CEDE_BORROWED);

/// Asks `actor` to end normally after its present turn; messages waiting behind are not handled (cede_drain lets it handle
/// them). To end oneself, return CEDE_STOP. One that traps exits (cede_trap_exits) is sent a message instead.
/// Ownership: copied. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOACTOR gone already; CEDE_ENODE; CEDE_ENOTSUP the actor lives in another node; CEDE_ENOMEM only of one that
/// traps exits.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_stop(cede_self *self CEDE_BORROWED, cede_ref actor);

/// Ends `actor` with reason CEDE_EKILLED at its next yield point or the end of its turn; a suspended turn is abandoned
/// where it stands and what it owned is dropped. Ownership: copied. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: as cede_stop.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_kill(cede_self *self CEDE_BORROWED, cede_ref actor);

/// Has one `cede_down` message sent to the calling actor when `actor` ends, after everything that `actor` sent it; at
/// once, with reason CEDE_ENOACTOR, when it has ended already. For an actor in another node also when the link goes
/// down (reason CEDE_ENODE). Watching the same actor twice gives two messages. Who watches two that are linked hears first of
/// the one that the other ends of.
/// An actor that may end at once is watched from its beginning by cede_spawn_monitored.
/// Ownership: copied. Threads: the turn's. Yields: no. Blocks: no. Errors: CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_monitor(cede_self *self CEDE_BORROWED, cede_ref actor);

/* ---- time ---- */

#define CEDE_FOREVER UINT64_MAX
#define CEDE_MILLIS(n) ((uint64_t)(n) * 1000000u)
#define CEDE_SECONDS(n) ((uint64_t)(n) * 1000000000u)

/// Lets other actors run; goes on in its turn. Other messages of this actor stay where they are.
/// Ownership: none. Threads: the turn's. Yields: yes. Blocks: no.
CEDE_YIELDS void cede_yield(cede_self *self CEDE_BORROWED);

/// Suspends the turn for at least `duration_ns`.
/// Ownership: none. Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds.
/// Errors: CEDE_ENOMEM (returns at once).
CEDE_YIELDS CEDE_NODISCARD cede_result cede_sleep(cede_self *self CEDE_BORROWED,
                                                  uint64_t duration_ns);

/// Monotonic time of this system. Threads: any. Yields: no. Blocks: no. Units: nanoseconds.
CEDE_NOYIELD uint64_t cede_now(cede_self *self CEDE_BORROWED);

/* ---- blocking work ---- */

/// Runs on a thread that may block; `message` is the struct that was given to cede_run_blocking.
typedef cede_result cede_blocking_fn(void *message CEDE_BORROWED);

/// Moves `*message` to the blocking pool, runs `run(message)` there, and gives the message back with whatever `run`
/// wrote into it. `run` must not use any cede_self.
/// Ownership: `*message` is away during the call and the turn's again after it, whatever the result.
/// Threads: the turn's. Yields: yes; an actor of kind CEDE_BLOCKING runs it where it is, and yields only if it is to end.
/// Blocks: no (a pool thread does).
/// Errors: what `run` returned; CEDE_EFULL the pool's queue is full; CEDE_ELIMIT no thread could be made; CEDE_ECLOSED.
#define cede_run_blocking(self, run, message)                                                      \
    cedei_run_blocking((self), (run), CEDEI_MOVED_ARG(message), CEDEI_HERE)

/// `&errno` of the present thread, read afresh: plain `errno` on both sides of a yield may be another thread's.
/// Ownership: borrowed until the next yield. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD int *cede_errno_location(void);
#define cede_errno (*cede_errno_location())

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD CEDE_RETURNS_OWNED void *cedei_new(cede_self *self CEDE_BORROWED,
                                                struct cede_type *type CEDE_BORROWED, size_t size,
                                                const char *here CEDE_BORROWED);
CEDE_NOYIELD void cedei_drop(cede_self *self CEDE_BORROWED, void **message CEDE_DROPPED,
                             const char *here CEDE_BORROWED);
CEDE_NOYIELD CEDE_RETURNS_KEPT void *cedei_keep(cede_self *self CEDE_BORROWED,
                                                void **message CEDE_DROPPED,
                                                const char *here CEDE_BORROWED);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_copy(cede_self *self CEDE_BORROWED,
                                                   void *message CEDE_BORROWED,
                                                   void **copy CEDE_GIVEN,
                                                   const char *here CEDE_BORROWED);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_put_back(cede_self *self CEDE_BORROWED,
                                                       void **message CEDE_MOVED,
                                                       const char *here CEDE_BORROWED);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_send(cede_self *self CEDE_BORROWED, cede_ref to,
                                                   void **message CEDE_MOVED,
                                                   const char *here CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_send_wait(cede_self *self CEDE_BORROWED, cede_ref to,
                                                       void **message CEDE_MOVED,
                                                       uint64_t timeout_ns,
                                                       const char *here CEDE_BORROWED);
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_reply(cede_self *self CEDE_BORROWED,
                                                    void *request CEDE_BORROWED,
                                                    void **message CEDE_MOVED,
                                                    const char *here CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_ask(cede_self *self CEDE_BORROWED, cede_ref to,
                                                 void **request CEDE_ASKED,
                                                 struct cede_type *reply_type CEDE_BORROWED,
                                                 void **reply CEDE_GIVEN, uint64_t timeout_ns,
                                                 const char *here CEDE_BORROWED);
CEDE_NOYIELD uint64_t cedei_deadline_of_message(cede_self *self CEDE_BORROWED,
                                                const void *request CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_recv(cede_self *self CEDE_BORROWED,
                                                  struct cede_type *type CEDE_BORROWED,
                                                  void **message CEDE_GIVEN, uint64_t timeout_ns,
                                                  const char *here CEDE_BORROWED);
/* How the spawner hears of the end. */
enum { CEDEI_MONITORED = 1, CEDEI_LINKED = 2 };
CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_spawn(cede_self *self CEDE_BORROWED,
                                                    const cede_behaviour *behaviour CEDE_BORROWED,
                                                    void **first CEDE_MOVED,
                                                    cede_ref *out CEDE_BORROWED, unsigned ties,
                                                    const char *here CEDE_BORROWED);
CEDE_YIELDS CEDE_NODISCARD cede_result cedei_run_blocking(cede_self *self CEDE_BORROWED,
                                                          cede_blocking_fn *run CEDE_BORROWED,
                                                          void **message CEDE_BORROWED,
                                                          const char *here CEDE_BORROWED);

/* First a sentence for the likely mistake (5: a pointer). Then the member that CEDE_MESSAGE puts into every message
 * struct, which fails to compile, with a name that tells what to do, for a pointer to anything else. */
#define CEDEI_MOVED_ARG(pointer)                                                                   \
    (CEDEI_EXPECT(__builtin_classify_type(*(pointer)) == 5,                                        \
                  "'" #pointer "' must be the address of a message pointer, such as &m, which "    \
                  "the call sets to NULL"),                                                        \
     (void)sizeof((*(pointer))->declare_this_type_with_CEDE_MESSAGE), (void **)(pointer))
#define CEDEI_MESSAGE_ARG(pointer)                                                                 \
    (CEDEI_EXPECT(__builtin_classify_type(*(pointer)) != 5,                                        \
                  "'" #pointer "' must be a message pointer, such as m, not its address: the "     \
                  "call only looks at the message"),                                               \
     (void)sizeof((pointer)->declare_this_type_with_CEDE_MESSAGE), (void *)(pointer))
#define CEDEI_OUT_ARG(T, pointer)                                                                  \
    (CEDEI_EXPECT(_Generic((pointer), struct T * *: 1, default: 0),                                \
                  "'" #pointer "' must be the address of a 'struct " #T                            \
                  " *' variable, which receives the message"),                                     \
     (void **)(pointer))
/* The result of a dispatch that found no handler; handlers cannot return it. */
#define CEDEI_UNMATCHED CEDEI_RESULT_COUNT

/* `...` is never left out, only empty, as ISO C wants it.
 * One function per behaviour compares the type and calls the handler directly: no table of untyped function pointers,
 * so every handler keeps its own types, and the compiler and the analyzer see plain calls. */
#define CEDEI_BEHAVIOUR(name_, state_type_, LIST_, ...)                                            \
    CEDE_YIELDS static cede_result cedei_dispatch_##name_(                                         \
        cede_self *cedei_s, const struct cede_type *cedei_t, void *cedei_state, void *cedei_m) {   \
        typedef state_type_ cedei_state_type;                                                      \
        LIST_(CEDEI_DISPATCH_ONE)                                                                  \
        (void)cedei_s, (void)cedei_t, (void)cedei_state, (void)cedei_m;                            \
        return CEDEI_UNMATCHED;                                                                    \
    }                                                                                              \
    const cede_behaviour name_ = {.name = #name_,                                                  \
                                  .state_size = sizeof(state_type_),                               \
                                  .dispatch = cedei_dispatch_##name_,                              \
                                  __VA_ARGS__}
#define CEDEI_DISPATCH_ONE(T, handler)                                                             \
    _Static_assert(CEDE_MESSAGE_declares_##T##_before_it_is_used,                                  \
                   "message '" #T "' has to be declared first");                                   \
    struct this_behaviour_lists_##T##_once {                                                       \
        int unused;                                                                                \
    };                                                                                             \
    _Static_assert(_Generic(&handler,                                                              \
                       cede_result(*)(cede_self *, cedei_state_type *, struct T *): 1,             \
                       default: 0),                                                                \
                   "'" #handler "' cannot handle '" #T "': it must be  cede_result " #handler      \
                   "(cede_self *, <the state type> *, struct " #T " *)");                          \
    if (cedei_t == &cede_type_##T)                                                                 \
        return handler(cedei_s, (cedei_state_type *)cedei_state, (struct T *)cedei_m);

CEDE_C_END
#endif
