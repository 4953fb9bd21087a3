/* Locks of all kinds, taken on some paths or in helpers, over a yield. */
#include <pthread.h>
#include <cede/cede.h>
#define PING(F) F(u64, n)
CEDE_MESSAGE(ping, PING);
#define PONG(F) F(u64, n)
CEDE_MESSAGE(pong, PONG);

struct cache {
    cede_mutex lock;
    pthread_mutex_t m;
    pthread_rwlock_t rw;
    cede_ref peer;
    int n;
    struct cache *next;
    bool locking;
    cede_mutex locks[4];
};
static struct cache table[8];
static pthread_mutex_t big = PTHREAD_MUTEX_INITIALIZER;
CEDE_YIELDS void wait_for_data(cede_self *self CEDE_BORROWED);

/* handler style */
CEDE_YIELDS static cede_result on_ping(cede_self *self, struct cache *c, struct ping *m) {
    struct pong *answer = NULL;
    cede_mutex_lock(&c->lock);
    cede_result r = cede_ask(self, c->peer, &m, pong, &answer, CEDE_SECONDS(1)); // expect: guard-over-yield
    if (r == CEDE_OK)
        c->n = (int)answer->n;
    cede_mutex_unlock(&c->lock);
    cede_drop(self, &answer);
    return r;
}

#define CACHE(ON) ON(ping, on_ping)
CEDE_BEHAVIOUR(cache, struct cache, CACHE);

CEDE_YIELDS void conditional_lock(cede_self *self, struct cache *c) {
    if (c->locking)
        cede_mutex_lock(&c->lock);
    cede_yield(self); // expect: guard-over-yield
    if (c->locking)
        cede_mutex_unlock(&c->lock);
}

CEDE_YIELDS void conditional_flag(cede_self *self, struct cache *c, bool safe) {
    if (safe)
        pthread_mutex_lock(&c->m);
    c->n++;
    wait_for_data(self); // expect: guard-over-yield
    if (safe)
        pthread_mutex_unlock(&c->m);
}

CEDE_YIELDS void array_element(cede_self *self, struct cache *c, int i) {
    cede_mutex_lock(&c->locks[i]);
    wait_for_data(self); // expect: guard-over-yield
    cede_mutex_unlock(&c->locks[i]);
}

CEDE_YIELDS void global_table(cede_self *self, unsigned i) {
    struct cache *c = &table[i % 8];
    cede_mutex_lock(&c->lock);
    wait_for_data(self); // expect: guard-over-yield
    cede_mutex_unlock(&c->lock);
}

CEDE_YIELDS void after_if(cede_self *self, struct cache *c) {
    pthread_mutex_lock(&big);
    if (c->n > 3) {
        pthread_mutex_unlock(&big);
        return;
    }
    cede_yield(self); // expect: guard-over-yield
    pthread_mutex_unlock(&big);
}

CEDE_YIELDS void unlock_in_one_branch(cede_self *self, struct cache *c) {
    pthread_mutex_lock(&c->m);
    if (c->n)
        pthread_mutex_unlock(&c->m);
    cede_yield(self); // expect: guard-over-yield
    if (!c->n)
        pthread_mutex_unlock(&c->m);
}

CEDE_YIELDS void try_checked(cede_self *self, struct cache *c) {
    if (pthread_mutex_trylock(&c->m))
        return;
    cede_yield(self); // expect: guard-over-yield
    pthread_mutex_unlock(&c->m);
}

CEDE_YIELDS void try_stored(cede_self *self, struct cache *c) {
    int busy = pthread_mutex_trylock(&c->m);
    if (busy) {
        cede_yield(self);
        return;
    }
    wait_for_data(self); // expect: guard-over-yield
    pthread_mutex_unlock(&c->m);
}

CEDE_YIELDS void try_loop(cede_self *self, struct cache *c) {
    while (pthread_mutex_trylock(&c->m) != 0)
        cede_yield(self);
    c->n++;
    wait_for_data(self); // expect: guard-over-yield
    pthread_mutex_unlock(&c->m);
}

