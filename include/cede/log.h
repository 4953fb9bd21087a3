/* log.h - where the lines go that Cede itself has to say. */
#ifndef CEDE_LOG_H
#define CEDE_LOG_H

#include <cede/annotate.h>

CEDE_C_BEGIN

enum cede_log_level {
    CEDE_LOG_DEFAULT = 0, /* in options: CEDE_LOG_WARNING */
    CEDE_LOG_ERROR,
    CEDE_LOG_WARNING,
    CEDE_LOG_INFO,
    CEDE_LOG_DEBUG
};

/// Called with one line, without a newline, from any thread, also from several at once; must not call back into Cede.
typedef void cede_log_fn(void *context, enum cede_log_level level, const char *line CEDE_BORROWED);

CEDE_C_END
#endif
