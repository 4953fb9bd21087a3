/* kill_share.h - part of kill_test.c: waits of what actors share, and for names and processes. What they make is counted: the turn gives its
 * references back by cleanups, `kill_share_release` those that let the director reach it. */
#ifndef CEDE_TESTS_KILL_SHARE_H
#define CEDE_TESTS_KILL_SHARE_H

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cede/async_mutex.h>
#include <cede/broadcast.h>
#include <cede/cancel.h>
#include <cede/channel.h>
#include <cede/defer.h>
#include <cede/notify.h>
#include <cede/oneshot.h>
#include <cede/process.h>
#include <cede/registry.h>
#include <cede/rwlock.h>
#include <cede/semaphore.h>
#include <cede/watch.h>

#include "tests/support/actors.h"

/* A wait: what the turn does, and what its director does to let it go on. */
struct wait_point {
    const char *name;
    cede_result (*wait)(cede_self *self);
    cede_result (*release)(cede_self *self);
};

enum { HELD_MAX = 32 };

/* Written by the turn before it waits, read by the director while it does. */
static struct {
    cede_semaphore *semaphore;
    cede_async_mutex *mutex;
    cede_rwlock *read_lock, *write_lock;
    cede_notify *notify;
    cede_channel_sender *empty_sender;
    cede_channel_receiver *full_receiver;
    cede_oneshot_sender *oneshot;
    cede_broadcast *broadcast;
    cede_watch *watch;
    cede_cancel *cancel;
    cede_ref holder; /* of a lock */
    cede_process process;
} lent;
static const void *held[HELD_MAX], *lent_refs[HELD_MAX];
static uint32_t held_count;
static pid_t child;

static void give_back(cede_self *self, void *at) {
    const void **reference = at;
    (void)self;
    cede_shared_unref(reference);
}

/* `made` is the turn's until it ends, and the director's until the run has. */
static cede_result hold(cede_self *self, const void *made) {
    EXPECT(made != NULL && held_count < HELD_MAX);
    held[held_count] = made;
    lent_refs[held_count] = cede_shared_ref(made);
    return cede_defer(self, give_back, &held[held_count++]);
}

static void kill_share_release(void) {
    for (uint32_t i = 0; i < held_count; i++) cede_shared_unref(&lent_refs[i]);
    held_count = 0;
    cede_shared_unref(&lent.oneshot);
    if (child != 0) kill(child, SIGKILL); /* a thread of the pool waits for it */
}

/* After the system. */
static void kill_share_end(void) {
    if (lent.process.pid != 0) { /* nobody has collected it */
        (void)waitpid(child, NULL, 0);
        close(lent.process.lifeline);
    }
    child = 0;
    memset(&lent, 0, sizeof lent);
}

static struct number *number_make(cede_self *self) {
    struct number *message = cede_new(self, number);
    EXPECT(message != NULL);
    return message;
}

/* ---- permits and locks ---- */

static CEDE_YIELDS cede_result wait_semaphore(cede_self *self) {
    EXPECT_OK(cede_semaphore_create(self, 1, &lent.semaphore));
    EXPECT_OK(hold(self, lent.semaphore));
    EXPECT_OK(cede_semaphore_acquire(self, lent.semaphore, 1, 0)); /* and goes with it */
    return cede_semaphore_acquire(self, lent.semaphore, 2, CEDE_FOREVER);
}
static cede_result release_semaphore(cede_self *self) {
    (void)self;
    cede_semaphore_add(lent.semaphore, 2);
    return CEDE_OK;
}

/* Another has the lock, and gives it back when it is told to. */
static _Atomic uint32_t holder_has; /* 1: so it is */

static CEDE_YIELDS void hold_until_told(cede_self *self, const void *lock) {
    struct go *go = NULL;
    EXPECT_OK(hold(self, cede_shared_ref(lock)));
    flag_set(&holder_has, 1);
    (void)cede_recv(self, go, &go, CEDE_FOREVER);
}
static CEDE_YIELDS void holder_start(cede_self *self, cede_result (*run)(cede_self *, void *)) {
    flag_set(&holder_has, 0);
    lent.holder = play(self, run, NULL);
    flag_await(self, &holder_has, 1);
}
static cede_result release_holder(cede_self *self) {
    struct go *go = cede_new(self, go);
    EXPECT(go != NULL);
    return cede_send(self, lent.holder, &go);
}

