// expect: incompatible pointer type
// errors: 3
#include <cede/actor.h>

struct logfile {
    int number;
    CEDE_MESSAGE_MARK;
};
struct stranger {
    int number;
};
#ifdef RIGHT
static void logfile_close(struct logfile *log) { log->number = 0; }
#else
static void logfile_close(struct stranger *log) { log->number = 0; }
#endif
CEDE_OPAQUE_MESSAGE(logfile, logfile_close);
