/* traits.h - what is true of a type with all types that it can hold, boxes included; types may hold each other. */
#ifndef CEDEI_MESSAGE_TRAITS_H
#define CEDEI_MESSAGE_TRAITS_H

#include <stdint.h>

#include <cede/message.h>

enum cedei_trait {
    CEDEI_TRAIT_KNOWN = 1,  /* always set */
    CEDEI_TRAIT_OPAQUE = 2, /* cannot be encoded */
    CEDEI_TRAIT_REFS = 4,   /* can hold a cede_ref */
    CEDEI_TRAIT_BOXES = 8,  /* has boxes: walks need a queue */
    CEDEI_TRAIT_BLOATED =
        16, /* a box of a message that is too large for its bytes: cannot be encoded */
    CEDEI_TRAIT_SHARED = 64, /* holds references: decoding makes frozen messages */
    CEDEI_TRAIT_VARIES =
        128, /* encodings differ in size, or a value may be none that can be encoded */
    CEDEI_TRAIT_LATER = 32 /* has what the first format of the schema hash cannot say */
};

/* Any thread; the first call for a type walks over all that it holds. */
uint32_t cedei_type_traits(const struct cede_type *type);

/* The numbers that name the fields of the type between versions of it, in the order of the fields. Any thread; made once.
 * CEDE_ENOMEM; CEDE_ENOTSUP two are equal, or there are more than CEDEI_TAGGED_FIELDS_MAX. */
CEDE_NODISCARD cede_result cedei_type_field_ids(const struct cede_type *type, const uint32_t **ids);

/* CEDE_ENOTSUP when messages of this type cannot leave the process. */
static inline cede_result cedei_type_leaves(const struct cede_type *type) {
    uint32_t stays = CEDEI_TRAIT_OPAQUE | CEDEI_TRAIT_BLOATED;
    return (cedei_type_traits(type) & stays) != 0 ? CEDE_ENOTSUP : CEDE_OK;
}

/* Types in the order in which a walk from `first` meets them, each once: calls `visit` for each. `number` in it is that of
 * a field's nested type. One walk at a time in the process. */
struct cedei_type_walk {
    struct cede_type *first, *last;
    uint64_t walk;
    uint32_t count;
};
void cedei_type_walk_begin(struct cedei_type_walk *walk, struct cede_type *first);
/* Adds the type unless the walk has it already; its number, in the order of adding, from 0. */
uint32_t cedei_type_walk_add(struct cedei_type_walk *walk, struct cede_type *type);
void cedei_type_walk_end(void);

#endif
