/* io.h - sockets, pipes, standard streams and files, as straight-line code in a turn: a call that has to wait yields.
 *
 * A stream, listener or file is a message: the turn that opened it owns it, and it is kept, sent, given to a new actor as
 * its first message, or dropped as any other. Dropping closes it, so what ends, fails or is killed leaves nothing open.
 * Only its owner may use it. A call that waits ends with CEDE_ECANCELED when its actor is asked to stop (cede_stop).
 *
 *     struct cede_stream *stream = NULL;
 *     cede_result r = cede_accept(self, listener, &stream, CEDE_FOREVER);
 *     if (r == CEDE_OK) r = cede_spawn(self, &client, &stream, NULL);
 *
 * A timeout is for the whole call, in nanoseconds, CEDE_FOREVER, or 0 not to wait at all. docs/IO.md says more. */
#ifndef CEDE_IO_H
#define CEDE_IO_H

#include <stddef.h>
#include <stdint.h>

#include <cede/actor.h>
#include <cede/annotate.h>
#include <cede/message.h>
#include <cede/result.h>

CEDE_C_BEGIN

struct cedei_descriptor;
struct cedei_file;

/// Bytes to and from somebody: a connection, an end of a pipe, a terminal. An opaque message; dropping it closes it.
struct cede_stream {
    struct cedei_descriptor *descriptor;
    uint32_t half; /* 0: both directions; see cede_stream_split */
    CEDE_MESSAGE_MARK;
};
CEDE_OPAQUE_MESSAGE_DECLARE(cede_stream);

/// Where connections come in. An opaque message; dropping it closes it.
struct cede_listener {
    struct cedei_descriptor *descriptor;
    CEDE_MESSAGE_MARK;
};
CEDE_OPAQUE_MESSAGE_DECLARE(cede_listener);

/// An open file. An opaque message; dropping it closes it.
struct cede_file {
    struct cedei_file *file;
    CEDE_MESSAGE_MARK;
};
CEDE_OPAQUE_MESSAGE_DECLARE(cede_file);

/* ---- connections ---- */

/// Listens on TCP at `address`, a number such as "127.0.0.1" or "::1", not a name; port 0 takes a free one.
/// Ownership: `address` copied; `*out` is the turn's on CEDE_OK, untouched otherwise.
/// Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_EINVAL no such address; CEDE_EEXIST the port is taken; CEDE_ENOENT no address of this machine;
/// CEDE_EACCES; CEDE_ELIMIT descriptors; CEDE_ENOTSUP no IPv6; CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_tcp_listen(cede_self *self CEDE_BORROWED,
                                                        const char *address CEDE_BORROWED,
                                                        uint16_t port,
                                                        struct cede_listener **out CEDE_GIVEN);

/// Listens on a Unix stream socket at `path`, or at "@name" in the abstract name space. The file stays when it is closed.
/// Ownership: `path` copied; `*out` is the turn's on CEDE_OK, untouched otherwise.
/// Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_EEXIST something is there; CEDE_ENOENT, CEDE_EACCES the folder; CEDE_ETOOBIG the path (107 bytes);
/// CEDE_EINVAL it is empty; CEDE_ELIMIT descriptors; CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_unix_listen(cede_self *self CEDE_BORROWED,
                                                         const char *path CEDE_BORROWED,
                                                         struct cede_listener **out CEDE_GIVEN);

/// The TCP port that the listener got; 0 for a Unix socket, or a listener that is not the caller's.
/// Ownership: borrowed. Threads: the turn's. Yields: no. Blocks: no.
CEDE_NOYIELD uint16_t cede_listener_port(cede_self *self CEDE_BORROWED,
                                         struct cede_listener *listener CEDE_BORROWED);

