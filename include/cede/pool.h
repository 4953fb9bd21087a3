/* pool.h - several workers behind one ref: an actor that hands each message on to one of its workers, and starts a worker
 * again when it has ended.
 *
 *     static const struct cede_pool PARSERS = {
 *         .worker = {.behaviour = &parser}, .count = 4, .route = CEDE_ROUTE_LEAST_LOADED};
 *     cede_ref parsers;
 *     cede_result r = cede_pool_start(self, &PARSERS, CEDE_SECONDS(5), &parsers);
 *     ... cede_send(self, parsers, &line) ... cede_ask(self, parsers, ...)
 *
 * A request that is handed on is answered by the worker. The pool is a supervisor: it is linked with whoever started it, ends
 * its workers when it ends, gives up after too many restarts, and may be a supervisor's child, by a start function. cede_supervisor_ask works for it, too. */
#ifndef CEDE_POOL_H
#define CEDE_POOL_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/ref.h>
#include <cede/result.h>
#include <cede/supervisor.h>

CEDE_C_BEGIN

/// Which worker gets a message.
enum cede_route {
    CEDE_ROUTE_ROUND_ROBIN = 0, /* the next one */
    CEDE_ROUTE_LEAST_LOADED,    /* the one with the fewest messages to handle (cede_load) */
    CEDE_ROUTE_HASH,            /* by its key: equal keys to one worker, as long as that is there */
    CEDE_ROUTE_BROADCAST /* each gets a copy, once there is memory for it; nobody can answer it */
};

/// The key of a message, for CEDE_ROUTE_HASH. `type` is `&cede_type_T` for a message of type T.
typedef uint64_t cede_key_fn(const struct cede_type *type CEDE_BORROWED,
                             const void *message CEDE_BORROWED);

/// What a pool does; a constant.
struct cede_pool {
    struct cede_child worker; /* how each comes to be; .id is not needed */
    uint32_t count;           /* workers, 1 to 1024 */
    enum cede_route route;
    cede_key_fn *key; /* of CEDE_ROUTE_HASH */
    uint32_t waiting_max; /* messages that wait while no worker is there; 0: 1024; then they are dropped */
    uint32_t restarts_max; /* this and what follows: as in struct cede_supervisor */
    uint64_t period_ns, backoff_ns, backoff_max_ns;
};

/// Starts a pool, linked with the calling actor, and waits until all its workers have been started. When all of them are full,
/// the pool waits for room, and its own mailbox fills: CEDE_EFULL reaches whoever sends to it.
/// Ownership: `pool` borrowed for ever (a constant); `*out` copied out on CEDE_OK.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER.
/// Errors: as cede_supervisor_start.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_pool_start(cede_self *self CEDE_BORROWED,
                                                       const struct cede_pool *pool CEDE_BORROWED,
                                                       uint64_t timeout_ns,
                                                       cede_ref *out CEDE_BORROWED);

/* ---- for the pool itself; not for direct use ---- */

struct cede_pool_begin {
    const struct cede_pool *pool;
    cede_ref parent;
    CEDE_MESSAGE_MARK;
};
CEDE_OPAQUE_MESSAGE_DECLARE(cede_pool_begin);

CEDE_C_END
#endif
