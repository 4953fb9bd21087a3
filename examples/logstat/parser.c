/* parser.c - asks the reader for a batch, counts its events, sends the counts to the aggregator, and again.
 *
 * Why the result is exact although the aggregator may die at any moment: a parser never gives its counts away, it keeps
 * their totals. An epoch is one life of an aggregator's process. In each epoch a parser numbers its partials from 1, and
 * the first ones hold its totals so far, so an aggregator that has partials 1 to n of a parser has all that the parser
 * had counted when it sent n, once, whatever former aggregators had. Invariant: when a partial of epoch e was sent,
 * `sequence` partials of e were sent, and together they are `totals`, but for counts that are being sent now. */
#include "parser.h"

#include <string.h>

#include "counts.h"
#include "line.h"

#define PATIENCE CEDE_SECONDS(60)
/* A partial is sent when its keys fill so many bytes: well within what a link takes. */
enum { PARTIAL_SIZE = 256 * 1024, TALLY_SIZE = 32 };
/* Between two yields, to let others run. */
enum { LINES_PER_SLICE = 256 };

struct parser {
    struct parse *work;   /* kept */
    struct counts totals; /* of all batches so far */
    struct counts news; /* of the present batch; here, for a local is lost when a yield is the last */
    uint64_t lines, events;
    cede_ref aggregator;
    uint64_t epoch;    /* its life; 0: none yet */
    uint64_t sequence; /* of the last partial that was sent in this epoch */
};

/* ---- counting ---- */

static cede_result line_count(struct parser *parser, struct counts *news, const char *line,
                              size_t size) {
    struct line_event event;
    parser->lines++;
    if (!line_event_find(line, size, &event)) return CEDE_OK;
    parser->events++;
    cede_result r = counts_add(news, PACKAGES, event.package, event.package_size, 1);
    return r == CEDE_OK ? counts_add(news, DAYS, event.day, DAY_SIZE, 1) : r;
}

CEDE_YIELDS static cede_result lines_count(cede_self *self, struct parser *parser,
                                           struct counts *news, const cede_bytes *lines) {
    if (lines->size == 0) return CEDE_OK;
    const char *next = (const char *)lines->data, *end = next + lines->size;
    for (uint32_t i = 1; next < end; i++) {
        const char *newline = memchr(next, '\n', (size_t)(end - next));
        size_t size = (size_t)((newline == NULL ? end : newline) - next);
        cede_result r = line_count(parser, news, next, size);
        if (r != CEDE_OK) return r;
        next += size + 1;
        if (i % LINES_PER_SLICE == 0) cede_yield(self);
    }
    return CEDE_OK;
}

/* ---- sending ---- */

CEDE_YIELDS static cede_result partial_send(cede_self *self, struct parser *parser,
                                            struct partial **partial) {
    (*partial)->epoch = parser->epoch;
    (*partial)->parser = parser->work->number;
    (*partial)->sequence = parser->sequence + 1;
    cede_result r = cede_send_wait(self, parser->aggregator, partial, PATIENCE);
    if (r == CEDE_OK) parser->sequence++;
    return r;
}

/* Sends all of `counts`, in as many partials as it takes. */
CEDE_YIELDS static cede_result counts_send(cede_self *self, struct parser *parser,
                                           const struct counts *counts) {
    cede_result r = CEDE_OK;
    for (size_t i = 0; r == CEDE_OK && i < counts->capacity;) {
        size_t size = 0;
        struct partial *partial = cede_new(self, partial);
        if (partial == NULL) return CEDE_ENOMEM;
        for (; r == CEDE_OK && i < counts->capacity && size < PARTIAL_SIZE; i++) {
            if (counts->places[i].key == NULL) continue;
            struct tally *tally = cede_list_add(&partial->tallies);
            r = tally == NULL ? CEDE_ENOMEM : counts_entry_write(&counts->places[i], tally);
            size += counts->places[i].size + TALLY_SIZE;
        }
        if (r == CEDE_OK && size > 0) r = partial_send(self, parser, &partial);
        cede_drop(self, &partial);
    }
    return r;
}

