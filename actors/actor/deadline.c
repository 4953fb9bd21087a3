/* deadline.c - until when an asker waits: what its request's handler may know, and what asks made meanwhile inherit.
 * Owns nothing. A request carries no deadline of its own inside a node: its return address leads to the asker, whose wait
 * word and deadline tell. One that came over a link has it in the return address (header.h). */
#include "actors/actor/actor.h"
#include "actors/actor/wait.h"
#include "core/sys/clock.h"

/* ---- over links: in units that fit 32 bits ---- */

enum { UNIT_SHIFT = 20 }; /* about a millisecond; 2^31 of them are 26 days */
#define LEFT_MAX_NS ((uint64_t)1 << (UNIT_SHIFT + 30))

uint32_t cedei_deadline_pack(uint64_t left_ns) {
    if (left_ns > LEFT_MAX_NS) return 0;
    uint64_t end_ns = cedei_clock_now_ns() + left_ns;
    uint32_t units = (uint32_t)((end_ns >> UNIT_SHIFT) + (left_ns != 0)); /* up: never early */
    return units != 0 ? units : 1;
}

static uint64_t deadline_unpack(uint32_t packed) {
    if (packed == 0) return UINT64_MAX;
    uint64_t now = cedei_clock_now_ns() >> UNIT_SHIFT;
    int32_t left = (int32_t)(packed - (uint32_t)now);
    return left > 0 || now >= (uint64_t)-(int64_t)left
               ? (uint64_t)((int64_t)now + left) << UNIT_SHIFT
               : 0;
}

/* ---- of one request ---- */

static uint64_t deadline_local(cede_system *system, struct cedei_return back) {
    struct cede_self *asker = cedei_table_slot(system, back.slot);
    if (asker == NULL || cedei_generation_of(asker) != back.generation) return 0;
    /* The asker stores sequence and deadline before it sends. When it waits again it stores the wait word first, then the
     * sequence, then the deadline. We read the other way round: if the word is still that of our request, so are both. */
    /* acquire: pairs with the stores of cedei_wait_deadline_announce and _clear. */
    uint64_t deadline_ns = atomic_load_explicit(&asker->deadline_ns, memory_order_acquire);
    /* acquire: pairs with the release in cedei_wait_deadline_announce. */
    uint32_t sequence = atomic_load_explicit(&asker->deadline_sequence, memory_order_acquire);
    /* acquire: pairs with cedei_wait_wake; only compared. */
    uint64_t word = atomic_load_explicit(&asker->wait, memory_order_acquire);
    if (word != cedei_wait_armed(back.sequence, CEDEI_WAIT_PENDING) &&
        word != cedei_wait_armed(back.sequence, CEDEI_WAIT_PARKED))
        return 0;
    return sequence == back.sequence ? deadline_ns : UINT64_MAX;
}

uint64_t cedei_deadline_of_request(cede_system *system, struct cedei_return back) {
    if (back.sequence == 0) return UINT64_MAX;
    return back.peer == 0 ? deadline_local(system, back) : deadline_unpack(back.generation);
}

/* Inside the node the asker itself says whether it still waits, so the clock need not be asked. */
bool cedei_request_expire(cede_self *self, struct cedei_msg *msg) {
    if (msg->reply.sequence == 0) return false;
    uint64_t deadline_ns = cedei_deadline_of_request(self->system, msg->reply);
    if (deadline_ns == UINT64_MAX) return false;
    if (msg->reply.peer == 0 ? deadline_ns != 0 : deadline_ns > cedei_clock_now_ns()) return false;
    cedei_count_add(&self->worker->counts.expired, 1);
    cedei_msg_dead_letter_of(self, self->worker, msg, CEDE_ETIMEDOUT);
    return true;
}

/* ---- of a turn ---- */

/* UINT64_MAX for what is no request, or with `limited` for one without a deadline, whose asker may be gone for all that. */
static uint64_t deadline_of(cede_self *self, const struct cedei_msg *msg, bool limited) {
    bool has_one = msg == self->current ? cedei_current_has_deadline(self)
                                        : cedei_request_has_deadline(self->system, msg);
    if (limited && !has_one) return UINT64_MAX;
    return cedei_deadline_of_request(self->system, msg->reply);
}

uint64_t cedei_deadline_of_turn(cede_self *self, bool limited) {
    enum { WALK_MAX = 64 }; /* of what the turn owns, newest first: a bound for each ask */
    uint64_t earliest_ns = UINT64_MAX;
    if (self->current != NULL) earliest_ns = deadline_of(self, self->current, limited);
    if (!self->holds_requests) return earliest_ns;
    bool found = false;
    struct cedei_msg *msg = self->turn_list;
    for (int i = 0; msg != NULL && i < WALK_MAX; i++, msg = msg->next) {
        uint64_t deadline_ns = deadline_of(self, msg, limited);
        if (deadline_ns < earliest_ns) earliest_ns = deadline_ns;
        found |= msg->reply.sequence != 0;
    }
    self->holds_requests = found || msg != NULL;
    return earliest_ns;
}

uint64_t cede_deadline(cede_self *self) {
    if (self == NULL) return CEDE_FOREVER;
    cedei_self_check(self, "cede_deadline", "");
    return cedei_deadline_of_turn(self, false);
}

uint64_t cedei_deadline_of_message(cede_self *self, const void *request) {
    if (self == NULL || request == NULL) return CEDE_FOREVER;
    cedei_self_check(self, "cede_deadline_of", "");
    const struct cedei_msg *msg = (const struct cedei_msg *)request - 1;
    if ((msg->owner & ~(uintptr_t)15) != (uintptr_t)self) return CEDE_FOREVER;
    return cedei_deadline_of_request(self->system, msg->reply);
}
