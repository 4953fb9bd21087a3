/* refmap.h - which entry of a list belongs to a ref: open addressing with linear probing, at most half full.
 * Invariants: (1) the places are a power of two, or none; (2) between an entry and the place that its hash names no place is
 * empty, which removal restores by moving entries back. One turn at a time uses a map, or a lock is held. */
#ifndef CEDEI_STD_REFMAP_H
#define CEDEI_STD_REFMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cede/message.h>
#include <cede/ref.h>
#include <cede/result.h>

struct cedei_refmap_place {
    cede_ref ref; /* nobody: empty */
    uint32_t value;
};

/* All zero: empty. */
struct cedei_refmap {
    struct {
        struct cedei_refmap_place *items;
        uint32_t count, capacity; /* `count` places are in use for the list that this is: all */
    } places;
    uint32_t used;
};

/* What cede_list_add and cede_list_reserve made, of any element without parts of its own. */
#define cedei_std_free(list)                                                                       \
    cedei_list_clear((list), sizeof *(list)->items, CEDEI_FIELD_U8, NULL, 0)

static inline uint32_t cedei_refmap_hash(cede_ref ref) {
    uint64_t hash = (ref.node ^ ((uint64_t)ref.slot << 32 | ref.generation)) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(hash >> 32);
}

static inline struct cedei_refmap_place *cedei_refmap_at(const struct cedei_refmap *map,
                                                         uint32_t hash) {
    return &map->places.items[hash & (map->places.count - 1)];
}

/* The place of `ref`, or the empty one where it would be. The map has places, and an empty one among them. */
static inline struct cedei_refmap_place *cedei_refmap_probe(const struct cedei_refmap *map,
                                                            cede_ref ref) {
    uint32_t hash = cedei_refmap_hash(ref);
    struct cedei_refmap_place *place = cedei_refmap_at(map, hash);
    while (!cede_ref_is_none(place->ref) && !cede_ref_equal(place->ref, ref))
        place = cedei_refmap_at(map, ++hash);
    return place;
}

static inline bool cedei_refmap_find(const struct cedei_refmap *map, cede_ref ref, uint32_t *value) {
    if (map->used == 0 || cede_ref_is_none(ref)) return false;
    const struct cedei_refmap_place *place = cedei_refmap_probe(map, ref);
    if (cede_ref_is_none(place->ref)) return false;
    *value = place->value;
    return true;
}

/* Room for `used` refs in all, so that putting them in cannot fail. */
static inline cede_result cedei_refmap_reserve(struct cedei_refmap *map, uint32_t used) {
    uint32_t wanted = map->places.count != 0 ? map->places.count : 16;
    while (wanted / 2 < used) {
        if (wanted > UINT32_MAX / 4) return CEDE_ETOOBIG;
        wanted *= 2;
    }
    if (wanted == map->places.count) return CEDE_OK;
    struct cedei_refmap next = {{NULL, 0, 0}, 0};
    cede_result r = cede_list_reserve(&next.places, wanted);
    if (r != CEDE_OK) return r;
    memset(next.places.items, 0, (size_t)wanted * sizeof *next.places.items);
    next.places.count = wanted;
    next.used = map->used;
    for (uint32_t i = 0; i < map->places.count; i++)
        if (!cede_ref_is_none(map->places.items[i].ref))
            *cedei_refmap_probe(&next, map->places.items[i].ref) = map->places.items[i];
    cedei_std_free(&map->places);
    *map = next;
    return CEDE_OK;
}

/* Sets the value of `ref`; there is room, or it is in the map. */
static inline void cedei_refmap_put(struct cedei_refmap *map, cede_ref ref, uint32_t value) {
    struct cedei_refmap_place *place = cedei_refmap_probe(map, ref);
    if (cede_ref_is_none(place->ref)) map->used++;
    place->ref = ref;
    place->value = value;
}

static inline void cedei_refmap_remove(struct cedei_refmap *map, cede_ref ref) {
    if (map->used == 0 || cede_ref_is_none(ref)) return;
    struct cedei_refmap_place *hole = cedei_refmap_probe(map, ref);
    if (cede_ref_is_none(hole->ref)) return;
    map->used--;
    uint32_t mask = map->places.count - 1;
    uint32_t at = (uint32_t)(hole - map->places.items);
    for (uint32_t next = (at + 1) & mask;; next = (next + 1) & mask) { /* to the next empty place */
        struct cedei_refmap_place *moved = &map->places.items[next];
        if (cede_ref_is_none(moved->ref)) break;
        /* It may go back to the hole if that is not before where its hash wants it. */
        uint32_t home = cedei_refmap_hash(moved->ref) & mask;
        if (((next - home) & mask) < ((next - at) & mask)) continue;
        map->places.items[at] = *moved;
        at = next;
    }
    map->places.items[at].ref = (cede_ref){0};
}

static inline void cedei_refmap_fini(struct cedei_refmap *map) {
    cedei_std_free(&map->places);
    *map = (struct cedei_refmap){{NULL, 0, 0}, 0};
}

#endif
