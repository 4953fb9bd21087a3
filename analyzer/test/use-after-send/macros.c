/* Code that macros make, results that go through predicates, and ways to try again. */
#include "mail.h"
/* macro-made code */
#define DEFINE_FORWARD(name, T, field)                                  \
    cede_result name(cede_self *self, struct post *post, struct T *m) { \
        struct T *copy = m;                                             \
        cede_result r = cede_send(self, post->hub, &m);                 \
        if (r == CEDE_OK)                                               \
            post->sum += copy->field;                                   \
        return r;                                                       \
    }
DEFINE_FORWARD(fwd_mail, mail, id) // expect: use-after-send
DEFINE_FORWARD(fwd_receipt, receipt, id) // expect: use-after-send
#define DEFINE_GOOD(name, T, field)                                     \
    cede_result name(cede_self *self, struct post *post, struct T *m) { \
        uint64_t copy = m->field;                                       \
        cede_result r = cede_send(self, post->hub, &m);                 \
        if (r == CEDE_OK)                                               \
            post->sum += copy;                                          \
        return r;                                                       \
    }
DEFINE_GOOD(good_mail, mail, id)
#define RETURN_IF_ERROR(e)    \
    do {                      \
        cede_result e_ = (e); \
        if (e_ != CEDE_OK)    \
            return e_;        \
    } while (0)
#define MUST(e)             \
    do {                    \
        if ((e) != CEDE_OK) \
            abort();        \
    } while (0)

cede_result m1(cede_self *self, struct post *post, struct mail *m) {
    RETURN_IF_ERROR(cede_send(self, post->hub, &m));
    post->sum += m->id; // expect: use-after-send
    return CEDE_OK;
}

cede_result m2(cede_self *self, struct post *post, struct mail *m) {
    struct mail *k = m;
    MUST(cede_send(self, post->hub, &m));
    audit(cede_str_text(&k->subject)); // expect: use-after-send
    return CEDE_OK;
}

cede_result m3(cede_self *self, struct post *post, struct mail *m) {
    uint64_t id = m->id;
    MUST(cede_send(self, post->hub, &m));
    audit_id(id);
    return CEDE_OK;
}

#define foreach_peer(post, i) for (int i = 0; i < 8; i++)

cede_result m4(cede_self *self, struct post *post, struct mail *m) {
    foreach_peer(post, i) {
        if (cede_send(self, post->peers[i], &m) != CEDE_OK) // expect: use-after-send
            audit_id(m->id);
    }
    return CEDE_OK;
}

cede_result m5(cede_self *self, struct post *post, struct mail *m) {
#ifdef TRACE
    struct mail *copy = m;
#endif
    cede_result r = cede_send(self, post->hub, &m);
#ifdef TRACE
    audit_id(copy->id);
#else
    (void)r;
#endif
    return r;
}

/* switch(result) falling */
cede_result m6(cede_self *self, struct post *post, struct mail *m) {
    switch (cede_send(self, post->hub, &m)) {
    case CEDE_OK:
        return CEDE_OK;
    case CEDE_EFULL:
        audit_id(m->id);
        break;
    default:
        audit(cede_str_text(&m->subject));
    }
    cede_drop(self, &m);
    return CEDE_EFAILED;
}

/* results passed through helper predicates */
static bool ok(cede_result r) {
    return r == CEDE_OK;
}

static bool failed(cede_result r) {
    return r != CEDE_OK;
}

cede_result m7(cede_self *self, struct post *post, struct mail *m) {
    struct mail *k = m;
    if (ok(cede_send(self, post->hub, &m)))
        k->id = 0; // expect: use-after-send
    return CEDE_OK;
}

cede_result m8(cede_self *self, struct post *post, struct mail *m) {
    cede_result r = cede_send(self, post->hub, &m);
    if (failed(r)) {
        audit_id(m->id);
        cede_drop(self, &m);
    }
    return r;
}

cede_result log_result(cede_result r);

cede_result m9(cede_self *self, struct post *post, struct mail *m) {
    struct mail *k = m;
    cede_result r = log_result(cede_send(self, post->hub, &m));
    if (r != CEDE_OK && m != NULL)
        audit_id(k->id);
    return r;
}

/* ref-counted copies by value stored in arrays of structs */
struct pend {
    struct mail *m;
    bool live;
};

cede_result m10(cede_self *self, struct post *post, struct pend *p, int n) {
    int sent = 0;
    for (int i = 0; i < n; i++) {
        if (!p[i].live)
            continue;
        if (cede_send(self, post->hub, &p[i].m) == CEDE_OK) {
            p[i].live = false;
            sent++;
        } else {
            audit_id(p[i].m->id);
        }
    }
    return sent ? CEDE_OK : CEDE_EFULL;
}

cede_result m12(cede_self *self, struct post *post, struct mail *m) {
    cede_result results[2];
    results[0] = cede_send(self, post->hub, &m);
    if (results[0] == CEDE_OK)
        return CEDE_OK;
    results[1] = cede_send(self, post->peers[0], &m);
    if (results[1] != CEDE_OK)
        cede_drop(self, &m);
    return results[1];
}

void m13(cede_self *self, struct post *post, struct mail *m) {
    bool done = false;
    while (!done) {
        done = cede_send(self, post->hub, &m) != CEDE_EFULL;
        if (!done)
            cede_yield(self);
    }
    cede_drop(self, &m);
}
