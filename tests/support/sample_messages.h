/* sample_messages.h - message types that have every kind and shape of field, and values for them from a seed. */
#ifndef CEDE_TESTS_SAMPLE_MESSAGES_H
#define CEDE_TESTS_SAMPLE_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <cede/message.h>

enum sample_color { SAMPLE_RED, SAMPLE_GREEN, SAMPLE_BLUE };
enum sample_slope { SAMPLE_DOWN = -1, SAMPLE_FLAT, SAMPLE_UP };

#define SAMPLE_EMPTY(F)
CEDE_MESSAGE(sample_empty, SAMPLE_EMPTY);

#define SAMPLE_POINT(F)                                                                            \
    F(i32, x)                                                                                      \
    F(i32, y)
CEDE_MESSAGE(sample_point, SAMPLE_POINT);

#define SAMPLE_LINE(F)                                                                             \
    F(str, text)                                                                                   \
    F(u8, tag)                                                                                     \
    F(bytes, blob)
CEDE_MESSAGE(sample_line, SAMPLE_LINE);

#define SAMPLE_NUMBERS(F)                                                                          \
    F(u8, a)                                                                                       \
    F(u16, b)                                                                                      \
    F(u32, c)                                                                                      \
    F(u64, d)                                                                                      \
    F(i8, e)                                                                                       \
    F(i16, f)                                                                                      \
    F(i32, g)                                                                                      \
    F(i64, h)                                                                                      \
    F(f32, i)                                                                                      \
    F(f64, j)                                                                                      \
    F(bool, k)                                                                                     \
    F(enum(sample_color, SAMPLE_RED, SAMPLE_BLUE), l)                                              \
    F(enum(sample_slope, SAMPLE_DOWN, SAMPLE_UP), m)                                               \
    F(ref, n)
CEDE_MESSAGE(sample_numbers, SAMPLE_NUMBERS);

#define SAMPLE_ALL(F)                                                                              \
    F(msg(sample_numbers), numbers)                                                                \
    F(str, note)                                                                                   \
    F(bytes, blob)                                                                                 \
    F(array(u16, 3), shorts)                                                                       \
    F(array(bool, 2), flags)                                                                       \
    F(array(enum(sample_slope, SAMPLE_DOWN, SAMPLE_UP), 2), slopes)                                \
    F(array(str, 2), names)                                                                        \
    F(array(msg(sample_line), 2), pair)                                                            \
    F(list(sample_line), lines)                                                                    \
    F(list(msg(sample_point)), points)                                                             \
    F(list(u32), counts)                                                                           \
    F(list(str), words)                                                                            \
    F(list(bool), bits)                                                                            \
    F(list(ref), refs)                                                                             \
    F(msg(sample_empty), nothing)                                                                  \
    F(list(enum(sample_color, SAMPLE_RED, SAMPLE_BLUE)), colors)
CEDE_MESSAGE(sample_all, SAMPLE_ALL);

#define SAMPLE_BRANCH(F)                                                                           \
    F(list(sample_all), leaves)                                                                    \
    F(u8, last)
CEDE_MESSAGE(sample_branch, SAMPLE_BRANCH);

/* Of one of several kinds, also of itself. */
#define SAMPLE_VALUE(V)                                                                            \
    V(SAMPLE_VALUE_NONE, msg(sample_empty), none)                                                  \
    V(SAMPLE_VALUE_NUMBER, f64, number)                                                            \
    V(SAMPLE_VALUE_TEXT, str, text)                                                                \
    V(SAMPLE_VALUE_POINTS, list(sample_point), points)                                             \
    V(SAMPLE_VALUE_PAIR, array(opt(sample_value), 2), pair)                                        \
    V(SAMPLE_VALUE_MANY, list(opt(sample_value)), many)
CEDE_VARIANT(sample_value, SAMPLE_VALUE);

/* Boxes of every kind; the type holds itself. */
#define SAMPLE_TREE(F)                                                                             \
    F(u32, key)                                                                                    \
    F(opt(sample_tree), left)                                                                      \
    F(opt(sample_tree), right)                                                                     \
    F(opt(u64), weight)                                                                            \
    F(opt(bool), flag)                                                                             \
    F(opt(enum(sample_slope, SAMPLE_DOWN, SAMPLE_UP)), slope)                                      \
    F(opt(str), note)                                                                              \
    F(opt(ref), owner)                                                                             \
    F(opt(msg(sample_line)), line)                                                                 \
    F(opt(sample_empty), mark)                                                                     \
    F(must(msg(sample_value)), value)                                                              \
    F(list(sample_value), values)
