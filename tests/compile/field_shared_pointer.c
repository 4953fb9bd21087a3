// expect: field 'it' of type 'order *' is not Send: a field is
// errors: 4
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(opt(order), it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(order *, it)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
