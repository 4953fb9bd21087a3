/* Spawning, ending, stopping and killing actors; what watchers are told; refs that outlive their actor. */
#include "tests/support/actors.h"

static cede_result stop_at_once(cede_self *self, void *context) {
    (void)self, (void)context;
    return CEDE_STOP;
}

/* ---- spawn ---- */

static cede_result tell_where(cede_self *self, void *context) {
    *(cede_ref *)context = cede_self_ref(self);
    return CEDE_STOP;
}

TURN_TEST(spawn_gives_a_ref_that_is_the_actors_own) {
    (void)context;
    static cede_ref own;
    cede_ref ref = play(self, tell_where, &own);
    EXPECT_OK(cede_monitor(self, ref));
    cede_result reason = down_await(self, ref);
    EXPECT(reason == CEDE_OK ||
           reason == CEDE_ENOACTOR); /* it may have ended before we watched it */
    EXPECT(cede_ref_equal(ref, own) && !cede_ref_equal(ref, cede_self_ref(self)));
    return CEDE_OK;
}

struct counter {
    uint64_t zero;
    _Atomic uint32_t *finis;
    struct note *kept;
};

static _Atomic uint32_t finis;

static void counter_fini(void *state) {
    struct counter *counter = state;
    EXPECT_EQUAL(counter->zero, 0);
    /* relaxed: only counted. */
    atomic_fetch_add_explicit(&finis, 1, memory_order_relaxed);
}

static cede_result on_counter_note(cede_self *self, struct counter *state, struct note *message) {
    EXPECT_EQUAL(state->zero, 0);
    EXPECT(state->kept == NULL);
    state->kept = cede_keep(self, &message);
    return (cede_result)state->kept->value;
}
#define COUNTER(ON) ON(note, on_counter_note)
CEDE_BEHAVIOUR(counter, struct counter, COUNTER, .fini = counter_fini);

static CEDE_YIELDS cede_result reason_of_note(cede_self *self, cede_result returned) {
    struct note *first = cede_new(self, note);
    EXPECT_OK(cede_str_set(&first->text, "kept to the end"));
    first->value = (uint64_t)returned;
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn_monitored(self, &counter, &first, &ref));
    if (returned == CEDE_OK) EXPECT_OK(cede_stop(self, ref));
    return down_await(self, ref);
}

TURN_TEST(end_gives_the_reason_calls_fini_once_and_drops_what_was_kept) {
    struct fixture *fixture = context;
    flag_set(&finis, 0);
    EXPECT_RESULT(reason_of_note(self, CEDE_OK), CEDE_OK);
    EXPECT_RESULT(reason_of_note(self, CEDE_STOP), CEDE_OK);
    EXPECT(!fixture_logged(fixture, "failed"));
    EXPECT_RESULT(reason_of_note(self, CEDE_EIO), CEDE_EIO);
    EXPECT(fixture_logged(fixture, "actor 'counter' failed handling 'note': CEDE_EIO"));
    EXPECT_EQUAL(flag_get(&finis), 3);
    return CEDE_OK;
}

TURN_TEST(spawn_of_nothing_sensible_is_refused_and_the_message_stays_ours) {
    struct fixture *fixture = context;
    struct note *first = cede_new(self, note);
    cede_ref ref = {.slot = 7};
    EXPECT_RESULT(cede_spawn(self, NULL, &first, &ref), CEDE_EINVAL);
    static const cede_behaviour nameless = {.dispatch = cedei_dispatch_player};
    EXPECT_RESULT(cede_spawn(self, &nameless, &first, &ref), CEDE_EINVAL);
    static const cede_behaviour idle = {.name = "idle"};
    EXPECT_RESULT(cede_spawn(self, &idle, &first, &ref), CEDE_EINVAL);
    static const cede_behaviour vast = {
        .name = "vast", .dispatch = cedei_dispatch_player, .mailbox_max = 65536};
    EXPECT_RESULT(cede_spawn(self, &vast, &first, &ref), CEDE_EINVAL);
    EXPECT(fixture_logged(fixture, "'vast': mailbox_max is 65536"));
    EXPECT(first != NULL && ref.slot == 7);
    struct note *none = NULL;
    EXPECT_RESULT(cede_spawn(self, &player, &none, &ref), CEDE_EINVAL);
    EXPECT_RESULT(cede_spawn(NULL, &player, CEDE_NOTHING, &ref), CEDE_ECONTEXT);
    cede_drop(self, &first);
    return CEDE_OK;
}

