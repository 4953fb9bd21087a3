/* Handlers, recursion, macros, tables and pointers that hide a yield. */
#include <cede/cede.h>
#define PING(F) F(u64, n)
CEDE_MESSAGE(ping, PING);
#define PONG(F) F(u64, n)
CEDE_MESSAGE(pong, PONG);

struct st {
    cede_ref peer;
    int n;
};

static cede_result on_ping(cede_self *self, struct st *st, struct ping *m) { // expect: yields-missing
    struct pong *a = NULL;
    cede_result r = cede_ask(self, st->peer, &m, pong, &a, CEDE_FOREVER);
    cede_drop(self, &a);
    return r;
}

#define ST(ON) ON(ping, on_ping)
CEDE_BEHAVIOUR(st, struct st, ST);

static inline void helper(cede_self *self) { // expect: yields-missing
    cede_yield(self);
}

void outer(cede_self *self); // expect-fix: CEDE_YIELDS void outer

void outer(cede_self *self) { // expect: yields-missing
    helper(self);
}

static int             // expect-fix: CEDE_YIELDS static int
split(cede_self *self) // expect: yields-missing
{
    return cede_sleep(self, 1) == CEDE_OK;
}

__attribute__((unused)) static void attr(cede_self *self) { // expect: yields-missing
    cede_yield(self);
}

static void rec_a(cede_self *self, int n);

static void rec_b(cede_self *self, int n) { // expect: yields-missing
    if (n)
        rec_a(self, n - 1);
}

static void rec_a(cede_self *self, int n) { // expect: yields-missing
    rec_b(self, n);
    cede_yield(self);
}

#define DEFINE_STEP(name)               \
    static void name(cede_self *self) { \
        cede_yield(self);               \
    }
DEFINE_STEP(step_a) // expect: yields-missing
typedef void plain_fn(cede_self *self);
typedef CEDE_YIELDS void yield_fn(cede_self *self);

void by_ptr(cede_self *self, yield_fn *f) { // expect: yields-missing
    f(self);
}

struct table {
    void (*go)(cede_self *);
    CEDE_YIELDS void (*wait)(cede_self *);
};

CEDE_YIELDS static void good(cede_self *self) {
    cede_yield(self);
}
static const struct table t1 = {
    .go = good, // expect: yields-missing
    .wait = good,
};
static struct table t2 = {
    good, // expect: yields-missing
    good};
static void (*const list[])(cede_self *) = {good}; // expect: yields-missing

void assign(struct table *t) {
    t->go = good; // expect: yields-missing
    t->wait = good;
}

void passes(plain_fn *f);

void pass(void) {
    passes(good); // expect: yields-missing
}

plain_fn *ret(void) {
    return good; // expect: yields-missing
}

void addr(void) {
    plain_fn *f = &good; // expect: yields-missing
    (void)f;
}

CEDE_NOYIELD void promise(cede_self *self) {
    cede_yield(self); // expect: yields-missing
}

CEDE_NOYIELD void promise2(cede_self *self) {
    helper(self); // expect: yields-missing
}

void in_stmt_expr(cede_self *self) { // expect: yields-missing
    int x = ({ cede_yield(self); 3; });
    (void)x;
}

void in_cond(cede_self *self, int n) { // expect: yields-missing
    for (; n && cede_sleep(self, 1) == CEDE_OK; n--)
        ;
}

void by_call_table(cede_self *self, struct table *t) { // expect: yields-missing
    t->wait(self);
}

void use_all(void);

void use_all(void) {
    (void)t1;
    (void)t2;
    (void)list;
    (void)split;
    (void)attr;
    (void)step_a;
    (void)rec_a;
}

CEDE_YIELDS int ok_main(cede_self *self, int argc, char **argv);

int ok_main(cede_self *self, int argc, char **argv) {
    (void)argc, (void)argv;
    cede_yield(self);
    return 0;
}

int main(int argc, char **argv) {
    (void)argc;
    (void)argv;
    return 0;
}
