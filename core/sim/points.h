/* points.h - put before every file of Cede that is compiled for the simulator (`-include`): each C11 atomic access becomes a
 * point at which the simulator may let another thread go on, and cede_mutex's native lock becomes one of its own. A point
 * costs a decrement. The accesses themselves stay what they are; all threads of a simulation are one. */
#ifndef CEDEI_SIM_POINTS_H
#define CEDEI_SIM_POINTS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

extern uint64_t cedei_sim_left; /* points to the next one at which something happens */
void cedei_sim_point_slow(void);

static inline void cedei_sim_point(void) {
    if (__builtin_expect(--cedei_sim_left == 0, 0)) cedei_sim_point_slow();
}

#undef atomic_load_explicit
#undef atomic_store_explicit
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and_explicit
#undef atomic_fetch_xor_explicit

#if defined(__clang__)
#define CEDEI_SIM_ATOMIC(access) (cedei_sim_point(), __c11_atomic_##access)
#define atomic_load_explicit(at, order) CEDEI_SIM_ATOMIC(load((at), (order)))
#define atomic_store_explicit(at, value, order) CEDEI_SIM_ATOMIC(store((at), (value), (order)))
#define atomic_exchange_explicit(at, value, order)                                                 \
    CEDEI_SIM_ATOMIC(exchange((at), (value), (order)))
#define atomic_compare_exchange_strong_explicit(at, expected, value, order, otherwise)             \
    CEDEI_SIM_ATOMIC(compare_exchange_strong((at), (expected), (value), (order), (otherwise)))
#define atomic_compare_exchange_weak_explicit(at, expected, value, order, otherwise)               \
    CEDEI_SIM_ATOMIC(compare_exchange_weak((at), (expected), (value), (order), (otherwise)))
#else
#define CEDEI_SIM_ATOMIC(access) (cedei_sim_point(), __atomic_##access)
#define atomic_load_explicit(at, order) CEDEI_SIM_ATOMIC(load_n((at), (order)))
#define atomic_store_explicit(at, value, order) CEDEI_SIM_ATOMIC(store_n((at), (value), (order)))
#define atomic_exchange_explicit(at, value, order)                                                 \
    CEDEI_SIM_ATOMIC(exchange_n((at), (value), (order)))
#define atomic_compare_exchange_strong_explicit(at, expected, value, order, otherwise)             \
    CEDEI_SIM_ATOMIC(compare_exchange_n((at), (expected), (value), 0, (order), (otherwise)))
#define atomic_compare_exchange_weak_explicit(at, expected, value, order, otherwise)               \
    CEDEI_SIM_ATOMIC(compare_exchange_n((at), (expected), (value), 1, (order), (otherwise)))
#endif
#define atomic_fetch_add_explicit(at, value, order)                                                \
    CEDEI_SIM_ATOMIC(fetch_add((at), (value), (order)))
#define atomic_fetch_sub_explicit(at, value, order)                                                \
    CEDEI_SIM_ATOMIC(fetch_sub((at), (value), (order)))
#define atomic_fetch_or_explicit(at, value, order)                                                 \
    CEDEI_SIM_ATOMIC(fetch_or((at), (value), (order)))
#define atomic_fetch_and_explicit(at, value, order)                                                \
    CEDEI_SIM_ATOMIC(fetch_and((at), (value), (order)))
#define atomic_fetch_xor_explicit(at, value, order)                                                \
    CEDEI_SIM_ATOMIC(fetch_xor((at), (value), (order)))

/* What cede_mutex stands on; an error code as pthread's. */
int cedei_sim_native_lock(pthread_mutex_t *mutex);
int cedei_sim_native_trylock(pthread_mutex_t *mutex);
int cedei_sim_native_unlock(pthread_mutex_t *mutex);
int cedei_sim_native_fini(pthread_mutex_t *mutex);
int cedei_sim_native_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes);
#define pthread_mutex_init(mutex, attributes) cedei_sim_native_init((mutex), (attributes))
#define pthread_mutex_lock(mutex) cedei_sim_native_lock(mutex)
#define pthread_mutex_trylock(mutex) cedei_sim_native_trylock(mutex)
#define pthread_mutex_unlock(mutex) cedei_sim_native_unlock(mutex)
#define pthread_mutex_destroy(mutex) cedei_sim_native_fini(mutex)

#endif
