/* pipeline.c - backpressure from end to end: `pipeline [FILE]` reads lines "NAME AMOUNT" from a file or standard input, and passes
 * them through a parser to a slow ledger. Each stage has room for 8 messages and suspends who sends more, so that the reader
 * reads no faster than the ledger writes, and memory does not depend on the length of the input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cede/cede.h>

enum { ROOM = 8, LINE_SIZE = 256 };

#define LINE(F) F(str, text)
CEDE_MESSAGE(line, LINE);
#define ENTRY(F)                                                                                   \
    F(str, name)                                                                                   \
    F(i64, amount)
CEDE_MESSAGE(entry, ENTRY);
#define FINISH(F)
CEDE_MESSAGE(finish, FINISH);
#define STAGE(F) F(ref, next)
CEDE_MESSAGE(stage, STAGE);
#define SUMMARY(F)                                                                                 \
    F(u64, entries)                                                                                \
    F(i64, sum)                                                                                    \
    F(str, largest)                                                                                \
    F(u32, most_waiting)
CEDE_MESSAGE(summary, SUMMARY);

/* ---- the ledger: the slow end ---- */

struct ledger {
    uint64_t entries;
    int64_t sum, largest_amount;
    struct entry *largest; /* kept */
    uint32_t most_waiting;
};

CEDE_YIELDS static cede_result on_entry(cede_self *self, struct ledger *ledger,
                                        struct entry *entry) {
    uint32_t waiting = cede_waiting(self, cede_self_ref(self));
    if (waiting > ledger->most_waiting) ledger->most_waiting = waiting;
    cede_result r = cede_sleep(self, 100000); /* as if it were written to a slow disk */
    if (r != CEDE_OK) return r;
    ledger->entries++;
    ledger->sum += entry->amount;
    if (ledger->largest != NULL && entry->amount <= ledger->largest_amount) return CEDE_OK;
    ledger->largest_amount = entry->amount;
    cede_drop(self, &ledger->largest);
    ledger->largest = cede_keep(self, &entry);
    return CEDE_OK;
}

/* The question of whoever wants to know the outcome; it waits behind all entries. */
static cede_result on_finish(cede_self *self, struct ledger *ledger, struct finish *question) {
    struct summary *summary = cede_new(self, summary);
    if (summary == NULL) return CEDE_ENOMEM;
    summary->entries = ledger->entries;
    summary->sum = ledger->sum;
    summary->most_waiting = ledger->most_waiting;
    if (ledger->largest != NULL) {
        summary->largest = ledger->largest->name; /* moves: nothing more will come */
        ledger->largest->name = (cede_str){0};
    }
    return cede_reply(self, question, &summary);
}
#define LEDGER(ON)                                                                                 \
    ON(entry, on_entry)                                                                            \
    ON(finish, on_finish)
CEDE_BEHAVIOUR(ledger, struct ledger, LEDGER, .mailbox_max = ROOM, .when_full = CEDE_FULL_SUSPEND);

/* ---- the parser: knows nothing of backpressure. When the ledger is full, its next line waits until there is room. ---- */

struct parser {
    cede_ref next;
};

static cede_result on_stage(cede_self *self, struct parser *parser, struct stage *stage) {
    (void)self;
    parser->next = stage->next;
    return CEDE_OK;
}

static cede_result on_line(cede_self *self, struct parser *parser, struct line *line) {
    char name[LINE_SIZE];
    long long amount = 0;
    if (sscanf(cede_str_text(&line->text), "%255s %lld", name, &amount) != 2) return CEDE_OK;
    struct entry *entry = cede_new(self, entry);
    if (entry == NULL) return CEDE_ENOMEM;
    entry->amount = amount;
    cede_result r = cede_str_set(&entry->name, name);
    if (r == CEDE_OK) r = cede_send(self, parser->next, &entry);
    cede_drop(self, &entry);
    return r;
}

/* Passes the question on; the ledger will answer it. */
static cede_result on_finish_parsing(cede_self *self, struct parser *parser,
                                     struct finish *question) {
    return cede_send(self, parser->next, &question);
}
#define PARSER(ON)                                                                                 \
    ON(stage, on_stage)                                                                            \
    ON(line, on_line)                                                                              \
    ON(finish, on_finish_parsing)
CEDE_BEHAVIOUR(parser, struct parser, PARSER, .mailbox_max = ROOM, .when_full = CEDE_FULL_SUSPEND);

/* ---- the reader: straight-line code, which waits where it sends ---- */

CEDE_YIELDS static cede_result line_pass(cede_self *self, cede_ref to, const char *text,
                                         size_t size) {
    struct line *line = cede_new(self, line);
    if (line == NULL) return CEDE_ENOMEM;
    cede_result r = cede_str_set_sized(&line->text, text, size);
    if (r == CEDE_OK) r = cede_send_wait(self, to, &line, CEDE_FOREVER);
    cede_drop(self, &line);
    return r;
}

CEDE_YIELDS static cede_result stream_pass(cede_self *self, cede_ref to) {
    struct cede_stream *in = NULL;
    char text[LINE_SIZE];
    size_t size = 0;
    cede_result r = cede_stdin(self, &in);
    while (r == CEDE_OK) {
        r = cede_read_until(self, in, '\n', text, sizeof text, &size, CEDE_FOREVER);
        if (r == CEDE_OK) r = line_pass(self, to, text, size - 1);
    }
    cede_drop(self, &in);
    return r == CEDE_ECLOSED ? CEDE_OK : r;
}

CEDE_YIELDS static cede_result file_pass(cede_self *self, cede_ref to, const char *path) {
    struct cede_file *file = NULL;
    char text[LINE_SIZE];
    size_t got = 0;
    uint64_t offset = 0;
    cede_result r = cede_file_open(self, path, CEDE_FILE_READ, &file);
    while (r == CEDE_OK) {
        r = cede_file_read(self, file, offset, text, sizeof text, &got);
        if (r != CEDE_OK || got == 0) break;
        const char *end = memchr(text, '\n', got);
        size_t size = end != NULL ? (size_t)(end - text) : got;
        r = line_pass(self, to, text, size);
        offset += size + 1;
    }
    cede_drop(self, &file);
    return r;
}

CEDE_YIELDS static cede_result stages_start(cede_self *self, cede_ref *first) {
    struct stage *stage = cede_new(self, stage);
    if (stage == NULL) return CEDE_ENOMEM;
    cede_result r = cede_spawn(self, &ledger, CEDE_NOTHING, &stage->next);
    if (r == CEDE_OK) r = cede_spawn(self, &parser, &stage, first);
    cede_drop(self, &stage);
    return r;
}

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    cede_ref first = {0};
    cede_result r = stages_start(self, &first);
    if (r == CEDE_OK) r = argc > 1 ? file_pass(self, first, argv[1]) : stream_pass(self, first);
    if (r != CEDE_OK) return r;
    struct finish *question = cede_new(self, finish);
    struct summary *summary = NULL;
    if (question == NULL) return CEDE_ENOMEM;
    r = cede_ask(self, first, &question, summary, &summary, CEDE_FOREVER);
    cede_drop(self, &question);
    if (r != CEDE_OK) return r;
    printf("%llu entries, %lld in all, most by %s\n", (unsigned long long)summary->entries,
           (long long)summary->sum, cede_str_text(&summary->largest));
    printf("%s\n", summary->most_waiting <= ROOM + 1
                       ? "no stage had more waiting than it has room for"
                       : "a stage was flooded");
    cede_drop(self, &summary);
    return CEDE_OK;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
