/* Permits with their line, notify with its line, and counted references: taken, waited for, given up, and left behind by
 * actors that are killed, in every order. The code is that of actors/share/permits and notify, and core/base/refcount.h; a wait is
 * a thread that blocks, and one that is killed does what cedei_places_end does.
 * Claims: never more than there are permits inside; what was done inside is seen by whoever comes next; nobody waits while
 * there is what he wants; no permit and no call is lost, and none made; the last reference, and no other, is the last. */
#include <stddef.h>
#include <string.h>

#include "tests/model/atomics.h"

#include "tests/model/system.h"

#include "actors/actor/actor.h"

#include "actors/share/permits.c"
#define take_or_mark notify_take_or_mark
#include "actors/share/notify.c"
#undef take_or_mark
#include "core/base/refcount.h"

enum { ACTORS = 3 };

/* What an actor is here: its place, and what wakes it. */
static struct cedei_place places[ACTORS];
static struct model_event woken[ACTORS];
static uint32_t indexes[ACTORS] = {0, 1, 2};
static bool may_time_out[ACTORS], may_be_killed[ACTORS];

static cede_self *actor_of(uint32_t index) { return (cede_self *)(uintptr_t)(index + 1); }
static uint32_t index_of(const cede_self *actor) { return (uint32_t)((uintptr_t)actor - 1); }

/* ---- what permits.c and notify.c stand on, in the model ---- */

void cedei_wakes_send(cede_system *system, struct cedei_wakes *wakes) {
    (void)system;
    for (uint32_t i = 0; i < wakes->count; i++) model_signal(&woken[index_of(wakes->who[i].actor)]);
    wakes->count = 0;
}

struct cedei_place *cedei_place_begin(cede_self *self, uint64_t timeout_ns, const char *call,
                                      cede_result *why) {
    (void)timeout_ns, (void)call, (void)why;
    places[index_of(self)].actor = self;
    return &places[index_of(self)];
}

void cedei_place_aim(struct cedei_place *place, void *object, cedei_place_leave_fn *leave) {
    place->object = object;
    place->leave = leave;
}

void cedei_place_withdraw(struct cedei_place *place) { place->object = NULL; }

/* Waits, or has enough of it at any moment, or is killed at any moment, also when it has been given what it wanted. */
cede_result cedei_place_wait(struct cedei_place *place, uint64_t deadline_ns) {
    (void)deadline_ns;
    uint32_t index = index_of(place->actor);
    int ways = 1 + may_time_out[index] + may_be_killed[index];
    int way = ways > 1 ? model_choose(ways) : 0;
    if (way == 0) {
        model_wait(&woken[index]);
        return CEDE_OK;
    }
    if (way == 1 && may_time_out[index]) return CEDE_ETIMEDOUT;
    place->leave(place);
    place->object = NULL;
    model_thread_end();
    return CEDE_EKILLED;
}

cede_result cedei_place_end(struct cedei_place *place, cede_result otherwise) {
    cede_result r = place->state == CEDEI_PLACE_GIVEN ? (cede_result)place->result : otherwise;
    place->state = CEDEI_PLACE_OUT;
    place->object = NULL;
    return r;
}

void *cedei_share_create(cede_self *self, struct cede_type *type) {
    (void)self, (void)type;
    return NULL;
}

static void actors_begin(void) {
    memset(places, 0, sizeof places);
    memset(woken, 0, sizeof woken);
    memset(may_time_out, 0, sizeof may_time_out);
    memset(may_be_killed, 0, sizeof may_be_killed);
    model_watch("a place", places, sizeof places);
}

/* ---- permits ---- */

static struct cedei_permits permits;
static uint32_t inside, inside_max, visits;
static uint64_t guarded; /* plain: a race if the permits do not order what is done with them */
static uint64_t wants[ACTORS];
static cede_result results[ACTORS];

/* As the public calls do: the short way, then the long one. */
static cede_result permits_take(uint32_t index, bool repair) {
    if (!repair && cedei_permits_take(&permits, wants[index])) return CEDE_OK;
    return cedei_permits_await(&permits, actor_of(index), wants[index], repair, CEDE_FOREVER, "");
}

static void visit(void *which) {
    uint32_t index = *(uint32_t *)which;
    results[index] = permits_take(index, false);
    if (results[index] != CEDE_OK) return;
    inside += (uint32_t)wants[index];
    MODEL_CLAIM(inside <= inside_max);
    if (wants[index] == inside_max) guarded++; /* alone */
    inside -= (uint32_t)wants[index];
    visits++;
    cedei_permits_give(&permits, wants[index]);
}

static void permits_begin(uint64_t count, uint64_t first, uint64_t second, uint64_t third) {
    actors_begin();
    inside = visits = 0;
    inside_max = (uint32_t)count;
    guarded = 0;
    wants[0] = first;
    wants[1] = second;
    wants[2] = third;
    memset(results, 0xff, sizeof results);
    cedei_permits_init(&permits, NULL, count);
    model_watch("what is guarded", &guarded, sizeof guarded);
    for (uint32_t i = 0; i < ACTORS; i++)
        if (wants[i] > 0) model_thread_add(visit, &indexes[i]);
}

