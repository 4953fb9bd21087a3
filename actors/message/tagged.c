/* tagged.c - the encoding between different versions of a type; see tagged.h for the bytes.
 * Owns nothing between calls. Invariants of decoding: (1)
 * bytes are read through cursors only, and that over a field ends with it; (2) memory comes out of `budget`, which the
 * size of the input sets; (3) the struct is valid to clear after every step: no field that owns memory is read twice; (4)
 * boxes are filled one after the other. How deep it nests is bounded by the reader's types. */
#include <stdarg.h>
#include <stdio.h>

#include "actors/message/cursor.h"
#include "actors/message/filling.h"
#include "actors/message/tagged.h"
#include "actors/message/traits.h"
#include "actors/message/writer.h"
#include "core/mem/part.h"

enum { FIELD_HEAD_SIZE = 16, POINTER_FLAGS = CEDEI_FLAG_BOXED | CEDEI_FLAG_SHARED };

static uint32_t type_number(const struct cedei_field *field) {
    return field->nested != NULL ? (uint32_t)cedei_type_id(field->nested) : 0;
}

/* ---- encoding ---- */

/* Of something with its size in front: where the size goes, when all of it is there. */
static cede_result sized_begin(struct cedei_writer *writer, size_t *at) {
    *at = writer->used;
    return cedei_put_u32(writer, 0);
}

static cede_result sized_end(struct cedei_writer *writer, size_t at) {
    size_t size = writer->used - at - 4;
    if (size > UINT32_MAX) return CEDE_ETOOBIG;
    uint32_t value = (uint32_t)size;
    if (writer->out != NULL) cedei_numbers_copy(writer->out + at, &value, 4, 1);
    return CEDE_OK;
}

static cede_result put_content(struct cedei_writer *writer, const struct cede_type *type,
                               const void *message);

static cede_result put_value(struct cedei_writer *writer, const struct cedei_field *field,
                             const void *slot) {
    size_t at;
    switch (field->kind) {
    case CEDEI_FIELD_BOOL: return cedei_put_bool(writer, slot);
    case CEDEI_FIELD_ENUM: return cedei_put_enum(writer, field, slot);
    case CEDEI_FIELD_STR:
    case CEDEI_FIELD_BYTES: return cedei_put_bytes(writer, slot);
    case CEDEI_FIELD_MSG: break;
    default: return cedei_put_plain(writer, field, slot, 1);
    }
    cede_result r = sized_begin(writer, &at);
    if (r == CEDE_OK) r = put_content(writer, field->nested, slot);
    return r == CEDE_OK ? sized_end(writer, at) : r;
}

static cede_result put_pointer(struct cedei_writer *writer, const struct cedei_field *field,
                               const void *slot) {
    const void *content = cedei_boxed_load(slot);
    if (content == NULL) return cedei_put_u32(writer, 0);
    cede_result r = cedei_pending_add(&writer->boxes, field, content);
    return r == CEDE_OK ? cedei_put_u32(writer, writer->boxes.numbered) : r;
}

static cede_result put_elements(struct cedei_writer *writer, const struct cedei_field *field,
                                const void *first, uint32_t count) {
    if (cedei_field_is_plain(field)) return cedei_put_plain(writer, field, first, count);
    cede_result r = CEDE_OK;
    const char *slot = first;
    for (uint32_t i = 0; r == CEDE_OK && i < count; i++, slot += field->size)
        r = cedei_field_is_pointer(field) ? put_pointer(writer, field, slot)
                                          : put_value(writer, field, slot);
    return r;
}

static cede_result put_part(struct cedei_writer *writer, const struct cedei_field *field,
                            const void *slot) {
    if (field->shape == CEDEI_SHAPE_ONE) return put_elements(writer, field, slot, 1);
    uint32_t count = field->count;
    if (field->shape == CEDEI_SHAPE_LIST) {
        struct cedei_list list = cedei_list_load(slot);
        if (list.count != 0 && list.items == NULL) return CEDE_EINVAL;
        slot = list.items;
        count = list.count;
    }
    cede_result r = cedei_put_u32(writer, count);
    return r == CEDE_OK ? put_elements(writer, field, slot, count) : r;
}

