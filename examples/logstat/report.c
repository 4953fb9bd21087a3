/* report.c - see report.h. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 50, NAME_WIDTH = 40 };

static int by_key(const void *a, const void *b) {
    const struct counts_entry *x = a, *y = b;
    size_t size = x->size < y->size ? x->size : y->size;
    int order = memcmp(x->key, y->key, size);
    return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

static int by_count(const void *a, const void *b) {
    const struct counts_entry *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : by_key(a, b);
}

/* The entries of one table, sorted; they point into `totals`. The caller frees it; NULL: no memory. */
static struct counts_entry *table_sort(const struct counts *totals, enum table table,
                                       int (*order)(const void *, const void *), size_t *count) {
    struct counts_entry *entries = malloc((totals->used + 1) * sizeof *entries);
    *count = 0;
    if (entries == NULL) return NULL;
    for (size_t i = 0; i < totals->capacity; i++)
        if (totals->places[i].key != NULL && totals->places[i].table == table)
            entries[(*count)++] = totals->places[i];
    qsort(entries, *count, sizeof *entries, order);
    return entries;
}

cede_result report_counts(const struct counts *totals, enum table table) {
    size_t count = 0;
    struct counts_entry *entries = table_sort(totals, table, by_key, &count);
    if (entries == NULL) return CEDE_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        printf("%7" PRIu64 " ", entries[i].count);
        (void)fwrite(entries[i].key, 1, entries[i].size, stdout);
        (void)putchar('\n');
    }
    free(entries);
    return CEDE_OK;
}

/* What is no plain character is shown as \xNN: a log must not write to the terminal what it likes. */
static void name_print(const struct counts_entry *entry) {
    int width = 0;
    for (uint32_t i = 0; i < entry->size && width < NAME_WIDTH; i++) {
        unsigned char c = (unsigned char)entry->key[i];
        width += c > ' ' && c < 0x7f ? printf("%c", c) : printf("\\x%02x", c);
    }
    if (entry->size > NAME_WIDTH) width += printf("...");
    printf("%*s", width < NAME_WIDTH + 4 ? NAME_WIDTH + 4 - width : 1, "");
}

static cede_result packages_print(const struct counts *totals, uint32_t top) {
    size_t count = 0;
    struct counts_entry *entries = table_sort(totals, PACKAGES, by_count, &count);
    if (entries == NULL) return CEDE_ENOMEM;
    printf("package (%zu in all)%*sevents\n", count, count < 10 ? 26 : 24, "");
    for (size_t i = 0; i < count && i < top; i++) {
        name_print(&entries[i]);
        printf("%7" PRIu64 "\n", entries[i].count);
    }
    free(entries);
    return CEDE_OK;
}

static cede_result days_print(const struct counts *totals) {
    size_t count = 0;
    uint64_t most = 1;
    struct counts_entry *entries = table_sort(totals, DAYS, by_key, &count);
    if (entries == NULL) return CEDE_ENOMEM;
    for (size_t i = 0; i < count; i++)
        if (entries[i].count > most) most = entries[i].count;
    printf("\nday         events\n");
    for (size_t i = 0; i < count; i++) {
        uint64_t length = (entries[i].count * BAR_WIDTH + most - 1) / most;
        printf("%s %7" PRIu64 " ", entries[i].key, entries[i].count);
        for (uint64_t n = 0; n < length; n++) (void)putchar('#');
        (void)putchar('\n');
    }
    free(entries);
    return CEDE_OK;
}

cede_result report_tables(const struct office *office, uint32_t top) {
    const struct office_result *result = &office->result;
    cede_result r = packages_print(&result->totals, top);
    if (r == CEDE_OK) r = days_print(&result->totals);
    if (r != CEDE_OK) return r;
    double seconds = (double)result->took_ns / 1e9;
    printf("\n%" PRIu64 " events in %" PRIu64 " lines, %" PRIu64 " bytes, %" PRIu32
           " inputs: %.3f s, %.0f lines/s\n",
           result->events, result->lines, result->bytes, office->order.path_count, seconds,
           seconds > 0 ? (double)result->lines / seconds : 0);
    printf("read by %" PRIu32 " parsers in process %ld, added up in process %" PRId32
           " (started %" PRIu32 " time%s)\n",
           office->order.parsers, (long)getpid(), result->aggregator_pid, result->aggregator_starts,
           result->aggregator_starts == 1 ? "" : "s");
    if (result->inputs_incomplete > 0)
        printf("INCOMPLETE: %" PRIu32 " of %" PRIu32 " inputs could not be read in full\n",
               result->inputs_incomplete, office->order.path_count);
    return CEDE_OK;
}
