// expect: CEDE_MESSAGE_declares_ordre_before_it_is_used
// errors: 12
#include <cede/actor.h>

#define ORDER(F) F(u64, id)
CEDE_MESSAGE(order, ORDER);
struct account {
    int64_t total;
};

static cede_result on_order(cede_self *self, struct account *state, struct order *message) {
    (void)self, (void)state, (void)message;
    return CEDE_OK;
}

#ifdef RIGHT
#define ACCOUNT(ON) ON(order, on_order)
#else
#define ACCOUNT(ON) ON(ordre, on_order)
#endif
extern const cede_behaviour account;
CEDE_BEHAVIOUR(account, struct account, ACCOUNT);