static cede_result put_field(struct cedei_writer *writer, const struct cedei_field *field,
                             uint32_t id, const void *slot) {
    const uint8_t words[4] = {field->kind, field->shape, field->flags, 0};
    uint8_t *place;
    size_t at = 0;
    cede_result r = cedei_put_u32(writer, id);
    if (r == CEDE_OK) r = cedei_put_u32(writer, type_number(field));
    if (r == CEDE_OK) r = cedei_writer_take(writer, sizeof words, &place);
    if (r == CEDE_OK && place != NULL) memcpy(place, words, sizeof words);
    if (r == CEDE_OK) r = sized_begin(writer, &at);
    if (r == CEDE_OK) r = put_part(writer, field, slot);
    return r == CEDE_OK ? sized_end(writer, at) : r;
}

/* Zero or empty, so that a reader who lacks the field, though it must not, loses nothing. */
static bool field_is_unused(const struct cedei_field *field, const void *slot) {
    size_t size = (size_t)field->size * field->count;
    if ((field->flags & CEDEI_FLAG_MUST) == 0) return false;
    if (field->shape == CEDEI_SHAPE_LIST) return cedei_list_load(slot).count == 0;
    if (!cedei_field_is_pointer(field) &&
        (field->kind == CEDEI_FIELD_ENUM || field->kind == CEDEI_FIELD_MSG))
        return false;
    if (field->shape == CEDEI_SHAPE_ONE && !cedei_field_is_pointer(field) &&
        (field->kind == CEDEI_FIELD_STR || field->kind == CEDEI_FIELD_BYTES))
        return cedei_bytes_load(slot).size == 0;
    const uint8_t *bytes = slot;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0) return false;
    return true;
}

static cede_result put_content(struct cedei_writer *writer, const struct cede_type *type,
                               const void *message) {
    uint32_t count;
    const uint32_t *ids;
    cede_result r = cedei_type_field_ids(type, &ids);
    if (r != CEDE_OK) return r;
    const struct cedei_field *first = cedei_type_fields(type);
    const struct cedei_field *field = cedei_fields_present(type, message, &count);
    if (type->tag_size != 0 && count == 0) return CEDE_EINVAL;
    for (; r == CEDE_OK && count > 0; count--, field++) {
        const void *slot = (const char *)message + field->offset;
        if (type->tag_size != 0 || !field_is_unused(field, slot))
            r = put_field(writer, field, ids[field - first], slot);
    }
    return r;
}

static cede_result put_chunk(struct cedei_writer *writer, const struct cedei_pending_box *box) {
    size_t at;
    cede_result r = sized_begin(writer, &at);
    if (r == CEDE_OK)
        r = box->field->kind == CEDEI_FIELD_MSG
                ? put_content(writer, box->field->nested, box->content)
                : put_value(writer, box->field, box->content);
    return r == CEDE_OK ? sized_end(writer, at) : r;
}

static cede_result put_whole(struct cedei_writer *writer, const struct cede_type *type,
                             const void *message) {
    const struct cedei_field whole = {.nested = (struct cede_type *)(uintptr_t)type,
                                      .kind = CEDEI_FIELD_MSG};
    struct cedei_pending_box box = {.field = &whole, .content = message};
    cede_result r = cedei_type_leaves(type);
    if (r == CEDE_OK) r = put_chunk(writer, &box);
    while (r == CEDE_OK && cedei_pending_take(&writer->boxes, &box)) r = put_chunk(writer, &box);
    cedei_pending_fini(&writer->boxes);
    return r;
}

cede_result cedei_tagged_size(const struct cede_type *type, const void *message, size_t *size) {
    struct cedei_writer writer = {.out = NULL};
    cede_result r = put_whole(&writer, type, message);
    if (r == CEDE_OK) *size = writer.used;
    return r;
}

cede_result cedei_tagged_encode(const struct cede_type *type, const void *message, uint8_t *out,
                                size_t size) {
    struct cedei_writer writer = {.out = out, .size = size};
    cede_result r = put_whole(&writer, type, message);
    return r == CEDE_OK && writer.used != size ? CEDE_ETOOBIG : r;
}

/* ---- decoding ---- */

struct reader {
    struct cedei_filling filling;
    struct cedei_mismatch *why;
    size_t budget;        /* bytes of memory that may still be got */
    uint32_t last_number; /* of the last box that was met */
};

/* A field as it comes. */
struct head {
    uint32_t id, nested;
    uint8_t kind, shape, flags;
    struct cedei_cursor part;
};

CEDE_PRINTF(2, 3)
static cede_result mismatch(struct reader *reader, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reader->why->text, sizeof reader->why->text, format, arguments);
    va_end(arguments);
    return CEDE_ETYPE;
}

static cede_result budget_take(struct reader *reader, size_t size) {
    if (size > reader->budget) return CEDE_ETOOBIG;
    reader->budget -= size;
    return CEDE_OK;
}

