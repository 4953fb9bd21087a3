/* Listeners and connections: who is refused, who waits and for how long, what a lack of descriptors does, hundreds at once. */
#include <errno.h>

#include "tests/support/network.h"

IO_TEST(listen_refuses_what_is_no_address_and_what_is_taken) {
    (void)context;
    struct cede_listener *one = NULL, *two = NULL;
    EXPECT_RESULT(cede_tcp_listen(self, "localhost", 0, &one), CEDE_EINVAL);
    EXPECT_RESULT(cede_tcp_listen(self, NULL, 0, &one), CEDE_EINVAL);
    EXPECT_RESULT(cede_tcp_listen(NULL, "127.0.0.1", 0, &one), CEDE_ECONTEXT);
    EXPECT_RESULT(cede_tcp_listen(self, "192.0.2.1", 0, &one), CEDE_ENOENT);
    EXPECT(one == NULL);
    EXPECT_OK(cede_tcp_listen(self, "127.0.0.1", 0, &one));
    EXPECT_RESULT(cede_tcp_listen(self, "127.0.0.1", cede_listener_port(self, one), &two),
                  CEDE_EEXIST);
    EXPECT(two == NULL);
    return CEDE_OK;
}

IO_TEST(connect_to_a_closed_port_is_refused) {
    (void)context;
    struct cede_listener *listener = listener_make(self);
    struct cede_stream *stream = NULL;
    uint16_t port = cede_listener_port(self, listener);
    cede_drop(self, &listener);
    EXPECT_RESULT(cede_tcp_connect(self, "127.0.0.1", port, &stream, CEDE_FOREVER), CEDE_EREFUSED);
    EXPECT_RESULT(cede_tcp_connect(self, "127.0.0", port, &stream, CEDE_FOREVER), CEDE_EINVAL);
    EXPECT(stream == NULL);
    return CEDE_OK;
}

IO_TEST(connect_that_nobody_answers_ends_at_its_deadline) {
    (void)context;
    int open[DEAF_SOCKETS];
    struct cede_stream *stream = NULL;
    uint16_t port = deaf_listen(open);
    uint64_t before_ns = cede_now(self);
    EXPECT_RESULT(cede_tcp_connect(self, "127.0.0.1", port, &stream, CEDE_MILLIS(20)),
                  CEDE_ETIMEDOUT);
    EXPECT(cede_now(self) - before_ns >= CEDE_MILLIS(20) && stream == NULL);
    EXPECT_RESULT(cede_tcp_connect(self, "127.0.0.1", port, &stream, 0), CEDE_ETIMEDOUT);
    deaf_close(open);
    return CEDE_OK;
}

IO_TEST(accept_waits_no_longer_than_it_was_told) {
    (void)context;
    struct cede_listener *listener = listener_make(self);
    struct cede_stream *stream = NULL;
    EXPECT_RESULT(cede_accept(self, listener, &stream, 0), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_accept(self, listener, &stream, CEDE_MILLIS(5)), CEDE_ETIMEDOUT);
    EXPECT_RESULT(cede_accept(self, listener, NULL, 0), CEDE_EINVAL);
    EXPECT_RESULT(cede_accept(self, NULL, &stream, 0), CEDE_EINVAL);
    EXPECT(stream == NULL);
    return CEDE_OK;
}

static CEDE_YIELDS void unix_session(cede_self *self, const char *path) {
    struct cede_listener *listener = NULL;
    struct cede_stream *near_end = NULL, *far_end = NULL;
    EXPECT_OK(cede_unix_listen(self, path, &listener));
    EXPECT_EQUAL(cede_listener_port(self, listener), 0);
    EXPECT_OK(cede_unix_connect(self, path, &near_end, CEDE_FOREVER));
    EXPECT_OK(cede_accept(self, listener, &far_end, CEDE_FOREVER));
    text_write(self, near_end, "to");
    text_expect(self, far_end, "to");
    text_write(self, far_end, "fro");
    cede_drop(self, &far_end);
    text_expect(self, near_end, "fro");
    end_expect(self, near_end);
    cede_drop(self, &near_end);
    cede_drop(self, &listener);
}

