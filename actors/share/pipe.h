/* pipe.h - a bounded queue of messages of one type with two ends, each of which is closed by its last reference: what
 * channels and oneshots are.
 *
 * Invariants: (1) receivers stand in line only while the queue is empty, senders only while it is full; (2) messages are
 * received in the order in which they were put in or their senders lined up, but for one that a receiver was given and could
 * not take any more: it is the next; (3) a message is somebody's at any time: the sender's until the call returns CEDE_OK
 * (in its place while it stands in line), the queue's, a receiver's place, the receiver's. */
#ifndef CEDEI_SHARE_PIPE_H
#define CEDEI_SHARE_PIPE_H

#include <cede/actor.h>

#include "actors/actor/line.h"
#include "actors/message/header.h"
#include "core/base/refcount.h"
#include "core/sys/thread.h"

/* Access: I; L = under `lock`; P = any thread, atomic. */
struct cedei_pipe {
    cede_system *system;          /* I */
    const struct cede_type *type; /* I */
    uint32_t capacity;            /* I: messages, at least 1 */
    bool is_once;                 /* I: for one message: shut by the send */
    struct cedei_refcount ends;   /* P: two, one for each kind of handle */
    cedei_mutex lock;
    struct cedei_msg *first, **last;      /* L: oldest first */
    uint32_t count;                       /* L: in the queue */
    bool is_shut, is_deaf;                /* L: nothing more is put in; nobody takes out */
    struct cedei_line senders, receivers; /* L */
};

/* The body of either kind of handle. */
struct cedei_pipe_end {
    struct cedei_pipe *pipe;
    bool is_spent; /* of a pipe for one message: it has gone through this end, so there is nothing to close */
};

/* Makes a pipe and a handle for each end. CEDE_ENOMEM. */
cede_result cedei_pipe_create(cede_self *self, const struct cede_type *type, uint32_t capacity,
                              struct cede_type *sender_type, void **sender,
                              struct cede_type *receiver_type, void **receiver);
/* Drops of the handles. */
void cedei_pipe_sender_drop(struct cedei_pipe_end *end);
void cedei_pipe_receiver_drop(struct cedei_pipe_end *end);

/* As cede_channel_send and cede_channel_recv. */
CEDE_YIELDS cede_result cedei_pipe_send(cede_self *self, struct cedei_pipe_end *end, void **message,
                                        uint64_t timeout_ns, const char *call, const char *here);
CEDE_YIELDS cede_result cedei_pipe_recv(cede_self *self, struct cedei_pipe_end *end,
                                        const struct cede_type *type, void **message,
                                        uint64_t timeout_ns, const char *call);
/* Nothing more is put in: senders that wait are refused, receivers get what is left. */
void cedei_pipe_shut(struct cedei_pipe *pipe);
/* Nobody takes anything out any more: what is in it becomes dead letters. */
void cedei_pipe_deafen(struct cedei_pipe *pipe);

#endif
