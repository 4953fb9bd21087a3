/* codec.c - messages as bytes and back, between programs that declare their types alike; tagged.c has the other form.
 * Owns nothing between calls. Invariants of decoding: (1) bytes are read through the cursor only; (2) `promised`, the
 * least number of bytes that what is still to be decoded needs, never exceeds what is left, so a length or count is
 * accepted only if its bytes are there beside those of everything behind it: each byte of input justifies memory once;
 * (3) the struct is valid to clear after every step; (4) boxes are
 * filled one after the other, not one inside the other: no bytes make it use more stack. Fuzzed by tests/fuzz/message_decode_fuzz.c. */
#include <string.h>

#include "actors/message/cursor.h"
#include "actors/message/field.h"
#include "actors/message/filling.h"
#include "actors/message/message.h"
#include "actors/message/numbers.h"
#include "actors/message/traits.h"
#include "actors/message/writer.h"
#include "core/mem/part.h"

/* ---- encoding ---- */

static cede_result put_message(struct cedei_writer *writer, const struct cede_type *type,
                               const void *message);

static cede_result put_value(struct cedei_writer *writer, const struct cedei_field *field,
                             const void *slot) {
    switch (field->kind) {
    case CEDEI_FIELD_BOOL: return cedei_put_bool(writer, slot);
    case CEDEI_FIELD_ENUM: return cedei_put_enum(writer, field, slot);
    case CEDEI_FIELD_MSG: return put_message(writer, field->nested, slot);
    case CEDEI_FIELD_STR:
    case CEDEI_FIELD_BYTES: return cedei_put_bytes(writer, slot);
    default: return cedei_put_plain(writer, field, slot, 1);
    }
}

/* Whether there is one; what is in it comes behind everything that was begun before. */
static cede_result put_box(struct cedei_writer *writer, const struct cedei_field *field,
                           const void *slot) {
    const void *content = cedei_boxed_load(slot);
    cede_result r = cedei_put_u32(writer, content != NULL);
    if (r != CEDE_OK || content == NULL) return r;
    return cedei_pending_add(&writer->boxes, field, content);
}

static cede_result put_elements(struct cedei_writer *writer, const struct cedei_field *field,
                                const void *first, uint32_t count) {
    if (cedei_field_is_plain(field)) return cedei_put_plain(writer, field, first, count);
    const char *slot = first;
    for (uint32_t i = 0; i < count; i++, slot += field->size) {
        cede_result r = cedei_field_is_pointer(field) ? put_box(writer, field, slot)
                                                      : put_value(writer, field, slot);
        if (r != CEDE_OK) return r;
    }
    return CEDE_OK;
}

static cede_result put_list(struct cedei_writer *writer, const struct cedei_field *field,
                            const void *slot) {
    struct cedei_list list = cedei_list_load(slot);
    if (list.count != 0 && list.items == NULL) return CEDE_EINVAL;
    cede_result r = cedei_put_u32(writer, list.count);
    return r == CEDE_OK ? put_elements(writer, field, list.items, list.count) : r;
}

static cede_result put_message(struct cedei_writer *writer, const struct cede_type *type,
                               const void *message) {
    uint32_t count;
    const struct cedei_field *field = cedei_fields_present(type, message, &count);
    if (type->tag_size != 0) {
        cede_result r =
            count == 0 ? CEDE_EINVAL : cedei_put_u32(writer, cedei_tag_load(type, message));
        if (r != CEDE_OK) return r;
    }
    for (; count > 0; count--, field++) {
        const void *slot = (const char *)message + field->offset;
        cede_result r = field->shape == CEDEI_SHAPE_LIST
                            ? put_list(writer, field, slot)
                            : put_elements(writer, field, slot, field->count);
        if (r != CEDE_OK) return r;
    }
    return CEDE_OK;
}

/* The message, then the boxes in the order in which they were met. */
static cede_result put_whole(struct cedei_writer *writer, const struct cede_type *type,
                             const void *message) {
    struct cedei_pending_box box;
    cede_result r = put_message(writer, type, message);
    while (r == CEDE_OK && cedei_pending_take(&writer->boxes, &box))
        r = put_value(writer, box.field, box.content);
    cedei_pending_fini(&writer->boxes);
    return r;
}

cede_result cedei_message_encoded_size(const struct cede_type *type, const void *message,
                                       size_t *size) {
    cede_result r = cedei_type_leaves(type);
    if (r != CEDE_OK) return r;
    if ((cedei_type_traits(type) & CEDEI_TRAIT_VARIES) == 0) {
        *size = type->wire_min;
        return CEDE_OK;
    }
    struct cedei_writer writer = {.out = NULL};
    r = put_whole(&writer, type, message);
    if (r == CEDE_OK) *size = writer.used;
    return r;
}

