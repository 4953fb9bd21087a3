/* runqueue.h - one worker's queue of runnable tasks: bounded, filled by its owner, emptied by owner and thieves.
 * The method is that of Go's and Tokio's local run queues: free-running 32-bit indices, the owner alone moves `tail`,
 * everybody moves `head` by compare-and-exchange, a thief takes half. Invariants: (1) tail - head <= CAPACITY; (2) an
 * entry between head and tail is not rewritten. A thief may read entries that were rewritten meanwhile; its exchange of
 * `head` then fails and it throws them away. */
#ifndef CEDEI_SYNC_RUNQUEUE_H
#define CEDEI_SYNC_RUNQUEUE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/base.h"

#ifndef CEDEI_RUNQUEUE_CAPACITY
#define CEDEI_RUNQUEUE_CAPACITY 256u /* a power of two; the model test shrinks it */
#endif

struct cedei_task;

/* Access: W = owning worker only writes; P = any thread, atomic. */
struct cedei_runqueue {
    alignas(CEDEI_CACHE_LINE) _Atomic uint32_t head;               /* P: next to take */
    alignas(CEDEI_CACHE_LINE) _Atomic uint32_t tail;               /* W: next to fill */
    _Atomic(struct cedei_task *) entries[CEDEI_RUNQUEUE_CAPACITY]; /* W */
};

/* Any thread: how many are waiting; may be out of date at once. */
static inline uint32_t cedei_runqueue_count(struct cedei_runqueue *queue) {
    /* acquire (both): pair with the releases in push and take, so that a nonzero count is of published entries. */
    uint32_t head = atomic_load_explicit(&queue->head, memory_order_acquire);
    uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_acquire);
    uint32_t count = tail - head;
    return count <= CEDEI_RUNQUEUE_CAPACITY ? count : 0; /* head moved between the two loads */
}

/* Owner only. False: full. `*before` (may be NULL): how many there were. */
static inline bool cedei_runqueue_push(struct cedei_runqueue *queue, struct cedei_task *task,
                                       uint32_t *before) {
    /* acquire: pairs with the exchange of a taker; its reads of the entries are done before we rewrite them. */
    uint32_t head = atomic_load_explicit(&queue->head, memory_order_acquire);
    /* relaxed: we are its only writer. */
    uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    if (before != NULL) *before = tail - head;
    if (CEDEI_UNLIKELY(tail - head >= CEDEI_RUNQUEUE_CAPACITY)) return false;
    /* relaxed: published by the store of `tail`. */
    atomic_store_explicit(&queue->entries[tail % CEDEI_RUNQUEUE_CAPACITY], task,
                          memory_order_relaxed);
    /* release: pairs with the acquire of `tail` in pop and take_half; publishes the entry and the task. */
    atomic_store_explicit(&queue->tail, tail + 1, memory_order_release);
    return true;
}

/* Owner only. NULL: empty. `*left` (may be NULL): how many there are besides. */
static inline struct cedei_task *cedei_runqueue_pop(struct cedei_runqueue *queue, uint32_t *left) {
    /* acquire: pairs with thieves' exchanges. */
    uint32_t head = atomic_load_explicit(&queue->head, memory_order_acquire);
    for (;;) {
        /* relaxed: we are its only writer. */
        uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
        if (head == tail) return NULL;
        if (left != NULL) *left = tail - head - 1;
        /* relaxed: our own store. */
        struct cedei_task *task = atomic_load_explicit(
            &queue->entries[head % CEDEI_RUNQUEUE_CAPACITY], memory_order_relaxed);
        /* acq_rel: orders our read of the entry before the slot counts as free; pairs with other takers. */
        if (atomic_compare_exchange_weak_explicit(&queue->head, &head, head + 1,
                                                  memory_order_acq_rel, memory_order_acquire))
            return task;
    }
}

/* Owner only, while nobody else takes: without an exchange, which costs as much as all the rest of a short turn. */
static inline struct cedei_task *cedei_runqueue_pop_alone(struct cedei_runqueue *queue,
                                                          uint32_t *left) {
    /* relaxed (all): nobody else writes either index, and the entry is our own store. */
    uint32_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
    uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    if (head == tail) return NULL;
    if (left != NULL) *left = tail - head - 1;
    struct cedei_task *task =
        atomic_load_explicit(&queue->entries[head % CEDEI_RUNQUEUE_CAPACITY], memory_order_relaxed);
    atomic_store_explicit(&queue->head, head + 1, memory_order_relaxed);
    return task;
}

/* Any thread: takes half (rounded up) of the waiting tasks, at most `room`, oldest first, into `out`. */
static inline uint32_t cedei_runqueue_take_half(struct cedei_runqueue *queue,
                                                struct cedei_task **out, uint32_t room) {
    /* acquire: pairs with other takers' exchanges. */
    uint32_t head = atomic_load_explicit(&queue->head, memory_order_acquire);
    for (;;) {
        /* acquire: pairs with the release in push; the entries below it are written. */
        uint32_t tail = atomic_load_explicit(&queue->tail, memory_order_acquire);
        uint32_t waiting = tail - head;
        if (waiting == 0 || waiting > CEDEI_RUNQUEUE_CAPACITY) {
            if (waiting == 0) return 0;
            /* acquire: pairs with other takers' exchanges; `head` was stale. */
            head = atomic_load_explicit(&queue->head, memory_order_acquire);
            continue;
        }
        uint32_t count = waiting - waiting / 2;
        if (count > room) count = room;
        /* relaxed: an entry that is rewritten under us makes the exchange below fail. */
        for (uint32_t i = 0; i < count; i++)
            out[i] = atomic_load_explicit(&queue->entries[(head + i) % CEDEI_RUNQUEUE_CAPACITY],
                                          memory_order_relaxed);
        /* acq_rel: orders our reads before the slots count as free; pairs with the owner's push and other takers. */
        if (atomic_compare_exchange_weak_explicit(&queue->head, &head, head + count,
                                                  memory_order_acq_rel, memory_order_acquire))
            return count;
    }
}

#endif
