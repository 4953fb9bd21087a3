/* directory.c - the table behind names and groups: see directory.h.
 * Invariants: (1) each entry is in one chain: that of its hash if it has a name, else the free one; (2) `used` counts those with a
 * name; (3) names hold no member twice. */
#include "actors/std/directory.h"

#include <stdlib.h>
#include <string.h>

#include <cede/failure.h>

#include "actors/std/refmap.h"

enum { SWEEP_MIN = 64 };

static cede_result directory_init(void *local) {
    struct cedei_directory *directory = local;
    directory->sweep_at = SWEEP_MIN;
    return cede_mutex_init(&directory->lock);
}

static void entry_clear(struct cedei_entry *entry) {
    cede_str_clear(&entry->name);
    cedei_std_free(&entry->members);
}

static void directory_fini(void *local) {
    struct cedei_directory *directory = local;
    for (uint32_t i = 0; i < directory->entries.count; i++)
        entry_clear(&directory->entries.items[i]);
    cedei_std_free(&directory->entries);
    cedei_std_free(&directory->buckets);
    cede_mutex_fini(&directory->lock);
}

static const struct cede_local directory_kind = {sizeof(struct cedei_directory), directory_init,
                                                 directory_fini};

struct cedei_directory *cedei_directory_of(cede_self *self) {
    return cede_system_local(cede_self_system(self), &directory_kind);
}

cede_result cedei_name_check(const char *name) {
    size_t size = name != NULL ? strlen(name) : 0;
    return size >= 1 && size <= CEDEI_NAME_SIZE_MAX ? CEDE_OK : CEDE_EINVAL;
}

/* FNV-1a. */
static uint32_t name_hash(char kind, const char *name) {
    uint32_t hash = (2166136261u ^ (unsigned char)kind) * 16777619u;
    for (; *name != '\0'; name++) hash = (hash ^ (unsigned char)*name) * 16777619u;
    return hash;
}

static uint32_t *bucket_of(struct cedei_directory *directory, uint32_t hash) {
    return &directory->buckets.items[hash & (directory->buckets.count - 1)];
}

struct cedei_entry *cedei_directory_find(struct cedei_directory *directory, char kind,
                                         const char *name) {
    if (directory->buckets.count == 0) return NULL;
    uint32_t hash = name_hash(kind, name);
    for (uint32_t at = *bucket_of(directory, hash); at != 0;) { /* one chain */
        struct cedei_entry *entry = &directory->entries.items[at - 1];
        if (entry->hash == hash && entry->name.data[0] == kind &&
            strcmp(entry->name.data + 1, name) == 0)
            return entry;
        at = entry->next;
    }
    return NULL;
}

static void chain_put(struct cedei_directory *directory, uint32_t at) {
    uint32_t *first = bucket_of(directory, directory->entries.items[at - 1].hash);
    directory->entries.items[at - 1].next = *first;
    *first = at;
}

/* As many buckets as there may be entries: chains stay short. */
static cede_result buckets_grow(struct cedei_directory *directory) {
    uint32_t count = directory->buckets.count;
    if (directory->used < count) return CEDE_OK;
    uint32_t wanted = count != 0 ? count * 2 : SWEEP_MIN;
    cede_result r = cede_list_reserve(&directory->buckets, wanted);
    if (r != CEDE_OK) return count != 0 ? CEDE_OK : r; /* longer chains, then */
    memset(directory->buckets.items, 0, wanted * sizeof *directory->buckets.items);
    directory->buckets.count = wanted;
    for (uint32_t at = 1; at <= directory->entries.count; at++)
        if (directory->entries.items[at - 1].name.data != NULL) chain_put(directory, at);
    return CEDE_OK;
}

void cedei_entry_remove(struct cedei_directory *directory, struct cedei_entry *entry) {
    uint32_t at = (uint32_t)(entry - directory->entries.items) + 1;
    uint32_t *link = bucket_of(directory, entry->hash);
    while (*link != at) link = &directory->entries.items[*link - 1].next;
    *link = entry->next;
    entry_clear(entry);
    entry->next = directory->free_first;
    directory->free_first = at;
    directory->used--;
}

bool cedei_entry_refresh(cede_self *self, struct cedei_directory *directory,
                         struct cedei_entry *entry) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < entry->members.count; i++)
        if (cede_is_alive(self, entry->members.items[i]))
            entry->members.items[left++] = entry->members.items[i];
    entry->members.count = left;
    if (left == 0) cedei_entry_remove(directory, entry);
    return left != 0;
}

/* When there are twice as many as were left the last time: so it costs each new name a bounded share. */
static void sweep(cede_self *self, struct cedei_directory *directory) {
    if (directory->used < directory->sweep_at) return;
    for (uint32_t i = 0; i < directory->entries.count; i++)
        if (directory->entries.items[i].name.data != NULL)
            (void)cedei_entry_refresh(self, directory, &directory->entries.items[i]);
    directory->sweep_at = directory->used * 2 > SWEEP_MIN ? directory->used * 2 : SWEEP_MIN;
}

/* A place for an entry, plus 1; 0 when memory is short. */
static uint32_t entry_take(struct cedei_directory *directory) {
    uint32_t at = directory->free_first;
    if (at != 0) {
        directory->free_first = directory->entries.items[at - 1].next;
        return at;
    }
    return cede_list_add(&directory->entries) != NULL ? directory->entries.count : 0;
}

struct cedei_entry *cedei_directory_enter(cede_self *self, struct cedei_directory *directory,
                                          char kind, const char *name) {
    struct cedei_entry *entry = cedei_directory_find(directory, kind, name);
    if (entry != NULL) return entry;
    sweep(self, directory);
    if (buckets_grow(directory) != CEDE_OK) return NULL;
    uint32_t at = entry_take(directory);
    if (at == 0) return NULL;
    entry = &directory->entries.items[at - 1];
    memset(entry, 0, sizeof *entry);
    if (cede_str_format(&entry->name, "%c%s", kind, name) != CEDE_OK) {
        entry->next = directory->free_first;
        directory->free_first = at;
        return NULL;
    }
    entry->hash = name_hash(kind, name);
    chain_put(directory, at);
    directory->used++;
    return entry;
}
