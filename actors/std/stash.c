/* stash.c - messages that an actor saves for later. The messages are kept by the actor, which drops them when it ends; the stash is a
 * list of them, and a kept message itself. */
#include <cede/stash.h>

#include "actors/std/refmap.h"

static void stash_drop(struct cede_stash *stash) { cedei_std_free(&stash->kept); }
CEDE_OPAQUE_MESSAGE_DEFINE(cede_stash, stash_drop);

struct cede_stash *cede_stash_create(cede_self *self, uint32_t count_max) {
    struct cede_stash *stash = cede_new(self, cede_stash);
    if (stash == NULL) return NULL;
    stash->count_max = count_max;
    return cede_keep(self, &stash);
}

cede_result cedei_stash_put(cede_self *self, struct cede_stash *stash, void **message,
                            const char *here) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (stash == NULL || message == NULL || *message == NULL) return CEDE_EINVAL;
    if (stash->kept.count >= stash->count_max) return CEDE_EFULL;
    void **place = cede_list_add(&stash->kept);
    if (place == NULL) return CEDE_ENOMEM;
    *place = cedei_keep(self, message, here);
    if (*place != NULL) return CEDE_OK;
    stash->kept.count--;
    return CEDE_EOWNER;
}

cede_result cede_stash_release(cede_self *self, struct cede_stash *stash) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (stash == NULL) return CEDE_EINVAL;
    while (stash->kept.count !=
           0) { /* the last one first: each goes before those that went before it */
        void **last = &stash->kept.items[stash->kept.count - 1];
        cede_result r = cedei_put_back(self, last, CEDEI_HERE);
        if (r != CEDE_OK) return r;
        stash->kept.count--;
    }
    return CEDE_OK;
}

uint32_t cede_stash_count(const struct cede_stash *stash) {
    return stash != NULL ? stash->kept.count : 0;
}
