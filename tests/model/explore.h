/* explore.h - runs a few threads in every order, and with every outcome, that C11 allows them within stated bounds.
 * The threads are fibers of one real thread. Each atomic access (atomics.h) is a point where another may be chosen, up to
 * a number of preemptions; each atomic load may read any value that its thread may still see, up to a number of stale
 * reads (memory.c). An execution is one list of choices, and the next changes the last choice that has an alternative left
 * (depth first), so every list is tried once. Executions start from scratch: a scenario's `begin` builds its state.
 *
 * The code under test is the real source, compiled with -fsanitize=thread but linked to memory.c in place of the
 * sanitizer: so every plain access to memory that a scenario watches is checked for races on the way, and a missing
 * release or acquire shows as a race on what it should have published.
 *
 * Without arguments a program explores all its scenarios and prints how many executions that were; `--part i n` explores a
 * share of them. With --weaken it weakens each order of its files in turn
 * (sites.h, made by mutate.py) and looks for an execution that breaks a claim; one that finds none fails, unless mutate.py
 * says why the order is not needed. With --mutant it must find a failure, of the mistake that it was compiled with. */
#ifndef CEDE_TESTS_EXPLORE_H
#define CEDE_TESTS_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MODEL_THREADS_MAX = 8,
    MODEL_LOCATIONS_MAX = 48, /* atomic objects of a scenario */
    MODEL_HISTORY_MAX = 160,  /* values that one of them takes in an execution */
    MODEL_STALE_DEPTH = 4,    /* how many of the last values a load may read */
    MODEL_POINTS_IN_A_ROW =
        200, /* a thread that goes on for longer waits for another, and lets it */
    MODEL_POINTS_MAX = 3000
};

/* Something that threads wait for; whoever waits sees what happened before the signal, as through a queue. */
struct model_event {
    uint32_t count;
};

struct model_scenario {
    const char *name;
    void (*begin)(void); /* builds the state and adds threads by model_thread_add */
    void (*check)(void); /* when no thread can go on any more */
    int preemptions;     /* the bounds */
    int stale;
};

struct model_test {
    const struct model_scenario *scenarios;
    int count;
    const char *const *
        owns; /* whose orders this program weakens: "file function", then NULL; or "!file function": not
                                that one; no function: all of the file */
};

/* For `begin`. */
void model_thread_add(void (*run)(void *context), void *context);
/* Plain accesses to it are checked for races. */
void model_watch(const char *name, const void *address, size_t size);
/* Counters: atomic accesses to them are no choices. */
void model_quiet(const void *address, size_t size);
/* The first reading of the model's clock; it moves when a thread with a deadline is the only one left, or before. */
void model_time_set(uint64_t now_ns);

/* For threads. One of `count` ways to go on. */
int model_choose(int count);
int model_current(void);
void model_signal(struct model_event *event);
void model_wait(struct model_event *event);
/* Takes all signals at once, or ends when the time has come, as a read of an eventfd: under the kernel's lock, as the writes. */
void model_wait_until(struct model_event *event, uint64_t deadline_ns);
/* The value that this thread loaded last from the atomic object is used: it must not be one that a store put there which did
 * not happen after the load. Checks what the memory model cannot show, loads that are delayed behind later stores. */
void model_rely(const volatile void *at, size_t size);
/* As in core/sys/thread.h: the lock at `address`, and waiting on a word. */
void model_lock(const void *address);
void model_unlock(const void *address);
void model_futex_wait(const void *word, uint32_t expected, uint64_t deadline_ns);
void model_futex_wake(const void *word, int count);
uint64_t model_now_ns(void);
/* The present thread does not go on. */
void model_thread_end(void);
/* For `check`: whether the thread waits for something. */
bool model_is_blocked(int thread);
bool model_is_finished(int thread);
/* Ends the execution: a claim does not hold. */
void model_fail(const char *claim);

#define MODEL_CLAIM(claim)                                                                         \
    do {                                                                                           \
        if (!(claim)) model_fail(#claim);                                                          \
    } while (0)

/* What atomics.h makes of the C11 calls. `order` is one of memory_order. */
uint64_t model_atomic_load(const volatile void *at, size_t size, int order);
void model_atomic_store(volatile void *at, size_t size, uint64_t value, int order);
enum model_change { MODEL_EXCHANGE, MODEL_ADD, MODEL_SUB, MODEL_OR, MODEL_AND };
uint64_t model_atomic_change(volatile void *at, size_t size, enum model_change how, uint64_t value,
                             int order);
bool model_atomic_compare(volatile void *at, size_t size, void *expected, uint64_t value, int order,
                          int otherwise, bool is_weak);
void model_atomic_fence(int order);

/* A place in the source where an order is written; the table is generated. */
struct model_site {
    const char *file;
    int line;
    const char *place; /* function and call, for reports */
    int order, weaker; /* one row per weaker order: number `id` may occur twice */
    int id;
    const char *unneeded; /* why it is not needed, or NULL */
};
extern int model_weakened_id, model_weakened_order;
extern uint8_t model_reached[];
static inline int model_order(int id, int order) {
    model_reached[id] = 1;
    return id == model_weakened_id ? model_weakened_order : order;
}

int model_main(int argc, char **argv, const struct model_test *test);

#endif