static cede_result spawn_too_many(cede_self *self, void *context) {
    (void)context;
    cede_ref refs[4] = {{0}};
    for (int i = 0; i < 3; i++) EXPECT_OK(cede_spawn(self, &player, CEDE_NOTHING, &refs[i]));
    struct number *first = cede_new(self, number);
    EXPECT_RESULT(cede_spawn(self, &player, &first, &refs[3]), CEDE_ELIMIT);
    EXPECT(first != NULL && cede_ref_is_none(refs[3]));
    EXPECT_OK(cede_stop(self, refs[1]));
    cede_result r = CEDE_ELIMIT; /* until the slot is free */
    while ((r = cede_spawn(self, &player, &first, &refs[3])) == CEDE_ELIMIT) cede_yield(self);
    EXPECT_OK(r);
    EXPECT(refs[3].slot == refs[1].slot && refs[3].generation != refs[1].generation);
    return CEDE_OK;
}

static void spawn_beyond_the_limit_fails_until_a_slot_is_free(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.actors_max = 4});
    fixture_run(fixture, spawn_too_many, NULL);
    fixture_end(fixture);
}

/* Holds its turn until the system is being destroyed. */
static _Atomic uint32_t holding;
static cede_result hold_until_closing(cede_self *self, void *context) {
    cede_result *out = context;
    flag_set(&holding, 1);
    cede_system *system = cede_self_system(self);
    /* acquire: only looked at. */
    while (atomic_load_explicit(&system->closing, memory_order_acquire) == 0) cedei_cpu_relax();
    struct number *first = cede_new(self, number);
    *out = cede_spawn(self, &player, &first, NULL);
    EXPECT(first != NULL);
    cede_drop(self, &first);
    return CEDE_OK;
}

static cede_result hold_begin(cede_self *self, void *context) {
    play(self, hold_until_closing, context);
    return CEDE_OK;
}

static void spawn_in_a_turn_that_outlasts_the_system_is_refused(void **state) {
    (void)state;
    cede_result result = CEDE_OK;
    struct fixture *fixture = fixture_begin((struct cede_options){0});
    flag_set(&holding, 0);
    fixture_run(fixture, hold_begin, &result);
    while (flag_get(&holding) == 0) cedei_cpu_relax();
    fixture_end(fixture);
    EXPECT_RESULT(result, CEDE_ECLOSED);
}

/* ---- stop and kill ---- */

TURN_TEST(stop_ends_an_idle_actor_and_what_waits_behind_is_not_handled) {
    (void)context;
    cede_ref other = {0};
    EXPECT_OK(cede_spawn_monitored(self, &player, CEDE_NOTHING, &other));
    EXPECT_OK(cede_stop(self, other));
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    EXPECT_RESULT(cede_stop(self, other), CEDE_ENOACTOR);
    EXPECT_RESULT(cede_kill(self, other), CEDE_ENOACTOR);
    return CEDE_OK;
}

static cede_result stay_until_told(cede_self *self, void *context) {
    flag_set(context, 2);
    flag_await(self, context, 1);
    return CEDE_OK;
}

static cede_result never_run(cede_self *self, void *context) {
    (void)self, (void)context;
    expect_failed(CEDEI_HERE, "a message behind a stop is not handled");
}

TURN_TEST(stop_lets_the_present_turn_end_first) {
    struct fixture *fixture = context;
    static _Atomic uint32_t flag;
    flag_set(&flag, 0);
    cede_ref other = play(self, stay_until_told, &flag);
    flag_await(self, &flag, 2);
    EXPECT_OK(cede_monitor(self, other));
    EXPECT_OK(cede_stop(self, other));
    play_also(self, other, never_run, NULL);
    EXPECT_OK(cede_stop(self, other));
    struct cede_down *down = NULL;
    EXPECT_RESULT(cede_recv(self, cede_down, &down, 0), CEDE_ETIMEDOUT);
    flag_set(&flag, 1);
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    (void)fixture;
    return CEDE_OK;
}

static cede_result own_things_and_yield(cede_self *self, void *context) {
    (void)context;
    struct note *mine = cede_new(self, note), *kept = cede_new(self, note);
    EXPECT_OK(cede_str_set(&mine->text, "of the turn"));
    EXPECT_OK(cede_str_set(&kept->text, "of the actor"));
    (void)cede_keep(self, &kept);
    for (;;) cede_yield(self); /* until it is killed */
    return CEDE_OK;
}

