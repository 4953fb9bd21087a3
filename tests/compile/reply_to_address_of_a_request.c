// expect: '&order' must be a message pointer, such as m, not its address: the call only looks at the message
// errors: 3
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
    return cede_reply(self, order, &balance);
#else
    return cede_reply(self, &order, &balance);
#endif
}
