/* shared.c - freezing messages: from one owner to any number of readers. The count is in actors/message/frozen.c. */
#include <cede/shared.h>

#include "actors/actor/actor.h"
#include "actors/actor/deliver.h"
#include "actors/message/frozen.h"
#include "actors/share/share.h"

static void shared_release(void *system, struct cedei_msg *msg) { cedei_msg_free(system, msg); }

static cede_result freeze(cede_self *self, const struct cede_type *type, void **message,
                          const void **out, const char *here) {
    cede_result why = CEDE_OK;
    struct cedei_msg *msg = cedei_msg_disown(self, message, "cede_freeze", here, &why);
    if (CEDEI_UNLIKELY(msg == NULL)) return why;
    if (CEDEI_UNLIKELY(type != NULL && msg->type != type)) why = CEDE_ETYPE;
    if (CEDEI_UNLIKELY(msg->reply.sequence != 0)) why = CEDE_EINVAL; /* nobody could answer it */
    if (CEDEI_UNLIKELY(why != CEDE_OK)) {
        cedei_msg_reown(self, msg, message, cedei_msg_is_kept(msg));
        return why;
    }
    if (CEDEI_UNLIKELY(self->system->strict)) msg = cedei_msg_relocate(self, msg, here);
    *message = NULL;
    *out = cedei_frozen_make(msg, shared_release, self->system);
    return CEDE_OK;
}

cede_result cedei_freeze(cede_self *self, void **message, const void **out, const char *here) {
    return out != NULL ? freeze(self, NULL, message, out, here) : CEDE_EINVAL;
}

cede_result cedei_share(cede_self *self, void **message, const void **out, const char *here) {
    if (out == NULL) return CEDE_EINVAL;
    if (self != NULL && message != NULL && *message != NULL &&
        cedei_msg_of(*message)->type->drop == NULL)
        return CEDE_EINVAL;
    return freeze(self, NULL, message, out, here);
}

cede_result cedei_freeze_as(cede_self *self, const struct cede_type *type, void **message,
                            const void **out, const char *here) {
    return freeze(self, type, message, out, here);
}

void *cedei_share_create(cede_self *self, struct cede_type *type) {
    struct cedei_msg *msg = cedei_msg_take(self->system, self->worker, type);
    if (msg == NULL) return NULL;
    return (void *)(uintptr_t)cedei_frozen_make(msg, shared_release, self->system);
}

const void *cedei_shared_ref(const void *shared) {
    if (shared != NULL) cedei_frozen_ref(shared);
    return shared;
}

void cedei_shared_unref(const void **shared) {
    if (shared == NULL || *shared == NULL) return;
    const void *body = *shared;
    *shared = NULL;
    cedei_frozen_unref(body);
}
