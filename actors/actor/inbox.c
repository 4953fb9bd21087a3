/* inbox.c - plain threads that receive; see inbox.h for who has the rights when.
 * Invariants: (1) the thread touches the mailbox's consumer side only while it `holds`; `pending`, the lists of messages
 * and the wait are its own at any time; (2) after the task has set `arrived` it touches nothing of the inbox; (3) when a
 * call returns, the event is set exactly if something waits or is on its way. */
#include "actors/actor/inbox.h"

#include <string.h>

#include "actors/actor/tally.h"
#include "actors/actor/wait.h"
#include "core/sys/clock.h"
#include "core/sys/map.h"

struct seat_state {
    cede_inbox *inbox;
};

static CEDE_YIELDS cede_result seat_dispatch(cede_self *self, const struct cede_type *type,
                                             void *state, void *message) {
    (void)self, (void)type, (void)state, (void)message;
    return (cede_result)CEDEI_UNMATCHED; /* never called: no turn of it runs */
}

/* CEDE_BLOCKING: cede_run_blocking runs where it is called. The limits are those of cede_inbox_open. */
static const cede_behaviour inbox_behaviour = {.name = "cede_inbox",
                                               .state_size = sizeof(struct seat_state),
                                               .kind = CEDE_BLOCKING,
                                               .dispatch = seat_dispatch};

bool cedei_inbox_is(const cede_self *actor) { return actor->behaviour == &inbox_behaviour; }

/* On a worker: hands the rights to the thread. */
static struct cedei_worker *inbox_arrive(struct cedei_worker *worker, struct cedei_task *task) {
    cede_self *self = CEDEI_CONTAINER_OF(task, cede_self, task);
    cede_inbox *inbox = ((struct seat_state *)self->state)->inbox;
    cedei_event_set(&inbox->event); /* first: the inbox may be gone right after the store */
    /* release: pairs with the acquire in arrival_await; hands over the actor's state. */
    atomic_store_explicit(&inbox->arrived, 1, memory_order_release);
    return worker;
}

cede_inbox *cedei_inbox_of(cede_self *seat) { return ((struct seat_state *)seat->state)->inbox; }

/* ---- rights ---- */

/* False: the time has passed and they have not come. */
static bool arrival_await(cede_inbox *inbox, uint64_t deadline_ns) {
    /* acquire: pairs with the release in inbox_arrive. */
    while (atomic_load_explicit(&inbox->arrived, memory_order_acquire) == 0) {
        if (!cedei_event_wait_until(&inbox->event, deadline_ns)) return false;
        cedei_cpu_relax(); /* the event comes a moment before the rights */
    }
    /* relaxed: nobody sets it again before the rights are given up. */
    atomic_store_explicit(&inbox->arrived, 0, memory_order_relaxed);
    inbox->holds = true;
    return true;
}

void cedei_inbox_enter(cede_inbox *inbox) {
    if (inbox->holds) return;
    if (cedei_mailbox_claim(&inbox->self->mailbox, CEDEI_MAILBOX_IDLE))
        inbox->holds = true;
    else
        (void)arrival_await(inbox, UINT64_MAX);
}

/* With the rights and nothing to look at: lets the next message bring them back. False: it has come already. */
static bool rights_give(cede_inbox *inbox) {
    cedei_event_clear(&inbox->event); /* before the rest: afterwards it is the next arrival's */
    if (!cedei_mailbox_rest(&inbox->self->mailbox, CEDEI_MAILBOX_IDLE)) return false;
    inbox->holds = false;
    return true;
}

void cedei_inbox_leave(cede_inbox *inbox) {
    cede_self *self = inbox->self;
    if (inbox->holds && self->pending == NULL) (void)rights_give(inbox);
    if (inbox->holds || self->pending != NULL || cedei_signals_of(self) != 0)
        cedei_event_set(&inbox->event);
}

cedei_wake_value cedei_inbox_wait(cede_inbox *inbox, uint32_t sequence, uint64_t deadline_ns) {
    cede_self *self = inbox->self;
    if (cedei_wait_is_woken(self)) return cedei_wait_fetch(self);
    cedei_event_clear(&inbox->event);
    inbox->holds = false; /* whoever wakes it queues the task, which brings the rights */
    cedei_wait_park_commit(&inbox->seat, self);
    while (!arrival_await(inbox, deadline_ns)) { /* twice at most */
        uint64_t parked = cedei_wait_armed(sequence, CEDEI_WAIT_PARKED);
        /* acquire: pairs with cedei_wait_wake, if somebody was faster: then the task is on its way. */
        if (atomic_compare_exchange_strong_explicit(&self->wait, &parked, CEDEI_WAIT_NONE,
                                                    memory_order_acquire, memory_order_acquire)) {
            inbox->holds = true;
            return cedei_wake_code(CEDE_ETIMEDOUT);
        }
        deadline_ns = UINT64_MAX;
    }
    return cedei_wait_fetch(self);
}

