/* More shapes: macros, goto, callees, loops. What is not marked is right. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cede/cede.h>
_Thread_local struct { int depth; char buf[10]; } ctx;
extern _Thread_local unsigned long long ticks;
#define CUR (&ctx)
CEDE_YIELDS void f1(cede_self *self);
void f1(cede_self *self) { CUR->depth++; cede_yield(self); CUR->depth--; } // expect: tls-over-yield
CEDE_YIELDS void f2(cede_self *self);
void f2(cede_self *self) { ticks = 1; if (cede_sleep(self, 1) != CEDE_OK) return; ticks++; } // expect: tls-over-yield
CEDE_YIELDS int f3(cede_self *self, int fd);
int f3(cede_self *self, int fd) {
    int saved;
    char b;
    if (read(fd, &b, 1) < 0) { saved = errno; goto wait; }
    return 0;
wait:
    cede_yield(self);
    return saved;
}
CEDE_YIELDS int f4(cede_self *self, int fd);
int f4(cede_self *self, int fd) {
    char b;
retry:
    if (read(fd, &b, 1) < 0) {
        if (errno == EINTR) goto retry; // expect: tls-over-yield
        if (errno == EAGAIN) { cede_yield(self); goto retry; }
        return -errno;
    }
    return 0;
}
struct holder { int *p; };
CEDE_YIELDS void f5(cede_self *self);
void f5(cede_self *self) {
    int *p;
    p = &ctx.depth;
    int *q = p + 1;
    cede_yield(self);
    *q = 1; // expect: tls-over-yield
}
static int get(void) { return ctx.depth; }
static void set(int v) { ctx.depth = v; }
CEDE_YIELDS void f6(cede_self *self);
void f6(cede_self *self) {
    for (int i = 0; i < 3; i++) {
        set(get() + 1); // expect: tls-over-yield
        cede_yield(self);
    }
}
CEDE_YIELDS static cede_result step(cede_self *self) { cede_yield(self); return CEDE_OK; }
CEDE_YIELDS void f7(cede_self *self);
void f7(cede_self *self) {
    set(1);
    (void)step(self);
    printf("%d\n", get()); // expect: tls-over-yield
}
/* ok: only within one side */
CEDE_YIELDS void g1(cede_self *self);
void g1(cede_self *self) {
    (void)step(self);
    for (int i = 0; i < 3; i++) set(get() + 1);
}
CEDE_YIELDS void g2(cede_self *self, int a);
void g2(cede_self *self, int a) {
    switch (a) {
    case 1: set(1); break;
    case 2: (void)step(self); break;
    }
}
CEDE_YIELDS void g3(cede_self *self, int a);
void g3(cede_self *self, int a) {
    if (a) { (void)step(self); } else { ctx.depth = 3; }
    if (errno) puts("x");
}
CEDE_YIELDS void g4(cede_self *self);
void g4(cede_self *self) {
    while (cede_sleep(self, 1) == CEDE_OK) { if (get()) break; } // expect: tls-over-yield
}
CEDE_YIELDS void g5(cede_self *self);
void g5(cede_self *self) {
    cede_result r = cede_sleep(self, 1);
    if (r != CEDE_OK) { fprintf(stderr, "%s", strerror(errno)); return; }
    printf("%d", cede_errno);
}
