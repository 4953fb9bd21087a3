/* Odd ways to an address, and odd ways around one, side by side. */
#include "mail.h"
#define container_of(p, T, f) ((T *)((char *)(p) - offsetof(T, f)))

cede_result u2(cede_self *self, struct post *post, struct mail *m) {
    struct part *h = &m->head;
    if (cede_send(self, post->hub, &m) == CEDE_OK)
        container_of(h, struct mail, head)->id = 1; // expect: use-after-send
    return CEDE_OK;
}

cede_result u3(cede_self *self, struct post *post, struct mail *m) {
    __typeof__(m) c = m;
    if (cede_send(self, post->hub, &m) == CEDE_OK)
        _Generic(c, struct mail *: c->id = 1, default: 0); // expect: use-after-send
    return CEDE_OK;
}

static cede_result later(cede_self *self, struct post *post, struct mail **m);

cede_result u4(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = later(self, post, &m);
    if (r == CEDE_OK)
        audit_id(m->id); // expect: use-after-send
    return r;
}

static cede_result later(cede_self *self, struct post *post, struct mail **m) {
    return cede_send(self, post->hub, m);
}

cede_result u5(cede_self *self, struct post *post) {
    struct mail *m = NULL;
    cede_result r;
    for (;;) {
        if (m != NULL)
            audit_id(m->id);
        r = cede_recv(self, mail, &m, 0);
        if (r != CEDE_OK)
            break;
        struct mail *c = m;
        r = cede_send(self, post->hub, &m);
        if (r == CEDE_OK)
            post->sum += c->id; // expect: use-after-send
        else
            cede_drop(self, &m);
    }
    return CEDE_OK;
}

cede_result u6(cede_self *self, struct post *post, struct mail *m) {
    struct mail *list[2];
    int n = 0;
    list[n++] = m;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        for (int i = 0; i < n; i++)
            audit_id(list[i]->id); // expect: use-after-send
    return r;
}

cede_result u7(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c;
    c = m;
    cede_result r = cede_send(self, post->hub, &c);
    if (r == CEDE_OK)
        m->id = 0; // expect: use-after-send
    return r;
}

/* handler form: the message parameter remains while a copy was sent */
static cede_result on_mail(cede_self *self, struct post *post, struct mail *mail) {
    struct mail *out = mail;
    cede_result r = cede_send(self, post->hub, &out);
    if (r != CEDE_OK) {
        audit_id(out->id);
        return r;
    }
    post->sum++;
    return CEDE_OK;
}

static cede_result on_receipt(cede_self *self, struct post *post, struct receipt *rc) {
    struct receipt *copy = cede_new(self, receipt);
    if (copy == NULL)
        return CEDE_ENOMEM;
    *copy = *rc;
    cede_result r = cede_send(self, post->hub, &copy);
    if (r != CEDE_OK)
        cede_drop(self, &copy);
    post->sum += rc->id;
    return r;
}

#define POST(ON) ON(mail, on_mail) ON(receipt, on_receipt)
CEDE_BEHAVIOUR(post, struct post, POST);

cede_result u8(cede_self *self, struct post *post, struct mail *m, volatile bool *stop) {
    cede_result r = CEDE_EFULL;
    for (int i = 0; i < 100 && !*stop && r == CEDE_EFULL; i++) {
        m->id++;
        r = cede_send(self, post->hub, &m);
    }
    if (r != CEDE_OK)
        audit_id(m->id);
    return r;
}

cede_result u9(cede_self *self, struct post *post, struct mail *m) {
    bool moved = false;
    for (int i = 0; i < 8 && !moved; i++)
        moved = cede_send(self, post->peers[i], &m) == CEDE_OK;
    if (!moved)
        audit_id(m->id);
    return CEDE_OK;
}

cede_result u10(cede_self *self, struct post *post, struct mail *m) {
    static const char *names[] = {"a", "b"};
    const char *n = names[m->id & 1];
    cede_result r = cede_send(self, post->hub, &m);
    audit(n);
    return r;
}

cede_result u11(cede_self *self, struct post *post, struct mail *m) {
    char *buf = malloc(m->subject.size + 1);
    if (buf == NULL)
        return CEDE_ENOMEM;
    memcpy(buf, cede_str_text(&m->subject), m->subject.size + 1);
    cede_result r = cede_send(self, post->hub, &m);
    audit(buf);
    free(buf);
    return r;
}

static int find(const struct post *post, const struct mail *m) {
    for (int i = 0; i < 4; i++)
        if (post->boxes[i].mail == m)
            return i;
    return -1;
}

cede_result u12(cede_self *self, struct post *post, struct mail *m) {
    const struct mail *key = m;
    cede_result r = cede_send(self, post->hub, &m);
    if (find(post, key) >= 0)
        post->sum++;
    return r;
}

cede_result u13(cede_self *self, struct post *post, struct mail *m, int n) {
    int i = 0;
    do {
        if (i == 2) {
            audit_id(m->id); // expect: use-after-send
        }
        if (i == 1)
            (void)cede_send(self, post->hub, &m);
    } while (++i < n);
    return CEDE_OK;
}
