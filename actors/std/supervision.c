/* supervision.c - starting, ending and restarting children; see supervisor.h for their states.
 * Owns the list of children and the index of those that run. Invariants: (1) a child is in `index` exactly while it is RUNNING;
 * (2) `states` counts them; (3) a child that was asked to end is awaited, by its cede_exit, before anything else is started;
 * (4) every end of a child is seen: it is linked, and its cede_exit passes a full mailbox. */
#include <string.h>

#include <cede/registry.h>
#include <cede/system.h>
#include <cede/timer.h>

#include "actors/std/supervisor.h"

enum { RESTARTS_LIMIT = 10000, CHILDREN_LIMIT = 1 << 24 };
#define SHUTDOWN_DEFAULT_NS CEDE_SECONDS(5)
#define BACKOFF_MAX_DEFAULT_NS CEDE_SECONDS(30)
#define RETRY_MIN_NS CEDE_MILLIS(1) /* a start that fails at once must not become a loop */

static bool is_simple(const struct cedei_supervision *sup) {
    return sup->spec->strategy == CEDE_SIMPLE_ONE_FOR_ONE;
}

static const char *id_of(const struct cede_child *child) {
    return child->id != NULL ? child->id : child->behaviour != NULL ? child->behaviour->name : "?";
}

static void state_set(struct cedei_supervision *sup, struct cedei_child *child,
                      enum cedei_child_state state) {
    sup->states[child->state]--;
    child->state = state;
    sup->states[state]++;
}

/* ---- the tables ---- */

cede_result cedei_child_check(cede_self *self, const struct cede_child *child, bool needs_id) {
    int ways = (child->start != NULL) + (child->behaviour != NULL) + (child->supervisor != NULL);
    const char *wrong = NULL;
    if (ways != 1)
        wrong = "needs one of .start, .behaviour and .supervisor";
    else if (needs_id && child->id == NULL)
        wrong = "needs an .id";
    else if (child->restart > CEDE_TEMPORARY)
        wrong = "has no such .restart";
    if (wrong == NULL) return CEDE_OK;
    cede_log(self, CEDE_LOG_ERROR, "struct cede_child '%s': it %s", id_of(child), wrong);
    return CEDE_EINVAL;
}

static cede_result table_bad(cede_self *self, const char *wrong, const char *id) {
    cede_log(self, CEDE_LOG_ERROR, "struct cede_supervisor: %s%s", wrong, id);
    return CEDE_EINVAL;
}

static cede_result table_check(cede_self *self, const struct cede_supervisor *spec) {
    bool simple = spec->strategy == CEDE_SIMPLE_ONE_FOR_ONE;
    if (spec->strategy > CEDE_SIMPLE_ONE_FOR_ONE) return table_bad(self, "no such .strategy", "");
    if (spec->child_count != 0 && spec->children == NULL)
        return table_bad(self, "it has a .child_count but no .children", "");
    if (simple && spec->child_count != 1)
        return table_bad(self, "CEDE_SIMPLE_ONE_FOR_ONE needs one entry in .children", "");
    if (spec->restarts_max > RESTARTS_LIMIT && spec->restarts_max != CEDE_RESTARTS_UNLIMITED)
        return table_bad(self, ".restarts_max must be at most 10000 or CEDE_RESTARTS_UNLIMITED", "");
    for (uint32_t i = 0; i < spec->child_count; i++) {
        cede_result r = cedei_child_check(self, &spec->children[i], !simple);
        if (r != CEDE_OK) return r;
        for (uint32_t other = 0; !simple && other < i; other++)
            if (strcmp(spec->children[i].id, spec->children[other].id) == 0)
                return table_bad(self, "two children have the id ", spec->children[i].id);
    }
    return CEDE_OK;
}

