/* registry.c - every message type of the process, found by the number that names it on a link.
 * CEDE_MESSAGE emits a constructor in each file that has it, which runs before main (or at dlopen) and comes here; a
 * linker section would not do, since each shared object has its own. Owns `next_registered` and `registered` of every
 * type. Invariants: (1) a type is in the table once, whoever registers it and how often; (2) nothing leaves the table,
 * so readers need no lock; (3) all declarations of one name in the process agree. */
#include <stdatomic.h>
#include <string.h>

#include "actors/message/field.h"
#include "actors/message/message.h"
#include "core/base/base.h"

enum { REGISTRY_BUCKETS = 256 };

/* P: heads of chains through next_registered; any thread. Zeroed memory, so constructors may run in any order. */
static _Atomic(struct cede_type *) buckets[REGISTRY_BUCKETS];

/* P: by number. A type is there before anybody can find it. */
static _Atomic(struct cede_type *) types_by_number[CEDEI_TYPES_MAX];
static _Atomic(uint32_t) types_numbered; /* P: may be more than there is room for */

static void number_give(struct cede_type *type) {
    /* relaxed: a number of one's own; the store below publishes. */
    uint32_t index = atomic_fetch_add_explicit(&types_numbered, 1, memory_order_relaxed) + 1;
    if (index >= CEDEI_TYPES_MAX) return;
    type->index = index;
    type->tally = index * CEDEI_TYPE_TALLY;
    /* release: pairs with the acquire in cedei_type_at. */
    atomic_store_explicit(&types_by_number[index], type, memory_order_release);
}

uint32_t cedei_types_count(void) {
    /* relaxed: one that is being numbered now may be missed. */
    uint32_t count = atomic_load_explicit(&types_numbered, memory_order_relaxed);
    return count < CEDEI_TYPES_MAX - 1 ? count : CEDEI_TYPES_MAX - 1;
}

struct cede_type *cedei_type_at(uint32_t index) {
    /* acquire: pairs with the release in number_give. */
    return atomic_load_explicit(&types_by_number[index], memory_order_acquire);
}

static bool fields_equal(const struct cedei_field *a, const struct cedei_field *b, size_t count) {
    if (a == b) return true;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(a[i].name, b[i].name) != 0 || a[i].nested != b[i].nested ||
            a[i].min != b[i].min || a[i].max != b[i].max || a[i].offset != b[i].offset ||
            a[i].size != b[i].size || a[i].count != b[i].count || a[i].kind != b[i].kind ||
            a[i].shape != b[i].shape || a[i].flags != b[i].flags || a[i].width != b[i].width) {
            return false;
        }
    }
    return true;
}

static void refuse_difference(const struct cede_type *type) {
    cedei_fatal("cede: message type '%s' is declared twice with different fields in this program; "
                "give one of them another name",
                type->name);
}

/* Two objects of one name are possible when libraries hide their symbols: each works for itself, and a link finds the
 * first. They must be the same message. */
static void chain_check(const struct cede_type *type, struct cede_type *first) {
    for (struct cede_type *other = first; other != NULL; other = other->next_registered) {
        if (cedei_type_id(other) != cedei_type_id(type)) continue;
        if (strcmp(other->name, type->name) != 0) {
            cedei_fatal("cede: the names of message types '%s' and '%s' have the same number; "
                        "rename one of them",
                        type->name, other->name);
        }
        if (cede_schema_hash(other) != cede_schema_hash(type)) refuse_difference(type);
    }
}

void cedei_type_register(struct cede_type *type, size_t size, size_t count,
                         const struct cedei_field *fields) {
    if (type->size != size || type->field_count != count ||
        !fields_equal(cedei_type_fields(type), fields, count)) {
        refuse_difference(type);
    }
    _Atomic(uint32_t) *registered = (_Atomic(uint32_t) *)&type->registered;
    /* relaxed: only who is first matters; the push below publishes. */
    if (atomic_exchange_explicit(registered, 1, memory_order_relaxed) != 0) return;
    number_give(type);
    _Atomic(struct cede_type *) *bucket = &buckets[cedei_type_id(type) % REGISTRY_BUCKETS];
    /* acquire: pairs with the release of other pushes; chain_check reads the types behind it. */
    struct cede_type *first = atomic_load_explicit(bucket, memory_order_acquire);
    for (bool pushed = false; !pushed;) {
        chain_check(type, first);
        type->next_registered = first;
        /* acq_rel: the release pairs with the acquire in cedei_type_find and publishes `next_registered`; the acquire
         * on failure, as the load above, pairs with other pushes. */
        pushed = atomic_compare_exchange_weak_explicit(bucket, &first, type, memory_order_acq_rel,
                                                       memory_order_acquire);
    }
}

struct cede_type *cedei_type_find(uint64_t id) {
    struct cede_type *found = NULL;
    /* acquire: pairs with the release in cedei_type_register. */
    struct cede_type *type =
        atomic_load_explicit(&buckets[id % REGISTRY_BUCKETS], memory_order_acquire);
    /* To the end: the first that was registered is the last in the chain. */
    for (; type != NULL; type = type->next_registered) {
        if (cedei_type_id(type) == id) found = type;
    }
    return found;
}

void cedei_types_mark(uint64_t id, uint64_t schema, _Atomic(uint64_t) *bits) {
    /* acquire: pairs with the release in cedei_type_register. */
    struct cede_type *type =
        atomic_load_explicit(&buckets[id % REGISTRY_BUCKETS], memory_order_acquire);
    for (; type != NULL; type = type->next_registered) {
        if (cedei_type_id(type) != id || type->index == 0 || cede_schema_hash(type) != schema)
            continue;
        /* relaxed: says how to write, not what is there to read. */
        atomic_fetch_or_explicit(&bits[type->index / 64], (uint64_t)1 << (type->index % 64),
                                 memory_order_relaxed);
    }
}
