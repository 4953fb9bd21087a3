/* file.c - files; see file.h. Owns nothing. */
#include "core/sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/sys/call.h"

static int flags_of(uint32_t how) {
    uint32_t both = CEDEI_FILE_READ | CEDEI_FILE_WRITE;
    int flags = O_CLOEXEC | O_NOCTTY;
    flags |= (how & both) == both ? O_RDWR : (how & CEDEI_FILE_WRITE) != 0 ? O_WRONLY : O_RDONLY;
    if ((how & CEDEI_FILE_CREATE) != 0) flags |= O_CREAT;
    if ((how & CEDEI_FILE_NEW) != 0) flags |= O_EXCL;
    if ((how & CEDEI_FILE_EMPTY) != 0) flags |= O_TRUNC;
    if ((how & CEDEI_FILE_APPEND) != 0) flags |= O_APPEND;
    return flags;
}

cede_result cedei_file_open(const char *path, uint32_t how, int *out) {
    int error = 0, made = -1;
    do {
        error = cedei_call_fault(CEDEI_CALL_OPEN);
        if (error != 0) continue;
        made = open(path, flags_of(how), (how & CEDEI_FILE_PRIVATE) != 0 ? 0600 : 0666);
        if (made < 0) error = errno;
    } while (error == EINTR);
    if (error == 0) *out = made;
    return cedei_call_result(error);
}

cede_result cedei_file_read(int number, void *buffer, size_t size, uint64_t offset, size_t *moved) {
    ssize_t got = -1;
    int error = 0;
    size = cedei_call_size(size);
    do {
        error = cedei_call_fault(CEDEI_CALL_READ);
        if (error != 0) continue;
        got = offset == CEDEI_FILE_HERE ? read(number, buffer, size)
                                        : pread(number, buffer, size, (off_t)offset);
        if (got < 0) error = errno;
    } while (error == EINTR);
    if (error == 0) *moved = (size_t)got;
    return cedei_call_result(error);
}

static ssize_t read_some_cached(int number, uint8_t *buffer, size_t size, uint64_t offset) {
    struct iovec piece = {.iov_base = buffer, .iov_len = cedei_call_size(size)};
    if (cedei_call_fails(CEDEI_CALL_READ_CACHED)) return -1;
    return preadv2(number, &piece, 1, (off_t)offset, RWF_NOWAIT);
}

bool cedei_file_read_cached(int number, void *buffer, size_t size, uint64_t offset, size_t *moved,
                            bool *can) {
    ssize_t got = read_some_cached(number, buffer, size, offset);
    if (got < 0) *can = errno == EAGAIN || errno == EINTR;
    if (got < 0) return false;
    /* The end of the file, or of what is in memory? */
    if ((size_t)got < size && got > 0 &&
        read_some_cached(number, (uint8_t *)buffer + got, size - (size_t)got,
                         offset + (uint64_t)got) != 0)
        return false;
    *moved = (size_t)got;
    return true;
}

cede_result cedei_file_write(int number, const void *bytes, size_t size, uint64_t offset,
                             size_t *moved) {
    ssize_t put = -1;
    int error = 0;
    size = cedei_call_size(size);
    do {
        error = cedei_call_fault(CEDEI_CALL_WRITE);
        if (error != 0) continue;
        put = offset == CEDEI_FILE_HERE ? write(number, bytes, size)
                                        : pwrite(number, bytes, size, (off_t)offset);
        if (put < 0) error = errno;
    } while (error == EINTR);
    if (error == 0) *moved = (size_t)put;
    return cedei_call_result(error);
}

cede_result cedei_file_sync(int number) {
    int error = 0;
    do {
        error = cedei_call_fault(CEDEI_CALL_SYNC);
        if (error == 0 && fsync(number) != 0) error = errno;
    } while (error == EINTR);
    return cedei_call_result(error);
}
