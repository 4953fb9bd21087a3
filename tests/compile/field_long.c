// expect: field 'it' of type 'long' has no fixed width: use i64
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(i64, it)                                                                                     \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(long, it)                                                                                    \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