static cede_result own_things_and_sleep(cede_self *self, void *context) {
    (void)context;
    struct note *mine = cede_new(self, note);
    EXPECT_OK(cede_str_set(&mine->text, "of the turn"));
    (void)cede_sleep(self, CEDE_SECONDS(3600));
    expect_failed(CEDEI_HERE, "a killed actor does not go on");
    return CEDE_OK;
}

static cede_result send_wait_for_ever(cede_self *self, void *context) {
    for (;;) { /* until it is killed */
        struct number *message = cede_new(self, number);
        EXPECT_OK(cede_send_wait(self, *(cede_ref *)context, &message, CEDE_FOREVER));
    }
    return CEDE_OK;
}

static CEDE_YIELDS void kill_and_await(cede_self *self, cede_ref other) {
    EXPECT_OK(cede_monitor(self, other));
    EXPECT_OK(cede_kill(self, other));
    EXPECT_RESULT(down_await(self, other), CEDE_EKILLED);
}

/* While others yield too, so that the turn would be gone on with straight from one of theirs. */
TURN_TEST(kill_ends_actors_that_yield_to_each_other) {
    (void)context;
    enum { COUNT = 10 };
    cede_ref others[COUNT];
    for (int i = 0; i < COUNT; i++) others[i] = play(self, own_things_and_yield, NULL);
    for (int i = 0; i < COUNT; i++) {
        for (int k = 0; k < 3 * i; k++) cede_yield(self);
        kill_and_await(self, others[i]);
    }
    return CEDE_OK;
}

TURN_TEST(kill_ends_an_actor_wherever_it_is_suspended) {
    (void)context;
    static _Atomic uint32_t flag;
    static cede_ref full;
    flag_set(&flag, 0);
    kill_and_await(self, play(self, own_things_and_yield, NULL));
    cede_ref other = play(self, own_things_and_sleep, NULL);
    parked_await(self, other);
    kill_and_await(self, other);
    full = play_as(self, &player_of_two, stay_until_told, &flag);
    flag_await(self, &flag, 2);
    other = play(self, send_wait_for_ever, &full);
    parked_await(self, other);
    kill_and_await(self, other);
    kill_and_await(self, full);
    EXPECT_OK(cede_spawn(self, &player, CEDE_NOTHING, &other));
    kill_and_await(self, other);
    return CEDE_OK;
}

static cede_result kill_itself(cede_self *self, void *context) {
    (void)context;
    EXPECT_OK(cede_kill(self, cede_self_ref(self)));
    cede_yield(self);
    expect_failed(CEDEI_HERE, "a killed actor does not go on after a yield");
}

TURN_TEST(kill_of_oneself_takes_effect_at_the_next_yield) {
    (void)context;
    cede_ref other = {0};
    struct play *first = cede_new(self, play);
    first->run = kill_itself;
    EXPECT_OK(cede_spawn_monitored(self, &player, &first, &other));
    cede_result reason = down_await(self, other);
    EXPECT(reason == CEDE_EKILLED ||
           reason == CEDE_ENOACTOR); /* it may have ended before it was watched */
    return CEDE_OK;
}

TURN_TEST(stop_and_kill_of_nobody_and_of_strangers_are_refused) {
    (void)context;
    cede_ref elsewhere = cede_self_ref(self);
    elsewhere.node++;
    EXPECT_RESULT(cede_stop(self, (cede_ref){0}), CEDE_ENOACTOR);
    EXPECT_RESULT(cede_kill(self, (cede_ref){0}), CEDE_ENOACTOR);
    EXPECT_RESULT(cede_stop(self, elsewhere), CEDE_ENOTSUP);
    EXPECT_RESULT(cede_kill(self, elsewhere), CEDE_ENOTSUP);
    EXPECT_RESULT(cede_stop(NULL, elsewhere), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_kill(NULL, elsewhere), CEDE_ECONTEXT);
    return CEDE_OK;
}

/* ---- stale refs ---- */

