/* __attribute__((cleanup)): a variable is used once more when its scope ends; what is behind the scope is looked at. */
#include <cede/cede.h>

#define ORDER(F) F(u64, id)
CEDE_MESSAGE(order, ORDER);
void note(uint64_t id);
void unknown_end(struct order **m);
struct shop { cede_ref next; uint64_t last; };
struct owned { cede_self *self; struct order *order; };

static void note_at_end(struct order **m) { if (*m != NULL) note((*m)->id); }
static void owned_end(struct owned *owned) { cede_drop(owned->self, &owned->order); }
static void number_end(int *number) { note((uint64_t)*number); }

cede_result alias(cede_self *self, struct shop *shop, struct order *m) {
    __attribute__((cleanup(note_at_end))) struct order *copy = m; // expect: use-after-send
    return cede_send(self, shop->next, &m);
}

cede_result alias_of_an_unknown_end(cede_self *self, struct shop *shop, struct order *m) {
    __attribute__((cleanup(unknown_end))) struct order *copy = m; // expect: use-after-send
    cede_result r = cede_send(self, shop->next, &m);
    return r == CEDE_EFULL ? CEDE_OK : r;
}

cede_result alias_in_a_struct(cede_self *self, struct shop *shop, struct order *m) {
    __attribute__((cleanup(owned_end))) struct owned owned = {self, m}; // expect: use-after-send
    return cede_send(self, shop->next, &m);
}

/* the one variable */
cede_result holder(cede_self *self, struct shop *shop, struct order *m) {
    __attribute__((cleanup(note_at_end))) struct order *mine = m;
    return cede_send(self, shop->next, &mine);
}

cede_result holder_in_a_struct(cede_self *self, struct shop *shop, struct order *m) {
    __attribute__((cleanup(owned_end))) struct owned owned = {self, m};
    if (m->id == 0)
        return CEDE_EINVAL;
    return cede_send(self, shop->next, &owned.order);
}

cede_result reset_in_time(cede_self *self, struct shop *shop, struct order *m) {
    __attribute__((cleanup(note_at_end))) struct order *copy = m;
    note(copy->id);
    copy = NULL;
    return cede_send(self, shop->next, &m);
}

cede_result scope_ended_before(cede_self *self, struct shop *shop, struct order *m) {
    {
        __attribute__((cleanup(note_at_end))) struct order *copy = m;
        shop->last = copy->id;
    }
    return cede_send(self, shop->next, &m);
}

cede_result behind_the_scope(cede_self *self, struct shop *shop, struct order *m) {
    {
        __attribute__((cleanup(number_end))) int number = 3;
        shop->last = (uint64_t)number;
    }
    struct order *copy = m;
    cede_result r = cede_send(self, shop->next, &m);
    if (r == CEDE_OK)
        note(copy->id); // expect: use-after-send
    return r;
}

static cede_result send_scoped(cede_self *self, struct shop *shop, struct order **m) {
    __attribute__((cleanup(number_end))) int number = 3;
    shop->last = (uint64_t)number;
    return cede_send(self, shop->next, m);
}

cede_result behind_the_callee(cede_self *self, struct shop *shop, struct order *m) {
    struct order *copy = m;
    cede_result r = send_scoped(self, shop, &m);
    if (r == CEDE_OK)
        note(copy->id); // expect: use-after-send
    return r;
}

cede_result failed(cede_self *self, struct shop *shop, struct order *m) {
    cede_result r = cede_send(self, shop->next, &m);
    if (r == CEDE_OK)
        return r;
    __attribute__((cleanup(note_at_end))) struct order *rest = m;
    shop->last = rest->id;
    return r;
}
