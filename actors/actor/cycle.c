/* cycle.c - finding and naming cycles of waits.
 * Owns nothing. A chain is read hop by hop while its actors go on, and then once more: if every hop is still in the same
 * wait (sequences are never used again) for the same actor, all of them held at one moment, between the two readings. */
#include "actors/actor/cycle.h"

#include <stdio.h>

#include "core/sys/clock.h"

enum { HOPS_MAX = 64, TEXT_MAX = 640, LINES_MAX = 10 };
#define LINES_EVERY_NS 1000000000u

/* An actor that waits. */
struct hop {
    struct cede_self *actor;
    uint64_t wait;
    uint32_t asked;
};

static uint32_t asked_of(struct cede_self *actor) {
    /* acquire: pairs with the exchange in cedei_request_moved_far, and stays before a look at the wait that follows. */
    return atomic_load_explicit(&actor->asked, memory_order_acquire);
}

static bool hop_read(struct cede_self *actor, struct hop *hop) {
    if (actor == NULL) return false;
    /* seq_cst: see cedei_is_waiting; `asked` is of this wait or of none. */
    hop->wait = atomic_load_explicit(&actor->wait, memory_order_seq_cst);
    hop->asked = asked_of(actor);
    hop->actor = actor;
    uint64_t state = hop->wait & 3;
    return (state == CEDEI_WAIT_PENDING || state == CEDEI_WAIT_PARKED) && hop->asked != 0;
}

static uint32_t hop_next(const struct hop *hop) { return (hop->asked & ~CEDEI_ASKED_ROOM) - 1; }

/* The hops from `slot` to `end`, which is none of them; their count, or -1: there is no such chain. */
static int chain_read(cede_system *system, uint32_t slot, uint32_t end, struct hop *hops) {
    for (int count = 0; count <= HOPS_MAX; count++) {
        if (slot == end) return count;
        if (count == HOPS_MAX || !hop_read(cedei_table_slot(system, slot), &hops[count])) return -1;
        slot = hop_next(&hops[count]);
    }
    return -1;
}

static bool chain_holds(const struct hop *hops, int count) {
    for (int i = 0; i < count; i++) {
        struct hop now;
        if (!hop_read(hops[i].actor, &now) || now.wait >> 2 != hops[i].wait >> 2 ||
            now.asked != hops[i].asked)
            return false;
    }
    return true;
}

/* ---- naming ---- */

/* Of an actor that waited a moment ago: its slot stays, and names are constants. */
static const char *name_of(const struct cede_self *actor) {
    const cede_behaviour *behaviour = CEDEI_READ_LATE(actor->behaviour);
    return behaviour != NULL ? behaviour->name : "?";
}

static size_t text_add(char *out, size_t used, const char *before, struct cede_self *actor) {
    if (used >= TEXT_MAX - 1) return TEXT_MAX - 1;
    int length = snprintf(out + used, TEXT_MAX - used, "%s'%s' (%u:%u)", before, name_of(actor),
                          actor->slot, cedei_generation_of(actor));
    used += length > 0 ? (size_t)length : 0;
    return used < TEXT_MAX ? used : TEXT_MAX - 1;
}

static const char *verb_of(uint32_t asked, bool first) {
    if (asked & CEDEI_ASKED_ROOM)
        return first ? " waits for room in the mailbox of "
                     : ", which waits for room in the mailbox of ";
    return first ? " asks " : ", which asks ";
}

/* 'a' (1:1) asks 'b' (2:1), which waits for room in the mailbox of 'c' (3:1), which asks 'a' (1:1) */
static void cycle_print(struct cede_self *first, uint32_t kind, const struct hop *hops, int count,
                        char *out) {
    size_t used = text_add(out, 0, "", first);
    if (count == 0) {
        (void)snprintf(out + used, TEXT_MAX - used, "%s",
                       kind & CEDEI_ASKED_ROOM ? " waits for room in its own mailbox"
                                               : " asks itself");
        return;
    }
    const char *verb = verb_of(kind, true);
    for (int i = 0; i < count; i++) {
        used = text_add(out, used, verb, hops[i].actor);
        verb = verb_of(hops[i].asked, false);
    }
    (void)text_add(out, used, verb, first);
}

