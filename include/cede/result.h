/* result.h - the result codes of every fallible function, and their texts. */
#ifndef CEDE_RESULT_H
#define CEDE_RESULT_H

#include <cede/annotate.h>

CEDE_C_BEGIN

/* One list: code, text. Never reordered: the values travel between nodes as exit reasons. */
#define CEDE_RESULT_LIST(R)                                                                        \
    R(CEDE_OK, "ok")                                                                               \
    R(CEDE_STOP, "the actor ends normally after this turn (returned by handlers only)")            \
    R(CEDE_ENOMEM, "out of memory")                                                                \
    R(CEDE_EINVAL, "invalid argument")                                                             \
    R(CEDE_ENOACTOR, "the actor does not exist (any more)")                                        \
    R(CEDE_EFULL, "the mailbox or queue is full")                                                  \
    R(CEDE_ETIMEDOUT, "the time allowed has passed")                                               \
    R(CEDE_ECLOSED, "closed or shutting down")                                                     \
    R(CEDE_EDEADLK, "would wait for itself")                                                       \
    R(CEDE_ENOREPLY, "the request was dropped without a reply")                                    \
    R(CEDE_EUNHANDLED, "the receiver has no handler for this message type")                        \
    R(CEDE_ETYPE, "the message is not of the expected type")                                       \
    R(CEDE_EOWNER, "the message is not owned by the caller (sent, dropped or foreign)")            \
    R(CEDE_ECONTEXT, "not allowed here (a worker where a plain thread is needed, or the reverse)") \
    R(CEDE_ELIMIT, "a configured or system limit is reached")                                      \
    R(CEDE_ECANCELED, "canceled")                                                                  \
    R(CEDE_EKILLED, "killed")                                                                      \
    R(CEDE_EBADMSG, "the bytes are not a valid message")                                           \
    R(CEDE_ETOOBIG, "larger than allowed")                                                         \
    R(CEDE_ENODE, "the link to the node is down")                                                  \
    R(CEDE_EPROTO, "the peer broke the protocol")                                                  \
    R(CEDE_EVERSION, "the peer speaks no common version")                                          \
    R(CEDE_ENOENT, "no such name, or not there any more")                                          \
    R(CEDE_EEXIST, "the name is taken")                                                            \
    R(CEDE_EACCES, "permission denied")                                                            \
    R(CEDE_ENOTSUP, "not supported for this type or on this system")                               \
    R(CEDE_EIO, "input/output error")                                                              \
    R(CEDE_EFAILED, "failed for a reason that has no code of its own")                             \
    R(CEDE_EREFUSED, "nobody listens at that address")                                             \
    R(CEDE_ERESET, "the other side or the network broke the connection off")                       \
    R(CEDE_EUNREACH, "there is no way to that address")                                            \
    R(CEDE_ELINKED, "an actor that it was linked with has failed")                                 \
    R(CEDE_EPOISONED, "an actor ended while it held the lock; repair what it guards")

/// The result of every function that can fail. CEDE_OK is 0; outputs are untouched on anything else.
typedef enum cede_result {
#define CEDEI_R(code, text) code,
    CEDE_RESULT_LIST(CEDEI_R)
#undef CEDEI_R
        CEDEI_RESULT_COUNT
} cede_result;

/// The name of a code, for example "CEDE_EFULL"; "CEDE_?" for a value that is none.
/// Ownership: static string. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD const char *cede_result_name(cede_result result);

/// One sentence that says what the code means.
/// Ownership: static string. Threads: any. Yields: no. Blocks: no.
CEDE_NOYIELD const char *cede_result_text(cede_result result);

CEDE_C_END
#endif
