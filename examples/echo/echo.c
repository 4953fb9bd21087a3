/* echo.c - says back whatever a client says; an actor per connection. `echo [PORT]`, a free one by default. */
#include <stdio.h>
#include <stdlib.h>

#include <cede/cede.h>

/* The connection is the actor's first message; it is closed when this turn ends. */
CEDE_YIELDS static cede_result on_connection(cede_self *self, void *state, struct cede_stream *c) {
    char bytes[1024];
    size_t size = 0;
    cede_result r = CEDE_OK;
    (void)state;
    while (r == CEDE_OK) {
        r = cede_read(self, c, bytes, sizeof bytes, &size, CEDE_FOREVER);
        if (r == CEDE_OK) r = cede_write(self, c, bytes, size, CEDE_FOREVER);
    }
    return CEDE_STOP;
}
#define CLIENT(ON) ON(cede_stream, on_connection)
CEDE_BEHAVIOUR(client, void, CLIENT);

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    uint16_t port = argc > 1 ? (uint16_t)atoi(argv[1]) : 0;
    struct cede_listener *listener = NULL;
    cede_result r = cede_tcp_listen(self, "127.0.0.1", port, &listener);
    if (r != CEDE_OK) return r;
    printf("listening on 127.0.0.1:%u\n", cede_listener_port(self, listener));
    fflush(stdout);
    while (r == CEDE_OK) {
        struct cede_stream *connection = NULL;
        r = cede_accept(self, listener, &connection, CEDE_FOREVER);
        if (r == CEDE_OK) r = cede_spawn(self, &client, &connection, NULL);
    }
    cede_drop(self, &listener);
    return r;
}

int main(int argc, char **argv) { return cede_main(argc, argv, run); }
