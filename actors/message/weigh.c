/* weigh.c - how many bytes a message takes up: its struct and what it owns, each as the block of memory that it is.
 * Boxes are taken from a queue that is linked through their headers, as when they are dropped, so a long chain of them needs no
 * stack; the message is its owner's alone meanwhile. */
#include "actors/message/field.h"
#include "actors/message/header.h"
#include "actors/message/message.h"
#include "core/mem/block.h"
#include "core/mem/part.h"

struct scales {
    struct cedei_box *first; /* still to be weighed */
    size_t sum;
};

static void message_weigh(struct scales *scales, const struct cede_type *type, const void *message);

static void bytes_weigh(struct scales *scales, cede_bytes bytes, bool is_text) {
    if (bytes.data != NULL) scales->sum += cedei_part_size_of((size_t)bytes.size + is_text);
}

/* What the value owns, without the value itself. */
static void value_weigh(struct scales *scales, const struct cedei_field *field, const void *slot) {
    if (field->kind == CEDEI_FIELD_MSG)
        message_weigh(scales, field->nested, slot);
    else if (field->kind == CEDEI_FIELD_STR || field->kind == CEDEI_FIELD_BYTES)
        bytes_weigh(scales, cedei_bytes_load(slot), field->kind == CEDEI_FIELD_STR);
}

static void box_put(struct scales *scales, const struct cedei_field *field, const void *slot) {
    void *content = cedei_boxed_load(slot);
    if (content == NULL) return;
    struct cedei_box *box = cedei_box_of(content);
    box->field = field;
    box->next = scales->first;
    scales->first = box;
}

static void elements_weigh(struct scales *scales, const struct cedei_field *field,
                           const void *first, uint32_t count) {
    if (!cedei_field_is_owning(field) || field->flags & CEDEI_FLAG_SHARED) return;
    const char *slot = first;
    for (uint32_t i = 0; i < count; i++, slot += field->size) {
        if (field->flags & CEDEI_FLAG_BOXED)
            box_put(scales, field, slot);
        else
            value_weigh(scales, field, slot);
    }
}

/* Bounded by the message, and in depth by the nesting of types; what is walked is what its drop will walk. */
static void message_weigh(struct scales *scales, const struct cede_type *type, const void *message) {
    if (type->owning == 0 || type->drop != NULL) return;
    uint32_t count;
    const struct cedei_field *field = cedei_fields_present(type, message, &count);
    for (; count > 0; count--, field++) {
        const void *slot = (const char *)message + field->offset;
        if (field->shape != CEDEI_SHAPE_LIST) {
            elements_weigh(scales, field, slot, field->count);
            continue;
        }
        struct cedei_list list = cedei_list_load(slot);
        if (list.items == NULL) continue;
        scales->sum += cedei_part_size_of((size_t)list.capacity * field->size);
        elements_weigh(scales, field, list.items, list.count);
    }
}

size_t cedei_message_weight(const struct cede_type *type, const void *message) {
    struct scales scales = {.first = NULL,
                            .sum = cedei_block_size_of(sizeof(struct cedei_msg) + type->size)};
    message_weigh(&scales, type, message);
    while (scales.first != NULL) { /* each round takes one off */
        struct cedei_box *box = scales.first;
        scales.first = box->next;
        const struct cedei_field *field = box->field;
        scales.sum += cedei_part_size_of(sizeof *box + cedei_value_size(field));
        value_weigh(&scales, field, cedei_box_content(box));
    }
    return scales.sum;
}
