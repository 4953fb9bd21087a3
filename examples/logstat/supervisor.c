/* supervisor.c - starts the aggregator's process, and again when it has ended, up to a limit.
 * Owns the child process. An epoch is one life of it, numbered from 1.
 *
 *   state    | leaves it on         | to
 *   starting | aggregator_up        | up: whoever waits is told where it is
 *            | child_is_due         | ending: it is killed
 *   up       | cede_down, locate of | ending: what cannot be reached any more, or was found to be no use, is killed, so
 *            | this very epoch      | that no two lives of an aggregator are ever there at once
 *   any      | child_ended          | starting, the next epoch; or given up: whoever waits is told so
 */
#include "supervisor.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "aggregator.h"

enum { WAITING_MAX = 4 * PARSERS_MAX, URL_SIZE = 200, NUMBER_SIZE = 24 };

struct supervisor {
    struct supervise *work; /* kept */
    cede_process process;   /* pid 0: none is running */
    int32_t last_pid, last_status;
    uint64_t epoch;
    cede_ref aggregator; /* nobody: not up */
    uint32_t waiting_count;
    struct locate *waiting[WAITING_MAX]; /* kept */
    struct finish *finish;               /* kept; not NULL: the process is to end */
    bool given_up;
};

/* ---- the watcher: an actor that waits, so that the supervisor need not ---- */

CEDE_YIELDS static cede_result on_watch(cede_self *self, void *state, struct watch *watch) {
    (void)state;
    cede_process process = {.pid = watch->pid, .lifeline = watch->lifeline};
    struct child_ended *news = cede_new(self, child_ended);
    if (news == NULL) return CEDE_ENOMEM;
    cede_result r = cede_process_wait(self, &process, CEDE_FOREVER, &news->status);
    news->epoch = watch->epoch;
    if (r == CEDE_OK) r = cede_send(self, watch->supervisor, &news);
    cede_drop(self, &news);
    return r == CEDE_OK ? CEDE_STOP : r;
}

#define WATCHER(ON) ON(watch, on_watch)
CEDE_BEHAVIOUR(watcher, void, WATCHER);

/* ---- starting and ending the process ---- */

static cede_result watcher_start(cede_self *self, const struct supervisor *supervisor) {
    struct watch *watch = cede_new(self, watch);
    if (watch == NULL) return CEDE_ENOMEM;
    watch->epoch = supervisor->epoch;
    watch->pid = supervisor->process.pid;
    watch->lifeline = supervisor->process.lifeline;
    watch->supervisor = cede_self_ref(self);
    cede_result r = cede_spawn(self, &watcher, &watch, NULL);
    cede_drop(self, &watch);
    return r;
}

/* It has so long to come up, or to end: else it is killed. */
static cede_result child_time(cede_self *self, const struct supervisor *supervisor, bool to_end) {
    struct child_is_due *due = cede_new(self, child_is_due);
    if (due == NULL) return CEDE_ENOMEM;
    due->epoch = supervisor->epoch;
    due->to_end = to_end;
    cede_result r =
        cede_send_after(self, cede_self_ref(self), &due, supervisor->work->start_ns, NULL);
    cede_drop(self, &due);
    return r;
}

static cede_result child_start(cede_self *self, struct supervisor *supervisor) {
    char program[] = "/proc/self/exe", role[] = AGGREGATOR_OPTION, epoch_option[] = EPOCH_OPTION;
    char trace[] = TRACE_OPTION, url[URL_SIZE], epoch[NUMBER_SIZE];
    supervisor->epoch++;
    (void)snprintf(url, sizeof url, "%s", cede_str_text(&supervisor->work->url));
    (void)snprintf(epoch, sizeof epoch, "%" PRIu64, supervisor->epoch);
    char *argv[] = {program, role, url, epoch_option, epoch, supervisor->work->trace ? trace : NULL,
                    NULL};
    cede_result r = cede_process_start(self, argv, &supervisor->process);
    if (r != CEDE_OK) {
        fprintf(stderr, "logstat: cannot start the aggregator: %s\n", cede_result_text(r));
        return r;
    }
    supervisor->last_pid = supervisor->process.pid;
    if (supervisor->work->trace)
        fprintf(stderr, "logstat: aggregator is process %" PRId32 ", life %" PRIu64 "\n",
                supervisor->last_pid, supervisor->epoch);
    r = child_time(self, supervisor, false);
    return r == CEDE_OK ? watcher_start(self, supervisor) : r;
}

static void child_kill(cede_self *self, struct supervisor *supervisor) {
    supervisor->aggregator = (cede_ref){0};
    if (supervisor->process.pid == 0) return;
    cede_result r = cede_process_signal(self, &supervisor->process, SIGKILL);
    if (r == CEDE_OK || r == CEDE_ENOENT) return; /* ended already: the watcher will tell */
    fprintf(stderr, "logstat: cannot kill process %" PRId32 ": %s\n", supervisor->last_pid,
            cede_result_text(r));
}

/* ---- those who wait for an aggregator ---- */

static cede_result locate_answer(cede_self *self, const struct supervisor *supervisor,
                                 struct locate *request) {
    struct located *answer = cede_new(self, located);
    if (answer == NULL) return CEDE_ENOMEM;
    answer->epoch = supervisor->given_up ? 0 : supervisor->epoch;
    answer->aggregator = supervisor->aggregator;
    cede_result r = cede_reply(self, request, &answer);
    cede_drop(self, &answer);
    return r == CEDE_ENOACTOR ? CEDE_OK : r; /* it gave up waiting */
}

