/* link_test.c - one link, byte by byte: the test is the peer, over a fake transport; the actors are real. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <cede/cede.h>

#include "actors/actor/remote.h"
#include "actors/message/message.h"
#include "actors/node/own_node.h"
#include "core/sys/alloc.h"
#include "tests/support/fake_transport.h"

#define NOTE(F) F(u32, number)
CEDE_MESSAGE(note, NOTE);

#define WINDOW 8u

/* Takes one note, and never another. */
CEDE_YIELDS static cede_result on_note(cede_self *self, void **state, struct note *message) {
    (void)state, (void)message;
    struct cede_nothing *nothing = NULL;
    return cede_recv(self, cede_nothing, &nothing, CEDE_FOREVER);
}

#define HOLDER(ON) ON(note, on_note)
CEDE_BEHAVIOUR(holder, void *, HOLDER);

/* Takes every note. */
static cede_result on_note_taken(cede_self *self, void **state, struct note *message) {
    (void)self, (void)state, (void)message;
    return CEDE_OK;
}

#define TAKER(ON) ON(note, on_note_taken)
CEDE_BEHAVIOUR(taker, void *, TAKER);

struct fixture {
    cede_system *system;
    cede_ref holder, taker, hidden;
    struct fake_peer *peer;
    uint64_t sequences[CEDEI_LANE_COUNT]; /* of our next frames */
    uint8_t in[1 << 16];                  /* what the node sent, not looked at yet */
    size_t in_size;
};

static void log_discard(void *context, enum cede_log_level level, const char *line) {
    (void)context, (void)level, (void)line;
}

static cede_result spawn_actors(cede_self *self, void *context) {
    struct fixture *f = context;
    cede_result result = cede_spawn(self, &holder, CEDE_NOTHING, &f->holder);
    if (result == CEDE_OK) result = cede_spawn(self, &taker, CEDE_NOTHING, &f->taker);
    if (result == CEDE_OK) result = cede_spawn(self, &taker, CEDE_NOTHING, &f->hidden);
    if (result == CEDE_OK) result = cede_publish(self, "holder", f->holder);
    return result == CEDE_OK ? cede_publish(self, "taker", f->taker) : result;
}

static int set_up(void **state) {
    struct cede_options options = {.workers = 1, .strict = true, .log = log_discard};
    struct cede_node_options node = {
        .name = "tested", .listen_url = "ipc:///fake", .window_messages = WINDOW};
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_int_equal(cede_system_create(&f->system, &options), CEDE_OK);
    assert_int_equal(cedei_node_start(f->system, &node, &fake_transport), CEDE_OK);
    assert_int_equal(cede_block_on(f->system, spawn_actors, f), CEDE_OK);
    f->peer = fake_connect();
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    fake_hang_up(f->peer);
    cede_system_destroy(f->system);
    free(f);
    return 0;
}

/* ---- speaking as the peer ---- */

static size_t frame_make(struct fixture *f, uint8_t *out, enum cedei_frame_type type,
                         const uint8_t *body, size_t size) {
    struct cedei_frame frame = {.size = (uint32_t)size,
                                .type = (uint8_t)type,
                                .flags = cedei_frame_flags(type),
                                .sequence = f->sequences[cedei_frame_lane(type)]++};
    cedei_frame_write(&frame, out);
    if (size != 0) memcpy(out + CEDEI_FRAME_HEADER_SIZE, body, size);
    return CEDEI_FRAME_HEADER_SIZE + size;
}

static bool frame_send(struct fixture *f, enum cedei_frame_type type, const uint8_t *body,
                       size_t size) {
    uint8_t bytes[512];
    size_t whole = frame_make(f, bytes, type, body, size);
    return fake_feed(f->peer, bytes, whole, whole) && fake_settle(f->peer);
}

