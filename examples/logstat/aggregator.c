/* aggregator.c - adds up the partial counts of all parsers, and hands the totals out page by page.
 * Nothing outlives this process: what it knows, the parsers know too. Invariant: of each parser it has added partials
 * 1 to `received`, each once; one that is out of order ends the actor, and with it the process, rather than give totals
 * that are wrong. */
#include "aggregator.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "counts.h"

#define CONNECT_PATIENCE CEDE_SECONDS(20)
enum { PAGE_SIZE = 256 * 1024, TALLY_SIZE = 32 };

struct aggregator {
    struct counts totals;
    uint64_t epoch;
    uint64_t received[PARSERS_MAX]; /* number of the last partial; 0: none yet */
    bool trace;
};

/* ---- the actor ---- */

static cede_result on_aggregate(cede_self *self, struct aggregator *aggregator,
                                struct aggregate *work) {
    (void)self;
    aggregator->epoch = work->epoch;
    aggregator->trace = work->trace;
    return CEDE_OK;
}

static cede_result on_partial(cede_self *self, struct aggregator *aggregator,
                              struct partial *partial) {
    (void)self;
    if (partial->epoch != aggregator->epoch || partial->parser >= PARSERS_MAX) return CEDE_EBADMSG;
    uint64_t *received = &aggregator->received[partial->parser];
    if (partial->sequence <= *received) return CEDE_OK; /* again: added already */
    if (partial->sequence != *received + 1) return CEDE_EPROTO;
    for (uint32_t i = 0; i < partial->tallies.count; i++) {
        cede_result r = counts_add_tally(&aggregator->totals, &partial->tallies.items[i]);
        if (r != CEDE_OK) return r;
    }
    *received = partial->sequence;
    if (aggregator->trace)
        fprintf(stderr, "logstat: process %ld: merged partial %" PRIu64 " of parser %" PRIu32 "\n",
                (long)getpid(), partial->sequence, partial->parser);
    return CEDE_OK;
}

/* The tallies from place `from` on that fit into a page. */
static cede_result page_fill(const struct aggregator *aggregator, uint64_t from, struct page *page) {
    const struct counts *totals = &aggregator->totals;
    cede_result r = cede_list_reserve(&page->received, PARSERS_MAX);
    if (r != CEDE_OK) return r;
    for (uint32_t i = 0; i < PARSERS_MAX; i++)
        *cede_list_add(&page->received) = aggregator->received[i];
    size_t size = 0;
    for (page->next = from; page->next < totals->capacity && size < PAGE_SIZE; page->next++) {
        const struct counts_entry *entry = &totals->places[page->next];
        if (entry->key == NULL) continue;
        struct tally *tally = cede_list_add(&page->tallies);
        if (tally == NULL) return CEDE_ENOMEM;
        r = counts_entry_write(entry, tally);
        if (r != CEDE_OK) return r;
        size += entry->size + TALLY_SIZE;
    }
    page->last = page->next >= totals->capacity;
    return CEDE_OK;
}

static cede_result on_collect(cede_self *self, struct aggregator *aggregator,
                              struct collect *request) {
    struct page *page = cede_new(self, page);
    if (page == NULL) return CEDE_ENOMEM;
    cede_result r = page_fill(aggregator, request->from, page);
    if (r == CEDE_OK) r = cede_reply(self, request, &page);
    cede_drop(self, &page);
    return r;
}

static cede_result on_retire(cede_self *self, struct aggregator *aggregator,
                             struct retire *message) {
    (void)self, (void)message;
    if (aggregator->trace) fprintf(stderr, "logstat: process %ld: retires\n", (long)getpid());
    return CEDE_STOP;
}

static void aggregator_fini(void *state) {
    struct aggregator *aggregator = state;
    counts_clear(&aggregator->totals);
}

#define AGGREGATOR(ON)                                                                             \
    ON(aggregate, on_aggregate)                                                                    \
    ON(partial, on_partial)                                                                        \
    ON(collect, on_collect)                                                                        \
    ON(retire, on_retire)
CEDE_BEHAVIOUR(aggregator, struct aggregator, AGGREGATOR, .fini = aggregator_fini);

/* ---- its process ---- */

static cede_result aggregator_start(cede_self *self, const struct aggregator_options *options,
                                    cede_ref supervisor) {
    cede_ref ref = {0};
    struct aggregate *work = cede_new(self, aggregate);
    if (work == NULL) return CEDE_ENOMEM;
    work->epoch = options->epoch;
    work->trace = options->trace;
    cede_result r = cede_spawn_monitored(self, &aggregator, &work, &ref);
    cede_drop(self, &work);
    if (r != CEDE_OK) return r;
    struct aggregator_up *up = cede_new(self, aggregator_up);
    if (up == NULL) return CEDE_ENOMEM;
    up->epoch = options->epoch;
    up->aggregator = ref;
    r = cede_send(self, supervisor, &up);
    cede_drop(self, &up);
    return r;
}

/* Ends when the actor has ended, with its reason, or when the supervisor or the link to it is gone. */
CEDE_YIELDS static cede_result process_run(cede_self *self, void *context) {
    const struct aggregator_options *options = context;
    const struct cede_node_options node = {.name = "aggregator", .cluster = CLUSTER_NAME};
    cede_ref supervisor = {0};
    uint64_t uid = 0;
    cede_result r = cede_node_start(self, &node);
    if (r == CEDE_OK) r = cede_node_connect(self, options->url, CONNECT_PATIENCE, &uid);
    if (r == CEDE_OK) r = cede_lookup(self, uid, SUPERVISOR_NAME, CONNECT_PATIENCE, &supervisor);
    if (r == CEDE_OK) r = cede_monitor(self, supervisor);
    if (r == CEDE_OK) r = aggregator_start(self, options, supervisor);
    if (r != CEDE_OK) return r;
    struct cede_down *down = NULL;
    r = cede_recv(self, cede_down, &down, CEDE_FOREVER);
    if (r == CEDE_OK) r = (cede_result)down->reason;
    cede_drop(self, &down);
    return r;
}

int aggregator_run(const struct aggregator_options *options) {
    struct aggregator_options copy = *options;
    cede_system *system = NULL;
    cede_result r = cede_process_follow_parent();
    if (r == CEDE_OK) r = cede_system_create(&system, NULL);
    if (r == CEDE_OK) r = cede_block_on(system, process_run, &copy);
    cede_system_destroy(system);
    if (r == CEDE_OK) return 0;
    fprintf(stderr, "logstat: aggregator process %ld: %s\n", (long)getpid(), cede_result_text(r));
    return 1;
}
