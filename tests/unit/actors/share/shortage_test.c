/* The shared types while memory is short: each allocation of each call fails in turn; what was to be moved is still the
 * caller's, nothing is held, and it works again afterwards. */
#include <cede/cede.h>

#include "core/sys/alloc.h"
#include "core/sys/thread.h"
#include "tests/support/actors.h"

static cede_result locks(cede_self *self) {
    cede_async_mutex *mutex = NULL;
    cede_rwlock *lock = NULL;
    cede_semaphore *semaphore = NULL;
    cede_result r = cede_async_mutex_create(self, &mutex);
    if (r == CEDE_OK) r = cede_rwlock_create(self, &lock);
    if (r == CEDE_OK) r = cede_semaphore_create(self, 2, &semaphore);
    if (r == CEDE_OK && (r = cede_async_mutex_lock(self, mutex, 0)) == CEDE_OK)
        cede_async_mutex_unlock(self, mutex);
    if (r == CEDE_OK && (r = cede_rwlock_write_lock(self, lock, 0)) == CEDE_OK)
        cede_rwlock_unlock(self, lock);
    if (r == CEDE_OK && (r = cede_semaphore_acquire(self, semaphore, 2, 0)) == CEDE_OK)
        cede_semaphore_release(self, semaphore, 2);
    if (semaphore != NULL) EXPECT_EQUAL(cede_semaphore_available(semaphore), 2);
    cede_shared_unref(&mutex);
    cede_shared_unref(&lock);
    cede_shared_unref(&semaphore);
    return r;
}

/* A message to work with; NULL is CEDE_ENOMEM. */
static struct number *number_make(cede_self *self) { return cede_new(self, number); }

static cede_result channels(cede_self *self) {
    cede_channel_sender *in = NULL;
    cede_channel_receiver *out = NULL;
    struct number *message = NULL;
    cede_result r = cede_channel_create(self, number, 1, &in, &out);
    EXPECT((in != NULL) == (r == CEDE_OK) && (out != NULL) == (r == CEDE_OK));
    if (r == CEDE_OK && (message = number_make(self)) == NULL) r = CEDE_ENOMEM;
    if (r == CEDE_OK) r = cede_channel_send(self, in, &message, 0);
    if (r == CEDE_OK) r = cede_channel_recv(self, out, number, &message, 0);
    if (r == CEDE_OK)
        EXPECT_RESULT(cede_channel_recv(self, out, number, &message, 0), CEDE_ETIMEDOUT);
    cede_drop(self, &message);
    cede_shared_unref(&in);
    cede_shared_unref(&out);
    return r;
}

/* Waiting needs memory too: for the place, the limit and the stack. */
static CEDE_YIELDS cede_result waits(cede_self *self) {
    cede_notify *notify = NULL;
    cede_cancel *top = NULL, *low = NULL;
    cede_result r = cede_notify_create(self, &notify);
    if (r == CEDE_OK) r = cede_notify_await(self, notify, 1000);
    EXPECT(r != CEDE_OK);
    if (r == CEDE_ETIMEDOUT) r = cede_cancel_create(self, NULL, &top);
    if (r == CEDE_OK) r = cede_cancel_create(self, top, &low);
    if (r == CEDE_OK) r = cede_cancel_await(self, low, 1000);
    EXPECT(r != CEDE_OK);
    if (top != NULL) EXPECT_EQUAL(top->cedei_awaited, 0);
    cede_shared_unref(&notify);
    cede_shared_unref(&top);
    cede_shared_unref(&low);
    return r == CEDE_ETIMEDOUT ? CEDE_OK : r;
}

