/* More shapes of programs: fan-out, queues, wrappers, macros. What is not marked is right. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cede/cede.h>
#define TASK(F) F(u64, id) F(str, name) F(bytes, blob) F(array(u8, 16), key) F(ref, from)
CEDE_MESSAGE(task, TASK);
#define DONE(F) F(u64, id)
CEDE_MESSAGE(done, DONE);
struct st { cede_ref w[8]; int n; struct task *queue[16]; int head, tail; struct task *cur; uint64_t sum; pthread_mutex_t mu; };
/* round robin */
static cede_result on_task(cede_self *self, struct st *s, struct task *t) {
    int i = (int)(t->id % (uint64_t)s->n);
    cede_result r = cede_send(self, s->w[i], &t);
    if (r == CEDE_EFULL) {
        s->queue[s->tail++ % 16] = cede_keep(self, &t);
        return CEDE_OK;
    }
    if (r != CEDE_OK)
        fprintf(stderr, "task %llu lost: %s\n", (unsigned long long)t->id, cede_result_name(r));
    return CEDE_OK;
}
/* retry from queue */
static cede_result on_done(cede_self *self, struct st *s, struct done *d) {
    s->sum += d->id;
    while (s->head != s->tail) {
        struct task **slot = &s->queue[s->head % 16];
        cede_result r = cede_send(self, s->w[0], slot);
        if (r != CEDE_OK)
            return r == CEDE_EFULL ? CEDE_OK : r;
        s->head++;
    }
    return CEDE_OK;
}
#define ST(ON) ON(task, on_task) ON(done, on_done)
CEDE_BEHAVIOUR(st, struct st, ST);
/* fan out copies */
cede_result fanout(cede_self *self, struct st *s, const struct task *t);
cede_result fanout(cede_self *self, struct st *s, const struct task *t) {
    for (int i = 0; i < s->n; i++) {
        struct task *c = cede_new(self, task);
        if (!c) return CEDE_ENOMEM;
        c->id = t->id;
        if (cede_str_set(&c->name, cede_str_text(&t->name)) != CEDE_OK) { cede_drop(self, &c); return CEDE_ENOMEM; }
        memcpy(c->key, t->key, sizeof c->key);
        if (cede_send(self, s->w[i], &c) != CEDE_OK)
            cede_drop(self, &c);
    }
    return CEDE_OK;
}
/* log after send in helper with string param */
static void trace(const char *what, const struct task *t) { printf("%s %llu %s\n", what, (unsigned long long)t->id, cede_str_text(&t->name)); }
cede_result tracer(cede_self *self, struct st *s, struct task *t);
cede_result tracer(cede_self *self, struct st *s, struct task *t) {
    struct task *saved = t;
    trace("before", t);
    cede_result r = cede_send(self, s->w[0], &t);
    trace("after", saved); // expect: use-after-send
    return r;
}
/* pointer into message kept */
cede_result interior(cede_self *self, struct st *s, struct task *t);
cede_result interior(cede_self *self, struct st *s, struct task *t) {
    uint8_t *key = t->key;
    const char *name = cede_str_text(&t->name);
    if (cede_send(self, s->w[0], &t) != CEDE_OK) return CEDE_OK;
    printf("%d\n", key[0]); // expect: use-after-send
    puts(name);
    return CEDE_OK;
}
cede_result interior2(cede_self *self, struct st *s, struct task *t);
cede_result interior2(cede_self *self, struct st *s, struct task *t) {
    const char *name = cede_str_text(&t->name);
    if (cede_send(self, s->w[0], &t) != CEDE_OK) return CEDE_OK;
    puts(name); // expect: use-after-send
    return CEDE_OK;
}
/* self-send */
cede_result again(cede_self *self, struct st *s, struct task *t);
cede_result again(cede_self *self, struct st *s, struct task *t) {
    t->id++;
    s->sum++;
    return cede_send(self, cede_self_ref(self), &t);
}
/* reply then read request, fine; reply twice */
cede_result rep(cede_self *self, struct st *s, struct task *t);
cede_result rep(cede_self *self, struct st *s, struct task *t) {
    struct done *d = cede_new(self, done);
    if (d == NULL) return CEDE_ENOMEM;
    d->id = t->id;
    if (cede_reply(self, t, &d) != CEDE_OK) { cede_drop(self, &d); return CEDE_OK; }
    s->sum += t->id;
    d->id = 3; // expect: use-after-send
    return CEDE_OK;
}
/* bool wrapper */
static bool post(cede_self *self, cede_ref to, struct task *t) {
    return cede_send(self, to, &t) == CEDE_OK;
}
cede_result wrap(cede_self *self, struct st *s, struct task *t);
cede_result wrap(cede_self *self, struct st *s, struct task *t) {
    if (!post(self, s->w[0], t)) { s->sum += t->id; cede_drop(self, &t); return CEDE_EFULL; }
    return CEDE_OK;
}
cede_result wrap2(cede_self *self, struct st *s, struct task *t);
cede_result wrap2(cede_self *self, struct st *s, struct task *t) {
    if (post(self, s->w[0], t)) s->sum += t->id; // expect: use-after-send
    return CEDE_OK;
}
/* memcpy from moved */
cede_result cpy(cede_self *self, struct st *s, struct task *t);
cede_result cpy(cede_self *self, struct st *s, struct task *t) {
    uint8_t key[16];
    struct task *o = t;
    if (cede_send(self, s->w[0], &t) == CEDE_OK)
        memcpy(key, o->key, sizeof key); // expect: use-after-send
    else memset(key, 0, 16);
    s->sum += key[0];
    return CEDE_OK;
}
/* while with assignment */
struct task *next_task(struct st *s);
cede_result drain(cede_self *self, struct st *s);
cede_result drain(cede_self *self, struct st *s) {
    struct task *t, *prev = NULL;
    while ((t = next_task(s))) {
        if (prev && prev->id == t->id) // expect: use-after-send
            cede_drop(self, &t);
        prev = t;
        (void)cede_send(self, s->w[0], &t); // expect: use-after-send
    }
    return CEDE_OK;
}
/* do/while(0) macro cleanup */
#define SAFE_DROP(self, m) do { if (m) cede_drop(self, &(m)); } while (0)
cede_result mac(cede_self *self, struct st *s, struct task *t);
cede_result mac(cede_self *self, struct st *s, struct task *t) {
    cede_result r = cede_send(self, s->w[0], &t);
    SAFE_DROP(self, t);
    SAFE_DROP(self, t);
    return r;
}
/* ternary select of message */
cede_result tern(cede_self *self, struct st *s, struct task *a, struct task *b);
cede_result tern(cede_self *self, struct st *s, struct task *a, struct task *b) {
    struct task **m = a->id > b->id ? &a : &b;
    (void)cede_send(self, s->w[0], m);
    s->sum += a->id; // expect: use-after-send
    return CEDE_OK;
}
