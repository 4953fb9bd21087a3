/* reactor.h - which descriptors are ready, and who waits for it. It knows waiters as numbers, not as actors.
 *
 * Each descriptor has a word for reading and one for writing:
 *
 *   `word`, low 2 bits | meaning                             | who may leave it, on what, to
 *   NONE    0          | nothing to move, as far as is known | an event: READY; the user, before it waits: WAITING
 *   READY   1          | worth a try; the rest counts events | the user, when a try found nothing: NONE; an event: READY
 *   WAITING 2          | the rest is the waiter              | an event, who then wakes it: READY; the user: NONE
 *
 * The user of a direction is one actor at a time. It reads the word before it tries, and goes back to NONE only from the
 * value that it read: an event in between has changed it, so no readiness is lost. Events come by edge. */
#ifndef CEDEI_SCHED_REACTOR_H
#define CEDEI_SCHED_REACTOR_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cede/result.h>

#include "core/base/base.h"
#include "core/sys/poll.h"
#include "core/sys/thread.h"

struct cedei_worker;
struct cedei_sched;
struct cedei_source;

enum cedei_direction { CEDEI_READING = 0, CEDEI_WRITING = 1 };
enum { CEDEI_SOURCE_NONE = 0, CEDEI_SOURCE_READY = 1, CEDEI_SOURCE_WAITING = 2 };
/* In a READY word: the other side is done, so that a short transfer does not mean that there is no more to see. */
#define CEDEI_SOURCE_CLOSED ((uint64_t)4)
#define CEDEI_SOURCE_EVENT ((uint64_t)8)

/* Called on the thread that saw the event, outside of all locks. A waiter that has given up meanwhile is no error. */
typedef void cedei_source_wake_fn(struct cedei_source *source, struct cedei_worker *worker,
                                  uint64_t waiter);

/* What a user keeps for each descriptor, and what it does for a waiter. One constant a user. */
struct cedei_source_kind {
    size_t size; /* bytes; the source comes first in them */
    cedei_source_wake_fn *wake;
};

/* First in whatever a user keeps for a descriptor. Its memory is that of a source of the same kind for ever, so an event
 * that comes late for a descriptor that was closed finds another one's word: that one tries once for nothing.
 * Access: P = any thread, atomic; I = set before it is added; L = under the reactor's lock. */
struct cedei_source {
    alignas(CEDEI_CACHE_LINE) _Atomic uint64_t word[2]; /* P */
    const struct cedei_source_kind *kind;               /* I, for the reactor's life */
    struct cedei_reactor *reactor;                      /* I, for the reactor's life */
    int descriptor;                                     /* I; -1: none */
    bool polled;                                        /* I: the reactor watches it */
    struct cedei_source *next;                          /* L: in the list of free ones */
};

enum { CEDEI_SOURCE_KINDS = 2 }; /* streams of <cede/io.h>, links to nodes */

/* Access: L = under `lock`; I = set by cedei_reactor_open before `open`. */
struct cedei_reactor {
    _Atomic uint32_t open; /* 1: `poll` is there */
    cedei_mutex lock;
    struct cedei_poll poll; /* I */
    struct {
        const struct cedei_source_kind *kind; /* L: NULL: none so far */
        struct cedei_source *free;            /* L */
    } shelves[CEDEI_SOURCE_KINDS];
    struct cedei_source_chunk *chunks; /* L */
};

enum { CEDEI_REACTOR_BATCH = 64 };

void cedei_reactor_init(struct cedei_reactor *reactor);
void cedei_reactor_fini(struct cedei_reactor *reactor);

static inline bool cedei_reactor_is_open(struct cedei_reactor *reactor) {
    /* seq_cst: a sleeper looks here after it has become the one who keeps the time; whoever opens looks for such a
     * sleeper afterwards: one of both sees the other. A plain load where it matters. */
    return atomic_load_explicit(&reactor->open, memory_order_seq_cst) != 0;
}

/* The first call makes the reactor. Any thread. CEDE_ELIMIT, CEDE_ENOMEM. */
CEDE_NODISCARD cede_result cedei_reactor_open(struct cedei_sched *sched);

/* A source of this kind: fresh memory is zeroed, used memory is as its last user left it. NULL: memory is short. */
struct cedei_source *cedei_source_take(struct cedei_reactor *reactor,
                                       const struct cedei_source_kind *kind);
/* Gives it back. Nobody waits; its descriptor is not watched. */
void cedei_source_give(struct cedei_source *source);
/* Watches `descriptor`. `is_ready`: both directions are worth a try at once. CEDE_ENOTSUP, CEDE_ELIMIT, CEDE_ENOMEM. */
CEDE_NODISCARD cede_result cedei_source_watch(struct cedei_source *source, int descriptor,
                                              bool is_ready);

static inline uint64_t cedei_source_look(struct cedei_source *source, enum cedei_direction which) {
    /* acquire: pairs with the release of an event: a try after it sees what the event was about. */
    return atomic_load_explicit(&source->word[which], memory_order_acquire);
}

static inline bool cedei_source_is_ready(uint64_t word) { return (word & 3) == CEDEI_SOURCE_READY; }

/* The user's try, begun at `seen`, found nothing more: so it is, unless an event came. */
static inline void cedei_source_exhausted(struct cedei_source *source, enum cedei_direction which,
                                          uint64_t seen) {
    /* acq_rel: pairs with the exchange in word_ready: one order with the events. */
    (void)atomic_compare_exchange_strong_explicit(&source->word[which], &seen, CEDEI_SOURCE_NONE,
                                                  memory_order_acq_rel, memory_order_relaxed);
}

/* `waiter`, below 2^62, waits from now on. False: it need not, since an event came; or it must not, since another does. */
static inline bool cedei_source_await(struct cedei_source *source, enum cedei_direction which,
                                      uint64_t waiter) {
    uint64_t none = CEDEI_SOURCE_NONE;
    /* acq_rel: pairs with the exchange in word_ready: publishes the wait to the event that ends it. */
    return atomic_compare_exchange_strong_explicit(&source->word[which], &none,
                                                   waiter << 2 | CEDEI_SOURCE_WAITING,
                                                   memory_order_acq_rel, memory_order_acquire);
}

/* The waiter has been woken by something else, or has given up. */
static inline void cedei_source_forget(struct cedei_source *source, enum cedei_direction which,
                                       uint64_t waiter) {
    uint64_t waiting = waiter << 2 | CEDEI_SOURCE_WAITING;
    /* acq_rel: as in cedei_source_await. */
    (void)atomic_compare_exchange_strong_explicit(&source->word[which], &waiting, CEDEI_SOURCE_NONE,
                                                  memory_order_acq_rel, memory_order_relaxed);
}

/* Its user suspects that a try is worth it, though no event said so; who waits in the word, the user itself, is not woken. */
static inline void cedei_source_suspect(struct cedei_source *source, enum cedei_direction which) {
    uint64_t seen = cedei_source_look(source, which);
    /* acq_rel: as in cedei_source_await; a failure means that an event was faster. */
    while (!cedei_source_is_ready(seen) &&
           !atomic_compare_exchange_weak_explicit(&source->word[which], &seen, CEDEI_SOURCE_READY,
                                                  memory_order_acq_rel, memory_order_acquire)) {}
}

/* For sched.c. Waits as cedei_poll_wait does. */
uint32_t cedei_reactor_wait(struct cedei_reactor *reactor, cedei_poll_event *events,
                            uint64_t deadline_ns);

#endif
