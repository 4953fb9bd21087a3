/* run.c - cede_sim_run: from seed to seed, each run in a process of its own, until one does not hold.
 * What a seed draws for a run as a whole (how many workers, which faults and how often) is drawn apart from the choices
 * in it, so that a plan, too, finds it the same. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/actor/actor.h"
#include "actors/sim/sim.h"

enum { SEEDS_DEFAULT = 100, STEPS_DEFAULT = 20000000, RUN_SECONDS = 20 };
#define TIME_DEFAULT_NS CEDE_SECONDS(3600)

/* ---- in the run's process ---- */

static uint64_t draw(uint64_t *state) { return *state = cedei_sim_hash(*state, 0x51ed270b); }

/* A fault that may be: in three runs of four, from as often as is allowed to 16 times less. */
static uint32_t draw_one_in(uint64_t *state, uint32_t one_in) {
    uint64_t value = draw(state);
    if (one_in == 0 || value % 4 == 0) return 0;
    uint64_t rate = (uint64_t)one_in << (value >> 8) % 5;
    return rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
}

/* `*workers`: how many the system is to have. */
static struct cedei_sim_setup setup_draw(struct cedei_simulation *sim, uint32_t *workers) {
    static const uint32_t SWITCH_EVERY[] = {8, 25, 80, 250, 800, 2500};
    const struct cede_sim_options *options = &sim->options;
    uint64_t state = cedei_sim_hash(sim->seed, 0x2545f491);
    struct cedei_sim_setup setup = {
        .seed = sim->seed,
        .points_max = sim->points_max,
        .time_max_ns = options->time_max_ns,
        .record = &sim->shared->record,
        .plan = sim->planned ? sim->shared->plan : NULL,
        .plan_count = sim->shared->plan_count,
    };
    *workers = 1 + (uint32_t)(draw(&state) >> 8) % 4;
    setup.switch_every = SWITCH_EVERY[(draw(&state) >> 8) % 6];
    setup.one_in[CEDEI_SIM_NEXT] = 2;
    setup.one_in[CEDEI_SIM_WAKE] = 2;
    setup.one_in[CEDEI_SIM_SPURIOUS] = draw_one_in(&state, 16);
    setup.one_in[CEDEI_SIM_DELAY] = draw_one_in(&state, 4);
    setup.one_in[CEDEI_SIM_PAUSE] = draw_one_in(&state, 4);
    setup.one_in[CEDEI_SIM_MEMORY] = draw_one_in(&state, options->memory_one_in);
    setup.one_in[CEDEI_SIM_THREAD] = setup.one_in[CEDEI_SIM_MEMORY] != 0 ? 4 : 0;
    setup.one_in[CEDEI_SIM_REFUSE] = draw_one_in(&state, options->refuse_one_in);
    setup.one_in[CEDEI_SIM_KILL] = draw_one_in(&state, options->kill_one_in);
    setup.one_in[CEDEI_SIM_FAIL] = draw_one_in(&state, options->fail_one_in);
    setup.one_in[CEDEI_SIM_DUTY] = draw_one_in(&state, 2);
    return setup;
}

static void log_take(void *context, enum cede_log_level level, const char *line) {
    struct cedei_simulation *sim = context;
    const struct cede_options *given = sim->options.system;
    (void)level;
    cedei_sim_hold();
    cedei_sim_trace_text(0, line);
    cedei_sim_release();
    if (strncmp(line, "conservation:", 13) == 0) cedei_sim_fail("conservation", "%s", line);
    if (given != NULL && given->log != NULL) given->log(given->log_context, level, line);
}

static CEDE_YIELDS cede_result scenario_turn(cede_self *self, void *context) {
    struct cedei_simulation *sim = context;
    sim->own = cede_self_ref(self);
    (void)cedei_sim_allow_faults(true);
    cedei_sim_begin();
    cede_result r = sim->scenario(self, sim->context);
    (void)cedei_sim_allow_faults(false);
    return r;
}

static void same(const char *what, uint64_t one, const char *other_what, uint64_t other) {
    if (one != other)
        cedei_sim_fail(what, "at the end, %llu %s, but %llu %s", (unsigned long long)one, what,
                       (unsigned long long)other, other_what);
}

