/* socket.c - sockets and pipes; see socket.h. Owns nothing: descriptors are the caller's.
 * Invariant: on any result but CEDE_OK no descriptor is left open. */
#include "core/sys/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/sys/call.h"

/* ---- addresses ---- */

cede_result cedei_address_of_ip(struct cedei_address *out, const char *text, uint16_t port) {
    memset(out, 0, sizeof *out);
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&out->native;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&out->native;
    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        out->size = sizeof *v4;
        return CEDE_OK;
    }
    if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        out->size = sizeof *v6;
        return CEDE_OK;
    }
    return CEDE_EINVAL;
}

cede_result cedei_address_of_path(struct cedei_address *out, const char *path) {
    struct sockaddr_un *local = (struct sockaddr_un *)(void *)&out->native;
    size_t length = strlen(path);
    if (length == 0) return CEDE_EINVAL;
    if (length >= sizeof local->sun_path) return CEDE_ETOOBIG;
    memset(out, 0, sizeof *out);
    local->sun_family = AF_UNIX;
    memcpy(local->sun_path, path, length);
    bool is_abstract = path[0] == '@';
    if (is_abstract) local->sun_path[0] = '\0';
    out->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (is_abstract ? 0 : 1));
    return CEDE_OK;
}

static bool is_tcp(const struct cedei_address *address) {
    return address->native.ss_family != AF_UNIX;
}

/* ---- sockets ---- */

static int socket_open(const struct cedei_address *address, int *out) {
    int error = cedei_call_fault(CEDEI_CALL_SOCKET);
    if (error != 0) return error;
    *out = socket(address->native.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return *out < 0 ? errno : 0;
}

static int option_set(int socket, int level, int name) {
    const int yes = 1;
    int error = cedei_call_fault(CEDEI_CALL_SOCKET_OPTION);
    if (error != 0) return error;
    return setsockopt(socket, level, name, &yes, sizeof yes) != 0 ? errno : 0;
}

static int listener_set_up(int socket, const struct cedei_address *address) {
    int error = 0;
    /* Accepted sockets inherit TCP_NODELAY. */
    if (is_tcp(address) && ((error = option_set(socket, SOL_SOCKET, SO_REUSEADDR)) != 0 ||
                            (error = option_set(socket, IPPROTO_TCP, TCP_NODELAY)) != 0))
        return error;
    if ((error = cedei_call_fault(CEDEI_CALL_BIND)) != 0) return error;
    if (bind(socket, (const struct sockaddr *)&address->native, address->size) != 0) return errno;
    if ((error = cedei_call_fault(CEDEI_CALL_LISTEN)) != 0) return error;
    return listen(socket, SOMAXCONN) != 0 ? errno : 0;
}

cede_result cedei_socket_listen(const struct cedei_address *address, int *out) {
    int made = -1;
    int error = socket_open(address, &made);
    if (error != 0) return cedei_call_result(error);
    if ((error = listener_set_up(made, address)) == 0)
        *out = made;
    else
        cedei_descriptor_close(made);
    return cedei_call_result(error);
}

/* Binds to a path; what is there already gives way if it is a socket that nobody listens on. */
static int path_bind(int socket, const struct cedei_address *address) {
    const struct sockaddr *native = (const struct sockaddr *)&address->native;
    const char *path = ((const struct sockaddr_un *)(const void *)native)->sun_path;
    int error = cedei_call_fault(CEDEI_CALL_BIND), probe = -1;
    if (error == 0 && bind(socket, native, address->size) != 0) error = errno;
    struct stat found;
    /* A file that is no socket refuses a connection as well. */
    if (error != EADDRINUSE || lstat(path, &found) != 0 || !S_ISSOCK(found.st_mode)) return error;
    if (socket_open(address, &probe) != 0) return error;
    bool is_dead = connect(probe, native, address->size) != 0 && errno == ECONNREFUSED;
    cedei_descriptor_close(probe);
    if (!is_dead || unlink(path) != 0) return error;
    return bind(socket, native, address->size) != 0 ? errno : 0;
}

static int private_set_up(int socket, const struct cedei_address *address) {
    const char *path = ((const struct sockaddr_un *)(const void *)&address->native)->sun_path;
    int error = path_bind(socket, address);
    if (error != 0) return error;
    /* Before it listens, so that nobody else could connect meanwhile. */
    error = cedei_call_fault(CEDEI_CALL_MODE);
    if (error == 0 && chmod(path, 0600) != 0) error = errno;
    if (error == 0) error = cedei_call_fault(CEDEI_CALL_LISTEN);
    if (error == 0 && listen(socket, SOMAXCONN) != 0) error = errno;
    if (error != 0) (void)unlink(path);
    return error;
}

cede_result cedei_socket_listen_private(const struct cedei_address *address, int *out) {
    int made = -1;
    int error = socket_open(address, &made);
    if (error != 0) return cedei_call_result(error);
    if ((error = private_set_up(made, address)) == 0)
        *out = made;
    else
        cedei_descriptor_close(made);
    return cedei_call_result(error);
}

void cedei_socket_unlink(int listener) {
    struct sockaddr_un address = {.sun_family = AF_UNSPEC};
    socklen_t size = sizeof address;
    if (getsockname(listener, (struct sockaddr *)&address, &size) == 0 &&
        address.sun_family == AF_UNIX && address.sun_path[0] != '\0')
        (void)unlink(address.sun_path);
}

cede_result cedei_socket_accept(int listener, int *out) {
    int error = 0, made = -1;
    do {
        error = cedei_call_fault(CEDEI_CALL_ACCEPT);
        if (error != 0) continue;
        made = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (made < 0) error = errno;
    } while (error == EINTR);
    if (error == 0) *out = made;
    switch (error) { /* accept(2): what had happened to the new connection, not to the listener */
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ENETDOWN:
    case EPERM: return CEDE_ERESET;
    default: return cedei_call_result(error);
    }
}

cede_result cedei_socket_connect(const struct cedei_address *address, int *out, bool *pending) {
    int made = -1;
    int error = socket_open(address, &made);
    if (error != 0) return cedei_call_result(error);
    *pending = false;
    if (is_tcp(address)) error = option_set(made, IPPROTO_TCP, TCP_NODELAY);
    if (error == 0) error = cedei_call_fault(CEDEI_CALL_CONNECT);
    if (error == 0 && connect(made, (const struct sockaddr *)&address->native, address->size) != 0)
        error = errno;
    if (error == EINPROGRESS || error == EINTR) { /* interrupted, it goes on all the same */
        *pending = true;
        error = 0;
    }
    if (error == 0)
        *out = made;
    else
        cedei_descriptor_close(made);
    if (error == EADDRNOTAVAIL) return CEDE_ELIMIT; /* no local port is left */
    return error == ETIMEDOUT ? CEDE_EUNREACH : cedei_call_result(error);
}

cede_result cedei_socket_connect_result(int socket) {
    int found = 0;
    socklen_t size = sizeof found;
    int error = cedei_call_fault(CEDEI_CALL_CONNECT_RESULT);
    if (error != 0) return cedei_call_result(error);
    if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &found, &size) != 0) found = errno;
    struct cedei_address peer = {.size = sizeof peer.native};
    if (found == 0 && getpeername(socket, (struct sockaddr *)&peer.native, &peer.size) != 0)
        return errno == ENOTCONN ? CEDE_ETIMEDOUT : cedei_call_result(errno);
    return found == ETIMEDOUT ? CEDE_EUNREACH : cedei_call_result(found);
}

