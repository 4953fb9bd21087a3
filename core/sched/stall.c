/* stall.c - says which turn takes long and where it is: the worker's own thread is interrupted and takes its backtrace, so
 * that what it tells is of the turn that was meant or of none. A thread that blocks in a call which the interrupt might end
 * (poll, nanosleep, a socket with a limit of time) is left alone: the turn is described from outside, its callers are guessed
 * from its stack. At most one report in `report_every_ns`; the others are counted. */
#include "core/sched/sched_internal.h"

#include <stdio.h>

#include "core/base/base.h"
#include "core/sys/clock.h"
#include "core/sys/interrupt.h"

#define ANSWER_WITHIN_NS 100000000u
enum { REPORT_FRAMES = 16 };

/* ---- on the worker's thread, in a signal handler ---- */

static void frames_take(struct cedei_probe *probe, const void *at) {
    int count = cedei_backtrace_take(probe->frames, CEDEI_PROBE_FRAMES), skip = 0;
    while (skip < count && probe->frames[skip] != at) skip++;
    if (skip == count) skip = 0; /* the unwinder calls it by another name: show all */
    probe->frames_count = count - skip;
    for (int i = 0; i < probe->frames_count; i++) probe->frames[i] = probe->frames[i + skip];
}

static bool probe_answer(const void *at) {
    struct cedei_worker *worker = cedei_worker_current();
    if (worker == NULL || worker->is_pool) return false;
    struct cedei_probe *probe = &worker->sched->lookout.probe;
    uint32_t wanted = worker->index << 8 | CEDEI_PROBE_WANTED;
    /* acquire: pairs with the release in probe_ask; the question. */
    if (!atomic_compare_exchange_strong_explicit(&probe->state, &wanted, CEDEI_PROBE_TAKEN,
                                                 memory_order_acquire, memory_order_relaxed))
        return false;
    /* relaxed (all): our own thread's. */
    uint32_t tick = atomic_load_explicit(&worker->tick, memory_order_relaxed);
    uint32_t taken = atomic_load_explicit(&worker->taken, memory_order_relaxed);
    uint64_t turns = atomic_load_explicit(&worker->counts.turns, memory_order_relaxed);
    probe->found =
        tick == probe->tick && taken == tick && turns == probe->turns && worker->running != NULL;
    if (probe->found) {
        probe->what[0] = '\0';
        if (worker->sched->describe != NULL)
            worker->sched->describe(worker->running, probe->what, sizeof probe->what);
        frames_take(probe, at);
    }
    /* release: pairs with the acquire in probe_ask; the answer. */
    atomic_store_explicit(&probe->state, CEDEI_PROBE_DONE, memory_order_release);
    cedei_futex_wake(&probe->state, 1);
    return true;
}

void cedei_stall_install(void) { cedei_interrupt_install(probe_answer); }

/* ---- on the lookout's thread ---- */

/* Asks the worker what it is doing. False: no answer, or it has gone on to something else. */
static bool probe_ask(struct cedei_probe *probe, struct cedei_worker *worker,
                      const struct cedei_seat *seat) {
    probe->tick = seat->tick;
    probe->turns = seat->turns;
    probe->found = false;
    uint32_t wanted = worker->index << 8 | CEDEI_PROBE_WANTED;
    /* release: pairs with the acquire in probe_answer; the question. */
    atomic_store_explicit(&probe->state, wanted, memory_order_release);
    cedei_thread_interrupt(&worker->thread);
    uint64_t until_ns = cedei_clock_now_ns() + ANSWER_WITHIN_NS;
    for (;;) { /* until there is an answer, or none in time; one that has begun is waited for */
        /* acquire: pairs with the release in probe_answer; the answer. */
        uint32_t state = atomic_load_explicit(&probe->state, memory_order_acquire);
        if (state == CEDEI_PROBE_DONE) break;
        bool late = cedei_clock_now_ns() >= until_ns;
        /* relaxed: takes the question back. */
        if (late &&
            atomic_compare_exchange_strong_explicit(&probe->state, &wanted, CEDEI_PROBE_IDLE,
                                                    memory_order_relaxed, memory_order_relaxed))
            return false;
        cedei_futex_wait(&probe->state, state, late ? UINT64_MAX : until_ns);
    }
    /* relaxed: nobody else looks at it now. */
    atomic_store_explicit(&probe->state, CEDEI_PROBE_IDLE, memory_order_relaxed);
    return probe->found;
}

