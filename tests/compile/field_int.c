// expect: field 'it' of type 'int' has no fixed width: use i32
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(i32, it)                                                                                     \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(int, it)                                                                                     \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