CEDE_MESSAGE(sample_tree, SAMPLE_TREE);

/* xorshift64*: the same numbers everywhere. */
static inline uint64_t sample_next(uint64_t *seed) {
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    return *seed * 0x2545f4914f6cdd1du;
}

static inline uint32_t sample_below(uint64_t *seed, uint32_t bound) {
    return (uint32_t)(sample_next(seed) >> 33) % bound;
}

static inline bool sample_str(cede_str *text, uint64_t *seed) {
    char buffer[24];
    uint32_t size = sample_below(seed, sizeof buffer);
    for (uint32_t i = 0; i < size; i++) buffer[i] = (char)sample_next(seed);
    return cede_str_set_sized(text, buffer, size) == CEDE_OK;
}

static inline bool sample_bytes(cede_bytes *bytes, uint64_t *seed) {
    uint32_t size = sample_below(seed, 24);
    if (cede_bytes_reserve(bytes, size) != CEDE_OK) return false;
    for (uint32_t i = 0; i < size; i++) bytes->data[i] = (uint8_t)sample_next(seed);
    return true;
}

static inline cede_ref sample_ref(uint64_t *seed) {
    uint64_t node = sample_next(seed);
    uint32_t slot = (uint32_t)sample_next(seed);
    return (cede_ref){.node = node, .slot = slot, .generation = (uint32_t)sample_next(seed)};
}

static inline bool sample_line_fill(struct sample_line *line, uint64_t *seed) {
    line->tag = (uint8_t)sample_next(seed);
    return sample_str(&line->text, seed) && sample_bytes(&line->blob, seed);
}

static inline void sample_numbers_fill(struct sample_numbers *n, uint64_t *seed) {
    n->a = (uint8_t)sample_next(seed);
    n->b = (uint16_t)sample_next(seed);
    n->c = (uint32_t)sample_next(seed);
    n->d = sample_next(seed);
    n->e = (int8_t)sample_next(seed);
    n->f = (int16_t)sample_next(seed);
    n->g = (int32_t)sample_next(seed);
    n->h = (int64_t)sample_next(seed);
    n->i = (float)sample_below(seed, 1000) / 8;
    n->j = (double)sample_below(seed, 1000) / -8;
    n->k = sample_below(seed, 2) != 0;
    n->l = (enum sample_color)sample_below(seed, 3);
    n->m = (enum sample_slope)((int)sample_below(seed, 3) - 1);
    n->n = sample_ref(seed);
}

static inline bool sample_lists_fill(struct sample_all *all, uint64_t *seed) {
    for (uint32_t i = sample_below(seed, 6); i > 0; i--) {
        struct sample_line *line = cede_list_add(&all->lines);
        if (line == NULL || !sample_line_fill(line, seed)) return false;
        struct sample_point *point = cede_list_add(&all->points);
        if (point == NULL) return false;
        point->x = (int32_t)sample_next(seed);
        uint32_t *count = cede_list_add(&all->counts);
        if (count == NULL) return false;
        *count = (uint32_t)sample_next(seed);
        cede_str *word = cede_list_add(&all->words);
        if (word == NULL || !sample_str(word, seed)) return false;
        bool *bit = cede_list_add(&all->bits);
        if (bit == NULL) return false;
        *bit = sample_below(seed, 2) != 0;
        cede_ref *ref = cede_list_add(&all->refs);
        if (ref == NULL) return false;
        *ref = sample_ref(seed);
        enum sample_color *color = cede_list_add(&all->colors);
        if (color == NULL) return false;
        *color = (enum sample_color)sample_below(seed, 3);
    }
    return true;
}

/* Fills a zeroed struct; false when memory is short: it is valid to clear then. */
static inline bool sample_all_fill(struct sample_all *all, uint64_t *seed) {
    sample_numbers_fill(&all->numbers, seed);
    for (int i = 0; i < 3; i++) all->shorts[i] = (uint16_t)sample_next(seed);
    for (int i = 0; i < 2; i++) {
        all->flags[i] = sample_below(seed, 2) != 0;
        all->slopes[i] = (enum sample_slope)((int)sample_below(seed, 3) - 1);
        if (!sample_str(&all->names[i], seed) || !sample_line_fill(&all->pair[i], seed))
            return false;
    }
    return sample_str(&all->note, seed) && sample_bytes(&all->blob, seed) &&
           sample_lists_fill(all, seed);
}

