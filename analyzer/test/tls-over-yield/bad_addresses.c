/* Addresses of thread-locals in parameters, structs and results. */
#include <errno.h>
#include <string.h>
#include <cede/cede.h>
static _Thread_local int depth;

static _Thread_local struct arena {
    char *top;
    int used;
    char buf[64];
} arena;

struct conn {
    int *err;
    int n;
};

CEDE_YIELDS void pause_here(cede_self *self CEDE_BORROWED);
void use(int v);

CEDE_YIELDS static void late(cede_self *self, int *p) {
    pause_here(self);
    *p = 1;
}

CEDE_YIELDS void param(cede_self *self) {
    late(self, &depth); // expect: tls-over-yield
}

CEDE_YIELDS void param2(cede_self *self) {
    int *p = &depth;
    late(self, p); // expect: tls-over-yield
}

CEDE_YIELDS void param_errno(cede_self *self) {
    late(self, &errno); // expect: tls-over-yield
}

CEDE_YIELDS void in_state(cede_self *self, struct conn *c) {
    c->err = &errno;
    pause_here(self);
    use(*c->err); // expect: tls-over-yield
}

CEDE_YIELDS void member_local(cede_self *self) {
    struct conn c = {.err = NULL};
    c.err = &depth;
    pause_here(self);
    use(*c.err); // expect: tls-over-yield
}

static struct arena *my_arena(void) {
    return &arena;
}

CEDE_YIELDS void helper_addr(cede_self *self) {
    struct arena *a = my_arena();
    a->used++;
    pause_here(self);
    a->used--; // expect: tls-over-yield
}

__attribute__((noinline)) static struct arena *noinline_arena(void) {
    return &arena;
}

CEDE_YIELDS void helper_addr2(cede_self *self) {
    struct arena *a = noinline_arena();
    a->used++;
    pause_here(self);
    a->used--; // expect: tls-over-yield
}

CEDE_YIELDS void loop_addr(cede_self *self, int n) {
    struct arena *a = &arena;
    while (n-- > 0) {
        a->used++; // expect: tls-over-yield
        pause_here(self);
    }
}

CEDE_YIELDS void for_cond(cede_self *self) {
    for (depth = 0; depth < 3; depth++) // expect: tls-over-yield
        pause_here(self);
}

CEDE_YIELDS int ret_ternary(cede_self *self, int k) {
    int *p = k ? &depth : NULL;
    pause_here(self);
    return p ? *p : 0; // expect: tls-over-yield
}

static int bump(void) {
    return ++depth;
}

CEDE_YIELDS int nested_args(cede_self *self) {
    int a = bump();
    pause_here(self);
    int b = bump(); // expect: tls-over-yield
    return a + b;
}

CEDE_YIELDS void through_ask(cede_self *self, cede_ref to, uint64_t t) {
    if (depth++ > 0)
        return;
    (void)cede_sleep(self, t);
    depth--; // expect: tls-over-yield
}
