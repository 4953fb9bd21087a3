/* node_test.c - two processes, linked over ipc and loopback tcp: what holds while the link stands, and what every
 * party is told when it falls. Each test starts its own node on a fresh address and its own peers. */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <cede/pending.h>

#include "node_peer.h"
#include "turn_expect.h"

#define ITEMS 100000u
#define CHURN_ROUNDS 15u
#define PATIENCE CEDE_SECONDS(60)

/* What a test's body works with. */
struct stage {
    const char *listen_url;
    char url[128];
    cede_process process;
    struct peer_hello *peer;
    uint64_t told_ns; /* how long it took until everybody was told; 0: there was nothing to be told yet */
};

static void log_discard(void *context, enum cede_log_level level, const char *line) {
    (void)context, (void)level, (void)line;
}

static void run_body(cede_block_fn *body, const char *listen_url) {
    struct cede_options options = {.workers = 2, .strict = true, .log = log_discard};
    struct stage stage = {.listen_url = listen_url};
    cede_system *system = NULL;
    assert_int_equal(cede_system_create(&system, &options), CEDE_OK);
    cede_result result = cede_block_on(system, body, &stage);
    if (stage.process.pid > 0) (void)kill(stage.process.pid, SIGKILL);
    cede_system_destroy(system);
    assert_int_equal(result, CEDE_OK);
}

/* Over tcp, or what else the environment names. */
static void run_over_tcp(cede_block_fn *body) {
    const char *over = getenv("CEDE_TEST_TRANSPORT");
    char url[64] = "tcp://127.0.0.1:0";
    if (over != NULL && strcmp(over, "ws") == 0)
        (void)snprintf(url, sizeof url, "ws://127.0.0.1:0/cede");
    if (over != NULL && strcmp(over, "abstract") == 0)
        (void)snprintf(url, sizeof url, "abstract://cede-node-test-%d", (int)getpid());
    run_body(body, url);
}

static void run_over_ipc(cede_block_fn *body) {
    char folder[] = "/tmp/cede-node-XXXXXX", url[64];
    assert_non_null(mkdtemp(folder));
    (void)snprintf(url, sizeof url, "ipc://%s/node", folder);
    run_body(body, url);
    /* Fails if the socket was left behind: the listener removes it. */
    assert_int_equal(rmdir(folder), 0);
}

/* ---- steps ---- */

CEDE_YIELDS static cede_result stage_meet(cede_self *self, struct stage *stage, const char *name) {
    cede_drop(self, &stage->peer);
    EXPECT_OK(peer_start(self, "peer", name, stage->url, &stage->process));
    struct peer_hello *hello = NULL;
    EXPECT_OK(cede_recv(self, peer_hello, &hello, PATIENCE));
    stage->peer = cede_keep(self, &hello);
    return CEDE_OK;
}

CEDE_YIELDS static cede_result stage_begin_with(cede_self *self, struct stage *stage,
                                                uint64_t silence_ns) {
    struct cede_node_options options = {
        .name = "controller", .listen_url = stage->listen_url, .silence_ns = silence_ns};
    EXPECT_OK(cede_node_start(self, &options));
    EXPECT_OK(cede_node_url(self, stage->url, sizeof stage->url));
    EXPECT_OK(cede_publish(self, "controller", cede_self_ref(self)));
    return stage_meet(self, stage, "peer");
}

CEDE_YIELDS static cede_result stage_begin(cede_self *self, struct stage *stage) {
    return stage_begin_with(self, stage, SILENCE_IS_FINE);
}

CEDE_YIELDS static cede_result echo_ask(cede_self *self, cede_ref to, uint64_t number,
                                        uint64_t timeout_ns) {
    struct echo_request *request = cede_new(self, echo_request);
    struct echo_reply *reply = NULL;
    EXPECT(request != NULL);
    request->number = number;
    cede_result result = cede_ask(self, to, &request, echo_reply, &reply, timeout_ns);
    cede_drop(self, &request);
    if (result != CEDE_OK) return result;
    bool right = reply->number == number;
    cede_drop(self, &reply);
    return right ? CEDE_OK : CEDE_EFAILED;
}

/* How long the asked says that we wait. */
CEDE_YIELDS static uint64_t echo_left(cede_self *self, cede_ref to, uint64_t timeout_ns) {
    struct echo_request *request = cede_new(self, echo_request);
    struct echo_reply *reply = NULL;
    EXPECT(request != NULL);
    request->number = ECHO_LEFT;
    EXPECT_OK(cede_ask(self, to, &request, echo_reply, &reply, timeout_ns));
    uint64_t left_ns = reply->number;
    cede_drop(self, &reply);
    return left_ns;
}

