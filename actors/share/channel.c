/* channel.c - cede_channel_*: the two ends of a pipe. */
#include <cede/channel.h>

#include "actors/share/pipe.h"
#include "actors/share/share.h"

struct cede_channel_sender {
    struct cedei_pipe_end end;
};
struct cede_channel_receiver {
    struct cedei_pipe_end end;
};

static void sender_drop(struct cede_channel_sender *sender) {
    cedei_pipe_sender_drop(&sender->end);
}
static void receiver_drop(struct cede_channel_receiver *receiver) {
    cedei_pipe_receiver_drop(&receiver->end);
}
CEDEI_SHARE_TYPE(cede_channel_sender, sender_drop);
CEDEI_SHARE_TYPE(cede_channel_receiver, receiver_drop);

cede_result cedei_channel_create(cede_self *self, struct cede_type *type, uint32_t capacity,
                                 cede_channel_sender **sender, cede_channel_receiver **receiver) {
    return cedei_pipe_create(self, type, capacity, &cede_type_cede_channel_sender, (void **)sender,
                             &cede_type_cede_channel_receiver, (void **)receiver);
}

CEDE_YIELDS cede_result cedei_channel_send(cede_self *self, cede_channel_sender *sender,
                                           void **message, uint64_t timeout_ns, const char *here) {
    if (CEDEI_UNLIKELY(sender == NULL)) return self == NULL ? CEDE_ECONTEXT : CEDE_EINVAL;
    return cedei_pipe_send(self, &sender->end, message, timeout_ns, "cede_channel_send", here);
}

CEDE_YIELDS cede_result cedei_channel_recv(cede_self *self, cede_channel_receiver *receiver,
                                           struct cede_type *type, void **message,
                                           uint64_t timeout_ns) {
    if (CEDEI_UNLIKELY(receiver == NULL)) return self == NULL ? CEDE_ECONTEXT : CEDE_EINVAL;
    return cedei_pipe_recv(self, &receiver->end, type, message, timeout_ns, "cede_channel_recv");
}

void cede_channel_close(cede_channel_sender *sender) {
    if (sender != NULL) cedei_pipe_shut(sender->end.pipe);
}