/* `*inner` is over the next part, which has its size in front. */
static bool take_sized(struct cedei_cursor *cursor, struct cedei_cursor *inner) {
    uint32_t size;
    const uint8_t *bytes;
    if (!cedei_cursor_u32(cursor, &size) || !cedei_cursor_bytes(cursor, size, &bytes)) return false;
    *inner = cedei_cursor_over(bytes, size);
    return true;
}

static cede_result take_enum(struct reader *reader, const struct cedei_field *field,
                             struct cedei_cursor *cursor, void *slot) {
    uint32_t raw;
    if (!cedei_cursor_u32(cursor, &raw)) return CEDE_EBADMSG;
    int64_t value = field->min < 0 ? (int64_t)(int32_t)raw : (int64_t)raw;
    if (value < field->min || value > field->max)
        return mismatch(reader, "field '%s' has the value %lld, which its enum lacks here",
                        field->name, (long long)value);
    cedei_enum_store(field, slot, value);
    return CEDE_OK;
}

static cede_result take_bytes(struct reader *reader, struct cedei_cursor *cursor, bool is_text,
                              void *slot) {
    struct cedei_cursor inner;
    if (!take_sized(cursor, &inner) || (is_text && inner.left == UINT32_MAX)) return CEDE_EBADMSG;
    if (inner.left == 0) return CEDE_OK;
    size_t size = inner.left + (is_text ? 1 : 0);
    cede_result r = budget_take(reader, size);
    if (r != CEDE_OK) return r;
    uint8_t *data = cedei_part_take(size);
    if (data == NULL) return CEDE_ENOMEM;
    memcpy(data, inner.at, inner.left);
    if (is_text) data[inner.left] = '\0';
    cedei_bytes_store(slot, (cede_bytes){.data = data, .size = (uint32_t)inner.left});
    return CEDE_OK;
}

static cede_result take_content(struct reader *reader, const struct cede_type *type,
                                struct cedei_cursor *cursor, void *message);

static cede_result take_value(struct reader *reader, const struct cedei_field *field,
                              struct cedei_cursor *cursor, void *slot) {
    struct cedei_cursor inner;
    const uint8_t *bytes;
    uint8_t byte;
    switch (field->kind) {
    case CEDEI_FIELD_BOOL:
        if (!cedei_cursor_u8(cursor, &byte) || byte > 1) return CEDE_EBADMSG;
        memcpy(slot, &byte, 1);
        return CEDE_OK;
    case CEDEI_FIELD_ENUM: return take_enum(reader, field, cursor, slot);
    case CEDEI_FIELD_STR: return take_bytes(reader, cursor, true, slot);
    case CEDEI_FIELD_BYTES: return take_bytes(reader, cursor, false, slot);
    case CEDEI_FIELD_MSG:
        if (!take_sized(cursor, &inner)) return CEDE_EBADMSG;
        return take_content(reader, field->nested, &inner, slot);
    default: break;
    }
    if (!cedei_cursor_bytes(cursor, field->width, &bytes)) return CEDE_EBADMSG;
    cedei_plain_copy(slot, bytes, field, 1);
    return CEDE_OK;
}

static cede_result take_pointer(struct reader *reader, const struct cedei_field *field,
                                struct cedei_cursor *cursor, void *slot) {
    uint32_t number;
    if (!cedei_cursor_u32(cursor, &number)) return CEDE_EBADMSG;
    if (number == 0) return CEDE_OK;
    if (number <= reader->last_number) return CEDE_EBADMSG;
    reader->last_number = number;
    size_t size = sizeof(struct cedei_box) + cedei_value_size(field);
    if (field->flags & CEDEI_FLAG_SHARED) size += 48 + cedei_value_size(field);
    cede_result r = budget_take(reader, size);
    return r == CEDE_OK ? cedei_filling_add(&reader->filling, field, slot, number) : r;
}

static cede_result take_elements(struct reader *reader, const struct cedei_field *field,
                                 struct cedei_cursor *cursor, void *first, uint32_t count) {
    cede_result r = CEDE_OK;
    char *slot = first;
    for (uint32_t i = 0; r == CEDE_OK && i < count; i++, slot += field->size)
        r = cedei_field_is_pointer(field) ? take_pointer(reader, field, cursor, slot)
                                          : take_value(reader, field, cursor, slot);
    return r;
}

