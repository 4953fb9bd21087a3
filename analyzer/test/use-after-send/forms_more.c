/* Cleanups, wrappers, results of all sorts, parts of texts and lists; each wrong form beside a right one. */
#include "../parcel.h"
#include <pthread.h>
/* cleanup attribute: alias read in cleanup */
static void log_at_end(struct parcel **p) { if (*p != NULL) note((*p)->id); }
cede_result v1(cede_self *self, struct depot *d, struct parcel *p) {
    __attribute__((cleanup(log_at_end))) struct parcel *alias = p; // expect: use-after-send
    return cede_send(self, d->next, &p);
}
cede_result h1(cede_self *self, struct depot *d, struct parcel *p) {
    __attribute__((cleanup(log_at_end))) struct parcel *mine = p;
    return cede_send(self, d->next, &mine);
}
/* struct by value holding message passed by value to helper */
struct job { struct parcel *p; cede_ref to; int tries; };
static cede_result job_run(cede_self *self, struct job j) { return cede_send(self, j.to, &j.p); }
cede_result v2(cede_self *self, struct depot *d, struct parcel *p) {
    struct job j = {.p = p, .to = d->next};
    cede_result r = job_run(self, j);
    if (r == CEDE_OK) note(j.p->id); // expect: use-after-send
    return r;
}
cede_result h2(cede_self *self, struct depot *d, struct parcel *p) {
    struct job j = {.p = p, .to = d->next};
    cede_result r = job_run(self, j);
    if (r != CEDE_OK) note(j.p->id);
    return r;
}
/* helper reports with out-parameter */
static void try_send(cede_self *self, cede_ref to, struct parcel **p, bool *ok) { *ok = cede_send(self, to, p) == CEDE_OK; }
cede_result v3(cede_self *self, struct depot *d, struct parcel *p) {
    bool ok; struct parcel *q = p;
    try_send(self, d->next, &p, &ok);
    if (ok) q->id = 0; // expect: use-after-send
    return CEDE_OK;
}
cede_result h3(cede_self *self, struct depot *d, struct parcel *p) {
    bool ok;
    try_send(self, d->next, &p, &ok);
    if (!ok) p->id = 0;
    return CEDE_OK;
}
/* int rc convention */
static int post(cede_self *self, cede_ref to, struct parcel **p) { return cede_send(self, to, p) == CEDE_OK ? 0 : -1; }
cede_result v4(cede_self *self, struct depot *d, struct parcel *p) {
    int rc = post(self, d->next, &p);
    if (rc < 0) { cede_drop(self, &p); return CEDE_EFAILED; }
    d->count = p->id; // expect: use-after-send
    return CEDE_OK;
}
cede_result h4(cede_self *self, struct depot *d, struct parcel *p) {
    uint64_t id = p->id;
    int rc = post(self, d->next, &p);
    if (rc < 0) { d->count = p->id; cede_drop(self, &p); return CEDE_EFAILED; }
    d->count = id;
    return CEDE_OK;
}
/* CHECK macro do while(0) goto */
#define CHECK(x) do { r = (x); if (r != CEDE_OK) goto fail; } while (0)
cede_result v5(cede_self *self, struct depot *d, struct parcel *p) {
    cede_result r;
    CHECK(cede_send(self, d->next, &p));
    CHECK(cede_stop(self, d->next));
    return CEDE_OK;
fail:
    note(p->id); // expect: use-after-send
    return r;
}
cede_result h5(cede_self *self, struct depot *d, struct parcel *p) {
    cede_result r;
    CHECK(cede_send(self, d->next, &p));
    CHECK(cede_stop(self, d->next));
    return CEDE_OK;
fail:
    if (p != NULL) note(p->id);
    cede_drop(self, &p);
    return r;
}
/* fan-out: loop over array sending the same */
cede_result v6(cede_self *self, struct depot *d, struct parcel *p) {
    for (size_t i = 0; i < sizeof d->to / sizeof d->to[0]; i++)
        if (cede_send(self, d->to[i], &p) != CEDE_OK) // expect: use-after-send
            return CEDE_EFULL;
    return CEDE_OK;
}
cede_result h6(cede_self *self, struct depot *d, struct parcel *p) {
    for (size_t i = 0; i + 1 < sizeof d->to / sizeof d->to[0]; i++) {
        struct parcel *c = NULL;
        if (cede_copy(self, parcel, p, &c) != CEDE_OK) continue;
        if (cede_send(self, d->to[i], &c) != CEDE_OK) cede_drop(self, &c);
    }
    return cede_send(self, d->to[3], &p);
}
/* ask: use of request after failure */
CEDE_YIELDS cede_result v7(cede_self *self, struct depot *d, struct parcel *p) {
    struct ack *a = NULL;
    cede_result r = cede_ask(self, d->next, &p, ack, &a, CEDE_SECONDS(1));
    if (r == CEDE_ETIMEDOUT) note(p->id); // expect: use-after-send
    cede_drop(self, &a);
    return r;
}
CEDE_YIELDS cede_result h7(cede_self *self, struct depot *d, struct parcel *p) {
    struct ack *a = NULL;
    uint64_t id = p->id;
    cede_result r = cede_ask(self, d->next, &p, ack, &a, CEDE_SECONDS(1));
    if (r == CEDE_ETIMEDOUT) note(id);
    if (r == CEDE_OK) d->count += a->ok;
    cede_drop(self, &p);
    cede_drop(self, &a);
    return r;
}
/* ask_start */
CEDE_YIELDS cede_result v8(cede_self *self, struct depot *d, struct parcel *p) {
    cede_pending *pend = NULL;
    struct ack *a = NULL;
    struct parcel *q = p;
    cede_result r = cede_ask_start(self, d->next, &p, ack, &pend, CEDE_SECONDS(1));
    if (r != CEDE_OK) return r;
    q->weight = 1; // expect: use-after-send
    r = cede_await(self, &pend, ack, &a, CEDE_SECONDS(1));
    cede_drop(self, &a);
    return r;
}
/* pointers stored in list / linked by node */
struct node { struct parcel *p; struct node *next; };
void v9(cede_self *self, struct depot *d, struct node *n) {
    for (; n != NULL; n = n->next) {
        struct parcel *p = n->p;
        if (cede_send(self, d->next, &p) == CEDE_OK) // expect: use-after-send
            d->count++;
    }
}
void h9(cede_self *self, struct depot *d, struct node *n) {
    for (; n != NULL; n = n->next)
        if (cede_send(self, d->next, &n->p) == CEDE_OK)
            d->count++;
}
/* _Generic selecting a send wrapper */
static cede_result send_parcel(cede_self *s, cede_ref to, struct parcel **p) { return cede_send(s, to, p); }
static cede_result send_ack(cede_self *s, cede_ref to, struct ack **p) { return cede_send(s, to, p); }
#define SEND(s, to, m) _Generic((m), struct parcel **: send_parcel, struct ack **: send_ack)(s, to, m)
cede_result v10(cede_self *self, struct depot *d, struct parcel *p) {
    struct parcel *o = p;
    cede_result r = SEND(self, d->next, &p);
    if (r == CEDE_OK) note(o->id); // expect: use-after-send
    return r;
}
/* two messages: the right one only */
cede_result h10(cede_self *self, struct depot *d, struct parcel *a, struct parcel *b) {
    cede_result r = cede_send(self, d->next, &a);
    if (r == CEDE_OK) note(b->id);
    r = cede_send(self, d->next, &b);
    return r;
}
/* swap */
cede_result v11(cede_self *self, struct depot *d, struct parcel *a, struct parcel *b) {
    struct parcel *t = a; a = b; b = t;
    cede_result r = cede_send(self, d->next, &a);
    if (r == CEDE_OK) note(t->id);
    r = cede_send(self, d->next, &b);
    if (r == CEDE_OK) note(t->id); // expect: use-after-send
    return r;
}
/* snprintf %s */
cede_result v12(cede_self *self, struct depot *d, struct parcel *p) {
    const char *addr = cede_str_text(&p->address);
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK) snprintf(d->last, sizeof d->last, "%s", addr); // expect: use-after-send
    return r;
}
cede_result h12(cede_self *self, struct depot *d, struct parcel *p) {
    snprintf(d->last, sizeof d->last, "%s", cede_str_text(&p->address));
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK) note_text(d->last);
    return r;
}
/* strdup'd */
cede_result h13(cede_self *self, struct depot *d, struct parcel *p) {
    char *addr = strdup(cede_str_text(&p->address));
    cede_result r = cede_send(self, d->next, &p);
    if (addr != NULL) note_text(addr);
    free(addr);
    return r;
}
/* strtok/strchr derived pointer */
cede_result v14(cede_self *self, struct depot *d, struct parcel *p) {
    const char *colon = strchr(cede_str_text(&p->address), ':');
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK && colon != NULL) note_text(colon + 1); // expect: use-after-send
    return r;
}
cede_result h14(cede_self *self, struct depot *d, struct parcel *p) {
    const char *colon = strchr(cede_str_text(&p->address), ':');
    bool port = colon != NULL && colon[1] != '\0';
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK && port) d->count++;
    return r;
}
/* list items */
cede_result v15(cede_self *self, struct depot *d, struct parcel *p) {
    struct stamp *end = p->more.items + p->more.count;
    struct stamp *it = p->more.items;
    cede_result r = cede_send(self, d->next, &p);
    if (r != CEDE_OK) return r;
    for (; it < end; it++) d->count += it->cents; // expect: use-after-send
    return r;
}
/* struct copy of body field */
cede_result v16(cede_self *self, struct depot *d, struct parcel *p) {
    cede_bytes body = p->body;
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK && body.size > 0) d->last[0] = (char)body.data[0]; // expect: use-after-send
    return r;
}
cede_result h16(cede_self *self, struct depot *d, struct parcel *p) {
    cede_bytes body = p->body;
    p->body = (cede_bytes){0};
    cede_result r = cede_send(self, d->next, &p);
    if (body.size > 0) d->last[0] = (char)body.data[0];
    cede_bytes_clear(&body);
    return r;
}
/* msg(T) embedded */
cede_result v17(cede_self *self, struct depot *d, struct parcel *p) {
    struct stamp *first = &p->first;
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK) first->cents++; // expect: use-after-send
    return r;
}
/* container_of */
#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
cede_result v18(cede_self *self, struct depot *d, struct parcel *p) {
    struct stamp *first = &p->first;
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK) note(container_of(first, struct parcel, first)->id); // expect: use-after-send
    return r;
}
/* function pointer table with CEDE_MOVED */
struct route { cede_result (*send)(cede_self *self, struct parcel **p CEDE_MOVED); };
cede_result v19(cede_self *self, const struct route *routes, int n, struct parcel *p) {
    struct parcel *o = p;
    for (int i = 0; i < n; i++) {
        if (routes[i].send(self, &p) != CEDE_OK) continue;
        note(o->id); // expect: use-after-send
        return CEDE_OK;
    }
    cede_drop(self, &p);
    return CEDE_ENOENT;
}
/* varargs */
cede_result v20(cede_self *self, struct depot *d, struct parcel *p) {
    uint8_t *k = p->key;
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK) printf("%02x %p\n", k[1], (void *)k); // expect: use-after-send
    return r;
}
cede_result h20(cede_self *self, struct depot *d, struct parcel *p) {
    void *k = p;
    cede_result r = cede_send(self, d->next, &p);
    if (r == CEDE_OK) printf("%p\n", k);
    else fprintf(stderr, "%s: %u\n", cede_result_name(r), p->weight);
    return r;
}
/* channel */
CEDE_YIELDS cede_result v21(cede_self *self, cede_channel_sender *ch, struct parcel *p) {
    struct parcel *o = p;
    cede_result r = cede_channel_send(self, ch, &p, CEDE_FOREVER);
    if (r == CEDE_OK) note(o->id); // expect: use-after-send
    return r;
}
/* reuse variable for a fresh one */
cede_result h22(cede_self *self, struct depot *d, struct parcel *p) {
    cede_result r = cede_send(self, d->next, &p);
    if (r != CEDE_OK) return r;
    p = cede_new(self, parcel);
    if (p == NULL) return CEDE_ENOMEM;
    p->id = 2;
    return cede_send(self, d->next, &p);
}
/* batch: build list and flush when full */
struct batch { struct parcel *items[16]; int n; };
static cede_result flush(cede_self *self, struct depot *d, struct batch *b) {
    cede_result first = CEDE_OK;
    for (int i = 0; i < b->n; i++) {
        cede_result r = cede_send(self, d->next, &b->items[i]);
        if (r != CEDE_OK) { cede_drop(self, &b->items[i]); if (first == CEDE_OK) first = r; }
    }
    b->n = 0;
    return first;
}
cede_result h23(cede_self *self, struct depot *d, struct batch *b, struct parcel *p) {
    b->items[b->n++] = cede_keep(self, &p);
    return b->n == 16 ? flush(self, d, b) : CEDE_OK;
}
/* a state field that points into message kept earlier then dropped */
cede_result v24(cede_self *self, struct depot *d) {
    struct parcel *h = d->held;
    if (h == NULL) return CEDE_OK;
    cede_drop(self, &d->held);
    d->count = h->id; // expect: use-after-send
    return CEDE_OK;
}
