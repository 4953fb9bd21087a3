/* explore.c - threads, choices, and the programs' main; see explore.h.
 * Owns the list of choices of the present execution. Invariant: the same list gives the same execution, since nothing
 * else that is asked here (no clock, no address) decides anything. */
#include "tests/model/explore_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sites.h"

enum { CHOICES_MAX = 8192, STACK_SIZE = 128 * 1024, SCENARIOS_MAX = 32, BOUND_MAX = 4 };

struct model_state model;
static struct cedei_stack native;
static struct {
    uint8_t chosen[CHOICES_MAX], options[CHOICES_MAX];
    int length, at; /* choices recorded; choices made in this execution */
} path;
int model_weakened_id = -1, model_weakened_order;
uint8_t model_reached[MODEL_SITE_IDS];

/* ---- threads ---- */

void model_thread_add(void (*run)(void *), void *context) {
    if (model.count == MODEL_THREADS_MAX) abort();
    struct model_thread *thread = &model.threads[model.count++];
    struct cedei_stack stack = thread->stack;
    memset(thread, 0, sizeof *thread);
    thread->stack = stack;
    thread->run = run;
    thread->context = context;
    thread->deadline_ns = UINT64_MAX;
    thread->now.clock[thread - model.threads] = 1;
    thread->acquired = thread->now;
}

static bool is_runnable(const struct model_thread *thread) {
    return !thread->finished && (thread->wait == NULL || *thread->wait != 0);
}

static void switch_to(int next) {
    struct cedei_stack *from = model.current < 0 ? &native : &model.threads[model.current].stack;
    struct cedei_stack *to = next < 0 ? &native : &model.threads[next].stack;
    model.current = next;
    model.points_in_a_row = 0;
    if (from != to) cedei_context_switch(from, to);
}

int model_current(void) { return model.current; }

int model_choose(int count) {
    if (count <= 1) return 0;
    if (path.at == path.length) {
        if (path.length == CHOICES_MAX) model_fail("the scenario has too many choices");
        path.chosen[path.length] = 0;
        path.options[path.length++] = (uint8_t)count;
    }
    return path.chosen[path.at++];
}

/* The time comes for a thread that waits with a deadline. */
static void deadline_pass(struct model_thread *thread) {
    if (model.now_ns < thread->deadline_ns) model.now_ns = thread->deadline_ns;
    thread->wait = NULL;
}

static int deadline_first(void) {
    int first = -1;
    for (int i = 0; i < model.count; i++) {
        const struct model_thread *thread = &model.threads[i];
        if (thread->finished || thread->wait == NULL || thread->deadline_ns == UINT64_MAX) continue;
        if (first < 0 || thread->deadline_ns < model.threads[first].deadline_ns) first = i;
    }
    return first;
}

/* Goes on with some thread; the present one first, if it can. Time passes when nobody can, or as a preemption. */
static void schedule(bool current_can) {
    int candidates[MODEL_THREADS_MAX + 1], count = 0;
    if (current_can) candidates[count++] = model.current;
    int sleeper = -1;
    if (!current_can || model.preemptions_left > 0) {
        for (int i = 0; i < model.count; i++)
            if (i != model.current && is_runnable(&model.threads[i])) candidates[count++] = i;
        if (count == 0 || model.preemptions_left > 0) sleeper = deadline_first();
        if (sleeper >= 0) candidates[count++] = sleeper;
    }
    if (count == 0) {
        switch_to(-1);
        return;
    }
    int chosen = model_choose(count), next = candidates[chosen];
    bool by_time = sleeper >= 0 && chosen == count - 1;
    if ((current_can && next != model.current) || (by_time && count > 1)) model.preemptions_left--;
    if (by_time && !is_runnable(&model.threads[sleeper])) deadline_pass(&model.threads[sleeper]);
    if (next != model.current) switch_to(next);
}

/* Without it, a loop that looks until another thread has done something would never end. */
static void give_way(void) {
    model.points_in_a_row = 0;
    for (int i = 1; i < model.count; i++) {
        int next = (model.current + i) % model.count;
        if (!is_runnable(&model.threads[next])) continue;
        switch_to(next);
        return;
    }
}

/* Before every atomic access. */
void model_point(void) {
    model.points++;
    if (++model.points_now > MODEL_POINTS_MAX) model_fail("it goes on for ever");
    if (++model.points_in_a_row > MODEL_POINTS_IN_A_ROW)
        give_way();
    else if (model.preemptions_left > 0)
        schedule(true);
}

