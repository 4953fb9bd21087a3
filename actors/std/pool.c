/* pool.c - an actor that hands messages on to workers, which it supervises; see supervisor.h for their states.
 * Invariants: (1) a message that comes is handed to one worker, waits in `waiting` while none is there, or is dropped when that is
 * full; (2) what waited goes before what comes later; (3) news of workers is seen to also while the pool waits for room. */
#include <cede/pool.h>
#include <cede/stash.h>
#include <cede/system.h>

#include "actors/std/supervisor.h"

enum { WORKERS_MAX = 1024, WAITING_DEFAULT = 1024 };
#define PATIENCE_NS                                                                                \
    CEDE_MILLIS(10) /* with one worker that is full, before it looks at the others again */

static void begin_drop(struct cede_pool_begin *begin) { (void)begin; }
CEDE_OPAQUE_MESSAGE_DEFINE(cede_pool_begin, begin_drop);

struct pool {
    struct cedei_supervision workers; /* first: `changed` is called with it */
    const struct cede_pool *spec;
    struct cede_supervisor table; /* what `workers` goes by */
    struct cede_child worker;
    uint32_t next; /* for round robin */
    bool has_told; /* that a message has no copies */
    struct cede_stash *waiting;
};

static void pool_fini(void *state) { cedei_supervision_fini(&((struct pool *)state)->workers); }

/* A worker is there: what waited comes first. */
static void waiting_release(cede_self *self, struct cedei_supervision *sup) {
    struct pool *pool = (struct pool *)sup;
    if (sup->states[CEDEI_CHILD_RUNNING] == 0 || cede_stash_count(pool->waiting) == 0) return;
    if (cede_stash_release(self, pool->waiting) != CEDE_OK)
        cede_log(self, CEDE_LOG_ERROR, "pool: messages that waited for a worker are kept back");
}

/* ---- which worker ---- */

static struct cedei_child *worker_at(struct pool *pool, uint32_t at) {
    struct cedei_child *child = &pool->workers.children.items[at % pool->workers.children.count];
    return child->state == CEDEI_CHILD_RUNNING ? child : NULL;
}

static struct cedei_child *worker_in_turn(struct pool *pool) {
    uint32_t count = pool->workers.children.count;
    for (uint32_t i = 0; i < count; i++) {
        struct cedei_child *child = worker_at(pool, pool->next + i);
        if (child == NULL) continue;
        pool->next = (pool->next + i + 1) % count;
        return child;
    }
    return NULL;
}

/* From `next` on, so that equals take turns. */
static struct cedei_child *worker_least_loaded(cede_self *self, struct pool *pool) {
    struct cedei_child *best = NULL;
    uint32_t least = 0, count = pool->workers.children.count;
    for (uint32_t i = 0; i < count; i++) {
        struct cedei_child *child = worker_at(pool, pool->next + i);
        if (child == NULL) continue;
        uint32_t load = cede_load(self, child->ref);
        if (best != NULL && load >= least) continue;
        best = child;
        least = load;
    }
    pool->next = (pool->next + 1) % count;
    return best;
}

