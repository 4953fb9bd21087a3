/* The calls for memory of actors/message: what fields own, and what is made when a message is read. A call that fails has
 * changed nothing; a message that cannot be read leaves nothing. */
#include "actors/message/message.h"
#include "actors/message/tagged.h"
#include "actors/message/traits.h"
#include "tests/fault/sites/sites.h"

#define PARCEL(F)                                                                                  \
    F(str, text)                                                                                   \
    F(list(u32), numbers)                                                                          \
    F(list(opt(u64)), boxes)                                                                       \
    F(bytes, blob)
CEDE_MESSAGE(parcel, PARCEL);

/* ---- fields ---- */

static void texts_stay_as_they_were(void **state) {
    cede_str text = {0};
    (void)state;
    EXPECT_OK(cede_str_set(&text, "before"));
    EXPECT_SHORT("actors/message/text.c", "cede_str_set_sized", cede_str_set(&text, "after"),
                 CEDE_ENOMEM);
    EXPECT_SHORT("actors/message/text.c", "cede_str_format", cede_str_format(&text, "%d", 1),
                 CEDE_ENOMEM);
    EXPECT(strcmp(cede_str_text(&text), "before") == 0);
    EXPECT_OK(cede_str_format(&text, "%d", 1));
    EXPECT(strcmp(cede_str_text(&text), "1") == 0);
    cede_str_clear(&text);
}

static void bytes_stay_as_they_were(void **state) {
    cede_bytes bytes = {0};
    (void)state;
    EXPECT_SHORT("actors/message/text.c", "cede_bytes_reserve", cede_bytes_reserve(&bytes, 3),
                 CEDE_ENOMEM);
    EXPECT(bytes.data == NULL && bytes.size == 0);
    EXPECT_OK(cede_bytes_set(&bytes, "abc", 3));
    EXPECT_SHORT("actors/message/text.c", "cede_bytes_set", cede_bytes_set(&bytes, "d", 1),
                 CEDE_ENOMEM);
    EXPECT_SHORT("actors/message/text.c", "cede_bytes_reserve", cede_bytes_reserve(&bytes, 100),
                 CEDE_ENOMEM);
    EXPECT(bytes.size == 3 && memcmp(bytes.data, "abc", 3) == 0);
    EXPECT_OK(cede_bytes_reserve(&bytes, 100));
    EXPECT(bytes.size == 100 && memcmp(bytes.data, "abc", 3) == 0);
    cede_bytes_clear(&bytes);
}

static void lists_and_boxes_stay_as_they_were(void **state) {
    struct parcel parcel = {0};
    (void)state;
    EXPECT_SHORT_NULL("actors/message/list.c", "list_resize", cede_list_add(&parcel.numbers));
    EXPECT(parcel.numbers.items == NULL && parcel.numbers.count == 0);
    EXPECT_OK(cede_list_reserve(&parcel.numbers, 1));
    *cede_list_add(&parcel.numbers) = 7;
    EXPECT_SHORT("actors/message/list.c", "list_resize", cede_list_reserve(&parcel.numbers, 100),
                 CEDE_ENOMEM);
    EXPECT_SHORT_NULL("actors/message/list.c", "list_resize", cede_list_add(&parcel.numbers));
    EXPECT(parcel.numbers.count == 1 && parcel.numbers.items[0] == 7);
    uint64_t **box = cede_list_add(&parcel.boxes);
    EXPECT(box != NULL);
    EXPECT_SHORT_NULL("actors/message/box.c", "cedei_box_create", cede_opt_make(box));
    EXPECT(*box == NULL);
    EXPECT(cede_opt_make(box) != NULL && *box != NULL);
    cedei_message_clear(&cede_type_parcel, &parcel);
}

/* ---- reading and writing ---- */

enum { BOXES = 40 }; /* more than a walk has room for without memory */

static void parcel_fill(struct parcel *parcel) {
    *parcel = (struct parcel){0};
    EXPECT_OK(cede_str_set(&parcel->text, "text"));
    EXPECT_OK(cede_bytes_set(&parcel->blob, "blob", 4));
    for (uint32_t i = 0; i < BOXES; i++) {
        uint32_t *number = cede_list_add(&parcel->numbers);
        uint64_t **box = cede_list_add(&parcel->boxes);
        EXPECT(number != NULL && box != NULL && cede_opt_make(box) != NULL);
        *number = i;
        **box = i;
    }
}

