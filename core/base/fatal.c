/* fatal.c - the one way in which Cede ends the process: a line on standard error, then abort. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/base.h"

void cedei_fatal(const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (length < 0) length = 0;
    if ((size_t)length > sizeof line - 2) length = (int)sizeof line - 2;
    line[length++] = '\n';
    /* One write, so that lines of several dying threads do not mix; its failure changes nothing any more. */
    if (write(STDERR_FILENO, line, (size_t)length) < 0) abort();
    abort();
}
