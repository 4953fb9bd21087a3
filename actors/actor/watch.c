/* watch.c - who is told when an actor ends: monitors and links, and what a failed handler said.
 * Owns the `watches` of every actor, under the system's `watch_lock`. A monitor is one entry in the list of the actor that is
 * watched. A link is two, one in each list, which name each other (`twin`); what ends first takes the other's away.
 * Invariants: (1) who watches marks the slot first and looks at the generation then, the end changes the generation first
 * and looks at the mark then: a watch is either registered before the end and told by it, or refused, and an end that
 * nobody watches takes no lock; (2) the news of a watch is made with it, so no shortage loses it; (3) while an entry has a
 * twin, the actors of both have not looked at their lists for the last time, so their slots are still theirs. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cede/failure.h>

#include "actors/actor/actor.h"
#include "actors/actor/deliver.h"
#include "core/sys/alloc.h"

/* Access: all under `watch_lock`, or by whoever took it out of its list. */
struct cedei_watch {
    struct cedei_watch *next, **back; /* in the list of the actor that is watched */
    struct cedei_watch *twin;         /* of a link; NULL: a monitor, or a link that is cut */
    cede_ref watcher;
    struct cedei_msg
        *news; /* for the watcher: a cede_down, of a link a cede_exit; NULL: it lives elsewhere */
    bool is_link;
    bool is_cause; /* of a link: the other has failed, and the news is what the actor ends of */
    bool trapped;  /* at the end: the watcher traps exits */
};

/* ---- entries ---- */

static struct cedei_watch *watch_make(cede_system *system, struct cedei_worker *worker,
                                      cede_ref watcher, struct cede_type *news) {
    struct cedei_watch *watch = cedei_alloc(sizeof *watch);
    if (watch == NULL) return NULL;
    *watch = (struct cedei_watch){.watcher = watcher, .is_link = news == &cede_type_cede_exit};
    if (news == NULL) return watch;
    watch->news = cedei_msg_take(system, worker, news);
    if (watch->news != NULL) return watch;
    cedei_free(watch);
    return NULL;
}

static void watch_free(cede_system *system, struct cedei_worker *worker, struct cedei_watch *watch) {
    if (watch == NULL) return;
    if (watch->news != NULL) cedei_msg_release(system, worker, watch->news);
    cedei_free(watch);
}

/* A list without an end that anybody looks at, linked by `next`. */
static void watches_free(cede_system *system, struct cedei_worker *worker,
                         struct cedei_watch *watch) {
    while (watch != NULL) { /* a list of our own */
        struct cedei_watch *next = watch->next;
        watch_free(system, worker, watch);
        watch = next;
    }
}

/* All four under the lock. */

static void watch_put(struct cede_self *actor, struct cedei_watch *watch) {
    watch->next = actor->watches;
    watch->back = &actor->watches;
    if (watch->next != NULL) watch->next->back = &watch->next;
    actor->watches = watch;
}

static void watch_take(struct cedei_watch *watch) {
    *watch->back = watch->next;
    if (watch->next != NULL) watch->next->back = watch->back;
}

static struct cedei_watch *link_find(struct cede_self *actor, cede_ref other) {
    struct cedei_watch *watch = actor->watches;
    while (watch != NULL && (watch->twin == NULL || !cede_ref_equal(watch->watcher, other)))
        watch = watch->next;
    return watch;
}

/* Marks it, for watches_take; false: it has ended. */
static bool watch_is_welcome(struct cede_self *actor, uint32_t generation) {
    /* seq_cst (both): marked before the look at the generation; see watches_take. */
    atomic_store_explicit(&actor->watched, true, memory_order_seq_cst);
    uint64_t identity = atomic_load_explicit(&actor->identity, memory_order_seq_cst);
    return identity >> 32 == generation;
}

/* ---- with an actor that is yet to be spawned ---- */

/* The halves of a link name each other from the beginning. */
static struct cedei_watch *link_make(cede_self *self, cede_ref other) {
    struct cedei_watch *there =
        watch_make(self->system, self->worker, cedei_ref_of(self), &cede_type_cede_exit);
    if (there == NULL) return NULL;
    struct cedei_watch *here = watch_make(self->system, self->worker, other, &cede_type_cede_exit);
    if (here == NULL) {
        watch_free(self->system, self->worker, there);
        return NULL;
    }
    here->twin = there;
    there->twin = here;
    return there;
}