cede_result cedei_supervision_begin(cede_self *self, struct cedei_supervision *sup,
                                    const struct cede_supervisor *spec, cede_ref parent) {
    cede_trap_exits(self, true);
    cede_result r = table_check(self, spec);
    if (r != CEDE_OK) return r;
    sup->spec = spec;
    sup->parent = parent;
    cede_ref me = cede_self_ref(self);
    sup->random = cede_now(self) ^ me.node ^ ((uint64_t)me.slot << 32 | me.generation) ^ 1;
    if (spec->restarts_max != CEDE_RESTARTS_UNLIMITED)
        r = cede_list_reserve(&sup->restarts, cedei_supervision_restarts_max(spec));
    if (is_simple(sup)) return r;
    for (uint32_t i = 0; r == CEDE_OK && i < spec->child_count; i++) {
        r = cedei_supervision_add(self, sup, &spec->children[i], NULL);
        if (r == CEDE_OK) sup->children.items[i].is_added = false;
    }
    return r;
}

cede_result cedei_supervision_add(cede_self *self, struct cedei_supervision *sup,
                                  const struct cede_child *spec, void *first) {
    (void)self;
    if (sup->children.count >= CHILDREN_LIMIT) return CEDE_ELIMIT;
    struct cedei_child *child = cede_list_add(&sup->children);
    if (child == NULL) return CEDE_ENOMEM;
    *child = (struct cedei_child){
        .spec = spec, .first = first, .state = CEDEI_CHILD_WAITING, .is_added = true};
    sup->states[CEDEI_CHILD_WAITING]++;
    return CEDE_OK;
}

void cedei_supervision_fini(struct cedei_supervision *sup) {
    cedei_std_free(&sup->children);
    cedei_std_free(&sup->restarts);
    cedei_refmap_fini(&sup->index);
}

void cedei_supervision_forget(cede_self *self, struct cedei_supervision *sup, uint32_t at) {
    struct cedei_child *child = &sup->children.items[at];
    uint32_t last = --sup->children.count;
    sup->states[child->state]--;
    if (child->first != NULL) cedei_drop(self, &child->first, CEDEI_HERE);
    uint32_t moved_to = is_simple(sup) ? at + (at != last) : last;
    if (is_simple(sup)) /* their order means nothing */
        *child = sup->children.items[last];
    else
        memmove(child, child + 1, (last - at) * sizeof *child);
    for (uint32_t i = at; i < moved_to; i++)
        if (sup->children.items[i].state == CEDEI_CHILD_RUNNING)
            cedei_refmap_put(&sup->index, sup->children.items[i].ref, i);
}

/* ---- starting one ---- */

CEDE_YIELDS static cede_result child_spawn(cede_self *self, const struct cedei_child *child,
                                           cede_ref *out) {
    const struct cede_child *spec = child->spec;
    if (spec->supervisor != NULL)
        return cedei_supervisor_spawn(self, spec->supervisor, false, CEDE_FOREVER, out);
    if (spec->start != NULL)
        return spec->start(self, child->first != NULL ? child->first : spec->argument, out);
    if (child->first == NULL)
        return cedei_spawn(self, spec->behaviour, NULL, out, CEDEI_LINKED, CEDEI_HERE);
    void *first = NULL;
    cede_result r = cedei_copy(self, child->first, &first, CEDEI_HERE);
    if (r == CEDE_OK) r = cedei_spawn(self, spec->behaviour, &first, out, CEDEI_LINKED, CEDEI_HERE);
    cedei_drop(self, &first, CEDEI_HERE);
    return r;
}

/* What was started, and is not wanted: its cede_exit will be that of a stranger. */
static void spawned_give_up(cede_self *self, cede_ref ref) {
    bool was_linked = cede_unlink(self, ref) == CEDE_OK;
    if (cede_kill(self, ref) != CEDE_OK || !was_linked) return; /* it has ended by itself */
}

/* Linked, named, and in the index. CEDE_ENOACTOR: it has ended already, and its cede_exit is on its way if it was linked. */
static cede_result spawned_take(cede_self *self, struct cedei_supervision *sup, uint32_t at,
                                cede_ref ref) {
    struct cedei_child *child = &sup->children.items[at];
    cede_result r = cede_link(self, ref);
    if (r != CEDE_OK && r != CEDE_ENOACTOR) return r;
    if (r == CEDE_OK && child->spec->name != NULL) {
        r = cede_name_register(self, child->spec->name, ref);
        if (r != CEDE_OK && r != CEDE_ENOACTOR) return r;
    }
    child->ref = ref;
    child->started_ns = cede_now(self);
    cedei_refmap_put(&sup->index, ref, at);
    state_set(sup, child, CEDEI_CHILD_RUNNING);
    return r;
}

