/* print.c - a message as one line of text for logs and debuggers.
 * Invariant: the output is printable ASCII, whatever the message holds. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "actors/message/field.h"
#include "actors/message/message.h"
#include "actors/message/tagged.h"

enum { PRINT_TEXT_MAX = 64, PRINT_BYTES_MAX = 32, PRINT_ELEMENTS_MAX = 16, PRINT_BOXES_MAX = 4 };

struct printer {
    char *out;
    size_t size; /* bytes at `out` */
    size_t used; /* of the whole line, also of what did not fit */
    int boxes;   /* that the present place is inside; PRINT_BOXES_MAX at most */
};

CEDE_PRINTF(2, 3) static void emit(struct printer *printer, const char *format, ...) {
    va_list arguments;
    bool fits = printer->used < printer->size;
    va_start(arguments, format);
    int length = vsnprintf(fits ? printer->out + printer->used : NULL,
                           fits ? printer->size - printer->used : 0, format, arguments);
    va_end(arguments);
    if (length > 0) printer->used += (size_t)length;
}

static void print_text(struct printer *printer, cede_bytes text) {
    uint32_t shown = text.data == NULL ? 0 : text.size;
    if (shown > PRINT_TEXT_MAX) shown = PRINT_TEXT_MAX;
    emit(printer, "\"");
    for (uint32_t i = 0; i < shown; i++) {
        uint8_t c = text.data[i];
        if (c == '"' || c == '\\') {
            emit(printer, "\\%c", c);
        } else if (c == '\n') {
            emit(printer, "\\n");
        } else if (c >= 0x20 && c < 0x7f) {
            emit(printer, "%c", c);
        } else {
            emit(printer, "\\x%02x", c);
        }
    }
    emit(printer, "\"");
    if (text.size > shown) emit(printer, "...(%" PRIu32 " bytes)", text.size);
}

static void print_bytes(struct printer *printer, cede_bytes bytes) {
    uint32_t shown = bytes.data == NULL ? 0 : bytes.size;
    if (shown > PRINT_BYTES_MAX) shown = PRINT_BYTES_MAX;
    emit(printer, "<%" PRIu32 " bytes%s", bytes.size, shown != 0 ? ":" : "");
    for (uint32_t i = 0; i < shown; i++) emit(printer, " %02x", bytes.data[i]);
    emit(printer, "%s>", bytes.size > shown ? " ..." : "");
}

static void print_ref(struct printer *printer, const void *slot) {
    cede_ref ref;
    memcpy(&ref, slot, sizeof ref);
    if (cede_ref_is_none(ref)) {
        emit(printer, "nobody");
    } else {
        emit(printer, "%016" PRIx64 ":%" PRIu32 ".%" PRIu32, ref.node, ref.slot, ref.generation);
    }
}

static void print_float(struct printer *printer, const struct cedei_field *field, const void *slot) {
    float f32;
    double f64;
    if (field->kind == CEDEI_FIELD_F32) {
        memcpy(&f32, slot, sizeof f32);
        emit(printer, "%.9g", (double)f32);
    } else {
        memcpy(&f64, slot, sizeof f64);
        emit(printer, "%.17g", f64);
    }
}

/* Any integer, by its width in memory. */
static uint64_t unsigned_load(const void *slot, uint32_t size) {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (size) {
    case 1: memcpy(&u8, slot, 1); return u8;
    case 2: memcpy(&u16, slot, 2); return u16;
    case 4: memcpy(&u32, slot, 4); return u32;
    default: memcpy(&u64, slot, 8); return u64;
    }
}

static void print_message(struct printer *printer, const struct cede_type *type,
                          const void *message);

