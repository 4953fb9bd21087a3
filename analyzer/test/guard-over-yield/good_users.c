/* Given back on every path that yields. */
#include <pthread.h>
#include <threads.h>
#include <cede/cede.h>

struct cache {
    cede_mutex lock;
    pthread_mutex_t m;
    pthread_rwlock_t rw;
    pthread_cond_t cv;
    cede_ref peer;
    int n;
    struct cache *next;
    bool locking;
    cede_mutex locks[4];
};

CEDE_YIELDS void wait_for_data(cede_self *self CEDE_BORROWED);

CEDE_YIELDS void conditional(cede_self *self, struct cache *c, bool safe) {
    if (safe)
        pthread_mutex_lock(&c->m);
    c->n++;
    if (safe)
        pthread_mutex_unlock(&c->m);
    wait_for_data(self);
}

CEDE_YIELDS void conditional_other(cede_self *self, struct cache *c, bool safe) {
    if (safe)
        pthread_mutex_lock(&c->m);
    if (!safe)
        wait_for_data(self);
    if (safe)
        pthread_mutex_unlock(&c->m);
}

CEDE_YIELDS void all_paths(cede_self *self, struct cache *c, int k) {
    cede_mutex_lock(&c->lock);
    switch (k) {
    case 0:
        cede_mutex_unlock(&c->lock);
        break;
    case 1:
        c->n = 0;
        cede_mutex_unlock(&c->lock);
        break;
    default:
        c->n++;
        cede_mutex_unlock(&c->lock);
        break;
    }
    cede_yield(self);
}

CEDE_YIELDS void by_index(cede_self *self, struct cache *c, int i) {
    cede_mutex_lock(&c->locks[i]);
    c->n++;
    cede_mutex_unlock(&c->locks[i]);
    cede_yield(self);
}

CEDE_YIELDS void all_locks(cede_self *self, struct cache *c) {
    for (int i = 0; i < 4; i++)
        cede_mutex_lock(&c->locks[i]);
    c->n++;
    for (int i = 3; i >= 0; i--)
        cede_mutex_unlock(&c->locks[i]);
    cede_yield(self);
}

CEDE_YIELDS void n_locks(cede_self *self, struct cache *c, int n) {
    for (int i = 0; i < n; i++)
        cede_mutex_lock(&c->locks[i]);
    c->n++;
    for (int i = 0; i < n; i++)
        cede_mutex_unlock(&c->locks[i]);
    cede_yield(self);
}

static void pop_lock(pthread_mutex_t **m) {
    if (*m)
        pthread_mutex_unlock(*m);
}

#define SCOPED_LOCK(m) __attribute__((cleanup(pop_lock), unused)) pthread_mutex_t *scoped_ = (pthread_mutex_lock(m), (m))

CEDE_YIELDS void scoped(cede_self *self, struct cache *c) {
    {
        SCOPED_LOCK(&c->m);
        c->n++;
    }
    cede_yield(self);
}

CEDE_YIELDS void scoped_if(cede_self *self, struct cache *c) {
    if (c->n) {
        SCOPED_LOCK(&c->m);
        c->n++;
    } else
        cede_yield(self);
    for (int i = 0; i < 3; i++) {
        SCOPED_LOCK(&c->m);
        c->n++;
    }
    cede_yield(self);
}

static int scoped_read(struct cache *c) {
    SCOPED_LOCK(&c->m);
    return c->n;
}

CEDE_YIELDS int scoped_helper(cede_self *self, struct cache *c) {
    int n = scoped_read(c);
    cede_yield(self);
    return n;
}

static void lock_both(struct cache *a, struct cache *b) {
    pthread_mutex_lock(&a->m);
    pthread_mutex_lock(&b->m);
}

static void unlock_both(struct cache *a, struct cache *b) {
    pthread_mutex_unlock(&a->m);
    pthread_mutex_unlock(&b->m);
}

CEDE_YIELDS void both(cede_self *self, struct cache *a, struct cache *b) {
    lock_both(a, b);
    a->n = b->n;
    unlock_both(a, b);
    cede_yield(self);
}

CEDE_YIELDS void walk(cede_self *self, struct cache *c) {
    for (; c; c = c->next) {
        pthread_mutex_lock(&c->m);
        int n = c->n;
        pthread_mutex_unlock(&c->m);
        if (n)
            cede_yield(self);
    }
}

