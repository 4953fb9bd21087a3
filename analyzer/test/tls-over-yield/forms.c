/* Thread-locals in structs, tables, macros, loops and helpers. */
#include <cede/cede.h>
#include <errno.h>
#include <string.h>
#include <stdio.h>
#include <stdlib.h>
#include <pthread.h>
#include <unistd.h>
#include <fcntl.h>
static _Thread_local struct { char text[128]; int depth; int *p; } scratch;
static __thread int counters[4];
extern _Thread_local int elsewhere;
struct st { int n; int *where; char *text; };
typedef CEDE_YIELDS cede_result step_fn(cede_self *self);
CEDE_YIELDS cede_result a1(cede_self *self) {
    scratch.depth++;
    cede_result r = cede_sleep(self, 1);
    scratch.depth--; // expect: tls-over-yield
    return r;
}
CEDE_YIELDS cede_result b1(cede_self *self) {
    scratch.depth++;
    int d = scratch.depth;
    cede_result r = cede_sleep(self, 1);
    return d > 3 ? CEDE_ELIMIT : r;
}
CEDE_YIELDS void a2(cede_self *self) {
    char *t = scratch.text;
    snprintf(t, 128, "%d", 1);
    cede_yield(self);
    puts(t); // expect: tls-over-yield
}
CEDE_YIELDS void b2(cede_self *self) {
    char t[128];
    snprintf(t, sizeof t, "%s", scratch.text);
    cede_yield(self);
    puts(t);
}
CEDE_YIELDS void a3(cede_self *self, int i) {
    int *c = &counters[i & 3];
    ++*c;
    cede_yield(self);
    --*c; // expect: tls-over-yield
}
CEDE_YIELDS void a4(cede_self *self, int n) {
    for (int i = 0; i < n; i++) {
        elsewhere++; // expect: tls-over-yield
        cede_yield(self);
    }
}
CEDE_YIELDS void b4(cede_self *self, int n) {
    for (int i = 0; i < n; i++)
        elsewhere++;
    cede_yield(self);
}
static void bump(void) { elsewhere++; }
CEDE_YIELDS void a5(cede_self *self) {
    bump();
    cede_yield(self);
    bump(); // expect: tls-over-yield
}
__attribute__((noinline)) static void bump_far(void) { elsewhere++; }
CEDE_YIELDS void b5(cede_self *self) {
    bump_far();
    cede_yield(self);
    bump_far();
}
CEDE_YIELDS cede_result a6(cede_self *self, int fd, void *buf, size_t n) {
    while (write(fd, buf, n) < 0) {
        if (errno != EAGAIN) return CEDE_EIO; // expect: tls-over-yield
        cede_result r = cede_sleep(self, CEDE_MILLIS(1));
        if (r != CEDE_OK) return r;
    }
    return CEDE_OK;
}
CEDE_YIELDS cede_result b6(cede_self *self, int fd, void *buf, size_t n) {
    while (write(fd, buf, n) < 0) {
        if (cede_errno != EAGAIN) return CEDE_EIO;
        cede_result r = cede_sleep(self, CEDE_MILLIS(1));
        if (r != CEDE_OK) return r;
    }
    return CEDE_OK;
}
CEDE_YIELDS void a7(cede_self *self, step_fn *step) {
    pthread_t me = pthread_self();
    cede_result r = step(self);
    if (r == CEDE_OK && pthread_equal(me, // expect: tls-over-yield
                                      pthread_self())) // expect: tls-over-yield
        puts("same");
}
CEDE_YIELDS void b7(cede_self *self, step_fn *step) {
    (void)step(self);
    pthread_t me = pthread_self();
    if (pthread_equal(me, pthread_self())) puts("same");
}
CEDE_YIELDS void a8(cede_self *self, struct st *s) {
    s->where = &scratch.depth;
    cede_yield(self);
    *s->where = 2; // expect: tls-over-yield
}
CEDE_YIELDS void a9(cede_self *self, int e) {
    const char *t = strerror(e);
    cede_yield(self);
    puts(t); // expect: tls-over-yield
}
CEDE_YIELDS void b9(cede_self *self, int e) {
    char t[64];
    strerror_r(e, t, sizeof t);
    cede_yield(self);
    puts(t);
}
#define LOGE(fmt, ...) fprintf(stderr, fmt ": %s\n", __VA_ARGS__, strerror(errno))
CEDE_YIELDS cede_result a10(cede_self *self, const char *a, const char *b) {
    int fd = open(a, O_RDONLY);
    if (fd < 0) { LOGE("open %s", a); return CEDE_EIO; }
    cede_yield(self);
    int fd2 = open(b, O_RDONLY);
    if (fd2 < 0) { LOGE("open %s", b); close(fd); return CEDE_EIO; }
    close(fd2);
    close(fd);
    return CEDE_OK;
}
CEDE_YIELDS cede_result a11(cede_self *self, const char *a) {
    errno = 0;
    long v = strtol(a, NULL, 10);
    if (errno == ERANGE) return CEDE_EINVAL;
    cede_result r = cede_sleep(self, (uint64_t)v);
    errno = 0; // expect: tls-over-yield
    return r;
}
/* do / while(0), switch, goto */
CEDE_YIELDS void a12(cede_self *self, int k) {
    switch (k) {
    case 0: elsewhere = 1; break;
    case 1: elsewhere = 2; cede_yield(self); goto again;
    default: return;
    }
    cede_yield(self);
    return;
again:
    elsewhere = 3; // expect: tls-over-yield
}
CEDE_YIELDS void b12(cede_self *self, int k) {
    switch (k) {
    case 0: elsewhere = 1; return;
    case 1: cede_yield(self); break;
    default: return;
    }
}
/* array of tls addresses */
CEDE_YIELDS void a13(cede_self *self) {
    int *all[2] = {&counters[0], &elsewhere};
    cede_yield(self);
    *all[1] = 3; // expect: tls-over-yield
}
/* compound literal / struct */
CEDE_YIELDS void a14(cede_self *self) {
    struct st s = {.where = &elsewhere};
    cede_yield(self);
    s.n = *s.where; // expect: tls-over-yield
}
CEDE_YIELDS void b14(cede_self *self) {
    struct st s = {.where = &elsewhere};
    s.n = *s.where;
    cede_yield(self);
    s.where = NULL;
    (void)s;
}
/* if (0) */
CEDE_YIELDS void b15(cede_self *self) {
    elsewhere = 1;
    if (0) cede_yield(self);
    elsewhere = 2;
}
/* yields in one branch that returns */
CEDE_YIELDS void b16(cede_self *self, int k) {
    elsewhere = 1;
    if (k) { cede_yield(self); return; }
    elsewhere = 2;
}
/* sizeof */
CEDE_YIELDS void b17(cede_self *self) {
    snprintf(scratch.text, sizeof scratch.text, "x");
    cede_yield(self);
    size_t n = sizeof scratch.text;
    (void)n;
}
/* ternary */
CEDE_YIELDS void a18(cede_self *self, bool b) {
    static int shared;
    int *p = b ? &elsewhere : &shared;
    cede_yield(self);
    (*p)++; // expect: tls-over-yield
}
/* callback helper with pointer param: the callee yields */
CEDE_YIELDS static void fill(cede_self *self, int *out) { cede_yield(self); *out = 1; }
CEDE_YIELDS void a19(cede_self *self) { fill(self, &elsewhere); } // expect: tls-over-yield
CEDE_YIELDS void b19(cede_self *self) { int x = 0; fill(self, &x); elsewhere = x; }
/* FILE* local over yield: fine */
CEDE_YIELDS void b20(cede_self *self, const char *p) { FILE *f = fopen(p, "r"); cede_yield(self); if (f) fclose(f); }
