/* main.c - the ways in from plain threads: one turn of theirs (cede_block_on), and a whole program (cede_main).
 * Owns the meeting of the thread with its turn, on the thread's stack. Invariants: (1) a meeting ends exactly once: when the turn
 * returns, or when its message is dropped without having been handled to the end; (2) the thread leaves it after that only, but
 * for a program that cannot be shut down, which leaves by _exit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "actors/actor/actor.h"
#include "actors/actor/signal.h"
#include "core/sys/thread.h"

/* ---- a meeting ---- */

struct meeting {
    cedei_mutex lock;
    cedei_cond changed;
    cede_result result; /* under lock */
    bool is_done;       /* under lock */
    bool signalled;     /* under lock: cede_main is to end the program */
};

static void meeting_init(struct meeting *meeting) {
    memset(meeting, 0, sizeof *meeting);
    cedei_mutex_init(&meeting->lock);
    cedei_cond_init(&meeting->changed);
}

static void meeting_fini(struct meeting *meeting) {
    cedei_cond_fini(&meeting->changed);
    cedei_mutex_fini(&meeting->lock);
}

static void meeting_end(struct meeting *meeting, cede_result result) {
    cedei_mutex_lock(&meeting->lock);
    if (!meeting->is_done) {
        meeting->is_done = true;
        meeting->result = result;
        cedei_cond_signal(&meeting->changed);
    }
    cedei_mutex_unlock(&meeting->lock);
}

/* Until the turn has ended, or a signal has come: false. */
static bool meeting_await(struct meeting *meeting) {
    cedei_mutex_lock(&meeting->lock);
    while (!meeting->is_done && !meeting->signalled)
        cedei_cond_wait(&meeting->changed, &meeting->lock);
    bool is_done = meeting->is_done;
    cedei_mutex_unlock(&meeting->lock);
    return is_done;
}

struct cedei_block_call {
    cede_block_fn *run;
    void *context;
    struct meeting *meeting; /* on the waiting thread's stack */
    bool ended;
    char declare_this_type_with_CEDE_MESSAGE[];
};

/* Dropped without having ended: the actor was killed, or the system is closing. */
static void block_call_drop(void *message) {
    struct cedei_block_call *call = message;
    if (!call->ended) meeting_end(call->meeting, CEDE_EKILLED);
}

static struct cede_type cede_type_cedei_block_call = {.name = "cedei_block_call",
                                                      .size = sizeof(struct cedei_block_call),
                                                      .align = _Alignof(struct cedei_block_call),
                                                      .drop = block_call_drop,
                                                      .owning = 1,
                                                      .holds = CEDEI_HOLDS_OPAQUE};

static CEDE_YIELDS cede_result block_call_run(cede_self *self, struct cedei_block_call *call) {
    cede_result r = call->run(self, call->context);
    /* What they use may be the waiter's. */
    if (cedei_has_cleanups(self)) cedei_cleanups_run(self, CEDEI_FRAME_TOP());
    call->ended = true;
    meeting_end(call->meeting, r);
    return CEDE_STOP; /* a failure is the waiting thread's news, nobody else's */
}

static CEDE_YIELDS cede_result block_dispatch(cede_self *self, const struct cede_type *type,
                                              void *state, void *message) {
    (void)state;
    if (type == &cede_type_cedei_block_call) return block_call_run(self, message);
    return (cede_result)CEDEI_UNMATCHED;
}

static const cede_behaviour block_behaviour = {
    .name = "cede_block_on", .state_size = 1, .dispatch = block_dispatch};
static const cede_behaviour main_behaviour = {
    .name = "cede_main", .state_size = 1, .dispatch = block_dispatch};

/* Has `run` run as an actor, which ends `meeting`. On failure the meeting has not begun. */
static cede_result meeting_begin(cede_system *system, const cede_behaviour *behaviour,
                                 cede_block_fn *run, void *context, struct meeting *meeting) {
    struct cedei_msg *first = cedei_msg_take(system, NULL, &cede_type_cedei_block_call);
    if (first == NULL) return CEDE_ENOMEM;
    struct cedei_block_call *call = cedei_msg_body(first);
    call->run = run;
    call->context = context;
    call->meeting = meeting;
    cede_result r = cedei_life_spawn(system, &system->sched, NULL, behaviour, first, NULL, NULL);
    if (r == CEDE_OK) return r;
    call->ended = true;
    cedei_msg_release(system, NULL, first);
    return r;
}

