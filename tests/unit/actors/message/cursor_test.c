/* A cursor reads what is there and nothing behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "actors/message/cursor.h"

static void cursor_reads_little_endian_in_order(void **state) {
    (void)state;
    static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255};
    struct cedei_cursor cursor = cedei_cursor_over(bytes, sizeof bytes);
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    assert_true(cedei_cursor_u8(&cursor, &u8) && u8 == 1);
    assert_true(cedei_cursor_u16(&cursor, &u16) && u16 == 0x0302);
    assert_true(cedei_cursor_u32(&cursor, &u32) && u32 == 0x07060504);
    assert_true(cedei_cursor_u64(&cursor, &u64) && u64 == 0xff0e0d0c0b0a0908);
    assert_int_equal(cursor.left, 0);
}

/* Blocks of exactly the size, so that AddressSanitizer sees a read behind them. */
static void cursor_short_by_one_byte_changes_nothing(void **state) {
    (void)state;
    uint8_t u8 = 7;
    uint16_t u16 = 7;
    uint32_t u32 = 7;
    uint64_t u64 = 7;
    const uint8_t *run = NULL;
    uint8_t *bytes = calloc(1, 7);
    assert_non_null(bytes);
    struct cedei_cursor cursor = cedei_cursor_over(bytes, 7);
    assert_false(cedei_cursor_u64(&cursor, &u64));
    assert_false(cedei_cursor_bytes(&cursor, 8, &run));
    assert_false(cedei_cursor_bytes(&cursor, SIZE_MAX, &run));
    assert_true(cursor.at == bytes && cursor.left == 7);
    cursor.left = 3;
    assert_false(cedei_cursor_u32(&cursor, &u32));
    cursor.left = 1;
    assert_false(cedei_cursor_u16(&cursor, &u16));
    cursor.left = 0;
    assert_false(cedei_cursor_u8(&cursor, &u8));
    assert_true(u8 == 7 && u16 == 7 && u32 == 7 && u64 == 7 && run == NULL);
    free(bytes);
}

static void cursor_over_nothing_gives_an_empty_run(void **state) {
    (void)state;
    struct cedei_cursor cursor = cedei_cursor_over(NULL, 0);
    const uint8_t *run;
    assert_true(cedei_cursor_bytes(&cursor, 0, &run));
    assert_false(cedei_cursor_bytes(&cursor, 1, &run));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cursor_reads_little_endian_in_order),
        cmocka_unit_test(cursor_short_by_one_byte_changes_nothing),
        cmocka_unit_test(cursor_over_nothing_gives_an_empty_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
