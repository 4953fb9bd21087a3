/* poll.h - waiting for descriptors to become ready: one epoll instance with an event and a timer that end a wait. */
#ifndef CEDEI_SYS_POLL_H
#define CEDEI_SYS_POLL_H

#include <stdint.h>
#include <sys/epoll.h>

#include <cede/annotate.h>
#include <cede/result.h>

#include "core/sys/event.h"

/* Access: I; W = whoever is in a wait that blocks, one thread at a time. */
struct cedei_poll {
    int descriptor;    /* I */
    cedei_event wake;  /* I */
    int timer;         /* I; -1: there is none */
    uint64_t timer_ns; /* W: when it ends a wait; 0: it is not set */
};

/* What is reported: data.ptr is what cedei_poll_add was given, NULL for a cedei_poll_wake and for the timer. */
typedef struct epoll_event cedei_poll_event;

/* CEDE_ELIMIT, CEDE_ENOMEM. */
CEDE_NODISCARD cede_result cedei_poll_init(struct cedei_poll *poll);
void cedei_poll_fini(struct cedei_poll *poll);
/* Watches `descriptor` for changes in both directions until it is closed or removed.
 * CEDE_ENOTSUP it has no readiness (a regular file); CEDE_ELIMIT; CEDE_ENOMEM. */
CEDE_NODISCARD cede_result cedei_poll_add(struct cedei_poll *poll, int descriptor, void *context);
void cedei_poll_remove(struct cedei_poll *poll, int descriptor);
/* Waits until something is ready, cedei_poll_wake, a signal, or `deadline_ns` (0: does not wait; UINT64_MAX: none). One thread at a
 * time waits, any number just look. Returns how many of `events` were written; it may be 0, or only the timer, early. */
uint32_t cedei_poll_wait(struct cedei_poll *poll, cedei_poll_event *events, uint32_t max,
                         uint64_t deadline_ns);
/* Ends the present wait of one thread, or the next one. Any thread. */
void cedei_poll_wake(struct cedei_poll *poll);

#endif
