/* Loops, replies, callees and state that meet a message again. */
#include "mail.h"

/* loops */
cede_result broadcast(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = CEDE_OK;
    for (int i = 0; i < 8 && r == CEDE_OK; i++)
        r = cede_send(self, post->peers[i], &m); // expect: use-after-send
    return r;
}

cede_result broadcast_void(cede_self *self, struct post *post, struct mail *m) {
    for (int i = 0; i < 8; i++)
        (void)cede_send(self, post->peers[i], &m); // expect: use-after-send
    return CEDE_OK;
}

cede_result log_in_loop(cede_self *self, struct post *post, struct mail *m, int n) {
    struct mail *p = m;
    int i = 0;
    while (i < n) {
        post->sum += p->id; // expect: use-after-send
        if (i == 0 && cede_send(self, post->hub, &m) != CEDE_OK)
            return CEDE_EFAILED;
        i++;
    }
    return CEDE_OK;
}

cede_result alias_of_previous(cede_self *self, struct post *post, int n) {
    struct mail *prev = NULL;
    for (int i = 0; i < n; i++) {
        struct mail *m = cede_new(self, mail);
        if (m == NULL)
            return CEDE_ENOMEM;
        m->id = prev != NULL ? prev->id + 1 : 0; // expect: use-after-send
        prev = m;
        cede_result r = cede_send(self, post->hub, &m);
        if (r != CEDE_OK) {
            cede_drop(self, &m);
            return r;
        }
    }
    return CEDE_OK;
}

cede_result double_send(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = cede_send(self, post->hub, &m);
    if (r != CEDE_OK)
        return r;
    return cede_send(self, post->peers[0], &m); // expect: use-after-send
}

cede_result double_send_alias(cede_self *self, struct post *post, struct mail *m) {
    struct mail *n = m;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        r = cede_send(self, post->peers[0], &n); // expect: use-after-send
    return r;
}

cede_result send_drop_alias(cede_self *self, struct post *post, struct mail *m) {
    struct mail *n = m;
    cede_result r = cede_send(self, post->hub, &m);
    cede_drop(self, &n); // expect: use-after-send
    return r;
}

void double_drop(cede_self *self, struct mail *m) {
    struct mail *n = m;
    cede_drop(self, &m);
    cede_drop(self, &n); // expect: use-after-send
}

cede_result drop_then_use(cede_self *self, struct post *post, struct mail *m) {
    cede_drop(self, &m);
    post->sum += m->id; // expect: use-after-send
    return CEDE_OK;
}

cede_result drop_then_send(cede_self *self, struct post *post, struct mail *m) {
    cede_drop(self, &m);
    return cede_send(self, post->hub, &m); // expect: use-after-send
}

cede_result keep_then_use(cede_self *self, struct post *post, struct mail *m) {
    struct mail *n = m;
    post->last = cede_keep(self, &m);
    audit_id(n->id); // expect: use-after-send
    return CEDE_OK;
}

cede_result keep_null(cede_self *self, struct post *post, struct mail *m) {
    post->last = cede_keep(self, &m);
    audit_id(m->id); // expect: use-after-send
    return CEDE_OK;
}

/* replies */
cede_result reply_self(cede_self *self, struct post *post, struct mail *m) {
    m->id++;
    cede_result r = cede_reply(self, m, &m);
    if (r == CEDE_OK)
        post->sum += m->id; // expect: use-after-send
    return r;
}

cede_result reply_self_alias(cede_self *self, struct post *post, struct mail *m) {
    struct mail *req = m;
    cede_result r = cede_reply(self, req, &m);
    if (r == CEDE_OK)
        post->sum += req->id; // expect: use-after-send
    return r;
}

cede_result reply_after_forward(cede_self *self, struct post *post, struct mail *m) {
    struct mail *req = m;
    cede_result r = cede_send(self, post->hub, &m);
    struct receipt *a = cede_new(self, receipt);
    if (a == NULL || r != CEDE_OK) {
        cede_drop(self, &a);
        return r;
    }
    r = cede_reply(self, req, &a); // expect: use-after-send
    if (r != CEDE_OK)
        cede_drop(self, &a);
    return r;
}

CEDE_YIELDS cede_result ask_then_request(cede_self *self, struct post *post, struct mail *m) {
    struct receipt *a = NULL;
    struct mail *q = m;
    cede_result r = cede_ask(self, post->hub, &m, receipt, &a, CEDE_FOREVER);
    if (r != CEDE_OK)
        return r;
    if (a->accepted)
        post->sum += q->id; // expect: use-after-send
    cede_drop(self, &a);
    return CEDE_OK;
}

CEDE_YIELDS cede_result ask_failed_use(cede_self *self, struct post *post, struct mail *m) {
    struct receipt *a = NULL;
    cede_result r = cede_ask(self, post->hub, &m, receipt, &a, CEDE_FOREVER);
    if (r != CEDE_OK) {
        audit_id(m->id); // expect: use-after-send
        return r;
    }
    cede_drop(self, &a);
    return CEDE_OK;
}

CEDE_YIELDS cede_result ask_into_same(cede_self *self, struct post *post, struct mail *m) {
    struct mail *old = m;
    cede_result r = cede_ask(self, post->hub, &m, mail, &m, CEDE_FOREVER);
    if (r == CEDE_OK)
        audit_id(old->id); // expect: use-after-send
    return r;
}