static void print_value(struct printer *printer, const struct cedei_field *field, const void *slot) {
    uint64_t bits;
    switch (field->kind) {
    case CEDEI_FIELD_STR: print_text(printer, cedei_bytes_load(slot)); break;
    case CEDEI_FIELD_BYTES: print_bytes(printer, cedei_bytes_load(slot)); break;
    case CEDEI_FIELD_REF: print_ref(printer, slot); break;
    case CEDEI_FIELD_MSG: print_message(printer, field->nested, slot); break;
    case CEDEI_FIELD_F32:
    case CEDEI_FIELD_F64: print_float(printer, field, slot); break;
    case CEDEI_FIELD_BOOL:
        emit(printer, "%s", unsigned_load(slot, 1) != 0 ? "true" : "false");
        break;
    case CEDEI_FIELD_ENUM: emit(printer, "%" PRId64, cedei_enum_load(field, slot)); break;
    case CEDEI_FIELD_I8:
    case CEDEI_FIELD_I16:
    case CEDEI_FIELD_I32:
    case CEDEI_FIELD_I64:
        bits = unsigned_load(slot, field->width) << (64 - 8 * field->width);
        /* Back down as a signed number: the sign goes along (gcc and clang define it so). */
        emit(printer, "%" PRId64, (int64_t)bits >> (64 - 8 * field->width));
        break;
    default: emit(printer, "%" PRIu64, unsigned_load(slot, field->width)); break;
    }
}

static void print_element(struct printer *printer, const struct cedei_field *field,
                          const void *slot) {
    if (!cedei_field_is_pointer(field)) {
        print_value(printer, field, slot);
        return;
    }
    const void *content = cedei_boxed_load(slot);
    if (content == NULL) {
        emit(printer, "none");
    } else if (printer->boxes == PRINT_BOXES_MAX) {
        emit(printer, "...");
    } else {
        printer->boxes++;
        print_value(printer, field, content);
        printer->boxes--;
    }
}

static void print_elements(struct printer *printer, const struct cedei_field *field,
                           const void *first, uint32_t count) {
    uint32_t shown = first == NULL ? 0 : count;
    if (shown > PRINT_ELEMENTS_MAX) shown = PRINT_ELEMENTS_MAX;
    const char *slot = first;
    emit(printer, "[");
    for (uint32_t i = 0; i < shown; i++, slot += field->size) {
        if (i != 0) emit(printer, ", ");
        print_element(printer, field, slot);
    }
    if (count > shown) emit(printer, "%s...(%" PRIu32 " elements)", shown != 0 ? ", " : "", count);
    emit(printer, "]");
}

static void print_message(struct printer *printer, const struct cede_type *type,
                          const void *message) {
    emit(printer, "%s{", type->name);
    if (type->drop != NULL) emit(printer, "...");
    uint32_t count;
    const struct cedei_field *field = cedei_fields_present(type, message, &count);
    if (type->tag_size != 0 && count == 0) emit(printer, "?");
    for (uint32_t i = 0; i < count; i++, field++) {
        const void *slot = (const char *)message + field->offset;
        emit(printer, "%s%s=", i != 0 ? ", " : "", field->name);
        if (field->shape == CEDEI_SHAPE_ONE) {
            print_element(printer, field, slot);
        } else if (field->shape == CEDEI_SHAPE_ARRAY) {
            print_elements(printer, field, slot, field->count);
        } else {
            struct cedei_list list = cedei_list_load(slot);
            print_elements(printer, field, list.items, list.count);
        }
    }
    emit(printer, "}");
}

size_t cede_message_print(const struct cede_type *type, const void *message, char *out,
                          size_t size) {
    struct printer printer = {.out = out, .size = size};
    if (size != 0) out[0] = '\0';
    print_message(&printer, type, message);
    return printer.used;
}

void cedei_kind_describe(const struct cedei_kind_words *words, char *out, size_t size) {
    static const char *const KINDS[] = {"?",   "u8",  "u16", "u32",  "u64",  "i8",  "i16", "i32",
                                        "i64", "f32", "f64", "bool", "enum", "ref", "str", "bytes"};
    struct printer printer = {.out = out, .size = size};
    bool is_list = words->shape == CEDEI_SHAPE_LIST, is_array = words->shape == CEDEI_SHAPE_ARRAY;
    bool is_boxed = (words->flags & CEDEI_FLAG_BOXED) != 0;
    bool is_shared = (words->flags & CEDEI_FLAG_SHARED) != 0;
    emit(&printer, "%s%s",
         is_list    ? "list("
         : is_array ? "array("
                    : "",
         is_boxed    ? "opt("
         : is_shared ? "shared("
                     : "");
    if (words->kind == CEDEI_FIELD_MSG)
        emit(&printer, "msg(#%08" PRIx32 ")", words->nested);
    else
        emit(&printer, "%s", words->kind < CEDEI_FIELD_MSG ? KINDS[words->kind] : "unknown");
    emit(&printer, "%s%s", is_boxed || is_shared ? ")" : "", is_list || is_array ? ")" : "");
}