static CEDE_YIELDS cede_result hold_mutex(cede_self *self, void *context) {
    (void)context;
    EXPECT_OK(cede_async_mutex_lock(self, lent.mutex, 0));
    hold_until_told(self, lent.mutex);
    cede_async_mutex_unlock(self, lent.mutex);
    return CEDE_STOP;
}
static CEDE_YIELDS cede_result wait_mutex(cede_self *self) {
    EXPECT_OK(cede_async_mutex_create(self, &lent.mutex));
    EXPECT_OK(hold(self, lent.mutex));
    holder_start(self, hold_mutex);
    return cede_async_mutex_lock(self, lent.mutex, CEDE_FOREVER); /* ends with the turn */
}

static CEDE_YIELDS cede_result hold_reading(cede_self *self, void *context) {
    (void)context;
    EXPECT_OK(cede_rwlock_read_lock(self, lent.write_lock, 0));
    hold_until_told(self, lent.write_lock);
    cede_rwlock_unlock(self, lent.write_lock);
    return CEDE_STOP;
}
static CEDE_YIELDS cede_result wait_write_lock(cede_self *self) {
    EXPECT_OK(cede_rwlock_create(self, &lent.write_lock));
    EXPECT_OK(hold(self, lent.write_lock));
    holder_start(self, hold_reading);
    return cede_rwlock_write_lock(self, lent.write_lock, CEDE_SECONDS(3600));
}

static CEDE_YIELDS cede_result hold_writing(cede_self *self, void *context) {
    (void)context;
    EXPECT_OK(cede_rwlock_write_lock(self, lent.read_lock, 0));
    hold_until_told(self, lent.read_lock);
    cede_rwlock_unlock(self, lent.read_lock);
    return CEDE_STOP;
}
static CEDE_YIELDS cede_result wait_read_lock(cede_self *self) {
    EXPECT_OK(cede_rwlock_create(self, &lent.read_lock));
    EXPECT_OK(hold(self, lent.read_lock));
    holder_start(self, hold_writing);
    return cede_rwlock_read_lock(self, lent.read_lock, CEDE_FOREVER);
}

/* ---- calls and tokens ---- */

static CEDE_YIELDS cede_result wait_notify(cede_self *self) {
    EXPECT_OK(cede_notify_create(self, &lent.notify));
    EXPECT_OK(hold(self, lent.notify));
    return cede_notify_await(self, lent.notify, CEDE_FOREVER);
}
static cede_result release_notify(cede_self *self) {
    (void)self;
    cede_notify_one(lent.notify);
    return CEDE_OK;
}

static CEDE_YIELDS cede_result wait_cancel(cede_self *self) {
    EXPECT_OK(cede_cancel_create(self, NULL, &lent.cancel));
    EXPECT_OK(hold(self, lent.cancel));
    return cede_cancel_await(self, lent.cancel, CEDE_FOREVER);
}
static cede_result release_cancel(cede_self *self) {
    (void)self;
    cede_cancel_request(lent.cancel);
    return CEDE_OK;
}

/* ---- what messages go through ---- */

static CEDE_YIELDS cede_result wait_full_channel(cede_self *self) {
    cede_channel_sender *sender = NULL;
    cede_result r = CEDE_OK;
    EXPECT_OK(cede_channel_create(self, number, 1, &sender, &lent.full_receiver));
    EXPECT_OK(hold(self, sender));
    EXPECT_OK(hold(self, lent.full_receiver));
    for (int i = 0; i < 2 && r == CEDE_OK; i++) {
        struct number *message = number_make(self); /* the turn's, if it is not sent */
        r = cede_channel_send(self, sender, &message, CEDE_FOREVER);
    }
    return r;
}
static CEDE_YIELDS cede_result release_full_channel(cede_self *self) {
    struct number *message = NULL;
    cede_result r = cede_channel_recv(self, lent.full_receiver, number, &message, 0);
    cede_drop(self, &message);
    return r;
}

static CEDE_YIELDS cede_result wait_empty_channel(cede_self *self) {
    cede_channel_receiver *receiver = NULL;
    struct number *message = NULL;
    EXPECT_OK(cede_channel_create(self, number, 1, &lent.empty_sender, &receiver));
    EXPECT_OK(hold(self, lent.empty_sender));
    EXPECT_OK(hold(self, receiver));
    return cede_channel_recv(self, receiver, number, &message, CEDE_SECONDS(3600));
}
static CEDE_YIELDS cede_result release_empty_channel(cede_self *self) {
    struct number *message = number_make(self);
    return cede_channel_send(self, lent.empty_sender, &message, 0);
}