static void permits_are_back(void) {
    MODEL_CLAIM(permits.line.first == NULL);
    MODEL_CLAIM(permits.word == inside_max * CEDEI_PERMITS_ONE);
    for (int i = 0; i < ACTORS; i++) MODEL_CLAIM(places[i].object == NULL);
}

static void lock_begin(void) { permits_begin(1, 1, 1, 0); }
static void lock_check(void) {
    permits_are_back();
    MODEL_CLAIM(visits == 2 && guarded == 2);
}

static void lock_three_begin(void) { permits_begin(1, 1, 1, 1); }
static void lock_three_check(void) {
    permits_are_back();
    MODEL_CLAIM(visits == 3 && guarded == 3);
}

static void lock_limit_begin(void) {
    permits_begin(1, 1, 1, 1);
    may_time_out[1] = true;
}
static void lock_kill_begin(void) {
    permits_begin(1, 1, 1, 1);
    may_be_killed[1] = true;
}
static void lock_left_check(void) {
    permits_are_back();
    MODEL_CLAIM(visits >= 2);
}

/* One that wants all, between two that want one: who gives it up lets the next one pass. */
static void several_begin(void) {
    permits_begin(2, 1, 2, 1);
    may_be_killed[1] = true;
}

/* The line is looked after by somebody who never had a permit, as a waiter that goes away does, while one is given the
 * short way: who takes all sees what was done before. */
static void give_the_short_way(void *context) {
    (void)context;
    guarded = 1;
    cedei_permits_give(&permits, 1);
}

static void settle_for_nothing(void *context) {
    (void)context;
    cedei_permits_give_lined(&permits, 0);
}

static void passed_on_begin(void) {
    permits_begin(1, 0, 0, 0);
    inside_max = 2;
    wants[2] = 2;
    model_thread_add(give_the_short_way, &indexes[0]);
    model_thread_add(settle_for_nothing, &indexes[1]);
    model_thread_add(visit, &indexes[2]);
}
static void passed_on_check(void) {
    permits_are_back();
    MODEL_CLAIM(guarded == 2 && visits == 1);
}

/* One permit is there; who waits for two goes away, and who wants one, behind it, is served: nobody else is going to look. */
static void leaver_begin(void) {
    permits_begin(1, 0, 0, 0);
    wants[1] = 2;
    wants[2] = 1;
    inside_max = 1;
    may_time_out[1] = may_be_killed[1] = true;
    model_thread_add(visit, &indexes[1]);
    model_thread_add(visit, &indexes[2]);
}
static void leaver_check(void) {
    bool is_waiting = permits.line.first == &places[1];
    MODEL_CLAIM(is_waiting || (permits.line.first == NULL && visits == 1));
}

/* ---- a holder that ends ---- */

static void die_inside(void *which) {
    uint32_t index = *(uint32_t *)which;
    if ((results[index] = permits_take(index, false)) != CEDE_OK) return;
    guarded++;
    cedei_permits_poison(&permits, 1);
}

static void repair_it(void *which) {
    uint32_t index = *(uint32_t *)which;
    results[index] = permits_take(index, true);
    MODEL_CLAIM(results[index] == CEDE_OK);
    guarded++;
    cedei_permits_give(&permits, 1);
}

static void poison_begin(void) {
    permits_begin(1, 0, 0, 0);
    wants[0] = wants[1] = wants[2] = 1;
    model_thread_add(die_inside, &indexes[0]);
    model_thread_add(visit, &indexes[1]);
    model_thread_add(repair_it, &indexes[2]);
}

/* The visitor was there before or after, or was refused; if the holder came last, it is poisoned at the end. */
static void poison_check(void) {
    MODEL_CLAIM(permits.line.first == NULL && permits.word / CEDEI_PERMITS_ONE == 1);
    MODEL_CLAIM((permits.word & CEDEI_PERMITS_LINE) == 0);
    MODEL_CLAIM(results[1] == CEDE_OK || results[1] == CEDE_EPOISONED);
    MODEL_CLAIM(guarded == 2 + visits);
}

/* ---- notify ---- */

static struct cede_notify notify;
static uint32_t calls_taken;

static void call_once(void *context) {
    (void)context;
    guarded = 1;
    cede_notify_one(&notify);
}

static void await_once(void *which) {
    cede_result r = cede_notify_await(actor_of(*(uint32_t *)which), &notify, CEDE_FOREVER);
    if (r != CEDE_OK) return;
    MODEL_CLAIM(guarded == 1);
    calls_taken++;
}

/* The same where two call: what each tells is not looked at. */
static void call_plainly(void *context) {
    (void)context;
    cede_notify_one(&notify);
}

static void await_plainly(void *which) {
    cede_result r = cede_notify_await(actor_of(*(uint32_t *)which), &notify, CEDE_FOREVER);
    if (r == CEDE_OK) calls_taken++;
}