static struct cedei_hello peer_hello_make(void) {
    return (struct cedei_hello){.version_min = 1,
                                .version_max = 7,
                                .uid = 77,
                                .frame_max = CEDEI_FRAME_MAX_DEFAULT,
                                .window_messages = 16,
                                .window_bytes = 65536,
                                .name = "peer",
                                .cluster = "cede"};
}

static size_t handshake_make(struct fixture *f, uint8_t *out) {
    struct cedei_hello hello = peer_hello_make();
    uint8_t body[CEDEI_HELLO_SIZE_MAX], ready[CEDEI_READY_SIZE];
    cedei_hello_write(&hello, body);
    cedei_ready_write(1, ready);
    size_t size = frame_make(f, out, CEDEI_FRAME_HELLO, body, cedei_hello_size(&hello));
    return size + frame_make(f, out + size, CEDEI_FRAME_READY, ready, sizeof ready);
}

/* The next frame that the node sent; waits for it. False: the node hung up. */
static bool frame_receive(struct fixture *f, struct cedei_frame *frame, uint8_t *body) {
    for (;;) {
        if (f->in_size >= CEDEI_FRAME_HEADER_SIZE) {
            assert_int_equal(cedei_frame_read(f->in, frame), CEDE_OK);
            size_t whole = CEDEI_FRAME_HEADER_SIZE + (size_t)frame->size;
            if (f->in_size >= whole) {
                memcpy(body, f->in + CEDEI_FRAME_HEADER_SIZE, frame->size);
                f->in_size -= whole;
                memmove(f->in, f->in + whole, f->in_size);
                return true;
            }
        }
        size_t got = fake_take(f->peer, f->in + f->in_size, sizeof f->in - f->in_size);
        if (got == 0) return false;
        f->in_size += got;
    }
}

/* The next frame of this type; others that come before it are passed over. */
static bool frame_await(struct fixture *f, enum cedei_frame_type type, struct cedei_frame *frame,
                        uint8_t *body) {
    do {
        if (!frame_receive(f, frame, body)) return false;
    } while (frame->type != type);
    return true;
}

static void shake_hands(struct fixture *f) {
    uint8_t bytes[512], body[512];
    struct cedei_frame frame;
    size_t size = handshake_make(f, bytes);
    assert_true(fake_feed(f->peer, bytes, size, size));
    assert_true(frame_await(f, CEDEI_FRAME_READY, &frame, body));
}

/* A DATA frame with a note, or with whatever bytes. */
static bool data_send(struct fixture *f, struct cedei_data_head head, const uint8_t *bytes,
                      size_t size) {
    uint8_t body[256];
    cedei_data_head_write(&head, body);
    if (size != 0) memcpy(body + CEDEI_DATA_HEAD_SIZE, bytes, size);
    return frame_send(f, CEDEI_FRAME_DATA, body, CEDEI_DATA_HEAD_SIZE + size);
}

static struct cedei_data_head note_head(cede_ref to) {
    return (struct cedei_data_head){.target = {to.slot, to.generation},
                                    .type_id = cedei_type_id(&cede_type_note),
                                    .schema = cede_schema_hash(&cede_type_note)};
}

static const uint8_t note_bytes[4] = {1, 0, 0, 0};

/* ---- handshake ---- */

static void link_greets_first_and_admits_when_fed_byte_by_byte(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512], body[512];
    struct cedei_frame frame;
    struct cedei_hello hello;
    assert_true(frame_receive(f, &frame, body));
    assert_int_equal(frame.type, CEDEI_FRAME_HELLO);
    assert_int_equal(cedei_hello_read(body, frame.size, &hello), CEDE_OK);
    assert_string_equal(hello.name, "tested");
    assert_int_equal(hello.window_messages, WINDOW);
    size_t size = handshake_make(f, bytes);
    assert_true(fake_feed(f->peer, bytes, size, 1));
    assert_true(frame_receive(f, &frame, body));
    assert_int_equal(frame.type, CEDEI_FRAME_READY);
    assert_int_equal(frame.sequence, 1);
}

