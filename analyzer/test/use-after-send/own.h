/* own.h - a user's own runtime: no function of Cede, only its annotations. */
#ifndef OWN_H
#define OWN_H
#include <stddef.h>
#include <stdint.h>
#include <cede/annotate.h>
struct job {
    int id;
    char name[16];
    struct job *next;
    char *heap;
};
struct queue;
int queue_push(struct queue *q CEDE_BORROWED, struct job **job CEDE_MOVED);
_Bool queue_offer(struct queue *q CEDE_BORROWED, struct job **job CEDE_MOVED);
void queue_put(struct queue *q CEDE_BORROWED, struct job *job CEDE_MOVED);
int queue_try(struct queue *q CEDE_BORROWED, struct job *job CEDE_MOVED);
void job_free(struct job **job CEDE_DROPPED);
void job_destroy(struct job *job CEDE_DROPPED);
CEDE_RETURNS_OWNED struct job *job_new(void);
int queue_pop(struct queue *q CEDE_BORROWED, struct job **job CEDE_GIVEN);
void look(const struct job *job CEDE_BORROWED);
void look_plain(const struct job *job);
#endif
