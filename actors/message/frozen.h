/* frozen.h - messages that are immutable and counted instead of owned: who reads them holds a reference.
 * A frozen message has no owner, list or asker, so its header says other things in the same place. What is held is the
 * address of the body, as for any message; what releases it comes from whoever froze it. */
#ifndef CEDEI_MESSAGE_FROZEN_H
#define CEDEI_MESSAGE_FROZEN_H

#include "actors/message/header.h"
#include "core/base/refcount.h"

/* Frees the message with what it owns; `context` as it was given to cedei_frozen_make. */
typedef void cedei_frozen_release_fn(void *context, struct cedei_msg *msg);

/* In place of struct cedei_msg. Access: I = set when it is frozen; P = any thread, atomic. */
struct cedei_frozen {
    void *context; /* I; after the last reference was given back, the next one to release */
    struct cedei_refcount references; /* P */
    struct cede_type *type;           /* I */
    uintptr_t owner;                  /* I: CEDEI_MSG_FROZEN */
    cedei_frozen_release_fn *release; /* I */
    struct cedei_frozen *release_next;
};
_Static_assert(sizeof(struct cedei_frozen) == sizeof(struct cedei_msg), "one header for both");
_Static_assert(offsetof(struct cedei_frozen, type) == offsetof(struct cedei_msg, type) &&
                   offsetof(struct cedei_frozen, owner) == offsetof(struct cedei_msg, owner),
               "type and state are where they always are");

/* Freezes a message that nobody has in a list; the caller has the first reference. Returns its body. */
const void *cedei_frozen_make(struct cedei_msg *msg, cedei_frozen_release_fn *release,
                              void *context);
/* One more reference; `body` is frozen and the caller has one. */
void cedei_frozen_ref(const void *body);
/* One less; the last releases it. However many frozen messages hold each other in a row, this goes no deeper. */
void cedei_frozen_unref(const void *body);
bool cedei_frozen_is(const void *body);

#endif
