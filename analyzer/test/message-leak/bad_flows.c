/* Forgotten on one path. */
#include "mail.h"

static cede_result on_mail(cede_self *self, struct post *post, struct mail *m) {
    post->last = m; // expect: message-leak
    (void)self;
    return CEDE_OK;
}

static cede_result on_receipt(cede_self *self, struct post *post, struct receipt *m) {
    struct mail *n = cede_new(self, mail); // expect: message-leak
    if (n == NULL)
        return CEDE_ENOMEM;
    if (m->accepted)
        return CEDE_OK;
    return cede_send(self, post->hub, &n);
}

#define POST(ON) ON(mail, on_mail) ON(receipt, on_receipt)
CEDE_BEHAVIOUR(post, struct post, POST);

cede_result early(cede_self *self, struct post *post) {
    struct mail *a = cede_new(self, mail); // expect: message-leak
    struct mail *b = cede_new(self, mail);
    if (a == NULL || b == NULL) {
        cede_drop(self, &b);
        return CEDE_ENOMEM;
    }
    cede_result r = cede_send(self, post->hub, &a);
    if (r != CEDE_OK) {
        cede_drop(self, &a);
        cede_drop(self, &b);
        return r;
    }
    r = cede_send(self, post->hub, &b);
    if (r != CEDE_OK)
        cede_drop(self, &b);
    return r;
}

CEDE_YIELDS cede_result recv_forgotten(cede_self *self) {
    struct mail *m = NULL;
    cede_result r = cede_recv(self, mail, &m, CEDE_FOREVER); // expect: message-leak
    if (r != CEDE_OK)
        return r;
    audit_id(m->id);
    return CEDE_OK;
}

CEDE_YIELDS void recv_loop(cede_self *self) {
    struct mail *m = NULL;
    while (cede_recv(self, mail, &m, CEDE_FOREVER) == CEDE_OK) // expect: message-leak
        audit_id(m->id);
}

cede_result overwritten(cede_self *self, struct post *post) {
    struct mail *m = cede_new(self, mail); // expect: message-leak
    if (m == NULL)
        return CEDE_ENOMEM;
    m = cede_new(self, mail);
    if (m == NULL)
        return CEDE_ENOMEM;
    return cede_send(self, post->hub, &m);
}

void never_used(cede_self *self) {
    struct mail *m = cede_new(self, mail); // expect: message-leak
    if (m)
        audit_id(m->id);
}

void set_text_error(cede_self *self, struct post *post, const char *t) {
    struct mail *m = cede_new(self, mail); // expect: message-leak
    if (m == NULL)
        return;
    if (cede_str_set(&m->subject, t) != CEDE_OK)
        return;
    if (cede_send(self, post->hub, &m) != CEDE_OK)
        cede_drop(self, &m);
}

static void helper_no_take(struct mail *m) {
    m->id++;
}

void helper(cede_self *self) {
    struct mail *m = cede_new(self, mail); // expect: message-leak
    if (m == NULL)
        return;
    helper_no_take(m);
}

CEDE_YIELDS cede_result ask_leak(cede_self *self, struct post *post, struct mail *q) {
    struct receipt *a = NULL;
    cede_result r = cede_ask(self, post->hub, &q, receipt, &a, CEDE_FOREVER); // expect: message-leak
    if (r != CEDE_OK) {
        cede_drop(self, &q);
        return r;
    }
    if (!a->accepted)
        return CEDE_EFAILED;
    cede_drop(self, &a);
    return CEDE_OK;
}
