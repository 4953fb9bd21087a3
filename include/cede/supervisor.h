/* supervisor.h - actors that start others, and start them again when they fail.
 *
 *     static const struct cede_child CHILDREN[] = {
 *         {.id = "ledger", .behaviour = &ledger},
 *         {.id = "teller", .start = teller_start, .restart = CEDE_TRANSIENT, .shutdown_ns = CEDE_SECONDS(1)},
 *     };
 *     static const struct cede_supervisor BANK = {.strategy = CEDE_REST_FOR_ONE, CEDE_CHILDREN(CHILDREN)};
 *     ...
 *     cede_ref bank;
 *     cede_result r = cede_supervisor_start(self, &BANK, CEDE_SECONDS(5), &bank);
 *
 * A supervisor is linked with whoever started it and with its children, so that none is left behind however the other ends.
 * It starts its children in order and ends them in the reverse order when it is stopped (cede_stop), when its starter ends,
 * and when it gives up: then it ends with CEDE_ELIMIT, which its own supervisor sees as the failure of a child. A ref to a
 * child is stale after a restart: ask for the new one (cede_supervisor_child), or give the child a name (registry.h). */
#ifndef CEDE_SUPERVISOR_H
#define CEDE_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/message.h>
#include <cede/ref.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// Who is started again when a child has failed.
enum cede_strategy {
    CEDE_ONE_FOR_ONE = 0, /* that child */
    CEDE_ONE_FOR_ALL,     /* all: the others are ended first, in reverse order */
    CEDE_REST_FOR_ONE,    /* that child and those behind it in the table */
    CEDE_SIMPLE_ONE_FOR_ONE /* that child; all children are made by cede_supervisor_add_with from one entry */
};

/// When a child is started again.
enum cede_restart {
    CEDE_PERMANENT = 0, /* whenever it ends */
    CEDE_TRANSIENT,     /* when it ends abnormally */
    CEDE_TEMPORARY      /* never */
};

/// Starts a child by cede_spawn_linked and stores its ref in `*out`. Runs in the supervisor's turn, at every start anew: the
/// child's first message is made here. May yield, for example to wait until the child is ready; a failure counts as one of
/// the child. `argument`: that of the entry, or the message given to cede_supervisor_add_with.
typedef CEDE_YIELDS cede_result cede_start_fn(cede_self *self CEDE_BORROWED,
                                              const void *argument CEDE_BORROWED,
                                              cede_ref *out CEDE_BORROWED);

struct cede_supervisor;

/// One child: an entry of a constant table. One of `start`, `behaviour` and `supervisor` says how it comes to be.
struct cede_child {
    const char *id; /* of its own in the table; needed except in CEDE_SIMPLE_ONE_FOR_ONE */
    cede_start_fn *start;
    const cede_behaviour
        *behaviour; /* started without a first message, or with that of cede_supervisor_add_with */
    const struct cede_supervisor
        *supervisor;      /* a supervisor below this one; started when all its children are */
    const void *argument; /* for `start` */
    const char *name;     /* is registered for it (registry.h) at each start; NULL: none */
    enum cede_restart restart;
    uint64_t shutdown_ns; /* so long it may take to end when it is asked to, then it is killed; 0: 5 s; 1: at once */
    bool drain; /* is asked to end by cede_drain: handles what is in its mailbox first */
};

/// What a supervisor does; a constant. Zeroes mean the defaults.
struct cede_supervisor {
    enum cede_strategy strategy;
    const struct cede_child *children; /* see CEDE_CHILDREN; of CEDE_SIMPLE_ONE_FOR_ONE: one entry */
    uint32_t child_count;
    uint32_t restarts_max; /* more within `period_ns`, and it gives up; 0: 3; at most 10000, or CEDE_RESTARTS_UNLIMITED */
    uint64_t period_ns; /* 0: 5 s */
    uint64_t backoff_ns; /* before a child's first restart, doubled for each further one, of which a random part of up to
                                half is taken off; until it has run for `period_ns`. 0: none */
    uint64_t backoff_max_ns; /* no longer than that; 0: 30 s */
};

#define CEDE_RESTARTS_UNLIMITED UINT32_MAX
/// Two members of a struct cede_supervisor: an array of children and how many they are.
#define CEDE_CHILDREN(array) .children = (array), .child_count = sizeof(array) / sizeof *(array)

/// Starts a supervisor, linked with the calling actor, and waits until all its children have been started.
/// Ownership: `spec` borrowed for ever (a constant); `*out` copied out on CEDE_OK.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER.
/// Errors: why a child could not be started (those before it were ended again; a line in the log says which); CEDE_EINVAL a
/// table that makes no sense (logged); CEDE_ETIMEDOUT (it is killed then); CEDE_EFAILED it has ended and could not say why:
/// it was stopped or killed, or had no memory to; CEDE_ENOMEM; those of cede_spawn.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_supervisor_start(cede_self *self CEDE_BORROWED,
                                                             const struct cede_supervisor *spec
                                                             CEDE_BORROWED,
                                                             uint64_t timeout_ns,
                                                             cede_ref *out CEDE_BORROWED);