CEDE_YIELDS static cede_result item_send(cede_self *self, cede_ref to, uint64_t number,
                                         uint64_t timeout_ns) {
    struct item *message = cede_new(self, item);
    EXPECT(message != NULL);
    message->number = number;
    cede_result result = timeout_ns == 0 ? cede_send(self, to, &message)
                                         : cede_send_wait(self, to, &message, timeout_ns);
    cede_drop(self, &message);
    return result;
}

CEDE_YIELDS static cede_result items_count(cede_self *self, cede_ref of, uint64_t *count,
                                           bool *in_order) {
    struct count_request *request = cede_new(self, count_request);
    struct count_reply *reply = NULL;
    EXPECT(request != NULL);
    /* An ask does not wait for room: its receiver may have a full window behind it. */
    uint64_t deadline_ns = cede_now(self) + PATIENCE;
    cede_result result = cede_ask(self, of, &request, count_reply, &reply, PATIENCE);
    while (result == CEDE_EFULL && cede_now(self) < deadline_ns) {
        EXPECT_OK(cede_sleep(self, CEDE_MILLIS(1)));
        result = cede_ask(self, of, &request, count_reply, &reply, PATIENCE);
    }
    EXPECT_OK(result);
    *count = reply->count;
    *in_order = reply->in_order;
    cede_drop(self, &reply);
    return CEDE_OK;
}

CEDE_YIELDS static cede_result down_await(cede_self *self, cede_ref of, cede_result reason) {
    struct cede_down *down = NULL;
    EXPECT_OK(cede_recv(self, cede_down, &down, PATIENCE));
    EXPECT(cede_ref_equal(down->actor, of));
    EXPECT(down->reason == (int32_t)reason);
    cede_drop(self, &down);
    return CEDE_OK;
}

CEDE_YIELDS static cede_result process_end(cede_self *self, struct stage *stage, int32_t expected) {
    int32_t status = 0;
    EXPECT_OK(cede_process_wait(self, &stage->process, PATIENCE, &status));
    EXPECT(status == expected);
    return CEDE_OK;
}

/* ---- bodies ---- */

CEDE_YIELDS static cede_result body_asks(cede_self *self, void *context) {
    struct stage *stage = context;
    EXPECT_OK(stage_begin(self, stage));
    EXPECT(stage->peer->uid != cede_node_uid(self) && stage->peer->uid != 0);
    for (uint64_t i = 0; i < 100; i++) EXPECT_OK(echo_ask(self, stage->peer->echo, i, PATIENCE));
    EXPECT_RESULT(CEDE_ETIMEDOUT, echo_ask(self, stage->peer->echo, ECHO_NEVER, CEDE_MILLIS(20)));
    EXPECT_RESULT(CEDE_ENOREPLY, echo_ask(self, stage->peer->echo, ECHO_FORGET, PATIENCE));
    EXPECT_RESULT(CEDE_EUNHANDLED, echo_ask(self, stage->peer->counter, 1, PATIENCE));
    EXPECT_OK(echo_ask(self, stage->peer->echo, 7, PATIENCE));
    uint64_t left_ns = echo_left(self, stage->peer->echo, CEDE_SECONDS(1000));
    EXPECT(left_ns > 0 && left_ns < CEDE_SECONDS(1001)); /* it is rounded up */
    EXPECT(echo_left(self, stage->peer->echo, CEDE_FOREVER) == CEDE_FOREVER);
    cede_ref found = {0, 0, 0};
    EXPECT_RESULT(CEDE_ENOENT, cede_lookup(self, stage->peer->uid, "nobody", PATIENCE, &found));
    EXPECT_OK(cede_lookup(self, 0, "controller", 0, &found));
    EXPECT(cede_ref_equal(found, cede_self_ref(self)));
    return CEDE_OK;
}

CEDE_YIELDS static cede_result echo_start(cede_self *self, cede_ref to, uint64_t number,
                                          uint64_t timeout_ns, cede_pending **out) {
    struct echo_request *request = cede_new(self, echo_request);
    EXPECT(request != NULL);
    request->number = number;
    return cede_ask_start(self, to, &request, echo_reply, out, timeout_ns);
}

