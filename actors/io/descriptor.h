/* descriptor.h - an open descriptor as the calls of <cede/io.h> see it, and waiting for it.
 * Invariant: whoever reads is one actor, whoever writes is one actor; they differ only for the halves of a stream. */
#ifndef CEDEI_IO_DESCRIPTOR_H
#define CEDEI_IO_DESCRIPTOR_H

#include <cede/io.h>

#include "actors/actor/actor.h"
#include "actors/actor/wait.h"
#include "core/sched/reactor.h"
#include "core/sys/socket.h"

/* Access: I = set by cedei_descriptor_open; P = any thread, atomic; R, W = whoever reads, writes. */
struct cedei_descriptor {
    struct cedei_source source; /* its words: see reactor.h */
    cede_system *system;        /* I */
    _Atomic uint32_t refs;      /* P: messages that name it, 1 or 2 */
    bool is_socket;             /* I: used by recv and send */
    bool short_is_all;          /* I: a short transfer means that there is no more for now */
    bool is_shared;             /* I: the description may outlive this descriptor */
    bool blocks;                /* I: no readiness: used on the blocking pool */
    bool has_complained;        /* R, of a listener: no descriptor was left, and it said so */
    uint8_t streak[2];          /* R, W: transfers without a wait between them */
    uint32_t ahead_from, ahead_to, ahead_capacity; /* R: bytes in `ahead` */
    uint8_t *ahead; /* R: read from the system, not by the user yet */
};

enum cedei_descriptor_flags {
    CEDEI_IO_SOCKET = 1,
    CEDEI_IO_SHORT_IS_ALL = 2,
    CEDEI_IO_SHARED = 4,
    CEDEI_IO_CONNECTING = 8, /* worth no try before the first event */
    CEDEI_IO_MAY_BLOCK =
        16,              /* what cannot be polled is used on the blocking pool instead of refused */
    CEDEI_IO_BLOCKS = 32 /* used on the blocking pool */
};

/* Takes `number`, a descriptor of the process, also when it fails: it is closed then. CEDE_ELIMIT, CEDE_ENOMEM,
 * CEDE_ENOTSUP. */
CEDE_NODISCARD cede_result cedei_descriptor_open(cede_system *system, int number, uint32_t flags,
                                                 struct cedei_descriptor **out);
/* The last one closes it. Any thread. */
void cedei_descriptor_unref(struct cedei_descriptor *descriptor);

/* As cedei_descriptor_open, and a stream of the turn's for it. */
CEDE_NODISCARD cede_result cedei_stream_make(cede_self *self, int number, uint32_t flags,
                                             struct cede_stream **out);

/* How long a call may wait; its clock starts with its first wait. */
struct cedei_patience {
    uint64_t timeout_ns;
    uint64_t deadline_ns; /* 0: not started */
    bool has_tried;       /* against all likelihood, see cedei_worth_a_try */
};

static inline struct cedei_patience cedei_patience_of(uint64_t timeout_ns) {
    return (struct cedei_patience){.timeout_ns = timeout_ns};
}

static inline uint64_t cedei_patience_end(struct cedei_patience *patience) {
    if (patience->deadline_ns == 0) patience->deadline_ns = cedei_deadline_of(patience->timeout_ns);
    return patience->deadline_ns;
}

/* Whether a call may wait at all. */
static inline cede_result cedei_patience_check(cede_self *self,
                                               const struct cedei_patience *patience) {
    if (CEDEI_UNLIKELY((cedei_signals_of(self) & CEDEI_SIGNAL_STOP) != 0)) return CEDE_ECANCELED;
    return CEDEI_UNLIKELY(patience->timeout_ns == 0) ? CEDE_ETIMEDOUT : CEDE_OK;
}

/* Whether to call the system for a direction whose word was `seen`. What cannot wait tries once even if nothing is known
 * of its chances, since the event may be there and not seen yet. */
CEDEI_INLINE bool cedei_worth_a_try(cede_self *self, uint64_t seen,
                                    struct cedei_patience *patience) {
    if (CEDEI_LIKELY(cedei_source_is_ready(seen))) return true;
    if (CEDEI_LIKELY(cedei_patience_check(self, patience) == CEDE_OK) || patience->has_tried)
        return false;
    patience->has_tried = true;
    return true;
}

