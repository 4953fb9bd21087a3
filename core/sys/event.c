/* event.c - see event.h. Invariant: the counter of the eventfd is 0 or more than 0, and nobody looks at how much more. */
#include "core/sys/event.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "core/sys/call.h"
#include "core/sys/clock.h"

cede_result cedei_event_open(cedei_event *event) {
    int fd = cedei_call_fails(CEDEI_CALL_EVENT) ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return errno == ENOMEM ? CEDE_ENOMEM : CEDE_ELIMIT;
    event->fd = fd;
    return CEDE_OK;
}

void cedei_event_close(cedei_event *event) {
    (void)close(event->fd);
    event->fd = -1;
}

void cedei_event_set(const cedei_event *event) {
    int saved = errno;
    uint64_t one = 1;
    /* Fails only when the counter is full, and then it is set. */
    while ((cedei_call_fails(CEDEI_CALL_EVENT_WRITE) || write(event->fd, &one, sizeof one) < 0) &&
           errno == EINTR) {}
    errno = saved;
}

void cedei_event_clear(const cedei_event *event) {
    uint64_t count = 0;
    while ((cedei_call_fails(CEDEI_CALL_EVENT_READ) || read(event->fd, &count, sizeof count) < 0) &&
           errno == EINTR) {}
}

bool cedei_event_wait_until(const cedei_event *event, uint64_t deadline_ns) {
    struct pollfd watched = {.fd = event->fd, .events = POLLIN};
    for (;;) { /* until it is set or the time has passed; signals start over */
        struct timespec left = {0};
        if (deadline_ns != UINT64_MAX) {
            uint64_t now_ns = cedei_clock_now_ns();
            uint64_t left_ns = now_ns < deadline_ns ? deadline_ns - now_ns : 0;
            left.tv_sec = (time_t)(left_ns / 1000000000u);
            left.tv_nsec = (long)(left_ns % 1000000000u);
        }
        int ready = cedei_call_fails(CEDEI_CALL_EVENT_POLL)
                        ? -1
                        : ppoll(&watched, 1, deadline_ns == UINT64_MAX ? NULL : &left, NULL);
        if (ready > 0) return true;
        if (ready == 0 && cedei_clock_now_ns() >= deadline_ns) return false;
    }
}
