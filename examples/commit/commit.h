/* commit.h - a transfer between two accounts, each an actor of its own, in two phases: both are prepared, then both are told.
 * The same actors run in main.c, and under the simulator in simulate.c. */
#ifndef EXAMPLE_COMMIT_H
#define EXAMPLE_COMMIT_H

#include <cede/cede.h>

/* The bank opens two accounts. `careful`: see on_patience in commit.c. */
#define OPENING(F)                                                                                 \
    F(bool, careful)                                                                               \
    F(i64, balance)
CEDE_MESSAGE(opening, OPENING);
/* An order to move `amount` from the first to the second; it comes back with `done` set. */
#define TRANSFER(F)                                                                                \
    F(i64, amount)                                                                                 \
    F(bool, done)
CEDE_MESSAGE(transfer, TRANSFER);
/* A question for all the money that there is. */
#define TOTAL(F) F(i64, balance)
CEDE_MESSAGE(total, TOTAL);

extern const cede_behaviour bank;

/* Moves money `count` times, waits until all is settled, and adds up. */
CEDE_YIELDS cede_result transfers_make(cede_self *self, cede_ref to, int count, int64_t *total);

#endif