/// Finds the present ref of the child `id`, waiting while it is being started again.
/// Ownership: `id` borrowed; `*out` written on CEDE_OK.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER.
/// Errors: CEDE_ENOENT no such child, or it has ended and will not come back; those of cede_ask.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_supervisor_child(cede_self *self CEDE_BORROWED,
                                                             cede_ref supervisor,
                                                             const char *id CEDE_BORROWED,
                                                             uint64_t timeout_ns,
                                                             cede_ref *out CEDE_BORROWED);

/// Adds a child behind the others and starts it. It is forgotten when it has ended and is not started again.
/// Ownership: `child` borrowed for ever (a constant); `*out` (may be NULL) written on CEDE_OK.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER.
/// Errors: CEDE_EEXIST its id is taken; CEDE_EINVAL an entry that makes no sense, or the supervisor is a
/// CEDE_SIMPLE_ONE_FOR_ONE; why it could not be started (it is forgotten then); those of cede_ask.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_supervisor_add(
    cede_self *self CEDE_BORROWED, cede_ref supervisor,
    const struct cede_child *child CEDE_BORROWED, uint64_t timeout_ns, cede_ref *out CEDE_BORROWED);

/// Adds a child to a CEDE_SIMPLE_ONE_FOR_ONE. `*first` is the model of its first message: each start has a copy.
/// Ownership: `*first` moved and nulled once it is sent (also if the child cannot be started), still the caller's when it
/// could not be sent; `*out` (may be NULL) written on CEDE_OK.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER.
/// Errors: CEDE_ENOTSUP an opaque type, which cannot be copied; why it could not be started; those of cede_ask.
#define cede_supervisor_add_with(self, supervisor, first, timeout_ns, out)                         \
    cedei_supervisor_add_with((self), (supervisor), CEDEI_MOVED_ARG(first), (timeout_ns), (out),   \
                              CEDEI_HERE)

/// Ends a child as the supervisor's own end would, and does not start it again. One that was added is forgotten.
/// Ownership: copied. Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER.
/// Errors: CEDE_ENOENT no such child is running; those of cede_ask.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_supervisor_remove(cede_self *self CEDE_BORROWED,
                                                              cede_ref supervisor, cede_ref child,
                                                              uint64_t timeout_ns);

/// What a supervisor has to say about itself.
struct cede_supervisor_status {
    uint32_t children; /* that it knows, running or not */
    uint32_t running;
    uint32_t waiting;  /* to be started again */
    uint64_t restarts; /* since its start */
};

/// Asks for it. Ownership: `*out` written on CEDE_OK. Threads: the turn's. Yields: yes. Blocks: no.
/// Units: nanoseconds, or CEDE_FOREVER. Errors: those of cede_ask.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_supervisor_ask(cede_self *self CEDE_BORROWED,
                                                           cede_ref supervisor, uint64_t timeout_ns,
                                                           struct cede_supervisor_status *out
                                                           CEDE_BORROWED);

/* ---- what the macros above stand on, and the messages; not for direct use ---- */

CEDE_YIELDS CEDE_NODISCARD cede_result cedei_supervisor_add_with(
    cede_self *self CEDE_BORROWED, cede_ref supervisor, void **first CEDE_ASKED,
    uint64_t timeout_ns, cede_ref *out CEDE_BORROWED, const char *here CEDE_BORROWED);

#define CEDEI_SUPERVISED(F)                                                                        \
    F(i32, result)                                                                                 \
    F(ref, actor)                                                                                  \
    F(u32, children)                                                                               \
    F(u32, running)                                                                                \
    F(u32, waiting)                                                                                \
    F(u64, restarts)
CEDE_MESSAGE_DECLARE(cede_supervised, CEDEI_SUPERVISED);
#define CEDEI_SUPERVISOR_FIND(F) F(str, id)
CEDE_MESSAGE_DECLARE(cede_supervisor_find, CEDEI_SUPERVISOR_FIND);
#define CEDEI_SUPERVISOR_END(F) F(ref, child)
CEDE_MESSAGE_DECLARE(cede_supervisor_end, CEDEI_SUPERVISOR_END);
CEDE_MESSAGE_DECLARE(cede_supervisor_look, CEDEI_NOTHING);
CEDE_MESSAGE_DECLARE(cede_supervisor_retry, CEDEI_NOTHING);
/* Within the process only: they carry constants. */
struct cede_supervisor_begin {
    const struct cede_supervisor *spec;
    cede_ref parent;
    bool is_root;
    CEDE_MESSAGE_MARK;
};
CEDE_OPAQUE_MESSAGE_DECLARE(cede_supervisor_begin);
struct cede_supervisor_more {
    const struct cede_child *child;
    CEDE_MESSAGE_MARK;
};
CEDE_OPAQUE_MESSAGE_DECLARE(cede_supervisor_more);

CEDE_C_END
#endif
