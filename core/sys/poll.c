/* poll.c - epoll, and an event and a timer to end its waits. Owns the descriptors of a struct cedei_poll.
 * The event is watched by level, and only a wait that blocks takes it back: by edge, somebody who just looks in passing
 * would take the one report that was for the sleeper. A wake that finds no sleeper ends the next sleep at once. So it is with the
 * timer, which stays set over many waits: a time limit of a wait costs the kernel a timer that is started and cancelled, and us a
 * look at the clock, each time. One that is set too early ends one wait for nothing. */
#include "core/sys/poll.h"

#include <errno.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "core/sys/call.h"
#include "core/sys/clock.h"

/* A wait that is to end sooner has a limit of its own: setting the timer is a call more. */
#ifndef CEDEI_POLL_NEAR_NS
#define CEDEI_POLL_NEAR_NS 1000000u
#endif

static struct timespec timespec_of(uint64_t ns) {
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000u),
                             .tv_nsec = (long)(ns % 1000000000u)};
}

/* Without it, each wait has a limit of its own. */
static void timer_open(struct cedei_poll *poll) {
    struct epoll_event report = {.events = EPOLLIN, .data = {.ptr = NULL}};
    poll->timer_ns = 0;
    poll->timer = cedei_call_fails(CEDEI_CALL_TIMER)
                      ? -1
                      : timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (poll->timer < 0 || epoll_ctl(poll->descriptor, EPOLL_CTL_ADD, poll->timer, &report) == 0)
        return;
    (void)close(poll->timer);
    poll->timer = -1;
}

/* Whether the timer ends a wait by `deadline_ns`; else `*now_ns` is the time. */
static bool timer_ends(struct cedei_poll *poll, uint64_t deadline_ns, uint64_t *now_ns) {
    if (poll->timer_ns != 0 && poll->timer_ns <= deadline_ns) return true;
    *now_ns = cedei_clock_now_ns();
    if (poll->timer < 0 || deadline_ns < *now_ns + CEDEI_POLL_NEAR_NS) return false;
    struct itimerspec when = {.it_value = timespec_of(deadline_ns)};
    if (cedei_call_fails(CEDEI_CALL_TIMER_SET) ||
        timerfd_settime(poll->timer, TFD_TIMER_ABSTIME, &when, NULL) != 0)
        return false; /* and what it was set to still ends some wait for nothing */
    poll->timer_ns = deadline_ns;
    return true;
}

cede_result cedei_poll_init(struct cedei_poll *poll) {
    int error = cedei_call_fault(CEDEI_CALL_POLL_CREATE);
    poll->descriptor = error != 0 ? -1 : epoll_create1(EPOLL_CLOEXEC);
    if (poll->descriptor < 0) return cedei_call_result(error != 0 ? error : errno);
    cede_result r = cedei_event_open(&poll->wake);
    if (r != CEDE_OK) goto close_poll;
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = NULL}};
    error = cedei_call_fault(CEDEI_CALL_POLL_ADD);
    if (error == 0 && epoll_ctl(poll->descriptor, EPOLL_CTL_ADD, poll->wake.fd, &event) != 0)
        error = errno;
    if (error == 0) {
        timer_open(poll);
        return CEDE_OK;
    }
    r = cedei_call_result(error);
    cedei_event_close(&poll->wake);
close_poll:
    (void)close(poll->descriptor);
    return r;
}

void cedei_poll_fini(struct cedei_poll *poll) {
    if (poll->timer >= 0) (void)close(poll->timer);
    cedei_event_close(&poll->wake);
    (void)close(poll->descriptor);
}

cede_result cedei_poll_add(struct cedei_poll *poll, int descriptor, void *context) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data = {.ptr = context}};
    int error = cedei_call_fault(CEDEI_CALL_POLL_ADD);
    if (error == 0 && epoll_ctl(poll->descriptor, EPOLL_CTL_ADD, descriptor, &event) != 0)
        error = errno;
    return error == EPERM ? CEDE_ENOTSUP : cedei_call_result(error);
}

void cedei_poll_remove(struct cedei_poll *poll, int descriptor) {
    struct epoll_event unused = {0};
    (void)epoll_ctl(poll->descriptor, EPOLL_CTL_DEL, descriptor, &unused);
}

/* Bare calls: the C library's make the calling thread cancellable meanwhile, at two atomic operations each; nobody cancels our
 * threads. ThreadSanitizer knows the functions: what is written before a descriptor is added is seen by who is told of it. */
static int wait_millis(int descriptor, struct epoll_event *events, int max, int millis) {
#if CEDEI_TSAN
    return epoll_wait(descriptor, events, max, millis);
#else
    return (int)syscall(SYS_epoll_pwait, descriptor, events, max, millis, NULL, 0);
#endif
}

static int wait_for(int descriptor, struct epoll_event *events, int max, uint64_t wait_ns) {
    struct timespec wait = timespec_of(wait_ns);
#if CEDEI_TSAN
    int count = epoll_pwait2(descriptor, events, max, &wait, NULL);
#else
    int count = (int)syscall(SYS_epoll_pwait2, descriptor, events, max, &wait, NULL, 0);
#endif
    if (count >= 0 || errno != ENOSYS) return count;
    /* Before Linux 5.11: whole milliseconds, rounded up, since nothing may time out early. */
    uint64_t millis = (wait_ns + 999999u) / 1000000u;
    return wait_millis(descriptor, events, max, millis > 1000000u ? 1000000 : (int)millis);
}

/* The event or the timer has ended a wait: takes back whichever it was. */
static void wake_clear(struct cedei_poll *poll) {
    cedei_event_clear(&poll->wake);
    if (poll->timer_ns == 0 || poll->timer_ns > cedei_clock_now_ns()) return;
    uint64_t times = 0;
    (void)!read(poll->timer, &times, sizeof times); /* if it fails, the next wait ends, too */
    poll->timer_ns = 0;
}

uint32_t cedei_poll_wait(struct cedei_poll *poll, cedei_poll_event *events, uint32_t max,
                         uint64_t deadline_ns) {
    if (cedei_call_fault(CEDEI_CALL_POLL_WAIT) != 0) return 0; /* EINTR is the only one */
    int count = 0;
    uint64_t now_ns = 0;
    if (deadline_ns == 0)
        count = wait_millis(poll->descriptor, events, (int)max, 0);
    else if (deadline_ns == UINT64_MAX || timer_ends(poll, deadline_ns, &now_ns))
        count = wait_millis(poll->descriptor, events, (int)max, -1);
    else
        count = wait_for(poll->descriptor, events, (int)max,
                         deadline_ns > now_ns ? deadline_ns - now_ns : 0);
    bool is_ended = false;
    for (int i = 0; i < count; i++) is_ended = is_ended || events[i].data.ptr == NULL;
    if (is_ended && deadline_ns != 0) wake_clear(poll);
    return count > 0 ? (uint32_t)count : 0;
}

void cedei_poll_wake(struct cedei_poll *poll) { cedei_event_set(&poll->wake); }
