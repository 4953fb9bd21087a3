/* lookout.h - the thread that watches the workers of one scheduler: it finds turns that take long, reports them, and has a
 * spare worker take over what waits behind them. It costs the workers nothing but what they count anyway: it reads
 * `tick`, `taken` and the number of turns every few milliseconds, and sleeps when they do. */
#ifndef CEDEI_SCHED_LOOKOUT_H
#define CEDEI_SCHED_LOOKOUT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <cede/result.h>

#include "core/base/base.h"
#include "core/sched/scale.h"
#include "core/sys/thread.h"

struct cedei_sched;
struct cedei_worker;

enum { CEDEI_WORKERS_MAX = 64 }; /* spare ones included: as many as `idle` has bits */
/* Of a histogram: entry i counts turns of 2^i up to 2^(i+1) ns, the last one also all longer ones. */
enum { CEDEI_TURN_LENGTHS = 40 };
/* 8.4 ms: turns up to it are sampled by the workers (sample.c), longer ones counted one by one by the lookout. */
#define CEDEI_TURN_LONG_NS ((uint64_t)1 << 23)

static inline uint32_t cedei_turn_length_index(uint64_t ns) {
    uint32_t index = 63 - (uint32_t)__builtin_clzll(ns | 1);
    return index < CEDEI_TURN_LENGTHS ? index : CEDEI_TURN_LENGTHS - 1;
}

/* A worker's state; a regular one is never NONE, and LEAVING and OFF only by scale.c.
 *   NONE    | no thread yet                    | the lookout, to ON
 *   ON      | works like any other             | the lookout, to LEAVING
 *   LEAVING | hands over what it has           | the spare, to OFF
 *   OFF     | its thread sleeps, owns nothing  | the lookout or the stop, to ON */
enum cedei_duty { CEDEI_DUTY_NONE = 0, CEDEI_DUTY_OFF, CEDEI_DUTY_LEAVING, CEDEI_DUTY_ON };

/* What the lookout saw of a worker when it last looked. Access: the lookout only. */
struct cedei_seat {
    bool in_task;           /* it ran a task */
    bool stuck;             /* the same one for so long that it does not count as working */
    bool reported;          /* the turn was over the limit and that has been dealt with */
    uint32_t tick;          /* of the task */
    uint32_t seen;          /* looks that found the turn running */
    uint64_t turns;         /* the number of the turn in it */
    uint64_t task_since_ns; /* first seen */
    uint64_t looked_ns;     /* the last look */
    uint64_t cpu_ns;        /* that the thread had used then */
    uint64_t turn_ns;       /* how long the turn had run or blocked then */
};

/* A question to a worker's thread: what is it doing?
 *   `state`, low byte | who may change it                                | to
 *   IDLE    0         | the lookout                                      | WANTED, worker's index << 8
 *   WANTED  1         | that worker, in the handler of the interrupt     | TAKEN
 *                     | the lookout, when no answer comes                | IDLE
 *   TAKEN   2         | that worker                                      | DONE
 *   DONE    3         | the lookout                                      | IDLE
 * Access: all but `state` belongs to the lookout in IDLE and DONE, to the worker in TAKEN. */
enum { CEDEI_PROBE_IDLE = 0, CEDEI_PROBE_WANTED, CEDEI_PROBE_TAKEN, CEDEI_PROBE_DONE };
enum { CEDEI_PROBE_FRAMES = 32 };
struct cedei_probe {
    _Atomic uint32_t state; /* P: futex word */
    uint32_t tick;          /* asked for: the task */
    uint64_t turns;         /* asked for: the turn */
    bool found;             /* that it was still this turn */
    int frames_count;
    void *frames[CEDEI_PROBE_FRAMES]; /* innermost first */
    char what[256];                   /* as cedei_sched_options.describe gives it */
};

/* Access: I = set at init; P = any thread, atomic; W = the lookout only. */
struct cedei_lookout {
    bool started;            /* I */
    uint64_t warn_ns;        /* I: a turn that takes longer is reported; UINT64_MAX: never */
    uint64_t period_ns;      /* I: between two looks while there is something to see */
    cedei_thread thread;     /* I */
    _Atomic uint32_t asleep; /* P: futex word; 1: wants to be told when a worker begins to work */
    _Atomic uint32_t stop;   /* P: futex word */
    _Atomic uint64_t looks;  /* P: rounds so far */
    _Atomic uint64_t long_turns;                  /* P: over `warn_ns` */
    _Atomic uint64_t lengths[CEDEI_TURN_LENGTHS]; /* P: of turns over CEDEI_TURN_LONG_NS */
    struct cedei_seat seats[CEDEI_WORKERS_MAX];   /* W */
    uint64_t report_every_ns;                     /* I: between two reports at least */
    uint64_t warned_ns;                           /* W: the last report; 0: none yet */
    uint32_t unreported;                          /* W: long turns since then */
    bool own_shared; /* W: the slot and the queue of a worker that was alone may be emptied by others */
    struct cedei_scale scale;                               /* W */
    struct cedei_scale_seat scale_seats[CEDEI_WORKERS_MAX]; /* W */
    bool spare_failed; /* W: that no spare worker could be had has been logged */
    struct cedei_probe probe;
};

/* lookout.c */
CEDE_NODISCARD cede_result cedei_lookout_start(struct cedei_sched *sched, uint64_t warn_ns);
/* Returns when it has ended; before that, it does nothing when it was not started. */
void cedei_lookout_stop(struct cedei_sched *sched);
void cedei_lookout_wake(struct cedei_lookout *lookout);

/* A worker begins to work, or works still: the lookout must not sleep. */
static inline void cedei_lookout_notify(struct cedei_lookout *lookout) {
    /* seq_cst: after our bit in `idle` was cleared; the lookout says that it sleeps, then looks at `idle`. */
    if (CEDEI_UNLIKELY(atomic_load_explicit(&lookout->asleep, memory_order_seq_cst) != 0))
        cedei_lookout_wake(lookout);
}

/* stall.c: reports the present turn of a worker as the lookout last saw it, unless there were too many reports lately. */
void cedei_stall_report(struct cedei_sched *sched, struct cedei_worker *worker);
/* Readies the process for it. */
void cedei_stall_install(void);

/* spare.c */
/* One worker more; false: not now, or not at all. */
bool cedei_spare_call(struct cedei_sched *sched);
/* One worker less, which hands over what it has as soon as its present turn is over. `stuck`: those that cannot. */
void cedei_spare_dismiss(struct cedei_sched *sched, uint64_t stuck);
/* Moves what waits behind a stuck worker to the global queue: others may always have work of their own, and never steal. */
void cedei_spare_relieve(struct cedei_worker *stuck);
/* A regular worker, too: hands over what it has and rests, as soon as its present task is over; until it is called back, once it has
 * gone. */
void cedei_spare_send_off(struct cedei_worker *worker);
bool cedei_spare_is_off(struct cedei_worker *worker);
void cedei_spare_call_back(struct cedei_worker *worker);
/* Before one is called back: what is the own of the only one on duty may be taken by others again. False: not at this moment. */
bool cedei_spare_share(struct cedei_sched *sched);
/* The slot of the only worker is its own again if all spare workers are off duty. */
void cedei_spare_settle(struct cedei_sched *sched);
/* The worker has been dismissed: hands over what it has and sleeps until it is called again, or the stop. */
void cedei_spare_rest(struct cedei_worker *worker);

#endif
