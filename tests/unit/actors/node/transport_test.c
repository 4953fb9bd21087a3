/* Both transports, each at either end, over tcp and ipc: bytes arrive, ends are told, destroy is the last that is heard of a stream.
 * Then the reactor's own: sockets at paths, every call that can fail, turns, and the time after the workers. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors/actor/remote.h"
#include "actors/node/transport.h"
#include "core/sys/call.h"
#include "core/sys/socket.h"
#include "tests/support/actors.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* One end of a connection, all under `lock`. */
struct end {
    const struct cedei_transport *by;
    struct cedei_stream *stream;
    int connected, received, sent, soon; /* events that came */
    cede_result connect_result, receive_result, send_result;
    size_t received_size, sent_size;
};

#define EVENT(which, ...)                                                                          \
    struct end *end = context;                                                                     \
    (void)pthread_mutex_lock(&lock);                                                               \
    end->which++;                                                                                  \
    __VA_ARGS__(void) pthread_cond_broadcast(&changed);                                            \
    (void)pthread_mutex_unlock(&lock)

static void on_connected(void *context, cede_result result) {
    EVENT(connected, end->connect_result = result;);
}

static void on_received(void *context, cede_result result, size_t size) {
    EVENT(received, end->receive_result = result; end->received_size = size;);
}

static void on_sent(void *context, cede_result result, size_t size) {
    EVENT(sent, end->send_result = result; end->sent_size = size;);
}

static _Thread_local bool in_turn; /* of soon_is_called, which does not yield */

static void on_soon(void *context) {
    EXPECT(!in_turn);
    EVENT(soon, );
}

static const struct cedei_stream_events events = {on_connected, on_received, on_sent, on_soon};

/* Waits until `*count` events have come. */
static void events_await(const int *count, int wanted) {
    (void)pthread_mutex_lock(&lock);
    while (*count < wanted) (void)pthread_cond_wait(&changed, &lock);
    EXPECT_EQUAL(*count, wanted);
    (void)pthread_mutex_unlock(&lock);
}

static void end_close(struct end *end) {
    if (end->stream != NULL) end->by->destroy(end->stream);
    *end = (struct end){.by = end->by};
}

/* ---- a listener, and the first that it accepts ---- */

struct scene {
    cede_system *system;
    struct cedei_listener *listener;
    struct end near, far; /* the one that dials, the one that is accepted */
    char folder[32], url[64];
    struct cedei_stream *arrived; /* under `lock` */
};

static void on_accepted(void *context, struct cedei_stream *stream) {
    struct scene *scene = context;
    (void)pthread_mutex_lock(&lock);
    EXPECT(scene->arrived == NULL);
    scene->arrived = stream;
    (void)pthread_cond_broadcast(&changed);
    (void)pthread_mutex_unlock(&lock);
}

static void scene_begin(struct scene *scene, const char *scheme) {
    const struct cede_options options = {.workers = 2, .log_level = CEDE_LOG_ERROR};
    (void)snprintf(scene->folder, sizeof scene->folder, "/tmp/cede-transport-XXXXXX");
    EXPECT(mkdtemp(scene->folder) != NULL);
    EXPECT_OK(cede_system_create(&scene->system, &options));
    if (strcmp(scheme, "ipc") == 0)
        (void)snprintf(scene->url, sizeof scene->url, "ipc://%s/socket", scene->folder);
    else
        (void)snprintf(scene->url, sizeof scene->url, "%s://127.0.0.1:0", scheme);
}

static void scene_end(struct scene *scene) {
    cede_system_destroy(scene->system);
    EXPECT(rmdir(scene->folder) == 0);
}

static cede_result scene_listen(struct scene *scene) {
    scene->arrived = NULL;
    cede_result r =
        scene->far.by->listen(scene->system, scene->url, on_accepted, scene, &scene->listener);
    if (r != CEDE_OK) return r;
    char url[64];
    cedei_url_write(scene->url, scene->far.by->listener_port(scene->listener), url, sizeof url);
    memcpy(scene->url, url, sizeof url);
    return CEDE_OK;
}

static void scene_unlisten(struct scene *scene) {
    scene->far.by->listener_close(scene->listener);
    scene->listener = NULL;
}

