/* message_decode_fuzz.c - bytes from anybody, decoded as one of several message types.
 * Byte 0 picks the type, byte 1 an allocation to fail (0: none). What must hold: no read out of bounds and no leak (the
 * sanitizers judge), no more memory than the input justifies, a refused message leaves the struct zeroed, and an
 * accepted one encodes to the very bytes that it came from. The high bit of byte 0 picks the form for other versions, whose
 * accepted messages encode to something that is read the same. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "actors/message/message.h"
#include "actors/message/tagged.h"
#include "actors/message/traits.h"
#include "core/base/base.h"
#include "core/sys/alloc.h"
#include "tests/support/sample_messages.h"

/* Of the sanitizer's runtime. */
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static size_t allocated; /* bytes, since it was last set to 0 */

static void count_malloc(const volatile void *block, size_t size) {
    (void)block;
    allocated += size;
}

static void count_free(const volatile void *block) { (void)block; }

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc, (void)argv;
    CEDEI_CHECK(__sanitizer_install_malloc_and_free_hooks(count_malloc, count_free) != 0);
    return 0;
}

static void check_accepted(const struct cede_type *type, void *message, const uint8_t *bytes,
                           size_t size) {
    size_t encoded_size = 0;
    char line[300];
    CEDEI_CHECK(cedei_message_encoded_size(type, message, &encoded_size) == CEDE_OK);
    CEDEI_CHECK(encoded_size == size);
    uint8_t *again = malloc(size != 0 ? size : 1);
    CEDEI_CHECK(again != NULL);
    CEDEI_CHECK(cedei_message_encode(type, message, again, size) == CEDE_OK);
    CEDEI_CHECK(size == 0 || memcmp(again, bytes, size) == 0);
    free(again);
    CEDEI_CHECK(cede_message_print(type, message, line, sizeof line) > 0);
    CEDEI_CHECK(strlen(line) < sizeof line);
}

static void check_accepted_tagged(const struct cede_type *type, void *message) {
    size_t size = 0, again_size = 0;
    struct cedei_mismatch why;
    CEDEI_CHECK(cedei_tagged_size(type, message, &size) == CEDE_OK);
    uint8_t *bytes = malloc(size), *again = malloc(size), *back = malloc(type->size);
    CEDEI_CHECK(bytes != NULL && again != NULL && back != NULL);
    CEDEI_CHECK(cedei_tagged_encode(type, message, bytes, size) == CEDE_OK);
    CEDEI_CHECK(cedei_tagged_decode(type, bytes, size, NULL, back, &why) == CEDE_OK);
    CEDEI_CHECK(cedei_tagged_size(type, back, &again_size) == CEDE_OK && again_size == size);
    CEDEI_CHECK(cedei_tagged_encode(type, back, again, size) == CEDE_OK);
    CEDEI_CHECK(memcmp(bytes, again, size) == 0);
    cedei_message_clear(type, back);
    free(bytes);
    free(again);
    free(back);
}

static void fuzz_tagged(const struct cede_type *type, uint64_t failing, const uint8_t *bytes,
                        size_t size) {
    struct cedei_mismatch why;
    uint8_t *message = malloc(type->size);
    CEDEI_CHECK(message != NULL);
    memset(message, 0xa5, type->size);
    allocated = 0;
    cedei_alloc_fail_after(failing, true);
    cede_result r = cedei_tagged_decode(type, bytes, size, NULL, message, &why);
    (void)cedei_alloc_fail_never();
    /* The numbers of the fields of a type are made once. */
    CEDEI_CHECK(allocated <= CEDEI_TAGGED_GROWTH_MAX * size + 4096);
    if (r == CEDE_OK) {
        check_accepted_tagged(type, message);
        cedei_message_clear(type, message);
    } else {
        CEDEI_CHECK(r == CEDE_EBADMSG || r == CEDE_ETYPE || r == CEDE_ETOOBIG ||
                    (r == CEDE_ENOMEM && failing != UINT64_MAX));
        CEDEI_CHECK((r == CEDE_ETYPE) == (why.text[0] != '\0'));
        for (uint32_t i = 0; i < type->size; i++) CEDEI_CHECK(message[i] == 0);
    }
    free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct cede_type *const types[] = {&cede_type_sample_branch,  &cede_type_sample_all,
                                              &cede_type_sample_numbers, &cede_type_sample_line,
                                              &cede_type_sample_empty,   &cede_type_cede_down,
                                              &cede_type_sample_tree,    &cede_type_sample_value};
    if (size < 2) return 0;
    const struct cede_type *type = types[(data[0] & 127) % (sizeof types / sizeof types[0])];
    uint64_t failing = data[1] == 0 ? UINT64_MAX : data[1] - 1u;
    const uint8_t *bytes = data + 2;
    size -= 2;
    if (data[0] & 128) {
        fuzz_tagged(type, failing, bytes, size);
        return 0;
    }
    uint8_t *message = malloc(type->size);
    CEDEI_CHECK(message != NULL);
    memset(message, 0xa5, type->size);
    allocated = 0;
    cedei_alloc_fail_after(failing, true);
    cede_result r = cedei_message_decode(type, bytes, size, NULL, message);
    uint64_t blocks = cedei_alloc_fail_never();
    bool boxes = (cedei_type_traits(type) & CEDEI_TRAIT_BOXES) != 0;
    CEDEI_CHECK(blocks <= size / (boxes ? 4 : 5));
    CEDEI_CHECK(allocated <= (boxes ? CEDEI_VARIANT_GROWTH_MAX : CEDEI_GROWTH_MAX) * size + blocks);
    if (r == CEDE_OK) {
        check_accepted(type, message, bytes, size);
        cedei_message_clear(type, message);
    } else {
        CEDEI_CHECK(r == CEDE_EBADMSG || (r == CEDE_ENOMEM && failing != UINT64_MAX));
        for (uint32_t i = 0; i < type->size; i++) CEDEI_CHECK(message[i] == 0);
    }
    free(message);
    return 0;
}
