/* jobstate.h - one word that says how far a job is, who still holds its block, and who waits for its end.
 * Two sides share a job: the owner of its handle (one actor at a time) and the executor, which has it in a queue or runs
 * it. Each transition is one exchange of the word, so each of "it runs", "its message is the owner's again", "the block is
 * freed" happens on exactly one side.
 *
 *   phase, low 2 bits | its message is | who may leave it      | on                     | to
 *   OUT       0       | the owner's    | owner                 | submit                 | QUEUED
 *   QUEUED    1       | the executor's | executor              | takes it off the queue | RUNNING
 *                     |                | owner                 | cancel, drop           | WITHDRAWN
 *   RUNNING   2       | the executor's | executor              | the function returned  | OUT
 *   WITHDRAWN 3       | the owner's    | executor              | takes it off the queue | OUT
 *
 *   bit 2 DROPPED: the owner has given the handle up; set in any phase but OUT, in which the owner frees the block itself.
 *   bits 32..63: the number of the owner's wait that the end of the job ends; 0: it does not wait. Set in QUEUED and RUNNING.
 *
 * Invariants: (1) the executor touches nothing of a job after it has moved it to OUT without having seen DROPPED; (2) with
 * DROPPED it frees the block, and from RUNNING the message too; (3) DROPPED and a wait are never set together. */
#ifndef CEDEI_SYNC_JOBSTATE_H
#define CEDEI_SYNC_JOBSTATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { CEDEI_JOB_OUT = 0, CEDEI_JOB_QUEUED = 1, CEDEI_JOB_RUNNING = 2, CEDEI_JOB_WITHDRAWN = 3 };
enum { CEDEI_JOB_PHASE = 3, CEDEI_JOB_DROPPED = 4 };

/* What the executor has to do with a job that it takes off a queue. */
enum cedei_job_begin {
    CEDEI_JOB_RUN,   /* run it, then cedei_jobstate_end */
    CEDEI_JOB_LEAVE, /* nothing: it is the owner's alone already */
    CEDEI_JOB_FREE   /* free the block; the owner had its message */
};
/* What is left to the owner that drops a job. */
enum cedei_job_drop {
    CEDEI_JOB_BOTH_MINE, /* drop the message, free the block */
    CEDEI_JOB_MESSAGE_MINE, /* drop the message if it has not been taken yet; the block must not be touched any more */
    CEDEI_JOB_NONE_MINE /* the executor will do both */
};

/* Access: any thread, atomic. */
struct cedei_jobstate {
    _Atomic uint64_t word;
};

static inline uint64_t cedei_jobstate_phase(uint64_t word) { return word & CEDEI_JOB_PHASE; }

/* The sleeping owner's wait that `word` names; 0: none. */
static inline uint32_t cedei_jobstate_wait(uint64_t word) { return (uint32_t)(word >> 32); }

/* Owner: its message and result may be taken. */
static inline bool cedei_jobstate_has_ended(struct cedei_jobstate *state) {
    /* acquire: pairs with the release in cedei_jobstate_end; the message is as the function left it. */
    uint64_t phase = cedei_jobstate_phase(atomic_load_explicit(&state->word, memory_order_acquire));
    return phase == CEDEI_JOB_OUT || phase == CEDEI_JOB_WITHDRAWN;
}

/* Owner: before the job is handed to an executor. */
static inline void cedei_jobstate_submit(struct cedei_jobstate *state) {
    /* release: pairs with the acquire in cedei_jobstate_begin; publishes the job (the queue would, too). */
    atomic_store_explicit(&state->word, CEDEI_JOB_QUEUED, memory_order_release);
}

/* Owner: the executor did not take it after all. */
static inline void cedei_jobstate_unsubmit(struct cedei_jobstate *state) {
    /* relaxed: nobody else has seen it. */
    atomic_store_explicit(&state->word, CEDEI_JOB_OUT, memory_order_relaxed);
}

