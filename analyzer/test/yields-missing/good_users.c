/* Declared, or never run. */
#include <cede/cede.h>

CEDE_YIELDS static void a(cede_self *self) {
    cede_yield(self);
}

CEDE_YIELDS void b(cede_self *self);

void b(cede_self *self) {
    a(self);
}

typedef CEDE_YIELDS void yield_fn(cede_self *self);
static yield_fn c;

static void c(cede_self *self) {
    a(self);
}

struct ops {
    yield_fn *f;
    CEDE_YIELDS void (*g)(cede_self *);
};
static const struct ops ops = {.f = a, .g = c};

CEDE_YIELDS void run(cede_self *self, const struct ops *o) {
    o->f(self);
    o->g(self);
}

void not_called(cede_self *self) {
    (void)sizeof(cede_sleep(self, 1));
    (void)self;
}

int generic(cede_self *self);

int generic(cede_self *self) {
    (void)self;
    return _Generic(cede_sleep(self, 1), cede_result: 1, default: 2);
}

void cast(void);

void cast(void) {
    void (*f)(cede_self *) = (void (*)(cede_self *))a;
    (void)f;
}

void address_of(void);

void address_of(void) {
    yield_fn *f = a;
    yield_fn *fs[2] = {a, &b};
    (void)f;
    (void)fs;
}

void null_ptr(void);

void null_ptr(void) {
    void (*f)(cede_self *) = NULL;
    (void)f;
}

CEDE_YIELDS int entry(cede_self *self, int argc, char **argv);

int entry(cede_self *self, int argc, char **argv) {
    (void)argc;
    (void)argv;
    run(self, &ops);
    return 0;
}

void compare(yield_fn *f);

void compare(yield_fn *f) {
    if (f == a)
        return;
}

void use(void);

void use(void) {
    (void)not_called;
}

CEDE_NOYIELD static int pure(int x) {
    return x + 1;
}

CEDE_NOYIELD int pure2(int x) {
    return pure(x);
}
#if 0
void disabled(cede_self *self) { cede_yield(self); }
#endif
#ifdef NEVER
void disabled2(cede_self *self) {
    cede_yield(self);
}
#else
CEDE_YIELDS void disabled2(cede_self *self) {
    cede_yield(self);
}
#endif
static cede_result body(cede_self *self, int argc, char **argv) {
    (void)self;
    (void)argc;
    (void)argv;
    return CEDE_OK;
}

int main(int argc, char **argv) {
    return cede_main(argc, argv, body);
}
