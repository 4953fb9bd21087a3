/* exports.c - the set of local actors that other nodes may reach; see exports.h.
 * Owns the entries. Invariant: a slot has at most one entry; its generation never goes back, since a newer tenant can
 * only be there after the older one ended. An entry outlives its actor: then the actor table says so. */
#include <string.h>

#include "actors/message/message.h"
#include "actors/node/exports.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"

struct export_entry {
    struct cedei_hash_node node; /* key: slot */
    uint32_t generation;
};

void cedei_exports_init(struct cedei_exports *exports, uint64_t uid, uint64_t seed) {
    cedei_mutex_init(&exports->lock);
    cedei_hash_init(&exports->slots, seed);
    exports->uid = uid;
}

void cedei_exports_fini(struct cedei_exports *exports) {
    struct cedei_hash_node *node;
    while ((node = cedei_hash_take_any(&exports->slots)) != NULL) {
        cedei_free(CEDEI_CONTAINER_OF(node, struct export_entry, node));
    }
    cedei_hash_fini(&exports->slots);
    cedei_mutex_fini(&exports->lock);
}

static struct export_entry *entry_find(struct cedei_exports *exports, uint32_t slot) {
    struct cedei_hash_node *node = cedei_hash_find(&exports->slots, slot);
    return node == NULL ? NULL : CEDEI_CONTAINER_OF(node, struct export_entry, node);
}

cede_result cedei_exports_add(struct cedei_exports *exports, cede_ref ref) {
    cede_result result = CEDE_OK;
    if (cede_ref_is_none(ref) || ref.node != exports->uid) return CEDE_OK;
    cedei_mutex_lock(&exports->lock);
    struct export_entry *entry = entry_find(exports, ref.slot);
    if (entry == NULL) {
        entry = cedei_alloc(sizeof *entry);
        if (entry == NULL) {
            result = CEDE_ENOMEM;
            goto unlock;
        }
        entry->generation = ref.generation;
        cedei_hash_insert(&exports->slots, &entry->node, ref.slot);
    }
    /* A stale ref that is sent on must not shut the present tenant out; the difference survives a wrap. */
    if ((int32_t)(ref.generation - entry->generation) > 0) entry->generation = ref.generation;
unlock:
    cedei_mutex_unlock(&exports->lock);
    return result;
}

bool cedei_exports_has(struct cedei_exports *exports, struct cedei_wire_actor actor) {
    cedei_mutex_lock(&exports->lock);
    const struct export_entry *entry = entry_find(exports, actor.slot);
    bool has = entry != NULL && entry->generation == actor.generation && actor.generation != 0;
    cedei_mutex_unlock(&exports->lock);
    return has;
}

static cede_result ref_add(void *exports, cede_ref ref) { return cedei_exports_add(exports, ref); }

cede_result cedei_exports_add_message(struct cedei_exports *exports, const struct cede_type *type,
                                      const void *message) {
    return cedei_message_refs(type, message, ref_add, exports);
}
