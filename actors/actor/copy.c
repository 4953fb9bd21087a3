/* copy.c - a second message like the first, and a message that goes back to where it came from. */
#include <string.h>

#include "actors/actor/actor.h"
#include "actors/actor/deliver.h"
#include "actors/message/message.h"
#include "actors/message/traits.h"
#include "core/sys/alloc.h"

/* By its encoding, which is what knows how to make one anew. */
static cede_result body_copy(cede_system *system, const struct cede_type *type, const void *from,
                             void *to) {
    if (type->owning == 0) {
        memcpy(to, from, type->size);
        return CEDE_OK;
    }
    size_t size = 0;
    cede_result r = cedei_message_encoded_size(type, from, &size);
    if (r != CEDE_OK) return r;
    uint8_t *bytes = cedei_alloc(size != 0 ? size : 1);
    if (bytes == NULL) return CEDE_ENOMEM;
    r = cedei_message_encode(type, from, bytes, size);
    struct cedei_maker maker = cedei_system_maker(system);
    if (r == CEDE_OK) r = cedei_message_decode(type, bytes, size, &maker, to);
    cedei_free(bytes);
    return r;
}

cede_result cedei_copy(cede_self *self, void *message, void **copy, const char *here) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_copy", here);
    if (message == NULL || copy == NULL) return CEDE_EINVAL;
    struct cede_type *type = cedei_msg_of(message)->type;
    if (cedei_type_leaves(type) != CEDE_OK) return CEDE_ENOTSUP;
    struct cedei_msg *msg = cedei_msg_take_at(self->system, self->worker, type, here);
    if (msg == NULL) return CEDE_ENOMEM;
    cede_result r = body_copy(self->system, type, message, cedei_msg_body(msg));
    if (r != CEDE_OK) {
        memset(cedei_msg_body(msg), 0, type->size);
        cedei_msg_release(self->system, self->worker, msg);
        return r;
    }
    cedei_msg_own_by_turn(self, msg);
    *copy = cedei_msg_body(msg);
    return CEDE_OK;
}

cede_result cedei_put_back(cede_self *self, void **message, const char *here) {
    if (self == NULL || self->worker->is_seat) return CEDE_ECONTEXT;
    cede_result why = CEDE_OK;
    struct cedei_msg *msg = cedei_msg_disown(self, message, "cede_put_back", here, &why);
    if (msg == NULL) return why;
    *message = NULL;
    if (self->system->strict) msg = cedei_msg_relocate(self, msg, here);
    uint32_t tag = cedei_generation_of(self);
    if (cedei_request_has_deadline(self->system, msg)) tag |= CEDEI_TAG_DEADLINE;
    msg->owner = CEDEI_MSG_MAILBOX;
    msg->link.depth_and_tag = (uint64_t)tag << 32;
    msg->next = self->pending;
    if (self->pending == NULL) self->pending_last = msg;
    self->pending = msg;
    self->pending_count++;
    cedei_sent_count(self->system, self->worker, msg->type);
    cedei_mail_came(self);
    return CEDE_OK;
}
