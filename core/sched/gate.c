/* gate.c - entering costs one exchange while nobody stands in line; the lock is for the line. */
#include "core/sched/gate.h"

#include <stddef.h>

void cedei_gate_init(struct cedei_gate *gate, uint64_t inside_max) {
    *gate = (struct cedei_gate){.inside_max = inside_max};
    gate->last = &gate->first;
    cedei_mutex_init(&gate->lock);
}

void cedei_gate_fini(struct cedei_gate *gate) { cedei_mutex_fini(&gate->lock); }

static bool has_line(struct cedei_gate *gate) {
    /* seq_cst: after a leave has made room; a place in line looks for room after it is counted. One sees the other. */
    return atomic_load_explicit(&gate->lined_up, memory_order_seq_cst) != 0;
}

static bool room_take(struct cedei_gate *gate) {
    /* seq_cst: not before the own place was counted; see has_line. */
    uint64_t inside = atomic_load_explicit(&gate->inside, memory_order_seq_cst);
    while (inside < gate->inside_max) /* each failure means that another came or went */
        /* seq_cst: as above. */
        if (atomic_compare_exchange_weak_explicit(&gate->inside, &inside, inside + 1,
                                                  memory_order_seq_cst, memory_order_seq_cst))
            return true;
    return false;
}

bool cedei_gate_enter(struct cedei_gate *gate) { return !has_line(gate) && room_take(gate); }

void cedei_gate_enter_anyway(struct cedei_gate *gate) {
    /* relaxed: a count. */
    atomic_fetch_add_explicit(&gate->inside, 1, memory_order_relaxed);
}

/* Under the lock. */
static void line_count(struct cedei_gate *gate, bool longer) {
    /* relaxed: under the lock, which every writer holds. */
    uint32_t length = atomic_load_explicit(&gate->lined_up, memory_order_relaxed);
    /* seq_cst: see has_line. */
    atomic_store_explicit(&gate->lined_up, longer ? length + 1 : length - 1, memory_order_seq_cst);
}

/* Under the lock. */
static void line_remove(struct cedei_gate *gate, struct cedei_gate_place *place) {
    *place->back = place->next;
    if (place->next != NULL)
        place->next->back = place->back;
    else
        gate->last = place->back;
    place->back = NULL;
    line_count(gate, false);
}

bool cedei_gate_enter_or_line_up(struct cedei_gate *gate, struct cedei_gate_place *place) {
    if (cedei_gate_enter(gate)) return true;
    cedei_mutex_lock(&gate->lock);
    bool is_first = gate->first == NULL;
    line_count(gate, true);
    bool is_in = is_first && room_take(gate);
    if (is_in) {
        line_count(gate, false);
    } else {
        place->next = NULL;
        place->back = gate->last;
        *gate->last = place;
        gate->last = &place->next;
    }
    cedei_mutex_unlock(&gate->lock);
    return is_in;
}

bool cedei_gate_withdraw(struct cedei_gate *gate, struct cedei_gate_place *place) {
    cedei_mutex_lock(&gate->lock);
    bool was_in_line = place->back != NULL;
    if (was_in_line) line_remove(gate, place);
    cedei_mutex_unlock(&gate->lock);
    return was_in_line;
}

bool cedei_gate_leave(struct cedei_gate *gate, struct cedei_gate_place *let_in) {
    /* seq_cst: before the look at the line; see has_line. */
    atomic_fetch_sub_explicit(&gate->inside, 1, memory_order_seq_cst);
    if (CEDEI_LIKELY(!has_line(gate))) return false;
    cedei_mutex_lock(&gate->lock);
    struct cedei_gate_place *first = gate->first;
    bool found = first != NULL && room_take(gate);
    if (found) {
        *let_in = *first;
        line_remove(gate, first);
    }
    cedei_mutex_unlock(&gate->lock);
    return found;
}
