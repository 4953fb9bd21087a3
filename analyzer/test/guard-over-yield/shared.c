/* The shared types: a section of a cede_rcu must not cross a yield, also through the calls that only mostly do not wait; locks
 * that are made to be held over yields may. */
#include <cede/cede.h>

#define ROUTES(F) F(u64, port)
CEDE_MESSAGE(routes, ROUTES);

CEDE_YIELDS void refresh(cede_self *self CEDE_BORROWED);

CEDE_YIELDS uint64_t section_over_a_yield(cede_self *self, cede_rcu *table) {
    const struct routes *now = cede_rcu_enter(table, routes);
    cede_yield(self); // expect: guard-over-yield
    uint64_t port = now->port;
    cede_rcu_leave(table);
    return port;
}

CEDE_YIELDS uint64_t section_over_a_call_that_yields(cede_self *self, cede_rcu *table) {
    uint64_t port = cede_rcu_enter(table, routes)->port;
    if (port == 0) refresh(self); // expect: guard-over-yield
    cede_rcu_leave(table);
    return port;
}

CEDE_YIELDS cede_result section_over_a_channel(cede_self *self, cede_rcu *table,
                                               cede_channel_sender *in, struct routes *m) {
    (void)cede_rcu_enter(table, routes);
    cede_result r = cede_channel_send(self, in, &m, CEDE_FOREVER); // expect: guard-over-yield
    cede_rcu_leave(table);
    cede_drop(self, &m);
    return r;
}

CEDE_YIELDS cede_result mutex_over_a_lock(cede_self *self, cede_mutex *mutex,
                                          cede_async_mutex *lock) {
    cede_mutex_lock(mutex);
    cede_result r = cede_async_mutex_lock(self, lock, CEDE_FOREVER); // expect: guard-over-yield
    cede_mutex_unlock(mutex);
    if (r == CEDE_OK) cede_async_mutex_unlock(self, lock);
    return r;
}

CEDE_YIELDS uint64_t section_before_a_yield(cede_self *self, cede_rcu *table) {
    uint64_t port = cede_rcu_enter(table, routes)->port;
    cede_rcu_leave(table);
    cede_yield(self);
    return port;
}

CEDE_YIELDS uint64_t reference_over_a_yield(cede_self *self, cede_rcu *table) {
    const struct routes *now = cede_shared_ref(cede_rcu_enter(table, routes));
    cede_rcu_leave(table);
    cede_yield(self);
    uint64_t port = now->port;
    cede_shared_unref(&now);
    return port;
}

CEDE_YIELDS cede_result lock_over_a_yield(cede_self *self, cede_async_mutex *lock,
                                          cede_rwlock *table, cede_semaphore *disk) {
    cede_result r = cede_async_mutex_lock(self, lock, CEDE_FOREVER);
    if (r != CEDE_OK) return r;
    cede_yield(self);
    cede_async_mutex_unlock(self, lock);
    r = cede_rwlock_read_lock(self, table, CEDE_FOREVER);
    if (r != CEDE_OK) return r;
    refresh(self);
    cede_rwlock_unlock(self, table);
    r = cede_semaphore_acquire(self, disk, 1, CEDE_FOREVER);
    if (r != CEDE_OK) return r;
    refresh(self);
    cede_semaphore_release(self, disk, 1);
    return CEDE_OK;
}
