/* pending.h - boxes that a walk over a message has met and not entered yet, oldest first. A walk that enters them one after
 * the other needs no stack for them, however deep the boxes hold each other; dropping and decoding use the boxes' own
 * headers for that, but whoever only reads may not write to them: several threads may read a shared message at once.
 * Owns its memory from the ninth box on. */
#ifndef CEDEI_MESSAGE_PENDING_H
#define CEDEI_MESSAGE_PENDING_H

#include <string.h>

#include "actors/message/field.h"
#include "core/sys/alloc.h"

struct cedei_pending_box {
    const struct cedei_field *field;
    const void *content;
};

enum { CEDEI_PENDING_INLINE = 8 };

struct cedei_pending {
    struct cedei_pending_box *boxes; /* NULL: `few` */
    size_t first, count, capacity;   /* those waiting are boxes[first] to boxes[count - 1] */
    uint32_t numbered;               /* boxes that ever were here */
    struct cedei_pending_box few[CEDEI_PENDING_INLINE];
};

static inline struct cedei_pending_box *cedei_pending_boxes(struct cedei_pending *pending) {
    return pending->boxes != NULL ? pending->boxes : pending->few;
}

static inline cede_result cedei_pending_grow(struct cedei_pending *pending) {
    struct cedei_pending_box *boxes = cedei_pending_boxes(pending);
    if (pending->first > pending->count / 2) { /* what is done makes room for as many again */
        pending->count -= pending->first;
        memmove(boxes, boxes + pending->first, pending->count * sizeof *boxes);
        pending->first = 0;
        return CEDE_OK;
    }
    size_t capacity = pending->boxes != NULL ? pending->capacity * 2 : 64;
    if (capacity > SIZE_MAX / 2 / sizeof *boxes) return CEDE_ETOOBIG;
    boxes = cedei_realloc(pending->boxes, capacity * sizeof *boxes);
    if (boxes == NULL) return CEDE_ENOMEM;
    if (pending->boxes == NULL) memcpy(boxes, pending->few, sizeof pending->few);
    pending->boxes = boxes;
    pending->capacity = capacity;
    return CEDE_OK;
}

/* CEDE_ENOMEM; CEDE_ETOOBIG more than 2^32 - 1 boxes. */
static inline cede_result cedei_pending_add(struct cedei_pending *pending,
                                            const struct cedei_field *field, const void *content) {
    size_t capacity = pending->boxes != NULL ? pending->capacity : CEDEI_PENDING_INLINE;
    if (pending->numbered == UINT32_MAX) return CEDE_ETOOBIG;
    if (pending->count == capacity) {
        cede_result r = cedei_pending_grow(pending);
        if (r != CEDE_OK) return r;
    }
    cedei_pending_boxes(pending)[pending->count++] =
        (struct cedei_pending_box){.field = field, .content = content};
    pending->numbered++;
    return CEDE_OK;
}

/* False when none waits. */
static inline bool cedei_pending_take(struct cedei_pending *pending, struct cedei_pending_box *out) {
    if (pending->first == pending->count) return false;
    *out = cedei_pending_boxes(pending)[pending->first++];
    return true;
}

static inline void cedei_pending_fini(struct cedei_pending *pending) { cedei_free(pending->boxes); }

#endif
