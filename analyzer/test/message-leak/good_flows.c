/* Sent, kept, dropped, returned or given away. */
#include "mail.h"

static cede_result on_mail(cede_self *self, struct post *post, struct mail *m) {
    post->last = cede_keep(self, &m);
    return CEDE_OK;
}

static cede_result on_receipt(cede_self *self, struct post *post, struct receipt *m) {
    (void)self;
    post->sum += m->id;
    return CEDE_OK; /* dropped by the runtime */
}

#define POST(ON) ON(mail, on_mail) ON(receipt, on_receipt)
CEDE_BEHAVIOUR(post, struct post, POST);

struct mail *make(cede_self *self) {
    struct mail *m = cede_new(self, mail);
    if (m)
        m->id = 1;
    return m;
}

cede_result out(cede_self *self, struct mail **out) {
    *out = cede_new(self, mail);
    return *out ? CEDE_OK : CEDE_ENOMEM;
}

static struct mail *make2(cede_self *self, uint64_t id) {
    struct mail *m = cede_new(self, mail);
    if (m)
        m->id = id;
    return m;
}

cede_result sends(cede_self *self, struct post *post) {
    struct mail *m = make2(self, 3);
    if (m == NULL)
        return CEDE_ENOMEM;
    cede_result r = cede_send(self, post->hub, &m);
    if (r != CEDE_OK)
        cede_drop(self, &m);
    return r;
}

void list_of(cede_self *self, struct mail **all, int n) {
    for (int i = 0; i < n; i++)
        all[i] = cede_new(self, mail);
}

void taken(struct post *post, struct mail *m);

void gives(cede_self *self, struct post *post) {
    struct mail *m = cede_new(self, mail);
    if (m)
        taken(post, m);
}

cede_result array(cede_self *self, struct post *post) {
    struct mail *all[3] = {0};
    cede_result r = CEDE_OK;
    for (int i = 0; i < 3; i++) {
        all[i] = cede_new(self, mail);
        if (!all[i]) {
            r = CEDE_ENOMEM;
            break;
        }
    }
    for (int i = 0; i < 3; i++) {
        if (r == CEDE_OK)
            r = cede_send(self, post->hub, &all[i]);
        cede_drop(self, &all[i]);
    }
    return r;
}

CEDE_YIELDS cede_result recv_all(cede_self *self, struct post *post) {
    for (;;) {
        struct mail *m = NULL;
        cede_result r = cede_recv(self, mail, &m, 0);
        if (r != CEDE_OK)
            return r == CEDE_ETIMEDOUT ? CEDE_OK : r;
        post->sum += m->id;
        cede_drop(self, &m);
    }
}

cede_result keeps_box(cede_self *self, struct post *post) {
    struct mail *m = cede_new(self, mail);
    if (m == NULL)
        return CEDE_ENOMEM;
    post->boxes[0].mail = cede_keep(self, &m);
    return CEDE_OK;
}

void goto_out(cede_self *self, struct post *post) {
    struct mail *m = cede_new(self, mail);
    if (m == NULL)
        goto out;
    if (cede_str_set(&m->subject, "x") != CEDE_OK)
        goto out;
    (void)cede_send(self, post->hub, &m);
out:
    cede_drop(self, &m);
}

void aborts(cede_self *self, struct post *post) {
    struct mail *m = cede_new(self, mail);
    if (m == NULL)
        abort();
    if (post->sum > 3)
        abort();
    cede_drop(self, &m);
}
