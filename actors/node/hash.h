/* hash.h - a chained hash table of nodes that live inside their users' structs, keyed by 64 bits.
 * Inserting never fails: when no larger bucket array can be had, chains grow instead. Keys come from peers too, so the
 * place of a key depends on a seed that no peer knows. Not thread-safe. */
#ifndef CEDEI_NODE_HASH_H
#define CEDEI_NODE_HASH_H

#include <stddef.h>
#include <stdint.h>

struct cedei_hash_node {
    struct cedei_hash_node *next;
    uint64_t key;
};

#define CEDEI_HASH_INLINE 8u

struct cedei_hash {
    struct cedei_hash_node **buckets; /* `inline_buckets` until the first growth */
    size_t bucket_count;              /* a power of two */
    size_t count;                     /* nodes */
    size_t first_used; /* no bucket below it has a node; may be too low, never too high */
    uint64_t seed;
    struct cedei_hash_node *inline_buckets[CEDEI_HASH_INLINE];
};

/* The table must not move afterwards. */
void cedei_hash_init(struct cedei_hash *hash, uint64_t seed);
/* Frees the buckets, not the nodes. Zeroed storage does nothing. */
void cedei_hash_fini(struct cedei_hash *hash);
/* The newest node with this key, or NULL. */
struct cedei_hash_node *cedei_hash_find(const struct cedei_hash *hash, uint64_t key);
/* Adds `node` with `key`; equal keys may coexist. */
void cedei_hash_insert(struct cedei_hash *hash, struct cedei_hash_node *node, uint64_t key);
/* Takes out `node`, which is in the table. */
void cedei_hash_remove(struct cedei_hash *hash, struct cedei_hash_node *node);
/* Takes out any one node; NULL when empty. Emptying a table so costs one walk over it. */
struct cedei_hash_node *cedei_hash_take_any(struct cedei_hash *hash);

#endif