/* Executor, once for each job that it takes off a queue. */
static inline enum cedei_job_begin cedei_jobstate_begin(struct cedei_jobstate *state) {
    /* acquire: pairs with the submit, and with the owner's withdrawal, whose last look at the block comes before ours. */
    uint64_t word = atomic_load_explicit(&state->word, memory_order_acquire);
    for (;;) { /* the owner can change it a few times at most: wait, withdraw, drop */
        bool runs = cedei_jobstate_phase(word) == CEDEI_JOB_QUEUED;
        uint64_t next = runs ? (word & ~(uint64_t)CEDEI_JOB_PHASE) | CEDEI_JOB_RUNNING
                             : (uint64_t)CEDEI_JOB_OUT;
        /* acq_rel: as above; releases the block to the owner when it becomes its alone. */
        if (!atomic_compare_exchange_weak_explicit(&state->word, &word, next, memory_order_acq_rel,
                                                   memory_order_acquire))
            continue;
        if (runs) return CEDEI_JOB_RUN;
        return word & CEDEI_JOB_DROPPED ? CEDEI_JOB_FREE : CEDEI_JOB_LEAVE;
    }
}

/* Executor, after the function returned and the result was stored. Returns the word before: with DROPPED the block and the
 * message are the executor's to free; otherwise it touches neither again, and wakes the owner's wait if there is one. */
static inline uint64_t cedei_jobstate_end(struct cedei_jobstate *state) {
    /* acq_rel: pairs with the acquires of the owner's looks, which see message and result; with DROPPED, pairs with the
     * exchange in cedei_jobstate_drop: the owner is done with the block. */
    return atomic_exchange_explicit(&state->word, CEDEI_JOB_OUT, memory_order_acq_rel);
}

/* Owner: has the end of the job end its wait `sequence` (not 0). False: it has ended. */
static inline bool cedei_jobstate_await(struct cedei_jobstate *state, uint32_t sequence) {
    /* acquire: as in cedei_jobstate_has_ended. */
    uint64_t word = atomic_load_explicit(&state->word, memory_order_acquire);
    for (;;) { /* the executor can change it twice at most */
        uint64_t phase = cedei_jobstate_phase(word);
        if (phase == CEDEI_JOB_OUT || phase == CEDEI_JOB_WITHDRAWN) return false;
        uint64_t next = (uint64_t)sequence << 32 | (uint32_t)word;
        /* acq_rel: pairs with the exchange in cedei_jobstate_end: the wait has begun. */
        if (atomic_compare_exchange_weak_explicit(&state->word, &word, next, memory_order_acq_rel,
                                                  memory_order_acquire))
            return true;
    }
}

/* Owner: takes that back. False: the job has ended, and the wait may have been ended by it or may still be. */
static inline bool cedei_jobstate_unawait(struct cedei_jobstate *state) {
    return cedei_jobstate_await(state, 0);
}

/* Owner: a job that has not begun never will. False: it runs or has ended. */
static inline bool cedei_jobstate_withdraw(struct cedei_jobstate *state) {
    /* acquire: pairs with the release in cedei_jobstate_end. */
    uint64_t word = atomic_load_explicit(&state->word, memory_order_acquire);
    while (cedei_jobstate_phase(word) == CEDEI_JOB_QUEUED) /* the executor can change it twice */
        /* acq_rel: pairs with cedei_jobstate_begin: one of both gets the message. */
        if (atomic_compare_exchange_weak_explicit(&state->word, &word, CEDEI_JOB_WITHDRAWN,
                                                  memory_order_acq_rel, memory_order_acquire))
            return true;
    return false;
}

/* Owner: gives the handle up; the result says what is left to do. */
static inline enum cedei_job_drop cedei_jobstate_drop(struct cedei_jobstate *state) {
    /* acquire: pairs with the release in cedei_jobstate_end and _begin. */
    uint64_t word = atomic_load_explicit(&state->word, memory_order_acquire);
    for (;;) { /* the executor can change it twice at most */
        uint64_t phase = cedei_jobstate_phase(word);
        if (phase == CEDEI_JOB_OUT) return CEDEI_JOB_BOTH_MINE;
        bool runs = phase == CEDEI_JOB_RUNNING;
        uint64_t next = (runs ? CEDEI_JOB_RUNNING : CEDEI_JOB_WITHDRAWN) | CEDEI_JOB_DROPPED;
        /* acq_rel: pairs with cedei_jobstate_end and _begin: the executor frees the block after our last use. */
        if (atomic_compare_exchange_weak_explicit(&state->word, &word, next, memory_order_acq_rel,
                                                  memory_order_acquire))
            return runs ? CEDEI_JOB_NONE_MINE : CEDEI_JOB_MESSAGE_MINE;
    }
}

#endif
