/* Copies made in time, retries, failure paths, moved texts. */
#include "mail.h"

cede_result failure_path(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    const char *t = cede_str_text(&m->subject);
    cede_result r = cede_send(self, post->hub, &m);
    if (r != CEDE_OK) {
        audit_id(c->id);
        audit(t);
        cede_drop(self, &m);
    }
    return r;
}

cede_result retry_loop(cede_self *self, struct post *post, struct mail *m) {
    for (int i = 0; i < 8; i++) {
        cede_result r = cede_send(self, post->peers[i], &m);
        if (r == CEDE_OK)
            return r;
        audit_id(m->id);
    }
    cede_drop(self, &m);
    return CEDE_EFAILED;
}

CEDE_YIELDS cede_result retry_while(cede_self *self, struct post *post, struct mail *m) {
    cede_result r;
    while ((r = cede_send(self, post->hub, &m)) == CEDE_EFULL) {
        m->id++;
        (void)cede_sleep(self, CEDE_MILLIS(1));
    }
    if (r != CEDE_OK)
        cede_drop(self, &m);
    return r;
}

cede_result copy_subject(cede_self *self, struct post *post, struct mail *m) {
    char text[64];
    snprintf(text, sizeof text, "%s", cede_str_text(&m->subject));
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit(text);
    return r;
}

cede_result strdup_subject(cede_self *self, struct post *post, struct mail *m) {
    char *text = strdup(cede_str_text(&m->subject));
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK && text)
        audit(text);
    free(text);
    return r;
}

cede_result scalar_copy(cede_self *self, struct post *post, struct mail *m) {
    struct mail copy = *m;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        post->sum += copy.id + copy.digest[0];
    return r;
}

cede_result pre_copy_size(cede_self *self, struct post *post, struct mail *m) {
    uint32_t n = m->body.size + m->parts.count;
    cede_result r = cede_send(self, post->hub, &m);
    post->sum += n;
    return r;
}

cede_result moved_text(cede_self *self, struct post *post, struct mail *m) {
    struct mail *n = cede_new(self, mail);
    if (n == NULL)
        return CEDE_ENOMEM;
    n->subject = m->subject; /* the text moves over */
    memset(&m->subject, 0, sizeof m->subject);
    const char *t = cede_str_text(&n->subject);
    cede_drop(self, &m);
    audit(t);
    cede_result r = cede_send(self, post->hub, &n);
    if (r != CEDE_OK)
        cede_drop(self, &n);
    return r;
}

cede_result swapped_text(cede_self *self, struct post *post, struct mail *m) {
    struct mail *n = cede_new(self, mail);
    if (n == NULL)
        return CEDE_ENOMEM;
    cede_str old = n->subject;
    n->subject = m->subject;
    m->subject = old;
    cede_drop(self, &m);
    audit(cede_str_text(&n->subject));
    cede_result r = cede_send(self, post->hub, &n);
    if (r != CEDE_OK)
        cede_drop(self, &n);
    return r;
}

cede_result reassigned_alias(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    c = post->last;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK && c != NULL)
        audit_id(c->id);
    return r;
}

cede_result drop_both(cede_self *self, struct mail *m) {
    struct mail *c = m;
    m = NULL;
    cede_drop(self, &c);
    cede_drop(self, &m);
    return CEDE_OK;
}

cede_result keep_alias(cede_self *self, struct post *post, struct mail *m) {
    struct mail *kept = cede_keep(self, &m);
    post->last = kept;
    kept->id++;
    audit_id(post->last->id);
    return CEDE_OK;
}

cede_result send_kept(cede_self *self, struct post *post, struct receipt *unused) {
    (void)unused;
    if (post->last == NULL)
        return CEDE_OK;
    cede_result r = cede_send(self, post->hub, &post->last);
    if (r == CEDE_OK)
        post->last = NULL;
    if (post->last != NULL)
        audit_id(post->last->id);
    return r;
}

cede_result reply_other(cede_self *self, struct post *post, struct mail *m) {
    struct receipt *a = cede_new(self, receipt);
    if (a == NULL)
        return CEDE_ENOMEM;
    a->id = m->id;
    cede_result r = cede_reply(self, m, &a);
    if (r != CEDE_OK)
        cede_drop(self, &a);
    post->sum += m->id;
    audit(cede_str_text(&m->subject));
    return r;
}

cede_result reply_self_end(cede_self *self, struct post *post, struct mail *m) {
    uint64_t id = m->id;
    cede_result r = cede_reply(self, m, &m);
    if (r != CEDE_OK) {
        audit_id(m->id);
    }
    post->sum += id;
    return r;
}

CEDE_YIELDS cede_result ask_same_var(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = cede_ask(self, post->hub, &m, mail, &m, CEDE_FOREVER);
    if (r == CEDE_OK)
        audit(cede_str_text(&m->subject));
    cede_drop(self, &m);
    return r;
}

CEDE_YIELDS cede_result ask_retry(cede_self *self, struct post *post, struct mail *m) {
    struct receipt *a = NULL;
    cede_result r = cede_ask(self, post->hub, &m, receipt, &a, CEDE_SECONDS(1));
    if (r != CEDE_OK && m != NULL)
        r = cede_ask(self, post->peers[0], &m, receipt, &a, CEDE_SECONDS(1));
    if (r == CEDE_OK) {
        post->sum += a->id;
        cede_drop(self, &a);
    }
    cede_drop(self, &m);
    return r;
}

