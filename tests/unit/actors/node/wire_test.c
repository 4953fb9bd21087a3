/* wire_test.c - frames as bytes: what is written is read back, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/node/wire.h"

static struct cedei_hello hello_make(void) {
    return (struct cedei_hello){.version_min = 1,
                                .version_max = 1,
                                .features = 0x11223344u,
                                .features_required = 0,
                                .uid = 0x0102030405060708u,
                                .nonce = 0xa1a2a3a4a5a6a7a8u,
                                .frame_max = 65536,
                                .window_messages = 3,
                                .window_bytes = 4,
                                .name = "left.node-1_x",
                                .cluster = "c"};
}

/* Copied to a block of its own size, so that AddressSanitizer sees a read past the end. */
static cede_result hello_read_exact(const uint8_t *bytes, size_t size, struct cedei_hello *out) {
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    cede_result result = cedei_hello_read(copy, size, out);
    free(copy);
    return result;
}

static void frame_header_has_the_documented_layout(void **state) {
    (void)state;
    static const uint8_t expected[CEDEI_FRAME_HEADER_SIZE] = {
        0x44, 0x33, 0x22, 0x11, CEDEI_FRAME_DATA, 3, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1};
    struct cedei_frame frame = {.size = 0x11223344u,
                                .type = CEDEI_FRAME_DATA,
                                .flags = CEDEI_FLAG_MUST_UNDERSTAND | CEDEI_FLAG_DATA_LANE,
                                .sequence = 0x0102030405060708u};
    struct cedei_frame back;
    uint8_t bytes[CEDEI_FRAME_HEADER_SIZE];
    cedei_frame_write(&frame, bytes);
    assert_memory_equal(bytes, expected, sizeof bytes);
    assert_int_equal(cedei_frame_read(bytes, &back), CEDE_OK);
    assert_int_equal(back.size, frame.size);
    assert_int_equal(back.type, frame.type);
    assert_int_equal(back.flags, frame.flags);
    assert_true(back.sequence == frame.sequence);
}

static void frame_header_is_refused_on_the_wrong_lane_or_with_reserved_bits(void **state) {
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        for (unsigned flags = 0; flags < 256; flags++) {
            struct cedei_frame frame = {.type = (uint8_t)type, .flags = (uint8_t)flags}, back;
            uint8_t bytes[CEDEI_FRAME_HEADER_SIZE];
            cedei_frame_write(&frame, bytes);
            bool known = type >= CEDEI_FRAME_HELLO && type < CEDEI_FRAME_TYPE_END;
            bool good = !known || flags == cedei_frame_flags((enum cedei_frame_type)type);
            assert_int_equal(cedei_frame_read(bytes, &back), good ? CEDE_OK : CEDE_EPROTO);
            bytes[6] = 1;
            assert_int_equal(cedei_frame_read(bytes, &back), CEDE_EPROTO);
        }
    }
}

static void hello_survives_a_round_trip_and_fits_the_handshake_limit(void **state) {
    (void)state;
    struct cedei_hello hello = hello_make(), back;
    uint8_t bytes[CEDEI_HELLO_SIZE_MAX];
    memset(hello.name, 'n', CEDEI_NODE_NAME_MAX);
    hello.name[CEDEI_NODE_NAME_MAX] = '\0';
    memset(hello.cluster, 'c', CEDEI_NODE_NAME_MAX);
    hello.cluster[CEDEI_NODE_NAME_MAX] = '\0';
    assert_int_equal(cedei_hello_size(&hello), CEDEI_HELLO_SIZE_MAX);
    assert_true(CEDEI_FRAME_HEADER_SIZE + CEDEI_HELLO_SIZE_MAX <= CEDEI_FRAME_HANDSHAKE_MAX);
    cedei_hello_write(&hello, bytes);
    assert_int_equal(hello_read_exact(bytes, sizeof bytes, &back), CEDE_OK);
    assert_string_equal(back.name, hello.name);
    assert_string_equal(back.cluster, hello.cluster);
    assert_true(back.uid == hello.uid && back.nonce == hello.nonce);
    assert_int_equal(back.features, hello.features);
    assert_int_equal(back.frame_max, hello.frame_max);
    assert_int_equal(back.window_messages, hello.window_messages);
    assert_int_equal(back.window_bytes, hello.window_bytes);
}

