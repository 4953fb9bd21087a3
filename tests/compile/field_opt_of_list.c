// expect: field 'it' of type 'opt(list(u8))' is not Send: a field is
// errors: 5
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(opt(u8)), it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(opt(list(u8)), it)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
