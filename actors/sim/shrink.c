/* shrink.c - from the choices of a run that fails to the few that make it fail (Zeller's delta debugging): parts of the plan
 * are left out, smaller and smaller ones, and stay out if the run still fails in the same way. */
#include <stdlib.h>
#include <string.h>

#include "actors/sim/sim.h"
#include "core/sys/alloc.h"

/* Together they bound the time: a few seconds. */
enum { RUNS_MAX = 3000, POINTS_MAX = 100000000 };

struct shrinking {
    struct cedei_simulation *sim;
    struct cedei_sim_choice *best; /* fails */
    uint32_t count, runs;
    uint64_t points;
    char where[128];
    cede_result error;
};

static bool is_over(const struct shrinking *s) {
    return s->runs >= RUNS_MAX || s->points >= POINTS_MAX || s->error != CEDE_OK;
}

/* Whether the run by the first `count` choices of the shared plan fails in the same way. If so they are the best, but for
 * those that were not come by, in the order in which they were made: what belongs together then lies together. */
static bool fails(struct shrinking *s, uint32_t count) {
    struct cedei_sim_shared *shared = s->sim->shared;
    const struct cedei_sim_record *record = &shared->record;
    bool holds = true;
    shared->plan_count = count;
    cedei_plan_sort(shared->plan, count);
    s->sim->planned = true;
    s->runs++;
    s->error = cedei_simulation_run_once(s->sim, &holds);
    s->points += record->points;
    if (s->error != CEDE_OK || holds || strcmp(record->where, s->where) != 0) return false;
    s->count = record->choices_count;
    memcpy(s->best, record->choices, s->count * sizeof *s->best);
    return true;
}

/* Without the choices from `from` to before `to`. */
static bool try_without(struct shrinking *s, uint32_t from, uint32_t to) {
    struct cedei_sim_shared *shared = s->sim->shared;
    if (is_over(s)) return false;
    memcpy(shared->plan, s->best, from * sizeof *s->best);
    memcpy(shared->plan + from, s->best + to, (s->count - to) * sizeof *s->best);
    return fails(s, s->count - (to - from));
}

static void kinds_leave_out(struct shrinking *s) {
    struct cedei_sim_choice *plan = s->sim->shared->plan;
    for (uint32_t kind = CEDEI_SIM_KIND_COUNT; kind-- > 0 && !is_over(s);) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < s->count; i++)
            if (s->best[i].kind != kind) plan[kept++] = s->best[i];
        if (kept != s->count) (void)fails(s, kept);
    }
}

static void parts_leave_out(struct shrinking *s) {
    for (uint32_t size = s->count / 2; size != 0; size /= 2) {
        bool again = true;
        while (again && !is_over(s)) { /* ends: each further round has fewer choices */
            again = false;
            for (uint32_t from = 0; from < s->count && !is_over(s);) {
                uint32_t to = from + size < s->count ? from + size : s->count;
                if (try_without(s, from, to))
                    again = size == 1;
                else
                    from = to;
            }
        }
    }
}

/* Leaves out about half of what is left, at random: choices that only matter together. */
static void samples_leave_out(struct shrinking *s) {
    uint64_t state = 1;
    uint32_t failed = 0;
    while (failed++ < 40 + 2 * s->count && s->count > 3 && !is_over(s)) {
        uint32_t kept = 0, one_in = 2 + (uint32_t)(state >> 20) % 4;
        for (uint32_t i = 0; i < s->count; i++) {
            state = cedei_sim_hash(state, i + 1);
            if ((state >> 8) % one_in != 0) s->sim->shared->plan[kept++] = s->best[i];
        }
        if (kept != s->count && fails(s, kept)) failed = 0;
    }
}

cede_result cedei_simulation_shrink(struct cedei_simulation *sim) {
    struct cedei_sim_record *record = &sim->shared->record;
    struct shrinking s = {.sim = sim, .count = record->choices_count};
    memcpy(s.where, record->where, sizeof s.where);
    s.best = cedei_alloc(((size_t)s.count + 1) * sizeof *s.best);
    if (s.best == NULL) return CEDE_ENOMEM;
    memcpy(s.best, record->choices, s.count * sizeof *s.best);
    uint64_t enough = 2 * record->points + 100000;
    if (enough < sim->points_max) sim->points_max = enough;
    kinds_leave_out(&s);
    parts_leave_out(&s);
    samples_leave_out(&s);
    parts_leave_out(&s);
    memcpy(sim->shared->plan, s.best, s.count * sizeof *s.best);
    sim->shared->plan_count = s.count;
    cedei_plan_sort(sim->shared->plan, s.count);
    sim->planned = true;
    cedei_free(s.best);
    return s.error;
}
