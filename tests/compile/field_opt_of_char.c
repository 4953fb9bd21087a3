// expect: field 'it' of type 'opt(char *)' is not Send: use str (owned text) or bytes
// errors: 4
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(opt(str), it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(opt(char *), it)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
