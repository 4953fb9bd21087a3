/* frozen.c - references to frozen messages.
 * Invariant: a release never runs inside another one on the same thread: what a released message held is released after it,
 * so that a chain of any length needs no more stack than one. */
#include "actors/message/frozen.h"

#include "core/base/base.h"

/* What the present thread still has to release. No release yields, so the thread stays the same. */
struct releases {
    struct cedei_frozen *first;
    bool is_running;
};
static __thread struct releases releases_of_thread;

CEDEI_NOINLINE static struct releases *releases_mine(void) {
    struct releases *mine = &releases_of_thread;
    __asm__ volatile(""
                     : "+r"(mine)
                     :
                     : "memory"); /* keeps callers from calling once for two threads */
    return mine;
}

static struct cedei_frozen *frozen_of(const void *body) {
    struct cedei_frozen *frozen = (struct cedei_frozen *)(uintptr_t)body - 1;
    CEDEI_CHECK((frozen->owner & 15) == CEDEI_MSG_FROZEN); /* also in release builds: it frees */
    return frozen;
}

bool cedei_frozen_is(const void *body) {
    const struct cedei_msg *msg = (const struct cedei_msg *)body - 1;
    return cedei_msg_state(msg) == CEDEI_MSG_FROZEN;
}

const void *cedei_frozen_make(struct cedei_msg *msg, cedei_frozen_release_fn *release,
                              void *context) {
    struct cedei_frozen *frozen = (struct cedei_frozen *)(void *)msg;
    frozen->context = context;
    cedei_refcount_init(&frozen->references);
    frozen->owner = CEDEI_MSG_FROZEN;
    frozen->release = release;
    frozen->release_next = NULL;
    return frozen + 1;
}

void cedei_frozen_ref(const void *body) { cedei_refcount_take(&frozen_of(body)->references); }

void cedei_frozen_unref(const void *body) {
    struct cedei_frozen *frozen = frozen_of(body);
    if (!cedei_refcount_give(&frozen->references)) return;
    struct releases *mine = releases_mine();
    frozen->release_next = mine->first;
    mine->first = frozen;
    if (mine->is_running) return;
    mine->is_running = true;
    while ((frozen = mine->first) !=
           NULL) { /* each round releases one, which may add those it held */
        mine->first = frozen->release_next;
        frozen->release(frozen->context, (struct cedei_msg *)(void *)frozen);
    }
    mine->is_running = false;
}