/* Has the end that was accepted heard; waits for it. */
static void scene_accept(struct scene *scene) {
    (void)pthread_mutex_lock(&lock);
    while (scene->arrived == NULL) (void)pthread_cond_wait(&changed, &lock);
    scene->far.stream = scene->arrived;
    scene->arrived = NULL;
    (void)pthread_mutex_unlock(&lock);
    scene->far.by->bind(scene->far.stream, &events, &scene->far);
}

static void scene_connect(struct scene *scene) {
    EXPECT_OK(scene_listen(scene));
    EXPECT_OK(scene->near.by->dial(scene->system, scene->url, &events, &scene->near,
                                   &scene->near.stream));
    events_await(&scene->near.connected, 1);
    EXPECT_OK(scene->near.connect_result);
    scene_accept(scene);
}

static void scene_part(struct scene *scene) {
    end_close(&scene->near);
    end_close(&scene->far);
    scene_unlisten(scene);
}

static void each_pair(void (*test)(struct scene *)) {
    static const struct cedei_transport *const BY[] = {&cedei_transport_reactor,
                                                       &cedei_transport_nng};
    static const char *const SCHEMES[] = {"tcp", "ipc"};
    for (int i = 0; i < 8; i++) {
        struct scene scene = {.near.by = BY[i & 1], .far.by = BY[i >> 1 & 1]};
        scene_begin(&scene, SCHEMES[i >> 2]);
        scene_connect(&scene);
        test(&scene);
        scene_part(&scene);
        scene_end(&scene);
    }
}

/* ---- what holds for both ---- */

enum { MUCH = 8 << 20, PIECE = 50000 };

static uint8_t pattern(size_t at) { return (uint8_t)(at * 31 + at / 251); }

/* Sends on from `*at`. True: an event is owed for the rest. */
static bool send_on(struct end *end, const uint8_t *bytes, size_t *at) {
    size_t moved = 0;
    EXPECT_OK(end->by->send(end->stream, bytes + *at, MUCH - *at, &moved));
    *at += moved;
    return *at < MUCH;
}

/* Waits until bytes have come or the event that is owed; takes the latter. */
static bool sent_take(struct scene *scene, int received, int *taken, size_t *at) {
    struct end *end = &scene->near;
    (void)pthread_mutex_lock(&lock);
    while (end->sent == *taken && scene->far.received < received)
        (void)pthread_cond_wait(&changed, &lock);
    bool come = end->sent > *taken;
    if (come) EXPECT_OK(end->send_result);
    if (come) *at += end->sent_size;
    *taken += come;
    (void)pthread_mutex_unlock(&lock);
    return come;
}

static void much_is_sent(struct scene *scene) {
    uint8_t *bytes = malloc(MUCH), *piece = malloc(PIECE);
    EXPECT(bytes != NULL && piece != NULL);
    for (size_t i = 0; i < MUCH; i++) bytes[i] = pattern(i);
    size_t sent = 0, got = 0;
    int taken = 0, receives = 0;
    bool owed = send_on(&scene->near, bytes, &sent);
    EXPECT(owed); /* more than any socket takes at once */
    while (got < MUCH) {
        scene->far.by->recv(scene->far.stream, piece, PIECE);
        receives++;
        while (owed && sent_take(scene, receives, &taken, &sent))
            owed = sent < MUCH && send_on(&scene->near, bytes, &sent);
        events_await(&scene->far.received, receives);
        EXPECT_OK(scene->far.receive_result);
        EXPECT(scene->far.received_size > 0 && scene->far.received_size <= PIECE);
        for (size_t i = 0; i < scene->far.received_size; i++) EXPECT(piece[i] == pattern(got + i));
        got += scene->far.received_size;
    }
    free(bytes);
    free(piece);
}

static void bytes_arrive_whole_and_in_order(void **state) {
    (void)state;
    each_pair(much_is_sent);
}

static void far_end_closes(struct scene *scene) {
    char byte;
    scene->near.by->recv(scene->near.stream, &byte, 1);
    scene->far.by->close(scene->far.stream);
    scene->far.by->close(scene->far.stream);
    events_await(&scene->near.received, 1);
    EXPECT_RESULT(scene->near.receive_result, CEDE_ECLOSED);
}

static void other_end_is_told_of_a_close(void **state) {
    (void)state;
    each_pair(far_end_closes);
}

