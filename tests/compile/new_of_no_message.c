// expect-gcc: 'cede_type_stranger' undeclared
// expect-clang: use of undeclared identifier 'cede_type_stranger'
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
    order = cede_new(self, order);
    return CEDE_OK;
#else
    stranger = cede_new(self, stranger);
    return CEDE_OK;
#endif
}
