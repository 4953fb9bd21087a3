/* nng without Cede, through the models. */
/* nng without Cede */
#include <stdint.h>
#include <stddef.h>
typedef struct nng_msg nng_msg;

typedef struct {
    uint32_t id;
} nng_socket;
typedef struct nng_aio nng_aio;

typedef struct {
    uint32_t id;
} nng_ctx;

int nng_sendmsg(nng_socket, nng_msg *, int);
int nng_recvmsg(nng_socket, nng_msg **, int);
int nng_msg_alloc(nng_msg **, size_t);
void nng_msg_free(nng_msg *);
void *nng_msg_body(nng_msg *);
size_t nng_msg_len(const nng_msg *);
int nng_msg_append(nng_msg *, const void *, size_t);
int nng_msg_dup(nng_msg **, const nng_msg *);
int nng_ctx_sendmsg(nng_ctx, nng_msg *, int);
void nng_aio_set_msg(nng_aio *, nng_msg *);
nng_msg *nng_aio_get_msg(nng_aio *);
void nng_send_aio(nng_socket, nng_aio *);
int nng_aio_result(nng_aio *);

int n1(nng_socket s, nng_msg *m) {
    int r = nng_sendmsg(s, m, 0);
    if (r == 0)
        return (int)nng_msg_len(m); // expect: use-after-send
    return r;
}

int n2(nng_socket s, nng_msg *m) {
    int r = nng_sendmsg(s, m, 0);
    nng_msg_free(m); // expect: use-after-send
    return r;
}

void n3(nng_msg *m) {
    nng_msg_free(m);
    nng_msg_free(m); // expect: use-after-send
}

int n4(nng_socket *s, int n, nng_msg *m) {
    for (int i = 0; i < n; i++)
        if (nng_sendmsg(s[i], m, 0) != 0) // expect: use-after-send
            return -1;
    return 0;
}

int n5(nng_socket s, nng_msg *m) {
    char *body = nng_msg_body(m);
    int r = nng_sendmsg(s, m, 0);
    if (r != 0)
        return r;
    return body[0]; // expect: use-after-send
}

int n6(nng_ctx s, nng_msg *m) {
    if (nng_ctx_sendmsg(s, m, 0)) {
        nng_msg_free(m);
        return -1;
    }
    return nng_msg_append(m, "x", 1); // expect: use-after-send
}

int n7(nng_socket s) {
    nng_msg *m;
    if (nng_recvmsg(s, &m, 0) != 0)
        return -1;
    nng_msg_free(m);
    return (int)nng_msg_len(m); // expect: use-after-send
}

/* right */
int o1(nng_socket s, nng_msg *m) {
    int r = nng_sendmsg(s, m, 0);
    if (r != 0)
        nng_msg_free(m);
    return r;
}

int o2(nng_socket s) {
    for (;;) {
        nng_msg *m;
        int r = nng_recvmsg(s, &m, 0);
        if (r != 0)
            return r;
        if ((r = nng_sendmsg(s, m, 0)) != 0) {
            nng_msg_free(m);
            return r;
        }
    }
}

int o3(nng_socket *s, int n, nng_msg *m) {
    for (int i = 0; i < n; i++) {
        nng_msg *d;
        if (nng_msg_dup(&d, m) != 0)
            break;
        if (nng_sendmsg(s[i], d, 0) != 0)
            nng_msg_free(d);
    }
    nng_msg_free(m);
    return 0;
}

int o4(nng_socket s, nng_msg *m) {
    size_t n = nng_msg_len(m);
    int r = nng_sendmsg(s, m, 0);
    if (r != 0) {
        nng_msg_free(m);
        return r;
    }
    return (int)n;
}

int o5(nng_socket s, nng_msg *m) {
    int r;
    while ((r = nng_sendmsg(s, m, 0)) == 8)
        ;
    if (r != 0)
        nng_msg_free(m);
    return r;
}
