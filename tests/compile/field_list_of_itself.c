// expect: CEDE_MESSAGE_declares_order_before_it_is_used
// errors: 2
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(opt(order)), it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(order), it)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
