/* The address survives in structs, slots, helpers and function pointers. */
#include "mail.h"
#include <assert.h>

struct ops {
    cede_result (*put)(cede_self *self, cede_ref to, struct mail **m CEDE_MOVED);
    void (*look)(const struct mail *m);
};

cede_result via_ops(cede_self *self, struct post *post, struct mail *m, const struct ops *ops) {
    struct mail *c = m;
    cede_result r = ops->put(self, post->hub, &m);
    if (r == CEDE_OK)
        ops->look(c); // expect: use-after-send
    return r;
}

/* field alias of a local struct */
cede_result struct_of_ptrs(cede_self *self, struct post *post, struct mail *m) {
    struct {
        struct mail *a, *b;
    } two = {m, m};

    cede_result r = cede_send(self, post->hub, &two.a);
    if (r == CEDE_OK)
        two.b->id = 4; // expect: use-after-send
    return r;
}

struct holder {
    struct mail *m;
    const char *text;
};

static void fill(struct holder *h, struct mail *m) {
    h->m = m;
    h->text = cede_str_text(&m->subject);
}

cede_result filled_holder(cede_self *self, struct post *post, struct mail *m) {
    struct holder h;
    fill(&h, m);
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit(h.text); // expect: use-after-send
    return r;
}

static struct holder hold(struct mail *m) {
    return (struct holder){m, NULL};
}

cede_result returned_holder(cede_self *self, struct post *post, struct mail *m) {
    struct holder h = hold(m);
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        h.m->id = 3; // expect: use-after-send
    return r;
}

static const char *subject_of(const struct mail *m) {
    return cede_str_text(&m->subject);
}

cede_result text_by_helper(cede_self *self, struct post *post, struct mail *m) {
    const char *t = subject_of(m);
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        audit(t); // expect: use-after-send
    return r;
}

static struct mail **slot(struct post *post, int i) {
    return &post->boxes[i].mail;
}

cede_result by_slot(cede_self *self, struct post *post, int i) {
    struct mail *m = *slot(post, i);
    if (m == NULL)
        return CEDE_OK;
    cede_result r = cede_send(self, post->hub, slot(post, i));
    if (r == CEDE_OK)
        audit_id(m->id); // expect: use-after-send
    return r;
}

cede_result send_box_by_index(cede_self *self, struct post *post, int i) {
    if (post->boxes[i].mail == NULL)
        return CEDE_OK;
    cede_result r = cede_send(self, post->hub, &post->boxes[i].mail);
    if (r == CEDE_OK)
        post->sum += post->boxes[i].mail->id; // expect: use-after-send
    return r;
}

static void cleanup(cede_self *self, struct mail **a) {
    cede_drop(self, a);
}

cede_result drop_in_helper(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    cleanup(self, &m);
    post->sum += c->id; // expect: use-after-send
    return CEDE_OK;
}

cede_result conditional_move(cede_self *self, struct post *post, struct mail *m, bool urgent) {
    if (urgent) {
        cede_result r = cede_send(self, post->hub, &m);
        if (r != CEDE_OK)
            return r;
    }
    post->sum += m->id; // expect: use-after-send
    return CEDE_OK;
}

cede_result ignoring_failure(cede_self *self, struct post *post, struct mail *m) {
    if (cede_send(self, post->hub, &m) != CEDE_OK)
        audit("failed");
    audit_id(m->id); // expect: use-after-send
    return CEDE_OK;
}

cede_result nested_call(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    audit_id(cede_send(self, post->hub, &m) == CEDE_OK ? c->id : 0); // expect: use-after-send
    return CEDE_OK;
}

cede_result short_circuit(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    return cede_send(self, post->hub, &m) == CEDE_OK && c->id > 4 ? CEDE_STOP : CEDE_OK; // expect: use-after-send
}

cede_result assign_through(cede_self *self, struct post *post, struct mail *m) {
    uint8_t(*digest)[32] = &m->digest;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        (*digest)[0] = 1; // expect: use-after-send
    return r;
}

cede_result range(cede_self *self, struct post *post, struct mail *m) {
    const uint8_t *p = m->digest, *end = p + sizeof m->digest;
    if (cede_send(self, post->hub, &m) != CEDE_OK)
        return CEDE_OK;
    while (p < end)
        post->sum += *p++; // expect: use-after-send
    return CEDE_OK;
}

cede_result copy_out(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    if (cede_send(self, post->hub, &m) != CEDE_OK)
        return CEDE_OK;
    struct mail all = *c; // expect: use-after-send
    post->sum += all.id;
    return CEDE_OK;
}

cede_result memcpy_out(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    uint8_t d[32];
    if (cede_send(self, post->hub, &m) != CEDE_OK)
        return CEDE_OK;
    memcpy(d, c->digest, sizeof d); // expect: use-after-send
    post->sum += d[0];
    return CEDE_OK;
}

cede_result stmt_expr(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    cede_result r = ({ cede_result x_ = cede_send(self, post->hub, &m); x_; });
    if (r == CEDE_OK)
        c->id = 1; // expect: use-after-send
    return r;
}

