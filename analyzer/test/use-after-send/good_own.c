/* The same runtime, used rightly. */
#include "own.h"
#include <string.h>

void g1(struct queue *q, struct job *j) {
    if (queue_push(q, &j) != 0) {
        look(j);
        job_free(&j);
    }
}

void g2(struct queue *q, struct job *head) {
    while (head != NULL) {
        struct job *next = head->next;
        queue_put(q, head);
        head = next;
    }
}

int g3(struct queue *q, struct job *j) {
    int r = queue_try(q, j);
    if (r != 0) {
        look(j);
        job_destroy(j);
    }
    return r;
}

int g4(struct queue *q, struct job *j) {
    if (!queue_offer(q, &j)) {
        look_plain(j);
        job_free(&j);
        return 1;
    }
    return 0;
}

int g5(struct queue *q) {
    struct job *j = NULL;
    int sum = 0;
    while (queue_pop(q, &j) == 0) {
        sum += j->id;
        job_free(&j);
    }
    return sum;
}

void g6(struct job *a, struct job *b, int first) {
    job_destroy(first ? a : b);
    look(first ? b : a);
}

void g7(struct queue *q, struct job **all, int n) {
    for (int i = 0; i < n; i++) {
        queue_put(q, all[i]);
        all[i] = NULL;
    }
}

void g8(struct queue *q, struct job **all, int n) {
    for (int i = 0; i < n; i++)
        queue_put(q, all[i]);
}

void g9(struct queue *q, struct job *j) {
    int id = j->id;
    queue_put(q, j);
    j = job_new();
    if (j) {
        j->id = id;
        queue_put(q, j);
    }
}

void queue_put(struct queue *q, struct job *job) {
    (void)q;
    job->next = NULL;
}