static cede_result news(cede_self *self) {
    cede_watch *watch = NULL;
    cede_broadcast *broadcast = NULL;
    cede_broadcast_receiver *receiver = NULL;
    const struct number *now = NULL;
    struct number *message = number_make(self);
    cede_result r = message != NULL ? CEDE_OK : CEDE_ENOMEM;
    if (r == CEDE_OK) r = cede_watch_create(self, number, &message, &watch);
    if (r == CEDE_OK && (message = number_make(self)) == NULL) r = CEDE_ENOMEM;
    if (r == CEDE_OK) r = cede_watch_set(self, watch, &message);
    if (r == CEDE_OK) r = cede_watch_get(watch, number, &now);
    if (r == CEDE_OK) r = cede_broadcast_create(self, number, 4, &broadcast);
    if (r == CEDE_OK) r = cede_broadcast_subscribe(self, broadcast, &receiver);
    if (r == CEDE_OK && (message = number_make(self)) == NULL) r = CEDE_ENOMEM;
    if (r == CEDE_OK) r = cede_broadcast_send(self, broadcast, &message);
    if (r == CEDE_OK) r = cede_broadcast_recv(self, receiver, number, &now, NULL, 0);
    cede_drop(self, &message);
    cede_shared_unref(&now);
    cede_shared_unref(&watch);
    cede_shared_unref(&broadcast);
    cede_shared_unref(&receiver);
    return r;
}

static cede_result versions(cede_self *self) {
    cede_rcu *rcu = NULL;
    cede_counter *counter = NULL;
    struct number *message = number_make(self);
    cede_result r = message != NULL ? CEDE_OK : CEDE_ENOMEM;
    if (r == CEDE_OK) r = cede_rcu_create(self, number, &message, &rcu);
    if (r == CEDE_OK && (message = number_make(self)) == NULL) r = CEDE_ENOMEM;
    if (r == CEDE_OK) {
        r = cede_rcu_publish(self, rcu, &message);
        EXPECT((message == NULL) == (r == CEDE_OK));
    }
    if (r == CEDE_OK) r = cede_counter_create(self, &counter);
    cede_drop(self, &message);
    cede_shared_unref(&rcu);
    cede_shared_unref(&counter);
    return r;
}

/* The first section of a thread is the one thing that cannot do without: it is not what these are about. */
static void section_once(cede_self *self) {
    cede_rcu *rcu = NULL;
    struct number *message = number_make(self);
    EXPECT_OK(cede_rcu_create(self, number, &message, &rcu));
    (void)cede_rcu_enter(rcu, number);
    cede_rcu_leave(rcu);
    message = number_make(self);
    EXPECT_OK(cede_rcu_publish(self, rcu, &message));
    cede_shared_unref(&rcu);
}

static CEDE_YIELDS void sweep(cede_self *self, CEDE_YIELDS cede_result (*run)(cede_self *)) {
    enum { LIMIT = 64 };
    for (uint64_t failing = 0;; failing++) {
        EXPECT(failing < LIMIT);
        cedei_alloc_fail_after(failing, true);
        cede_result r = run(self);
        uint64_t asked = cedei_alloc_fail_never();
        if (asked <= failing) {
            EXPECT_OK(r);
            return;
        }
        EXPECT(r == CEDE_OK || r == CEDE_ENOMEM);
        EXPECT_OK(run(self));
    }
}

static cede_result sweep_all(cede_self *self, void *context) {
    (void)context;
    section_once(self);
    sweep(self, versions);
    sweep(self, locks);
    sweep(self, channels);
    sweep(self, waits);
    sweep(self, news);
    return CEDE_OK;
}

/* On one worker, so that nobody else asks for memory meanwhile, and that thread has been in a section. Nobody stands in for it when it
 * looks stuck, as on a busy machine it may. */
static void every_call_survives_each_allocation_that_fails(void **state) {
    (void)state;
    struct fixture *fixture = fixture_begin((struct cede_options){.workers = 1});
    cedei_thread_fail_starts(0, UINT32_MAX);
    fixture_run(fixture, sweep_all, NULL);
    cedei_thread_fail_starts(0, 0);
    fixture_end(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_survives_each_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
