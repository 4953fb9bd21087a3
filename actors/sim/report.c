/* report.c - a run as lines that a person reads: when, on which thread, which actor, what. */
#include <stdio.h>

#include <cede/result.h>

#include "actors/sim/sim.h"

enum { LAST_LINES = 100 };

static const char *const CHOSE[] = {
    [CEDEI_SIM_SWITCH] = "goes on here",
    [CEDEI_SIM_NEXT] = "goes on next",
    [CEDEI_SIM_WAKE] = "not the one that waited longest is woken",
    [CEDEI_SIM_SPURIOUS] = "a wait ends early",
    [CEDEI_SIM_DELAY] = "time passes",
    [CEDEI_SIM_PAUSE] = "this thread is held up",
    [CEDEI_SIM_DUTY] = "workers go off duty or come back",
    [CEDEI_SIM_THREAD] = "a thread cannot be made",
    [CEDEI_SIM_MEMORY] = "an allocation fails",
    [CEDEI_SIM_REFUSE] = "the mailbox refuses",
    [CEDEI_SIM_KILL] = "somebody is killed",
    [CEDEI_SIM_FAIL] = "the turn fails",
};

/* The behaviour of an actor that some event is about; "": none is left. */
static const char *name_of(const struct cedei_sim_record *record, uint64_t actor) {
    uint64_t count = record->events_count;
    if (count > CEDEI_SIM_EVENTS_MAX) count = CEDEI_SIM_EVENTS_MAX;
    for (uint64_t i = 0; i < count; i++)
        if (record->events[i].actor == actor && record->events[i].who != NULL)
            return record->events[i].who;
    return "";
}

static const char *thread_of(const struct cedei_sim_record *record, uint32_t thread) {
    return thread < record->names_count ? record->names[thread] : "?";
}

static void chose_print(const struct cedei_sim_record *record, uint64_t kind, uint32_t value) {
    bool is_thread = kind == CEDEI_SIM_SWITCH || kind == CEDEI_SIM_NEXT;
    fprintf(stderr, "-- %s%s%s --", is_thread ? thread_of(record, value) : "", is_thread ? " " : "",
            CHOSE[kind]);
}

static void what_print(const struct cedei_sim_record *record, const struct cedei_sim_event *event) {
    cede_result r = (cede_result)event->value;
    switch ((enum cedei_sim_what)event->what) {
    case CEDEI_SIM_SPAWNED: fputs("begins", stderr); break;
    case CEDEI_SIM_ENDED: fprintf(stderr, "ends: %s", cede_result_name(r)); break;
    case CEDEI_SIM_HANDLES: fprintf(stderr, "handles '%s'", event->name); break;
    case CEDEI_SIM_HANDLED: fprintf(stderr, "its handler returns %s", cede_result_name(r)); break;
    case CEDEI_SIM_WAITS: fputs("waits", stderr); break;
    case CEDEI_SIM_GOES_ON: fputs("goes on", stderr); break;
    case CEDEI_SIM_SENDS:
        fprintf(stderr, "sends '%s' to %s#%llu", event->name, name_of(record, event->value),
                (unsigned long long)event->value >> 32);
        break;
    case CEDEI_SIM_NOTE: fprintf(stderr, "%s", record->texts + event->text); break;
    case CEDEI_SIM_CHOSE: chose_print(record, event->value >> 32, (uint32_t)event->value); break;
    }
}

static void event_print(const struct cedei_sim_record *record, const struct cedei_sim_event *event) {
    const char *thread = thread_of(record, event->thread);
    char who[64] = "";
    if (event->actor != 0)
        snprintf(who, sizeof who, "%s#%llu", name_of(record, event->actor),
                 (unsigned long long)event->actor >> 32);
    fprintf(stderr, "%14.6f ms  %-14s %-20s ", (double)event->time_ns / 1e6, thread, who);
    what_print(record, event);
    fputc('\n', stderr);
}

void cedei_trace_print(const struct cedei_sim_record *record, bool all) {
    uint64_t count = record->events_count, from = 0;
    if (count > CEDEI_SIM_EVENTS_MAX) from = count - CEDEI_SIM_EVENTS_MAX;
    if (!all && count - from > LAST_LINES) from = count - LAST_LINES;
    if (from != 0)
        fprintf(stderr, "    (%llu lines before; CEDE_SIM_TRACE=1 prints all)\n",
                (unsigned long long)from);
    for (uint64_t i = from; i < count; i++)
        event_print(record, &record->events[i % CEDEI_SIM_EVENTS_MAX]);
}
