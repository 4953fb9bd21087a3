/* Shapes that real programs have: queues, contexts, cleanup labels, macros, loops over lists. */
#include <assert.h>

#include "shop.h"

struct node {
    struct order *order;
    struct node *next;
};

struct context {
    cede_self *self;
    cede_ref to;
    struct order *order;
};

struct order *pop(struct shop *state);
struct node *first_node(struct shop *state);

cede_result queue_loop(cede_self *self, struct shop *state) {
    struct order *order;
    while ((order = pop(state)) != NULL) {
        cede_result r = cede_send(self, state->next, &order);
        state->last_id = order->id; // expect: use-after-send
        if (r != CEDE_OK)
            return r;
    }
    return CEDE_OK;
}

cede_result by_switch_on_result(cede_self *self, struct shop *state, struct order *message) {
    switch (cede_send(self, state->next, &message)) {
    case CEDE_OK:
        log_id(message->id); // expect: use-after-send
        return CEDE_OK;
    case CEDE_EFULL:
        log_id(message->id);
        return CEDE_EFULL;
    default:
        return CEDE_EFAILED;
    }
}

cede_result assigned_in_condition(cede_self *self, struct shop *state, struct order *message) {
    cede_result r;
    struct order *seen = message;
    if ((r = cede_send(self, state->next, &message)) != CEDE_OK)
        goto fail;
    log_id(seen->id); // expect: use-after-send
    return CEDE_OK;
fail:
    log_id(message->id);
    return r;
}

cede_result negated(cede_self *self, struct shop *state, struct order *message) {
    bool sent = !cede_send(self, state->next, &message);
    if (sent)
        log_id(message->id); // expect: use-after-send
    return CEDE_OK;
}

cede_result in_context(struct context *context) {
    cede_result r = cede_send(context->self, context->to, &context->order);
    log_id(context->order->id); // expect: use-after-send
    return r;
}

cede_result list_of_nodes(cede_self *self, struct shop *state) {
    struct node *node = first_node(state);
    if (node == NULL || node->order == NULL)
        return CEDE_OK;
    (void)cede_send(self, state->next, &node->order);
    state->last_id = node->order->id; // expect: use-after-send
    return CEDE_OK;
}

cede_result array_of_one(cede_self *self, struct shop *state, struct order *message) {
    struct order *one[] = {message};
    cede_result r = cede_send(self, state->next, one);
    if (r == CEDE_OK)
        log_id(message->id); // expect: use-after-send
    return r;
}

cede_result after_recv(cede_self *self, struct shop *state, struct answer *message) {
    (void)message;
    struct order *order = NULL;
    cede_result r = cede_recv(self, order, &order, CEDE_SECONDS(1));
    if (r != CEDE_OK)
        return r;
    struct order *copy = order;
    r = cede_send(self, state->next, &order);
    if (r != CEDE_OK)
        cede_drop(self, &order);
    log_id(copy->id); // expect: use-after-send
    return r;
}

cede_result dropped_reply(cede_self *self, struct shop *state, struct order *message) {
    struct answer *answer = NULL;
    cede_result r = cede_ask(self, state->next, &message, answer, &answer, CEDE_SECONDS(1));
    if (r != CEDE_OK)
        return r;
    cede_drop(self, &answer);
    state->last_id = answer->id; // expect: use-after-send
    return CEDE_OK;
}

#define TRY(expression)                                                                            \
    do {                                                                                           \
        cede_result try_result = (expression);                                                     \
        if (try_result != CEDE_OK)                                                                 \
            return try_result;                                                                     \
    } while (0)

cede_result with_try(cede_self *self, struct shop *state, struct order *message) {
    TRY(cede_send(self, state->next, &message));
    state->sent_count++;
    TRY(cede_send(self, state->next, &message)); // expect: use-after-send
    return CEDE_OK;
}

static void send_all(cede_self *self, struct shop *state, struct order **orders, int count) {
    for (int i = 0; i < count; i++)
        if (cede_send(self, state->next, &orders[i]) != CEDE_OK)
            cede_drop(self, &orders[i]);
}

cede_result array_after_callee(cede_self *self, struct shop *state, struct order *message) {
    struct order *orders[2] = {message, NULL};
    send_all(self, state, orders, 1);
    log_id(message->id); // expect: use-after-send
    return CEDE_OK;
}

static struct order *forward_and_return(cede_self *self, cede_ref to, struct order *order) {
    struct order *same = order;
    if (cede_send(self, to, &order) != CEDE_OK)
        return NULL;
    return same; // expect: use-after-send
}

cede_result returned_by_callee(cede_self *self, struct shop *state, struct order *message) {
    struct order *gone = forward_and_return(self, state->next, message);
    if (gone != NULL)
        log_id(gone->id); // expect: use-after-send
    return CEDE_OK;
}

cede_result set_text_after(cede_self *self, struct shop *state, struct order *message) {
    cede_str *note = &message->note;
    (void)cede_send(self, state->next, &message);
    return cede_str_set(note, "late"); // expect: use-after-send
}

cede_result keep_and_alias(cede_self *self, struct shop *state, struct order *message) {
    struct order *mine = message;
    state->pending = cede_keep(self, &message);
    mine->quantity = 3; // expect: use-after-send
    return CEDE_OK;
}

cede_result reply_with_request(cede_self *self, struct shop *state, struct order *message) {
    struct order *request = message;
    (void)state;
    cede_result r = cede_reply(self, request, &message);
    if (r == CEDE_OK)
        log_id(request->id); // expect: use-after-send
    return r;
}

cede_result drop_all_then_read(cede_self *self, struct shop *state, struct answer *message) {
    (void)message;
    for (size_t i = 0; i < 4; i++)
        cede_drop(self, &state->kept[i]);
    log_id(state->kept[0]->id); // expect: use-after-send
    return CEDE_OK;
}

cede_result nested_in_expression(cede_self *self, struct shop *state, struct order *message) {
    struct order *copy = message;
    return cede_send(self, state->next, &message) == CEDE_OK && copy->quantity > 0 // expect: use-after-send
               ? CEDE_OK
               : CEDE_EFAILED;
}

cede_result whole_copy(cede_self *self, struct shop *state, struct order *message) {
    struct order *copy = message;
    cede_result r = cede_send(self, state->next, &message);
    if (r != CEDE_OK)
        return r;
    struct order whole = *copy; // expect: use-after-send
    log_id(whole.id);
    return CEDE_OK;
}
