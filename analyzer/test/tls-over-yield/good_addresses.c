/* Addresses that are taken afresh, or are not kept. */
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
    int *other;
    int n;
};

CEDE_YIELDS void pause_here(cede_self *self CEDE_BORROWED);
void use(int v);
void fix(struct conn *c);

CEDE_YIELDS static void early(cede_self *self, int *p) {
    *p = 1;
    pause_here(self);
}

CEDE_YIELDS void param(cede_self *self) {
    early(self, &depth);
}

CEDE_YIELDS static void late(cede_self *self, int *p) {
    pause_here(self);
    *p = 1;
}

CEDE_YIELDS void plain_param(cede_self *self) {
    int x = 0;
    late(self, &x);
    use(x);
    use(depth);
}

CEDE_YIELDS void in_state(cede_self *self, struct conn *c) {
    c->err = &errno;
    use(*c->err);
    c->err = &c->n;
    pause_here(self);
    use(*c->err);
}

CEDE_YIELDS void other_member(cede_self *self, struct conn *c) {
    c->err = &errno;
    c->other = &c->n;
    pause_here(self);
    use(*c->other);
}

CEDE_YIELDS void fixed_by(cede_self *self, struct conn *c) {
    c->err = &errno;
    pause_here(self);
    fix(c);
    use(*c->err);
}

CEDE_YIELDS void two_structs(cede_self *self) {
    int x = 0;
    struct conn a = {&depth, NULL, 0}, b = {&x, NULL, 0};
    use(*a.err);
    pause_here(self);
    use(*b.err);
}

__attribute__((noinline)) static struct arena *my_arena(void) {
    return &arena;
}

CEDE_YIELDS void fresh_each(cede_self *self) {
    my_arena()->used++;
    pause_here(self);
    my_arena()->used--;
}

CEDE_YIELDS void refetched(cede_self *self) {
    struct arena *a = my_arena();
    a->used++;
    pause_here(self);
    a = my_arena();
    a->used--;
}
static struct conn pool[3];

static struct conn *my_conn(int i) {
    return &pool[i];
}

CEDE_YIELDS void not_tls(cede_self *self) {
    struct conn *c = my_conn(depth);
    pause_here(self);
    c->n++;
}

static int sum(const int *p) {
    return p[0] + p[1];
}

CEDE_YIELDS void copies(cede_self *self) {
    int n = arena.used;
    char b[64];
    memcpy(b, arena.buf, 64);
    pause_here(self);
    use(n + b[0]);
}

CEDE_YIELDS void before_only(cede_self *self) {
    int x[2] = {depth, errno};
    use(sum(x));
    pause_here(self);
    use(sum(x));
}