cede_result cedei_socket_port(int socket, uint16_t *out) {
    struct cedei_address address = {.size = sizeof address.native};
    int error = cedei_call_fault(CEDEI_CALL_SOCKET_NAME);
    if (error != 0) return cedei_call_result(error);
    if (getsockname(socket, (struct sockaddr *)&address.native, &address.size) != 0)
        return cedei_call_result(errno);
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&address.native;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&address.native;
    *out = address.native.ss_family == AF_INET    ? ntohs(v4->sin_port)
           : address.native.ss_family == AF_INET6 ? ntohs(v6->sin6_port)
                                                  : 0;
    return CEDE_OK;
}

static bool peer_of(int socket, struct ucred *out) {
    socklen_t size = sizeof *out;
    return !cedei_call_fails(CEDEI_CALL_PEER) &&
           getsockopt(socket, SOL_SOCKET, SO_PEERCRED, out, &size) == 0;
}

bool cedei_socket_peer_is_own_user(int socket) {
    struct ucred peer;
    return peer_of(socket, &peer) && peer.uid == geteuid();
}

void cedei_socket_describe_peer(int socket, char *text, size_t size) {
    struct cedei_address peer = {.size = sizeof peer.native};
    struct ucred process;
    char host[INET6_ADDRSTRLEN] = "?";
    if (getpeername(socket, (struct sockaddr *)&peer.native, &peer.size) != 0) {
        (void)snprintf(text, size, "not connected");
    } else if (peer.native.ss_family == AF_UNIX) {
        bool known = peer_of(socket, &process);
        (void)snprintf(text, size, "ipc process %ld", known ? (long)process.pid : 0L);
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&peer.native;
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&peer.native;
        bool is_v4 = peer.native.ss_family == AF_INET;
        const void *number = is_v4 ? (const void *)&v4->sin_addr : (const void *)&v6->sin6_addr;
        (void)inet_ntop(peer.native.ss_family, number, host, sizeof host);
        (void)snprintf(text, size, is_v4 ? "tcp %s:%u" : "tcp [%s]:%u", host,
                       (unsigned)ntohs(is_v4 ? v4->sin_port : v6->sin6_port));
    }
}

cede_result cedei_socket_shutdown(int socket, int how) {
    int error = cedei_call_fault(CEDEI_CALL_SHUTDOWN);
    if (error != 0) return cedei_call_result(error);
    return shutdown(socket, how) == 0 ? CEDE_OK : cedei_call_result(errno);
}