static cede_result use_stale_refs(cede_self *self, void *context) {
    (void)context;
    cede_ref former = play(self, stop_at_once, NULL);
    EXPECT_OK(cede_monitor(self, former));
    (void)down_await(self, former);
    for (int i = 0; i < 50; i++) { /* many tenants of one slot */
        cede_ref next = {0};
        cede_result r = CEDE_ELIMIT;
        while ((r = cede_spawn(self, &player, CEDE_NOTHING, &next)) == CEDE_ELIMIT)
            cede_yield(self);
        EXPECT_OK(r);
        EXPECT(next.slot == former.slot && next.generation != former.generation);
        struct number *message = cede_new(self, number);
        EXPECT_RESULT(cede_send(self, former, &message), CEDE_ENOACTOR);
        cede_drop(self, &message);
        EXPECT_RESULT(question_ask(self, former, 1, NULL), CEDE_ENOACTOR);
        EXPECT_RESULT(cede_stop(self, former), CEDE_ENOACTOR);
        EXPECT_RESULT(cede_kill(self, former), CEDE_ENOACTOR);
        EXPECT_OK(cede_monitor(self, former));
        EXPECT_RESULT(down_await(self, former), CEDE_ENOACTOR);
        number_send(self, next, 1); /* the tenant lives on, unharmed */
        EXPECT_OK(cede_monitor(self, next));
        EXPECT_OK(cede_stop(self, next));
        EXPECT_RESULT(down_await(self, next), CEDE_OK);
        former = next;
    }
    return CEDE_OK;
}

static void stale_ref_is_an_error_for_every_call_and_never_the_next_tenant(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.actors_max = 2});
    fixture_run(fixture, use_stale_refs, NULL);
    fixture_end(fixture);
}

/* ---- monitors ---- */

TURN_TEST(monitor_twice_gives_two_messages_and_of_the_dead_one_at_once) {
    (void)context;
    cede_ref other = {0};
    EXPECT_OK(cede_spawn_monitored(self, &player, CEDE_NOTHING, &other));
    EXPECT_OK(cede_monitor(self, other));
    EXPECT_OK(cede_stop(self, other));
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    EXPECT_OK(cede_monitor(self, other));
    EXPECT_RESULT(down_await(self, other), CEDE_ENOACTOR);
    EXPECT_OK(cede_monitor(self, (cede_ref){0}));
    EXPECT_RESULT(down_await(self, (cede_ref){0}), CEDE_ENOACTOR);
    cede_ref elsewhere = other;
    elsewhere.node++;
    EXPECT_OK(cede_monitor(self, elsewhere));
    EXPECT_RESULT(down_await(self, elsewhere), CEDE_ENODE);
    struct cede_down *down = NULL;
    EXPECT_RESULT(cede_recv(self, cede_down, &down, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_monitor(NULL, other), CEDE_ECONTEXT);
    return CEDE_OK;
}

static cede_result send_some_and_fail(cede_self *self, void *context) {
    for (uint64_t i = 0; i < 100; i++) number_send(self, *(cede_ref *)context, i);
    return CEDE_EIO;
}

TURN_TEST(monitor_tells_after_everything_that_the_actor_sent) {
    (void)context;
    static cede_ref me;
    me = cede_self_ref(self);
    cede_ref other = {0};
    EXPECT_OK(cede_spawn_monitored(self, &player, CEDE_NOTHING, &other));
    play_also(self, other, send_some_and_fail, &me);
    EXPECT_RESULT(down_await(self, other), CEDE_EIO);
    for (uint64_t i = 0; i < 100; i++) { /* all there, without waiting */
        struct number *message = NULL;
        EXPECT_OK(cede_recv(self, number, &message, 0));
        EXPECT_EQUAL(message->value, i);
        cede_drop(self, &message);
    }
    return CEDE_OK;
}

struct watch_case {
    cede_ref to;
    _Atomic uint32_t flag;
};

static cede_result watch_and_be_busy(cede_self *self, void *context) {
    struct watch_case *watch = context;
    EXPECT_OK(cede_monitor(self, watch->to));
    flag_set(&watch->flag, 2);
    flag_await(self, &watch->flag, 1);
    EXPECT_RESULT(down_await(self, watch->to), CEDE_OK);
    flag_set(&watch->flag, 3);
    return CEDE_STOP;
}

/* Exactly one, whatever else is in the mailbox. */
TURN_TEST(monitor_tells_also_a_watcher_whose_mailbox_is_full) {
    (void)context;
    static struct watch_case watch;
    watch = (struct watch_case){0};
    EXPECT_OK(cede_spawn(self, &player, CEDE_NOTHING, &watch.to));
    cede_ref watcher = play_as(self, &player_of_two, watch_and_be_busy, &watch);
    flag_await(self, &watch.flag, 2);
    number_send(self, watcher, 1);
    number_send(self, watcher, 2);
    EXPECT_OK(cede_monitor(self, watch.to));
    EXPECT_OK(cede_stop(self, watch.to));
    EXPECT_RESULT(down_await(self, watch.to), CEDE_OK);
    flag_set(&watch.flag, 1);
    flag_await(self, &watch.flag, 3);
    return CEDE_OK;
}

static cede_result watch_and_stop(cede_self *self, void *context) {
    EXPECT_OK(cede_monitor(self, *(cede_ref *)context));
    return CEDE_STOP;
}

/* Counts must agree also when there is nobody left to tell. */
TURN_TEST(monitor_of_a_watcher_that_has_ended_tells_nobody) {
    (void)context;
    static cede_ref other;
    EXPECT_OK(cede_spawn(self, &player, CEDE_NOTHING, &other));
    cede_ref watcher = {0};
    EXPECT_OK(cede_spawn_monitored(self, &player, CEDE_NOTHING, &watcher));
    play_also(self, watcher, watch_and_stop, &other);
    EXPECT_RESULT(down_await(self, watcher), CEDE_OK);
    EXPECT_OK(cede_monitor(self, other));
    EXPECT_OK(cede_stop(self, other));
    EXPECT_RESULT(down_await(self, other), CEDE_OK);
    return CEDE_OK;
}

/* ---- messages of a turn ---- */

static cede_result forget_two(cede_self *self, void *context) {
    (void)context;
    struct note *one = cede_new(self, note), *two = cede_new(self, note);
    EXPECT(one != NULL && two != NULL);
    EXPECT_OK(cede_str_set(&one->text, "forgotten"));
    return CEDE_OK;
}

static void turn_that_forgets_messages_has_them_dropped_and_counted(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.log_level = CEDE_LOG_DEBUG});
    fixture_run(fixture, forget_two, NULL);
    fixture_stop(fixture);
    EXPECT_EQUAL(fixture->last.messages_forgotten, 2);
    EXPECT(fixture_logged(fixture, "forgot a message 'note'"));
    fixture_free(fixture);
}

