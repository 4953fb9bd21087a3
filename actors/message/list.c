/* list.c - the lists of a message, for elements of any size.
 * Invariant: count <= capacity, and capacity elements fit into the block at `items` (NULL for capacity 0). */
#include <string.h>

#include "actors/message/field.h"
#include "core/mem/part.h"

enum { LIST_CAPACITY_FIRST = 4 };

static cede_result list_resize(struct cedei_list *list, size_t element_size, size_t capacity) {
    size_t bytes;
    if (capacity > UINT32_MAX || __builtin_mul_overflow(capacity, element_size, &bytes)) {
        return CEDE_ETOOBIG;
    }
    void *items = cedei_part_resize(list->items, bytes);
    if (items == NULL) return CEDE_ENOMEM;
    list->items = items;
    list->capacity = (uint32_t)capacity;
    return CEDE_OK;
}

void *cedei_list_add(void *slot, size_t element_size) {
    struct cedei_list list = cedei_list_load(slot);
    if (list.count == list.capacity) {
        /* Doubling; the last step goes to the largest count that there can be. */
        size_t capacity = list.capacity == 0 ? LIST_CAPACITY_FIRST : (size_t)list.capacity * 2;
        if (capacity > UINT32_MAX) capacity = UINT32_MAX;
        if (capacity == list.count) return NULL;
        if (list_resize(&list, element_size, capacity) != CEDE_OK) return NULL;
    }
    void *element = (char *)list.items + (size_t)list.count * element_size;
    memset(element, 0, element_size);
    list.count++;
    cedei_list_store(slot, list);
    return element;
}

cede_result cedei_list_reserve(void *slot, size_t element_size, size_t capacity) {
    struct cedei_list list = cedei_list_load(slot);
    if (capacity <= list.capacity) return CEDE_OK;
    cede_result r = list_resize(&list, element_size, capacity);
    if (r == CEDE_OK) cedei_list_store(slot, list);
    return r;
}
