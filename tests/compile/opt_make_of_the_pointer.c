// expect: 'order->first' must be the address of an opt() field, such as &m->next
// errors: 3
#include <cede/message.h>

#define LINE(F) F(u32, amount)
CEDE_MESSAGE(line, LINE);
#define ORDER(F) F(opt(line), first)
CEDE_MESSAGE(order, ORDER);

struct line *fill(struct order *order);
struct line *fill(struct order *order) {
#ifdef RIGHT
    return cede_opt_make(&order->first);
#else
    return cede_opt_make(order->first);
#endif
}
