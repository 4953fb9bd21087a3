/* Messages in structs, tables, lists and cleanups; each wrong form beside a right one. */
#include "../parcel.h"
struct session { struct parcel *p; struct { struct parcel *q; } sub; struct parcel *arr[3]; };
static struct parcel *last_seen;
/* leak on error path after goto */
cede_result m1(cede_self *self, struct depot *d, const char *text) {
    cede_result r = CEDE_OK;
    struct parcel *p = cede_new(self, parcel); // expect: message-leak
    if (p == NULL) return CEDE_ENOMEM;
    if ((r = cede_str_set(&p->address, text)) != CEDE_OK) goto out;
    r = cede_send(self, d->next, &p);
    if (r != CEDE_OK) cede_drop(self, &p);
out:
    return r;
}
cede_result n1(cede_self *self, struct depot *d, const char *text) {
    cede_result r = CEDE_OK;
    struct parcel *p = cede_new(self, parcel);
    if (p == NULL) return CEDE_ENOMEM;
    if ((r = cede_str_set(&p->address, text)) != CEDE_OK) goto out;
    r = cede_send(self, d->next, &p);
out:
    cede_drop(self, &p);
    return r;
}
/* in struct */
cede_result m2(cede_self *self, bool go, cede_ref to) {
    struct session s = {0};
    s.p = cede_new(self, parcel); // expect: message-leak
    if (s.p == NULL) return CEDE_ENOMEM;
    if (!go) return CEDE_OK;
    return cede_send(self, to, &s.p);
}
cede_result n2(cede_self *self, bool go, cede_ref to) {
    struct session s = {0};
    s.p = cede_new(self, parcel);
    if (s.p == NULL) return CEDE_ENOMEM;
    cede_result r = go ? cede_send(self, to, &s.p) : CEDE_OK;
    cede_drop(self, &s.p);
    return r;
}
/* state through nested struct field with typedef */
typedef struct { struct { struct parcel *p; } slot[2]; int used; } store_t;
static cede_result on_parcel(cede_self *self, store_t *st, struct parcel *p) {
    (void)self;
    st->slot[st->used & 1].p = p; // expect: message-leak
    st->used++;
    return CEDE_OK;
}
#define STORE(ON) ON(parcel, on_parcel)
CEDE_BEHAVIOUR(store, store_t, STORE);
static cede_result on_parcel_ok(cede_self *self, store_t *st, struct parcel *p) {
    cede_drop(self, &st->slot[st->used & 1].p);
    st->slot[st->used & 1].p = cede_keep(self, &p);
    st->used++;
    return CEDE_OK;
}
#define STORE2(ON) ON(parcel, on_parcel_ok)
CEDE_BEHAVIOUR(store2, store_t, STORE2);
/* switch with one case forgotten */
cede_result m3(cede_self *self, cede_ref to, int k) {
    struct ack *a = cede_new(self, ack); // expect: message-leak
    if (a == NULL) return CEDE_ENOMEM;
    switch (k) {
    case 0: return cede_send(self, to, &a);
    case 1: cede_drop(self, &a); return CEDE_OK;
    default: return CEDE_EINVAL;
    }
}
/* recv in loop with break */
CEDE_YIELDS cede_result m4(cede_self *self) {
    uint64_t sum = 0;
    for (;;) {
        struct ack *a = NULL;
        cede_result r = cede_recv(self, ack, &a, CEDE_SECONDS(1)); // expect: message-leak
        if (r != CEDE_OK) return r;
        if (!a->ok) break;
        sum += a->id;
        cede_drop(self, &a);
    }
    note(sum);
    return CEDE_OK;
}
CEDE_YIELDS cede_result n4(cede_self *self) {
    uint64_t sum = 0;
    bool more = true;
    while (more) {
        struct ack *a = NULL;
        cede_result r = cede_recv(self, ack, &a, CEDE_SECONDS(1));
        if (r != CEDE_OK) return r;
        more = a->ok;
        sum += a->id;
        cede_drop(self, &a);
    }
    note(sum);
    return CEDE_OK;
}
/* macro */
#define MAKE(var, T) struct T *var = cede_new(self, T); if (var == NULL) return CEDE_ENOMEM
cede_result m5(cede_self *self, cede_ref to, bool x) {
    MAKE(p, parcel); // expect: message-leak
    p->id = 1;
    if (x) return CEDE_EINVAL;
    return cede_send(self, to, &p);
}
/* two messages; second fails */
cede_result m6(cede_self *self, struct depot *d) {
    struct parcel *p = cede_new(self, parcel); // expect: message-leak
    if (p == NULL) return CEDE_ENOMEM;
    struct ack *a = cede_new(self, ack);
    if (a == NULL) return CEDE_ENOMEM;
    cede_result r = cede_send(self, d->next, &a);
    cede_drop(self, &a);
    if (r == CEDE_OK) r = cede_send(self, d->next, &p);
    cede_drop(self, &p);
    return r;
}
/* copy forgotten */
cede_result m7(cede_self *self, struct parcel *p) {
    struct parcel *c = NULL;
    cede_result r = cede_copy(self, parcel, p, &c); // expect: message-leak
    if (r != CEDE_OK) return r;
    note(c->id);
    return CEDE_OK;
}
/* helper that makes, returned through out param, caller forgets */
static cede_result make(cede_self *self, struct ack **out, uint64_t id) {
    struct ack *a = cede_new(self, ack); // expect: message-leak
    if (a == NULL) return CEDE_ENOMEM;
    a->id = id;
    *out = a;
    return CEDE_OK;
}
cede_result m8(cede_self *self, cede_ref to, bool hush) {
    struct ack *a = NULL;
    cede_result r = make(self, &a, 2);
    if (r != CEDE_OK) return r;
    if (hush) return CEDE_OK;
    return cede_send(self, to, &a);
}
/* helper drops or sends inside */
static void finish(cede_self *self, cede_ref to, struct ack *a) { if (cede_send(self, to, &a) != CEDE_OK) cede_drop(self, &a); }
cede_result n8(cede_self *self, cede_ref to) {
    struct ack *a = NULL;
    cede_result r = make(self, &a, 2);
    if (r != CEDE_OK) return r;
    finish(self, to, a);
    return CEDE_OK;
}
/* cleanup attribute drops */
struct owned_ack { cede_self *self; struct ack *a; };
static void owned_ack_end(struct owned_ack *o) { cede_drop(o->self, &o->a); }
cede_result n9(cede_self *self, cede_ref to, bool x) {
    __attribute__((cleanup(owned_ack_end))) struct owned_ack o = {self, cede_new(self, ack)};
    if (o.a == NULL) return CEDE_ENOMEM;
    if (x) return CEDE_EINVAL;
    return cede_send(self, to, &o.a);
}
/* ternary new */
cede_result m10(cede_self *self, cede_ref to, bool x, struct ack *in) {
    struct ack *a = x ? cede_new(self, ack) : in; // expect: message-leak
    if (a == NULL) return CEDE_ENOMEM;
    if (a->ok) return CEDE_OK;
    return cede_send(self, to, &a);
}
/* global */
static cede_result on_ack(cede_self *self, struct depot *d, struct ack *a) { (void)self; d->count += a->id; return CEDE_OK; }
static cede_result on_p(cede_self *self, struct depot *d, struct parcel *p) { (void)self; (void)d; last_seen = p; // expect: message-leak
    return CEDE_OK; }