/* The worker's thread blocks and must not be disturbed. False: it has gone on meanwhile. */
CEDEI_NO_TSAN static bool probe_guess(struct cedei_probe *probe, struct cedei_worker *worker,
                                      const struct cedei_seat *seat, uintptr_t sp, uintptr_t pc) {
    struct cedei_task *task =
        worker->running; /* a racy look; below it is checked whether it was in time */
    if (task == NULL) return false;
    probe->what[0] = '\0';
    if (worker->sched->describe != NULL)
        worker->sched->describe(task, probe->what, sizeof probe->what);
    probe->frames[0] = (void *)pc;
    probe->frames_count = 1 + cedei_backtrace_guess(sp, probe->frames + 1, CEDEI_PROBE_FRAMES - 1);
    /* acquire (both): pairs with nothing but the compiler: the thread is stopped in our handler; after the looks above. */
    uint64_t turns = atomic_load_explicit(&worker->counts.turns, memory_order_acquire);
    return turns == seat->turns &&
           atomic_load_explicit(&worker->tick, memory_order_acquire) == seat->tick;
}

static void frames_log(const struct cedei_sched *sched, const struct cedei_probe *probe,
                       bool guessed) {
    int count = probe->frames_count < REPORT_FRAMES ? probe->frames_count : REPORT_FRAMES;
    for (int i = 0; i < count; i++) {
        char where[256];
        if (probe->frames[i] == NULL) break; /* the end of a turn's stack */
        cedei_symbol_describe(probe->frames[i], i > 0, where, sizeof where);
        cedei_log_line(&sched->log, CEDE_LOG_WARNING, "  %s%s", guessed && i > 0 ? "? " : "", where);
    }
}

void cedei_stall_report(struct cedei_sched *sched, struct cedei_worker *worker) {
    struct cedei_lookout *lookout = &sched->lookout;
    const struct cedei_seat *seat = &lookout->seats[worker->index];
    uint64_t now_ns = cedei_clock_now_ns();
    if (lookout->warned_ns != 0 && now_ns - lookout->warned_ns < lookout->report_every_ns) {
        lookout->unreported++;
        return;
    }
    /* relaxed: set before the worker's first task. */
    uint32_t thread = atomic_load_explicit(&worker->number, memory_order_relaxed);
    uintptr_t sp = 0, pc = 0;
    enum cedei_thread_state state = cedei_thread_state_of(thread, &sp, &pc);
    bool blocks = state == CEDEI_THREAD_BLOCKS, found = false;
    if (blocks)
        found = probe_guess(&lookout->probe, worker, seat, sp, pc);
    else if (state != CEDEI_THREAD_UNKNOWN)
        found = probe_ask(&lookout->probe, worker, seat);
    char others[64] = "";
    if (lookout->unreported != 0)
        snprintf(others, sizeof others, "; %u other long turns since the last such report",
                 lookout->unreported);
    cedei_log_line(&sched->log, CEDE_LOG_WARNING,
                   "%s has run for %llu ms without a yield, on worker %u (the limit is %llu ms)%s%s",
                   found ? lookout->probe.what : "a turn",
                   (unsigned long long)seat->turn_ns / 1000000, worker->index,
                   (unsigned long long)lookout->warn_ns / 1000000, others,
                   found ? "" : "; where it was could not be seen");
    if (found) frames_log(sched, &lookout->probe, blocks);
    lookout->warned_ns = now_ns;
    lookout->unreported = 0;
}
