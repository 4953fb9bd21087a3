// expect: field 'it' of type 'int *' is not Send: use i32 for one number, list(i32) or array(i32, N) for several
// errors: 1
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(i32), it)                                                                               \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(int *, it)                                                                                   \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
