/* Parts of a message, copies and casts of its address, after the message has gone. */
#include "mail.h"

/* handler style */
static cede_result on_mail(cede_self *self, struct post *post, struct mail *m) {
    struct mail *again = m;
    if (cede_send(self, post->hub, &m) != CEDE_OK)
        return CEDE_OK;
    post->sum += again->id; // expect: use-after-send
    return CEDE_OK;
}

#define POST(ON) ON(mail, on_mail)
CEDE_BEHAVIOUR(post, struct post, POST);

/* interior pointers */
cede_result interior_text(cede_self *self, struct post *post, struct mail *m) {
    const char *s = cede_str_text(&m->subject);
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit(s); // expect: use-after-send
    return r;
}

cede_result interior_text_read(cede_self *self, struct post *post, struct mail *m) {
    const char *s = cede_str_text(&m->subject);
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK && s[0] == '!') // expect: use-after-send
        post->sum++;
    return r;
}

cede_result interior_strlen(cede_self *self, struct post *post, struct mail *m) {
    const char *s = cede_str_text(&m->subject);
    if (cede_send(self, post->hub, &m) != CEDE_OK)
        return CEDE_EFAILED;
    post->sum += strlen(s); // expect: use-after-send
    return CEDE_OK;
}

cede_result interior_digest(cede_self *self, struct post *post, struct mail *m) {
    uint8_t *d = m->digest;
    if (cede_send(self, post->hub, &m) == CEDE_OK)
        d[3] = 0; // expect: use-after-send
    return CEDE_OK;
}

cede_result interior_body(cede_self *self, struct post *post, struct mail *m) {
    uint8_t *data = m->body.data;
    uint32_t size = m->body.size;
    cede_result r = cede_send(self, post->hub, &m);
    if (r != CEDE_OK)
        return r;
    memset(data, 0, size); // expect: use-after-send
    return r;
}

cede_result interior_list(cede_self *self, struct post *post, struct mail *m) {
    struct part *p = m->parts.items;
    uint32_t n = m->parts.count;
    if (cede_send(self, post->hub, &m) == CEDE_OK)
        for (uint32_t i = 0; i < n; i++)
            post->sum += p[i].kind; // expect: use-after-send
    return CEDE_OK;
}

cede_result interior_list_text(cede_self *self, struct post *post, struct mail *m) {
    if (m->parts.count == 0)
        return CEDE_OK;
    const char *t = cede_str_text(&m->parts.items[0].text);
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit(t); // expect: use-after-send
    return r;
}

cede_result interior_list_added(cede_self *self, struct post *post, struct mail *m) {
    struct part *p = cede_list_add(&m->parts);
    if (p == NULL)
        return CEDE_ENOMEM;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        p->kind = 3; // expect: use-after-send
    return r;
}

cede_result interior_nested(cede_self *self, struct post *post, struct mail *m) {
    struct part *head = &m->head;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        head->kind = 1; // expect: use-after-send
    return r;
}

cede_result interior_nested_text(cede_self *self, struct post *post, struct mail *m) {
    const char *t = cede_str_text(&m->head.text);
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit(t); // expect: use-after-send
    return r;
}

cede_result interior_str(cede_self *self, struct post *post, struct mail *m) {
    cede_str *subject = &m->subject;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit(cede_str_text(subject)); // expect: use-after-send
    return r;
}

cede_result interior_str_set(cede_self *self, struct post *post, struct mail *m) {
    cede_str *subject = &m->subject;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        r = cede_str_set(subject, "x"); // expect: use-after-send
    return r;
}

cede_result interior_int(cede_self *self, struct post *post, struct mail *m) {
    uint64_t *id = &m->id;
    cede_result r = cede_send(self, post->hub, &m);
    return r == CEDE_OK && *id ? CEDE_STOP : r; // expect: use-after-send
}

cede_result struct_copy_text(cede_self *self, struct post *post, struct mail *m) {
    struct mail copy = *m;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit(cede_str_text(&copy.subject)); // expect: use-after-send
    return r;
}

cede_result str_copy_text(cede_self *self, struct post *post, struct mail *m) {
    cede_str s = m->subject;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit(s.data); // expect: use-after-send
    return r;
}

/* casts, integers, ternary, comma */
cede_result by_uintptr(cede_self *self, struct post *post, struct mail *m) {
    uintptr_t u = (uintptr_t)m;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit_id(((struct mail *)u)->id); // expect: use-after-send
    return r;
}

cede_result by_void(cede_self *self, struct post *post, struct mail *m) {
    void *v = m;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit_id(((const struct mail *)v)->id); // expect: use-after-send
    return r;
}

cede_result by_char(cede_self *self, struct post *post, struct mail *m) {
    const unsigned char *raw = (const unsigned char *)m;
    if (cede_send(self, post->hub, &m))
        return CEDE_EFAILED;
    post->sum += raw[0]; // expect: use-after-send
    return CEDE_OK;
}

cede_result by_ternary(cede_self *self, struct post *post, struct mail *m, int which) {
    struct mail *pick = which ? m : post->last;
    if (pick == NULL)
        return CEDE_OK;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK && which)
        pick->id++; // expect: use-after-send
    return r;
}

cede_result by_comma(cede_self *self, struct post *post, struct mail *m) {
    struct mail *p = (post->sum++, m);
    cede_result r;
    return (r = cede_send(self, post->hub, &m), r == CEDE_OK) ? (cede_result)p->id : r; // expect: use-after-send
}

cede_result by_gnu_elvis(cede_self *self, struct post *post, struct mail *m) {
    struct mail *p = m ?: post->last;
    cede_result r = cede_send(self, post->hub, &m);
    if (!r)
        p->id = 0; // expect: use-after-send
    return r;
}

cede_result by_memcpy(cede_self *self, struct post *post, struct mail *m) {
    struct mail *p;
    memcpy(&p, &m, sizeof p);
    cede_result r = cede_send(self, post->hub, &m);
    if (!r)
        p->id = 0;
    return r;
}

cede_result by_struct(cede_self *self, struct post *post, struct mail *m) {
    struct box b = {.mail = m, .n = 1};
    struct box c = b;
    cede_result r = cede_send(self, post->hub, &b.mail);
    if (r == CEDE_OK)
        c.mail->id = 2; // expect: use-after-send
    return r;
}

cede_result by_array(cede_self *self, struct post *post, struct mail *m) {
    struct mail *all[3] = {NULL, m, NULL};
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit_id(all[1]->id); // expect: use-after-send
    return r;
}

cede_result by_pp(cede_self *self, struct post *post, struct mail *m) {
    struct mail *q = m, **pp = &q;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        (*pp)->id++; // expect: use-after-send
    return r;
}

cede_result deref_itself(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = cede_send(self, post->hub, &m);
    if (r != CEDE_OK)
        return r;
    audit(cede_str_text(&m->subject)); // expect: use-after-send
    return r;
}

cede_result switch_result(cede_self *self, struct post *post, struct mail *m) {
    switch (cede_send(self, post->hub, &m)) {
    case CEDE_OK:
        post->sum += m->id; // expect: use-after-send
        break;
    case CEDE_EFULL:
        post->sum -= m->id;
        break;
    default:
        break;
    }
    return CEDE_OK;
}