cede_result cedei_inbox_check(const cede_inbox *inbox, const char *call) {
    if (inbox == NULL) return CEDE_EINVAL;
    if (inbox->system == NULL) return CEDE_ECLOSED;
    if (cedei_worker_current() == NULL) return CEDE_OK;
    cedei_log(inbox->system, CEDE_LOG_ERROR,
              "%s called from a turn: it would block a worker; an inbox is for plain threads", call);
    return CEDE_ECONTEXT;
}

/* ---- life ---- */

static size_t inbox_bytes(void) { return cedei_page_round(sizeof(cede_inbox)); }

static void inbox_free(cede_inbox *inbox) { cedei_map_release(inbox, inbox_bytes()); }

cede_result cede_inbox_open(cede_system *system, uint32_t mailbox_max, cede_inbox **out) {
    if (system == NULL || out == NULL) return CEDE_EINVAL;
    if (cedei_worker_current() != NULL) return CEDE_ECONTEXT;
    cede_behaviour limits = inbox_behaviour;
    limits.mailbox_max = mailbox_max;
    cede_inbox *inbox =
        cedei_map_reserve(inbox_bytes(), cedei_page_size()); /* zero, as tallies are */
    if (inbox == NULL) return CEDE_ENOMEM;
    cede_result r = cedei_event_open(&inbox->event);
    if (r != CEDE_OK) goto free_inbox;
    cede_self *self = cedei_life_begin(system, &system->sched, NULL, &inbox_behaviour, &limits, &r);
    if (self == NULL) goto close_event;
    cedei_worker_init(&inbox->seat, &system->sched, UINT32_MAX, true);
    inbox->seat.is_seat = true;
    inbox->seat.mutexes_held = 1; /* has cedei_worker_suspend ask us */
    inbox->seat.running = &self->task;
    inbox->self = self;
    inbox->system = system;
    inbox->holds = true;
    self->worker = &inbox->seat;
    self->task.run = inbox_arrive;
    self->task.place = CEDEI_TASK_WORKER;
    ((struct seat_state *)self->state)->inbox = inbox;
    cedei_count_add(&inbox->seat.counts.spawned, 1);
    cedei_mutex_lock(&system->inbox_lock);
    inbox->next = system->inboxes;
    system->inboxes = inbox;
    cedei_mutex_unlock(&system->inbox_lock);
    cedei_inbox_leave(inbox);
    *out = inbox;
    return CEDE_OK;
close_event:
    cedei_event_close(&inbox->event);
free_inbox:
    inbox_free(inbox);
    return r;
}

/* Under `inbox_lock`: what the seat counted and cached goes to the system. */
static void seat_fold(cede_system *system, cede_inbox *inbox) {
    cede_inbox **at = &system->inboxes;
    while (*at != inbox) at = &(*at)->next;
    *at = inbox->next;
    cedei_counts_fold_shared(&system->sched.shared_counts, &inbox->seat.counts);
    cedei_tallies_fold_shared(system->sched.shared_tallies, inbox->seat.tallies, cedei_tally_rows());
    cedei_worker_flush(&inbox->seat);
    inbox->system = NULL;
}

void cede_inbox_close(cede_inbox *inbox) {
    if (inbox == NULL) return;
    cede_system *system = inbox->system;
    if (system != NULL) {
        if (cedei_worker_current() != NULL)
            cedei_fatal(
                "cede: cede_inbox_close called from a turn; only the inbox's own thread may");
        cedei_inbox_enter(inbox);
        inbox->self->task.run = cedei_turn_run; /* from here on it is a slot like any other */
        cedei_turn_end(inbox->self, CEDE_OK);
        cedei_mutex_lock(&system->inbox_lock);
        seat_fold(system, inbox);
        cedei_mutex_unlock(&system->inbox_lock);
    }
    cedei_event_close(&inbox->event);
    inbox_free(inbox);
}