/* Several under way on one link: answered, forgotten, out of time, and lost with the peer. */
CEDE_YIELDS static cede_result body_several_asks(cede_self *self, void *context) {
    enum { ASKS = 6 };
    struct stage *stage = context;
    cede_pending *asks[ASKS] = {NULL};
    struct echo_reply *reply = NULL;
    size_t which = ASKS;
    EXPECT_OK(stage_begin(self, stage));
    cede_ref echo = stage->peer->echo;
    EXPECT_OK(echo_start(self, echo, ECHO_NEVER, CEDE_FOREVER, &asks[0]));
    EXPECT_OK(echo_start(self, echo, 7, CEDE_FOREVER, &asks[1]));
    EXPECT_OK(cede_await_any(self, asks, ASKS, PATIENCE, &which));
    EXPECT(which == 1);
    EXPECT_OK(cede_await(self, &asks[1], echo_reply, &reply, 0));
    EXPECT(reply->number == 7);
    cede_drop(self, &reply);
    EXPECT_OK(echo_start(self, echo, ECHO_FORGET, CEDE_FOREVER, &asks[2]));
    EXPECT_OK(echo_start(self, echo, ECHO_LEFT, CEDE_SECONDS(3600), &asks[3]));
    EXPECT_OK(cede_await_all(self, &asks[2], 2, PATIENCE));
    EXPECT_RESULT(CEDE_ENOREPLY, cede_await(self, &asks[2], echo_reply, &reply, 0));
    EXPECT_OK(cede_await(self, &asks[3], echo_reply, &reply, 0));
    EXPECT(reply->number <= CEDE_SECONDS(3601)); /* the deadline went along */
    cede_drop(self, &reply);
    /* It may be over before it is handled there. */
    EXPECT_OK(echo_start(self, echo, ECHO_NEVER, CEDE_MILLIS(10), &asks[4]));
    EXPECT_RESULT(CEDE_ETIMEDOUT, cede_await(self, &asks[4], echo_reply, &reply, PATIENCE));
    EXPECT(asks[4] == NULL);
    /* This one is handled: what was kept before it is dropped. */
    EXPECT_OK(echo_start(self, echo, ECHO_NEVER, CEDE_FOREVER, &asks[5]));
    EXPECT_RESULT(CEDE_ENOREPLY, cede_await(self, &asks[0], echo_reply, &reply, PATIENCE));
    EXPECT_OK(echo_ask(self, echo, 1, PATIENCE)); /* it is there */
    EXPECT_OK(cede_process_signal(self, &stage->process, SIGKILL));
    EXPECT_RESULT(CEDE_ENODE, cede_await(self, &asks[5], echo_reply, &reply, PATIENCE));
    EXPECT(reply == NULL && asks[5] == NULL);
    return CEDE_OK;
}

/* 3 MiB: several reads, a chunk of its own, a buffer that grows. 17 MiB: more than a frame may be. */
CEDE_YIELDS static cede_result body_large_messages(cede_self *self, void *context) {
    struct stage *stage = context;
    const size_t size = 3u * 1024u * 1024u;
    EXPECT_OK(stage_begin(self, stage));
    struct echo_request *request = cede_new(self, echo_request);
    struct echo_reply *reply = NULL;
    EXPECT(request != NULL);
    EXPECT_OK(cede_bytes_reserve(&request->ballast, size));
    for (size_t i = 0; i < size; i++) request->ballast.data[i] = (uint8_t)(i * 2654435761u >> 24);
    EXPECT_OK(cede_ask(self, stage->peer->echo, &request, echo_reply, &reply, PATIENCE));
    EXPECT(reply->ballast.size == size);
    for (size_t i = 0; i < size; i++)
        EXPECT(reply->ballast.data[i] == (uint8_t)(i * 2654435761u >> 24));
    cede_drop(self, &reply);
    request = cede_new(self, echo_request);
    EXPECT(request != NULL);
    EXPECT_OK(cede_bytes_reserve(&request->ballast, 17u * 1024u * 1024u));
    EXPECT_RESULT(CEDE_ETOOBIG,
                  cede_ask(self, stage->peer->echo, &request, echo_reply, &reply, PATIENCE));
    EXPECT(request != NULL);
    cede_drop(self, &request);
    return echo_ask(self, stage->peer->echo, 1, PATIENCE);
}

CEDE_YIELDS static cede_result body_order(cede_self *self, void *context) {
    struct stage *stage = context;
    uint64_t count = 0;
    bool in_order = false;
    EXPECT_OK(stage_begin(self, stage));
    for (uint64_t i = 1; i <= ITEMS; i++)
        EXPECT_OK(item_send(self, stage->peer->counter, i, PATIENCE));
    EXPECT_OK(items_count(self, stage->peer->counter, &count, &in_order));
    EXPECT(count == ITEMS);
    EXPECT(in_order);
    return CEDE_OK;
}