static cede_result forward_or_drop(cede_self *self, cede_ref to, struct mail **m) {
    cede_result r = cede_send(self, to, m);
    if (r != CEDE_OK)
        cede_drop(self, m);
    return r;
}

cede_result pp(cede_self *self, struct post *post, struct mail *m) {
    uint64_t id = m->id;
    cede_result r = forward_or_drop(self, post->hub, &m);
    if (r != CEDE_OK)
        audit_id(id);
    cede_drop(self, &m);
    return r;
}

cede_result fan_out_new(cede_self *self, struct post *post, struct mail *m) {
    for (int i = 0; i < 8; i++) {
        struct mail *c = cede_new(self, mail);
        if (c == NULL)
            return CEDE_ENOMEM;
        c->id = m->id;
        if (cede_str_set(&c->subject, cede_str_text(&m->subject)) != CEDE_OK ||
            cede_send(self, post->peers[i], &c) != CEDE_OK)
            cede_drop(self, &c);
    }
    audit_id(m->id);
    return CEDE_OK;
}

cede_result last_gets_original(cede_self *self, struct post *post, struct mail *m, int n) {
    for (int i = 0; i < n; i++) {
        if (i == n - 1)
            return cede_send(self, post->peers[i], &m);
        struct mail *c = cede_new(self, mail);
        if (c == NULL)
            return CEDE_ENOMEM;
        c->id = m->id;
        if (cede_send(self, post->peers[i], &c) != CEDE_OK)
            cede_drop(self, &c);
    }
    return CEDE_OK;
}

cede_result all_boxes(cede_self *self, struct post *post, int n) {
    for (int i = 0; i < n && i < 4; i++) {
        struct box *b = &post->boxes[i];
        if (b->mail == NULL)
            continue;
        b->n += (int)b->mail->id;
        if (cede_send(self, post->hub, &b->mail) != CEDE_OK)
            return CEDE_EFAILED;
        b->mail = NULL;
    }
    return CEDE_OK;
}

cede_result flag(cede_self *self, struct post *post, struct mail *m) {
    bool sent = false;
    if (post->sum > 3)
        sent = cede_send(self, post->hub, &m) == CEDE_OK;
    if (!sent) {
        post->sum += m->id;
        cede_drop(self, &m);
    }
    return CEDE_OK;
}

cede_result boolret(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    bool failed = cede_send(self, post->hub, &m) != CEDE_OK;
    if (failed)
        audit_id(c->id);
    return CEDE_OK;
}

cede_result min_result(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = m->id ? cede_send(self, post->hub, &m) : CEDE_EINVAL;
    if (r) {
        audit_id(m->id);
        cede_drop(self, &m);
    }
    return r;
}

cede_result compare(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK && post->last == c)
        post->last = NULL;
    return r;
}

cede_result clear_state_alias(cede_self *self, struct post *post, struct mail *m) {
    post->subject = cede_str_text(&m->subject);
    audit(post->subject);
    post->subject = NULL;
    return cede_send(self, post->hub, &m);
}

cede_result offsets(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    cede_result r = cede_send(self, post->hub, &m);
    size_t n = sizeof(c->digest) + sizeof *c + offsetof(struct mail, body);
    uint64_t *id = &c->id; /* an address only */
    (void)id;
    post->sum += n;
    return r;
}

cede_result empty_text(cede_self *self, struct post *post, struct mail *m) {
    const char *t = "none";
    if (post->sum)
        t = "some";
    cede_result r = cede_send(self, post->hub, &m);
    audit(t);
    return r;
}

cede_result other_alias(cede_self *self, struct post *post, struct mail *m) {
    struct mail *n = cede_new(self, mail);
    if (n == NULL)
        return CEDE_ENOMEM;
    struct mail *c = n;
    cede_result r = cede_send(self, post->hub, &m);
    audit_id(c->id);
    if (r == CEDE_OK)
        r = cede_send(self, post->peers[0], &n);
    if (r != CEDE_OK)
        cede_drop(self, &n);
    return r;
}

cede_result recursion(cede_self *self, struct post *post, struct mail *m, int depth) {
    if (depth == 0)
        return cede_send(self, post->hub, &m);
    return recursion(self, post, m, depth - 1);
}

CEDE_YIELDS cede_result blocking_back(cede_self *self, struct post *post, struct mail *m, cede_blocking_fn *work) {
    struct mail *c = m;
    cede_result r = cede_run_blocking(self, work, &m);
    post->sum += m->id;
    (void)c;
    return r;
}

/* CEDE_EFULL says that the request was not sent. */
CEDE_YIELDS cede_result ask_again_when_full(cede_self *self, struct post *post, struct mail *m) {
    struct receipt *a = NULL;
    cede_result r = cede_ask(self, post->hub, &m, receipt, &a, CEDE_SECONDS(1));
    while (r == CEDE_EFULL) {
        audit_id(m->id);
        cede_yield(self);
        r = cede_ask(self, post->hub, &m, receipt, &a, CEDE_SECONDS(1));
    }
    cede_drop(self, &m);
    cede_drop(self, &a);
    return r;
}

CEDE_YIELDS cede_result ask_another(cede_self *self, struct post *post, struct mail *m) {
    struct receipt *a = NULL;
    cede_result r = CEDE_ENOACTOR;
    for (int i = 0; i < 8 && r == CEDE_ENOACTOR; i++)
        r = cede_ask(self, post->peers[i], &m, receipt, &a, CEDE_SECONDS(1));
    cede_drop(self, &m);
    cede_drop(self, &a);
    return r;
}