static cede_result take_list(struct reader *reader, const struct cedei_field *field,
                             struct cedei_cursor *cursor, uint32_t count, void *slot) {
    /* A nested message has its size in front, if nothing else. */
    size_t least = field->kind == CEDEI_FIELD_MSG ? 4 : cedei_field_wire_min(field), size;
    if (count == 0) return CEDE_OK;
    if (count > cursor->left / least) return CEDE_EBADMSG;
    if (__builtin_mul_overflow((size_t)count, (size_t)field->size, &size)) return CEDE_EBADMSG;
    cede_result r = budget_take(reader, size);
    if (r != CEDE_OK) return r;
    void *items = cedei_part_take_zeroed(size);
    if (items == NULL) return CEDE_ENOMEM;
    cedei_list_store(slot, (struct cedei_list){.items = items, .count = count, .capacity = count});
    return take_elements(reader, field, cursor, items, count);
}

static cede_result take_part(struct reader *reader, const struct cede_type *type,
                             const struct cedei_field *field, struct cedei_cursor *part,
                             void *slot) {
    uint32_t count = 1;
    cede_result r;
    if (field->shape != CEDEI_SHAPE_ONE && !cedei_cursor_u32(part, &count)) return CEDE_EBADMSG;
    if (field->shape == CEDEI_SHAPE_LIST) {
        r = take_list(reader, field, part, count, slot);
    } else if (count != field->count) {
        return mismatch(reader, "field '%s' of '%s' is an array of %u there and of %u here",
                        field->name, type->name, count, field->count);
    } else {
        r = take_elements(reader, field, part, slot, count);
    }
    return r == CEDE_OK && part->left != 0 ? CEDE_EBADMSG : r;
}

static cede_result field_compare(struct reader *reader, const struct cede_type *type,
                                 const struct cedei_field *field, const struct head *head) {
    if (field->kind == head->kind && field->shape == head->shape &&
        (field->flags & POINTER_FLAGS) == (head->flags & POINTER_FLAGS) &&
        type_number(field) == head->nested)
        return CEDE_OK;
    char here[80], there[80];
    struct cedei_kind_words words = {head->kind, head->shape, head->flags, head->nested};
    cedei_kind_describe(&words, there, sizeof there);
    words = (struct cedei_kind_words){field->kind, field->shape, field->flags, type_number(field)};
    cedei_kind_describe(&words, here, sizeof here);
    return mismatch(reader, "field '%s' of '%s' is %s there and %s here", field->name, type->name,
                    there, here);
}

static bool take_head(struct cedei_cursor *cursor, struct head *head) {
    uint8_t zero;
    return cedei_cursor_u32(cursor, &head->id) && cedei_cursor_u32(cursor, &head->nested) &&
           cedei_cursor_u8(cursor, &head->kind) && cedei_cursor_u8(cursor, &head->shape) &&
           cedei_cursor_u8(cursor, &head->flags) && cedei_cursor_u8(cursor, &zero) && zero == 0 &&
           take_sized(cursor, &head->part);
}

/* Starts where the last one was found: most writers have our order. field_count: there is none. */
static uint32_t field_find(const struct cede_type *type, const uint32_t *ids, uint32_t id,
                           uint32_t from) {
    for (uint32_t i = 0; i < type->field_count; i++, from++) {
        if (from >= type->field_count) from = 0;
        if (ids[from] == id) return from;
    }
    return type->field_count;
}

/* What a message has that the bytes say nothing of. */
static void defaults_set(const struct cede_type *type, void *message) {
    uint32_t count;
    const struct cedei_field *field = cedei_fields_present(type, message, &count);
    for (; count > 0; count--, field++) {
        if (field->shape == CEDEI_SHAPE_LIST || cedei_field_is_pointer(field)) continue;
        char *slot = (char *)message + field->offset;
        for (uint32_t i = 0; i < field->count; i++, slot += field->size) {
            if (field->kind == CEDEI_FIELD_MSG)
                defaults_set(field->nested, slot);
            else if (field->kind == CEDEI_FIELD_ENUM && (field->min > 0 || field->max < 0))
                cedei_enum_store(field, slot, field->min);
            else
                break;
        }
    }
}

static cede_result take_alternative(struct reader *reader, const struct cede_type *type,
                                    const uint32_t *ids, struct cedei_cursor *cursor,
                                    void *message) {
    struct head head;
    if (!take_head(cursor, &head) || cursor->left != 0) return CEDE_EBADMSG;
    uint32_t tag = field_find(type, ids, head.id, 0);
    if (tag == type->field_count)
        return mismatch(reader, "variant '%s' has an alternative there (%08x) that it lacks here",
                        type->name, head.id);
    const struct cedei_field *field = cedei_type_fields(type) + tag;
    cede_result r = field_compare(reader, type, field, &head);
    if (r != CEDE_OK) return r;
    memset(message, 0, type->size);
    cedei_tag_store(type, message, tag);
    defaults_set(type, message);
    return take_part(reader, type, field, &head.part, (char *)message + field->offset);
}

