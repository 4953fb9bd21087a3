/* names.c - the table of published names; see names.h.
 * Owns the entries and their texts. Invariant: no two entries have the same text. */
#include <string.h>

#include "actors/node/names.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"

struct name_entry {
    struct cedei_hash_node node; /* key: name_hash */
    cede_ref ref;
    size_t size;
    char text[];
};

/* FNV-1a. Two texts may share a hash: entries are compared by text. */
static uint64_t name_hash(const char *text, size_t size) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3u;
    return hash;
}

void cedei_names_init(struct cedei_names *names, uint64_t seed) {
    cedei_mutex_init(&names->lock);
    cedei_hash_init(&names->entries, seed);
}

void cedei_names_fini(struct cedei_names *names) {
    struct cedei_hash_node *node;
    while ((node = cedei_hash_take_any(&names->entries)) != NULL) {
        cedei_free(CEDEI_CONTAINER_OF(node, struct name_entry, node));
    }
    cedei_hash_fini(&names->entries);
    cedei_mutex_fini(&names->lock);
}

static struct name_entry *entry_find(struct cedei_names *names, const char *text, size_t size) {
    struct cedei_hash_node *node = cedei_hash_find(&names->entries, name_hash(text, size));
    for (; node != NULL; node = node->next) {
        struct name_entry *entry = CEDEI_CONTAINER_OF(node, struct name_entry, node);
        if (entry->size == size && memcmp(entry->text, text, size) == 0) return entry;
    }
    return NULL;
}

static cede_result entry_add(struct cedei_names *names, const char *text, size_t size, cede_ref ref,
                             struct cedei_exports *exports) {
    if (names->entries.count >= CEDEI_NAME_COUNT_MAX) return CEDE_ELIMIT;
    struct name_entry *entry = cedei_alloc(sizeof *entry + size);
    if (entry == NULL) return CEDE_ENOMEM;
    cede_result result = cedei_exports_add(exports, ref);
    if (result != CEDE_OK) {
        cedei_free(entry);
        return result;
    }
    entry->ref = ref;
    entry->size = size;
    memcpy(entry->text, text, size);
    cedei_hash_insert(&names->entries, &entry->node, name_hash(text, size));
    return CEDE_OK;
}

cede_result cedei_names_set(struct cedei_names *names, const char *name, cede_ref ref,
                            struct cedei_exports *exports) {
    size_t size = strnlen(name, CEDEI_NAME_SIZE_MAX + 1);
    cede_result result = CEDE_OK;
    if (size == 0 || size > CEDEI_NAME_SIZE_MAX) return CEDE_EINVAL;
    cedei_mutex_lock(&names->lock);
    struct name_entry *entry = entry_find(names, name, size);
    if (cede_ref_is_none(ref)) {
        if (entry != NULL) cedei_hash_remove(&names->entries, &entry->node);
        result = entry != NULL ? CEDE_OK : CEDE_ENOENT;
    } else if (entry != NULL) {
        result = cedei_exports_add(exports, ref);
        if (result == CEDE_OK) entry->ref = ref;
        entry = NULL;
    } else {
        result = entry_add(names, name, size, ref, exports);
    }
    cedei_mutex_unlock(&names->lock);
    cedei_free(entry);
    return result;
}

cede_result cedei_names_find(struct cedei_names *names, const char *name, size_t size,
                             cede_ref *out) {
    if (size > CEDEI_NAME_SIZE_MAX) return CEDE_ENOENT;
    cedei_mutex_lock(&names->lock);
    struct name_entry *entry = entry_find(names, name, size);
    if (entry != NULL) *out = entry->ref;
    cedei_mutex_unlock(&names->lock);
    return entry != NULL ? CEDE_OK : CEDE_ENOENT;
}