static cede_result waiting_answer(cede_self *self, struct supervisor *supervisor) {
    cede_result r = CEDE_OK;
    while (r == CEDE_OK && supervisor->waiting_count > 0) {
        struct locate *request = supervisor->waiting[--supervisor->waiting_count];
        r = locate_answer(self, supervisor, request);
        cede_drop(self, &request);
    }
    return r;
}

static cede_result give_up(cede_self *self, struct supervisor *supervisor) {
    supervisor->given_up = true;
    return waiting_answer(self, supervisor);
}

static cede_result finish_answer(cede_self *self, struct supervisor *supervisor) {
    struct finished *answer = cede_new(self, finished);
    if (answer == NULL) return CEDE_ENOMEM;
    answer->pid = supervisor->last_pid;
    answer->status = supervisor->last_status;
    answer->starts = (uint32_t)supervisor->epoch;
    cede_result r = cede_reply(self, supervisor->finish, &answer);
    cede_drop(self, &answer);
    return r == CEDE_OK ? CEDE_STOP : r;
}

/* ---- handlers ---- */

static cede_result on_supervise(cede_self *self, struct supervisor *supervisor,
                                struct supervise *work) {
    supervisor->work = cede_keep(self, &work);
    return child_start(self, supervisor) == CEDE_OK ? CEDE_OK : give_up(self, supervisor);
}

static cede_result on_aggregator_up(cede_self *self, struct supervisor *supervisor,
                                    struct aggregator_up *up) {
    if (up->epoch != supervisor->epoch || supervisor->process.pid == 0) return CEDE_OK;
    supervisor->aggregator = up->aggregator;
    cede_result r = cede_monitor(self, up->aggregator);
    return r == CEDE_OK ? waiting_answer(self, supervisor) : r;
}

static cede_result on_down(cede_self *self, struct supervisor *supervisor, struct cede_down *down) {
    if (cede_ref_equal(down->actor, supervisor->aggregator)) child_kill(self, supervisor);
    return CEDE_OK;
}

static cede_result on_child_is_due(cede_self *self, struct supervisor *supervisor,
                                   struct child_is_due *due) {
    bool is_up = !cede_ref_is_none(supervisor->aggregator);
    bool is_late = due->to_end || !(is_up || supervisor->finish != NULL);
    if (due->epoch != supervisor->epoch || supervisor->process.pid == 0 || !is_late) return CEDE_OK;
    fprintf(stderr, "logstat: aggregator process %" PRId32 " does not %s\n", supervisor->last_pid,
            due->to_end ? "end" : "come up");
    child_kill(self, supervisor);
    return CEDE_OK;
}

static cede_result on_locate(cede_self *self, struct supervisor *supervisor,
                             struct locate *request) {
    bool is_up = !cede_ref_is_none(supervisor->aggregator);
    if (is_up && request->after >= supervisor->epoch) {
        child_kill(self, supervisor);
        is_up = false;
    }
    if (is_up || supervisor->given_up) return locate_answer(self, supervisor, request);
    if (supervisor->waiting_count == WAITING_MAX) return CEDE_OK; /* dropped: CEDE_ENOREPLY */
    supervisor->waiting[supervisor->waiting_count++] = cede_keep(self, &request);
    return CEDE_OK;
}

static cede_result on_child_ended(cede_self *self, struct supervisor *supervisor,
                                  struct child_ended *news) {
    supervisor->process = (cede_process){0};
    supervisor->aggregator = (cede_ref){0};
    supervisor->last_status = news->status;
    if (supervisor->finish != NULL) return finish_answer(self, supervisor);
    bool killed = news->status < 0;
    bool again = supervisor->epoch <= supervisor->work->restarts_max;
    fprintf(stderr, "logstat: aggregator process %" PRId32 " %s %" PRId32 "; %s\n",
            supervisor->last_pid, killed ? "was killed by signal" : "ended with status",
            killed ? -news->status : news->status,
            again ? "starting it again" : "it will not be started again");
    if (again && child_start(self, supervisor) == CEDE_OK) return CEDE_OK;
    return give_up(self, supervisor);
}

/* Asks the aggregator to end; one that is not up is killed. */
static cede_result on_finish(cede_self *self, struct supervisor *supervisor,
                             struct finish *request) {
    supervisor->finish = cede_keep(self, &request);
    if (supervisor->process.pid == 0) return finish_answer(self, supervisor);
    struct retire *retire = cede_new(self, retire);
    if (retire == NULL) return CEDE_ENOMEM;
    if (cede_send(self, supervisor->aggregator, &retire) != CEDE_OK) child_kill(self, supervisor);
    cede_drop(self, &retire);
    /* Its cede_down is no reason to kill it any more. */
    supervisor->aggregator = (cede_ref){0};
    return child_time(self, supervisor, true);
}

#define SUPERVISOR(ON)                                                                             \
    ON(supervise, on_supervise)                                                                    \
    ON(aggregator_up, on_aggregator_up)                                                            \
    ON(cede_down, on_down)                                                                         \
    ON(locate, on_locate)                                                                          \
    ON(child_is_due, on_child_is_due)                                                              \
    ON(child_ended, on_child_ended)                                                                \
    ON(finish, on_finish)
CEDE_BEHAVIOUR(supervisor, struct supervisor, SUPERVISOR);

cede_result supervisor_spawn(cede_self *self, struct supervise **work, cede_ref *out) {
    return cede_spawn_monitored(self, &supervisor, work, out);
}