cede_result cede_block_on(cede_system *system, cede_block_fn *run, void *context) {
    if (system == NULL || run == NULL) return CEDE_EINVAL;
    if (cedei_worker_current() != NULL) {
        cedei_log(
            system, CEDE_LOG_ERROR,
            "cede_block_on called from a turn: it would block a worker; use cede_ask or cede_spawn");
        return CEDE_ECONTEXT;
    }
    struct meeting meeting;
    meeting_init(&meeting);
    cede_result r = meeting_begin(system, &block_behaviour, run, context, &meeting);
    if (r == CEDE_OK) {
        (void)meeting_await(&meeting);
        r = meeting.result;
    }
    meeting_fini(&meeting);
    return r;
}

/* ---- main ---- */

struct main_call {
    cede_main_fn *run;
    int argc;
    char **argv;
};

static CEDE_YIELDS cede_result main_call_run(cede_self *self, void *context) {
    struct main_call *call = context;
    return call->run(self, call->argc, call->argv);
}

/* A number from the environment: `*value` is untouched if there is none; false, with a line, if it is none. */
static bool environment_read(const char *name, unsigned long min, unsigned long max,
                             unsigned long *value) {
    const char *text = getenv(name);
    if (text == NULL || *text == '\0') return true;
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);
    if (*end == '\0' && number >= min && number <= max) {
        *value = number;
        return true;
    }
    fprintf(stderr, "cede: %s is '%s'; it must be a number from %lu to %lu\n", name, text, min, max);
    return false;
}

/* On the thread that takes signals. The second one is for those who cannot wait. */
static void main_signalled(void *context, int number) {
    struct meeting *meeting = context;
    cedei_mutex_lock(&meeting->lock);
    bool is_second = meeting->signalled;
    meeting->signalled = true;
    cedei_cond_signal(&meeting->changed);
    cedei_mutex_unlock(&meeting->lock);
    if (is_second) _exit(128 + number);
}

static int main_status(const char *program, cede_result r) {
    if (r == CEDE_OK || r == CEDE_STOP) return 0;
    fprintf(stderr, "%s: %s (%s)\n", program, cede_result_text(r), cede_result_name(r));
    return 1;
}

/* SIGTERM or SIGINT came: in order, by the deadline, and if need be without those who do not end. */
static int main_shutdown(cede_system *system, struct meeting *meeting, const char *program,
                         uint64_t deadline_ns) {
    struct cede_shutdown_options options = {.deadline_ns = deadline_ns};
    cede_result r = cede_system_shutdown(system, &options);
    if (r == CEDE_ETIMEDOUT) {
        (void)fflush(NULL);
        _exit(1);
    }
    if (r != CEDE_OK) return 1; /* the log says who was killed */
    return meeting->result == CEDE_ECANCELED ? 0 : main_status(program, meeting->result);
}

int cede_main(int argc, char **argv, cede_main_fn *run) {
    enum { SHUTDOWN_DEFAULT_MS = 5000, SHUTDOWN_MAX_MS = 86400000 };
    struct cede_options options = {0};
    const char *program = argc > 0 ? argv[0] : "cede";
    unsigned long workers = 0, shutdown_ms = SHUTDOWN_DEFAULT_MS;
    if (!environment_read("CEDE_WORKERS", 1, CEDEI_WORKERS_MAX, &workers) ||
        !environment_read("CEDE_SHUTDOWN_MS", 1, SHUTDOWN_MAX_MS, &shutdown_ms))
        return 1;
    options.workers = (uint32_t)workers;
    cede_system *system = NULL;
    if (cede_system_create(&system, &options) != CEDE_OK) return 1; /* it said why */
    struct main_call call = {.run = run, .argc = argc, .argv = argv};
    struct meeting meeting;
    meeting_init(&meeting);
    cedei_signals_default(system, main_signalled, &meeting);
    cede_result r = meeting_begin(system, &main_behaviour, main_call_run, &call, &meeting);
    int status = 0;
    if (r != CEDE_OK || meeting_await(&meeting)) {
        cede_system_destroy(system);
        status = main_status(program, r != CEDE_OK ? r : meeting.result);
    } else {
        status = main_shutdown(system, &meeting, program, CEDE_MILLIS(shutdown_ms));
    }
    meeting_fini(&meeting);
    return status;
}

struct cedei_never {
    char declare_this_type_with_CEDE_MESSAGE[1];
};
static struct cede_type cede_type_cedei_never = {.name = "cedei_never", .size = 1, .align = 1};

CEDE_YIELDS cede_result cede_wait_stop(cede_self *self) {
    void *never = NULL;
    cede_result r = cedei_recv(self, &cede_type_cedei_never, &never, CEDE_FOREVER, CEDEI_HERE);
    if (never != NULL) cedei_drop(self, &never, CEDEI_HERE); /* there are no such messages */
    return r == CEDE_ECANCELED ? CEDE_OK : r;
}
