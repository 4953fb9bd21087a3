/* line.c - see line.h. */
#include "line.h"

#include <string.h>

struct field {
    const char *text;
    size_t size;
};

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

/* Cuts the next field off `*rest`, with the blanks behind it. */
static struct field field_next(struct field *rest) {
    size_t size = 0, blanks = 0;
    while (size < rest->size && !is_blank(rest->text[size])) size++;
    while (size + blanks < rest->size && is_blank(rest->text[size + blanks])) blanks++;
    struct field field = {rest->text, size};
    rest->text += size + blanks;
    rest->size -= size + blanks;
    return field;
}

static bool is_date(struct field field) {
    static const char shape[] = "dddd-dd-dd";
    if (field.size != DAY_SIZE) return false;
    for (size_t i = 0; i < DAY_SIZE; i++) {
        bool digit = field.text[i] >= '0' && field.text[i] <= '9';
        if (shape[i] == 'd' ? !digit : field.text[i] != shape[i]) return false;
    }
    return true;
}

static bool is_action(struct field field) {
    static const char *const actions[] = {"install",   "upgrade", "configure", "trigproc",
                                          "disappear", "remove",  "purge"};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        if (field.size == strlen(actions[i]) && memcmp(field.text, actions[i], field.size) == 0)
            return true;
    return false;
}

bool line_event_find(const char *line, size_t size, struct line_event *out) {
    if (size > 0 && line[size - 1] == '\r') size--;
    struct field rest = {line, size};
    struct field day = field_next(&rest);
    if (!is_date(day)) return false;
    (void)field_next(&rest); /* the time */
    if (!is_action(field_next(&rest))) return false;
    struct field package = field_next(&rest);
    if (package.size == 0) return false;
    *out = (struct line_event){day.text, package.text, package.size};
    return true;
}
