/* mailbox.h - many-producer, single-consumer queue of the messages waiting for one actor.
 * Producers push onto a stack held in one 64-bit word; the consumer takes all of it at once and reverses it, so messages
 * of one sender come out in push order. The word also says whether the consumer is at rest, so that the push that ends
 * rest, and no other, has to wake it:
 *
 *   bits 48..63 count of messages in the stack (stops at 65535)
 *   bits  4..47 newest message
 *   bit  0 IDLE    the consumer is at rest: whoever clears the bit must schedule it
 *   bit  1 RECV    the consumer is suspended waiting for a message: whoever clears the bit must unpark it
 *   bit  2 SIGNAL  somebody left a signal (stop, kill) for the consumer
 *
 * A message that is alone is handled without being taken out: the consumer remembers the word (`seen`) and, when it is
 * still the same afterwards, goes from it straight to rest. That spares the commonest case one of its two atomic
 * exchanges. The message is long gone then; its address stays behind in the word, and in the `next` of the message pushed
 * on top of it, as a number that nobody follows: each node records at which depth it was pushed, and the consumer stops
 * at depth 2.
 *
 * Invariants: (1) IDLE and RECV are set by the consumer only, and only on a word with nothing new; (2) both are never set
 * together; (3) after setting either, the consumer touches nothing of its own until it is scheduled again; (4) `seen` is
 * 0 or a word with count 1 and no flags.
 * Being a stack, a push needs the address of the newest message only to link to it, so it never reads a message that
 * the consumer might be freeing; ABA is harmless because the link is right whenever the word still names that message. */
#ifndef CEDEI_SYNC_MAILBOX_H
#define CEDEI_SYNC_MAILBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/base.h"

#define CEDEI_MAILBOX_IDLE ((uint64_t)1)
#define CEDEI_MAILBOX_RECV ((uint64_t)2)
#define CEDEI_MAILBOX_SIGNAL ((uint64_t)4)
#define CEDEI_MAILBOX_FLAGS ((uint64_t)15)
#define CEDEI_MAILBOX_POINTER (((uint64_t)1 << 48) - 16)
#define CEDEI_MAILBOX_ONE ((uint64_t)1 << 48)
#define CEDEI_MAILBOX_COUNT_MAX 65535u

/* First member of whatever is queued; at least 16-byte aligned. */
struct cedei_node {
    struct cedei_node *next;
    uint64_t depth_and_tag; /* low half: how many were in the stack with it, at most CEDEI_MAILBOX_COUNT_MAX;
                               high half: the producer's, for the consumer */
};

struct cedei_mailbox {
    _Atomic uint64_t word; /* any thread */
    uint64_t seen;         /* consumer only: a word that means "nothing new" */
};

static inline uint32_t cedei_mailbox_count(uint64_t word) { return (uint32_t)(word >> 48); }

static inline struct cedei_node *cedei_mailbox_newest(uint64_t word) {
    return (struct cedei_node *)(uintptr_t)(word & CEDEI_MAILBOX_POINTER);
}

static inline void cedei_mailbox_init(struct cedei_mailbox *mailbox, uint64_t flags) {
    /* relaxed: not shared yet. */
    atomic_store_explicit(&mailbox->word, flags, memory_order_relaxed);
    mailbox->seen = 0;
}

/* Pushes onto a mailbox whose consumer is at rest, and ends that rest; false: it is not, and nothing happened. The
 * commonest case, with the least to compute. */
CEDEI_INLINE bool cedei_mailbox_push_first(struct cedei_mailbox *mailbox, struct cedei_node *node,
                                           uint32_t tag) {
    /* relaxed: only a first guess for the exchange. */
    uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_relaxed);
    if (CEDEI_UNLIKELY(word != CEDEI_MAILBOX_IDLE)) return false;
    node->next = NULL;
    node->depth_and_tag = (uint64_t)tag << 32 | 1;
    /* acq_rel: as in push; pairs with the acquire of the take and the release of the rest. */
    return atomic_compare_exchange_strong_explicit(&mailbox->word, &word,
                                                   (uint64_t)(uintptr_t)node | CEDEI_MAILBOX_ONE,
                                                   memory_order_acq_rel, memory_order_relaxed);
}

/* Pushes unless `count_max` messages (INT32_MAX: no bound; INT32_MIN: never) are waiting, `behind` of them already with the
 * consumer (-1: one that is counted here is being handled). Returns whether it did; `*before` is the word that was found.
 * For a consumer that is hardly at rest, as cedei_mailbox_push_first has just found. */
CEDEI_INLINE bool cedei_mailbox_push_behind(struct cedei_mailbox *mailbox, struct cedei_node *node,
                                            uint32_t tag, int32_t count_max, int32_t behind,
                                            uint64_t *before) {
    /* relaxed: only a first guess for the exchange. */
    uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_relaxed);
    for (;;) { /* each failure means that somebody else got on */
        uint32_t count = cedei_mailbox_count(word);
        if (CEDEI_UNLIKELY((int64_t)count + behind >= count_max)) return false;
        node->next = cedei_mailbox_newest(word);
        uint64_t counted = count < CEDEI_MAILBOX_COUNT_MAX ? count + 1 : count;
        node->depth_and_tag = (uint64_t)tag << 32 | counted;
        uint64_t next = (counted << 48) | (uint64_t)(uintptr_t)node | (word & CEDEI_MAILBOX_SIGNAL);
        /* acq_rel: pairs with the acquire in take_all, which it publishes the message to, and with the release in rest:
         * whoever clears IDLE or RECV takes over the consumer's state. */
        if (atomic_compare_exchange_weak_explicit(&mailbox->word, &word, next, memory_order_acq_rel,
                                                  memory_order_relaxed)) {
            *before = word;
            return true;
        }
    }
}

