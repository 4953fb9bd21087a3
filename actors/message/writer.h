/* writer.h - where encoded bytes go, and the kinds of fields that look alike in both forms of encoding. */
#ifndef CEDEI_MESSAGE_WRITER_H
#define CEDEI_MESSAGE_WRITER_H

#include <string.h>

#include "actors/message/field.h"
#include "actors/message/numbers.h"
#include "actors/message/pending.h"

/* Where encoded bytes go; `out` NULL only counts them. */
struct cedei_writer {
    uint8_t *out;
    size_t size; /* bytes at `out` */
    size_t used;
    struct cedei_pending boxes; /* whose content is still to be written */
};

/* The place for `size` more bytes in `*place`, NULL when counting. */
static inline cede_result cedei_writer_take(struct cedei_writer *writer, size_t size,
                                            uint8_t **place) {
    *place = NULL;
    if (writer->out != NULL) {
        if (size > writer->size - writer->used) return CEDE_ETOOBIG;
        *place = writer->out + writer->used;
    }
    return __builtin_add_overflow(writer->used, size, &writer->used) ? CEDE_ETOOBIG : CEDE_OK;
}

static inline cede_result cedei_put_u32(struct cedei_writer *writer, uint32_t value) {
    uint8_t *place;
    cede_result r = cedei_writer_take(writer, 4, &place);
    if (r == CEDE_OK && place != NULL) cedei_numbers_copy(place, &value, 4, 1);
    return r;
}

static inline cede_result cedei_put_plain(struct cedei_writer *writer,
                                          const struct cedei_field *field, const void *from,
                                          uint32_t count) {
    uint8_t *place;
    size_t size;
    if (count == 0) return CEDE_OK;
    if (__builtin_mul_overflow((size_t)field->width, (size_t)count, &size)) return CEDE_ETOOBIG;
    cede_result r = cedei_writer_take(writer, size, &place);
    if (r == CEDE_OK && place != NULL) cedei_plain_copy(place, from, field, count);
    return r;
}

static inline cede_result cedei_put_bool(struct cedei_writer *writer, const void *slot) {
    uint8_t *place, value;
    memcpy(&value, slot, 1);
    cede_result r = cedei_writer_take(writer, 1, &place);
    if (r == CEDE_OK && place != NULL) *place = value != 0;
    return r;
}

static inline cede_result cedei_put_enum(struct cedei_writer *writer,
                                         const struct cedei_field *field, const void *slot) {
    int64_t value = cedei_enum_load(field, slot);
    if (value < field->min || value > field->max) return CEDE_EINVAL;
    return cedei_put_u32(writer, (uint32_t)value);
}

static inline cede_result cedei_put_bytes(struct cedei_writer *writer, const void *slot) {
    cede_bytes bytes = cedei_bytes_load(slot);
    uint8_t *place;
    if (bytes.size != 0 && bytes.data == NULL) return CEDE_EINVAL;
    cede_result r = cedei_put_u32(writer, bytes.size);
    if (r != CEDE_OK) return r;
    r = cedei_writer_take(writer, bytes.size, &place);
    if (r == CEDE_OK && place != NULL && bytes.size != 0) memcpy(place, bytes.data, bytes.size);
    return r;
}

#endif
