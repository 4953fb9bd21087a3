// expect: 'struct order **'
// errors: 1
#include <cede/message.h>

#define LINE(F) F(u32, amount)
CEDE_MESSAGE(line, LINE);
#define ORDER(F) F(opt(line), first)
CEDE_MESSAGE(order, ORDER);

void forget(struct order *order);
void forget(struct order *order) {
#ifdef RIGHT
    cede_opt_clear(line, &order->first);
#else
    cede_opt_clear(order, &order->first);
#endif
}
