/* Near misses: all of this is right and must stay silent. */
#include <stdio.h>
#include <string.h>

#include "shop.h"

static uint64_t total;
static struct order *latest;

cede_result use_before(cede_self *self, struct shop *state, struct order *message) {
    state->last_id = message->id;
    return cede_send(self, state->next, &message);
}

cede_result failure_keeps_it(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = cede_send(self, state->next, &message);
    if (r != CEDE_OK) {
        log_id(message->id);
        cede_drop(self, &message);
    }
    return r;
}

cede_result drop_if_left(cede_self *self, struct shop *state, struct order *message) {
    (void)cede_send(self, state->next, &message);
    if (message != NULL)
        cede_drop(self, &message);
    return CEDE_OK;
}

cede_result drop_of_null(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = cede_send(self, state->next, &message);
    cede_drop(self, &message);
    return r;
}

cede_result if_still_there(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = cede_send(self, state->next, &message);
    if (message)
        log_id(message->id);
    return r;
}

cede_result fresh_again(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = cede_send(self, state->next, &message);
    if (r != CEDE_OK)
        return r;
    message = cede_new(self, order);
    if (message == NULL)
        return CEDE_ENOMEM;
    message->id = 1;
    return cede_send(self, state->next, &message);
}

cede_result new_in_each_round(cede_self *self, struct shop *state, const cede_ref *to, int count) {
    for (int i = 0; i < count; i++) {
        struct order *order = cede_new(self, order);
        if (order == NULL)
            return CEDE_ENOMEM;
        order->id = (uint64_t)i;
        cede_result r = cede_send(self, to[i], &order);
        if (r != CEDE_OK) {
            log_id(order->id);
            cede_drop(self, &order);
            return r;
        }
        state->sent_count++;
    }
    return CEDE_OK;
}

cede_result first_that_takes_it(cede_self *self, struct shop *state, const cede_ref *to, int count,
                                struct order *message) {
    (void)state;
    for (int i = 0; i < count; i++)
        if (cede_send(self, to[i], &message) == CEDE_OK)
            return CEDE_OK;
    log_id(message->id);
    return CEDE_EFAILED;
}

cede_result retry(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = CEDE_OK;
    int tries = 0;
    do {
        r = cede_send(self, state->next, &message);
        if (r == CEDE_EFULL)
            cede_yield(self);
    } while (r == CEDE_EFULL && ++tries < 3);
    if (r == CEDE_EFULL)
        r = cede_send_wait(self, state->next, &message, CEDE_SECONDS(1));
    return r;
}

cede_result exclusive_branches(cede_self *self, struct shop *state, struct order *message) {
    if (message->quantity > 10)
        return cede_send(self, state->next, &message);
    state->last_id = message->id;
    return CEDE_OK;
}

cede_result correlated(cede_self *self, struct shop *state, struct order *message, bool forward) {
    if (forward) {
        cede_result r = cede_send(self, state->next, &message);
        if (r != CEDE_OK)
            return r;
    }
    state->sent_count++;
    if (!forward)
        log_id(message->id);
    return CEDE_OK;
}

cede_result cleanup(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = CEDE_ENOMEM;
    struct answer *answer = cede_new(self, answer);
    if (answer == NULL)
        goto out;
    answer->id = message->id;
    r = cede_reply(self, message, &answer);
    if (r != CEDE_OK)
        goto drop;
    r = cede_send(self, state->next, &message);
drop:
    cede_drop(self, &answer);
out:
    cede_drop(self, &message);
    return r;
}

cede_result kept_in_state(cede_self *self, struct shop *state, struct order *message) {
    state->pending = cede_keep(self, &message);
    state->last_id = state->pending->id;
    return CEDE_OK;
}

cede_result from_state(cede_self *self, struct shop *state, struct answer *message) {
    (void)message;
    if (state->pending == NULL)
        return CEDE_OK;
    cede_result r = cede_send(self, state->next, &state->pending);
    if (r != CEDE_OK)
        log_id(state->pending->id);
    return r;
}

/* The field is cleared after its copy was sent. */
cede_result cleared_after(cede_self *self, struct shop *state, struct answer *message) {
    (void)message;
    struct order *order = state->pending;
    if (order == NULL)
        return CEDE_OK;
    cede_result r = cede_send(self, state->next, &order);
    if (r == CEDE_OK)
        state->pending = NULL;
    return r;
}

cede_result cleared_before(cede_self *self, struct shop *state, struct answer *message) {
    (void)message;
    struct order *order = state->pending;
    state->pending = NULL;
    if (order != NULL && cede_send(self, state->next, &order) != CEDE_OK)
        cede_drop(self, &order);
    return CEDE_OK;
}

