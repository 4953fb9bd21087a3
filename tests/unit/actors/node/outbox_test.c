/* outbox_test.c - two lanes of frames on their way out: order, numbers, and what partial sends leave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/node/outbox.h"
#include "core/sys/alloc.h"

/* Sends everything in pieces of at most `piece` bytes and returns how many frames came, checking the numbers. */
static size_t drain(struct cedei_outbox *outbox, size_t piece, uint64_t next[CEDEI_LANE_COUNT]) {
    uint8_t frame_bytes[70000];
    size_t have = 0, frames = 0;
    struct cedei_chunk *chunk;
    while ((chunk = cedei_outbox_next(outbox)) != NULL) {
        size_t count = chunk->size - chunk->sent < piece ? chunk->size - chunk->sent : piece;
        assert_true(have + count <= sizeof frame_bytes);
        memcpy(frame_bytes + have, chunk->bytes + chunk->sent, count);
        have += count;
        cedei_outbox_sent(outbox, count);
        while (have >= CEDEI_FRAME_HEADER_SIZE) {
            struct cedei_frame frame;
            assert_int_equal(cedei_frame_read(frame_bytes, &frame), CEDE_OK);
            size_t whole = CEDEI_FRAME_HEADER_SIZE + (size_t)frame.size;
            if (have < whole) break;
            enum cedei_lane lane = cedei_frame_lane((enum cedei_frame_type)frame.type);
            assert_true(frame.sequence == next[lane]);
            next[lane]++;
            frames++;
            have -= whole;
            memmove(frame_bytes, frame_bytes + whole, have);
        }
    }
    assert_int_equal(have, 0);
    return frames;
}

static void outbox_numbers_lanes_apart_and_sends_control_first(void **state) {
    (void)state;
    struct cedei_outbox outbox;
    struct cedei_frame frame;
    cedei_outbox_init(&outbox);
    for (int i = 0; i < 3; i++) {
        assert_non_null(cedei_outbox_add(&outbox, CEDEI_FRAME_DATA, 4));
        assert_non_null(cedei_outbox_add(&outbox, CEDEI_FRAME_PING, 0));
    }
    struct cedei_chunk *first = cedei_outbox_next(&outbox);
    assert_int_equal(cedei_frame_read(first->bytes, &frame), CEDE_OK);
    assert_int_equal(frame.type, CEDEI_FRAME_PING);
    uint64_t next[CEDEI_LANE_COUNT] = {0};
    assert_int_equal(drain(&outbox, SIZE_MAX, next), 6);
    assert_int_equal(next[CEDEI_LANE_CONTROL], 3);
    assert_int_equal(next[CEDEI_LANE_DATA], 3);
    assert_int_equal(outbox.bytes, 0);
    cedei_outbox_fini(&outbox);
}

/* A frame that has begun to leave ends before anything else does, even control. */
static void outbox_finishes_a_chunk_before_control(void **state) {
    (void)state;
    struct cedei_outbox outbox;
    cedei_outbox_init(&outbox);
    assert_non_null(cedei_outbox_add(&outbox, CEDEI_FRAME_DATA, 100));
    struct cedei_chunk *chunk = cedei_outbox_next(&outbox);
    cedei_outbox_sent(&outbox, 5);
    assert_non_null(cedei_outbox_add(&outbox, CEDEI_FRAME_PING, 0));
    assert_ptr_equal(cedei_outbox_next(&outbox), chunk);
    cedei_outbox_sent(&outbox, chunk->size - chunk->sent);
    assert_ptr_not_equal(cedei_outbox_next(&outbox), NULL);
    cedei_outbox_fini(&outbox);
}

static void outbox_keeps_frames_whole_for_any_piece_size(void **state) {
    (void)state;
    for (size_t piece = 1; piece < 200; piece += 7) {
        struct cedei_outbox outbox;
        uint64_t next[CEDEI_LANE_COUNT] = {0};
        cedei_outbox_init(&outbox);
        for (size_t i = 0; i < 100; i++) {
            enum cedei_frame_type type = i % 3 == 0 ? CEDEI_FRAME_CREDIT : CEDEI_FRAME_REPLY;
            uint8_t *body = cedei_outbox_add(&outbox, type, i * 9 % 700);
            assert_non_null(body);
            memset(body, 0xee, i * 9 % 700);
            if (i % 10 == 0) {
                struct cedei_chunk *own = cedei_chunk_create(20000);
                assert_non_null(own);
                memset(own->bytes + CEDEI_FRAME_HEADER_SIZE, 0xdd, 20000);
                cedei_outbox_add_chunk(&outbox, CEDEI_FRAME_DATA, own);
            }
        }
        assert_int_equal(drain(&outbox, piece, next), 110);
        assert_int_equal(outbox.bytes, 0);
        cedei_outbox_fini(&outbox);
    }
}

/* A link that is used goes on with the memory that it has; the small chunks of a handshake are not worth keeping. */
static void outbox_keeps_one_chunk_that_has_left(void **state) {
    (void)state;
    struct cedei_outbox outbox;
    uint64_t next[CEDEI_LANE_COUNT] = {0};
    cedei_outbox_init(&outbox);
    assert_non_null(cedei_outbox_add(&outbox, CEDEI_FRAME_DATA, 100));
    assert_int_equal(drain(&outbox, SIZE_MAX, next), 1);
    assert_null(outbox.spare);
    outbox.chunk_size = CEDEI_CHUNK_SIZE;
    assert_non_null(cedei_outbox_add(&outbox, CEDEI_FRAME_DATA, 100));
    assert_int_equal(drain(&outbox, 7, next), 1);
    assert_non_null(outbox.spare);
    cedei_alloc_fail_after(0, false);
    for (int i = 0; i < 3; i++) {
        assert_non_null(cedei_outbox_add(&outbox, CEDEI_FRAME_DATA, 100));
        assert_non_null(cedei_outbox_add(&outbox, CEDEI_FRAME_DATA, 200));
        assert_null(cedei_outbox_add(&outbox, CEDEI_FRAME_PING, 0)); /* the other lane has none */
        assert_int_equal(drain(&outbox, SIZE_MAX, next), 2);
    }
    (void)cedei_alloc_fail_never();
    assert_int_equal(outbox.bytes, 0);
    cedei_outbox_fini(&outbox);
}

/* A frame that got no memory takes no number: the next one must not look like a gap. */
static void outbox_leaves_no_gap_when_memory_is_short(void **state) {
    (void)state;
    struct cedei_outbox outbox;
    uint64_t next[CEDEI_LANE_COUNT] = {0};
    cedei_outbox_init(&outbox);
    assert_non_null(cedei_outbox_add(&outbox, CEDEI_FRAME_DATA, 500));
    cedei_alloc_fail_after(0, false);
    assert_null(cedei_outbox_add(&outbox, CEDEI_FRAME_DATA, 500));
    assert_null(cedei_chunk_create(10));
    (void)cedei_alloc_fail_never();
    assert_non_null(cedei_outbox_add(&outbox, CEDEI_FRAME_DATA, 500));
    assert_int_equal(drain(&outbox, SIZE_MAX, next), 2);
    cedei_outbox_fini(&outbox);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outbox_numbers_lanes_apart_and_sends_control_first),
        cmocka_unit_test(outbox_finishes_a_chunk_before_control),
        cmocka_unit_test(outbox_keeps_frames_whole_for_any_piece_size),
        cmocka_unit_test(outbox_keeps_one_chunk_that_has_left),
        cmocka_unit_test(outbox_leaves_no_gap_when_memory_is_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
