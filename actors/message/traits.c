/* traits.c - what is true of a type with all types that it can hold; see traits.h.
 * Owns `walk`, `walk_next`, `walk_number`, `traits_cached` and `field_ids` of every type; the latter are never freed. Invariants: (1) a walk meets each type once,
 * however the types hold each other, so it ends; (2) no memory is needed: the list of a walk is in the types. */
#include <stdatomic.h>

#include "actors/message/field.h"
#include "actors/message/header.h"
#include "actors/message/tagged.h"
#include "actors/message/traits.h"
#include "core/sys/alloc.h"
#include "core/sys/thread.h"

static cedei_mutex walk_lock = {PTHREAD_MUTEX_INITIALIZER};
static uint64_t walks; /* under walk_lock */

void cedei_type_walk_begin(struct cedei_type_walk *walk, struct cede_type *first) {
    cedei_mutex_lock(&walk_lock);
    *walk = (struct cedei_type_walk){.first = first, .last = NULL, .walk = ++walks, .count = 0};
    (void)cedei_type_walk_add(walk, first);
}

uint32_t cedei_type_walk_add(struct cedei_type_walk *walk, struct cede_type *type) {
    if (type->walk == walk->walk) return type->walk_number;
    type->walk = walk->walk;
    type->walk_next = NULL;
    type->walk_number = walk->count++;
    if (walk->last != NULL) walk->last->walk_next = type;
    walk->last = type;
    return type->walk_number;
}

void cedei_type_walk_end(void) { cedei_mutex_unlock(&walk_lock); }

/* A box is 4 bytes on a link, in memory a pointer, a header and the message. A frozen message is decoded as a box first. */
static bool box_is_bloated(const struct cedei_field *field) {
    if (!cedei_field_is_pointer(field) || field->nested == NULL) return false;
    size_t memory = sizeof(void *) + sizeof(struct cedei_box) + field->nested->size;
    if (field->flags & CEDEI_FLAG_SHARED) memory += sizeof(struct cedei_msg) + field->nested->size;
    return memory > (size_t)CEDEI_VARIANT_GROWTH_MAX * (4 + field->nested->wire_min);
}

static uint32_t field_traits(const struct cedei_field *field) {
    uint32_t traits = 0;
    if (field->kind == CEDEI_FIELD_REF) traits |= CEDEI_TRAIT_REFS;
    if (cedei_field_is_pointer(field)) traits |= CEDEI_TRAIT_BOXES;
    if (field->flags & CEDEI_FLAG_SHARED) traits |= CEDEI_TRAIT_SHARED;
    if (field->flags != 0) traits |= CEDEI_TRAIT_LATER;
    if (field->shape == CEDEI_SHAPE_LIST || cedei_field_is_pointer(field) ||
        (field->kind != CEDEI_FIELD_MSG && !cedei_field_is_plain(field)))
        traits |= CEDEI_TRAIT_VARIES;
    if (box_is_bloated(field)) traits |= CEDEI_TRAIT_BLOATED;
    return traits;
}

static uint32_t traits_compute(struct cede_type *first) {
    struct cedei_type_walk walk;
    uint32_t traits = CEDEI_TRAIT_KNOWN;
    cedei_type_walk_begin(&walk, first);
    for (struct cede_type *type = first; type != NULL; type = type->walk_next) {
        if (type->holds & CEDEI_HOLDS_OPAQUE) traits |= CEDEI_TRAIT_OPAQUE;
        if (type->tag_size != 0) traits |= CEDEI_TRAIT_LATER | CEDEI_TRAIT_VARIES;
        const struct cedei_field *field = cedei_type_fields(type);
        for (uint32_t i = 0; i < type->field_count; i++, field++) {
            traits |= field_traits(field);
            if (field->nested != NULL) (void)cedei_type_walk_add(&walk, field->nested);
        }
    }
    cedei_type_walk_end();
    return traits;
}

uint32_t cedei_type_traits(const struct cede_type *type) {
    /* The object is a variable; `const` is the caller's promise not to change what it says. */
    struct cede_type *own = (struct cede_type *)(uintptr_t)type;
    _Atomic(uint32_t) *cached = (_Atomic(uint32_t) *)&own->traits_cached;
    /* relaxed: the value depends on constants only; who sees 0 computes the same one. */
    uint32_t traits = atomic_load_explicit(cached, memory_order_relaxed);
    if (traits != 0) return traits;
    traits = traits_compute(own);
    /* relaxed: as above. */
    atomic_store_explicit(cached, traits, memory_order_relaxed);
    return traits;
}

static bool ids_differ(const uint32_t *ids, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (ids[i] == ids[k]) return false;
    return true;
}

cede_result cedei_type_field_ids(const struct cede_type *type, const uint32_t **ids) {
    struct cede_type *own = (struct cede_type *)(uintptr_t)type;
    _Atomic(uint32_t *) *cached = (_Atomic(uint32_t *) *)&own->field_ids;
    /* acquire: pairs with the release below; publishes the numbers. */
    uint32_t *made = atomic_load_explicit(cached, memory_order_acquire);
    if (made == NULL) {
        uint32_t count = type->field_count;
        if (count > CEDEI_TAGGED_FIELDS_MAX) return CEDE_ENOTSUP;
        made = cedei_alloc((count + 1) * sizeof *made);
        if (made == NULL) return CEDE_ENOMEM;
        for (uint32_t i = 0; i < count; i++)
            made[i] = cedei_field_id(cedei_type_fields(type)[i].name);
        if (!ids_differ(made, count)) {
            cedei_free(made);
            return CEDE_ENOTSUP;
        }
        uint32_t *before = NULL;
        /* acq_rel: the release pairs with the acquire above, the acquire with the release of whoever came first. */
        if (!atomic_compare_exchange_strong_explicit(cached, &before, made, memory_order_acq_rel,
                                                     memory_order_acquire)) {
            cedei_free(made);
            made = before;
        }
    }
    *ids = made;
    return CEDE_OK;
}