/* What holds of every run. */
static void end_check(const struct cede_metrics *last, int64_t blocks, const char *here) {
    same("messages were made", last->messages_allocated, "dropped", last->messages_dropped);
    same("messages were sent", last->messages_sent, "handled or dead letters",
         last->messages_handled + last->messages_dead_lettered);
    same("actors began", last->actors_spawned, "ended", last->actors_ended);
    if (blocks != 0)
        cedei_sim_fail("memory",
                       "%lld blocks of memory were not given back; the last one was asked for at %s",
                       (long long)blocks, here);
}

static void world_main(void *context) {
    struct cedei_simulation *sim = context;
    struct cede_options options = {0};
    struct cede_metrics last;
    cede_system *system = NULL;
    uint32_t workers = 0;
    const char *here = "";
    int64_t blocks = cedei_sim_blocks_live(&here);
    (void)setup_draw(sim, &workers);
    if (sim->options.system != NULL) options = *sim->options.system;
    if (options.workers == 0) options.workers = workers;
    if (options.turn_warn_ns == 0) options.turn_warn_ns = CEDE_FOREVER; /* time is not real */
    if (options.actors_max == 0) options.actors_max = 1 << 20;
    options.log = log_take;
    options.log_context = sim;
    cede_result r = cede_system_create(&system, &options);
    if (r != CEDE_OK) cedei_sim_fail("create", "cede_system_create gave %s", cede_result_name(r));
    cedei_simulated_begin(sim, system);
    cedei_sim_on_rest(cedei_simulated_rest, system);
    r = cede_block_on(system, scenario_turn, sim);
    (void)cedei_sim_allow_faults(false);
    if (r != CEDE_OK && r != CEDE_STOP)
        cedei_sim_fail("result", "the scenario returned %s: %s", cede_result_name(r),
                       cede_result_text(r));
    cedei_sim_on_rest(NULL, NULL);
    cedei_system_destroy(system, &last);
    blocks = cedei_sim_blocks_live(&here) - blocks;
    end_check(&last, blocks, here);
}

static void run_main(void *context) {
    struct cedei_simulation *sim = context;
    uint32_t workers = 0;
    struct cedei_sim_setup setup = setup_draw(sim, &workers);
    cedei_sim_world_run(&setup, world_main, sim);
}

/* ---- one run ---- */

static void record_clear(struct cedei_sim_record *record) {
    /* The arrays behind are written before they are read. */
    memset(record, 0, offsetof(struct cedei_sim_record, choices));
}

/* A process that ended in its own way. */
static void death_note(struct cedei_simulation *sim) {
    struct cedei_sim_record *record = &sim->shared->record;
    const struct cedei_sim_exit *ended = &sim->ended;
    if (record->outcome != CEDEI_SIM_RUNS) return;
    record->outcome = CEDEI_SIM_FAILED;
    if (ended->unended)
        snprintf(
            record->failure, sizeof record->failure,
            "the process was ended after %d s of processor time: it loops without a call of Cede",
            RUN_SECONDS);
    else if (ended->signal != 0)
        snprintf(record->failure, sizeof record->failure, "the process was ended by signal %d (%s)",
                 ended->signal, strsignal(ended->signal));
    else
        snprintf(record->failure, sizeof record->failure, "the process exited with status %d",
                 ended->status);
    snprintf(record->where, sizeof record->where, "death %d %d", ended->signal, ended->status);
}

cede_result cedei_simulation_run_once(struct cedei_simulation *sim, bool *holds) {
    const char *fork = getenv("CEDE_SIM_FORK");
    record_clear(&sim->shared->record);
    cedei_sim_output_clear(sim->output);
    if (fork != NULL && strcmp(fork, "0") == 0) {
        run_main(sim); /* does not return when it does not hold */
    } else {
        cede_result r = cedei_sim_process_run(run_main, sim, RUN_SECONDS, sim->output, &sim->ended);
        if (r != CEDE_OK) return r;
        death_note(sim);
    }
    *holds = sim->shared->record.outcome == CEDEI_SIM_HOLDS;
    return CEDE_OK;
}

/* ---- all of them ---- */

