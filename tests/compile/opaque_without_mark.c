// expect: declare_this_type_with_CEDE_MESSAGE
// errors: 3
#include <stdio.h>

#include <cede/actor.h>

struct logfile {
    FILE *file;
#ifdef RIGHT
    CEDE_MESSAGE_MARK;
#endif
};
static void logfile_close(struct logfile *log) {
    if (log->file != NULL) fclose(log->file);
}
CEDE_OPAQUE_MESSAGE(logfile, logfile_close);
