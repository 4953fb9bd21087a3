/* numbers.h - numbers between memory and the order of bytes in messages, which is little-endian. */
#ifndef CEDEI_MESSAGE_NUMBERS_H
#define CEDEI_MESSAGE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cede/message.h>

/* `count` numbers of `width` bytes, in either direction. */
static inline void cedei_numbers_copy(void *to, const void *from, size_t width, size_t count) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(to, from, width * count);
#else
    uint8_t *t = to;
    const uint8_t *f = from;
    for (size_t i = 0; i < count; i++, t += width, f += width) {
        for (size_t k = 0; k < width; k++) t[k] = f[width - 1 - k];
    }
#endif
}

/* `count` values of a plain field. */
static inline void cedei_plain_copy(void *to, const void *from, const struct cedei_field *field,
                                    size_t count) {
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
    if (field->kind == CEDEI_FIELD_REF) {
        uint8_t *t = to;
        const uint8_t *f = from;
        for (size_t i = 0; i < count; i++, t += 16, f += 16) {
            cedei_numbers_copy(t, f, 8, 1);
            cedei_numbers_copy(t + 8, f + 8, 4, 2);
        }
        return;
    }
#endif
    cedei_numbers_copy(to, from, field->width, count);
}

#endif
