/* socket.h - TCP and Unix stream sockets, pipes and their like; every descriptor is close-on-exec and does not block.
 * Results are those of cedei_call_result: CEDE_ETIMEDOUT says "not now". No call is interrupted by a signal. */
#ifndef CEDEI_SYS_SOCKET_H
#define CEDEI_SYS_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cede/annotate.h>
#include <cede/result.h>

struct cedei_address {
    struct sockaddr_storage native;
    socklen_t size;
};

/* A number, "127.0.0.1" or "::1". CEDE_EINVAL: no such address. */
CEDE_NODISCARD cede_result cedei_address_of_ip(struct cedei_address *out, const char *text,
                                               uint16_t port);
/* A path, or "@name" in the abstract name space. CEDE_EINVAL empty; CEDE_ETOOBIG. */
CEDE_NODISCARD cede_result cedei_address_of_path(struct cedei_address *out, const char *path);

/* Sockets whose other end sends each small piece at once (TCP_NODELAY). */
CEDE_NODISCARD cede_result cedei_socket_listen(const struct cedei_address *address, int *out);
/* As above at a path that nobody but our own user may connect to. A socket that a dead listener left there is replaced. */
CEDE_NODISCARD cede_result cedei_socket_listen_private(const struct cedei_address *address,
                                                       int *out);
/* Takes the name of a listener at a path away; nothing for others. */
void cedei_socket_unlink(int listener);
/* CEDE_ETIMEDOUT: nobody is there; CEDE_ERESET: whoever was is gone again; CEDE_ELIMIT, CEDE_ENOMEM: not at present. */
CEDE_NODISCARD cede_result cedei_socket_accept(int listener, int *out);
/* `*pending`: it goes on; when the socket becomes writable, cedei_socket_connect_result tells.
 * CEDE_ETIMEDOUT: a Unix listener's queue is full; there is no socket then, try later. */
CEDE_NODISCARD cede_result cedei_socket_connect(const struct cedei_address *address, int *out,
                                                bool *pending);
/* CEDE_ETIMEDOUT: not decided yet. */
CEDE_NODISCARD cede_result cedei_socket_connect_result(int socket);
/* 0 for one that is no TCP socket. */
CEDE_NODISCARD cede_result cedei_socket_port(int socket, uint16_t *out);
/* Who is at the other end of a connected socket, as text for logs. */
void cedei_socket_describe_peer(int socket, char *text, size_t size);
/* Whether a Unix socket's other end runs as our own user. */
bool cedei_socket_peer_is_own_user(int socket);
/* `how`: SHUT_RD, SHUT_WR, SHUT_RDWR. */
CEDE_NODISCARD cede_result cedei_socket_shutdown(int socket, int how);

/* Moves some bytes. `*moved` 0 on CEDE_OK from a read: the end. `*exhausted`: fewer than asked for, so that the next
 * call would get CEDE_ETIMEDOUT. `is_socket`: by recv and send, which need no flag on the descriptor; else read, write. */
CEDE_NODISCARD cede_result cedei_stream_read(int descriptor, bool is_socket, void *buffer,
                                             size_t size, size_t *moved, bool *exhausted);
CEDE_NODISCARD cede_result cedei_stream_write(int descriptor, bool is_socket,
                                              const struct iovec *pieces, int count, size_t *moved,
                                              bool *exhausted);

/* ends[0] reads what ends[1] writes. */
CEDE_NODISCARD cede_result cedei_pipe(int ends[2]);

enum cedei_descriptor_kind {
    CEDEI_DESCRIPTOR_SOCKET, /* can be used without blocking as it is */
    CEDEI_DESCRIPTOR_PIPE, /* pipe, terminal or device: must be opened once more not to block its other users' */
    CEDEI_DESCRIPTOR_FILE /* always ready, and blocks */
};
CEDE_NODISCARD cede_result cedei_descriptor_kind_of(int descriptor, enum cedei_descriptor_kind *out);
/* The same pipe or terminal by a description of its own, so that O_NONBLOCK is nobody else's. */
CEDE_NODISCARD cede_result cedei_descriptor_reopen(int descriptor, bool to_write, int *out);
/* A descriptor of one's own for the same description. */
CEDE_NODISCARD cede_result cedei_descriptor_copy(int descriptor, int *out);
void cedei_descriptor_close(int descriptor);

#endif