/* Takes up the aggregator of a later epoch than `after`. CEDE_ECANCELED: there will be none. */
CEDE_YIELDS static cede_result aggregator_locate(cede_self *self, struct parser *parser,
                                                 uint64_t after) {
    struct locate *request = cede_new(self, locate);
    struct located *answer = NULL;
    if (request == NULL) return CEDE_ENOMEM;
    request->after = after;
    cede_result r = cede_ask(self, parser->work->supervisor, &request, located, &answer, PATIENCE);
    if (r == CEDE_OK && answer->epoch == 0) r = CEDE_ECANCELED;
    if (r == CEDE_OK && answer->epoch != parser->epoch) {
        parser->epoch = answer->epoch;
        parser->aggregator = answer->aggregator;
        parser->sequence = 0;
    }
    cede_drop(self, &request);
    cede_drop(self, &answer);
    return r;
}

/* Whether it says that the aggregator is no use any more: dead, cut off or stuck. */
static bool aggregator_is_lost(cede_result r) {
    return r == CEDE_ENODE || r == CEDE_ENOACTOR || r == CEDE_ETIMEDOUT || r == CEDE_ECLOSED;
}

/* Sends `news`, which are in the totals already; to an aggregator that knows nothing of us, the totals. */
CEDE_YIELDS static cede_result counts_deliver(cede_self *self, struct parser *parser,
                                              const struct counts *news) {
    for (;;) {
        cede_result r = CEDE_ENODE;
        if (parser->epoch != 0)
            r = counts_send(self, parser, parser->sequence == 0 ? &parser->totals : news);
        if (!aggregator_is_lost(r)) return r;
        r = aggregator_locate(self, parser, parser->epoch);
        if (r != CEDE_OK) return r;
    }
}

/* ---- handlers ---- */

CEDE_YIELDS static cede_result batch_handle(cede_self *self, struct parser *parser,
                                            const struct batch *batch) {
    struct counts *news = &parser->news;
    cede_result r = lines_count(self, parser, news, &batch->lines);
    if (r == CEDE_OK) r = counts_merge(&parser->totals, news);
    if (r == CEDE_OK && news->used > 0) r = counts_deliver(self, parser, news);
    counts_clear(news);
    return r;
}

CEDE_YIELDS static cede_result batches_handle(cede_self *self, struct parser *parser) {
    for (bool end = false; !end;) {
        struct next_batch *request = cede_new(self, next_batch);
        struct batch *batch = NULL;
        if (request == NULL) return CEDE_ENOMEM;
        cede_result r = cede_ask(self, parser->work->reader, &request, batch, &batch, CEDE_FOREVER);
        if (r == CEDE_OK) {
            end = batch->end;
            r = batch_handle(self, parser, batch);
        }
        cede_drop(self, &request);
        cede_drop(self, &batch);
        if (r != CEDE_OK) return r;
    }
    return CEDE_OK;
}

CEDE_YIELDS static cede_result on_parse(cede_self *self, struct parser *parser, struct parse *work) {
    parser->work = cede_keep(self, &work);
    cede_result result = batches_handle(self, parser);
    struct parsed *report = cede_new(self, parsed);
    if (report == NULL) return CEDE_ENOMEM;
    report->number = parser->work->number;
    report->result = (int32_t)result;
    report->lines = parser->lines;
    report->events = parser->events;
    cede_result r = cede_send(self, parser->work->office, &report);
    cede_drop(self, &report);
    return r;
}

CEDE_YIELDS static cede_result on_settle(cede_self *self, struct parser *parser,
                                         struct settle *request) {
    uint64_t epoch = parser->epoch;
    cede_result result = aggregator_locate(self, parser, request->after);
    if (result == CEDE_OK && parser->epoch != epoch)
        result = counts_deliver(self, parser, &parser->totals);
    struct settled *answer = cede_new(self, settled);
    if (answer == NULL) return CEDE_ENOMEM;
    answer->result = (int32_t)result;
    answer->epoch = parser->epoch;
    answer->sequence = parser->sequence;
    answer->aggregator = parser->aggregator;
    cede_result r = cede_reply(self, request, &answer);
    cede_drop(self, &answer);
    return r;
}

static void parser_fini(void *state) {
    struct parser *parser = state;
    counts_clear(&parser->totals);
    counts_clear(&parser->news);
}

#define PARSER(ON)                                                                                 \
    ON(parse, on_parse)                                                                            \
    ON(settle, on_settle)
CEDE_BEHAVIOUR(parser, struct parser, PARSER, .fini = parser_fini);

cede_result parser_spawn(cede_self *self, struct parse **work, cede_ref *out) {
    return cede_spawn_monitored(self, &parser, work, out);
}
