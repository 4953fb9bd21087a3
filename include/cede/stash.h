/* stash.h - messages that an actor saves for later: those that it cannot handle in the state that it is in.
 *
 *     static cede_result on_order(cede_self *self, struct shop *shop, struct order *order) {
 *         if (!shop->is_open) return cede_stash_put(self, shop->stash, &order);
 *         ...
 *     static cede_result on_open(cede_self *self, struct shop *shop, struct open *open) {
 *         shop->is_open = true;
 *         return cede_stash_release(self, shop->stash); */
#ifndef CEDE_STASH_H
#define CEDE_STASH_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/message.h>
#include <cede/result.h>

CEDE_C_BEGIN

/// Messages of one actor, in the order in which they were put in. The actor owns it as it owns a kept message: it ends with
/// the actor, or by cede_drop.
struct cede_stash {
    struct {
        void **items;
        uint32_t count, capacity;
    } kept;
    uint32_t count_max;
    CEDE_MESSAGE_MARK;
};
CEDE_OPAQUE_MESSAGE_DECLARE(cede_stash);

/// Makes a stash for at most `count_max` messages.
/// Ownership: the actor's, as if kept (cede_keep). Threads: the turn's. Yields: no. Blocks: no. Errors: NULL when memory is short.
CEDE_NOYIELD CEDE_RETURNS_KEPT struct cede_stash *cede_stash_create(cede_self *self CEDE_BORROWED,
                                                                    uint32_t count_max);

/// Puts `*message` behind those that are in it. A request stays one, and its asker waits.
/// Ownership: `*message` moved to the actor and nulled on CEDE_OK, still the caller's otherwise.
/// Threads: the turn's. Yields: no. Blocks: no. Errors: CEDE_EFULL; CEDE_EINVAL; CEDE_EOWNER; CEDE_ENOMEM.
#define cede_stash_put(self, stash, message)                                                       \
    cedei_stash_put((self), (stash), CEDEI_MOVED_ARG(message), CEDEI_HERE)

/// Puts all of them back to the front of the mailbox: after this turn they are handled in their order, before all others.
/// Ownership: the messages' moves to the mailbox. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ECONTEXT; CEDE_EINVAL.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_stash_release(cede_self *self CEDE_BORROWED,
                                                           struct cede_stash *stash CEDE_BORROWED);

/// How many are in it. Ownership: borrowed. Threads: the turn's. Yields: no. Blocks: no. Units: messages.
CEDE_NOYIELD uint32_t cede_stash_count(const struct cede_stash *stash CEDE_BORROWED);

/* ---- what the macros above stand on; not for direct use ---- */

CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_stash_put(cede_self *self CEDE_BORROWED,
                                                        struct cede_stash *stash CEDE_BORROWED,
                                                        void **message CEDE_MOVED,
                                                        const char *here CEDE_BORROWED);

CEDE_C_END
#endif