/* LINES_MAX a second: actors that go on after CEDE_EDEADLK may come to the next at once. `*left_out`: not logged before. */
static bool log_is_due(cede_system *system, uint64_t *left_out) {
    uint64_t now_ns = cedei_clock_now_ns();
    /* relaxed (all): only how many lines there are depends on it. */
    uint64_t since_ns = atomic_load_explicit(&system->cycles_logged_ns, memory_order_relaxed);
    if (since_ns == 0 || now_ns - since_ns >= LINES_EVERY_NS) {
        if (atomic_compare_exchange_strong_explicit(&system->cycles_logged_ns, &since_ns, now_ns,
                                                    memory_order_relaxed, memory_order_relaxed)) {
            /* relaxed: as above. */
            uint64_t logged =
                atomic_exchange_explicit(&system->cycles_logged, 1, memory_order_relaxed);
            *left_out = logged > LINES_MAX ? logged - LINES_MAX : 0;
            return true;
        }
    }
    *left_out = 0;
    /* relaxed: as above. */
    return atomic_fetch_add_explicit(&system->cycles_logged, 1, memory_order_relaxed) < LINES_MAX;
}

static CEDEI_NOINLINE void cycle_log(struct cede_self *first, uint32_t kind, const struct hop *hops,
                                     int count, const char *call, const char *here) {
    char text[TEXT_MAX];
    uint64_t left_out = 0;
    if (!log_is_due(first->system, &left_out)) return;
    if (left_out != 0)
        cedei_log_line(&first->system->log, CEDE_LOG_WARNING,
                       "%llu further circles of waiting actors were found and not logged",
                       (unsigned long long)left_out);
    cycle_print(first, kind, hops, count, text);
    cedei_log_line(&first->system->log, CEDE_LOG_WARNING,
                   "%s%s%s: actor %s: this would wait for ever", call,
                   here[0] != '\0' ? " at " : "", here, text);
}

/* ---- the calls ---- */

bool cedei_cycle_report_far(cede_self *self, uint32_t slot, uint32_t kind, const char *call,
                            const char *here) {
    struct hop hops[HOPS_MAX];
    int count = chain_read(self->system, slot, self->slot, hops);
    if (count < 0 || !chain_holds(hops, count)) return false;
    cycle_log(self, kind, hops, count, call, here);
    return true;
}

/* Ends the wait `sequence` of `actor`, which is for `asked`, if that leads back to it. */
static void wait_break(cede_system *system, struct cedei_worker *worker, struct cede_self *actor,
                       uint32_t sequence, uint32_t asked, const char *call) {
    struct hop hops[HOPS_MAX];
    uint32_t slot = (asked & ~CEDEI_ASKED_ROOM) - 1;
    int count = chain_read(system, slot, actor->slot, hops);
    if (count < 0 || !chain_holds(hops, count)) return;
    if (cedei_wait_wake(system, worker, actor, sequence, cedei_wake_code(CEDE_EDEADLK)))
        cycle_log(actor, asked & CEDEI_ASKED_ROOM, hops, count, call, "");
}

CEDEI_NOINLINE void cedei_cycle_close(cede_system *system, struct cedei_worker *worker,
                                      struct cede_self *actor, uint32_t sequence, uint32_t asked) {
    if (!cedei_cycle_may_close(system, asked)) return;
    wait_break(system, worker, actor, sequence, asked, "a wait that closed a cycle");
}

CEDEI_NOINLINE void cedei_request_moved_far(cede_system *system, struct cedei_worker *worker,
                                            struct cedei_return back, uint32_t slot) {
    struct cede_self *asker = cedei_table_slot(system, back.slot);
    if (asker == NULL || cedei_generation_of(asker) != back.generation) return;
    uint32_t asked = asked_of(asker), next = slot != UINT32_MAX ? slot + 1 : 0;
    /* acquire: pairs with cedei_wait_wake; as long as the asker is in this wait, `asked` is of this wait. */
    uint64_t word = atomic_load_explicit(&asker->wait, memory_order_acquire);
    uint64_t state = word & 3;
    if (word >> 2 != back.sequence || (state != CEDEI_WAIT_PENDING && state != CEDEI_WAIT_PARKED))
        return;
    /* release: pairs with the acquire in asked_of. */
    if (!atomic_compare_exchange_strong_explicit(&asker->asked, &asked, next, memory_order_release,
                                                 memory_order_relaxed))
        return;
    if (next != 0) wait_break(system, worker, asker, back.sequence, next, "a request sent on");
}