static void hello_is_refused_at_every_truncation_and_may_be_longer(void **state) {
    (void)state;
    struct cedei_hello hello = hello_make(), back;
    uint8_t bytes[CEDEI_HELLO_SIZE_MAX + 8] = {0};
    size_t size = cedei_hello_size(&hello);
    cedei_hello_write(&hello, bytes);
    for (size_t cut = 0; cut < size; cut++) {
        assert_int_equal(hello_read_exact(bytes, cut, &back), CEDE_EPROTO);
    }
    assert_int_equal(hello_read_exact(bytes, size + 8, &back), CEDE_OK);
}

static void hello_is_refused_with_values_that_no_node_writes(void **state) {
    (void)state;
    struct cedei_hello back, bad[8];
    uint8_t bytes[CEDEI_HELLO_SIZE_MAX];
    for (size_t i = 0; i < 8; i++) bad[i] = hello_make();
    bad[0].uid = 0;
    bad[1].version_min = 2;
    bad[2].frame_max = CEDEI_FRAME_MAX_LEAST - 1;
    bad[3].window_messages = 0;
    bad[4].window_bytes = 0;
    (void)strcpy(bad[5].name, "");
    (void)strcpy(bad[6].name, "a/b");
    (void)strcpy(bad[7].cluster, "c\n");
    for (size_t i = 0; i < 8; i++) {
        cedei_hello_write(&bad[i], bytes);
        assert_int_equal(hello_read_exact(bytes, cedei_hello_size(&bad[i]), &back), CEDE_EPROTO);
    }
    struct cedei_hello hello = hello_make();
    cedei_hello_write(&hello, bytes);
    /* A NUL inside the name; a length beyond the limit. */
    bytes[45] = 0;
    assert_int_equal(hello_read_exact(bytes, cedei_hello_size(&hello), &back), CEDE_EPROTO);
    cedei_hello_write(&hello, bytes);
    bytes[44] = CEDEI_NODE_NAME_MAX + 1;
    assert_int_equal(hello_read_exact(bytes, cedei_hello_size(&hello), &back), CEDE_EPROTO);
    cedei_hello_write(&hello, bytes);
    bytes[0] ^= 1;
    assert_int_equal(hello_read_exact(bytes, cedei_hello_size(&hello), &back), CEDE_EPROTO);
}

static void hello_judge_says_why_two_nodes_do_not_fit(void **state) {
    (void)state;
    struct cedei_hello own = hello_make(), peer = hello_make();
    peer.uid = 9;
    (void)strcpy(peer.name, "right");
    assert_int_equal(cedei_hello_judge(&own, &peer), CEDE_OK);
    peer.version_min = 2, peer.version_max = 3;
    assert_int_equal(cedei_hello_judge(&own, &peer), CEDE_EVERSION);
    peer.version_min = 0, peer.version_max = 0;
    assert_int_equal(cedei_hello_judge(&own, &peer), CEDE_EVERSION);
    peer.version_min = 0, peer.version_max = 9;
    assert_int_equal(cedei_hello_judge(&own, &peer), CEDE_OK);
    peer.features_required = own.features;
    assert_int_equal(cedei_hello_judge(&own, &peer), CEDE_OK);
    peer.features_required = 1;
    assert_int_equal(cedei_hello_judge(&own, &peer), CEDE_EVERSION);
    peer.features_required = 0;
    own.features_required = 1u << 30;
    peer.features = 0;
    assert_int_equal(cedei_hello_judge(&own, &peer), CEDE_EVERSION);
    own.features_required = 0;
    (void)strcpy(peer.cluster, "d");
    assert_int_equal(cedei_hello_judge(&own, &peer), CEDE_EACCES);
    (void)strcpy(peer.cluster, "c");
    (void)strcpy(peer.name, own.name);
    assert_int_equal(cedei_hello_judge(&own, &peer), CEDE_EEXIST);
    peer.uid = own.uid;
    assert_int_equal(cedei_hello_judge(&own, &peer), CEDE_EINVAL);
}

