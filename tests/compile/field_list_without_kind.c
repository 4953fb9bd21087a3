// expect: field 'it' of type 'list()' lacks a kind: write F(kind, name), list(kind)
// errors: 2
#include <cede/message.h>

#ifdef RIGHT
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(u8), it)                                                                                 \
    F(str, note)
#else
#define ORDER(F)                                                                                   \
    F(u64, id)                                                                                     \
    F(list(), it)                                                                                 \
    F(str, note)
#endif
CEDE_MESSAGE(order, ORDER);