static void near_end_closes(struct scene *scene) {
    char byte;
    scene->near.by->recv(scene->near.stream, &byte, 1);
    scene->near.by->close(scene->near.stream);
    events_await(&scene->near.received, 1);
    EXPECT_RESULT(scene->near.receive_result, CEDE_ECLOSED);
}

static void own_close_ends_what_is_under_way(void **state) {
    (void)state;
    each_pair(near_end_closes);
}

static void dial_of_nobody_is_answered(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct scene scene = {.near.by = i & 1 ? &cedei_transport_nng : &cedei_transport_reactor,
                              .far.by = &cedei_transport_reactor};
        scene_begin(&scene, i < 2 ? "tcp" : "ipc");
        EXPECT_OK(scene_listen(&scene));
        scene_unlisten(&scene);
        EXPECT_OK(
            scene.near.by->dial(scene.system, scene.url, &events, &scene.near, &scene.near.stream));
        events_await(&scene.near.connected, 1);
        EXPECT_RESULT(scene.near.connect_result, CEDE_ENODE);
        end_close(&scene.near);
        scene_end(&scene);
    }
}

/* Some are heard of, some are not; what counts is that nothing is left, and nothing heard after it. */
static void streams_may_end_at_any_moment(void **state) {
    (void)state;
    struct scene scene = {.near.by = &cedei_transport_reactor, .far.by = &cedei_transport_reactor};
    char in[2][100], out[100] = "";
    scene_begin(&scene, "ipc");
    EXPECT_OK(scene_listen(&scene));
    for (int i = 0; i < 300; i++) {
        size_t moved = 0;
        EXPECT_OK(
            scene.near.by->dial(scene.system, scene.url, &events, &scene.near, &scene.near.stream));
        if (i % 3 != 0) events_await(&scene.near.connected, 1);
        scene_accept(&scene);
        if (i % 5 != 0) scene.far.by->recv(scene.far.stream, in[0], sizeof in[0]);
        if (i % 3 != 0) scene.near.by->recv(scene.near.stream, in[1], sizeof in[1]);
        if (i % 3 != 0) EXPECT_OK(scene.near.by->send(scene.near.stream, out, sizeof out, &moved));
        if (i % 2 != 0) end_close(&scene.far);
        end_close(&scene.near);
        end_close(&scene.far);
    }
    scene_unlisten(&scene);
    scene_end(&scene);
}

/* Its memory is given back once, also when the event of a dial that failed at once is under way. */
static void streams_are_given_back_once(void **state) {
    enum { MANY = 64 };
    struct cedei_stream *taken[MANY];
    (void)state;
    struct scene scene = {.near.by = &cedei_transport_reactor};
    scene_begin(&scene, "ipc"); /* where nobody listens */
    for (int i = 0; i < 1000; i++) {
        EXPECT_OK(
            scene.near.by->dial(scene.system, scene.url, &events, &scene.near, &scene.near.stream));
        if (i % 2 != 0) events_await(&scene.near.connected, 1);
        end_close(&scene.near);
    }
    for (int i = 0; i < MANY; i++) {
        EXPECT_OK(scene.near.by->dial(scene.system, scene.url, &events, &scene.near, &taken[i]));
        for (int k = 0; k < i; k++) EXPECT(taken[k] != taken[i]);
    }
    for (int i = 0; i < MANY; i++) scene.near.by->destroy(taken[i]);
    scene_end(&scene);
}

/* ---- the reactor's: paths ---- */

