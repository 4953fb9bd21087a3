/* Thread-locals in loops, callees, expressions and function statics. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <unistd.h>
#include <cede/cede.h>
static thread_local int depth;
__thread long ticks;
extern _Thread_local char name[32];

struct ctx {
    int a;
    int b[4];

    struct {
        int z;
    } in;
};
static _Thread_local struct ctx ctx;
static _Thread_local struct ctx *current;
CEDE_YIELDS void pause_here(cede_self *self CEDE_BORROWED);
void use(int v);

CEDE_YIELDS int fs(cede_self *self) {
    static _Thread_local int calls;
    calls++;
    cede_yield(self);
    return calls; // expect: tls-over-yield
}

CEDE_YIELDS int fs2(cede_self *self) {
    static __thread int calls = 3;
    int n = calls;
    pause_here(self);
    calls = n + 1; // expect: tls-over-yield
    return n;
}

CEDE_YIELDS void prev_iter(cede_self *self, int n) {
    for (int i = 0; i < n; i++) {
        depth += i; // expect: tls-over-yield
        cede_yield(self);
    }
}

CEDE_YIELDS void prev_iter2(cede_self *self, int n) {
    do {
        if (errno == EINTR) // expect: tls-over-yield
            continue;
        pause_here(self);
    } while (n-- > 0);
}

CEDE_YIELDS void prev_iter3(cede_self *self, int n) {
    int i = 0;
    while (i++ < n) {
        if (i > 1)
            cede_yield(self);
        ticks++; // expect: tls-over-yield
    }
}

CEDE_YIELDS int cond(cede_self *self) {
    use(errno);
    return cede_sleep(self, 1) == CEDE_OK ? errno : 0; // expect: tls-over-yield
}

CEDE_YIELDS int same_expr(cede_self *self) {
    return errno + (cede_yield(self), errno); // expect: tls-over-yield
}

CEDE_YIELDS int logical(cede_self *self) {
    return depth > 0 && cede_sleep(self, 1) == CEDE_OK && depth > 1; // expect: tls-over-yield
}

CEDE_YIELDS void addr_array(cede_self *self) {
    char *p = name;
    pause_here(self);
    p[0] = 0; // expect: tls-over-yield
}

CEDE_YIELDS void addr_elem(cede_self *self) {
    char *p = &name[4];
    pause_here(self);
    *p = 0; // expect: tls-over-yield
}

CEDE_YIELDS void addr_field(cede_self *self) {
    int *p = &ctx.in.z;
    pause_here(self);
    use(*p); // expect: tls-over-yield
}

CEDE_YIELDS void addr_field_arr(cede_self *self) {
    int *p = ctx.b;
    pause_here(self);
    use(p[2]); // expect: tls-over-yield
}

CEDE_YIELDS void addr_copy(cede_self *self) {
    struct ctx *p = &ctx, *q;
    q = p;
    pause_here(self);
    q->a = 1; // expect: tls-over-yield
}

CEDE_YIELDS void addr_cast(cede_self *self) {
    void *p = (void *)&ctx;
    pause_here(self);
    use(((struct ctx *)p)->a); // expect: tls-over-yield
}

CEDE_YIELDS void addr_uintptr(cede_self *self) {
    uintptr_t p = (uintptr_t)&depth;
    pause_here(self);
    *(int *)p = 2; // expect: tls-over-yield
}

CEDE_YIELDS void addr_struct(cede_self *self) {
    struct {
        int *p;
    } h = {&depth};

    pause_here(self);
    *h.p = 2; // expect: tls-over-yield
}

CEDE_YIELDS void addr_array_of(cede_self *self) {
    int *h[2] = {&depth, NULL};
    pause_here(self);
    *h[0] = 2; // expect: tls-over-yield
}

static int *depth_place(void) {
    return &depth;
}

CEDE_YIELDS void addr_helper(cede_self *self) {
    int *p = depth_place();
    pause_here(self);
    *p = 2; // expect: tls-over-yield
}

static inline int get_errno(void) {
    return errno;
}

static inline void set_errno(int e) {
    errno = e;
}

CEDE_YIELDS int inl(cede_self *self) {
    set_errno(0);
    pause_here(self);
    return get_errno(); // expect: tls-over-yield
}

static void set2(int e) {
    set_errno(e);
}

CEDE_YIELDS int inl2(cede_self *self) {
    set2(0);
    pause_here(self);
    return errno; // expect: tls-over-yield
}

static void nap(cede_self *self) {
    cede_yield(self);
}

static void nap2(cede_self *self) {
    nap(self);
}

CEDE_YIELDS int undeclared(cede_self *self) {
    ticks = 1;
    nap2(self);
    return (int)ticks; // expect: tls-over-yield
}

CEDE_YIELDS static void use_and_yield(cede_self *self) {
    depth = 1;
    cede_yield(self);
}

CEDE_YIELDS int callee_uses_first(cede_self *self) {
    use_and_yield(self);
    return depth; // expect: tls-over-yield
}

CEDE_YIELDS void callee_twice(cede_self *self) {
    use_and_yield(self);
    use_and_yield(self); // expect: tls-over-yield
}

CEDE_YIELDS void ptr_var(cede_self *self) {
    use(current->a);
    pause_here(self);
    use(current->a); // expect: tls-over-yield
}

#define LAST_ERROR() (errno)

CEDE_YIELDS int macro(cede_self *self) {
    if (LAST_ERROR() == 3)
        return 0;
    pause_here(self);
    return LAST_ERROR(); // expect: tls-over-yield
}

CEDE_YIELDS void perr(cede_self *self) {
    errno = 0;
    pause_here(self);
    if (errno != 0) // expect: tls-over-yield
        perror("x");
}

CEDE_YIELDS void sw(cede_self *self, int k) {
    switch (k) {
    case 0:
        depth = 1;
        pause_here(self);
        break;
    case 1:
        pause_here(self);
        break;
    }
    use(depth); // expect: tls-over-yield
}

CEDE_YIELDS void inc(cede_self *self) {
    int saved = errno;
    pause_here(self);
    errno = saved; // expect: tls-over-yield
}