#define DEPOT(ON) ON(ack, on_ack) ON(parcel, on_p)
CEDE_BEHAVIOUR(depot, struct depot, DEPOT);
/* part of a message left in state */
struct view { const char *text; uint8_t *key; };
static cede_result on_view(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    v->text = cede_str_text(&p->address); // expect: message-leak
    return CEDE_OK;
}
#define VIEW(ON) ON(parcel, on_view)
CEDE_BEHAVIOUR(view, struct view, VIEW);
static cede_result on_view2(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    v->key = p->key; // expect: message-leak
    return CEDE_OK;
}
#define VIEW2(ON) ON(parcel, on_view2)
CEDE_BEHAVIOUR(view2, struct view, VIEW2);
/* list in state: node with message: kept */
struct node { struct parcel *p; struct node *next; };
struct q { struct node *head; };
static cede_result on_q(cede_self *self, struct q *q, struct parcel *p) {
    struct node *n = malloc(sizeof *n);
    if (n == NULL) return CEDE_ENOMEM;
    n->p = cede_keep(self, &p);
    n->next = q->head;
    q->head = n;
    return CEDE_OK;
}
#define Q(ON) ON(parcel, on_q)
CEDE_BEHAVIOUR(q, struct q, Q);
static cede_result on_q2(cede_self *self, struct q *q, struct parcel *p) {
    (void)self;
    struct node *n = malloc(sizeof *n);
    if (n == NULL) return CEDE_ENOMEM;
    n->p = p; // expect: message-leak
    n->next = q->head;
    q->head = n;
    return CEDE_OK;
}
#define Q2(ON) ON(parcel, on_q2)
CEDE_BEHAVIOUR(q2, struct q, Q2);
/* new in for-init and unconditional */
void m11(cede_self *self, cede_ref to, int n) {
    for (int i = 0; i < n; i++) {
        struct ack *a = cede_new(self, ack); // expect: message-leak
        if (a == NULL) continue;
        a->id = (uint64_t)i;
        if (i == 3) continue;
        if (cede_send(self, to, &a) != CEDE_OK) cede_drop(self, &a);
    }
}
void n11(cede_self *self, cede_ref to, int n) {
    for (int i = 0; i < n; i++) {
        struct ack *a = cede_new(self, ack);
        if (a == NULL) continue;
        a->id = (uint64_t)i;
        if (i == 3) { cede_drop(self, &a); continue; }
        if (cede_send(self, to, &a) != CEDE_OK) cede_drop(self, &a);
    }
}
/* stash / put_back / freeze / timer */
cede_result n12(cede_self *self, struct parcel **out) {
    struct parcel *p = cede_new(self, parcel);
    if (p == NULL) return CEDE_ENOMEM;
    cede_result r = cede_put_back(self, &p);
    if (r != CEDE_OK) cede_drop(self, &p);
    *out = NULL;
    return r;
}
cede_result n13(cede_self *self, cede_ref to) {
    struct parcel *p = cede_new(self, parcel);
    if (p == NULL) return CEDE_ENOMEM;
    struct parcel *q = cede_new(self, parcel);
    if (q == NULL) { cede_drop(self, &p); return CEDE_ENOMEM; }
    struct parcel *both[] = {p, q};
    for (unsigned i = 0; i < 2; i++)
        if (cede_send(self, to, &both[i]) != CEDE_OK) cede_drop(self, &both[i]);
    return CEDE_OK;
}
/* returned in struct */
static struct session open_session(cede_self *self) { struct session s = {0}; s.p = cede_new(self, parcel); return s; }
cede_result n14(cede_self *self, cede_ref to) {
    struct session s = open_session(self);
    if (s.p == NULL) return CEDE_ENOMEM;
    cede_result r = cede_send(self, to, &s.p);
    cede_drop(self, &s.p);
    return r;
}
struct session n15(cede_self *self) { struct session s = {0}; s.p = cede_new(self, parcel); return s; }
/* given to job via void* thread arg in another file */
int submit(void (*run)(void *), void *arg);
static void run_it(void *arg) { (void)arg; }
cede_result n16(cede_self *self) {
    struct parcel *p = cede_new(self, parcel);
    if (p == NULL) return CEDE_ENOMEM;
    return submit(run_it, p) == 0 ? CEDE_OK : CEDE_EFAILED;
}
/* assert */
#include <assert.h>
cede_result n17(cede_self *self, cede_ref to) {
    struct parcel *p = cede_new(self, parcel);
    assert(p != NULL);
    return cede_send(self, to, &p);
}
/* awaits */
CEDE_YIELDS cede_result m18(cede_self *self, cede_ref to, struct parcel *p) {
    cede_pending *pend = NULL;
    cede_result r = cede_ask_start(self, to, &p, ack, &pend, CEDE_SECONDS(1));
    if (r != CEDE_OK) return r;
    struct ack *a = NULL;
    r = cede_await(self, &pend, ack, &a, CEDE_SECONDS(1)); // expect: message-leak
    if (r == CEDE_OK && !a->ok) return CEDE_EFAILED;
    cede_drop(self, &a);
    return r;
}
/* reply to kept */
cede_result n19(cede_self *self, struct depot *d) {
    if (d->held == NULL) return CEDE_ENOENT;
    struct ack *a = cede_new(self, ack);
    if (a == NULL) return CEDE_ENOMEM;
    cede_result r = cede_reply(self, d->held, &a);
    cede_drop(self, &a);
    cede_drop(self, &d->held);
    return r;
}
/* error ladder */
cede_result n20(cede_self *self, cede_ref to) {
    cede_result r = CEDE_ENOMEM;
    struct parcel *p = cede_new(self, parcel);
    if (p == NULL) goto out;
    struct ack *a = cede_new(self, ack);
    if (a == NULL) goto drop_p;
    r = cede_send(self, to, &p);
    if (r != CEDE_OK) goto drop_a;
    r = cede_send(self, to, &a);
    if (r == CEDE_OK) return r;
drop_a:
    cede_drop(self, &a);
drop_p:
    cede_drop(self, &p);
out:
    return r;
}
