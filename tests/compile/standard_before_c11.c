// expect: Cede needs C11 or later: compile with -std=gnu11, -std=c11, or without -std
// flags: -std=gnu99
// errors: 3
#include <cede/cede.h>

#define ORDER(F) F(u64, id)
CEDE_MESSAGE(order, ORDER);

cede_result turn(cede_self *self, cede_ref to, struct order *order);
cede_result turn(cede_self *self, cede_ref to, struct order *order) {
    return cede_send(self, to, &order);
}
