// expect: CEDE_MESSAGE_or_CEDE_MESSAGE_FORWARD_declares_lime
// errors: 3
#include <cede/message.h>

#define LINE(F) F(u32, amount)
CEDE_MESSAGE(line, LINE);
#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(shared(line), it)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(shared(lime), it)
#endif
CEDE_MESSAGE(order, ORDER);
