/* world.c - the threads of a simulation and its time.
 * Invariants: (1) exactly one thread, `current`, runs; the others are stopped in switch_to, or have not begun; (2) time moves only
 * forward, and no thread sleeps beyond its deadline while time has passed it; (3) what decides which thread goes on is numbers of
 * threads, counts of points, and choices: no address, no real time. */
#include "core/sim/world.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/mem/context.h"
#include "core/sim/thread.h"
#include "core/sys/clock.h"
#include "core/sys/map.h"
#include "core/sys/thread.h"

#if CEDEI_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

/* A thread that loops without waiting gives way after so many points. */
enum { SLICE_POINTS = 20000, STACK_SIZE = 512 * 1024, THREADS_LISTED = 32 };
#define READING_NS 20u /* what a look at the clock takes */
#define NEVER (UINT64_MAX / 2)

static struct {
    const struct cedei_sim_setup *setup; /* NULL: no world */
    struct cedei_sim_record *record;
    struct cedei_sim_thread *threads[CEDEI_SIM_THREADS_MAX + 1]; /* by number; NULL: has ended */
    uint32_t threads_count;                                      /* highest number given */
    struct cedei_sim_thread *current, *left, *dead, *free;
    uint64_t wait_order;
    uint64_t points; /* of all threads when the current one came on */
    uint64_t local_from; /* those of the current one were as many then; the next three are such numbers, too */
    uint64_t event_at;                      /* of the point at which `cedei_sim_left` is 0 */
    uint64_t switch_at;                     /* the next one chosen */
    uint64_t slice_end;                     /* the next one that is not */
    uint64_t start_ns, now_ns, deadline_ns; /* the earliest of those that wait */
    void (*rest_check)(void *context);
    void *rest_context;
    bool resting;
    uint32_t holds; /* while there are any, `held_left` stands for cedei_sim_left */
    uint64_t held_left;
} world;

uint64_t cedei_sim_left = NEVER;

bool cedei_sim_is_running(void) { return world.setup != NULL; }
uint64_t cedei_sim_seed(void) { return world.setup != NULL ? world.setup->seed : 0; }
uint64_t cedei_sim_now_ns(void) { return world.now_ns - world.start_ns; }
uint32_t cedei_sim_thread_number(void) { return world.current->number; }
struct cedei_sim_thread *cedei_sim_thread_current(void) { return world.current; }

/* ---- points ---- */

/* Of the current thread, and of all. */
static uint64_t local_now(void) {
    return world.event_at - (world.holds != 0 ? world.held_left : cedei_sim_left);
}
static uint64_t point_now(void) { return world.points + (local_now() - world.local_from); }

static void event_plan(uint64_t local) {
    world.event_at = world.switch_at < world.slice_end ? world.switch_at : world.slice_end;
    cedei_sim_left = world.event_at - local;
}

void cedei_sim_hold(void) {
    if (world.holds++ != 0) return;
    world.held_left = cedei_sim_left;
    cedei_sim_left = NEVER;
}

void cedei_sim_release(void) {
    if (--world.holds == 0) cedei_sim_left = world.held_left;
}

/* ---- the end of a run ---- */

static void record_end(enum cedei_sim_outcome outcome) {
    struct cedei_sim_record *record = world.record;
    record->points = point_now();
    record->end_ns = cedei_sim_now_ns();
    record->hash = cedei_sim_hash(record->hash, record->points);
    record->outcome = outcome;
}

void cedei_sim_fail(const char *where, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (world.setup == NULL) {
        vfprintf(stderr, format, arguments);
        fputc('\n', stderr);
        abort();
    }
    struct cedei_sim_record *record = world.record;
    vsnprintf(record->failure, sizeof record->failure, format, arguments);
    va_end(arguments);
    snprintf(record->where, sizeof record->where, "%s", where);
    record_end(CEDEI_SIM_FAILED);
    fflush(NULL);
    _exit(1);
}

