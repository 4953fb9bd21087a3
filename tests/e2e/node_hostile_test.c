/* node_hostile_test.c - a node's port as strangers see it, and nodes that do not fit together. Raw sockets send what
 * no honest node would, while an honest peer keeps working; afterwards nothing is left of the strangers. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "actors/node/wire.h"
#include "node_peer.h"
#include "turn_expect.h"

#define PATIENCE CEDE_SECONDS(60)

struct stage {
    char url[128];
    cede_process process;
    struct peer_hello *peer;
    uint32_t half_open_max;
    uint64_t handshake_ns;
};

/* Lines of warning about links that never came up. */
static _Atomic uint32_t refusals_logged;

static void log_count(void *context, enum cede_log_level level, const char *line) {
    (void)context, (void)level;
    /* relaxed: a count that is read when nobody writes any more. */
    if (strstr(line, "no link to") != NULL)
        (void)atomic_fetch_add_explicit(&refusals_logged, 1, memory_order_relaxed);
}

static void run_body(cede_block_fn *body, struct stage stage) {
    struct cede_options options = {.workers = 2, .strict = true, .log = log_count};
    cede_system *system = NULL;
    assert_int_equal(cede_system_create(&system, &options), CEDE_OK);
    cede_result result = cede_block_on(system, body, &stage);
    if (stage.process.pid > 0) (void)kill(stage.process.pid, SIGKILL);
    cede_system_destroy(system);
    assert_int_equal(result, CEDE_OK);
}

/* On a busy machine a peer may be too slow for a short handshake. Then it ends, and another takes its place. */
CEDE_YIELDS static cede_result peer_meet(cede_self *self, struct stage *stage, const char *name,
                                         struct peer_hello **hello) {
    uint64_t deadline_ns = cede_now(self) + PATIENCE;
    cede_result result = CEDE_ETIMEDOUT;
    EXPECT_OK(peer_start(self, "peer", name, stage->url, &stage->process));
    while (result == CEDE_ETIMEDOUT && cede_now(self) < deadline_ns) {
        int32_t status = 0;
        result = cede_recv(self, peer_hello, hello, CEDE_MILLIS(100));
        if (result != CEDE_ETIMEDOUT ||
            cede_process_wait(self, &stage->process, 0, &status) != CEDE_OK)
            continue;
        EXPECT_OK(peer_start(self, "peer", name, stage->url, &stage->process));
    }
    return result;
}

CEDE_YIELDS static cede_result stage_begin(cede_self *self, struct stage *stage) {
    struct cede_node_options options = {.name = "controller",
                                        .listen_url = "tcp://127.0.0.1:0",
                                        .silence_ns = SILENCE_IS_FINE,
                                        .half_open_max = stage->half_open_max,
                                        .handshake_ns = stage->handshake_ns};
    struct peer_hello *hello = NULL;
    EXPECT_OK(cede_node_start(self, &options));
    EXPECT_OK(cede_node_url(self, stage->url, sizeof stage->url));
    EXPECT_OK(cede_publish(self, "controller", cede_self_ref(self)));
    EXPECT_OK(peer_meet(self, stage, "peer", &hello));
    stage->peer = cede_keep(self, &hello);
    return CEDE_OK;
}

CEDE_YIELDS static cede_result honest_ask(cede_self *self, const struct stage *stage) {
    struct echo_request *request = cede_new(self, echo_request);
    struct echo_reply *reply = NULL;
    EXPECT(request != NULL);
    request->number = 5;
    EXPECT_OK(cede_ask(self, stage->peer->echo, &request, echo_reply, &reply, PATIENCE));
    EXPECT(reply->number == 5);
    cede_drop(self, &reply);
    return CEDE_OK;
}

/* ---- a stranger ---- */

static int stranger_open(const struct stage *stage) {
    const char *port = strrchr(stage->url, ':') + 1;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    /* A test that hangs says less than one that fails. */
    struct timeval patience = {.tv_sec = 30};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0) return -1;
    (void)setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(s, (struct sockaddr *)&address, sizeof address) == 0) return s;
    (void)close(s);
    return -1;
}

/* As recv: who was stopped and goes on gets EINTR for a socket with a limit of time. */
static ssize_t patient_recv(int s, void *bytes, size_t size) {
    ssize_t got;
    do got = recv(s, bytes, size, 0);
    while (got < 0 && cede_errno == EINTR);
    return got;
}

