/* event.h - a flag that a thread can sleep on and that a poll loop can watch: set by anybody, cleared by its owner.
 * An eventfd: readable while it is set. */
#ifndef CEDEI_SYS_EVENT_H
#define CEDEI_SYS_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include <cede/annotate.h>
#include <cede/result.h>

/* Access: I; the flag itself is the kernel's. */
typedef struct cedei_event {
    int fd; /* readable while the flag is set */
} cedei_event;

/* CEDE_ELIMIT no descriptors; CEDE_ENOMEM. */
CEDE_NODISCARD cede_result cedei_event_open(cedei_event *event);
void cedei_event_close(cedei_event *event);
/* Any thread; async-signal-safe; errno stays as it is. */
void cedei_event_set(const cedei_event *event);
void cedei_event_clear(const cedei_event *event);
/* Sleeps until the flag is set; false when `deadline_ns` (cedei_clock_now_ns; UINT64_MAX: none) passed first. */
bool cedei_event_wait_until(const cedei_event *event, uint64_t deadline_ns);

#endif
