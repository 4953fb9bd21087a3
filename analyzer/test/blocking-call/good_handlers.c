/* Near misses: actors that may block, work for the pool, calls that do not wait. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cede/cede.h>

#define SAVE(F) F(i32, fd) F(bytes, content)
CEDE_MESSAGE(save, SAVE);

struct store {
    int fd;
    int timeout_ms;
};

/* An actor that may block. */
static cede_result on_save_blocking(cede_self *self, struct store *store, struct save *save) {
    (void)self, (void)save;
    sleep(1);
    return fsync(store->fd) == 0 ? CEDE_OK : CEDE_EIO;
}
#define BLOCKING(ON) ON(save, on_save_blocking)
CEDE_BEHAVIOUR(blocking_store, struct store, BLOCKING, .kind = CEDE_BLOCKING);

/* Runs on the pool. */
static cede_result sync_file(void *message) {
    struct save *save = message;
    return fsync(save->fd) == 0 ? CEDE_OK : CEDE_EIO;
}

CEDE_YIELDS static cede_result on_save(cede_self *self, struct store *store, struct save *save) {
    struct pollfd poll_fd = {.fd = store->fd, .events = POLLIN};
    if (poll(&poll_fd, 1, 0) < 0)
        return CEDE_EIO;
    if (poll(&poll_fd, 1, store->timeout_ms) < 0)
        return CEDE_EIO;
    waitpid(-1, NULL, WNOHANG);
    printf("saving\n");
    size_t size = sizeof(sleep(1)) + strlen("x");
    if (size == 0 || cede_sleep(self, CEDE_MILLIS(1)) != CEDE_OK)
        return CEDE_EFAILED;
    return cede_run_blocking(self, sync_file, &save);
}
#define STORE(ON) ON(save, on_save)
CEDE_BEHAVIOUR(store, struct store, STORE);

/* No handler reaches it. */
int main(void) {
    sleep(1);
    return 0;
}

/* A step of the actor that may block, and of a whole program. */
static CEDE_YIELDS cede_result settle(cede_self *self, struct store *store) {
    sleep(1);
    return cede_sleep(self, CEDE_MILLIS((uint64_t)store->timeout_ms));
}
static CEDE_YIELDS cede_result on_settle(cede_self *self, struct store *store, struct save *save) {
    (void)save;
    return settle(self, store);
}
#define SETTLER(ON) ON(save, on_settle)
CEDE_BEHAVIOUR(settler, struct store, SETTLER, .kind = CEDE_BLOCKING);

static CEDE_YIELDS cede_result run(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    sleep(1);
    cede_yield(self);
    return CEDE_OK;
}
int run_all(int argc, char **argv) { return cede_main(argc, argv, run); }
