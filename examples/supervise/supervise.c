/* supervise.c - a worker that fails on some of its input, and a supervisor that starts it again. */
#include <stdio.h>
#include <string.h>

#include <cede/cede.h>

#define LINE(F)                                                                                    \
    F(str, text)                                                                                   \
    F(u32, number)
CEDE_MESSAGE(line, LINE);

struct reader {
    uint32_t lines; /* since it was started */
};

/* Answers with the number of the line; a line that it does not like ends it. */
static cede_result on_line(cede_self *self, struct reader *reader, struct line *line) {
    if (strcmp(cede_str_text(&line->text), "bad") == 0)
        return cede_fail(self, CEDE_EBADMSG, "a bad line");
    line->number = ++reader->lines;
    return cede_reply(self, line, &line);
}
#define READER(ON) ON(line, on_line)
CEDE_BEHAVIOUR(reader, struct reader, READER);

static const struct cede_child CHILDREN[] = {
    {.id = "reader", .behaviour = &reader, .restart = CEDE_PERMANENT, .name = "reader"},
};
static const struct cede_supervisor DESK = {
    .strategy = CEDE_ONE_FOR_ONE, CEDE_CHILDREN(CHILDREN), .restarts_max = 5};

/* Until it has ended: from then on its name is free for the next one. */
CEDE_YIELDS static cede_result end_await(cede_self *self, cede_ref actor) {
    struct cede_down *down = NULL;
    cede_result r = cede_monitor(self, actor);
    if (r == CEDE_OK) r = cede_recv(self, cede_down, &down, CEDE_SECONDS(5));
    cede_drop(self, &down);
    return r;
}

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    cede_ref desk = {0}, to = {0};
    cede_result r = cede_supervisor_start(self, &DESK, CEDE_SECONDS(5), &desk);
    for (int i = 1; r == CEDE_OK && i < argc; i++) {
        struct line *line = cede_new(self, line);
        if (line == NULL) return CEDE_ENOMEM;
        r = cede_str_set(&line->text, argv[i]);
        if (r == CEDE_OK) r = cede_name_await(self, "reader", CEDE_SECONDS(5), &to);
        if (r == CEDE_OK) r = cede_ask(self, to, &line, line, &line, CEDE_SECONDS(5));
        if (r == CEDE_OK) printf("%s: line %u\n", argv[i], (unsigned)line->number);
        if (r != CEDE_OK) printf("%s: %s\n", argv[i], cede_result_text(r));
        if (r == CEDE_ENOREPLY) r = end_await(self, to);
        cede_drop(self, &line);
    }
    return r;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
