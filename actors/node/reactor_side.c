/* reactor_side.c - when the two sides of a stream run; see reactor_stream.h, and transport_reactor.c for what they do.
 * Owns nothing but the tasks. Invariants: (1) of one side at most one thread is in cedei_side_run; (2) a side that is wanted is
 * queued, runs, or waits in its word of the source. */
#include "actors/node/reactor_stream.h"
#include "core/base/base.h"

enum { ANSWERS_MAX = 1 }; /* of one side, before other tasks have their turn */

struct cedei_worker *cedei_side_worker(struct cedei_stream *stream) {
    struct cedei_worker *worker = cedei_worker_current();
    return cedei_sched_has(stream->sched, worker) ? worker : NULL;
}

/* Under the lock. */
void cedei_side_submit(struct cedei_stream *stream, enum cedei_direction which,
                       struct cedei_worker *worker) {
    struct side *side = &stream->sides[which];
    if (side->queued) return;
    side->queued = true;
    (void)cedei_sched_submit(stream->sched, worker, &side->task); /* no pool's: always runs */
}

/* Under the lock: the same behind what waits already. */
static void side_requeue(struct cedei_stream *stream, enum cedei_direction which) {
    struct cedei_worker *worker = cedei_side_worker(stream);
    struct side *side = &stream->sides[which];
    if (worker == NULL || worker->home != side->task.place) {
        cedei_side_submit(stream, which, NULL);
    } else if (!side->queued) {
        side->queued = true;
        cedei_sched_requeue(worker, &side->task);
    }
}

/* Under the lock: whether the side has something to do now, begun at `*seen`; if not, but it is wanted, an event of the
 * reactor will queue it. */
static bool side_is_due(struct cedei_stream *stream, enum cedei_direction which, uint64_t *seen) {
    struct cedei_source *source = &stream->source;
    uint64_t waiter = (uint64_t)stream->number << 1 | which;
    if (stream->destroyed) return false;
    if (which == CEDEI_WRITING && stream->soon) return true;
    if (!stream->sides[which].wanted || stream->pausing) return false;
    if (source->descriptor < 0) return true;
    for (;;) { /* each further round means that an event came */
        *seen = cedei_source_look(source, which);
        if (cedei_source_is_ready(*seen)) return true;
        bool waits = (*seen & 3) == CEDEI_SOURCE_WAITING;
        if (waits || cedei_source_await(source, which, waiter)) return false;
    }
}

/* Under the lock: has the side see to what it has to do, or wait. */
void cedei_side_start(struct cedei_stream *stream, enum cedei_direction which) {
    uint64_t seen;
    if (!stream->sides[which].runs && side_is_due(stream, which, &seen))
        cedei_side_submit(stream, which, cedei_side_worker(stream));
}

/* Under the lock, which it leaves for each event. */
void cedei_side_run(struct cedei_stream *stream, enum cedei_direction which) {
    struct side *side = &stream->sides[which];
    uint64_t seen = CEDEI_SOURCE_NONE;
    if (side->runs) return; /* and sees to what we came for */
    side->runs = true;
    for (int answers = 0; side_is_due(stream, which, &seen);) {
        if (answers >= ANSWERS_MAX) {
            side_requeue(stream, which);
            break;
        }
        /* An event is asked for again from within it, so before it begins it is not wanted any more; a listener always is. */
        bool soon = which == CEDEI_WRITING && stream->soon;
        if (soon)
            stream->soon = false;
        else
            side->wanted = stream->accepted != NULL;
        cedei_mutex_unlock(&stream->lock);
        bool answered = cedei_side_try(stream, which, seen, soon);
        cedei_mutex_lock(&stream->lock);
        if (answered)
            answers++;
        else
            side->wanted = true;
    }
    side->runs = false;
    if (stream->destroyed) cedei_cond_broadcast(&stream->quiet);
}

static struct cedei_worker *side_run_task(struct cedei_worker *worker, struct cedei_stream *stream,
                                          enum cedei_direction which) {
    cedei_mutex_lock(&stream->lock);
    stream->sides[which].queued = false;
    if (!stream->destroyed) cedei_side_run(stream, which);
    bool is_over = stream->abandoned && !stream->sides[0].queued && !stream->sides[1].queued;
    cedei_mutex_unlock(&stream->lock);
    if (is_over) cedei_source_give(&stream->source);
    return worker;
}

static struct cedei_worker *reading_run(struct cedei_worker *worker, struct cedei_task *task) {
    return side_run_task(worker,
                         CEDEI_CONTAINER_OF(task, struct cedei_stream, sides[CEDEI_READING].task),
                         CEDEI_READING);
}

static struct cedei_worker *writing_run(struct cedei_worker *worker, struct cedei_task *task) {
    return side_run_task(worker,
                         CEDEI_CONTAINER_OF(task, struct cedei_stream, sides[CEDEI_WRITING].task),
                         CEDEI_WRITING);
}

static void stream_wake(struct cedei_source *source, struct cedei_worker *worker, uint64_t waiter) {
    struct cedei_stream *stream = CEDEI_CONTAINER_OF(source, struct cedei_stream, source);
    cedei_mutex_lock(&stream->lock);
    if (stream->number == (uint32_t)(waiter >> 1))
        cedei_side_submit(stream, (enum cedei_direction)(waiter & 1), worker);
    cedei_mutex_unlock(&stream->lock);
}

cedei_task_fn *cedei_side_task(enum cedei_direction which) {
    return which == CEDEI_READING ? reading_run : writing_run;
}

const struct cedei_source_kind cedei_stream_kind = {sizeof(struct cedei_stream), stream_wake};
