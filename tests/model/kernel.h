/* kernel.h - core/sys/poll.c and event.c for the model tests, and what the kernel does for them: one epoll instance that
 * watches one eventfd, by level or by edge as it is told. A report by edge is one waiter's, whoever it was meant for; by level
 * it is there for all until the counter is read. Each call is under the kernel's lock. */
#ifndef CEDE_TESTS_MODEL_KERNEL_H
#define CEDE_TESTS_MODEL_KERNEL_H

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/sys/clock.h"
#include "tests/model/explore.h"

enum { KERNEL_POLL = 3, KERNEL_EVENT = 4 };

static struct {
    uint64_t counter; /* the eventfd's */
    uint32_t watched; /* EPOLLIN, EPOLLET */
    bool is_reported; /* by edge: the last write has had its waiter */
    void *context;    /* what a waiter is given */
} kernel;
static struct model_event kernel_has_written;

static int kernel_epoll_create(int flags) {
    (void)flags;
    return KERNEL_POLL;
}

static int kernel_eventfd(unsigned initial, int flags) {
    (void)flags;
    memset(&kernel, 0, sizeof kernel);
    kernel.counter = initial;
    kernel_has_written.count = 0;
    return KERNEL_EVENT;
}

static int kernel_epoll_ctl(int poll, int how, int descriptor, struct epoll_event *event) {
    MODEL_CLAIM(poll == KERNEL_POLL && how == EPOLL_CTL_ADD && descriptor == KERNEL_EVENT);
    kernel.watched = event->events;
    kernel.context = event->data.ptr;
    return 0;
}

/* Whether a waiter that looks now is told of the counter. */
static bool kernel_report(struct epoll_event *event) {
    model_lock(&kernel);
    bool is_due = kernel.counter != 0 && !((kernel.watched & EPOLLET) != 0 && kernel.is_reported);
    if (is_due) kernel.is_reported = true;
    model_unlock(&kernel);
    if (is_due) *event = (struct epoll_event){.events = EPOLLIN, .data = {.ptr = kernel.context}};
    return is_due;
}

static int kernel_wait(struct epoll_event *events, uint64_t deadline_ns) {
    while (!kernel_report(events)) { /* until there is something to report, or the time has come */
        if (deadline_ns <= model_now_ns()) return 0;
        model_wait_until(&kernel_has_written, deadline_ns);
    }
    return 1;
}

static int kernel_epoll_wait(int poll, struct epoll_event *events, int room, int timeout) {
    MODEL_CLAIM(poll == KERNEL_POLL && room > 0 && timeout <= 0);
    return kernel_wait(events, timeout == 0 ? 0 : UINT64_MAX);
}

static int kernel_epoll_pwait2(int poll, struct epoll_event *events, int room,
                               const struct timespec *timeout, const void *signals) {
    (void)signals;
    MODEL_CLAIM(poll == KERNEL_POLL && room > 0);
    uint64_t wait_ns = (uint64_t)timeout->tv_sec * 1000000000u + (uint64_t)timeout->tv_nsec;
    return kernel_wait(events, model_now_ns() + wait_ns);
}

static ssize_t kernel_write(int descriptor, const void *from, size_t size) {
    uint64_t by = 0;
    MODEL_CLAIM(descriptor == KERNEL_EVENT && size == sizeof by);
    memcpy(&by, from, sizeof by);
    model_lock(&kernel);
    kernel.counter += by;
    kernel.is_reported = false;
    model_unlock(&kernel);
    model_signal(&kernel_has_written);
    return (ssize_t)size;
}

static ssize_t kernel_read(int descriptor, void *to, size_t size) {
    MODEL_CLAIM(descriptor == KERNEL_EVENT && size == sizeof kernel.counter);
    model_lock(&kernel);
    uint64_t counter = kernel.counter;
    kernel.counter = 0;
    model_unlock(&kernel);
    memcpy(to, &counter, sizeof counter);
    errno = EAGAIN; /* if there was nothing */
    return counter != 0 ? (ssize_t)size : -1;
}

static int kernel_close(int descriptor) {
    (void)descriptor;
    return 0;
}

static int kernel_ppoll(struct pollfd *watched, nfds_t count, const struct timespec *timeout,
                        const void *signals) {
    (void)watched, (void)count, (void)timeout, (void)signals;
    model_fail("a call that is no part of the model");
    return -1;
}

#define epoll_create1 kernel_epoll_create
#define epoll_ctl kernel_epoll_ctl
#define epoll_wait kernel_epoll_wait
#define epoll_pwait2 kernel_epoll_pwait2
#define eventfd kernel_eventfd
#define read kernel_read
#define write kernel_write
#define close kernel_close
#define ppoll kernel_ppoll
/* Calls that fail are no part of the models. */
#define CEDEI_SYS_CALL_H
#define cedei_call_fault(call) 0
#define cedei_call_fails(call) false
#define cedei_call_result(error) ((error) == 0 ? CEDE_OK : CEDE_EIO)
#include "core/sys/event.c"
#include "core/sys/poll.c"

#endif
