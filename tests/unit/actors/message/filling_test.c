/* References to frozen messages as fields: encoded as their content, decoded as frozen messages of their own, whatever
 * memory is short of, and given back with the message. cede_copy is an encoding and a decoding. */
#include <cede/shared.h>

#include "actors/message/frozen.h"
#include "actors/message/message.h"
#include "core/sys/alloc.h"
#include "tests/support/actors.h"

#define FOLDER(F)                                                                                  \
    F(str, name)                                                                                   \
    F(shared(note), cover)                                                                         \
    F(list(shared(note)), pages)                                                                   \
    F(array(shared(folder), 2), inside)                                                            \
    F(opt(folder), spare)
CEDE_MESSAGE(folder, FOLDER);

static const struct note *note_frozen(cede_self *self, const char *text) {
    struct note *note = cede_new(self, note);
    EXPECT(note != NULL);
    EXPECT_OK(cede_str_set(&note->text, text));
    const struct note *frozen = NULL;
    EXPECT_OK(cede_freeze(self, &note, &frozen));
    return frozen;
}

/* Holds another folder twice: once frozen, which holds a third one so, and once in a box. */
static struct folder *folder_make(cede_self *self, int levels) {
    struct folder *folder = cede_new(self, folder);
    EXPECT(folder != NULL);
    EXPECT_OK(cede_str_format(&folder->name, "level %d", levels));
    folder->cover = note_frozen(self, "a cover of some length");
    for (int i = 0; i < 3; i++) {
        const struct note **page = cede_list_add(&folder->pages);
        EXPECT(page != NULL);
        if (i != 1) *page = cede_shared_ref(folder->cover);
    }
    if (levels == 0) return folder;
    struct folder *below = folder_make(self, levels - 1);
    EXPECT_OK(cede_freeze(self, &below, &folder->inside[1]));
    struct folder *spare = cede_opt_make(&folder->spare);
    EXPECT(spare != NULL);
    spare->cover = note_frozen(self, "in a box");
    return folder;
}

static void folder_check(const struct folder *folder, int levels) {
    EXPECT(strcmp(cede_str_text(&folder->cover->text), "a cover of some length") == 0);
    EXPECT(cedei_frozen_is(folder->cover));
    EXPECT(folder->pages.count == 3 && folder->pages.items[1] == NULL);
    EXPECT(strcmp(cede_str_text(&folder->pages.items[2]->text), "a cover of some length") == 0);
    EXPECT(folder->inside[0] == NULL);
    EXPECT((folder->inside[1] != NULL) == (levels > 0));
    if (levels == 0) return;
    EXPECT(cedei_frozen_is(folder->inside[1]));
    EXPECT(strcmp(cede_str_text(&folder->spare->cover->text), "in a box") == 0);
    folder_check(folder->inside[1], levels - 1);
}

TURN_TEST(shared_fields_are_copied_as_frozen_messages_of_their_own) {
    (void)context;
    struct folder *folder = folder_make(self, 3), *copy = NULL;
    EXPECT_OK(cede_copy(self, folder, folder, &copy));
    EXPECT(copy->cover != folder->cover && copy->inside[1] != folder->inside[1]);
    EXPECT(copy->pages.items[0] != copy->pages.items[2]); /* that it was one is not kept */
    cede_drop(self, &folder);
    folder_check(copy, 3);
    cede_drop(self, &copy);
    return CEDE_OK;
}

/* The test's system counts every message: none is lost on any way out. */
TURN_TEST(shared_fields_are_given_back_when_memory_is_short_while_they_are_made) {
    (void)context;
    struct folder *folder = folder_make(self, 2);
    uint64_t failing = 0, failed = 0;
    for (bool done = false; !done; failing++) {
        struct folder *copy = NULL;
        cedei_alloc_fail_after(failing, true);
        cede_result r = cede_copy(self, folder, folder, &copy);
        (void)cedei_alloc_fail_never();
        done = r == CEDE_OK;
        if (done) folder_check(copy, 2);
        if (!done) EXPECT(r == CEDE_ENOMEM && copy == NULL);
        if (!done) failed++;
        cede_drop(self, &copy);
    }
    EXPECT(failed > 10);
    cede_drop(self, &folder);
    return CEDE_OK;
}

TURN_TEST(shared_fields_of_bytes_that_end_too_soon_leave_nothing) {
    cede_system *system = ((struct fixture *)context)->system;
    struct folder *folder = folder_make(self, 2), back;
    struct cedei_maker maker = cedei_system_maker(system);
    size_t size = 0;
    EXPECT_OK(cedei_message_encoded_size(&cede_type_folder, folder, &size));
    uint8_t *bytes = malloc(size);
    EXPECT(bytes != NULL);
    EXPECT_OK(cedei_message_encode(&cede_type_folder, folder, bytes, size));
    for (size_t part = 0; part < size; part++) {
        uint8_t *copy = malloc(part != 0 ? part : 1);
        EXPECT(copy != NULL);
        memcpy(copy, bytes, part);
        EXPECT(cedei_message_decode(&cede_type_folder, copy, part, &maker, &back) == CEDE_EBADMSG);
        EXPECT(back.cover == NULL && back.spare == NULL);
        free(copy);
    }
    EXPECT(cedei_message_decode(&cede_type_folder, bytes, size, NULL, &back) == CEDE_ENOTSUP);
    EXPECT(back.cover == NULL);
    EXPECT_OK(cedei_message_decode(&cede_type_folder, bytes, size, &maker, &back));
    folder_check(&back, 2);
    cedei_message_clear(&cede_type_folder, &back);
    EXPECT(back.inside[1] == NULL);
    free(bytes);
    cede_drop(self, &folder);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(shared_fields_are_copied_as_frozen_messages_of_their_own),
        WITH_SYSTEM(shared_fields_are_given_back_when_memory_is_short_while_they_are_made),
        WITH_SYSTEM(shared_fields_of_bytes_that_end_too_soon_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