/* Written again, what was read gives the same bytes; the last field of each tells that it was read at all. */
static void bodies_survive_a_round_trip(void **state) {
    (void)state;
    uint8_t bytes[64], again[64];
    struct cedei_data_head data = {{1, 2}, 3, 4, 5, 6, 7}, data_back;
    cedei_data_head_write(&data, bytes);
    assert_int_equal(cedei_data_head_read(bytes, CEDEI_DATA_HEAD_SIZE, &data_back), CEDE_OK);
    cedei_data_head_write(&data_back, again);
    assert_memory_equal(bytes, again, CEDEI_DATA_HEAD_SIZE);
    assert_int_equal(data_back.left_ns, 7);
    struct cedei_reply_head reply = {1, 3, CEDE_ETYPE, 4, 5}, reply_back;
    cedei_reply_head_write(&reply, bytes);
    assert_int_equal(cedei_reply_head_read(bytes, CEDEI_REPLY_HEAD_SIZE, &reply_back), CEDE_OK);
    cedei_reply_head_write(&reply_back, again);
    assert_memory_equal(bytes, again, CEDEI_REPLY_HEAD_SIZE);
    assert_int_equal(reply_back.schema, 5);
    struct cedei_credit credit = {{1, 2}, 3, 1ull << 40}, credit_back;
    cedei_credit_write(&credit, bytes);
    assert_int_equal(cedei_credit_read(bytes, CEDEI_CREDIT_SIZE, &credit_back), CEDE_OK);
    cedei_credit_write(&credit_back, again);
    assert_memory_equal(bytes, again, CEDEI_CREDIT_SIZE);
    assert_true(credit_back.bytes == 1ull << 40);
    struct cedei_notice down = {{1, 2}, {3, 4}, CEDE_EKILLED, 0}, down_back;
    cedei_down_write(&down, bytes);
    assert_int_equal(cedei_down_read(bytes, CEDEI_DOWN_SIZE, &down_back), CEDE_OK);
    cedei_down_write(&down_back, again);
    assert_memory_equal(bytes, again, CEDEI_DOWN_SIZE);
    assert_int_equal(down_back.reason, CEDE_EKILLED);
    struct cedei_notice bounce = {{0, 0}, {3, 4}, CEDE_ETYPE, 99}, bounce_back;
    cedei_bounce_write(&bounce, bytes);
    assert_int_equal(cedei_bounce_read(bytes, CEDEI_BOUNCE_SIZE, &bounce_back), CEDE_OK);
    cedei_bounce_write(&bounce_back, again);
    assert_memory_equal(bytes, again, CEDEI_BOUNCE_SIZE);
    assert_int_equal(bounce_back.type_id, 99);
}

/* The size of a body is exact, but for heads, behind which a message follows; a code of a later version is a failure. */
static void bodies_of_a_wrong_size_or_code_are_refused_or_mapped(void **state) {
    (void)state;
    uint8_t bytes[64] = {0};
    struct cedei_data_head data;
    struct cedei_reply_head reply;
    struct cedei_credit credit;
    struct cedei_notice notice;
    uint64_t stamp;
    cede_result reason;
    for (size_t size = 0; size < sizeof bytes; size++) {
        bool data_good = size >= CEDEI_DATA_HEAD_SIZE, reply_good = size >= CEDEI_REPLY_HEAD_SIZE;
        assert_int_equal(cedei_data_head_read(bytes, size, &data),
                         data_good ? CEDE_OK : CEDE_EPROTO);
        assert_int_equal(cedei_reply_head_read(bytes, size, &reply),
                         reply_good ? CEDE_OK : CEDE_EPROTO);
        assert_int_equal(cedei_credit_read(bytes, size, &credit) == CEDE_OK,
                         size == CEDEI_CREDIT_SIZE);
        assert_int_equal(cedei_monitor_read(bytes, size, &notice) == CEDE_OK,
                         size == CEDEI_MONITOR_SIZE);
        assert_int_equal(cedei_down_read(bytes, size, &notice) == CEDE_OK, size == CEDEI_DOWN_SIZE);
        assert_int_equal(cedei_bounce_read(bytes, size, &notice) == CEDE_OK,
                         size == CEDEI_BOUNCE_SIZE);
        assert_int_equal(cedei_ready_read(bytes, size, &stamp) == CEDE_OK, size == CEDEI_READY_SIZE);
        assert_int_equal(cedei_goodbye_read(bytes, size, &reason) == CEDE_OK,
                         size == CEDEI_GOODBYE_SIZE);
    }
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(cedei_goodbye_read(bytes, CEDEI_GOODBYE_SIZE, &reason), CEDE_OK);
    assert_int_equal(reason, CEDE_EFAILED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_header_has_the_documented_layout),
        cmocka_unit_test(frame_header_is_refused_on_the_wrong_lane_or_with_reserved_bits),
        cmocka_unit_test(hello_survives_a_round_trip_and_fits_the_handshake_limit),
        cmocka_unit_test(hello_is_refused_at_every_truncation_and_may_be_longer),
        cmocka_unit_test(hello_is_refused_with_values_that_no_node_writes),
        cmocka_unit_test(hello_judge_says_why_two_nodes_do_not_fit),
        cmocka_unit_test(bodies_survive_a_round_trip),
        cmocka_unit_test(bodies_of_a_wrong_size_or_code_are_refused_or_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