static void link_ends_wherever_the_handshake_is_cut(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512];
    size_t size = handshake_make(f, bytes);
    for (size_t cut = 0; cut < size; cut++) {
        struct fake_peer *other = fake_connect();
        assert_true(fake_feed(other, bytes, cut, cut == 0 ? 1 : cut));
        fake_hang_up(other);
    }
}

/* Each byte of the handshake, turned over: refused, or it did not matter; never anything else. */
static void link_survives_any_flipped_byte_of_the_handshake(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512];
    size_t size = handshake_make(f, bytes);
    for (size_t i = 0; i < size * 8; i++) {
        struct fake_peer *other = fake_connect();
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        (void)fake_feed(other, bytes, size, size);
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        fake_hang_up(other);
    }
}

/* ---- frames ---- */

static void link_answers_ping(void **state) {
    struct fixture *f = *state;
    uint8_t body[512];
    struct cedei_frame frame;
    shake_hands(f);
    assert_true(frame_send(f, CEDEI_FRAME_PING, NULL, 0));
    assert_true(frame_await(f, CEDEI_FRAME_PONG, &frame, body));
}

static void link_skips_an_unknown_frame_that_need_not_be_understood(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[64] = {0}, body[512];
    shake_hands(f);
    struct cedei_frame frame = {
        .size = 8, .type = 99, .flags = 0, .sequence = f->sequences[CEDEI_LANE_CONTROL]++};
    cedei_frame_write(&frame, bytes);
    assert_true(fake_feed(f->peer, bytes, CEDEI_FRAME_HEADER_SIZE + 8, 64));
    assert_true(frame_send(f, CEDEI_FRAME_PING, NULL, 0));
    assert_true(frame_await(f, CEDEI_FRAME_PONG, &frame, body));
}

static void link_closes_on_a_frame_that_must_be_understood(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[64] = {0};
    shake_hands(f);
    struct cedei_frame frame = {.type = 99,
                                .flags = CEDEI_FLAG_MUST_UNDERSTAND,
                                .sequence = f->sequences[CEDEI_LANE_CONTROL]++};
    cedei_frame_write(&frame, bytes);
    (void)fake_feed(f->peer, bytes, CEDEI_FRAME_HEADER_SIZE, 64);
    fake_await_close(f->peer);
}

static void link_says_goodbye_to_a_goodbye(void **state) {
    struct fixture *f = *state;
    uint8_t body[512];
    struct cedei_frame frame;
    cede_result reason;
    shake_hands(f);
    cedei_goodbye_write(CEDE_ECLOSED, body);
    assert_true(frame_send(f, CEDEI_FRAME_GOODBYE, body, CEDEI_GOODBYE_SIZE));
    assert_true(frame_await(f, CEDEI_FRAME_GOODBYE, &frame, body));
    assert_int_equal(cedei_goodbye_read(body, frame.size, &reason), CEDE_OK);
}

/* ---- messages ---- */

static void link_credits_what_was_taken_from_the_mailbox(void **state) {
    struct fixture *f = *state;
    uint8_t body[512];
    struct cedei_frame frame;
    struct cedei_credit credit;
    uint32_t messages = 0;
    uint64_t bytes = 0;
    shake_hands(f);
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t i = 0; i < WINDOW; i++) {
            assert_true(data_send(f, note_head(f->taker), note_bytes, sizeof note_bytes));
        }
        while (messages < WINDOW * (round + 1)) {
            assert_true(frame_await(f, CEDEI_FRAME_CREDIT, &frame, body));
            assert_int_equal(cedei_credit_read(body, frame.size, &credit), CEDE_OK);
            assert_int_equal(credit.target.slot, f->taker.slot);
            assert_int_equal(credit.target.generation, f->taker.generation);
            messages += credit.messages;
            bytes += credit.bytes;
        }
        assert_int_equal(messages, WINDOW * (round + 1));
        assert_int_equal(bytes, (uint64_t)messages *
                                    cedei_data_charge(CEDEI_DATA_HEAD_SIZE + sizeof note_bytes));
    }
}

