/* Every interleaving of a run queue's owner and two thieves, with room for four tasks and indices about to wrap.
 * Claims: each task is taken exactly once, by the owner or by a thief; the owner takes in order; the count is right when
 * nobody moves. */
#include <stddef.h>
#include <string.h>

#define CEDEI_RUNQUEUE_CAPACITY 4u
#include "tests/model/atomics.h"

#include "core/sync/runqueue.h"

enum { TASKS = 8 };
#define HEAD_FIRST (UINT32_MAX - 2)

static struct cedei_runqueue queue;
static struct cedei_task {
    uint32_t content; /* written by whoever pushes it, then by whoever takes it */
} tasks[TASKS];
static uint32_t pushed, taken[TASKS];

static void task_take(struct cedei_task *task) {
    MODEL_CLAIM(task >= tasks && task < tasks + pushed);
    MODEL_CLAIM(taken[task - tasks]++ == 0);
    MODEL_CLAIM(task->content == 1);
    task->content = 2;
}

/* Entries from `first` on were read and are taken: the owner must not have been able to overwrite them before. */
static void entries_rely(uint32_t first, uint32_t count) {
    for (uint32_t i = first; i < first + count; i++)
        model_rely(&queue.entries[i % CEDEI_RUNQUEUE_CAPACITY], sizeof queue.entries[0]);
}

static void owner_push(void) {
    tasks[pushed].content = 1;
    pushed++; /* a thief may have it before we return */
    if (!cedei_runqueue_push(&queue, &tasks[pushed - 1], NULL)) pushed--;
}

static void owner_pop(void) {
    struct cedei_task *task = cedei_runqueue_pop(&queue, NULL);
    if (task != NULL) task_take(task);
}

static void owner_fill_and_drain(void *context) {
    (void)context;
    for (int i = 0; i < 3; i++) owner_push();
    owner_pop();
    for (int i = 0; i < 3; i++) owner_push(); /* over the end, as far as there is room */
    owner_pop();
    owner_pop();
}

static void owner_push_and_pop_by_turns(void *context) {
    (void)context;
    for (int i = 0; i < 3; i++) {
        owner_push();
        owner_push();
        owner_pop();
    }
}

static void thief(void *room) {
    struct cedei_task *stolen[4];
    for (int round = 0; round < 2; round++) {
        uint32_t count = cedei_runqueue_take_half(&queue, stolen, *(uint32_t *)room);
        MODEL_CLAIM(count <= *(uint32_t *)room);
        if (count > 0) entries_rely((uint32_t)(stolen[0] - tasks) + HEAD_FIRST, count);
        for (uint32_t i = 0; i < count; i++) task_take(stolen[i]);
    }
}

static uint32_t room_two = 2, room_one = 1;

static void state_begin(void (*owner)(void *), int thieves) {
    memset(taken, 0, sizeof taken);
    memset(tasks, 0, sizeof tasks);
    pushed = 0;
    for (uint32_t i = 0; i < CEDEI_RUNQUEUE_CAPACITY; i++) queue.entries[i] = NULL;
    queue.head = queue.tail = HEAD_FIRST;
    model_watch("a task", tasks, sizeof tasks);
    model_thread_add(owner, NULL);
    model_thread_add(thief, &room_two);
    if (thieves > 1) model_thread_add(thief, &room_one);
}

static void one_thief_begin(void) { state_begin(owner_fill_and_drain, 1); }
static void two_thieves_begin(void) { state_begin(owner_push_and_pop_by_turns, 2); }

static void rest_is_there_once(void) {
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < pushed; i++) waiting += taken[i] == 0;
    MODEL_CLAIM(cedei_runqueue_count(&queue) == waiting);
    for (uint32_t before = 0; waiting > 0; waiting--) {
        struct cedei_task *task = cedei_runqueue_pop(&queue, NULL);
        if (task == NULL) {
            model_fail("a task is lost");
            return;
        }
        uint32_t index = (uint32_t)(task - tasks) + 1;
        MODEL_CLAIM(index > before); /* the oldest first */
        before = index;
        task_take(task);
    }
    MODEL_CLAIM(cedei_runqueue_pop(&queue, NULL) == NULL);
}

int main(int argc, char **argv) {
    static const struct model_scenario SCENARIOS[] = {
        {"owner and a thief", one_thief_begin, rest_is_there_once, 3, 2},
        {"owner and two thieves", two_thieves_begin, rest_is_there_once, 2, 2},
    };
    static const char *const OWNS[] = {"core/sync/runqueue.h",
                                       "!core/sync/runqueue.h cedei_runqueue_count", NULL};
    static const struct model_test TEST = {SCENARIOS, sizeof SCENARIOS / sizeof SCENARIOS[0], OWNS};
    return model_main(argc, argv, &TEST);
}