static void path_is_private_taken_once_and_left_clean(void **state) {
    (void)state;
    struct scene scene = {.far.by = &cedei_transport_reactor}, second = scene;
    struct cedei_listener *none = NULL;
    struct stat found;
    scene_begin(&scene, "ipc");
    const char *path = scene.url + strlen("ipc://");
    EXPECT_OK(scene_listen(&scene));
    EXPECT(stat(path, &found) == 0 && S_ISSOCK(found.st_mode) && (found.st_mode & 0777) == 0600);
    EXPECT_RESULT(
        cedei_transport_reactor.listen(scene.system, scene.url, on_accepted, &second, &none),
        CEDE_EEXIST);
    scene_unlisten(&scene);
    EXPECT(stat(path, &found) != 0);
    /* One whose listener has died without taking it away. */
    struct cedei_address address;
    int socket = -1;
    EXPECT_OK(cedei_url_address(scene.url, &address));
    EXPECT_OK(cedei_socket_listen(&address, &socket));
    close(socket);
    EXPECT(stat(path, &found) == 0);
    EXPECT_OK(scene_listen(&scene));
    scene_unlisten(&scene);
    /* What is no socket is nobody's to take away. */
    FILE *file = fopen(path, "w");
    EXPECT(file != NULL && fclose(file) == 0);
    EXPECT_RESULT(scene_listen(&scene), CEDE_EEXIST);
    EXPECT(unlink(path) == 0);
    EXPECT_RESULT(cedei_transport_reactor.listen(scene.system, "ipc:///nowhere/at/all", on_accepted,
                                                 &second, &none),
                  CEDE_EIO);
    EXPECT(none == NULL);
    scene_end(&scene);
}

/* ---- the reactor's: failing calls ---- */

/* Connects, and a byte goes there and back. The first result that is not CEDE_OK. */
static cede_result byte_exchange(struct scene *scene) {
    char there = 'x', back = 0;
    size_t moved = 0;
    cede_result r =
        scene->near.by->dial(scene->system, scene->url, &events, &scene->near, &scene->near.stream);
    if (r != CEDE_OK) return r;
    events_await(&scene->near.connected, 1);
    if (scene->near.connect_result != CEDE_OK) return scene->near.connect_result;
    scene->near.by->recv(scene->near.stream, &back, 1);
    (void)pthread_mutex_lock(&lock);
    while (scene->arrived == NULL && scene->near.received == 0)
        (void)pthread_cond_wait(&changed, &lock);
    bool here = scene->arrived != NULL;
    (void)pthread_mutex_unlock(&lock);
    if (!here) return scene->near.receive_result;
    scene_accept(scene);
    scene->far.by->recv(scene->far.stream, &there, 1);
    r = scene->near.by->send(scene->near.stream, "y", 1, &moved);
    if (r != CEDE_OK) return r;
    EXPECT_EQUAL(moved, 1);
    events_await(&scene->far.received, 1);
    if (scene->far.receive_result != CEDE_OK) return scene->far.receive_result;
    r = scene->far.by->send(scene->far.stream, &there, 1, &moved);
    if (r != CEDE_OK) return r;
    events_await(&scene->near.received, 1);
    if (scene->near.receive_result == CEDE_OK) EXPECT(back == 'y');
    return scene->near.receive_result;
}

static cede_result session(const char *scheme) {
    struct scene scene = {.near.by = &cedei_transport_reactor, .far.by = &cedei_transport_reactor};
    scene_begin(&scene, scheme);
    cede_result r = scene_listen(&scene);
    bool listens = r == CEDE_OK;
    if (listens) r = byte_exchange(&scene);
    end_close(&scene.near);
    end_close(&scene.far);
    if (listens) scene_unlisten(&scene);
    scene_end(&scene);
    return r;
}