/* Nothing can ever happen again. */
__attribute__((noreturn)) static void deadlock_report(void) {
    char text[400];
    size_t used = 0;
    for (uint32_t i = 1; i <= world.threads_count && used < sizeof text - 40; i++) {
        struct cedei_sim_thread *thread = world.threads[i];
        if (thread == NULL || thread->ended) continue;
        int more =
            snprintf(text + used, sizeof text - used, "%s%s", used != 0 ? ", " : "", thread->name);
        used += (size_t)more;
    }
    cedei_sim_fail(
        "deadlock",
        "nothing can go on: every thread waits without a limit of time (%s). Somebody waits for "
        "what nobody will do, or a wake-up was lost",
        text);
}

/* ---- time ---- */

static void deadlines_look(void) {
    uint64_t first_ns = UINT64_MAX;
    for (uint32_t i = 1; i <= world.threads_count; i++) {
        struct cedei_sim_thread *thread = world.threads[i];
        if (thread == NULL || thread->waits_for == NULL) continue;
        if (thread->deadline_ns <= world.now_ns) {
            thread->waits_for = NULL;
            thread->timed_out = true;
        } else if (thread->deadline_ns < first_ns) {
            first_ns = thread->deadline_ns;
        }
    }
    world.deadline_ns = first_ns;
}

void cedei_sim_pass_time(uint64_t ns) {
    world.now_ns += ns;
    if (world.now_ns >= world.deadline_ns) deadlines_look();
}

/* One that is held up has something to do still. */
static bool is_any_paused(void) {
    for (uint32_t i = 1; i <= world.threads_count; i++)
        if (world.threads[i] != NULL && world.threads[i]->waits_for == world.threads[i])
            return true;
    return false;
}

/* Everybody waits: to the first deadline. */
static void time_jump(void) {
    if (world.rest_check != NULL && !world.resting && !is_any_paused()) {
        cedei_sim_hold();
        world.resting = true;
        world.rest_check(world.rest_context);
        world.resting = false;
        cedei_sim_release();
    }
    deadlines_look();
    if (world.deadline_ns == UINT64_MAX) deadlock_report();
    if (world.deadline_ns - world.start_ns > world.setup->time_max_ns)
        cedei_sim_fail("time",
                       "the run has not ended after %.3f s of virtual time (time_max_ns): something "
                       "waits for what does not come, or goes round in a circle",
                       (double)world.setup->time_max_ns / 1e9);
    world.now_ns = world.deadline_ns;
    deadlines_look();
}

uint64_t cedei_clock_now_ns(void) {
    if (world.setup == NULL) return 1;
    cedei_sim_point();
    cedei_sim_pass_time(READING_NS);
    return world.now_ns;
}

/* ---- switching ---- */

static bool can_run(const struct cedei_sim_thread *thread) {
    return thread != NULL && !thread->ended && thread->waits_for == NULL;
}

/* Those that can, in the circle behind the current one, itself last if it is one of them; up to THREADS_LISTED. How many. */
static uint32_t runnable_list(bool with_current, uint32_t *threads) {
    uint32_t found = 0, count = world.threads_count, from = world.current->number;
    for (uint32_t step = 1; step < count + with_current && found < THREADS_LISTED; step++) {
        uint32_t number = (from - 1 + step) % count + 1;
        if (can_run(world.threads[number])) threads[found++] = number;
    }
    return found;
}

static void arrived(void) {
#if CEDEI_ASAN
    const void *low = NULL;
    size_t size = 0;
    __sanitizer_finish_switch_fiber(world.current->fake_stack, &low, &size);
    world.left->low = low;
    world.left->size = size;
#endif
    struct cedei_sim_thread *dead = world.dead;
    world.dead = NULL;
    if (dead == NULL) return;
    world.threads[dead->number] = NULL;
    dead->next = world.free;
    world.free = dead;
}