/* ---- news ---- */

/* Writes down what it says; nothing is done about it yet. */
static void news_note(struct cedei_supervision *sup, const struct cede_exit *news) {
    uint32_t at = 0;
    if (news->reason == CEDE_STOP || cede_ref_equal(news->actor, sup->parent)) {
        sup->stopping = true;
        return;
    }
    if (!cedei_refmap_find(&sup->index, news->actor, &at)) return; /* one that was given up */
    struct cedei_child *child = &sup->children.items[at];
    cedei_refmap_remove(&sup->index, news->actor);
    child->reason = news->reason;
    state_set(sup, child, CEDEI_CHILD_DIED);
}

/* ---- ending ---- */

static cede_result child_ask_to_end(cede_self *self, const struct cedei_child *child) {
    if (child->spec->shutdown_ns == 1) return cede_kill(self, child->ref);
    return child->spec->drain ? cede_drain(self, child->ref) : cede_stop(self, child->ref);
}

static uint64_t end_limit(cede_self *self, const struct cede_child *spec) {
    uint64_t limit_ns = spec->shutdown_ns != 0 ? spec->shutdown_ns : SHUTDOWN_DEFAULT_NS;
    uint64_t now_ns = cede_now(self);
    return limit_ns > CEDE_FOREVER - now_ns ? CEDE_FOREVER : now_ns + limit_ns;
}

/* Takes the next cede_exit until `limit_ns`. */
CEDE_YIELDS static cede_result news_await(cede_self *self, struct cedei_supervision *sup,
                                          uint64_t limit_ns) {
    struct cede_exit *news = NULL;
    uint64_t now_ns = cede_now(self);
    uint64_t left_ns = limit_ns == CEDE_FOREVER ? CEDE_FOREVER
                       : limit_ns > now_ns      ? limit_ns - now_ns
                                                : 0;
    cede_result r = cede_recv(self, cede_exit, &news, left_ns);
    if (r == CEDE_OK) news_note(sup, news);
    cede_drop(self, &news);
    return r;
}

static bool is_running(const struct cedei_supervision *sup, cede_ref ref) {
    uint32_t at = 0;
    return cedei_refmap_find(&sup->index, ref, &at);
}

/* It had ended before it was linked. If its start function linked it, its cede_exit is here or comes at once; if not, nothing
 * tells of its end. */
CEDE_YIELDS static void early_end_await(cede_self *self, struct cedei_supervision *sup,
                                        cede_ref ref) {
    uint32_t at = 0;
    uint64_t limit_ns = cede_now(self) + CEDE_MILLIS(100);
    while (is_running(sup, ref) && news_await(self, sup, limit_ns) == CEDE_OK) continue;
    if (!cedei_refmap_find(&sup->index, ref, &at)) return;
    cedei_refmap_remove(&sup->index, ref);
    sup->children.items[at].reason = CEDE_ENOACTOR;
    state_set(sup, &sup->children.items[at], CEDEI_CHILD_DIED);
}

/* Until it has ended; what others send meanwhile stays in the mailbox. One that does not end in time is killed. Should there be
 * no memory to wait with, it is killed and not awaited. */
CEDE_YIELDS static void end_await(cede_self *self, struct cedei_supervision *sup, cede_ref ref,
                                  uint64_t limit_ns) {
    uint32_t at = 0;
    while (is_running(sup, ref)) {
        cede_result r = news_await(self, sup, limit_ns);
        if (r == CEDE_OK) continue;
        if (cede_kill(self, ref) != CEDE_OK && r != CEDE_ETIMEDOUT) break;
        if (r != CEDE_ETIMEDOUT) break;
        limit_ns = CEDE_FOREVER;
    }
    if (!cedei_refmap_find(&sup->index, ref, &at)) return;
    cedei_refmap_remove(&sup->index, ref);
    state_set(sup, &sup->children.items[at], CEDEI_CHILD_DIED);
}

