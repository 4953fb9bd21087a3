/* descriptor.c - opening, waiting for and closing descriptors; the types of their messages.
 * A descriptor is closed by the drop of the last message that names it, on whichever thread drops it. A waiter that is
 * killed leaves its number in the word of the source; the event that finds it wakes nobody, as that wait is over. */
#include "actors/io/descriptor.h"

#include "core/sys/alloc.h"
#include "core/sys/clock.h"

/* ---- messages ---- */

static void stream_drop(struct cede_stream *stream) {
    struct cedei_descriptor *descriptor = stream->descriptor;
    if (descriptor == NULL) return;
    stream->descriptor = NULL;
    /* The other half goes on reading; the peer learns that there is no more to come. It may be gone already. */
    if (stream->half == CEDE_WRITING && descriptor->is_socket && !descriptor->is_shared)
        (void)!cedei_socket_shutdown(descriptor->source.descriptor, SHUT_WR);
    cedei_descriptor_unref(descriptor);
}

static void listener_drop(struct cede_listener *listener) {
    if (listener->descriptor != NULL) cedei_descriptor_unref(listener->descriptor);
    listener->descriptor = NULL;
}

CEDE_OPAQUE_MESSAGE_DEFINE(cede_stream, stream_drop);
CEDE_OPAQUE_MESSAGE_DEFINE(cede_listener, listener_drop);

cede_result cedei_io_refuse(cede_self *self, void *message, const struct cede_type *type,
                            const char *call) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, call, "");
    if (message == NULL) return CEDE_EINVAL;
    return cedei_msg_is_own(self, cedei_msg_of(message), type, call) ? CEDE_OK : CEDE_EOWNER;
}

/* ---- life ---- */

/* The waiter may be one of before, and the descriptor be opened anew meanwhile: nothing but the reactor is looked at. */
static void descriptor_wake(struct cedei_source *source, struct cedei_worker *worker,
                            uint64_t waiter) {
    cede_system *system = CEDEI_CONTAINER_OF(source->reactor, struct cede_system, sched.reactor);
    struct cede_self *actor = cedei_table_slot(system, (uint32_t)(waiter >> 32));
    (void)cedei_wait_wake(system, worker, actor, (uint32_t)waiter, cedei_wake_code(CEDE_OK));
}

static const struct cedei_source_kind descriptor_kind = {sizeof(struct cedei_descriptor),
                                                         descriptor_wake};

static cede_result descriptor_watch(struct cedei_descriptor *descriptor, int number,
                                    uint32_t flags) {
    if ((flags & CEDEI_IO_BLOCKS) != 0) {
        descriptor->source.descriptor = number;
        descriptor->blocks = true;
        return CEDE_OK;
    }
    cede_result r =
        cedei_source_watch(&descriptor->source, number, (flags & CEDEI_IO_CONNECTING) == 0);
    if (r != CEDE_ENOTSUP || (flags & CEDEI_IO_MAY_BLOCK) == 0) return r;
    descriptor->blocks = true;
    return CEDE_OK;
}

cede_result cedei_descriptor_open(cede_system *system, int number, uint32_t flags,
                                  struct cedei_descriptor **out) {
    struct cedei_reactor *reactor = &system->sched.reactor;
    cede_result r = cedei_reactor_open(&system->sched);
    if (r != CEDE_OK) goto close_number;
    r = CEDE_ENOMEM;
    struct cedei_source *source = cedei_source_take(reactor, &descriptor_kind);
    if (source == NULL) goto close_number;
    struct cedei_descriptor *made = CEDEI_CONTAINER_OF(source, struct cedei_descriptor, source);
    made->system = system;
    /* relaxed: nobody else knows it. */
    atomic_store_explicit(&made->refs, 1, memory_order_relaxed);
    made->is_socket = (flags & CEDEI_IO_SOCKET) != 0;
    made->short_is_all = (flags & CEDEI_IO_SHORT_IS_ALL) != 0;
    made->is_shared = (flags & CEDEI_IO_SHARED) != 0;
    made->blocks = made->has_complained = false;
    made->streak[CEDEI_READING] = made->streak[CEDEI_WRITING] = 0;
    made->ahead = NULL;
    made->ahead_from = made->ahead_to = made->ahead_capacity = 0;
    if ((r = descriptor_watch(made, number, flags)) != CEDE_OK) goto give_source;
    *out = made;
    return CEDE_OK;
give_source:
    cedei_source_give(source);
close_number:
    cedei_descriptor_close(number);
    return r;
}

void cedei_descriptor_unref(struct cedei_descriptor *descriptor) {
    /* acq_rel: pairs with itself in the other half: what that did is done before the close. */
    if (atomic_fetch_sub_explicit(&descriptor->refs, 1, memory_order_acq_rel) != 1) return;
    struct cedei_source *source = &descriptor->source;
    cedei_free(descriptor->ahead);
    descriptor->ahead = NULL;
    /* The close of the last descriptor of a description ends the watch; somebody else may have one more. */
    if (descriptor->is_shared && source->polled)
        cedei_poll_remove(&source->reactor->poll, source->descriptor);
    cedei_descriptor_close(source->descriptor);
    cedei_source_give(source);
}

cede_result cedei_stream_make(cede_self *self, int number, uint32_t flags,
                              struct cede_stream **out) {
    struct cede_stream *stream = cede_new(self, cede_stream);
    if (stream == NULL) {
        cedei_descriptor_close(number);
        return CEDE_ENOMEM;
    }
    cede_result r = cedei_descriptor_open(self->system, number, flags, &stream->descriptor);
    if (r == CEDE_OK)
        *out = stream;
    else
        cede_drop(self, &stream);
    return r;
}

/* ---- waiting ---- */

CEDE_YIELDS cede_result cedei_io_pause(cede_self *self, uint64_t pause_ns,
                                       struct cedei_patience *patience) {
    cede_result r = cedei_patience_check(self, patience);
    if (r != CEDE_OK) return r;
    uint64_t end_ns = cedei_patience_end(patience), now_ns = cedei_clock_now_ns();
    if (end_ns <= now_ns) return CEDE_ETIMEDOUT;
    uint64_t until_ns = end_ns - now_ns < pause_ns ? end_ns : now_ns + pause_ns;
    r = cedei_io_wait(self, cedei_wait_begin(self), until_ns);
    if (r != CEDE_ETIMEDOUT) return r;
    return until_ns == end_ns ? CEDE_ETIMEDOUT : CEDE_OK;
}

CEDE_YIELDS void cedei_descriptor_rest(cede_self *self, struct cedei_descriptor *descriptor,
                                       enum cedei_direction which) {
    descriptor->streak[which] = 0;
    cede_yield(self);
}
