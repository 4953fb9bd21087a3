/* network.h - connections for tests, all on the loopback interface and on ports that the system chooses; plain sockets for
 * peers that do not behave; and the count of descriptors, which every test must leave as it found it. */
#ifndef CEDE_TESTS_NETWORK_H
#define CEDE_TESTS_NETWORK_H

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cede/io.h>

#include "core/sys/call.h"
#include "tests/support/actors.h"

/* Without those that the lookout has for a moment when a turn goes on, which on a busy machine any may: files of /proc. */
static inline uint32_t descriptors_open(void) {
    DIR *folder = opendir("/proc/self/fd");
    EXPECT(folder != NULL);
    uint32_t count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char target[16] = "";
        if (readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1) <= 0) continue;
        count += strncmp(target, "/proc/", 6) != 0;
    }
    closedir(folder);
    return count;
}

/* ---- connections inside a turn ---- */

static inline struct cede_listener *listener_make(cede_self *self) {
    struct cede_listener *listener = NULL;
    EXPECT_OK(cede_tcp_listen(self, "127.0.0.1", 0, &listener));
    EXPECT(listener != NULL && cede_listener_port(self, listener) != 0);
    return listener;
}

static inline CEDE_YIELDS void connected_make(cede_self *self, struct cede_stream **near_end,
                                              struct cede_stream **far_end) {
    struct cede_listener *listener = listener_make(self);
    EXPECT_OK(cede_tcp_connect(self, "127.0.0.1", cede_listener_port(self, listener), near_end,
                               CEDE_FOREVER));
    EXPECT_OK(cede_accept(self, listener, far_end, CEDE_FOREVER));
    cede_drop(self, &listener);
}

static inline CEDE_YIELDS void text_write(cede_self *self, struct cede_stream *stream,
                                          const char *text) {
    EXPECT_OK(cede_write(self, stream, text, strlen(text), CEDE_FOREVER));
}

static inline CEDE_YIELDS void text_expect(cede_self *self, struct cede_stream *stream,
                                           const char *text) {
    char got[256] = "";
    EXPECT(strlen(text) < sizeof got);
    EXPECT_OK(cede_read_exact(self, stream, got, strlen(text), CEDE_FOREVER));
    if (strcmp(got, text) != 0) fprintf(stderr, "read \"%s\", not \"%s\"\n", got, text);
    EXPECT(strcmp(got, text) == 0);
}

static inline CEDE_YIELDS void end_expect(cede_self *self, struct cede_stream *stream) {
    char byte;
    size_t got = 99;
    EXPECT_RESULT(cede_read(self, stream, &byte, 1, &got, CEDE_FOREVER), CEDE_ECLOSED);
    EXPECT(got == 99);
}

/* Fills what the system keeps for a stream whose other end does not read, until nothing goes any more: the other end's side may
 * take over later what our side holds, and then there is room once more. */
static inline CEDE_YIELDS void buffers_fill(cede_self *self, struct cede_stream *stream) {
    static const char block[1 << 16];
    cede_result r = CEDE_OK;
    while (r == CEDE_OK) {
        while (r == CEDE_OK) r = cede_write(self, stream, block, sizeof block, 0);
        EXPECT_RESULT(r, CEDE_ETIMEDOUT);
        r = cede_write(self, stream, block, 1, CEDE_MILLIS(20));
    }
    EXPECT_RESULT(r, CEDE_ETIMEDOUT);
}

/* ---- plain sockets ---- */

static inline int plain_connect(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(made >= 0);
    EXPECT(connect(made, (struct sockaddr *)&address, sizeof address) == 0);
    return made;
}

/* A listener that takes nobody in, with its queue full: who connects to it waits. Returns the port; `open` gets what
 * is to be closed. */
enum { DEAF_SOCKETS = 4 };
static inline uint16_t deaf_listen(int open[DEAF_SOCKETS]) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    open[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(open[0] >= 0 && bind(open[0], (struct sockaddr *)&address, size) == 0);
    EXPECT(listen(open[0], 0) == 0);
    EXPECT(getsockname(open[0], (struct sockaddr *)&address, &size) == 0);
    for (int i = 1; i < DEAF_SOCKETS; i++) {
        open[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        EXPECT(open[i] >= 0);
        (void)!connect(open[i], (struct sockaddr *)&address, sizeof address);
    }
    return ntohs(address.sin_port);
}

static inline void deaf_close(const int open[DEAF_SOCKETS]) {
    for (int i = 0; i < DEAF_SOCKETS; i++) close(open[i]);
}

/* Breaks the connection off: its other side gets a reset. */
static inline void plain_reset(int made) {
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    EXPECT(setsockopt(made, SOL_SOCKET, SO_LINGER, &now, sizeof now) == 0);
    EXPECT(close(made) == 0);
}

/* ---- tests that count descriptors ---- */

struct counted {
    struct fixture *fixture;
    uint32_t before;
};

/* As TURN_TEST, on a system of its own; when that is gone, so are all descriptors. Long turns are not reported. */
static inline void counted_run(cede_block_fn *run) {
    uint32_t before = descriptors_open();
    struct fixture *fixture = fixture_begin((struct cede_options){.turn_warn_ns = CEDE_FOREVER});
    fixture_run(fixture, run, fixture);
    fixture_end(fixture);
    EXPECT_EQUAL(descriptors_open(), before);
}
#define IO_TEST(name)                                                                              \
    static CEDE_YIELDS cede_result name##_turn(cede_self *self, void *context);                    \
    static void name(void **state) {                                                               \
        (void)state;                                                                               \
        counted_run(name##_turn);                                                                  \
    }                                                                                              \
    static CEDE_YIELDS cede_result name##_turn(cede_self *self, void *context)

#endif
