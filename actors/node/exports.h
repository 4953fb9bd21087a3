/* exports.h - which local actors other nodes may reach: those whose ref was published or has left in a message.
 * A peer that guesses slots and generations reaches nobody. Thread-safe; its lock is a leaf. */
#ifndef CEDEI_NODE_EXPORTS_H
#define CEDEI_NODE_EXPORTS_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/message.h>
#include <cede/ref.h>
#include <cede/result.h>

#include "actors/node/hash.h"
#include "actors/node/wire.h"
#include "core/sys/thread.h"

struct cedei_exports {
    cedei_mutex lock;
    struct cedei_hash slots; /* under lock; one entry a slot, with the newest tenant that left */
    uint64_t uid;            /* of this node; constant */
};

void cedei_exports_init(struct cedei_exports *exports, uint64_t uid, uint64_t seed);
void cedei_exports_fini(struct cedei_exports *exports);
/* Lets other nodes reach `ref`. One of another node, or nobody, is fine and changes nothing. CEDE_ENOMEM. */
cede_result cedei_exports_add(struct cedei_exports *exports, cede_ref ref);
/* The same for every ref in `message`, a body of type `type`. CEDE_ENOMEM: some may have been added. */
cede_result cedei_exports_add_message(struct cedei_exports *exports, const struct cede_type *type,
                                      const void *message);
bool cedei_exports_has(struct cedei_exports *exports, struct cedei_wire_actor actor);

#endif