void cedei_inboxes_end(cede_system *system) {
    cedei_mutex_lock(&system->inbox_lock);
    while (system->inboxes != NULL) { /* each round takes one off */
        cede_inbox *inbox = system->inboxes;
        cedei_log(system, CEDE_LOG_ERROR,
                  "cede_system_destroy: an inbox is still open; close it first. Its calls give "
                  "CEDE_ECLOSED from now on");
        inbox->self->task.run = cedei_turn_run;
        seat_fold(system, inbox);
    }
    cedei_mutex_unlock(&system->inbox_lock);
}

void cedei_inboxes_count(cede_system *system, struct cedei_counts *into) {
    cedei_mutex_lock(&system->inbox_lock);
    for (cede_inbox *inbox = system->inboxes; inbox != NULL; inbox = inbox->next)
        cedei_counts_fold(into, &inbox->seat.counts);
    cedei_mutex_unlock(&system->inbox_lock);
}

void cedei_inboxes_tallies(cede_system *system, cedei_tallies_fn *visit, void *context) {
    cedei_mutex_lock(&system->inbox_lock);
    for (cede_inbox *inbox = system->inboxes; inbox != NULL; inbox = inbox->next)
        visit(context, inbox->seat.tallies);
    cedei_mutex_unlock(&system->inbox_lock);
}

cede_self *cede_inbox_self(cede_inbox *inbox) {
    return inbox != NULL && inbox->system != NULL ? inbox->self : NULL;
}

int cede_inbox_fd(const cede_inbox *inbox) { return inbox != NULL ? inbox->event.fd : -1; }

/* ---- receiving ---- */

/* The next message of `type` (NULL: of any), accepted; waits for it. */
static cede_result message_await(cede_inbox *inbox, const struct cede_type *type,
                                 uint64_t timeout_ns, struct cedei_msg **out) {
    cede_self *self = inbox->self;
    uint64_t deadline_ns = timeout_ns == 0 ? 0 : cedei_deadline_of(timeout_ns);
    /* What was sent before the call is seen by it, also when it is only on its way. And the event, which is set for what
     * waits, can be cleared only with the rights. */
    cedei_inbox_enter(inbox);
    for (;;) { /* until a message, a stop, or the deadline */
        struct cedei_msg *msg = cedei_pending_take(self, type);
        if (msg != NULL) {
            if (!cedei_turn_accept(self, msg)) continue;
            *out = msg;
            return CEDE_OK;
        }
        if (inbox->holds && cedei_turn_fetch(self)) continue;
        if (cedei_signals_of(self) & CEDEI_SIGNAL_END) return CEDE_ECANCELED;
        if (inbox->holds && !rights_give(inbox)) continue;
        if (!arrival_await(inbox, deadline_ns)) return CEDE_ETIMEDOUT;
    }
}

cede_result cedei_inbox_recv(cede_inbox *inbox, struct cede_type *type, void **message,
                             uint64_t timeout_ns, const char *here) {
    (void)here;
    cede_result r = cedei_inbox_check(inbox, "cede_inbox_recv");
    if (r != CEDE_OK) return r;
    if (message == NULL) return CEDE_EINVAL;
    struct cedei_msg *msg = NULL;
    r = message_await(inbox, type, timeout_ns, &msg);
    if (r == CEDE_OK) {
        cedei_msg_own_by_turn(inbox->self, msg);
        *message = cedei_msg_body(msg);
    }
    cedei_inbox_leave(inbox);
    return r;
}

// cede: allow(yields-missing) its handlers run on the inbox's own thread, which blocks where a turn would yield
cede_result cede_inbox_handle(cede_inbox *inbox, const cede_behaviour *behaviour, void *state,
                              uint32_t count_max, uint64_t timeout_ns, uint32_t *handled) {
    uint32_t count = 0;
    if (handled != NULL) *handled = 0;
    cede_result r = cedei_inbox_check(inbox, "cede_inbox_handle");
    if (r != CEDE_OK) return r;
    if (behaviour == NULL || behaviour->dispatch == NULL || count_max == 0) return CEDE_EINVAL;
    while (r == CEDE_OK && count < count_max) {
        struct cedei_msg *msg = NULL;
        r = message_await(inbox, NULL, count == 0 ? timeout_ns : 0, &msg);
        if (r != CEDE_OK) break;
        count++;
        r = cedei_turn_handle_for(inbox->self, behaviour, state, msg);
    }
    if (r == CEDE_ETIMEDOUT && count > 0) r = CEDE_OK; /* no more than that were there */
    if (handled != NULL) *handled = count;
    cedei_inbox_leave(inbox);
    return r;
}