IO_TEST(unix_sockets_connect_by_path_and_by_abstract_name) {
    (void)context;
    char folder[] = "/tmp/cede-io-XXXXXX", path[64], long_path[200];
    struct cede_stream *stream = NULL;
    struct cede_listener *listener = NULL;
    EXPECT(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/socket", folder);
    EXPECT_RESULT(cede_unix_connect(self, path, &stream, CEDE_FOREVER), CEDE_ENOENT);
    unix_session(self, path);
    EXPECT_RESULT(cede_unix_connect(self, path, &stream, CEDE_FOREVER), CEDE_EREFUSED);
    EXPECT_RESULT(cede_unix_listen(self, path, &listener), CEDE_EEXIST);
    unlink(path);
    rmdir(folder);
    snprintf(path, sizeof path, "@cede-io-test-%d", (int)getpid());
    unix_session(self, path);
    memset(long_path, 'x', sizeof long_path);
    long_path[sizeof long_path - 1] = '\0';
    EXPECT_RESULT(cede_unix_listen(self, long_path, &listener), CEDE_ETOOBIG);
    EXPECT_RESULT(cede_unix_listen(self, "", &listener), CEDE_EINVAL);
    return CEDE_OK;
}

/* A Unix listener with a full queue does not say when there is room: whoever connects tries again. */
IO_TEST(unix_connect_waits_while_the_queue_is_full) {
    (void)context;
    char name[64];
    struct cede_stream *stream = NULL;
    snprintf(name, sizeof name, "@cede-io-full-%d", (int)getpid());
    /* SOMAXCONN is too long a queue to fill: a plain listener for one. */
    int plain = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
    EXPECT(bind(plain, (struct sockaddr *)&address,
                (socklen_t)(sizeof(sa_family_t) + strlen(name))) == 0);
    EXPECT(listen(plain, 0) == 0);
    EXPECT_OK(cede_unix_connect(self, name, &stream, CEDE_FOREVER));
    struct cede_stream *second = NULL;
    EXPECT_RESULT(cede_unix_connect(self, name, &second, CEDE_MILLIS(5)), CEDE_ETIMEDOUT);
    int taken = accept(plain, NULL, NULL);
    EXPECT(taken >= 0);
    EXPECT_OK(cede_unix_connect(self, name, &second, CEDE_FOREVER));
    close(taken);
    close(plain);
    return CEDE_OK;
}

/* ---- no descriptor left ---- */

static cede_result shortage_run(cede_self *self, void *context) {
    struct fixture *fixture = context;
    struct cede_listener *listener = listener_make(self);
    struct cede_stream *stream = NULL;
    int peer = plain_connect(cede_listener_port(self, listener));
    cedei_call_fail(CEDEI_CALL_ACCEPT, EMFILE, 0);
    EXPECT_RESULT(cede_accept(self, listener, &stream, 0), CEDE_ELIMIT);
    EXPECT(cedei_call_fail_never() && stream == NULL);
    EXPECT(fixture_logged(fixture, "a connection has to wait"));
    fixture->log_used = 0;
    cedei_call_fail(CEDEI_CALL_ACCEPT, ENFILE, 0);
    EXPECT_OK(cede_accept(self, listener, &stream, CEDE_FOREVER)); /* waits, and tries again */
    EXPECT(cedei_call_fail_never() && stream != NULL);
    EXPECT_EQUAL(fixture->log_used, 0); /* said once */
    close(peer);
    cede_drop(self, &stream);
    peer = plain_connect(cede_listener_port(self, listener));
    cedei_call_fail(CEDEI_CALL_ACCEPT, ENOMEM, 0);
    EXPECT_OK(cede_accept(self, listener, &stream, CEDE_FOREVER));
    EXPECT(cedei_call_fail_never());
    EXPECT(fixture_logged(fixture, "a connection has to wait")); /* the next shortage is news */
    close(peer);
    return CEDE_OK;
}

static void accept_without_a_descriptor_pauses_and_says_so_once(void **state) {
    (void)state;
    counted_run(shortage_run);
}

IO_TEST(accept_goes_on_behind_a_connection_that_broke_in_the_queue) {
    (void)context;
    static const int ERRORS[] = {ECONNABORTED, EPROTO, EPERM, ENETDOWN, EHOSTUNREACH, EINTR};
    struct cede_listener *listener = listener_make(self);
    for (size_t i = 0; i < sizeof ERRORS / sizeof ERRORS[0]; i++) {
        struct cede_stream *stream = NULL;
        int peer = plain_connect(cede_listener_port(self, listener));
        cedei_call_fail(CEDEI_CALL_ACCEPT, ERRORS[i], 0);
        EXPECT_OK(cede_accept(self, listener, &stream, CEDE_FOREVER));
        EXPECT(cedei_call_fail_never());
        cede_drop(self, &stream);
        close(peer);
    }
    return CEDE_OK;
}

/* ---- hundreds ---- */

enum { CLIENTS = 300, LINES = 20 };
static uint16_t echo_port;
static _Atomic uint32_t clients_done;

static CEDE_YIELDS cede_result on_echo_client(cede_self *self, void *state,
                                              struct cede_stream *stream) {
    char bytes[64];
    size_t got = 0;
    (void)state;
    while (cede_read(self, stream, bytes, sizeof bytes, &got, CEDE_FOREVER) == CEDE_OK)
        EXPECT_OK(cede_write(self, stream, bytes, got, CEDE_FOREVER));
    return CEDE_STOP;
}
#define ECHO_CLIENT(ON) ON(cede_stream, on_echo_client)
CEDE_BEHAVIOUR(echo_client, void, ECHO_CLIENT);

static CEDE_YIELDS cede_result echo_server(cede_self *self, void *context) {
    struct cede_listener *listener = NULL;
    (void)context;
    EXPECT_OK(cede_recv(self, cede_listener, &listener, CEDE_FOREVER));
    for (;;) { /* until it is stopped */
        struct cede_stream *stream = NULL;
        cede_result r = cede_accept(self, listener, &stream, CEDE_FOREVER);
        if (r == CEDE_ECANCELED) return CEDE_STOP;
        EXPECT_OK(r);
        EXPECT_OK(cede_spawn(self, &echo_client, &stream, NULL));
        EXPECT(stream == NULL);
    }
}

static CEDE_YIELDS cede_result client_run(cede_self *self, void *context) {
    struct cede_stream *stream = NULL;
    char line[32], back[32];
    EXPECT_OK(cede_tcp_connect(self, "127.0.0.1", echo_port, &stream, CEDE_FOREVER));
    for (int i = 0; i < LINES; i++) {
        size_t got = 0;
        int size = snprintf(line, sizeof line, "%u says %d\n", *(uint32_t *)context, i);
        text_write(self, stream, line);
        EXPECT_OK(cede_read_until(self, stream, '\n', back, sizeof back, &got, CEDE_FOREVER));
        EXPECT(got == (size_t)size && memcmp(line, back, got) == 0);
    }
    /* acq_rel: for flag_await. */
    atomic_fetch_add_explicit(&clients_done, 1, memory_order_acq_rel);
    return CEDE_STOP;
}

IO_TEST(hundreds_of_connections_at_once_and_a_stop_ends_the_server) {
    (void)context;
    static uint32_t numbers[CLIENTS];
    struct cede_listener *listener = listener_make(self);
    echo_port = cede_listener_port(self, listener);
    flag_set(&clients_done, 0);
    cede_ref server = play(self, echo_server, NULL);
    EXPECT_OK(cede_monitor(self, server));
    EXPECT_OK(cede_send(self, server, &listener));
    for (uint32_t i = 0; i < CLIENTS; i++) {
        numbers[i] = i;
        (void)play(self, client_run, &numbers[i]);
    }
    flag_await(self, &clients_done, CLIENTS);
    EXPECT_OK(cede_stop(self, server));
    EXPECT_RESULT(down_await(self, server), CEDE_OK);
    return CEDE_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listen_refuses_what_is_no_address_and_what_is_taken),
        cmocka_unit_test(connect_to_a_closed_port_is_refused),
        cmocka_unit_test(connect_that_nobody_answers_ends_at_its_deadline),
        cmocka_unit_test(accept_waits_no_longer_than_it_was_told),
        cmocka_unit_test(unix_sockets_connect_by_path_and_by_abstract_name),
        cmocka_unit_test(unix_connect_waits_while_the_queue_is_full),
        cmocka_unit_test(accept_without_a_descriptor_pauses_and_says_so_once),
        cmocka_unit_test(accept_goes_on_behind_a_connection_that_broke_in_the_queue),
        cmocka_unit_test(hundreds_of_connections_at_once_and_a_stop_ends_the_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
