/* reactor.c - readiness of descriptors; see reactor.h.
 * Owns the epoll instance and the memory of all sources. Invariants: (1) a source's memory is given back only with the
 * reactor; (2) a waiter is woken by the exchange that takes it out of the word, hence once. */
#include "core/sched/reactor.h"

#include <string.h>

#include "core/sched/sched_internal.h"
#include "core/sys/alloc.h"
#include "core/sys/clock.h"

enum { CHUNK_SOURCES = 32 };
#define HELP_NS 1000000u

struct cedei_source_chunk {
    struct cedei_source_chunk *next;
};

void cedei_reactor_init(struct cedei_reactor *reactor) {
    memset(reactor, 0, sizeof *reactor);
    cedei_mutex_init(&reactor->lock);
}

void cedei_reactor_fini(struct cedei_reactor *reactor) {
    if (cedei_reactor_is_open(reactor)) cedei_poll_fini(&reactor->poll);
    while (reactor->chunks != NULL) { /* a list of our own */
        struct cedei_source_chunk *next = reactor->chunks->next;
        cedei_free(reactor->chunks);
        reactor->chunks = next;
    }
    cedei_mutex_fini(&reactor->lock);
}

cede_result cedei_reactor_open(struct cedei_sched *sched) {
    struct cedei_reactor *reactor = &sched->reactor;
    if (CEDEI_LIKELY(cedei_reactor_is_open(reactor))) return CEDE_OK;
    cede_result r = CEDE_OK;
    bool opened = false;
    cedei_mutex_lock(&reactor->lock);
    if (!cedei_reactor_is_open(reactor) && (r = cedei_poll_init(&reactor->poll)) == CEDE_OK) {
        opened = true;
        /* seq_cst: see cedei_reactor_is_open; publishes `poll`. */
        atomic_store_explicit(&reactor->open, 1, memory_order_seq_cst);
    }
    cedei_mutex_unlock(&reactor->lock);
    if (opened) cedei_sched_watch_begin(sched);
    return r;
}

/* ---- sources ---- */

/* Under the lock: the place of the free sources of this kind. */
static struct cedei_source **shelf_of(struct cedei_reactor *reactor,
                                      const struct cedei_source_kind *kind) {
    uint32_t i = 0;
    while (i < CEDEI_SOURCE_KINDS && reactor->shelves[i].kind != NULL &&
           reactor->shelves[i].kind != kind)
        i++;
    CEDEI_CHECK(i < CEDEI_SOURCE_KINDS);
    reactor->shelves[i].kind = kind;
    return &reactor->shelves[i].free;
}

/* Under the lock. */
static void chunk_add(struct cedei_reactor *reactor, const struct cedei_source_kind *kind,
                      struct cedei_source **free) {
    size_t size = (kind->size + CEDEI_CACHE_LINE - 1) & ~(size_t)(CEDEI_CACHE_LINE - 1);
    char *memory =
        cedei_alloc_aligned(CEDEI_CACHE_LINE, CEDEI_CACHE_LINE + (size_t)CHUNK_SOURCES * size);
    if (memory == NULL) return;
    struct cedei_source_chunk *chunk = (struct cedei_source_chunk *)(void *)memory;
    chunk->next = reactor->chunks;
    reactor->chunks = chunk;
    for (size_t i = CHUNK_SOURCES; i-- > 0;) {
        struct cedei_source *source =
            (struct cedei_source *)(void *)(memory + CEDEI_CACHE_LINE + i * size);
        memset(source, 0, size);
        source->kind = kind;
        source->reactor = reactor;
        source->descriptor = -1;
        source->next = *free;
        *free = source;
    }
}

struct cedei_source *cedei_source_take(struct cedei_reactor *reactor,
                                       const struct cedei_source_kind *kind) {
    cedei_mutex_lock(&reactor->lock);
    struct cedei_source **free = shelf_of(reactor, kind);
    if (*free == NULL) chunk_add(reactor, kind, free);
    struct cedei_source *source = *free;
    if (source != NULL) *free = source->next;
    cedei_mutex_unlock(&reactor->lock);
    return source;
}

static void word_set(struct cedei_source *source, uint64_t word) {
    /* release: pairs with cedei_source_look. A late event of a former descriptor may come in between; it says READY. */
    atomic_store_explicit(&source->word[CEDEI_READING], word, memory_order_release);
    /* release: as above. */
    atomic_store_explicit(&source->word[CEDEI_WRITING], word, memory_order_release);
}

