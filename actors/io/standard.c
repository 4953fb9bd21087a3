/* standard.c - pipes, standard input and output as streams.
 * What this process did not open itself may be used by others through the same description, whose O_NONBLOCK would be
 * theirs too: a pipe or terminal is opened once more, a socket needs no flag, and a file blocks, on the pool. */
#include "actors/io/descriptor.h"

enum { STANDARD_INPUT = 0, STANDARD_OUTPUT = 1 };

cede_result cede_pipe(cede_self *self, struct cede_stream **reader, struct cede_stream **writer) {
    int ends[2] = {-1, -1};
    struct cede_stream *one = NULL, *two = NULL;
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_pipe", "");
    if (reader == NULL || writer == NULL) return CEDE_EINVAL;
    cede_result r = cedei_pipe(ends);
    if (r != CEDE_OK) return r;
    r = cedei_stream_make(self, ends[0], CEDEI_IO_SHORT_IS_ALL, &one);
    if (r != CEDE_OK) {
        cedei_descriptor_close(ends[1]);
        return r;
    }
    r = cedei_stream_make(self, ends[1], 0, &two);
    if (r != CEDE_OK) {
        cede_drop(self, &one);
        return r;
    }
    one->half = CEDE_READING;
    two->half = CEDE_WRITING;
    *reader = one;
    *writer = two;
    return CEDE_OK;
}

static cede_result stream_of(cede_self *self, int number, enum cede_direction which,
                             struct cede_stream **out) {
    int own = -1;
    enum cedei_descriptor_kind kind = CEDEI_DESCRIPTOR_FILE;
    struct cede_stream *stream = NULL;
    uint32_t flags = CEDEI_IO_SHARED | CEDEI_IO_MAY_BLOCK;
    cede_result r = cedei_descriptor_kind_of(number, &kind);
    if (r != CEDE_OK) return r;
    if (kind == CEDEI_DESCRIPTOR_PIPE)
        r = cedei_descriptor_reopen(number, which == CEDE_WRITING, &own);
    if (kind != CEDEI_DESCRIPTOR_PIPE || r == CEDE_EACCES || r == CEDE_ENOENT) {
        /* Without a description of its own, a pipe is used as a file is. */
        r = cedei_descriptor_copy(number, &own);
        flags |= kind == CEDEI_DESCRIPTOR_SOCKET ? CEDEI_IO_SOCKET : CEDEI_IO_BLOCKS;
    }
    if (r != CEDE_OK) return r;
    r = cedei_stream_make(self, own, flags, &stream);
    if (r != CEDE_OK) return r;
    stream->half = (uint32_t)which;
    *out = stream;
    return CEDE_OK;
}

cede_result cede_stdin(cede_self *self, struct cede_stream **out) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_stdin", "");
    return out != NULL ? stream_of(self, STANDARD_INPUT, CEDE_READING, out) : CEDE_EINVAL;
}

cede_result cede_stdout(cede_self *self, struct cede_stream **out) {
    if (self == NULL) return CEDE_ECONTEXT;
    cedei_self_check(self, "cede_stdout", "");
    return out != NULL ? stream_of(self, STANDARD_OUTPUT, CEDE_WRITING, out) : CEDE_EINVAL;
}