cede_result cedei_message_encode(const struct cede_type *type, const void *message, uint8_t *out,
                                 size_t size) {
    cede_result r = cedei_type_leaves(type);
    if (r != CEDE_OK) return r;
    uint8_t none;
    /* `out` may be NULL for a message without fields, and NULL would mean counting. */
    struct cedei_writer writer = {.out = out != NULL ? out : &none, .size = out != NULL ? size : 0};
    r = put_whole(&writer, type, message);
    return r == CEDE_OK && writer.used != size ? CEDE_ETOOBIG : r;
}

/* ---- decoding ---- */

struct reader {
    struct cedei_cursor cursor;
    size_t promised; /* bytes; at most cursor.left */
    struct cedei_filling filling;
};

/* Bytes that are left beyond those promised to what follows. */
static size_t reader_spare(const struct reader *reader) {
    return reader->cursor.left - reader->promised;
}

/* So many bytes have to be there besides; then they are promised to a part that the input has just told of. */
static bool reader_promise(struct reader *reader, size_t size) {
    if (size > reader_spare(reader)) return false;
    reader->promised += size;
    return true;
}

/* What was promised for the next part is due now. */
static bool reader_redeem(struct reader *reader, size_t size) {
    if (size > reader->promised) return false;
    reader->promised -= size;
    return true;
}

static cede_result take_plain(struct reader *reader, const struct cedei_field *field, void *to,
                              uint32_t count) {
    const uint8_t *from;
    size_t size;
    if (count == 0) return CEDE_OK;
    if (__builtin_mul_overflow((size_t)field->width, (size_t)count, &size)) return CEDE_EBADMSG;
    if (!reader_redeem(reader, size)) return CEDE_EBADMSG;
    if (!cedei_cursor_bytes(&reader->cursor, size, &from)) return CEDE_EBADMSG;
    cedei_plain_copy(to, from, field, count);
    return CEDE_OK;
}

static cede_result take_bool(struct reader *reader, void *slot) {
    uint8_t value;
    if (!reader_redeem(reader, 1) || !cedei_cursor_u8(&reader->cursor, &value) || value > 1) {
        return CEDE_EBADMSG;
    }
    memcpy(slot, &value, 1);
    return CEDE_OK;
}

/* A length or count that stands in front of its content. */
static bool take_u32(struct reader *reader, uint32_t *value) {
    return reader_redeem(reader, 4) && cedei_cursor_u32(&reader->cursor, value);
}

static cede_result take_enum(struct reader *reader, const struct cedei_field *field, void *slot) {
    uint32_t raw;
    if (!take_u32(reader, &raw)) return CEDE_EBADMSG;
    int64_t value = field->min < 0 ? (int64_t)(int32_t)raw : (int64_t)raw;
    if (value < field->min || value > field->max) return CEDE_EBADMSG;
    cedei_enum_store(field, slot, value);
    return CEDE_OK;
}

static cede_result take_bytes(struct reader *reader, bool is_text, void *slot) {
    uint32_t size;
    const uint8_t *from;
    if (!take_u32(reader, &size) || size > reader_spare(reader)) return CEDE_EBADMSG;
    /* The largest text in memory is a byte shorter than the largest number, for its NUL. */
    if (is_text && size == UINT32_MAX) return CEDE_EBADMSG;
    if (size == 0) return CEDE_OK;
    if (!cedei_cursor_bytes(&reader->cursor, size, &from)) return CEDE_EBADMSG;
    uint8_t *data = cedei_part_take((size_t)size + (is_text ? 1 : 0));
    if (data == NULL) return CEDE_ENOMEM;
    memcpy(data, from, size);
    if (is_text) data[size] = '\0';
    cedei_bytes_store(slot, (cede_bytes){.data = data, .size = size});
    return CEDE_OK;
}

static cede_result take_message(struct reader *reader, const struct cede_type *type, void *message);

static cede_result take_value(struct reader *reader, const struct cedei_field *field, void *slot) {
    switch (field->kind) {
    case CEDEI_FIELD_BOOL: return take_bool(reader, slot);
    case CEDEI_FIELD_ENUM: return take_enum(reader, field, slot);
    case CEDEI_FIELD_MSG: return take_message(reader, field->nested, slot);
    case CEDEI_FIELD_STR: return take_bytes(reader, true, slot);
    case CEDEI_FIELD_BYTES: return take_bytes(reader, false, slot);
    default: return take_plain(reader, field, slot, 1);
    }
}

