/* A lock is held where the turn may move to another thread. */
#include <pthread.h>
#include <threads.h>

#include <cede/cede.h>

#define QUESTION(F) F(u64, id)
CEDE_MESSAGE(question, QUESTION);
#define ANSWER(F) F(u64, id)
CEDE_MESSAGE(answer, ANSWER);

struct table {
    cede_mutex lock;
    pthread_mutex_t native;
    pthread_rwlock_t readers;
    cede_ref peer;
    int rows;
};

static cede_mutex global_lock;
static pthread_spinlock_t spin;
extern struct table *shared;

CEDE_YIELDS void refresh(cede_self *self CEDE_BORROWED);

/* In the same function. */
void direct(cede_self *self, struct table *state) {
    cede_mutex_lock(&state->lock);
    cede_yield(self); // expect: guard-over-yield
    cede_mutex_unlock(&state->lock);
}

void native(cede_self *self, struct table *state) {
    pthread_mutex_lock(&state->native);
    state->rows++;
    (void)cede_sleep(self, 1000); // expect: guard-over-yield
    pthread_mutex_unlock(&state->native);
}

cede_result read_lock(cede_self *self, struct table *state, struct question *message) {
    struct answer *answer = NULL;
    if (pthread_rwlock_rdlock(&state->readers) != 0)
        return CEDE_EFAILED;
    cede_result r = cede_ask(self, state->peer, &message, answer, &answer, CEDE_FOREVER); // expect: guard-over-yield
    pthread_rwlock_unlock(&state->readers);
    cede_drop(self, &answer);
    return r;
}

void trylock_taken(cede_self *self, struct table *state) {
    if (pthread_mutex_trylock(&state->native) == 0) {
        refresh(self); // expect: guard-over-yield
        pthread_mutex_unlock(&state->native);
    }
}

/* One path forgets to unlock. */
cede_result early_return(cede_self *self, struct table *state, int rows) {
    cede_mutex_lock(&state->lock);
    if (state->rows < rows) {
        cede_yield(self); // expect: guard-over-yield
        return CEDE_EFAILED;
    }
    cede_mutex_unlock(&state->lock);
    cede_yield(self);
    return CEDE_OK;
}

static void lock_table(struct table *state) { cede_mutex_lock(&state->lock); }
static void unlock_table(struct table *state) { cede_mutex_unlock(&state->lock); }

/* The lock is taken in a helper. */
void locked_by_helper(cede_self *self, struct table *state) {
    lock_table(state);
    cede_yield(self); // expect: guard-over-yield
    unlock_table(state);
}

static void wait_a_bit(cede_self *self, int rounds) {
    for (int i = 0; i < rounds; i++)
        cede_yield(self);
}

/* The yield is in a callee: reported where the lock is held. */
void yield_in_callee(cede_self *self, struct table *state) {
    cede_mutex_lock(&state->lock);
    wait_a_bit(self, state->rows); // expect: guard-over-yield
    cede_mutex_unlock(&state->lock);
}

void global_mutex(cede_self *self, struct table *state) {
    cede_mutex_lock(&global_lock);
    if (state->rows > 0)
        refresh(self); // expect: guard-over-yield
    cede_mutex_unlock(&global_lock);
}

void spinning(cede_self *self, struct table *state) {
    pthread_spin_lock(&spin);
    for (int i = 0; i < state->rows; i++)
        cede_yield(self); // expect: guard-over-yield
    pthread_spin_unlock(&spin);
}

/* Unlocked in front of the loop's yield, but locked again at its end. */
void in_next_round(cede_self *self, struct table *state) {
    for (int i = 0; i < state->rows; i++) {
        if (i > 0)
            cede_yield(self); // expect: guard-over-yield
        cede_mutex_lock(&state->lock);
    }
    cede_mutex_unlock(&state->lock);
}