/* What the environment says. */
struct wishes {
    bool skip;  /* another simulation is to be run */
    bool trace; /* all of it */
    bool whole; /* not shrunk */
    const char *hashes;
};

static bool replay_read(struct cedei_simulation *sim, const char *text, struct wishes *wishes) {
    size_t length = strlen(sim->options.name);
    char *end = NULL;
    if (strncmp(text, sim->options.name, length) != 0 || text[length] != ':') {
        wishes->skip = true;
        return strchr(text, ':') != NULL;
    }
    sim->options.seed_first = strtoull(text + length + 1, &end, 10);
    sim->options.seeds = 1;
    if (end == text + length + 1 || (*end != '\0' && *end != ':')) return false;
    if (*end == '\0') return true;
    sim->planned = true;
    return cedei_plan_read(end + 1, sim->shared->plan, &sim->shared->plan_count);
}

static bool seeds_read(struct cedei_simulation *sim, const char *text) {
    char *end = NULL;
    sim->options.seed_first = strtoull(text, &end, 10);
    if (end == text || *end != '+') return false;
    sim->options.seeds = (uint32_t)strtoul(end + 1, &end, 10);
    return *end == '\0' && sim->options.seeds != 0;
}

static cede_result wishes_read(struct cedei_simulation *sim, struct wishes *wishes) {
    const char *replay = getenv("CEDE_SIM_REPLAY"), *seeds = getenv("CEDE_SIM_SEEDS");
    const char *trace = getenv("CEDE_SIM_TRACE"), *shrink = getenv("CEDE_SIM_SHRINK");
    *wishes = (struct wishes){.hashes = getenv("CEDE_SIM_HASHES")};
    wishes->trace = trace != NULL && strcmp(trace, "0") != 0;
    wishes->whole = shrink != NULL && strcmp(shrink, "0") == 0;
    if (seeds != NULL && !seeds_read(sim, seeds)) {
        fprintf(stderr,
                "cede_sim_run: CEDE_SIM_SEEDS is '%s'; it must be FIRST+COUNT, as in 1+1000\n",
                seeds);
        return CEDE_EINVAL;
    }
    if (replay != NULL && !replay_read(sim, replay, wishes)) {
        fprintf(
            stderr,
            "cede_sim_run: CEDE_SIM_REPLAY is '%s'; it must be NAME:SEED or NAME:SEED:CHOICES, as it "
            "was printed\n",
            replay);
        return CEDE_EINVAL;
    }
    return CEDE_OK;
}

static void hash_write(const struct cedei_simulation *sim, const char *path) {
    FILE *file = path != NULL ? fopen(path, "a") : NULL;
    if (file == NULL) return;
    fprintf(file, "%s %llu %016llx\n", sim->options.name, (unsigned long long)sim->seed,
            (unsigned long long)sim->shared->record.hash);
    fclose(file);
}

static void report_add(cede_sim_report *report, const struct cedei_sim_record *record) {
    report->runs++;
    report->hash = cedei_sim_hash(report->hash, record->hash);
    report->turns += record->turns;
    report->steps += record->points;
    report->switches += record->switches;
    report->virtual_ns += record->end_ns;
    report->kills += record->choices_made[CEDEI_SIM_KILL];
    report->failures += record->choices_made[CEDEI_SIM_FAIL];
    report->refusals += record->choices_made[CEDEI_SIM_REFUSE];
    report->allocations += record->choices_made[CEDEI_SIM_MEMORY];
}

static void command_write(struct cedei_simulation *sim, cede_sim_report *report) {
    static char plan[2048], program[1024];
    cedei_sim_command_read(program, sizeof program);
    bool fits = cedei_plan_write(sim->shared->plan, sim->shared->plan_count, plan, sizeof plan);
    snprintf(report->command, sizeof report->command, "CEDE_SIM_REPLAY=%s:%llu%s%s %s",
             sim->options.name, (unsigned long long)sim->seed, fits && sim->planned ? ":" : "",
             fits && sim->planned ? plan : "", program);
}