void cedei_source_give(struct cedei_source *source) {
    struct cedei_reactor *reactor = source->reactor;
    word_set(source, CEDEI_SOURCE_NONE);
    source->descriptor = -1;
    source->polled = false;
    cedei_mutex_lock(&reactor->lock);
    struct cedei_source **free = shelf_of(reactor, source->kind);
    source->next = *free;
    *free = source;
    cedei_mutex_unlock(&reactor->lock);
}

cede_result cedei_source_watch(struct cedei_source *source, int descriptor, bool is_ready) {
    source->descriptor = descriptor;
    word_set(source, is_ready ? CEDEI_SOURCE_READY : CEDEI_SOURCE_NONE);
    cede_result r = cedei_poll_add(&source->reactor->poll, descriptor, source);
    source->polled = r == CEDE_OK;
    return r;
}

/* ---- events ---- */

uint32_t cedei_reactor_wait(struct cedei_reactor *reactor, cedei_poll_event *events,
                            uint64_t deadline_ns) {
    return cedei_poll_wait(&reactor->poll, events, CEDEI_REACTOR_BATCH, deadline_ns);
}

static void word_ready(struct cedei_source *source, enum cedei_direction which,
                       struct cedei_worker *worker, bool closed) {
    _Atomic uint64_t *word = &source->word[which];
    uint64_t mark = CEDEI_SOURCE_READY | (closed ? CEDEI_SOURCE_CLOSED : 0);
    /* relaxed: a first guess for the exchange. */
    uint64_t before = atomic_load_explicit(word, memory_order_relaxed), after;
    do { /* each failure means that the user or another event was faster */
        after = cedei_source_is_ready(before) ? (before | mark) + CEDEI_SOURCE_EVENT : mark;
        /* acq_rel: pairs with cedei_source_look (publishes the event) and with cedei_source_await (takes the waiter). */
    } while (!atomic_compare_exchange_weak_explicit(word, &before, after, memory_order_acq_rel,
                                                    memory_order_relaxed));
    if ((before & 3) == CEDEI_SOURCE_WAITING) source->kind->wake(source, worker, before >> 2);
}

static void event_take(struct cedei_worker *worker, const cedei_poll_event *event) {
    struct cedei_source *source = event->data.ptr;
    uint32_t what = event->events;
    if (source == NULL)
        return; /* the event or the timer: it has ended the wait, and that is all it is for */
    bool broken = (what & (EPOLLHUP | EPOLLERR)) != 0;
    if (broken || (what & (EPOLLIN | EPOLLRDHUP)) != 0)
        word_ready(source, CEDEI_READING, worker, broken || (what & EPOLLRDHUP) != 0);
    if (broken || (what & EPOLLOUT) != 0) word_ready(source, CEDEI_WRITING, worker, broken);
}

/* Whether a sleeper may be woken to help: not more often than every HELP_NS, since one that has nothing to do any more when it
 * comes has only disturbed others. Behind a turn that does not end, the lookout sees to it. */
static bool is_help_due(struct cedei_sched *sched) {
    uint64_t now_ns = cedei_clock_now_ns();
    /* relaxed (both): two that help at once do no harm. */
    if (now_ns - atomic_load_explicit(&sched->helped_ns, memory_order_relaxed) < HELP_NS)
        return false;
    atomic_store_explicit(&sched->helped_ns, now_ns, memory_order_relaxed);
    return true;
}

void cedei_reactor_take(struct cedei_worker *worker, const cedei_poll_event *events,
                        uint32_t count) {
    struct cedei_sched *sched = worker->sched;
    if (count == 0) return;
    worker->quiet = true;
    /* The first comes last: the task that was submitted last runs first, then the others in their order. */
    for (uint32_t i = 1; i < count; i++) event_take(worker, &events[i]);
    event_take(worker, &events[0]);
    worker->quiet = false;
    /* relaxed: a hint. */
    if (!cedei_worker_is_alone(worker) && cedei_runqueue_count(&worker->queue) > 0 &&
        atomic_load_explicit(&sched->idle, memory_order_relaxed) != 0 && is_help_due(sched))
        cedei_sched_wake_one(sched);
}

CEDEI_NOINLINE void cedei_reactor_look(struct cedei_worker *worker) {
    struct cedei_reactor *reactor = &worker->sched->reactor;
    cedei_poll_event events[CEDEI_REACTOR_BATCH];
    if (!cedei_reactor_is_unwatched(worker->sched)) return;
    cedei_reactor_take(worker, events, cedei_reactor_wait(reactor, events, 0));
}