static void parcel_check_and_clear(struct parcel *parcel) {
    EXPECT(strcmp(cede_str_text(&parcel->text), "text") == 0);
    EXPECT(parcel->blob.size == 4 && memcmp(parcel->blob.data, "blob", 4) == 0);
    EXPECT(parcel->numbers.count == BOXES && parcel->boxes.count == BOXES);
    for (uint32_t i = 0; i < BOXES; i++)
        EXPECT(parcel->numbers.items[i] == i && *parcel->boxes.items[i] == i);
    cedei_message_clear(&cede_type_parcel, parcel);
}

static void parcel_is_empty(const struct parcel *parcel) {
    static const struct parcel empty;
    EXPECT(memcmp(parcel, &empty, sizeof empty) == 0);
}

static void a_packed_message_is_read_by_the_next_call(void **state) {
    static const char *const FUNCTIONS[][2] = {{"actors/message/codec.c", "take_bytes"},
                                               {"actors/message/codec.c", "take_list"},
                                               {"actors/message/box.c", "cedei_box_create"}};
    struct parcel parcel, back;
    size_t size = 0;
    (void)state;
    parcel_fill(&parcel);
    EXPECT_SHORT("actors/message/pending.h", "cedei_pending_grow",
                 cedei_message_encoded_size(&cede_type_parcel, &parcel, &size), CEDE_ENOMEM);
    EXPECT_OK(cedei_message_encoded_size(&cede_type_parcel, &parcel, &size));
    uint8_t *bytes = malloc(size);
    EXPECT(bytes != NULL);
    EXPECT_SHORT("actors/message/pending.h", "cedei_pending_grow",
                 cedei_message_encode(&cede_type_parcel, &parcel, bytes, size), CEDE_ENOMEM);
    EXPECT_OK(cedei_message_encode(&cede_type_parcel, &parcel, bytes, size));
    parcel_check_and_clear(&parcel);
    for (int i = 0; i < 3; i++) {
        EXPECT_SHORT(FUNCTIONS[i][0], FUNCTIONS[i][1],
                     cedei_message_decode(&cede_type_parcel, bytes, size, NULL, &back), CEDE_ENOMEM);
        parcel_is_empty(&back);
    }
    EXPECT_OK(cedei_message_decode(&cede_type_parcel, bytes, size, NULL, &back));
    parcel_check_and_clear(&back);
    free(bytes);
}

static void a_tagged_message_is_read_by_the_next_call(void **state) {
    static const char *const FUNCTIONS[][2] = {{"actors/message/tagged.c", "take_bytes"},
                                               {"actors/message/tagged.c", "take_list"},
                                               {"actors/message/box.c", "cedei_box_create"}};
    struct parcel parcel, back;
    struct cedei_mismatch why;
    size_t size = 0;
    (void)state;
    parcel_fill(&parcel);
    EXPECT_SHORT("actors/message/traits.c", "cedei_type_field_ids",
                 cedei_tagged_size(&cede_type_parcel, &parcel, &size), CEDE_ENOMEM);
    EXPECT_SHORT("actors/message/pending.h", "cedei_pending_grow",
                 cedei_tagged_size(&cede_type_parcel, &parcel, &size), CEDE_ENOMEM);
    EXPECT_OK(cedei_tagged_size(&cede_type_parcel, &parcel, &size));
    uint8_t *bytes = malloc(size);
    EXPECT(bytes != NULL);
    EXPECT_OK(cedei_tagged_encode(&cede_type_parcel, &parcel, bytes, size));
    parcel_check_and_clear(&parcel);
    for (int i = 0; i < 3; i++) {
        EXPECT_SHORT(FUNCTIONS[i][0], FUNCTIONS[i][1],
                     cedei_tagged_decode(&cede_type_parcel, bytes, size, NULL, &back, &why),
                     CEDE_ENOMEM);
        parcel_is_empty(&back);
    }
    EXPECT_OK(cedei_tagged_decode(&cede_type_parcel, bytes, size, NULL, &back, &why));
    parcel_check_and_clear(&back);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_stay_as_they_were),
        cmocka_unit_test(bytes_stay_as_they_were),
        cmocka_unit_test(lists_and_boxes_stay_as_they_were),
        cmocka_unit_test(a_packed_message_is_read_by_the_next_call),
        cmocka_unit_test(a_tagged_message_is_read_by_the_next_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
