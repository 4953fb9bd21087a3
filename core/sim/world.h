/* world.h - one process as the simulator has it: all threads of Cede are run by one, virtual time, and every choice that the
 * system would make is made by a seed or taken from a plan.
 *
 * The world takes the place of core/sys (core/sim/ implements its headers). A thread is a stack; at a *point* (an atomic access, a
 * lock, a look at the clock) another one may go on in its place. A *choice* is a place where something else could happen than
 * what happens by default: of each kind they are counted for each thread, so that a plan names them ("the third allocation of thread 2 fails"). By
 * default a thread goes on until it waits, then the next one in the order of their numbers; nothing fails. A seed makes choices at
 * random and notes those that differ from the default: the notes are a plan, and the same plan makes the same run again. */
#ifndef CEDEI_SIM_WORLD_H
#define CEDEI_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/annotate.h>

#include "core/base/base.h"

/* Kinds of choices; the letter is the plan's. */
#define CEDEI_SIM_KINDS(K)                                                                         \
    K(SWITCH, 's')   /* at a point, another thread goes on */                                      \
    K(NEXT, 'n')     /* a thread waits: who goes on */                                             \
    K(WAKE, 'w')     /* which of those that wait is woken */                                       \
    K(SPURIOUS, 'u') /* a wait ends early */                                                       \
    K(DELAY, 'd')    /* time passes while others have the processor */                             \
    K(PAUSE, 'p')    /* a thread that had to give way does not get the processor for a while */    \
    K(DUTY, 'o')     /* workers go off duty, or come back */                                       \
    K(THREAD, 't')   /* a thread cannot be made */                                                 \
    K(MEMORY, 'm')   /* an allocation fails */                                                     \
    K(REFUSE, 'r')   /* a mailbox refuses a message */                                             \
    K(KILL, 'k')     /* an actor is killed */                                                      \
    K(FAIL, 'f')     /* a turn ends in failure */
enum cedei_sim_kind {
#define CEDEI_SIM_KIND(name, letter) CEDEI_SIM_##name,
    CEDEI_SIM_KINDS(CEDEI_SIM_KIND)
#undef CEDEI_SIM_KIND
        CEDEI_SIM_KIND_COUNT
};

/* One choice that was not the default's. */
struct cedei_sim_choice {
    uint64_t at; /* thread << 40 | count of choices of the kind that the thread had, from 1; for SWITCH, of its points */
    uint32_t value; /* 1..CEDEI_SIM_VALUE_MAX; for SWITCH and NEXT the number of a thread */
    uint32_t kind;
};

/* What happened, for the trace. */
enum cedei_sim_what {
    CEDEI_SIM_SPAWNED = 1, /* name: behaviour */
    CEDEI_SIM_ENDED,       /* value: reason */
    CEDEI_SIM_HANDLES,     /* name: message type */
    CEDEI_SIM_HANDLED,     /* value: result */
    CEDEI_SIM_WAITS,       /* in the middle of its turn */
    CEDEI_SIM_GOES_ON,
    CEDEI_SIM_SENDS, /* name: message type; value: the receiver's slot and generation */
    CEDEI_SIM_NOTE,  /* text */
    CEDEI_SIM_CHOSE  /* value: kind << 32 | what was chosen */
};
struct cedei_sim_event {
    uint64_t time_ns; /* since the start */
    uint64_t point;
    const char *who, *name; /* constants, or NULL; `who`: the actor's behaviour */
    uint64_t actor;         /* slot << 32 | generation; 0: none */
    uint64_t value;
    uint32_t text; /* offset in `texts`, 0: none */
    uint16_t what, thread;
};

enum {
    CEDEI_SIM_CHOICES_MAX = 1 << 20,
    CEDEI_SIM_EVENTS_MAX = 1 << 15, /* the last ones of a run are kept */
    CEDEI_SIM_TEXTS_SIZE = 1 << 20,
    CEDEI_SIM_FAILURE_SIZE = 600,
    CEDEI_SIM_THREADS_MAX = 4500, /* more than the largest blocking pool */
    CEDEI_SIM_NAMES_MAX = 64,
    CEDEI_SIM_THREAD_SHIFT = 40,
    CEDEI_SIM_VALUE_MAX = 1000 /* of a choice, from 1 */
};

/* How a run ended. */
enum cedei_sim_outcome { CEDEI_SIM_RUNS = 0, CEDEI_SIM_HOLDS, CEDEI_SIM_FAILED };

