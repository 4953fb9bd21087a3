/* node_frame_fuzz.c - any bytes at a node's port, before and after the handshake.
 * The first byte says how to begin: bit 0: with a good handshake in front; bit 1: one byte at a time; bit 2: the rest
 * is bodies of frames, to which right headers are added, so that the fuzzer gets past lengths and numbers. The actors
 * are real: what decodes is delivered. Property: nothing but this link ends; a second, honest peer is served after it. */
#include <stdlib.h>
#include <string.h>

#include <cede/cede.h>

#include "actors/message/message.h"
#include "actors/node/own_node.h"
#include "tests/support/fake_transport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* The system stays up between inputs, and what hangs on its mapped tables is no leak, though LeakSanitizer cannot see
 * that. The unit tests of links run with leaks looked for. */
const char *__asan_default_options(void) { return "detect_leaks=0"; }

enum shade { DARK, LIGHT };
#define LEAF(F)                                                                                    \
    F(str, text)                                                                                   \
    F(bool, flag)                                                                                  \
    F(enum(shade, DARK, LIGHT), hue)
CEDE_MESSAGE(leaf, LEAF);
#define PAYLOAD(F)                                                                                 \
    F(u32, number)                                                                                 \
    F(ref, back)                                                                                   \
    F(bytes, raw)                                                                                  \
    F(list(leaf), leaves)                                                                          \
    F(list(u16), numbers)
CEDE_MESSAGE(payload, PAYLOAD);

static cede_result on_payload(cede_self *self, void **state, struct payload *message) {
    (void)state;
    struct payload *reply = cede_new(self, payload);
    if (reply == NULL) return CEDE_OK;
    reply->number = message->number;
    reply->back = message->back;
    (void)cede_reply(self, message, &reply);
    cede_drop(self, &reply);
    return CEDE_OK;
}

#define SINK(ON) ON(payload, on_payload)
CEDE_BEHAVIOUR(sink, void *, SINK);

static cede_system *fuzz_system;
static cede_ref fuzz_sink;

static void log_discard(void *context, enum cede_log_level level, const char *line) {
    (void)context, (void)level, (void)line;
}

static cede_result begin(cede_self *self, void *context) {
    (void)context;
    cede_result result = cede_spawn(self, &sink, CEDE_NOTHING, &fuzz_sink);
    return result == CEDE_OK ? cede_publish(self, "sink", fuzz_sink) : result;
}

static void set_up(void) {
    struct cede_options options = {.workers = 1, .log = log_discard};
    struct cede_node_options node = {.name = "fuzzed", .listen_url = "ipc:///fake"};
    if (cede_system_create(&fuzz_system, &options) != CEDE_OK) abort();
    if (cedei_node_start(fuzz_system, &node, &fake_transport) != CEDE_OK) abort();
    if (cede_block_on(fuzz_system, begin, NULL) != CEDE_OK) abort();
}

struct script {
    uint8_t bytes[1 << 16];
    size_t size;
    uint64_t sequences[CEDEI_LANE_COUNT];
};

static void frame_add(struct script *script, uint8_t type, const uint8_t *body, size_t size) {
    if (script->size + CEDEI_FRAME_HEADER_SIZE + size > sizeof script->bytes) return;
    bool known = type >= CEDEI_FRAME_HELLO && type < CEDEI_FRAME_TYPE_END;
    uint8_t flags = known ? cedei_frame_flags((enum cedei_frame_type)type) : 0;
    enum cedei_lane lane =
        (flags & CEDEI_FLAG_DATA_LANE) != 0 ? CEDEI_LANE_DATA : CEDEI_LANE_CONTROL;
    struct cedei_frame frame = {
        .size = (uint32_t)size, .type = type, .flags = flags, .sequence = script->sequences[lane]++};
    cedei_frame_write(&frame, script->bytes + script->size);
    if (size != 0) memcpy(script->bytes + script->size + CEDEI_FRAME_HEADER_SIZE, body, size);
    script->size += CEDEI_FRAME_HEADER_SIZE + size;
}

static void handshake_add(struct script *script, uint64_t uid, const char *name) {
    uint8_t body[CEDEI_HELLO_SIZE_MAX];
    struct cedei_hello hello = {.version_min = 1,
                                .version_max = 2,
                                .uid = uid,
                                .frame_max = CEDEI_FRAME_MAX_DEFAULT,
                                .window_messages = 16,
                                .window_bytes = 65536,
                                .cluster = "cede"};
    (void)strcpy(hello.name, name);
    cedei_hello_write(&hello, body);
    frame_add(script, CEDEI_FRAME_HELLO, body, cedei_hello_size(&hello));
    cedei_ready_write(1, body);
    frame_add(script, CEDEI_FRAME_READY, body, CEDEI_READY_SIZE);
}

/* type, size of the body, body; a DATA body gets the sink's address and the payload's numbers. */
static void frames_add(struct script *script, const uint8_t *data, size_t size) {
    uint8_t body[CEDEI_DATA_HEAD_SIZE + 255];
    while (size >= 2) {
        uint8_t type = data[0] % 16;
        size_t count = data[1] < size - 2 ? data[1] : size - 2;
        const uint8_t *bytes = data + 2;
        if (type == CEDEI_FRAME_DATA && (data[0] & 128) != 0) {
            struct cedei_data_head head = {.target = {fuzz_sink.slot, fuzz_sink.generation},
                                           .type_id = cedei_type_id(&cede_type_payload),
                                           .schema = cede_schema_hash(&cede_type_payload),
                                           .asker_slot = 1,
                                           .ask_sequence = data[0] & 64};
            cedei_data_head_write(&head, body);
            memcpy(body + CEDEI_DATA_HEAD_SIZE, bytes, count);
            frame_add(script, type, body, CEDEI_DATA_HEAD_SIZE + count);
        } else {
            frame_add(script, type, bytes, count);
        }
        data += 2 + count;
        size -= 2 + count;
    }
}

/* Somebody else comes after it, and is let in and answered. */
static void honest_peer(void) {
    static struct script script;
    static uint64_t uid = 1u << 20;
    uint8_t bytes[4096];
    script.size = 0;
    memset(script.sequences, 0, sizeof script.sequences);
    handshake_add(&script, ++uid, "honest");
    frame_add(&script, CEDEI_FRAME_PING, NULL, 0);
    struct fake_peer *peer = fake_connect();
    if (!fake_feed(peer, script.bytes, script.size, script.size) || !fake_settle(peer)) abort();
    if (fake_take(peer, bytes, sizeof bytes) == 0) abort();
    fake_hang_up(peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct script script;
    static uint64_t uid, runs;
    uint8_t bytes[4096];
    if (fuzz_system == NULL) set_up();
    if (size < 1 || size > 4096) return 0;
    uint8_t how = data[0];
    script.size = 0;
    memset(script.sequences, 0, sizeof script.sequences);
    if ((how & 1) != 0) handshake_add(&script, ++uid, "fuzzer");
    if ((how & 4) != 0) {
        frames_add(&script, data + 1, size - 1);
    } else {
        memcpy(script.bytes + script.size, data + 1, size - 1);
        script.size += size - 1;
    }
    struct fake_peer *peer = fake_connect();
    (void)fake_feed(peer, script.bytes, script.size, (how & 2) != 0 ? 1 : sizeof script.bytes);
    (void)fake_settle(peer);
    (void)fake_take_now(peer, bytes, sizeof bytes);
    fake_hang_up(peer);
    if (++runs % 64 == 0) honest_peer();
    return 0;
}
