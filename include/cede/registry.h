/* registry.h - names for the actors of a system, and groups of them.
 *
 * A name stands for one actor; a group is a name for any number. Both forget an actor in the moment in which it ends, before
 * anybody is told of its end: whoever hears of it finds the name free. They hold for the actors of one system; what other nodes
 * are to find is published (cede_publish in node.h).
 *
 * A group is also a topic: to subscribe is to join it, to publish is cede_group_send. */
#ifndef CEDE_REGISTRY_H
#define CEDE_REGISTRY_H

#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/message.h>
#include <cede/ref.h>
#include <cede/result.h>

CEDE_C_BEGIN

#define CEDEI_MEMBERS(F) F(list(ref), refs)
/// The members of a group, in the order in which they joined.
CEDE_MESSAGE_DECLARE(cede_members, CEDEI_MEMBERS);

/// Gives `actor` a name, which no other has. An actor may have several.
/// Ownership: copied. Threads: the turn's, or an inbox's. Yields: no. Blocks: no. Units: a name has 1 to 255 bytes.
/// Errors: CEDE_EEXIST another actor has it, which is alive; CEDE_ENOACTOR the actor has ended; CEDE_ENOTSUP it lives in another
/// node; CEDE_EINVAL the name; CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_name_register(cede_self *self CEDE_BORROWED,
                                                           const char *name CEDE_BORROWED,
                                                           cede_ref actor);

/// Takes a name back, whoever has it.
/// Ownership: copied. Threads: the turn's, or an inbox's. Yields: no. Blocks: no. Errors: CEDE_ENOENT nobody has it; CEDE_EINVAL.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_name_unregister(cede_self *self CEDE_BORROWED,
                                                             const char *name CEDE_BORROWED);

/// Finds who has a name now.
/// Ownership: `*out` written on CEDE_OK. Threads: the turn's, or an inbox's. Yields: no. Blocks: no.
/// Errors: CEDE_ENOENT nobody; CEDE_EINVAL.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_name_find(cede_self *self CEDE_BORROWED,
                                                       const char *name CEDE_BORROWED,
                                                       cede_ref *out CEDE_BORROWED);

/// As cede_name_find, and waits until somebody has the name.
/// Ownership: `*out` written on CEDE_OK. Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, or CEDE_FOREVER.
/// Errors: CEDE_ETIMEDOUT; CEDE_EINVAL; CEDE_ENOMEM; CEDE_ENOREPLY, CEDE_ECLOSED shutting down.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_name_await(cede_self *self CEDE_BORROWED,
                                                       const char *name CEDE_BORROWED,
                                                       uint64_t timeout_ns,
                                                       cede_ref *out CEDE_BORROWED);

/// Puts `actor` into a group, which there is as long as it has members. Joining twice is the same as joining once.
/// Ownership: copied. Threads: the turn's, or an inbox's. Yields: no. Blocks: no. Units: a name has 1 to 255 bytes.
/// Errors: CEDE_ENOACTOR the actor has ended; CEDE_ENOTSUP it lives in another node; CEDE_EINVAL; CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_group_join(cede_self *self CEDE_BORROWED,
                                                        const char *group CEDE_BORROWED,
                                                        cede_ref actor);

/// Takes it out again. A message that was sent to the group before may still come.
/// Ownership: copied. Threads: the turn's, or an inbox's. Yields: no. Blocks: no. Errors: CEDE_ENOENT it is no member; CEDE_EINVAL.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_group_leave(cede_self *self CEDE_BORROWED,
                                                         const char *group CEDE_BORROWED,
                                                         cede_ref actor);

/// Lists those members of a group that are alive; none if there is no such group.
/// Ownership: `*out` is the turn's on CEDE_OK, untouched otherwise. Threads: the turn's, or an inbox's. Yields: no. Blocks: no.
/// Errors: CEDE_EINVAL; CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_group_members(cede_self *self CEDE_BORROWED,
                                                           const char *group CEDE_BORROWED,
                                                           struct cede_members **out CEDE_GIVEN);

/// Sends a copy of `message` to each member of a group, also to the sender if it is one.
/// Ownership: `message` borrowed; `*sent` (may be NULL) is written on every result: how many have it.
/// Threads: the turn's, or an inbox's. Yields: no. Blocks: no.
/// Order: each member gets what one sender sends to the group in order.
/// Errors: CEDE_EFULL some had no room, and do not get it: all others do; CEDE_ENOTSUP an opaque type; CEDE_EINVAL; CEDE_ENOMEM.
#define cede_group_send(self, group, message, sent)                                                \
    cedei_group_send((self), (group), CEDEI_MESSAGE_ARG(message), (sent), CEDEI_HERE)

/* ---- what the macros above stand on, and the messages; not for direct use ---- */

CEDE_NOYIELD CEDE_NODISCARD cede_result cedei_group_send(cede_self *self CEDE_BORROWED,
                                                         const char *group CEDE_BORROWED,
                                                         void *message CEDE_BORROWED,
                                                         uint32_t *sent CEDE_BORROWED,
                                                         const char *here CEDE_BORROWED);
#define CEDEI_NAME_AWAIT(F) F(str, name)
CEDE_MESSAGE_DECLARE(cede_name_wanted, CEDEI_NAME_AWAIT);
#define CEDEI_NAME_FOUND(F) F(ref, actor)
CEDE_MESSAGE_DECLARE(cede_name_found, CEDEI_NAME_FOUND);
CEDE_MESSAGE_DECLARE(cede_name_came, CEDEI_NOTHING);

CEDE_C_END
#endif