/* What is known of a run; shared with the process that runs it, and whole at any time. */
struct cedei_sim_record {
    uint32_t outcome;
    char failure[CEDEI_SIM_FAILURE_SIZE]; /* what did not hold */
    char where[128];                      /* names the failure: the same for the same mistake */
    uint64_t hash, points, switches, turns, end_ns;
    uint64_t choices_asked[CEDEI_SIM_KIND_COUNT], choices_made[CEDEI_SIM_KIND_COUNT];
    uint64_t events_count;
    uint32_t texts_used, choices_count, names_count;
    char names[CEDEI_SIM_NAMES_MAX][16]; /* of threads, by number */
    struct cedei_sim_choice choices[CEDEI_SIM_CHOICES_MAX];
    struct cedei_sim_event events[CEDEI_SIM_EVENTS_MAX]; /* a ring */
    char texts[CEDEI_SIM_TEXTS_SIZE];
};

/* What a run is made from. */
struct cedei_sim_setup {
    uint64_t seed;
    uint64_t points_max; /* a run that takes more has not ended: a failure */
    uint64_t time_max_ns;
    uint32_t switch_every; /* points between two switches, on the average; 0: never */
    uint32_t one_in[CEDEI_SIM_KIND_COUNT]; /* of so many choices one is not the default's; 0: none */
    const struct cedei_sim_choice *plan;   /* NULL: the seed chooses; sorted by kind and `at` */
    uint32_t plan_count;
    struct cedei_sim_record *record;
};

/* Runs `run(context)` as the first thread of a world of its own, in a process that does nothing else from then on. Returns when
 * it does; a failure ends the process. All other threads must have ended by then. */
void cedei_sim_world_run(const struct cedei_sim_setup *setup, void (*run)(void *context),
                         void *context);
/* The run does not hold: notes why and ends the process. `where`: see the record. */
__attribute__((noreturn)) void cedei_sim_fail(const char *where, const char *format, ...)
    CEDE_PRINTF(2, 3);
bool cedei_sim_is_running(void);
uint64_t cedei_sim_seed(void);
/* From now on choices are made; until then everything goes by default, so that all runs begin alike. */
void cedei_sim_begin(void);
/* Faults (THREAD to FAIL) happen only while allowed. Returns what it was. */
bool cedei_sim_allow_faults(bool allowed);
/* Called when no thread can go on before the time of some wait: everything is at rest. Must not wait. */
void cedei_sim_on_rest(void (*check)(void *context), void *context);
/* 0: the default; else what is to be different, 1..CEDEI_SIM_VALUE_MAX. */
uint32_t cedei_sim_choose(enum cedei_sim_kind kind);
/* By choice, lets time pass: up to 17 ms, mostly much less. No point. */
void cedei_sim_delay(void);
/* For the program that is simulated; independent of the choices. */
uint64_t cedei_sim_random(void);
/* No points, so that what is looked at stands still. They nest; nothing in between may wait. */
void cedei_sim_hold(void);
void cedei_sim_release(void);
void cedei_sim_trace(enum cedei_sim_what what, uint64_t actor, const char *who, const char *name,
                     uint64_t value);
/* A choice that is worth a line in the trace; no part of the hash. */
void cedei_sim_trace_choice(enum cedei_sim_kind kind, uint64_t value);
void cedei_sim_trace_text(uint64_t actor, const char *text);
uint64_t cedei_sim_now_ns(void); /* no point, and no time passes */
/* Blocks that cedei_alloc and the others gave and nobody freed; `*here`: where the newest was asked for. */
int64_t cedei_sim_blocks_live(const char **here);

/* ---- between the files of this folder ---- */
uint64_t cedei_sim_hash(uint64_t hash, uint64_t value);
/* The present thread waits for `what`, until woken or `deadline_ns`; false: the latter. No point. */
bool cedei_sim_wait(const void *what, uint64_t deadline_ns);
/* Wakes up to `count` of those that wait for `what`. No point. */
void cedei_sim_wake(const void *what, int count);
/* Gives the others their chance. */
void cedei_sim_give_way(void);
void cedei_sim_point_now(void);
/* Lets `ns` pass. */
void cedei_sim_pass_time(uint64_t ns);
/* The present thread's number, from 1. */
uint32_t cedei_sim_thread_number(void);

/* choice.c */
void cedei_sim_choices_on(void);
void cedei_sim_choices_begin(const struct cedei_sim_setup *setup);
/* The next point of the current thread, after `point`, at which to switch; UINT64_MAX: never. */
uint64_t cedei_sim_switch_next(uint64_t point);
/* For SWITCH, at that point, and for NEXT: which of these threads goes on; 0: the default. */
uint32_t cedei_sim_choose_thread(enum cedei_sim_kind kind, uint64_t point, const uint32_t *threads,
                                 uint32_t count);

#endif
