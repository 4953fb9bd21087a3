/* registry.c - names. Who waits for one asks the doorman, an actor that keeps the requests until the name is there.
 * Invariant: `is_awaited` is true while the doorman keeps a request; who registers a name sees it under the lock, or the doorman
 * sees the name. */
#include <cede/failure.h>
#include <cede/registry.h>

#include "actors/std/directory.h"
#include "actors/std/refmap.h"

CEDE_MESSAGE_DEFINE(cede_name_wanted, CEDEI_NAME_AWAIT);
CEDE_MESSAGE_DEFINE(cede_name_found, CEDEI_NAME_FOUND);
CEDE_MESSAGE_DEFINE(cede_name_came, CEDEI_NOTHING);

/* Under the lock: the entry of a name whose actor is alive. */
static struct cedei_entry *name_locate(cede_self *self, struct cedei_directory *directory,
                                       const char *name) {
    struct cedei_entry *entry = cedei_directory_find(directory, CEDEI_NAME_KIND, name);
    return entry != NULL && cedei_entry_refresh(self, directory, entry) ? entry : NULL;
}

static cede_result name_look(cede_self *self, struct cedei_directory *directory, const char *name,
                             cede_ref *out) {
    cede_mutex_lock(&directory->lock);
    const struct cedei_entry *entry = name_locate(self, directory, name);
    cede_ref found = entry != NULL ? entry->members.items[0] : (cede_ref){0};
    cede_mutex_unlock(&directory->lock);
    if (entry == NULL) return CEDE_ENOENT;
    *out = found;
    return CEDE_OK;
}

/* ---- the doorman ---- */

struct doorman {
    struct {
        struct cede_name_wanted **items;
        uint32_t count, capacity;
    } waiting; /* kept */
};

static void doorman_fini(void *state) {
    struct doorman *doorman = state;
    cedei_std_free(&doorman->waiting);
}

static void found_answer(cede_self *self, struct cede_name_wanted *request, cede_ref actor) {
    struct cede_name_found *found = cede_new(self, cede_name_found);
    if (found == NULL) return; /* the asker gets CEDE_ENOREPLY */
    found->actor = actor;
    if (cede_reply(self, request, &found) != CEDE_OK) cede_drop(self, &found);
}

/* Answers those whose name has come, and lets those go that wait no longer. */
static cede_result doorman_look(cede_self *self, struct doorman *doorman) {
    struct cedei_directory *directory = cedei_directory_of(self);
    if (directory == NULL) return CEDE_ENOMEM;
    uint32_t left = 0;
    for (uint32_t i = 0; i < doorman->waiting.count; i++) {
        struct cede_name_wanted *request = doorman->waiting.items[i];
        doorman->waiting.items[i] = NULL;
        cede_ref actor = {0};
        bool came = name_look(self, directory, cede_str_text(&request->name), &actor) == CEDE_OK;
        if (!came && cede_deadline_of(self, request) != 0) {
            doorman->waiting.items[left++] = request;
            continue;
        }
        if (came) found_answer(self, request, actor);
        cede_drop(self, &request);
    }
    doorman->waiting.count = left;
    return CEDE_OK;
}

static cede_result on_came(cede_self *self, struct doorman *doorman, struct cede_name_came *came) {
    (void)came;
    return doorman_look(self, doorman);
}

static cede_result on_wanted(cede_self *self, struct doorman *doorman,
                             struct cede_name_wanted *request) {
    struct cedei_directory *directory = cedei_directory_of(self);
    struct cede_name_wanted **kept = cede_list_add(&doorman->waiting);
    if (directory == NULL || kept == NULL) return CEDE_OK; /* the asker gets CEDE_ENOREPLY */
    *kept = cede_keep(self, &request);
    cede_mutex_lock(&directory->lock);
    directory->is_awaited = true;
    cede_mutex_unlock(&directory->lock);
    return doorman_look(self, doorman); /* it may have come before that was seen */
}

#define DOORMAN(ON)                                                                                \
    ON(cede_name_wanted, on_wanted)                                                                \
    ON(cede_name_came, on_came)
CEDE_BEHAVIOUR(cedei_doorman, struct doorman, DOORMAN, .mailbox_max = CEDE_MAILBOX_UNBOUNDED,
               .fini = doorman_fini);

