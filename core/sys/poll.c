/* poll.c - epoll, and an event to end its waits. Owns the two descriptors of a struct cedei_poll.
 * The event is watched by level, and only a wait that blocks takes it back: by edge, somebody who just looks in passing
 * would take the one report that was for the sleeper. A wake that finds no sleeper ends the next sleep at once. */
#include "core/sys/poll.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "core/sys/call.h"
#include "core/sys/clock.h"

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
    if (error == 0) return CEDE_OK;
    r = cedei_call_result(error);
    cedei_event_close(&poll->wake);
close_poll:
    (void)close(poll->descriptor);
    return r;
}

void cedei_poll_fini(struct cedei_poll *poll) {
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

static int wait_for(int descriptor, struct epoll_event *events, int max, uint64_t wait_ns) {
    struct timespec wait = {.tv_sec = (time_t)(wait_ns / 1000000000u),
                            .tv_nsec = (long)(wait_ns % 1000000000u)};
    int count = epoll_pwait2(descriptor, events, max, &wait, NULL);
    if (count >= 0 || errno != ENOSYS) return count;
    /* Before Linux 5.11: whole milliseconds, rounded up, since nothing may time out early. */
    uint64_t millis = (wait_ns + 999999u) / 1000000u;
    return epoll_wait(descriptor, events, max, millis > 1000000u ? 1000000 : (int)millis);
}

static void wake_clear(struct cedei_poll *poll, const cedei_poll_event *events, int count) {
    for (int i = 0; i < count; i++)
        if (events[i].data.ptr == NULL) cedei_event_clear(&poll->wake);
}

uint32_t cedei_poll_wait(struct cedei_poll *poll, cedei_poll_event *events, uint32_t max,
                         uint64_t deadline_ns) {
    if (cedei_call_fault(CEDEI_CALL_POLL_WAIT) != 0) return 0; /* EINTR is the only one */
    int count = 0;
    if (deadline_ns == 0 || deadline_ns == UINT64_MAX) {
        count = epoll_wait(poll->descriptor, events, (int)max, deadline_ns == 0 ? 0 : -1);
    } else {
        uint64_t now_ns = cedei_clock_now_ns();
        count = wait_for(poll->descriptor, events, (int)max,
                         deadline_ns > now_ns ? deadline_ns - now_ns : 0);
    }
    if (deadline_ns != 0) wake_clear(poll, events, count);
    return count > 0 ? (uint32_t)count : 0;
}

void cedei_poll_wake(struct cedei_poll *poll) { cedei_event_set(&poll->wake); }
