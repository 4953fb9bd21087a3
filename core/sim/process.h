/* process.h - a process for each run, so that it begins with the program as it was and may end anyhow. */
#ifndef CEDEI_SIM_PROCESS_H
#define CEDEI_SIM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/annotate.h>
#include <cede/result.h>

/* Memory that the children write and we read; zeroed, lazily touched. NULL: there is none. */
void *cedei_sim_shared_take(size_t size);
void cedei_sim_shared_give(void *memory, size_t size);

struct cedei_sim_exit {
    int signal;   /* that ended it, or 0 */
    int status;   /* else its exit status */
    int output;   /* a descriptor with what it wrote to the standard streams */
    bool unended; /* it was ended since it took too long */
};
/* Runs `body(context)` in a child and waits for its end, at most `seconds` of processor time. `output`: a descriptor for what it
 * writes, or -1: ours. CEDE_EIO: there is no child. */
CEDE_NODISCARD cede_result cedei_sim_process_run(void (*body)(void *context), void *context,
                                                 unsigned seconds, int output,
                                                 struct cedei_sim_exit *out);
/* A file in memory for the output; -1: none. */
int cedei_sim_output_open(void);
void cedei_sim_output_clear(int output);
void cedei_sim_output_close(int output);
/* At most `size` - 1 bytes of its end, and a NUL. */
void cedei_sim_output_read(int output, char *text, size_t size);
/* How this process was called, as a shell takes it. */
void cedei_sim_command_read(char *text, size_t size);

#endif