static void link_free(cede_self *self, struct cedei_watch *there) {
    if (there == NULL) return;
    watch_free(self->system, self->worker, there->twin);
    watch_free(self->system, self->worker, there);
}

cede_result cedei_ties_make(cede_self *self, unsigned ties, struct cedei_ties *out) {
    struct cedei_ties made = {NULL, NULL};
    if (ties & CEDEI_MONITORED) {
        made.monitor =
            watch_make(self->system, self->worker, cedei_ref_of(self), &cede_type_cede_down);
        if (made.monitor == NULL) return CEDE_ENOMEM;
    }
    if (ties & CEDEI_LINKED && (made.link = link_make(self, (cede_ref){0})) == NULL) {
        watch_free(self->system, self->worker, made.monitor);
        return CEDE_ENOMEM;
    }
    *out = made;
    return CEDE_OK;
}

void cedei_ties_discard(cede_self *self, struct cedei_ties *made) {
    watch_free(self->system, self->worker, made->monitor);
    link_free(self, made->link);
}

void cedei_ties_fasten(struct cede_self *actor, struct cedei_ties *made) {
    cede_system *system = actor->system;
    cedei_mutex_lock(&system->watch_lock);
    if (made->monitor != NULL) watch_put(actor, made->monitor);
    if (made->link != NULL) {
        struct cede_self *spawner = cedei_table_slot(system, made->link->watcher.slot);
        made->link->twin->watcher = cedei_ref_of(actor);
        watch_put(actor, made->link);
        watch_put(spawner, made->link->twin);
        /* relaxed: the spawner's own end, which comes later, in its own turn. */
        atomic_store_explicit(&spawner->watched, true, memory_order_relaxed);
    }
    /* relaxed: published with the ref. */
    atomic_store_explicit(&actor->watched, true, memory_order_relaxed);
    cedei_mutex_unlock(&system->watch_lock);
}

/* ---- monitors ---- */

/* Takes `watch` on CEDE_OK. */
static cede_result watch_add(cede_system *system, cede_ref target, struct cedei_watch *watch) {
    cede_result r = CEDE_ENOACTOR;
    struct cede_self *actor = target.generation != 0 ? cedei_table_find(system, target) : NULL;
    if (actor == NULL) return r;
    cedei_mutex_lock(&system->watch_lock);
    if (watch_is_welcome(actor, target.generation)) {
        watch_put(actor, watch);
        r = CEDE_OK;
    }
    cedei_mutex_unlock(&system->watch_lock);
    return r;
}

cede_result cedei_monitor_add(cede_system *system, cede_ref watcher, cede_ref target) {
    struct cedei_watch *watch = watch_make(system, NULL, watcher, NULL);
    if (watch == NULL) return CEDE_ENOMEM;
    cede_result r = watch_add(system, target, watch);
    if (r != CEDE_OK) cedei_free(watch);
    return r;
}

/* The message is made first, so that once this is CEDE_OK nothing can keep it from coming. */
static cede_result monitor_local(cede_self *self, cede_ref target) {
    struct cedei_watch *watch =
        watch_make(self->system, self->worker, cedei_ref_of(self), &cede_type_cede_down);
    if (watch == NULL) return CEDE_ENOMEM;
    if (watch_add(self->system, target, watch) == CEDE_OK) return CEDE_OK;
    cedei_down_send(self->system, self->worker, watch->watcher, watch->news, target, CEDE_ENOACTOR);
    cedei_free(watch);
    return CEDE_OK;
}

void cedei_monitor_remove_node(cede_system *system, uint64_t node) {
    cedei_mutex_lock(&system->table_lock);
    uint32_t slots = system->slots_used;
    cedei_mutex_unlock(&system->table_lock);
    cedei_mutex_lock(&system->watch_lock);
    for (uint32_t slot = 0; slot < slots; slot++) {
        struct cedei_watch *watch = cedei_table_slot(system, slot)->watches;
        while (watch != NULL) {
            struct cedei_watch *next = watch->next;
            if (watch->watcher.node == node) {
                watch_take(watch);
                cedei_free(watch);
            }
            watch = next;
        }
    }
    cedei_mutex_unlock(&system->watch_lock);
}