static const struct {
    enum cedei_call call;
    const char *scheme;
    int error;
    cede_result result; /* or CEDE_OK, when it struck where it does no harm */
} FAULTS[] = {
    {CEDEI_CALL_SOCKET, "tcp", EMFILE, CEDE_ELIMIT},
    {CEDEI_CALL_SOCKET, "ipc", ENOMEM, CEDE_ENOMEM},
    {CEDEI_CALL_SOCKET_OPTION, "tcp", ENOMEM, CEDE_ENOMEM},
    {CEDEI_CALL_BIND, "tcp", EACCES, CEDE_EACCES},
    {CEDEI_CALL_BIND, "ipc", EACCES, CEDE_EACCES},
    {CEDEI_CALL_MODE, "ipc", EPERM, CEDE_EACCES},
    {CEDEI_CALL_LISTEN, "tcp", EADDRINUSE, CEDE_EEXIST},
    {CEDEI_CALL_LISTEN, "ipc", EINVAL, CEDE_EINVAL},
    {CEDEI_CALL_SOCKET_NAME, "tcp", ENOBUFS, CEDE_ENODE}, /* port 0 is nobody's */
    {CEDEI_CALL_ACCEPT, "tcp", EMFILE, CEDE_OK},          /* later */
    {CEDEI_CALL_ACCEPT, "ipc", ENOMEM, CEDE_OK},
    {CEDEI_CALL_ACCEPT, "tcp", ECONNABORTED, CEDE_OK},
    {CEDEI_CALL_CONNECT, "tcp", ECONNREFUSED, CEDE_ENODE},
    {CEDEI_CALL_CONNECT, "tcp", ENETUNREACH, CEDE_ENODE},
    {CEDEI_CALL_CONNECT, "ipc", EAGAIN, CEDE_ENODE},
    {CEDEI_CALL_CONNECT, "ipc", EACCES, CEDE_EACCES},
    {CEDEI_CALL_CONNECT_RESULT, "tcp", ETIMEDOUT, CEDE_ENODE},
    {CEDEI_CALL_CONNECT_RESULT, "ipc", ENOMEM, CEDE_ENOMEM},
    {CEDEI_CALL_PEER, "ipc", ENOTCONN, CEDE_EACCES},
    {CEDEI_CALL_RECEIVE, "tcp", ECONNRESET, CEDE_ECLOSED},
    {CEDEI_CALL_RECEIVE, "ipc", EIO, CEDE_EIO},
    {CEDEI_CALL_RECEIVE, "tcp", ENOMEM, CEDE_ENOMEM},
    {CEDEI_CALL_RECEIVE, "ipc", EINTR, CEDE_OK},
    {CEDEI_CALL_SEND, "tcp", EPIPE, CEDE_ECLOSED},
    {CEDEI_CALL_SEND, "ipc", ENOBUFS, CEDE_ENOMEM},
    {CEDEI_CALL_SEND, "tcp", EINTR, CEDE_OK},
    {CEDEI_CALL_POLL_CREATE, "tcp", EMFILE, CEDE_ELIMIT},
    {CEDEI_CALL_POLL_ADD, "tcp", ENOSPC, CEDE_ELIMIT},
    {CEDEI_CALL_POLL_ADD, "ipc", ENOMEM, CEDE_ENOMEM},
    {CEDEI_CALL_POLL_WAIT, "tcp", EINTR, CEDE_OK},
    {CEDEI_CALL_SHUTDOWN, "ipc", ENOTCONN, CEDE_OK},
};

/* At each of the first occurrences; a peer that meets with it hangs up, which the other end is told. */
static void every_call_may_fail(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof FAULTS / sizeof FAULTS[0]; i++) {
        uint32_t failed = 0;
        for (; failed < 3; failed++) {
            cedei_call_fail(FAULTS[i].call, FAULTS[i].error, failed);
            cede_result r = session(FAULTS[i].scheme);
            if (!cedei_call_fail_never()) break;
            if (r != CEDE_OK && r != FAULTS[i].result && r != CEDE_ECLOSED)
                fprintf(stderr, "call %d, error %d, number %u: %s\n", FAULTS[i].call,
                        FAULTS[i].error, failed, cede_result_name(r));
            EXPECT(r == CEDE_OK || r == FAULTS[i].result || r == CEDE_ECLOSED);
            if (failed == 0 && FAULTS[i].call < CEDEI_CALL_SHUTDOWN && FAULTS[i].result != CEDE_OK &&
                FAULTS[i].call != CEDEI_CALL_SEND && FAULTS[i].call != CEDEI_CALL_RECEIVE)
                EXPECT_RESULT(r, FAULTS[i].result);
        }
        EXPECT(failed > 0);
        EXPECT_OK(session(FAULTS[i].scheme));
    }
}

static void bytes_arrive_one_at_a_time(void **state) {
    (void)state;
    cedei_call_limit(1);
    EXPECT_OK(session("tcp"));
    EXPECT_OK(session("ipc"));
    (void)cedei_call_fail_never();
}

/* ---- the reactor's: turns, and no workers ---- */

static cede_result soon_is_called(cede_self *self, void *context) {
    struct end *end = context;
    (void)self;
    in_turn = true;
    EXPECT(end->by->call_soon(end->stream));
    in_turn = false;
    return CEDE_OK;
}

