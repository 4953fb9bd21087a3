// expect: 'order' must be the address of a message pointer, such as &m, which the call sets to NULL
// errors: 3
#include <cede/pending.h>

#define ORDER(F) F(u64, id)
CEDE_MESSAGE(order, ORDER);
#define BALANCE(F) F(i64, amount)
CEDE_MESSAGE(balance, BALANCE);

cede_result turn(cede_self *self, cede_ref to, struct order *order, cede_pending **pending);
cede_result turn(cede_self *self, cede_ref to, struct order *order, cede_pending **pending) {
#ifdef RIGHT
    return cede_ask_start(self, to, &order, balance, pending, CEDE_FOREVER);
#else
    return cede_ask_start(self, to, order, balance, pending, CEDE_FOREVER);
#endif
}
