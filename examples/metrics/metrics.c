/* metrics.c - a program that looks at itself: which messages pile up, with whom they wait, and who keeps them for ever.
 * A printer waits for paper in the middle of its first sheet, while others come; an archive keeps every receipt. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <cede/cede.h>

enum { SHEETS = 1000, TYPES_MAX = 16, ACTORS_AT_ONCE = 16 };

#define SHEET(F) F(u64, number)
CEDE_MESSAGE(sheet, SHEET);
#define PAPER(F) F(u32, sheets)
CEDE_MESSAGE(paper, PAPER);
#define RECEIPT(F) F(u64, sheet)
CEDE_MESSAGE(receipt, RECEIPT);
#define ARCHIVE_AT(F) F(ref, archive)
CEDE_MESSAGE(archive_at, ARCHIVE_AT);

/* ---- the printer and the archive ---- */

struct printer {
    cede_ref archive;
    bool has_paper;
};

static cede_result on_archive_at(cede_self *self, struct printer *state, struct archive_at *m) {
    (void)self;
    state->archive = m->archive;
    return CEDE_OK;
}

static CEDE_YIELDS cede_result on_sheet(cede_self *self, struct printer *state, struct sheet *m) {
    if (!state->has_paper) { /* and all others wait */
        struct paper *paper = NULL;
        cede_result r = cede_recv(self, paper, &paper, CEDE_FOREVER);
        if (r != CEDE_OK) return r;
        cede_drop(self, &paper);
        state->has_paper = true;
    }
    struct receipt *receipt = cede_new(self, receipt);
    if (receipt == NULL) return CEDE_ENOMEM;
    receipt->sheet = m->number;
    return cede_send(self, state->archive, &receipt);
}
#define PRINTER(ON)                                                                                \
    ON(archive_at, on_archive_at)                                                                  \
    ON(sheet, on_sheet)
CEDE_BEHAVIOUR(printer, struct printer, PRINTER);

static cede_result on_receipt(cede_self *self, void *state, struct receipt *m) {
    (void)state;
    return cede_keep(self, &m) != NULL ? CEDE_OK : CEDE_EFAILED; /* who will ever look at them? */
}
#define ARCHIVE(ON) ON(receipt, on_receipt)
CEDE_BEHAVIOUR(archive, void, ARCHIVE);

/* ---- looking ---- */

static bool is_ours(const struct cede_type_metrics *type) {
    return type->type != NULL && strncmp(type->name, "cede", 4) != 0;
}

static void types_show(cede_system *system) {
    struct cede_type_metrics types[TYPES_MAX];
    size_t count = cede_system_types(system, types, TYPES_MAX);
    printf("  %-12s %6s %6s %8s\n", "message", "made", "owned", "waiting");
    for (size_t i = 0; i < count && i < TYPES_MAX; i++)
        if (is_ours(&types[i]))
            printf("  %-12s %6" PRIu64 " %6" PRIu64 " %8" PRIu64 "\n", types[i].name,
                   types[i].allocated, types[i].owned, types[i].waiting);
}

/* The actor in whose mailbox the most messages wait. */
static struct cede_actor_metrics fullest_find(cede_system *system) {
    struct cede_actor_metrics some[ACTORS_AT_ONCE], fullest = {.name = "nobody"};
    uint32_t at = 0;
    size_t count = 0;
    while ((count = cede_system_actors(system, &at, some, ACTORS_AT_ONCE)) > 0)
        for (size_t i = 0; i < count; i++)
            if (some[i].waiting > fullest.waiting) fullest = some[i];
    return fullest;
}

/* Until an actor has handled, and has waiting, so many. */
static CEDE_YIELDS cede_result counts_await(cede_self *self, cede_ref actor, uint64_t handled,
                                            uint32_t waiting) {
    for (;;) { /* until it has */
        struct cede_actor_metrics now;
        cede_result r = cede_actor_metrics(cede_self_system(self), actor, &now);
        if (r == CEDE_OK && now.handled == handled && now.waiting == waiting) return CEDE_OK;
        if (r == CEDE_OK) r = cede_sleep(self, CEDE_MILLIS(1));
        if (r != CEDE_OK) return r;
    }
}

static CEDE_YIELDS cede_result run(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    cede_system *system = cede_self_system(self);
    cede_ref printer_ref = {0}, archive_ref = {0};
    cede_result r = cede_spawn(self, &archive, CEDE_NOTHING, &archive_ref);
    if (r != CEDE_OK) return r;
    struct archive_at *first = cede_new(self, archive_at);
    if (first == NULL) return CEDE_ENOMEM;
    first->archive = archive_ref;
    r = cede_spawn_monitored(self, &printer, &first, &printer_ref);
    for (uint64_t i = 0; r == CEDE_OK && i < SHEETS; i++) {
        struct sheet *sheet = cede_new(self, sheet);
        if (sheet == NULL) return CEDE_ENOMEM;
        sheet->number = i;
        r = cede_send(self, printer_ref, &sheet);
    }
    if (r == CEDE_OK) r = counts_await(self, printer_ref, 2, SHEETS - 1);
    if (r != CEDE_OK) return r;
    puts("without paper:");
    types_show(system);
    struct cede_actor_metrics fullest = fullest_find(system);
    printf("  %" PRIu32 " wait for '%s'\n", fullest.waiting, fullest.name);
    struct paper *paper = cede_new(self, paper);
    if (paper == NULL) return CEDE_ENOMEM;
    paper->sheets = SHEETS;
    r = cede_send(self, printer_ref, &paper);
    if (r == CEDE_OK) r = counts_await(self, archive_ref, SHEETS, 0);
    if (r == CEDE_OK) r = counts_await(self, printer_ref, SHEETS + 2, 0);
    struct cede_actor_metrics now = {.name = ""};
    if (r == CEDE_OK) r = cede_actor_metrics(system, printer_ref, &now);
    struct cede_down *down = NULL;
    if (r == CEDE_OK) r = cede_stop(self, printer_ref); /* so that its last turn is over, too */
    if (r == CEDE_OK) r = cede_recv(self, cede_down, &down, CEDE_FOREVER);
    if (r != CEDE_OK) return r;
    cede_drop(self, &down);
    puts("with paper:");
    types_show(system);
    printf("  '%s' has handled %" PRIu64 ", and found up to %" PRIu32 " waiting\n", now.name,
           now.handled, now.waiting_peak);
    return CEDE_OK;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
