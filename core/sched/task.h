/* task.h - what the scheduler runs: it knows tasks, not actors. */
#ifndef CEDEI_SCHED_TASK_H
#define CEDEI_SCHED_TASK_H

#include <stdint.h>

struct cedei_worker;
struct cedei_task;

/* Runs once on `worker`; returns the worker that it ended on, which is another one if the turn was suspended in between. */
typedef struct cedei_worker *cedei_task_fn(struct cedei_worker *worker, struct cedei_task *task);

/* Where a task runs: the executor's number in its system times 2, plus one of these. */
enum cedei_task_place { CEDEI_TASK_WORKER = 0, CEDEI_TASK_POOL = 1 };
/* Executors in a system, the first included. */
enum { CEDEI_EXECUTORS_MAX = 64 };

static inline uint8_t cedei_place_of(uint32_t executor, enum cedei_task_place place) {
    return (uint8_t)(executor * 2 + (uint32_t)place);
}

/* Access: I except `next`, which belongs to the list that holds the task. A task is in at most one queue at any time. */
struct cedei_task {
    struct cedei_task *next;
    cedei_task_fn *run;
    uint8_t place;  /* cedei_place_of */
    uint8_t refuse; /* a job: is refused when the pool has no thread at all; an actor is not */
};

#endif
