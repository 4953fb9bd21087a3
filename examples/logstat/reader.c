/* reader.c - reads one input after the other and cuts them into batches of whole lines, one for each ask of a parser.
 * So at most one batch a parser is in memory, however large the input. Owns the open descriptor and the piece of a line
 * that the next batch begins with.
 *
 * A regular file counts with the size that it had when the run began: what is appended later is not read, and a note
 * says so; if it is shorter when it is read, or is another file by then, that is a problem. One of size 0, as those in
 * /proc are, is read to its end, as are pipes. */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { POLL_MS = 100 };

/* What stat said of an input when the run began. */
struct first_look {
    uint64_t size; /* bytes; 0: read to the end */
    dev_t device;
    ino_t inode;
};

struct reader {
    struct read_inputs *work;  /* kept */
    struct outcomes *outcomes; /* kept; one for each input, in order */
    struct first_look *looks;  /* one for each input */
    uint32_t current;          /* input */
    int descriptor;            /* of the current input, or -1 */
    uint64_t offset;           /* bytes read of it */
    cede_bytes piece;          /* of a line: read, but not in a batch yet */
};

static struct outcome *outcome_of(struct reader *reader) {
    return &reader->outcomes->items.items[reader->current];
}

static bool is_stdin(const char *path) { return strcmp(path, "-") == 0; }

/* Notes what is wrong with the current input, if nothing was before. */
static cede_result input_fail(struct reader *reader, const char *what) {
    struct outcome *outcome = outcome_of(reader);
    return outcome->problem.size == 0 ? cede_str_set(&outcome->problem, what) : CEDE_OK;
}

/* ---- at the start ---- */

static cede_result input_look(struct reader *reader) {
    const char *path = cede_str_text(&outcome_of(reader)->path);
    struct stat st;
    if ((is_stdin(path) ? fstat(STDIN_FILENO, &st) : stat(path, &st)) != 0)
        return input_fail(reader, strerror(cede_errno));
    if (S_ISDIR(st.st_mode)) return input_fail(reader, strerror(EISDIR));
    struct first_look *look = &reader->looks[reader->current];
    look->device = st.st_dev;
    look->inode = st.st_ino;
    if (S_ISREG(st.st_mode) && !is_stdin(path)) look->size = (uint64_t)st.st_size;
    return CEDE_OK;
}

static cede_result on_read_inputs(cede_self *self, struct reader *reader, struct read_inputs *work) {
    reader->descriptor = -1;
    uint32_t count = work->inputs.count;
    struct outcomes *outcomes = cede_new(self, outcomes);
    if (outcomes == NULL) return CEDE_ENOMEM;
    reader->outcomes = cede_keep(self, &outcomes);
    reader->looks = calloc(count, sizeof *reader->looks);
    if (reader->looks == NULL) return CEDE_ENOMEM;
    for (; reader->current < count; reader->current++) {
        struct outcome *outcome = cede_list_add(&reader->outcomes->items);
        if (outcome == NULL) return CEDE_ENOMEM;
        cede_result r =
            cede_str_set(&outcome->path, cede_str_text(&work->inputs.items[reader->current].path));
        if (r == CEDE_OK) r = input_look(reader);
        if (r != CEDE_OK) return r;
    }
    reader->current = 0;
    reader->work = cede_keep(self, &work);
    return CEDE_OK;
}

/* ---- one input ---- */

static cede_result input_open(struct reader *reader) {
    const char *path = cede_str_text(&outcome_of(reader)->path);
    const struct first_look *look = &reader->looks[reader->current];
    struct stat st;
    /* Without O_NONBLOCK a FIFO that nobody writes to would stop us here, also when the run is to end. */
    reader->descriptor = is_stdin(path) ? dup(STDIN_FILENO)
                                        : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (reader->descriptor < 0 || fstat(reader->descriptor, &st) != 0)
        return input_fail(reader, strerror(cede_errno));
    if (st.st_dev != look->device || st.st_ino != look->inode)
        return input_fail(reader, "was replaced by another file before it could be read");
    return CEDE_OK;
}

/* Ends the current input; the next one's turn comes. */
static cede_result input_close(struct reader *reader) {
    struct outcome *outcome = outcome_of(reader);
    const struct first_look *look = &reader->looks[reader->current];
    struct stat st;
    cede_result r = CEDE_OK;
    outcome->size = reader->offset - reader->piece.size;
    cede_bytes_clear(&reader->piece);
    if (reader->descriptor >= 0 && look->size > 0 && outcome->problem.size == 0 &&
        fstat(reader->descriptor, &st) == 0 && (uint64_t)st.st_size > look->size)
        r = cede_str_format(&outcome->note,
                            "has grown; the %" PRIu64 " bytes that it had at the start are counted",
                            look->size);
    if (reader->descriptor >= 0) (void)close(reader->descriptor);
    reader->descriptor = -1;
    reader->offset = 0;
    reader->current++;
    return r;
}

/* Waits in slices with a yield between them, so that the run can end although a pipe says nothing. */
CEDE_YIELDS static void input_await(cede_self *self, int descriptor) {
    struct pollfd poll_for = {.fd = descriptor, .events = POLLIN};
    while (poll(&poll_for, 1, POLL_MS) == 0) cede_yield(self);
}

