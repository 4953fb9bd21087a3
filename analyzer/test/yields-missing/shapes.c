/* Colours lost in pointers to pointers, tables, compound literals and results. */
#include <cede/cede.h>

struct st {
    int n;
};

typedef cede_result (*op)(cede_self *);
typedef CEDE_YIELDS cede_result (*yop)(cede_self *);

static cede_result step(cede_self *self) { // expect: yields-missing
    return cede_sleep(self, 1);
}

CEDE_YIELDS static cede_result ystep(cede_self *self) {
    return cede_sleep(self, 1);
}

cede_result go(cede_self *self, yop o);

cede_result go(cede_self *self, yop o) { // expect: yields-missing
    return o(self);
}

void set(op *o);

void set(op *o) {
    *o = ystep; // expect: yields-missing
}

void set2(yop *o);

void set2(yop *o) {
    *o = ystep;
}

static op ops[2];
void set3(int i);

void set3(int i) {
    ops[i] = i ? ystep : NULL; // expect: yields-missing
}

static yop yops[2] = {ystep, step};
op get(void);

op get(void) {
    return ystep; // expect: yields-missing
}

yop yget(void);

yop yget(void) {
    return yops[0];
}

extern inline cede_result ext(cede_self *self) { // expect: yields-missing
    return step(self);
}

cede_result lam(cede_self *self);

cede_result lam(cede_self *self) { // expect: yields-missing
    if (self) {
        while (1) {
            switch (3) {
            case 3:
                return step(self);
            }
        }
    }
    return CEDE_OK;
}

void *as_void(void);

void *as_void(void) {
    return (void *)ystep;
}

static cede_result work(void *m) {
    (void)m;
    return CEDE_OK;
}

#define PING(F) F(u64, n)
CEDE_MESSAGE(ping, PING);
CEDE_YIELDS cede_result blocks(cede_self *self, struct ping *m);

CEDE_YIELDS cede_result blocks(cede_self *self, struct ping *m) {
    return cede_run_blocking(self, work, &m);
}
#ifdef WITH_YIELD
void maybe(cede_self *self) {
    cede_yield(self);
}
#else
void maybe(cede_self *self);

void maybe(cede_self *self) {
    (void)self;
}
#endif
CEDE_NOYIELD static void quick(cede_self *self) {
    maybe(self);
}

struct cb {
    op *list;

    struct {
        op one;
        yop two;
    } in;
};

void cbs(struct cb *c);

void cbs(struct cb *c) {
    c->in.two = ystep;
    c->in.one = ystep; // expect: yields-missing
    quick(NULL);
}

void cbs2(struct cb *c);

void cbs2(struct cb *c) {
    *c = (struct cb){.in = {.one = ystep}}; // expect: yields-missing
}