/* An empty one for now; it is filled when all before it are. */
static cede_result take_box(struct reader *reader, const struct cedei_field *field, void *slot) {
    uint32_t present;
    if (!take_u32(reader, &present) || present > 1) return CEDE_EBADMSG;
    if (present == 0) return CEDE_OK;
    if (!reader_promise(reader, cedei_value_wire_min(field))) return CEDE_EBADMSG;
    return cedei_filling_add(&reader->filling, field, slot, 0);
}

static cede_result take_elements(struct reader *reader, const struct cedei_field *field,
                                 void *first, uint32_t count) {
    if (cedei_field_is_plain(field)) return take_plain(reader, field, first, count);
    char *slot = first;
    for (uint32_t i = 0; i < count; i++, slot += field->size) {
        cede_result r = cedei_field_is_pointer(field) ? take_box(reader, field, slot)
                                                      : take_value(reader, field, slot);
        if (r != CEDE_OK) return r;
    }
    return CEDE_OK;
}

static cede_result take_list(struct reader *reader, const struct cedei_field *field, void *slot) {
    uint32_t count;
    size_t wire_min = cedei_field_wire_min(field), size;
    if (!take_u32(reader, &count)) return CEDE_EBADMSG;
    if (count == 0) return CEDE_OK;
    /* Elements without bytes would make any count believable; CEDE_MESSAGE refuses to declare them. */
    if (wire_min == 0 || count > reader_spare(reader) / wire_min) return CEDE_EBADMSG;
    if (__builtin_mul_overflow((size_t)count, (size_t)field->size, &size)) return CEDE_EBADMSG;
    reader->promised += count * wire_min;
    /* Zeroed, so that it can be cleared when an element fails halfway. */
    void *items = cedei_part_take_zeroed(size);
    if (items == NULL) return CEDE_ENOMEM;
    cedei_list_store(slot, (struct cedei_list){.items = items, .count = count, .capacity = count});
    return take_elements(reader, field, items, count);
}

/* What was promised for the smallest alternative becomes a promise for the one that is there. */
static cede_result take_tag(struct reader *reader, const struct cede_type *type, void *message) {
    uint32_t tag;
    if (!reader_redeem(reader, type->wire_min) || !cedei_cursor_u32(&reader->cursor, &tag) ||
        tag >= type->field_count)
        return CEDE_EBADMSG;
    const struct cedei_field *field = cedei_type_fields(type) + tag;
    size_t wire_min =
        field->shape == CEDEI_SHAPE_LIST ? 4 : (size_t)field->count * cedei_field_wire_min(field);
    if (!reader_promise(reader, wire_min)) return CEDE_EBADMSG;
    cedei_tag_store(type, message, tag);
    return CEDE_OK;
}

static cede_result take_message(struct reader *reader, const struct cede_type *type, void *message) {
    uint32_t count;
    if (type->tag_size != 0) {
        cede_result r = take_tag(reader, type, message);
        if (r != CEDE_OK) return r;
    }
    const struct cedei_field *field = cedei_fields_present(type, message, &count);
    for (; count > 0; count--, field++) {
        void *slot = (char *)message + field->offset;
        cede_result r = field->shape == CEDEI_SHAPE_LIST
                            ? take_list(reader, field, slot)
                            : take_elements(reader, field, slot, field->count);
        if (r != CEDE_OK) return r;
    }
    return CEDE_OK;
}

/* The message, then what is in its boxes; a box that is filled may bring more. */
static cede_result take_whole(struct reader *reader, const struct cede_type *type, void *message) {
    cede_result r = take_message(reader, type, message);
    struct cedei_box *box;
    while (r == CEDE_OK && (box = cedei_filling_take(&reader->filling)) != NULL)
        r = take_value(reader, box->field, cedei_box_content(box));
    return r == CEDE_OK && reader->cursor.left != 0 ? CEDE_EBADMSG : r;
}

cede_result cedei_message_decode(const struct cede_type *type, const uint8_t *bytes, size_t size,
                                 const struct cedei_maker *maker, void *message) {
    memset(message, 0, type->size);
    cede_result r = cedei_type_leaves(type);
    if (r != CEDE_OK) return r;
    if (size < type->wire_min) return CEDE_EBADMSG;
    struct reader reader = {.cursor = cedei_cursor_over(bytes, size), .promised = type->wire_min};
    cedei_filling_init(&reader.filling);
    r = take_whole(&reader, type, message);
    r = cedei_filling_end(&reader.filling, maker, r);
    if (r != CEDE_OK) cedei_message_reset(type, message);
    return r;
}