/* Appends to `*lines` up to a batch of what the input has; `*end` if it has no more, for whatever reason. */
CEDE_YIELDS static cede_result input_read(cede_self *self, struct reader *reader, cede_bytes *lines,
                                          bool *end) {
    uint64_t limit = reader->looks[reader->current].size;
    uint64_t want = reader->work->batch_size;
    uint32_t had = lines->size;
    if (limit > 0 && limit - reader->offset < want) want = limit - reader->offset;
    *end = want == 0;
    if (*end) return CEDE_OK;
    cede_result r = cede_bytes_reserve(lines, had + want);
    if (r != CEDE_OK) return r;
    ssize_t got;
    do {
        if (limit == 0) input_await(self, reader->descriptor);
        got = read(reader->descriptor, lines->data + had, want);
    } while (got < 0 && (cede_errno == EINTR || cede_errno == EAGAIN));
    lines->size = had + (got > 0 ? (uint32_t)got : 0);
    reader->offset += got > 0 ? (uint64_t)got : 0;
    *end = got <= 0;
    if (got < 0) return input_fail(reader, strerror(cede_errno));
    if (got > 0 || limit == 0) return CEDE_OK;
    return cede_str_format(&outcome_of(reader)->problem,
                           "has shrunk while it was read, from %" PRIu64 " to %" PRIu64 " bytes",
                           limit, reader->offset);
}

/* The bytes of `lines` up to and with its last newline; `from` there on is new. */
static uint32_t whole_lines(const cede_bytes *lines, uint32_t from) {
    if (lines->size == from) return 0;
    const uint8_t *last = memrchr(lines->data + from, '\n', lines->size - from);
    return last == NULL ? 0 : (uint32_t)(last - lines->data) + 1;
}

/* Reads are at most a batch long, and a batch is shorter than LINE_MAX_SIZE: only the first line can be too long. */
static bool first_line_is_too_long(const cede_bytes *lines) {
    if (lines->size <= LINE_MAX_SIZE) return false;
    const uint8_t *newline = memchr(lines->data, '\n', lines->size);
    return newline == NULL || (size_t)(newline - lines->data) > LINE_MAX_SIZE;
}

/* Keeps what is behind the last whole line for the next batch. */
static cede_result piece_cut(struct reader *reader, cede_bytes *lines, uint32_t whole) {
    cede_result r = CEDE_OK;
    if (lines->size > whole)
        r = cede_bytes_set(&reader->piece, lines->data + whole, lines->size - whole);
    if (r == CEDE_OK) lines->size = whole;
    return r;
}

/* The next whole lines of the current input; none if it ends here. */
CEDE_YIELDS static cede_result input_lines(cede_self *self, struct reader *reader,
                                           cede_bytes *lines) {
    cede_bytes_clear(lines); /* an input that had nothing may have left it room */
    *lines = reader->piece;
    reader->piece = (cede_bytes){NULL, 0};
    bool end = false;
    while (!end) {
        uint32_t had = lines->size;
        cede_result r = input_read(self, reader, lines, &end);
        if (r != CEDE_OK) return r;
        if (first_line_is_too_long(lines)) {
            r = cede_str_format(&outcome_of(reader)->problem,
                                "the line at byte %" PRIu64
                                " is longer than %u bytes; read up to there",
                                reader->offset - lines->size, LINE_MAX_SIZE);
            if (r == CEDE_OK) r = piece_cut(reader, lines, 0);
            return r == CEDE_OK ? input_close(reader) : r;
        }
        uint32_t whole = whole_lines(lines, had);
        if (whole > 0 && !end) return piece_cut(reader, lines, whole);
    }
    /* The last line may lack its newline, unless there should have been more of it. */
    if (outcome_of(reader)->problem.size > 0) {
        cede_result r = piece_cut(reader, lines, 0);
        if (r != CEDE_OK) return r;
    }
    return input_close(reader);
}

/* ---- what parsers and the office ask ---- */

CEDE_YIELDS static cede_result on_next_batch(cede_self *self, struct reader *reader,
                                             struct next_batch *request) {
    struct batch *batch = cede_new(self, batch);
    if (batch == NULL) return CEDE_ENOMEM;
    cede_result r = CEDE_OK;
    while (r == CEDE_OK && batch->lines.size == 0 && reader->current < reader->work->inputs.count) {
        if (reader->descriptor < 0 && outcome_of(reader)->problem.size == 0) r = input_open(reader);
        if (r != CEDE_OK) break;
        if (outcome_of(reader)->problem.size > 0)
            r = input_close(reader);
        else
            r = input_lines(self, reader, &batch->lines);
    }
    batch->end = batch->lines.size == 0;
    if (r == CEDE_OK) r = cede_reply(self, request, &batch);
    cede_drop(self, &batch);
    return r;
}

static cede_result on_get_outcomes(cede_self *self, struct reader *reader,
                                   struct get_outcomes *request) {
    cede_result r = cede_reply(self, request, &reader->outcomes);
    return r == CEDE_OK ? CEDE_STOP : r;
}

static void reader_fini(void *state) {
    struct reader *reader = state;
    if (reader->work != NULL && reader->descriptor >= 0) (void)close(reader->descriptor);
    cede_bytes_clear(&reader->piece);
    free(reader->looks);
}

#define READER(ON)                                                                                 \
    ON(read_inputs, on_read_inputs)                                                                \
    ON(next_batch, on_next_batch)                                                                  \
    ON(get_outcomes, on_get_outcomes)
CEDE_BEHAVIOUR(reader, struct reader, READER, .kind = CEDE_BLOCKING, .fini = reader_fini);

cede_result reader_spawn(cede_self *self, struct read_inputs **work, cede_ref *out) {
    return cede_spawn_monitored(self, &reader, work, out);
}