cede_result cleared_by_callee(cede_self *self, struct shop *state, struct answer *message) {
    (void)message;
    struct order *order = state->pending;
    cede_result r = cede_send(self, state->next, &order);
    forget(state);
    return r;
}

static cede_result hand_on(cede_self *self, cede_ref to, struct order **order) {
    cede_result r = cede_send(self, to, order);
    if (r != CEDE_OK)
        cede_drop(self, order);
    return r;
}

cede_result callee_sends(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = hand_on(self, state->next, &message);
    if (message != NULL)
        log_id(message->id);
    return r;
}

/* An address may be compared and printed; nobody looks at what is there. */
cede_result only_the_address(cede_self *self, struct shop *state, struct order *message) {
    const struct order *copy = message;
    if (cede_send(self, state->next, &message) != CEDE_OK)
        return CEDE_EFAILED;
    if (copy == state->pending)
        state->sent_count++;
    printf("sent %p\n", (const void *)copy);
    return CEDE_OK;
}

cede_result other_slot(cede_self *self, struct shop *state, struct answer *message) {
    (void)message;
    if (state->kept[0] == NULL || state->kept[1] == NULL)
        return CEDE_OK;
    cede_result r = cede_send(self, state->next, &state->kept[0]);
    log_id(state->kept[1]->id);
    return r;
}

cede_result all_slots(cede_self *self, struct shop *state, struct answer *message) {
    (void)message;
    for (size_t i = 0; i < 4; i++) {
        if (state->kept[i] == NULL)
            continue;
        log_id(state->kept[i]->id);
        if (cede_send(self, state->next, &state->kept[i]) != CEDE_OK)
            cede_drop(self, &state->kept[i]);
    }
    return CEDE_OK;
}

cede_result copy_of_a_value(cede_self *self, struct shop *state, struct order *message) {
    uint64_t id = message->id;
    cede_ref back = message->reply_to;
    cede_result r = cede_send(self, state->next, &message);
    total += id;
    if (cede_ref_equal(back, state->next))
        state->sent_count++;
    return r;
}

cede_result ask_then_use_reply(cede_self *self, struct shop *state, struct order *message) {
    struct answer *answer = NULL;
    cede_result r = cede_ask(self, state->next, &message, answer, &answer, CEDE_SECONDS(1));
    if (r != CEDE_OK) {
        if (message != NULL)
            log_id(message->id);
        cede_drop(self, &message);
        return r;
    }
    state->last_id = answer->id;
    cede_drop(self, &answer);
    return CEDE_OK;
}

cede_result spawn_with_nothing(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = cede_spawn(self, &worker, CEDE_NOTHING, &state->next);
    state->last_id = message->id;
    return r;
}

static cede_result measure(void *message) {
    struct order *order = message;
    order->quantity++;
    return CEDE_OK;
}

cede_result comes_back(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = cede_run_blocking(self, measure, &message);
    if (r == CEDE_OK)
        state->last_id = message->id;
    return r;
}

static bool is_set(const struct order *order) { return order != NULL; }

cede_result asks_whether_null(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = cede_send(self, state->next, &message);
    if (is_set(message))
        log_id(message->id);
    return r;
}

/* NULL when it was sent, the message when not. */
struct order *what_is_left(cede_self *self, struct shop *state, struct order *message) {
    (void)cede_send(self, state->next, &message);
    return message;
}

cede_result global_taken_back(cede_self *self, struct shop *state, struct order *message) {
    latest = message;
    log_id(latest->id);
    latest = NULL;
    return cede_send(self, state->next, &message);
}

cede_result enqueue(cede_self *self CEDE_BORROWED, struct order **order CEDE_MOVED);

/* The body of a function that promises to move: it may refuse, and then its caller keeps the message. */
cede_result enqueue(cede_self *self, struct order **order) {
    if ((*order)->quantity == 0)
        return CEDE_EINVAL;
    latest = *order;
    *order = NULL;
    (void)self;
    return CEDE_OK;
}

cede_result queued(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = enqueue(self, &message);
    if (r != CEDE_OK)
        state->last_id = message->id;
    return r;
}

cede_result size_only(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = cede_send(self, state->next, &message);
    state->last_id = sizeof *message;
    return r;
}

cede_result zeroed(cede_self *self, struct shop *state, struct order *message) {
    struct order *copy = message;
    cede_result r = cede_send(self, state->next, &message);
    memset(&copy, 0, sizeof copy);
    if (copy != NULL)
        log_id(copy->id);
    return r;
}
