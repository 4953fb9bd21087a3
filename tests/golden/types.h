/* types.h - the same message types in two versions, as two releases of a program would have them; TYPES_VERSION says which.
 * The second adds, removes and reorders fields and alternatives, widens an enum, and in `parcel` does what must not be done. */
#ifndef CEDE_TESTS_GOLDEN_TYPES_H
#define CEDE_TESTS_GOLDEN_TYPES_H

#include <cede/message.h>

#if TYPES_VERSION == 1

enum hue { HUE_RED = 1, HUE_GREEN, HUE_BLUE };

#define LINE(F)                                                                                    \
    F(str, text)                                                                                   \
    F(u32, amount)
CEDE_MESSAGE(line, LINE);

#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(u32, clerk)                                                                                  \
    F(str, note)                                                                                   \
    F(ref, customer)                                                                               \
    F(enum(hue, HUE_RED, HUE_BLUE), hue)                                                           \
    F(array(u8, 4), key)                                                                           \
    F(list(line), lines)                                                                           \
    F(msg(line), first)                                                                            \
    F(opt(line), gift)
CEDE_MESSAGE(order, ORDER);

#define SHAPE(V)                                                                                   \
    V(SHAPE_NONE, bool, none)                                                                      \
    V(SHAPE_RADIUS, f64, radius)                                                                   \
    V(SHAPE_GROUP, list(opt(shape)), group)
CEDE_VARIANT(shape, SHAPE);

#define TREE(F)                                                                                    \
    F(u32, key)                                                                                    \
    F(opt(tree), left)                                                                             \
    F(opt(tree), right)
CEDE_MESSAGE(tree, TREE);

#define PARCEL(F)                                                                                  \
    F(u32, weight)                                                                                 \
    F(array(u8, 2), code)
CEDE_MESSAGE(parcel, PARCEL);

#else

enum hue { HUE_RED = 1, HUE_GREEN, HUE_BLUE, HUE_WHITE };
enum speed { SPEED_SLOW = 3, SPEED_FAST = 9 };

#define LINE(F)                                                                                    \
    F(u32, amount)                                                                                 \
    F(f64, price)                                                                                  \
    F(str, text)
CEDE_MESSAGE(line, LINE);

#define ORDER(F)                                                                                   \
    F(enum(hue, HUE_RED, HUE_WHITE), hue)                                                          \
    F(enum(speed, SPEED_SLOW, SPEED_FAST), speed)                                                  \
    F(must(u32), currency)                                                                         \
    F(opt(line), gift)                                                                             \
    F(list(line), lines)                                                                           \
    F(list(str), tags)                                                                             \
    F(str, note)                                                                                   \
    F(array(u8, 4), key)                                                                           \
    F(msg(line), first)                                                                            \
    F(ref, customer)                                                                               \
    F(u64, id)
CEDE_MESSAGE(order, ORDER);

#define SHAPE(V)                                                                                   \
    V(SHAPE_SQUARE, u32, square)                                                                   \
    V(SHAPE_GROUP, list(opt(shape)), group)                                                        \
    V(SHAPE_RADIUS, f64, radius)                                                                   \
    V(SHAPE_NONE, bool, none)
CEDE_VARIANT(shape, SHAPE);

#define TREE(F)                                                                                    \
    F(opt(str), label)                                                                             \
    F(opt(tree), left)                                                                             \
    F(opt(line), leaf)                                                                             \
    F(opt(tree), right)                                                                            \
    F(u32, key)
CEDE_MESSAGE(tree, TREE);

#define PARCEL(F)                                                                                  \
    F(u64, weight)                                                                                 \
    F(array(u8, 3), code)
CEDE_MESSAGE(parcel, PARCEL);

#endif
#endif