/* Stuck takes one message and no more: its senders stop, those to counter on the same link do not. */
CEDE_YIELDS static cede_result body_slow_receiver(cede_self *self, void *context) {
    struct stage *stage = context;
    uint64_t sent = 0, count = 0;
    bool in_order = false;
    cede_result result = CEDE_OK;
    EXPECT_OK(stage_begin(self, stage));
    /* A window of 1,024, and the one message that stuck has taken: its credit comes a little later. */
    while ((result = item_send(self, stage->peer->stuck, sent + 1, CEDE_MILLIS(100))) == CEDE_OK) {
        sent++;
        EXPECT(sent <= 1025);
    }
    EXPECT(result == CEDE_ETIMEDOUT && sent >= 1024);
    for (uint64_t i = 1; i <= ITEMS / 4; i++)
        EXPECT_OK(item_send(self, stage->peer->counter, i, PATIENCE));
    EXPECT_OK(items_count(self, stage->peer->counter, &count, &in_order));
    EXPECT(count == ITEMS / 4);
    result = item_send(self, stage->peer->stuck, sent + 1, 0);
    if (sent == 1024 && result == CEDE_OK) { /* that credit came after we had given up */
        sent++;
        result = item_send(self, stage->peer->stuck, sent + 1, 0);
    }
    EXPECT(result == CEDE_EFULL);
    struct go *message = cede_new(self, go);
    EXPECT(message != NULL);
    EXPECT_OK(cede_send(self, stage->peer->gate, &message));
    for (uint64_t i = 0; i < 5000; i++, sent++)
        EXPECT_OK(item_send(self, stage->peer->stuck, sent + 1, PATIENCE));
    EXPECT_OK(items_count(self, stage->peer->stuck, &count, &in_order));
    EXPECT(count == sent);
    EXPECT(in_order);
    return CEDE_OK;
}

/* An actor there that ends: DOWN with its reason, then sends to it are refused or go nowhere, and the link stands. */
CEDE_YIELDS static cede_result body_actor_down(cede_self *self, void *context) {
    struct stage *stage = context;
    EXPECT_OK(stage_begin(self, stage));
    EXPECT_OK(cede_monitor(self, stage->peer->echo));
    EXPECT_OK(cede_monitor(self, stage->peer->echo));
    struct fail *message = cede_new(self, fail);
    EXPECT(message != NULL);
    message->code = CEDE_EIO;
    EXPECT_OK(cede_send(self, stage->peer->echo, &message));
    EXPECT_OK(down_await(self, stage->peer->echo, CEDE_EIO));
    EXPECT_OK(down_await(self, stage->peer->echo, CEDE_EIO));
    EXPECT_OK(cede_monitor(self, stage->peer->echo));
    EXPECT_OK(down_await(self, stage->peer->echo, CEDE_ENOACTOR));
    EXPECT_RESULT(CEDE_ENOACTOR, echo_ask(self, stage->peer->echo, 1, PATIENCE));
    uint64_t count = 0;
    bool in_order = false;
    return items_count(self, stage->peer->counter, &count, &in_order);
}

/* Monitors that were taken back: nothing comes of them, and over there none is left, of which a link has 65,536 at most. */
CEDE_YIELDS static cede_result body_demonitor(cede_self *self, void *context) {
    struct stage *stage = context;
    EXPECT_OK(stage_begin(self, stage));
    cede_ref echo = stage->peer->echo;
    struct cede_down *down = NULL;
    EXPECT_RESULT(CEDE_ENOENT, cede_demonitor(self, echo));
    for (int i = 0; i < 66000; i++) {
        EXPECT_OK(cede_monitor(self, echo));
        EXPECT_OK(cede_demonitor(self, echo));
        if (i % 64 == 0) cede_yield(self);
    }
    EXPECT_OK(cede_monitor(self, stage->peer->counter));
    EXPECT_OK(cede_monitor(self, echo));
    EXPECT_OK(cede_monitor(self, echo));
    EXPECT_OK(cede_demonitor(self, echo)); /* both */
    EXPECT_RESULT(CEDE_ENOENT, cede_demonitor(self, echo));
    struct fail *message = cede_new(self, fail);
    EXPECT(message != NULL);
    message->code = CEDE_EIO;
    EXPECT_OK(cede_send(self, echo, &message));
    EXPECT_OK(cede_monitor(self, echo)); /* when it has ended, or before: one DOWN */
    EXPECT_OK(cede_recv(self, cede_down, &down, PATIENCE));
    EXPECT(cede_ref_equal(down->actor, echo));
    EXPECT(down->reason == CEDE_EIO || down->reason == CEDE_ENOACTOR);
    cede_drop(self, &down);
    EXPECT_OK(cede_demonitor(self, stage->peer->counter));
    uint64_t count = 0;
    bool in_order = false;
    EXPECT_OK(items_count(self, stage->peer->counter, &count, &in_order)); /* behind any DOWN */
    EXPECT_RESULT(CEDE_ETIMEDOUT, cede_recv(self, cede_down, &down, 0));
    return CEDE_OK;
}