cede_result cede_monitor(cede_self *self, cede_ref actor) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_monitor", "");
    cede_system *system = self->system;
    if (actor.node == system->uid || cede_ref_is_none(actor)) return monitor_local(self, actor);
    const struct cedei_remote_ops *ops = cedei_remote_ops_of(system);
    cede_result r =
        ops != NULL ? ops->monitor(system->remote_context, cedei_ref_of(self), actor) : CEDE_ENODE;
    if (r == CEDE_OK || r == CEDE_ENOMEM) return r;
    cedei_down_deliver(system, cedei_ref_of(self), actor, r);
    return CEDE_OK;
}

/* All that `watcher` has of the local actor `target`, out of its list. */
static struct cedei_watch *monitors_take(cede_system *system, cede_ref watcher, cede_ref target) {
    struct cede_self *actor = cedei_table_find(system, target);
    if (actor == NULL) return NULL;
    struct cedei_watch *taken = NULL;
    cedei_mutex_lock(&system->watch_lock);
    /* Under the lock, an actor that has ended has an empty list, unless the next tenant is watched already. */
    struct cedei_watch *watch =
        cedei_generation_of(actor) == target.generation ? actor->watches : NULL;
    while (watch != NULL) {
        struct cedei_watch *next = watch->next;
        if (!watch->is_link && cede_ref_equal(watch->watcher, watcher)) {
            watch_take(watch);
            watch->next = taken;
            taken = watch;
        }
        watch = next;
    }
    cedei_mutex_unlock(&system->watch_lock);
    return taken;
}

uint32_t cedei_monitor_remove(cede_system *system, cede_ref watcher, cede_ref target) {
    struct cedei_watch *taken = monitors_take(system, watcher, target);
    uint32_t count = 0;
    for (struct cedei_watch *watch = taken; watch != NULL; watch = watch->next) count++;
    watches_free(system, NULL, taken);
    return count;
}

cede_result cede_demonitor(cede_self *self, cede_ref target) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_demonitor", "");
    cede_system *system = self->system;
    cede_ref me = cedei_ref_of(self);
    if (target.node != system->uid && !cede_ref_is_none(target)) {
        const struct cedei_remote_ops *ops = cedei_remote_ops_of(system);
        return ops != NULL ? ops->demonitor(system->remote_context, me, target) : CEDE_ENOENT;
    }
    struct cedei_watch *taken = monitors_take(system, me, target);
    if (taken == NULL) return CEDE_ENOENT;
    watches_free(system, self->worker, taken);
    return CEDE_OK;
}

/* ---- links ---- */

cede_result cede_link(cede_self *self, cede_ref target) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_link", "");
    cede_system *system = self->system;
    cede_ref me = cedei_ref_of(self);
    if (target.node != system->uid) return cede_ref_is_none(target) ? CEDE_ENOACTOR : CEDE_ENOTSUP;
    if (cede_ref_equal(me, target)) return CEDE_EINVAL;
    struct cede_self *other = cedei_table_find(system, target);
    if (other == NULL) return CEDE_ENOACTOR;
    struct cedei_watch *there = link_make(self, target);
    if (there == NULL) return CEDE_ENOMEM;
    cedei_mutex_lock(&system->watch_lock);
    bool is_alive = watch_is_welcome(other, target.generation);
    /* The list of whoever is linked is likely shorter than that of whoever links. */
    bool is_new = is_alive && link_find(other, me) == NULL;
    if (is_new) {
        /* relaxed: our own end comes later, in our own turn. */
        atomic_store_explicit(&self->watched, true, memory_order_relaxed);
        watch_put(self, there->twin);
        watch_put(other, there);
    }
    cedei_mutex_unlock(&system->watch_lock);
    if (!is_new) link_free(self, there);
    return is_alive ? CEDE_OK : CEDE_ENOACTOR;
}

cede_result cede_unlink(cede_self *self, cede_ref other) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_unlink", "");
    cede_system *system = self->system;
    cedei_mutex_lock(&system->watch_lock);
    struct cedei_watch *here = link_find(self, other);
    if (here != NULL) {
        watch_take(here);
        watch_take(here->twin);
    }
    cedei_mutex_unlock(&system->watch_lock);
    if (here == NULL) return CEDE_ENOENT;
    link_free(self, here);
    return CEDE_OK;
}

void cede_trap_exits(cede_self *self, bool trap) {
    if (self == NULL) return;
    cedei_self_check(self, "cede_trap_exits", "");
    cedei_mutex_lock(&self->system->watch_lock);
    /* relaxed: read under the lock, except where a moment's delay does no harm. */
    atomic_store_explicit(&self->traps_exits, trap, memory_order_relaxed);
    cedei_mutex_unlock(&self->system->watch_lock);
}