/* The wrong one is given back. */
void wrong_lock(cede_self *self, struct table *state) {
    cede_mutex_lock(&global_lock);
    cede_mutex_lock(&state->lock);
    cede_mutex_unlock(&state->lock);
    cede_yield(self); // expect: guard-over-yield
    cede_mutex_unlock(&global_lock);
}

typedef CEDE_YIELDS void step_fn(cede_self *self);

void by_pointer(cede_self *self, struct table *state, step_fn *step) {
    cede_mutex_lock(&state->lock);
    step(self); // expect: guard-over-yield
    cede_mutex_unlock(&state->lock);
}

/* A guard that is a value. */
struct CEDE_GUARD section {
    int cpu;
};
struct section section_begin(void);
void section_end(struct section *section CEDE_RELEASED);

void value_guard(cede_self *self, struct table *state) {
    struct section section = section_begin();
    state->rows++;
    cede_yield(self); // expect: guard-over-yield
    section_end(&section);
}

void enter(struct section *section CEDE_ACQUIRED);

void filled_guard(cede_self *self, struct table *state) {
    struct section section;
    enter(&section);
    state->rows++;
    refresh(self); // expect: guard-over-yield
    section_end(&section);
}

/* Sections without an object. */
void rcu_read_lock(void);
void rcu_read_unlock(void);

int reader(cede_self *self) {
    rcu_read_lock();
    int rows = shared->rows;
    refresh(self); // expect: guard-over-yield
    rcu_read_unlock();
    return rows;
}

void c11_mutex(cede_self *self, mtx_t *lock) {
    if (mtx_lock(lock) == thrd_success) {
        cede_yield(self); // expect: guard-over-yield
        mtx_unlock(lock);
    }
}

static void unlock_at_end(cede_mutex **lock) { cede_mutex_unlock(*lock); }

void unlocked_by_cleanup(cede_self *self, struct table *state) {
    __attribute__((cleanup(unlock_at_end))) cede_mutex *held = &state->lock;
    cede_mutex_lock(held);
    cede_yield(self); // expect: guard-over-yield
}

#define WITH_LOCK(lock) for (int once = (cede_mutex_lock(lock), 1); once; once = (cede_mutex_unlock(lock), 0))

void by_macro(cede_self *self, struct table *state) {
    WITH_LOCK(&state->lock) {
        state->rows++;
        cede_yield(self); // expect: guard-over-yield
    }
}

static void with_lock(cede_self *self, cede_mutex *lock, step_fn *step) {
    cede_mutex_lock(lock);
    step(self); // expect: guard-over-yield
    cede_mutex_unlock(lock);
}

void locked_step(cede_self *self, struct table *state, step_fn *step) { with_lock(self, &state->lock, step); }

void in_condition(cede_self *self, struct table *state) {
    cede_mutex_lock(&state->lock);
    while (state->rows == 0 && cede_sleep(self, 1) == CEDE_OK) // expect: guard-over-yield
        state->rows++;
    cede_mutex_unlock(&state->lock);
}

static struct table *lock_and_get(void) {
    cede_mutex_lock(&shared->lock);
    return shared;
}

void held_by_result(cede_self *self) {
    struct table *table = lock_and_get();
    table->rows++;
    refresh(self); // expect: guard-over-yield
    cede_mutex_unlock(&table->lock);
}

cede_result send_wait_locked(cede_self *self, struct table *state, struct question *message) {
    cede_mutex_lock(&state->lock);
    cede_result r = cede_send_wait(self, state->peer, &message, CEDE_FOREVER); // expect: guard-over-yield
    cede_mutex_unlock(&state->lock);
    return r;
}

/* The long loop under the lock is not what is wrong. */
void after_long_loop(cede_self *self, struct table *state, int *rows) {
    cede_mutex_lock(&state->lock);
    for (int i = 0; i < 100; i++)
        rows[i] = 0;
    refresh(self); // expect: guard-over-yield
    cede_mutex_unlock(&state->lock);
}
