/* line.h - waiting for something that several actors share: lines of waiting actors, and what an actor holds meanwhile.
 * An actor waits for one thing at a time, so it has one place, in its extra: reachable without its stack, so that a line is
 * left in order also when the actor is killed where it stands.
 *
 *   state of a place | who may change it                                      | to
 *   OUT              | its actor, under the lock of what it waits for         | LINED
 *   LINED            | whoever has that lock and gives it what it wants       | GIVEN
 *                    | its actor (or its end), under that lock                | OUT
 *   GIVEN            | its actor (or its end, which gives the gift to others) | OUT
 *
 * Invariants: (1) what was given is taken by the actor or handed back, whatever else ended its wait: a wait that is over by
 * its limit, by cede_stop or by a kill looks at the place under the lock and finds one or the other; (2) places are given
 * to in the order in which they were lined up; (3) a place's memory is touched under the lock, or by its actor when it is
 * not LINED: whoever wakes it afterwards has copied what that takes. */
#ifndef CEDEI_ACTOR_LINE_H
#define CEDEI_ACTOR_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/actor.h>
#include <cede/system.h>

#include "core/base/base.h"

enum cedei_place_state { CEDEI_PLACE_OUT = 0, CEDEI_PLACE_LINED, CEDEI_PLACE_GIVEN };

struct cedei_place;
/* The actor of `place` has ended: takes it out of its line, or hands on what it was given. On any thread. */
typedef void cedei_place_leave_fn(struct cedei_place *place);

/* Access: L = under the lock of what is waited for; A = holder of the actor's rights. */
struct cedei_place {
    struct cedei_place *next, **back; /* L */
    struct cede_self *actor;          /* A */
    void *object;                     /* A: what it waits for; NULL: nothing */
    cedei_place_leave_fn *leave;      /* A */
    void *gift;                       /* L: from its actor or for it, as the object will have it */
    uint64_t want;                    /* A: likewise */
    uint32_t sequence;                /* A: of its wait */
    uint8_t state;                    /* L: enum cedei_place_state */
    uint8_t result;                   /* L: with GIVEN: a cede_result, of the whole wait */
};

/* Zeroed memory and `last` = &first. Access: L. */
struct cedei_line {
    struct cedei_place *first, **last;
};

static inline void cedei_line_init(struct cedei_line *line) {
    line->first = NULL;
    line->last = &line->first;
}

/* Under the lock. */
static inline void cedei_line_append(struct cedei_line *line, struct cedei_place *place) {
    place->state = CEDEI_PLACE_LINED;
    place->next = NULL;
    place->back = line->last;
    *line->last = place;
    line->last = &place->next;
}

/* Under the lock. */
static inline void cedei_line_remove(struct cedei_line *line, struct cedei_place *place) {
    *place->back = place->next;
    if (place->next != NULL)
        place->next->back = place->back;
    else
        line->last = place->back;
    place->state = CEDEI_PLACE_OUT;
}

/* Whom to wake when the lock has been given back: copies, so many at a time. */
enum { CEDEI_WAKES_MAX = 16 };
struct cedei_wakes {
    uint32_t count;
    struct {
        struct cede_self *actor;
        uint32_t sequence;
    } who[CEDEI_WAKES_MAX];
};

/* Under the lock, with room in `wakes`: `place` has what it wanted, or why not. */
static inline void cedei_line_give(struct cedei_line *line, struct cedei_place *place,
                                   cede_result result, struct cedei_wakes *wakes) {
    cedei_line_remove(line, place);
    place->state = CEDEI_PLACE_GIVEN;
    place->result = (uint8_t)result;
    wakes->who[wakes->count].actor = place->actor;
    wakes->who[wakes->count++].sequence = place->sequence;
}

/* Without the lock: wakes them and empties it. */
void cedei_wakes_send(cede_system *system, struct cedei_wakes *wakes);

/* The place of an actor that may wait now, ready to be lined up; NULL with `*why`: CEDE_ETIMEDOUT it does not want to wait
 * (`timeout_ns` 0), CEDE_ECANCELED it was asked to stop, CEDE_ECONTEXT not on this thread, CEDE_ENOMEM. */
struct cedei_place *cedei_place_begin(cede_self *self, uint64_t timeout_ns, const char *call,
                                      cede_result *why);
/* The wait of a place that was begun, for something under no lock yet: before it is lined up. */
void cedei_place_aim(struct cedei_place *place, void *object, cedei_place_leave_fn *leave);
/* Nothing was lined up after all. */
void cedei_place_withdraw(struct cedei_place *place);
/* Waits. CEDE_OK: the place is GIVEN. Anything else is why the wait ended (CEDE_ETIMEDOUT, CEDE_ECANCELED, CEDE_ENOMEM,
 * CEDE_ELIMIT): look at the place under the lock. */
CEDE_YIELDS cede_result cedei_place_wait(struct cedei_place *place, uint64_t deadline_ns);
/* Without the lock, when the place is OUT or GIVEN: the wait is over. Returns the result that was given, or `otherwise`. */
cede_result cedei_place_end(struct cedei_place *place, cede_result otherwise);

/* ---- what an actor holds ---- */

/* The actor has ended, holding `count` of `object`. On any thread. */
typedef void cedei_hold_end_fn(void *object, uint64_t count);

/* Access: A. */
struct cedei_hold {
    struct cedei_hold *next;
    void *object;
    cedei_hold_end_fn *end;
    uint64_t count;
    bool is_kept; /* has a reference of its own to `object` */
};

/* Notes that the actor holds `count` of `object` as of now: made before, so that taking cannot fail any more afterwards.
 * NULL: no memory. */
struct cedei_hold *cedei_hold_make(cede_self *self);
void cedei_hold_add(cede_self *self, struct cedei_hold *hold, void *object, cedei_hold_end_fn *end,
                    uint64_t count);
void cedei_hold_unmake(cede_self *self, struct cedei_hold *hold);
/* The latest hold of `object` with `end`, or NULL. */
struct cedei_hold *cedei_hold_find(cede_self *self, const void *object, cedei_hold_end_fn *end);
/* Takes it out and frees it. */
void cedei_hold_remove(cede_self *self, struct cedei_hold *hold);
/* The actor gives back what it does not hold: in checking builds the end of the process, else a line in the log. */
void cedei_hold_missing(cede_self *self, const char *call, const char *what);

/* ---- at the end of an actor, in this order ---- */

/* It waits no more. */
void cedei_places_end(cede_self *self);
/* What it holds stays, whoever gives back the last reference: before its messages and cleanups do so, which know of the object
 * while the actor holds it. Until it holds it no more. */
void cedei_holds_keep(cede_self *self);
/* It holds nothing any more. */
void cedei_holds_end(cede_self *self);

#endif
