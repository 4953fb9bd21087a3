/* Calls that stop the thread, also through a helper. */
#include <unistd.h>
#include <poll.h>
#include <time.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <cede/cede.h>
#define PING(F) F(u64, n)
CEDE_MESSAGE(ping, PING);
#define PONG(F) F(u64, n)
CEDE_MESSAGE(pong, PONG);
#define PANG(F) F(u64, n)
CEDE_MESSAGE(pang, PANG);

struct st {
    int fd;
};

CEDE_BLOCKS void slow_thing(void);

static void deep(struct st *st) {
    fsync(st->fd); // expect: blocking-call
}

static cede_result on_ping(cede_self *self, struct st *st, struct ping *m) {
    (void)self;
    (void)m;
    sleep(1); // expect: blocking-call
    usleep(10); // expect: blocking-call
    struct timespec ts = {0, 1};
    nanosleep(&ts, NULL); // expect: blocking-call
    slow_thing(); // expect: blocking-call
    deep(st);
    struct pollfd p = {st->fd, POLLIN, 0};
    poll(&p, 1, -1); // expect: blocking-call
    poll(&p, 1, 100); // expect: blocking-call
    poll(&p, 1, 0);
    int s;
    waitpid(-1, &s, 0); // expect: blocking-call
    waitpid(-1, &s, WNOHANG);
    char c[10];
    if (read(st->fd, c, sizeof c) < 0) // expect: blocking-call
        return CEDE_EIO;
    system("true"); // expect: blocking-call
    return CEDE_OK;
}

static cede_result work(void *m) {
    (void)m;
    sleep(1);
    return CEDE_OK;
}

CEDE_YIELDS static cede_result on_pong(cede_self *self, struct st *st, struct pong *m) {
    (void)st;
    return cede_run_blocking(self, work, &m);
}

#define ST(ON) ON(ping, on_ping) ON(pong, on_pong)
CEDE_BEHAVIOUR(st, struct st, ST);

static cede_result on_pang(cede_self *self, struct st *st, struct pang *m) {
    (void)self;
    (void)st;
    (void)m;
    sleep(3);
    return CEDE_OK;
}

#define BL(ON) ON(pang, on_pang)
CEDE_BEHAVIOUR(bl, struct st, BL, .kind = CEDE_BLOCKING);

int main(void) {
    sleep(0);
    return 0;
}

/* A step of a turn, whose behaviour is in another file: only what yields can tell. */
CEDE_YIELDS cede_result step_elsewhere(cede_self *self, struct st *st) {
    fsync(st->fd); // expect: blocking-call
    return cede_sleep(self, CEDE_MILLIS(1));
}