/* Reads until the node closes; false if it does not. */
static bool stranger_is_closed(int s) {
    char bytes[512];
    ssize_t got;
    do got = patient_recv(s, bytes, sizeof bytes);
    while (got > 0);
    return got == 0 || cede_errno == ECONNRESET;
}

static size_t frame_put(uint8_t *out, uint8_t type, uint8_t flags, uint32_t size,
                        uint64_t sequence) {
    struct cedei_frame frame = {.size = size, .type = type, .flags = flags, .sequence = sequence};
    cedei_frame_write(&frame, out);
    return CEDEI_FRAME_HEADER_SIZE;
}

static struct cedei_hello good_hello(void) {
    return (struct cedei_hello){.version_min = 1,
                                .version_max = 2,
                                .uid = 0x1234567890abcdefu,
                                .frame_max = CEDEI_FRAME_MAX_DEFAULT,
                                .window_messages = 16,
                                .window_bytes = 4096,
                                .name = "stranger",
                                .cluster = "cede"};
}

static size_t hello_put(uint8_t *out, const struct cedei_hello *hello) {
    size_t size = cedei_hello_size(hello);
    (void)frame_put(out, CEDEI_FRAME_HELLO, CEDEI_FLAG_MUST_UNDERSTAND, (uint32_t)size, 0);
    cedei_hello_write(hello, out + CEDEI_FRAME_HEADER_SIZE);
    return CEDEI_FRAME_HEADER_SIZE + size;
}

/* Sends bytes on a new connection; true if the node answered by closing it. */
static bool stranger_is_refused(const struct stage *stage, const void *bytes, size_t size) {
    int s = stranger_open(stage);
    if (s < 0) return false;
    (void)send(s, bytes, size, MSG_NOSIGNAL);
    bool closed = stranger_is_closed(s);
    (void)close(s);
    return closed;
}

CEDE_YIELDS static cede_result failed_await(cede_self *self, uint64_t count) {
    struct cede_node_metrics metrics;
    uint64_t deadline_ns = cede_now(self) + PATIENCE;
    do {
        EXPECT_OK(cede_sleep(self, CEDE_MILLIS(1)));
        cede_node_metrics(self, &metrics);
        EXPECT(cede_now(self) < deadline_ns);
    } while (metrics.handshakes_failed < count);
    EXPECT(metrics.handshakes_failed == count);
    EXPECT(metrics.links_up == 1 && metrics.links_lost == 0);
    return CEDE_OK;
}

/* ---- bodies ---- */

CEDE_YIELDS static cede_result body_garbage(cede_self *self, void *context) {
    static const char http[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static const char nng_sp[] = "\0SP\0\0\x10\0\0";
    struct stage *stage = context;
    uint8_t bytes[1024];
    uint64_t refused = 0;
    EXPECT_OK(stage_begin(self, stage));
    EXPECT(stranger_is_refused(stage, http, sizeof http));
    /* Half a header says nothing wrong yet; a second write would. Padded with zeros it is a header: type 0. */
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, nng_sp, sizeof nng_sp);
    EXPECT(stranger_is_refused(stage, bytes, 64));
    refused += 2;
    /* Lengths of frames before the handshake, up to all ones. */
    static const uint32_t lengths[] = {
        241, 256, 4096, 1u << 20, 1u << 24, 1u << 31, UINT32_MAX - 15, UINT32_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++, refused++) {
        (void)frame_put(bytes, CEDEI_FRAME_HELLO, CEDEI_FLAG_MUST_UNDERSTAND, lengths[i], 0);
        EXPECT(stranger_is_refused(stage, bytes, CEDEI_FRAME_HEADER_SIZE));
    }
    /* Every frame type before HELLO, and a HELLO with a wrong number. */
    for (uint8_t type = 2; type < 32; type++, refused++) {
        bool known = type < CEDEI_FRAME_TYPE_END;
        uint8_t flags = known ? cedei_frame_flags((enum cedei_frame_type)type) : 0;
        (void)frame_put(bytes, type, flags, 0, 0);
        EXPECT(stranger_is_refused(stage, bytes, CEDEI_FRAME_HEADER_SIZE));
    }
    struct cedei_hello hello = good_hello();
    size_t size = hello_put(bytes, &hello);
    bytes[8] = 1;
    EXPECT(stranger_is_refused(stage, bytes, size));
    refused++;
    for (uint32_t seed = 1; seed <= 200; seed++, refused++) {
        uint32_t x = seed * 2654435761u;
        for (size_t i = 0; i < 300; i++, x = x * 1664525u + 1013904223u)
            bytes[i] = (uint8_t)(x >> 24);
        EXPECT(stranger_is_refused(stage, bytes, 300));
        if (seed % 20 == 0) EXPECT_OK(honest_ask(self, stage));
    }
    EXPECT_OK(failed_await(self, refused));
    /* Each is worth a line, a flood of them is not. relaxed: the count of a moment ago will do. */
    uint32_t logged = atomic_load_explicit(&refusals_logged, memory_order_relaxed);
    EXPECT(logged >= 1 && logged < refused);
    return honest_ask(self, stage);
}