static cede_result take_fields(struct reader *reader, const struct cede_type *type,
                               const uint32_t *ids, struct cedei_cursor *cursor, void *message) {
    uint64_t seen[CEDEI_TAGGED_FIELDS_MAX / 64] = {0};
    uint32_t next = 0;
    while (cursor->left != 0) { /* each round takes a head */
        struct head head;
        if (!take_head(cursor, &head)) return CEDE_EBADMSG;
        uint32_t index = field_find(type, ids, head.id, next);
        if (index == type->field_count) {
            if ((head.flags & CEDEI_FLAG_MUST) == 0) continue;
            return mismatch(
                reader, "'%s' has a field there (%08x) that a reader must know, and lacks it here",
                type->name, head.id);
        }
        if (seen[index / 64] >> (index % 64) & 1) return CEDE_EBADMSG;
        seen[index / 64] |= (uint64_t)1 << (index % 64);
        next = index + 1;
        const struct cedei_field *field = cedei_type_fields(type) + index;
        cede_result r = field_compare(reader, type, field, &head);
        if (r == CEDE_OK)
            r = take_part(reader, type, field, &head.part, (char *)message + field->offset);
        if (r != CEDE_OK) return r;
    }
    return CEDE_OK;
}

static cede_result take_content(struct reader *reader, const struct cede_type *type,
                                struct cedei_cursor *cursor, void *message) {
    const uint32_t *ids;
    cede_result r = cedei_type_field_ids(type, &ids);
    if (r != CEDE_OK) return r;
    if (type->tag_size != 0) return take_alternative(reader, type, ids, cursor, message);
    defaults_set(type, message);
    return take_fields(reader, type, ids, cursor, message);
}

static cede_result take_whole(struct reader *reader, const struct cede_type *type,
                              struct cedei_cursor *cursor, void *message) {
    struct cedei_cursor chunk;
    if (!take_sized(cursor, &chunk)) return CEDE_EBADMSG;
    cede_result r = take_content(reader, type, &chunk, message);
    for (uint32_t number = 1; r == CEDE_OK && cursor->left != 0; number++) {
        if (number == 0 || !take_sized(cursor, &chunk)) return CEDE_EBADMSG;
        if (cedei_filling_next(&reader->filling) != number) continue; /* of a field we lack */
        struct cedei_box *box = cedei_filling_take(&reader->filling);
        const struct cedei_field *field = box->field;
        r = field->kind == CEDEI_FIELD_MSG
                ? take_content(reader, field->nested, &chunk, cedei_box_content(box))
                : take_value(reader, field, &chunk, cedei_box_content(box));
        if (r == CEDE_OK && chunk.left != 0) r = CEDE_EBADMSG;
    }
    return r == CEDE_OK && reader->filling.first != NULL ? CEDE_EBADMSG : r;
}

cede_result cedei_tagged_decode(const struct cede_type *type, const uint8_t *bytes, size_t size,
                                const struct cedei_maker *maker, void *message,
                                struct cedei_mismatch *why) {
    memset(message, 0, type->size);
    why->text[0] = '\0';
    cede_result r = cedei_type_leaves(type);
    if (r != CEDE_OK) return r;
    struct cedei_cursor cursor = cedei_cursor_over(bytes, size);
    struct reader reader = {.why = why, .budget = size * CEDEI_TAGGED_GROWTH_MAX};
    cedei_filling_init(&reader.filling);
    r = take_whole(&reader, type, &cursor, message);
    r = cedei_filling_end(&reader.filling, maker, r);
    if (r != CEDE_OK) cedei_message_reset(type, message);
    return r;
}

cede_result cedei_message_read(const struct cede_type *type, uint64_t schema, const uint8_t *bytes,
                               size_t size, const struct cedei_maker *maker, void *message,
                               struct cedei_mismatch *why) {
    if (schema == CEDEI_SCHEMA_TAGGED)
        return cedei_tagged_decode(type, bytes, size, maker, message, why);
    if (schema == cede_schema_hash(type))
        return cedei_message_decode(type, bytes, size, maker, message);
    memset(message, 0, type->size);
    (void)snprintf(why->text, sizeof why->text, "it is declared differently here");
    return CEDE_ETYPE;
}
