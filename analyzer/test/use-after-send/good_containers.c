/* Queues, pools and texts that move from one message to another. */
#include "mail.h"
#include <assert.h>

struct ops {
    cede_result (*put)(cede_self *self, cede_ref to, struct mail **m CEDE_MOVED);
    void (*look)(const struct mail *m CEDE_BORROWED);
};

cede_result via_ops(cede_self *self, struct post *post, struct mail *m, const struct ops *ops) {
    ops->look(m);
    cede_result r = ops->put(self, post->hub, &m);
    if (r != CEDE_OK) {
        ops->look(m);
        cede_drop(self, &m);
    }
    return r;
}

static void finish(cede_self *self, struct post *post, struct mail *m, cede_result r) {
    if (r != CEDE_OK) {
        audit_id(m->id);
        cede_drop(self, &m);
    }
    (void)post;
}

cede_result helper_on_failure(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = cede_send(self, post->hub, &m);
    finish(self, post, m, r);
    return r;
}

cede_result list_moved(cede_self *self, struct post *post, struct mail *m) {
    struct mail *n = cede_new(self, mail);
    if (n == NULL)
        return CEDE_ENOMEM;
    n->parts.items = m->parts.items;
    n->parts.count = m->parts.count;
    n->parts.capacity = m->parts.capacity;
    m->parts.items = NULL;
    m->parts.count = m->parts.capacity = 0;
    struct part *p = n->parts.items;
    cede_drop(self, &m);
    if (n->parts.count)
        p[0].kind = 1;
    cede_result r = cede_send(self, post->hub, &n);
    if (r != CEDE_OK)
        cede_drop(self, &n);
    return r;
}

cede_result body_moved(cede_self *self, struct post *post, struct mail *m) {
    struct mail *n = cede_new(self, mail);
    if (n == NULL)
        return CEDE_ENOMEM;
    n->body = m->body;
    m->body = (cede_bytes){0};
    uint8_t *d = n->body.data;
    cede_result r = cede_reply(self, m, &m);
    if (d)
        d[0] = 1;
    if (r == CEDE_OK)
        r = cede_send(self, post->hub, &n);
    if (r != CEDE_OK)
        cede_drop(self, &n);
    return r;
}

cede_result head_moved(cede_self *self, struct post *post, struct mail *m) {
    struct mail *n = cede_new(self, mail);
    if (n == NULL)
        return CEDE_ENOMEM;
    n->head = m->head;
    m->head = (struct part){0};
    cede_drop(self, &m);
    audit(cede_str_text(&n->head.text));
    cede_result r = cede_send(self, post->hub, &n);
    if (r != CEDE_OK)
        cede_drop(self, &n);
    return r;
}

cede_result text_taken(cede_self *self, struct post *post, struct mail *m) {
    cede_str s = m->subject;
    m->subject = (cede_str){0};
    cede_result r = cede_send(self, post->hub, &m);
    audit(s.data ? s.data : "");
    cede_str_clear(&s);
    return r;
}

cede_result text_taken_memset(cede_self *self, struct post *post, struct mail *m, cede_str *out) {
    *out = m->subject;
    memset(&m->subject, 0, sizeof m->subject);
    cede_drop(self, &m);
    audit(cede_str_text(out));
    post->sum++;
    return CEDE_OK;
}

cede_result realloc_between(cede_self *self, struct post *post, struct mail *m) {
    if (cede_str_format(&m->subject, "%s!", cede_str_text(&m->subject)) != CEDE_OK)
        return CEDE_ENOMEM;
    audit(cede_str_text(&m->subject));
    return cede_send(self, post->hub, &m);
}

static cede_result send_last(cede_self *self, struct post *post) {
    struct mail *m = post->last;
    return cede_send(self, post->hub, &m);
}

cede_result caller_clears(cede_self *self, struct post *post) {
    if (post->last == NULL)
        return CEDE_OK;
    cede_result r = send_last(self, post);
    if (r == CEDE_OK)
        post->last = NULL;
    return r;
}

cede_result queue_shift(cede_self *self, struct post *post) {
    struct mail *m = post->boxes[0].mail;
    if (m == NULL)
        return CEDE_OK;
    memmove(&post->boxes[0], &post->boxes[1], 3 * sizeof post->boxes[0]);
    memset(&post->boxes[3], 0, sizeof post->boxes[3]);
    cede_result r = cede_send(self, post->hub, &m);
    if (r != CEDE_OK)
        cede_drop(self, &m);
    return r;
}

cede_result ring(cede_self *self, struct post *post, unsigned head, unsigned tail) {
    while (head != tail) {
        struct mail *m = post->boxes[head % 4].mail;
        post->boxes[head % 4].mail = NULL;
        head++;
        if (cede_send(self, post->hub, &m) != CEDE_OK) {
            cede_drop(self, &m);
            return CEDE_EFAILED;
        }
    }
    return CEDE_OK;
}