/* The end of an actor is told behind all that it sent: when it is known, everything is there. */
CEDE_YIELDS static cede_result body_down_is_last(cede_self *self, void *context) {
    struct stage *stage = context;
    EXPECT_OK(stage_begin(self, stage));
    EXPECT_OK(cede_monitor(self, stage->peer->echo));
    struct fail *message = cede_new(self, fail);
    EXPECT(message != NULL);
    message->code = CEDE_EIO;
    message->to = cede_self_ref(self);
    message->items = 900;
    EXPECT_OK(cede_send(self, stage->peer->echo, &message));
    EXPECT_OK(down_await(self, stage->peer->echo, CEDE_EIO));
    for (uint64_t i = 1; i <= 900; i++) {
        struct item *item = NULL;
        EXPECT_OK(cede_recv(self, item, &item, 0));
        EXPECT(item->number == i);
        cede_drop(self, &item);
    }
    return CEDE_OK;
}

/* A slot that was never given out: not even that of an actor which lives there. */
CEDE_YIELDS static cede_result body_guessed_refs(cede_self *self, void *context) {
    struct stage *stage = context;
    EXPECT_OK(stage_begin(self, stage));
    for (uint32_t slot = 0; slot < 64; slot++) {
        for (uint32_t generation = 1; generation < 4; generation++) {
            cede_ref guess = {stage->peer->uid, slot, generation};
            const struct peer_hello *peer = stage->peer;
            if (cede_ref_equal(guess, peer->echo) || cede_ref_equal(guess, peer->counter) ||
                cede_ref_equal(guess, peer->stuck) || cede_ref_equal(guess, peer->gate)) {
                continue;
            }
            EXPECT_RESULT(CEDE_ENOACTOR, echo_ask(self, guess, 1, PATIENCE));
        }
    }
    return echo_ask(self, stage->peer->echo, 1, PATIENCE);
}

/* ---- the peer dies ---- */

struct asker_state {
    cede_ref report_to;
};

/* Asks what is never answered, and tells how that ended. */
CEDE_YIELDS static cede_result on_asker_first(cede_self *self, struct asker_state *state,
                                              struct peer_hello *message) {
    state->report_to = message->gate;
    struct item *report = cede_new(self, item);
    EXPECT(report != NULL);
    report->number = echo_ask(self, message->echo, ECHO_NEVER, PATIENCE);
    return cede_send(self, state->report_to, &report);
}

#define ASKER(ON) ON(peer_hello, on_asker_first)
CEDE_BEHAVIOUR(asker, struct asker_state, ASKER);

/* Blocks in cede_send_wait on stuck until that ends, and tells how. */
CEDE_YIELDS static cede_result on_pusher_first(cede_self *self, struct asker_state *state,
                                               struct peer_hello *message) {
    state->report_to = message->gate;
    cede_result result = CEDE_OK;
    for (uint64_t i = 1; result == CEDE_OK; i++)
        result = item_send(self, message->stuck, i, PATIENCE);
    struct item *report = cede_new(self, item);
    EXPECT(report != NULL);
    report->number = result;
    return cede_send(self, state->report_to, &report);
}

#define PUSHER(ON) ON(peer_hello, on_pusher_first)
CEDE_BEHAVIOUR(pusher, struct asker_state, PUSHER);

static cede_result client_spawn(cede_self *self, const struct stage *stage,
                                const cede_behaviour *behaviour) {
    struct peer_hello *first = cede_new(self, peer_hello);
    EXPECT(first != NULL);
    *first = *stage->peer;
    first->gate = cede_self_ref(self);
    EXPECT_OK(cede_spawn(self, behaviour, &first, NULL));
    return CEDE_OK;
}

CEDE_YIELDS static cede_result report_await(cede_self *self, cede_result expected) {
    struct item *report = NULL;
    EXPECT_OK(cede_recv(self, item, &report, PATIENCE));
    EXPECT(report->number == (uint64_t)expected);
    cede_drop(self, &report);
    return CEDE_OK;
}

