/* Addresses of parts of a message, and messages in linked blocks and struct values, left in the state. */
#include "../parcel.h"

struct entry { struct parcel *p; int n; };
struct view {
    cede_str name;
    const char *text;
    struct stamp *stamp;
    struct parcel *held;
    struct entry entries[2], last;
    struct { struct entry *first; } *index;
    struct node *head;
};
struct node { struct node *next; struct parcel *p; const char *text; };
void push(struct view *view, struct node *node);
void read_text(const char *text);

static cede_result on_text(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    v->text = strchr(cede_str_text(&p->address), ' '); // expect: message-leak
    return CEDE_OK;
}
static cede_result on_box(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    v->stamp = p->stamp; // expect: message-leak
    return CEDE_OK;
}
static cede_result on_name(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    v->name = p->address; // expect: message-leak
    return CEDE_OK;
}
static cede_result on_value(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    v->last = (struct entry){p, 1}; // expect: message-leak
    return CEDE_OK;
}
static cede_result on_copied_value(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    struct entry entry = {.p = p};
    entry.n = 3;
    v->entries[1] = entry; // expect: message-leak
    return CEDE_OK;
}
static cede_result on_behind_pointers(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    v->index->first->p = p; // expect: message-leak
    return CEDE_OK;
}
static cede_result on_linked(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    struct node *n = calloc(1, sizeof *n);
    if (n == NULL) return CEDE_ENOMEM;
    n->text = cede_str_text(&p->address); // expect: message-leak
    n->next = v->head;
    v->head = n;
    return CEDE_OK;
}

/* what is right */
static cede_result on_moved_name(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    cede_str_clear(&v->name);
    v->name = p->address;
    p->address = (cede_str){0};
    return CEDE_OK;
}
static cede_result on_moved_box(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    v->stamp = p->stamp;
    p->stamp = NULL;
    return CEDE_OK;
}
static cede_result on_kept(cede_self *self, struct view *v, struct parcel *p) {
    cede_drop(self, &v->held);
    v->held = cede_keep(self, &p);
    v->text = cede_str_text(&v->held->address);
    v->stamp = v->held->stamp;
    return CEDE_OK;
}
static cede_result on_for_a_while(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    v->text = cede_str_text(&p->address);
    read_text(v->text);
    v->text = NULL;
    return CEDE_OK;
}
static cede_result on_local(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    struct node n = {.p = p, .next = v->head, .text = cede_str_text(&p->address)};
    read_text(n.text);
    v->entries[0].n += (int)n.p->weight;
    return CEDE_OK;
}
static cede_result on_block_for_a_while(cede_self *self, struct view *v, struct parcel *p) {
    (void)self;
    struct node *n = calloc(1, sizeof *n);
    if (n == NULL) return CEDE_ENOMEM;
    n->p = p;
    v->entries[0].n += (int)n->p->weight;
    free(n);
    return CEDE_OK;
}
static cede_result on_pushed(cede_self *self, struct view *v, struct parcel *p) {
    struct node *n = calloc(1, sizeof *n);
    if (n == NULL) return CEDE_ENOMEM;
    n->p = cede_keep(self, &p);
    push(v, n);
    return CEDE_OK;
}
static cede_result on_index(cede_self *self, struct view *v, struct parcel *p) {
    v->index->first->p = cede_keep(self, &p);
    v->last = (struct entry){v->index->first->p, 1};
    return CEDE_OK;
}
#define A(ON) ON(parcel, on_text)
CEDE_BEHAVIOUR(a, struct view, A);
#define B(ON) ON(parcel, on_box)
CEDE_BEHAVIOUR(b, struct view, B);
#define C(ON) ON(parcel, on_name)
CEDE_BEHAVIOUR(c, struct view, C);
#define D(ON) ON(parcel, on_value)
CEDE_BEHAVIOUR(d, struct view, D);
#define E(ON) ON(parcel, on_copied_value)
CEDE_BEHAVIOUR(e, struct view, E);
#define G(ON) ON(parcel, on_behind_pointers)
CEDE_BEHAVIOUR(g, struct view, G);
#define H(ON) ON(parcel, on_linked)
CEDE_BEHAVIOUR(h, struct view, H);
#define I(ON) ON(parcel, on_moved_name)
CEDE_BEHAVIOUR(i, struct view, I);
#define J(ON) ON(parcel, on_moved_box)
CEDE_BEHAVIOUR(j, struct view, J);
#define K(ON) ON(parcel, on_kept)
CEDE_BEHAVIOUR(k, struct view, K);
#define L(ON) ON(parcel, on_for_a_while)
CEDE_BEHAVIOUR(l, struct view, L);
#define M(ON) ON(parcel, on_local)
CEDE_BEHAVIOUR(m, struct view, M);
#define N(ON) ON(parcel, on_block_for_a_while)
CEDE_BEHAVIOUR(n, struct view, N);
#define O(ON) ON(parcel, on_pushed)
CEDE_BEHAVIOUR(o, struct view, O);
#define P(ON) ON(parcel, on_index)
CEDE_BEHAVIOUR(p, struct view, P);
