/* Escapes: through callees, globals, state, arrays, pointers to pointers, macros, containers. */
#include "shop.h"

static struct order *latest;
static uint64_t total;

static uint64_t id_of(const struct order *order) { return order->id; }

static cede_result hand_on(cede_self *self, cede_ref to, struct order **order) {
    return cede_send(self, to, order);
}

static void finish(cede_self *self, cede_ref to, struct order *order) {
    if (cede_send(self, to, &order) != CEDE_OK)
        cede_drop(self, &order);
}

/* The use is in a callee: it is reported where the sender calls it. */
cede_result use_in_callee(cede_self *self, struct shop *state, struct order *message) {
    struct order *copy = message;
    if (cede_send(self, state->next, &message) != CEDE_OK)
        return CEDE_EFAILED;
    total += id_of(copy); // expect: use-after-send
    return CEDE_OK;
}

/* The send is in a callee that is given the variable. */
cede_result send_in_callee(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = hand_on(self, state->next, &message);
    total += message->id; // expect: use-after-send
    return r;
}

/* The send is in a callee that is given the pointer: the caller's variable is stale, not NULL. */
cede_result send_by_value(cede_self *self, struct shop *state, struct order *message) {
    finish(self, state->next, message);
    total += message->quantity; // expect: use-after-send
    return CEDE_OK;
}

cede_result through_global(cede_self *self, struct shop *state, struct order *message) {
    latest = message;
    if (cede_send(self, state->next, &message) == CEDE_OK) {
        total += latest->id; // expect: use-after-send
        latest = NULL;
    }
    return CEDE_OK;
}

/* The global keeps the address for the next turn. */
cede_result kept_in_global(cede_self *self, struct shop *state, struct order *message) {
    latest = message;
    return cede_send(self, state->next, &message); // expect: use-after-send
}

/* The state keeps it: the local was set to NULL, the field was not. */
cede_result kept_in_state(cede_self *self, struct shop *state, struct answer *message) {
    (void)message;
    struct order *order = state->pending;
    if (order == NULL)
        return CEDE_OK;
    return cede_send(self, state->next, &order); // expect: use-after-send
}

cede_result through_field(cede_self *self, struct shop *state, struct order *message) {
    state->pending = message;
    if (cede_send(self, state->next, &message) == CEDE_OK) {
        log_id(state->pending->id); // expect: use-after-send
        state->pending = NULL;
    }
    return CEDE_OK;
}

cede_result through_array(cede_self *self, struct shop *state, struct order *message) {
    struct order *both[2] = {message, NULL};
    if (cede_send(self, state->next, &message) != CEDE_OK)
        return CEDE_EFAILED;
    for (int i = 0; i < 2; i++)
        if (both[i] != NULL)
            log_id(both[i]->id); // expect: use-after-send
    return CEDE_OK;
}

struct pair {
    struct order *first;
    struct order *second;
};

cede_result through_struct_copy(cede_self *self, struct shop *state, struct order *message) {
    struct pair one = {message, NULL};
    struct pair two = one;
    if (cede_send(self, state->next, &one.first) != CEDE_OK)
        return CEDE_EFAILED;
    log_id(two.first->id); // expect: use-after-send
    return CEDE_OK;
}

cede_result slot_of_array(cede_self *self, struct shop *state, int at) {
    if (state->kept[at] == NULL)
        return CEDE_OK;
    cede_result r = cede_send(self, state->next, &state->kept[at]);
    log_id(state->kept[at]->id); // expect: use-after-send
    return r;
}

#define PASS_ON(order) cede_send(self, state->next, &(order))

cede_result by_macro(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = PASS_ON(message);
    if (r == CEDE_OK)
        log_id(message->id); // expect: use-after-send
    return r;
}

/* A function of the user's own that says that it takes the message. */
cede_result enqueue(cede_self *self CEDE_BORROWED, struct order **order CEDE_MOVED);

cede_result own_moving_function(cede_self *self, struct shop *state, struct order *message) {
    struct order *copy = message;
    cede_result r = enqueue(self, &message);
    if (r != CEDE_OK)
        return r;
    state->last_id = copy->id; // expect: use-after-send
    return CEDE_OK;
}

cede_result double_drop(cede_self *self, struct shop *state, struct order *message) {
    struct order *copy = message;
    if (message->quantity == 0)
        cede_drop(self, &message);
    state->sent_count++;
    cede_drop(self, &copy); // expect: use-after-send
    return CEDE_OK;
}

cede_result passed_on(cede_self *self, struct shop *state, struct order *message) {
    const struct order *copy = message;
    if (cede_send(self, state->next, &message) == CEDE_OK)
        log_order(copy); // expect: use-after-send
    return CEDE_OK;
}

struct order *returned(cede_self *self, struct shop *state, struct order *message) {
    struct order *copy = message;
    if (cede_send(self, state->next, &message) != CEDE_OK)
        cede_drop(self, &message);
    return copy; // expect: use-after-send
}

cede_result by_goto(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = CEDE_EINVAL;
    struct order *copy = message;
    if (message->quantity == 0)
        goto out;
    r = cede_send(self, state->next, &message);
    if (r != CEDE_OK)
        goto out;
    r = CEDE_STOP;
out:
    log_id(copy->id); // expect: use-after-send
    return r;
}

cede_result by_switch(cede_self *self, struct shop *state, struct order *message) {
    switch (message->quantity) {
    case 0:
        cede_drop(self, &message);
        /* falls through by mistake */
    case 1:
        state->last_id = message->id; // expect: use-after-send
        break;
    default:
        break;
    }
    return CEDE_OK;
}

cede_result by_ternary(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = message->quantity > 3 ? cede_send(self, state->next, &message) : CEDE_OK;
    state->last_id = message->id; // expect: use-after-send
    return r;
}

cede_result late_in_loop(cede_self *self, struct shop *state, struct order *message) {
    for (int i = 0; i < 16; i++) {
        state->sent_count = i;
    }
    (void)cede_send(self, state->next, &message);
    state->last_id = message->id; // expect: use-after-send
    return CEDE_OK;
}

cede_result element_of_list(cede_self *self, struct shop *state, struct order *message) {
    struct line *lines = message->lines.items;
    uint32_t count = message->lines.count;
    if (count == 0 || cede_send(self, state->next, &message) != CEDE_OK)
        return CEDE_OK;
    log_id(lines[0].amount); // expect: use-after-send
    return CEDE_OK;
}

cede_result stored_afterwards(cede_self *self, struct shop *state, struct order *message) {
    struct order *copy = message;
    cede_result r = cede_send(self, state->next, &message);
    if (r == CEDE_OK)
        state->pending = copy; // expect: use-after-send
    return r;
}

static void remember(struct shop *state, struct order *message) { state->pending = message; }

cede_result stored_by_another(cede_self *self, struct shop *state, struct order *message) {
    struct order *copy = message;
    cede_drop(self, &message);
    remember(state, copy); // expect: use-after-send
    return CEDE_OK;
}