static cede_result doorman_find(cede_self *self, struct cedei_directory *directory, cede_ref *out) {
    cede_mutex_lock(&directory->lock);
    cede_ref there = directory->doorman;
    cede_mutex_unlock(&directory->lock);
    *out = there;
    if (cede_is_alive(self, there)) return CEDE_OK;
    cede_ref mine = {0};
    cede_result r = cede_spawn(self, &cedei_doorman, CEDE_NOTHING, &mine);
    if (r != CEDE_OK) return r;
    cede_mutex_lock(&directory->lock);
    bool was_first = cede_ref_equal(directory->doorman, there);
    if (was_first) directory->doorman = mine;
    *out = directory->doorman;
    cede_mutex_unlock(&directory->lock);
    return was_first ? CEDE_OK : cede_stop(self, mine);
}

/* ---- the calls ---- */

/* Under the lock. */
static cede_result name_enter(cede_self *self, struct cedei_directory *directory, const char *name,
                              cede_ref actor) {
    struct cedei_entry *entry = name_locate(self, directory, name);
    if (entry != NULL)
        return cede_ref_equal(entry->members.items[0], actor) ? CEDE_OK : CEDE_EEXIST;
    entry = cedei_directory_enter(self, directory, CEDEI_NAME_KIND, name);
    if (entry == NULL) return CEDE_ENOMEM;
    cede_ref *member = cede_list_add(&entry->members);
    if (member == NULL) {
        cedei_entry_remove(directory, entry);
        return CEDE_ENOMEM;
    }
    *member = actor;
    return CEDE_OK;
}

static cede_result actor_check(cede_self *self, cede_ref actor) {
    if (cede_ref_is_none(actor)) return CEDE_ENOACTOR;
    if (actor.node != cede_self_ref(self).node) return CEDE_ENOTSUP;
    return cede_is_alive(self, actor) ? CEDE_OK : CEDE_ENOACTOR;
}

cede_result cede_name_register(cede_self *self, const char *name, cede_ref actor) {
    if (self == NULL) return CEDE_ECONTEXT;
    cede_result r = cedei_name_check(name);
    if (r == CEDE_OK) r = actor_check(self, actor);
    if (r != CEDE_OK) return r;
    struct cedei_directory *directory = cedei_directory_of(self);
    struct cede_name_came *came = cede_new(self, cede_name_came); /* before: nothing is undone */
    if (directory == NULL || came == NULL) {
        cede_drop(self, &came);
        return CEDE_ENOMEM;
    }
    cede_mutex_lock(&directory->lock);
    r = name_enter(self, directory, name, actor);
    cede_ref doorman = directory->is_awaited ? directory->doorman : (cede_ref){0};
    cede_mutex_unlock(&directory->lock);
    if (r != CEDE_OK || cede_ref_is_none(doorman) || cede_send(self, doorman, &came) != CEDE_OK)
        cede_drop(self, &came);
    return r;
}

cede_result cede_name_unregister(cede_self *self, const char *name) {
    if (self == NULL) return CEDE_ECONTEXT;
    cede_result r = cedei_name_check(name);
    if (r != CEDE_OK) return r;
    struct cedei_directory *directory = cedei_directory_of(self);
    if (directory == NULL) return CEDE_ENOENT;
    cede_mutex_lock(&directory->lock);
    struct cedei_entry *entry = name_locate(self, directory, name);
    if (entry != NULL) cedei_entry_remove(directory, entry);
    cede_mutex_unlock(&directory->lock);
    return entry != NULL ? CEDE_OK : CEDE_ENOENT;
}

cede_result cede_name_find(cede_self *self, const char *name, cede_ref *out) {
    if (self == NULL) return CEDE_ECONTEXT;
    cede_result r = cedei_name_check(name);
    if (r != CEDE_OK || out == NULL) return CEDE_EINVAL;
    struct cedei_directory *directory = cedei_directory_of(self);
    return directory != NULL ? name_look(self, directory, name, out) : CEDE_ENOENT;
}

cede_result cede_name_await(cede_self *self, const char *name, uint64_t timeout_ns, cede_ref *out) {
    cede_result r = cede_name_find(self, name, out);
    if (r != CEDE_ENOENT) return r;
    struct cedei_directory *directory = cedei_directory_of(self);
    struct cede_name_wanted *wanted = cede_new(self, cede_name_wanted);
    struct cede_name_found *found = NULL;
    cede_ref doorman = {0};
    r = directory != NULL && wanted != NULL ? cede_str_set(&wanted->name, name) : CEDE_ENOMEM;
    if (r == CEDE_OK) r = doorman_find(self, directory, &doorman);
    if (r == CEDE_OK) r = cede_ask(self, doorman, &wanted, cede_name_found, &found, timeout_ns);
    if (r == CEDE_OK) *out = found->actor;
    cede_drop(self, &wanted);
    cede_drop(self, &found);
    return r;
}
