/* cursor.h - the only way in which bytes from outside are read: little-endian numbers and runs of bytes, each checked
 * against what is left. Owns no memory; the bytes outlive the cursor. Invariants: (1) `at` is behind what was read and
 * `left` bytes may be read from there; (2) a read that fails changes nothing; (3) lengths are compared as
 * `size > left`, so no pointer past the end is ever made. */
#ifndef CEDEI_MESSAGE_CURSOR_H
#define CEDEI_MESSAGE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cedei_cursor {
    const uint8_t *at;
    size_t left; /* bytes */
};

static inline struct cedei_cursor cedei_cursor_over(const void *bytes, size_t size) {
    return (struct cedei_cursor){.at = (const uint8_t *)bytes, .left = size};
}

/* Each read is false, with `*out` untouched, if fewer bytes are left. */

/* `*out` points into the bytes that the cursor is over. */
static inline bool cedei_cursor_bytes(struct cedei_cursor *cursor, size_t size,
                                      const uint8_t **out) {
    if (size > cursor->left) return false;
    *out = cursor->at;
    /* Of an empty input `at` may be NULL, to which nothing may be added. */
    if (size != 0) cursor->at += size;
    cursor->left -= size;
    return true;
}

static inline bool cedei_cursor_u8(struct cedei_cursor *cursor, uint8_t *out) {
    const uint8_t *b;
    if (!cedei_cursor_bytes(cursor, 1, &b)) return false;
    *out = b[0];
    return true;
}

static inline bool cedei_cursor_u16(struct cedei_cursor *cursor, uint16_t *out) {
    const uint8_t *b;
    if (!cedei_cursor_bytes(cursor, 2, &b)) return false;
    *out = (uint16_t)(b[0] | (uint32_t)b[1] << 8);
    return true;
}

static inline bool cedei_cursor_u32(struct cedei_cursor *cursor, uint32_t *out) {
    const uint8_t *b;
    if (!cedei_cursor_bytes(cursor, 4, &b)) return false;
    *out = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    return true;
}

static inline bool cedei_cursor_u64(struct cedei_cursor *cursor, uint64_t *out) {
    struct cedei_cursor probe = *cursor;
    uint32_t low, high;
    if (!cedei_cursor_u32(&probe, &low) || !cedei_cursor_u32(&probe, &high)) return false;
    *cursor = probe;
    *out = (uint64_t)high << 32 | low;
    return true;
}

#endif
