/* office.c - see office.h. Straight-line code: start, wait, settle, collect, finish; each step an ask or a receive.
 *
 * The totals are taken only if one and the same life of the aggregator confirms, for each parser, the number of the last
 * partial that the parser has sent to it. If it cannot, that life is given up and the next one is settled. */
#include "office.h"

#include <inttypes.h>
#include <stdio.h>

#include "aggregator.h"
#include "parser.h"
#include "reader.h"
#include "supervisor.h"

#define PATIENCE CEDE_SECONDS(120)
#define LOOK_NS CEDE_MILLIS(100)

struct staff {
    struct office *office;
    cede_ref supervisor, reader;
    cede_ref parsers[PARSERS_MAX];
    uint64_t sequences[PARSERS_MAX]; /* of each parser's last partial to the aggregator of `epoch` */
    uint64_t epoch;
    cede_ref aggregator;
};

/* ---- starting ---- */

static cede_result supervisor_start(cede_self *self, struct staff *staff) {
    const struct office_order *order = &staff->office->order;
    struct supervise *work = cede_new(self, supervise);
    if (work == NULL) return CEDE_ENOMEM;
    work->restarts_max = order->restarts_max;
    work->start_ns = order->start_ns;
    work->trace = order->trace;
    cede_result r = cede_str_set(&work->url, order->url);
    if (r == CEDE_OK) r = supervisor_spawn(self, &work, &staff->supervisor);
    if (r == CEDE_OK) r = cede_publish(self, SUPERVISOR_NAME, staff->supervisor);
    cede_drop(self, &work);
    return r;
}

static cede_result reader_start(cede_self *self, struct staff *staff) {
    const struct office_order *order = &staff->office->order;
    struct read_inputs *work = cede_new(self, read_inputs);
    if (work == NULL) return CEDE_ENOMEM;
    work->batch_size = order->batch_size;
    cede_result r = CEDE_OK;
    for (uint32_t i = 0; r == CEDE_OK && i < order->path_count; i++) {
        struct input *input = cede_list_add(&work->inputs);
        r = input == NULL ? CEDE_ENOMEM : cede_str_set(&input->path, order->paths[i]);
    }
    if (r == CEDE_OK) r = reader_spawn(self, &work, &staff->reader);
    cede_drop(self, &work);
    return r;
}

static cede_result parser_start(cede_self *self, struct staff *staff, uint32_t number) {
    struct parse *work = cede_new(self, parse);
    if (work == NULL) return CEDE_ENOMEM;
    work->number = number;
    work->reader = staff->reader;
    work->supervisor = staff->supervisor;
    work->office = cede_self_ref(self);
    cede_result r = parser_spawn(self, &work, &staff->parsers[number]);
    cede_drop(self, &work);
    return r;
}

static cede_result staff_start(cede_self *self, struct staff *staff) {
    const struct cede_node_options node = {
        .name = "office", .cluster = CLUSTER_NAME, .listen_url = staff->office->order.url};
    cede_result r = cede_node_start(self, &node);
    if (r == CEDE_OK) r = supervisor_start(self, staff);
    if (r == CEDE_OK) r = reader_start(self, staff);
    for (uint32_t i = 0; r == CEDE_OK && i < staff->office->order.parsers; i++)
        r = parser_start(self, staff, i);
    return r;
}

/* ---- waiting for the parsers ---- */

static const char *role_of(const struct staff *staff, cede_ref ref) {
    if (cede_ref_equal(ref, staff->supervisor)) return "supervisor";
    return cede_ref_equal(ref, staff->reader) ? "reader" : "parser";
}

/* CEDE_OK if nobody has ended, which nobody should by now. */
CEDE_YIELDS static cede_result staff_look(cede_self *self, const struct staff *staff) {
    struct cede_down *down = NULL;
    cede_result r = cede_recv(self, cede_down, &down, 0);
    if (r == CEDE_ETIMEDOUT) return CEDE_OK;
    if (r != CEDE_OK) return r;
    cede_result reason = (cede_result)down->reason;
    fprintf(stderr, "logstat: the %s has ended: %s\n", role_of(staff, down->actor),
            cede_result_text(reason));
    cede_drop(self, &down);
    return reason == CEDE_OK ? CEDE_EFAILED : reason;
}

