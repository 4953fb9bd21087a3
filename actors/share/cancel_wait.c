/* cancel_wait.c - actors that wait for a cancel token, and tokens that are counted.
 * A token knows those below it only while somebody waits for one of them: a token that is only looked at costs nothing when it
 * is made, and needs no end. All that is under one lock of the process: it is taken by those who wait, and by a request that
 * somebody may wait for.
 * Invariants, under the lock: (1) a token is `awaited` exactly if somebody stands in its line or a token below it is; (2) an
 * awaited token is in the list of the one above it; (3) nobody stands in line at a token that is requested, but for the moment
 * until the request has taken the lock. */
#include <cede/job.h>

#include "actors/actor/actor.h"
#include "actors/share/cancel.h"
#include "actors/share/share.h"
#include "core/sys/clock.h"
#include "core/sys/thread.h"

static cedei_mutex tree_lock = CEDEI_MUTEX_INITIALIZER;

static struct cedei_line *line_of(cede_cancel *token) {
    return (struct cedei_line *)(void *)token->cedei_line;
}
_Static_assert(sizeof(struct cedei_line) == sizeof(((cede_cancel *)0)->cedei_line),
               "a token has room for a line");

static cede_cancel *above_of(cede_cancel *token) {
    return (cede_cancel *)(uintptr_t)token->cedei_above;
}

/* ---- the tree, under the lock ---- */

static bool is_awaited(cede_cancel *token) {
    /* relaxed: written under the lock. */
    return __atomic_load_n(&token->cedei_awaited, __ATOMIC_RELAXED) != 0;
}

/* Before somebody lines up at `token`. */
static void path_link(cede_cancel *token) {
    while (token != NULL && !is_awaited(token)) { /* as many as are above each other */
        cede_cancel *above = above_of(token);
        cedei_line_init(line_of(token));
        /* seq_cst: before the look at the flags; see cede_cancel_request. */
        __atomic_store_n(&token->cedei_awaited, 1, __ATOMIC_SEQ_CST);
        if (above != NULL) {
            cede_cancel *first = above->cedei_below;
            token->cedei_beside = first;
            if (first != NULL) first->cedei_back = &token->cedei_beside;
            token->cedei_back = &above->cedei_below;
            above->cedei_below = token;
        }
        token = above;
    }
}

/* After somebody has left: takes out those at which and below which nobody waits. */
static void path_unlink(cede_cancel *token) {
    while (token != NULL && line_of(token)->first == NULL && token->cedei_below == NULL) {
        cede_cancel *above = above_of(token);
        if (above != NULL) {
            *token->cedei_back = token->cedei_beside;
            if (token->cedei_beside != NULL) token->cedei_beside->cedei_back = token->cedei_back;
        }
        /* relaxed: whoever does not see it takes the lock for nothing. */
        __atomic_store_n(&token->cedei_awaited, 0, __ATOMIC_RELAXED);
        token = above;
    }
}

/* Gives to those who wait at or below `top`, as many as fit; whether that was all. Each token that is emptied goes out of the
 * tree on the way up, so no way is gone twice. */
static bool tree_give(cede_cancel *top, struct cedei_wakes *wakes) {
    cede_cancel *token = top;
    while (is_awaited(top)) {
        while (token->cedei_below != NULL) token = token->cedei_below;
        struct cedei_line *line = line_of(token);
        while (line->first != NULL) {
            if (wakes->count == CEDEI_WAKES_MAX) return false;
            cedei_line_give(line, line->first, CEDE_OK, wakes);
        }
        cede_cancel *above = above_of(token);
        bool was_top = token == top;
        path_unlink(token);
        token = was_top || above == NULL || !is_awaited(above) ? top : above;
    }
    return true;
}

void cedei_cancel_wake(cede_cancel *cancel) {
    bool is_over = false;
    while (!is_over) { /* each round wakes as many as fit */
        struct cedei_wakes wakes = {.count = 0};
        cede_system *system = NULL;
        cedei_mutex_lock(&tree_lock);
        is_over = tree_give(cancel, &wakes);
        if (wakes.count > 0)
            system = wakes.who[0].actor->system; /* a tree may be used by one only */
        cedei_mutex_unlock(&tree_lock);
        cedei_wakes_send(system, &wakes);
    }
}

/* ---- waiting ---- */

static bool line_leave(cede_cancel *token, struct cedei_place *place) {
    cedei_mutex_lock(&tree_lock);
    bool was_lined = place->state == CEDEI_PLACE_LINED;
    if (was_lined) {
        cedei_line_remove(line_of(token), place);
        path_unlink(token);
    }
    cedei_mutex_unlock(&tree_lock);
    return was_lined;
}

static void cancel_place_leave(struct cedei_place *place) {
    (void)line_leave(place->object, place); /* all are told: nothing to hand on */
}

CEDE_YIELDS cede_result cede_cancel_await(cede_self *self, const cede_cancel *cancel,
                                          uint64_t timeout_ns) {
    cede_result why = CEDE_OK;
    if (self == NULL) return CEDE_ECONTEXT;
    if (cancel == NULL) return CEDE_EINVAL;
    if (cede_cancel_is_requested(cancel)) return CEDE_OK;
    cede_cancel *token =
        (cede_cancel *)(uintptr_t)cancel; /* its line is not the reader's business */
    uint64_t deadline_ns = cedei_deadline_of(timeout_ns);
    struct cedei_place *place = cedei_place_begin(self, timeout_ns, "cede_cancel_await", &why);
    if (place == NULL) return why;
    cedei_place_aim(place, token, cancel_place_leave);
    cedei_mutex_lock(&tree_lock);
    path_link(token);
    bool is_lined = !cede_cancel_is_requested(cancel);
    if (is_lined)
        cedei_line_append(line_of(token), place);
    else
        path_unlink(token);
    cedei_mutex_unlock(&tree_lock);
    if (!is_lined) {
        cedei_place_withdraw(place);
        return CEDE_OK;
    }
    cede_result r = cedei_place_wait(place, deadline_ns);
    if (r != CEDE_OK) (void)line_leave(token, place);
    return cedei_place_end(place, r);
}

