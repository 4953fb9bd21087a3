// expect: 'on_order' cannot handle 'order': it must be  cede_result on_order(cede_self *, <the state type> *, struct order *)
// errors: 3
#include <cede/actor.h>

#define ORDER(F) F(u64, id)
CEDE_MESSAGE(order, ORDER);
#define BALANCE(F) F(i64, amount)
CEDE_MESSAGE(balance, BALANCE);
struct account {
    int64_t total;
};
struct stranger {
    int64_t total;
};

#ifdef RIGHT
static cede_result on_order(cede_self *self, struct account *state, struct order *message) {
    (void)self, (void)state, (void)message;
    return CEDE_OK;
}
#else
static cede_result on_order(cede_self *self, struct stranger *state, struct order *message) {
    (void)self, (void)state, (void)message;
    return CEDE_OK;
}
#endif

#define ACCOUNT(ON) ON(order, on_order)
extern const cede_behaviour account;
CEDE_BEHAVIOUR(account, struct account, ACCOUNT);
