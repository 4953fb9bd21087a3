/* counts.h - how often each key was seen, in two tables: a hash table that owns its keys. All zero is an empty one. */
#ifndef LOGSTAT_COUNTS_H
#define LOGSTAT_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "messages.h"

/* `key` NULL: a free place. */
struct counts_entry {
    char *key;
    uint64_t count;
    uint32_t size; /* bytes of the key; it may hold any */
    uint32_t hash;
    enum table table;
};

struct counts {
    struct counts_entry *places; /* `capacity` of them, a power of two; at most half are used */
    size_t capacity, used;
};

/* Adds `count` to a key. CEDE_ENOMEM: nothing was changed. */
CEDE_NOYIELD CEDE_NODISCARD cede_result counts_add(struct counts *counts, enum table table,
                                                   const char *key, size_t size, uint64_t count);
/* Adds all of `from`. CEDE_ENOMEM: some of it was added. */
CEDE_NOYIELD CEDE_NODISCARD cede_result counts_merge(struct counts *counts,
                                                     const struct counts *from);
/* Frees everything and leaves an empty one. */
CEDE_NOYIELD void counts_clear(struct counts *counts);
/* Copies an entry into a tally of a message. */
CEDE_NOYIELD CEDE_NODISCARD cede_result counts_entry_write(const struct counts_entry *entry,
                                                           struct tally *tally);
/* Adds the tally to the counts. */
CEDE_NOYIELD CEDE_NODISCARD cede_result counts_add_tally(struct counts *counts,
                                                         const struct tally *tally);

#endif