CEDE_YIELDS static void child_end(cede_self *self, struct cedei_supervision *sup, uint32_t at) {
    struct cedei_child *child = &sup->children.items[at];
    if (child->state == CEDEI_CHILD_RUNNING) {
        cede_ref ref = child->ref;
        uint64_t limit_ns = end_limit(self, child->spec);
        cede_result r = child_ask_to_end(self, child);
        if (r == CEDE_ENOMEM) limit_ns = 0;
        end_await(self, sup, ref, limit_ns);
    }
    state_set(sup, &sup->children.items[at], CEDEI_CHILD_ENDED);
}

/* Of those that do not depend on each other: all at once. */
CEDE_YIELDS static void all_end(cede_self *self, struct cedei_supervision *sup) {
    uint64_t limit_ns = end_limit(self, &sup->spec->children[0]);
    for (uint32_t i = 0; i < sup->children.count; i++) {
        const struct cedei_child *child = &sup->children.items[i];
        if (child->state == CEDEI_CHILD_RUNNING && child_ask_to_end(self, child) == CEDE_ENOMEM)
            limit_ns = 0;
    }
    for (uint32_t i = 0; i < sup->children.count; i++) {
        if (sup->children.items[i].state == CEDEI_CHILD_RUNNING)
            end_await(self, sup, sup->children.items[i].ref, limit_ns);
        state_set(sup, &sup->children.items[i], CEDEI_CHILD_ENDED);
    }
}

void cedei_supervision_stop(cede_self *self, struct cedei_supervision *sup, uint32_t from) {
    if (is_simple(sup))
        all_end(self, sup);
    else
        for (uint32_t i = sup->children.count; i > from; i--) child_end(self, sup, i - 1);
    if (sup->changed != NULL) sup->changed(self, sup);
}

void cedei_supervision_remove(cede_self *self, struct cedei_supervision *sup, uint32_t at) {
    child_end(self, sup, at);
    if (sup->children.items[at].is_added) cedei_supervision_forget(self, sup, at);
    if (sup->changed != NULL) sup->changed(self, sup);
}

/* ---- starting ---- */

cede_result cedei_supervision_child_start(cede_self *self, struct cedei_supervision *sup,
                                          uint32_t at) {
    cede_ref ref = {0};
    cede_result r = cedei_refmap_reserve(&sup->index, sup->states[CEDEI_CHILD_RUNNING] + 1);
    if (r == CEDE_OK) r = child_spawn(self, &sup->children.items[at], &ref);
    if (r == CEDE_OK) {
        r = spawned_take(self, sup, at, ref);
        if (r != CEDE_OK && r != CEDE_ENOACTOR) spawned_give_up(self, ref);
        if (r == CEDE_ENOACTOR) early_end_await(self, sup, ref);
        if (r == CEDE_ENOACTOR) r = CEDE_OK; /* that it has ended is the news that comes */
    }
    if (r == CEDE_OK) {
        if (sup->changed != NULL) sup->changed(self, sup);
        return CEDE_OK;
    }
    cede_log(self, CEDE_LOG_WARNING, "supervisor: child '%s' cannot be started: %s (%s)",
             id_of(sup->children.items[at].spec), cede_result_name(r), cede_result_text(r));
    return r == CEDE_STOP ? CEDE_EFAILED : r;
}

cede_result cedei_supervision_start(cede_self *self, struct cedei_supervision *sup) {
    for (uint32_t i = 0; i < sup->children.count; i++) {
        cede_result r = cedei_supervision_child_start(self, sup, i);
        if (r == CEDE_OK) continue;
        cedei_supervision_stop(self, sup, 0);
        return r;
    }
    return CEDE_OK;
}

/* ---- restarting ---- */

/* One restart more: too many? */
static bool restarts_are_too_many(cede_self *self, struct cedei_supervision *sup) {
    sup->restart_count++;
    if (sup->spec->restarts_max == CEDE_RESTARTS_UNLIMITED) return false;
    uint32_t max = cedei_supervision_restarts_max(sup->spec);
    uint64_t now_ns = cede_now(self);
    uint64_t *oldest = &sup->restarts.items[(sup->restart_count - 1) % max];
    bool is_full = sup->restarts.count == max;
    bool too_many = is_full && now_ns - *oldest <= cedei_supervision_period_ns(sup->spec);
    *oldest = now_ns;
    if (!is_full) sup->restarts.count++;
    return too_many;
}

