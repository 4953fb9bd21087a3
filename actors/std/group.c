/* group.c - groups of actors, which are topics too: entries of the directory with any number of members. */
#include <string.h>

#include <cede/failure.h>
#include <cede/registry.h>

#include "actors/std/directory.h"
#include "actors/std/refmap.h"

CEDE_MESSAGE_DEFINE(cede_members, CEDEI_MEMBERS);

/* Under the lock. */
static cede_result member_add(cede_self *self, struct cedei_directory *directory, const char *group,
                              cede_ref actor) {
    struct cedei_entry *entry = cedei_directory_enter(self, directory, CEDEI_GROUP_KIND, group);
    if (entry == NULL) return CEDE_ENOMEM;
    for (uint32_t i = 0; i < entry->members.count; i++)
        if (cede_ref_equal(entry->members.items[i], actor)) return CEDE_OK;
    if (entry->members.count != 0 && entry->members.count == entry->members.capacity &&
        !cedei_entry_refresh(self, directory, entry)) /* those that have ended make room */
        entry = cedei_directory_enter(self, directory, CEDEI_GROUP_KIND, group);
    if (entry == NULL) return CEDE_ENOMEM;
    cede_ref *member = cede_list_add(&entry->members);
    if (member != NULL) {
        *member = actor;
        return CEDE_OK;
    }
    if (entry->members.count == 0) cedei_entry_remove(directory, entry);
    return CEDE_ENOMEM;
}

cede_result cede_group_join(cede_self *self, const char *group, cede_ref actor) {
    if (self == NULL) return CEDE_ECONTEXT;
    cede_result r = cedei_name_check(group);
    if (r != CEDE_OK) return r;
    if (cede_ref_is_none(actor)) return CEDE_ENOACTOR;
    if (actor.node != cede_self_ref(self).node) return CEDE_ENOTSUP;
    if (!cede_is_alive(self, actor)) return CEDE_ENOACTOR;
    struct cedei_directory *directory = cedei_directory_of(self);
    if (directory == NULL) return CEDE_ENOMEM;
    cede_mutex_lock(&directory->lock);
    r = member_add(self, directory, group, actor);
    cede_mutex_unlock(&directory->lock);
    return r;
}

/* Under the lock. */
static cede_result member_remove(struct cedei_directory *directory, const char *group,
                                 cede_ref actor) {
    struct cedei_entry *entry = cedei_directory_find(directory, CEDEI_GROUP_KIND, group);
    uint32_t i = 0;
    while (entry != NULL && i < entry->members.count &&
           !cede_ref_equal(entry->members.items[i], actor))
        i++;
    if (entry == NULL || i == entry->members.count) return CEDE_ENOENT;
    entry->members.count--;
    memmove(&entry->members.items[i], &entry->members.items[i + 1],
            (entry->members.count - i) * sizeof *entry->members.items);
    if (entry->members.count == 0) cedei_entry_remove(directory, entry);
    return CEDE_OK;
}

cede_result cede_group_leave(cede_self *self, const char *group, cede_ref actor) {
    if (self == NULL) return CEDE_ECONTEXT;
    cede_result r = cedei_name_check(group);
    if (r != CEDE_OK) return r;
    struct cedei_directory *directory = cedei_directory_of(self);
    if (directory == NULL) return CEDE_ENOENT;
    cede_mutex_lock(&directory->lock);
    r = member_remove(directory, group, actor);
    cede_mutex_unlock(&directory->lock);
    return r;
}

/* Under the lock. */
static cede_result members_copy(cede_self *self, struct cedei_directory *directory,
                                const char *group, struct cede_members *out) {
    struct cedei_entry *entry = cedei_directory_find(directory, CEDEI_GROUP_KIND, group);
    if (entry == NULL || !cedei_entry_refresh(self, directory, entry)) return CEDE_OK;
    cede_result r = cede_list_reserve(&out->refs, entry->members.count);
    if (r != CEDE_OK) return r;
    memcpy(out->refs.items, entry->members.items,
           entry->members.count * sizeof *entry->members.items);
    out->refs.count = entry->members.count;
    return CEDE_OK;
}

cede_result cede_group_members(cede_self *self, const char *group, struct cede_members **out) {
    if (self == NULL) return CEDE_ECONTEXT;
    cede_result r = cedei_name_check(group);
    if (r != CEDE_OK || out == NULL) return CEDE_EINVAL;
    struct cedei_directory *directory = cedei_directory_of(self);
    struct cede_members *members = cede_new(self, cede_members);
    r = directory != NULL && members != NULL ? CEDE_OK : CEDE_ENOMEM;
    if (r == CEDE_OK) {
        cede_mutex_lock(&directory->lock);
        r = members_copy(self, directory, group, members);
        cede_mutex_unlock(&directory->lock);
    }
    if (r == CEDE_OK)
        *out = members;
    else
        cede_drop(self, &members);
    return r;
}

cede_result cedei_group_send(cede_self *self, const char *group, void *message, uint32_t *sent,
                             const char *here) {
    struct cede_members *members = NULL;
    uint32_t count = 0;
    cede_result r = message != NULL ? cede_group_members(self, group, &members) : CEDE_EINVAL;
    bool is_full = false;
    for (uint32_t i = 0; r == CEDE_OK && i < members->refs.count; i++) {
        void *copy = NULL;
        r = cedei_copy(self, message, &copy, here);
        if (r != CEDE_OK) break;
        cede_result each = cedei_send(self, members->refs.items[i], &copy, here);
        if (each == CEDE_OK) count++;
        if (each == CEDE_EFULL) is_full = true;
        if (each == CEDE_ENOMEM) r = each;
        cedei_drop(self, &copy, here);
    }
    if (sent != NULL) *sent = count;
    cede_drop(self, &members);
    return r == CEDE_OK && is_full ? CEDE_EFULL : r;
}
