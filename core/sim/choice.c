/* choice.c - the choices of a run: made by a seed and noted, or read from a plan.
 * Invariant: what is returned depends on the seed or the plan and on how often was asked before, on nothing else. */
#include <string.h>

#include "core/sim/world.h"

/* Access: the one thread that there is. */
static struct {
    const struct cedei_sim_setup *setup;
    struct cedei_sim_record *record;
    uint64_t random, user_random;
    uint64_t asked[CEDEI_SIM_KIND_COUNT][CEDEI_SIM_THREADS_MAX + 1];
    uint32_t begin[CEDEI_SIM_KIND_COUNT], end[CEDEI_SIM_KIND_COUNT]; /* in the plan */
    bool on, faults;
} choices;

/* Steele, Lea and Flood's SplitMix: any seed is as good as another. */
static uint64_t random_next(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void cedei_sim_choices_begin(const struct cedei_sim_setup *setup) {
    memset(&choices, 0, sizeof choices);
    choices.setup = setup;
    choices.record = setup->record;
    choices.random = setup->seed * 2 + 1;
    choices.user_random = setup->seed ^ 0x6a09e667f3bcc908u;
    uint32_t at = 0;
    for (uint32_t kind = 0; setup->plan != NULL && kind < CEDEI_SIM_KIND_COUNT; kind++) {
        choices.begin[kind] = at;
        while (at < setup->plan_count && setup->plan[at].kind == kind) at++;
        choices.end[kind] = at;
    }
}

uint64_t cedei_sim_random(void) { return random_next(&choices.user_random); }

void cedei_sim_choices_on(void) { choices.on = true; }

bool cedei_sim_allow_faults(bool allowed) {
    bool before = choices.faults;
    choices.faults = allowed;
    return before;
}

static void choice_note(enum cedei_sim_kind kind, uint64_t at, uint32_t value) {
    struct cedei_sim_record *record = choices.record;
    record->choices_made[kind]++;
    if (record->choices_count < CEDEI_SIM_CHOICES_MAX)
        record->choices[record->choices_count++] =
            (struct cedei_sim_choice){.at = at, .value = value, .kind = kind};
}

/* The plan's first choice of the kind at or after `at`; `end`: there is none. */
static uint32_t plan_find(enum cedei_sim_kind kind, uint64_t at) {
    uint32_t low = choices.begin[kind], high = choices.end[kind];
    while (low < high) { /* halves */
        uint32_t middle = low + (high - low) / 2;
        if (choices.setup->plan[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What the plan says, 0: nothing. */
static uint32_t planned(enum cedei_sim_kind kind, uint64_t at) {
    uint32_t found = plan_find(kind, at);
    const struct cedei_sim_choice *choice = &choices.setup->plan[found];
    return found < choices.end[kind] && choice->at == at ? choice->value : 0;
}

static uint64_t place_of(uint64_t count) {
    return (uint64_t)cedei_sim_thread_number() << CEDEI_SIM_THREAD_SHIFT | count;
}

static uint32_t seeded(enum cedei_sim_kind kind) {
    uint32_t one_in = choices.setup->one_in[kind];
    if (one_in == 0 || choices.record->choices_count == CEDEI_SIM_CHOICES_MAX ||
        random_next(&choices.random) % one_in != 0)
        return 0;
    return 1 + (uint32_t)(random_next(&choices.random) % CEDEI_SIM_VALUE_MAX);
}

uint32_t cedei_sim_choose(enum cedei_sim_kind kind) {
    const struct cedei_sim_setup *setup = choices.setup;
    if (!choices.on || !cedei_sim_is_running()) return 0;
    if (kind >= CEDEI_SIM_THREAD && !choices.faults) return 0;
    choices.record->choices_asked[kind]++;
    uint64_t at = place_of(++choices.asked[kind][cedei_sim_thread_number()]);
    uint32_t value = setup->plan != NULL ? planned(kind, at) : seeded(kind);
    if (value == 0) return 0;
    choice_note(kind, at, value);
    /* The many of a seed are not worth it; the few that are left when a plan has been shrunk are. */
    if (setup->plan != NULL || kind >= CEDEI_SIM_THREAD) cedei_sim_trace_choice(kind, value);
    return value;
}

uint64_t cedei_sim_switch_next(uint64_t point) {
    const struct cedei_sim_setup *setup = choices.setup;
    if (!choices.on) return UINT64_MAX;
    if (setup->plan != NULL) {
        uint32_t found = plan_find(CEDEI_SIM_SWITCH, place_of(point + 1));
        if (found == choices.end[CEDEI_SIM_SWITCH]) return UINT64_MAX;
        uint64_t at = setup->plan[found].at;
        return at >> CEDEI_SIM_THREAD_SHIFT == cedei_sim_thread_number() ? at - place_of(0)
                                                                         : UINT64_MAX;
    }
    if (setup->switch_every == 0 || choices.record->choices_count == CEDEI_SIM_CHOICES_MAX)
        return UINT64_MAX;
    return point + 1 + random_next(&choices.random) % (2 * (uint64_t)setup->switch_every);
}

uint32_t cedei_sim_choose_thread(enum cedei_sim_kind kind, uint64_t point, const uint32_t *threads,
                                 uint32_t count) {
    const struct cedei_sim_setup *setup = choices.setup;
    if (!choices.on) return 0;
    if (kind == CEDEI_SIM_NEXT) point = ++choices.asked[kind][cedei_sim_thread_number()];
    choices.record->choices_asked[kind]++;
    uint64_t at = place_of(point);
    uint32_t thread = 0;
    if (setup->plan != NULL) {
        uint32_t wanted = planned(kind, at);
        for (uint32_t i = 0; i < count && thread == 0; i++)
            if (threads[i] == wanted) thread = wanted;
    } else if (kind == CEDEI_SIM_SWITCH || seeded(kind) != 0) {
        thread = threads[random_next(&choices.random) % count];
    }
    if (thread == 0) return 0;
    choice_note(kind, at, thread);
    if (setup->plan != NULL) cedei_sim_trace_choice(kind, thread);
    return thread;
}