static cede_result on_note_fail_to_send(cede_self *self, struct player *state,
                                        struct note *message) {
    (void)state;
    EXPECT_RESULT(cede_send(self, (cede_ref){0}, &message), CEDE_ENOACTOR);
    EXPECT(message != NULL);
    return CEDE_STOP;
}
#define BOUNCER(ON) ON(note, on_note_fail_to_send)
CEDE_BEHAVIOUR(bouncer, struct player, BOUNCER);

static cede_result spawn_a_bouncer(cede_self *self, void *context) {
    (void)context;
    struct note *first = cede_new(self, note);
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn(self, &bouncer, &first, &ref));
    return CEDE_OK;
}

/* The message that a handler was called with is dropped after it by contract; that is not forgetting. */
static void turn_that_could_not_send_its_own_message_on_has_forgotten_nothing(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){0});
    fixture_run(fixture, spawn_a_bouncer, NULL);
    fixture_stop(fixture);
    EXPECT_EQUAL(fixture->last.messages_forgotten, 0);
    fixture_free(fixture);
}

TURN_TEST(drop_of_nothing_does_nothing_and_new_without_a_self_gives_nothing) {
    (void)context;
    struct note *none = NULL;
    cede_drop(self, &none);
    EXPECT(cede_keep(self, &none) == NULL);
    EXPECT(cede_new(NULL, note) == NULL);
    cede_drop(NULL, &none);
    return CEDE_OK;
}

/* ---- time ---- */

TURN_TEST(sleep_is_never_early_and_a_zero_or_endless_one_is_allowed) {
    (void)context;
    for (uint64_t us = 0; us < 2000; us += 190) {
        uint64_t before_ns = cede_now(self);
        EXPECT_OK(cede_sleep(self, us * 1000));
        EXPECT(cede_now(self) - before_ns >= us * 1000);
    }
    EXPECT_RESULT(cede_sleep(NULL, 1), CEDE_ECONTEXT);
    cede_yield(NULL);
    cede_ref other = play(self, own_things_and_sleep, NULL);
    parked_await(self, other);
    EXPECT_OK(cede_kill(self, other));
    return CEDE_OK;
}

struct alternation {
    _Atomic uint32_t count, misses;
};

static cede_result take_turns(cede_self *self, void *context) {
    struct alternation *turns = context;
    /* relaxed (all): one worker. */
    uint32_t mine = atomic_load_explicit(&turns->count, memory_order_relaxed) & 1;
    for (int i = 0; i < 100; i++) {
        if ((atomic_fetch_add_explicit(&turns->count, 1, memory_order_relaxed) & 1) != mine)
            atomic_fetch_add_explicit(&turns->misses, 1, memory_order_relaxed);
        cede_yield(self);
    }
    return CEDE_STOP;
}

