/* Turns that forget messages, or leave them in the state. */
#include <stdlib.h>

#include "shop.h"

static struct order *latest;

/* The state's pointer dangles in the next turn. */
static cede_result on_order(cede_self *self, struct shop *state, struct order *message) {
    (void)self;
    state->pending = message; // expect: message-leak
    state->sent_count++;
    return CEDE_OK;
}

static void remember(struct shop *state, struct order *order) {
    state->kept[1] = order; // expect: message-leak
}

static cede_result on_order_by_callee(cede_self *self, struct shop *state, struct order *message) {
    (void)self;
    remember(state, message);
    return CEDE_OK;
}

static cede_result on_order_in_global(cede_self *self, struct shop *state, struct order *message) {
    (void)self, (void)state;
    latest = message; // expect: message-leak
    return CEDE_OK;
}

static cede_result on_answer_new_stored(cede_self *self, struct shop *state, struct answer *message) {
    state->pending = cede_new(self, order); // expect: message-leak
    if (state->pending == NULL)
        return CEDE_ENOMEM;
    state->pending->id = message->id;
    return CEDE_OK;
}

#define A(ON) ON(order, on_order)
CEDE_BEHAVIOUR(a, struct shop, A);
#define B(ON) ON(order, on_order_by_callee)
CEDE_BEHAVIOUR(b, struct shop, B);
#define C(ON) ON(order, on_order_in_global) ON(answer, on_answer_new_stored)
CEDE_BEHAVIOUR(c, struct shop, C);

cede_result early_return(cede_self *self, struct shop *state, struct order *message) {
    struct answer *answer = cede_new(self, answer); // expect: message-leak
    if (answer == NULL)
        return CEDE_ENOMEM;
    if (message->quantity == 0)
        return CEDE_EINVAL;
    answer->id = message->id;
    state->sent_count++;
    return cede_reply(self, message, &answer);
}

cede_result never_used(cede_self *self, struct shop *state) {
    struct order *order = cede_new(self, order); // expect: message-leak
    if (order == NULL)
        return CEDE_ENOMEM;
    order->id = state->last_id;
    return CEDE_OK;
}

cede_result reply_forgotten(cede_self *self, struct shop *state, struct order *message) {
    struct answer *answer = NULL;
    cede_result r = cede_ask(self, state->next, &message, answer, &answer, CEDE_SECONDS(1)); // expect: message-leak
    if (r != CEDE_OK)
        return r;
    state->last_id = answer->id;
    return CEDE_OK;
}

cede_result received_forgotten(cede_self *self, struct shop *state) {
    struct order *order = NULL;
    if (cede_recv(self, order, &order, 0) == CEDE_OK) // expect: message-leak
        state->last_id = order->id;
    return CEDE_OK;
}

cede_result overwritten(cede_self *self, struct shop *state, int rounds) {
    struct order *order = NULL;
    for (int i = 0; i < rounds; i++)
        order = cede_new(self, order); // expect: message-leak
    return order != NULL ? cede_send(self, state->next, &order) : CEDE_OK;
}

static struct answer *make_answer(cede_self *self, uint64_t id) {
    struct answer *answer = cede_new(self, answer); // expect: message-leak
    if (answer != NULL)
        answer->id = id;
    return answer;
}

cede_result made_by_callee(cede_self *self, struct shop *state, struct order *message) {
    struct answer *answer = make_answer(self, message->id);
    if (answer == NULL || state->sent_count > 3)
        return CEDE_EFAILED;
    return cede_reply(self, message, &answer);
}
