/* text.c - the owned text and bytes of a message.
 * Invariants: (1) size 0 means data NULL, after every call here but cede_bytes_reserve's caller setting the size down;
 * (2) text has a NUL at data[size]; (3) a call that fails has changed nothing. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cede/message.h>

#include "core/mem/part.h"

cede_result cede_str_set(cede_str *text, const char *from) {
    return cede_str_set_sized(text, from, from == NULL ? 0 : strlen(from));
}

cede_result cede_str_set_sized(cede_str *text, const char *from, size_t size) {
    if (size > UINT32_MAX - 1) return CEDE_ETOOBIG;
    char *data = NULL;
    if (size != 0) {
        data = cedei_part_take(size + 1);
        if (data == NULL) return CEDE_ENOMEM;
        memcpy(data, from, size);
        data[size] = '\0';
    }
    /* Only now: `from` may be part of it. */
    cedei_part_give(text->data);
    *text = (cede_str){.data = data, .size = (uint32_t)size};
    return CEDE_OK;
}

cede_result cede_str_format(cede_str *text, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    char *data = NULL;
    cede_result r = CEDE_OK;
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        r = CEDE_EINVAL;
    } else if (length > 0 && (data = cedei_part_take((size_t)length + 1)) == NULL) {
        r = CEDE_ENOMEM;
    } else if (length > 0 && vsnprintf(data, (size_t)length + 1, format, again) != length) {
        cedei_part_give(data);
        r = CEDE_EINVAL;
    }
    va_end(again);
    va_end(arguments);
    if (r != CEDE_OK) return r;
    cedei_part_give(text->data);
    *text = (cede_str){.data = data, .size = (uint32_t)length};
    return CEDE_OK;
}

void cede_str_clear(cede_str *text) {
    cedei_part_give(text->data);
    *text = (cede_str){.data = NULL, .size = 0};
}

cede_result cede_bytes_set(cede_bytes *bytes, const void *from, size_t size) {
    if (size > UINT32_MAX) return CEDE_ETOOBIG;
    uint8_t *data = NULL;
    if (size != 0) {
        data = cedei_part_take(size);
        if (data == NULL) return CEDE_ENOMEM;
        memcpy(data, from, size);
    }
    cedei_part_give(bytes->data);
    *bytes = (cede_bytes){.data = data, .size = (uint32_t)size};
    return CEDE_OK;
}

cede_result cede_bytes_reserve(cede_bytes *bytes, size_t size) {
    if (size > UINT32_MAX) return CEDE_ETOOBIG;
    if (size == 0) {
        cede_bytes_clear(bytes);
        return CEDE_OK;
    }
    uint8_t *data = cedei_part_resize(bytes->data, size);
    if (data == NULL) return CEDE_ENOMEM;
    *bytes = (cede_bytes){.data = data, .size = (uint32_t)size};
    return CEDE_OK;
}

void cede_bytes_clear(cede_bytes *bytes) {
    cedei_part_give(bytes->data);
    *bytes = (cede_bytes){.data = NULL, .size = 0};
}