static void failure_print(struct cedei_simulation *sim, const cede_sim_report *report, bool all) {
    const struct cedei_sim_record *record = &sim->shared->record;
    static char output[4096];
    cedei_sim_output_read(sim->output, output, sizeof output);
    fprintf(stderr, "cede_sim: '%s' does not hold with seed %llu:\n  %s\n", sim->options.name,
            (unsigned long long)sim->seed, record->failure);
    fprintf(stderr, "It takes %u of the %u choices of that seed. What happened:\n",
            report->choices_shrunk, report->choices);
    cedei_trace_print(record, all);
    if (output[0] != '\0') fprintf(stderr, "The program wrote:\n%s\n", output);
    fprintf(stderr, "To run it again:\n  %s\n", report->command);
}

/* The run of the record does not hold. */
static cede_result failure_report(struct cedei_simulation *sim, const struct wishes *wishes,
                                  cede_sim_report *report) {
    struct cedei_sim_record *record = &sim->shared->record;
    bool holds = true;
    report->seed = sim->seed;
    report->choices = record->choices_count;
    snprintf(report->failure, sizeof report->failure, "%s", record->failure);
    cede_result r = sim->planned || wishes->whole ? CEDE_OK : cedei_simulation_shrink(sim);
    if (r == CEDE_OK) r = cedei_simulation_run_once(sim, &holds);
    if (r != CEDE_OK) return r;
    report->choices_shrunk = sim->planned ? sim->shared->plan_count : record->choices_count;
    snprintf(report->failure, sizeof report->failure, "%s", record->failure);
    command_write(sim, report);
    if (!sim->options.quiet) failure_print(sim, report, wishes->trace);
    return CEDE_EFAILED;
}

static cede_result runs_make(struct cedei_simulation *sim, const struct wishes *wishes,
                             cede_sim_report *report) {
    const struct cede_sim_options *options = &sim->options;
    for (uint32_t i = 0; i < options->seeds; i++) {
        bool holds = false;
        sim->seed = options->seed_first + i;
        cede_result r = cedei_simulation_run_once(sim, &holds);
        if (r != CEDE_OK) return r;
        report_add(report, &sim->shared->record);
        hash_write(sim, wishes->hashes);
        if (!holds) return failure_report(sim, wishes, report);
        if (wishes->trace) cedei_trace_print(&sim->shared->record, true);
    }
    return CEDE_OK;
}

static void defaults_set(struct cede_sim_options *options) {
    if (options->name == NULL) options->name = "sim";
    if (options->seed_first == 0) options->seed_first = 1;
    if (options->seeds == 0) options->seeds = SEEDS_DEFAULT;
    if (options->steps_max == 0) options->steps_max = STEPS_DEFAULT;
    if (options->time_max_ns == 0) options->time_max_ns = TIME_DEFAULT_NS;
}

cede_result cede_sim_run(const struct cede_sim_options *options, cede_block_fn *scenario,
                         void *context) {
    static const struct cede_sim_options DEFAULTS;
    static cede_sim_report ours; /* there is one simulation at a time */
    cede_sim_report *report = &ours;
    struct wishes wishes;
    if (scenario == NULL || cedei_sim_is_running()) return CEDE_EINVAL;
    struct cedei_simulation sim = {
        .options = options != NULL ? *options : DEFAULTS, .scenario = scenario, .context = context};
    defaults_set(&sim.options);
    if (sim.options.report != NULL) report = sim.options.report;
    memset(report, 0, sizeof *report);
    sim.points_max = sim.options.steps_max;
    sim.shared = cedei_sim_shared_take(sizeof *sim.shared);
    if (sim.shared == NULL) return CEDE_ENOMEM;
    sim.output = cedei_sim_output_open();
    cede_result r = wishes_read(&sim, &wishes);
    if (r == CEDE_OK && !wishes.skip) r = runs_make(&sim, &wishes, report);
    cedei_sim_output_close(sim.output);
    cedei_sim_shared_give(sim.shared, sizeof *sim.shared);
    return r;
}

/* ---- what scenarios call ---- */

void cede_sim_fail(const char *what) { cedei_sim_fail(what, "%s", what); }

void cede_sim_note(const char *format, ...) {
    char line[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    cedei_sim_hold();
    cedei_sim_trace_text(0, line);
    cedei_sim_release();
}

uint64_t cede_sim_random(void) { return cedei_sim_random(); }
void cede_sim_calm(bool calm) { (void)cedei_sim_allow_faults(!calm); }