/* Appends a note's DATA frame. */
static size_t note_frame_make(struct fixture *f, uint8_t *out, cede_ref to) {
    uint8_t body[CEDEI_DATA_HEAD_SIZE + sizeof note_bytes];
    struct cedei_data_head head = note_head(to);
    cedei_data_head_write(&head, body);
    memcpy(body + CEDEI_DATA_HEAD_SIZE, note_bytes, sizeof note_bytes);
    return frame_make(f, out, CEDEI_FRAME_DATA, body, sizeof body);
}

/* Awaits credits until `messages` are credited for the actor. */
static void credits_await(struct fixture *f, cede_ref actor, uint32_t messages) {
    uint8_t body[512];
    struct cedei_frame frame;
    struct cedei_credit credit;
    for (uint32_t count = 0; count < messages;) {
        assert_true(frame_await(f, CEDEI_FRAME_CREDIT, &frame, body));
        assert_int_equal(cedei_credit_read(body, frame.size, &credit), CEDE_OK);
        assert_int_equal(credit.target.slot, actor.slot);
        count += credit.messages;
        assert_true(count <= messages);
    }
}

/* Cut anywhere: the messages of a read are delivered together, all of them. */
static void link_delivers_all_that_comes_in_one_read(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[2048];
    shake_hands(f);
    for (size_t piece = sizeof bytes; piece != 0; piece /= 3) {
        size_t size = 0;
        for (uint32_t i = 0; i < WINDOW; i++) size += note_frame_make(f, bytes + size, f->taker);
        assert_true(fake_feed(f->peer, bytes, size, piece));
        credits_await(f, f->taker, WINDOW);
    }
}

/* What was within the credit is delivered, and counted, although the same read ends the link; what comes behind it is not. */
static void link_that_closes_on_an_overrun_has_delivered_what_came_before(void **state) {
    struct fixture *f = *state;
    struct cede_node_metrics metrics;
    uint8_t bytes[2048];
    size_t size = 0;
    shake_hands(f);
    size += note_frame_make(f, bytes + size, f->taker);
    for (uint32_t i = 0; i <= WINDOW; i++) size += note_frame_make(f, bytes + size, f->holder);
    size += note_frame_make(f, bytes + size, f->taker);
    (void)fake_feed(f->peer, bytes, size, size);
    fake_await_close(f->peer);
    cedei_own_node_metrics(cedei_system_remote(f->system), &metrics);
    assert_int_equal(metrics.messages_received, 1 + WINDOW);
}

/* The frame behind a bad one is not looked at, those before it are. */
static void link_that_closes_on_a_bad_frame_has_delivered_what_came_before(void **state) {
    struct fixture *f = *state;
    struct cede_node_metrics metrics;
    uint8_t bytes[2048];
    size_t size = 0;
    shake_hands(f);
    for (uint32_t i = 0; i < 3; i++) size += note_frame_make(f, bytes + size, f->taker);
    struct cedei_frame frame = {.type = 99,
                                .flags = CEDEI_FLAG_MUST_UNDERSTAND,
                                .sequence = f->sequences[CEDEI_LANE_CONTROL]++};
    cedei_frame_write(&frame, bytes + size);
    size += CEDEI_FRAME_HEADER_SIZE;
    size += note_frame_make(f, bytes + size, f->taker);
    (void)fake_feed(f->peer, bytes, size, size);
    fake_await_close(f->peer);
    cedei_own_node_metrics(cedei_system_remote(f->system), &metrics);
    assert_int_equal(metrics.messages_received, 3);
}