/// Waits for the next connection. While the process or the system has no descriptor left it says so once in the log,
/// and tries again from time to time; connections wait in the system's queue meanwhile.
/// Ownership: `listener` borrowed; `*out` is the turn's on CEDE_OK, untouched otherwise.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, 0, or CEDE_FOREVER.
/// Errors: CEDE_ETIMEDOUT; CEDE_ECANCELED; CEDE_ECLOSED the system is being shut down; CEDE_ELIMIT, CEDE_ENOMEM at the end of
/// the timeout still no descriptor or memory, or none for a stack; CEDE_EOWNER not this actor's; CEDE_EINVAL.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_accept(cede_self *self CEDE_BORROWED,
                                                   struct cede_listener *listener CEDE_BORROWED,
                                                   struct cede_stream **out CEDE_GIVEN,
                                                   uint64_t timeout_ns);

/// Connects over TCP to `address`, a number such as "127.0.0.1" or "::1", not a name.
/// Ownership: `address` copied; `*out` is the turn's on CEDE_OK, untouched otherwise.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, 0, or CEDE_FOREVER.
/// Errors: CEDE_EREFUSED; CEDE_ETIMEDOUT; CEDE_EUNREACH; CEDE_ERESET; CEDE_ECANCELED; CEDE_EINVAL no such address;
/// CEDE_ELIMIT descriptors or local ports; CEDE_EACCES; CEDE_ENOTSUP no IPv6; CEDE_ENOMEM.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_tcp_connect(cede_self *self CEDE_BORROWED,
                                                        const char *address CEDE_BORROWED,
                                                        uint16_t port,
                                                        struct cede_stream **out CEDE_GIVEN,
                                                        uint64_t timeout_ns);

/// Connects to the Unix stream socket at `path`, or at "@name" in the abstract name space.
/// Ownership: `path` copied; `*out` is the turn's on CEDE_OK, untouched otherwise.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: nanoseconds, 0, or CEDE_FOREVER.
/// Errors: CEDE_EREFUSED nobody listens there any more; CEDE_ENOENT nothing is there; CEDE_ETIMEDOUT the listener's queue
/// is full; CEDE_ECANCELED; CEDE_EACCES; CEDE_ETOOBIG the path; CEDE_EINVAL; CEDE_ELIMIT descriptors; CEDE_ENOMEM.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_unix_connect(cede_self *self CEDE_BORROWED,
                                                         const char *path CEDE_BORROWED,
                                                         struct cede_stream **out CEDE_GIVEN,
                                                         uint64_t timeout_ns);

/* ---- reading ---- */

/// Reads what is there, at least one byte, at most `size`; waits if there is nothing.
/// Ownership: `stream` borrowed; `buffer`, `*got` written on CEDE_OK, untouched otherwise.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: bytes; nanoseconds, 0, or CEDE_FOREVER.
/// Errors: CEDE_ECLOSED the other side has closed and all was read; CEDE_ERESET; CEDE_ETIMEDOUT; CEDE_ECANCELED;
/// CEDE_EOWNER not this actor's; CEDE_EINVAL size 0 or a writing half; CEDE_ENOMEM, CEDE_ELIMIT no stack; CEDE_EIO.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_read(cede_self *self CEDE_BORROWED,
                                                 struct cede_stream *stream CEDE_BORROWED,
                                                 void *buffer CEDE_BORROWED, size_t size,
                                                 size_t *got CEDE_BORROWED, uint64_t timeout_ns);

/// Reads exactly `size` bytes. When it fails some may have been taken: the stream is then good for cede_drop only.
/// Ownership: `stream` borrowed; `buffer` written.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: bytes; nanoseconds, 0, or CEDE_FOREVER.
/// Errors: those of cede_read; CEDE_ECLOSED the other side has closed before the last byte.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_read_exact(cede_self *self CEDE_BORROWED,
                                                       struct cede_stream *stream CEDE_BORROWED,
                                                       void *buffer CEDE_BORROWED, size_t size,
                                                       uint64_t timeout_ns);

