/* tagged.h - messages as bytes for a program that declares their type otherwise: an older or a newer version of it.
 *
 *   message = chunk number 0, then the chunks of boxes, numbered from 1 in their order
 *   chunk   = u32 size, content
 *   content = fields of a message in any order; for a box of another kind its value
 *   field   = u32 id, u32 nested, u8 kind, u8 shape, u8 flags, u8 0, u32 size, part   (id: a hash of the field's name,
 *             nested: one of the nested type's name, or 0)
 *   part    = value; of a list or an array u32 count, values
 *   value   = as in codec.c; of a nested message u32 size, content; of a box the u32 number of its chunk, or 0
 * A variant has one field: its alternative. A field marked must() is left out when it is zero or empty (enums and nested
 * messages never are). What a reader does not know has a size, so it can be skipped; a box in it leaves a chunk that nobody asked for. */
#ifndef CEDEI_MESSAGE_TAGGED_H
#define CEDEI_MESSAGE_TAGGED_H

#include "actors/message/message.h"

/* Why two declarations of a type do not fit, as a sentence. */
struct cedei_mismatch {
    char text[200];
};

enum { CEDEI_TAGGED_GROWTH_MAX = 64, CEDEI_TAGGED_FIELDS_MAX = 256 };

/* As cedei_message_encoded_size and cedei_message_encode. CEDE_ENOTSUP also: two fields of the type have one id, or it has
 * more than CEDEI_TAGGED_FIELDS_MAX fields. */
CEDE_NODISCARD cede_result cedei_tagged_size(const struct cede_type *type, const void *message,
                                             size_t *size);
CEDE_NODISCARD cede_result cedei_tagged_encode(const struct cede_type *type, const void *message,
                                               uint8_t *out, size_t size);

/* As cedei_message_decode. Fields that the bytes lack are zero (enums: zero if they can be, else their first value).
 * CEDE_ETYPE: a field is of another kind there, a value is out of its range here, an alternative is not known here, or a
 * field that is marked must(); `*why` says which. CEDE_ETOOBIG: it would need more than CEDEI_TAGGED_GROWTH_MAX bytes of memory
 * for a byte of input. */
CEDE_NODISCARD cede_result cedei_tagged_decode(const struct cede_type *type, const uint8_t *bytes,
                                               size_t size, const struct cedei_maker *maker,
                                               void *message, struct cedei_mismatch *why);

/* One or the other: `schema` is the hash of the writer's type, or CEDEI_SCHEMA_TAGGED. CEDE_ETYPE also: neither ours nor
 * that. */
#define CEDEI_SCHEMA_TAGGED 0u
CEDE_NODISCARD cede_result cedei_message_read(const struct cede_type *type, uint64_t schema,
                                              const uint8_t *bytes, size_t size,
                                              const struct cedei_maker *maker, void *message,
                                              struct cedei_mismatch *why);

/* What a field is, as one version says it: "list(u32)", "opt(msg(#0123abcd))". */
struct cedei_kind_words {
    uint8_t kind, shape, flags;
    uint32_t nested;
};
void cedei_kind_describe(const struct cedei_kind_words *words, char *out, size_t size);

/* The number that names a field of a message: the low half of a hash of its name. */
uint32_t cedei_field_id(const char *name);

#endif
