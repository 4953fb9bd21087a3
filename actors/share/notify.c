/* notify.c - cede_notify: calls actors that wait for something to do, and remembers one call that nobody waited for.
 * One word says what there is:
 *
 *   CALLED   one call is remembered
 *   LINE     somebody may stand in line: everybody takes the long way, under the lock, which alone changes the word then
 *   0        neither
 *
 * Invariants: (1) while somebody stands in line no call is remembered; (2) while anybody stands in line, LINE is set. */
#include <cede/notify.h>

#include "actors/actor/actor.h"
#include "actors/share/share.h"

enum { CALLED = 1, LINE = 2 };

/* Access: I; P = any thread, atomic; L = under `lock`. */
struct cede_notify {
    _Atomic uint32_t word; /* P */
    cede_system *system;   /* I */
    cedei_mutex lock;
    struct cedei_line line; /* L; `want` of a place: `rounds` when it lined up */
    uint64_t rounds;        /* L: calls of cede_notify_all */
};

static void notify_drop(struct cede_notify *notify) { cedei_mutex_fini(&notify->lock); }
CEDEI_SHARE_TYPE(cede_notify, notify_drop);

cede_result cede_notify_create(cede_self *self, cede_notify **out) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (out == NULL) return CEDE_EINVAL;
    cede_notify *notify = cedei_share_create(self, &cede_type_cede_notify);
    if (notify == NULL) return CEDE_ENOMEM;
    notify->system = self->system;
    cedei_mutex_init(&notify->lock);
    cedei_line_init(&notify->line);
    *out = notify;
    return CEDE_OK;
}

/* Under the lock, after somebody has left the line. */
static void line_mark(cede_notify *notify) {
    /* relaxed: while LINE is set the word is ours. */
    uint32_t word = atomic_load_explicit(&notify->word, memory_order_relaxed);
    if (notify->line.first != NULL || word != LINE) return;
    /* relaxed: it tells nobody anything; a call is another value. */
    atomic_store_explicit(&notify->word, 0, memory_order_relaxed);
}

/* ---- calling ---- */

/* What the gift says: a call for one has to go to another if its actor does not take it. */
static char for_one;

/* Under the lock: to the first in line, or remembered. */
static void call_one(cede_notify *notify, struct cedei_wakes *wakes) {
    struct cedei_place *first = notify->line.first;
    if (first == NULL) {
        /* release: pairs with the acquire in cede_notify_await: what was done before the call is seen. */
        atomic_store_explicit(&notify->word, CALLED, memory_order_release);
        return;
    }
    first->gift = &for_one;
    cedei_line_give(&notify->line, first, CEDE_OK, wakes);
    line_mark(notify);
}

static CEDEI_NOINLINE void notify_one_lined(cede_notify *notify) {
    struct cedei_wakes wakes = {.count = 0};
    cedei_mutex_lock(&notify->lock);
    /* acquire: pairs with the release in cede_notify_one, which the store in call_one passes on; from here to the unlock the
     * word is ours. */
    (void)atomic_fetch_or_explicit(&notify->word, LINE, memory_order_acquire);
    call_one(notify, &wakes);
    cedei_mutex_unlock(&notify->lock);
    cedei_wakes_send(notify->system, &wakes);
}

void cede_notify_one(cede_notify *notify) {
    if (notify == NULL) return;
    /* relaxed: a first guess for the exchange. */
    uint32_t word = atomic_load_explicit(&notify->word, memory_order_relaxed);
    while ((word & LINE) == 0)
        /* release: pairs with the acquire in cede_notify_await; also when a call was remembered already, since more is to be seen now. */
        if (atomic_compare_exchange_weak_explicit(&notify->word, &word, CALLED,
                                                  memory_order_release, memory_order_relaxed))
            return;
    notify_one_lined(notify);
}

/* Those who line up while it is at work belong to the next round. */
void cede_notify_all(cede_notify *notify) {
    struct cedei_wakes wakes = {.count = 0};
    uint64_t round = 0;
    bool is_more = notify != NULL;
    while (is_more) { /* each time wakes as many as fit */
        cedei_mutex_lock(&notify->lock);
        if (round == 0) round = ++notify->rounds;
        struct cedei_place *first = NULL;
        is_more = false;
        while ((first = notify->line.first) != NULL && first->want < round && !is_more) {
            first->gift = NULL;
            cedei_line_give(&notify->line, first, CEDE_OK, &wakes);
            is_more = wakes.count == CEDEI_WAKES_MAX;
        }
        line_mark(notify);
        cedei_mutex_unlock(&notify->lock);
        cedei_wakes_send(notify->system, &wakes);
    }
}

/* ---- waiting ---- */

static bool line_leave(cede_notify *notify, struct cedei_place *place) {
    cedei_mutex_lock(&notify->lock);
    bool was_lined = place->state == CEDEI_PLACE_LINED;
    if (was_lined) {
        cedei_line_remove(&notify->line, place);
        line_mark(notify);
    }
    cedei_mutex_unlock(&notify->lock);
    return was_lined;
}

/* The actor has ended while it waited. */
static void notify_place_leave(struct cedei_place *place) {
    cede_notify *notify = place->object;
    if (!line_leave(notify, place) && place->gift == &for_one) cede_notify_one(notify);
}

static bool call_take(cede_notify *notify) {
    uint32_t called = CALLED;
    /* acquire: pairs with the release in cede_notify_one. */
    return atomic_compare_exchange_strong_explicit(&notify->word, &called, 0, memory_order_acquire,
                                                   memory_order_relaxed);
}

/* Under the lock: takes the call that is remembered, or has LINE set. */
static bool take_or_mark(cede_notify *notify) {
    /* relaxed: a first guess for the exchange. */
    uint32_t word = atomic_load_explicit(&notify->word, memory_order_relaxed), next = 0;
    do { /* each failure means that a call came */
        next = (word & CALLED) ? 0 : LINE;
        /* acquire: as in call_take. */
    } while (!atomic_compare_exchange_weak_explicit(&notify->word, &word, next,
                                                    memory_order_acquire, memory_order_relaxed));
    return (word & CALLED) != 0;
}

CEDE_YIELDS cede_result cede_notify_await(cede_self *self, cede_notify *notify,
                                          uint64_t timeout_ns) {
    cede_result why = CEDE_OK;
    if (self == NULL) return CEDE_ECONTEXT;
    if (notify == NULL) return CEDE_EINVAL;
    if (call_take(notify)) return CEDE_OK;
    uint64_t deadline_ns = cedei_deadline_of(timeout_ns);
    struct cedei_place *place = cedei_place_begin(self, timeout_ns, "cede_notify_await", &why);
    if (place == NULL) return why;
    cedei_place_aim(place, notify, notify_place_leave);
    cedei_mutex_lock(&notify->lock);
    bool is_called = take_or_mark(notify);
    place->want = notify->rounds;
    if (!is_called) cedei_line_append(&notify->line, place);
    cedei_mutex_unlock(&notify->lock);
    if (is_called) {
        cedei_place_withdraw(place);
        return CEDE_OK;
    }
    cede_result r = cedei_place_wait(place, deadline_ns);
    if (r != CEDE_OK) (void)line_leave(notify, place);
    return cedei_place_end(place, r);
}
