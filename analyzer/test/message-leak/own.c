/* Objects of a user's own that have one owner. */
#include <stddef.h>
#include <stdlib.h>
#include <cede/annotate.h>

struct job {
    int id;
    struct job *next;
};
struct queue;
CEDE_RETURNS_OWNED struct job *job_new(int id);
int queue_pop(struct queue *q CEDE_BORROWED, struct job **job CEDE_GIVEN);
int queue_push(struct queue *q CEDE_BORROWED, struct job **job CEDE_MOVED);
void job_destroy(struct job *job CEDE_DROPPED);
void job_free(struct job **job CEDE_DROPPED);
void look(const struct job *job CEDE_BORROWED);

int l1(void) {
    struct job *j = job_new(1); // expect: message-leak
    if (!j)
        return -1;
    look(j);
    return 0;
}

int l2(struct queue *q) {
    struct job *j = NULL;
    if (queue_pop(q, &j) != 0) // expect: message-leak
        return -1;
    if (j->id == 3)
        return 3;
    job_destroy(j);
    return 0;
}

int l3(struct queue *q, int k) {
    struct job *j = job_new(k), *i = job_new(k); // expect: message-leak
    if (!j || !i) {
        job_destroy(j);
        return -1;
    }
    if (queue_push(q, &j) != 0)
        job_free(&j);
    if (queue_push(q, &i) != 0)
        job_free(&i);
    return 0;
}

void l4(struct queue *q) {
    struct job *j;
    while (queue_pop(q, &j) == 0) { // expect: message-leak
        if (j->id < 0)
            continue;
        job_destroy(j);
    }
}

void o1(struct queue *q) {
    struct job *j = NULL;
    while (queue_pop(q, &j) == 0) {
        look(j);
        job_free(&j);
    }
}

struct job *o2(int k) {
    struct job *j = job_new(k);
    if (j)
        j->id++;
    return j;
}

void o3(struct job **head, int k) {
    struct job *j = job_new(k);
    if (!j)
        return;
    j->next = *head;
    *head = j;
}

struct list {
    struct job *head;
};

void o4(struct list *l, int k) {
    struct job *j = job_new(k);
    if (j) {
        j->next = l->head;
        l->head = j;
    }
}

int o5(struct queue *q, int k) {
    struct job *j = job_new(k);
    if (!j)
        return -1;
    int r = queue_push(q, &j);
    if (r)
        job_free(&j);
    return r;
}

void o6(struct job *all[], int n) {
    for (int i = 0; i < n; i++)
        all[i] = job_new(i);
}

void o7(int k) {
    struct job *j = job_new(k);
    if (j == NULL)
        exit(1);
    job_destroy(j);
}

int o8(struct queue *q, int k) {
    struct job *j = job_new(k);
    return j ? queue_push(q, &j) : -1;
}