CEDE_YIELDS static cede_result body_hello_refused(cede_self *self, void *context) {
    struct stage *stage = context;
    uint8_t bytes[1024];
    uint64_t refused = 0;
    EXPECT_OK(stage_begin(self, stage));
    struct cedei_hello hellos[8];
    for (size_t i = 0; i < 8; i++) hellos[i] = good_hello();
    hellos[0].version_min = hellos[0].version_max = 1;
    hellos[1].features_required = 1u << 31;
    (void)strcpy(hellos[2].cluster, "another");
    hellos[3].uid = cede_node_uid(self);
    (void)strcpy(hellos[4].name, "controller");
    hellos[5].uid = 0;
    hellos[6].frame_max = 100;
    (void)strcpy(hellos[7].name, "a b");
    for (size_t i = 0; i < 8; i++, refused++) {
        int s = stranger_open(stage);
        EXPECT(s >= 0);
        size_t size = hello_put(bytes, &hellos[i]);
        EXPECT(send(s, bytes, size, MSG_NOSIGNAL) == (ssize_t)size);
        /* The first five are told why, and are left time to hang up. */
        (void)shutdown(s, SHUT_WR);
        EXPECT(stranger_is_closed(s));
        (void)close(s);
    }
    /* Good, twice. */
    struct cedei_hello hello = good_hello();
    size_t size = hello_put(bytes, &hello);
    size_t both = size + hello_put(bytes + size, &hello);
    bytes[size + 8] = 1;
    EXPECT(stranger_is_refused(stage, bytes, both));
    EXPECT_OK(failed_await(self, refused + 1));
    return honest_ask(self, stage);
}

/* One byte at a time is slow, not wrong; silence is wrong after a while; a crowd of it does not lock honest peers out. */
CEDE_YIELDS static cede_result body_half_open(cede_self *self, void *context) {
    struct stage *stage = context;
    int silent[64];
    stage->half_open_max = 16;
    stage->handshake_ns = CEDE_MILLIS(300);
    EXPECT_OK(stage_begin(self, stage));
    for (size_t i = 0; i < 64; i++) {
        silent[i] = stranger_open(stage);
        EXPECT(silent[i] >= 0);
        if (i % 2 == 0) EXPECT(send(silent[i], "C", 1, MSG_NOSIGNAL) == 1);
    }
    cede_process first = stage->process;
    struct peer_hello *hello = NULL;
    EXPECT_OK(peer_meet(self, stage, "second", &hello));
    cede_drop(self, &hello);
    EXPECT_OK(honest_ask(self, stage));
    for (size_t i = 0; i < 64; i++) {
        EXPECT(stranger_is_closed(silent[i]));
        (void)close(silent[i]);
    }
    EXPECT_OK(honest_ask(self, stage));
    EXPECT_OK(cede_process_signal(self, &stage->process, SIGKILL));
    int32_t status = 0;
    EXPECT_OK(cede_process_wait(self, &stage->process, PATIENCE, &status));
    stage->process = first;
    return CEDE_OK;
}

/* Done with the handshake, the stranger breaks the protocol in one way after another. */
struct breach {
    uint8_t type, flags;
    uint32_t size;
    uint64_t control, data; /* sequence, by lane */
};