static uint64_t random_below(struct cedei_supervision *sup, uint64_t limit) {
    sup->random = sup->random * 6364136223846793005u + 1442695040888963407u;
    return limit != 0 ? (sup->random >> 16) % limit : 0;
}

static uint64_t backoff(struct cedei_supervision *sup, uint32_t failures) {
    uint64_t max_ns =
        sup->spec->backoff_max_ns != 0 ? sup->spec->backoff_max_ns : BACKOFF_MAX_DEFAULT_NS;
    uint64_t wait_ns = sup->spec->backoff_ns;
    for (uint32_t i = 1; i < failures && wait_ns < max_ns; i++) wait_ns *= 2;
    if (wait_ns > max_ns) wait_ns = max_ns;
    return wait_ns - random_below(sup, wait_ns / 2 + 1);
}

CEDE_YIELDS static cede_result give_up(cede_self *self, struct cedei_supervision *sup,
                                       const struct cedei_child *child, cede_result reason) {
    const char *id = id_of(child->spec);
    uint32_t max = cedei_supervision_restarts_max(sup->spec);
    unsigned long long millis = cedei_supervision_period_ns(sup->spec) / 1000000u;
    cede_log(self, CEDE_LOG_ERROR,
             "supervisor: gives up: more than %u restarts within %llu ms, the last of '%s' (%s)",
             max, millis, id, cede_result_name(reason));
    cedei_supervision_stop(self, sup, 0);
    return cede_fail(self, CEDE_ELIMIT,
                     "more than %u restarts within %llu ms, the last of '%s' (%s)", max, millis, id,
                     cede_result_name(reason));
}

/* From `from` on: to be started again at `due_ns`. */
static void all_wait(struct cedei_supervision *sup, uint32_t from, uint64_t due_ns) {
    for (uint32_t i = from; i < sup->children.count; i++) {
        struct cedei_child *child = &sup->children.items[i];
        if (child->spec->restart == CEDE_TEMPORARY) continue;
        child->due_ns = due_ns;
        state_set(sup, child, CEDEI_CHILD_WAITING);
    }
}

CEDE_YIELDS static cede_result child_wait(cede_self *self, struct cedei_supervision *sup,
                                          uint32_t at, cede_result reason, uint64_t wait_min_ns) {
    struct cedei_child *child = &sup->children.items[at];
    if (restarts_are_too_many(self, sup)) return give_up(self, sup, child, reason);
    uint64_t wait_ns = backoff(sup, ++child->failures);
    if (wait_ns < wait_min_ns) wait_ns = wait_min_ns;
    child->due_ns = cede_now(self) + wait_ns;
    state_set(sup, child, CEDEI_CHILD_WAITING);
    return CEDE_OK;
}

/* Takes what was added, ended, and will not be started again off the list. */
static void ended_forget(cede_self *self, struct cedei_supervision *sup, uint32_t from) {
    for (uint32_t i = sup->children.count; i > from; i--)
        if (sup->children.items[i - 1].state == CEDEI_CHILD_ENDED &&
            sup->children.items[i - 1].is_added)
            cedei_supervision_forget(self, sup, i - 1);
}

