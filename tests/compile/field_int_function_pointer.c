// expect: field 'it' of type 'int (*)(void)' is not Send: use i32 for one number
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(ref, it)                                                                                     \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(int (*)(void), it)                                                                           \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