/* Until the pusher has filled the window, told by the count of what was sent. */
CEDE_YIELDS static cede_result sent_await(cede_self *self, uint64_t least) {
    struct cede_node_metrics metrics;
    uint64_t deadline_ns = cede_now(self) + PATIENCE;
    do {
        EXPECT_OK(cede_sleep(self, CEDE_MILLIS(1)));
        cede_node_metrics(self, &metrics);
        EXPECT(cede_now(self) < deadline_ns);
    } while (metrics.messages_sent < least);
    return CEDE_OK;
}

CEDE_YIELDS static cede_result everybody_is_told(cede_self *self, struct stage *stage,
                                                 int signal_number) {
    cede_ref of = stage->peer->echo;
    EXPECT_OK(client_spawn(self, stage, &asker));
    EXPECT_OK(client_spawn(self, stage, &pusher));
    EXPECT_OK(cede_monitor(self, of));
    EXPECT_OK(sent_await(self, 1024));
    uint64_t start_ns = cede_now(self);
    EXPECT_OK(cede_process_signal(self, &stage->process, signal_number));
    EXPECT_OK(down_await(self, of, CEDE_ENODE));
    stage->told_ns = cede_now(self) - start_ns;
    print_message("DOWN came %.1f ms after signal %d\n", (double)stage->told_ns / 1e6,
                  signal_number);
    EXPECT_OK(report_await(self, CEDE_ENODE));
    EXPECT_OK(report_await(self, CEDE_ENODE));
    /* Exactly once: nothing more comes. */
    struct cede_down *again = NULL;
    EXPECT_RESULT(CEDE_ETIMEDOUT, cede_recv(self, cede_down, &again, CEDE_MILLIS(20)));
    EXPECT_RESULT(CEDE_ENODE, item_send(self, stage->peer->counter, 1, 0));
    EXPECT_RESULT(CEDE_ENODE, echo_ask(self, of, 1, PATIENCE));
    EXPECT_OK(cede_monitor(self, of));
    EXPECT_OK(down_await(self, of, CEDE_ENODE));
    struct cede_node_metrics metrics;
    cede_node_metrics(self, &metrics);
    EXPECT(metrics.links_up == 0 && metrics.links_lost == 1);
    EXPECT(metrics.messages_sent == metrics.messages_credited + metrics.messages_maybe_lost);
    return CEDE_OK;
}

static uint64_t told_ns; /* the last time */

CEDE_YIELDS static cede_result body_killed(cede_self *self, void *context) {
    struct stage *stage = context;
    EXPECT_OK(stage_begin(self, stage));
    EXPECT_OK(everybody_is_told(self, stage, SIGKILL));
    told_ns = stage->told_ns;
    return process_end(self, stage, -SIGKILL);
}

/* Stopped, the process keeps its sockets open: only its silence tells. */
CEDE_YIELDS static cede_result body_silent(cede_self *self, void *context) {
    struct stage *stage = context;
    cede_result result = stage_begin_with(self, stage, 0); /* the default */
    if (result == CEDE_OK) result = everybody_is_told(self, stage, SIGSTOP);
    if (result != CEDE_OK && stage->told_ns == 0)
        return CEDE_OK; /* it was silent before: see told_within */
    EXPECT_OK(result);
    told_ns = stage->told_ns;
    EXPECT_OK(cede_process_signal(self, &stage->process, SIGKILL));
    return process_end(self, stage, -SIGKILL);
}

/* On a machine that does other things at the same time, everybody is told in time in one of some tries: a process that gets no time for
 * a second is silent, or hears late. */
static void told_within(void (*run)(cede_block_fn *), cede_block_fn *body, uint64_t within_ns) {
    told_ns = UINT64_MAX;
    for (int i = 0; i < 5 && told_ns >= within_ns; i++) run(body);
    assert_true(told_ns < within_ns);
}

/* The same name again: a new uid, and old refs reach nobody, least of all the newcomer's actors. */
CEDE_YIELDS static cede_result body_restarted(cede_self *self, void *context) {
    struct stage *stage = context;
    EXPECT_OK(stage_begin(self, stage));
    struct peer_hello before = *stage->peer;
    EXPECT_OK(cede_monitor(self, before.echo));
    EXPECT_OK(cede_process_signal(self, &stage->process, SIGKILL));
    EXPECT_OK(process_end(self, stage, -SIGKILL));
    EXPECT_OK(stage_meet(self, stage, "peer"));
    EXPECT_OK(down_await(self, before.echo, CEDE_ENODE));
    EXPECT(stage->peer->uid != before.uid);
    EXPECT_RESULT(CEDE_ENODE, echo_ask(self, before.echo, 1, PATIENCE));
    EXPECT_RESULT(CEDE_ENODE, item_send(self, before.counter, 1, 0));
    EXPECT_OK(echo_ask(self, stage->peer->echo, 1, PATIENCE));
    uint64_t count = 1;
    bool in_order = false;
    EXPECT_OK(items_count(self, stage->peer->counter, &count, &in_order));
    EXPECT(count == 0);
    return CEDE_OK;
}

