/* refs.c - finding the refs in a message, which a link has to let through before the message leaves.
 * Writes nothing to the message: others may read it at the same time. */
#include "actors/message/field.h"
#include "actors/message/message.h"
#include "actors/message/pending.h"
#include "actors/message/traits.h"

struct visitor {
    cedei_ref_fn *visit;
    void *context;
    struct cedei_pending boxes;
};

static cede_result visit_message(struct visitor *visitor, const struct cede_type *type,
                                 const void *message);

static cede_result visit_value(struct visitor *visitor, const struct cedei_field *field,
                               const void *slot) {
    if (field->kind == CEDEI_FIELD_MSG) return visit_message(visitor, field->nested, slot);
    cede_ref ref;
    memcpy(&ref, slot, sizeof ref);
    return visitor->visit(visitor->context, ref);
}

static cede_result visit_field(struct visitor *visitor, const struct cedei_field *field,
                               const void *at) {
    const char *element = at;
    uint32_t count = field->count;
    if (field->shape == CEDEI_SHAPE_LIST) {
        struct cedei_list list = cedei_list_load(at);
        element = list.items;
        count = element != NULL ? list.count : 0;
    }
    cede_result r = CEDE_OK;
    for (uint32_t i = 0; r == CEDE_OK && i < count; i++, element += field->size) {
        if (!cedei_field_is_pointer(field)) {
            r = visit_value(visitor, field, element);
            continue;
        }
        const void *content = cedei_boxed_load(element);
        if (content != NULL) r = cedei_pending_add(&visitor->boxes, field, content);
    }
    return r;
}

static cede_result visit_message(struct visitor *visitor, const struct cede_type *type,
                                 const void *message) {
    uint32_t count;
    cede_result r = CEDE_OK;
    const struct cedei_field *field = cedei_fields_present(type, message, &count);
    for (; r == CEDE_OK && count > 0; count--, field++) {
        bool may_hold = field->kind == CEDEI_FIELD_REF ||
                        (field->kind == CEDEI_FIELD_MSG &&
                         (cedei_type_traits(field->nested) & CEDEI_TRAIT_REFS) != 0);
        if (may_hold) r = visit_field(visitor, field, (const char *)message + field->offset);
    }
    return r;
}

cede_result cedei_message_refs(const struct cede_type *type, const void *message,
                               cedei_ref_fn *visit, void *context) {
    if ((cedei_type_traits(type) & CEDEI_TRAIT_REFS) == 0) return CEDE_OK;
    struct visitor visitor = {.visit = visit, .context = context};
    struct cedei_pending_box box;
    cede_result r = visit_message(&visitor, type, message);
    while (r == CEDE_OK && cedei_pending_take(&visitor.boxes, &box))
        r = visit_value(&visitor, box.field, box.content);
    cedei_pending_fini(&visitor.boxes);
    return r;
}
