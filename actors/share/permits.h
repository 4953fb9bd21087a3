/* permits.h - so many permits, taken and given back, and a fair line for those who find too few: what semaphores, locks that
 * may be held over yields and read-write locks have in common.
 * One word says how many there are, and whether to take the long way:
 *
 *   bits 2..63 permits that are there
 *   bit  0 LINE      somebody may stand in line: nobody takes, and whoever gives looks at the line, under the lock
 *   bit  1 POISONED  nobody takes but to repair
 *
 * Invariants: (1) while LINE is set the word changes under the lock only; (2) while anybody stands in line, LINE is set, and
 * the first of them wants more than there is (or they are all about to be refused); (3) whoever takes does not pass those in
 * line; (4) permits are made and unmade by permits_add and by holders alone: there + held + on their way is constant. */
#ifndef CEDEI_SHARE_PERMITS_H
#define CEDEI_SHARE_PERMITS_H

#include <stdalign.h>
#include <stdatomic.h>

#include <cede/actor.h>

#include "actors/actor/line.h"
#include "core/base/base.h"
#include "core/sys/thread.h"

#define CEDEI_PERMITS_LINE ((uint64_t)1)
#define CEDEI_PERMITS_POISONED ((uint64_t)2)
#define CEDEI_PERMITS_FLAGS ((uint64_t)3)
#define CEDEI_PERMITS_ONE ((uint64_t)4)
#define CEDEI_PERMITS_MAX (UINT64_MAX / CEDEI_PERMITS_ONE / 2)

/* Access: I; P = any thread, atomic; L = under `lock`. */
struct cedei_permits {
    _Atomic uint64_t word; /* P */
    cede_system *system;   /* I */
    cedei_mutex lock;
    struct cedei_line line; /* L */
};

void cedei_permits_init(struct cedei_permits *permits, cede_system *system, uint64_t count);
/* When nobody uses it any more. */
void cedei_permits_fini(struct cedei_permits *permits);

/* Without waiting: false if there are too few, somebody stands in line, or it is poisoned. */
CEDEI_INLINE bool cedei_permits_take(struct cedei_permits *permits, uint64_t count) {
    /* relaxed: a first guess for the exchange. */
    uint64_t word = atomic_load_explicit(&permits->word, memory_order_relaxed);
    while ((word & CEDEI_PERMITS_FLAGS) == 0 && word >= count * CEDEI_PERMITS_ONE)
        /* acquire: pairs with the release in cedei_permits_give; what was done with the permits is seen. */
        if (atomic_compare_exchange_weak_explicit(&permits->word, &word,
                                                  word - count * CEDEI_PERMITS_ONE,
                                                  memory_order_acquire, memory_order_relaxed))
            return true;
    return false;
}

void cedei_permits_give_lined(struct cedei_permits *permits, uint64_t count);
CEDEI_INLINE void cedei_permits_give(struct cedei_permits *permits, uint64_t count) {
    /* relaxed: a first guess for the exchange. */
    uint64_t word = atomic_load_explicit(&permits->word, memory_order_relaxed);
    while ((word & CEDEI_PERMITS_LINE) == 0)
        /* release: pairs with the acquire in cedei_permits_take. */
        if (atomic_compare_exchange_weak_explicit(&permits->word, &word,
                                                  word + count * CEDEI_PERMITS_ONE,
                                                  memory_order_release, memory_order_relaxed))
            return;
    cedei_permits_give_lined(permits, count);
}

/* Takes, waiting in line if need be. `repair`: also when it is poisoned, which it is not any more then.
 * CEDE_ETIMEDOUT, CEDE_ECANCELED, CEDE_EPOISONED, CEDE_ENOMEM, CEDE_ELIMIT, CEDE_ECONTEXT: nothing was taken. */
CEDE_YIELDS cede_result cedei_permits_await(struct cedei_permits *permits, cede_self *self,
                                            uint64_t count, bool repair, uint64_t timeout_ns,
                                            const char *call);
/* Gives back, and has everybody refused from now on who does not want to repair. */
void cedei_permits_poison(struct cedei_permits *permits, uint64_t count);

/* How many are there just now. */
static inline uint64_t cedei_permits_count(struct cedei_permits *permits) {
    /* relaxed: a figure that may be old already. */
    return atomic_load_explicit(&permits->word, memory_order_relaxed) / CEDEI_PERMITS_ONE;
}

#endif