/* A second process of the name comes while the first one's link stands: the first is DOWN before the second speaks. */
CEDE_YIELDS static cede_result body_superseded(cede_self *self, void *context) {
    struct stage *stage = context;
    EXPECT_OK(stage_begin(self, stage));
    cede_ref before = stage->peer->echo;
    cede_process first = stage->process;
    EXPECT_OK(cede_monitor(self, before));
    EXPECT_OK(stage_meet(self, stage, "peer"));
    struct cede_down *down = NULL;
    EXPECT_OK(cede_recv(self, cede_down, &down, 0));
    EXPECT(cede_ref_equal(down->actor, before) && down->reason == CEDE_ENODE);
    cede_drop(self, &down);
    EXPECT_RESULT(CEDE_ENODE, echo_ask(self, before, 1, PATIENCE));
    EXPECT_OK(echo_ask(self, stage->peer->echo, 1, PATIENCE));
    int32_t status = -1;
    EXPECT_OK(cede_process_wait(self, &first, PATIENCE, &status));
    EXPECT(status == 0); /* it noticed that its link was gone, and ended */
    return CEDE_OK;
}

static size_t descriptors_count(void) {
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL) count++;
    if (folder != NULL) (void)closedir(folder);
    return count;
}

/* nng closes a socket a little after the stream was freed, on a thread of its own. */
CEDE_YIELDS static cede_result descriptors_await(cede_self *self, size_t most) {
    uint64_t deadline_ns = cede_now(self) + PATIENCE;
    while (descriptors_count() > most) {
        EXPECT(cede_now(self) < deadline_ns);
        EXPECT_OK(cede_sleep(self, CEDE_MILLIS(1)));
    }
    return CEDE_OK;
}

/* Peers come and are killed in the middle of traffic, again and again: nothing of them stays. */
CEDE_YIELDS static cede_result body_churn(cede_self *self, void *context) {
    struct stage *stage = context;
    size_t descriptors = 0;
    EXPECT_OK(stage_begin(self, stage));
    for (uint64_t round = 1; round <= CHURN_ROUNDS; round++) {
        cede_ref echo = stage->peer->echo;
        EXPECT_OK(client_spawn(self, stage, &asker));
        EXPECT_OK(client_spawn(self, stage, &pusher));
        EXPECT_OK(cede_monitor(self, echo));
        for (uint64_t i = 1; i <= 50 * round; i++) {
            EXPECT_OK(item_send(self, stage->peer->counter, i, PATIENCE));
        }
        EXPECT_OK(cede_process_signal(self, &stage->process, SIGKILL));
        EXPECT_OK(process_end(self, stage, -SIGKILL));
        EXPECT_OK(down_await(self, echo, CEDE_ENODE));
        EXPECT_OK(report_await(self, CEDE_ENODE));
        EXPECT_OK(report_await(self, CEDE_ENODE));
        if (round == 1) descriptors = descriptors_count();
        EXPECT_OK(descriptors_await(self, descriptors));
        EXPECT_OK(stage_meet(self, stage, "peer"));
    }
    struct cede_node_metrics metrics;
    cede_node_metrics(self, &metrics);
    EXPECT(metrics.links_up == 1 && metrics.links_lost == CHURN_ROUNDS);
    return echo_ask(self, stage->peer->echo, 1, PATIENCE);
}

/* A process that ends when it has sent: its farewell is behind all that, and it stays until it was heard. */
CEDE_YIELDS static cede_result body_farewell(cede_self *self, void *context) {
    struct stage *stage = context;
    struct cede_node_options options = {
        .name = "controller", .listen_url = stage->listen_url, .silence_ns = SILENCE_IS_FINE};
    struct peer_hello local = {.uid = 0};
    uint64_t count = 0;
    bool in_order = false;
    EXPECT_OK(cede_node_start(self, &options));
    EXPECT_OK(cede_node_url(self, stage->url, sizeof stage->url));
    EXPECT_OK(peer_spawn(self, &local));
    EXPECT_OK(cede_publish(self, "counter", local.counter));
    EXPECT_OK(peer_start(self, "burst", "burst", stage->url, &stage->process));
    EXPECT_OK(process_end(self, stage, 0));
    EXPECT_OK(items_count(self, local.counter, &count, &in_order));
    EXPECT(count == BURST_ITEMS);
    EXPECT(in_order);
    return CEDE_OK;
}

