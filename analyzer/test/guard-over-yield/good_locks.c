/* Near misses: no lock is held at a yield. */
#include <pthread.h>

#include <cede/cede.h>

struct table {
    cede_mutex lock;
    pthread_mutex_t native;
    struct table *next;
    cede_ref peer;
    int rows;
    bool is_shared;
};

extern struct table *shared;
CEDE_YIELDS void refresh(cede_self *self CEDE_BORROWED);
void unlock_elsewhere(cede_mutex *lock);
void opaque(void);

void unlock_before(cede_self *self, struct table *state) {
    cede_mutex_lock(&state->lock);
    state->rows++;
    cede_mutex_unlock(&state->lock);
    cede_yield(self);
}

void lock_after(cede_self *self, struct table *state) {
    cede_yield(self);
    cede_mutex_lock(&state->lock);
    state->rows++;
    cede_mutex_unlock(&state->lock);
}

void given_back_for_the_wait(cede_self *self, struct table *state) {
    cede_mutex_lock(&state->lock);
    while (state->rows == 0) {
        cede_mutex_unlock(&state->lock);
        cede_yield(self);
        cede_mutex_lock(&state->lock);
    }
    state->rows--;
    cede_mutex_unlock(&state->lock);
}

void conditional(cede_self *self, struct table *state, bool locked) {
    if (locked)
        cede_mutex_lock(&state->lock);
    state->rows++;
    if (locked)
        cede_mutex_unlock(&state->lock);
    cede_yield(self);
}

void either_lock_or_yield(cede_self *self, struct table *state, bool locked) {
    if (locked)
        cede_mutex_lock(&state->lock);
    if (!locked)
        cede_yield(self);
    if (locked)
        cede_mutex_unlock(&state->lock);
}

void trylock_not_taken(cede_self *self, struct table *state) {
    while (pthread_mutex_trylock(&state->native) != 0)
        cede_yield(self);
    state->rows++;
    pthread_mutex_unlock(&state->native);
}

cede_result lock_failed(cede_self *self, struct table *state) {
    if (pthread_mutex_lock(&state->native) != 0) {
        cede_yield(self);
        return CEDE_EFAILED;
    }
    pthread_mutex_unlock(&state->native);
    return CEDE_OK;
}

static void lock_table(struct table *state) { cede_mutex_lock(&state->lock); }
static void unlock_table(struct table *state) { cede_mutex_unlock(&state->lock); }

void helpers(cede_self *self, struct table *state) {
    lock_table(state);
    state->rows++;
    unlock_table(state);
    refresh(self);
}

static void maybe_wait(cede_self *self, bool wait) {
    if (wait)
        cede_yield(self);
}

void callee_does_not_yield_here(cede_self *self, struct table *state) {
    cede_mutex_lock(&state->lock);
    maybe_wait(self, false);
    cede_mutex_unlock(&state->lock);
    maybe_wait(self, true);
}

void released_by_other_file(cede_self *self, struct table *state) {
    cede_mutex_lock(&state->lock);
    unlock_elsewhere(&state->lock);
    cede_yield(self);
}

/* The pointer is read twice; between, it might have changed, but it is the same lock all the same. */
void lock_behind_global(cede_self *self) {
    cede_mutex_lock(&shared->lock);
    opaque();
    cede_mutex_unlock(&shared->lock);
    cede_yield(self);
}

cede_result cleanup_labels(cede_self *self, struct table *state) {
    cede_result r = CEDE_OK;
    cede_mutex_lock(&state->lock);
    if (state->rows == 0) {
        r = CEDE_EFAILED;
        goto unlock;
    }
    state->rows--;
unlock:
    cede_mutex_unlock(&state->lock);
    cede_yield(self);
    return r;
}

void list_of_locks(cede_self *self, struct table *first) {
    for (struct table *at = first; at != NULL; at = at->next)
        cede_mutex_lock(&at->lock);
    for (struct table *at = first; at != NULL; at = at->next)
        cede_mutex_unlock(&at->lock);
    cede_yield(self);
}

cede_result sends_do_not_yield(cede_self *self, struct table *state, cede_ref to) {
    cede_mutex_lock(&state->lock);
    cede_result r = cede_stop(self, to);
    state->rows++;
    cede_mutex_unlock(&state->lock);
    return r;
}

struct CEDE_GUARD section {
    int cpu;
};
struct section section_begin(void);
void section_end(struct section *section CEDE_RELEASED);

void value_guard_ended(cede_self *self, struct table *state) {
    struct section section = section_begin();
    state->rows++;
    section_end(&section);
    cede_yield(self);
}

void guard_out_of_scope(cede_self *self, struct table *state) {
    {
        struct section section = section_begin();
        state->rows += section.cpu;
    }
    cede_yield(self);
}

static void unlock_at_end(cede_mutex **lock) { cede_mutex_unlock(*lock); }

void unlocked_by_cleanup(cede_self *self, struct table *state) {
    {
        __attribute__((cleanup(unlock_at_end))) cede_mutex *held = &state->lock;
        cede_mutex_lock(held);
        state->rows++;
    }
    cede_yield(self);
}

void rcu_read_lock(void);
void rcu_read_unlock(void);

int reader(cede_self *self) {
    rcu_read_lock();
    int rows = shared->rows;
    rcu_read_unlock();
    refresh(self);
    return rows;
}

/* A flag remembers whether the lock is held. */
void remembered(cede_self *self, struct table *state) {
    bool held = false;
    if (state->is_shared) {
        cede_mutex_lock(&state->lock);
        held = true;
    }
    for (int i = 0; i < state->rows; i++)
        opaque();
    if (held)
        cede_mutex_unlock(&state->lock);
    refresh(self);
}

#define WITH_LOCK(lock) for (int once = (cede_mutex_lock(lock), 1); once; once = (cede_mutex_unlock(lock), 0))

void by_macro(cede_self *self, struct table *state) {
    WITH_LOCK(&state->lock)
    state->rows++;
    cede_yield(self);
}

struct buckets {
    cede_mutex locks[8];
    int counts[8];
};
unsigned hash(const char *key);

void by_index(cede_self *self, struct buckets *buckets, const char *key, unsigned at) {
    cede_mutex_lock(&buckets->locks[at & 7]);
    buckets->counts[at & 7]++;
    cede_mutex_unlock(&buckets->locks[at & 7]);
    cede_mutex_lock(&buckets->locks[hash(key) & 7]);
    cede_mutex_unlock(&buckets->locks[hash(key) & 7]);
    cede_yield(self);
}

void signalled(cede_self *self, struct table *state, pthread_cond_t *condition) {
    pthread_mutex_lock(&state->native);
    while (state->rows == 0)
        pthread_cond_wait(condition, &state->native);
    pthread_mutex_unlock(&state->native);
    refresh(self);
}
