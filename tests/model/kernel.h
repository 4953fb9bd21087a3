/* kernel.h - core/sys/poll.c and event.c for the model tests, and what the kernel does for them: one epoll instance that
 * watches one eventfd, by level or by edge as it is told, and one timer, by level. A report by edge is one waiter's, whoever it was
 * meant for; by level it is there for all until the counter is read. Each call is under the kernel's lock. */
#ifndef CEDE_TESTS_MODEL_KERNEL_H
#define CEDE_TESTS_MODEL_KERNEL_H

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/sys/clock.h"
#include "tests/model/explore.h"

enum { KERNEL_POLL = 3, KERNEL_EVENT = 4, KERNEL_TIMER = 5 };

static struct {
    uint64_t counter;  /* the eventfd's */
    uint32_t watched;  /* EPOLLIN, EPOLLET */
    bool is_reported;  /* by edge: the last write has had its waiter */
    void *context;     /* what a waiter is given, of either */
    uint64_t timer_ns; /* 0: it is not set */
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
    MODEL_CLAIM(poll == KERNEL_POLL && how == EPOLL_CTL_ADD);
    MODEL_CLAIM(descriptor == KERNEL_EVENT || descriptor == KERNEL_TIMER);
    if (descriptor == KERNEL_EVENT) kernel.watched = event->events;
    kernel.context = event->data.ptr;
    return 0;
}

static int kernel_timerfd_create(int clock, int flags) {
    (void)clock, (void)flags;
    return KERNEL_TIMER;
}

static int kernel_timerfd_settime(int descriptor, int flags, const struct itimerspec *when,
                                  struct itimerspec *before) {
    (void)before;
    MODEL_CLAIM(descriptor == KERNEL_TIMER && flags == TFD_TIMER_ABSTIME);
    model_lock(&kernel);
    kernel.timer_ns =
        (uint64_t)when->it_value.tv_sec * 1000000000u + (uint64_t)when->it_value.tv_nsec;
    model_unlock(&kernel);
    return 0;
}

/* Whether a waiter that looks now is told of the counter or the timer; else `*until_ns` is no later than the timer. */
static bool kernel_report(struct epoll_event *event, uint64_t *until_ns) {
    model_lock(&kernel);
    bool is_due = kernel.counter != 0 && !((kernel.watched & EPOLLET) != 0 && kernel.is_reported);
    if (is_due) kernel.is_reported = true;
    if (kernel.timer_ns != 0 && kernel.timer_ns < *until_ns) *until_ns = kernel.timer_ns;
    is_due = is_due || (kernel.timer_ns != 0 && kernel.timer_ns <= model_now_ns());
    model_unlock(&kernel);
    if (is_due) *event = (struct epoll_event){.events = EPOLLIN, .data = {.ptr = kernel.context}};
    return is_due;
}

static int kernel_wait(struct epoll_event *events, uint64_t deadline_ns) {
    uint64_t until_ns = deadline_ns;
    while (!kernel_report(
        events, &until_ns)) { /* until there is something to report, or the time has come */
        if (deadline_ns <= model_now_ns()) return 0;
        model_wait_until(&kernel_has_written, until_ns);
        until_ns = deadline_ns;
    }
    return 1;
}

/* epoll_pwait and epoll_pwait2: bare calls, as in poll.c. */
static long kernel_syscall(long number, int poll, struct epoll_event *events, int room, ...) {
    uint64_t deadline_ns = UINT64_MAX;
    va_list rest;
    MODEL_CLAIM(poll == KERNEL_POLL && room > 0);
    va_start(rest, room);
    if (number == SYS_epoll_pwait) {
        int timeout = va_arg(rest, int);
        MODEL_CLAIM(timeout <= 0);
        if (timeout == 0) deadline_ns = 0;
    } else {
        const struct timespec *wait = va_arg(rest, const struct timespec *);
        MODEL_CLAIM(number == SYS_epoll_pwait2);
        deadline_ns =
            model_now_ns() + (uint64_t)wait->tv_sec * 1000000000u + (uint64_t)wait->tv_nsec;
    }
    va_end(rest);
    return kernel_wait(events, deadline_ns);
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
    MODEL_CLAIM((descriptor == KERNEL_EVENT || descriptor == KERNEL_TIMER) &&
                size == sizeof kernel.counter);
    bool is_timer = descriptor == KERNEL_TIMER;
    model_lock(&kernel);
    uint64_t counter = is_timer ? 1 : kernel.counter;
    if (is_timer)
        kernel.timer_ns = 0;
    else
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
#define syscall kernel_syscall
#define timerfd_create kernel_timerfd_create
#define timerfd_settime kernel_timerfd_settime
#define CEDEI_POLL_NEAR_NS 0u
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