/// Reads up to the next `delimiter` and includes it: a line, with '\n'. What came behind it stays for the next call,
/// whichever it is. When it fails nothing has been taken.
/// Ownership: `stream` borrowed; `buffer`, `*got` written on CEDE_OK, untouched otherwise.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: bytes; nanoseconds, 0, or CEDE_FOREVER.
/// Errors: those of cede_read; CEDE_ETOOBIG no delimiter in the first `size` bytes; CEDE_ECLOSED the other side has
/// closed without one; CEDE_ENOMEM.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_read_until(cede_self *self CEDE_BORROWED,
                                                       struct cede_stream *stream CEDE_BORROWED,
                                                       char delimiter, void *buffer CEDE_BORROWED,
                                                       size_t size, size_t *got CEDE_BORROWED,
                                                       uint64_t timeout_ns);

/* ---- writing ---- */

/// Writes all `size` bytes. When it fails an unknown part of them is on its way.
/// Ownership: `stream` and `bytes` borrowed.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: bytes; nanoseconds, 0, or CEDE_FOREVER.
/// Errors: CEDE_ECLOSED the other side, or cede_shutdown, has closed; CEDE_ERESET; CEDE_ETIMEDOUT; CEDE_ECANCELED;
/// CEDE_EOWNER not this actor's; CEDE_EINVAL a reading half; CEDE_ENOMEM, CEDE_ELIMIT no stack or no space; CEDE_EIO.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_write(cede_self *self CEDE_BORROWED,
                                                  struct cede_stream *stream CEDE_BORROWED,
                                                  const void *bytes CEDE_BORROWED, size_t size,
                                                  uint64_t timeout_ns);

/// Some bytes among others.
struct cede_piece {
    const void *bytes;
    size_t size;
};

/// Writes all `count` pieces one behind the other, as one piece where the system allows it.
/// Ownership: `stream`, `pieces` and what they point to borrowed.
/// Threads: the turn's. Yields: yes. Blocks: no. Units: bytes; nanoseconds, 0, or CEDE_FOREVER.
/// Errors: those of cede_write.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_write_pieces(cede_self *self CEDE_BORROWED,
                                                         struct cede_stream *stream CEDE_BORROWED,
                                                         const struct cede_piece *pieces
                                                         CEDE_BORROWED,
                                                         size_t count, uint64_t timeout_ns);

/* ---- the two directions ---- */

/// Which directions of a connection cede_shutdown closes.
enum cede_direction { CEDE_READING = 1, CEDE_WRITING = 2, CEDE_BOTH = 3 };

/// Closes one direction of a socket, or both: after CEDE_WRITING the other side has read everything when it reads the
/// end, and may still answer. Ownership: borrowed. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ECLOSED there is no connection any more; CEDE_EINVAL no socket; CEDE_EOWNER not this actor's.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_shutdown(cede_self *self CEDE_BORROWED,
                                                      struct cede_stream *stream CEDE_BORROWED,
                                                      enum cede_direction which);

/// Makes two halves of a stream, so that one actor reads while another writes. Dropping the writing half closes that
/// direction; the descriptor is closed when both are dropped.
/// Ownership: `*stream` moved and nulled on CEDE_OK, still the caller's otherwise; `*reader`, `*writer` are the turn's on
/// CEDE_OK, untouched otherwise. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_EOWNER not this actor's; CEDE_EINVAL a half already; CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_stream_split(cede_self *self CEDE_BORROWED,
                                                          struct cede_stream **stream CEDE_MOVED,
                                                          struct cede_stream **reader CEDE_GIVEN,
                                                          struct cede_stream **writer CEDE_GIVEN);

/* ---- pipes and standard streams ---- */

/// Makes a pipe: `*reader` reads what is written to `*writer`.
/// Ownership: both are the turn's on CEDE_OK, untouched otherwise. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_ELIMIT descriptors; CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_pipe(cede_self *self CEDE_BORROWED,
                                                  struct cede_stream **reader CEDE_GIVEN,
                                                  struct cede_stream **writer CEDE_GIVEN);

