// expect: field 'it' of type 'shared(int *)' is not Send: use i32 for one number
// errors: 4
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
    F(shared(int *), it)
#endif
CEDE_MESSAGE(order, ORDER);
