/* process.c - child processes as actors see them; the system calls are in core/sys/process.c.
 * Owns nothing. Invariant: no pool thread waits longer than a slice, so the end of a system does not wait for a child. */
#include <cede/process.h>

#include "core/sys/clock.h"
#include "core/sys/process.h"

#define SLICE_NS 250000000u

CEDE_MESSAGE_DEFINE(cede_process_end, CEDEI_PROCESS_END);

cede_result cede_process_start(cede_self *self, char *const argv[], cede_process *out) {
    cede_process process = {0, 0};
    if (self == NULL) return CEDE_ECONTEXT;
    if (argv == NULL || argv[0] == NULL || out == NULL) return CEDE_EINVAL;
    cede_result result = cedei_process_start(argv, &process.pid, &process.lifeline);
    if (result == CEDE_OK) *out = process;
    return result;
}

static cede_result run_wait(void *message) {
    struct cede_process_end *end = message;
    return cedei_process_wait(end->pid, end->timeout_ns, &end->status);
}

cede_result cede_process_wait(cede_self *self, cede_process *process, uint64_t timeout_ns,
                              int32_t *status) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (process == NULL) return CEDE_EINVAL;
    struct cede_process_end *end = cede_new(self, cede_process_end);
    if (end == NULL) return CEDE_ENOMEM;
    uint64_t start_ns = cedei_clock_now_ns(), passed_ns = 0;
    cede_result result;
    end->pid = process->pid;
    do {
        uint64_t left_ns = timeout_ns == CEDE_FOREVER ? SLICE_NS : timeout_ns - passed_ns;
        end->timeout_ns = left_ns < SLICE_NS ? left_ns : SLICE_NS;
        result = cede_run_blocking(self, run_wait, &end);
        passed_ns = cedei_clock_now_ns() - start_ns;
    } while (result == CEDE_ETIMEDOUT && (timeout_ns == CEDE_FOREVER || passed_ns < timeout_ns));
    if (result == CEDE_OK && status != NULL) *status = end->status;
    if (result == CEDE_OK || result == CEDE_ENOENT) {
        cedei_process_lifeline_close(process->lifeline);
        *process = (cede_process){0, 0};
    }
    cede_drop(self, &end);
    return result;
}

cede_result cede_process_signal(cede_self *self, const cede_process *process, int signal_number) {
    if (self == NULL) return CEDE_ECONTEXT;
    if (process == NULL) return CEDE_EINVAL;
    return cedei_process_signal(process->pid, signal_number);
}

cede_result cede_process_follow_parent(void) { return cedei_process_follow_parent(); }
