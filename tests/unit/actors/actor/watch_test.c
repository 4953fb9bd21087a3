/* Links, trapped exits, monitors that are taken back, the place of a failure, draining; and ten thousand deaths. */
#include "tests/support/actors.h"

#include <cede/failure.h>

/* ---- actors that end as they are told ---- */

static cede_result end_with(cede_self *self, struct player *state, struct number *message) {
    (void)state;
    if (message->value == CEDE_EIO) return cede_fail(self, CEDE_EIO, "disk %d is full", 7);
    return (cede_result)message->value;
}
#define MORTAL(ON)                                                                                 \
    ON(number, end_with)                                                                           \
    ON(play, on_play)
CEDE_BEHAVIOUR(mortal, struct player, MORTAL);

static cede_ref mortal_linked(cede_self *self) {
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn_linked(self, &mortal, CEDE_NOTHING, &ref));
    return ref;
}

/* Waits for the cede_exit of `actor` and returns its reason. */
static CEDE_YIELDS cede_result exit_await(cede_self *self, cede_ref actor, char place[128]) {
    struct cede_exit *news = NULL;
    EXPECT_OK(cede_recv(self, cede_exit, &news, CEDE_FOREVER));
    EXPECT(cede_ref_equal(news->actor, actor));
    cede_result reason = (cede_result)news->reason;
    if (place != NULL) (void)snprintf(place, 128, "%s", cede_str_text(&news->place));
    cede_drop(self, &news);
    return reason;
}