/* The holder takes one and no more; whoever sends past the window has not counted, or does not care. */
static void link_closes_on_a_peer_that_overruns_its_credit(void **state) {
    struct fixture *f = *state;
    shake_hands(f);
    bool open = true;
    uint32_t sent = 0;
    for (; open && sent < 3 * WINDOW; sent++) {
        open = data_send(f, note_head(f->holder), note_bytes, sizeof note_bytes);
    }
    assert_false(open);
    assert_true(sent >= WINDOW + 1 && sent <= WINDOW + 2);
    fake_await_close(f->peer);
}

static void expect_bounce(struct fixture *f, struct cedei_data_head head, cede_result reason) {
    uint8_t body[512];
    struct cedei_frame frame;
    struct cedei_notice notice;
    struct cedei_credit credit;
    assert_true(data_send(f, head, note_bytes, sizeof note_bytes));
    assert_true(frame_await(f, CEDEI_FRAME_CREDIT, &frame, body));
    assert_int_equal(cedei_credit_read(body, frame.size, &credit), CEDE_OK);
    assert_int_equal(credit.messages, 1);
    assert_true(frame_await(f, CEDEI_FRAME_BOUNCE, &frame, body));
    assert_int_equal(cedei_bounce_read(body, frame.size, &notice), CEDE_OK);
    assert_int_equal(notice.reason, reason);
    assert_int_equal(notice.target.slot, head.target.slot);
}

static void link_bounces_what_it_cannot_deliver(void **state) {
    struct fixture *f = *state;
    shake_hands(f);
    struct cedei_data_head head = note_head(f->taker);
    head.schema++;
    expect_bounce(f, head, CEDE_ETYPE);
    head = note_head(f->taker);
    head.type_id++;
    expect_bounce(f, head, CEDE_ETYPE);
    expect_bounce(f, note_head(f->hidden), CEDE_ENOACTOR);
    head = note_head(f->taker);
    head.target.generation++;
    expect_bounce(f, head, CEDE_ENOACTOR);
    head = note_head(f->taker);
    head.target.slot = UINT32_MAX - 1;
    expect_bounce(f, head, CEDE_ENOACTOR);
}

static void link_answers_an_ask_that_it_cannot_deliver(void **state) {
    struct fixture *f = *state;
    uint8_t body[512];
    struct cedei_frame frame;
    struct cedei_reply_head reply;
    shake_hands(f);
    struct cedei_data_head head = note_head(f->hidden);
    head.asker_slot = 5;
    head.ask_sequence = 7;
    assert_true(data_send(f, head, note_bytes, sizeof note_bytes));
    assert_true(frame_await(f, CEDEI_FRAME_REPLY, &frame, body));
    assert_int_equal(cedei_reply_head_read(body, frame.size, &reply), CEDE_OK);
    assert_int_equal(reply.code, CEDE_ENOACTOR);
    assert_int_equal(reply.asker_slot, 5);
    assert_int_equal(reply.ask_sequence, 7);
}

/* Asks the taker, who has `left_ns` to answer and does not, and gives the code that comes back. */
static cede_result ask_the_taker(struct fixture *f, uint32_t sequence, uint64_t left_ns) {
    uint8_t body[512];
    struct cedei_frame frame;
    struct cedei_reply_head reply = {.code = CEDE_OK};
    struct cedei_data_head head = note_head(f->taker);
    head.asker_slot = 5;
    head.ask_sequence = sequence;
    head.left_ns = left_ns;
    assert_true(data_send(f, head, note_bytes, sizeof note_bytes));
    do {
        assert_true(frame_await(f, CEDEI_FRAME_REPLY, &frame, body));
        assert_int_equal(cedei_reply_head_read(body, frame.size, &reply), CEDE_OK);
    } while (reply.ask_sequence != sequence);
    assert_int_equal(reply.asker_slot, 5);
    return reply.code;
}

