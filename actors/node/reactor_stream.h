/* reactor_stream.h - a stream of transport_reactor.c, and when its two sides run. */
#ifndef CEDEI_NODE_REACTOR_STREAM_H
#define CEDEI_NODE_REACTOR_STREAM_H

#include "actors/node/transport.h"
#include "core/sched/sched.h"

/* Access: L = under the stream's lock. */
struct side {
    struct cedei_task task;
    bool wanted; /* L: its event is owed */
    bool queued; /* L: its task is in a queue */
    bool runs;   /* L: somebody is in side_run */
};

/* Access: L = under `lock`; I = set before the first event; R, W = whoever runs that side. */
struct cedei_stream {
    struct cedei_source source;               /* its descriptor is I; see reactor.h */
    struct cedei_sched *sched;                /* I */
    const struct cedei_stream_events *events; /* I */
    cedei_accept_fn *accepted;                /* I: of a listener, else NULL */
    void *context;                            /* I */
    cedei_mutex lock;                         /* made once */
    cedei_cond quiet;                         /* made once: no side runs any more */
    bool is_made;                             /* of `lock` and `quiet` */
    bool is_ipc;                              /* I */
    bool closed, destroyed;                   /* L */
    bool abandoned;          /* L: destroyed, but a task is queued: it gives the memory back */
    bool soon;               /* L: the event of that name is owed */
    bool dialing;            /* W */
    bool pausing;            /* L: accepts nothing before `retry` */
    uint32_t number;         /* L: which stream this memory is */
    cede_result dial_result; /* I: of a dial that failed at once */
    void *in;                /* R while the receive is wanted */
    size_t in_size;          /* as `in` */
    struct side sides[2];    /* by enum cedei_direction */
    struct cedei_timer retry;
};

extern const struct cedei_source_kind cedei_stream_kind;

/* A worker of the stream's system, if the calling thread is one, or NULL. */
struct cedei_worker *cedei_side_worker(struct cedei_stream *stream);
/* Under the lock: its task will run. */
void cedei_side_submit(struct cedei_stream *stream, enum cedei_direction which,
                       struct cedei_worker *worker);
/* Under the lock: has the side see to what it has to do, or wait. */
void cedei_side_start(struct cedei_stream *stream, enum cedei_direction which);
/* Under the lock, which it leaves for each event. */
void cedei_side_run(struct cedei_stream *stream, enum cedei_direction which);
/* The task of that side. */
cedei_task_fn *cedei_side_task(enum cedei_direction which);

/* transport_reactor.c: moves bytes, or what else the side is for; `soon`: only the event of that name. True: an event was given. */
bool cedei_side_try(struct cedei_stream *stream, enum cedei_direction which, uint64_t seen,
                    bool soon);

#endif
