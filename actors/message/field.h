/* field.h - reading and writing the parts of a message in memory by the table of its type.
 * Everything is copied in and out by memcpy, so no access depends on the declared type of a member. */
#ifndef CEDEI_MESSAGE_FIELD_H
#define CEDEI_MESSAGE_FIELD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cede/message.h>

_Static_assert(sizeof(bool) == 1, "a bool is read as one byte");
_Static_assert(sizeof(cede_ref) == 16 && offsetof(cede_ref, slot) == 8, "a ref has no gaps");
_Static_assert(sizeof(cede_str) == sizeof(cede_bytes) &&
                   offsetof(cede_str, size) == offsetof(cede_bytes, size),
               "text is read as bytes");

/* In front of what an opt() field leads to. The links belong to whoever decodes, drops or walks over the message. */
struct cedei_box {
    struct cedei_box *next;          /* in a queue of boxes to fill or to drop */
    const struct cedei_field *field; /* the same: what it is for */
    uint32_t number;                 /* while it is filled: of its part of the bytes */
    uint32_t magic;                  /* CEDEI_BOX_MAGIC: made by cedei_opt_make, and not freed */
    void *slot; /* the same, when it stands for a frozen message: what points to it */
};
#define CEDEI_BOX_MAGIC 0x0b0c0b0cu
_Static_assert(sizeof(struct cedei_box) % 16 == 0, "the content is aligned for any message");

/* Never NULL: a type made by hand may lack the table, if it has no fields. */
static inline const struct cedei_field *cedei_type_fields(const struct cede_type *type) {
    static const struct cedei_field none;
    const struct cedei_field *fields = type->fields != NULL ? type->fields() : NULL;
    return fields != NULL ? fields : &none;
}

/* Whether an element is a pointer to a value, or NULL. */
static inline bool cedei_field_is_pointer(const struct cedei_field *field) {
    return (field->flags & (CEDEI_FLAG_BOXED | CEDEI_FLAG_SHARED)) != 0;
}

/* Whether the encoding is the memory, but for the order of bytes in a machine that is not little-endian. */
static inline bool cedei_field_is_plain(const struct cedei_field *field) {
    return !cedei_field_is_pointer(field) && field->kind != CEDEI_FIELD_BOOL &&
           field->kind != CEDEI_FIELD_ENUM && field->kind < CEDEI_FIELD_STR;
}

/* Whether a value of the kind owns memory. */
static inline bool cedei_kind_is_owning(uint8_t kind, const struct cede_type *nested) {
    return kind == CEDEI_FIELD_STR || kind == CEDEI_FIELD_BYTES ||
           (kind == CEDEI_FIELD_MSG && nested->owning != 0);
}

/* The same of an element of the field, in an array or a list, which may be boxed. */
static inline bool cedei_field_is_owning(const struct cedei_field *field) {
    return cedei_field_is_pointer(field) || cedei_kind_is_owning(field->kind, field->nested);
}

/* Bytes of the shortest encoding of one value of the field's kind. */
static inline uint32_t cedei_value_wire_min(const struct cedei_field *field) {
    switch (field->kind) {
    case CEDEI_FIELD_ENUM:
    case CEDEI_FIELD_STR:
    case CEDEI_FIELD_BYTES: return 4;
    case CEDEI_FIELD_MSG: return field->nested->wire_min;
    default: return field->width;
    }
}

/* The same of one element, which may be boxed. */
static inline uint32_t cedei_field_wire_min(const struct cedei_field *field) {
    return cedei_field_is_pointer(field) ? 4 : cedei_value_wire_min(field);
}

/* Bytes in memory of one value of the field's kind. */
static inline uint32_t cedei_value_size(const struct cedei_field *field) {
    return field->kind == CEDEI_FIELD_MSG ? field->nested->size : field->width;
}

/* What the box at `slot` leads to, NULL if it is empty. */
static inline void *cedei_boxed_load(const void *slot) {
    void *content;
    memcpy(&content, slot, sizeof content);
    return content;
}

static inline void cedei_boxed_store(void *slot, void *content) {
    memcpy(slot, &content, sizeof content);
}

static inline void *cedei_box_content(struct cedei_box *box) { return box + 1; }

/* The box around `content`, which ends the process if cedei_opt_make did not make it. */
struct cedei_box *cedei_box_of(void *content);
/* A box with `size` zeroed bytes in it; NULL: no memory. */
struct cedei_box *cedei_box_create(size_t size);
void cedei_box_free(struct cedei_box *box);

static inline struct cedei_list cedei_list_load(const void *slot) {
    struct cedei_list list;
    memcpy(&list, slot, sizeof list);
    return list;
}

static inline void cedei_list_store(void *slot, struct cedei_list list) {
    memcpy(slot, &list, sizeof list);
}

/* Also of a cede_str. */
static inline cede_bytes cedei_bytes_load(const void *slot) {
    cede_bytes bytes;
    memcpy(&bytes, slot, sizeof bytes);
    return bytes;
}

static inline void cedei_bytes_store(void *slot, cede_bytes bytes) {
    memcpy(slot, &bytes, sizeof bytes);
}

/* An enum is as wide as its compiler made it (1, 2 or 4 bytes), and signed if its range says so. */
static inline int64_t cedei_enum_load(const struct cedei_field *field, const void *slot) {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    switch (field->width) {
    case 1: memcpy(&u8, slot, 1); return field->min < 0 ? (int64_t)(int8_t)u8 : (int64_t)u8;
    case 2: memcpy(&u16, slot, 2); return field->min < 0 ? (int64_t)(int16_t)u16 : (int64_t)u16;
    default: memcpy(&u32, slot, 4); return field->min < 0 ? (int64_t)(int32_t)u32 : (int64_t)u32;
    }
}

static inline void cedei_enum_store(const struct cedei_field *field, void *slot, int64_t value) {
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    switch (field->width) {
    case 1: memcpy(slot, &u8, 1); break;
    case 2: memcpy(slot, &u16, 2); break;
    default: memcpy(slot, &u32, 4); break;
    }
}

/* The number of the alternative that a variant holds, as it is in memory: anything. */
static inline uint32_t cedei_tag_load(const struct cede_type *type, const void *variant) {
    const struct cedei_field tag = {.width = type->tag_size};
    return (uint32_t)cedei_enum_load(&tag, variant);
}

static inline void cedei_tag_store(const struct cede_type *type, void *variant, uint32_t number) {
    const struct cedei_field tag = {.width = type->tag_size};
    cedei_enum_store(&tag, variant, (int64_t)number);
}

/* The fields of a message that it really has: all of them, or the one alternative of a variant. `*count` 0: the variant's
 * tag is none of its alternatives. */
static inline const struct cedei_field *cedei_fields_present(const struct cede_type *type,
                                                             const void *message, uint32_t *count) {
    const struct cedei_field *fields = cedei_type_fields(type);
    *count = type->field_count;
    if (type->tag_size == 0) return fields;
    uint32_t tag = cedei_tag_load(type, message);
    *count = tag < type->field_count ? 1 : 0;
    return *count != 0 ? fields + tag : fields;
}

#endif
