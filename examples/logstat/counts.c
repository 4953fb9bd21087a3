/* counts.c - see counts.h. Open addressing with linear probing; places are never freed one by one. */
#include "counts.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 256 };

/* FNV-1a; the tables are told apart by their first step. */
static uint32_t key_hash(enum table table, const char *key, size_t size) {
    uint32_t hash = (2166136261u ^ (uint32_t)table) * 16777619u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)key[i]) * 16777619u;
    return hash;
}

/* The place of the key, or the free one where it belongs. There is always a free one. */
static struct counts_entry *place_find(const struct counts *counts, enum table table,
                                       const char *key, size_t size, uint32_t hash) {
    size_t mask = counts->capacity - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct counts_entry *entry = &counts->places[i];
        if (entry->key == NULL) return entry;
        if (entry->hash == hash && entry->table == table && entry->size == size &&
            memcmp(entry->key, key, size) == 0)
            return entry;
    }
}

static cede_result counts_grow(struct counts *counts) {
    struct counts grown = {.capacity = counts->capacity == 0 ? CAPACITY_FIRST : counts->capacity * 2,
                           .used = counts->used};
    grown.places = calloc(grown.capacity, sizeof *grown.places);
    if (grown.places == NULL) return CEDE_ENOMEM;
    for (size_t i = 0; i < counts->capacity; i++) {
        const struct counts_entry *entry = &counts->places[i];
        if (entry->key == NULL) continue;
        *place_find(&grown, entry->table, entry->key, entry->size, entry->hash) = *entry;
    }
    free(counts->places);
    *counts = grown;
    return CEDE_OK;
}

cede_result counts_add(struct counts *counts, enum table table, const char *key, size_t size,
                       uint64_t count) {
    if (counts->used * 2 >= counts->capacity) {
        cede_result r = counts_grow(counts);
        if (r != CEDE_OK) return r;
    }
    uint32_t hash = key_hash(table, key, size);
    struct counts_entry *entry = place_find(counts, table, key, size, hash);
    if (entry->key == NULL) {
        char *copy = malloc(size + 1);
        if (copy == NULL) return CEDE_ENOMEM;
        memcpy(copy, key, size);
        copy[size] = '\0';
        *entry =
            (struct counts_entry){.key = copy, .size = (uint32_t)size, .hash = hash, .table = table};
        counts->used++;
    }
    entry->count += count;
    return CEDE_OK;
}

cede_result counts_merge(struct counts *counts, const struct counts *from) {
    for (size_t i = 0; i < from->capacity; i++) {
        const struct counts_entry *entry = &from->places[i];
        if (entry->key == NULL) continue;
        cede_result r = counts_add(counts, entry->table, entry->key, entry->size, entry->count);
        if (r != CEDE_OK) return r;
    }
    return CEDE_OK;
}

void counts_clear(struct counts *counts) {
    for (size_t i = 0; i < counts->capacity; i++) free(counts->places[i].key);
    free(counts->places);
    *counts = (struct counts){0};
}

cede_result counts_entry_write(const struct counts_entry *entry, struct tally *tally) {
    tally->table = entry->table;
    tally->count = entry->count;
    return cede_str_set_sized(&tally->key, entry->key, entry->size);
}

cede_result counts_add_tally(struct counts *counts, const struct tally *tally) {
    return counts_add(counts, tally->table, cede_str_text(&tally->key), tally->key.size,
                      tally->count);
}
