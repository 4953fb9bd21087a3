/* shop.h - the messages and the state that the cases of this folder share. */
#ifndef SHOP_H
#define SHOP_H

#include <cede/cede.h>

#define LINE(F) F(u32, amount)
CEDE_MESSAGE(line, LINE);
#define ORDER(F) F(u64, id) F(u32, quantity) F(str, note) F(ref, reply_to) F(list(line), lines)
CEDE_MESSAGE(order, ORDER);
#define ANSWER(F) F(u64, id)
CEDE_MESSAGE(answer, ANSWER);

struct shop {
    cede_ref next;
    struct order *pending;
    struct order *kept[4];
    uint64_t last_id;
    int sent_count;
};

void log_id(uint64_t id);
void log_order(const struct order *order);
void forget(struct shop *state);
extern const cede_behaviour worker;

#endif