CEDE_YIELDS static cede_result parsers_await(cede_self *self, struct staff *staff) {
    struct office_result *result = &staff->office->result;
    for (uint32_t ready = 0; ready < staff->office->order.parsers;) {
        struct parsed *parsed = NULL;
        cede_result r = cede_recv(self, parsed, &parsed, LOOK_NS);
        if (r == CEDE_ETIMEDOUT) {
            r = staff_look(self, staff);
        } else if (r == CEDE_OK) {
            ready++;
            r = (cede_result)parsed->result;
            result->lines += parsed->lines;
            result->events += parsed->events;
            cede_drop(self, &parsed);
        }
        if (r != CEDE_OK) return r;
    }
    return CEDE_OK;
}

/* ---- collecting ---- */

CEDE_YIELDS static cede_result parser_settle(cede_self *self, struct staff *staff, uint32_t number,
                                             uint64_t after, uint64_t *epoch) {
    struct settle *request = cede_new(self, settle);
    struct settled *answer = NULL;
    if (request == NULL) return CEDE_ENOMEM;
    request->after = after;
    cede_result r = cede_ask(self, staff->parsers[number], &request, settled, &answer, PATIENCE);
    if (r == CEDE_OK) r = (cede_result)answer->result;
    if (r == CEDE_OK) {
        *epoch = answer->epoch;
        staff->sequences[number] = answer->sequence;
        staff->aggregator = answer->aggregator;
    }
    cede_drop(self, &request);
    cede_drop(self, &answer);
    return r;
}

/* All counts of all parsers are on their way to one life of the aggregator, later than `after`. */
CEDE_YIELDS static cede_result parsers_settle(cede_self *self, struct staff *staff, uint64_t after) {
    uint32_t agreed = 0;
    staff->epoch = 0;
    for (uint32_t i = 0; agreed < staff->office->order.parsers;
         i = (i + 1) % staff->office->order.parsers) {
        uint64_t epoch = 0;
        cede_result r = parser_settle(self, staff, i, after, &epoch);
        if (r != CEDE_OK) return r;
        agreed = epoch == staff->epoch ? agreed + 1 : 1;
        staff->epoch = epoch;
    }
    return CEDE_OK;
}

/* CEDE_EPROTO, with what is missing on standard error, if the aggregator has not got all that was sent. */
static cede_result page_check(const struct staff *staff, const struct page *page) {
    cede_result r = CEDE_OK;
    for (uint32_t i = 0; i < staff->office->order.parsers; i++) {
        uint64_t received = i < page->received.count ? page->received.items[i] : 0;
        if (received == staff->sequences[i]) continue;
        fprintf(stderr,
                "logstat: life %" PRIu64 " of the aggregator has %" PRIu64 " of %" PRIu64
                " partials of parser %" PRIu32 "\n",
                staff->epoch, received, staff->sequences[i], i);
        r = CEDE_EPROTO;
    }
    return r;
}

CEDE_YIELDS static cede_result page_collect(cede_self *self, struct staff *staff, uint64_t *from,
                                            bool *last) {
    struct counts *totals = &staff->office->result.totals;
    struct collect *request = cede_new(self, collect);
    struct page *page = NULL;
    if (request == NULL) return CEDE_ENOMEM;
    request->from = *from;
    cede_result r = cede_ask(self, staff->aggregator, &request, page, &page, PATIENCE);
    if (r == CEDE_OK) r = page_check(staff, page);
    for (uint32_t i = 0; r == CEDE_OK && i < page->tallies.count; i++)
        r = counts_add_tally(totals, &page->tallies.items[i]);
    if (r == CEDE_OK) {
        *from = page->next;
        *last = page->last;
    }
    cede_drop(self, &request);
    cede_drop(self, &page);
    return r;
}

