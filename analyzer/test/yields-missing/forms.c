/* Yields in every form of an expression, and functions that yield in every form of a table. */
#include <cede/cede.h>
#define PING(F) F(u64, n)
CEDE_MESSAGE(ping, PING);
struct st { int n; };
/* in macro, ternary, switch, statement expr, for-increment, comma, loops */
#define PAUSE(s) do { cede_yield(s); } while (0)
void a1(cede_self *self) { PAUSE(self); } // expect: yields-missing
int a2(cede_self *self, int k) { return k ? (cede_yield(self), 1) : 0; } // expect: yields-missing
int a3(cede_self *self) { return ({ cede_yield(self); 3; }); } // expect: yields-missing
void a4(cede_self *self) { for (int i = 0; i < 3; cede_yield(self), i++) {} } // expect: yields-missing
/* handler in the table */
static cede_result on_ping(cede_self *self, struct st *s, struct ping *p) { // expect: yields-missing
    (void)p; s->n++;
    return cede_sleep(self, 1);
}
#define ST(ON) ON(ping, on_ping)
CEDE_BEHAVIOUR(st, struct st, ST);
/* array typedef pointers */
typedef void op_fn(cede_self *);
typedef op_fn *op_ptr;
CEDE_YIELDS static void y(cede_self *self) { cede_yield(self); }
static op_ptr table[] = {y, NULL}; // expect: yields-missing
static const struct { const char *name; op_fn *fn; } named[] = {{"y", y}, {"none", NULL}}; // expect: yields-missing
static op_fn *const *list = (op_fn *const[]){y}; // expect: yields-missing
void a6(op_fn *f);
void a7(void) { a6(y); } // expect: yields-missing
void a8(cede_self *self) { (&y)(self); } // expect: yields-missing
void a9(cede_self *self) { (*y)(self); } // expect: yields-missing
void a10(cede_self *self) { _Generic(self, cede_self *: y, default: NULL)(self); } // expect: yields-missing
/* a ternary of functions called */
CEDE_YIELDS static void y2(cede_self *self) { cede_yield(self); }
void a11(cede_self *self, int k) { (k ? y : y2)(self); } // expect: yields-missing
/* mutual recursion */
static void ping1(cede_self *self, int n);
static void pong1(cede_self *self, int n) { if (n > 0) ping1(self, n - 1); } // expect: yields-missing
static void ping1(cede_self *self, int n) { cede_yield(self); pong1(self, n); } // expect: yields-missing
/* declared on prototype only: fine */
CEDE_YIELDS void b1(cede_self *self);
void b1(cede_self *self) { cede_yield(self); }
/* returned function pointer */
static op_fn *choose(void) { return y; } // expect: yields-missing
typedef CEDE_YIELDS void yop_fn(cede_self *);
static yop_fn *choose2(void) { return y; }
CEDE_YIELDS void b2(cede_self *self) { choose2()(self); }
void a12(cede_self *self) { choose2()(self); } // expect: yields-missing
static yop_fn *const ytable[] = {y, y2};
CEDE_YIELDS void b3(cede_self *self, int i) { ytable[i & 1](self); }
void a13(cede_self *self, int i) { ytable[i & 1](self); } // expect: yields-missing
struct reg { yop_fn *f; struct { op_fn *g; } in; };
void b4(struct reg *r) { r->f = y; }
void a14(struct reg *r) { r->in.g = y; } // expect: yields-missing
void a15(struct reg *r) { *r = (struct reg){.f = y, .in.g = y2}; } // expect: yields-missing
void a16(struct reg *r) { r->in.g = r->f; } // expect: yields-missing
static void b5(struct reg *r) { yop_fn *f = r->f; struct reg n = {.f = f}; *r = n; (void)choose; (void)table; (void)named; (void)list; b4(r); }
void b6(struct reg *r) { b5(r); }
/* if (0) */
void b7(cede_self *self) { if (0) cede_yield(self); }
/* const, volatile */
static op_fn *volatile vf;
void a17(void) { vf = y; } // expect: yields-missing
/* noyield */
CEDE_NOYIELD int a18(cede_self *self) { cede_yield(self); return 1; } // expect: yields-missing
/* cast explicit is the author's word */
void b8(void) { op_fn *f = (op_fn *)y; (void)f; }
/* nested function pointers to function taking pointer */
CEDE_YIELDS static void run_each(cede_self *self, yop_fn *f) { f(self); }
CEDE_YIELDS void b9(cede_self *self) { run_each(self, y); }
/* defer: */
static void tidy(cede_self *self, void *arg) { (void)self; (void)arg; }
cede_result b10(cede_self *self) { return cede_defer(self, tidy, NULL); }
