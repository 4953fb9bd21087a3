/* ref.h - the 16-byte value that names an actor anywhere. */
#ifndef CEDE_REF_H
#define CEDE_REF_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/annotate.h>

CEDE_C_BEGIN

/// Names an actor: node uid, slot, generation. Copy it freely; it is Send and Sync. A ref may outlive its actor:
/// using it then gives CEDE_ENOACTOR, never a crash and never a stranger. All zeroes names nobody.
typedef struct CEDE_SEND CEDE_SYNC cede_ref {
    uint64_t node;       /* uid of the process that the actor lives in */
    uint32_t slot;       /* place in that process's actor table */
    uint32_t generation; /* which tenant of the place; never 0 for an actor */
} cede_ref;

/// Whether both name the same actor (or both nobody).
/// Ownership: copied. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD static inline bool cede_ref_equal(cede_ref a, cede_ref b) {
    return a.node == b.node && a.slot == b.slot && a.generation == b.generation;
}

/// Whether the ref names nobody. Says nothing about an actor that has ended since.
/// Ownership: copied. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD static inline bool cede_ref_is_none(cede_ref ref) { return ref.generation == 0; }

CEDE_C_END
#endif
