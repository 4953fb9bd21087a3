/* timer.h - a hierarchical timing wheel (Varghese and Lauck 1987): add and cancel are O(1). One wheel per worker, each
 * under a lock of its own; `next_ns` is read without it.
 *
 * Level 0 has a slot for each tick of the present window of 4096 ticks (1.07 s) and of the one after it, so timers of up to
 * a second are linked once and never moved. Each slot of a level above covers a whole window of the level below, and may be
 * moved down as soon as that window is the next one: a window early, so the work can be done in small steps
 * (CEDEI_WHEEL_STEP timers under the lock, CEDEI_WHEEL_RUN_MAX a run) without a timer being late for it.
 *
 * Two kinds of timers: `struct cedei_timer` is a member of its owner, calls a function, and may be set again and again. A post
 * belongs to the wheel, carries 24 bytes of cargo, fires once, and is named by a handle that may go stale. */
#ifndef CEDEI_SCHED_TIMER_H
#define CEDEI_SCHED_TIMER_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cede/result.h>

#include "core/base/base.h"
#include "core/sys/thread.h"

struct cedei_timer;
typedef void cedei_timer_fn(struct cedei_timer *timer, void *context);

/* Access: L = under the wheel's lock; I = set before the first add. */
struct cedei_timer {
    struct cedei_timer *next,
        **back;                  /* L: in a slot's list; `next` of a free post: the next free one */
    _Atomic uint64_t expires_ns; /* L to write; see cedei_timer_fires_by */
    cedei_timer_fn *fire; /* I: called without the lock, on the thread that runs the wheel; NULL: a post */
    _Atomic uint16_t linked; /* written under the lock, read without: see cedei_timer_is_linked */
    uint16_t wheel;          /* I: index of the wheel that it is always set in */
    uint32_t generation;     /* L: of a post, advanced when it is free again; never 0 */
};

/* What a post carries; its meaning is the poster's. */
struct cedei_cargo {
    void *what;
    uint64_t where[2];
};

/* Access: L. Memory that was a post once stays one, so a stale handle is harmless. */
struct cedei_post {
    struct cedei_timer timer;
    struct cedei_cargo cargo;
};
_Static_assert(sizeof(struct cedei_post) == 64, "a post is one cache line");

/* Names a post: its place (wheel, then index in it) and which of the posts at that place. */
struct cedei_post_name {
    uint32_t place, generation;
};

enum {
    CEDEI_WHEEL_NEAR_BITS = 12, /* of level 0 */
    CEDEI_WHEEL_FAR_BITS = 6,   /* of each level above */
    CEDEI_WHEEL_FAR_LEVELS = 5,
    CEDEI_WHEEL_NEAR_SLOTS = 2 << CEDEI_WHEEL_NEAR_BITS,
    CEDEI_WHEEL_FAR_SLOTS = 2 << CEDEI_WHEEL_FAR_BITS,
    CEDEI_WHEEL_STEP = 32, /* timers fired, and timers moved down, in one section under the lock */
    CEDEI_WHEEL_RUN_MAX = 256, /* timers fired or moved in one run: well below 100 us */
    CEDEI_POST_INDEX_BITS = 24,
    CEDEI_POSTS_MAX = 1 << CEDEI_POST_INDEX_BITS /* in one wheel */
};
/* One tick, nanoseconds: 0.26 ms. All levels together reach 2^60 ns, 36 years; what is due later is moved when they end. */
#define CEDEI_WHEEL_TICK_SHIFT 18

/* Takes posts that have fired; called without the lock, on the thread that runs the wheel. */
typedef void cedei_post_fn(void *post_context, const struct cedei_cargo *cargo, uint32_t count,
                           void *context);

/* Timers of a slot are dealt out to several lists. A timer that was set long ago is in nobody's cache, and a list is read one
 * miss after the other; those of several lists go on at the same time. */
enum { CEDEI_SLOT_LISTS = 4 };
struct cedei_wheel_slot {
    struct cedei_timer *lists[CEDEI_SLOT_LISTS];
};