static bool breach_is_refused(const struct stage *stage, uint64_t uid, const uint8_t *frame,
                              size_t size) {
    uint8_t bytes[512];
    struct cedei_hello hello = good_hello();
    hello.uid = uid;
    int s = stranger_open(stage);
    if (s < 0) return false;
    size_t at = hello_put(bytes, &hello);
    at += frame_put(bytes + at, CEDEI_FRAME_READY, CEDEI_FLAG_MUST_UNDERSTAND, CEDEI_READY_SIZE, 1);
    cedei_ready_write(uid, bytes + at);
    at += CEDEI_READY_SIZE;
    memcpy(bytes + at, frame, size);
    (void)send(s, bytes, at + size, MSG_NOSIGNAL);
    bool closed = stranger_is_closed(s);
    (void)close(s);
    return closed;
}

CEDE_YIELDS static cede_result links_lost_await(cede_self *self, uint64_t count) {
    struct cede_node_metrics metrics;
    uint64_t deadline_ns = cede_now(self) + PATIENCE;
    do {
        EXPECT_OK(cede_sleep(self, CEDE_MILLIS(1)));
        cede_node_metrics(self, &metrics);
        EXPECT(cede_now(self) < deadline_ns);
    } while (metrics.links_lost < count);
    return CEDE_OK;
}

CEDE_YIELDS static cede_result body_breaches(cede_self *self, void *context) {
    const uint8_t must = CEDEI_FLAG_MUST_UNDERSTAND, data = must | CEDEI_FLAG_DATA_LANE;
    static const uint8_t exact[] = {CEDEI_FRAME_CREDIT, CEDEI_FRAME_MONITOR, CEDEI_FRAME_BOUNCE,
                                    CEDEI_FRAME_PING};
    struct stage *stage = context;
    uint8_t frame[256];
    uint64_t broken = 0;
    EXPECT_OK(stage_begin(self, stage));
    memset(frame, 0, sizeof frame);
    /* Gaps and repeats in the numbers. */
    for (uint64_t sequence = 0; sequence < 5; sequence++) {
        if (sequence == 2) continue;
        size_t size = frame_put(frame, CEDEI_FRAME_PING, must, 0, sequence);
        EXPECT(breach_is_refused(stage, 100 + broken++, frame, size));
    }
    /* A second handshake, an unknown frame that must be understood, the wrong lane, larger than allowed. */
    size_t size = frame_put(frame, CEDEI_FRAME_HELLO, must, 0, 2);
    EXPECT(breach_is_refused(stage, 100 + broken++, frame, size));
    size = frame_put(frame, 200, must, 0, 2);
    EXPECT(breach_is_refused(stage, 100 + broken++, frame, size));
    size = frame_put(frame, CEDEI_FRAME_PING, data, 0, 0);
    EXPECT(breach_is_refused(stage, 100 + broken++, frame, size));
    size = frame_put(frame, CEDEI_FRAME_DATA, data, UINT32_MAX, 0);
    EXPECT(breach_is_refused(stage, 100 + broken++, frame, size));
    /* Bodies that are too short or too long. */
    for (size_t i = 0; i < sizeof exact; i++) {
        size = frame_put(frame, exact[i], must, 7, 2) + 7;
        EXPECT(breach_is_refused(stage, 100 + broken++, frame, size));
    }
    size = frame_put(frame, CEDEI_FRAME_DATA, data, CEDEI_DATA_HEAD_SIZE - 1, 0) +
           CEDEI_DATA_HEAD_SIZE - 1;
    EXPECT(breach_is_refused(stage, 100 + broken++, frame, size));
    /* Credit for what was never sent. */
    struct cedei_credit credit = {.target = {1, 1}, .messages = 1, .bytes = 1};
    size = frame_put(frame, CEDEI_FRAME_CREDIT, must, CEDEI_CREDIT_SIZE, 2);
    cedei_credit_write(&credit, frame + size);
    EXPECT(breach_is_refused(stage, 100 + broken++, frame, size + CEDEI_CREDIT_SIZE));
    EXPECT_OK(links_lost_await(self, broken));
    return honest_ask(self, stage);
}

static cede_result try_start(cede_self *self, const char *name, const char *url) {
    struct cede_node_options options = {.name = name, .listen_url = url};
    return cede_node_start(self, &options);
}

