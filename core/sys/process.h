/* process.h - child processes: start, signal, wait with a deadline, and end together with the parent. */
#ifndef CEDEI_SYS_PROCESS_H
#define CEDEI_SYS_PROCESS_H

#include <stdint.h>

#include <cede/annotate.h>
#include <cede/result.h>

/* Starts argv[0], searched in PATH, with our environment, standard streams and default signals. `*lifeline` is a
 * descriptor whose other end the child has: when the last copy of ours closes, cedei_process_follow_parent ends it.
 * CEDE_ENOENT, CEDE_EACCES, CEDE_ENOMEM, CEDE_ELIMIT, CEDE_EIO. */
CEDE_NODISCARD cede_result cedei_process_start(char *const argv[], int32_t *pid, int32_t *lifeline);
/* Waits up to `timeout_ns` for the end and collects the child. `*status`: exit status, or minus the signal.
 * CEDE_ETIMEDOUT it still runs; CEDE_ENOENT no child of ours (any more); CEDE_EIO. */
CEDE_NODISCARD cede_result cedei_process_wait(int32_t pid, uint64_t timeout_ns, int32_t *status);
/* CEDE_ENOENT; CEDE_EINVAL no such signal; CEDE_EACCES. */
CEDE_NODISCARD cede_result cedei_process_signal(int32_t pid, int signal_number);
void cedei_process_lifeline_close(int32_t lifeline);
/* In a child of cedei_process_start: a thread ends this process when the parent's lifeline closes. Else nothing.
 * CEDE_ELIMIT, CEDE_ENOMEM no thread. */
CEDE_NODISCARD cede_result cedei_process_follow_parent(void);

#endif
