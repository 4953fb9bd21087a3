/* Functions of a user's own runtime that move by value and by address. */
#include "own.h"
#include <string.h>

int f1(struct queue *q, struct job *j) {
    if (queue_push(q, &j) == 0)
        return j->id; // expect: use-after-send
    return 0;
}

int f2(struct queue *q, struct job *j) {
    queue_put(q, j);
    return j->id; // expect: use-after-send
}

int f3(struct queue *q, struct job *j) {
    int r = queue_try(q, j);
    if (r == 0)
        look(j); // expect: use-after-send
    return r;
}

int f4(struct queue *q, struct job *j) {
    struct job *k = j;
    if (queue_offer(q, &j))
        k->id = 4; // expect: use-after-send
    return 0;
}

void f5(struct job *j) {
    job_destroy(j);
    job_destroy(j); // expect: use-after-send
}

void f6(struct queue *q, struct job *j) {
    queue_put(q, j);
    job_destroy(j); // expect: use-after-send
}

void f7(struct queue *q, struct job *head) {
    for (struct job *j = head; j != NULL; j = j->next) // expect: use-after-send
        queue_put(q, j);
}

void f8(struct queue *q, struct job *j) {
    char *n = j->name;
    queue_put(q, j);
    strcpy(n, "x"); // expect: use-after-send
}

void f9(struct queue *q) {
    struct job *j = job_new();
    if (!j)
        return;
    struct job *k = j;
    queue_put(q, j);
    look_plain(k); // expect: use-after-send
}

int f10(struct queue *q) {
    struct job *j = NULL;
    if (queue_pop(q, &j) != 0)
        return -1;
    struct job *k = j;
    job_free(&j);
    return k->id; // expect: use-after-send
}

static void give(struct queue *q, struct job *j) {
    queue_put(q, j);
}

int f11(struct queue *q, struct job *j) {
    give(q, j);
    return j->id; // expect: use-after-send
}

void f12(struct queue *q, struct job *j, int twice) {
    queue_put(q, j);
    if (twice)
        queue_put(q, j); // expect: use-after-send
}

typedef void put_fn(struct queue *q, struct job *j CEDE_MOVED);

int f13(struct queue *q, struct job *j, put_fn *put) {
    put(q, j);
    return j->id; // expect: use-after-send
}

struct sink {
    void (*put)(struct queue *q, struct job *j CEDE_MOVED);
};

int f14(struct queue *q, struct job *j, const struct sink *s) {
    s->put(q, j);
    return j->id; // expect: use-after-send
}

int f15(struct queue *q, struct job *j) {
    const int *id = &j->id;
    queue_put(q, j);
    return *id; // expect: use-after-send
}