/* The same for one that may well be. */
CEDEI_INLINE bool cedei_mailbox_push(struct cedei_mailbox *mailbox, struct cedei_node *node,
                                     uint32_t tag, int32_t count_max, int32_t behind,
                                     uint64_t *before) {
    if (CEDEI_LIKELY(behind < count_max && cedei_mailbox_push_first(mailbox, node, tag))) {
        *before = CEDEI_MAILBOX_IDLE;
        return true;
    }
    return cedei_mailbox_push_behind(mailbox, node, tag, count_max, behind, before);
}

/* Leaves SIGNAL; returns the word that was found. IDLE or RECV in it: the caller must schedule or unpark. */
static inline uint64_t cedei_mailbox_signal(struct cedei_mailbox *mailbox) {
    /* relaxed: only a first guess for the exchange. */
    uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_relaxed);
    uint64_t next;
    do {
        next = (word & ~(CEDEI_MAILBOX_IDLE | CEDEI_MAILBOX_RECV)) | CEDEI_MAILBOX_SIGNAL;
        /* acq_rel: pairs with take_all (publishes what the signal means) and rest (takes over the consumer's state). */
    } while (!atomic_compare_exchange_weak_explicit(&mailbox->word, &word, next,
                                                    memory_order_acq_rel, memory_order_relaxed));
    return word;
}

/* Clears `flag` (IDLE or RECV) if it is set; true: the caller now has the consumer's rights. */
static inline bool cedei_mailbox_claim(struct cedei_mailbox *mailbox, uint64_t flag) {
    /* relaxed: only a first guess for the exchange. */
    uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_relaxed);
    while ((word & flag) != 0) {
        /* acq_rel: takes over the consumer's state that mailbox_rest released. */
        if (atomic_compare_exchange_weak_explicit(&mailbox->word, &word, word & ~flag,
                                                  memory_order_acq_rel, memory_order_relaxed))
            return true;
    }
    return false;
}

/* Consumer only: whether messages or a signal have come. */
static inline bool cedei_mailbox_has_news(struct cedei_mailbox *mailbox) {
    /* relaxed: a hint; what is found is fetched by take. */
    return atomic_load_explicit(&mailbox->word, memory_order_relaxed) != mailbox->seen;
}

/* Consumer only: what came in. */
struct cedei_mailbox_batch {
    struct cedei_node *oldest, *newest; /* linked by `next`, or NULL */
    uint32_t count;                     /* at most CEDEI_MAILBOX_COUNT_MAX even if there are more */
};

/* Consumer only: takes a message that is alone in the box, without an exchange and without setting its `next`; NULL: there are none or several. */
CEDEI_INLINE struct cedei_node *cedei_mailbox_take_single(struct cedei_mailbox *mailbox) {
    /* acquire: pairs with the release in push; the message is complete. */
    uint64_t word = atomic_load_explicit(&mailbox->word, memory_order_acquire);
    if (mailbox->seen != 0 || (word & ~CEDEI_MAILBOX_POINTER) != CEDEI_MAILBOX_ONE) return NULL;
    mailbox->seen = word;
    return cedei_mailbox_newest(word);
}

/* Consumer only: takes all new messages and clears SIGNAL. */
static inline struct cedei_mailbox_batch cedei_mailbox_take_all(struct cedei_mailbox *mailbox) {
    /* acquire: pairs with the release in push, through every push since, as they are read-modify-writes of one word. */
    uint64_t word = atomic_exchange_explicit(&mailbox->word, 0, memory_order_acquire);
    struct cedei_mailbox_batch batch = {.count = cedei_mailbox_count(word)};
    struct cedei_node *node = cedei_mailbox_newest(word);
    bool above_seen = mailbox->seen != 0; /* below depth 2 lies a message that was handled already */
    if (above_seen) {
        mailbox->seen = 0;
        if (--batch.count == 0) return batch;
    }
    batch.newest = node;
    batch.count = 0;       /* the word's count stops at its limit, so it is counted anew */
    while (node != NULL) { /* bounded by the number of messages pushed since the last take */
        struct cedei_node *older =
            above_seen && (uint32_t)node->depth_and_tag == 2 ? NULL : node->next;
        node->next = batch.oldest;
        batch.oldest = node;
        batch.count++;
        node = older;
    }
    return batch;
}

/* Consumer only, with nothing left to do: sets IDLE or RECV if nothing new is there. False: something came. */
CEDEI_INLINE bool cedei_mailbox_rest(struct cedei_mailbox *mailbox, uint64_t flag) {
    uint64_t seen = mailbox->seen, expected = seen;
    mailbox->seen = 0; /* before the exchange: afterwards it is not ours any more */
    /* seq_cst: publishes the consumer's state to whoever clears the flag; and stays before the look for senders that
     * wait for room, who list themselves first and look at the word then: one of both sees the other. */
    if (CEDEI_LIKELY(atomic_compare_exchange_strong_explicit(
            &mailbox->word, &expected, flag, memory_order_seq_cst, memory_order_relaxed)))
        return true;
    mailbox->seen = seen;
    return false;
}

#endif