static CEDE_YIELDS void no_more_news(cede_self *self) {
    struct cede_exit *news = NULL;
    struct cede_down *down = NULL;
    EXPECT_RESULT(cede_recv(self, cede_exit, &news, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_recv(self, cede_down, &down, 0), CEDE_ETIMEDOUT);
}

/* ---- links ---- */

struct pair {
    cede_ref first, second;
    _Atomic uint32_t flag;
    cede_result result;
};

static cede_result link_with_second(cede_self *self, void *context) {
    struct pair *pair = context;
    pair->result = cede_link(self, pair->second);
    flag_set(&pair->flag, 1);
    return CEDE_OK;
}

static cede_result unlink_from_first(cede_self *self, void *context) {
    struct pair *pair = context;
    pair->result = cede_unlink(self, pair->first);
    flag_set(&pair->flag, 1);
    return CEDE_OK;
}

static CEDE_YIELDS void pair_do(cede_self *self, struct pair *pair, cede_ref who,
                                cede_result (*what)(cede_self *, void *), cede_result expected) {
    flag_set(&pair->flag, 0);
    play_also(self, who, what, pair);
    flag_await(self, &pair->flag, 1);
    EXPECT_RESULT(pair->result, expected);
}

static CEDE_YIELDS struct pair *pair_begin(cede_self *self) {
    static struct pair pair;
    EXPECT_OK(cede_spawn_monitored(self, &mortal, CEDE_NOTHING, &pair.first));
    EXPECT_OK(cede_spawn_monitored(self, &mortal, CEDE_NOTHING, &pair.second));
    pair_do(self, &pair, pair.first, link_with_second, CEDE_OK);
    return &pair;
}

/* The place that the next cede_down gives. */
static CEDE_YIELDS void down_expect(cede_self *self, cede_ref actor, cede_result reason,
                                    const char *place) {
    struct cede_down *down = NULL;
    EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
    EXPECT(cede_ref_equal(down->actor, actor));
    EXPECT_RESULT((cede_result)down->reason, reason);
    if (strstr(cede_str_text(&down->place), place) == NULL)
        expect_failed(CEDEI_HERE, cede_str_text(&down->place));
    if (*place == '\0') EXPECT_EQUAL(down->place.size, 0);
    cede_drop(self, &down);
}

TURN_TEST(link_ends_the_other_of_a_failure_and_says_whose) {
    (void)context;
    struct pair *pair = pair_begin(self);
    number_send(self, pair->second, CEDE_EIO);
    down_expect(self, pair->second, CEDE_EIO, "disk 7 is full, handling 'number'");
    down_expect(self, pair->first, CEDE_ELINKED, "linked with actor 'mortal': CEDE_EIO, ");
    pair = pair_begin(self);
    EXPECT_OK(cede_kill(self, pair->first));
    down_expect(self, pair->first, CEDE_EKILLED, "");
    down_expect(self, pair->second, CEDE_ELINKED, "linked with actor 'mortal': CEDE_EKILLED");
    no_more_news(self);
    return CEDE_OK;
}

TURN_TEST(link_does_nothing_when_the_other_ends_normally) {
    (void)context;
    for (int stopped = 0; stopped < 2; stopped++) {
        struct pair *pair = pair_begin(self);
        if (stopped)
            EXPECT_OK(cede_stop(self, pair->first));
        else
            number_send(self, pair->first, CEDE_STOP);
        down_expect(self, pair->first, CEDE_OK, "");
        pair_do(self, pair, pair->second, unlink_from_first, CEDE_ENOENT); /* it is alive */
        number_send(self, pair->second, CEDE_EIO);
        down_expect(self, pair->second, CEDE_EIO, "disk");
    }
    no_more_news(self);
    return CEDE_OK;
}

TURN_TEST(unlink_from_either_side_parts_them_and_a_second_link_changes_nothing) {
    (void)context;
    struct pair *pair = pair_begin(self);
    pair_do(self, pair, pair->first, link_with_second, CEDE_OK);
    pair_do(self, pair, pair->second, unlink_from_first, CEDE_OK);
    pair_do(self, pair, pair->second, unlink_from_first, CEDE_ENOENT);
    EXPECT_OK(cede_kill(self, pair->first));
    down_expect(self, pair->first, CEDE_EKILLED, "");
    pair_do(self, pair, pair->second, unlink_from_first, CEDE_ENOENT);
    EXPECT_OK(cede_kill(self, pair->second));
    down_expect(self, pair->second, CEDE_EKILLED, "");
    return CEDE_OK;
}

TURN_TEST(link_with_nobody_with_oneself_and_with_strangers_is_refused) {
    (void)context;
    cede_ref gone = {0}, elsewhere = cede_self_ref(self);
    EXPECT_OK(cede_spawn_monitored(self, &mortal, CEDE_NOTHING, &gone));
    EXPECT_OK(cede_stop(self, gone));
    EXPECT_OK(down_await(self, gone));
    elsewhere.node++;
    EXPECT_RESULT(cede_link(self, gone), CEDE_ENOACTOR);
    EXPECT_RESULT(cede_link(self, (cede_ref){0}), CEDE_ENOACTOR);
    EXPECT_RESULT(cede_link(self, cede_self_ref(self)), CEDE_EINVAL);
    EXPECT_RESULT(cede_link(self, elsewhere), CEDE_ENOTSUP);
    EXPECT_RESULT(cede_link(NULL, gone), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_unlink(self, gone), CEDE_ENOENT);
    EXPECT_RESULT(cede_unlink(NULL, gone), CEDE_ECONTEXT);
    cede_trap_exits(NULL, true);
    return CEDE_OK;
}

static cede_result send_and_fail(cede_self *self, void *context) {
    for (uint64_t i = 0; i < 10; i++) number_send(self, *(cede_ref *)context, i);
    return CEDE_EIO;
}

TURN_TEST(trapped_exits_are_messages_for_every_way_to_end) {
    (void)context;
    static cede_ref me;
    char place[128];
    me = cede_self_ref(self);
    cede_trap_exits(self, true);
    cede_ref child = mortal_linked(self);
    number_send(self, child, CEDE_EIO);
    EXPECT_RESULT(exit_await(self, child, place), CEDE_EIO);
    EXPECT(strstr(place, "disk 7 is full") != NULL);
    child = mortal_linked(self);
    number_send(self, child, CEDE_STOP);
    EXPECT_RESULT(exit_await(self, child, place), CEDE_OK);
    EXPECT(place[0] == '\0');
    child = mortal_linked(self);
    EXPECT_OK(cede_kill(self, child));
    EXPECT_RESULT(exit_await(self, child, NULL), CEDE_EKILLED);
    child = mortal_linked(self);
    play_also(self, child, send_and_fail, &me);
    EXPECT_RESULT(exit_await(self, child, NULL), CEDE_EIO);
    for (uint64_t i = 0; i < 10; i++) EXPECT_EQUAL(number_await(self), i); /* were there before */
    no_more_news(self);
    return CEDE_OK;
}

static cede_result trap_and_wait_for_stop(cede_self *self, void *context) {
    struct pair *pair = context;
    cede_trap_exits(self, true);
    flag_set(&pair->flag, 1);
    EXPECT_RESULT(exit_await(self, pair->first, NULL), CEDE_STOP);
    cede_trap_exits(self, false);
    flag_set(&pair->flag, 2);
    struct number *never = NULL;
    return cede_recv(self, number, &never, CEDE_FOREVER) == CEDE_ECANCELED ? CEDE_EIO : CEDE_OK;
}

TURN_TEST(stop_of_one_that_traps_is_a_message_and_ends_it_when_it_traps_no_longer) {
    (void)context;
    static struct pair pair;
    pair.first = cede_self_ref(self);
    flag_set(&pair.flag, 0);
    EXPECT_OK(cede_spawn_monitored(self, &mortal, CEDE_NOTHING, &pair.second));
    play_also(self, pair.second, trap_and_wait_for_stop, &pair);
    flag_await(self, &pair.flag, 1);
    EXPECT_OK(cede_stop(self, pair.second));
    flag_await(self, &pair.flag, 2);
    no_more_news(self);
    EXPECT_OK(cede_stop(self, pair.second));
    down_expect(self, pair.second, CEDE_EIO, "handling 'play'");
    return CEDE_OK;
}

/* A chain: the failure of the last reaches the first. */
static cede_result link_on(cede_self *self, void *context) {
    cede_ref *refs = context;
    int i = 0;
    while (!cede_ref_equal(refs[i], cede_self_ref(self))) i++;
    EXPECT_OK(cede_link(self, refs[i + 1]));
    flag_set((_Atomic uint32_t *)(void *)&refs[8], (uint32_t)i + 1);
    return CEDE_OK;
}

TURN_TEST(links_in_a_row_and_in_a_ring_end_all_of_them_once) {
    (void)context;
    static struct {
        cede_ref refs[8];
        _Atomic uint32_t flag;
    } row;
    for (int i = 0; i < 7; i++)
        EXPECT_OK(cede_spawn_monitored(self, &mortal, CEDE_NOTHING, &row.refs[i]));
    row.refs[7] = row.refs[0];
    flag_set(&row.flag, 0);
    for (uint32_t i = 0; i < 7; i++) {
        play_also(self, row.refs[i], link_on, row.refs);
        flag_await(self, &row.flag, i + 1);
    }
    number_send(self, row.refs[3], CEDE_ELIMIT);
    unsigned seen = 0;
    for (int i = 0; i < 7; i++) {
        struct cede_down *down = NULL;
        EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
        int who = 0;
        while (!cede_ref_equal(down->actor, row.refs[who])) who++;
        EXPECT_RESULT((cede_result)down->reason, who == 3 ? CEDE_ELIMIT : CEDE_ELINKED);
        EXPECT((seen & 1u << who) == 0);
        seen |= 1u << who;
        cede_drop(self, &down);
    }
    no_more_news(self);
    return CEDE_OK;
}

/* ---- monitors taken back ---- */

TURN_TEST(demonitor_takes_all_monitors_of_one_actor_back_and_no_others) {
    (void)context;
    cede_ref one = {0}, two = {0};
    EXPECT_OK(cede_spawn_monitored(self, &mortal, CEDE_NOTHING, &one));
    EXPECT_OK(cede_spawn_monitored(self, &mortal, CEDE_NOTHING, &two));
    EXPECT_OK(cede_monitor(self, one));
    EXPECT_OK(cede_link(self, one)); /* a link is no monitor */
    EXPECT_OK(cede_demonitor(self, one));
    EXPECT_RESULT(cede_demonitor(self, one), CEDE_ENOENT);
    EXPECT_OK(cede_unlink(self, one));
    EXPECT_OK(cede_kill(self, one));
    EXPECT_OK(cede_kill(self, two));
    EXPECT_RESULT(down_await(self, two), CEDE_EKILLED);
    while (cede_is_alive(self, one)) cede_yield(self);
    no_more_news(self);
    EXPECT_RESULT(cede_demonitor(self, one), CEDE_ENOENT);
    EXPECT_RESULT(cede_demonitor(self, (cede_ref){0}), CEDE_ENOENT);
    two.node++;
    EXPECT_RESULT(cede_demonitor(self, two), CEDE_ENOENT);
    EXPECT_RESULT(cede_demonitor(NULL, two), CEDE_ECONTEXT);
    return CEDE_OK;
}

/* ---- draining, and looking ---- */

struct tally {
    uint64_t handled;
    struct pair *pair;
};
static _Atomic uint32_t tallied;
static cede_result tally_add(cede_self *self, struct tally *state, struct number *message) {
    (void)self, (void)message;
    state->handled++;
    flag_set(&tallied, (uint32_t)state->handled);
    return CEDE_OK;
}
static cede_result tally_hold(cede_self *self, struct tally *state, struct play *message) {
    (void)state;
    return message->run(self, message->context);
}
#define TALLY(ON)                                                                                  \
    ON(number, tally_add)                                                                          \
    ON(play, tally_hold)
CEDE_BEHAVIOUR(tally, struct tally, TALLY, .mailbox_max = 5);

static cede_result hold_until_told(cede_self *self, void *context) {
    flag_set(context, 1);
    flag_await(self, context, 2);
    return CEDE_OK;
}

TURN_TEST(drain_ends_an_actor_behind_all_that_was_sent_before_also_in_a_full_mailbox) {
    (void)context;
    static _Atomic uint32_t gate;
    cede_ref ref = {0};
    flag_set(&gate, 0);
    flag_set(&tallied, 0);
    EXPECT_OK(cede_spawn_monitored(self, &tally, CEDE_NOTHING, &ref));
    play_also(self, ref, hold_until_told, &gate);
    flag_await(self, &gate, 1);
    EXPECT_EQUAL(cede_waiting(self, ref), 0);
    EXPECT_EQUAL(cede_load(self, ref), 1);
    for (uint64_t i = 0; i < 5; i++) {
        number_send(self, ref, i);
        EXPECT_EQUAL(cede_waiting(self, ref), i + 1);
    }
    struct number *more = cede_new(self, number);
    EXPECT_RESULT(cede_send(self, ref, &more), CEDE_EFULL);
    cede_drop(self, &more);
    EXPECT(cede_is_alive(self, ref));
    EXPECT_OK(cede_drain(self, ref));
    flag_set(&gate, 2);
    EXPECT_RESULT(down_await(self, ref), CEDE_OK);
    EXPECT_EQUAL(flag_get(&tallied), 5);
    EXPECT(!cede_is_alive(self, ref) && cede_waiting(self, ref) == 0 && cede_load(self, ref) == 0);
    EXPECT_RESULT(cede_drain(self, ref), CEDE_ENOACTOR);
    EXPECT_RESULT(cede_drain(self, (cede_ref){0}), CEDE_ENOACTOR);
    ref.node++;
    EXPECT_RESULT(cede_drain(self, ref), CEDE_ENOTSUP);
    EXPECT_RESULT(cede_drain(NULL, ref), CEDE_ECONTEXT);
    EXPECT(cede_is_alive(self, ref) && !cede_is_alive(NULL, ref));
    EXPECT(!cede_is_alive(self, (cede_ref){0}));
    return CEDE_OK;
}

static cede_result finish_in_time(cede_self *self, struct tally *state, struct cede_drained *end) {
    (void)self, (void)end;
    flag_set(&tallied, 100);
    return ++state->handled == 1 ? CEDE_OK : CEDE_STOP;
}
#define FINISHER(ON) ON(cede_drained, finish_in_time)
CEDE_BEHAVIOUR(finisher, struct tally, FINISHER);

TURN_TEST(drained_may_be_handled_by_an_actor_that_then_ends_when_it_wants) {
    (void)context;
    cede_ref ref = {0};
    flag_set(&tallied, 0);
    EXPECT_OK(cede_spawn_monitored(self, &finisher, CEDE_NOTHING, &ref));
    EXPECT_OK(cede_drain(self, ref));
    flag_await(self, &tallied, 100);
    EXPECT(cede_is_alive(self, ref));
    EXPECT_OK(cede_drain(self, ref));
    EXPECT_RESULT(down_await(self, ref), CEDE_OK);
    return CEDE_OK;
}

/* ---- the place of a failure ---- */

TURN_TEST(fail_gives_its_reason_back_and_the_log_says_where) {
    struct fixture *fixture = context;
    EXPECT_RESULT(cede_fail(NULL, CEDE_EIO, "x"), CEDE_EIO);
    EXPECT_RESULT(cede_fail(self, CEDE_OK, "x"), CEDE_EFAILED);
    EXPECT_RESULT(cede_fail(self, CEDE_STOP, "a text of %0300d", 1), CEDE_EFAILED);
    cede_ref ref = {0};
    EXPECT_OK(cede_spawn_monitored(self, &mortal, CEDE_NOTHING, &ref));
    number_send(self, ref, CEDE_EIO);
    down_expect(self, ref, CEDE_EIO, "watch_test.c:");
    EXPECT(fixture_logged(fixture, "failed handling 'number': CEDE_EIO"));
    EXPECT(fixture_logged(fixture, "disk 7 is full"));
    EXPECT_OK(cede_spawn_monitored(self, &mortal, CEDE_NOTHING, &ref)); /* likely the same slot */
    number_send(self, ref, CEDE_EPROTO);
    down_expect(self, ref, CEDE_EPROTO, "handling 'number'");
    return CEDE_OK;
}

/* ---- ten thousand deaths ---- */

/* How each is to end. Its partner, if it has one, is linked with it and traps nothing. */
enum fate { NORMAL, FAILS, STOPPED, KILLED, PARTNER_FAILS, PARTNER_KILLED, DRAINED, FATES };
enum { DEATHS = 10000, BATCH = 100 };
static cede_result expected_of[FATES] = {CEDE_OK,      CEDE_EPROTO,  CEDE_OK, CEDE_EKILLED,
                                         CEDE_ELINKED, CEDE_ELINKED, CEDE_OK};
static struct {
    cede_ref ref;
    cede_result expected;
    bool seen;
} deaths[2 * BATCH];

static uint32_t death_expect(cede_ref ref, cede_result expected, uint32_t count) {
    deaths[count].ref = ref;
    deaths[count].expected = expected;
    deaths[count].seen = false;
    return count;
}

static cede_result link_to_context(cede_self *self, void *context) {
    EXPECT_OK(cede_link(self, *(cede_ref *)context));
    flag_set((_Atomic uint32_t *)(void *)((cede_ref *)context + 1), 1);
    return CEDE_OK;
}

static CEDE_YIELDS void partner_give(cede_self *self, cede_ref actor, cede_ref partner) {
    static struct {
        cede_ref partner;
        _Atomic uint32_t done;
    } meeting;
    meeting.partner = partner;
    flag_set(&meeting.done, 0);
    play_also(self, actor, link_to_context, &meeting);
    flag_await(self, &meeting.done, 1);
}

static void fate_meet(cede_self *self, enum fate fate, cede_ref ref, cede_ref partner) {
    switch (fate) {
    case NORMAL: number_send(self, ref, CEDE_STOP); break;
    case FAILS: number_send(self, ref, CEDE_EPROTO); break;
    case STOPPED: EXPECT_OK(cede_stop(self, ref)); break;
    case KILLED: EXPECT_OK(cede_kill(self, ref)); break;
    case PARTNER_FAILS: number_send(self, partner, CEDE_EPROTO); break;
    case PARTNER_KILLED: EXPECT_OK(cede_kill(self, partner)); break;
    default: EXPECT_OK(cede_drain(self, ref)); break;
    }
}

/* All are watched twice over: by a monitor and by a link of one that traps exits. */
static CEDE_YIELDS void deaths_tell(cede_self *self, uint32_t count, bool by_exit) {
    for (uint32_t i = 0; i < count; i++) {
        cede_ref actor = {0};
        int32_t reason = 0;
        if (by_exit) {
            struct cede_exit *news = NULL;
            EXPECT_OK(cede_recv(self, cede_exit, &news, CEDE_FOREVER));
            actor = news->actor, reason = news->reason;
            cede_drop(self, &news);
        } else {
            struct cede_down *news = NULL;
            EXPECT_OK(cede_recv(self, cede_down, &news, CEDE_FOREVER));
            actor = news->actor, reason = news->reason;
            cede_drop(self, &news);
        }
        uint32_t which = 0;
        while (which < count && !cede_ref_equal(deaths[which].ref, actor)) which++;
        EXPECT(which < count);
        EXPECT(deaths[which].seen == by_exit); /* exactly once of each kind */
        deaths[which].seen = !by_exit;
        EXPECT_RESULT((cede_result)reason, deaths[which].expected);
    }
}

TURN_TEST(ten_thousand_deaths_give_one_notice_each_with_the_right_reason) {
    (void)context;
    uint32_t seed = test_setting("CEDE_TEST_SEED", (uint32_t)cede_now(self)), count = 0;
    print_message("CEDE_TEST_SEED=%u\n", seed);
    cede_trap_exits(self, true);
    for (uint32_t i = 0; i < DEATHS; i++) {
        seed = seed * 1664525u + 1013904223u;
        enum fate fate = (enum fate)((seed >> 16) % FATES);
        cede_ref ref = {0}, partner = {0};
        EXPECT_OK(cede_spawn_linked(self, &mortal, CEDE_NOTHING, &ref));
        EXPECT_OK(cede_monitor(self, ref));
        death_expect(ref, expected_of[fate], count++);
        if (fate == PARTNER_FAILS || fate == PARTNER_KILLED) {
            EXPECT_OK(cede_spawn_linked(self, &mortal, CEDE_NOTHING, &partner));
            EXPECT_OK(cede_monitor(self, partner));
            death_expect(partner, fate == PARTNER_FAILS ? CEDE_EPROTO : CEDE_EKILLED, count++);
            partner_give(self, ref, partner);
        }
        fate_meet(self, fate, ref, partner);
        if (i % BATCH == BATCH - 1) {
            deaths_tell(self, count, false);
            deaths_tell(self, count, true);
            count = 0;
        }
    }
    no_more_news(self);
    return CEDE_OK;
}

/* Links that are made and taken back while their actors end: nobody is told twice, nothing is lost, no list breaks. */
static cede_result link_and_unlink_others(cede_self *self, void *context) {
    cede_ref *others = context;
    uint32_t seed = cede_self_ref(self).slot * 7919u + 1;
    for (int i = 0; i < 30; i++) {
        seed = seed * 1664525u + 1013904223u;
        cede_ref other = others[(seed >> 16) % 64];
        if (cede_ref_equal(other, cede_self_ref(self))) continue;
        cede_result r = (seed >> 8) % 4 != 0 ? cede_link(self, other) : cede_unlink(self, other);
        EXPECT(r == CEDE_OK || r == CEDE_ENOACTOR || r == CEDE_ENOENT);
        if (i % 7 == 6) cede_yield(self);
    }
    return seed >> 24 > 200 ? CEDE_EIO : seed >> 24 > 100 ? CEDE_STOP : CEDE_OK;
}

TURN_TEST(links_made_and_cut_while_actors_end_leave_one_notice_each) {
    (void)context;
    enum { ROUNDS = 20 };
    static cede_ref all[ROUNDS][64]; /* read by actors that nobody waits for before the next round */
    for (int round = 0; round < ROUNDS; round++) {
        cede_ref *others = all[round];
        bool gone[64] = {false};
        for (int i = 0; i < 64; i++)
            EXPECT_OK(cede_spawn_monitored(self, &mortal, CEDE_NOTHING, &others[i]));
        for (int i = 0; i < 64; i++) {
            struct play *next = cede_new(self, play);
            next->run = link_and_unlink_others;
            next->context = others;
            if (cede_send(self, others[i], &next) != CEDE_OK) cede_drop(self, &next);
        }
        for (int i = 0; i < 64; i++) { /* some have ended of their links already */
            cede_result r = i % 2 == 0 ? cede_kill(self, others[i]) : cede_stop(self, others[i]);
            EXPECT(r == CEDE_OK || r == CEDE_ENOACTOR);
        }
        for (int i = 0; i < 64; i++) {
            struct cede_down *down = NULL;
            EXPECT_OK(cede_recv(self, cede_down, &down, CEDE_FOREVER));
            int who = 0;
            while (who < 64 && !cede_ref_equal(down->actor, others[who])) who++;
            EXPECT(who < 64 && !gone[who]);
            gone[who] = true;
            cede_drop(self, &down);
        }
    }
    no_more_news(self);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(link_ends_the_other_of_a_failure_and_says_whose),
        WITH_SYSTEM(link_does_nothing_when_the_other_ends_normally),
        WITH_SYSTEM(unlink_from_either_side_parts_them_and_a_second_link_changes_nothing),
        WITH_SYSTEM(link_with_nobody_with_oneself_and_with_strangers_is_refused),
        WITH_SYSTEM(trapped_exits_are_messages_for_every_way_to_end),
        WITH_SYSTEM(stop_of_one_that_traps_is_a_message_and_ends_it_when_it_traps_no_longer),
        WITH_SYSTEM(links_in_a_row_and_in_a_ring_end_all_of_them_once),
        WITH_SYSTEM(demonitor_takes_all_monitors_of_one_actor_back_and_no_others),
        WITH_SYSTEM(drain_ends_an_actor_behind_all_that_was_sent_before_also_in_a_full_mailbox),
        WITH_SYSTEM(drained_may_be_handled_by_an_actor_that_then_ends_when_it_wants),
        WITH_SYSTEM(fail_gives_its_reason_back_and_the_log_says_where),
        WITH_SYSTEM(ten_thousand_deaths_give_one_notice_each_with_the_right_reason),
        WITH_SYSTEM(links_made_and_cut_while_actors_end_leave_one_notice_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
