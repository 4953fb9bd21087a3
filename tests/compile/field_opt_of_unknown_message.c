// expect: CEDE_MESSAGE_or_CEDE_MESSAGE_FORWARD_declares_crate
// errors: 2
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(opt(order), it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(opt(crate), it)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
