/* echo.c - the echo server that bench and loadgen drive: `echo echo WORKERS` prints `PORT n` and serves until it is killed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cede/cede.h>

CEDE_YIELDS static cede_result on_connection(cede_self *self, void *state, struct cede_stream *c) {
    char bytes[4096];
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

CEDE_YIELDS static cede_result serve(cede_self *self, void *context) {
    struct cede_listener *listener = NULL;
    cede_result r = cede_tcp_listen(self, "127.0.0.1", 0, &listener);
    (void)context;
    if (r != CEDE_OK) return r;
    printf("PORT %u\n", cede_listener_port(self, listener));
    fflush(stdout);
    while (r == CEDE_OK) {
        struct cede_stream *connection = NULL;
        r = cede_accept(self, listener, &connection, CEDE_FOREVER);
        if (r == CEDE_OK) r = cede_spawn(self, &client, &connection, NULL);
    }
    cede_drop(self, &listener);
    return r;
}

int main(int argc, char **argv) {
    cede_system *system = NULL;
    if (argc != 3 || strcmp(argv[1], "echo") != 0) {
        fprintf(stderr, "usage: echo echo WORKERS\n");
        return 2;
    }
    struct cede_options options = {.workers = (uint32_t)strtoul(argv[2], NULL, 10)};
    if (cede_system_create(&system, &options) != CEDE_OK) return 1;
    cede_result r = cede_block_on(system, serve, NULL);
    cede_system_destroy(system);
    fprintf(stderr, "%s\n", cede_result_text(r));
    return 1;
}
