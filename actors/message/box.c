/* box.c - the boxes of opt() fields: a block each, with a header in front of what the field points to.
 * Invariant: a field is NULL or points behind a header with the magic number, which is gone when the box is freed. */
#include "actors/message/field.h"
#include "actors/message/message.h"
#include "core/base/base.h"
#include "core/mem/part.h"

struct cedei_box *cedei_box_create(size_t size) {
    struct cedei_box *box = cedei_part_take_zeroed(sizeof *box + size);
    if (box != NULL) box->magic = CEDEI_BOX_MAGIC;
    return box;
}

struct cedei_box *cedei_box_of(void *content) {
    struct cedei_box *box = (struct cedei_box *)content - 1;
    if (CEDEI_UNLIKELY(box->magic != CEDEI_BOX_MAGIC))
        cedei_fatal("cede: an opt() field of a message points to %p, which cede_opt_make did not "
                    "make, or which was dropped already",
                    content);
    return box;
}

void cedei_box_free(struct cedei_box *box) {
    box->magic = 0;
    cedei_part_give(box);
}

void *cedei_opt_make(void *slot, size_t size) {
    void *content = cedei_boxed_load(slot);
    if (content != NULL) return content;
    struct cedei_box *box = cedei_box_create(size);
    if (box == NULL) return NULL;
    cedei_boxed_store(slot, cedei_box_content(box));
    return cedei_box_content(box);
}
