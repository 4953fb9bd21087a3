/* permits.c - the long ways: the line of those who wait for permits. Invariants: permits.h. */
#include "actors/share/permits.h"

#include "actors/actor/actor.h"

/* In `want` of a place: the repairer's is the one with the highest bit. */
#define REPAIR ((uint64_t)1 << 63)

void cedei_permits_init(struct cedei_permits *permits, cede_system *system, uint64_t count) {
    /* relaxed: not shared yet. */
    atomic_store_explicit(&permits->word, count * CEDEI_PERMITS_ONE, memory_order_relaxed);
    permits->system = system;
    cedei_mutex_init(&permits->lock);
    cedei_line_init(&permits->line);
}

void cedei_permits_fini(struct cedei_permits *permits) { cedei_mutex_fini(&permits->lock); }

/* Under the lock. True: taken. False: not, and if `mark`, LINE is set: everybody takes the long way from now on. */
static bool take_or_mark(struct cedei_permits *permits, uint64_t count, bool repair, bool mark) {
    bool is_first = permits->line.first == NULL;
    /* relaxed: a first guess for the exchange. */
    uint64_t word = atomic_load_explicit(&permits->word, memory_order_relaxed), next = 0;
    bool taken = false;
    do { /* each failure means that another took or gave; none does once LINE is set */
        taken = is_first && word >= count * CEDEI_PERMITS_ONE &&
                (repair || (word & CEDEI_PERMITS_POISONED) == 0);
        next = word | CEDEI_PERMITS_LINE;
        if (taken) next = (word - count * CEDEI_PERMITS_ONE) & ~CEDEI_PERMITS_FLAGS;
        if (!taken && !mark) return false;
        /* acquire: as in cedei_permits_take. */
    } while (!atomic_compare_exchange_weak_explicit(&permits->word, &word, next,
                                                    memory_order_acquire, memory_order_relaxed));
    return taken;
}

/* Under the lock, with LINE set: `word` as it is to be; gives to the first in line what there is for them. True: there
 * was no room in `wakes` for all, and it has to be called again. */
static bool line_settle(struct cedei_permits *permits, uint64_t word, struct cedei_wakes *wakes) {
    struct cedei_place *first = NULL;
    bool is_more = false;
    while ((first = permits->line.first) != NULL) { /* each round takes one out, or ends */
        uint64_t count = first->want & ~REPAIR;
        bool repairs = first->want != count, refused = (word & CEDEI_PERMITS_POISONED) && !repairs;
        if (!refused && word < count * CEDEI_PERMITS_ONE) break;
        if ((is_more = wakes->count == CEDEI_WAKES_MAX)) break;
        if (!refused) word -= count * CEDEI_PERMITS_ONE;
        if (repairs) word &= ~CEDEI_PERMITS_POISONED;
        cedei_line_give(&permits->line, first, refused ? CEDE_EPOISONED : CEDE_OK, wakes);
    }
    if (first == NULL) word &= ~CEDEI_PERMITS_LINE;
    /* release: pairs with the acquire in cedei_permits_take, as LINE may be clear now. */
    atomic_store_explicit(&permits->word, word, memory_order_release);
    return is_more;
}

/* Adds permits and flags, takes `leaver` (or NULL) out of line if it stands there, and gives to those in line what there
 * is then: whoever stood behind may want less than the leaver did. Whether the leaver was in line. */
static bool settle(struct cedei_permits *permits, uint64_t count, uint64_t flags,
                   struct cedei_place *leaver) {
    struct cedei_wakes wakes = {.count = 0};
    bool was_lined = false, is_more = true;
    while (is_more) { /* each round wakes as many as fit, until all are */
        cedei_mutex_lock(&permits->lock);
        bool leaves = leaver != NULL && leaver->state == CEDEI_PLACE_LINED;
        if (leaves) cedei_line_remove(&permits->line, leaver);
        was_lined |= leaves;
        /* acquire: pairs with the release in cedei_permits_give, which the store in line_settle passes on; after this the word
         * is ours until the lock is given back. */
        uint64_t word = atomic_fetch_or_explicit(&permits->word, CEDEI_PERMITS_LINE | flags,
                                                 memory_order_acquire);
        word |= CEDEI_PERMITS_LINE | flags;
        is_more = line_settle(permits, word + count * CEDEI_PERMITS_ONE, &wakes);
        cedei_mutex_unlock(&permits->lock);
        cedei_wakes_send(permits->system, &wakes);
        count = flags = 0;
        leaver = NULL;
    }
    return was_lined;
}

void cedei_permits_give_lined(struct cedei_permits *permits, uint64_t count) {
    (void)settle(permits, count, 0, NULL);
}

void cedei_permits_poison(struct cedei_permits *permits, uint64_t count) {
    (void)settle(permits, count, CEDEI_PERMITS_POISONED, NULL);
}

/* The actor has ended while it waited. */
static void permits_place_leave(struct cedei_place *place) {
    struct cedei_permits *permits = place->object;
    if (settle(permits, 0, 0, place) || place->result != CEDE_OK) return;
    if (place->want & REPAIR) /* nothing was repaired */
        cedei_permits_poison(permits, place->want & ~REPAIR);
    else
        cedei_permits_give(permits, place->want);
}

/* Lines `place` up, or finds that it need not: then `*why` is the result, unless it was given one (NULL place). */
static bool line_up(struct cedei_permits *permits, uint64_t count, bool repair,
                    struct cedei_place *place, cede_result *why) {
    cedei_mutex_lock(&permits->lock);
    /* relaxed: set and cleared under the lock only. */
    uint64_t word = atomic_load_explicit(&permits->word, memory_order_relaxed);
    bool is_refused = !repair && (word & CEDEI_PERMITS_POISONED) != 0, is_lined = false;
    if (is_refused) {
        *why = CEDE_EPOISONED;
    } else if (take_or_mark(permits, count, repair, place != NULL)) {
        *why = CEDE_OK;
    } else if (place != NULL) {
        place->want = count | (repair ? REPAIR : 0);
        cedei_line_append(&permits->line, place);
        is_lined = true;
    }
    cedei_mutex_unlock(&permits->lock);
    return is_lined;
}

CEDE_YIELDS cede_result cedei_permits_await(struct cedei_permits *permits, cede_self *self,
                                            uint64_t count, bool repair, uint64_t timeout_ns,
                                            const char *call) {
    cede_result why = CEDE_OK;
    uint64_t deadline_ns = cedei_deadline_of(timeout_ns);
    struct cedei_place *place = cedei_place_begin(self, timeout_ns, call, &why);
    if (place != NULL) cedei_place_aim(place, permits, permits_place_leave);
    if (!line_up(permits, count, repair, place, &why)) {
        if (place != NULL) cedei_place_withdraw(place);
        return why;
    }
    cede_result r = cedei_place_wait(place, deadline_ns);
    if (r != CEDE_OK) (void)settle(permits, 0, 0, place);
    return cedei_place_end(place, r);
}
