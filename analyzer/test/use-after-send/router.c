/* A router with a queue, in both styles of actor, right and wrong. */
/* a router actor, straight-line style */
#include <stdio.h>
#include <string.h>
#include <cede/cede.h>
#define TASK(F) F(u64, id) F(str, name) F(u32, tries) F(list(u32), deps) F(list(str), tags)
CEDE_MESSAGE(task, TASK);
#define DONE(F) F(u64, id) F(enum(how, DONE_OK, DONE_BAD), how)

enum how { DONE_OK,
           DONE_BAD };

CEDE_MESSAGE(done, DONE);
#define MAXW 4

struct router {
    cede_ref workers[MAXW];
    struct task *waiting[16];
    unsigned head, tail;
    uint64_t bytes;
    char last[32];
    struct task *current;
};

static bool router_push(struct router *r, struct task *t) {
    if (r->tail - r->head == 16)
        return false;
    r->waiting[r->tail++ % 16] = t;
    return true;
}

static struct task *router_pop(struct router *r) {
    if (r->head == r->tail)
        return NULL;
    struct task *t = r->waiting[r->head % 16];
    r->waiting[r->head % 16] = NULL;
    r->head++;
    return t;
}

static cede_result router_forward(cede_self *self, struct router *r, struct task **t) {
    for (int i = 0; i < MAXW; i++) {
        cede_result res = cede_send(self, r->workers[i], t);
        if (res != CEDE_EFULL)
            return res;
    }
    return CEDE_EFULL;
}

static cede_result on_task(cede_self *self, struct router *r, struct task *t) {
    uint64_t id = t->id;
    cede_result res = router_forward(self, r, &t);
    if (res == CEDE_EFULL) {
        struct task *kept = cede_keep(self, &t);
        if (!router_push(r, kept)) {
            cede_drop(self, &kept);
            return CEDE_OK;
        }
        return CEDE_OK;
    }
    printf("%llu forwarded\n", (unsigned long long)id);
    return res;
}

static cede_result on_done(cede_self *self, struct router *r, struct done *d) {
    struct task *t = router_pop(r);
    if (t == NULL)
        return CEDE_OK;
    r->bytes += t->name.size + d->id;
    cede_result res = router_forward(self, r, &t);
    if (res != CEDE_OK) {
        t->tries++;
        if (!router_push(r, t))
            cede_drop(self, &t);
    }
    return CEDE_OK;
}

#define ROUTER(ON) ON(task, on_task) ON(done, on_done)
CEDE_BEHAVIOUR(router, struct router, ROUTER);

/* wrong ones */
static cede_result bad_on_task(cede_self *self, struct router *r, struct task *t) {
    cede_result res = router_forward(self, r, &t);
    if (res == CEDE_OK)
        strncpy(r->last, cede_str_text(&t->name), sizeof r->last - 1); // expect: use-after-send
    return res;
}

static cede_result bad_on_done(cede_self *self, struct router *r, struct done *d) {
    struct task *t = router_pop(r);
    if (t == NULL)
        return CEDE_OK;
    const uint32_t *deps = t->deps.items;
    uint32_t n = t->deps.count;
    cede_result res = router_forward(self, r, &t);
    if (res != CEDE_OK)
        return res;
    for (uint32_t i = 0; i < n; i++)
        r->bytes += deps[i]; // expect: use-after-send
    (void)d;
    return CEDE_OK;
}

#define BAD(ON) ON(task, bad_on_task) ON(done, bad_on_done)
CEDE_BEHAVIOUR(bad, struct router, BAD);

cede_result tags(cede_self *self, struct router *r, struct task *t) {
    if (t->tags.count < 1)
        return CEDE_OK;
    const char *first = cede_str_text(&t->tags.items[0]);
    cede_result res = cede_send(self, r->workers[0], &t);
    if (res == CEDE_OK)
        puts(first); // expect: use-after-send
    return res;
}

cede_result tag_ptr(cede_self *self, struct router *r, struct task *t) {
    cede_str *first = cede_list_add(&t->tags);
    if (first == NULL)
        return CEDE_ENOMEM;
    if (cede_str_set(first, "x") != CEDE_OK)
        return CEDE_ENOMEM;
    cede_result res = cede_send(self, r->workers[0], &t);
    if (res == CEDE_OK)
        puts(cede_str_text(first)); // expect: use-after-send
    return res;
}

cede_result tag_ok(cede_self *self, struct router *r, struct task *t) {
    cede_str *first = cede_list_add(&t->tags);
    if (first == NULL)
        return CEDE_ENOMEM;
    if (cede_str_set(first, "x") != CEDE_OK)
        return CEDE_ENOMEM;
    puts(cede_str_text(first));
    return cede_send(self, r->workers[0], &t);
}

cede_result keep_then_send(cede_self *self, struct router *r, struct task *t) {
    r->current = cede_keep(self, &t);
    cede_result res = cede_send(self, r->workers[0], &r->current);
    if (res == CEDE_OK)
        r->bytes += r->current->id; // expect: use-after-send
    return res;
}

cede_result keep_then_send_alias(cede_self *self, struct router *r, struct task *t) {
    r->current = cede_keep(self, &t);
    struct task *c = r->current;
    cede_result res = cede_send(self, r->workers[0], &c); // expect: use-after-send
    return res;
}

CEDE_YIELDS static cede_result run(cede_self *self, int argc, char **argv) {
    cede_ref to = {0};
    if (cede_spawn(self, &router, CEDE_NOTHING, &to) != CEDE_OK)
        return CEDE_EFAILED;
    for (int i = 1; i < argc; i++) {
        struct task *t = cede_new(self, task);
        if (t == NULL)
            return CEDE_ENOMEM;
        struct done *d = NULL;
        if (cede_str_set(&t->name, argv[i]) != CEDE_OK) {
            cede_drop(self, &t);
            continue;
        }
        cede_result r = cede_ask(self, to, &t, done, &d, CEDE_SECONDS(2));
        if (r == CEDE_OK) {
            printf("%d\n", (int)d->how);
            cede_drop(self, &d);
        } else if (t != NULL) {
            printf("not sent: %s\n", cede_str_text(&t->name));
            cede_drop(self, &t);
        } else
            printf("no answer: %d\n", (int)r);
    }
    return CEDE_OK;
}

CEDE_YIELDS static cede_result bad_run(cede_self *self, int argc, char **argv) {
    cede_ref to = {0};
    struct task *t = cede_new(self, task);
    if (t == NULL)
        return CEDE_ENOMEM;
    struct task *const original = t;
    cede_result r = cede_spawn(self, &router, &t, &to);
    for (int i = 1; r == CEDE_OK && i < argc; i++) {
        struct done *d = NULL;
        original->id = (uint64_t)i; // expect: use-after-send
        struct task *copy = cede_new(self, task);
        if (!copy)
            return CEDE_ENOMEM;
        r = cede_ask(self, to, &copy, done, &d, CEDE_FOREVER);
        cede_drop(self, &copy);
        cede_drop(self, &d);
        (void)argv;
    }
    return r;
}

int main(int argc, char **argv) {
    return argc > 3 ? cede_main(argc, argv, run) : cede_main(argc, argv, bad_run);
}
