// expect: '&other' must be the address of a 'struct balance *' variable, which receives the message
// errors: 1
#include <cede/pending.h>

#define ORDER(F) F(u64, id)
CEDE_MESSAGE(order, ORDER);
#define BALANCE(F) F(i64, amount)
CEDE_MESSAGE(balance, BALANCE);

cede_result turn(cede_self *self, cede_ref to, struct order *order);
cede_result turn(cede_self *self, cede_ref to, struct order *order) {
    cede_pending *pending = NULL;
    struct balance *balance = NULL;
    struct order *other = NULL;
    (void)balance, (void)other;
    cede_result r = cede_ask_start(self, to, &order, balance, &pending, CEDE_FOREVER);
    if (r != CEDE_OK) return r;
#ifdef RIGHT
    return cede_await(self, &pending, balance, &balance, CEDE_FOREVER);
#else
    return cede_await(self, &pending, balance, &other, CEDE_FOREVER);
#endif
}