static void link_hands_deadlines_on_and_handles_nothing_that_is_over(void **state) {
    struct fixture *f = *state;
    struct cede_metrics metrics;
    shake_hands(f);
    assert_int_equal(ask_the_taker(f, 1, UINT64_MAX), CEDE_ENOREPLY);
    assert_int_equal(ask_the_taker(f, 2, CEDE_SECONDS(1000)), CEDE_ENOREPLY);
    assert_int_equal(ask_the_taker(f, 3, UINT64_MAX - 1), CEDE_ENOREPLY);
    cede_system_metrics(f->system, &metrics);
    assert_int_equal(metrics.requests_expired, 0);
    assert_int_equal(ask_the_taker(f, 4, 0), CEDE_ETIMEDOUT);
    cede_system_metrics(f->system, &metrics);
    assert_int_equal(metrics.requests_expired, 1);
}

static void link_closes_on_a_message_that_is_none(void **state) {
    struct fixture *f = *state;
    shake_hands(f);
    assert_false(data_send(f, note_head(f->taker), note_bytes, 3));
    fake_await_close(f->peer);
}

static void link_ignores_replies_that_nobody_waits_for(void **state) {
    struct fixture *f = *state;
    uint8_t body[512];
    struct cedei_frame frame;
    shake_hands(f);
    for (uint32_t i = 0; i < 100; i++) {
        struct cedei_reply_head head = {.asker_slot = i, .ask_sequence = i, .type_id = i};
        cedei_reply_head_write(&head, body);
        assert_true(frame_send(f, CEDEI_FRAME_REPLY, body, CEDEI_REPLY_HEAD_SIZE));
    }
    assert_true(frame_send(f, CEDEI_FRAME_PING, NULL, 0));
    assert_true(frame_await(f, CEDEI_FRAME_PONG, &frame, body));
}

static void link_tells_the_end_of_a_watched_actor_once(void **state) {
    struct fixture *f = *state;
    uint8_t body[512];
    struct cedei_frame frame;
    struct cedei_notice notice;
    shake_hands(f);
    /* Not exported: as if it were not there. */
    struct cedei_notice watch = {.watcher = {3, 4},
                                 .target = {f->hidden.slot, f->hidden.generation}};
    cedei_monitor_write(&watch, body);
    assert_true(frame_send(f, CEDEI_FRAME_MONITOR, body, CEDEI_MONITOR_SIZE));
    assert_true(frame_await(f, CEDEI_FRAME_DOWN, &frame, body));
    assert_int_equal(cedei_down_read(body, frame.size, &notice), CEDE_OK);
    assert_int_equal(notice.reason, CEDE_ENOACTOR);
    assert_int_equal(notice.watcher.slot, 3);
    assert_int_equal(notice.watcher.generation, 4);
}

static void link_closes_on_data_before_ready(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[512], body[CEDEI_HELLO_SIZE_MAX];
    struct cedei_hello hello = peer_hello_make();
    cedei_hello_write(&hello, body);
    size_t size = frame_make(f, bytes, CEDEI_FRAME_HELLO, body, cedei_hello_size(&hello));
    cedei_data_head_write(&(struct cedei_data_head){.type_id = 0}, body);
    size += frame_make(f, bytes + size, CEDEI_FRAME_DATA, body, CEDEI_DATA_HEAD_SIZE);
    (void)fake_feed(f->peer, bytes, size, size);
    fake_await_close(f->peer);
}

/* ---- memory ---- */

