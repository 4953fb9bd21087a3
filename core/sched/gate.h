/* gate.h - lets so many jobs in at a time, and lines up those that wait for their turn.
 * What is counted is unfinished jobs, running or queued: whether one is refused then does not depend on how fast threads
 * come. Invariants: (1) nobody stands in line while there is room, but for the moment in which a leaving job looks at the
 * line; (2) whoever comes new does not pass those in line, except cedei_gate_enter_anyway, for jobs whose starter waits for
 * their end: they are bounded by the actors that wait. */
#ifndef CEDEI_SCHED_GATE_H
#define CEDEI_SCHED_GATE_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/base.h"
#include "core/sys/thread.h"

/* Who stands in line: the memory is its own, and may go once cedei_gate_withdraw or a leave has taken it out.
 * Access: L = under the gate's lock; I = set before it lines up. */
struct cedei_gate_place {
    struct cedei_gate_place *next, **back; /* L; back NULL: not in line (any more) */
    void *who;                             /* I */
    uint32_t sequence;                     /* I: of its wait */
};

/* Access: I; P = any thread, atomic; L = under `lock`. */
struct cedei_gate {
    alignas(CEDEI_CACHE_LINE) _Atomic uint64_t inside; /* P */
    uint64_t inside_max;                               /* I */
    _Atomic uint32_t
        lined_up; /* P: written under the lock, by a place before it looks for room once more */
    cedei_mutex lock;
    struct cedei_gate_place *first, **last; /* L */
};

void cedei_gate_init(struct cedei_gate *gate, uint64_t inside_max);
void cedei_gate_fini(struct cedei_gate *gate);
/* False: full, or others stand in line. */
bool cedei_gate_enter(struct cedei_gate *gate);
void cedei_gate_enter_anyway(struct cedei_gate *gate);
/* True: it is in. False: it stands in line, and a leave will hand it its entry. */
bool cedei_gate_enter_or_line_up(struct cedei_gate *gate, struct cedei_gate_place *place);
/* True: it was in line and is not any more. False: it has been let in, and must leave again. */
bool cedei_gate_withdraw(struct cedei_gate *gate, struct cedei_gate_place *place);
/* True: the room went to the first in line, who is to be woken: a copy, as the place may be gone already. */
bool cedei_gate_leave(struct cedei_gate *gate, struct cedei_gate_place *let_in);

#endif
