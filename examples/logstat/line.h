/* line.h - what a line of dpkg.log says: a pure function over its bytes.
 *
 * A line is what stands between two newlines; one carriage return at its end is not part of it. Its fields are separated
 * by runs of blanks and tabs (a line that begins with one has an empty first field). It is a package event if
 *   field 1 is a date, dddd-dd-dd;
 *   field 3 is an action: install, upgrade, configure, trigproc, disappear, remove or purge;
 *   field 4, the package as dpkg writes it, "libc6:amd64", is there and not empty.
 * So `status`, `startup` and `conffile` lines are none: they tell of steps within an event. Bytes are bytes: a package may
 * hold a NUL, and need not be UTF-8. reference.sh says the same in awk. */
#ifndef LOGSTAT_LINE_H
#define LOGSTAT_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum { DAY_SIZE = 10 };

/* Points into the line. */
struct line_event {
    const char *day; /* DAY_SIZE bytes */
    const char *package;
    size_t package_size;
};

/* Whether the line, without its newline, is a package event; `*out` is written if it is. */
bool line_event_find(const char *line, size_t size, struct line_event *out);

#endif
