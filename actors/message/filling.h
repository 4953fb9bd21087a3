/* filling.h - boxes that a decoder has made and not filled yet, oldest first, linked through their headers; and those that
 * stand for frozen messages, which become such when everything has been filled.
 * A frozen message has to be complete: it is filled as a box, and in the end moved into a message, the innermost first. */
#ifndef CEDEI_MESSAGE_FILLING_H
#define CEDEI_MESSAGE_FILLING_H

#include "actors/message/field.h"
#include "actors/message/message.h"

struct cedei_filling {
    struct cedei_box *first, **last; /* to be filled */
    struct cedei_box *frozen; /* filled, to be frozen: latest first, so that none holds one behind it */
};

void cedei_filling_init(struct cedei_filling *filling);
/* An empty box for what the pointer at `slot` is to lead to. CEDE_ENOMEM. */
CEDE_NODISCARD cede_result cedei_filling_add(struct cedei_filling *filling,
                                             const struct cedei_field *field, void *slot,
                                             uint32_t number);
/* The number of the next box to fill; UINT32_MAX: there is none. */
uint32_t cedei_filling_next(const struct cedei_filling *filling);
/* The next box to fill; NULL: there is none. */
struct cedei_box *cedei_filling_take(struct cedei_filling *filling);
/* `r` CEDE_OK and nothing left to fill: freezes what is to be frozen, by `maker`; returns CEDE_OK, or CEDE_ENOMEM.
 * Anything else: returns `r`. Without CEDE_OK no pointer leads to a box that stands for a frozen message any more. */
CEDE_NODISCARD cede_result cedei_filling_end(struct cedei_filling *filling,
                                             const struct cedei_maker *maker, cede_result r);

#endif
