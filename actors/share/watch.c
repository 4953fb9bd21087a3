/* watch.c - cede_watch: the newest of the values that somebody sets, as a frozen message.
 * Invariant: the watch holds one reference to the newest value, and `version` goes up by one with each. */
#include <cede/watch.h>

#include "actors/actor/actor.h"
#include "actors/message/frozen.h"
#include "actors/share/share.h"

/* Access: I; L = under `lock`. */
struct cede_watch {
    cede_system *system;          /* I */
    const struct cede_type *type; /* I */
    cedei_mutex lock;
    const void *newest;     /* L */
    uint64_t version;       /* L: from 1 */
    bool is_closed;         /* L */
    struct cedei_line line; /* L; `want` of a place: the version that it has seen */
};

static void watch_drop(struct cede_watch *watch) {
    if (watch->newest != NULL) cedei_frozen_unref(watch->newest);
    if (watch->system != NULL) cedei_mutex_fini(&watch->lock);
}
CEDEI_SHARE_TYPE(cede_watch, watch_drop);

cede_result cedei_watch_create(cede_self *self, const struct cede_type *type, void **first,
                               cede_watch **out, const char *here) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (out == NULL) return CEDE_EINVAL;
    cede_watch *watch = cedei_share_create(self, &cede_type_cede_watch);
    if (watch == NULL) return CEDE_ENOMEM;
    cede_result r = cedei_freeze_as(self, type, first, &watch->newest, here);
    if (r != CEDE_OK) {
        cedei_share_unref(watch);
        return r;
    }
    watch->system = self->system;
    watch->type = type;
    watch->version = 1;
    cedei_mutex_init(&watch->lock);
    cedei_line_init(&watch->line);
    *out = watch;
    return CEDE_OK;
}

/* Wakes all whose version is older than `version`, or all when it is closed. */
static void watch_wake(cede_watch *watch, uint64_t version) {
    struct cedei_wakes wakes = {.count = 0};
    bool is_more = true;
    while (is_more) { /* each round wakes as many as fit */
        cedei_mutex_lock(&watch->lock);
        struct cedei_place *first = NULL;
        is_more = false;
        while ((first = watch->line.first) != NULL && first->want < version && !is_more) {
            cedei_line_give(&watch->line, first, CEDE_OK, &wakes);
            is_more = wakes.count == CEDEI_WAKES_MAX;
        }
        cedei_mutex_unlock(&watch->lock);
        cedei_wakes_send(watch->system, &wakes);
    }
}

cede_result cedei_watch_set(cede_self *self, cede_watch *watch, void **message, const char *here) {
    const void *value = NULL, *before = NULL;
    if (watch == NULL) return self == NULL ? CEDE_ECONTEXT : CEDE_EINVAL;
    cedei_mutex_lock(&watch->lock);
    bool is_closed = watch->is_closed;
    cedei_mutex_unlock(&watch->lock);
    if (is_closed) return CEDE_ECLOSED;
    cede_result r = cedei_freeze_as(self, watch->type, message, &value, here);
    if (r != CEDE_OK) return r;
    cedei_mutex_lock(&watch->lock);
    before = watch->newest;
    watch->newest = value;
    uint64_t version = ++watch->version;
    cedei_mutex_unlock(&watch->lock);
    cedei_frozen_unref(before);
    watch_wake(watch, version);
    return CEDE_OK;
}

void cede_watch_close(cede_watch *watch) {
    if (watch == NULL) return;
    cedei_mutex_lock(&watch->lock);
    watch->is_closed = true;
    cedei_mutex_unlock(&watch->lock);
    watch_wake(watch, UINT64_MAX);
}

/* Under the lock: whether there is something that was not seen. */
static bool is_news(const cede_watch *watch, const uint64_t *seen) {
    return seen == NULL || *seen != watch->version;
}

/* Under the lock: a reference to the newest value. */
static const void *newest_take(cede_watch *watch, uint64_t *seen) {
    cedei_frozen_ref(watch->newest);
    if (seen != NULL) *seen = watch->version;
    return watch->newest;
}

static void out_set(const void **out, const void *value) {
    const void *before = *out;
    *out = value;
    if (before != NULL) cedei_frozen_unref(before);
}

static bool line_leave(cede_watch *watch, struct cedei_place *place) {
    cedei_mutex_lock(&watch->lock);
    bool was_lined = place->state == CEDEI_PLACE_LINED;
    if (was_lined) cedei_line_remove(&watch->line, place);
    cedei_mutex_unlock(&watch->lock);
    return was_lined;
}

static void watch_place_leave(struct cedei_place *place) {
    (void)line_leave(place->object, place); /* nothing is given that another could miss */
}

/* Lines up if there is no news. True: it stands in line. */
static bool line_up(cede_watch *watch, struct cedei_place *place, const uint64_t *seen) {
    cedei_mutex_lock(&watch->lock);
    bool is_lined = !is_news(watch, seen) && !watch->is_closed;
    if (is_lined) {
        place->want = watch->version;
        cedei_line_append(&watch->line, place);
    }
    cedei_mutex_unlock(&watch->lock);
    return is_lined;
}

static CEDE_YIELDS cede_result news_await(cede_self *self, cede_watch *watch, const uint64_t *seen,
                                          uint64_t timeout_ns) {
    cede_result why = CEDE_OK;
    uint64_t deadline_ns = cedei_deadline_of(timeout_ns);
    struct cedei_place *place = cedei_place_begin(self, timeout_ns, "cede_watch_await", &why);
    if (place == NULL) return why;
    cedei_place_aim(place, watch, watch_place_leave);
    if (!line_up(watch, place, seen)) {
        cedei_place_withdraw(place);
        return CEDE_OK;
    }
    cede_result r = cedei_place_wait(place, deadline_ns);
    if (r != CEDE_OK) (void)line_leave(watch, place);
    return cedei_place_end(place, r);
}

/* CEDE_OK with `*value` NULL: there is no news yet. */
static cede_result look(cede_watch *watch, uint64_t *seen, const void **value) {
    cedei_mutex_lock(&watch->lock);
    bool is_closed = watch->is_closed;
    if (is_news(watch, seen)) *value = newest_take(watch, seen);
    cedei_mutex_unlock(&watch->lock);
    return *value == NULL && is_closed ? CEDE_ECLOSED : CEDE_OK;
}

cede_result cedei_watch_get(cede_watch *watch, const struct cede_type *type, const void **out) {
    if (watch == NULL || out == NULL) return CEDE_EINVAL;
    if (type != watch->type) return CEDE_ETYPE;
    const void *value = NULL;
    cedei_mutex_lock(&watch->lock);
    if (*out != watch->newest)
        value = newest_take(watch, NULL); /* else the caller has it already */
    cedei_mutex_unlock(&watch->lock);
    if (value != NULL) out_set(out, value);
    return CEDE_OK;
}

CEDE_YIELDS cede_result cedei_watch_await(cede_self *self, cede_watch *watch,
                                          const struct cede_type *type, uint64_t *seen,
                                          const void **out, uint64_t timeout_ns) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (watch == NULL || seen == NULL || out == NULL) return CEDE_EINVAL;
    if (type != watch->type) return CEDE_ETYPE;
    const void *value = NULL;
    cede_result r = look(watch, seen, &value);
    if (r == CEDE_OK && value == NULL) {
        r = news_await(self, watch, seen, timeout_ns);
        if (r == CEDE_OK) r = look(watch, seen, &value);
    }
    if (r == CEDE_OK) out_set(out, value);
    return r;
}