/* ---- transfers ---- */

/* The C library's send and recv make the calling thread cancellable for the time of the call, at two atomic operations each; nobody
 * cancels our threads. Sanitizers know the functions, and not the bare calls. */
static ssize_t socket_receive(int descriptor, void *buffer, size_t size) {
#if CEDEI_ASAN || CEDEI_TSAN
    return recv(descriptor, buffer, size, MSG_DONTWAIT);
#else
    return syscall(SYS_recvfrom, descriptor, buffer, size, MSG_DONTWAIT, NULL, NULL);
#endif
}

static ssize_t socket_send(int descriptor, const void *bytes, size_t size) {
#if CEDEI_ASAN || CEDEI_TSAN
    return send(descriptor, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
#else
    return syscall(SYS_sendto, descriptor, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL, NULL, 0);
#endif
}

cede_result cedei_stream_read(int descriptor, bool is_socket, void *buffer, size_t size,
                              size_t *moved, bool *exhausted) {
    ssize_t got = -1;
    int error = 0;
    size = cedei_call_size(size);
    do {
        error = cedei_call_fault(CEDEI_CALL_RECEIVE);
        if (error != 0) continue;
        got = is_socket ? socket_receive(descriptor, buffer, size) : read(descriptor, buffer, size);
        if (got < 0) error = errno;
    } while (error == EINTR);
    if (error == EIO && !is_socket) error = 0, got = 0; /* a terminal whose other end is gone */
    if (CEDEI_UNLIKELY(error != 0)) return cedei_call_result(error);
    *moved = (size_t)got;
    *exhausted = (size_t)got < size;
    return CEDE_OK;
}

static ssize_t write_some(int descriptor, bool is_socket, const struct iovec *pieces, int count) {
    if (!is_socket) return writev(descriptor, pieces, count);
    if (count == 1) return socket_send(descriptor, pieces->iov_base, pieces->iov_len);
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)pieces,
                             .msg_iovlen = (size_t)count};
    return sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

cede_result cedei_stream_write(int descriptor, bool is_socket, const struct iovec *pieces,
                               int count, size_t *moved, bool *exhausted) {
    ssize_t put = -1;
    int error = 0;
    struct iovec first = {0};
    if (cedei_call_is_armed() && cedei_call_size(SIZE_MAX) != SIZE_MAX) {
        first = (struct iovec){.iov_base = pieces->iov_base,
                               .iov_len = cedei_call_size(pieces->iov_len)};
        pieces = &first;
        count = 1;
    }
    do {
        error = cedei_call_fault(CEDEI_CALL_SEND);
        if (error != 0) continue;
        put = write_some(descriptor, is_socket, pieces, count);
        if (put < 0) error = errno;
    } while (error == EINTR);
    if (CEDEI_UNLIKELY(error != 0)) return cedei_call_result(error);
    size_t size = 0;
    for (int i = 0; i < count; i++) size += pieces[i].iov_len;
    *moved = (size_t)put;
    *exhausted = (size_t)put < size;
    return CEDE_OK;
}

/* ---- pipes and what was there before us ---- */

cede_result cedei_pipe(int ends[2]) {
    int error = cedei_call_fault(CEDEI_CALL_PIPE);
    if (error == 0 && pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) error = errno;
    return cedei_call_result(error);
}

cede_result cedei_descriptor_kind_of(int descriptor, enum cedei_descriptor_kind *out) {
    struct stat status;
    int error = cedei_call_fault(CEDEI_CALL_STATUS);
    if (error == 0 && fstat(descriptor, &status) != 0) error = errno;
    if (error != 0) return cedei_call_result(error);
    *out = S_ISSOCK(status.st_mode)                              ? CEDEI_DESCRIPTOR_SOCKET
           : S_ISFIFO(status.st_mode) || S_ISCHR(status.st_mode) ? CEDEI_DESCRIPTOR_PIPE
                                                                 : CEDEI_DESCRIPTOR_FILE;
    return CEDE_OK;
}

cede_result cedei_descriptor_reopen(int descriptor, bool to_write, int *out) {
    char path[32];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    int error = cedei_call_fault(CEDEI_CALL_OPEN);
    int made =
        error != 0
            ? -1
            : open(path, (to_write ? O_WRONLY : O_RDONLY) | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (made < 0) return cedei_call_result(error != 0 ? error : errno);
    *out = made;
    return CEDE_OK;
}

cede_result cedei_descriptor_copy(int descriptor, int *out) {
    int error = cedei_call_fault(CEDEI_CALL_OPEN);
    int made = error != 0 ? -1 : fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
    if (made < 0) return cedei_call_result(error != 0 ? error : errno);
    *out = made;
    return CEDE_OK;
}

void cedei_descriptor_close(int descriptor) {
    (void)cedei_call_fault(CEDEI_CALL_CLOSE); /* whatever it says, the descriptor is gone */
    (void)close(descriptor);
}