/* One of everything that makes the node allocate, in one piece. */
static size_t conversation_make(struct fixture *f, uint8_t *out) {
    uint8_t body[256];
    memset(f->sequences, 0, sizeof f->sequences);
    size_t size = handshake_make(f, out);
    const cede_ref targets[] = {f->taker, f->taker, f->holder, f->holder, f->hidden};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        struct cedei_data_head head = note_head(targets[i]);
        head.ask_sequence = i % 2 == 0 ? 0 : 9;
        head.asker_slot = 1;
        head.left_ns = UINT64_MAX;
        cedei_data_head_write(&head, body);
        memcpy(body + CEDEI_DATA_HEAD_SIZE, note_bytes, sizeof note_bytes);
        size += frame_make(f, out + size, CEDEI_FRAME_DATA, body,
                           CEDEI_DATA_HEAD_SIZE + sizeof note_bytes);
    }
    static const uint8_t lookup[] = {5, 0, 0, 0, 't', 'a', 'k', 'e', 'r'};
    struct cedei_data_head head = {.target = {CEDEI_SERVICE_SLOT, CEDEI_SERVICE_GENERATION},
                                   .type_id = cedei_type_id(&cede_type_cede_node_lookup),
                                   .schema = cede_schema_hash(&cede_type_cede_node_lookup),
                                   .asker_slot = 1,
                                   .ask_sequence = 3};
    cedei_data_head_write(&head, body);
    memcpy(body + CEDEI_DATA_HEAD_SIZE, lookup, sizeof lookup);
    size += frame_make(f, out + size, CEDEI_FRAME_DATA, body, CEDEI_DATA_HEAD_SIZE + sizeof lookup);
    struct cedei_notice watch = {.watcher = {1, 1}, .target = {f->taker.slot, f->taker.generation}};
    cedei_monitor_write(&watch, body);
    size += frame_make(f, out + size, CEDEI_FRAME_MONITOR, body, CEDEI_MONITOR_SIZE);
    return size + frame_make(f, out + size, CEDEI_FRAME_PING, NULL, 0);
}

/* Whatever allocation fails, once or from then on: at worst that link ends, and the next one is served. */
static void link_is_all_that_ends_when_memory_is_short(void **state) {
    struct fixture *f = *state;
    uint8_t bytes[2048], body[512];
    struct cedei_frame frame;
    size_t size = conversation_make(f, bytes);
    uint64_t asked = 0;
    for (uint64_t i = 0; i < 400 && (i < 100 || asked > i / 2); i++) {
        cedei_alloc_fail_after(i / 2, i % 2 == 0);
        struct fake_peer *other = fake_connect();
        bool open = fake_feed(other, bytes, size, 64) && fake_settle(other);
        while (open && fake_take_now(other, f->in, sizeof f->in) != 0) {}
        asked = cedei_alloc_fail_never();
        fake_hang_up(other);
    }
    memset(f->sequences, 0, sizeof f->sequences);
    shake_hands(f);
    assert_true(frame_send(f, CEDEI_FRAME_PING, NULL, 0));
    assert_true(frame_await(f, CEDEI_FRAME_PONG, &frame, body));
}

#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        LINK_TEST(link_greets_first_and_admits_when_fed_byte_by_byte),
        LINK_TEST(link_ends_wherever_the_handshake_is_cut),
        LINK_TEST(link_survives_any_flipped_byte_of_the_handshake),
        LINK_TEST(link_answers_ping),
        LINK_TEST(link_skips_an_unknown_frame_that_need_not_be_understood),
        LINK_TEST(link_closes_on_a_frame_that_must_be_understood),
        LINK_TEST(link_says_goodbye_to_a_goodbye),
        LINK_TEST(link_credits_what_was_taken_from_the_mailbox),
        LINK_TEST(link_delivers_all_that_comes_in_one_read),
        LINK_TEST(link_that_closes_on_an_overrun_has_delivered_what_came_before),
        LINK_TEST(link_that_closes_on_a_bad_frame_has_delivered_what_came_before),
        LINK_TEST(link_closes_on_a_peer_that_overruns_its_credit),
        LINK_TEST(link_bounces_what_it_cannot_deliver),
        LINK_TEST(link_answers_an_ask_that_it_cannot_deliver),
        LINK_TEST(link_hands_deadlines_on_and_handles_nothing_that_is_over),
        LINK_TEST(link_closes_on_a_message_that_is_none),
        LINK_TEST(link_ignores_replies_that_nobody_waits_for),
        LINK_TEST(link_tells_the_end_of_a_watched_actor_once),
        LINK_TEST(link_closes_on_data_before_ready),
        LINK_TEST(link_is_all_that_ends_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