cede_result free_array(cede_self *self, struct mail **all, int n) {
    for (int i = 0; i < n; i++) {
        struct mail *m = all[i];
        cede_drop(self, &m);
    }
    free(all);
    return CEDE_OK;
}

cede_result drop_all(cede_self *self, struct mail **all, int n) {
    for (int i = 0; i < n; i++)
        cede_drop(self, &all[i]);
    return CEDE_OK;
}

cede_result keep_sent_id(cede_self *self, struct post *post, struct mail *m) {
    post->sum = m->id;
    post->subject = "static text";
    return cede_send(self, post->hub, &m);
}

struct worker {
    cede_ref ref;
    struct mail *job;
};

cede_result dispatch(cede_self *self, struct worker *w, int n, struct mail *m) {
    for (int i = 0; i < n; i++) {
        if (w[i].job != NULL)
            continue;
        w[i].job = m;
        cede_result r = cede_send(self, w[i].ref, &w[i].job);
        return r;
    }
    return CEDE_EFULL;
}

cede_result swap(cede_self *self, struct post *post, struct mail *m) {
    struct mail *old = post->last;
    post->last = cede_keep(self, &m);
    if (old != NULL) {
        audit_id(old->id);
        cede_drop(self, &old);
    }
    return CEDE_OK;
}

cede_result assert_null(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = cede_send(self, post->hub, &m);
    assert(r != CEDE_OK || m == NULL);
    return r;
}

cede_result print_null(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = cede_send(self, post->hub, &m);
    printf("%s %p %d\n", r == CEDE_OK ? "sent" : "not sent", (void *)m, (int)r);
    return r;
}

CEDE_YIELDS cede_result until_answer(cede_self *self, struct post *post, uint64_t id) {
    for (int tries = 0; tries < 3; tries++) {
        struct mail *q = cede_new(self, mail);
        if (q == NULL)
            return CEDE_ENOMEM;
        q->id = id;
        struct receipt *a = NULL;
        cede_result r = cede_ask(self, post->hub, &q, receipt, &a, CEDE_MILLIS(50));
        if (r == CEDE_OK) {
            bool ok = a->accepted;
            cede_drop(self, &a);
            return ok ? CEDE_OK : CEDE_STOP;
        }
        cede_drop(self, &q);
        if (r != CEDE_ETIMEDOUT)
            return r;
    }
    return CEDE_ETIMEDOUT;
}

cede_result goto_retry(cede_self *self, struct post *post, struct mail *m) {
    int i = 0;
    cede_result r;
again:
    r = cede_send(self, post->peers[i], &m);
    if (r != CEDE_OK && ++i < 8)
        goto again;
    if (r != CEDE_OK)
        audit(cede_str_text(&m->subject));
    return r;
}

cede_result two_stage(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_EFULL || r == CEDE_ENODE)
        r = cede_send(self, post->peers[0], &m);
    if (r != CEDE_OK) {
        audit_id(m->id);
        cede_drop(self, &m);
    }
    return r;
}

cede_result text_literal_or(cede_self *self, struct post *post, struct mail *m, bool anonymous) {
    const char *t = anonymous ? "anonymous" : cede_str_text(&m->subject);
    audit(t);
    if (!anonymous)
        return CEDE_OK;
    cede_result r = cede_send(self, post->hub, &m);
    audit(t);
    return r;
}

cede_result macro_foreach(cede_self *self, struct post *post, struct mail *m) {
#define EACH(p, list) for (struct part *p = (list).items, *e_ = p + (list).count; p < e_; p++)
    EACH(p, m->parts)
    post->sum += p->kind;
    cede_result r = cede_send(self, post->hub, &m);
    return r;
}

/* three rounds with a way out, and what is behind them */
cede_result all_but_the_last(cede_self *self, struct post *post, struct mail *drafts[4]) {
    for (int i = 0; i < 3; i++)
        if (cede_send(self, post->peers[i], &drafts[i]) != CEDE_OK)
            return CEDE_EFAILED;
    audit_id(drafts[3]->id);
    return CEDE_OK;
}

/* the variable is behind a pointer */
cede_result another_behind_a_pointer(cede_self *self, struct post *post, struct mail **slots) {
    struct mail *second = slots[1];
    if (cede_send(self, post->hub, &slots[0]) != CEDE_OK) {
        audit_id(slots[0]->id);
        return CEDE_EFAILED;
    }
    audit_id(second->id);
    return CEDE_OK;
}

cede_result filled_again(cede_self *self, struct post *post, struct mail **slot) {
    if (cede_send(self, post->hub, slot) != CEDE_OK)
        return CEDE_EFAILED;
    *slot = cede_new(self, mail);
    if (*slot != NULL)
        (*slot)->id = 1;
    return CEDE_OK;
}

cede_result slot_without_alias(cede_self *self, struct post *post, struct mail **slot) {
    uint64_t id = (*slot)->id;
    cede_result r = cede_send(self, post->hub, slot);
    if (r == CEDE_OK)
        audit_id(id);
    else if (*slot != NULL)
        audit_id((*slot)->id);
    return r;
}
