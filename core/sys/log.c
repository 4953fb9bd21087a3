/* log.c - formats a line on the stack and hands it on; lines over 400 bytes are cut. */
#include "core/sys/log.h"

#include <stdio.h>
#include <unistd.h>

#include "core/sys/call.h"

enum { LINE_MAX_BYTES = 400 };

static void stderr_write(enum cede_log_level level, const char *line) {
    static const char *const NAMES[] = {"", "error", "warning", "info", "debug"};
    char text[LINE_MAX_BYTES + 32];
    int length = snprintf(text, sizeof text, "cede: %s: %s\n", NAMES[level], line);
    /* One write, so that lines of several threads do not mix. There is nobody to tell when it fails. */
    if (length <= 0 || cedei_call_fails(CEDEI_CALL_LOG_WRITE)) return;
    if (write(STDERR_FILENO, text, (size_t)length) < 0) return;
}

void cedei_log_arguments(const struct cedei_log *log, enum cede_log_level level, const char *format,
                         va_list arguments) {
    if (level > log->level) return;
    char line[LINE_MAX_BYTES];
    if (vsnprintf(line, sizeof line, format, arguments) < 0) return;
    if (log->write != NULL)
        log->write(log->context, level, line);
    else
        stderr_write(level, line);
}

void cedei_log_line(const struct cedei_log *log, enum cede_log_level level, const char *format,
                    ...) {
    va_list arguments;
    va_start(arguments, format);
    cedei_log_arguments(log, level, format, arguments);
    va_end(arguments);
}