void model_block(const uint32_t *until, uint64_t deadline_ns) {
    struct model_thread *thread = &model.threads[model.current];
    thread->wait = until;
    thread->deadline_ns = deadline_ns;
    schedule(*until != 0);
    thread->wait = NULL;
    thread->deadline_ns = UINT64_MAX;
}

void model_thread_end(void) {
    model.threads[model.current].finished = true;
    schedule(false);
    abort(); /* nobody comes back to a finished thread */
}

void model_fail(const char *claim) {
    if (model.failure == NULL) model.failure = claim;
    if (model.current >= 0) switch_to(-1);
}

bool model_is_finished(int thread) { return model.threads[thread].finished; }

bool model_is_blocked(int index) {
    const struct model_thread *thread = &model.threads[index];
    return thread->wait != NULL && *thread->wait == 0;
}

void model_time_set(uint64_t now_ns) { model.now_ns = now_ns; }
uint64_t model_now_ns(void) { return model.now_ns; }

static void thread_main(void) {
    cedei_context_entered();
    struct model_thread *thread = &model.threads[model.current];
    thread->run(thread->context);
    model_thread_end();
}

/* ---- executions ---- */

static void execute(const struct model_scenario *scenario, int preemptions, int stale) {
    model.count = 0;
    model.points_now = 0;
    model.current = -1;
    model.preemptions_left = preemptions;
    model.stale_left = stale;
    path.at = 0;
    model_memory_reset();
    scenario->begin();
    for (int i = 0; i < model.count; i++)
        cedei_context_prepare(&model.threads[i].stack, thread_main);
    model.running = true;
    schedule(false);
    model.running = false;
    if (model.failure == NULL) scenario->check();
    model.executions++;
}

static bool next_path(void) {
    while (path.length > 0) {
        if (++path.chosen[path.length - 1] < path.options[path.length - 1]) return true;
        path.length--;
    }
    return false;
}

/* With MODEL_TRACE in the environment, the execution that failed is run once more, and says what it does. */
static void trace(const struct model_scenario *scenario, int preemptions, int stale) {
    const char *failure = model.failure;
    model.failure = NULL;
    model.tracing = true;
    execute(scenario, preemptions, stale);
    model.tracing = false;
    model.failure = failure;
}

/* Tries everything within the bounds, until a claim fails: then it is returned. */
static const char *explore(const struct model_scenario *scenario, int preemptions, int stale) {
    path.length = 0;
    model.executions = model.points = 0;
    model.failure = NULL;
    do execute(scenario, preemptions, stale);
    while (model.failure == NULL && next_path());
    if (model.failure != NULL && getenv("MODEL_TRACE") != NULL) trace(scenario, preemptions, stale);
    return model.failure;
}

/* Every `step`-th scenario from `first` on: so that several processes share them. */
static int explore_all(const struct model_test *test, int first, int step) {
    int failed = 0;
    for (int i = first; i < test->count; i += step) {
        const struct model_scenario *scenario = &test->scenarios[i];
        const char *failure = explore(scenario, scenario->preemptions, scenario->stale);
        printf("%s: %llu executions, %llu points, at most %d preemptions and %d stale reads: %s\n",
               scenario->name, (unsigned long long)model.executions,
               (unsigned long long)model.points, scenario->preemptions, scenario->stale,
               failure != NULL ? failure : "all claims hold");
        fflush(stdout);
        if (failure != NULL) failed = 1;
    }
    return failed;
}

/* ---- weakened orders ---- */

/* What one of the scenarios finds, with bounds that grow: most mistakes show with hardly any preemption. A scenario that
 * does not reach the place with one is left out. */
static const char *find_failure(const struct model_test *test, int bound_max, const char **where,
                                uint64_t *executions, bool *ever) {
    bool reached[SCENARIOS_MAX] = {false};
    *executions = 0;
    for (int bound = 0; bound <= bound_max; bound++) {
        for (int i = 0; i < test->count; i++) {
            const struct model_scenario *scenario = &test->scenarios[i];
            if (bound > scenario->preemptions || (bound > 1 && !reached[i])) continue;
            if (model_weakened_id >= 0) model_reached[model_weakened_id] = 0;
            const char *failure = explore(scenario, bound, bound == 0 ? 1 : scenario->stale);
            *executions += model.executions;
            *where = scenario->name;
            if (failure != NULL) return failure;
            reached[i] = model_weakened_id < 0 || model_reached[model_weakened_id] != 0;
            *ever |= reached[i];
        }
    }
    return NULL;
}

static const char *order_name(int order) {
    static const char *const NAMES[] = {"relaxed", "consume", "acquire",
                                        "release", "acq_rel", "seq_cst"};
    return NAMES[order];
}