/// Standard input as a stream, whatever it is; dropping the stream leaves standard input open. If it is a regular file,
/// reads go through the blocking pool and timeouts do not count.
/// Ownership: `*out` is the turn's on CEDE_OK, untouched otherwise. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: CEDE_EINVAL it is closed; CEDE_ELIMIT descriptors; CEDE_ENOMEM.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_stdin(cede_self *self CEDE_BORROWED,
                                                   struct cede_stream **out CEDE_GIVEN);

/// Standard output as a stream, whatever it is, beside what `printf` writes. As cede_stdin.
/// Ownership: `*out` is the turn's on CEDE_OK, untouched otherwise. Threads: the turn's. Yields: no. Blocks: no.
/// Errors: as cede_stdin.
CEDE_NOYIELD CEDE_NODISCARD cede_result cede_stdout(cede_self *self CEDE_BORROWED,
                                                    struct cede_stream **out CEDE_GIVEN);

/* ---- files ---- */

/// How cede_file_open opens; some of these, or-ed.
enum {
    CEDE_FILE_READ = 1,
    CEDE_FILE_WRITE = 2,
    CEDE_FILE_CREATE = 4,  /* if it is not there */
    CEDE_FILE_NEW = 8,     /* with CREATE: fail if it is there */
    CEDE_FILE_EMPTY = 16,  /* throw away what is in it */
    CEDE_FILE_APPEND = 32, /* writes go to the end, whatever their offset */
    CEDE_FILE_PRIVATE =
        64 /* created with mode 0600 instead of 0666, each less the process's umask */
};

/// Opens the file at `path` on the blocking pool, as calls on files are made.
/// Ownership: `path` copied; `*out` is the turn's on CEDE_OK, untouched otherwise.
/// Threads: the turn's. Yields: yes. Blocks: no (a pool thread does).
/// Errors: CEDE_ENOENT; CEDE_EEXIST; CEDE_EACCES; CEDE_EINVAL flags; CEDE_ETOOBIG the path; CEDE_ELIMIT descriptors or
/// space; CEDE_EIO; those of cede_run_blocking.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_file_open(cede_self *self CEDE_BORROWED,
                                                      const char *path CEDE_BORROWED, uint32_t how,
                                                      struct cede_file **out CEDE_GIVEN);

/// Reads up to `size` bytes (at most 1 MiB a call) at `offset`; `*got` is 0 at the end of the file, less than `size` near it only.
/// Up to 64 KiB that the system has in memory come at once, without the pool.
/// Ownership: `file` borrowed; `*got` written on CEDE_OK, untouched otherwise; `buffer` may be written in any case.
/// Threads: the turn's. Yields: yes. Blocks: no (a pool thread does). Units: bytes.
/// Errors: CEDE_EINVAL; CEDE_EIO; CEDE_EOWNER not this actor's; those of cede_run_blocking.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_file_read(cede_self *self CEDE_BORROWED,
                                                      struct cede_file *file CEDE_BORROWED,
                                                      uint64_t offset, void *buffer CEDE_BORROWED,
                                                      size_t size, size_t *got CEDE_BORROWED);

/// Writes all `size` bytes at `offset`.
/// Ownership: `file` borrowed; `bytes` copied. Threads: the turn's. Yields: yes. Blocks: no (a pool thread does).
/// Units: bytes. Errors: those of cede_file_read; CEDE_ELIMIT no space.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_file_write(cede_self *self CEDE_BORROWED,
                                                       struct cede_file *file CEDE_BORROWED,
                                                       uint64_t offset,
                                                       const void *bytes CEDE_BORROWED, size_t size);

/// Waits until what was written is on the disk.
/// Ownership: borrowed. Threads: the turn's. Yields: yes. Blocks: no (a pool thread does).
/// Errors: those of cede_file_write.
CEDE_YIELDS CEDE_NODISCARD cede_result cede_file_sync(cede_self *self CEDE_BORROWED,
                                                      struct cede_file *file CEDE_BORROWED);

CEDE_C_END
#endif
