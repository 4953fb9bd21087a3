/* Boxes: the content of opt() fields goes with the message, unless it was moved out before. */
#include <cede/cede.h>

#define LEAF(F) F(u32, weight) F(str, text)
CEDE_MESSAGE(leaf, LEAF);
#define GROVE(F) F(opt(leaf), best) F(array(opt(leaf), 3), few) F(list(opt(leaf)), many) F(opt(u32), count) F(opt(str), name) F(shared(leaf), common) F(sync(cede_cancel), cancel)
CEDE_MESSAGE(grove, GROVE);
void note(uint64_t number);
void arrange(struct grove *grove);
void look_at(const struct leaf *leaf);
struct park { cede_ref next; struct leaf *seen; const struct leaf *common; uint32_t weight; };

cede_result in_an_array(cede_self *self, struct park *park, struct grove *m) {
    struct leaf *second = m->few[1];
    cede_result r = cede_send(self, park->next, &m);
    if (r == CEDE_OK && second != NULL)
        note(second->weight); // expect: use-after-send
    return r;
}

cede_result in_a_list(cede_self *self, struct park *park, struct grove *m) {
    struct leaf *first = m->many.count > 0 ? m->many.items[0] : NULL;
    cede_result r = cede_send(self, park->next, &m);
    if (r == CEDE_OK && first != NULL)
        look_at(first); // expect: use-after-send
    return r;
}

cede_result of_a_number(cede_self *self, struct park *park, struct grove *m) {
    uint32_t *count = m->count;
    cede_result r = cede_send(self, park->next, &m);
    if (r == CEDE_OK && count != NULL)
        (*count)++; // expect: use-after-send
    return r;
}

cede_result text_in_a_box(cede_self *self, struct park *park, struct grove *m) {
    if (m->best == NULL)
        return CEDE_EINVAL;
    cede_str *text = &m->best->text;
    cede_result r = cede_send(self, park->next, &m);
    if (r == CEDE_OK)
        park->weight = text->size; // expect: use-after-send
    return r;
}

cede_result after_a_drop(cede_self *self, struct park *park, struct grove *m) {
    struct leaf *best = m->best;
    cede_drop(self, &m);
    if (best != NULL)
        park->weight = best->weight; // expect: use-after-send
    return CEDE_OK;
}

cede_result after_an_opaque_call(cede_self *self, struct park *park, struct grove *m) {
    struct leaf *best = m->best;
    arrange(m);
    cede_result r = cede_send(self, park->next, &m);
    if (r == CEDE_OK && best != NULL)
        park->weight = best->weight; // expect: use-after-send
    return r;
}

/* moved into another message, which stays */
cede_result moved_out(cede_self *self, struct park *park, struct grove *m, struct grove *other) {
    struct leaf *best = m->best;
    other->best = best;
    m->best = NULL;
    cede_result r = cede_send(self, park->next, &m);
    if (r == CEDE_OK && best != NULL)
        note(best->weight);
    return r;
}

cede_result moved_out_and_arranged(cede_self *self, struct park *park, struct grove *m, struct grove *other) {
    struct leaf *best = m->best;
    other->best = best;
    m->best = NULL;
    arrange(m);
    cede_result r = cede_send(self, park->next, &m);
    if (r == CEDE_OK && best != NULL)
        note(best->weight);
    return r;
}

cede_result swapped(cede_self *self, struct park *park, struct grove *m, struct grove *other) {
    struct leaf *mine = m->best, *theirs = other->best;
    m->best = theirs;
    other->best = mine;
    cede_result r = cede_send(self, park->next, &m);
    if (r == CEDE_OK && mine != NULL)
        note(mine->weight);
    return r;
}

/* a shared reference has an owner of its own */
cede_result shared(cede_self *self, struct park *park, struct grove *m) {
    const struct leaf *common = cede_shared_ref(m->common);
    cede_result r = cede_send(self, park->next, &m);
    if (common != NULL)
        note(common->weight);
    cede_shared_unref(&common);
    return r;
}

cede_result token(cede_self *self, struct park *park, struct grove *m) {
    struct cede_cancel *cancel = cede_shared_ref(m->cancel);
    cede_result r = cede_send(self, park->next, &m);
    if (cancel != NULL)
        cede_cancel_request(cancel);
    cede_shared_unref(&cancel);
    return r;
}

cede_result emptied(cede_self *self, struct park *park, struct grove *m) {
    uint32_t weight = 0;
    for (uint32_t i = 0; i < m->many.count; i++)
        if (m->many.items[i] != NULL)
            weight += m->many.items[i]->weight;
    for (int i = 0; i < 3; i++)
        if (m->few[i] != NULL)
            cede_opt_clear(leaf, &m->few[i]);
    cede_result r = cede_send(self, park->next, &m);
    if (r == CEDE_OK)
        park->weight += weight;
    return r;
}

cede_result failed(cede_self *self, struct park *park, struct grove *m) {
    struct leaf *best = m->best;
    cede_result r = cede_send(self, park->next, &m);
    if (r != CEDE_OK && best != NULL)
        park->weight = best->weight;
    return r;
}

#define CHAIN(F) F(u64, id) F(str, text) F(opt(chain), next)
CEDE_MESSAGE(chain, CHAIN);

/* On one path the part was moved out, on the other there is none. */
cede_result moved_out_on_one_path(cede_self *self, struct park *park, struct chain *m) {
    struct chain *rest = cede_new(self, chain);
    if (rest == NULL)
        return CEDE_ENOMEM;
    if (m->next != NULL) {
        rest->text = m->next->text;
        m->next->text = (cede_str){0};
        rest->next = m->next->next;
        m->next->next = NULL;
    }
    cede_result r = cede_send(self, park->next, &m);
    if (r == CEDE_OK && rest->next != NULL)
        note(rest->next->id + (uint64_t)cede_str_text(&rest->text)[0]);
    cede_drop(self, &rest);
    return r;
}