CEDE_YIELDS static cede_result child_see_to(cede_self *self, struct cedei_supervision *sup,
                                            uint32_t at) {
    struct cedei_child *child = &sup->children.items[at];
    cede_result reason = (cede_result)child->reason;
    bool again = child->spec->restart == CEDE_PERMANENT ||
                 (child->spec->restart == CEDE_TRANSIENT && reason != CEDE_OK);
    if (!again) {
        state_set(sup, child, CEDEI_CHILD_ENDED);
        if (child->is_added) cedei_supervision_forget(self, sup, at);
        if (sup->changed != NULL) sup->changed(self, sup);
        return CEDE_OK;
    }
    if (cede_now(self) - child->started_ns > cedei_supervision_period_ns(sup->spec))
        child->failures = 0;
    cede_log(self, CEDE_LOG_INFO, "supervisor: child '%s' has ended (%s) and is started again",
             id_of(child->spec), cede_result_name(reason));
    cede_result r = child_wait(self, sup, at, reason, 0);
    if (r != CEDE_OK) return r;
    if (sup->changed != NULL) sup->changed(self, sup);
    uint64_t due_ns = sup->children.items[at].due_ns;
    if (sup->spec->strategy != CEDE_ONE_FOR_ALL && sup->spec->strategy != CEDE_REST_FOR_ONE)
        return CEDE_OK;
    uint32_t from = sup->spec->strategy == CEDE_ONE_FOR_ALL ? 0 : at;
    cedei_supervision_stop(self, sup, from);
    all_wait(sup, from, due_ns);
    ended_forget(self, sup, from);
    return CEDE_OK;
}

/* The first child in `state`; count if there is none. */
static uint32_t child_find(const struct cedei_supervision *sup, enum cedei_child_state state) {
    uint32_t i = 0;
    while (i < sup->children.count && sup->children.items[i].state != state) i++;
    return i;
}

/* The child that is to be started next: where they depend on each other, the first that waits; else the one whose time comes
 * first. */
static uint32_t waiting_next(const struct cedei_supervision *sup) {
    bool ordered =
        sup->spec->strategy == CEDE_ONE_FOR_ALL || sup->spec->strategy == CEDE_REST_FOR_ONE;
    uint32_t best = child_find(sup, CEDEI_CHILD_WAITING);
    for (uint32_t i = best + 1; !ordered && i < sup->children.count; i++)
        if (sup->children.items[i].state == CEDEI_CHILD_WAITING &&
            sup->children.items[i].due_ns < sup->children.items[best].due_ns)
            best = i;
    return best;
}

/* Has the supervisor look again at `due_ns`. Without memory for that it waits here. */
CEDE_YIELDS static void retry_set(cede_self *self, struct cedei_supervision *sup, uint64_t due_ns) {
    uint64_t now_ns = cede_now(self);
    if (sup->timer_ns > now_ns && sup->timer_ns <= due_ns) return; /* it does already */
    struct cede_supervisor_retry *retry = cede_new(self, cede_supervisor_retry);
    uint64_t wait_ns = due_ns > now_ns ? due_ns - now_ns : 0;
    if (retry != NULL &&
        cede_send_after(self, cede_self_ref(self), &retry, wait_ns, NULL) == CEDE_OK) {
        sup->timer_ns = due_ns;
        return;
    }
    cede_drop(self, &retry);
    if (cede_sleep(self, wait_ns) != CEDE_OK) cede_yield(self);
    sup->timer_ns = 0;
}

CEDE_YIELDS static cede_result child_restart(cede_self *self, struct cedei_supervision *sup,
                                             uint32_t at) {
    cede_result r = cedei_supervision_child_start(self, sup, at);
    return r == CEDE_OK ? r : child_wait(self, sup, at, r, RETRY_MIN_NS);
}

cede_result cedei_supervision_go_on(cede_self *self, struct cedei_supervision *sup) {
    cede_result r = CEDE_OK;
    while (r == CEDE_OK) { /* until there is nothing to do now */
        if (sup->stopping) {
            cedei_supervision_stop(self, sup, 0);
            return CEDE_STOP;
        }
        if (sup->states[CEDEI_CHILD_DIED] != 0) {
            r = child_see_to(self, sup, child_find(sup, CEDEI_CHILD_DIED));
            continue;
        }
        if (sup->states[CEDEI_CHILD_WAITING] == 0) break;
        uint32_t at = waiting_next(sup);
        uint64_t due_ns = sup->children.items[at].due_ns;
        if (due_ns <= cede_now(self)) {
            r = child_restart(self, sup, at);
            continue;
        }
        retry_set(self, sup, due_ns);
        if (sup->timer_ns != 0) break;
    }
    return r;
}

cede_result cedei_supervision_exit(cede_self *self, struct cedei_supervision *sup,
                                   const struct cede_exit *news) {
    news_note(sup, news);
    return cedei_supervision_go_on(self, sup);
}