static uint64_t mix(uint64_t value) {
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

/* The worker with the highest draw for this key: when one goes, only its keys go to others; when it is back, they come back. */
static struct cedei_child *worker_of_key(struct pool *pool, uint64_t key) {
    struct cedei_child *best = NULL;
    uint64_t highest = 0;
    for (uint32_t i = 0; i < pool->workers.children.count; i++) {
        struct cedei_child *child = worker_at(pool, i);
        uint64_t draw = mix(mix(key + 1) ^ (i + 1) * 0x9e3779b97f4a7c15u);
        if (child == NULL || (best != NULL && draw <= highest)) continue;
        best = child;
        highest = draw;
    }
    return best;
}

static struct cedei_child *worker_choose(cede_self *self, struct pool *pool,
                                         const struct cede_type *type, const void *message) {
    if (pool->spec->route == CEDE_ROUTE_LEAST_LOADED) return worker_least_loaded(self, pool);
    if (pool->spec->route == CEDE_ROUTE_HASH)
        return worker_of_key(pool, pool->spec->key(type, message));
    return worker_in_turn(pool);
}

/* ---- handing on ---- */

/* News that has come, waiting for it a little. Whoever waits without memory to wait with lets others go on. */
CEDE_YIELDS static cede_result news_see_to(cede_self *self, struct pool *pool, uint64_t wait_ns) {
    struct cede_exit *news = NULL;
    cede_result r = cede_recv(self, cede_exit, &news, wait_ns);
    if (r == CEDE_ENOMEM) cede_yield(self);
    if (r != CEDE_OK) return CEDE_OK;
    r = cedei_supervision_exit(self, &pool->workers, news);
    cede_drop(self, &news);
    return r;
}

/* The worker that was chosen has no room, or has just ended. CEDE_OK: the message is gone, or another try is worth it. */
CEDE_YIELDS static cede_result worker_wait(cede_self *self, struct pool *pool, cede_ref worker,
                                           cede_result why, void **message) {
    if (why == CEDE_ENOACTOR) return news_see_to(self, pool, PATIENCE_NS);
    why = cedei_send_wait(self, worker, message, PATIENCE_NS, CEDEI_HERE);
    if (why == CEDE_ENOMEM) cede_yield(self);
    return why == CEDE_OK ? why : news_see_to(self, pool, 0);
}

/* Round robin: another worker may have room where the next one has none. */
static cede_result others_try(cede_self *self, struct pool *pool, void **message) {
    cede_result r = CEDE_EFULL;
    if (pool->spec->route != CEDE_ROUTE_ROUND_ROBIN) return r;
    for (uint32_t i = 1; r == CEDE_EFULL && i < pool->workers.children.count; i++) {
        struct cedei_child *child = worker_in_turn(pool);
        if (child != NULL) r = cedei_send(self, child->ref, message, CEDEI_HERE);
    }
    return r;
}

CEDE_YIELDS static cede_result hand_on(cede_self *self, struct pool *pool,
                                       const struct cede_type *type, void **message) {
    cede_result r = CEDE_OK;
    while (*message != NULL && r == CEDE_OK) { /* until somebody has it, or the pool ends */
        struct cedei_child *worker = worker_choose(self, pool, type, *message);
        if (worker == NULL) {
            if (cedei_stash_put(self, pool->waiting, message, CEDEI_HERE) != CEDE_OK) break;
            return CEDE_OK;
        }
        cede_ref ref = worker->ref;
        cede_result sent = cedei_send(self, ref, message, CEDEI_HERE);
        if (sent == CEDE_EFULL) sent = others_try(self, pool, message);
        if (sent != CEDE_OK) r = worker_wait(self, pool, ref, sent, message);
    }
    return r; /* what was not handed on is dropped with the turn */
}

/* A copy for worker `i`; NULL: it is not there, or there can be none, which is logged once. Without memory it waits for some: nobody
 * is left out without a word. */
CEDE_YIELDS static cede_result copy_for(cede_self *self, struct pool *pool, uint32_t i,
                                        void *message, void **copy) {
    cede_result r = CEDE_OK, made = CEDE_ENOMEM;
    while (r == CEDE_OK && made == CEDE_ENOMEM && worker_at(pool, i) != NULL) {
        made = cedei_copy(self, message, copy, CEDEI_HERE);
        if (made == CEDE_ENOMEM) r = news_see_to(self, pool, PATIENCE_NS);
    }
    bool is_impossible = made != CEDE_OK && made != CEDE_ENOMEM;
    if (is_impossible && !pool->has_told)
        cede_log(self, CEDE_LOG_ERROR, "pool: a message that is for all workers has no copies: %s",
                 cede_result_text(made));
    pool->has_told |= is_impossible;
    return r;
}

CEDE_YIELDS static cede_result hand_to_all(cede_self *self, struct pool *pool, void *message) {
    cede_result r = CEDE_OK;
    for (uint32_t i = 0; r == CEDE_OK && i < pool->workers.children.count; i++) {
        void *copy = NULL;
        struct cedei_child *worker = NULL;
        r = copy_for(self, pool, i, message, &copy);
        while (r == CEDE_OK && copy != NULL && (worker = worker_at(pool, i)) != NULL) {
            cede_ref ref = worker->ref;
            cede_result sent = cedei_send(self, ref, &copy, CEDEI_HERE);
            if (sent != CEDE_OK) r = worker_wait(self, pool, ref, sent, &copy);
        }
        cedei_drop(self, &copy, CEDEI_HERE);
    }
    return r;
}

/* ---- handlers ---- */

static cede_result workers_add(cede_self *self, struct pool *pool) {
    cede_result r = cedei_child_check(self, &pool->worker, false);
    for (uint32_t i = 0; r == CEDE_OK && i < pool->spec->count; i++) {
        r = cedei_supervision_add(self, &pool->workers, &pool->worker, NULL);
        if (r == CEDE_OK) pool->workers.children.items[i].is_added = false; /* it keeps its place */
    }
    return r;
}

static cede_result pool_begin(cede_self *self, struct pool *pool,
                              const struct cede_pool_begin *begin) {
    const struct cede_pool *spec = pool->spec = begin->pool;
    uint32_t waiting_max = spec->waiting_max != 0 ? spec->waiting_max : WAITING_DEFAULT;
    pool->worker = spec->worker;
    pool->table = (struct cede_supervisor){.restarts_max = spec->restarts_max,
                                           .period_ns = spec->period_ns,
                                           .backoff_ns = spec->backoff_ns,
                                           .backoff_max_ns = spec->backoff_max_ns};
    pool->workers.changed = waiting_release;
    if ((pool->waiting = cede_stash_create(self, waiting_max)) == NULL) return CEDE_ENOMEM;
    cede_result r = cedei_supervision_begin(self, &pool->workers, &pool->table, begin->parent);
    bool makes_sense = spec->count >= 1 && spec->count <= WORKERS_MAX &&
                       spec->route <= CEDE_ROUTE_BROADCAST &&
                       (spec->route != CEDE_ROUTE_HASH || spec->key != NULL);
    if (r == CEDE_OK && !makes_sense) {
        cede_log(self, CEDE_LOG_ERROR,
                 "struct cede_pool: .count must be 1 to 1024, .route one of CEDE_ROUTE_..., and "
                 "CEDE_ROUTE_HASH needs a .key");
        r = CEDE_EINVAL;
    }
    return r == CEDE_OK ? workers_add(self, pool) : r;
}

CEDE_YIELDS static cede_result on_begin(cede_self *self, struct pool *pool,
                                        struct cede_pool_begin *begin) {
    struct cede_supervised *reply = cede_new(self, cede_supervised);
    if (reply == NULL) return CEDE_STOP;
    cede_result r = pool_begin(self, pool, begin);
    if (r == CEDE_OK) r = cedei_supervision_start(self, &pool->workers);
    cedei_supervised_answer(self, begin, &reply, r, cede_self_ref(self));
    return r == CEDE_OK ? cedei_supervision_go_on(self, &pool->workers) : CEDE_STOP;
}

CEDE_YIELDS static cede_result on_exit(cede_self *self, struct pool *pool, struct cede_exit *news) {
    return cedei_supervision_exit(self, &pool->workers, news);
}

CEDE_YIELDS static cede_result on_retry(cede_self *self, struct pool *pool,
                                        struct cede_supervisor_retry *retry) {
    (void)retry;
    return cedei_supervision_go_on(self, &pool->workers);
}

CEDE_YIELDS static cede_result on_drained(cede_self *self, struct pool *pool,
                                          struct cede_drained *end) {
    (void)end;
    pool->workers.stopping = true;
    return cedei_supervision_go_on(self, &pool->workers);
}

static cede_result on_look(cede_self *self, struct pool *pool, struct cede_supervisor_look *look) {
    return cedei_supervision_look(self, &pool->workers, look);
}

#define POOL(ON)                                                                                   \
    ON(cede_exit, on_exit)                                                                         \
    ON(cede_pool_begin, on_begin)                                                                  \
    ON(cede_supervisor_retry, on_retry)                                                            \
    ON(cede_supervisor_look, on_look)                                                              \
    ON(cede_drained, on_drained)
CEDE_BEHAVIOUR(cedei_pool_known, struct pool, POOL);

CEDE_YIELDS static cede_result pool_dispatch(cede_self *self, const struct cede_type *type,
                                             void *state, void *message) {
    struct pool *pool = state;
    cede_result r = cedei_dispatch_cedei_pool_known(self, type, state, message);
    if ((int)r != (int)CEDEI_UNMATCHED || pool->spec == NULL) return r;
    if (pool->spec->route == CEDE_ROUTE_BROADCAST) return hand_to_all(self, pool, message);
    return hand_on(self, pool, type, &message);
}

static const cede_behaviour pool_behaviour = {.name = "cede_pool",
                                              .state_size = sizeof(struct pool),
                                              .fini = pool_fini,
                                              .dispatch = pool_dispatch};

cede_result cede_pool_start(cede_self *self, const struct cede_pool *pool, uint64_t timeout_ns,
                            cede_ref *out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (pool == NULL || out == NULL) return CEDE_EINVAL;
    struct cede_pool_begin *begin = cede_new(self, cede_pool_begin);
    if (begin == NULL) return CEDE_ENOMEM;
    begin->pool = pool;
    begin->parent = cede_self_ref(self);
    cede_result r = cedei_supervised_start(self, &pool_behaviour, (void **)&begin, timeout_ns, out);
    cede_drop(self, &begin);
    return r;
}