CEDE_YIELDS void yield_then_lock(cede_self *self, struct cache *c) {
    do {
        cede_yield(self);
    } while (c->n == 0);
    cede_mutex_lock(&c->lock);
    c->n--;
    cede_mutex_unlock(&c->lock);
}

CEDE_YIELDS void relock(cede_self *self, struct cache *c) {
    cede_mutex_lock(&c->lock);
    while (c->n == 0) {
        cede_mutex_unlock(&c->lock);
        cede_yield(self);
        cede_mutex_lock(&c->lock);
    }
    c->n--;
    cede_mutex_unlock(&c->lock);
}

CEDE_YIELDS void relock_goto(cede_self *self, struct cache *c) {
again:
    pthread_mutex_lock(&c->m);
    if (c->n == 0) {
        pthread_mutex_unlock(&c->m);
        wait_for_data(self);
        goto again;
    }
    c->n--;
    pthread_mutex_unlock(&c->m);
}

CEDE_YIELDS void try_unchecked_fail(cede_self *self, struct cache *c) {
    int r = pthread_mutex_trylock(&c->m);
    if (r == 0) {
        c->n++;
        pthread_mutex_unlock(&c->m);
    }
    cede_yield(self);
}

CEDE_YIELDS void try_bounded(cede_self *self, struct cache *c) {
    int tries = 0;
    while (pthread_mutex_trylock(&c->m) != 0) {
        if (++tries > 5)
            return;
        cede_yield(self);
    }
    c->n++;
    pthread_mutex_unlock(&c->m);
}

CEDE_YIELDS void try_flag(cede_self *self, struct cache *c) {
    bool got = pthread_mutex_trylock(&c->m) == 0;
    if (got)
        c->n++;
    if (got)
        pthread_mutex_unlock(&c->m);
    cede_yield(self);
}

static bool enter(struct cache *c) {
    if (c->n < 0)
        return false;
    cede_mutex_lock(&c->lock);
    return true;
}

static void leave(struct cache *c) {
    cede_mutex_unlock(&c->lock);
}

CEDE_YIELDS void enter_leave(cede_self *self, struct cache *c) {
    if (!enter(c)) {
        cede_yield(self);
        return;
    }
    c->n++;
    leave(c);
    cede_yield(self);
}

CEDE_YIELDS void addr_var(cede_self *self, struct cache *c) {
    cede_mutex *l = &c->lock;
    cede_mutex_lock(l);
    c->n++;
    cede_mutex_unlock(&c->lock);
    cede_yield(self);
}

CEDE_YIELDS void cast_lock(cede_self *self, void *p) {
    pthread_mutex_lock((pthread_mutex_t *)p);
    pthread_mutex_unlock((pthread_mutex_t *)p);
    cede_yield(self);
}

static int count_locked(struct cache *c) {
    int n = 0;
    cede_mutex_lock(&c->lock);
    for (struct cache *x = c; x; x = x->next)
        n += x->n;
    cede_mutex_unlock(&c->lock);
    return n;
}

CEDE_YIELDS void counted(cede_self *self, struct cache *c) {
    while (count_locked(c) > 0)
        cede_yield(self);
}

CEDE_YIELDS void spawn_locked(cede_self *self, struct cache *c, const cede_behaviour *b) {
    cede_mutex_lock(&c->lock);
    cede_result r = cede_spawn(self, b, CEDE_NOTHING, &c->peer);
    cede_mutex_unlock(&c->lock);
    if (r == CEDE_OK)
        cede_yield(self);
}

CEDE_YIELDS void sizeof_yield(cede_self *self, struct cache *c) {
    cede_mutex_lock(&c->lock);
    c->n = (int)sizeof(cede_sleep(self, 1));
    cede_mutex_unlock(&c->lock);
}

struct pair {
    pthread_mutex_t *held;
};

CEDE_YIELDS void in_struct(cede_self *self, struct cache *c) {
    struct pair p = {&c->m};
    pthread_mutex_lock(p.held);
    pthread_mutex_unlock(p.held);
    cede_yield(self);
}

CEDE_YIELDS void error_ladder(cede_self *self, struct cache *a, struct cache *b) {
    if (pthread_mutex_lock(&a->m) != 0)
        goto out;
    if (pthread_mutex_lock(&b->m) != 0)
        goto unlock_a;
    a->n = b->n;
    pthread_mutex_unlock(&b->m);
unlock_a:
    pthread_mutex_unlock(&a->m);
out:
    cede_yield(self);
}