/* Lines up for `token` in a wait that has begun for something else. False: it is requested already. */
static bool line_join(cede_self *self, cede_cancel *token, uint32_t sequence) {
    struct cedei_place *place = &self->extra->place;
    place->actor = self;
    place->object = token;
    place->leave = cancel_place_leave;
    place->sequence = sequence;
    cedei_mutex_lock(&tree_lock);
    path_link(token);
    bool is_lined = !cede_cancel_is_requested(token);
    if (is_lined)
        cedei_line_append(line_of(token), place);
    else
        path_unlink(token);
    cedei_mutex_unlock(&tree_lock);
    return is_lined;
}

CEDE_YIELDS cede_result cedei_ask_cancelable(cede_self *self, cede_ref to, void **request,
                                             struct cede_type *reply_type, void **reply,
                                             uint64_t timeout_ns, const cede_cancel *cancel,
                                             const char *here) {
    if (cancel == NULL) return cedei_ask(self, to, request, reply_type, reply, timeout_ns, here);
    if (self == NULL) return CEDE_ECONTEXT;
    if (reply == NULL) return CEDE_EINVAL;
    if (cede_cancel_is_requested(cancel)) return CEDE_ECANCELED;
    if (cedei_extra_of(self) == NULL) return CEDE_ENOMEM;
    cede_cancel *token = (cede_cancel *)(uintptr_t)cancel;
    struct cedei_ask_wait wait = {0};
    cede_result r =
        cedei_ask_begin_for(self, self, to, request, reply_type, timeout_ns, here, &wait);
    if (r != CEDE_OK) return r;
    if (!line_join(self, token, wait.sequence))
        (void)cedei_wait_wake(self->system, self->worker, self, wait.sequence,
                              cedei_wake_code(CEDE_OK));
    r = cedei_ask_finish(self, &wait, reply);
    (void)line_leave(token, &self->extra->place);
    (void)cedei_place_end(&self->extra->place, CEDE_OK);
    return r;
}

/* ---- jobs ---- */

/* Until `job` ends or `token` is requested. */
static CEDE_YIELDS cede_result job_or_token_await(cede_self *self, cede_job *job,
                                                  cede_cancel *token, uint64_t timeout_ns) {
    if (timeout_ns == 0 || cede_cancel_is_requested(token)) return CEDE_OK;
    uint32_t sequence = cedei_wait_begin(self);
    if (!cedei_job_end_wakes(job, sequence)) {
        (void)cedei_wait_withdraw(self, sequence);
        return CEDE_OK;
    }
    if (!line_join(self, token, sequence))
        (void)cedei_wait_wake(self->system, self->worker, self, sequence, cedei_wake_code(CEDE_OK));
    cede_result r = (cede_result)(cedei_wait_finish(self, sequence, timeout_ns) >> 4);
    (void)line_leave(token, &self->extra->place);
    (void)cedei_place_end(&self->extra->place, CEDE_OK);
    bool has_ended = !cedei_job_end_wakes(job, 0);
    return has_ended ? CEDE_OK : r;
}

CEDE_YIELDS cede_result cedei_job_await_cancelable(cede_self *self, cede_job **job,
                                                   struct cede_type *type, void **message,
                                                   uint64_t timeout_ns, const cede_cancel *cancel,
                                                   const char *here) {
    if (cancel == NULL) return cedei_job_await(self, job, type, message, timeout_ns, here);
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_job_await_cancelable", here);
    cede_result r = cedei_job_check(self, job, type, message);
    if (r != CEDE_OK) return r;
    uint64_t deadline_ns = cedei_deadline_of(timeout_ns);
    r = job_or_token_await(self, *job, (cede_cancel *)(uintptr_t)cancel, timeout_ns);
    if (r == CEDE_OK && cede_cancel_is_requested(cancel)) r = cede_job_cancel(self, *job);
    if (r != CEDE_OK) return r;
    /* What never ran has ended now; what runs is told, and its message comes back when it has returned. */
    if (deadline_ns != UINT64_MAX) {
        uint64_t now_ns = cedei_clock_now_ns();
        timeout_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
    }
    return cedei_job_await(self, job, type, message, timeout_ns, here);
}

/* ---- tokens that are counted ---- */

/* One that was made by cede_cancel_create: holds the one above it. */
struct counted {
    cede_cancel token;
    cede_cancel *above;
};

static void cancel_drop(void *body) { cedei_share_unref(((struct counted *)body)->above); }
struct cede_type cede_type_cede_cancel = {.name = "cede_cancel",
                                          .size = sizeof(struct counted),
                                          .align = _Alignof(struct counted),
                                          .wire_min = 1,
                                          .owning = 1,
                                          .holds = CEDEI_HOLDS_OPAQUE,
                                          .drop = cancel_drop};

cede_result cede_cancel_create(cede_self *self, cede_cancel *above, cede_cancel **out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (out == NULL) return CEDE_EINVAL;
    struct counted *counted = cedei_share_create(self, &cede_type_cede_cancel);
    if (counted == NULL) return CEDE_ENOMEM;
    if (above != NULL) cedei_frozen_ref(above);
    counted->above = above;
    cede_cancel_init(&counted->token, above);
    *out = &counted->token;
    return CEDE_OK;
}
