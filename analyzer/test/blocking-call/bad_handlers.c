/* Handlers on workers that block. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cede/cede.h>

#define SAVE(F) F(i32, fd)
CEDE_MESSAGE(save, SAVE);
#define LOAD(F) F(i32, fd)
CEDE_MESSAGE(load, LOAD);

struct store {
    int fd;
    FILE *file;
    pthread_t thread;
};

static cede_result on_save(cede_self *self, struct store *store, struct save *save) {
    (void)self, (void)save;
    return fsync(store->fd) == 0 ? CEDE_OK : CEDE_EIO; // expect: blocking-call
}

static void wait_for(struct store *store) {
    struct pollfd poll_fd = {.fd = store->fd, .events = POLLIN};
    (void)poll(&poll_fd, 1, 1000); // expect: blocking-call
    (void)poll(&poll_fd, 1, -1); // expect: blocking-call
}

static void settle(struct store *store) {
    usleep(100); // expect: blocking-call
    pthread_join(store->thread, NULL); // expect: blocking-call
    waitpid(-1, NULL, 0); // expect: blocking-call
}

static cede_result on_load(cede_self *self, struct store *store, struct load *load) {
    char line[80];
    (void)self, (void)load;
    wait_for(store);
    settle(store);
    if (read(store->fd, line, sizeof line) < 0) // expect: blocking-call
        return CEDE_EIO;
    return fgets(line, sizeof line, store->file) != NULL ? CEDE_OK : CEDE_EIO; // expect: blocking-call
}

#define STORE(ON) ON(save, on_save) ON(load, on_load)
CEDE_BEHAVIOUR(store, struct store, STORE);

CEDE_BLOCKS void wait_for_printer(void);

static cede_result on_print(cede_self *self, struct store *store, struct save *save) {
    (void)self, (void)store, (void)save;
    wait_for_printer(); // expect: blocking-call
    return CEDE_OK;
}
#define PRINTER(ON) ON(save, on_print)
CEDE_BEHAVIOUR(printer, struct store, PRINTER, .kind = CEDE_ASYNC, .mailbox_max = 3);