CEDE_YIELDS void wr(cede_self *self, struct cache *c) {
    pthread_rwlock_wrlock(&c->rw);
    cede_result r = cede_sleep(self, 3); // expect: guard-over-yield
    pthread_rwlock_unlock(&c->rw);
    (void)r;
}

static inline void cache_lock(struct cache *c) {
    pthread_mutex_lock(&c->m);
}

static inline void cache_unlock(struct cache *c) {
    pthread_mutex_unlock(&c->m);
}

static bool cache_try(struct cache *c) {
    return pthread_mutex_trylock(&c->m) == 0;
}

CEDE_YIELDS void helper_lock(cede_self *self, struct cache *c) {
    cache_lock(c);
    if (c->n == 0)
        wait_for_data(self); // expect: guard-over-yield
    cache_unlock(c);
}

CEDE_YIELDS void helper_try(cede_self *self, struct cache *c) {
    if (cache_try(c)) {
        wait_for_data(self); // expect: guard-over-yield
        cache_unlock(c);
    } else
        cede_yield(self);
}

CEDE_YIELDS static int fetch(cede_self *self, struct cache *c) {
    wait_for_data(self);
    return c->n;
}

CEDE_YIELDS int helper_both(cede_self *self, struct cache *c) {
    cache_lock(c);
    int n = fetch(self, c); // expect: guard-over-yield
    cache_unlock(c);
    return n;
}

static void pop_lock(pthread_mutex_t **m) {
    if (*m)
        pthread_mutex_unlock(*m);
}

#define SCOPED_LOCK(m) __attribute__((cleanup(pop_lock), unused)) pthread_mutex_t *scoped_ = (pthread_mutex_lock(m), (m))

CEDE_YIELDS void scoped(cede_self *self, struct cache *c) {
    SCOPED_LOCK(&c->m);
    c->n++;
    cede_yield(self); // expect: guard-over-yield
}

#define LOCKED(m) for (pthread_mutex_t *l_ = (pthread_mutex_lock(m), (m)); l_; pthread_mutex_unlock(l_), l_ = NULL)

CEDE_YIELDS void locked_macro(cede_self *self, struct cache *c) {
    LOCKED(&c->m) {
        wait_for_data(self); // expect: guard-over-yield
    }
}

CEDE_YIELDS void switch_case(cede_self *self, struct cache *c, int what) {
    switch (what) {
    case 1:
        cede_mutex_lock(&c->lock); /* fall through */
    case 2:
        cede_yield(self); // expect: guard-over-yield
        break;
    default:
        return;
    }
    if (what == 1)
        cede_mutex_unlock(&c->lock);
}

CEDE_YIELDS void goto_unlock(cede_self *self, struct cache *c) {
    cede_mutex_lock(&c->lock);
    if (c->n == 0)
        goto out;
    cede_yield(self); // expect: guard-over-yield
out:
    cede_mutex_unlock(&c->lock);
}

CEDE_YIELDS void recv_locked(cede_self *self, struct cache *c) {
    struct ping *m = NULL;
    cede_mutex_lock(&c->lock);
    while (cede_recv(self, ping, &m, CEDE_FOREVER) == CEDE_OK) { // expect: guard-over-yield
        c->n++;
        cede_drop(self, &m);
    }
    cede_mutex_unlock(&c->lock);
}

CEDE_YIELDS void run_blocking_locked(cede_self *self, struct cache *c, struct ping *m, cede_blocking_fn *f) {
    cede_mutex_lock(&c->lock);
    (void)cede_run_blocking(self, f, &m); // expect: guard-over-yield
    cede_mutex_unlock(&c->lock);
}

CEDE_YIELDS void loop_each(cede_self *self, struct cache *c) {
    for (; c != NULL; c = c->next) {
        cede_mutex_lock(&c->lock);
        if (c->n == 7)
            cede_yield(self); // expect: guard-over-yield
        cede_mutex_unlock(&c->lock);
    }
}

CEDE_YIELDS void hand_over_hand(cede_self *self, struct cache *a) {
    struct cache *b = a->next;
    cede_mutex_lock(&a->lock);
    cede_mutex_lock(&b->lock);
    cede_mutex_unlock(&a->lock);
    cede_yield(self); // expect: guard-over-yield
    cede_mutex_unlock(&b->lock);
}