/* Ends by the waker's code, at `deadline_ns` with CEDE_ETIMEDOUT, or by cede_stop with CEDE_ECANCELED. */
CEDEI_INLINE CEDE_YIELDS cede_result cedei_io_wait(cede_self *self, uint32_t sequence,
                                                   uint64_t deadline_ns) {
    /* relaxed (both): published by the parking, see cedei_wait_interrupt. */
    atomic_store_explicit(&self->stoppable, true, memory_order_relaxed);
    cede_result r = (cede_result)(cedei_wait_until(self, sequence, deadline_ns) >> 4);
    atomic_store_explicit(&self->stoppable, false, memory_order_relaxed);
    return r;
}

/* Waits until the direction is worth a try. CEDE_ETIMEDOUT, CEDE_ECANCELED, CEDE_ENOMEM, CEDE_ELIMIT. */
CEDEI_INLINE CEDE_YIELDS cede_result cedei_descriptor_await(cede_self *self,
                                                            struct cedei_descriptor *descriptor,
                                                            enum cedei_direction which,
                                                            struct cedei_patience *patience) {
    cede_result r = cedei_patience_check(self, patience);
    if (CEDEI_UNLIKELY(r != CEDE_OK)) return r;
    uint64_t deadline_ns = cedei_patience_end(patience);
    descriptor->streak[which] = 0;
    uint32_t sequence = cedei_wait_begin(self);
    uint64_t waiter = (uint64_t)self->slot << 32 | sequence;
    if (!cedei_source_await(&descriptor->source, which, waiter)) {
        (void)cedei_wait_withdraw(self, sequence); /* an event came: nobody else knows of the wait */
        return CEDE_OK;
    }
    r = cedei_io_wait(self, sequence, deadline_ns);
    if (CEDEI_UNLIKELY(r != CEDE_OK)) cedei_source_forget(&descriptor->source, which, waiter);
    return r;
}

/* Waits a while, but not beyond the end of patience: CEDE_ETIMEDOUT then, CEDE_ECANCELED. */
CEDE_YIELDS cede_result cedei_io_pause(cede_self *self, uint64_t pause_ns,
                                       struct cedei_patience *patience);

/* Gives way after many transfers without a wait, so that a fast peer does not take a whole worker. */
CEDE_YIELDS void cedei_descriptor_rest(cede_self *self, struct cedei_descriptor *descriptor,
                                       enum cedei_direction which);
enum { CEDEI_STREAK_MAX = 16 };
CEDEI_INLINE CEDE_YIELDS void cedei_descriptor_tire(cede_self *self,
                                                    struct cedei_descriptor *descriptor,
                                                    enum cedei_direction which) {
    if (CEDEI_UNLIKELY(++descriptor->streak[which] > CEDEI_STREAK_MAX))
        cedei_descriptor_rest(self, descriptor, which);
}

/* Whether `message`, of the given type, is the turn's or the actor's, with a report of misuse if it is not. */
cede_result cedei_io_refuse(cede_self *self, void *message, const struct cede_type *type,
                            const char *call);
static inline cede_result cedei_io_check(cede_self *self, void *message,
                                         const struct cede_type *type, const char *call) {
    if (CEDEI_LIKELY(!CEDEI_CHECKS && self != NULL && message != NULL)) {
        struct cedei_msg *msg = cedei_msg_of(message);
        if (CEDEI_LIKELY((msg->owner == ((uintptr_t)self | (uintptr_t)CEDEI_MSG_TURN) ||
                          msg->owner == ((uintptr_t)self | (uintptr_t)CEDEI_MSG_KEPT)) &&
                         msg->type == type))
            return CEDE_OK;
    }
    return cedei_io_refuse(self, message, type, call);
}

/* file.c: a transfer of a descriptor that blocks. As cedei_stream_read and _write. */
CEDE_YIELDS cede_result cedei_blocking_read(cede_self *self, struct cedei_descriptor *descriptor,
                                            void *buffer, size_t size, size_t *moved);
CEDE_YIELDS cede_result cedei_blocking_write(cede_self *self, struct cedei_descriptor *descriptor,
                                             const void *bytes, size_t size, size_t *moved);

#endif
