/* The same shapes, right. */
#include <assert.h>

#include "shop.h"

struct node {
    struct order *order;
    struct node *next;
};

struct order *pop(struct shop *state);
void push(struct shop *state, struct order *order);
struct node *first_node(struct shop *state);

cede_result queue_loop(cede_self *self, struct shop *state) {
    struct order *order;
    while ((order = pop(state)) != NULL) {
        state->last_id = order->id;
        cede_result r = cede_send(self, state->next, &order);
        if (r != CEDE_OK) {
            push(state, order);
            return r;
        }
        assert(order == NULL);
    }
    return CEDE_OK;
}

cede_result answered(cede_self *self, struct shop *state, struct order *message) {
    struct answer *answer = cede_new(self, answer);
    if (answer == NULL)
        return CEDE_ENOMEM;
    answer->id = message->id;
    cede_result r = cede_reply(self, message, &answer);
    state->last_id = message->id;
    if (r != CEDE_OK)
        cede_drop(self, &answer);
    return r;
}

cede_result list_of_nodes(cede_self *self, struct shop *state) {
    for (struct node *node = first_node(state); node != NULL; node = node->next) {
        if (node->order == NULL)
            continue;
        log_id(node->order->id);
        if (cede_send(self, state->next, &node->order) != CEDE_OK)
            break;
    }
    return CEDE_OK;
}

/* Shifts the queue after its head was sent. */
cede_result shift(cede_self *self, struct shop *state) {
    struct order *head = state->kept[0];
    if (head == NULL)
        return CEDE_OK;
    for (size_t i = 1; i < 4; i++)
        state->kept[i - 1] = state->kept[i];
    state->kept[3] = NULL;
    cede_result r = cede_send(self, state->next, &head);
    if (r != CEDE_OK)
        cede_drop(self, &head);
    return r;
}

cede_result swap_last(cede_self *self, struct shop *state, size_t count, size_t at) {
    if (at >= count || count > 4)
        return CEDE_EINVAL;
    struct order *gone = state->kept[at];
    state->kept[at] = state->kept[--count];
    cede_drop(self, &gone);
    return CEDE_OK;
}

cede_result replaced(cede_self *self, struct shop *state, struct order *message) {
    cede_drop(self, &state->pending);
    state->pending = cede_keep(self, &message);
    log_id(state->pending->id);
    return CEDE_OK;
}

cede_result recv_loop(cede_self *self, struct shop *state) {
    for (;;) {
        struct order *order = NULL;
        cede_result r = cede_recv(self, order, &order, CEDE_SECONDS(1));
        if (r != CEDE_OK)
            return r;
        log_id(order->id);
        r = cede_send(self, state->next, &order);
        if (r != CEDE_OK) {
            log_id(order->id);
            cede_drop(self, &order);
        }
    }
}

static cede_result send_or_keep(cede_self *self, struct shop *state, struct order **order) {
    cede_result r = cede_send(self, state->next, order);
    if (r == CEDE_EFULL) {
        state->pending = cede_keep(self, order);
        r = CEDE_OK;
    }
    return r;
}

cede_result uses_helper(cede_self *self, struct shop *state, struct order *message) {
    uint64_t id = message->id;
    cede_result r = send_or_keep(self, state, &message);
    if (r != CEDE_OK)
        log_id(message->id);
    state->last_id = id;
    return r;
}

cede_result ask_in_rounds(cede_self *self, struct shop *state, int rounds) {
    for (int i = 0; i < rounds; i++) {
        struct order *question = cede_new(self, order);
        struct answer *answer = NULL;
        if (question == NULL)
            return CEDE_ENOMEM;
        question->id = (uint64_t)i;
        cede_result r = cede_ask(self, state->next, &question, answer, &answer, CEDE_FOREVER);
        cede_drop(self, &question);
        if (r != CEDE_OK)
            return r;
        state->last_id += answer->id;
        cede_drop(self, &answer);
    }
    return CEDE_OK;
}

cede_result two_messages(cede_self *self, struct shop *state, struct order *message) {
    struct order *copy = cede_new(self, order);
    if (copy == NULL)
        return CEDE_ENOMEM;
    copy->id = message->id;
    cede_result r = cede_send(self, state->next, &copy);
    if (r != CEDE_OK) {
        cede_drop(self, &copy);
        return r;
    }
    log_id(message->id);
    return cede_send(self, state->next, &message);
}

cede_result through_double_pointer(cede_self *self, struct shop *state, struct order **slot) {
    cede_result r = cede_send(self, state->next, slot);
    if (*slot != NULL)
        log_id((*slot)->id);
    *slot = cede_new(self, order);
    if (*slot == NULL)
        return CEDE_ENOMEM;
    (*slot)->id = 1;
    return r;
}

cede_result conditional_slot(cede_self *self, struct shop *state, struct order *message, bool keep) {
    struct order **slot = keep ? &state->pending : &message;
    if (*slot == NULL)
        return CEDE_OK;
    cede_result r = cede_send(self, state->next, slot);
    if (keep && r == CEDE_OK)
        log_id(message->id);
    return r;
}
