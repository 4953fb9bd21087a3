/* clear.c - gives back what a message owns: the blocks of its text, bytes, lists and boxes, and what an opaque type holds.
 * Invariants: (1) what was given back is zeroed in the struct, so clearing twice frees once; (2) boxes are dropped one after
 * the other from a queue, not one inside the other: a long chain of them needs no stack. */
#include <string.h>

#include "actors/message/field.h"
#include "actors/message/frozen.h"
#include "actors/message/message.h"
#include "core/mem/part.h"

/* Boxes whose content is still to be cleared, linked through their headers. */
struct queue {
    struct cedei_box *first;
};

static void message_clear(struct queue *queue, const struct cede_type *type, void *message);

static void value_clear(struct queue *queue, uint8_t kind, const struct cede_type *nested,
                        void *slot) {
    if (kind == CEDEI_FIELD_MSG) {
        message_clear(queue, nested, slot);
    } else if (kind == CEDEI_FIELD_STR || kind == CEDEI_FIELD_BYTES) {
        cedei_part_give(cedei_bytes_load(slot).data);
        cedei_bytes_store(slot, (cede_bytes){.data = NULL, .size = 0});
    }
}

static void box_clear(struct queue *queue, const struct cedei_field *field, void *slot) {
    void *content = cedei_boxed_load(slot);
    if (content == NULL) return;
    cedei_boxed_store(slot, NULL);
    struct cedei_box *box = cedei_box_of(content);
    if (field->kind == CEDEI_FIELD_MSG && field->nested->owning != 0) {
        box->field = field;
        box->next = queue->first;
        queue->first = box;
        return;
    }
    value_clear(queue, field->kind, field->nested, content);
    cedei_box_free(box);
}

/* What else the frozen message holds has a queue of its own, see frozen.c. */
static void reference_clear(void *slot) {
    const void *body = cedei_boxed_load(slot);
    if (body == NULL) return;
    cedei_boxed_store(slot, NULL);
    cedei_frozen_unref(body);
}

/* Bounded by `count`, and in depth by the nesting of types. */
static void elements_clear(struct queue *queue, const struct cedei_field *field, void *first,
                           uint32_t count) {
    if (!cedei_field_is_owning(field)) return;
    char *slot = first;
    for (uint32_t i = 0; i < count; i++, slot += field->size) {
        if (field->flags & CEDEI_FLAG_BOXED)
            box_clear(queue, field, slot);
        else if (field->flags & CEDEI_FLAG_SHARED)
            reference_clear(slot);
        else
            value_clear(queue, field->kind, field->nested, slot);
    }
}

static void list_clear(struct queue *queue, const struct cedei_field *field, void *slot) {
    struct cedei_list list = cedei_list_load(slot);
    if (list.items != NULL) {
        elements_clear(queue, field, list.items, list.count);
        cedei_part_give(list.items);
    }
    cedei_list_store(slot, (struct cedei_list){.items = NULL, .count = 0, .capacity = 0});
}

static void message_clear(struct queue *queue, const struct cede_type *type, void *message) {
    if (type->owning == 0) return;
    if (type->drop != NULL) {
        type->drop(message);
        return;
    }
    uint32_t count;
    const struct cedei_field *field = cedei_fields_present(type, message, &count);
    for (; count > 0; count--, field++) {
        void *slot = (char *)message + field->offset;
        if (field->shape == CEDEI_SHAPE_LIST)
            list_clear(queue, field, slot);
        else
            elements_clear(queue, field, slot, field->count);
    }
}

/* Each round takes one box off and frees it; those in it come behind. */
static void queue_clear(struct queue *queue) {
    while (queue->first != NULL) {
        struct cedei_box *box = queue->first;
        queue->first = box->next;
        /* The field of an outermost box is on its caller's stack; it is not looked at again behind this. */
        const struct cede_type *nested = box->field->nested;
        message_clear(queue, nested, cedei_box_content(box));
        cedei_box_free(box);
    }
}

void cedei_message_clear(const struct cede_type *type, void *message) {
    struct queue queue = {.first = NULL};
    message_clear(&queue, type, message);
    queue_clear(&queue);
}

void cedei_message_reset(const struct cede_type *type, void *message) {
    cedei_message_clear(type, message);
    memset(message, 0, type->size);
}

/* The public calls know the kind, not the field. */
static struct cedei_field field_of(enum cedei_field_kind kind, const struct cede_type *nested,
                                   size_t size, uint8_t flags) {
    return (struct cedei_field){.nested = (struct cede_type *)(uintptr_t)nested,
                                .size = (uint32_t)size,
                                .count = 1,
                                .kind = (uint8_t)kind,
                                .flags = flags};
}

void cedei_list_clear(void *slot, size_t element_size, enum cedei_field_kind kind,
                      const struct cede_type *nested, uint8_t flags) {
    struct queue queue = {.first = NULL};
    struct cedei_field field = field_of(kind, nested, element_size, flags);
    list_clear(&queue, &field, slot);
    queue_clear(&queue);
}

void cedei_opt_clear(void *slot, enum cedei_field_kind kind, const struct cede_type *nested) {
    struct queue queue = {.first = NULL};
    struct cedei_field field = field_of(kind, nested, sizeof(void *), CEDEI_FLAG_BOXED);
    box_clear(&queue, &field, slot);
    queue_clear(&queue);
}
