/* hash.c - the chained hash table of the node layer; see hash.h.
 * Owns the bucket array and the `next` of every node inside. Invariants: (1) count is
 * the number of nodes on all chains; (2) the buckets below first_used are empty. */
#include <string.h>

#include "actors/node/hash.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"

static size_t hash_index(const struct cedei_hash *hash, uint64_t key) {
    uint64_t mixed = (key ^ hash->seed) * 0x9e3779b97f4a7c15u;
    mixed ^= mixed >> 32;
    mixed *= 0xd6e8feb86659fd93u;
    mixed ^= mixed >> 32;
    return (size_t)mixed & (hash->bucket_count - 1);
}

void cedei_hash_init(struct cedei_hash *hash, uint64_t seed) {
    memset(hash, 0, sizeof *hash);
    hash->buckets = hash->inline_buckets;
    hash->bucket_count = CEDEI_HASH_INLINE;
    hash->seed = seed;
}

void cedei_hash_fini(struct cedei_hash *hash) {
    if (hash->buckets != hash->inline_buckets) cedei_free(hash->buckets);
    hash->buckets = NULL;
}

struct cedei_hash_node *cedei_hash_find(const struct cedei_hash *hash, uint64_t key) {
    struct cedei_hash_node *node = hash->buckets[hash_index(hash, key)];
    while (node != NULL && node->key != key) node = node->next;
    return node;
}

static void hash_grow(struct cedei_hash *hash) {
    size_t old_count = hash->bucket_count;
    struct cedei_hash_node **old = hash->buckets;
    struct cedei_hash_node **wider =
        cedei_alloc_zeroed(old_count * 4 * sizeof(struct cedei_hash_node *));
    if (wider == NULL) return;
    hash->buckets = wider;
    hash->bucket_count = old_count * 4;
    hash->first_used = 0;
    for (size_t i = 0; i < old_count; i++) {
        for (struct cedei_hash_node *node = old[i], *next; node != NULL; node = next) {
            next = node->next;
            struct cedei_hash_node **bucket = &wider[hash_index(hash, node->key)];
            node->next = *bucket;
            *bucket = node;
        }
    }
    if (old != hash->inline_buckets) cedei_free(old);
}

void cedei_hash_insert(struct cedei_hash *hash, struct cedei_hash_node *node, uint64_t key) {
    if (hash->count >= hash->bucket_count) hash_grow(hash);
    size_t index = hash_index(hash, key);
    struct cedei_hash_node **bucket = &hash->buckets[index];
    if (index < hash->first_used) hash->first_used = index;
    node->key = key;
    node->next = *bucket;
    *bucket = node;
    hash->count++;
}

void cedei_hash_remove(struct cedei_hash *hash, struct cedei_hash_node *node) {
    struct cedei_hash_node **place = &hash->buckets[hash_index(hash, node->key)];
    while (*place != node) {
        CEDEI_CHECK(*place != NULL);
        place = &(*place)->next;
    }
    *place = node->next;
    node->next = NULL;
    hash->count--;
}

struct cedei_hash_node *cedei_hash_take_any(struct cedei_hash *hash) {
    if (hash->count == 0) return NULL;
    while (hash->buckets[hash->first_used] == NULL) hash->first_used++;
    struct cedei_hash_node *node = hash->buckets[hash->first_used];
    hash->buckets[hash->first_used] = node->next;
    node->next = NULL;
    hash->count--;
    return node;
}
