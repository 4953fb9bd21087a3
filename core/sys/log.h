/* log.h - one line at a time to the user's log function or standard error. */
#ifndef CEDEI_SYS_LOG_H
#define CEDEI_SYS_LOG_H

#include <stdarg.h>

#include <cede/log.h>

/* Access: I. */
struct cedei_log {
    cede_log_fn *write; /* NULL: standard error */
    void *context;
    enum cede_log_level level; /* the least urgent that is written */
};

void cedei_log_line(const struct cedei_log *log, enum cede_log_level level, const char *format, ...)
    CEDE_PRINTF(3, 4);
void cedei_log_arguments(const struct cedei_log *log, enum cede_log_level level, const char *format,
                         va_list arguments) CEDE_PRINTF(3, 0);

#endif
