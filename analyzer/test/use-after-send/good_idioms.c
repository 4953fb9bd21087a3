/* Caches, lists, splits, tokens and scopes as programs have them: all of it is right. */
#include <cede/cede.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define ITEM(F) F(u64, id) F(str, text) F(opt(item), next) F(list(str), tags) F(ref, from)
CEDE_MESSAGE(item, ITEM);
#define OKAY(F) F(u64, id)
CEDE_MESSAGE(okay, OKAY);
struct lru { struct item *slots[8]; char keys[8][16]; unsigned next; cede_ref out; struct { struct item *i; uint64_t at; } hot; struct item **more; size_t more_count; FILE *log; };
/* replace in LRU */
static cede_result on_item(cede_self *self, struct lru *l, struct item *m) {
    unsigned at = l->next++ & 7;
    snprintf(l->keys[at], sizeof l->keys[at], "%s", cede_str_text(&m->text));
    cede_drop(self, &l->slots[at]);
    l->slots[at] = cede_keep(self, &m);
    l->hot.i = l->slots[at];
    l->hot.at = cede_now(self);
    return CEDE_OK;
}
/* grow an array of kept */
static cede_result on_more(cede_self *self, struct lru *l, struct item *m) {
    struct item **grown = realloc(l->more, (l->more_count + 1) * sizeof *grown);
    if (grown == NULL) return CEDE_ENOMEM;
    l->more = grown;
    grown[l->more_count++] = cede_keep(self, &m);
    return CEDE_OK;
}
/* stream out a linked message recursively */
static uint64_t sum(const struct item *m) { uint64_t s = 0; for (; m != NULL; m = m->next) s += m->id; return s; }
static cede_result on_sum(cede_self *self, struct lru *l, struct item *m) {
    struct okay *o = cede_new(self, okay);
    if (o == NULL) return CEDE_ENOMEM;
    o->id = sum(m);
    cede_result r = cede_reply(self, m, &o);
    if (r != CEDE_OK) {
        fprintf(l->log, "reply %llu: %s\n", (unsigned long long)o->id, cede_result_text(r));
        cede_drop(self, &o);
    }
    return CEDE_OK;
}
/* split the list: rest is moved in a second message */
static cede_result on_split(cede_self *self, struct lru *l, struct item *m) {
    struct item *rest = cede_new(self, item);
    if (rest == NULL) return CEDE_ENOMEM;
    if (m->next != NULL) {
        rest->id = m->next->id;
        rest->text = m->next->text;
        m->next->text = (cede_str){0};
        rest->next = m->next->next;
        m->next->next = NULL;
    }
    cede_result r = cede_send(self, l->out, &m);
    if (r == CEDE_OK && rest->next != NULL) printf("%llu %s\n", (unsigned long long)rest->next->id, cede_str_text(&rest->text));
    if (r == CEDE_OK) r = cede_send(self, l->out, &rest);
    cede_drop(self, &rest);
    return r;
}
/* tokenise into list */
static cede_result on_tokens(cede_self *self, struct lru *l, struct item *m) {
    char copy[128];
    snprintf(copy, sizeof copy, "%s", cede_str_text(&m->text));
    char *save = NULL;
    for (char *t = strtok_r(copy, " ", &save); t != NULL; t = strtok_r(NULL, " ", &save)) {
        cede_str *tag = cede_list_add(&m->tags);
        if (tag == NULL || cede_str_set(tag, t) != CEDE_OK) return CEDE_ENOMEM;
    }
    const char *eq = strchr(copy, '=');
    cede_result r = cede_send(self, l->out, &m);
    if (r == CEDE_OK && eq != NULL) fputs(eq + 1, l->log);
    return r;
}
/* wait with state pointers over a yield: own state is fine */
CEDE_YIELDS static cede_result on_wait(cede_self *self, struct lru *l, struct okay *m) {
    struct item **slot = &l->slots[m->id & 7];
    cede_result r = cede_sleep(self, CEDE_MILLIS(1));
    if (r == CEDE_OK && *slot != NULL) (*slot)->id++;
    while (r == CEDE_OK && l->more_count > 0) {
        struct item *last = l->more[--l->more_count];
        r = cede_send(self, l->out, &last);
        if (r == CEDE_EFULL) { l->more[l->more_count++] = last; return CEDE_OK; }
        cede_drop(self, &last);
    }
    return r;
}
#define A(ON) ON(item, on_item)
CEDE_BEHAVIOUR(a, struct lru, A);
#define B(ON) ON(item, on_more) ON(okay, on_wait)
CEDE_BEHAVIOUR(b, struct lru, B);
#define C(ON) ON(item, on_sum)
CEDE_BEHAVIOUR(c, struct lru, C);
#define D(ON) ON(item, on_split)
CEDE_BEHAVIOUR(d, struct lru, D);
#define E(ON) ON(item, on_tokens)
CEDE_BEHAVIOUR(e, struct lru, E);
/* cleanup with fclose / free */
static void fclosep(FILE **f) { if (*f != NULL) fclose(*f); }
static void freep(void *p) { free(*(void **)p); }
CEDE_YIELDS cede_result report(cede_self *self, struct lru *l, const char *path) {
    __attribute__((cleanup(fclosep))) FILE *f = fopen(path, "w");
    __attribute__((cleanup(freep))) char *copy = strdup(path);
    if (f == NULL || copy == NULL) return CEDE_EIO;
    struct item *m = cede_new(self, item);
    if (m == NULL) return CEDE_ENOMEM;
    cede_result r = cede_str_set(&m->text, copy);
    if (r == CEDE_OK) r = cede_send_wait(self, l->out, &m, CEDE_SECONDS(1));
    cede_drop(self, &m);
    fprintf(f, "%s\n", cede_result_name(r));
    return r;
}