static cede_result take_turns_begin(cede_self *self, void *context) {
    cede_ref one = play(self, take_turns, context), two = play(self, take_turns, context);
    EXPECT_OK(cede_monitor(self, one));
    EXPECT_OK(cede_monitor(self, two));
    for (int i = 0; i < 2; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        cede_drop(self, &down);
    }
    return CEDE_OK;
}

/* On a busy machine the worker may look stuck, and a spare one runs the other beside it: that shows nothing. Once more, then. */
static void yield_lets_the_other_actor_run_each_time(void **state) {
    (void)state;
    struct alternation turns;
    uint32_t workers = 0;
    do {
        turns = (struct alternation){0};
        struct fixture *fixture = fixture_begin((struct cede_options){.workers = 1});
        fixture_run(fixture, take_turns_begin, &turns);
        workers = cedei_sched_seats(&fixture->system->sched);
        fixture_end(fixture);
    } while (workers > 1);
    EXPECT_EQUAL(turns.count, 200);
    EXPECT_EQUAL(turns.misses, 0);
}

/* The one worker that watches the time takes a long turn; another must take over the watch. */
struct watch_over {
    _Atomic uint32_t slept;
};

static cede_result sleep_a_little(cede_self *self, void *context) {
    struct watch_over *over = context;
    EXPECT_OK(cede_sleep(self, CEDE_MILLIS(5)));
    flag_set(&over->slept, 1);
    return CEDE_STOP;
}

static cede_result wait_in_a_long_turn(cede_self *self, void *context) {
    static struct watch_over over;
    (void)context;
    flag_set(&over.slept, 0);
    cede_ref sleeper = play(self, sleep_a_little, &over);
    parked_await(self, sleeper);
    EXPECT_OK(cede_sleep(
        self, CEDE_MILLIS(1))); /* everybody sleeps; one of them keeps the time, and wakes us */
    while (flag_get(&over.slept) == 0) cedei_cpu_relax();
    return CEDE_OK;
}

static void sleep_ends_although_the_worker_that_kept_the_time_is_in_a_long_turn(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.workers = 2});
    for (int i = 0; i < 20; i++) fixture_run(fixture, wait_in_a_long_turn, NULL);
    fixture_end(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(spawn_gives_a_ref_that_is_the_actors_own),
        WITH_SYSTEM(end_gives_the_reason_calls_fini_once_and_drops_what_was_kept),
        WITH_SYSTEM(spawn_of_nothing_sensible_is_refused_and_the_message_stays_ours),
        cmocka_unit_test(spawn_beyond_the_limit_fails_until_a_slot_is_free),
        cmocka_unit_test(spawn_in_a_turn_that_outlasts_the_system_is_refused),
        WITH_SYSTEM(stop_ends_an_idle_actor_and_what_waits_behind_is_not_handled),
        WITH_SYSTEM(stop_lets_the_present_turn_end_first),
        WITH_SYSTEM(kill_ends_actors_that_yield_to_each_other),
        WITH_SYSTEM(kill_ends_an_actor_wherever_it_is_suspended),
        WITH_SYSTEM(kill_of_oneself_takes_effect_at_the_next_yield),
        WITH_SYSTEM(stop_and_kill_of_nobody_and_of_strangers_are_refused),
        cmocka_unit_test(stale_ref_is_an_error_for_every_call_and_never_the_next_tenant),
        WITH_SYSTEM(monitor_twice_gives_two_messages_and_of_the_dead_one_at_once),
        WITH_SYSTEM(monitor_tells_after_everything_that_the_actor_sent),
        WITH_SYSTEM(monitor_tells_also_a_watcher_whose_mailbox_is_full),
        WITH_SYSTEM(monitor_of_a_watcher_that_has_ended_tells_nobody),
        cmocka_unit_test(turn_that_forgets_messages_has_them_dropped_and_counted),
        cmocka_unit_test(turn_that_could_not_send_its_own_message_on_has_forgotten_nothing),
        WITH_SYSTEM(drop_of_nothing_does_nothing_and_new_without_a_self_gives_nothing),
        WITH_SYSTEM(sleep_is_never_early_and_a_zero_or_endless_one_is_allowed),
        cmocka_unit_test(yield_lets_the_other_actor_run_each_time),
        cmocka_unit_test(sleep_ends_although_the_worker_that_kept_the_time_is_in_a_long_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