/* ---- the list ---- */

static void node_asks_over_ipc(void **state) { (void)state, run_over_ipc(body_asks); }
static void node_asks_over_tcp(void **state) { (void)state, run_over_tcp(body_asks); }

static void node_has_several_asks_under_way_over_tcp(void **state) {
    (void)state;
    run_over_tcp(body_several_asks);
}
static void node_large_messages_over_ipc(void **state) {
    (void)state, run_over_ipc(body_large_messages);
}
static void node_large_messages_over_tcp(void **state) {
    (void)state, run_over_tcp(body_large_messages);
}
static void node_keeps_order_over_ipc(void **state) { (void)state, run_over_ipc(body_order); }
static void node_keeps_order_over_tcp(void **state) { (void)state, run_over_tcp(body_order); }
static void node_slow_receiver_stops_only_its_senders(void **state) {
    (void)state, run_over_ipc(body_slow_receiver);
}
static void node_tells_when_a_remote_actor_ends(void **state) {
    (void)state, run_over_ipc(body_actor_down);
}
static void monitors_over_a_link_can_be_taken_back(void **state) {
    (void)state, run_over_ipc(body_demonitor);
}
static void node_refuses_guessed_refs(void **state) {
    (void)state, run_over_tcp(body_guessed_refs);
}
static void node_tells_everybody_when_the_peer_is_killed_ipc(void **state) {
    (void)state, told_within(run_over_ipc, body_killed, CEDE_SECONDS(1));
}
static void node_tells_everybody_when_the_peer_is_killed_tcp(void **state) {
    (void)state, told_within(run_over_tcp, body_killed, CEDE_SECONDS(1));
}
static void node_tells_everybody_when_the_peer_is_silent(void **state) {
    (void)state, told_within(run_over_tcp, body_silent, CEDE_SECONDS(3));
}
static void node_restarted_peer_is_another_node(void **state) {
    (void)state, run_over_ipc(body_restarted);
}
static void node_newer_peer_of_a_name_replaces_the_older(void **state) {
    (void)state, run_over_tcp(body_superseded);
}

static void node_farewell_comes_after_all_that_was_sent_ipc(void **state) {
    (void)state, run_over_ipc(body_farewell);
}
static void node_farewell_comes_after_all_that_was_sent_tcp(void **state) {
    (void)state, run_over_tcp(body_farewell);
}

static void node_tells_the_end_of_an_actor_behind_all_it_sent(void **state) {
    (void)state, run_over_tcp(body_down_is_last);
}
static void node_keeps_nothing_of_peers_that_come_and_go(void **state) {
    (void)state, run_over_ipc(body_churn);
}

int main(int argc, char **argv) {
    int status = 0;
    if (peer_main(argc, argv, &status)) return status;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_asks_over_ipc),
        cmocka_unit_test(node_asks_over_tcp),
        cmocka_unit_test(node_has_several_asks_under_way_over_tcp),
        cmocka_unit_test(node_large_messages_over_ipc),
        cmocka_unit_test(node_large_messages_over_tcp),
        cmocka_unit_test(node_keeps_order_over_ipc),
        cmocka_unit_test(node_keeps_order_over_tcp),
        cmocka_unit_test(node_slow_receiver_stops_only_its_senders),
        cmocka_unit_test(node_tells_when_a_remote_actor_ends),
        cmocka_unit_test(monitors_over_a_link_can_be_taken_back),
        cmocka_unit_test(node_tells_the_end_of_an_actor_behind_all_it_sent),
        cmocka_unit_test(node_refuses_guessed_refs),
        cmocka_unit_test(node_tells_everybody_when_the_peer_is_killed_ipc),
        cmocka_unit_test(node_tells_everybody_when_the_peer_is_killed_tcp),
        cmocka_unit_test(node_tells_everybody_when_the_peer_is_silent),
        cmocka_unit_test(node_restarted_peer_is_another_node),
        cmocka_unit_test(node_newer_peer_of_a_name_replaces_the_older),
        cmocka_unit_test(node_keeps_nothing_of_peers_that_come_and_go),
        cmocka_unit_test(node_farewell_comes_after_all_that_was_sent_ipc),
        cmocka_unit_test(node_farewell_comes_after_all_that_was_sent_tcp),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