/* Sending ends a oneshot's sender: the director has the only one. */
static CEDE_YIELDS cede_result wait_oneshot(cede_self *self) {
    cede_oneshot_receiver *receiver = NULL;
    struct number *message = NULL;
    EXPECT_OK(cede_oneshot_create(self, number, &lent.oneshot, &receiver));
    EXPECT_OK(hold(self, receiver));
    return cede_oneshot_recv(self, receiver, number, &message, CEDE_FOREVER);
}
static cede_result release_oneshot(cede_self *self) {
    struct number *message = number_make(self);
    cede_result r = cede_oneshot_send(self, &lent.oneshot, &message);
    cede_drop(self, &message);
    return r;
}

static CEDE_YIELDS cede_result wait_broadcast(cede_self *self) {
    cede_broadcast_receiver *receiver = NULL;
    const struct number *now = NULL;
    EXPECT_OK(cede_broadcast_create(self, number, 2, &lent.broadcast));
    EXPECT_OK(hold(self, lent.broadcast));
    EXPECT_OK(cede_broadcast_subscribe(self, lent.broadcast, &receiver));
    EXPECT_OK(hold(self, receiver));
    cede_result r = cede_broadcast_recv(self, receiver, number, &now, NULL, CEDE_FOREVER);
    cede_shared_unref(&now);
    return r;
}
static cede_result release_broadcast(cede_self *self) {
    struct number *message = number_make(self);
    return cede_broadcast_send(self, lent.broadcast, &message);
}

static CEDE_YIELDS cede_result wait_watch(cede_self *self) {
    struct number *first = number_make(self);
    const struct number *now = NULL;
    uint64_t seen = 0;
    EXPECT_OK(cede_watch_create(self, number, &first, &lent.watch));
    EXPECT_OK(hold(self, lent.watch));
    EXPECT_OK(cede_watch_await(self, lent.watch, number, &seen, &now, 0));
    cede_shared_unref(&now); /* nothing of it is left on the stack over the wait */
    cede_result r = cede_watch_await(self, lent.watch, number, &seen, &now, CEDE_FOREVER);
    cede_shared_unref(&now);
    return r;
}
static cede_result release_watch(cede_self *self) {
    struct number *message = number_make(self);
    return cede_watch_set(self, lent.watch, &message);
}

/* ---- names and processes ---- */

static CEDE_YIELDS cede_result wait_name(cede_self *self) {
    cede_ref found = {0};
    return cede_name_await(self, "the awaited", CEDE_FOREVER, &found);
}
static cede_result release_name(cede_self *self) {
    return cede_name_register(self, "the awaited", cede_self_ref(self));
}

static CEDE_YIELDS cede_result wait_process(cede_self *self) {
    char *const argv[] = {(char *)"sleep", (char *)"3600", NULL};
    int32_t status = 0;
    EXPECT_OK(cede_process_start(self, argv, &lent.process));
    child = lent.process.pid;
    return cede_process_wait(self, &lent.process, CEDE_FOREVER, &status);
}
/* By its number: `lent.process` is the turn's while it waits. */
static cede_result release_process(cede_self *self) {
    (void)self;
    EXPECT(kill(child, SIGKILL) == 0);
    return CEDE_OK;
}

static const struct wait_point KILL_SHARE_POINTS[] = {
    {"cede_semaphore_acquire", wait_semaphore, release_semaphore},
    {"cede_async_mutex_lock", wait_mutex, release_holder},
    {"cede_rwlock_write_lock", wait_write_lock, release_holder},
    {"cede_rwlock_read_lock", wait_read_lock, release_holder},
    {"cede_notify_await", wait_notify, release_notify},
    {"cede_cancel_await", wait_cancel, release_cancel},
    {"cede_channel_send", wait_full_channel, release_full_channel},
    {"cede_channel_recv", wait_empty_channel, release_empty_channel},
    {"cede_oneshot_recv", wait_oneshot, release_oneshot},
    {"cede_broadcast_recv", wait_broadcast, release_broadcast},
    {"cede_watch_await", wait_watch, release_watch},
    {"cede_name_await", wait_name, release_name},
    {"cede_process_wait", wait_process, release_process},
};
enum { KILL_SHARE_POINTS_COUNT = sizeof KILL_SHARE_POINTS / sizeof KILL_SHARE_POINTS[0] };

#endif
