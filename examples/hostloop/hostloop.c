/* hostloop.c - a program with a poll loop of its own, and an actor system inside: hostloop [FILE]
 * The loop owns the input and the output. Each line goes to an actor, which counts its words and answers by a message;
 * the loop learns of answers by the descriptor of its inbox, beside its other descriptors. SIGTERM is a message too. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cede/cede.h>

#define LINE(F)                                                                                    \
    F(str, text)                                                                                   \
    F(ref, loop)
CEDE_MESSAGE(line, LINE);
#define COUNTED(F)                                                                                 \
    F(u64, number)                                                                                 \
    F(u64, words)
CEDE_MESSAGE(counted, COUNTED);

/* Lines that may wait for an answer before the loop stops reading: well below what a mailbox holds. */
enum { AHEAD_MAX = 1000 };

/* ---- the actor ---- */

struct counter {
    uint64_t lines;
};

static cede_result on_line(cede_self *self, struct counter *counter, struct line *line) {
    struct counted *answer = cede_new(self, counted);
    if (answer == NULL) return CEDE_ENOMEM;
    answer->number = ++counter->lines;
    bool inside = false;
    for (const char *c = cede_str_text(&line->text); *c != '\0'; c++) {
        bool blank = strchr(" \t\r", *c) != NULL;
        if (!blank && !inside) answer->words++;
        inside = !blank;
    }
    cede_result r = cede_send(self, line->loop, &answer);
    cede_drop(self, &answer); /* NULL, unless it could not be sent */
    return r;
}
#define COUNTER(ON) ON(line, on_line)
CEDE_BEHAVIOUR(counter, struct counter, COUNTER);

/* ---- the loop ---- */

struct loop {
    uint64_t sent, answered;
    bool end; /* of the input, or SIGTERM */
};

static cede_result on_counted(cede_self *self, struct loop *loop, struct counted *answer) {
    (void)self;
    loop->answered++;
    printf("line %" PRIu64 ": %" PRIu64 " words\n", answer->number, answer->words);
    return CEDE_OK;
}
static cede_result on_cede_signal(cede_self *self, struct loop *loop, struct cede_signal *message) {
    (void)self, (void)message;
    loop->end = true;
    return CEDE_OK;
}
#define LOOP(ON)                                                                                   \
    ON(counted, on_counted)                                                                        \
    ON(cede_signal, on_cede_signal)
CEDE_BEHAVIOUR(loop, struct loop, LOOP);

/* Sends every whole line of what has come; at the end of the input also the rest. */
static cede_result input_take(cede_self *self, int fd, cede_ref counter_ref, struct loop *state) {
    static char buffer[4096];
    static size_t used;
    ssize_t size = read(fd, buffer + used, sizeof buffer - 1 - used);
    if (size < 0) return errno == EINTR || errno == EAGAIN ? CEDE_OK : CEDE_EIO;
    used += (size_t)size;
    state->end = size == 0;
    for (;;) { /* until no whole line is left */
        char *newline = memchr(buffer, '\n', used);
        bool full = used == sizeof buffer - 1;
        if (newline == NULL && (used == 0 || !(state->end || full))) return CEDE_OK;
        size_t length = newline != NULL ? (size_t)(newline - buffer) : used;
        struct line *line = cede_new(self, line);
        if (line == NULL) return CEDE_ENOMEM;
        line->loop = cede_self_ref(self);
        cede_result r = cede_str_set_sized(&line->text, buffer, length);
        if (r == CEDE_OK) r = cede_send(self, counter_ref, &line);
        cede_drop(self, &line); /* NULL, unless it could not be sent */
        if (r != CEDE_OK) return r;
        state->sent++;
        used -= length + (newline != NULL);
        memmove(buffer, buffer + length + (newline != NULL), used);
    }
}

static cede_result loop_run(cede_inbox *inbox, int fd) {
    cede_self *self = cede_inbox_self(inbox);
    struct loop state = {0};
    cede_ref counter_ref = {0};
    cede_result r = cede_signal_watch(self, SIGTERM);
    if (r == CEDE_OK) r = cede_spawn(self, &counter, CEDE_NOTHING, &counter_ref);
    while (r == CEDE_OK && !(state.end && state.answered == state.sent)) {
        bool pause = state.end || state.sent - state.answered > AHEAD_MAX;
        struct pollfd watched[] = {{.fd = cede_inbox_fd(inbox), .events = POLLIN},
                                   {.fd = pause ? -1 : fd, .events = POLLIN}};
        if (poll(watched, 2, -1) < 0 && errno != EINTR) return CEDE_EIO;
        if (watched[1].revents != 0) r = input_take(self, fd, counter_ref, &state);
        if (r == CEDE_OK && watched[0].revents != 0)
            r = cede_inbox_handle(inbox, &loop, &state, 64, 0, NULL);
    }
    return r;
}

int main(int argc, char **argv) {
    int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
    if (fd < 0) {
        perror(argv[1]);
        return 1;
    }
    cede_system *system = NULL;
    cede_inbox *inbox = NULL;
    cede_result r = cede_system_create(&system, NULL);
    if (r == CEDE_OK) r = cede_inbox_open(system, 0, &inbox);
    if (r == CEDE_OK) r = loop_run(inbox, fd);
    cede_inbox_close(inbox);
    cede_system_destroy(system);
    if (r != CEDE_OK) fprintf(stderr, "hostloop: %s\n", cede_result_text(r));
    return r == CEDE_OK ? 0 : 1;
}
