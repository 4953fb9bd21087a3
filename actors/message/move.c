/* move.c - gives every block that a message owns a new address.
 * Invariant: a block that could not be moved stays where it is; the message is right in either case. */
#include "actors/message/field.h"
#include "actors/message/message.h"

/* Boxes whose content is still to be moved, linked through their headers: a long chain of them needs no stack. */
struct queue {
    struct cedei_box *first;
    cedei_block_move_fn *move;
};

static void message_move(struct queue *queue, const struct cede_type *type, void *message);

static void value_move(struct queue *queue, const struct cedei_field *field, void *slot) {
    if (field->kind == CEDEI_FIELD_MSG) {
        message_move(queue, field->nested, slot);
    } else if (field->kind == CEDEI_FIELD_STR || field->kind == CEDEI_FIELD_BYTES) {
        cede_bytes bytes = cedei_bytes_load(slot);
        size_t size = (size_t)bytes.size + (field->kind == CEDEI_FIELD_STR ? 1 : 0);
        if (bytes.data != NULL) bytes.data = queue->move(bytes.data, size);
        cedei_bytes_store(slot, bytes);
    }
}

static void box_move(struct queue *queue, const struct cedei_field *field, void *slot) {
    void *content = cedei_boxed_load(slot);
    if (content == NULL) return;
    struct cedei_box *box = cedei_box_of(content);
    box = queue->move(box, sizeof *box + cedei_value_size(field));
    cedei_boxed_store(slot, cedei_box_content(box));
    if (!cedei_kind_is_owning(field->kind, field->nested)) return;
    box->field = field;
    box->next = queue->first;
    queue->first = box;
}

/* Bounded by `count`, and in depth by the nesting of types. */
static void elements_move(struct queue *queue, const struct cedei_field *field, void *first,
                          uint32_t count) {
    if (!cedei_field_is_owning(field)) return;
    char *slot = first;
    for (uint32_t i = 0; i < count; i++, slot += field->size) {
        if (field->flags & CEDEI_FLAG_SHARED) continue; /* frozen: it is others' too */
        if (field->flags & CEDEI_FLAG_BOXED)
            box_move(queue, field, slot);
        else
            value_move(queue, field, slot);
    }
}

static void message_move(struct queue *queue, const struct cede_type *type, void *message) {
    if (type->owning == 0 || type->drop != NULL)
        return; /* what an opaque type holds only it knows */
    uint32_t count;
    const struct cedei_field *field = cedei_fields_present(type, message, &count);
    for (; count > 0; count--, field++) {
        void *slot = (char *)message + field->offset;
        if (field->shape != CEDEI_SHAPE_LIST) {
            elements_move(queue, field, slot, field->count);
            continue;
        }
        struct cedei_list list = cedei_list_load(slot);
        if (list.items == NULL) continue;
        list.items = queue->move(list.items, (size_t)list.capacity * field->size);
        cedei_list_store(slot, list);
        elements_move(queue, field, list.items, list.count);
    }
}

void cedei_message_move(const struct cede_type *type, void *message, cedei_block_move_fn *move) {
    struct queue queue = {.first = NULL, .move = move};
    message_move(&queue, type, message);
    while (queue.first != NULL) { /* each round takes one off */
        struct cedei_box *box = queue.first;
        queue.first = box->next;
        value_move(&queue, box->field, cedei_box_content(box));
    }
}
