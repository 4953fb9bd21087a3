/* Uses in the same function, after each way of losing a message. */
#include "shop.h"

/* The variable itself is read although the send may have worked. */
cede_result read_after_send(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = cede_send(self, state->next, &message);
    state->last_id = message->id; // expect: use-after-send
    return r;
}

cede_result write_after_send(cede_self *self, struct shop *state, struct order *message) {
    (void)cede_send(self, state->next, &message);
    message->quantity = 0; // expect: use-after-send
    return CEDE_OK;
}

cede_result success_branch(cede_self *self, struct shop *state, struct order *message) {
    if (cede_send(self, state->next, &message) == CEDE_OK)
        log_id(message->id); // expect: use-after-send
    return CEDE_OK;
}

cede_result alias_of_variable(cede_self *self, struct shop *state, struct order *message) {
    const struct order *copy = message;
    cede_result r = cede_send(self, state->next, &message);
    if (r != CEDE_OK)
        return r;
    log_id(copy->id); // expect: use-after-send
    return CEDE_OK;
}

cede_result send_wait_alias(cede_self *self, struct shop *state, struct order *message) {
    uint32_t *quantity = &message->quantity;
    if (cede_send_wait(self, state->next, &message, CEDE_FOREVER) != CEDE_OK)
        return CEDE_EFAILED;
    *quantity = 7; // expect: use-after-send
    return CEDE_OK;
}

cede_result after_drop(cede_self *self, struct shop *state, struct order *message) {
    struct order *old = message;
    cede_drop(self, &message);
    state->last_id = old->id; // expect: use-after-send
    return CEDE_OK;
}

cede_result after_keep(cede_self *self, struct shop *state, struct order *message) {
    state->pending = cede_keep(self, &message);
    state->last_id = message->id; // expect: use-after-send
    return CEDE_OK;
}

cede_result after_reply(cede_self *self, struct shop *state, struct order *message) {
    struct answer *answer = cede_new(self, answer);
    if (answer == NULL)
        return CEDE_ENOMEM;
    answer->id = message->id;
    cede_result r = cede_reply(self, message, &answer);
    if (r == CEDE_OK)
        state->last_id = answer->id; // expect: use-after-send
    return r;
}

cede_result after_ask(cede_self *self, struct shop *state, struct order *message) {
    struct order *question = message;
    struct answer *answer = NULL;
    cede_result r = cede_ask(self, state->next, &message, answer, &answer, CEDE_SECONDS(1));
    if (r != CEDE_OK)
        return r;
    state->last_id = question->id; // expect: use-after-send
    cede_drop(self, &answer);
    return CEDE_OK;
}

/* A failed ask may have sent the request all the same. */
cede_result after_failed_ask(cede_self *self, struct shop *state, struct order *message) {
    struct answer *answer = NULL;
    cede_result r = cede_ask(self, state->next, &message, answer, &answer, CEDE_SECONDS(1));
    if (r != CEDE_OK) {
        log_id(message->id); // expect: use-after-send
        return r;
    }
    cede_drop(self, &answer);
    return CEDE_OK;
}

cede_result after_spawn(cede_self *self, struct shop *state, struct order *message) {
    cede_result r = cede_spawn(self, &worker, &message, &state->next);
    if (r == CEDE_OK)
        log_order(message); // expect: use-after-send
    return r;
}

cede_result double_send(cede_self *self, struct shop *state, struct order *message) {
    struct order *again = message;
    cede_result r = cede_send(self, state->next, &message);
    if (r != CEDE_OK)
        return r;
    return cede_send(self, state->next, &again); // expect: use-after-send
}

cede_result text_of_message(cede_self *self, struct shop *state, struct order *message) {
    const char *note = message->note.data;
    if (cede_send(self, state->next, &message) == CEDE_OK && note != NULL)
        log_id((uint64_t)note[0]); // expect: use-after-send
    return CEDE_OK;
}

/* The same message to everybody: the second round has nothing to send. */
cede_result broadcast(cede_self *self, struct shop *state, const cede_ref *to, int count) {
    struct order *order = cede_new(self, order);
    cede_result r = CEDE_OK;
    for (int i = 0; i < count && r == CEDE_OK; i++)
        r = cede_send(self, to[i], &order); // expect: use-after-send
    state->last_id = 0;
    return r;
}

/* Two mistakes on one path are two findings. */
cede_result two_mistakes(cede_self *self, struct shop *state, struct order *message, struct order *other) {
    (void)cede_send(self, state->next, &message);
    state->last_id = message->id; // expect: use-after-send
    (void)cede_send(self, state->next, &other);
    state->last_id += other->id; // expect: use-after-send
    return CEDE_OK;
}