/* The supervisor's limit of restarts bounds the loop: past it, settling fails. */
CEDE_YIELDS static cede_result totals_collect(cede_self *self, struct staff *staff) {
    uint64_t after = 0;
    for (;;) {
        uint64_t from = 0;
        bool last = false;
        cede_result r = parsers_settle(self, staff, after);
        if (r != CEDE_OK) return r;
        while (r == CEDE_OK && !last) r = page_collect(self, staff, &from, &last);
        if (r == CEDE_OK || r == CEDE_ENOMEM) return r;
        counts_clear(&staff->office->result.totals);
        after = staff->epoch;
    }
}

/* ---- the end ---- */

static void outcome_report(struct office_result *result, const struct outcome *outcome) {
    const char *path = cede_str_text(&outcome->path);
    result->bytes += outcome->size;
    if (outcome->note.size > 0)
        fprintf(stderr, "logstat: %s: %s\n", path, cede_str_text(&outcome->note));
    if (outcome->problem.size == 0) return;
    fprintf(stderr, "logstat: %s: %s\n", path, cede_str_text(&outcome->problem));
    result->inputs_incomplete++;
}

CEDE_YIELDS static cede_result outcomes_collect(cede_self *self, struct staff *staff) {
    struct get_outcomes *request = cede_new(self, get_outcomes);
    struct outcomes *outcomes = NULL;
    if (request == NULL) return CEDE_ENOMEM;
    cede_result r = cede_ask(self, staff->reader, &request, outcomes, &outcomes, PATIENCE);
    for (uint32_t i = 0; r == CEDE_OK && i < outcomes->items.count; i++)
        outcome_report(&staff->office->result, &outcomes->items.items[i]);
    cede_drop(self, &request);
    cede_drop(self, &outcomes);
    return r;
}

CEDE_YIELDS static cede_result aggregator_finish(cede_self *self, struct staff *staff) {
    struct finish *request = cede_new(self, finish);
    struct finished *answer = NULL;
    if (request == NULL) return CEDE_ENOMEM;
    cede_result r = cede_ask(self, staff->supervisor, &request, finished, &answer, PATIENCE);
    if (r == CEDE_OK) {
        staff->office->result.aggregator_pid = answer->pid;
        staff->office->result.aggregator_starts = answer->starts;
        if (answer->status != 0)
            fprintf(stderr, "logstat: at its end, the aggregator gave status %" PRId32 "\n",
                    answer->status);
    }
    cede_drop(self, &request);
    cede_drop(self, &answer);
    return r;
}

/* Nothing is shown rather than something wrong: all counts are missing. */
static void failure_report(const struct office *office, cede_result r) {
    fprintf(stderr, "logstat: no result: %s\n",
            r == CEDE_ECANCELED ? "no aggregator is left to add up the counts"
                                : cede_result_text(r));
    fprintf(stderr,
            "logstat: missing: all counts of all %" PRIu32 " inputs (%" PRIu64 " events in %" PRIu64
            " lines were found before the end)\n",
            office->order.path_count, office->result.events, office->result.lines);
}

cede_result office_run(cede_self *self, void *context) {
    struct office *office = context;
    struct staff staff = {.office = office};
    uint64_t start_ns = cede_now(self);
    cede_result r = staff_start(self, &staff);
    if (r == CEDE_OK) r = parsers_await(self, &staff);
    if (r == CEDE_OK) r = totals_collect(self, &staff);
    office->result.took_ns = cede_now(self) - start_ns;
    if (r == CEDE_OK) r = outcomes_collect(self, &staff);
    if (r == CEDE_OK) r = aggregator_finish(self, &staff);
    if (r == CEDE_OK) return CEDE_OK;
    counts_clear(&office->result.totals);
    failure_report(office, r);
    return r;
}