CEDEI_NO_ASAN static void switch_to(struct cedei_sim_thread *to) {
    struct cedei_sim_thread *from = world.current;
    world.record->switches++;
    world.points = point_now();
    from->points = local_now();
    from->saved_errno = errno;
    world.left = from;
    world.current = to;
    world.local_from = to->points;
    world.slice_end = to->points + SLICE_POINTS;
    world.switch_at = cedei_sim_switch_next(to->points);
    event_plan(to->points);
#if CEDEI_ASAN
    __sanitizer_start_switch_fiber(&from->fake_stack, to->low, to->size);
#endif
    cedei_registers_switch(&from->registers, &to->registers);
    arrived();
    errno = world.current->saved_errno;
}

static void end_look(uint64_t point) {
    if (point > world.setup->points_max)
        cedei_sim_fail("points", "the run has not ended after %llu steps (steps_max)",
                       (unsigned long long)point);
}

/* The processor is somewhere else meanwhile. */
void cedei_sim_delay(void) {
    uint32_t value = cedei_sim_choose(CEDEI_SIM_DELAY);
    if (value != 0) cedei_sim_pass_time((uint64_t)1 << (6 + value % 19));
}

/* The current thread, which gives way, is held up: up to a millisecond. */
static void pause_choose(void) {
    uint32_t value = cedei_sim_choose(CEDEI_SIM_PAUSE);
    if (value == 0) return;
    struct cedei_sim_thread *self = world.current;
    self->waits_for = self;
    self->deadline_ns = world.now_ns + ((uint64_t)1 << (6 + value % 15));
    if (self->deadline_ns < world.deadline_ns) world.deadline_ns = self->deadline_ns;
}

void cedei_sim_point_slow(void) {
    if (world.setup == NULL) {
        cedei_sim_left = NEVER;
        return;
    }
    uint64_t point = world.event_at;
    end_look(point_now());
    uint32_t threads[THREADS_LISTED], others = runnable_list(false, threads), to = 0;
    if (point == world.switch_at) {
        if (others != 0) to = cedei_sim_choose_thread(CEDEI_SIM_SWITCH, point, threads, others);
        world.switch_at = cedei_sim_switch_next(point);
    }
    if (point >= world.slice_end) {
        world.slice_end = point + SLICE_POINTS;
        cedei_sim_pass_time(SLICE_POINTS); /* it may be waiting for one that is held up */
        if (to == 0 && others != 0) to = threads[0];
    }
    event_plan(point);
    if (to == 0) return;
    cedei_sim_delay();
    pause_choose();
    switch_to(world.threads[to]);
}

void cedei_sim_point_now(void) {
    if (world.setup != NULL) cedei_sim_point();
}

void cedei_sim_give_way(void) {
    uint32_t threads[THREADS_LISTED];
    if (world.setup == NULL) return;
    cedei_sim_point();
    cedei_sim_pass_time(2 * READING_NS);
    if (runnable_list(false, threads) != 0) switch_to(world.threads[threads[0]]);
}

/* The current thread cannot go on, or has ended. */
static void go_elsewhere(void) {
    uint32_t threads[THREADS_LISTED], count = 0, to = 0;
    end_look(point_now());
    cedei_sim_delay();
    while ((count = runnable_list(true, threads)) == 0)
        time_jump(); /* each jump frees one, or fails */
    if (count > 1) to = cedei_sim_choose_thread(CEDEI_SIM_NEXT, 0, threads, count);
    if (to == 0) /* the current one, if its time has come already */
        to = can_run(world.current) ? world.current->number : threads[0];
    if (to != world.current->number) switch_to(world.threads[to]);
}