cede_result compound(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    if (!cede_send(self, post->hub, &m)) {
        c->id += 5; // expect: use-after-send
        c->digest[0] ^= 1;
    }
    return CEDE_OK;
}

cede_result free_raw(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    if (cede_send(self, post->hub, &m) == CEDE_OK)
        free(c); // expect: use-after-send
    return CEDE_OK;
}

cede_result list_clear_after(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    if (cede_send(self, post->hub, &m) == CEDE_OK)
        cede_list_clear(part, &c->parts); // expect: use-after-send
    return CEDE_OK;
}

cede_result asserted(cede_self *self, struct post *post, struct mail *m) {
    struct mail *c = m;
    cede_result r = cede_send(self, post->hub, &m);
    assert(r == CEDE_OK);
    (void)r;
    audit_id(c->id); // expect: use-after-send
    return CEDE_OK;
}

static uint64_t counter_of(struct post *post) {
    return post->last->id;
}

cede_result state_used_by_callee(cede_self *self, struct post *post, struct mail *m) {
    post->last = m;
    cede_result r = cede_send(self, post->hub, &m);
    if (r == CEDE_OK)
        post->sum = counter_of(post); // expect: use-after-send
    post->last = NULL;
    return r;
}

CEDE_YIELDS cede_result ask_twice(cede_self *self, struct post *post, struct mail *m) {
    struct receipt *a = NULL;
    cede_result r = cede_ask(self, post->hub, &m, receipt, &a, CEDE_FOREVER);
    if (r != CEDE_OK) {
        cede_drop(self, &m);
        return r;
    }
    cede_drop(self, &a);
    r = cede_ask(self, post->peers[0], &m, receipt, &a, CEDE_FOREVER); // expect: use-after-send
    cede_drop(self, &a);
    return r;
}

CEDE_YIELDS cede_result reply_used_after_drop(cede_self *self, struct post *post, struct mail *m) {
    struct receipt *a = NULL;
    cede_result r = cede_ask(self, post->hub, &m, receipt, &a, CEDE_FOREVER);
    cede_drop(self, &m);
    if (r != CEDE_OK)
        return r;
    const bool *yes = &a->accepted;
    cede_drop(self, &a);
    return *yes ? CEDE_STOP : CEDE_OK; // expect: use-after-send
}

cede_result recv_reuse(cede_self *self, struct post *post) {
    struct mail *m = NULL;
    const char *t = "";
    while (cede_recv(self, mail, &m, 0) == CEDE_OK) {
        audit(t); // expect: use-after-send
        t = cede_str_text(&m->subject);
        cede_drop(self, &m);
    }
    (void)post;
    return CEDE_OK;
}

cede_result last_in_loop(cede_self *self, struct post *post) {
    struct mail *m = NULL, *last = NULL;
    for (int i = 0; i < 100; i++) {
        m = cede_new(self, mail);
        if (m == NULL)
            break;
        last = m;
        if (cede_send(self, post->hub, &m) != CEDE_OK) {
            cede_drop(self, &m);
            last = NULL;
        }
    }
    if (last != NULL)
        audit_id(last->id); // expect: use-after-send
    return CEDE_OK;
}

/* three rounds with a way out, and what is behind them */
cede_result all_of_three(cede_self *self, struct post *post) {
    struct mail *drafts[3] = {0};
    for (int i = 0; i < 3; i++)
        drafts[i] = cede_new(self, mail);
    for (int i = 0; i < 3; i++)
        if (drafts[i] != NULL && cede_send(self, post->peers[i], &drafts[i]) != CEDE_OK)
            return CEDE_EFAILED;
    audit_id(drafts[1]->id); // expect: use-after-send
    return CEDE_OK;
}

cede_result all_of_three_given(cede_self *self, struct post *post, struct mail *drafts[3]) {
    struct mail *first = drafts[0];
    for (int i = 0; i < 3; i++)
        if (cede_send(self, post->peers[i], &drafts[i]) != CEDE_OK)
            return CEDE_EFAILED;
    audit_id(first->id); // expect: use-after-send
    return CEDE_OK;
}

/* the variable is behind a pointer */
cede_result behind_a_pointer(cede_self *self, struct post *post, struct mail **slot) {
    struct mail *alias = *slot;
    if (cede_send(self, post->hub, slot) != CEDE_OK)
        return CEDE_EFAILED;
    audit_id(alias->id); // expect: use-after-send
    return CEDE_OK;
}

cede_result first_of_several(cede_self *self, struct post *post, struct mail **slots) {
    struct mail *alias = slots[0];
    if (cede_send(self, post->hub, &slots[0]) != CEDE_OK)
        return CEDE_EFAILED;
    audit(cede_str_text(&alias->subject)); // expect: use-after-send
    return CEDE_OK;
}

cede_result read_again(cede_self *self, struct post *post, struct mail **slot) {
    cede_result r = cede_send(self, post->hub, slot);
    if (r == CEDE_OK)
        audit_id((*slot)->id); // expect: use-after-send
    return r;
}
