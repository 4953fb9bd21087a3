/* atomics.h - makes every C11 atomic access of the code that is included behind it one of the explorer's: a point of the
 * exploration, whose outcome the memory model decides (memory.c). */
#ifndef CEDE_TESTS_MODEL_ATOMICS_H
#define CEDE_TESTS_MODEL_ATOMICS_H

#include <stdatomic.h>

#include "tests/model/explore.h"

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit
#undef atomic_thread_fence

/* The value's type, without _Atomic. */
#define MODEL_TYPE(at) __typeof__(((void)0, *(at)))
#define MODEL_BITS(at, value) ((uint64_t)(MODEL_TYPE(at))(value))

#define atomic_load_explicit(at, order)                                                            \
    ((MODEL_TYPE(at))model_atomic_load((at), sizeof *(at), (int)(order)))
#define atomic_store_explicit(at, value, order)                                                    \
    model_atomic_store((at), sizeof *(at), MODEL_BITS(at, value), (int)(order))
#define MODEL_CHANGE(at, how, value, order)                                                        \
    __extension__({ /* a value that may be left */                                                 \
                    (MODEL_TYPE(at)) model_atomic_change((at), sizeof *(at), how,                  \
                                                         MODEL_BITS(at, value), (int)(order));     \
    })
#define atomic_exchange_explicit(at, value, order) MODEL_CHANGE(at, MODEL_EXCHANGE, value, order)
#define atomic_fetch_add_explicit(at, value, order) MODEL_CHANGE(at, MODEL_ADD, value, order)
#define atomic_fetch_sub_explicit(at, value, order) MODEL_CHANGE(at, MODEL_SUB, value, order)
#define atomic_fetch_or_explicit(at, value, order) MODEL_CHANGE(at, MODEL_OR, value, order)
#define atomic_fetch_and_explicit(at, value, order) MODEL_CHANGE(at, MODEL_AND, value, order)
#define atomic_compare_exchange_strong_explicit(at, expected, value, order, otherwise)             \
    model_atomic_compare((at), sizeof *(at), (expected), MODEL_BITS(at, value), (int)(order),      \
                         (int)(otherwise), false)
#define atomic_compare_exchange_weak_explicit(at, expected, value, order, otherwise)               \
    model_atomic_compare((at), sizeof *(at), (expected), MODEL_BITS(at, value), (int)(order),      \
                         (int)(otherwise), true)
#define atomic_thread_fence(order) model_atomic_fence((int)(order))

/* What mutate.py writes in place of an order: the number of the place, and the order. */
#define MODEL_ORDER(id, order) ((memory_order)model_order(id, (int)(order)))

#endif