/* Nothing that leaves this machine, and nothing that is no address, is listened on or dialed. */
CEDE_YIELDS static cede_result body_addresses(cede_self *self, void *context) {
    (void)context;
    static const char *const away[] = {
        "tcp://0.0.0.0:0",   "tcp://*:0",           "tcp://:0",
        "tcp://10.0.0.1:80", "tcp://[::]:0",        "tcp://example.org:80",
        "tcp://128.0.0.1:0", "tcp://127.0.0.256:0", "tcp://127.0.0.1.evil:0"};
    static const char *const wrong[] = {
        "",          "ipc://",       "tcp://127.0.0.1",      "tcp://127.0.0.1:70000",
        "http://x/", "127.0.0.1:80", "tls+tcp://127.0.0.1:0"};
    for (size_t i = 0; i < sizeof away / sizeof *away; i++)
        EXPECT_RESULT(CEDE_EACCES, try_start(self, "a", away[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        EXPECT_RESULT(CEDE_EINVAL, try_start(self, "a", wrong[i]));
    EXPECT_RESULT(CEDE_EINVAL, try_start(self, "a b", NULL));
    EXPECT_RESULT(CEDE_EINVAL, try_start(self, "", NULL));
    EXPECT_RESULT(CEDE_EINVAL, try_start(self, NULL, NULL));
    EXPECT_RESULT(CEDE_ENOENT, cede_node_connect(self, "tcp://127.0.0.1:1", 0, NULL));
    EXPECT_OK(try_start(self, "a", "tcp://127.0.0.1:0"));
    EXPECT_RESULT(CEDE_EEXIST, try_start(self, "a", "tcp://127.0.0.1:0"));
    for (size_t i = 0; i < sizeof away / sizeof *away; i++) {
        EXPECT_RESULT(CEDE_EACCES, cede_node_connect(self, away[i], PATIENCE, NULL));
    }
    char url[128];
    EXPECT_RESULT(CEDE_ETOOBIG, cede_node_url(self, url, 5));
    EXPECT_OK(cede_node_url(self, url, sizeof url));
    /* Oneself; then a port on which nobody listens. */
    EXPECT_RESULT(CEDE_EINVAL, cede_node_connect(self, url, PATIENCE, NULL));
    EXPECT_RESULT(CEDE_ENODE, cede_node_connect(self, "ipc:///tmp/cede-nobody-listens-here",
                                                CEDE_MILLIS(500), NULL));
    return CEDE_OK;
}

/* Nobody calls, or something that a call needs is missing: a code, no crash. */
CEDE_YIELDS static cede_result body_null(cede_self *self, void *context) {
    (void)context;
    char url[128], program[] = "true", *argv[] = {program, NULL}, *nothing[] = {NULL};
    struct cede_node_metrics metrics = {.links_up = 1};
    cede_process process = {0, 0};
    cede_ref ref = {0};
    EXPECT_RESULT(CEDE_ECONTEXT, try_start(NULL, "a", NULL));
    EXPECT_RESULT(CEDE_EINVAL, cede_node_start(self, NULL));
    EXPECT_OK(try_start(self, "a", "tcp://127.0.0.1:0"));
    EXPECT_RESULT(CEDE_ECONTEXT, cede_node_url(NULL, url, sizeof url));
    EXPECT_RESULT(CEDE_ETOOBIG, cede_node_url(self, NULL, 0));
    EXPECT_RESULT(CEDE_ECONTEXT, cede_node_connect(NULL, "tcp://127.0.0.1:1", 0, NULL));
    EXPECT_RESULT(CEDE_EINVAL, cede_node_connect(self, NULL, 0, NULL));
    EXPECT_RESULT(CEDE_ECONTEXT, cede_publish(NULL, "x", ref));
    EXPECT_RESULT(CEDE_EINVAL, cede_publish(self, NULL, ref));
    EXPECT_RESULT(CEDE_ECONTEXT, cede_lookup(NULL, 0, "x", 0, &ref));
    EXPECT_RESULT(CEDE_EINVAL, cede_lookup(self, 0, NULL, 0, &ref));
    EXPECT_RESULT(CEDE_EINVAL, cede_lookup(self, 0, "x", 0, NULL));
    EXPECT(cede_node_uid(NULL) == 0 && cede_node_uid(self) != 0);
    cede_node_metrics(NULL, &metrics);
    EXPECT(metrics.links_up == 0);
    EXPECT_RESULT(CEDE_ECONTEXT, cede_process_start(NULL, argv, &process));
    EXPECT_RESULT(CEDE_EINVAL, cede_process_start(self, NULL, &process));
    EXPECT_RESULT(CEDE_EINVAL, cede_process_start(self, nothing, &process));
    EXPECT_RESULT(CEDE_EINVAL, cede_process_start(self, argv, NULL));
    EXPECT_RESULT(CEDE_ECONTEXT, cede_process_wait(NULL, &process, 0, NULL));
    EXPECT_RESULT(CEDE_EINVAL, cede_process_wait(self, NULL, 0, NULL));
    EXPECT_RESULT(CEDE_ECONTEXT, cede_process_signal(NULL, &process, SIGTERM));
    EXPECT_RESULT(CEDE_EINVAL, cede_process_signal(self, NULL, SIGTERM));
    return CEDE_OK;
}

/* ---- other users ---- */

/* As another user, connects to the socket at `path`: 0 if it was closed without a byte, 1 if it spoke to us. */
static int foreign_main(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char byte;
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (setgid(65534) != 0 || setuid(65534) != 0) return 2;
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s < 0 || connect(s, (struct sockaddr *)&address, sizeof address) != 0) return 3;
    ssize_t got = patient_recv(s, &byte, 1);
    (void)close(s);
    return got > 0 ? 1 : 0;
}

CEDE_YIELDS static cede_result foreign_run(cede_self *self, char *path, int32_t *status) {
    char program[] = "/proc/self/exe", role[] = "foreign";
    char *argv[] = {program, role, path, NULL};
    cede_process process;
    EXPECT_OK(cede_process_start(self, argv, &process));
    EXPECT_OK(cede_process_wait(self, &process, PATIENCE, status));
    return CEDE_OK;
}

/* The mode of the socket keeps them out; where that is undone, the kernel's word on who they are does. */
CEDE_YIELDS static cede_result body_other_users(cede_self *self, void *context) {
    struct stage *stage = context;
    struct cede_node_options options = {.name = "controller", .listen_url = stage->url};
    char *path = stage->url + strlen("ipc://");
    struct stat facts;
    int32_t status = -1;
    EXPECT_OK(cede_node_start(self, &options));
    EXPECT(stat(path, &facts) == 0 && (facts.st_mode & 0777) == 0600);
    if (geteuid() != 0) return CEDE_OK; /* cannot become somebody else */
    EXPECT_OK(foreign_run(self, path, &status));
    EXPECT(status == 3);
    EXPECT(chmod(path, 0666) == 0);
    EXPECT_OK(foreign_run(self, path, &status));
    EXPECT(status == 0);
    return CEDE_OK;
}

/* ---- the list ---- */

static void node_closes_on_garbage_and_serves_others(void **state) {
    (void)state;
    run_body(body_garbage, (struct stage){.half_open_max = 0});
}
static void node_refuses_hellos_that_do_not_fit(void **state) {
    (void)state;
    run_body(body_hello_refused, (struct stage){.half_open_max = 0});
}
static void node_serves_others_when_strangers_stay_silent(void **state) {
    (void)state;
    run_body(body_half_open, (struct stage){.half_open_max = 0});
}
static void node_closes_on_breaches_after_the_handshake(void **state) {
    (void)state;
    run_body(body_breaches, (struct stage){.half_open_max = 0});
}
static void node_refuses_addresses_off_this_machine(void **state) {
    (void)state;
    run_body(body_addresses, (struct stage){.half_open_max = 0});
}

static void node_calls_with_null_give_a_code(void **state) {
    (void)state;
    run_body(body_null, (struct stage){.half_open_max = 0});
}

static void node_turns_other_users_away(void **state) {
    (void)state;
    struct stage stage = {.half_open_max = 0};
    char folder[] = "/tmp/cede-users-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    (void)snprintf(stage.url, sizeof stage.url, "ipc://%s/node", folder);
    run_body(body_other_users, stage);
    assert_int_equal(rmdir(folder), 0);
}

int main(int argc, char **argv) {
    int status = 0;
    if (argc == 3 && strcmp(argv[1], "foreign") == 0) return foreign_main(argv[2]);
    if (peer_main(argc, argv, &status)) return status;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(node_closes_on_garbage_and_serves_others),
        cmocka_unit_test(node_refuses_hellos_that_do_not_fit),
        cmocka_unit_test(node_serves_others_when_strangers_stay_silent),
        cmocka_unit_test(node_closes_on_breaches_after_the_handshake),
        cmocka_unit_test(node_refuses_addresses_off_this_machine),
        cmocka_unit_test(node_calls_with_null_give_a_code),
        cmocka_unit_test(node_turns_other_users_away),
    };
    if (argc > 1) cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
