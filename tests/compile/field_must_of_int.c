// expect: field 'it' of type 'must(int)' has no fixed width: use i32
// errors: 4
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(must(i32), it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(must(int), it)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