/* `rule`: "file" or "file function". */
static bool is_named(const char *rule, const struct model_site *site) {
    size_t length = strlen(site->file);
    if (strncmp(rule, site->file, length) != 0) return false;
    if (rule[length] == '\0') return true;
    const char *function = rule + length + 1;
    length = strlen(function);
    return rule[strlen(site->file)] == ' ' && strncmp(site->place, function, length) == 0 &&
           site->place[length] == ':';
}

static bool is_owned(const struct model_test *test, const struct model_site *site) {
    bool owned = false;
    for (int i = 0; test->owns[i] != NULL; i++) {
        const char *rule = test->owns[i];
        if (rule[0] == '!' && is_named(rule + 1, site)) return false;
        owned |= is_named(rule, site);
    }
    return owned;
}

static int owned_list(const struct model_test *test) {
    for (size_t i = 0; i < sizeof MODEL_SITES / sizeof MODEL_SITES[0]; i++)
        if (is_owned(test, &MODEL_SITES[i]))
            printf("%s %s\n", MODEL_SITES[i].file, MODEL_SITES[i].place);
    return 0;
}

/* At most so many preemptions; fewer for what is listed as not needed, unless `--weaken=all` asks for all. `filter`: only
 * places with this text. */
static int weaken_all(const struct model_test *test, int bound, int bound_listed,
                      const char *filter) {
    int caught = 0, unneeded = 0, wrong = 0;
    for (size_t i = 0; i < sizeof MODEL_SITES / sizeof MODEL_SITES[0]; i++) {
        const struct model_site *site = &MODEL_SITES[i];
        if (!is_owned(test, site) || strstr(site->place, filter) == NULL) continue;
        uint64_t executions = 0;
        const char *where = "";
        bool ever = false;
        model_weakened_id = site->id;
        model_weakened_order = site->weaker;
        const char *failure = find_failure(test, site->unneeded != NULL ? bound_listed : bound,
                                           &where, &executions, &ever);
        model_weakened_id = -1;
        printf("%s:%d %s: %s -> %s: ", site->file, site->line, site->place, order_name(site->order),
               order_name(site->weaker));
        if (failure != NULL && site->unneeded == NULL) {
            printf("caught by '%s' (%llu executions): %s\n", where, (unsigned long long)executions,
                   failure);
            caught++;
        } else if (failure == NULL && site->unneeded != NULL) {
            printf("not caught, as is listed: %s\n", site->unneeded);
            unneeded++;
        } else if (failure != NULL) {
            printf("LISTED AS NOT NEEDED (%s) BUT CAUGHT by '%s': %s\n", site->unneeded, where,
                   failure);
            wrong++;
        } else {
            printf("NOT CAUGHT%s (%llu executions)\n", ever ? "" : ", NEVER REACHED",
                   (unsigned long long)executions);
            wrong++;
        }
        fflush(stdout);
    }
    printf("%d weakened orders caught, %d listed as not needed, %d wrong\n", caught, unneeded,
           wrong);
    return wrong != 0;
}

/* ---- main ---- */

static void stacks_make(void) {
    cedei_context_adopt(&native);
    for (int i = 0; i < MODEL_THREADS_MAX; i++) {
        struct cedei_stack *stack = &model.threads[i].stack;
        stack->low = malloc(STACK_SIZE);
        if (stack->low == NULL) abort();
        stack->size = STACK_SIZE;
        cedei_context_init(stack);
    }
}

int model_main(int argc, char **argv, const struct model_test *test) {
    stacks_make();
    const char *mode = argc > 1 ? argv[1] : "";
    const char *filter = argc > 2 ? argv[2] : "";
    if (strcmp(mode, "--weaken") == 0) return weaken_all(test, BOUND_MAX, 0, filter);
    if (strcmp(mode, "--weaken=all") == 0) return weaken_all(test, BOUND_MAX, BOUND_MAX, filter);
    if (strcmp(mode, "--weaken=quick") == 0) return weaken_all(test, 1, 0, filter);
    if (strcmp(mode, "--owns") == 0) return owned_list(test);
    if (strcmp(mode, "--part") == 0 && argc == 4)
        return explore_all(test, atoi(argv[2]) - 1, atoi(argv[3]));
    if (strcmp(mode, "--mutant") != 0) return explore_all(test, 0, 1);
    uint64_t executions = 0;
    bool ever = false;
    const char *where = "", *failure = find_failure(test, BOUND_MAX, &where, &executions, &ever);
    printf("%s (%llu executions)\n", failure != NULL ? failure : "NOT CAUGHT",
           (unsigned long long)executions);
    if (failure != NULL) printf("caught by '%s'\n", where);
    return failure == NULL;
}