cede_result spawn_then_use(cede_self *self, struct post *post, struct mail *m) {
    extern const cede_behaviour postman;
    cede_result r = cede_spawn(self, &postman, &m, &post->hub);
    if (r == CEDE_OK)
        post->sum += m->id; // expect: use-after-send
    return r;
}

CEDE_YIELDS cede_result send_wait_use(cede_self *self, struct post *post, struct mail *m) {
    const struct mail *c = m;
    if (cede_send_wait(self, post->hub, &m, CEDE_SECONDS(1)) == CEDE_OK)
        audit_id(c->id); // expect: use-after-send
    return CEDE_OK;
}

/* callees of the same file */
static void show(const struct mail *m) {
    audit_id(m->id);
}

static struct mail *same(struct mail *m) {
    return m;
}

static cede_result forward(cede_self *self, cede_ref to, struct mail *m) {
    return cede_send(self, to, &m);
}

static cede_result forward_pp(cede_self *self, cede_ref to, struct mail **m) {
    cede_result r = cede_send(self, to, m);
    return r;
}

cede_result by_value_forward(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = forward(self, post->hub, m);
    if (r == CEDE_OK)
        m->id = 3; // expect: use-after-send
    return r;
}

cede_result by_value_forward_show(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = forward(self, post->hub, m);
    if (r == CEDE_OK)
        show(m); // expect: use-after-send
    return r;
}

cede_result by_pp_forward(cede_self *self, struct post *post, struct mail *m) {
    struct mail *a = same(m);
    cede_result r = forward_pp(self, post->hub, &m);
    if (r == CEDE_OK)
        show(a); // expect: use-after-send
    return r;
}

static uint64_t id_of(const struct mail *m) {
    return m ? m->id : 0;
}

cede_result forwarded_twice(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = forward(self, post->hub, m);
    if (r != CEDE_OK)
        return r;
    return forward(self, post->peers[1], m); // expect: use-after-send
}

cede_result id_after(cede_self *self, struct post *post, struct mail *m) {
    struct mail *a = m;
    if (cede_send(self, post->hub, &m) != CEDE_OK)
        return CEDE_EFAILED;
    post->sum += id_of(a); // expect: use-after-send
    return CEDE_OK;
}

static void stash(struct post *post, struct mail *m) {
    post->last = m;
}

cede_result stale_in_state(cede_self *self, struct post *post, struct mail *m) {
    stash(post, m);
    return cede_send(self, post->hub, &m); // expect: use-after-send
}

cede_result stale_box(cede_self *self, struct post *post, struct mail *m) {
    post->boxes[2].mail = m;
    cede_result r = cede_send(self, post->hub, &m); // expect: use-after-send
    return r;
}

cede_result stale_text(cede_self *self, struct post *post, struct mail *m) {
    post->subject = cede_str_text(&m->subject);
    return cede_send(self, post->hub, &m); // expect: use-after-send
}

cede_result use_state_text(cede_self *self, struct post *post, struct mail *m) {
    post->subject = cede_str_text(&m->subject);
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit(post->subject); // expect: use-after-send
    post->subject = NULL;
    return r;
}

cede_result printf_id(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    if (cede_send(self, post->hub, &m) == CEDE_OK)
        printf("sent %lu\n", (unsigned long)c->id); // expect: use-after-send
    return CEDE_OK;
}

cede_result printf_text(cede_self *self, struct post *post, struct mail *m) {
    const char *c = cede_str_text(&m->subject);
    if (cede_send(self, post->hub, &m) == CEDE_OK)
        printf("sent %s at %p\n", c, (void *)m); // expect: use-after-send
    return CEDE_OK;
}

struct mail *returns_it(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    if (cede_send(self, post->hub, &m) == CEDE_OK)
        return c; // expect: use-after-send
    return NULL;
}

#define TRY_SEND(self, to, m)                    \
    do {                                         \
        cede_result r_ = cede_send(self, to, m); \
        if (r_ != CEDE_OK)                       \
            return r_;                           \
    } while (0)

cede_result with_macro(cede_self *self, struct post *post, struct mail *m) {
    TRY_SEND(self, post->hub, &m);
    audit_id(m->id); // expect: use-after-send
    return CEDE_OK;
}

#define LOG_MAIL(m) audit_id((m)->id)

cede_result with_macro2(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    TRY_SEND(self, post->hub, &m);
    LOG_MAIL(c); // expect: use-after-send
    return CEDE_OK;
}

cede_result goto_cleanup(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = CEDE_OK;
    struct mail *c = m;
    if (m->id == 0)
        goto out;
    r = cede_send(self, post->hub, &m);
    if (r != CEDE_OK)
        goto out;
    post->sum++;
out:
    post->sum += c->id; // expect: use-after-send
    return r;
}

CEDE_YIELDS cede_result ask_again_after_silence(cede_self *self, struct post *post, struct mail *m) {
    struct receipt *a = NULL;
    cede_result r = cede_ask(self, post->hub, &m, receipt, &a, CEDE_SECONDS(1));
    if (r == CEDE_ETIMEDOUT)
        r = cede_ask(self, post->peers[0], &m, receipt, &a, CEDE_SECONDS(1)); // expect: use-after-send
    cede_drop(self, &a);
    cede_drop(self, &m);
    return r;
}
