// expect: field 'it' of type 'list(int)' has no fixed width: use i32
// errors: 5
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(i32), it)                                                                               \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(int), it)                                                                               \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
