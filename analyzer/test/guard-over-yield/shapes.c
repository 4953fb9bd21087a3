/* Guards that are values, chosen, hashed, in helpers and behind pointers; each beside its near miss. */
#include <pthread.h>
#include <threads.h>
#include <stdio.h>
#include <stdlib.h>
#include <cede/cede.h>

struct q {
    pthread_mutex_t m;
    mtx_t c11;
    int n;
    struct q *peer;
    cede_mutex lock;
};

CEDE_YIELDS void nap(cede_self *self CEDE_BORROWED);

/* a guard struct with cleanup */
struct guard {
    pthread_mutex_t *m;
};

static struct guard guard_take(pthread_mutex_t *m) {
    pthread_mutex_lock(m);
    return (struct guard){m};
}

static void guard_end(struct guard *g) {
    if (g->m)
        pthread_mutex_unlock(g->m);
}

#define GUARD(m)                                                             \
    __attribute__((cleanup(guard_end))) struct guard guard_ = guard_take(m); \
    (void)guard_

CEDE_YIELDS void g1(cede_self *self, struct q *q) {
    GUARD(&q->m);
    q->n++;
    nap(self); // expect: guard-over-yield
}

CEDE_YIELDS void g2(cede_self *self, struct q *q) {
    {
        GUARD(&q->m);
        q->n++;
    }
    nap(self);
}

CEDE_YIELDS int g3(cede_self *self, struct q *q) {
    if (q->n > 3) {
        GUARD(&q->m);
        q->n = 0;
        return 1;
    }
    nap(self);
    return 0;
}

CEDE_YIELDS void g4(cede_self *self, struct q *q) {
    for (int i = 0; i < q->n; i++) {
        GUARD(&q->m);
        if (q->n == 3)
            continue;
        if (q->n == 4)
            break;
        nap(self); // expect: guard-over-yield
    }
    nap(self);
}

CEDE_YIELDS void timed(cede_self *self, struct q *q, const struct timespec *ts) {
    if (mtx_timedlock(&q->c11, ts) != thrd_success) {
        nap(self);
        return;
    }
    nap(self); // expect: guard-over-yield
    mtx_unlock(&q->c11);
}

CEDE_YIELDS void fl(cede_self *self, FILE *f) {
    flockfile(f);
    nap(self); // expect: guard-over-yield
    funlockfile(f);
}

CEDE_YIELDS void fl2(cede_self *self, FILE *f) {
    flockfile(f);
    fputs("x", f);
    funlockfile(f);
    nap(self);
}

/* lock pointer chosen */
CEDE_YIELDS void chosen(cede_self *self, struct q *a, struct q *b, int k) {
    pthread_mutex_t *m = k ? &a->m : &b->m;
    pthread_mutex_lock(m);
    nap(self); // expect: guard-over-yield
    pthread_mutex_unlock(m);
}

CEDE_YIELDS void chosen2(cede_self *self, struct q *a, struct q *b, int k) {
    pthread_mutex_t *m = k ? &a->m : &b->m;
    pthread_mutex_lock(m);
    a->n = b->n;
    pthread_mutex_unlock(m);
    nap(self);
}

/* the lock of a peer loaded twice */
CEDE_YIELDS void peer(cede_self *self, struct q *q) {
    pthread_mutex_lock(&q->peer->m);
    q->peer->n++;
    pthread_mutex_unlock(&q->peer->m);
    nap(self);
}

void touch(struct q *q);

CEDE_YIELDS void peer_opaque(cede_self *self, struct q *q) {
    pthread_mutex_lock(&q->peer->m);
    touch(q);
    pthread_mutex_unlock(&q->peer->m);
    nap(self);
}

CEDE_YIELDS void peer_opaque_bad(cede_self *self, struct q *q) {
    pthread_mutex_lock(&q->m);
    touch(q->peer);
    nap(self); // expect: guard-over-yield
    pthread_mutex_unlock(&q->m);
}

/* unlock in a helper with the struct */
static void finish(struct q *q, int r) {
    if (r == 0)
        q->n = 0;
    pthread_mutex_unlock(&q->m);
}

