/* filling.c - see filling.h. */
#include "actors/message/filling.h"

#include "actors/message/frozen.h"

void cedei_filling_init(struct cedei_filling *filling) {
    *filling = (struct cedei_filling){.first = NULL, .last = &filling->first, .frozen = NULL};
}

cede_result cedei_filling_add(struct cedei_filling *filling, const struct cedei_field *field,
                              void *slot, uint32_t number) {
    struct cedei_box *box = cedei_box_create(cedei_value_size(field));
    if (box == NULL) return CEDE_ENOMEM;
    box->field = field;
    box->slot = slot;
    box->number = number;
    *filling->last = box;
    filling->last = &box->next;
    cedei_boxed_store(slot, cedei_box_content(box));
    return CEDE_OK;
}

uint32_t cedei_filling_next(const struct cedei_filling *filling) {
    return filling->first != NULL ? filling->first->number : UINT32_MAX;
}

struct cedei_box *cedei_filling_take(struct cedei_filling *filling) {
    struct cedei_box *box = filling->first;
    if (box == NULL) return NULL;
    filling->first = box->next;
    if (box->next == NULL) filling->last = &filling->first;
    if (box->field->flags & CEDEI_FLAG_SHARED) {
        box->next = filling->frozen;
        filling->frozen = box;
    }
    return box;
}

/* The message that takes over what is in the box; NULL: no memory. */
static struct cedei_msg *box_to_message(struct cedei_box *box, const struct cedei_maker *maker) {
    struct cede_type *type = box->field->nested;
    struct cedei_msg *msg = maker != NULL ? maker->make(maker->context, type) : NULL;
    if (msg == NULL) return NULL;
    memcpy(cedei_msg_body(msg), cedei_box_content(box), type->size);
    return msg;
}

cede_result cedei_filling_end(struct cedei_filling *filling, const struct cedei_maker *maker,
                              cede_result r) {
    struct cedei_box *box;
    if (r == CEDE_OK && filling->frozen != NULL && maker == NULL) r = CEDE_ENOTSUP;
    /* Those that were not reached are zeroed: nothing in them. */
    for (struct cedei_box *unfilled = filling->first; (box = unfilled) != NULL;) {
        unfilled = box->next;
        if ((box->field->flags & CEDEI_FLAG_SHARED) == 0) continue;
        cedei_boxed_store(box->slot, NULL);
        cedei_box_free(box);
    }
    while ((box = filling->frozen) != NULL) {
        filling->frozen = box->next;
        struct cedei_msg *msg = r == CEDE_OK ? box_to_message(box, maker) : NULL;
        if (msg == NULL) {
            if (r == CEDE_OK) r = CEDE_ENOMEM;
            cedei_boxed_store(box->slot, NULL);
            cedei_message_clear(box->field->nested, cedei_box_content(box));
        } else {
            const void *body = cedei_frozen_make(msg, maker->release, maker->context);
            cedei_boxed_store(box->slot, (void *)(uintptr_t)body);
        }
        cedei_box_free(box);
    }
    return r;
}