/* ---- the place of a failure ---- */

cede_result cedei_fail(cede_self *self, cede_result reason, const char *here, const char *format,
                       ...) {
    enum { TEXT_SIZE = CEDEI_PLACE_SIZE };
    if (reason == CEDE_OK || reason == CEDE_STOP) reason = CEDE_EFAILED;
    if (self == NULL) return reason;
    cedei_self_check(self, "cede_fail", here);
    struct cedei_extra *extra = cedei_extra_of(self);
    if (extra == NULL) return reason; /* without a text, then */
    if (extra->failure == NULL) extra->failure = cedei_alloc(TEXT_SIZE);
    if (extra->failure == NULL) return reason;
    extra->failure_reason = reason;
    int length = snprintf(extra->failure, TEXT_SIZE, "%s: ", here);
    size_t used = length < 0 || length >= TEXT_SIZE ? 0 : (size_t)length;
    va_list arguments;
    va_start(arguments, format);
    if (vsnprintf(extra->failure + used, TEXT_SIZE - used, format, arguments) < 0)
        extra->failure[used] = '\0';
    va_end(arguments);
    return reason;
}

const char *cedei_failure_of(cede_self *self, cede_result reason) {
    if (self->extra == NULL || self->extra->failure == NULL) return NULL;
    return self->extra->failure_reason == reason ? self->extra->failure : NULL;
}

/* Of what did it die that was linked? */
static void cause_write(cede_self *self, char *place) {
    cedei_mutex_lock(&self->system->watch_lock);
    struct cedei_watch *watch = self->watches;
    while (watch != NULL && !watch->is_cause) watch = watch->next;
    if (watch != NULL) {
        const struct cede_exit *news = cedei_msg_body(watch->news);
        (void)snprintf(place, CEDEI_PLACE_SIZE, "%s", cede_str_text(&news->place));
    }
    cedei_mutex_unlock(&self->system->watch_lock);
}

void cedei_obituary_write(cede_self *self, struct cedei_obituary *obituary) {
    if (self->worker == NULL || obituary->reason == CEDE_EKILLED) return;
    if (obituary->reason == CEDE_ELINKED) {
        cause_write(self, obituary->place);
        return;
    }
    const char *why = cedei_failure_of(self, obituary->reason);
    (void)snprintf(obituary->place, CEDEI_PLACE_SIZE, "%s%shandling '%s'", why != NULL ? why : "",
                   why != NULL ? ", " : "",
                   self->turn_type != NULL ? self->turn_type->name : "nothing");
}

/* ---- telling ---- */

static bool is_failure(const cede_self *self, const struct cedei_obituary *obituary) {
    /* When the system is destroyed, everybody ends: nobody because of another. */
    return obituary->reason != CEDE_OK && self->worker != NULL;
}

/* It stays empty if memory is short. */
static void place_set(cede_str *place, const char *text) {
    if (text[0] != '\0' && cede_str_set(place, text) != CEDE_OK) place->size = 0;
}

/* Under the lock: the other half of a link, whose actor is still there. It goes to `*spent`, or stays as what its actor ends of. */
static void link_cut(cede_self *self, struct cedei_watch *watch,
                     const struct cedei_obituary *obituary, struct cedei_watch **spent) {
    struct cedei_watch *twin = watch->twin;
    struct cede_self *other = cedei_table_slot(self->system, watch->watcher.slot);
    watch->twin = twin->twin = NULL;
    /* relaxed: written under the lock, which is held. */
    watch->trapped = atomic_load_explicit(&other->traps_exits, memory_order_relaxed);
    if (watch->trapped || !is_failure(self, obituary)) {
        watch_take(twin);
        twin->next = *spent;
        *spent = twin;
        return;
    }
    twin->is_cause = true;
    struct cede_exit *cause = cedei_msg_body(twin->news);
    char text[CEDEI_PLACE_SIZE];
    (void)snprintf(text, sizeof text, "linked with actor '%s': %s, %.180s", self->behaviour->name,
                   cede_result_name(obituary->reason), obituary->place);
    place_set(&cause->place, text);
}