static void call_all(void *context) {
    (void)context;
    cede_notify_all(&notify);
}

static void notify_begin_with(void (*first)(void *), void (*second)(void *), void (*third)(void *)) {
    actors_begin();
    calls_taken = 0;
    guarded = 0;
    memset(&notify, 0, sizeof notify);
    cedei_line_init(&notify.line);
    model_watch("what a call tells", &guarded, sizeof guarded);
    model_thread_add(first, &indexes[0]);
    model_thread_add(second, &indexes[1]);
    if (third != NULL) model_thread_add(third, &indexes[2]);
}

static void call_begin(void) { notify_begin_with(call_once, await_once, NULL); }
static void call_check(void) {
    MODEL_CLAIM(calls_taken == 1 && notify.word == 0 && notify.line.first == NULL);
}

/* One call for two, one of whom may go away: it is taken, or remembered. */
static void call_two_begin(void) {
    notify_begin_with(call_once, await_once, await_once);
    may_time_out[1] = may_be_killed[1] = true;
    may_time_out[2] = true;
}
static void call_two_check(void) {
    bool is_waiting = notify.line.first != NULL, is_called = (notify.word & CALLED) != 0;
    MODEL_CLAIM(!(is_waiting && is_called));
    MODEL_CLAIM(calls_taken + is_called == 1);
}

/* Two calls, one of them for all: whoever waits when it comes is called. */
static void call_all_begin(void) { notify_begin_with(call_all, await_plainly, call_plainly); }
static void call_all_check(void) {
    bool is_called = (notify.word & CALLED) != 0;
    MODEL_CLAIM(calls_taken == 1 && notify.line.first == NULL && notify.word == (uint32_t)is_called);
}

/* Whoever stands in line when all are called has been called. */
static uint32_t lined_before;

static void call_all_counting(void *context) {
    (void)context;
    cedei_mutex_lock(&notify.lock);
    for (struct cedei_place *place = notify.line.first; place != NULL; place = place->next)
        lined_before++;
    cedei_mutex_unlock(&notify.lock);
    cede_notify_all(&notify);
}

static void call_all_two_begin(void) {
    notify_begin_with(call_all_counting, await_plainly, await_plainly);
    lined_before = 0;
}
static void call_all_two_check(void) {
    MODEL_CLAIM(calls_taken >= lined_before);
    MODEL_CLAIM((calls_taken < 2) == (notify.line.first != NULL));
}

/* ---- references ---- */

static struct cedei_refcount refs;
static uint64_t counted[ACTORS];
static uint32_t lasts;

static void give_back(void *which) {
    uint32_t index = *(uint32_t *)which;
    counted[index] = 1;
    if (!cedei_refcount_give(&refs)) return;
    for (int i = 0; i < 2; i++)
        counted[i] = 0; /* frees it: a race with whoever has not given back */
    lasts++;
}

static void take_and_give_back(void *which) {
    cedei_refcount_take(&refs);
    MODEL_CLAIM(!cedei_refcount_give(&refs));
    give_back(which);
}

static void refs_begin(void) {
    lasts = 0;
    cedei_refcount_init(&refs);
    cedei_refcount_take(&refs);
    model_watch("what is counted", counted, sizeof counted);
    model_thread_add(give_back, &indexes[0]);
    model_thread_add(take_and_give_back, &indexes[1]);
}
static void refs_check(void) { MODEL_CLAIM(lasts == 1 && refs.count == 0); }

int main(int argc, char **argv) {
    static const struct model_scenario SCENARIOS[] = {
        {"a lock for two", lock_begin, lock_check, 3, 1},
        {"a lock for three", lock_three_begin, lock_three_check, 2, 0},
        {"a lock and one who gives it up", lock_limit_begin, lock_left_check, 2, 1},
        {"a lock and one who is killed", lock_kill_begin, lock_left_check, 2, 1},
        {"several permits and one who is killed", several_begin, lock_left_check, 2, 1},
        {"a permit that is given beside the line", passed_on_begin, passed_on_check, 3, 1},
        {"one who leaves the line, and one behind", leaver_begin, leaver_check, 2, 1},
        {"a holder that dies, and a repair", poison_begin, poison_check, 2, 1},
        {"a call", call_begin, call_check, 3, 2},
        {"a call for two, who go away", call_two_begin, call_two_check, 2, 1},
        {"a call for all", call_all_begin, call_all_check, 2, 1},
        {"a call for two who wait", call_all_two_begin, call_all_two_check, 2, 1},
        {"the last reference", refs_begin, refs_check, 3, 1},
    };
    static const char *const OWNS[] = {"actors/share/permits.h", "actors/share/permits.c",
                                       "actors/share/notify.c", "core/base/refcount.h", NULL};
    static const struct model_test TEST = {SCENARIOS, sizeof SCENARIOS / sizeof SCENARIOS[0], OWNS};
    return model_main(argc, argv, &TEST);
}
