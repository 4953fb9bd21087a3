// expect-gcc: assignment of member 'amount' in read-only object
// expect-clang: const
// errors: 1
#include <cede/message.h>

#define LINE(F) F(u32, amount)
CEDE_MESSAGE(line, LINE);
#define ORDER(F) F(shared(line), first)
CEDE_MESSAGE(order, ORDER);

uint32_t change(struct order *order);
uint32_t change(struct order *order) {
#ifndef RIGHT
    order->first->amount = 1;
#endif
    return order->first->amount;
}
