/* Near misses: everything is sent, kept, dropped or handed on; what was given to a handler may be forgotten. */
#include <stdlib.h>
#include <string.h>

#include "shop.h"

void take(struct order *order);
static struct order *latest;

static cede_result on_order(cede_self *self, struct shop *state, struct order *message) {
    (void)self;
    state->last_id = message->id;
    return CEDE_OK;
}

static cede_result on_order_kept(cede_self *self, struct shop *state, struct order *message) {
    cede_drop(self, &state->pending);
    state->pending = cede_keep(self, &message);
    state->sent_count++;
    return CEDE_OK;
}

static cede_result on_order_kept_later(cede_self *self, struct shop *state, struct order *message) {
    state->pending = message;
    state->last_id = state->pending->id;
    state->pending = cede_keep(self, &state->pending);
    return CEDE_OK;
}

static cede_result on_order_for_a_while(cede_self *self, struct shop *state, struct order *message) {
    (void)self;
    latest = message;
    state->pending = message;
    log_id(latest->id);
    latest = NULL;
    state->pending = NULL;
    return CEDE_OK;
}

static cede_result on_order_inside(cede_self *self, struct shop *state, struct order *message) {
    (void)self;
    struct pair {
        struct order *order;
    } pair = {message};
    state->last_id = pair.order->id;
    return CEDE_OK;
}

#define A(ON) ON(order, on_order)
CEDE_BEHAVIOUR(a, struct shop, A);
#define B(ON) ON(order, on_order_kept)
CEDE_BEHAVIOUR(b, struct shop, B);
#define C(ON) ON(order, on_order_kept_later)
CEDE_BEHAVIOUR(c, struct shop, C);
#define D(ON) ON(order, on_order_for_a_while)
CEDE_BEHAVIOUR(d, struct shop, D);
#define E(ON) ON(order, on_order_inside)
CEDE_BEHAVIOUR(e, struct shop, E);

cede_result send_may_fail(cede_self *self, struct shop *state) {
    struct order *order = cede_new(self, order);
    if (order == NULL)
        return CEDE_ENOMEM;
    order->id = 1;
    return cede_send(self, state->next, &order);
}

cede_result all_paths(cede_self *self, struct shop *state, struct order *message) {
    struct answer *answer = cede_new(self, answer);
    cede_result r = CEDE_ENOMEM;
    if (answer == NULL)
        return r;
    answer->id = message->id;
    if (message->quantity == 0) {
        r = CEDE_EINVAL;
        goto out;
    }
    state->sent_count++;
    r = cede_reply(self, message, &answer);
out:
    cede_drop(self, &answer);
    return r;
}

cede_result text_set(cede_self *self, struct shop *state) {
    struct order *order = cede_new(self, order);
    if (order == NULL)
        return CEDE_ENOMEM;
    cede_result r = cede_str_set(&order->note, "hello");
    if (r == CEDE_OK)
        r = cede_send(self, state->next, &order);
    cede_drop(self, &order);
    return r;
}

cede_result kept(cede_self *self, struct shop *state) {
    struct order *order = cede_new(self, order);
    if (order == NULL)
        return CEDE_ENOMEM;
    state->kept[0] = cede_keep(self, &order);
    return CEDE_OK;
}

cede_result handed_to_another_file(cede_self *self) {
    struct order *order = cede_new(self, order);
    if (order != NULL)
        take(order);
    return CEDE_OK;
}

struct order *made(cede_self *self) {
    struct order *order = cede_new(self, order);
    if (order != NULL)
        order->quantity = 1;
    return order;
}

cede_result given_back(cede_self *self, struct order **out) {
    struct order *order = cede_new(self, order);
    if (order == NULL)
        return CEDE_ENOMEM;
    *out = order;
    return CEDE_OK;
}

cede_result reply_dropped(cede_self *self, struct shop *state, struct order *message) {
    struct answer *answer = NULL;
    cede_result r = cede_ask(self, state->next, &message, answer, &answer, CEDE_SECONDS(1));
    if (r == CEDE_OK)
        state->last_id = answer->id;
    cede_drop(self, &answer);
    return r;
}

cede_result reply_passed_on(cede_self *self, struct shop *state, struct order *message, struct order *request) {
    struct answer *answer = NULL;
    cede_result r = cede_ask(self, state->next, &message, answer, &answer, CEDE_SECONDS(1));
    if (r != CEDE_OK)
        return r;
    return cede_reply(self, request, &answer);
}

cede_result gives_up(cede_self *self) {
    struct order *order = cede_new(self, order);
    if (order == NULL)
        abort();
    order->id = 7;
    if (order->id != 7)
        abort();
    cede_drop(self, &order);
    return CEDE_OK;
}

cede_result in_rounds(cede_self *self, struct shop *state, int rounds) {
    for (int i = 0; i < rounds; i++) {
        struct order *order = cede_new(self, order);
        if (order == NULL)
            return CEDE_ENOMEM;
        memset(order->note.data, 0, order->note.size);
        cede_result r = cede_send(self, state->next, &order);
        if (r != CEDE_OK)
            return r;
    }
    return CEDE_OK;
}

#include <assert.h>

cede_result asserted(cede_self *self, struct shop *state) {
    struct order *order = cede_new(self, order);
    if (order == NULL)
        return CEDE_ENOMEM;
    assert(state->sent_count == 0);
    order->id = 7;
    assert(order->quantity == 0);
    return cede_send(self, state->next, &order);
}

static cede_result measure(void *message) {
    struct order *order = message;
    order->quantity++;
    return CEDE_OK;
}

cede_result away_and_back(cede_self *self, struct shop *state) {
    struct order *order = cede_new(self, order);
    if (order == NULL)
        return CEDE_ENOMEM;
    cede_result r = CEDE_OK;
    do {
        order->id = 1;
        r = cede_run_blocking(self, measure, &order);
    } while (r == CEDE_ETIMEDOUT);
    state->last_id = order->quantity;
    cede_drop(self, &order);
    return r;
}
