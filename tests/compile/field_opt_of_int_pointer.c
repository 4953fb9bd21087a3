// expect: field 'it' of type 'opt(int *)' is not Send: use i32 for one number
// errors: 4
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(opt(i32), it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(opt(int *), it)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
