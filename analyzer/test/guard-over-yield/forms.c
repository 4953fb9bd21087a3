/* Locks of all kinds in macros, tables, scopes and helpers; each wrong form beside a right one. */
#include <cede/cede.h>
#include <pthread.h>
#include <threads.h>
#include <stdio.h>
#define PING(F) F(u64, n)
CEDE_MESSAGE(ping, PING);
#define CONF(F) F(u32, port) F(str, host)
CEDE_MESSAGE(conf, CONF);
struct box { cede_mutex lock; pthread_mutex_t m; mtx_t c11; pthread_spinlock_t spin; cede_rwlock *rw; cede_async_mutex *am; cede_rcu *rcu; int n; cede_ref peer; struct { cede_mutex lock; } in[2]; struct box *next; };
/* do/while(0) macros of users */
#define WITH_LOCK(l, body) do { cede_mutex_lock(l); body; cede_mutex_unlock(l); } while (0)
CEDE_YIELDS void a1(cede_self *self, struct box *b) {
    WITH_LOCK(&b->lock, { b->n++; cede_yield(self); }); // expect: guard-over-yield
}
CEDE_YIELDS void b1(cede_self *self, struct box *b) {
    WITH_LOCK(&b->lock, b->n++);
    cede_yield(self);
}
/* rcu */
CEDE_YIELDS cede_result a2(cede_self *self, struct box *b) {
    const struct conf *c = cede_rcu_enter(b->rcu, conf);
    uint32_t port = c->port;
    cede_result r = cede_sleep(self, CEDE_MILLIS(port)); // expect: guard-over-yield
    cede_rcu_leave(b->rcu);
    return r;
}
CEDE_YIELDS cede_result b2(cede_self *self, struct box *b) {
    const struct conf *c = cede_rcu_enter(b->rcu, conf);
    uint32_t port = c->port;
    cede_rcu_leave(b->rcu);
    return cede_sleep(self, CEDE_MILLIS(port));
}
/* early return with rcu held and later yield by caller? nested struct locks */
CEDE_YIELDS void a3(cede_self *self, struct box *b, int i) {
    cede_mutex_lock(&b->in[i & 1].lock);
    b->n = i;
    if (b->n > 2) { cede_yield(self); } // expect: guard-over-yield
    cede_mutex_unlock(&b->in[i & 1].lock);
}
CEDE_YIELDS void b3(cede_self *self, struct box *b, int i) {
    cede_mutex *l = &b->in[i & 1].lock;
    cede_mutex_lock(l);
    b->n = i;
    cede_mutex_unlock(l);
    if (b->n > 2) cede_yield(self);
}
/* async mutex may be held */
CEDE_YIELDS cede_result b4(cede_self *self, struct box *b) {
    cede_result r = cede_async_mutex_lock(self, b->am, CEDE_FOREVER);
    if (r != CEDE_OK) return r;
    cede_yield(self);
    cede_async_mutex_unlock(self, b->am);
    return CEDE_OK;
}
/* spin lock, c11 mtx */
CEDE_YIELDS void a5(cede_self *self, struct box *b) {
    pthread_spin_lock(&b->spin);
    b->n++;
    cede_yield(self); // expect: guard-over-yield
    pthread_spin_unlock(&b->spin);
}
CEDE_YIELDS void a6(cede_self *self, struct box *b) {
    if (mtx_lock(&b->c11) != thrd_success) return;
    cede_yield(self); // expect: guard-over-yield
    mtx_unlock(&b->c11);
}
CEDE_YIELDS void b6(cede_self *self, struct box *b) {
    if (mtx_lock(&b->c11) != thrd_success) { cede_yield(self); return; }
    b->n++;
    mtx_unlock(&b->c11);
    cede_yield(self);
}
/* function pointer that yields */
typedef CEDE_YIELDS cede_result step_fn(cede_self *self, void *arg);
CEDE_YIELDS cede_result a7(cede_self *self, struct box *b, step_fn *step) {
    pthread_mutex_lock(&b->m);
    cede_result r = step(self, b); // expect: guard-over-yield
    pthread_mutex_unlock(&b->m);
    return r;
}
typedef int plain_fn(struct box *b);
CEDE_YIELDS int b7(cede_self *self, struct box *b, plain_fn *f) {
    pthread_mutex_lock(&b->m);
    int r = f(b);
    pthread_mutex_unlock(&b->m);
    cede_yield(self);
    return r;
}
/* struct of ops */
struct ops { CEDE_YIELDS cede_result (*wait)(cede_self *self); void (*poke)(struct box *b); };
CEDE_YIELDS void a8(cede_self *self, struct box *b, const struct ops *ops) {
    cede_mutex_lock(&b->lock);
    ops->poke(b);
    if (ops->wait(self) == CEDE_OK) b->n = 1; // expect: guard-over-yield
    cede_mutex_unlock(&b->lock);
}
/* error path forgets unlock and then a caller yields */
static int refill(struct box *b) {
    pthread_mutex_lock(&b->m);
    if (b->n < 0) return -1;
    b->n = 10;
    pthread_mutex_unlock(&b->m);
    return 0;
}
CEDE_YIELDS cede_result a9(cede_self *self, struct box *b) {
    if (refill(b) != 0)
        return cede_sleep(self, 10); // expect: guard-over-yield
    return CEDE_OK;
}
static int refill_ok(struct box *b) {
    int r = -1;
    pthread_mutex_lock(&b->m);
    if (b->n < 0) goto out;
    b->n = 10;
    r = 0;
out:
    pthread_mutex_unlock(&b->m);
    return r;
}
CEDE_YIELDS cede_result b9(cede_self *self, struct box *b) {
    if (refill_ok(b) != 0)
        return cede_sleep(self, 10);
    return CEDE_OK;
}
/* GUARD type */
typedef struct CEDE_GUARD { struct box *b; } box_guard;
box_guard box_enter(struct box *b);
void box_leave(box_guard *g CEDE_RELEASED);
CEDE_YIELDS void a10(cede_self *self, struct box *b) {
    box_guard g = box_enter(b);
    cede_yield(self); // expect: guard-over-yield
    box_leave(&g);
}
CEDE_YIELDS void b10(cede_self *self, struct box *b) {
    {
        box_guard g = box_enter(b);
        b->n++;
        box_leave(&g);
    }
    cede_yield(self);
}
static void box_guard_end(box_guard *g) { box_leave(g); }
#define SCOPE __attribute__((cleanup(box_guard_end)))
CEDE_YIELDS void a11(cede_self *self, struct box *b) {
    SCOPE box_guard g = box_enter(b);
    b->n++;
    cede_yield(self); // expect: guard-over-yield
}
CEDE_YIELDS void b11(cede_self *self, struct box *b) {
    for (int i = 0; i < 3; i++) {
        SCOPE box_guard g = box_enter(b);
        b->n++;
    }
    cede_yield(self);
}
/* cond var wait loop in blocking: not yield */
void b12(struct box *b, pthread_cond_t *cv) {
    pthread_mutex_lock(&b->m);
    while (b->n == 0) pthread_cond_wait(cv, &b->m);
    pthread_mutex_unlock(&b->m);
}
/* if(0) yield */
CEDE_YIELDS void b13(cede_self *self, struct box *b) {
    cede_mutex_lock(&b->lock);
    if (0) cede_yield(self);
    b->n++;
    cede_mutex_unlock(&b->lock);
    cede_yield(self);
}
/* flag-correlated */
CEDE_YIELDS void b14(cede_self *self, struct box *b, bool hold) {
    bool locked = false;
    if (hold) { cede_mutex_lock(&b->lock); locked = true; }
    b->n++;
    if (locked) { cede_mutex_unlock(&b->lock); locked = false; }
    cede_yield(self);
}
/* rwlock cede: waits as an actor, may be held over a yield */
CEDE_YIELDS cede_result b15(cede_self *self, struct box *b, struct ping *p) {
    struct ping *a = NULL;
    cede_result r = cede_rwlock_read_lock(self, b->rw, CEDE_FOREVER);
    if (r != CEDE_OK) { cede_drop(self, &p); return r; }
    cede_ref to = b->peer;
    r = cede_ask(self, to, &p, ping, &a, CEDE_SECONDS(1));
    cede_rwlock_unlock(self, b->rw);
    cede_drop(self, &a);
    return r;
}
/* flockfile */
CEDE_YIELDS void a16(cede_self *self) {
    flockfile(stdout);
    putc_unlocked('x', stdout);
    cede_yield(self); // expect: guard-over-yield
    funlockfile(stdout);
}
/* lock via local array of pointers */
CEDE_YIELDS void a17(cede_self *self, struct box *a, struct box *b) {
    pthread_mutex_t *order[2] = {&a->m, &b->m};
    for (int i = 0; i < 2; i++) pthread_mutex_lock(order[i]);
    cede_yield(self); // expect: guard-over-yield
    for (int i = 1; i >= 0; i--) pthread_mutex_unlock(order[i]);
}
CEDE_YIELDS void b17(cede_self *self, struct box *a, struct box *b) {
    pthread_mutex_t *order[2] = {&a->m, &b->m};
    for (int i = 0; i < 2; i++) pthread_mutex_lock(order[i]);
    a->n = b->n;
    for (int i = 1; i >= 0; i--) pthread_mutex_unlock(order[i]);
    cede_yield(self);
}
/* channel recv while locked; statement expr */
#define GET(self, ch, m) ({ cede_result r_ = cede_channel_recv(self, ch, ping, m, CEDE_FOREVER); r_ == CEDE_OK; })
CEDE_YIELDS void a18(cede_self *self, struct box *b, cede_channel_receiver *ch) {
    struct ping *m = NULL;
    cede_mutex_lock(&b->lock);
    if (GET(self, ch, &m)) b->n = (int)m->n; // expect: guard-over-yield
    cede_mutex_unlock(&b->lock);
    cede_drop(self, &m);
}
/* send under lock isn't a yield; send_wait is */
cede_result b19(cede_self *self, struct box *b, struct ping *p) {
    cede_mutex_lock(&b->lock);
    cede_result r = cede_send(self, b->peer, &p);
    cede_mutex_unlock(&b->lock);
    return r;
}
CEDE_YIELDS cede_result a19(cede_self *self, struct box *b, struct ping *p) {
    cede_mutex_lock(&b->lock);
    cede_result r = cede_send_wait(self, b->peer, &p, CEDE_FOREVER); // expect: guard-over-yield
    cede_mutex_unlock(&b->lock);
    return r;
}