bool cedei_sim_wait(const void *what, uint64_t deadline_ns) {
    struct cedei_sim_thread *self = world.current;
    if (world.setup == NULL)
        cedei_sim_fail("outside", "cede-sim: a call that waits was made outside of cede_sim_run");
    if (deadline_ns <= world.now_ns) return false;
    self->waits_for = what;
    self->deadline_ns = deadline_ns;
    self->order = ++world.wait_order;
    self->timed_out = false;
    if (deadline_ns < world.deadline_ns) world.deadline_ns = deadline_ns;
    go_elsewhere();
    return !self->timed_out;
}

static uint32_t waiting_count(const void *what) {
    uint32_t count = 0;
    for (uint32_t i = 1; i <= world.threads_count; i++)
        count += world.threads[i] != NULL && world.threads[i]->waits_for == what;
    return count;
}

/* The one that has waited longest but for `nth` others. */
static struct cedei_sim_thread *waiting_find(const void *what, uint32_t nth) {
    uint64_t after = 0;
    for (;;) { /* `nth` rounds */
        struct cedei_sim_thread *found = NULL;
        for (uint32_t i = 1; i <= world.threads_count; i++) {
            struct cedei_sim_thread *thread = world.threads[i];
            if (thread != NULL && thread->waits_for == what && thread->order > after &&
                (found == NULL || thread->order < found->order))
                found = thread;
        }
        if (nth-- == 0) return found;
        after = found->order;
    }
}

void cedei_sim_wake(const void *what, int count) {
    if (world.setup == NULL) return;
    uint32_t waiting = 0;
    while (count-- > 0 && (waiting = waiting_count(what)) != 0) {
        uint32_t nth = waiting > 1 ? cedei_sim_choose(CEDEI_SIM_WAKE) % waiting : 0;
        waiting_find(what, nth)->waits_for = NULL;
    }
}

void cedei_sim_begin(void) {
    uint64_t local = local_now();
    cedei_sim_choices_on();
    world.switch_at = cedei_sim_switch_next(local);
    event_plan(local);
}

/* ---- threads ---- */

static void thread_entry(void) {
    arrived();
    struct cedei_sim_thread *self = world.current;
    errno = 0;
    self->run(self->context);
    self = world.current;
    if (self->end_run != NULL) self->end_run(self->end_context);
    self->ended = true;
    cedei_sim_wake(self, 1);
    if (self->detached) world.dead = self;
    go_elsewhere();
    cedei_sim_fail("ended", "cede-sim: a thread went on after its end");
}

static struct cedei_sim_thread *thread_take(void) {
    struct cedei_sim_thread *thread = world.free;
    if (thread != NULL) {
        world.free = thread->next;
        struct cedei_sim_thread again = {
            .number = thread->number, .stack = thread->stack, .points = thread->points};
        *thread = again;
        return thread;
    }
    if (world.threads_count == CEDEI_SIM_THREADS_MAX) return NULL;
    thread = calloc(1, sizeof *thread);
    if (thread == NULL) return NULL;
    thread->stack = cedei_map_reserve(STACK_SIZE, cedei_page_size());
    if (thread->stack == NULL || cedei_map_guard(thread->stack, cedei_page_size()) != CEDE_OK) {
        free(thread);
        return NULL;
    }
    thread->number = ++world.threads_count;
    return thread;
}

struct cedei_sim_thread *cedei_sim_thread_make(const char *name, cedei_thread_fn *run,
                                               void *context) {
    cedei_sim_hold();
    struct cedei_sim_thread *thread = thread_take();
    if (thread != NULL) {
        struct cedei_stack stack = {.low = thread->stack + cedei_page_size(),
                                    .size = STACK_SIZE - cedei_page_size()};
        thread->run = run;
        thread->context = context;
        thread->low = stack.low;
        thread->size = stack.size;
        snprintf(thread->name, sizeof thread->name, "%s", name);
        if (thread->number < CEDEI_SIM_NAMES_MAX) {
            memcpy(world.record->names[thread->number], thread->name, sizeof thread->name);
            if (world.record->names_count <= thread->number)
                world.record->names_count = thread->number + 1;
        }
        cedei_context_prepare(&stack, thread_entry);
        thread->registers = stack.registers;
        world.threads[thread->number] = thread;
    }
    cedei_sim_release();
    return thread;
}

