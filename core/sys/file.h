/* file.h - files, by calls that block. Results are those of cedei_call_result. No call is interrupted by a signal. */
#ifndef CEDEI_SYS_FILE_H
#define CEDEI_SYS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cede/annotate.h>
#include <cede/result.h>

enum cedei_file_flags {
    CEDEI_FILE_READ = 1,
    CEDEI_FILE_WRITE = 2,
    CEDEI_FILE_CREATE = 4,
    CEDEI_FILE_NEW = 8,
    CEDEI_FILE_EMPTY = 16,
    CEDEI_FILE_APPEND = 32,
    CEDEI_FILE_PRIVATE = 64
};

/* Instead of an offset: where the description stands. */
#define CEDEI_FILE_HERE UINT64_MAX

CEDE_NODISCARD cede_result cedei_file_open(const char *path, uint32_t how, int *out);
/* One transfer. `*moved` 0 from a read: the end. */
CEDE_NODISCARD cede_result cedei_file_read(int number, void *buffer, size_t size, uint64_t offset,
                                           size_t *moved);
/* As cedei_file_read at `offset`, for what is in memory: does not block. False: it is not, or not all of it, and `buffer`
 * may have been written. `*can`: false when this file or system has no such call. */
CEDE_NODISCARD bool cedei_file_read_cached(int number, void *buffer, size_t size, uint64_t offset,
                                           size_t *moved, bool *can);
CEDE_NODISCARD cede_result cedei_file_write(int number, const void *bytes, size_t size,
                                            uint64_t offset, size_t *moved);
CEDE_NODISCARD cede_result cedei_file_sync(int number);

#endif
