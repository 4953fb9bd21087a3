/* A cache in front of an actor, right and wrong. */
#include <pthread.h>
#include <stdbool.h>
#include <cede/cede.h>
#define GET(F) F(u64, key)
CEDE_MESSAGE(get, GET);
#define GOT(F) F(u64, value)
CEDE_MESSAGE(got, GOT);

struct entry {
    uint64_t key, value;
    bool valid;
};

static struct store {
    cede_mutex lock;
    struct entry e[32];
    pthread_rwlock_t rw;
    unsigned long hits;
} store;

struct st {
    cede_ref backing;
};

static struct entry *store_find_locked(uint64_t key) {
    for (unsigned i = 0; i < 32; i++)
        if (store.e[i].valid && store.e[i].key == key)
            return &store.e[i];
    return NULL;
}

CEDE_YIELDS static cede_result fetch(cede_self *self, struct st *st, uint64_t key, uint64_t *value) {
    struct get *q = cede_new(self, get);
    if (q == NULL)
        return CEDE_ENOMEM;
    q->key = key;
    struct got *a = NULL;
    cede_result r = cede_ask(self, st->backing, &q, got, &a, CEDE_SECONDS(1));
    cede_drop(self, &q);
    if (r != CEDE_OK)
        return r;
    *value = a->value;
    cede_drop(self, &a);
    return CEDE_OK;
}

CEDE_YIELDS static cede_result on_get(cede_self *self, struct st *st, struct get *m) {
    struct got *a = cede_new(self, got);
    if (a == NULL)
        return CEDE_ENOMEM;
    cede_mutex_lock(&store.lock);
    struct entry *e = store_find_locked(m->key);
    if (e != NULL) {
        a->value = e->value;
        store.hits++;
    }
    cede_mutex_unlock(&store.lock);
    if (e == NULL) {
        cede_result r = fetch(self, st, m->key, &a->value);
        if (r != CEDE_OK) {
            cede_drop(self, &a);
            return r;
        }
    }
    cede_result r = cede_reply(self, m, &a);
    if (r != CEDE_OK)
        cede_drop(self, &a);
    return r;
}

CEDE_YIELDS static cede_result bad_get(cede_self *self, struct st *st, struct get *m) {
    struct got *a = cede_new(self, got);
    if (a == NULL)
        return CEDE_ENOMEM;
    cede_result r = CEDE_OK;
    cede_mutex_lock(&store.lock);
    struct entry *e = store_find_locked(m->key);
    if (e != NULL)
        a->value = e->value;
    else
        r = fetch(self, st, m->key, &a->value); // expect: guard-over-yield
    cede_mutex_unlock(&store.lock);
    if (r == CEDE_OK)
        r = cede_reply(self, m, &a);
    if (r != CEDE_OK)
        cede_drop(self, &a);
    return r;
}

#define ST(ON) ON(get, on_get)
CEDE_BEHAVIOUR(good, struct st, ST);
#define BST(ON) ON(get, bad_get)
CEDE_BEHAVIOUR(bad, struct st, BST);

CEDE_YIELDS void upgrade(cede_self *self, uint64_t key) {
    bool write = false;
    pthread_rwlock_rdlock(&store.rw);
    if (store_find_locked(key) == NULL) {
        pthread_rwlock_unlock(&store.rw);
        pthread_rwlock_wrlock(&store.rw);
        write = true;
    }
    if (write)
        store.e[0].key = key;
    pthread_rwlock_unlock(&store.rw);
    cede_yield(self);
}

CEDE_YIELDS int error_code_lock(cede_self *self) {
    int err = pthread_rwlock_tryrdlock(&store.rw);
    if (err == 0) {
        err = (int)store.hits;
        pthread_rwlock_unlock(&store.rw);
    } else {
        cede_yield(self);
    }
    return err;
}

CEDE_YIELDS int error_code_bad(cede_self *self) {
    int err = pthread_rwlock_tryrdlock(&store.rw);
    if (err != 0)
        return err;
    for (unsigned i = 0; i < 32; i++)
        if (store.e[i].valid)
            cede_yield(self); // expect: guard-over-yield
    pthread_rwlock_unlock(&store.rw);
    return 0;
}

CEDE_YIELDS int two_phases(cede_self *self, int n) {
    bool locked = false;
    int done = 0;
    for (int i = 0; i < n; i++) {
        if (!locked) {
            cede_mutex_lock(&store.lock);
            locked = true;
        }
        store.hits++;
        if (i % 8 == 7) {
            cede_mutex_unlock(&store.lock);
            locked = false;
            cede_yield(self);
        }
        done++;
    }
    if (locked)
        cede_mutex_unlock(&store.lock);
    cede_yield(self);
    return done;
}