CEDE_YIELDS void fin(cede_self *self, struct q *q) {
    pthread_mutex_lock(&q->m);
    finish(q, q->n);
    nap(self);
}

void unlock_elsewhere(struct q *q);

CEDE_YIELDS void other_file(cede_self *self, struct q *q) {
    pthread_mutex_lock(&q->m);
    q->n++;
    unlock_elsewhere(q);
    nap(self);
}

void q_lock(struct q *q);
void q_unlock(struct q *q);

CEDE_YIELDS void unknown_lock(cede_self *self, struct q *q) {
    q_lock(q);
    q->n++;
    q_unlock(q);
    nap(self);
}

/* lock with abort on failure */
static void must(int r) {
    if (r != 0)
        abort();
}

CEDE_YIELDS void must_lock(cede_self *self, struct q *q) {
    must(pthread_mutex_lock(&q->m));
    nap(self); // expect: guard-over-yield
    must(pthread_mutex_unlock(&q->m));
}

CEDE_YIELDS void must_lock_ok(cede_self *self, struct q *q) {
    must(pthread_mutex_lock(&q->m));
    q->n++;
    must(pthread_mutex_unlock(&q->m));
    nap(self);
}

struct lock_ops {
    void (*lock)(struct q *q CEDE_ACQUIRED);
    void (*unlock)(struct q *q CEDE_RELEASED);
};

CEDE_YIELDS void ops(cede_self *self, struct q *q, const struct lock_ops *o) {
    o->lock(q);
    nap(self); // expect: guard-over-yield
    o->unlock(q);
}

CEDE_YIELDS void ops_ok(cede_self *self, struct q *q, const struct lock_ops *o) {
    o->lock(q);
    q->n++;
    o->unlock(q);
    nap(self);
}

/* condition variable loop */
CEDE_YIELDS void cv(cede_self *self, struct q *q, pthread_cond_t *c) {
    pthread_mutex_lock(&q->m);
    while (q->n == 0)
        pthread_cond_wait(c, &q->m);
    pthread_mutex_unlock(&q->m);
    nap(self);
}

CEDE_YIELDS void cv_bad(cede_self *self, struct q *q, pthread_cond_t *c) {
    pthread_mutex_lock(&q->m);
    while (q->n == 0)
        pthread_cond_wait(c, &q->m);
    nap(self); // expect: guard-over-yield
    pthread_mutex_unlock(&q->m);
}

static cede_mutex locks[16];

static cede_mutex *lock_of(uint64_t id) {
    return &locks[id % 16];
}

CEDE_YIELDS void hashed(cede_self *self, uint64_t id) {
    cede_mutex_lock(lock_of(id));
    nap(self); // expect: guard-over-yield
    cede_mutex_unlock(lock_of(id));
}

CEDE_YIELDS void hashed_ok(cede_self *self, uint64_t id) {
    cede_mutex_lock(lock_of(id));
    cede_mutex_unlock(lock_of(id));
    nap(self);
}

CEDE_YIELDS void two_ids(cede_self *self, uint64_t a, uint64_t b) {
    cede_mutex *la = lock_of(a), *lb = lock_of(b);
    if (la > lb) {
        cede_mutex *t = la;
        la = lb;
        lb = t;
    }
    cede_mutex_lock(la);
    if (lb != la)
        cede_mutex_lock(lb);
    if (lb != la)
        cede_mutex_unlock(lb);
    cede_mutex_unlock(la);
    nap(self);
}

int in_thread(struct q *q);

int in_thread(struct q *q) {
    pthread_mutex_lock(&q->m);
    return q->n;
}

CEDE_YIELDS void lock_kept_by_callee(cede_self *self, struct q *q) {
    in_thread(q);
    nap(self); // expect: guard-over-yield
    pthread_mutex_unlock(&q->m);
}
typedef struct nng_mtx nng_mtx;
void nng_mtx_lock(nng_mtx *);
void nng_mtx_unlock(nng_mtx *);

CEDE_YIELDS void nngm(cede_self *self, nng_mtx *m) {
    nng_mtx_lock(m);
    nap(self); // expect: guard-over-yield
    nng_mtx_unlock(m);
    nap(self);
}