static inline bool sample_branch_fill(struct sample_branch *branch, uint64_t *seed) {
    branch->last = (uint8_t)sample_next(seed);
    for (uint32_t i = 1 + sample_below(seed, 3); i > 0; i--) {
        struct sample_all *leaf = cede_list_add(&branch->leaves);
        if (leaf == NULL || !sample_all_fill(leaf, seed)) return false;
    }
    return true;
}

/* `levels` bounds how deep the values hold each other. */
static inline bool sample_value_fill(struct sample_value *value, uint64_t *seed, int levels) {
    uint32_t which = sample_below(seed, levels > 0 ? 6 : 4);
    if (which == SAMPLE_VALUE_NUMBER) {
        *cede_variant_set(sample_value, value, number) = (double)sample_below(seed, 1000) / 4;
    } else if (which == SAMPLE_VALUE_TEXT) {
        return sample_str(cede_variant_set(sample_value, value, text), seed);
    } else if (which == SAMPLE_VALUE_POINTS) {
        (void)cede_variant_set(sample_value, value, points);
        struct sample_point *point = cede_list_add(&value->as.points);
        if (point == NULL) return false;
        point->x = (int32_t)sample_next(seed);
    } else if (which == SAMPLE_VALUE_PAIR) {
        struct sample_value *left = cede_opt_make(*cede_variant_set(sample_value, value, pair));
        return left != NULL && sample_value_fill(left, seed, levels - 1);
    } else if (which == SAMPLE_VALUE_MANY) {
        (void)cede_variant_set(sample_value, value, many);
        for (uint32_t i = sample_below(seed, 4); i > 0; i--) {
            struct sample_value **box = cede_list_add(&value->as.many);
            if (box == NULL) return false;
            if (i % 2 == 0) continue; /* an empty one */
            struct sample_value *one = cede_opt_make(box);
            if (one == NULL || !sample_value_fill(one, seed, levels - 1)) return false;
        }
    } else {
        (void)cede_variant_set(sample_value, value, none);
    }
    return true;
}

static inline bool sample_tree_parts_fill(struct sample_tree *tree, uint64_t *seed) {
    if (sample_below(seed, 2) != 0) {
        uint64_t *weight = cede_opt_make(&tree->weight);
        bool *flag = cede_opt_make(&tree->flag);
        enum sample_slope *slope = cede_opt_make(&tree->slope);
        if (weight == NULL || flag == NULL || slope == NULL) return false;
        *weight = sample_next(seed);
        *flag = true;
        *slope = SAMPLE_DOWN;
    }
    if (sample_below(seed, 2) != 0) {
        cede_str *note = cede_opt_make(&tree->note);
        cede_ref *owner = cede_opt_make(&tree->owner);
        struct sample_line *line = cede_opt_make(&tree->line);
        if (note == NULL || owner == NULL || line == NULL) return false;
        *owner = sample_ref(seed);
        if (!sample_str(note, seed) || !sample_line_fill(line, seed)) return false;
        if (cede_opt_make(&tree->mark) == NULL) return false;
    }
    for (uint32_t i = sample_below(seed, 3); i > 0; i--) {
        struct sample_value *value = cede_list_add(&tree->values);
        if (value == NULL || !sample_value_fill(value, seed, 2)) return false;
    }
    return sample_value_fill(&tree->value, seed, 3);
}

/* `levels` of trees below this one at most. */
static inline bool sample_tree_fill(struct sample_tree *tree, uint64_t *seed, int levels) {
    tree->key = (uint32_t)sample_next(seed);
    if (!sample_tree_parts_fill(tree, seed)) return false;
    for (int side = 0; side < 2 && levels > 0; side++) {
        if (sample_below(seed, 4) == 0) continue;
        struct sample_tree *below = cede_opt_make(side == 0 ? &tree->left : &tree->right);
        if (below == NULL || !sample_tree_fill(below, seed, levels - 1)) return false;
    }
    return true;
}

#endif
