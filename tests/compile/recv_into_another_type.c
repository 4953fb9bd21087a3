// expect: '&order' must be the address of a 'struct balance *' variable, which receives the message
// errors: 1
#include <cede/actor.h>

#define ORDER(F) F(u64, id)
CEDE_MESSAGE(order, ORDER);
#define BALANCE(F) F(i64, amount)
CEDE_MESSAGE(balance, BALANCE);
struct stranger {
    int number;
};

cede_result turn(cede_self *self, cede_ref to, struct order *order, struct balance *balance);
cede_result turn(cede_self *self, cede_ref to, struct order *order, struct balance *balance) {
    struct stranger *stranger = NULL;
    (void)self, (void)to, (void)order, (void)balance, (void)stranger;
#ifdef RIGHT
    return cede_recv(self, balance, &balance, 0);
#else
    return cede_recv(self, balance, &order, 0);
#endif
}
