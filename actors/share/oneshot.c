/* oneshot.c - cede_oneshot_*: a pipe for one message, shut by the send. */
#include <cede/oneshot.h>

#include "actors/share/pipe.h"
#include "actors/share/share.h"

struct cede_oneshot_sender {
    struct cedei_pipe_end end;
};
struct cede_oneshot_receiver {
    struct cedei_pipe_end end;
};

static void sender_drop(struct cede_oneshot_sender *sender) {
    cedei_pipe_sender_drop(&sender->end);
}
static void receiver_drop(struct cede_oneshot_receiver *receiver) {
    cedei_pipe_receiver_drop(&receiver->end);
}
CEDEI_SHARE_TYPE(cede_oneshot_sender, sender_drop);
CEDEI_SHARE_TYPE(cede_oneshot_receiver, receiver_drop);

cede_result cedei_oneshot_create(cede_self *self, struct cede_type *type,
                                 cede_oneshot_sender **sender, cede_oneshot_receiver **receiver) {
    cede_result r = cedei_pipe_create(self, type, 1, &cede_type_cede_oneshot_sender, (void **)sender,
                                      &cede_type_cede_oneshot_receiver, (void **)receiver);
    if (r == CEDE_OK) (*sender)->end.pipe->is_once = true;
    return r;
}

cede_result cedei_oneshot_send(cede_self *self, cede_oneshot_sender **sender, void **message,
                               const char *here) {
    if (CEDEI_UNLIKELY(sender == NULL || *sender == NULL))
        return self == NULL ? CEDE_ECONTEXT : CEDE_EINVAL;
    // cede: allow(yields-missing) with no time to wait, cedei_pipe_send does not
    cede_result r = cedei_pipe_send(self, &(*sender)->end, message, 0, "cede_oneshot_send", here);
    if (r != CEDE_OK) return r;
    cedei_share_unref(*sender);
    *sender = NULL;
    return CEDE_OK;
}

CEDE_YIELDS cede_result cedei_oneshot_recv(cede_self *self, cede_oneshot_receiver *receiver,
                                           struct cede_type *type, void **message,
                                           uint64_t timeout_ns) {
    if (CEDEI_UNLIKELY(receiver == NULL)) return self == NULL ? CEDE_ECONTEXT : CEDE_EINVAL;
    return cedei_pipe_recv(self, &receiver->end, type, message, timeout_ns, "cede_oneshot_recv");
}