/* Access: I; L = under `lock`; P = any thread, atomic. */
struct cedei_wheel {
    alignas(CEDEI_CACHE_LINE) _Atomic uint64_t
        next_ns; /* P: nothing is to be done before; UINT64_MAX: none is set */
    alignas(CEDEI_CACHE_LINE) cedei_mutex lock;
    uint64_t tick;            /* L: all timers before it have fired */
    uint32_t index;           /* I */
    uint32_t posts_ready;     /* L: those below have been posts once */
    struct cedei_post *posts; /* L: address space for CEDEI_POSTS_MAX, reserved by the first post */
    struct cedei_timer *free; /* L: posts to use again */
    cedei_post_fn *post_fire; /* I */
    void *post_context;       /* I */
    uint64_t near_words[CEDEI_WHEEL_NEAR_SLOTS / 64 /
                        64]; /* L: a bit per word of near_bits that is not 0 */
    uint64_t near_bits[CEDEI_WHEEL_NEAR_SLOTS / 64]; /* L: a bit per slot that may hold timers */
    uint64_t far_bits[CEDEI_WHEEL_FAR_LEVELS][CEDEI_WHEEL_FAR_SLOTS / 64]; /* L: the same */
    uint32_t list_next;                                   /* L: see struct cedei_wheel_slot */
    struct cedei_wheel_slot near[CEDEI_WHEEL_NEAR_SLOTS]; /* L */
    struct cedei_wheel_slot far[CEDEI_WHEEL_FAR_LEVELS][CEDEI_WHEEL_FAR_SLOTS]; /* L */
};

/* `wheel` is zeroed. */
void cedei_wheel_init(struct cedei_wheel *wheel, uint32_t index, uint64_t now_ns,
                      cedei_post_fn *post_fire, void *post_context);
void cedei_wheel_fini(struct cedei_wheel *wheel);

/* Sets `timer` to fire at or after `expires_ns`, never before. If it is set already, the earlier of both holds.
 * Returns whether the wheel's `next_ns` became earlier, so that a sleeping worker has to look at it. */
bool cedei_timer_add(struct cedei_wheel *wheel, struct cedei_timer *timer, uint64_t expires_ns);
/* After it the timer is not set; it may be firing at this moment on another thread. */
void cedei_timer_cancel(struct cedei_wheel *wheel, struct cedei_timer *timer);

/* Posts `cargo` for `expires_ns`; `*earlier` as the result of cedei_timer_add.
 * CEDE_ELIMIT: CEDEI_POSTS_MAX are set in this wheel; CEDE_ENOMEM: no address space. */
CEDE_NODISCARD cede_result cedei_post_add(struct cedei_wheel *wheel,
                                          const struct cedei_cargo *cargo, uint64_t expires_ns,
                                          struct cedei_post_name *name, bool *earlier);
/* Takes a post back. CEDE_ENOENT: it has fired or was taken. What `agree(cargo, context)` (may be NULL) returns is returned;
 * anything but CEDE_OK leaves the post set. `agree` runs under the lock. */
CEDE_NODISCARD cede_result cedei_post_take(struct cedei_wheel *wheel, struct cedei_post_name name,
                                           cede_result (*agree)(const struct cedei_cargo *cargo,
                                                                const void *context),
                                           const void *context, struct cedei_cargo *out);
/* Takes any post that is still set; false: there is none. For the end. `*at` begins with 0. */
bool cedei_post_take_any(struct cedei_wheel *wheel, uint32_t *at, struct cedei_cargo *out);

static inline uint64_t cedei_timer_expires_ns(struct cedei_timer *timer) {
    /* relaxed: under the lock, or behind a look at `linked`, which is set after it. */
    return atomic_load_explicit(&timer->expires_ns, memory_order_relaxed);
}

static inline bool cedei_timer_is_linked(struct cedei_timer *timer) {
    /* seq_cst: with the actor's store of its deadline before and the wheel's store of `linked` before its look at the
     * deadline, at least one of them sees the other (Dekker); with less, both could miss and the timer be lost. */
    return atomic_load_explicit(&timer->linked, memory_order_seq_cst) != 0;
}

/* Without the lock: whether it is set to fire at `deadline_ns` or before, so that whoever stored a new deadline (see
 * cedei_timer_is_linked) can leave it to the firing timer to see that. */
static inline bool cedei_timer_fires_by(struct cedei_timer *timer, uint64_t deadline_ns) {
    return cedei_timer_is_linked(timer) && cedei_timer_expires_ns(timer) <= deadline_ns;
}

/* Fires what is due, and moves down what comes near, at most CEDEI_WHEEL_RUN_MAX timers in all: when more is to be done,
 * `next_ns` says so. `context` goes to the callbacks. Returns how many fired. */
uint32_t cedei_wheel_run(struct cedei_wheel *wheel, uint64_t now_ns, void *context);

static inline uint64_t cedei_wheel_next_ns(struct cedei_wheel *wheel) {
    /* seq_cst: a sleeper's look at it stays behind its own announcement to keep the time, so that whoever sets an
     * earlier timer afterwards finds it and wakes it. */
    return atomic_load_explicit(&wheel->next_ns, memory_order_seq_cst);
}

#endif
