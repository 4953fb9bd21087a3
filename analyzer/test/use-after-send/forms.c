/* Boxes, parts, loops, switches, macros and tables; each wrong form beside a right one. */
#include "../parcel.h"
/* box */
cede_result u1(cede_self *self, struct depot *d, struct parcel *p) {
    struct stamp *s = p->stamp;
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK && s != NULL)
        s->cents = 3; // expect: use-after-send
    return r;
}
cede_result u2(cede_self *self, struct depot *d, struct parcel *p) {
    struct stamp *s = cede_opt_make(&p->stamp);
    if (s == NULL) return CEDE_ENOMEM;
    s->cents = 1;
    cede_result r = cede_send(self, d->next, &p);
    if (r != CEDE_OK) return r;
    note(s->cents); // expect: use-after-send
    return CEDE_OK;
}
cede_result u3(cede_self *self, struct depot *d, struct parcel *p) {
    for (struct parcel *n = p; n != NULL; n = n->next) d->count += n->weight;
    struct parcel *second = p->next;
    if (cede_send(self, d->next, &p) != CEDE_OK) return CEDE_EFULL;
    if (second != NULL) note(second->id); // expect: use-after-send
    return CEDE_OK;
}
cede_result u4(cede_self *self, struct depot *d, struct parcel *p) {
    const char *t = p->stamp != NULL ? cede_str_text(&p->stamp->text) : "";
    if (cede_send(self, d->next, &p) != CEDE_OK) return CEDE_EFULL;
    note_text(t); // expect: use-after-send
    return CEDE_OK;
}
/* box taken out before: fine */
cede_result g1(cede_self *self, struct depot *d, struct parcel *p) {
    uint32_t cents = p->stamp != NULL ? p->stamp->cents : 0;
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK) note(cents);
    return r;
}
cede_result g2(cede_self *self, struct depot *d, struct parcel *p, struct parcel *q) {
    struct stamp *s = p->stamp;
    q->stamp = s;
    p->stamp = NULL;
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK && s != NULL) note(s->cents);
    return r;
}
/* static inline in header */
cede_result u5(cede_self *self, struct depot *d, struct parcel *p) {
    struct parcel *o = p;
    cede_result r = parcel_forward(self, d->next, &p);
    if (r == CEDE_OK) parcel_trace(o); // expect: use-after-send
    return r;
}
/* typedef */
cede_result u6(cede_self *self, struct depot *d, parcel_t *p) {
    parcel_t *const *alias = (parcel_t *const[]){p};
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK) note((*alias)->id); // expect: use-after-send
    return r;
}
/* switch fallthrough */
cede_result u7(cede_self *self, struct depot *d, struct parcel *p, int how) {
    struct parcel *q = p;
    cede_result r = CEDE_OK;
    switch (how) {
    case 0:
        r = cede_send(self, d->to[0], &p);
        if (r != CEDE_OK) return r;
        __attribute__((fallthrough));
    case 1:
        note(q->id); // expect: use-after-send
        break;
    default:
        break;
    }
    return r;
}
cede_result g7(cede_self *self, struct depot *d, struct parcel *p, int how) {
    struct parcel *q = p;
    cede_result r = CEDE_OK;
    switch (how) {
    case 0:
        r = cede_send(self, d->to[0], &p);
        break;
    case 1:
        note(q->id);
        break;
    default:
        break;
    }
    return r;
}
/* comma, statement expression */
#define SENT(self, to, m) ({ cede_result r_ = cede_send(self, to, m); r_ == CEDE_OK; })
cede_result u8_(cede_self *self, struct depot *d, struct parcel *p) {
    uint8_t *key = p->key;
    if (SENT(self, d->next, &p))
        key[0] = 1; // expect: use-after-send
    return CEDE_OK;
}
cede_result g8(cede_self *self, struct depot *d, struct parcel *p) {
    uint8_t key[8];
    memcpy(key, p->key, sizeof key);
    if (SENT(self, d->next, &p))
        d->last[0] = (char)key[0];
    else cede_drop(self, &p);
    return CEDE_OK;
}
/* deep state field */
cede_result u9(cede_self *self, struct depot *d) {
    if (d->deep.in.p == NULL) return CEDE_OK;
    cede_result r = cede_send(self, d->next, &d->deep.in.p);
    if (r == CEDE_OK) note(d->deep.in.p->id); // expect: use-after-send
    return r;
}
/* ring: correct */
cede_result g9(cede_self *self, struct depot *d) {
    while (d->head != d->tail) {
        struct parcel **slot = &d->ring[d->head & 7];
        cede_result r = cede_send(self, d->next, slot);
        if (r == CEDE_EFULL) break;
        if (r != CEDE_OK) cede_drop(self, slot);
        d->head++;
    }
    return CEDE_OK;
}
/* goto retry: correct */
cede_result g10(cede_self *self, struct depot *d, struct parcel *p) {
    int tries = 0;
    cede_result r;
retry:
    r = cede_send(self, d->to[tries], &p);
    if (r == CEDE_EFULL && ++tries < 4) goto retry;
    if (r != CEDE_OK) note(p->id);
    return r;
}
/* goto retry: wrong */
cede_result u10(cede_self *self, struct depot *d, struct parcel *p) {
    int tries = 0;
    cede_result r;
retry:
    r = cede_send(self, d->to[tries], &p); // expect: use-after-send
    if (++tries < 4) goto retry;
    return r;
}
/* first success ends */
cede_result g11(cede_self *self, struct depot *d, struct parcel *p) {
    for (int i = 0; i < 4 && p != NULL; i++)
        if (cede_send(self, d->to[i], &p) == CEDE_OK) break;
    if (p != NULL) { note(p->id); cede_drop(self, &p); }
    return CEDE_OK;
}
/* ternary expression */
cede_result u12(cede_self *self, struct depot *d, struct parcel *p) {
    struct parcel *q = p;
    return cede_send(self, d->next, &p) == CEDE_OK ? (note(q->id), CEDE_OK) : CEDE_EFULL; // expect: use-after-send
}
/* const alias + cast to bytes */
cede_result u13(cede_self *self, struct depot *d, struct parcel *p) {
    const volatile unsigned char *raw = (const volatile unsigned char *)p;
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK) d->count += raw[3]; // expect: use-after-send
    return r;
}
/* uintptr_t round trip */
cede_result u14(cede_self *self, struct depot *d, struct parcel *p) {
    uintptr_t where = (uintptr_t)p;
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK) note(((struct parcel *)where)->id); // expect: use-after-send
    return r;
}
cede_result g14(cede_self *self, struct depot *d, struct parcel *p) {
    uintptr_t where = (uintptr_t)p;
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK) note(where);
    return r;
}
/* callback with typed param */
typedef void visit_fn(const struct parcel *p, void *arg);
cede_result u15(cede_self *self, struct depot *d, struct parcel *p, visit_fn *visit) {
    struct parcel *q = p;
    cede_result r = cede_send(self, d->next, &p);
    visit(q, NULL); // expect: use-after-send
    return r;
}
cede_result g15(cede_self *self, struct depot *d, struct parcel *p, visit_fn *visit) {
    visit(p, NULL);
    cede_result r = cede_send(self, d->next, &p);
    if (r != CEDE_OK) visit(p, NULL);
    return r;
}
/* reply with part */
static cede_result on_parcel(cede_self *self, struct depot *d, struct parcel *p) {
    struct ack *a = cede_new(self, ack);
    if (a == NULL) return CEDE_ENOMEM;
    a->id = p->id; a->ok = true;
    cede_result r = cede_reply(self, p, &a);
    d->count += a->ok; // expect: use-after-send
    return r;
}
#define DEPOT(ON) ON(parcel, on_parcel)
CEDE_BEHAVIOUR(depot, struct depot, DEPOT);
/* drop twice through alias */
void u16(cede_self *self, struct parcel *p) {
    struct parcel *q = p;
    cede_drop(self, &p);
    cede_drop(self, &q); // expect: use-after-send
}
void g16(cede_self *self, struct parcel *p) {
    cede_drop(self, &p);
    cede_drop(self, &p);
}
/* keep then keep */
cede_result u17(cede_self *self, struct depot *d, struct parcel *p) {
    struct parcel *q = p;
    d->held = cede_keep(self, &p);
    d->ring[0] = cede_keep(self, &q); // expect: use-after-send
    return CEDE_OK;
}
cede_result g17(cede_self *self, struct depot *d, struct parcel *p) {
    if (d->held != NULL) cede_drop(self, &d->held);
    d->held = cede_keep(self, &p);
    d->held->weight++;
    return CEDE_OK;
}
/* message put into list of another? spawn first */
extern const cede_behaviour child;
cede_result u18(cede_self *self, struct depot *d, struct parcel *p) {
    cede_ref to;
    cede_result r = cede_spawn(self, &child, &p, &to);
    if (r == CEDE_OK) d->count += p->weight; // expect: use-after-send
    return r;
}
cede_result u19(cede_self *self, struct depot *d, struct parcel *p) {
    const struct parcel *frozen = NULL;
    struct parcel *mine = p;
    cede_result r = cede_freeze(self, &p, &frozen);
    if (r == CEDE_OK) { mine->weight = 2; // expect: use-after-send
        cede_shared_unref(&frozen); }
    (void)d;
    return r;
}
cede_result g19(cede_self *self, struct depot *d, struct parcel *p) {
    const struct parcel *frozen = NULL;
    cede_result r = cede_freeze(self, &p, &frozen);
    if (r == CEDE_OK) { d->count += frozen->weight; cede_shared_unref(&frozen); }
    return r;
}
/* send after timer */
cede_result u20(cede_self *self, struct depot *d, struct parcel *p) {
    struct parcel *q = p; cede_timer t;
    cede_result r = cede_send_after(self, d->next, &p, CEDE_SECONDS(1), &t);
    if (r == CEDE_OK) q->weight++; // expect: use-after-send
    return r;
}
CEDE_YIELDS cede_result work(cede_self *self, struct depot *d, struct parcel *p);
static cede_result crunch(void *m) { struct parcel *p = m; p->weight++; return CEDE_OK; }
CEDE_YIELDS cede_result g21(cede_self *self, struct depot *d, struct parcel *p) {
    cede_result r = cede_run_blocking(self, crunch, &p);
    if (r == CEDE_OK) d->count += p->weight;
    return r;
}