void cedei_sim_thread_free(struct cedei_sim_thread *thread) {
    world.threads[thread->number] = NULL;
    thread->next = world.free;
    world.free = thread;
}

void cedei_sim_on_rest(void (*check)(void *context), void *context) {
    world.rest_check = check;
    world.rest_context = context;
}

void cedei_sim_world_run(const struct cedei_sim_setup *setup, void (*run)(void *context),
                         void *context) {
    static struct cedei_sim_thread first = {.number = 1, .name = "main"};
    struct cedei_sim_record *record = setup->record;
    cedei_sim_choices_begin(setup);
    world.setup = setup;
    world.record = record;
    world.current = world.threads[1] = &first;
    world.threads_count = 1;
    record->names_count = 2;
    memcpy(record->names[1], "main", 5);
    /* Anywhere in the windows of a timing wheel. */
    world.start_ns = world.now_ns = 1000000000000u + cedei_sim_random() % 300000000000u;
    world.deadline_ns = UINT64_MAX;
    world.slice_end = SLICE_POINTS;
    world.switch_at = cedei_sim_switch_next(0);
    event_plan(0);
    run(context);
    record_end(CEDEI_SIM_HOLDS);
    world.setup = NULL;
    cedei_sim_left = NEVER;
}

/* ---- the trace ---- */

uint64_t cedei_sim_hash(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

static uint64_t hash_text(uint64_t hash, const char *text) {
    while (*text != '\0') hash = cedei_sim_hash(hash, (unsigned char)*text++);
    return hash;
}

static struct cedei_sim_event *event_add(enum cedei_sim_what what, uint64_t actor) {
    struct cedei_sim_record *record = world.record;
    struct cedei_sim_event *event = &record->events[record->events_count++ % CEDEI_SIM_EVENTS_MAX];
    *event = (struct cedei_sim_event){.time_ns = cedei_sim_now_ns(),
                                      .point = point_now(),
                                      .actor = actor,
                                      .what = (uint16_t)what,
                                      .thread = (uint16_t)world.current->number};
    uint64_t hash = cedei_sim_hash(record->hash, event->time_ns);
    hash = cedei_sim_hash(hash, actor);
    record->hash = cedei_sim_hash(hash, (uint64_t)what << 32 | world.current->number);
    return event;
}

void cedei_sim_trace_choice(enum cedei_sim_kind kind, uint64_t value) {
    struct cedei_sim_record *record = world.record;
    uint64_t hash = record->hash;
    event_add(CEDEI_SIM_CHOSE, 0)->value = (uint64_t)kind << 32 | value;
    record->hash = hash;
}

void cedei_sim_trace(enum cedei_sim_what what, uint64_t actor, const char *who, const char *name,
                     uint64_t value) {
    if (world.setup == NULL) return;
    struct cedei_sim_event *event = event_add(what, actor);
    event->who = who;
    event->name = name;
    event->value = value;
    world.record->turns += what == CEDEI_SIM_HANDLES;
    world.record->hash = cedei_sim_hash(world.record->hash, value);
    if (name != NULL) world.record->hash = hash_text(world.record->hash, name);
}

void cedei_sim_trace_text(uint64_t actor, const char *text) {
    if (world.setup == NULL) return;
    struct cedei_sim_record *record = world.record;
    struct cedei_sim_event *event = event_add(CEDEI_SIM_NOTE, actor);
    size_t length = strlen(text);
    record->hash = hash_text(record->hash, text);
    if (record->texts_used == 0) record->texts_used = 1;
    if (record->texts_used + length + 1 > CEDEI_SIM_TEXTS_SIZE) return;
    memcpy(record->texts + record->texts_used, text, length + 1);
    event->text = record->texts_used;
    record->texts_used += (uint32_t)length + 1;
}