static void soon_comes_after_the_turn_and_to_workers_only(void **state) {
    (void)state;
    struct scene scene = {.near.by = &cedei_transport_reactor, .far.by = &cedei_transport_reactor};
    const struct cede_options one = {.workers = 1};
    scene_begin(&scene, "tcp");
    cede_system_destroy(scene.system);
    EXPECT_OK(cede_system_create(&scene.system, &one));
    scene_connect(&scene);
    EXPECT(!scene.near.by->call_soon(scene.near.stream));
    EXPECT_OK(cede_block_on(scene.system, soon_is_called, &scene.near));
    events_await(&scene.near.soon, 1);
    scene_part(&scene);
    scene_end(&scene);
}

/* Called when the system's workers have stopped. */
static void after_the_workers(void *context) {
    struct scene *scene = context;
    char in = 0;
    size_t moved = 0;
    scene->far.by->recv(scene->far.stream, &in, 1);
    scene->far.by->look(scene->far.stream); /* nothing there */
    EXPECT_EQUAL(scene->far.received, 0);
    EXPECT_OK(scene->near.by->send(scene->near.stream, "z", 1, &moved));
    EXPECT_EQUAL(moved, 1);
    scene->far.by->look(scene->far.stream);
    EXPECT_EQUAL(scene->far.received, 1);
    EXPECT_OK(scene->far.receive_result);
    EXPECT(in == 'z');
    scene_part(scene);
}

static void look_serves_a_stream_without_workers(void **state) {
    (void)state;
    static const struct cedei_remote_ops ops = {.destroy = after_the_workers};
    struct scene scene = {.near.by = &cedei_transport_reactor, .far.by = &cedei_transport_reactor};
    scene_begin(&scene, "ipc");
    scene_connect(&scene);
    EXPECT_OK(cedei_system_set_remote(scene.system, &ops, &scene));
    scene_end(&scene);
}

/* ---- addresses ---- */

static void addresses_stay_on_this_machine(void **state) {
    (void)state;
    static const struct {
        const char *url;
        cede_result result;
    } URLS[] = {
        {"tcp://127.0.0.1:0", CEDE_OK},
        {"tcp://[::1]:80", CEDE_OK},
        {"tcp://localhost:65535", CEDE_OK},
        {"ws://127.1.2.3:80/a:b/c", CEDE_OK},
        {"ws://127.0.0.1:80", CEDE_OK},
        {"abstract://x", CEDE_OK},
        {"ipc://relative", CEDE_OK},
        {"tcp://127.0.0.1:65536", CEDE_EINVAL},
        {"tcp://127.0.0.1", CEDE_EINVAL},
        {"tcp://127.0.0.1:80/path", CEDE_EINVAL},
        {"tcp://10.0.0.1:80", CEDE_EACCES},
        {"ws://10.0.0.1:80/127.0.0.1:1", CEDE_EACCES},
        {"ws://example.org:80/", CEDE_EACCES},
        {"tcp://127.0.0.1.example.org:80", CEDE_EACCES},
        {"ipc://", CEDE_EINVAL},
        {"abstract://", CEDE_EINVAL},
        {"tls+tcp://127.0.0.1:1", CEDE_EINVAL},
        {"", CEDE_EINVAL},
    };
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++) {
        if (cedei_url_check(URLS[i].url) != URLS[i].result) fprintf(stderr, "%s\n", URLS[i].url);
        EXPECT_RESULT(cedei_url_check(URLS[i].url), URLS[i].result);
    }
    char url[64];
    cedei_url_write("ws://127.0.0.1:0/a:0", 77, url, sizeof url);
    EXPECT(strcmp(url, "ws://127.0.0.1:77/a:0") == 0);
    cedei_url_write("ipc:///a:0", 0, url, sizeof url);
    EXPECT(strcmp(url, "ipc:///a:0") == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_stay_on_this_machine),
        cmocka_unit_test(bytes_arrive_whole_and_in_order),
        cmocka_unit_test(other_end_is_told_of_a_close),
        cmocka_unit_test(own_close_ends_what_is_under_way),
        cmocka_unit_test(dial_of_nobody_is_answered),
        cmocka_unit_test(streams_may_end_at_any_moment),
        cmocka_unit_test(streams_are_given_back_once),
        cmocka_unit_test(path_is_private_taken_once_and_left_clean),
        cmocka_unit_test(every_call_may_fail),
        cmocka_unit_test(bytes_arrive_one_at_a_time),
        cmocka_unit_test(soon_comes_after_the_turn_and_to_workers_only),
        cmocka_unit_test(look_serves_a_stream_without_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
