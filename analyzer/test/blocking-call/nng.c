/* nng in a turn: flags decide whether it blocks. */
#include <cede/cede.h>
#include <unistd.h>
#include <pthread.h>
#include <poll.h>
#include <stdlib.h>
#define PING(F) F(u64, n)
CEDE_MESSAGE(ping, PING);
typedef struct nng_msg nng_msg;

typedef struct {
    uint32_t id;
} nng_socket;

enum { NNG_FLAG_ALLOC = 1,
       NNG_FLAG_NONBLOCK = 2 };

int nng_recvmsg(nng_socket, nng_msg **, int);
int nng_recv(nng_socket, void *, size_t *, int);
void nng_msleep(int);
void nng_msg_free(nng_msg *);
int nng_send(nng_socket, void *, size_t, int);

struct st {
    nng_socket s;
    int fd;
    pthread_t t;
};

static void join(struct st *st) {
    pthread_join(st->t, NULL); // expect: blocking-call
}

static void twice(struct st *st) {
    join(st);
    join(st);
}

static cede_result on_ping(cede_self *self, struct st *st, struct ping *m) {
    nng_msg *n;
    (void)self;
    (void)m;
    if (nng_recvmsg(st->s, &n, 0) == 0) // expect: blocking-call
        nng_msg_free(n);
    if (nng_recvmsg(st->s, &n, NNG_FLAG_NONBLOCK) == 0)
        nng_msg_free(n);
    char b[10];
    size_t z = sizeof b;
    (void)nng_recv(st->s, b, &z, NNG_FLAG_NONBLOCK);
    (void)nng_recv(st->s, &b, &z, NNG_FLAG_ALLOC); // expect: blocking-call
    (void)nng_send(st->s, b, z, NNG_FLAG_NONBLOCK);
    nng_msleep(3); // expect: blocking-call
    twice(st);
    return CEDE_OK;
}

#define ST(ON) ON(ping, on_ping)
CEDE_BEHAVIOUR(st, struct st, ST);