/* After the generation has changed. */
static struct cedei_watch *watches_take(cede_self *self, const struct cedei_obituary *obituary,
                                        struct cedei_watch **spent) {
    /* seq_cst: after the change of the generation; whoever is not seen here saw it, and was refused (watch_is_welcome). */
    if (CEDEI_LIKELY(!atomic_load_explicit(&self->watched, memory_order_seq_cst))) return NULL;
    cedei_mutex_lock(&self->system->watch_lock);
    struct cedei_watch *watches = self->watches;
    self->watches = NULL;
    for (struct cedei_watch *watch = watches; watch != NULL; watch = watch->next)
        if (watch->twin != NULL) link_cut(self, watch, obituary, spent);
    /* relaxed: under the lock, which the next to set it takes. */
    atomic_store_explicit(&self->watched, false, memory_order_relaxed);
    cedei_mutex_unlock(&self->system->watch_lock);
    return watches;
}

/* A cede_exit, for one that traps exits. */
static void exit_send(cede_self *self, struct cedei_watch *watch,
                      const struct cedei_obituary *obituary) {
    struct cedei_msg *msg = watch->news;
    struct cede_exit *news = cedei_msg_body(msg);
    watch->news = NULL;
    news->actor = obituary->actor;
    news->reason = (int32_t)obituary->reason;
    place_set(&news->place, obituary->place);
    cedei_control_send(self->system, self->worker, watch->watcher, msg);
}

static void down_send(cede_self *self, struct cedei_watch *watch,
                      const struct cedei_obituary *obituary) {
    cede_system *system = self->system;
    if (watch->news != NULL) {
        struct cedei_msg *msg = watch->news;
        watch->news = NULL;
        place_set(&((struct cede_down *)cedei_msg_body(msg))->place, obituary->place);
        cedei_down_send(system, self->worker, watch->watcher, msg, obituary->actor,
                        obituary->reason);
    } else {
        const struct cedei_remote_ops *ops = cedei_remote_ops_of(system);
        if (ops != NULL)
            ops->down(system->remote_context, watch->watcher, obituary->actor, obituary->reason);
    }
}

void cedei_watchers_tell(cede_self *self, const struct cedei_obituary *obituary) {
    struct cedei_watch *spent = NULL;
    struct cedei_watch *watches = watches_take(self, obituary, &spent);
    watches_free(self->system, self->worker, spent);
    /* All news before the first end: who watches two that are linked hears first of the one that the other ends of. */
    for (struct cedei_watch *watch = watches; watch != NULL; watch = watch->next) {
        if (!watch->is_link)
            down_send(self, watch, obituary);
        else if (watch->trapped)
            exit_send(self, watch, obituary);
    }
    for (struct cedei_watch *watch = watches; watch != NULL; watch = watch->next)
        if (watch->is_link && !watch->trapped && !watch->is_cause && is_failure(self, obituary))
            cedei_life_link_end(self->system, self->worker, watch->watcher);
    watches_free(self->system, self->worker, watches);
}

/* ---- looking at others ---- */

bool cede_is_alive(cede_self *self, cede_ref actor) {
    if (self == NULL || cede_ref_is_none(actor)) return false;
    if (actor.node != self->system->uid) return true;
    struct cede_self *slot = cedei_table_slot(self->system, actor.slot);
    if (slot == NULL) return false;
    /* acquire: pairs with the store at an actor's end: who sees the end sees what the actor has done. */
    uint64_t identity = atomic_load_explicit(&slot->identity, memory_order_acquire);
    return (uint32_t)(identity >> 32) == actor.generation;
}

uint32_t cede_waiting(cede_self *self, cede_ref ref) {
    if (self == NULL || ref.node != self->system->uid) return 0;
    struct cede_self *actor = cedei_table_find(self->system, ref);
    return actor != NULL ? cedei_waiting_of(actor) : 0;
}

uint32_t cede_load(cede_self *self, cede_ref ref) {
    if (self == NULL || ref.node != self->system->uid) return 0;
    struct cede_self *actor = cedei_table_find(self->system, ref);
    if (actor == NULL) return 0;
    /* relaxed: a number that is old when it is read. */
    uint64_t word = atomic_load_explicit(&actor->mailbox.word, memory_order_relaxed);
    bool rests = (word & (CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV)) != 0;
    return cedei_waiting_of(actor) + !rests;
}

uint32_t cedei_waiting_of(struct cede_self *actor) {
    /* relaxed: a number that is old when it is read. */
    uint64_t word = atomic_load_explicit(&actor->mailbox.word, memory_order_relaxed);
    int64_t count = (int64_t)cedei_mailbox_count(word) + cedei_backlog_of(actor);
    return (count > 0 ? (uint32_t)count : 0) + cedei_room_count(actor);
}
