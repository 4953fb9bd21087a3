/* names.h - the names under which this node's program published refs. Thread-safe; under its lock only that of the exports is
 * taken. */
#ifndef CEDEI_NODE_NAMES_H
#define CEDEI_NODE_NAMES_H

#include <stddef.h>

#include <cede/ref.h>
#include <cede/result.h>

#include "actors/node/exports.h"
#include "actors/node/hash.h"
#include "core/sys/thread.h"

#define CEDEI_NAME_SIZE_MAX 255u /* bytes */
#define CEDEI_NAME_COUNT_MAX 65536u

struct cedei_names {
    cedei_mutex lock;
    struct cedei_hash entries; /* under lock */
};

void cedei_names_init(struct cedei_names *names, uint64_t seed);
void cedei_names_fini(struct cedei_names *names);
/* Binds `name` to `ref`, instead of what it was bound to, and adds `ref` to `exports`: both or, on failure, nothing; nobody
 * unbinds it. CEDE_EINVAL empty or too long; CEDE_ELIMIT too many; CEDE_ENOMEM; CEDE_ENOENT unbound already. */
cede_result cedei_names_set(struct cedei_names *names, const char *name, cede_ref ref,
                            struct cedei_exports *exports);
/* CEDE_ENOENT. `name` need not end in NUL. */
cede_result cedei_names_find(struct cedei_names *names, const char *name, size_t size,
                             cede_ref *out);

#endif
